/* rea-read: paths in, papers out. Standard input lists files, each ended by a
 * NUL; standard output gets one JSON line for each thing that is to be said:
 *   {"guard": WORDS}                     what holds this process
 *   {"begin": true} ... {"end": true}    around what a file gave
 *   {"id", "title", "date", "licence", "source", "text", "where", "whole"}
 *   {"bad": WHY, "where": PLACE}
 * Called by papers/read_run.c as `rea-read` or `rea-read --pdf` (one file).
 * Invariant: it writes nothing but that output, and opens nothing but what is
 * listed. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "papers/read/doc.h"
#include "papers/read/guard.h"
#include "papers/read/pdf.h"

enum {
    FILE_MAX = 64 << 20,  /* of a file that is read as a whole */
    LINE_MAX_ = 16 << 20, /* of one JSON line */
    OUT_FLUSH = 1 << 16,
    RATIO_MAX = 200,          /* of expanded to packed bytes, */
    RATIO_FROM = 16 << 20,    /* looked at from here on */
    SECONDS = 20,             /* of processor time for a file, and one more */
    BYTES_A_SECOND = 1 << 20, /* for each of these */
};

static struct buf out;
static bool whole; /* does the present file hold one paper? */

static void
out_flush(void)
{
    size_t at = 0;
    while (at < out.len) {
        ssize_t n = write(STDOUT_FILENO, out.data + at, out.len - at);
        if (n <= 0)
            _exit(1); /* nobody listens any more */
        at += (size_t)n;
    }
    buf_clear(&out);
}

static void
line_end(struct jw *w)
{
    jw_obj_end(w);
    buf_putc(&out, '\n');
    if (out.len >= OUT_FLUSH)
        out_flush();
}

static void
say_word(const char *key, const char *value)
{
    struct jw w;
    jw_init(&w, &out, 0);
    jw_obj_begin(&w);
    if (value != NULL)
        jw_kstr(&w, key, value);
    else
        jw_kbool(&w, key, true);
    line_end(&w);
}

static void
field(struct jw *w, const char *key, const struct buf *b)
{
    jw_key(w, key);
    jw_strn(w, buf_str(b), b->len);
}

static void
say_paper(void *ctx, const struct doc *d, const char *where)
{
    struct jw w;
    (void)ctx;
    jw_init(&w, &out, 0);
    jw_obj_begin(&w);
    field(&w, "id", &d->id);
    field(&w, "title", &d->title);
    field(&w, "date", &d->date);
    field(&w, "licence", &d->licence);
    field(&w, "source", &d->source);
    field(&w, "text", &d->text);
    jw_kstr(&w, "where", where);
    jw_kbool(&w, "whole", whole);
    line_end(&w);
}

static void
say_bad(void *ctx, const char *where, const char *why)
{
    struct jw w;
    struct buf clean = {0}, line = {0};
    (void)ctx;
    text_clean(&clean, why, strlen(why));
    text_line(&line, buf_str(&clean), clean.len);
    jw_init(&w, &out, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "bad", buf_str(&line));
    jw_kstr(&w, "where", where);
    line_end(&w);
    buf_fini(&clean);
    buf_fini(&line);
}

/* ---- one file ---- */

typedef void reader(const char *s, size_t n, const struct outlet *o);

static reader *
reader_of(const char *path, bool *lines)
{
    static const struct {
        const char *suffix;
        reader *read;
        bool whole;
    } known[] = {{".txt", read_text, true}, {".md", read_markdown, true},
        {".markdown", read_markdown, true}, {".json", read_json, false},
        {".html", read_html, true}, {".htm", read_html, true},
        {".xhtml", read_html, true}, {".tex", read_latex, true},
        {".ltx", read_latex, true}, {".bib", read_bibtex, false},
        {".bibtex", read_bibtex, false}, {".xml", read_atom, false},
        {".atom", read_atom, false}};
    char name[4096];
    snprintf(name, sizeof name, "%s", path);
    if (name_ends(name, ".gz"))
        name[strlen(name) - 3] = '\0';
    *lines = name_ends(name, ".jsonl") || name_ends(name, ".ndjson");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (name_ends(name, known[i].suffix)) {
            whole = known[i].whole;
            return known[i].read;
        }
    whole = false;
    return NULL;
}

