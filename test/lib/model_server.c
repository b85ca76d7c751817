/* A model's server on loopback that fails as it is told to.
 *   model_server LOG [PORT]
 * prints its port and serves POST /SCRIPT/v1/{chat/completions, responses,
 * messages}, one process a connection. SCRIPT is a list of faults joined by
 * commas: one for each request with the same Idempotency-Key, the last one for
 * all that follow; "mix-SEED" draws them. LOG gets a JSON line for each reply
 * that was begun: key, number, fault, tokens charged, whether a key came. Good
 * replies satisfy the request's schema. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/rng.h"

enum { KEYS_MAX = 8192, REQUEST_MAX = 8 << 20 };

/* How often each key was asked; shared by all processes. */
struct seen {
    atomic_flag lock;
    struct {
        char key[72];
        unsigned n;
    } entry[KEYS_MAX];
};

struct request {
    int fd;
    char path[512], key[72], auth[256];
    char fault[64];
    unsigned n;
    bool stream, chat, responses;
    struct json *body;
    struct buf schema; /* what the reply has to satisfy; "" free text */
    bool by_tool, own_tool, has_format;
    int64_t in, out;
};

static int log_fd;

static void
nap(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

static void
put(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k <= 0)
            _exit(0); /* the client has gone: nothing more to say */
        p += k;
        n -= (size_t)k;
    }
}

static void
puts_to(int fd, const char *s)
{
    put(fd, s, strlen(s));
}

/* ---- a value that satisfies a schema ---- */

static void
value_write(struct jw *j, const struct json *s)
{
    const char *type = json_str(json_get(s, "type"));
    const struct json *pick = json_at(json_get(s, "enum"), 0);
    struct buf text = {0};
    if (json_get(s, "anyOf") != NULL) {
        value_write(j, json_at(json_get(s, "anyOf"), 0));
        return;
    }
    if (pick == NULL)
        pick = json_get(s, "const");
    if (pick != NULL) {
        json_dump(pick, &text);
        jw_raw(j, buf_str(&text));
    } else if (type == NULL || strcmp(type, "string") == 0) {
        for (int64_t i = json_get_i64(s, "minLength", 3); i > 0; i--)
            buf_puts(&text, i % 2 ? "é" : "x");
        jw_str(j, buf_str(&text));
    } else if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
        jw_f64(j, json_get_num(s, "minimum", 1));
    } else if (strcmp(type, "boolean") == 0) {
        jw_bool(j, true);
    } else if (strcmp(type, "array") == 0) {
        jw_arr_begin(j);
        for (int64_t i = json_get_i64(s, "minItems", 1); i > 0; i--)
            value_write(j, json_get(s, "items"));
        jw_arr_end(j);
    } else if (strcmp(type, "object") == 0) {
        const struct json *p = json_get(s, "properties");
        jw_obj_begin(j);
        for (size_t i = 0; i < json_len(p); i++) {
            const char *name = "";
            const struct json *c = json_member(p, i, &name);
            jw_key(j, name);
            value_write(j, c);
        }
        jw_obj_end(j);
    } else {
        jw_null(j);
    }
    buf_fini(&text);
}

static void
value_of(const struct request *r, struct buf *out)
{
    struct json *s = json_parse(buf_str(&r->schema), r->schema.len, NULL);
    struct jw j;
    if (s == NULL) {
        buf_puts(out, "Once upon a time, é — a plain answer.");
        return;
    }
    jw_init(&j, out, 0);
    value_write(&j, s);
    json_free(s);
}

/* ---- reading the request ---- */

static void
tools_look(struct request *r)
{
    const struct json *tools = json_get(r->body, "tools");
    for (size_t i = 0; i < json_len(tools); i++) {
        const struct json *t = json_at(tools, i), *f = json_get(t, "function");
        if (f == NULL)
            f = t;
        const char *name = json_get_str(f, "name");
        const struct json *p = json_get(f, "parameters");
        if (p == NULL)
            p = json_get(f, "input_schema");
        r->by_tool = name != NULL && strcmp(name, "answer") == 0;
        r->own_tool = !r->by_tool;
        buf_clear(&r->schema);
        json_dump(p, &r->schema);
    }
}

