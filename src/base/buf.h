/* A growing byte string on the heap; always ends in a NUL that is not counted.
 * {0} is a valid empty buffer; buf_fini frees it. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while empty: use buf_str() */
    size_t len, cap;
};

void buf_fini(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Borrowed, never NULL. */
const char *buf_str(const struct buf *b);
/* Shortest decimal that reads back as the same double; "NaN", "Infinity",
 * "-Infinity" for those. */
void buf_put_f64(struct buf *b, double x);

#endif
