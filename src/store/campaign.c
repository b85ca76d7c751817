/* The campaigns' rows: identity, the head of the log, the fence, and what
 * status shows without loading an engine. Written by wake, read by all. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/db.h"

static int
canon_put(struct store *st, uint32_t id, const char *canon, struct err *err)
{
    char key[32];
    if (canon == NULL)
        return 0;
    snprintf(key, sizeof key, "canon/C%" PRIu32, id);
    return store_kv_put(st, key, canon, strlen(canon), err);
}

/* 0 when there is none. */
static int
last_campaign(struct store *st, int64_t *id, struct err *err)
{
    struct db_rows *q = NULL;
    *id = 0;
    int rc =
        db_query(st, &q, err, "SELECT coalesce(max(id), 0) FROM campaign", "");
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    *id = db_int(q, 0);
    db_end(q);
    return 0;
}

int
store_campaign_create(struct store *st, const char *model, const char *project,
    const char *project_hash, const char *project_canon, int64_t now_ms,
    uint32_t *id, struct err *err)
{
    unsigned char raw[16];
    char uuid[33];
    const unsigned char head[DB_HASH] = {0};
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(uuid, sizeof uuid, raw, sizeof raw);
    int64_t row = 0;
    int rc = last_campaign(st, &row, err);
    if (rc == 0)
        rc = db_run(st, err,
            "INSERT INTO campaign(id, uuid, model, project, project_hash,"
            " created_ms, head) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            "ittttib", ++row, uuid, model, project, project_hash, now_ms, head,
            sizeof head);
    if (rc != 0)
        return rc;
    if (row > STORE_CAMPAIGNS_MAX)
        return err_set(err, -ERR_LIMIT,
            "a workspace holds at most %d campaigns: begin another workspace",
            STORE_CAMPAIGNS_MAX);
    *id = (uint32_t)row;
    return canon_put(st, *id, project_canon, err);
}

int
store_campaign_project(struct store *st, uint32_t id, const char *project_hash,
    const char *project_canon, struct err *err)
{
    int rc =
        db_run(st, err, "UPDATE campaign SET project_hash = ?2 WHERE id = ?1",
            "it", (int64_t)id, project_hash);
    return rc != 0 ? rc : canon_put(st, id, project_canon, err);
}

int
store_campaign_canon(
    struct store *st, uint32_t id, struct buf *out, struct err *err)
{
    char key[32];
    bool found;
    snprintf(key, sizeof key, "canon/C%" PRIu32, id);
    buf_clear(out);
    return store_kv_get(st, key, &found, out, err);
}

#define CAMPAIGN_COLUMNS                                                       \
    "id, uuid, model, project, project_hash, seq, epoch, pending,"             \
    " (SELECT count(*) FROM attempt a WHERE a.campaign = campaign.id"          \
    "  AND a.state IN (1, 2)),"                                                \
    " created_ms, wakes, agent_us, wait_us, state, phase, unit, ok, running,"  \
    " failed, recovered, hypotheses, looks, approved_u, reserved_u, spent_u,"  \
    " has_best, best, best_verdict, gain, lo, hi, progress, attention"

static void
brief_read(struct db_rows *q, int i, struct store_brief *b)
{
    b->state = (uint8_t)db_int(q, i++);
    b->phase = (uint8_t)db_int(q, i++);
    b->unit = (uint8_t)db_int(q, i++);
    b->ok = (uint32_t)db_int(q, i++);
    b->running = (uint32_t)db_int(q, i++);
    b->failed = (uint32_t)db_int(q, i++);
    b->recovered = (uint32_t)db_int(q, i++);
    b->hypotheses = (uint32_t)db_int(q, i++);
    b->looks = (uint32_t)db_int(q, i++);
    b->approved_u = db_int(q, i++);
    b->reserved_u = db_int(q, i++);
    b->spent_u = db_int(q, i++);
    b->has_best = db_int(q, i++) != 0;
    b->best = (uint32_t)db_int(q, i++);
    b->best_verdict = (uint8_t)db_int(q, i++);
    b->gain = db_real(q, i++);
    b->lo = db_real(q, i++);
    b->hi = db_real(q, i++);
    b->progress = db_real(q, i++);
    db_text(q, i, b->attention, sizeof b->attention);
}

