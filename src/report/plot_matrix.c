/* The interaction matrix of Combination: below the diagonal the estimate and
 * its verdict, above it the interval, on it each idea's own gain. Called by
 * html.c. */
#include "report/page.h"
#include "report/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELL_W = 92, CELL_H = 46, MATRIX_X = 300, MATRIX_Y = 34, SIDE_MAX = 8 };

/* Indexes of the ideas that were crossed; returns how many. */
static uint32_t
matrix_sides(const struct core *c, uint32_t side[SIDE_MAX])
{
    uint64_t mask = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_pairs; i++)
        if (c->pair[i].verdict != PAIR_NONE)
            mask |= 1ull << c->pair[i].a | 1ull << c->pair[i].b;
    for (uint32_t h = 0; h < c->n_hypotheses && n < SIDE_MAX; h++)
        if ((mask >> h & 1) != 0)
            side[n++] = h;
    return n;
}

static const struct pair *
pair_of(const struct core *c, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < c->n_pairs; i++)
        if (c->pair[i].verdict != PAIR_NONE &&
            ((c->pair[i].a == a && c->pair[i].b == b) ||
                (c->pair[i].a == b && c->pair[i].b == a)))
            return &c->pair[i];
    return NULL;
}

static const char *
pair_class(uint32_t verdict)
{
    switch (verdict) {
    case PAIR_SYNERGY:
        return "syn";
    case PAIR_CONFLICT:
        return "con";
    case PAIR_ADDITIVE:
        return "add";
    default:
        return "unc";
    }
}

static void
cell_pair(const struct report *r, uint32_t a, uint32_t b, double x, double y,
    bool lower, double scale, struct buf *out)
{
    const struct pair *p = pair_of(r->core, a, b);
    uint32_t dec = fmt_decimals(&r->core->spec);
    char s[96];
    struct buf tip = {0};
    if (p == NULL) {
        svg_rect(out, x + 1, y + 1, CELL_W - 2, CELL_H - 2, "cell none",
            "not crossed");
        return;
    }
    buf_printf(&tip, "H%u x H%u: %s\ninteraction %s", p->a + 1u, p->b + 1u,
        pair_name(p->verdict), fmt_interval(p->mean, p->lo, p->hi, dec).s);
    if (!lower) {
        svg_rect(out, x + 1, y + 1, CELL_W - 2, CELL_H - 2, "cell none",
            buf_str(&tip));
        svg_text(out, x + CELL_W / 2.0, y + 20, SVG_MIDDLE, 0, "num small",
            page_minus(fmt_gain(p->lo, dec)).s);
        svg_text(out, x + CELL_W / 2.0, y + 36, SVG_MIDDLE, 0, "num small",
            page_minus(fmt_gain(p->hi, dec)).s);
        buf_fini(&tip);
        return;
    }
    /* How strong the tint is tells the size beside the largest one. */
    snprintf(s, sizeof(s), "cell %s", p->mean >= 0 ? "plus" : "minus");
    buf_printf(out, "<g fill-opacity=\"%.2f\">",
        .08 + .42 * (scale > 0 ? fabs(p->mean) / scale : 0));
    svg_rect(out, x + 1, y + 1, CELL_W - 2, CELL_H - 2, s, buf_str(&tip));
    buf_puts(out, "</g>");
    svg_text(out, x + CELL_W / 2.0, y + 20, SVG_MIDDLE, 0, "num",
        page_minus(fmt_gain(p->mean, dec)).s);
    snprintf(s, sizeof(s), "vtext small %s", pair_class(p->verdict));
    svg_text(
        out, x + CELL_W / 2.0, y + 36, SVG_MIDDLE, 0, s, pair_name(p->verdict));
    buf_fini(&tip);
}

static void
cell_own(
    const struct report *r, uint32_t h, double x, double y, struct buf *out)
{
    uint32_t dec = fmt_decimals(&r->core->spec);
    double m, lo, hi;
    svg_rect(out, x + 1, y + 1, CELL_W - 2, CELL_H - 2, "cell own", NULL);
    if (!hypothesis_effect(r, h, &m, &lo, &hi))
        return;
    svg_text(out, x + CELL_W / 2.0, y + 20, SVG_MIDDLE, 0, "num",
        page_minus(fmt_gain(m, dec)).s);
    svg_text(out, x + CELL_W / 2.0, y + 36, SVG_MIDDLE, 0, "mutetext small",
        "alone");
}

bool
plot_matrix(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t side[SIDE_MAX], n = matrix_sides(c, side);
    double scale = 0;
    struct buf scratch = {0};
    char s[64];
    if (n < 2)
        return false;
    for (uint32_t i = 0; i < c->n_pairs; i++)
        if (c->pair[i].verdict != PAIR_NONE)
            scale = fmax(scale, fabs(c->pair[i].mean));
    svg_open(out, MATRIX_X + (double)n * CELL_W + 10,
        MATRIX_Y + (double)n * CELL_H + 34, "Interactions of crossed ideas");
    for (uint32_t i = 0; i < n; i++) {
        double y = MATRIX_Y + (double)i * CELL_H;
        snprintf(s, sizeof(s), "H%u", side[i] + 1);
        svg_text(out, MATRIX_X + ((double)i + .5) * CELL_W, MATRIX_Y - 10,
            SVG_MIDDLE, 0, "id", s);
        svg_text(out, 4, y + 27, SVG_START, 0, "id", s);
        svg_text(out, 40, y + 27, SVG_START, 248, "lab",
            hypothesis_statement(r, side[i], &scratch));
        for (uint32_t k = 0; k < n; k++) {
            double x = MATRIX_X + (double)k * CELL_W;
            if (i == k)
                cell_own(r, side[i], x, y, out);
            else
                cell_pair(r, side[i], side[k], x, y, k < i, scale, out);
        }
    }
    svg_text(out, MATRIX_X, MATRIX_Y + (double)n * CELL_H + 20, SVG_START, 0,
        "mutetext", "below: interaction");
    svg_text(out, MATRIX_X + (double)n * CELL_W,
        MATRIX_Y + (double)n * CELL_H + 20, SVG_END, 0, "mutetext",
        n > 2 ? "above: its 95 % interval" : "");
    svg_close(out);
    buf_fini(&scratch);
    return true;
}
