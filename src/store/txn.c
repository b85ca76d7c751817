/* One transaction of a workspace. Called by wake and the verbs; what is between
 * begin and commit is there whole after a crash, or not at all. */
#include <assert.h>

#include "store/db.h"

static int
txn_begin(struct store *st, bool unsynced, struct err *err)
{
    assert(!st->in_txn && st->mode != STORE_READ);
    int rc = st->ops->begin(st, unsynced, err);
    st->in_txn = rc == 0;
    return rc;
}

int
store_begin(struct store *st, struct err *err)
{
    return txn_begin(st, false, err);
}

int
store_begin_unsynced(struct store *st, struct err *err)
{
    return txn_begin(st, true, err);
}

int
store_commit(struct store *st, struct err *err)
{
    assert(st->in_txn);
    int rc = st->ops->commit(st, err);
    if (rc != 0)
        store_rollback(st);
    st->in_txn = false;
    return rc;
}

void
store_rollback(struct store *st)
{
    if (!st->in_txn)
        return;
    st->in_txn = false;
    st->ops->rollback(st);
}
