/* Inside of the store: the connection and the few calls that all its files
 * make on SQLite. Nobody outside src/store includes this. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>

#include "store/store.h"

enum {
    DB_STATEMENTS_MAX = 64,
    DB_HASH = 16,
    DB_BUSY_MS = 5000,      /* for other programs on the same file */
    DB_WAL_PAGES_MAX = 100, /* then the log is folded in */
};

struct store {
    sqlite3 *db;
    enum store_mode mode;
    char root[STORE_PATH_LEN], dir[STORE_PATH_LEN];
    int lock_fd; /* .rea/lock; -1 in a reader */
    bool in_txn;
    bool unsynced;      /* the connection does not sync its commits now */
    bool log_was_there; /* rea.db-wal existed before we opened it */
    int wal_pages;      /* in the log after the last commit */
    uint32_t workspace;
    struct {
        const char *sql; /* by address: statements are literals */
        sqlite3_stmt *stmt;
    } cached[DB_STATEMENTS_MAX];
    uint32_t n_cached;
};

/* Turns the connection's last error into ours, with place and remedy. */
int db_error(struct store *st, int rc, const char *what, struct err *err);
/* A literal's statement, bound by fmt: i int64_t, f double, t text or NULL,
 * b pointer and size_t. */
int db_query(struct store *st, sqlite3_stmt **out, struct err *err,
    const char *sql, const char *fmt, ...);
/* 1: a row, 0: the end, negative: an error. At 0 and below it is reset. */
int db_row(struct store *st, sqlite3_stmt *q, struct err *err);
void db_end(sqlite3_stmt *q);
/* Runs a statement that gives no rows. */
int db_run(
    struct store *st, struct err *err, const char *sql, const char *fmt, ...);
/* Several statements in one text, for schema and pragmas. */
int db_exec(struct store *st, const char *sql, struct err *err);

/* Column i as text into a fixed array; NULL is "". */
void db_text(sqlite3_stmt *q, int i, char *out, size_t cap);

/* A hook of SQLite: notes how long the log is. */
int db_wal_grown(void *store, sqlite3 *db, const char *name, int pages);
/* The workspace's lock, with the time limit of store_begin. */
int db_lock(struct store *st, struct err *err);
void db_unlock(struct store *st);

/* Makes the tables and the workspace's id in an empty database. */
int schema_create(struct store *st, struct err *err);

#endif
