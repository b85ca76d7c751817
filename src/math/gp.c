/* Gaussian process over mixed knobs: fit, predict, and points in flight.
 * Called by core in Exploitation. Source: Rasmussen & Williams 2006, alg. 2.1
 * and section 2.7 (trend with a normal prior). Invariant: y is standardised
 * inside, so the priors of gp_hyper.c fit any unit; every array lies in the
 * caller's scratch. */
#include "math/gp.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "math/chol.h"
#include "math/gp_kernel.h"

#define LOG_2PI 1.8378770664093454836

/* Candidates predicted together, so that the triangular solve is done on
 * short vectors. */
enum { BLOCK = 8 };

size_t
gp_scratch(int cap, int d)
{
    size_t n = (size_t)cap;

    return n * (size_t)d + n * n + 7 * n + GP_SEARCH_SCRATCH(d);
}

void
gp_trend_fit(const double *l, int n, int ld, const double *y, const double *h,
    double w_var, double *hl, int ld_hl, double *alpha, struct gp_trend *out)
{
    double *hl0 = hl;
    double *hl1 = hl + ld_hl;
    double w_prior = w_var > 0 ? w_var : 1;

    for (int i = 0; i < n; i++) {
        hl0[i] = 1;
        hl1[i] = w_var > 0 ? h[i] : 0;
        alpha[i] = y[i];
    }
    chol_forward(l, n, ld, hl0);
    if (w_var > 0)
        chol_forward(l, n, ld, hl1);
    chol_forward(l, n, ld, alpha);
    double s00 = 1 + dot(hl0, hl0, n);
    double s01 = dot(hl0, hl1, n);
    double s11 = 1 / w_prior + dot(hl1, hl1, n);
    double det = s00 * s11 - s01 * s01;
    double u0 = dot(hl0, alpha, n);
    double u1 = dot(hl1, alpha, n);
    out->cov[0] = s11 / det;
    out->cov[1] = -s01 / det;
    out->cov[2] = s00 / det;
    out->b[0] = out->cov[0] * u0 + out->cov[1] * u1;
    out->b[1] = out->cov[1] * u0 + out->cov[2] * u1;
    double quad = dot(alpha, alpha, n) - u0 * out->b[0] - u1 * out->b[1];
    out->log_evidence = -0.5 * (quad + chol_log_det(l, n, ld) +
                                   log(w_prior * det) + n * LOG_2PI);
    for (int i = 0; i < n; i++)
        alpha[i] -= hl0[i] * out->b[0] + hl1[i] * out->b[1];
}

static int
point_check(
    const struct gp_space *space, const double *x, int point, struct err *err)
{
    for (int k = 0; k < space->d; k++) {
        bool real = space->kind[k] == GP_DIM_REAL;
        if (isnan(x[k]))
            continue;
        if (real && !(x[k] >= -1e-6 && x[k] <= 1 + 1e-6))
            return err_set(err, -ERR_INPUT,
                "point %d, dimension %d: %g is outside [0, 1]; scale the knob "
                "first",
                point, k, x[k]);
        double most = space->kind[k] == GP_DIM_SET ? 0x1p52 : 1e9;
        if (!real && !(x[k] >= 0 && x[k] == floor(x[k]) && x[k] < most))
            return err_set(err, -ERR_INPUT,
                "point %d, dimension %d: %g does not name a category or set; "
                "use a whole number from 0",
                point, k, x[k]);
    }
    return 0;
}

static int
data_check(const struct gp_space *space, const struct gp_data *data, int cap,
    struct err *err)
{
    if (space->d < 1 || space->d > GP_D_MAX)
        return err_set(err, -ERR_INPUT, "%d dimensions: 1 to %d are possible",
            space->d, GP_D_MAX);
    for (int k = 0; k < space->d; k++)
        if (space->kind[k] == GP_DIM_SET && space->bits[k] == 0)
            return err_set(
                err, -ERR_INPUT, "dimension %d: a set needs its bits", k);
    if (data->n < 1 || data->n > cap || cap > GP_N_MAX)
        return err_set(err, -ERR_INPUT,
            "%d points with room for %d: 1 to %d are possible", data->n, cap,
            GP_N_MAX);
    for (int i = 0; i < data->n; i++) {
        int rc = point_check(space, data->x + i * space->d, i, err);
        if (rc != 0)
            return rc;
        if (!isfinite(data->y[i]) || !isfinite(data->v[i]) || data->v[i] < 0)
            return err_set(err, -ERR_INPUT,
                "point %d: value %g and noise variance %g must be finite, the "
                "variance not below 0",
                i, data->y[i], data->v[i]);
        if (data->prior != NULL && !isfinite(data->prior[i]))
            return err_set(
                err, -ERR_INPUT, "point %d: prior mean %g", i, data->prior[i]);
    }
    return 0;
}

