/* Cleaning of what readers found (doc.h). Called by every reader. Invariant:
 * what leaves is UTF-8 text without control characters. */
#include "papers/read/doc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

static struct buf *
doc_field(struct doc *d, int i)
{
    struct buf *f[] = {
        &d->id, &d->title, &d->date, &d->licence, &d->source, &d->text};
    return f[i];
}

void
doc_fini(struct doc *d)
{
    for (int i = 0; i < 6; i++)
        buf_fini(doc_field(d, i));
}

void
doc_clear(struct doc *d)
{
    for (int i = 0; i < 6; i++)
        buf_clear(doc_field(d, i));
}

static void
where_write(char out[512], const struct outlet *o, unsigned long place)
{
    if (place > 0)
        snprintf(out, 512, "%.480s:%lu", o->path, place);
    else
        snprintf(out, 512, "%.500s", o->path);
}

void
doc_bad(const struct outlet *o, unsigned long place, const char *why)
{
    char where[512];
    where_write(where, o, place);
    o->bad(o->ctx, where, why);
}

static void
field_clean(struct buf *f, void (*shape)(struct buf *, const char *, size_t))
{
    struct buf clean = {0}, out = {0};
    text_clean(&clean, buf_str(f), f->len);
    shape(&out, buf_str(&clean), clean.len);
    buf_fini(&clean);
    buf_fini(f);
    *f = out;
}

void
doc_out(const struct outlet *o, struct doc *d, unsigned long place)
{
    char where[512];
    struct buf date = {0};
    if (d->text.len > TEXT_BYTES_MAX)
        d->text.len = TEXT_BYTES_MAX;
    field_clean(&d->id, text_line);
    field_clean(&d->title, text_line);
    field_clean(&d->licence, text_line);
    field_clean(&d->source, text_line);
    field_clean(&d->text, text_paragraphs);
    date_clean(&date, buf_str(&d->date));
    buf_fini(&d->date);
    d->date = date;
    where_write(where, o, place);
    o->paper(o->ctx, d, where);
    doc_clear(d);
}

size_t
text_clean(struct buf *out, const char *s, size_t n)
{
    size_t bad = 0;
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        size_t run = i;
        while (run < n && (unsigned char)s[run] >= 0x20 &&
               (unsigned char)s[run] < 0x7f)
            run++;
        if (run > i) {
            buf_add(out, s + i, run - i);
            i = run;
            continue;
        }
        size_t len = utf8_len(s + i, n - i);
        if (len == 0) {
            buf_puts(out, "\xef\xbf\xbd");
            bad++;
            i++;
        } else if (len == 1 || (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0)) {
            buf_putc(out, c == '\n' ? '\n' : ' '); /* C0, DEL, C1 */
            i += len;
        } else {
            buf_add(out, s + i, len);
            i += len;
        }
    }
    return bad;
}

bool
text_is_binary(const char *s, size_t n)
{
    size_t bad = 0;
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len(s + i, n - i);
        unsigned char c = (unsigned char)s[i];
        bad += len == 0 || (c < 0x20 && strchr("\t\n\r\f", c) == NULL);
        i += len > 0 ? len : 1;
    }
    return bad * 50 > n;
}

/* Whatever is not white space, from s on. */
static size_t
run_len(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && !isspace((unsigned char)s[i]))
        i++;
    return i;
}

void
text_line(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t run = run_len(s + i, n - i);
        if (run == 0)
            continue;
        if (out->len > 0)
            buf_putc(out, ' ');
        buf_add(out, s + i, run);
        i += run;
    }
}

void
text_paragraphs(struct buf *out, const char *s, size_t n)
{
    unsigned lines = 0;
    for (size_t i = 0; i < n; i++) {
        size_t run = run_len(s + i, n - i);
        if (run > 0) {
            const char *gap = lines > 1 ? "\n\n" : lines == 1 ? "\n" : " ";
            if (out->len > 0)
                buf_puts(out, gap);
            buf_add(out, s + i, run);
            lines = 0;
            i += run;
        }
        lines += i < n && s[i] == '\n';
    }
}

static unsigned
digits_read(const char *s, size_t n)
{
    unsigned x = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i]))
            return 0;
        x = x * 10 + (unsigned)(s[i] - '0');
    }
    return x;
}

static bool
is_year(unsigned y)
{
    return y >= 1900 && y <= 2100;
}

/* A month's name somewhere, "Mon, 2 Apr 2007": 1..12, else 0. */
static unsigned
month_named(const char *s)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (size_t i = 0; s[i] != '\0' && s[i + 1] != '\0' && s[i + 2] != '\0';
         i++)
        for (unsigned m = 0; m < 12; m++)
            if ((i == 0 || !isalpha((unsigned char)s[i - 1])) &&
                strncasecmp(s + i, names + m * (size_t)3, 3) == 0)
                return m + 1;
    return 0;
}

void
date_clean(struct buf *out, const char *s)
{
    s += strspn(s, " \t\r\n\"{");
    size_t n = strlen(s);
    unsigned y = n >= 4 ? digits_read(s, 4) : 0;
    if (is_year(y) && !isdigit((unsigned char)s[4])) {
        bool parted = s[4] == '-' || s[4] == '/';
        unsigned m = parted && n >= 7 ? digits_read(s + 5, 2) : 0;
        unsigned d =
            parted && n >= 10 && s[7] == s[4] ? digits_read(s + 8, 2) : 0;
        buf_printf(out, "%04u", y);
        if (m >= 1 && m <= 12)
            buf_printf(out, "-%02u", m);
        if (m >= 1 && m <= 12 && d >= 1 && d <= 31)
            buf_printf(out, "-%02u", d);
        return;
    }
    for (size_t i = 0; i + 4 <= n && i < 200; i++) {
        y = digits_read(s + i, 4);
        if (!is_year(y) || (i > 0 && isdigit((unsigned char)s[i - 1])) ||
            isdigit((unsigned char)s[i + 4]))
            continue;
        unsigned m = month_named(s);
        buf_printf(out, m > 0 ? "%04u-%02u" : "%04u", y, m);
        return;
    }
}

bool
name_ends(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && strcasecmp(path + n - m, suffix) == 0;
}
