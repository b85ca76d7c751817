/* From results to docs/sources.md: what each arm gained for its processor
 * seconds, what became of each source's ideas, and of the new backbone. Seeds
 * are resampled inside each task, the same draw for every arm. */
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "headline/gains.h"

static const char new_backbone[] = "gdcn";

/* ---- arms ---- */

/* Gain over the hours of training, both summed over the cells of a task; then
 * the mean over tasks. */
static double
rate_of(const struct gains *g, const struct gains_draw *d, void *ctx)
{
    uint32_t arm = *(const uint32_t *)ctx;
    double sum = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t t = d->task[i];
        double gain = 0, hours = 0;
        for (uint32_t k = 0; k < g->n_seeds[t]; k++) {
            gain += g->gain[t][arm][d->cell[i][k]];
            hours += g->spent_s[t][arm][d->cell[i][k]] / 3600;
        }
        sum += hours > 0 ? gain / hours : 0;
    }
    return d->n > 0 ? sum / d->n : 0;
}

static double
mean_of(const struct gains *g, const struct gains_draw *d, void *ctx)
{
    return gains_mean(g, d, *(const uint32_t *)ctx, false);
}

static double
difference_of(const struct gains *g, const struct gains_draw *d, void *ctx)
{
    const uint32_t *arm = ctx;
    return gains_mean(g, d, arm[0], false) - gains_mean(g, d, arm[1], false);
}

static int
arm_find(const struct gains *g, const char *name)
{
    for (uint32_t a = 0; a < g->n_arms; a++)
        if (strcmp(g->arm[a], name) == 0)
            return (int)a;
    return -1;
}

static void
arms_print(const struct gains *g)
{
    printf("| arm | sealed gain per core-hour | mean sealed gain | proposals | "
           "gains / losses | worst | core-seconds |\n"
           "|---|---|---|---|---|---|---|\n");
    for (uint32_t a = 0; a < g->n_arms; a++) {
        uint32_t up = 0, down = 0, n = 0, proposed = 0;
        double worst = 0, spent = 0;
        for (uint32_t t = 0; t < g->n_tasks; t++)
            for (uint32_t k = 0; k < g->n_seeds[t]; k++, n++) {
                const struct result *x =
                    results_find(&g->r, g->task[t], g->arm[a], g->seed[t][k]);
                double gain = g->gain[t][a][k];
                proposed += json_get_bool(x->json, "proposed", false);
                up += gain > 0;
                down += gain < 0;
                worst = fmin(worst, gain);
                spent += g->spent_s[t][a][k];
            }
        struct gains_estimate r = gains_estimate(g, false, rate_of, &a);
        struct gains_estimate m = gains_estimate(g, false, mean_of, &a);
        printf("| %s | %+.3f [%+.3f, %+.3f] | %+.4f [%+.4f, %+.4f] | %u of %u "
               "| %u / %u | %+.4f | %.1f |\n",
            g->arm[a], r.value, r.lo, r.hi, m.value, m.lo, m.hi, proposed, n,
            up, down, worst, n > 0 ? spent / n : 0);
    }
}

static void
differences_print(const struct gains *g)
{
    int both = arm_find(g, "both");
    if (both < 0)
        return;
    printf("\n| both sources less | difference of mean sealed gain | 95 %% |\n"
           "|---|---|---|\n");
    for (uint32_t a = 0; a < g->n_arms; a++) {
        uint32_t pair[2] = {(uint32_t)both, a};
        if (a == (uint32_t)both)
            continue;
        struct gains_estimate x = gains_estimate(g, false, difference_of, pair);
        printf("| %s | %+.4f | %+.4f to %+.4f |\n", g->arm[a], x.value, x.lo,
            x.hi);
    }
}

