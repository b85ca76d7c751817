/* Running moments, pooled noise, conjugate posteriors and tests that stay
 * valid under continuous looking. Called by core after every result.
 * Sources: Welford 1962; Chan, Golub & LeVeque 1983; Murphy 2007 (conjugate
 * Bayesian analysis of the Gaussian); Grunwald, de Heide & Koolen (safe
 * testing, JRSS-B 86, 2024) for the right-Haar t-test e-process; Wang &
 * Ramdas 2022; Xu, Solari, Fischer, de Heide, Ramdas & Goeman (Bringing closure
 * to false discovery rate control, 2025). Invariant: no state beyond the
 * structs. */
#include "math/stat.h"

#include <assert.h>
#include <math.h>

#include "math/dist.h"

void
welford_add(struct welford *w, double x)
{
    double delta = x - w->mean;

    w->n += 1;
    w->mean += delta / w->n;
    w->m2 += delta * (x - w->mean);
}

void
welford_merge(struct welford *a, const struct welford *b)
{
    double n = a->n + b->n;
    double delta = b->mean - a->mean;

    if (b->n == 0)
        return;
    a->m2 += b->m2 + delta * delta * a->n * b->n / n;
    a->mean += delta * b->n / n;
    a->n = n;
}

double
welford_var(const struct welford *w)
{
    return w->n > 1 ? w->m2 / (w->n - 1) : NAN;
}

double
welford_sd(const struct welford *w)
{
    return sqrt(welford_var(w));
}

void
pooled_add(struct pooled *p, const struct welford *w)
{
    if (w->n < 2)
        return;
    p->ss += w->m2;
    p->df += w->n - 1;
}

double
pooled_var(const struct pooled *p)
{
    return p->df > 0 ? p->ss / p->df : NAN;
}

struct noise
noise_prior(double s2, double df)
{
    assert(s2 > 0 && df > 0);
    return (struct noise){.a = 0.5 * df, .b = 0.5 * df * s2};
}

struct noise
noise_update(struct noise prior, const struct pooled *p)
{
    return (struct noise){
        .a = prior.a + 0.5 * p->df, .b = prior.b + 0.5 * p->ss};
}

double
noise_s2(struct noise x)
{
    assert(x.a > 0);
    return x.b / x.a;
}

double
noise_df(struct noise x)
{
    return 2 * x.a;
}

double
noise_quantile(struct noise x, double p)
{
    assert(p > 0 && p < 1);
    return 2 * x.b / chi2_quantile(1 - p, 2 * x.a);
}

struct nig
nig_update(struct nig prior, const struct welford *w)
{
    double kappa = prior.kappa + w->n;
    double delta = w->mean - prior.m;

    if (w->n == 0)
        return prior;
    return (struct nig){
        .m = (prior.kappa * prior.m + w->n * w->mean) / kappa,
        .kappa = kappa,
        .a = prior.a + 0.5 * w->n,
        .b = prior.b + 0.5 * w->m2 +
             0.5 * prior.kappa * w->n / kappa * delta * delta,
    };
}

double
nig_scale(struct nig x)
{
    assert(x.a > 0 && x.kappa > 0);
    return sqrt(x.b / (x.a * x.kappa));
}

double
nig_quantile(struct nig x, double p)
{
    return x.m + nig_scale(x) * student_quantile(p, 2 * x.a);
}

struct gauss
posterior_normal(double m, double tau, double ybar, double v)
{
    assert(tau >= 0 && v > 0);
    if (isinf(tau))
        return (struct gauss){.mean = ybar, .sd = sqrt(v)};
    if (tau == 0 || isinf(v))
        return (struct gauss){.mean = m, .sd = tau};
    double keep = v / (tau * tau + v);
    return (struct gauss){
        .mean = ybar + keep * (m - ybar), .sd = tau * sqrt(keep)};
}

double
gauss_above(struct gauss g, double x)
{
    if (g.sd == 0)
        return g.mean > x ? 1 : 0;
    return normal_cdf((g.mean - x) / g.sd);
}

/* Given the effect delta in units of s, the likelihood ratio of the t
 * statistic against delta = 0 is the mean over X ~ chi_nu, nu = df + 1, of
 *     exp(delta sqrt(neff) w X - neff delta^2 / 2),  w = t / sqrt(df + t^2).
 * The half-normal mixture over delta completes to a square,
 *     2 / (g sqrt(P)) exp(c^2 X^2 / 2) Phi(c X),
 *     P = 1 / g^2 + neff,  c = w sqrt(neff / P),
 * and the mean over X is a Student integral: with Y = X sqrt(1 - c^2),
 *     E = 2 / (g sqrt(P)) (1 - c^2)^(-nu/2) P(T_nu <= c sqrt(nu / (1 - c^2))).
 * So no quadrature is needed. */
double
safe_t_log_e(double d, double neff, double s2, double df, double g)
{
    assert(g > 0);
    if (!(neff > 0) || !(df >= 1) || !(s2 > 0))
        return 0;
    double nu = df + 1;
    double t = d / sqrt(s2 / neff);
    double w = t / sqrt(df + t * t);
    double prec = 1 / (g * g) + neff;
    /* (1 - c^2) P, where 1 - w^2 = df / (df + t^2) is exact. */
    double rest = 1 / (g * g) + neff * df / (df + t * t);
    double arg = w * sqrt(neff * nu / rest);
    return M_LN2 - log(g) - 0.5 * log(prec) - 0.5 * nu * log(rest / prec) +
           student_logcdf(arg, nu);
}

/* Sums of the a smallest of the r largest, and of the b smallest of the rest,
 * decide: does every set S of hypotheses have a mean e-value of at least
 * |S and R| / (q r), R = the r largest? The worst S holds those. */
static bool
ebh_holds(const double *e, int n, int r, double q)
{
    double inside = 0;

    for (int a = 1; a <= r; a++) {
        inside += e[r - a];
        double outside = 0;
        for (int b = 0; b <= n - r; b++) {
            outside += b > 0 ? e[n - b] : 0;
            if (inside + outside < (a + b) * a / (q * r) * (1 - 1e-12))
                return false;
        }
    }
    return true;
}

int
ebh(const double *log_e, int n, double q, bool *accepted)
{
    assert(n >= 0 && n <= EBH_N_MAX && q > 0 && q < 1);
    double e[EBH_N_MAX]; /* falling; e^600 is far above every threshold */
    int k = n;

    for (int i = 0; i < n; i++) {
        double v = exp(fmin(log_e[i], 600));
        int at = i;
        for (; at > 0 && e[at - 1] < v; at--)
            e[at] = e[at - 1];
        e[at] = v;
    }
    while (k > 0 && ((k < n && e[k] == e[k - 1]) || !ebh_holds(e, n, k, q)))
        k--;
    for (int i = 0; i < n; i++)
        accepted[i] = k > 0 && exp(fmin(log_e[i], 600)) >= e[k - 1];
    return k;
}
