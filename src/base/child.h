/* Short-lived programs: git, mostly. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { CHILD_OUT_MAX = 1 << 20 };

/* Runs argv (looked up in PATH) in folder cwd with env added, standard input
 * empty, and takes both outputs, at most CHILD_OUT_MAX bytes. It is killed
 * after timeout_ms. *code: exit code, 128 + signal, 124 for the time-out, 127
 * when it can't be run. */
int child_run(const char *const *argv, const char *const *env, const char *cwd,
    int timeout_ms, struct buf *out, int *code, struct err *err);
/* The same with env as its whole environment. */
int
child_run_as(const char *const *argv, const char *const *env, const char *cwd,
    int timeout_ms, struct buf *out, int *code, struct err *err);

/* `git -C root args...` (NULL-terminated); one trimmed line of output, or NULL
 * when it fails. */
const char *git_line(struct arena *a, const char *root, const char *const *env,
    ...) __attribute__((sentinel));

#endif
