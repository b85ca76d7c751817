/* Prints quantities of src/math at seeded arguments as JSON lines, for a
 * comparison with SciPy (test/peers/math_vs_scipy.py). */
#include "base/rng.h"
#include "math/auc.h"
#include "math/dist.h"
#include "math/stat.h"

#include <math.h>
#include <stdio.h>

static void
row(const char *what, double a, double b, double c, double value)
{
    printf("{\"f\": \"%s\", \"a\": %.17g, \"b\": %.17g, \"c\": %.17g, "
           "\"value\": %.17g}\n",
        what, a, b, c, value);
}

int
main(void)
{
    struct rng r;
    rng_seed(&r, 11);
    for (int i = 0; i < 400; i++) {
        double x = 6 * rng_normal(&r), p = rng_f64(&r);
        double df = .5 + 40 * rng_f64(&r), d2 = .5 + 30 * rng_f64(&r);
        row("norm.cdf", x, 0, 0, normal_cdf(x));
        row("norm.logcdf", x, 0, 0, normal_logcdf(x));
        row("norm.ppf", p, 0, 0, normal_quantile(p));
        row("t.cdf", x, df, 0, student_cdf(x, df));
        row("t.ppf", p, df, 0, student_quantile(p, df));
        row("chi2.ppf", p, df, 0, chi2_quantile(p, df));
        row("f.ppf", p, df, d2, f_quantile(p, df, d2));
        row("betainc", df, d2, p, beta_inc(df, d2, p));
        row("gammainc", df, fabs(x) * 3, 0, gamma_p(df, fabs(x) * 3));
        double n = 20 + floor(2000 * rng_f64(&r)), k = floor(n * p * .2);
        row("binom.upper", k, n, .95, binomial_upper(k, n, .95));
    }
    return 0;
}
