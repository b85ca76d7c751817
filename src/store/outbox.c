/* What became of notifications: delivered ones go, failed tries are counted
 * beside them, as kv outbox/C1/SEQ "TRIES LAST_MS WHY". Called by the wake.
 * Invariant: a message that nobody received stays, with its reason. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/db.h"

enum { KEY_LEN = 64 };

static void
key_of(uint32_t campaign, uint64_t seq, char out[KEY_LEN])
{
    snprintf(out, KEY_LEN, "outbox/C%" PRIu32 "/%" PRIu64, campaign, seq);
}

int
store_outbox_done(
    struct store *st, uint32_t campaign, uint64_t seq, struct err *err)
{
    char key[KEY_LEN];
    key_of(campaign, seq, key);
    int rc = db_run(st, err, "DELETE FROM kv WHERE key = ?1", "t", key);
    return rc != 0 ? rc
                   : db_run(st, err,
                         "DELETE FROM outbox WHERE campaign = ?1 AND seq = ?2",
                         "ii", (int64_t)campaign, (int64_t)seq);
}

bool
store_outbox_waits(struct store *st, uint32_t campaign)
{
    struct db_rows *q = NULL;
    if (db_query(st, &q, NULL,
            "SELECT 1 FROM outbox WHERE campaign = ?1 AND done = 0 LIMIT 1",
            "i", (int64_t)campaign) != 0)
        return false;
    bool has = db_row(st, q, NULL) == 1;
    if (has)
        db_end(q);
    return has;
}

int
store_outbox_tries(struct store *st, uint32_t campaign, uint64_t seq,
    struct store_tries *out, struct err *err)
{
    char key[KEY_LEN];
    struct buf b = {0};
    bool found = false;
    int at = 0;
    *out = (struct store_tries){0};
    key_of(campaign, seq, key);
    int rc = store_kv_get(st, key, &found, &b, err);
    if (rc == 0 && found &&
        sscanf(buf_str(&b), "%" SCNu32 " %" SCNd64 " %n", &out->n,
            &out->last_ms, &at) == 2)
        snprintf(out->why, sizeof out->why, "%s", buf_str(&b) + at);
    buf_fini(&b);
    return rc;
}

int
store_outbox_failed(struct store *st, uint32_t campaign, uint64_t seq,
    const struct store_tries *t, bool give_up, struct err *err)
{
    char key[KEY_LEN];
    struct buf b = {0};
    key_of(campaign, seq, key);
    buf_printf(&b, "%" PRIu32 " %" PRId64 " %s", t->n, t->last_ms, t->why);
    int rc = store_kv_put(st, key, b.data, b.len, err);
    buf_fini(&b);
    if (rc != 0 || !give_up)
        return rc;
    return db_run(st, err,
        "UPDATE outbox SET done = 1 WHERE campaign = ?1 AND seq = ?2", "ii",
        (int64_t)campaign, (int64_t)seq);
}
