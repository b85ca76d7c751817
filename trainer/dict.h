/* Counts keys and numbers them in order of first appearance. */
#ifndef TRAINER_DICT_H
#define TRAINER_DICT_H

#include <stdint.h>

struct dict_entry {
    uint64_t key;
    uint32_t count; /* 0: the slot is free */
    uint32_t order;
};

/* {0} is a valid empty dictionary. */
struct dict {
    struct dict_entry *entry;
    uint64_t cap; /* power of two */
    uint32_t used;
};

void dict_fini(struct dict *d);
void dict_count(struct dict *d, uint64_t key);
/* NULL when the key was never counted. */
const struct dict_entry *dict_find(const struct dict *d, uint64_t key);

#endif