/* Weight variance that the trend uses: none without a prior column. */
static double
weight_var(const struct gp *g)
{
    return g->space.weight_sd * g->space.weight_sd;
}

static void
gp_layout(struct gp *g, double *scratch)
{
    int cap = g->cap;

    g->x = scratch;
    g->y = g->x + cap * g->space.d;
    g->h = g->y + cap;
    g->hl = g->h + cap;
    g->alpha = g->hl + 2 * cap;
    g->weights = g->alpha + cap;
    g->l = g->weights + cap;
}

/* Copies a point with numbers in the place of what does not apply. */
static void
point_copy(const struct gp_space *space, const double *x, double *out)
{
    for (int k = 0; k < space->d; k++)
        out[k] = isnan(x[k]) ? GP_OFF : x[k];
}

double
gp_gaps(const struct gp_space *space, const double *a, const double *b)
{
    double p[GP_D_MAX], q[GP_D_MAX], sum = 0;

    point_copy(space, a, p);
    point_copy(space, b, q);
    for (int k = 0; k < space->d; k++)
        sum += gp_gap(space, k, p[k], q[k]);
    return sum;
}

/* Shift and scale of y and the prior column; copies the points. The spread
 * that was expected counts as spread_n points. */
static void
gp_standardise(struct gp *g, const struct gp_data *data)
{
    const struct gp_space *space = &g->space;
    int n = data->n;
    double mean = 0;
    double prior = 0;
    double square = space->spread_n * space->spread * space->spread;

    for (int i = 0; i < n; i++) {
        mean += data->y[i] / n;
        prior += data->prior != NULL ? data->prior[i] / n : 0;
    }
    for (int i = 0; i < n; i++)
        square += (data->y[i] - mean) * (data->y[i] - mean);
    g->shift = mean;
    g->prior_shift = prior;
    g->scale = sqrt(square / (n + space->spread_n));
    if (!(g->scale > 1e-12 * fabs(mean)) || g->scale == 0)
        g->scale = data->v[0] > 0 ? sqrt(data->v[0]) : 1;
    for (int i = 0; i < n; i++) {
        double p = data->prior != NULL ? data->prior[i] - prior : 0;
        point_copy(space, data->x + i * space->d, g->x + i * space->d);
        g->h[i] = p / g->scale;
        g->y[i] = (data->y[i] - mean) / g->scale - space->weight_mean * g->h[i];
    }
}

/* Adds relevance times gap of dimension k between xi and BLOCK points. */
static void
block_gaps(const struct gp_space *space, int k, double rel, double xi,
    const double *x, double *sum)
{
    if (space->kind[k] == GP_DIM_REAL) {
        for (int c = 0; c < BLOCK; c++) {
            double gap = (x[c] - xi) * (x[c] - xi);
            sum[c] += rel * (gap < 1 ? gap : 1);
        }
    } else if (space->kind[k] == GP_DIM_SET) {
        for (int c = 0; c < BLOCK; c++)
            sum[c] += rel * gp_gap(space, k, xi, x[c]);
    } else {
        for (int c = 0; c < BLOCK; c++)
            sum[c] += x[c] != xi ? rel : 0;
    }
}

