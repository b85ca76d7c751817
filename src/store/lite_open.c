/* The database of a workspace of one machine, its lock and its reserve. Every
 * SQLite before 3.51.3 can, rarely, lose a commit when one connection resets
 * the write-ahead log in a checkpoint while another commits. So here whoever
 * may write or checkpoint holds .rea/lock exclusively, for the time of the
 * transaction only; readers are read-only connections that never checkpoint;
 * closing never checkpoints. The lock costs two system calls, so it is taken
 * whatever SQLite's version is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/fs.h"
#include "store/lite.h"

/* A pool for stop and settlement on a full disk; made when there is room. */
static void
reserve_make(const struct store *st)
{
    char path[STORE_PATH_LEN + 16];
    snprintf(path, sizeof path, "%s/reserve", st->dir);
    struct stat sb;
    if (stat(path, &sb) == 0 && sb.st_size == STORE_RESERVE_BYTES)
        return;
    if (fs_free_bytes(st->dir) < 32 * (int64_t)STORE_RESERVE_BYTES)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    if (posix_fallocate(fd, 0, STORE_RESERVE_BYTES) != 0)
        unlink(path);
    close(fd);
}

static int
lock_open(struct store *st, struct err *err)
{
    struct lite *l = st->driver;
    char path[STORE_PATH_LEN + 16];
    snprintf(path, sizeof path, "%s/lock", st->dir);
    l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (l->lock_fd >= 0)
        return 0;
    if (errno == EACCES || errno == EROFS || errno == EPERM)
        return err_set(err, -ERR_REFUSED,
            "%s can't be written (%s): this verb changes the state; give this "
            "user write access, or use status, show or report",
            st->dir, strerror(errno));
    return err_sys(err, "open %s", path);
}

static int
database_open(struct store *st, struct err *err)
{
    struct lite *l = st->driver;
    char path[STORE_PATH_LEN + 64];
    int flags =
        st->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (st->mode == STORE_CREATE)
        flags |= SQLITE_OPEN_CREATE;
    snprintf(path, sizeof path, "%s/rea.db", st->dir);
    if (st->mode != STORE_CREATE && !fs_exists(path))
        return err_set(err, -ERR_NOT_FOUND,
            "%s has no database yet; `rea plan` drafts the first campaign",
            st->dir);
    int rc = sqlite3_open_v2(path, &l->db,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK)
        return lite_error(st, rc, "open", err);
    sqlite3_busy_timeout(l->db, LITE_BUSY_MS);
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    return 0;
}

/* A log that was never folded in can't be read without write access to its
 * index; an empty one can, when SQLite is told that nobody writes. */
static int
database_open_frozen(struct store *st, struct err *err)
{
    struct lite *l = st->driver;
    char path[STORE_PATH_LEN + 64];
    snprintf(path, sizeof path, "%s/rea.db-wal", st->dir);
    if (fs_size(path) > 0)
        return err_set(err, -ERR_REFUSED,
            "%s has changes in rea.db-wal that can't be read without write "
            "access; copy the whole folder to a place that can be written",
            st->dir);
    sqlite3_close(l->db);
    l->db = NULL;
    snprintf(path, sizeof path, "file:%s/rea.db?immutable=1", st->dir);
    int rc = sqlite3_open_v2(path, &l->db,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, NULL);
    return rc == SQLITE_OK ? 0 : lite_error(st, rc, "open", err);
}

