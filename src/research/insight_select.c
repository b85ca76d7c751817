/* The rows that can matter to a plan, out of any number. Called by the draft.
 * A row bears on a prediction only by its concept, or by its knob's name where
 * that has no concept; of each a share is read through an index: half for the
 * family that asks, then the latest of any. Invariant: what is left out is
 * chosen by age alone, never by what it says. */
#include <stdlib.h>
#include <string.h>

#include "research/insight_db.h"

enum { SELECT_MAX = 4000, SHARE_MIN = 60 };

struct selection {
    struct insights *db;
    const struct insight_matter *matter;
    struct arena *arena;
    struct insight *row;
    size_t n, cap;
};

static void
selection_put(struct selection *s, const struct insight *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->n == s->cap) {
            s->cap = s->cap > 0 ? 2 * s->cap : 256;
            s->row = mem_realloc(s->row, s->cap * sizeof *s->row);
        }
        s->row[s->n++] = row[i];
    }
}

/* The latest `limit` rows where column = value (and of the family, or of any
 * other). */
static int
latest(struct selection *s, const char *column, const char *value, int family,
    uint32_t limit, size_t *n, struct err *err)
{
    const struct insight_matter *m = s->matter;
    struct insight *row = NULL;
    struct buf sql = {0};
    sqlite3_stmt *st = NULL;
    insight_columns(&sql);
    buf_printf(&sql, "WHERE i.%s = ?1 AND i.superseded = 0", column);
    if (strcmp(column, "knob") == 0)
        buf_puts(&sql, " AND i.concept = 'none'");
    if (family != 0)
        buf_printf(&sql, " AND i.family %s ?2", family > 0 ? "=" : "<>");
    if (m->before != NULL)
        buf_puts(&sql, " AND i.date < ?3");
    buf_puts(&sql, " ORDER BY i.id DESC LIMIT ?4");
    int rc = insights_prepare(s->db, buf_str(&sql), &st, err);
    if (rc == 0) {
        sqlite3_bind_text(st, 1, value, -1, SQLITE_STATIC);
        if (family != 0)
            sqlite3_bind_text(st, 2, m->family, -1, SQLITE_STATIC);
        if (m->before != NULL)
            sqlite3_bind_text(st, 3, m->before, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 4, limit);
        rc = insight_rows_read(s->db, st, false, s->arena, &row, n, err);
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    if (rc == 0)
        selection_put(s, row, *n);
    return rc;
}

static int
share_read(struct selection *s, const char *column, const char *value,
    uint32_t share, struct err *err)
{
    const char *family = s->matter->family;
    size_t own = 0, others = 0;
    if (family == NULL || family[0] == '\0')
        return latest(s, column, value, 0, share, &others, err);
    int rc = latest(s, column, value, 1, share / 2, &own, err);
    if (rc == 0)
        rc = latest(s, column, value, -1, share - (uint32_t)own, &others, err);
    return rc;
}

static int
place_compare(const void *a, const void *b)
{
    const struct insight *x = a, *y = b;
    int p = strcmp(x->campaign, INSIGHT_PUBLIC) == 0;
    int q = strcmp(y->campaign, INSIGHT_PUBLIC) == 0;
    if (p != q)
        return p - q;
    return (x->id > y->id) - (x->id < y->id);
}

static int
rows_are_few(struct insights *db, uint32_t max, bool *few, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = insights_prepare(
        db, "SELECT count(*) FROM (SELECT 1 FROM insight LIMIT ?1)", &st, err);
    if (rc == 0) {
        sqlite3_bind_int64(st, 1, (int64_t)max + 1);
        rc = insights_step(db, st, err);
        *few = rc > 0 && sqlite3_column_int64(st, 0) <= max;
    }
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

int
insight_select(struct insights *db, const struct insight_matter *m,
    struct arena *a, struct insight **out, size_t *n, struct err *err)
{
    struct selection s = {.db = db, .matter = m, .arena = a};
    uint32_t max = m->max > 0 ? m->max : SELECT_MAX;
    bool few = false;
    *out = NULL;
    *n = 0;
    int rc = rows_are_few(db, max, &few, err);
    if (rc == 0 && few) {
        struct insight_query all = {.before = m->before, .max = max};
        return insight_list(db, &all, a, out, n, err);
    }
    size_t parts = m->n_concepts + m->n_knobs;
    uint32_t share = parts > 0 ? max / (uint32_t)parts : 0;
    share = share > SHARE_MIN ? share : SHARE_MIN;
    for (size_t i = 0; rc == 0 && i < m->n_concepts; i++)
        rc = share_read(&s, "concept", m->concept[i], share, err);
    for (size_t i = 0; rc == 0 && i < m->n_knobs; i++)
        rc = share_read(&s, "knob", m->knob[i], share, err);
    if (rc == 0 && s.n > 0) {
        qsort(s.row, s.n, sizeof *s.row, place_compare);
        *out = arena_alloc(a, s.n * sizeof **out);
        memcpy(*out, s.row, s.n * sizeof **out);
        *n = s.n;
    }
    free(s.row);
    return rc;
}