static void
tasks_print(const struct gains *g)
{
    printf("\n| task | default, sealed | seed sd | core-seconds a training | "
           "seeds |");
    for (uint32_t a = 0; a < g->n_arms; a++)
        printf(" %s |", g->arm[a]);
    printf("\n|---|---|---|---|---|");
    for (uint32_t a = 0; a < g->n_arms; a++)
        printf("---|");
    for (uint32_t t = 0; t < g->n_tasks; t++) {
        printf("\n| %s | %.4f | %.4f | %.2f | %u |", g->task[t],
            g->base[t].mean, welford_sd(&g->base[t]), g->cost[t],
            g->n_seeds[t]);
        for (uint32_t a = 0; a < g->n_arms; a++) {
            struct welford w = {0};
            for (uint32_t k = 0; k < g->n_seeds[t]; k++)
                welford_add(&w, g->gain[t][a][k]);
            printf(" %+.4f +- %.4f |", w.mean, welford_sd(&w));
        }
    }
    printf("\n");
}

/* ---- ideas ---- */

struct fate {
    uint32_t ideas, tried, promoted, rejected, trials;
    struct welford effect;
};

static bool
has(const struct json *idea, const char *key, const char *value)
{
    const char *text = json_get_str(idea, key);
    return text != NULL && strcmp(text, value) == 0;
}

static void
fate_add(struct fate *f, const struct json *idea)
{
    uint32_t trials = (uint32_t)json_get_i64(idea, "trials", 0);
    double mean = json_get_num(idea, "mean", (double)NAN);
    f->ideas++;
    f->trials += trials;
    if (trials == 0 || !isfinite(mean))
        return;
    f->tried++;
    f->promoted += has(idea, "verdict", "promote");
    f->rejected += has(idea, "verdict", "reject");
    welford_add(&f->effect, mean);
}

/* Wilson's interval of a share, 95 % (Wilson, JASA 1927). */
static void
share_interval(uint32_t k, uint32_t n, double *lo, double *hi)
{
    const double z = 1.959963985;
    double p = (double)k / n, m = 1 + z * z / n;
    double mid = p + z * z / (2.0 * n);
    double half = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
    *lo = (mid - half) / m;
    *hi = (mid + half) / m;
}

static void
fate_print(const char *arm, const char *source, const struct fate *f)
{
    double lo, hi;
    if (f->tried == 0)
        return;
    share_interval(f->promoted, f->tried, &lo, &hi);
    printf("| %s | %s | %u | %u | %u | %u | %u | %.0f %% [%.0f, %.0f] | "
           "%+.4f |\n",
        arm, source, f->ideas, f->tried, f->trials, f->promoted, f->rejected,
        100.0 * f->promoted / f->tried, 100 * lo, 100 * hi, f->effect.mean);
}

static void
ideas_print(const struct gains *g)
{
    static const char *const source[] = {"insight", "research", "engineer"};
    static const char *const shown[] = {"insights", "research", "chance"};
    printf("| arm | source | ideas | tried | trainings | promoted | rejected | "
           "win rate | mean effect when tried |\n"
           "|---|---|---|---|---|---|---|---|---|\n");
    for (uint32_t a = 0; a < g->n_arms; a++) {
        for (size_t s = 0; s < sizeof source / sizeof *source; s++) {
            struct fate f = {0};
            for (uint32_t i = 0; i < g->r.n; i++) {
                const struct json *list = json_get(g->r.item[i].json, "ideas");
                if (strcmp(g->r.item[i].arm, g->arm[a]) != 0)
                    continue;
                for (size_t k = 0; k < json_len(list); k++)
                    if (has(json_at(list, k), "source", source[s]))
                        fate_add(&f, json_at(list, k));
            }
            fate_print(g->arm[a], shown[s], &f);
        }
    }
}

/* ---- the new backbone ---- */

static const struct json *
backbone_find(const struct result *x)
{
    const struct json *list = json_get(x->json, "ideas");
    for (size_t k = 0; k < json_len(list); k++) {
        const char *text = json_get_str(json_at(list, k), "statement");
        if (text != NULL && strstr(text, new_backbone) != NULL)
            return json_at(list, k);
    }
    return NULL;
}

