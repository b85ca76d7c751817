/* The open corpus, shared by corpus.c and corpus_search.c only. */
#ifndef PAPERS_CORPUS_DB_H
#define PAPERS_CORPUS_DB_H

#include <sqlite3.h>

#include "papers/corpus.h"

struct corpus {
    sqlite3 *sql;
    char *path;
};

int corpus_err(struct corpus *c, struct err *err);

#endif
