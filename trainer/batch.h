/* A mini-batch, gathered from the mapped rows in the order of a step. */
#ifndef TRAINER_BATCH_H
#define TRAINER_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "data.h"

struct batch {
    uint32_t rows, fields;
    bool is_onehot;     /* feature j of every row has field j ... */
    float onehot_value; /* ... and this value */
    /* [rows + 1], [features] ... */
    uint32_t *offset;
    uint32_t *id, *slot;
    uint16_t *field;
    float *value;
    float *label;     /* 0 or 1 */
    float *relevance; /* the label as given */
    uint32_t *group;
    /* Distinct ids of the batch, in order of appearance; slot[] points here. */
    uint32_t slots;
    uint32_t *slot_id;
    uint32_t *slot_of_id; /* [ids], valid only if slot_id agrees */
    uint32_t rows_cap, features_cap, ids;
};

void batch_init(struct batch *b, const struct dataset *d, uint32_t rows);
void batch_fini(struct batch *b);
/* Empties the batch. */
void batch_clear(struct batch *b);
/* Adds row i of a split. */
void batch_add(struct batch *b, const struct dataset *d, const struct split *s,
    uint64_t i, const struct config *c);
/* Numbers the distinct ids; needed before a backward pass. */
void batch_index(struct batch *b);

#endif
