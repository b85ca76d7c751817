/* Keys, tables and arrays of TOML 1.0 and the rules about what may be defined
 * twice; values are read by toml_value.c. Called by the project layer.
 * Invariant: every table knows how it came to be, and only that decides
 * whether a later key or header may add to it. */
#include "base/toml.h"

#include "base/toml_lex.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a table or array may still grow. */
enum table_state {
    TABLE_IMPLICIT, /* named on the way to another header: all is open */
    TABLE_HEADER,   /* by [header] or as the root */
    TABLE_DOTTED,   /* by a dotted key */
    TABLE_CLOSED,   /* inline, or a value array */
    TABLE_ARRAY,    /* array of tables: [[header]] appends */
};

int
lex_fail(struct lex *x, size_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(x->fault.why, sizeof x->fault.why, fmt, ap);
    va_end(ap);
    x->fault_at = at;
    return -ERR_INPUT;
}

char
lex_peek(const struct lex *x, size_t ahead)
{
    return x->pos + ahead < x->len ? x->text[x->pos + ahead] : '\0';
}

bool
lex_has(const struct lex *x, const char *word)
{
    size_t n = strlen(word);
    return x->len - x->pos >= n && memcmp(x->text + x->pos, word, n) == 0;
}

size_t
lex_newline(const struct lex *x)
{
    if (lex_peek(x, 0) == '\n')
        return 1;
    return lex_peek(x, 0) == '\r' && lex_peek(x, 1) == '\n' ? 2 : 0;
}

void
lex_blanks(struct lex *x)
{
    while (lex_peek(x, 0) == ' ' || lex_peek(x, 0) == '\t')
        x->pos++;
}

static int
lex_comment(struct lex *x)
{
    if (lex_peek(x, 0) != '#')
        return 0;
    while (x->pos < x->len && lex_newline(x) == 0) {
        unsigned char c = (unsigned char)x->text[x->pos];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return lex_fail(
                x, x->pos, "control character 0x%02x in a comment", c);
        x->pos++;
    }
    return 0;
}

int
lex_space(struct lex *x)
{
    for (;;) {
        lex_blanks(x);
        int rc = lex_comment(x);
        if (rc != 0)
            return rc;
        size_t n = lex_newline(x);
        if (n == 0)
            return 0;
        x->pos += n;
    }
}

/* ---- the tree ---- */

static struct toml *
node_find(const struct toml *table, const char *key, size_t len)
{
    for (struct toml *t = table->child; t != NULL; t = t->next) {
        if (t->key_len == len && memcmp(t->key, key, len) == 0)
            return t;
    }
    return NULL;
}

struct key {
    const char *name;
    size_t len, at;
};

static struct toml *
node_add(struct lex *x, struct toml *parent, const struct key *key)
{
    struct toml *t = arena_alloc(x->arena, sizeof *t);
    t->parent = parent;
    if (key != NULL) {
        t->key = key->name;
        t->key_len = key->len;
        /* Places are kept as bytes until the parse is over. */
        t->key_line = (uint32_t)key->at;
    }
    if (parent->last != NULL)
        parent->last->next = t;
    else
        parent->child = t;
    parent->last = t;
    parent->n++;
    x->n_nodes++;
    return t;
}

static struct toml *
table_add(struct lex *x, struct toml *parent, const struct key *key,
    enum table_state state)
{
    struct toml *t = node_add(x, parent, key);
    t->kind = TOML_TABLE;
    t->state = (uint8_t)state;
    if (key != NULL)
        t->begin = t->end = key->at;
    return t;
}

/* ---- keys ---- */

static bool
is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int
lex_key(struct lex *x, struct key *k)
{
    char c = lex_peek(x, 0);
    k->at = x->pos;
    if (c == '"' || c == '\'')
        return lex_string(x, false, &k->name, &k->len);
    while (is_bare(lex_peek(x, 0)))
        x->pos++;
    k->len = x->pos - k->at;
    if (k->len == 0)
        return lex_fail(x, x->pos,
            "a key is expected here (letters, digits, - and _, or quoted)");
    k->name = arena_strndup(x->arena, x->text + k->at, k->len);
    return 0;
}

