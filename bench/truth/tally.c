/* Counts and their printing. A gain is "worthy" from 2 seed sds on; an
 * accepted idea is wrong when its true gain alone is not above 0. */
#include "tally.h"

#include "math/dist.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double WORTHY = 2 - 1e-9;

static uint64_t
mask_where(const struct problem *p, double least)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < p->k; i++)
        mask |= p->gain[i] >= least ? UINT64_C(1) << i : 0;
    return mask;
}

static uint64_t
count(uint64_t mask)
{
    return (uint64_t)__builtin_popcountll(mask);
}

static double
share(uint64_t a, uint64_t b)
{
    return b > 0 ? (double)a / (double)b : 0;
}

static void
finalists_add(struct tally *t, const struct outcome *o)
{
    uint64_t ok = 0;
    for (uint32_t i = 0; i < o->n_opened; i++) {
        const struct opened *f = &o->opened[i];
        bool covers = f->lo <= f->truth && f->truth <= f->hi;
        ok += covers;
        t->finalists++;
        t->covered += covers;
        t->claim_finalists += f->claimed;
        t->claim_covered += f->claimed && covers;
        if (!f->claimed)
            continue;
        double d = (f->quoted - f->truth) / SEED_SD;
        t->bias += d;
        t->bias2 += d * d;
        t->raw_bias += (f->gain - f->truth) / SEED_SD;
        t->truth_of_finalists += f->truth / SEED_SD;
    }
    t->opened += o->n_opened > 0;
    t->joint += o->n_opened > 0 && ok == o->n_opened;
}

static void
pairs_add(struct tally *t, const struct outcome *o)
{
    for (uint32_t i = 0; i < o->n_pairs; i++) {
        const struct pair_seen *q = &o->pair[i];
        bool synergy = q->verdict == PAIR_SYNERGY;
        bool conflict = q->verdict == PAIR_CONFLICT;
        t->pairs++;
        t->pairs_covered += q->lo <= q->truth && q->truth <= q->hi;
        t->called += synergy || conflict;
        t->called_wrong +=
            (synergy && q->truth <= 0) || (conflict && q->truth >= 0);
    }
}

void
tally_add(struct tally *t, const struct problem *p, const struct outcome *o,
    const struct plan_outcome *plan)
{
    uint64_t worthy = mask_where(p, WORTHY), gains = mask_where(p, 1e-12);
    uint64_t how[FOUND_KINDS] = {o->proved, o->promoted, o->delivered,
        o->useful, o->promoted | o->useful};
    uint64_t accepted[FOUND_KINDS] = {o->proved, o->promoted, o->delivered,
        o->delivered, o->promoted | o->delivered};
    uint64_t wrong[FOUND_KINDS] = {o->proved & ~gains, o->promoted & ~gains,
        o->delivered & ~gains, o->delivered & ~o->useful,
        (o->promoted & ~gains & ~o->useful) |
            (o->delivered & ~o->useful & ~(o->promoted & gains))};
    t->lives++;
    t->trials += o->trials;
    t->claims += o->claimed;
    t->false_claims += o->claimed && o->claim_truth <= 0;
    t->negative += o->claimed && o->claim_truth < 0;
    t->ship += o->claim_truth / SEED_SD;
    t->idle += count(o->idle);
    t->crossed += count(o->crossed);
    t->proofs += (o->proved & ~gains) != 0;
    t->worthy += count(worthy);
    for (int h = 0; h < FOUND_KINDS; h++) {
        t->found[h] += count(how[h] & worthy);
        t->wrong[h] += share(count(wrong[h]), count(accepted[h]));
    }
    finalists_add(t, o);
    pairs_add(t, o);
    for (int r = 0; plan != NULL && r < PLAN_RULES; r++) {
        t->plan_found[r] += count(plan->found[r] & worthy);
        t->plan_wrong[r] +=
            share(count(plan->found[r] & ~gains), count(plan->found[r]));
        t->plan_ship[r] += plan->ship[r] / SEED_SD;
        t->plan_stack[r] += plan->stack[r] / SEED_SD;
    }
}

void
tally_merge(struct tally *to, const struct tally *f)
{
    uint64_t *a[] = {&to->lives, &to->claims, &to->false_claims, &to->negative,
        &to->opened, &to->trials, &to->finalists, &to->covered,
        &to->claim_finalists, &to->claim_covered, &to->joint, &to->idle,
        &to->crossed, &to->proofs, &to->pairs, &to->pairs_covered, &to->called,
        &to->called_wrong};
    const uint64_t b[] = {f->lives, f->claims, f->false_claims, f->negative,
        f->opened, f->trials, f->finalists, f->covered, f->claim_finalists,
        f->claim_covered, f->joint, f->idle, f->crossed, f->proofs, f->pairs,
        f->pairs_covered, f->called, f->called_wrong};
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
        *a[i] += b[i];
    to->bias += f->bias;
    to->bias2 += f->bias2;
    to->raw_bias += f->raw_bias;
    to->truth_of_finalists += f->truth_of_finalists;
}

static double
upper(uint64_t a, uint64_t b)
{
    return b > 0 ? binomial_upper((double)a, (double)b, .95) : 1;
}

