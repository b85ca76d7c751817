/* A prior mean for each candidate from other families: teaches the product's
 * predictor (research/predict.h) what they recorded, with outcomes on one
 * scale: 0 = median, 1 = best of their dataset. Called once per dataset.
 * Invariant: no row of the target's family enters. */
#include "insights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "project/read.h"
#include "research/predict.h"

static const double OUTCOME_FLOOR = -1;
static const double CHANGE_WEIGHT = .1; /* most lie in the trials already */

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct scale
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

/* Concepts of the knobs, by their names as a project file's would be. */
static uint32_t *
concepts_of(const struct trials *t)
{
    uint32_t *concept = mem_calloc(t->n_hp + 1, sizeof *concept);
    for (uint32_t h = 0; h < t->n_hp; h++)
    concept[h] = concept_find(t->hp[h], "", "");
    return concept;
}

static uint32_t
row_values(const struct trials *t, const struct row *r, const uint32_t *concept,
    struct predict_value *v)
{
    uint32_t n = 0;
    for (uint32_t h = 0; h < t->n_hp; h++)
        if (r->hp[h][0] != '\0')
            v[n++] = (struct predict_value){t->hp[h], concept[h], r -> hp[h]};
    return n;
}

static void
trials_teach(struct predictor *p, const struct trials *t, const char *target)
{
    const char *last = "";
    struct scale s = {0, 0, 0};
    uint32_t *concept = concepts_of(t);
    struct predict_value *v = mem_calloc(t->n_hp + 1, sizeof *v);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct row *r = &t->row[i];
        if (family_equal(r->dataset, target))
            continue;
        if (strcmp(r->dataset, last) != 0)
            s = scale_of(t, last = r->dataset);
        if (s.range <= 0)
            continue;
        uint32_t n = row_values(t, r, concept, v);
        double y = fmax(OUTCOME_FLOOR, (r->val - s.median) / s.range);
        predictor_trial(p, r->dataset, r->model, v, n, y, 1);
    }
    free(v);
    free(concept);
}

static void
changes_teach(struct predictor *p, const struct trials *t,
    const struct table *c, const char *target)
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
        char *end;
        double d = strtod(cell[col[5]], &end);
        if (family_equal(cell[col[0]], target) || end == cell[col[5]])
            continue;
        if (strcmp(cell[col[0]], last) != 0)
            s = scale_of(t, last = cell[col[0]]);
        if (s.range <= 0)
            continue;
        struct predict_value from = {
            cell[col[2]], concept_find(cell[col[2]], "", ""), cell[col[3]]};
        predictor_change(p, cell[col[1]], &from, cell[col[4]],
            fmin(1, fmax(-1, d / s.range)), CHANGE_WEIGHT);
    }
}

void
insights_apply(const struct trials *t, const struct trials *insights,
    const struct table *changes, struct problem *p)
{
    struct predictor *m = predictor_new();
    trials_teach(m, insights, p->dataset);
    p->has_prior = predictor_rows(m) > 0;
    if (changes != NULL)
        changes_teach(m, insights, changes, p->dataset);
    predictor_fit(m);
    uint32_t *concept = concepts_of(t);
    struct predict_value *v = mem_calloc(t->n_hp + 1, sizeof *v);
    for (uint32_t i = 0; i < p->n && p->has_prior; i++) {
        uint32_t n = row_values(t, p->row[i], concept, v);
        p->prior[i] = predictor_ask(m, p->row[i]->model, v, n, &p->prior_sd[i]);
    }
    free(v);
    free(concept);
    predictor_free(m);
}
