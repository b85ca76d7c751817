/* [metric.*] and [guardrail.*]: roles and limits into spec.metric, how they
 * are read into harvest. Called by project.c. Invariant: exactly one primary;
 * spec.metric[i] is read by harvest.source[i]; metrics come first, then
 * guardrails, each sorted by name. */
#include "project/read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
parse_goal(
    const struct reader *r, const struct metric_draft *d, struct metric *m)
{
    struct place at = place_of(d->at, "goal");
    const char *forms = "write \"max\", \"min\" or \"target:1.0\"";
    char *end;
    if (strcmp(d->goal, "max") == 0) {
        m->goal = GOAL_MAX;
    } else if (strcmp(d->goal, "min") == 0) {
        m->goal = GOAL_MIN;
    } else if (strncmp(d->goal, "target:", 7) == 0 && !d->guard) {
        m->goal = GOAL_TARGET;
        m->target = strtod(d->goal + 7, &end);
        if (end == d->goal + 7 || *end != '\0' || !isfinite(m->target))
            return read_fail(r, at, forms, "the target is no number");
    } else {
        return read_fail(r, at, d->guard ? "write \"max\" or \"min\"" : forms,
            "goal can't be \"%s\"", d->goal);
    }
    return 0;
}

/* ---- where it is read ---- */

static int
parse_pattern(const struct reader *r, const struct metric_draft *d,
    struct metric_source *s)
{
    struct place at = place_of(d->at, "pattern");
    if (d->pattern == NULL)
        return read_fail(r, place_key(d->at),
            "add pattern = \"auc {value}\", as the trainer prints it",
            "a metric from the output needs a pattern");
    if (d->key != NULL)
        return read_fail(r, place_of(d->at, "key"),
            "leave key out, or read it from jsonl or csv",
            "output has no keys");
    if (strlen(d->pattern) >= sizeof s->pattern)
        return read_fail(r, at, NULL, "a pattern has at most %zu letters",
            sizeof s->pattern - 1);
    memcpy(s->pattern, d->pattern, strlen(d->pattern) + 1);
    if (strncmp(s->pattern, "re:", 3) == 0)
        return 0; /* compiled with the others by check_expressions() */
    const char *value = strstr(s->pattern, "{value}");
    if (value == NULL)
        return read_fail(r, at, "write {value} where the number stands",
            "the pattern has no {value}");
    if (strstr(value + 1, "{value}") != NULL)
        return read_fail(r, at, "skip other numbers with *",
            "the pattern has {value} twice");
    const char *step = strstr(s->pattern, "{step}");
    if (step != NULL && strstr(step + 1, "{step}") != NULL)
        return read_fail(
            r, at, "skip other numbers with *", "the pattern has {step} twice");
    return 0;
}

static int
parse_reduce(const struct reader *r, const struct metric_draft *d,
    struct metric_source *s)
{
    const char *text = d->reduce;
    s->reduce = d->guard ? REDUCE_PRIMARY : REDUCE_LAST;
    if (text == NULL || strcmp(text, "last") == 0)
        return 0;
    if (strcmp(text, "best") == 0) {
        s->reduce = REDUCE_BEST;
        return 0;
    }
    if (strcmp(text, "primary") == 0 && !d->primary) {
        s->reduce = REDUCE_PRIMARY;
        return 0;
    }
    char *end = NULL;
    if (strncmp(text, "mean_last:", 10) == 0) {
        long n = strtol(text + 10, &end, 10);
        if (end != text + 10 && *end == '\0' && n >= 1 &&
            n <= HARVEST_MEAN_MAX) {
            s->reduce = REDUCE_MEAN_LAST;
            s->mean_n = (uint32_t)n;
            return 0;
        }
    }
    return read_fail(r, place_of(d->at, "reduce"),
        arena_printf(r->a,
            "write \"last\", \"best\", \"mean_last:N\" (N up to %d)%s",
            HARVEST_MEAN_MAX, d->primary ? "" : " or \"primary\""),
        "reduce can't be \"%s\"", text);
}

