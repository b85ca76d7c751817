/* One event of a campaign: a flat record; which fields an event uses is told
 * per kind in docs/events.md. A field that is zero is not stored, so events
 * stay small and fields can be added without breaking old logs. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/spec.h"

#include <stddef.h>

enum event_kind {
    EVENT_NONE,
#define EVENT(name, who, file, text) EVENT_##name,
#include "core/flow.def"
#undef EVENT
    EVENT_COUNT
};

enum event_who { FACT = 1, DECISION = 2 };

enum source {
    SOURCE_NONE,
    SOURCE_INSIGHT,
    SOURCE_RESEARCH,
    SOURCE_ENGINEER,
    SOURCE_COUNT
};

enum verdict {
    VERDICT_NONE, /* still open */
    VERDICT_PROMOTE,
    VERDICT_REJECT,
    VERDICT_INCONCLUSIVE,
    VERDICT_FAILED,   /* infrastructure: says nothing about the idea */
    VERDICT_UNSTABLE, /* the change itself diverges */
    VERDICT_UNTESTED,
    VERDICT_NEEDS_HOOK,
    VERDICT_COUNT
};

enum pair_verdict {
    PAIR_NONE,
    PAIR_ADDITIVE,
    PAIR_SYNERGY,
    PAIR_CONFLICT,
    PAIR_UNCLEAR
};

enum trial_state {
    TRIAL_NONE,
    TRIAL_QUEUED,
    TRIAL_RUNNING,
    TRIAL_OK,
    TRIAL_FAILED,
    TRIAL_STOPPED
};

enum job_kind { JOB_NONE, JOB_TRAIN, JOB_EVALUATE };

/* How a job ended, as the backend, the exit file and the metric watch say. */
#define REASON_LIST(X)                                                         \
    X(NONE, "none")                                                            \
    X(OK, "ok")                                                                \
    X(EXIT, "exit")     /* exit_code holds the code */                         \
    X(SIGNAL, "signal") /* signal holds the number */                          \
    X(OOM, "oom")       /* host memory limit */                                \
    X(TIMEOUT, "timeout")                                                      \
    X(PREEMPTED, "preempted")                                                  \
    X(NODE_FAIL, "node-fail")                                                  \
    X(CANCELLED, "cancelled")                                                  \
    X(LAUNCH_FAIL, "launch-fail") /* program not found, not runnable */        \
    X(HUNG, "hung")               /* no sign of life */                        \
    X(NAN, "nan")                 /* a watched metric is not finite */         \
    X(SPIKE, "spike")                                                          \
    X(DIVERGED, "diverged")        /* the trainer says so (exit code) */       \
    X(NO_METRIC, "missing-metric") /* exit 0 without the search metric */      \
    X(DISK_FULL, "disk-full")                                                  \
    X(BUDGET, "budget") /* killed at its reservation */                        \
    X(UNKNOWN, "unknown")

enum reason {
#define X(name, text) REASON_##name,
    REASON_LIST(X)
#undef X
        REASON_COUNT
};

enum remedy {
    REMEDY_NONE,
    REMEDY_RETRY,     /* same job again */
    REMEDY_RESUME,    /* from the checkpoint, no failure charged */
    REMEDY_SHRINK,    /* half the batch: labels the trial as changed */
    REMEDY_STABILISE, /* half the learning rate: labels the trial as changed */
    REMEDY_GIVE_UP,   /* trial fails */
    REMEDY_HALT,      /* a gate */
    REMEDY_COUNT
};

enum label { LABEL_SHRUNK = 1, LABEL_STABILISED = 2 };

struct override {
    uint32_t knob;
    double value;
};

struct measure {
    uint32_t metric;
    double value; /* NaN is a value here: the job reported NaN */
};

struct rung_value {
    uint32_t rung; /* index into spec.rung[] */
    double value;
};

