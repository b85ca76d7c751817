/* What survives of a workspace: the event logs of all campaigns, one snapshot
 * each, and the books around them, in one SQLite file .rea/rea.db. Wake and
 * the verbs write through here; status and report read. Everything that
 * belongs together is put between store_begin and store_commit: it is there
 * whole after any crash, or not at all. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/core.h"

enum {
    STORE_VERSION = 1, /* PRAGMA user_version; see docs/state-format.md */
    STORE_TOKEN_LEN = 48,
    STORE_PATH_LEN = 1024,
    STORE_CAMPAIGNS_MAX = 100000,
    STORE_RESERVE_BYTES = 256 * 1024,
};

struct store;

enum store_mode {
    STORE_NONE,
    STORE_READ,   /* never writes, never checkpoints */
    STORE_WRITE,  /* the workspace must be there */
    STORE_CREATE, /* made when it is not there */
};

/* ---- opening (open.c) ---- */

/* Nearest folder at or above `start` that holds .rea/; -ERR_NOT_FOUND. */
int store_find(const char *start, struct buf *root, struct err *err);
/* Will the workspace at root keep its state on a server (.rea/store, or
 * REA_STORE where there is none yet)? Then the folder may lie anywhere. */
bool store_is_remote(const char *root);
/* Opens the workspace at root. -ERR_NOT_FOUND: no .rea there (READ, WRITE);
 * -ERR_VERSION: a newer rea wrote it; -ERR_REFUSED: a network file system, or
 * the database can't be written; -ERR_CORRUPT: no database of ours. Owned by
 * the caller: store_close (NULL is fine). */
int store_open(const char *root, enum store_mode mode, struct store **out,
    struct err *err);
void store_close(struct store *st);
/* May other hosts write to it? */
bool store_has_hosts(const struct store *st);
/* Appends the database's path, or the server's URL. */
void store_place(const struct store *st, struct buf *out);
const char *store_root(const struct store *st); /* absolute, borrowed */
const char *store_dir(const struct store *st);  /* root/.rea, borrowed */
/* Random, made with the workspace; part of every job token. */
uint32_t store_workspace_id(const struct store *st);
/* "rea-89abcdef-C1-J7" */
void store_token(const struct store *st, uint32_t campaign, uint32_t job,
    char out[STORE_TOKEN_LEN]);
/* Reads the campaign and job of a token of this workspace; false: not ours. */
bool store_token_parse(const struct store *st, const char *token,
    uint32_t *campaign, uint32_t *job);

struct store_moved {
    uint32_t campaigns;
    uint64_t rows, events; /* copied; checked on the server */
    bool finished; /* an earlier call had copied all: its last step was done */
};
/* Moves the state of a workspace of one machine to the PostgreSQL database of
 * url, for good; rea.db stays as a copy that nobody opens (move.c). After any
 * error or crash the same call goes on. -ERR_INPUT: not such a URL;
 * -ERR_REFUSED: it is on a server already; -ERR_BUSY: somebody is at work on a
 * campaign. */
int store_move(const char *root, const char *url, struct store_moved *out,
    struct err *err);

/* ---- one transaction (txn.c) ---- */

/* Takes the workspace's lock and starts writing. -ERR_BUSY after 30 s. */
int store_begin(struct store *st, struct err *err);
/* The same, but the commit is not synced: whole or not at all, in order with
 * the others and made durable by the next synced one, but lost with the power
 * when none follows. For books that only count, never for facts. */
int store_begin_unsynced(struct store *st, struct err *err);
/* Durable on return (synced), the lock is released. On an error nothing of
 * the transaction is there; -ERR_FULL: the disk is full, free space and
 * repeat. */
int store_commit(struct store *st, struct err *err);
/* Fine without a transaction; never fails. */
void store_rollback(struct store *st);
/* Deletes the reserve file, so that stop and settlement can still be written
 * on a full disk. true: it was there. The next store_open that can write and
 * finds space makes it again. */
bool store_reserve_release(struct store *st);

/* ---- campaigns (campaign.c) ---- */

/* What status shows without loading a core; kept with each snapshot. */
struct store_brief {
    uint8_t state, phase; /* enum campaign_state, enum phase */
    uint8_t unit;         /* enum unit */
    uint8_t best_verdict; /* enum verdict */
    uint32_t ok, running, failed, recovered; /* trials */
    uint32_t hypotheses, looks;
    int64_t approved_u, reserved_u, spent_u;
    bool has_best;       /* an experiment better than the baseline is known */
    uint32_t best;       /* experiment */
    double gain, lo, hi; /* its gain on the search metric, + is better */
    double progress;     /* core_progress */
    char attention[WHY_LEN]; /* "": nobody is needed */
};

