/* The hierarchical model of outcomes. Called by the retrospective bench and by
 * the predictions that the draft makes. Invariant: the same rows in the same
 * order give the same answers, and a row's own group never widens or narrows
 * what is said of it. */
#include "research/outcome.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "math/components.h"
#include "math/dist.h"
#include "math/rank.h"
#include "math/score.h"

/* Guess of a part's variance before any row, and how far off it may be: a
 * factor of 5 either way. Parts that the rows do not tell apart share. */
static const double PART_GUESS = .2, PART_GUESS_SD = 1.5;
/* Years apart at which two cohorts of a kind are alike to exp(-1/2). */
static const double YEARS_NEAR = 3;
/* Years in which a kind's trend moves it as far as its own variance says. */
static const double TREND_YEARS = 5;
/* Distance of traits with the same meaning. */
static const double TRAITS_NEAR = .5;
enum { STRETCH_ROWS_MIN = 5 };
/* Bounds of the widening, and how many rows the guess "none" is worth. */
static const double WIDEN_MIN = 1, WIDEN_MAX = 1.6, WIDEN_WORTH = 20;
/* How far beyond the limit, so that rounding does not matter. */
static const double EDGE = 1.01;
enum { DRAWS = 4000 };

enum part {
    PART_ALL,
    PART_TECHNIQUE,
    PART_TECHNIQUE_CONTEXT,
    PART_KIND,
    PART_KIND_CONTEXT,
    PART_KIND_YEAR,
    PART_KIND_TREND,
    PART_KIND_ROLE,
    PART_PLACE,
    PART_REST,
    PART_COUNT
};
_Static_assert((int)PART_COUNT == OUTCOME_PARTS, "one name a part");
_Static_assert((int)PART_COUNT <= COMPONENTS_MAX, "each part is a component");

struct outcomes {
    const struct outcome *row;
    uint32_t n;
    double unit, widen;
    double year;    /* that trends are measured from */
    double stretch; /* variance of the size of a place's effects */
    struct components c;
    double *sim, *y, *scratch;
};

const char *
outcome_part_name(uint32_t part)
{
    static const char *const name[] = {"all", "technique",
        "technique in context", "kind", "kind in context", "kind by year",
        "kind's trend", "kind by role", "place", "rest"};
    return part < PART_COUNT ? name[part] : "?";
}

double
outcome_part_sd(const struct outcomes *o, uint32_t part)
{
    return sqrt(o->c.weight[part]);
}

double
outcomes_stretch(const struct outcomes *o)
{
    return sqrt(o->stretch);
}

double
outcomes_widening(const struct outcomes *o)
{
    return o->widen;
}

/* ---- likeness ---- */

static double
square_distance(const double *a, const double *b, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* Of a trend; 0 where a year, or what is usual, is not known. */
static double
years_since(double year, double origin)
{
    return year > 0 && origin > 0 ? (year - origin) / TREND_YEARS : 0;
}

/* All similarities of two keys but the last, which is a row with itself. */
static void
keys_compare(const struct outcome_key *a, const struct outcome_key *b,
    double origin, double s[PART_COUNT])
{
    double kin = 0, years = (a->year - b->year) / YEARS_NEAR;
    double x = years_since(a->year, origin), y = years_since(b->year, origin);
    for (uint32_t k = 0; k < OUTCOME_KINDS; k++)
        kin += a->kind[k] * b->kind[k];
    double far = square_distance(a->trait, b->trait, OUTCOME_TRAITS);
    s[PART_ALL] = 1;
    s[PART_TECHNIQUE] = strcmp(a->technique, b->technique) == 0;
    double near = exp(-.5 * far / (TRAITS_NEAR * TRAITS_NEAR));
    s[PART_TECHNIQUE_CONTEXT] = s[PART_TECHNIQUE] * near;
    s[PART_KIND] = kin;
    s[PART_KIND_CONTEXT] = kin * near;
    s[PART_KIND_YEAR] = kin * exp(-.5 * years * years);
    s[PART_KIND_TREND] = kin * x * y;
    s[PART_KIND_ROLE] = kin * (a->role == b->role);
    s[PART_PLACE] = a->place == b->place;
    s[PART_REST] = 0;
}

/* Similarities of m keys to the n rows (cross), or among themselves. */
static void
compare_all(const struct outcomes *o, const struct outcome_key *key, uint32_t m,
    const struct outcome_key *other, size_t stride, uint32_t n, double *out)
{
    size_t size = (size_t)m * n;
    double s[PART_COUNT];
    for (uint32_t i = 0; i < m; i++)
        for (uint32_t j = 0; j < n; j++) {
            const struct outcome_key *b =
                (const struct outcome_key *)((const char *)other + j * stride);
            keys_compare(&key[i], b, o->year, s);
            s[PART_REST] = &key[i] == b;
            for (uint32_t k = 0; k < PART_COUNT; k++)
                out[k * size + (size_t)i * n + j] = s[k];
        }
}

/* ---- fitting ---- */

static double
median_size(const struct outcome *row, uint32_t n, double otherwise)
{
    double *x = mem_calloc(n + 1, sizeof *x), m = otherwise;
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++)
        if (row[i].effect != 0)
            x[k++] = fabs(row[i].effect);
    if (k > 0)
        m = median_in_place(x, k);
    free(x);
    return m;
}

