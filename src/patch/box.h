/* The sandbox of one command: bubblewrap with the system's folders, the tree in
 * the place of the repository, declared data, all read only, and one writable
 * folder; no network, no other process, no secrets in the environment. */
#ifndef PATCH_BOX_H
#define PATCH_BOX_H

#include "patch/spec.h"

/* Can this machine confine? 0, or -ERR_INPUT with the reason and the remedy. */
int box_probe(struct err *err);
/* Is bwrap in PATH? */
bool box_is_there(void);
/* The command line that runs argv in the box. tree: shown at s->top; writable:
 * for a build, else the job's folder is. self: this program, which starts
 * argv inside (--inner). NULL-terminated, in the arena. */
const char *const *box_argv_in(struct arena *a, const struct sandbox_spec *s,
    const char *tree, bool writable, const char *self, const char *const *argv);
/* The environment that argv gets: what s->env names of the present one. */
const char *const *box_env_in(struct arena *a, const struct sandbox_spec *s);
/* Inside the box, before the program: signals as at a start, limits, no way to
 * new privileges, no sockets beyond the box. Does not return when it works. */
int box_become(char *const *argv, struct err *err);

#endif
