/* Plots of gains: search beside sealed for the finalists, the baseline's
 * noise, the incumbent over the budget spent. Called by html.c. */
#include "report/page.h"
#include "report/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- search and sealed, kept apart ---- */

struct gain_row {
    uint32_t experiment;
    bool has_search, has_sealed;
    struct effect search;
    const struct finalist *sealed;
};

static uint32_t
gain_rows(const struct core *c, struct gain_row v[FINALISTS_MAX])
{
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        v[i].experiment = f->experiment;
        v[i].has_sealed = f->judged;
        v[i].sealed = f;
        v[i].has_search = analysis_effect(c, f->experiment, &v[i].search);
    }
    return c->n_finalists;
}

static void
gain_bar(const struct report *r, struct buf *out, const struct axis *a,
    const char *what, double mean, double lo, double hi, double y,
    const char *class)
{
    uint32_t dec = fmt_decimals(&r->core->spec);
    char s[64];
    struct buf tip = {0};
    buf_printf(&tip, "%s gain %s", what, fmt_interval(mean, lo, hi, dec).s);
    snprintf(s, sizeof(s), "meas %s", class);
    svg_line(out, axis_at(a, lo), y, axis_at(a, hi), y, s);
    snprintf(s, sizeof(s), "measdot %s", class);
    svg_dot(out, axis_at(a, mean), y, 5, s, buf_str(&tip));
    svg_text(out, 196, y + 4, SVG_END, 0, "mutetext", what);
    svg_text(out, 720, y + 4, SVG_START, 0, "num",
        page_minus(fmt_interval(mean, lo, hi, dec)).s);
    buf_fini(&tip);
}

static void
gain_row_draw(const struct report *r, const struct gain_row *g,
    const struct axis *a, double y, struct buf *out)
{
    const struct core *c = r->core;
    struct buf label = {0};
    char s[64];
    bool proposed = g->experiment == c->proposal;
    snprintf(
        s, sizeof(s), "E%u%s", g->experiment, proposed ? ", proposed" : "");
    svg_text(out, 4, y + 13, SVG_START, 0, "id", s);
    experiment_label(c, g->experiment, &label);
    svg_text(out, 4, y + 31, SVG_START, 130, "mutetext", buf_str(&label));
    if (g->has_search)
        gain_bar(r, out, a, "search", g->search.mean, g->search.lo,
            g->search.hi, y + 9, "blue");
    if (g->has_sealed)
        gain_bar(r, out, a, "sealed", g->sealed->gain, g->sealed->lo,
            g->sealed->hi, y + 29,
            proposed            ? "good"
            : g->sealed->lo > 0 ? "mute"
                                : "bad");
    else
        svg_text(out, 196, y + 33, SVG_END, 0, "mutetext", "not opened");
    buf_fini(&label);
}

bool
plot_gains(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    const struct metric *m = &c->spec.metric[c->spec.primary];
    struct gain_row v[FINALISTS_MAX];
    uint32_t n = gain_rows(c, v);
    double lo = -m->min_gain, hi = 2 * m->min_gain;
    struct axis a;
    if (n == 0)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].has_search) {
            lo = fmin(lo, v[i].search.lo);
            hi = fmax(hi, v[i].search.hi);
        }
        if (v[i].has_sealed) {
            lo = fmin(lo, v[i].sealed->lo);
            hi = fmax(hi, v[i].sealed->hi);
        }
    }
    double pad = .05 * (hi - lo), y1 = 8 + n * 50.0;
    axis_init(&a, lo - pad, hi + pad, 210, 700, 6);
    svg_open(out, 1000, y1 + 42, "Search and sealed gain of the finalists");
    axis_draw_x(out, &a, 4, y1, true,
        "gain over the baseline; dashed: smallest gain worth shipping");
    svg_line(out, axis_at(&a, 0), 4, axis_at(&a, 0), y1, "zero");
    svg_line(
        out, axis_at(&a, m->min_gain), 4, axis_at(&a, m->min_gain), y1, "mark");
    for (uint32_t i = 0; i < n; i++)
        gain_row_draw(r, &v[i], &a, 8 + i * 50.0, out);
    svg_close(out);
    return true;
}

