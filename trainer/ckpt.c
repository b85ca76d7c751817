/* Writes and reads checkpoints. train.c writes them, train.c and evaluate.c
 * read them. Invariant: a file under its final name was complete when it was
 * renamed, and its checksum says whether it still is. */
#include "ckpt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"

static const char ckpt_magic[8] = "REACTC01";

struct ckpt_header {
    char magic[8];
    uint64_t bytes; /* of the whole file */
    uint64_t fingerprint;
    uint32_t ids, fields;
    struct train_state state;
    uint64_t text_n, weights_n, state_n, best_n;
    uint32_t crc; /* of all that follows the header */
    uint32_t header_crc;
};

static uint32_t
header_check(const struct ckpt_header *h)
{
    return (uint32_t)crc32_z(
        0, (const void *)h, offsetof(struct ckpt_header, header_crc));
}

static size_t
parts_count(const struct model_part *part, int n)
{
    size_t floats = 0;
    for (int i = 0; i < n; i++)
        floats += part[i].rows * part[i].width;
    return floats;
}

static float *
part_pack(const struct model_part *p, float *to)
{
    for (size_t r = 0; r < p->rows; r++, to += p->width)
        memcpy(to, p->p + r * p->stride, p->width * sizeof *to);
    return to;
}

static const float *
part_unpack(const struct model_part *p, const float *from)
{
    for (size_t r = 0; r < p->rows; r++, from += p->width)
        memcpy(p->p + r * p->stride, from, p->width * sizeof *from);
    return from;
}

void
best_keep(struct best *b, struct model *m)
{
    struct model_part part[MODEL_PARTS_MAX];
    int weights;
    (void)model_parts(m, part, &weights);
    if (b->weights == NULL) {
        b->n = parts_count(part, weights);
        b->weights = mem_calloc(b->n, sizeof *b->weights);
    }
    float *to = b->weights;
    for (int i = 0; i < weights; i++)
        to = part_pack(&part[i], to);
}

void
best_use(const struct best *b, struct model *m)
{
    struct model_part part[MODEL_PARTS_MAX];
    int weights;
    (void)model_parts(m, part, &weights);
    const float *from = b->weights;
    for (int i = 0; i < weights; i++)
        from = part_unpack(&part[i], from);
}

void
best_fini(struct best *b)
{
    free(b->weights);
    memset(b, 0, sizeof *b);
}

struct writer {
    FILE *file;
    uint32_t crc;
};

static void
writer_add(struct writer *w, const void *p, size_t n)
{
    if (n == 0)
        return;
    fwrite(p, 1, n, w->file);
    w->crc = (uint32_t)crc32_z(w->crc, p, n);
}

/* Packs a part piece by piece, so that no second model is held. */
static void
writer_part(struct writer *w, const struct model_part *p)
{
    enum { PIECE = 1 << 14 };
    size_t rows = p->width < PIECE ? PIECE / p->width : 1;
    float *piece = mem_calloc(rows * p->width, sizeof *piece);
    for (size_t r = 0; r < p->rows; r += rows) {
        struct model_part some = *p;
        some.p += r * p->stride;
        some.rows = p->rows - r < rows ? p->rows - r : rows;
        part_pack(&some, piece);
        writer_add(w, piece, some.rows * p->width * sizeof *piece);
    }
    free(piece);
}

static void
ckpt_body(struct writer *w, struct ckpt_header *h, const struct config *c,
    struct model *m, const struct best *b)
{
    struct buf text = {0};
    struct model_part part[MODEL_PARTS_MAX];
    int weights, parts = model_parts(m, part, &weights);
    config_text(c, FLAG_DATA, &text);
    config_text(c, FLAG_MODEL, &text);
    while (text.len % 8 != 0)
        buf_putc(&text, '\n');
    h->text_n = text.len;
    h->weights_n = parts_count(part, weights);
    h->state_n = parts_count(part + weights, parts - weights);
    h->best_n = b->weights != NULL ? b->n : 0;
    writer_add(w, text.data, text.len);
    for (int i = 0; i < parts; i++)
        writer_part(w, &part[i]);
    if (b->weights != NULL)
        writer_add(w, b->weights, b->n * sizeof *b->weights);
    buf_fini(&text);
}

static int
ckpt_save(const char *tmp, struct ckpt_header *h, const struct config *c,
    struct model *m, const struct best *b, struct err *err)
{
    struct writer w = {.file = fopen(tmp, "wbe")};
    if (w.file == NULL)
        return err_sys(err, "cannot create %s", tmp);
    fwrite(h, sizeof *h, 1, w.file);
    ckpt_body(&w, h, c, m, b);
    h->crc = w.crc;
    h->bytes = (uint64_t)ftello(w.file);
    h->header_crc = header_check(h);
    rewind(w.file);
    fwrite(h, sizeof *h, 1, w.file);
    int rc = 0;
    if (fflush(w.file) != 0 || ferror(w.file) || fdatasync(fileno(w.file)) != 0)
        rc = err_sys(err, "cannot write %s", tmp);
    fclose(w.file);
    return rc;
}

