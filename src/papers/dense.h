/* Dense vectors of passages, trained on the corpus itself: hashed TF-IDF
 * (title words count three times), the leading subspace of it by randomised
 * subspace iteration (Halko, Martinsson and Tropp 2011; latent semantic
 * indexing, Deerwester et al. 1990), 128 numbers of 8 bits a passage, compared
 * by cosine over all of them. */
#ifndef PAPERS_DENSE_H
#define PAPERS_DENSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "papers/corpus_words.h"

enum {
    DENSE_DIMS = 128,
    DENSE_BUCKETS = 1 << 15,
    DENSE_PASSAGES_MIN = 40, /* below it there is nothing to learn from */
};

struct corpus;
struct dense;

/* Gives new passages their vectors; trains anew when there is no model yet,
 * when the corpus has grown by 30 % since, or when forced. */
int dense_update(struct corpus *c, bool force, uint32_t *vectors, bool *trained,
    struct err *err);
/* The model and all vectors, kept in the corpus; *out is NULL when the corpus
 * has none. */
int dense_load(struct corpus *c, const struct dense **out, struct err *err);
void dense_free(struct dense *d); /* NULL is fine */

struct dense_hit {
    int64_t passage, paper;
    float score; /* cosine */
};
/* The passages nearest to a text, best first, at most max of them, of papers
 * dated before one day and since another (each may be NULL); 0 when the text
 * has no known word. */
uint32_t dense_search(const struct dense *d, const char *text,
    const char *before, const char *since, uint32_t max, struct dense_hit *out);
/* log(passages / passages with this word); < 0: it is in none, or in one. */
float dense_idf(const struct dense *d, const char *word);
/* What stands for the same in this corpus. */
const struct acronyms *dense_acronyms(const struct dense *d);
/* Where a passage's vector is, for dense_near; -1: it has none. */
int64_t dense_place(const struct dense *d, int64_t passage);
/* Cosine of two of these; 0 when one is -1. */
float dense_near(const struct dense *d, int64_t i, int64_t j);

/* ---- the model (dense_train.c) ---- */

struct dense_word { /* one bucket that is in use */
    float idf, scale;
    int8_t v[DENSE_DIMS]; /* of scale */
};
struct dense_model {
    uint32_t n; /* words */
    struct dense_word *word;
    uint16_t at[DENSE_BUCKETS]; /* index + 1 of a bucket's word, 0: none */
    struct acronyms acronyms;
};

struct dense_text {
    const char *title, *body;
};
/* Trains on n texts. The result is mem_realloc'ed memory: free word. */
void dense_train(struct dense_model *m, const struct dense_text *t, uint32_t n);
/* Length 1, or all zero when no word is known. */
void dense_embed(const struct dense_model *m, const struct dense_text *t,
    float out[DENSE_DIMS]);
void dense_pack(const float v[DENSE_DIMS], int8_t out[DENSE_DIMS]);

#endif
