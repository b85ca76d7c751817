/* Does the engine tell the truth? Over many simulated campaigns: on problems
 * without any real gain, how often is one proposed (exact upper bound); on
 * mixed problems, how often do the sealed intervals cover the truth, judged
 * over every finalist that was opened, claimed or not; how far off is the gain
 * that a proposal quotes, and how often do the intervals of pairs cover. */
#include "sim/world.h"

#include "math/dist.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct tally {
    uint64_t lives, proposed, finalists, covered, opened, all_covered;
    uint64_t pairs, pairs_covered, called, called_wrong, harms;
    double bias; /* sums of (quoted - true) and of the true gain of claims */
    double truth, best, trials;
};

static void
tally_pairs(struct tally *t, const struct life *l)
{
    for (uint32_t i = 0; i < l->n_pairs; i++) {
        const struct life_pair *p = &l->pair[i];
        bool up = p->verdict == PAIR_SYNERGY,
             down = p->verdict == PAIR_CONFLICT;
        t->pairs++;
        t->pairs_covered += p->lo <= p->truth && p->truth <= p->hi;
        t->called += up || down;
        t->called_wrong += (up && p->truth <= 0) || (down && p->truth >= 0);
    }
}

static void
tally_life(struct tally *t, const struct life *l)
{
    t->lives++;
    t->proposed += l->proposed;
    t->trials += l->trials;
    t->truth += l->proposed ? l->truth : 0;
    t->best += l->best_truth;
    t->harms += l->proposed && l->truth < 0;
    tally_pairs(t, l);
    uint64_t judged = 0, ok = 0;
    for (uint32_t i = 0; i < l->n_finalists; i++) {
        const struct life_finalist *f = &l->finalist[i];
        if (!f->judged)
            continue;
        judged++;
        ok += f->lo <= f->truth && f->truth <= f->hi;
        if (l->proposed && f->truth == l->truth)
            t->bias += f->shrunken - f->truth;
    }
    t->finalists += judged;
    t->covered += ok;
    t->opened += judged > 0;
    t->all_covered += judged > 0 && ok == judged;
}

static void
run(enum world_problem p, uint64_t lives, uint64_t seed, struct tally *t)
{
    *t = (struct tally){0};
    for (uint64_t i = 0; i < lives; i++) {
        struct life l;
        struct life_opts o = {.seed = seed + i,
            .problem = p,
            .budget = 40 + (uint32_t)(i % 4) * 15};
        world_live(&o, &l);
        tally_life(t, &l);
    }
}

int
main(int argc, char **argv)
{
    uint64_t lives = world_arg(argc, argv, "--lives", 2000);
    uint64_t seed = world_arg(argc, argv, "--seed", 1);
    struct tally null, mixed;
    run(WORLD_NULL, lives, seed, &null);
    double upper =
        binomial_upper((double)null.proposed, (double)null.lives, .95);
    double share = (double)null.proposed / (double)null.lives;
    printf(
        "null problems: %" PRIu64 " campaigns, %" PRIu64
        " proposed a gain (%.2f %%, exact 95 %% upper bound %.2f %%); %" PRIu64
        " opened the seal\n",
        null.lives, null.proposed, 100 * share, 100 * upper, null.opened);
    run(WORLD_MIXED, lives, seed + 1000000, &mixed);
    double cover = (double)mixed.covered / (double)mixed.finalists;
    double joint = (double)mixed.all_covered / (double)mixed.opened;
    printf("mixed problems: %" PRIu64 " campaigns, %" PRIu64
           " proposed; %" PRIu64 " finalists opened, intervals cover the "
           "truth in %.2f %% (jointly per campaign %.2f %%); true sealed gain "
           "of the proposals %.3g, best single idea %.3g; %.1f trials each\n",
        mixed.lives, mixed.proposed, mixed.finalists, 100 * cover, 100 * joint,
        mixed.truth / (double)mixed.proposed, mixed.best / (double)mixed.lives,
        mixed.trials / (double)mixed.lives);
    double pairs = (double)mixed.pairs_covered / (double)mixed.pairs;
    double size = mixed.truth / (double)mixed.proposed;
    double bias = mixed.bias / (double)mixed.proposed;
    printf("proposals: %" PRIu64 " lose in truth; quoted gain - true gain "
           "%+.3g on average, %+.1f %%; %" PRIu64 " pairs judged, intervals "
           "cover in %.2f %%; %" PRIu64 " called synergy or conflict, %" PRIu64
           " of them wrongly\n",
        mixed.harms, bias, 100 * bias / size, mixed.pairs, 100 * pairs,
        mixed.called, mixed.called_wrong);
    bool ok = share <= .05 && upper <= .065 && cover >= .93 && cover <= .97 &&
              pairs >= .92 && fabs(bias) <= .1 * size;
    printf("%s\n", ok ? "truth holds" : "TRUTH BROKEN");
    return ok ? 0 : 1;
}
