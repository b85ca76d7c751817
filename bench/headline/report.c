/* From results to the page. Intervals resample seeds inside each task, the same
 * draw for every arm; and tasks, too, for what another choice of tasks would
 * give. The best other arm is chosen anew in each draw. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gains.h"

static bool
is_rea(const char *arm)
{
    return strncmp(arm, "rea", 3) == 0;
}

static uint32_t
best_other(const struct gains *p, const struct gains_draw *d, bool normal)
{
    uint32_t best = p->n_arms;
    double top = -INFINITY;
    for (uint32_t a = 0; a < p->n_arms; a++) {
        double m = is_rea(p->arm[a]) ? -INFINITY : gains_mean(p, d, a, normal);
        if (m > top) {
            top = m;
            best = a;
        }
    }
    return best;
}

/* Mean gain of an arm, or with ratio its quotient by the best other arm's. */
static double
statistic(const struct gains *p, const struct gains_draw *d, uint32_t arm,
    bool normal, bool ratio)
{
    double m = gains_mean(p, d, arm, normal);
    if (!ratio)
        return m;
    uint32_t other = best_other(p, d, normal);
    if (other == p->n_arms)
        return (double)NAN;
    double than = gains_mean(p, d, other, normal);
    return than > 0 ? m / than : INFINITY;
}

struct question {
    uint32_t arm;
    bool normal, ratio;
};

static double
answer(const struct gains *p, const struct gains_draw *d, void *ctx)
{
    const struct question *q = ctx;
    return statistic(p, d, q->arm, q->normal, q->ratio);
}

static struct gains_estimate
estimate_of(
    const struct gains *p, uint32_t arm, bool normal, bool ratio, bool tasks)
{
    struct question q = {arm, normal, ratio};
    return gains_estimate(p, tasks, answer, &q);
}

/* ---- the page ---- */

static double
cells_sum(const struct gains *p, uint32_t arm, const char *key, uint32_t *n)
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
figure_print(const struct gains *p, uint32_t arm)
{
    static struct gains_draw d;
    gains_draw(p, NULL, false, &d);
    for (int normal = 0; normal < 2; normal++) {
        uint32_t other = best_other(p, &d, normal);
        struct gains_estimate x = estimate_of(p, arm, normal, true, false);
        struct gains_estimate y = estimate_of(p, arm, normal, true, true);
        if (other == p->n_arms)
            return;
        printf("| %s / %s, %s | %.2f | %.2f-%.2f | %.2f-%.2f |\n", p->arm[arm],
            p->arm[other], normal ? "seed sds" : "sealed metric", x.value, x.lo,
            x.hi, y.lo, y.hi);
    }
}

static void
arms_print(const struct gains *p)
{
    printf("| arm | mean sealed gain | in seed sds | proposals | trainings | "
           "core-seconds |\n|---|---|---|---|---|---|\n");
    for (uint32_t a = 0; a < p->n_arms; a++) {
        uint32_t n;
        struct gains_estimate x = estimate_of(p, a, false, false, false);
        struct gains_estimate y = estimate_of(p, a, true, false, false);
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
tasks_print(const struct gains *p)
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
    static struct gains p;
    struct err err = {0};
    if (gains_load(&p, path, &err) != 0) {
        fprintf(stderr, "bench-headline: %s: %s\n", path, err.text);
        return 1;
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
