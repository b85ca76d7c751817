/* Persistent notes and hindsight. Called at the start of a conversation (to
 * remind) and at its end (to write the files).
 * Invariant: a note is text for a prompt or a reader; no code acts on it. */
#include "agent/notes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/guard.h"
#include "base/fs.h"

enum { NOTES_LOOKED = 400, WORDS_MAX = 200, WORD_MIN = 3, NAME_MAX_LEN = 40 };

/* ---- hindsight ---- */

static int
hindsight_put(struct talk_db *db, const struct json *brief, const char *project,
    const char *id, const char *title, const char *body, struct err *err)
{
    struct arena a = {0};
    const char *where = json_get_str(brief, "uuid");
    struct note n = {.origin = arena_printf(
                         &a, "%s/%s", where != NULL ? where : project, id),
        .kind = "hindsight",
        .place = project,
        .title = title,
        .words = "",
        .body = body,
        .date = json_get_str(brief, "date")};
    int rc = note_put(db, &n, NULL, err);
    arena_fini(&a);
    return rc;
}

static int
idea_hindsight(struct talk_db *db, const struct json *brief,
    const char *project, const struct json *r, struct err *err)
{
    const char *id = json_get_str(r, "id");
    const char *verdict = json_get_str(r, "verdict");
    const char *said = json_get_str(r, "statement");
    const char *why = json_get_str(r, "why");
    const struct json *effect = json_get(r, "effect");
    struct buf title = {0}, body = {0};
    if (id == NULL || verdict == NULL || said == NULL)
        return 0;
    bool tells =
        strcmp(verdict, "promote") == 0 || strcmp(verdict, "reject") == 0 ||
        strcmp(verdict, "failed") == 0 || strcmp(verdict, "unstable") == 0;
    if (!tells)
        return 0;
    buf_printf(&title, "%s: ", verdict);
    text_clean(said, strlen(said), 80, false, &title);
    buf_puts(&body, "Tried: ");
    text_clean(said, strlen(said), 300, false, &body);
    buf_printf(&body, "\nVerdict: %s", verdict);
    if (json_is_num(json_get(effect, "mean")))
        buf_printf(&body, ", effect %+.3g [%+.3g, %+.3g]",
            json_get_num(effect, "mean", 0), json_get_num(effect, "lo", 0),
            json_get_num(effect, "hi", 0));
    if (why != NULL) {
        buf_puts(&body, "\nWhy: ");
        text_clean(why, strlen(why), 300, false, &body);
    }
    buf_putc(&body, '\n');
    int rc = hindsight_put(
        db, brief, project, id, buf_str(&title), buf_str(&body), err);
    buf_fini(&title);
    buf_fini(&body);
    return rc;
}

static int
failure_hindsight(struct talk_db *db, const struct json *brief,
    const char *project, const struct json *f, struct err *err)
{
    const char *trial = json_get_str(f, "trial");
    const char *signature = json_get_str(f, "signature");
    const char *remedy = json_get_str(f, "remedy");
    const char *outcome = json_get_str(f, "outcome");
    struct buf title = {0}, body = {0}, id = {0};
    if (trial == NULL || signature == NULL)
        return 0;
    buf_printf(&id, "%s/%lld", trial, (long long)json_get_i64(f, "attempt", 0));
    buf_puts(&title, "failure: ");
    text_clean(signature, strlen(signature), 80, false, &title);
    buf_printf(&body, "Failed: trial %s, ", trial);
    text_clean(signature, strlen(signature), 200, false, &body);
    buf_printf(&body, "\nDone: %s\nHelped: %s\n",
        remedy != NULL ? remedy : "nothing",
        outcome != NULL ? outcome : "not known");
    int rc = hindsight_put(
        db, brief, project, buf_str(&id), buf_str(&title), buf_str(&body), err);
    buf_fini(&title);
    buf_fini(&body);
    buf_fini(&id);
    return rc;
}

int
notes_from_brief(struct talk_db *db, const struct json *brief,
    const char *project, struct err *err)
{
    const struct json *results = json_get(brief, "results");
    const struct json *failures = json_get(brief, "failures");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_len(results); i++)
        rc = idea_hindsight(db, brief, project, json_at(results, i), err);
    for (size_t i = 0; rc == 0 && i < json_len(failures); i++)
        rc = failure_hindsight(db, brief, project, json_at(failures, i), err);
    return rc;
}

