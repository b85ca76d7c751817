/* Backends behind one table: start a job, ask after it, end it. The world
 * answers in facts; what they mean for a campaign is decided elsewhere.
 *
 * Rules that every backend keeps:
 *  - A token starts at most one job, however often it is submitted. The claim
 *    is the file jobs_dir/TOKEN, made by link(2), so exactly one wins.
 *  - UNKNOWN is an answer ("cannot tell now"), never a failure.
 *  - poll answers from what is on disk, so every process sees the same.
 *  - Nothing here opens the state database. */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "core/event.h"
#include "project/backend.h"
#include "project/floor.h"
#include "project/harvest.h"
#include "project/rungs.h"

enum {
    HOST_LEN = 65,    /* as uname(2) has it */
    TOKEN_LEN = 64,   /* with the NUL; letters, digits, '.', '_', '-' */
    HANDLE_LEN = 160, /* with the NUL */
    DETAIL_LEN = 240,
};

/* What is to be run. All pointers are borrowed for the call. */
struct job_spec {
    const char *token;
    /* Made when missing; one attempt's own folder: stdout.log, stderr.log and
     * exit.json appear in it. */
    const char *run_dir;
    const char *const *argv; /* NULL-terminated; [0] is looked up in PATH */
    const char *const *envp; /* NAME=value to add to this process's own;
                                NULL: none */
    const char *cwd;         /* workspace root */
    bool boxed; /* argv is a sandbox that tells a signal as 128 + its number */
    double cpus, gpus;
    int64_t memory_bytes;        /* 0: no limit; whole process tree */
    int64_t time_ms;             /* 0: no limit */
    int64_t budget_ms;           /* 0: none; like time_ms, ends as "budget" */
    int64_t grace_ms;            /* from SIGTERM to SIGKILL */
    int64_t hang_ms;             /* silence that counts as hung; 0: measured */
    int64_t delay_ms;            /* waits before it begins; costs nothing */
    int64_t disk_floor;          /* bytes to stay free in run_dir; 0: 64 MiB,
                                    -1: not watched */
    const char *metrics_path;    /* NULL: run_dir/metrics.jsonl */
    const char *checkpoint_path; /* its growth is a sign of life; NULL: none */
    const struct harvest_spec *watch; /* nan, spike; NULL: nothing watched */
    const struct rung_reader *rungs;  /* crossings that wake; NULL: none */
    bool pace; /* its rhythm and speed are watched (pace.h) */
    bool keep; /* the last checkpoint that good reports came after is kept */
    struct floor_mark floor;      /* of the baseline's curve (floor.h) */
    const char *const *wake_argv; /* run when exit.json is there; NULL or
                                     empty: nobody is called */
    const char *exclude; /* hosts, joined by commas, that it shall not get;
                            NULL: none */
    int lease_fd; /* held by the starting child until the token is claimed;
                     -1: none */
};

struct job_handle {
    char text[HANDLE_LEN]; /* one word; stored, and given back later */
};

enum job_state {
    JOB_STATE_NONE,
    JOB_STATE_PENDING, /* accepted, not started */
    JOB_STATE_RUNNING,
    JOB_STATE_DONE,    /* exit facts are there and will not change */
    JOB_STATE_UNKNOWN, /* cannot be told now; ask again later */
};

/* How a job ended; format of exit.json, docs/job-contract.md. */
struct exit_facts {
    uint32_t reason; /* enum reason: OK, EXIT, SIGNAL, OOM, TIMEOUT, PREEMPTED,
                        NODE_FAIL, CANCELLED, LAUNCH_FAIL, HUNG, NAN, SPIKE,
                        DISK_FULL, BUDGET, UNKNOWN */
    int32_t exit_code, signal; /* of the job's first process */
    int64_t start_ms, end_ms;  /* wall clock */
    int64_t duration_ms;       /* CLOCK_BOOTTIME; the charged time */
    int64_t cpu_ms;            /* user + system, children included */
    int64_t max_rss_bytes;     /* highest sum over the process tree seen */
    char boot_id[FS_BOOT_ID];
    char host[HOST_LEN]; /* where it ran; "": not told */
    char token[TOKEN_LEN];
    char detail[DETAIL_LEN]; /* one sentence: what was seen; may be "" */
};

struct job_status {
    enum job_state state;
    struct exit_facts exit; /* DONE only */
    int64_t start_ms;       /* RUNNING: wall clock of the start, 0: not told */
    char why[DETAIL_LEN];   /* UNKNOWN, PENDING: what is in the way */
};

struct job_caps {
    bool survives_us; /* jobs go on when every rea process is gone */
    bool calls_back;  /* wake_argv is run at the end */
    bool limits_memory, limits_time, watches_metrics;
    bool elsewhere; /* jobs outlive a loss of power of this machine, so what
                       says how to read them is synced before they start */
    bool own_clock; /* time is the backend's (recorded), not the wall's */
};

struct jobs_config {
    const char *kind;     /* "local" | "slurm" | "command" | "recorded" */
    const char *jobs_dir; /* claims; made when missing, e.g. .rea/jobs */
    const char *shim;     /* NULL: rea-shim beside this program's binary,
                             or the environment's REA_SHIM */
    const char *record;   /* recorded: file of outcomes, NULL: the built-in
                             world */
    /* slurm, command: how to submit and ask; NULL: only asking after jobs, as
     * they were submitted. Borrowed until jobs_close. */
    const struct jobs_scheduler *scheduler;
};

