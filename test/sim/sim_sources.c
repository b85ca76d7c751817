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
    return rc;
}