struct store_campaign {
    uint32_t id;   /* 1 is C1 */
    char uuid[33]; /* of this campaign everywhere: provenance of insights */
    char model[NAME_LEN];
    char project[STORE_PATH_LEN]; /* project file, relative to the root */
    char project_hash[HASH_LEN];  /* approved (or drafted) project_hash() */
    uint64_t seq;                 /* last event */
    uint64_t epoch;               /* wakes that could write, for fencing */
    bool pending;                 /* jobs wait for a free slot of the machine */
    uint32_t running;             /* jobs that hold a slot now */
    int64_t created_ms;
    uint64_t wakes;   /* wakes and verbs so far */
    int64_t agent_us; /* their wall time together */
    int64_t wait_us;  /* foreground waiting, apart */
    struct store_brief brief;
};

/* Inside a transaction. project_canon may be NULL: the canonical text of the
 * project file, kept so that a later change can be told in words. */
int store_campaign_create(struct store *st, const char *model,
    const char *project, const char *project_hash, const char *project_canon,
    int64_t now_ms, uint32_t *id, struct err *err);
/* Inside a transaction: another project file was drafted or approved. */
int store_campaign_project(struct store *st, uint32_t id,
    const char *project_hash, const char *project_canon, struct err *err);
/* Canonical project text of the last create or project call. */
int store_campaign_canon(
    struct store *st, uint32_t id, struct buf *out, struct err *err);
/* -ERR_NOT_FOUND with the ids that there are. */
int store_campaign_get(
    struct store *st, uint32_t id, struct store_campaign *out, struct err *err);
/* All campaigns by id. *out is owned by the caller: free(). */
int store_campaigns(
    struct store *st, struct store_campaign **out, size_t *n, struct err *err);
/* Ids of campaigns whose jobs wait for a slot, those with the fewest jobs
 * first; at most cap, returns how many. */
uint32_t store_pending(struct store *st, uint32_t *ids, uint32_t cap);
/* Inside a transaction: what status shows, without a new snapshot. */
int store_campaign_brief(struct store *st, uint32_t id,
    const struct store_brief *brief, struct err *err);
/* Inside a transaction. */
int store_campaign_pending(
    struct store *st, uint32_t id, bool pending, struct err *err);
/* Inside a transaction: sets epoch to `epoch` + 1 when it is `epoch`.
 * -ERR_BUSY: another wake was faster; this one must not write any more. */
int store_fence(struct store *st, uint32_t id, uint64_t epoch, struct err *err);

/* ---- pools: money that campaigns share (pool.c) ---- */

struct store_pool {
    char name[NAME_LEN];
    uint8_t unit;             /* enum unit */
    int64_t total_u, floor_u; /* signed; total 0: not yet */
    char hash[HASH_LEN], by[NAME_LEN];
    int64_t asked_total_u, asked_floor_u; /* wait for a signature */
    char asked_hash[HASH_LEN];            /* "": nothing waits */
};
struct store_member {
    struct pool_member m;
    uint8_t state; /* enum campaign_state */
    int64_t spent_u;
    char model[NAME_LEN];
    char why[WHY_LEN]; /* the pool's last answer */
};

/* Inside a transaction: a new pool, or new terms of one. */
int
store_pool_put(struct store *st, const struct store_pool *p, struct err *err);
int store_pool_get(struct store *st, const char *name, bool *found,
    struct store_pool *out, struct err *err);
/* All by name. *out is owned by the caller: free(). */
int store_pools(
    struct store *st, struct store_pool **out, size_t *n, struct err *err);
/* The pool of a campaign. */
int store_pool_of(struct store *st, uint32_t campaign, bool *found,
    struct store_pool *out, struct err *err);
/* Inside a transaction, the pool being there: the campaign belongs to it from
 * now on, and its floor is kept for it. */
int store_pool_join(struct store *st, uint32_t campaign, const char *pool,
    double weight, int64_t floor_u, int64_t signed_u, struct err *err);
/* Inside a transaction: a draft that names no pool any more. */
int store_pool_leave(struct store *st, uint32_t campaign, struct err *err);
int store_pool_members(struct store *st, const char *pool,
    struct store_member *out, uint32_t cap, uint32_t *n, struct err *err);
