/* The ledger of pools: money that several campaigns share. Written by the verb
 * that asks for a pool, by the one that signs it, and with every commit of a
 * campaign that belongs to one. A grant is an event of the campaign; its row
 * here changes in the same transaction, which fails when the pool would hold
 * less than what is given, so that no crash and no race can give money twice.
 * Invariant: the sum of held_u over a pool's members never exceeds total_u.
 * The tables are made with the first pool: a workspace without one is the same
 * as ever. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/db.h"

static const char POOL_TABLES[] =
    "CREATE TABLE IF NOT EXISTS pool(name TEXT PRIMARY KEY,"
    " unit INTEGER NOT NULL, total_u INTEGER NOT NULL, floor_u INTEGER NOT"
    " NULL, hash TEXT NOT NULL, by TEXT NOT NULL, asked_total_u INTEGER NOT"
    " NULL, asked_floor_u INTEGER NOT NULL, asked_hash TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS pool_member(campaign INTEGER PRIMARY KEY,"
    " pool TEXT NOT NULL, weight REAL NOT NULL,"
    " live INTEGER NOT NULL DEFAULT 0, held_u INTEGER NOT NULL DEFAULT 0,"
    " floor_u INTEGER NOT NULL DEFAULT 0, signed_u INTEGER NOT NULL DEFAULT 0,"
    " wants INTEGER NOT NULL DEFAULT 0, least_u INTEGER NOT NULL DEFAULT 0,"
    " tranche_u INTEGER NOT NULL DEFAULT 0, trial_u INTEGER NOT NULL DEFAULT"
    " 0, slope BLOB NOT NULL DEFAULT x'', why TEXT NOT NULL DEFAULT '')"
    " STRICT;";

static int
has_tables(struct store *st, struct err *err)
{
    return st->ops->has_table(st, "pool_member", err);
}

#define POOL_COLUMNS                                                           \
    "name, unit, total_u, floor_u, hash, by, asked_total_u, asked_floor_u,"    \
    " asked_hash"

static void
pool_read(struct db_rows *q, struct store_pool *p)
{
    memset(p, 0, sizeof *p);
    db_text(q, 0, p->name, sizeof p->name);
    p->unit = (uint8_t)db_int(q, 1);
    p->total_u = db_int(q, 2);
    p->floor_u = db_int(q, 3);
    db_text(q, 4, p->hash, sizeof p->hash);
    db_text(q, 5, p->by, sizeof p->by);
    p->asked_total_u = db_int(q, 6);
    p->asked_floor_u = db_int(q, 7);
    db_text(q, 8, p->asked_hash, sizeof p->asked_hash);
}

int
store_pool_put(struct store *st, const struct store_pool *p, struct err *err)
{
    int rc = st->ops->exec(st, POOL_TABLES, err);
    if (rc != 0)
        return rc;
    return db_run(st, err,
        "INSERT INTO pool VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT(name) DO UPDATE SET unit = ?2, total_u = ?3,"
        " floor_u = ?4, hash = ?5, by = ?6, asked_total_u = ?7,"
        " asked_floor_u = ?8, asked_hash = ?9",
        "tiiittiit", p->name, (int64_t)p->unit, p->total_u, p->floor_u, p->hash,
        p->by, p->asked_total_u, p->asked_floor_u, p->asked_hash);
}

int
store_pools(
    struct store *st, struct store_pool **out, size_t *n, struct err *err)
{
    struct db_rows *q = NULL;
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    int rc = has_tables(st, err);
    if (rc != 1)
        return rc;
    rc = db_query(
        st, &q, err, "SELECT " POOL_COLUMNS " FROM pool ORDER BY name", "");
    while (rc == 0 && (rc = db_row(st, q, err)) == 1) {
        if (*n == cap) {
            cap = cap == 0 ? 4 : 2 * cap;
            *out = mem_realloc(*out, cap * sizeof **out);
        }
        pool_read(q, &(*out)[(*n)++]);
        rc = 0;
    }
    if (rc < 0) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return rc < 0 ? rc : 0;
}

int
store_pool_get(struct store *st, const char *name, bool *found,
    struct store_pool *out, struct err *err)
{
    struct db_rows *q = NULL;
    *found = false;
    int rc = has_tables(st, err);
    if (rc != 1)
        return rc;
    rc = db_query(st, &q, err,
        "SELECT " POOL_COLUMNS " FROM pool WHERE name = ?1", "t", name);
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    *found = true;
    pool_read(q, out);
    db_end(q);
    return 0;
}

int
store_pool_of(struct store *st, uint32_t campaign, bool *found,
    struct store_pool *out, struct err *err)
{
    struct db_rows *q = NULL;
    char name[NAME_LEN];
    *found = false;
    int rc = has_tables(st, err);
    if (rc != 1)
        return rc;
    rc = db_query(st, &q, err,
        "SELECT pool FROM pool_member WHERE campaign = ?1", "i",
        (int64_t)campaign);
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    db_text(q, 0, name, sizeof name);
    db_end(q);
    return store_pool_get(st, name, found, out, err);
}

int
store_pool_join(struct store *st, uint32_t campaign, const char *pool,
    double weight, int64_t floor_u, int64_t signed_u, struct err *err)
{
    return db_run(st, err,
        "INSERT INTO pool_member(campaign, pool, weight, floor_u, signed_u)"
        " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(campaign) DO UPDATE SET"
        " pool = ?2, weight = ?3, floor_u = ?4, signed_u = ?5",
        "itfii", (int64_t)campaign, pool, weight, floor_u, signed_u);
}

int
store_pool_leave(struct store *st, uint32_t campaign, struct err *err)
{
    int rc = has_tables(st, err);
    if (rc != 1)
        return rc;
    return db_run(st, err,
        "DELETE FROM pool_member WHERE campaign = ?1 AND held_u = 0", "i",
        (int64_t)campaign);
}

static void
member_read(struct db_rows *q, struct store_member *out)
{
    struct pool_member *m = &out->m;
    memset(out, 0, sizeof *out);
    m->campaign = (uint32_t)db_int(q, 0);
    m->weight = db_real(q, 1);
    m->live = db_int(q, 2) != 0;
    m->held_u = db_int(q, 3);
    m->floor_u = db_int(q, 4);
    m->signed_u = db_int(q, 5);
    m->worth.wants = db_int(q, 6) != 0;
    m->worth.least_u = db_int(q, 7);
    m->worth.tranche_u = db_int(q, 8);
    m->worth.trial_u = db_int(q, 9);
    const void *slope = db_blob(q, 10);
    if (db_bytes(q, 10) == sizeof m->worth.slope)
        memcpy(m->worth.slope, slope, sizeof m->worth.slope);
    db_text(q, 11, out->why, sizeof out->why);
    db_text(q, 12, out->model, sizeof out->model);
    out->state = (uint8_t)db_int(q, 13);
    out->spent_u = db_int(q, 14);
}

int
store_pool_members(struct store *st, const char *pool, struct store_member *out,
    uint32_t cap, uint32_t *n, struct err *err)
{
    struct db_rows *q = NULL;
    *n = 0;
    int rc = has_tables(st, err);
    if (rc != 1)
        return rc;
    rc = db_query(st, &q, err,
        "SELECT m.campaign, weight, live, held_u, floor_u, signed_u, wants,"
        " least_u, tranche_u, trial_u, slope, why, c.model, c.state, c.spent_u"
        " FROM pool_member m JOIN campaign c ON c.id = m.campaign"
        " WHERE pool = ?1 ORDER BY m.campaign",
        "t", pool);
    while (rc == 0 && (rc = db_row(st, q, err)) == 1) {
        struct store_member row;
        member_read(q, &row);
        if (*n < cap)
            out[(*n)++] = row;
        rc = 0;
    }
    return rc < 0 ? rc : 0;
}

static int
total_check(struct store *st, uint32_t campaign, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(st, &q, err,
        "SELECT p.name, p.total_u, CAST(sum(m.held_u) AS bigint) FROM pool p"
        " JOIN pool_member m ON m.pool = p.name WHERE p.name ="
        " (SELECT pool FROM pool_member WHERE campaign = ?1)"
        " GROUP BY p.name, p.total_u",
        "i", (int64_t)campaign);
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    char name[NAME_LEN];
    db_text(q, 0, name, sizeof name);
    int64_t total = db_int(q, 1);
    int64_t held = db_int(q, 2);
    db_end(q);
    if (held <= total)
        return 0;
    return err_set(err, -ERR_LIMIT,
        "pool %s holds %.6g, and %.6g would be given away", name,
        (double)total / MICRO, (double)held / MICRO);
}

int
store_pool_sync(struct store *st, uint32_t campaign, const struct core *c,
    const struct pool_worth *worth, struct err *err)
{
    bool ended = c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED;
    /* a campaign that has ended gives back what it did not use, once its last
     * job is settled */
    bool returned = ended && c->n_jobs == 0;
    int64_t held = returned ? c->spent_u : c->approved_u;
    bool live = c->state == CAMPAIGN_RUNNING && !c->granted_all;
    int rc = db_run(st, err,
        "UPDATE pool_member SET held_u = ?2, live = ?3, signed_u = ?4,"
        " floor_u = CASE WHEN ?5 <> 0 THEN 0 ELSE floor_u END WHERE campaign = "
        "?1",
        "iiiii", (int64_t)campaign, held, (int64_t)live, c->signed_u,
        (int64_t)ended);
    if (rc == 0 && db_changes(st) == 0)
        return err_set(err, -ERR_CORRUPT,
            "C%" PRIu32 " has money of a pool, and no pool knows it", campaign);
    if (rc == 0 && worth != NULL)
        rc = db_run(st, err,
            "UPDATE pool_member SET wants = ?2, least_u = ?3, tranche_u = ?4,"
            " trial_u = ?5, slope = ?6 WHERE campaign = ?1",
            "iiiiib", (int64_t)campaign, (int64_t)worth->wants, worth->least_u,
            worth->tranche_u, worth->trial_u, worth->slope,
            sizeof worth->slope);
    return rc != 0 ? rc : total_check(st, campaign, err);
}

