/* Events and state as bytes. An event is a list of (field number, value): a
 * zero field is not written, a field can be added without a new version, and
 * an unknown field is refused instead of guessed. Spec and snapshot are visited
 * field by field under a version number.
 * Invariant: decode(encode(x)) == x, and encode is a function of x alone.
 *
 * To change a format: add fields to the end of FIELD_LIST with a new number
 * (events), or raise SNAPSHOT_VERSION or SPEC_VERSION, keep the old reader as
 * *_visit_v1, and add a state made by the old program to test/old/. */
#include "core/parts.h"

#include "base/bytes.h"
#include "base/err.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SPEC_VERSION = 4, SNAPSHOT_VERSION = 6 };

/* number, member, type. Numbers are stored state: never used again. */
#define FIELD_LIST(X)                                                          \
    X(1, seq, u64)                                                             \
    X(2, at_ms, i64)                                                           \
    X(3, hypothesis, u32)                                                      \
    X(4, experiment, u32)                                                      \
    X(5, experiment_b, u32)                                                    \
    X(6, trial, u32)                                                           \
    X(7, job, u32)                                                             \
    X(8, phase, u32)                                                           \
    X(9, attempt, u32)                                                         \
    X(10, seed, u32)                                                           \
    X(11, source, u32)                                                         \
    X(12, verdict, u32)                                                        \
    X(13, state, u32)                                                          \
    X(14, reason, u32)                                                         \
    X(15, remedy, u32)                                                         \
    X(16, job_kind, u32)                                                       \
    X(17, labels, u32)                                                         \
    X(18, n, u32)                                                              \
    X(19, exit_code, i32)                                                      \
    X(20, signal, i32)                                                         \
    X(21, mask, u64)                                                           \
    X(22, number, u64)                                                         \
    X(23, cost_u, i64)                                                         \
    X(24, reserve_u, i64)                                                      \
    X(25, budget_u, i64)                                                       \
    X(26, duration_ms, i64)                                                    \
    X(27, mean, f64)                                                           \
    X(28, sd, f64)                                                             \
    X(29, lo, f64)                                                             \
    X(30, hi, f64)                                                             \
    X(31, score, f64)                                                          \
    X(32, prob, f64)                                                           \
    X(33, log_e, f64)                                                          \
    X(34, value, f64)                                                          \
    X(35, base, f64)                                                           \
    X(36, resume, bool)                                                        \
    X(37, proved, bool)                                                        \
    X(38, has_checkpoint, bool)                                                \
    X(39, over, over)                                                          \
    X(40, measure, measure)                                                    \
    X(41, hash, str)                                                           \
    X(42, by, str)                                                             \
    X(43, statement, str)                                                      \
    X(44, rationale, str)                                                      \
    X(45, evidence, str)                                                       \
    X(46, why, str)                                                            \
    X(47, handle, str)                                                         \
    X(48, key, str)                                                            \
    X(49, spec, spec)                                                          \
    X(50, curve, curve)                                                        \
    X(51, has_good, bool)                                                      \
    X(60, signed_u, i64)                                                       \
    X(61, horizon_u, i64)                                                      \
    X(70, base_rev, str)                                                       \
    X(71, patch, str)                                                          \
    X(72, patches, u32)                                                        \
    X(73, excludes, u32)                                                       \
    X(74, gated, bool)                                                         \
    X(75, class, str)                                                          \
    X(76, paths, str)                                                          \
    X(77, added, u32)                                                          \
    X(78, removed, u32)                                                        \
    X(79, sandbox, str)                                                        \
    X(80, tokens_in, i64)                                                      \
    X(81, tokens_out, i64)

/* Is a field set? f64 by bits, so that -0 and NaN are kept. */
#define SET_u64(e, m) ((e)->m != 0)
#define SET_i64(e, m) ((e)->m != 0)
#define SET_u32(e, m) ((e)->m != 0)
#define SET_i32(e, m) ((e)->m != 0)
#define SET_bool(e, m) ((e)->m)
#define SET_f64(e, m) f64_is_set(&(e)->m)
#define SET_str(e, m) ((e)->m != NULL)
#define SET_over(e, m) ((e)->n_over != 0)
#define SET_measure(e, m) ((e)->n_measures != 0)
#define SET_spec(e, m) ((e)->spec != NULL)
#define SET_curve(e, m) ((e)->n_curve != 0)

