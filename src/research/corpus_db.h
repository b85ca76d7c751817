/* The open corpus, shared by corpus.c and corpus_search.c only. */
#ifndef RESEARCH_CORPUS_DB_H
#define RESEARCH_CORPUS_DB_H

#include <sqlite3.h>

#include "research/corpus.h"

struct corpus {
    sqlite3 *sql;
    char *path;
};

int corpus_err(struct corpus *c, struct err *err);

#endif
