/* One transaction of the workspace: lock, BEGIN, COMMIT (synced), checkpoint
 * when the log has grown, unlock. Called by wake and the verbs; what is
 * between begin and commit is there whole after a crash, or not at all. */
#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "store/lite.h"

/* SQLite takes no change of this within a transaction. */
static int
sync_set(struct store *st, bool unsynced, struct err *err)
{
    struct lite *l = st->driver;
    if (l->unsynced == unsynced)
        return 0;
    int rc = lite_exec(st,
        unsynced ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
        err);
    if (rc == 0)
        l->unsynced = unsynced;
    return rc;
}

/* An unsynced commit can be missing only together with all that came after it:
 * power loss takes the end of the log. */
int
lite_begin(struct store *st, bool unsynced, struct err *err)
{
    int rc = sync_set(st, unsynced, err);
    if (rc == 0)
        rc = lite_lock(st, err);
    if (rc != 0)
        return rc;
    rc = db_run(st, err, "BEGIN IMMEDIATE", "");
    if (rc != 0)
        lite_unlock(st);
    return rc;
}

int
lite_wal_grown(void *lite, sqlite3 *db, const char *name, int pages)
{
    struct lite *l = lite;
    (void)db;
    (void)name;
    l->wal_pages = pages;
    return SQLITE_OK;
}

/* Every wake is a new process that reads the whole log when it opens, so the
 * log is kept short, and emptied rather than only copied: a process that comes
 * later cannot know what was copied. A reader in the way only puts it off. */
static void
log_fold(struct lite *l)
{
    if (l->wal_pages < LITE_WAL_PAGES_MAX)
        return;
    sqlite3_busy_timeout(l->db, 0);
    sqlite3_wal_checkpoint_v2(
        l->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(l->db, LITE_BUSY_MS);
    l->wal_pages = 0;
}

static int
directory_refuse(const char *path, int *fd)
{
    (void)path;
    *fd = -1;
    return SQLITE_CANTOPEN; /* SQLite then goes on without syncing the folder */
}

/* SQLite syncs the folder at the first commit of a process, in case the log
 * was made by it. Here the log is kept for good, so its name has been safe
 * since the first commit ever, and a wake need not pay a second fsync for it.
 * Only for this commit: other databases of the process live by other rules. */
static int
commit_run(struct store *st, struct err *err)
{
    const struct lite *l = st->driver;
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    bool skip = l->log_was_there && vfs != NULL && vfs->iVersion >= 3;
    if (skip)
        vfs->xSetSystemCall(
            vfs, "openDirectory", (sqlite3_syscall_ptr)directory_refuse);
    int rc = db_run(st, err, "COMMIT", "");
    if (skip)
        vfs->xSetSystemCall(vfs, "openDirectory", NULL);
    return rc;
}

int
lite_commit(struct store *st, struct err *err)
{
    int rc = commit_run(st, err);
    if (rc != 0)
        return rc;
    log_fold(st->driver);
    lite_unlock(st);
    return 0;
}

void
lite_rollback(struct store *st)
{
    const struct lite *l = st->driver;
    if (sqlite3_get_autocommit(l->db) == 0)
        db_run(st, NULL, "ROLLBACK", "");
    lite_unlock(st);
}

int
lite_read_begin(struct store *st, struct err *err)
{
    return db_run(st, err, "BEGIN", "");
}

void
lite_read_end(struct store *st)
{
    db_run(st, NULL, "COMMIT", "");
}

int
lite_lock(struct store *st, struct err *err)
{
    const struct lite *l = st->driver;
    enum { SHORT = 20, TRIES = 30000 };
    for (int tries = 0; tries < TRIES; tries++) {
        /* a commit takes the time of a sync or two: look again soon */
        const struct timespec nap = {
            .tv_nsec = tries < SHORT ? 100000 : 1000000};
        if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0)
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
lite_unlock(struct store *st)
{
    const struct lite *l = st->driver;
    flock(l->lock_fd, LOCK_UN);
}
