/* Escaping, SVG marks and axes for html.c and the plots. The invariant of the
 * whole page sits in page_text: whatever goes in, no markup comes out. */
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 character at s, 0 when it is none. */
static size_t
utf8_len(const char *s)
{
    unsigned char c = (unsigned char)s[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
    unsigned char d = n > 1 ? (unsigned char)s[1] : 0;
    bool overlong = (c == 0xe0 && d < 0xa0) || (c == 0xf0 && d < 0x90);
    bool beyond = (c == 0xed && d > 0x9f) || (c == 0xf4 && d > 0x8f);
    return overlong || beyond ? 0 : n;
}

static void
put_char(struct buf *out, const char *s, size_t n)
{
    switch (s[0]) {
    case '&':
        buf_puts(out, "&amp;");
        return;
    case '<':
        buf_puts(out, "&lt;");
        return;
    case '>':
        buf_puts(out, "&gt;");
        return;
    case '"':
        buf_puts(out, "&quot;");
        return;
    case '\'':
        buf_puts(out, "&#39;");
        return;
    case '\n':
        buf_puts(out, "&#10;");
        return;
    default:
        if (n == 1 && ((unsigned char)s[0] < 0x20 || s[0] == 0x7f))
            buf_putc(out, ' ');
        else
            buf_add(out, s, n);
    }
}

void
page_text_cut(struct buf *out, const char *s, uint32_t max)
{
    for (uint32_t i = 0; *s != '\0'; i++) {
        size_t n = utf8_len(s);
        if (i + 1 >= max && s[n == 0 ? 1 : n] != '\0') {
            buf_puts(out, "…");
            return;
        }
        if (n == 0)
            buf_puts(out, "\xef\xbf\xbd");
        else
            put_char(out, s, n);
        s += n == 0 ? 1 : n;
    }
}

void
page_text(struct buf *out, const char *s)
{
    page_text_cut(out, s != NULL ? s : "", UINT32_MAX);
}

struct fmt
page_minus(struct fmt f)
{
    struct fmt g;
    size_t n = 0;
    for (const char *p = f.s; *p != '\0' && n + 4 < sizeof(g.s); p++) {
        if (*p == '-') {
            memcpy(g.s + n, "\xe2\x88\x92", 3);
            n += 3;
        } else {
            g.s[n++] = *p;
        }
    }
    g.s[n] = '\0';
    return g;
}

void
page_num(struct buf *out, const char *number)
{
    for (; *number != '\0'; number++) {
        if (*number == '-')
            buf_puts(out, "\xe2\x88\x92");
        else
            put_char(out, number, 1);
    }
}

/* ---- marks ---- */

void
svg_open(struct buf *out, double w, double h, const char *label)
{
    buf_printf(
        out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", w, h);
    page_text(out, label);
    buf_printf(out, "\" style=\"max-width:%.0fpx\">\n", w);
}

void
svg_close(struct buf *out)
{
    buf_puts(out, "</svg>\n");
}

void
svg_line(struct buf *out, double x1, double y1, double x2, double y2,
    const char *class)
{
    buf_printf(out,
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
        "y2=\"%.1f\"/>\n",
        class, x1, y1, x2, y2);
}

static void
put_tip(struct buf *out, const char *tip)
{
    if (tip == NULL)
        return;
    buf_puts(out, " data-tip=\"");
    page_text(out, tip);
    buf_putc(out, '"');
}

void
svg_rect(struct buf *out, double x, double y, double w, double h,
    const char *class, const char *tip)
{
    buf_printf(out,
        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
        "height=\"%.1f\"",
        class, x, y, fmax(w, 0), fmax(h, 0));
    put_tip(out, tip);
    buf_puts(out, "/>\n");
}

void
svg_dot(struct buf *out, double x, double y, double r, const char *class,
    const char *tip)
{
    buf_printf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"",
        class, x, y, r);
    put_tip(out, tip);
    buf_puts(out, "/>\n");
}

void
svg_diamond(struct buf *out, double x, double y, double r, const char *class,
    const char *tip)
{
    buf_printf(out,
        "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1fZ\"",
        class, x - r, y, x, y - r, x + r, y, x, y + r);
    put_tip(out, tip);
    buf_puts(out, "/>\n");
}

double
svg_text_px(const char *text)
{
    double px = 0;
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text & 0xc0) == 0x80)
            continue;
        px += strchr("il.,:;|'![]()", *text) != NULL ? 4.2
              : strchr("mwMW@%", *text) != NULL      ? 10.6
                                                     : 7.0;
    }
    return px;
}

