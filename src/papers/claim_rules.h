/* What the files of the claim rules share: one sentence, read. */
#ifndef PAPERS_CLAIM_RULES_H
#define PAPERS_CLAIM_RULES_H

#include "papers/claim.h"

struct sentence {
    const char *text;
    uint32_t begin, end;
    uint32_t n;
    struct claim_token t[CLAIM_TOKENS_MAX];
    bool online, offline; /* words of either are there */
    bool significant, open;
};

void sentence_read(
    struct sentence *s, const char *text, uint32_t begin, uint32_t end);
/* Claims with numbers; returns how many of `room` were written. */
uint32_t
numbers_claim(const struct sentence *s, struct claim *out, uint32_t room);
/* Does it say in words that something became better? */
bool sentence_praises(const struct sentence *s);
/* Fills baseline, data set, span, significance; token i is the number's. */
void claim_context(const struct sentence *s, uint32_t i, struct claim *c);

#endif
