/* One insight between its three forms: struct, JSON line, completed and
 * checked row. Called by the database and by import and export. Invariant:
 * what insight_write writes, insight_read reads back to the same bytes. */
#include "research/insight_row.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"

#define T(name)                                                                \
    {                                                                          \
#name, FIELD_TEXT, offsetof(struct insight, name)                      \
    }
#define F(name, kind)                                                          \
    {                                                                          \
#name, FIELD_##kind, offsetof(struct insight, name)                    \
    }

const struct field insight_field[INSIGHT_FIELDS] = {T(origin), T(campaign),
    T(hypothesis), T(key), T(concept), T(knob), T(family), T(metric), T(from),
    T(to), T(direction), T(partner), F(context, JSON), F(change, JSON),
    T(conditions), T(statement), T(source), T(reference), T(date),
    T(supersedes), T(contradicts), T(technique), F(effect, REAL), F(sd, REAL),
    F(lo, REAL), F(hi, REAL), F(between, REAL), F(within, REAL), F(scale, REAL),
    F(n, INT), F(places, INT)};

static const char *const verdict_text[INSIGHT_VERDICT_COUNT] = {
    "none", "positive", "null", "negative", "unstable", "failed"};
static const char *const status_text[INSIGHT_STATUS_COUNT] = {
    "draft", "promoted"};

const char *
insight_verdict_name(uint32_t verdict)
{
    return verdict < INSIGHT_VERDICT_COUNT ? verdict_text[verdict] : "?";
}

const char *
insight_status_name(uint32_t status)
{
    return status < INSIGHT_STATUS_COUNT ? status_text[status] : "?";
}

const char **
field_text(struct insight *r, const struct field *f)
{
    assert(f->kind == FIELD_TEXT || f->kind == FIELD_JSON);
    return (const char **)((char *)r + f->at);
}

double *
field_real(struct insight *r, const struct field *f)
{
    assert(f->kind == FIELD_REAL);
    return (double *)((char *)r + f->at);
}

int64_t *
field_int(struct insight *r, const struct field *f)
{
    assert(f->kind == FIELD_INT);
    return (int64_t *)((char *)r + f->at);
}

static int
name_find(const char *const *list, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return (int)i;
    return -1;
}

uint32_t
insight_verdict_find(const char *name)
{
    int i = name_find(verdict_text, INSIGHT_VERDICT_COUNT, name);
    return i >= 0 ? (uint32_t)i : INSIGHT_VERDICT_COUNT;
}

/* ---- derive and check ---- */

static const char *
or_empty(const char *s)
{
    return s != NULL ? s : "";
}

static char *
statement_in(struct arena *a, const struct insight *r)
{
    const char *family = r->family[0] != '\0' ? r->family : "any model";
    if (strcmp(r->direction, "on") == 0 || strcmp(r->direction, "off") == 0)
        return arena_printf(a, "%s: %s %s", family, r->concept, r->direction);
    if (r->direction[0] != '\0' && strcmp(r->direction, "set") != 0)
        return arena_printf(a, "%s: %s %s -> %s (%s)", family, r->concept,
            r->from, r->to, r->direction);
    return arena_printf(
        a, "%s: %s %s -> %s", family, r->concept, r->from, r->to);
}

static char *
origin_in(struct arena *a, const struct insight *r)
{
    const char *who = r->campaign[0] != '\0' ? r->campaign : "note";
    if (r->hypothesis[0] != '\0')
        return arena_printf(a, "%s/%s", who, r->hypothesis);
    if (r->from[0] != '\0' || r->to[0] != '\0')
        return arena_printf(
            a, "%s/%s/%s/%s/%s", who, r->family, r->concept, r->from, r->to);
    char hex[FS_HASH_HEX];
    fs_hash_bytes(r->statement, strlen(r->statement), hex);
    return arena_printf(a, "%s/%.16s", who, hex);
}

static uint32_t
verdict_of(const struct insight *r)
{
    if (r->lo > 0)
        return INSIGHT_POSITIVE;
    if (r->hi < 0)
        return INSIGHT_NEGATIVE;
    return INSIGHT_NULL;
}

const char *
json_dump_in(struct arena *a, const struct json *j)
{
    struct buf b = {0};
    json_dump(j, &b);
    const char *text = arena_strndup(a, buf_str(&b), b.len);
    buf_fini(&b);
    return text;
}

/* One form for equal objects, so that what is exported is the same wherever
 * the row was first written. */
static int
json_canon(
    const char **text, const char *name, struct arena *a, struct err *err)
{
    struct json *j = json_parse(*text, strlen(*text), err);
    if (json_kind(j) != J_OBJ) {
        json_free(j);
        return err_set(
            err, -ERR_INPUT, "insight: %s must be a JSON object", name);
    }
    *text = json_dump_in(a, j);
    json_free(j);
    return 0;
}

