/* The insights database on SQLite: keep, list, promote. Called by the verbs, by
 * the drafting of hypotheses and when a campaign ends. Invariant: what is kept
 * is an event; a row is what the events say of it, and its origin is unique, so
 * keeping the same result twice, or merging two teams' files in any order,
 * gives the same set. */
#include "research/insight.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "research/insight_db.h"

/* ---- keep ---- */

/* What an observation holds of a row. The public set's standing is part of it;
 * any other promotion is a decision of its own. */
static void
observation_write(struct buf *out, const struct insight *r, const char *more)
{
    struct jw w;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "row");
    jw_obj_begin(&w);
    insight_write_content(&w, r);
    if (r->status == INSIGHT_PROMOTED &&
        strcmp(r->campaign, INSIGHT_PUBLIC) == 0)
        jw_kstr(&w, "status", insight_status_name(r->status));
    if (r->created_ms != 0)
        jw_ki64(&w, "created_ms", r->created_ms);
    jw_obj_end(&w);
    if (more != NULL)
        buf_puts(out, more);
    jw_obj_end(&w);
}

/* Does anything but this observation bear on the row? */
static bool
subject_has_more(struct insights *db, const char *origin)
{
    sqlite3_stmt *st = insights_statement(db, ST_EVENT_KINDS, NULL);
    bool more = st == NULL;
    if (st == NULL)
        return more;
    sqlite3_bind_int64(st, 1, insight_subject(origin));
    while (!more && insights_step(db, st, NULL) > 0)
        more = sqlite3_column_int64(st, 0) >= INSIGHT_OBSERVATION;
    sqlite3_reset(st);
    return more;
}

static int
row_keep(
    struct insights *db, struct insight *r, const char *more, struct err *err)
{
    struct buf payload = {0};
    observation_write(&payload, r, more);
    struct insight_event e = {.kind = INSIGHT_OBSERVATION,
        .of = r->origin,
        .at_ms = r->created_ms,
        .payload = buf_str(&payload)};
    bool fold = subject_has_more(db, r->origin);
    int rc = insight_append_only(db, &e, NULL, err);
    buf_fini(&payload);
    if (rc != 0 || fold) {
        rc = rc != 0 ? rc : insight_fold(db, r->origin, err);
        r->id = insight_id(db, r->origin);
        return rc;
    }
    struct insight plain = *r;
    plain.id = 0;
    plain.promotion = "";
    if (strcmp(plain.campaign, INSIGHT_PUBLIC) != 0)
        plain.status = INSIGHT_DRAFT;
    rc = insight_project(db, &plain, err);
    r->id = plain.id;
    return rc;
}

int
insight_keep_told(struct insights *db, const struct insight *row,
    const char *more, struct insight_kept *out, struct err *err)
{
    struct insight r = *row;
    struct arena a = {0};
    memset(out, 0, sizeof *out);
    int rc = insight_complete(&r, &a, err);
    if (rc == 0)
        rc = insights_begin(db, err);
    if (rc == 0) {
        r.id = insight_id(db, r.origin);
        out->added = r.id == 0;
        if (out->added)
            rc = row_keep(db, &r, more, err);
        bool claims = r.status == INSIGHT_PROMOTED &&
                      strcmp(r.campaign, INSIGHT_PUBLIC) != 0;
        bool taken = false;
        if (rc == 0 && claims)
            rc = insight_promotion_take(db, &r, r.promotion, &taken, err);
        out->unsigned_claim = claims && !taken;
        rc = insights_end(db, rc, err);
    }
    arena_fini(&a);
    out->id = r.id;
    out->added = out->added && rc == 0;
    return rc;
}

int
insight_keep(struct insights *db, const struct insight *row, int64_t *id,
    bool *added, struct err *err)
{
    struct insight_kept kept;
    int rc = insight_keep_told(db, row, NULL, &kept, err);
    if (id != NULL)
        *id = kept.id;
    if (added != NULL)
        *added = kept.added;
    return rc;
}

