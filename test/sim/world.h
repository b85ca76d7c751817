/* A seeded fake world for the engine: a model with planted effects, jobs that
 * end in every way, an engineer who interferes, a clock that jumps. Drives the
 * real core_step and checks the laws of the simulator at every event. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/rng.h"
#include "core/core.h"

enum world_problem {
    WORLD_NULL,  /* no change has any effect */
    WORLD_MIXED, /* some help, some harm, some interact */
};

struct life_opts {
    uint64_t seed;
    enum world_problem problem;
    bool hibernate;      /* encode, forget, decode after every event (law 1) */
    bool mischief;       /* refused events, which must change nothing (law 2) */
    bool interfere;      /* pauses, drops, pins, budget cuts, stops */
    double faults;       /* chance that an attempt goes wrong */
    uint32_t budget;     /* in trials; 0: drawn */
    double sealed_scale; /* the sealed effect against the search effect */
    double source;       /* predictions are this times the truth; 0: noise */
    double second;       /* the same of every other idea, which is then of
                            research; 0: all are of one source */
    bool singles;        /* validation alone */
    bool print;          /* the narrative */
};

struct life_finalist {
    double gain, lo, hi, truth;
    double shrunken; /* the estimate that a proposal quotes */
    bool judged;
};

struct life_pair { /* a judged pair of ideas */
    double lo, hi, truth;
    uint32_t verdict;
};

struct life {
    uint64_t events;  /* applied */
    uint64_t refused; /* refused, and checked to change nothing */
    uint64_t digest;  /* of all events, times aside */
    uint32_t state;   /* enum campaign_state at the end */
    uint32_t trials;
    bool proposed;
    double truth;           /* sealed gain of the proposal */
    double best_truth;      /* best single idea's */
    double gains, promoted; /* true gains of all ideas, of those that held */
    uint32_t starts[SOURCE_COUNT]; /* ideas of the source that ran */
    uint32_t n_finalists;
    struct life_finalist finalist[FINALISTS_MAX];
    uint32_t n_pairs;
    struct life_pair pair[PAIRS_MAX];
    uint64_t stops;              /* runs ended on a rung */
    uint64_t kinds[EVENT_COUNT]; /* how often each event was applied */
    uint64_t reasons[REASON_COUNT], remedies[REMEDY_COUNT];
};

/* Lives one campaign to its end; aborts with seed and trace when a law is
 * broken. Deterministic in opts. */
void world_live(const struct life_opts *opts, struct life *out);

/* Command line of the simulators: --seed=, --lives=; returns the value. */
uint64_t world_arg(int argc, char **argv, const char *name, uint64_t deflt);

#endif
