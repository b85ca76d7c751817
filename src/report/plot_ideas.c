/* Plots of single ideas: predicted against measured, as a forest and as a
 * scatter. Called by html.c. A whisker that leaves the plot is cut and marked,
 * so that one wild idea does not flatten the others. */
#include "report/page.h"
#include "report/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct idea {
    uint32_t h;
    bool measured;
    double p, plo, phi; /* predicted, 95 % */
    double m, mlo, mhi; /* measured, 95 % */
};

static void
idea_fill(const struct report *r, uint32_t h, struct idea *x)
{
    const struct hypothesis *hy = &r->core->hypothesis[h];
    double half = 1.96 * hypothesis_prior_sd(r, h);
    x->h = h;
    x->p = isfinite(hy->prior_mean) ? hy->prior_mean : 0;
    x->plo = x->p - half;
    x->phi = x->p + half;
    x->measured = hypothesis_effect(r, h, &x->m, &x->mlo, &x->mhi);
}

static int
double_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* A range that holds 0, the smallest gain and every measured gain's upper end.
 * Losses and predictions that lie further out than twice the middle
 * half of all ends are cut: one wild idea must not flatten the others. */
static void
ideas_range(
    const struct idea *v, uint32_t n, double min_gain, double *lo, double *hi)
{
    double e[4 * HYPOTHESES_MAX], best = 2 * min_gain;
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) {
        e[k++] = v[i].plo;
        e[k++] = v[i].phi;
        if (v[i].measured) {
            e[k++] = v[i].mlo;
            e[k++] = v[i].mhi;
            best = fmax(best, v[i].mhi);
        }
    }
    qsort(e, k, sizeof(e[0]), double_compare);
    double mid = e[k / 2], spread = fmax(e[3 * k / 4] - e[k / 4], min_gain);
    *lo = fmin(fmax(e[0], mid - 2 * spread), -min_gain);
    *hi = fmax(fmin(e[k - 1], mid + 2 * spread), best);
    double pad = .04 * (*hi - *lo);
    *lo -= pad;
    *hi += pad;
}

static const char *
verdict_class(uint32_t verdict)
{
    switch (verdict) {
    case VERDICT_PROMOTE:
        return "good";
    case VERDICT_REJECT:
    case VERDICT_UNSTABLE:
        return "bad";
    case VERDICT_INCONCLUSIVE:
        return "warn";
    default:
        return "mute";
    }
}

static void
whisker(struct buf *out, const struct axis *a, double lo, double hi, double y,
    const char *class)
{
    double x1 = axis_at(a, lo), x2 = axis_at(a, hi);
    svg_line(out, x1, y, x2, y, class);
    if (lo < a->lo)
        buf_printf(out,
            "<path class=\"%s\" d=\"M%.1f %.1fl5 -3.5M%.1f "
            "%.1fl5 3.5\"/>\n",
            class, x1, y, x1, y);
    if (hi > a->hi)
        buf_printf(out,
            "<path class=\"%s\" d=\"M%.1f %.1fl-5 -3.5M%.1f "
            "%.1fl-5 3.5\"/>\n",
            class, x2, y, x2, y);
}

static void
idea_tip(const struct report *r, const struct idea *x, struct buf *tip)
{
    uint32_t dec = fmt_decimals(&r->core->spec);
    struct buf scratch = {0};
    buf_clear(tip);
    buf_printf(tip, "H%u %s\npredicted %s", x->h + 1,
        hypothesis_statement(r, x->h, &scratch),
        fmt_interval(x->p, x->plo, x->phi, dec).s);
    if (x->measured)
        buf_printf(tip, "\nmeasured %s, %u trials",
            fmt_interval(x->m, x->mlo, x->mhi, dec).s,
            hypothesis_trials(r, x->h));
    buf_printf(tip, "\n%s", verdict_name(hypothesis_verdict(r, x->h)));
    if (r->core->hypothesis[x->h].proved)
        buf_puts(tip, ", proved");
    buf_fini(&scratch);
}

/* ---- forest ---- */

enum { ROW_H = 30, FOREST_X0 = 402, FOREST_X1 = 742 };

