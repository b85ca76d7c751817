/* What `rea init` finds out about a training command. */
#ifndef CMD_INIT_H
#define CMD_INIT_H

#include "cmd/work.h"
#include "jobs/probe.h"

enum { INIT_METRICS_MAX = 48 };

/* A number that a program prints under a name. */
struct init_metric {
    const char *name;    /* as printed */
    const char *pattern; /* stdout: text up to the number, then {value} */
    bool jsonl;          /* in the metrics file instead */
    uint32_t count;
    double last;
};

/* Metrics in output text (or, jsonl, in a metrics file), commonest order of
 * appearance; returns how many (init_metrics.c). */
uint32_t init_metrics(struct arena *a, const struct buf *text, bool jsonl,
    struct init_metric *out, uint32_t max);
/* Makes roles and goals of them: at most one primary, one sealed, one
 * guardrail; *n_out template rows in the arena. */
void init_roles(struct arena *a, const struct init_metric *m, uint32_t n,
    struct template_metric **out, size_t *n_out);
/* Knobs worth changing among the options that --help lists and the command
 * does not set itself; *seed is the flag of the seed, or NULL (init_knobs.c).*/
void init_knobs(struct arena *a, const struct help_option *o, size_t n,
    const char *const *words, size_t n_words, struct template_knob **out,
    size_t *n_out, const char **seed);
/* Types and defaults from the source of a Python trainer named in the command
 * (init_source.c). */
void init_source(struct arena *a, const char *root, const char *const *words,
    size_t n_words, struct help_option *o, size_t n_options);
/* How this program takes its options. */
uint8_t init_style(const char *help, const struct help_option *o, size_t n);

#endif
