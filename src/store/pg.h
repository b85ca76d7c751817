/* PostgreSQL as the store of a workspace that several hosts drive. The
 * workspace's folder, shared among them, holds `.rea/store`: the server's URL,
 * and the workspace's id, whose tables lie in the schema rea_ID. Only for
 * src/store. */
#ifndef STORE_PG_H
#define STORE_PG_H

#include <libpq-fe.h>

#include "store/db.h"

enum { PG_URL_LEN = 1024 };

/* What is used of libpq, loaded when a workspace names a server: a wake on
 * SQLite pays nothing for it (pg_lib.c). */
#define PG_CALLS(X)                                                            \
    X(PQconnectdbParams)                                                       \
    X(PQconninfoParse)                                                         \
    X(PQconninfoFree)                                                          \
    X(PQfreemem)                                                               \
    X(PQstatus)                                                                \
    X(PQerrorMessage)                                                          \
    X(PQfinish)                                                                \
    X(PQexec)                                                                  \
    X(PQexecParams)                                                            \
    X(PQresultStatus)                                                          \
    X(PQresultErrorField)                                                      \
    X(PQcmdStatus)                                                             \
    X(PQcmdTuples)                                                             \
    X(PQclear)                                                                 \
    X(PQntuples)                                                               \
    X(PQgetvalue)                                                              \
    X(PQgetlength)                                                             \
    X(PQgetisnull)                                                             \
    X(PQtransactionStatus)                                                     \
    X(PQsetNoticeProcessor)

struct pg_lib {
#define X(f) __typeof__(f) *f;
    PG_CALLS(X)
#undef X
};

/* -ERR_NOT_FOUND: not installed. Borrowed, for the life of the process. */
int pg_lib_load(const struct pg_lib **out, struct err *err);

struct pg_rows {
    struct db_rows head;
    struct pg *pg;
    const char *sql; /* by address: statements are literals */
    PGresult *res;   /* NULL: not open */
    int row;         /* the one that is read; -1: before the first */
};

struct pg {
    const struct pg_lib *lib;
    PGconn *conn;
    char url[PG_URL_LEN]; /* without a password */
    int64_t changes;
    uint32_t n_rows;
    struct pg_rows rows[DB_STATEMENTS_MAX];
};

extern const struct db_ops db_pg;

/* pg_place.c. Does the workspace name a server? In STORE_CREATE mode a folder
 * without a database names the one of REA_STORE, for good. Sets st->workspace.
 * -ERR_INPUT: not a URL of a server, or one with a password. */
int pg_is_named(struct store *st, bool *named, struct err *err);
/* What .rea/store holds. -ERR_NOT_FOUND, -ERR_CORRUPT. */
int pg_place_read(const struct store *st, char url[PG_URL_LEN],
    uint32_t *workspace, struct err *err);

/* Is it the URL of a server, without a password? -ERR_INPUT. */
int pg_url_check(const char *url, struct err *err);
/* Writes .rea/store, unless it is there. */
int pg_place_make(const struct store *st, const char *url, uint32_t workspace,
    struct err *err);

/* pg_open.c */
int pg_open(struct store *st, struct err *err);
/* Connects alone: whatever tables are there. pg_close always. */
int pg_connect(struct store *st, const char *url, struct err *err);
/* -ERR_REFUSED: the server does not keep what it acknowledges. */
int pg_fsync_check(struct store *st, struct err *err);
void pg_close(struct store *st);

/* pg.c. Text that no statement is cached of; the result of the last one is
 * checked and forgotten. */
int
pg_run(struct store *st, const char *sql, const char *what, struct err *err);
/* The server's complaint in our words; clears res. */
int
pg_error(struct store *st, PGresult *res, const char *what, struct err *err);
/* Statements of SQLite as PostgreSQL says them (pg_words.c): parameters $1, and
 * types, when `schema`. */
void pg_words(struct buf *out, const char *sql, bool schema);

#endif
