/* Opens the insights database: schema, versions, locks, prepared statements.
 * Called by the verbs, by the drafting of hypotheses and when a campaign ends.
 * A rollback journal is used, not WAL: writes are rare, and several versions
 * of SQLite in the field lose pages in WAL with two writers. Invariant: events
 * are never changed or removed (triggers refuse it), and an older file is read
 * as it is: only a writer turns it into the present form, in one transaction.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "research/insight_db.h"

enum { INSIGHT_VERSION = 2, BUSY_MS = 15000 };

static const char schema[] =
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL,"
    " kind INTEGER NOT NULL, subject INTEGER NOT NULL,"
    " text TEXT NOT NULL) STRICT;"
    "CREATE INDEX event_subject ON event(subject);"
    "CREATE TRIGGER event_fixed BEFORE UPDATE ON event BEGIN"
    " SELECT RAISE(ABORT, 'events are only appended'); END;"
    "CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN"
    " SELECT RAISE(ABORT, 'events are only appended'); END;"
    "CREATE TABLE insight (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " origin TEXT NOT NULL UNIQUE, campaign TEXT NOT NULL,"
    " hypothesis TEXT NOT NULL, \"key\" TEXT NOT NULL,"
    " concept TEXT NOT NULL, knob TEXT NOT NULL, family TEXT NOT NULL,"
    " metric TEXT NOT NULL, \"from\" TEXT NOT NULL, \"to\" TEXT NOT NULL,"
    " direction TEXT NOT NULL, partner TEXT NOT NULL,"
    " context TEXT NOT NULL, change TEXT NOT NULL,"
    " conditions TEXT NOT NULL, statement TEXT NOT NULL,"
    " source TEXT NOT NULL, reference TEXT NOT NULL, date TEXT NOT NULL,"
    " supersedes TEXT NOT NULL, contradicts TEXT NOT NULL,"
    " technique TEXT NOT NULL, effect REAL NOT NULL, sd REAL NOT NULL,"
    " lo REAL NOT NULL, hi REAL NOT NULL, \"between\" REAL NOT NULL,"
    " within REAL NOT NULL, scale REAL NOT NULL, n INTEGER NOT NULL,"
    " places INTEGER NOT NULL, verdict TEXT NOT NULL, status TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, promotion TEXT NOT NULL,"
    " superseded INTEGER NOT NULL, scope INTEGER NOT NULL) STRICT;"
    "CREATE INDEX insight_public ON insight(id)"
    " WHERE campaign = '" INSIGHT_PUBLIC "';"
    "CREATE INDEX insight_concept ON insight(concept);"
    "CREATE INDEX insight_concept_family ON insight(concept, family);"
    "CREATE INDEX insight_knob ON insight(knob);"
    "CREATE INDEX insight_scope ON insight(scope, knob, concept, technique,"
    " verdict);"
    "CREATE INDEX insight_supersedes ON insight(supersedes)"
    " WHERE supersedes <> '';"
    "CREATE INDEX insight_contradicts ON insight(contradicts)"
    " WHERE contradicts <> '';"
    "CREATE INDEX insight_place ON insight(id, scope);"
    "CREATE INDEX insight_superseded ON insight(superseded)"
    " WHERE superseded = 1;"
    "CREATE INDEX insight_promoted ON insight(status)"
    " WHERE status = 'promoted';"
    "CREATE INDEX insight_configuration ON insight(effect)"
    " WHERE " INSIGHT_IS_CONFIGURATION ";"
    "CREATE VIRTUAL TABLE insight_text USING fts5(statement, concept, knob,"
    " family, conditions, source, technique, tags, content='',"
    " tokenize='porter unicode61');"
    "INSERT INTO insight_text (insight_text, rank) VALUES ('automerge', 2);"
    "CREATE TABLE scope (id INTEGER PRIMARY KEY, family TEXT NOT NULL,"
    " lrows REAL NOT NULL, lfields REAL NOT NULL, ldensity REAL NOT NULL,"
    " sequence INTEGER NOT NULL,"
    " UNIQUE (lrows, family, lfields, ldensity, sequence)) STRICT;";

static const char meta_table[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;";

static const char *const statement_sql[ST_COUNT] = {
    /* One row of values: an insert that selects is a savepoint, and at each of
     * them FTS5 writes its words out, a segment a row. */
    [ST_EVENT_ADD] =
        "INSERT INTO event (hash, kind, subject, text) VALUES (?1,?2,?3,?4)",
    /* no index of the hashes: their places are random, and each would cost a
     * page of its own; few events are about one subject */
    [ST_EVENT_FIND] = "SELECT 1 FROM event WHERE subject = ?2 AND hash = ?1",
    [ST_EVENT_KINDS] = "SELECT kind, text FROM event WHERE subject = ?",
    [ST_ROW_ID] = "SELECT id, supersedes FROM insight WHERE origin = ?",
    [ST_SCOPE_OF] = "SELECT s.id, s.family, s.lrows, s.lfields, s.ldensity, "
                    "s.sequence FROM scope s WHERE s.id = (SELECT scope FROM "
                    "insight INDEXED BY insight_place WHERE id = ?)",
    [ST_ROW_DROP] = "DELETE FROM insight WHERE id = ?",
    [ST_WORDS_ADD] =
        "INSERT INTO insight_text (rowid, statement, concept, knob, family, "
        "conditions, source, technique, tags) VALUES (?,?,?,?,?,?,?,?,?)",
    [ST_WORDS_DROP] =
        "INSERT INTO insight_text (insight_text, rowid, statement, concept, "
        "knob, family, conditions, source, technique, tags) VALUES "
        "('delete',?,?,?,?,?,?,?,?,?)",
    [ST_SUPERSEDED] =
        "UPDATE insight SET superseded = EXISTS (SELECT 1 FROM insight s WHERE "
        "s.supersedes = ?1 AND s.supersedes <> '') WHERE origin = ?1",
    [ST_SCOPE_FIND] = "SELECT id FROM scope WHERE family = ? AND lrows = ? AND "
                      "lfields = ? AND ldensity = ? AND sequence = ?",
    [ST_SCOPE_ADD] = "INSERT INTO scope (family, lrows, lfields, ldensity, "
                     "sequence) VALUES (?,?,?,?,?)",
};

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

