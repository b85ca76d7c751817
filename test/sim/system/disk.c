/* Disk, locks and clock of the made-up machine: the linker finds these names
 * of the system here first, SQLite's calls included. A process takes a step at
 * each; within SQLite it does not, for its connection must stay whole, but a
 * full or failing disk shows there too. */
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "sim/system/process.h"

/* A step, and does the call fail after it? wants: it needs space. */
static bool
call_fails(enum op op, bool wants)
{
    struct process *p = process_now;
    if (p == NULL)
        return false;
    if (p->inside == 0)
        process_step(op);
    if (life.weather.disk_full && wants) {
        trouble_count(TROUBLE_DISK_FULL);
        errno = ENOSPC;
        return true;
    }
    if (life.weather.error > 0 && life_chance(life.weather.error)) {
        trouble_count(TROUBLE_DISK_ERROR);
        errno = EIO;
        return true;
    }
    return false;
}

/* ---- names ---- */

static int
open_at(const char *path, int flags, mode_t mode)
{
    bool makes = (flags & O_CREAT) != 0 && faccessat(AT_FDCWD, path, F_OK, 0);
    if (call_fails(OP_OPEN, makes))
        return -1;
    int fd = openat(AT_FDCWD, path, flags, mode);
    if (fd >= 0 && process_now != NULL && process_now->inside == 0)
        process_has_fd(fd);
    return fd;
}

int
open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(path, flags, mode);
}

int
close(int fd)
{
    if (process_now != NULL && process_now->inside == 0) {
        process_step(OP_CLOSE);
        process_lost_fd(fd);
    }
    return (int)syscall(SYS_close, fd);
}

int
mkdir(const char *path, mode_t mode)
{
    return call_fails(OP_NAME, faccessat(AT_FDCWD, path, F_OK, 0) != 0)
               ? -1
               : mkdirat(AT_FDCWD, path, mode);
}

int
rename(const char *from, const char *to)
{
    return call_fails(OP_NAME, true) ? -1
                                     : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int
link(const char *from, const char *to)
{
    return call_fails(OP_NAME, true) ? -1
                                     : linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
unlink(const char *path)
{
    return call_fails(OP_NAME, false) ? -1 : unlinkat(AT_FDCWD, path, 0);
}

DIR *
opendir(const char *path)
{
    static DIR *(*real)(const char *);
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "opendir");
        memcpy(&real, &found, sizeof real);
    }
    return call_fails(OP_LIST, false) ? NULL : real(path);
}

/* ---- contents ---- */

ssize_t
read(int fd, void *data, size_t n)
{
    return call_fails(OP_READ, false) ? -1 : syscall(SYS_read, fd, data, n);
}

ssize_t
pread64(int fd, void *data, size_t n, off64_t at)
{
    return call_fails(OP_READ, false) ? -1
                                      : syscall(SYS_pread64, fd, data, n, at);
}

ssize_t
pread(int fd, void *data, size_t n, off_t at)
{
    return pread64(fd, data, n, at);
}

ssize_t
write(int fd, const void *data, size_t n)
{
    return call_fails(OP_WRITE, true) ? -1 : syscall(SYS_write, fd, data, n);
}

ssize_t
pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    return call_fails(OP_WRITE, true) ? -1
                                      : syscall(SYS_pwrite64, fd, data, n, at);
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t at)
{
    return pwrite64(fd, data, n, at);
}

int
fsync(int fd)
{
    return call_fails(OP_SYNC, false) ? -1 : (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    return call_fails(OP_SYNC, false) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* The reserve for a full disk is no part of a life. */
int
posix_fallocate(int fd, off_t at, off_t n)
{
    (void)fd, (void)at, (void)n;
    return ENOSPC;
}

/* ---- locks ---- */

/* Also within the store's calls: its lock is taken before SQLite is entered,
 * and let go after. */
int
flock(int fd, int how)
{
    if (process_now != NULL)
        process_step((how & LOCK_UN) != 0 ? OP_UNLOCK : OP_LOCK);
    return (int)syscall(SYS_flock, fd, how);
}

/* ---- time ---- */

int
nanosleep(const struct timespec *ask, struct timespec *left)
{
    (void)left;
    if (process_now == NULL)
        return 0;
    process_nap((int64_t)ask->tv_sec * SECOND_US + ask->tv_nsec / 1000);
    return 0;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
    int64_t us = life.now_us;
    if (clock == CLOCK_REALTIME)
        us = life_wall_ms() * 1000;
    *out = (struct timespec){us / SECOND_US, us % SECOND_US * 1000};
    return 0;
}

pid_t
getpid(void)
{
    return process_now != NULL ? 1000 + (pid_t)process_now->id
                               : (pid_t)syscall(SYS_getpid);
}

/* Which checkpoint is the newest: it holds its own time, for the real clock of
 * the files is no part of a life. */
int64_t __wrap_fs_mtime_ms(const char *path);
int64_t
__wrap_fs_mtime_ms(const char *path)
{
    struct buf text = {0};
    int64_t ms = -1;
    if (fs_read(path, 64, &text, NULL) == 0)
        ms = strtoll(buf_str(&text), NULL, 10);
    buf_fini(&text);
    return ms;
}

/* ---- chance ---- */

uint32_t __wrap_randombytes_random(void);
uint32_t
__wrap_randombytes_random(void)
{
    return (uint32_t)rng_mix(life.plan.seed, 1);
}

void __wrap_randombytes_buf(void *out, size_t n);
void
__wrap_randombytes_buf(void *out, size_t n)
{
    static uint64_t drawn;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)out)[i] =
            (unsigned char)rng_mix(life.plan.seed, ++drawn);
}
