/* Jobs under a scheduler, whichever it is: what it runs is a script with our
 * supervisor in it, so limits, watching, exit.json and the callback are those
 * of a local job, and the scheduler's word is only asked for when the exit
 * file is missing. command.c and slurm.c say how one is asked.
 * Invariant: a token that was settled can't start any more: its claim is taken
 * before, and a supervisor that finds an exit file leaves. */
#include "jobs/scheduled.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "jobs/local.h"
#include "jobs/recorded.h"

enum {
    GONE_MS = 10000,       /* how long an exit file may be late */
    SLACK_MS = 10 * 60000, /* after the longest run a job must have ended */
    SAID_MAX = 200,
};

struct jobs_scheduler
project_scheduler(const struct project *p, const char *name)
{
    return (struct jobs_scheduler){
        .text = {[BACKEND_SUBMIT] = p->backend.submit,
            [BACKEND_STATE] = p->backend.state,
            [BACKEND_CANCEL] = p->backend.cancel,
            [BACKEND_LOGS] = p->backend.logs},
        .shell = p->backend.shell,
        .cwd = p->root,
        .name = name,
        .slurm = p->backend.slurm};
}

int
scheduled_open(struct jobs *j, const struct jobs_config *c,
    const struct scheduler_ops *ops, struct err *err)
{
    struct scheduled *own = mem_calloc(1, sizeof *own);
    own->ops = ops;
    own->config = c->scheduler;
    j->own = own;
    j->own_free = free;
    return c->scheduler != NULL ? shim_find(j, c, err) : 0;
}

/* ---- asking the scheduler ---- */

/* What a command printed, on one line and not too long, for messages. */
static void
said_put(const struct probe_result *r, char out[SAID_MAX])
{
    const struct buf *b = r->err.len > 0 ? &r->err : &r->out;
    snprintf(out, SAID_MAX, "%.*s", SAID_MAX - 1, buf_str(b));
    size_t n = strlen(out);
    while (n > 0 && (unsigned char)out[n - 1] <= ' ')
        out[--n] = '\0';
    for (char *c = out; *c != '\0'; c++)
        *c = (unsigned char)*c < ' ' ? ' ' : *c;
}

int
scheduler_run(struct jobs *j, const struct submission *s, const char *what,
    const char *const *argv, int64_t limit_ms, struct probe_result *out,
    char why[DETAIL_LEN], struct err *err)
{
    struct scheduled *own = j->own;
    char said[SAID_MAX];
    const struct probe p = {
        .argv = argv, .cwd = s->cwd, .leaves = true, .time_ms = limit_ms};
    int rc = probe_run(&p, out, err);
    why[0] = '\0';
    if (rc != 0)
        return rc;
    said_put(out, said);
    if (out->timed_out) {
        own->mute = true;
        snprintf(why, DETAIL_LEN, "%s gave no answer in %lld s", what,
            (long long)limit_ms / 1000);
    } else if (out->exit_code != 0) {
        snprintf(why, DETAIL_LEN, "%s ended with %s %d: %.160s", what,
            out->exit_code < 0 ? "signal" : "exit code",
            out->exit_code < 0 ? out->signal : out->exit_code, said);
    }
    return 0;
}

static void
scheduler_ask(
    struct jobs *j, const struct submission *s, struct scheduler_answer *a)
{
    const struct scheduled *own = j->own;
    *a = (struct scheduler_answer){.word = WORD_UNKNOWN};
    if (own->mute || *s->id == '\0')
        snprintf(a->why, sizeof a->why,
            own->mute ? "the scheduler does not answer" : "its id is unknown");
    else
        own->ops->state(j, s, a);
}

/* ---- submit ---- */

