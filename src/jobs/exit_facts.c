/* exit.json in and out, format version 1 (docs/job-contract.md). The shim
 * writes the same format with its own small writer; a test reads that one
 * through here. To change it: raise EXIT_VERSION, keep the old reader. */
#include "jobs/jobs.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { EXIT_VERSION = 1, EXIT_BYTES_MAX = 64 * 1024 };

void
exit_facts_put(const struct exit_facts *f, struct buf *out)
{
    struct jw w;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "version", EXIT_VERSION);
    jw_kstr(&w, "token", f->token);
    jw_kstr(&w, "reason", reason_name(f->reason));
    jw_ki64(&w, "exit_code", f->exit_code);
    jw_ki64(&w, "signal", f->signal);
    jw_ki64(&w, "start_ms", f->start_ms);
    jw_ki64(&w, "end_ms", f->end_ms);
    jw_ki64(&w, "duration_ms", f->duration_ms);
    jw_ki64(&w, "cpu_ms", f->cpu_ms);
    jw_ki64(&w, "max_rss_bytes", f->max_rss_bytes);
    jw_kstr(&w, "boot_id", f->boot_id);
    jw_kstr(&w, "host", f->host);
    jw_kstr(&w, "detail", f->detail);
    jw_obj_end(&w);
    buf_putc(out, '\n');
}

static void
text_copy(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text == NULL ? "" : text);
}

static uint32_t
reason_by_name(const char *name)
{
    for (uint32_t r = 1; name != NULL && r < REASON_COUNT; r++) {
        if (strcmp(reason_name(r), name) == 0)
            return r;
    }
    return REASON_NONE;
}

static int
facts_parse(const struct json *j, struct exit_facts *out, struct err *err)
{
    int64_t version = json_get_i64(j, "version", 0);
    if (version > EXIT_VERSION)
        return err_set(err, -ERR_VERSION,
            "exit.json has version %lld, this program reads up to %d: it was "
            "written by a newer rea",
            (long long)version, EXIT_VERSION);
    *out =
        (struct exit_facts){.reason = reason_by_name(json_get_str(j, "reason")),
            .exit_code = (int32_t)json_get_i64(j, "exit_code", 0),
            .signal = (int32_t)json_get_i64(j, "signal", 0),
            .start_ms = json_get_i64(j, "start_ms", 0),
            .end_ms = json_get_i64(j, "end_ms", 0),
            .duration_ms = json_get_i64(j, "duration_ms", 0),
            .cpu_ms = json_get_i64(j, "cpu_ms", 0),
            .max_rss_bytes = json_get_i64(j, "max_rss_bytes", 0)};
    text_copy(out->token, sizeof out->token, json_get_str(j, "token"));
    text_copy(out->boot_id, sizeof out->boot_id, json_get_str(j, "boot_id"));
    text_copy(out->host, sizeof out->host, json_get_str(j, "host"));
    text_copy(out->detail, sizeof out->detail, json_get_str(j, "detail"));
    if (version < 1 || out->reason == REASON_NONE || out->token[0] == '\0')
        return err_set(err, -ERR_CORRUPT,
            "exit.json lacks its version, token or a known reason");
    return 0;
}

int
exit_facts_read(const char *run_dir, struct exit_facts *out, struct err *err)
{
    struct buf path = {0};
    struct err e = {0};
    fs_join(&path, run_dir, "exit.json");
    struct json *j = json_read(buf_str(&path), EXIT_BYTES_MAX, &e);
    int rc = 0;
    if (j == NULL)
        rc = err_set(
            err, e.code == -ERR_INPUT ? -ERR_CORRUPT : e.code, "%s", e.text);
    else
        rc = facts_parse(j, out, err);
    json_free(j);
    buf_fini(&path);
    return rc;
}

uint32_t
report_read(const char *run_dir, const char *token)
{
    struct buf path = {0};
    fs_join(&path, run_dir, "report.json");
    struct json *r = json_read(buf_str(&path), EXIT_BYTES_MAX, NULL);
    buf_fini(&path);
    const char *of = json_get_str(r, "token");
    int64_t rungs =
        of != NULL && strcmp(of, token) == 0 ? json_get_i64(r, "rungs", 0) : 0;
    json_free(r);
    return rungs > 0 && rungs <= RUNGS_MAX ? (uint32_t)rungs : 0;
}
