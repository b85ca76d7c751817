/* Claims of a text: what a paper says it gained, on what, over what, how it
 * was measured. Rules over words and numbers find them; each is bound to the
 * sentence it stands in. What is found is what a text says, not what is true:
 * evidence.h says how much of it to believe. */
#ifndef PAPERS_CLAIM_H
#define PAPERS_CLAIM_H

#include "papers/claim_token.h"
#include "papers/metric_word.h"

enum { CLAIM_NAME_LEN = 48, CLAIMS_MAX = 64 };

/* Larger changes than these are taken for slips or for bait, and dropped. */
#define CLAIM_PERCENT_MAX 1000.0
#define CLAIM_FACTOR_MAX 1000.0

struct claim {
    uint32_t begin, end;              /* bytes of its sentence in the text */
    const struct metric_word *metric; /* NULL: several, or none named */
    char what[CLAIM_NAME_LEN]; /* what was measured, where metric is NULL */
    double delta;              /* + is more of the metric; 0 without a number */
    double high;               /* the far end of a range, else delta */
    uint8_t unit;     /* enum claim_unit; CLAIM_NO_NUMBER: only said in words */
    uint8_t bound;    /* enum claim_bound */
    bool online;      /* live traffic, else a test set */
    bool significant; /* a test or an interval is named */
    bool open;        /* on public data, as it says */
    char dataset[CLAIM_NAME_LEN];  /* "" none known is named */
    char baseline[CLAIM_NAME_LEN]; /* "" none is named */
};

/* Writes at most max claims in the order of the text; returns how many. Claims
 * without a number are given once for each setting, and only where no number
 * was found for it. */
uint32_t
claims_find(const char *text, size_t len, struct claim *out, uint32_t max);

/* + the claim says that things got better, - worse, by the metric's sense. */
int claim_supports(const struct claim *c);

#endif
