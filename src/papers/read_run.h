/* Has outside files read by build/rea-read, a program of its own under limits,
 * and takes what it prints. Whatever happens to that program costs the file
 * that it was at, and no other. */
#ifndef PAPERS_READ_RUN_H
#define PAPERS_READ_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One paper as a reader found it: clean UTF-8 without control characters but
 * line ends. Strings are never NULL, and borrowed for the call. */
struct read_paper {
    const char *id, *title, *date, *licence, *source;
    const char *text;
    size_t len;        /* of text */
    const char *where; /* "file" or "file:line" */
    bool whole;        /* the file is this paper */
    const char *path;  /* of the file */
};

struct read_sink {
    /* Not 0: reading stops with that code. */
    int (*paper)(void *ctx, const struct read_paper *p, struct err *err);
    void (*bad)(void *ctx, const char *where, const char *why);
    void *ctx;
};

/* Is it a name that a reader exists for? */
bool read_knows(const char *path);
/* Reads n files in order. guard: what held the reader, in words.
 * -ERR_NOT_FOUND when rea-read is not beside this program and REA_READ names
 * no other. */
int read_files(const char *const *path, uint32_t n,
    const struct read_sink *sink, char guard[120], struct err *err);

#endif
