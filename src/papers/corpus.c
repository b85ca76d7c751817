/* The corpus file: schema, opening, and the carrying over of files written by
 * earlier versions. Called by everything that reads or adds papers. */
#include "papers/corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "papers/corpus_db.h"
#include "papers/dense.h"

enum { CORPUS_VERSION = 2 };

/* A view under the index, so that a title is stored once. */
static const char schema[] =
    "CREATE TABLE paper (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, title TEXT NOT NULL,"
    " date TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, licence TEXT NOT NULL,"
    " source TEXT NOT NULL) STRICT;"
    "CREATE TABLE passage (id INTEGER PRIMARY KEY, paper INTEGER NOT NULL,"
    " place INTEGER NOT NULL, suspect REAL NOT NULL, body TEXT NOT NULL)"
    " STRICT;"
    "CREATE INDEX passage_paper ON passage (paper);"
    "CREATE VIEW passage_text AS SELECT p.id AS id, q.title AS title, p.body"
    " AS body FROM passage p JOIN paper q ON q.id = p.paper;"
    "CREATE VIRTUAL TABLE passage_fts USING fts5(title, body,"
    " content='passage_text', content_rowid='id',"
    " tokenize='porter unicode61');"
    "CREATE TABLE dense_model (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " passages INTEGER NOT NULL, model BLOB NOT NULL) STRICT;"
    "CREATE TABLE dense (passage INTEGER PRIMARY KEY, vector BLOB NOT NULL)"
    " STRICT;"
    "CREATE TABLE acronym (name TEXT PRIMARY KEY, long_form TEXT NOT NULL,"
    " whole INTEGER NOT NULL) STRICT;"
    "PRAGMA user_version = 2";

int
corpus_err(struct corpus *c, struct err *err)
{
    int rc = sqlite3_errcode(c->sql);
    int code = rc == SQLITE_FULL                             ? -ERR_FULL
               : rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? -ERR_CORRUPT
               : rc == SQLITE_BUSY                           ? -ERR_BUSY
                                                             : -ERR_SYS;
    return err_set(
        err, code, "paper corpus %s: %s", c->path, sqlite3_errmsg(c->sql));
}

int
corpus_number(struct corpus *c, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(c->sql, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    else
        rc = corpus_err(c, err);
    sqlite3_finalize(st);
    return rc;
}

int
corpus_run(struct corpus *c, const char *sql, struct err *err)
{
    if (sqlite3_exec(c->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
        return corpus_err(c, err);
    return 0;
}

/* ---- files of version 1 ---- */

static void
sql_key(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    (void)n;
    struct arena a = {0};
    const char *id = (const char *)sqlite3_value_text(v[0]);
    sqlite3_result_text(
        ctx, paper_key(&a, id != NULL ? id : ""), -1, SQLITE_TRANSIENT);
    arena_fini(&a);
}

static void
sql_suspect(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    (void)n;
    const char *text = (const char *)sqlite3_value_text(v[0]);
    sqlite3_result_double(ctx,
        text != NULL ? suspect_score(text, (size_t)sqlite3_value_bytes(v[0]))
                     : 0);
}

/* Version 1 kept passages inside the index alone and no licence. Papers whose
 * ids differ only in spelling become one, the first of them. */
static int
schema_from_1(struct corpus *c, struct err *err)
{
    static const char move[] =
        "INSERT OR IGNORE INTO paper SELECT id, name, paper_key(name), 1,"
        " title, date, hash, '', '' FROM paper_v1 ORDER BY id;"
        "INSERT INTO passage SELECT v.rowid, v.paper, v.rowid,"
        " suspect_score(v.body), v.body FROM passage_v1 v"
        " JOIN paper q ON q.id = v.paper;"
        "INSERT INTO passage_fts (rowid, title, body)"
        " SELECT id, title, body FROM passage_text;"
        "DROP TABLE passage_v1; DROP TABLE paper_v1;";
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    if (sqlite3_create_function(c->sql, "paper_key", 1, flags, NULL, sql_key,
            NULL, NULL) != SQLITE_OK ||
        sqlite3_create_function(c->sql, "suspect_score", 1, flags, NULL,
            sql_suspect, NULL, NULL) != SQLITE_OK)
        return corpus_err(c, err);
    int rc = corpus_run(c,
        "BEGIN IMMEDIATE; ALTER TABLE paper RENAME TO paper_v1;"
        "ALTER TABLE passage RENAME TO passage_v1",
        err);
    if (rc == 0)
        rc = corpus_run(c, schema, err);
    if (rc == 0)
        rc = corpus_run(c, move, err);
    if (rc == 0)
        rc = corpus_run(c, "COMMIT", err);
    if (rc != 0)
        sqlite3_exec(c->sql, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* ---- opening ---- */

static int
schema_check(struct corpus *c, bool may_make, struct err *err)
{
    int64_t version = 0;
    int rc = corpus_number(c, "PRAGMA user_version", &version, err);
    if (rc != 0)
        return rc;
    if (version > CORPUS_VERSION)
        return err_set(err, -ERR_VERSION,
            "paper corpus %s was written by a newer program; use that, or "
            "remove the file and add the papers again",
            c->path);
    if (version == CORPUS_VERSION)
        return 0;
    if (version == 1)
        return schema_from_1(c, err);
    if (!may_make)
        return err_set(err, -ERR_CORRUPT, "%s is no paper corpus", c->path);
    return corpus_run(c, schema, err);
}

static int
corpus_connect(struct corpus *c, const char *path, int mode, struct err *err)
{
    if (sqlite3_open_v2(path, &c->sql, mode, NULL) != SQLITE_OK)
        return corpus_err(c, err);
    sqlite3_busy_timeout(c->sql, 15000);
    /* A question reads much of the index, several times. */
    return corpus_run(c, "PRAGMA cache_size = -65536", err);
}

int
corpus_open(struct corpus **out, const char *path, bool write, struct err *err)
{
    *out = NULL;
    struct arena a = {0};
    int rc = write ? fs_mkdirs(fs_dir_in(&a, path), err) : 0;
    arena_fini(&a);
    if (rc != 0)
        return rc;
    struct corpus *c = mem_calloc(1, sizeof *c);
    c->path = mem_strdup(path);
    bool empty = !write && !fs_exists(path);
    int64_t version = CORPUS_VERSION;
    int both = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    rc = corpus_connect(c, empty ? ":memory:" : path,
        write || empty ? both : SQLITE_OPEN_READONLY, err);
    /* An old file is carried over by whoever opens it first. */
    if (rc == 0 && !write && !empty)
        rc = corpus_number(c, "PRAGMA user_version", &version, err);
    if (rc == 0 && version == 1) {
        sqlite3_close(c->sql);
        c->sql = NULL;
        rc = corpus_connect(c, path, SQLITE_OPEN_READWRITE, err);
    }
    if (rc == 0)
        rc = schema_check(c, write || empty, err);
    if (rc != 0) {
        corpus_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

void
corpus_close(struct corpus *c)
{
    if (c == NULL)
        return;
    dense_free(c->dense);
    sqlite3_close(c->sql);
    free(c->path);
    free(c);
}

int
corpus_count(
    struct corpus *c, int64_t *papers, int64_t *passages, struct err *err)
{
    int rc = corpus_number(c, "SELECT count(*) FROM paper", papers, err);
    if (rc != 0)
        return rc;
    return corpus_number(c, "SELECT count(*) FROM passage", passages, err);
}
