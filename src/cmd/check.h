/* The preflight: what a campaign relies on, looked at before one is planned.
 * Each look gives one line; its probe runs are short, bounded and listed. */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

#include "cmd/work.h"
#include "jobs/probe.h"

enum {
    CHECK_LINES_MAX = 160,
    CHECK_PROBES_MAX = 200,
    CHECK_DRY_MS = 60000,  /* the default configuration, once */
    CHECK_KNOB_MS = 10000, /* one knob, at most */
};

enum check_state { CHECK_OK, CHECK_NOTE, CHECK_BAD };

struct check_line {
    enum check_state state;
    const char *name, *detail;
    const char *remedy; /* NULL: none */
};

struct check {
    struct call *call;
    const char *root;
    struct project *p;
    const char *scratch;
    bool fix;
    uint32_t n_lines, n_probes;
    struct check_line line[CHECK_LINES_MAX];
    const char *probe[CHECK_PROBES_MAX]; /* command lines */
    int64_t probes_ms;
    bool dry_ok;    /* the default configuration ran to its end */
    int64_t dry_ms; /* how long that took */
    double dry_value[METRICS_MAX];
    const char *checkpoint; /* of the dry run, NULL: none */
    bool stop;              /* nothing further can be looked at */
};

void check_say(struct check *k, enum check_state state, const char *name,
    const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* One run of the user's program (check_run.c). */
struct check_run {
    struct config config;
    const char *dir;        /* run folder, made when missing */
    const char *checkpoint; /* of an evaluation */
    bool evaluate, resume;
    int64_t time_ms;
    bool (*enough)(void *arg);
    void *arg;
    /* out */
    struct job_command cmd;
    struct probe_result result;
    struct harvest_value value[METRICS_MAX];
    bool ended_well; /* exit 0, or a code that is mapped to ok */
};
int check_run(struct check *k, struct check_run *run, struct err *err);
void check_run_fini(struct check_run *run);
/* The last words of a failed run, on one line. */
const char *check_words(struct check *k, const struct check_run *run);

/* The looks. Each returns 0, or an error of this program, not of the user's.*/
int check_command(struct check *k, struct err *err); /* check_command.c */
int check_metrics(struct check *k, const struct check_run *dry);
int check_knobs(struct check *k, struct err *err);    /* check_knobs.c */
int check_stop(struct check *k, struct err *err);     /* check_world.c */
int check_evaluate(struct check *k, struct err *err); /* check_world.c */
int check_world(struct check *k, struct err *err);    /* check_world.c */

/* Puts `key = "value"` under [section] of the project file (after its header)
 * and loads it again. For --fix. */
int check_fix(struct check *k, const char *section, const char *key,
    const char *value, struct err *err);

#endif
