/* Probability distributions in double precision: normal, gamma, beta, Student
 * t, chi-square, F, Dunnett's simultaneous t and binomial bounds.
 * All functions are pure. Arguments outside the domain (df <= 0, p not in
 * (0, 1), NaN) are bugs of the caller and stop by assert, except that p = 0
 * and p = 1 give the ends of the support. Relative error about 1e-11 for the
 * cdfs and 1e-10 for the quantiles (parameters up to 1e4; 1e-10 for the t of
 * a million degrees) unless said otherwise. */
#ifndef MATH_DIST_H
#define MATH_DIST_H

double normal_pdf(double x);
/* P(Z <= x); exact in the lower tail down to the smallest double. */
double normal_cdf(double x);
/* log P(Z <= x), for any x: never -inf for finite x. */
double normal_logcdf(double x);
/* Inverse of normal_cdf (Acklam's rational start, two Halley steps). */
double normal_quantile(double p);

/* log Gamma(x), x > 0 (libm, without its global sign). */
double gamma_log(double x);
/* Regularised lower and upper incomplete gamma, a > 0, x >= 0. */
double gamma_p(double a, double x);
double gamma_q(double a, double x);

/* Regularised incomplete beta I_x(a, b), a > 0, b > 0, 0 <= x <= 1, and its
 * logarithm, which does not underflow. */
double beta_inc(double a, double b, double x);
double beta_inc_log(double a, double b, double x);
/* The x with I_x(a, b) = p. */
double beta_quantile(double p, double a, double b);

/* Student t with df > 0 degrees of freedom (need not be whole). */
double student_pdf(double t, double df);
double student_cdf(double t, double df);
double student_logcdf(double t, double df);
double student_quantile(double p, double df);

double chi2_cdf(double x, double df);
double chi2_sf(double x, double df);
double chi2_quantile(double p, double df);

double f_cdf(double x, double df1, double df2);
double f_sf(double x, double df1, double df2);
double f_quantile(double p, double df1, double df2);

#define DUNNETT_K_MAX 8
/* P(max_i |T_i| <= c) for k (1..DUNNETT_K_MAX) comparisons with one control,
 * df degrees of freedom of the common variance (INFINITY: variance known),
 * equal correlation rho in [0, 1) of two comparisons, n_i / (n_i + n_0) for
 * equal arms (Dunnett, JASA 50, 1955). Absolute error below 1e-7 for
 * df >= 2. */
double dunnett_cdf(double c, int k, double df, double rho);
/* Two-sided simultaneous critical value: dunnett_cdf(c) = conf, conf in
 * (0, 1). With k = 1 this is student_quantile((1 + conf) / 2, df). */
double dunnett_quantile(double conf, int k, double df, double rho);

/* One-sided Clopper-Pearson bounds of a proportion after x successes (may be
 * 0 or n) in n >= 1 tries: P(bound covers) >= conf. */
double binomial_upper(double x, double n, double conf);
double binomial_lower(double x, double n, double conf);

#endif
