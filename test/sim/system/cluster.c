/* The made-up cluster (cluster.h). */
#include "sim/system/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "jobs/claim.h"
#include "jobs/recorded.h"
#include "sim/system/process.h"
#include "store/store.h"

enum {
    STEPS_OF_RUN = 8,
    JOBS_OF_LIFE = 2000,
    CALLS_MAX = 512,
    NODES = 5,
    FORMS_MAX = 200
};

struct cluster_job {
    char token[TOKEN_LEN];
    uint32_t campaign, node;
    char *run_dir, *metrics_path, *checkpoint_path;
    int64_t start_ms, end_ms; /* wall clock, of its claim */
    int64_t end_us;
    int64_t cut_us; /* a storm ends it; 0: none has come */
    struct outcome o;
    bool ended, settled;
    struct rung_reader rungs; /* that it tells of while it runs */
    uint32_t crossed;
};

struct call {
    int64_t at_us;
    uint32_t campaign;
};

static struct cluster_job job[JOBS_OF_LIFE];
static uint32_t n_jobs;
static struct call calls[CALLS_MAX];
static uint32_t n_calls;
static struct buf failing[FORMS_MAX]; /* what broken jobs print */
static uint32_t n_failing;

static uint64_t
text_hash(const char *text)
{
    uint64_t h = life.plan.seed;
    for (const char *p = text; *p != '\0'; p++)
        h = rng_mix(h, (unsigned char)*p);
    return h;
}

void
cluster_logs_read(const char *path)
{
    struct buf text = {0};
    struct err err = {0};
    if (fs_read(path, 0, &text, &err) != 0)
        law_broken("%s", err.text);
    struct buf *at = NULL;
    char *save = NULL, *line = strtok_r(text.data, "\n", &save);
    for (; line != NULL; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "== ", 3) == 0 && n_failing < FORMS_MAX)
            at = &failing[n_failing++];
        else if (at != NULL && strncmp(line, "also ", 5) != 0)
            buf_printf(at, "%s\n", line);
    }
    buf_fini(&text);
}

uint32_t
cluster_running(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_jobs; i++)
        n += !job[i].ended;
    return n;
}

static struct cluster_job *
job_of(const char *token)
{
    for (uint32_t i = n_jobs; i-- > 0;)
        if (strcmp(job[i].token, token) == 0)
            return &job[i];
    return NULL;
}

/* ---- what comes back ---- */

static void
call_at(uint32_t campaign, int64_t at_us)
{
    if (n_calls < CALLS_MAX)
        calls[n_calls++] = (struct call){at_us, campaign};
}

static void
call_back(uint32_t campaign)
{
    const struct weather *w = &life.weather;
    int64_t at = life.now_us + life_span_us(1000, 3 * SECOND_US);
    if (life_chance(w->lost)) {
        trouble_count(TROUBLE_CALL_LOST);
        return;
    }
    if (life_chance(w->late)) {
        trouble_count(TROUBLE_CALL_LATE);
        at += life_span_us(60 * SECOND_US, 30 * HOUR_US);
    }
    call_at(campaign, at);
    if (life_chance(w->twice)) {
        trouble_count(TROUBLE_CALL_TWICE);
        call_at(campaign, at + life_span_us(1, SECOND_US));
    }
}

static void
file_leave(
    const char *dir, const char *name, const char *path, const char *text)
{
    struct arena a = {0};
    struct err err = {0};
    if (path == NULL)
        path = fs_join_in(&a, dir, name);
    if (fs_write_atomic(path, text, strlen(text), false, &err) != 0)
        law_broken("%s", err.text);
    arena_fini(&a);
}

