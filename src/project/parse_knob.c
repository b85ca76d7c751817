/* [knob.*]: domains and defaults into spec.knob, spelling into project.knob.
 * Called by project.c. Invariant: a knob that passes has a default inside a
 * domain that the engine can search. */
#include "project/read.h"

#include "base/near.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_number_knob(const struct knob *k)
{
    return k->kind == KNOB_FLOAT || k->kind == KNOB_INT;
}

/* ---- values as text ---- */

/* Numbers are written one way, whatever form the file has (1e-3, 0x10), so
 * that they can be passed on and compared. */
static void
put_plain(const struct reader *r, const struct toml *v, struct buf *out)
{
    if (v->kind == TOML_INT)
        buf_printf(out, "%lld", (long long)v->i64);
    else if (v->kind == TOML_FLOAT)
        buf_put_f64(out, v->f64);
    else if (v->kind == TOML_STR)
        buf_add(out, v->str, v->str_len);
    else
        buf_add(out, r->p->text + v->begin, v->end - v->begin);
}

static int
put_value(
    const struct reader *r, const struct toml *v, bool list, struct buf *out)
{
    if (!list || v->kind != TOML_ARRAY) {
        put_plain(r, v, out);
        return v->kind == TOML_STR || v->kind == TOML_BOOL || toml_is_num(v)
                   ? 0
                   : read_fail(r, place_value(v), NULL, "a value can't be %s",
                         toml_kind_name(v->kind));
    }
    for (const struct toml *c = v->child; c != NULL; c = c->next) {
        if (c->kind != TOML_STR && !toml_is_num(c))
            return read_fail(r, place_value(c), "use numbers or strings",
                "%s can't be part of a list value", toml_kind_name(c->kind));
        if (out->len > 0)
            buf_putc(out, ',');
        put_plain(r, c, out);
    }
    return 0;
}

/* A list's value: [128, 64] and "128,64" are the same. */
static int
text_of(const struct reader *r, const struct toml *v, bool list,
    char out[VALUE_LEN])
{
    struct buf b = {0};
    int rc = put_value(r, v, list, &b);
    memset(out, 0, VALUE_LEN);
    if (rc == 0 &&
        (b.len >= VALUE_LEN || strcspn(buf_str(&b), "\n\r") != b.len))
        rc = read_fail(r, place_value(v), "use a shorter name for it",
            "a value has at most %d letters, on one line", VALUE_LEN - 1);
    if (rc == 0 && b.len > 0)
        memcpy(out, b.data, b.len);
    buf_fini(&b);
    return rc;
}

static int
value_find(const struct knob *k, const char *text)
{
    for (uint32_t i = 0; i < k->n_values; i++) {
        if (strcmp(k->values[i], text) == 0)
            return (int)i;
    }
    return -1;
}

static const char *
values_hint(const struct reader *r, const struct knob *k, const char *text)
{
    const char *list[VALUES_MAX];
    struct buf all = {0};
    for (uint32_t i = 0; i < k->n_values; i++) {
        list[i] = k->values[i];
        buf_printf(&all, "%s\"%s\"", i ? ", " : "", list[i]);
    }
    char *known = arena_printf(r->a, "known values: %s", buf_str(&all));
    buf_fini(&all);
    return read_hint(r, text, list, k->n_values, known);
}

/* ---- codes ---- */

static int
code_of_number(const struct reader *r, const struct knob *k,
    const struct toml *v, double *code)
{
    bool whole = k->kind == KNOB_INT;
    if (!toml_is_num(v) || !isfinite(v->f64) ||
        (whole && v->f64 != floor(v->f64)))
        return read_fail(r, place_value(v), NULL,
            "knob %s is a%s, so this must be a %s", k->name,
            whole ? "n int" : " float", whole ? "whole number" : "number");
    if (v->f64 < k->lo || v->f64 > k->hi)
        return read_fail(r, place_value(v),
            "choose a value inside the range, or widen the range",
            "%g lies outside the range [%g, %g] of knob %s", v->f64, k->lo,
            k->hi, k->name);
    *code = v->f64;
    return 0;
}

static int
code_of_set(const struct reader *r, const struct knob *k, const struct toml *v,
    double *code)
{
    uint32_t mask = 0;
    if (v->kind != TOML_ARRAY)
        return read_fail(r, place_value(v), "write it as [\"a\", \"b\"]",
            "knob %s is a set, so its value is an array", k->name);
    for (const struct toml *c = v->child; c != NULL; c = c->next) {
        char text[VALUE_LEN];
        int rc = text_of(r, c, false, text);
        if (rc != 0)
            return rc;
        int i = value_find(k, text);
        if (i < 0)
            return read_fail(r, place_value(c), values_hint(r, k, text),
                "\"%s\" is no value of knob %s", text, k->name);
        mask |= (uint32_t)1 << i;
    }
    *code = mask;
    return 0;
}

