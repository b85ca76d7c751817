/* The first project file of a model, written by `rea init` from what a
 * training command showed. Invariant: the text parses; what could not be found
 * out is an example that says so. */
#include "project/project.h"

#include "base/json.h"

#include <string.h>

static void
put_key(struct buf *out, const char *key, const char *text)
{
    struct jw w; /* JSON's escapes are TOML's too */
    buf_printf(out, "%s = ", key);
    jw_init(&w, out, 0);
    jw_str(&w, text);
    buf_putc(out, '\n');
}

static void
put_num(struct buf *out, const char *key, double v)
{
    buf_printf(out, "%s = ", key);
    buf_put_f64(out, v);
    buf_putc(out, '\n');
}

/* Names with dots need quotes in a header. */
static void
put_header(struct buf *out, const char *section, const char *name)
{
    const char *quote = strchr(name, '.') != NULL ? "\"" : "";
    buf_printf(out, "\n[%s.%s%s%s]\n", section, quote, name, quote);
}

static void
put_values(struct buf *out, const struct template_knob *k)
{
    const char *s = k->values;
    uint32_t i = 0, chosen = (uint32_t)k->deflt;
    struct buf deflt = {0};
    struct jw w, d;
    buf_puts(out, "values = ");
    jw_init(&w, out, 0);
    jw_init(&d, &deflt, 0);
    jw_arr_begin(&w);
    while (*s != '\0') {
        size_t n = strcspn(s, ",");
        jw_strn(&w, s, n);
        if (i++ == chosen)
            jw_strn(&d, s, n);
        s += n + (s[n] == ',');
    }
    jw_arr_end(&w);
    buf_printf(out, "\ndefault = %s\n", buf_str(&deflt));
    buf_fini(&deflt);
}

static void
put_knob(struct buf *out, const struct template_knob *k)
{
    static const char *const kinds[] = {
        "", "float", "int", "bool", "choice", "set", "list"};
    put_header(out, "knob", k->name);
    put_key(out, "type", kinds[k->kind]);
    if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT) {
        buf_puts(out, "range = [");
        buf_put_f64(out, k->lo);
        buf_puts(out, ", ");
        buf_put_f64(out, k->hi);
        buf_puts(out, "]     # check these bounds\n");
        if (k->log)
            put_key(out, "scale", "log");
        put_num(out, "default", k->deflt);
    } else if (k->kind == KNOB_BOOL) {
        buf_printf(out, "default = %s\n", k->deflt != 0 ? "true" : "false");
    } else {
        put_values(out, k);
    }
    if (k->flag != NULL)
        put_key(out, "flag", k->flag);
    if (k->doc != NULL)
        put_key(out, "doc", k->doc);
}

static void
put_metric(struct buf *out, const struct template_metric *m)
{
    bool guard = strcmp(m->role, "guardrail") == 0;
    bool output =
        strcmp(m->from, "stdout") == 0 || strcmp(m->from, "stderr") == 0;
    put_header(out, guard ? "guardrail" : "metric", m->name);
    if (strcmp(m->role, "primary") == 0) {
        buf_puts(out, "primary = true\n");
        buf_puts(out, "# the smallest gain that is worth shipping\n");
        put_num(out, "min_gain", m->min_gain > 0 ? m->min_gain : 1e-3);
    } else if (!guard) {
        put_key(out, "role", m->role);
    }
    put_key(out, "goal", m->goal);
    put_key(out, "from", m->from);
    put_key(out, output ? "pattern" : "key", m->key);
    if (guard)
        buf_printf(out, "%s = \"1%%\"\n",
            strcmp(m->goal, "min") == 0 ? "max_increase" : "max_drop");
}

static void
put_train(struct buf *out, const struct project_template *t)
{
    buf_puts(out, "\n[train]\n");
    put_key(out, "command", t->command);
    put_key(out, "style", style_name(t->style ? t->style : STYLE_GNU));
    if (t->seed != NULL)
        put_key(out, "seed", t->seed);
    else
        buf_puts(out,
            "# no flag for the seed was found: name it, so that repeats "
            "differ\n# seed = \"seed\"\n");
    buf_puts(out, "# a run that can go on after it was stopped:\n"
                  "# resume = \"--resume={checkpoint}\"\n"
                  "# checkpoint = \"{run_dir}/last.ckpt\"\n"
                  "# files whose content identifies the data:\n"
                  "# fingerprint = [\"data\"]\n");
    buf_puts(out, "\n[resources]                # of one run\ncpus = 1\n");
    double s = t->time_s > 0 ? t->time_s : 3600;
    buf_printf(out, "time = \"%.0fs\"\n", s < 1 ? 1 : s);
}

void
project_write_template(const struct project_template *t, struct buf *out)
{
    static const struct template_metric example = {.name = "valid_auc",
        .role = "primary",
        .goal = "max",
        .from = "jsonl",
        .key = "valid.auc",
        .min_gain = 1e-3};
    static const struct template_knob knob = {.name = "lr",
        .kind = KNOB_FLOAT,
        .log = true,
        .lo = 1e-4,
        .hi = 1,
        .deflt = 1e-2,
        .doc = "learning rate"};
    buf_puts(out, "# Read by rea; every key is explained in "
                  "docs/project-file.md.\nschema = 1\n\n[project]\n");
    put_key(out, "name", t->name);
    put_train(out, t);
    if (t->n_metrics == 0) {
        buf_puts(out, "\n# No metric was found: this is an example.\n");
        put_metric(out, &example);
    }
    for (size_t i = 0; i < t->n_metrics; i++)
        put_metric(out, &t->metric[i]);
    if (t->n_knobs == 0) {
        buf_puts(out, "\n# No knob was found: this is an example.\n");
        put_knob(out, &knob);
    }
    for (size_t i = 0; i < t->n_knobs; i++)
        put_knob(out, &t->knob[i]);
    buf_puts(out, "\n[baseline]\nseeds = 5\n"
                  "\n[budget]\nunit = \"trials\"\ntotal = 60\n"
                  "max_parallel = 1\n"
                  "\n[backend]\nkind = \"local\"\n");
}
