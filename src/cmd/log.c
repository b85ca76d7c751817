/* rea log: the narrative of a campaign, or the output of a job as it stands in
 * its run folder; -f follows both. Until confirmation has opened the seal,
 * sealed values are masked in what a job printed. */
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/redact.h"
#include "cmd/mask.h"
#include "report/load.h"

enum { LOG_LINES = 22, LOG_TAIL = 64 * 1024, FOLLOW_MS = 500 };

/* ---- the narrative ---- */

static void
line_put(struct buf *out, const struct report_line *l)
{
    buf_printf(out, "%s\n", l->text);
}

static void
line_json(struct jw *w, const struct report_line *l)
{
    jw_obj_begin(w);
    jw_ki64(w, "seq", (int64_t)l->seq);
    jw_ki64(w, "at_ms", l->at_ms);
    jw_kstr(w, "event", event_name(l->kind));
    jw_kbool(w, "decision", l->decision);
    jw_kstr(w, "text", l->text);
    jw_kstr(w, "why", l->why);
    jw_obj_end(w);
}

static void
lines_json(struct call *call, const struct report *r)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "campaign");
    jw_printf(&w, "C%u", r->campaign);
    jw_key(&w, "lines");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < r->lines.n; i++)
        line_json(&w, &r->lines.v[i]);
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

static bool
campaign_over(const struct core *c)
{
    return c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED;
}

/* Prints lines after *seen as they come, until the campaign is over. */
static int
lines_follow(
    struct store *st, uint32_t campaign, uint64_t seen, struct err *err)
{
    for (;;) {
        struct report *r = report_load(st, campaign, err);
        struct buf b = {0};
        if (r == NULL)
            return err->code;
        for (uint32_t i = 0; i < r->lines.n; i++) {
            if (r->lines.v[i].seq <= seen)
                continue;
            line_put(&b, &r->lines.v[i]);
            seen = r->lines.v[i].seq;
        }
        bool over = campaign_over(r->core);
        report_free(r);
        bool gone = fwrite(buf_str(&b), 1, b.len, stdout) != b.len ||
                    fflush(stdout) != 0;
        buf_fini(&b);
        if (over || gone)
            return 0;
        usleep(FOLLOW_MS * 1000);
    }
}

static int
log_campaign(
    struct call *call, struct store *st, uint32_t campaign, struct err *err)
{
    struct report *r = report_load(st, campaign, err);
    if (r == NULL)
        return err->code;
    uint32_t n = r->lines.n, from = 0;
    if (call->json) {
        lines_json(call, r);
    } else {
        if (!call_has(call, "all") && n > LOG_LINES)
            from = n - LOG_LINES;
        if (from > 0)
            say(call, "... %u earlier lines (--all)\n", from);
        for (uint32_t i = from; i < n; i++)
            line_put(&call->out, &r->lines.v[i]);
        call_next(call, "rea why H1    rea log T1");
    }
    uint64_t seen = n > 0 ? r->lines.v[n - 1].seq : 0;
    report_free(r);
    if (!call_has(call, "follow") || call->json)
        return 0;
    fwrite(buf_str(&call->out), 1, call->out.len, stdout);
    buf_clear(&call->out);
    return lines_follow(st, campaign, seen, err);
}

/* ---- the output of a job ---- */

struct attempt_pick {
    uint32_t trial, job;
    struct store_attempt best;
    bool found;
};

static int
attempt_pick(void *ctx, const struct store_attempt *a)
{
    struct attempt_pick *p = ctx;
    bool hit = p->job != 0 ? a->job == p->job : a->trial == p->trial;
    if (hit && (p->job != 0 || a->job_kind == JOB_TRAIN || !p->found)) {
        p->best = *a;
        p->found = true;
    }
    return 0;
}

/* Appends what the file has from *at on; whole lines only unless `all`. */
static void
file_put(const char *path, size_t *at, bool all, const struct mask *m,
    struct buf *out)
{
    struct buf b = {0};
    if (fs_read(path, 0, &b, NULL) == 0 && b.len > *at) {
        size_t end = b.len;
        while (!all && end > *at && b.data[end - 1] != '\n')
            end--;
        mask_put(m, b.data + *at, end - *at, out);
        *at = end;
    }
    buf_fini(&b);
}

/* What a job printed, as a terminal may see it. */
static void
text_show(const char *s, size_t n, struct buf *out)
{
    struct buf b = {0};
    redact_put(s, n, &b);
    plain_put(buf_str(&b), b.len, out);
    buf_fini(&b);
}

static void
file_tail(struct call *call, const char *path, const char *title,
    const struct mask *m)
{
    int64_t size = fs_size(path);
    if (size <= 0)
        return;
    struct buf b = {0};
    size_t at = 0, lines = 0;
    file_put(path, &at, true, m, &b);
    size_t from = b.len > LOG_TAIL ? b.len - LOG_TAIL : 0;
    for (size_t i = b.len; i-- > from && !call_has(call, "all");) {
        if (b.data[i] == '\n' && ++lines > 8) {
            from = i + 1;
            break;
        }
    }
    if (call_has(call, "all"))
        from = 0;
    say(call, "-- %s%s\n", title, from > 0 ? " (end)" : "");
    text_show(b.data + from, b.len - from, &call->out);
    if (b.len > 0 && b.data[b.len - 1] != '\n')
        say(call, "\n");
    buf_fini(&b);
}

