/* The part of a project file that decisions depend on: knobs with their
 * domains, metrics with their roles, the budget's rules. The project layer
 * fills it from TOML; it enters the engine once, in the first event of a
 * campaign, so a replay a year later reads the same spec. Plain data, limits
 * on everything. A knob's value is one double, the "code":
 *   float, int    the number itself
 *   bool          0 or 1
 *   choice, list  index into values[]
 *   set           bit mask over values[] (bit i = values[i] is in the set) */
#ifndef CORE_SPEC_H
#define CORE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    NAME_LEN = 48,    /* names of knobs and metrics, with the NUL */
    VALUE_LEN = 40,   /* text of one choice; a list's is "128,64" */
    TEXT_LEN = 200,   /* doc strings */
    KNOBS_MAX = 64,   /* limits of a ranking model's declared space */
    VALUES_MAX = 48,  /* values of a choice, set or list knob */
    TAGS_LEN = 96,    /* tags, joined by one space */
    COND_MAX = 48,    /* instructions of one `when` condition */
    METRICS_MAX = 16, /* metrics and guardrails together */
    RUNGS_MAX = 12,
    CANDIDATES_MAX = 2048, /* rows of [space] candidates */
};

enum knob_kind {
    KNOB_NONE,
    KNOB_FLOAT,
    KNOB_INT,
    KNOB_BOOL,
    KNOB_CHOICE,
    KNOB_SET,
    KNOB_LIST,
};

/* What a knob means, whatever it is called: insights and techniques speak of
 * concepts, so that what was learnt on one trainer serves another. Found by
 * the project layer from name, tags and doc. Order is part of stored state:
 * append only. */
#define CONCEPT_LIST(X)                                                        \
    X(NONE, "none")                                                            \
    X(LEARNING_RATE, "learning_rate")                                          \
    X(EMB_LEARNING_RATE, "embedding_learning_rate")                            \
    X(BATCH_SIZE, "batch_size")                                                \
    X(EMBEDDING_DIM, "embedding_dim")                                          \
    X(EMB_REG, "embedding_regularizer")                                        \
    X(NET_REG, "net_regularizer")                                              \
    X(DROPOUT, "dropout")                                                      \
    X(EMB_DROPOUT, "embedding_dropout")                                        \
    X(HIDDEN_UNITS, "hidden_units")                                            \
    X(LAYERS, "layers")                                                        \
    X(CROSS_LAYERS, "cross_layers")                                            \
    X(CROSS_RANK, "cross_rank")                                                \
    X(BATCH_NORM, "batch_norm")                                                \
    X(LAYER_NORM, "layer_norm")                                                \
    X(ACTIVATION, "activation")                                                \
    X(OPTIMIZER, "optimizer")                                                  \
    X(MODEL, "model")                                                          \
    X(RESIDUAL, "residual")                                                    \
    X(GATING, "gating")                                                        \
    X(ATTENTION, "attention")                                                  \
    X(ATTENTION_DIM, "attention_dim")                                          \
    X(ATTENTION_HEADS, "attention_heads")                                      \
    X(FEATURES, "features")                                                    \
    X(MIN_COUNT, "min_count")                                                  \
    X(HASH_BITS, "hash_bits")                                                  \
    X(NUMERIC, "numeric_transform")                                            \
    X(LOSS, "loss")                                                            \
    X(LABEL_SMOOTHING, "label_smoothing")                                      \
    X(NEG_SAMPLING, "negative_sampling")                                       \
    X(SCHEDULE, "lr_schedule")                                                 \
    X(WARMUP, "warmup")                                                        \
    X(EPOCHS, "epochs")                                                        \
    X(PATIENCE, "patience")                                                    \
    X(INIT, "init_scale")                                                      \
    X(TREES, "trees")                                                          \
    X(TREE_DEPTH, "tree_depth")                                                \
    X(SUBSAMPLE, "subsample")                                                  \
    X(EXPERTS, "experts")                                                      \
    X(SEQUENCE_LEN, "sequence_length")                                         \
    X(MOMENTUM, "momentum")                                                    \
    X(GRAD_CLIP, "gradient_clip")                                              \
    X(TEMPERATURE, "temperature")                                              \
    X(LINEAR, "linear_part")                                                   \
    X(INTERACTION, "interaction")                                              \
    X(GRAD_ACCUM, "gradient_accumulation")

enum concept {
#define X(name, text) CONCEPT_##name,
    CONCEPT_LIST(X)
#undef X
        CONCEPT_COUNT
};

/* One instruction of a `when` condition, run on a stack of booleans. */
enum cond_op {
    COND_NONE,
    COND_EQ, /* push (config[knob] == value) */
    COND_NE,
    COND_HAS, /* push (set knob contains value index) */
    COND_AND,
    COND_OR,
    COND_NOT,
    COND_TRUE, /* push true: an empty condition */
};

struct cond {
    uint8_t op;   /* enum cond_op */
    uint8_t knob; /* index of the knob that EQ, NE, HAS look at */
    double value; /* its code */
};

struct knob {
    char name[NAME_LEN];
    uint8_t kind;    /* enum knob_kind */
    uint8_t concept; /* enum concept */
    bool log;        /* scale = "log" */
    double lo, hi;   /* float, int: the closed range */
    double deflt;    /* code of the default */
    uint32_t n_values;
    char values[VALUES_MAX][VALUE_LEN]; /* choice, set, list */
    uint32_t n_when;                    /* 0: always active */
    struct cond when[COND_MAX];
    char tags[TAGS_LEN];
    char doc[TEXT_LEN];
};

