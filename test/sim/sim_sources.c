/* What a source of predictions is worth to a campaign: with one that tells the
 * truth, one that says the opposite, and one that knows nothing, over the same
 * problems and a budget that does not try every idea. The good one must help,
 * and the liar cost little, since its weight falls as results come in. */
#include "sim/world.h"

#include <stdio.h>

/* True gain of the ideas that held, over that of all ideas that would. */
static double
worth(double source, uint64_t lives, uint64_t seed, uint32_t budget)
{
    double got = 0, all = 0;
    for (uint64_t i = 0; i < lives; i++) {
        struct life l;
        struct life_opts o = {.seed = seed + i,
            .problem = WORLD_MIXED,
            .budget = budget,
            .singles = true,
            .source = source};
        world_live(&o, &l);
        got += l.promoted;
        all += l.gains;
    }
    return got / all;
}

/* Two sources beside each other: the share of first runs that research got,
 * over lives in which both have more ideas than money. */
static double
research_share(double insight, double research, uint64_t lives, uint64_t seed)
{
    double got = 0, all = 0;
    for (uint64_t i = 0; i < lives; i++) {
        struct life l;
        struct life_opts o = {.seed = seed + i,
            .problem = WORLD_MIXED,
            .budget = 11,
            .singles = true,
            .source = insight,
            .second = research};
        world_live(&o, &l);
        got += l.starts[SOURCE_RESEARCH];
        all += l.starts[SOURCE_RESEARCH] + l.starts[SOURCE_INSIGHT];
    }
    return got / all;
}

static int
split_check(uint64_t lives, uint64_t seed)
{
    double good = research_share(-.7, .7, lives, seed);
    double none = research_share(.7, 1e-9, lives, seed);
    double liar = research_share(.7, -.7, lives, seed);
    printf("sim sources: research gets this share of first runs: it knows and "
           "the insights lie %.3f, it knows nothing %.3f, it lies %.3f\n",
        good, none, liar);
    return good > none + .03 && good > liar + .03 && liar > .2 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    uint64_t lives = world_arg(argc, argv, "--lives", 400);
    uint64_t seed = world_arg(argc, argv, "--seed", 1);
    int rc = 0;
    for (uint32_t budget = 12; budget <= 20; budget += 4) {
        double good = worth(.7, lives, seed, budget);
        double none = worth(1e-9, lives, seed, budget);
        double liar = worth(-.7, lives, seed, budget);
        printf("sim sources: %u trials find this share of all gains: good "
               "%.3f, none %.3f, liar %.3f\n",
            budget, good, none, liar);
        if (good <= none || liar < (budget < 16 ? .6 : .8) * none)
            rc = 1;
    }
    return rc | split_check(lives / 2, seed);
}
