/* What other families' recorded trials say of this one's candidates. */
#ifndef REPLAY_INSIGHTS_H
#define REPLAY_INSIGHTS_H

#include "problem.h"

/* Fills p->prior and p->prior_sd from trials (and, where given, single changes)
 * of other families; p->has_prior is false when there are none. t is the table
 * that p was built from, changes may be NULL. */
void insights_apply(const struct trials *t, const struct trials *insights,
    const struct table *changes, struct problem *p);

/* The middle of a dataset's outcomes, and from there to its best. */
struct scale {
    double median, range;
    uint32_t n;
};
struct scale scale_of(const struct trials *t, const char *dataset);

#endif
