/* The few calls that all of the store makes on SQLite: statements cached by
 * the address of their text, values bound by a format, errors in our words.
 * Only src/store includes sqlite3.h. */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

int
db_error(struct store *st, int rc, const char *what, struct err *err)
{
    int low = rc & 0xff;
    int sys = st->db != NULL ? sqlite3_system_errno(st->db) : 0;
    const char *text =
        st->db != NULL ? sqlite3_errmsg(st->db) : sqlite3_errstr(rc);
    if (low == SQLITE_FULL ||
        (low == SQLITE_IOERR && (sys == ENOSPC || sys == EDQUOT)))
        return err_set(err, -ERR_FULL,
            "%.48s: no space left for %s/rea.db; nothing acknowledged is lost: "
            "free some space, then run `rea sweep`",
            what, st->dir);
    if (low == SQLITE_READONLY || low == SQLITE_PERM || low == SQLITE_AUTH)
        return err_set(err, -ERR_REFUSED,
            "%.48s: %s/rea.db can't be written (%s); give this user write "
            "access "
            "to %s and everything in it",
            what, st->dir, text, st->dir);
    if (low == SQLITE_CORRUPT || low == SQLITE_NOTADB)
        return err_set(err, -ERR_CORRUPT,
            "%.48s: %s/rea.db is damaged (%s); restore it from a copy", what,
            st->dir, text);
    if (low == SQLITE_BUSY || low == SQLITE_LOCKED)
        return err_set(err, -ERR_BUSY,
            "%.48s: %s/rea.db is in use by another program (%s); try again",
            what, st->dir, text);
    return err_set(err, -ERR_SYS, "%.48s: %s/rea.db: %s%s%s", what, st->dir,
        text, sys != 0 ? ": " : "", sys != 0 ? strerror(sys) : "");
}

static int
statement(
    struct store *st, const char *sql, sqlite3_stmt **out, struct err *err)
{
    for (uint32_t i = 0; i < st->n_cached; i++) {
        if (st->cached[i].sql == sql) {
            *out = st->cached[i].stmt;
            return 0;
        }
    }
    assert(st->n_cached < DB_STATEMENTS_MAX);
    int rc = sqlite3_prepare_v3(
        st->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (rc != SQLITE_OK)
        return db_error(st, rc, "prepare", err);
    st->cached[st->n_cached].sql = sql;
    st->cached[st->n_cached++].stmt = *out;
    return 0;
}

static int
bind_all(sqlite3_stmt *q, const char *fmt, va_list ap)
{
    int rc = SQLITE_OK;
    for (int i = 1; *fmt != '\0' && rc == SQLITE_OK; i++, fmt++) {
        if (*fmt == 'i') {
            rc = sqlite3_bind_int64(q, i, va_arg(ap, int64_t));
        } else if (*fmt == 'f') {
            rc = sqlite3_bind_double(q, i, va_arg(ap, double));
        } else if (*fmt == 't') {
            const char *s = va_arg(ap, const char *);
            rc = s == NULL ? sqlite3_bind_null(q, i)
                           : sqlite3_bind_text(q, i, s, -1, SQLITE_TRANSIENT);
        } else {
            assert(*fmt == 'b');
            const void *p = va_arg(ap, const void *);
            size_t n = va_arg(ap, size_t);
            rc = sqlite3_bind_blob64(
                q, i, p != NULL ? p : "", n, SQLITE_TRANSIENT);
        }
    }
    return rc;
}

int
db_query(struct store *st, sqlite3_stmt **out, struct err *err, const char *sql,
    const char *fmt, ...)
{
    int rc = statement(st, sql, out, err);
    if (rc != 0)
        return rc;
    va_list ap;
    va_start(ap, fmt);
    int sr = bind_all(*out, fmt, ap);
    va_end(ap);
    if (sr != SQLITE_OK) {
        db_end(*out);
        return db_error(st, sr, "bind", err);
    }
    return 0;
}

int
db_row(struct store *st, sqlite3_stmt *q, struct err *err)
{
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE) {
        db_end(q);
        return 0;
    }
    int code =
        db_error(st, sqlite3_extended_errcode(st->db), sqlite3_sql(q), err);
    db_end(q);
    return code;
}

void
db_end(sqlite3_stmt *q)
{
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
}

int
db_run(struct store *st, struct err *err, const char *sql, const char *fmt, ...)
{
    sqlite3_stmt *q = NULL;
    int rc = statement(st, sql, &q, err);
    if (rc != 0)
        return rc;
    va_list ap;
    va_start(ap, fmt);
    int sr = bind_all(q, fmt, ap);
    va_end(ap);
    if (sr != SQLITE_OK) {
        db_end(q);
        return db_error(st, sr, "bind", err);
    }
    rc = db_row(st, q, err);
    assert(rc != 1);
    return rc;
}

int
db_exec(struct store *st, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return db_error(st, sqlite3_extended_errcode(st->db), "set up", err);
    return 0;
}

void
db_text(sqlite3_stmt *q, int i, char *out, size_t cap)
{
    const unsigned char *s = sqlite3_column_text(q, i);
    snprintf(out, cap, "%s", s != NULL ? (const char *)s : "");
}

int
db_lock(struct store *st, struct err *err)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    for (int tries = 0; tries < 30000; tries++) {
        if (flock(st->lock_fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_sys(err, "lock %s/lock", st->dir);
        nanosleep(&nap, NULL);
    }
    return err_set(err, -ERR_BUSY,
        "%s/lock was held by another process for 30 s; try again, or look who "
        "holds it with `fuser %s/lock`",
        st->dir, st->dir);
}

void
db_unlock(struct store *st)
{
    flock(st->lock_fd, LOCK_UN);
}