int
knob_code(const struct reader *r, const struct knob *k, const struct toml *v,
    double *code)
{
    if (is_number_knob(k))
        return code_of_number(r, k, v, code);
    if (k->kind == KNOB_SET)
        return code_of_set(r, k, v, code);
    if (k->kind == KNOB_BOOL) {
        if (v->kind != TOML_BOOL)
            return read_fail(r, place_value(v), "write true or false",
                "knob %s is a bool", k->name);
        *code = v->boolean ? 1 : 0;
        return 0;
    }
    char text[VALUE_LEN];
    int rc = text_of(r, v, k->kind == KNOB_LIST, text);
    if (rc != 0)
        return rc;
    int i = value_find(k, text);
    if (i < 0)
        return read_fail(r, place_value(v), values_hint(r, k, text),
            "\"%s\" is no value of knob %s", text, k->name);
    *code = i;
    return 0;
}

static int
set_code_text(const struct knob *k, const char *text, double *code)
{
    uint32_t mask = 0;
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        char one[VALUE_LEN] = {0};
        if (n >= VALUE_LEN)
            return -1;
        memcpy(one, text, n);
        int i = value_find(k, one);
        if (i < 0)
            return -1;
        mask |= (uint32_t)1 << i;
        text += n + (text[n] == ',');
    }
    *code = mask;
    return 0;
}

int
knob_code_text(
    const struct knob *k, const char *text, double *code, const char **why)
{
    char *end;
    int i;
    switch (k->kind) {
    case KNOB_FLOAT:
    case KNOB_INT:
        *code = strtod(text, &end);
        *why = "is no number of its domain";
        return *text != '\0' && *end == '\0' && isfinite(*code) &&
                       *code >= k->lo && *code <= k->hi &&
                       (k->kind == KNOB_FLOAT || *code == floor(*code))
                   ? 0
                   : -1;
    case KNOB_BOOL:
        *why = "is neither true nor false";
        *code = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
        return *code != 0 || strcmp(text, "false") == 0 ||
                       strcmp(text, "0") == 0
                   ? 0
                   : -1;
    case KNOB_SET:
        *why = "is no subset of its values";
        return set_code_text(k, text, code);
    default:
        *why = "is none of its values";
        i = value_find(k, text);
        *code = i;
        return i >= 0 ? 0 : -1;
    }
}

/* ---- one knob ---- */

static int
parse_range(const struct reader *r, const struct knob_draft *d, struct knob *k)
{
    const struct toml *v = d->range;
    if (v == NULL)
        return read_fail(r, place_key(d->at), "add range = [lowest, highest]",
            "knob %s has no range", k->name);
    if (v->kind != TOML_ARRAY || v->n != 2 || !toml_is_num(v->child) ||
        !toml_is_num(v->last) || !isfinite(v->child->f64) ||
        !isfinite(v->last->f64))
        return read_fail(r, place_value(v), "write range = [lowest, highest]",
            "a range is two finite numbers");
    k->lo = v->child->f64;
    k->hi = v->last->f64;
    k->log = d->scale == 2;
    if (k->kind == KNOB_INT &&
        (k->lo != floor(k->lo) || k->hi != floor(k->hi) || fabs(k->lo) > 9e15 ||
            fabs(k->hi) > 9e15))
        return read_fail(r, place_value(v), "use whole numbers below 9e15",
            "the range of int knob %s is not whole", k->name);
    if (k->lo > k->hi)
        return read_fail(r, place_value(v),
            arena_printf(r->a, "write range = [%g, %g]", k->hi, k->lo),
            "the range of knob %s is reversed", k->name);
    if (k->lo == k->hi)
        return read_fail(r, place_value(v),
            "widen the range, or write the value into the command",
            "the range of knob %s holds one value only", k->name);
    if (k->log && k->lo <= 0)
        return read_fail(r, place_value(v),
            "begin the range above 0, or use scale = \"linear\"",
            "a log scale can't reach %g: knob %s", k->lo, k->name);
    return 0;
}

static int
parse_values(const struct reader *r, const struct knob_draft *d, struct knob *k,
    struct project_knob *extra)
{
    const struct toml *v = d->values;
    if (v == NULL || v->kind != TOML_ARRAY || v->n == 0)
        return read_fail(r, v ? place_value(v) : place_key(d->at),
            "add values = [\"a\", \"b\"]", "knob %s has no values", k->name);
    if (v->n > VALUES_MAX)
        return read_fail(r, place_value(v), "split the knob",
            "knob %s has more than %d values", k->name, VALUES_MAX);
    for (const struct toml *c = v->child; c != NULL; c = c->next) {
        char text[VALUE_LEN];
        int rc = text_of(r, c, k->kind == KNOB_LIST, text);
        if (rc != 0)
            return rc;
        if (value_find(k, text) >= 0)
            return read_fail(r, place_value(c), "leave one of them out",
                "knob %s has the value \"%s\" twice", k->name, text);
        if (k->kind == KNOB_SET && strchr(text, ',') != NULL)
            return read_fail(r, place_value(c), "use another name",
                "a member of a set can't hold a comma");
        uint32_t bit = (uint32_t)1 << k->n_values;
        extra->num_mask |= toml_is_num(c) ? bit : 0;
        extra->bool_mask |= c->kind == TOML_BOOL ? bit : 0;
        memcpy(k->values[k->n_values++], text, VALUE_LEN);
    }
    return 0;
}

