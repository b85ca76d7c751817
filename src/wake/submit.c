/* Jobs out: a slot of the machine is claimed and committed, then the backend
 * is asked, then its handle is committed. Called by a round of a wake. A crash
 * between any two of these is mended by doing the same again: a claim is got
 * twice, a token starts one job only. */
#include "wake/callback.h"
#include "wake/part.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"

uint32_t
machine_slots(const struct project *p)
{
    if (p->backend.slots > 0)
        return p->backend.slots;
    if (p->backend.kind == BACKEND_RECORDED)
        return RECORDED_SLOTS;
    if (p->backend.kind == BACKEND_COMMAND || p->backend.kind == BACKEND_SLURM)
        return SCHEDULER_SLOTS;
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    double slots = (double)(n > 0 ? n : 1) / project_cpus_most(p);
    return slots < 1 ? 1 : (uint32_t)slots;
}

static const char *
backend_name(const struct project *p)
{
    return p->backend.kind == BACKEND_RECORDED  ? "recorded"
           : p->backend.kind == BACKEND_COMMAND ? "command"
           : p->backend.kind == BACKEND_SLURM   ? "slurm"
                                                : "local";
}

/* NULL: the project has another backend by now, and a job in flight is asked
 * after as it was submitted. */
static const struct jobs_scheduler *
scheduler_of(struct wake *w, const char *kind)
{
    const struct project *p = w->project;
    struct jobs_scheduler *c = arena_alloc(&w->arena, sizeof *c);
    if (strcmp(backend_name(p), kind) != 0)
        return NULL;
    *c = project_scheduler(p, w->row.model);
    return c;
}

int
backend_need(struct wake *w, const char *kind, struct err *err)
{
    if (w->jobs_are_open)
        return strcmp(w->jobs.ops->name, kind) == 0
                   ? 0
                   : err_set(err, -ERR_INPUT,
                         "jobs of C%u are on two backends, %s and %s: let the "
                         "old ones end first",
                         w->row.id, w->jobs.ops->name, kind);
    int rc = 0;
    if (strcmp(kind, "local") != 0)
        rc = project_need(w, err);
    if (rc != 0)
        return rc;
    const struct project *p = w->project;
    struct jobs_config c = {.kind = kind,
        .jobs_dir = fs_join_in(&w->arena, store_dir(w->st), "jobs")};
    if (strcmp(kind, "recorded") == 0 && p->backend.record != NULL)
        c.record = fs_join_in(&w->arena, store_root(w->st), p->backend.record);
    if (strcmp(kind, "command") == 0 || strcmp(kind, "slurm") == 0)
        c.scheduler = scheduler_of(w, kind);
    rc = jobs_open(&w->jobs, &c, err);
    if (rc != 0) {
        jobs_close(&w->jobs);
        return rc;
    }
    w->jobs_are_open = true;
    return 0;
}

/* The command that a job's supervisor runs at its end. */
static const char *const *
wake_command(struct wake *w)
{
    static const char *const nobody[] = {NULL};
    const char *program = w->opts->program;
    if (program == NULL) {
        char path[STORE_PATH_LEN];
        ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
        if (n <= 0)
            return nobody;
        path[n] = '\0';
        program = arena_strdup(&w->arena, path);
    }
    if (program[0] == '\0')
        return nobody;
    const char **argv = arena_alloc(&w->arena, 9 * sizeof *argv);
    argv[0] = program;
    argv[1] = "-q";
    argv[2] = "-C";
    argv[3] = arena_strdup(&w->arena, store_root(w->st));
    argv[4] = "wake";
    argv[5] = arena_printf(&w->arena, "C%u", w->row.id);
    if (w->project->backend.callback != NULL) {
        argv[6] = "--via";
        argv[7] = w->project->backend.callback;
    }
    return argv;
}

struct start {
    const struct job *job;
    struct store_attempt *attempt;
};

