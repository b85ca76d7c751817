/* The array of dense parameters with its optimiser state. net.c and model.c
 * reserve blocks in it. Invariant: blocks never overlap and start at multiples
 * of 8 floats. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "net.h"

size_t
dense_add(struct dense *d, size_t n, bool has_l2)
{
    assert(d->p == NULL);
    assert(d->blocks < (int)(sizeof d->block / sizeof *d->block));
    n = (n + 7) / 8 * 8;
    size_t at = d->n;
    d->block[d->blocks].at = at;
    d->block[d->blocks].n = n;
    d->block[d->blocks].has_l2 = has_l2;
    d->blocks++;
    d->n += n;
    return at;
}

void
dense_alloc(struct dense *d, const struct config *c)
{
    d->p = mem_calloc(d->n, sizeof *d->p);
    d->g = mem_calloc(d->n, sizeof *d->g);
    d->m = mem_calloc(d->n, sizeof *d->m);
    d->v = mem_calloc(d->n, sizeof *d->v);
    if (c->optimizer != OPT_ADAGRAD && c->optimizer != OPT_ROWWISE)
        return;
    /* The flag counts squared gradients of one row; these are means over a
     * batch. */
    double b = (double)c->batch_size;
    for (size_t i = 0; i < d->n; i++)
        d->m[i] = (float)(c->adagrad_init / (b * b));
}

void
dense_fini(struct dense *d)
{
    free(d->p);
    free(d->g);
    free(d->m);
    free(d->v);
    memset(d, 0, sizeof *d);
}

void
dense_update(struct dense *d, const struct kern *k, struct step step, float l2)
{
    for (int i = 0; i < d->blocks; i++) {
        size_t at = d->block[i].at;
        step.l2 = d->block[i].has_l2 ? l2 : 0;
        k->dense_update(
            d->p + at, d->g + at, d->m + at, d->v + at, d->block[i].n, &step);
    }
}