struct event {
    uint32_t kind;
    uint64_t seq;  /* 1.. within the campaign; set by whoever appends it */
    int64_t at_ms; /* wall clock of the appending process; display, limits */
    uint32_t hypothesis, experiment, experiment_b, trial, job, phase, attempt;
    uint32_t seed, source, verdict, state, reason, remedy, job_kind, labels;
    uint32_t n; /* a count; meaning per kind */
    int32_t exit_code, signal;
    uint64_t mask;     /* bit i: hypothesis H(i+1) */
    uint32_t patches;  /* trial_planned: of the configuration, bit i: patch i;
                          campaign_halted: those that wait for a signature */
    uint32_t excludes; /* hypothesis_added: known patches that its own cannot
                          be applied together with */
    uint32_t added, removed; /* hypothesis_added: lines of its patch */
    uint64_t number;         /* campaign_drafted: random seed of the campaign */
    int64_t cost_u, reserve_u, budget_u, duration_ms;
    int64_t signed_u; /* plan_approved: of a pool, the most it may be granted */
    int64_t horizon_u; /* budget that the campaign may count on, in all */
    int64_t tokens_in, tokens_out; /* answer_arrived: sent and received */
    double mean, sd, lo, hi, score, prob, log_e, value, base;
    bool resume, proved, has_checkpoint;
    bool has_good; /* job_ended: a checkpoint of before it ran away is there */
    bool gated; /* hypothesis_added: its patch needs a signature of its own */
    uint32_t n_over;
    struct override over[KNOBS_MAX];
    uint32_t n_measures;
    struct measure measure[METRICS_MAX];
    /* job_reported, job_ended: the search metric as reduced at each rung that
     * the run crossed, by rung index */
    uint32_t n_curve;
    struct rung_value curve[RUNGS_MAX];
    /* Borrowed texts, NULL when absent; at most EVENT_TEXT_MAX bytes each. */
    const char *hash, *by, *statement, *rationale, *evidence, *why, *handle,
        *key;
    /* campaign_drafted: commit that jobs start from; hypothesis_added,
     * patch_approved: SHA-256 of the diff; its class and its paths, one a
     * line; job_submitted: what the job is confined by */
    const char *base_rev, *patch, *class, *paths, *sandbox;
    const unsigned char *spec; /* campaign_drafted: spec_encode() */
    size_t spec_len;
};

enum { EVENT_TEXT_MAX = 16384, EVENT_BYTES_MAX = 4 * 1024 * 1024 };

const char *event_name(uint32_t kind); /* "job_ended" */
enum event_who event_who(uint32_t kind);
const char *event_meaning(uint32_t kind);
const char *event_file(uint32_t kind);        /* "result" */
const char *reason_name(uint32_t reason);     /* "missing-metric" */
const char *remedy_name(uint32_t remedy);     /* "stabilise" */
const char *verdict_name(uint32_t verdict);   /* "needs_hook" */
const char *source_name(uint32_t source);     /* "insight" */
const char *pair_name(uint32_t pair);         /* "synergy" */
const char *trial_state_name(uint32_t state); /* "queued" */

/* codec.c. Encoders return the bytes needed (writing at most cap).
 * event_decode borrows texts and spec from `in`; -ERR_CORRUPT on a bad record,
 * -ERR_VERSION on a field that a newer version wrote. seq and at_ms are part
 * of the record. */
size_t event_encode(const struct event *e, unsigned char *out, size_t cap);
int event_decode(struct event *e, const unsigned char *in, size_t n);
size_t spec_encode(const struct spec *s, unsigned char *out, size_t cap);
int spec_decode(struct spec *s, const unsigned char *in, size_t n);

/* Calls f for each field that is set, in stored order; value as text ready for
 * JSON (numbers bare, texts unquoted with is_text true). For docs, logs. */
void event_fields(const struct event *e,
    void (*f)(void *ctx, const char *name, const char *value, bool is_text),
    void *ctx);

#endif
