/* Published leaderboards: a folder of CSV files, one a data set, with the
 * columns Year, Model, Paper URL and AUC; others are looked at only to know
 * that they are there. */
#ifndef BENCH_BOARD_H
#define BENCH_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* Effects beyond this many AUC either way count as this: collapses. */
#define EFFECT_LIMIT 150e-4
#define REFERENCE "DCN"

struct board_row {
    const char *model, *url;
    int year;
    double effect; /* AUC less the reference's, as it is */
    uint32_t board;
    uint32_t method; /* index into boards.method */
};

struct board {
    const char *name;  /* of the file without .csv */
    uint32_t family;   /* names equal up to the first "_" share it */
    bool grouped;      /* the table has an AUC by group of users */
    uint32_t first, n; /* its rows */
    int reference;     /* among its rows */
};

/* A method by its name; years and links are those of its first row. */
struct method {
    const char *name, *url;
    int year;
};

struct boards {
    uint32_t n, n_rows, n_methods, n_families;
    struct board *board;
    struct board_row *row;
    struct method *method;
    uint32_t n_skipped; /* rows without a number, files without a reference */
};

/* Reads every .csv of a folder in order of name. A file without the reference
 * or without AUC is skipped and told on stderr; -ERR_INPUT when none is left
 * or one can't be read. */
int boards_read(
    struct arena *a, const char *dir, struct boards *out, struct err *err);
double effect_clipped(double effect);

#endif
