/* Recorded single changes, and how well they are predicted on data sets of a
 * family that nothing was learnt from. */
#ifndef REPLAY_SIGNS_H
#define REPLAY_SIGNS_H

#include <stdbool.h>

#include "base/err.h"
#include "table.h"

struct sign_options {
    uint32_t known; /* other trials of the target that are measured; 0: all */
    uint64_t seed;  /* draws them */
    const char *target; /* dataset, "all" */
    bool json;
};

/* Prints, by dataset, the area under the curve of telling a gain from a loss:
 * a naive table, the product's own prediction with nothing measured on the
 * target, the same with the base's standing in its model, and with its
 * standing near the changed configuration; then coverage and CRPS. trials and
 * changes are the target's, more_* those to learn from (may be the same). */
int signs_bench(const struct sign_options *o, const struct trials *trials,
    const struct table *changes, const struct table *more_changes,
    struct err *err);

#endif
