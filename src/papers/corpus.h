/* The corpus: papers of many formats, split into passages, under a full-text
 * index and dense vectors trained on them. What it holds is untrusted data:
 * outside bytes are parsed by a program of its own (papers/read), stored,
 * ranked and quoted, never followed. */
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
    uint32_t replaced;   /* papers whose content had changed */
    uint32_t flagged;    /* passages that read as orders to a machine */
    uint32_t vectors;    /* passages with dense vectors, after it */
    bool trained;        /* the vectors were trained anew */
    char guard[120];     /* what held the readers, in words */
    char first_bad[400]; /* "file: why" */
};

struct corpus_add_opts {
    const char *licence, *source; /* of papers that say none; NULL: "" */
    bool no_vectors;              /* leave the dense vectors as they are */
    void (*on_bad)(void *ctx, const char *where, const char *why);
    void *ctx;
};

/* Adds files, and every paper file of folders (8 levels deep, links are not
 * followed). A paper whose id or content is known adds nothing; new content
 * under a known id replaces the old as a new version. Bad files and records
 * are counted and told to on_bad (may be NULL), never fatal. */
int corpus_add_paths(struct corpus *c, const char *const *path, uint32_t n,
    const struct corpus_add_opts *o, struct corpus_added *out, struct err *err);
/* The same for one path. */
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
    const char *licence, *source; /* "" when nobody said */
    double score; /* + is better; comparable within one answer only */
};
/* Best passages of different papers for the words of a query; before: only
 * papers dated earlier. Short for question_words and retrieve. */
int corpus_search(struct corpus *c, const char *query, const char *before,
    uint32_t max, struct arena *a, struct passage **out, uint32_t *n,
    struct err *err);

/* How much a text reads as orders to a reader that is a machine, 0..1: hidden
 * instructions, role markers, commands to run. It lowers the rank and is
 * shown; nothing else depends on it. */
double suspect_score(const char *text, size_t n);

/* The form in which an id is compared: without scheme, host, version and
 * case, "arxiv:2606.04944", "doi:10.1145/...". *out is owned by the arena. */
const char *paper_key(struct arena *a, const char *id);

#endif
