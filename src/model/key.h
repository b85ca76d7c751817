/* The key of a provider, read where it is kept. */
#ifndef MODEL_KEY_H
#define MODEL_KEY_H

#include "base/arena.h"
#include "base/err.h"

/* "env:NAME", "file:PATH" (refused unless only its owner can read it) or
 * "command:WORDS" (run without a shell in `root`, 20 s at most): the first
 * line. The text goes to *out and never into an error. -ERR_NOT_FOUND,
 * -ERR_INPUT, -ERR_REFUSED (mode), -ERR_SYS. */
int key_resolve(struct arena *a, const char *ref, const char *root,
    const char **out, struct err *err);

#endif
