/* Per-row predictions of one job: id, label, score and perhaps a group, a line
 * a row. Written by the job, so untrusted. */
#ifndef WAKE_PREDICTIONS_H
#define WAKE_PREDICTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PREDICTIONS_ROWS_MAX = 20000000 };

struct predictions {
    size_t n, cap;
    uint8_t *label;
    double *score;
    uint32_t *group; /* NULL: no fourth column */
    uint32_t groups;
    uint64_t rows_id; /* hash over ids and labels in their order */
};

/* -ERR_NOT_FOUND: no file. -ERR_INPUT: not in this form. predictions_fini is
 * safe after both. */
int
predictions_read(const char *path, struct predictions *out, struct err *err);
void predictions_fini(struct predictions *p);

#endif