int
insights_prepare(
    struct insights *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
    return sqlite3_prepare_v2(db->sql, sql, -1, out, NULL) == SQLITE_OK
               ? 0
               : insights_err(db, err);
}

sqlite3_stmt *
insights_statement(struct insights *db, enum statement which, struct err *err)
{
    sqlite3_stmt *st = db->st[which];
    if (st != NULL) {
        sqlite3_reset(st);
        return st;
    }
    struct buf sql = {0};
    if (which == ST_ROW_ADD) {
        insight_insert_sql(&sql);
    } else if (which == ST_ROW_GET) {
        insight_columns(&sql);
        buf_puts(&sql, "WHERE i.id = ?1");
    } else
        buf_puts(&sql, statement_sql[which]);
    int rc = sqlite3_prepare_v3(db->sql, buf_str(&sql), -1,
        SQLITE_PREPARE_PERSISTENT, &db->st[which], NULL);
    buf_fini(&sql);
    if (rc != SQLITE_OK)
        insights_err(db, err);
    return db->st[which];
}

int
insights_step(struct insights *db, sqlite3_stmt *st, struct err *err)
{
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : insights_err(db, err);
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
    for (int i = 0; i < ST_COUNT; i++) /* an open one would hold the commit */
        if (db->st[i] != NULL)
            sqlite3_reset(db->st[i]);
    if (rc == 0)
        rc = insights_sql(db, "COMMIT", err);
    if (rc != 0)
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    if (db->lock >= 0)
        flock(db->lock, LOCK_UN);
    return rc;
}

int
insights_look(struct insights *db, bool *ours, struct err *err)
{
    *ours = sqlite3_get_autocommit(db->sql) != 0;
    return *ours ? insights_sql(db, "BEGIN", err) : 0;
}

/* Ends even where a cached statement of a read is still open. */
void
insights_looked(struct insights *db, bool ours)
{
    if (ours && sqlite3_get_autocommit(db->sql) == 0)
        sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL);
}

/* ---- versions ---- */

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

