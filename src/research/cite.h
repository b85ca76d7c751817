/* The evidence of an idea as JSON. */
#ifndef RESEARCH_CITE_H
#define RESEARCH_CITE_H

#include "research/candidate.h"
#include "research/novelty.h"

/* An array of objects of kind "paper", "insight" and "novelty", each with a
 * "ref". novelty NULL: the idea was compared with nothing; grade: of all the
 * evidence together, said beside it. */
const char *evidence_in(struct arena *a, const struct candidates *c,
    const struct candidate *x, const struct novelty *novelty, uint32_t grade);

#endif