/* The next bytes, expanded; < 0: bad, with why. */
static int
chunk_read(gzFile f, struct buf *b, uint64_t *total, const char **why)
{
    static char chunk[1 << 16];
    int n = gzread(f, chunk, sizeof chunk);
    *total += n > 0 ? (uint64_t)n : 0;
    int64_t packed = gzoffset(f);
    int state = Z_OK;
    if (n == 0) /* a packed file that ends early says so here alone */
        gzerror(f, &state);
    if (n < 0 || (state != Z_OK && state != Z_STREAM_END))
        *why = "damaged: it can't be expanded";
    else if (*total > RATIO_FROM &&
             *total / RATIO_MAX > (uint64_t)(packed > 0 ? packed : 1))
        *why = "expands more than 200 times: refused";
    if (*why != NULL)
        return -1;
    buf_add(b, chunk, (size_t)n);
    return n;
}

static void
whole_read(gzFile f, reader *read, const struct outlet *o)
{
    struct buf b = {0};
    uint64_t total = 0;
    const char *why = NULL;
    int n = 1;
    while (n > 0 && why == NULL) {
        n = chunk_read(f, &b, &total, &why);
        if (total > FILE_MAX)
            why = "more than 64 MB: split it, or make it JSON lines";
    }
    if (why != NULL)
        doc_bad(o, 0, why);
    else
        read(buf_str(&b), b.len, o);
    buf_fini(&b);
}

static void
lines_read(gzFile f, const struct outlet *o)
{
    struct buf b = {0};
    uint64_t total = 0;
    unsigned long line = 0;
    const char *why = NULL;
    int n = 1;
    while (n > 0 && why == NULL) {
        size_t at = 0;
        char *end;
        n = chunk_read(f, &b, &total, &why);
        while (at < b.len &&
               (end = memchr(b.data + at, '\n', b.len - at)) != NULL) {
            read_json_line(b.data + at, (size_t)(end - b.data) - at, ++line, o);
            at = (size_t)(end - b.data) + 1;
        }
        if (at > 0)
            memmove(b.data, b.data + at, b.len - at);
        b.len -= at;
        if (b.len > LINE_MAX_)
            why = "a line of more than 16 MB";
    }
    if (why != NULL)
        doc_bad(o, line + 1, why);
    else if (b.len > 0)
        read_json_line(b.data, b.len, line + 1, o);
    buf_fini(&b);
}

static void
file_read(const struct outlet *o)
{
    struct stat st;
    bool lines;
    reader *read = reader_of(o->path, &lines);
    int fd = open(o->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        doc_bad(o, 0, "it can't be opened");
    } else if (!S_ISREG(st.st_mode)) {
        doc_bad(o, 0, "not a plain file");
    } else if (read == NULL && !lines) {
        doc_bad(o, 0, "no reader for this suffix");
    } else {
        guard_time(SECONDS + (uint32_t)(st.st_size / BYTES_A_SECOND));
        gzFile f = gzdopen(fd, "rb");
        if (f == NULL)
            doc_bad(o, 0, "no memory to read it");
        else if (lines)
            lines_read(f, o);
        else
            whole_read(f, read, o);
        gzclose(f);
        return;
    }
    if (fd >= 0)
        close(fd);
}

static void
list_read(struct buf *b)
{
    char chunk[4096];
    ssize_t n;
    while ((n = read(STDIN_FILENO, chunk, sizeof chunk)) > 0)
        buf_add(b, chunk, (size_t)n);
}

int
main(int argc, char **argv)
{
    struct buf list = {0};
    struct outlet o = {say_paper, say_bad, NULL, ""};
    bool pdf = argc == 2 && strcmp(argv[1], "--pdf") == 0;
    pid_t pid = 0;
    int fd = -1;
    if (argc != 1 && !pdf) {
        fprintf(
            stderr, "usage: rea-read [--pdf] <PATHS, each ended by a NUL\n");
        return 2;
    }
    list_read(&list);
    if (pdf)
        fd = pdf_start(buf_str(&list), &pid);
    guard_limits();
    guard_time(SECONDS);
    guard_self();
    say_word("guard", guard_words());
    for (size_t at = 0; at < list.len; at += strlen(o.path) + 1) {
        o.path = list.data + at;
        say_word("begin", NULL);
        out_flush();
        whole = true;
        if (pdf && fd >= 0)
            pdf_read(fd, pid, &o);
        else if (!pdf)
            file_read(&o);
        else
            doc_bad(&o, 0, "no process can be started for pdftotext");
        say_word("end", NULL);
    }
    out_flush();
    buf_fini(&out);
    buf_fini(&list);
    return 0;
}
