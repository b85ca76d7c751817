/* The books beside the log: sealed values, attempts on a backend, applied
 * tokens, notifications, wakes, small values. Written by wake in the same
 * transaction as the events they belong to. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "store/db.h"

int
store_sealed_put(struct store *st, uint32_t campaign, uint32_t trial,
    uint32_t metric, double value, struct err *err)
{
    return db_run(st, err,
        "INSERT INTO sealed VALUES(?1, ?2, ?3, ?4)"
        " ON CONFLICT(campaign, trial, metric) DO UPDATE SET value = ?4",
        "iiif", (int64_t)campaign, (int64_t)trial, (int64_t)metric, value);
}

int
store_sealed_get(struct store *st, uint32_t campaign, uint32_t trial,
    uint32_t metric, bool *found, double *value, struct err *err)
{
    struct db_rows *q = NULL;
    *found = false;
    int rc = db_query(st, &q, err,
        "SELECT value FROM sealed WHERE campaign = ?1 AND trial = ?2"
        " AND metric = ?3",
        "iii", (int64_t)campaign, (int64_t)trial, (int64_t)metric);
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    *found = true;
    /* SQLite keeps NaN as NULL, PostgreSQL as what it is. */
    *value = db_is_null(q, 0) ? NAN : db_real(q, 0);
    db_end(q);
    return 0;
}

#define ATTEMPT_COLUMNS                                                        \
    "campaign, job, trial, attempt, phase, job_kind, state, resume, token,"    \
    " backend, handle, boot_id, run_dir, claimed_ms, submitted_ms,"            \
    " started_ms, ended_ms, cost_u, duration_ms, max_rss, reason, exit_code,"  \
    " signal, detail"

static void
attempt_read(struct db_rows *q, struct store_attempt *a)
{
    int i = 0;
    memset(a, 0, sizeof *a);
    a->campaign = (uint32_t)db_int(q, i++);
    a->job = (uint32_t)db_int(q, i++);
    a->trial = (uint32_t)db_int(q, i++);
    a->attempt = (uint32_t)db_int(q, i++);
    a->phase = (uint32_t)db_int(q, i++);
    a->job_kind = (uint32_t)db_int(q, i++);
    a->state = (uint8_t)db_int(q, i++);
    a->resume = db_int(q, i++) != 0;
    db_text(q, i++, a->token, sizeof a->token);
    db_text(q, i++, a->backend, sizeof a->backend);
    db_text(q, i++, a->handle, sizeof a->handle);
    db_text(q, i++, a->boot_id, sizeof a->boot_id);
    db_text(q, i++, a->run_dir, sizeof a->run_dir);
    a->claimed_ms = db_int(q, i++);
    a->submitted_ms = db_int(q, i++);
    a->started_ms = db_int(q, i++);
    a->ended_ms = db_int(q, i++);
    a->cost_u = db_int(q, i++);
    a->duration_ms = db_int(q, i++);
    a->max_rss = db_int(q, i++);
    a->reason = (uint32_t)db_int(q, i++);
    a->exit_code = (int32_t)db_int(q, i++);
    a->signal = (int32_t)db_int(q, i++);
    db_text(q, i, a->detail, sizeof a->detail);
}

int
store_attempt_put(
    struct store *st, const struct store_attempt *a, struct err *err)
{
    return db_run(st, err,
        "INSERT INTO attempt(" ATTEMPT_COLUMNS ")"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
        " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)"
        " ON CONFLICT(campaign, job) DO UPDATE SET"
        " trial = ?3, attempt = ?4, phase = ?5, job_kind = ?6, state = ?7,"
        " resume = ?8, token = ?9, backend = ?10, handle = ?11, boot_id ="
        " ?12, run_dir = ?13, claimed_ms = ?14, submitted_ms = ?15,"
        " started_ms = ?16, ended_ms = ?17, cost_u = ?18, duration_ms = ?19,"
        " max_rss = ?20, reason = ?21, exit_code = ?22, signal = ?23, detail"
        " = ?24",
        "iiiiiiiitttttiiiiiiiiiit", (int64_t)a->campaign, (int64_t)a->job,
        (int64_t)a->trial, (int64_t)a->attempt, (int64_t)a->phase,
        (int64_t)a->job_kind, (int64_t)a->state, (int64_t)a->resume, a->token,
        a->backend, a->handle, a->boot_id, a->run_dir, a->claimed_ms,
        a->submitted_ms, a->started_ms, a->ended_ms, a->cost_u, a->duration_ms,
        a->max_rss, (int64_t)a->reason, (int64_t)a->exit_code,
        (int64_t)a->signal, a->detail);
}