/* ---- baseline ---- */

/* Dots that would touch are stacked upwards. */
static double
dot_height(const double *xs, const double *ys, uint32_t n, double x)
{
    double y = 190;
    for (uint32_t tries = 0; tries < 9; tries++) {
        bool free_place = true;
        for (uint32_t i = 0; i < n; i++)
            if (fabs(xs[i] - x) < 10 && fabs(ys[i] - y) < 10)
                free_place = false;
        if (free_place)
            break;
        y -= 11;
    }
    return y;
}

static void
baseline_dots(const struct report *r, const struct base_values *b,
    const struct axis *a, uint32_t dec, struct buf *out)
{
    double xs[256], ys[256];
    char tip[128];
    for (uint32_t i = 0; i < b->n; i++) {
        const struct trial *t = &r->core->trial[b->trial[i] - 1];
        xs[i] = axis_at(a, b->v[i]);
        ys[i] = dot_height(xs, ys, i, xs[i]);
        snprintf(tip, sizeof(tip), "T%u, seed %u, %s\n%s", b->trial[i], t->seed,
            phase_name(t->phase), fmt_value(b->v[i], dec + 1).s);
        svg_dot(out, xs[i], ys[i], 5,
            t->phase == PHASE_CONFIRMATION ? "measdot mute" : "measdot blue",
            tip);
    }
}

static void
baseline_min_gain(
    const struct axis *a, double from, double to, uint32_t dec, struct buf *out)
{
    char s[96];
    double x1 = axis_at(a, from), x2 = axis_at(a, to);
    snprintf(
        s, sizeof(s), "smallest gain %s", fmt_value(fabs(to - from), dec).s);
    svg_line(out, x1, 240, x2, 240, "ruler");
    svg_line(out, x1, 235, x1, 245, "ruler");
    svg_line(out, x2, 235, x2, 245, "ruler");
    double mid = (x1 + x2) / 2, half = svg_text_px(s) / 2;
    mid = fmin(fmax(mid, 24 + half), 470 - half);
    svg_text(out, mid, 262, SVG_MIDDLE, 0, "mutetext", s);
}

bool
plot_baseline(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    const struct metric *m = &c->spec.metric[c->spec.primary];
    struct base_values b;
    struct baseline_stat s;
    struct axis a;
    char text[160];
    uint32_t dec = fmt_decimals(&c->spec);
    baseline_values(c, &b);
    analysis_baseline(c, &s);
    if (b.n == 0 || !isfinite(s.mean) || !isfinite(s.sd))
        return false;
    double better = m->goal == GOAL_MIN ? -m->min_gain : m->min_gain;
    double lo = s.mean - 2 * s.sd, hi = s.mean + 2 * s.sd;
    lo = fmin(lo, fmin(s.mean, s.mean + better));
    hi = fmax(hi, fmax(s.mean, s.mean + better));
    for (uint32_t i = 0; i < b.n; i++) {
        lo = fmin(lo, b.v[i]);
        hi = fmax(hi, b.v[i]);
    }
    double pad = .07 * (hi - lo);
    axis_init(&a, lo - pad, hi + pad, 24, 470, 4);
    svg_open(out, 490, 350, "Baseline with seed noise");
    double x1 = axis_at(&a, s.mean - s.sd), x2 = axis_at(&a, s.mean + s.sd);
    svg_rect(out, x1, 46, x2 - x1, 254, "band", NULL);
    axis_draw_x(out, &a, 46, 300, false, m->name);
    svg_line(out, axis_at(&a, s.mean), 46, axis_at(&a, s.mean), 300, "zero");
    snprintf(text, sizeof(text), "mean %s, seed sd %s",
        fmt_value(s.mean, dec).s, fmt_value(s.sd, dec + 1).s);
    double half = svg_text_px(text) / 2;
    svg_text(out, fmin(fmax(axis_at(&a, s.mean), 24 + half), 470 - half), 38,
        SVG_MIDDLE, 0, "lab", text);
    baseline_dots(r, &b, &a, dec, out);
    baseline_min_gain(&a, s.mean, s.mean + better, dec, out);
    svg_dot(out, 30, 9, 5, "measdot blue", NULL);
    svg_text(out, 40, 13, SVG_START, 0, "head", "at the start");
    svg_dot(out, 140, 9, 5, "measdot mute", NULL);
    svg_text(out, 150, 13, SVG_START, 0, "head", "fresh seeds of confirmation");
    svg_close(out);
    return true;
}

