/* Search of a database of any size: words, filters and likeness of context.
 * Called by the verbs. Words: BM25 (Robertson and Zaragoza 2009, k1 1.2, b .75)
 * over the rows that match any of them where these are few; else over
 * candidates by tiers, rows with all words first, then with the rarest, the
 * latest first, until there are enough; there, words of more than a quarter of
 * the rows are left out beside rarer ones. Filters are words of the index too
 * (tags), so that an intersection is one walk. Contexts: the rows of
 * the likest scopes. The two rankings are fused by reciprocal ranks (Cormack,
 * Clarke and Buettcher 2009, k 60). Invariant: the work of a query is bounded
 * by the limits below, not by the number of rows. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "research/history.h"
#include "research/insight_db.h"

enum {
    WORDS_MAX = 6, /* of a question; the rarest count */
    COMMON = 4,    /* a word of more than a 4th of the rows is left out */
    PROBED = 16,   /* words whose frequency is told */
    TAGS_MAX = 5,  /* filters */
    WORD_BYTES = 64,
    PROBE = 250,       /* rows looked at to tell how common a word is */
    EXACT_ROWS = 3000, /* a database so small is ranked in full */
    EXACT = 1000,      /* as many matches are ranked in full */
    ENOUGH = 250,      /* candidates of a tier, and in all */
    WALK = 2000,       /* rows of the rarer of two words that are looked at */
    SCOPES_NEAR = 800, /* looked at, by rows, on each side */
    SCOPES_USED = 48,
    SCOPE_ROWS = 40, /* rows of one scope */
    PLACE_ROWS = 400,
    FUSED = 120, /* candidates whose places are looked up */
    FUSE_K = 60,
};
static const double BM25_K1 = 1.2, BM25_B = .75;

/* ---- words ---- */

void
insight_match(const char *text, struct buf *out)
{
    uint32_t words = 0;
    for (const char *p = text; *p != '\0' && words < 32;) {
        size_t n = 0;
        while (isalnum((unsigned char)p[n]) || (unsigned char)p[n] >= 0x80)
            n++;
        if (n > 0) {
            buf_puts(out, words++ > 0 ? " OR \"" : "\"");
            buf_add(out, p, n);
            buf_putc(out, '"');
        }
        p += n + (p[n] != '\0' && n == 0);
    }
}

/* FNV-1a, 64 bits. */
static uint64_t
value_hash(const char *value)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const unsigned char *p = (const unsigned char *)value; *p != 0; p++)
        h = (h ^ *p) * UINT64_C(0x100000001b3);
    return h;
}

/* One token whatever the value's letters are; the z keeps the stemmer off. */
static void
tag_put(struct buf *out, char kind, const char *value)
{
    if (value != NULL && value[0] != '\0')
        buf_printf(out, "%c%016" PRIx64 "z ", kind, value_hash(value));
}

void
insight_tags(const struct insight *r, struct buf *out)
{
    tag_put(out, 'k', r->knob);
    tag_put(out, 't', r->technique);
    tag_put(out, 'm', r->family);
    tag_put(out, 'v', insight_verdict_name(r->verdict));
    tag_put(out, 'o', r->concept);
}

/* ---- BM25 ---- */

