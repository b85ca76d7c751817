/* What a result was run with, and how it is run again. Called by repro, report
 * and accept. The configuration is the engine's own answer for that trial,
 * remedies included; nothing is guessed from files. */
#include "cmd/rerun.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/child.h"

static bool
trial_usable(const struct core *c, uint32_t t)
{
    return c->trial[t].state == TRIAL_OK &&
           isfinite(c->trial[t].metric[c->spec.primary]);
}

static void
rerun_experiment(const struct core *c, uint32_t experiment, struct rerun *out)
{
    out->experiment = experiment;
    /* Unchanged trials of the last data window stand for the experiment. */
    for (uint32_t t = c->n_trials; t-- > 0 && out->n < RERUN_MAX;) {
        const struct trial *x = &c->trial[t];
        if (x->experiment == experiment && trial_usable(c, t) &&
            x->labels == 0 && x->window == c->window)
            out->trial[out->n++] = t;
    }
}

int
rerun_choose(const struct core *c, const struct report_id *id,
    struct rerun *out, struct err *err)
{
    memset(out, 0, sizeof(*out));
    if (id == NULL || id->kind == 'C') {
        if (c->proposal == 0)
            return err_set(err, -ERR_NOT_FOUND,
                "this campaign proposes nothing%s\n"
                "  remedy: name an experiment or a trial: rea repro T1",
                c->state == CAMPAIGN_DONE ? "" : " (yet)");
        rerun_experiment(c, c->proposal, out);
    } else if (id->kind == 'E') {
        if (id->number >= c->n_experiments)
            return err_set(err, -ERR_NOT_FOUND,
                "there is no E%u; there are E0 to E%u", id->number,
                c->n_experiments - 1);
        rerun_experiment(c, id->number, out);
    } else if (id->kind == 'T') {
        if (id->number == 0 || id->number > c->n_trials)
            return err_set(err, -ERR_NOT_FOUND,
                "there is no T%u; there are T1 to T%u", id->number,
                c->n_trials);
        out->trial[out->n++] = id->number - 1;
        out->experiment = c->trial[id->number - 1].experiment;
    } else
        return err_set(err, -ERR_INPUT,
            "a trial, an experiment or a campaign can be run again, not %c%u",
            id->kind, id->number);
    if (out->n == 0)
        return err_set(err, -ERR_NOT_FOUND, "%c%u has no trial that ended well",
            id != NULL ? id->kind : 'E', id != NULL ? id->number : c->proposal);
    return 0;
}

int
rerun_command(struct call *call, const struct project *p, const struct core *c,
    uint32_t trial, const char *run_dir, struct job_command *out,
    struct err *err)
{
    struct config config;
    struct job job = {.trial = trial + 1};
    job_config(c, &job, &config);
    struct job_request req = {.config = &config,
        .seed = (int32_t)c->trial[trial].seed,
        .run_dir = run_dir,
        .campaign = "C0",
        .trial = arena_printf(call->arena, "T%u", trial + 1),
        .attempt = 1,
        .phase = "repro",
        .hypotheses = ""};
    return command_render(call->arena, p, &req, out, err);
}

static const char *
environment_text(struct call *call)
{
    struct utsname u;
    if (uname(&u) != 0)
        return NULL;
    return arena_printf(call->arena, "%s %s %s, %ld CPUs", u.sysname, u.release,
        u.machine, sysconf(_SC_NPROCESSORS_ONLN));
}

/* The commit that a trial's last attempt ran on, from its run folder; where
 * that is the present one, whether files were changed since. */
static const char *
commit_text(struct call *call, const char *root, uint32_t campaign,
    const char *trial, uint32_t attempt)
{
    const char *path = arena_printf(call->arena,
        "%s/.rea/runs/C%u/%s/a%u/spec.json", root, campaign, trial, attempt);
    struct json *spec = json_read(path, 16 * 1024 * 1024, NULL);
    const char *ran = json_get_str(spec, "commit");
    ran = ran != NULL ? arena_strdup(call->arena, ran) : NULL;
    json_free(spec);
    const char *head =
        git_line(call->arena, root, NULL, "rev-parse", "HEAD", (char *)NULL);
    if (ran == NULL || head == NULL || strcmp(ran, head) != 0)
        return ran;
    static const char *const quiet[] = {"GIT_OPTIONAL_LOCKS=0", NULL};
    const char *dirty = git_line(call->arena, root, quiet, "status",
        "--porcelain", "--untracked-files=no", (char *)NULL);
    if (dirty == NULL || dirty[0] == '\0')
        return head;
    return arena_printf(call->arena, "%s   # with uncommitted changes", head);
}

/* The files of an experiment's patches, in the order of their application. */
static const char *
patches_text(struct call *call, const struct core *c, uint32_t experiment)
{
    uint32_t patches = c->experiment[experiment].config.patches;
    const char *text = NULL;
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (patches >> i & 1)
            text = arena_printf(call->arena, "%s%s.rea/patches/%s.diff",
                text != NULL ? text : "", text != NULL ? " " : "",
                c->patch[i].sha256);
    return text;
}

int
rerun_describe(struct call *call, struct store *st, const struct report *r,
    const struct report_id *which, struct report_repro *out, struct err *err)
{
    struct project *p = NULL;
    struct rerun run;
    struct job_command cmd;
    const struct core *c = r->core;
    int rc = rerun_choose(c, which, &run, err);
    if (rc == 0)
        rc = work_project(call, st, r->campaign, &p, err);
    if (rc != 0)
        return rc;
    uint32_t t = run.trial[0];
    const char *dir = arena_printf(call->arena, ".rea/repro/T%u", t + 1);
    rc = rerun_command(call, p, c, t, dir, &cmd, err);
    if (rc != 0)
        return rc;
    const char *line =
        strstr(cmd.line, dir) == NULL
            ? cmd.line
            : arena_printf(call->arena, "mkdir -p %s && %s", dir, cmd.line);
    *out = (struct report_repro){
        .id = which != NULL && which->kind == 'T'
                  ? arena_printf(call->arena, "T%u", t + 1)
                  : arena_printf(call->arena, "E%u", run.experiment),
        .workspace = arena_strdup(call->arena, store_root(st)),
        .patch = patches_text(call, c, run.experiment),
        .commit = c->base_rev[0] != '\0'
                      ? c->base_rev
                      : commit_text(call, store_root(st), r->campaign,
                            arena_printf(call->arena, "T%u", t + 1),
                            c->trial[t].attempts),
        .command = line,
        .environment = environment_text(call),
        .fingerprint = c->fingerprint,
        .metric = c->spec.metric[c->spec.primary].name,
        .value = c->trial[t].metric[c->spec.primary],
        .lo = NAN,
        .hi = NAN};
    repro_interval(c, t, &out->lo, &out->hi);
    return 0;
}
