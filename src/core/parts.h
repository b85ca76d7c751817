/* What the files of the engine share among themselves; nobody outside core
 * includes this. Each event has one apply function in the file that flow.def
 * names; each stage of the loop has one *_decide function. */
#ifndef CORE_PARTS_H
#define CORE_PARTS_H

#include "core/core.h"
#include "math/curve.h"
#include "math/meta.h"
#include "math/outlook.h"

/* Checks everything first, then changes *c: a refused event changes nothing.
 * 0 or -ERR_REFUSED with u->why set. */
#define EVENT(name, who, file, text)                                           \
    int name##_apply(struct core *c, const struct event *e, struct update *u);
#include "core/flow.def"
#undef EVENT

/* Sets u->why, returns -ERR_REFUSED. */
int refuse(struct update *u, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Starts the next decision: clears u->next, sets kind and the reason. Always
 * returns true, so that a decider can end with it. */
bool decide(struct update *u, enum event_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Can this spec be decoded? Touches nothing. 0 or a negative code. */
int spec_check(const unsigned char *in, size_t n);

struct analysis;

/* ---- budget.c ---- */

/* Left of what is approved; the confirmation reserve is kept out unless
 * wanted. */
int64_t budget_granted_room_u(const struct core *c, bool confirming);
/* The same of all that may be counted on: what phases plan by. */
int64_t budget_room_u(const struct core *c, bool confirming);
/* All money that the campaign may count on: of a pool, more than is approved
 * yet. */
int64_t budget_total_u(const struct core *c);
/* Does a planned trial wait for money that a pool may still give? *least_u
 * (may be NULL): how much it lacks. */
bool budget_lacks(const struct core *c, int64_t *least_u);
/* Share of the budget that only confirmation may touch. */
int64_t budget_confirm_u(const struct core *c);
/* Expected cost of one training job: measured, else hinted, else reserved. */
int64_t budget_trial_u(const struct core *c);
/* The same with the resources of a phase. */
int64_t budget_phase_trial_u(const struct core *c, uint32_t phase);
/* Cost of an hour in a phase, against one by the common resources. */
double budget_rate(const struct core *c, uint32_t phase);
/* Worst cost of one job of a phase. */
int64_t budget_worst_u(const struct core *c, uint32_t phase, uint32_t kind);
/* May this phase plan one more trial? Soft limit: shares of the approved
 * budget, cumulative, so that what one phase leaves goes to the next. */
bool budget_phase_open(const struct core *c, uint32_t phase);
/* How many more trials that is, by expected cost. */
uint32_t budget_phase_trials(const struct core *c, uint32_t phase);
/* Fraction of the wall clock limit that has passed; 0 without a limit. */
double budget_time_used(const struct core *c);
void budget_reserve(struct core *c, int64_t reserve_u);
void budget_settle(
    struct core *c, uint32_t phase, int64_t reserve_u, int64_t cost_u);

/* What must be left to start one more job of this kind (enum job_kind): its
 * worst case, or some times what one is expected to cost, of trainings what the
 * baseline's cost, with which it must then get along. A phase that has dearer
 * ones to choose from looks into its purse. */
int64_t budget_least_u(const struct core *c, uint32_t phase, uint32_t kind);

/* Is the next run of a single idea worth more than the same money later? Plays
 * the rest of the campaign out; only inside the floors of all phases. */
bool budget_validation_pays(const struct core *c, const struct analysis *a);

/* ---- forecast.c ---- */

/* What the rest of the campaign is believed to be, for outlook_run. ideas has
 * room for HYPOTHESES_MAX. */
void forecast_fill(const struct core *c, const struct analysis *a,
    struct outlook_idea *ideas, struct outlook_in *out);
/* The same before anything ran, with this budget: what the plan shows. */
void forecast_fresh(const struct core *c, int64_t budget_u,
    struct outlook_idea *ideas, struct outlook_in *out);

/* ---- cost.c ---- */

enum { COST_POINTS_MAX = 48 };
struct cost_model {
    uint32_t n;
    double base_u; /* of one training of the baseline, micro-units */
    bool base_seen;
    uint32_t who[COST_POINTS_MAX]; /* experiments it was learnt from */
    double y[COST_POINTS_MAX], v[COST_POINTS_MAX], w[COST_POINTS_MAX];
    double l[COST_POINTS_MAX * COST_POINTS_MAX];
};
void cost_model_fit(const struct core *c, struct cost_model *m);
/* Expected cost of one training in micro-units. factor: what the source of the
 * idea says against the baseline, 0: nothing. */
double cost_of(const struct core *c, const struct cost_model *m,
    const struct config *x, double factor);
/* What a training needs to have reserved, at least; no more than the worst
 * case of its phase. */
int64_t cost_least_u(const struct core *c, const struct cost_model *m,
    const struct config *x, double factor, uint32_t phase);
/* What is left for the search, or for confirmation, and what costs are known to
 * be: for phases that look what they can still pay. */
struct purse {
    struct cost_model cost;
    uint32_t phase;
    int64_t room_u;
    bool tight; /* not every training could reserve its worst case */
};
void purse_open(const struct core *c, uint32_t phase, struct purse *p);
bool purse_holds(const struct core *c, const struct purse *p,
    const struct config *x, double factor);
/* What the value of a run is divided by; 1 for a small run of the baseline. */
double cost_weight(const struct core *c, const struct cost_model *m,
    const struct config *x, double factor);

/* ---- patch.c ---- */

/* Index of a patch by its content; n_patches: a new one. */
uint32_t patch_index(const struct core *c, const char *sha256);
/* May this hypothesis bring its patch in? 0 or a refusal. */
int patch_check(const struct core *c, const struct event *e, struct update *u);
/* Takes it in; its number, from 1. */
uint32_t patch_take(struct core *c, const struct event *e);
/* A trial whose patch is not signed stops the campaign at a gate. */
bool patch_gate(const struct core *c, const struct trial *t, struct update *u);

/* ---- trial.c, job.c ---- */

/* What the next attempt of this trial reserves. */
int64_t job_next_u(const struct core *c, const struct trial *t);
struct trial *core_trial(struct core *c, uint32_t id); /* id 1..n */
const struct trial *core_trial_at(const struct core *c, uint32_t id);
struct job *core_job_find(struct core *c, uint32_t id);
void job_remove(struct core *c, struct job *j);
uint32_t seed_next(const struct core *c);
/* Fills u with trial_planned for an existing experiment. */
bool trial_plan(const struct core *c, struct update *u, uint32_t experiment,
    uint32_t phase, double score, const char *why);
/* The same for a new experiment of this configuration. */
bool trial_plan_new(const struct core *c, struct update *u,
    const struct experiment *x, uint32_t hypothesis, uint32_t phase,
    double score, const char *why);
/* Experiment with this configuration, -1: none. */
int experiment_find(const struct core *c, const struct config *config);
/* Validation trial of an idea that the engineer has dropped? */
bool trial_is_dropped(const struct core *c, const struct trial *t);
/* A queued, waiting or ended trial needs a decision that is no choice. */
bool trial_decide(const struct core *c, struct update *u);
bool job_decide(const struct core *c, struct update *u);

/* ---- fidelity.c ---- */

enum { CURVES_MAX = 512 }; /* the latest runs that reliability is taken from */

struct fidelity {
    bool on;
    struct curve curve; /* of the search metric, + is better */
    double base;        /* the baseline's mean on that scale */
};

/* May runs of this campaign be stopped on a rung? In trials an attempt costs
 * 1 however far it goes, so nothing would be saved. */
bool fidelity_stops(const struct core *c);
/* Measures the rungs from the curves of the current data window; false: there
 * is nothing to measure, and *f is off. */
bool fidelity_measure(const struct core *c, struct fidelity *f);
/* What the curve of a run that has not reached the top says of its gain over
 * the baseline; false: no such run. For the search alone. */
bool fidelity_estimate(const struct core *c, const struct fidelity *f,
    uint32_t experiment, double *gain, double *var);
/* Looks at a run that crossed a rung: goes on, or is cancelled. */
bool fidelity_decide(const struct core *c, struct update *u);
/* Rung values of an event: check first, then take them into the trial. */
int curve_check(const struct core *c, const struct event *e, struct update *u);
void curve_take(struct core *c, struct trial *t, const struct event *e);

/* ---- runbook.c ---- */

/* Remedy for the attempt that just ended badly; why is filled. */
enum remedy runbook_remedy(
    const struct core *c, const struct trial *t, char *why, size_t cap);
/* The override that the next attempt carries for its remedies so far; returns
 * how many were written. */
uint32_t runbook_overrides(const struct core *c, const struct trial *t,
    enum remedy next, struct override *out);

/* ---- analysis.c ---- */

struct arm {    /* one experiment against the baseline of the same windows */
    uint32_t n; /* comparable trials that ended ok */
    uint32_t flying;   /* queued or running */
    uint32_t failed;   /* trials failed for good */
    uint32_t changed;  /* ended ok, but only after a remedy that changed them */
    uint32_t diverged; /* failed or changed because the loss exploded */
    double d;          /* difference of means, + is better */
    double q;          /* its variance in units of the seed variance */
    double sum; /* of the search metric over all windows, own direction */
};

struct analysis {
    double s2, df;    /* posterior seed variance and its df */
    double pooled_s2; /* without a prior, for e-values; df below */
    double pooled_df;
    uint32_t base_now;    /* baseline trials ok in the current window */
    uint32_t base_flying; /* in the current window */
    struct arm *arm;      /* the caller's, room for c->n_experiments */
};

/* Scale of the alternative of the e-values, in seed sds. */
extern const double ANALYSIS_E_SCALE;
/* Fills *a; a->arm is set by the caller. */
void analysis_collect(const struct core *c, struct analysis *a);
/* The same without the trials of Confirmation: what was known before it. */
void analysis_collect_search(const struct core *c, struct analysis *a);
/* Posterior of the gain of an experiment from its prior and its own data. */
void analysis_posterior(const struct core *c, const struct analysis *a,
    uint32_t experiment, struct effect *out);
/* Is a guardrail of this experiment clearly violated? */
bool analysis_guard_violated(const struct core *c, uint32_t experiment);
double metric_gain(const struct core *c, double value);

/* ---- sources.c ---- */

struct sources { /* by enum source */
    struct source_fit of[SOURCE_COUNT];
};
/* What the measured ideas say of their sources. */
void sources_collect(
    const struct core *c, const struct analysis *a, struct sources *out);
/* Prediction of idea i (index) before its own data, its source's trust in. */
/* What the two sources that draft ideas delivered in first runs, and so which
 * of them the next first run is for. */
struct source_split {
    double weight[SOURCE_COUNT]; /* of a fresh idea's value; 1: no difference */
    bool due[SOURCE_COUNT];      /* it has had less than its floor */
};
void sources_split(const struct core *c, const struct analysis *a,
    const struct cost_model *cost, struct source_split *out);
void sources_predict(const struct core *c, const struct sources *s, uint32_t i,
    double *mean, double *sd);

/* ---- phases: each plans its next trial, judges, or closes ---- */

bool phase_decide(const struct core *c, struct update *u);
bool baseline_decide(
    const struct core *c, const struct analysis *a, struct update *u);
/* Verdicts on ideas that came after validation was closed. */
bool ideas_judge_late(
    const struct core *c, const struct analysis *a, struct update *u);
bool validation_decide(
    const struct core *c, const struct analysis *a, struct update *u);
bool combination_decide(
    const struct core *c, const struct analysis *a, struct update *u);
bool exploitation_decide(
    const struct core *c, const struct analysis *a, struct update *u);
/* Experiment with the highest posterior gain under the search's own process,
 * 0: the baseline; -1: too few searched points, or no fit. */
int exploitation_incumbent(const struct core *c, const struct analysis *a);
bool confirmation_decide(
    const struct core *c, const struct analysis *a, struct update *u);
/* Hypotheses to cross, best first, without exclusions; 0: fewer than two. */
uint64_t combination_choose(const struct core *c, const struct analysis *a);
/* Is any trial of this phase queued, running or unclassified? */
bool phase_busy(const struct core *c, uint32_t phase);

#endif
