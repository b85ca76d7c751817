/* The open corpus, shared by the files of this folder that see SQLite. */
#ifndef PAPERS_CORPUS_DB_H
#define PAPERS_CORPUS_DB_H

#include <sqlite3.h>

#include "papers/corpus.h"

struct dense;

struct corpus {
    sqlite3 *sql;
    char *path;
    struct dense *dense; /* loaded by the first question, NULL before */
    bool dense_looked;   /* it was looked for */
};

int corpus_err(struct corpus *c, struct err *err);
int corpus_run(struct corpus *c, const char *sql, struct err *err);
/* The first column of the first row. */
int
corpus_number(struct corpus *c, const char *sql, int64_t *out, struct err *err);

#endif
