/* The backend "recorded": jobs that never run. Their outcomes come from a file
 * or a made-up world (docs/job-contract.md), and they end when the clock, a
 * file named by REA_CLOCK, passes their end. For tests, benches and replays of
 * tables of real trials.
 * Invariant: everything is decided at submission and lies in the claim, so
 * that every process and every later poll sees the same. */
#include "jobs/recorded.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "jobs/claim.h"

#define KIND "recorded"

static int64_t
recorded_now_ms(struct jobs *j)
{
    (void)j;
    const char *path = getenv("REA_CLOCK");
    if (path == NULL || path[0] == '\0')
        return fs_now_ms();
    struct buf text = {0};
    int64_t ms = 0;
    if (fs_read(path, 64, &text, NULL) == 0)
        ms = strtoll(buf_str(&text), NULL, 10);
    buf_fini(&text);
    return ms;
}

static int
recorded_open(struct jobs *j, const struct jobs_config *c, struct err *err)
{
    if (c->record == NULL)
        return 0;
    if (!fs_is_file(c->record))
        return err_set(err, -ERR_NOT_FOUND,
            "the record %s is not there: [backend] record names a file of "
            "outcomes",
            c->record);
    j->record = arena_strdup(&j->arena, c->record);
    return 0;
}

/* A claim that is not whole is one whose submission never returned: the power
 * was lost within it. */
static int
recorded_find(
    struct jobs *j, const char *token, struct job_handle *out, struct err *err)
{
    struct claim c = {0};
    struct buf path = {0};
    int rc = claim_find(j, KIND, token, out, err);
    if (rc != 0)
        return rc;
    rc = claim_read(j, token, &c, err);
    claim_fini(&c);
    if (rc != -ERR_CORRUPT)
        return rc;
    claim_path(j, token, &path);
    rc = fs_remove(buf_str(&path), err);
    buf_fini(&path);
    return rc != 0 ? rc
                   : err_set(err, -ERR_NOT_FOUND,
                         "the power was lost before %s was claimed", token);
}

/* Paths must mean the same to later processes, wherever they stand. */
static const char *
absolute_in(struct arena *a, const char *path)
{
    const char *dir;
    if (path == NULL || fs_real_in(a, fs_dir_in(a, path), &dir, NULL) != 0)
        return path;
    return fs_join_in(a, dir, fs_base(path));
}

static void
put_text(struct jw *w, const char *key, const char *text)
{
    jw_kstr(w, key, text == NULL ? "" : text);
}

/* Progress is told by the step here, whatever the project says. */
static void
rungs_put(struct jw *w, const struct rung_reader *r)
{
    if (r == NULL)
        return;
    jw_key(w, "rungs");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->n; i++)
        jw_f64(w, r->rung[i]);
    jw_arr_end(w);
}

static void
claim_put(const struct job_spec *spec, struct arena *a, const char *run_dir,
    int64_t now, const struct outcome *o, struct buf *out)
{
    struct jw w;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "version", 1);
    put_text(&w, "token", spec->token);
    put_text(&w, "run_dir", run_dir);
    put_text(&w, "campaign", env_find(spec->envp, "REA_CAMPAIGN"));
    put_text(&w, "metrics_path", absolute_in(a, spec->metrics_path));
    if (o->checkpoint)
        put_text(&w, "checkpoint_path", absolute_in(a, spec->checkpoint_path));
    jw_ki64(&w, "start_ms", now);
    jw_ki64(&w, "end_ms", now + o->duration_ms);
    put_text(&w, "reason", reason_name(o->reason));
    jw_ki64(&w, "exit_code", o->exit_code);
    jw_ki64(&w, "signal", o->signal);
    jw_ki64(&w, "max_rss_bytes", o->max_rss_bytes);
    put_text(&w, "detail", o->detail);
    put_text(&w, "metrics", buf_str(&o->metrics));
    rungs_put(&w, spec->rungs);
    put_text(&w, "out", buf_str(&o->out));
    put_text(&w, "errors", buf_str(&o->errors));
    jw_obj_end(&w);
    buf_putc(out, '\n');
}

