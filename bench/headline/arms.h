/* The arms: each spends the same processor seconds on one task and names a
 * configuration. */
#ifndef HEADLINE_ARMS_H
#define HEADLINE_ARMS_H

#include "base/rng.h"
#include "task.h"

struct arm_run {
    struct arena *a;
    const struct places *p;
    const struct task *t;
    const char *arm;
    uint32_t seed;
    const char *root; /* the arm's own folder */
    struct project *project;
    const char *insights; /* JSON lines that rea starts with; NULL: none */
};

struct arm_result {
    bool proposed; /* else the shipped defaults stay */
    struct config config;
    double valid;     /* as the arm saw it; NaN: not known */
    double spent_s;   /* as charged */
    double all_cpu_s; /* of every process of the arm, its own included */
    uint32_t trials, failed, pruned;
    const char *insights; /* what rea kept, JSON lines; NULL: nothing */
    const char *ideas;    /* rea's hypotheses and their fate; NULL: none */
};

/* peers.c: random, greedy, tpe, tpe-median, tpe-asha. -ERR_NOT_FOUND when the
 * arm needs Optuna and there is none. */
int peer_run(const struct arm_run *r, struct arm_result *out, struct err *err);
/* A value of a knob at random, uniform on its own scale. */
double knob_draw(const struct knob *k, struct rng *r);
/* agent.c: the real program through its verbs: rea, rea-alone, and library, the
 * earlier campaigns that rea has insights of; and both, insights, research,
 * chance, which differ in where their ideas come from. */
bool agent_has(const char *arm);
int agent_run(const struct arm_run *r, struct arm_result *out, struct err *err);

/* Stops what a bench that was cut off left running in this workspace. */
void agent_stop(struct arena *a, const struct places *p, const char *root);

#endif
