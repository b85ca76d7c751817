/* Finding, making and opening a workspace's database, and its lock. Every
 * SQLite before 3.51.3 can, rarely, lose a commit when one connection resets
 * the write-ahead log in a checkpoint while another commits. So here whoever
 * may write or checkpoint holds .rea/lock exclusively, for the time of the
 * transaction only; readers are read-only connections that never checkpoint;
 * closing never checkpoints. The lock costs two system calls, so it is taken
 * whatever SQLite's version is. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/db.h"

int
store_find(const char *start, struct buf *root, struct err *err)
{
    char path[STORE_PATH_LEN];
    char *real = realpath(start, NULL);
    if (real == NULL)
        return err_set(err, -ERR_NOT_FOUND, "no folder %s", start);
    size_t n = strlen(real);
    while (n > 0 && n + 8 < sizeof path) {
        snprintf(path, sizeof path, "%.*s/.rea", (int)n, real);
        if (fs_is_dir(path)) {
            buf_clear(root);
            buf_add(root, real, n);
            free(real);
            return 0;
        }
        while (n > 0 && real[--n] != '/')
            ;
    }
    free(real);
    return err_set(err, -ERR_NOT_FOUND,
        "no workspace at %s or above it (no folder .rea); `rea init` writes a "
        "project file, `rea plan` makes the workspace",
        start);
}

static int
path_make(char out[STORE_PATH_LEN], const char *dir, const char *name,
    struct err *err)
{
    int n = snprintf(out, STORE_PATH_LEN, "%s/%s", dir, name);
    if (n < 0 || n >= STORE_PATH_LEN - 64)
        return err_set(err, -ERR_LIMIT, "path is too long: %s/%s", dir, name);
    return 0;
}

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

bool
store_reserve_release(struct store *st)
{
    char path[STORE_PATH_LEN + 16];
    snprintf(path, sizeof path, "%s/reserve", st->dir);
    return unlink(path) == 0;
}

static int
folders_make(struct store *st, struct err *err)
{
    char path[STORE_PATH_LEN + 16];
    static const char *const names[] = {"lease", "runs", "jobs"};
    int rc = fs_mkdirs(st->dir, err);
    for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", st->dir, names[i]);
        rc = fs_mkdirs(path, err);
    }
    return rc;
}

static bool
folders_are_there(const struct store *st)
{
    char path[STORE_PATH_LEN + 16];
    snprintf(path, sizeof path, "%s/lease", st->dir);
    return fs_is_dir(path);
}

static int
lock_open(struct store *st, struct err *err)
{
    char path[STORE_PATH_LEN + 16];
    snprintf(path, sizeof path, "%s/lock", st->dir);
    st->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (st->lock_fd >= 0)
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
    int rc = sqlite3_open_v2(path, &st->db,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK)
        return db_error(st, rc, "open", err);
    sqlite3_busy_timeout(st->db, DB_BUSY_MS);
    sqlite3_db_config(st->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    return 0;
}

/* A log that was never folded in can't be read without write access to its
 * index; an empty one can, when SQLite is told that nobody writes. */
static int
database_open_frozen(struct store *st, struct err *err)
{
    char path[STORE_PATH_LEN + 64];
    snprintf(path, sizeof path, "%s/rea.db-wal", st->dir);
    if (fs_size(path) > 0)
        return err_set(err, -ERR_REFUSED,
            "%s has changes in rea.db-wal that can't be read without write "
            "access; copy the whole folder to a place that can be written",
            st->dir);
    sqlite3_close(st->db);
    st->db = NULL;
    snprintf(path, sizeof path, "file:%s/rea.db?immutable=1", st->dir);
    int rc = sqlite3_open_v2(path, &st->db,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, NULL);
    return rc == SQLITE_OK ? 0 : db_error(st, rc, "open", err);
}

static int
version_read(struct store *st, int *out)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(st->db, "PRAGMA user_version", -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? 0 : rc;
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
        return db_error(st, rc, "open", err);
    if (version == STORE_VERSION)
        return 0;
    if (version > STORE_VERSION)
        return err_set(err, -ERR_VERSION,
            "%s/rea.db has format %d, this rea knows up to %d: a newer rea "
            "wrote it; use that one (nothing was changed)",
            st->dir, version, STORE_VERSION);
    if (version == 0 && st->mode == STORE_CREATE)
        return schema_create(st, err);
    if (version == 0)
        return err_set(err, -ERR_CORRUPT,
            "%s/rea.db is empty; `rea plan` makes it anew", st->dir);
    return err_set(err, -ERR_CORRUPT, "%s/rea.db has the unknown format %d",
        st->dir, version);
}

