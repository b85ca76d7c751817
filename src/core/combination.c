/* Combination: which ideas work together. Called while the phase is active.
 * A designed experiment (full 2^k, or a resolution-IV fraction) over the ideas
 * that held; every main effect is estimated from all cells (hidden
 * replication). Fitted in 0/1 coding on gains over the baseline,
 *   gain = sum theta_i x_i + sum gamma_ij x_i x_j,
 * theta_i from the idea's own prior, gamma_ij ~ N(E[ij] - m_i - m_j, lambda^2)
 * with E[ij] from the law of math/combine.h, learnt on recorded squares; for
 * the verdict on a pair the prior mean is 0, so that a conflict is shown by
 * data alone (Hamada & Wu 1992 on such models).
 * Invariant: changes that exclude each other never meet in a cell. */
#include "core/parts.h"

#include "math/acquire.h"
#include "math/combine.h"
#include "math/design.h"
#include "math/dist.h"
#include "math/linfit.h"
#include "math/outlook.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COMBO_MAX = 8, CELL_REPEATS_MAX = 6, ROWS_MAX = 64 };
static const double KG_FLOOR = .02; /* of min_gain */
/* A verdict on a pair rests on data: its prior is this much wider than the
 * prediction's, so that it hardly shrinks the interval. */
static const double VERDICT_WIDE = 4;

struct combo { /* the ideas under combination, by hypothesis index */
    int k;
    uint32_t h[COMBO_MAX];
};

static void
combo_of(uint64_t mask, struct combo *out)
{
    out->k = 0;
    for (uint32_t i = 0; i < HYPOTHESES_MAX && out->k < COMBO_MAX; i++)
        if (mask >> i & 1)
            out->h[out->k++] = i;
}

/* Configuration of several changes together; false: they exclude each other
 * (same knob, or one switches the other's knob off, or their patches clash). */
static bool
cell_config(const struct core *c, uint64_t mask, struct config *out)
{
    uint64_t set = 0;
    config_default(&c->spec, out);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        uint32_t patch = h->patch != 0 ? UINT32_C(1) << (h->patch - 1) : 0;
        if ((mask >> i & 1) == 0)
            continue;
        if ((out->patches & patch) != 0)
            return false;
        out->patches |= patch;
        for (uint32_t o = 0; o < h->n_over; o++) {
            if (set >> h->over[o].knob & 1)
                return false;
            set |= UINT64_C(1) << h->over[o].knob;
            out->v[h->over[o].knob] = h->over[o].value;
        }
    }
    struct config canon = *out;
    config_canon(&c->spec, &canon);
    bool kept = config_equal(&c->spec, &canon, out);
    return kept && patches_agree(c, out->patches) &&
           config_is_valid(&c->spec, out);
}

/* ---- choosing the ideas ---- */

static double
idea_worth(const struct core *c, const struct analysis *a, uint32_t i)
{
    const struct hypothesis *h = &c->hypothesis[i];
    struct effect x;
    if (h->dropped || h->needs_hook || h->experiment == 0 ||
        a->arm[h->experiment].q <= 0)
        return -1;
    if (h->verdict == VERDICT_REJECT || h->verdict == VERDICT_UNSTABLE)
        return -1;
    analysis_posterior(c, a, h->experiment, &x);
    bool likely = x.mean > 0 && x.mean / x.sd > .6745; /* P(gain>0) > .75 */
    if (h->verdict != VERDICT_PROMOTE && !likely)
        return -1;
    return analysis_guard_violated(c, h->experiment) ? -1 : x.mean;
}

static uint32_t
cells_of(int k)
{
    return k <= 4 ? (1u << k) - 1u - (uint32_t)k : 16u - 1u;
}

/* The ideas that go with `first`, best first, and what all together are worth:
 * of gains that were found alone little is added by the smaller ones. */
