/* Drafts hypotheses: candidates, their predictions, a fair and diverse choice,
 * and the events. Called by the verbs that plan. Invariant: the same spec,
 * database and options give the same events; whatever a paper or a row says,
 * only overrides inside the declared domains leave this file. */
#include "research/draft.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "math/dist.h"
#include "math/standing.h"
#include "research/backbone.h"
#include "research/calibrate.h"
#include "research/candidate.h"
#include "research/cite.h"
#include "research/history.h"

enum {
    PER_KNOB_MAX = 3,
    PER_MODEL_MAX = 6,
    RIDERS_MAX = 2,
    HOOKS_MAX = 3,
    DRAFT_DEFAULT = 24,
    KNOWN_MAX = 20000,
};

/* What a quoted claim adds to the gain that code is hoped to bring, in AUC. */
#define CITED_WORTH 2e-4

/* Rows of the team's own that a guess from min_gain is worth. */
#define OWN_ROWS 5

struct draft {
    const struct spec *spec;
    struct history history;
    struct candidates pool;
    const char *family;
    const struct draft_seen *seen;
    struct known known;  /* the team's own rows */
    bool compared;       /* with an insights database */
    double unit, spread; /* mean and sd of AUC to the search metric's */
};

/* ---- prediction ---- */

static const struct metric *
primary_of(const struct spec *s)
{
    return &s->metric[s->primary];
}

/* Insights and claims are in AUC. Another metric is scaled by what is worth
 * shipping in each; where even an AUC needs a larger gain to be worth it, the
 * set is small and noisy and effects spread wider, not higher. */
static void
units_set(struct draft *d)
{
    const struct metric *m = primary_of(d->spec);
    double ratio = m->min_gain > 0 ? m->min_gain / GAIN_UNIT_AUC : 1;
    bool auc = strcmp(metric_kind(m->name), "auc") == 0;
    d->unit = auc ? 1 : ratio;
    d->spread = auc ? fmin(fmax(ratio, 1), 4) : ratio;
}

/* From the spread of an answer to the metric's: where min_gain is larger
 * effects are, as far as the team's own rows, which are of such metrics, don't
 * say. */
static double
spread_of(const struct draft *d, const struct history_answer *x)
{
    return d->unit + (d->spread - d->unit) * OWN_ROWS / (OWN_ROWS + x->own);
}

static void
knob_ask(const struct draft *d, uint32_t k, const struct move *m,
    const struct meta_delta *claim, uint32_t n_claims,
    struct history_answer *out)
{
    const struct knob *knob = &d->spec->knob[k];
    struct history_query q = {.concept = knob->concept,
        .knob = knob->name,
        .family = d->family,
        .place = d->spec->model,
        .move = *m,
        .claim = claim,
        .n_claims = n_claims};
    history_ask(&d->history, &q, out);
}

/* An enabling choice comes with its own effect, which adds. */
static void
enabling_add(const struct draft *d, const struct override *over, uint32_t n,
    struct history_answer *x)
{
    for (uint32_t i = 0; i < n; i++) {
        struct history_answer other;
        struct move m;
        move_of(&m, &d->spec->knob[over[i].knob], over[i].value);
        knob_ask(d, over[i].knob, &m, NULL, 0, &other);
        x->p.mean += other.p.mean;
        x->p.sd = hypot(x->p.sd, other.p.sd);
    }
}

/* Measured where a campaign of the team's own knows it. */
static double
cost_predict(const struct draft *d, const struct candidate *x)
{
    double cost = x->hook ? x->technique[0]->cost : 1;
    for (uint32_t i = 0; i < x->n_over; i++) {
        const struct knob *k = &d->spec->knob[x->over[i].knob];
        struct move m;
        move_of(&m, k, x->over[i].value);
        double known = history_cost(&d->history, k->concept, &m);
        cost *= known > 0 ? known : candidate_cost(&d->pool, &x->over[i]);
    }
    return fmin(fmax(cost, 0.1), 50);
}

static uint32_t
knobs_differ(
    const struct spec *s, const struct config *a, const struct config *b)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->n_knobs; k++)
        n += a->v[k] != b->v[k];
    return n;
}