/* bm25(insight_text, idf of phrase 0, 1, ...): tags count for nothing. */
static void
rank_bm25(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx,
    int n_arg, sqlite3_value **arg)
{
    double tf[WORDS_MAX] = {0}, score = 0;
    sqlite3_int64 total = 0, rows = 0;
    int n = 0, size = 0, tags = 0, phrases = api->xPhraseCount(fts);
    int last = api->xColumnCount(fts) - 1;
    int rc = api->xColumnTotalSize(fts, -1, &total);
    if (rc == SQLITE_OK)
        rc = api->xRowCount(fts, &rows);
    if (rc == SQLITE_OK)
        rc = api->xColumnSize(fts, -1, &size);
    if (rc == SQLITE_OK)
        rc = api->xColumnSize(fts, last, &tags);
    if (rc == SQLITE_OK)
        rc = api->xInstCount(fts, &n);
    for (int i = 0; rc == SQLITE_OK && i < n; i++) {
        int phrase, column, offset;
        rc = api->xInst(fts, i, &phrase, &column, &offset);
        if (rc == SQLITE_OK && phrase < WORDS_MAX && column != last)
            tf[phrase] += 1;
    }
    if (rc != SQLITE_OK) {
        sqlite3_result_error_code(ctx, rc);
        return;
    }
    double mean = rows > 0 ? (double)total / (double)rows : 1;
    double norm = 1 - BM25_B + BM25_B * (size - tags) / fmax(1, mean - tags);
    for (int i = 0; i < phrases && i < n_arg && i < WORDS_MAX; i++)
        score += sqlite3_value_double(arg[i]) * tf[i] * (BM25_K1 + 1) /
                 (tf[i] + BM25_K1 * norm);
    sqlite3_result_double(ctx, score);
}

int
insight_search_init(struct insights *db, struct err *err)
{
    fts5_api *api = NULL;
    sqlite3_stmt *st = NULL;
    int rc = insights_prepare(db, "SELECT fts5(?1)", &st, err);
    if (rc != 0)
        return rc;
    sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
    insights_step(db, st, NULL);
    sqlite3_finalize(st);
    if (api == NULL || api->xCreateFunction(api, "rank_words", NULL, rank_bm25,
                           NULL) != SQLITE_OK)
        return err_set(err, -ERR_SYS, "this SQLite has no FTS5");
    return 0;
}

/* ---- the candidates ---- */

struct candidate_row {
    int64_t id;
    double text, place;
    uint32_t text_rank, place_rank;
};
struct finder {
    struct insights *db;
    const struct insight_query *q;
    int64_t rows;
    uint32_t n_words;
    struct word {
        char text[WORD_BYTES];
        double idf;
        double df;
        bool exact;
    } word[WORDS_MAX], tag[TAGS_MAX];
    uint32_t n_tags;
    struct buf tags; /* "AND \"k..\" AND ..." */
    uint32_t n, cap;
    struct candidate_row *row;
};

static struct candidate_row *
finder_row(struct finder *f, int64_t id)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->row[i].id == id)
            return &f->row[i];
    if (f->n == f->cap) {
        f->cap = f->cap > 0 ? 2 * f->cap : 512;
        f->row = mem_realloc(f->row, f->cap * sizeof *f->row);
    }
    f->row[f->n] = (struct candidate_row){.id = id, .text = 0, .place = 0};
    return &f->row[f->n++];
}

/* What the index of words does not know. Told by indexes of the rows that are
 * replaced, public or promoted, not by the rows themselves: each of these would
 * be a page of its own. `id` is the column with the row's id. */
static void
filter_put(struct buf *sql, const struct insight_query *q, const char *id)
{
    if (q->before != NULL)
        buf_printf(
            sql, " AND (SELECT date FROM insight d WHERE d.id = %s) < ?3", id);
    if (q->promoted_only)
        buf_printf(sql,
            " AND EXISTS (SELECT 1 FROM insight p INDEXED BY insight_promoted "
            "WHERE p.status = 'promoted' AND p.id = %s)",
            id);
    if (q->own_only)
        buf_printf(sql,
            " AND NOT EXISTS (SELECT 1 FROM insight o INDEXED BY "
            "insight_public WHERE o.campaign = '" INSIGHT_PUBLIC
            "' AND o.id = %s)",
            id);
    if (!q->superseded_too)
        buf_printf(sql,
            " AND NOT EXISTS (SELECT 1 FROM insight s INDEXED BY "
            "insight_superseded WHERE s.superseded = 1 AND s.id = %s)",
            id);
}

