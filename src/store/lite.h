/* SQLite as the store of one machine: .rea/rea.db. Only for src/store. */
#ifndef STORE_LITE_H
#define STORE_LITE_H

#include <sqlite3.h>

#include "store/db.h"

enum {
    LITE_BUSY_MS = 5000,      /* for other programs on the same file */
    LITE_WAL_PAGES_MAX = 100, /* then the log is folded in */
    LITE_MOVED = 9000, /* version of a database whose state is on a server */
};

struct lite_rows {
    struct db_rows head;
    const char *sql; /* by address: statements are literals */
    sqlite3_stmt *stmt;
    struct lite *lite;
};

struct lite {
    sqlite3 *db;
    int lock_fd;        /* .rea/lock; -1 in a reader */
    bool unsynced;      /* the connection does not sync its commits now */
    bool log_was_there; /* rea.db-wal existed before we opened it */
    int wal_pages;      /* in the log after the last commit */
    uint32_t n_cached;
    struct lite_rows cached[DB_STATEMENTS_MAX];
};

extern const struct db_ops db_lite;

/* Turns the connection's last error into ours, with place and remedy. */
int lite_error(struct store *st, int rc, const char *what, struct err *err);
/* From now on a page that could not be read is told from one that is damaged:
 * SQLite calls both corrupt. */
void lite_reads_note(void);
int lite_exec(struct store *st, const char *sql, struct err *err);

/* lite_open.c */
int lite_open(struct store *st, struct err *err);
void lite_close(struct store *st);
/* Of a database that was moved (move.c): appends the server's URL, sets
 * st->workspace. st has its folder and no driver. -ERR_NOT_FOUND: it was not
 * moved. */
int lite_moved_to(struct store *st, struct buf *url, struct err *err);

/* lite_txn.c */
int lite_begin(struct store *st, bool unsynced, struct err *err);
int lite_commit(struct store *st, struct err *err);
void lite_rollback(struct store *st);
int lite_read_begin(struct store *st, struct err *err);
void lite_read_end(struct store *st);
/* The workspace's lock, with the time limit of store_begin. */
int lite_lock(struct store *st, struct err *err);
void lite_unlock(struct store *st);
/* A hook of SQLite: notes how long the log is. */
int lite_wal_grown(void *lite, sqlite3 *db, const char *name, int pages);

#endif
