/* The identity of a project: canonical text, its hash, and what changed
 * between two texts (project.h). Called when a plan is signed and at every
 * wake after it. Invariant: equal behaviour gives equal text; each field is
 * one line, "name = value". */
#include "project/project.h"

#include "base/fs.h"
#include "base/json.h"
#include "project/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct canon {
    struct buf *out;
    const char *section; /* "train.", "knob.lr." */
};

static void
put_name(const struct canon *c, const char *name)
{
    buf_printf(c->out, "%s%s = ", c->section, name);
}

/* Text as a JSON string, so that a line break can't fake a line. */
static void
put_text(const struct canon *c, const char *name, const char *text)
{
    struct jw w;
    if (text == NULL)
        return;
    put_name(c, name);
    jw_init(&w, c->out, 0);
    jw_str(&w, text);
    buf_putc(c->out, '\n');
}

static void
put_num(const struct canon *c, const char *name, double v)
{
    put_name(c, name);
    buf_put_f64(c->out, v);
    buf_putc(c->out, '\n');
}

static void
put_i64(const struct canon *c, const char *name, int64_t v)
{
    put_name(c, name);
    buf_printf(c->out, "%" PRId64 "\n", v);
}

static void
put_train(const struct project *p, struct buf *out)
{
    struct canon c = {out, "train."};
    char name[64];
    put_text(&c, "command", p->train.command);
    put_i64(&c, "shell", p->train.shell);
    put_text(&c, "style", style_name(p->train.style));
    put_text(&c, "resume", p->train.resume);
    put_text(&c, "checkpoint", p->train.checkpoint);
    put_text(&c, "seed", p->train.seed_flag);
    put_i64(&c, "grace_ms", p->train.grace_ms);
    put_i64(&c, "hang_ms", p->train.hang_ms);
    if (!p->train.pace)
        put_i64(&c, "pace", 0);
    if (p->train.backoff_ms != BACKOFF_USUAL_MS) /* older files: their hash */
        put_i64(&c, "backoff_ms", p->train.backoff_ms);
    /* Tables come in the file's order, which must not count: by code, and
     * variables by name. */
    for (int code = 0; code < 256; code++) {
        enum exit_meaning m = project_exit(p, code);
        snprintf(name, sizeof name, "exit_codes.%d", code);
        if (m != EXIT_MEANS_NONE)
            put_text(&c, name, exit_meaning_name(m));
    }
    for (uint32_t i = 0; i < p->train.n_fingerprint; i++)
        put_text(&c, "fingerprint", p->train.fingerprint[i]);
    put_text(&c, "fingerprint_command", p->train.fingerprint_command);
    c.section = "train.vars.";
    const char *last = "";
    for (uint32_t n = 0; n < p->train.n_vars; n++) {
        const struct var *next = NULL;
        for (uint32_t i = 0; i < p->train.n_vars; i++) {
            const struct var *v = &p->train.vars[i];
            if (strcmp(v->name, last) > 0 &&
                (next == NULL || strcmp(v->name, next->name) < 0))
                next = v;
        }
        put_text(&c, next->name, next->value);
        last = next->name;
    }
}

/* What differs in a phase; nothing, where nothing does. */
static void
put_phase(const struct project *p, uint32_t phase, struct buf *out)
{
    const struct resources *x = project_resources(p, phase);
    const struct resources *all = &p->resources;
    char section[NAME_LEN];
    struct canon c = {out, section};
    snprintf(section, sizeof section, "resources.%s.", phase_name(phase));
    if (x->cpus != all->cpus)
        put_num(&c, "cpus", x->cpus);
    if (x->gpus != all->gpus)
        put_num(&c, "gpus", x->gpus);
    if (x->memory_bytes != all->memory_bytes)
        put_i64(&c, "memory_bytes", x->memory_bytes);
    if (x->memory_max_bytes != all->memory_max_bytes)
        put_i64(&c, "memory_max_bytes", x->memory_max_bytes);
    if (x->time_ms != all->time_ms)
        put_i64(&c, "time_ms", x->time_ms);
    if (x->evaluate_ms != all->evaluate_ms)
        put_i64(&c, "evaluate_ms", x->evaluate_ms);
    if (x->price_per_hour != all->price_per_hour)
        put_num(&c, "price_per_hour", x->price_per_hour);
}

static void
put_jobs(const struct project *p, struct buf *out)
{
    struct canon c = {out, "evaluate."};
    put_text(&c, "command", p->evaluate.command);
    if (p->evaluate.command != NULL) {
        put_i64(&c, "shell", p->evaluate.shell);
        put_i64(&c, "time_ms", p->evaluate.time_ms);
    }
    c.section = "resources.";
    put_num(&c, "cpus", p->resources.cpus);
    put_num(&c, "gpus", p->resources.gpus);
    put_i64(&c, "memory_bytes", p->resources.memory_bytes);
    if (p->resources.memory_max_bytes > 0) /* older files: their hash */
        put_i64(&c, "memory_max_bytes", p->resources.memory_max_bytes);
    put_i64(&c, "time_ms", p->resources.time_ms);
    for (uint32_t i = PHASE_VALIDATION; i < PHASE_COUNT; i++)
        put_phase(p, i, out);
}

