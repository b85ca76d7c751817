/* Machines that failed jobs, for all campaigns of the workspace. Written by the
 * wake in the transaction that settles the job, read when jobs are submitted.
 * The table is made with the first fault: a workspace without one is the same
 * as ever. */
#include <stdio.h>
#include <string.h>

#include "store/db.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DOUBLINGS_MAX = 4 };

static const char NODE_TABLE[] =
    "CREATE TABLE IF NOT EXISTS node(host TEXT PRIMARY KEY,"
    " faults INTEGER NOT NULL, times INTEGER NOT NULL,"
    " campaign INTEGER NOT NULL, trial INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    " why TEXT NOT NULL) STRICT;";

static void
node_read(struct db_rows *q, struct store_node *n, int64_t of[2])
{
    memset(n, 0, sizeof *n);
    db_text(q, 0, n->host, sizeof n->host);
    n->faults = (uint32_t)db_int(q, 1);
    n->times = (uint32_t)db_int(q, 2);
    n->last_ms = db_int(q, 3);
    n->until_ms = db_int(q, 4);
    db_text(q, 5, n->why, sizeof n->why);
    of[0] = db_int(q, 6);
    of[1] = db_int(q, 7);
}

/* A trial that fails wherever it runs says nothing of the machine, so that its
 * second failure there does not count. */
static void
fault_count(
    struct store_node *n, const int64_t of[2], const struct store_fault *f)
{
    bool same = n->faults > 0 && of[0] == f->campaign && of[1] == f->trial;
    if (f->at_ms - n->last_ms > DAY_MS)
        n->faults = 0;
    if (!same || n->faults == 0)
        n->faults++;
    if (!f->sure && n->faults < 2)
        return;
    uint32_t by = n->times < DOUBLINGS_MAX ? n->times : DOUBLINGS_MAX;
    n->until_ms = f->at_ms + (f->out_ms << by);
    n->times++;
    n->faults = 0;
}

int
store_node_fault(struct store *st, const struct store_fault *f, struct err *err)
{
    struct store_node n = {0};
    struct db_rows *q = NULL;
    int64_t of[2] = {0};
    int rc = st->ops->exec(st, NODE_TABLE, err);
    if (rc == 0)
        rc = db_query(st, &q, err,
            "SELECT host, faults, times, last_ms, until_ms, why, campaign,"
            " trial FROM node WHERE host = ?1",
            "t", f->host);
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc < 0)
        return rc;
    if (rc == 1) {
        node_read(q, &n, of);
        db_end(q);
    }
    fault_count(&n, of, f);
    return db_run(st, err,
        "INSERT INTO node(host, faults, times, last_ms, until_ms, why,"
        " campaign, trial) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT(host) DO UPDATE SET faults = ?2, times = ?3,"
        " last_ms = ?4, until_ms = ?5, why = ?6, campaign = ?7, trial = ?8",
        "tiiiitii", f->host, (int64_t)n.faults, (int64_t)n.times, f->at_ms,
        n.until_ms, f->why != NULL ? f->why : "", (int64_t)f->campaign,
        (int64_t)f->trial);
}

int
store_nodes(struct store *st, struct store_node *out, uint32_t cap, uint32_t *n,
    struct err *err)
{
    struct db_rows *q = NULL;
    struct store_node node;
    int64_t of[2];
    *n = 0;
    int rc = st->ops->has_table(st, "node", err);
    if (rc != 1)
        return rc;
    rc = db_query(st, &q, err,
        "SELECT host, faults, times, last_ms, until_ms, why, campaign, trial"
        " FROM node ORDER BY host",
        "");
    while (rc == 0 && (rc = db_row(st, q, err)) == 1) {
        node_read(q, &node, of);
        if (*n < cap)
            out[(*n)++] = node;
        rc = 0;
    }
    return rc;
}

int
store_node_release(
    struct store *st, const char *host, bool *found, struct err *err)
{
    *found = false;
    int rc = st->ops->has_table(st, "node", err);
    if (rc != 1)
        return rc;
    rc = db_run(st, err, "DELETE FROM node WHERE host = ?1", "t", host);
    *found = rc == 0 && db_changes(st) > 0;
    return rc;
}
