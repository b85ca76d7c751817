/* Preposterior analysis of a campaign: its rest is played out with truths drawn
 * from what is believed, by the rules by which the engine spends money. Called
 * by core for the plan's expected gain, for the end of Validation, and for a
 * pool's choice between campaigns. Constants are those of recorded CTR trials:
 * two equal gains bring 1.2 of one (0.6 of their sum), interactions vary by
 * about .6 of an effect. Invariant: a draw's truths do not depend on the money,
 * so that two budgets are compared on the same worlds. */
#include "math/outlook.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "math/acquire.h"
#include "math/dist.h"

enum {
    REPEATS_MAX = 8,
    COMBINE_MAX = 4,
    CELLS_MAX = 11,
    CELL_REPEATS = 2,
    SEEDS_MIN = 2,
    GRID_MAX = 24
};
static const double CROSS = .45;
static const double CLEAR = .95, LIKELY = .6, WORTH = .6745;
static const double KG_FLOOR = .02; /* of min_gain */
/* Each improvement leaves less to find. */
static const double FADE = .75;

struct arm { /* belief and truth of one configuration */
    double mean, var, truth;
};

struct play {
    const struct outlook_in *in;
    struct rng run, cell, search; /* of ideas; of cells; of steps */
    struct arm idea[OUTLOOK_IDEAS_MAX];
    double kg[OUTLOOK_IDEAS_MAX];
    uint32_t runs[OUTLOOK_IDEAS_MAX];
    bool open[OUTLOOK_IDEAS_MAX];
    struct arm best;
    double base;
};

double
outlook_power(double gain, double s2, double n)
{
    double z = student_quantile(.975, 2 * n - 2);
    return normal_cdf(gain / sqrt(2 * s2 / n) - z);
}

uint32_t
outlook_seeds(double gain, double s2, double power, uint32_t max)
{
    uint32_t n = SEEDS_MIN;
    while (n < max && outlook_power(gain, s2, n) < power)
        n++;
    return n;
}

static void
arm_observe(struct arm *a, double noise, double z)
{
    double y = a->truth + sqrt(noise) * z;
    double keep = noise / (a->var + noise);
    a->mean = y + keep * (a->mean - y);
    a->var *= keep;
}

static void
arm_offer(struct arm *best, const struct arm *a)
{
    if (a->mean > best->mean)
        *best = *a;
}

/* ---- single ideas ---- */

static void
idea_value(struct play *p, uint32_t i)
{
    const struct arm *a = &p->idea[i];
    double sd = sqrt(a->var);
    double prob = sd > 0 ? normal_cdf((a->mean - p->in->min_gain) / sd) : 0;
    if (p->runs[i] >= REPEATS_MAX ||
        (p->runs[i] > 0 && (prob > CLEAR || prob < 1 - CLEAR)))
        p->open[i] = false;
    p->kg[i] = p->open[i] ? knowledge_gradient(
                                a->mean, a->var, p->in->s2, p->in->min_gain) /
                                p->in->idea[i].cost
                          : 0;
}

static void
play_begin(
    struct play *p, const struct outlook_in *in, uint64_t seed, uint32_t draw)
{
    struct rng truth;
    p->in = in;
    rng_seed2(&truth, seed, 4 * (uint64_t)draw);
    rng_seed2(&p->run, seed, 4 * (uint64_t)draw + 1);
    rng_seed2(&p->cell, seed, 4 * (uint64_t)draw + 2);
    rng_seed2(&p->search, seed, 4 * (uint64_t)draw + 3);
    p->base = in->base_runs + in->base_due;
    for (uint32_t i = 0; i < in->n_ideas; i++) {
        const struct outlook_idea *x = &in->idea[i];
        p->idea[i] = (struct arm){
            x->mean, x->sd * x->sd, x->mean + x->sd * rng_normal(&truth)};
        p->runs[i] = x->runs;
        p->open[i] = x->open;
        idea_value(p, i);
    }
    p->best = (struct arm){0, 0, 0};
    if (in->best_sd > 0 && in->best > 0)
        p->best = (struct arm){in->best, in->best_sd * in->best_sd,
            in->best + in->best_sd * rng_normal(&truth)};
}

