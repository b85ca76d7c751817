/* What earlier results predict of whole configurations: the model, each value
 * of each knob, and the two together as crossed random effects
 * (math/effects.h). It learns from whole trials and from single changes,
 * whichever there are, and answers in the unit of what it was taught. The
 * draft fills the predictions of declared candidates with it; the bench
 * teaches it recorded trials of other families. */
#ifndef RESEARCH_PREDICT_H
#define RESEARCH_PREDICT_H

#include "core/spec.h"
#include "research/draft.h"

struct predictor;

/* One knob's value. Knobs of one concept are the same knob whatever they are
 * called; numbers and lists compare by value, words without case. */
struct predict_value {
    const char *knob;
    uint32_t concept; /* CONCEPT_NONE: known by its name */
    const char *text;
};

struct predictor *predictor_new(void);
void predictor_free(struct predictor *p); /* NULL is fine */

/* A whole trial: outcome y in the unit that all places share, + is better;
 * place names the data set that it was seen on. weight > 0. */
void predictor_trial(struct predictor *p, const char *place, const char *model,
    const struct predict_value *v, uint32_t n, double y, double weight);
/* A single change: knob from -> to moved the outcome by d. A change of the
 * model itself is CONCEPT_MODEL. */
void predictor_change(struct predictor *p, const char *model,
    const struct predict_value *from, const char *to, double d, double weight);
/* After the last trial or change, before the first question. */
void predictor_fit(struct predictor *p);
/* Outcome that is expected of a configuration, up to a constant of the place;
 * *sd (may be NULL) the spread of that configuration's outcome in a place that
 * was never seen, its constant apart. 0 when nothing of it is known. */
double predictor_ask(const struct predictor *p, const char *model,
    const struct predict_value *v, uint32_t n, double *sd);
/* Rows taught so far. */
uint32_t predictor_rows(const struct predictor *p);

/* Fills s->candidate_prior from the insights database (n_prior stays 0 without
 * declared candidates, and where no row is about these knobs). db may be NULL.
 * Errors are the database's. */
int candidates_predict(struct spec *s, struct insights *db,
    const struct draft_options *o, struct err *err);

#endif
