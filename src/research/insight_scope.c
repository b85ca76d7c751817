/* Where a row was learnt, as a few numbers that tell places apart: many rows
 * share one scope, so that the likest places are found by looking at scopes,
 * not at rows. Called when a row is projected and by the search. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "research/insight_db.h"

static const double UNKNOWN = -99;

/* Two decimals of a logarithm: 2 % in rows make no other place. */
static double
log_of(const struct json *j, const char *key)
{
    double x = json_get_num(j, key, 0);
    return x > 0 && isfinite(x) ? round(100 * log10(x)) / 100 : UNKNOWN;
}

void
insight_place_write(struct jw *w, const struct insight_place *p)
{
    if (p->rows > 0)
        jw_kf64(w, "rows", p->rows);
    if (p->fields > 0)
        jw_kf64(w, "fields", p->fields);
    if (p->density > 0)
        jw_kf64(w, "density", p->density);
    if (p->sequence != 0)
        jw_kbool(w, "sequence", p->sequence > 0);
}

void
scope_of(const struct insight *r, struct scope *out)
{
    struct json *j = r->context[0] != '\0'
                         ? json_parse(r->context, strlen(r->context), NULL)
                         : NULL;
    snprintf(out->family, sizeof out->family, "%s", r->family);
    out->lrows = log_of(j, "rows");
    out->lfields = log_of(j, "fields");
    out->ldensity = log_of(j, "density");
    const struct json *seq = json_get(j, "sequence");
    out->sequence = json_kind(seq) == J_BOOL ? json_bool(seq, false) : -1;
    json_free(j);
}

static void
scope_bind(sqlite3_stmt *st, const struct scope *s)
{
    sqlite3_bind_text(st, 1, s->family, -1, SQLITE_STATIC);
    sqlite3_bind_double(st, 2, s->lrows);
    sqlite3_bind_double(st, 3, s->lfields);
    sqlite3_bind_double(st, 4, s->ldensity);
    sqlite3_bind_int64(st, 5, s->sequence);
}

int
scope_id(
    struct insights *db, const struct scope *s, int64_t *id, struct err *err)
{
    sqlite3_stmt *st = insights_statement(db, ST_SCOPE_FIND, err);
    if (st == NULL)
        return -ERR_SYS;
    scope_bind(st, s);
    int rc = insights_step(db, st, err);
    *id = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    st = insights_statement(db, ST_SCOPE_ADD, err);
    if (st == NULL)
        return -ERR_SYS;
    scope_bind(st, s);
    rc = insights_step(db, st, err);
    *id = sqlite3_last_insert_rowid(db->sql);
    sqlite3_reset(st);
    return rc;
}