/* Reads `.` between the parts of a dotted key; false: the key is over. */
static bool
lex_dot(struct lex *x)
{
    lex_blanks(x);
    if (lex_peek(x, 0) != '.')
        return false;
    x->pos++;
    lex_blanks(x);
    return true;
}

static int lex_value(struct lex *x, struct toml *t);

/* One step of a dotted key: the table `k` below t, made when it is new. */
static int
dotted_step(struct lex *x, struct toml **t, const struct key *k)
{
    struct toml *next = node_find(*t, k->name, k->len);
    if (next == NULL) {
        *t = table_add(x, *t, k, TABLE_DOTTED);
        return 0;
    }
    if (next->kind != TOML_TABLE)
        return lex_fail(
            x, k->at, "%s has a value already, it is no table", k->name);
    if (next->state != TABLE_DOTTED && next->state != TABLE_IMPLICIT)
        return lex_fail(x, k->at,
            "table %s is complete where it is written, a dotted key can't "
            "add to it",
            k->name);
    next->state = TABLE_DOTTED;
    *t = next;
    return 0;
}

/* key = value, the key possibly dotted, into a table. */
static int
lex_pair(struct lex *x, struct toml *table)
{
    struct key k;
    int rc = lex_key(x, &k);
    while (rc == 0 && lex_dot(x)) {
        rc = dotted_step(x, &table, &k);
        if (rc == 0)
            rc = lex_key(x, &k);
    }
    if (rc != 0)
        return rc;
    if (lex_peek(x, 0) != '=')
        return lex_fail(x, x->pos, "= is expected after the key");
    if (node_find(table, k.name, k.len) != NULL)
        return lex_fail(x, k.at, "key %s is given twice", k.name);
    x->pos++;
    lex_blanks(x);
    return lex_value(x, node_add(x, table, &k));
}

/* ---- arrays and inline tables ---- */

static int
lex_array(struct lex *x, struct toml *t)
{
    size_t at = x->pos++;
    t->kind = TOML_ARRAY;
    t->state = TABLE_CLOSED;
    for (;;) {
        int rc = lex_space(x);
        if (rc != 0)
            return rc;
        if (lex_peek(x, 0) == ']')
            break;
        if (x->pos >= x->len)
            return lex_fail(x, at, "this array has no closing ]");
        rc = lex_value(x, node_add(x, t, NULL));
        if (rc == 0)
            rc = lex_space(x);
        if (rc != 0)
            return rc;
        if (lex_peek(x, 0) == ',')
            x->pos++;
        else if (lex_peek(x, 0) != ']')
            return x->pos < x->len
                       ? lex_fail(x, x->pos, ", or ] is expected in an array")
                       : lex_fail(x, at, "this array has no closing ]");
    }
    x->pos++;
    return 0;
}

static int
lex_inline(struct lex *x, struct toml *t)
{
    x->pos++;
    t->kind = TOML_TABLE;
    t->state = TABLE_HEADER; /* open while it is read */
    lex_blanks(x);
    bool more = lex_peek(x, 0) != '}';
    while (more) {
        lex_blanks(x);
        int rc = lex_pair(x, t);
        if (rc != 0)
            return rc;
        lex_blanks(x);
        more = lex_peek(x, 0) == ',';
        if (more)
            x->pos++;
        else if (lex_peek(x, 0) != '}')
            return lex_fail(x, x->pos,
                ", or } is expected in an inline table, on the same line");
    }
    x->pos++;
    t->state = TABLE_CLOSED;
    return 0;
}

static int
lex_value(struct lex *x, struct toml *t)
{
    char c = lex_peek(x, 0);
    int rc;
    t->begin = x->pos;
    if (x->n_nodes > TOML_NODES_MAX)
        return lex_fail(
            x, x->pos, "more than %d values in one document", TOML_NODES_MAX);
    if (x->depth >= TOML_DEPTH_MAX)
        return lex_fail(x, x->pos, "nested deeper than %d", TOML_DEPTH_MAX);
    x->depth++;
    if (x->pos >= x->len || lex_newline(x) > 0 || c == '#') {
        rc = lex_fail(x, x->pos, "a value is expected after =");
    } else if (c == '"' || c == '\'') {
        t->kind = TOML_STR;
        rc = lex_string(x, true, &t->str, &t->str_len);
    } else if (c == '[') {
        rc = lex_array(x, t);
    } else if (c == '{') {
        rc = lex_inline(x, t);
    } else {
        rc = lex_scalar(x, t);
    }
    x->depth--;
    t->end = x->pos;
    return rc;
}

