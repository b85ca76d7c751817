/* The tables of a workspace, version STORE_VERSION, in the words of SQLite;
 * PostgreSQL's driver says them in its own. Called once in the life of a
 * workspace. To change a table: raise STORE_VERSION, migrate
 * in schema_upgrade order, keep a reader of the old records, and put a state
 * of the old version under test/old/. */
#include <inttypes.h>
#include <stdio.h>

#include "store/db.h"

static const char SCHEMA[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE kv(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"
    "CREATE TABLE campaign("
    " id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, model TEXT NOT NULL,"
    " project TEXT NOT NULL, project_hash TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " seq INTEGER NOT NULL DEFAULT 0, head BLOB NOT NULL,"
    " epoch INTEGER NOT NULL DEFAULT 0, pending INTEGER NOT NULL DEFAULT 0,"
    " wakes INTEGER NOT NULL DEFAULT 0, agent_us INTEGER NOT NULL DEFAULT 0,"
    " wait_us INTEGER NOT NULL DEFAULT 0,"
    " state INTEGER NOT NULL DEFAULT 0, phase INTEGER NOT NULL DEFAULT 0,"
    " unit INTEGER NOT NULL DEFAULT 0, ok INTEGER NOT NULL DEFAULT 0,"
    " running INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,"
    " recovered INTEGER NOT NULL DEFAULT 0,"
    " hypotheses INTEGER NOT NULL DEFAULT 0,"
    " looks INTEGER NOT NULL DEFAULT 0,"
    " approved_u INTEGER NOT NULL DEFAULT 0,"
    " reserved_u INTEGER NOT NULL DEFAULT 0,"
    " spent_u INTEGER NOT NULL DEFAULT 0,"
    " has_best INTEGER NOT NULL DEFAULT 0, best INTEGER NOT NULL DEFAULT 0,"
    " best_verdict INTEGER NOT NULL DEFAULT 0,"
    " gain REAL NOT NULL DEFAULT 0, lo REAL NOT NULL DEFAULT 0,"
    " hi REAL NOT NULL DEFAULT 0, progress REAL NOT NULL DEFAULT 0,"
    " attention TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE INDEX campaign_pending ON campaign(id) WHERE pending = 1;"
    "CREATE TABLE event(campaign INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, record BLOB NOT NULL, prev BLOB NOT NULL,"
    " hash BLOB NOT NULL, PRIMARY KEY(campaign, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE snapshot(campaign INTEGER PRIMARY KEY, seq INTEGER NOT NULL,"
    " hash BLOB NOT NULL, state BLOB NOT NULL) STRICT;"
    "CREATE TABLE inbox(campaign INTEGER NOT NULL, token TEXT NOT NULL,"
    " kind TEXT NOT NULL, payload TEXT NOT NULL,"
    " PRIMARY KEY(campaign, token)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE outbox(campaign INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " kind TEXT NOT NULL, payload TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(campaign, seq))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE sealed(campaign INTEGER NOT NULL, trial INTEGER NOT NULL,"
    " metric INTEGER NOT NULL, value REAL,"
    " PRIMARY KEY(campaign, trial, metric)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE attempt(campaign INTEGER NOT NULL, job INTEGER NOT NULL,"
    " trial INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " phase INTEGER NOT NULL, job_kind INTEGER NOT NULL,"
    " state INTEGER NOT NULL, resume INTEGER NOT NULL, token TEXT NOT NULL,"
    " backend TEXT NOT NULL, handle TEXT NOT NULL, boot_id TEXT NOT NULL,"
    " run_dir TEXT NOT NULL, claimed_ms INTEGER NOT NULL,"
    " submitted_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL, cost_u INTEGER NOT NULL,"
    " duration_ms INTEGER NOT NULL, max_rss INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, exit_code INTEGER NOT NULL,"
    " signal INTEGER NOT NULL, detail TEXT NOT NULL,"
    " PRIMARY KEY(campaign, job)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX attempt_open ON attempt(campaign, state)"
    " WHERE state IN (1, 2);"
    "CREATE TABLE wake(id INTEGER PRIMARY KEY, campaign INTEGER NOT NULL,"
    " start_ms INTEGER NOT NULL, wall_us INTEGER NOT NULL,"
    " wait_us INTEGER NOT NULL, cause TEXT NOT NULL,"
    " events INTEGER NOT NULL) STRICT;"
    "CREATE INDEX wake_campaign ON wake(campaign);";

/* What the workspace is known by in tokens, and among others on a server. */
int
schema_fill(struct store *st, struct err *err)
{
    char text[9];
    int rc = st->ops->exec(st, SCHEMA, err);
    if (rc != 0)
        return rc;
    snprintf(text, sizeof text, "%08" PRIx32, st->workspace);
    return db_run(
        st, err, "INSERT INTO meta VALUES('workspace', ?1)", "t", text);
}
