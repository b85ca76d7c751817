/* Jobs on this machine, each under a shim (shim/main.c) that outlives every
 * rea process. Nothing is kept in memory: who runs is told by the claim, the
 * process table and exit.json. Called through the table in jobs.h.
 * Invariant: a job is DONE only when exit.json is there, and once it is there
 * no process of the job is left. */
#include "jobs/claim.h"
#include "jobs/local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/json.h"
#include "jobs/proc_stat.h"

#define KIND "local"

static char *
shim_beside_in(struct arena *a)
{
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return NULL;
    exe[n] = '\0';
    const char *dir = fs_dir_in(a, exe);
    /* A test program lies up to two folders below. */
    for (int up = 0; up < 3; up++) {
        char *path = fs_join_in(a, dir, "rea-shim");
        if (access(path, X_OK) == 0)
            return path;
        dir = fs_dir_in(a, dir);
    }
    return NULL;
}

static int
local_open(struct jobs *j, const struct jobs_config *c, struct err *err)
{
    const char *env = getenv("REA_SHIM");
    if (c->shim != NULL)
        j->shim = arena_strdup(&j->arena, c->shim);
    else if (env != NULL && env[0] != '\0')
        j->shim = arena_strdup(&j->arena, env);
    else
        j->shim = shim_beside_in(&j->arena);
    if (j->shim == NULL)
        return err_set(err, -ERR_NOT_FOUND,
            "rea-shim is not beside this program: install it there, or name "
            "it in REA_SHIM");
    if (access(j->shim, X_OK) != 0)
        return err_set(err, -ERR_NOT_FOUND, "%s can't be run: %s", j->shim,
            strerror(errno));
    return 0;
}

static int
local_find(
    struct jobs *j, const char *token, struct job_handle *out, struct err *err)
{
    struct buf path = {0};
    claim_path(j, token, &path);
    bool there = fs_is_file(buf_str(&path));
    buf_fini(&path);
    if (!there)
        return err_set(err, -ERR_NOT_FOUND, "no job claimed %s", token);
    handle_put(out, KIND, token);
    return 0;
}

static int
local_submit(struct jobs *j, const struct job_spec *spec,
    struct job_handle *out, struct err *err)
{
    if (local_find(j, spec->token, out, NULL) == 0)
        return 0;
    struct arena a = {0};
    const char *run_dir = NULL;
    int rc = fs_mkdirs(spec->run_dir, err);
    if (rc == 0)
        rc = fs_real_in(&a, spec->run_dir, &run_dir, err);
    if (rc == 0)
        rc = shim_command_write(j, spec, run_dir, err);
    if (rc == 0)
        rc = shim_start(j->shim, run_dir, spec->lease_fd, err);
    if (rc == 0)
        handle_put(out, KIND, spec->token);
    arena_fini(&a);
    return rc;
}

static int64_t
started_ms(const char *run_dir, const char *token)
{
    struct buf path = {0};
    fs_join(&path, run_dir, "shim.json");
    struct json *s = json_read(buf_str(&path), 0, NULL);
    buf_fini(&path);
    const char *of = json_get_str(s, "token");
    int64_t ms = of != NULL && strcmp(of, token) == 0
                     ? json_get_i64(s, "start_ms", 0)
                     : 0;
    json_free(s);
    return ms;
}

static bool
exit_is_there(const char *run_dir, const char *token, struct job_status *out)
{
    struct exit_facts f;
    if (exit_facts_read(run_dir, &f, NULL) != 0 || strcmp(f.token, token) != 0)
        return false;
    out->state = JOB_STATE_DONE;
    out->start_ms = f.start_ms;
    out->exit = f;
    return true;
}

/* The last time that anything of the job moved: nobody knows when it ended. */
static int64_t
last_sign_ms(const char *run_dir)
{
    static const char *const names[] = {
        "shim.json", "stdout.log", "stderr.log", "metrics.jsonl"};
    int64_t last = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf path = {0};
        fs_join(&path, run_dir, names[i]);
        int64_t at = fs_mtime_ms(buf_str(&path));
        last = at > last ? at : last;
        buf_fini(&path);
    }
    return last;
}

/* Writes the exit file in place of a shim that can't any more. Another poll
 * may do the same at the same time: the first file stays. */