/* How many rows have this word: counted, or told from how far back so many of
 * the latest reach. */
static int
word_count(struct finder *f, struct word *w, struct err *err)
{
    sqlite3_stmt *st = NULL;
    char quoted[WORD_BYTES + 2];
    int64_t last = 0;
    int n = 0;
    int rc = insights_prepare(f->db,
        "SELECT rowid FROM insight_text WHERE insight_text MATCH ?1 ORDER BY "
        "rowid DESC LIMIT ?2",
        &st, err);
    if (rc != 0)
        return rc;
    snprintf(quoted, sizeof quoted, "\"%s\"", w->text);
    sqlite3_bind_text(st, 1, quoted, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, PROBE);
    while ((rc = insights_step(f->db, st, err)) > 0) {
        last = sqlite3_column_int64(st, 0);
        n++;
    }
    sqlite3_finalize(st);
    w->exact = n < PROBE;
    w->df = n;
    if (!w->exact)
        w->df = (double)n * (double)f->rows / (double)(f->rows - last + 1);
    /* never below zero: a row with all words is above one with fewer */
    w->idf = log(1 + fmax(0, (double)f->rows - w->df + .5) / (w->df + .5));
    return rc;
}

static int
word_compare(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    return (x->df > y->df) - (x->df < y->df);
}

static int
words_read(struct finder *f, struct err *err)
{
    struct buf match = {0};
    struct word all[PROBED];
    uint32_t n = 0;
    int rc = 0;
    insight_match(f->q->text, &match);
    const char *p = buf_str(&match);
    while (rc == 0 && n < PROBED && (p = strchr(p, '"')) != NULL) {
        const char *end = strchr(p + 1, '"');
        int len = (int)(end - p - 1);
        bool known = false;
        struct word *w = &all[n];
        memset(w, 0, sizeof *w);
        snprintf(w->text, sizeof w->text, "%.*s", len, p + 1);
        for (uint32_t i = 0; i < n; i++)
            known |= strcmp(all[i].text, w->text) == 0;
        if (!known && len < WORD_BYTES) {
            rc = word_count(f, w, err);
            n += w->df > 0;
        }
        p = end + 1;
    }
    buf_fini(&match);
    qsort(all, n, sizeof *all, word_compare);
    /* What most rows say tells none apart and costs the longest walk. */
    double many = (double)f->rows / COMMON;
    while (f->rows > EXACT_ROWS && n > 1 && all[0].df <= many &&
           all[n - 1].df > many)
        n--;
    f->n_words = n < WORDS_MAX ? n : WORDS_MAX;
    memcpy(f->word, all, f->n_words * sizeof *all);
    return rc;
}

/* The filters as words of the index, each with how common it is. */
static int
tags_read(struct finder *f, struct err *err)
{
    const struct insight_query *q = f->q;
    const char *value[TAGS_MAX] = {
        q->knob, q->technique, q->family, q->verdict, q->concept};
    int rc = 0;
    for (int i = 0; rc == 0 && i < TAGS_MAX; i++) {
        struct buf tag = {0};
        struct word *w = &f->tag[f->n_tags];
        if (value[i] == NULL || value[i][0] == '\0')
            continue;
        tag_put(&tag, "ktmvo"[i], value[i]);
        snprintf(
            w->text, sizeof w->text, "%.*s", (int)tag.len - 1, buf_str(&tag));
        buf_printf(&f->tags, " AND \"%s\"", w->text);
        buf_fini(&tag);
        rc = word_count(f, w, err);
        f->n_tags++;
    }
    return rc;
}

/* Rows before this one are not looked at, where even the rarest word is in so
 * many that their intersection could take long. */
