/* Questions to the literature: made from an engineer's words, or from what is
 * known of a model: its knobs and what they mean, what ails it, and what went
 * wrong. A question is one thing to know, asked in four to six styles. */
#ifndef PAPERS_QUESTION_H
#define PAPERS_QUESTION_H

#include "core/spec.h"
#include "papers/retrieve.h"

/* What is known of the present model; {0} is "nothing". */
struct baseline_profile {
    int fit;        /* < 0: underfits, > 0: overfits, 0: unknown */
    bool one_epoch; /* gets worse from the second pass on */
    bool miscalibrated;
    double rows;       /* of training data, 0: unknown */
    double density;    /* share of (value, row) seen often, 0: unknown */
    double parameters; /* of the model, 0: unknown */
    double metric;     /* level of the primary metric, 0: unknown */
    int sequence;      /* > 0: behaviour sequences, < 0: none, 0: unknown */
    int tasks;         /* labels predicted, 0: unknown */
};

/* Reads the fit off a learning curve: n values by rung, + is better. It
 * overfits when it ends at least `unit` (the smallest gain worth shipping)
 * below an earlier rung, and underfits when the last step still gained that
 * much. */
void profile_curve(
    struct baseline_profile *p, const double *rung, uint32_t n, double unit);

struct ask {
    const char *text; /* what is asked, and why */
    uint32_t concept; /* enum concept it is about; CONCEPT_NONE: none */
    uint32_t n_styles;
    struct ask_style style[RETRIEVE_STYLES_MAX - 1];
};

enum { ASKS_MAX = 16 };

/* One question from words. known: techniques dated then or later are not used
 * to find other names; NULL: all are. */
void question_words(
    struct arena *a, const char *words, const char *known, struct ask *out);
/* The questions of a project, what matters most first. profile and failures
 * (texts of n failures that no remedy was found for) may be NULL. */
void question_project(struct arena *a, const struct spec *s,
    const struct baseline_profile *profile, const char *const *failures,
    uint32_t n_failures, const char *known, struct ask out[ASKS_MAX],
    uint32_t *n);

#endif
