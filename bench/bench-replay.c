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

#include "base/json.h"
#include "replay/drive.h"
#include "replay/insights.h"

enum { MARKS = 5 };
static const uint32_t marks[MARKS] = {5, 10, 20, 40, 60};

struct options {
    const char *trials, *target, *insights_trials, *insights_hypotheses;
    double noise; /* sd; below 0: auto */
    uint32_t budget, seeds, first_seed, min_candidates;
    enum method method;
    bool full, json;
};

struct score {            /* of one dataset, over its runs */
    double regret[MARKS]; /* sums */
    double log_to[2];     /* of trials until regret .2 / .1 is kept */
    double sign[3];       /* of prior: AUC over recorded pairs */
    uint32_t runs;
    /* of full campaigns, by phase: trials, campaigns without any */
    uint32_t trials[PHASE_COUNT], skipped[PHASE_COUNT];
};

static const char usage[] =
    "usage: bench-replay --trials T.csv[.gz] [--target DATASET|all]\n"
    "  [--insights-trials I.csv[.gz]] [--insights-hypotheses IH.csv[.gz]]\n"
    "  [--budget N] [--seeds S] [--first-seed K] [--noise auto|SD]\n"
    "  [--mode search|full] [--method rea|random|greedy|prior|serve]\n"
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
noise_option(const char *text, double *out)
{
    char *end;
    *out = -1;
    if (strcmp(text, "auto") == 0)
        return true;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out) && *out >= 0;
}

static bool
method_option(const char *text, enum method *out)
{
    static const char *const names[] = {
        "rea", "random", "greedy", "prior", "serve"};
    for (int i = 0; i <= METHOD_SERVE; i++)
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
        return noise_option(v, &o->noise);
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
options_check(const struct options *o)
{
    const char *wrong = NULL;
    if (o->trials == NULL)
        wrong = "--trials is missing";
    else if (o->insights_hypotheses != NULL && o->insights_trials == NULL)
        wrong = "--insights-hypotheses needs --insights-trials: the scale of "
                "a change comes from them";
    if (wrong != NULL)
        fprintf(stderr, "bench-replay: %s\n%s", wrong, usage);
    return wrong == NULL;
}

static bool
options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.target = "all",
        .noise = -1,
        .budget = 60,
        .seeds = 20,
        .first_seed = 1,
        .min_candidates = 3};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (i + 1 >= argc) {
            fprintf(stderr, "bench-replay: %s: no such option, or no value\n%s",
                argv[i], usage);
            return false;
        } else if (!option_set(o, argv[i], argv[i + 1])) {
            fprintf(stderr, "bench-replay: %s %s: not understood\n%s", argv[i],
                argv[i + 1], usage);
            return false;
        } else {
            i++;
        }
    }
    return options_check(o);
}

/* ---- output ---- */

static void
ids_write(struct jw *w, const struct problem *p, const char *name,
    const uint32_t *who, uint32_t n)
{
    jw_key(w, name);
    jw_arr_begin(w);
    for (uint32_t i = 0; i < n; i++)
        jw_str(w, p->row[who[i]]->id);
    jw_arr_end(w);
}

static void
numbers_write(struct jw *w, const struct claim *c)
{
    jw_kf64(w, "gain", c->gain);
    jw_kf64(w, "lo", c->lo);
    jw_kf64(w, "hi", c->hi);
    jw_kf64(w, "true_gain", c->true_gain);
}