static int
script_write(const struct jobs *j, const struct job_spec *spec,
    const struct submission *s, char **path, struct arena *a, struct err *err)
{
    const struct scheduled *own = j->own;
    struct buf b = {0};
    *path = fs_join_in(a, s->run_dir, "batch.sh");
    buf_printf(&b, "#!/bin/sh\n# %s: what the scheduler runs.\n", s->token);
    if (own->config->slurm.setup != NULL)
        buf_printf(&b, "%s\n", own->config->slurm.setup);
    buf_puts(&b, "exec ");
    command_quote(&b, shim_for_in(a, j, spec));
    buf_putc(&b, ' ');
    command_quote(&b, s->run_dir);
    buf_puts(&b, " -1 -1\n");
    int rc = fs_write_atomic(*path, buf_str(&b), b.len, false, err);
    if (rc == 0 && chmod(*path, 0755) != 0)
        rc = err_sys(err, "chmod %s", *path);
    buf_fini(&b);
    return rc;
}

const char *
whole_in(struct arena *a, double x)
{
    return arena_printf(a, "%.0f", ceil(x));
}

double
scheduler_seconds(const struct job_spec *spec)
{
    return (double)(spec->time_ms + spec->grace_ms) / 1000 + 60;
}

static int
id_keep(struct jobs *j, struct submission *s, const char *id, struct err *err)
{
    s->id = arena_strdup(&s->arena, id);
    return submission_write(j, s, err);
}

static int
script_submit(struct jobs *j, const struct job_spec *spec, struct submission *s,
    struct err *err)
{
    const struct scheduled *own = j->own;
    char *script, id[SUBMISSION_ID_MAX];
    int rc = script_write(j, spec, s, &script, &s->arena, err);
    if (rc == 0)
        rc = submission_write(j, s, err);
    if (rc == 0)
        rc = own->ops->submit(j, spec, s, script, id, err);
    return rc != 0 ? rc : id_keep(j, s, id, err);
}

static void
submission_fill(const struct jobs *j, const struct job_spec *spec,
    const char *run_dir, const char *cwd, struct submission *s)
{
    const struct scheduled *own = j->own;
    const char *campaign = env_find(spec->envp, "REA_CAMPAIGN");
    const char *trial = env_find(spec->envp, "REA_TRIAL");
    const char *attempt = env_find(spec->envp, "REA_ATTEMPT");
    s->token = spec->token;
    s->kind = own->ops->kind;
    s->run_dir = run_dir;
    s->cwd = cwd;
    s->id = "";
    s->shell = own->config->shell;
    s->name = campaign == NULL || trial == NULL || attempt == NULL
                  ? spec->token
                  : arena_printf(&s->arena, "%s-%s-%s-a%s", own->config->name,
                        campaign, trial, attempt);
    memcpy(s->text, own->config->text, sizeof s->text);
    int64_t limit = spec->time_ms > 0 ? spec->time_ms : spec->budget_ms;
    int64_t rest = spec->delay_ms + spec->grace_ms + SLACK_MS;
    s->deadline_ms = limit > 0 ? limit + rest : 0;
}

static bool
is_claimed(const struct jobs *j, const char *token)
{
    struct buf path = {0};
    claim_path(j, token, &path);
    bool there = fs_is_file(buf_str(&path));
    buf_fini(&path);
    return there;
}

/* A submission without an id may or may not have reached the scheduler. Where
 * that can be asked it is; else the job is found only once its supervisor has
 * claimed the token. */
static int
id_find(struct jobs *j, struct submission *s, struct err *err)
{
    const struct scheduled *own = j->own;
    char id[SUBMISSION_ID_MAX];
    if (s->id[0] != '\0')
        return 0;
    if (own->ops->find == NULL)
        return is_claimed(j, s->token)
                   ? 0
                   : err_set(err, -ERR_NOT_FOUND, "%s has no id yet", s->token);
    int rc = own->ops->find(j, s, id, err);
    if (rc == -ERR_NOT_FOUND && is_claimed(j, s->token))
        return 0;
    return rc != 0 ? rc : id_keep(j, s, id, err);
}

int
scheduled_find(
    struct jobs *j, const char *token, struct job_handle *out, struct err *err)
{
    const struct scheduled *own = j->own;
    struct submission s;
    int rc = submission_read(j, token, &s, err);
    if (rc == 0 && strcmp(s.kind, own->ops->kind) != 0)
        rc = err_set(err, -ERR_NOT_FOUND, "%s went to %s", token, s.kind);
    if (rc == 0)
        rc = id_find(j, &s, err);
    if (rc == 0)
        handle_put(out, own->ops->kind, token);
    submission_fini(&s);
    return rc;
}

