/* What a code patch may touch, by the engineer's words in [patch]: declared
 * patterns, never the files that build, install, publish or configure, unless
 * one is declared by its full name; and which class of change it is. */
#ifndef PATCH_POLICY_H
#define PATCH_POLICY_H

#include "patch/diff.h"
#include "project/project.h"

enum { PATCH_CLASS_LEN = 120, PATCH_FILES_MOST = 24 };

/* -ERR_INPUT with the file, the reason and the remedy. */
int
policy_check(const struct project *p, const struct diff *d, struct err *err);
/* The classes of its files, sorted, "loss+model"; "other" where none is
 * declared. *gated: one of them needs a signature of its own. */
void policy_class(const struct project *p, const struct diff *d,
    char out[PATCH_CLASS_LEN], bool *gated);

/* Does a pattern name this path? * and ? stay inside one part, ** does not. */
bool glob_match(const char *pattern, const char *path);

#endif
