/* The append-only log of a campaign and its snapshot. Each record's hash
 * covers the hash before it, its number, length and bytes, so that a changed,
 * lost or swapped record is found; the campaign's row holds the head, so that
 * a cut tail is found too. The snapshot is a cache: without it, or with one
 * that does not decode, the state is built from all events. */
#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/db.h"

static void
record_hash(const unsigned char prev[DB_HASH], uint64_t seq, const void *record,
    size_t n, unsigned char out[DB_HASH])
{
    crypto_generichash_state h;
    const uint64_t frame[2] = {seq, n};
    unsigned char le[16];
    for (int i = 0; i < 16; i++)
        le[i] = (unsigned char)(frame[i / 8] >> (8 * (i % 8)));
    crypto_generichash_init(&h, NULL, 0, DB_HASH);
    crypto_generichash_update(&h, prev, DB_HASH);
    crypto_generichash_update(&h, le, sizeof le);
    crypto_generichash_update(&h, record, n);
    crypto_generichash_final(&h, out, DB_HASH);
}

struct head {
    uint64_t seq;
    unsigned char hash[DB_HASH];
};

static int
head_read(
    struct store *st, uint32_t campaign, struct head *out, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(st, &q, err,
        "SELECT seq, head FROM campaign WHERE id = ?1", "i", (int64_t)campaign);
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, -ERR_NOT_FOUND, "no campaign C%" PRIu32, campaign);
    out->seq = (uint64_t)db_int(q, 0);
    bool whole = db_bytes(q, 1) == DB_HASH;
    if (whole)
        memcpy(out->hash, db_blob(q, 1), DB_HASH);
    db_end(q);
    if (!whole)
        return err_set(err, -ERR_CORRUPT,
            "the head of the log of C%" PRIu32 " is damaged", campaign);
    return 0;
}

int
store_append_record(struct store *st, uint32_t campaign, uint64_t seq,
    uint32_t kind, const void *record, size_t n, struct err *err)
{
    assert(st->in_txn);
    struct head head;
    unsigned char hash[DB_HASH];
    int rc = head_read(st, campaign, &head, err);
    if (rc != 0)
        return rc;
    if (seq != head.seq + 1)
        return err_set(err, -ERR_BUSY,
            "event %" PRIu64 " of C%" PRIu32 " comes after event %" PRIu64
            ": another process has written meanwhile",
            seq, campaign, head.seq);
    record_hash(head.hash, seq, record, n, hash);
    rc = db_run(st, err, "INSERT INTO event VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        "iiibbb", (int64_t)campaign, (int64_t)seq, (int64_t)kind, record, n,
        head.hash, (size_t)DB_HASH, hash, (size_t)DB_HASH);
    if (rc != 0)
        return rc;
    return db_run(st, err,
        "UPDATE campaign SET seq = ?2, head = ?3 WHERE id = ?1", "iib",
        (int64_t)campaign, (int64_t)seq, hash, (size_t)DB_HASH);
}

int
store_append(
    struct store *st, uint32_t campaign, const struct event *e, struct err *err)
{
    size_t n = event_encode(e, NULL, 0);
    if (n > EVENT_BYTES_MAX)
        return err_set(err, -ERR_LIMIT, "event %s needs %zu bytes, limit %d",
            event_name(e->kind), n, EVENT_BYTES_MAX);
    unsigned char *record = mem_calloc(n, 1);
    size_t again = event_encode(e, record, n);
    assert(again == n);
    int rc = store_append_record(st, campaign, e->seq, e->kind, record, n, err);
    free(record);
    return rc;
}

int
store_snapshot(struct store *st, uint32_t campaign, const struct core *c,
    const struct store_brief *brief, struct err *err)
{
    assert(st->in_txn);
    static const unsigned char zero[DB_HASH];
    unsigned char hash[DB_HASH];
    size_t n = core_encode(c, NULL, 0);
    unsigned char *state = mem_calloc(n, 1);
    size_t again = core_encode(c, state, n);
    assert(again == n);
    record_hash(zero, c->seq, state, n, hash);
    int rc = db_run(st, err,
        "INSERT INTO snapshot VALUES(?1, ?2, ?3, ?4) ON CONFLICT(campaign)"
        " DO UPDATE SET seq = ?2, hash = ?3, state = ?4",
        "iibb", (int64_t)campaign, (int64_t)c->seq, hash, (size_t)DB_HASH,
        state, n);
    free(state);
    return rc != 0 ? rc : store_campaign_brief(st, campaign, brief, err);
}

int
store_snapshot_drop(struct store *st, uint32_t campaign, struct err *err)
{
    return db_run(st, err, "DELETE FROM snapshot WHERE campaign = ?1", "i",
        (int64_t)campaign);
}

