/* Reads leaderboards. Called once. Invariant: rows of a board are together and
 * in the order of the file, boards in order of name. */
#include "board.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "replay/table.h"

double
effect_clipped(double effect)
{
    return fmin(EFFECT_LIMIT, fmax(-EFFECT_LIMIT, effect));
}

static uint32_t
method_of(struct boards *b, const char *name, const char *url, int year)
{
    for (uint32_t i = 0; i < b->n_methods; i++)
        if (strcmp(b->method[i].name, name) == 0)
            return i;
    b->method = mem_realloc(b->method, (b->n_methods + 1) * sizeof *b->method);
    b->method[b->n_methods] = (struct method){name, url, year};
    return b->n_methods++;
}

static uint32_t
family_of_board(const struct boards *b, const char *name, uint32_t fresh)
{
    size_t n = strcspn(name, "_");
    for (uint32_t i = 0; i < b->n; i++)
        if (strcspn(b->board[i].name, "_") == n &&
            strncmp(b->board[i].name, name, n) == 0)
            return b->board[i].family;
    return fresh;
}

static bool
number_read(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

struct columns {
    int year, model, url, auc;
};

static bool
row_seen(const struct boards *b, const struct board *to, const char *model)
{
    for (uint32_t i = 0; i < to->n; i++)
        if (strcmp(b->row[to->first + i].model, model) == 0)
            return true;
    return false;
}

/* Rows with a name, a year and an AUC; a name that comes again is left out. */
static void
rows_add(struct boards *b, const struct table *t, const struct columns *c,
    struct board *to)
{
    b->row = mem_realloc(b->row, (b->n_rows + t->n_rows + 1) * sizeof *b->row);
    for (uint32_t i = 0; i < t->n_rows; i++) {
        const char **cell = t->cells + (size_t)i * t->n_cols;
        double auc, year;
        const char *model = cell[c->model];
        if (!number_read(cell[c->auc], &auc) ||
            !number_read(cell[c->year], &year) || model[0] == '\0' ||
            row_seen(b, to, model)) {
            b->n_skipped++;
            continue;
        }
        if (strcmp(model, REFERENCE) == 0)
            to->reference = (int)to->n;
        const char *url = c->url >= 0 ? cell[c->url] : "";
        b->row[to->first + to->n++] = (struct board_row){.model = model,
            .url = url,
            .year = (int)year,
            .effect = auc,
            .board = b->n,
            .method = method_of(b, model, url, (int)year)};
    }
}

static void
board_add(struct boards *b, const char *name, const struct table *t)
{
    struct columns c = {table_column(t, "Year"), table_column(t, "Model"),
        table_column(t, "Paper URL"), table_column(t, "AUC")};
    struct board to = {.name = name,
        .first = b->n_rows,
        .reference = -1,
        .grouped = table_column(t, "gAUC") >= 0};
    if (c.year >= 0 && c.model >= 0 && c.auc >= 0)
        rows_add(b, t, &c, &to);
    if (to.reference < 0) {
        fprintf(stderr,
            "%s: left out: it needs the columns Year, Model and AUC and a row "
            "of the reference " REFERENCE "\n",
            name);
        b->n_skipped++;
        return;
    }
    double base = b->row[to.first + (uint32_t)to.reference].effect;
    for (uint32_t i = 0; i < to.n; i++)
        b->row[to.first + i].effect -= base;
    to.family = family_of_board(b, name, b->n_families);
    b->n_families += to.family == b->n_families;
    b->n_rows += to.n;
    b->board = mem_realloc(b->board, (b->n + 1) * sizeof *b->board);
    b->board[b->n++] = to;
}

int
boards_read(
    struct arena *a, const char *dir, struct boards *out, struct err *err)
{
    const char **name;
    size_t n;
    memset(out, 0, sizeof *out);
    int rc = fs_list_in(a, dir, &name, &n, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct table t;
        size_t len = strlen(name[i]);
        if (len < 5 || strcmp(name[i] + len - 4, ".csv") != 0)
            continue;
        rc = table_read(a, fs_join_in(a, dir, name[i]), &t, err);
        if (rc == 0)
            board_add(out, arena_strndup(a, name[i], len - 4), &t);
    }
    if (rc == 0 && out->n_families < 2)
        rc = err_set(err, -ERR_INPUT,
            "%s: leaderboards of two families at least are needed (one is left "
            "out, the others are learnt from); %u found",
            dir, out->n_families);
    return rc;
}