int
store_attempt_get(struct store *st, uint32_t campaign, uint32_t job,
    bool *found, struct store_attempt *out, struct err *err)
{
    struct db_rows *q = NULL;
    *found = false;
    int rc = db_query(st, &q, err,
        "SELECT " ATTEMPT_COLUMNS " FROM attempt"
        " WHERE campaign = ?1 AND job = ?2",
        "ii", (int64_t)campaign, (int64_t)job);
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    *found = true;
    attempt_read(q, out);
    db_end(q);
    return 0;
}

/* Among several hosts each has its own slots for jobs of its own; what goes to
 * a scheduler counts together. */
static int
slots_taken(struct store *st, const struct store_attempt *a, int64_t *out,
    struct err *err)
{
    bool own = store_has_hosts(st) && strcmp(a->backend, "local") == 0;
    struct db_rows *q = NULL;
    int rc =
        own ? db_query(st, &q, err,
                  "SELECT count(*) FROM attempt WHERE state IN (1, 2)"
                  " AND backend = 'local' AND boot_id = ?1",
                  "t", a->boot_id)
            : db_query(st, &q, err,
                  "SELECT count(*) FROM attempt WHERE state IN (1, 2)", "");
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    *out = db_int(q, 0);
    db_end(q);
    return 0;
}

int
store_attempt_claim(struct store *st, const struct store_attempt *a,
    uint32_t slots, bool *got, struct err *err)
{
    assert(st->in_txn);
    struct store_attempt old;
    int64_t taken = 0;
    bool found;
    *got = false;
    int rc = store_attempt_get(st, a->campaign, a->job, &found, &old, err);
    if (rc != 0)
        return rc;
    if (found) {
        *got = old.state == ATTEMPT_CLAIMED || old.state == ATTEMPT_SUBMITTED;
        return 0;
    }
    rc = slots_taken(st, a, &taken, err);
    if (rc != 0 || taken >= (int64_t)slots)
        return rc;
    *got = true;
    return store_attempt_put(st, a, err);
}

int
store_attempts(struct store *st, uint32_t campaign, bool open_only,
    int (*f)(void *ctx, const struct store_attempt *a), void *ctx,
    struct err *err)
{
    struct db_rows *q = NULL;
    struct store_attempt a;
    int rc = open_only
                 ? db_query(st, &q, err,
                       "SELECT " ATTEMPT_COLUMNS
                       " FROM attempt INDEXED BY attempt_open"
                       " WHERE state IN (1, 2) AND (?1 = 0 OR campaign = ?1)"
                       " ORDER BY campaign, job",
                       "i", (int64_t)campaign)
                 : db_query(st, &q, err,
                       "SELECT " ATTEMPT_COLUMNS " FROM attempt"
                       " WHERE ?1 = 0 OR campaign = ?1 ORDER BY campaign, job",
                       "i", (int64_t)campaign);
    if (rc != 0)
        return rc;
    while ((rc = db_row(st, q, err)) == 1) {
        attempt_read(q, &a);
        rc = f(ctx, &a);
        if (rc != 0) {
            db_end(q);
            return rc;
        }
    }
    return rc;
}

