/* Campaigns over recorded learning curves: a run costs the share of its curve
 * that was played, and a method may stop it on any rung. */
#ifndef REPLAY_LAPS_H
#define REPLAY_LAPS_H

#include "core/core.h"
#include "curves.h"

enum { LAPS_MAX = 4096 };

enum lap_method { LAP_REA, LAP_FULL, LAP_RANDOM, LAP_SERVE };

struct lap { /* one run, whole or in part */
    uint32_t candidate, evaluations;
    double spent;       /* full runs' cost when it ended */
    uint32_t incumbent; /* named then */
    bool whole;
};

struct laps {
    uint64_t seed;
    double units; /* budget in full runs */
    uint32_t start, n;
    struct lap lap[LAPS_MAX];
    double decide_ms;
};

/* Plays one campaign from r->start; seed, units and start are set. 0 or a
 * negative code. */
int
laps_engine(const struct task *t, struct laps *r, bool stops, struct err *err);
int laps_random(const struct task *t, struct laps *r);
/* Another program chooses, by lines over stdin and stdout; see README. */
int laps_serve(const struct task *t, struct laps *r, struct err *err);
/* What was named when this much was spent: the start before the first end. */
uint32_t laps_named(const struct laps *r, double units);

#endif
