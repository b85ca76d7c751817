/* Shuffles training rows. train.c asks it for each row. Invariant: the row at
 * (seed, epoch, position) is always the same one, so a resumed run needs the
 * position alone. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"

#define ORDER_WINDOW (UINT64_C(1) << 20)

static void
shuffle(uint32_t *a, uint64_t n, uint64_t seed, uint64_t stream)
{
    struct rng r;
    rng_seed2(&r, seed, stream);
    for (uint64_t i = 0; i < n; i++)
        a[i] = (uint32_t)i;
    for (uint64_t i = n; i > 1; i--) {
        uint64_t j = rng_below(&r, i);
        uint32_t swap = a[i - 1];
        a[i - 1] = a[j];
        a[j] = swap;
    }
}

void
order_init(struct order *o, uint64_t rows, uint64_t seed)
{
    memset(o, 0, sizeof *o);
    o->rows = rows;
    o->seed = rng_mix(seed, 0x6f72646572);
    o->windows = (rows + ORDER_WINDOW - 1) / ORDER_WINDOW;
    o->first = mem_calloc((size_t)o->windows + 1, sizeof *o->first);
    uint64_t longest = rows < ORDER_WINDOW ? rows : ORDER_WINDOW;
    o->row = mem_calloc((size_t)longest + 1, sizeof *o->row);
}

void
order_fini(struct order *o)
{
    free(o->first);
    free(o->row);
    memset(o, 0, sizeof *o);
}

void
order_epoch(struct order *o, uint64_t epoch)
{
    o->epoch = epoch;
    o->begin = o->end = 0;
    shuffle(o->first, o->windows, o->seed, rng_mix(epoch, UINT64_MAX));
}

static void
window_load(struct order *o, uint64_t position)
{
    uint64_t at = 0, n = 0, i = 0;
    for (; i < o->windows; i++) {
        uint64_t w = o->first[i];
        n = w + 1 == o->windows ? o->rows - w * ORDER_WINDOW : ORDER_WINDOW;
        if (position < at + n)
            break;
        at += n;
    }
    o->first_row = o->first[i] * ORDER_WINDOW;
    o->begin = at;
    o->end = at + n;
    shuffle(o->row, n, o->seed, rng_mix(o->epoch, o->first[i]));
}

uint64_t
order_row(struct order *o, uint64_t position)
{
    if (position < o->begin || position >= o->end)
        window_load(o, position);
    return o->first_row + o->row[position - o->begin];
}

static double
hash_uniform(uint64_t a, uint64_t b)
{
    return (double)(rng_mix(a, b) >> 11) * 0x1p-53;
}

bool
order_keeps(const struct config *c, uint64_t row, bool is_positive)
{
    if (c->train_fraction < 1 &&
        hash_uniform((uint64_t)c->split_seed, row) >= c->train_fraction)
        return false;
    if (is_positive || c->negative_rate >= 1)
        return true;
    uint64_t seed = rng_mix((uint64_t)c->seed, 0x6e6567);
    return hash_uniform(seed, row) < c->negative_rate;
}
