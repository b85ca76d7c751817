/* The command table: one entry a verb. The command line, `rea help`, the man
 * pages, docs/commands.md and the shell completions are renderings of it. A
 * verb writes what it has to say into call->out, as JSON when call->json is
 * set, as text for people otherwise; the face prints it. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum {
    CMD_WRITES = 1,  /* changes the state of the workspace */
    CMD_HUMAN = 2,   /* an engineer's own act: never offered to a program */
    CMD_HIDDEN = 4,  /* called by callbacks and timers, not by people */
    CMD_STREAMS = 8, /* prints while it runs; out holds the rest */
};

enum {
    CMD_OPTS_MAX = 12,
    CMD_ARGS_MAX = 64,
};

struct cmd_opt {
    const char *name; /* without the dashes; NULL ends the list */
    char letter;      /* 0: none */
    const char *arg;  /* what its value is called; NULL: takes none */
    const char *help;
};

struct call;

struct cmd {
    const char *name; /* "approve", "hypothesis add" */
    const char *args; /* "HASH", "[C]", "NAME=VALUE..." */
    uint32_t min_args, max_args;
    uint32_t flags;
    const char *help; /* one line */
    const char *more; /* paragraphs */
    const char *example;
    const struct cmd_opt *opts;
    int (*run)(struct call *call, struct err *err);
};

/* One invocation. All strings live as long as the process. */
struct call {
    const struct cmd *cmd;
    const char *self; /* path of this program, for callbacks */
    const char *dir;  /* -C, "." by default */
    bool json, quiet, color;
    uint32_t n_args;
    const char *args[CMD_ARGS_MAX];
    const char *opt[CMD_OPTS_MAX]; /* by place in cmd->opts; "" for a flag */
    struct arena *arena;
    struct buf out;
    char next[240];   /* the next useful command, without "next:" */
    int check_failed; /* > 0: exit 4 though the verb did its work */
};

extern const struct cmd *const cmd_table[]; /* NULL at the end */

/* The entry of a verb; words is how many arguments its name takes. NULL: no
 * such verb. */
const struct cmd *
cmd_find(const char *first, const char *second, uint32_t *words);

/* The value of an option, NULL when it was not given. */
const char *call_opt(const struct call *call, const char *name);
bool call_has(const struct call *call, const char *name);
/* --name=no|false|0 is false, not given is otherwise. -ERR_INPUT else. */
int call_opt_bool(const struct call *call, const char *name, bool otherwise,
    bool *out, struct err *err);
/* A number above zero. Leaves *out alone when the option was not given. */
int call_opt_num(
    const struct call *call, const char *name, double *out, struct err *err);
void call_next(struct call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Text for people into call->out. */
void say(struct call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The command-line face: parses, runs, prints, returns the exit code. */
int cmd_cli(int argc, char **argv);

/* Help texts (help.c). */
void help_all(struct buf *out);
void help_verb(const struct cmd *cmd, struct buf *out);
void help_group(const char *word, struct buf *out);

#endif
