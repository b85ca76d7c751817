/* What became of earlier predictions, and what that makes of new ones. An
 * insight row of a campaign holds what was predicted of its idea beside what
 * was measured ("predicted" and "raw" of its context). */
#ifndef RESEARCH_CALIBRATE_H
#define RESEARCH_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/score.h"
#include "research/insight.h"

/* One prediction with its outcome, in the unit of its metric; texts borrowed.
 */
struct foretold {
    uint32_t source; /* enum source of the idea */
    const char *concept, *family;
    char place[NAME_LEN]; /* project */
    double mean, sd;      /* predicted, sd > 0 */
    double raw, raw_sd;   /* measured before any shrinking; raw_sd >= 0 */
};

/* Reads it from a row; false: the row holds none. */
bool foretold_read(const struct insight *row, struct foretold *out);
/* Writes the member "predicted" into an open context object. */
void foretold_write(struct jw *w, uint32_t source, double mean, double sd);

struct calibration; /* NULL is one that changes nothing */

/* Learns from rows; those without a prediction say nothing. The errors, in sds
 * of their prediction, are split into what all share, what a source, a concept,
 * a concept on a model family and a project share, and the rest (variance
 * components, math/components.h, by marginal likelihood). Without rows an
 * error is N(0, 1): predictions stay as they are, and NULL is returned. It
 * lives in the arena; rows need not outlive it. */
struct calibration *
calibration_learn(const struct insight *row, size_t n, struct arena *a);

struct calibration_key {
    uint32_t source;
    const char *concept, *family, *place; /* "" unknown */
};
void calibration_apply(const struct calibration *c,
    const struct calibration_key *key, double *mean, double *sd);

/* Predicted against measured over rows: index 0 of all, else of enum source.
 * Returns how many rows held a prediction. */
uint32_t reliability_of(
    const struct insight *row, size_t n, struct reliability out[SOURCE_COUNT]);

#endif
