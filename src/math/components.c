/* Weights of similarity matrices by marginal likelihood, and predictions.
 * Called by the model of outcomes. Invariant: each accepted step raises the
 * penalised likelihood, so the fit ends and is never below the guess. */
#include "math/components.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "math/chol.h"

enum { STEPS_MAX = 40, HALVINGS_MAX = 8 };
static const double ENOUGH = 1e-4; /* gain of a step that ends the search */
static const double STEP_MAX = 2;  /* of a logarithm */
/* Share of the mean variance that is added to the diagonal: similarities of
 * rank one are only just positive semidefinite. */
static const double JITTER = 1e-9;

/* Parts of the scratch. */
struct parts {
    double *l, *inverse, *alpha, *u, *pu;
};

size_t
components_scratch(int n)
{
    size_t m = (size_t)n;
    return 2 * m * m + m + 2 * COMPONENTS_MAX * m + 1;
}

static struct parts
parts_of(int n, double *s)
{
    size_t m = (size_t)n;
    double *alpha = s + 2 * m * m, *u = alpha + m;
    return (struct parts){s, s + m * m, alpha, u, u + COMPONENTS_MAX * m};
}

static const double *
sim_of(const struct components *c, int k)
{
    return c->sim + (size_t)k * (size_t)c->n * (size_t)c->n;
}

static int
factor(const struct components *c, const double *log_w, struct parts *p)
{
    size_t n = (size_t)c->n;
    double trace = 0;
    memset(p->l, 0, n * n * sizeof *p->l);
    for (int k = 0; k < c->k; k++) {
        const double *s = sim_of(c, k);
        double w = exp(log_w[k]);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                p->l[i * n + j] += w * s[i * n + j];
    }
    for (size_t i = 0; i < n; i++)
        trace += p->l[i * n + i];
    for (size_t i = 0; i < n; i++)
        p->l[i * n + i] +=
            (c->noise != NULL ? c->noise[i] : 0) + JITTER * trace / (double)n;
    int rc = chol_factor(p->l, c->n, c->n);
    if (rc != 0)
        return rc;
    memcpy(p->alpha, c->y, n * sizeof *p->alpha);
    chol_solve(p->l, c->n, c->n, p->alpha);
    return 0;
}

static double
log_likelihood(const struct components *c, const struct parts *p)
{
    return -.5 * dot(p->alpha, c->y, c->n) -
           .5 * chol_log_det(p->l, c->n, c->n) -
           .5 * c->n * log(2 * 3.14159265358979323846);
}

static double
penalty(const struct components *c, const double *log_w)
{
    double sum = 0;
    for (int k = 0; k < c->k; k++) {
        double z = (log_w[k] - log(c->guess)) / c->guess_sd;
        sum += .5 * z * z;
    }
    return sum;
}

/* Gradient and average information of the logarithms of the weights, as the
 * Newton step that they ask for. */
static void
newton_step(
    const struct components *c, const double *log_w, struct parts *p, double *d)
{
    double h[COMPONENTS_MAX * COMPONENTS_MAX];
    size_t n = (size_t)c->n;
    double prior = 1 / (c->guess_sd * c->guess_sd);
    chol_inverse(p->l, c->n, c->n, p->inverse);
    for (int k = 0; k < c->k; k++) {
        const double *s = sim_of(c, k);
        double *u = p->u + (size_t)k * n, w = exp(log_w[k]), trace = 0;
        for (size_t i = 0; i < n; i++) {
            u[i] = w * dot(s + i * n, p->alpha, c->n);
            trace += dot(s + i * n, p->inverse + i * n, c->n);
        }
        double *pu = p->pu + (size_t)k * n;
        memcpy(pu, u, n * sizeof *u);
        chol_solve(p->l, c->n, c->n, pu);
        d[k] = .5 * dot(u, p->alpha, c->n) - .5 * w * trace -
               prior * (log_w[k] - log(c->guess));
    }
    for (int i = 0; i < c->k; i++)
        for (int j = 0; j <= i; j++)
            h[i * c->k + j] =
                .5 * dot(p->u + (size_t)i * n, p->pu + (size_t)j * n, c->n) +
                (i == j ? prior : 0);
    int rc = chol_factor(h, c->k, c->k);
    assert(rc == 0); /* semidefinite and a positive diagonal */
    (void)rc;
    chol_solve(h, c->k, c->k, d);
    for (int k = 0; k < c->k; k++)
        d[k] = fmin(STEP_MAX, fmax(-STEP_MAX, d[k]));
}