static void
attempt_fill(struct wake *w, const struct job *j, struct store_attempt *a)
{
    const struct trial *t = &w->core->trial[j->trial - 1];
    *a = (struct store_attempt){.campaign = w->row.id,
        .job = j->id,
        .trial = j->trial,
        .attempt = j->attempt,
        .phase = t->phase,
        .job_kind = j->kind,
        .state = ATTEMPT_CLAIMED,
        .resume = j->resume,
        .claimed_ms = wake_now_ms()};
    store_token(w->st, w->row.id, j->id, a->token);
    snprintf(a->backend, sizeof a->backend, "%s", backend_name(w->project));
    snprintf(a->boot_id, sizeof a->boot_id, "%s", w->boot_id);
    run_dir_name(w->row.id, j->trial, j->attempt, a->run_dir);
}

/* Fewer running jobs go first; of one pool, the trial that is worth more. */
static bool
goes_first(struct wake *w, const struct store_campaign *other,
    const struct store_campaign *mine)
{
    char a[NAME_LEN], b[NAME_LEN];
    double theirs = store_pool_value(w->st, other->id, a);
    double own = store_pool_value(w->st, mine->id, b);
    if (a[0] != '\0' && strcmp(a, b) == 0)
        return theirs > own;
    return other->running < mine->running;
}

/* Is another campaign waiting that has fewer jobs running than this one? Each
 * gets one turn a wake, so a campaign that cannot use its turn costs nothing
 * but that. */
static bool
poorer_waits(struct wake *w)
{
    struct store_campaign mine, other;
    uint32_t ids[WAKE_PENDING_MAX];
    uint32_t n = store_pending(w->st, ids, WAKE_PENDING_MAX);
    if (n == 0 || store_campaign_get(w->st, w->row.id, &mine, NULL) != 0)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        bool fed = ids[i] == w->row.id;
        for (uint32_t k = 0; k < w->n_fed && !fed; k++)
            fed = w->fed[k] == ids[i];
        if (!fed && store_campaign_get(w->st, ids[i], &other, NULL) == 0 &&
            goes_first(w, &other, &mine))
            return true;
    }
    return false;
}

static bool
is_open(const struct store_attempt *a)
{
    return a->state == ATTEMPT_CLAIMED || a->state == ATTEMPT_SUBMITTED;
}

static int
claim_one(struct wake *w, const struct job *j, struct start *out, bool *got,
    struct err *err)
{
    bool found = false;
    struct store_attempt *a = arena_alloc(&w->arena, sizeof *a);
    *out = (struct start){j, a};
    *got = false;
    int rc = store_attempt_get(w->st, w->row.id, j->id, &found, a, err);
    if (rc != 0)
        return rc;
    if (found) {
        *got = is_open(a);
        return 0;
    }
    if (poorer_waits(w)) {
        w->yielded = true;
        return 0;
    }
    attempt_fill(w, j, a);
    return store_attempt_claim(w->st, a, machine_slots(w->project), got, err);
}

/* Slots for as many of the asked jobs as there are. Inside a transaction. */
static int
claims_write(struct wake *w, const struct action *a, uint32_t n,
    struct start *start, uint32_t *n_start, struct err *err)
{
    uint32_t waiting = 0;
    int rc = 0;
    *n_start = 0;
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        bool got = false;
        const struct job *j = core_job(w->core, a[i].job);
        if (a[i].kind != ACTION_SUBMIT || j == NULL)
            continue;
        rc = claim_one(w, j, &start[*n_start], &got, err);
        *n_start += got;
        waiting += rc == 0 && !got;
    }
    if (rc == 0)
        rc = store_campaign_pending(w->st, w->row.id, waiting > 0, err);
    if (rc != 0)
        return rc;
    w->row.pending = waiting > 0;
    w->out->waiting = waiting;
    return 0;
}