static int
texts_check(struct insight *r, struct arena *a, struct err *err)
{
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++) {
        const struct field *f = &insight_field[i];
        if (f->kind == FIELD_REAL && !isfinite(*field_real(r, f)))
            return err_set(err, -ERR_INPUT,
                "insight: %s is not a finite "
                "number; leave it out when it is unknown",
                f->name);
        if (f->kind != FIELD_TEXT && f->kind != FIELD_JSON)
            continue;
        const char *s = *field_text(r, f);
        if (strlen(s) > INSIGHT_TEXT_MAX)
            return err_set(err, -ERR_INPUT,
                "insight: %s has %zu bytes, more "
                "than %d; shorten it",
                f->name, strlen(s), INSIGHT_TEXT_MAX);
        if (f->kind != FIELD_JSON || s[0] == '\0')
            continue;
        int rc = json_canon(field_text(r, f), f->name, a, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
insight_complete(struct insight *r, struct arena *a, struct err *err)
{
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++) {
        const struct field *f = &insight_field[i];
        if (f->kind == FIELD_TEXT || f->kind == FIELD_JSON)
            *field_text(r, f) = or_empty(*field_text(r, f));
    }
    if (r->statement[0] == '\0' && r->concept[0] != '\0' && r->to[0] != '\0')
        r->statement = statement_in(a, r);
    if (r->statement[0] == '\0')
        return err_set(err, -ERR_INPUT,
            "insight: no statement; say in one line what was learnt");
    if (r->origin[0] == '\0')
        r->origin = origin_in(a, r);
    if (r->lo == 0 && r->hi == 0 && r->sd > 0) {
        r->lo = r->effect - 1.96 * r->sd;
        r->hi = r->effect + 1.96 * r->sd;
    }
    if (r->verdict == INSIGHT_NONE)
        r->verdict = verdict_of(r);
    if (r->verdict >= INSIGHT_VERDICT_COUNT ||
        r->status >= INSIGHT_STATUS_COUNT)
        return err_set(err, -ERR_INPUT, "insight: verdict or status unknown");
    if (r->sd < 0 || r->between < 0 || r->within < 0 || r->scale < 0 ||
        r->n < 0 || r->places < 0 || r->lo > r->hi)
        return err_set(err, -ERR_INPUT,
            "insight: sd, between, within, scale, "
            "n and places must not be negative, lo not above hi");
    return texts_check(r, a, err);
}

/* ---- JSON ---- */

static const struct json *
member(const struct json *obj, const struct json *defaults, const char *key)
{
    const struct json *v = json_get(obj, key);
    return v != NULL ? v : json_get(defaults, key);
}

static int
field_read(struct insight *r, const struct field *f, const struct json *v,
    struct arena *a, struct err *err)
{
    enum json_kind kind = json_kind(v);
    if (kind == J_NONE || kind == J_NULL)
        return 0;
    if (f->kind == FIELD_TEXT && kind == J_STR) {
        *field_text(r, f) = arena_strdup(a, json_str(v));
    } else if (f->kind == FIELD_JSON && kind == J_OBJ) {
        *field_text(r, f) = json_dump_in(a, v);
    } else if (f->kind == FIELD_REAL && json_is_num(v)) {
        *field_real(r, f) = json_num(v, 0);
    } else if (f->kind == FIELD_INT && kind == J_INT) {
        *field_int(r, f) = json_i64(v, 0);
    } else {
        return err_set(err, -ERR_INPUT, "\"%s\" is of the wrong kind", f->name);
    }
    return 0;
}

static int
name_read(const struct json *v, const char *key, const char *const *list,
    uint32_t n, uint32_t *out, struct err *err)
{
    if (v == NULL)
        return 0;
    const char *s = json_str(v);
    int i = s != NULL ? name_find(list, n, s) : -1;
    if (i < 0)
        return err_set(err, -ERR_INPUT, "\"%s\": unknown value \"%s\"", key,
            s != NULL ? s : "");
    *out = (uint32_t)i;
    return 0;
}

int
insight_read(struct insight *r, const struct json *obj,
    const struct json *defaults, struct arena *a, struct err *err)
{
    memset(r, 0, sizeof *r);
    if (json_kind(obj) != J_OBJ)
        return err_set(err, -ERR_INPUT, "not a JSON object");
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++) {
        const struct field *f = &insight_field[i];
        int rc = field_read(r, f, member(obj, defaults, f->name), a, err);
        if (rc != 0)
            return rc;
    }
    r->created_ms = json_i64(member(obj, defaults, "created_ms"), 0);
    const struct json *promotion = json_get(obj, "promotion");
    if (json_kind(promotion) == J_OBJ)
        r->promotion = json_dump_in(a, promotion);
    int rc = name_read(member(obj, defaults, "verdict"), "verdict",
        verdict_text, INSIGHT_VERDICT_COUNT, &r->verdict, err);
    if (rc != 0)
        return rc;
    return name_read(member(obj, defaults, "status"), "status", status_text,
        INSIGHT_STATUS_COUNT, &r->status, err);
}

void
insight_write_content(struct jw *w, const struct insight *row)
{
    struct insight copy = *row;
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++) {
        const struct field *f = &insight_field[i];
        if (f->kind == FIELD_REAL) {
            double x = *field_real(&copy, f);
            if (x != 0 || f->at == offsetof(struct insight, effect))
                jw_kf64(w, f->name, x);
        } else if (f->kind == FIELD_INT) {
            if (*field_int(&copy, f) != 0)
                jw_ki64(w, f->name, *field_int(&copy, f));
        } else {
            const char *s = or_empty(*field_text(&copy, f));
            if (s[0] == '\0')
                continue;
            jw_key(w, f->name);
            if (f->kind == FIELD_JSON)
                jw_raw(w, s);
            else
                jw_str(w, s);
        }
    }
    jw_kstr(w, "verdict", insight_verdict_name(row->verdict));
}

void
insight_write(struct jw *w, const struct insight *row)
{
    insight_write_content(w, row);
    jw_kstr(w, "status", insight_status_name(row->status));
    if (row->created_ms != 0)
        jw_ki64(w, "created_ms", row->created_ms);
    if (row->status == INSIGHT_PROMOTED && row->promotion != NULL &&
        row->promotion[0] != '\0') {
        jw_key(w, "promotion");
        jw_raw(w, row->promotion);
    }
}

void
insight_json(struct jw *w, const struct insight *row)
{
    char id[32];
    snprintf(id, sizeof id, "I%lld", (long long)row->id);
    jw_obj_begin(w);
    jw_kstr(w, "id", id);
    insight_write(w, row);
    jw_obj_end(w);
}
