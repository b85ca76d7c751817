/* From events to rows: the projection that the verbs show. Called when an event
 * is appended and by the rebuild. Invariant: a row is a function of the set of
 * events about it, whatever the order in which they came. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "research/insight_db.h"

/* ---- rows ---- */

void
insight_columns(struct buf *sql)
{
    buf_puts(sql, "SELECT i.id,");
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++)
        buf_printf(sql, "i.\"%s\",", insight_field[i].name);
    buf_puts(
        sql, "i.verdict,i.status,i.created_ms,i.promotion FROM insight i ");
}

void
insight_insert_sql(struct buf *sql)
{
    buf_puts(sql, "INSERT INTO insight (id,");
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++)
        buf_printf(sql, "\"%s\",", insight_field[i].name);
    buf_puts(sql, "verdict,status,created_ms,promotion,scope,superseded)"
                  " VALUES (?");
    for (uint32_t i = 0; i < INSIGHT_FIELDS + 5; i++)
        buf_puts(sql, ",?");
    /* a row that replaces it may have come first */
    buf_puts(sql, ",EXISTS (SELECT 1 FROM insight s WHERE s.supersedes = ?2 "
                  "AND s.supersedes <> ''))");
}

static const char *
column_in(struct arena *a, sqlite3_stmt *st, int col)
{
    const unsigned char *s = sqlite3_column_text(st, col);
    return s != NULL ? arena_strdup(a, (const char *)s) : "";
}

void
insight_column(struct insight *r, sqlite3_stmt *st, struct arena *a)
{
    memset(r, 0, sizeof *r);
    r->id = sqlite3_column_int64(st, 0);
    int col = 1;
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++, col++) {
        const struct field *f = &insight_field[i];
        if (f->kind == FIELD_REAL)
            *field_real(r, f) = sqlite3_column_double(st, col);
        else if (f->kind == FIELD_INT)
            *field_int(r, f) = sqlite3_column_int64(st, col);
        else
            *field_text(r, f) = column_in(a, st, col);
    }
    r->verdict = insight_verdict_find(column_in(a, st, col++));
    bool promoted = strcmp(column_in(a, st, col++), "promoted") == 0;
    r->created_ms = sqlite3_column_int64(st, col++);
    r->promotion = column_in(a, st, col);
    /* What was promoted is what was signed; the public set is as shipped. */
    if (promoted && (strcmp(r->campaign, INSIGHT_PUBLIC) == 0 ||
                        insight_promotion_holds(r, r->promotion)))
        r->status = INSIGHT_PROMOTED;
    else
        r->promotion = "";
}

int64_t
insight_id(struct insights *db, const char *origin)
{
    sqlite3_stmt *st = insights_statement(db, ST_ROW_ID, NULL);
    int64_t id = 0;
    if (st != NULL) {
        sqlite3_bind_text(st, 1, origin, -1, SQLITE_STATIC);
        if (insights_step(db, st, NULL) > 0)
            id = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    return id;
}

static int
words_step(struct insights *db, enum statement which, const struct insight *r,
    struct err *err)
{
    struct buf tags = {0};
    sqlite3_stmt *st = insights_statement(db, which, err);
    if (st == NULL)
        return -ERR_SYS;
    insight_tags(r, &tags);
    const char *word[] = {r->statement, r->concept, r->knob, r->family,
        r->conditions, r->source, r->technique, buf_str(&tags)};
    sqlite3_bind_int64(st, 1, r->id);
    for (int i = 0; i < 8; i++)
        sqlite3_bind_text(st, i + 2, word[i], -1, SQLITE_STATIC);
    int rc = insights_step(db, st, err);
    sqlite3_reset(st);
    buf_fini(&tags);
    return rc;
}

static int
superseded_set(struct insights *db, const char *origin, struct err *err)
{
    if (origin[0] == '\0')
        return 0;
    sqlite3_stmt *st = insights_statement(db, ST_SUPERSEDED, err);
    if (st == NULL)
        return -ERR_SYS;
    sqlite3_bind_text(st, 1, origin, -1, SQLITE_STATIC);
    int rc = insights_step(db, st, err);
    sqlite3_reset(st);
    return rc;
}

static int
row_drop(struct insights *db, int64_t id, struct arena *a, const char **was,
    struct err *err)
{
    struct insight old;
    int rc = insight_get(db, id, a, &old, err);
    if (rc == 0)
        rc = words_step(db, ST_WORDS_DROP, &old, err);
    sqlite3_stmt *st =
        rc == 0 ? insights_statement(db, ST_ROW_DROP, err) : NULL;
    if (st == NULL)
        return rc != 0 ? rc : -ERR_SYS;
    *was = old.supersedes;
    sqlite3_bind_int64(st, 1, id);
    rc = insights_step(db, st, err);
    sqlite3_reset(st);
    return rc;
}

static int
row_add(struct insights *db, struct insight *r, int64_t scope, struct err *err)
{
    sqlite3_stmt *st = insights_statement(db, ST_ROW_ADD, err);
    if (st == NULL)
        return -ERR_SYS;
    int col = 1;
    if (r->id != 0)
        sqlite3_bind_int64(st, col, r->id);
    else
        sqlite3_bind_null(st, col);
    col++;
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++, col++) {
        const struct field *f = &insight_field[i];
        if (f->kind == FIELD_REAL)
            sqlite3_bind_double(st, col, *field_real(r, f));
        else if (f->kind == FIELD_INT)
            sqlite3_bind_int64(st, col, *field_int(r, f));
        else
            sqlite3_bind_text(st, col, *field_text(r, f), -1, SQLITE_STATIC);
    }
    const char *text[] = {
        insight_verdict_name(r->verdict), insight_status_name(r->status)};
    sqlite3_bind_text(st, col++, text[0], -1, SQLITE_STATIC);
    sqlite3_bind_text(st, col++, text[1], -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, col++, r->created_ms);
    sqlite3_bind_text(
        st, col++, r->promotion != NULL ? r->promotion : "", -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, col++, scope);
    int rc = insights_step(db, st, err);
    sqlite3_reset(st);
    if (rc == 0 && r->id == 0)
        r->id = sqlite3_last_insert_rowid(db->sql);
    return rc;
}

