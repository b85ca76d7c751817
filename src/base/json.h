/* JSON in and out. Reading gives a tree that the caller frees; writing streams
 * into a buffer. The library behind it is seen by json.c alone. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* ---- reading ---- */

struct json;

enum json_kind {
    J_NONE, /* also of a NULL tree */
    J_NULL,
    J_BOOL,
    J_INT,
    J_REAL,
    J_STR,
    J_ARR,
    J_OBJ,
};

/* Parses one whole document (any kind at the top). NULL and -ERR_INPUT with
 * "line:col: reason" on bad text, duplicate keys, bad UTF-8, numbers out of
 * range, NaN and Infinity. Owned by the caller: json_free. */
struct json *json_parse(const char *text, size_t len, struct err *err);
/* fs_read + json_parse; errors begin with the path. NULL on error. */
struct json *json_read(const char *path, size_t max_bytes, struct err *err);
void json_free(struct json *j); /* NULL is fine */

/* All readers take NULL (a missing value) and give NULL, 0 or the default
 * for a value of another kind. What they return is borrowed from the tree. */
enum json_kind json_kind(const struct json *j);
const struct json *json_get(const struct json *obj, const char *key);
const struct json *json_at(const struct json *arr, size_t i);
/* Elements of an array, members of an object, else 0. */
size_t json_len(const struct json *j);
/* Member i of an object in the order of the text; *key is set when the result
 * is not NULL. The whole iteration is linear when i goes up by one. */
const struct json *
json_member(const struct json *obj, size_t i, const char **key);
const char *json_str(const struct json *j); /* NULL: not a string */
size_t json_str_len(const struct json *j);
double json_num(const struct json *j, double otherwise); /* int or real */
int64_t json_i64(const struct json *j, int64_t otherwise);
bool json_bool(const struct json *j, bool otherwise);
bool json_is_num(const struct json *j);

/* Members by key, for flat objects. */
const char *json_get_str(const struct json *obj, const char *key);
double json_get_num(const struct json *obj, const char *key, double otherwise);
int64_t
json_get_i64(const struct json *obj, const char *key, int64_t otherwise);
bool json_get_bool(const struct json *obj, const char *key, bool otherwise);
/* The tree as text again, compact, keys sorted (so equal values give equal
 * bytes). */
void json_dump(const struct json *j, struct buf *out);

/* ---- writing ---- */

enum { JW_DEPTH = 64 };

/* Commas, colons and nesting are handled; misuse (a value without its key, an
 * unbalanced end) is a bug and asserts. indent 0: one line. */
struct jw {
    struct buf *out; /* borrowed */
    uint32_t depth;
    uint32_t indent; /* spaces a level */
    bool key_open;   /* a key waits for its value */
    struct {
        bool obj;
        bool used; /* has at least one member */
    } level[JW_DEPTH];
};

void jw_init(struct jw *w, struct buf *out, uint32_t indent);
void jw_obj_begin(struct jw *w);
void jw_obj_end(struct jw *w);
void jw_arr_begin(struct jw *w);
void jw_arr_end(struct jw *w);
void jw_key(struct jw *w, const char *key);
/* NULL writes null. Bytes that are no UTF-8 become U+FFFD, so that the output
 * is always valid JSON. */
void jw_str(struct jw *w, const char *s);
void jw_strn(struct jw *w, const char *s, size_t n);
void jw_printf(struct jw *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Shortest text that reads back as the same double; NaN, Inf: null. */
void jw_f64(struct jw *w, double x);
void jw_i64(struct jw *w, int64_t x);
void jw_u64(struct jw *w, uint64_t x);
void jw_bool(struct jw *w, bool x);
void jw_null(struct jw *w);
/* Text that is JSON already. */
void jw_raw(struct jw *w, const char *json);

/* key and value in one call */
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kf64(struct jw *w, const char *key, double x);
void jw_ki64(struct jw *w, const char *key, int64_t x);
void jw_kbool(struct jw *w, const char *key, bool x);

#endif