/* ---- relevance ---- */

struct words {
    uint32_t n;
    struct {
        const char *s;
        size_t len;
    } word[WORDS_MAX];
};

static void
words_of(const char *text, struct words *w)
{
    w->n = 0;
    for (const char *p = text; *p != '\0' && w->n < WORDS_MAX;) {
        while (*p != '\0' && !isalnum((unsigned char)*p))
            p++;
        size_t n = 0;
        while (isalnum((unsigned char)p[n]))
            n++;
        if (n >= WORD_MIN) {
            w->word[w->n].s = p;
            w->word[w->n++].len = n;
        }
        p += n;
    }
}

static bool
words_have(const struct words *w, const char *s, size_t len)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (w->word[i].len == len && strncasecmp(w->word[i].s, s, len) == 0)
            return true;
    return false;
}

/* Shared words, each once, against the length of the note. */
static double
note_score(const struct note *n, const struct words *asked, const char *project)
{
    struct words own;
    uint32_t shared = 0;
    struct buf b = {0};
    buf_printf(&b, "%s %s", n->title, n->body);
    words_of(buf_str(&b), &own);
    for (uint32_t i = 0; i < asked->n; i++)
        shared += words_have(&own, asked->word[i].s, asked->word[i].len);
    double score = shared / (8. + own.n);
    buf_fini(&b);
    return score + (strcmp(n->place, project) == 0 ? .25 : 0);
}

int
notes_choose(struct talk_db *db, const char *project, const char *words,
    size_t max, struct buf *out, struct err *err)
{
    struct arena a = {0};
    struct note *v = NULL;
    uint32_t n = 0;
    struct words *asked = arena_alloc(&a, sizeof *asked);
    int rc = note_list(db, &a, NOTES_LOOKED, &v, &n, err);
    double *score = arena_alloc(&a, sizeof *score * (n + 1));
    words_of(words, asked);
    for (uint32_t i = 0; i < n; i++)
        score[i] = note_score(&v[i], asked, project);
    for (;;) {
        uint32_t best = n;
        for (uint32_t i = 0; i < n; i++)
            if (score[i] > 0 && (best == n || score[i] > score[best]))
                best = i;
        if (best == n)
            break;
        struct buf b = {0};
        buf_printf(&b, "%s (%s, %s)\n%s", v[best].title, v[best].place,
            v[best].date, v[best].body);
        if (out->len + b.len + 120 <= max)
            text_quote("note", buf_str(&b), b.len, max, true, out);
        buf_fini(&b);
        score[best] = 0;
    }
    arena_fini(&a);
    return rc;
}

/* ---- files ---- */

static void
name_put(const struct note *n, struct buf *out)
{
    size_t from = out->len;
    buf_printf(out, "%04lld-", (long long)n->id);
    for (const char *p = n->title; *p != '\0' && out->len - from < NAME_MAX_LEN;
         p++) {
        unsigned char ch = (unsigned char)*p;
        if (isalnum(ch))
            buf_putc(out, (char)tolower(ch));
        else if (out->data[out->len - 1] != '-')
            buf_putc(out, '-');
    }
    buf_puts(out, ".md");
}

int
notes_write(struct talk_db *db, const char *dir, struct err *err)
{
    struct arena a = {0};
    struct note *v = NULL;
    uint32_t n = 0;
    int rc = note_list(db, &a, NOTES_LOOKED, &v, &n, err);
    if (rc == 0 && n > 0)
        rc = fs_mkdirs(dir, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        struct buf name = {0}, text = {0};
        name_put(&v[i], &name);
        const char *path = fs_join_in(&a, dir, buf_str(&name));
        buf_printf(&text, "# %s\n\n%s, %s, %s\n\n%s\n", v[i].title, v[i].kind,
            v[i].place, v[i].date, v[i].body);
        if (!fs_exists(path))
            rc = fs_write_atomic(path, buf_str(&text), text.len, false, err);
        buf_fini(&name);
        buf_fini(&text);
    }
    arena_fini(&a);
    return rc;
}
