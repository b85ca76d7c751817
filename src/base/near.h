/* Did-you-mean: how far apart two words are. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stdint.h>

/* Edit distance with swaps of neighbours (optimal string alignment), letters
 * compared without case; words beyond 63 letters count as far apart. */
uint32_t near_distance(const char *a, const char *b);

/* The closest of n words, or NULL when none is close enough to be meant: at
 * most a third of the longer word, or a beginning of one of them. Borrowed. */
const char *near_word(const char *word, const char *const *list, uint32_t n);

#endif