#define VISIT_u64(v, e, m) visit_u64(v, &(e)->m)
#define VISIT_i64(v, e, m) visit_i64(v, &(e)->m)
#define VISIT_u32(v, e, m) visit_u32(v, &(e)->m)
#define VISIT_i32(v, e, m) visit_i32(v, &(e)->m)
#define VISIT_bool(v, e, m) visit_bool(v, &(e)->m)
#define VISIT_f64(v, e, m) visit_f64(v, &(e)->m)
#define VISIT_str(v, e, m) visit_str(v, &(e)->m)
#define VISIT_over(v, e, m) visit_over(v, (e)->over, &(e)->n_over, KNOBS_MAX)
#define VISIT_measure(v, e, m) visit_measure(v, e)
#define VISIT_spec(v, e, m) visit_blob(v, &(e)->spec, &(e)->spec_len)
#define VISIT_curve(v, e, m) visit_curve(v, e)

static bool
f64_is_set(const double *x)
{
    uint64_t bits;
    memcpy(&bits, x, sizeof bits);
    return bits != 0;
}

static void
visit_over(struct visit *v, struct override *o, uint32_t *n, uint32_t max)
{
    visit_count(v, n, max);
    for (uint32_t i = 0; i < *n && !v->bad; i++) {
        visit_count(v, &o[i].knob, KNOBS_MAX - 1);
        visit_f64(v, &o[i].value);
    }
}

static void
visit_measure(struct visit *v, struct event *e)
{
    visit_count(v, &e->n_measures, METRICS_MAX);
    for (uint32_t i = 0; i < e->n_measures && !v->bad; i++) {
        visit_count(v, &e->measure[i].metric, METRICS_MAX - 1);
        visit_f64(v, &e->measure[i].value);
    }
}

static void
visit_curve(struct visit *v, struct event *e)
{
    visit_count(v, &e->n_curve, RUNGS_MAX);
    for (uint32_t i = 0; i < e->n_curve && !v->bad; i++) {
        visit_count(v, &e->curve[i].rung, RUNGS_MAX - 1);
        visit_f64(v, &e->curve[i].value);
    }
}

size_t
event_encode(const struct event *e, unsigned char *out, size_t cap)
{
    struct event copy = *e;
    struct visit v;
    visit_write(&v, out, cap);
    visit_u32(&v, &copy.kind);
    uint8_t number;
#define X(num, member, type)                                                   \
    if (SET_##type(e, member)) {                                               \
        number = num;                                                          \
        visit_u8(&v, &number);                                                 \
        VISIT_##type(&v, &copy, member);                                       \
    }
    FIELD_LIST(X)
#undef X
    return v.n;
}

int
event_decode(struct event *e, const unsigned char *in, size_t n)
{
    memset(e, 0, sizeof *e);
    struct visit v;
    visit_read(&v, in, n);
    visit_u32(&v, &e->kind);
    if (!v.bad && e->kind >= EVENT_COUNT)
        return -ERR_VERSION;
    while (!v.bad && v.n < v.cap) {
        uint8_t number = 0;
        visit_u8(&v, &number);
        switch (number) {
#define X(num, member, type)                                                   \
    case num:                                                                  \
        VISIT_##type(&v, e, member);                                           \
        break;
            FIELD_LIST(X)
#undef X
        default:
            return -ERR_VERSION;
        }
    }
    return visit_done(&v) && e->kind != EVENT_NONE ? 0 : -ERR_CORRUPT;
}

/* ---- an event's fields as text ---- */

struct field_out {
    void (*f)(void *ctx, const char *name, const char *value, bool is_text);
    void *ctx;
};