static uint64_t
set_grow(const struct core *c, const double *worth, uint32_t first,
    uint32_t room, double *value)
{
    uint64_t mask = UINT64_C(1) << first, seen = mask;
    double sum = pow(worth[first], OUTLOOK_OVERLAP_P);
    int k = 1;
    while (k < COMBO_MAX && cells_of(k + 1) <= room) {
        int best = -1;
        struct config x;
        for (uint32_t i = 0; i < c->n_hypotheses; i++)
            if (worth[i] > 0 && (seen >> i & 1) == 0 &&
                (best < 0 || worth[i] > worth[best]))
                best = (int)i;
        if (best < 0)
            break;
        seen |= UINT64_C(1) << best;
        if (!cell_config(c, mask | UINT64_C(1) << best, &x))
            continue;
        mask |= UINT64_C(1) << best;
        sum += pow(worth[best], OUTLOOK_OVERLAP_P);
        k++;
    }
    *value = k >= 2 ? sum : 0;
    return mask;
}

/* The best idea may exclude all others (a whole configuration does): then those
 * that can be crossed are worth more together. */
uint64_t
combination_choose(const struct core *c, const struct analysis *a)
{
    uint64_t mask = 0;
    double worth[HYPOTHESES_MAX], best = 0, value;
    uint32_t room = budget_phase_trials(c, PHASE_COMBINATION);
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        worth[i] = idea_worth(c, a, i);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        if (worth[i] <= 0)
            continue;
        uint64_t set = set_grow(c, worth, i, room, &value);
        if (value > best) {
            best = value;
            mask = set;
        }
    }
    return mask;
}

/* ---- the fit ---- */

struct cells_fit {
    struct combo combo;
    int p;         /* 1 (shared baseline error) + k + k (k - 1) / 2 */
    double lambda; /* sd of interactions: the size of the main effects */
    struct linfit fit;
};

static void
row_of(const struct combo *s, uint64_t mask, double *x)
{
    int at = 0;
    x[at++] = 1;
    for (int i = 0; i < s->k; i++)
        x[at++] = (double)(mask >> s->h[i] & 1);
    for (int i = 0; i < s->k; i++)
        for (int j = i + 1; j < s->k; j++)
            x[at++] = (double)((mask >> s->h[i] & 1) & (mask >> s->h[j] & 1));
}

static void
fit_priors(const struct core *c, const struct analysis *a, struct cells_fit *f,
    const struct combine_law *law, double *m0, double *t2)
{
    double m[COMBO_MAX];
    double size = c->spec.metric[c->spec.primary].min_gain, sum2 = 0;
    int at = 0;
    m0[at] = 0;
    t2[at++] = a->s2 / fmax(1, a->arm[0].n);
    for (int i = 0; i < f->combo.k; i++) {
        const struct hypothesis *h = &c->hypothesis[f->combo.h[i]];
        struct effect x;
        analysis_posterior(c, a, h->experiment, &x);
        m[i] = x.mean;
        sum2 += x.mean * x.mean;
        const struct experiment *alone = &c->experiment[h->experiment];
        m0[at] = alone->prior_mean;
        t2[at++] = alone->prior_sd * alone->prior_sd;
    }
    f->lambda = fmax(size, sqrt(sum2 / f->combo.k));
    double wide = law == NULL ? VERDICT_WIDE : 1;
    for (int i = 0; i < f->combo.k; i++)
        for (int j = i + 1; j < f->combo.k; j++) {
            /* posterior means: their noise is taken off already */
            m0[at] = law == NULL
                         ? 0
                         : combine_expect(law, m[i], m[j], 0) - m[i] - m[j];
            t2[at++] = wide * wide * f->lambda * f->lambda;
        }
}

/* Three changes and more differ from what their pairs say, by about the size
 * of an interaction for each change beyond two: that part is a cell's own. */
static double
higher_var(const struct cells_fit *f, const double *row)
{
    double n = 0;
    for (int i = 1; i <= f->combo.k; i++)
        n += row[i];
    return fmax(0, n - 2) * f->lambda * f->lambda;
}