int
insight_keep_old(struct insights *db, struct insight *r, struct err *err)
{
    struct arena a = {0};
    struct buf payload = {0};
    int rc = insight_complete(r, &a, err);
    if (rc == 0) {
        observation_write(&payload, r, NULL);
        struct insight_event e = {.kind = INSIGHT_OBSERVATION,
            .of = r->origin,
            .at_ms = r->created_ms,
            .payload = buf_str(&payload)};
        bool promoted = r->status == INSIGHT_PROMOTED &&
                        strcmp(r->campaign, INSIGHT_PUBLIC) != 0;
        if (promoted)
            r->status = INSIGHT_DRAFT;
        rc = insight_append_only(db, &e, NULL, err);
        if (rc == 0)
            rc = insight_project(db, r, err);
        if (rc == 0 && promoted)
            rc = insight_promotion_old(db, r, err);
    }
    buf_fini(&payload);
    arena_fini(&a);
    return rc;
}

int
insight_keep_all(struct insights *db, const struct insight *row, size_t n,
    size_t *added, struct err *err)
{
    return insight_keep_chain(db, NULL, 0, row, n, added, err);
}

static bool
row_is_kept(struct insights *db, const struct insight *row)
{
    struct arena a = {0};
    struct insight r = *row;
    bool kept =
        insight_complete(&r, &a, NULL) == 0 && insight_id(db, r.origin) != 0;
    arena_fini(&a);
    return kept;
}

int
insight_keep_chain(struct insights *db, const struct insight_event *event,
    size_t n_events, const struct insight *row, size_t n, size_t *added,
    struct err *err)
{
    size_t count = 0;
    int rc = insights_begin(db, err);
    if (rc != 0)
        return rc;
    if (n > 0 && n_events > 0 && row_is_kept(db, &row[0]))
        n_events = 0;
    for (size_t i = 0; i < n_events && rc == 0; i++)
        rc = insight_append_only(db, &event[i], NULL, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct insight_kept kept;
        rc = insight_keep_told(db, &row[i], row[i].evidence, &kept, err);
        count += kept.added;
    }
    rc = insights_end(db, rc, err);
    if (added != NULL)
        *added = rc == 0 ? count : 0;
    return rc;
}

int
insight_correct(struct insights *db, int64_t id, const char *fields,
    const char *why, const char *by, int64_t at_ms, struct err *err)
{
    struct arena a = {0};
    struct insight r, next;
    struct buf payload = {0};
    struct jw w;
    struct json *j = json_parse(fields, strlen(fields), err);
    int rc = json_kind(j) == J_OBJ && json_len(j) > 0
                 ? insight_get(db, id, &a, &r, err)
                 : err_set(err, -ERR_INPUT,
                       "a correction needs at least one field that changes\n"
                       "  remedy: rea insight correct I%" PRId64
                       " \"why\" effect=0.0002",
                       id);
    if (rc == 0)
        rc = insight_read(&next, j, NULL, &a, err);
    if (rc == 0 && json_get(j, "origin") != NULL)
        rc = err_set(err, -ERR_INPUT, "an insight's origin cannot change");
    if (rc == 0) {
        jw_init(&w, &payload, 0);
        jw_obj_begin(&w);
        jw_key(&w, "fields");
        jw_raw(&w, json_dump_in(&a, j));
        jw_kstr(&w, "why", why);
        jw_obj_end(&w);
        struct insight_event e = {.kind = INSIGHT_CORRECTION,
            .of = r.origin,
            .by = by,
            .at_ms = at_ms,
            .payload = buf_str(&payload)};
        rc = insight_append(db, &e, NULL, err);
    }
    json_free(j);
    buf_fini(&payload);
    arena_fini(&a);
    return rc;
}

/* ---- read ---- */

