/* Two-level designs: full, resolution-IV fractions, Plackett-Burman with
 * fold-over, and what is aliased with what. Called by core when it plans a
 * Combination. Sources: Box, Hunter & Hunter, Statistics for Experimenters,
 * table 12.15; Plackett & Burman 1946; Box & Wilson 1951 (fold-over).
 * Invariant: every design built here has orthogonal main effects;
 * design_exclude alone may break that. */
#include "math/design.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static unsigned
parity(uint32_t x)
{
    return (unsigned)__builtin_popcount(x) & 1;
}

void
design_full(struct design *d, int k)
{
    assert(k >= 1 && k <= 8);
    memset(d, 0, sizeof(*d));
    d->k = k;
    d->n = 1 << k;
    for (int i = 0; i < d->n; i++)
        d->row[i] = (uint32_t)i;
}

/* One generated factor: its column is the product of the base columns in
 * `word`. */
struct generator {
    uint32_t word;
    const char *text;
};

enum { A = 1, B = 2, C = 4, D = 8 };

void
design_fraction(struct design *d, int k)
{
    static const struct generator five[] = {{A | B | C | D, "E=ABCD"}};
    static const struct generator more[] = {{A | B | C, "E=ABC"},
        {B | C | D, "F=BCD"}, {A | C | D, "G=ACD"}, {A | B | D, "H=ABD"}};
    const struct generator *gen = k == 5 ? five : more;

    assert(k >= 5 && k <= 8);
    design_full(d, 4);
    d->k = k;
    for (int f = 4; f < k; f++) {
        uint32_t word = gen[f - 4].word;
        size_t used = strlen(d->generators);
        snprintf(d->generators + used, sizeof(d->generators) - used, "%s%s",
            f > 4 ? " " : "", gen[f - 4].text);
        /* In +-1 coding a product is + when the number of - is even. */
        for (int i = 0; i < d->n; i++)
            if (parity(~d->row[i] & word) == 0)
                d->row[i] |= 1U << f;
    }
}

/* First rows of the cyclic designs, one character a column. */
static const char *
plackett_first(int k)
{
    static const char *const rows[] = {"++-+++---+-", "++++-+-++--+---",
        "++--++++-+-+----++-", "+++++-+-++--++--+-+----"};

    for (int i = 0; i < 3; i++)
        if (k < (int)strlen(rows[i]) + 1)
            return rows[i];
    return rows[3];
}

void
design_plackett(struct design *d, int k, bool fold)
{
    assert(k >= 1 && k <= DESIGN_FACTORS_MAX);
    const char *first = plackett_first(k);
    int cycle = (int)strlen(first);
    uint32_t all = (1U << k) - 1;

    memset(d, 0, sizeof(*d));
    d->k = k;
    d->n = cycle + 1; /* the last row has every factor off */
    for (int i = 0; i < cycle; i++)
        for (int f = 0; f < k; f++)
            if (first[(i + f) % cycle] == '+')
                d->row[i] |= 1U << f;
    if (!fold)
        return;
    for (int i = 0; i < d->n; i++)
        d->row[d->n + i] = ~d->row[i] & all;
    d->n *= 2;
}

void
design_choose(struct design *d, int k)
{
    if (k <= 4)
        design_full(d, k);
    else if (k <= 8)
        design_fraction(d, k);
    else
        design_plackett(d, k, true);
}

/* Switches off one of every excluding pair of one row; `turn` remembers per
 * factor pair who lost last. */
static uint32_t
row_exclude(uint32_t row, int k, const uint32_t *conflict, uint32_t *turn)
{
    for (int i = 0; i < k; i++) {
        for (int j = i + 1; j < k; j++) {
            uint32_t both = 1U << i | 1U << j;
            if ((row & both) != both || (conflict[i] >> j & 1) == 0)
                continue;
            row &= ~(turn[i] >> j & 1 ? 1U << i : 1U << j);
            turn[i] ^= 1U << j;
        }
    }
    return row;
}

void
design_exclude(struct design *d, const uint32_t *conflict)
{
    uint32_t turn[DESIGN_FACTORS_MAX] = {0};
    int n = 0;

    for (int i = 0; i < d->n; i++) {
        uint32_t row = row_exclude(d->row[i], d->k, conflict, turn);
        int j = 0;
        while (j < n && d->row[j] != row)
            j++;
        d->row[j] = row;
        n += j == n;
    }
    d->n = n;
}

double
design_alias(const struct design *d, uint32_t a, uint32_t b)
{
    int sum = 0;

    assert(d->n > 0);
    for (int i = 0; i < d->n; i++)
        sum += parity(~d->row[i] & (a ^ b)) ? -1 : 1;
    return (double)sum / d->n;
}

/* Is any product of 1..words factors, other than itself, aliased with main
 * effect f? words 1: mean and mains, 2: two-factor interactions. */
static bool
main_is_aliased(const struct design *d, int f, int words)
{
    uint32_t own = 1U << f;

    if (words == 1 && design_alias(d, own, 0) != 0)
        return true;
    for (int i = 0; i < d->k; i++) {
        if (words == 1 && i != f && design_alias(d, own, 1U << i) != 0)
            return true;
        for (int j = i + 1; words == 2 && j < d->k; j++) {
            uint32_t pair = 1U << i | 1U << j;
            if (!(pair & own) && design_alias(d, own, pair) != 0)
                return true;
        }
    }
    return false;
}

static bool
pairs_are_aliased(const struct design *d)
{
    for (int a = 0; a < d->k * d->k; a++) {
        for (int b = 0; b < a; b++) {
            int ai = a / d->k;
            int aj = a % d->k;
            int bi = b / d->k;
            int bj = b % d->k;
            if (ai >= aj || bi >= bj)
                continue;
            if (design_alias(d, 1U << ai | 1U << aj, 1U << bi | 1U << bj) != 0)
                return true;
        }
    }
    return false;
}

int
design_resolution(const struct design *d)
{
    for (int words = 1; words <= 2; words++)
        for (int f = 0; f < d->k; f++)
            if (main_is_aliased(d, f, words))
                return 1 + words;
    return pairs_are_aliased(d) ? 4 : 5;
}
