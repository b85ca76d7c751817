/* Ridge fit of sparse rows. Called by research when it learns from recorded
 * trials. Order of the features and number of sweeps are fixed, so the same
 * rows give the same effects to the last bit. Invariant: a feature that no row
 * holds has effect 0. */
#include "math/effects.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 60 };
static const double SETTLED = 1e-7; /* of the outcome's unit */

struct effects_work {
    double *rest;              /* y - x'b of each row */
    struct effects_term *cell; /* by feature: row and x */
    uint32_t *cell_at;         /* n_features + 1 */
    uint32_t *fill;
};

static uint32_t
terms_of(const struct effects_in *in)
{
    return in->row_at[in->n_rows];
}

size_t
effects_scratch(const struct effects_in *in)
{
    return in->n_rows * sizeof(double) +
           terms_of(in) * sizeof(struct effects_term) +
           (2 * (size_t)in->n_features + 2) * sizeof(uint32_t);
}

static void
work_init(const struct effects_in *in, struct effects_work *w, void *scratch)
{
    w->rest = scratch;
    w->cell = (struct effects_term *)(w->rest + in->n_rows);
    w->cell_at = (uint32_t *)(w->cell + terms_of(in));
    w->fill = w->cell_at + in->n_features + 1;
    memcpy(w->rest, in->y, in->n_rows * sizeof *w->rest);
    memset(w->cell_at, 0, (2 * (size_t)in->n_features + 2) * sizeof(uint32_t));
    for (uint32_t i = 0; i < terms_of(in); i++)
        w->cell_at[in->term[i].at + 1]++;
    for (uint32_t f = 0; f < in->n_features; f++)
        w->cell_at[f + 1] += w->cell_at[f];
    for (uint32_t r = 0; r < in->n_rows; r++)
        for (uint32_t i = in->row_at[r]; i < in->row_at[r + 1]; i++) {
            uint32_t f = in->term[i].at;
            w->cell[w->cell_at[f] + w->fill[f]++] =
                (struct effects_term){r, in->term[i].x};
        }
}

/* The best value of one effect, the others held. Returns its change. */
static double
effect_move(const struct effects_in *in, const struct effects_work *w,
    uint32_t f, double *effect, double *var)
{
    double up = 0, down = in->ridge[f];
    for (uint32_t i = w->cell_at[f]; i < w->cell_at[f + 1]; i++) {
        double wx = in->weight[w->cell[i].at] * w->cell[i].x;
        up += wx * w->rest[w->cell[i].at];
        down += wx * w->cell[i].x;
    }
    double step = (up - in->ridge[f] * effect[f]) / down;
    effect[f] += step;
    var[f] = 1 / down;
    for (uint32_t i = w->cell_at[f]; i < w->cell_at[f + 1]; i++)
        w->rest[w->cell[i].at] -= step * w->cell[i].x;
    return step;
}

double
effects_fit(
    const struct effects_in *in, double *effect, double *var, void *scratch)
{
    struct effects_work w;
    double square = 0, all = 0;

    work_init(in, &w, scratch);
    memset(effect, 0, in->n_features * sizeof *effect);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double moved = 0;
        for (uint32_t f = 0; f < in->n_features; f++)
            moved = fmax(moved, fabs(effect_move(in, &w, f, effect, var)));
        if (moved < SETTLED)
            break;
    }
    for (uint32_t r = 0; r < in->n_rows; r++) {
        square += in->weight[r] * w.rest[r] * w.rest[r];
        all += in->weight[r];
    }
    double s2 = all > 0 ? square / all : 1;
    for (uint32_t f = 0; f < in->n_features; f++)
        var[f] *= s2;
    return s2;
}
