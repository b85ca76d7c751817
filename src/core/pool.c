/* Several campaigns, one pool of money: what further money is worth to each,
 * and who gets the next of it. A grant is a fact of the campaign that gets it;
 * the ledger over all of them is the shell's, in the same transaction.
 * The rule is water filling: what is left is dealt out, a tranche at a time, to
 * where a trial is worth most by each campaign's own outlook; a campaign that
 * asks gets its next tranche when that is its part of the deal. Called by wake
 * and by the simulators. Invariant: a grant never takes from the floor that
 * another campaign has not had yet, nor more than was signed. */
#include "core/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TRANCHE_TRIALS = 4, WORTH_DRAWS = 96 };
/* A trial below this of min_gain is not worth its cost: ends phases, too. */
static const double PAYS = .02;

int
budget_granted_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->signed_u == 0 || c->granted_all)
        return refuse(u, "no pool gives money to this campaign");
    if (c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED)
        return refuse(u, "the campaign has ended");
    if (e->budget_u < 0 || e->budget_u > c->signed_u - c->approved_u)
        return refuse(u, "a pool grants no more than was signed");
    if (e->budget_u == 0 && e->n != 1)
        return refuse(u, "a grant gives money or is the last one");
    c->approved_u += e->budget_u;
    c->horizon_u = e->horizon_u;
    c->granted_all = e->n == 1;
    return 0;
}

/* Slopes of the least concave curve above the gains: one run may be worth
 * nothing alone, and much as the first of several. */
static void
slopes_fill(const double *gain, const double *at, double *slope)
{
    int i = 0;
    while (i < POOL_STEPS) {
        int next = i + 1;
        double steepest = -INFINITY;
        for (int j = i + 1; j <= POOL_STEPS; j++) {
            double s = (gain[j] - gain[i]) / (at[j] - at[i]);
            if (s > steepest) {
                steepest = s;
                next = j;
            }
        }
        for (; i < next; i++)
            slope[i] = fmax(0, steepest);
    }
}

bool
core_waits(const struct core *c)
{
    return budget_lacks(c, NULL);
}

void
core_worth(const struct core *c, struct pool_worth *out)
{
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    struct outlook_idea ideas[HYPOTHESES_MAX];
    struct outlook_in in;
    double gain[POOL_STEPS + 1], at[POOL_STEPS + 1];
    memset(out, 0, sizeof *out);
    out->wants = budget_lacks(c, &out->least_u);
    out->trial_u = budget_trial_u(c);
    out->tranche_u = TRANCHE_TRIALS * out->trial_u;
    if (out->wants && out->least_u > out->tranche_u)
        out->tranche_u = out->least_u;
    if (c->state != CAMPAIGN_RUNNING || c->signed_u == 0 || c->granted_all)
        return;
    analysis_collect(c, &a);
    forecast_fill(c, &a, ideas, &in);
    double each = (double)out->trial_u;
    double left = (double)(c->approved_u - c->spent_u - c->reserved_u) / each;
    for (int i = 0; i <= POOL_STEPS; i++) {
        struct outlook o;
        at[i] = (double)((1 << i) - 1) * (double)out->tranche_u / each;
        double money = fmax(0, left) + at[i];
        double n = outlook_validate(&in, money, WORTH_DRAWS / 3, 1, &o);
        outlook_run(&in, money, n, WORTH_DRAWS, 2, &o);
        gain[i] = o.gain / in.min_gain;
        if (i > 0 && gain[i] < gain[i - 1])
            gain[i] = gain[i - 1];
    }
    slopes_fill(gain, at, out->slope);
}

/* ---- the deal ---- */

struct deal {
    const struct pool_member *m;
    uint32_t n;
    int64_t part[POOL_MEMBERS_MAX]; /* beyond what it holds */
    int64_t rest;                   /* worth nothing to anybody */
};

/* Money that step i of a member covers. */
static int64_t
step_u(const struct pool_member *m, int i)
{
    return ((int64_t)1 << i) * m->worth.tranche_u;
}

/* Worth of the next trial of a member after the part it was dealt; *room_u:
 * how much more this step takes. 0: nothing. */
