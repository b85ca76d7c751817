/* What the files of wake share: one activation and its steps. Nobody outside
 * src/wake includes this. Order of effects, always: decisions are committed,
 * then performed, then their outcomes are committed. */
#ifndef WAKE_PART_H
#define WAKE_PART_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "jobs/jobs.h"
#include "project/project.h"
#include "store/lease.h"
#include "wake/wake.h"

enum {
    WAKE_ROUNDS_MAX = 10000, /* a wake that never settles is a bug */
    WAKE_ACTIONS_MAX = 4200, /* all jobs, or all sealed trials, at once */
    WAKE_PENDING_MAX = 256,  /* campaigns woken for one freed slot */
    RECORDED_SLOTS = 64,     /* recorded jobs use no machine */
    SCHEDULER_SLOTS = 64,    /* a scheduler knows better; max_parallel counts */
    LOG_TAIL_BYTES = 64 * 1024 /* of a failed job, for its signature */
};

/* How the attention of a campaign begins whose last wake failed. */
#define FAILED "the last wake failed: "

struct sealed_value {
    uint32_t trial, metric;
    double value;
};

/* A fact and what must be written in the same transaction. In the arena. */
struct fact {
    struct event e;
    struct store_attempt *attempt; /* NULL: none */
    const char *token;             /* applied at most once; NULL: none */
    struct store_fault fault;      /* of a node; host NULL: none */
    uint32_t n_sealed;
    struct sealed_value sealed[METRICS_MAX];
};

struct fact_list {
    struct fact **fact;
    size_t n, cap;
};

struct log_entry {
    uint64_t seq;
    uint32_t kind;
    size_t at, len;  /* in wake.log */
    const char *why; /* in the arena; NULL: none */
};

struct wake {
    struct store *st;
    const struct wake_opts *opts;
    struct wake_result *out;
    struct store_campaign row;
    struct core *core;
    bool unread; /* a write failed, and so did reading anew: core is empty */
    struct update *u;
    struct lease lease;
    struct arena arena;
    bool fenced;
    int64_t start_us, start_ms;
    uint32_t events; /* appended by this wake */

    struct project *project; /* the approved one, once it was needed */
    bool project_verified;   /* the file on disk is the approved one */
    bool data_verified;      /* the fingerprint was looked at */
    struct jobs jobs;
    bool jobs_are_open;
    char boot_id[FS_BOOT_ID];

    struct buf log; /* records of the facts being committed */
    struct log_entry *entry;
    size_t n_entries, cap_entries;
    char attention[WHY_LEN]; /* of a gate, or of a wake that failed */
    bool best_stale;         /* the best, or its verdict, may be another one */
    const char *signed_hash; /* goes with the next commit; NULL: none */
    const char *signed_canon;
    bool claims_too;      /* the commit also takes slots for what follows; */
    uint64_t claimed_seq; /* it did so in this state; 0: it did not */

    bool freed;          /* a job ended: somebody may use its slot */
    bool yielded;        /* a slot was left to a poorer campaign */
    const uint32_t *fed; /* campaigns that had their turn; no more yielding */
    uint32_t n_fed;
};

/* ---- commit.c ---- */

/* A new fact of this kind, at the wake's clock, in the arena. */
struct fact *fact_new(struct wake *w, enum event_kind kind);
void fact_add(struct wake *w, struct fact_list *l, struct fact *f);
/* Applies the facts and all decisions that follow, and stores them with their
 * books in one transaction. -ERR_REFUSED: the engine refused one. After any
 * error the state is that of the log again, or unread. */
int wake_commit(struct wake *w, const struct fact_list *l, struct err *err);
/* Its two halves, for new campaigns: the engine in memory, then all rows,
 * inside a transaction. */
int facts_advance(struct wake *w, const struct fact_list *l, struct err *err);
int commit_write(struct wake *w, const struct fact_list *l, double used_before,
    struct err *err);
/* Begins a transaction, taking the next epoch when this wake has none yet. */
int wake_begin(struct wake *w, struct err *err);
/* Commits it. */
int wake_end(struct wake *w, struct err *err);
/* Reads row and state anew. */
int wake_load(struct wake *w, struct err *err);
/* The last write: the wake's own time, and its epoch if nothing else was. */
int wake_close(struct wake *w, struct err *err);

/* ---- pool.c ---- */

/* Inside every commit: the campaign's row in its pool's ledger. */
int pool_write(struct wake *w, struct err *err);
/* Asks for money when a job waits for it; the answer is committed. */
int pool_ask(struct wake *w, struct err *err);

/* ---- brief.c ---- */

/* Naming the best may cost as much as a decision, so a commit keeps the one
 * that was named last, and the end of the wake names it anew (fresh). */
void brief_fill(const struct wake *w, bool fresh, struct store_brief *out);
/* Writes notifications for the events of this commit, inside its
 * transaction. */
int notify_add(struct wake *w, double used_before, struct err *err);
double budget_used(const struct core *c);

/* ---- gate.c ---- */

/* The approved project, from the file or from the copy kept at approval. */
int project_need(struct wake *w, struct err *err);
/* Is the file the approved one? *same, and why not in words. -ERR_SYS: it can't
 * be read now. */
