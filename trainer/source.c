/* Reads text lines through zlib (plain and gzip) or liblzma (xz). The row
 * parsers of format.c call it. Invariant: a file that ends before its
 * compressed stream does is an error, never a short read. */
#include "source.h"

#include <errno.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"

enum { SOURCE_CHUNK = 1 << 16, SOURCE_LINE_MAX = 1 << 20 };

struct source {
    char *path;
    gzFile gz;  /* plain and gzip */
    FILE *file; /* xz */
    lzma_stream xz;
    bool is_xz, at_end;
    uint64_t line_number;
    size_t begin, end, cap; /* the unread part of text */
    char *text;
    uint8_t packed[SOURCE_CHUNK];
};

static bool
has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

static int
source_start(struct source *s, struct err *err)
{
    if (!s->is_xz) {
        s->gz = gzopen(s->path, "rbe");
        if (s->gz == NULL)
            return err_sys(err, "cannot open %s", s->path);
        gzbuffer(s->gz, SOURCE_CHUNK);
        return 0;
    }
    s->file = fopen(s->path, "rbe");
    if (s->file == NULL)
        return err_sys(err, "cannot open %s", s->path);
    s->xz = (lzma_stream)LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&s->xz, 256u << 20, LZMA_CONCATENATED) != LZMA_OK)
        return err_set(err, -ERR_SYS, "cannot start the xz decoder");
    return 0;
}

int
source_open(const char *path, struct source **out, struct err *err)
{
    struct source *s = mem_calloc(1, sizeof *s);
    s->path = mem_strdup(path);
    s->is_xz = has_suffix(path, ".xz");
    s->cap = 2 * SOURCE_CHUNK;
    s->text = mem_calloc(1, s->cap + 1);
    int rc = source_start(s, err);
    if (rc != 0) {
        if (errno == ENOENT)
            rc = err_set(err, -ERR_NOT_FOUND, "no file %s", path);
        source_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void
source_close(struct source *s)
{
    if (s == NULL)
        return;
    if (s->gz != NULL)
        gzclose(s->gz);
    if (s->file != NULL) {
        lzma_end(&s->xz);
        fclose(s->file);
    }
    free(s->path);
    free(s->text);
    free(s);
}

static int
xz_fill(struct source *s, char *to, size_t room, size_t *got, struct err *err)
{
    s->xz.next_out = (uint8_t *)to;
    s->xz.avail_out = room;
    while (s->xz.avail_out == room && !s->at_end) {
        if (s->xz.avail_in == 0 && !feof(s->file)) {
            s->xz.next_in = s->packed;
            s->xz.avail_in = fread(s->packed, 1, sizeof s->packed, s->file);
            if (ferror(s->file))
                return err_sys(err, "cannot read %s", s->path);
        }
        lzma_ret rc = lzma_code(&s->xz, feof(s->file) ? LZMA_FINISH : LZMA_RUN);
        if (rc == LZMA_STREAM_END)
            s->at_end = true;
        else if (rc == LZMA_BUF_ERROR)
            return err_set(err, -ERR_INPUT,
                "%s is cut off after line %llu: the xz stream has no end; "
                "copy the file again",
                s->path, (unsigned long long)s->line_number);
        else if (rc != LZMA_OK)
            return err_set(err, -ERR_INPUT,
                "%s is damaged after line %llu (xz error %d); copy the file "
                "again",
                s->path, (unsigned long long)s->line_number, (int)rc);
    }
    *got = room - s->xz.avail_out;
    return 0;
}

static int
gz_fill(struct source *s, char *to, size_t room, size_t *got, struct err *err)
{
    int n = gzread(s->gz, to, (unsigned)room);
    int code = Z_OK;
    const char *text = gzerror(s->gz, &code);
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
        return err_set(err, -ERR_INPUT,
            "%s is cut off or damaged after line %llu (%s); copy the file "
            "again",
            s->path, (unsigned long long)s->line_number,
            code == Z_BUF_ERROR ? "unexpected end" : text);
    s->at_end = n == 0;
    *got = (size_t)n;
    return 0;
}

/* Moves the unread part to the front and reads behind it. */
static int
source_fill(struct source *s, struct err *err)
{
    memmove(s->text, s->text + s->begin, s->end - s->begin);
    s->end -= s->begin;
    s->begin = 0;
    if (s->cap - s->end < SOURCE_CHUNK) {
        if (s->cap >= SOURCE_LINE_MAX + 2 * SOURCE_CHUNK)
            return err_set(err, -ERR_INPUT,
                "%s: line %llu is longer than 1 MiB", s->path,
                (unsigned long long)s->line_number + 1);
        s->cap *= 2;
        s->text = mem_realloc(s->text, s->cap + 1);
    }
    size_t got = 0;
    char *to = s->text + s->end;
    int rc = s->is_xz ? xz_fill(s, to, s->cap - s->end, &got, err)
                      : gz_fill(s, to, s->cap - s->end, &got, err);
    s->end += got;
    return rc;
}

int
source_line(struct source *s, char **line, size_t *len, struct err *err)
{
    size_t seen = 0;
    for (;;) {
        char *p = s->text + s->begin;
        size_t have = s->end - s->begin;
        char *nl = have > seen ? memchr(p + seen, '\n', have - seen) : NULL;
        if (nl == NULL && !s->at_end) {
            seen = have;
            int rc = source_fill(s, err);
            if (rc != 0)
                return rc;
            continue;
        }
        if (nl == NULL && have == 0) {
            *line = NULL;
            *len = 0;
            return 0;
        }
        size_t n = nl != NULL ? (size_t)(nl - p) : have;
        s->begin += nl != NULL ? n + 1 : n;
        if (n > 0 && p[n - 1] == '\r')
            n--;
        p[n] = '\0';
        s->line_number++;
        *line = p;
        *len = n;
        return 0;
    }
}

uint64_t
source_line_number(const struct source *s)
{
    return s->line_number;
}

const char *
source_path(const struct source *s)
{
    return s->path;
}
