/* Files, paths and clocks (fs.h); content hashes are in fs_hash.c. Called by
 * every shell layer. Invariant: a file written here is seen whole or not at
 * all, whatever dies in between. */
#include "base/fs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { READ_MAX = 64 << 20 };

static int
open_failed(const char *path, struct err *err)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return err_set(err, -ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    return err_sys(err, "open %s", path);
}

static int
read_fd(int fd, const char *path, size_t max, struct buf *out, struct err *err)
{
    size_t start = out->len;
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, "read %s", path);
        if (n == 0)
            return 0;
        if (out->len - start + (size_t)n > max)
            return err_set(
                err, -ERR_LIMIT, "%s: larger than %zu bytes", path, max);
        buf_add(out, chunk, (size_t)n);
    }
}

int
fs_read(const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return open_failed(path, err);
    struct stat st;
    int rc;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        rc = err_set(err, -ERR_INPUT, "%s: is a folder, not a file", path);
    else
        rc = read_fd(fd, path, max_bytes ? max_bytes : READ_MAX, out, err);
    close(fd);
    return rc;
}

static int
write_all(int fd, const char *path, const char *p, size_t n, struct err *err)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return err_sys(err, "write %s", path);
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

int
fs_sync_dir(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return open_failed(path, err);
    int rc = fsync(fd) == 0 ? 0 : err_sys(err, "sync %s", path);
    close(fd);
    return rc;
}

/* *kept: the open file, for a later sync; NULL: it is closed. */
static int
write_tmp(const char *tmp, const char *path, const struct fs_small *f,
    bool durable, int *kept, struct err *err)
{
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return open_failed(tmp, err);
    int rc = write_all(fd, path, f->data, f->n, err);
    struct stat old;
    if (rc == 0 && stat(path, &old) == 0 && fchmod(fd, old.st_mode) != 0)
        rc = err_sys(err, "set the mode of %s", path);
    if (rc == 0 && durable && fsync(fd) != 0)
        rc = err_sys(err, "sync %s", path);
    if (rc == 0 && kept != NULL) {
        *kept = fd;
        return 0;
    }
    if (close(fd) != 0 && rc == 0)
        rc = err_sys(err, "close %s", path);
    return rc;
}

/* Containers of one machine may share its name and count from 1. The same for
 * the life of a process, so it is asked for once. */
static uint32_t
host_hash(void)
{
    static uint32_t known;
    struct utsname u;
    struct stat ns;
    uint32_t h = 2166136261u; /* FNV-1a */
    if (known != 0)
        return known;
    if (uname(&u) == 0)
        for (const char *p = u.nodename; *p != '\0'; p++)
            h = (h ^ (unsigned char)*p) * 16777619u;
    if (stat("/proc/self/ns/pid", &ns) == 0)
        h = (h ^ (uint32_t)ns.st_ino) * 16777619u;
    return known = h;
}

char *
fs_tmp_in(struct arena *a, const char *path)
{
    return arena_printf(
        a, "%s.tmp.%ld-%08x", path, (long)getpid(), host_hash());
}

static int
write_placed(const struct fs_small *f, bool durable, int *kept, struct err *err)
{
    struct arena a = {0};
    char *tmp = fs_tmp_in(&a, f->path);
    int rc = write_tmp(tmp, f->path, f, durable, kept, err);
    if (rc == 0 && rename(tmp, f->path) != 0)
        rc = err_sys(err, "rename %s to %s", tmp, f->path);
    if (rc != 0)
        unlink(tmp);
    arena_fini(&a);
    return rc;
}

static int
dir_sync_of(const char *path, struct err *err)
{
    struct arena a = {0};
    int rc = fs_sync_dir(fs_dir_in(&a, path), err);
    arena_fini(&a);
    return rc;
}

static bool
same_dir(const char *a, const char *b)
{
    size_t n = (size_t)(fs_base(a) - a);
    return (size_t)(fs_base(b) - b) == n && strncmp(a, b, n) == 0;
}