int
claims_ahead(struct wake *w, struct err *err)
{
    struct start start[JOBS_MAX];
    uint32_t n_start = 0;
    struct action *a = arena_room(&w->arena, WAKE_ACTIONS_MAX * sizeof *a);
    if (w->core->state != CAMPAIGN_RUNNING)
        return 0;
    uint32_t n = core_actions(w->core, a, WAKE_ACTIONS_MAX);
    if (n > WAKE_ACTIONS_MAX)
        n = WAKE_ACTIONS_MAX;
    if (!asks_for(a, n, ACTION_SUBMIT))
        return 0;
    int rc = claims_write(w, a, n, start, &n_start, err);
    if (rc == 0)
        w->claimed_seq = w->core->seq;
    return rc;
}

/* What claims_ahead took, where nothing has happened since. */
static int
claims_read(struct wake *w, const struct action *a, uint32_t n,
    struct start *start, uint32_t *n_start, struct err *err)
{
    *n_start = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool found = false;
        const struct job *j = core_job(w->core, a[i].job);
        if (a[i].kind != ACTION_SUBMIT || j == NULL)
            continue;
        struct store_attempt *row = arena_alloc(&w->arena, sizeof *row);
        int rc = store_attempt_get(w->st, w->row.id, j->id, &found, row, err);
        if (rc != 0)
            return rc;
        if (found && is_open(row))
            start[(*n_start)++] = (struct start){j, row};
    }
    return 0;
}

static int
claim_all(struct wake *w, const struct action *a, uint32_t n,
    struct start *start, uint32_t *n_start, struct err *err)
{
    if (w->claimed_seq == w->core->seq)
        return claims_read(w, a, n, start, n_start, err);
    int rc = wake_begin(w, err);
    if (rc != 0)
        return rc;
    rc = claims_write(w, a, n, start, n_start, err);
    if (rc != 0) {
        store_rollback(w->st);
        return rc;
    }
    return wake_end(w, err);
}

/* The wait doubles with each try and is spread by a quarter to either side, the
 * same for a token, so that what failed together does not return together. */
static int64_t
retry_delay_ms(struct wake *w, const struct job *j)
{
    enum { DOUBLINGS_MAX = 10 };
    static const int64_t most = 30 * 60 * 1000;
    int doublings = core_backoff(w->core, j);
    if (doublings < 0)
        return 0;
    int by = doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX;
    int64_t wait = w->project->train.backoff_ms << by;
    struct rng r;
    rng_seed(&r, w->core->random_seed ^ ((uint64_t)j->id << 32));
    return (int64_t)((double)(wait < most ? wait : most) *
                     (0.75 + 0.5 * rng_f64(&r)));
}

struct starved {
    uint32_t trial, n;
};

static int
starved_count(void *ctx, const struct store_attempt *a)
{
    struct starved *s = ctx;
    s->n += a->trial == s->trial && a->state == ATTEMPT_ENDED &&
            a->reason == REASON_OOM;
    return 0;
}

/* Twice as much for each attempt of the trial that had too little. */
static int64_t
memory_of(struct wake *w, const struct resources *x, uint32_t trial)
{
    int64_t memory = x->memory_bytes, most = x->memory_max_bytes;
    struct starved s = {.trial = trial};
    if (most <= memory ||
        store_attempts(w->st, w->row.id, false, starved_count, &s, NULL) != 0)
        return memory;
    while (s.n-- > 0 && memory < most)
        memory *= 2;
    return memory < most ? memory : most;
}

/* Nodes in quarantine, for a scheduler that has others. */
static const char *
excluded(struct wake *w)
{
    enum { NODES_MAX = 256, EXCLUDED_MAX = 32 };
    const struct project *p = w->project;
    struct store_node *node = arena_alloc(&w->arena, NODES_MAX * sizeof *node);
    struct buf list = {0};
    uint32_t n = 0, out = 0;
    bool scheduled =
        p->backend.kind == BACKEND_SLURM || p->backend.kind == BACKEND_COMMAND;
    if (!scheduled || p->backend.quarantine_ms == 0 ||
        store_nodes(w->st, node, NODES_MAX, &n, NULL) != 0)
        return NULL;
    for (uint32_t i = 0; i < n && out < EXCLUDED_MAX; i++)
        if (node[i].until_ms > wake_now_ms())
            buf_printf(&list, "%s%s", out++ > 0 ? "," : "", node[i].host);
    const char *text = out > 0 ? arena_strdup(&w->arena, buf_str(&list)) : NULL;
    buf_fini(&list);
    return text;
}

