/* The floor of the baseline's curve (floor.h). */
#include "project/floor.h"

#include <math.h>

double
floor_turned(uint8_t goal, double target, double v)
{
    return goal == GOAL_MIN ? -v : goal == GOAL_TARGET ? -fabs(v - target) : v;
}

void
floor_make(const struct floor_run *run, uint32_t n, struct floor_mark *out)
{
    double worst = INFINITY, gained = INFINITY;
    *out = (struct floor_mark){0};
    if (n < FLOOR_RUNS_MIN || n > FLOOR_RUNS_MAX)
        return;
    for (uint32_t i = 0; i < n; i++) {
        if (run[i].reports < FLOOR_REPORTS_MIN)
            return;
        worst = fmin(worst, run[i].first);
        gained = fmin(gained, run[i].best - run[i].first);
    }
    out->on = isfinite(worst) && isfinite(gained) && gained > 0;
    out->level = worst - gained / 4;
}

bool
floor_take(struct floor_watch *w, double value)
{
    if (!w->mark.on || !isfinite(value))
        return false;
    if (floor_turned(w->goal, w->target, value) >= w->mark.level) {
        w->was_above = true;
        w->below = 0;
        return false;
    }
    return w->was_above && ++w->below >= FLOOR_ROWS;
}
