/* Jobs in: every job in flight is asked after; one that has ended becomes a
 * fact with its cost, reason and metrics, the sealed ones going to their own
 * table. Called at the start of each round. All ends of a round are committed
 * at once, in the order of the jobs, so that a crash cannot change the order
 * in which the engine sees them. */
#include "wake/part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jobs/signature.h"
#include "patch/spec.h"

struct ended {
    const struct job *job;
    struct store_attempt *attempt;
    const struct exit_facts *facts;
    struct run_files files;
    uint32_t n_values;
    struct harvest_value value[METRICS_MAX];
    struct rung_reader rungs; /* n = 0: none are read */
    char detail[DETAIL_LEN];
    uint32_t reason;
};

static uint32_t
reason_by_code(const struct project *p, int32_t code)
{
    switch (project_exit(p, code)) {
    case EXIT_MEANS_OK:
        return REASON_OK;
    case EXIT_MEANS_PREEMPTED:
        return REASON_PREEMPTED;
    case EXIT_MEANS_DIVERGED:
        return REASON_DIVERGED;
    case EXIT_MEANS_OOM:
        return REASON_OOM;
    case EXIT_MEANS_NODE:
        return REASON_NODE_FAIL;
    default:
        return REASON_EXIT;
    }
}

/* An exit code alone never says success or failure: the metrics have a word. */
static void
reason_fill(struct wake *w, struct ended *x)
{
    const struct spec *s = &w->core->spec;
    x->reason = x->facts->reason;
    snprintf(x->detail, sizeof x->detail, "%s", x->facts->detail);
    if (x->reason == REASON_EXIT && jobs_are_boxed(w) &&
        x->facts->exit_code == SANDBOX_FAILED) {
        x->reason = REASON_LAUNCH_FAIL;
        box_why(w, x->attempt->run_dir, x->detail, sizeof x->detail);
        return;
    }
    if (x->reason == REASON_EXIT)
        x->reason = reason_by_code(w->project, x->facts->exit_code);
    if (x->reason != REASON_OK || x->job->kind != JOB_TRAIN)
        return;
    for (uint32_t m = 0; m < s->n_metrics; m++) {
        if (s->metric[m].role == METRIC_SEALED)
            continue;
        if (x->value[m].diverged || x->value[m].spike) {
            x->reason = x->value[m].diverged ? REASON_NAN : REASON_SPIKE;
            snprintf(x->detail, sizeof x->detail, "%s %s", s->metric[m].name,
                x->value[m].diverged ? "was not finite" : "jumped");
            return;
        }
    }
    if (!x->value[s->primary].has) {
        x->reason = REASON_NO_METRIC;
        const struct metric_source *m = &w->project->harvest.source[s->primary];
        bool key = m->key[0] != '\0';
        snprintf(x->detail, sizeof x->detail,
            "exit 0, but nothing was found for %s: no %s \"%s\" in %s",
            s->metric[s->primary].name, key ? "key" : "line like",
            key ? m->key : m->pattern,
            key ? "the metrics file" : "its output (rea check helps)");
    }
}

/* The log's tail against the runbook's signatures, the engineer's own rules
 * first. -ERR_SYS: a disk that fails; a later look may find what it hid, and
 * with it another remedy. */
static int
signature_fill(
    struct wake *w, const struct ended *x, struct fact *f, struct err *err)
{
    struct buf log = {0};
    struct job_handle h;
    struct signature_hit hit = {0};
    struct signature_book *book = NULL;
    const char *own = w->project->runbook;
    if (x->reason == REASON_OK || x->reason == REASON_CANCELLED)
        return 0;
    if (own != NULL)
        own = fs_join_in(&w->arena, store_root(w->st), own);
    snprintf(h.text, sizeof h.text, "%s", x->attempt->handle);
    int rc = job_logs(&w->jobs, &h, LOG_TAIL_BYTES, &log, err);
    if (rc == 0)
        rc = signature_book_new(own, &book, err);
    if (rc != 0 && rc != -ERR_SYS && log.len > 0)
        rc = signature_book_new(NULL, &book, err);
    if (rc == 0 &&
        signature_book_match(book, buf_str(&log), log.len, &hit) == 0 &&
        hit.rule != NULL) {
        f->e.n = (uint32_t)hit.rule->class;
        f->e.key = arena_strdup(&w->arena, hit.rule->id);
        f->e.evidence = arena_strdup(&w->arena, hit.line);
        f->fault.sure = hit.rule->rank >= RANK_SPECIFIC;
    }
    signature_book_free(book);
    buf_fini(&log);
    return rc == -ERR_SYS ? rc : 0;
}