static int
recorded_submit(struct jobs *j, const struct job_spec *spec,
    struct job_handle *out, struct err *err)
{
    if (recorded_find(j, spec->token, out, NULL) == 0)
        return 0;
    struct arena a = {0};
    struct outcome o = {0};
    struct buf text = {0}, path = {0};
    const char *run_dir = NULL;
    int rc = fs_mkdirs(spec->run_dir, err);
    if (rc == 0)
        rc = fs_real_in(&a, spec->run_dir, &run_dir, err);
    if (rc == 0)
        rc = outcome_find(j->record, spec, &o, err);
    if (rc == 0) {
        outcome_limit(spec, &o);
        claim_put(
            spec, &a, run_dir, recorded_now_ms(j) + spec->delay_ms, &o, &text);
        claim_path(j, spec->token, &path);
        rc = file_create(buf_str(&path), &text, CREATED_FIRST, err);
    }
    if (rc >= 0) {
        handle_put(out, KIND, spec->token);
        rc = 0;
    }
    buf_fini(&text);
    buf_fini(&path);
    outcome_fini(&o);
    arena_fini(&a);
    return rc;
}

static int
put_file(const char *run_dir, const char *name, const char *given,
    const char *content, struct err *err)
{
    struct buf path = {0};
    if (given != NULL && given[0] != '\0')
        buf_puts(&path, given);
    else
        fs_join(&path, run_dir, name);
    int rc =
        fs_write_atomic(buf_str(&path), content, strlen(content), true, err);
    buf_fini(&path);
    return rc;
}

/* Clock time of the cancellation, -1: not cancelled. */
static int64_t
cancelled_ms(const char *run_dir)
{
    struct buf path = {0}, text = {0};
    fs_join(&path, run_dir, "cancel");
    int64_t ms = -1;
    if (fs_read(buf_str(&path), 64, &text, NULL) == 0)
        ms = strtoll(buf_str(&text), NULL, 10);
    buf_fini(&path);
    buf_fini(&text);
    return ms;
}

static uint32_t
reason_of(const char *name)
{
    for (uint32_t r = 1; name != NULL && r < REASON_COUNT; r++) {
        if (strcmp(reason_name(r), name) == 0)
            return r;
    }
    return REASON_UNKNOWN;
}

static void
facts_fill(const struct claim *c, int64_t cancel_ms, struct exit_facts *f)
{
    const struct json *r = c->json;
    *f = (struct exit_facts){.reason = reason_of(json_get_str(r, "reason")),
        .exit_code = (int32_t)json_get_i64(r, "exit_code", 0),
        .signal = (int32_t)json_get_i64(r, "signal", 0),
        .start_ms = json_get_i64(r, "start_ms", 0),
        .end_ms = json_get_i64(r, "end_ms", 0),
        .max_rss_bytes = json_get_i64(r, "max_rss_bytes", 0)};
    snprintf(f->token, sizeof f->token, "%s", json_get_str(r, "token"));
    snprintf(f->boot_id, sizeof f->boot_id, "%s", KIND);
    const char *detail = json_get_str(r, "detail");
    snprintf(f->detail, sizeof f->detail, "%s", detail == NULL ? "" : detail);
    if (cancel_ms >= 0) {
        f->reason = REASON_CANCELLED;
        f->exit_code = 0;
        f->signal = 15;
        f->end_ms = cancel_ms;
        if (f->start_ms > cancel_ms) /* it had not begun */
            f->start_ms = cancel_ms;
        snprintf(f->detail, sizeof f->detail, "cancelled");
    }
    f->duration_ms = f->end_ms - f->start_ms;
    f->cpu_ms = f->duration_ms;
}

/* Leaves in the run folder what the job would have left, exit.json last. A
 * second process may do the same: the content is equal. */
static int
files_leave(const struct claim *c, const struct exit_facts *f, struct err *err)
{
    const struct json *r = c->json;
    const char *checkpoint = json_get_str(r, "checkpoint_path");
    int rc = fs_mkdirs(c->run_dir, err);
    if (rc == 0 && f->reason != REASON_CANCELLED)
        rc = put_file(c->run_dir, "metrics.jsonl",
            json_get_str(r, "metrics_path"), json_get_str(r, "metrics"), err);
    if (rc == 0)
        rc = put_file(
            c->run_dir, "stdout.log", NULL, json_get_str(r, "out"), err);
    if (rc == 0)
        rc = put_file(
            c->run_dir, "stderr.log", NULL, json_get_str(r, "errors"), err);
    if (rc == 0 && checkpoint != NULL && checkpoint[0] != '\0')
        rc = put_file(c->run_dir, "", checkpoint, "recorded\n", err);
    struct buf text = {0};
    exit_facts_put(f, &text);
    if (rc == 0)
        rc = put_file(c->run_dir, "exit.json", NULL, buf_str(&text), err);
    buf_fini(&text);
    return rc;
}

/* What a running job has written by now: lines of its metrics evenly over its
 * time, and the report of the rungs that they cross. */
