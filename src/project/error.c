/* Messages about project files. Called by every parse_*.c. Invariant: a
 * message names the place, shows the line, says why and what mends it. */
#include "project/read.h"

#include "base/near.h"

#include <stdarg.h>
#include <string.h>

enum { SHOWN_MAX = 100 }; /* bytes of a source line in a message */

struct place
place_key(const struct toml *t)
{
    if (t->key_line == 0)
        return place_value(t);
    return (struct place){t->key_line, t->key_col};
}

struct place
place_value(const struct toml *t)
{
    return (struct place){t->line, t->col};
}

struct place
place_inside(const struct reader *r, const struct toml *t, size_t i)
{
    struct place at = place_value(t);
    size_t span = t->end - t->begin;
    bool exact = span == t->str_len + 2; /* one quote a side, no escapes */
    if (!exact || i > t->str_len)
        return at;
    toml_place(r->p->text, r->p->text_len, t->begin + 1 + i, &at.line, &at.col);
    return at;
}

struct place
place_of(const struct toml *table, const char *name)
{
    const struct toml *t = toml_get(table, name);
    return t != NULL ? place_value(t) : place_key(table);
}

const char *
read_hint(const struct reader *r, const char *word, const char *const *list,
    uint32_t n, const char *otherwise)
{
    const char *near = near_word(word, list, n);
    if (near != NULL)
        return arena_printf(r->a, "did you mean \"%s\"?", near);
    return otherwise;
}

/* The source line and a caret below the column. */
static void
put_line(const struct reader *r, struct place at, struct buf *out)
{
    const char *s = r->p->text, *end = s + r->p->text_len;
    for (uint32_t line = 1; line < at.line; line++) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));
        if (nl == NULL)
            return;
        s = nl + 1;
    }
    const char *nl = memchr(s, '\n', (size_t)(end - s));
    size_t n = (size_t)((nl != NULL ? nl : end) - s);
    if (n > 0 && s[n - 1] == '\r')
        n--;
    size_t caret = 0; /* byte of the column */
    for (uint32_t col = 1; col < at.col && caret < n; col++) {
        caret++;
        while (caret < n && ((unsigned char)s[caret] & 0xc0) == 0x80)
            caret++;
    }
    if (caret > SHOWN_MAX || n > SHOWN_MAX) {
        if (caret > SHOWN_MAX)
            return; /* the place is in a line too long to show */
        n = SHOWN_MAX;
        while (n > caret && ((unsigned char)s[n] & 0xc0) == 0x80)
            n--;
    }
    buf_printf(out, "\n%5u | ", at.line);
    for (size_t i = 0; i < n; i++)
        buf_putc(out, (unsigned char)s[i] < 0x20 && s[i] != '\t' ? '?' : s[i]);
    buf_puts(out, "\n      | ");
    for (size_t i = 0; i < caret; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            buf_putc(out, s[i] == '\t' ? '\t' : ' ');
    }
    buf_putc(out, '^');
}

int
read_fail(const struct reader *r, struct place at, const char *remedy,
    const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    buf_puts(&b, r->p->file);
    if (at.line > 0)
        buf_printf(&b, ":%u:%u", at.line, at.col);
    buf_puts(&b, ": ");
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    if (at.line > 0)
        put_line(r, at, &b);
    if (remedy != NULL)
        buf_printf(&b, "\n  fix: %s", remedy);
    int rc = err_set(r->err, -ERR_INPUT, "%s", buf_str(&b));
    buf_fini(&b);
    return rc;
}
