/* What a training of a configuration will cost by the common resources, learnt
 * from the campaign's own trainings. Called wherever value is divided by cost
 * and wherever money is kept for runs to come. The log of the cost is a
 * Gaussian process around the baseline's: a choice of backbone or a knob far
 * away may change it tenfold, repeats agree within a few percent. Known laws of
 * size (epochs count fully, widths by a root) are its mean; an idea's own
 * factor is believed of it until something like it was measured. Fixed scales:
 * costs are seen almost without noise, and a wrong guess is mended by one run.
 * Source: Snoek, Larochelle & Adams 2012 (expected improvement per second). */
#include "core/parts.h"

#include "math/chol.h"

#include <math.h>
#include <string.h>

static const double NOISE = .1; /* sd of the log cost of repeats */
static const double SIZE = 1.0; /* sd of the log cost between configurations */
/* Likeness of two values of a choice (another backbone is another program, much
 * the same one where both bring the same knobs in) and of two numbers one range
 * apart. */
static const double OTHER_MODEL = .1, SAME_KIND = .7, OTHER_CHOICE = .75;
static const double FAR = .6;

/* Of the variance of an unseen kind's log cost what is left where the source of
 * the idea says by what factor it differs. */
static const double SAID = .25;

/* Times the expected cost that a training gets along with, where less is left
 * than the worst case, which may be a large part of the budget: of its kind one
 * was measured, or none. */
static const double SAFE_SEEN = 2, SAFE_UNSEEN = 3;

/* Of the weight of a cost; share of the budget from which a run is large. */
static const double POWER = .75, LARGE_SHARE = .125;

/* Power of the cost in a knob's size: training time of published trainers. */
static double
size_power(uint32_t concept)
{
    switch (concept) {
    case CONCEPT_EPOCHS:
    case CONCEPT_TREES:
        return 1;
    case CONCEPT_HIDDEN_UNITS:
    case CONCEPT_TREE_DEPTH:
    case CONCEPT_EMBEDDING_DIM:
    case CONCEPT_LAYERS:
        return .5;
    case CONCEPT_CROSS_LAYERS:
    case CONCEPT_ATTENTION_HEADS:
        return .3;
    case CONCEPT_BATCH_SIZE:
        return -.2;
    default:
        return 0;
    }
}

static double
law(const struct core *c, const struct config *x)
{
    const struct spec *s = &c->spec;
    const struct config *base = &c->experiment[0].config;
    double sum = 0;
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        const struct knob *knob = &s->knob[k];
        bool number = knob->kind == KNOB_FLOAT || knob->kind == KNOB_INT;
        double power = number ? size_power(knob->concept) : 0;
        if (power != 0 && x->v[k] > 0 && base->v[k] > 0)
            sum += power * log(x->v[k] / base->v[k]);
    }
    return sum;
}

/* Two backbones, by the knobs that the baseline's does not have. */
static double
models_alike(
    const struct core *c, const struct config *a, const struct config *b)
{
    const struct spec *s = &c->spec;
    double both = 0, any = 0;
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        if (knob_is_active(s, &c->experiment[0].config, k))
            continue;
        bool in_a = knob_is_active(s, a, k), in_b = knob_is_active(s, b, k);
        both += in_a && in_b;
        any += in_a || in_b;
    }
    return any > 0 ? OTHER_MODEL + (SAME_KIND - OTHER_MODEL) * both / any
                   : OTHER_MODEL;
}

static double
likeness(const struct core *c, const struct config *a, const struct config *b)
{
    const struct spec *s = &c->spec;
    double like = 1;
    for (uint32_t p = a->patches ^ b->patches; p != 0; p &= p - 1)
        like *= OTHER_CHOICE;
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        const struct knob *knob = &s->knob[k];
        if (a->v[k] == b->v[k])
            continue;
        if (knob->kind == KNOB_FLOAT || knob->kind == KNOB_INT)
            like *= pow(FAR, fabs(knob_to_unit(knob, a->v[k]) -
                                  knob_to_unit(knob, b->v[k])));
        else
        like *= knob->concept == CONCEPT_MODEL ? models_alike(c, a, b)
                                               : OTHER_CHOICE;
    }
    return like;
}

/* Mean log cost of each experiment's trainings that ended well, beyond the law;
 * NaN: none. */
static void
rests_take(const struct core *c, struct cost_model *m, double *y, double *v)
{
    double sum[EXPERIMENTS_MAX];
    uint32_t runs[EXPERIMENTS_MAX];
    memset(sum, 0, c->n_experiments * sizeof sum[0]);
    memset(runs, 0, c->n_experiments * sizeof runs[0]);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->state != TRIAL_OK || t->labels != 0 || t->cost_u <= 0)
            continue;
        sum[t->experiment] += (double)t->cost_u / budget_rate(c, t->phase);
        runs[t->experiment]++;
    }
    m->base_u = runs[0] > 0 ? sum[0] / runs[0] : (double)budget_trial_u(c);
    m->base_seen = runs[0] > 0;
    for (uint32_t e = 0; e < c->n_experiments; e++) {
        y[e] = NAN;
        if (runs[e] == 0)
            continue;
        y[e] = log(sum[e] / runs[e] / m->base_u) -
               law(c, &c->experiment[e].config);
        v[e] = NOISE * NOISE / runs[e];
    }
}

