/* Replays recorded trials of real trainings through the real engine, with
 * redrawn seed noise, beside random search and peers. Prints regret by number
 * of trials, or with --json every run. Called by people and by
 * test/peers/replay_peers.py. Invariant: what a dataset's own family recorded
 * never informs its prior. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/drive.h"
#include "replay/insights.h"

enum { MARKS = 5, DATASETS_MAX = 512 };
static const uint32_t marks[MARKS] = {5, 10, 20, 40, 60};

struct options {
    const char *trials, *target, *insights_trials, *insights_hypotheses;
    const char *noise;
    uint32_t budget, seeds, first_seed, min_candidates;
    enum method method;
    bool full, json;
};

struct score {            /* of one dataset, over its runs */
    double regret[MARKS]; /* sums */
    double log_to[2];     /* of trials until regret .2 / .1 is kept */
    double sign[3];       /* of prior: AUC over recorded pairs */
    uint32_t runs;
};

static const char usage[] =
    "usage: bench-replay --trials T.csv[.gz] [--target DATASET|all]\n"
    "  [--insights-trials I.csv[.gz]] [--insights-hypotheses IH.csv[.gz]]\n"
    "  [--budget N] [--seeds S] [--first-seed K] [--noise auto|SD]\n"
    "  [--mode search|full] [--method rea|random|greedy|serve]\n"
    "  [--min-candidates N] [--json]\n";

static bool
number_option(const char *text, uint32_t most, uint32_t *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint32_t)v;
    return end != text && *end == '\0' && v >= 1 && v <= most;
}

static bool
method_option(const char *text, enum method *out)
{
    static const char *const names[] = {"rea", "random", "greedy", "serve"};
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum method)i;
            return true;
        }
    return false;
}

static bool
option_set(struct options *o, const char *name, const char *v)
{
    if (strcmp(name, "--trials") == 0)
        o->trials = v;
    else if (strcmp(name, "--target") == 0)
        o->target = v;
    else if (strcmp(name, "--insights-trials") == 0)
        o->insights_trials = v;
    else if (strcmp(name, "--insights-hypotheses") == 0)
        o->insights_hypotheses = v;
    else if (strcmp(name, "--noise") == 0)
        o->noise = v;
    else if (strcmp(name, "--budget") == 0)
        return number_option(v, BUDGET_MAX, &o->budget);
    else if (strcmp(name, "--seeds") == 0)
        return number_option(v, 100000, &o->seeds);
    else if (strcmp(name, "--first-seed") == 0)
        return number_option(v, 1u << 30, &o->first_seed);
    else if (strcmp(name, "--min-candidates") == 0)
        return number_option(v, CANDIDATES_MAX, &o->min_candidates);
    else if (strcmp(name, "--method") == 0)
        return method_option(v, &o->method);
    else if (strcmp(name, "--mode") == 0) {
        o->full = strcmp(v, "full") == 0;
        return o->full || strcmp(v, "search") == 0;
    } else
        return false;
    return true;
}

static bool
options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.target = "all",
        .noise = "auto",
        .budget = 60,
        .seeds = 20,
        .first_seed = 1,
        .min_candidates = 3};
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

/* ---- output ---- */

static void
ids_print(
    const struct problem *p, const char *name, const uint32_t *who, uint32_t n)
{
    printf(",\"%s\":[", name);
    for (uint32_t i = 0; i < n; i++)
        printf("%s\"%s\"", i ? "," : "", p->row[who[i]]->id);
    printf("]");
}

static void
claims_print(const struct problem *p, const struct run *r)
{
    uint32_t shown = 0;
    printf(",\"claims\":[");
    for (uint32_t i = 0; i < r->n_claims; i++) {
        const struct claim *c = &r->claim[i];
        if (c->claimed)
            printf("%s{\"gain\":%.9g,\"lo\":%.9g,\"hi\":%.9g,"
                   "\"true_gain\":%.9g}",
                shown++ ? "," : "", c->gain, c->lo, c->hi, c->true_gain);
    }
    printf("],\"finalists\":[");
    for (uint32_t i = 0; i < r->n_claims; i++) {
        const struct claim *c = &r->claim[i];
        printf("%s{\"trial_id\":\"%s\",\"gain\":%.9g,\"lo\":%.9g,"
               "\"hi\":%.9g,\"true_gain\":%.9g}",
            i ? "," : "", p->row[c->candidate]->id, c->gain, c->lo, c->hi,
            c->true_gain);
    }
    printf("]");
}

static void
run_print(const struct problem *p, const struct run *r, bool first)
{
    printf("%s{\"dataset\":\"%s\",\"seed\":%" PRIu64, first ? "" : ",\n",
        r->dataset, r->seed);
    ids_print(p, "evaluated", r->evaluated, r->n);
    ids_print(p, "incumbent", r->incumbent, r->budget);
    claims_print(p, r);
    printf(",\"regret\":[");
    for (uint32_t i = 0; i < r->budget; i++)
        printf(
            "%s%.5f", i ? "," : "", problem_regret(p, p->val[r->incumbent[i]]));
    printf("],\"decide_ms\":[");
    for (uint32_t i = 0; i < r->n; i++)
        printf("%s%.3f", i ? "," : "", r->decide_ms[i]);
    printf("]}");
    fflush(stdout);
}

/* Trials until the named incumbent reaches the regret and keeps it; one more
 * than the budget when it never does. */
static uint32_t
trials_to(const struct problem *p, const struct run *r, double regret)
{
    uint32_t n = r->budget;
    while (n > 0 && problem_regret(p, p->val[r->incumbent[n - 1]]) <= regret)
        n--;
    return n + 1;
}