static void
measures_fill(struct wake *w, const struct ended *x, struct fact *f)
{
    const struct spec *s = &w->core->spec;
    bool evaluation = x->job->kind == JOB_EVALUATE;
    for (uint32_t m = 0; m < s->n_metrics; m++) {
        const struct harvest_value *v = &x->value[m];
        if (!v->has && !v->nan)
            continue;
        double value = v->has ? v->value : (double)NAN;
        if (s->metric[m].role == METRIC_SEALED) {
            if (evaluation == s->has_evaluate)
                f->sealed[f->n_sealed++] =
                    (struct sealed_value){x->job->trial, m, value};
        } else if (!evaluation) {
            f->e.measure[f->e.n_measures++] = (struct measure){m, value};
        }
    }
}

static int64_t
cost_of(const struct wake *w, const struct ended *x)
{
    const struct project *p = w->project;
    const struct job *j = x->job;
    const char *name = p->budget.cost_metric;
    int m = name != NULL ? spec_metric(&w->core->spec, name) : -1;
    if (m >= 0 && x->value[m].has && x->value[m].value >= 0) {
        double u = x->value[m].value * MICRO;
        return u < (double)j->reserve_u ? (int64_t)u : j->reserve_u;
    }
    return project_charge_u(p, w->core->trial[j->trial - 1].phase,
        x->facts->duration_ms, j->reserve_u, j->kind == JOB_EVALUATE,
        j->resume);
}

/* The machine is to blame: by the scheduler's word, or by what was printed. On
 * this machine alone there is no other to go to. */
static void
fault_fill(struct wake *w, const struct ended *x, struct fact *f)
{
    const struct project *p = w->project;
    bool printed = f->e.n == 'B' &&
                   (x->reason == REASON_EXIT || x->reason == REASON_SIGNAL ||
                       x->reason == REASON_UNKNOWN);
    if (x->facts->host[0] == '\0' || p->backend.quarantine_ms == 0 ||
        p->backend.kind == BACKEND_LOCAL ||
        (!printed && x->reason != REASON_NODE_FAIL))
        return;
    f->fault.host = x->facts->host;
    f->fault.campaign = w->row.id;
    f->fault.trial = x->job->trial;
    f->fault.sure = f->fault.sure && printed;
    f->fault.at_ms = f->e.at_ms;
    f->fault.out_ms = p->backend.quarantine_ms;
    f->fault.why = printed ? f->e.evidence : x->detail;
}

static void
attempt_end(const struct ended *x, const struct fact *f)
{
    struct store_attempt *a = x->attempt;
    a->state = ATTEMPT_ENDED;
    a->started_ms = x->facts->start_ms;
    a->ended_ms = x->facts->end_ms > 0 ? x->facts->end_ms : f->e.at_ms;
    a->duration_ms = x->facts->duration_ms;
    a->max_rss = x->facts->max_rss_bytes;
    a->cost_u = f->e.cost_u;
    a->reason = x->reason;
    a->exit_code = x->facts->exit_code;
    a->signal = x->facts->signal;
    snprintf(a->detail, sizeof a->detail, "%s", x->detail);
}

