/* The insights database on SQLite: open, keep, list, promote. Called by the
 * verbs, by the drafting of hypotheses and when a campaign ends. Invariant: a
 * row is never changed but by promotion, and its origin is unique, so keeping
 * the same result twice, or merging two teams' files in any order, gives the
 * same set. A rollback journal is used, not WAL: writes are rare, and several
 * versions of SQLite in the field lose pages in WAL with two writers. */
#include "research/insight.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "research/insight_db.h"

enum { INSIGHT_VERSION = 1, BUSY_MS = 15000 };

static const char schema[] =
    "CREATE TABLE insight (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " origin TEXT NOT NULL UNIQUE, campaign TEXT NOT NULL,"
    " hypothesis TEXT NOT NULL, \"key\" TEXT NOT NULL,"
    " concept TEXT NOT NULL, knob TEXT NOT NULL, family TEXT NOT NULL,"
    " metric TEXT NOT NULL, \"from\" TEXT NOT NULL, \"to\" TEXT NOT NULL,"
    " direction TEXT NOT NULL, partner TEXT NOT NULL,"
    " context TEXT NOT NULL, change TEXT NOT NULL,"
    " conditions TEXT NOT NULL, statement TEXT NOT NULL,"
    " source TEXT NOT NULL, reference TEXT NOT NULL, date TEXT NOT NULL,"
    " supersedes TEXT NOT NULL, effect REAL NOT NULL, sd REAL NOT NULL,"
    " lo REAL NOT NULL, hi REAL NOT NULL, \"between\" REAL NOT NULL,"
    " within REAL NOT NULL, scale REAL NOT NULL, n INTEGER NOT NULL,"
    " places INTEGER NOT NULL, verdict TEXT NOT NULL, status TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL) STRICT;"
    "CREATE VIRTUAL TABLE insight_text USING fts5(statement, concept, knob,"
    " family, conditions, source, content='',"
    " tokenize='porter unicode61');"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;";

int
insights_sql(struct insights *db, const char *sql, struct err *err)
{
    if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return insights_err(db, err);
}

int
insights_err(struct insights *db, struct err *err)
{
    int rc = sqlite3_errcode(db->sql);
    int code = -ERR_SYS;
    if (rc == SQLITE_FULL)
        code = -ERR_FULL;
    else if (rc == SQLITE_BUSY)
        code = -ERR_BUSY;
    else if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        code = -ERR_CORRUPT;
    return err_set(err, code, "insights database %s: %s", db->path,
        sqlite3_errmsg(db->sql));
}

/* ---- lock and transaction ---- */

int
insights_begin(struct insights *db, struct err *err)
{
    if (db->depth++ > 0)
        return 0;
    if (db->lock >= 0 && flock(db->lock, LOCK_EX) != 0) {
        db->depth--;
        return err_sys(err, "lock %s.lock", db->path);
    }
    int rc = insights_sql(db, "BEGIN IMMEDIATE", err);
    if (rc != 0) {
        db->depth--;
        if (db->lock >= 0)
            flock(db->lock, LOCK_UN);
    }
    return rc;
}

int
insights_end(struct insights *db, int rc, struct err *err)
{
    if (--db->depth > 0)
        return rc;
    if (rc == 0)
        rc = insights_sql(db, "COMMIT", err);
    if (rc != 0)
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    if (db->lock >= 0)
        flock(db->lock, LOCK_UN);
    return rc;
}

/* ---- open ---- */

