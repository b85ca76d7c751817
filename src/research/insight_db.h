/* The open insights database, shared by insight.c and insight_io.c only. */
#ifndef RESEARCH_INSIGHT_DB_H
#define RESEARCH_INSIGHT_DB_H

#include <sqlite3.h>

#include "research/insight_row.h"

struct insights {
    sqlite3 *sql;
    char *path;
    int lock;       /* of <path>.lock; -1: read only */
    uint32_t depth; /* of nested transactions */
    sqlite3_stmt *insert, *insert_text;
};

int insights_err(struct insights *db, struct err *err);
int insights_sql(struct insights *db, const char *sql, struct err *err);
/* Nested begins are one transaction; end commits when rc is 0, else rolls
 * back, and returns the rc that counts. */
int insights_begin(struct insights *db, struct err *err);
int insights_end(struct insights *db, int rc, struct err *err);

#endif
