/* Gathers rows of a split into a batch. train.c and evaluate.c call it.
 * Invariant: after batch_index, slot_id[slot[i]] == id[i] for every feature. */
#include "batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void
batch_init(struct batch *b, const struct dataset *d, uint32_t rows)
{
    memset(b, 0, sizeof *b);
    b->rows_cap = rows;
    b->fields = d->fields;
    b->is_onehot = d->is_onehot;
    b->ids = d->ids;
    b->offset = mem_calloc((size_t)rows + 1, sizeof *b->offset);
    b->label = mem_calloc((size_t)rows + 8, sizeof *b->label);
    b->relevance = mem_calloc(rows, sizeof *b->relevance);
    b->group = mem_calloc(rows, sizeof *b->group);
    b->slot_of_id = mem_calloc(d->ids, sizeof *b->slot_of_id);
}

void
batch_fini(struct batch *b)
{
    free(b->offset);
    free(b->id);
    free(b->slot);
    free(b->field);
    free(b->value);
    free(b->label);
    free(b->relevance);
    free(b->group);
    free(b->slot_id);
    free(b->slot_of_id);
    memset(b, 0, sizeof *b);
}

void
batch_clear(struct batch *b)
{
    b->rows = 0;
    b->slots = 0;
    b->offset[0] = 0;
}

static void
batch_grow(struct batch *b, uint32_t need)
{
    uint32_t cap = b->features_cap;
    if (need <= cap)
        return;
    cap = cap == 0 ? b->rows_cap * b->fields : cap;
    while (cap < need)
        cap *= 2;
    b->id = mem_realloc(b->id, cap * sizeof *b->id);
    b->slot = mem_realloc(b->slot, cap * sizeof *b->slot);
    b->slot_id = mem_realloc(b->slot_id, cap * sizeof *b->slot_id);
    b->field = mem_realloc(b->field, cap * sizeof *b->field);
    b->value = mem_realloc(b->value, cap * sizeof *b->value);
    memset(b->slot_id, 0, cap * sizeof *b->slot_id);
    /* One-hot rows all look like this, so they copy ids only. */
    for (uint32_t i = 0; i < cap && b->is_onehot; i++) {
        b->field[i] = (uint16_t)(i % b->fields);
        b->value[i] = b->onehot_value;
    }
    b->features_cap = cap;
}

static void
features_copy(struct batch *b, const uint32_t *w, uint32_t n, uint32_t at)
{
    for (uint32_t j = 0; j < n; j++) {
        b->id[at + j] = w[3 * j];
        b->field[at + j] = (uint16_t)w[3 * j + 1];
        memcpy(&b->value[at + j], &w[3 * j + 2], sizeof(float));
    }
}

static void
values_normalise(float *value, uint32_t n)
{
    float squares = 0;
    for (uint32_t j = 0; j < n; j++)
        squares += value[j] * value[j];
    float scale = squares > 0 ? 1 / sqrtf(squares) : 1;
    for (uint32_t j = 0; j < n; j++)
        value[j] *= scale;
}

void
batch_add(struct batch *b, const struct dataset *d, const struct split *s,
    uint64_t i, const struct config *c)
{
    size_t words;
    const uint32_t *w = split_row(d, s, i, &words);
    uint32_t n = (uint32_t)(b->is_onehot ? words - 2 : (words - 2) / 3);
    uint32_t r = b->rows++, at = b->offset[r];
    if (b->is_onehot)
        b->onehot_value = c->instance_norm ? 1 / sqrtf((float)n) : 1;
    batch_grow(b, at + n);
    memcpy(&b->relevance[r], &w[0], sizeof(float));
    b->label[r] = (double)b->relevance[r] > c->label_threshold;
    b->group[r] = w[1];
    b->offset[r + 1] = at + n;
    if (b->is_onehot) {
        memcpy(b->id + at, w + 2, n * sizeof *w);
        return;
    }
    features_copy(b, w + 2, n, at);
    if (c->instance_norm)
        values_normalise(b->value + at, n);
}

void
batch_index(struct batch *b)
{
    uint32_t n = b->offset[b->rows], slots = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = b->id[i];
        uint32_t slot = b->slot_of_id[id];
        if (slot >= slots || b->slot_id[slot] != id) {
            slot = slots++;
            b->slot_of_id[id] = slot;
            b->slot_id[slot] = id;
        }
        b->slot[i] = slot;
    }
    b->slots = slots;
}
