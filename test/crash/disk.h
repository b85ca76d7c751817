/* A model of a disk whose power is cut. What was not synced when it happens may
 * be there, in part, or not at all, in any order:
 *   contents: each write and each change of size since the file's last fsync by
 *     itself, a write also by sectors and torn inside one;
 *   names: each creation, rename, link and removal since the last fsync of its
 *     folder by itself, or the first few of them as a journal keeps them. A
 *     rename is whole or not at all. A new folder is safe with the first thing
 *     synced in it, as on ext4, xfs and btrfs;
 *   the index of SQLite's log (-shm): absent or garbage. */
#ifndef CRASH_DISK_H
#define CRASH_DISK_H

#include <stdbool.h>

#include "base/rng.h"
#include "crash/calls.h"

/* Controls: a disk that forgets what was synced. */
enum disk_lie { DISK_HONEST, DISK_NO_FILE_SYNC, DISK_NO_FOLDER_SYNC };

struct disk;
/* Everything that lies under root now is safe. */
struct disk *disk_scan(const char *root, enum disk_lie lie);
void disk_apply(struct disk *d, const struct call *c);
/* Replaces root with what the disk holds after a cut; the same numbers give the
 * same disk. d is unchanged. */
void disk_cut(const struct disk *d, struct rng *r);
void disk_free(struct disk *d);

#endif
