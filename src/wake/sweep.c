/* The net under lost callbacks, for cron or a timer: every campaign that has
 * something in flight, waiting or left over is woken, and jobs of this
 * workspace that no campaign knows are ended. Safe beside any other wake. */
#include "wake/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_due(struct store *st, const struct store_campaign *c)
{
    uint8_t s = c->brief.state;
    if (store_outbox_waits(st, c->id))
        return true;
    bool stands = s == CAMPAIGN_DRAFT || s == CAMPAIGN_APPROVED ||
                  s == CAMPAIGN_PAUSED || s == CAMPAIGN_HALTED;
    if (stands) /* nothing new starts; what runs must be looked after */
        return c->running > 0 || lease_marked(st, c->id);
    if (s == CAMPAIGN_DONE || s == CAMPAIGN_STOPPED) {
        struct err ignored = {0};
        struct core *core = NULL;
        struct action a;
        if (c->running > 0 || lease_marked(st, c->id))
            return true;
        if (store_load(st, c->id, &core, &ignored) != 0)
            return true;
        bool left = core->n_jobs > 0 || core_actions(core, &a, 1) > 0;
        free(core);
        return left;
    }
    return true;
}

static int
campaigns_wake(struct store *st, const struct wake_opts *opts,
    struct sweep_result *out, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    int first = 0;
    int rc = store_campaigns(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct wake_result r = {0};
        struct err e = {0};
        if (!is_due(st, &v[i]))
            continue;
        int woke = wake_run(st, v[i].id, opts, &r, &e);
        out->woken++;
        out->adopted += r.submitted;
        if (woke == 0 || woke == -ERR_APPROVAL)
            continue;
        out->failed++;
        if (first == 0)
            first = err_set(err, woke, "C%u: %s", v[i].id, e.text);
    }
    free(v);
    return rc != 0 ? rc : first;
}

struct orphans {
    struct store *st;
    struct jobs any; /* forgets claims, whatever backend made them */
    struct jobs local, slurm, command; /* ask after and end jobs */
    bool local_open, slurm_open, command_open;
    struct sweep_result *out;
};

static void
orphan_end(struct orphans *o, const char *token)
{
    struct job_handle h;
    struct job_status status;
    struct jobs *j = NULL;
    /* One that went to a scheduler has a claim too once it runs. */
    if (o->command_open && job_find(&o->command, token, &h, NULL) == 0)
        j = &o->command;
    else if (o->slurm_open && job_find(&o->slurm, token, &h, NULL) == 0)
        j = &o->slurm;
    else if (o->local_open && job_find(&o->local, token, &h, NULL) == 0)
        j = &o->local;
    if (j == NULL || job_poll(j, &h, &status, NULL) != 0)
        return;
    if (status.state == JOB_STATE_DONE)
        job_forget(j, token, NULL);
    else if (status.state == JOB_STATE_UNKNOWN)
        o->out->lost++;
    else
        o->out->cancelled += job_cancel(j, &h, NULL) == 0;
}

/* Tokens are listed before the books are read, and a claim is in the books
 * before its token exists: so a token without an attempt is nobody's. */
static void
token_look(struct orphans *o, const char *token)
{
    uint32_t campaign = 0, job = 0;
    bool found = false;
    struct store_attempt a;
    struct lease l;
    if (!store_token_parse(o->st, token, &campaign, &job) ||
        store_attempt_get(o->st, campaign, job, &found, &a, NULL) != 0)
        return;
    if (found && a.state != ATTEMPT_ENDED)
        return;
    /* With the lease no late starter of this token can be left. */
    if (lease_take(o->st, campaign, &l, NULL) != 0)
        return;
    if (found)
        job_forget(&o->any, token, NULL);
    else
        orphan_end(o, token);
    lease_drop(o->st, &l);
}

static int
orphans_end(struct store *st, struct sweep_result *out, struct err *err)
{
    struct arena a = {0};
    struct orphans o = {.st = st, .out = out};
    const char **tokens = NULL;
    size_t n = 0;
    char prefix[16];
    const char *dir = fs_join_in(&a, store_dir(st), "jobs");
    const struct jobs_config any = {.kind = "recorded", .jobs_dir = dir};
    const struct jobs_config local = {.kind = "local", .jobs_dir = dir};
    const struct jobs_config slurm = {.kind = "slurm", .jobs_dir = dir};
    const struct jobs_config command = {.kind = "command", .jobs_dir = dir};
    snprintf(prefix, sizeof prefix, "rea-%08x-", store_workspace_id(st));
    int rc = jobs_open(&o.any, &any, err);
    if (rc == 0)
        rc = jobs_list_in(&o.any, &a, prefix, &tokens, &n, err);
    if (rc == 0 && n > 0) {
        o.local_open = jobs_open(&o.local, &local, NULL) == 0;
        o.slurm_open = jobs_open(&o.slurm, &slurm, NULL) == 0;
        o.command_open = jobs_open(&o.command, &command, NULL) == 0;
    }
    for (size_t i = 0; rc == 0 && i < n; i++)
        token_look(&o, tokens[i]);
    jobs_close(&o.any);
    if (n > 0) {
        jobs_close(&o.local);
        jobs_close(&o.slurm);
        jobs_close(&o.command);
    }
    arena_fini(&a);
    return rc;
}

int
sweep_run(struct store *st, const struct wake_opts *opts,
    struct sweep_result *out, struct err *err)
{
    struct err second = {0};
    *out = (struct sweep_result){0};
    int rc = campaigns_wake(st, opts, out, err);
    int rc2 = orphans_end(st, out, &second);
    return rc == 0 && rc2 != 0 ? err_set(err, rc2, "%s", second.text) : rc;
}
