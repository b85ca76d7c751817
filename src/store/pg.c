/* PostgreSQL behind the table of db.h. One writer at a time holds the
 * workspace's advisory lock, as .rea/lock does for SQLite; a lease is another,
 * of the session, so that it dies with its holder on whatever host. Results are
 * binary and read whole. */
#include "store/pg.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"

enum {
    PARAMS_MAX = 32,
    /* Of the server's catalogue, pg_type.dat; they never change. */
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_TEXT = 25,
    OID_FLOAT8 = 701,
};

static int
lost(struct store *st, const char *what, struct err *err)
{
    const struct pg *pg = st->driver;
    const char *why = pg->lib->PQerrorMessage(pg->conn);
    return err_set(err, -ERR_SYS,
        "%.48s: the database %.200s can't be reached (%.*s); nothing "
        "acknowledged is lost: when it is back, run `rea sweep`",
        what, pg->url, (int)strcspn(why, "\n"), why);
}

struct complaint {
    const char *state; /* SQLSTATE, or the head of one */
    int code;
    const char *remedy;
};

static const struct complaint complaints[] = {
    {"53100", -ERR_FULL,
        "no space left on the server; nothing acknowledged is lost: free some "
        "space, then run `rea sweep`"},
    {"55P03", -ERR_BUSY,
        "another process has been writing for 30 s; try again, or look who "
        "with `SELECT * FROM pg_stat_activity`"},
    {"42501", -ERR_REFUSED, "grant the user CREATE on the database"},
    {"25006", -ERR_REFUSED,
        "this verb changes the state, and the server or the session is "
        "read-only"},
    {"XX", -ERR_CORRUPT, "the database is damaged; restore it from a copy"},
};

int
pg_error(struct store *st, PGresult *res, const char *what, struct err *err)
{
    const struct pg *pg = st->driver;
    const char *code = NULL, *text = NULL;
    if (res != NULL) {
        code = pg->lib->PQresultErrorField(res, PG_DIAG_SQLSTATE);
        text = pg->lib->PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    }
    const struct complaint *c = NULL;
    for (size_t i = 0;
         code != NULL && i < sizeof complaints / sizeof *complaints; i++)
        if (strncmp(code, complaints[i].state, strlen(complaints[i].state)) ==
            0)
            c = &complaints[i];
    int rc;
    if (code == NULL || pg->lib->PQstatus(pg->conn) != CONNECTION_OK)
        rc = lost(st, what, err);
    else
        rc = err_set(err, c != NULL ? c->code : -ERR_SYS,
            "%.48s: %.200s: %.200s [%s]%s%s", what, pg->url,
            text != NULL ? text : "", code, c != NULL ? "; " : "",
            c != NULL ? c->remedy : "");
    if (res != NULL)
        pg->lib->PQclear(res);
    return rc;
}

