/* The file calls of the program under test (calls.h). Each is written out with
 * another call of the system, so nothing here calls itself. */
#undef _FORTIFY_SOURCE
#include "crash/calls.h"

#include <dlfcn.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/store.h"

enum { FDS = 256, PATH_LEN = 512, LOG_MAX = 64 << 20 };

struct calls *calls;
static char root[PATH_LEN];
static size_t root_len;
static bool is_on;
static struct {
    bool tracked, dir;
    uint64_t node;
    char path[PATH_LEN];
} fds[FDS];

void
calls_init(const char *folder)
{
    void *p = mmap(NULL, sizeof *calls + LOG_MAX, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        abort();
    calls = p;
    root_len = strlen(folder);
    memcpy(root, folder, root_len + 1);
}

void
calls_begin(void)
{
    is_on = true;
}

/* The absolute path, without "//" and "/./"; false: not in the workspace. The
 * reserve is no state. */
static bool
path_take(const char *path, char out[PATH_LEN])
{
    size_t n = 0;
    if (!is_on)
        return false;
    if (path[0] != '/') {
        if (getcwd(out, PATH_LEN - 1) == NULL)
            return false;
        n = strlen(out);
        out[n++] = '/';
    }
    for (const char *p = path; *p != '\0' && n < PATH_LEN - 1; p++) {
        if (*p == '/' && n > 0 && out[n - 1] == '/')
            continue;
        if (*p == '.' && (p[1] == '/' || p[1] == '\0') && n > 0 &&
            out[n - 1] == '/')
            continue;
        out[n++] = *p;
    }
    while (n > 1 && out[n - 1] == '/')
        n--;
    out[n] = '\0';
    const char *base = strrchr(out, '/');
    return strncmp(out, root, root_len) == 0 &&
           (out[root_len] == '/' || out[root_len] == '\0') &&
           strcmp(base, "/reserve") != 0;
}

static bool
fd_counts(int fd)
{
    return is_on && fd >= 0 && fd < FDS && fds[fd].tracked;
}

static void
record(uint32_t kind, uint64_t node, int64_t at, const char *path,
    const char *other, const void *data, size_t n)
{
    struct call c = {kind, (uint32_t)strlen(path) + 1,
        (uint32_t)strlen(other) + 1, (uint32_t)n, node, at};
    if (!calls->recording)
        return;
    if (calls->len + call_bytes(&c) > LOG_MAX)
        abort();
    unsigned char *to = calls->log + calls->len;
    memcpy(to, &c, sizeof c);
    memcpy(to + sizeof c, path, c.n_path);
    memcpy(to + sizeof c + c.n_path, other, c.n_other);
    if (n > 0)
        memcpy(to + sizeof c + c.n_path + c.n_other, data, n);
    calls->len += call_bytes(&c);
}

/* Does this call fail? Sets errno. wants: it needs space on the disk. */
static enum fault
fault_now(const char *name, bool wants)
{
    bool later = calls->fired > 0;
    calls->seen++;
    if (calls->fail_at == 0 || calls->seen < calls->fail_at)
        return FAULT_NONE;
    bool again = (calls->fault == FAULT_FULL && wants) ||
                 (calls->fault == FAULT_SHORT && calls->fired == 1 && wants);
    if (later && !again)
        return FAULT_NONE;
    /* these wait for a call that they fit */
    if (!later && calls->fault == FAULT_FULL && !wants)
        return FAULT_NONE;
    if (!later && calls->fault == FAULT_SHORT && strstr(name, "write") == NULL)
        return FAULT_NONE;
    calls->fired++;
    if (!later)
        snprintf(calls->name, sizeof calls->name, "%s", name);
    errno = calls->fault == FAULT_EIO || !wants ? EIO : ENOSPC;
    if (later && calls->fault == FAULT_SHORT)
        return FAULT_ENOSPC;
    return calls->fault;
}

/* ---- names ---- */

static int
open_at(const char *path, int flags, mode_t mode)
{
    char full[PATH_LEN];
    struct stat sb;
    bool counts = path_take(path, full);
    if (!counts)
        return openat(AT_FDCWD, path, flags, mode);
    bool there = fstatat(AT_FDCWD, full, &sb, 0) == 0;
    bool makes = !there && (flags & O_CREAT) != 0;
    if (there || makes) {
        enum fault f = fault_now(makes ? "create" : "open", makes);
        if (f != FAULT_NONE && f != FAULT_LIE)
            return -1;
    }
    int fd = openat(AT_FDCWD, path, flags, mode);
    if (fd < 0 || fd >= FDS || fstat(fd, &sb) != 0)
        return fd;
    fds[fd].tracked = true;
    fds[fd].dir = S_ISDIR(sb.st_mode);
    fds[fd].node = sb.st_ino;
    memcpy(fds[fd].path, full, PATH_LEN);
    if (fds[fd].dir)
        return fd;
    record(makes ? CALL_CREATE : CALL_FOUND, sb.st_ino, 0, full, "", NULL, 0);
    if ((flags & O_TRUNC) != 0 && there)
        record(CALL_SIZE, sb.st_ino, 0, full, "", NULL, 0);
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
    bool counts = fd_counts(fd);
    if (counts)
        fds[fd].tracked = false;
    int rc = (int)syscall(SYS_close, fd);
    if (counts && fault_now("close", false) != FAULT_NONE)
        return calls->fault == FAULT_LIE ? 0 : -1;
    return rc;
}

int
mkdir(const char *path, mode_t mode)
{
    char full[PATH_LEN];
    bool counts = path_take(path, full);
    struct stat sb;
    if (counts && fstatat(AT_FDCWD, full, &sb, 0) != 0 &&
        fault_now("mkdir", true) != FAULT_NONE)
        return calls->fault == FAULT_LIE ? 0 : -1;
    int rc = mkdirat(AT_FDCWD, path, mode);
    if (rc == 0 && counts)
        record(CALL_MKDIR, 0, 0, full, "", NULL, 0);
    return rc;
}

int
rename(const char *from, const char *to)
{
    char a[PATH_LEN], b[PATH_LEN];
    bool counts = path_take(from, a) && path_take(to, b);
    if (counts && fault_now("rename", true) != FAULT_NONE)
        return calls->fault == FAULT_LIE ? 0 : -1;
    int rc = renameat(AT_FDCWD, from, AT_FDCWD, to);
    if (rc == 0 && counts)
        record(CALL_RENAME, 0, 0, a, b, NULL, 0);
    return rc;
}

int
link(const char *from, const char *to)
{
    char a[PATH_LEN], b[PATH_LEN];
    bool counts = path_take(from, a) && path_take(to, b);
    if (counts && fault_now("link", true) != FAULT_NONE)
        return calls->fault == FAULT_LIE ? 0 : -1;
    int rc = linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
    if (rc == 0 && counts)
        record(CALL_LINK, 0, 0, a, b, NULL, 0);
    return rc;
}

int
unlink(const char *path)
{
    char full[PATH_LEN];
    bool counts = path_take(path, full);
    struct stat sb;
    if (counts && fstatat(AT_FDCWD, full, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
        fault_now("unlink", false) != FAULT_NONE)
        return calls->fault == FAULT_LIE ? 0 : -1;
    int rc = unlinkat(AT_FDCWD, path, 0);
    if (rc == 0 && counts)
        record(CALL_UNLINK, 0, 0, full, "", NULL, 0);
    return rc;
}

DIR *
opendir(const char *path)
{
    static DIR *(*real)(const char *);
    char full[PATH_LEN];
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "opendir");
        memcpy(&real, &found, sizeof real);
    }
    if (path_take(path, full) && fault_now("opendir", false) != FAULT_NONE &&
        calls->fault != FAULT_LIE)
        return NULL;
    return real(path);
}