static int
version_read(struct store *st, int *out)
{
    struct lite *l = st->driver;
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(l->db, "PRAGMA user_version", -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? 0 : rc;
}

static int
tables_fill(struct store *st, struct err *err)
{
    char version[40];
    st->workspace = randombytes_random();
    int rc = schema_fill(st, err);
    if (rc != 0)
        return rc;
    snprintf(
        version, sizeof version, "PRAGMA user_version = %d", STORE_VERSION);
    return lite_exec(st, version, err);
}

static int
tables_create(struct store *st, struct err *err)
{
    int rc = lite_exec(st, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", err);
    if (rc != 0)
        return rc;
    rc = tables_fill(st, err);
    if (rc == 0)
        rc = lite_exec(st, "COMMIT", err);
    if (rc != 0)
        lite_exec(st, "ROLLBACK", NULL);
    return rc;
}

static int
version_check(struct store *st, struct err *err)
{
    int version = 0;
    int rc = version_read(st, &version);
    if (st->mode == STORE_READ && (rc & 0xff) == SQLITE_CANTOPEN) {
        rc = database_open_frozen(st, err);
        if (rc != 0)
            return rc;
        rc = version_read(st, &version);
    }
    if (rc != 0)
        return lite_error(st, rc, "open", err);
    if (version == STORE_VERSION)
        return 0;
    if (version == LITE_MOVED)
        return err_set(err, -ERR_VERSION,
            "%s/rea.db was moved to a server, and the last step is missing: "
            "run `rea store move URL` once more",
            st->dir);
    if (version > STORE_VERSION)
        return err_set(err, -ERR_VERSION,
            "%s/rea.db has format %d, this rea knows up to %d: a newer rea "
            "wrote it; use that one (nothing was changed)",
            st->dir, version, STORE_VERSION);
    if (version == 0 && st->mode == STORE_CREATE)
        return tables_create(st, err);
    if (version == 0)
        return err_set(err, -ERR_CORRUPT,
            "%s/rea.db is empty; `rea plan` makes it anew", st->dir);
    return err_set(err, -ERR_CORRUPT, "%s/rea.db has the unknown format %d",
        st->dir, version);
}

static int
workspace_read(struct store *st, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(
        st, &q, err, "SELECT value FROM meta WHERE key = 'workspace'", "");
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(
            err, -ERR_CORRUPT, "%s/rea.db has no workspace id", st->dir);
    st->workspace = (uint32_t)strtoul(db_str(q, 0), NULL, 16);
    db_end(q);
    return 0;
}

int
lite_moved_to(struct store *st, struct buf *url, struct err *err)
{
    struct lite l = {.lock_fd = -1};
    sqlite3_stmt *q = NULL;
    int version = 0;
    st->driver = &l;
    int rc = database_open(st, err);
    if (rc == 0 && (version_read(st, &version) != 0 || version != LITE_MOVED))
        rc = err_set(err, -ERR_NOT_FOUND, "%s/rea.db was not moved", st->dir);
    if (rc == 0 &&
        (sqlite3_prepare_v2(l.db,
             "SELECT value FROM meta WHERE key IN ('moved', 'workspace')"
             " ORDER BY key",
             -1, &q, NULL) != SQLITE_OK ||
            sqlite3_step(q) != SQLITE_ROW))
        rc = err_set(err, -ERR_CORRUPT, "%s/rea.db is damaged", st->dir);
    if (rc == 0)
        buf_puts(url, (const char *)sqlite3_column_text(q, 0));
    if (rc == 0 && sqlite3_step(q) == SQLITE_ROW)
        st->workspace = (uint32_t)strtoul(
            (const char *)sqlite3_column_text(q, 0), NULL, 16);
    sqlite3_finalize(q);
    sqlite3_close(l.db);
    st->driver = NULL;
    return rc;
}

static int
database_start(struct store *st, struct err *err)
{
    struct lite *l = st->driver;
    char path[STORE_PATH_LEN + 64];
    snprintf(path, sizeof path, "%s/rea.db-wal", st->dir);
    l->log_was_there = fs_exists(path);
    int rc = database_open(st, err);
    if (rc == 0 && st->mode != STORE_READ)
        rc = lite_exec(st,
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0", err);
    if (rc == 0 && st->mode != STORE_READ)
        sqlite3_wal_hook(l->db, lite_wal_grown, l);
    if (rc == 0)
        rc = version_check(st, err);
    if (rc == 0)
        rc = workspace_read(st, err);
    return rc;
}

static int
lite_start(struct store *st, struct err *err)
{
    if (st->mode == STORE_READ)
        return database_start(st, err);
    int rc = lock_open(st, err);
    if (rc == 0)
        rc = lite_lock(st, err);
    if (rc != 0)
        return rc;
    rc = database_start(st, err);
    lite_unlock(st);
    if (rc == 0)
        reserve_make(st);
    return rc;
}

int
lite_open(struct store *st, struct err *err)
{
    struct lite *l = mem_calloc(1, sizeof *l);
    l->lock_fd = -1;
    st->driver = l;
    lite_reads_note();
    return lite_start(st, err);
}

void
lite_close(struct store *st)
{
    struct lite *l = st->driver;
    if (l == NULL)
        return;
    for (uint32_t i = 0; i < l->n_cached; i++)
        sqlite3_finalize(l->cached[i].stmt);
    sqlite3_close(l->db);
    if (l->lock_fd >= 0)
        close(l->lock_fd);
    free(l);
}