/* Half of the runs that run away leave a checkpoint that was good, half way. */
static void
good_leave(const struct cluster_job *j)
{
    struct arena a = {0};
    struct buf text = {0};
    struct stat sb;
    bool ran_away = j->o.reason == REASON_NAN || j->o.reason == REASON_SPIKE ||
                    j->o.reason == REASON_DIVERGED;
    if (!ran_away || j->checkpoint_path == NULL || text_hash(j->token) % 2 == 0)
        return;
    const char *path =
        fs_join_in(&a, fs_dir_in(&a, j->checkpoint_path), ".last.good");
    file_leave("", "", path, "good\n");
    if (stat(path, &sb) != 0)
        law_broken("%s is gone", path);
    buf_printf(&text,
        "{\"version\":1,\"path\":\"%s\",\"size\":%lld,"
        "\"mtime_ns\":%lld,\"metrics\":%zu,\"stdout\":0,\"stderr\":0}\n",
        path, (long long)sb.st_size,
        (long long)sb.st_mtim.tv_sec * 1000000000 + sb.st_mtim.tv_nsec,
        j->o.metrics.len / 2);
    file_leave(j->run_dir, "good.json", NULL, buf_str(&text));
    buf_fini(&text);
    arena_fini(&a);
}

static void
files_leave(const struct cluster_job *j, const struct exit_facts *f)
{
    struct buf text = {0}, at = {0};
    if (f->reason != REASON_CANCELLED && f->reason != REASON_NODE_FAIL)
        file_leave(j->run_dir, "metrics.jsonl", j->metrics_path,
            buf_str(&j->o.metrics));
    file_leave(j->run_dir, "stdout.log", NULL, buf_str(&j->o.out));
    file_leave(j->run_dir, "stderr.log", NULL, buf_str(&j->o.errors));
    buf_printf(&at, "%lld\n", (long long)f->end_ms);
    if (j->o.checkpoint && j->checkpoint_path != NULL)
        file_leave(j->run_dir, "", j->checkpoint_path, buf_str(&at));
    good_leave(j);
    exit_facts_put(f, &text);
    file_leave(j->run_dir, "exit.json", NULL, buf_str(&text));
    buf_fini(&text);
    buf_fini(&at);
}

static void
facts_of(const struct cluster_job *j, struct exit_facts *f)
{
    *f = (struct exit_facts){.reason = j->o.reason,
        .exit_code = j->o.exit_code,
        .signal = j->o.signal,
        .start_ms = j->start_ms,
        .end_ms = j->start_ms + j->o.duration_ms,
        .duration_ms = j->o.duration_ms,
        .cpu_ms = j->o.duration_ms,
        .max_rss_bytes = j->o.max_rss_bytes};
    snprintf(f->token, sizeof f->token, "%s", j->token);
    snprintf(f->detail, sizeof f->detail, "%s", j->o.detail);
    snprintf(f->boot_id, sizeof f->boot_id, "simulated");
    if (!life.plan.lonely)
        snprintf(f->host, sizeof f->host, "node%u", j->node);
}

static void
job_end(struct cluster_job *j)
{
    struct exit_facts f;
    j->ended = true;
    facts_of(j, &f);
    files_leave(j, &f);
    call_back(j->campaign);
}

/* It ends now, by something that its token did not say. */
static void
job_cut(struct cluster_job *j, uint32_t reason, bool checkpoint)
{
    int64_t ran = j->o.duration_ms - (j->end_us - life.now_us) / 1000;
    j->o.reason = reason;
    j->o.duration_ms = ran > 0 ? ran : 0;
    j->o.exit_code = 0;
    j->o.signal = 15;
    j->o.checkpoint = checkpoint;
    buf_clear(&j->o.metrics);
    buf_clear(&j->o.errors);
    snprintf(j->o.detail, sizeof j->o.detail, "the cluster ended it");
    job_end(j);
}

void
cluster_node_lost(void)
{
    uint32_t node = (uint32_t)rng_below(&life.draw, NODES);
    for (uint32_t i = 0; i < n_jobs; i++)
        if (!job[i].ended && job[i].node == node) {
            trouble_count(TROUBLE_NODE_LOST);
            job_cut(&job[i], REASON_NODE_FAIL, life_chance(.5));
        }
}