/* ---- incumbent over budget ---- */

static double
last_spent(const struct report *r)
{
    double x = (double)r->core->spent_u;
    return x > 0 ? x : 1;
}

/* Phases as lanes behind the curve. */
static void
curve_lanes(const struct report *r, const struct axis *ax, struct buf *out)
{
    const struct report_points *p = &r->points;
    double from = 0, free_from = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        bool last = i + 1 == p->n || p->v[i + 1].phase != p->v[i].phase;
        if (!last)
            continue;
        double to = i + 1 == p->n ? last_spent(r) : (double)p->v[i].spent_u;
        double x1 = axis_at(ax, from), x2 = axis_at(ax, to);
        const char *name = phase_name(p->v[i].phase);
        char s[32];
        snprintf(s, sizeof(s), "lane p%u", p->v[i].phase);
        svg_rect(out, x1, 24, x2 - x1, 256, s, name);
        double half = svg_text_px(name) / 2, mid = (x1 + x2) / 2;
        if (mid - half >= free_from && x2 - x1 > 8) {
            svg_text(out, mid, 16, SVG_MIDDLE, 0, "head", name);
            free_from = mid + half + 8;
        }
        from = to;
    }
}

/* Where step i of the curve ends. */
static double
step_end(const struct report *r, uint32_t i)
{
    return i + 1 == r->points.n ? last_spent(r)
                                : (double)r->points.v[i + 1].spent_u;
}

/* One closed shape for each stretch with an incumbent: out along the upper
 * ends, back along the lower ones. */
static void
curve_band(const struct report *r, const struct axis *ax, const struct axis *ay,
    struct buf *out)
{
    const struct report_points *p = &r->points;
    for (uint32_t i = 0; i < p->n;) {
        uint32_t end = i;
        while (end < p->n && p->v[end].experiment != 0)
            end++;
        if (end == i) {
            i++;
            continue;
        }
        buf_printf(out, "<path class=\"cband\" d=\"M%.1f %.1f",
            axis_at(ax, (double)p->v[i].spent_u), axis_at(ay, p->v[i].hi));
        for (uint32_t k = i; k < end; k++)
            buf_printf(out, "V%.1fH%.1f", axis_at(ay, p->v[k].hi),
                axis_at(ax, step_end(r, k)));
        for (uint32_t k = end; k > i; k--)
            buf_printf(out, "V%.1fH%.1f", axis_at(ay, p->v[k - 1].lo),
                axis_at(ax, (double)p->v[k - 1].spent_u));
        buf_puts(out, "Z\"/>\n");
        i = end;
    }
}

