/* Recorded trials of real trainings, read from a (gzipped) CSV table. */
#ifndef REPLAY_TABLE_H
#define REPLAY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* A CSV file: cells[row * n_cols + col]; "" where a cell is empty. Numbers in
 * the columns of configurations (hp:*, from, to) have one form each. */
struct table {
    uint32_t n_cols, n_rows;
    const char **head;
    const char **cells;
};

/* One recorded training with a known configuration. */
struct row {
    const char *id, *dataset, *model, *space;
    double val, test;      /* search metric and sealed metric, + is better */
    const char *const *hp; /* n_hp texts, "" = not a parameter of that model */
};

struct trials {
    uint32_t n_hp, n;
    const char **hp; /* names without the "hp:" */
    struct row *row;
};

/* Reads path (plain or gzip). 0 or a negative code with the file and line. */
int table_read(
    struct arena *a, const char *path, struct table *out, struct err *err);
/* Column by name, -1: none. */
int table_column(const struct table *t, const char *name);
/* Keeps the trials that have a configuration (a seed is no part of it) and a
 * finite search metric:
 * val_auc, and test_auc as the sealed one (val_auc where it is missing). */
int trials_read(
    struct arena *a, const char *path, struct trials *out, struct err *err);
/* Length of the family's name within a dataset's: up to the first "_x" and a
 * digit, less version marks at its end ("_001", "-2", "_v3"; "_", "-", "." and
 * " " separate). A name that is nothing else is its own family. Datasets of
 * one family never inform each other. */
size_t family_len(const char *dataset);
/* Case does not count. */
int family_equal(const char *a, const char *b);

#endif