static void
job_spec_fill(struct wake *w, const struct job *j, const struct job_command *c,
    const char *run_dir, const char *token, struct job_spec *s)
{
    const struct project *p = w->project;
    uint32_t kind = j->kind, phase = w->core->trial[j->trial - 1].phase;
    const struct resources *x = project_resources(p, phase);
    struct rung_reader *rungs = arena_alloc(&w->arena, sizeof *rungs);
    if (kind != JOB_TRAIN || !project_rungs(p, rungs))
        rungs = NULL;
    *s = (struct job_spec){.token = token,
        .run_dir = run_dir,
        .argv = c->argv,
        .envp = c->env,
        .cwd = store_root(w->st),
        .boxed = jobs_are_boxed(w),
        .cpus = x->cpus,
        .gpus = x->gpus,
        .memory_bytes = memory_of(w, x, j->trial),
        .time_ms = kind == JOB_EVALUATE ? x->evaluate_ms : x->time_ms,
        .budget_ms =
            project_paid_ms(p, phase, j->reserve_u, kind == JOB_EVALUATE),
        .grace_ms = p->train.grace_ms,
        .hang_ms = p->train.hang_ms,
        .metrics_path =
            fs_join_in(&w->arena, store_root(w->st), c->metrics_file),
        .checkpoint_path =
            fs_join_in(&w->arena, store_root(w->st), c->checkpoint),
        .watch = &p->harvest,
        .rungs = rungs,
        .pace = p->train.pace && kind == JOB_TRAIN,
        .keep = p->spec.has_resume && kind == JOB_TRAIN,
        .wake_argv = wake_command(w),
        .lease_fd = w->lease.fd};
}

/* Asks the backend for one job; adopts the one that a crashed wake started. */
static int
start_one(struct wake *w, const struct start *s, struct err *err)
{
    struct job_handle h;
    struct job_command command;
    struct job_spec spec;
    char key[CALLBACK_KEY_HEX];
    struct store_attempt *a = s->attempt;
    int rc = job_find(&w->jobs, a->token, &h, err);
    if (rc != 0 && rc != -ERR_NOT_FOUND)
        return rc;
    if (rc == -ERR_NOT_FOUND) {
        const char *dir = fs_join_in(&w->arena, store_root(w->st), a->run_dir);
        rc = run_prepare(w, s->job, dir, a->token, &command, err);
        if (rc != 0)
            return rc;
        job_spec_fill(w, s->job, &command, dir, a->token, &spec);
        if (w->project->backend.callback != NULL)
            rc = callback_key(store_dir(w->st), true, key, err);
        if (rc != 0)
            return rc;
        spec.delay_ms = retry_delay_ms(w, s->job);
        spec.exclude = excluded(w);
        if (s->job->kind == JOB_TRAIN)
            curve_floor(w, &spec.floor);
        rc = job_submit(&w->jobs, &spec, &h, err);
        if (rc != 0)
            return rc;
    }
    snprintf(a->handle, sizeof a->handle, "%s", h.text);
    a->state = ATTEMPT_SUBMITTED;
    a->submitted_ms = wake_now_ms();
    return 0;
}

static void
refused_add(struct wake *w, const struct start *s, const struct err *why,
    struct fact_list *facts)
{
    struct fact *f = fact_new(w, EVENT_job_refused);
    f->e.job = s->job->id;
    f->e.trial = s->job->trial;
    f->e.reason = REASON_LAUNCH_FAIL;
    f->e.why = arena_strdup(&w->arena, why->text);
    s->attempt->state = ATTEMPT_ENDED;
    s->attempt->reason = REASON_LAUNCH_FAIL;
    s->attempt->ended_ms = f->e.at_ms;
    snprintf(
        s->attempt->detail, sizeof s->attempt->detail, "%.239s", why->text);
    f->attempt = s->attempt;
    fact_add(w, facts, f);
}

