/* The only repairs that are made to what a server sends: bytes that no parser
 * takes, and what stands around a JSON object. Called by decode.c and ask.c.
 * Invariant: nothing is guessed; a value is never changed into another. */
#include "model/part.h"

#include "base/utf8.h"

#include <string.h>

enum { OBJECT_TRIES_MAX = 32 };

static int
hex4(const char *s, const char *end)
{
    int v = 0;
    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef";
        const char *at = s[i] ? strchr(digits, s[i] | 0x20) : NULL;
        if (at == NULL || (s[i] < '0'))
            return -1;
        v = v * 16 + (int)(at - digits);
    }
    return v;
}

/* Bytes of the escape at s ("\..."), and whether it is one that stands for no
 * character: a lone surrogate or a NUL. */
static size_t
escape(const char *s, const char *end, bool *none)
{
    *none = false;
    if (end - s < 2)
        return (size_t)(end - s);
    if (s[1] != 'u') /* what follows may be no character at all */
        return (unsigned char)s[1] < 0x80 && s[1] != '\0' ? 2 : 1;
    int v = hex4(s + 2, end);
    if (v < 0)
        return 2;
    bool high = v >= 0xd800 && v < 0xdc00;
    if (high && end - s >= 8 && s[6] == '\\' && s[7] == 'u') {
        int low = hex4(s + 8, end);
        if (low >= 0xdc00 && low < 0xe000)
            return 12;
    }
    *none = v == 0 || (v >= 0xd800 && v < 0xe000);
    return 6;
}

void
mend_json(const char *text, size_t len, struct buf *out)
{
    const char *end = text + len;
    for (const char *s = text; s < end;) {
        bool none = false;
        size_t n;
        if (*s == '\\') {
            n = escape(s, end, &none);
        } else {
            n = utf8_len(s, (size_t)(end - s));
            none = n == 0;
            n = none ? 1 : n;
        }
        if (none)
            buf_puts(out, *s == '\\' ? "\\ufffd" : "\xef\xbf\xbd");
        else
            buf_add(out, s, n);
        s += n;
    }
}

/* The end of the object that begins at s, or NULL: it is not closed. */
static const char *
object_end(const char *s, const char *end)
{
    unsigned depth = 0;
    bool quoted = false;
    for (; s < end; s++) {
        if (quoted) {
            if (*s == '\\' && s + 1 < end)
                s++;
            else if (*s == '"')
                quoted = false;
            continue;
        }
        if (*s == '"')
            quoted = true;
        else if (*s == '{' || *s == '[')
            depth++;
        else if ((*s == '}' || *s == ']') && --depth == 0)
            return s + 1;
    }
    return NULL;
}

const char *
first_object(const char *text, size_t len, size_t *n)
{
    const char *end = text + len;
    /* few tries: each may walk to the end of a long text */
    for (int i = 0; i < OBJECT_TRIES_MAX && text < end; i++, text++) {
        const char *s = text = memchr(text, '{', (size_t)(end - text));
        if (s == NULL)
            return NULL;
        const char *stop = object_end(s, end);
        if (stop != NULL) {
            *n = (size_t)(stop - s);
            return s;
        }
    }
    return NULL;
}
