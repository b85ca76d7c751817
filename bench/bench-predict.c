/* How well are changes predicted on data that nothing was learnt from? The
 * sign, size and spread of recorded single changes; what two changes give
 * together; and which declared candidates are good. Everything leaves the
 * target's family out. Called by people and by the figures of the docs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/rank.h"
#include "replay/insights.h"
#include "replay/signs.h"
#include "replay/squares.h"

enum { DATASETS_MAX = 512 };

struct options {
    const char *trials, *changes, *squares, *target;
    const char *more_trials, *more_changes;
    uint32_t known, min_candidates;
    uint64_t seed;
    bool json;
};

static const char usage[] =
    "usage: bench-predict --trials T.csv[.gz] [--hypotheses H.csv[.gz]]\n"
    "  [--squares S.csv[.gz]] [--target DATASET|all]\n"
    "  [--insights-trials I.csv[.gz]] [--insights-hypotheses IH.csv[.gz]]\n"
    "  [--known N] [--seed K] [--min-candidates N] [--json]\n"
    "What is learnt from is the same tables where --insights-* say nothing,\n"
    "always without the target's family. --known N: so many other trials of\n"
    "the target are measured (0: all).\n";

static bool
option_set(struct options *o, const char *name, const char *v)
{
    if (strcmp(name, "--trials") == 0)
        o->trials = v;
    else if (strcmp(name, "--hypotheses") == 0)
        o->changes = v;
    else if (strcmp(name, "--squares") == 0)
        o->squares = v;
    else if (strcmp(name, "--target") == 0)
        o->target = v;
    else if (strcmp(name, "--insights-trials") == 0)
        o->more_trials = v;
    else if (strcmp(name, "--insights-hypotheses") == 0)
        o->more_changes = v;
    else if (strcmp(name, "--known") == 0)
        o->known = (uint32_t)strtoul(v, NULL, 10);
    else if (strcmp(name, "--seed") == 0)
        o->seed = strtoull(v, NULL, 10);
    else if (strcmp(name, "--min-candidates") == 0)
        o->min_candidates = (uint32_t)strtoul(v, NULL, 10);
    else
        return false;
    return true;
}

static bool
options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.target = "all", .seed = 1, .min_candidates = 100};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (i + 1 >= argc || !option_set(o, argv[i], argv[i + 1])) {
            fprintf(stderr, "%s: not understood\n%s", argv[i], usage);
            return false;
        } else {
            i++;
        }
    }
    if (o->trials == NULL)
        fputs(usage, stderr);
    return o->trials != NULL;
}

/* ---- declared candidates ---- */

static int
by_prior(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] != y[0] ? (x[0] < y[0]) - (x[0] > y[0])
                        : (x[1] > y[1]) - (x[1] < y[1]);
}

/* Least regret among the first n predictions. */
static double
first_regret(const struct problem *p, const double *order, uint32_t n)
{
    double best = INFINITY;
    for (uint32_t i = 0; i < n && i < p->n; i++)
        best = fmin(best,
            problem_regret(p, p->val[(uint32_t)order[2 * (size_t)i + 1]]));
    return best;
}

/* Share of the candidates whose place on the scale lies in the 80 % interval
 * around what was predicted, the dataset's own level apart. */
static double
spread_cover(const struct problem *p)
{
    double *gap = mem_calloc(p->n, sizeof *gap);
    double range = p->best - p->median, in = 0;
    for (uint32_t i = 0; i < p->n; i++)
        gap[i] = fmax(-1, (p->val[i] - p->median) / range) - p->prior[i];
    double *sorted = mem_calloc(p->n, sizeof *sorted);
    memcpy(sorted, gap, p->n * sizeof *gap);
    double level = median_in_place(sorted, p->n);
    for (uint32_t i = 0; i < p->n; i++)
        in += fabs(gap[i] - level) <= 1.2815516 * p->prior_sd[i];
    free(sorted);
    free(gap);
    return in / p->n;
}

static void
candidates_print(const struct problem *p, bool json, bool first)
{
    double *order = mem_calloc(2 * (size_t)p->n, sizeof *order);
    double *ranks = mem_calloc(2 * (size_t)p->n, sizeof *ranks);
    struct order_key *work = mem_calloc(2 * (size_t)p->n, sizeof *work);
    for (uint32_t i = 0; i < p->n; i++) {
        order[2 * (size_t)i] = p->prior[i];
        order[2 * (size_t)i + 1] = i;
    }
    qsort(order, p->n, 2 * sizeof *order, by_prior);
    double rho = spearman(p->prior, p->val, p->n, work, ranks);
    double r[3] = {first_regret(p, order, 1), first_regret(p, order, 3),
        first_regret(p, order, 5)};
    if (json)
        printf("%s{\"dataset\":\"%s\",\"candidates\":%" PRIu32
               ",\"spearman\":%.4f,\"regret1\":%.4f,\"regret3\":%.4f,"
               "\"regret5\":%.4f,\"cover80\":%.4f}",
            first ? "" : ",\n", p->dataset, p->n, rho, r[0], r[1], r[2],
            spread_cover(p));
    else
        printf("%-20s %6" PRIu32 "  %6.3f   %5.3f  %5.3f  %5.3f   %4.2f\n",
            p->dataset, p->n, rho, r[0], r[1], r[2], spread_cover(p));
    free(work);
    free(ranks);
    free(order);
}