/* What started is recorded even when a later job could not be. */
static int
start_all(
    struct wake *w, const struct start *start, uint32_t n, struct err *err)
{
    struct fact_list facts = {0};
    struct err why = {0};
    int failed = 0;
    for (uint32_t i = 0; i < n && failed == 0; i++) {
        int rc = start_one(w, &start[i], &why);
        if (rc == -ERR_INPUT) {
            refused_add(w, &start[i], &why, &facts);
            continue;
        }
        if (rc != 0) {
            failed = rc;
            continue;
        }
        struct fact *f = fact_new(w, EVENT_job_submitted);
        f->e.job = start[i].job->id;
        f->e.trial = start[i].job->trial;
        f->e.handle = start[i].attempt->handle;
        if (jobs_are_boxed(w))
            f->e.sandbox = "bwrap";
        f->attempt = start[i].attempt;
        fact_add(w, &facts, f);
        w->out->submitted++;
    }
    int rc = facts.n > 0 ? wake_commit(w, &facts, err) : 0;
    if (rc == 0 && failed != 0)
        rc =
            err_set(err, failed, "start a job of C%u: %s", w->row.id, why.text);
    return rc;
}

int
jobs_submit(struct wake *w, const struct action *a, uint32_t n, struct err *err)
{
    struct start start[JOBS_MAX];
    uint32_t n_start = 0;
    int rc = project_need(w, err);
    if (rc == 0)
        rc = backend_need(w, backend_name(w->project), err);
    if (rc == 0)
        rc = claim_all(w, a, n, start, &n_start, err);
    if (rc != 0 || n_start == 0)
        return rc;
    return start_all(w, start, n_start, err);
}

/* A job that never reached the backend ends here; one that did is asked to. */
static int
cancel_one(struct wake *w, const struct job *j, struct fact_list *facts,
    struct err *err)
{
    bool found = false;
    struct job_handle h = {0};
    struct store_attempt *a = arena_alloc(&w->arena, sizeof *a);
    int rc = store_attempt_get(w->st, w->row.id, j->id, &found, a, err);
    if (rc == 0 && found)
        rc = backend_need(w, a->backend, err);
    if (rc != 0)
        return rc;
    if (found && j->submitted) {
        snprintf(h.text, sizeof h.text, "%s", a->handle);
        w->out->cancelled++;
        return job_cancel(&w->jobs, &h, err);
    }
    rc = found ? job_find(&w->jobs, a->token, &h, err) : -ERR_NOT_FOUND;
    if (rc != 0 && rc != -ERR_NOT_FOUND)
        return rc;
    struct fact *f =
        fact_new(w, rc == 0 ? EVENT_job_submitted : EVENT_job_refused);
    f->e.job = j->id;
    f->e.trial = j->trial;
    if (rc == 0) {
        snprintf(a->handle, sizeof a->handle, "%s", h.text);
        a->state = ATTEMPT_SUBMITTED;
        a->submitted_ms = f->e.at_ms;
        f->e.handle = a->handle;
    } else {
        f->e.reason = REASON_CANCELLED;
        f->e.why = "cancelled before it was started";
        a->state = ATTEMPT_ENDED;
        a->reason = REASON_CANCELLED;
        a->ended_ms = f->e.at_ms;
    }
    f->attempt = found ? a : NULL;
    fact_add(w, facts, f);
    return 0;
}

int
jobs_cancel(struct wake *w, const struct action *a, uint32_t n, struct err *err)
{
    struct fact_list facts = {0};
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        const struct job *j = core_job(w->core, a[i].job);
        if (a[i].kind == ACTION_CANCEL && j != NULL)
            rc = cancel_one(w, j, &facts, err);
    }
    if (rc != 0 || facts.n == 0)
        return rc;
    return wake_commit(w, &facts, err);
}
