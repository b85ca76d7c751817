/* Checks a value against a schema of the subset in schema.h. Called for every
 * reply of a model and every call of a tool. Invariant: what is not understood
 * is refused, and the work is bounded (depth, pattern steps). */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/schema.h"

#include <math.h>
#include <pcre2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    MATCH_STEPS_MAX = 100000,
    PATTERN_BYTES_MAX = 1000,
    PATH_MAX_BYTES = 240,
    MEMBERS_MAX = 4096
};

static const char *const kind_names[] = {"nothing", "null", "boolean",
    "integer", "number", "string", "array", "object"};

static bool
is_whole(const struct json *v)
{
    double x = json_num(v, NAN);
    return json_kind(v) == J_INT ||
           (json_kind(v) == J_REAL && isfinite(x) && floor(x) == x);
}

static bool
has_type(const struct json *v, const char *type)
{
    enum json_kind k = json_kind(v);
    if (strcmp(type, "number") == 0)
        return json_is_num(v);
    if (strcmp(type, "integer") == 0)
        return is_whole(v);
    return strcmp(type, kind_names[k]) == 0;
}

/* ---- is it a schema? ---- */

static int check_at(const struct json *s, unsigned depth, struct err *err);

static bool
is_type_name(const struct json *t)
{
    const char *name = json_str(t);
    for (size_t i = 1; name != NULL && i < 8; i++)
        if (strcmp(name, kind_names[i]) == 0)
            return true;
    return false;
}

static int
check_type(const struct json *v, struct err *err)
{
    bool ok = is_type_name(v);
    if (json_kind(v) == J_ARR) {
        ok = json_len(v) > 0;
        for (size_t i = 0; i < json_len(v); i++)
            ok = ok && is_type_name(json_at(v, i));
    }
    return ok ? 0 : err_set(err, -ERR_INPUT, "type: no known type");
}

static pcre2_code *
pattern_compile(const struct json *v)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    if (json_kind(v) != J_STR || json_str_len(v) > PATTERN_BYTES_MAX)
        return NULL;
    return pcre2_compile((PCRE2_SPTR)json_str(v), json_str_len(v),
        PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
}

static int
check_pattern(const struct json *v, struct err *err)
{
    pcre2_code *re = pattern_compile(v);
    if (re == NULL)
        return err_set(err, -ERR_INPUT, "pattern: no regular expression");
    pcre2_code_free(re);
    return 0;
}

static int
check_children(
    const struct json *v, const char *word, unsigned depth, struct err *err)
{
    bool list = strcmp(word, "anyOf") == 0;
    if (json_kind(v) != (list ? J_ARR : J_OBJ) || (list && json_len(v) == 0))
        return err_set(err, -ERR_INPUT, "%s: of another kind", word);
    for (size_t i = 0; i < json_len(v); i++) {
        const char *key = "";
        const struct json *c = list ? json_at(v, i) : json_member(v, i, &key);
        int rc = check_at(c, depth + 1, err);
        if (rc != 0)
            return err_wrap(err, rc, "%s/%s", word, key);
    }
    return 0;
}

