/* Two-level designs for the Combination phase. A row is a bit mask: bit i set
 * means change i is on. */
#ifndef MATH_DESIGN_H
#define MATH_DESIGN_H

#include <stdbool.h>
#include <stdint.h>

#define DESIGN_ROWS_MAX 256
#define DESIGN_FACTORS_MAX 23

struct design {
    int k; /* factors */
    int n; /* rows */
    uint32_t row[DESIGN_ROWS_MAX];
    char generators[64]; /* "E=ABC F=BCD", empty for a full design */
};

/* Full 2^k, 1 <= k <= 8. */
void design_full(struct design *d, int k);
/* 16 rows for k = 5 (resolution V) and 6..8 (resolution IV), generators of
 * Box, Hunter & Hunter, table 12.15. */
void design_fraction(struct design *d, int k);
/* Plackett & Burman (Biometrika 33, 1946) with the smallest of 12, 16, 20, 24
 * runs that holds k factors, 1 <= k <= 23; fold adds the complement of every
 * row, which frees main effects of all two-factor interactions. */
void design_plackett(struct design *d, int k, bool fold);
/* What the method says for k ideas: k <= 4 full, 5..8 fraction, 9..23
 * Plackett-Burman with fold-over. */
void design_choose(struct design *d, int k);

/* Makes every row feasible: conflict[i] is the mask of factors that exclude
 * factor i (symmetric). From each excluding pair that is on, one is switched
 * off, in turn, so that neither is always the loser; rows that became equal
 * are kept once. The design is then no longer orthogonal. */
void design_exclude(struct design *d, const uint32_t *conflict);

/* Correlation over the rows, in [-1, 1], of the products of the +-1 columns
 * of the factors in masks a and b (mask 0 is the constant); 0 = not aliased,
 * +-1 = the same column. */
double design_alias(const struct design *d, uint32_t a, uint32_t b);
/* 3: some main effect is aliased (fully or partly) with a two-factor
 * interaction; 4: mains are clear, some interactions are aliased with each
 * other; 5: both are clear; 2: mains are aliased with mains or the mean. */
int design_resolution(const struct design *d);

#endif
