/* The corpus file: papers in, split into passages under a full-text index.
 * Called by `rea research add`. Invariant: what is added is untrusted bytes,
 * checked to be UTF-8 text within limits, stored and never interpreted; one
 * bad file or line costs itself only. */
#include "papers/corpus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/utf8.h"
#include "papers/corpus_db.h"

enum {
    CORPUS_VERSION = 1,
    FILE_BYTES_MAX = 64 * 1024 * 1024,
    PAPER_BYTES_MAX = 4 * 1024 * 1024, /* a long book is 1 MB */
    PASSAGE_BYTES = 1200, /* about 200 words: one thought, fits a screen */
    DEPTH_MAX = 8,
    NAME_MAX_BYTES = 400,
};

static const char schema[] =
    "CREATE TABLE paper (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " title TEXT NOT NULL, date TEXT NOT NULL, hash TEXT NOT NULL UNIQUE)"
    " STRICT;"
    "CREATE VIRTUAL TABLE passage USING fts5(title, body, paper UNINDEXED,"
    " tokenize='porter unicode61');"
    "PRAGMA user_version = 1";

int
corpus_err(struct corpus *c, struct err *err)
{
    int rc = sqlite3_errcode(c->sql);
    int code = rc == SQLITE_FULL                             ? -ERR_FULL
               : rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? -ERR_CORRUPT
               : rc == SQLITE_BUSY                           ? -ERR_BUSY
                                                             : -ERR_SYS;
    return err_set(
        err, code, "paper corpus %s: %s", c->path, sqlite3_errmsg(c->sql));
}

