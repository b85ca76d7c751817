/* One held-out board: what the model and the plain rules say of its methods,
 * learnt from boards of other families up to the cut. */
#ifndef BENCH_FOLD_H
#define BENCH_FOLD_H

#include "board.h"
#include "match.h"

enum { FOLD_ROWS_MAX = 512 };

/* Rules that the model is measured against. Those with a prediction come
 * first. */
enum rule {
    RULE_MODEL,
    RULE_BAYES,   /* empirical Bayes of each method's effects */
    RULE_CLIMATE, /* mean and spread of all effects */
    RULE_HISTORY, /* mean z of each method, shrunk; only ranks */
    RULE_NEWEST,  /* newest paper first; only ranks */
    RULE_RANDOM,  /* expectation over all orders; only ranks */
    RULE_COUNT
};
enum { RULES_PREDICTING = RULE_HISTORY };

struct fold_row {
    double mean[RULES_PREDICTING], sd[RULES_PREDICTING];
    double p_gain[RULES_PREDICTING];
    double score[RULE_COUNT]; /* of the ranking: + is tried first */
    double p_best;
    uint32_t known; /* rows of history about this method */
};

struct fold {
    const struct board *board;
    uint32_t n_history;
    const struct board_row *const *history;
    struct fold_row *row; /* of the board, in its order */
    double part[OUTCOME_PARTS], widen, stretch;
};

/* Runs a board; results live in the arena. */
void fold_run(struct arena *a, const struct boards *b,
    const struct match *match, uint32_t board, int until, struct fold *out);
const char *rule_name(uint32_t rule);

#endif