static void
backbone_print(const struct gains *g)
{
    printf("| task | seed | arm | idea | source | cites | trainings | effect "
           "on valid, 95 %% | verdict | in the proposal |\n"
           "|---|---|---|---|---|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < g->r.n; i++) {
        const struct result *x = &g->r.item[i];
        const struct json *h = backbone_find(x);
        const char *cites = json_get_str(h, "cites");
        const char *model = json_get_str(json_get(x->json, "changes"), "model");
        if (h == NULL)
            continue;
        printf("| %s | %u | %s | %s | %s | %s | %lld | ", x->task, x->seed,
            x->arm, json_get_str(h, "id"),
            has(h, "source", "engineer") ? "chance" : json_get_str(h, "source"),
            cites != NULL ? cites : "-",
            (long long)json_get_i64(h, "trials", 0));
        if (json_get(h, "mean") != NULL)
            printf("%+.4f [%+.4f, %+.4f]", json_get_num(h, "mean", 0),
                json_get_num(h, "lo", 0), json_get_num(h, "hi", 0));
        else
            printf("-");
        printf(" | %s | %s |\n", json_get_str(h, "verdict"),
            model != NULL && strcmp(model, new_backbone) == 0 ? "yes" : "no");
    }
}

/* ---- the page ---- */

static const char head[] =
    "# The two sources of ideas, live\n\n"
    "<!-- written by build/bench-sources --report=RESULTS -->\n"
    "The agent with both sources of ideas, with either alone, and with random "
    "changes of\nknobs in their place; each arm gets the same processor "
    "seconds of training on the same\ntasks and names one configuration. What "
    "counts is its gain over the defaults on the\ntest rows, which no arm "
    "sees, with fresh seeds (AUC).\n\n"
    "## Gain\n\n";

static const char rules[] =
    "\n## Rules\n\n"
    "- **Tasks, knobs**: `bench/sources/tasks.tsv`, `bench/sources/ctr.toml`; "
    "the default is a small\n  `dcnv2`. Among the values of the knob `model` "
    "is `gdcn` (2023), which no shipped\n  insight knows.\n"
    "- **both**: the public insights; the technique library as of 2021, and "
    "of what is newer only\n  what a paper of the corpus names "
    "(`rea research add`, `rea plan --library=2021-12-31`).\n"
    "- **insights**: `--from-research=no`. **research**: "
    "`--from-insights=no`, with the corpus.\n"
    "- **chance**: the same agent with 24 random changes of one knob "
    "(`rea try`) instead of a\n  draft. **greedy**: no agent; a random knob of "
    "the best so far gets a random value, kept\n  when better.\n"
    "- **Core-seconds**: user and system time that a training reports of "
    "itself. Repeats of the\n  baseline and confirmation are paid from the "
    "same seconds. Without a proposal the\n  defaults stay: gain 0.\n"
    "- **Sealed gain per core-hour**: gains of a task's cells over their "
    "hours, then the mean of\n  the tasks. Intervals: 95 %, seeds resampled "
    "inside each task (4,000 draws).\n"
    "- **Win rate**: promoted by Validation of those tried, Wilson's "
    "interval. Effects are on\n  valid, against the defaults.\n"
    "\n## Again\n\n"
    "    gzip -dc ABSTRACTS.jsonl.gz >papers.jsonl\n"
    "    REA_DATA=DATA build/bench-sources --papers=papers.jsonl --minutes=5 "
    "--out=results.jsonl\n"
    "    build/bench-sources --report=results.jsonl |\n        cat - "
    "bench/sources/reading.md >docs/sources.md\n\n"
    "The first command goes on where it stopped; it is done when it has "
    "nothing to do.\n";

int
sources_page(const char *results)
{
    static struct gains g;
    struct err err = {0};
    if (gains_load(&g, results, &err) != 0) {
        fprintf(stderr, "bench-sources: %s: %s\n", results, err.text);
        return 1;
    }
    fputs(head, stdout);
    arms_print(&g);
    differences_print(&g);
    tasks_print(&g);
    printf("\n## Ideas\n\n");
    ideas_print(&g);
    printf("\n## The new backbone\n\n");
    backbone_print(&g);
    fputs(rules, stdout);
    return 0;
}