/* When it has something to tell next; -1: nothing before its end. */
static int64_t
report_us(const struct cluster_job *j)
{
    const struct rung_reader *r = &j->rungs;
    if (j->crossed >= r->n)
        return -1;
    int64_t whole = j->o.duration_ms * 1000;
    double share = r->rung[j->crossed] / STEPS_OF_RUN;
    return j->end_us - whole + (int64_t)(share * (double)whole);
}

/* What it has measured by now, a line a step, and how many rungs that is. */
static void
report_leave(struct cluster_job *j)
{
    struct buf part = {0}, text = {0};
    const char *end = buf_str(&j->o.metrics);
    for (double step = 0; step < j->rungs.rung[j->crossed] && *end != '\0';
         step++)
        end += strcspn(end, "\n") + 1;
    buf_add(
        &part, buf_str(&j->o.metrics), (size_t)(end - buf_str(&j->o.metrics)));
    j->crossed++;
    buf_printf(&text, "{\"version\":1,\"token\":\"%s\",\"rungs\":%u}\n",
        j->token, j->crossed);
    file_leave(j->run_dir, "metrics.jsonl", j->metrics_path, buf_str(&part));
    file_leave(j->run_dir, "report.json", NULL, buf_str(&text));
    call_back(j->campaign);
    buf_fini(&part);
    buf_fini(&text);
}

int64_t
cluster_next_us(void)
{
    int64_t first = -1;
    for (uint32_t i = 0; i < n_jobs; i++)
        if (!job[i].ended)
            first = earlier(earlier(first, report_us(&job[i])),
                earlier(
                    job[i].end_us, job[i].cut_us != 0 ? job[i].cut_us : -1));
    for (uint32_t i = 0; i < n_calls; i++)
        first = earlier(first, calls[i].at_us);
    return first;
}

static void
jobs_happen(void)
{
    for (uint32_t i = 0; i < n_jobs; i++) {
        if (job[i].ended)
            continue;
        if (life.weather.storm && job[i].cut_us == 0)
            job[i].cut_us = life.now_us + life_span_us(60 * SECOND_US, HOUR_US);
        if (job[i].cut_us != 0 && job[i].cut_us <= life.now_us) {
            trouble_count(TROUBLE_STORM);
            job_cut(&job[i], REASON_PREEMPTED, life_chance(.8));
        } else if (job[i].end_us <= life.now_us) {
            job_end(&job[i]);
        } else if (report_us(&job[i]) >= 0 &&
                   report_us(&job[i]) <= life.now_us) {
            report_leave(&job[i]);
        }
    }
}

void
cluster_happen(void)
{
    jobs_happen();
    for (uint32_t i = 0; i < n_calls;) {
        if (calls[i].at_us > life.now_us) {
            i++;
            continue;
        }
        life_wake(calls[i].campaign);
        calls[i] = calls[--n_calls];
    }
}

/* ---- laws of jobs ---- */

void
cluster_settled(const struct store_attempt *a)
{
    struct cluster_job *j = job_of(a->token);
    if (j == NULL) {
        if (a->handle[0] != '\0')
            law_broken("%s has a handle and never ran", a->token);
        return;
    }
    if (j->settled)
        law_broken("%s is in the books twice", a->token);
    if (a->state != ATTEMPT_ENDED)
        law_broken("%s is over and not settled", a->token);
    if (a->reason == REASON_OK && j->o.reason != REASON_OK)
        law_broken("%s ended by %s and is called ok", a->token,
            reason_name(j->o.reason));
    if (a->duration_ms != j->o.duration_ms)
        law_broken("%s ran %lld ms, the books say %lld", a->token,
            (long long)j->o.duration_ms, (long long)a->duration_ms);
    j->settled = true;
}