/* law NULL: no interaction is expected. Fits all measured cells whose ideas lie
 * inside the combined set. A plain error of the shared baseline moves all gains
 * together: the first column. */
static bool
cells_fit(const struct core *c, const struct analysis *a,
    const struct combine_law *law, struct cells_fit *f)
{
    double x[ROWS_MAX * LINFIT_P_MAX], y[ROWS_MAX], v[ROWS_MAX];
    double m0[LINFIT_P_MAX], t2[LINFIT_P_MAX];
    combo_of(c->combo_mask, &f->combo);
    f->p = 1 + f->combo.k + f->combo.k * (f->combo.k - 1) / 2;
    fit_priors(c, a, f, law, m0, t2);
    int n = 0;
    double base_q = a->arm[0].n > 0 ? 1.0 / a->arm[0].n : 0;
    for (uint32_t e = 1; e < c->n_experiments && n < ROWS_MAX; e++) {
        const struct experiment *ex = &c->experiment[e];
        if (a->arm[e].q <= 0 || ex->mask == 0 ||
            (ex->mask & ~c->combo_mask) != 0)
            continue;
        row_of(&f->combo, ex->mask, &x[n * f->p]);
        y[n] = a->arm[e].d;
        v[n] = a->s2 * fmax(a->arm[e].q - base_q, .5 / a->arm[e].n);
        v[n] += higher_var(f, &x[n * f->p]);
        n++;
    }
    struct linfit_in in = {n, f->p, x, y, v, m0, t2};
    return linfit_fit(&f->fit, &in, NULL) == 0;
}

/* ---- planning ---- */

static bool
cell_plan(const struct core *c, const struct analysis *a, struct update *u,
    uint64_t mask, const struct config *config)
{
    struct cells_fit f;
    struct experiment x = {
        .kind = EXPERIMENT_CELL, .mask = mask, .config = *config};
    double row[LINFIT_P_MAX];
    if (!cells_fit(c, a, &combine_learnt, &f))
        return false;
    row_of(&f.combo, mask, row);
    row[0] = 0; /* the truth of the cell, without the baseline's error */
    linfit_predict(&f.fit, row, &x.prior_mean, &x.prior_sd);
    char why[WHY_LEN];
    size_t at = 0;
    why[0] = '\0';
    for (int i = 0; i < f.combo.k; i++)
        if (mask >> f.combo.h[i] & 1) {
            int w = snprintf(why + at, sizeof why - at, "%sH%u",
                at ? " + " : "cell ", f.combo.h[i] + 1);
            at += w > 0 ? (size_t)w : 0;
        }
    snprintf(why + at, sizeof why - at, ": predicted %+.3g +- %.2g",
        x.prior_mean, x.prior_sd);
    return trial_plan_new(c, u, &x, 0, PHASE_COMBINATION, x.prior_mean, why);
}

/* The next cell of the design that has no run yet. */
static bool
design_plan(const struct core *c, const struct analysis *a, struct update *u,
    bool *covered)
{
    struct combo s;
    struct design d;
    combo_of(c->combo_mask, &s);
    *covered = true;
    if (s.k < 2)
        return false;
    design_choose(&d, s.k);
    for (int r = 0; r < d.n; r++) {
        uint64_t mask = 0;
        struct config x;
        for (int i = 0; i < s.k; i++)
            if (d.row[r] >> i & 1)
                mask |= UINT64_C(1) << s.h[i];
        bool single = (mask & (mask - 1)) == 0;
        if (single || !cell_config(c, mask, &x))
            continue;
        int known = experiment_find(c, &x);
        if (known >= 0 && (a->arm[known].n + a->arm[known].flying > 0 ||
                              a->arm[known].failed + a->arm[known].changed > 1))
            continue;
        *covered = false;
        return budget_phase_open(c, PHASE_COMBINATION) &&
               cell_plan(c, a, u, mask, &x);
    }
    return false;
}

