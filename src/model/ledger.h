/* The open ledger, shared by ledger.c and budget.c only. */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include <sqlite3.h>

#include "model/part.h"

struct ledger {
    sqlite3 *sql;
    char *path;
    int lock_fd;
};

int ledger_error(struct ledger *l, struct err *err);
/* Values by fmt: i int64_t, t text (NULL is ""). */
int ledger_query(struct ledger *l, sqlite3_stmt **out, struct err *err,
    const char *sql, const char *fmt, ...);
/* 1: a row, 0: the end, < 0: an error. At 0 and below q is gone. */
int ledger_row(struct ledger *l, sqlite3_stmt *q, struct err *err);
int ledger_run(
    struct ledger *l, struct err *err, const char *sql, const char *fmt, ...);
int ledger_begin(struct ledger *l, struct err *err);
/* Commits when rc is 0, else rolls back; returns the first error. */
int ledger_end(struct ledger *l, int rc, struct err *err);

#endif
