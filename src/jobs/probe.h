/* Short, bounded looks at the user's program: run a command for a while in a
 * scratch folder, read its --help into candidate knobs. For `rea check` and
 * `rea init`; never part of a campaign. */
#ifndef JOBS_PROBE_H
#define JOBS_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    PROBE_OUTPUT_MAX = 1 << 20, /* bytes kept of each stream */
    PROBE_KNOBS_MAX = 128,
};

struct probe {
    const char *const *argv; /* NULL-terminated; [0] is looked up in PATH */
    const char *const *envp; /* NAME=value to add; NULL: none */
    const char *cwd;         /* NULL: the current folder */
    int64_t time_ms;         /* then SIGTERM; 0: 10 s */
    int64_t grace_ms;        /* from SIGTERM to SIGKILL; 0: 1 s */
    /* Asked about ten times a second; true: SIGTERM now (the probe has seen
     * enough). NULL: nothing is asked. */
    bool (*enough)(void *arg);
    void *arg;
    const char *input; /* standard input; NULL: empty */
    bool leaves;       /* what it started may go on when it ended by itself */
};

struct probe_result {
    struct buf out, err;   /* the first PROBE_OUTPUT_MAX bytes of each */
    int exit_code;         /* -1: it did not exit by itself */
    int signal;            /* that ended it, 0: none */
    bool timed_out;        /* the limit was passed */
    bool stopped;          /* enough() said so */
    bool killed;           /* SIGTERM was not enough */
    int64_t ms;            /* wall time */
    int64_t max_rss_bytes; /* of the first process and those it waited for */
};

/* Runs the command in a process group of its own that does not survive.
 * -ERR_NOT_FOUND: there is no such program; -ERR_SYS. How the program ended is
 * in *out, which probe_fini frees. */
int probe_run(const struct probe *p, struct probe_result *out, struct err *err);
void probe_fini(struct probe_result *r);
/* A new empty folder under $TMPDIR or /tmp, in the arena; fs_remove_tree it. */
int probe_scratch_in(struct arena *a, const char **out, struct err *err);

/* One option of a --help text. */
struct help_option {
    const char *name;    /* without dashes: "learning-rate" */
    const char *flag;    /* as it is typed: "--learning-rate" or "lr" */
    const char *metavar; /* "FLOAT", "N"; NULL: none, it is a switch */
    const char *deflt;   /* text of the default; NULL: not told */
    const char *values;  /* "a,b,c": choices; NULL: none */
    const char *doc;
    uint8_t kind; /* enum knob_kind: FLOAT, INT, BOOL, CHOICE; NONE: text */
    bool takes_value;
    double lo, hi; /* a range told in the text; lo > hi: none */
};

/* Reads the options out of a --help text: argparse, click, getopt (GNU), and
 * tables of "name type default doc". Help itself, version and the like are
 * left out. At most max; returns how many; texts in the arena. */
size_t help_parse_in(struct arena *a, const char *text, size_t len,
    struct help_option *out, size_t max);

#endif
