/* The results: one JSON object a line, appended as they come, so that a run
 * that was cut off goes on where it was. */
#ifndef HEADLINE_RESULTS_H
#define HEADLINE_RESULTS_H

#include "base/arena.h"
#include "base/json.h"

struct result {
    const char *task, *arm; /* arm "default": the shipped defaults */
    uint32_t seed;
    const struct json *json;
};

struct results {
    struct result *item;
    uint32_t n, cap;
    size_t seen; /* bytes of the file taken */
};

/* Takes the lines that came since; a missing file is empty, a torn last line
 * waits. {0} is valid before the first call. */
int results_read(struct results *r, const char *path, struct err *err);
/* NULL: not there yet. */
const struct result *results_find(
    const struct results *r, const char *task, const char *arm, uint32_t seed);
/* Numbers of an array member; returns how many (at most cap). */
uint32_t results_numbers(
    const struct result *x, const char *key, double *out, uint32_t cap);

#endif