/* Goes along d as far as it helps; what was gained, 0: nothing. */
static double
line_search(const struct components *c, double *log_w, const double *d,
    double best, struct parts *p)
{
    double next[COMPONENTS_MAX], t = 1;
    for (int h = 0; h < HALVINGS_MAX; h++, t /= 2) {
        for (int k = 0; k < c->k; k++)
            next[k] = log_w[k] + t * d[k];
        if (factor(c, next, p) != 0)
            continue;
        double value = log_likelihood(c, p) - penalty(c, next);
        if (value > best) {
            memcpy(log_w, next, (size_t)c->k * sizeof *next);
            return value - best;
        }
    }
    return 0;
}

int
components_fit(struct components *c, double *scratch)
{
    double log_w[COMPONENTS_MAX], d[COMPONENTS_MAX];
    assert(c->k > 0 && c->k <= COMPONENTS_MAX && c->n >= 0);
    assert(c->guess > 0 && c->guess_sd > 0);
    struct parts p = parts_of(c->n, scratch);
    for (int k = 0; k < c->k; k++) {
        log_w[k] = log(c->guess);
        c->weight[k] = c->guess;
    }
    if (c->n == 0)
        return 0;
    int rc = factor(c, log_w, &p);
    if (rc != 0)
        return rc;
    double value = log_likelihood(c, &p) - penalty(c, log_w);
    for (int step = 0; step < STEPS_MAX; step++) {
        newton_step(c, log_w, &p, d);
        double gain = line_search(c, log_w, d, value, &p);
        value += gain;
        if (gain < ENOUGH)
            break;
    }
    for (int k = 0; k < c->k; k++)
        c->weight[k] = exp(log_w[k]);
    return factor(c, log_w, &p);
}

double
components_evidence(const struct components *c, const double *scratch)
{
    struct parts p = parts_of(c->n, (double *)scratch);
    return c->n == 0 ? 0 : log_likelihood(c, &p);
}

void
components_ask(const struct components *c, const double *scratch, int m,
    const double *cross, const double *own, double *mean, double *cov,
    double *work)
{
    struct parts p = parts_of(c->n, (double *)scratch);
    size_t n = (size_t)c->n, q = (size_t)m;
    memset(work, 0, q * n * sizeof *work);
    memset(cov, 0, q * q * sizeof *cov);
    for (int k = 0; k < c->k; k++) {
        const double *x = cross + (size_t)k * q * n;
        const double *o = own + (size_t)k * q * q;
        for (size_t i = 0; i < q * n; i++)
            work[i] += c->weight[k] * x[i];
        for (size_t i = 0; i < q * q; i++)
            cov[i] += c->weight[k] * o[i];
    }
    for (size_t i = 0; i < q; i++) {
        mean[i] = n > 0 ? dot(work + i * n, p.alpha, c->n) : 0;
        if (n > 0)
            chol_forward(p.l, c->n, c->n, work + i * n);
    }
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j <= i && n > 0; j++) {
            double s = dot(work + i * n, work + j * n, c->n);
            cov[i * q + j] -= s;
            if (j < i)
                cov[j * q + i] -= s;
        }
}

int
components_leave_out(const struct components *c, const double *scratch,
    const int *at, int m, double *residual, double *var, double *work)
{
    struct parts p = parts_of(c->n, (double *)scratch);
    size_t n = (size_t)c->n, q = (size_t)m;
    double *column = work, *block = work + q * n;
    for (size_t i = 0; i < q; i++) {
        double *x = column + i * n;
        memset(x, 0, n * sizeof *x);
        x[at[i]] = 1;
        chol_solve(p.l, c->n, c->n, x);
        residual[i] = p.alpha[at[i]];
        for (size_t j = 0; j <= i; j++)
            block[i * q + j] = x[at[j]];
    }
    int rc = chol_factor(block, m, m);
    if (rc != 0)
        return rc;
    chol_solve(block, m, m, residual);
    for (size_t i = 0; i < q; i++) {
        double *e = column;
        memset(e, 0, q * sizeof *e);
        e[i] = 1;
        chol_forward(block, m, m, e);
        var[i] = dot(e, e, m);
    }
    return 0;
}