static void
curve_line(const struct report *r, const struct axis *ax, const struct axis *ay,
    struct buf *out)
{
    const struct report_points *p = &r->points;
    uint32_t dec = fmt_decimals(&r->core->spec), before = 0;
    buf_printf(out, "<path class=\"curve\" d=\"M%.1f %.1f", axis_at(ax, 0),
        axis_at(ay, 0));
    for (uint32_t i = 0; i < p->n; i++)
        buf_printf(out, "H%.1fV%.1f", axis_at(ax, (double)p->v[i].spent_u),
            axis_at(ay, p->v[i].gain));
    buf_printf(out, "H%.1f\"/>\n", axis_at(ax, last_spent(r)));
    for (uint32_t i = 0; i < p->n; i++) {
        const struct report_point *q = &p->v[i];
        struct buf tip = {0};
        if (q->experiment == before)
            continue;
        before = q->experiment;
        if (before == 0) {
            buf_puts(&tip, "no idea ahead of the baseline");
        } else {
            buf_printf(&tip, "E%u (", before);
            experiment_label(r->core, before, &tip);
            buf_printf(&tip, ") becomes the incumbent\n%s",
                fmt_interval(q->gain, q->lo, q->hi, dec).s);
        }
        svg_dot(out, axis_at(ax, (double)q->spent_u), axis_at(ay, q->gain), 4,
            "measdot blue", buf_str(&tip));
        buf_fini(&tip);
    }
}

static void
curve_sealed(const struct report *r, const struct axis *ay, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t i = finalist_of(c, c->proposal);
    uint32_t dec = fmt_decimals(&c->spec);
    struct buf tip = {0};
    if (c->proposal == 0 || i == c->n_finalists || !c->finalist[i].judged)
        return;
    const struct finalist *f = &c->finalist[i];
    buf_printf(&tip, "E%u on the sealed metric\n%s", f->experiment,
        fmt_interval(f->gain, f->lo, f->hi, dec).s);
    svg_line(
        out, 916, axis_at(ay, f->lo), 916, axis_at(ay, f->hi), "meas good");
    svg_dot(out, 916, axis_at(ay, f->gain), 5, "measdot good", buf_str(&tip));
    svg_text(out, 926, axis_at(ay, f->gain) + 4, SVG_START, 0, "lab", "sealed");
    buf_fini(&tip);
}

bool
plot_curve(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    const struct metric *m = &c->spec.metric[c->spec.primary];
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    double lo = -m->min_gain / 2, hi = 2 * m->min_gain;
    uint32_t i = finalist_of(c, c->proposal);
    struct axis ax, ay, shown;
    char title[200];
    if (r->points.n < 2 || c->spent_u <= 0)
        return false;
    for (uint32_t k = 0; k < r->points.n; k++)
        if (r->points.v[k].experiment != 0) {
            hi = fmax(hi, r->points.v[k].hi);
            lo = fmin(lo, r->points.v[k].lo);
        }
    if (i < c->n_finalists && c->finalist[i].judged) {
        hi = fmax(hi, c->finalist[i].hi);
        lo = fmin(lo, c->finalist[i].lo);
    }
    axis_init(&ax, 0, last_spent(r), 88, 890, 8);
    axis_init(&shown, 0, last_spent(r) * u.per_micro, 88, 890, 8);
    axis_init(&ay, lo - .04 * (hi - lo), hi + .04 * (hi - lo), 280, 24, 6);
    svg_open(out, 1000, 322, "Gain of the incumbent over the budget spent");
    curve_lanes(r, &ax, out);
    snprintf(title, sizeof(title), "budget spent (%s of %s approved)", u.name,
        fmt_cost(u, c->approved_u).s);
    axis_draw_x(out, &shown, 24, 280, false, title);
    snprintf(title, sizeof(title), "gain on %s", m->name);
    axis_draw_y(out, &ay, 88, 890, true, title);
    svg_line(out, 88, axis_at(&ay, 0), 890, axis_at(&ay, 0), "zero");
    svg_line(out, 88, axis_at(&ay, m->min_gain), 890, axis_at(&ay, m->min_gain),
        "mark");
    curve_band(r, &ax, &ay, out);
    curve_line(r, &ax, &ay, out);
    curve_sealed(r, &ay, out);
    svg_close(out);
    return true;
}