static void
put_metric(const struct project *p, uint32_t i, struct buf *out)
{
    const struct metric *m = &p->spec.metric[i];
    const struct metric_source *s = &p->harvest.source[i];
    static const char *const roles[] = {"plain", "primary", "sealed", "guard"};
    char section[NAME_LEN + 16];
    struct canon c = {out, section};
    snprintf(section, sizeof section, "%s.%s.",
        m->role == METRIC_GUARD ? "guardrail" : "metric", m->name);
    put_text(&c, "role", roles[m->role]);
    if (i == p->spec.sealed)
        put_i64(&c, "deciding", 1);
    put_i64(&c, "goal", m->goal);
    put_num(&c, "target", m->target);
    put_num(&c, "min_gain", m->min_gain);
    put_i64(&c, "guard", m->guard);
    put_num(&c, "limit", m->limit);
    put_i64(&c, "relative", m->relative);
    put_i64(&c, "from", s->from);
    put_text(&c, "key", s->key);
    put_text(&c, "pattern", s->pattern);
    put_i64(&c, "reduce", s->reduce);
    put_i64(&c, "mean_n", s->mean_n);
    put_i64(&c, "nan_fail", s->nan_fail);
    put_num(&c, "spike", s->spike);
    if (s->curve != (s == &p->harvest.source[p->harvest.primary]))
        put_i64(&c, "curve", s->curve);
}

static void
put_knob(const struct project *p, uint32_t i, struct buf *out)
{
    const struct knob *k = &p->spec.knob[i];
    const struct project_knob *e = &p->knob[i];
    static const char *const kinds[] = {
        "none", "float", "int", "bool", "choice", "set", "list"};
    char section[NAME_LEN + 16], name[32];
    struct canon c = {out, section};
    struct buf b = {0};
    snprintf(section, sizeof section, "knob.%s.", k->name);
    put_text(&c, "type", kinds[k->kind]);
    knob_text(p, i, k->deflt, &b);
    put_text(&c, "default", buf_str(&b));
    buf_fini(&b);
    put_num(&c, "lo", k->lo);
    put_num(&c, "hi", k->hi);
    put_i64(&c, "log", k->log);
    for (uint32_t v = 0; v < k->n_values; v++) {
        snprintf(name, sizeof name, "values.%u", v);
        put_text(&c, name, k->values[v]);
    }
    put_i64(&c, "num_mask", e->num_mask);
    put_i64(&c, "bool_mask", e->bool_mask);
    for (uint32_t j = 0; j < k->n_when; j++) {
        const struct cond *op = &k->when[j];
        snprintf(name, sizeof name, "when.%u", j);
        put_name(&c, name);
        bool named =
            op->op == COND_EQ || op->op == COND_NE || op->op == COND_HAS;
        buf_printf(
            out, "%u %s ", op->op, named ? p->spec.knob[op->knob].name : "-");
        buf_put_f64(out, op->value);
        buf_putc(out, '\n');
    }
    put_text(&c, "style", style_name(knob_style(p, i)));
    put_text(&c, "flag", e->flag);
    put_text(&c, "tags", k->tags);
    put_text(&c, "doc", k->doc);
}

static void
put_space(const struct project *p, struct buf *out)
{
    const struct spec *s = &p->spec;
    struct canon c = {out, "fidelity."};
    if (s->fidelity_knob >= 0)
        put_text(&c, "knob", s->knob[s->fidelity_knob].name);
    for (uint32_t i = 0; i < s->n_rungs; i++)
        put_num(&c, "rung", s->rung[i]);
    /* said only where it is not the default: older hashes stay valid */
    if (s->n_rungs > 1 && !s->stops)
        put_text(&c, "stop", "false");
    if (p->progress < METRICS_MAX)
        put_text(&c, "progress", s->metric[p->progress].name);
    c.section = "space.";
    for (uint32_t i = 0; i < s->n_candidates; i++) {
        put_name(&c, "candidate");
        for (uint32_t k = 0; k < s->n_knobs; k++) {
            buf_putc(out, k ? ',' : ' ');
            buf_put_f64(out, s->candidate[i][k]);
        }
        buf_putc(out, '\n');
    }
}