/* What an earlier campaign measured near the changed configuration: a baseline
 * that beat most of it loses by most changes. */
static void
seen_apply(const struct draft *d, struct candidate *x)
{
    struct standing st = {0, 0};
    for (uint32_t i = 0; i < d->seen->n; i++) {
        uint32_t far = knobs_differ(d->spec, &x->config, &d->seen->config[i]);
        if (far > 0)
            standing_add(&st, far, d->seen->gain[i], STANDING_WIDTH);
    }
    standing_apply(&st, &x->answer.p.mean, &x->answer.p.sd);
    standing_apply(&st, &x->own.mean, &x->own.sd);
}

static bool
has_history(const struct candidate *x)
{
    return x->generic && x->answer.best >= 0.1;
}

/* A backbone that no record is about: as others of its kind and time fared
 * against the present one. */
static void
backbone_apply(const struct draft *d, struct candidate *x)
{
    const struct knob *k = &d->spec->knob[x->knob];
    if (k->concept == CONCEPT_MODEL && k->kind == KNOB_CHOICE &&
        x->n_techniques > 0)
        backbone_expect(&d->history, k->values[(uint32_t)k->deflt],
            x->technique[0], NULL, &x->answer.p.mean, &x->answer.p.sd);
}

/* As predictions like it have turned out. */
static void
outcomes_apply(const struct draft *d, struct candidate *x)
{
    const struct knob *knob = &d->spec->knob[x->knob];
    struct calibration_key key = {
        has_history(x) ? SOURCE_INSIGHT : SOURCE_RESEARCH,
        concept_name(knob->concept), d->family, d->spec->model};
    calibration_apply(
        d->history.calibration, &key, &x->answer.p.mean, &x->answer.p.sd);
    calibration_apply(d->history.calibration, &key, &x->own.mean, &x->own.sd);
}

static void
candidate_predict(const struct draft *d, struct candidate *x)
{
    struct meta_delta claim[CANDIDATE_TECHNIQUES_MAX];
    for (uint32_t i = 0; i < x->n_techniques; i++) {
        const struct technique *t = x->technique[i];
        const struct finding *f = finding_of(d->pool.findings, t);
        uint32_t grade = f != NULL && f->grade > t->grade ? f->grade : t->grade;
        claim[i] = (struct meta_delta){
            t->mean, t->sd * t->sd, (double)grade / GRADE_REPLICATED};
    }
    x->cost = cost_predict(d, x);
    if (x->earlier)
        return;
    if (x->hook) {
        x->answer.p = (struct draft_prediction){x->technique[0]->mean,
            fmax(x->technique[0]->sd, BASE_RATE_SD), 0, DRAFT_BASE_RATE};
        x->own = x->answer.p;
        return;
    }
    knob_ask(d, x->knob, &x->move, claim, x->n_techniques, &x->answer);
    backbone_apply(d, x);
    x->own = x->answer.p;
    if (!x->joint)
        enabling_add(d, x->over, x->n_over - 1, &x->answer);
    seen_apply(d, x);
    outcomes_apply(d, x);
}

/* ---- choice ---- */

/* Expected improvement per square root of cost: half the ideas are worse than
 * the baseline and are dropped after one run, so cost matters less than gain.
 */
static double
candidate_worth(const struct candidate *x)
{
    double m = x->own.mean, s = x->own.sd, z = m / s;
    double gain = m * normal_cdf(z) + s * normal_pdf(z);
    if (x->enabled)
        gain /= 2;
    if (has_history(x) && x->n_techniques > 0)
        gain *= 1.25;
    return gain / sqrt(fmax(x->cost, 1));
}

static bool
can_come_from(const struct candidate *x, uint32_t source)
{
    return source == SOURCE_INSIGHT ? has_history(x) : x->n_techniques > 0;
}

static bool
same_enabling(const struct candidate *x, const struct candidate *y)
{
    return x->enabled && y->enabled && x->over[0].knob == y->over[0].knob &&
           x->over[0].value == y->over[0].value;
}

/* Steps of one knob are much alike; model families are not. With room for
 * three, a new family would push out one that the history knows to be good. */
