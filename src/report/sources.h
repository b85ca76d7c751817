/* What each source of ideas brought in one campaign: the same figures for
 * every face of a report. */
#ifndef REPORT_SOURCES_H
#define REPORT_SOURCES_H

#include "base/buf.h"
#include "base/json.h"
#include "report/view.h"

struct source_facts {
    uint32_t source; /* enum source */
    uint32_t ideas;  /* not dropped; those that wait for a hook too */
    uint32_t tried;  /* with a measured effect */
    uint32_t held;   /* promoted */
    int64_t cost_u;  /* of all trials of its ideas alone, failed ones too */
    double gain;     /* sum of the gains of those that held */
};

/* Fills out (at most SOURCE_COUNT - 1 entries: those with an idea). */
uint32_t
sources_tally(const struct report *r, struct source_facts out[SOURCE_COUNT]);
double source_win_rate(const struct source_facts *s); /* NaN: none tried */
/* Gain for each core-hour (or whatever the budget counts); NaN: no cost. */
double source_gain_per_unit(const struct source_facts *s);
const char *source_unit_name(const struct core *c); /* "core-hour" */

/* The key "sources"; a section; a section of the page; one line. Each writes
 * nothing (JSON: an empty array) before an idea was tried. */
void sources_json(struct jw *w, const struct report *r);
void sources_md(const struct report *r, struct buf *out);
void section_sources(const struct report *r, struct buf *out);
void sources_line(const struct report *r, struct buf *out);

#endif
