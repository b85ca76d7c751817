/* Reading and writing of stored formats by one description. Pure: the codec
 * of the engine uses it. Invariant: never touches memory out of its buffer. */
#include "base/bytes.h"

#include <string.h>

void
visit_write(struct visit *v, unsigned char *out, size_t cap)
{
    *v = (struct visit){.writing = true, .out = out, .cap = cap};
}

void
visit_read(struct visit *v, const unsigned char *in, size_t n)
{
    *v = (struct visit){.in = in, .cap = n};
}

bool
visit_done(const struct visit *v)
{
    return !v->bad && v->n == v->cap;
}

void
visit_bytes(struct visit *v, void *p, size_t n)
{
    if (v->writing) {
        if (v->n + n <= v->cap)
            memcpy(v->out + v->n, p, n);
        v->n += n;
        return;
    }
    if (v->bad || v->cap - v->n < n) {
        v->bad = true;
        memset(p, 0, n);
        return;
    }
    memcpy(p, v->in + v->n, n);
    v->n += n;
}

static void
visit_varint(struct visit *v, uint64_t *x)
{
    unsigned char b;
    if (v->writing) {
        uint64_t rest = *x;
        do {
            b = (unsigned char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
            visit_bytes(v, &b, 1);
            rest >>= 7;
        } while (rest != 0);
        return;
    }
    uint64_t out = 0;
    for (unsigned shift = 0;; shift += 7) {
        visit_bytes(v, &b, 1);
        if (shift > 63 || (shift == 63 && (b & 0x7e) != 0))
            v->bad = true;
        if (v->bad)
            break;
        out |= (uint64_t)(b & 0x7f) << shift;
        if ((b & 0x80) == 0)
            break;
    }
    *x = v->bad ? 0 : out;
}

void
visit_u64(struct visit *v, uint64_t *x)
{
    visit_varint(v, x);
}

static uint64_t
visit_bounded(struct visit *v, uint64_t x, uint64_t max)
{
    visit_varint(v, &x);
    if (x > max) {
        v->bad = true;
        return 0;
    }
    return x;
}

void
visit_u32(struct visit *v, uint32_t *x)
{
    *x = (uint32_t)visit_bounded(v, *x, UINT32_MAX);
}

void
visit_u8(struct visit *v, uint8_t *x)
{
    *x = (uint8_t)visit_bounded(v, *x, UINT8_MAX);
}

void
visit_bool(struct visit *v, bool *x)
{
    *x = visit_bounded(v, *x, 1) != 0;
}

void
visit_count(struct visit *v, uint32_t *n, uint32_t max)
{
    *n = (uint32_t)visit_bounded(v, *n, max);
}

void
visit_i64(struct visit *v, int64_t *x)
{
    /* zigzag: small magnitudes stay short, whatever the sign */
    uint64_t z = ((uint64_t)*x << 1) ^ (uint64_t)(*x < 0 ? -1 : 0);
    visit_varint(v, &z);
    *x = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
}

void
visit_i32(struct visit *v, int32_t *x)
{
    int64_t wide = *x;
    visit_i64(v, &wide);
    if (wide < INT32_MIN || wide > INT32_MAX) {
        v->bad = true;
        wide = 0;
    }
    *x = (int32_t)wide;
}

void
visit_f64(struct visit *v, double *x)
{
    uint64_t bits;
    unsigned char b[8];
    memcpy(&bits, x, 8);
    for (int i = 0; i < 8; i++)
        b[i] = (unsigned char)(bits >> (8 * i));
    visit_bytes(v, b, 8);
    if (v->writing)
        return;
    bits = 0;
    for (int i = 0; i < 8; i++)
        bits |= (uint64_t)b[i] << (8 * i);
    memcpy(x, &bits, 8);
}

void
visit_blob(struct visit *v, const unsigned char **p, size_t *n)
{
    uint64_t len = *n;
    visit_varint(v, &len);
    if (v->writing) {
        if (v->n + len <= v->cap && len > 0)
            memcpy(v->out + v->n, *p, len);
        v->n += len;
        return;
    }
    if (v->bad || v->cap - v->n < len) {
        v->bad = true;
        *p = NULL;
        *n = 0;
        return;
    }
    *p = v->in + v->n;
    *n = len;
    v->n += len;
}

void
visit_str(struct visit *v, const char **s)
{
    const unsigned char *p = (const unsigned char *)*s;
    size_t n = v->writing ? strlen(*s) + 1 : 0;
    visit_blob(v, &p, &n);
    if (v->writing)
        return;
    if (n == 0 || p[n - 1] != '\0' || memchr(p, 0, n) != p + n - 1) {
        v->bad = true;
        *s = "";
        return;
    }
    *s = (const char *)p;
}

void
visit_text(struct visit *v, char *s, size_t cap)
{
    const char *p = s;
    visit_str(v, &p);
    if (v->writing)
        return;
    size_t n = strlen(p);
    if (n >= cap) {
        v->bad = true;
        n = 0;
    }
    memmove(s, p, n);
    memset(s + n, 0, cap - n);
}
