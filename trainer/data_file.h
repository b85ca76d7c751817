/* The file of one encoded split: written row by row, then mapped. */
#ifndef TRAINER_DATA_FILE_H
#define TRAINER_DATA_FILE_H

#include <stdio.h>

#include "data.h"

/* What all three files of a data set agree on. */
struct data_shape {
    uint64_t key; /* of sources and encoding */
    uint64_t bad_rows;
    uint32_t ids, fields;
    bool is_onehot;
};

struct split_writer {
    FILE *file;
    char *path, *tmp; /* NULL: no cache, the file has no name */
    struct data_shape shape;
    uint64_t rows, positives, features, words, offsets_cap;
    uint64_t *offsets;
    uint32_t crc;
};

/* path NULL: a file in memory. */
int split_writer_open(struct split_writer *w, const char *path,
    const struct data_shape *shape, struct err *err);
void split_writer_row(struct split_writer *w, const uint32_t *words, size_t n,
    uint64_t features, bool is_positive);
/* Completes, renames into place, maps. *crc: of the rows. */
int split_writer_finish(
    struct split_writer *w, struct split *out, uint32_t *crc, struct err *err);
void split_writer_abort(struct split_writer *w);
/* Maps an existing file; -ERR_NOT_FOUND when it is absent, of another key or
 * version, or damaged. */
int split_map(const char *path, uint64_t key, struct split *out,
    struct data_shape *shape, uint32_t *crc);
void split_unmap(struct split *s);

#endif