/* ---- contents ---- */

/* 0: go on; 1: *n bytes are told without a call; -1: it fails. */
static int
write_fault(const char *name, size_t *n)
{
    switch (fault_now(name, true)) {
    case FAULT_NONE:
        return 0;
    case FAULT_SHORT:
        *n = *n > 1 ? *n / 2 : *n;
        return 0;
    case FAULT_LIE:
        return 1;
    default:
        return -1;
    }
}

ssize_t
write(int fd, const void *data, size_t n)
{
    if (!fd_counts(fd))
        return syscall(SYS_write, fd, data, n);
    int f = write_fault("write", &n);
    if (f != 0)
        return f > 0 ? (ssize_t)n : -1;
    struct stat sb;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if ((fcntl(fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &sb) == 0)
        at = sb.st_size;
    ssize_t done = syscall(SYS_write, fd, data, n);
    if (done > 0)
        record(
            CALL_WRITE, fds[fd].node, at, fds[fd].path, "", data, (size_t)done);
    return done;
}

ssize_t
pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    if (!fd_counts(fd))
        return syscall(SYS_pwrite64, fd, data, n, at);
    int f = write_fault("pwrite", &n);
    if (f != 0)
        return f > 0 ? (ssize_t)n : -1;
    ssize_t done = syscall(SYS_pwrite64, fd, data, n, at);
    if (done > 0)
        record(
            CALL_WRITE, fds[fd].node, at, fds[fd].path, "", data, (size_t)done);
    return done;
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t at)
{
    return pwrite64(fd, data, n, at);
}