static int
workspace_read(struct store *st, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = db_query(
        st, &q, err, "SELECT value FROM meta WHERE key = 'workspace'", "");
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(
            err, -ERR_CORRUPT, "%s/rea.db has no workspace id", st->dir);
    st->workspace =
        (uint32_t)strtoul((const char *)sqlite3_column_text(q, 0), NULL, 16);
    db_end(q);
    return 0;
}

static int
database_start(struct store *st, struct err *err)
{
    char path[STORE_PATH_LEN + 64];
    snprintf(path, sizeof path, "%s/rea.db-wal", st->dir);
    st->log_was_there = fs_exists(path);
    int rc = database_open(st, err);
    if (rc == 0 && st->mode != STORE_READ)
        rc = db_exec(st,
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0", err);
    if (rc == 0 && st->mode != STORE_READ)
        sqlite3_wal_hook(st->db, db_wal_grown, st);
    if (rc == 0)
        rc = version_check(st, err);
    if (rc == 0)
        rc = workspace_read(st, err);
    return rc;
}

static int
store_start(struct store *st, const char *root, struct err *err)
{
    const char *kind = NULL;
    char *real = realpath(root, NULL);
    if (real == NULL)
        return err_set(err, -ERR_NOT_FOUND, "no folder %s", root);
    snprintf(st->root, sizeof st->root, "%s", real);
    free(real);
    int rc = path_make(st->dir, st->root, ".rea", err);
    if (rc != 0)
        return rc;
    if (st->mode != STORE_CREATE && !fs_is_dir(st->dir))
        return err_set(err, -ERR_NOT_FOUND,
            "%s is no workspace (no folder .rea); `rea plan` makes it",
            st->root);
    if (fs_is_network(st->root, &kind))
        return err_set(err, -ERR_REFUSED,
            "%s is on network storage (%s): locks and SQLite's log are "
            "not safe there; move the workspace to a local disk (the data may "
            "stay)",
            st->root, kind);
    /* a workspace that came back from a backup may hold the database alone */
    if (st->mode == STORE_CREATE ||
        (st->mode == STORE_WRITE && !folders_are_there(st)))
        rc = folders_make(st, err);
    if (rc == 0 && st->mode != STORE_READ)
        rc = lock_open(st, err);
    if (rc != 0 || st->mode == STORE_READ)
        return rc != 0 ? rc : database_start(st, err);
    rc = db_lock(st, err);
    if (rc != 0)
        return rc;
    rc = database_start(st, err);
    db_unlock(st);
    if (rc == 0)
        reserve_make(st);
    return rc;
}

int
store_open(
    const char *root, enum store_mode mode, struct store **out, struct err *err)
{
    struct store *st = mem_calloc(1, sizeof *st);
    st->mode = mode;
    st->lock_fd = -1;
    int rc = store_start(st, root, err);
    if (rc != 0) {
        store_close(st);
        return rc;
    }
    *out = st;
    return 0;
}

void
store_close(struct store *st)
{
    if (st == NULL)
        return;
    store_rollback(st);
    for (uint32_t i = 0; i < st->n_cached; i++)
        sqlite3_finalize(st->cached[i].stmt);
    sqlite3_close(st->db);
    if (st->lock_fd >= 0)
        close(st->lock_fd);
    free(st);
}

const char *
store_root(const struct store *st)
{
    return st->root;
}

const char *
store_dir(const struct store *st)
{
    return st->dir;
}

uint32_t
store_workspace_id(const struct store *st)
{
    return st->workspace;
}

void
store_token(const struct store *st, uint32_t campaign, uint32_t job,
    char out[STORE_TOKEN_LEN])
{
    snprintf(out, STORE_TOKEN_LEN, "rea-%08" PRIx32 "-C%" PRIu32 "-J%" PRIu32,
        st->workspace, campaign, job);
}

bool
store_token_parse(const struct store *st, const char *token, uint32_t *campaign,
    uint32_t *job)
{
    char again[STORE_TOKEN_LEN];
    uint32_t c = 0, j = 0;
    if (strlen(token) < 14 || token[12] != '-' ||
        sscanf(token + 12, "-C%10" SCNu32 "-J%10" SCNu32, &c, &j) != 2)
        return false;
    store_token(st, c, j, again);
    *campaign = c;
    *job = j;
    return strcmp(again, token) == 0;
}
