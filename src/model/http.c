/* One try over the network, through libcurl, which only this file knows.
 * Called by send.c. Invariant: nothing goes to another host than the
 * endpoint's, memory is bounded, and the key stands in no text. */
#include "model/part.h"

#include "base/fs.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOPS_MAX = 3, HEADER_BYTES_MAX = 4096 };

struct reading {
    struct answer *a;
    struct sse sse;
    CURL *curl;
    bool asked; /* the body has gone out, at least in part */
    bool bad;   /* a stream that is of no use */
    size_t bytes;
    int64_t idle_ms, last_ms;
};

void
answer_fini(struct answer *a)
{
    buf_fini(&a->why);
    buf_fini(&a->body);
    buf_fini(&a->request_id);
    buf_fini(&a->type);
    buf_fini(&a->location);
    buf_fini(&a->should_retry);
    buf_fini(&a->after_ms);
    buf_fini(&a->after);
    decoder_fini(&a->d);
}

/* ---- what libcurl calls ---- */

static void
header_take(const char *line, size_t n, const char *name, struct buf *out)
{
    size_t len = strlen(name);
    if (n <= len || strncasecmp(line, name, len) != 0 || line[len] != ':')
        return;
    line += len + 1;
    n -= len + 1;
    while (n > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        n--;
    }
    while (n > 0 && strchr("\r\n \t", line[n - 1]) != NULL)
        n--;
    buf_clear(out);
    buf_add(out, line, n < HEADER_BYTES_MAX ? n : HEADER_BYTES_MAX);
}

static size_t
on_header(char *line, size_t size, size_t n, void *ctx)
{
    struct answer *a = ((struct reading *)ctx)->a;
    n *= size;
    header_take(line, n, "x-request-id", &a->request_id);
    header_take(line, n, "request-id", &a->request_id);
    header_take(line, n, "content-type", &a->type);
    header_take(line, n, "location", &a->location);
    header_take(line, n, "x-should-retry", &a->should_retry);
    header_take(line, n, "retry-after-ms", &a->after_ms);
    header_take(line, n, "retry-after", &a->after);
    return n;
}

static int
on_event(void *ctx, const char *event, const char *data, size_t len)
{
    struct reading *r = ctx;
    struct err err = {0};
    if (decode_event(&r->a->d, event, data, len, &err) == 0)
        return 0;
    buf_clear(&r->a->why);
    buf_printf(&r->a->why, "a broken stream: %.300s", err.text);
    r->bad = true;
    return -1;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct reading *r = ctx;
    struct answer *a = r->a;
    long http = 0;
    n *= size;
    r->last_ms = fs_boot_ms();
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &http);
    a->streamed = http == 200 &&
                  strncasecmp(buf_str(&a->type), "text/event-stream", 17) == 0;
    r->bytes += n;
    if (r->bytes > BODY_BYTES_MAX) {
        a->too_big = true;
        return 0;
    }
    if (!a->streamed) {
        buf_add(&a->body, bytes, n);
        return n;
    }
    if (sse_feed(&r->sse, bytes, n, on_event, r) == 0)
        return n;
    a->too_big = r->sse.too_long;
    return 0;
}

static int
on_progress(void *ctx, curl_off_t in_all, curl_off_t in, curl_off_t out_all,
    curl_off_t out)
{
    struct reading *r = ctx;
    (void)in_all;
    (void)in;
    (void)out_all;
    if (out > 0)
        r->asked = true;
    if (r->idle_ms > 0 && r->asked && fs_boot_ms() - r->last_ms > r->idle_ms) {
        r->a->idle = true;
        return 1;
    }
    return 0;
}

/* ---- one request ---- */

static struct curl_slist *
headers_make(const struct endpoint *e, const char *idempotency)
{
    struct arena a = {0};
    struct curl_slist *list = NULL;
    for (uint32_t i = 0; i < e->n_headers; i++)
        list = curl_slist_append(list, e->header[i]);
    if (e->key_header != NULL)
        list = curl_slist_append(list, e->key_header);
    list = curl_slist_append(
        list, arena_printf(&a, "Idempotency-Key: %s", idempotency));
    list = curl_slist_append(list, "Expect:");
    arena_fini(&a);
    return list;
}