int
scheduled_submit(struct jobs *j, const struct job_spec *spec,
    struct job_handle *out, struct err *err)
{
    const struct scheduled *own = j->own;
    struct arena a = {0};
    struct submission s = {0}, before = {0};
    const char *run_dir = NULL, *cwd = NULL;
    if (own->config == NULL)
        return err_set(err, -ERR_INPUT, "no command to submit with");
    int rc = scheduled_find(j, spec->token, out, err);
    if (rc != -ERR_NOT_FOUND)
        return rc;
    struct job_spec ours = *spec; /* what the supervisor is told */
    if (own->ops->delays)
        ours.delay_ms = 0;
    rc = fs_mkdirs(spec->run_dir, err);
    if (rc == 0)
        rc = fs_real_in(&a, spec->run_dir, &run_dir, err);
    if (rc == 0)
        rc = fs_real_in(&a, own->config->cwd, &cwd, err);
    if (rc == 0)
        rc = shim_command_write(j, &ours, run_dir, err);
    if (rc == 0) {
        s.tries = 1;
        if (submission_read(j, spec->token, &before, NULL) == 0)
            s.tries += before.tries;
        submission_fini(&before);
        submission_fill(j, spec, run_dir, cwd, &s);
        rc = script_submit(j, spec, &s, err);
    }
    if (rc == 0)
        handle_put(out, own->ops->kind, spec->token);
    submission_fini(&s);
    arena_fini(&a);
    return rc;
}

/* ---- poll ---- */

static bool
is_marked(const struct submission *s, const char *name, int64_t *at_ms)
{
    struct buf path = {0};
    fs_join(&path, s->run_dir, name);
    *at_ms = fs_mtime_ms(buf_str(&path));
    buf_fini(&path);
    return *at_ms >= 0;
}

static void
why_ended(const struct submission *s, enum scheduler_word word, bool started,
    struct ended_why *out)
{
    static const struct {
        uint32_t reason;
        const char *detail;
    } by_word[] = {
        [WORD_FAILED] = {REASON_NODE_FAIL,
            "the scheduler calls it failed, and there is no exit file"},
        [WORD_CANCELLED] = {REASON_PREEMPTED,
            "somebody cancelled it in the scheduler"},
        [WORD_TIMEOUT] = {REASON_TIMEOUT, "the scheduler's time limit"},
        [WORD_PREEMPTED] = {REASON_PREEMPTED, "the scheduler took it away"},
        [WORD_OOM] = {REASON_OOM, "the scheduler's memory limit"},
        [WORD_NODE_FAIL] = {REASON_NODE_FAIL, "the scheduler lost its node"},
        [WORD_GONE] = {REASON_NODE_FAIL,
            "the scheduler has no such job any more, and there is no exit "
            "file"},
    };
    int64_t at;
    *out = (struct ended_why){.reason = REASON_NODE_FAIL,
        .boot_id = "",
        .detail = "the scheduler says it is over, and there is no exit file"};
    if (word < sizeof by_word / sizeof by_word[0] &&
        by_word[word].reason != REASON_NONE) {
        out->reason = by_word[word].reason;
        out->detail = by_word[word].detail;
    }
    if ((word == WORD_FAILED || word == WORD_DONE) && !started) {
        out->reason = REASON_LAUNCH_FAIL;
        out->detail = "it was over before our supervisor started: see the "
                      "scheduler's own log";
    }
    if (is_marked(s, "cancel", &at)) {
        out->reason = REASON_CANCELLED;
        out->detail = "cancelled";
    }
}

/* Of a token whose claim no supervisor can get any more. */
static int
blocked_settle(const struct submission *s, enum scheduler_word word,
    struct job_status *out, struct err *err)
{
    struct ended_why why;
    why_ended(s, word, false, &why);
    return ended_settle(s->run_dir, s->token, &why, out, err);
}

