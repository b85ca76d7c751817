/* Distribution functions by series, continued fractions and safeguarded
 * Newton. Sources: Abramowitz & Stegun 6.5, 7.1, 26.5; Lentz's method as
 * modified by Thompson & Barnett (J. Comput. Phys. 64, 1986); Acklam's
 * rational start for the normal quantile. Callers: all statistics of core and
 * project. Invariant: no state; the smaller tail is always the one computed,
 * so small probabilities keep their relative precision. */
#include "math/dist.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>

#define LOG_2PI 1.8378770664093454836
#define ITER_MAX 100000

double
normal_pdf(double x)
{
    return exp(-0.5 * (x * x + LOG_2PI));
}

double
normal_cdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

double
normal_logcdf(double x)
{
    if (x > 0)
        return log1p(-0.5 * erfc(x * M_SQRT1_2));
    if (x > -20)
        return log(0.5 * erfc(-x * M_SQRT1_2));
    /* A&S 26.2.12: the tail series, below 1e-12 relative for x <= -20. */
    double u = 1 / (x * x);
    double tail = -u * (1 - u * (3 - u * (15 - u * (105 - u * 945))));
    return -0.5 * (x * x + LOG_2PI) - log(-x) + log1p(tail);
}

/* Acklam's approximation of the quantile for 0 < p <= 1/2, 1.2e-9 relative. */
static double
normal_quantile_start(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
        -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01,
        2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
        -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01,
        1};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
        -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00,
        2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01,
        2.445134137142996e+00, 3.754408661907416e+00, 1};
    double num = 0;
    double den = 0;

    if (p < 0.02425) {
        double q = sqrt(-2 * log(p));
        for (int i = 0; i < 6; i++)
            num = num * q + c[i];
        for (int i = 0; i < 5; i++)
            den = den * q + d[i];
        return num / den;
    }
    double q = p - 0.5;
    for (int i = 0; i < 6; i++) {
        num = num * q * q + a[i];
        den = den * q * q + b[i];
    }
    return num * q / den;
}

double
normal_quantile(double p)
{
    assert(p >= 0 && p <= 1);
    if (p == 0)
        return -INFINITY;
    if (p == 1)
        return INFINITY;
    if (p > 0.5)
        return -normal_quantile(1 - p);
    double x = normal_quantile_start(p);
    for (int i = 0; i < 2; i++) {
        double u = (normal_cdf(x) - p) / normal_pdf(x);
        x -= u / (1 + 0.5 * x * u);
    }
    return x;
}

double
gamma_log(double x)
{
    int sign;

    assert(x > 0);
    return lgamma_r(x, &sign);
}

/* lgamma(x) minus Stirling's leading part, x >= 10 (A&S 6.1.41). */
static double
stirling_rest(double x)
{
    double u = 1 / (x * x);
    double s = 1.0 / 12 -
               u * (1.0 / 360 -
                       u * (1.0 / 1260 - u * (1.0 / 1680 - u * (1.0 / 1188))));
    return s / x;
}

/* log B(a, b) without the cancellation of three large lgamma. */
static double
beta_log(double a, double b)
{
    if (a > b) {
        double swap = a;
        a = b;
        b = swap;
    }
    if (b < 10)
        return gamma_log(a) + gamma_log(b) - gamma_log(a + b);
    return gamma_log(a) + a - a * log(b) - (a + b - 0.5) * log1p(a / b) +
           stirling_rest(b) - stirling_rest(a + b);
}

/* P by its series, good for x < a + 1 (A&S 6.5.29). */
static double
gamma_series(double a, double x)
{
    double term = 1 / a;
    double sum = term;

    for (int i = 1; i < ITER_MAX && term > sum * DBL_EPSILON / 4; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * exp(a * log(x) - x - gamma_log(a));
}

/* Keeps Lentz's quotients away from zero. */
static double
nonzero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* Q by its continued fraction, good for x >= a + 1 (A&S 6.5.31). */
static double
gamma_fraction(double a, double x)
{
    double b = x + 1 - a;
    double c = 1e300;
    double d = 1 / nonzero(b);
    double h = d;

    for (int i = 1; i < ITER_MAX; i++) {
        double an = -i * (i - a);
        b += 2;
        d = 1 / nonzero(an * d + b);
        c = nonzero(b + an / c);
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON)
            break;
    }
    return h * exp(a * log(x) - x - gamma_log(a));
}

