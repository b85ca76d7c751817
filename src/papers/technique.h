/* The technique library: what the literature on click-through rate prediction
 * and ranking claims, with citation, evidence grade and date, and how each
 * claim maps onto knobs by concept. Compiled in from technique.def,
 * technique_general.def and technique_recent.def. */
#ifndef PAPERS_TECHNIQUE_H
#define PAPERS_TECHNIQUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/spec.h"

/* What a technique asks of a model or its data, as bits. */
#define TECHNIQUE_NEED_LIST(X)                                                 \
    X(DEEP, "a deep part")                                                     \
    X(EMBEDDING, "embeddings of categorical fields")                           \
    X(NUMERIC, "numeric fields")                                               \
    X(SEQUENCE, "a user's behaviour sequence")                                 \
    X(MULTITASK, "several labels")                                             \
    X(GROUPS, "graded documents grouped by query")                             \
    X(TREES, "a tree ensemble")                                                \
    X(LARGE_BATCH, "large batches")                                            \
    X(MANY_EPOCHS, "more than one epoch")

enum technique_need_bit {
#define X(name, text) TECHNIQUE_BIT_##name,
    TECHNIQUE_NEED_LIST(X)
#undef X
        TECHNIQUE_BIT_COUNT
};
enum technique_need {
    NEED_NOTHING = 0,
#define X(name, text) NEED_##name = 1 << TECHNIQUE_BIT_##name,
    TECHNIQUE_NEED_LIST(X)
#undef X
};

enum technique_op {
    TECHNIQUE_NONE,
    TECHNIQUE_SCALE,  /* multiply the knob by amount */
    TECHNIQUE_ADD,    /* add amount */
    TECHNIQUE_SET,    /* set to amount */
    TECHNIQUE_CHOOSE, /* the value whose text holds one of the words; also
                         turns on a boolean knob whose name holds one */
    TECHNIQUE_ON,
    TECHNIQUE_OFF,
    TECHNIQUE_HOOK, /* needs code: no knob can express it */
    TECHNIQUE_WITH, /* the step before it comes with this knob at amount,
                       where that is beyond a factor of 3 from the default */
    TECHNIQUE_OP_COUNT
};

/* How much a published claim is worth, 0..5. */
enum technique_grade {
    GRADE_MENTION = 1,
    GRADE_SINGLE_CLAIM = 2, /* one offline study of its authors */
    GRADE_ONLINE = 3,       /* industry, online A/B */
    GRADE_BENCHMARK = 4,    /* public benchmark by others, tuned baselines */
    GRADE_REPLICATED = 5,   /* replicated widely */
};

struct technique_step {
    uint8_t concept;   /* enum concept */
    uint8_t op;        /* enum technique_op */
    double amount;     /* SCALE, ADD, SET, WITH */
    const char *words; /* CHOOSE: alternatives joined by '|' */
    bool whole;        /* CHOOSE: a value must be a word, not just hold it */
};

enum { TECHNIQUE_STEPS_MAX = 4 };

struct technique {
    const char *id; /* "deepfm" */
    const char *name;
    const char *aliases; /* joined by '|'; one with a capital is exact */
    const char *family;  /* "interaction", "optimizer", ... */
    const char *claim;
    uint32_t needs;   /* enum technique_need bits */
    uint32_t grade;   /* enum technique_grade */
    const char *date; /* YYYY-MM of publication */
    const char *ref;  /* "arXiv:1703.04247" or "doi:10..." */
    bool checked;     /* ref and date were checked against a list of papers;
                         else they are from memory */
    double mean, sd;  /* typical gain in AUC over a tuned baseline */
    double cost;      /* of a training, against the baseline's */
    /* Alternatives, each a hypothesis of its own; ends at TECHNIQUE_NONE. */
    struct technique_step step[TECHNIQUE_STEPS_MAX];
};

uint32_t technique_count(void);
const struct technique *technique_at(uint32_t i);
const struct technique *technique_find(const char *id); /* NULL: none */
uint32_t technique_steps(const struct technique *t);    /* how many */
/* Was it known before this date (YYYY[-MM[-DD]])? NULL: always. */
bool technique_known(const struct technique *t, const char *before);
/* Is one of its names in this text, as whole words, whatever the case? */
bool technique_mentioned(const struct technique *t, const char *text);
const char *technique_need_name(uint32_t bit); /* of enum technique_need_bit */
const char *technique_op_name(uint32_t op);
const char *technique_grade_name(uint32_t grade);
/* Writes a link for a reference, "https://arxiv.org/abs/...". */
int technique_url(const struct technique *t, char *out, size_t cap);

#endif
