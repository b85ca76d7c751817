/* A project file: one ranking model under improvement. What decisions need is
 * in struct spec; the rest here says how its jobs are started, read and paid.
 * Everything lives in the arena given to project_load. Indexes of knobs and
 * metrics are those of spec: both are sorted by name, so the order of the
 * tables in the file means nothing. */
#ifndef PROJECT_PROJECT_H
#define PROJECT_PROJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/spec.h"
#include "project/harvest.h"

enum {
    PROJECT_SCHEMA = 1,
    PROJECT_BYTES_MAX = 1 << 20,
    PROJECT_HASH_HEX = 33,        /* with the NUL */
    PROJECT_KILL_SLACK_MS = 5000, /* between SIGKILL and the end, reserved */
    EXIT_CODES_MAX = 32,
    VARS_MAX = 64,
    NOTIFY_MAX = 16,
    MODEL_ALLOW_MAX = 16,
    FINGERPRINT_HEX = 65, /* with the NUL */
    PATCH_CLASSES_MAX = 16,
};

/* How {knobs} is written. */
enum style {
    STYLE_NONE,
    STYLE_GNU,      /* --name=value */
    STYLE_ARGPARSE, /* --name value, switches for bools */
    STYLE_HYDRA,    /* name=value */
    STYLE_ENV,      /* NAME=value in the environment */
    STYLE_JSON,     /* a file, its path as the argument */
    STYLE_SWITCH,   /* one knob only: --name or nothing */
};

enum backend_kind {
    BACKEND_NONE,
    BACKEND_LOCAL,
    BACKEND_COMMAND,
    BACKEND_RECORDED, /* outcomes from a file, for tests and benches */
    BACKEND_SLURM,
};

enum slurm_wake { SLURM_WAKE_NONE, SLURM_WAKE_TRAP, SLURM_WAKE_DEPENDENCY };

/* What sbatch is told beside [resources]; NULL: nothing. */
struct slurm_options {
    const char *partition, *account, *qos, *gres;
    const char *exclude; /* nodes, as sbatch --exclude takes them */
    const char *extra;   /* further words for sbatch */
    const char *setup;   /* lines of the batch script, before the job */
    const char *signal; /* "USR1@120": sent to the job so long before its end */
    bool dependency;    /* a second job calls the agent */
};

/* What an exit code of the user's program means ([train] exit_codes). */
#define EXIT_MEANING_LIST(X)                                                   \
    X(OK, "ok")                                                                \
    X(FAILED, "failed")                                                        \
    X(PREEMPTED, "preempted")                                                  \
    X(DIVERGED, "diverged")                                                    \
    X(OOM, "oom")                                                              \
    X(CONFIG, "config")                                                        \
    X(DATA, "data")                                                            \
    X(NODE, "node")

enum exit_meaning {
    EXIT_MEANS_NONE, /* not mapped */
#define X(name, text) EXIT_MEANS_##name,
    EXIT_MEANING_LIST(X)
#undef X
};

struct exit_code {
    int code;        /* 0..255 */
    uint8_t meaning; /* enum exit_meaning */
};

struct var {
    const char *name, *value;
};

/* Who serves a language model; decides addresses and variables. */
enum model_provider {
    PROVIDER_NONE,
    PROVIDER_OPENAI,
    PROVIDER_ANTHROPIC,
    PROVIDER_OPENROUTER,
    PROVIDER_OLLAMA,
    PROVIDER_VLLM,
    PROVIDER_LLAMA, /* llama.cpp's llama-server */
};

/* How requests are written. */
enum model_dialect {
    DIALECT_NONE, /* by the provider and the address */
    DIALECT_CHAT,
    DIALECT_RESPONSES,
    DIALECT_MESSAGES,
};

