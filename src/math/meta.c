/* Random-effects meta-analysis: DerSimonian & Laird (Controlled Clinical
 * Trials 7, 1986) with arbitrary first-step weights (DerSimonian & Kacker
 * 2007, eq. 6), similarity used as the power of a source's likelihood
 * (Ibrahim & Chen 2000). Trust: a line through what a source said and what was
 * measured. Called by research when it writes priors and by the engine when it
 * reads them. Invariant: a record with r = 0 has no influence on any number. */
#include "math/meta.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

struct pool_sums {
    double r, a, ad, add, aa, av, aav;
};

static struct pool_sums
pool_sum(const struct meta_delta *in, int n)
{
    struct pool_sums s = {0};

    for (int i = 0; i < n; i++) {
        double r = in[i].r;
        if (r <= 0)
            continue;
        assert(in[i].v > 0 && r <= 1);
        double a = r / in[i].v;
        s.r += r;
        s.a += a;
        s.ad += a * in[i].d;
        s.aa += a * a;
        s.av += a * in[i].v;
        s.aav += a * a * in[i].v;
    }
    for (int i = 0; i < n; i++) {
        double off = in[i].d - s.ad / s.a;
        if (in[i].r > 0)
            s.add += in[i].r / in[i].v * off * off;
    }
    return s;
}

/* Between-source variance by moments, 0 for fewer than two sources. */
static double
pool_t2(const struct pool_sums *s)
{
    double scale = s->a - s->aa / s->a;
    double excess = s->add - (s->av - s->aav / s->a);

    return scale > 1e-12 * s->a ? fmax(0, excess / scale) : 0;
}

struct meta_pool
meta_pool(const struct meta_delta *in, int n, const struct meta_prior *prior)
{
    struct meta_pool out = {.tau2 = INFINITY};
    struct pool_sums s = pool_sum(in, n);

    out.k_eff = s.r;
    if (s.r <= 0)
        return out;
    out.t2 = pool_t2(&s);
    if (prior != NULL && prior->k > 0) {
        double seen = fmax(0, s.r - 1);
        out.t2 = (prior->k * prior->t2 + seen * out.t2) / (prior->k + seen);
    }
    double sum_w = 0;
    double sum_wd = 0;
    for (int i = 0; i < n; i++) {
        if (in[i].r <= 0)
            continue;
        double w = in[i].r / (in[i].v + out.t2);
        sum_w += w;
        sum_wd += w * in[i].d;
    }
    out.m = sum_wd / sum_w;
    out.tau2 = out.t2 + 1 / sum_w;
    return out;
}

/* What is believed of a source before it was tried: as good as it says, give
 * or take this sd. */
static const double SLOPE_SD = .7;
static const double CLIP = 3;

struct source_sums {
    double mm, m, one, md, d; /* weighted by 1 / (tau2 + v) */
};

static struct source_sums
source_sum(const struct source_obs *in, int n, double common_var)
{
    struct source_sums s = {0};

    for (int i = 0; i < n; i++) {
        assert(in[i].tau2 > 0 && in[i].v >= 0);
        double var = in[i].tau2 + in[i].v, w = 1 / var;
        double most = CLIP * sqrt(var + common_var);
        double off = fmin(most, fmax(-most, in[i].d - in[i].m));
        double d = in[i].m + off;
        s.mm += w * in[i].m * in[i].m;
        s.m += w * in[i].m;
        s.one += w;
        s.md += w * in[i].m * d;
        s.d += w * d;
    }
    return s;
}

void
source_fit(struct source_fit *out, const struct source_obs *in, int n,
    double shift_var, double base_var)
{
    double common = shift_var + base_var;

    *out = (struct source_fit){.slope = 1};
    if (n == 0)
        return;
    struct source_sums s = source_sum(in, n, common);
    double p_slope = 1 / (SLOPE_SD * SLOPE_SD) + s.mm;
    double p_common = (common > 0 ? 1 / common : 1e300) + s.one;
    double det = p_slope * p_common - s.m * s.m;
    double y = 1 / (SLOPE_SD * SLOPE_SD) + s.md;
    double c = (p_slope * s.d - s.m * y) / det;
    out->slope = (p_common * y - s.m * s.d) / det;
    out->v_slope = p_common / det;
    out->cov = -s.m / det;
    double v_common = p_slope / det;
    if (out->slope < 0) {
        out->slope = out->v_slope = out->cov = 0;
        c = s.d / p_common;
        v_common = 1 / p_common;
    }
    /* of what is common to all, this share is no error of the baseline */
    double share = common > 0 ? shift_var / common : 0;
    out->shift = share * c;
    out->v_shift = share * share * v_common + share * base_var;
    out->cov *= share;
}

void
source_apply(const struct source_fit *f, double *m, double *tau2)
{
    double extra = f->v_slope * *m * *m + f->v_shift + 2 * f->cov * *m;

    *tau2 += fmax(0, extra);
    *m = f->slope * *m + f->shift;
}
