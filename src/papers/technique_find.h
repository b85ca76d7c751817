/* Techniques in a text: those of the library by their names, and those that
 * only the paper knows, by the words papers use when they bring something new
 * ("we propose X, a ..."). */
#ifndef PAPERS_TECHNIQUE_FIND_H
#define PAPERS_TECHNIQUE_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "papers/technique.h"

struct technique_mention {
    const struct technique *technique;
    uint32_t begin, end; /* bytes of the first mention */
};
/* Each technique of the library that the text names, once, in the order of
 * the text; at most max. */
uint32_t technique_mentions(
    const char *text, size_t len, struct technique_mention *out, uint32_t max);

/* What a new technique changes. */
#define TECHNIQUE_PART_LIST(X)                                                 \
    X(UNKNOWN, "a part not told", "")                                          \
    X(INTERACTION, "feature interaction", "backbone")                          \
    X(EMBEDDING, "embeddings", "embedding")                                    \
    X(LOSS, "the loss", "loss")                                                \
    X(SEQUENCE, "behaviour sequences", "sequence")                             \
    X(MULTITASK, "several tasks or scenarios", "multitask")                    \
    X(SAMPLING, "sampling of training data", "data")                           \
    X(OPTIMISER, "the optimiser", "optimisation")                              \
    X(REGULARISATION, "regularisation", "regularisation")                      \
    X(FEATURES, "features", "features")                                        \
    X(DEBIASING, "bias of the feedback", "debiasing")                          \
    X(GRAPH, "the graph of users and items", "graph")                          \
    X(GENERATIVE, "generative retrieval and ranking", "generative")            \
    X(RETRIEVAL, "candidate retrieval", "retrieval")                           \
    X(COLD_START, "cold start", "cold_start")

enum technique_part {
#define X(name, text, family) TECHNIQUE_PART_##name,
    TECHNIQUE_PART_LIST(X)
#undef X
        TECHNIQUE_PART_COUNT
};
const char *technique_part_name(uint32_t part);
const char *technique_part_family(uint32_t part); /* nearest of the library */

enum { TECHNIQUE_NAME_LEN = 64 };

struct technique_name {
    char name[TECHNIQUE_NAME_LEN]; /* as written */
    uint32_t begin, end; /* of the sentence that brings it, in the text; both 0
                            where only the title does */
    uint32_t acts_on;    /* enum technique_part */
    bool part;           /* a part of what the paper proposes */
};
/* Names that a paper gives to what it brings; its main proposal first. */
uint32_t technique_names(const char *title, const char *text,
    struct technique_name *out, uint32_t max);

#endif
