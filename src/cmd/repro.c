/* rea repro: the exact command behind a result; --run runs it again through
 * the local backend with the same seed and says PASS or FAIL. A rerun is no
 * part of the campaign: it costs none of its budget and changes nothing. */
#include "cmd/rerun.h"
#include "cmd/verbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "jobs/jobs.h"
#include "patch/spec.h"
#include "patch/tree.h"
#include "project/harvest.h"
#include "report/load.h"

struct rerun_result {
    uint32_t trial;
    double was, is, lo, hi;
    bool ended, pass, equal;
    uint32_t reason;
    char detail[DETAIL_LEN];
};

static int
rerun_start(struct call *call, const struct project *p, uint32_t phase,
    struct jobs *jobs, const struct job_command *cmd, const char *root,
    const char *dir, bool boxed, struct job_handle *h, struct err *err)
{
    const char *file = fs_join_in(call->arena, root, cmd->knobs_file);
    const struct resources *x = project_resources(p, phase);
    int rc = fs_write_atomic(
        file, cmd->knobs_json, strlen(cmd->knobs_json), false, err);
    struct job_spec spec = {.token = arena_printf(call->arena, "repro-%d-%lld",
                                getpid(), (long long)fs_boot_ms()),
        .run_dir = fs_join_in(call->arena, root, dir),
        .argv = cmd->argv,
        .envp = cmd->env,
        .cwd = root,
        .boxed = boxed,
        .cpus = x->cpus,
        .gpus = x->gpus,
        .memory_bytes = x->memory_bytes,
        .time_ms = x->time_ms,
        .grace_ms = p->train.grace_ms,
        .hang_ms = p->train.hang_ms,
        .metrics_path = fs_join_in(call->arena, root, cmd->metrics_file),
        .watch = &p->harvest,
        .lease_fd = -1};
    return rc != 0 ? rc : job_submit(jobs, &spec, h, err);
}

static int
rerun_wait(struct jobs *jobs, const struct job_handle *h,
    struct job_status *status, struct err *err)
{
    for (;;) {
        int rc = job_poll(jobs, h, status, err);
        if (rc != 0 || status->state == JOB_STATE_DONE)
            return rc;
        usleep(50000);
    }
}

static void
rerun_judge(const struct core *c, const struct harvest_value *v,
    struct rerun_result *out)
{
    out->was = c->trial[out->trial].metric[c->spec.primary];
    out->lo = out->hi = NAN;
    repro_interval(c, out->trial, &out->lo, &out->hi);
    out->is = v[c->spec.primary].has ? v[c->spec.primary].value : NAN;
    /* The same bits are asked for here: that is what a deterministic trainer
     * gives with the same seed. */
    out->equal = memcmp(&out->is, &out->was, sizeof(out->is)) == 0;
    out->pass = out->equal || (out->is >= out->lo && out->is <= out->hi);
}

static int
rerun_one(struct call *call, const struct project *p, const struct core *c,
    struct jobs *jobs, const char *root, struct rerun_result *out,
    struct err *err)
{
    struct job_command cmd;
    struct job_handle h;
    struct job_status status;
    struct harvest_value v[METRICS_MAX];
    const char *dir = arena_printf(
        call->arena, ".rea/repro/T%u-%d", out->trial + 1, getpid());
    char *full = fs_join_in(call->arena, root, dir);
    bool boxed = c->base_rev[0] != '\0';
    int rc = rerun_command(call, p, c, out->trial,
        boxed ? sandbox_work_in(call->arena, dir) : dir, &cmd, err);
    if (rc == 0)
        rc = fs_mkdirs(boxed ? sandbox_work_in(call->arena, full) : full, err);
    if (rc == 0 && boxed)
        rc = sandbox_wrap(call->arena, p, c, root,
            c->experiment[c->trial[out->trial].experiment].config.patches, full,
            NULL, false, &cmd, err);
    if (rc == 0)
        rc = rerun_start(call, p, c->trial[out->trial].phase, jobs, &cmd, root,
            dir, boxed, &h, err);
    if (rc == 0)
        rc = rerun_wait(jobs, &h, &status, err);
    if (rc != 0)
        return err_wrap(err, rc, "rerun of T%u", out->trial + 1);
    out->reason = status.exit.reason;
    memcpy(out->detail, status.exit.detail, sizeof(out->detail));
    out->ended = out->reason == REASON_OK;
    (void)job_forget(jobs, status.exit.token, err);
    rc = harvest_files(&p->harvest,
        fs_join_in(call->arena, root, cmd.metrics_file),
        fs_join_in(call->arena, full, "stdout.log"),
        fs_join_in(call->arena, full, "stderr.log"), NULL, NULL, v, err);
    if (rc == 0 && out->ended)
        rerun_judge(c, v, out);
    return rc;
}

