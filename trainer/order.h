/* The order in which an epoch visits the training rows. */
#ifndef TRAINER_ORDER_H
#define TRAINER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/* Rows are shuffled inside windows, and windows among each other, so that
 * memory stays bounded on long data. */
struct order {
    uint64_t rows, seed, epoch;
    uint64_t windows;
    uint64_t begin, end; /* positions that row[] covers; 0, 0: none yet */
    uint64_t first_row;  /* of the window in row[] */
    uint32_t *first;     /* order of the windows */
    uint32_t *row;       /* row numbers within the window */
};

void order_init(struct order *o, uint64_t rows, uint64_t seed);
void order_fini(struct order *o);
/* Starts an epoch; any position of it can be asked for then. */
void order_epoch(struct order *o, uint64_t epoch);
/* Row at a position below rows. */
uint64_t order_row(struct order *o, uint64_t position);
/* The same where that costs nothing, else the row that is given. */
static inline uint64_t
order_peek(const struct order *o, uint64_t position, uint64_t otherwise)
{
    if (position < o->begin || position >= o->end)
        return otherwise;
    return o->first_row + o->row[position - o->begin];
}
/* Whether a row takes part in training, by --train-fraction and
 * --negative-rate. */
bool order_keeps(const struct config *c, uint64_t row, bool is_positive);

#endif
