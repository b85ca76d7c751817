/* A text as sentences and a sentence as tokens with their places, for rules
 * over words and numbers. Any bytes are fine; nothing is allocated. */
#ifndef PAPERS_CLAIM_TOKEN_H
#define PAPERS_CLAIM_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLAIM_WORD_LEN = 32, CLAIM_TOKENS_MAX = 256 };

enum claim_token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_MARK };

/* What a number counts. */
enum claim_unit {
    CLAIM_NO_NUMBER, /* also: a bare number */
    CLAIM_PERCENT,   /* relative, or unsaid */
    CLAIM_POINTS,    /* percentage points; hundredths of them for "bps" */
    CLAIM_ABSOLUTE,  /* in the metric's own unit */
    CLAIM_FACTOR,    /* times */
};
const char *claim_unit_name(uint32_t unit);

enum claim_bound { CLAIM_EXACT, CLAIM_UP_TO, CLAIM_AT_LEAST };
const char *claim_bound_name(uint32_t bound);

struct claim_token {
    uint32_t begin, end; /* bytes in the whole text */
    uint8_t kind;        /* enum claim_token_kind */
    uint8_t unit;        /* enum claim_unit, of numbers */
    uint8_t bound;       /* enum claim_bound, by '>' or '<' before it */
    int8_t sign;         /* +1, -1: written before the number; 0: none */
    char mark;           /* of marks */
    double value, high;  /* of numbers, without sign; high: end of a range */
    char word[CLAIM_WORD_LEN]; /* lower case, cut; "" for numbers, marks */
};

/* The sentence that begins at or after *at: its span, without surrounding
 * space. Moves *at behind it; false at the end. */
bool sentence_next(
    const char *text, size_t len, size_t *at, uint32_t *begin, uint32_t *end);
/* Tokens of the bytes [begin, end), at most CLAIM_TOKENS_MAX; what is beyond
 * is left out. Returns how many. */
uint32_t sentence_tokens(
    const char *text, uint32_t begin, uint32_t end, struct claim_token *out);

#endif
