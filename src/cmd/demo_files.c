/* Writes the demo workspace: two project files as a user would have them, and
 * a wrapper of the trainer that lets two attempts fail, in the open. Called by
 * demo.c. */
#include "cmd/demo.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"

/* How the two models differ: what an untuned user ships with. */
static const struct demo_defaults {
    const char *model;
    double lr;
    int dim;
    const char *min_gain;
} demo_defaults[DEMO_MODELS] = {
    {"deepfm", 0.001, 16, "1e-3"},
    {"fm", 0.001, 16, "1e-3"},
};

static const char wrapper_text[] =
    "#!/bin/sh\n"
    "# Starts the bundled trainer. On two attempts of this demo it asks the\n"
    "# trainer to fail, so that you can see what happens then: once it takes\n"
    "# memory without bound, once its loss becomes NaN.\n"
    "case \"$REA_CAMPAIGN/$REA_TRIAL/$REA_ATTEMPT\" in\n"
    "C1/T9/1) REA_INJECT=oom@60; export REA_INJECT ;;\n"
    "C2/T11/1) REA_INJECT=nan@60; export REA_INJECT ;;\n"
    "esac\n"
    "exec \"%s\" \"$@\"\n";

static const char head_text[] =
    "# %s\n"
    "schema = 1\n"
    "[project]\n"
    "name = \"%s\"\n"
    "[train]\n"
    "command = \"sh trainer.sh --data={data} --cache=.cache --out={run_dir} "
    "--metrics={metrics_file} --predict-split=none {knobs} {resume}\"\n"
    "style = \"gnu\"\n"
    "seed = \"seed\"\n"
    "resume = \"--resume={checkpoint}\"\n"
    "checkpoint = \"{run_dir}/last.ckpt\"\n"
    "grace = \"2s\"\n"
    "exit_codes = { 85 = \"preempted\", 86 = \"diverged\" }\n"
    "fingerprint = [\"%s\"]\n"
    "[train.vars]\n"
    "data = \"%s\"\n"
    "[evaluate]\n"
    "command = \"sh trainer.sh --data={data} --cache=.cache --evaluate=test "
    "--load={checkpoint} --metrics={metrics_file} "
    "--predictions={predictions_file}\"\n"
    "[resources]\n"
    "cpus = 1\n"
    "memory = \"300M\"\n"
    "time = \"15s\"\n"
    "[metric.valid_auc]\n"
    "primary = true\n"
    "goal = \"max\"\n"
    "min_gain = %s\n"
    "from = \"jsonl\"\n"
    "key = \"valid.auc\"\n"
    "reduce = \"best\"\n"
    "watch = { nan = \"fail\" }\n"
    "[metric.test_auc]\n"
    "role = \"sealed\"\n"
    "goal = \"max\"\n"
    "from = \"jsonl\"\n"
    "key = \"test.auc\"\n"
    "[guardrail.valid_logloss]\n"
    "goal = \"min\"\n"
    "from = \"jsonl\"\n"
    "key = \"valid.logloss\"\n"
    "max_increase = \"1%%\"\n";

