/* What recorded outcomes of techniques say of a technique in a context: one
 * hierarchical normal model (math/components.h). An effect is the sum of what
 * all share, the technique's own, what names that are alike share (variants of
 * one method), the technique's kind, that kind in contexts that are alike,
 * that kind in years that are near, the place, and the rest. Each part's
 * variance is found by marginal likelihood from the rows alone. Effects are
 * modelled as asinh(effect / unit), unit their median size: a few collapses
 * are then no measure of the rest. */
#ifndef RESEARCH_OUTCOME_H
#define RESEARCH_OUTCOME_H

#include <stdint.h>

enum { OUTCOME_KINDS = 24, OUTCOME_TRAITS = OUTCOME_KINDS + 4 };

/* A technique in a place. */
struct outcome_key {
    const char *technique;        /* its name, borrowed */
    double kind[OUTCOME_KINDS];   /* chance of each kind, of sum 1 (or 0) */
    double year;                  /* that it was published */
    uint32_t role;                /* one of several that a paper brings, or its
                                     one; any small number */
    uint32_t place;               /* data set */
    uint32_t group;               /* of places that are not independent */
    double trait[OUTCOME_TRAITS]; /* of the place, of size about 1 */
};

struct outcome {
    struct outcome_key of;
    double effect; /* in any unit, + is better */
};

struct outcomes; /* a fitted model */

/* Fits; the rows must outlive the model. n may be 0: everything is then as
 * wide as `unit` says, which is used when no row gives one. Deterministic. */
struct outcomes *
outcomes_fit(const struct outcome *row, uint32_t n, double unit);
void outcomes_free(struct outcomes *o); /* NULL is fine */

struct outcome_answer {
    double mean, sd; /* of the normal with the same central 80 % interval */
    double p_gain;   /* P(effect > 0) */
    double p_best;   /* P(best of all that were asked about and of 0) */
    uint32_t known;  /* rows of this very technique */
};

/* Answers for m keys of one place together. `reference`: index of the key that
 * is 0 by definition, -1: none. limit: effects are known to be within +-limit
 * (as the rows were clipped); INFINITY: not. */
void outcomes_ask(const struct outcomes *o, const struct outcome_key *key,
    uint32_t m, int reference, double limit, struct outcome_answer *out);

/* Standard deviation of each part, in the model's own unit (asinh), in the
 * order of outcome_part_name. */
enum { OUTCOME_PARTS = 10 };
const char *outcome_part_name(uint32_t part);
double outcome_part_sd(const struct outcomes *o, uint32_t part);
/* Standard deviation among places of the size of all their effects. */
double outcomes_stretch(const struct outcomes *o);
/* By how much groups that were left out widened the intervals; 1: not. */
double outcomes_widening(const struct outcomes *o);

#endif
