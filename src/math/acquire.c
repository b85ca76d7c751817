/* Values of information and allocation rules: knowledge gradient, expected
 * improvement, OCBA, Thompson. Called by core when it chooses the next run.
 * Sources: Frazier, Powell & Dayanik 2008; Jones et al. 1998; Ament et al.
 * 2023; Chen et al. 2000; Russo 2016. Invariant: a choice depends on the
 * arguments and the given generator only; ties go to the lowest index. */
#include "math/acquire.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "base/rng.h"
#include "math/dist.h"

double
acquire_log_f(double z)
{
    if (z > -20)
        return log(normal_pdf(z) + z * normal_cdf(z));
    /* The tail series of Phi in f: phi(z) / z^2 (1 - 3/z^2 + 15/z^4 ...). */
    double u = 1 / (z * z);
    double rest =
        -u * (3 - u * (15 - u * (105 - u * (945 - u * (10395 - u * 135135)))));
    return -0.5 * z * z - 0.91893853320467274178 - 2 * log(-z) + log1p(rest);
}

double
acquire_f(double z)
{
    if (z > -20)
        return normal_pdf(z) + z * normal_cdf(z);
    return exp(acquire_log_f(z));
}

double
knowledge_gradient_n(
    double m, double tau2, double s2, double n, double standard)
{
    assert(tau2 >= 0 && s2 >= 0 && n > 0);
    if (tau2 == 0)
        return 0;
    double sg = tau2 / sqrt(tau2 + s2 / n);
    return sg * acquire_f(-fabs(m - standard) / sg);
}

double
knowledge_gradient(double m, double tau2, double s2, double standard)
{
    return knowledge_gradient_n(m, tau2, s2, 1, standard);
}

double
noisy_improvement(double m, double tau2, double s2, double best)
{
    assert(tau2 >= 0 && s2 >= 0);
    if (tau2 == 0)
        return fmax(0, m - best);
    double sg = tau2 / sqrt(tau2 + s2);
    return sg * acquire_f((m - best) / sg);
}

double
expected_improvement(double mean, double sd, double best)
{
    assert(sd >= 0);
    if (sd == 0)
        return fmax(0, mean - best);
    return sd * acquire_f((mean - best) / sd);
}

double
expected_improvement_log(double mean, double sd, double best)
{
    assert(sd >= 0);
    if (sd == 0)
        return mean > best ? log(mean - best) : -INFINITY;
    return log(sd) + acquire_log_f((mean - best) / sd);
}

static int
arm_best(const double *value, int n)
{
    int best = 0;

    for (int i = 1; i < n; i++)
        if (value[i] > value[best])
            best = i;
    return best;
}

void
ocba_shares(const double *mean, const double *s2, int n, double *share)
{
    assert(n >= 1);
    int b = arm_best(mean, n);
    double sum = 0;
    double square = 0;

    for (int i = 0; i < n; i++) {
        assert(s2[i] > 0);
        if (i == b)
            continue;
        double gap = fmax(mean[b] - mean[i], 1e-3 * sqrt(s2[i]));
        share[i] = s2[i] / (gap * gap);
        sum += share[i];
        square += share[i] * share[i] / s2[i];
    }
    share[b] = n > 1 ? sqrt(s2[b] * square) : 1;
    sum += share[b];
    for (int i = 0; i < n; i++)
        share[i] /= sum;
}

int
ocba_next(const double *mean, const double *s2, const double *count, int n,
    double *share)
{
    double total = 1;
    int next = 0;

    ocba_shares(mean, s2, n, share);
    for (int i = 0; i < n; i++)
        total += count[i];
    for (int i = 1; i < n; i++)
        if (share[i] * total - count[i] > share[next] * total - count[next])
            next = i;
    return next;
}

/* Best arm of one draw; runner_up (may be NULL) gets the second. */
static int
thompson_draw(
    const double *mean, const double *sd, int n, struct rng *r, int *runner_up)
{
    double top[2] = {-INFINITY, -INFINITY};
    int arm[2] = {0, 0};

    for (int i = 0; i < n; i++) {
        double x = mean[i] + sd[i] * rng_normal(r);
        if (x > top[0] || i == 0) {
            top[1] = top[0];
            arm[1] = arm[0];
            top[0] = x;
            arm[0] = i;
        } else if (x > top[1]) {
            top[1] = x;
            arm[1] = i;
        }
    }
    if (runner_up != NULL)
        *runner_up = arm[1];
    return arm[0];
}

int
thompson_one(const double *mean, const double *sd, int n, struct rng *r)
{
    assert(n >= 1);
    return thompson_draw(mean, sd, n, r, NULL);
}

int
thompson_top_two(
    const double *mean, const double *sd, int n, double beta, struct rng *r)
{
    assert(n >= 1 && beta >= 0 && beta <= 1);
    int first = thompson_draw(mean, sd, n, r, NULL);
    int second = first;
    int runner_up = first;

    if (n == 1 || rng_f64(r) < beta)
        return first;
    for (int i = 0; i < 100 && second == first; i++)
        second = thompson_draw(mean, sd, n, r, &runner_up);
    return second != first ? second : runner_up;
}
