/* Writes and maps the binary file of a split. data.c and data_build.c call it.
 * Invariant: a name in the cache is a whole file, since it got its name by
 * rename; header and rows carry checksums all the same. */
#include "data_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"

/* A change of the layout is a new magic: old files are then just rebuilt. */
static const char split_magic[8] = "REACTD01";

/* Files above this are not read through just to check them. */
#define SPLIT_CHECK_BYTES_MAX (UINT64_C(64) << 20)

struct split_header {
    char magic[8];
    uint64_t key, rows, positives, features, words, bad_rows, file_bytes;
    uint32_t ids, fields, is_onehot, crc, reserved[14], header_crc;
};
_Static_assert(sizeof(struct split_header) % 8 == 0, "rows are aligned");

static uint32_t
crc_add(uint32_t crc, const void *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
}

static uint32_t
header_crc(const struct split_header *h)
{
    return crc_add(0, h, offsetof(struct split_header, header_crc));
}

static int
writer_create(struct split_writer *w, const char *path, struct err *err)
{
    int fd;
    if (path == NULL) {
        fd = memfd_create("split", MFD_CLOEXEC);
    } else {
        struct buf b = {0};
        buf_printf(&b, "%s.tmp.%ld", path, (long)getpid());
        w->tmp = mem_strdup(buf_str(&b));
        w->path = mem_strdup(path);
        buf_fini(&b);
        fd = open(w->tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (fd < 0)
        return err_sys(
            err, "cannot create %s", path ? w->tmp : "a memory file");
    w->file = fdopen(fd, "w+b");
    if (w->file == NULL) {
        close(fd);
        return err_sys(err, "cannot open a stream");
    }
    return 0;
}

int
split_writer_open(struct split_writer *w, const char *path,
    const struct data_shape *shape, struct err *err)
{
    memset(w, 0, sizeof *w);
    w->shape = *shape;
    int rc = writer_create(w, path, err);
    if (rc != 0) {
        split_writer_abort(w);
        return rc;
    }
    struct split_header zero = {0};
    fwrite(&zero, sizeof zero, 1, w->file);
    return 0;
}

static void
writer_offset(struct split_writer *w)
{
    if (w->shape.is_onehot)
        return;
    if (w->rows == w->offsets_cap) {
        w->offsets_cap = w->offsets_cap ? w->offsets_cap * 2 : 1024;
        w->offsets = mem_realloc(
            w->offsets, (size_t)w->offsets_cap * sizeof *w->offsets);
    }
    w->offsets[w->rows] = w->words;
}

void
split_writer_row(struct split_writer *w, const uint32_t *words, size_t n,
    uint64_t features, bool is_positive)
{
    writer_offset(w);
    fwrite(words, sizeof *words, n, w->file);
    w->crc = crc_add(w->crc, words, n * sizeof *words);
    w->rows++;
    w->positives += is_positive;
    w->features += features;
    w->words += n;
}

static void
writer_tail(struct split_writer *w)
{
    if (w->shape.is_onehot)
        return;
    if (w->words % 2 == 1) {
        uint32_t pad = 0;
        fwrite(&pad, sizeof pad, 1, w->file);
    }
    writer_offset(w);
    uint64_t none = 0;
    const uint64_t *p = w->offsets != NULL ? w->offsets : &none;
    fwrite(p, sizeof *p, (size_t)w->rows + 1, w->file);
}

static void
split_point(struct split *s, const struct split_header *h)
{
    s->rows = h->rows;
    s->positives = h->positives;
    s->features = h->features;
    s->words = (const uint32_t *)((const char *)s->map + sizeof *h);
    s->offsets = NULL;
    if (!h->is_onehot)
        s->offsets =
            (const uint64_t *)(const void *)(s->words + (h->words + 1) / 2 * 2);
}

static int
split_map_fd(int fd, struct split *s, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_sys(err, "cannot stat a split");
    s->map_len = (size_t)st.st_size;
    s->map = mmap(NULL, s->map_len, PROT_READ, MAP_SHARED, fd, 0);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        return err_sys(err, "cannot map a split");
    }
    return 0;
}

int
split_writer_finish(
    struct split_writer *w, struct split *out, uint32_t *crc, struct err *err)
{
    writer_tail(w);
    struct split_header h = {.key = w->shape.key,
        .rows = w->rows,
        .positives = w->positives,
        .features = w->features,
        .words = w->words,
        .bad_rows = w->shape.bad_rows,
        .file_bytes = (uint64_t)ftello(w->file),
        .ids = w->shape.ids,
        .fields = w->shape.fields,
        .is_onehot = w->shape.is_onehot,
        .crc = w->crc};
    memcpy(h.magic, split_magic, sizeof h.magic);
    h.header_crc = header_crc(&h);
    rewind(w->file);
    fwrite(&h, sizeof h, 1, w->file);
    int rc = 0;
    if (fflush(w->file) != 0 || ferror(w->file))
        rc = err_sys(err, "cannot write the encoded rows");
    if (rc == 0)
        rc = split_map_fd(fileno(w->file), out, err);
    if (rc == 0 && w->path != NULL && rename(w->tmp, w->path) != 0)
        rc = err_sys(err, "cannot rename %s", w->tmp);
    if (rc == 0) {
        free(w->tmp);
        w->tmp = NULL;
        split_point(out, &h);
        *crc = w->crc;
    }
    split_writer_abort(w);
    return rc;
}

void
split_writer_abort(struct split_writer *w)
{
    if (w->file != NULL)
        fclose(w->file);
    if (w->tmp != NULL)
        unlink(w->tmp);
    free(w->tmp);
    free(w->path);
    free(w->offsets);
    memset(w, 0, sizeof *w);
}

static bool
header_is_good(const struct split *s, uint64_t key)
{
    const struct split_header *h = s->map;
    return s->map_len >= sizeof *h &&
           memcmp(h->magic, split_magic, sizeof h->magic) == 0 &&
           h->header_crc == header_crc(h) && h->key == key &&
           h->file_bytes == s->map_len;
}

int
split_map(const char *path, uint64_t key, struct split *out,
    struct data_shape *shape, uint32_t *crc)
{
    struct err ignored;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -ERR_NOT_FOUND;
    int rc = split_map_fd(fd, out, &ignored);
    close(fd);
    if (rc != 0)
        return -ERR_NOT_FOUND;
    const struct split_header *h = out->map;
    bool ok = header_is_good(out, key);
    if (ok && h->file_bytes <= SPLIT_CHECK_BYTES_MAX)
        ok = h->crc == crc_add(0, (const char *)out->map + sizeof *h,
                           (size_t)h->words * sizeof(uint32_t));
    if (!ok) {
        split_unmap(out);
        return -ERR_NOT_FOUND;
    }
    split_point(out, h);
    *crc = h->crc;
    *shape = (struct data_shape){.key = key,
        .bad_rows = h->bad_rows,
        .ids = h->ids,
        .fields = h->fields,
        .is_onehot = h->is_onehot != 0};
    return 0;
}

void
split_unmap(struct split *s)
{
    if (s->map != NULL)
        munmap(s->map, s->map_len);
    memset(s, 0, sizeof *s);
}
