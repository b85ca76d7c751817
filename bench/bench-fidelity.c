/* Plays campaigns over recorded learning curves: the real engine with and
 * without stopping on rungs, random search, and peers behind a pipe, at equal
 * budget in full runs. Prints the regret of the named incumbent. Called by
 * people and by test/peers/fidelity_peers.py. Invariant: a run is paid as far
 * as its curve was played. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "replay/insights.h"
#include "replay/laps.h"

enum { MARKS = 4, TASKS_MAX = 512 };
static const double mark_share[MARKS] = {.2, .5, 1, 1};

struct options {
    const char *curves, *configs, *target, *rungs;
    double units, lie;
    uint32_t seeds, first_seed, min_candidates;
    enum lap_method method;
    bool json, transfer;
};

struct score {
    double regret[MARKS], runs, whole, spent, ms;
    uint32_t n;
};

struct bench {
    struct options o;
    struct arena a;
    struct curve_table t;
    struct score all;
    uint32_t n_tasks, n_printed;
};

static const char usage[] =
    "usage: bench-fidelity --curves F.csv[.gz] [--configs T.csv[.gz]]\n"
    "  [--target TASK|all] [--units 10] [--rungs 1,2,4] [--seeds S]\n"
    "  [--first-seed K] [--min-candidates N] [--lie SHARE] [--transfer]\n"
    "  [--method rea|rea-full|random|serve] [--json]\n";

static bool
method_option(const char *text, enum lap_method *out)
{
    static const char *const names[] = {"rea", "rea-full", "random", "serve"};
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum lap_method)i;
            return true;
        }
    return false;
}

static bool
option_set(struct options *o, const char *name, const char *v)
{
    if (strcmp(name, "--curves") == 0)
        o->curves = v;
    else if (strcmp(name, "--configs") == 0)
        o->configs = v;
    else if (strcmp(name, "--target") == 0)
        o->target = v;
    else if (strcmp(name, "--rungs") == 0)
        o->rungs = v;
    else if (strcmp(name, "--units") == 0)
        return (o->units = strtod(v, NULL)) > 0;
    else if (strcmp(name, "--lie") == 0)
        o->lie = strtod(v, NULL);
    else if (strcmp(name, "--seeds") == 0)
        return (o->seeds = (uint32_t)strtoul(v, NULL, 10)) > 0;
    else if (strcmp(name, "--first-seed") == 0)
        o->first_seed = (uint32_t)strtoul(v, NULL, 10);
    else if (strcmp(name, "--min-candidates") == 0)
        o->min_candidates = (uint32_t)strtoul(v, NULL, 10);
    else if (strcmp(name, "--method") == 0)
        return method_option(v, &o->method);
    else
        return false;
    return true;
}

static bool
options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.target = "all",
        .units = 10,
        .seeds = 20,
        .first_seed = 1,
        .min_candidates = 3};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--transfer") == 0) {
            o->transfer = true;
        } else if (i + 1 >= argc || !option_set(o, argv[i], argv[i + 1])) {
            fprintf(stderr, "%s: not understood\n%s", argv[i], usage);
            return false;
        } else {
            i++;
        }
    }
    if (o->curves == NULL)
        fputs(usage, stderr);
    return o->curves != NULL;
}

/* ---- output ---- */

static double
regret_of(const struct task *t, uint32_t candidate)
{
    return problem_regret(&t->p, t->p.val[candidate]);
}

static void
run_print(const struct task *t, const struct laps *r, bool first)
{
    printf("%s{\"task\":\"%s\",\"seed\":%" PRIu64
           ",\"units\":%g,\"first\":%.5f,\"runs\":[",
        first ? "" : ",\n", t->p.dataset, r->seed, r->units,
        regret_of(t, r->start));
    for (uint32_t i = 0; i < r->n; i++) {
        const struct lap *l = &r->lap[i];
        printf("%s[\"%s\",%" PRIu32 ",%.4f,\"%s\",%.5f]", i ? "," : "",
            t->p.row[l->candidate]->id, l->evaluations, l->spent,
            t->p.row[l->incumbent]->id, regret_of(t, l->incumbent));
    }
    uint32_t named = laps_named(r, r->units);
    printf("],\"incumbent\":\"%s\",\"regret\":%.5f}", t->p.row[named]->id,
        regret_of(t, named));
    fflush(stdout);
}

static void
score_add(struct score *s, const struct task *t, const struct laps *r)
{
    for (int m = 0; m < MARKS; m++)
        s->regret[m] += regret_of(t, laps_named(r, mark_share[m] * r->units));
    for (uint32_t i = 0; i < r->n; i++)
        s->whole += r->lap[i].whole;
    s->runs += r->n;
    s->spent += r->n > 0 ? r->lap[r->n - 1].spent : 0;
    s->ms += r->decide_ms;
    s->n++;
}

