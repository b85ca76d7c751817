/* From results to the page. Gains are of means: the fresh runs of what an arm
 * named against all fresh runs of the defaults on that task. Intervals are
 * bootstraps (Efron 1979), 95 %, percentile: seeds resampled inside each task,
 * the same draw for every arm; and tasks resampled, too, for what another
 * choice of tasks would give. The best other arm is chosen anew in each draw.*/
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "results.h"
#include "task.h"
#include "math/stat.h"

enum { ARMS = 16, SEEDS = 200, DRAWS = 4000, RUNS = 500 };

struct page {
    struct results r;
    const char *task[TASKS_MAX], *arm[ARMS];
    uint32_t n_tasks, n_arms, n_seeds[TASKS_MAX];
    uint32_t seed[TASKS_MAX][SEEDS]; /* seeds that every arm has */
    struct welford base[TASKS_MAX];  /* sealed, of the defaults */
    double sign[TASKS_MAX];
    double cost[TASKS_MAX]; /* of a training with the defaults, seconds */
    double gain[TASKS_MAX][ARMS][SEEDS];
};

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
names_collect(struct page *p)
{
    for (uint32_t i = 0; i < p->r.n; i++) {
        const struct result *x = &p->r.item[i];
        if (strcmp(x->arm, "default") == 0) {
            if (name_find(p->task, p->n_tasks, x->task) < 0 &&
                p->n_tasks < TASKS_MAX)
                p->task[p->n_tasks++] = x->task;
        } else if (strcmp(x->arm, "library") != 0 &&
                   name_find(p->arm, p->n_arms, x->arm) < 0 &&
                   p->n_arms < ARMS) {
            p->arm[p->n_arms++] = x->arm;
        }
    }
}

static void
defaults_collect(struct page *p, uint32_t t)
{
    struct welford cost = {0};
    p->sign[t] = 1;
    for (uint32_t i = 0; i < p->r.n; i++) {
        const struct result *x = &p->r.item[i];
        double v[RUNS];
        if (strcmp(x->task, p->task[t]) != 0 || strcmp(x->arm, "default") != 0)
            continue;
        uint32_t n = results_numbers(x, "test", v, RUNS);
        for (uint32_t k = 0; k < n; k++)
            welford_add(&p->base[t], v[k]);
        welford_add(&cost, mean_of(x, "run_cpu_s"));
        if (json_get_bool(x->json, "minimise", false))
            p->sign[t] = -1;
    }
    p->cost[t] = cost.mean;
}

static void
gains_collect(struct page *p, uint32_t t)
{
    for (uint32_t s = 1; s < SEEDS && p->n_seeds[t] < SEEDS; s++) {
        uint32_t at = p->n_seeds[t];
        bool all = p->n_arms > 0;
        for (uint32_t a = 0; a < p->n_arms; a++) {
            const struct result *x =
                results_find(&p->r, p->task[t], p->arm[a], s);
            all = all && x != NULL;
            if (x != NULL) /* no proposal: the defaults stay, gain 0 */
                p->gain[t][a][at] =
                    !json_get_bool(x->json, "proposed", true)
                        ? 0
                        : p->sign[t] * (mean_of(x, "test") - p->base[t].mean);
        }
        if (all)
            p->seed[t][p->n_seeds[t]++] = s;
    }
}

/* ---- means and their intervals ---- */

struct draw { /* a resample: cells of each drawn task */
    uint32_t n, task[TASKS_MAX];
    uint32_t cell[TASKS_MAX][SEEDS];
};

static double
scale_of(const struct page *p, uint32_t t, bool normal)
{
    return normal ? welford_sd(&p->base[t]) : 1;
}

static double
arm_mean(const struct page *p, const struct draw *d, uint32_t arm, bool normal)
{
    double sum = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t t = d->task[i];
        double one = 0;
        for (uint32_t k = 0; k < p->n_seeds[t]; k++)
            one += p->gain[t][arm][d->cell[i][k]] / p->n_seeds[t];
        sum += one / scale_of(p, t, normal);
    }
    return d->n > 0 ? sum / d->n : 0;
}

static void
draw_make(const struct page *p, struct rng *r, bool tasks, struct draw *out)
{
    out->n = 0;
    for (uint32_t t = 0; t < p->n_tasks; t++) {
        if (p->n_seeds[t] == 0)
            continue;
        uint32_t pick = t;
        while (
            tasks && p->n_seeds[pick = (uint32_t)rng_below(r, p->n_tasks)] == 0)
            continue;
        out->task[out->n] = pick;
        for (uint32_t k = 0; k < p->n_seeds[pick]; k++)
            out->cell[out->n][k] =
                r != NULL ? (uint32_t)rng_below(r, p->n_seeds[pick]) : k;
        out->n++;
    }
}