static void
options_set(CURL *c, const struct limits *l, const struct buf *body,
    struct curl_slist *headers, struct reading *r)
{
    const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    if (file != NULL && *file != '\0')
        curl_easy_setopt(c, CURLOPT_CAINFO, file);
    if (dir != NULL && *dir != '\0')
        curl_easy_setopt(c, CURLOPT_CAPATH, dir);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)l->connect_ms);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)l->total_ms);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, buf_str(body));
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, r);
    /* an answer is asked once: a connection that is reused and dies would be
     * tried again behind our back */
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
}

/* Nothing had gone out: it can't have been worked for. */
static bool
never_sent(CURLcode rc, const struct reading *r)
{
    return rc == CURLE_COULDNT_RESOLVE_HOST || rc == CURLE_COULDNT_CONNECT ||
           rc == CURLE_COULDNT_RESOLVE_PROXY || rc == CURLE_SSL_CONNECT_ERROR ||
           rc == CURLE_PEER_FAILED_VERIFICATION || !r->asked;
}

static void
outcome_tell(CURLcode rc, long http, const struct reading *r)
{
    struct answer *a = r->a;
    a->http = (int)http;
    a->charged = http == 200 || (http == 0 && !never_sent(rc, r));
    if (rc == CURLE_OK || (r->bad && a->why.len > 0))
        return;
    buf_clear(&a->why);
    if (a->too_big)
        buf_printf(
            &a->why, "the reply is larger than %d MiB", BODY_BYTES_MAX >> 20);
    else if (a->idle)
        buf_printf(
            &a->why, "nothing came for %lld s", (long long)(r->idle_ms / 1000));
    else if (rc == CURLE_OPERATION_TIMEDOUT)
        buf_puts(&a->why,
            r->asked ? "no whole reply in time" : "no connection in time");
    else
        buf_puts(&a->why, curl_easy_strerror(rc));
}

static void
post_once(const struct endpoint *e, const char *url, const struct buf *body,
    const char *idempotency, const struct limits *l, struct answer *out)
{
    struct reading r = {
        .a = out, .idle_ms = l->idle_ms, .last_ms = fs_boot_ms()};
    struct curl_slist *headers = headers_make(e, idempotency);
    long http = 0;
    decoder_init(&out->d, e->dialect);
    r.curl = curl_easy_init();
    if (r.curl == NULL) {
        buf_puts(&out->why, "libcurl can't begin");
    } else {
        curl_easy_setopt(r.curl, CURLOPT_URL, url);
        options_set(r.curl, l, body, headers, &r);
        CURLcode rc = curl_easy_perform(r.curl);
        curl_easy_getinfo(r.curl, CURLINFO_RESPONSE_CODE, &http);
        outcome_tell(rc, http, &r);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(r.curl);
    sse_fini(&r.sse);
}

/* "scheme://host:port" of an address, as its length; 0: it has none. */
static size_t
origin_length(const char *url)
{
    const char *host = strstr(url, "://");
    return host == NULL ? 0
                        : (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
}

/* Where a redirect leads, NULL when it leaves the host, the port or TLS. */
static char *
redirect_in(struct arena *a, const char *url, const char *location)
{
    size_t n = origin_length(url);
    if (location[0] == '/' && location[1] != '/')
        return arena_printf(a, "%.*s%s", (int)n, url, location);
    if (origin_length(location) == n && strncasecmp(url, location, n) == 0)
        return arena_strdup(a, location);
    return NULL;
}

void
http_post(const struct endpoint *e, const struct buf *body,
    const char *idempotency, const struct limits *l, struct answer *out)
{
    struct arena a = {0};
    const char *url = e->url;
    int64_t begun = fs_mono_us();
    memset(out, 0, sizeof *out);
    for (int hop = 0;; hop++) {
        post_once(e, url, body, idempotency, l, out);
        /* only these two keep the method and the body */
        bool moved = out->http == 307 || out->http == 308;
        if (out->http < 300 || out->http >= 400)
            break;
        char *next = moved && hop < HOPS_MAX
                         ? redirect_in(&a, url, buf_str(&out->location))
                         : NULL;
        if (next == NULL) {
            out->forbidden = true;
            buf_clear(&out->why);
            buf_printf(&out->why,
                "it redirects to %.200s, which is not allowed",
                buf_str(&out->location));
            break;
        }
        answer_fini(out);
        memset(out, 0, sizeof *out);
        url = next;
    }
    out->latency_ms = (fs_mono_us() - begun) / 1000;
    arena_fini(&a);
}