static void
field_u64(const struct field_out *o, const char *name, uint64_t x)
{
    char s[32];
    snprintf(s, sizeof s, "%" PRIu64, x);
    o->f(o->ctx, name, s, false);
}

static void
field_i64(const struct field_out *o, const char *name, int64_t x)
{
    char s[32];
    snprintf(s, sizeof s, "%" PRId64, x);
    o->f(o->ctx, name, s, false);
}

static void
field_f64(const struct field_out *o, const char *name, double x)
{
    char s[40];
    bool finite = x - x == 0;
    snprintf(s, sizeof s, "%.17g", x);
    o->f(o->ctx, name, s, !finite);
}

static void
field_str(const struct field_out *o, const char *name, const char *x)
{
    o->f(o->ctx, name, x, true);
}

static void
field_pairs(const struct field_out *o, const char *name, const void *list,
    uint32_t n, bool is_over)
{
    char s[KNOBS_MAX * 36];
    size_t at = 0;
    for (uint32_t i = 0; i < n && at < sizeof s; i++) {
        const struct override *p = (const struct override *)list + i;
        const struct measure *m = (const struct measure *)list + i;
        int w =
            snprintf(s + at, sizeof s - at, "%s%" PRIu32 "=%.17g", i ? " " : "",
                is_over ? p->knob : m->metric, is_over ? p->value : m->value);
        at += w > 0 ? (size_t)w : 0;
    }
    o->f(o->ctx, name, s, true);
}

static void
field_curve(const struct field_out *o, const char *name, const struct event *e)
{
    char s[RUNGS_MAX * 36];
    size_t at = 0;
    for (uint32_t i = 0; i < e->n_curve && at < sizeof s; i++) {
        int w = snprintf(s + at, sizeof s - at, "%s%" PRIu32 "=%.17g",
            i ? " " : "", e->curve[i].rung, e->curve[i].value);
        at += w > 0 ? (size_t)w : 0;
    }
    o->f(o->ctx, name, s, true);
}

