/* Knob values and configurations: domains, conditions, scales, texts. Called
 * by every stage that makes or reads a configuration. Invariant: config_canon
 * gives one representation to every run that would be the same. */
#include "core/spec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
config_default(const struct spec *s, struct config *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t k = 0; k < s->n_knobs; k++)
        out->v[k] = s->knob[k].deflt;
}

static bool
cond_eval(const struct cond *op, const struct config *c)
{
    double v = c->v[op->knob];
    switch (op->op) {
    case COND_EQ:
        return v == op->value;
    case COND_NE:
        return v != op->value;
    case COND_HAS:
        return ((uint64_t)v >> (unsigned)op->value & 1) != 0;
    default:
        return true;
    }
}

bool
knob_is_active(const struct spec *s, const struct config *c, uint32_t k)
{
    const struct knob *knob = &s->knob[k];
    bool stack[COND_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < knob->n_when; i++) {
        const struct cond *op = &knob->when[i];
        if (op->op == COND_NOT && n >= 1) {
            stack[n - 1] = !stack[n - 1];
        } else if ((op->op == COND_AND || op->op == COND_OR) && n >= 2) {
            bool b = stack[--n];
            stack[n - 1] =
                op->op == COND_AND ? stack[n - 1] && b : stack[n - 1] || b;
        } else {
            stack[n++] = cond_eval(op, c);
        }
    }
    return n == 0 || stack[n - 1];
}

void
config_canon(const struct spec *s, struct config *c)
{
    /* A knob may depend on one that itself is inactive: repeat until still.
     * Each round fixes at least one knob, so n_knobs rounds are enough. */
    for (uint32_t round = 0; round <= s->n_knobs; round++) {
        bool moved = false;
        for (uint32_t k = 0; k < s->n_knobs; k++) {
            if (c->v[k] == s->knob[k].deflt || knob_is_active(s, c, k))
                continue;
            c->v[k] = s->knob[k].deflt;
            moved = true;
        }
        if (!moved)
            return;
    }
}

bool
config_equal(
    const struct spec *s, const struct config *a, const struct config *b)
{
    for (uint32_t k = 0; k < s->n_knobs; k++)
        if (a->v[k] != b->v[k])
            return false;
    return a->patches == b->patches;
}

bool
knob_accepts(const struct knob *k, double v)
{
    if (!isfinite(v))
        return false;
    switch (k->kind) {
    case KNOB_FLOAT:
        return v >= k->lo && v <= k->hi;
    case KNOB_INT:
        return v >= k->lo && v <= k->hi && v == floor(v);
    case KNOB_BOOL:
        return v == 0 || v == 1;
    case KNOB_CHOICE:
    case KNOB_LIST:
        return v >= 0 && v < (double)k->n_values && v == floor(v);
    case KNOB_SET:
        return v >= 0 && v < ldexp(1, (int)k->n_values) && v == floor(v);
    default:
        return false;
    }
}

double
knob_to_unit(const struct knob *k, double v)
{
    double x = 0;
    switch (k->kind) {
    case KNOB_FLOAT:
    case KNOB_INT:
        if (k->hi <= k->lo)
            return 0;
        x = k->log ? log(v / k->lo) / log(k->hi / k->lo)
                   : (v - k->lo) / (k->hi - k->lo);
        break;
    case KNOB_CHOICE:
    case KNOB_LIST:
        x = k->n_values > 1 ? v / (double)(k->n_values - 1) : 0;
        break;
    case KNOB_SET:
        for (uint32_t i = 0; i < k->n_values; i++)
            x += (double)((uint64_t)v >> i & 1) / (double)k->n_values;
        break;
    default:
        x = v;
        break;
    }
    return fmin(1, fmax(0, x));
}

double
knob_from_unit(const struct knob *k, double u)
{
    u = fmin(1, fmax(0, u));
    if (k->kind == KNOB_BOOL)
        return u >= .5;
    double v = k->log ? k->lo * exp(u * log(k->hi / k->lo))
                      : k->lo + u * (k->hi - k->lo);
    if (k->kind == KNOB_INT)
        v = floor(v + .5);
    return fmin(k->hi, fmax(k->lo, v));
}

static int
set_format(const struct knob *k, double v, char *out, uint32_t cap)
{
    size_t at = 0;
    if (cap > 0)
        out[0] = '\0';
    for (uint32_t i = 0; i < k->n_values; i++) {
        if (((uint64_t)v >> i & 1) == 0)
            continue;
        int w = snprintf(at < cap ? out + at : NULL, at < cap ? cap - at : 0,
            "%s%s", at ? "," : "", k->values[i]);
        at += w > 0 ? (size_t)w : 0;
    }
    return (int)at;
}

int
knob_format(const struct knob *k, double v, char *out, uint32_t cap)
{
    if (!knob_accepts(k, v) && k->kind != KNOB_FLOAT && k->kind != KNOB_INT)
        return snprintf(out, cap, "?");
    switch (k->kind) {
    case KNOB_INT:
        return snprintf(out, cap, "%.0f", v);
    case KNOB_BOOL:
        return snprintf(out, cap, "%s", v != 0 ? "true" : "false");
    case KNOB_CHOICE:
    case KNOB_LIST:
        return snprintf(out, cap, "%s", k->values[(uint32_t)v]);
    case KNOB_SET:
        return set_format(k, v, out, cap);
    default:
        break;
    }
    /* shortest text that means the same to people: 6 digits when that is
     * exact enough, else all that are needed */
    char s[40];
    double back = NAN; /* 0 needs a round as well */
    for (int digits = 6; digits <= 17 && back != v; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        back = strtod(s, NULL);
    }
    return snprintf(out, cap, "%s", s);
}

int
spec_knob(const struct spec *s, const char *name)
{
    for (uint32_t k = 0; k < s->n_knobs; k++)
        if (strcmp(s->knob[k].name, name) == 0)
            return (int)k;
    return -1;
}

int
spec_metric(const struct spec *s, const char *name)
{
    for (uint32_t m = 0; m < s->n_metrics; m++)
        if (strcmp(s->metric[m].name, name) == 0)
            return (int)m;
    return -1;
}

bool
config_is_valid(const struct spec *s, const struct config *c)
{
    for (uint32_t k = 0; k < s->n_knobs; k++)
        if (!knob_accepts(&s->knob[k], c->v[k]))
            return false;
    if (s->n_candidates == 0)
        return true;
    for (uint32_t i = 0; i < s->n_candidates; i++) {
        struct config row;
        memcpy(row.v, s->candidate[i], sizeof row.v);
        row.patches = c->patches; /* candidates are of knobs alone */
        if (config_equal(s, &row, c))
            return true;
    }
    return false;
}

const char *
concept_name(uint32_t concept)
{
    static const char *const names[CONCEPT_COUNT] = {
#define X(name, text) text,
        CONCEPT_LIST(X)
#undef X
    };
    return names[concept < CONCEPT_COUNT ? concept : 0];
}

const char *
phase_name(uint32_t phase)
{
    static const char *const names[PHASE_COUNT] = {
        "none", "validation", "combination", "exploitation", "confirmation"};
    return names[phase < PHASE_COUNT ? phase : 0];
}

const char *
unit_name(uint32_t unit)
{
    static const char *const names[] = {
        "none", "core_hours", "gpu_hours", "usd", "trials"};
    return names[unit <= UNIT_TRIALS ? unit : 0];
}

double
metric_signed(const struct metric *m, double value)
{
    switch (m->goal) {
    case GOAL_MIN:
        return -value;
    case GOAL_TARGET:
        return -fabs(value - m->target);
    default:
        return value;
    }
}
