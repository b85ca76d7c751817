/* Does the engine tell the truth, and does it find what is there? Simulated
 * problems with known gains, the real engine, and a fixed five-seed A/B plan
 * of the same budget. Parts: null (claims where nothing is to be claimed),
 * coverage (of every opened interval; bias of the quoted gain; pairs), power
 * (true gains of at least two seed sds found). Deterministic for a seed. */
#include "truth/tally.h"

#include "base/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    uint64_t lives, seed, ideas, budget;
    const char *part, *world;
    bool json, print;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct shape nulls[] = {
    {.name = "few ideas", .k = 6, .numeric = 3, .min_gain = 1},
    {.name = "many ideas", .k = 32, .min_gain = 1},
    {.name = "small min_gain", .k = 16, .numeric = 2, .min_gain = .4},
    {.name = "large min_gain", .k = 16, .numeric = 2, .min_gain = 2.5},
    {.name = "t noise, 4 df",
        .k = 12,
        .numeric = 3,
        .tail_df = 4,
        .min_gain = 1},
    {.name = "uneven noise",
        .k = 12,
        .numeric = 3,
        .uneven = .4,
        .min_gain = 1},
    {.name = "correlated metrics",
        .k = 12,
        .numeric = 3,
        .corr = .9,
        .min_gain = 1},
    {.name = "guardrail", .k = 12, .numeric = 2, .guard = true, .min_gain = 1},
    {.name = "half of them harm",
        .k = 16,
        .harm = .5,
        .overlap = .6,
        .lambda = .2,
        .min_gain = 1},
    {.name = "candidates", .k = 10, .candidates = true, .min_gain = 1},
    {.name = "four at once",
        .k = 16,
        .numeric = 2,
        .parallel = 4,
        .min_gain = 1},
};

#define MIXED .good = .3, .harm = .4, .overlap = .6, .lambda = .5, .min_gain = 1

static const struct shape mixed[] = {
    {.name = "few ideas", .k = 6, .numeric = 3, MIXED},
    {.name = "many ideas", .k = 32, MIXED},
    {.name = "ideas known a little", .k = 16, .known = .5, MIXED},
    {.name = "t noise, 4 df", .k = 12, .numeric = 3, .tail_df = 4, MIXED},
    {.name = "uneven noise", .k = 12, .numeric = 3, .uneven = .4, MIXED},
    {.name = "correlated metrics", .k = 12, .numeric = 3, .corr = .9, MIXED},
    {.name = "sealed gain differs", .k = 12, .numeric = 3, .gap = 1, MIXED},
    {.name = "guardrail", .k = 12, .numeric = 2, .guard = true, MIXED},
    {.name = "candidates", .k = 10, .candidates = true, MIXED},
    {.name = "exclusive ideas", .k = 12, .values = 3, MIXED},
    {.name = "four at once", .k = 16, .numeric = 2, .parallel = 4, MIXED},
};

static void
cell_run(const struct options *o, const struct shape *s, uint32_t budget,
    bool plan, struct tally *t)
{
    struct problem *p = calloc(1, sizeof *p);
    for (uint64_t i = 0; i < o->lives; i++) {
        static const uint32_t budgets[] = {20, 40, 60, 100};
        struct outcome out;
        struct plan_outcome peer;
        uint32_t money = budget > 0 ? budget : budgets[i % COUNT(budgets)];
        problem_draw(s, rng_mix(o->seed, i), p);
        live_run(p, money, o->print, &out);
        if (plan)
            plan_run(p, money, &peer);
        tally_add(t, p, &out, plan ? &peer : NULL);
    }
    free(p);
}

static bool first = true;

static void
comma(const struct options *o)
{
    if (o->json)
        printf(first ? "" : ",\n");
    first = false;
}

static void
worlds_run(const struct options *o, const struct shape *s, size_t n,
    void (*show)(const char *, const struct tally *, bool))
{
    struct tally all = {0};
    for (size_t i = 0; i < n; i++) {
        struct tally t = {0};
        if (o->world != NULL && strcmp(o->world, s[i].name) != 0)
            continue;
        cell_run(o, &s[i], (uint32_t)o->budget, false, &t);
        comma(o);
        show(s[i].name, &t, o->json);
        fflush(stdout);
        tally_merge(&all, &t);
    }
    comma(o);
    show("all", &all, o->json);
}