/* Covariances of BLOCK points with the points [0, n) of g: out[i][c]. */
static void
block_covariances(
    const struct gp *g, const double *x, int count, int n, double (*out)[BLOCK])
{
    const struct gp_space *space = &g->space;
    double at[GP_D_MAX][BLOCK], same[BLOCK];
    double row[GP_D_MAX];
    int d = space->d;

    for (int c = 0; c < BLOCK; c++)
        for (int k = 0; k < d; k++) {
            double v = x[(c < count ? c : 0) * d + k];
            at[k][c] = isnan(v) ? GP_OFF : v;
        }
    for (int i = 0; i < n; i++) {
        const double *xi = g->x + i * d;
        double r2[BLOCK] = {0}, mismatch[BLOCK] = {0};
        for (int k = 0; k < d; k++) {
            bool real = space->kind[k] == GP_DIM_REAL;
            double rel = g->relevance[k];
            block_gaps(space, k, real ? rel * rel : rel, xi[k], at[k],
                real ? r2 : mismatch);
        }
        for (int c = 0; c < BLOCK; c++)
            same[c] = 0;
        for (int c = 0; c < count && space->root != 0; c++) {
            for (int k = 0; k < d; k++)
                row[k] = at[k][c];
            same[c] = gp_same_branch(space, row, xi);
        }
        for (int c = 0; c < BLOCK; c++)
            out[i][c] =
                g->sf2 * ((1 - g->branch) * gp_correlation(r2[c], mismatch[c]) +
                             g->branch * same[c]);
    }
}

/* Trend, weight and evidence for the points that are in. */
static void
gp_refresh(struct gp *g)
{
    gp_trend_fit(g->l, g->n, g->cap, g->y, g->h, weight_var(g), g->hl, g->cap,
        g->alpha, &g->trend);
    g->log_evidence = g->trend.log_evidence;
    g->weight = g->space.weight_mean;
    g->weight_sd = 0;
    if (weight_var(g) > 0) {
        g->weight += g->trend.b[1];
        g->weight_sd = sqrt(g->trend.cov[2]);
    }
    memcpy(g->weights, g->alpha, sizeof(*g->alpha) * (size_t)g->n);
    chol_backward(g->l, g->n, g->cap, g->weights);
}

/* Appends point n, whose x, y and h are in place, and factors its row. */
static int
gp_row_add(struct gp *g, double noise)
{
    const struct gp_space *space = &g->space;
    const double *x = g->x + g->n * space->d;
    double *row = g->l + (size_t)g->n * (size_t)g->cap;

    for (int i = 0; i < g->n; i++) {
        const double *xi = g->x + i * space->d;
        double r2 = 0, mismatch = 0;
        for (int k = 0; k < space->d; k++) {
            double rel = g->relevance[k], gap = gp_gap(space, k, x[k], xi[k]);
            if (space->kind[k] == GP_DIM_REAL)
                r2 += rel * rel * gap;
            else
                mismatch += rel * gap;
        }
        row[i] = g->sf2 * ((1 - g->branch) * gp_correlation(r2, mismatch) +
                              g->branch * gp_same_branch(space, x, xi));
    }
    row[g->n] = g->sf2 + g->nugget + noise;
    int rc = chol_extend(g->l, g->n, g->cap);
    if (rc == 0)
        g->n++;
    return rc;
}

/* Factors all points under the kernel that is set. */
static int
gp_factor(struct gp *g, const struct gp_data *data, struct err *err)
{
    g->n = 0;
    for (int i = 0; i < data->n; i++)
        if (gp_row_add(g, data->v[i] / (g->scale * g->scale)) != 0)
            return err_set(err, -ERR_CHECK,
                "Gaussian process: covariance of %d points has no Cholesky "
                "factor at point %d",
                data->n, i);
    gp_refresh(g);
    return 0;
}

int
gp_fit(struct gp *g, const struct gp_space *space, const struct gp_data *data,
    int cap, double *scratch, struct err *err)
{
    int rc = data_check(space, data, cap, err);
    if (rc != 0)
        return err_wrap(err, rc, "Gaussian process");
    memset(g, 0, sizeof(*g));
    g->space = *space;
    if (data->prior == NULL)
        g->space.weight_mean = g->space.weight_sd = 0;
    g->cap = cap;
    gp_layout(g, scratch);
    gp_standardise(g, data);
    /* The factor's place is free until the kernel is known. */
    double *noise = g->alpha;
    for (int i = 0; i < data->n; i++)
        noise[i] = data->v[i] / (g->scale * g->scale);
    g->n = data->n;
    gp_hyper_search(g, noise, g->l + (size_t)cap * (size_t)cap);
    return gp_factor(g, data, err);
}

int
gp_fit_as(struct gp *g, const struct gp *from, const struct gp_data *data,
    double *scratch, struct err *err)
{
    int rc = data_check(&from->space, data, from->cap, err);
    if (rc != 0)
        return err_wrap(err, rc, "Gaussian process");
    *g = *from;
    g->space.spread = g->space.spread_n = 0;
    if (data->prior == NULL)
        g->space.weight_mean = g->space.weight_sd = 0;
    gp_layout(g, scratch);
    gp_standardise(g, data);
    return gp_factor(g, data, err);
}