static bool
is_good(const struct pg *pg, const PGresult *res)
{
    ExecStatusType s = pg->lib->PQresultStatus(res);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

int
pg_run(struct store *st, const char *sql, const char *what, struct err *err)
{
    const struct pg *pg = st->driver;
    PGresult *res = pg->lib->PQexec(pg->conn, sql);
    if (!is_good(pg, res))
        return pg_error(st, res, what, err);
    pg->lib->PQclear(res);
    return 0;
}

/* ---- statements ---- */

struct params {
    struct arena a;
    int n;
    Oid type[PARAMS_MAX];
    const char *value[PARAMS_MAX];
    int len[PARAMS_MAX], binary[PARAMS_MAX];
};

static const char *
big_endian(struct arena *a, uint64_t v)
{
    char *out = arena_alloc(a, 8);
    for (int i = 0; i < 8; i++)
        out[i] = (char)(v >> (56 - 8 * i));
    return out;
}

/* The server refuses text that is no UTF-8; words of a log can be anything. */
static const char *
clean_text(struct arena *a, const char *s)
{
    size_t n = strlen(s), at = 0;
    char *out = arena_alloc(a, n + 1);
    memcpy(out, s, n + 1);
    while (at < n) {
        size_t step = utf8_len(out + at, n - at);
        if (step == 0)
            out[at++] = '?';
        else
            at += step;
    }
    return out;
}

static void
param_put(struct params *p, Oid type, const char *value, size_t len)
{
    assert(p->n < PARAMS_MAX);
    p->type[p->n] = type;
    p->value[p->n] = value;
    p->len[p->n] = (int)len;
    p->binary[p->n++] = type != OID_TEXT;
}

static void
params_fill(struct params *p, const char *fmt, va_list ap)
{
    for (; *fmt != '\0'; fmt++) {
        if (*fmt == 'i') {
            uint64_t v = (uint64_t)va_arg(ap, int64_t);
            param_put(p, OID_INT8, big_endian(&p->a, v), 8);
        } else if (*fmt == 'f') {
            double d = va_arg(ap, double);
            uint64_t v;
            memcpy(&v, &d, sizeof v);
            param_put(p, OID_FLOAT8, big_endian(&p->a, v), 8);
        } else if (*fmt == 't') {
            const char *s = va_arg(ap, const char *);
            param_put(p, OID_TEXT, s == NULL ? NULL : clean_text(&p->a, s), 0);
        } else {
            assert(*fmt == 'b');
            const void *data = va_arg(ap, const void *);
            size_t n = va_arg(ap, size_t);
            param_put(p, OID_BYTEA, data != NULL ? data : "", n);
        }
    }
}

static void
pg_end(struct db_rows *q)
{
    struct pg_rows *r = (struct pg_rows *)q;
    if (r->res != NULL)
        r->pg->lib->PQclear(r->res);
    r->res = NULL;
}

static struct pg_rows *
rows_of(struct pg *pg, const char *sql)
{
    for (uint32_t i = 0; i < pg->n_rows; i++) {
        if (pg->rows[i].sql == sql) {
            pg_end(&pg->rows[i].head);
            return &pg->rows[i];
        }
    }
    assert(pg->n_rows < DB_STATEMENTS_MAX);
    struct pg_rows *r = &pg->rows[pg->n_rows++];
    *r = (struct pg_rows){.head.ops = &db_pg, .pg = pg, .sql = sql};
    return r;
}

static int
pg_query(struct store *st, struct db_rows **out, struct err *err,
    const char *sql, const char *fmt, va_list ap)
{
    struct pg *pg = st->driver;
    struct pg_rows *r = rows_of(pg, sql);
    struct params p = {0};
    struct buf words = {0};
    params_fill(&p, fmt, ap);
    pg_words(&words, sql, false);
    PGresult *res = pg->lib->PQexecParams(
        pg->conn, buf_str(&words), p.n, p.type, p.value, p.len, p.binary, 1);
    buf_fini(&words);
    arena_fini(&p.a);
    if (!is_good(pg, res))
        return pg_error(st, res, sql, err);
    const char *changed = pg->lib->PQcmdTuples(res);
    pg->changes = strtoll(changed, NULL, 10);
    r->res = res;
    r->row = -1;
    *out = &r->head;
    return 0;
}

static int
pg_row(struct store *st, struct db_rows *q, struct err *err)
{
    struct pg_rows *r = (struct pg_rows *)q;
    (void)st;
    (void)err;
    if (r->res != NULL && ++r->row < r->pg->lib->PQntuples(r->res))
        return 1;
    pg_end(q);
    return 0;
}

static int64_t
pg_changes(struct store *st)
{
    const struct pg *pg = st->driver;
    return pg->changes;
}

static int
pg_exec(struct store *st, const char *sql, struct err *err)
{
    struct buf words = {0};
    pg_words(&words, sql, true);
    int rc = pg_run(st, buf_str(&words), "set up", err);
    buf_fini(&words);
    return rc;
}

static int
pg_has_table(struct store *st, const char *name, struct err *err)
{
    struct db_rows *q = NULL;
    int rc =
        db_query(st, &q, err, "SELECT to_regclass(?1) IS NOT NULL", "t", name);
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    rc = db_int(q, 0) != 0;
    db_end(q);
    return rc;
}

/* ---- columns ---- */

static const unsigned char *
cell(struct db_rows *q, int i, int *n)
{
    struct pg_rows *r = (struct pg_rows *)q;
    *n = r->pg->lib->PQgetlength(r->res, r->row, i);
    if (r->pg->lib->PQgetisnull(r->res, r->row, i))
        return NULL;
    return (const unsigned char *)r->pg->lib->PQgetvalue(r->res, r->row, i);
}

static uint64_t
number(const unsigned char *p, int n)
{
    uint64_t v = 0;
    for (int k = 0; k < n; k++)
        v = v << 8 | p[k];
    return v;
}

/* Of int8, int4 (a literal) and bool. */
static int64_t
pg_integer(struct db_rows *q, int i)
{
    int n;
    const unsigned char *p = cell(q, i, &n);
    if (p == NULL)
        return 0;
    assert(n == 8 || n == 4 || n == 1);
    uint64_t v = number(p, n);
    return n == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

static double
pg_real(struct db_rows *q, int i)
{
    int n;
    double d = 0;
    const unsigned char *p = cell(q, i, &n);
    if (p == NULL)
        return 0;
    assert(n == 8);
    uint64_t v = number(p, n);
    memcpy(&d, &v, sizeof d);
    return d;
}

/* libpq ends every value with a NUL. */
static const char *
pg_text(struct db_rows *q, int i)
{
    int n;
    return (const char *)cell(q, i, &n);
}

static const void *
pg_blob(struct db_rows *q, int i)
{
    int n;
    return cell(q, i, &n);
}

static size_t
pg_bytes(struct db_rows *q, int i)
{
    int n;
    return cell(q, i, &n) == NULL ? 0 : (size_t)n;
}

static bool
pg_is_null(struct db_rows *q, int i)
{
    int n;
    return cell(q, i, &n) == NULL;
}

/* ---- transactions ---- */

static int
pg_begin(struct store *st, bool unsynced, struct err *err)
{
    char sql[160];
    snprintf(sql, sizeof sql, "BEGIN; %sSELECT pg_advisory_xact_lock(%d, 0)",
        unsynced ? "SET LOCAL synchronous_commit = off; " : "",
        (int32_t)st->workspace);
    int rc = pg_run(st, sql, "begin", err);
    if (rc != 0)
        st->ops->rollback(st);
    return rc;
}

/* The server answers ROLLBACK when a statement had failed before. */
static int
pg_commit(struct store *st, struct err *err)
{
    const struct pg *pg = st->driver;
    PGresult *res = pg->lib->PQexec(pg->conn, "COMMIT");
    if (!is_good(pg, res))
        return pg_error(st, res, "commit", err);
    bool done = strcmp(pg->lib->PQcmdStatus(res), "COMMIT") == 0;
    pg->lib->PQclear(res);
    return done ? 0
                : err_set(err, -ERR_SYS,
                      "commit: %.200s: a statement of this transaction had "
                      "failed, so nothing of it was kept",
                      pg->url);
}

static void
pg_rollback(struct store *st)
{
    const struct pg *pg = st->driver;
    if (pg->conn == NULL ||
        pg->lib->PQtransactionStatus(pg->conn) == PQTRANS_IDLE)
        return;
    pg->lib->PQclear(pg->lib->PQexec(pg->conn, "ROLLBACK"));
}

static int
pg_read_begin(struct store *st, struct err *err)
{
    return pg_run(st, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "begin to read", err);
}

static void
pg_read_end(struct store *st)
{
    pg_rollback(st);
}

/* ---- leases ---- */

static int
pg_lease_lock(struct store *st, uint32_t campaign, struct err *err)
{
    struct db_rows *q = NULL;
    int rc = db_query(st, &q, err,
        "SELECT pg_try_advisory_lock(CAST(?1 AS int), CAST(?2 AS int))", "ii",
        (int64_t)(int32_t)st->workspace, (int64_t)campaign);
    if (rc == 0)
        rc = db_row(st, q, err);
    if (rc != 1)
        return rc;
    bool got = db_int(q, 0) != 0;
    db_end(q);
    return got ? 0 : 1;
}

static void
pg_lease_unlock(struct store *st, uint32_t campaign)
{
    struct db_rows *q = NULL;
    if (db_query(st, &q, NULL,
            "SELECT pg_advisory_unlock(CAST(?1 AS int), CAST(?2 AS int))", "ii",
            (int64_t)(int32_t)st->workspace, (int64_t)campaign) == 0)
        db_end(q);
}

static void
mark_key(uint32_t campaign, char out[32])
{
    snprintf(out, 32, "mark/C%" PRIu32, campaign);
}

static int
pg_mark_leave(struct store *st, uint32_t campaign, struct err *err)
{
    char key[32];
    mark_key(campaign, key);
    return db_run(st, err,
        "INSERT INTO kv VALUES(?1, ?2) ON CONFLICT DO NOTHING", "tb", key, "",
        (size_t)0);
}

static void
pg_mark_take(struct store *st, uint32_t campaign)
{
    char key[32];
    mark_key(campaign, key);
    db_run(st, NULL, "DELETE FROM kv WHERE key = ?1", "t", key);
}

static bool
pg_is_marked(struct store *st, uint32_t campaign)
{
    char key[32];
    struct db_rows *q = NULL;
    mark_key(campaign, key);
    if (db_query(st, &q, NULL, "SELECT 1 FROM kv WHERE key = ?1", "t", key) !=
        0)
        return false;
    bool has = db_row(st, q, NULL) == 1;
    db_end(q);
    return has;
}

const struct db_ops db_pg = {
    .name = "postgresql",
    .open = pg_open,
    .close = pg_close,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .read_begin = pg_read_begin,
    .read_end = pg_read_end,
    .query = pg_query,
    .row = pg_row,
    .end = pg_end,
    .changes = pg_changes,
    .exec = pg_exec,
    .has_table = pg_has_table,
    .integer = pg_integer,
    .real = pg_real,
    .text = pg_text,
    .blob = pg_blob,
    .bytes = pg_bytes,
    .is_null = pg_is_null,
    .lease_lock = pg_lease_lock,
    .lease_unlock = pg_lease_unlock,
    .mark_leave = pg_mark_leave,
    .mark_take = pg_mark_take,
    .is_marked = pg_is_marked,
};
