/* What the bench prints: every prediction with its evidence, and the summary
 * beside the plain rules. */
#ifndef BENCH_SHOW_H
#define BENCH_SHOW_H

#include "fold.h"
#include "tally.h"

struct show {
    struct boards boards;
    const struct papers *papers; /* NULL: none given */
    struct match *match;         /* of each method */
    struct fold *fold;           /* of each board */
    int until;
};

/* Do methods of an interaction kind that are new (after the cut, or of the last
 * RECENT years) carry over to this board? What was predicted and what happened
 * of the best of them against the best older method of any kind, and the share
 * of P(best) that went to methods of kinds that read behaviour sequences. */
struct transfer {
    uint32_t n_new;
    double predicted, happened; /* AUC, mean of the new less best older */
    double p_new_best;          /* chance that a new one is the best */
    bool new_is_best;
};
bool transfer_of(const struct show *s, uint32_t board, struct transfer *out);

void show_json(const struct show *s);
void show_text(const struct show *s);

#endif