static void
score_add(struct score *s, const struct problem *p, const struct run *r)
{
    for (int m = 0; m < MARKS; m++) {
        uint32_t at = marks[m] < r->budget ? marks[m] : r->budget;
        s->regret[m] += problem_regret(p, p->val[r->incumbent[at - 1]]);
    }
    s->log_to[0] += log(trials_to(p, r, .2));
    s->log_to[1] += log(trials_to(p, r, .1));
    s->runs++;
}

static void
score_print(const char *name, uint32_t n, double noise, const struct score *s)
{
    printf("%-20s %5" PRIu32 " %6.3f", name, n, noise);
    for (int m = 0; m < MARKS; m++)
        printf(" %6.3f", s->regret[m] / s->runs);
    printf(" %6.1f %6.1f\n", exp(s->log_to[0] / s->runs),
        exp(s->log_to[1] / s->runs));
    fflush(stdout);
}

/* ---- the runs ---- */

struct bench {
    struct options o;
    struct arena a;
    struct trials trials, insights;
    struct table changes;
    struct score all;
    uint32_t n_runs;
};

static int
run_one(struct bench *b, struct problem *p, uint64_t seed, struct score *s,
    struct err *err)
{
    struct run *r = mem_calloc(1, sizeof *r);
    r->dataset = p->dataset;
    r->seed = seed;
    r->budget = b->o.budget;
    r->start = problem_start(p, seed, b->o.full);
    problem_aim(p, r->start);
    int rc = 0;
    if (b->o.method == METHOD_REA)
        rc = drive_engine(p, r, b->o.full, err);
    else if (b->o.method == METHOD_RANDOM)
        rc = drive_random(p, r);
    else if (b->o.method == METHOD_GREEDY)
        rc = drive_greedy(p, r);
    else
        rc = drive_serve(p, r, err);
    if (rc == 0) {
        bool serves = b->o.method == METHOD_SERVE;
        if (b->o.json || serves)
            run_print(p, r, serves || b->n_runs == 0);
        if (serves) /* the peer reads lines */
            printf("\n");
        b->n_runs++;
        score_add(s, p, r);
        score_add(&b->all, p, r);
    }
    free(r);
    return rc;
}

static int
dataset_run(struct bench *b, const char *name, struct err *err)
{
    struct problem p;
    struct score s = {0};
    double noise =
        strcmp(b->o.noise, "auto") == 0 ? -1 : strtod(b->o.noise, NULL);
    int rc = problem_build(&b->a, &b->trials, name, noise, &p, err);
    if (rc != 0)
        return rc;
    if (p.n_folded > 0)
        fprintf(stderr,
            "%s: %" PRIu32 " knobs, values or candidates do not fit the "
            "engine's limits and were left out or joined\n",
            name, p.n_folded);
    if (p.n >= b->o.min_candidates) {
        if (b->o.insights_trials != NULL)
            insights_apply(&b->a, &b->trials, &b->insights,
                b->o.insights_hypotheses != NULL ? &b->changes : NULL, &p);
        for (uint32_t i = 0; i < b->o.seeds && rc == 0; i++)
            rc = run_one(b, &p, b->o.first_seed + i, &s, err);
        if (rc == 0 && !b->o.json && b->o.method != METHOD_SERVE)
            score_print(name, p.n, p.noise / (p.best - p.median), &s);
    }
    free(p.spec);
    return rc;
}

static int
datasets_run(struct bench *b, struct err *err)
{
    const char *done[DATASETS_MAX];
    uint32_t n = 0;
    bool all = strcmp(b->o.target, "all") == 0;
    for (uint32_t i = 0; i < b->trials.n; i++) {
        const char *name = b->trials.row[i].dataset;
        uint32_t j = 0;
        while (j < n && strcmp(done[j], name) != 0)
            j++;
        if (j < n || n == DATASETS_MAX ||
            (!all && strcmp(name, b->o.target) != 0))
            continue;
        done[n++] = name;
        int rc = dataset_run(b, name, err);
        if (rc == -ERR_INPUT && all && b->o.method != METHOD_SERVE) {
            fprintf(stderr, "left out: %s\n", err->text);
            continue;
        }
        if (rc != 0)
            return rc;
    }
    if (n == 0)
        return err_set(err, -ERR_NOT_FOUND, "no dataset %s in %s", b->o.target,
            b->o.trials);
    return 0;
}

static int
tables_read(struct bench *b, struct err *err)
{
    int rc = trials_read(&b->a, b->o.trials, &b->trials, err);
    if (rc == 0 && b->o.insights_trials != NULL)
        rc = trials_read(&b->a, b->o.insights_trials, &b->insights, err);
    if (rc == 0 && b->o.insights_hypotheses != NULL)
        rc = table_read(&b->a, b->o.insights_hypotheses, &b->changes, err);
    return rc;
}

int
main(int argc, char **argv)
{
    static struct bench b;
    struct err err = {0};
    if (!options_read(&b.o, argc, argv))
        return 2;
    int rc = tables_read(&b, &err);
    bool table = !b.o.json && b.o.method != METHOD_SERVE;
    if (table)
        printf("%-20s %5s %6s   @5    @10    @20    @40    @60   to .2  to .1"
               "\n",
            "dataset", "cand", "noise");
    if (rc == 0 && b.o.json)
        printf("{\"runs\":[\n");
    if (rc == 0)
        rc = datasets_run(&b, &err);
    if (rc == 0 && b.o.json)
        printf("\n]}\n");
    if (rc == 0 && table && b.all.runs > 0)
        score_print("all", 0, 0, &b.all);
    if (rc != 0)
        fprintf(stderr, "bench-replay: %s\n", err.text);
    arena_fini(&b.a);
    return err_exit(rc);
}
