/* Divergence against the baseline's curve. A run that had passed where the
 * baseline stood at its very first report, and is worse than that again several
 * reports in a row, has lost what it had learnt. Overfitting runs stay above;
 * slow learners are left alone, however far below they begin: recorded curves
 * show them recover at a cut of the learning rate. Fed by the shim for each
 * value of the search metric; the wake makes the floor. */
#ifndef PROJECT_FLOOR_H
#define PROJECT_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "project/harvest.h"

enum {
    FLOOR_ROWS = 3,        /* reports in a row below it */
    FLOOR_RUNS_MIN = 3,    /* finished runs of the baseline that make one */
    FLOOR_REPORTS_MIN = 4, /* in each of them */
    FLOOR_RUNS_MAX = 16,
};

/* One finished run of the baseline. */
struct floor_run {
    double first; /* its first report, turned so that more is better */
    double best;
    uint32_t reports;
};

struct floor_mark {
    bool on;
    double level; /* turned so that more is better */
};

/* level = the worst first report less a quarter of the least that a run gained
 * after its own. Not on with fewer runs or reports, or where the baseline
 * gained nothing. */
void
floor_make(const struct floor_run *run, uint32_t n, struct floor_mark *out);

struct floor_watch {
    struct floor_mark mark;
    uint8_t goal; /* enum metric_goal */
    double target;
    bool was_above;
    uint32_t below; /* in a row */
};
/* true: it has diverged. */
bool floor_take(struct floor_watch *w, double value);

/* The value turned so that more is better. */
double floor_turned(uint8_t goal, double target, double v);

#endif
