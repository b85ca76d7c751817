/* Files, paths, clocks and content hashes: the operating system's part that
 * every shell layer needs. Nothing here is used by core or math. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    FS_HASH_BYTES = 32,
    FS_HASH_HEX = 2 * FS_HASH_BYTES + 1, /* with the NUL */
    FS_BOOT_ID = 40,                     /* with the NUL */
    FS_TOGETHER_MAX = 4,
};

/* Appends the whole file to out. Refuses more than max_bytes (0: 64 MiB) with
 * -ERR_LIMIT; a missing file is -ERR_NOT_FOUND, a folder -ERR_INPUT. */
int
fs_read(const char *path, size_t max_bytes, struct buf *out, struct err *err);

enum fs_durable {
    FS_LOOSE,
    FS_DURABLE, /* file and folder are synced: it survives a loss of power */
};
/* The new content appears whole or not at all (path.tmp.PID, rename).
 * Keeps the mode of the file that it replaces, else 0644 less the umask.
 * -ERR_FULL when the disk is full; the old file is then untouched. */
int fs_write_atomic(const char *path, const void *data, size_t n,
    enum fs_durable durable, struct err *err);
/* A small file of several that are written together. */
struct fs_small {
    const char *path;
    const void *data;
    size_t n;
};
/* Like fs_write_atomic for each, in order, but all are put in their places
 * first and synced then, which costs a journal one commit in place of one for
 * each. After a loss of power within the call a file may be there and empty or
 * cut off: for what is written again before anybody relies on it. */
int fs_write_together(const struct fs_small *file, size_t n,
    enum fs_durable durable, struct err *err);
/* Syncs a file and its folder. */
int fs_sync_file(const char *path, struct err *err);
/* Appends with one write; creates the file. Not durable by itself. */
int fs_append(const char *path, const void *data, size_t n, struct err *err);
/* Like `mkdir -p`, mode 0777 less the umask. */
int fs_mkdirs(const char *path, struct err *err);
/* Removes a file; a missing one is success. */
int fs_remove(const char *path, struct err *err);
/* Removes a file or a folder with all that it holds (links are not
 * followed); a missing one is success. */
int fs_remove_tree(const char *path, struct err *err);
/* Syncs a folder, so that names made in it survive power loss. */
int fs_sync_dir(const char *path, struct err *err);
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
bool fs_is_file(const char *path);
/* A regular file itself, not a link to one. */
bool fs_is_plain(const char *path);
/* Bytes of a file; -1: it is not there. */
int64_t fs_size(const char *path);
/* Last change in wall-clock milliseconds; -1: it is not there. */
int64_t fs_mtime_ms(const char *path);
/* The same where it matters why: *ms is -1 only when nothing is there that we
 * may look at; -ERR_SYS when a disk that fails now does not tell. */
int fs_mtime_look(const char *path, int64_t *ms, struct err *err);

/* "dir/name"; name alone when it is absolute or dir is "" or ".". */
char *fs_join_in(struct arena *a, const char *dir, const char *name);
void fs_join(struct buf *out, const char *dir, const char *name);
/* What follows the last '/'; borrowed from the argument. */
const char *fs_base(const char *path);
/* The folder of a path, "." when it has none. */
char *fs_dir_in(struct arena *a, const char *path);
/* A name beside path that no other process makes, on this host or on one that
 * shares the folder: PATH.tmp.PID-HOST. */
char *fs_tmp_in(struct arena *a, const char *path);
/* The path without links, "." and ".."; -ERR_NOT_FOUND when it is not there. */
int fs_real_in(
    struct arena *a, const char *path, const char **out, struct err *err);
/* Names in a folder, sorted bytewise, without "." and "..". A missing folder
 * is -ERR_NOT_FOUND. */
int fs_list_in(struct arena *a, const char *dir, const char ***names, size_t *n,
    struct err *err);

/* Wall clock, milliseconds since 1970. */
int64_t fs_now_ms(void);
/* CLOCK_BOOTTIME in milliseconds: never goes back while the machine is up and
 * counts time asleep. Compare only within one boot id. */
int64_t fs_boot_ms(void);
/* CLOCK_MONOTONIC in microseconds, for measuring. */
int64_t fs_mono_us(void);
/* The kernel's boot id ("" when /proc is not mounted). */
void fs_boot_id(char out[FS_BOOT_ID]);

/* Free bytes for an ordinary user on the file system of an existing path;
 * -1 when it cannot be told. */
int64_t fs_free_bytes(const char *path);
/* Is this path on NFS, SMB, Lustre, GPFS, a FUSE mount of a remote, ...? By
 * statfs magic; what can't be told counts as local. name (may be NULL) gets a
 * word such as "nfs", borrowed and constant. */
bool fs_is_network(const char *path, const char **name);

/* Content hash (BLAKE2b-256, hex) of a file, or of a folder tree: names,
 * kinds and contents in bytewise order; times and modes do not count, links
 * count by their target's text. -ERR_NOT_FOUND when it is not there. */
int fs_hash(const char *path, char hex[FS_HASH_HEX], struct err *err);
/* The same over bytes in memory. */
void fs_hash_bytes(const void *data, size_t n, char hex[FS_HASH_HEX]);

#endif