ssize_t
read(int fd, void *data, size_t n)
{
    if (fd_counts(fd) && fault_now("read", false) != FAULT_NONE &&
        calls->fault != FAULT_LIE)
        return -1;
    return syscall(SYS_read, fd, data, n);
}

ssize_t
pread64(int fd, void *data, size_t n, off64_t at)
{
    if (fd_counts(fd) && fault_now("pread", false) != FAULT_NONE &&
        calls->fault != FAULT_LIE)
        return -1;
    return syscall(SYS_pread64, fd, data, n, at);
}

ssize_t
pread(int fd, void *data, size_t n, off_t at)
{
    return pread64(fd, data, n, at);
}

int
ftruncate64(int fd, off64_t size)
{
    if (fd_counts(fd) && fault_now("ftruncate", true) != FAULT_NONE)
        return calls->fault == FAULT_LIE ? 0 : -1;
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0 && fd_counts(fd))
        record(CALL_SIZE, fds[fd].node, size, fds[fd].path, "", NULL, 0);
    return rc;
}

int
ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

static int
sync_fd(int fd, long number)
{
    if (fd_counts(fd) && fault_now("fsync", true) != FAULT_NONE)
        return calls->fault == FAULT_LIE ? 0 : -1;
    int rc = (int)syscall(number, fd);
    if (rc == 0 && fd_counts(fd))
        record(fds[fd].dir ? CALL_SYNC_DIR : CALL_SYNC, fds[fd].node, 0,
            fds[fd].path, "", NULL, 0);
    return rc;
}

int
fsync(int fd)
{
    return sync_fd(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
    return sync_fd(fd, SYS_fdatasync);
}

/* The reserve, which is no state, without its megabytes. */
int
posix_fallocate(int fd, off_t at, off_t n)
{
    return syscall(SYS_ftruncate, fd, at + n) == 0 ? 0 : errno;
}

int
flock(int fd, int how)
{
    if (fd_counts(fd) && (how & LOCK_UN) == 0 &&
        fault_now("flock", false) != FAULT_NONE && calls->fault != FAULT_LIE)
        return -1;
    return (int)syscall(SYS_flock, fd, how);
}

/* ---- what was acknowledged ---- */

int __real_store_begin(struct store *st, struct err *err);
int __real_store_append_record(struct store *st, uint32_t campaign,
    uint64_t seq, uint32_t kind, const void *data, size_t n, struct err *err);
int __real_store_commit(struct store *st, struct err *err);
int __wrap_store_begin(struct store *st, struct err *err);
int __wrap_store_append_record(struct store *st, uint32_t campaign,
    uint64_t seq, uint32_t kind, const void *data, size_t n, struct err *err);
int __wrap_store_commit(struct store *st, struct err *err);

int
__wrap_store_begin(struct store *st, struct err *err)
{
    if (is_on)
        calls->appended = 0;
    return __real_store_begin(st, err);
}

int
__wrap_store_append_record(struct store *st, uint32_t campaign, uint64_t seq,
    uint32_t kind, const void *data, size_t n, struct err *err)
{
    int rc = __real_store_append_record(st, campaign, seq, kind, data, n, err);
    if (is_on)
        calls->appended += rc == 0;
    return rc;
}

int
__wrap_store_commit(struct store *st, struct err *err)
{
    int rc = __real_store_commit(st, err);
    if (rc == 0 && is_on) {
        calls->acked += calls->appended;
        calls->appended = 0;
        record(CALL_ACK, 0, calls->acked, "", "", NULL, 0);
    }
    return rc;
}
