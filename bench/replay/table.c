/* Reads the tables of recorded trials. Called once per run of the bench.
 * Invariant: every row has as many cells as the head; texts live as long as
 * the arena. */
#include "table.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

/* ---- CSV ---- */

/* The whole file behind its byte order mark, ended by a NUL. */
static char *
file_load(struct arena *a, const char *path, size_t *n, struct err *err)
{
    gzFile f = gzopen(path, "rb");
    if (f == NULL) {
        err_set(
            err, -ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    size_t cap = 1 << 20, at = 0;
    char *text = mem_calloc(1, cap);
    int got;
    while ((got = gzread(f, text + at, (unsigned)(cap - at - 1))) > 0) {
        at += (size_t)got;
        if (cap - at < 2)
            text = mem_realloc(text, cap *= 2);
    }
    int end = gzclose(f); /* Z_BUF_ERROR: cut short */
    text[at] = '\0';
    const char *wrong = got < 0 || end != Z_OK ? "unreadable or damaged gzip"
                        : strlen(text) != at   ? "a NUL byte, so no CSV table"
                                               : NULL;
    char *kept = NULL;
    if (wrong != NULL) {
        err_set(err, -ERR_INPUT, "%s: %s", path, wrong);
    } else {
        size_t mark = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        kept = arena_strndup(a, text + mark, at - mark);
        *n = at - mark;
    }
    free(text);
    return kept;
}

/* Cuts the next cell in place; *p moves behind its separator. Returns the
 * separator: ',', '\n' or 0 at the end. */
static char
cell_cut(char **p, const char **out)
{
    char *in = *p, *to = in;
    bool quoted = *in == '"';
    *out = to;
    if (quoted)
        in++;
    for (;; in++) {
        if (*in == '\0')
            break;
        if (quoted && *in == '"') {
            if (in[1] != '"') {
                quoted = false;
                continue;
            }
            in++;
        } else if (!quoted && (*in == ',' || *in == '\n')) {
            break;
        }
        if (*in != '\r' || quoted)
            *to++ = *in;
    }
    char end = *in;
    *to = '\0';
    *p = end != '\0' ? in + 1 : in;
    return end;
}

/* Cells of the first line, where a quoted name may hold commas. */
static uint32_t
columns_count(const char *text)
{
    uint32_t n = 1;
    bool quoted = false;
    for (; *text != '\0' && (quoted || *text != '\n'); text++) {
        quoted ^= *text == '"';
        n += *text == ',' && !quoted;
    }
    return n;
}

/* One form for each number, so that "16", "16.0" and "1.6e1" are one value of
 * a knob; other texts stay. */
static const char *
cell_plain(struct arena *a, const char *text)
{
    char *end, plain[32];
    double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v))
        return text;
    snprintf(plain, sizeof plain, "%.12g", v == 0 ? 0 : v);
    return strcmp(plain, text) == 0 ? text : arena_strdup(a, plain);
}

static void
cells_plain(struct arena *a, struct table *t)
{
    for (uint32_t c = 0; c < t->n_cols; c++)
        if (strncmp(t->head[c], "hp:", 3) == 0 ||
            strcmp(t->head[c], "from") == 0 || strcmp(t->head[c], "to") == 0)
            for (size_t r = 0; r < t->n_rows; r++) {
                const char **cell = &t->cells[r * t->n_cols + c];
                *cell = cell_plain(a, *cell);
            }
}

/* Reads one line into to[n]; returns how many cells it has. */
static uint32_t
line_read(char **p, const char **to, uint32_t n)
{
    uint32_t col = 0;
    for (char end = ','; end == ','; col++) {
        const char *cell;
        end = cell_cut(p, &cell);
        if (col < n)
            to[col] = cell;
    }
    return col;
}

int
table_read(
    struct arena *a, const char *path, struct table *out, struct err *err)
{
    size_t n, lines = 1;
    char *text = file_load(a, path, &n, err);
    if (text == NULL)
        return err->code;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    out->n_cols = columns_count(text);
    out->n_rows = 0;
    out->head = arena_alloc(a, out->n_cols * sizeof *out->head);
    out->cells = arena_alloc(a, lines * out->n_cols * sizeof *out->cells);
    char *p = text;
    uint32_t line = 1;
    if (line_read(&p, out->head, out->n_cols) != out->n_cols)
        return err_set(err, -ERR_INPUT, "%s, line 1: no head of a table", path);
    while (*p != '\0') {
        line++;
        char *begin = p + (*p == '\r');
        const char **to = out->cells + (size_t)out->n_rows * out->n_cols;
        uint32_t cells = line_read(&p, to, out->n_cols);
        if (cells == 1 && (*begin == '\n' || *begin == '\0') && out->n_cols > 1)
            continue; /* an empty line */
        if (cells != out->n_cols)
            return err_set(err, -ERR_INPUT,
                "%s, row %u: %u cells, the head has %u", path, line, cells,
                out->n_cols);
        out->n_rows++;
    }
    cells_plain(a, out);
    return 0;
}

