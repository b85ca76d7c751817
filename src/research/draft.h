/* Drafts hypotheses for a project from what was learnt before and from what
 * the literature claims, mapped to the project's own knobs by concept. The
 * same inputs give the same draft, byte for byte. */
#ifndef RESEARCH_DRAFT_H
#define RESEARCH_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/event.h"
#include "research/insight.h"

/* Configurations that an earlier campaign of this project measured, and what
 * each gave against the baseline of now, + is better. The baseline itself is
 * not among them. */
struct draft_seen {
    const struct config *config;
    const double *gain;
    uint32_t n; /* 0: nothing is known */
};

struct corpus;

struct draft_options {
    uint32_t max;       /* 0: spec.max_hypotheses, or 24 */
    bool from_insights; /* both false gives nothing */
    bool from_research;
    struct corpus *corpus; /* of papers, asked for evidence; NULL: none */
    const char *before;    /* YYYY[-MM[-DD]]: nothing dated later; NULL: all */
    const char *family;    /* of the model; NULL: told from the spec */
    uint32_t has;          /* NEED_* bits that the data offers for certain */
    struct draft_seen seen;
    const bool *hidden; /* by technique: not to be known; NULL: none is */
};

/* Writes *out: an array of *n events hypothesis_added in the arena, the best
 * predicted gain per cost first within a fair mix of the sources; fields
 * hypothesis, seq and at_ms are 0 for the appender to set. db may be NULL (no
 * history). Nothing to say is *n = 0 and success. Errors are the database's. */
int draft_hypotheses(const struct spec *s, struct insights *db,
    const struct draft_options *o, struct arena *a, struct event **out,
    uint32_t *n, struct err *err);

/* One prediction: gain on the search metric, + is better. */
struct draft_prediction {
    double mean, sd;
    double k;       /* evidence in full matches; 0: base rate only */
    uint32_t level; /* enum draft_level */
};
enum draft_level {
    DRAFT_EXACT,     /* this change on this model family */
    DRAFT_FAMILY,    /* the knob's direction on this family */
    DRAFT_CONCEPT,   /* the knob's direction on any family */
    DRAFT_BASE_RATE, /* nothing known: how ideas of the source fare */
};
/* Predicts any change from the history, for example an engineer's own idea.
 * db may be NULL. The unit is the search metric's. */
int draft_predict(const struct spec *s, struct insights *db,
    const struct draft_options *o, const struct override *over, uint32_t n_over,
    struct draft_prediction *out, struct err *err);

/* Canonical key of a change: knob=value pairs sorted by name, values rounded
 * to 3 digits; equal keys are one idea. Returned from the arena. */
const char *change_key_in(struct arena *a, const struct spec *s,
    const struct override *over, uint32_t n_over);
/* {"overrides": {...}} with values as people write them. */
const char *change_json_in(struct arena *a, const struct spec *s,
    const struct override *over, uint32_t n_over);
/* One statement for a change: "lr 0.01 -> 0.03 (x3)". */
const char *change_text_in(struct arena *a, const struct spec *s,
    const struct override *over, uint32_t n_over);

/* Model family of the default configuration: the value of the model knob, or
 * a known family named in the project's name, else the project's name itself:
 * its own campaigns are then its only kin. Borrowed from the spec or constant.
 */
const char *family_of(const struct spec *s);
/* "auc", "ndcg", "logloss" or "" for a metric's name: what kind it is. */
const char *metric_kind(const char *name);

#endif
