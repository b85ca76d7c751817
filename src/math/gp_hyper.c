/* Type-II maximum a posteriori of the kernel's numbers: each relevance walks a
 * ladder of seven values around a prior centre, signal variance and misfit
 * nugget ladders of their own; one coordinate at a time, a fixed number of
 * evaluations. Called by gp_fit only. Sources: Rasmussen & Williams 2006, 5.4;
 * the prior centre grows with sqrt(d) as in Hvarfner et al., arXiv 2402.02229.
 * Invariant: no randomness, no tolerance, so the same points give the same
 * kernel; with five points the prior decides. */
#include "math/gp_kernel.h"

#include <stdbool.h>
#include <string.h>

#include "math/chol.h"

enum { STEPS = 7, STEP_START = 3, SIGNALS = 6, NUGGETS = 4 };

/* Relevance over its centre, and minus the log prior of the step. */
static const double step_value[STEPS] = {0, 0.25, 0.5, 1, 2, 4, 8};
static const double step_cost[STEPS] = {2.1, 0.67, 0.17, 0, 0.17, 0.67, 1.5};
static const double signal_value[SIGNALS] = {0.1, 0.3, 0.6, 1, 2, 4};
static const double signal_cost[SIGNALS] = {1.5, 0.6, 0.15, 0, 0.3, 0.9};
static const double nugget_value[NUGGETS] = {1e-6, 3e-3, 3e-2, 0.2};
static const double nugget_cost[NUGGETS] = {0, 0.7, 1, 1.5};

struct search {
    const struct gp *g;
    int m;                /* points looked at */
    int row[GP_SEARCH_N]; /* which ones */
    int step[GP_D_MAX];
    int signal;
    int nugget;
    int evals_left;
    double best;
    double *r2, *mismatch, *gap; /* per pair */
    double *k, *y, *h, *noise, *hl, *alpha;
};

static void
search_init(
    struct search *s, const struct gp *g, const double *noise, double *scratch)
{
    s->g = g;
    s->m = g->n < GP_SEARCH_N ? g->n : GP_SEARCH_N;
    s->evals_left = 40 + 5 * g->space.d;
    if (s->evals_left > 200)
        s->evals_left = 200;
    s->r2 = scratch;
    s->mismatch = s->r2 + GP_SEARCH_PAIRS;
    s->gap = s->mismatch + GP_SEARCH_PAIRS;
    s->k = s->gap + GP_SEARCH_PAIRS;
    s->y = s->k + GP_SEARCH_N * GP_SEARCH_N;
    s->h = s->y + GP_SEARCH_N;
    s->noise = s->h + GP_SEARCH_N;
    s->hl = s->noise + GP_SEARCH_N;
    s->alpha = s->hl + 2 * GP_SEARCH_N;
    for (int i = 0; i < s->m; i++) {
        s->row[i] = (int)((long)i * g->n / s->m);
        s->y[i] = g->y[s->row[i]];
        s->h[i] = g->h[s->row[i]];
        s->noise[i] = noise[s->row[i]];
    }
}

/* Relevance at the centre of the ladder: one dimension 1/length 1 and theta
 * 1/2, less each when there are many. Replays of recorded trials (37 to 52
 * knobs) were flat within a factor of two below these and clearly worse with
 * two to four times as much. */
static double
relevance_at(const struct gp *g, int k, int step)
{
    double centre = g->space.kind[k] == GP_DIM_REAL ? 1 : 0.5;

    return centre / sqrt(g->space.d) * step_value[step];
}

static void
gaps_of(struct search *s, int k)
{
    const struct gp *g = s->g;
    int d = g->space.d;
    double *gap = s->gap;

    for (int i = 1; i < s->m; i++) {
        double xi = g->x[s->row[i] * d + k];
        for (int j = 0; j < i; j++)
            *gap++ = gp_gap(g->space.kind[k], xi, g->x[s->row[j] * d + k]);
    }
}

