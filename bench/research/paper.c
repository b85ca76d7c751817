/* Papers in memory and in a corpus. Called by the bench. Invariant: a line
 * that is no paper is counted and costs itself only. */
#include "paper.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "papers/corpus.h"

enum { LINK_LEN = 128 };

/* ---- links ---- */

/* "2304.00902" of a link that holds an arXiv number. */
static bool
arxiv_number(const char *s, char out[LINK_LEN])
{
    for (; *s != '\0'; s++) {
        size_t n = strspn(s, "0123456789"), m = 0;
        if (n == 4 && s[4] == '.')
            m = strspn(s + 5, "0123456789");
        if (m == 4 || m == 5) {
            snprintf(out, LINK_LEN, "%.*s", (int)(5 + m), s);
            return true;
        }
        if (n > 0)
            s += n - 1;
    }
    return false;
}

/* "10.1145/3539618.3591988", lower case, of a link that holds a DOI. */
static bool
doi_name(const char *s, char out[LINK_LEN])
{
    for (; (s = strstr(s, "10.")) != NULL; s += 3) {
        size_t n = strspn(s + 3, "0123456789");
        if (n < 4 || s[3 + n] != '/')
            continue;
        size_t len = strcspn(s, "?#\" \t");
        while (len > 0 && strchr("./", s[len - 1]) != NULL)
            len--;
        len = len < LINK_LEN ? len : LINK_LEN - 1;
        for (size_t i = 0; i < len; i++)
            out[i] = (char)tolower((unsigned char)s[i]);
        out[len] = '\0';
        return true;
    }
    return false;
}

/* A DOI before an arXiv number: digits of a DOI can look like one. */
static bool
link_key(const char *url, char out[LINK_LEN])
{
    return doi_name(url, out) || arxiv_number(url, out);
}

bool
link_same(const char *a, const char *b)
{
    char x[LINK_LEN], y[LINK_LEN];
    return link_key(a, x) && link_key(b, y) && strcmp(x, y) == 0;
}

const struct bench_paper *
paper_of_link(const struct papers *p, const char *url)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (link_same(p->paper[i].id, url))
            return &p->paper[i];
    return NULL;
}

const struct bench_paper *
paper_find(const struct papers *p, const char *id)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (strcmp(p->paper[i].id, id) == 0)
            return &p->paper[i];
    return NULL;
}

/* ---- reading ---- */

static int
text_load(const char *path, struct buf *out, struct err *err)
{
    char chunk[1 << 16];
    int got;
    gzFile f = gzopen(path, "rb");
    if (f == NULL)
        return err_set(err, -ERR_INPUT,
            "%s: cannot be opened; name a JSON-lines file of papers", path);
    while ((got = gzread(f, chunk, sizeof chunk)) > 0)
        buf_add(out, chunk, (size_t)got);
    if (gzclose(f) != Z_OK || got < 0)
        return err_set(err, -ERR_INPUT, "%s: unreadable or damaged gzip", path);
    return 0;
}

static void
line_read(struct arena *a, struct papers *p, const char *line, size_t n)
{
    struct json *j = json_parse(line, n, NULL);
    const char *id = json_get_str(j, "id"), *title = json_get_str(j, "title");
    const char *text = json_get_str(j, "abstract");
    const char *date = json_get_str(j, "date");
    if (id == NULL || title == NULL) {
        p->n_bad++;
    } else {
        p->paper = mem_realloc(p->paper, (p->n + 1) * sizeof *p->paper);
        p->paper[p->n++] = (struct bench_paper){arena_strdup(a, id),
            arena_strdup(a, date != NULL ? date : ""), arena_strdup(a, title),
            arena_printf(a, "%s\n%s", title, text != NULL ? text : "")};
    }
    json_free(j);
}

static int
corpus_make(
    struct arena *a, struct papers *p, const struct buf *text, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = arena_printf(
        a, "%s/bench-research-XXXXXX", tmp != NULL && *tmp ? tmp : "/tmp");
    struct corpus_added added = {0};
    if (mkdtemp(dir) == NULL)
        return err_set(err, -ERR_SYS, "%s: cannot be made", dir);
    p->folder = dir;
    const char *lines = fs_join_in(a, dir, "papers.jsonl");
    int rc = fs_write_atomic(lines, buf_str(text), text->len, false, err);
    if (rc == 0)
        rc =
            corpus_open(&p->corpus, fs_join_in(a, dir, "papers.db"), true, err);
    if (rc == 0)
        rc = corpus_add(p->corpus, lines, &added, NULL, NULL, err);
    return rc;
}

int
papers_open(
    struct arena *a, const char *path, struct papers *out, struct err *err)
{
    struct buf text = {0};
    memset(out, 0, sizeof *out);
    int rc = text_load(path, &text, err);
    for (const char *s = buf_str(&text); rc == 0 && *s != '\0';) {
        size_t n = strcspn(s, "\n");
        if (n > 0)
            line_read(a, out, s, n);
        s += n + (s[n] == '\n');
    }
    if (rc == 0)
        rc = corpus_make(a, out, &text, err);
    buf_fini(&text);
    return rc;
}

void
papers_close(struct papers *p)
{
    corpus_close(p->corpus);
    if (p->folder != NULL)
        fs_remove_tree(p->folder, NULL);
    free(p->paper);
}
