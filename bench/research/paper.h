/* The papers of the bench: a JSON-lines file (plain or gzip) of {id, date,
 * title, abstract}, kept in memory and in a corpus of its own that is searched
 * as the product searches. */
#ifndef BENCH_PAPER_H
#define BENCH_PAPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct corpus;

struct bench_paper {
    const char *id, *date, *title, *text; /* text: title and abstract */
};

struct papers {
    uint32_t n, n_bad;
    struct bench_paper *paper;
    struct corpus *corpus;
    const char *folder; /* temporary, removed by papers_close */
};

int papers_open(
    struct arena *a, const char *path, struct papers *out, struct err *err);
void papers_close(struct papers *p);
/* The paper with this id as it was given; NULL: none. */
const struct bench_paper *paper_find(const struct papers *p, const char *id);
/* The paper that a link or id names: the same arXiv number or DOI, whatever
 * form the link has and whatever version. NULL: none. */
const struct bench_paper *
paper_of_link(const struct papers *p, const char *url);
/* Do two links or ids name the same arXiv number or DOI? */
bool link_same(const char *a, const char *b);

#endif