static uint32_t
per_knob_max(const struct knob *k)
{
    bool family = k->concept == CONCEPT_MODEL && k->kind == KNOB_CHOICE;
    return family ? PER_MODEL_MAX : PER_KNOB_MAX;
}

/* How free of what was chosen before: the fourth idea on a knob and the third
 * that rides on one enabling choice are refused, and one much like a chosen
 * one counts less. */
static double
candidate_novelty(const struct candidates *c, const struct candidate *x)
{
    double free = 1;
    uint32_t same = 0, riders = 0;
    if (x->earlier)
        return 1;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct candidate *y = &c->item[i];
        double sign;
        if (y->source == SOURCE_NONE || y->hook || y->earlier)
            continue;
        riders += same_enabling(x, y);
        if (y->knob != x->knob)
            continue;
        double alike = move_similarity(&x->move, &y->move, &sign);
        free *= 1 - 0.6 * (sign > 0 ? alike : 0.2 * alike);
        same++;
    }
    if (same >= per_knob_max(&c->spec->knob[x->knob]) || riders >= RIDERS_MAX)
        return 0;
    return free * pow(0.8, same + riders);
}

static struct candidate *
best_of_source(const struct draft *d, uint32_t source)
{
    struct candidate *best = NULL;
    double best_worth = 0;
    for (uint32_t i = 0; i < d->pool.n; i++) {
        struct candidate *x = &d->pool.item[i];
        if (x->source != SOURCE_NONE || x->hook || !can_come_from(x, source))
            continue;
        double worth = candidate_worth(x) * candidate_novelty(&d->pool, x);
        if (worth > best_worth) {
            best_worth = worth;
            best = x;
        }
    }
    return best;
}

static double
chosen_worth(const struct draft *d, const struct candidate *x)
{
    return x == NULL ? 0 : candidate_worth(x) * candidate_novelty(&d->pool, x);
}

/* Takes the better of the two sources' best, but keeps each at a third at
 * least while it has anything to say. What both support goes to the one that
 * has fewer. */
static struct candidate *
next_choice(const struct draft *d, const uint32_t taken[2])
{
    struct candidate *a = best_of_source(d, SOURCE_INSIGHT);
    struct candidate *b = best_of_source(d, SOURCE_RESEARCH);
    uint32_t all = taken[0] + taken[1];
    bool first;
    if (a == NULL || b == NULL)
        first = a != NULL;
    else if (a == b)
        first = taken[0] <= taken[1];
    else if (3 * taken[0] < all)
        first = true;
    else if (3 * taken[1] < all)
        first = false;
    else
        first = chosen_worth(d, a) >= chosen_worth(d, b);
    struct candidate *x = first ? a : b;
    if (x != NULL)
        x->source = first ? SOURCE_INSIGHT : SOURCE_RESEARCH;
    return x;
}

/* Code is dear whatever the training costs: the larger expected gain first,
 * where a claim that the corpus holds counts a little; then the newer paper. */
static double
hook_worth(const struct draft *d, const struct candidate *x)
{
    const struct finding *f = finding_of(d->pool.findings, x->technique[0]);
    return x->technique[0]->mean +
           (f != NULL && f->n_claims > 0 ? CITED_WORTH : 0);
}

static bool
hook_before(
    const struct draft *d, const struct candidate *x, const struct candidate *y)
{
    double a = hook_worth(d, x), b = hook_worth(d, y);
    if (a != b)
        return a > b;
    return strcmp(x->technique[0]->date, y->technique[0]->date) > 0;
}

static bool
is_cited(const struct draft *d, const struct candidate *x)
{
    const struct finding *f = finding_of(d->pool.findings, x->technique[0]);
    return f != NULL && f->n_claims > 0;
}

static struct candidate *
best_hook(const struct draft *d, bool cited)
{
    struct candidate *best = NULL;
    for (uint32_t i = 0; i < d->pool.n; i++) {
        struct candidate *x = &d->pool.item[i];
        if (!x->hook || x->source != SOURCE_NONE || (cited && !is_cited(d, x)))
            continue;
        if (best == NULL || hook_before(d, x, best))
            best = x;
    }
    return best;
}

