/* Open addressing with linear probing over 64-bit keys that are hashes
 * already. data_build.c counts and numbers ids with it. Invariant: at most half
 * of the slots are taken. */
#include "dict.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void
dict_fini(struct dict *d)
{
    free(d->entry);
    memset(d, 0, sizeof *d);
}

static struct dict_entry *
dict_slot(struct dict_entry *entry, uint64_t cap, uint64_t key)
{
    uint64_t i = key & (cap - 1);
    while (entry[i].count != 0 && entry[i].key != key)
        i = (i + 1) & (cap - 1);
    return &entry[i];
}

static void
dict_grow(struct dict *d)
{
    uint64_t cap = d->cap != 0 ? 2 * d->cap : 4096;
    struct dict_entry *entry = mem_calloc((size_t)cap, sizeof *entry);
    for (uint64_t i = 0; i < d->cap; i++) {
        if (d->entry[i].count != 0)
            *dict_slot(entry, cap, d->entry[i].key) = d->entry[i];
    }
    free(d->entry);
    d->entry = entry;
    d->cap = cap;
}

void
dict_count(struct dict *d, uint64_t key)
{
    if (2 * (uint64_t)d->used >= d->cap)
        dict_grow(d);
    struct dict_entry *e = dict_slot(d->entry, d->cap, key);
    if (e->count == 0) {
        e->key = key;
        e->order = d->used++;
    }
    if (e->count < UINT32_MAX)
        e->count++;
}

const struct dict_entry *
dict_find(const struct dict *d, uint64_t key)
{
    if (d->cap == 0)
        return NULL;
    const struct dict_entry *e = dict_slot(d->entry, d->cap, key);
    return e->count != 0 ? e : NULL;
}