static int
version_check(struct insights *db, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(db->sql, "PRAGMA user_version", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    if (version < 0)
        return insights_err(db, err);
    if (version > INSIGHT_VERSION)
        return err_set(err, -ERR_VERSION,
            "insights database %s is of version %d, this program knows up to "
            "%d; use a newer rea, or export it there as JSON lines",
            db->path, version, INSIGHT_VERSION);
    return version;
}

static int
schema_make(struct insights *db, struct err *err)
{
    int version = version_check(db, err);
    if (version < 0 || version == INSIGHT_VERSION)
        return version < 0 ? version : 0;
    int rc = insights_begin(db, err);
    if (rc != 0)
        return rc;
    version = version_check(db, err); /* another process may have made it */
    if (version < 0)
        return insights_end(db, version, err);
    if (version == 0)
        rc = insights_sql(db, schema, err);
    if (rc == 0 && version == 0)
        rc = insights_sql(db, "PRAGMA user_version = 1", err);
    return insights_end(db, rc, err);
}

static int
place_check(struct insights *db, struct arena *a, struct err *err)
{
    const char *dir = fs_dir_in(a, db->path);
    int rc = fs_mkdirs(dir, err);
    if (rc != 0)
        return rc;
    const char *kind = "";
    if (fs_is_network(dir, &kind))
        return err_set(err, -ERR_SYS,
            "insights database %s lies on %s, where SQLite's locks are not "
            "safe; keep it on a local disk and share it with `rea insight "
            "export` and `import`",
            db->path, kind);
    const char *lock = arena_printf(a, "%s.lock", db->path);
    db->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (db->lock < 0)
        return err_sys(err, "open %s", lock);
    return 0;
}

static int
file_open(struct insights *db, uint32_t flags, struct err *err)
{
    bool write = (flags & INSIGHT_WRITE) != 0;
    struct arena a = {0};
    int rc = write ? place_check(db, &a, err) : 0;
    arena_fini(&a);
    if (rc != 0)
        return rc;
    bool empty = !write && !fs_exists(db->path);
    int mode = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                     : SQLITE_OPEN_READONLY;
    if (empty)
        mode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(empty ? ":memory:" : db->path, &db->sql, mode, NULL) !=
        SQLITE_OK)
        return insights_err(db, err);
    sqlite3_busy_timeout(db->sql, BUSY_MS);
    if (write || empty)
        return schema_make(db, err);
    int version = version_check(db, err);
    if (version == 0)
        return err_set(err, -ERR_CORRUPT,
            "%s is no insights database; name another file in [insights] "
            "database",
            db->path);
    return version < 0 ? version : 0;
}

int
insight_open(
    struct insights **out, const char *path, uint32_t flags, struct err *err)
{
    *out = NULL;
    struct insights *db = mem_calloc(1, sizeof *db);
    db->path = mem_strdup(path);
    db->lock = -1;
    int rc = file_open(db, flags, err);
    if (rc == 0 && (flags & INSIGHT_SEED) != 0)
        rc = insight_seed(db, NULL, err);
    if (rc != 0) {
        insight_close(db);
        return rc;
    }
    *out = db;
    return 0;
}

void
insight_close(struct insights *db)
{
    if (db == NULL)
        return;
    sqlite3_finalize(db->insert);
    sqlite3_finalize(db->insert_text);
    sqlite3_close(db->sql);
    if (db->lock >= 0)
        close(db->lock);
    free(db->path);
    free(db);
}

/* ---- keep ---- */

static int
keep_prepare(struct insights *db, struct err *err)
{
    if (db->insert != NULL)
        return 0;
    struct buf sql = {0}, marks = {0};
    buf_puts(&sql, "INSERT INTO insight (");
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++) {
        buf_printf(&sql, "\"%s\",", insight_field[i].name);
        buf_puts(&marks, "?,");
    }
    buf_printf(&sql,
        "verdict,status,created_ms) VALUES (%s?,?,?) ON CONFLICT(origin) DO "
        "UPDATE SET status = 'promoted' WHERE excluded.status = 'promoted' "
        "AND status = 'draft'",
        buf_str(&marks));
    int rc = sqlite3_prepare_v2(db->sql, buf_str(&sql), -1, &db->insert, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db->sql,
            "INSERT INTO insight_text (rowid, statement, concept, knob, "
            "family, conditions, source) VALUES (?,?,?,?,?,?,?)",
            -1, &db->insert_text, NULL);
    buf_fini(&sql);
    buf_fini(&marks);
    return rc == SQLITE_OK ? 0 : insights_err(db, err);
}