static int
check_word(
    const char *word, const struct json *v, unsigned depth, struct err *err)
{
    static const char *const silent[] = {
        "title", "description", "default", "examples", "$schema", "const"};
    static const char *const limits[] = {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
    static const char *const counts[] = {
        "minItems", "maxItems", "minLength", "maxLength"};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (strcmp(word, silent[i]) == 0)
            return 0;
    bool limit = false, count = false;
    for (size_t i = 0; i < 4; i++) {
        limit = limit || strcmp(word, limits[i]) == 0;
        count = count || strcmp(word, counts[i]) == 0;
    }
    if (limit || count) {
        bool ok = limit ? json_is_num(v) : json_i64(v, -1) >= 0;
        return ok ? 0 : err_set(err, -ERR_INPUT, "%s: no number for it", word);
    }
    if (strcmp(word, "type") == 0)
        return check_type(v, err);
    if (strcmp(word, "properties") == 0 || strcmp(word, "anyOf") == 0)
        return check_children(v, word, depth, err);
    if (strcmp(word, "required") == 0 || strcmp(word, "enum") == 0) {
        bool ok = json_kind(v) == J_ARR && (json_len(v) > 0 || *word == 'r');
        for (size_t i = 0; *word == 'r' && i < json_len(v); i++)
            ok = ok && json_str(json_at(v, i)) != NULL;
        return ok ? 0 : err_set(err, -ERR_INPUT, "%s: no list for it", word);
    }
    if (strcmp(word, "items") == 0)
        return check_at(v, depth + 1, err);
    if (strcmp(word, "additionalProperties") == 0)
        return json_kind(v) == J_BOOL ? 0 : check_at(v, depth + 1, err);
    if (strcmp(word, "pattern") == 0)
        return check_pattern(v, err);
    return err_set(err, -ERR_INPUT, "%s: a keyword that is not checked", word);
}

static int
check_at(const struct json *s, unsigned depth, struct err *err)
{
    if (depth > SCHEMA_DEPTH_MAX)
        return err_set(err, -ERR_INPUT, "a schema nested too deeply");
    if (json_kind(s) == J_BOOL)
        return 0;
    if (json_kind(s) != J_OBJ)
        return err_set(err, -ERR_INPUT, "a schema is an object");
    for (size_t i = 0; i < json_len(s); i++) {
        const char *word = "";
        const struct json *v = json_member(s, i, &word);
        int rc = check_word(word, v, depth, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
schema_check(const struct json *schema, struct err *err)
{
    return check_at(schema, 0, err);
}

/* ---- does a value satisfy it? ---- */

struct holds {
    char path[PATH_MAX_BYTES];
    size_t len;
    struct buf *why; /* only the first reason is told */
};

static bool holds_at(
    struct holds *h, const struct json *s, const struct json *v, unsigned d);

static bool say(struct holds *h, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
say(struct holds *h, const char *fmt, ...)
{
    va_list ap;
    if (h->why == NULL || h->why->len > 0)
        return false;
    buf_printf(h->why, "%s: ", h->len > 0 ? h->path : "/");
    va_start(ap, fmt);
    buf_vprintf(h->why, fmt, ap);
    va_end(ap);
    return false;
}

/* A value of one member or element, with its name on the path. */
static bool
step(struct holds *h, const char *name, const struct json *s,
    const struct json *v, unsigned depth)
{
    size_t was = h->len;
    int n = snprintf(h->path + h->len, sizeof h->path - h->len, "/%.60s", name);
    if (n > 0 && (size_t)n < sizeof h->path - h->len)
        h->len += (size_t)n;
    bool ok = holds_at(h, s, v, depth + 1);
    h->len = was;
    h->path[was] = '\0';
    return ok;
}

static bool
is_equal(const struct json *a, const struct json *b)
{
    if (json_is_num(a) && json_is_num(b) &&
        (json_kind(a) == J_REAL || json_kind(b) == J_REAL))
        return !(json_num(a, 0) < json_num(b, 0)) &&
               !(json_num(a, 0) > json_num(b, 0));
    struct buf x = {0}, y = {0};
    json_dump(a, &x);
    json_dump(b, &y);
    bool same = x.len == y.len && memcmp(buf_str(&x), buf_str(&y), x.len) == 0;
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

static bool
holds_type(struct holds *h, const struct json *type, const struct json *v)
{
    bool ok = type == NULL;
    if (json_kind(type) == J_STR)
        ok = has_type(v, json_str(type));
    for (size_t i = 0; json_kind(type) == J_ARR && i < json_len(type); i++)
        ok = ok || has_type(v, json_str(json_at(type, i)));
    return ok || say(h, "%s %s where %s is wanted",
                     json_kind(v) == J_ARR || json_kind(v) == J_OBJ ||
                             json_kind(v) == J_INT
                         ? "an"
                         : "a",
                     kind_names[json_kind(v)],
                     json_str(type) ? json_str(type) : "another type");
}

static bool
holds_value(struct holds *h, const struct json *s, const struct json *v)
{
    const struct json *list = json_get(s, "enum"), *one = json_get(s, "const");
    bool ok = list == NULL;
    struct buf all = {0};
    for (size_t i = 0; !ok && i < json_len(list); i++)
        ok = is_equal(json_at(list, i), v);
    if (!ok)
        json_dump(list, &all);
    if (ok && one != NULL && !is_equal(one, v)) {
        json_dump(one, &all);
        ok = false;
    }
    if (!ok)
        say(h, "must be one of %.400s", buf_str(&all));
    buf_fini(&all);
    return ok;
}

static bool
holds_number(struct holds *h, const struct json *s, const struct json *v)
{
    double x = json_num(v, 0);
    if (!json_is_num(v))
        return true;
    if (x < json_get_num(s, "minimum", -HUGE_VAL))
        return say(
            h, "%g is below the minimum %g", x, json_get_num(s, "minimum", 0));
    if (x > json_get_num(s, "maximum", HUGE_VAL))
        return say(
            h, "%g is above the maximum %g", x, json_get_num(s, "maximum", 0));
    if (json_get(s, "exclusiveMinimum") != NULL &&
        x <= json_get_num(s, "exclusiveMinimum", 0))
        return say(h, "%g must be above %g", x,
            json_get_num(s, "exclusiveMinimum", 0));
    if (json_get(s, "exclusiveMaximum") != NULL &&
        x >= json_get_num(s, "exclusiveMaximum", 0))
        return say(h, "%g must be below %g", x,
            json_get_num(s, "exclusiveMaximum", 0));
    return true;
}

static bool
holds_pattern(const struct json *pattern, const struct json *v)
{
    bool ok = false;
    pcre2_code *re = pattern_compile(pattern);
    if (re == NULL)
        return false;
    pcre2_match_data *md = pcre2_match_data_create(1, NULL);
    pcre2_match_context *mc = pcre2_match_context_create(NULL);
    if (md != NULL && mc != NULL) {
        pcre2_set_match_limit(mc, MATCH_STEPS_MAX);
        pcre2_set_depth_limit(mc, MATCH_STEPS_MAX);
        ok = pcre2_match(re, (PCRE2_SPTR)json_str(v), json_str_len(v), 0, 0, md,
                 mc) >= 0;
    }
    pcre2_match_context_free(mc);
    pcre2_match_data_free(md);
    pcre2_code_free(re);
    return ok;
}

static bool
holds_string(struct holds *h, const struct json *s, const struct json *v)
{
    int64_t n = 0;
    if (json_kind(v) != J_STR)
        return true;
    for (size_t i = 0; i < json_str_len(v); i++)
        n += ((unsigned char)json_str(v)[i] & 0xc0) != 0x80;
    if (n < json_get_i64(s, "minLength", 0))
        return say(h, "shorter than %lld characters",
            (long long)json_get_i64(s, "minLength", 0));
    if (n > json_get_i64(s, "maxLength", INT64_MAX))
        return say(h, "%lld characters, more than %lld", (long long)n,
            (long long)json_get_i64(s, "maxLength", 0));
    const struct json *p = json_get(s, "pattern");
    if (p != NULL && !holds_pattern(p, v))
        return say(h, "does not match the pattern %.200s", json_str(p));
    return true;
}

static bool
holds_array(
    struct holds *h, const struct json *s, const struct json *v, unsigned depth)
{
    const struct json *items = json_get(s, "items");
    int64_t n = (int64_t)json_len(v);
    if (json_kind(v) != J_ARR)
        return true;
    if (n < json_get_i64(s, "minItems", 0))
        return say(h, "%lld elements, fewer than %lld", (long long)n,
            (long long)json_get_i64(s, "minItems", 0));
    if (n > json_get_i64(s, "maxItems", INT64_MAX))
        return say(h, "%lld elements, more than %lld", (long long)n,
            (long long)json_get_i64(s, "maxItems", 0));
    for (size_t i = 0; items != NULL && i < json_len(v); i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        if (!step(h, name, items, json_at(v, i), depth))
            return false;
    }
    return true;
}

static bool
holds_object(
    struct holds *h, const struct json *s, const struct json *v, unsigned depth)
{
    const struct json *need = json_get(s, "required");
    const struct json *known = json_get(s, "properties");
    const struct json *other = json_get(s, "additionalProperties");
    if (json_kind(v) != J_OBJ)
        return true;
    if (json_len(v) > MEMBERS_MAX)
        return say(h, "more than %d members", MEMBERS_MAX);
    for (size_t i = 0; i < json_len(need); i++) {
        const char *name = json_str(json_at(need, i));
        if (json_get(v, name) == NULL)
            return say(h, "\"%.60s\" is missing", name);
    }
    for (size_t i = 0; i < json_len(v); i++) {
        const char *key = "";
        const struct json *c = json_member(v, i, &key);
        const struct json *cs = json_get(known, key);
        if (cs == NULL && json_kind(other) == J_BOOL && !json_bool(other, true))
            return say(h, "\"%.60s\" is not foreseen", key);
        if (cs == NULL && json_kind(other) == J_OBJ)
            cs = other;
        if (cs != NULL && !step(h, key, cs, c, depth))
            return false;
    }
    return true;
}

static bool
holds_any(
    struct holds *h, const struct json *s, const struct json *v, unsigned depth)
{
    const struct json *list = json_get(s, "anyOf");
    struct buf *why = h->why;
    bool ok = list == NULL;
    h->why = NULL; /* the reasons of alternatives only confuse */
    for (size_t i = 0; !ok && i < json_len(list); i++)
        ok = holds_at(h, json_at(list, i), v, depth + 1);
    h->why = why;
    return ok || say(h, "fits none of the alternatives");
}

static bool
holds_at(
    struct holds *h, const struct json *s, const struct json *v, unsigned depth)
{
    if (depth > SCHEMA_DEPTH_MAX)
        return say(h, "nested too deeply");
    if (json_kind(s) == J_BOOL)
        return json_bool(s, false) || say(h, "nothing may stand here");
    return holds_type(h, json_get(s, "type"), v) && holds_value(h, s, v) &&
           holds_number(h, s, v) && holds_string(h, s, v) &&
           holds_array(h, s, v, depth) && holds_object(h, s, v, depth) &&
           holds_any(h, s, v, depth);
}

bool
schema_holds(
    const struct json *schema, const struct json *value, struct buf *why)
{
    struct holds h = {.why = why};
    return holds_at(&h, schema, value, 0);
}

/* ---- OpenAI's strict mode ---- */

static bool
is_closed(const struct json *s)
{
    const struct json *known = json_get(s, "properties");
    const struct json *need = json_get(s, "required");
    if (json_get_bool(s, "additionalProperties", true))
        return false;
    for (size_t i = 0; i < json_len(known); i++) {
        const char *key = "";
        bool found = false;
        json_member(known, i, &key);
        for (size_t j = 0; !found && j < json_len(need); j++)
            found = strcmp(json_str(json_at(need, j)), key) == 0;
        if (!found)
            return false;
    }
    return true;
}

bool
schema_is_strict(const struct json *s)
{
    const struct json *known = json_get(s, "properties");
    const struct json *any = json_get(s, "anyOf"),
                      *items = json_get(s, "items");
    const char *type = json_str(json_get(s, "type")), *key = "";
    if (json_kind(s) != J_OBJ)
        return false;
    if (type != NULL && strcmp(type, "object") == 0 && !is_closed(s))
        return false;
    bool ok = items == NULL || schema_is_strict(items);
    for (size_t i = 0; ok && i < json_len(known); i++)
        ok = schema_is_strict(json_member(known, i, &key));
    for (size_t i = 0; ok && i < json_len(any); i++)
        ok = schema_is_strict(json_at(any, i));
    return ok;
}