static void
rerun_say(struct call *call, const struct core *c, const struct rerun_result *r)
{
    const char *metric = c->spec.metric[c->spec.primary].name;
    if (!r->ended)
        say(call, "FAIL  T%u: the rerun ended with %s %s\n", r->trial + 1,
            reason_name(r->reason), r->detail);
    else if (r->equal)
        say(call, "PASS  T%u: %s %.8g again, to the last bit\n", r->trial + 1,
            metric, r->is);
    else
        say(call, "%s  T%u: %s %.8g, was %.8g, expected [%.8g, %.8g]\n",
            r->pass ? "PASS" : "FAIL", r->trial + 1, metric, r->is, r->was,
            r->lo, r->hi);
}

static void
rerun_json(struct jw *w, const struct rerun_result *r)
{
    jw_obj_begin(w);
    jw_key(w, "trial");
    jw_printf(w, "T%u", r->trial + 1);
    jw_kbool(w, "pass", r->ended && r->pass);
    jw_kbool(w, "equal", r->ended && r->equal);
    jw_kstr(w, "ended", reason_name(r->reason));
    jw_kf64(w, "value", r->is);
    jw_kf64(w, "was", r->was);
    jw_kf64(w, "lo", r->lo);
    jw_kf64(w, "hi", r->hi);
    jw_obj_end(w);
}

/* The data must be what the trials saw, or the comparison means nothing. */
static int
rerun_data(const struct project *p, const struct core *c, struct err *err)
{
    char now[FINGERPRINT_HEX];
    int rc = project_fingerprint(p, now, err);
    if (rc != 0)
        return rc;
    if (c->fingerprint[0] == '\0' || strcmp(now, c->fingerprint) == 0)
        return 0;
    return err_set(err, -ERR_CHECK,
        "FAIL: the data changed: fingerprint %.16s, the campaign ended on "
        "%.16s\n  remedy: restore the data",
        now, c->fingerprint);
}

static int
rerun_all(struct call *call, struct store *st, const struct report *r,
    const struct report_id *id, struct err *err)
{
    struct project *p = NULL;
    struct rerun run;
    struct jobs jobs = {0};
    const struct core *c = r->core;
    const char *root = arena_strdup(call->arena, store_root(st));
    struct jobs_config conf = {.kind = "local",
        .jobs_dir = fs_join_in(call->arena, root, ".rea/repro/jobs")};
    struct jw w;
    int rc = rerun_choose(c, id, &run, err);
    if (rc == 0)
        rc = work_project(call, st, r->campaign, &p, err);
    if (rc == 0)
        rc = rerun_data(p, c, err);
    if (rc == 0)
        rc = jobs_open(&jobs, &conf, err);
    if (call->json) {
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_key(&w, "reruns");
        jw_arr_begin(&w);
    }
    for (uint32_t i = 0; rc == 0 && i < run.n; i++) {
        struct rerun_result res = {
            .trial = run.trial[i], .is = NAN, .was = NAN, .lo = NAN, .hi = NAN};
        rc = rerun_one(call, p, c, &jobs, root, &res, err);
        if (rc != 0)
            break;
        call->check_failed += !(res.ended && res.pass);
        if (call->json)
            rerun_json(&w, &res);
        else
            rerun_say(call, c, &res);
    }
    jobs_close(&jobs);
    if (c->base_rev[0] != '\0') /* a cache; what runs is not touched */
        (void)trees_sweep(root, NULL);
    if (rc != 0) {
        buf_clear(&call->out);
        return rc;
    }
    if (call->json) {
        jw_arr_end(&w);
        jw_kstr(&w, "result", call->check_failed > 0 ? "FAIL" : "PASS");
        jw_obj_end(&w);
        say(call, "\n");
    } else
        say(call, "%s\n", call->check_failed > 0 ? "FAIL" : "PASS");
    return 0;
}

static int
repro_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct report_id id;
    struct report_repro repro;
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0)
        rc = work_part(call, st, call->args[0], &id, err);
    struct report *r = rc == 0 ? report_load(st, id.campaign, err) : NULL;
    if (rc == 0 && r == NULL)
        rc = err->code;
    if (rc == 0 && call_has(call, "run")) {
        rc = rerun_all(call, st, r, &id, err);
    } else if (rc == 0) {
        rc = rerun_describe(call, st, r, &id, &repro, err);
        if (rc == 0 && call->json)
            report_repro_json(&repro, &call->out);
        else if (rc == 0)
            report_repro_text(&repro, &call->out);
        call_next(call, "rea repro %s --run", call->args[0]);
    }
    report_free(r);
    store_close(st);
    return rc;
}

static const struct cmd_opt repro_opts[] = {
    {"run", 0, NULL, "run it again and say PASS or FAIL (exit 4)"}, {0}};

const struct cmd cmd_repro = {.name = "repro",
    .args = "T|E|C",
    .min_args = 1,
    .max_args = 1,
    .help = "the exact command behind a result, and where it should land",
    .more = "A rerun passes when its search metric is the same to the last "
            "bit, or lies in the 95 % interval of its experiment's seeds. A "
            "campaign stands for its proposal.",
    .example = "rea repro T41 --run",
    .opts = repro_opts,
    .run = repro_run};
