/* rea diff: two experiments or trials side by side: knobs that differ, metrics
 * with the interval of their difference. Sealed values appear once opened. */
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/dist.h"

struct side {
    const char *name;
    uint32_t experiment;
    int32_t trial; /* index, -1: the whole experiment */
    struct config config;
};

struct mean {
    uint32_t n;
    double mean, ss;
};

static int
side_find(const struct core *c, const struct report_id *id, const char *name,
    struct side *out, struct err *err)
{
    *out = (struct side){.name = name, .trial = -1};
    if (id->kind == 'T' && id->number >= 1 && id->number <= c->n_trials) {
        out->trial = (int32_t)id->number - 1;
        out->experiment = c->trial[out->trial].experiment;
    } else if (id->kind == 'E' && id->number < c->n_experiments)
        out->experiment = id->number;
    else if (id->kind == 'H' && id->number >= 1 &&
             id->number <= c->n_hypotheses &&
             c->hypothesis[id->number - 1].experiment != 0)
        out->experiment = c->hypothesis[id->number - 1].experiment;
    else
        return err_set(err, -ERR_NOT_FOUND,
            "%s: an experiment (E0 to E%u) or a trial (T1 to T%u) is meant",
            name, c->n_experiments - 1, c->n_trials);
    out->config = c->experiment[out->experiment].config;
    return 0;
}

static double
trial_value(const struct core *c, const struct trial *t, uint32_t m)
{
    if (c->spec.metric[m].role == METRIC_SEALED)
        return m == c->spec.sealed && t->sealed_known ? t->sealed : NAN;
    return t->metric[m];
}

static struct mean
side_mean(const struct core *c, const struct side *s, uint32_t m)
{
    struct mean out = {0};
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        double x = trial_value(c, t, m);
        bool mine = s->trial >= 0
                        ? (int32_t)i == s->trial
                        : t->experiment == s->experiment && t->labels == 0 &&
                              t->window == c->window;
        if (!mine || t->state != TRIAL_OK || !isfinite(x))
            continue;
        out.n++;
        double d = x - out.mean;
        out.mean += d / out.n;
        out.ss += d * (x - out.mean);
    }
    return out;
}

/* Half width of the 95 % interval of b - a (Welch's variance, pooled df); the
 * search metric borrows the campaign's pooled seed noise. NaN: not known. */
static double
mean_half(const struct core *c, uint32_t m, struct mean a, struct mean b)
{
    if (m == c->spec.primary) {
        struct baseline_stat s;
        analysis_baseline(c, &s);
        if (s.sd > 0 && s.df > 0)
            return student_quantile(.975, s.df) * s.sd *
                   sqrt(1.0 / a.n + 1.0 / b.n);
    }
    double df = (double)a.n + b.n - 2;
    if (df < 1)
        return NAN;
    double s2 = (a.ss + b.ss) / df;
    return student_quantile(.975, df) * sqrt(s2 * (1.0 / a.n + 1.0 / b.n));
}

static void
diff_knobs(struct call *call, const struct core *c, const struct side *a,
    const struct side *b, struct jw *w)
{
    char x[160], y[160];
    for (uint32_t k = 0; k < c->spec.n_knobs; k++) {
        const struct knob *knob = &c->spec.knob[k];
        bool in_a = knob_is_active(&c->spec, &a->config, k);
        bool in_b = knob_is_active(&c->spec, &b->config, k);
        if (in_a == in_b && a->config.v[k] == b->config.v[k])
            continue;
        knob_format(knob, a->config.v[k], x, sizeof(x));
        knob_format(knob, b->config.v[k], y, sizeof(y));
        if (w == NULL) {
            say(call, "  %-24s %-16s %s\n", knob->name, in_a ? x : "-",
                in_b ? y : "-");
            continue;
        }
        jw_key(w, knob->name);
        jw_arr_begin(w);
        jw_str(w, in_a ? x : NULL);
        jw_str(w, in_b ? y : NULL);
        jw_arr_end(w);
    }
}