void
cluster_all_settled(void)
{
    for (uint32_t i = 0; i < n_jobs; i++)
        if (!job[i].settled)
            law_broken("%s ran and nobody knows of it", job[i].token);
    life.tally->jobs += n_jobs;
}

/* ---- the backend ---- */

static int
down(enum op op, struct err *err)
{
    if (process_now != NULL)
        process_step(op);
    if (!life.weather.scheduler_down || process_now == NULL)
        return 0;
    trouble_count(TROUBLE_SCHEDULER_DOWN);
    return err_set(err, -ERR_SYS, "the scheduler does not answer");
}

static int
open_cluster(struct jobs *j, const struct jobs_config *c, struct err *err)
{
    (void)err;
    if (c->record != NULL)
        j->record = arena_strdup(&j->arena, c->record);
    return 0;
}

static bool
claim_is_there(struct jobs *j, const char *token)
{
    struct buf path = {0};
    claim_path(j, token, &path);
    bool there = fs_exists(buf_str(&path));
    buf_fini(&path);
    return there;
}

static int
find(struct jobs *j, const char *token, struct job_handle *out, struct err *err)
{
    int rc = down(OP_FIND, err);
    if (rc != 0)
        return rc;
    if (job_of(token) == NULL || !claim_is_there(j, token) || life.plan.control)
        return err_set(err, -ERR_NOT_FOUND, "nobody claimed %s", token);
    handle_put(out, "recorded", token);
    life.tally->adopted++;
    return 0;
}

static char *
copy(const char *text)
{
    return text == NULL ? NULL : mem_strdup(text);
}

/* A failing job prints what one of the known failures prints: one after the
 * other, going on from life to life. */
static void
log_fill(const char *token, struct outcome *o)
{
    static uint64_t told;
    bool speaks = o->reason == REASON_EXIT || o->reason == REASON_SIGNAL;
    if (n_failing == 0 || !speaks)
        return;
    uint64_t which =
        life.plan.lonely ? text_hash(token) : life.plan.seed * 5 + told++;
    buf_clear(&o->errors);
    buf_puts(&o->errors, buf_str(&failing[which % n_failing]));
}

/* One run in fifty says nothing of what it measured. */
static void
outcome_bend(const struct job_spec *spec, struct outcome *o)
{
    outcome_limit(spec, o);
    if (text_hash(spec->token) % 50 == 0)
        buf_clear(&o->metrics);
}

/* Where the scheduler keeps it; the world writes, so nothing fails here. */
static void
claim_leave(struct jobs *j, const char *token)
{
    struct process *caller = process_now;
    struct buf path = {0};
    claim_path(j, token, &path);
    process_now = NULL;
    file_leave("", "", buf_str(&path), "simulated\n");
    process_now = caller;
    buf_fini(&path);
}

/* Nothing runs for a campaign that was not approved, or that is over. */
static void
allowed(const char *token)
{
    struct store *st = NULL;
    struct store_campaign row;
    struct err err = {0};
    struct process *caller = process_now;
    uint32_t campaign = 0, id = 0;
    process_now = NULL;
    if (store_open(life.root, STORE_READ, &st, &err) != 0 ||
        !store_token_parse(st, token, &campaign, &id) ||
        store_campaign_get(st, campaign, &row, &err) != 0)
        law_broken("%s: %s", token, err.text);
    store_close(st);
    process_now = caller;
    if (row.brief.state != CAMPAIGN_RUNNING)
        law_broken("%s starts while its campaign is in state %u", token,
            row.brief.state);
}

