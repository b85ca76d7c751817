/* Everything that plan, status and report show about one campaign, gathered
 * from its events. The renderers (json, md, html, text) only read it, so the
 * four faces of a report cannot disagree.
 *
 *   struct report *r = report_new(1);
 *   for each event, in order: core_step(core, e, &u); report_event(r, core, e);
 *   report_wake(r, &wake) for each wake;
 *   report_close(r, core);
 *   report_html(r, &out); ...
 *   report_free(r);
 *
 * load.h does this for a campaign of a workspace. */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include "base/arena.h"
#include "core/core.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts of H(i+1); NULL where the event had none. */
struct report_hypothesis {
    const char *statement, *rationale;
    const char *evidence; /* as in the event: a JSON array, or lines of text */
    const char *by;       /* engineer's ideas: who */
    const char *class, *paths; /* of its code patch, paths one a line */
    uint32_t added, removed;   /* lines of it */
    const char *verdict_why;
    int64_t added_ms, judged_ms;
};

/* One line of the decision log: trace_line() of the event. */
struct report_line {
    uint64_t seq;
    int64_t at_ms;
    uint32_t kind; /* enum event_kind */
    uint32_t phase;
    uint32_t hypothesis, experiment, experiment_b, trial, job; /* 0: none */
    uint32_t hypothesis_b; /* of a pair; 0: none */
    bool decision;
    bool has_experiment; /* E0 is a valid id */
    const char *text;    /* without a newline */
    const char *why;     /* NULL: none */
};

/* One attempt of a trial on a backend. */
struct report_span {
    uint32_t job, trial, attempt, phase, kind; /* enum job_kind */
    int64_t intended_ms, start_ms, end_ms;     /* end_ms 0: still running */
    uint32_t reason;                           /* enum reason; NONE: running */
    int32_t exit_code, signal;
    int64_t cost_u;
    uint32_t lane; /* row of the timeline; set by report_close */
    bool resume;
    const char *signature; /* of the log; NULL: none matched */
    const char *detail;    /* what the watcher saw; NULL: nothing */
};

struct report_failure {
    uint32_t trial, attempt, reason, remedy; /* enum reason, enum remedy */
    int64_t at_ms;
    const char *signature; /* name of the matched rule or of the reason */
    const char *why;
    const char *outcome; /* set by report_close: "recovered", ... */
};

/* What the engineer did or must do. */
struct report_gate {
    int64_t at_ms;
    uint32_t kind;   /* enum event_kind */
    const char *by;  /* NULL: the agent asked */
    const char *why; /* never NULL */
};

/* A reply of a language model, as the log has it. */
struct report_answer {
    uint64_t seq;
    int64_t at_ms;
    uint32_t trial, remedy; /* of a diagnosis; 0: none */
    const char *purpose;    /* "hypotheses", "diagnosis", "summary" */
    const char *model;
    const char *hash;
    const char *text; /* a summary's paragraph; NULL: none */
    const char *why;  /* NULL: none */
    int64_t tokens_in, tokens_out, cost_u;
};

/* The incumbent after a trial was closed; thinned out in long campaigns. */
struct report_point {
    int64_t at_ms, spent_u;
    uint32_t phase, experiment; /* 0: nothing beats the baseline yet */
    double gain, lo, hi;
};

/* One activation of the agent, as the store recorded it. */
struct report_wake {
    int64_t start_ms;
    double wall_ms;
    double wait_ms;    /* of a foreground --wait; not the agent's time */
    const char *cause; /* "wake", "sweep", or a verb */
};

/* How to run the proposal (or a trial) again; filled by the caller, who knows
 * the project file. NULL texts are left out. Borrowed. */
struct report_repro {
    const char *id;          /* "E14", "T41" */
    const char *workspace;   /* folder to be in */
    const char *commit;      /* git checkout */
    const char *patch;       /* path of a patch */
    const char *command;     /* one line, ready for a shell */
    const char *environment; /* "libc 2.36, 2 x Xeon ..." */
    const char *fingerprint; /* of the data */
    const char *metric;
    double value;  /* what the trial gave; NaN: none */
    double lo, hi; /* where a rerun is expected; NaN: none */
};

struct report_lines {
    struct report_line *v;
    uint32_t n, cap;
};
struct report_spans {
    struct report_span *v;
    uint32_t n, cap;
};
struct report_failures {
    struct report_failure *v;
    uint32_t n, cap;
};
struct report_gates {
    struct report_gate *v;
    uint32_t n, cap;
};
struct report_answers {
    struct report_answer *v;
    uint32_t n, cap;
};
struct report_points {
    struct report_point *v;
    uint32_t n, cap;
};
struct report_wakes {
    struct report_wake *v;
    uint32_t n, cap;
};

struct report {
    uint32_t campaign;       /* C1 is 1 */
    const struct core *core; /* the final state; borrowed, see report_close */
    struct core *owned;      /* by report_load; freed with the report */
    struct arena *arena;
    struct report_hypothesis hypothesis[HYPOTHESES_MAX];
    struct report_lines lines;
    struct report_spans spans;
    struct report_failures failures;
    struct report_gates gates;
    struct report_answers answers;
    struct report_points points;
    struct report_wakes wakes;
    const char *phase_why[PHASE_COUNT];
    int64_t phase_from_ms[PHASE_COUNT], phase_to_ms[PHASE_COUNT];
    const char *halt_why;   /* of the gate that stands now, else NULL */
    const char *result_why; /* of the proposal, or of "nothing held" */
    bool nothing_held;
    const char *approved_by;
    int64_t first_ms, last_ms;                    /* of the events */
    int64_t started_ms, proposed_ms, finished_ms; /* 0: not yet */
    uint32_t interrupts; /* times the engineer had to act after the start */
    uint32_t lanes;      /* rows of the timeline */
    uint64_t n_wakes;    /* all of them; `wakes` may hold fewer */
    double agent_s, wait_s;
    struct report_repro repro; /* {0}: none given */
};

struct report *report_new(uint32_t campaign);
/* Takes event e; c is the state after it. Texts are copied. */
void
report_event(struct report *r, const struct core *c, const struct event *e);
/* Adds to n_wakes, agent_s and wait_s too. */
void report_wake(struct report *r, const struct report_wake *w);
/* Better times than the events know (0: unknown) and the watcher's words
 * (NULL: none) for an attempt whose events are in. */
void report_attempt(struct report *r, uint32_t job, int64_t start_ms,
    int64_t end_ms, const char *detail);
/* c must live as long as r. Call once, after the last event and wake. */
void report_close(struct report *r, const struct core *c);
void report_free(struct report *r); /* NULL is fine */
/* The paragraph that a model wrote about the campaign; NULL: none. */
const struct report_answer *report_summary(const struct report *r);

#endif
