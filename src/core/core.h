/* The engine: a pure function of the event log. Plain data with limits; no
 * clock, no randomness, no allocation, no I/O. Everything that can differ
 * between two runs comes in as an event.
 *
 *   world --fact--> core_step --> state --> decide() --decision--> core_step
 *                                   |
 *                                   +--> core_actions: what the shell must do
 *
 * The shell appends each fact and the decisions that follow from it to the log
 * in one transaction, then performs the actions. Actions are derived from the
 * state (level-triggered), so performing them again after a crash is the same
 * code as performing them at first. */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "core/event.h"

enum {
    HYPOTHESES_MAX = 64,
    EXPERIMENTS_MAX = 16384, /* room for 10,000 and more, each its own */
    TRIALS_MAX = 16384,
    JOBS_MAX = 64, /* in flight in one campaign */
    FINALISTS_MAX = 3,
    PAIRS_MAX = 28,    /* of at most 8 combined ideas */
    OVERRIDES_MAX = 8, /* knobs that one hypothesis changes */
    WINDOWS_MAX = 16,  /* data fingerprints seen in one campaign */
    PATCHES_MAX = 24,  /* code patches of one campaign; 32 at most */
    HASH_LEN = 72,
    WHY_LEN = 480,
};

enum campaign_state {
    CAMPAIGN_NONE,
    CAMPAIGN_DRAFT,
    CAMPAIGN_APPROVED,
    CAMPAIGN_RUNNING,
    CAMPAIGN_PAUSED,
    CAMPAIGN_HALTED,
    CAMPAIGN_DONE,
    CAMPAIGN_STOPPED,
};

enum phase_state { PHASE_PENDING, PHASE_ACTIVE, PHASE_DONE, PHASE_SKIPPED };

struct hypothesis {  /* H(i+1) */
    uint8_t source;  /* enum source */
    uint8_t verdict; /* enum verdict; VERDICT_NONE while open */
    bool dropped, pinned, needs_hook, proved;
    uint32_t experiment; /* its single-change experiment, 0: none yet */
    uint32_t patch;      /* number of its code patch, from 1; 0: none */
    uint32_t n_over;
    struct override over[OVERRIDES_MAX];
    double prior_mean, prior_sd; /* of the gain on the search metric */
    double cost_factor;          /* cost of a trial against the baseline's */
    double mean, lo, hi, prob, log_e; /* as judged last */
};

struct patch { /* code change of a hypothesis, by its content */
    char sha256[HASH_LEN];
    bool gated, approved; /* a gated one runs only when it is approved */
    uint32_t excludes;    /* bit i: it does not apply together with patch i */
};

enum experiment_kind {
    EXPERIMENT_NONE,
    EXPERIMENT_BASELINE,
    EXPERIMENT_SINGLE,
    EXPERIMENT_CELL,
    EXPERIMENT_SEARCH
};

struct experiment { /* E(i); E0 is the baseline */
    uint8_t kind;
    bool finalist;
    uint64_t mask; /* hypotheses it is made of */
    struct config config;
    double prior_mean, prior_sd; /* predicted gain before its own data */
};

struct trial { /* T(i+1) */
    uint32_t experiment;
    uint32_t seed;
    uint8_t phase, state, window;
    uint8_t labels;      /* enum label bits: not comparable when set */
    uint8_t attempts;    /* jobs intended so far */
    uint8_t failures;    /* attempts that count as failures */
    uint8_t resumes;     /* that do not, since the last new checkpoint */
    uint8_t next_remedy; /* enum remedy: decided, job not yet intended */
    uint8_t reason;      /* how the last attempt ended */
    uint8_t class;       /* runbook class letter of its signature, 0: none */
    uint8_t shrinks, stabilises;
    bool ended;   /* an attempt ended and is not yet classified */
    bool trained; /* training ok; evaluation may still be due */
    bool has_checkpoint;
    bool has_good; /* one that the last attempt reported well after */
    bool sealed_known;
    uint32_t job; /* job in flight, 0: none */
    int64_t cost_u;
    int64_t started_ms, ended_ms;
    double sealed;              /* NaN until opened */
    double metric[METRICS_MAX]; /* NaN: not reported; sealed ones stay NaN */
    uint8_t seen;               /* rungs crossed: index of the highest + 1 */
    uint8_t judged;             /* of these, looked at by fidelity.c */
    uint8_t stopped;            /* stopped on this rung (index + 1); 0: not */
    double rung[RUNGS_MAX]; /* search metric as reduced there, NaN: unknown */
};

