/* Words of a text as the corpus counts them: lower case, letters, digits and
 * whatever is not ASCII; no stop words; plural endings cut. */
#ifndef PAPERS_CORPUS_WORDS_H
#define PAPERS_CORPUS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORD_BYTES = 40 };

/* The next word from *at on; false: there is none. `stem` cuts endings. */
bool
word_next(const char *s, size_t n, size_t *at, bool stem, char out[WORD_BYTES]);
/* Does it say nothing, in a text or in an engineer's question? */
bool word_is_stop(const char *w);
/* FNV-1a, 32 bits. */
uint32_t word_hash(const char *w);

#endif
