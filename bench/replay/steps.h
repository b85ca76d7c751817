/* What every replayed campaign does with the real engine. */
#ifndef REPLAY_STEPS_H
#define REPLAY_STEPS_H

#include "core/core.h"

struct steps { /* of the bench that plays the campaign */
    int (*tell)(void *ctx, struct event *e); /* a fact and what follows */
    int (*ideas)(void *ctx); /* once drafted, before it is signed; or NULL */
    void *ctx;
};

/* Drafts, signs and starts a campaign of this spec; what tell or ideas say. */
int steps_start(const struct steps *x, const struct spec *s, uint64_t seed);
/* Candidate whose configuration an experiment has; n_candidates: none. */
uint32_t steps_candidate(const struct core *c, uint32_t experiment);

#endif