static void
where_put(struct buf *sql, const struct insight_query *q, bool ranked)
{
    if (ranked)
        buf_puts(sql, "JOIN insight_text t ON t.rowid = i.id ");
    buf_puts(sql, "WHERE 1 ");
    if (ranked)
        buf_puts(sql, "AND insight_text MATCH ?1 ");
    if (q->concept != NULL)
        buf_puts(sql, "AND i.concept = ?2 ");
    if (q->family != NULL)
        buf_puts(sql, "AND i.family = ?3 ");
    if (q->before != NULL)
        buf_puts(sql, "AND i.date < ?4 ");
    if (q->knob != NULL)
        buf_puts(sql, "AND i.knob = ?6 ");
    if (q->technique != NULL)
        buf_puts(sql, "AND i.technique = ?7 ");
    if (q->verdict != NULL)
        buf_puts(sql, "AND i.verdict = ?8 ");
    if (q->configurations_only)
        buf_puts(sql, "AND " INSIGHT_IS_CONFIGURATION " ");
    if (q->promoted_only)
        buf_puts(sql, "AND i.status = 'promoted' ");
    if (q->own_only)
        buf_puts(sql, "AND i.campaign <> '" INSIGHT_PUBLIC "' ");
    if (!q->superseded_too)
        buf_puts(sql, "AND i.superseded = 0 ");
}

/* The team's own rows and those of the public set are two walks in order of
 * ids: one that sorts would read all before it tells the first. */
enum walk { WALK_RANKED, WALK_OWN, WALK_PUBLIC, WALK_ALL };

static void
query_put(struct buf *sql, const struct insight_query *q, enum walk walk)
{
    insight_columns(sql);
    where_put(sql, q, walk == WALK_RANKED);
    if (walk == WALK_OWN)
        buf_puts(sql, "AND i.campaign <> '" INSIGHT_PUBLIC "' ");
    else if (walk == WALK_PUBLIC)
        buf_puts(sql, "AND i.campaign = '" INSIGHT_PUBLIC "' ");
    if (walk == WALK_RANKED)
        buf_puts(sql, "ORDER BY t.rank, i.id ");
    else if (q->configurations_only)
        buf_puts(sql, "ORDER BY i.effect DESC, i.id ");
    else
        buf_puts(sql, "ORDER BY i.id ");
    buf_puts(sql, "LIMIT ?5");
}

static void
query_bind(sqlite3_stmt *st, const struct insight_query *q, const char *match)
{
    const char *text[] = {match, q->concept, q->family, q->before, NULL,
        q->knob, q->technique, q->verdict};
    for (int i = 0; i < 8; i++)
        if (i + 1 <= sqlite3_bind_parameter_count(st))
            sqlite3_bind_text(st, i + 1, text[i], -1, SQLITE_TRANSIENT);
}

int
insight_rows_read(struct insights *db, sqlite3_stmt *st, bool promoted_only,
    struct arena *a, struct insight **out, size_t *n, struct err *err)
{
    struct insight *rows = NULL;
    size_t cap = 0;
    int rc = 0;
    *out = NULL;
    *n = 0;
    while ((rc = insights_step(db, st, err)) > 0) {
        if (*n == cap) {
            cap = cap > 0 ? 2 * cap : 64;
            rows = mem_realloc(rows, cap * sizeof *rows);
        }
        insight_column(&rows[*n], st, a);
        *n += !promoted_only || rows[*n].status == INSIGHT_PROMOTED;
    }
    if (rc == 0 && *n > 0) {
        *out = arena_alloc(a, *n * sizeof **out);
        memcpy(*out, rows, *n * sizeof **out);
    }
    free(rows);
    return rc;
}