/* Inside the transaction that appends a campaign's events: what it holds now,
 * and what more is worth to it (NULL: as before). -ERR_LIMIT: the pool would
 * have given more than it has; roll back. */
int store_pool_sync(struct store *st, uint32_t campaign, const struct core *c,
    const struct pool_worth *worth, struct err *err);
/* Inside a transaction: the pool's last answer in words. */
int store_pool_why(
    struct store *st, uint32_t campaign, const char *why, struct err *err);
/* Campaigns of the same pool that wait for money, best first; itself: this one
 * too. */
uint32_t store_pool_waiting(struct store *st, uint32_t campaign, bool itself,
    uint32_t *ids, uint32_t cap);
/* Worth of its next trial, and its pool's name ("": none). */
double
store_pool_value(struct store *st, uint32_t campaign, char pool[NAME_LEN]);

/* ---- the log (event.c) ---- */

/* Inside a transaction. Appends one event; e->seq must be the last one + 1. */
int store_append(struct store *st, uint32_t campaign, const struct event *e,
    struct err *err);
/* The same for an event that is encoded already. */
int store_append_record(struct store *st, uint32_t campaign, uint64_t seq,
    uint32_t kind, const void *record, size_t n, struct err *err);
/* Inside a transaction: the state after the last event appended. */
int store_snapshot(struct store *st, uint32_t campaign, const struct core *c,
    const struct store_brief *brief, struct err *err);
/* The engine's state: event 1's spec, the snapshot, then the later events; all
 * events when there is no snapshot. Hashes of what is read are checked:
 * -ERR_CORRUPT names the event. Owned by the caller: free(). */
int store_load(
    struct store *st, uint32_t campaign, struct core **out, struct err *err);
/* The state after event `seq` (0: all), from the events alone, calling f (may
 * be NULL) after each with the state it led to. For replay and traces. */
int store_replay(struct store *st, uint32_t campaign, uint64_t seq,
    void (*f)(void *ctx, const struct core *c, const struct event *e),
    void *ctx, struct core **out, struct err *err);
/* Calls f for each event with seq >= from; e is valid during the call. f
 * returns 0 to go on; anything else ends the walk and is returned. */
int store_events(struct store *st, uint32_t campaign, uint64_t from,
    int (*f)(void *ctx, const struct event *e), void *ctx, struct err *err);
/* Checks the whole hash chain and the head; *n events were read. */
int
store_verify(struct store *st, uint32_t campaign, uint64_t *n, struct err *err);
/* Forgets the snapshot (a cache). Inside a transaction. */
int store_snapshot_drop(struct store *st, uint32_t campaign, struct err *err);
/* Forgets all events of a draft that is written anew. Inside a transaction. */
int store_log_drop(struct store *st, uint32_t campaign, struct err *err);

/* ---- sealed values, kept from the engine (books.c) ---- */

/* Inside a transaction; a second value replaces the first (a resumed trial). */
int store_sealed_put(struct store *st, uint32_t campaign, uint32_t trial,
    uint32_t metric, double value, struct err *err);
int store_sealed_get(struct store *st, uint32_t campaign, uint32_t trial,
    uint32_t metric, bool *found, double *value, struct err *err);

/* ---- attempts: jobs on a backend (books.c) ---- */

enum attempt_state {
    ATTEMPT_NONE,
    ATTEMPT_CLAIMED,   /* a slot is taken; about to be submitted */
    ATTEMPT_SUBMITTED, /* the backend has it */
    ATTEMPT_ENDED,
};

struct store_attempt {
    uint32_t campaign, job, trial, attempt, phase, job_kind;
    uint8_t state; /* enum attempt_state */
    bool resume;
    char token[STORE_TOKEN_LEN];
    char backend[16];
    char handle[160];
    char boot_id[40];
    char run_dir[STORE_PATH_LEN]; /* relative to the root */
    int64_t claimed_ms, submitted_ms, started_ms, ended_ms; /* 0: not yet */
    int64_t cost_u, duration_ms, max_rss; /* max_rss in bytes */
    uint32_t reason;                      /* enum reason */
    int32_t exit_code, signal;
    char detail[240]; /* what the watcher saw, for people */
};

/* Inside a transaction. Takes a slot for a job: *got is false when `slots`
 * jobs hold one already. A claim that is there already is got again. */
int store_attempt_claim(struct store *st, const struct store_attempt *a,
    uint32_t slots, bool *got, struct err *err);
/* Inside a transaction: replaces the row of (campaign, job). */
int store_attempt_put(
    struct store *st, const struct store_attempt *a, struct err *err);