int
ckpt_write(const char *path, const struct config *c,
    const struct ckpt_shape *shape, const struct train_state *st,
    struct model *m, const struct best *b, struct err *err)
{
    struct ckpt_header h = {.fingerprint = shape->fingerprint,
        .ids = shape->ids,
        .fields = shape->fields,
        .state = *st};
    memcpy(h.magic, ckpt_magic, sizeof h.magic);
    struct buf tmp = {0};
    buf_printf(&tmp, "%s.tmp", path);
    int rc = ckpt_save(buf_str(&tmp), &h, c, m, b, err);
    if (rc == 0 && rename(buf_str(&tmp), path) != 0)
        rc = err_sys(err, "cannot rename %s", buf_str(&tmp));
    if (rc != 0)
        unlink(buf_str(&tmp));
    buf_fini(&tmp);
    return rc;
}

static int
ckpt_map(struct ckpt *k, const char *path, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT
                   ? err_set(err, -ERR_NOT_FOUND, "no checkpoint %s", path)
                   : err_sys(err, "cannot open %s", path);
    int rc = 0;
    if (fstat(fd, &st) != 0)
        rc = err_sys(err, "cannot stat %s", path);
    else if ((size_t)st.st_size < sizeof(struct ckpt_header))
        rc = err_set(err, -ERR_INPUT,
            "%s is torn: %lld bytes are no checkpoint; remove it and start "
            "again",
            path, (long long)st.st_size);
    if (rc == 0) {
        k->map_len = (size_t)st.st_size;
        k->map = mmap(NULL, k->map_len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (k->map == MAP_FAILED) {
            k->map = NULL;
            rc = err_sys(err, "cannot map %s", path);
        }
    }
    close(fd);
    return rc;
}

static int
ckpt_check(const struct ckpt *k, const char *path, struct err *err)
{
    const struct ckpt_header *h = k->map;
    if (memcmp(h->magic, ckpt_magic, 6) != 0)
        return err_set(err, -ERR_INPUT, "%s is no checkpoint of rea-ctr", path);
    if (memcmp(h->magic, ckpt_magic, sizeof h->magic) != 0)
        return err_set(err, -ERR_INPUT,
            "%s is of another version (%.2s, here %.2s); train again", path,
            h->magic + 6, ckpt_magic + 6);
    const char *body = (const char *)k->map + sizeof *h;
    size_t n = k->map_len - sizeof *h;
    if (h->header_crc != header_check(h) || h->bytes != k->map_len ||
        h->text_n + 4 * (h->weights_n + h->state_n + h->best_n) != n ||
        h->crc != (uint32_t)crc32_z(0, (const void *)body, n))
        return err_set(err, -ERR_INPUT,
            "%s is torn: its checksum does not agree; remove it and start "
            "again",
            path);
    return 0;
}

int
ckpt_open(struct ckpt *k, const char *path, struct err *err)
{
    memset(k, 0, sizeof *k);
    int rc = ckpt_map(k, path, err);
    if (rc == 0)
        rc = ckpt_check(k, path, err);
    if (rc != 0) {
        ckpt_close(k);
        return rc;
    }
    const struct ckpt_header *h = k->map;
    const char *body = (const char *)k->map + sizeof *h;
    k->text = mem_calloc((size_t)h->text_n + 1, 1);
    memcpy(k->text, body, (size_t)h->text_n);
    k->shape = (struct ckpt_shape){h->fingerprint, h->ids, h->fields};
    k->state = h->state;
    k->weights = (const float *)(const void *)(body + h->text_n);
    k->weights_n = (size_t)h->weights_n;
    k->state_n = (size_t)h->state_n;
    if (h->best_n > 0)
        k->best = k->weights + k->weights_n + k->state_n;
    return 0;
}

void
ckpt_close(struct ckpt *k)
{
    if (k->map != NULL)
        munmap(k->map, k->map_len);
    free(k->text);
    memset(k, 0, sizeof *k);
}

static int
size_differs(struct err *err)
{
    return err_set(err, -ERR_INPUT,
        "the checkpoint holds a model of another size than these flags give");
}

int
ckpt_restore(
    const struct ckpt *k, struct model *m, struct best *b, struct err *err)
{
    struct model_part part[MODEL_PARTS_MAX];
    int weights, parts = model_parts(m, part, &weights);
    if (parts_count(part, weights) != k->weights_n ||
        parts_count(part + weights, parts - weights) != k->state_n)
        return size_differs(err);
    const float *from = k->weights;
    for (int i = 0; i < parts; i++)
        from = part_unpack(&part[i], from);
    if (k->best != NULL) {
        best_keep(b, m);
        memcpy(b->weights, k->best, b->n * sizeof *b->weights);
    }
    return 0;
}

int
ckpt_use(const struct ckpt *k, struct model *m, struct err *err)
{
    struct model_part part[MODEL_PARTS_MAX];
    int weights;
    (void)model_parts(m, part, &weights);
    if (parts_count(part, weights) != k->weights_n)
        return size_differs(err);
    const float *from = k->best != NULL ? k->best : k->weights;
    for (int i = 0; i < weights; i++)
        from = part_unpack(&part[i], from);
    return 0;
}