/* [model]. Prices are US dollars for a million tokens. */
struct project_model {
    bool on;               /* the file has a [model] */
    uint8_t provider;      /* enum model_provider */
    uint8_t dialect;       /* enum model_dialect */
    const char *base_url;  /* NULL: environment, else the provider's own */
    const char *model;     /* the name that the server knows */
    const char *key;       /* "env:", "file:" or "command:"; NULL: provider's */
    int64_t max_tokens;    /* of one reply, where a request does not say */
    int64_t timeout_ms;    /* of one attempt; 0: made from max_tokens */
    int64_t idle_ms;       /* silence within a stream */
    bool stream;           /* read replies as they are written */
    double budget_usd;     /* 0: no limit in money */
    int64_t budget_tokens; /* in and out together */
    double price_in, price_out, price_cached; /* NAN: not known */
    uint32_t n_allow;
    const char *allow[MODEL_ALLOW_MAX]; /* addresses that the environment
                                           may choose; 0: any */
};

struct name_list { /* in the project's arena */
    uint32_t n;
    const char **v;
};

struct patch_class {
    const char *name;
    struct name_list patterns;
};

enum {
    BACKOFF_USUAL_MS = 30000, /* [train] backoff, when it is not told */
    QUARANTINE_USUAL_MS = 24 * 60 * 60 * 1000, /* [backend] quarantine */
};

/* What spec.knob[i] does not say. */
struct project_knob {
    uint8_t style;      /* enum style; STYLE_NONE: the project's */
    const char *flag;   /* NULL: made from the name */
    uint32_t num_mask;  /* bit i: values[i] was a number in the file */
    uint32_t bool_mask; /* bit i: values[i] was true or false */
};

/* What one job may take. */
struct resources {
    double cpus, gpus;
    int64_t memory_bytes;     /* 0: no limit */
    int64_t memory_max_bytes; /* after attempts without enough; 0: no more */
    int64_t time_ms;          /* limit of a training, and of an evaluation, */
    int64_t evaluate_ms;      /* already lowered to what per_trial pays for */
    double price_per_hour;    /* usd */
};

struct project {
    const char *root; /* workspace folder, as given */
    const char *file; /* path as given or found; messages name it */
    const char *text; /* the file's bytes */
    size_t text_len;

    struct {
        const char *command;
        bool shell;
        uint8_t style;          /* enum style */
        const char *resume;     /* NULL: can't resume; "" : resumes by itself */
        const char *checkpoint; /* with placeholders; has a default */
        const char *seed_flag;  /* NULL: seed goes by {seed} or REA_SEED only */
        int64_t grace_ms;
        int64_t hang_ms;    /* silence that counts as hung; 0: measured */
        int64_t backoff_ms; /* first wait before a retry; it doubles */
        bool pace;          /* rhythm and speed of jobs are watched */
        uint32_t n_exit_codes;
        struct exit_code exit_codes[EXIT_CODES_MAX];
        uint32_t n_fingerprint;
        const char **fingerprint;        /* files and folders */
        const char *fingerprint_command; /* NULL: none */
        uint32_t n_vars;
        struct var vars[VARS_MAX];
    } train;
    struct {
        const char *command; /* NULL: no [evaluate] */
        bool shell;
        int64_t time_ms; /* as resources.evaluate_ms */
    } evaluate;
    struct resources resources; /* of jobs of no phase: probes, checks */
    bool by_phase;              /* a phase has others: project_resources() */
    struct resources phase_resources[PHASE_COUNT];
    struct {
        int64_t per_trial_u;     /* 0: not given */
        const char *cost_metric; /* NULL: none */
        const char *pool;        /* its money comes from there; NULL: none */
        double pool_weight;      /* of its gains against other campaigns' */
    } budget;
    struct {
        uint8_t kind;          /* enum backend_kind */
        uint32_t slots;        /* 0: CPUs of the machine / resources.cpus */
        const char *callback;  /* jobs call rea-serve there; NULL: rea wake */
        int64_t quarantine_ms; /* a node that failed jobs; 0: never */
        const char *submit, *state, *cancel, *logs; /* command */
        bool shell; /* they are run by /bin/sh -c */
        struct slurm_options slurm;
        const char *record; /* recorded */
    } backend;
    const char *candidates_file;  /* NULL: none */
    const char *insights_context; /* of the data; NULL: not told */
    const char *insights;         /* path or URL; NULL: the workspace's own */
    const char *runbook;          /* the user's own rules; NULL: none */
    struct {
        const char *webhook; /* "env:NAME" or "file:PATH"; NULL: none */
        const char *secret;  /* likewise; signs the messages; NULL: none */
        uint32_t n_on;
        const char *on[NOTIFY_MAX];
    } notify;
    struct project_model model;

