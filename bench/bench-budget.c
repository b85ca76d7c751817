/* Is money spent where it gains most? Campaigns of the real engine in small
 * worlds: few or many good ideas, weak or strong interactions, small or large
 * budgets. Prints the mean true gain of what is proposed (0 without a
 * proposal), in units of min_gain. */
#include "base/arena.h"
#include "sim/toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct kind {
    const char *name;
    double good, overlap, cross, noise;
    uint32_t ideas;
};

static const struct kind kinds[] = {
    {"few good, weak interactions", .1, 1.2, .1, 1, 16},
    {"few good, strong interactions", .1, 4, .6, 1, 16},
    {"many good, weak interactions", .5, 1.2, .1, 1, 16},
    {"many good, strong interactions", .5, 4, .6, 1, 16},
    {"few ideas, loud", .3, 2, .3, 3, 6},
    {"as the plan believes", -1, 2, .3, 1, 20},
};
static const uint32_t budgets[] = {25, 50, 100, 200};
enum {
    KINDS = sizeof kinds / sizeof kinds[0],
    BUDGETS = sizeof budgets / sizeof budgets[0]
};

static void
opts_fill(struct toy_opts *o, uint32_t kind, uint32_t budget, uint64_t seed)
{
    const struct kind *k = &kinds[kind];
    *o = (struct toy_opts){.seed = seed,
        .budget = budget,
        .ideas = k->ideas,
        .good = k->good,
        .size = 4,
        .noise = k->noise,
        .overlap = k->overlap,
        .cross = k->cross};
}

static double
live(const struct toy_opts *o, double *spent, bool *proposed)
{
    struct toy t;
    toy_begin(&t, o);
    while (toy_step(&t))
        continue;
    double gain = toy_gain(&t) / 2e-4;
    *spent = (double)t.c->spent_u / MICRO;
    *proposed = t.c->proposal != 0;
    toy_end(&t);
    return gain;
}

static uint64_t
arg(int argc, char **argv, const char *name, uint64_t deflt)
{
    size_t n = strlen(name);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
            return strtoull(argv[i] + n + 1, NULL, 10);
    return deflt;
}

/* Does the plan promise what campaigns bring? Worlds drawn from the plan's own
 * priors: mean of expected_gain against the mean true gain of proposals. */
static void
calibrate(uint64_t lives, uint64_t seed, uint32_t phases)
{
    static const uint32_t ideas[] = {6, 12, 20};
    double all_p = 0, all_r = 0;
    printf("%5s %7s %10s %10s %7s\n", "ideas", "budget", "predicted",
        "realised", "ratio");
    for (uint32_t k = 0; k < sizeof ideas / sizeof ideas[0]; k++)
        for (uint32_t b = 0; b < BUDGETS; b++) {
            double predicted = 0, realised = 0;
            for (uint64_t i = 0; i < lives; i++) {
                struct plan_estimate est;
                struct toy t;
                struct toy_opts o = {.seed = seed + i,
                    .budget = budgets[b],
                    .ideas = ideas[k],
                    .good = -1,
                    .size = 2 + (double)(i % 4),
                    .noise = 1,
                    .overlap = 3.8,
                    .cross = .6,
                    .phases = phases};
                toy_begin(&t, &o);
                plan_estimate(t.c, &est);
                while (toy_step(&t))
                    continue;
                predicted += est.expected_gain / 2e-4;
                realised += toy_gain(&t) / 2e-4;
                toy_end(&t);
            }
            double n = (double)lives;
            printf("%5u %7u %10.3f %10.3f %7.2f\n", ideas[k], budgets[b],
                predicted / n, realised / n, predicted / realised);
            fflush(stdout);
            all_p += predicted;
            all_r += realised;
        }
    printf("all: predicted over realised %.3f\n", all_p / all_r);
}

/* ---- several campaigns, one pool ---- */

enum { MODELS = 3, FLOOR = 12 };

static void
model_fill(struct toy_opts *o, uint64_t seed, uint32_t i)
{
    struct rng r;
    rng_seed2(&r, seed, 77 + i);
    /* unequal promise: some models have much to gain, some are done */
    double good[] = {.03, .1, .25, .5};
    *o = (struct toy_opts){.seed = seed * 16 + i,
        .ideas = 8 + (uint32_t)rng_below(&r, 12),
        .good = good[rng_below(&r, 4)],
        .size = 1 + 4 * rng_f64(&r),
        .noise = .5 + 2 * rng_f64(&r),
        .overlap = 1.5 + 2 * rng_f64(&r),
        .cross = .3};
}

