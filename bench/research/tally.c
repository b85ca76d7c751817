/* Marks of rankings and predictions. Called by the bench. */
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "math/rank.h"
#include "math/score.h"

enum { BOOTSTRAPS = 2000, TOP = 5 };

const char *
measure_name(uint32_t measure)
{
    static const char *const name[] = {"hit1", "hit3", "hit5", "recall5",
        "spearman", "crps", "brier", "coverage80"};
    return measure < MEASURE_COUNT ? name[measure] : "?";
}

/* ---- rankings ---- */

/* Chance that row i is within the first k. */
static double
within(const struct fold *f, uint32_t rule, uint32_t i, double k)
{
    double above = 0, tied = 0, s = f->row[i].score[rule];
    for (uint32_t j = 0; j < f->board->n; j++) {
        above += f->row[j].score[rule] > s;
        tied += f->row[j].score[rule] == s;
    }
    return fmin(1, fmax(0, (k - above) / tied));
}

static double
effect_at(const struct boards *b, const struct fold *f, uint32_t i)
{
    return b->row[f->board->first + i].effect;
}

static double
hit(const struct boards *b, const struct fold *f, uint32_t rule, double k)
{
    double best = -INFINITY, chance = 0;
    for (uint32_t i = 0; i < f->board->n; i++)
        best = fmax(best, effect_at(b, f, i));
    for (uint32_t i = 0; i < f->board->n; i++)
        if (effect_at(b, f, i) == best)
            chance = fmax(chance, within(f, rule, i, k));
    return chance;
}

static double
recall(const struct boards *b, const struct fold *f, uint32_t rule)
{
    double sum = 0;
    for (uint32_t i = 0; i < f->board->n; i++) {
        double above = 0, tied = 0, e = effect_at(b, f, i);
        for (uint32_t j = 0; j < f->board->n; j++) {
            above += effect_at(b, f, j) > e;
            tied += effect_at(b, f, j) == e;
        }
        double share = fmin(1, fmax(0, (TOP - above) / tied));
        sum += share * within(f, rule, i, TOP);
    }
    return sum / fmin(TOP, f->board->n);
}

static double
rank_likeness(const struct boards *b, const struct fold *f, uint32_t rule)
{
    uint32_t n = f->board->n;
    double *x = mem_calloc(4 * (size_t)n, sizeof *x), *y = x + n;
    struct order_key *work = mem_calloc(2 * (size_t)n, sizeof *work);
    for (uint32_t i = 0; i < n; i++) {
        x[i] = f->row[i].score[rule];
        y[i] = effect_at(b, f, i);
    }
    double r = spearman(x, y, n, work, y + n);
    free(x);
    free(work);
    return isfinite(r) ? r : 0;
}

/* ---- predictions ---- */

static void
mark(struct marks *m, uint32_t measure, double x)
{
    m->sum[measure] += x;
    m->n[measure]++;
}

static void
predictions_mark(const struct boards *b, const struct fold *f, uint32_t rule,
    int until, enum rows_of which, struct marks *out)
{
    for (uint32_t i = 0; i < f->board->n; i++) {
        const struct board_row *r = &b->row[f->board->first + i];
        bool later = r->year > until;
        if ((int)i == f->board->reference || (which == ROWS_LATER && !later) ||
            (which == ROWS_EARLIER && later))
            continue;
        double y = effect_clipped(r->effect), m = f->row[i].mean[rule];
        double sd = f->row[i].sd[rule], p = f->row[i].p_gain[rule];
        mark(out, MEASURE_CRPS, 1e4 * crps_normal(m, sd, y));
        mark(out, MEASURE_BRIER, (p - (y > 0)) * (p - (y > 0)));
        mark(out, MEASURE_COVER80, fabs(y - m) <= INTERVAL80_Z * sd);
    }
}

void
marks_of(const struct boards *b, const struct fold *f, uint32_t rule, int until,
    enum rows_of which, struct marks *out)
{
    memset(out, 0, sizeof *out);
    mark(out, MEASURE_HIT1, hit(b, f, rule, 1));
    mark(out, MEASURE_HIT3, hit(b, f, rule, 3));
    mark(out, MEASURE_HIT5, hit(b, f, rule, 5));
    mark(out, MEASURE_RECALL5, recall(b, f, rule));
    mark(out, MEASURE_SPEARMAN, rank_likeness(b, f, rule));
    if (rule < RULES_PREDICTING)
        predictions_mark(b, f, rule, until, which, out);
}

void
marks_add(struct marks *to, const struct marks *more)
{
    for (uint32_t k = 0; k < MEASURE_COUNT; k++) {
        to->sum[k] += more->sum[k];
        to->n[k] += more->n[k];
    }
}

double
marks_mean(const struct marks *m, uint32_t measure)
{
    return m->n[measure] > 0 ? m->sum[measure] / m->n[measure] : NAN;
}

static double
figure(
    const struct marks *x, const struct marks *y, uint32_t measure, bool ratio)
{
    double a = marks_mean(x, measure), b = marks_mean(y, measure);
    return ratio ? a / b : a - b;
}

struct spread
marks_compare(const struct boards *b, const struct marks *mark,
    const struct marks *other, uint32_t measure, bool ratio)
{
    double *draw = mem_calloc(BOOTSTRAPS, sizeof *draw);
    struct marks x = {0}, y = {0};
    struct rng r;
    rng_seed(&r, 1);
    for (uint32_t i = 0; i < b->n; i++) {
        marks_add(&x, &mark[i]);
        marks_add(&y, &other[i]);
    }
    struct spread out = {.value = figure(&x, &y, measure, ratio)};
    for (uint32_t d = 0; d < BOOTSTRAPS; d++) {
        struct marks p = {0}, q = {0};
        for (uint32_t k = 0; k < b->n_families; k++) {
            uint32_t family = (uint32_t)rng_below(&r, b->n_families);
            for (uint32_t i = 0; i < b->n; i++) {
                if (b->board[i].family != family)
                    continue;
                marks_add(&p, &mark[i]);
                marks_add(&q, &other[i]);
            }
        }
        draw[d] = figure(&p, &q, measure, ratio);
    }
    out.lo = quantile_in_place(draw, BOOTSTRAPS, .05);
    out.hi = quantile_in_place(draw, BOOTSTRAPS, .95);
    free(draw);
    return out;
}
