/* Inside the project layer: from a TOML tree to drafts, by tables of fields.
 * A section is a list of fields; reading one checks unknown keys, kinds and
 * required keys, and the same table makes the user documentation. */
#ifndef PROJECT_READ_H
#define PROJECT_READ_H

#include "base/toml.h"
#include "project/project.h"

struct reader {
    struct arena *a;
    struct project *p;
    const struct toml *root;
    struct err *err;
};

struct place {
    uint32_t line, col; /* 0: the file as a whole */
};

/* ---- error.c ---- */

/* "file:line:col: what", the line with a caret, "fix: remedy" (may be NULL).
 * Returns -ERR_INPUT. */
int read_fail(const struct reader *r, struct place at, const char *remedy,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct place place_key(const struct toml *t);
struct place place_value(const struct toml *t);
/* Place of byte i inside a string value (exact unless it holds escapes). */
struct place
place_inside(const struct reader *r, const struct toml *t, size_t i);
/* The key `name` of a table, or the table itself when it is absent. */
struct place place_of(const struct toml *table, const char *name);
/* "did you mean X?" or `otherwise`, in the arena. */
const char *read_hint(const struct reader *r, const char *word,
    const char *const *list, uint32_t n, const char *otherwise);

/* ---- read.c ---- */

enum field_kind {
    FIELD_STR,      /* const char * */
    FIELD_BOOL,     /* bool */
    FIELD_NUM,      /* double */
    FIELD_INT,      /* int64_t */
    FIELD_DURATION, /* int64_t, milliseconds: "30s" */
    FIELD_SIZE,     /* int64_t, bytes: "2G" */
    FIELD_WORD,     /* uint8_t: 1 + index into words */
    FIELD_ANY,      /* const struct toml *: looked at later */
};

struct field {
    const char *name;
    uint8_t kind;
    bool required;
    uint16_t offset;          /* in the draft */
    const char *const *words; /* FIELD_WORD: NULL-terminated */
    const char *later;        /* a word that is named but not built */
    const char *deflt;        /* for the documentation */
    const char *doc;
};

struct section {
    const char *name;
    bool named; /* [name.X], any number */
    bool required;
    const struct field *fields;
    uint32_t n_fields;
    const char *doc;
};

/* Sections in the order of the documentation. */
extern const struct section project_sections[];
extern const uint32_t project_n_sections;
const struct section *section_find(const char *name);
extern const struct section project_phase_section; /* [resources.PHASE] */

/* Reads the keys of one table into a draft; `what` names it in messages. */
int read_section(const struct reader *r, const struct section *s,
    const struct toml *table, void *draft);
int read_duration(const char *text, int64_t *ms); /* 0 or -1 */
int read_size(const char *text, int64_t *bytes);  /* 0 or -1 */

/* ---- drafts: one member per field ---- */

struct draft {
    int64_t schema;
    const char *name;
    const char *command, *resume, *checkpoint, *seed;
    bool shell, pace;
    uint8_t style;
    int64_t grace_ms, hang_ms, backoff_ms;
    const struct toml *exit_codes, *fingerprint, *vars;
    const char *eval_command;
    bool eval_shell;
    int64_t eval_time_ms;
    double cpus, gpus;
    int64_t memory, memory_max, time_ms;
    const struct toml *of_phase[PHASE_COUNT]; /* [resources.PHASE] */
    const char *fidelity_knob;
    const struct toml *rungs;
    const char *progress;
    bool stop;
    const char *candidates;
    const struct toml *phases;
    int64_t max_hypotheses, seeds;
    uint8_t unit;
    double total, per_trial, price;
    int64_t wall_clock_ms, max_parallel;
    const char *cost_metric;
    const char *pool;
    double pool_weight;
    uint8_t backend;
    int64_t slots, quarantine_ms;
    const char *callback;
    const char *submit, *state, *cancel, *logs, *record;
    bool backend_shell;
    const char *partition, *account, *qos, *gres, *exclude, *setup, *extra;
    const char *signal;
    uint32_t slurm_wake; /* enum slurm_wake */
    const char *database, *context, *runbook, *webhook, *secret;
    const struct toml *on;
    uint8_t provider, dialect;
    const char *base_url, *model, *model_key;
    int64_t max_tokens, model_timeout_ms, model_idle_ms, budget_tokens;
    bool stream;
    double budget_usd, price_in, price_out, price_cached;
    const struct toml *allow;
    const char *patch_base, *patch_build, *patch_smoke;
    const struct toml *patch_paths, *patch_read, *patch_env, *patch_classes,
        *patch_gate;
    int64_t patch_max_lines;
};

struct resources_draft {
    double cpus, gpus, price;
    int64_t memory, memory_max, time_ms;
};

struct metric_draft {
    const struct toml *at;
    bool primary, deciding, guard;
    uint8_t role, from; /* role: 1 plain, 2 sealed */
    const char *goal, *key, *pattern, *reduce;
    double min_gain;
    const struct toml *watch, *max_increase, *max_drop, *min, *max;
};

struct knob_draft {
    const struct toml *at;
    uint8_t type, scale, style; /* scale: 1 linear, 2 log */
    const struct toml *range, *deflt, *values, *when, *tags;
    const char *doc, *flag;
};

/* ---- sections that need more than a table ---- */

/* A name for knobs, metrics and variables: letters, digits, - _ . */
int read_name(
    const struct reader *r, const struct toml *table, char *out, size_t cap);
int parse_train(struct reader *r, const struct draft *d);
int parse_metrics(struct reader *r); /* fills spec.metric and harvest */
int parse_knobs(struct reader *r);   /* fills spec.knob, conditions too */
int parse_plan(struct reader *r, const struct draft *d);
int parse_candidates(struct reader *r, const struct draft *d);
int parse_resources(struct reader *r, const struct draft *d);
int parse_budget(struct reader *r, const struct draft *d);
int parse_backend(struct reader *r, const struct draft *d);
int parse_model(struct reader *r, const struct draft *d);
int parse_patch(struct reader *r, const struct draft *d);

/* The code of a TOML value for a knob, checked against its domain. */
int knob_code(const struct reader *r, const struct knob *k,
    const struct toml *v, double *code);
/* The same for text (a cell of candidates.csv): 0, or -1 with a reason. */
int knob_code_text(
    const struct knob *k, const char *text, double *code, const char **why);
/* Compiles a condition into k->when. */
int when_parse(const struct reader *r, struct knob *k, const struct toml *t);
/* Refuses conditions that depend on themselves. */
int when_cycles(const struct reader *r);
uint32_t concept_find(const char *name, const char *tags, const char *doc);
/* What an hour of one job costs in the budget's unit (cost.c). */
double cost_hourly(const struct project *p, const struct resources *x);
/* Checks the placeholders of commands, resume, checkpoint and vars. */
int command_check(const struct reader *r);

#endif
