/* What every reader of papers owes, whatever the bytes: fields of clean UTF-8
 * without control characters, a date in its form, a reason for what is bad. */
#ifndef FUZZ_FUZZ_READ_H
#define FUZZ_FUZZ_READ_H

#include "fuzz.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "papers/read/doc.h"

static void
field_check(const struct buf *b, bool lines)
{
    for (size_t i = 0; i < b->len;) {
        size_t n = utf8_len(b->data + i, b->len - i);
        unsigned char c = (unsigned char)b->data[i];
        assert(n > 0);
        assert(c >= 0x20 || (lines && c == '\n'));
        i += n;
    }
}

static void
paper_check(void *ctx, const struct doc *d, const char *where)
{
    size_t *seen = ctx;
    field_check(&d->id, false);
    field_check(&d->title, false);
    field_check(&d->licence, false);
    field_check(&d->source, false);
    field_check(&d->text, true);
    assert(d->date.len == 0 || d->date.len == 4 || d->date.len == 7 ||
           d->date.len == 10);
    for (size_t i = 0; i < d->date.len; i++)
        assert(i == 4 || i == 7 ? d->date.data[i] == '-'
                                : isdigit((unsigned char)d->date.data[i]));
    assert(strncmp(where, "f", 1) == 0);
    (*seen)++;
}

static void
bad_check(void *ctx, const char *where, const char *why)
{
    size_t *seen = ctx;
    assert(where[0] == 'f' && why[0] != '\0');
    (*seen)++;
}

/* Something is said of every input, by paper or by reason. */
static void
reader_check(void (*read)(const char *, size_t, const struct outlet *),
    const uint8_t *data, size_t size)
{
    size_t seen = 0;
    struct buf b = {0};
    struct outlet o = {paper_check, bad_check, &seen, "f"};
    buf_add(&b, data, size);
    read(buf_str(&b), b.len, &o);
    assert(seen > 0);
    buf_fini(&b);
}

#endif