void
svg_text(struct buf *out, double x, double y, enum svg_anchor anchor,
    double max_px, const char *class, const char *text)
{
    static const char *const anchors[] = {
        "", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    uint32_t chars = UINT32_MAX;
    double px = svg_text_px(text);
    if (max_px > 0 && px > max_px)
        chars = (uint32_t)(max_px / px * (double)strlen(text));
    buf_printf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"%s>", class, x, y,
        anchors[anchor]);
    page_text_cut(out, text, chars);
    buf_puts(out, "</text>\n");
}

/* ---- axes ---- */

/* The round number (1, 2, 2.5, 5 times a power of ten) at or above x. */
static double
round_up(double x)
{
    static const double steps[] = {1, 2, 2.5, 5, 10};
    double base = pow(10, floor(log10(x)));
    for (uint32_t i = 0; i < 5; i++)
        if (steps[i] * base >= x * (1 - 1e-9))
            return steps[i] * base;
    return 10 * base;
}

static void
axis_fill(struct axis *a, double step)
{
    double first = ceil(a->lo / step - 1e-9);
    a->n = 0;
    for (double k = first; a->n < TICKS_MAX; k++) {
        if (k * step > a->hi + 1e-9 * step)
            break;
        a->tick[a->n++] = fabs(k) < .5 ? 0 : k * step;
    }
}

void
axis_init(
    struct axis *a, double lo, double hi, double p0, double p1, uint32_t want)
{
    if (!(hi > lo)) {
        double pad = fabs(lo) > 0 ? fabs(lo) * 1e-3 : 1;
        lo -= pad;
        hi += pad;
    }
    double step = round_up((hi - lo) / want);
    a->lo = lo;
    a->hi = hi;
    a->p0 = p0;
    a->p1 = p1;
    axis_fill(a, step);
    double d = ceil(-log10(step) - 1e-9);
    double rest = step * pow(10, fmax(d, 0));
    if (fabs(rest - round(rest)) > 1e-6) /* a step of 2.5 */
        d++;
    a->decimals = d < 0 ? 0 : d > 9 ? 9 : (uint32_t)d;
}

void
axis_init_time(
    struct axis *a, double hi_ms, double p0, double p1, uint32_t want)
{
    static const double steps[] = {.1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120,
        300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800,
        604800, 2419200};
    uint32_t i = 0;
    double hi = fmax(hi_ms, 1);
    while (
        i + 1 < sizeof(steps) / sizeof(steps[0]) && steps[i] * 1e3 * want < hi)
        i++;
    *a = (struct axis){.lo = 0, .hi = hi, .p0 = p0, .p1 = p1};
    axis_fill(a, steps[i] * 1e3);
}

double
axis_at(const struct axis *a, double v)
{
    double x = (v - a->lo) / (a->hi - a->lo);
    x = x < 0 ? 0 : x > 1 ? 1 : x;
    return a->p0 + x * (a->p1 - a->p0);
}

bool
axis_has(const struct axis *a, double v)
{
    return v >= a->lo && v <= a->hi;
}

struct fmt
axis_label(const struct axis *a, double v)
{
    return page_minus(fmt_value(v, a->decimals));
}

struct fmt
axis_label_gain(const struct axis *a, double v)
{
    struct fmt zero = {"0"};
    return v == 0 ? zero : page_minus(fmt_gain(v, a->decimals));
}

void
axis_draw_x(struct buf *out, const struct axis *a, double y0, double y1,
    bool signed_labels, const char *title)
{
    for (uint32_t i = 0; i < a->n; i++) {
        double x = axis_at(a, a->tick[i]);
        struct fmt l = signed_labels ? axis_label_gain(a, a->tick[i])
                                     : axis_label(a, a->tick[i]);
        svg_line(out, x, y0, x, y1, "grid");
        svg_text(out, x, y1 + 16, SVG_MIDDLE, 0, "tick", l.s);
    }
    svg_line(out, a->p0, y1, a->p1, y1, "axis");
    if (title != NULL)
        svg_text(
            out, (a->p0 + a->p1) / 2, y1 + 35, SVG_MIDDLE, 0, "title", title);
}

void
axis_draw_y(struct buf *out, const struct axis *a, double x0, double x1,
    bool signed_labels, const char *title)
{
    for (uint32_t i = 0; i < a->n; i++) {
        double y = axis_at(a, a->tick[i]);
        struct fmt l = signed_labels ? axis_label_gain(a, a->tick[i])
                                     : axis_label(a, a->tick[i]);
        svg_line(out, x0, y, x1, y, "grid");
        svg_text(out, x0 - 8, y + 4, SVG_END, 0, "tick", l.s);
    }
    svg_line(out, x0, a->p0, x0, a->p1, "axis");
    if (title != NULL) {
        double y = (a->p0 + a->p1) / 2;
        buf_printf(out,
            "<text class=\"title\" text-anchor=\"middle\" "
            "transform=\"translate(14 %.1f) rotate(-90)\">",
            y);
        page_text(out, title);
        buf_puts(out, "</text>\n");
    }
}
