/* Predictions of a project's declared candidates from the insights database.
 * Called by the verbs that plan. Invariant: without a row that is about these
 * knobs, or on this model, nothing is predicted: a search then starts cold
 * instead of believing noise. */
#include <math.h>
#include <string.h>

#include "research/history.h"
#include "research/predict.h"

/* Effects are taught in this unit of AUC, and no single one beyond +-1 of it:
 * a collapsed training is no measure of a knob. */
static const double UNIT_AUC = 1e-2;
/* A row's weight for each comparison behind it, up to COMPARISONS: they share
 * seeds and grids. */
static const double ROW_WEIGHT = .1;
enum { COMPARISONS = 20 };

static uint32_t
history_teach(const struct history *h, struct predictor *p)
{
    for (uint32_t i = 0; i < h->n; i++) {
        const struct record *r = &h->record[i];
        const struct insight *row = r->row;
        if (row->from[0] == '\0' || row->to[0] == '\0')
            continue;
        struct predict_value from = {row->knob, r->concept, row->from};
        double n = fmin(COMPARISONS, fmax(1, (double)row->n));
        predictor_change(p, r->family, &from, row->to,
            fmin(1, fmax(-1, r->d / UNIT_AUC)), ROW_WEIGHT * n * r->trust);
    }
    return predictor_rows(p);
}

/* Model and knob values of one candidate; texts lie in `text`. */
static uint32_t
candidate_values(const struct spec *s, const double *row, const char **model,
    struct predict_value *v, char text[KNOBS_MAX][256])
{
    struct config x;
    uint32_t n = 0;
    memcpy(x.v, row, sizeof x.v);
    *model = family_of(s);
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        const struct knob *knob = &s->knob[k];
        if (!knob_is_active(s, &x, k))
            continue;
        knob_format(knob, x.v[k], text[k], sizeof text[k]);
        if (knob->concept == CONCEPT_MODEL && knob->kind == KNOB_CHOICE)
            *model = text[k];
        else
            v[n++] = (struct predict_value){knob->name, knob->concept, text[k]};
    }
    return n;
}

int
candidates_predict(struct spec *s, struct insights *db,
    const struct draft_options *o, struct err *err)
{
    struct arena a = {0};
    struct history h;
    char text[KNOBS_MAX][256];
    s->n_prior = 0;
    if (db == NULL || s->n_candidates == 0)
        return 0;
    int rc = history_load(&h, db, s, o->before, &a, err);
    struct predictor *p = predictor_new();
    if (rc == 0 && history_teach(&h, p) > 0) {
        double lo = INFINITY, hi = -INFINITY;
        predictor_fit(p);
        for (uint32_t i = 0; i < s->n_candidates; i++) {
            struct predict_value v[KNOBS_MAX];
            const char *model;
            uint32_t n = candidate_values(s, s->candidate[i], &model, v, text);
            double y = predictor_ask(p, model, v, n, NULL);
            s->candidate_prior[i] = y;
            lo = fmin(lo, y);
            hi = fmax(hi, y);
        }
        s->n_prior = hi > lo ? s->n_candidates : 0;
    }
    predictor_free(p);
    arena_fini(&a);
    return rc;
}
