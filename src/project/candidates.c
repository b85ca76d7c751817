/* [space] candidates: a csv file whose columns are knobs and whose rows are
 * the only valid configurations. Called by project.c. Invariant: every row
 * that enters spec.candidate[] is inside all domains, and no two are equal. */
#include "project/read.h"

#include "base/fs.h"
#include "base/near.h"

#include <string.h>

enum { CELL_MAX = 128 };

struct csv {
    const struct reader *r;
    const char *file; /* as the project file names it */
    const char *pos;  /* what is left */
    uint32_t line;
    uint32_t n_cells;
    char cell[KNOBS_MAX + 1][CELL_MAX];
};

static int
csv_fail(
    const struct csv *c, const char *fix, const char *what, const char *word)
{
    return err_set(c->r->err, -ERR_INPUT, "%s:%u: %s%s%s%s%s%s", c->file,
        c->line, what, word ? " \"" : "", word ? word : "", word ? "\"" : "",
        fix ? "\n  fix: " : "", fix ? fix : "");
}

/* One cell, quoted or not; leaves the position behind it. */
static int
csv_cell(struct csv *c, char out[CELL_MAX])
{
    const char *s = c->pos + strspn(c->pos, " \t");
    bool quoted = *s == '"';
    size_t n = 0;
    s += quoted;
    while (*s != '\0' && *s != '\n') {
        if (quoted && s[0] == '"' && s[1] != '"')
            break;
        if (!quoted && (*s == ',' || *s == '\r'))
            break;
        s += quoted && s[0] == '"';
        if (n + 1 >= CELL_MAX)
            return csv_fail(c, NULL, "a cell is too long", NULL);
        out[n++] = *s++;
    }
    if (quoted && *s != '"')
        return csv_fail(c, "close it with \"", "an open quote", NULL);
    s += quoted;
    while (!quoted && n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'))
        n--;
    out[n] = '\0';
    c->pos = s + strspn(s, " \t\r");
    return 0;
}

/* The next line that is not blank; n_cells 0: the file is over. */
static int
csv_row(struct csv *c)
{
    c->n_cells = 0;
    for (;;) {
        size_t blank = strspn(c->pos, " \t\r");
        if (c->pos[blank] != '\n')
            break;
        c->pos += blank + 1;
        c->line++;
    }
    if (c->pos[strspn(c->pos, " \t\r")] == '\0')
        return 0;
    for (;;) {
        if (c->n_cells > KNOBS_MAX)
            return csv_fail(c, NULL, "too many columns", NULL);
        int rc = csv_cell(c, c->cell[c->n_cells++]);
        if (rc != 0)
            return rc;
        if (*c->pos != ',')
            break;
        c->pos++;
    }
    if (*c->pos == '\n')
        c->pos++;
    else if (*c->pos != '\0')
        return csv_fail(c, NULL, "a comma is expected after the quote", NULL);
    return 0;
}

static int
read_header(struct csv *c, uint32_t column[KNOBS_MAX], uint32_t *n)
{
    const struct spec *s = &c->r->p->spec;
    const char *names[KNOBS_MAX];
    c->line = 1;
    int rc = csv_row(c);
    if (rc != 0)
        return rc;
    if (c->n_cells == 0)
        return csv_fail(
            c, "begin with a line of knob names", "no header", NULL);
    for (uint32_t i = 0; i < s->n_knobs; i++)
        names[i] = s->knob[i].name;
    *n = c->n_cells;
    for (uint32_t i = 0; i < *n; i++) {
        uint32_t k = 0;
        while (k < s->n_knobs && strcmp(names[k], c->cell[i]) != 0)
            k++;
        if (k == s->n_knobs)
            return csv_fail(c,
                read_hint(c->r, c->cell[i], names, s->n_knobs,
                    "each column is the name of a knob"),
                "unknown column", c->cell[i]);
        for (uint32_t j = 0; j < i; j++) {
            if (column[j] == k)
                return csv_fail(c, "leave one of them out",
                    "column given twice", c->cell[i]);
        }
        column[i] = k;
    }
    return 0;
}

/* A knob without a column keeps its default; an empty cell too. */
static int
read_row(struct csv *c, const uint32_t *column, uint32_t n, double *row)
{
    struct spec *s = &c->r->p->spec;
    if (c->n_cells != n)
        return csv_fail(c, "give each row as many cells as the header",
            "another number of cells than the header", NULL);
    for (uint32_t k = 0; k < s->n_knobs; k++)
        row[k] = s->knob[k].deflt;
    for (uint32_t i = 0; i < n; i++) {
        const struct knob *k = &s->knob[column[i]];
        const char *why = "";
        if (c->cell[i][0] == '\0')
            continue;
        if (knob_code_text(k, c->cell[i], &row[column[i]], &why) != 0)
            return csv_fail(c,
                arena_printf(c->r->a, "the value %s of knob %s", why, k->name),
                "bad value", c->cell[i]);
    }
    return 0;
}

static bool
is_known(const struct spec *s, const double *row)
{
    for (uint32_t i = 0; i < s->n_candidates; i++) {
        if (memcmp(s->candidate[i], row, s->n_knobs * sizeof *row) == 0)
            return true;
    }
    return false;
}

static int
read_rows(struct csv *c)
{
    struct spec *s = &c->r->p->spec;
    uint32_t column[KNOBS_MAX] = {0}, n = 0;
    uint32_t line = 1;
    int rc = read_header(c, column, &n);
    while (rc == 0) {
        double row[KNOBS_MAX] = {0};
        c->line = ++line;
        rc = csv_row(c);
        line = c->line;
        if (rc != 0 || c->n_cells == 0)
            break;
        rc = read_row(c, column, n, row);
        if (rc != 0 || is_known(s, row))
            continue;
        if (s->n_candidates == CANDIDATES_MAX)
            return csv_fail(c, "declare domains instead of a list",
                "more than 1024 configurations", NULL);
        memcpy(s->candidate[s->n_candidates++], row, sizeof row);
    }
    return rc;
}

int
parse_candidates(struct reader *r, const struct draft *d)
{
    struct project *p = r->p;
    if (d->candidates == NULL)
        return 0;
    const struct toml *t = toml_get(r->root, "space");
    const char *path = fs_join_in(r->a, p->root, d->candidates);
    struct buf text = {0};
    struct err why = {0};
    p->candidates_file = d->candidates;
    int rc = fs_read(path, PROJECT_BYTES_MAX, &text, &why);
    if (rc != 0) {
        buf_fini(&text);
        return read_fail(r, place_of(t, "candidates"),
            "paths are relative to the workspace", "%s", why.text);
    }
    struct csv *c = arena_alloc(r->a, sizeof *c);
    c->r = r;
    c->file = d->candidates;
    c->pos = buf_str(&text);
    rc = read_rows(c);
    buf_fini(&text);
    if (rc != 0)
        return rc;
    if (p->spec.n_candidates == 0)
        return read_fail(r, place_of(t, "candidates"), "add rows",
            "%s lists no configuration", d->candidates);
    /* The baseline runs with the defaults, so they must be valid. */
    double row[KNOBS_MAX] = {0};
    for (uint32_t i = 0; i < p->spec.n_knobs; i++)
        row[i] = p->spec.knob[i].deflt;
    if (!is_known(&p->spec, row))
        return read_fail(r, place_of(t, "candidates"),
            "add a row with the defaults, or change the defaults to a row",
            "the default configuration is not in %s", d->candidates);
    return 0;
}