double
gamma_p(double a, double x)
{
    assert(a > 0 && x >= 0);
    if (x == 0)
        return 0;
    if (isinf(x))
        return 1;
    return x < a + 1 ? gamma_series(a, x) : 1 - gamma_fraction(a, x);
}

double
gamma_q(double a, double x)
{
    assert(a > 0 && x >= 0);
    if (x == 0)
        return 1;
    if (isinf(x))
        return 0;
    return x < a + 1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
}

/* The continued fraction of A&S 26.5.8. */
static double
beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
    double h = d;

    for (int m = 1; m < ITER_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / nonzero(1 + even * d);
        c = nonzero(1 + even / c);
        h *= d * c;
        double odd =
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / nonzero(1 + odd * d);
        c = nonzero(1 + odd / c);
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON)
            break;
    }
    return h;
}

/* log of x for a pair x + y = 1 of which the smaller one is exact. */
static double
log_share(double x, double y)
{
    return x < y ? log(x) : log1p(-y);
}

/* Is the fraction of I_x(a, b) the quickly converging one? */
static bool
beta_is_lower(double a, double b, double x)
{
    return x < (a + 1) / (a + b + 2);
}

/* log I_x(a, b) in the quickly converging half, y = 1 - x. */
static double
beta_lower_log(double a, double b, double x, double y)
{
    return a * log_share(x, y) + b * log_share(y, x) - beta_log(a, b) - log(a) +
           log(beta_fraction(a, b, x));
}

static double
beta_log_xy(double a, double b, double x, double y)
{
    assert(a > 0 && b > 0 && x >= 0 && y >= 0);
    if (x == 0)
        return -INFINITY;
    if (y == 0)
        return 0;
    if (beta_is_lower(a, b, x))
        return beta_lower_log(a, b, x, y);
    return log1p(-exp(beta_lower_log(b, a, y, x)));
}

static double
beta_xy(double a, double b, double x, double y)
{
    assert(a > 0 && b > 0 && x >= 0 && y >= 0);
    if (x == 0)
        return 0;
    if (y == 0)
        return 1;
    if (beta_is_lower(a, b, x))
        return exp(beta_lower_log(a, b, x, y));
    return 1 - exp(beta_lower_log(b, a, y, x));
}

double
beta_inc(double a, double b, double x)
{
    return beta_xy(a, b, x, 1 - x);
}

double
beta_inc_log(double a, double b, double x)
{
    return beta_log_xy(a, b, x, 1 - x);
}

/* A rising function and its slope at x; par are the distribution's numbers. */
typedef double rising_fn(double x, const double *par, double *slope);

/* Zero of a rising function: Newton, kept inside a shrinking bracket. lo and
 * hi must enclose the zero. */
static double
solve_rising(rising_fn *f, const double *par, double lo, double hi, double x)
{
    for (int i = 0; i < 200; i++) {
        double slope;
        double y = f(x, par, &slope);
        if (y == 0)
            return x;
        if (y < 0)
            lo = x;
        else
            hi = x;
        double next = x - y / slope;
        if (!(next > lo && next < hi))
            next = 0.5 * (lo + hi);
        if (fabs(next - x) <= 2 * DBL_EPSILON * fabs(next) || next == x)
            return next;
        x = next;
    }
    return x;
}

/* par: a, b, log p. x is the logit of the beta variable: log I is concave in
 * it and small quantiles keep their relative precision. */
static double
beta_logit_fn(double x, const double *par, double *slope)
{
    double a = par[0];
    double b = par[1];
    double p = 1 / (1 + exp(-x));
    double q = 1 / (1 + exp(x));
    double log_i = beta_log_xy(a, b, p, q);
    double log_pdf = a * log_share(p, q) + b * log_share(q, p) - beta_log(a, b);

    *slope = exp(log_pdf - log_i);
    return log_i - par[2];
}

/* Logit of the beta quantile, 0 < p < 1. */
static double
beta_quantile_logit(double p, double a, double b)
{
    if (p > 0.5)
        return -beta_quantile_logit(1 - p, b, a);
    double par[3] = {a, b, log(p)};
    return solve_rising(beta_logit_fn, par, -700, 700, log(a / b));
}

double
beta_quantile(double p, double a, double b)
{
    assert(p >= 0 && p <= 1 && a > 0 && b > 0);
    if (p == 0 || p == 1)
        return p;
    return 1 / (1 + exp(-beta_quantile_logit(p, a, b)));
}

