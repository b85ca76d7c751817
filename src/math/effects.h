/* Crossed random effects of very many kinds on one outcome: best linear
 * unbiased predictions as a ridge fit (Henderson, Biometrics 31, 1975), found
 * by coordinate descent over sparse rows. */
#ifndef MATH_EFFECTS_H
#define MATH_EFFECTS_H

#include <stddef.h>
#include <stdint.h>

struct effects_term {
    uint32_t at; /* feature, < n_features */
    double x;
};

struct effects_in {
    uint32_t n_rows, n_features;
    const uint32_t *row_at; /* first term of each row, n_rows + 1 of them */
    const struct effects_term *term;
    const double *y, *weight; /* of each row; weight > 0 */
    const double *ridge;      /* of each feature, > 0: how many observations
                                 the guess "no effect" is worth */
};

/* Bytes of work space for effects_fit, aligned as a double. */
size_t effects_scratch(const struct effects_in *in);
/* Minimises sum w (y - x'b)^2 + sum ridge b^2 into effect[n_features].
 * var[n_features] gets each effect's posterior variance as if it stood alone:
 * a lower bound where features go together. Returns the variance of what is
 * left of the outcomes (1 without rows). */
double effects_fit(
    const struct effects_in *in, double *effect, double *var, void *scratch);

#endif