/* The schema told in words: behind "JSON Schema:" in any text. */
static void
words_look(struct request *r, const char *text)
{
    static const char mark[] = "JSON Schema:\\n";
    const char *at = strstr(text, mark);
    if (at == NULL)
        return;
    struct buf b = {0};
    for (at += strlen(mark); *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        buf_putc(&b, *at);
    }
    struct json *j = json_parse(buf_str(&b), b.len, NULL);
    if (j != NULL)
        json_dump(j, &r->schema);
    json_free(j);
    buf_fini(&b);
}

static void
request_look(struct request *r, const char *body, size_t len)
{
    r->body = json_parse(body, len, NULL);
    r->stream = json_get_bool(r->body, "stream", false);
    r->chat = strstr(r->path, "/chat/completions") != NULL;
    r->responses = strstr(r->path, "/responses") != NULL;
    const struct json *f = json_get(r->body, "response_format");
    const struct json *o =
        json_get(json_get(r->body, "output_config"), "format");
    const struct json *t = json_get(json_get(r->body, "text"), "format");
    const struct json *s = json_get(json_get(f, "json_schema"), "schema");
    r->has_format = s != NULL;
    s = s != NULL ? s : json_get(f, "schema");
    s = s != NULL ? s : json_get(o, "schema");
    s = s != NULL ? s : json_get(t, "schema");
    tools_look(r);
    if (s != NULL) {
        r->by_tool = r->own_tool = false;
        buf_clear(&r->schema);
        json_dump(s, &r->schema);
    } else if (r->schema.len == 0) {
        words_look(r, body);
    }
    r->in = (int64_t)len / 4 + 1;
}

