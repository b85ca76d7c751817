/* Jobs under Slurm, through its own programs, each with a limit of time: a
 * controller that is down lets them hang. A job carries its token as its name,
 * so that one whose id was lost is found again. What is done with the answers
 * is in scheduled.c.
 * Invariant: no error of a program ever ends a job; only Slurm's word about
 * this very job does. */
#include "jobs/slurm_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "project/words.h"

enum {
    TAIL_BYTES = 8192,
    SPARE_BYTES = 64 << 20, /* for the supervisor, above the job's own limit */
};

/* ---- submit ---- */

static void
word_opt(struct words *w, struct arena *a, const char *flag, const char *value)
{
    if (value != NULL && value[0] != '\0')
        words_add(w, arena_printf(a, "%s=%s", flag, value));
}

/* Never put back into the queue: what became of an attempt is the engine's to
 * say, and a new one resumes from the checkpoint. */
static int
sbatch_words(const struct jobs *j, const struct job_spec *spec,
    const struct submission *s, struct arena *a, struct words *w,
    struct err *err)
{
    const struct scheduled *own = j->own;
    const struct slurm_options *o = &own->config->slurm;
    words_add(w, "sbatch");
    words_add(w, "--parsable");
    words_add(w, "--no-requeue");
    words_add(w, "--open-mode=append");
    word_opt(w, a, "--job-name", s->token);
    word_opt(w, a, "--comment", s->name);
    word_opt(w, a, "--output", fs_join_in(a, s->run_dir, "slurm.out"));
    word_opt(w, a, "--chdir", s->cwd);
    word_opt(
        w, a, "--cpus-per-task", whole_in(a, spec->cpus > 0 ? spec->cpus : 1));
    word_opt(w, a, "--time", whole_in(a, scheduler_seconds(spec) / 60));
    if (spec->delay_ms > 0) /* waits in the queue, on no node */
        word_opt(w, a, "--begin",
            arena_printf(
                a, "now+%s", whole_in(a, (double)spec->delay_ms / 1000)));
    if (spec->memory_bytes > 0)
        word_opt(w, a, "--mem",
            arena_printf(a, "%sM",
                whole_in(a,
                    (double)(spec->memory_bytes + SPARE_BYTES) / (1 << 20))));
    if (o->gres == NULL && spec->gpus > 0)
        word_opt(
            w, a, "--gres", arena_printf(a, "gpu:%s", whole_in(a, spec->gpus)));
    word_opt(w, a, "--gres", o->gres);
    word_opt(w, a, "--partition", o->partition);
    word_opt(w, a, "--account", o->account);
    word_opt(w, a, "--qos", o->qos);
    if (o->exclude != NULL && spec->exclude != NULL)
        word_opt(w, a, "--exclude",
            arena_printf(a, "%s,%s", o->exclude, spec->exclude));
    else
        word_opt(w, a, "--exclude",
            spec->exclude != NULL ? spec->exclude : o->exclude);
    if (o->signal != NULL)
        word_opt(w, a, "--signal", arena_printf(a, "B:%s", o->signal));
    if (o->extra == NULL)
        return 0;
    const char **extra;
    size_t n = 0;
    int rc = command_split(a, o->extra, &extra, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        words_add(w, extra[i]);
    return rc;
}

static int
sbatch_answer(const struct probe_result *r, const char *why,
    char id[SUBMISSION_ID_MAX], struct err *err)
{
    if (why[0] != '\0')
        return err_set(err,
            slurm_refusal_of(buf_str(&r->err)) == SLURM_NEVER ? -ERR_INPUT
                                                              : -ERR_SYS,
            "%s", why);
    if (!scheduler_id_of(buf_str(&r->out), id))
        return err_set(
            err, -ERR_SYS, "sbatch printed no id: '%.80s'", buf_str(&r->out));
    id[strcspn(id, ";")] = '\0'; /* ID;CLUSTER in a federation */
    return 0;
}

/* A second, tiny job that calls the agent when the first is over, however it
 * ended: for sites where the supervisor's node can vanish with it. It is a
 * hint, so that its failure is none. */
static void
wake_submit(struct jobs *j, const struct job_spec *spec,
    const struct submission *s, const char *id)
{
    const struct scheduled *own = j->own;
    struct words w = {.a = (struct arena *)(uintptr_t)&s->arena};
    struct probe_result r = {0};
    struct buf line = {0};
    char why[DETAIL_LEN];
    if (!own->config->slurm.dependency || spec->wake_argv == NULL ||
        spec->wake_argv[0] == NULL)
        return;
    for (size_t i = 0; spec->wake_argv[i] != NULL; i++) {
        buf_puts(&line, i > 0 ? " " : "exec ");
        command_quote(&line, spec->wake_argv[i]);
    }
    words_add(&w, "sbatch");
    words_add(&w, "--parsable");
    words_add(&w, "--no-requeue");
    words_add(&w, "--output=/dev/null");
    words_add(&w, "--time=5");
    words_add(&w, "--mem=64M");
    word_opt(&w, w.a, "--dependency", arena_printf(w.a, "afterany:%s", id));
    word_opt(&w, w.a, "--job-name", arena_printf(w.a, "wake-%s", s->token));
    word_opt(&w, w.a, "--partition", own->config->slurm.partition);
    word_opt(&w, w.a, "--account", own->config->slurm.account);
    word_opt(&w, w.a, "--wrap", arena_strdup(w.a, buf_str(&line)));
    words_end(&w);
    scheduler_run(j, s, "sbatch", w.list, SCHEDULER_SUBMIT_MS, &r, why, NULL);
    probe_fini(&r);
    buf_fini(&line);
}

static int
sbatch_run(struct jobs *j, const struct job_spec *spec, struct submission *s,
    const char *script, char id[SUBMISSION_ID_MAX], struct err *err)
{
    struct words w = {.a = &s->arena};
    struct probe_result r = {0};
    char why[DETAIL_LEN];
    int rc = sbatch_words(j, spec, s, &s->arena, &w, err);
    words_add(&w, script);
    words_end(&w);
    if (rc == 0)
        rc = scheduler_run(
            j, s, "sbatch", w.list, SCHEDULER_SUBMIT_MS, &r, why, err);
    if (rc == 0)
        rc = sbatch_answer(&r, why, id, err);
    probe_fini(&r);
    return rc;
}

/* Without the nodes in quarantine there may be too few: then rather one of
 * them than none. */
static int
slurm_submit(struct jobs *j, const struct job_spec *spec, struct submission *s,
    const char *script, char id[SUBMISSION_ID_MAX], struct err *err)
{
    int rc = sbatch_run(j, spec, s, script, id, err);
    if (rc == -ERR_INPUT && spec->exclude != NULL) {
        struct job_spec any = *spec;
        any.exclude = NULL;
        rc = sbatch_run(j, &any, s, script, id, err);
    }
    if (rc == 0)
        wake_submit(j, spec, s, id);
    return rc == -ERR_NOT_FOUND ? err_wrap(err, -ERR_SYS, "submit") : rc;
}

/* ---- asking ---- */

/* Runs it and keeps both streams; false: no program, no answer in time. */
static bool
ask(struct jobs *j, const struct submission *s, const char *const *argv,
    struct probe_result *r, char why[DETAIL_LEN])
{
    struct err e = {0};
    *r = (struct probe_result){0};
    if (scheduler_run(j, s, argv[0], argv, SCHEDULER_ASK_MS, r, why, &e) == 0)
        return !r->timed_out;
    snprintf(why, DETAIL_LEN, "%.200s", e.text);
    return false;
}

/* What the books say of a job that the controller forgot: those of the
 * database where there is one, else the file of completed jobs.
 * 1: found; 0: both answered, and there is none; -1: no answer. */
static int
books_ask(struct jobs *j, const struct submission *s, struct slurm_job *job,
    char why[DETAIL_LEN])
{
    const char *const format = "JobID,JobName%64,State,ExitCode";
    const char *const books[] = {"sacct", "-X", "-n", "-P", "-S", "now-60days",
        "--name", s->token, "-o", format, NULL};
    const char *const file[] = {"sacct", "-c", "-n", "-P", "--name", s->token,
        "-o", "JobID,JobName%64,State", NULL};
    int answer = 0;
    for (int i = 0; i < 2; i++) {
        struct probe_result r;
        bool got = ask(j, s, i == 0 ? books : file, &r, why);
        if (got && why[0] == '\0' &&
            slurm_acct_read(buf_str(&r.out), s->token, job))
            answer = 1;
        else if (!got || (why[0] != '\0' && slurm_refusal_of(buf_str(&r.err)) !=
                                                SLURM_NO_BOOKS))
            answer = -1;
        probe_fini(&r);
        if (answer != 0)
            return answer;
    }
    why[0] = '\0';
    return 0;
}

static void
slurm_state(
    struct jobs *j, const struct submission *s, struct scheduler_answer *a)
{
    const char *const argv[] = {
        "scontrol", "show", "job", s->id, "--oneliner", NULL};
    struct probe_result r;
    struct slurm_job job = {0};
    bool got = ask(j, s, argv, &r, a->why);
    bool none = got && a->why[0] != '\0' &&
                slurm_refusal_of(buf_str(&r.err)) == SLURM_NO_JOB;
    /* Ids begin anew where a cluster's state was wiped. */
    if (got && a->why[0] == '\0' && slurm_job_read(buf_str(&r.out), &job)) {
        if (strcmp(job.name, s->token) == 0)
            slurm_answer(&job, a);
        else
            none = true;
    }
    probe_fini(&r);
    if (!none)
        return;
    int books = books_ask(j, s, &job, a->why);
    if (books > 0) {
        slurm_answer(&job, a);
    } else if (books == 0) {
        a->word = WORD_GONE;
        snprintf(a->why, sizeof a->why, "slurm knows no job %s", s->id);
    }
}

static int
slurm_find(struct jobs *j, const struct submission *s,
    char id[SUBMISSION_ID_MAX], struct err *err)
{
    const char *const argv[] = {
        "squeue", "-h", "-a", "-o", "%i", "--name", s->token, NULL};
    struct probe_result r;
    struct slurm_job job;
    char why[DETAIL_LEN];
    bool got = ask(j, s, argv, &r, why);
    bool found = got && why[0] == '\0' && scheduler_id_of(buf_str(&r.out), id);
    probe_fini(&r);
    if (found)
        return 0;
    if (!got || why[0] != '\0')
        return err_set(err, -ERR_SYS, "%s", why);
    /* It may be over already; then its supervisor left an exit file, and only
     * the fact that it was taken counts. */
    int books = books_ask(j, s, &job, why);
    if (books < 0)
        return err_set(err, -ERR_SYS, "%s", why);
    if (books == 0)
        return err_set(
            err, -ERR_NOT_FOUND, "slurm knows no job named %s", s->token);
    snprintf(id, SUBMISSION_ID_MAX, "0"); /* known by its name alone */
    return 0;
}

/* ---- cancel, logs ---- */

/* One that waits is taken out; of one that runs the supervisor is told, which
 * gives the job its grace. */
static int
slurm_cancel(struct jobs *j, const struct submission *s, char why[DETAIL_LEN],
    struct err *err)
{
    const char *const waits[] = {
        "scancel", "--state=PENDING", "--name", s->token, NULL};
    const char *const runs[] = {"scancel", "--batch", "--signal=TERM",
        "--state=RUNNING", "--name", s->token, NULL};
    (void)err;
    why[0] = '\0';
    for (int i = 0; i < 2 && why[0] == '\0'; i++) {
        struct probe_result r;
        ask(j, s, i == 0 ? waits : runs, &r, why);
        if (slurm_refusal_of(buf_str(&r.err)) == SLURM_NO_JOB)
            why[0] = '\0';
        probe_fini(&r);
    }
    return 0;
}

/* The end of what Slurm and the batch script said. */
static void
slurm_logs(
    struct jobs *j, const struct submission *s, size_t max, struct buf *out)
{
    (void)j;
    struct buf path = {0};
    fs_join(&path, s->run_dir, "slurm.out");
    int fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
    buf_fini(&path);
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)max ? size - (off_t)max : 0;
    char chunk[4096];
    ssize_t n;
    while ((n = pread(fd, chunk, sizeof chunk, from)) > 0) {
        buf_add(out, chunk, (size_t)n);
        from += n;
    }
    close(fd);
}

static void
slurm_amend_facts(const struct submission *s, struct exit_facts *f)
{
    struct buf text = {0};
    slurm_logs(NULL, s, TAIL_BYTES, &text);
    slurm_amend(buf_str(&text), f);
    buf_fini(&text);
}

static const struct scheduler_ops ops = {.kind = "slurm",
    .delays = true,
    .submit = slurm_submit,
    .state = slurm_state,
    .cancel = slurm_cancel,
    .logs = slurm_logs,
    .find = slurm_find,
    .amend = slurm_amend_facts};

static int
slurm_open(struct jobs *j, const struct jobs_config *c, struct err *err)
{
    return scheduled_open(j, c, &ops, err);
}

const struct jobs_ops jobs_slurm = SCHEDULED_BACKEND("slurm", slurm_open);