static int64_t
origin_id(struct insights *db, const char *origin)
{
    sqlite3_stmt *st = NULL;
    int64_t id = 0;
    if (sqlite3_prepare_v2(db->sql, "SELECT id FROM insight WHERE origin = ?",
            -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, origin, -1, SQLITE_STATIC);
        if (sqlite3_step(st) == SQLITE_ROW)
            id = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    return id;
}

static int
row_insert(struct insights *db, struct insight *r, struct err *err)
{
    int rc = keep_prepare(db, err);
    if (rc != 0)
        return rc;
    sqlite3_stmt *st = db->insert;
    sqlite3_reset(st);
    int col = 1;
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++, col++) {
        const struct field *f = &insight_field[i];
        if (f->kind == FIELD_REAL)
            sqlite3_bind_double(st, col, *field_real(r, f));
        else if (f->kind == FIELD_INT)
            sqlite3_bind_int64(st, col, *field_int(r, f));
        else
            sqlite3_bind_text(st, col, *field_text(r, f), -1, SQLITE_STATIC);
    }
    sqlite3_bind_text(
        st, col++, insight_verdict_name(r->verdict), -1, SQLITE_STATIC);
    sqlite3_bind_text(
        st, col++, insight_status_name(r->status), -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, col, r->created_ms);
    rc = sqlite3_step(st) == SQLITE_DONE ? 0 : insights_err(db, err);
    sqlite3_reset(st);
    return rc;
}

static int
words_insert(struct insights *db, const struct insight *r, struct err *err)
{
    sqlite3_stmt *st = db->insert_text;
    const char *word[] = {
        r->statement, r->concept, r->knob, r->family, r->conditions, r->source};
    sqlite3_reset(st);
    sqlite3_bind_int64(st, 1, r->id);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_text(st, i + 2, word[i], -1, SQLITE_STATIC);
    int rc = sqlite3_step(st) == SQLITE_DONE ? 0 : insights_err(db, err);
    sqlite3_reset(st);
    return rc;
}

int
insight_keep(struct insights *db, const struct insight *row, int64_t *id,
    bool *added, struct err *err)
{
    struct insight r = *row;
    struct arena a = {0};
    bool is_new = false;
    int rc = insight_complete(&r, &a, err);
    if (rc == 0)
        rc = insights_begin(db, err);
    if (rc == 0) {
        int64_t known = origin_id(db, r.origin);
        rc = row_insert(db, &r, err);
        is_new = rc == 0 && known == 0;
        r.id = is_new ? sqlite3_last_insert_rowid(db->sql) : known;
        if (is_new)
            rc = words_insert(db, &r, err);
        rc = insights_end(db, rc, err);
    }
    arena_fini(&a);
    if (id != NULL)
        *id = r.id;
    if (added != NULL)
        *added = is_new && rc == 0;
    return rc;
}

int
insight_keep_all(struct insights *db, const struct insight *row, size_t n,
    size_t *added, struct err *err)
{
    size_t count = 0;
    int rc = insights_begin(db, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < n && rc == 0; i++) {
        bool is_new = false;
        rc = insight_keep(db, &row[i], NULL, &is_new, err);
        count += is_new;
    }
    rc = insights_end(db, rc, err);
    if (added != NULL)
        *added = rc == 0 ? count : 0;
    return rc;
}

/* ---- read ---- */

static const char *
column_in(struct arena *a, sqlite3_stmt *st, int col)
{
    const unsigned char *s = sqlite3_column_text(st, col);
    return s != NULL ? arena_strdup(a, (const char *)s) : "";
}

static uint32_t
name_number(const char *(*name)(uint32_t), uint32_t n, const char *s)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(name(i), s) == 0)
            return i;
    return 0;
}

static void
row_read(struct insight *r, sqlite3_stmt *st, struct arena *a)
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
    r->verdict = name_number(
        insight_verdict_name, INSIGHT_VERDICT_COUNT, column_in(a, st, col++));
    r->status = name_number(
        insight_status_name, INSIGHT_STATUS_COUNT, column_in(a, st, col++));
    r->created_ms = sqlite3_column_int64(st, col);
}

static void
columns_put(struct buf *sql)
{
    buf_puts(sql, "SELECT i.id,");
    for (uint32_t i = 0; i < INSIGHT_FIELDS; i++)
        buf_printf(sql, "i.\"%s\",", insight_field[i].name);
    buf_puts(sql, "i.verdict,i.status,i.created_ms FROM insight i ");
}