    struct { /* [patch]: code changes and the sandbox of all jobs */
        bool on;
        const char *base;          /* a revision, "HEAD" */
        const char *build, *smoke; /* NULL: none */
        struct name_list paths, read, env;
        uint32_t n_classes;
        struct patch_class classes[PATCH_CLASSES_MAX]; /* by name */
        bool gate_all;
        struct name_list gate; /* classes, when not all */
        int64_t max_lines;
    } patch;

    struct project_knob knob[KNOBS_MAX];
    struct harvest_spec harvest;
    uint32_t progress; /* metric that counts in units of the fidelity knob;
                          METRICS_MAX: the step does */
    struct spec spec;
};

/* ---- finding and loading (project.c) ---- */

struct project_entry {
    const char *file; /* relative to root */
    const char *name; /* NULL: the file can't be read, see why */
    const char *why;
};

/* Project files of a workspace: rea.toml and those of models/, sorted by path.
 * None at all is -ERR_NOT_FOUND; two with one name is -ERR_INPUT. A file
 * that does not parse is listed with its reason. */
int project_list(struct arena *a, const char *root, struct project_entry **out,
    size_t *n, struct err *err);
/* Loads the model of this name; name NULL: the only one there is (several:
 * -ERR_INPUT with their names). */
int project_find(struct arena *a, const char *root, const char *name,
    struct project **out, struct err *err);
/* Loads one file (relative to root, or absolute). Errors are complete texts
 * for people: file:line:col, the line with a caret, why, the remedy. */
int project_load(struct arena *a, const char *root, const char *file,
    struct project **out, struct err *err);
/* The same from memory; `file` is what messages call it. */
int project_parse(struct arena *a, const char *root, const char *file,
    const char *text, size_t len, struct project **out, struct err *err);

/* Appends the reference of all sections and keys as markdown (docs/
 * project-file.md holds it). */
void project_document(struct buf *out);

/* ---- identity (canon.c) ---- */

/* One "section.key = value" line per field, in a fixed order; equal for files
 * that differ in comments and order only. Covers every field that changes
 * behaviour, the rows of the candidates file included. */
void project_canon(const struct project *p, struct buf *out);
/* Hash of that text, 32 hex digits. */
void project_hash(const struct project *p, char hex[PROJECT_HASH_HEX]);
/* What changed between two canonical texts: one line each, "train.command:
 * old -> new", at most max lines; returns how many fields differ. */
uint32_t project_diff(const char *old_canon, const char *new_canon,
    uint32_t max, struct buf *out);

/* Is the file with canonical text `now` inside what was approved as
 * `approved`? They may differ only in the budgets of [model], none raised. */
bool project_within(const char *approved, const char *now);
/* Lowers the budgets of [model] to those that were approved; where none was,
 * the model is off. */
void project_model_cap(struct project_model *m, const char *approved);

/* ---- starting a job (command.c) ---- */

struct job_request {
    bool evaluate; /* [evaluate] instead of [train] */
    bool resume;   /* add the resume fragment (the checkpoint exists) */
    const struct config *config;
    int32_t seed;           /* 1..2147483647 */
    const char *run_dir;    /* as the job shall see it */
    const char *checkpoint; /* NULL: project_checkpoint_in of run_dir; for an
                               evaluation the trial's own */
    const char *campaign;   /* "C1" */
    const char *trial;      /* "T1" */
    uint32_t attempt;       /* from 1 */
    const char *phase;      /* "validation" */
    const char *hypotheses; /* "H1,H2", may be "" */
};

struct job_command {
    const char **argv; /* NULL-terminated; argv[0] is looked up in PATH */
    size_t argc;
    const char **env; /* "NAME=value" to add, NULL-terminated: REA_* and the
                         knobs in env style */
    size_t n_env;
    const char *knobs_json; /* content of knobs_file; write it before start */
    const char *knobs_file; /* {run_dir}/knobs.json */
    const char *metrics_file, *predictions_file, *checkpoint;
    const char *line; /* one line for people, shell-quoted */
};

/* All strings in the arena. -ERR_INPUT for a command that can't be rendered
 * (project_load has checked what it can). */
