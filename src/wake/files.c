/* The run folder of an attempt: .rea/runs/C1/T5/a1. Each attempt has its own,
 * so no log or metric of an earlier one can be taken for a later one's; a
 * resumed attempt reads the newest checkpoint of those before it, back to one
 * that ran away. Called when a job is started and when it has ended. */
#include "wake/part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/git.h"
#include "base/json.h"
#include "patch/spec.h"

void
run_dir_name(uint32_t campaign, uint32_t trial, uint32_t attempt,
    char out[STORE_PATH_LEN])
{
    snprintf(out, STORE_PATH_LEN,
        ".rea/runs/C%" PRIu32 "/T%" PRIu32 "/a%" PRIu32, campaign, trial,
        attempt);
}

int
run_files_in(struct arena *a, const char *run_dir, struct run_files *out,
    struct err *err)
{
    struct err why = {0};
    struct json *j =
        json_read(fs_join_in(a, run_dir, "spec.json"), 16 * 1024 * 1024, &why);
    /* a disk that fails now must not decide what the job has left */
    if (j == NULL && why.code == -ERR_SYS)
        return err_set(err, why.code, "%s", why.text);
    const struct {
        const char *key, *otherwise;
        const char **to;
    } want[] = {
        {"metrics_file", "metrics.jsonl", &out->metrics},
        {"predictions_file", "predictions.tsv", &out->predictions},
        {"checkpoint", "last.ckpt", &out->checkpoint},
        {"stdout", "stdout.log", &out->out},
        {"stderr", "stderr.log", &out->errors},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const char *path = json_get_str(j, want[i].key);
        *want[i].to = path != NULL ? arena_strdup(a, path)
                                   : fs_join_in(a, run_dir, want[i].otherwise);
    }
    out->resume = json_get_bool(j, "resume", false);
    int64_t good = json_get_i64(j, "good_attempt", 0);
    out->good_attempt = good > 0 && good < UINT8_MAX ? (uint32_t)good : 0;
    const char *remedy = json_get_str(j, "remedy");
    out->stabilises =
        remedy != NULL && strcmp(remedy, remedy_name(REMEDY_STABILISE)) == 0;
    json_free(j);
    return 0;
}

/* A job's paths may be relative to the workspace, where it runs. */
static const char *
from_root(struct wake *w, const char *path)
{
    return fs_join_in(&w->arena, store_root(w->st), path);
}

int
checkpoint_find(
    struct wake *w, uint32_t trial, const char **out, struct err *err)
{
    const struct trial *t = &w->core->trial[trial - 1];
    int64_t newest = -1;
    *out = NULL;
    for (uint32_t k = t->attempts; k >= 1; k--) {
        char dir[STORE_PATH_LEN];
        struct run_files files;
        run_dir_name(w->row.id, trial, k, dir);
        const char *full = from_root(w, dir);
        int64_t at;
        int rc = fs_mtime_look(full, &at, err);
        if (rc == 0 && at < 0)
            continue;
        if (rc == 0)
            rc = run_files_in(&w->arena, full, &files, err);
        if (rc == 0)
            rc = fs_mtime_look(from_root(w, files.checkpoint), &at, err);
        if (rc != 0)
            return rc;
        if (at > newest) {
            newest = at;
            *out = files.checkpoint;
        }
        if (files.stabilises)
            break;
    }
    return 0;
}

