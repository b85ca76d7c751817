/* Two changes together, leave one family out. Called by bench-predict.
 * Invariant: neither the square that is predicted nor any other that holds its
 * tAB, nor any square of its family, takes part in its law or its scatter. */
#include "squares.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "math/combine.h"
#include "math/rank.h"

enum { FAMILIES_MAX = 64, WAYS = 4, COLUMNS = 9 };
static const double MOST = .02; /* AUC: what is beyond is a collapse */
static const double FLAT = .6;  /* of dA + dB: the law to beat */
/* Weights of the scatter that a refit chooses from. */
static const double k_choice[] = {.5, 1, 2, 3, 4, 6};

struct square {
    const char *dataset, *space, *trial[4]; /* t00, tA, tB, tAB */
    uint32_t family;
    struct combine_square at;
};

struct squares {
    uint32_t n, n_families;
    struct square *v;
    const char *family[FAMILIES_MAX]; /* a dataset of each */
    double typical; /* median interaction: where a place has no others */
};

static uint32_t
family_of_square(struct squares *s, const char *dataset)
{
    for (uint32_t f = 0; f < s->n_families; f++)
        if (family_equal(s->family[f], dataset))
            return f;
    if (s->n_families == FAMILIES_MAX)
        return FAMILIES_MAX - 1;
    s->family[s->n_families] = dataset;
    return s->n_families++;
}

static int
squares_read(
    struct arena *a, const struct table *t, struct squares *s, struct err *err)
{
    static const char *const need[COLUMNS] = {
        "dataset", "space", "t00", "tA", "tB", "tAB", "dA", "dB", "dAB"};
    int col[COLUMNS];
    for (int i = 0; i < COLUMNS; i++)
        if ((col[i] = table_column(t, need[i])) < 0)
            return err_set(err, -ERR_INPUT,
                "the table of squares has no column %s", need[i]);
    memset(s, 0, sizeof *s);
    s->v = arena_alloc(a, (t->n_rows + 1) * sizeof *s->v);
    for (uint32_t r = 0; r < t->n_rows; r++) {
        const char **cell = t->cells + r * t->n_cols;
        double d[3];
        bool fits = true;
        for (int i = 0; i < 3; i++) {
            char *end;
            d[i] = strtod(cell[col[6 + i]], &end);
            fits &= end != cell[col[6 + i]] && fabs(d[i]) <= MOST;
        }
        if (!fits)
            continue;
        struct square *q = &s->v[s->n++];
        q->dataset = cell[col[0]];
        q->space = cell[col[1]];
        for (int i = 0; i < 4; i++)
            q->trial[i] = cell[col[2 + i]];
        q->family = family_of_square(s, q->dataset);
        q->at = (struct combine_square){d[0], d[1], d[2], 0};
    }
    return 0;
}

/* ---- scatter ---- */

static bool
square_holds(const struct square *q, const char *trial)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(q->trial[i], trial) == 0)
            return true;
    return false;
}

static double
interaction(const struct square *q)
{
    return fabs(q->at.dab - q->at.da - q->at.db);
}

static void
scatter_fill(struct arena *a, struct squares *s)
{
    double *v = arena_alloc(a, (s->n + 1) * sizeof *v);
    for (uint32_t i = 0; i < s->n; i++)
        v[i] = interaction(&s->v[i]);
    s->typical = s->n > 0 ? median_in_place(v, s->n) : 0;
    for (uint32_t i = 0; i < s->n; i++) {
        struct square *q = &s->v[i];
        size_t n = 0;
        for (uint32_t j = 0; j < s->n; j++)
            if (strcmp(s->v[j].space, q->space) == 0 &&
                strcmp(s->v[j].dataset, q->dataset) == 0 &&
                !square_holds(&s->v[j], q->trial[3]))
                v[n++] = interaction(&s->v[j]);
        q->at.scatter = n >= 2 ? median_in_place(v, n) : s->typical;
    }
}

/* ---- fits without a family, or without two ---- */

