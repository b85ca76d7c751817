/* What is kept of a job given to a scheduler: one small file a token beside
 * the claims, jobs_dir/TOKEN.sub, written before the scheduler is asked and
 * again when it has given an id. Not for others. */
#ifndef JOBS_SUBMISSION_H
#define JOBS_SUBMISSION_H

#include "jobs/claim.h"

enum { SUBMISSION_ID_MAX = 100 };

struct submission {
    struct arena arena; /* owns the texts; submission_fini */
    const char *token, *run_dir, *cwd, *name;
    const char *kind;    /* of the backend: "command", "slurm" */
    const char *id;      /* "": the scheduler's answer is not known */
    int64_t tries;       /* how often the scheduler was asked to start it */
    int64_t deadline_ms; /* longest run + grace + slack; 0: no limit */
    const char *text[BACKEND_VERBS]; /* templates; NULL: none */
    bool shell;
};

/* jobs_dir/TOKEN.sub in out. */
void submission_path(const struct jobs *j, const char *token, struct buf *out);
/* The token of a file name in jobs_dir: the name without ".sub". */
const char *submission_token_in(struct arena *a, const char *name);
/* -ERR_NOT_FOUND: never submitted; -ERR_CORRUPT. submission_fini always. */
int submission_read(const struct jobs *j, const char *token,
    struct submission *out, struct err *err);
/* Whole and durable, or not at all. */
int submission_write(
    const struct jobs *j, const struct submission *s, struct err *err);
void submission_fini(struct submission *s);

/* A scheduler's word for a job's state. */
enum scheduler_word {
    WORD_UNKNOWN, /* also a word that nobody knows */
    WORD_PENDING,
    WORD_RUNNING,
    WORD_DONE, /* from here on: it will not run (again) */
    WORD_FAILED,
    WORD_CANCELLED,
    WORD_TIMEOUT,
    WORD_PREEMPTED,
    WORD_OOM,
    WORD_NODE_FAIL,
    WORD_GONE, /* the scheduler has no such job any more */
};
/* The first word of a state command's output, letter case and a trailing '+'
 * left out; table in docs/backends.md. */
enum scheduler_word scheduler_word_of(const char *output);
/* The id in a submit command's output: the last word of the last line that
 * has one. false: none, or one that can't be an id. */
bool scheduler_id_of(const char *output, char id[SUBMISSION_ID_MAX]);

#endif
