/* The ledger: what is approved, reserved and spent, in whole micro-units.
 * Called by job events and by every phase before it plans.
 * Invariant: spent + reserved never exceeds approved (asserted in step). */
#include "core/parts.h"

#include "base/err.h"
#include "math/stat.h"

#include <assert.h>
#include <math.h>

/* Cumulative soft limits of the phases as shares of what search may use. The
 * rest after Validation and Combination belongs to Exploitation. */
static const double phase_limit[PHASE_COUNT] = {
    [PHASE_VALIDATION] = .85,
    [PHASE_COMBINATION] = .90,
    [PHASE_EXPLOITATION] = 1.0,
    [PHASE_CONFIRMATION] = 1.0,
};
/* Confirmation keeps what shows the best known gain with this power, at least
 * so many seeds an arm, at most this share of the budget. */
static const double CONFIRM_POWER = .95, CONFIRM_MOST = .30;
enum { CONFIRM_SEEDS = 3 };
static const double VALIDATION_FLOOR = .15;
enum { OUTLOOK_DRAWS = 64 };
/* The last evaluations get along with this many times the expected cost of a
 * training instead of the worst case. */
enum { SAFE = 3 };
/* Search ends when this much of the wall clock is gone, so that confirmation
 * still has its time. */
static const double TIME_SEARCH = .80;

double
budget_rate(const struct core *c, uint32_t phase)
{
    return c->spec.by_phase && phase != PHASE_NONE
               ? c->spec.phase_cost[phase].rate
               : 1;
}

int64_t
budget_worst_u(const struct core *c, uint32_t phase, uint32_t kind)
{
    const struct spec *s = &c->spec;
    if (s->by_phase && phase != PHASE_NONE)
        return kind == JOB_EVALUATE ? s->phase_cost[phase].eval_u
                                    : s->phase_cost[phase].train_u;
    return kind == JOB_EVALUATE ? s->reserve_eval_u : s->reserve_train_u;
}

/* Mean cost that an experiment's trainings would have in confirmation, of any
 * training where it has none. */
static double
experiment_cost_u(const struct core *c, uint32_t experiment)
{
    double sum = 0, n = 0;
    for (uint32_t i = 0; i < c->n_trials; i++)
        if (c->trial[i].state == TRIAL_OK &&
            c->trial[i].experiment == experiment) {
            sum +=
                (double)c->trial[i].cost_u / budget_rate(c, c->trial[i].phase);
            n++;
        }
    return sum > 0 ? sum / n * budget_rate(c, PHASE_CONFIRMATION)
                   : (double)budget_phase_trial_u(c, PHASE_CONFIRMATION);
}

/* The best shrunken gain that is known, not below the least worth shipping;
 * and whose it is, 0: nobody's. */
static double
gain_to_show(const struct core *c, const struct analysis *a, uint32_t *who)
{
    *who = 0;
    double best = c->spec.metric[c->spec.primary].min_gain;
    for (uint32_t e = 1; e < c->n_experiments; e++) {
        const struct experiment *x = &c->experiment[e];
        if (a->arm[e].q <= 0)
            continue;
        double sd = x->prior_sd > 0 ? x->prior_sd : best;
        struct gauss g = posterior_normal(
            x->prior_mean, sd, a->arm[e].d, a->s2 * a->arm[e].q);
        if (g.mean > best) {
            best = g.mean;
            *who = e;
        }
    }
    return best;
}

int64_t
budget_total_u(const struct core *c)
{
    if (c->signed_u == 0 || c->granted_all)
        return c->approved_u;
    int64_t most = c->horizon_u < c->signed_u ? c->horizon_u : c->signed_u;
    return most > c->approved_u ? most : c->approved_u;
}

/* What an evaluation is expected to cost, while none was measured: no more than
 * the training whose checkpoint it scores. */
static int64_t
evaluation_u(const struct core *c)
{
    if (!c->spec.has_evaluate || c->spec.unit == UNIT_TRIALS)
        return 0;
    int64_t fair = budget_phase_trial_u(c, PHASE_CONFIRMATION);
    int64_t worst = budget_worst_u(c, PHASE_CONFIRMATION, JOB_EVALUATE);
    return fair < worst ? fair : worst;
}

/* Beyond what they are expected to cost: what the last jobs must reserve before
 * they may start. Without it the last fresh seeds would be refused, and the
 * seal never opened. */
static int64_t
last_jobs_u(const struct core *c, uint32_t who)
{
    struct cost_model m;
    uint32_t last = PHASE_CONFIRMATION;
    if (c->spec.unit == UNIT_TRIALS)
        return 0;
    cost_model_fit(c, &m);
    int64_t base = cost_least_u(c, &m, &c->experiment[0].config, 0, last);
    int64_t best = cost_least_u(c, &m, &c->experiment[who].config, 0, last);
    return (base > best ? base : best) +
           (c->spec.has_evaluate ? budget_least_u(c, last, JOB_EVALUATE) : 0);
}

