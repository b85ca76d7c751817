/* The process behind Exploitation. A Gaussian process over all knobs is fitted
 * to the gains of the experiments: conditional knobs and sets respected, seed
 * noise as known noise, half-known runs in flight at their predicted mean.
 * Predictions of earlier campaigns are its trend, by a weight that is learnt
 * from the first result on, so that a source that lies is soon ignored. A
 * second process with the same kernel explains the logarithm of cost. Called
 * by exploitation. Invariant: a fit is a function of the state alone. */
#include "core/search.h"

#include "base/rng.h"
#include "math/dist.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LOSSES_MIN = 4, REACH_PAIRS = 64, POINTS_FEW = 80 };
/* Losses beyond this many times the best gain (from the median) are all "bad":
 * a collapsed run must not stretch the scale on which good ones differ. While
 * few are known: beyond this many seed sds below the best. */
static const double LOSS_FLOOR = 1.5, LOSS_SDS = 20;
/* Noise of a point on the scale of ranks, in normal scores. */
static const double RANK_SD_MIN = .05, RANK_SD_MAX = 1, RANK_VAR_MIN = 1e-4;
/* Gains are expected to differ by this many seed sds: worth three points. */
static const double SPREAD_SDS = 6, SPREAD_POINTS = 3;
/* Prior of the weight of earlier campaigns' predictions. */
static const double WEIGHT_MEAN = .5, WEIGHT_SD = .5;
/* Relative sd of one run's cost; costs that differ by less are all the same. */
static const double COST_SD = .1, COST_SAME = .05;

/* ---- configurations as points ---- */

static bool
knob_is_real(const struct knob *k)
{
    return k->kind == KNOB_FLOAT || k->kind == KNOB_INT || k->kind == KNOB_LIST;
}

static uint64_t
root_of(const struct spec *s)
{
    uint64_t root = 0;
    for (uint32_t k = 0; k < s->n_knobs; k++)
        for (uint32_t i = 0; i < s->knob[k].n_when; i++)
            if (s->knob[k].when[i].op <= COND_HAS)
                root |= UINT64_C(1) << s->knob[k].when[i].knob;
    return root;
}

/* Knobs that apply: a function of the root knobs, so it is remembered. */
static uint64_t
active_of(const struct spec *spec, struct search *s, const double *v)
{
    struct config x;
    uint64_t hash = 1, active = 0;
    for (uint64_t left = s->space.root; left != 0; left &= left - 1) {
        uint64_t bits;
        memcpy(&bits, &v[__builtin_ctzll(left)], sizeof bits);
        hash = rng_mix(hash, bits);
    }
    struct branch *b = &s->branch[hash % BRANCHES];
    if (b->hash == hash)
        return b->active;
    memcpy(x.v, v, sizeof x.v);
    for (uint32_t k = 0; k < spec->n_knobs; k++)
        active |= (uint64_t)knob_is_active(spec, &x, k) << k;
    *b = (struct branch){hash, active};
    return active;
}

void
search_point(const struct spec *spec, struct search *s, const double *v,
    uint32_t patches, double *x)
{
    uint64_t active = active_of(spec, s, v);
    for (uint32_t k = 0; k < spec->n_knobs; k++) {
        if ((active >> k & 1) == 0)
            x[k] = GP_INACTIVE;
        else
            x[k] = knob_is_real(&spec->knob[k])
                       ? knob_to_unit(&spec->knob[k], v[k])
                       : v[k];
    }
    for (uint32_t k = spec->n_knobs; k < (uint32_t)s->space.d; k++)
        x[k] = (double)(patches >> (k - spec->n_knobs) & 1);
}