static void
diff_patches(struct call *call, const struct core *c, const struct side *a,
    const struct side *b, struct jw *w)
{
    for (uint32_t i = 0; i < c->n_patches; i++) {
        bool in_a = a->config.patches >> i & 1,
             in_b = b->config.patches >> i & 1;
        if (in_a == in_b)
            continue;
        const char *key =
            arena_printf(call->arena, "patch %.12s", c->patch[i].sha256);
        if (w == NULL) {
            say(call, "  %-24s %-16s %s\n", key, in_a ? "yes" : "-",
                in_b ? "yes" : "-");
            continue;
        }
        jw_key(w, c->patch[i].sha256);
        jw_arr_begin(w);
        jw_bool(w, in_a);
        jw_bool(w, in_b);
        jw_arr_end(w);
    }
}

static void
diff_metrics(struct call *call, const struct core *c, const struct side *a,
    const struct side *b, struct jw *w)
{
    for (uint32_t m = 0; m < c->spec.n_metrics; m++) {
        struct mean x = side_mean(c, a, m), y = side_mean(c, b, m);
        if (x.n == 0 || y.n == 0)
            continue;
        double d = y.mean - x.mean, half = mean_half(c, m, x, y);
        if (w == NULL) {
            say(call, "  %-24s %-16.6g %-12.6g %+.3g", c->spec.metric[m].name,
                x.mean, y.mean, d);
            if (isfinite(half))
                say(call, " [%+.3g, %+.3g]", d - half, d + half);
            say(call, "  n=%u,%u\n", x.n, y.n);
            continue;
        }
        jw_key(w, c->spec.metric[m].name);
        jw_obj_begin(w);
        jw_kf64(w, "a", x.mean);
        jw_kf64(w, "b", y.mean);
        jw_kf64(w, "difference", d);
        jw_kf64(w, "lo", d - half);
        jw_kf64(w, "hi", d + half);
        jw_ki64(w, "n_a", x.n);
        jw_ki64(w, "n_b", y.n);
        jw_obj_end(w);
    }
}

static void
diff_print(struct call *call, const struct core *c, const struct side *a,
    const struct side *b)
{
    struct jw w;
    if (!call->json) {
        say(call, "  %-24s %-16s %s\n", "", a->name, b->name);
        diff_knobs(call, c, a, b, NULL);
        diff_patches(call, c, a, b, NULL);
        diff_metrics(call, c, a, b, NULL);
        call_next(call, "rea why %s", b->name);
        return;
    }
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "a", a->name);
    jw_kstr(&w, "b", b->name);
    jw_key(&w, "knobs");
    jw_obj_begin(&w);
    diff_knobs(call, c, a, b, &w);
    jw_obj_end(&w);
    jw_key(&w, "patches");
    jw_obj_begin(&w);
    diff_patches(call, c, a, b, &w);
    jw_obj_end(&w);
    jw_key(&w, "metrics");
    jw_obj_begin(&w);
    diff_metrics(call, c, a, b, &w);
    jw_obj_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
diff_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct core *c = NULL;
    struct report_id a, b;
    struct side x, y;
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0)
        rc = work_part(call, st, call->args[0], &a, err);
    if (rc == 0)
        rc = work_part(call, st, call->args[1], &b, err);
    if (rc == 0 && a.campaign != b.campaign)
        rc = err_set(err, -ERR_INPUT,
            "%s and %s belong to different campaigns: their trials cannot be "
            "compared",
            call->args[0], call->args[1]);
    if (rc == 0)
        rc = store_load(st, a.campaign, &c, err);
    if (rc == 0)
        rc = side_find(c, &a, call->args[0], &x, err);
    if (rc == 0)
        rc = side_find(c, &b, call->args[1], &y, err);
    if (rc == 0)
        diff_print(call, c, &x, &y);
    free(c);
    store_close(st);
    return rc;
}

const struct cmd cmd_diff = {.name = "diff",
    .args = "A B",
    .min_args = 2,
    .max_args = 2,
    .help = "knobs and metrics of two experiments or trials",
    .more = "Intervals are 95 % of the difference B - A in the metric's own "
            "direction.",
    .example = "rea diff E0 E14",
    .run = diff_run};
