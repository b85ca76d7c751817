/* Growing strings. Called by everything that writes text. */
#include "base/buf.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

static void
buf_room(struct buf *b, size_t n)
{
    if (b->cap >= b->len + n + 1)
        return;
    size_t cap = b->cap ? b->cap : 128;
    while (cap < b->len + n + 1)
        cap *= 2;
    b->data = mem_realloc(b->data, cap);
    b->cap = cap;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
    buf_room(b, n);
    if (n > 0)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return;
    buf_room(b, (size_t)n);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

const char *
buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

void
buf_put_f64(struct buf *b, double x)
{
    if (isnan(x)) {
        buf_puts(b, "NaN");
        return;
    }
    if (isinf(x)) {
        buf_puts(b, x > 0 ? "Infinity" : "-Infinity");
        return;
    }
    char s[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, x);
        if (strtod(s, NULL) == x)
            break;
    }
    buf_puts(b, s);
}