static int
walk_read(struct insights *db, const struct insight_query *q, enum walk walk,
    const char *match, size_t max, struct arena *a, struct insight **out,
    size_t *n, struct err *err)
{
    struct buf sql = {0};
    sqlite3_stmt *st = NULL;
    query_put(&sql, q, walk);
    int rc = insights_prepare(db, buf_str(&sql), &st, err);
    if (rc == 0) {
        query_bind(st, q, match);
        sqlite3_bind_int64(st, 5, (int64_t)max);
        rc = insight_rows_read(db, st, q->promoted_only, a, out, n, err);
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    return rc;
}

int
insight_list(struct insights *db, const struct insight_query *q,
    struct arena *a, struct insight **out, size_t *n, struct err *err)
{
    size_t max = q->max > 0 ? q->max : 1000, m = 0;
    struct buf match = {0};
    struct insight *public = NULL, *own = NULL;
    *out = NULL;
    *n = 0;
    if (q->text != NULL)
        insight_match(q->text, &match);
    enum walk walk = match.len > 0            ? WALK_RANKED
                     : q->configurations_only ? WALK_ALL
                                              : WALK_OWN;
    int rc = walk_read(db, q, walk, buf_str(&match), max, a, out, n, err);
    buf_fini(&match);
    if (rc != 0 || walk != WALK_OWN || q->own_only || *n >= max)
        return rc;
    own = *out;
    rc = walk_read(db, q, WALK_PUBLIC, "", max - *n, a, &public, &m, err);
    if (rc != 0 || m == 0)
        return rc;
    *out = arena_alloc(a, (*n + m) * sizeof **out);
    if (*n > 0)
        memcpy(*out, own, *n * sizeof **out);
    memcpy(*out + *n, public, m * sizeof **out);
    *n += m;
    return 0;
}

int
insight_matching(struct insights *db, const struct insight_query *q,
    int64_t *out, struct err *err)
{
    struct buf sql = {0};
    sqlite3_stmt *st = NULL;
    bool plain = q->concept == NULL && q->family == NULL && q->before == NULL &&
                 q->knob == NULL && q->technique == NULL &&
                 q->verdict == NULL && !q->configurations_only &&
                 !q->promoted_only && !q->own_only && !q->superseded_too;
    if (plain) { /* two indexes, instead of every row */
        buf_puts(&sql, "SELECT (SELECT count(*) FROM insight) - (SELECT "
                       "count(*) FROM insight WHERE superseded = 1)");
    } else {
        buf_puts(&sql, "SELECT count(*) FROM insight i ");
        where_put(&sql, q, false);
    }
    int rc = insights_prepare(db, buf_str(&sql), &st, err);
    if (rc == 0) {
        query_bind(st, q, "");
        rc = insights_step(db, st, err);
        *out = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    return rc < 0 ? rc : 0;
}

int
insight_get(struct insights *db, int64_t id, struct arena *a,
    struct insight *out, struct err *err)
{
    sqlite3_stmt *st = insights_statement(db, ST_ROW_GET, err);
    if (st == NULL)
        return -ERR_SYS;
    sqlite3_bind_int64(st, 1, id);
    int rc = insights_step(db, st, err);
    if (rc > 0)
        insight_column(out, st, a);
    sqlite3_reset(st);
    if (rc == 0)
        return err_set(err, -ERR_NOT_FOUND,
            "no insight I%" PRId64 " in %s; `rea insight list` shows what "
            "there is",
            id, db->path);
    return rc < 0 ? rc : 0;
}

int
insight_against(struct insights *db, const char *origin, struct arena *a,
    struct insight **out, size_t *n, struct err *err)
{
    struct buf sql = {0};
    sqlite3_stmt *st = NULL;
    insight_columns(&sql);
    buf_puts(&sql,
        "WHERE (i.supersedes = ?1 AND i.supersedes <> '') OR "
        "(i.contradicts = ?1 AND i.contradicts <> '') ORDER BY i.id");
    int rc = insights_prepare(db, buf_str(&sql), &st, err);
    if (rc == 0) {
        sqlite3_bind_text(st, 1, origin, -1, SQLITE_STATIC);
        rc = insight_rows_read(db, st, false, a, out, n, err);
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    return rc;
}

static int
number_get(struct insights *db, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    else
        rc = insights_err(db, err);
    sqlite3_finalize(st);
    return rc;
}

int
insight_count(
    struct insights *db, int64_t *total, int64_t *own, struct err *err)
{
    int rc = number_get(db, "SELECT count(*) FROM insight", total, err);
    if (rc != 0)
        return rc;
    return number_get(db,
        "SELECT count(*) FROM insight WHERE campaign <> '" INSIGHT_PUBLIC "'",
        own, err);
}