static void
score_print(const char *name, uint32_t n, const struct score *s)
{
    printf("%-36.36s %5" PRIu32, name, n);
    for (int m = 0; m < MARKS - 1; m++)
        printf(" %6.3f", s->regret[m] / s->n);
    printf(" %6.1f %6.1f %6.1f %7.1f\n", s->runs / s->n, s->whole / s->n,
        s->spent / s->n, s->ms / fmax(1, s->runs));
    fflush(stdout);
}

/* ---- the runs ---- */

/* Below this share of the top every candidate shows the curve of another. */
static void
liars_draw(struct bench *b, struct task *t, uint64_t seed)
{
    struct rng r;
    uint32_t n = t->p.n;
    if (t->liar == NULL)
        t->liar = arena_alloc(&b->a, n * sizeof *t->liar);
    rng_seed2(&r, seed, 0x6c6965);
    for (uint32_t i = 0; i < n; i++)
        t->liar[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = (uint32_t)rng_below(&r, i + 1), k = t->liar[i];
        t->liar[i] = t->liar[j];
        t->liar[j] = k;
    }
    t->lies_below = (uint32_t)(b->o.lie * t->top);
}

static int
run_one(struct bench *b, struct task *t, uint64_t seed, struct score *s,
    struct err *err)
{
    struct laps *r = mem_calloc(1, sizeof *r);
    r->seed = seed;
    r->units = b->o.units;
    r->start = problem_start(&t->p, seed, false);
    problem_aim(&t->p, r->start);
    if (b->o.lie > 0)
        liars_draw(b, t, seed);
    int rc = 0;
    if (b->o.method == LAP_REA || b->o.method == LAP_FULL)
        rc = laps_engine(t, r, b->o.method == LAP_REA, err);
    else if (b->o.method == LAP_RANDOM)
        rc = laps_random(t, r);
    else
        rc = laps_serve(t, r, err);
    bool serves = b->o.method == LAP_SERVE;
    if (rc == 0 && (b->o.json || serves))
        run_print(t, r, serves || b->n_printed++ == 0);
    if (rc == 0 && serves)
        printf("\n");
    if (rc == 0)
        score_add(s, t, r);
    free(r);
    return rc;
}

static int
task_run(struct bench *b, const char *name, struct err *err)
{
    struct task t;
    struct score s = {0};
    int rc = task_build(&b->a, &b->t, name, b->o.rungs, &t, err);
    if (rc != 0)
        return rc;
    if (t.p.n >= b->o.min_candidates) {
        if (b->o.transfer)
            insights_apply(&b->t.trials, &b->t.trials, NULL, &t.p);
        for (uint32_t i = 0; i < b->o.seeds && rc == 0; i++)
            rc = run_one(b, &t, b->o.first_seed + i, &s, err);
        if (rc == 0 && !b->o.json && b->o.method != LAP_SERVE)
            score_print(name, t.p.n, &s);
        for (int m = 0; m < MARKS; m++)
            b->all.regret[m] += s.regret[m];
        b->all.runs += s.runs;
        b->all.whole += s.whole;
        b->all.spent += s.spent;
        b->all.ms += s.ms;
        b->all.n += s.n;
    }
    free(t.p.spec);
    return rc;
}

static int
tasks_run(struct bench *b, struct err *err)
{
    const char *done[TASKS_MAX];
    uint32_t n = 0;
    bool all = strcmp(b->o.target, "all") == 0;
    for (uint32_t i = 0; i < b->t.trials.n; i++) {
        const char *name = b->t.trials.row[i].dataset;
        uint32_t j = 0;
        while (j < n && strcmp(done[j], name) != 0)
            j++;
        if (j < n || n == TASKS_MAX || (!all && strcmp(name, b->o.target) != 0))
            continue;
        done[n++] = name;
        int rc = task_run(b, name, err);
        if (rc == -ERR_INPUT && all && b->o.method != LAP_SERVE) {
            fprintf(stderr, "left out: %s\n", err->text);
            continue;
        }
        if (rc != 0)
            return rc;
    }
    if (n == 0)
        return err_set(
            err, -ERR_NOT_FOUND, "no task %s in %s", b->o.target, b->o.curves);
    return 0;
}

int
main(int argc, char **argv)
{
    static struct bench b;
    struct err err = {0};
    if (!options_read(&b.o, argc, argv))
        return 2;
    int rc = curves_read(&b.a, b.o.curves, b.o.configs, &b.t, &err);
    bool table = !b.o.json && b.o.method != LAP_SERVE;
    if (table)
        printf(
            "regret after a share of %g full runs' cost\n%-36s %5s    .2     "
            ".5      1   runs  whole  spent ms/run\n",
            b.o.units, "task", "cand");
    if (rc == 0 && b.o.json)
        printf("{\"runs\":[\n");
    if (rc == 0)
        rc = tasks_run(&b, &err);
    if (rc == 0 && b.o.json)
        printf("\n]}\n");
    if (rc == 0 && table && b.all.n > 0)
        score_print("all", 0, &b.all);
    if (rc != 0)
        fprintf(stderr, "bench-fidelity: %s\n", err.text);
    arena_fini(&b.a);
    return err_exit(rc);
}