void
tally_null(const char *name, const struct tally *t, bool json)
{
    double up = upper(t->false_claims, t->lives);
    double crossed = share(t->crossed, t->idle);
    double proofs = share(t->proofs, t->lives);
    if (json)
        printf("{\"part\":\"null\",\"world\":\"%s\",\"campaigns\":%" PRIu64
               ",\"claims\":%" PRIu64 ",\"upper\":%.5f,\"opened\":%" PRIu64
               ",\"e_crossed\":%.5f,\"false_proofs\":%.5f}",
            name, t->lives, t->false_claims, up, t->opened, crossed, proofs);
    else
        printf("%-22s %6" PRIu64 " %7.2f %% %7.2f %% %7.1f %% %7.2f %% %7.2f"
               " %%\n",
            name, t->lives, 100 * share(t->false_claims, t->lives), 100 * up,
            100 * share(t->opened, t->lives), 100 * crossed, 100 * proofs);
}

void
tally_cover(const char *name, const struct tally *t, bool json)
{
    double n = (double)t->claim_finalists;
    double bias = n > 0 ? t->bias / n : 0, raw = n > 0 ? t->raw_bias / n : 0;
    double err = n > 1 ? sqrt((t->bias2 / n - bias * bias) / n) : 0;
    double mean = n > 0 ? t->truth_of_finalists / n : 0;
    double cover = share(t->covered, t->finalists);
    double joint = share(t->joint, t->opened);
    double claims = share(t->claim_covered, t->claim_finalists);
    double pairs = share(t->pairs_covered, t->pairs);
    if (json)
        printf("{\"part\":\"coverage\",\"world\":\"%s\",\"finalists\":%" PRIu64
               ",\"covered\":%.5f,\"joint\":%.5f,\"claims\":%" PRIu64
               ",\"claims_covered\":%.5f,\"negative\":%" PRIu64
               ",\"true_gain\":%.4f,\"quoted_bias\":%.4f,\"quoted_bias_se\":"
               "%.4f,\"sealed_bias\":%.4f,\"pairs\":%" PRIu64
               ",\"pairs_covered\":%.5f,\"called\":%" PRIu64
               ",\"called_wrong\":%" PRIu64 "}",
            name, t->finalists, cover, joint, t->claim_finalists, claims,
            t->negative, mean, bias, err, raw, t->pairs, pairs, t->called,
            t->called_wrong);
    else
        printf("%-22s %6" PRIu64 " %6.2f %6.2f %6" PRIu64 " %6.2f %5.2f %6.2f"
               " %+5.2f+-%.2f %+5.2f %6" PRIu64 " %6.2f %5" PRIu64 " %5.1f\n",
            name, t->finalists, 100 * cover, 100 * joint, t->claim_finalists,
            100 * claims, 100 * share(t->negative, t->claim_finalists), mean,
            bias, err, raw, t->pairs, 100 * pairs, t->called,
            100 * share(t->called_wrong, t->called));
}

static void
power_json(const char *name, uint32_t trials, const struct tally *t)
{
    double w = (double)t->worthy, n = (double)t->lives;
    printf("{\"part\":\"power\",\"world\":\"%s\",\"budget\":%" PRIu32
           ",\"campaigns\":%" PRIu64 ",\"worthy\":%" PRIu64,
        name, trials, t->lives, t->worthy);
    static const char *const how[] = {
        "proved", "promoted", "delivered", "useful", "either"};
    static const char *const rule[] = {"plan_bh", "plan_dunnett"};
    for (int h = 0; h < FOUND_KINDS; h++)
        printf(",\"%s\":{\"found\":%.5f,\"wrong\":%.5f}", how[h],
            (double)t->found[h] / w, t->wrong[h] / n);
    for (int r = 0; r < PLAN_RULES; r++)
        printf(",\"%s\":{\"found\":%.5f,\"wrong\":%.5f,\"ship\":%.4f,"
               "\"stack\":%.4f}",
            rule[r], (double)t->plan_found[r] / w, t->plan_wrong[r] / n,
            t->plan_ship[r] / n, t->plan_stack[r] / n);
    printf(",\"claims\":%" PRIu64 ",\"negative\":%" PRIu64
           ",\"ship\":%.4f,\"trials\":%.1f}",
        t->claims, t->negative, t->ship / n, (double)t->trials / n);
}

void
tally_power(const char *name, uint32_t trials, const struct tally *t, bool json)
{
    double n = (double)t->lives;
    if (json) {
        power_json(name, trials, t);
        return;
    }
    printf("%-14s %4" PRIu32 " %5.1f |", name, trials, (double)t->trials / n);
    for (int h = 0; h < FOUND_KINDS; h++)
        printf(" %5.1f (%4.1f)", 100 * share(t->found[h], t->worthy),
            100 * t->wrong[h] / n);
    printf(" |");
    for (int r = 0; r < PLAN_RULES; r++)
        printf(" %5.1f (%4.1f)", 100 * share(t->plan_found[r], t->worthy),
            100 * t->plan_wrong[r] / n);
    printf(" | %5.2f | %5.2f %5.2f %5.2f | %4.1f %4.1f\n",
        share(t->found[FOUND_EITHER], t->plan_found[PLAN_BH]), t->ship / n,
        t->plan_ship[PLAN_BH] / n, t->plan_stack[PLAN_BH] / n,
        100 * share(t->claims, t->lives), 100 * share(t->negative, t->claims));
}
