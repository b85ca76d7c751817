/* Papers in: walks folders, has files read, splits what comes into passages
 * under a full-text index. Called by `rea research add`. Invariant: what is
 * added is untrusted text within limits, stored and never interpreted; one bad
 * file or record costs itself only; all of it is one transaction. */
#include "papers/corpus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "papers/corpus_db.h"
#include "papers/dense.h"
#include "papers/read_run.h"

enum {
    PAPER_BYTES_MAX = 4 * 1024 * 1024, /* a long book is 1 MB */
    PASSAGE_BYTES = 1200,  /* about 200 words: one thought, fits a screen */
    ABSTRACT_BYTES = 2800, /* a text up to this long is one passage */
    DEPTH_MAX = 8,
    FILES_MAX = 1000000,
    NAME_MAX_BYTES = 400,
    TITLE_MAX_BYTES = 1000,
};

static const double FLAG_FROM = 0.5; /* suspect scores worth a word */

enum statement {
    BY_KEY,
    BY_HASH,
    PAPER_IN,
    PAPER_ANEW,
    PASSAGE_IN,
    INDEX_IN,
    INDEX_OUT,
    DENSE_OUT,
    PASSAGE_OUT,
    STATEMENTS
};

static const char *const statement_sql[STATEMENTS] = {
    [BY_KEY] = "SELECT id, hash, title FROM paper WHERE key = ?",
    [BY_HASH] = "SELECT id FROM paper WHERE hash = ?",
    [PAPER_IN] = "INSERT INTO paper (name, key, title, date, hash, licence,"
                 " source, version) VALUES (?,?,?,?,?,?,?,1)",
    [PAPER_ANEW] = "UPDATE paper SET name = ?1, title = ?3, date = ?4,"
                   " hash = ?5, licence = ?6, source = ?7,"
                   " version = version + 1 WHERE key = ?2",
    [PASSAGE_IN] = "INSERT INTO passage (paper, place, suspect, body)"
                   " VALUES (?,?,?,?)",
    [INDEX_IN] = "INSERT INTO passage_fts (rowid, title, body) VALUES (?,?,?)",
    [INDEX_OUT] = "INSERT INTO passage_fts (passage_fts, rowid, title, body)"
                  " SELECT 'delete', p.id, q.title, p.body FROM passage p"
                  " JOIN paper q ON q.id = p.paper WHERE p.paper = ?",
    [DENSE_OUT] = "DELETE FROM dense WHERE passage IN"
                  " (SELECT id FROM passage WHERE paper = ?)",
    [PASSAGE_OUT] = "DELETE FROM passage WHERE paper = ?",
};

struct adding {
    struct corpus *corpus;
    struct corpus_added *out;
    const struct corpus_add_opts *o;
    const char *root; /* names of files begin below it */
    sqlite3_stmt *st[STATEMENTS];
};

static void
add_bad(struct adding *ad, const char *where, const char *why)
{
    ad->out->bad++;
    if (ad->out->first_bad[0] == '\0')
        snprintf(ad->out->first_bad, sizeof ad->out->first_bad,
            "%.150s: %.240s", where, why);
    if (ad->o->on_bad != NULL)
        ad->o->on_bad(ad->o->ctx, where, why);
}

static void
reader_bad(void *ctx, const char *where, const char *why)
{
    add_bad(ctx, where, why);
}

static int
statement_run(struct adding *ad, enum statement which, struct err *err)
{
    int step = sqlite3_step(ad->st[which]);
    int rc = step == SQLITE_DONE ? 0 : corpus_err(ad->corpus, err);
    sqlite3_reset(ad->st[which]);
    return rc;
}

/* ---- passages ---- */

/* Where the passage that starts here ends: at an empty line or a sentence's
 * end in its last third, else at a space, never inside a character. */
static size_t
passage_end(const char *s, size_t n)
{
    if (n <= PASSAGE_BYTES)
        return n;
    size_t space = 0, from = PASSAGE_BYTES * 2 / 3;
    for (size_t i = PASSAGE_BYTES; i > from; i--) {
        if (s[i] == '\n' && s[i - 1] == '\n')
            return i;
        if (isspace((unsigned char)s[i]) && strchr(".!?", s[i - 1]) != NULL)
            return i;
        if (space == 0 && isspace((unsigned char)s[i]))
            space = i;
    }
    size_t end = space > 0 ? space : PASSAGE_BYTES;
    while (((unsigned char)s[end] & 0xc0) == 0x80)
        end--;
    return end;
}

static int
passage_add(struct adding *ad, const struct read_paper *p, int64_t paper,
    size_t at, size_t n, struct err *err)
{
    sqlite3_stmt *st = ad->st[PASSAGE_IN], *in = ad->st[INDEX_IN];
    double suspect = suspect_score(p->text + at, n);
    if (at == 0) /* a title shows with each passage, and counts with one */
        suspect =
            1 - (1 - suspect) * (1 - suspect_score(p->title, strlen(p->title)));
    ad->out->flagged += suspect >= FLAG_FROM;
    sqlite3_bind_int64(st, 1, paper);
    sqlite3_bind_int64(st, 2, (int64_t)at);
    sqlite3_bind_double(st, 3, suspect);
    sqlite3_bind_text(st, 4, p->text + at, (int)n, SQLITE_STATIC);
    int rc = statement_run(ad, PASSAGE_IN, err);
    if (rc != 0)
        return rc;
    sqlite3_bind_int64(in, 1, sqlite3_last_insert_rowid(ad->corpus->sql));
    sqlite3_bind_text(in, 2, p->title, -1, SQLITE_STATIC);
    sqlite3_bind_text(in, 3, p->text + at, (int)n, SQLITE_STATIC);
    return statement_run(ad, INDEX_IN, err);
}

