/* Inside of the store: one database behind a table of operations, and the few
 * calls that all files of the store make on it. SQLite (lite.h) holds the
 * workspace of one machine, PostgreSQL (pg.h) one that several hosts drive.
 * Their SQL is the same: parameters are ?1, ?2..., each bound once by a format;
 * what only one of them knows stands in its own files. Nobody outside
 * src/store includes this. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdarg.h>

#include "store/lease.h"
#include "store/store.h"

enum {
    DB_STATEMENTS_MAX = 64,
    DB_HASH = 16,
};

struct db_ops;

/* A statement and where its reader stands: the head of the driver's own. */
struct db_rows {
    const struct db_ops *ops;
};

/* Negative: an error that err tells, with place and remedy. */
struct db_ops {
    const char *name;
    /* Connects, makes the tables where mode allows it and there are none,
     * checks the version, reads st->workspace. */
    int (*open)(struct store *st, struct err *err);
    void (*close)(struct store *st); /* fine when open failed */

    /* One writer of a workspace at a time, from begin to commit. */
    int (*begin)(struct store *st, bool unsynced, struct err *err);
    int (*commit)(struct store *st, struct err *err);
    void (*rollback)(struct store *st);
    /* What is read between them is of one moment. */
    int (*read_begin)(struct store *st, struct err *err);
    void (*read_end)(struct store *st);

    int (*query)(struct store *st, struct db_rows **out, struct err *err,
        const char *sql, const char *fmt, va_list ap);
    int (*row)(struct store *st, struct db_rows *q, struct err *err);
    void (*end)(struct db_rows *q);
    int64_t (*changes)(struct store *st); /* rows that the last one changed */
    /* Several statements in one text, for the schema. */
    int (*exec)(struct store *st, const char *sql, struct err *err);
    /* 1, 0. */
    int (*has_table)(struct store *st, const char *name, struct err *err);

    /* Column i of the row; borrowed until the next row. */
    int64_t (*integer)(struct db_rows *q, int i);
    double (*real)(struct db_rows *q, int i);
    const char *(*text)(struct db_rows *q, int i); /* NULL: null */
    const void *(*blob)(struct db_rows *q, int i);
    size_t (*bytes)(struct db_rows *q, int i);
    bool (*is_null)(struct db_rows *q, int i);

    /* What a lease needs beyond the lock on its file (lease.c): the same lock
     * among hosts (0: held, 1: another has it), and marks. */
    int (*lease_lock)(struct store *st, uint32_t campaign, struct err *err);
    void (*lease_unlock)(struct store *st, uint32_t campaign);
    int (*mark_leave)(struct store *st, uint32_t campaign, struct err *err);
    void (*mark_take)(struct store *st, uint32_t campaign);
    bool (*is_marked)(struct store *st, uint32_t campaign);
};

struct store {
    const struct db_ops *ops;
    void *driver; /* struct lite or struct pg, of ops */
    enum store_mode mode;
    char root[STORE_PATH_LEN], dir[STORE_PATH_LEN];
    bool in_txn, in_read;
    uint32_t workspace;
};

/* A literal's statement, bound by fmt: i int64_t, f double, t text or NULL,
 * b pointer and size_t. */
int db_query(struct store *st, struct db_rows **out, struct err *err,
    const char *sql, const char *fmt, ...);
/* 1: a row, 0: the end, negative: an error. At 0 and below it is reset. */
int db_row(struct store *st, struct db_rows *q, struct err *err);
/* Ends a reader before its last row. */
void db_end(struct db_rows *q);
/* Runs a statement that gives no rows. */
int db_run(
    struct store *st, struct err *err, const char *sql, const char *fmt, ...);

int64_t db_changes(struct store *st);

int64_t db_int(struct db_rows *q, int i);
double db_real(struct db_rows *q, int i);
const char *db_str(struct db_rows *q, int i);
const void *db_blob(struct db_rows *q, int i);
size_t db_bytes(struct db_rows *q, int i);
bool db_is_null(struct db_rows *q, int i);
/* Column i as text into a fixed array; NULL is "". */
void db_text(struct db_rows *q, int i, char *out, size_t cap);

/* Marks as files beside the lease's, for a workspace of one machine. */
int mark_file_leave(struct store *st, uint32_t campaign, struct err *err);
void mark_file_take(struct store *st, uint32_t campaign);
bool mark_file_is_there(struct store *st, uint32_t campaign);

/* Makes the tables and the workspace's id in an empty database, within a
 * transaction of the driver's. */
int schema_fill(struct store *st, struct err *err);

#endif