static void
put_plan(const struct project *p, struct buf *out)
{
    const struct spec *s = &p->spec;
    struct canon c = {out, "plan."};
    put_i64(&c, "phases", s->phases);
    put_i64(&c, "max_hypotheses", s->max_hypotheses);
    put_i64(&c, "baseline_seeds", s->baseline_seeds);
    c.section = "budget.";
    put_text(&c, "unit", unit_name(s->unit));
    put_num(&c, "total", (double)s->total_u / MICRO);
    put_i64(&c, "wall_clock_ms", s->wall_clock_ms);
    put_i64(&c, "max_parallel", s->max_parallel);
    put_num(&c, "per_trial", (double)p->budget.per_trial_u / MICRO);
    put_num(&c, "price_per_hour", p->resources.price_per_hour);
    put_text(&c, "cost_metric", p->budget.cost_metric);
    put_text(&c, "pool", p->budget.pool); /* no line without one */
    if (p->budget.pool != NULL)
        put_num(&c, "pool_weight", p->budget.pool_weight);
}

/* No line for what is not given: files without it keep their hash. */
static void
put_slurm(struct canon *c, const struct slurm_options *o)
{
    put_text(c, "partition", o->partition);
    put_text(c, "account", o->account);
    put_text(c, "qos", o->qos);
    put_text(c, "gres", o->gres);
    put_text(c, "exclude", o->exclude);
    put_text(c, "extra", o->extra);
    put_text(c, "setup", o->setup);
    put_text(c, "signal", o->signal);
    if (o->dependency)
        put_text(c, "wake", "dependency");
}

static void
put_list(const struct canon *c, const char *name, const struct name_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        put_text(c, name, l->v[i]);
}

static void
put_patch(const struct project *p, struct buf *out)
{
    struct canon c = {out, "patch."};
    if (!p->patch.on) /* a file without it keeps its hash */
        return;
    put_text(&c, "base", p->patch.base);
    put_list(&c, "paths", &p->patch.paths);
    put_text(&c, "build", p->patch.build);
    put_text(&c, "smoke", p->patch.smoke);
    put_list(&c, "read", &p->patch.read);
    put_list(&c, "env", &p->patch.env);
    put_i64(&c, "max_lines", p->patch.max_lines);
    put_i64(&c, "gate_all", p->patch.gate_all);
    put_list(&c, "gate", &p->patch.gate);
    c.section = "patch.classes.";
    for (uint32_t i = 0; i < p->patch.n_classes; i++)
        put_list(&c, p->patch.classes[i].name, &p->patch.classes[i].patterns);
}

static void
put_rest(const struct project *p, struct buf *out)
{
    struct canon c = {out, "backend."};
    put_i64(&c, "kind", p->backend.kind);
    put_i64(&c, "slots", p->backend.slots);
    put_text(&c, "callback", p->backend.callback);
    if (p->backend.quarantine_ms != QUARANTINE_USUAL_MS)
        put_i64(&c, "quarantine_ms", p->backend.quarantine_ms);
    put_text(&c, "submit", p->backend.submit);
    put_text(&c, "state", p->backend.state);
    put_text(&c, "cancel", p->backend.cancel);
    put_text(&c, "logs", p->backend.logs);
    if (p->backend.shell) /* a file without it keeps its hash */
        put_i64(&c, "shell", 1);
    put_text(&c, "record", p->backend.record);
    put_slurm(&c, &p->backend.slurm);
    c.section = "";
    put_text(&c, "insights.database", p->insights);
    put_text(&c, "insights.context", p->insights_context);
    put_text(&c, "runbook.file", p->runbook);
    put_text(&c, "notify.webhook", p->notify.webhook);
    put_text(&c, "notify.secret", p->notify.secret);
    for (uint32_t i = 0; i < p->notify.n_on; i++)
        put_text(&c, "notify.on", p->notify.on[i]);
    /* Of the model only what it may cost is approved; who answers, and how,
     * decides nothing that the plan promises. */
    if (p->model.on)
        put_i64(&c, "model.budget_tokens", p->model.budget_tokens);
    if (p->model.on && p->model.budget_usd > 0)
        put_num(&c, "model.budget_usd", p->model.budget_usd);
}

void
project_canon(const struct project *p, struct buf *out)
{
    struct canon c = {out, ""};
    put_i64(&c, "schema", PROJECT_SCHEMA);
    put_text(&c, "project.name", p->spec.model);
    put_train(p, out);
    put_jobs(p, out);
    for (uint32_t i = 0; i < p->spec.n_metrics; i++)
        put_metric(p, i, out);
    for (uint32_t i = 0; i < p->spec.n_knobs; i++)
        put_knob(p, i, out);
    put_space(p, out);
    put_plan(p, out);
    put_patch(p, out);
    put_rest(p, out);
}

