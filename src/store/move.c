/* Moves a workspace of one machine to a server, once, with campaigns asleep or
 * at work. Called by `rea store move`. Whatever dies on the way, one database
 * is the true one, and the same command goes on:
 *  1. Under the workspace's lock and every lease, all rows are copied in one
 *     transaction of the server; then each log's chain is checked there.
 *  2. SQLite's own transaction marks rea.db as moved and renames a table that
 *     every statement needs, so that a process which had it open fails.
 *  3. .rea/store names the server.
 * A crash before 2 leaves SQLite true, and the copy is made anew; one before 3
 * leaves a rea.db that says where the state went. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/lite.h"
#include "store/pg.h"

enum { BATCH_BYTES = 1 << 20 };

struct move {
    struct store *from, *to;
    struct lease *lease;
    size_t n_leases;
    struct store_moved *out;
};

/* ---- rows ---- */

static void
blob_put(struct buf *b, const unsigned char *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    buf_puts(b, "'\\x");
    for (size_t i = 0; i < n; i++) {
        buf_putc(b, hex[p[i] >> 4]);
        buf_putc(b, hex[p[i] & 15]);
    }
    buf_puts(b, "'");
}

static void
text_put(struct buf *b, const char *s)
{
    buf_putc(b, '\'');
    for (; *s != '\0'; s++) {
        if (*s == '\'')
            buf_putc(b, '\'');
        buf_putc(b, *s);
    }
    buf_putc(b, '\'');
}

static void
row_put(struct buf *b, sqlite3_stmt *q)
{
    buf_putc(b, '(');
    for (int i = 0; i < sqlite3_column_count(q); i++) {
        if (i > 0)
            buf_putc(b, ',');
        switch (sqlite3_column_type(q, i)) {
        case SQLITE_INTEGER:
            buf_printf(b, "%lld", sqlite3_column_int64(q, i));
            break;
        case SQLITE_FLOAT:
            buf_printf(b, "'%.17g'", sqlite3_column_double(q, i));
            break;
        case SQLITE_TEXT:
            text_put(b, (const char *)sqlite3_column_text(q, i));
            break;
        case SQLITE_BLOB: {
            const void *p = sqlite3_column_blob(q, i);
            blob_put(b, p, (size_t)sqlite3_column_bytes(q, i));
            break;
        }
        default:
            buf_puts(b, "NULL");
        }
    }
    buf_putc(b, ')');
}

static int
rows_send(struct move *m, const char *table, struct buf *rows, struct err *err)
{
    struct buf sql = {0};
    if (rows->len == 0)
        return 0;
    buf_printf(&sql, "INSERT INTO %s VALUES %s", table, buf_str(rows));
    int rc = pg_run(m->to, buf_str(&sql), "copy rows", err);
    buf_fini(&sql);
    buf_clear(rows);
    return rc;
}

static int
rows_copy(struct move *m, const char *table, struct err *err)
{
    struct lite *l = m->from->driver;
    struct buf rows = {0};
    sqlite3_stmt *q = NULL;
    char sql[160];
    int sr, rc = 0;
    snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
    sr = sqlite3_prepare_v2(l->db, sql, -1, &q, NULL);
    if (sr == SQLITE_OK)
        sr = sqlite3_step(q);
    for (; rc == 0 && sr == SQLITE_ROW; sr = sqlite3_step(q)) {
        if (rows.len > 0)
            buf_putc(&rows, ',');
        row_put(&rows, q);
        m->out->rows++;
        if (rows.len > BATCH_BYTES)
            rc = rows_send(m, table, &rows, err);
    }
    if (rc == 0 && sr != SQLITE_DONE)
        rc = lite_error(m->from, sr, "copy", err);
    if (rc == 0)
        rc = rows_send(m, table, &rows, err);
    sqlite3_finalize(q);
    buf_fini(&rows);
    return rc;
}

/* ---- tables ---- */