static int
dead_settle(
    const struct claim *c, const char *token, bool rebooted, struct err *err)
{
    struct exit_facts f = {
        .reason = rebooted ? REASON_NODE_FAIL : REASON_UNKNOWN,
        .start_ms = started_ms(c->run_dir, token)};
    f.end_ms = last_sign_ms(c->run_dir);
    if (f.start_ms == 0 || f.end_ms < f.start_ms)
        f.start_ms = f.end_ms;
    f.duration_ms = f.end_ms - f.start_ms;
    snprintf(f.token, sizeof f.token, "%s", token);
    snprintf(f.boot_id, sizeof f.boot_id, "%s", c->boot_id);
    snprintf(f.detail, sizeof f.detail, "%s",
        rebooted ? "the machine was started again while it ran"
                 : "its supervisor died, the exit status is lost");
    struct buf text = {0}, path = {0};
    exit_facts_put(&f, &text);
    fs_join(&path, c->run_dir, "exit.json");
    int rc = fs_mkdirs(c->run_dir, err);
    if (rc == 0)
        rc = file_create_whole(buf_str(&path), &text, true, err);
    buf_fini(&text);
    buf_fini(&path);
    return rc < 0 ? rc : 0;
}

/* The shim is gone: exit.json may have come a moment ago, or nobody will ever
 * write it. */
static int
dead_poll(const struct claim *c, const char *token, struct job_status *out,
    struct err *err)
{
    if (exit_is_there(c->run_dir, token, out))
        return 0;
    char boot[FS_BOOT_ID];
    fs_boot_id(boot);
    bool rebooted = strcmp(boot, c->boot_id) != 0;
    if (!rebooted && leftovers_kill(token) > 0) {
        out->state = JOB_STATE_UNKNOWN;
        snprintf(out->why, sizeof out->why,
            "its supervisor died, and processes of the job can't be killed");
        return 0;
    }
    int rc = dead_settle(c, token, rebooted, err);
    if (rc == 0 && !exit_is_there(c->run_dir, token, out))
        rc = err_set(err, -ERR_CORRUPT,
            "%s/exit.json belongs to another job or is not whole", c->run_dir);
    return rc;
}

static bool
shim_is_alive(const struct claim *c)
{
    char boot[FS_BOOT_ID];
    fs_boot_id(boot);
    return strcmp(boot, c->boot_id) == 0 && proc_is_alive(c->pid, c->start);
}

static int
local_poll(struct jobs *j, const struct job_handle *h, struct job_status *out,
    struct err *err)
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
    } else if (rc == 0 && exit_is_there(c.run_dir, token, out)) {
        rc = 0;
    } else if (rc == 0 && shim_is_alive(&c)) {
        out->start_ms = started_ms(c.run_dir, token);
        out->state = out->start_ms > 0 ? JOB_STATE_RUNNING : JOB_STATE_PENDING;
    } else if (rc == 0) {
        rc = dead_poll(&c, token, out, err);
    }
    claim_fini(&c);
    return rc;
}

/* The mark tells the shim that its end is wanted by us; the signal goes
 * through a pidfd taken before the check, so it can't reach a stranger. */
static int
shim_cancel(const struct claim *c, struct err *err)
{
    struct buf mark = {0};
    fs_join(&mark, c->run_dir, "cancel");
    int rc = fs_write_atomic(buf_str(&mark), "", 0, false, err);
    buf_fini(&mark);
    if (rc != 0)
        return rc;
    int fd = pidfd_open((pid_t)c->pid, 0);
    if (fd < 0)
        return errno == ESRCH ? 0 : err_sys(err, "pidfd of the shim");
    if (shim_is_alive(c) && pidfd_send_signal(fd, SIGTERM, NULL, 0) != 0 &&
        errno != ESRCH)
        rc = err_sys(err, "signal the shim");
    close(fd);
    return rc;
}

static int
local_cancel(struct jobs *j, const struct job_handle *h, struct err *err)
{
    const char *token;
    struct claim c = {0};
    struct job_status st;
    int rc = handle_token(h, KIND, &token, err);
    if (rc != 0)
        return rc;
    rc = claim_read(j, token, &c, err);
    if (rc == -ERR_NOT_FOUND)
        rc = 0;
    else if (rc == 0 && !exit_is_there(c.run_dir, token, &st))
        rc = shim_cancel(&c, err);
    claim_fini(&c);
    return rc;
}

static int
local_logs(struct jobs *j, const struct job_handle *h, size_t max,
    struct buf *out, struct err *err)
{
    const char *token;
    struct claim c = {0};
    int rc = handle_token(h, KIND, &token, err);
    if (rc != 0)
        return rc;
    rc = claim_read(j, token, &c, err);
    if (rc == 0)
        rc = run_logs(c.run_dir, max, out, err);
    claim_fini(&c);
    return rc;
}

static int64_t
local_now_ms(struct jobs *j)
{
    (void)j;
    return fs_now_ms();
}

const struct jobs_ops jobs_local = {
    .name = KIND,
    .caps = {.survives_us = true,
        .calls_back = true,
        .limits_memory = true,
        .limits_time = true,
        .watches_metrics = true},
    .open = local_open,
    .submit = local_submit,
    .find = local_find,
    .poll = local_poll,
    .cancel = local_cancel,
    .logs = local_logs,
    .now_ms = local_now_ms,
};
