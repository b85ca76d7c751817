/* Trials recorded by other programs, as raw values, and what follows from
 * them: where two configurations differ in one knob, their difference is a
 * paired effect. The readers fill a list of studies; keeping it makes an
 * experiment of each trial, and of each change a hypothesis and an observation
 * that names its pairs. Texts lie in the list's arena. */
#ifndef RESEARCH_INSIGHT_RUNS_H
#define RESEARCH_INSIGHT_RUNS_H

#include "research/insight.h"

enum run_status {
    RUN_OPEN,     /* not ended: says nothing yet */
    RUN_OK,       /* ended with a value */
    RUN_FAILED,   /* died: says nothing about the idea */
    RUN_STOPPED,  /* given up early: its value is not comparable */
    RUN_UNSTABLE, /* ended with a value that is not finite */
};

struct run_param {
    const char *name, *value;
};
struct run {
    const char *id;   /* unique in its study */
    const char *ref;  /* where it can be looked up; NULL: the id */
    const char *seed; /* NULL: unknown */
    int64_t at_ms;    /* its start; 0: unknown */
    double value;
    uint8_t status;
    uint32_t n, cap;
    struct run_param *param;
};
struct study {
    const char *kind; /* "optuna", "mlflow", "wandb", "csv" */
    const char *name;
    const char *uid; /* the same whenever this study is read again */
    const char *metric;
    bool minimise;
    uint32_t n, cap;
    struct run *run;
};
struct studies {
    struct arena *arena;
    uint32_t n, cap;
    struct study *study;
    uint32_t records, bad;
    char first_bad[400]; /* "place: why" of the first bad record */
};

enum {
    RUN_PARAMS_MAX = 256,
    STUDY_RUNS_MAX = 200000,
    STUDIES_MAX = 4096,
    RUN_TEXT_MAX = 1000, /* bytes of a name or a value; longer ones are cut */
};

/* -ERR_LIMIT is told as a bad record: NULL then. */
struct study *study_add(struct studies *s, const char *kind, const char *name);
/* The study of this name, made when there is none yet. */
struct study *
study_named(struct studies *s, const char *kind, const char *name);
struct run *study_run(struct studies *s, struct study *t, const char *id);
/* The last value of a name counts. */
void
run_set(struct studies *s, struct run *r, const char *name, const char *value);
/* A JSON value as the text that a command line would have. */
void run_set_json(
    struct studies *s, struct run *r, const char *name, const struct json *v);
void studies_bad(struct studies *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Milliseconds since 1970 of "YYYY-MM-DD[T ]HH:MM:SS...", taken as UTC; 0: no
 * such text. */
int64_t time_read(const char *text);
/* What a knob of this name most likely means: the name of a concept. */
const char *run_concept(const char *knob);
/* Is less of this metric better, by its name? */
bool metric_is_loss(const char *name);

/* ---- readers: -ERR_INPUT when it is no such thing at all ---- */

int optuna_journal_read(struct studies *s, const char *text, size_t len,
    const struct insight_source *o, struct err *err);
int optuna_sqlite_read(struct studies *s, const char *path,
    const struct insight_source *o, struct err *err);
int mlflow_store_read(struct studies *s, const char *dir,
    const struct insight_source *o, struct err *err);
int csv_read(struct studies *s, const char *name, const char *text, size_t len,
    const struct insight_source *o, struct err *err);
int wandb_read(struct studies *s, const char *name, const void *data,
    size_t len, const struct insight_source *o, struct err *err);

/* Keeps what was read. */
int insight_keep_studies(struct insights *db, struct studies *s,
    const struct insight_source *o, struct insight_import *out,
    struct err *err);

#endif
