#ifndef BASE_GIT_H
#define BASE_GIT_H

#include "base/arena.h"

/* The commit that is checked out in the git work tree around `dir`, as hex in
 * the arena; NULL: none. Reads a few small files and starts no program, so
 * that it can be asked before every job. Whether files were changed since
 * then, it does not know. */
const char *git_head_in(struct arena *a, const char *dir);

/* The top folder of the git work tree around `dir` (absolute, real); NULL:
 * none. */
const char *git_top_in(struct arena *a, const char *dir);

#endif