static double
ideas_play(struct play *p, double room)
{
    const struct outlook_in *in = p->in;
    double spent = 0;
    while (in->n_ideas > 0) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < in->n_ideas; i++)
            if (p->kg[i] > p->kg[best])
                best = i;
        double cost = in->idea[best].cost;
        if (p->kg[best] < KG_FLOOR * in->min_gain || spent + cost > room)
            break;
        /* the first run also carries the baseline's own error */
        double first = p->runs[best] == 0 ? 1 / fmax(1, p->base) : 0;
        arm_observe(&p->idea[best], in->s2 * (1 + first), rng_normal(&p->run));
        p->runs[best]++;
        spent += cost;
        idea_value(p, best);
    }
    for (uint32_t i = 0; i < in->n_ideas; i++)
        if (p->runs[i] > 0)
            arm_offer(&p->best, &p->idea[i]);
    return spent;
}

/* ---- combination ---- */

static double
together(double sum, double bad)
{
    return (sum > 0 ? pow(sum, 1 / OUTLOOK_OVERLAP_P) : 0) + bad;
}

static void
cell_make(struct play *p, const uint32_t *who, uint32_t k, uint32_t set,
    const double *cross, struct arm *out)
{
    double believed = 0, real = 0, bad_b = 0, bad_r = 0, var = 0, size2 = 0;
    double between = 0, pairs = 0;
    int at = 0;
    for (uint32_t i = 0; i < k; i++) {
        const struct arm *a = &p->idea[who[i]];
        size2 += a->mean * a->mean / k;
        if ((set >> i & 1) == 0)
            continue;
        believed += a->mean > 0 ? pow(a->mean, OUTLOOK_OVERLAP_P) : 0;
        real += a->truth > 0 ? pow(a->truth, OUTLOOK_OVERLAP_P) : 0;
        bad_b += fmin(0, a->mean);
        bad_r += fmin(0, a->truth);
        var += a->var;
    }
    for (uint32_t i = 0; i < k; i++)
        for (uint32_t j = 0; j < i; j++, at++)
            if ((set >> i & 1) && (set >> j & 1)) {
                between += cross[at];
                pairs++;
            }
    double lambda = CROSS * fmax(p->in->min_gain, sqrt(size2));
    out->mean = together(believed, bad_b);
    out->truth = together(real, bad_r) + lambda * between;
    out->var = var + lambda * lambda * pairs;
}

static uint32_t
ideas_rank(const struct play *p, double room, uint32_t *who)
{
    uint32_t k = 0;
    bool used[OUTLOOK_IDEAS_MAX] = {false};
    uint64_t taken = 0;
    while (k < COMBINE_MAX && (1u << (k + 1)) - 1 - (k + 1) <= room) {
        int best = -1;
        for (uint32_t i = 0; i < p->in->n_ideas; i++) {
            const struct arm *a = &p->idea[i];
            if (used[i] || p->runs[i] == 0 || a->mean <= 0 ||
                (p->in->idea[i].uses & taken) != 0 ||
                a->mean < WORTH * sqrt(a->var))
                continue;
            if (best < 0 || a->mean > p->idea[best].mean)
                best = (int)i;
        }
        if (best < 0)
            break;
        used[best] = true;
        taken |= p->in->idea[best].uses;
        who[k++] = (uint32_t)best;
    }
    return k;
}

static double
cells_play(struct play *p, double room)
{
    uint32_t who[COMBINE_MAX];
    double cross[COMBINE_MAX * (COMBINE_MAX - 1) / 2], spent = 0;
    uint32_t k = ideas_rank(p, room, who);
    struct arm leader = {-INFINITY, 0, 0};
    for (int i = 0; i < COMBINE_MAX * (COMBINE_MAX - 1) / 2; i++)
        cross[i] = rng_normal(&p->cell);
    if (k < 2)
        return 0;
    for (uint32_t set = 1; set < 1u << k; set++) {
        struct arm cell;
        if ((set & (set - 1)) == 0)
            continue;
        cell_make(p, who, k, set, cross, &cell);
        arm_observe(&cell, p->in->s2, rng_normal(&p->cell));
        spent++;
        arm_offer(&leader, &cell);
    }
    for (int i = 0; i < CELL_REPEATS && spent + 1 <= room; i++, spent++)
        arm_observe(&leader, p->in->s2, rng_normal(&p->cell));
    arm_offer(&p->best, &leader);
    return spent;
}

