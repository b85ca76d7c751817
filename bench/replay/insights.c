/* A prior mean for each candidate from other families. Called once per
 * dataset. Outcomes are brought to one scale (0 = median, 1 = best of their
 * dataset) and explained by crossed random effects: the model, each value of
 * each knob, and the two together, plus slopes of numeric knobs; their
 * shrunken estimates are a ridge fit (Henderson 1975, BLUP), found by
 * coordinate descent. Invariant: no row of the target's family enters. */
#include "insights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 16, TERMS = 400, SWEEPS = 60 };

/* Noise variance over the effect's variance of each kind of effect: how many
 * observations the prior "no effect" is worth. */
static const double ridge_of[] = {
    ['d'] = 1, ['m'] = 20, ['v'] = 80, ['i'] = 40, ['s'] = 40, ['t'] = 40};
static const double OUTCOME_FLOOR = -1;

struct term {
    uint32_t feature;
    double x;
};

struct model {
    struct arena *a;
    char *name[SLOTS]; /* open addressing by hash */
    double ridge[SLOTS], effect[SLOTS];
    uint32_t n_rows, cap_rows, n_terms, cap_terms;
    struct term *term;
    uint32_t *row_at; /* first term of each row; n_rows + 1 */
    double *y, *weight;
};

static uint32_t
feature_find(struct model *m, const char *name, bool add)
{
    uint64_t h = 1469598103934665603u;
    for (const char *s = name; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    for (uint32_t i = 0; i < SLOTS - 1; i++) {
        uint32_t at = (uint32_t)((h + i) % SLOTS);
        if (m->name[at] == NULL) {
            if (!add)
                return SLOTS;
            m->name[at] = arena_strdup(m->a, name);
            m->ridge[at] = ridge_of[(unsigned char)name[0]];
            return at;
        }
        if (strcmp(m->name[at], name) == 0)
            return at;
    }
    return SLOTS;
}

struct terms {
    struct term at[TERMS];
    uint32_t n;
    struct model *m;
    bool add;
};

static void term_add(struct terms *t, double x, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
term_add(struct terms *t, double x, const char *fmt, ...)
{
    char name[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    uint32_t f = feature_find(t->m, name, t->add);
    if (f < SLOTS && t->n < TERMS)
        t->at[t->n++] = (struct term){f, x};
}

/* One knob's value: its effect anywhere, its effect in this model, slopes. */
static void
value_terms(struct terms *t, const char *model, const char *hp,
    const char *value, double sign)
{
    char *end;
    double v = strtod(value, &end);
    if (value[0] == '\0')
        return;
    term_add(t, sign, "v%s=%s", hp, value);
    term_add(t, sign, "i%s|%s=%s", model, hp, value);
    if (end == value || *end != '\0' || !isfinite(v))
        return;
    /* signed root of the logarithm's size: bounded for any unit */
    double x = v == 0 ? -1 : .1 * log(fabs(v)) * (v < 0 ? -1 : 1);
    term_add(t, sign * x, "s%s", hp);
    term_add(t, sign * x, "t%s|%s", model, hp);
}

static void
row_terms(struct terms *t, const struct trials *from, const struct row *r)
{
    term_add(t, 1, "m%s", r->model);
    for (uint32_t h = 0; h < from->n_hp; h++)
        value_terms(t, r->model, from->hp[h], r->hp[h], 1);
}

static void
row_add(struct model *m, const struct terms *t, double y, double weight)
{
    if (m->n_rows + 2 > m->cap_rows) {
        m->cap_rows = m->cap_rows ? 2 * m->cap_rows : 4096;
        m->y = mem_realloc(m->y, m->cap_rows * sizeof *m->y);
        m->weight = mem_realloc(m->weight, m->cap_rows * sizeof *m->weight);
        m->row_at = mem_realloc(m->row_at, m->cap_rows * sizeof *m->row_at);
    }
    if (m->n_terms + t->n > m->cap_terms) {
        m->cap_terms = 2 * m->cap_terms + 65536;
        m->term = mem_realloc(m->term, m->cap_terms * sizeof *m->term);
    }
    m->row_at[m->n_rows] = m->n_terms;
    memcpy(m->term + m->n_terms, t->at, t->n * sizeof t->at[0]);
    m->n_terms += t->n;
    m->y[m->n_rows] = y;
    m->weight[m->n_rows++] = weight;
    m->row_at[m->n_rows] = m->n_terms;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct scale {
    double median, range;
    uint32_t n;
};

static struct scale
scale_of(const struct trials *t, const char *dataset)
{
    double *v = mem_calloc(t->n + 1, sizeof *v);
    struct scale s = {0, 0, 0};
    for (uint32_t i = 0; i < t->n; i++)
        if (strcmp(t->row[i].dataset, dataset) == 0)
            v[s.n++] = t->row[i].val;
    if (s.n > 0) {
        qsort(v, s.n, sizeof *v, by_value);
        s.median = v[s.n / 2];
        s.range = v[s.n - 1] - s.median;
    }
    free(v);
    return s;
}

static void
trials_add(struct model *m, const struct trials *t, const char *target)
{
    const char *last = "";
    struct scale s = {0, 0, 0};
    for (uint32_t i = 0; i < t->n; i++) {
        const struct row *r = &t->row[i];
        struct terms x = {.m = m, .add = true};
        if (family_equal(r->dataset, target))
            continue;
        if (strcmp(r->dataset, last) != 0)
            s = scale_of(t, last = r->dataset);
        if (s.range <= 0)
            continue;
        double y = (r->val - s.median) / s.range;
        term_add(&x, 1, "d%s", r->dataset);
        row_terms(&x, t, r);
        row_add(m, &x, fmax(OUTCOME_FLOOR, y), 1);
    }
}

/* Recorded single changes: the difference of two rows, at half weight since
 * most come from trials that are in already. */
static void
changes_add(struct model *m, const struct trials *t, const struct table *c,
    const char *target)
{
    static const char *const need[] = {
        "dataset", "model", "hp", "from", "to", "d_val_auc"};
    int col[6];
    for (int i = 0; i < 6; i++)
        if ((col[i] = table_column(c, need[i])) < 0)
            return;
    const char *last = "";
    struct scale s = {0, 0, 0};
    for (uint32_t r = 0; r < c->n_rows; r++) {
        const char **cell = c->cells + r * c->n_cols;
        struct terms x = {.m = m, .add = true};
        char *end;
        double d = strtod(cell[col[5]], &end);
        if (family_equal(cell[col[0]], target) || end == cell[col[5]])
            continue;
        if (strcmp(cell[col[0]], last) != 0)
            s = scale_of(t, last = cell[col[0]]);
        if (s.range <= 0 || s.n == 0)
            continue;
        value_terms(&x, cell[col[1]], cell[col[2]], cell[col[3]], -1);
        value_terms(&x, cell[col[1]], cell[col[2]], cell[col[4]], 1);
        row_add(m, &x, fmin(1, fmax(-1, d / s.range)), .1);
    }
}

/* Coordinate descent on sum w (y - x'b)^2 + sum ridge b^2. */
static void
model_fit(struct model *m)
{
    double *rest = mem_calloc(m->n_rows, sizeof *rest);
    uint32_t *at = mem_calloc(SLOTS + 1, sizeof *at);
    uint32_t *fill = mem_calloc(SLOTS, sizeof *fill);
    struct term *col = mem_calloc(m->n_terms + 1, sizeof *col);
    memcpy(rest, m->y, m->n_rows * sizeof *rest);
    for (uint32_t i = 0; i < m->n_terms; i++)
        at[m->term[i].feature + 1]++;
    for (uint32_t f = 0; f < SLOTS; f++)
        at[f + 1] += at[f];
    for (uint32_t r = 0; r < m->n_rows; r++)
        for (uint32_t i = m->row_at[r]; i < m->row_at[r + 1]; i++) {
            uint32_t f = m->term[i].feature;
            col[at[f] + fill[f]++] = (struct term){r, m->term[i].x};
        }
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (uint32_t f = 0; f < SLOTS; f++) {
            double up = 0, down = m->ridge[f];
            for (uint32_t i = at[f]; i < at[f + 1]; i++) {
                double wx = m->weight[col[i].feature] * col[i].x;
                up += wx * rest[col[i].feature];
                down += wx * col[i].x;
            }
            if (at[f] == at[f + 1])
                continue;
            up -= m->ridge[f] * m->effect[f];
            double step = up / down;
            m->effect[f] += step;
            for (uint32_t i = at[f]; i < at[f + 1]; i++)
                rest[col[i].feature] -= step * col[i].x;
        }
    free(rest);
    free(at);
    free(fill);
    free(col);
}

void
insights_apply(struct arena *a, const struct trials *t,
    const struct trials *insights, const struct table *changes,
    struct problem *p)
{
    struct model *m = mem_calloc(1, sizeof *m);
    m->a = a;
    trials_add(m, insights, p->dataset);
    p->has_prior = m->n_rows > 0;
    if (changes != NULL)
        changes_add(m, insights, changes, p->dataset);
    if (p->has_prior)
        model_fit(m);
    for (uint32_t i = 0; i < p->n && p->has_prior; i++) {
        struct terms x = {.m = m, .add = false};
        row_terms(&x, t, p->row[i]);
        p->prior[i] = 0;
        for (uint32_t j = 0; j < x.n; j++)
            p->prior[i] += m->effect[x.at[j].feature] * x.at[j].x;
    }
    free(m->y);
    free(m->weight);
    free(m->row_at);
    free(m->term);
    free(m);
}
