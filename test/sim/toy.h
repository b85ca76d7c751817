/* A small world for questions of money: one model whose ideas have drawn
 * effects, overlaps and interactions, driven through the real core_step one
 * job at a time, so that spending can be compared with what was gained. The
 * laws of the engine are the other world's business (world.h). */
#ifndef SIM_TOY_H
#define SIM_TOY_H

#include "base/rng.h"
#include "core/core.h"

struct toy_opts {
    uint64_t seed;
    uint32_t budget; /* in trials */
    uint32_t ideas;  /* 2..24 */
    double good;     /* share of ideas that help; < 0: effects are drawn from
                        the prior that the plan holds */
    double size;     /* typical effect of an idea, in units of min_gain */
    double noise;    /* seed sd, in units of min_gain */
    double overlap;  /* 1: gains add up; 4: two equal ones bring 1.2 of one */
    double cross;    /* sd of interactions, in units of `size` */
    uint32_t phases; /* 0: all */
    bool pooled;     /* money comes by grants: `budget` is what it starts
                        with, `ceiling` what was signed */
    uint32_t ceiling, horizon;
    bool print;
};

struct toy {
    struct toy_opts o;
    struct core *c;
    struct update *u;
    struct rng r;
    double size;
    uint32_t knobs;
    double at[KNOBS_MAX][5], f[KNOBS_MAX][5]; /* effect of a knob, piecewise */
    double cross[KNOBS_MAX][KNOBS_MAX];
    int64_t now_ms;
    bool over; /* done or stopped */
};

void toy_begin(struct toy *t, const struct toy_opts *o);
/* One action or one job end. false: nothing moves (ended, or it waits for
 * money). */
bool toy_step(struct toy *t);
/* A fact with the decisions that follow; aborts when it is refused. */
void toy_fact(struct toy *t, struct event *e);
/* True gain of a configuration, on the search and the sealed metric alike. */
double toy_truth(const struct toy *t, const struct config *x);
/* True gain of the proposal, 0 without one. */
double toy_gain(const struct toy *t);
/* Brings the rows of a pool's ledger up to date for the one that asks; zero
 * them before the first call. */
void toy_members(const struct toy *t, uint32_t n, uint32_t floor_trials,
    uint32_t asks, struct pool_member *out);
/* The pool's answer as a fact. */
void toy_grant(struct toy *t, const struct pool_grant *g);
void toy_end(struct toy *t);

#endif
