/* One transaction of the workspace: lock, BEGIN, COMMIT (synced), checkpoint
 * when the log has grown, unlock. Called by wake and the verbs; what is
 * between begin and commit is there whole after a crash, or not at all. */
#include <assert.h>

#include "store/db.h"

int
store_begin(struct store *st, struct err *err)
{
    assert(!st->in_txn && st->mode != STORE_READ);
    int rc = db_lock(st, err);
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

/* SQLite's own automatic checkpoint runs inside COMMIT, so under the lock. */
int
store_commit(struct store *st, struct err *err)
{
    assert(st->in_txn);
    int rc = db_run(st, err, "COMMIT", "");
    if (rc != 0) {
        store_rollback(st);
        return rc;
    }
    st->in_txn = false;
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
