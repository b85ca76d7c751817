/* The fixed plan: five seeds an arm, as many ideas as the money allows. The
 * same simulated runs as the engine's, judged once. Sources: Dunnett 1955;
 * Benjamini & Hochberg 1995. */
#include "live.h"

#include "base/arena.h"
#include "math/dist.h"
#include "math/stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 5, Z_STEPS = 80, S_STEPS = 60 };
static const double Q = .1, ALPHA = .05;

/* P(max of k one-sided t statistics with a common control of the same size
 * <= c), by trapezoid rules over the common part and the variance. */
static double
dunnett_one_cdf(double c, uint32_t k, double df)
{
    double lo = .5 * log(chi2_quantile(1e-9, df) / df);
    double hi = .5 * log(chi2_quantile(1 - 1e-9, df) / df);
    double sum = 0, mass = 0;
    for (int i = 0; i <= S_STEPS; i++) {
        double u = lo + (hi - lo) * i / S_STEPS, inner = 0;
        double w = exp(df * (u - .5 * expm1(2 * u)));
        for (int j = -Z_STEPS; j <= Z_STEPS; j++) {
            double z = 8. * j / Z_STEPS;
            double p = normal_cdf(M_SQRT2 * c * exp(u) + z);
            inner += normal_pdf(z) * pow(p, k) * 8. / Z_STEPS;
        }
        sum += w * inner;
        mass += w;
    }
    return sum / mass;
}

static double
dunnett_one(uint32_t k, double df)
{
    double lo = 0, hi = 8;
    for (int i = 0; i < 40; i++) {
        double c = .5 * (lo + hi);
        if (dunnett_one_cdf(c, k, df) < 1 - ALPHA)
            lo = c;
        else
            hi = c;
    }
    return hi;
}

static double
dunnett_cached(uint32_t k)
{
    static double known[IDEAS_MAX + 1];
    if (known[k] == 0)
        known[k] = dunnett_one(k, (k + 1) * (SEEDS - 1));
    return known[k];
}

static uint64_t
accept_bh(const double *t, uint32_t k, double df)
{
    uint64_t mask = 0;
    double p[IDEAS_MAX], cut = -1;
    for (uint32_t i = 0; i < k; i++)
        p[i] = 1 - student_cdf(t[i], df);
    for (uint32_t i = 0; i < k; i++) {
        uint32_t rank = 0;
        for (uint32_t j = 0; j < k; j++)
            rank += p[j] <= p[i];
        if (p[i] <= Q * rank / k)
            cut = fmax(cut, p[i]);
    }
    for (uint32_t i = 0; i < k; i++)
        mask |= p[i] <= cut ? UINT64_C(1) << i : 0;
    return mask;
}

static void
arm_run(const struct problem *p, const struct config *x, uint32_t arm,
    struct welford *w)
{
    memset(w, 0, sizeof *w);
    for (uint32_t n = 0; n < SEEDS; n++) {
        struct reading m;
        problem_run(p, x, UINT64_C(1) << 40 | (uint64_t)arm << 8 | n, &m);
        welford_add(w, m.search);
    }
}

static double
ship(const struct problem *p, const struct spec *s, uint64_t mask)
{
    struct config x;
    config_default(s, &x);
    for (uint32_t i = 0; i < p->k; i++)
        if (mask >> i & 1) {
            struct override o = problem_idea(p, i);
            x.v[o.knob] = o.value;
        }
    return problem_sealed(p, &x);
}

void
plan_run(const struct problem *p, uint32_t trials, struct plan_outcome *out)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    struct welford base, arm[IDEAS_MAX];
    struct pooled pool = {0};
    struct config x;
    double t[IDEAS_MAX];
    memset(out, 0, sizeof *out);
    problem_spec(p, trials, s);
    config_default(s, &x);
    uint32_t k = trials < 2 * SEEDS ? 0 : trials / SEEDS - 1;
    k = out->tested = k < p->k ? k : p->k;
    arm_run(p, &x, 0, &base);
    pooled_add(&pool, &base);
    for (uint32_t i = 0; i < k; i++) {
        struct override o = problem_idea(p, i);
        struct config y = x;
        y.v[o.knob] = o.value;
        arm_run(p, &y, i + 1, &arm[i]);
        pooled_add(&pool, &arm[i]);
    }
    double se = sqrt(pooled_var(&pool) * 2 / SEEDS);
    for (uint32_t i = 0; i < k; i++)
        t[i] = (arm[i].mean - base.mean) / se;
    double cut = k > 0 ? dunnett_cached(k) : 0;
    out->found[PLAN_BH] = accept_bh(t, k, pool.df);
    for (uint32_t i = 0; i < k; i++)
        out->found[PLAN_DUNNETT] |= t[i] > cut ? UINT64_C(1) << i : 0;
    for (int r = 0; r < PLAN_RULES; r++) {
        int best = -1;
        for (uint32_t i = 0; i < k; i++)
            if ((out->found[r] >> i & 1) && (best < 0 || t[i] > t[best]))
                best = (int)i;
        out->ship[r] = best < 0 ? 0 : ship(p, s, UINT64_C(1) << best);
        out->stack[r] = ship(p, s, out->found[r]);
    }
    free(s);
}
