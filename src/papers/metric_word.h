/* The words by which papers measure: metrics, data sets, and words that speak
 * of change. A table of constants (metric_word.def) and the search in it. */
#ifndef PAPERS_METRIC_WORD_H
#define PAPERS_METRIC_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "papers/claim_token.h"

enum metric_kind_of { METRIC_MODEL, METRIC_BUSINESS, METRIC_COST };

struct metric_word {
    const char *name;
    uint8_t kind; /* enum metric_kind_of */
    int8_t better;
    const char *names; /* joined by '|', lower case */
};

/* The metric named at token i of n, the longest name first; *used is its
 * length in tokens. NULL: none begins there. */
const struct metric_word *
metric_at(const struct claim_token *t, uint32_t n, uint32_t i, uint32_t *used);
/* By its canonical or another name, in any case; NULL: unknown. */
const struct metric_word *metric_find(const char *name);
/* The data set named at token i; NULL: none. */
const char *
dataset_at(const struct claim_token *t, uint32_t n, uint32_t i, uint32_t *used);

/* +1: a word of gain ("improves", "higher"), -1: of loss ("reduces",
 * "lower"), 0: neither. */
int change_word(const char *word);
/* Does a word begin with one of the stems ("a|b")? */
bool word_starts(const char *word, const char *stems);
/* Is it one of the words ("a|b")? */
bool word_is(const char *word, const char *words);

#endif