static void
forest_row(const struct report *r, const struct idea *x, const struct axis *a,
    double y, struct buf *out)
{
    const struct hypothesis *hy = &r->core->hypothesis[x->h];
    uint32_t dec = fmt_decimals(&r->core->spec);
    uint32_t verdict = hypothesis_verdict(r, x->h);
    struct buf tip = {0}, scratch = {0};
    char s[64];
    idea_tip(r, x, &tip);
    svg_rect(out, 0, y - ROW_H / 2.0, 1000, ROW_H, "row", buf_str(&tip));
    snprintf(s, sizeof(s), "H%u", x->h + 1);
    svg_text(out, 4, y + 4, SVG_START, 0, "id", s);
    svg_text(out, 42, y + 4, SVG_START, 286, "lab",
        hypothesis_statement(r, x->h, &scratch));
    svg_text(out, 388, y + 4, SVG_END, 0, "mutetext", source_name(hy->source));
    whisker(out, a, x->plo, x->phi, y - 5, "pred");
    if (axis_has(a, x->p))
        svg_diamond(out, axis_at(a, x->p), y - 5, 4, "preddot", NULL);
    if (x->measured) {
        snprintf(s, sizeof(s), "meas %s", verdict_class(verdict));
        whisker(out, a, x->mlo, x->mhi, y + 5, s);
        snprintf(s, sizeof(s), "measdot %s", verdict_class(verdict));
        if (axis_has(a, x->m))
            svg_dot(out, axis_at(a, x->m), y + 5, 4.2, s, NULL);
    }
    svg_text(out, 818, y + 4, SVG_END, 0, "num",
        x->measured ? page_minus(fmt_gain(x->m, dec)).s : "–");
    snprintf(s, sizeof(s), "vtext %s", verdict_class(verdict));
    svg_text(out, 834, y + 4, SVG_START, 0, s,
        verdict == VERDICT_NEEDS_HOOK ? "needs hook" : verdict_name(verdict));
    if (hy->proved)
        svg_text(out, 940, y + 4, SVG_START, 0, "proved", "✓ proved");
    else if (hy->dropped)
        svg_text(out, 940, y + 4, SVG_START, 0, "mutetext", "dropped");
    buf_fini(&tip);
    buf_fini(&scratch);
}

static void
forest_head(const struct axis *a, double min_gain, double y0, double y1,
    struct buf *out)
{
    svg_text(out, 42, 14, SVG_START, 0, "head", "idea");
    svg_text(out, 388, 14, SVG_END, 0, "head", "source");
    svg_text(out, 818, 14, SVG_END, 0, "head", "gain");
    svg_text(out, 834, 14, SVG_START, 0, "head", "verdict");
    /* legend, above the plot */
    svg_line(out, FOREST_X0 + 20, 10, FOREST_X0 + 48, 10, "pred");
    svg_diamond(out, FOREST_X0 + 34, 10, 4, "preddot", NULL);
    svg_text(out, FOREST_X0 + 55, 14, SVG_START, 0, "head", "predicted");
    svg_line(out, FOREST_X0 + 140, 10, FOREST_X0 + 168, 10, "meas mute");
    svg_dot(out, FOREST_X0 + 154, 10, 4.2, "measdot mute", NULL);
    svg_text(out, FOREST_X0 + 175, 14, SVG_START, 0, "head",
        "measured, 95 % intervals");
    svg_line(out, axis_at(a, 0), y0, axis_at(a, 0), y1, "zero");
    if (axis_has(a, min_gain))
        svg_line(
            out, axis_at(a, min_gain), y0, axis_at(a, min_gain), y1, "mark");
}

bool
plot_forest(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    const struct metric *m = &c->spec.metric[c->spec.primary];
    struct idea v[HYPOTHESES_MAX];
    uint32_t order[HYPOTHESES_MAX], n = c->n_hypotheses;
    struct axis a;
    double lo, hi, y0 = 24, y1 = y0 + (double)(n * ROW_H);
    char title[200];
    if (n == 0)
        return false;
    ideas_sort(r, order);
    for (uint32_t i = 0; i < n; i++)
        idea_fill(r, order[i], &v[i]);
    ideas_range(v, n, m->min_gain, &lo, &hi);
    axis_init(&a, lo, hi, FOREST_X0, FOREST_X1, 5);
    svg_open(out, 1000, y1 + 44, "Predicted and measured gain of each idea");
    snprintf(title, sizeof(title),
        "gain on %s alone over the baseline; dashed: smallest gain worth "
        "shipping",
        m->name);
    axis_draw_x(out, &a, y0, y1, true, title);
    forest_head(&a, m->min_gain, y0, y1, out);
    for (uint32_t i = 0; i < n; i++)
        forest_row(r, &v[i], &a, y0 + ((double)i + .5) * ROW_H, out);
    svg_close(out);
    return true;
}

