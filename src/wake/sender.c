/* Brings messages to a webhook by the program curl, in a process that no wake
 * waits for. Called by notify.c. Invariant: address, body and signature go to
 * curl on its standard input, never its arguments; an error text that holds
 * the address is not kept. */
#include "wake/sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hmac.h"
#include "jobs/probe.h"

enum { SEND_MS = 30000, WHY_MAX = 160 };

/* In a quoted value of curl's files only these are special. */
static void
config_put(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "%s = \"", key);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            buf_putc(out, '\\');
        if ((unsigned char)*c >= ' ')
            buf_putc(out, *c);
    }
    buf_puts(out, "\"\n");
}

char *
parcel_config(
    const char *url, const char *secret, const char *body, long long now_s)
{
    struct buf b = {0}, text = {0}, header = {0};
    char hex[HMAC_HEX];
    config_put(&b, "url", url);
    config_put(&b, "proto", "=http,https");
    config_put(&b, "header", "Content-Type: application/json");
    if (secret != NULL) {
        buf_printf(&text, "%lld.%s", now_s, body);
        hmac_sha256(secret, strlen(secret), buf_str(&text), text.len, hex);
        buf_printf(&header, "X-REA-Signature: t=%lld,v1=%s", now_s, hex);
        config_put(&b, "header", buf_str(&header));
    }
    config_put(&b, "data-raw", body);
    config_put(&b, "output", "/dev/null");
    buf_puts(&b, "silent\nshow-error\nfail\nconnect-timeout = 5\n"
                 "max-time = 10\nretry = 2\nretry-max-time = 15\n");
    buf_fini(&text);
    buf_fini(&header);
    return b.data;
}

/* The first line that curl complained with, unless it names the address. */
static void
why_put(const struct probe_result *r, const char *config, char why[WHY_MAX])
{
    const char *said = buf_str(&r->err);
    const char *url = strchr(config, '"') + 1;
    size_t host = strcspn(url, ":") + 3;
    size_t n = strcspn(url + host, "/\"");
    const char *path = url + host + n;
    char hidden[200];
    snprintf(hidden, sizeof hidden, "%.*s", (int)strcspn(path, "\""), path);
    if (said[0] == '\0')
        snprintf(why, WHY_MAX, "curl ended with exit code %d", r->exit_code);
    else if (strlen(hidden) > 1 && strstr(said, hidden) != NULL)
        snprintf(why, WHY_MAX,
            "curl ended with exit code %d, and its words "
            "hold the address",
            r->exit_code);
    else
        snprintf(why, WHY_MAX, "%.*s",
            (int)(strcspn(said, "\n") < WHY_MAX ? strcspn(said, "\n")
                                                : WHY_MAX - 1),
            said);
}

static void
parcel_send(const struct parcel *p)
{
    static const char *const argv[] = {"curl", "-q", "--config", "-", NULL};
    struct probe_result r = {0};
    struct err err = {0};
    struct buf path = {0};
    char why[WHY_MAX] = "";
    const struct probe curl = {
        .argv = argv, .cwd = "/", .time_ms = SEND_MS, .input = p->config};
    int rc = probe_run(&curl, &r, &err);
    bool ok = rc == 0 && r.exit_code == 0;
    if (rc != 0)
        snprintf(why, sizeof why, "%.150s", err.text);
    else if (!ok)
        why_put(&r, p->config, why);
    buf_printf(&path, "%s.%s", p->path, ok ? "ok" : "err");
    fs_write_atomic(buf_str(&path), why, strlen(why), false, NULL);
    probe_fini(&r);
    buf_fini(&path);
}

bool
parcels_send(const struct parcel *p, size_t n)
{
    pid_t pid = fork();
    if (pid == 0) {
        /* The lease and the database are not ours: their descriptors must be
         * gone before the parent goes on. */
        close_range(3, ~0u, 0);
        setsid();
        pid_t second = fork();
        if (second != 0)
            _exit(second < 0 ? 1 : 0);
        for (size_t i = 0; i < n; i++)
            parcel_send(&p[i]);
        _exit(0);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