struct job { /* in flight only; ids are never used again */
    uint32_t id, trial, attempt;
    uint8_t kind;   /* enum job_kind */
    uint8_t remedy; /* enum remedy: what of an earlier attempt it mends */
    bool submitted, cancelled, resume;
    int64_t reserve_u;
    int64_t intended_ms;
    uint32_t n_over; /* remedies, on top of the config */
    struct override over[OVERRIDES_MAX];
};

struct finalist {
    uint32_t experiment;
    bool judged;
    uint32_t n, n_base;     /* seeds per arm */
    double gain, lo, hi;    /* sealed, signed so that + is better */
    double base, candidate; /* sealed means in the metric's own direction */
    double sampling_var;    /* of the gain, from per-row predictions; 0: none */
};

struct pair {
    uint8_t a, b; /* hypothesis indexes, a < b */
    uint8_t verdict;
    double mean, lo, hi;
};

struct core {
    struct spec spec;
    uint64_t seq; /* of the last event applied */
    uint64_t random_seed;
    uint8_t state, phase; /* enum campaign_state, enum phase */
    uint8_t phase_state[PHASE_COUNT];
    bool project_ok; /* the project file is the approved one */
    bool started, learnt;
    char plan_hash[HASH_LEN], fingerprint[HASH_LEN];
    char base_rev[HASH_LEN]; /* commit that all jobs are made from; "": they run
                                in the workspace as it is */
    uint32_t gate_patches;   /* those that the campaign is halted for */
    char pending_hash[HASH_LEN]; /* drafted, not yet signed */
    int64_t pending_u;           /* the most that may be signed with it */
    uint64_t combo_mask;         /* hypotheses that Combination crosses */
    int64_t drafted_ms, approved_ms, started_ms, now_ms, finished_ms;
    /* ledger, micro-units: spent_u + reserved_u <= approved_u, always */
    int64_t approved_u, spent_u, reserved_u;
    /* Of a pool: the most that may be granted (0: all is approved at once),
     * what the campaign may count on in all, and whether no more will come. */
    int64_t signed_u, horizon_u;
    bool granted_all;
    int64_t phase_spent_u[PHASE_COUNT];
    int64_t cost_hint_u; /* expected cost of one training job, 0: unknown */
    uint32_t window;     /* index of the data window in force */
    uint32_t seeds_used, jobs_used;
    uint32_t n_patches;
    struct patch patch[PATCHES_MAX];
    uint32_t n_hypotheses, n_experiments, n_trials, n_jobs, n_finalists,
        n_pairs;
    uint32_t looks;         /* openings of the sealed metric */
    bool sealed_open;       /* opened, values still being read */
    uint32_t failed_streak; /* trials failed in a row */
    uint32_t recovered;     /* trials ok after a failed attempt */
    uint32_t proposal;      /* experiment, 0: none */
    struct hypothesis hypothesis[HYPOTHESES_MAX];
    struct experiment experiment[EXPERIMENTS_MAX];
    struct trial trial[TRIALS_MAX];
    struct job job[JOBS_MAX];
    struct finalist finalist[FINALISTS_MAX];
    struct pair pair[PAIRS_MAX];
};