static int
passages_add(struct adding *ad, const struct read_paper *p, int64_t paper,
    struct err *err)
{
    size_t at = 0;
    int rc = 0;
    do {
        while (at < p->len && isspace((unsigned char)p->text[at]))
            at++;
        size_t n = p->len <= ABSTRACT_BYTES
                       ? p->len - at
                       : passage_end(p->text + at, p->len - at);
        if (at == 0 || n > 0)
            rc = passage_add(ad, p, paper, at, n, err);
        at += n;
    } while (rc == 0 && at < p->len);
    return rc;
}

static int
passages_remove(struct adding *ad, int64_t paper, struct err *err)
{
    static const enum statement order[] = {INDEX_OUT, DENSE_OUT, PASSAGE_OUT};
    for (size_t i = 0; i < 3; i++) {
        sqlite3_bind_int64(ad->st[order[i]], 1, paper);
        int rc = statement_run(ad, order[i], err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- one paper ---- */

/* What the corpus holds of it: 0 nothing, < 0 an error, else the paper's id;
 * *same: this very content. A bare title never replaces a text. */
static int64_t
paper_known(struct adding *ad, const char *key, const char *hash,
    const struct read_paper *p, bool *same, struct err *err)
{
    sqlite3_stmt *by_key = ad->st[BY_KEY], *by_hash = ad->st[BY_HASH];
    int64_t id = 0;
    *same = false;
    sqlite3_bind_text(by_key, 1, key, -1, SQLITE_STATIC);
    int step = sqlite3_step(by_key);
    if (step == SQLITE_ROW) {
        const char *was = (const char *)sqlite3_column_text(by_key, 1);
        id = sqlite3_column_int64(by_key, 0);
        *same = was == NULL || strcmp(was, hash) == 0 || p->len == 0;
    }
    sqlite3_reset(by_key);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return corpus_err(ad->corpus, err);
    if (*same)
        return id;
    sqlite3_bind_text(by_hash, 1, hash, -1, SQLITE_STATIC);
    step = sqlite3_step(by_hash);
    *same = step == SQLITE_ROW;
    if (*same)
        id = sqlite3_column_int64(by_hash, 0);
    sqlite3_reset(by_hash);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return corpus_err(ad->corpus, err);
    return id;
}

static const char *
text_or(const char *text, const char *otherwise)
{
    if (text[0] != '\0')
        return text;
    return otherwise != NULL ? otherwise : "";
}

static int
paper_put(struct adding *ad, const struct read_paper *p, const char *name,
    const char *key, const char *hash, struct err *err)
{
    bool same;
    int64_t id = paper_known(ad, key, hash, p, &same, err);
    if (id < 0)
        return (int)id;
    if (same) {
        ad->out->known++;
        return 0;
    }
    enum statement which = id == 0 ? PAPER_IN : PAPER_ANEW;
    const char *text[] = {name, key, p->title, p->date, hash,
        text_or(p->licence, ad->o->licence), text_or(p->source, ad->o->source)};
    /* The index forgets by the old title and text: before they change. */
    int rc = id == 0 ? 0 : passages_remove(ad, id, err);
    if (rc != 0)
        return rc;
    for (int i = 0; i < 7; i++)
        sqlite3_bind_text(ad->st[which], i + 1, text[i], -1, SQLITE_STATIC);
    rc = statement_run(ad, which, err);
    if (rc != 0)
        return rc;
    if (id == 0) {
        id = sqlite3_last_insert_rowid(ad->corpus->sql);
        ad->out->papers++;
    } else {
        ad->out->replaced++;
    }
    return passages_add(ad, p, id, err);
}

/* A file that is one paper and names no id is known by its place. */
static const char *
paper_name(struct adding *ad, struct arena *a, const struct read_paper *p,
    const char *hash)
{
    struct err ignored = {0};
    const char *real;
    if (p->id[0] != '\0')
        return p->id;
    if (!p->whole || fs_real_in(a, p->path, &real, &ignored) != 0)
        return arena_printf(a, "text:%.16s", hash);
    size_t n = strlen(ad->root);
    if (strncmp(real, ad->root, n) == 0 && real[n] == '/')
        real += n + 1;
    return arena_printf(a, "file:%s", real);
}

static int
reader_paper(void *ctx, const struct read_paper *p, struct err *err)
{
    struct adding *ad = ctx;
    const char *bad = NULL;
    if (p->len > PAPER_BYTES_MAX)
        bad = "longer than 4 MB: split it";
    else if (p->title[0] == '\0' && p->len == 0)
        bad = "neither a title nor a text";
    else if (strlen(p->id) > NAME_MAX_BYTES)
        bad = "an id of more than 400 bytes";
    else if (strlen(p->title) > TITLE_MAX_BYTES)
        bad = "a title of more than 1000 bytes";
    if (bad != NULL) {
        add_bad(ad, p->where, bad);
        return 0;
    }
    struct arena a = {0};
    struct buf all = {0};
    char hash[FS_HASH_HEX];
    buf_printf(&all, "%s\n", p->title);
    buf_add(&all, p->text, p->len);
    fs_hash_bytes(buf_str(&all), all.len, hash);
    buf_fini(&all);
    const char *name = paper_name(ad, &a, p, hash);
    int rc = paper_put(ad, p, name, paper_key(&a, name), hash, err);
    arena_fini(&a);
    return rc;
}

/* ---- files ---- */

struct files {
    const char **path;
    uint32_t n, cap;
};

static void
files_push(struct files *f, const char *path)
{
    if (f->n == f->cap) {
        f->cap = f->cap > 0 ? 2 * f->cap : 64;
        f->path = mem_realloc((void *)f->path, f->cap * sizeof *f->path);
    }
    f->path[f->n++] = path;
}

static void
folder_walk(struct adding *ad, struct arena *a, struct files *f,
    const char *path, uint32_t depth)
{
    struct err bad = {0};
    const char **name;
    size_t n = 0;
    if (depth > DEPTH_MAX)
        add_bad(ad, path, "more than 8 folders deep");
    else if (fs_list_in(a, path, &name, &n, &bad) != 0)
        add_bad(ad, path, bad.text);
    for (size_t i = 0; i < n && f->n < FILES_MAX; i++) {
        const char *child = fs_join_in(a, path, name[i]);
        struct stat st;
        if (name[i][0] == '.' || lstat(child, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            folder_walk(ad, a, f, child, depth + 1);
        else if (S_ISREG(st.st_mode) && read_knows(child))
            files_push(f, child);
        else if (S_ISLNK(st.st_mode) && read_knows(child))
            add_bad(ad, child, "a link: not followed inside a folder");
    }
}

static int
paths_walk(struct adding *ad, struct arena *a, struct files *f,
    const char *const *path, uint32_t n, struct err *err)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!fs_exists(path[i]))
            return err_set(
                err, -ERR_NOT_FOUND, "%s: no such file or folder", path[i]);
        if (fs_is_dir(path[i]))
            folder_walk(ad, a, f, path[i], 1);
        else if (read_knows(path[i]))
            files_push(f, path[i]);
        else
            add_bad(ad, path[i],
                "no reader for it: PDF, HTML, LaTeX, Markdown, text, Atom, "
                "JSON, JSON lines and BibTeX are known by their suffix");
    }
    return 0;
}

static int
statements_prepare(struct adding *ad, struct err *err)
{
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v2(ad->corpus->sql, statement_sql[i], -1,
                &ad->st[i], NULL) != SQLITE_OK)
            return corpus_err(ad->corpus, err);
    return 0;
}

static int
files_add(struct adding *ad, const struct files *f, struct err *err)
{
    struct read_sink sink = {reader_paper, reader_bad, ad};
    int rc = corpus_run(ad->corpus, "BEGIN IMMEDIATE", err);
    if (rc != 0)
        return rc;
    rc = statements_prepare(ad, err);
    if (rc == 0)
        rc = read_files(f->path, f->n, &sink, ad->out->guard, err);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(ad->st[i]);
    if (rc == 0)
        rc = corpus_run(ad->corpus, "COMMIT", err);
    if (rc != 0)
        sqlite3_exec(ad->corpus->sql, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int
corpus_add_paths(struct corpus *c, const char *const *path, uint32_t n,
    const struct corpus_add_opts *o, struct corpus_added *out, struct err *err)
{
    static const struct corpus_add_opts none = {0};
    struct adding ad = {.corpus = c, .out = out, .o = o != NULL ? o : &none};
    struct arena a = {0};
    struct files f = {0};
    struct err ignored = {0};
    const char *dir;
    memset(out, 0, sizeof *out);
    /* A corpus lies in WORKSPACE/.rea. */
    ad.root = fs_real_in(&a, fs_dir_in(&a, c->path), &dir, &ignored) == 0
                  ? fs_dir_in(&a, dir)
                  : "";
    int rc = paths_walk(&ad, &a, &f, path, n, err);
    out->files = f.n;
    if (rc == 0)
        rc = files_add(&ad, &f, err);
    if (rc == 0 && !ad.o->no_vectors)
        rc = dense_update(c, false, &out->vectors, &out->trained, err);
    free((void *)f.path);
    arena_fini(&a);
    return rc;
}

int
corpus_add(struct corpus *c, const char *path, struct corpus_added *out,
    void (*on_bad)(void *ctx, const char *where, const char *why), void *ctx,
    struct err *err)
{
    struct corpus_add_opts o = {.on_bad = on_bad, .ctx = ctx};
    return corpus_add_paths(c, &path, 1, &o, out, err);
}