double
student_pdf(double t, double df)
{
    assert(df > 0);
    if (isinf(df))
        return normal_pdf(t);
    return exp(-0.5 * (df + 1) * log1p(t * t / df) - 0.5 * log(df) -
               beta_log(0.5 * df, 0.5));
}

double
student_cdf(double t, double df)
{
    assert(df > 0);
    if (isinf(df) || isinf(t))
        return normal_cdf(t);
    double sum = df + t * t;
    double tail = 0.5 * beta_xy(0.5 * df, 0.5, df / sum, t * t / sum);
    return t < 0 ? tail : 1 - tail;
}

double
student_logcdf(double t, double df)
{
    assert(df > 0);
    if (isinf(df) || isinf(t))
        return normal_logcdf(t);
    if (t > 0)
        return log1p(-student_cdf(-t, df));
    double sum = df + t * t;
    return beta_log_xy(0.5 * df, 0.5, df / sum, t * t / sum) - M_LN2;
}

/* par: df, log p. x is -log(-t), t < 0. */
static double
student_fn(double x, const double *par, double *slope)
{
    double t = -exp(-x);
    double log_p = student_logcdf(t, par[0]);

    *slope = student_pdf(t, par[0]) * -t / exp(log_p);
    return log_p - par[1];
}

double
student_quantile(double p, double df)
{
    assert(p >= 0 && p <= 1 && df > 0);
    if (isinf(df) || p == 0 || p == 1)
        return normal_quantile(p);
    if (p == 0.5)
        return 0;
    if (p > 0.5)
        return -student_quantile(1 - p, df);
    double par[2] = {df, log(p)};
    double start = -log(-normal_quantile(p));
    return -exp(-solve_rising(student_fn, par, -700, 700, start));
}

double
chi2_cdf(double x, double df)
{
    return gamma_p(0.5 * df, 0.5 * x);
}

double
chi2_sf(double x, double df)
{
    return gamma_q(0.5 * df, 0.5 * x);
}

/* log of the density of log X for X ~ gamma(a). */
static double
gamma_log_density(double a, double x)
{
    return a * log(x) - x - gamma_log(a);
}

/* par: a, log p. x is the log of the gamma variable. */
static double
gamma_lower_fn(double x, const double *par, double *slope)
{
    double p = fmax(gamma_p(par[0], exp(x)), DBL_MIN);

    *slope = exp(gamma_log_density(par[0], exp(x))) / p;
    return log(p) - par[1];
}

/* par: a, log q. */
static double
gamma_upper_fn(double x, const double *par, double *slope)
{
    double q = fmax(gamma_q(par[0], exp(x)), DBL_MIN);

    *slope = exp(gamma_log_density(par[0], exp(x))) / q;
    return par[1] - log(q);
}

double
chi2_quantile(double p, double df)
{
    assert(p >= 0 && p <= 1 && df > 0);
    if (p == 0)
        return 0;
    if (p == 1)
        return INFINITY;
    double par[2] = {0.5 * df, p <= 0.5 ? log(p) : log1p(-p)};
    rising_fn *f = p <= 0.5 ? gamma_lower_fn : gamma_upper_fn;
    return 2 * exp(solve_rising(f, par, -700, 60, log(par[0])));
}

double
f_cdf(double x, double df1, double df2)
{
    assert(x >= 0);
    double sum = df1 * x + df2;
    return isinf(x) ? 1
                    : beta_xy(0.5 * df1, 0.5 * df2, df1 * x / sum, df2 / sum);
}

double
f_sf(double x, double df1, double df2)
{
    assert(x >= 0);
    double sum = df1 * x + df2;
    return isinf(x) ? 0
                    : beta_xy(0.5 * df2, 0.5 * df1, df2 / sum, df1 * x / sum);
}

double
f_quantile(double p, double df1, double df2)
{
    assert(p >= 0 && p <= 1 && df1 > 0 && df2 > 0);
    if (p == 0)
        return 0;
    if (p == 1)
        return INFINITY;
    return df2 / df1 * exp(beta_quantile_logit(p, 0.5 * df1, 0.5 * df2));
}

double
binomial_upper(double x, double n, double conf)
{
    assert(n >= 1 && x >= 0 && x <= n && conf > 0 && conf < 1);
    return x == n ? 1 : beta_quantile(conf, x + 1, n - x);
}

double
binomial_lower(double x, double n, double conf)
{
    assert(n >= 1 && x >= 0 && x <= n && conf > 0 && conf < 1);
    return x == 0 ? 0 : beta_quantile(1 - conf, x, n - x + 1);
}