/* It was put back into the queue: the next end is a new one. */
static int
over_forget(const struct submission *s, struct err *err)
{
    struct buf path = {0};
    fs_join(&path, s->run_dir, "over");
    int rc = fs_remove(buf_str(&path), err);
    buf_fini(&path);
    return rc;
}

/* The scheduler has done with it, but no exit file is here: it may be late on
 * a network disk, so it gets a while from the first time this was seen. */
static int
over_poll(struct jobs *j, const struct submission *s, enum scheduler_word word,
    struct job_status *out, struct err *err)
{
    int64_t at = 0;
    struct ended_why why;
    struct buf mark = {0};
    if (!is_marked(s, "over", &at)) {
        fs_join(&mark, s->run_dir, "over");
        int rc = fs_write_atomic(buf_str(&mark), "", 0, false, err);
        buf_fini(&mark);
        if (rc != 0)
            return rc;
        at = fs_now_ms();
    }
    int64_t late = fs_now_ms() - at;
    if (late >= 0 && late < GONE_MS) {
        snprintf(out->why, sizeof out->why,
            "the scheduler says it is over; waiting for its exit file");
        return 0;
    }
    int took = claim_block(j, s->token, s->run_dir, err);
    if (took < 0)
        return took;
    if (ended_is_there(s->run_dir, s->token, out))
        return 0;
    leftovers_kill(s->token);
    why_ended(s, word, took == 1, &why);
    return ended_settle(s->run_dir, s->token, &why, out, err);
}

/* Of a job that was submitted twice, the id we know may be the loser's: then
 * its word says nothing about the one that runs. */
static bool
word_counts(const struct submission *s, bool claimed)
{
    return s->tries <= 1 || !claimed;
}

/* Put back into the queue after it began: its claim is taken, so the second
 * start would leave at once. It ends here, and a new attempt resumes. */
static int
requeued_end(struct jobs *j, const struct submission *s, struct job_status *out,
    struct err *err)
{
    const struct scheduled *own = j->own;
    char why[DETAIL_LEN];
    int rc = own->ops->cancel(j, s, why, err);
    return rc != 0 ? rc : over_poll(j, s, WORD_PREEMPTED, out, err);
}

static int
started_poll(struct jobs *j, const struct submission *s,
    const struct claim *claim, struct job_status *out, struct err *err)
{
    struct scheduler_answer a;
    out->start_ms = ended_start_ms(s->run_dir, s->token);
    if (claim->pid == 0) /* blocked by one of us that then died */
        return blocked_settle(s, WORD_GONE, out, err);
    if (claim_is_alive(claim)) {
        out->state = out->start_ms > 0 ? JOB_STATE_RUNNING : JOB_STATE_PENDING;
        return 0;
    }
    scheduler_ask(j, s, &a);
    snprintf(out->why, sizeof out->why, "%s", a.why);
    if (a.restarted && word_counts(s, true))
        return requeued_end(j, s, out, err);
    if (a.word == WORD_PENDING || a.word == WORD_RUNNING) {
        out->state = JOB_STATE_RUNNING;
        return over_forget(s, err);
    }
    if (a.word >= WORD_DONE && word_counts(s, true))
        return over_poll(j, s, a.word, out, err);
    /* Nobody answers for it, but its supervisor would have ended it by now. */
    if (s->deadline_ms > 0 && out->start_ms > 0 &&
        fs_now_ms() - out->start_ms > s->deadline_ms) {
        const struct ended_why why = {.reason = REASON_NODE_FAIL,
            .boot_id = claim->boot_id,
            .detail = "no exit file long after its time limit"};
        return ended_settle(s->run_dir, s->token, &why, out, err);
    }
    return 0;
}

static int
waiting_poll(struct jobs *j, const struct submission *s, struct job_status *out,
    struct err *err)
{
    struct scheduler_answer a;
    scheduler_ask(j, s, &a);
    snprintf(out->why, sizeof out->why, "%s", a.why);
    /* RUNNING without a claim: the script is about to begin. */
    if (a.word >= WORD_DONE)
        return over_poll(j, s, a.word, out, err);
    if (a.word == WORD_UNKNOWN)
        return 0;
    out->state = JOB_STATE_PENDING;
    return over_forget(s, err);
}

