/* Reads the tables of recorded trials. Called once per run of the bench.
 * Invariant: every row has as many cells as the head; texts live as long as
 * the arena. */
#include "table.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- CSV ---- */

static char *
file_load(struct arena *a, const char *path, size_t *n, struct err *err)
{
    gzFile f = gzopen(path, "rb");
    if (f == NULL) {
        err_set(err, -ERR_SYS, "%s: cannot be opened", path);
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
    gzclose(f);
    if (got < 0) {
        free(text);
        err_set(err, -ERR_SYS, "%s: damaged gzip data", path);
        return NULL;
    }
    text[at] = '\0';
    char *kept = arena_strndup(a, text, at);
    free(text);
    *n = at;
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

static uint32_t
columns_count(const char *text)
{
    uint32_t n = 1;
    for (; *text != '\0' && *text != '\n'; text++)
        n += *text == ',';
    return n;
}

int
table_read(
    struct arena *a, const char *path, struct table *out, struct err *err)
{
    size_t n, lines = 0;
    char *text = file_load(a, path, &n, err);
    if (text == NULL)
        return err->code;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    out->n_cols = columns_count(text);
    out->n_rows = 0;
    out->head = arena_alloc(a, out->n_cols * sizeof *out->head);
    out->cells = arena_alloc(a, (lines + 1) * out->n_cols * sizeof *out->cells);
    char *p = text;
    for (uint32_t line = 0; *p != '\0'; line++) {
        const char **to =
            line == 0 ? out->head : out->cells + (line - 1) * out->n_cols;
        char end = ',';
        uint32_t col = 0;
        for (; end == ','; col++) {
            const char *cell;
            end = cell_cut(&p, &cell);
            if (col < out->n_cols)
                to[col] = cell;
        }
        if (col != out->n_cols)
            return err_set(err, -ERR_INPUT,
                "%s, line %u: %u cells, the head has %u", path, line + 1, col,
                out->n_cols);
        out->n_rows += line > 0;
    }
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
    const char **cell = t->cells + r * t->n_cols;
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
        if (strncmp(t.head[c], "hp:", 3) == 0) {
            at[out->n_hp] = c;
            out->hp[out->n_hp++] = t.head[c] + 3;
        }
    out->row = arena_alloc(a, (t.n_rows + 1) * sizeof *out->row);
    for (uint32_t r = 0; r < t.n_rows; r++) {
        const char **hp = arena_alloc(a, out->n_hp * sizeof *hp + 1);
        bool known = false;
        for (uint32_t h = 0; h < out->n_hp; h++) {
            hp[h] = t.cells[r * t.n_cols + at[h]];
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

size_t
family_len(const char *dataset)
{
    const char *p = dataset;
    while ((p = strstr(p, "_x")) != NULL) {
        if (isdigit((unsigned char)p[2]))
            return (size_t)(p - dataset);
        p += 2;
    }
    return strlen(dataset);
}

int
family_equal(const char *a, const char *b)
{
    size_t n = family_len(a);
    return n == family_len(b) && strncmp(a, b, n) == 0;
}
