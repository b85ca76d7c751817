/* Reading JSON (json.h) through jansson, the only file that knows it. Called
 * by whoever reads a file or a reply. Invariant: `struct json` is a json_t
 * under another name and is never defined. */
#include "base/json.h"

#include "base/fs.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const json_t *
tree(const struct json *j)
{
    return (const json_t *)(const void *)j;
}

static const struct json *
wrap(const json_t *t)
{
    return (const struct json *)(const void *)t;
}

struct json *
json_parse(const char *text, size_t len, struct err *err)
{
    json_error_t why;
    json_t *t = json_loadb(text, len,
        JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (t == NULL)
        err_set(err, -ERR_INPUT, "%d:%d: %s", why.line, why.column, why.text);
    return (struct json *)(void *)t;
}

struct json *
json_read(const char *path, size_t max_bytes, struct err *err)
{
    struct buf b = {0};
    struct json *j = NULL;
    if (fs_read(path, max_bytes, &b, err) == 0) {
        j = json_parse(buf_str(&b), b.len, err);
        if (j == NULL)
            err_wrap(err, -ERR_INPUT, "%s", path);
    }
    buf_fini(&b);
    return j;
}

void
json_free(struct json *j)
{
    json_decref((json_t *)(void *)j);
}

enum json_kind
json_kind(const struct json *j)
{
    static const enum json_kind map[] = {
        [JSON_OBJECT] = J_OBJ,
        [JSON_ARRAY] = J_ARR,
        [JSON_STRING] = J_STR,
        [JSON_INTEGER] = J_INT,
        [JSON_REAL] = J_REAL,
        [JSON_TRUE] = J_BOOL,
        [JSON_FALSE] = J_BOOL,
        [JSON_NULL] = J_NULL,
    };
    return j ? map[json_typeof(tree(j))] : J_NONE;
}

const struct json *
json_get(const struct json *obj, const char *key)
{
    return wrap(json_object_get(tree(obj), key));
}

const struct json *
json_at(const struct json *arr, size_t i)
{
    return wrap(json_array_get(tree(arr), i));
}

size_t
json_len(const struct json *j)
{
    switch (json_kind(j)) {
    case J_ARR:
        return json_array_size(tree(j));
    case J_OBJ:
        return json_object_size(tree(j));
    default:
        return 0;
    }
}

const struct json *
json_member(const struct json *obj, size_t i, const char **key)
{
    if (i >= json_len(obj) || json_kind(obj) != J_OBJ)
        return NULL;
    /* Objects are short; the walk from the front keeps no hidden state. */
    json_t *o = (json_t *)(void *)(uintptr_t)(const void *)obj;
    void *it = json_object_iter(o);
    while (i-- > 0)
        it = json_object_iter_next(o, it);
    *key = json_object_iter_key(it);
    return wrap(json_object_iter_value(it));
}

const char *
json_str(const struct json *j)
{
    return json_string_value(tree(j));
}

size_t
json_str_len(const struct json *j)
{
    return json_string_length(tree(j));
}

bool
json_is_num(const struct json *j)
{
    return json_kind(j) == J_INT || json_kind(j) == J_REAL;
}

double
json_num(const struct json *j, double otherwise)
{
    return json_is_num(j) ? json_number_value(tree(j)) : otherwise;
}

int64_t
json_i64(const struct json *j, int64_t otherwise)
{
    return json_kind(j) == J_INT ? json_integer_value(tree(j)) : otherwise;
}

bool
json_bool(const struct json *j, bool otherwise)
{
    return json_kind(j) == J_BOOL ? json_is_true(tree(j)) : otherwise;
}

const char *
json_get_str(const struct json *obj, const char *key)
{
    return json_str(json_get(obj, key));
}

double
json_get_num(const struct json *obj, const char *key, double otherwise)
{
    return json_num(json_get(obj, key), otherwise);
}

int64_t
json_get_i64(const struct json *obj, const char *key, int64_t otherwise)
{
    return json_i64(json_get(obj, key), otherwise);
}

bool
json_get_bool(const struct json *obj, const char *key, bool otherwise)
{
    return json_bool(json_get(obj, key), otherwise);
}

static int
dump_add(const char *p, size_t n, void *out)
{
    buf_add(out, p, n);
    return 0;
}

void
json_dump(const struct json *j, struct buf *out)
{
    json_dump_callback(tree(j), dump_add, out,
        JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}
