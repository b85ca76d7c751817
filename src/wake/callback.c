/* Signed callbacks: key, signature, check, sending. Called by the verb wake on
 * a job's node, and by rea-serve.
 * Invariant: key, signature and address go to curl on its standard input. */
#include "wake/callback.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/hmac.h"
#include "base/json.h"
#include "jobs/probe.h"

enum { SEND_MS = 90 * 1000, KEY_BYTES = 32 };

static int
key_read(const char *path, char key[CALLBACK_KEY_HEX], struct err *err)
{
    struct buf b = {0};
    int rc = fs_read(path, 256, &b, err);
    size_t n = strspn(buf_str(&b), "0123456789abcdef");
    if (rc == 0 &&
        (n != CALLBACK_KEY_HEX - 1 || strcmp(buf_str(&b) + n, "\n") != 0))
        rc = err_set(err, -ERR_CORRUPT,
            "%s is no key: delete it, and the next job makes another", path);
    if (rc == 0)
        snprintf(key, CALLBACK_KEY_HEX, "%.64s", buf_str(&b));
    buf_fini(&b);
    return rc;
}

/* Whole or not there, and one of those who make it at once wins. */
static int
key_make(const char *path, struct err *err)
{
    unsigned char raw[KEY_BYTES];
    char hex[CALLBACK_KEY_HEX];
    struct arena a = {0};
    const char *tmp = fs_tmp_in(&a, path);
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(hex, sizeof hex, raw, sizeof raw);
    int rc = 0;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%s\n", hex) != CALLBACK_KEY_HEX ||
        fsync(fd) != 0 || (link(tmp, path) != 0 && errno != EEXIST))
        rc = err_sys(err, "make the key %s", path);
    if (fd >= 0)
        close(fd);
    unlink(tmp);
    arena_fini(&a);
    return rc;
}

int
callback_key(
    const char *dir, bool make, char key[CALLBACK_KEY_HEX], struct err *err)
{
    struct arena a = {0};
    const char *path = fs_join_in(&a, dir, "callback.key");
    int rc = key_read(path, key, err);
    if (rc == -ERR_NOT_FOUND && make) {
        rc = key_make(path, err);
        if (rc == 0)
            rc = key_read(path, key, err);
    }
    arena_fini(&a);
    return rc;
}

static void
digest(const char *key, const char *body, int64_t t, const char *nonce,
    char hex[HMAC_HEX])
{
    struct buf b = {0};
    buf_printf(&b, "rea-callback-1\n%" PRId64 "\n%s\n%s", t, nonce, body);
    hmac_sha256(key, strlen(key), buf_str(&b), b.len, hex);
    buf_fini(&b);
}

void
callback_nonce(char nonce[CALLBACK_NONCE_HEX])
{
    unsigned char raw[16];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(nonce, CALLBACK_NONCE_HEX, raw, sizeof raw);
}

void
callback_sign(const char *key, const char *body, int64_t now_s,
    const char nonce[CALLBACK_NONCE_HEX], char header[CALLBACK_HEADER_MAX])
{
    char hex[HMAC_HEX];
    digest(key, body, now_s, nonce, hex);
    snprintf(header, CALLBACK_HEADER_MAX, "t=%" PRId64 ",n=%s,v1=%s", now_s,
        nonce, hex);
}

enum callback_verdict
callback_check(const char *key, const char *header, const char *body,
    int64_t now_s, char nonce[CALLBACK_NONCE_HEX])
{
    char want[HMAC_HEX], have[HMAC_HEX];
    int64_t t = 0;
    int end = 0;
    if (header == NULL ||
        sscanf(header, "t=%15" SCNd64 ",n=%32[0-9a-f],v1=%64[0-9a-f]%n", &t,
            nonce, have, &end) != 3 ||
        header[end] != '\0' || strlen(nonce) != CALLBACK_NONCE_HEX - 1 ||
        strlen(have) != HMAC_HEX - 1)
        return CALLBACK_UNSIGNED;
    digest(key, body, t, nonce, want);
    if (sodium_memcmp(want, have, HMAC_HEX - 1) != 0)
        return CALLBACK_FORGED;
    return llabs((long long)(now_s - t)) > CALLBACK_WINDOW_S ? CALLBACK_LATE
                                                             : CALLBACK_GOOD;
}

void
callback_body(uint32_t campaign, char body[CALLBACK_BODY_MAX])
{
    snprintf(body, CALLBACK_BODY_MAX, "{\"wake\": \"C%" PRIu32 "\"}", campaign);
}

uint32_t
callback_campaign(const char *body)
{
    struct json *j = json_parse(body, strlen(body), NULL);
    const char *name = json_get_str(j, "wake");
    uint32_t id = 0;
    int end = 0;
    if (name == NULL || sscanf(name, "C%9" SCNu32 "%n", &id, &end) != 1 ||
        name[end] != '\0')
        id = 0;
    json_free(j);
    return id;
}

/* An address is quoted for curl's file: no quotes, no line breaks in it. */
static int
url_check(const char *url, struct err *err)
{
    if ((strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0) &&
        strpbrk(url, "\"\\ \t\r\n") == NULL)
        return 0;
    return err_set(err, -ERR_INPUT,
        "'%.100s' is no address for a callback: write http://HOST:PORT", url);
}

static int
curl_run(const char *config, const char *url, struct err *err)
{
    static const char *const argv[] = {"curl", "-q", "--config", "-", NULL};
    struct probe_result r = {0};
    const struct probe curl = {
        .argv = argv, .cwd = "/", .time_ms = SEND_MS, .input = config};
    int rc = probe_run(&curl, &r, err);
    const char *said = buf_str(&r.err);
    if (rc == 0 && r.exit_code != 0)
        rc = err_set(err, -ERR_SYS,
            "%s did not take the callback (%.*s); `rea sweep` finds the job's "
            "end",
            url, (int)strcspn(said, "\n"),
            said[0] != '\0' ? said : "curl failed");
    probe_fini(&r);
    return rc == -ERR_NOT_FOUND ? err_wrap(err, -ERR_SYS, "callback") : rc;
}

int
callback_send(
    const char *dir, const char *url, uint32_t campaign, struct err *err)
{
    char key[CALLBACK_KEY_HEX], nonce[CALLBACK_NONCE_HEX];
    char body[CALLBACK_BODY_MAX], header[CALLBACK_HEADER_MAX];
    struct buf config = {0};
    int rc = url_check(url, err);
    if (rc == 0)
        rc = callback_key(dir, false, key, err);
    if (rc != 0)
        return rc;
    callback_nonce(nonce);
    callback_body(campaign, body);
    callback_sign(key, body, time(NULL), nonce, header);
    buf_printf(&config,
        "url = \"%s\"\nproto = \"=http,https\"\n"
        "header = \"Content-Type: application/json\"\n"
        "header = \"" CALLBACK_HEADER ": %s\"\n"
        "data-raw = \"{\\\"wake\\\": \\\"C%" PRIu32 "\\\"}\"\n"
        "output = \"/dev/null\"\nsilent\nshow-error\nfail\n"
        "connect-timeout = 10\nmax-time = 80\n",
        url, header, campaign);
    rc = curl_run(buf_str(&config), url, err);
    buf_fini(&config);
    return rc;
}
