/* One transaction of the workspace: lock, BEGIN, COMMIT (synced), checkpoint
 * when the log has grown, unlock. Called by wake and the verbs; what is
 * between begin and commit is there whole after a crash, or not at all. */
#include <assert.h>

#include "store/db.h"

/* SQLite takes no change of this within a transaction. */
static int
sync_set(struct store *st, bool unsynced, struct err *err)
{
    if (st->unsynced == unsynced)
        return 0;
    int rc = db_exec(st,
        unsynced ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
        err);
    if (rc == 0)
        st->unsynced = unsynced;
    return rc;
}

static int
txn_begin(struct store *st, bool unsynced, struct err *err)
{
    assert(!st->in_txn && st->mode != STORE_READ);
    int rc = sync_set(st, unsynced, err);
    if (rc == 0)
        rc = db_lock(st, err);
    if (rc != 0)
        return rc;
    rc = db_run(st, err, "BEGIN IMMEDIATE", "");
    if (rc != 0) {
        db_unlock(st);
        return rc;
    }
    st->in_txn = true;
    return 0;
}

int
store_begin(struct store *st, struct err *err)
{
    return txn_begin(st, false, err);
}

/* Power loss takes the end of the log, so an unsynced commit can be missing
 * only together with all that came after it. */
int
store_begin_unsynced(struct store *st, struct err *err)
{
    return txn_begin(st, true, err);
}

int
db_wal_grown(void *store, sqlite3 *db, const char *name, int pages)
{
    struct store *st = store;
    (void)db;
    (void)name;
    st->wal_pages = pages;
    return SQLITE_OK;
}

/* Every wake is a new process that reads the whole log when it opens, so the
 * log is kept short, and emptied rather than only copied: a process that comes
 * later cannot know what was copied. A reader in the way only puts it off. */
static void
log_fold(struct store *st)
{
    if (st->wal_pages < DB_WAL_PAGES_MAX)
        return;
    sqlite3_busy_timeout(st->db, 0);
    sqlite3_wal_checkpoint_v2(
        st->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(st->db, DB_BUSY_MS);
    st->wal_pages = 0;
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
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    bool skip = st->log_was_there && vfs != NULL && vfs->iVersion >= 3;
    if (skip)
        vfs->xSetSystemCall(
            vfs, "openDirectory", (sqlite3_syscall_ptr)directory_refuse);
    int rc = db_run(st, err, "COMMIT", "");
    if (skip)
        vfs->xSetSystemCall(vfs, "openDirectory", NULL);
    return rc;
}

int
store_commit(struct store *st, struct err *err)
{
    assert(st->in_txn);
    int rc = commit_run(st, err);
    if (rc != 0) {
        store_rollback(st);
        return rc;
    }
    st->in_txn = false;
    log_fold(st);
    db_unlock(st);
    return 0;
}

void
store_rollback(struct store *st)
{
    if (!st->in_txn)
        return;
    if (sqlite3_get_autocommit(st->db) == 0)
        db_run(st, NULL, "ROLLBACK", "");
    st->in_txn = false;
    db_unlock(st);
}
