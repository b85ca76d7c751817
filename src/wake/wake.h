/* One activation of the agent: load, reconcile with the backend, decide,
 * commit, perform, exit. Callbacks, the sweep and the engineer's verbs are the
 * same code. Safe at any time, any number of times, concurrently. */
#ifndef WAKE_WAKE_H
#define WAKE_WAKE_H

#include "core/core.h"
#include "store/store.h"

/* What wake must not know: supplied by the program above it. */
struct wake_hooks {
    void *ctx;
    /* Stores what a finished campaign has learnt. Called under the lease; may
     * be called again after a crash, so it must be idempotent by campaign.
     * NULL: nothing is kept, and the log says so. */
    int (*keep_insights)(void *ctx, struct store *st, uint32_t campaign,
        const struct core *c, struct err *err);
};

enum wake_cause { WAKE_VERB, WAKE_CALLBACK, WAKE_SWEEP, WAKE_WAIT };

struct wake_opts {
    enum wake_cause cause;
    const struct wake_hooks *hooks; /* NULL: none */
    /* What a job's supervisor starts at the end: the path of this program
     * ("": no callback; the sweep finds out). NULL: /proc/self/exe. */
    const char *program;
    int64_t
        lease_wait_ms; /* how long wake_facts waits for the lease; 0: 10 s */
    bool no_submit;    /* decide and record, start nothing (draft, approve) */
};

struct wake_result {
    bool left;       /* somebody holds the lease and will look again */
    uint8_t state;   /* enum campaign_state after it */
    bool gate;       /* an engineer is needed: exit 3 */
    uint32_t events; /* appended */
    uint32_t submitted, ended, cancelled, waiting; /* jobs; waiting: no slot */
    char why[WHY_LEN]; /* the gate in words, or the last decision */
};

/* Wakes one campaign, then others that wait for a slot it has freed. 0 also
 * when nothing was to do or the lease is taken (out->left). -ERR_APPROVAL: it
 * stands at a gate that only the engineer opens. */
int wake_run(struct store *st, uint32_t campaign, const struct wake_opts *opts,
    struct wake_result *out, struct err *err);

/* Brings facts of the engineer in (approval, start, pause, ...), each followed
 * by its decisions, all in one transaction, then goes on like wake_run.
 * at_ms = 0 is filled with the clock. -ERR_REFUSED: the engine refused one,
 * err says why, nothing was stored. */
int wake_facts(struct store *st, uint32_t campaign, const struct event *facts,
    size_t n, const struct wake_opts *opts, struct wake_result *out,
    struct err *err);

/* Makes a new campaign from its first facts (campaign_drafted first). No jobs
 * are started. The project's hash and canonical text are kept for the check
 * before every job. */
int wake_create(struct store *st, const char *project_file,
    const char *project_hash, const char *project_canon,
    const struct event *facts, size_t n, const struct wake_opts *opts,
    uint32_t *campaign, struct err *err);
/* The same, but over an existing campaign that has not started: its log is
 * replaced. -ERR_REFUSED when it has started. */
int wake_redraft(struct store *st, uint32_t campaign, const char *project_hash,
    const char *project_canon, const struct event *facts, size_t n,
    const struct wake_opts *opts, struct err *err);
/* A re-approval of an edited project: the new hash is the approved one from
 * the plan_approved fact on, in one transaction with it. */
int wake_approve(struct store *st, uint32_t campaign, const char *project_hash,
    const char *project_canon, const struct event *facts, size_t n,
    const struct wake_opts *opts, struct wake_result *out, struct err *err);

struct sweep_result {
    uint32_t woken, adopted, cancelled, lost, failed;
};
/* The net under lost callbacks: wakes every campaign that has jobs in flight
 * or waiting, cancels jobs of ours that no campaign knows. One campaign's
 * failure does not keep the others from being swept; the first is returned. */
int sweep_run(struct store *st, const struct wake_opts *opts,
    struct sweep_result *out, struct err *err);

/* For `run --wait`: waits in the foreground, holding neither lease nor state,
 * until every listed campaign is done, stopped, paused or at a gate. Sweeps
 * when nothing was heard for a while. progress (may be NULL) is called about
 * once a second and after each change; non-zero ends the waiting with that
 * code. The time counts as waiting, not as the agent's. */
int wake_wait(struct store *st, const uint32_t *campaigns, size_t n,
    const struct wake_opts *opts,
    int (*progress)(void *ctx, const struct store_campaign *list, size_t n),
    void *ctx, struct err *err);

/* Wall clock for events: the file named by REA_CLOCK (milliseconds as text)
 * when that is set, so that recorded runs can be repeated, else the system's.
 */
int64_t wake_now_ms(void);

#endif