/* The latest experiments, and of the others those that surprised most: a kind
 * of which one run was seen must not be forgotten. */
static void
points_take(const struct core *c, struct cost_model *m)
{
    double y[EXPERIMENTS_MAX], v[EXPERIMENTS_MAX];
    rests_take(c, m, y, v);
    m->n = 0;
    uint32_t e = c->n_experiments;
    while (m->n < COST_POINTS_MAX) {
        uint32_t best = c->n_experiments;
        if (m->n < COST_POINTS_MAX / 2) {
            while (e > 0 && isnan(y[e - 1]))
                e--;
            best = e > 0 ? --e : best;
        }
        for (uint32_t i = 0; i < e && best == c->n_experiments; i++)
            if (!isnan(y[i]))
                best = i;
        if (best == c->n_experiments)
            return;
        for (uint32_t i = best; m->n >= COST_POINTS_MAX / 2 && i < e; i++)
            if (fabs(y[i]) > fabs(y[best]))
                best = i;
        m->who[m->n] = best;
        m->y[m->n] = y[best];
        m->v[m->n++] = v[best];
        y[best] = NAN;
    }
}

void
cost_model_fit(const struct core *c, struct cost_model *m)
{
    points_take(c, m);
    int n = (int)m->n;
    if (c->spec.unit == UNIT_TRIALS || n < 2) {
        m->n = 0;
        return;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            m->l[i * n + j] = SIZE * SIZE *
                                  likeness(c, &c->experiment[m->who[i]].config,
                                      &c->experiment[m->who[j]].config) +
                              (i == j ? m->v[i] : 0);
    if (chol_factor(m->l, n, n) != 0) {
        m->n = 0;
        return;
    }
    memcpy(m->w, m->y, m->n * sizeof m->w[0]);
    chol_solve(m->l, n, n, m->w);
}

double
cost_of(const struct core *c, const struct cost_model *m,
    const struct config *x, double factor)
{
    if (c->spec.unit == UNIT_TRIALS)
        return (double)MICRO;
    double mean = law(c, x), near = 0, y = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        double like = likeness(c, x, &c->experiment[m->who[i]].config);
        y += SIZE * SIZE * like * m->w[i];
        near = fmax(near, like);
    }
    /* the idea's own factor says what the likeness does not tell */
    if (factor > 0)
        mean += (1 - near) * (log(factor) - mean);
    /* the mean of a log-normal: what is unknown may be dear */
    double var = m->n > 0 ? SIZE * SIZE * (1 - near * near) : 0;
    if (factor > 0 && factor != 1)
        var *= SAID;
    return m->base_u * exp(mean + y + var / 2);
}

int64_t
cost_least_u(const struct core *c, const struct cost_model *m,
    const struct config *x, double factor, uint32_t phase)
{
    int64_t worst = budget_worst_u(c, phase, JOB_TRAIN);
    bool seen =
        m->base_seen && config_equal(&c->spec, x, &c->experiment[0].config);
    for (uint32_t i = 0; i < m->n && !seen; i++)
        seen = config_equal(&c->spec, x, &c->experiment[m->who[i]].config);
    double safe = seen ? SAFE_SEEN : SAFE_UNSEEN;
    double least = safe * cost_of(c, m, x, factor) * budget_rate(c, phase);
    return least < (double)worst ? (int64_t)least : worst;
}

void
purse_open(const struct core *c, uint32_t phase, struct purse *p)
{
    p->phase = phase;
    p->room_u = budget_room_u(c, phase == PHASE_CONFIRMATION);
    p->tight = p->room_u < budget_worst_u(c, phase, JOB_TRAIN);
    cost_model_fit(c, &p->cost);
}

bool
purse_holds(const struct core *c, const struct purse *p, const struct config *x,
    double factor)
{
    return !p->tight ||
           cost_least_u(c, &p->cost, x, factor, p->phase) <= p->room_u;
}

/* Less than in proportion: the best of the cheap ones is soon found. More than
 * that where one run takes a good part of all money: it crowds out the rest. */
double
cost_weight(const struct core *c, const struct cost_model *m,
    const struct config *x, double factor)
{
    double cost = cost_of(c, m, x, factor);
    double share = cost / fmax(1, (double)budget_total_u(c)) / LARGE_SHARE;
    return pow(cost / m->base_u, POWER) * (1 + share * share);
}