static const char *
hypotheses_of(struct wake *w, uint64_t mask)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < HYPOTHESES_MAX; i++)
        if (mask >> i & 1)
            buf_printf(&b, "%sH%u", b.len > 0 ? "," : "", i + 1);
    const char *text = arena_strdup(&w->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void
patches_key(struct jw *w, const struct core *c, uint32_t patches)
{
    jw_kstr(w, "sandbox", "bwrap");
    jw_key(w, "patches");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (patches >> i & 1)
            jw_str(w, c->patch[i].sha256);
    jw_arr_end(w);
}

static void
spec_json(struct wake *w, const struct job *j, const struct config *config,
    const struct job_request *req, uint32_t good_attempt,
    const struct job_command *c, const char *token, struct buf *out)
{
    struct jw jw;
    const struct spec *s = &w->core->spec;
    char text[VALUES_MAX * VALUE_LEN];
    jw_init(&jw, out, 2);
    jw_obj_begin(&jw);
    jw_kstr(&jw, "token", token);
    jw_kstr(&jw, "campaign", req->campaign);
    jw_kstr(&jw, "trial", req->trial);
    jw_ki64(&jw, "attempt", req->attempt);
    jw_kstr(&jw, "kind", req->evaluate ? "evaluation" : "training");
    jw_kstr(&jw, "phase", req->phase);
    jw_kstr(&jw, "hypotheses", req->hypotheses);
    jw_key(&jw, "experiment");
    jw_printf(&jw, "E%u", w->core->trial[j->trial - 1].experiment);
    jw_ki64(&jw, "seed", req->seed);
    jw_kbool(&jw, "resume", req->resume);
    if (j->remedy != REMEDY_NONE && !req->evaluate)
        jw_kstr(&jw, "remedy", remedy_name(j->remedy));
    if (good_attempt > 0)
        jw_ki64(&jw, "good_attempt", good_attempt);
    jw_kstr(&jw, "commit",
        jobs_are_boxed(w) ? w->core->base_rev
                          : git_head_in(&w->arena, store_root(w->st)));
    if (jobs_are_boxed(w))
        patches_key(&jw, w->core,
            w->core->experiment[w->core->trial[j->trial - 1].experiment]
                .config.patches);
    jw_kstr(&jw, "command", c->line);
    jw_kstr(&jw, "metrics_file", c->metrics_file);
    jw_kstr(&jw, "predictions_file", c->predictions_file);
    jw_kstr(&jw, "checkpoint", c->checkpoint);
    jw_key(&jw, "knobs");
    jw_obj_begin(&jw);
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        if (!knob_is_active(s, config, k))
            continue;
        knob_format(&s->knob[k], config->v[k], text, sizeof text);
        jw_kstr(&jw, s->knob[k].name, text);
    }
    jw_obj_end(&jw);
    jw_obj_end(&jw);
    buf_putc(out, '\n');
}

/* An attempt after one that ran away: with the last checkpoint that is known to
 * be good under its own name, where there is one. */
static int
roll_back(struct wake *w, const struct job *j, const char *run_dir,
    struct job_request *req, uint32_t *good_attempt, struct err *err)
{
    struct good_mark good;
    bool found = false;
    const char *own = project_checkpoint_in(&w->arena, w->project, run_dir);
    int rc = good_find(
        w, j->trial, j->attempt - 1, &found, good_attempt, &good, err);
    if (rc == 0 && found)
        rc = good_put(w, &good, from_root(w, own), &req->resume, err);
    if (!req->resume)
        *good_attempt = 0;
    return rc;
}

/* Only a real resume continues: a plain retry starts from nothing, and an
 * evaluation loads what its trial's training has left. */
static int
request_fill(struct wake *w, const struct job *j, const char *run_dir,
    const struct config *config, struct job_request *req,
    uint32_t *good_attempt, struct err *err)
{
    int rc = 0;
    const struct trial *t = &w->core->trial[j->trial - 1];
    const struct experiment *x = &w->core->experiment[t->experiment];
    *req = (struct job_request){.evaluate = j->kind == JOB_EVALUATE,
        .config = config,
        .seed = (int32_t)t->seed,
        .run_dir = run_dir,
        .campaign = arena_printf(&w->arena, "C%u", w->row.id),
        .trial = arena_printf(&w->arena, "T%u", j->trial),
        .attempt = j->attempt,
        .phase = phase_name(t->phase),
        .hypotheses = hypotheses_of(w, x->mask)};
    *good_attempt = 0;
    if (j->resume && j->remedy == REMEDY_STABILISE)
        return roll_back(w, j, run_dir, req, good_attempt, err);
    if (req->evaluate || j->resume)
        rc = checkpoint_find(w, j->trial, &req->checkpoint, err);
    req->resume = j->resume && req->checkpoint != NULL;
    return rc;
}

int
run_prepare(struct wake *w, const struct job *j, const char *run_dir,
    const char *token, struct job_command *out, struct err *err)
{
    struct config *config = arena_alloc(&w->arena, sizeof *config);
    struct job_request req;
    struct buf text = {0};
    uint32_t good_attempt = 0;
    const char *work =
        jobs_are_boxed(w) ? sandbox_work_in(&w->arena, run_dir) : run_dir;
    job_config(w->core, j, config);
    int rc = request_fill(w, j, work, config, &req, &good_attempt, err);
    if (rc == 0)
        rc = command_render(&w->arena, w->project, &req, out, err);
    if (rc == 0)
        rc = fs_mkdirs(work, err);
    if (rc == 0) {
        spec_json(w, j, config, &req, good_attempt, out, token, &text);
        const struct fs_small file[] = {
            {from_root(w, out->knobs_file), out->knobs_json,
                strlen(out->knobs_json)},
            {fs_join_in(&w->arena, run_dir, "spec.json"), buf_str(&text),
                text.len}};
        rc = fs_write_together(
            file, 2, w->jobs.ops->caps.elsewhere ? FS_DURABLE : FS_LOOSE, err);
    }
    if (rc == 0 && jobs_are_boxed(w))
        rc = job_box(w, j, out, err);
    buf_fini(&text);
    return rc;
}