static int
submit(struct jobs *j, const struct job_spec *spec, struct job_handle *out,
    struct err *err)
{
    struct outcome o = {0};
    struct cluster_job *x = job_of(spec->token);
    int rc = down(OP_SUBMIT, err);
    if (rc != 0)
        return rc;
    handle_put(out, "recorded", spec->token);
    if (x != NULL && claim_is_there(j, spec->token) && !life.plan.control)
        return 0;
    if (x != NULL)
        law_broken("%s is started twice", spec->token);
    allowed(spec->token);
    rc = outcome_find(j->record, spec, &o, err);
    if (rc != 0) {
        outcome_fini(&o);
        return rc;
    }
    outcome_bend(spec, &o);
    if (n_jobs == JOBS_OF_LIFE)
        law_broken("more than %d jobs", JOBS_OF_LIFE);
    x = &job[n_jobs++];
    *x = (struct cluster_job){.o = o,
        .node = (uint32_t)rng_below(&life.draw, NODES),
        .campaign = (uint32_t)strtoul(
            env_find(spec->envp, "REA_CAMPAIGN") + 1, NULL, 10),
        .run_dir = copy(spec->run_dir),
        .metrics_path = copy(spec->metrics_path),
        .checkpoint_path = copy(spec->checkpoint_path),
        .start_ms = life_wall_ms() + spec->delay_ms,
        .end_us = life.now_us + (spec->delay_ms + o.duration_ms) * 1000};
    if (spec->rungs != NULL)
        x->rungs = *spec->rungs;
    snprintf(x->token, sizeof x->token, "%s", spec->token);
    log_fill(x->token, &x->o);
    claim_leave(j, x->token);
    if (life_chance(.01 * !life.quiet) && !life.plan.calm) {
        trouble_count(TROUBLE_CALL_EARLY); /* before its handle is stored */
        call_at(x->campaign, life.now_us + 1);
    }
    if (life_chance(life.weather.answer_lost)) {
        trouble_count(TROUBLE_ANSWER_LOST);
        return err_set(err, -ERR_SYS, "the scheduler's answer was lost");
    }
    return 0;
}

static int
poll(struct jobs *j, const struct job_handle *h, struct job_status *out,
    struct err *err)
{
    const char *token;
    (void)j;
    int rc = handle_token(h, "recorded", &token, err);
    if (rc == 0 && down(OP_POLL, NULL) != 0) {
        snprintf(out->why, sizeof out->why, "the scheduler does not answer");
        return 0;
    }
    const struct cluster_job *x = rc == 0 ? job_of(token) : NULL;
    if (x == NULL)
        return rc;
    out->start_ms = x->start_ms;
    out->state = JOB_STATE_RUNNING;
    if (!x->ended)
        return 0;
    out->state = JOB_STATE_DONE;
    facts_of(x, &out->exit);
    return 0;
}

static int
cancel(struct jobs *j, const struct job_handle *h, struct err *err)
{
    const char *token;
    (void)j;
    int rc = handle_token(h, "recorded", &token, err);
    if (rc == 0)
        rc = down(OP_CANCEL, err);
    struct cluster_job *x = rc == 0 ? job_of(token) : NULL;
    if (x != NULL && !x->ended && x->o.reason != REASON_CANCELLED) {
        struct process *caller = process_now;
        process_now = NULL;
        job_cut(x, REASON_CANCELLED, false);
        process_now = caller;
    }
    return rc;
}

static int
logs(struct jobs *j, const struct job_handle *h, size_t max, struct buf *out,
    struct err *err)
{
    const char *token;
    (void)j;
    int rc = handle_token(h, "recorded", &token, err);
    const struct cluster_job *x = rc == 0 ? job_of(token) : NULL;
    return x == NULL ? rc : run_logs(x->run_dir, max, out, err);
}

static int64_t
now_ms(struct jobs *j)
{
    (void)j;
    return life_wall_ms();
}

/* The linker takes this one, and recorded.c stays in its archive. */
const struct jobs_ops jobs_recorded = {
    .name = "recorded",
    .caps = {.survives_us = true,
        .calls_back = true,
        .limits_time = true,
        .elsewhere = true,
        .own_clock = true},
    .open = open_cluster,
    .submit = submit,
    .find = find,
    .poll = poll,
    .cancel = cancel,
    .logs = logs,
    .now_ms = now_ms,
};