static int
paths_in(struct wake *w, const char *run_dir, struct harvest_paths *out,
    struct run_files *files, struct err *err)
{
    const char *root = store_root(w->st);
    int rc = run_files_in(
        &w->arena, fs_join_in(&w->arena, root, run_dir), files, err);
    if (rc != 0)
        return rc;
    out->path[HARVEST_FILE] = fs_join_in(&w->arena, root, files->metrics);
    /* a confined job's links lead where it could not look */
    if (jobs_are_boxed(w) && !fs_is_plain(out->path[HARVEST_FILE]))
        out->path[HARVEST_FILE] = "/dev/null";
    out->path[HARVEST_STDOUT] = fs_join_in(&w->arena, root, files->out);
    out->path[HARVEST_STDERR] = fs_join_in(&w->arena, root, files->errors);
    return 0;
}

static void
on_rung(void *arg, uint32_t metric, double step, double value, uint32_t flags)
{
    (void)flags;
    rungs_take(arg, metric, step, value);
}

/* The part of the run before attempt *k, which files are of; then of that. Of
 * an attempt that ran away it ends where the good checkpoint was written. */
static int
part_before(struct wake *w, uint32_t trial, uint32_t *k,
    struct harvest_paths *out, struct run_files *files, struct err *err)
{
    char dir[STORE_PATH_LEN];
    struct good_mark good;
    bool back = files->good_attempt > 0 && files->good_attempt < *k;
    *k = back ? files->good_attempt : *k - 1;
    run_dir_name(w->row.id, trial, *k, dir);
    int rc = paths_in(w, dir, out, files, err);
    if (rc != 0 || !back)
        return rc;
    (void)good_read(w, dir, &good); /* its bytes may have changed since */
    out->cut = true;
    memcpy(out->upto, good.at, sizeof out->upto);
    return 0;
}

/* What a resumed attempt measured is what the whole run measured: the best
 * step may lie before the interruption, and an attempt that had nothing left
 * to do prints nothing. Its own cost stays its own, and what made an earlier
 * attempt fail does not make this one fail. */
static int
values_fill(struct wake *w, struct ended *x, struct err *err)
{
    enum { CHAIN_MAX = 64 };
    const struct harvest_spec *s = &w->project->harvest;
    struct harvest_paths part[CHAIN_MAX] = {0};
    struct harvest_value all[METRICS_MAX];
    struct run_files files;
    size_t at = CHAIN_MAX - 1;
    const char *name = w->project->budget.cost_metric;
    int cost = name != NULL ? spec_metric(&w->core->spec, name) : -1;
    int rc = paths_in(w, x->attempt->run_dir, &part[at], &x->files, err);
    if (rc == 0)
        rc = harvest_chain(s, &part[at], 1, NULL, NULL, x->value, err);
    files = x->files;
    for (uint32_t k = x->job->attempt;
         rc == 0 && files.resume && k > 1 && at > 0;)
        rc = part_before(w, x->job->trial, &k, &part[--at], &files, err);
    bool curve =
        x->job->kind == JOB_TRAIN && project_rungs(w->project, &x->rungs);
    if (rc != 0 || (at == CHAIN_MAX - 1 && !curve))
        return rc;
    rc = harvest_chain(
        s, &part[at], CHAIN_MAX - at, on_rung, &x->rungs, all, err);
    for (uint32_t m = 0;
         rc == 0 && at < CHAIN_MAX - 1 && m < w->core->spec.n_metrics; m++)
        if ((int)m != cost && !all[m].nan && !all[m].spike)
            x->value[m] = all[m];
    return rc;
}

static void
curve_put(const struct ended *x, struct fact *f)
{
    f->e.n_curve = x->rungs.n_values;
    memcpy(f->e.curve, x->rungs.value,
        x->rungs.n_values * sizeof x->rungs.value[0]);
}