/* Words of a question as an FTS5 query that cannot be a syntax error. */
static void
match_put(struct buf *out, const char *text)
{
    uint32_t words = 0;
    for (const char *p = text; *p != '\0' && words < 32;) {
        size_t n = 0;
        while (isalnum((unsigned char)p[n]) || (unsigned char)p[n] >= 0x80)
            n++;
        if (n > 0) {
            buf_puts(out, words++ > 0 ? " OR \"" : "\"");
            buf_add(out, p, n);
            buf_putc(out, '"');
        }
        p += n + (p[n] != '\0' && n == 0);
    }
}

static void
query_put(struct buf *sql, const struct insight_query *q, bool ranked)
{
    columns_put(sql);
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
    if (q->promoted_only)
        buf_puts(sql, "AND i.status = 'promoted' ");
    if (q->own_only)
        buf_puts(sql, "AND i.campaign <> '" INSIGHT_PUBLIC "' ");
    if (!q->superseded_too)
        buf_puts(sql, "AND i.origin NOT IN (SELECT supersedes FROM insight "
                      "WHERE supersedes <> '') ");
    buf_puts(sql, ranked ? "ORDER BY t.rank, i.id "
                         : "ORDER BY i.campaign = '" INSIGHT_PUBLIC "', i.id ");
    buf_puts(sql, "LIMIT ?5");
}

static void
query_bind(sqlite3_stmt *st, const struct insight_query *q, const char *match)
{
    const char *text[] = {match, q->concept, q->family, q->before};
    for (int i = 0; i < 4; i++)
        if (i + 1 <= sqlite3_bind_parameter_count(st))
            sqlite3_bind_text(st, i + 1, text[i], -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 5, q->max > 0 ? q->max : 1000);
}

int
insight_list(struct insights *db, const struct insight_query *q,
    struct arena *a, struct insight **out, size_t *n, struct err *err)
{
    struct buf sql = {0}, match = {0};
    sqlite3_stmt *st = NULL;
    *out = NULL;
    *n = 0;
    if (q->text != NULL)
        match_put(&match, q->text);
    query_put(&sql, q, match.len > 0);
    int rc = 0;
    if (sqlite3_prepare_v2(db->sql, buf_str(&sql), -1, &st, NULL) != SQLITE_OK)
        rc = insights_err(db, err);
    struct insight *rows = NULL;
    size_t cap = 0;
    if (rc == 0)
        query_bind(st, q, buf_str(&match));
    while (rc == 0) {
        int step = sqlite3_step(st);
        if (step == SQLITE_DONE)
            break;
        if (step != SQLITE_ROW) {
            rc = insights_err(db, err);
            break;
        }
        if (*n == cap) {
            cap = cap > 0 ? 2 * cap : 64;
            rows = mem_realloc(rows, cap * sizeof *rows);
        }
        row_read(&rows[(*n)++], st, a);
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    buf_fini(&match);
    if (rc == 0 && *n > 0) {
        *out = arena_alloc(a, *n * sizeof **out);
        memcpy(*out, rows, *n * sizeof **out);
    }
    free(rows);
    return rc;
}

int
insight_get(struct insights *db, int64_t id, struct arena *a,
    struct insight *out, struct err *err)
{
    struct buf sql = {0};
    sqlite3_stmt *st = NULL;
    columns_put(&sql);
    buf_puts(&sql, "WHERE i.id = ?1");
    int rc = 0;
    if (sqlite3_prepare_v2(db->sql, buf_str(&sql), -1, &st, NULL) !=
        SQLITE_OK) {
        rc = insights_err(db, err);
    } else {
        sqlite3_bind_int64(st, 1, id);
        if (sqlite3_step(st) == SQLITE_ROW)
            row_read(out, st, a);
        else
            rc = err_set(err, -ERR_NOT_FOUND,
                "no insight I%" PRId64 " in %s; `rea insight list` shows what "
                "there is",
                id, db->path);
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

int
insight_promote(struct insights *db, int64_t id, struct err *err)
{
    struct arena a = {0};
    struct insight r;
    int rc = insight_get(db, id, &a, &r, err);
    arena_fini(&a);
    if (rc == 0)
        rc = insights_begin(db, err);
    if (rc != 0)
        return rc;
    char sql[128];
    snprintf(sql, sizeof sql,
        "UPDATE insight SET status = 'promoted' WHERE id = %" PRId64, id);
    return insights_end(db, insights_sql(db, sql, err), err);
}
