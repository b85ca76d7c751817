/* Terminal output helpers of text.c and show.c. What users wrote passes
 * through term_cell or term_wrap, which let no control character out. */
#include "report/term.h"

#include <math.h>
#include <string.h>

void
term_paint(const struct text_style *style, struct buf *out, const char *code,
    const char *text)
{
    if (style->color)
        buf_printf(out, "\033[%sm%s\033[0m", code, text);
    else
        buf_puts(out, text);
}

static bool
is_tail(char ch)
{
    return ((unsigned char)ch & 0xc0) == 0x80;
}

static uint32_t
text_columns(const char *s)
{
    uint32_t n = 0;
    for (; *s != '\0'; s++)
        n += !is_tail(*s);
    return n;
}

static void
put_safe(struct buf *out, char ch)
{
    bool control = (unsigned char)ch < 0x20 || ch == 0x7f;
    buf_putc(out, control ? '?' : ch);
}

/* At most `columns` characters; returns how many were written. */
static uint32_t
put_columns(struct buf *out, const char *s, uint32_t columns)
{
    uint32_t n = 0;
    for (; *s != '\0'; s++) {
        if (!is_tail(*s) && n++ == columns)
            return columns;
        put_safe(out, *s);
    }
    return n;
}

static uint32_t
put_cut(struct buf *out, const char *text, uint32_t columns)
{
    if (text_columns(text) <= columns || columns < 3)
        return put_columns(out, text, columns);
    uint32_t n = put_columns(out, text, columns - 2);
    buf_puts(out, "..");
    return n + 2;
}

void
term_cell(struct buf *out, const char *text, uint32_t columns)
{
    for (uint32_t n = put_cut(out, text, columns); n < columns; n++)
        buf_putc(out, ' ');
}

void
term_cell_right(struct buf *out, const char *text, uint32_t columns)
{
    for (uint32_t n = text_columns(text); n < columns; n++)
        buf_putc(out, ' ');
    put_cut(out, text, columns);
}

void
term_wrap(struct buf *out, const char *text, uint32_t indent, uint32_t width)
{
    uint32_t at = indent;
    bool first = true;
    while (*text != '\0') {
        text += strspn(text, " \n\t");
        size_t n = strcspn(text, " \n\t");
        if (n == 0)
            break;
        uint32_t columns = 0;
        for (size_t i = 0; i < n; i++)
            columns += !is_tail(text[i]);
        if (!first && at + 1 + columns > width) {
            buf_printf(out, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        if (!first)
            buf_putc(out, ' ');
        for (size_t i = 0; i < n; i++)
            put_safe(out, text[i]);
        at += columns + !first;
        first = false;
        text += n;
    }
    buf_putc(out, '\n');
}

void
term_bar(struct buf *out, double spent, double reserved, uint32_t width)
{
    uint32_t a = (uint32_t)lround(fmin(fmax(spent, 0), 1) * width);
    uint32_t b = (uint32_t)lround(fmin(fmax(spent + reserved, 0), 1) * width);
    buf_putc(out, '[');
    for (uint32_t i = 0; i < width; i++)
        buf_putc(out, i < a ? '#' : i < b ? '=' : '.');
    buf_putc(out, ']');
}

uint32_t
term_width(const struct text_style *style)
{
    uint32_t w = style->width == 0 ? 100 : style->width;
    return w < 80 ? 80 : w > 160 ? 160 : w; /* tables take 61 */
}

const char *
term_verdict_code(uint32_t verdict)
{
    switch (verdict) {
    case VERDICT_PROMOTE:
        return "32";
    case VERDICT_REJECT:
    case VERDICT_UNSTABLE:
    case VERDICT_FAILED:
        return "31";
    case VERDICT_INCONCLUSIVE:
        return "33";
    default:
        return "2";
    }
}