static int
parse_watch(const struct reader *r, const struct metric_draft *d,
    struct metric_source *s)
{
    const char *form =
        "write watch = { nan = \"fail\", spike = 3.0, curve = true }";
    s->nan_fail = d->primary;
    s->curve = d->primary;
    if (d->watch == NULL)
        return 0;
    if (d->watch->kind != TOML_TABLE)
        return read_fail(
            r, place_value(d->watch), form, "watch is an inline table");
    for (const struct toml *v = d->watch->child; v != NULL; v = v->next) {
        bool nan = strcmp(v->key, "nan") == 0;
        if (nan && v->kind == TOML_STR && strcmp(v->str, "fail") == 0) {
            s->nan_fail = true;
        } else if (nan && v->kind == TOML_STR &&
                   strcmp(v->str, "ignore") == 0) {
            s->nan_fail = false;
        } else if (strcmp(v->key, "spike") == 0 && toml_is_num(v) &&
                   isfinite(v->f64) && v->f64 >= 1) {
            s->spike = v->f64;
        } else if (strcmp(v->key, "curve") == 0 && v->kind == TOML_BOOL &&
                   (d->primary || !v->boolean)) {
            s->curve = v->boolean;
        } else {
            return read_fail(r, place_key(v), form,
                "watch takes nan = \"fail\" or \"ignore\", spike = a number of "
                "at least 1, and of the primary metric curve = true or false");
        }
    }
    return 0;
}

static int
parse_source(const struct reader *r, const struct metric_draft *d,
    const struct metric *m, struct metric_source *s)
{
    s->from = d->from ? d->from : FROM_JSONL;
    s->goal = m->goal;
    s->target = m->target;
    int rc = parse_reduce(r, d, s);
    if (rc == 0)
        rc = parse_watch(r, d, s);
    if (rc != 0)
        return rc;
    if (s->from == FROM_STDOUT || s->from == FROM_STDERR)
        return parse_pattern(r, d, s);
    if (d->pattern != NULL)
        return read_fail(r, place_of(d->at, "pattern"),
            "add from = \"stdout\", or use key",
            "a pattern reads output, not the metrics file");
    const char *key = d->key ? d->key : m->name;
    if (strlen(key) >= sizeof s->key || *key == '\0')
        return read_fail(r, place_of(d->at, "key"), NULL,
            "a key has 1 to %zu letters", sizeof s->key - 1);
    memcpy(s->key, key, strlen(key) + 1);
    return 0;
}

/* ---- roles ---- */

static int
parse_role(
    const struct reader *r, const struct metric_draft *d, struct metric *m)
{
    m->role = d->primary     ? METRIC_PRIMARY
              : d->role == 2 ? METRIC_SEALED
                             : METRIC_PLAIN;
    if (d->primary && d->role == 2)
        return read_fail(r, place_of(d->at, "role"),
            "search on a validation metric and seal the test metric",
            "a sealed metric can't steer the search");
    if (d->deciding && m->role != METRIC_SEALED)
        return read_fail(r, place_of(d->at, "deciding"), NULL,
            "only a sealed metric decides");
    bool given = toml_get(d->at, "min_gain") != NULL;
    if (d->primary && !given)
        return read_fail(r, place_key(d->at),
            "add min_gain = the smallest gain worth shipping",
            "the primary metric has no min_gain");
    if (given && !(d->min_gain > 0))
        return read_fail(r, place_of(d->at, "min_gain"),
            "write the smallest gain worth shipping, in the metric's unit",
            "min_gain must be above 0: a gain of 0 can't be detected");
    m->min_gain = d->min_gain;
    return 0;
}