struct update {
    bool has_next;          /* the engine takes one more decision: */
    struct event next;      /* apply it with the next core_step */
    char next_why[WHY_LEN]; /* next.why points here */
    char why[WHY_LEN];      /* of a refusal */
};

/* A struct core is valid when zeroed and before its first event. It is some
 * megabytes large and touched only as far as it is filled: take it from calloc,
 * empty it with core_clear, never copy or clear it whole. */
void core_clear(struct core *c);

/* Applies one event. 0: applied, u tells the next decision, if any.
 * -ERR_REFUSED: refused, *c is unchanged and u->why says why. */
int core_step(struct core *c, const struct event *e, struct update *u);

/* core_step without the decision: for rebuilding a state from its log, where
 * decisions are events that follow. u->has_next is false. */
int core_apply(struct core *c, const struct event *e, struct update *u);

/* Computes what core_step would put into u->next, from the state alone. */
bool core_decide(const struct core *c, struct update *u);

/* Applies a fact and all decisions that follow, calling sink for each event in
 * order (with seq set to c->seq + 1.. and at_ms of the fact). The event passed
 * to sink is valid during the call only. Returns 0, or the refusal of the fact
 * (u as in core_step). A refused decision is a bug and asserts. */
int core_advance(struct core *c, const struct event *fact, struct update *u,
    void (*sink)(void *ctx, const struct event *e), void *ctx);

enum action_kind {
    ACTION_NONE,
    ACTION_SUBMIT,
    ACTION_CANCEL,
    ACTION_OPEN_SEALED,
    ACTION_KEEP_INSIGHTS
};

struct action {
    uint32_t kind;
    uint32_t job;   /* SUBMIT, CANCEL */
    uint32_t trial; /* OPEN_SEALED: one action for each trial to read */
};

/* What the state asks of the shell now; returns how many (<= cap written). */
uint32_t core_actions(const struct core *c, struct action *out, uint32_t cap);

/* Snapshot without the spec (that is in event 1). Decoding needs the spec to
 * be in place and leaves *c in an undefined state on error. */
size_t core_encode(const struct core *c, unsigned char *out, size_t cap);
int core_decode(struct core *c, const unsigned char *in, size_t n);

/* Configuration that a job trains: experiment + remedies of this attempt. */
void job_config(const struct core *c, const struct job *j, struct config *out);
const struct job *core_job(const struct core *c, uint32_t id); /* NULL: none */
/* How often the wait before this job's attempt is doubled, by the tries that
 * the same trouble has cost so far; -1: it need not wait. What it waits for is
 * something that passes: a service, a mount, a node, a full disk. */
int core_backoff(const struct core *c, const struct job *j);

const char *campaign_state_name(uint32_t state);
const char *phase_state_name(uint32_t state);

/* One narrative line for an event, without a newline: the same in the log,
 * `rea why`, the report and the tests. c is the state after the event.
 * Returns the length needed. */
int
trace_line(const struct core *c, const struct event *e, char *out, size_t cap);

/* ---- what plan, status and report show ---- */

enum { PLAN_POINTS = 9 };

struct plan_point { /* what another budget would bring */
    double share;   /* of the asked one */
    int64_t budget_u;
    double gain;   /* expected confirmed gain */
    double passes; /* chance that a gain is confirmed */
};

struct plan_estimate {
    uint32_t trials[PHASE_COUNT];
    int64_t cost_u[PHASE_COUNT];
    int64_t total_u;
    struct plan_point curve[PLAN_POINTS];
    int64_t enough_u;       /* beyond it a trial brings less than .02 min_gain;
                               0: not within the curve */
    double expected_gain;   /* mean true gain of what confirmation passes */
    double detectable_gain; /* smallest gain confirmed with power .8 */
    double noise_sd;        /* assumed or measured seed sd */
};
/* Works on drafts (assumed noise: min_gain) and later (measured noise). */
void plan_estimate(const struct core *c, struct plan_estimate *out);