static double
pool_live(uint64_t seed, uint32_t total, uint32_t floor_n)
{
    struct toy t[MODELS];
    struct pool_member m[MODELS] = {0};
    double gain = 0;
    for (uint32_t i = 0; i < MODELS; i++) {
        struct toy_opts o;
        model_fill(&o, seed, i);
        o.pooled = true;
        o.budget = floor_n;
        o.ceiling = total;
        o.horizon = total / MODELS;
        toy_begin(&t[i], &o);
    }
    /* an answer may hang on what another one says of itself only after it */
    for (int idle = 0; idle < 2; idle++) {
        for (uint32_t i = 0; i < MODELS; i++) {
            if (toy_step(&t[i])) {
                idle = -1;
                continue;
            }
            struct pool_grant g;
            if (!core_waits(t[i].c))
                continue;
            toy_members(t, MODELS, floor_n, i, m);
            pool_choose(m, MODELS, i, total * (int64_t)MICRO, &g);
            if (g.grant_u > 0 || g.last) {
                toy_grant(&t[i], &g);
                idle = -1;
            }
        }
    }
    for (uint32_t i = 0; i < MODELS; i++) {
        if (!t[i].over)
            fprintf(stderr, "pool %llu: C%u hangs\n", (unsigned long long)seed,
                i + 1);
        gain += toy_gain(&t[i]) / 2e-4;
        toy_end(&t[i]);
    }
    return gain;
}

static double
split_live(uint64_t seed, uint32_t total)
{
    double gain = 0, s;
    bool p;
    for (uint32_t i = 0; i < MODELS; i++) {
        struct toy_opts o;
        model_fill(&o, seed, i);
        o.budget = total / MODELS;
        gain += live(&o, &s, &p);
    }
    return gain;
}

static void
portfolio(uint64_t lives, uint64_t seed)
{
    static const uint32_t totals[] = {60, 90, 120};
    for (uint32_t b = 0; b < 3; b++) {
        double pool = 0, split = 0, d = 0, d2 = 0;
        for (uint64_t i = 0; i < lives; i++) {
            double x = pool_live(seed + i, totals[b], FLOOR);
            double y = split_live(seed + i, totals[b]);
            pool += x;
            split += y;
            d += x - y;
            d2 += (x - y) * (x - y);
        }
        double n = (double)lives, mean = d / n;
        printf("%u portfolios of %d models, %u trials: pool %.3f, equal split "
               "%.3f min_gain (%+.3f +- %.3f)\n",
            (unsigned)lives, MODELS, totals[b], pool / n, split / n, mean,
            sqrt((d2 / n - mean * mean) / n));
        fflush(stdout);
    }
}

/* ---- what it costs ---- */

static double
cpu_ms(clock_t from)
{
    return 1e3 * (double)(clock() - from) / CLOCKS_PER_SEC;
}

static void
timing(uint64_t seed)
{
    struct toy_opts o;
    struct toy t;
    double most = 0, sum = 0, n = 0;
    opts_fill(&o, 5, 100, seed);
    toy_begin(&t, &o);
    clock_t at = clock();
    struct plan_estimate est;
    plan_estimate(t.c, &est);
    printf("plan_estimate, %u ideas: %.1f ms\n", o.ideas, cpu_ms(at));
    for (bool moves = true;
         moves && t.c->phase_state[PHASE_VALIDATION] != PHASE_DONE; n++) {
        at = clock();
        moves = toy_step(&t); /* a job's end and all that follows from it */
        sum += cpu_ms(at);
        most = fmax(most, cpu_ms(at));
    }
    printf("%.0f job ends of validation: mean %.2f ms, most %.2f ms\n", n,
        sum / n, most);
    at = clock();
    struct pool_worth w;
    t.c->signed_u = 2 * t.c->approved_u;
    core_worth(t.c, &w);
    printf("worth to a pool: %.1f ms\n", cpu_ms(at));
    toy_end(&t);
}

int
main(int argc, char **argv)
{
    uint64_t lives = arg(argc, argv, "--lives", 100);
    uint64_t seed = arg(argc, argv, "--seed", 1);
    double all = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--time") == 0) {
            timing(seed);
            return 0;
        } else if (strcmp(argv[i], "--portfolio") == 0) {
            portfolio(lives, seed);
            return 0;
        } else if (strcmp(argv[i], "--calibrate") == 0) {
            calibrate(lives, seed, (uint32_t)arg(argc, argv, "--phases", 0x1e));
            return 0;
        }
    printf("%-32s %7s %7s %7s %9s\n", "world", "budget", "gain", "spent",
        "proposed");
    for (uint32_t k = 0; k < KINDS; k++)
        for (uint32_t b = 0; b < BUDGETS; b++) {
            double gain = 0, spent = 0, proposals = 0;
            for (uint64_t i = 0; i < lives; i++) {
                struct toy_opts o;
                double s;
                bool p;
                opts_fill(&o, k, budgets[b], seed + i);
                gain += live(&o, &s, &p);
                spent += s;
                proposals += p;
            }
            double n = (double)lives;
            printf("%-32s %7u %7.3f %7.1f %8.0f%%\n", kinds[k].name, budgets[b],
                gain / n, spent / n, 100 * proposals / n);
            fflush(stdout);
            all += gain / n;
        }
    printf("mean over worlds and budgets: %.3f\n", all / (KINDS * BUDGETS));
    return 0;
}