/* A finalist is what confirmation opened, a claim the one that is proposed. */
static void
claims_write(struct jw *w, const struct problem *p, const struct run *r)
{
    jw_key(w, "claims");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->n_claims; i++)
        if (r->claim[i].claimed) {
            jw_obj_begin(w);
            numbers_write(w, &r->claim[i]);
            jw_obj_end(w);
        }
    jw_arr_end(w);
    jw_key(w, "finalists");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->n_claims; i++) {
        jw_obj_begin(w);
        jw_kstr(w, "trial_id", p->row[r->claim[i].candidate]->id);
        numbers_write(w, &r->claim[i]);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
run_print(const struct problem *p, const struct run *r, const char *before)
{
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "dataset", r->dataset);
    jw_ki64(&w, "seed", (int64_t)r->seed);
    ids_write(&w, p, "evaluated", r->evaluated, r->n);
    ids_write(&w, p, "incumbent", r->incumbent, r->budget);
    claims_write(&w, p, r);
    jw_key(&w, "regret");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < r->budget; i++)
        jw_f64(
            &w, round(1e5 * problem_regret(p, p->val[r->incumbent[i]])) / 1e5);
    jw_arr_end(&w);
    jw_key(&w, "decide_ms");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < r->n; i++)
        jw_f64(&w, round(1e3 * r->decide_ms[i]) / 1e3);
    jw_arr_end(&w);
    jw_obj_end(&w);
    printf("%s", before);
    fwrite(text.data, 1, text.len, stdout);
    fflush(stdout);
    buf_fini(&text);
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
    for (int i = 0; i < PHASE_COUNT; i++) {
        s->trials[i] += r->phase_trials[i];
        s->skipped[i] += r->phase_skipped[i];
    }
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

static void
phases_print(const struct score *s)
{
    static const char *const name[PHASE_COUNT] = {
        [PHASE_VALIDATION] = "validation",
        [PHASE_COMBINATION] = "combination",
        [PHASE_EXPLOITATION] = "exploitation",
        [PHASE_CONFIRMATION] = "confirmation"};
    for (int i = PHASE_VALIDATION; i < PHASE_COUNT; i++)
        printf("%-20s %6.1f trials a campaign, skipped in %" PRIu32
               " of %" PRIu32 "\n",
            name[i], (double)s->trials[i] / s->runs, s->skipped[i], s->runs);
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
    else if (b->o.method == METHOD_PRIOR)
        rc = drive_prior(p, r);
    else
        rc = drive_serve(p, r, err);
    if (rc == 0) {
        if (b->o.method == METHOD_SERVE) { /* the peer reads lines */
            run_print(p, r, "");
            printf("\n");
        } else if (b->o.json) {
            run_print(p, r, b->n_runs == 0 ? "{\"runs\":[\n" : ",\n");
        }
        b->n_runs++;
        score_add(s, p, r);
        score_add(&b->all, p, r);
    }
    free(r);
    return rc;
}

/* What a reader of the figures must know of this dataset. */
static void
notes_print(const struct bench *b, const struct problem *p)
{
    if (p->n_known > p->n)
        fprintf(stderr,
            "%s: %" PRIu32 " of %" PRIu32 " configurations are candidates, "
            "drawn by the hash of their ids: a spec holds no more\n",
            p->dataset, p->n, p->n_known);
    if (p->n_folded > 0)
        fprintf(stderr,
            "%s: %" PRIu32 " knobs or values do not fit the engine's limits "
            "and were left out or joined\n",
            p->dataset, p->n_folded);
    if (b->o.insights_trials != NULL && !p->has_prior)
        fprintf(stderr,
            "%s: no predictions: %s holds nothing of another family\n",
            p->dataset, b->o.insights_trials);
}

static int
problem_run(struct bench *b, struct problem *p, struct err *err)
{
    struct score s = {0};
    int rc = 0;
    if (p->n < b->o.min_candidates) {
        fprintf(
            stderr, "%s: left out: %" PRIu32 " candidates\n", p->dataset, p->n);
        return 0;
    }
    if (b->o.insights_trials != NULL)
        insights_apply(&b->trials, &b->insights,
            b->o.insights_hypotheses != NULL ? &b->changes : NULL, p);
    notes_print(b, p);
    for (uint32_t i = 0; i < b->o.seeds && rc == 0; i++)
        rc = run_one(b, p, b->o.first_seed + i, &s, err);
    if (rc == 0 && !b->o.json && b->o.method != METHOD_SERVE)
        score_print(p->dataset, p->n, p->noise / (p->best - p->median), &s);
    return rc;
}