/* ---- headers ---- */

/* One step towards a header's table. */
static int
header_step(struct lex *x, struct toml **t, const struct key *k)
{
    struct toml *next = node_find(*t, k->name, k->len);
    if (next == NULL) {
        *t = table_add(x, *t, k, TABLE_IMPLICIT);
        return 0;
    }
    if (next->state == TABLE_ARRAY && next->kind == TOML_ARRAY)
        next = next->last;
    if (next->kind != TOML_TABLE || next->state == TABLE_CLOSED)
        return lex_fail(x, k->at,
            "%s has a value already, no table can be "
            "added to it",
            k->name);
    *t = next;
    return 0;
}

static int
header_table(struct lex *x, struct toml **t, const struct key *k)
{
    struct toml *old = node_find(*t, k->name, k->len);
    if (old == NULL) {
        *t = table_add(x, *t, k, TABLE_HEADER);
        return 0;
    }
    if (old->kind != TOML_TABLE || old->state != TABLE_IMPLICIT)
        return lex_fail(x, k->at, "[%s] is defined twice", k->name);
    old->state = TABLE_HEADER;
    old->key_line = (uint32_t)k->at;
    old->begin = old->end = k->at;
    *t = old;
    return 0;
}

static int
header_array(struct lex *x, struct toml **t, const struct key *k)
{
    struct toml *arr = node_find(*t, k->name, k->len);
    if (arr == NULL) {
        arr = table_add(x, *t, k, TABLE_ARRAY);
        arr->kind = TOML_ARRAY;
    } else if (arr->kind != TOML_ARRAY || arr->state != TABLE_ARRAY) {
        return lex_fail(
            x, k->at, "%s exists and is no array of tables", k->name);
    }
    *t = table_add(x, arr, NULL, TABLE_HEADER);
    (*t)->begin = (*t)->end = k->at;
    return 0;
}

/* [a.b] or [[a.b]]; *t: the table that the following pairs go to. */
static int
lex_header(struct lex *x, struct toml *root, struct toml **t)
{
    bool array = lex_peek(x, 1) == '[';
    struct key k;
    x->pos += array ? 2 : 1;
    lex_blanks(x);
    *t = root;
    int rc = lex_key(x, &k);
    while (rc == 0 && lex_dot(x)) {
        rc = header_step(x, t, &k);
        if (rc == 0)
            rc = lex_key(x, &k);
    }
    if (rc != 0)
        return rc;
    if (!lex_has(x, array ? "]]" : "]"))
        return lex_fail(x, x->pos, "%s is expected", array ? "]]" : "]");
    x->pos += array ? 2 : 1;
    if (x->n_nodes > TOML_NODES_MAX)
        return lex_fail(
            x, k.at, "more than %d values in one document", TOML_NODES_MAX);
    return array ? header_array(x, t, &k) : header_table(x, t, &k);
}

static int
lex_line_end(struct lex *x)
{
    lex_blanks(x);
    int rc = lex_comment(x);
    if (rc != 0)
        return rc;
    size_t n = lex_newline(x);
    if (n == 0 && x->pos < x->len)
        return lex_fail(x, x->pos, "the line should end here");
    x->pos += n;
    return 0;
}

static int
lex_document(struct lex *x, struct toml *root)
{
    struct toml *table = root;
    for (;;) {
        int rc = lex_space(x);
        if (rc != 0)
            return rc;
        if (x->pos >= x->len)
            return 0;
        rc = lex_peek(x, 0) == '[' ? lex_header(x, root, &table)
                                   : lex_pair(x, table);
        if (rc == 0)
            rc = lex_line_end(x);
        if (rc != 0)
            return rc;
    }
}

/* ---- UTF-8 and places ---- */

