/* Random-effects meta-analysis: DerSimonian & Laird (Controlled Clinical
 * Trials 7, 1986) with arbitrary first-step weights (DerSimonian & Kacker
 * 2007, eq. 6), similarity used as the power of a source's likelihood
 * (Ibrahim & Chen 2000). Trust: Bayes factor by log scores. Called by
 * research when it writes priors. Invariant: a source with r = 0 has no
 * influence on any number. */
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

struct trust
trust_start(double p)
{
    assert(p > 0 && p < 1);
    return (struct trust){.log_odds = log(p / (1 - p))};
}

/* Log density of N(m, var) at y, without the constant. */
static double
log_score(double y, double m, double var)
{
    return -0.5 * (log(var) + (y - m) * (y - m) / var);
}

void
trust_update(
    struct trust *t, double m, double tau2, double y, double v, double vague_sd)
{
    assert(tau2 >= 0 && v >= 0 && tau2 + v > 0 && vague_sd > 0);
    double odds = t->log_odds + log_score(y, m, tau2 + v) -
                  log_score(y, 0, vague_sd * vague_sd + v);

    t->log_odds = fmin(TRUST_LOG_ODDS_MAX, fmax(-TRUST_LOG_ODDS_MAX, odds));
    t->n += 1;
}

double
trust_weight(const struct trust *t)
{
    return 1 / (1 + exp(-t->log_odds));
}
