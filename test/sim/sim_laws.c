/* Seeded lives against a hostile world. Every fourth life runs twice, once
 * hibernating at every event and once never: the digests of all events must be
 * equal. Every fourth has another one beside it that is told events to refuse.
 * Every event, ending and remedy must have happened at least once, or the run
 * fails: green lives prove nothing when most end after three events. */
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t events, refused, kinds[EVENT_COUNT], reasons[REASON_COUNT],
    remedies[REMEDY_COUNT], ends[8], twice, stops;

static void
add(const struct life *l)
{
    events += l->events;
    refused += l->refused;
    stops += l->stops;
    ends[l->state]++;
    for (int i = 0; i < EVENT_COUNT; i++)
        kinds[i] += l->kinds[i];
    for (int i = 0; i < REASON_COUNT; i++)
        reasons[i] += l->reasons[i];
    for (int i = 0; i < REMEDY_COUNT; i++)
        remedies[i] += l->remedies[i];
}

static int
missing(void)
{
    int n = 0;
    for (uint32_t i = 1; i < EVENT_COUNT; i++)
        if (kinds[i] == 0) {
            printf("never happened: %s\n", event_name(i));
            n++;
        }
    if (stops == 0) {
        printf("never happened: a run stopped on a rung\n");
        n++;
    }
    for (uint32_t i = 1; i < REASON_COUNT; i++)
        if (reasons[i] == 0) {
            printf("never happened: a job ending by %s\n", reason_name(i));
            n++;
        }
    for (uint32_t i = 1; i < REMEDY_COUNT; i++)
        if (remedies[i] == 0) {
            printf("never happened: remedy %s\n", remedy_name(i));
            n++;
        }
    return n;
}

int
main(int argc, char **argv)
{
    uint64_t lives = world_arg(argc, argv, "--lives", 400);
    uint64_t seed = world_arg(argc, argv, "--seed", 1);
    bool one = world_arg(argc, argv, "--print", 0) != 0;
    static const double faults[] = {.03, .15, .35, .6};
    for (uint64_t i = 0; i < lives; i++) {
        struct life awake, asleep;
        struct life_opts o = {.seed = seed + i,
            .problem = i % 3 ? WORLD_MIXED : WORLD_NULL,
            .interfere = true,
            .faults = faults[(i + i / 4) % 4],
            .budget = 0,
            .print = one};
        world_live(&o, &awake);
        add(&awake);
        if (i % 4 == 2) { /* one more life, with events to be refused */
            o.mischief = true;
            o.seed += UINT64_C(1) << 32;
            world_live(&o, &awake);
            add(&awake);
        }
        if (i % 4 != 0)
            continue;
        o.hibernate = true;
        o.print = false;
        world_live(&o, &asleep);
        if (awake.digest != asleep.digest) {
            printf("seed %" PRIu64 ": hibernating changed the life\n", o.seed);
            return 1;
        }
        twice++;
    }
    printf("sim laws: %" PRIu64 " campaigns from seed %" PRIu64 ", %" PRIu64
           " lived again hibernating at every event; %" PRIu64
           " events, %" PRIu64 " refused without a trace; done %" PRIu64
           ", stopped %" PRIu64 "\n",
        lives + lives / 4, seed, twice, events, refused, ends[CAMPAIGN_DONE],
        ends[CAMPAIGN_STOPPED]);
    return lives >= 200 && missing() > 0 ? 1 : 0;
}
