/* A simulated problem of K ideas with known true gains, and what its jobs
 * would measure. Gains are in units of the seed sd `SEED_SD`. */
#ifndef TRUTH_SHAPE_H
#define TRUTH_SHAPE_H

#include "core/core.h"

enum { IDEAS_MAX = 64, NUMERIC_MAX = 4 };

struct shape {
    const char *name;
    uint32_t k;        /* ideas, each one value of one knob */
    uint32_t values;   /* ideas that share a knob and exclude each other */
    uint32_t numeric;  /* knobs beside the ideas */
    double good, harm; /* shares that help and that harm; the rest is 0 */
    double gain;       /* of each that helps; 0: drawn, half normal, sd 2 */
    double overlap;    /* E gain(A + B) / (gain(A) + gain(B)); 1: additive */
    double lambda;     /* sd of an interaction over the size of the gains */
    double tail_df;    /* seed noise is Student t; 0: normal */
    double uneven;     /* sd of the log of the noise, by configuration */
    double corr;       /* of a run's noise on the two metrics */
    double gap;        /* sd of a configuration's sealed - search gain */
    double known;      /* correlation of an idea's prior mean with its gain */
    double min_gain;   /* what the project file says, seed sds */
    bool guard;        /* a guardrail that a third of the ideas violates */
    bool candidates;   /* the space is a list: singles, pairs, triples */
    uint32_t parallel;
};

struct problem {
    const struct shape *shape;
    uint64_t seed;
    uint32_t k;
    double gain[IDEAS_MAX]; /* alone, search metric, in seed sds */
    double prior[IDEAS_MAX];
    double pair[IDEAS_MAX][IDEAS_MAX]; /* i < j: own part of an interaction */
    double best[NUMERIC_MAX], slope[NUMERIC_MAX];
    bool breaks[IDEAS_MAX]; /* the guardrail */
};

extern const double SEED_SD;

/* Draws the problem of (shape, seed). */
void
problem_draw(const struct shape *shape, uint64_t seed, struct problem *out);
void problem_spec(const struct problem *p, uint32_t trials, struct spec *out);
/* The knob and the value of idea i. */
struct override problem_idea(const struct problem *p, uint32_t i);
/* Ideas that are part of a configuration. */
uint64_t problem_mask(const struct problem *p, const struct config *x);
/* True gain of a configuration on the search and on the sealed metric, in the
 * metrics' own unit. */
double problem_gain(const struct problem *p, const struct config *x);
double problem_sealed(const struct problem *p, const struct config *x);

struct reading { /* one run */
    double search, sealed, guard;
};
/* A function of (problem, configuration, seed). */
void problem_run(const struct problem *p, const struct config *x, uint64_t seed,
    struct reading *out);

#endif