int
store_pool_why(
    struct store *st, uint32_t campaign, const char *why, struct err *err)
{
    return db_run(st, err,
        "UPDATE pool_member SET why = ?2 WHERE campaign = ?1", "it",
        (int64_t)campaign, why);
}

uint32_t
store_pool_waiting(struct store *st, uint32_t campaign, bool itself,
    uint32_t *ids, uint32_t cap)
{
    struct store_pool pool;
    struct store_member m[POOL_MEMBERS_MAX];
    bool found = false, used[POOL_MEMBERS_MAX] = {false};
    uint32_t n = 0, out = 0;
    if (store_pool_of(st, campaign, &found, &pool, NULL) != 0 || !found ||
        store_pool_members(st, pool.name, m, POOL_MEMBERS_MAX, &n, NULL) != 0)
        return 0;
    while (out < cap) { /* those whose next trial is worth most first */
        int best = -1;
        for (uint32_t i = 0; i < n; i++)
            if (!used[i] && m[i].m.live && m[i].m.worth.wants &&
                (itself || m[i].m.campaign != campaign) &&
                (best < 0 || m[i].m.weight * m[i].m.worth.slope[0] >
                                 m[best].m.weight * m[best].m.worth.slope[0]))
                best = (int)i;
        if (best < 0)
            break;
        used[best] = true;
        ids[out++] = m[best].m.campaign;
    }
    return out;
}

double
store_pool_value(struct store *st, uint32_t campaign, char pool[NAME_LEN])
{
    struct db_rows *q = NULL;
    double slope[POOL_STEPS] = {0}, weight = 0;
    pool[0] = '\0';
    if (has_tables(st, NULL) != 1 ||
        db_query(st, &q, NULL,
            "SELECT pool, weight, slope FROM pool_member WHERE campaign = ?1",
            "i", (int64_t)campaign) != 0 ||
        db_row(st, q, NULL) != 1)
        return 0;
    db_text(q, 0, pool, NAME_LEN);
    weight = db_real(q, 1);
    if (db_bytes(q, 2) == sizeof slope)
        memcpy(slope, db_blob(q, 2), sizeof slope);
    db_end(q);
    return weight * slope[0];
}
