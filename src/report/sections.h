/* Sections of the HTML page, in the order of the page. Each writes its
 * heading and body, or nothing when the campaign has nothing to say there. */
#ifndef REPORT_SECTIONS_H
#define REPORT_SECTIONS_H

#include "base/buf.h"
#include "report/view.h"

void section_head(const struct report *r, struct buf *out);
void section_proposal(const struct report *r, struct buf *out);
void section_ideas(const struct report *r, struct buf *out);
void section_baseline(const struct report *r, struct buf *out);
void section_combination(const struct report *r, struct buf *out);
void section_gain(const struct report *r, struct buf *out);
void section_sealed(const struct report *r, struct buf *out);
void section_time(const struct report *r, struct buf *out);
void section_failures(const struct report *r, struct buf *out);
void section_engineer(const struct report *r, struct buf *out);
void section_trials(const struct report *r, struct buf *out);
void section_log(const struct report *r, struct buf *out);
void section_repro(const struct report *r, struct buf *out);

/* "<tag class=...>escaped</tag>" */
void put_cell(struct buf *out, const char *class, const char *text);
/* A table cell with a number and a true minus sign. */
void put_num(struct buf *out, const char *number);

#endif