enum metric_role { METRIC_PLAIN, METRIC_PRIMARY, METRIC_SEALED, METRIC_GUARD };
enum metric_goal { GOAL_MAX, GOAL_MIN, GOAL_TARGET };
enum guard_kind {
    GUARD_NONE,
    GUARD_MAX_INCREASE, /* candidate <= baseline + limit */
    GUARD_MAX_DROP,     /* candidate >= baseline - limit */
    GUARD_MIN,          /* candidate >= limit */
    GUARD_MAX,          /* candidate <= limit */
};

struct metric {
    char name[NAME_LEN];
    uint8_t role, goal, guard;
    bool relative;   /* limit is a fraction of the baseline's value ("1%") */
    double target;   /* GOAL_TARGET */
    double min_gain; /* primary: smallest gain worth shipping, > 0 */
    double limit;    /* guard */
};

enum phase {
    PHASE_NONE,
    PHASE_VALIDATION,
    PHASE_COMBINATION,
    PHASE_EXPLOITATION,
    PHASE_CONFIRMATION,
    PHASE_COUNT
};

enum unit { UNIT_NONE, UNIT_CORE_HOURS, UNIT_GPU_HOURS, UNIT_USD, UNIT_TRIALS };

/* Budget amounts are whole micro-units: 1 core-hour = 1,000,000. */
#define MICRO 1000000

/* Jobs of a phase that has resources of its own. */
struct phase_cost {
    int64_t train_u, eval_u; /* worst cost of one job */
    double rate;             /* of an hour, against one by the common ones */
};

struct spec {
    char model[NAME_LEN]; /* project.name */
    uint32_t n_knobs;
    struct knob knob[KNOBS_MAX];
    uint32_t n_metrics;
    struct metric metric[METRICS_MAX];
    uint32_t primary; /* index into metric[] */
    uint32_t sealed;  /* index of the deciding sealed metric; n_metrics: none */
    bool has_evaluate; /* sealed metrics come from an evaluation run */
    bool has_resume;   /* a checkpoint can be resumed */
    uint32_t phases;   /* bit (1 << enum phase) for each phase in the plan */
    uint32_t max_hypotheses;
    uint32_t baseline_seeds;
    uint8_t unit;            /* enum unit */
    int64_t total_u;         /* budget in micro-units */
    int64_t reserve_train_u; /* worst cost of one training job */
    int64_t reserve_eval_u;  /* worst cost of one evaluation job, may be 0 */
    bool by_phase;           /* in place of these two: */
    struct phase_cost phase_cost[PHASE_COUNT];
    int64_t wall_clock_ms; /* 0: no limit */
    uint32_t max_parallel; /* jobs of this campaign at once, 1..64 */
    int32_t fidelity_knob; /* index, -1: none; jobs start for the top rung */
    uint32_t n_rungs;
    double rung[RUNGS_MAX]; /* rising; the last one is a full run */
    bool stops; /* a run may be stopped on a rung where rungs prove reliable */
    uint32_t n_candidates; /* 0: the whole space is valid */
    double candidate[CANDIDATES_MAX][KNOBS_MAX];
    /* What earlier campaigns predict of each candidate, in any unit, + is
     * better: only its shape counts, and its weight is learnt. */
    uint32_t n_prior; /* n_candidates, or 0: nothing is predicted */
    double candidate_prior[CANDIDATES_MAX];
};

/* ---- knob values and configurations (space.c) ---- */

struct config {
    double v[KNOBS_MAX]; /* codes; those of inactive knobs are the defaults */
    uint32_t patches;    /* bit i: code patch i of the campaign is applied */
};

void config_default(const struct spec *s, struct config *out);
/* Is knob k passed to the trainer under this configuration? */
bool knob_is_active(const struct spec *s, const struct config *c, uint32_t k);
/* Sets inactive knobs to their defaults, so equal runs have equal configs. */
void config_canon(const struct spec *s, struct config *c);
bool config_equal(
    const struct spec *s, const struct config *a, const struct config *b);
/* Is v in the domain of the knob? (finite, in range, whole where it must) */
bool knob_accepts(const struct knob *k, double v);
/* Position of a code in [0, 1] along the knob's scale (log respected; choice,
 * list: index/(n-1); set: share of bits). */
double knob_to_unit(const struct knob *k, double v);
/* The nearest valid code for a position in [0, 1] (float, int, bool only). */
double knob_from_unit(const struct knob *k, double u);
/* Writes the value as text for people, "0.01", "true", "deepfm", "a,b".
 * Returns the length that was needed. */
int knob_format(const struct knob *k, double v, char *out, uint32_t cap);
/* Finds a knob or metric by name; -1: none. */
int spec_knob(const struct spec *s, const char *name);
int spec_metric(const struct spec *s, const char *name);
/* Is this configuration allowed: every value in its domain, and, where
 * candidates are declared, equal to one of them? */
bool config_is_valid(const struct spec *s, const struct config *c);
const char *concept_name(uint32_t concept);
const char *phase_name(uint32_t phase);
const char *unit_name(uint32_t unit);
/* A metric's value turned so that + is better. */
double metric_signed(const struct metric *m, double value);

#endif
