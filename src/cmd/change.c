/* Reads changes as the engineer writes them, NAME=VALUE with commas for
 * several, into knob codes and hypotheses. Called by try and hypothesis add;
 * a change that leaves the declared domain is refused here. */
#include "cmd/work.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "research/draft.h"

enum { CHANGES_MAX = 32, SWEEP_MAX = 32 };

static int
value_find(const struct knob *k, const char *text, size_t n)
{
    for (uint32_t i = 0; i < k->n_values; i++) {
        if (strlen(k->values[i]) == n && memcmp(k->values[i], text, n) == 0)
            return (int)i;
    }
    return -1;
}

static int
value_unknown(const struct knob *k, const char *text, struct err *err)
{
    const char *names[VALUES_MAX];
    char list[240] = "";
    for (uint32_t i = 0; i < k->n_values; i++) {
        size_t used = strlen(list);
        names[i] = k->values[i];
        snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? " " : "",
            k->values[i]);
    }
    const char *close = near_word(text, names, k->n_values);
    return err_set(err, -ERR_INPUT, "%s=%s: not one of its values (%s)%s%s%s",
        k->name, text, list, close != NULL ? ". Did you mean " : "",
        close != NULL ? close : "", close != NULL ? "?" : "");
}

/* "a,b" or "[a,b]" as a bit mask. */
static int
set_read(const struct knob *k, const char *text, double *code, struct err *err)
{
    uint64_t mask = 0;
    const char *p = text + (*text == '[');
    while (*p != '\0' && *p != ']') {
        size_t n = strcspn(p, ",]");
        int i = value_find(k, p, n);
        if (i < 0)
            return value_unknown(k, text, err);
        mask |= (uint64_t)1 << i;
        p += n + (p[n] == ',');
    }
    *code = (double)mask;
    return 0;
}

static int
number_read(
    const struct knob *k, const char *text, double *code, struct err *err)
{
    char *end = NULL;
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(x))
        return err_set(
            err, -ERR_INPUT, "%s=%s: a number is meant", k->name, text);
    if (k->kind == KNOB_INT && x != floor(x))
        return err_set(
            err, -ERR_INPUT, "%s=%s: a whole number is meant", k->name, text);
    if (!knob_accepts(k, x))
        return err_set(err, -ERR_INPUT,
            "%s=%s lies outside its range [%g, %g]\n"
            "  remedy: a value inside, or a wider range in the project file "
            "and a new approval",
            k->name, text, k->lo, k->hi);
    *code = x;
    return 0;
}

int
knob_read(const struct spec *s, uint32_t knob, const char *text, double *code,
    struct err *err)
{
    const struct knob *k = &s->knob[knob];
    if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT)
        return number_read(k, text, code, err);
    if (k->kind == KNOB_SET)
        return set_read(k, text, code, err);
    if (k->kind == KNOB_BOOL) {
        bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
        if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
            return err_set(err, -ERR_INPUT, "%s=%s: true or false is meant",
                k->name, text);
        *code = yes ? 1 : 0;
        return 0;
    }
    int i = value_find(k, text, strlen(text));
    if (i < 0)
        return value_unknown(k, text, err);
    *code = i;
    return 0;
}

static int
knob_named(
    const struct spec *s, const char *name, uint32_t *knob, struct err *err)
{
    const char *names[KNOBS_MAX];
    int i = spec_knob(s, name);
    if (i >= 0) {
        *knob = (uint32_t)i;
        return 0;
    }
    for (uint32_t k = 0; k < s->n_knobs; k++)
        names[k] = s->knob[k].name;
    const char *close = near_word(name, names, s->n_knobs);
    return err_set(err, -ERR_INPUT, "%s has no knob \"%s\"%s%s%s", s->model,
        name, close != NULL ? ". Did you mean " : "",
        close != NULL ? close : "", close != NULL ? "?" : "");
}

/* The values after one '='; a list's own text is one value though it has
 * commas. */
