/* What two changes give together, from what each gave alone: a short law with
 * constants learnt from recorded 2 x 2 squares of ranking models. The change
 * of larger size decides; the other adds its full share only when it pulls the
 * other way; and what is no larger than the scatter of its own place is mostly
 * seed noise, which the shared baseline would count twice. */
#ifndef MATH_COMBINE_H
#define MATH_COMBINE_H

enum { COMBINE_P = 8 };

/* E[dAB] = r2 / (r2 + k scatter^2) (a x large + b x small), r2 = dA^2 + dB^2,
 * with a and b by the sign of the large one and whether the signs agree. */
struct combine_law {
    double
        at[COMBINE_P]; /* a, b: large > 0 alike, > 0 unlike, < 0 alike, ... */
    double k;
};

/* Learnt from all tables: 6,439 squares of five data families with every
 * effect within .02 of AUC (docs/decisions/0003-predictions.md). */
extern const struct combine_law combine_learnt;

/* The law's terms: E[dAB] is their sum weighted by law.at. scatter >= 0: the
 * typical size of an interaction where the changes were measured, 0 when dA
 * and dB are free of noise. */
void combine_terms(
    double da, double db, double scatter, double k, double x[COMBINE_P]);
double combine_expect(
    const struct combine_law *law, double da, double db, double scatter);

/* One square of which all is known. */
struct combine_square {
    double da, db, dab, scatter;
};
/* Fits `at` for a given k by least squares; a square weighs by its size, so
 * that a few large ones do not decide. n >= 0: with nothing to learn from the
 * law stays near combine_learnt. */
void combine_fit(
    struct combine_law *out, const struct combine_square *s, int n, double k);

#endif