/* Tables, then their rows, then indices: as this database has them, for some
 * are made only when they are needed. */
static int
schema_walk(struct move *m, bool rows, struct err *err)
{
    struct lite *l = m->from->driver;
    sqlite3_stmt *q = NULL;
    int rc = 0;
    int sr = sqlite3_prepare_v2(l->db,
        "SELECT name, sql FROM sqlite_master WHERE type = ?1"
        " AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
        -1, &q, NULL);
    if (sr == SQLITE_OK)
        sr = sqlite3_bind_text(
            q, 1, rows ? "table" : "index", -1, SQLITE_STATIC);
    if (sr != SQLITE_OK)
        rc = lite_error(m->from, sr, "copy", err);
    while (rc == 0 && (sr = sqlite3_step(q)) == SQLITE_ROW) {
        rc = m->to->ops->exec(
            m->to, (const char *)sqlite3_column_text(q, 1), err);
        if (rc == 0 && rows)
            rc = rows_copy(m, (const char *)sqlite3_column_text(q, 0), err);
    }
    if (rc == 0 && sr != SQLITE_DONE)
        rc = lite_error(m->from, sr, "copy", err);
    sqlite3_finalize(q);
    return rc;
}

/* What an earlier move left may go; a workspace that lives there may not, such
 * as the one that this folder is a copy of. */
static int
place_free(struct move *m, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = m->to->ops->has_table(m->to, "meta", err);
    if (rc != 1)
        return rc;
    rc = db_query(
        m->to, &q, err, "SELECT value FROM meta WHERE key = 'moving'", "");
    if (rc == 0)
        rc = db_row(m->to, q, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, -ERR_REFUSED,
            "the server holds a workspace of this id already (schema "
            "rea_%08" PRIx32 "): is this folder a copy of another one?",
            m->to->workspace);
    db_end(q);
    return 0;
}

static int
copy_make(struct move *m, struct err *err)
{
    char sql[256], version[16];
    struct store *to = m->to;
    int rc = place_free(m, err);
    if (rc == 0)
        rc = pg_run(to, "BEGIN", "begin", err);
    snprintf(sql, sizeof sql,
        "DROP SCHEMA IF EXISTS rea_%08" PRIx32
        " CASCADE; CREATE SCHEMA rea_%08" PRIx32,
        to->workspace, to->workspace);
    if (rc == 0)
        rc = pg_run(to, sql, "make the workspace's schema", err);
    if (rc == 0)
        rc = schema_walk(m, true, err);
    if (rc == 0)
        rc = schema_walk(m, false, err);
    snprintf(version, sizeof version, "%d", STORE_VERSION);
    if (rc == 0)
        rc = db_run(
            to, err, "INSERT INTO meta VALUES('version', ?1)", "t", version);
    if (rc == 0)
        rc = pg_run(to, "INSERT INTO meta VALUES('moving', '1')", "copy", err);
    if (rc == 0) /* wakes are numbered by the server from now on */
        rc = pg_run(to,
            "SELECT setval(pg_get_serial_sequence('wake', 'id'),"
            " (SELECT coalesce(max(id), 0) + 1 FROM wake))",
            "copy", err);
    if (rc == 0)
        rc = pg_run(to, "COMMIT", "commit", err);
    return rc;
}

static int
copy_check(struct move *m, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    int rc = store_campaigns(m->to, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint64_t events = 0;
        rc = store_verify(m->to, v[i].id, &events, err);
        m->out->events += events;
    }
    m->out->campaigns = (uint32_t)n;
    free(v);
    return rc;
}

/* ---- nobody else is at work ---- */

static int
leases_take(struct move *m, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    int rc = store_campaigns(m->from, &v, &n, err);
    m->lease = mem_calloc(n + 1, sizeof *m->lease);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = lease_wait(m->from, v[i].id, 10000, &m->lease[i], err);
        m->n_leases += rc == 0;
    }
    free(v);
    return rc;
}

