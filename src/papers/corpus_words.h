/* Words of a text as the corpus counts them: lower case, letters, digits and
 * whatever is not ASCII; no stop words; plural endings cut; and what the
 * corpus itself says stands for the same ("click-through rate (CTR)") is one
 * word. */
#ifndef PAPERS_CORPUS_WORDS_H
#define PAPERS_CORPUS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WORD_BYTES = 40,
    ACRONYMS_MAX = 256,
    ACRONYM_BYTES = 24,
    ACRONYM_FULL_BYTES = 96,
};

struct acronym {
    char name[ACRONYM_BYTES];      /* "ctr", "multitask" */
    char full[ACRONYM_FULL_BYTES]; /* "click through rate", "multi task" */
    bool whole; /* its words say little one by one: it counts as one */
    int next;   /* in the chain of first[], -1: none */
};

struct acronyms {
    uint32_t n;
    struct acronym a[ACRONYMS_MAX];
    int first[256]; /* by the hash of the first word of full, -1: none */
};

/* The next word from *at on; false: there is none. `stem` cuts endings. */
bool
word_next(const char *s, size_t n, size_t *at, bool stem, char out[WORD_BYTES]);
/* The same with endings cut and whole long forms made short. */
bool term_next(const struct acronyms *k, const char *s, size_t n, size_t *at,
    char out[WORD_BYTES]);
/* What has this name; NULL: nothing. */
const struct acronym *acronym_find(const struct acronyms *k, const char *name);
/* Does it say nothing, in a text or in an engineer's question? */
bool word_is_stop(const char *w);
/* Cuts the ending of a plural. */
void word_singular(char *w);
/* FNV-1a, 32 bits. */
uint32_t word_hash(const char *w);

/* {0} is not ready for use. */
void acronyms_clear(struct acronyms *k);
/* false: there is no room, or the name or form is known. */
bool acronyms_add(
    struct acronyms *k, const char *name, const char *full, bool whole);
/* What n texts say of themselves: acronyms that they define and words that
 * they write in one and with a hyphen, each at least three times. */
void acronyms_mine(struct acronyms *k, const char *const *text, uint32_t n);

#endif