int
table_column(const struct table *t, const char *name)
{
    for (uint32_t c = 0; c < t->n_cols; c++)
        if (strcmp(t->head[c], name) == 0)
            return (int)c;
    return -1;
}

/* ---- trials ---- */

static double
number_of(const char *s)
{
    char *end;
    double v = strtod(s, &end);
    return end == s || *end != '\0' ? NAN : v;
}

static bool
row_read(const struct table *t, uint32_t r, const int *col, struct row *out)
{
    const char **cell = t->cells + (size_t)r * t->n_cols;
    out->id = cell[col[0]];
    out->dataset = cell[col[1]];
    out->model = cell[col[2]];
    out->space = col[3] >= 0 ? cell[col[3]] : "";
    out->val = number_of(cell[col[4]]);
    out->test = col[5] >= 0 ? number_of(cell[col[5]]) : NAN;
    if (!isfinite(out->test))
        out->test = out->val;
    return isfinite(out->val);
}

/* Runs that differ in their seed alone are repeats of one configuration. */
static bool
is_seed(const char *hp)
{
    return strcmp(hp, "seed") == 0 || strcmp(hp, "random_seed") == 0;
}

int
trials_read(
    struct arena *a, const char *path, struct trials *out, struct err *err)
{
    static const char *const need[] = {
        "trial_id", "dataset", "model", "space", "val_auc", "test_auc"};
    struct table t;
    int col[6];
    int rc = table_read(a, path, &t, err);
    if (rc != 0)
        return rc;
    for (int i = 0; i < 6; i++) {
        col[i] = table_column(&t, need[i]);
        if (col[i] < 0 && i != 3 && i != 5)
            return err_set(
                err, -ERR_INPUT, "%s has no column %s", path, need[i]);
    }
    uint32_t *at = arena_alloc(a, t.n_cols * sizeof *at);
    out->n_hp = out->n = 0;
    out->hp = arena_alloc(a, t.n_cols * sizeof *out->hp);
    for (uint32_t c = 0; c < t.n_cols; c++)
        if (strncmp(t.head[c], "hp:", 3) == 0 && !is_seed(t.head[c] + 3)) {
            at[out->n_hp] = c;
            out->hp[out->n_hp++] = t.head[c] + 3;
        }
    out->row = arena_alloc(a, (t.n_rows + 1) * sizeof *out->row);
    for (uint32_t r = 0; r < t.n_rows; r++) {
        const char **hp = arena_alloc(a, (out->n_hp + 1) * sizeof *hp);
        bool known = false;
        for (uint32_t h = 0; h < out->n_hp; h++) {
            hp[h] = t.cells[(size_t)r * t.n_cols + at[h]];
            known |= hp[h][0] != '\0';
        }
        struct row *to = &out->row[out->n];
        if (known && row_read(&t, r, col, to)) {
            to->hp = hp;
            out->n++;
        }
    }
    return 0;
}

/* Start of a trailing "_x4", "_v2", "-001" and the like within s[0..n), or n:
 * a separator, at most one letter, digits. */
static size_t
version_cut(const char *s, size_t n)
{
    size_t i = n;
    while (i > 0 && isdigit((unsigned char)s[i - 1]))
        i--;
    if (i == n)
        return n;
    if (i > 0 && strchr("xXvV", s[i - 1]) != NULL)
        i--;
    return i > 1 && strchr("_-. ", s[i - 1]) != NULL ? i - 1 : n;
}

size_t
family_len(const char *dataset)
{
    size_t n = strlen(dataset);
    for (const char *p = dataset + 1; n > 0 && *p != '\0'; p++)
        if (strchr("_-. ", p[0]) != NULL && (p[1] == 'x' || p[1] == 'X') &&
            isdigit((unsigned char)p[2])) {
            n = (size_t)(p - dataset);
            break;
        }
    for (size_t cut; (cut = version_cut(dataset, n)) < n;)
        n = cut;
    return n;
}

int
family_equal(const char *a, const char *b)
{
    size_t n = family_len(a);
    return n == family_len(b) && strncasecmp(a, b, n) == 0;
}
