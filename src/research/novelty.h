/* Is an idea new? Against what the team has learnt before: by the canonical
 * key of the change, by what kind of change it is, by the technique that is
 * named, and by the words of the statement. */
#ifndef RESEARCH_NOVELTY_H
#define RESEARCH_NOVELTY_H

#include "research/insight.h"
#include "research/move.h"

#define NOVELTY_LIST(X)                                                        \
    X(NEW, "new")                                                              \
    X(REPEATS, "repeats")                                                      \
    X(CONTRADICTS, "contradicts") /* it hopes for what was measured not so */  \
    X(REFINES, "refines")         /* alike, not the same */                    \
    X(FAILED, "failed_by_infrastructure") /* never measured: may be tried */

enum novelty_relation {
#define X(name, text) NOVELTY_##name,
    NOVELTY_LIST(X)
#undef X
        NOVELTY_COUNT
};
const char *novelty_name(uint32_t relation);

struct novelty_query {
    const char *key;         /* canonical key of the change */
    uint32_t concept;        /* enum concept of the knob */
    const struct move *move; /* NULL: no knob can express it */
    const char *family;      /* of the model */
    const char *statement;
    const char *technique; /* names joined by '|'; "" none */
    bool gain;             /* is a gain expected? */
};

struct novelty {
    uint32_t relation; /* enum novelty_relation */
    int64_t nearest;   /* id of the insight; 0: none is alike */
    double similarity; /* 0..1 */
    double effect;     /* of the nearest, in the idea's direction */
};

/* What is known, in any order, and the fingerprints of its statements. */
struct known {
    const struct insight *row;
    const uint64_t *hash;
    size_t n;
};
void known_of_rows(
    struct known *k, const struct insight *row, size_t n, struct arena *a);

/* The nearest row decides; of equally near ones one that was measured before
 * one that failed, then the lower id. */
void novelty_find(
    const struct novelty_query *q, const struct known *k, struct novelty *out);

/* Similarity of two texts by their words, 0..1: the share of equal bits of
 * 64-bit fingerprints (Charikar 2002, SimHash) of words and pairs of words,
 * stretched so that unrelated texts are near 0. */
double text_similarity(const char *a, const char *b);
/* The fingerprint itself. */
uint64_t text_simhash(const char *text);

#endif