static int
dataset_run(struct bench *b, const char *name, struct err *err)
{
    struct problem p;
    int rc = problem_build(&b->a, &b->trials, name, b->o.noise, &p, err);
    if (rc == 0)
        rc = problem_run(b, &p, err);
    else if (rc == -ERR_INPUT && strcmp(b->o.target, "all") == 0) {
        fprintf(stderr, "left out: %s\n", err->text);
        rc = 0;
    }
    free(p.spec);
    return rc;
}

static int
by_name_and_row(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;
    int d = strcmp(x->dataset, y->dataset);
    return d != 0 ? d : (x > y) - (x < y);
}

static int
by_row(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;
    return (x > y) - (x < y);
}

/* The target datasets in the order of the table. */
static int
datasets_run(struct bench *b, struct err *err)
{
    const struct row **first = mem_calloc(b->trials.n + 1, sizeof *first);
    bool all = strcmp(b->o.target, "all") == 0;
    uint32_t n = 0;
    int rc = 0;
    for (uint32_t i = 0; i < b->trials.n; i++)
        first[i] = &b->trials.row[i];
    qsort(first, b->trials.n, sizeof *first, by_name_and_row);
    const char *last = NULL;
    for (uint32_t i = 0; i < b->trials.n; i++) {
        const char *name = first[i]->dataset;
        bool fresh = last == NULL || strcmp(name, last) != 0;
        if (fresh && (all || strcmp(name, b->o.target) == 0))
            first[n++] = first[i];
        last = name;
    }
    qsort(first, n, sizeof *first, by_row);
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = dataset_run(b, first[i]->dataset, err);
    if (n == 0)
        rc = err_set(err, -ERR_NOT_FOUND,
            "no dataset %s with known configurations in %s", b->o.target,
            b->o.trials);
    free(first);
    return rc;
}

static int
changes_read(struct bench *b, struct err *err)
{
    static const char *const need[] = {
        "dataset", "model", "hp", "from", "to", "d_val_auc"};
    int rc = table_read(&b->a, b->o.insights_hypotheses, &b->changes, err);
    for (int i = 0; i < 6 && rc == 0; i++)
        if (table_column(&b->changes, need[i]) < 0)
            rc = err_set(err, -ERR_INPUT, "%s has no column %s",
                b->o.insights_hypotheses, need[i]);
    return rc;
}

static int
tables_read(struct bench *b, struct err *err)
{
    int rc = trials_read(&b->a, b->o.trials, &b->trials, err);
    if (rc == 0 && b->o.insights_trials != NULL)
        rc = trials_read(&b->a, b->o.insights_trials, &b->insights, err);
    if (rc == 0 && b->o.insights_hypotheses != NULL)
        rc = changes_read(b, err);
    return rc;
}

int
main(int argc, char **argv)
{
    static struct bench b;
    struct err err = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!options_read(&b.o, argc, argv))
        return 2;
    int rc = tables_read(&b, &err);
    bool table = !b.o.json && b.o.method != METHOD_SERVE;
    if (rc == 0 && table)
        printf("%-20s %5s %6s   @5    @10    @20    @40    @60   to .2  to .1"
               "\n",
            "dataset", "cand", "noise");
    if (rc == 0)
        rc = datasets_run(&b, &err);
    if (rc == 0 && b.o.json)
        printf("%s\n]}\n", b.n_runs == 0 ? "{\"runs\":[" : "");
    if (rc == 0 && table && b.all.runs > 0)
        score_print("all", 0, 0, &b.all);
    if (rc == 0 && table && b.all.runs > 0 && b.o.full &&
        b.o.method == METHOD_REA)
        phases_print(&b.all);
    if (rc != 0)
        fprintf(stderr, "bench-replay: %s\n", err.text);
    arena_fini(&b.a);
    return err_exit(rc);
}