int
insight_project(struct insights *db, struct insight *r, struct err *err)
{
    struct arena a = {0};
    struct scope scope;
    const char *was = "";
    int64_t in_scope = 0, known = insight_id(db, r->origin);
    int rc = 0;
    if (known != 0) {
        r->id = known;
        rc = row_drop(db, known, &a, &was, err);
    }
    scope_of(r, &scope);
    if (rc == 0)
        rc = scope_id(db, &scope, &in_scope, err);
    if (rc == 0)
        rc = row_add(db, r, in_scope, err);
    if (rc == 0)
        rc = words_step(db, ST_WORDS_ADD, r, err);
    if (rc == 0)
        rc = superseded_set(db, r->supersedes, err);
    if (rc == 0 && strcmp(was, r->supersedes) != 0)
        rc = superseded_set(db, was, err);
    arena_fini(&a);
    return rc;
}

/* ---- fold ---- */

/* Reads a correction's fields over what the row says. An interval or a verdict
 * that is not told follows from the numbers that are. */
static void
correction_apply(struct insight *r, const char *payload, struct arena *a)
{
    struct json *j = json_parse(payload, strlen(payload), NULL);
    const struct json *fields = json_get(j, "fields");
    struct buf now = {0};
    struct jw w;
    jw_init(&w, &now, 0);
    jw_obj_begin(&w);
    insight_write_content(&w, r);
    jw_obj_end(&w);
    struct json *old = json_parse(buf_str(&now), now.len, NULL);
    struct insight next;
    if (insight_read(&next, fields, old, a, NULL) == 0) {
        bool numbers = json_get(fields, "effect") != NULL ||
                       json_get(fields, "sd") != NULL;
        bool interval =
            json_get(fields, "lo") != NULL || json_get(fields, "hi") != NULL;
        if (numbers && !interval)
            next.lo = next.hi = 0;
        if ((numbers || interval) && json_get(fields, "verdict") == NULL)
            next.verdict = INSIGHT_NONE;
        next.origin = r->origin;
        next.created_ms = r->created_ms;
        next.status = r->status;
        next.promotion = "";
        if (insight_complete(&next, a, NULL) == 0)
            *r = next;
    }
    json_free(old);
    json_free(j);
    buf_fini(&now);
}

static int
observation_read(
    struct insight *r, const char *payload, struct arena *a, struct err *err)
{
    struct json *j = json_parse(payload, strlen(payload), err);
    int rc = insight_read(r, json_get(j, "row"), NULL, a, err);
    json_free(j);
    if (rc == 0)
        rc = insight_complete(r, a, err);
    r->promotion = "";
    if (rc == 0 && strcmp(r->campaign, INSIGHT_PUBLIC) != 0)
        r->status = INSIGHT_DRAFT;
    return rc;
}

static void
promotion_apply(struct insight *r, const char *payload, struct arena *a)
{
    struct json *j = json_parse(payload, strlen(payload), NULL);
    const struct json *p = json_get(j, "promotion");
    const char *text = json_kind(p) == J_OBJ ? json_dump_in(a, p) : "";
    if (insight_promotion_holds(r, text)) {
        r->status = INSIGHT_PROMOTED;
        r->promotion = text;
    }
    json_free(j);
}

