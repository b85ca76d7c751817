/* What surrounds the command: stop and resume, evaluation, the backend and its
 * callback, data, disk. Called by check. */
#include "cmd/check.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/child.h"
#include "jobs/jobs.h"
#include "patch/check.h"
#include "store/store.h"

enum { BACKEND_MS = 5000, DISK_LOW = 1 << 30 };

/* ---- stop and resume ---- */

struct stop_after {
    int64_t from_ms, after_ms;
    const char *checkpoint;
};

static bool
stop_now(void *arg)
{
    const struct stop_after *s = arg;
    /* Once it works, seen by its first checkpoint; one that writes none by
     * itself is stopped late in its run. */
    return fs_exists(s->checkpoint) || fs_boot_ms() - s->from_ms >= s->after_ms;
}

static int
resume_look(struct check *k, const struct check_run *first, struct err *err)
{
    struct check_run again = {.config = first->config,
        .dir = first->dir,
        .resume = true,
        .time_ms = k->dry_ms + 10000};
    int rc = check_run(k, &again, err);
    if (rc == 0 && !again.ended_well)
        check_say(k, CHECK_BAD, "stop + resume", "see [train] resume",
            "resuming from %s: %s", first->cmd.checkpoint,
            check_words(k, &again));
    else if (rc == 0)
        check_say(k, CHECK_OK, "stop + resume", NULL,
            "SIGTERM -> checkpoint in %.1f s -> resumed and ended well",
            (double)first->result.ms / 1000);
    check_run_fini(&again);
    return rc;
}

static bool
left_nothing(const struct check_run *run)
{
    return !run->result.killed && !fs_exists(run->cmd.checkpoint);
}

/* A machine that is busier now than in the dry run may have had it stopped
 * before it was ready; one that is less busy, not before its end: the moment
 * between is looked for. */
static int
stop_try(struct check *k, const char *dir, struct check_run *run,
    struct stop_after *s, struct err *err)
{
    enum { LOOKS = 5 };
    const struct check_run fresh = *run;
    int64_t early = 0, late = 0; /* 0: not known */
    for (int look = 1;; look++) {
        int rc = check_run(k, run, err);
        if (rc != 0 || look == LOOKS || !left_nothing(run))
            return rc;
        *(run->result.stopped ? &early : &late) = s->after_ms;
        check_run_fini(run);
        *run = fresh;
        fs_remove_tree(dir, NULL);
        s->after_ms = late == 0 ? 2 * early : (early + late) / 2;
        s->from_ms = fs_boot_ms();
    }
}

int
check_stop(struct check *k, struct err *err)
{
    struct arena *a = k->call->arena;
    const char *dir = fs_join_in(a, k->scratch, "stop");
    struct stop_after s = {fs_boot_ms(), k->dry_ms * 3 / 4,
        fs_join_in(a, k->root, project_checkpoint_in(a, k->p, dir))};
    if (!k->p->spec.has_resume) {
        check_say(k, CHECK_NOTE, "stop + resume", NULL,
            "no [train] resume: a preempted job starts again from nothing");
        return 0;
    }
    struct check_run run = {.time_ms = k->dry_ms * 2 + 10000,
        .dir = dir,
        .enough = stop_now,
        .arg = &s};
    config_default(&k->p->spec, &run.config);
    int rc = stop_try(k, dir, &run, &s, err);
    if (rc == 0 && run.result.killed)
        check_say(k, CHECK_BAD, "stop + resume",
            "handle SIGTERM, or give more [train] grace",
            "it ignored SIGTERM and was killed after the grace time");
    else if (rc == 0 && left_nothing(&run))
        check_say(k, CHECK_BAD, "stop + resume",
            "write {checkpoint} on SIGTERM, or correct [train] checkpoint",
            "%s without leaving %s",
            run.result.stopped ? "stopped by SIGTERM" : "it ended",
            run.cmd.checkpoint);
    else if (rc == 0 && !run.result.stopped)
        check_say(k, CHECK_NOTE, "stop + resume", NULL,
            "not tried: a run ends before it can be stopped");
    else if (rc == 0)
        rc = resume_look(k, &run, err);
    check_run_fini(&run);
    return rc;
}

/* ---- evaluation ---- */