/* The first place is for what a paper of the corpus claims a gain by: the
 * library's best would else be proposed for ever. */
static struct candidate *
next_hook(const struct draft *d, bool first)
{
    struct candidate *x = first ? best_hook(d, true) : NULL;
    if (x == NULL)
        x = best_hook(d, false);
    if (x != NULL)
        x->source = SOURCE_RESEARCH;
    return x;
}

/* ---- texts ---- */

/* Against the team's own rows; where none is alike, the public set's nearest
 * is refined here, if it speaks of the same change. */
static void
novelty_of(
    const struct draft *d, const struct candidate *x, struct novelty *out)
{
    const struct history_answer *h = &x->answer;
    struct novelty_query q = {.key = x->key,
        .concept = x->hook ? CONCEPT_NONE : d->spec->knob[x->knob].concept,
        .move = x->hook ? NULL : &x->move,
        .family = d->family,
        .statement = x->statement,
        .technique = x->hook ? x->technique[0]->aliases : "",
        .gain = h->p.mean > 0};
    novelty_find(&q, &d->known, out);
    if (out->nearest == 0 && h->n_cited > 0 && h->best >= 0.5) {
        bool lost = h->cited_sign[0] * h->cited[0]->effect < 0;
        bool same = h->best >= 0.95 && q.gain && lost;
        *out = (struct novelty){
            .relation = same ? NOVELTY_CONTRADICTS : NOVELTY_REFINES,
            .nearest = h->cited[0]->id,
            .similarity = h->best,
            .effect = h->cited_sign[0] * h->cited[0]->effect};
    }
}

/* What all of it is worth, 0..5: the library's word and the papers', lifted to
 * the highest by a gain that the team has measured itself, lowered by a loss.
 */
static uint32_t
evidence_grade(
    const struct draft *d, const struct candidate *x, const struct novelty *v)
{
    uint32_t grade = 0;
    for (uint32_t i = 0; i < x->n_techniques; i++) {
        const struct technique *t = x->technique[i];
        const struct finding *f = finding_of(d->pool.findings, t);
        grade = t->grade > grade ? t->grade : grade;
        grade = f != NULL && f->grade > grade ? f->grade : grade;
    }
    if (v->relation == NOVELTY_REPEATS && v->effect > 0)
        return GRADE_REPLICATED;
    return v->relation == NOVELTY_CONTRADICTS && grade > 0 ? grade - 1 : grade;
}

static void
novelty_say(struct buf *b, const struct novelty *v)
{
    static const char *const text[NOVELTY_COUNT] = {
        [NOVELTY_REPEATS] = "It repeats I%lld. ",
        [NOVELTY_CONTRADICTS] = "I%lld measured otherwise. ",
        [NOVELTY_REFINES] = "I%lld is alike, not the same. ",
        [NOVELTY_FAILED] = "I%lld was stopped by the infrastructure and says "
                           "nothing: it may be tried again. "};
    char line[120];
    if (text[v->relation] == NULL)
        return;
    const char *at = strstr(text[v->relation], "%lld");
    snprintf(line, sizeof line, "%.*s%lld%s", (int)(at - text[v->relation]),
        text[v->relation], (long long)v->nearest, at + 4);
    buf_puts(b, line);
}

static const char *
level_text(uint32_t level)
{
    static const char *const text[] = {"this change on this model family",
        "this knob on this model family", "this knob on other model families",
        "no record: the base rate of single changes"};
    return text[level <= DRAFT_BASE_RATE ? level : DRAFT_BASE_RATE];
}

/* How many papers of the corpus speak for what the idea is made of. */
static void
papers_say(const struct draft *d, const struct candidate *x, struct buf *b)
{
    for (uint32_t i = 0; i < x->n_techniques; i++) {
        const struct finding *f = finding_of(d->pool.findings, x->technique[i]);
        if (f != NULL)
            buf_printf(b,
                "Papers read that tell of %s: %u%s, of a gain by it: %u (%s). ",
                x->technique[i]->name, f->n_papers,
                f->n_papers == FINDING_ROWS_MAX ? " or more" : "", f->n_claims,
                technique_grade_name(f->grade));
    }
}