/* ---- scatter ---- */

struct box {
    double x0, y0, x1, y1;
};

static bool
box_hits(const struct box *b, const struct box *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (b->x0 < list[i].x1 && list[i].x0 < b->x1 && b->y0 < list[i].y1 &&
            list[i].y0 < b->y1)
            return true;
    return false;
}

/* Puts a label beside a dot, where it covers no dot and no other label; none
 * is drawn when there is no such place (the hover still tells). */
static void
label_place(struct buf *out, double x, double y, const char *text,
    struct box *taken, uint32_t *n)
{
    static const double at[8][2] = {{8, -6}, {8, 14}, {-8, -6}, {-8, 14},
        {12, 4}, {-12, 4}, {0, -10}, {0, 20}};
    double w = svg_text_px(text);
    for (uint32_t i = 0; i < 8; i++) {
        double dx = at[i][0], dy = at[i][1];
        double left = dx > 0 ? x + dx : dx < 0 ? x + dx - w : x - w / 2;
        struct box b = {left - 1, y + dy - 11, left + w + 1, y + dy + 2};
        if (box_hits(&b, taken, *n))
            continue;
        taken[(*n)++] = b;
        svg_text(out, left, y + dy, SVG_START, 0, "lab", text);
        return;
    }
}

static void
scatter_marks(const struct report *r, const struct idea *v, uint32_t n,
    const struct axis *ax, const struct axis *ay, struct buf *out)
{
    struct box taken[2 * HYPOTHESES_MAX];
    struct buf tip = {0};
    uint32_t k = 0;
    char s[64];
    for (uint32_t i = 0; i < n; i++) {
        double x = axis_at(ax, v[i].p), y = axis_at(ay, v[i].m);
        svg_line(
            out, x, axis_at(ay, v[i].mlo), x, axis_at(ay, v[i].mhi), "thin");
        taken[k++] = (struct box){x - 5, y - 5, x + 5, y + 5};
    }
    for (uint32_t i = 0; i < n; i++) {
        double x = axis_at(ax, v[i].p), y = axis_at(ay, v[i].m);
        idea_tip(r, &v[i], &tip);
        snprintf(s, sizeof(s), "measdot %s",
            verdict_class(hypothesis_verdict(r, v[i].h)));
        svg_dot(out, x, y, 5, s, buf_str(&tip));
        snprintf(s, sizeof(s), "H%u", v[i].h + 1);
        label_place(out, x, y, s, taken, &k);
    }
    buf_fini(&tip);
}

bool
plot_scatter(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    struct idea v[HYPOTHESES_MAX], measured[HYPOTHESES_MAX];
    uint32_t n = 0;
    struct axis ax, ay;
    for (uint32_t h = 0; h < c->n_hypotheses; h++) {
        idea_fill(r, h, &v[n]);
        n += v[n].measured;
    }
    if (n < 2)
        return false;
    double xlo = 0, xhi = 0, ylo, yhi;
    for (uint32_t i = 0; i < n; i++) {
        xlo = fmin(xlo, v[i].p);
        xhi = fmax(xhi, v[i].p);
    }
    double pad = fmax(.12 * (xhi - xlo), min_gain);
    for (uint32_t i = 0; i < n; i++) { /* predictions have their own axis */
        measured[i] = v[i];
        measured[i].plo = v[i].mlo;
        measured[i].phi = v[i].mhi;
    }
    ideas_range(measured, n, min_gain, &ylo, &yhi);
    axis_init(&ax, xlo - pad, xhi + pad, 78, 470, 5);
    axis_init(&ay, ylo, yhi, 300, 12, 6);
    svg_open(out, 490, 350, "Measured against predicted gain");
    axis_draw_x(out, &ax, 12, 300, true, "predicted gain");
    axis_draw_y(out, &ay, 78, 470, true, "measured gain");
    svg_line(out, axis_at(&ax, 0), 12, axis_at(&ax, 0), 300, "zero");
    svg_line(out, 78, axis_at(&ay, 0), 470, axis_at(&ay, 0), "zero");
    double d0 = fmax(ax.lo, ay.lo), d1 = fmin(ax.hi, ay.hi);
    if (d1 > d0)
        svg_line(out, axis_at(&ax, d0), axis_at(&ay, d0), axis_at(&ax, d1),
            axis_at(&ay, d1), "mark");
    scatter_marks(r, v, n, &ax, &ay, out);
    svg_close(out);
    return true;
}
