/* What the renderers share among themselves: derived facts of a report that
 * are computed the same way for JSON, text, Markdown and HTML. */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "report/fmt.h"
#include "report/report.h"

/* Verdict as the contract names it: an open idea is untested without data and
 * inconclusive with. */
uint32_t hypothesis_verdict(const struct report *r, uint32_t h);
/* Its gain alone over the baseline, judged or as it stands; false: no data.
 * Infrastructure failures and untested ideas have none. */
bool hypothesis_effect(
    const struct report *r, uint32_t h, double *mean, double *lo, double *hi);
/* All trials of the experiment that tests it alone. */
uint32_t hypothesis_trials(const struct report *r, uint32_t h);
/* The idea in words; made from its change when the event had no text. */
const char *
hypothesis_statement(const struct report *r, uint32_t h, struct buf *scratch);
/* sd of the prediction, > 0. */
double hypothesis_prior_sd(const struct report *r, uint32_t h);

/* Indexes of all hypotheses, largest measured (then predicted) gain first. */
void ideas_sort(const struct report *r, uint32_t order[HYPOTHESES_MAX]);
uint32_t experiment_trials(const struct core *c, uint32_t experiment);
/* "baseline", "H3", "H3 + H5", "search": what an experiment is made of. */
void
experiment_label(const struct core *c, uint32_t experiment, struct buf *out);

/* Of the plan that waits for a signature, else of the signed one. */
const char *plan_hash_shown(const struct core *c);
uint32_t phase_trials(const struct core *c, uint32_t phase);
/* Index of the finalist with this experiment, or n_finalists. */
uint32_t finalist_of(const struct core *c, uint32_t experiment);
/* Sealed gain of the proposal, 0 without one: what the campaign realised. */
double realised_gain(const struct core *c);
/* Sealed metrics have their own way out; a guardrail that bears the name of a
 * metric earlier in the list is not shown twice. */
bool metric_is_shown(const struct spec *s, uint32_t m);
/* "hypothesis"/"experiment"/"trial": {...} for `rea show --json`. */
void show_object(struct jw *w, const struct report *r, struct report_id id);
bool report_has_sealed(const struct core *c);

/* One sentence: the proposal, or why there is none, or where it stands. */
void report_verdict(const struct report *r, struct buf *out);
/* Minutes from the start to the proposal, else to the end; NaN: not yet. */
double report_minutes(const struct report *r);

struct base_values { /* search metric of the baseline's comparable trials */
    uint32_t n;
    double v[256];
    uint32_t trial[256]; /* ids */
};
void baseline_values(const struct core *c, struct base_values *out);

/* The line without its "[ 12.3m] ", where the time has a column of its own. */
const char *line_body(const char *line);

/* Calls f for each item of the evidence text: members of a JSON array
 * (texts, or objects with text/title/id/url) or lines. url is NULL or an
 * http(s) address made from it, its doi or its arXiv number. */
void evidence_each(const char *evidence,
    void (*f)(void *ctx, const char *text, const char *url), void *ctx);

/* "patch 1a2b3c4d5e6f (H3)" for each patch of a set; nothing for none. */
void patches_label(const struct core *c, uint32_t patches, struct buf *out);

#endif
