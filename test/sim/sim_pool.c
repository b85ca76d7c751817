/* Several campaigns under one pool, with the real engine and the real rule:
 * the pool is never exceeded, every floor is held, what is asked for twice is
 * given once, forgetting everything between two events changes nothing, every
 * campaign comes to its end, and a model with much to gain gets more money
 * than one with nothing. */
#include "sim/toy.h"
#include "sim/world.h"

#include "base/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS = 3, TOTAL = 120, FLOOR = 14, ENCODE_MAX = 1 << 21 };

static void
broken(const char *what, uint64_t seed)
{
    fprintf(stderr, "pool %" PRIu64 ": %s\n", seed, what);
    abort();
}

/* The first model is rich, the others have little or nothing to gain. */
static void
model_fill(struct toy_opts *o, uint64_t seed, uint32_t i)
{
    *o = (struct toy_opts){.seed = seed * 8 + i,
        .ideas = 14,
        .good = i == 0   ? .4
                : i == 1 ? .1
                         : 0,
        .size = i == 0 ? 4 : 1.5,
        .noise = 1,
        .overlap = 1.5,
        .cross = .3,
        .pooled = true,
        .budget = FLOOR,
        .ceiling = TOTAL,
        .horizon = TOTAL / MODELS};
}

static void
hibernate(struct toy *t, unsigned char *bytes)
{
    size_t n = core_encode(t->c, bytes, ENCODE_MAX);
    struct core *twin = mem_calloc(1, sizeof *twin);
    memcpy(&twin->spec, &t->c->spec, sizeof twin->spec);
    if (n > ENCODE_MAX || core_decode(twin, bytes, n) != 0)
        broken("the state does not survive", t->o.seed);
    free(t->c);
    t->c = twin;
}

static int64_t
held_sum(const struct pool_member *m)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < MODELS; i++)
        sum += m[i].held_u;
    return sum;
}

/* One turn of campaign i; false: it does not move. */
static bool
turn(struct toy *t, struct pool_member *m, uint32_t i, uint64_t seed)
{
    struct pool_grant g, again;
    if (toy_step(&t[i]))
        return true;
    if (!core_waits(t[i].c))
        return false;
    toy_members(t, MODELS, FLOOR, i, m);
    pool_choose(m, MODELS, i, TOTAL * (int64_t)MICRO, &g);
    pool_choose(m, MODELS, i, TOTAL * (int64_t)MICRO, &again);
    if (memcmp(&g, &again, sizeof g) != 0)
        broken("the same question has two answers", seed);
    if (g.grant_u == 0 && !g.last)
        return false;
    toy_grant(&t[i], &g);
    toy_members(t, MODELS, FLOOR, i, m);
    if (held_sum(m) > TOTAL * (int64_t)MICRO)
        broken("more was given than the pool holds", seed);
    return true;
}

static uint64_t
live(uint64_t seed, bool forgets, double *spent)
{
    struct toy t[MODELS];
    struct pool_member m[MODELS] = {0};
    unsigned char *bytes = mem_calloc(1, ENCODE_MAX);
    uint64_t digest = 0;
    for (uint32_t i = 0; i < MODELS; i++) {
        struct toy_opts o;
        model_fill(&o, seed, i);
        toy_begin(&t[i], &o);
    }
    /* an answer may hang on what another one says of itself only after it */
    for (int idle = 0; idle < 2; idle++)
        for (uint32_t i = 0; i < MODELS; i++) {
            if (turn(t, m, i, seed))
                idle = -1;
            if (forgets)
                hibernate(&t[i], bytes);
        }
    for (uint32_t i = 0; i < MODELS; i++) {
        const struct core *c = t[i].c;
        if (c->state != CAMPAIGN_DONE)
            broken("a campaign waits for ever", seed);
        if (c->approved_u < FLOOR * (int64_t)MICRO)
            broken("a floor is not held", seed);
        spent[i] += (double)c->spent_u / MICRO;
        digest = digest * 1000003 + (uint64_t)c->spent_u + c->proposal +
                 (uint64_t)c->approved_u;
        toy_end(&t[i]);
    }
    free(bytes);
    return digest;
}

int
main(int argc, char **argv)
{
    uint64_t lives = world_arg(argc, argv, "--lives", 24);
    uint64_t seed = world_arg(argc, argv, "--seed", 1);
    double spent[MODELS] = {0}, twin[MODELS] = {0};
    for (uint64_t i = 0; i < lives; i++) {
        uint64_t plain = live(seed + i, false, spent);
        if (i % 4 == 0 && live(seed + i, true, twin) != plain)
            broken("forgetting changes what is given", seed + i);
    }
    double n = (double)lives;
    printf("%" PRIu64 " pools of %d trials: the rich model spent %.1f, the "
           "others %.1f and %.1f\n",
        lives, TOTAL, spent[0] / n, spent[1] / n, spent[2] / n);
    return spent[0] > spent[1] && spent[0] > spent[2] ? 0 : 1;
}