void
search_anywhere(const struct spec *spec, struct rng *r, struct config *out)
{
    if (spec->n_candidates > 0) {
        memcpy(out->v, spec->candidate[rng_below(r, spec->n_candidates)],
            sizeof out->v);
        out->patches = 0;
        return;
    }
    out->patches = 0;
    for (uint32_t k = 0; k < spec->n_knobs; k++) {
        const struct knob *knob = &spec->knob[k];
        if ((int32_t)k == spec->fidelity_knob)
            out->v[k] = knob->deflt; /* no knob of the search */
        else if (knob->kind == KNOB_SET)
            out->v[k] = (double)rng_below(r, UINT64_C(1) << knob->n_values);
        else if (knob->kind == KNOB_CHOICE || knob->kind == KNOB_LIST)
            out->v[k] = (double)rng_below(r, knob->n_values);
        else
            out->v[k] = knob_from_unit(knob, rng_f64(r));
    }
    config_canon(spec, out);
}

/* How far apart two configurations are that have nothing to do with each
 * other: the mean over pairs from anywhere. */
static double
reach_of(const struct spec *spec, struct search *s)
{
    struct rng r;
    double sum = 0, a[KNOBS_MAX], b[KNOBS_MAX];
    rng_seed(&r, 0x7265616368);
    for (int i = 0; i < REACH_PAIRS; i++) {
        struct config p, q;
        search_anywhere(spec, &r, &p);
        search_anywhere(spec, &r, &q);
        search_point(spec, s, p.v, 0, a);
        search_point(spec, s, q.v, 0, b);
        sum += gp_gaps(&s->space, a, b) / REACH_PAIRS;
    }
    return fmax(sum, .1);
}

static void
space_fill(const struct core *c, struct search *s)
{
    const struct spec *spec = &c->spec;
    struct gp_space *out = &s->space;
    /* a patch is one more knob, on or off; those beyond the limit are not told
     * apart */
    uint32_t room = KNOBS_MAX - spec->n_knobs;
    uint32_t patches = c->n_patches < room ? c->n_patches : room;
    out->d = (int)(spec->n_knobs + patches);
    out->root = root_of(spec);
    out->weight_mean = s->trend ? WEIGHT_MEAN : 0;
    out->weight_sd = s->trend ? WEIGHT_SD : 0;
    out->spread = SPREAD_SDS * sqrt(s->s2);
    out->spread_n = SPREAD_POINTS;
    for (uint32_t k = 0; k < spec->n_knobs; k++) {
        const struct knob *knob = &spec->knob[k];
        out->kind[k] = knob_is_real(knob)       ? GP_DIM_REAL
                       : knob->kind == KNOB_SET ? GP_DIM_SET
                                                : GP_DIM_CATEGORY;
        out->bits[k] = (uint8_t)knob->n_values;
    }
    for (uint32_t k = spec->n_knobs; k < (uint32_t)out->d; k++)
        out->kind[k] = GP_DIM_CATEGORY;
    out->reach = reach_of(spec, s);
}

/* ---- the points of the fit ---- */

/* What is known of an experiment: measured at the top, or predicted from the
 * rung that its run reached. */
struct known {
    bool any, full;
    double gain, var;
};

static void
known_fill(const struct core *c, const struct analysis *a,
    const struct search *s, struct known *k)
{
    struct fidelity f;
    double base_q = a->arm[0].n > 0 ? 1.0 / a->arm[0].n : 1;
    fidelity_measure(c, &f);
    for (uint32_t e = 0; e < c->n_experiments; e++) {
        const struct arm *arm = &a->arm[e];
        k[e].any = k[e].full = e == 0 ? arm->n > 0 : arm->q > 0;
        if (!k[e].full) {
            k[e].any = fidelity_estimate(c, &f, e, &k[e].gain, &k[e].var);
            continue;
        }
        /* the baseline's own error moves all gains together: it is the
         * process's constant, not a point's noise */
        double own = e == 0 ? base_q : fmax(arm->q - base_q, .5 / arm->n);
        /* runs in flight will be known, at about the same mean */
        own *= arm->n / (double)(arm->n + arm->flying);
        k[e].gain = e == 0 ? 0 : arm->d;
        k[e].var = s->s2 * own;
    }
}

/* How many of n experiments enter: time goes with the square. */
static uint32_t
points_room(uint32_t n)
{
    if (n <= POINTS_FEW)
        return n;
    uint32_t room = POINTS_FEW + (n - POINTS_FEW) / 8;
    return room < POINTS_MAX ? room : POINTS_MAX;
}