void
project_hash(const struct project *p, char hex[PROJECT_HASH_HEX])
{
    struct buf b = {0};
    char full[FS_HASH_HEX];
    project_canon(p, &b);
    fs_hash_bytes(buf_str(&b), b.len, full);
    memcpy(hex, full, PROJECT_HASH_HEX - 1);
    hex[PROJECT_HASH_HEX - 1] = '\0';
    buf_fini(&b);
}

/* ---- differences ---- */

static const char *
line_next(const char **s, size_t *n)
{
    const char *line = *s;
    if (*line == '\0')
        return NULL;
    *n = strcspn(line, "\n");
    *s = line + *n + (line[*n] == '\n');
    return line;
}

/* The line of `text` that is about the same field, for the k-th line of that
 * name (lists repeat a name). */
static const char *
line_find(
    const char *text, const char *name, size_t name_len, uint32_t k, size_t *n)
{
    const char *line;
    while ((line = line_next(&text, n)) != NULL) {
        if (*n >= name_len && memcmp(line, name, name_len) == 0 && k-- == 0)
            return line;
    }
    return NULL;
}

static size_t
name_length(const char *line, size_t n)
{
    const char *eq = memmem(line, n, " = ", 3);
    return eq != NULL ? (size_t)(eq - line) + 3 : n;
}

/* The number behind a name, `otherwise` where the text has no such line. */
static double
line_num(const char *text, const char *name, double otherwise)
{
    size_t n = 0, len = strlen(name);
    const char *line = line_find(text, name, len, 0, &n);
    return line != NULL ? strtod(line + len, NULL) : otherwise;
}

static void
without_model(const char *text, struct buf *out)
{
    const char *line;
    size_t n = 0;
    while ((line = line_next(&text, &n)) != NULL) {
        if (n < 6 || memcmp(line, "model.", 6) != 0) {
            buf_add(out, line, n);
            buf_putc(out, '\n');
        }
    }
}

static const char tokens[] = "model.budget_tokens = ";
static const char usd[] = "model.budget_usd = ";

bool
project_within(const char *approved, const char *now)
{
    struct buf a = {0}, b = {0};
    without_model(approved, &a);
    without_model(now, &b);
    bool same = strcmp(buf_str(&a), buf_str(&b)) == 0;
    buf_fini(&a);
    buf_fini(&b);
    if (!same)
        return false;
    double had = line_num(approved, tokens, 0), has = line_num(now, tokens, 0);
    /* no [model] costs nothing; one without a sum has no limit in money */
    return has <= had && (has == 0 || line_num(now, usd, HUGE_VAL) <=
                                          line_num(approved, usd, HUGE_VAL));
}

void
project_model_cap(struct project_model *m, const char *approved)
{
    double most = line_num(approved, tokens, 0);
    double money = line_num(approved, usd, 0);
    bool counted = !isnan(m->price_in) && !isnan(m->price_out);
    if (!(most > 0) || (money > 0 && !counted))
        m->on = false;
    if (most < (double)m->budget_tokens)
        m->budget_tokens = (int64_t)most;
    if (money > 0 && (m->budget_usd == 0 || money < m->budget_usd))
        m->budget_usd = money;
}

struct diff {
    uint32_t n, max;
    struct buf *out;
};

static void
diff_add(struct diff *d, const char *name, size_t name_len, const char *old,
    size_t old_n, const char *new, size_t new_n)
{
    if (d->n++ >= d->max)
        return;
    buf_printf(d->out, "%.*s: %.*s -> %.*s\n", (int)name_len - 3, name,
        (int)(old_n < 160 ? old_n : 160), old, (int)(new_n < 160 ? new_n : 160),
        new);
}

/* Lines of a that b lacks or has otherwise; `back`: a is the new text and
 * only what b lacks is told. */
static void
diff_pass(struct diff *d, const char *a, const char *b, bool back)
{
    const char *line, *walk = a;
    size_t n, other_n = 0;
    while ((line = line_next(&walk, &n)) != NULL) {
        size_t name = name_length(line, n);
        uint32_t k = 0;
        for (const char *s = a; s < line;) {
            size_t m = 0;
            const char *before = line_next(&s, &m);
            k += m >= name && memcmp(before, line, name) == 0;
        }
        const char *other = line_find(b, line, name, k, &other_n);
        const char *v = line + name, *w = other ? other + name : "(none)";
        size_t vn = n - name, wn = other ? other_n - name : 6;
        if (other != NULL && (back || (vn == wn && memcmp(v, w, vn) == 0)))
            continue;
        if (back)
            diff_add(d, line, name, w, wn, v, vn);
        else
            diff_add(d, line, name, v, vn, w, wn);
    }
}

uint32_t
project_diff(
    const char *old_canon, const char *new_canon, uint32_t max, struct buf *out)
{
    struct diff d = {0, max, out};
    diff_pass(&d, old_canon, new_canon, false);
    diff_pass(&d, new_canon, old_canon, true);
    return d.n;
}