int
gp_add(struct gp *g, const double *x, double y, double v, double prior,
    struct err *err)
{
    if (g->n == g->cap)
        return err_set(
            err, -ERR_LIMIT, "Gaussian process is full at %d points", g->cap);
    int rc = point_check(&g->space, x, g->n, err);
    if (rc != 0)
        return rc;
    if (!isfinite(y) || !(v >= 0) || isinf(v))
        return err_set(err, -ERR_INPUT,
            "point %d: value %g and noise variance %g must be finite", g->n, y,
            v);
    int n = g->n;
    point_copy(&g->space, x, g->x + n * g->space.d);
    g->h[n] = (prior - g->prior_shift) / g->scale;
    if (g->space.weight_mean == 0 && weight_var(g) == 0)
        g->h[n] = 0;
    g->y[n] = (y - g->shift) / g->scale - g->space.weight_mean * g->h[n];
    if (gp_row_add(g, v / (g->scale * g->scale)) != 0)
        return err_set(err, -ERR_CHECK,
            "Gaussian process: point %d has no Cholesky row", n);
    gp_refresh(g);
    return 0;
}

void
gp_truncate(struct gp *g, int n)
{
    assert(n >= 1 && n <= g->n);
    g->n = n;
    gp_refresh(g);
}

/* v := L^-1 v for BLOCK columns, v[i][c]. */
static void
block_forward(const double *l, int n, int ld, double (*v)[BLOCK])
{
    for (int i = 0; i < n; i++) {
        const double *row = l + (size_t)i * (size_t)ld;
        double acc[BLOCK];
        memcpy(acc, v[i], sizeof(acc));
        for (int j = 0; j < i; j++)
            for (int c = 0; c < BLOCK; c++)
                acc[c] -= row[j] * v[j][c];
        double inv = 1 / row[i];
        for (int c = 0; c < BLOCK; c++)
            v[i][c] = acc[c] * inv;
    }
}

/* Mean of column c of the covariances; h is the prior column's value. */
static double
block_mean(const struct gp *g, double (*k)[BLOCK], int c, double h)
{
    double at = g->trend.b[0] + g->space.weight_mean * h;

    if (weight_var(g) > 0)
        at += g->trend.b[1] * h;
    for (int i = 0; i < g->n; i++)
        at += k[i][c] * g->weights[i];
    return g->shift + g->scale * at;
}

/* Sd from column c of the solved block. */
static double
block_sd(const struct gp *g, double (*v)[BLOCK], int c, double h)
{
    const double *s = g->trend.cov;
    double vv = 0;
    double r0 = 1;
    double r1 = weight_var(g) > 0 ? h : 0;

    for (int i = 0; i < g->n; i++) {
        double x = v[i][c];
        vv += x * x;
        r0 -= x * g->hl[i];
        r1 -= x * g->hl[g->cap + i];
    }
    double var =
        g->sf2 - vv + r0 * r0 * s[0] + 2 * r0 * r1 * s[1] + r1 * r1 * s[2];
    return g->scale * sqrt(fmax(0, var));
}

void
gp_predict(const struct gp *g, const double *x, const double *prior, int m,
    double *mean, double *sd)
{
    double v[GP_N_MAX][BLOCK];

    for (int at = 0; at < m; at += BLOCK) {
        int count = m - at < BLOCK ? m - at : BLOCK;
        double h[BLOCK];
        block_covariances(g, x + at * g->space.d, count, g->n, v);
        for (int c = 0; c < count; c++) {
            double p = prior != NULL ? prior[at + c] - g->prior_shift : 0;
            h[c] = p / g->scale;
            mean[at + c] = block_mean(g, v, c, h[c]);
        }
        if (sd == NULL)
            continue;
        block_forward(g->l, g->n, g->cap, v);
        for (int c = 0; c < count; c++)
            sd[at + c] = block_sd(g, v, c, h[c]);
    }
}

double
gp_sd_most(const struct gp *g, double prior)
{
    double h = (prior - g->prior_shift) / g->scale;

    return g->scale * sqrt(g->sf2 + 1 + weight_var(g) * h * h);
}