static const char knobs_text[] =
    "[knob.model]\n"
    "type = \"choice\"\n"
    "values = [\"fm\", \"ffm\", \"deepfm\", \"dcnv2\"]\n"
    "default = \"%s\"\n"
    "doc = \"model\"\n"
    "[knob.lr]\n"
    "type = \"float\"\n"
    "range = [1e-4, 1e-1]\n"
    "scale = \"log\"\n"
    "default = %g\n"
    "doc = \"learning rate\"\n"
    "[knob.dim]\n"
    "type = \"int\"\n"
    "range = [4, 32]\n"
    "scale = \"log\"\n"
    "default = %d\n"
    "doc = \"embedding size\"\n"
    "tags = [\"embedding\"]\n"
    "[knob.init-std]\n"
    "type = \"float\"\n"
    "range = [5e-3, 2e-1]\n"
    "scale = \"log\"\n"
    "default = 1e-2\n"
    "doc = \"sd of the initial embeddings\"\n"
    "[knob.embedding-l2]\n"
    "type = \"float\"\n"
    "range = [1e-7, 1e-2]\n"
    "scale = \"log\"\n"
    "default = 1e-7\n"
    "doc = \"L2 of embeddings\"\n"
    "[knob.l2]\n"
    "type = \"float\"\n"
    "range = [1e-7, 1e-2]\n"
    "scale = \"log\"\n"
    "default = 1e-7\n"
    "doc = \"L2 of dense and first-order weights\"\n"
    "[knob.optimizer]\n"
    "type = \"choice\"\n"
    "values = [\"adam\", \"adagrad\"]\n"
    "default = \"adam\"\n"
    "[knob.batch-size]\n"
    "type = \"choice\"\n"
    "values = [\"64\", \"128\", \"256\", \"512\", \"1024\"]\n"
    "default = \"512\"\n"
    "doc = \"rows a step\"\n"
    "[knob.dropout]\n"
    "type = \"float\"\n"
    "range = [0.0, 0.6]\n"
    "default = 0.0\n"
    "when = 'model in [\"deepfm\", \"dcnv2\"]'\n"
    "doc = \"dropout of hidden layers\"\n"
    "[knob.batch-norm]\n"
    "type = \"bool\"\n"
    "default = false\n"
    "when = 'model in [\"deepfm\", \"dcnv2\"]'\n"
    "[knob.hidden]\n"
    "type = \"choice\"\n"
    "values = [\"32\", \"64,32\", \"128,64\"]\n"
    "default = \"128,64\"\n"
    "when = 'model in [\"deepfm\", \"dcnv2\"]'\n"
    "doc = \"hidden layers\"\n"
    "[knob.cross-layers]\n"
    "type = \"int\"\n"
    "range = [1, 4]\n"
    "default = 2\n"
    "when = 'model == \"dcnv2\"'\n"
    "[knob.lr-schedule]\n"
    "type = \"choice\"\n"
    "values = [\"const\", \"cosine\", \"linear\"]\n"
    "default = \"const\"\n"
    "doc = \"learning rate over the run\"\n"
    "[knob.label-smoothing]\n"
    "type = \"float\"\n"
    "range = [0.0, 0.1]\n"
    "default = 0.0\n";

static const char tail_text[] = "[plan]\n"
                                "max_hypotheses = 14\n"
                                "[baseline]\n"
                                "seeds = 4\n"
                                "[budget]\n"
                                "unit = \"core_hours\"\n"
                                "total = 0.035\n"
                                "wall_clock = \"170s\"\n"
                                "max_parallel = 1\n"
                                "[backend]\n"
                                "kind = \"local\"\n"
                                "slots = 2\n";

const char *
demo_project(const struct demo *d, uint32_t i)
{
    return arena_printf(d->call->arena, "models/%s.toml", d->model[i].name);
}

static int
demo_model_write(struct demo *d, uint32_t i, struct err *err)
{
    const struct demo_model *m = &d->model[i];
    const struct demo_defaults *f = &demo_defaults[i];
    struct buf b = {0};
    buf_printf(&b, head_text, m->what, m->name, m->data, m->data, f->min_gain);
    buf_printf(&b, knobs_text, f->model, f->lr, f->dim);
    buf_puts(&b, tail_text);
    const char *file = fs_join_in(d->call->arena, d->root, demo_project(d, i));
    int rc = fs_write_atomic(file, buf_str(&b), b.len, false, err);
    buf_fini(&b);
    return rc;
}

int
demo_files(struct demo *d, struct err *err)
{
    struct arena *a = d->call->arena;
    const char *text = arena_printf(a, wrapper_text, d->trainer);
    int rc = fs_mkdirs(fs_join_in(a, d->root, "models"), err);
    if (rc == 0)
        rc = fs_write_atomic(fs_join_in(a, d->root, "trainer.sh"), text,
            strlen(text), false, err);
    for (uint32_t i = 0; rc == 0 && i < DEMO_MODELS; i++)
        rc = demo_model_write(d, i, err);
    return rc;
}