/* Experiments that enter the fit: all, or the baseline, the latest ones and
 * the best of the rest. Writes their numbers, ascending. */
static uint32_t
points_choose(const struct core *c, const struct known *k, uint32_t *who)
{
    bool in[c->n_experiments + 1];
    uint32_t n = 0;
    for (uint32_t e = 0; e < c->n_experiments; e++) {
        in[e] = k[e].any;
        n += in[e];
    }
    uint32_t room = points_room(n);
    if (n > room) {
        memset(in, 0, sizeof in);
        in[0] = k[0].any;
        n = in[0];
        for (uint32_t e = c->n_experiments; e-- > 1 && n < room / 2;) {
            in[e] = k[e].any;
            n += in[e];
        }
    }
    while (n < room) {
        uint32_t best = 0;
        for (uint32_t e = 1; e < c->n_experiments; e++)
            if (!in[e] && k[e].any && (best == 0 || k[e].gain > k[best].gain))
                best = e;
        if (best == 0)
            break;
        in[best] = true;
        n++;
    }
    n = 0;
    for (uint32_t e = 0; e < c->n_experiments; e++)
        if (in[e])
            who[n++] = e;
    return n;
}

static double
median_of(const double *v, int n)
{
    double sorted[CANDIDATES_MAX];
    memcpy(sorted, v, (size_t)n * sizeof *v);
    for (int gap = n / 2; gap > 0; gap /= 2)
        for (int i = gap; i < n; i++)
            for (int j = i; j >= gap && sorted[j - gap] > sorted[j]; j -= gap) {
                double t = sorted[j];
                sorted[j] = sorted[j - gap];
                sorted[j - gap] = t;
            }
    return sorted[n / 2];
}

static double
most_of(const double *v, int n)
{
    double best = v[0];
    for (int i = 1; i < n; i++)
        best = fmax(best, v[i]);
    return best;
}

static double
loss_floor(const double *v, int n)
{
    double median = median_of(v, n);
    return median - LOSS_FLOOR * (most_of(v, n) - median);
}

/* Normal score of a gain among the points; half of equal ones are below. */
static double
score_of(const struct search *s, double y)
{
    double below = 0;
    for (int i = 0; i < s->n; i++)
        below += s->y[i] < y ? 1 : s->y[i] > y ? 0 : .5;
    return normal_quantile(fmin(s->n - .5, fmax(.5, below)) / s->n);
}

/* Predictions from rungs are comparable by order first: a run that has not
 * begun to learn and one that never will lie close together. So gains become
 * normal scores of their ranks (Salinas et al., arXiv 1909.13595), stretched to
 * the sd that the gains had; a point's noise is how far one sd moves it. */
static void
points_rank(struct search *s)
{
    double z[GP_CAP], mean = 0, square = 0, zero = 0;
    for (int i = 0; i < s->n; i++)
        mean += s->y[i] / s->n;
    for (int i = 0; i < s->n; i++)
        square += (s->y[i] - mean) * (s->y[i] - mean) / s->n;
    double unit = fmax(sqrt(square), sqrt(s->s2));
    for (int i = 0; i < s->n; i++)
        z[i] = score_of(s, s->y[i]);
    for (int i = 0; i < s->n; i++) {
        double sd = score_of(s, s->y[i] + sqrt(s->v[i])) - z[i];
        sd = fmin(RANK_SD_MAX, fmax(s->full[i] ? 0 : RANK_SD_MIN, sd));
        s->v[i] = unit * unit * fmax(sd * sd, RANK_VAR_MIN);
        zero = s->who[i] == 0 ? z[i] : zero;
    }
    for (int i = 0; i < s->n; i++)
        s->y[i] = unit * (z[i] - zero);
}

