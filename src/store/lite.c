/* SQLite behind the table of db.h: statements cached by the address of their
 * text, values bound by a format, errors in our words. */
#include "store/lite.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Of the last read that failed since the database was opened: until a
 * transaction ends SQLite repeats its error in statements that read nothing.
 * One thread, so one is enough. */
static int read_errno;

static ssize_t
read_noted(int fd, void *to, size_t n, off_t at)
{
    ssize_t got = pread(fd, to, n, at);
    if (got < 0)
        read_errno = errno;
    return got;
}

void
lite_reads_note(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    read_errno = 0;
    if (vfs == NULL || vfs->iVersion < 3)
        return;
    vfs->xSetSystemCall(vfs, "pread", (sqlite3_syscall_ptr)read_noted);
    vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)read_noted);
}

int
lite_error(struct store *st, int rc, const char *what, struct err *err)
{
    struct lite *l = st->driver;
    int low = rc & 0xff;
    int sys = l->db != NULL ? sqlite3_system_errno(l->db) : 0;
    const char *text =
        l->db != NULL ? sqlite3_errmsg(l->db) : sqlite3_errstr(rc);
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
    /* A page that can't be read now is called corrupt by SQLite, too. */
    if (low == SQLITE_CORRUPT && read_errno != 0)
        return err_set(err, -ERR_SYS,
            "%.48s: %s/rea.db can't be read now: %s; run `rea sweep` when the "
            "disk is well",
            what, st->dir, strerror(read_errno));
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
    struct store *st, const char *sql, struct lite_rows **out, struct err *err)
{
    struct lite *l = st->driver;
    for (uint32_t i = 0; i < l->n_cached; i++) {
        if (l->cached[i].sql == sql) {
            *out = &l->cached[i];
            return 0;
        }
    }
    assert(l->n_cached < DB_STATEMENTS_MAX);
    struct lite_rows *q = &l->cached[l->n_cached];
    *q = (struct lite_rows){.head.ops = &db_lite, .sql = sql, .lite = l};
    int rc = sqlite3_prepare_v3(
        l->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL);
    if (rc != SQLITE_OK)
        return lite_error(st, rc, "prepare", err);
    l->n_cached++;
    *out = q;
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

static void
lite_end(struct db_rows *q)
{
    sqlite3_stmt *stmt = ((struct lite_rows *)q)->stmt;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
}

static int
lite_query(struct store *st, struct db_rows **out, struct err *err,
    const char *sql, const char *fmt, va_list ap)
{
    struct lite_rows *q = NULL;
    int rc = statement(st, sql, &q, err);
    if (rc != 0)
        return rc;
    *out = &q->head;
    int sr = bind_all(q->stmt, fmt, ap);
    if (sr == SQLITE_OK)
        return 0;
    lite_end(*out);
    return lite_error(st, sr, "bind", err);
}

static int
lite_row(struct store *st, struct db_rows *q, struct err *err)
{
    struct lite *l = st->driver;
    sqlite3_stmt *stmt = ((struct lite_rows *)q)->stmt;
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        rc = lite_error(
            st, sqlite3_extended_errcode(l->db), sqlite3_sql(stmt), err);
    else
        rc = 0;
    lite_end(q);
    return rc;
}

int
lite_exec(struct store *st, const char *sql, struct err *err)
{
    struct lite *l = st->driver;
    int rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return lite_error(st, sqlite3_extended_errcode(l->db), "set up", err);
    return 0;
}

static int64_t
lite_changes(struct store *st)
{
    struct lite *l = st->driver;
    return sqlite3_changes(l->db);
}

static int
lite_has_table(struct store *st, const char *name, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(
        st, &q, err, "SELECT 1 FROM sqlite_schema WHERE name = ?1", "t", name);
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc == 1)
        db_end(q);
    return rc;
}

static int64_t
lite_integer(struct db_rows *q, int i)
{
    return sqlite3_column_int64(((struct lite_rows *)q)->stmt, i);
}

static double
lite_real(struct db_rows *q, int i)
{
    return sqlite3_column_double(((struct lite_rows *)q)->stmt, i);
}

static const char *
lite_text(struct db_rows *q, int i)
{
    return (const char *)sqlite3_column_text(((struct lite_rows *)q)->stmt, i);
}

static const void *
lite_blob(struct db_rows *q, int i)
{
    return sqlite3_column_blob(((struct lite_rows *)q)->stmt, i);
}

static size_t
lite_bytes(struct db_rows *q, int i)
{
    return (size_t)sqlite3_column_bytes(((struct lite_rows *)q)->stmt, i);
}

static bool
lite_is_null(struct db_rows *q, int i)
{
    return sqlite3_column_type(((struct lite_rows *)q)->stmt, i) == SQLITE_NULL;
}

/* On one machine the lock on the lease's file is all. */
static int
lite_lease_lock(struct store *st, uint32_t campaign, struct err *err)
{
    (void)st;
    (void)campaign;
    (void)err;
    return 0;
}

static void
lite_lease_unlock(struct store *st, uint32_t campaign)
{
    (void)st;
    (void)campaign;
}

const struct db_ops db_lite = {
    .name = "sqlite",
    .open = lite_open,
    .close = lite_close,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .read_begin = lite_read_begin,
    .read_end = lite_read_end,
    .query = lite_query,
    .row = lite_row,
    .end = lite_end,
    .changes = lite_changes,
    .exec = lite_exec,
    .has_table = lite_has_table,
    .integer = lite_integer,
    .real = lite_real,
    .text = lite_text,
    .blob = lite_blob,
    .bytes = lite_bytes,
    .is_null = lite_is_null,
    .lease_lock = lite_lease_lock,
    .lease_unlock = lite_lease_unlock,
    .mark_leave = mark_file_leave,
    .mark_take = mark_file_take,
    .is_marked = mark_file_is_there,
};