int64_t
budget_confirm_u(const struct core *c)
{
    struct arm arm[c->n_experiments + 1];
    struct analysis a = {.arm = arm};
    if ((c->spec.phases & (1u << PHASE_CONFIRMATION)) == 0)
        return 0;
    double approved = (double)budget_total_u(c);
    analysis_collect(c, &a);
    uint32_t who;
    double gain = gain_to_show(c, &a, &who);
    uint32_t n = outlook_seeds(gain, a.s2, CONFIRM_POWER, OUTLOOK_SEEDS_MAX);
    /* while nothing is better it may still be something like the baseline:
     * dear runs that lost say nothing of what it will cost */
    double each = experiment_cost_u(c, 0) + experiment_cost_u(c, who) +
                  2 * (double)evaluation_u(c);
    double need = fmax(n, CONFIRM_SEEDS) * each;
    double least = CONFIRM_SEEDS * each;
    double most = fmax(least, CONFIRM_MOST * approved);
    need = fmin(need, most) + (double)last_jobs_u(c, who);
    return (int64_t)fmin(need, approved / 2);
}

int64_t
budget_granted_room_u(const struct core *c, bool confirming)
{
    int64_t room = c->approved_u - c->spent_u - c->reserved_u;
    return confirming ? room : room - budget_confirm_u(c);
}

int64_t
budget_room_u(const struct core *c, bool confirming)
{
    return budget_granted_room_u(c, confirming) + budget_total_u(c) -
           c->approved_u;
}

bool
budget_lacks(const struct core *c, int64_t *least_u)
{
    if (c->signed_u == 0 || c->granted_all || c->state != CAMPAIGN_RUNNING ||
        c->n_jobs >= c->spec.max_parallel)
        return false;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        bool open = t->state == TRIAL_QUEUED || t->state == TRIAL_RUNNING;
        if (!open || t->job != 0)
            continue;
        int64_t room = budget_granted_room_u(c, t->phase == PHASE_CONFIRMATION);
        int64_t need = job_next_u(c, t);
        if (least_u != NULL)
            *least_u = need - room;
        return room < need; /* the first one is the next job */
    }
    return false;
}

/* Geometric mean of what trainings cost by the common resources, of one phase
 * or of all (PHASE_NONE): costs differ by factors, and one dear kind that was
 * tried says little of what the next one will cost. 0: none was measured. */
static double
typical_u(const struct core *c, uint32_t phase)
{
    double sum = 0, n = 0;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->state != TRIAL_OK || t->cost_u <= 0 ||
            (phase != PHASE_NONE && t->phase != phase))
            continue;
        sum += log((double)t->cost_u / budget_rate(c, t->phase));
        n++;
    }
    return n > 0 ? exp(sum / n) : 0;
}

int64_t
budget_trial_u(const struct core *c)
{
    return budget_phase_trial_u(c, PHASE_NONE);
}

/* What its own trainings cost, else what others would have cost there. */
int64_t
budget_phase_trial_u(const struct core *c, uint32_t phase)
{
    double u = 0;
    if (c->spec.unit == UNIT_TRIALS)
        return MICRO;
    if (c->spec.by_phase && phase != PHASE_NONE)
        u = typical_u(c, phase);
    if (u <= 0)
        u = typical_u(c, PHASE_NONE);
    if (u <= 0)
        u = (double)c->cost_hint_u;
    u *= budget_rate(c, phase);
    if (u <= 0)
        u = (double)budget_worst_u(c, phase, JOB_TRAIN);
    return u > 1 ? (int64_t)u : 1;
}

int64_t
budget_least_u(const struct core *c, uint32_t phase, uint32_t kind)
{
    struct cost_model m;
    if (kind == JOB_EVALUATE) {
        int64_t worst = budget_worst_u(c, phase, kind);
        int64_t fair = SAFE * budget_phase_trial_u(c, phase);
        return fair < worst ? fair : worst;
    }
    cost_model_fit(c, &m);
    return cost_least_u(c, &m, &c->experiment[0].config, 0, phase);
}

double
budget_time_used(const struct core *c)
{
    if (c->spec.wall_clock_ms <= 0 || !c->started)
        return 0;
    return (double)(c->now_ms - c->started_ms) / (double)c->spec.wall_clock_ms;
}