int
insight_fold(struct insights *db, const char *subject, struct err *err)
{
    struct arena a = {0};
    struct insight_event *e = NULL;
    struct insight r;
    size_t n = 0, first = 0;
    int rc = insight_events(db, subject, &a, &e, &n, err);
    while (rc == 0 && first < n && e[first].kind != INSIGHT_OBSERVATION)
        first++;
    if (rc == 0 && first < n) {
        rc = observation_read(&r, e[first].payload, &a, err);
        for (size_t i = 0; rc == 0 && i < n; i++)
            if (e[i].kind == INSIGHT_CORRECTION)
                correction_apply(&r, e[i].payload, &a);
        for (size_t i = 0; rc == 0 && i < n; i++)
            if (e[i].kind == INSIGHT_DECISION)
                promotion_apply(&r, e[i].payload, &a);
        if (rc == 0)
            rc = insight_project(db, &r, err);
    }
    arena_fini(&a);
    return rc;
}

/* ---- rebuild ---- */

static int
event_verify(sqlite3_stmt *st, struct insight_checked *out)
{
    static const char digit[] = "0123456789abcdef";
    char hex[FS_HASH_HEX], stored[FS_HASH_HEX] = "";
    const unsigned char *hash = sqlite3_column_blob(st, 1);
    fs_hash_bytes(
        sqlite3_column_text(st, 2), (size_t)sqlite3_column_bytes(st, 2), hex);
    for (int i = 0; i < sqlite3_column_bytes(st, 1) && i < FS_HASH_BYTES; i++) {
        stored[2 * i] = digit[hash[i] >> 4];
        stored[2 * i + 1] = digit[hash[i] & 15];
    }
    if (strcmp(hex, stored) == 0)
        return 1;
    if (out->bad++ == 0)
        snprintf(out->first_bad, sizeof out->first_bad,
            "event %" PRId64 " was changed: its text hashes to %.16s..., not "
            "to %.16s...",
            (int64_t)sqlite3_column_int64(st, 0), hex, stored);
    return 0;
}

/* Ids are what people know rows by: they are kept beside while the rows go. */
static const char rebuild_start[] =
    "CREATE TEMP TABLE number (origin TEXT PRIMARY KEY, id INTEGER);"
    "INSERT INTO number SELECT origin, id FROM insight;"
    "INSERT INTO insight_text (insight_text) VALUES ('delete-all');"
    "DELETE FROM insight; DELETE FROM scope;";

static int64_t
number_of(struct insights *db, const char *origin)
{
    sqlite3_stmt *st = NULL;
    int64_t id = 0;
    if (insights_prepare(
            db, "SELECT id FROM number WHERE origin = ?", &st, NULL) == 0) {
        sqlite3_bind_text(st, 1, origin, -1, SQLITE_STATIC);
        if (insights_step(db, st, NULL) > 0)
            id = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    return id;
}

/* A subject is folded at its first observation; what comes later about it is in
 * the fold already. */
static int
event_rebuild(struct insights *db, const char *text, size_t len,
    struct insight_checked *out, struct err *err)
{
    struct json *j = json_parse(text, len, NULL);
    const char *of = json_get_str(j, "of");
    int rc = 0;
    if (of != NULL && insight_id(db, of) == 0) {
        int64_t id = number_of(db, of);
        if (id != 0) { /* a stand-in that the fold writes over */
            struct insight r = {.id = id, .origin = of, .statement = "."};
            struct arena a = {0};
            rc = insight_complete(&r, &a, err);
            if (rc == 0)
                rc = insight_project(db, &r, err);
            arena_fini(&a);
        }
        if (rc == 0)
            rc = insight_fold(db, of, err);
        out->rows++;
    }
    json_free(j);
    return rc;
}

int
insight_rebuild(
    struct insights *db, struct insight_checked *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    memset(out, 0, sizeof *out);
    int rc = insights_begin(db, err);
    if (rc != 0)
        return rc;
    rc = insights_sql(db, rebuild_start, err);
    if (rc == 0)
        rc = insights_prepare(db,
            "SELECT seq, hash, text, kind FROM event ORDER BY seq", &st, err);
    int more = rc;
    while (rc == 0 && (more = insights_step(db, st, err)) > 0) {
        out->events++;
        if (event_verify(st, out) &&
            sqlite3_column_int64(st, 3) == INSIGHT_OBSERVATION)
            rc = event_rebuild(db, (const char *)sqlite3_column_text(st, 2),
                (size_t)sqlite3_column_bytes(st, 2), out, err);
    }
    sqlite3_finalize(st);
    if (rc == 0)
        rc = more;
    if (rc == 0)
        rc = insights_sql(db, "DROP TABLE number", err);
    return insights_end(db, rc, err);
}