static struct combine_law
law_without(const struct squares *s, uint32_t out, uint32_t out2, double k,
    struct combine_square *work)
{
    struct combine_law law;
    int n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->v[i].family != out && s->v[i].family != out2) {
            work[n] = s->v[i].at;
            if (k <= 0)
                work[n].scatter = 0;
            n++;
        }
    combine_fit(&law, work, n, k);
    return law;
}

static double
square_error(const struct combine_law *law, const struct square *q)
{
    double e = combine_expect(
                   law, q->at.da, q->at.db, law->k > 0 ? q->at.scatter : 0) -
               q->at.dab;
    return e * e;
}

/* The weight of the scatter that predicts the other families best, each of
 * them left out in its turn. */
static double
k_without(const struct squares *s, uint32_t out, struct combine_square *work)
{
    double best = INFINITY, best_k = combine_learnt.k;
    if (s->n_families < 3)
        return best_k;
    for (size_t i = 0; i < sizeof k_choice / sizeof *k_choice; i++) {
        double sum = 0;
        for (uint32_t f = 0; f < s->n_families; f++) {
            if (f == out)
                continue;
            struct combine_law law = law_without(s, out, f, k_choice[i], work);
            for (uint32_t j = 0; j < s->n; j++)
                if (s->v[j].family == f)
                    sum += square_error(&law, &s->v[j]);
        }
        if (sum < best) {
            best = sum;
            best_k = k_choice[i];
        }
    }
    return best_k;
}

struct misses {
    double flat, alone, full, shipped; /* sums of squared errors */
    uint32_t n;
};

static void
misses_print(const struct misses *m, const char *name, bool json, bool first)
{
    double v[WAYS] = {m->flat, m->alone, m->full, m->shipped};
    for (int i = 0; i < WAYS; i++)
        v[i] = sqrt(v[i] / m->n);
    if (json)
        printf("%s{\"left_out\":\"%s\",\"squares\":%" PRIu32
               ",\"rmse_flat\":%.5g,\"rmse_alone\":%.5g,\"rmse_law\":%.5g,"
               "\"rmse_shipped\":%.5g}",
            first ? "" : ",\n", name, m->n, v[0], v[1], v[2], v[3]);
    else
        printf("%-20s %6" PRIu32 "   %5.2f   %5.2f   %5.2f   %5.2f\n", name,
            m->n, v[0] * 1e3, v[1] * 1e3, v[2] * 1e3, v[3] * 1e3);
}

static void
family_score(const struct squares *s, uint32_t f, struct combine_square *work,
    struct misses *m, struct misses *all)
{
    struct combine_law alone = law_without(s, f, f, 0, work);
    struct combine_law full = law_without(s, f, f, k_without(s, f, work), work);
    memset(m, 0, sizeof *m);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct square *q = &s->v[i];
        if (q->family != f)
            continue;
        double e = FLAT * (q->at.da + q->at.db) - q->at.dab;
        m->flat += e * e;
        m->alone += square_error(&alone, q);
        m->full += square_error(&full, q);
        m->shipped += square_error(&combine_learnt, q);
        m->n++;
    }
    all->flat += m->flat;
    all->alone += m->alone;
    all->full += m->full;
    all->shipped += m->shipped;
    all->n += m->n;
}

int
squares_bench(const struct table *t, bool json, struct err *err)
{
    struct arena a = {0};
    struct squares s;
    struct misses all = {0};
    int rc = squares_read(&a, t, &s, err);
    if (rc == 0)
        scatter_fill(&a, &s);
    struct combine_square *work =
        rc == 0 ? arena_alloc(&a, (s.n + 1) * sizeof *work) : NULL;
    for (uint32_t f = 0; rc == 0 && f < s.n_families; f++) {
        struct misses m;
        char name[128];
        family_score(&s, f, work, &m, &all);
        snprintf(name, sizeof name, "%.*s", (int)family_len(s.family[f]),
            s.family[f]);
        misses_print(&m, name, json, f == 0);
    }
    if (rc == 0 && all.n > 0)
        misses_print(&all, "all", json, false);
    arena_fini(&a);
    return rc;
}
