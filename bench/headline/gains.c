/* Reads results into a table of gains and resamples it. Invariant: only seeds
 * that every arm has on a task count, so that arms are compared like by like.
 */
#include "gains.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 500 };

static int
name_find(const char **list, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return (int)i;
    return -1;
}

static double
mean_of(const struct result *x, const char *key)
{
    double v[RUNS], sum = 0;
    uint32_t n = results_numbers(x, key, v, RUNS);
    for (uint32_t i = 0; i < n; i++)
        sum += v[i];
    return n > 0 ? sum / n : (double)NAN;
}

static void
names_collect(struct gains *g)
{
    for (uint32_t i = 0; i < g->r.n; i++) {
        const struct result *x = &g->r.item[i];
        if (strcmp(x->arm, "default") == 0) {
            if (name_find(g->task, g->n_tasks, x->task) < 0 &&
                g->n_tasks < TASKS_MAX)
                g->task[g->n_tasks++] = x->task;
        } else if (strcmp(x->arm, "library") != 0 &&
                   name_find(g->arm, g->n_arms, x->arm) < 0 &&
                   g->n_arms < GAIN_ARMS) {
            g->arm[g->n_arms++] = x->arm;
        }
    }
}

static void
defaults_collect(struct gains *g, uint32_t t)
{
    struct welford cost = {0};
    g->sign[t] = 1;
    for (uint32_t i = 0; i < g->r.n; i++) {
        const struct result *x = &g->r.item[i];
        double v[RUNS];
        if (strcmp(x->task, g->task[t]) != 0 || strcmp(x->arm, "default") != 0)
            continue;
        uint32_t n = results_numbers(x, "test", v, RUNS);
        for (uint32_t k = 0; k < n; k++)
            welford_add(&g->base[t], v[k]);
        welford_add(&cost, mean_of(x, "run_cpu_s"));
        if (json_get_bool(x->json, "minimise", false))
            g->sign[t] = -1;
    }
    g->cost[t] = cost.mean;
}

static void
gains_collect(struct gains *g, uint32_t t)
{
    for (uint32_t s = 1; s < GAIN_SEEDS && g->n_seeds[t] < GAIN_SEEDS; s++) {
        uint32_t at = g->n_seeds[t];
        bool all = g->n_arms > 0;
        for (uint32_t a = 0; a < g->n_arms; a++) {
            const struct result *x =
                results_find(&g->r, g->task[t], g->arm[a], s);
            all = all && x != NULL;
            if (x != NULL)
                g->spent_s[t][a][at] = json_get_num(x->json, "spent_s", 0);
            if (x != NULL) /* no proposal: the defaults stay, gain 0 */
                g->gain[t][a][at] =
                    !json_get_bool(x->json, "proposed", true)
                        ? 0
                        : g->sign[t] * (mean_of(x, "test") - g->base[t].mean);
        }
        if (all)
            g->seed[t][g->n_seeds[t]++] = s;
    }
}

int
gains_load(struct gains *g, const char *path, struct err *err)
{
    int rc = results_read(&g->r, path, err);
    if (rc == 0 && g->r.n == 0)
        rc = err_set(err, -ERR_INPUT, "no results");
    if (rc != 0)
        return rc;
    names_collect(g);
    for (uint32_t t = 0; t < g->n_tasks; t++) {
        defaults_collect(g, t);
        gains_collect(g, t);
    }
    return 0;
}

/* ---- resamples ---- */

static double
scale_of(const struct gains *g, uint32_t t, bool normal)
{
    return normal ? welford_sd(&g->base[t]) : 1;
}

double
gains_mean(const struct gains *g, const struct gains_draw *d, uint32_t arm,
    bool normal)
{
    double sum = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t t = d->task[i];
        double one = 0;
        for (uint32_t k = 0; k < g->n_seeds[t]; k++)
            one += g->gain[t][arm][d->cell[i][k]] / g->n_seeds[t];
        sum += one / scale_of(g, t, normal);
    }
    return d->n > 0 ? sum / d->n : 0;
}

void
gains_draw(
    const struct gains *g, struct rng *r, bool tasks, struct gains_draw *out)
{
    out->n = 0;
    for (uint32_t t = 0; t < g->n_tasks; t++) {
        if (g->n_seeds[t] == 0)
            continue;
        uint32_t pick = t;
        while (
            tasks && g->n_seeds[pick = (uint32_t)rng_below(r, g->n_tasks)] == 0)
            continue;
        out->task[out->n] = pick;
        for (uint32_t k = 0; k < g->n_seeds[pick]; k++)
            out->cell[out->n][k] =
                r != NULL ? (uint32_t)rng_below(r, g->n_seeds[pick]) : k;
        out->n++;
    }
}

static int
number_order(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

struct gains_estimate
gains_estimate(const struct gains *g, bool tasks,
    double (*statistic)(
        const struct gains *g, const struct gains_draw *d, void *ctx),
    void *ctx)
{
    static double all[GAIN_DRAWS];
    static struct gains_draw d;
    struct rng r;
    rng_seed(&r, 1);
    for (int i = 0; i < GAIN_DRAWS; i++) {
        gains_draw(g, &r, tasks, &d);
        all[i] = statistic(g, &d, ctx);
    }
    qsort(all, GAIN_DRAWS, sizeof all[0], number_order);
    gains_draw(g, NULL, false, &d);
    return (struct gains_estimate){statistic(g, &d, ctx), all[GAIN_DRAWS / 40],
        all[GAIN_DRAWS - 1 - GAIN_DRAWS / 40]};
}
