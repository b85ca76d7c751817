/* Radix sort of rows by a double (six passes of 11 bits over the key, passes
 * on which all rows agree are skipped). Called by auc and rank on up to
 * millions of rows; qsort may allocate and is not stable. Invariant: after
 * the last pass the result lies in the first half of the buffer. */
#include "math/order.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 6 };

/* Order of doubles as order of unsigned numbers: flip all bits of negatives,
 * the sign bit of the others. */
static uint64_t
key_of(double value)
{
    uint64_t bits;
    double v = value + 0.0; /* -0 becomes 0 */

    memcpy(&bits, &v, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static size_t
digit_of(uint64_t key, int pass)
{
    return (size_t)(key >> (pass * DIGIT_BITS)) & (DIGITS - 1);
}

/* One stable pass; returns false when every row has the same digit. */
static bool
order_pass(
    const struct order_key *from, struct order_key *to, size_t n, int pass)
{
    size_t start[DIGITS] = {0};
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        start[digit_of(from[i].key, pass)]++;
    if (start[digit_of(from[0].key, pass)] == n)
        return false;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t count = start[d];
        start[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[start[digit_of(from[i].key, pass)]++] = from[i];
    return true;
}

/* Insertion sort, quicker than the passes on few rows. */
static void
order_few(struct order_key *buf, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct order_key x = buf[i];
        size_t j = i;
        for (; j > 0 && buf[j - 1].key > x.key; j--)
            buf[j] = buf[j - 1];
        buf[j] = x;
    }
}

void
order_rows(const double *value, size_t n, struct order_key *buf)
{
    struct order_key *from = buf;
    struct order_key *to = buf + n;

    assert(n <= UINT32_MAX);
    for (size_t i = 0; i < n; i++) {
        assert(!isnan(value[i]));
        buf[i] =
            (struct order_key){.key = key_of(value[i]), .row = (uint32_t)i};
    }
    if (n <= 64) {
        order_few(buf, n);
        return;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        if (!order_pass(from, to, n, pass))
            continue;
        struct order_key *swap = from;
        from = to;
        to = swap;
    }
    if (from != buf)
        memcpy(buf, from, n * sizeof(*buf));
}