static int
candidates_bench(const struct options *o, const struct trials *t,
    const struct trials *more, const struct table *changes, struct err *err)
{
    struct arena a = {0};
    const char *done[DATASETS_MAX];
    uint32_t n = 0, shown = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        const char *name = t->row[i].dataset;
        struct problem p;
        uint32_t j = 0;
        while (j < n && strcmp(done[j], name) != 0)
            j++;
        bool wanted =
            strcmp(o->target, "all") == 0 || strcmp(o->target, name) == 0;
        if (j < n || n == DATASETS_MAX || !wanted)
            continue;
        done[n++] = name;
        if (problem_build(&a, t, name, 0, &p, err) != 0)
            continue; /* too small to be a problem */
        insights_apply(t, more, changes, &p);
        if (p.n >= o->min_candidates && p.has_prior && p.best > p.median)
            candidates_print(&p, o->json, shown++ == 0);
        free(p.spec);
    }
    arena_fini(&a);
    return 0;
}

/* ---- parts ---- */

struct tables {
    struct arena a;
    struct trials trials, more_trials;
    struct table changes, more_changes, squares;
};

static int
tables_read(const struct options *o, struct tables *t, struct err *err)
{
    int rc = trials_read(&t->a, o->trials, &t->trials, err);
    t->more_trials = t->trials;
    if (rc == 0 && o->more_trials != NULL)
        rc = trials_read(&t->a, o->more_trials, &t->more_trials, err);
    if (rc == 0 && o->changes != NULL)
        rc = table_read(&t->a, o->changes, &t->changes, err);
    t->more_changes = t->changes;
    if (rc == 0 && o->more_changes != NULL)
        rc = table_read(&t->a, o->more_changes, &t->more_changes, err);
    if (rc == 0 && o->squares != NULL)
        rc = table_read(&t->a, o->squares, &t->squares, err);
    return rc;
}

static int
signs_part(const struct options *o, const struct tables *t, struct err *err)
{
    const struct sign_options so = {o->known, o->seed, o->target, o->json};
    if (o->json)
        printf(",\"changes\":[\n");
    else
        printf("\nsign of a single change (area), 80 %% cover, CRPS e-4\n"
               "%-20s %6s  naive unseen  model   near   unseen near  const "
               "unseen near\n",
            "dataset", "n");
    int rc = signs_bench(&so, &t->trials, &t->changes, &t->more_changes, err);
    if (o->json)
        printf("]");
    return rc;
}

static int
squares_part(const struct options *o, const struct tables *t, struct err *err)
{
    if (o->json)
        printf(",\"squares\":[\n");
    else
        printf("\ntwo changes together, RMSE of dAB e-3\n"
               "%-20s %6s  .6 sum  dA, dB  scatter shipped\n",
            "left out", "n");
    int rc = squares_bench(&t->squares, o->json, err);
    if (o->json)
        printf("]");
    return rc;
}

int
main(int argc, char **argv)
{
    static struct tables t;
    struct options o;
    struct err err = {0};
    if (!options_read(&o, argc, argv))
        return 2;
    int rc = tables_read(&o, &t, &err);
    if (rc == 0 && o.json)
        printf("{\"candidates\":[\n");
    else if (rc == 0)
        printf(
            "declared candidates: rank correlation, least regret of the "
            "first 1 / 3 / 5\n%-20s %6s  %6s   first  of 3   of 5    80 %%\n",
            "dataset", "n", "rho");
    if (rc == 0)
        rc = candidates_bench(&o, &t.trials, &t.more_trials,
            t.more_changes.n_rows > 0 ? &t.more_changes : NULL, &err);
    if (rc == 0 && o.json)
        printf("]");
    if (rc == 0 && o.changes != NULL)
        rc = signs_part(&o, &t, &err);
    if (rc == 0 && o.squares != NULL)
        rc = squares_part(&o, &t, &err);
    if (rc == 0 && o.json)
        printf("}\n");
    if (rc != 0)
        fprintf(stderr, "bench-predict: %s\n", err.text);
    arena_fini(&t.a);
    return err_exit(rc);
}
