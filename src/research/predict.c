/* Predictions of whole configurations. Called by the verbs that plan and by
 * the bench. Invariant: the same rows in the same order give the same
 * predictions; what was never seen predicts 0. */
#include "research/predict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "math/effects.h"
#include "research/move.h"

enum { SLOTS = 1 << 16, TERMS_MAX = 512, KEY_LEN = 160 };

/* Observations that the guess "no effect" is worth, by the kind of effect:
 * place, model, a knob's value, the two together, a knob's slope, and that in
 * one model. Chosen on recorded trials by the regret of the best predicted
 * candidates: docs/decisions/0003-predictions.md. */
static const double ridge_of[] = {
    ['d'] = 1, ['m'] = 20, ['v'] = 80, ['i'] = 40, ['s'] = 40, ['t'] = 40};

/* What the effects leave, in a place that was never seen: its own share of a
 * configuration, and as much again for how the place differs. 80 % intervals
 * then cover 75 % of the candidates of unseen families. */
static const double OWN_SHARES = 2;

struct predictor {
    struct arena a;
    const char *slot[SLOTS]; /* open addressing by hash */
    uint32_t id[SLOTS];
    double *ridge, *effect, *var;
    double s2; /* of what the effects leave */
    uint32_t n_features, cap_features;
    uint32_t n_rows, cap_rows, n_terms, cap_terms;
    struct effects_term *term;
    uint32_t *row_at;
    double *y, *weight;
};

struct terms {
    struct effects_term at[TERMS_MAX];
    uint32_t n;
    double unseen; /* sum x^2 / ridge of features that no row holds */
};

struct predictor *
predictor_new(void)
{
    return mem_calloc(1, sizeof(struct predictor));
}

void
predictor_free(struct predictor *p)
{
    if (p == NULL)
        return;
    free(p->ridge);
    free(p->effect);
    free(p->var);
    free(p->term);
    free(p->row_at);
    free(p->y);
    free(p->weight);
    arena_fini(&p->a);
    free(p);
}

uint32_t
predictor_rows(const struct predictor *p)
{
    return p->n_rows;
}

/* ---- features ---- */

/* Slot of a name: where it is, or where it would be put. SLOTS: full. */
static uint32_t
slot_find(const struct predictor *p, const char *name)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (const char *s = name; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    for (uint32_t i = 0; i < SLOTS - 1; i++) {
        uint32_t at = (uint32_t)((h + i) % SLOTS);
        if (p->slot[at] == NULL || strcmp(p->slot[at], name) == 0)
            return at;
    }
    return SLOTS;
}

static void
feature_add(struct predictor *p, uint32_t slot, const char *name)
{
    if (p->n_features == p->cap_features) {
        p->cap_features = p->cap_features ? 2 * p->cap_features : 1024;
        p->ridge = mem_realloc(p->ridge, p->cap_features * sizeof *p->ridge);
    }
    p->slot[slot] = arena_strdup(&p->a, name);
    p->id[slot] = p->n_features;
    p->ridge[p->n_features++] = ridge_of[(unsigned char)name[0]];
}