#define SHOW_u64(o, e, m) field_u64(o, #m, (e)->m)
#define SHOW_u32(o, e, m) field_u64(o, #m, (e)->m)
#define SHOW_bool(o, e, m) field_u64(o, #m, (e)->m)
#define SHOW_i64(o, e, m) field_i64(o, #m, (e)->m)
#define SHOW_i32(o, e, m) field_i64(o, #m, (e)->m)
#define SHOW_f64(o, e, m) field_f64(o, #m, (e)->m)
#define SHOW_str(o, e, m) field_str(o, #m, (e)->m)
#define SHOW_over(o, e, m) field_pairs(o, #m, (e)->over, (e)->n_over, true)
#define SHOW_measure(o, e, m)                                                  \
    field_pairs(o, #m, (e)->measure, (e)->n_measures, false)
#define SHOW_spec(o, e, m) field_u64(o, "spec_bytes", (e)->spec_len)
#define SHOW_curve(o, e, m) field_curve(o, #m, e)

void
event_fields(const struct event *e,
    void (*f)(void *ctx, const char *name, const char *value, bool is_text),
    void *ctx)
{
    struct field_out o = {f, ctx};
#define X(num, member, type)                                                   \
    if (SET_##type(e, member))                                                 \
        SHOW_##type(&o, e, member);
    FIELD_LIST(X)
#undef X
}

/* ---- spec ---- */

static void
knob_visit(struct visit *v, struct knob *k)
{
    visit_text(v, k->name, sizeof k->name);
    visit_u8(v, &k->kind);
    visit_u8(v, &k->concept);
    visit_bool(v, &k->log);
    visit_f64(v, &k->lo);
    visit_f64(v, &k->hi);
    visit_f64(v, &k->deflt);
    visit_count(v, &k->n_values, VALUES_MAX);
    for (uint32_t i = 0; i < k->n_values; i++)
        visit_text(v, k->values[i], sizeof k->values[i]);
    visit_count(v, &k->n_when, COND_MAX);
    for (uint32_t i = 0; i < k->n_when; i++) {
        visit_u8(v, &k->when[i].op);
        visit_u8(v, &k->when[i].knob);
        visit_f64(v, &k->when[i].value);
        if (k->when[i].knob >= KNOBS_MAX)
            v->bad = true;
    }
    visit_text(v, k->tags, sizeof k->tags);
    visit_text(v, k->doc, sizeof k->doc);
}

static void
metric_visit(struct visit *v, struct metric *m)
{
    visit_text(v, m->name, sizeof m->name);
    visit_u8(v, &m->role);
    visit_u8(v, &m->goal);
    visit_u8(v, &m->guard);
    visit_bool(v, &m->relative);
    visit_f64(v, &m->target);
    visit_f64(v, &m->min_gain);
    visit_f64(v, &m->limit);
}

static void
phase_costs_visit(struct visit *v, struct spec *s)
{
    s->by_phase = true;
    for (uint32_t p = PHASE_VALIDATION; p < PHASE_COUNT; p++) {
        struct phase_cost *x = &s->phase_cost[p];
        visit_i64(v, &x->train_u);
        visit_i64(v, &x->eval_u);
        visit_f64(v, &x->rate);
        if (x->train_u < 0 || x->eval_u < 0 || !(x->rate > 0) ||
            !isfinite(x->rate))
            v->bad = true;
    }
}

static void
spec_visit(struct visit *v, struct spec *s, uint8_t version)
{
    visit_text(v, s->model, sizeof s->model);
    visit_count(v, &s->n_knobs, KNOBS_MAX);
    for (uint32_t i = 0; i < s->n_knobs; i++)
        knob_visit(v, &s->knob[i]);
    visit_count(v, &s->n_metrics, METRICS_MAX);
    for (uint32_t i = 0; i < s->n_metrics; i++)
        metric_visit(v, &s->metric[i]);
    visit_count(v, &s->primary, METRICS_MAX - 1);
    visit_count(v, &s->sealed, METRICS_MAX);
    visit_bool(v, &s->has_evaluate);
    visit_bool(v, &s->has_resume);
    visit_u32(v, &s->phases);
    visit_u32(v, &s->max_hypotheses);
    visit_u32(v, &s->baseline_seeds);
    visit_u8(v, &s->unit);
    visit_i64(v, &s->total_u);
    visit_i64(v, &s->reserve_train_u);
    visit_i64(v, &s->reserve_eval_u);
    if (version >= 4)
        phase_costs_visit(v, s);
    visit_i64(v, &s->wall_clock_ms);
    visit_count(v, &s->max_parallel, JOBS_MAX);
    visit_i32(v, &s->fidelity_knob);
    visit_count(v, &s->n_rungs, RUNGS_MAX);
    for (uint32_t i = 0; i < s->n_rungs; i++)
        visit_f64(v, &s->rung[i]);
    if (version >= 3) /* before, jobs always ran at the top */
        visit_bool(v, &s->stops);
    visit_count(v, &s->n_candidates, CANDIDATES_MAX);
    for (uint32_t i = 0; i < s->n_candidates; i++)
        for (uint32_t k = 0; k < s->n_knobs; k++)
            visit_f64(v, &s->candidate[i][k]);
    if (version < 2) { /* written before candidates had predictions */
        s->n_prior = 0;
        return;
    }
    visit_count(v, &s->n_prior, s->n_candidates);
    if (s->n_prior != 0 && s->n_prior != s->n_candidates)
        v->bad = true;
    for (uint32_t i = 0; i < s->n_prior; i++) {
        visit_f64(v, &s->candidate_prior[i]);
        if (!isfinite(s->candidate_prior[i]))
            v->bad = true;
    }
}

size_t
spec_encode(const struct spec *s, unsigned char *out, size_t cap)
{
    struct visit v;
    /* a plan's hash is over these bytes: where all phases cost the same they
     * are what they were before phases could differ */
    uint8_t version = s->by_phase ? SPEC_VERSION : SPEC_VERSION - 1;
    visit_write(&v, out, cap);
    visit_u8(&v, &version);
    /* writing never changes what it visits */
    spec_visit(&v, (struct spec *)(uintptr_t)s, version);
    return v.n;
}

int
spec_decode(struct spec *s, const unsigned char *in, size_t n)
{
    struct visit v;
    uint8_t version = 0;
    visit_read(&v, in, n);
    visit_u8(&v, &version);
    if (!v.bad && version > SPEC_VERSION)
        return -ERR_VERSION;
    if (version == 0)
        return -ERR_CORRUPT;
    spec_visit(&v, s, version);
    return visit_done(&v) ? 0 : -ERR_CORRUPT;
}

int
spec_check(const unsigned char *in, size_t n)
{
    struct spec scratch;
    memset(&scratch, 0, sizeof scratch);
    return spec_decode(&scratch, in, n);
}

/* ---- snapshot ---- */

static void
config_visit(struct visit *v, const struct spec *s, struct config *c)
{
    /* only what differs from the defaults: snapshots stay small */
    struct override o[KNOBS_MAX];
    uint32_t n = 0;
    if (v->writing) {
        for (uint32_t k = 0; k < s->n_knobs; k++)
            if (c->v[k] != s->knob[k].deflt)
                o[n++] = (struct override){k, c->v[k]};
    } else {
        config_default(s, c);
    }
    visit_over(v, o, &n, KNOBS_MAX);
    if (!v->writing && !v->bad)
        for (uint32_t i = 0; i < n; i++)
            c->v[o[i].knob] = o[i].value;
}

static void
hypothesis_visit(struct visit *v, struct hypothesis *h, uint8_t version)
{
    visit_u8(v, &h->source);
    visit_u8(v, &h->verdict);
    visit_bool(v, &h->dropped);
    visit_bool(v, &h->pinned);
    visit_bool(v, &h->needs_hook);
    visit_bool(v, &h->proved);
    visit_count(v, &h->experiment, EXPERIMENTS_MAX - 1);
    visit_over(v, h->over, &h->n_over, OVERRIDES_MAX);
    visit_f64(v, &h->prior_mean);
    visit_f64(v, &h->prior_sd);
    visit_f64(v, &h->cost_factor);
    visit_f64(v, &h->mean);
    visit_f64(v, &h->lo);
    visit_f64(v, &h->hi);
    visit_f64(v, &h->prob);
    visit_f64(v, &h->log_e);
    if (version >= 5) /* before, a change was of knobs alone */
        visit_count(v, &h->patch, PATCHES_MAX);
}

static void
experiment_visit(struct visit *v, const struct spec *s, struct experiment *x,
    uint8_t version)
{
    visit_u8(v, &x->kind);
    visit_bool(v, &x->finalist);
    visit_u64(v, &x->mask);
    config_visit(v, s, &x->config);
    visit_f64(v, &x->prior_mean);
    visit_f64(v, &x->prior_sd);
    if (version >= 5)
        visit_u32(v, &x->config.patches);
}

static void
trial_visit_flags(struct visit *v, struct trial *t, uint8_t version)
{
    visit_u8(v, &t->phase);
    visit_u8(v, &t->state);
    visit_u8(v, &t->window);
    visit_u8(v, &t->labels);
    visit_u8(v, &t->attempts);
    visit_u8(v, &t->failures);
    visit_u8(v, &t->resumes);
    visit_u8(v, &t->next_remedy);
    visit_u8(v, &t->reason);
    visit_u8(v, &t->class);
    visit_u8(v, &t->shrinks);
    visit_u8(v, &t->stabilises);
    visit_bool(v, &t->ended);
    visit_bool(v, &t->trained);
    visit_bool(v, &t->has_checkpoint);
    if (version >= 6) /* before, no checkpoint was known to be good */
        visit_bool(v, &t->has_good);
    visit_bool(v, &t->sealed_known);
    if (t->window >= WINDOWS_MAX)
        v->bad = true;
}

/* Values of a sparse row, NaN where nothing is known. */
static void
sparse_visit(struct visit *v, double *value, uint32_t n, uint32_t most)
{
    uint32_t present = 0;
    for (uint32_t i = 0; i < n; i++)
        if (v->writing && !isnan(value[i]))
            present |= 1u << i;
    visit_u32(v, &present);
    for (uint32_t i = 0; i < most; i++) {
        if (present & (1u << i))
            visit_f64(v, &value[i]);
        else if (!v->writing)
            value[i] = NAN;
    }
}

static void
trial_visit_rungs(
    struct visit *v, const struct core *c, struct trial *t, uint8_t version)
{
    if (version < 4) { /* nothing was seen of a run before its end */
        t->seen = t->judged = t->stopped = 0;
        for (int r = 0; r < RUNGS_MAX; r++)
            t->rung[r] = NAN;
        return;
    }
    visit_u8(v, &t->seen);
    visit_u8(v, &t->judged);
    visit_u8(v, &t->stopped);
    sparse_visit(v, t->rung, c->spec.n_rungs, RUNGS_MAX);
    if (t->seen > RUNGS_MAX || t->judged > t->seen || t->stopped > t->seen)
        v->bad = true;
}

static void
trial_visit(
    struct visit *v, const struct core *c, struct trial *t, uint8_t version)
{
    visit_count(v, &t->experiment, EXPERIMENTS_MAX - 1);
    visit_u32(v, &t->seed);
    trial_visit_flags(v, t, version);
    visit_u32(v, &t->job);
    visit_i64(v, &t->cost_u);
    visit_i64(v, &t->started_ms);
    visit_i64(v, &t->ended_ms);
    if (t->sealed_known)
        visit_f64(v, &t->sealed);
    else if (!v->writing)
        t->sealed = NAN;
    sparse_visit(v, t->metric, c->spec.n_metrics, METRICS_MAX);
    trial_visit_rungs(v, c, t, version);
}

static void
job_visit(struct visit *v, struct job *j, uint8_t version)
{
    visit_u32(v, &j->id);
    visit_count(v, &j->trial, TRIALS_MAX);
    visit_u32(v, &j->attempt);
    visit_u8(v, &j->kind);
    if (version >= 6) /* before, no job depended on it once it was intended */
        visit_u8(v, &j->remedy);
    visit_bool(v, &j->submitted);
    visit_bool(v, &j->cancelled);
    visit_bool(v, &j->resume);
    visit_i64(v, &j->reserve_u);
    visit_i64(v, &j->intended_ms);
    visit_over(v, j->over, &j->n_over, OVERRIDES_MAX);
}

static void
finalist_visit(struct visit *v, struct finalist *f)
{
    visit_count(v, &f->experiment, EXPERIMENTS_MAX - 1);
    visit_bool(v, &f->judged);
    visit_u32(v, &f->n);
    visit_u32(v, &f->n_base);
    visit_f64(v, &f->gain);
    visit_f64(v, &f->lo);
    visit_f64(v, &f->hi);
    visit_f64(v, &f->base);
    visit_f64(v, &f->candidate);
    visit_f64(v, &f->sampling_var);
}

static void
pair_visit(struct visit *v, struct pair *p)
{
    visit_u8(v, &p->a);
    visit_u8(v, &p->b);
    visit_u8(v, &p->verdict);
    visit_f64(v, &p->mean);
    visit_f64(v, &p->lo);
    visit_f64(v, &p->hi);
}

static void
head_visit(struct visit *v, struct core *c)
{
    visit_u64(v, &c->seq);
    visit_u64(v, &c->random_seed);
    visit_u8(v, &c->state);
    visit_u8(v, &c->phase);
    visit_bytes(v, c->phase_state, sizeof c->phase_state);
    visit_bool(v, &c->project_ok);
    visit_bool(v, &c->started);
    visit_bool(v, &c->learnt);
    visit_text(v, c->plan_hash, sizeof c->plan_hash);
    visit_text(v, c->fingerprint, sizeof c->fingerprint);
    visit_text(v, c->pending_hash, sizeof c->pending_hash);
    visit_i64(v, &c->pending_u);
    visit_u64(v, &c->combo_mask);
    visit_i64(v, &c->drafted_ms);
    visit_i64(v, &c->approved_ms);
    visit_i64(v, &c->started_ms);
    visit_i64(v, &c->now_ms);
    visit_i64(v, &c->finished_ms);
    visit_i64(v, &c->approved_u);
    visit_i64(v, &c->spent_u);
    visit_i64(v, &c->reserved_u);
    for (int p = 0; p < PHASE_COUNT; p++)
        visit_i64(v, &c->phase_spent_u[p]);
    visit_i64(v, &c->cost_hint_u);
    visit_count(v, &c->window, WINDOWS_MAX - 1);
    visit_u32(v, &c->seeds_used);
    visit_u32(v, &c->jobs_used);
    visit_u32(v, &c->looks);
    visit_bool(v, &c->sealed_open);
    visit_u32(v, &c->failed_streak);
    visit_u32(v, &c->recovered);
    visit_count(v, &c->proposal, EXPERIMENTS_MAX - 1);
}

/* Since version 3: money by grants. */
static void
pool_visit(struct visit *v, struct core *c)
{
    visit_i64(v, &c->signed_u);
    visit_i64(v, &c->horizon_u);
    visit_bool(v, &c->granted_all);
}

/* Since version 5: code patches. */
static void
patches_visit(struct visit *v, struct core *c)
{
    visit_text(v, c->base_rev, sizeof c->base_rev);
    visit_u32(v, &c->gate_patches);
    visit_count(v, &c->n_patches, PATCHES_MAX);
    for (uint32_t i = 0; i < c->n_patches && !v->bad; i++) {
        visit_text(v, c->patch[i].sha256, sizeof c->patch[i].sha256);
        visit_bool(v, &c->patch[i].gated);
        visit_bool(v, &c->patch[i].approved);
        visit_u32(v, &c->patch[i].excludes);
    }
}

static void
core_visit(struct visit *v, struct core *c, uint8_t version)
{
    head_visit(v, c);
    if (version >= 3)
        pool_visit(v, c);
    if (version >= 5)
        patches_visit(v, c);
    visit_count(v, &c->n_hypotheses, HYPOTHESES_MAX);
    visit_count(v, &c->n_experiments, EXPERIMENTS_MAX);
    visit_count(v, &c->n_trials, TRIALS_MAX);
    visit_count(v, &c->n_jobs, JOBS_MAX);
    visit_count(v, &c->n_finalists, FINALISTS_MAX);
    visit_count(v, &c->n_pairs, PAIRS_MAX);
    for (uint32_t i = 0; i < c->n_hypotheses && !v->bad; i++)
        hypothesis_visit(v, &c->hypothesis[i], version);
    for (uint32_t i = 0; i < c->n_experiments && !v->bad; i++)
        experiment_visit(v, &c->spec, &c->experiment[i], version);
    for (uint32_t i = 0; i < c->n_trials && !v->bad; i++)
        trial_visit(v, c, &c->trial[i], version);
    for (uint32_t i = 0; i < c->n_jobs && !v->bad; i++)
        job_visit(v, &c->job[i], version);
    for (uint32_t i = 0; i < c->n_finalists && !v->bad; i++)
        finalist_visit(v, &c->finalist[i]);
    for (uint32_t i = 0; i < c->n_pairs && !v->bad; i++)
        pair_visit(v, &c->pair[i]);
}

size_t
core_encode(const struct core *c, unsigned char *out, size_t cap)
{
    struct visit v;
    uint8_t version = SNAPSHOT_VERSION;
    visit_write(&v, out, cap);
    visit_u8(&v, &version);
    core_visit(&v, (struct core *)(uintptr_t)c, version);
    return v.n;
}

int
core_decode(struct core *c, const unsigned char *in, size_t n)
{
    struct visit v;
    uint8_t version = 0;
    visit_read(&v, in, n);
    visit_u8(&v, &version);
    if (!v.bad && version > SNAPSHOT_VERSION)
        return -ERR_VERSION;
    core_visit(&v, c, version);
    return visit_done(&v) && version >= 1 ? 0 : -ERR_CORRUPT;
}
