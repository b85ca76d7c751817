/* Bayesian linear regression with known noise, the model of Combination's
 * cells and of knob effects. Source: Bishop, PRML, eq. 3.50-3.51 and 3.86 with
 * unequal noise. Called by core. Invariant: coefficients are scaled by their
 * prior sd inside, so tiny units (1e-4 of AUC) do not hurt the factor. */
#include "math/linfit.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "math/chol.h"

#define LOG_2PI 1.8378770664093454836

static int
linfit_check(const struct linfit_in *in, struct err *err)
{
    if (in->p < 1 || in->p > LINFIT_P_MAX)
        return err_set(err, -ERR_INPUT,
            "regression with %d coefficients: 1 to %d are possible", in->p,
            LINFIT_P_MAX);
    if (in->n < 0 || in->n > LINFIT_N_MAX)
        return err_set(err, -ERR_INPUT,
            "regression on %d rows: 0 to %d are possible", in->n, LINFIT_N_MAX);
    for (int j = 0; j < in->p; j++)
        if (!isfinite(in->m0[j]) || !isfinite(in->t2[j]) || in->t2[j] <= 0)
            return err_set(err, -ERR_INPUT,
                "coefficient %d: prior mean %g and variance %g must be "
                "finite, the variance above 0",
                j, in->m0[j], in->t2[j]);
    for (int i = 0; i < in->n; i++) {
        if (!isfinite(in->y[i]) || !isfinite(in->v[i]) || in->v[i] <= 0)
            return err_set(err, -ERR_INPUT,
                "row %d: value %g and noise variance %g must be finite, the "
                "variance above 0",
                i, in->y[i], in->v[i]);
        for (int j = 0; j < in->p; j++)
            if (!isfinite(in->x[i * in->p + j]))
                return err_set(
                    err, -ERR_INPUT, "row %d, column %d is not a number", i, j);
    }
    return 0;
}

/* Precision of the scaled coefficients z = (b - m0) / sqrt(t2) into the lower
 * triangle of prec, and the right side X' V^-1 (y - X m0) into rhs. Returns
 * sum r^2 / v of the prior's residuals. */
static double
linfit_sums(
    const struct linfit_in *in, const double *sd, double *prec, double *rhs)
{
    int p = in->p;
    double square = 0;

    for (int j = 0; j < p; j++) {
        rhs[j] = 0;
        for (int k = 0; k <= j; k++)
            prec[j * p + k] = j == k ? 1 : 0;
    }
    for (int i = 0; i < in->n; i++) {
        const double *x = in->x + i * p;
        double res = in->y[i] - dot(x, in->m0, p);
        square += res * res / in->v[i];
        for (int j = 0; j < p; j++) {
            double xv = x[j] * sd[j] / in->v[i];
            if (xv == 0)
                continue;
            rhs[j] += xv * res;
            for (int k = 0; k <= j; k++)
                prec[j * p + k] += xv * x[k] * sd[k];
        }
    }
    return square;
}

int
linfit_fit(struct linfit *out, const struct linfit_in *in, struct err *err)
{
    double prec[LINFIT_P_MAX * LINFIT_P_MAX];
    double sd[LINFIT_P_MAX];
    double z[LINFIT_P_MAX];
    int p = in->p;

    int rc = linfit_check(in, err);
    if (rc != 0)
        return rc;
    for (int j = 0; j < p; j++)
        sd[j] = sqrt(in->t2[j]);
    double square = linfit_sums(in, sd, prec, z);
    if (chol_factor(prec, p, p) != 0)
        return err_set(err, -ERR_CHECK,
            "the precision of %d coefficients has no Cholesky factor: a "
            "column or a weight is too large",
            p);
    chol_forward(prec, p, p, z);
    double log_v = 0;
    for (int i = 0; i < in->n; i++)
        log_v += log(in->v[i]);
    out->p = p;
    out->log_evidence =
        -0.5 * (in->n * LOG_2PI + log_v + chol_log_det(prec, p, p) + square -
                   dot(z, z, p));
    chol_backward(prec, p, p, z);
    chol_inverse(prec, p, p, out->cov);
    for (int j = 0; j < p; j++) {
        out->mean[j] = in->m0[j] + sd[j] * z[j];
        for (int k = 0; k < p; k++)
            out->cov[j * p + k] *= sd[j] * sd[k];
    }
    return 0;
}

void
linfit_predict(
    const struct linfit *f, const double *c, double *mean, double *sd)
{
    double var = 0;

    assert(f->p >= 1 && f->p <= LINFIT_P_MAX);
    *mean = dot(c, f->mean, f->p);
    for (int j = 0; j < f->p; j++)
        var += c[j] * dot(f->cov + j * f->p, c, f->p);
    *sd = sqrt(fmax(0, var));
}
