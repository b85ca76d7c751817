/* Encodes text files into split files; data.c calls it when there is no cache.
 */
#ifndef TRAINER_DATA_BUILD_H
#define TRAINER_DATA_BUILD_H

#include "data.h"

/* Where the rows of each split lie. A missing valid or test path means that the
 * split is cut from the training file. */
struct data_paths {
    char *path[SPLIT_N]; /* owned; NULL: not there */
};

/* Encodes into cache files named prefix.SPLIT, or into memory when prefix is
 * NULL. crc: of the rows of each split. */
int data_build(struct dataset *d, const struct config *c,
    const struct data_paths *paths, uint64_t key, const char *prefix,
    uint32_t crc[static SPLIT_N], struct err *err);

#endif