static int
parse_limit(const struct reader *r, const struct toml *v, bool may_relate,
    struct metric *m)
{
    const char *form =
        may_relate ? "write a number or \"0.5%\"" : "write a number";
    m->limit = v->f64;
    if (v->kind == TOML_STR && may_relate) {
        char *end;
        m->limit = strtod(v->str, &end) / 100;
        m->relative = true;
        if (end == v->str || strcmp(end, "%") != 0)
            return read_fail(
                r, place_value(v), form, "\"%s\" is no percentage", v->str);
    } else if (!toml_is_num(v)) {
        return read_fail(r, place_value(v), form, "%s is %s here", v->key,
            toml_kind_name(v->kind));
    }
    if (!isfinite(m->limit) || (may_relate && m->limit < 0))
        return read_fail(r, place_value(v), form, "a limit is finite%s",
            may_relate ? " and not below 0" : "");
    return 0;
}

static int
parse_guard(const struct reader *r, struct metric_draft *d, struct metric *m)
{
    const struct {
        const struct toml *v;
        enum guard_kind kind;
    } forms[] = {
        {d->max_increase, GUARD_MAX_INCREASE},
        {d->max_drop, GUARD_MAX_DROP},
        {d->min, GUARD_MIN},
        {d->max, GUARD_MAX},
    };
    const struct toml *v = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].v == NULL)
            continue;
        if (v != NULL)
            return read_fail(r, place_key(forms[i].v),
                "write a second guardrail with another name and the same key",
                "a guardrail has one limit only");
        v = forms[i].v;
        m->guard = (uint8_t)forms[i].kind;
    }
    if (v == NULL)
        return read_fail(r, place_key(d->at),
            "add max_increase, max_drop, min or max",
            "guardrail %s has no limit", m->name);
    m->role = METRIC_GUARD;
    bool up_is_bad = m->guard == GUARD_MAX_INCREASE || m->guard == GUARD_MAX;
    if (d->goal == NULL)
        d->goal = up_is_bad ? "min" : "max";
    return parse_limit(
        r, v, m->guard == GUARD_MAX_INCREASE || m->guard == GUARD_MAX_DROP, m);
}

/* A guardrail that says nothing about its reader has that of the metric of
 * its name. */
static bool
shares_reader(
    struct reader *r, const struct metric_draft *d, uint32_t n, uint32_t i)
{
    struct harvest_spec *h = &r->p->harvest;
    const struct spec *s = &r->p->spec;
    if (d->from != 0 || d->key != NULL || d->pattern != NULL)
        return false;
    for (uint32_t j = 0; j < n; j++) {
        if (strcmp(s->metric[j].name, s->metric[i].name) == 0) {
            h->source[i] = h->source[j];
            h->source[i].reduce = REDUCE_PRIMARY;
            h->source[i].spike = 0; /* watched once */
            h->source[i].curve = false;
            return true;
        }
    }
    return false;
}

static int
parse_one(struct reader *r, const struct toml *at, bool guard, uint32_t n,
    uint32_t i, bool *deciding)
{
    struct metric *m = &r->p->spec.metric[i];
    struct metric_draft d = {.at = at, .guard = guard};
    int rc =
        read_section(r, section_find(guard ? "guardrail" : "metric"), at, &d);
    if (rc == 0)
        rc = read_name(r, at, m->name, sizeof m->name);
    if (rc == 0)
        rc = guard ? parse_guard(r, &d, m) : parse_role(r, &d, m);
    if (rc == 0)
        rc = parse_goal(r, &d, m);
    if (rc == 0 && !(guard && shares_reader(r, &d, n, i)))
        rc = parse_source(r, &d, m, &r->p->harvest.source[i]);
    *deciding = d.deciding;
    return rc;
}