int command_render(struct arena *a, const struct project *p,
    const struct job_request *req, struct job_command *out, struct err *err);
/* {checkpoint} of a training run in this folder. */
char *project_checkpoint_in(
    struct arena *a, const struct project *p, const char *run_dir);
/* Splits by shell-word rules (quotes, backslash; no expansion). */
int command_split(struct arena *a, const char *text, const char ***words,
    size_t *n, struct err *err);
/* Appends a word as a POSIX shell would need it. */
void command_quote(struct buf *out, const char *word);
/* The meaning of an exit code, EXIT_MEANS_NONE when it is not mapped. */
enum exit_meaning project_exit(const struct project *p, int code);
const char *exit_meaning_name(uint32_t meaning);
const char *style_name(uint32_t style);

/* ---- money (cost.c) ---- */

/* Worst cost in micro-units of a job of a phase that runs to its limit and is
 * then stopped with grace and kill slack; trials: one unit for training, 0 for
 * an evaluation. */
int64_t
project_reserve_u(const struct project *p, uint32_t phase, bool evaluate);
/* How long a job may run that got less than its worst case reserved; 0:
 * its time limit stands, since it got all, or its time costs nothing. Such a
 * job is told to end when its money is used; its grace is not charged. */
int64_t project_paid_ms(
    const struct project *p, uint32_t phase, int64_t reserved_u, bool evaluate);
/* Cost of a job of a phase that ran wall_ms, at most `reserved_u`. A resumed
 * attempt costs nothing more in trials. */
int64_t project_charge_u(const struct project *p, uint32_t phase,
    int64_t wall_ms, int64_t reserved_u, bool evaluate, bool resumed);
/* Of jobs of this phase; PHASE_NONE: the common ones. */
const struct resources *
project_resources(const struct project *p, uint32_t phase);
/* CPUs of the widest job of any phase; has any a GPU? */
double project_cpus_most(const struct project *p);
bool project_has_gpus(const struct project *p);

/* ---- outside facts ---- */

/* Hash over [train] fingerprint: content of files and folders, or the output
 * of the command (30 s at most). "" when none is declared. A missing file is
 * an error that names it. */
int project_fingerprint(
    const struct project *p, char hex[FINGERPRINT_HEX], struct err *err);
/* Reads "env:NAME" or "file:PATH" (first line). Text goes to out and nowhere
 * else. */
int secret_resolve(
    const char *ref, const char *root, struct buf *out, struct err *err);

/* ---- writing project files (edit.c) ---- */

struct project_default {
    const char *knob;
    double code; /* as in struct config */
};

/* Changes the `default = ` values of these knobs in the file and nothing
 * else: comments, order and spacing stay. Writes atomically, after parsing
 * the result once more. */
int project_set_defaults(const char *root, const char *file,
    const struct project_default *set, size_t n, struct err *err);

struct template_knob {
    const char *name, *flag, *doc;
    uint8_t kind; /* enum knob_kind: FLOAT, INT, BOOL, CHOICE */
    bool log;
    double lo, hi, deflt;
    const char *values; /* choice: "a,b,c"; the default is number `deflt` */
};

struct template_metric {
    const char *name;
    const char *role; /* "primary", "sealed", "guardrail", "plain" */
    const char *goal; /* "max", "min" */
    const char *from; /* "jsonl", "csv", "stdout" */
    const char *key;  /* or pattern, by from */
    double min_gain;
};

struct rung_reader;
/* Reads the rungs that a training run crosses; false: it has none below the
 * top, or may not be stopped there. */
bool project_rungs(const struct project *p, struct rung_reader *out);

struct rung_reader;
/* Makes a reader of the rungs that a training run crosses; false: there is no
 * rung below the top, or runs are not to be stopped. */
bool project_rungs(const struct project *p, struct rung_reader *out);

struct project_template {
    const char *name, *command;
    uint8_t style;
    const char *seed; /* NULL: none found */
    const struct template_knob *knob;
    size_t n_knobs;
    const struct template_metric *metric;
    size_t n_metrics;
    double time_s;
};

/* A commented project file for `rea init`. Missing parts are filled with
 * marked examples, so that the text always parses. */
void project_write_template(const struct project_template *t, struct buf *out);

#endif