int
project_check(struct wake *w, bool *same, char why[WHY_LEN], struct err *err);
/* Keeps the project file's text beside its hash. Inside a transaction. */
int project_keep(struct store *st, uint32_t campaign, const char *file,
    const char *hash, struct err *err);
/* Before anything trains: the gates. Appends facts when the project or the
 * data changed; *changed tells. */
int gates_pass(struct wake *w, bool *changed, struct err *err);
/* Would they let everything pass, as far as a short look tells? Writes
 * nothing. */
bool gates_are_open(struct wake *w);

/* ---- submit.c ---- */

int backend_need(struct wake *w, const char *kind, struct err *err);
uint32_t machine_slots(const struct project *p);
/* Starts what the state asks for, as far as slots go. */
int jobs_submit(
    struct wake *w, const struct action *a, uint32_t n, struct err *err);
/* Inside the commit of jobs that ended: slots for those that follow at once, so
 * that starting them needs no transaction of its own for that. */
int claims_ahead(struct wake *w, struct err *err);
int jobs_cancel(
    struct wake *w, const struct action *a, uint32_t n, struct err *err);

/* ---- box.c ---- */

/* Do this campaign's jobs run from a commit, in the sandbox? */
bool jobs_are_boxed(const struct wake *w);
/* Writes sandbox.json beside the job's spec and puts the sandbox before its
 * command. */
int job_box(struct wake *w, const struct job *j, struct job_command *c,
    struct err *err);
/* The campaign has ended: work trees go, unless another one is under way. That
 * one is left is no reason to fail: a tree is a cache. */
void trees_end(struct wake *w);
/* Why the sandbox of an attempt did not run it; "" when that is not told. */
void box_why(struct wake *w, const char *run_dir, char *out, size_t cap);

/* ---- files.c: the run folder ---- */

/* Where a job that has diverged stands; off where the baseline does not tell.
 * (curve.c) */
void curve_floor(struct wake *w, struct floor_mark *out);

/* The run folder of an attempt, relative to the root. */
void run_dir_name(uint32_t campaign, uint32_t trial, uint32_t attempt,
    char out[STORE_PATH_LEN]);
/* Renders the job's command and writes knobs.json and spec.json. */
int run_prepare(struct wake *w, const struct job *j, const char *run_dir,
    const char *token, struct job_command *out, struct err *err);
/* What spec.json of a run folder says; texts in the arena, defaults when the
 * file is gone. -ERR_SYS: it is there but can't be read now. */
struct run_files {
    const char *metrics, *predictions, *checkpoint, *out, *errors;
    bool resume;           /* it goes on from the attempt before it, */
    uint32_t good_attempt; /* or from a good checkpoint of this one; 0: no */
    bool stabilises; /* what was there before it had run away, or may have */
};
int run_files_in(struct arena *a, const char *run_dir, struct run_files *out,
    struct err *err);
/* Newest checkpoint that an attempt of this trial has left, none of an attempt
 * that ran away; NULL: none. */
int checkpoint_find(
    struct wake *w, uint32_t trial, const char **out, struct err *err);

/* ---- good.c: checkpoints known to be good ---- */

/* What a shim left in good.json. */
struct good_mark {
    const char *path;            /* NULL: none */
    bool unread;                 /* the disk fails now: none is known */
    int64_t at[HARVEST_STREAMS]; /* bytes reported before it was written */
};
/* Is there one, and the file still as it was then? Fills out also where the
 * file is not. */
bool good_read(struct wake *w, const char *run_dir, struct good_mark *out);
/* The newest one of the attempts that this one went on from, itself too.
 * -ERR_SYS: a later look may find it. */
int good_find(struct wake *w, uint32_t trial, uint32_t attempt, bool *found,
    uint32_t *of, struct good_mark *out, struct err *err);
/* Puts it where a new attempt's own checkpoint belongs. !*done: it never can be
 * there, so the attempt begins anew; -ERR_SYS, -ERR_FULL: a later try may
 * succeed. */
int good_put(struct wake *w, const struct good_mark *good, const char *path,
    bool *done, struct err *err);

/* ---- notify.c ---- */

/* Reads what became of this campaign's messages and sends those that are due.
 * They are a courtesy: nothing here waits, and nothing here fails a wake. */
void notify_flush(struct wake *w);

/* ---- settle.c ---- */

/* Polls every job in flight; the ended ones become facts and are committed. */
int jobs_reconcile(struct wake *w, struct err *err);

/* ---- seal.c, pair.c ---- */

/* Reads the sealed values of these trials into the engine. */
int sealed_open(
    struct wake *w, const struct action *a, uint32_t n, struct err *err);
/* Sampling variance of the difference between two experiments' confirmation
 * trials, from per-row predictions; 0: not available. */
double sampling_var(struct wake *w, uint32_t experiment);

/* ---- round.c ---- */

/* Reconcile, decide, perform until nothing is left to do. */
int wake_rounds(struct wake *w, struct err *err);
bool asks_for(const struct action *a, uint32_t n, uint32_t kind);

/* ---- wake.c ---- */

void wake_init(struct wake *w, struct store *st, uint32_t campaign,
    const struct wake_opts *opts, struct wake_result *out);
void wake_fini(struct wake *w);

#endif
