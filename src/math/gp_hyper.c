/* Type-II maximum a posteriori of the kernel's numbers: log relevances, the
 * signal variance, the branch's share and a point's own variance move by
 * sign-based gradient steps (Rprop: Riedmiller & Braun 1993), a fixed number
 * of them; the best point seen is kept. Called by gp_fit only. Sources:
 * Rasmussen & Williams 2006, 5.4 (eq. 5.9 for the gradient); the prior centre
 * shrinks with the number of dimensions as in Hvarfner et al., arXiv
 * 2402.02229. Invariant: no randomness, no tolerance, so the same points give
 * the same kernel; with five points the prior decides. */
#include "math/gp_kernel.h"

#include <stdbool.h>
#include <string.h>

#include "math/chol.h"

enum { STEPS = 12, FEW = 4, EXTRA = 3 };
enum { SIGNAL, BRANCH, OWN };

/* Prior of the numbers beside the relevances: centre, sd of the logarithm. */
static const double centre_of[EXTRA] = {.75, .10, .15};
static const double sd_of[EXTRA] = {.1, .1, 3};
static const double RELEVANCE_SD = .7;
/* Log factors stay within these, and the first step is this long. */
static const double FACTOR_MIN = -12, FACTOR_MAX = 3, STEP = .4;

struct search {
    const struct gp *g;
    int m;                /* points looked at */
    int row[GP_SEARCH_N]; /* which ones */
    double at[GP_D_MAX + EXTRA], slope[GP_D_MAX + EXTRA];
    double *gap; /* per dimension, per pair */
    double *r2, *mismatch, *same, *smooth, *slope_r2; /* per pair */
    double *k, *inverse, *y, *h, *noise, *alpha;
};

static void
search_init(
    struct search *s, const struct gp *g, const double *noise, double *scratch)
{
    int d = g->space.d;

    s->g = g;
    s->m = g->n < GP_SEARCH_N ? g->n : GP_SEARCH_N;
    s->gap = scratch;
    s->r2 = s->gap + d * GP_SEARCH_PAIRS;
    s->mismatch = s->r2 + GP_SEARCH_PAIRS;
    s->same = s->mismatch + GP_SEARCH_PAIRS;
    s->smooth = s->same + GP_SEARCH_PAIRS;
    s->slope_r2 = s->smooth + GP_SEARCH_PAIRS;
    s->k = s->slope_r2 + GP_SEARCH_PAIRS;
    s->inverse = s->k + GP_SEARCH_N * GP_SEARCH_N;
    s->y = s->inverse + GP_SEARCH_N * GP_SEARCH_N;
    s->h = s->y + GP_SEARCH_N;
    s->noise = s->h + GP_SEARCH_N;
    s->alpha = s->noise + GP_SEARCH_N;
    for (int i = 0; i < s->m; i++) {
        s->row[i] = (int)((long)i * g->n / s->m);
        s->y[i] = g->y[s->row[i]];
        s->h[i] = g->h[s->row[i]];
        s->noise[i] = noise[s->row[i]];
    }
    for (int i = 1, pair = 0; i < s->m; i++)
        for (int j = 0; j < i; j++, pair++) {
            const double *a = g->x + s->row[i] * d, *b = g->x + s->row[j] * d;
            s->same[pair] = gp_same_branch(&g->space, a, b);
            for (int k = 0; k < d; k++)
                s->gap[k * GP_SEARCH_PAIRS + pair] =
                    gp_gap(&g->space, k, a[k], b[k]);
        }
}

/* Relevance at the prior's centre: two points that have nothing to do with
 * each other (their gaps sum to `reach`) correlate by about e^-2. */
static double
relevance_at(const struct gp *g, int k, double log_factor)
{
    double reach = g->space.reach > 0 ? g->space.reach : .5 * g->space.d;
    double theta = 2 / reach;

    if (g->space.kind[k] == GP_DIM_REAL)
        return sqrt(2 * theta) * exp(log_factor);
    return theta * exp(log_factor);
}

static double
extra_at(const struct search *s, int which)
{
    return centre_of[which] * exp(s->at[s->g->space.d + which]);
}

/* Correlations of all pairs at the current relevances, and their slope by
 * r2. */
static void
pairs_fill(struct search *s)
{
    int d = s->g->space.d, pairs = s->m * (s->m - 1) / 2;

    memset(s->r2, 0, sizeof(*s->r2) * (size_t)pairs);
    memset(s->mismatch, 0, sizeof(*s->mismatch) * (size_t)pairs);
    for (int k = 0; k < d; k++) {
        bool real = s->g->space.kind[k] == GP_DIM_REAL;
        double rel = relevance_at(s->g, k, s->at[k]);
        const double *gap = s->gap + k * GP_SEARCH_PAIRS;
        double *sum = real ? s->r2 : s->mismatch;
        double factor = real ? rel * rel : rel;
        for (int p = 0; p < pairs; p++)
            sum[p] += factor * gap[p];
    }
    for (int p = 0; p < pairs; p++) {
        double r = sqrt(5 * s->r2[p]), e = exp(-r - s->mismatch[p]);
        s->smooth[p] = (1 + r + r * r / 3) * e;
        s->slope_r2[p] = -5.0 / 6 * (1 + r) * e;
    }
}

