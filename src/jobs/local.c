/* Jobs on this machine, each under a shim (shim/main.c) that outlives every
 * rea process. Nothing is kept in memory: who runs is told by the claim, the
 * process table and exit.json. Called through the table in jobs.h.
 * Invariant: a job is DONE only when exit.json is there, and once it is there
 * no process of the job is left. */
#include "jobs/claim.h"
#include "jobs/local.h"

#include <stdio.h>
#include <string.h>

#include "jobs/ended.h"

#define KIND "local"

/* for clocks of hosts that differ, and a busy end */
enum { LATE_MS = 10 * 60 * 1000 };

static int
local_find(
    struct jobs *j, const char *token, struct job_handle *out, struct err *err)
{
    return claim_find(j, KIND, token, out, err);
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
        rc = shim_start(shim_for_in(&a, j, spec), run_dir, spec->lease_fd, err);
    if (rc == 0)
        handle_put(out, KIND, spec->token);
    arena_fini(&a);
    return rc;
}

/* The shim is gone: exit.json may have come a moment ago, or nobody will ever
 * write it. */
static int
dead_poll(const struct claim *c, const char *token, struct job_status *out,
    struct err *err)
{
    if (ended_is_there(c->run_dir, token, out))
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
    const struct ended_why why = {
        .reason = rebooted ? REASON_NODE_FAIL : REASON_UNKNOWN,
        .boot_id = c->boot_id,
        .detail = rebooted ? "the machine was started again while it ran"
                           : "its supervisor died, the exit status is lost"};
    return ended_settle(c->run_dir, token, &why, out, err);
}

/* Its own host writes exit.json, and after a start anew settles it by a sweep.
 * Only when the supervisor must have ended it long ago do we. */
static int
elsewhere_poll(const struct claim *c, const char *token, struct job_status *out,
    struct err *err)
{
    if (c->deadline_ms > 0 && fs_now_ms() > c->deadline_ms + LATE_MS) {
        const struct ended_why why = {.reason = REASON_NODE_FAIL,
            .boot_id = c->boot_id,
            .detail = "its host gave no sign long after its time limit"};
        return ended_settle(c->run_dir, token, &why, out, err);
    }
    snprintf(out->why, sizeof out->why, "it runs on the host %s", c->host);
    out->start_ms = ended_start_ms(c->run_dir, token);
    out->state = out->start_ms > 0 ? JOB_STATE_RUNNING : JOB_STATE_PENDING;
    return 0;
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
    /* it appears whole: only a loss of power can leave less of it */
    if (rc == -ERR_NOT_FOUND || rc == -ERR_CORRUPT) {
        snprintf(out->why, sizeof out->why, "no job claimed %s", token);
        rc = 0;
    } else if (rc == 0 && ended_is_there(c.run_dir, token, out)) {
        rc = 0;
    } else if (rc == 0 && claim_is_elsewhere(&c)) {
        rc = elsewhere_poll(&c, token, out, err);
    } else if (rc == 0 && claim_is_alive(&c)) {
        out->start_ms = ended_start_ms(c.run_dir, token);
        out->state = out->start_ms > 0 ? JOB_STATE_RUNNING : JOB_STATE_PENDING;
    } else if (rc == 0) {
        rc = dead_poll(&c, token, out, err);
    }
    claim_fini(&c);
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
    else if (rc == 0 && !ended_is_there(c.run_dir, token, &st))
        rc = claim_cancel(&c, err);
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
    .open = shim_find,
    .submit = local_submit,
    .find = local_find,
    .poll = local_poll,
    .cancel = local_cancel,
    .logs = claim_logs,
    .now_ms = local_now_ms,
};