int
check_evaluate(struct check *k, struct err *err)
{
    const struct spec *s = &k->p->spec;
    if (!s->has_evaluate)
        return 0;
    if (k->checkpoint == NULL) {
        check_say(k, CHECK_BAD, "evaluate",
            "correct [train] checkpoint: [evaluate] starts from it",
            "the dry run left no checkpoint");
        return 0;
    }
    struct check_run run = {.evaluate = true,
        .checkpoint = k->checkpoint,
        .time_ms =
            k->p->evaluate.time_ms > 0 ? k->p->evaluate.time_ms : CHECK_DRY_MS,
        .dir = fs_join_in(k->call->arena, k->scratch, "evaluate")};
    config_default(s, &run.config);
    int rc = check_run(k, &run, err);
    if (rc == 0 && !run.ended_well)
        check_say(k, CHECK_BAD, "evaluate", "run it by hand", "%s",
            check_words(k, &run));
    else if (rc == 0 && s->sealed < s->n_metrics && !run.value[s->sealed].has)
        check_say(k, CHECK_BAD, "evaluate", "correct its key or pattern",
            "the sealed metric %s was not found in its output",
            s->metric[s->sealed].name);
    else if (rc == 0)
        check_say(k, CHECK_OK, "evaluate", NULL,
            "ends well in %.1f s; the sealed metric is found (and not shown)%s",
            (double)run.result.ms / 1000,
            fs_exists(run.cmd.predictions_file)
                ? "; per-row predictions too: paired tests"
                : "");
    check_run_fini(&run);
    return rc;
}

/* ---- backend, data, disk ---- */

/* The user's scheduler runs on other machines perhaps, which see the workspace
 * but not our scratch folder. */
static const char *
backend_folder(struct check *k, bool scheduler)
{
    struct arena *a = k->call->arena;
    return scheduler ? arena_printf(a, "%s/.rea-check-%d", k->root, getpid())
                     : fs_join_in(a, k->scratch, "backend");
}

static int
backend_wait(struct jobs *jobs, const struct job_handle *h, const char *woken,
    struct job_status *status, struct err *err)
{
    int64_t from = fs_boot_ms();
    int rc = 0;
    while (rc == 0 && fs_boot_ms() - from < BACKEND_MS) {
        rc = job_poll(jobs, h, status, err);
        if (status->state == JOB_STATE_DONE && fs_exists(woken))
            break;
        usleep(status->state == JOB_STATE_PENDING ? 200000 : 10000);
    }
    return rc;
}

static int
backend_tell(struct check *k, const char *kind, const struct job_status *status,
    bool woken, int64_t ms, struct err *err)
{
    if (status->state == JOB_STATE_PENDING) {
        check_say(k, CHECK_NOTE, "backend", NULL,
            "%s: a test job was accepted, waited %d s in the queue and was "
            "cancelled",
            kind, BACKEND_MS / 1000);
        return 0;
    }
    if (status->state == JOB_STATE_DONE &&
        status->exit.reason != (uint32_t)REASON_OK)
        return err_set(err, -ERR_CHECK, "a test job ended as %s: %s",
            reason_name(status->exit.reason), status->exit.detail);
    if (status->state != JOB_STATE_DONE || !woken)
        return err_set(err, -ERR_CHECK, "a test job did not %s in %d s%s%s",
            status->state == JOB_STATE_DONE ? "call back" : "end",
            BACKEND_MS / 1000, status->why[0] != '\0' ? ": " : "", status->why);
    check_say(k, CHECK_OK, "backend", NULL,
        "%s: a test job ran under its supervisor and called back in %lld ms",
        kind, (long long)ms);
    return 0;
}

/* A tiny job through the supervisor, and its callback. */
static int
backend_job(struct check *k, struct err *err)
{
    struct arena *a = k->call->arena;
    struct jobs jobs = {0};
    struct job_handle h;
    struct job_status status = {0};
    const struct jobs_scheduler commands = project_scheduler(k->p, "check");
    bool slurm = k->p->backend.kind == BACKEND_SLURM;
    bool scheduler = slurm || k->p->backend.kind == BACKEND_COMMAND;
    const char *folder = backend_folder(k, scheduler);
    const char *woken = fs_join_in(a, folder, "woken");
    const char *argv[] = {"true", NULL}, *wake[] = {"touch", woken, NULL};
    struct jobs_config conf = {.kind = slurm       ? "slurm"
                                       : scheduler ? "command"
                                                   : "local",
        .jobs_dir = fs_join_in(a, folder, "jobs"),
        .scheduler = scheduler ? &commands : NULL};
    struct job_spec spec = {.token = arena_printf(a, "check-%d", getpid()),
        .run_dir = fs_join_in(a, folder, "run"),
        .argv = argv,
        .cwd = k->root,
        .cpus = 1,
        .gpus = k->p->resources.gpus,
        .time_ms = BACKEND_MS,
        .grace_ms = 1000,
        .disk_floor = -1,
        .wake_argv = wake,
        .lease_fd = -1};
    int64_t from = fs_boot_ms();
    int rc = jobs_open(&jobs, &conf, err);
    if (rc == 0)
        rc = job_submit(&jobs, &spec, &h, err);
    if (rc == 0)
        rc = backend_wait(&jobs, &h, woken, &status, err);
    if (rc == 0 && status.state != JOB_STATE_DONE)
        job_cancel(&jobs, &h, NULL);
    bool blind = rc == 0 && harvest_re_is_needed(&k->p->harvest) &&
                 !jobs_watch_patterns(&jobs);
    jobs_close(&jobs);
    if (rc == 0)
        rc = backend_tell(
            k, conf.kind, &status, fs_exists(woken), fs_boot_ms() - from, err);
    if (blind)
        check_say(k, CHECK_NOTE, "watch", "install rea-shim-re beside rea-shim",
            "metrics read by re: patterns are seen when a job has ended");
    if (scheduler)
        fs_remove_tree(folder, NULL);
    return rc;
}