static void
file_json(
    struct jw *w, const char *path, const char *title, const struct mask *m)
{
    struct buf b = {0};
    size_t at = 0;
    file_put(path, &at, true, m, &b);
    size_t from = b.len > LOG_TAIL ? b.len - LOG_TAIL : 0;
    jw_key(w, title);
    struct buf shown = {0};
    text_show(buf_str(&b) + from, b.len - from, &shown);
    jw_strn(w, buf_str(&shown), shown.len);
    buf_fini(&shown);
    buf_fini(&b);
}

static const char *const log_files[] = {
    "stdout.log", "stderr.log", "metrics.jsonl", "work/metrics.jsonl", NULL};

/* In the folder that is a confined job's own, a link leads where it likes. */
static const char *
log_path(struct arena *a, const char *dir, const char *name)
{
    const char *path = fs_join_in(a, dir, name);
    bool own = strncmp(name, "work/", 5) == 0;
    return own && !fs_is_plain(path) ? "/dev/null" : path;
}

static int
log_follow(struct store *st, const struct store_attempt *a, const char *dir,
    const struct mask *m, struct arena *arena, struct err *err)
{
    size_t at[sizeof log_files / sizeof *log_files] = {0};
    for (;;) {
        struct store_attempt now;
        bool found = false;
        int rc = store_attempt_get(st, a->campaign, a->job, &found, &now, err);
        bool over = rc != 0 || !found || now.state == ATTEMPT_ENDED;
        for (int i = 0; log_files[i] != NULL; i++) {
            struct buf b = {0};
            file_put(log_path(arena, dir, log_files[i]), &at[i], over, m, &b);
            struct buf shown = {0};
            text_show(buf_str(&b), b.len, &shown);
            fwrite(buf_str(&shown), 1, shown.len, stdout);
            buf_fini(&shown);
            buf_fini(&b);
        }
        if (fflush(stdout) != 0 || over)
            return rc;
        usleep(FOLLOW_MS * 1000);
    }
}

static void
log_attempt(struct call *call, const struct store_attempt *a, const char *dir,
    const struct mask *m)
{
    struct jw w;
    if (!call->json) {
        say(call, "T%u attempt %u, J%u: %s\n", a->trial, a->attempt, a->job,
            a->run_dir);
        for (int i = 0; log_files[i] != NULL; i++)
            file_tail(call, log_path(call->arena, dir, log_files[i]),
                log_files[i], m);
        call_next(call, "rea why T%u", a->trial);
        return;
    }
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "trial");
    jw_printf(&w, "T%u", a->trial);
    jw_key(&w, "job");
    jw_printf(&w, "J%u", a->job);
    jw_ki64(&w, "attempt", a->attempt);
    jw_kstr(&w, "run_dir", a->run_dir);
    for (int i = 0; log_files[i] != NULL; i++)
        file_json(
            &w, log_path(call->arena, dir, log_files[i]), log_files[i], m);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
log_job(struct call *call, struct store *st, const struct report_id *id,
    struct err *err)
{
    struct attempt_pick p = {.trial = id->kind == 'T' ? id->number : 0,
        .job = id->kind == 'J' ? id->number : 0};
    struct mask m;
    struct core *c = NULL;
    struct project *project = NULL;
    int rc = store_attempts(st, id->campaign, false, attempt_pick, &p, err);
    if (rc == 0 && !p.found)
        rc = err_set(err, -ERR_NOT_FOUND,
            "%c%u has no attempt (yet)\n  remedy: rea show %c%u", id->kind,
            id->number, id->kind, id->number);
    if (rc == 0)
        rc = store_load(st, id->campaign, &c, err);
    if (rc == 0)
        rc = work_project(call, st, id->campaign, &project, err);
    if (rc != 0) {
        free(c);
        return rc;
    }
    mask_init(&m, project, c, p.best.trial);
    free(c);
    const char *dir = fs_join_in(call->arena, store_root(st), p.best.run_dir);
    if (call_has(call, "follow") && !call->json)
        rc = log_follow(st, &p.best, dir, &m, call->arena, err);
    else
        log_attempt(call, &p.best, dir, &m);
    mask_fini(&m);
    return rc;
}

static int
log_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct report_id id = {.kind = 'C'};
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0 && call->n_args > 0)
        rc = work_part(call, st, call->args[0], &id, err);
    else if (rc == 0)
        rc = work_campaign(call, st, NULL, &id.campaign, err);
    if (rc == 0 && id.kind == 'C')
        rc = log_campaign(call, st, id.campaign, err);
    else if (rc == 0 && (id.kind == 'T' || id.kind == 'J'))
        rc = log_job(call, st, &id, err);
    else if (rc == 0)
        rc = err_set(err, -ERR_INPUT,
            "%s has no log of its own\n  remedy: rea why %s", call->args[0],
            call->args[0]);
    store_close(st);
    return rc;
}

static const struct cmd_opt log_opts[] = {
    {"follow", 'f', NULL, "go on as it grows, until it ends"},
    {"all", 0, NULL, "from the beginning"}, {0}};

const struct cmd cmd_log = {.name = "log",
    .args = "[C|T|J]",
    .max_args = 1,
    .flags = CMD_STREAMS,
    .help = "the narrative of a campaign, the output of a job",
    .more = "Sealed values stay masked (######) until confirmation has opened "
            "them; those of trials that it did not open stay masked for good.",
    .example = "rea log T12 -f",
    .opts = log_opts,
    .run = log_run};
