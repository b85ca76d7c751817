/* Reads one table of a project file by its list of fields (fields.c). Called
 * by project.c and the parse_*.c files. Invariant: every key of the table is
 * either read into the draft or refused. */
#include "project/read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "1.5h" -> number and the rest; -1: no plain number at the front. */
static int
split_unit(const char *text, double *value, const char **unit)
{
    if ((text[0] < '0' || text[0] > '9') && text[0] != '.')
        return -1;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return -1;
    char *end;
    *value = strtod(text, &end);
    *unit = end;
    return isfinite(*value) ? 0 : -1;
}

int
read_duration(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"min", 6e4}, {"h", 3.6e6},
        {"d", 8.64e7}, {"w", 6.048e8}};
    double v;
    const char *unit;
    if (split_unit(text, &v, &unit) != 0)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].unit) == 0 && v * units[i].ms < 1e15) {
            *ms = (int64_t)llround(v * units[i].ms);
            return 0;
        }
    }
    return -1;
}

int
read_size(const char *text, int64_t *bytes)
{
    static const char letters[] = "KMGTP";
    double v, factor = 1;
    const char *unit;
    if (split_unit(text, &v, &unit) != 0)
        return -1;
    const char *at = *unit ? strchr(letters, *unit & ~0x20) : NULL;
    if (at != NULL) {
        factor = pow(1024, (double)(at - letters + 1));
        unit++;
        if (unit[0] == 'i' && unit[1] == 'B')
            unit += 2;
    }
    if (*unit == 'B')
        unit++;
    if (*unit != '\0' || v * factor >= 9e18)
        return -1;
    *bytes = (int64_t)(v * factor);
    return 0;
}

static int
read_word(const struct reader *r, const struct field *f, const struct toml *v,
    uint8_t *out)
{
    uint32_t n = 0;
    struct buf all = {0};
    for (; f->words[n] != NULL; n++) {
        if (strcmp(f->words[n], v->str) == 0) {
            *out = (uint8_t)(n + 1);
            buf_fini(&all);
            return 0;
        }
        buf_printf(&all, "%s\"%s\"", n ? ", " : "", f->words[n]);
    }
    char *known = arena_printf(r->a, "write one of %s", buf_str(&all));
    buf_fini(&all);
    if (f->later != NULL && strstr(f->later, v->str) != NULL && v->str_len > 2)
        return read_fail(r, place_value(v), known,
            "%s = \"%s\" is not yet supported", f->name, v->str);
    return read_fail(r, place_value(v),
        read_hint(r, v->str, f->words, n, known), "%s can't be \"%s\"", f->name,
        v->str);
}

static int
wrong_kind(const struct reader *r, const struct field *f, const struct toml *v,
    const char *wanted)
{
    return read_fail(r, place_value(v),
        arena_printf(r->a, "write %s = %s", f->name, wanted), "%s is %s here",
        f->name, toml_kind_name(v->kind));
}

static int
read_str(const struct reader *r, const struct field *f, const struct toml *v,
    const char **out)
{
    if (v->kind != TOML_STR)
        return wrong_kind(r, f, v, "\"text\" in quotes");
    if (strlen(v->str) != v->str_len)
        return read_fail(r, place_value(v), "leave the NUL out",
            "%s holds a NUL character", f->name);
    *out = v->str;
    return 0;
}

static int
read_int(const struct reader *r, const struct field *f, const struct toml *v,
    int64_t *out)
{
    if (v->kind != TOML_INT)
        return wrong_kind(r, f, v, "a whole number");
    *out = v->i64;
    return 0;
}

static int
read_num(const struct reader *r, const struct field *f, const struct toml *v,
    double *out)
{
    if (!toml_is_num(v) || !isfinite(v->f64))
        return wrong_kind(r, f, v, "a finite number");
    *out = v->f64;
    return 0;
}

static int
read_unit(const struct reader *r, const struct field *f, const struct toml *v,
    int64_t *out)
{
    bool time = f->kind == FIELD_DURATION;
    const char *form =
        time ? "a duration such as \"500ms\", \"30s\", \"10m\", \"2h\", \"1d\""
             : "a size such as \"512M\" or \"2G\"";
    if (v->kind != TOML_STR)
        return wrong_kind(r, f, v, form);
    if ((time ? read_duration(v->str, out) : read_size(v->str, out)) != 0)
        return read_fail(r, place_value(v),
            arena_printf(r->a, "write %s = %s", f->name, form),
            "%s = \"%s\" is no %s", f->name, v->str,
            time ? "duration" : "size");
    return 0;
}

static int
read_field(const struct reader *r, const struct field *f, const struct toml *v,
    char *base)
{
    void *out = base + f->offset;
    switch (f->kind) {
    case FIELD_STR:
        return read_str(r, f, v, out);
    case FIELD_BOOL:
        if (v->kind != TOML_BOOL)
            return wrong_kind(r, f, v, "true or false");
        *(bool *)out = v->boolean;
        return 0;
    case FIELD_NUM:
        return read_num(r, f, v, out);
    case FIELD_INT:
        return read_int(r, f, v, out);
    case FIELD_DURATION:
    case FIELD_SIZE:
        return read_unit(r, f, v, out);
    case FIELD_WORD:
        if (v->kind != TOML_STR)
            return wrong_kind(r, f, v, "a word in quotes");
        return read_word(r, f, v, out);
    default:
        *(const struct toml **)out = v;
        return 0;
    }
}

static const struct field *
field_find(const struct section *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if (strcmp(s->fields[i].name, name) == 0)
            return &s->fields[i];
    }
    return NULL;
}

static int
unknown_key(
    const struct reader *r, const struct section *s, const struct toml *v)
{
    const char *names[64];
    struct buf all = {0};
    for (uint32_t i = 0; i < s->n_fields && i < 64; i++) {
        names[i] = s->fields[i].name;
        buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    char *known = arena_printf(r->a, "known keys: %s", buf_str(&all));
    buf_fini(&all);
    return read_fail(r, place_key(v),
        read_hint(r, v->key, names, s->n_fields, known),
        "unknown key \"%s\" in [%s%s]", v->key, s->name, s->named ? ".*" : "");
}

int
read_section(const struct reader *r, const struct section *s,
    const struct toml *table, void *draft)
{
    for (const struct toml *v = table->child; v != NULL; v = v->next) {
        const struct field *f = field_find(s, v->key);
        int rc = f == NULL ? unknown_key(r, s, v) : read_field(r, f, v, draft);
        if (rc != 0)
            return rc;
    }
    for (uint32_t i = 0; i < s->n_fields; i++) {
        const struct field *f = &s->fields[i];
        if (f->required && toml_get(table, f->name) == NULL)
            return read_fail(r, place_key(table),
                arena_printf(r->a, "add %s = ... (%s)", f->name, f->doc),
                "[%s%s%s] has no %s", s->name, s->named ? "." : "",
                s->named ? table->key : "", f->name);
    }
    return 0;
}

int
read_name(
    const struct reader *r, const struct toml *table, char *out, size_t cap)
{
    static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = table->key_len;
    if (n == 0 || n >= cap || strspn(table->key, ok) != n ||
        table->key[0] == '-' || table->key[0] == '.')
        return read_fail(r, place_key(table),
            arena_printf(r->a,
                "use 1 to %zu letters, digits, - _ . and begin with a letter "
                "or digit",
                cap - 1),
            "\"%s\" is no usable name", table->key);
    memcpy(out, table->key, n + 1);
    return 0;
}