static bool
is_rea(const char *arm)
{
    return strncmp(arm, "rea", 3) == 0;
}

static uint32_t
best_other(const struct page *p, const struct draw *d, bool normal)
{
    uint32_t best = p->n_arms;
    double top = -INFINITY;
    for (uint32_t a = 0; a < p->n_arms; a++) {
        double m = is_rea(p->arm[a]) ? -INFINITY : arm_mean(p, d, a, normal);
        if (m > top) {
            top = m;
            best = a;
        }
    }
    return best;
}

/* Mean gain of an arm, or with ratio its quotient by the best other arm's. */
static double
statistic(const struct page *p, const struct draw *d, uint32_t arm, bool normal,
    bool ratio)
{
    double m = arm_mean(p, d, arm, normal);
    if (!ratio)
        return m;
    uint32_t other = best_other(p, d, normal);
    if (other == p->n_arms)
        return (double)NAN;
    double than = arm_mean(p, d, other, normal);
    return than > 0 ? m / than : INFINITY;
}

static int
number_order(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

struct estimate {
    double value, lo, hi;
};

static struct estimate
estimate_of(
    const struct page *p, uint32_t arm, bool normal, bool ratio, bool tasks)
{
    static double all[DRAWS];
    static struct draw d;
    struct rng r;
    rng_seed(&r, 1);
    for (int i = 0; i < DRAWS; i++) {
        draw_make(p, &r, tasks, &d);
        all[i] = statistic(p, &d, arm, normal, ratio);
    }
    qsort(all, DRAWS, sizeof all[0], number_order);
    draw_make(p, NULL, false, &d);
    return (struct estimate){statistic(p, &d, arm, normal, ratio),
        all[DRAWS / 40], all[DRAWS - 1 - DRAWS / 40]};
}

/* ---- the page ---- */

static double
cells_sum(const struct page *p, uint32_t arm, const char *key, uint32_t *n)
{
    double sum = 0;
    *n = 0;
    for (uint32_t i = 0; i < p->r.n; i++) {
        const struct result *x = &p->r.item[i];
        if (strcmp(x->arm, p->arm[arm]) != 0)
            continue;
        const struct json *v = json_get(x->json, key);
        sum += json_kind(v) == J_BOOL ? json_bool(v, false) : json_num(v, 0);
        (*n)++;
    }
    return sum;
}

static void
figure_print(const struct page *p, uint32_t arm)
{
    static struct draw d;
    draw_make(p, NULL, false, &d);
    for (int normal = 0; normal < 2; normal++) {
        uint32_t other = best_other(p, &d, normal);
        struct estimate x = estimate_of(p, arm, normal, true, false);
        struct estimate y = estimate_of(p, arm, normal, true, true);
        if (other == p->n_arms)
            return;
        printf("| %s / %s, %s | %.2f | %.2f-%.2f | %.2f-%.2f |\n", p->arm[arm],
            p->arm[other], normal ? "seed sds" : "sealed metric", x.value, x.lo,
            x.hi, y.lo, y.hi);
    }
}

static void
arms_print(const struct page *p)
{
    printf("| arm | mean sealed gain | in seed sds | proposals | trainings | "
           "core-seconds |\n|---|---|---|---|---|---|\n");
    for (uint32_t a = 0; a < p->n_arms; a++) {
        uint32_t n;
        struct estimate x = estimate_of(p, a, false, false, false);
        struct estimate y = estimate_of(p, a, true, false, false);
        double proposed = cells_sum(p, a, "proposed", &n);
        double trials = cells_sum(p, a, "trials", &n);
        double spent = cells_sum(p, a, "spent_s", &n);
        printf("| %s | %.4f [%.4f, %.4f] | %.2f [%.2f, %.2f] | %.0f of %u | "
               "%.1f | %.2f |\n",
            p->arm[a], x.value, x.lo, x.hi, y.value, y.lo, y.hi, proposed, n,
            trials / n, spent / n);
    }
}

static void
tasks_print(const struct page *p)
{
    printf("| task | default, sealed | seed sd | core-seconds a training | "
           "seeds |");
    for (uint32_t a = 0; a < p->n_arms; a++)
        printf(" %s |", p->arm[a]);
    printf("\n|---|---|---|---|---|");
    for (uint32_t a = 0; a < p->n_arms; a++)
        printf("---|");
    for (uint32_t t = 0; t < p->n_tasks; t++) {
        printf("\n| %s | %.4f | %.4f | %.2f | %u |", p->task[t],
            p->base[t].mean, welford_sd(&p->base[t]), p->cost[t],
            p->n_seeds[t]);
        for (uint32_t a = 0; a < p->n_arms; a++) {
            struct welford w = {0};
            for (uint32_t k = 0; k < p->n_seeds[t]; k++)
                welford_add(&w, p->gain[t][a][k]);
            printf(" %+.4f +- %.4f |", w.mean, welford_sd(&w));
        }
    }
    printf("\n");
}

static const char head[] =
    "# The headline: sealed gain per core-second, live\n\n"
    "<!-- written by build/bench-headline --report=RESULTS -->\n"
    "Real tasks, trained live by the bundled trainer; every arm gets the same "
    "processor\nseconds of training and names one configuration. What counts "
    "is its gain over the\nshipped defaults on the test rows, which no arm "
    "sees, with fresh seeds.\n\n"
    "## Figures\n\n";

static const char rules[] =
    "\n## Rules\n\n"
    "- **Same for all**: project file, knobs and ranges "
    "(`bench/headline/ctr.toml`), defaults\n  (the trainer's own), data, "
    "validation metric, limit of one training. Tasks, budgets\n  and limits "
    "are lines of `bench/headline/tasks.tsv`.\n"
    "- **Core-seconds**: user and system time that a training reports of "
    "itself; of one that\n  was killed, what the kernel says. Peers may "
    "finish the run in which their seconds end;\n  rea ends below its "
    "budget. The planners' own time is not charged to anybody.\n"
    "- **Peers**: random search (uniform, log scales kept), greedy "
    "keep-if-better (one knob of\n  the best), Optuna's TPE, and TPE with the "
    "median pruner on the curve of the epochs.\n  Each runs the defaults "
    "first, then names the best value it observed.\n"
    "- **rea**: `plan`, `approve`, `run --wait`, `accept` of the real program "
    "in a workspace of\n  its own. Baseline repeats and confirmation are paid "
    "from the same seconds. Without a\n  proposal the defaults stay: gain 0. "
    "It has no sealed metric here: confirmation uses\n  fresh seeds on "
    "the validation rows, so that the test rows stay the bench's own.\n"
    "- **rea-alone** knows no earlier campaign (`--from-insights=no`), only "
    "the technique\n  library. **rea** also has the public insights and "
    "those that earlier campaigns on the\n  *other* tasks kept (never on the "
    "same one; one campaign a task and seed, each of 4\n  budgets, without "
    "insights), as a team's database has campaigns on other models. What\n"
    "  those cost is not charged.\n"
    "- **Outcome**: mean over fresh seeds of what was named, less that of the "
    "defaults pooled\n  over all their runs. Cells are tasks x seeds; the "
    "ratio's intervals choose the best\n  other arm anew in each resample.\n"
    "\n## Again\n\n"
    "    REA_DATA=DATA build/bench-headline --out=results.jsonl\n"
    "    build/bench-headline --report=results.jsonl >docs/headline.md\n\n"
    "Results are appended as they come; the same command goes on after a "
    "stop. A task is added\nby a line in the table.\n";

int
headline_report(const char *path)
{
    static struct page p;
    struct err err = {0};
    if (results_read(&p.r, path, &err) != 0 || p.r.n == 0) {
        fprintf(stderr, "bench-headline: %s: %s\n", path,
            err.code != 0 ? err.text : "no results");
        return 1;
    }
    names_collect(&p);
    for (uint32_t t = 0; t < p.n_tasks; t++) {
        defaults_collect(&p, t);
        gains_collect(&p, t);
    }
    fputs(head, stdout);
    printf("| figure: mean gain over the best other arm's | ratio | 95 %%, "
           "seeds resampled | 95 %%, tasks and seeds resampled |\n"
           "|---|---|---|---|\n");
    for (uint32_t a = 0; a < p.n_arms; a++)
        if (is_rea(p.arm[a]))
            figure_print(&p, a);
    printf("\n");
    arms_print(&p);
    printf("\n");
    printf("Sealed gains by task, mean and sd over the arms' seeds:\n\n");
    tasks_print(&p);
    fputs(rules, stdout);
    return 0;
}
