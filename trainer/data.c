/* Finds the files of a data set and gives its encoded rows, from the cache
 * where it can. train.c and main.c call it. Invariant: a cache entry is named
 * by everything that decides its content, so it is never stale. */
#include "data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/rng.h"
#include "data_build.h"
#include "data_file.h"

static void
paths_fini(struct data_paths *p)
{
    for (int i = 0; i < SPLIT_N; i++)
        free(p->path[i]);
}

/* First of "DIR/split.NAME.*" by name. */
static char *
dir_find(const char *dir, const char *name)
{
    struct buf prefix = {0}, found = {0};
    char *out = NULL;
    buf_printf(&prefix, "split.%s.", name);
    DIR *d = opendir(dir);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (strncmp(e->d_name, prefix.data, prefix.len) != 0 ||
            strstr(e->d_name, ".tmp") != NULL)
            continue;
        buf_clear(&found);
        buf_printf(&found, "%s/%s", dir, e->d_name);
        if (out == NULL || strcmp(buf_str(&found), out) < 0) {
            free(out);
            out = mem_strdup(buf_str(&found));
        }
    }
    if (d != NULL)
        closedir(d);
    buf_fini(&prefix);
    buf_fini(&found);
    return out;
}

static int
paths_find(struct data_paths *p, const struct config *c, struct err *err)
{
    struct stat st;
    memset(p, 0, sizeof *p);
    if (c->data[0] == '\0')
        return err_set(err, -ERR_INPUT,
            "no data: give --data=DIR or --data=FILE, or see --help");
    if (stat(c->data, &st) != 0)
        return err_set(
            err, -ERR_NOT_FOUND, "--data=%s: %s", c->data, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        p->path[SPLIT_TRAIN] = dir_find(c->data, "train");
        p->path[SPLIT_VALID] = dir_find(c->data, "valid");
        p->path[SPLIT_TEST] = dir_find(c->data, "test");
        if (p->path[SPLIT_TRAIN] == NULL)
            return err_set(err, -ERR_NOT_FOUND,
                "--data=%s holds no split.train.* file", c->data);
    } else {
        p->path[SPLIT_TRAIN] = mem_strdup(c->data);
    }
    const char *given[SPLIT_N] = {"", c->valid_data, c->test_data};
    for (int i = SPLIT_VALID; i < SPLIT_N; i++) {
        if (given[i][0] == '\0')
            continue;
        free(p->path[i]);
        p->path[i] = mem_strdup(given[i]);
    }
    return 0;
}

/* Size, time and both ends of a file: cheap, and any rewrite changes it. */
static int
file_key(const char *path, uint64_t *key, struct err *err)
{
    unsigned char ends[1 << 16];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT
                   ? err_set(err, -ERR_NOT_FOUND, "no file %s", path)
                   : err_sys(err, "cannot open %s", path);
    if (fstat(fd, &st) != 0) {
        int rc = err_sys(err, "cannot stat %s", path);
        close(fd);
        return rc;
    }
    uint64_t h = rng_mix(
        (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec * 1000000000u +
                                  (uint64_t)st.st_mtim.tv_nsec);
    off_t tail = st.st_size - (off_t)sizeof ends;
    for (int i = 0; i < 2; i++) {
        ssize_t n = pread(fd, ends, sizeof ends, i == 0 || tail < 0 ? 0 : tail);
        if (n > 0)
            h = rng_mix(h, crc32_z(0, ends, (size_t)n));
    }
    close(fd);
    *key = rng_mix(*key, h);
    return 0;
}

static int
data_key(const struct config *c, const struct data_paths *p, uint64_t *key,
    struct err *err)
{
    struct buf text = {0};
    config_text(c, FLAG_DATA, &text);
    *key = crc32_z(0, (const unsigned char *)text.data, text.len);
    *key |= (uint64_t)adler32_z(1, (const unsigned char *)text.data, text.len)
            << 32;
    buf_fini(&text);
    int rc = 0;
    for (uint64_t i = 0; i < SPLIT_N && rc == 0; i++) {
        *key = rng_mix(*key, i);
        if (p->path[i] != NULL)
            rc = file_key(p->path[i], key, err);
    }
    return rc;
}

static int
cache_read(struct dataset *d, uint64_t key, const char *prefix,
    uint32_t crc[static SPLIT_N])
{
    static const char *const names[] = {"train", "valid", "test"};
    struct data_shape shape = {0};
    int rc = 0;
    for (int s = 0; s < SPLIT_N && rc == 0; s++) {
        struct buf path = {0};
        buf_printf(&path, "%s.%s", prefix, names[s]);
        rc = split_map(buf_str(&path), key, &d->split[s], &shape, &crc[s]);
        buf_fini(&path);
    }
    if (rc != 0) {
        dataset_close(d);
        return rc;
    }
    d->ids = shape.ids;
    d->fields = shape.fields;
    d->is_onehot = shape.is_onehot;
    d->bad_rows = shape.bad_rows;
    if (d->bad_rows > 0)
        fprintf(stderr, "rea-ctr: %llu bad rows were left out of the cache\n",
            (unsigned long long)d->bad_rows);
    return 0;
}

static bool
cache_is_usable(const char *dir)
{
    if (dir[0] == '\0')
        return false;
    if ((mkdir(dir, 0777) == 0 || errno == EEXIST) && access(dir, W_OK) == 0)
        return true;
    fprintf(stderr, "rea-ctr: no cache, --cache=%s cannot be written: %s\n",
        dir, strerror(errno));
    return false;
}

static int
dataset_load(struct dataset *d, const struct config *c,
    const struct data_paths *paths, uint32_t crc[static SPLIT_N],
    struct err *err)
{
    uint64_t key;
    int rc = data_key(c, paths, &key, err);
    if (rc != 0)
        return rc;
    if (!cache_is_usable(c->cache))
        return data_build(d, c, paths, key, NULL, crc, err);
    struct buf prefix = {0};
    buf_printf(&prefix, "%s/%016llx", c->cache, (unsigned long long)key);
    rc = cache_read(d, key, buf_str(&prefix), crc);
    if (rc != 0)
        rc = data_build(d, c, paths, key, buf_str(&prefix), crc, err);
    buf_fini(&prefix);
    return rc;
}

int
dataset_open(struct dataset *d, const struct config *c, struct err *err)
{
    memset(d, 0, sizeof *d);
    struct data_paths paths;
    uint32_t crc[SPLIT_N] = {0};
    int rc = paths_find(&paths, c, err);
    if (rc == 0)
        rc = dataset_load(d, c, &paths, crc, err);
    paths_fini(&paths);
    if (rc != 0) {
        dataset_close(d);
        return rc;
    }
    if (d->split[SPLIT_TRAIN].rows == 0) {
        dataset_close(d);
        return err_set(
            err, -ERR_INPUT, "--data=%s holds no training rows", c->data);
    }
    d->fingerprint = rng_mix(d->ids, d->fields);
    for (int s = 0; s < SPLIT_N; s++)
        d->fingerprint =
            rng_mix(d->fingerprint, rng_mix(d->split[s].rows, crc[s]));
    return 0;
}

void
dataset_close(struct dataset *d)
{
    for (int s = 0; s < SPLIT_N; s++)
        split_unmap(&d->split[s]);
    memset(d, 0, sizeof *d);
}
