/* Dunnett's two-sided simultaneous t (JASA 50, 1955, eq. 2-4): the chance that
 * k correlated t statistics with a common control all stay within +-c, by two
 * nested trapezoid rules, which converge exponentially here because both
 * integrands are smooth and vanish at the ends. Called for the intervals of
 * confirmation. Invariant: the number of evaluations is fixed. */
#include "math/dist.h"

#include <assert.h>
#include <float.h>
#include <math.h>

enum { Z_STEPS = 64, S_STEPS = 96 };
static const double Z_MAX = 8.5;

/* P(all |X_i| <= c) for unit normals of equal correlation rho: given the
 * common part z they are independent. The integrand is even in z. */
static double
range_normal(double c, int k, double rho)
{
    double common = sqrt(rho);
    double own = M_SQRT1_2 / sqrt(1 - rho);
    double sum = 0;

    for (int i = 0; i <= Z_STEPS; i++) {
        double z = Z_MAX * i / Z_STEPS;
        double p =
            0.5 * (erfc((common * z - c) * own) - erfc((common * z + c) * own));
        double f = normal_pdf(z) * pow(p, k);
        sum += i == 0 ? 0.5 * f : f;
    }
    return 2 * sum * Z_MAX / Z_STEPS;
}

double
dunnett_cdf(double c, int k, double df, double rho)
{
    assert(k >= 1 && k <= DUNNETT_K_MAX && df > 0 && rho >= 0 && rho < 1);
    if (c <= 0)
        return 0;
    if (isinf(df))
        return range_normal(c, k, rho);

    /* The sd ratio s = chi_df / sqrt(df), integrated over u = log s. */
    double lo = 0.5 * log(chi2_quantile(1e-12, df) / df);
    double hi = 0.5 * log(chi2_quantile(1 - 1e-12, df) / df);
    double sum = 0;
    double mass = 0;
    for (int i = 0; i <= S_STEPS; i++) {
        double u = lo + (hi - lo) * i / S_STEPS;
        double w = exp(df * (u - 0.5 * expm1(2 * u)));
        sum += w * range_normal(c * exp(u), k, rho);
        mass += w;
    }
    return sum / mass;
}

double
dunnett_quantile(double conf, int k, double df, double rho)
{
    assert(conf > 0 && conf < 1);
    double lo = student_quantile(0.5 + 0.5 * conf, df);
    if (k == 1)
        return lo;
    /* Sidak's inequality: independent statistics bound it from above. */
    double hi = student_quantile(0.5 + 0.5 * pow(conf, 1.0 / k), df);
    double f_lo = dunnett_cdf(lo, k, df, rho) - conf;
    double f_hi = dunnett_cdf(hi, k, df, rho) - conf;
    for (int i = 0; i < 60 && hi - lo > 1e-10 * hi && f_lo < 0; i++) {
        double c = f_hi > f_lo ? lo - f_lo * (hi - lo) / (f_hi - f_lo) : hi;
        if (!(c > lo && c < hi))
            c = 0.5 * (lo + hi);
        double f = dunnett_cdf(c, k, df, rho) - conf;
        if (f == 0)
            return c;
        if (f < 0) {
            lo = c;
            f_lo = f;
            f_hi *= 0.5; /* Illinois: keeps the far end moving. */
        } else {
            hi = c;
            f_hi = f;
            f_lo *= 0.5;
        }
    }
    return hi;
}
