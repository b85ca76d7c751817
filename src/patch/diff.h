/* Unified diffs as text that nobody trusts: what they would change, checked
 * against a strict grammar before any other program sees them.
 *
 * Accepted is what `git diff` prints for regular files: changed, new and
 * deleted ones, one section a file, with or without its git headers. Refused
 * are renames, copies, mode changes, links, submodules, binary parts, quoted
 * names, names beside plain letters and digits, counts that do not hold,
 * control and bidirectional characters, and any line that belongs to no file.
 */
#ifndef PATCH_DIFF_H
#define PATCH_DIFF_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    DIFF_BYTES_MAX = 512 * 1024,
    DIFF_FILES_MAX = 64,
    DIFF_PATH_MAX = 240, /* with the NUL */
    DIFF_LINE_MAX = 8192,
    DIFF_SHA_HEX = 65, /* with the NUL */
};

enum diff_kind { DIFF_NONE, DIFF_CHANGED, DIFF_NEW, DIFF_DELETED };

struct diff_file {
    const char *path; /* from the repository's top */
    uint8_t kind;     /* enum diff_kind */
    uint32_t added, removed;
};

struct diff {
    char sha256[DIFF_SHA_HEX]; /* of the bytes */
    uint32_t n_files;
    struct diff_file file[DIFF_FILES_MAX];
    uint32_t added, removed;
};

/* -ERR_INPUT with line, reason and remedy, or -ERR_LIMIT. `name` is what
 * messages call the diff. Paths lie in the arena. */
int diff_parse(struct arena *a, const char *name, const char *text, size_t len,
    struct diff *out, struct err *err);
void diff_sha256(const void *data, size_t n, char out[DIFF_SHA_HEX]);

#endif