static int
running_leave(const struct claim *c, int64_t now, struct err *err)
{
    const struct json *r = c->json, *rungs = json_get(r, "rungs");
    const char *text = json_get_str(r, "metrics");
    int64_t start = json_get_i64(r, "start_ms", 0);
    int64_t lines = 0, due = 0, crossed = 0;
    if (json_len(rungs) == 0 || text == NULL)
        return 0;
    for (const char *p = text; *p != '\0'; p++)
        lines += *p == '\n';
    int64_t whole = json_get_i64(r, "end_ms", 0) - start;
    due = whole > 0 && now > start ? lines * (now - start) / whole : 0;
    const char *end = text;
    for (int64_t i = 0; i < due && *end != '\0'; i++) {
        struct json *line = json_parse(end, strcspn(end, "\n"), NULL);
        double step = json_get_num(line, "step", (double)(i + 1));
        while (crossed < (int64_t)json_len(rungs) &&
               step >= json_num(json_at(rungs, (size_t)crossed), INFINITY))
            crossed++;
        json_free(line);
        end += strcspn(end, "\n") + 1;
    }
    if (crossed == 0)
        return 0;
    struct buf part = {0}, report = {0};
    struct jw w;
    buf_add(&part, text, (size_t)(end - text));
    jw_init(&w, &report, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "version", 1);
    put_text(&w, "token", json_get_str(r, "token"));
    jw_ki64(&w, "rungs", crossed);
    jw_obj_end(&w);
    int rc = fs_mkdirs(c->run_dir, err);
    if (rc == 0)
        rc = put_file(c->run_dir, "metrics.jsonl",
            json_get_str(r, "metrics_path"), buf_str(&part), err);
    if (rc == 0)
        rc = put_file(c->run_dir, "report.json", NULL, buf_str(&report), err);
    buf_fini(&part);
    buf_fini(&report);
    return rc;
}

static int
claim_poll(struct jobs *j, const struct claim *c, struct job_status *out,
    struct err *err)
{
    int64_t end = json_get_i64(c->json, "end_ms", 0);
    int64_t cancel = cancelled_ms(c->run_dir);
    if (cancel >= end)
        cancel = -1; /* it had ended before */
    out->start_ms = json_get_i64(c->json, "start_ms", 0);
    if (cancel < 0 && recorded_now_ms(j) < end) {
        out->state = JOB_STATE_RUNNING;
        return running_leave(c, recorded_now_ms(j), err);
    }
    out->state = JOB_STATE_DONE;
    facts_fill(c, cancel, &out->exit);
    struct exit_facts there;
    if (exit_facts_read(c->run_dir, &there, NULL) == 0 &&
        strcmp(there.token, out->exit.token) == 0)
        return 0;
    return files_leave(c, &out->exit, err);
}

static int
recorded_poll(struct jobs *j, const struct job_handle *h,
    struct job_status *out, struct err *err)
{
    const char *token;
    struct claim c = {0};
    int rc = handle_token(h, KIND, &token, err);
    if (rc != 0)
        return rc;
    rc = claim_read(j, token, &c, err);
    if (rc == -ERR_NOT_FOUND) {
        snprintf(out->why, sizeof out->why, "no job claimed %s", token);
        rc = 0;
    } else if (rc == 0) {
        rc = claim_poll(j, &c, out, err);
    }
    claim_fini(&c);
    return rc;
}

static int
recorded_cancel(struct jobs *j, const struct job_handle *h, struct err *err)
{
    const char *token;
    struct claim c = {0};
    struct buf mark = {0}, text = {0};
    int rc = handle_token(h, KIND, &token, err);
    if (rc != 0)
        return rc;
    rc = claim_read(j, token, &c, err);
    if (rc == 0) {
        fs_join(&mark, c.run_dir, "cancel");
        buf_printf(&text, "%lld\n", (long long)recorded_now_ms(j));
        rc = file_create(buf_str(&mark), &text, CREATED_WHOLE, err);
    }
    buf_fini(&mark);
    buf_fini(&text);
    claim_fini(&c);
    return rc < 0 && rc != -ERR_NOT_FOUND ? rc : 0;
}

const struct jobs_ops jobs_recorded = {
    .name = KIND,
    .caps = {.survives_us = true,
        .limits_time = true,
        .elsewhere = true,
        .own_clock = true},
    .open = recorded_open,
    .submit = recorded_submit,
    .find = recorded_find,
    .poll = recorded_poll,
    .cancel = recorded_cancel,
    .logs = claim_logs,
    .now_ms = recorded_now_ms,
};