struct effect { /* gain over the baseline on the search metric, + is better */
    uint32_t n; /* comparable trials in it */
    double mean, sd;    /* shrunken posterior */
    double lo, hi;      /* 95 % interval of the posterior */
    double raw, raw_sd; /* unshrunken difference and its standard error */
    double prob;        /* P(gain > min_gain) */
    double log_e;       /* log e-value against gain <= 0 */
    double metric_mean; /* mean of the search metric, own direction */
};
struct baseline_stat {
    uint32_t n;
    double mean, sd; /* search metric, own direction; pooled seed sd */
    double df;
};
void analysis_baseline(const struct core *c, struct baseline_stat *out);
/* false: no comparable trial yet (out is then the prior). */
bool
analysis_effect(const struct core *c, uint32_t experiment, struct effect *out);
/* The experiment to name now: highest shrunken gain; 0 when none is better. */
uint32_t analysis_incumbent(const struct core *c);

/* Estimate of a judged finalist's sealed gain: what the search predicted and
 * the fresh seeds, weighted by their precisions. index < n_finalists. */
double confirmation_shrunken(const struct core *c, uint32_t index);

struct guard_result {
    uint32_t metric;
    double baseline, candidate; /* means, own direction */
    double limit;               /* absolute bound on the candidate's mean */
    double lo, hi;              /* 95 % interval of the candidate's mean */
    bool ok;                    /* the estimate is within the limit */
    bool violated;              /* the whole interval lies beyond it */
};
/* Guardrails of an experiment against the baseline; phase 0: all trials, else
 * only that phase's. Returns the count (<= METRICS_MAX written). */
uint32_t analysis_guards(const struct core *c, uint32_t experiment,
    uint32_t phase, struct guard_result *out);

/* Seconds-free progress in [0, 1] of the approved work, for time estimates. */
double core_progress(const struct core *c);

/* ---- money from a pool (pool.c) ---- */

enum { POOL_STEPS = 6, POOL_MEMBERS_MAX = 64 };

/* What further money is worth to a campaign: slope[i] is the mean confirmed
 * gain, in min_gain, of one more trial between 2^i - 1 and 2^(i+1) - 1 further
 * tranches; falling. */
struct pool_worth {
    bool wants;        /* a trial waits for money */
    int64_t least_u;   /* what its job lacks */
    int64_t tranche_u; /* what is granted at once */
    int64_t trial_u;   /* expected cost of a trial */
    double slope[POOL_STEPS];
};
/* Does a planned trial wait for money of the pool? */
bool core_waits(const struct core *c);
void core_worth(const struct core *c, struct pool_worth *out);

struct pool_member {
    uint32_t campaign;
    bool live;        /* running: it can use money */
    double weight;    /* of its gains against the others' */
    int64_t held_u;   /* granted and not returned */
    int64_t floor_u;  /* it gets at least this */
    int64_t signed_u; /* and at most this */
    struct pool_worth worth;
};

struct pool_grant {
    int64_t grant_u;   /* 0: it waits, or gets nothing more */
    int64_t horizon_u; /* what it may count on in all */
    bool last;         /* no more will come */
    uint32_t first;    /* index of the member whose next trial is worth most */
    char why[WHY_LEN];
};
/* What member `who`, which wants money, gets of a pool of total_u: the money
 * that is left is dealt out to where a trial is worth most; who gets its next
 * tranche when its share of that is one. Pure; floors of others are kept. */
void pool_choose(const struct pool_member *m, uint32_t n, uint32_t who,
    int64_t total_u, struct pool_grant *out);

/* Patches of a set that still wait for their signature. */
uint32_t patches_waiting(const struct core *c, uint32_t patches);
/* Can these be applied together, as far as is known? */
bool patches_agree(const struct core *c, uint32_t patches);

/* Rewrites a hypothesis into the configuration it asks for. */
void hypothesis_config(
    const struct core *c, uint32_t hypothesis, struct config *out);

#endif