static bool
group_is_first(const struct outcome *row, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (row[j].of.group == row[i].of.group)
            return false;
    return true;
}

/* How much wider errors are in groups that were left out than the model says:
 * the 80 % quantile of their size against the normal's. */
static double
widening(const struct outcomes *o)
{
    uint32_t n = o->n, got = 0;
    int *at = mem_calloc(n + 1, sizeof *at);
    double *z = mem_calloc(n + 1, sizeof *z);
    double *res = mem_calloc(2 * (size_t)n + 1, sizeof *res), *var = res + n;
    double *work = mem_calloc(2 * (size_t)n * n + 1, sizeof *work);
    for (uint32_t i = 0; i < n; i++) {
        int m = 0;
        if (!group_is_first(o->row, i))
            continue;
        for (uint32_t j = i; j < n; j++)
            if (o->row[j].of.group == o->row[i].of.group)
                at[m++] = (int)j;
        if ((uint32_t)m == n ||
            components_leave_out(&o->c, o->scratch, at, m, res, var, work) != 0)
            continue;
        for (int j = 0; j < m; j++) {
            double said = o->y[at[j]] - res[j];
            z[got++] = fabs(res[j]) / sqrt(var[j] + o->stretch * said * said);
        }
    }
    double found = got > 0 ? quantile_in_place(z, got, .8) / INTERVAL80_Z : 1;
    free(at);
    free(z);
    free(res);
    free(work);
    double w = (got * found + WIDEN_WORTH) / (got + WIDEN_WORTH);
    return fmin(WIDEN_MAX, fmax(WIDEN_MIN, w));
}

/* What the parts that hold anywhere say of m keys: cross holds their
 * similarities to the rows. */
static void
levels_ask(
    const struct outcomes *o, const double *cross, uint32_t m, double *level)
{
    size_t size = (size_t)m * o->n;
    const double *alpha = o->scratch + 2 * (size_t)o->n * o->n;
    memset(level, 0, m * sizeof *level);
    for (uint32_t k = 0; k < PART_PLACE; k++)
        for (uint32_t i = 0; i < m; i++)
            for (uint32_t j = 0; j < o->n; j++)
                level[i] += o->c.weight[k] * alpha[j] *
                            cross[k * size + (size_t)i * o->n + j];
}

/* How much one place stretches or squeezes all effects: the variance among
 * places of the slope of what was seen on what was expected, less what chance
 * makes of it. A place that was never seen is as uncertain by it; its mean is
 * not moved. */
static double
stretch_of(const struct outcomes *o, const double *level)
{
    double sum = 0, places = 0, rest = o->c.weight[PART_REST];
    for (uint32_t i = 0; i < o->n; i++) {
        double n = 0, x = 0, y = 0, xx = 0, xy = 0;
        bool first = true;
        for (uint32_t j = 0; j < o->n; j++) {
            if (o->row[j].of.place != o->row[i].of.place)
                continue;
            first = first && j >= i;
            n++;
            x += level[j];
            y += o->y[j];
            xx += level[j] * level[j];
            xy += level[j] * o->y[j];
        }
        double spread = xx - x * x / n;
        if (!first || n < STRETCH_ROWS_MIN || !(spread > 0))
            continue;
        double slope = (xy - x * y / n) / spread - 1;
        sum += slope * slope - rest / spread;
        places++;
    }
    return places > 1 ? fmax(0, sum / (places - 1)) : 0;
}