static void
null_part(const struct options *o)
{
    if (!o->json)
        printf("null worlds            lives    claims   at most    opened   "
               "e >= 20    proofs\n");
    worlds_run(o, nulls, COUNT(nulls), tally_null);
}

static void
coverage_part(const struct options *o)
{
    if (!o->json)
        printf("\nmixed worlds         opened  cover  joint claims  cover   neg"
               "   true   quoted-true  sealed  pairs  cover called wrong\n");
    worlds_run(o, mixed, COUNT(mixed), tally_cover);
}

static void
power_cell(const struct options *o, const struct shape *s, uint32_t budget)
{
    struct tally t = {0};
    cell_run(o, s, budget, true, &t);
    comma(o);
    tally_power(s->name, budget, &t, o->json);
    fflush(stdout);
}

static void
power_part(const struct options *o)
{
    static const uint32_t ideas[] = {8, 16, 32},
                          budgets[] = {20, 30, 40, 60, 100, 150, 200};
    if (!o->json)
        printf(
            "\n%% found (false discovery rate, %%)\n"
            "world          trials used |    proved     promoted    delivered  "
            "  useful       either   |   plan, BH     Dunnett   | ratio | true "
            "gain: plan's best, "
            "stack | claims neg\n");
    for (int d = 2; d <= 4; d++)
        for (size_t k = 0; k < COUNT(ideas); k++)
            for (size_t b = 0; b < COUNT(budgets); b++) {
                char name[48];
                snprintf(
                    name, sizeof name, "%" PRIu32 " ideas, %d", ideas[k], d);
                struct shape s = {.name = name,
                    .k = ideas[k],
                    .good = .3,
                    .harm = .4,
                    .gain = d,
                    .overlap = .6,
                    .lambda = .5,
                    .min_gain = .5};
                if ((o->ideas > 0 && o->ideas != ideas[k]) ||
                    (o->budget > 0 && o->budget != budgets[b]) ||
                    (o->world != NULL && strcmp(o->world, name) != 0))
                    continue;
                power_cell(o, &s, budgets[b]);
            }
}

static bool
option(const char *arg, const char *name, const char **value)
{
    size_t n = strlen(name);
    if (strncmp(arg, name, n) != 0 || arg[n] != '=')
        return false;
    *value = arg + n + 1;
    return true;
}

int
main(int argc, char **argv)
{
    struct options o = {.lives = 200, .seed = 1, .part = "all"};
    for (int i = 1; i < argc; i++) {
        const char *v = NULL;
        if (option(argv[i], "--lives", &v))
            o.lives = strtoull(v, NULL, 10);
        else if (option(argv[i], "--seed", &v))
            o.seed = strtoull(v, NULL, 10);
        else if (option(argv[i], "--ideas", &v))
            o.ideas = strtoull(v, NULL, 10);
        else if (option(argv[i], "--budget", &v))
            o.budget = strtoull(v, NULL, 10);
        else if (option(argv[i], "--part", &v))
            o.part = v;
        else if (option(argv[i], "--world", &v))
            o.world = v;
        else if (strcmp(argv[i], "--json") == 0)
            o.json = true;
        else if (strcmp(argv[i], "--print") == 0)
            o.print = true;
        else {
            fprintf(stderr,
                "usage: bench-truth [--part=null|coverage|power|all] "
                "[--world=NAME] [--ideas=K] [--budget=N] [--lives=N] "
                "[--seed=N] [--json] [--print]\n");
            return 2;
        }
    }
    bool all = strcmp(o.part, "all") == 0;
    if (o.json)
        printf("{\"cells\":[\n");
    if (all || strcmp(o.part, "null") == 0)
        null_part(&o);
    if (all || strcmp(o.part, "coverage") == 0)
        coverage_part(&o);
    if (all || strcmp(o.part, "power") == 0)
        power_part(&o);
    if (o.json)
        printf("\n]}\n");
    return 0;
}
