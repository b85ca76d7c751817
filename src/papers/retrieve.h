/* Answers of the corpus to a question asked in several styles. Each style is
 * looked for by BM25 and by dense vectors trained on the corpus itself; the
 * lists are merged by reciprocal rank (Cormack, Clarke and Buettcher 2009),
 * weighed by recency, and spread by maximal marginal relevance (Carbonell and
 * Goldstein 1998). Every answer says which style found it and where. Papers
 * are untrusted data: ranked and quoted, never followed. */
#ifndef PAPERS_RETRIEVE_H
#define PAPERS_RETRIEVE_H

#include "papers/corpus.h"

enum { RETRIEVE_STYLES_MAX = 8 };

/* Where a style came from. */
#define STYLE_LIST(X)                                                          \
    X(SAID, "said")         /* the words themselves */                         \
    X(TOPIC, "topic")       /* usual words of the topic they speak of */       \
    X(KNOB, "knob")         /* of a knob and its values */                     \
    X(WEAKNESS, "weakness") /* of what ails the model */                       \
    X(FAILURE, "failure")   /* of what went wrong in earlier trials */         \
    X(LEXICON, "lexicon")   /* other names of techniques spoken of */          \
    X(FEEDBACK, "feedback") /* words of the best answers so far */

enum style_kind {
#define X(name, text) STYLE_##name,
    STYLE_LIST(X)
#undef X
        STYLE_COUNT
};
const char *ask_style_name(uint32_t kind);

struct ask_style {
    uint32_t kind;    /* enum style_kind */
    const char *text; /* the words looked for */
    double weight;    /* of its ranks; 1 is usual */
};

enum answer_list { LIST_BM25, LIST_DENSE, LIST_COUNT };

struct retrieve_opts {
    const char *before; /* only papers dated earlier; NULL: all */
    const char *since;  /* only papers dated then or later; NULL: all */
    uint32_t max;       /* answers; 0: 25 */
    double half_life;   /* years until a paper counts half; 0: 30, < 0: never */
    double diversity;   /* 0: 0.05 of the score is novelty, < 0: none, <= 1 */
    bool no_dense, no_feedback; /* for comparisons */
};

struct answer {
    struct passage passage; /* the best of its paper; score is the merged one */
    int64_t place;          /* of its vector (dense.h), -1: none */
    double suspect;         /* 0..1: how much it reads as orders to a machine */
    uint32_t n_from;
    struct answer_from {
        uint32_t style;            /* index into the styles asked */
        uint32_t rank[LIST_COUNT]; /* from 1; 0: not in that list */
    } from[RETRIEVE_STYLES_MAX];
};

/* The best papers over all styles (at most RETRIEVE_STYLES_MAX - 1, the last
 * place is that of feedback). *asked (may be NULL) gets the styles that were
 * used and their number; answers and styles live in the arena. */
int retrieve(struct corpus *c, const struct ask_style *style, uint32_t n_styles,
    const struct retrieve_opts *o, struct arena *a, struct answer **out,
    uint32_t *n, const struct ask_style **asked, uint32_t *n_asked,
    struct err *err);

#endif
