/* Work trees: the base commit with a set of patches, made by git in an index
 * of its own, so that neither the engineer's checkout nor its index moves and
 * no hook runs. Kept under .rea/worktrees by content; a tree is complete when
 * it has its final name. */
#ifndef PATCH_TREE_H
#define PATCH_TREE_H

#include "patch/spec.h"

/* The folder of .rea under root that holds diffs, SHA256.diff. */
const char *
patch_path_in(struct arena *a, const char *root, const char *sha256);
/* Stores a diff under its hash. */
int patch_keep(const char *root, const char *sha256, const char *text,
    size_t len, struct err *err);
/* Reads one back; -ERR_CORRUPT: its bytes are not those of its name. */
int patch_text(
    const char *root, const char *sha256, struct buf *out, struct err *err);

/* Do these patches apply to the base, one after the other? 0, or -ERR_INPUT
 * with what git said. tree_out (may be NULL): git's tree, in the arena. */
int tree_applies(struct arena *a, const struct sandbox_spec *s,
    const char **tree_out, struct err *err);
/* Is each path of the diff a plain file of the base commit (or none, when it
 * is new)? -ERR_INPUT names the one that is not. */
struct diff;
int tree_has_plain(
    const struct sandbox_spec *s, const struct diff *d, struct err *err);

/* Name of the tree of a spec, a function of base, patches and build. */
const char *tree_key_in(struct arena *a, const struct sandbox_spec *s);
/* Makes the tree unless it is there. *dir: its folder; *lock_fd: held shared,
 * as long as it stays open (in children too) the tree is not removed. build
 * (may be NULL) is called once with the unfinished folder. -ERR_INPUT: a patch
 * does not apply. */
int tree_take(struct arena *a, const struct sandbox_spec *s,
    int (*build)(void *ctx, const char *dir, struct err *err), void *ctx,
    const char **dir, int *lock_fd, struct err *err);
/* Removes every tree under root that no job holds. */
int trees_sweep(const char *root, struct err *err);

#endif