/* ---- search ---- */

static double
search_play(struct play *p, double room)
{
    const struct outlook_in *in = p->in;
    double fade = pow(FADE, in->wins), spent = 0;
    double floor_value = KG_FLOOR * in->min_gain;
    while (spent + 1 <= room) {
        double sd = fade * in->step_sd, step = fade * in->step;
        double z = rng_normal(&p->search), noise = rng_normal(&p->search);
        if (knowledge_gradient(step, sd * sd, in->s2, 0) < floor_value)
            break;
        struct arm x = {
            p->best.mean + step, sd * sd, p->best.truth + step + sd * z};
        arm_observe(&x, in->s2, noise);
        spent++;
        if (x.mean > p->best.mean) {
            x.var += p->best.var;
            p->best = x;
            fade *= FADE;
        }
    }
    return spent;
}

/* ---- confirmation ---- */

static double
confirm_play(const struct play *p, double room, const double *z, double *passes)
{
    const struct arm *b = &p->best;
    double n = fmin(OUTLOOK_SEEDS_MAX, floor(room / 2));
    *passes = 0;
    if (b->mean <= 0 || normal_cdf(b->mean / sqrt(b->var)) < LIKELY)
        return 0;
    *passes = 1;
    if (!p->in->confirms)
        return 0;
    if (n < SEEDS_MIN)
        *passes = 0;
    else
        *passes = normal_cdf(b->truth / sqrt(2 * p->in->s2 / n) - z[(int)n]);
    return n < SEEDS_MIN ? 0 : 2 * n;
}

void
outlook_run(const struct outlook_in *in, double trials, double validate,
    uint32_t draws, uint64_t seed, struct outlook *out)
{
    double z[OUTLOOK_SEEDS_MAX + 1] = {0}, scale = 1.0 / draws;
    assert(in->n_ideas <= OUTLOOK_IDEAS_MAX && draws > 0 && in->s2 > 0);
    memset(out, 0, sizeof *out);
    for (int n = SEEDS_MIN; n <= OUTLOOK_SEEDS_MAX; n++)
        z[n] = student_quantile(.975, 2 * n - 2);
    double kept = in->confirms ? in->confirm_floor : 0;
    for (uint32_t d = 0; d < draws; d++) {
        struct play p;
        double spent = fmin(in->base_due, trials), v = 0, c = 0, s = 0, pass;
        play_begin(&p, in, seed, d);
        double room = trials - kept - spent;
        v = ideas_play(&p, fmin(in->validates ? validate : 0, room));
        if (in->combines)
            c = cells_play(&p, room - v - in->search_floor);
        if (in->searches)
            s = search_play(&p, room - v - c);
        spent += v + c + s;
        double used = confirm_play(&p, trials - spent, z, &pass);
        out->gain += scale * pass * p.best.truth;
        out->found += scale * p.best.truth;
        out->passes += scale * pass;
        out->validation += scale * (v + fmin(in->base_due, trials));
        out->combination += scale * c;
        out->search += scale * s;
        out->confirmation += scale * used;
    }
}

double
outlook_validate(const struct outlook_in *in, double trials, uint32_t draws,
    uint64_t seed, struct outlook *best)
{
    double at = 0, most = 0;
    for (uint32_t i = 0; i < in->n_ideas; i++)
        most += in->idea[i].open ? REPEATS_MAX * in->idea[i].cost : 0;
    outlook_run(in, trials, 0, draws, seed, best);
    for (double n = 1; in->validates && n < 2 * fmin(most, trials);
         n = ceil(1.5 * n)) {
        struct outlook o;
        outlook_run(in, trials, n, draws, seed, &o);
        if (o.gain > best->gain) {
            *best = o;
            at = n;
        }
        if (o.validation < n - 1) /* nothing left that is worth a run */
            break;
    }
    return at;
}