static int64_t
walk_from(const struct finder *f, uint32_t from, uint32_t to)
{
    double df = (double)f->rows;
    for (uint32_t i = from; i < to; i++)
        df = fmin(df, f->word[i].df);
    for (uint32_t i = 0; i < f->n_tags; i++)
        df = fmin(df, f->tag[i].df);
    double steps = 2.0 * WALK / (to - from + f->n_tags); /* each is a seek */
    if (df <= steps)
        return 0;
    return f->rows - (int64_t)((double)f->rows * steps / df);
}

/* Rows that match words [from, to), joined by AND or OR, and the filters. */
static int
tier_read(struct finder *f, uint32_t from, uint32_t to, const char *join,
    uint32_t limit, struct err *err)
{
    struct buf sql = {0}, match = {0};
    sqlite3_stmt *st = NULL;
    buf_putc(&match, '(');
    for (uint32_t i = from; i < to; i++)
        buf_printf(&match, "%s\"%s\"", i > from ? join : "", f->word[i].text);
    buf_printf(&match, ")%s", buf_str(&f->tags));
    buf_puts(&sql, "SELECT t.rowid, rank_words(insight_text");
    for (uint32_t i = from; i < to; i++)
        buf_printf(&sql, ", %.6f", f->word[i].idf);
    buf_puts(&sql, ") FROM insight_text t WHERE insight_text MATCH ?1");
    filter_put(&sql, f->q, "t.rowid");
    buf_puts(&sql, " AND t.rowid > ?9 ORDER BY t.rowid DESC LIMIT ?2");
    int rc = insights_prepare(f->db, buf_str(&sql), &st, err);
    if (rc == 0) {
        sqlite3_bind_text(st, 1, buf_str(&match), -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, limit);
        sqlite3_bind_int64(st, 9, limit > ENOUGH ? 0 : walk_from(f, from, to));
        if (f->q->before != NULL)
            sqlite3_bind_text(st, 3, f->q->before, -1, SQLITE_STATIC);
        while ((rc = insights_step(f->db, st, err)) > 0) {
            struct candidate_row *c =
                finder_row(f, sqlite3_column_int64(st, 0));
            c->text = fmax(c->text, sqlite3_column_double(st, 1));
        }
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    buf_fini(&match);
    return rc;
}

static int
words_find(struct finder *f, struct err *err)
{
    double matches = 0;
    bool exact = true;
    int rc = words_read(f, err);
    for (uint32_t i = 0; i < f->n_words; i++) {
        matches += f->word[i].df;
        exact = exact && f->word[i].exact;
    }
    if (rc != 0 || f->n_words == 0)
        return rc;
    uint32_t n = f->n_words;
    if (f->rows <= EXACT_ROWS || (exact && matches <= EXACT))
        return tier_read(f, 0, n, " OR ", EXACT_ROWS, err);
    /* all of them, the two rarest, then each of these */
    rc = tier_read(f, 0, n, " AND ", ENOUGH, err);
    if (rc == 0 && n > 2 && f->n < ENOUGH)
        rc = tier_read(f, 0, 2, " AND ", ENOUGH, err);
    for (uint32_t i = 0; rc == 0 && n > 1 && i < 2 && f->n < ENOUGH; i++)
        rc = tier_read(f, i, i + 1, "", ENOUGH - f->n, err);
    return rc;
}

/* ---- likeness of contexts ---- */

struct near_scope {
    int64_t id;
    double like;
};

static double
part(double a, double b, double width)
{
    if (a < -90 || b < -90)
        return .25; /* unknown: half a width */
    double d = (a - b) / width;
    return d * d;
}

/* 1 the same; a factor of ten in rows or in density, or of three in fields, is
 * one unit of distance, and so is being a sequence model or not. */
static double
scope_like(const struct scope *want, const struct scope *s)
{
    double d2 = 0;
    if (want->lrows > -90)
        d2 += part(want->lrows, s->lrows, 1);
    if (want->lfields > -90)
        d2 += part(want->lfields, s->lfields, .5);
    if (want->ldensity > -90)
        d2 += part(want->ldensity, s->ldensity, 1);
    if (want->sequence >= 0)
        d2 += s->sequence < 0 ? .25 : want->sequence != s->sequence;
    double kin = want->family[0] != '\0'
                     ? family_similarity(want->family, s->family)
                     : 1;
    return kin * exp(-.5 * d2);
}

static void
place_scope(const struct insight_place *p, struct scope *out)
{
    snprintf(out->family, sizeof out->family, "%s",
        p->family != NULL ? p->family : "");
    out->lrows = p->rows > 0 ? log10(p->rows) : -99;
    out->lfields = p->fields > 0 ? log10(p->fields) : -99;
    out->ldensity = p->density > 0 ? log10(p->density) : -99;
    out->sequence = p->sequence == 0 ? -1 : p->sequence > 0;
}

static int
near_compare(const void *a, const void *b)
{
    const struct near_scope *x = a, *y = b;
    if (x->like != y->like)
        return x->like < y->like ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static void
scope_read(sqlite3_stmt *st, struct scope *s)
{
    const unsigned char *family = sqlite3_column_text(st, 1);
    snprintf(s->family, sizeof s->family, "%s",
        family != NULL ? (const char *)family : "");
    s->lrows = sqlite3_column_double(st, 2);
    s->lfields = sqlite3_column_double(st, 3);
    s->ldensity = sqlite3_column_double(st, 4);
    s->sequence = (int)sqlite3_column_int64(st, 5);
}

/* Scopes on one side of the wanted number of rows, the nearest first. */
static int
scopes_side(struct finder *f, const struct scope *want, const char *sql,
    struct near_scope *out, uint32_t *n, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = insights_prepare(f->db, sql, &st, err);
    if (rc != 0)
        return rc;
    sqlite3_bind_double(st, 1, want->lrows);
    sqlite3_bind_int64(st, 2, SCOPES_NEAR);
    while ((rc = insights_step(f->db, st, err)) > 0) {
        struct scope s;
        scope_read(st, &s);
        bool other =
            f->q->family != NULL && strcmp(f->q->family, s.family) != 0;
        out[(*n)++] = (struct near_scope){
            sqlite3_column_int64(st, 0), other ? 0 : scope_like(want, &s)};
    }
    sqlite3_finalize(st);
    return rc;
}

/* Rows of one scope (?1) that pass the filters. */
static int
scope_prepare(struct finder *f, sqlite3_stmt **out, struct err *err)
{
    const struct insight_query *q = f->q;
    struct buf sql = {0};
    buf_puts(&sql, "SELECT i.id FROM insight i INDEXED BY insight_scope WHERE "
                   "i.scope = ?1");
    const char *value[] = {q->knob, q->concept, q->technique, q->verdict};
    static const char *const column[] = {
        "knob", "concept", "technique", "verdict"};
    for (int i = 0; i < 4; i++)
        if (value[i] != NULL)
            buf_printf(&sql, " AND i.%s = ?%d", column[i], i + 4);
    filter_put(&sql, q, "i.id");
    buf_puts(&sql, " LIMIT ?2");
    int rc = insights_prepare(f->db, buf_str(&sql), out, err);
    buf_fini(&sql);
    if (rc != 0)
        return rc;
    sqlite3_bind_int64(*out, 2, SCOPE_ROWS);
    if (q->before != NULL)
        sqlite3_bind_text(*out, 3, q->before, -1, SQLITE_STATIC);
    for (int i = 0; i < 4; i++)
        if (value[i] != NULL)
            sqlite3_bind_text(*out, i + 4, value[i], -1, SQLITE_STATIC);
    return 0;
}

static int
scope_rows(struct finder *f, sqlite3_stmt *st, const struct near_scope *s,
    struct err *err)
{
    int rc;
    sqlite3_reset(st);
    sqlite3_bind_int64(st, 1, s->id);
    while ((rc = insights_step(f->db, st, err)) > 0)
        finder_row(f, sqlite3_column_int64(st, 0))->place = s->like;
    return rc;
}

#define SCOPE_COLUMNS "SELECT id, family, lrows, lfields, ldensity, sequence "

static int
places_find(struct finder *f, const struct scope *want, struct err *err)
{
    struct near_scope *near = mem_calloc(2 * SCOPES_NEAR, sizeof *near);
    uint32_t n = 0, before = f->n;
    int rc = scopes_side(f, want,
        SCOPE_COLUMNS "FROM scope WHERE lrows >= ?1 ORDER BY lrows LIMIT ?2",
        near, &n, err);
    if (rc == 0)
        rc = scopes_side(f, want,
            SCOPE_COLUMNS
            "FROM scope WHERE lrows < ?1 ORDER BY lrows DESC LIMIT ?2",
            near, &n, err);
    qsort(near, n, sizeof *near, near_compare);
    sqlite3_stmt *st = NULL;
    if (rc == 0)
        rc = scope_prepare(f, &st, err);
    for (uint32_t i = 0, used = 0;
         rc == 0 && i < n && used < SCOPES_USED && f->n - before < PLACE_ROWS;
         i++) {
        if (near[i].like <= 0) /* of another family than is asked for */
            break;
        used++;
        rc = scope_rows(f, st, &near[i], err);
    }
    sqlite3_finalize(st);
    free(near);
    return rc;
}

/* Candidates that words or filters found lie in scopes, too. */
static int
places_of_rows(struct finder *f, const struct scope *want, struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < f->n; i++) {
        if (f->row[i].place > 0)
            continue;
        sqlite3_stmt *st = insights_statement(f->db, ST_SCOPE_OF, err);
        if (st == NULL)
            return -ERR_SYS;
        sqlite3_bind_int64(st, 1, f->row[i].id);
        rc = insights_step(f->db, st, err);
        if (rc > 0) {
            struct scope s;
            scope_read(st, &s);
            f->row[i].place = scope_like(want, &s);
            rc = 0;
        }
        sqlite3_reset(st);
    }
    return rc;
}

/* ---- filters alone ---- */

static int
filters_find(struct finder *f, uint32_t limit, struct err *err)
{
    struct insight_query q = *f->q;
    struct buf sql = {0};
    sqlite3_stmt *st = NULL;
    bool tags = f->tags.len > 0;
    buf_printf(&sql, "SELECT %s FROM ", tags ? "t.rowid" : "i.id");
    if (tags)
        buf_puts(&sql, "insight_text t WHERE insight_text MATCH ?1");
    else
        buf_puts(&sql, "insight i WHERE 1");
    filter_put(&sql, &q, tags ? "t.rowid" : "i.id");
    if (f->n_tags > 1)
        buf_printf(&sql, " AND t.rowid > %" PRId64, walk_from(f, 0, 0));
    buf_printf(&sql, " ORDER BY %s DESC LIMIT ?2", tags ? "t.rowid" : "i.id");
    int rc = insights_prepare(f->db, buf_str(&sql), &st, err);
    if (rc == 0) {
        if (tags)
            sqlite3_bind_text(st, 1, f->tags.data + 5, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, limit);
        if (q.before != NULL)
            sqlite3_bind_text(st, 3, q.before, -1, SQLITE_STATIC);
        while ((rc = insights_step(f->db, st, err)) > 0)
            finder_row(f, sqlite3_column_int64(st, 0));
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    return rc;
}

/* ---- fusion ---- */

static int
text_compare(const void *a, const void *b)
{
    const struct candidate_row *x = a, *y = b;
    if (x->text != y->text)
        return x->text < y->text ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static int
place_compare(const void *a, const void *b)
{
    const struct candidate_row *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static double
fused(const struct candidate_row *c)
{
    return 1.0 / (FUSE_K + c->text_rank) + 1.0 / (FUSE_K + c->place_rank);
}

static int
fused_compare(const void *a, const void *b)
{
    const struct candidate_row *x = a, *y = b;
    double p = fused(x), q = fused(y);
    if (p != q)
        return p < q ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Where the place counts too, it is looked up for the best by words alone. */
static void
rows_cut(struct finder *f)
{
    if (f->n <= FUSED)
        return;
    qsort(f->row, f->n, sizeof *f->row, text_compare);
    f->n = FUSED;
}

/* Equal scores share a rank: neither ranking breaks the other's ties. */
static void
rows_order(struct finder *f, bool words, bool places)
{
    if (words) {
        qsort(f->row, f->n, sizeof *f->row, text_compare);
        for (uint32_t i = 0; i < f->n; i++)
            f->row[i].text_rank = i > 0 && f->row[i].text == f->row[i - 1].text
                                      ? f->row[i - 1].text_rank
                                      : i;
    }
    if (places) {
        qsort(f->row, f->n, sizeof *f->row, place_compare);
        for (uint32_t i = 0; i < f->n; i++)
            f->row[i].place_rank =
                i > 0 && f->row[i].place == f->row[i - 1].place
                    ? f->row[i - 1].place_rank
                    : i;
    }
    if (words && places)
        qsort(f->row, f->n, sizeof *f->row, fused_compare);
}

static int
hits_read(struct finder *f, struct arena *a, struct insight_hit **out,
    size_t *n, struct err *err)
{
    uint32_t max = f->q->max > 0 ? f->q->max : 20;
    *out = arena_alloc(a, (f->n < max ? f->n : max) * sizeof **out + 1);
    for (uint32_t i = 0; i < f->n && *n < max; i++) {
        struct insight_hit *h = &(*out)[*n];
        int rc = insight_get(f->db, f->row[i].id, a, &h->row, err);
        if (rc != 0)
            return rc;
        h->text = f->row[i].text;
        h->place = f->row[i].place;
        *n += !f->q->promoted_only || h->row.status == INSIGHT_PROMOTED;
    }
    return 0;
}

static int
search(struct insights *db, const struct insight_query *q,
    const struct insight_place *like, struct arena *a, struct insight_hit **out,
    size_t *n, struct err *err)
{
    struct finder f = {.db = db, .q = q};
    struct scope want;
    sqlite3_stmt *st = NULL;
    int rc = insights_prepare(db, "SELECT max(id) FROM insight", &st, err);
    if (rc == 0 && insights_step(db, st, NULL) > 0)
        f.rows = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    bool words = q->text != NULL && q->text[strspn(q->text, " ")] != '\0';
    if (rc == 0)
        rc = tags_read(&f, err);
    if (rc == 0 && words)
        rc = words_find(&f, err);
    if (rc == 0 && like != NULL) {
        place_scope(like, &want);
        if (!words)
            rc = places_find(&f, &want, err);
    }
    if (rc == 0 && !words && (like == NULL || f.n_tags > 0 || f.n == 0))
        rc = filters_find(&f, q->max > ENOUGH ? q->max : ENOUGH, err);
    if (words && like != NULL)
        rows_cut(&f);
    if (rc == 0 && like != NULL)
        rc = places_of_rows(&f, &want, err);
    rows_order(&f, words, like != NULL);
    if (rc == 0)
        rc = hits_read(&f, a, out, n, err);
    buf_fini(&f.tags);
    free(f.row);
    return rc;
}

int
insight_search(struct insights *db, const struct insight_query *q,
    const struct insight_place *like, struct arena *a, struct insight_hit **out,
    size_t *n, struct err *err)
{
    bool ours;
    *out = NULL;
    *n = 0;
    int rc = insights_look(db, &ours, err);
    if (rc == 0)
        rc = search(db, q, like, a, out, n, err);
    insights_looked(db, ours);
    return rc;
}