static void
term_add(struct predictor *learn, const struct predictor *p, struct terms *t,
    double x, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* learn is p where new features are added, NULL where p is only asked. */
static void
term_add(struct predictor *learn, const struct predictor *p, struct terms *t,
    double x, const char *fmt, ...)
{
    char name[KEY_LEN];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    uint32_t slot = slot_find(p, name);
    bool known = slot < SLOTS && p->slot[slot] != NULL;
    if (!known && (learn == NULL || slot == SLOTS)) {
        t->unseen += x * x / ridge_of[(unsigned char)name[0]];
        return;
    }
    if (!known)
        feature_add(learn, slot, name);
    if (t->n < TERMS_MAX)
        t->at[t->n++] = (struct effects_term){p->id[slot], x};
}

static void
knob_key(const struct predict_value *v, char out[NAME_LEN])
{
    char plain[VALUE_LEN];
    word_plain(v->knob, plain);
    snprintf(out, NAME_LEN, "%s",
        v->concept != CONCEPT_NONE ? concept_name(v->concept) : plain);
}

/* One knob's value: its effect anywhere, its effect in this model, slopes. */
static void
value_terms(struct predictor *learn, const struct predictor *p, struct terms *t,
    const char *model, const struct predict_value *v, double sign)
{
    char knob[NAME_LEN], value[VALUE_LEN], *end;
    if (v->text[0] == '\0')
        return;
    double number = strtod(v->text, &end);
    bool plain = end != v->text && *end == '\0' && isfinite(number);
    knob_key(v, knob);
    word_plain(v->text, value);
    if (plain)
        snprintf(value, sizeof value, "%.5g", number);
    term_add(learn, p, t, sign, "v%s=%s", knob, value);
    term_add(learn, p, t, sign, "i%s|%s=%s", model, knob, value);
    if (!plain)
        return;
    /* size of the logarithm: bounded for any unit, and 0 has a place */
    double x =
        number == 0 ? -1 : .1 * log(fabs(number)) * (number < 0 ? -1 : 1);
    term_add(learn, p, t, sign * x, "s%s", knob);
    term_add(learn, p, t, sign * x, "t%s|%s", model, knob);
}

static void
config_terms(struct predictor *learn, const struct predictor *p,
    struct terms *t, const char *model, const struct predict_value *v,
    uint32_t n)
{
    char family[VALUE_LEN];
    word_plain(model, family);
    term_add(learn, p, t, 1, "m%s", family);
    for (uint32_t i = 0; i < n; i++)
        value_terms(learn, p, t, family, &v[i], 1);
}

/* ---- teaching ---- */

static void
row_add(struct predictor *p, const struct terms *t, double y, double weight)
{
    if (p->n_rows + 2 > p->cap_rows) {
        p->cap_rows = p->cap_rows ? 2 * p->cap_rows : 1024;
        p->y = mem_realloc(p->y, p->cap_rows * sizeof *p->y);
        p->weight = mem_realloc(p->weight, p->cap_rows * sizeof *p->weight);
        p->row_at = mem_realloc(p->row_at, p->cap_rows * sizeof *p->row_at);
    }
    if (p->n_terms + t->n > p->cap_terms) {
        p->cap_terms = 2 * p->cap_terms + 16384;
        p->term = mem_realloc(p->term, p->cap_terms * sizeof *p->term);
    }
    p->row_at[p->n_rows] = p->n_terms;
    memcpy(p->term + p->n_terms, t->at, t->n * sizeof t->at[0]);
    p->n_terms += t->n;
    p->y[p->n_rows] = y;
    p->weight[p->n_rows++] = weight;
    p->row_at[p->n_rows] = p->n_terms;
}

void
predictor_trial(struct predictor *p, const char *place, const char *model,
    const struct predict_value *v, uint32_t n, double y, double weight)
{
    struct terms t = {.n = 0};
    term_add(p, p, &t, 1, "d%s", place);
    config_terms(p, p, &t, model, v, n);
    row_add(p, &t, y, weight);
}

void
predictor_change(struct predictor *p, const char *model,
    const struct predict_value *from, const char *to, double d, double weight)
{
    struct terms t = {.n = 0};
    struct predict_value after = {from->knob, from->concept, to};
    char family[VALUE_LEN], word[VALUE_LEN];
    if (from->concept == CONCEPT_MODEL) {
        word_plain(from->text, word);
        term_add(p, p, &t, -1, "m%s", word);
        word_plain(to, word);
        term_add(p, p, &t, 1, "m%s", word);
    } else {
        word_plain(model, family);
        value_terms(p, p, &t, family, from, -1);
        value_terms(p, p, &t, family, &after, 1);
    }
    row_add(p, &t, d, weight);
}

void
predictor_fit(struct predictor *p)
{
    struct effects_in in = {p->n_rows, p->n_features, p->row_at, p->term, p->y,
        p->weight, p->ridge};
    if (p->n_rows == 0)
        return;
    p->effect = mem_realloc(p->effect, p->n_features * sizeof *p->effect);
    p->var = mem_realloc(p->var, p->n_features * sizeof *p->var);
    void *scratch = mem_calloc(1, effects_scratch(&in));
    p->s2 = effects_fit(&in, p->effect, p->var, scratch);
    free(scratch);
}

double
predictor_ask(const struct predictor *p, const char *model,
    const struct predict_value *v, uint32_t n, double *sd)
{
    struct terms t = {.n = 0};
    double mean = 0;
    config_terms(NULL, p, &t, model, v, n);
    double var = p->s2 * (OWN_SHARES + t.unseen);
    for (uint32_t i = 0; i < t.n && p->effect != NULL; i++) {
        mean += p->effect[t.at[i].at] * t.at[i].x;
        var += p->var[t.at[i].at] * t.at[i].x * t.at[i].x;
    }
    if (sd != NULL)
        *sd = sqrt(var);
    return mean;
}
