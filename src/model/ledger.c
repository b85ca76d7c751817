/* The record and the ledger, .rea/model.db (part.h): recorded replies and
 * turns, open questions, one row for each try, what is known of endpoints.
 * Called by ask.c and send.c. Invariant: a try is in the ledger, at its worst
 * price, before its first byte is sent.
 * Rollback journal, synchronous=FULL: several processes may share the file,
 * and SQLite below 3.51.3 has a defect in its write-ahead log. */
#include "model/ledger.h"

#include "base/fs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEDGER_VERSION = 1, BUSY_MS = 15000 };

static const char schema[] =
    "CREATE TABLE reply (hash TEXT PRIMARY KEY, status INTEGER NOT NULL,"
    " request TEXT NOT NULL, reply TEXT NOT NULL, made_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE turn (hash TEXT PRIMARY KEY, turn TEXT NOT NULL,"
    " made_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE ask (id INTEGER PRIMARY KEY, hash TEXT NOT NULL,"
    " scope TEXT NOT NULL, purpose TEXT NOT NULL, rung INTEGER NOT NULL,"
    " lacks INTEGER NOT NULL, begun_ms INTEGER NOT NULL, ended_ms INTEGER,"
    " status INTEGER) STRICT;"
    "CREATE UNIQUE INDEX ask_open ON ask (hash, scope) WHERE ended_ms IS NULL;"
    "CREATE TABLE attempt (id INTEGER PRIMARY KEY, ask INTEGER NOT NULL,"
    " turn TEXT NOT NULL, scope TEXT NOT NULL, purpose TEXT NOT NULL,"
    " provider TEXT NOT NULL, model TEXT NOT NULL, n INTEGER NOT NULL,"
    " state INTEGER NOT NULL, sent_ms INTEGER NOT NULL,"
    " worst_tokens INTEGER NOT NULL, worst_p INTEGER NOT NULL,"
    " tokens_in INTEGER, tokens_out INTEGER, tokens_cached INTEGER,"
    " tokens_reasoning INTEGER, cost_p INTEGER, latency_ms INTEGER,"
    " http INTEGER, request_id TEXT, fingerprint TEXT, what TEXT) STRICT;"
    "CREATE INDEX attempt_scope ON attempt (scope);"
    "CREATE INDEX attempt_ask ON attempt (ask);"
    "CREATE TABLE endpoint (url TEXT PRIMARY KEY, rung INTEGER NOT NULL,"
    " rung_ms INTEGER NOT NULL, lacks INTEGER NOT NULL,"
    " fails INTEGER NOT NULL, open_until_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1";

int
ledger_error(struct ledger *l, struct err *err)
{
    int rc = sqlite3_errcode(l->sql) & 0xff;
    int code = rc == SQLITE_FULL                             ? -ERR_FULL
               : rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? -ERR_CORRUPT
               : rc == SQLITE_BUSY                           ? -ERR_BUSY
                                                             : -ERR_SYS;
    return err_set(err, code, "record of the model %s: %s", l->path,
        sqlite3_errmsg(l->sql));
}

static bool
bind_all(sqlite3_stmt *q, const char *fmt, va_list ap)
{
    int rc = SQLITE_OK;
    for (int i = 1; *fmt != '\0' && rc == SQLITE_OK; i++, fmt++) {
        if (*fmt == 'i') {
            rc = sqlite3_bind_int64(q, i, va_arg(ap, int64_t));
        } else {
            assert(*fmt == 't');
            const char *s = va_arg(ap, const char *);
            rc = sqlite3_bind_text(q, i, s ? s : "", -1, SQLITE_TRANSIENT);
        }
    }
    return rc == SQLITE_OK;
}

int
ledger_query(struct ledger *l, sqlite3_stmt **out, struct err *err,
    const char *sql, const char *fmt, ...)
{
    va_list ap;
    *out = NULL;
    if (sqlite3_prepare_v2(l->sql, sql, -1, out, NULL) != SQLITE_OK)
        return ledger_error(l, err);
    va_start(ap, fmt);
    bool ok = bind_all(*out, fmt, ap);
    va_end(ap);
    if (!ok) {
        sqlite3_finalize(*out);
        *out = NULL;
        return ledger_error(l, err);
    }
    return 0;
}

int
ledger_row(struct ledger *l, sqlite3_stmt *q, struct err *err)
{
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        return 1;
    int code = rc == SQLITE_DONE ? 0 : ledger_error(l, err);
    sqlite3_finalize(q);
    return code;
}