static void
points_fill(const struct core *c, const struct analysis *a, struct search *s)
{
    struct known k[c->n_experiments + 1];
    known_fill(c, a, s, k);
    s->n = (int)points_choose(c, k, s->who);
    s->n_full = 0;
    for (int i = 0; i < s->n; i++) {
        uint32_t e = s->who[i];
        const struct config *x = &c->experiment[e].config;
        search_point(&c->spec, s, x->v, x->patches, &s->x[i * s->space.d]);
        s->y[i] = k[e].gain;
        s->v[i] = k[e].var;
        s->full[i] = k[e].full;
        s->n_full += k[e].full;
    }
    if (s->n < 1)
        return;
    double low = s->n >= LOSSES_MIN
                     ? loss_floor(s->y, s->n)
                     : most_of(s->y, s->n) - LOSS_SDS * sqrt(s->s2);
    for (int i = 0; i < s->n; i++)
        s->y[i] = fmax(s->y[i], low);
    if (s->n > s->n_full && s->n >= LOSSES_MIN)
        points_rank(s);
}

/* ---- predictions of earlier campaigns ---- */

/* Index of a configuration among the candidates, -1: none. */
static int
candidate_index(const struct spec *s, const struct config *x)
{
    for (uint32_t i = 0; i < s->n_candidates; i++)
        if (x->patches == 0 &&
            memcmp(s->candidate[i], x->v, s->n_knobs * sizeof x->v[0]) == 0)
            return (int)i;
    return -1;
}

double
search_prediction(const struct spec *spec, const struct search *s, uint32_t i)
{
    if (!s->trend)
        return 0;
    return s->h_scale *
           (fmax(s->h_floor, spec->candidate_prior[i]) - s->h_mean);
}

static double
config_prediction(
    const struct spec *spec, const struct search *s, const struct config *x)
{
    int i = s->trend ? candidate_index(spec, x) : -1;
    return i < 0 ? 0 : search_prediction(spec, s, (uint32_t)i);
}

/* Only the shape of the predictions is used: their spread is set to that of
 * the gains, and the process learns the weight. */
static void
trend_prepare(const struct core *c, struct search *s)
{
    const struct spec *spec = &c->spec;
    double mean = 0, square = 0, y_mean = 0;
    double y_square = SPREAD_POINTS * s->space.spread * s->space.spread;
    int n = (int)spec->n_prior;
    s->h_floor = loss_floor(spec->candidate_prior, n);
    for (int i = 0; i < n; i++)
        mean += fmax(s->h_floor, spec->candidate_prior[i]) / n;
    for (int i = 0; i < n; i++) {
        double d = fmax(s->h_floor, spec->candidate_prior[i]) - mean;
        square += d * d / n;
    }
    for (int i = 0; i < s->n; i++)
        y_mean += s->y[i] / s->n;
    for (int i = 0; i < s->n; i++)
        y_square += (s->y[i] - y_mean) * (s->y[i] - y_mean);
    y_square /= s->n + SPREAD_POINTS;
    s->h_mean = mean;
    s->h_scale = square > 0 ? sqrt(y_square / square) : 0;
    for (int i = 0; i < s->n; i++)
        s->h[i] = config_prediction(spec, s, &c->experiment[s->who[i]].config);
}

/* ---- the fit ---- */

double
search_own_var(const struct search *s)
{
    return s->gp.nugget * s->gp.scale * s->gp.scale;
}

/* What was measured at the top comes before what is predicted from a rung. */
static bool
comes_before(const struct search *s, int a, int b)
{
    if (s->full[a] != s->full[b])
        return s->full[a];
    return s->mean[a] > s->mean[b];
}

/* Posterior gains of the points: of y = f + w + e the part f + w. Given f, w
 * is normal with mean u (y - f), u = var w / (var w + var e). */
static void
points_predict(struct search *s)
{
    double own = search_own_var(s);
    gp_predict(&s->gp, s->x, s->trend ? s->h : NULL, s->n, s->mean, s->sd);
    for (int i = 0; i < s->n; i++) {
        double u = own > 0 ? own / (own + s->v[i]) : 0;
        s->mean[i] += u * (s->y[i] - s->mean[i]);
        s->sd[i] = sqrt((1 - u) * (1 - u) * s->sd[i] * s->sd[i] + u * s->v[i]);
        int at = i;
        for (; at > 0 && comes_before(s, i, s->order[at - 1]); at--)
            s->order[at] = s->order[at - 1];
        s->order[at] = i;
    }
}