static void
header_look(const char *head, const char *name, char *out, size_t cap)
{
    const char *at = strcasestr(head, name);
    if (at == NULL)
        return;
    at += strlen(name);
    at += strspn(at, ": ");
    snprintf(out, cap, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* Reads one request; false: it is none. */
static bool
request_read(struct request *r)
{
    char *b = mem_calloc(1, REQUEST_MAX + 1), length[32] = "0";
    size_t n = 0, head = 0, want = 0;
    char *end = NULL;
    while (n < REQUEST_MAX && (end == NULL || n < head + want)) {
        ssize_t k = read(r->fd, b + n, REQUEST_MAX - n);
        if (k <= 0)
            break;
        n += (size_t)k;
        if (end == NULL && (end = strstr(b, "\r\n\r\n")) != NULL) {
            *end = '\0';
            head = (size_t)(end - b) + 4;
            header_look(b, "\nContent-Length", length, sizeof length);
            want = strtoul(length, NULL, 10);
        }
    }
    bool ok =
        end != NULL && n >= head + want && sscanf(b, "%*s %511s", r->path) == 1;
    if (ok) {
        header_look(b, "\nIdempotency-Key", r->key, sizeof r->key);
        header_look(b, "\nAuthorization", r->auth, sizeof r->auth);
        header_look(b, "\nx-api-key", r->auth, sizeof r->auth);
        request_look(r, b + head, want);
    }
    free(b);
    return ok;
}

/* ---- which fault ---- */

static unsigned
seen_count(struct seen *s, const char *key)
{
    unsigned n = 0;
    while (atomic_flag_test_and_set(&s->lock))
        nap(1);
    for (unsigned i = 0; i < KEYS_MAX; i++) {
        if (s->entry[i].n > 0 && strcmp(s->entry[i].key, key) != 0)
            continue;
        snprintf(s->entry[i].key, sizeof s->entry[i].key, "%s", key);
        n = s->entry[i].n++;
        break;
    }
    atomic_flag_clear(&s->lock);
    return n;
}

static uint64_t
number_of(const char *text)
{
    uint64_t h = 1469598103934665603u;
    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

static void
fault_draw(struct request *r, const char *seed)
{
    static const char *const mix[] = {"ok", "ok", "ok", "ok", "ok", "ok", "429",
        "429date", "529", "500", "slow", "cut", "prose", "fenced", "refusal",
        "empty", "length", "badids", "html", "utf8", "nan", "deep", "secret",
        "wrong", "surrogate", "nothing", "nousage", "badusage", "408"};
    uint64_t x = rng_mix(number_of(r->key), number_of(seed) + r->n);
    snprintf(
        r->fault, sizeof r->fault, "%s", mix[x % (sizeof mix / sizeof *mix)]);
}

static void
fault_choose(struct request *r, struct seen *s)
{
    const char *at = r->path + 1;
    r->n = seen_count(s, r->key);
    if (strncmp(at, "mix-", 4) == 0) {
        fault_draw(r, at);
        return;
    }
    for (unsigned i = 0; i < r->n; i++) {
        size_t n = strcspn(at, ",/");
        if (at[n] != ',')
            break;
        at += n + 1;
    }
    snprintf(r->fault, sizeof r->fault, "%.*s", (int)strcspn(at, ",/"), at);
}

static bool
is(const struct request *r, const char *fault)
{
    return strcmp(r->fault, fault) == 0;
}

static void
log_reply(const struct request *r, int64_t in, int64_t out)
{
    char line[400];
    int n = snprintf(line, sizeof line,
        "{\"key\":\"%s\",\"n\":%u,\"fault\":\"%s\",\"in\":%lld,\"out\":%lld,"
        "\"key_sent\":%s}\n",
        r->key, r->n, r->fault, (long long)in, (long long)out,
        r->auth[0] != '\0' ? "true" : "false");
    if (write(log_fd, line, (size_t)n) != n)
        _exit(1);
}

/* ---- errors ---- */

static void
plain(const struct request *r, const char *status, const char *headers,
    const char *type, const char *body, size_t len)
{
    struct buf b = {0};
    buf_printf(&b,
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
        "x-request-id: req_%.12s\r\nConnection: close\r\n%s\r\n",
        status, type, len, r->key + 4, headers);
    buf_add(&b, body, len);
    put(r->fd, buf_str(&b), b.len);
    buf_fini(&b);
}

static const struct {
    const char *fault, *status, *headers, *body;
} errors[] = {
    {"429", "429 Too Many Requests", "Retry-After: 1\r\n",
        "{\"error\":{\"message\":\"slow "
        "down\",\"type\":\"rate_limit_error\"}}"},
    {"429ms", "429 Too Many Requests", "retry-after-ms: 120\r\n",
        "{\"error\":{\"message\":\"slow "
        "down\",\"type\":\"rate_limit_error\"}}"},
    {"429quota", "429 Too Many Requests", "",
        "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":"
        "\"insufficient_quota\",\"code\":\"insufficient_quota\"}}"},
    {"402", "402 Payment Required", "",
        "{\"error\":{\"message\":\"billing\",\"type\":\"billing_error\"}}"},
    {"529", "529 Overloaded", "",
        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
        "\"message\":\"Overloaded\"}}"},
    {"408", "408 Request Timeout", "", "{\"error\":{\"message\":\"late\"}}"},
    {"500", "500 Internal Server Error", "",
        "{\"error\":{\"code\":500,\"message\":\"parse error\",\"type\":"
        "\"server_error\"}}"},
    {"500final", "500 Internal Server Error", "x-should-retry: false\r\n",
        "{\"error\":{\"message\":\"do not try again\"}}"},
    {"400", "400 Bad Request", "",
        "{\"error\":{\"message\":\"bad request\",\"type\":"
        "\"invalid_request_error\"}}"},
    {"400format", "400 Bad Request", "",
        "{\"error\":{\"message\":\"'response_format' of type 'json_schema' is "
        "not supported\",\"type\":\"invalid_request_error\"}}"},
    {"400temp", "400 Bad Request", "",
        "{\"error\":{\"message\":\"Unsupported value: 'temperature'\",\"type\":"
        "\"invalid_request_error\",\"param\":\"temperature\"}}"},
    {"413", "413 Payload Too Large", "",
        "{\"type\":\"error\",\"error\":{\"type\":\"request_too_large\","
        "\"message\":\"too large\"}}"},
    {"404", "404 Not Found", "",
        "{\"error\":{\"message\":\"no such model\",\"type\":"
        "\"not_found_error\"}}"},
    {"401", "401 Unauthorized", "",
        "{\"error\":{\"message\":\"Incorrect API key provided: KEY\",\"type\":"
        "\"authentication_error\"}}"},
};

static void
redirect(const struct request *r)
{
    char to[700];
    struct sockaddr_in me;
    socklen_t n = sizeof me;
    getsockname(r->fd, (struct sockaddr *)&me, &n);
    if (is(r, "redirect")) /* another name is another host */
        snprintf(to, sizeof to, "Location: http://localhost:%d/ok/v1\r\n",
            ntohs(me.sin_port));
    else
        snprintf(
            to, sizeof to, "Location: /ok%s\r\n", strchr(r->path + 1, '/'));
    plain(r, "307 Temporary Redirect", to, "text/plain", "", 0);
}

/* true: the fault is an error that was told. */
static bool
error_reply(const struct request *r)
{
    if ((is(r, "400format") && !r->has_format) ||
        (is(r, "400temp") && json_get(r->body, "temperature") == NULL))
        return false; /* it has been changed as the error said */
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (!is(r, errors[i].fault))
            continue;
        struct buf b = {0};
        const char *mark = strstr(errors[i].body, "KEY");
        if (mark != NULL) /* some servers tell the key that they got */
            buf_printf(&b, "%.*s%s%s", (int)(mark - errors[i].body),
                errors[i].body, r->auth, mark + 3);
        else
            buf_puts(&b, errors[i].body);
        log_reply(r, 0, 0);
        plain(r, errors[i].status, errors[i].headers, "application/json",
            buf_str(&b), b.len);
        buf_fini(&b);
        return true;
    }
    if (is(r, "429date")) {
        char date[80], head[120];
        time_t t = time(NULL) + 2;
        struct tm tm;
        strftime(
            date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&t, &tm));
        snprintf(head, sizeof head, "Retry-After: %s\r\n", date);
        log_reply(r, 0, 0);
        plain(r, "429 Too Many Requests", head, "application/json", "{}", 2);
        return true;
    }
    if (strncmp(r->fault, "redirect", 8) == 0) {
        log_reply(r, 0, 0);
        redirect(r);
        return true;
    }
    if (is(r, "hang"))
        nap(30000);
    return is(r, "hang");
}

/* ---- what is said ---- */

static void
text_of(const struct request *r, struct buf *out)
{
    if (is(r, "prose") || is(r, "empty") || is(r, "nothing")) {
        buf_puts(out, is(r, "prose") ? "Sure! I would be glad to help." : "");
    } else if (is(r, "fenced")) {
        buf_puts(out, "Here it is:\n```json\n");
        value_of(r, out);
        buf_puts(out, "\n```\nAnything else?");
    } else if (is(r, "wrong")) {
        buf_puts(out, "{\"unforeseen\": [1, 2]}");
    } else if (is(r, "nan")) {
        buf_puts(out, "{\"mean\": NaN, \"name\": \"x\"}");
    } else if (is(r, "deep")) {
        for (int i = 0; i < 5000; i++)
            buf_puts(out, "{\"a\":");
    } else if (is(r, "surrogate")) {
        buf_puts(out, "{\"name\": \"\\ud800\", \"mean\": 1}");
    } else if (is(r, "secret")) {
        buf_printf(out, "Your key is %s, and here:\n", r->auth);
        value_of(r, out);
    } else {
        value_of(r, out);
        if (is(r, "length"))
            out->len = out->len / 2;
        out->data[out->len] = '\0';
    }
}

static void
usage_write(struct jw *j, const struct request *r)
{
    int64_t in = is(r, "badusage") ? -5 : r->in, out = r->out;
    if (is(r, "nousage"))
        return;
    if (is(r, "cutprompt"))
        in = 40;
    jw_key(j, "usage");
    jw_obj_begin(j);
    jw_ki64(j, r->chat ? "prompt_tokens" : "input_tokens", in);
    jw_ki64(j, r->chat ? "completion_tokens" : "output_tokens", out);
    jw_obj_end(j);
}

static void
chat_call(struct jw *j, const struct request *r, const char *text)
{
    jw_key(j, "tool_calls");
    jw_arr_begin(j);
    jw_obj_begin(j);
    jw_ki64(j, "index", 0);
    jw_kstr(j, "id", is(r, "badids") ? "" : "call_abc");
    jw_kstr(j, "type", "function");
    jw_key(j, "function");
    jw_obj_begin(j);
    jw_kstr(j, "name", r->by_tool ? "answer" : "look");
    jw_kstr(j, "arguments", text);
    jw_obj_end(j);
    jw_obj_end(j);
    jw_arr_end(j);
}

static bool
calls(const struct request *r)
{
    return (r->by_tool || r->own_tool) && !is(r, "prose") &&
           !is(r, "nothing") && !is(r, "refusal");
}

/* One piece of a chat reply, or the whole of it. */
static void
chat_write(struct jw *j, const struct request *r, const char *part,
    const char *text, const char *finish, bool usage)
{
    jw_obj_begin(j);
    jw_kstr(j, "id", "chatcmpl-1");
    jw_kstr(j, "object", "chat.completion");
    jw_kstr(j, "system_fingerprint", "fp_test");
    jw_key(j, "choices");
    jw_arr_begin(j);
    if (!is(r, "empty")) {
        jw_obj_begin(j);
        jw_ki64(j, "index", 0);
        jw_key(j, part);
        jw_obj_begin(j);
        if (is(r, "refusal") && finish != NULL)
            jw_kstr(j, "refusal", "I can't help with that.");
        if (calls(r) && text != NULL)
            chat_call(j, r, text);
        if (calls(r) || is(r, "nothing") || is(r, "refusal")) {
            jw_key(j, "content");
            jw_null(j);
        } else if (text != NULL) {
            jw_kstr(j, "content", text);
        }
        jw_obj_end(j);
        jw_kstr(j, "finish_reason", finish);
        jw_obj_end(j);
    }
    jw_arr_end(j);
    if (usage)
        usage_write(j, r);
    jw_obj_end(j);
}

static void
responses_write(struct jw *j, const struct request *r, const char *text)
{
    jw_obj_begin(j);
    jw_kstr(j, "id", "resp_1");
    jw_kstr(j, "status",
        is(r, "failed")   ? "failed"
        : is(r, "length") ? "incomplete"
                          : "completed");
    if (is(r, "failed")) {
        jw_key(j, "error");
        jw_raw(j, "{\"code\":\"server_error\",\"message\":\"it broke\"}");
    }
    if (is(r, "length")) {
        jw_key(j, "incomplete_details");
        jw_raw(j, "{\"reason\":\"max_output_tokens\"}");
    }
    jw_key(j, "output");
    jw_arr_begin(j);
    if (calls(r) && !is(r, "empty")) {
        jw_obj_begin(j);
        jw_kstr(j, "type", "function_call");
        jw_kstr(j, "call_id", is(r, "badids") ? "" : "call_abc");
        jw_kstr(j, "name", r->by_tool ? "answer" : "look");
        jw_kstr(j, "arguments", text);
        jw_obj_end(j);
    } else if (!is(r, "empty")) {
        jw_obj_begin(j);
        jw_kstr(j, "type", "message");
        jw_kstr(j, "role", "assistant");
        jw_key(j, "content");
        jw_arr_begin(j);
        jw_obj_begin(j);
        jw_kstr(j, "type", is(r, "refusal") ? "refusal" : "output_text");
        jw_kstr(j, is(r, "refusal") ? "refusal" : "text",
            is(r, "refusal") ? "I can't help with that." : text);
        jw_obj_end(j);
        jw_arr_end(j);
        jw_obj_end(j);
    }
    jw_arr_end(j);
    usage_write(j, r);
    jw_obj_end(j);
}

static const char *
messages_reason(const struct request *r)
{
    return is(r, "length")    ? "max_tokens"
           : is(r, "refusal") ? "refusal"
           : is(r, "context") ? "model_context_window_exceeded"
           : calls(r)         ? "tool_use"
                              : "end_turn";
}

static void
messages_block(struct jw *j, const struct request *r, const char *text)
{
    jw_obj_begin(j);
    jw_kstr(j, "type", calls(r) ? "tool_use" : "text");
    if (calls(r)) {
        jw_kstr(j, "id", is(r, "badids") ? "" : "toolu_abc");
        jw_kstr(j, "name", r->by_tool ? "answer" : "look");
        struct json *ok = json_parse(text, strlen(text), NULL);
        jw_key(j, "input");
        jw_raw(j, ok != NULL ? text : "{}");
        json_free(ok);
    } else {
        jw_kstr(j, "text", text);
    }
    jw_obj_end(j);
}

static void
messages_write(struct jw *j, const struct request *r, const char *text)
{
    jw_obj_begin(j);
    jw_kstr(j, "id", "msg_1");
    jw_kstr(j, "type", "message");
    jw_kstr(j, "role", "assistant");
    jw_key(j, "content");
    jw_arr_begin(j);
    if (!is(r, "empty") && !is(r, "refusal") && !is(r, "nothing"))
        messages_block(j, r, text);
    jw_arr_end(j);
    jw_kstr(j, "stop_reason", messages_reason(r));
    usage_write(j, r);
    jw_obj_end(j);
}

static void
whole_write(struct buf *b, const struct request *r, const char *text)
{
    struct jw j;
    jw_init(&j, b, 0);
    if (r->chat)
        chat_write(&j, r, "message", text,
            is(r, "length") ? "length"
            : calls(r)      ? "tool_calls"
                            : "stop",
            true);
    else if (r->responses)
        responses_write(&j, r, text);
    else
        messages_write(&j, r, text);
}

/* A broken character, as a tokenizer may leave one. */
static void
break_utf8(const struct request *r, struct buf *b)
{
    char *at = is(r, "utf8") && b->data ? strstr(b->data, "é") : NULL;
    if (at != NULL)
        at[1] = '"' == at[2] ? ' ' : (char)0xff;
}

/* ---- streams ---- */

static void
event(const struct request *r, const char *name, const struct buf *data)
{
    struct buf b = {0};
    if (name != NULL)
        buf_printf(&b, "event: %s\r\n", name);
    buf_printf(&b, "data: %s\r\n\r\n", buf_str(data));
    break_utf8(r, &b);
    /* cut anywhere, in the middle of characters too */
    for (size_t i = 0; i < b.len; i += 37) {
        put(r->fd, b.data + i, b.len - i < 37 ? b.len - i : 37);
        if (is(r, "slow"))
            nap(4);
    }
    buf_fini(&b);
}

static void
chat_stream(const struct request *r, const char *text)
{
    struct buf b = {0};
    struct jw j;
    size_t n = strlen(text), half = n / 2;
    while (half > 0 && ((unsigned char)text[half] & 0xc0) == 0x80)
        half--;
    const char *parts[] = {
        arena_strndup(&(struct arena){0}, text, half), text + half};
    for (int i = 0; i < 2; i++) {
        buf_clear(&b);
        jw_init(&j, &b, 0);
        chat_write(&j, r, "delta", parts[i], NULL, false);
        event(r, NULL, &b);
        puts_to(r->fd, ": a comment\n\n");
        if (is(r, "cut"))
            _exit(0);
        if (is(r, "stall"))
            nap(20000);
    }
    buf_clear(&b);
    jw_init(&j, &b, 0);
    chat_write(&j, r, "delta", NULL,
        is(r, "length") ? "length"
        : calls(r)      ? "tool_calls"
                        : "stop",
        true);
    event(r, NULL, &b);
    puts_to(r->fd, "data: [DONE]\n\n");
}

static void
responses_stream(const struct request *r, const char *text)
{
    struct buf b = {0};
    struct jw j;
    buf_puts(&b, "{\"type\":\"response.output_text.delta\",\"delta\":\"x\"}");
    event(r, "response.output_text.delta", &b);
    if (is(r, "cut"))
        _exit(0);
    buf_clear(&b);
    buf_printf(&b, "{\"type\":\"response.%s\",\"response\":",
        is(r, "length") ? "incomplete" : "completed");
    jw_init(&j, &b, 0);
    responses_write(&j, r, text);
    buf_putc(&b, '}');
    event(r, "response.completed", &b);
}

static void
messages_stream(const struct request *r, const char *text)
{
    struct buf b = {0};
    struct jw j;
    buf_printf(&b,
        "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"content\":"
        "[],\"stop_reason\":null,\"usage\":{\"input_tokens\":%lld,"
        "\"output_tokens\":1}}}",
        (long long)r->in);
    event(r, "message_start", &b);
    puts_to(r->fd, "event: ping\ndata: {\"type\": \"ping\"}\n\n");
    bool block = !is(r, "empty") && !is(r, "refusal") && !is(r, "nothing");
    for (int i = 0; block && i < 2; i++) {
        buf_clear(&b);
        jw_init(&j, &b, 0);
        jw_obj_begin(&j);
        jw_kstr(
            &j, "type", i == 0 ? "content_block_start" : "content_block_delta");
        jw_ki64(&j, "index", 0);
        jw_key(&j, i == 0 ? "content_block" : "delta");
        if (i == 0) {
            messages_block(&j, r, calls(r) ? "{}" : "");
        } else {
            jw_obj_begin(&j);
            jw_kstr(&j, "type", calls(r) ? "input_json_delta" : "text_delta");
            jw_kstr(&j, calls(r) ? "partial_json" : "text", text);
            jw_obj_end(&j);
        }
        jw_obj_end(&j);
        event(r, i == 0 ? "content_block_start" : "content_block_delta", &b);
        if (is(r, "cut"))
            _exit(0);
    }
    buf_clear(&b);
    buf_printf(&b,
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"%s\"},"
        "\"usage\":{\"output_tokens\":%lld}}",
        messages_reason(r), (long long)r->out);
    event(r, "message_delta", &b);
    buf_clear(&b);
    buf_puts(&b, "{\"type\":\"message_stop\"}");
    event(r, "message_stop", &b);
}

static void
giant(const struct request *r)
{
    char *block = mem_calloc(1, 1 << 20);
    memset(block, 'x', 1 << 20);
    puts_to(r->fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "Connection: close\r\n\r\n{\"choices\":[{\"message\":{"
                   "\"content\":\"");
    for (int i = 0; i < 24; i++)
        put(r->fd, block, 1 << 20);
    puts_to(r->fd, "\"}}]}");
    free(block);
}

static int64_t
most_tokens(const struct request *r)
{
    int64_t n = json_get_i64(r->body, "max_tokens", INT64_MAX);
    n = json_get_i64(r->body, "max_completion_tokens", n);
    return json_get_i64(r->body, "max_output_tokens", n);
}

static void
serve(struct request *r)
{
    struct buf text = {0}, body = {0};
    if (error_reply(r))
        return;
    text_of(r, &text);
    r->out = (int64_t)text.len / 4 + 1;
    if (r->out > most_tokens(r))
        r->out = most_tokens(r);
    if (is(r, "html")) /* nothing that is paid for */
        r->in = r->out = 0;
    log_reply(r, r->in, r->out);
    if (is(r, "giant")) {
        giant(r);
    } else if (is(r, "html")) {
        plain(r, "200 OK", "", "text/html", "<html>Sign in</html>", 20);
    } else if (r->stream) {
        puts_to(r->fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                       "Connection: close\r\nrequest-id: req_s\r\n\r\n");
        if (r->chat)
            chat_stream(r, buf_str(&text));
        else if (r->responses)
            responses_stream(r, buf_str(&text));
        else
            messages_stream(r, buf_str(&text));
    } else {
        whole_write(&body, r, buf_str(&text));
        break_utf8(r, &body);
        if (is(r, "slow"))
            nap(300);
        plain(r, "200 OK", "", "application/json", buf_str(&body),
            is(r, "cut") ? body.len / 2 : body.len);
    }
}

int
main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    int on = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct seen *seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc < 2 || seen == MAP_FAILED)
        return 2;
    log_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)(argc > 2 ? strtoul(argv[2], NULL, 10) : 0));
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (log_fd < 0 || bind(s, (struct sockaddr *)&at, n) != 0 ||
        listen(s, 64) != 0 || getsockname(s, (struct sockaddr *)&at, &n) != 0) {
        perror("model_server");
        return 1;
    }
    printf("%d\n", ntohs(at.sin_port));
    fclose(stdout);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        struct request r = {.fd = accept4(s, NULL, NULL, SOCK_CLOEXEC)};
        if (r.fd < 0)
            continue;
        if (fork() == 0) {
            if (request_read(&r)) {
                fault_choose(&r, seen);
                serve(&r);
            }
            _exit(0);
        }
        close(r.fd);
    }
}