int
store_log_drop(struct store *st, uint32_t campaign, struct err *err)
{
    static const unsigned char zero[DB_HASH];
    int rc = store_snapshot_drop(st, campaign, err);
    if (rc == 0)
        rc = db_run(st, err, "DELETE FROM event WHERE campaign = ?1", "i",
            (int64_t)campaign);
    if (rc == 0)
        rc = db_run(st, err,
            "UPDATE campaign SET seq = 0, head = ?2 WHERE id = ?1", "ib",
            (int64_t)campaign, zero, sizeof zero);
    return rc;
}

static int
event_corrupt(
    uint32_t campaign, uint64_t seq, const char *what, struct err *err)
{
    return err_set(err, -ERR_CORRUPT,
        "event %" PRIu64 " of C%" PRIu32 " %s; restore .rea/rea.db from a "
        "copy, or begin a new campaign with `rea plan`",
        seq, campaign, what);
}

/* Walks the events from `from` on, checking the chain; prev is the hash before
 * the first (read from its row when from > 1). */
struct walk {
    struct store *st;
    uint32_t campaign;
    struct db_rows *q;
    uint64_t seq; /* of the event read last */
    bool chained; /* prev is known */
    unsigned char prev[DB_HASH];
    struct event e;
};

static int
walk_begin(struct walk *w, struct store *st, uint32_t campaign, uint64_t from,
    struct err *err)
{
    *w = (struct walk){.st = st, .campaign = campaign};
    if (from == 0)
        from = 1;
    w->seq = from - 1;
    w->chained = from == 1;
    return db_query(st, &w->q, err,
        "SELECT seq, kind, record, prev, hash FROM event"
        " WHERE campaign = ?1 AND seq >= ?2 ORDER BY seq",
        "ii", (int64_t)campaign, (int64_t)from);
}

static int
walk_check(struct walk *w, uint64_t seq, struct err *err)
{
    unsigned char hash[DB_HASH];
    const void *record = db_blob(w->q, 2);
    size_t n = db_bytes(w->q, 2);
    if (seq != w->seq + 1)
        return event_corrupt(w->campaign, w->seq + 1, "is missing", err);
    if (record == NULL || db_bytes(w->q, 3) != DB_HASH ||
        db_bytes(w->q, 4) != DB_HASH)
        return event_corrupt(w->campaign, seq, "is cut", err);
    const void *prev = db_blob(w->q, 3);
    if (w->chained && memcmp(prev, w->prev, DB_HASH) != 0)
        return event_corrupt(
            w->campaign, seq, "does not follow the one before it", err);
    record_hash(prev, seq, record, n, hash);
    if (memcmp(hash, db_blob(w->q, 4), DB_HASH) != 0)
        return event_corrupt(w->campaign, seq, "does not match its hash", err);
    int rc = event_decode(&w->e, record, n);
    if (rc == -ERR_VERSION)
        return err_set(err, rc,
            "event %" PRIu64 " of C%" PRIu32 " was written by a newer rea; use "
            "that one",
            seq, w->campaign);
    if (rc != 0 || w->e.seq != seq || w->e.kind != (uint32_t)db_int(w->q, 1))
        return event_corrupt(w->campaign, seq, "can't be decoded", err);
    memcpy(w->prev, hash, DB_HASH);
    w->chained = true;
    w->seq = seq;
    return 0;
}

/* 1: w->e is the next event; 0: the end. */
static int
walk_next(struct walk *w, struct err *err)
{
    int rc = db_row(w->st, w->q, err);
    if (rc <= 0)
        return rc;
    rc = walk_check(w, (uint64_t)db_int(w->q, 0), err);
    if (rc != 0) {
        db_end(w->q);
        return rc;
    }
    return 1;
}

/* After the last event: is it the one that the campaign's row names? */
static int
walk_end(struct walk *w, const struct head *head, struct err *err)
{
    if (w->seq != head->seq)
        return event_corrupt(w->campaign, w->seq + 1, "is missing", err);
    if (w->chained && head->seq > 0 &&
        memcmp(w->prev, head->hash, DB_HASH) != 0)
        return event_corrupt(
            w->campaign, w->seq, "is not the last one written", err);
    return 0;
}

static int
event_apply(
    struct core *c, const struct event *e, uint32_t campaign, struct err *err)
{
    struct update *u = mem_calloc(1, sizeof *u);
    int rc = core_apply(c, e, u);
    if (rc != 0)
        rc = err_set(err, -ERR_CORRUPT,
            "event %" PRIu64 " of C%" PRIu32 " (%s) can't be applied: %s",
            e->seq, campaign, event_name(e->kind), u->why);
    free(u);
    return rc;
}

/* Puts the snapshot into c, whose spec is there. false: there is none that is
 * good, and c may hold anything. */
static bool
snapshot_read(
    struct store *st, uint32_t campaign, struct core *c, uint64_t last)
{
    static const unsigned char zero[DB_HASH];
    unsigned char hash[DB_HASH];
    struct db_rows *q = NULL;
    bool good = false;
    if (db_query(st, &q, NULL,
            "SELECT seq, hash, state FROM snapshot WHERE campaign = ?1", "i",
            (int64_t)campaign) != 0 ||
        db_row(st, q, NULL) != 1)
        return false;
    uint64_t seq = (uint64_t)db_int(q, 0);
    const void *state = db_blob(q, 2);
    size_t n = db_bytes(q, 2);
    if (state != NULL && db_bytes(q, 1) == DB_HASH && seq <= last) {
        record_hash(zero, seq, state, n, hash);
        good = memcmp(hash, db_blob(q, 1), DB_HASH) == 0 &&
               core_decode(c, state, n) == 0 && c->seq == seq;
    }
    db_end(q);
    return good;
}