/* A job that still runs may have crossed a rung since the last look. */
static int
reported_fact(struct wake *w, const struct job *j, struct store_attempt *a,
    struct fact_list *l, struct err *err)
{
    const struct trial *t = &w->core->trial[j->trial - 1];
    const struct spec *s = &w->core->spec;
    if (!s->stops || j->kind != JOB_TRAIN || j->cancelled)
        return 0;
    const char *dir = fs_join_in(&w->arena, store_root(w->st), a->run_dir);
    if (report_read(dir, a->token) <= t->seen)
        return 0;
    struct ended *x = arena_alloc(&w->arena, sizeof *x);
    *x = (struct ended){.job = j, .attempt = a};
    int rc = project_need(w, err);
    if (rc == 0 && values_fill(w, x, NULL) != 0)
        return 0; /* not readable now: the end will tell */
    bool news = false;
    for (uint32_t i = 0; i < x->rungs.n_values; i++)
        news = news || isnan(t->rung[x->rungs.value[i].rung]);
    if (rc != 0 || !news)
        return rc;
    struct fact *f = fact_new(w, EVENT_job_reported);
    f->e.job = j->id;
    f->e.trial = j->trial;
    curve_put(x, f);
    fact_add(w, l, f);
    return 0;
}

/* Nothing that the job did to its files is in the way of reading them. */
static bool
files_are_sound(struct wake *w, const struct run_files *f)
{
    const char *path[] = {f->metrics, f->out, f->errors};
    bool sound = true;
    for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
        const char *full = fs_join_in(&w->arena, store_root(w->st), path[i]);
        sound = sound && (!fs_exists(full) ||
                             (fs_is_file(full) && access(full, R_OK) == 0));
    }
    return sound;
}

/* What an end left behind and a remedy goes by. */
static int
traces_fill(
    struct wake *w, const struct ended *x, struct fact *f, struct err *err)
{
    const struct job *j = x->job;
    struct good_mark good;
    uint32_t of = 0;
    int64_t at;
    int rc = fs_mtime_look(
        fs_join_in(&w->arena, store_root(w->st), x->files.checkpoint), &at,
        err);
    f->e.has_checkpoint = at >= 0;
    if (rc == 0 && x->reason != REASON_OK && j->kind == JOB_TRAIN)
        rc =
            good_find(w, j->trial, j->attempt, &f->e.has_good, &of, &good, err);
    if (rc == 0)
        rc = signature_fill(w, x, f, err);
    if (rc == 0)
        fault_fill(w, x, f);
    return rc;
}

static int
ended_fact(struct wake *w, const struct job *j, struct store_attempt *a,
    const struct exit_facts *facts, struct fact_list *l, struct err *err)
{
    struct err unread = {0};
    struct ended *x = arena_alloc(&w->arena, sizeof *x);
    *x = (struct ended){.job = j, .attempt = a, .facts = facts};
    int rc = project_need(w, err);
    if (rc != 0)
        return rc;
    rc = values_fill(w, x, &unread);
    if (rc == -ERR_SYS &&
        (x->files.metrics == NULL || files_are_sound(w, &x->files)))
        return err_set(err, rc,
            "%.300s: the next wake reads it again; to settle J%u without it, "
            "remove that file",
            unread.text, j->id);
    reason_fill(w, x);
    if (rc != 0) /* then the job has no metrics: it must still be settled */
        snprintf(x->detail, sizeof x->detail, "%.239s", unread.text);
    struct fact *f = fact_new(w, EVENT_job_ended);
    f->e.job = j->id;
    f->e.trial = j->trial;
    f->e.attempt = j->attempt;
    f->e.job_kind = j->kind;
    f->e.reason = x->reason;
    f->e.exit_code = facts->exit_code;
    f->e.signal = facts->signal;
    f->e.duration_ms = facts->duration_ms;
    f->e.cost_u = cost_of(w, x);
    if (x->detail[0] != '\0')
        f->e.why = arena_strdup(&w->arena, x->detail);
    measures_fill(w, x, f);
    curve_put(x, f);
    rc = traces_fill(w, x, f, err);
    if (rc != 0)
        return rc;
    attempt_end(x, f);
    f->attempt = a;
    f->token = a->token;
    fact_add(w, l, f);
    return 0;
}