/* Logarithms of cost under the same kernel, where they differ at all. */
static void
cost_fit(const struct core *c, struct search *s)
{
    double sum[c->n_experiments + 1], runs[c->n_experiments + 1];
    double y[GP_CAP], v[GP_CAP], mean = 0, square = 0;
    s->has_cost = false;
    if (c->spec.unit == UNIT_TRIALS)
        return;
    memset(sum, 0, sizeof sum);
    memset(runs, 0, sizeof runs);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->state != TRIAL_OK || t->cost_u <= 0)
            continue;
        sum[t->experiment] += (double)t->cost_u;
        runs[t->experiment]++;
    }
    for (int i = 0; i < s->n; i++) {
        uint32_t e = s->who[i];
        if (runs[e] == 0)
            return;
        y[i] = log(sum[e] / runs[e]);
        v[i] = COST_SD * COST_SD / runs[e];
        mean += y[i] / s->n;
    }
    for (int i = 0; i < s->n; i++)
        square += (y[i] - mean) * (y[i] - mean) / s->n;
    struct gp_data in = {s->n, s->x, y, v, NULL};
    s->cost_at = mean;
    s->has_cost = sqrt(square) > COST_SAME &&
                  gp_fit_as(&s->cost, &s->gp, &in, s->cost_scratch, NULL) == 0;
}

void
search_costs(const struct search *s, const double *x, int m, double *out)
{
    if (s->has_cost)
        gp_predict(&s->cost, x, NULL, m, out, NULL);
    for (int i = 0; i < m; i++)
        out[i] = s->has_cost
                     ? exp(fmin(1.386, fmax(-1.386, out[i] - s->cost_at)))
                     : 1;
}

static bool
in_fit(const struct search *s, uint32_t experiment)
{
    for (int i = 0; i < s->n; i++)
        if (s->who[i] == experiment)
            return true;
    return false;
}

/* New configurations in flight are fantasies at their predicted mean. */
static void
flights_add(const struct core *c, const struct analysis *a, struct search *s)
{
    for (uint32_t i = 0; i < c->n_jobs; i++) {
        uint32_t e = c->trial[c->job[i].trial - 1].experiment;
        const struct config *config = &c->experiment[e].config;
        double x[KNOBS_MAX], mean, sd;
        bool twice = false;
        for (uint32_t j = 0; j < i; j++)
            twice |= c->trial[c->job[j].trial - 1].experiment == e;
        if (in_fit(s, e) || a->arm[e].flying == 0 || twice)
            continue;
        search_point(&c->spec, s, config->v, config->patches, x);
        double h = config_prediction(&c->spec, s, config);
        gp_predict(&s->gp, x, s->trend ? &h : NULL, 1, &mean, &sd);
        if (gp_add(&s->gp, x, mean, s->s2 / a->arm[e].flying, h, NULL) != 0)
            return;
        s->best = fmax(s->best, mean);
    }
}

bool
search_fit(const struct core *c, const struct analysis *a, bool trend,
    struct search *s)
{
    s->trend = trend && c->spec.n_prior > 0;
    s->s2 = a->s2;
    memset(s->branch, 0, sizeof s->branch);
    memset(&s->space, 0, sizeof s->space);
    space_fill(c, s);
    points_fill(c, a, s);
    if (s->n < 1)
        return false;
    if (s->trend)
        trend_prepare(c, s);
    assert(gp_scratch(GP_CAP, s->space.d) <= SCRATCH);
    struct gp_data in = {s->n, s->x, s->y, s->v, s->trend ? s->h : NULL};
    if (gp_fit(&s->gp, &s->space, &in, GP_CAP, s->scratch, NULL) != 0)
        return false;
    points_predict(s);
    s->best = s->mean[s->order[0]];
    cost_fit(c, s);
    flights_add(c, a, s);
    return true;
}