int
scheduled_poll(struct jobs *j, const struct job_handle *h,
    struct job_status *out, struct err *err)
{
    const struct scheduled *own = j->own;
    const char *token;
    struct submission s = {0};
    struct claim claim = {0};
    int rc = handle_token(h, own->ops->kind, &token, err);
    if (rc == 0)
        rc = submission_read(j, token, &s, err);
    if (rc == -ERR_NOT_FOUND) {
        snprintf(out->why, sizeof out->why, "%s was not submitted", token);
        submission_fini(&s);
        return 0;
    }
    if (rc == 0 && !ended_is_there(s.run_dir, token, out)) {
        rc = claim_read(j, token, &claim, err);
        if (rc == 0)
            rc = started_poll(j, &s, &claim, out, err);
        else if (rc == -ERR_NOT_FOUND)
            rc = waiting_poll(j, &s, out, err);
    }
    if (rc == 0 && out->state == JOB_STATE_DONE && own->ops->amend != NULL)
        own->ops->amend(&s, &out->exit);
    claim_fini(&claim);
    submission_fini(&s);
    return rc;
}

/* ---- cancel, logs ---- */

/* Refused because it is over already? */
static bool
is_over(struct jobs *j, const struct submission *s)
{
    struct scheduler_answer a;
    scheduler_ask(j, s, &a);
    return a.word >= WORD_DONE;
}

static int
submission_cancel(struct jobs *j, const struct submission *s, struct err *err)
{
    const struct scheduled *own = j->own;
    char why[DETAIL_LEN] = "";
    struct job_status status;
    struct claim claim = {0};
    int rc = cancel_mark(s->run_dir, err);
    if (rc != 0)
        return rc;
    if (s->id[0] != '\0')
        rc = own->ops->cancel(j, s, why, err);
    int took = claim_block(j, s->token, s->run_dir, err);
    if (took < 0)
        return took;
    if (took == 0)
        return blocked_settle(s, WORD_CANCELLED, &status, err);
    if (claim_read(j, s->token, &claim, NULL) == 0 && claim_is_alive(&claim)) {
        rc = claim_cancel(&claim, err);
        why[0] = '\0';
    }
    claim_fini(&claim);
    if (rc == 0 && why[0] != '\0' && is_over(j, s))
        return 0; /* the next poll settles it */
    return rc == 0 && why[0] != '\0' ? err_set(err, -ERR_SYS, "%s", why) : rc;
}

int
scheduled_cancel(struct jobs *j, const struct job_handle *h, struct err *err)
{
    const struct scheduled *own = j->own;
    const char *token;
    struct submission s = {0};
    struct job_status status;
    int rc = handle_token(h, own->ops->kind, &token, err);
    if (rc != 0)
        return rc;
    rc = submission_read(j, token, &s, err);
    if (rc == -ERR_NOT_FOUND)
        rc = 0;
    else if (rc == 0 && !ended_is_there(s.run_dir, token, &status))
        rc = submission_cancel(j, &s, err);
    submission_fini(&s);
    return rc;
}

/* What the scheduler kept comes first, and the job's own last words last: a
 * supervisor that could not start has said why only there. */
int
scheduled_logs(struct jobs *j, const struct job_handle *h, size_t max,
    struct buf *out, struct err *err)
{
    const struct scheduled *own = j->own;
    const char *token;
    struct submission s = {0};
    int rc = handle_token(h, own->ops->kind, &token, err);
    if (rc != 0)
        return rc;
    rc = submission_read(j, token, &s, err);
    if (rc == 0 && own->ops->logs != NULL && s.id[0] != '\0')
        own->ops->logs(j, &s, max / 4, out);
    if (rc == 0)
        rc = run_logs(s.run_dir, max - max / 4, out, err);
    submission_fini(&s);
    return rc;
}

int64_t
scheduled_now_ms(struct jobs *j)
{
    (void)j;
    return fs_now_ms();
}