/* A claim is not synced when a job starts: the job itself ends with the power.
 * So one of an earlier boot that nobody knows of has ended with it. Among
 * several hosts the boot may be another machine's, whose claim a shared folder
 * shows a little later. */
static bool
claim_is_lost(const struct wake *w, const struct store_attempt *a,
    const struct job_status *status)
{
    enum { SEEN_MS = 10 * 60 * 1000 };
    if (store_has_hosts(w->st) && wake_now_ms() - a->submitted_ms < SEEN_MS)
        return false;
    return status->state == JOB_STATE_UNKNOWN &&
           strcmp(a->backend, "local") == 0 && a->boot_id[0] != '\0' &&
           w->boot_id[0] != '\0' && strcmp(a->boot_id, w->boot_id) != 0;
}

static void
claim_lost_end(const struct store_attempt *a, struct job_status *status)
{
    struct exit_facts *f = &status->exit;
    status->state = JOB_STATE_DONE;
    *f = (struct exit_facts){.reason = REASON_NODE_FAIL,
        .start_ms = a->submitted_ms,
        .end_ms = a->submitted_ms};
    snprintf(f->token, sizeof f->token, "%s", a->token);
    snprintf(f->boot_id, sizeof f->boot_id, "%s", a->boot_id);
    snprintf(f->detail, sizeof f->detail,
        "the machine was started again before its claim was on disk");
}

/* An intent that the engine calls submitted has its attempt's row: both were
 * written at once. */
static int
job_reconcile(
    struct wake *w, const struct job *j, struct fact_list *l, struct err *err)
{
    bool found = false;
    struct job_handle h;
    struct job_status *status = arena_alloc(&w->arena, sizeof *status);
    struct store_attempt *a = arena_alloc(&w->arena, sizeof *a);
    int rc = store_attempt_get(w->st, w->row.id, j->id, &found, a, err);
    if (rc != 0)
        return rc;
    if (!found)
        return err_set(err, -ERR_CORRUPT,
            "J%u of C%u is in flight, but its attempt is not in the books",
            j->id, w->row.id);
    rc = backend_need(w, a->backend, err);
    if (rc != 0)
        return rc;
    snprintf(h.text, sizeof h.text, "%s", a->handle);
    rc = job_poll(&w->jobs, &h, status, err);
    if (rc == 0 && claim_is_lost(w, a, status))
        claim_lost_end(a, status);
    if (rc == 0 && status->state == JOB_STATE_RUNNING)
        return reported_fact(w, j, a, l, err);
    if (rc != 0 || status->state != JOB_STATE_DONE)
        return rc;
    return ended_fact(w, j, a, &status->exit, l, err);
}

int
jobs_reconcile(struct wake *w, struct err *err)
{
    struct fact_list l = {0};
    struct err first = {0};
    int failed = 0;
    for (uint32_t i = 0; i < w->core->n_jobs; i++) {
        const struct job *j = &w->core->job[i];
        if (!j->submitted)
            continue;
        int rc = job_reconcile(w, j, &l, &first);
        /* One that can't be asked does not hold up the others; but a disk that
         * fails once must not change the order in which they end. */
        if (rc == -ERR_SYS || rc == -ERR_FULL)
            rc = job_reconcile(w, j, &l, &first);
        failed = failed != 0 ? failed : rc;
    }
    if (l.n > 0) {
        w->claims_too = !w->opts->no_submit && gates_are_open(w);
        int rc = wake_commit(w, &l, err);
        w->claims_too = false;
        if (rc != 0)
            return rc;
        /* Only now may the claims go: the ends are on disk. */
        for (size_t i = 0; i < l.n; i++) {
            if (l.fact[i]->e.kind != EVENT_job_ended)
                continue;
            w->out->ended++;
            w->freed = true;
            job_forget(&w->jobs, l.fact[i]->token, NULL);
        }
    }
    return failed != 0 ? err_set(err, failed, "%s", first.text) : 0;
}
