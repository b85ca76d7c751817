/* Words (corpus_words.h). Called by dense*.c, question.c and retrieve*.c. */
#include "papers/corpus_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Sorted. Words of grammar, and those by which a question is put: they are in
 * every question and say nothing of its matter. */
static const char *const stop[] = {"a", "about", "after", "all", "also", "am",
    "an", "and", "any", "anymore", "are", "as", "at", "based", "be", "beat",
    "beaten", "beats", "because", "been", "best", "better", "between", "but",
    "by", "can", "change", "changing", "choose", "could", "did", "do", "does",
    "each", "effectively", "every", "fit", "for", "from", "get", "give",
    "gives", "had", "has", "have", "how", "i", "if", "improve", "in", "into",
    "is", "it", "its", "last", "made", "make", "more", "most", "my", "need",
    "new", "newer", "next", "no", "not", "of", "on", "one", "only", "or",
    "other", "our", "over", "paper", "propose", "proposed", "recent",
    "recently", "replace", "see", "sees", "several", "should", "show", "so",
    "some", "something", "stronger", "such", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "to", "try",
    "use", "used", "using", "very", "want", "was", "we", "well", "were", "what",
    "when", "which", "while", "why", "will", "with", "without", "works", "you",
    "your"};

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

bool
word_is_stop(const char *w)
{
    /* None is longer, and most words of a text are. */
    return strnlen(w, 12) < 12 && bsearch(w, stop, sizeof stop / sizeof *stop,
                                      sizeof *stop, compare) != NULL;
}

static void
ending_cut(char *w)
{
    size_t n = strlen(w);
    if (n > 4 && strcmp(w + n - 3, "ies") == 0) {
        memcpy(w + n - 3, "y", 2);
    } else if (n > 3 && w[n - 1] == 's' && w[n - 2] != 's' && w[n - 2] != 'u') {
        w[n - 1] = '\0';
    }
}

bool
word_next(const char *s, size_t n, size_t *at, bool stem, char out[WORD_BYTES])
{
    while (*at < n) {
        size_t len = 0;
        for (; *at < n; (*at)++) {
            unsigned char c = (unsigned char)s[*at];
            if (!isalnum(c) && c < 0x80)
                break;
            if (len < WORD_BYTES - 1)
                out[len++] = (char)tolower(c);
        }
        out[len] = '\0';
        if (len == 0) {
            (*at)++;
            continue;
        }
        if (word_is_stop(out))
            continue;
        if (stem)
            ending_cut(out);
        return true;
    }
    return false;
}

uint32_t
word_hash(const char *w)
{
    uint32_t h = 2166136261u;
    for (; *w != '\0'; w++)
        h = (h ^ (unsigned char)*w) * 16777619u;
    return h;
}
