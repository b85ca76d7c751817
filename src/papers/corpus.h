/* A small corpus of papers: text, Markdown and JSON files split into passages,
 * searched by BM25. What it holds is untrusted data: it is stored, ranked and
 * quoted, never followed. */
#ifndef PAPERS_CORPUS_H
#define PAPERS_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/spec.h"
#include "papers/technique.h"

struct corpus;

/* Opens or (write) creates the corpus file. *out: corpus_close. A missing
 * file reads as an empty corpus. */
int
corpus_open(struct corpus **out, const char *path, bool write, struct err *err);
void corpus_close(struct corpus *c); /* NULL is fine */

struct corpus_added {
    uint32_t files, papers, known, bad;
    char first_bad[400]; /* "file: why" */
};
/* Adds a file, or every file of a folder (8 levels deep): .txt .md .json
 * .jsonl. Papers whose id or content is known add nothing. Bad files and lines
 * are counted, never fatal; on_bad (may be NULL) is told each. */
int corpus_add(struct corpus *c, const char *path, struct corpus_added *out,
    void (*on_bad)(void *ctx, const char *where, const char *why), void *ctx,
    struct err *err);
int corpus_count(
    struct corpus *c, int64_t *papers, int64_t *passages, struct err *err);

struct passage {
    int64_t id;
    const char *paper; /* id as given: arXiv id, DOI or a content hash */
    const char *title, *date;
    const char *text;
    double score; /* + is better; comparable within one answer only */
};
/* Best passages of different papers for the words of a query; before: only
 * papers dated earlier. Several forms of the query are merged by reciprocal
 * rank. */
int corpus_search(struct corpus *c, const char *query, const char *before,
    uint32_t max, struct arena *a, struct passage **out, uint32_t *n,
    struct err *err);

enum { QUESTION_TECHNIQUES_MAX = 6 };

struct question {
    const char *text;  /* what was asked, and why */
    const char *query; /* the words looked for */
    uint32_t n_passages;
    struct passage *passage;
    uint32_t n_techniques; /* of the library, mentioned in the passages */
    const struct technique *technique[QUESTION_TECHNIQUES_MAX];
};
/* Asks what a project's knobs suggest asking, or only `words` when given
 * (s may then be NULL). */
int corpus_ask(struct corpus *c, const struct spec *s, const char *words,
    const char *before, struct arena *a, struct question **out, uint32_t *n,
    struct err *err);

#endif