static bool
replicate_plan(const struct core *c, const struct analysis *a, struct update *u)
{
    double first = 0, second = 0, best_kg = 0;
    uint32_t leader = 0, best = 0;
    struct effect x;
    for (uint32_t e = 1; e < c->n_experiments; e++) {
        if (a->arm[e].q <= 0)
            continue;
        analysis_posterior(c, a, e, &x);
        if (x.mean > first) {
            second = first;
            first = x.mean;
            leader = e;
        } else if (x.mean > second) {
            second = x.mean;
        }
    }
    for (uint32_t e = 1; e < c->n_experiments; e++) {
        const struct arm *arm = &a->arm[e];
        bool cell = (c->experiment[e].mask & ~c->combo_mask) == 0;
        if (!cell || arm->q <= 0 || arm->n + arm->flying >= CELL_REPEATS_MAX)
            continue;
        analysis_posterior(c, a, e, &x);
        double t2 = x.sd * x.sd;
        for (uint32_t f = 0; f < arm->flying; f++)
            t2 = t2 * a->s2 / (t2 + a->s2);
        double kg =
            knowledge_gradient(x.mean, t2, a->s2, e == leader ? second : first);
        if (kg > best_kg && !analysis_guard_violated(c, e)) {
            best_kg = kg;
            best = e;
        }
    }
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    if (best == 0 || best_kg < KG_FLOOR * min_gain ||
        !budget_phase_open(c, PHASE_COMBINATION))
        return false;
    char why[WHY_LEN];
    snprintf(why, sizeof why,
        "E%u again: knowledge gradient %.3g on which combination is best", best,
        best_kg);
    return trial_plan(c, u, best, PHASE_COMBINATION, best_kg, why);
}

/* ---- verdicts ---- */

static bool
pair_judge(const struct core *c, const struct analysis *a, struct update *u)
{
    struct cells_fit f;
    combo_of(c->combo_mask, &f.combo);
    uint32_t pairs = (uint32_t)(f.combo.k * (f.combo.k - 1) / 2);
    if (c->n_pairs >= pairs || !cells_fit(c, a, NULL, &f))
        return false;
    int at = 1 + f.combo.k, i = 0, j = 1;
    for (uint32_t skip = c->n_pairs; skip > 0; skip--, at++)
        if (++j == f.combo.k)
            j = ++i + 1;
    double mean = f.fit.mean[at];
    double half =
        student_quantile(.975, a->df) * sqrt(f.fit.cov[at * f.p + at]);
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    enum pair_verdict v = mean - half > 0                    ? PAIR_SYNERGY
                          : mean + half < 0                  ? PAIR_CONFLICT
                          : fabs(mean) + half < 2 * min_gain ? PAIR_ADDITIVE
                                                             : PAIR_UNCLEAR;
    decide(u, EVENT_pair_judged,
        "H%u and H%u: %s, interaction %+.3g "
        "[%+.3g, %+.3g]",
        f.combo.h[i] + 1, f.combo.h[j] + 1, pair_name(v), mean, mean - half,
        mean + half);
    u->next.experiment = f.combo.h[i] + 1;
    u->next.experiment_b = f.combo.h[j] + 1;
    u->next.verdict = v;
    u->next.mean = mean;
    u->next.lo = mean - half;
    u->next.hi = mean + half;
    return true;
}

bool
combination_decide(
    const struct core *c, const struct analysis *a, struct update *u)
{
    bool covered = false;
    if (baseline_decide(c, a, u))
        return true;
    if (design_plan(c, a, u, &covered))
        return true;
    if (covered && replicate_plan(c, a, u))
        return true;
    if (phase_busy(c, PHASE_COMBINATION))
        return false;
    if (pair_judge(c, a, u))
        return true;
    decide(u, EVENT_phase_closed, "%s",
        covered ? "every cell was measured"
                : "this phase's share of the budget is used");
    u->next.phase = PHASE_COMBINATION;
    u->next.state = PHASE_DONE;
    return true;
}