int store_attempt_get(struct store *st, uint32_t campaign, uint32_t job,
    bool *found, struct store_attempt *out, struct err *err);
/* Attempts of a campaign (0: of all) in order of campaign and job. */
int store_attempts(struct store *st, uint32_t campaign, bool open_only,
    int (*f)(void *ctx, const struct store_attempt *a), void *ctx,
    struct err *err);

/* ---- nodes that fail jobs, for all campaigns (node.c) ---- */

enum { STORE_HOST_LEN = 65 };

/* A fault of a machine, as an attempt's end told it. */
struct store_fault {
    const char *host;
    uint32_t campaign, trial;
    bool sure;       /* its hardware: one is enough */
    int64_t at_ms;   /* wall clock */
    int64_t out_ms;  /* how long a first time lasts */
    const char *why; /* for people */
};
struct store_node {
    char host[STORE_HOST_LEN];
    uint32_t faults;           /* since it was left out last, within a day */
    uint32_t times;            /* that it was left out */
    int64_t last_ms, until_ms; /* of the last fault; out of use until then */
    char why[WHY_LEN];
};

/* Inside a transaction. Two faults of different trials within a day, or a sure
 * one, leave the node out for out_ms, twice as long each further time. */
int store_node_fault(
    struct store *st, const struct store_fault *f, struct err *err);
/* Nodes that had a fault, by name; at most cap. */
int store_nodes(struct store *st, struct store_node *out, uint32_t cap,
    uint32_t *n, struct err *err);
/* Inside a transaction: an engineer says that it is well again. */
int store_node_release(
    struct store *st, const char *host, bool *found, struct err *err);

/* ---- inbox, outbox, wakes, keys (books.c) ---- */

/* Inside a transaction. Marks a token's outcome as applied, in the same
 * transaction as the outcome: *fresh is false when it was applied before. */
int store_inbox_add(struct store *st, uint32_t campaign, const char *token,
    const char *kind, const char *payload, bool *fresh, struct err *err);
bool store_inbox_has(struct store *st, uint32_t campaign, const char *token);

/* Inside a transaction: a signed word is taken; *fresh is false when it was
 * before. What is older than keep_ms is forgotten. (nonce.c) */
int store_nonce_take(struct store *st, const char *nonce, int64_t now_ms,
    int64_t keep_ms, bool *fresh, struct err *err);

/* Inside a transaction: a notification that belongs to event seq. */
int store_outbox_add(struct store *st, uint32_t campaign, uint64_t seq,
    const char *kind, const char *payload, int64_t at_ms, struct err *err);
/* Not yet delivered ones. */
int store_outbox(struct store *st,
    int (*f)(void *ctx, uint32_t campaign, uint64_t seq, const char *kind,
        const char *payload, int64_t at_ms),
    void *ctx, struct err *err);
/* Inside a transaction: delivered, or not wanted by anybody. */
int store_outbox_done(
    struct store *st, uint32_t campaign, uint64_t seq, struct err *err);
bool store_outbox_waits(struct store *st, uint32_t campaign);
struct store_tries {
    uint32_t n;      /* deliveries that failed */
    int64_t last_ms; /* wall clock of the last one */
    char why[200];   /* why it failed */
};
/* All 0 when none has failed. */
int store_outbox_tries(struct store *st, uint32_t campaign, uint64_t seq,
    struct store_tries *out, struct err *err);
/* Inside a transaction: keeps these; give_up: it is not listed any more. */
int store_outbox_failed(struct store *st, uint32_t campaign, uint64_t seq,
    const struct store_tries *t, bool give_up, struct err *err);

struct store_wake {
    int64_t start_ms;
    int64_t wall_us, wait_us;
    uint32_t events; /* appended by it */
    char cause[16];  /* "verb", "callback", "sweep", "wait" */
};
/* Inside a transaction. Adds to the campaign's sums; only wakes that appended
 * events get a row of their own, so idle ones do not grow the file. */
int store_wake_add(struct store *st, uint32_t campaign,
    const struct store_wake *w, struct err *err);
int store_wakes(struct store *st, uint32_t campaign,
    int (*f)(void *ctx, const struct store_wake *w), void *ctx,
    struct err *err);

/* Small values by name. get: *found false and out untouched when absent. */
int store_kv_put(struct store *st, const char *key, const void *value, size_t n,
    struct err *err);
int store_kv_get(struct store *st, const char *key, bool *found,
    struct buf *out, struct err *err);

#endif
