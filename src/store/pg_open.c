/* Connecting to the server of a workspace. A connection lives as long as its
 * process and is never made anew: what it locked is let go with it, so a lost
 * one ends the wake, and the next wake or sweep reads what is true. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fs.h"
#include "store/pg.h"

static void
be_quiet(void *ctx, const char *message)
{
    (void)ctx;
    (void)message;
}

/* A host that vanishes must not hold a lock for the two hours of TCP. Words
 * before dbname give way to those of the URL, words after it do not. */
static int
connect_to(struct store *st, struct err *err)
{
    struct pg *pg = st->driver;
    const char *const key[] = {"application_name", "connect_timeout",
        "keepalives_idle", "keepalives_interval", "keepalives_count",
        "tcp_user_timeout", "dbname", "client_encoding", NULL};
    const char *const value[] = {
        "rea", "10", "20", "10", "3", "60000", pg->url, "UTF8", NULL};
    pg->conn = pg->lib->PQconnectdbParams(key, value, 1);
    if (pg->lib->PQstatus(pg->conn) != CONNECTION_OK)
        return pg_error(st, NULL, "connect", err);
    pg->lib->PQsetNoticeProcessor(pg->conn, be_quiet, NULL);
    return 0;
}

/* A commit is durable when it returns, whatever the server's default is; a
 * process that is stopped within a transaction gives the workspace free. */
static int
session_set(struct store *st, struct err *err)
{
    char sql[512];
    snprintf(sql, sizeof sql,
        "SET search_path = rea_%08" PRIx32 ";"
        "SET synchronous_commit = on; SET lock_timeout = '30s';"
        "SET idle_in_transaction_session_timeout = '60s';"
        "SET default_transaction_isolation = 'read committed';"
        "SET default_transaction_read_only = %s",
        st->workspace, st->mode == STORE_READ ? "on" : "off");
    return pg_run(st, sql, "set the session", err);
}

int
pg_fsync_check(struct store *st, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(st, &q, err,
        "SELECT current_setting('fsync'), current_setting('full_page_writes')",
        "");
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    bool safe =
        strcmp(db_str(q, 0), "on") == 0 && strcmp(db_str(q, 1), "on") == 0;
    db_end(q);
    if (safe)
        return 0;
    return err_set(err, -ERR_REFUSED,
        "the PostgreSQL server runs with fsync or full_page_writes off: a loss "
        "of power could take what was acknowledged; turn both on");
}

static int
tables_fill(struct store *st, struct err *err)
{
    char sql[96], version[16];
    snprintf(sql, sizeof sql, "CREATE SCHEMA IF NOT EXISTS rea_%08" PRIx32,
        st->workspace);
    int rc = pg_run(st, sql, "make the workspace's schema", err);
    if (rc == 0)
        rc = schema_fill(st, err);
    snprintf(version, sizeof version, "%d", STORE_VERSION);
    if (rc == 0)
        rc = db_run(
            st, err, "INSERT INTO meta VALUES('version', ?1)", "t", version);
    return rc;
}

/* Two hosts may make the same workspace at once: the first does. */
static int
tables_create(struct store *st, struct err *err)
{
    int rc = pg_fsync_check(st, err);
    if (rc == 0)
        rc = st->ops->begin(st, false, err);
    if (rc != 0)
        return rc;
    rc = st->ops->has_table(st, "meta", err);
    if (rc == 0)
        rc = tables_fill(st, err);
    if (rc >= 0)
        rc = st->ops->commit(st, err);
    if (rc != 0)
        st->ops->rollback(st);
    return rc;
}

static int
version_check(struct store *st, struct err *err)
{
    const struct pg *pg = st->driver;
    struct db_rows *q = NULL;
    int rc = st->ops->has_table(st, "meta", err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        if (st->mode == STORE_CREATE)
            return tables_create(st, err);
        return err_set(err, -ERR_NOT_FOUND,
            "%s has no tables of this workspace yet (schema rea_%08" PRIx32
            "); `rea plan` makes them",
            pg->url, st->workspace);
    }
    rc = db_query(
        st, &q, err, "SELECT value FROM meta WHERE key = 'version'", "");
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc < 0)
        return rc;
    int version = rc == 1 ? (int)strtol(db_str(q, 0), NULL, 10) : 0;
    if (rc == 1)
        db_end(q);
    if (version == STORE_VERSION)
        return 0;
    return err_set(err, version > STORE_VERSION ? -ERR_VERSION : -ERR_CORRUPT,
        "%s has format %d, this rea knows up to %d: %s (nothing was changed)",
        pg->url, version, STORE_VERSION,
        version > STORE_VERSION ? "a newer rea wrote it; use that one"
                                : "no rea wrote that");
}

int
pg_connect(struct store *st, const char *url, struct err *err)
{
    struct pg *pg = mem_calloc(1, sizeof *pg);
    st->driver = pg;
    snprintf(pg->url, sizeof pg->url, "%s", url);
    int rc = pg_lib_load(&pg->lib, err);
    if (rc == 0)
        rc = connect_to(st, err);
    return rc != 0 ? rc : session_set(st, err);
}

int
pg_open(struct store *st, struct err *err)
{
    char url[PG_URL_LEN];
    int rc = pg_place_read(st, url, &st->workspace, err);
    if (rc == 0)
        rc = pg_connect(st, url, err);
    return rc != 0 ? rc : version_check(st, err);
}

void
pg_close(struct store *st)
{
    struct pg *pg = st->driver;
    if (pg == NULL)
        return;
    for (uint32_t i = 0; i < pg->n_rows; i++)
        if (pg->rows[i].res != NULL)
            pg->lib->PQclear(pg->rows[i].res);
    if (pg->conn != NULL)
        pg->lib->PQfinish(pg->conn);
    free(pg);
}