int
store_inbox_add(struct store *st, uint32_t campaign, const char *token,
    const char *kind, const char *payload, bool *fresh, struct err *err)
{
    int rc = db_run(st, err,
        "INSERT INTO inbox VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        "ittt", (int64_t)campaign, token, kind, payload);
    *fresh = rc == 0 && db_changes(st) == 1;
    return rc;
}

bool
store_inbox_has(struct store *st, uint32_t campaign, const char *token)
{
    struct db_rows *q = NULL;
    if (db_query(st, &q, NULL,
            "SELECT 1 FROM inbox WHERE campaign = ?1 AND token = ?2", "it",
            (int64_t)campaign, token) != 0)
        return false;
    bool has = db_row(st, q, NULL) == 1;
    if (has)
        db_end(q);
    return has;
}

int
store_outbox_add(struct store *st, uint32_t campaign, uint64_t seq,
    const char *kind, const char *payload, int64_t at_ms, struct err *err)
{
    return db_run(st, err,
        "INSERT INTO outbox VALUES(?1, ?2, ?3, ?4, ?5, 0)"
        " ON CONFLICT DO NOTHING",
        "iitti", (int64_t)campaign, (int64_t)seq, kind, payload, at_ms);
}

int
store_outbox(struct store *st,
    int (*f)(void *ctx, uint32_t campaign, uint64_t seq, const char *kind,
        const char *payload, int64_t at_ms),
    void *ctx, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(st, &q, err,
        "SELECT campaign, seq, kind, payload, at_ms FROM outbox"
        " WHERE done = 0 ORDER BY campaign, seq",
        "");
    if (rc != 0)
        return rc;
    while ((rc = db_row(st, q, err)) == 1) {
        rc = f(ctx, (uint32_t)db_int(q, 0), (uint64_t)db_int(q, 1),
            db_str(q, 2), db_str(q, 3), db_int(q, 4));
        if (rc != 0) {
            db_end(q);
            return rc;
        }
    }
    return rc;
}

int
store_wake_add(struct store *st, uint32_t campaign, const struct store_wake *w,
    struct err *err)
{
    int rc = db_run(st, err,
        "UPDATE campaign SET wakes = wakes + CASE WHEN ?2 > 0 THEN 1 ELSE 0 "
        "END, agent_us = agent_us + "
        "?2,"
        " wait_us = wait_us + ?3 WHERE id = ?1",
        "iii", (int64_t)campaign, w->wall_us, w->wait_us);
    if (rc != 0 || w->events == 0)
        return rc;
    return db_run(st, err,
        "INSERT INTO wake(campaign, start_ms, wall_us, wait_us, cause, events)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        "iiiiti", (int64_t)campaign, w->start_ms, w->wall_us, w->wait_us,
        w->cause, (int64_t)w->events);
}

int
store_wakes(struct store *st, uint32_t campaign,
    int (*f)(void *ctx, const struct store_wake *w), void *ctx, struct err *err)
{
    struct db_rows *q = NULL;
    struct store_wake w;
    int rc = db_query(st, &q, err,
        "SELECT start_ms, wall_us, wait_us, events, cause FROM wake"
        " WHERE campaign = ?1 ORDER BY id",
        "i", (int64_t)campaign);
    if (rc != 0)
        return rc;
    while ((rc = db_row(st, q, err)) == 1) {
        w.start_ms = db_int(q, 0);
        w.wall_us = db_int(q, 1);
        w.wait_us = db_int(q, 2);
        w.events = (uint32_t)db_int(q, 3);
        db_text(q, 4, w.cause, sizeof w.cause);
        rc = f(ctx, &w);
        if (rc != 0) {
            db_end(q);
            return rc;
        }
    }
    return rc;
}

int
store_kv_put(struct store *st, const char *key, const void *value, size_t n,
    struct err *err)
{
    return db_run(st, err,
        "INSERT INTO kv VALUES(?1, ?2) ON CONFLICT(key)"
        " DO UPDATE SET value = ?2",
        "tb", key, value, n);
}

int
store_kv_get(struct store *st, const char *key, bool *found, struct buf *out,
    struct err *err)
{
    struct db_rows *q = NULL;
    *found = false;
    int rc =
        db_query(st, &q, err, "SELECT value FROM kv WHERE key = ?1", "t", key);
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    *found = true;
    buf_add(out, db_blob(q, 0), db_bytes(q, 0));
    db_end(q);
    return 0;
}
