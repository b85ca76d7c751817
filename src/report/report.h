/* The faces of plan, status and report. Every function appends to `out`.
 * Numbers are 95 % intervals, gains are signed so that + is better, sealed
 * values appear once confirmation has opened them. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "report/view.h"

/* How terminal text is written. */
struct text_style {
    bool color;     /* false for NO_COLOR and pipes */
    uint32_t width; /* columns, 0: 100 */
};

/* ---- status: small enough to collect for hundreds of campaigns ---- */

struct status_entry {
    uint32_t campaign;
    char model[NAME_LEN];
    uint8_t state, phase; /* enum campaign_state, enum phase (0: none) */
    uint32_t ok, running, failed, recovered; /* trials */
    uint8_t unit;
    int64_t approved_u, reserved_u, spent_u;
    bool has_best;
    uint32_t best_experiment;
    double gain, lo, hi;
    double min_gain;
    char metric[NAME_LEN];   /* the search metric */
    char best_verdict[16];   /* proposed, better, unclear, not held */
    char attention[WHY_LEN]; /* "": nothing to do */
    char next[128];          /* the command that helps now */
};

/* halt_why: reason of the last campaign_halted, or NULL. */
void status_entry(uint32_t campaign, const struct core *c, const char *halt_why,
    struct status_entry *out);
/* The object of one campaign, as in status and at the head of a report. */
void status_entry_json(struct jw *w, const struct status_entry *e);
/* contract status: {campaigns: [...]} */
void status_json(const struct status_entry *v, uint32_t n, struct buf *out);
/* One line a campaign, then "next:". */
void status_text(const struct status_entry *v, uint32_t n,
    const struct text_style *style, struct buf *out);

/* ---- one campaign ---- */

/* contract plan; also for an approved campaign. */
void plan_json(const struct report *r, struct buf *out);
void plan_text(
    const struct report *r, const struct text_style *style, struct buf *out);

/* contract report */
void report_json(const struct report *r, struct buf *out);
void report_md(const struct report *r, struct buf *out);
/* One self-contained page: no external resource, plots are inline SVG. */
void report_html(const struct report *r, struct buf *out);

/* `rea status C1`: at most 25 lines. */
void campaign_text(
    const struct report *r, const struct text_style *style, struct buf *out);
/* `rea show ID`, `rea why ID` for C, H, E, T and J ids of this campaign.
 * -ERR_NOT_FOUND with the nearest valid ids. */
int show_text(const struct report *r, const char *id,
    const struct text_style *style, struct buf *out, struct err *err);
int why_text(const struct report *r, const char *id,
    const struct text_style *style, struct buf *out, struct err *err);
/* The same as JSON: {id, kind, fields..., lines: [...]} */
int show_json(
    const struct report *r, const char *id, struct buf *out, struct err *err);

/* ---- reproduction ---- */

/* Interval of the search metric (own direction) in which a rerun of trial t
 * (index) is expected with 95 %: mean of its experiment's comparable trials
 * -+ t(.975, df) * s * sqrt(1 + 1/n). false: nothing known. */
bool repro_interval(const struct core *c, uint32_t t, double *lo, double *hi);
void report_repro_text(const struct report_repro *p, struct buf *out);
void report_repro_json(const struct report_repro *p, struct buf *out);

/* ---- ids ---- */

/* "T41" -> kind 'T', number 41; any case; "C1/T41" gives campaign 1 too.
 * false: not an id. */
struct report_id {
    char kind; /* C H E T J I */
    uint32_t campaign, number;
};
bool report_id_parse(const char *text, struct report_id *out);

#endif
