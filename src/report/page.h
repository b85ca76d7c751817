/* Building blocks of the HTML page: escaped text, SVG marks, axes. Nothing a
 * user or a job wrote reaches the page except through page_text. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "base/buf.h"
#include "report/fmt.h"
#include "report/view.h"

/* Escapes & < > " ' and control characters, replaces bytes that are no UTF-8;
 * fit for element content and for quoted attributes. */
void page_text(struct buf *out, const char *s);
/* At most n characters, then an ellipsis. */
void page_text_cut(struct buf *out, const char *s, uint32_t n);
/* A number with a true minus sign. */
void page_num(struct buf *out, const char *number);
struct fmt page_minus(struct fmt f);

/* ---- SVG; coordinates are in a viewBox of w x h units ---- */

void svg_open(struct buf *out, double w, double h, const char *label);
void svg_close(struct buf *out);
void svg_line(struct buf *out, double x1, double y1, double x2, double y2,
    const char *class);
/* tip: plain text shown on hover, lines apart by \n; NULL: none. */
void svg_rect(struct buf *out, double x, double y, double w, double h,
    const char *class, const char *tip);
void svg_dot(struct buf *out, double x, double y, double r, const char *class,
    const char *tip);
void svg_diamond(struct buf *out, double x, double y, double r,
    const char *class, const char *tip);
enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };
/* At most max_px wide (0: no limit): cut with an ellipsis by an estimate of
 * the width that errs on the wide side. */
void svg_text(struct buf *out, double x, double y, enum svg_anchor anchor,
    double max_px, const char *class, const char *text);
double svg_text_px(const char *text); /* estimate at the plots' font size */

/* ---- axes ---- */

enum { TICKS_MAX = 12 };

struct axis {
    double lo, hi; /* values */
    double p0, p1; /* pixels of lo and hi */
    uint32_t n;
    double tick[TICKS_MAX];
    uint32_t decimals; /* that tell the ticks apart */
};
/* Widens [lo, hi] to round ticks; about `want` of them. */
void axis_init(
    struct axis *a, double lo, double hi, double p0, double p1, uint32_t want);
/* Ticks at round times; values are milliseconds from 0. */
void axis_init_time(
    struct axis *a, double hi_ms, double p0, double p1, uint32_t want);
double axis_at(const struct axis *a, double v); /* clamped to the plot */
bool axis_has(const struct axis *a, double v);  /* inside? */
struct fmt axis_label(const struct axis *a, double v);
struct fmt axis_label_gain(const struct axis *a, double v);
/* A horizontal axis below a plot whose top is y0 and bottom y1: grid, tick
 * labels, title. signed_labels: "+0.001". */
void axis_draw_x(struct buf *out, const struct axis *a, double y0, double y1,
    bool signed_labels, const char *title);
void axis_draw_y(struct buf *out, const struct axis *a, double x0, double x1,
    bool signed_labels, const char *title);

/* ---- plots: each appends one <svg>, or nothing when there is no such data
 * and returns false ---- */

bool plot_gains(const struct report *r, struct buf *out);
bool plot_forest(const struct report *r, struct buf *out);
bool plot_scatter(const struct report *r, struct buf *out);
bool plot_baseline(const struct report *r, struct buf *out);
bool plot_matrix(const struct report *r, struct buf *out);
bool plot_curve(const struct report *r, struct buf *out);
bool plot_timeline(const struct report *r, struct buf *out);
bool plot_budget(const struct report *r, struct buf *out);

/* style.c: what the page carries inline. */
void page_css(struct buf *out);
void page_js(struct buf *out);

#endif