static int64_t
phase_room_u(const struct core *c, uint32_t phase)
{
    if (phase == PHASE_CONFIRMATION)
        return budget_room_u(c, true);
    double search = (double)(budget_total_u(c) - budget_confirm_u(c));
    /* a later phase that is not in the plan leaves its share here */
    double limit = phase_limit[phase];
    if (phase == PHASE_VALIDATION &&
        (c->spec.phases & (1u << PHASE_COMBINATION)) == 0)
        limit = phase_limit[PHASE_COMBINATION];
    if ((c->spec.phases & (1u << PHASE_EXPLOITATION)) == 0)
        limit += 1 - phase_limit[PHASE_COMBINATION];
    int64_t used = c->reserved_u;
    for (uint32_t p = PHASE_NONE; p < PHASE_CONFIRMATION; p++)
        used += c->phase_spent_u[p];
    /* reservations are worst cases; a soft limit goes by expected cost */
    int64_t flying = (int64_t)c->n_jobs * budget_phase_trial_u(c, phase);
    if (flying < c->reserved_u)
        used += flying - c->reserved_u;
    return (int64_t)(limit * search) - used;
}

bool
budget_phase_open(const struct core *c, uint32_t phase)
{
    bool confirming = phase == PHASE_CONFIRMATION;
    /* the engine's own limits end a search as money does */
    uint32_t keep = confirming ? 0 : JOBS_MAX;
    if (c->n_trials + keep >= TRIALS_MAX ||
        c->n_experiments + keep >= EXPERIMENTS_MAX + (confirming ? 1 : 0))
        return false;
    if (budget_time_used(c) > (confirming ? 1 : TIME_SEARCH))
        return false;
    if (budget_room_u(c, confirming) < budget_least_u(c, phase, JOB_TRAIN))
        return false;
    return confirming ||
           phase_room_u(c, phase) >= budget_phase_trial_u(c, phase);
}

bool
budget_validation_pays(const struct core *c, const struct analysis *a)
{
    struct outlook_idea ideas[HYPOTHESES_MAX];
    struct outlook_in in;
    struct outlook best;
    double each = (double)budget_trial_u(c);
    double search = (double)(budget_total_u(c) - budget_confirm_u(c));
    double used = (double)(c->phase_spent_u[PHASE_VALIDATION] + c->reserved_u);
    if (used < VALIDATION_FLOOR * search)
        return true;
    forecast_fill(c, a, ideas, &in);
    double left =
        (double)(budget_total_u(c) - c->spent_u - c->reserved_u) / each;
    return outlook_validate(&in, left, OUTLOOK_DRAWS, 1, &best) > 0;
}

uint32_t
budget_phase_trials(const struct core *c, uint32_t phase)
{
    int64_t room = phase_room_u(c, phase);
    int64_t hard = budget_room_u(c, phase == PHASE_CONFIRMATION);
    room = room < hard ? room : hard;
    if (room <= 0)
        return 0;
    int64_t n = room / budget_phase_trial_u(c, phase);
    return n < TRIALS_MAX ? (uint32_t)n : TRIALS_MAX;
}

void
budget_reserve(struct core *c, int64_t reserve_u)
{
    c->reserved_u += reserve_u;
    assert(c->spent_u + c->reserved_u <= c->approved_u);
}

void
budget_settle(struct core *c, uint32_t phase, int64_t reserve_u, int64_t cost_u)
{
    /* a job is killed at its reservation and charged at most that */
    int64_t charge = cost_u < 0 ? 0 : cost_u;
    if (charge > reserve_u)
        charge = reserve_u;
    c->reserved_u -= reserve_u;
    c->spent_u += charge;
    c->phase_spent_u[phase] += charge;
}

int
budget_lowered_apply(struct core *c, const struct event *e, struct update *u)
{
    if (c->approved_u == 0)
        return refuse(u, "no budget is approved yet");
    /* of a pool, what was signed is lowered; what is granted with it */
    bool pooled = c->signed_u != 0;
    if (e->budget_u >= (pooled ? c->signed_u : c->approved_u))
        return refuse(u, "a higher budget needs a new approval");
    if (e->budget_u < c->spent_u + c->reserved_u)
        return refuse(u, "less than what is spent and reserved already");
    if (pooled)
        c->signed_u = e->budget_u;
    if (e->budget_u < c->approved_u)
        c->approved_u = e->budget_u;
    return 0;
}

int
clock_ticked_apply(struct core *c, const struct event *e, struct update *u)
{
    /* only a tick that crosses a limit changes a decision; the log stays
     * flat while nothing happens */
    double before = budget_time_used(c);
    if (c->spec.wall_clock_ms <= 0 || !c->started)
        return refuse(u, "no wall clock limit");
    double after =
        (double)(e->at_ms - c->started_ms) / (double)c->spec.wall_clock_ms;
    bool crosses = (before <= TIME_SEARCH && after > TIME_SEARCH) ||
                   (before <= 1 && after > 1);
    if (!crosses)
        return refuse(u, "no limit was crossed");
    return 0;
}