static void
data_look(struct check *k)
{
    char hex[FINGERPRINT_HEX];
    struct err e = {0};
    if (project_fingerprint(k->p, hex, &e) != 0)
        check_say(
            k, CHECK_BAD, "data", "correct [train] fingerprint", "%s", e.text);
    else if (hex[0] == '\0')
        check_say(k, CHECK_NOTE, "data", NULL,
            "no [train] fingerprint: a change of the data would go unseen");
    else
        check_say(k, CHECK_OK, "data", NULL, "fingerprint %.16s", hex);
}

static void
disk_look(struct check *k)
{
    const char *net = NULL;
    int64_t free_bytes = fs_free_bytes(k->root);
    if (fs_is_network(k->root, &net) && !store_is_remote(k->root)) {
        check_say(k, CHECK_BAD, "disk",
            "put the workspace on a local disk (data may stay where it is), or "
            "its state on a PostgreSQL server: docs/hosts.md",
            "%s is on a network file system (%s): no safe locks there", k->root,
            net);
        return;
    }
    if (net != NULL && (k->p == NULL || k->p->insights == NULL))
        check_say(k, CHECK_NOTE, "insights",
            "[insights] database names a file on a local disk",
            "%s is on a network file system: no database of insights there",
            k->root);
    check_say(k,
        free_bytes >= 0 && free_bytes < DISK_LOW ? CHECK_BAD : CHECK_OK, "disk",
        free_bytes >= 0 && free_bytes < DISK_LOW ? "free some space" : NULL,
        "%.1f GiB free", (double)free_bytes / (1 << 30));
}

static void
git_look(struct check *k)
{
    struct arena *a = k->call->arena;
    const char *head = git_line(
        a, k->root, NULL, "rev-parse", "--short", "HEAD", (char *)NULL);
    if (head == NULL)
        return;
    const char *dirty = git_line(a, k->root, NULL, "status", "--porcelain",
        "--untracked-files=no", (char *)NULL);
    bool clean = dirty != NULL && dirty[0] == '\0';
    check_say(k, clean ? CHECK_OK : CHECK_NOTE, "git", NULL, "%s at %s",
        clean ? "clean" : "uncommitted changes", head);
}

/* With [patch] all jobs run from a commit, confined: that must work before
 * anything is planned on it. */
static void
sandbox_look(struct check *k)
{
    struct arena *a = k->call->arena;
    struct patch_checked *out;
    struct err e = {0};
    if (!k->p->patch.on)
        return;
    const char *base = git_line(a, k->root, NULL, "rev-parse", "--verify", "-q",
        "--end-of-options", arena_printf(a, "%s^{commit}", k->p->patch.base),
        (char *)NULL);
    if (base == NULL) {
        check_say(k, CHECK_BAD, "sandbox", "commit what the jobs shall run",
            "[patch] base = \"%s\" is no commit here", k->p->patch.base);
        return;
    }
    out = arena_alloc(a, sizeof *out);
    if (base_check(a, k->p, k->root, base, out, &e) != 0)
        check_say(k, CHECK_BAD, "sandbox", NULL, "%s", e.text);
    else
        check_say(k, out->smoked ? CHECK_OK : CHECK_NOTE, "sandbox",
            out->smoked ? NULL : "declare [patch] smoke: a tiny training run",
            "commit %.12s runs confined%s%s, %.1f s", base,
            out->built ? ", builds" : "",
            out->smoked ? ", passes its smoke run" : "",
            (double)out->ms / 1000);
}

int
check_world(struct check *k, struct err *err)
{
    struct err e = {0};
    (void)err;
    if (backend_job(k, &e) != 0)
        check_say(k, CHECK_BAD, "backend",
            k->p->backend.kind == BACKEND_COMMAND
                ? "try the commands of [backend] by hand (docs/backends.md)"
                : "is rea-shim beside rea? (REA_SHIM names another place)",
            "%s", e.text);
    data_look(k);
    disk_look(k);
    git_look(k);
    sandbox_look(k);
    return 0;
}