static int
key_order(const void *a, const void *b)
{
    const struct toml *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static uint32_t
sorted_tables(const struct toml *all, const struct toml **at, uint32_t n)
{
    uint32_t first = n;
    for (const struct toml *t = all ? all->child : NULL;
         t != NULL && n < METRICS_MAX; t = t->next)
        at[n++] = t;
    qsort(at + first, n - first, sizeof at[0], key_order);
    return n;
}

/* ---- the whole ---- */

static int
check_primary(const struct reader *r, const struct toml *const *at, uint32_t n)
{
    struct spec *s = &r->p->spec;
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (s->metric[i].role != METRIC_PRIMARY)
            continue;
        if (found++ > 0)
            return read_fail(r, place_of(at[i], "primary"),
                "leave primary = true at one of them",
                "two metrics are primary: %s and %s",
                s->metric[s->primary].name, s->metric[i].name);
        s->primary = i;
    }
    if (found == 0)
        return read_fail(r, place_key(at[0]),
            "add primary = true and min_gain to the metric to improve",
            "no metric is primary");
    r->p->harvest.primary = s->primary;
    return 0;
}

static int
check_sealed(const struct reader *r, const struct toml *const *at,
    const bool *deciding, uint32_t n)
{
    struct spec *s = &r->p->spec;
    uint32_t found = 0, chosen = 0;
    s->sealed = s->n_metrics;
    for (uint32_t i = 0; i < n; i++) {
        if (s->metric[i].role != METRIC_SEALED)
            continue;
        found++;
        chosen += deciding[i];
        if (deciding[i] || found == 1)
            s->sealed = i;
    }
    if (found > 1 && chosen != 1)
        return read_fail(r, place_key(at[s->sealed]),
            "add deciding = true to one of them",
            "%u sealed metrics, and %s decides", found,
            chosen == 0 ? "none" : "more than one");
    return 0;
}

/* One metrics file can't be both a csv and JSON lines. */
static int
check_forms(const struct reader *r, const struct toml *const *at)
{
    const struct harvest_spec *h = &r->p->harvest;
    uint8_t form = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        uint8_t from = h->source[i].from;
        if (from != FROM_JSONL && from != FROM_CSV)
            continue;
        if (form != 0 && from != form)
            return read_fail(r, place_of(at[i], "from"), "write one form only",
                "the metrics file can't be both jsonl and csv");
        form = from;
    }
    return 0;
}

static int
check_expressions(const struct reader *r, const struct toml *const *at)
{
    const struct harvest_spec *h = &r->p->harvest;
    for (uint32_t i = 0; i < h->n; i++) {
        struct harvest_re *re;
        struct err err = {0};
        struct harvest_spec one = {.n = 1, .source = {h->source[i]}};
        if (strncmp(one.source[0].pattern, "re:", 3) != 0)
            continue;
        if (harvest_re_new(&one, &re, &err) != 0)
            return read_fail(r, place_of(at[i], "pattern"),
                "write for example 're:auc=(?<value>[0-9.]+)'", "%s", err.text);
        harvest_re_free(re);
    }
    return 0;
}

int
parse_metrics(struct reader *r)
{
    const struct toml *metrics = toml_get(r->root, "metric");
    const struct toml *guards = toml_get(r->root, "guardrail");
    const struct toml *at[METRICS_MAX] = {NULL};
    bool deciding[METRICS_MAX] = {false};
    struct spec *s = &r->p->spec;
    if (metrics->n + (guards ? guards->n : 0) > METRICS_MAX)
        return read_fail(r, place_key(metrics), NULL,
            "more than %d metrics and guardrails", METRICS_MAX);
    uint32_t n = sorted_tables(metrics, at, 0);
    if (n == 0)
        return read_fail(
            r, (struct place){0}, "add [metric.NAME]", "there is no metric");
    s->n_metrics = r->p->harvest.n = sorted_tables(guards, at, n);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < s->n_metrics; i++)
        rc = parse_one(r, at[i], i >= n, n, i, &deciding[i]);
    if (rc == 0)
        rc = check_primary(r, at, n);
    if (rc == 0)
        rc = check_sealed(r, at, deciding, n);
    if (rc == 0)
        rc = check_forms(r, at);
    return rc == 0 ? check_expressions(r, at) : rc;
}
