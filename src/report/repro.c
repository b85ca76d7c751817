/* How to run a result again, and where the rerun is expected to land. Called
 * by cmd for `rea repro` and by the report for the proposal. */
#include "report/report.h"

#include "math/dist.h"

#include <math.h>

bool
repro_interval(const struct core *c, uint32_t t, double *lo, double *hi)
{
    const struct trial *x = &c->trial[t];
    uint32_t m = c->spec.primary, n = 0;
    struct baseline_stat b;
    double sum = 0;
    analysis_baseline(c, &b);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *y = &c->trial[i];
        if (y->experiment != x->experiment || y->state != TRIAL_OK ||
            y->labels != x->labels || y->window != x->window ||
            !isfinite(y->metric[m]))
            continue;
        sum += y->metric[m];
        n++;
    }
    if (n == 0 || !(b.sd > 0) || !(b.df > 0))
        return false;
    /* Prediction interval of one more draw from a normal with pooled sd. */
    double half = student_quantile(.975, b.df) * b.sd * sqrt(1 + 1.0 / n);
    *lo = sum / n - half;
    *hi = sum / n + half;
    return true;
}

/* Digits that tell the interval's ends apart, and two more. */
static int
repro_digits(const struct report_repro *p)
{
    double width = p->hi - p->lo;
    if (!(width > 0))
        return 6;
    double d = ceil(-log10(width)) + 2;
    return d < 2 ? 2 : d > 12 ? 12 : (int)d;
}

void
report_repro_text(const struct report_repro *p, struct buf *out)
{
    int d = repro_digits(p);
    if (p->id != NULL && isfinite(p->value))
        buf_printf(out, "# %s gave %s %.*f\n", p->id,
            p->metric != NULL ? p->metric : "metric", d, p->value);
    if (p->workspace != NULL)
        buf_printf(out, "cd %s\n", p->workspace);
    if (p->commit != NULL)
        buf_printf(out, "git checkout %s\n", p->commit);
    if (p->patch != NULL)
        buf_printf(out, "git apply %s\n", p->patch);
    if (p->command != NULL)
        buf_printf(out, "%s\n", p->command);
    if (p->environment != NULL)
        buf_printf(out, "# environment: %s\n", p->environment);
    if (p->fingerprint != NULL && p->fingerprint[0] != '\0')
        buf_printf(out, "# data: %s\n", p->fingerprint);
    if (isfinite(p->lo) && isfinite(p->hi) && p->hi > p->lo)
        buf_printf(out, "# expected: %s in [%.*f, %.*f] (95 %%)\n",
            p->metric != NULL ? p->metric : "metric", d, p->lo, d, p->hi);
}

void
report_repro_json(const struct report_repro *p, struct buf *out)
{
    struct jw w;
    jw_init(&w, out, 2);
    jw_obj_begin(&w);
    jw_kstr(&w, "id", p->id);
    jw_kstr(&w, "workspace", p->workspace);
    jw_kstr(&w, "commit", p->commit);
    jw_kstr(&w, "patch", p->patch);
    jw_kstr(&w, "command", p->command);
    jw_kstr(&w, "environment", p->environment);
    jw_kstr(&w, "fingerprint", p->fingerprint);
    jw_kstr(&w, "metric", p->metric);
    jw_kf64(&w, "value", p->value); /* NaN: null */
    jw_key(&w, "expected");
    if (isfinite(p->lo) && isfinite(p->hi)) {
        jw_obj_begin(&w);
        jw_kf64(&w, "lo", p->lo);
        jw_kf64(&w, "hi", p->hi);
        jw_obj_end(&w);
    } else {
        jw_null(&w);
    }
    jw_obj_end(&w);
    buf_putc(out, '\n');
}