/* Log posterior of the current numbers and its slopes; -INFINITY without a
 * factor. The trend's prior is part of the covariance here. */
static double
search_eval(struct search *s)
{
    const struct gp_space *space = &s->g->space;
    double w_var = space->weight_sd * space->weight_sd;
    double signal = extra_at(s, SIGNAL), own = extra_at(s, OWN);
    double branch = space->root != 0 ? extra_at(s, BRANCH) : 0;
    int d = space->d, m = s->m, pair = 0;

    pairs_fill(s);
    for (int i = 0; i < m; i++) {
        double *row = s->k + i * m;
        for (int j = 0; j < i; j++, pair++)
            row[j] = signal * s->smooth[pair] + branch * s->same[pair] + 1 +
                     w_var * s->h[i] * s->h[j];
        row[i] =
            signal + branch + own + s->noise[i] + 1 + w_var * s->h[i] * s->h[i];
    }
    if (chol_factor(s->k, m, m) != 0)
        return -INFINITY;
    memcpy(s->alpha, s->y, sizeof(*s->y) * (size_t)m);
    chol_solve(s->k, m, m, s->alpha);
    chol_inverse(s->k, m, m, s->inverse);
    double value = -.5 * (dot(s->y, s->alpha, m) + chol_log_det(s->k, m, m));
    double slope[EXTRA] = {0, 0, 0};
    pair = 0;
    for (int i = 0; i < m; i++) {
        const double *inverse = s->inverse + i * m;
        double trace = s->alpha[i] * s->alpha[i] - inverse[i];
        for (int j = 0; j < i; j++, pair++) {
            double gain = s->alpha[i] * s->alpha[j] - inverse[j];
            slope[SIGNAL] += gain * s->smooth[pair] * signal;
            slope[BRANCH] += gain * s->same[pair] * branch;
            /* from here on: weight of a gap in the slope of its relevance */
            s->smooth[pair] *= -gain * signal;
            s->slope_r2[pair] *= 2 * gain * signal;
        }
        slope[SIGNAL] += .5 * trace * signal;
        slope[BRANCH] += .5 * trace * branch;
        slope[OWN] += .5 * trace * own;
    }
    for (int k = 0; k < d; k++) {
        double rel = relevance_at(s->g, k, s->at[k]);
        bool real = space->kind[k] == GP_DIM_REAL;
        const double *gap = s->gap + k * GP_SEARCH_PAIRS;
        double z = s->at[k] / RELEVANCE_SD;
        s->slope[k] = real ? rel * rel * dot(s->slope_r2, gap, pair)
                           : rel * dot(s->smooth, gap, pair);
        s->slope[k] -= z / RELEVANCE_SD;
        value -= .5 * z * z;
    }
    for (int e = 0; e < EXTRA; e++) {
        double z = s->at[d + e] / sd_of[e];
        s->slope[d + e] = slope[e] - z / sd_of[e];
        value -= .5 * z * z;
    }
    return value;
}

/* Walks up the posterior; leaves the best point seen in s->at. */
static void
search_walk(struct search *s)
{
    double step[GP_D_MAX + EXTRA], last[GP_D_MAX + EXTRA] = {0};
    double best_at[GP_D_MAX + EXTRA] = {0}, best = -INFINITY;
    int n = s->g->space.d + EXTRA;

    for (int i = 0; i < n; i++)
        step[i] = STEP;
    for (int t = 0; t < STEPS; t++) {
        double value = search_eval(s);
        if (!(value > -INFINITY))
            break;
        if (value > best) {
            best = value;
            memcpy(best_at, s->at, sizeof(best_at));
        }
        for (int i = 0; i < n; i++) {
            double turn = s->slope[i] * last[i];
            step[i] *= turn > 0 ? 1.3 : turn < 0 ? .5 : 1;
            last[i] = turn < 0 ? 0 : s->slope[i];
            double to = s->at[i] + (last[i] > 0      ? step[i]
                                       : last[i] < 0 ? -step[i]
                                                     : 0);
            s->at[i] = fmin(FACTOR_MAX, fmax(FACTOR_MIN, to));
        }
    }
    memcpy(s->at, best_at, sizeof(best_at));
}

void
gp_hyper_search(struct gp *g, const double *noise, double *scratch)
{
    struct search s = {.g = g};

    if (g->n >= FEW) {
        search_init(&s, g, noise, scratch);
        search_walk(&s);
    }
    for (int k = 0; k < g->space.d; k++)
        g->relevance[k] = relevance_at(g, k, s.at[k]);
    double branch = g->space.root != 0 ? extra_at(&s, BRANCH) : 0;
    g->sf2 = extra_at(&s, SIGNAL) + branch;
    g->branch = branch / g->sf2;
    g->nugget = extra_at(&s, OWN);
}