static int
number_read(struct corpus *c, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(c->sql, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    else
        rc = corpus_err(c, err);
    sqlite3_finalize(st);
    return rc;
}

static int
corpus_run(struct corpus *c, const char *sql, struct err *err)
{
    if (sqlite3_exec(c->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
        return corpus_err(c, err);
    return 0;
}

static int
schema_check(struct corpus *c, bool may_make, struct err *err)
{
    int64_t version = 0;
    int rc = number_read(c, "PRAGMA user_version", &version, err);
    if (rc != 0)
        return rc;
    if (version > CORPUS_VERSION)
        return err_set(err, -ERR_VERSION,
            "paper corpus %s was written by a newer program; use that, or "
            "remove the file and add the papers again",
            c->path);
    if (version == CORPUS_VERSION)
        return 0;
    if (!may_make)
        return err_set(err, -ERR_CORRUPT, "%s is no paper corpus", c->path);
    return corpus_run(c, schema, err);
}

int
corpus_open(struct corpus **out, const char *path, bool write, struct err *err)
{
    *out = NULL;
    struct arena a = {0};
    int rc = write ? fs_mkdirs(fs_dir_in(&a, path), err) : 0;
    arena_fini(&a);
    if (rc != 0)
        return rc;
    struct corpus *c = mem_calloc(1, sizeof *c);
    c->path = mem_strdup(path);
    bool empty = !write && !fs_exists(path);
    int mode = write || empty ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                              : SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(empty ? ":memory:" : path, &c->sql, mode, NULL) !=
        SQLITE_OK)
        rc = corpus_err(c, err);
    if (rc == 0) {
        sqlite3_busy_timeout(c->sql, 15000);
        rc = schema_check(c, write || empty, err);
    }
    if (rc != 0) {
        corpus_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

void
corpus_close(struct corpus *c)
{
    if (c == NULL)
        return;
    sqlite3_close(c->sql);
    free(c->path);
    free(c);
}

int
corpus_count(
    struct corpus *c, int64_t *papers, int64_t *passages, struct err *err)
{
    int rc = number_read(c, "SELECT count(*) FROM paper", papers, err);
    if (rc != 0)
        return rc;
    return number_read(c, "SELECT count(*) FROM passage", passages, err);
}

/* ---- one paper ---- */

struct paper {
    const char *name, *title, *date;
    const char *body;
    size_t len;
};

struct adding {
    struct corpus *corpus;
    struct corpus_added *out;
    sqlite3_stmt *paper, *passage;
    void (*on_bad)(void *ctx, const char *where, const char *why);
    void *ctx;
};

static void
add_bad(struct adding *ad, const char *where, const char *why)
{
    ad->out->bad++;
    if (ad->out->first_bad[0] == '\0')
        snprintf(ad->out->first_bad, sizeof ad->out->first_bad,
            "%.150s: %.240s", where, why);
    if (ad->on_bad != NULL)
        ad->on_bad(ad->ctx, where, why);
}

static bool
text_is_clean(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len(s + i, n - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

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
statement_run(struct adding *ad, sqlite3_stmt *st, struct err *err)
{
    int rc = sqlite3_step(st) == SQLITE_DONE ? 0 : corpus_err(ad->corpus, err);
    sqlite3_reset(st);
    return rc;
}

static int
passages_add(
    struct adding *ad, const struct paper *p, int64_t id, struct err *err)
{
    size_t at = 0;
    int rc = 0;
    do {
        while (at < p->len && isspace((unsigned char)p->body[at]))
            at++;
        size_t n = passage_end(p->body + at, p->len - at);
        sqlite3_bind_text(ad->passage, 1, p->title, -1, SQLITE_STATIC);
        sqlite3_bind_text(ad->passage, 2, p->body + at, (int)n, SQLITE_STATIC);
        sqlite3_bind_int64(ad->passage, 3, id);
        rc = statement_run(ad, ad->passage, err);
        at += n;
    } while (rc == 0 && at < p->len);
    return rc;
}

static int
paper_add(struct adding *ad, const struct paper *p, const char *where,
    struct err *err)
{
    if (p->len > PAPER_BYTES_MAX) {
        add_bad(ad, where, "longer than 4 MB: split it");
        return 0;
    }
    if (p->title[0] == '\0' && p->len == 0) {
        add_bad(ad, where, "neither a title nor a text");
        return 0;
    }
    struct buf all = {0};
    buf_printf(&all, "%s\n", p->title);
    buf_add(&all, p->body, p->len);
    char hash[FS_HASH_HEX], made[64];
    fs_hash_bytes(buf_str(&all), all.len, hash);
    buf_fini(&all);
    snprintf(made, sizeof made, "text:%.16s", hash);
    const char *name = p->name[0] != '\0' ? p->name : made;
    if (strlen(name) > NAME_MAX_BYTES) {
        add_bad(ad, where, "an id of more than 400 bytes");
        return 0;
    }
    const char *text[] = {name, p->title, p->date, hash};
    for (int i = 0; i < 4; i++)
        sqlite3_bind_text(ad->paper, i + 1, text[i], -1, SQLITE_TRANSIENT);
    int rc = statement_run(ad, ad->paper, err);
    if (rc != 0)
        return rc;
    if (sqlite3_changes(ad->corpus->sql) == 0) {
        ad->out->known++;
        return 0;
    }
    ad->out->papers++;
    return passages_add(ad, p, sqlite3_last_insert_rowid(ad->corpus->sql), err);
}

/* ---- files ---- */

static const char *
first_str(const struct json *j, const char *a, const char *b)
{
    const char *s = json_get_str(j, a);
    if (s == NULL)
        s = json_get_str(j, b);
    return s != NULL ? s : "";
}

static int
json_paper_add(
    struct adding *ad, const struct json *j, const char *where, struct err *err)
{
    struct paper p = {.name = first_str(j, "id", "doi"),
        .title = first_str(j, "title", "name"),
        .date = first_str(j, "date", "year"),
        .body = first_str(j, "abstract", "text")};
    p.len = strlen(p.body);
    if (json_kind(j) != J_OBJ) {
        add_bad(ad, where, "not an object with id, title, abstract, date");
        return 0;
    }
    return paper_add(ad, &p, where, err);
}

static int
jsonl_add(struct adding *ad, const char *text, size_t len, const char *path,
    struct err *err)
{
    uint32_t number = 0;
    int rc = 0;
    for (size_t at = 0; at < len && rc == 0;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end != NULL ? (size_t)(end - text) - at : len - at;
        number++;
        if (strspn(text + at, " \t\r") < n) {
            char where[512];
            struct err bad = {0};
            snprintf(where, sizeof where, "%.480s:%u", path, number);
            struct json *j = json_parse(text + at, n, &bad);
            if (j == NULL)
                add_bad(ad, where, bad.text);
            else
                rc = json_paper_add(ad, j, where, err);
            json_free(j);
        }
        at += n + 1;
    }
    return rc;
}

static int
json_add(struct adding *ad, const char *text, size_t len, const char *path,
    struct err *err)
{
    struct err bad = {0};
    struct json *j = json_parse(text, len, &bad);
    int rc = 0;
    if (j == NULL)
        add_bad(ad, path, bad.text);
    else if (json_kind(j) == J_ARR)
        for (size_t i = 0; i < json_len(j) && rc == 0; i++)
            rc = json_paper_add(ad, json_at(j, i), path, err);
    else
        rc = json_paper_add(ad, j, path, err);
    json_free(j);
    return rc;
}

/* The first line that says something is the title. */
static int
text_add(struct adding *ad, const char *text, size_t len, const char *path,
    struct err *err)
{
    if (!text_is_clean(text, len)) {
        add_bad(ad, path, "not UTF-8 text");
        return 0;
    }
    size_t at = strspn(text, "# \t\r\n");
    size_t n = strcspn(text + at, "\r\n");
    char title[300];
    size_t keep = n < sizeof title - 1 ? n : sizeof title - 1;
    while (
        keep > 0 && keep < n && ((unsigned char)text[at + keep] & 0xc0) == 0x80)
        keep--;
    memcpy(title, text + at, keep);
    title[keep] = '\0';
    struct paper p = {.name = "",
        .title = title,
        .date = "",
        .body = text + at + n,
        .len = len - at - n};
    return paper_add(ad, &p, path, err);
}

static bool
has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n > m && strcasecmp(path + n - m, suffix) == 0;
}

static bool
is_paper_file(const char *path)
{
    static const char *const suffix[] = {".txt", ".md", ".json", ".jsonl"};
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++)
        if (has_suffix(path, suffix[i]))
            return true;
    return false;
}

static int
file_add(struct adding *ad, const char *path, struct err *err)
{
    struct buf b = {0};
    struct err bad = {0};
    int rc = 0;
    if (!is_paper_file(path))
        add_bad(ad, path, "not a .txt, .md, .json or .jsonl file");
    else if (fs_read(path, FILE_BYTES_MAX, &b, &bad) != 0)
        add_bad(ad, path, bad.text);
    else if (has_suffix(path, ".jsonl"))
        rc = jsonl_add(ad, buf_str(&b), b.len, path, err);
    else if (has_suffix(path, ".json"))
        rc = json_add(ad, buf_str(&b), b.len, path, err);
    else
        rc = text_add(ad, buf_str(&b), b.len, path, err);
    ad->out->files++;
    buf_fini(&b);
    return rc;
}

static int
folder_add(struct adding *ad, const char *path, uint32_t depth, struct err *err)
{
    struct arena a = {0};
    struct err bad = {0};
    const char **name;
    size_t n = 0;
    int rc = 0;
    if (depth > DEPTH_MAX)
        add_bad(ad, path, "more than 8 folders deep");
    else if (fs_list_in(&a, path, &name, &n, &bad) != 0)
        add_bad(ad, path, bad.text);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *child = fs_join_in(&a, path, name[i]);
        if (name[i][0] == '.')
            continue;
        if (fs_is_dir(child))
            rc = folder_add(ad, child, depth + 1, err);
        else if (is_paper_file(child))
            rc = file_add(ad, child, err);
    }
    arena_fini(&a);
    return rc;
}

int
corpus_add(struct corpus *c, const char *path, struct corpus_added *out,
    void (*on_bad)(void *ctx, const char *where, const char *why), void *ctx,
    struct err *err)
{
    struct adding ad = {.corpus = c, .out = out, .on_bad = on_bad, .ctx = ctx};
    memset(out, 0, sizeof *out);
    if (!fs_exists(path))
        return err_set(err, -ERR_NOT_FOUND, "%s: no such file or folder", path);
    int rc = corpus_run(c, "BEGIN IMMEDIATE", err);
    if (rc != 0)
        return rc;
    if (sqlite3_prepare_v2(c->sql,
            "INSERT OR IGNORE INTO paper (name, title, date, hash) VALUES "
            "(?,?,?,?)",
            -1, &ad.paper, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(c->sql,
            "INSERT INTO passage (title, body, paper) VALUES (?,?,?)", -1,
            &ad.passage, NULL) != SQLITE_OK)
        rc = corpus_err(c, err);
    if (rc == 0)
        rc = fs_is_dir(path) ? folder_add(&ad, path, 1, err)
                             : file_add(&ad, path, err);
    sqlite3_finalize(ad.paper);
    sqlite3_finalize(ad.passage);
    if (rc == 0)
        rc = corpus_run(c, "COMMIT", err);
    if (rc != 0)
        sqlite3_exec(c->sql, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}