static const char *
rationale_in(
    const struct draft *d, const struct candidate *x, const struct novelty *v)
{
    struct arena *a = d->pool.arena;
    struct buf b = {0};
    const struct history_answer *h = &x->answer;
    for (uint32_t i = 0; i < x->n_techniques; i++) {
        const struct technique *t = x->technique[i];
        buf_printf(&b, "%s (%s, %s; evidence: %s): %s ", t->name, t->ref,
            t->date, technique_grade_name(t->grade), t->claim);
    }
    papers_say(d, x, &b);
    novelty_say(&b, v);
    if (x->hook)
        buf_puts(&b, "No declared knob can express it: it needs a code hook "
                     "before it can be tried. ");
    else if (h->n_cited > 0)
        buf_printf(&b,
            "History, by %s: %u earlier comparisons, worth %.1f "
            "full matches. ",
            level_text(h->p.level), h->comparisons, h->p.k);
    else
        buf_puts(&b, "History has nothing on this knob. ");
    if (x->enabled)
        buf_puts(&b, "The knob is inactive in the baseline, so the change "
                     "carries the choice that enables it. ");
    if (!x->hook && d->seen->n > 0)
        buf_printf(&b,
            "Where the baseline stands among %u results of an earlier "
            "campaign is taken in. ",
            d->seen->n);
    buf_printf(&b, "Predicted gain on %s: %.2g +- %.2g.",
        primary_of(d->spec)->name, h->p.mean * d->unit,
        h->p.sd * spread_of(d, h));
    const char *text = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static const char *
statement_in(const struct draft *d, const struct candidate *x)
{
    struct arena *a = d->pool.arena;
    if (x->hook)
        return arena_printf(a, "Add %s to the model", x->technique[0]->name);
    char *text =
        arena_strdup(a, change_text_in(a, d->spec, x->over, x->n_over));
    if (text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 'a' + 'A');
    return text;
}

static void
event_fill(const struct draft *d, struct candidate *x, struct event *e)
{
    struct novelty v = {0};
    x->statement = statement_in(d, x);
    if (d->compared)
        novelty_of(d, x, &v);
    memset(e, 0, sizeof *e);
    e->kind = EVENT_hypothesis_added;
    e->source = x->source;
    e->state = x->hook;
    e->n_over = x->n_over;
    memcpy(e->over, x->over, x->n_over * sizeof x->over[0]);
    e->mean = x->answer.p.mean * d->unit;
    e->sd = x->answer.p.sd * spread_of(d, &x->answer);
    e->score = x->cost;
    e->statement = x->statement;
    e->rationale = rationale_in(d, x, &v);
    e->evidence = evidence_in(d->pool.arena, &d->pool, x,
        d->compared ? &v : NULL, evidence_grade(d, x, &v));
    e->key = x->key;
}

/* ---- the draft ---- */

static int
draft_init(struct draft *d, const struct spec *s, struct insights *db,
    const struct draft_options *o, struct arena *a, struct err *err)
{
    memset(d, 0, sizeof *d);
    d->spec = s;
    d->seen = &o->seen;
    d->family = o->family != NULL ? o->family : family_of(s);
    units_set(d);
    candidates_init(&d->pool, s, a);
    d->pool.hidden = o->hidden;
    return history_load(
        &d->history, o->from_insights ? db : NULL, s, o->before, a, err);
}

static int
configurations_add(
    struct draft *d, struct insights *db, const char *before, struct err *err)
{
    struct insight *row = NULL;
    size_t n = 0;
    struct insight_query q = {.before = before,
        .own_only = true,
        .configurations_only = true,
        .max = 1000};
    if (before != NULL && before[0] == '\0')
        q.before = NULL;
    int rc =
        db != NULL ? insight_list(db, &q, d->pool.arena, &row, &n, err) : 0;
    if (rc == 0)
        candidates_from_configurations(&d->pool, row, n);
    return rc;
}

/* The team's own rows, failed ones too, which ideas are compared with. */
static int
known_read(
    struct draft *d, struct insights *db, const char *before, struct err *err)
{
    struct insight *row = NULL;
    size_t n = 0;
    struct insight_query q = {
        .before = before, .own_only = true, .max = KNOWN_MAX};
    if (before != NULL && before[0] == '\0')
        q.before = NULL;
    d->compared = db != NULL;
    int rc =
        db != NULL ? insight_list(db, &q, d->pool.arena, &row, &n, err) : 0;
    if (rc == 0)
        known_of_rows(&d->known, row, n, d->pool.arena);
    return rc;
}

static int
papers_read(struct draft *d, const struct draft_options *o, struct err *err)
{
    if (o->corpus == NULL)
        return 0;
    struct findings *f = arena_alloc(d->pool.arena, sizeof *f);
    findings_init(f, d->pool.arena);
    d->pool.findings = f;
    return findings_of_project(f, o->corpus, d->spec, o->before, err);
}

static uint32_t
draft_limit(const struct spec *s, const struct draft_options *o)
{
    uint32_t max = o->max > 0 ? o->max : s->max_hypotheses;
    if (max == 0)
        max = DRAFT_DEFAULT;
    return max < HYPOTHESES_MAX ? max : HYPOTHESES_MAX;
}

int
draft_hypotheses(const struct spec *s, struct insights *db,
    const struct draft_options *o, struct arena *a, struct event **out,
    uint32_t *n, struct err *err)
{
    struct draft d;
    *out = NULL;
    *n = 0;
    int rc = draft_init(&d, s, db, o, a, err);
    if (rc != 0)
        return err_wrap(err, rc, "draft hypotheses");
    rc = configurations_add(&d, o->from_insights ? db : NULL, o->before, err);
    if (rc == 0)
        rc = known_read(&d, o->from_insights ? db : NULL, o->before, err);
    if (rc == 0 && o->from_research)
        rc = papers_read(&d, o, err);
    if (rc != 0)
        return err_wrap(err, rc, "draft hypotheses");
    if (o->from_insights)
        candidates_from_knobs(&d.pool);
    if (o->from_research)
        candidates_from_techniques(&d.pool, o->before, o->has);
    for (uint32_t i = 0; i < d.pool.n; i++)
        candidate_predict(&d, &d.pool.item[i]);
    uint32_t max = draft_limit(s, o), taken[2] = {0, 0};
    *out = arena_alloc(a, max * sizeof **out);
    struct candidate *x;
    while (*n < max && (x = next_choice(&d, taken)) != NULL) {
        taken[x->source == SOURCE_RESEARCH]++;
        event_fill(&d, x, &(*out)[(*n)++]);
    }
    for (uint32_t h = 0; h < HOOKS_MAX && *n < max; h++) {
        x = next_hook(&d, h == 0);
        if (x == NULL)
            break;
        event_fill(&d, x, &(*out)[(*n)++]);
    }
    return 0;
}

int
draft_predict(const struct spec *s, struct insights *db,
    const struct draft_options *o, const struct override *over, uint32_t n_over,
    struct draft_prediction *out, struct err *err)
{
    struct arena a = {0};
    struct draft d;
    struct history_answer x = {0};
    int rc = draft_init(&d, s, db, o, &a, err);
    if (rc == 0 && n_over > 0) {
        struct move m;
        const struct override *last = &over[n_over - 1];
        move_of(&m, &s->knob[last->knob], last->value);
        knob_ask(&d, last->knob, &m, NULL, 0, &x);
        enabling_add(&d, over, n_over - 1, &x);
        struct calibration_key key = {SOURCE_ENGINEER,
            concept_name(s->knob[last->knob].concept), d.family, s->model};
        calibration_apply(d.history.calibration, &key, &x.p.mean, &x.p.sd);
        *out = x.p;
        out->mean *= d.unit;
        out->sd *= spread_of(&d, &x);
    } else if (rc == 0) {
        *out = (struct draft_prediction){
            0, BASE_RATE_SD * d.spread, 0, DRAFT_BASE_RATE};
    }
    arena_fini(&a);
    return rc;
}
