/* How good rankings and predictions of held-out boards were.
 *
 * A hit at k: the best method of the whole board, of any year, is within the
 * first k of the ranking. Methods of equal score share their places: with a
 * above and t tied, the chance is (k - a) / t within 0..1. Of several best
 * ones the likeliest counts. Recall: of the five best of the board (those tied
 * for the fifth place share what is left of five) how many are expected within
 * the first five. The reference is ranked like any method, by its effect of 0,
 * but is no prediction: scores leave it out. Effects are clipped as the
 * model's rows are. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include "fold.h"

enum measure {
    MEASURE_HIT1,
    MEASURE_HIT3,
    MEASURE_HIT5,
    MEASURE_RECALL5,
    MEASURE_SPEARMAN,
    MEASURE_RANKING_COUNT,
    MEASURE_CRPS = MEASURE_RANKING_COUNT, /* in 1e-4 AUC */
    MEASURE_BRIER,
    MEASURE_COVER80,
    MEASURE_COUNT
};
const char *measure_name(uint32_t measure);

/* One board and rule: rankings count once a board, predictions once a row. */
struct marks {
    double sum[MEASURE_COUNT], n[MEASURE_COUNT];
};

enum rows_of { ROWS_ALL, ROWS_LATER, ROWS_EARLIER };
/* Marks of one board; predictions of rows after the cut alone, before it
 * alone, or all. */
void marks_of(const struct boards *b, const struct fold *f, uint32_t rule,
    int until, enum rows_of which, struct marks *out);
void marks_add(struct marks *to, const struct marks *more);
double marks_mean(const struct marks *m, uint32_t measure); /* NaN: no row */

/* 90 % interval of a figure when families of boards are drawn again with
 * replacement. mark: n_boards x 2 marks (rule, other rule). The figure is the
 * rule's mean less (ratio: over) the other's. Deterministic. */
struct spread {
    double value, lo, hi;
};
struct spread marks_compare(const struct boards *b, const struct marks *mark,
    const struct marks *other, uint32_t measure, bool ratio);

#endif