static void
rows_prepare(struct outcomes *o)
{
    struct outcome_key *key = mem_calloc(o->n + 1, sizeof *key);
    double sum = 0, dated = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        key[i] = o->row[i].of;
        sum += key[i].year;
        dated += key[i].year > 0;
        o->y[i] = asinh(o->row[i].effect / o->unit);
    }
    o->year = dated > 0 ? sum / dated : 0;
    compare_all(o, key, o->n, key, sizeof *key, o->n, o->sim);
    free(key);
}

struct outcomes *
outcomes_fit(const struct outcome *row, uint32_t n, double unit)
{
    struct outcomes *o = mem_calloc(1, sizeof *o);
    size_t nn = (size_t)n * n;
    double *level = mem_calloc(n + 1, sizeof *level);
    o->row = row;
    o->n = n;
    o->unit = median_size(row, n, unit);
    o->sim = mem_calloc(PART_COUNT * nn + 1, sizeof *o->sim);
    o->y = mem_calloc((size_t)n + 1, sizeof *o->y);
    o->scratch = mem_calloc(components_scratch((int)n), sizeof *o->scratch);
    rows_prepare(o);
    o->c = (struct components){.n = (int)n,
        .k = PART_COUNT,
        .sim = o->sim,
        .y = o->y,
        .guess = PART_GUESS,
        .guess_sd = PART_GUESS_SD};
    if (components_fit(&o->c, o->scratch) != 0)
        abort(); /* PART_REST makes the matrix of the guess definite */
    levels_ask(o, o->sim, n, level);
    o->stretch = stretch_of(o, level);
    free(level);
    o->widen = widening(o);
    return o;
}

void
outcomes_free(struct outcomes *o)
{
    if (o == NULL)
        return;
    free(o->sim);
    free(o->y);
    free(o->scratch);
    free(o);
}

/* ---- asking ---- */

static void
answer_fill(const struct outcomes *o, const struct outcome_key *key,
    double mean, double sd, double limit, struct outcome_answer *out)
{
    double lo = o->unit * sinh(mean - INTERVAL80_Z * sd);
    double hi = o->unit * sinh(mean + INTERVAL80_Z * sd);
    /* an interval that reaches the limit holds it */
    lo = fmin(limit, lo) < -limit ? -EDGE * limit : fmin(limit, lo);
    hi = fmax(-limit, hi) > limit ? EDGE * limit : fmax(-limit, hi);
    out->mean = .5 * (lo + hi);
    out->sd = .5 * (hi - lo) / INTERVAL80_Z;
    out->p_gain = normal_cdf(mean / sd);
    out->known = 0;
    for (uint32_t i = 0; i < o->n; i++)
        out->known += strcmp(o->row[i].of.technique, key->technique) == 0;
}

void
outcomes_ask(const struct outcomes *o, const struct outcome_key *key,
    uint32_t m, int reference, double limit, struct outcome_answer *out)
{
    size_t mm = (size_t)m * m, mn = (size_t)m * o->n;
    double *cross = mem_calloc(PART_COUNT * mn + 1, sizeof *cross);
    double *own = mem_calloc(PART_COUNT * mm, sizeof *own);
    double *mean = mem_calloc(4 * (size_t)m + 2 * mm, sizeof *mean);
    double *share = mean + m, *level = share + m, *cov = level + m;
    double *work = cov + mm, *big = mem_calloc(mn + 1, sizeof *big);
    if (o->n > 0)
        compare_all(o, key, m, &o->row->of, sizeof *o->row, o->n, cross);
    compare_all(o, key, m, key, sizeof *key, m, own);
    levels_ask(o, cross, m, level);
    components_ask(&o->c, o->scratch, (int)m, cross, own, mean, cov, big);
    for (uint32_t i = 0; i < m; i++)
        for (uint32_t j = 0; j < m; j++)
            cov[i * m + j] =
                o->widen * o->widen *
                (cov[i * m + j] + o->stretch * level[i] * level[j]);
    for (uint32_t i = 0; i < m; i++)
        answer_fill(o, &key[i], mean[i], sqrt(fmax(1e-12, cov[i * m + i])),
            limit, &out[i]);
    if (reference >= 0) {
        uint32_t r = (uint32_t)reference;
        mean[r] = 0;
        for (uint32_t i = 0; i < m; i++)
            cov[r * m + i] = cov[i * m + r] = 0;
        out[r] = (struct outcome_answer){.known = out[r].known};
    }
    struct rng rng;
    rng_seed(&rng, 1);
    best_shares(mean, cov, (int)m, DRAWS, &rng, share, work);
    for (uint32_t i = 0; i < m; i++)
        out[i].p_best = share[i];
    free(cross);
    free(own);
    free(mean);
    free(big);
}