/* Reads event 1 alone and its spec into c. false: replay will say why. */
static bool
spec_read(struct store *st, uint32_t campaign, struct core *c)
{
    struct walk w;
    if (walk_begin(&w, st, campaign, 1, NULL) != 0 || walk_next(&w, NULL) != 1)
        return false;
    bool good =
        w.e.spec != NULL && spec_decode(&c->spec, w.e.spec, w.e.spec_len) == 0;
    db_end(w.q);
    return good;
}

static int
load_events(struct store *st, uint32_t campaign, const struct head *head,
    struct core *c, struct err *err)
{
    struct walk w;
    int rc = walk_begin(&w, st, campaign, c->seq + 1, err);
    if (rc != 0)
        return rc;
    while ((rc = walk_next(&w, err)) == 1) {
        rc = event_apply(c, &w.e, campaign, err);
        if (rc != 0) {
            db_end(w.q);
            return rc;
        }
    }
    return rc != 0 ? rc : walk_end(&w, head, err);
}

/* A reader sees one moment of the database over several statements. */
static int
read_begin(struct store *st, bool *mine, struct err *err)
{
    *mine = !st->in_txn && !st->in_read;
    int rc = *mine ? st->ops->read_begin(st, err) : 0;
    st->in_read = rc == 0 && !st->in_txn;
    return rc;
}

static void
read_end(struct store *st, bool mine)
{
    if (!mine)
        return;
    st->ops->read_end(st);
    st->in_read = false;
}

static int
load_core(
    struct store *st, uint32_t campaign, struct core **out, struct err *err)
{
    struct head head;
    int rc = head_read(st, campaign, &head, err);
    if (rc != 0)
        return rc;
    struct core *c = mem_calloc(1, sizeof *c);
    if (head.seq > 0 && (!spec_read(st, campaign, c) ||
                            !snapshot_read(st, campaign, c, head.seq))) {
        free(c);
        c = mem_calloc(1, sizeof *c);
    }
    rc = load_events(st, campaign, &head, c, err);
    if (rc != 0) {
        free(c);
        return rc;
    }
    *out = c;
    return 0;
}

int
store_load(
    struct store *st, uint32_t campaign, struct core **out, struct err *err)
{
    bool mine;
    int rc = read_begin(st, &mine, err);
    if (rc != 0)
        return rc;
    rc = load_core(st, campaign, out, err);
    read_end(st, mine);
    return rc;
}

int
store_replay(struct store *st, uint32_t campaign, uint64_t seq,
    void (*f)(void *ctx, const struct core *c, const struct event *e),
    void *ctx, struct core **out, struct err *err)
{
    struct walk w;
    int rc = walk_begin(&w, st, campaign, 1, err);
    if (rc != 0)
        return rc;
    struct core *c = mem_calloc(1, sizeof *c);
    while ((seq == 0 || c->seq < seq) && (rc = walk_next(&w, err)) == 1) {
        rc = event_apply(c, &w.e, campaign, err);
        if (rc != 0)
            break;
        if (f != NULL)
            f(ctx, c, &w.e);
    }
    db_end(w.q);
    if (rc < 0) {
        free(c);
        return rc;
    }
    if (out != NULL)
        *out = c;
    else
        free(c);
    return 0;
}

int
store_events(struct store *st, uint32_t campaign, uint64_t from,
    int (*f)(void *ctx, const struct event *e), void *ctx, struct err *err)
{
    struct walk w;
    int rc = walk_begin(&w, st, campaign, from, err);
    if (rc != 0)
        return rc;
    while ((rc = walk_next(&w, err)) == 1) {
        rc = f(ctx, &w.e);
        if (rc != 0)
            break;
    }
    db_end(w.q);
    return rc;
}

static int
verify_chain(struct store *st, uint32_t campaign, uint64_t *n, struct err *err)
{
    struct head head;
    struct walk w;
    int rc = head_read(st, campaign, &head, err);
    if (rc == 0)
        rc = walk_begin(&w, st, campaign, 1, err);
    if (rc != 0)
        return rc;
    while ((rc = walk_next(&w, err)) == 1)
        ++*n;
    return rc != 0 ? rc : walk_end(&w, &head, err);
}

int
store_verify(struct store *st, uint32_t campaign, uint64_t *n, struct err *err)
{
    bool mine;
    *n = 0;
    int rc = read_begin(st, &mine, err);
    if (rc != 0)
        return rc;
    rc = verify_chain(st, campaign, n, err);
    read_end(st, mine);
    return rc;
}
