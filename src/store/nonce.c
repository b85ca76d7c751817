/* Words that were taken, so that none is taken twice. The table is made with
 * the first one; what is older than the time in which a word is good goes. */
#include "store/db.h"

static const char NONCE_TABLE[] =
    "CREATE TABLE IF NOT EXISTS nonce(id TEXT PRIMARY KEY,"
    " at_ms INTEGER NOT NULL) STRICT;";

int
store_nonce_take(struct store *st, const char *nonce, int64_t now_ms,
    int64_t keep_ms, bool *fresh, struct err *err)
{
    *fresh = false;
    int rc = st->ops->exec(st, NONCE_TABLE, err);
    if (rc == 0)
        rc = db_run(st, err, "DELETE FROM nonce WHERE at_ms < ?1", "i",
            now_ms - keep_ms);
    if (rc == 0)
        rc = db_run(st, err,
            "INSERT INTO nonce VALUES(?1, ?2) ON CONFLICT DO NOTHING", "ti",
            nonce, now_ms);
    *fresh = rc == 0 && db_changes(st) == 1;
    return rc;
}