static int
sweep_read(struct call *call, const struct spec *s, uint32_t knob,
    const char *text, double *out, uint32_t *n, struct err *err)
{
    const struct knob *k = &s->knob[knob];
    *n = 0;
    if (k->kind == KNOB_SET || value_find(k, text, strlen(text)) >= 0) {
        *n = 1;
        return knob_read(s, knob, text, out, err);
    }
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        char *one = arena_strndup(call->arena, text, len);
        if (*n == SWEEP_MAX)
            return err_set(err, -ERR_LIMIT, "%s: more than %d values at once",
                k->name, SWEEP_MAX);
        int rc = knob_read(s, knob, one, &out[*n], err);
        if (rc != 0)
            return rc;
        (*n)++;
        text += len + (text[len] == ',');
    }
    if (*n == 0)
        return err_set(err, -ERR_INPUT, "%s= needs a value", k->name);
    return 0;
}

int
changes_read(struct call *call, const struct spec *s, const char *const *words,
    uint32_t n, struct change **out, uint32_t *n_out, struct err *err)
{
    struct change *list = arena_alloc(call->arena, sizeof(*list) * CHANGES_MAX);
    uint32_t count = 1;
    for (uint32_t i = 0; i < n; i++) {
        const char *eq = strchr(words[i], '=');
        double v[SWEEP_MAX];
        uint32_t knob = 0, n_v = 0;
        if (eq == NULL)
            return err_set(err, -ERR_INPUT,
                "\"%s\": NAME=VALUE is meant, as in lr=0.02,0.05", words[i]);
        if (i == OVERRIDES_MAX)
            return err_set(err, -ERR_LIMIT, "one idea changes at most %d knobs",
                OVERRIDES_MAX);
        char *name =
            arena_strndup(call->arena, words[i], (size_t)(eq - words[i]));
        int rc = knob_named(s, name, &knob, err);
        if (rc == 0)
            rc = sweep_read(call, s, knob, eq + 1, v, &n_v, err);
        if (rc != 0)
            return rc;
        if (count * n_v > CHANGES_MAX)
            return err_set(err, -ERR_LIMIT,
                "that makes more than %d ideas at once", CHANGES_MAX);
        for (uint32_t j = count * n_v; j-- > 0;) {
            struct change c = list[j % count];
            c.over[c.n_over].knob = knob;
            c.over[c.n_over++].value = v[j / count];
            list[j] = c;
        }
        count *= n_v;
    }
    *out = list;
    *n_out = count;
    return 0;
}

int
change_event(struct call *call, const struct spec *s, struct insights *db,
    const struct change *c, const char *statement, const char *why,
    struct event *out, struct err *err)
{
    struct draft_options o = {.from_insights = true, .from_research = true};
    struct draft_prediction p;
    struct config base, with;
    config_default(s, &base);
    with = base;
    for (uint32_t i = 0; i < c->n_over; i++)
        with.v[c->over[i].knob] = c->over[i].value;
    config_canon(s, &with);
    if (config_equal(s, &base, &with))
        return err_set(err, -ERR_INPUT, "%s: that is the baseline itself",
            change_text_in(call->arena, s, c->over, c->n_over));
    if (!config_is_valid(s, &with))
        return err_set(err, -ERR_INPUT,
            "%s: not among the declared candidates of [space]",
            change_text_in(call->arena, s, c->over, c->n_over));
    int rc = draft_predict(s, db, &o, c->over, c->n_over, &p, err);
    if (rc != 0)
        return rc;
    *out = (struct event){.kind = EVENT_hypothesis_added,
        .source = SOURCE_ENGINEER,
        .n_over = c->n_over,
        .mean = p.mean,
        .sd = p.sd,
        .score = 1,
        .by = work_user(call),
        .rationale = why,
        .key = change_key_in(call->arena, s, c->over, c->n_over)};
    memcpy(out->over, c->over, sizeof(c->over[0]) * c->n_over);
    out->statement = statement != NULL
                         ? statement
                         : change_text_in(call->arena, s, c->over, c->n_over);
    return 0;
}