static int
check_utf8(struct lex *x)
{
    for (size_t i = 0; i < x->len;) {
        size_t n = utf8_len(x->text + i, x->len - i);
        if (n == 0)
            return lex_fail(x, i, "byte 0x%02x is no UTF-8 text here",
                (unsigned char)x->text[i]);
        i += n;
    }
    return 0;
}

/* A walk over the text that gives places for rising positions. */
struct place {
    size_t at;
    uint32_t line, col;
};

static void
place_go(struct place *p, const char *text, size_t len, size_t at)
{
    if (at < p->at)
        *p = (struct place){0, 1, 1};
    for (; p->at < at && p->at < len; p->at++) {
        unsigned char c = (unsigned char)text[p->at];
        if (c == '\n') {
            p->line++;
            p->col = 1;
        } else if ((c & 0xc0) != 0x80) {
            p->col++;
        }
    }
}

void
toml_place(
    const char *text, size_t len, size_t at, uint32_t *line, uint32_t *col)
{
    struct place p = {0, 1, 1};
    place_go(&p, text, len, at);
    *line = p.line;
    *col = p.col;
}

/* By bisection over the line starts: the tree's order jumps about in the
 * text. */
static void
place_of(const struct lex *x, const size_t *starts, size_t n_lines, size_t at,
    uint32_t *line, uint32_t *col)
{
    size_t lo = 0, hi = n_lines;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (starts[mid] <= at)
            lo = mid;
        else
            hi = mid;
    }
    struct place p = {starts[lo], (uint32_t)lo + 1, 1};
    place_go(&p, x->text, x->len, at);
    *line = p.line;
    *col = p.col;
}

static void
place_nodes(
    const struct lex *x, const size_t *starts, size_t n_lines, struct toml *t)
{
    for (; t != NULL; t = t->next) {
        place_of(x, starts, n_lines, t->begin, &t->line, &t->col);
        if (t->key != NULL)
            place_of(
                x, starts, n_lines, t->key_line, &t->key_line, &t->key_col);
        place_nodes(x, starts, n_lines, t->child);
    }
}

static void
place_tree(const struct lex *x, struct toml *root)
{
    size_t n = 1;
    for (size_t i = 0; i < x->len; i++)
        n += x->text[i] == '\n';
    size_t *starts = mem_calloc(n, sizeof *starts);
    n = 1;
    for (size_t i = 0; i < x->len; i++) {
        if (x->text[i] == '\n')
            starts[n++] = i + 1;
    }
    root->line = root->col = 1;
    place_nodes(x, starts, n, root->child);
    free(starts);
}

/* ---- the public face ---- */

int
toml_parse(struct arena *a, const char *text, size_t len, struct toml **out,
    struct toml_fault *fault, struct err *err)
{
    struct lex x = {.arena = a, .text = text, .len = len};
    struct toml *root = arena_alloc(a, sizeof *root);
    root->kind = TOML_TABLE;
    root->state = TABLE_HEADER;
    root->end = len;
    int rc = len <= TOML_BYTES_MAX
                 ? check_utf8(&x)
                 : lex_fail(&x, 0, "larger than %d bytes", TOML_BYTES_MAX);
    if (rc == 0)
        rc = lex_document(&x, root);
    buf_fini(&x.scratch);
    if (rc == 0) {
        place_tree(&x, root);
        *out = root;
        return 0;
    }
    toml_place(text, len, x.fault_at, &x.fault.line, &x.fault.col);
    if (fault != NULL)
        *fault = x.fault;
    return err_set(
        err, rc, "%u:%u: %s", x.fault.line, x.fault.col, x.fault.why);
}

const struct toml *
toml_get(const struct toml *table, const char *key)
{
    if (table->kind != TOML_TABLE)
        return NULL;
    return node_find(table, key, strlen(key));
}

bool
toml_is_num(const struct toml *t)
{
    return t->kind == TOML_INT || t->kind == TOML_FLOAT;
}

const char *
toml_kind_name(uint32_t kind)
{
    static const char *const names[] = {"nothing", "a string", "an integer",
        "a float", "a boolean", "a date and time", "a date and time", "a date",
        "a time", "an array", "a table"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}