int
fs_write_atomic(const char *path, const void *data, size_t n,
    enum fs_durable durable, struct err *err)
{
    const struct fs_small f = {path, data, n};
    int rc = write_placed(&f, durable == FS_DURABLE, NULL, err);
    return rc == 0 && durable == FS_DURABLE ? dir_sync_of(path, err) : rc;
}

/* The last one first: where a sync commits all names that were made before it,
 * as a journal does, those that follow find nothing left to do. */
static int
small_sync(
    const struct fs_small *file, const int *fd, size_t n, struct err *err)
{
    int rc = 0;
    for (size_t i = n; rc == 0 && i-- > 0;)
        if (fsync(fd[i]) != 0)
            rc = err_sys(err, "sync %s", file[i].path);
    for (size_t i = n; rc == 0 && i-- > 0;)
        if (i + 1 == n || !same_dir(file[i].path, file[i + 1].path))
            rc = dir_sync_of(file[i].path, err);
    return rc;
}

int
fs_write_together(const struct fs_small *file, size_t n,
    enum fs_durable durable, struct err *err)
{
    int fd[FS_TOGETHER_MAX], rc = 0;
    size_t open_n = 0;
    bool sync = durable == FS_DURABLE;
    assert(n <= FS_TOGETHER_MAX);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = write_placed(&file[i], false, sync ? &fd[i] : NULL, err);
        if (rc != 0 || !sync)
            continue;
        open_n++;
        /* a hint: under way by the time that the sync asks for it */
        sync_file_range(fd[i], 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    if (rc == 0 && sync)
        rc = small_sync(file, fd, n, err);
    while (open_n > 0)
        close(fd[--open_n]);
    return rc;
}

int
fs_sync_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return open_failed(path, err);
    int rc = fsync(fd) == 0 ? 0 : err_sys(err, "sync %s", path);
    close(fd);
    return rc == 0 ? dir_sync_of(path, err) : rc;
}

int
fs_append(const char *path, const void *data, size_t n, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return open_failed(path, err);
    int rc = write_all(fd, path, data, n, err);
    if (close(fd) != 0 && rc == 0)
        rc = err_sys(err, "close %s", path);
    return rc;
}

/* Makes what is missing above the last '/' of p, then p. Upward first: mostly
 * all but one or two are there. */
static int
dir_make(char *p)
{
    if (mkdir(p, 0777) == 0 || (errno == EEXIST && fs_is_dir(p)))
        return 0;
    char *slash = strrchr(p, '/');
    if (errno != ENOENT || slash == NULL || slash == p)
        return -1;
    *slash = '\0';
    int rc = dir_make(p);
    *slash = '/';
    return rc == 0 && mkdir(p, 0777) != 0 && !fs_is_dir(p) ? -1 : rc;
}

int
fs_mkdirs(const char *path, struct err *err)
{
    struct arena a = {0};
    char *p = arena_strdup(&a, path);
    int rc = dir_make(p) == 0 ? 0 : err_sys(err, "make folder %s", path);
    arena_fini(&a);
    return rc;
}

int
fs_remove(const char *path, struct err *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return err_sys(err, "remove %s", path);
    return 0;
}