static int
parse_domain(const struct reader *r, const struct knob_draft *d, struct knob *k,
    struct project_knob *extra)
{
    static const char *const needs[] = {
        "", "range", "range", "nothing", "values", "values", "values"};
    const struct toml *odd = is_number_knob(k) ? d->values : d->range;
    if (k->kind == KNOB_BOOL && odd == NULL)
        odd = d->values;
    if (odd != NULL)
        return read_fail(r, place_key(odd),
            arena_printf(r->a, "a knob of this type takes %s", needs[k->kind]),
            "%s makes no sense for knob %s", odd->key, k->name);
    if (d->scale != 0 && !is_number_knob(k))
        return read_fail(r, place_of(d->at, "scale"), "leave scale out",
            "only float and int knobs have a scale");
    if (is_number_knob(k))
        return parse_range(r, d, k);
    if (k->kind == KNOB_BOOL) {
        k->hi = 1;
        return 0;
    }
    return parse_values(r, d, k, extra);
}

static int
parse_tags(const struct reader *r, const struct knob_draft *d, struct knob *k)
{
    size_t used = 0;
    if (d->tags == NULL)
        return 0;
    if (d->tags->kind != TOML_ARRAY)
        return read_fail(r, place_value(d->tags), "write tags = [\"a\", \"b\"]",
            "tags is an array of words");
    for (const struct toml *c = d->tags->child; c != NULL; c = c->next) {
        if (c->kind != TOML_STR || used + c->str_len + 2 > TAGS_LEN ||
            strcspn(c->str, " \t\n") != c->str_len || c->str_len == 0)
            return read_fail(r, place_value(c),
                arena_printf(
                    r->a, "use short words, %d letters in all", TAGS_LEN - 1),
                "this is no tag");
        if (used > 0)
            k->tags[used++] = ' ';
        memcpy(k->tags + used, c->str, c->str_len);
        used += c->str_len;
    }
    return 0;
}

static int
parse_spelling(const struct reader *r, const struct knob_draft *d,
    const struct knob *k, struct project_knob *extra)
{
    extra->style = d->style;
    extra->flag = d->flag;
    if (d->style == STYLE_SWITCH && k->kind != KNOB_BOOL)
        return read_fail(r, place_of(d->at, "style"),
            "make it a bool, or use another style",
            "only a bool knob can be a switch");
    if (d->flag != NULL && strcspn(d->flag, " \t\n=") != strlen(d->flag))
        return read_fail(r, place_of(d->at, "flag"),
            "write the flag alone, as in \"--other-name\"",
            "a flag can't hold blanks or =");
    return 0;
}

static int
parse_knob(const struct reader *r, const struct toml *at, struct knob *k,
    struct project_knob *extra)
{
    struct knob_draft d = {.at = at};
    int rc = read_section(r, section_find("knob"), at, &d);
    if (rc == 0)
        rc = read_name(r, at, k->name, sizeof k->name);
    if (rc != 0)
        return rc;
    k->kind = d.type;
    if (d.doc != NULL)
        snprintf(k->doc, sizeof k->doc, "%s", d.doc);
    rc = parse_domain(r, &d, k, extra);
    if (rc == 0)
        rc = knob_code(r, k, d.deflt, &k->deflt);
    if (rc == 0)
        rc = parse_tags(r, &d, k);
    if (rc == 0)
        rc = parse_spelling(r, &d, k, extra);
    k->concept = (uint8_t)concept_find(k->name, k->tags, k->doc);
    return rc;
}

static int
key_order(const void *a, const void *b)
{
    const struct toml *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static int
check_names(const struct reader *r, const struct toml *const *at, uint32_t n)
{
    const char *seed = r->p->train.seed_flag;
    for (uint32_t i = 0; i < n; i++) {
        if (seed != NULL && strcmp(seed, at[i]->key) == 0)
            return read_fail(r, place_key(at[i]),
                "leave this knob out: each trial gets a seed of its own",
                "the seed is no knob, [train] seed = \"%s\" passes it", seed);
    }
    return 0;
}

int
parse_knobs(struct reader *r)
{
    const struct toml *all = toml_get(r->root, "knob");
    const struct toml *at[KNOBS_MAX];
    struct spec *s = &r->p->spec;
    if (all->n > KNOBS_MAX)
        return read_fail(
            r, place_key(all), NULL, "more than %d knobs", KNOBS_MAX);
    for (const struct toml *t = all->child; t != NULL; t = t->next)
        at[s->n_knobs++] = t;
    qsort(at, s->n_knobs, sizeof at[0], key_order);
    int rc = check_names(r, at, s->n_knobs);
    for (uint32_t i = 0; rc == 0 && i < s->n_knobs; i++)
        rc = parse_knob(r, at[i], &s->knob[i], &r->p->knob[i]);
    for (uint32_t i = 0; rc == 0 && i < s->n_knobs; i++) {
        const struct toml *when = toml_get(at[i], "when");
        if (when != NULL)
            rc = when_parse(r, &s->knob[i], when);
    }
    return rc == 0 ? when_cycles(r) : rc;
}