static void
campaign_read(struct db_rows *q, struct store_campaign *c)
{
    memset(c, 0, sizeof *c);
    c->id = (uint32_t)db_int(q, 0);
    db_text(q, 1, c->uuid, sizeof c->uuid);
    db_text(q, 2, c->model, sizeof c->model);
    db_text(q, 3, c->project, sizeof c->project);
    db_text(q, 4, c->project_hash, sizeof c->project_hash);
    c->seq = (uint64_t)db_int(q, 5);
    c->epoch = (uint64_t)db_int(q, 6);
    c->pending = db_int(q, 7) != 0;
    c->running = (uint32_t)db_int(q, 8);
    c->created_ms = db_int(q, 9);
    c->wakes = (uint64_t)db_int(q, 10);
    c->agent_us = db_int(q, 11);
    c->wait_us = db_int(q, 12);
    brief_read(q, 13, &c->brief);
}

static int
campaign_missing(struct store *st, uint32_t id, struct err *err)
{
    int64_t last = 0;
    if (last_campaign(st, &last, NULL) != 0 || last == 0)
        return err_set(err, -ERR_NOT_FOUND,
            "no campaign C%" PRIu32 ": this workspace has none yet; `rea plan` "
            "drafts the first",
            id);
    return err_set(err, -ERR_NOT_FOUND,
        "no campaign C%" PRIu32 "; there are C1 to C%" PRId64
        ": `rea status` lists them",
        id, last);
}

int
store_campaign_get(
    struct store *st, uint32_t id, struct store_campaign *out, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(st, &q, err,
        "SELECT " CAMPAIGN_COLUMNS " FROM campaign WHERE id = ?1", "i",
        (int64_t)id);
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return campaign_missing(st, id, err);
    campaign_read(q, out);
    db_end(q);
    return 0;
}

int
store_campaigns(
    struct store *st, struct store_campaign **out, size_t *n, struct err *err)
{
    struct db_rows *q = NULL;
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    int rc = db_query(st, &q, err,
        "SELECT " CAMPAIGN_COLUMNS " FROM campaign ORDER BY id", "");
    if (rc != 0)
        return rc;
    while ((rc = db_row(st, q, err)) == 1) {
        if (*n == cap) {
            cap = cap == 0 ? 16 : 2 * cap;
            *out = mem_realloc(*out, cap * sizeof **out);
        }
        campaign_read(q, &(*out)[(*n)++]);
    }
    if (rc != 0) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return rc;
}

int
store_campaign_pending(
    struct store *st, uint32_t id, bool pending, struct err *err)
{
    return db_run(st, err,
        "UPDATE campaign SET pending = ?2 WHERE id = ?1 AND pending <> ?2",
        "ii", (int64_t)id, (int64_t)pending);
}

uint32_t
store_pending(struct store *st, uint32_t *ids, uint32_t cap)
{
    struct db_rows *q = NULL;
    uint32_t n = 0;
    if (db_query(st, &q, NULL,
            "SELECT id FROM campaign WHERE pending = 1 ORDER BY"
            " (SELECT count(*) FROM attempt a WHERE a.campaign = campaign.id"
            "  AND a.state IN (1, 2)), id",
            "") != 0)
        return 0;
    while (db_row(st, q, NULL) == 1) {
        if (n < cap)
            ids[n++] = (uint32_t)db_int(q, 0);
    }
    return n;
}

int
store_campaign_brief(
    struct store *st, uint32_t id, const struct store_brief *b, struct err *err)
{
    return db_run(st, err,
        "UPDATE campaign SET state = ?2, phase = ?3, unit = ?4, ok = ?5,"
        " running = ?6, failed = ?7, recovered = ?8, hypotheses = ?9,"
        " looks = ?10, approved_u = ?11, reserved_u = ?12, spent_u = ?13,"
        " has_best = ?14, best = ?15, best_verdict = ?16, gain = ?17,"
        " lo = ?18, hi = ?19, progress = ?20, attention = ?21 WHERE id = ?1",
        "iiiiiiiiiiiiiiiifffft", (int64_t)id, (int64_t)b->state,
        (int64_t)b->phase, (int64_t)b->unit, (int64_t)b->ok,
        (int64_t)b->running, (int64_t)b->failed, (int64_t)b->recovered,
        (int64_t)b->hypotheses, (int64_t)b->looks, b->approved_u, b->reserved_u,
        b->spent_u, (int64_t)b->has_best, (int64_t)b->best,
        (int64_t)b->best_verdict, b->gain, b->lo, b->hi, b->progress,
        b->attention);
}

int
store_fence(struct store *st, uint32_t id, uint64_t epoch, struct err *err)
{
    int rc = db_run(st, err,
        "UPDATE campaign SET epoch = ?2 + 1 WHERE id = ?1 AND epoch = ?2", "ii",
        (int64_t)id, (int64_t)epoch);
    if (rc == 0 && db_changes(st) == 0)
        return err_set(err, -ERR_BUSY,
            "C%" PRIu32 " was taken over by a later wake; this one ends", id);
    return rc;
}