struct jobs_scheduler {
    const char *text[BACKEND_VERBS]; /* command; logs may be NULL */
    bool shell;
    struct slurm_options slurm;
    const char *cwd;  /* where they run: the workspace root */
    const char *name; /* of the model; jobs are called NAME-C1-T7-a1 */
};

struct jobs;
struct jobs_ops {
    const char *name; /* "local", "slurm", "command", "recorded" */
    struct job_caps caps;
    int (*open)(struct jobs *j, const struct jobs_config *c, struct err *err);
    int (*submit)(struct jobs *j, const struct job_spec *spec,
        struct job_handle *out, struct err *err);
    int (*find)(struct jobs *j, const char *token, struct job_handle *out,
        struct err *err);
    int (*poll)(struct jobs *j, const struct job_handle *h,
        struct job_status *out, struct err *err);
    int (*cancel)(struct jobs *j, const struct job_handle *h, struct err *err);
    int (*logs)(struct jobs *j, const struct job_handle *h, size_t max,
        struct buf *out, struct err *err);
    int64_t (*now_ms)(struct jobs *j);
};

struct jobs {
    const struct jobs_ops *ops;
    struct arena arena; /* copies of the configuration */
    const char *jobs_dir, *shim, *record;
    void *own; /* a backend's own part; freed by jobs_close */
    void (*own_free)(void *own);
};

/* Would metrics of this job that "re:" patterns read be watched? Not where
 * rea-shim-re is not beside rea-shim. */
bool jobs_watch_patterns(const struct jobs *j);

/* How a project with backend slurm or command asks, borrowed from it. */
struct jobs_scheduler
project_scheduler(const struct project *p, const char *name);
/* Makes jobs_dir, picks the backend. -ERR_INPUT: no such kind; -ERR_NOT_FOUND:
 * the shim's binary or the record is missing. jobs_close is always safe after
 * it, also after an error. */
int jobs_open(struct jobs *j, const struct jobs_config *c, struct err *err);
void jobs_close(struct jobs *j);

/* Starts the job of a token, or adopts the one that is there: success means
 * that the token is claimed and *out names it. -ERR_INPUT: a bad spec;
 * -ERR_SYS, -ERR_FULL: nothing was started, try again later. A program that
 * cannot be run is no error here: the job ends as "launch-fail". */
int job_submit(struct jobs *j, const struct job_spec *spec,
    struct job_handle *out, struct err *err);
/* -ERR_NOT_FOUND: no job ever claimed this token. */
int job_find(
    struct jobs *j, const char *token, struct job_handle *out, struct err *err);
/* Answers from files and the process table. A local job whose shim died is
 * settled here: what is left of it is killed, and it is DONE as "unknown", or
 * as "node-fail" after a reboot. */
int job_poll(struct jobs *j, const struct job_handle *h, struct job_status *out,
    struct err *err);
/* Asks it to end (SIGTERM, grace, SIGKILL) and returns at once; poll tells
 * when it has. Of an ended job: nothing, success. */
int job_cancel(struct jobs *j, const struct job_handle *h, struct err *err);
/* Appends the last bytes of this attempt's output, standard error last, at
 * most max in all; untrusted bytes. */
int job_logs(struct jobs *j, const struct job_handle *h, size_t max,
    struct buf *out, struct err *err);
/* The same by the run folder, also after the claim is dropped. Files that are
 * missing, or that the job made unreadable, count as empty; -ERR_SYS: the disk
 * fails now. */
int run_logs(const char *run_dir, size_t max, struct buf *out, struct err *err);
/* Tokens claimed or submitted, and not forgotten, that begin with prefix;
 * sorted. */
int jobs_list_in(struct jobs *j, struct arena *a, const char *prefix,
    const char ***tokens, size_t *n, struct err *err);
/* Drops the claim and the submission of a job that is DONE and settled. Only
 * under the lease: then no late starter of this token can be left. Missing:
 * success. */
int job_forget(struct jobs *j, const char *token, struct err *err);
/* The clock that jobs live by: the wall's, or the injected one of "recorded"
 * (the file named by REA_CLOCK). Wall-clock milliseconds. */
int64_t jobs_now_ms(struct jobs *j);

const char *job_state_name(uint32_t state); /* "running" */
/* 0 or -ERR_INPUT: may this text be a token? */
int token_check(const char *token, struct err *err);

/* report.json of a running attempt: rungs crossed when it was written last
 * (index + 1), 0 when there is none for this token. A hint: what was measured
 * there is read from the metrics themselves. */
uint32_t report_read(const char *run_dir, const char *token);

/* exit.json in and out. Reading gives -ERR_NOT_FOUND, -ERR_CORRUPT. */
void exit_facts_put(const struct exit_facts *f, struct buf *out);
int
exit_facts_read(const char *run_dir, struct exit_facts *out, struct err *err);

/* The backends. */
extern const struct jobs_ops jobs_local, jobs_slurm, jobs_command,
    jobs_recorded;

#endif