/* Moves dimension k (its gaps are loaded) to a step. */
static void
step_set(struct search *s, int k, int step)
{
    bool real = s->g->space.kind[k] == GP_DIM_REAL;
    double *sum = real ? s->r2 : s->mismatch;
    double from = relevance_at(s->g, k, s->step[k]);
    double to = relevance_at(s->g, k, step);
    double change = real ? to * to - from * from : to - from;

    for (int i = 0; i < s->m * (s->m - 1) / 2; i++)
        sum[i] = fmax(0, sum[i] + change * s->gap[i]);
    s->step[k] = step;
}

/* Log posterior of the current steps, -INFINITY without a factor. */
static double
search_eval(struct search *s)
{
    const struct gp_space *space = &s->g->space;
    double sf2 = signal_value[s->signal];
    double cost = signal_cost[s->signal] + nugget_cost[s->nugget];
    struct gp_trend trend;
    int pair = 0;

    s->evals_left--;
    for (int i = 0; i < s->m; i++) {
        double *row = s->k + i * s->m;
        for (int j = 0; j < i; j++, pair++)
            row[j] = sf2 * gp_correlation(s->r2[pair], s->mismatch[pair]);
        row[i] = sf2 + s->noise[i] + nugget_value[s->nugget];
    }
    if (chol_factor(s->k, s->m, s->m) != 0)
        return -INFINITY;
    for (int k = 0; k < space->d; k++)
        cost += step_cost[s->step[k]];
    gp_trend_fit(s->k, s->m, s->m, s->y, s->h,
        space->weight_sd * space->weight_sd, s->hl, GP_SEARCH_N, s->alpha,
        &trend);
    return trend.log_evidence - cost;
}

/* Keeps walking *at by `by` while the posterior grows. */
static bool
ladder_walk(struct search *s, int *at, int count, int by)
{
    bool moved = false;

    while (s->evals_left > 0 && *at + by >= 0 && *at + by < count) {
        *at += by;
        double value = search_eval(s);
        if (!(value > s->best)) {
            *at -= by;
            break;
        }
        s->best = value;
        moved = true;
    }
    return moved;
}

static bool
step_walk(struct search *s, int k, int by)
{
    bool moved = false;

    while (
        s->evals_left > 0 && s->step[k] + by >= 0 && s->step[k] + by < STEPS) {
        int old = s->step[k];
        step_set(s, k, old + by);
        double value = search_eval(s);
        if (!(value > s->best)) {
            step_set(s, k, old);
            break;
        }
        s->best = value;
        moved = true;
    }
    return moved;
}

static bool
search_sweep(struct search *s, bool backward)
{
    int d = s->g->space.d;
    bool moved = false;

    for (int i = 0; i < d; i++) {
        int k = backward ? d - 1 - i : i;
        gaps_of(s, k);
        bool up = step_walk(s, k, 1);
        moved |= up || step_walk(s, k, -1);
    }
    moved |= ladder_walk(s, &s->signal, SIGNALS, 1) ||
             ladder_walk(s, &s->signal, SIGNALS, -1);
    moved |= ladder_walk(s, &s->nugget, NUGGETS, 1) ||
             ladder_walk(s, &s->nugget, NUGGETS, -1);
    return moved;
}

/* Moves all dimensions together first: three common steps. */
static void
search_start(struct search *s)
{
    int best_step = STEP_START;

    s->best = -INFINITY;
    for (int step = STEP_START - 1; step <= STEP_START + 2; step++) {
        bool last = step == STEP_START + 2;
        for (int k = 0; k < s->g->space.d; k++) {
            gaps_of(s, k);
            step_set(s, k, last ? best_step : step);
        }
        double value = last ? s->best : search_eval(s);
        if (value > s->best) {
            s->best = value;
            best_step = step;
        }
    }
}

void
gp_hyper_search(struct gp *g, const double *noise, double *scratch)
{
    struct search s = {.signal = 3};

    memset(scratch, 0, GP_SEARCH_SCRATCH * sizeof(*scratch));
    search_init(&s, g, noise, scratch);
    search_start(&s);
    for (int sweep = 0; sweep < 4 && s.evals_left > 0; sweep++)
        if (!search_sweep(&s, sweep % 2 == 1))
            break;
    for (int k = 0; k < g->space.d; k++)
        g->relevance[k] = relevance_at(g, k, s.step[k]);
    g->sf2 = signal_value[s.signal];
    g->nugget = nugget_value[s.nugget];
}
