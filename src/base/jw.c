/* Writing JSON (json.h). Called by every verb with --json, by run folders and
 * by the exports. Invariant: whatever bytes come in, the text that leaves is
 * valid JSON. */
#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

void
jw_init(struct jw *w, struct buf *out, uint32_t indent)
{
    *w = (struct jw){.out = out, .indent = indent};
}

static void
put_newline(struct jw *w)
{
    if (w->indent == 0)
        return;
    buf_putc(w->out, '\n');
    for (uint32_t i = 0; i < w->depth * w->indent; i++)
        buf_putc(w->out, ' ');
}

/* Called before every value: writes the comma that it needs. */
static void
value_begin(struct jw *w)
{
    if (w->key_open) {
        w->key_open = false;
        return;
    }
    if (w->depth == 0)
        return;
    assert(!w->level[w->depth - 1].obj);
    if (w->level[w->depth - 1].used)
        buf_putc(w->out, ',');
    w->level[w->depth - 1].used = true;
    put_newline(w);
}

static void
nest_begin(struct jw *w, bool obj)
{
    value_begin(w);
    assert(w->depth < JW_DEPTH);
    w->level[w->depth].obj = obj;
    w->level[w->depth].used = false;
    w->depth++;
    buf_putc(w->out, obj ? '{' : '[');
}

static void
nest_end(struct jw *w, bool obj)
{
    assert(w->depth > 0 && !w->key_open && w->level[w->depth - 1].obj == obj);
    bool used = w->level[w->depth - 1].used;
    w->depth--;
    if (used)
        put_newline(w);
    buf_putc(w->out, obj ? '}' : ']');
}

void
jw_obj_begin(struct jw *w)
{
    nest_begin(w, true);
}

void
jw_obj_end(struct jw *w)
{
    nest_end(w, true);
}

void
jw_arr_begin(struct jw *w)
{
    nest_begin(w, false);
}

void
jw_arr_end(struct jw *w)
{
    nest_end(w, false);
}

static void
put_escaped(struct buf *out, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char code[] = "\"\\bfnrt";
    const char *at = c ? strchr(plain, c) : NULL;
    if (at != NULL)
        buf_printf(out, "\\%c", code[at - plain]);
    else
        buf_printf(out, "\\u%04x", c);
}

static void
put_string(struct buf *out, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    buf_putc(out, '"');
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len(s + i, n - i);
        if (len == 0 && p[i] != '\0') {
            buf_puts(out, "\xef\xbf\xbd");
            i++;
        } else if (len <= 1 && (p[i] < 0x20 || p[i] == '"' || p[i] == '\\' ||
                                   p[i] == 0x7f)) {
            put_escaped(out, p[i++]);
        } else {
            buf_add(out, p + i, len);
            i += len;
        }
    }
    buf_putc(out, '"');
}

void
jw_key(struct jw *w, const char *key)
{
    assert(w->depth > 0 && w->level[w->depth - 1].obj && !w->key_open);
    if (w->level[w->depth - 1].used)
        buf_putc(w->out, ',');
    w->level[w->depth - 1].used = true;
    put_newline(w);
    put_string(w->out, key, strlen(key));
    buf_puts(w->out, w->indent ? ": " : ":");
    w->key_open = true;
}

void
jw_strn(struct jw *w, const char *s, size_t n)
{
    value_begin(w);
    put_string(w->out, s, n);
}

void
jw_str(struct jw *w, const char *s)
{
    if (s == NULL)
        jw_null(w);
    else
        jw_strn(w, s, strlen(s));
}

void
jw_printf(struct jw *w, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    jw_strn(w, buf_str(&b), b.len);
    buf_fini(&b);
}

void
jw_f64(struct jw *w, double x)
{
    value_begin(w);
    if (isfinite(x))
        buf_put_f64(w->out, x);
    else
        buf_puts(w->out, "null");
}

void
jw_i64(struct jw *w, int64_t x)
{
    value_begin(w);
    buf_printf(w->out, "%" PRId64, x);
}

void
jw_u64(struct jw *w, uint64_t x)
{
    value_begin(w);
    buf_printf(w->out, "%" PRIu64, x);
}

void
jw_bool(struct jw *w, bool x)
{
    value_begin(w);
    buf_puts(w->out, x ? "true" : "false");
}

void
jw_null(struct jw *w)
{
    value_begin(w);
    buf_puts(w->out, "null");
}

void
jw_raw(struct jw *w, const char *json)
{
    value_begin(w);
    buf_puts(w->out, json);
}

void
jw_kstr(struct jw *w, const char *key, const char *s)
{
    jw_key(w, key);
    jw_str(w, s);
}

void
jw_kf64(struct jw *w, const char *key, double x)
{
    jw_key(w, key);
    jw_f64(w, x);
}

void
jw_ki64(struct jw *w, const char *key, int64_t x)
{
    jw_key(w, key);
    jw_i64(w, x);
}

void
jw_kbool(struct jw *w, const char *key, bool x)
{
    jw_key(w, key);
    jw_bool(w, x);
}
