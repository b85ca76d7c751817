/* What differs from one scheduler to another, and what they share. Inside
 * src/jobs: scheduled.c is the protocol, command.c and slurm.c ask. */
#ifndef JOBS_SCHEDULED_H
#define JOBS_SCHEDULED_H

#include "jobs/ended.h"
#include "jobs/probe.h"
#include "jobs/submission.h"

enum { SCHEDULER_SUBMIT_MS = 30000, SCHEDULER_ASK_MS = 10000 };

struct scheduler_answer {
    enum scheduler_word word; /* UNKNOWN: no answer; why says what is wrong */
    bool restarted;           /* it was put back into the queue once started */
    char why[DETAIL_LEN];     /* the scheduler's own words; may be "" */
};

struct scheduler_ops {
    const char *kind;
    bool delays; /* submit tells the scheduler of spec->delay_ms */
    /* Gives the script to the scheduler and fills id. -ERR_INPUT: it will
     * never take such a job; -ERR_SYS: not now, or its answer was lost. */
    int (*submit)(struct jobs *j, const struct job_spec *spec,
        struct submission *s, const char *script, char id[SUBMISSION_ID_MAX],
        struct err *err);
    void (*state)(
        struct jobs *j, const struct submission *s, struct scheduler_answer *a);
    /* Success with why "": it was told; else why not, and it may go on. */
    int (*cancel)(struct jobs *j, const struct submission *s,
        char why[DETAIL_LEN], struct err *err);
    /* What the scheduler kept of the job's words; NULL: nothing. */
    void (*logs)(struct jobs *j, const struct submission *s, size_t max,
        struct buf *out);
    /* The id of a submission whose answer was lost. -ERR_NOT_FOUND: it never
     * arrived; -ERR_SYS: can't be told now. NULL: there is no way to ask. */
    int (*find)(struct jobs *j, const struct submission *s,
        char id[SUBMISSION_ID_MAX], struct err *err);
    /* Corrects what the supervisor could not know; NULL: nothing. */
    void (*amend)(const struct submission *s, struct exit_facts *facts);
};

struct scheduled { /* jobs.own of these backends */
    const struct scheduler_ops *ops;
    const struct jobs_scheduler *config; /* NULL: only asking after old jobs */
    bool mute; /* it did not answer in time: not asked again */
};

int scheduled_open(struct jobs *j, const struct jobs_config *c,
    const struct scheduler_ops *ops, struct err *err);
/* Runs one of the scheduler's programs in s->cwd. *why says why its answer is
 * none; "": it ended well. Errors are those of running anything at all. What
 * it printed is in *out: probe_fini. */
int scheduler_run(struct jobs *j, const struct submission *s, const char *what,
    const char *const *argv, int64_t limit_ms, struct probe_result *out,
    char why[DETAIL_LEN], struct err *err);
/* Seconds that the scheduler must allow: ours come first, so that our limit
 * is the one that tells a time-out from a lost node. */
double scheduler_seconds(const struct job_spec *spec);
const char *whole_in(struct arena *a, double x); /* rounded up, as text */

int scheduled_submit(struct jobs *j, const struct job_spec *spec,
    struct job_handle *out, struct err *err);
int scheduled_find(
    struct jobs *j, const char *token, struct job_handle *out, struct err *err);
int scheduled_poll(struct jobs *j, const struct job_handle *h,
    struct job_status *out, struct err *err);
int
scheduled_cancel(struct jobs *j, const struct job_handle *h, struct err *err);
int scheduled_logs(struct jobs *j, const struct job_handle *h, size_t max,
    struct buf *out, struct err *err);
int64_t scheduled_now_ms(struct jobs *j);

/* The table of a backend under a scheduler. */
#define SCHEDULED_BACKEND(kind_name, open_fn)                                  \
    {                                                                          \
        .name = kind_name,                                                     \
        .caps = {.survives_us = true,                                          \
            .calls_back = true,                                                \
            .limits_memory = true,                                             \
            .limits_time = true,                                               \
            .watches_metrics = true,                                           \
            .elsewhere = true},                                                \
        .open = open_fn, .submit = scheduled_submit, .find = scheduled_find,   \
        .poll = scheduled_poll, .cancel = scheduled_cancel,                    \
        .logs = scheduled_logs, .now_ms = scheduled_now_ms,                    \
    }

#endif