static double
next_worth(const struct pool_member *m, int64_t part, int64_t *room_u)
{
    int64_t end = 0;
    if (!m->live || m->held_u + part >= m->signed_u)
        return 0;
    for (int i = 0; i < POOL_STEPS; i++) {
        end += step_u(m, i);
        if (part >= end)
            continue;
        *room_u = end - part;
        if (*room_u > m->signed_u - m->held_u - part)
            *room_u = m->signed_u - m->held_u - part;
        return m->weight * m->worth.slope[i];
    }
    return 0;
}

static void
deal_run(struct deal *d, int64_t left)
{
    memset(d->part, 0, sizeof d->part);
    while (left > 0) {
        uint32_t best = 0;
        double top = 0;
        int64_t take = 0;
        for (uint32_t i = 0; i < d->n; i++) {
            int64_t room = 0;
            double w = next_worth(&d->m[i], d->part[i], &room);
            if (w > top) {
                top = w;
                best = i;
                take = room < d->m[i].worth.tranche_u ? room
                                                      : d->m[i].worth.tranche_u;
            }
        }
        if (top < PAYS)
            break;
        take = take < left ? take : left;
        d->part[best] += take;
        left -= take;
    }
    d->rest = left;
}

/* Free money: floors that are still to be had are kept. */
static int64_t
free_u(const struct pool_member *m, uint32_t n, uint32_t who, int64_t total_u)
{
    int64_t left = total_u;
    for (uint32_t i = 0; i < n; i++) {
        bool due = i != who && m[i].held_u < m[i].floor_u;
        left -= due ? m[i].floor_u : m[i].held_u;
    }
    return left > 0 ? left : 0;
}

static uint32_t
first_of(const struct pool_member *m, uint32_t n, double *worth)
{
    uint32_t first = 0;
    *worth = -1;
    for (uint32_t i = 0; i < n; i++) {
        int64_t room;
        double w = next_worth(&m[i], 0, &room);
        if (w > *worth) {
            *worth = w;
            first = i;
        }
    }
    return first;
}

static void
grant_give(const struct pool_member *me, int64_t part, int64_t left,
    double worth, struct pool_grant *out)
{
    int64_t most = me->signed_u - me->held_u;
    int64_t give = me->worth.tranche_u;
    give = give < left ? give : left;
    out->grant_u = give < most ? give : most;
    if (me->worth.least_u > out->grant_u) { /* would not start a job */
        out->grant_u = 0;
        out->last = true;
        out->horizon_u = me->held_u;
        snprintf(out->why, sizeof out->why,
            "the pool has no money left for another job");
        return;
    }
    part = part > out->grant_u ? part : out->grant_u;
    out->horizon_u = me->held_u + part;
    snprintf(out->why, sizeof out->why,
        "its next trial is worth %.3g min_gain, its part of what is left "
        "%.4g",
        worth, (double)part / MICRO);
}

void
pool_choose(const struct pool_member *m, uint32_t n, uint32_t who,
    int64_t total_u, struct pool_grant *out)
{
    struct deal d = {.m = m, .n = n};
    const struct pool_member *me = &m[who];
    int64_t left = free_u(m, n, who, total_u), room = 0;
    double top = 0, mine = next_worth(me, 0, &room);
    memset(out, 0, sizeof *out);
    out->first = first_of(m, n, &top);
    out->horizon_u = me->held_u;
    deal_run(&d, left);
    if (me->held_u >= me->signed_u || left == 0) {
        out->last = true;
        snprintf(out->why, sizeof out->why, "%s",
            left == 0 ? "the pool is used up" : "all that was signed is given");
    } else if (d.part[who] > 0 || me->held_u < me->floor_u) {
        grant_give(me, d.part[who], left, mine, out);
    } else if (d.rest >= me->worth.tranche_u && me->worth.slope[0] > 0) {
        /* an outlook is coarse: money that nobody else could use is not kept
         * from a campaign whose own phases still find a run worth its cost */
        grant_give(me, me->worth.tranche_u, left, mine, out);
    } else if (mine < PAYS) {
        out->last = true;
        snprintf(out->why, sizeof out->why,
            "its next trial is worth %.3g min_gain: more budget would not pay",
            mine);
    } else {
        snprintf(out->why, sizeof out->why,
            "waits for the pool: its next trial is worth %.3g min_gain, C%u's "
            "%.3g",
            mine, m[out->first].campaign, top);
    }
}
