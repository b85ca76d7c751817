/* TOML 1.0 (toml.io/en/v1.0.0), complete, into a tree that remembers where
 * every key and value stood, so that errors can point and defaults can be
 * edited in place. Trees live in an arena; text is (pointer, length). */
#ifndef BASE_TOML_H
#define BASE_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    TOML_BYTES_MAX = 1 << 20,
    TOML_DEPTH_MAX = 64,    /* arrays and inline tables within each other */
    TOML_NODES_MAX = 20000, /* lookups are linear */
};

enum toml_kind {
    TOML_NONE,
    TOML_STR,
    TOML_INT,
    TOML_FLOAT,
    TOML_BOOL,
    TOML_DATETIME,       /* with offset; dates and times stay text: .str */
    TOML_LOCAL_DATETIME, /* the same without offset */
    TOML_LOCAL_DATE,
    TOML_LOCAL_TIME,
    TOML_ARRAY,
    TOML_TABLE,
};

struct toml {
    uint8_t kind;  /* enum toml_kind */
    uint8_t state; /* of the parser: how a table may still be extended */
    bool boolean;
    uint32_t n;                 /* children of a table or array */
    uint32_t line, col;         /* of the value (of a table: its header) */
    uint32_t key_line, key_col; /* of the key; 0 for array elements */
    size_t begin, end;          /* bytes of the value in the text */
    const char *key;            /* NULL for array elements; NUL-terminated */
    size_t key_len;
    const char *str; /* strings (decoded) and dates; NUL-terminated */
    size_t str_len;
    int64_t i64;
    double f64; /* also set for integers */
    struct toml *parent, *child, *last, *next;
};

/* Where and why a text is no TOML. Columns count characters from 1. */
struct toml_fault {
    uint32_t line, col;
    char why[200];
};

/* Parses a whole document. *out (in the arena) is its root table. On bad
 * text: -ERR_INPUT, `fault` (may be NULL) filled, err "line:col: why". */
int toml_parse(struct arena *a, const char *text, size_t len, struct toml **out,
    struct toml_fault *fault, struct err *err);

/* Direct member of a table by its name, or NULL. */
const struct toml *toml_get(const struct toml *table, const char *key);
/* "a string", "an integer", ... for messages. */
const char *toml_kind_name(uint32_t kind);
bool toml_is_num(const struct toml *t);
/* Line and column (characters, from 1) of a byte of the text. */
void toml_place(
    const char *text, size_t len, size_t at, uint32_t *line, uint32_t *col);

#endif