int
fs_remove_tree(const char *path, struct err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_sys(err, "stat %s", path);
    if (!S_ISDIR(st.st_mode))
        return fs_remove(path, err);
    struct arena a = {0};
    const char **names;
    size_t n;
    int rc = fs_list_in(&a, path, &names, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = fs_remove_tree(fs_join_in(&a, path, names[i]), err);
    if (rc == 0 && rmdir(path) != 0 && errno != ENOENT)
        rc = err_sys(err, "remove folder %s", path);
    arena_fini(&a);
    return rc;
}

bool
fs_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool
fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
fs_is_plain(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool
fs_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int64_t
fs_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

int
fs_mtime_look(const char *path, int64_t *ms, struct err *err)
{
    struct stat st;
    *ms = -1;
    if (stat(path, &st) == 0)
        *ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    else if (errno == EIO || errno == ESTALE || errno == ETIMEDOUT ||
             errno == ENOMEM)
        return err_sys(err, "look at %s", path);
    return 0;
}

int64_t
fs_mtime_ms(const char *path)
{
    int64_t ms;
    fs_mtime_look(path, &ms, NULL);
    return ms;
}

void
fs_join(struct buf *out, const char *dir, const char *name)
{
    if (name[0] != '/' && dir[0] != '\0' && strcmp(dir, ".") != 0) {
        buf_puts(out, dir);
        if (dir[strlen(dir) - 1] != '/')
            buf_putc(out, '/');
    }
    buf_puts(out, name);
}

char *
fs_join_in(struct arena *a, const char *dir, const char *name)
{
    struct buf b = {0};
    fs_join(&b, dir, name);
    char *s = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

const char *
fs_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *
fs_dir_in(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return arena_strdup(a, ".");
    return arena_strndup(a, path, slash == path ? 1 : (size_t)(slash - path));
}

int
fs_real_in(struct arena *a, const char *path, const char **out, struct err *err)
{
    char *real = realpath(path, NULL);
    if (real == NULL)
        return open_failed(path, err);
    *out = arena_strdup(a, real);
    free(real);
    return 0;
}

static int
name_order(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

int
fs_list_in(struct arena *a, const char *dir, const char ***names, size_t *n,
    struct err *err)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return open_failed(dir, err);
    const char **list = NULL;
    size_t len = 0, cap = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (len == cap) {
            cap = cap ? 2 * cap : 32;
            list = mem_realloc(list, cap * sizeof *list);
        }
        list[len++] = arena_strdup(a, e->d_name);
    }
    closedir(d);
    if (len > 0)
        qsort(list, len, sizeof *list, name_order);
    *names = arena_alloc(a, (len + 1) * sizeof *list);
    for (size_t i = 0; i < len; i++)
        (*names)[i] = list[i];
    free(list);
    *n = len;
    return 0;
}

static int64_t
clock_ns(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
fs_now_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t
fs_boot_ms(void)
{
    return clock_ns(CLOCK_BOOTTIME) / 1000000;
}

int64_t
fs_mono_us(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000;
}

void
fs_boot_id(char out[FS_BOOT_ID])
{
    struct buf b = {0};
    out[0] = '\0';
    if (fs_read("/proc/sys/kernel/random/boot_id", 256, &b, NULL) == 0) {
        size_t n = strcspn(buf_str(&b), "\n");
        if (n < FS_BOOT_ID) {
            memcpy(out, buf_str(&b), n);
            out[n] = '\0';
        }
    }
    buf_fini(&b);
}

int64_t
fs_free_bytes(const char *path)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return -1;
    return (int64_t)(v.f_bavail * v.f_frsize);
}

bool
fs_is_network(const char *path, const char **name)
{
    /* Magic numbers of statfs(2) and of the kernel's magic.h; FUSE is named
     * because sshfs and cluster mounts come through it. */
    static const struct {
        uint32_t magic;
        const char *name;
    } nets[] = {
        {0x6969, "nfs"},
        {0x517b, "smb"},
        {0xff534d42, "cifs"},
        {0xfe534d42, "smb2"},
        {0x00c36400, "ceph"},
        {0x0bd00bd0, "lustre"},
        {0x47504653, "gpfs"},
        {0x01021997, "9p"},
        {0x5346414f, "afs"},
        {0x6b414653, "kafs"},
        {0x73757245, "coda"},
        {0x7461636f, "ocfs2"},
        {0x01161970, "gfs2"},
        {0x19830326, "beegfs"},
        {0x65735546, "fuse"},
    };
    struct statfs s;
    if (statfs(path, &s) != 0)
        return false;
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        if ((uint32_t)s.f_type == nets[i].magic) {
            if (name != NULL)
                *name = nets[i].name;
            return true;
        }
    }
    return false;
}