/* A row of version 1: its columns are the fields that were there then. */
static void
old_row(struct insight *r, sqlite3_stmt *st, struct arena *a)
{
    memset(r, 0, sizeof *r);
    for (int c = 0; c < sqlite3_column_count(st); c++) {
        const char *name = sqlite3_column_name(st, c);
        const char *text = (const char *)sqlite3_column_text(st, c);
        if (strcmp(name, "id") == 0)
            r->id = sqlite3_column_int64(st, c);
        else if (strcmp(name, "created_ms") == 0)
            r->created_ms = sqlite3_column_int64(st, c);
        else if (strcmp(name, "verdict") == 0 && text != NULL)
            r->verdict = insight_verdict_find(text);
        else if (strcmp(name, "status") == 0 && text != NULL)
            r->status = strcmp(text, "promoted") == 0 ? INSIGHT_PROMOTED
                                                      : INSIGHT_DRAFT;
        for (uint32_t i = 0; i < INSIGHT_FIELDS; i++) {
            const struct field *f = &insight_field[i];
            if (strcmp(name, f->name) != 0)
                continue;
            if (f->kind == FIELD_REAL)
                *field_real(r, f) = sqlite3_column_double(st, c);
            else if (f->kind == FIELD_INT)
                *field_int(r, f) = sqlite3_column_int64(st, c);
            else
                *field_text(r, f) = text != NULL ? arena_strdup(a, text) : "";
        }
    }
}

/* Version 1 had the rows alone. */
static int
migrate_v1(struct insights *db, struct err *err)
{
    int rc = insights_sql(db,
        "ALTER TABLE insight RENAME TO insight_v1; DROP TABLE insight_text",
        err);
    if (rc == 0)
        rc = insights_sql(db, schema, err);
    sqlite3_stmt *st = NULL;
    if (rc == 0)
        rc = insights_prepare(
            db, "SELECT * FROM insight_v1 ORDER BY id", &st, err);
    int more = rc;
    while (rc == 0 && (more = insights_step(db, st, err)) > 0) {
        struct arena a = {0};
        struct insight r;
        old_row(&r, st, &a);
        rc = insight_keep_old(db, &r, err);
        arena_fini(&a);
    }
    sqlite3_finalize(st);
    if (rc == 0)
        rc = more;
    if (rc == 0)
        rc = insights_sql(db, "DROP TABLE insight_v1", err);
    return rc == 0 ? 0 : err_wrap(err, rc, "bring %s from version 1", db->path);
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
    if (version == 0) {
        rc = insights_sql(db, schema, err);
        if (rc == 0)
            rc = insights_sql(db, meta_table, err);
    } else if (version == 1) {
        rc = migrate_v1(db, err);
    }
    if (rc == 0 && version < INSIGHT_VERSION)
        rc = insights_sql(db, "PRAGMA user_version = 2", err);
    return insights_end(db, rc, err);
}

/* ---- open ---- */

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

/* A reader never writes: an old file is brought up to date in memory. */
static int
copy_in_memory(struct insights *db, struct err *err)
{
    sqlite3 *memory = NULL;
    int rc = sqlite3_open_v2(
        ":memory:", &memory, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    sqlite3_backup *b =
        rc == SQLITE_OK ? sqlite3_backup_init(memory, "main", db->sql, "main")
                        : NULL;
    if (b != NULL)
        sqlite3_backup_step(b, -1);
    rc = b != NULL ? sqlite3_backup_finish(b) : SQLITE_ERROR;
    if (rc != SQLITE_OK) {
        rc = insights_err(db, err);
        sqlite3_close(memory);
        return rc;
    }
    sqlite3_close(db->sql);
    db->sql = memory;
    return schema_make(db, err);
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
    /* Pages of the indexes stay at hand: 64 MiB, taken as they are used. */
    sqlite3_exec(db->sql, "PRAGMA cache_size = -65536", NULL, NULL, NULL);
    if (write || empty)
        return schema_make(db, err);
    int version = version_check(db, err);
    if (version == 0)
        return err_set(err, -ERR_CORRUPT,
            "%s is no insights database; name another file in [insights] "
            "database",
            db->path);
    if (version > 0 && version < INSIGHT_VERSION)
        return copy_in_memory(db, err);
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
    if (rc == 0)
        rc = insight_search_init(db, err);
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
    for (int i = 0; i < ST_COUNT; i++)
        sqlite3_finalize(db->st[i]);
    sqlite3_close(db->sql);
    if (db->lock >= 0)
        close(db->lock);
    free(db->path);
    free(db);
}
