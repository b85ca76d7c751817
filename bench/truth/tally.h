/* Counts over many campaigns of one cell (shape and budget). */
#ifndef TRUTH_TALLY_H
#define TRUTH_TALLY_H

#include "live.h"

enum found_how {
    FOUND_PROVED,    /* accepted by e-BH at q = .1 */
    FOUND_PROMOTED,  /* posterior P(gain > min_gain) > .95 */
    FOUND_DELIVERED, /* part of a proposal that was claimed */
    FOUND_USEFUL,    /* and the proposal is worse without it */
    FOUND_EITHER,    /* promoted or useful */
    FOUND_KINDS
};

struct tally {
    uint64_t lives, claims, false_claims, negative, opened, trials;
    uint64_t finalists, covered, claim_finalists, claim_covered, joint;
    uint64_t idle, crossed; /* ideas without gain; e-value once >= 20 */
    uint64_t proofs;        /* campaigns with a proof of such an idea */
    uint64_t worthy;        /* ideas of at least 2 seed sds that were planned */
    uint64_t found[FOUND_KINDS], plan_found[PLAN_RULES];
    /* sums over the campaigns of the share of the accepted that are wrong, 0
     * where nothing is accepted: the false discovery rate times lives */
    double wrong[FOUND_KINDS], plan_wrong[PLAN_RULES];
    double ship, plan_ship[PLAN_RULES], plan_stack[PLAN_RULES];
    double bias, bias2, raw_bias, truth_of_finalists;
    uint64_t pairs, pairs_covered, called, called_wrong;
};

/* Adds one campaign, and the fixed plan's where plan is not NULL. */
void tally_add(struct tally *t, const struct problem *p,
    const struct outcome *o, const struct plan_outcome *plan);
void tally_merge(struct tally *to, const struct tally *from);

/* One line of text, or one JSON object, for each part of the bench. */
void tally_null(const char *name, const struct tally *t, bool json);
void tally_cover(const char *name, const struct tally *t, bool json);
void tally_power(
    const char *name, uint32_t trials, const struct tally *t, bool json);

#endif