int
ledger_run(
    struct ledger *l, struct err *err, const char *sql, const char *fmt, ...)
{
    sqlite3_stmt *q = NULL;
    va_list ap;
    if (sqlite3_prepare_v2(l->sql, sql, -1, &q, NULL) != SQLITE_OK)
        return ledger_error(l, err);
    va_start(ap, fmt);
    bool ok = bind_all(q, fmt, ap);
    va_end(ap);
    ok = ok && sqlite3_step(q) == SQLITE_DONE;
    int rc = ok ? 0 : ledger_error(l, err);
    sqlite3_finalize(q);
    return rc;
}

int
ledger_begin(struct ledger *l, struct err *err)
{
    return ledger_run(l, err, "BEGIN IMMEDIATE", "");
}

int
ledger_end(struct ledger *l, int rc, struct err *err)
{
    if (rc == 0)
        rc = ledger_run(l, err, "COMMIT", "");
    if (rc != 0)
        sqlite3_exec(l->sql, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* ---- opening ---- */

static int
version_read(struct ledger *l, int64_t *out, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = ledger_query(l, &q, err, "PRAGMA user_version", "");
    if (rc == 0)
        rc = ledger_row(l, q, err);
    if (rc != 1)
        return rc < 0 ? rc : err_set(err, -ERR_CORRUPT, "%s", l->path);
    *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return 0;
}

static int
schema_make(struct ledger *l, struct err *err)
{
    int64_t version = 0;
    int rc = ledger_begin(l, err);
    if (rc != 0)
        return rc;
    rc = version_read(l, &version, err); /* another process may have made it */
    if (rc == 0 && version == 0 &&
        sqlite3_exec(l->sql, schema, NULL, NULL, NULL) != SQLITE_OK)
        rc = ledger_error(l, err);
    if (rc == 0 && version > LEDGER_VERSION)
        rc = err_set(err, -ERR_VERSION,
            "%s was written by a newer program: use that one", l->path);
    return ledger_end(l, rc, err);
}

int
ledger_open(struct ledger **out, const char *root, struct err *err)
{
    struct arena a = {0};
    struct ledger *l = mem_calloc(1, sizeof *l);
    const char *dir = fs_join_in(&a, root, ".rea");
    int rc = fs_mkdirs(dir, err);
    l->lock_fd = -1;
    l->path = mem_strdup(fs_join_in(&a, dir, "model.db"));
    if (rc == 0) {
        l->lock_fd = open(fs_join_in(&a, dir, "model.lock"),
            O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (l->lock_fd < 0)
            rc = err_sys(err, "open %s/model.lock", dir);
    }
    /* prompts and replies are the engineer's alone */
    mode_t mask = umask(077);
    if (rc == 0 &&
        sqlite3_open_v2(l->path, &l->sql,
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
            NULL) != SQLITE_OK)
        rc = ledger_error(l, err);
    if (rc == 0)
        sqlite3_busy_timeout(l->sql, BUSY_MS);
    if (rc == 0)
        rc = sqlite3_exec(l->sql, "PRAGMA synchronous = FULL", NULL, NULL,
                 NULL) == SQLITE_OK
                 ? schema_make(l, err)
                 : ledger_error(l, err);
    umask(mask);
    arena_fini(&a);
    if (rc == 0)
        *out = l;
    else
        ledger_close(l);
    return rc;
}

void
ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    sqlite3_close(l->sql);
    if (l->lock_fd >= 0)
        close(l->lock_fd);
    free(l->path);
    free(l);
}

/* ---- recorded replies and turns ---- */

static int
text_get(struct ledger *l, struct arena *a, const char *sql, const char *hash,
    const char **out, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = ledger_query(l, &q, err, sql, "t", hash);
    if (rc == 0)
        rc = ledger_row(l, q, err);
    if (rc != 1)
        return rc;
    *out = arena_strdup(a, (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    return 1;
}

int
reply_get(struct ledger *l, struct arena *a, const char *hash,
    const char **json, struct err *err)
{
    return text_get(
        l, a, "SELECT reply FROM reply WHERE hash = ?1", hash, json, err);
}

int
turn_get(struct ledger *l, struct arena *a, const char *hash, const char **json,
    struct err *err)
{
    return text_get(
        l, a, "SELECT turn FROM turn WHERE hash = ?1", hash, json, err);
}

/* ---- questions ---- */

static int
ask_find(struct ledger *l, const char *hash, const char *scope,
    struct ask_row *out, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = ledger_query(l, &q, err,
        "SELECT id, rung, lacks FROM ask WHERE hash = ?1 AND scope = ?2 AND"
        " ended_ms IS NULL",
        "tt", hash, scope);
    if (rc == 0)
        rc = ledger_row(l, q, err);
    if (rc != 1)
        return rc;
    out->id = sqlite3_column_int64(q, 0);
    out->rung = (uint32_t)sqlite3_column_int(q, 1);
    out->lacks = (uint32_t)sqlite3_column_int(q, 2);
    sqlite3_finalize(q);
    return 1;
}

int
ask_begin(struct ledger *l, const char *hash, const char *scope,
    const char *purpose, const struct endpoint_row *e, struct ask_row *out,
    struct err *err)
{
    int rc = ledger_begin(l, err);
    if (rc != 0)
        return rc;
    rc = ask_find(l, hash, scope, out, err);
    if (rc == 0) {
        rc = ledger_run(l, err,
            "INSERT INTO ask (hash, scope, purpose, rung, lacks, begun_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            "tttiii", hash, scope, purpose, (int64_t)e->rung, (int64_t)e->lacks,
            fs_now_ms());
        *out = (struct ask_row){
            sqlite3_last_insert_rowid(l->sql), e->rung, e->lacks};
    }
    return ledger_end(l, rc < 0 ? rc : 0, err);
}

int
ask_end(struct ledger *l, const struct ask_row *ask, const char *hash,
    uint32_t status, const char *request, const char *json, struct err *err)
{
    int rc = ledger_begin(l, err);
    if (rc != 0)
        return rc;
    if (json != NULL)
        rc = ledger_run(l, err,
            "INSERT OR REPLACE INTO reply (hash, status, request, reply,"
            " made_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            "titti", hash, (int64_t)status, request, json, fs_now_ms());
    if (rc == 0)
        rc = ledger_run(l, err,
            "UPDATE ask SET ended_ms = ?2, status = ?3 WHERE id = ?1", "iii",
            ask->id, fs_now_ms(), (int64_t)status);
    return ledger_end(l, rc, err);
}

/* ---- endpoints ---- */

int
endpoint_get(struct ledger *l, const char *url, struct endpoint_row *out,
    struct err *err)
{
    sqlite3_stmt *q = NULL;
    *out = (struct endpoint_row){0};
    int rc = ledger_query(l, &q, err,
        "SELECT rung, lacks, fails, rung_ms, open_until_ms FROM endpoint"
        " WHERE url = ?1",
        "t", url);
    if (rc == 0)
        rc = ledger_row(l, q, err);
    if (rc != 1)
        return rc;
    out->rung = (uint32_t)sqlite3_column_int(q, 0);
    out->lacks = (uint32_t)sqlite3_column_int(q, 1);
    out->fails = (uint32_t)sqlite3_column_int(q, 2);
    out->rung_ms = sqlite3_column_int64(q, 3);
    out->open_until_ms = sqlite3_column_int64(q, 4);
    sqlite3_finalize(q);
    return 0;
}

int
endpoint_put(struct ledger *l, const char *url, const struct endpoint_row *e,
    struct err *err)
{
    return ledger_run(l, err,
        "INSERT OR REPLACE INTO endpoint (url, rung, rung_ms, lacks, fails,"
        " open_until_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        "tiiiii", url, (int64_t)e->rung, e->rung_ms, (int64_t)e->lacks,
        (int64_t)e->fails, e->open_until_ms);
}

/* ---- one process at a time ---- */

static void
hash_range(const char *hash, struct flock *f)
{
    char head[16];
    snprintf(head, sizeof head, "%.15s", hash);
    *f = (struct flock){.l_whence = SEEK_SET,
        .l_len = 1,
        .l_start = (off_t)strtoull(head, NULL, 16)};
}

int
hash_lock(struct ledger *l, const char *hash, struct err *err)
{
    struct flock f;
    hash_range(hash, &f);
    f.l_type = F_WRLCK;
    while (fcntl(l->lock_fd, F_OFD_SETLKW, &f) != 0)
        if (errno != EINTR)
            return err_sys(err, "lock a question");
    return 0;
}

void
hash_unlock(struct ledger *l, const char *hash)
{
    struct flock f;
    hash_range(hash, &f);
    f.l_type = F_UNLCK;
    fcntl(l->lock_fd, F_OFD_SETLK, &f);
}