static void
leases_drop(struct move *m)
{
    for (size_t i = 0; i < m->n_leases; i++)
        lease_drop(m->from, &m->lease[i]);
    free(m->lease);
}

/* ---- the move ---- */

static int
moving_end(struct store *to, struct err *err)
{
    return pg_run(
        to, "DELETE FROM meta WHERE key = 'moving'", "finish the move", err);
}

/* No process that has the old database open can go on with it. */
static int
from_end(struct move *m, const char *url, struct err *err)
{
    char sql[96];
    snprintf(sql, sizeof sql,
        "ALTER TABLE campaign RENAME TO campaign_moved;"
        "PRAGMA user_version = %d",
        LITE_MOVED);
    int rc = db_run(m->from, err,
        "INSERT OR REPLACE INTO meta VALUES('moved', ?1)", "t", url);
    return rc != 0 ? rc : lite_exec(m->from, sql, err);
}

static int
all_copy(struct move *m, const char *url, struct err *err)
{
    int rc = leases_take(m, err);
    if (rc == 0)
        rc = store_begin(m->from, err);
    if (rc != 0)
        return rc;
    rc = pg_connect(m->to, url, err);
    if (rc == 0)
        rc = pg_fsync_check(m->to, err);
    if (rc == 0)
        rc = copy_make(m, err);
    if (rc == 0)
        rc = copy_check(m, err);
    if (rc == 0)
        rc = from_end(m, url, err);
    if (rc == 0)
        return store_commit(m->from, err);
    store_rollback(m->from);
    return rc;
}

static int
move_begin(const char *root, const char *url, struct move *m, struct err *err)
{
    int rc = pg_url_check(url, err);
    if (rc == 0)
        rc = store_open(root, STORE_WRITE, &m->from, err);
    if (rc == 0 && store_has_hosts(m->from))
        rc = err_set(err, -ERR_REFUSED,
            "the state of this workspace lies on a server already "
            "(.rea/store names it)");
    return rc;
}

/* The last step of a move that was cut off after its second; 1: it was not. */
static int
move_finish(const char *root, const char *url, struct err *err)
{
    struct store st = {.ops = &db_pg, .mode = STORE_WRITE};
    struct buf moved = {0};
    snprintf(st.dir, sizeof st.dir, "%.1000s/.rea", root);
    int rc = lite_moved_to(&st, &moved, err);
    if (rc == -ERR_NOT_FOUND)
        return 1;
    if (rc == 0 && strcmp(buf_str(&moved), url) != 0)
        rc = err_set(err, -ERR_INPUT, "the state went to %s: name that one",
            buf_str(&moved));
    if (rc == 0)
        rc = pg_place_make(&st, url, st.workspace, err);
    if (rc == 0)
        rc = pg_connect(&st, url, err);
    if (rc == 0)
        rc = moving_end(&st, err);
    pg_close(&st);
    buf_fini(&moved);
    return rc;
}

int
store_move(
    const char *root, const char *url, struct store_moved *out, struct err *err)
{
    struct store to = {.ops = &db_pg, .mode = STORE_WRITE};
    struct move m = {.to = &to, .out = out};
    struct err why = {0};
    *out = (struct store_moved){0};
    int rc = move_begin(root, url, &m, &why);
    if (rc == -ERR_VERSION) {
        int done = move_finish(root, url, err);
        out->finished = done == 0;
        if (done <= 0)
            return done;
    }
    if (rc != 0) {
        store_close(m.from);
        return err_set(err, rc, "%s", why.text);
    }
    memcpy(to.root, m.from->root, sizeof to.root);
    memcpy(to.dir, m.from->dir, sizeof to.dir);
    to.workspace = m.from->workspace;
    rc = all_copy(&m, url, err);
    if (rc == 0)
        rc = pg_place_make(m.from, url, to.workspace, err);
    if (rc == 0)
        rc = moving_end(&to, err);
    pg_close(&to);
    leases_drop(&m);
    store_close(m.from);
    return rc;
}
