/* Rungs crossed by a run. Called for each value of its metric stream, by the
 * shim and by the wake. Invariant: what is found of a rung depends on the
 * stream up to its crossing only, so a later look finds the same. */
#include "project/rungs.h"

#include <math.h>
#include <string.h>

void
rungs_init(struct rung_reader *r, const struct harvest_spec *h,
    const double *rung, uint32_t n, uint32_t progress)
{
    memset(r, 0, sizeof *r);
    r->n = n > 0 ? n - 1 : 0;
    for (uint32_t i = 0; i < r->n; i++)
        r->rung[i] = rung[i];
    r->primary = h->primary;
    r->progress = progress;
    if (h->primary < h->n)
        r->how = h->source[h->primary];
}

static double
worth(const struct metric_source *how, double v)
{
    return how->goal == GOAL_MAX   ? v
           : how->goal == GOAL_MIN ? -v
                                   : -fabs(v - how->target);
}

static void
reduce(struct rung_reader *r, double v)
{
    bool better = !r->has || worth(&r->how, v) > worth(&r->how, r->reduced);
    if (r->how.reduce == REDUCE_MEAN_LAST && r->how.mean_n > 0) {
        uint32_t cap =
            r->how.mean_n < HARVEST_MEAN_MAX ? r->how.mean_n : HARVEST_MEAN_MAX;
        double sum = 0;
        r->ring[r->ring_at++ % cap] = v;
        r->n_ring += r->n_ring < cap;
        for (uint32_t i = 0; i < r->n_ring; i++)
            sum += r->ring[i];
        r->reduced = sum / r->n_ring;
    } else if (r->how.reduce != REDUCE_BEST || better) {
        r->reduced = v;
    }
    r->has = true;
}

static void
cross(struct rung_reader *r)
{
    uint32_t to = r->crossed;
    while (to < r->n && r->at >= r->rung[to])
        to++;
    if (to > r->crossed)
        r->value[r->n_values++] = (struct rung_value){to - 1, r->reduced};
    r->crossed = to;
}

void
rungs_take(struct rung_reader *r, uint32_t metric, double step, double value)
{
    if (!isfinite(value) || !isfinite(step))
        return;
    if (metric == r->progress) {
        r->at = value;
        r->at_step = step;
        r->moved = true;
    }
    if (metric == r->primary) {
        reduce(r, value);
        r->value_step = step;
        r->fresh = true;
        if (r->progress >= METRICS_MAX) {
            r->at = r->at_step = step;
            r->moved = true;
        }
    }
    /* the two are of one moment when they carry one step */
    if (r->fresh && r->moved && r->at_step == r->value_step) {
        r->fresh = r->moved = false;
        cross(r);
    }
}
