/* The rows of train, valid and test, encoded and mapped into memory.
 *
 * A split is one file (of the cache, or an unlinked one): header, then for each
 * row 32-bit words: label (float), group, then the ids, one a field, when
 * every row has exactly one value-1 feature in every field (is_onehot), else
 * (id, field, value) three words a feature, followed by the row offsets. */
#ifndef TRAINER_DATA_H
#define TRAINER_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct split {
    uint64_t rows, positives, features;
    const uint32_t *words;
    const uint64_t *offsets; /* rows + 1 word positions; NULL when is_onehot */
    void *map;
    size_t map_len;
};

struct dataset {
    struct split split[SPLIT_N];
    uint32_t ids;    /* rows of the embedding table */
    uint32_t fields; /* field numbers are below it */
    bool is_onehot;
    uint64_t bad_rows;
    uint64_t fingerprint; /* of the encoded rows of all splits */
};

/* Finds, reads, encodes or takes from the cache. -ERR_INPUT, -ERR_NOT_FOUND,
 * -ERR_SYS. Bad rows go to stderr and into d->bad_rows. */
int dataset_open(struct dataset *d, const struct config *c, struct err *err);
void dataset_close(struct dataset *d);

/* Words of row i; their number in *n. */
static inline const uint32_t *
split_row(const struct dataset *d, const struct split *s, uint64_t i, size_t *n)
{
    if (d->is_onehot) {
        *n = 2 + (size_t)d->fields;
        return s->words + i * *n;
    }
    *n = (size_t)(s->offsets[i + 1] - s->offsets[i]);
    return s->words + s->offsets[i];
}

static inline void
split_prefetch(const struct dataset *d, const struct split *s, uint64_t i)
{
    if (d->is_onehot)
        __builtin_prefetch(s->words + i * (2 + (size_t)d->fields));
}

#endif
