/* The law of two changes together. Called by the engine's Combination and by
 * the bench, which refits it on other families. Weighted least squares with a
 * ridge towards the learnt law (Hoerl & Kennard 1970). Invariant: no effect at
 * all gives 0. */
#include "math/combine.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "math/chol.h"

/* Two gains: the weaker one keeps a quarter of itself. A loss with a smaller
 * gain: the gain counts more than alone, it mends what the loss broke. */
const struct combine_law combine_learnt = {
    {.919, .277, .926, .225, .914, .482, 1.029, 1.633}, 2};

static const double WEIGHT_FLOOR = 3e-3; /* AUC: below it all weigh alike */
/* The learnt law is worth this weighted sum of squares: nothing beside some
 * dozens of squares. */
static const double RIDGE = .01;

void
combine_terms(
    double da, double db, double scatter, double k, double x[COMBINE_P])
{
    double large = fabs(da) >= fabs(db) ? da : db;
    double small = fabs(da) >= fabs(db) ? db : da;
    double r2 = da * da + db * db;
    double all = r2 + k * scatter * scatter;
    double keep = all > 0 ? r2 / all : 0;
    int at = (large < 0 ? 4 : 0) + (large * small < 0 ? 2 : 0);

    memset(x, 0, COMBINE_P * sizeof *x);
    x[at] = keep * large;
    x[at + 1] = keep * small;
}

double
combine_expect(
    const struct combine_law *law, double da, double db, double scatter)
{
    double x[COMBINE_P], sum = 0;

    combine_terms(da, db, scatter, law->k, x);
    for (int i = 0; i < COMBINE_P; i++)
        sum += law->at[i] * x[i];
    return sum;
}

void
combine_fit(
    struct combine_law *out, const struct combine_square *s, int n, double k)
{
    double a[COMBINE_P * COMBINE_P] = {0}, b[COMBINE_P];

    out->k = k;
    for (int i = 0; i < COMBINE_P; i++) {
        a[i * COMBINE_P + i] = RIDGE;
        b[i] = RIDGE * combine_learnt.at[i];
    }
    for (int r = 0; r < n; r++) {
        double x[COMBINE_P];
        double size = fabs(s[r].da) + fabs(s[r].db) + WEIGHT_FLOOR;
        double w = 1 / (size * size);
        combine_terms(s[r].da, s[r].db, s[r].scatter, k, x);
        for (int i = 0; i < COMBINE_P; i++) {
            b[i] += w * x[i] * s[r].dab;
            for (int j = 0; j <= i; j++)
                a[i * COMBINE_P + j] += w * x[i] * x[j];
        }
    }
    int rc = chol_factor(a, COMBINE_P, COMBINE_P);
    assert(rc == 0); /* the ridge makes it positive */
    chol_solve(a, COMBINE_P, COMBINE_P, b);
    memcpy(out->at, b, sizeof b);
}
