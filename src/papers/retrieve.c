/* Retrieval (retrieve.h): lists of each style, merged, weighed and spread.
 * Called by the verbs of research and by whoever looks for evidence.
 * Invariant: no text of a question or a paper reaches SQL but as a bound
 * value, and every word of a full-text query is quoted. */
#include "papers/retrieve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "papers/corpus_db.h"
#include "papers/corpus_words.h"
#include "papers/dense.h"
#include "papers/question.h"

enum {
    WORDS_MAX = 32,  /* of one style */
    LIST_MAX = 200,  /* ranks beyond add next to nothing */
    DENSE_MAX = 800, /* passages looked at until the list is full */
    FOUND_MAX = RETRIEVE_STYLES_MAX * LIST_COUNT * LIST_MAX,
    RRF_K = 30, /* half of the paper's: lists are short, tops count more */
    ANSWERS_USUAL = 25,
    FEEDBACK_PAPERS = 10,
    FEEDBACK_WORDS = 14,
    SPREAD_FACTOR = 4, /* answers that novelty chooses from */
};

static const double HALF_LIFE = 30;       /* years: a tie is broken, no more */
static const double DIVERSITY = 0.05;     /* share of novelty in a choice */
static const float FREQUENT_IDF = 1.386f; /* log 4 */
static const double SUSPECT_COST = 0.5;
static const double FEEDBACK_WEIGHT = 0.5;

const char *
ask_style_name(uint32_t kind)
{
    static const char *const name[] = {
#define X(id, text) text,
        STYLE_LIST(X)
#undef X
    };
    return kind < STYLE_COUNT ? name[kind] : "?";
}

/* ---- what was found ---- */

struct found {
    int64_t passage, paper;
    double score;
    double best; /* the largest single contribution, chooses the passage */
    uint32_t n_from;
    struct answer_from from[RETRIEVE_STYLES_MAX];
};

struct search {
    struct corpus *c;
    const struct retrieve_opts *o;
    struct arena *a;
    const struct dense *dense;
    const struct acronyms *acronyms;
    sqlite3_stmt *match;
    uint32_t n_styles;
    struct ask_style style[RETRIEVE_STYLES_MAX];
    uint32_t n;
    struct found *found; /* [FOUND_MAX] */
};

static struct found *
found_get(struct search *s, int64_t paper)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->found[i].paper == paper)
            return &s->found[i];
    if (s->n == FOUND_MAX)
        return NULL;
    s->found[s->n] = (struct found){.paper = paper};
    return &s->found[s->n++];
}

static void
found_add(struct search *s, int64_t paper, int64_t passage, uint32_t style,
    enum answer_list list, uint32_t rank)
{
    struct found *f = found_get(s, paper);
    double gain = s->style[style].weight / (RRF_K + rank);
    if (f == NULL)
        return;
    f->score += gain;
    if (gain > f->best) {
        f->best = gain;
        f->passage = passage;
    }
    if (f->n_from == 0 || f->from[f->n_from - 1].style != style) {
        if (f->n_from == RETRIEVE_STYLES_MAX)
            return;
        f->from[f->n_from++] = (struct answer_from){.style = style};
    }
    f->from[f->n_from - 1].rank[list] = rank;
}

/* ---- the lists of one style ---- */

static bool
word_is_new(char word[][WORD_BYTES], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(word[i], word[n]) == 0)
            return false;
    return true;
}

/* A pair of words side by side, each perhaps in its long form, too. */
static void
pair_write(struct buf *b, const char *before, const char *now,
    const struct acronym *before_as, const struct acronym *now_as)
{
    const char *x[2] = {before, before_as != NULL ? before_as->full : NULL};
    const char *y[2] = {now, now_as != NULL ? now_as->full : NULL};
    for (int i = 0; i < 2 && x[i] != NULL; i++)
        for (int j = 0; j < 2 && y[j] != NULL; j++)
            buf_printf(b, " OR \"%s %s\"", x[i], y[j]);
}

/* In more than a quarter of the passages: it costs the most and says least. */
static bool
word_is_frequent(const struct search *s, const char *word)
{
    float idf = s->dense != NULL ? dense_idf(s->dense, word) : -1;
    return idf >= 0 && idf < FREQUENT_IDF;
}

/* Any of the words, and any two that stand together, which count once more.
 * A long form is one phrase, so that it weighs as much as its acronym. all:
 * frequent words, too. */
static bool
match_write(struct buf *b, const struct search *s, const char *text, bool all)
{
    const struct acronyms *k = s->acronyms;
    char word[WORDS_MAX + 1][WORD_BYTES];
    char before[WORD_BYTES] = "", now[WORD_BYTES];
    const struct acronym *as, *before_as = NULL;
    uint32_t n = 0;
    size_t at = 0, len = strlen(text);
    struct buf pairs = {0};
    while (n < WORDS_MAX && term_next(k, text, len, &at, now)) {
        as = acronym_find(k, now);
        if (before[0] != '\0')
            pair_write(&pairs, before, now, before_as, as);
        memcpy(before, now, sizeof now);
        memcpy(word[n], now, sizeof now);
        before_as = as;
        if (!word_is_new(word, n) || (!all && word_is_frequent(s, now)))
            continue;
        buf_printf(b, "%s\"%s\"", n > 0 ? " OR " : "", now);
        if (as != NULL)
            buf_printf(b, " OR \"%s\"", as->full);
        n++;
    }
    if (pairs.len > 0) /* each begins with " OR " */
        buf_puts(b, buf_str(&pairs) + (n > 0 ? 0 : strlen(" OR ")));
    buf_fini(&pairs);
    return b->len > 0;
}

static int
bm25_list(struct search *s, uint32_t style, struct err *err)
{
    struct buf match = {0};
    int64_t seen[LIST_MAX];
    uint32_t rank = 0;
    int step = SQLITE_DONE;
    const char *text = s->style[style].text;
    if (match_write(&match, s, text, false) ||
        match_write(&match, s, text, true)) {
        sqlite3_bind_text(s->match, 1, buf_str(&match), -1, SQLITE_TRANSIENT);
        while ((step = sqlite3_step(s->match)) == SQLITE_ROW) {
            int64_t paper = sqlite3_column_int64(s->match, 1);
            bool again = false;
            for (uint32_t i = 0; i < rank && !again; i++)
                again = seen[i] == paper;
            if (again)
                continue;
            seen[rank++] = paper;
            found_add(s, paper, sqlite3_column_int64(s->match, 0), style,
                LIST_BM25, rank);
        }
        if (step != SQLITE_DONE)
            corpus_err(s->c, err);
        sqlite3_reset(s->match);
    }
    buf_fini(&match);
    return step == SQLITE_DONE ? 0 : err->code;
}

static void
dense_list(struct search *s, uint32_t style)
{
    if (s->dense == NULL)
        return;
    struct dense_hit *hit = mem_calloc(DENSE_MAX, sizeof *hit);
    int64_t seen[LIST_MAX];
    uint32_t rank = 0;
    uint32_t n = dense_search(s->dense, s->style[style].text, s->o->before,
        s->o->since, DENSE_MAX, hit);
    for (uint32_t i = 0; i < n && rank < LIST_MAX && hit[i].score > 0; i++) {
        bool again = false;
        for (uint32_t j = 0; j < rank && !again; j++)
            again = seen[j] == hit[i].paper;
        if (again)
            continue;
        seen[rank++] = hit[i].paper;
        found_add(s, hit[i].paper, hit[i].passage, style, LIST_DENSE, rank);
    }
    free(hit);
}

static int
style_run(struct search *s, uint32_t style, struct err *err)
{
    int rc = bm25_list(s, style, err);
    if (rc == 0)
        dense_list(s, style);
    return rc;
}

static int
found_compare(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->paper > y->paper) - (x->paper < y->paper);
}

/* ---- feedback: words of the best answers (Rocchio 1971) ---- */

struct word_count {
    char word[WORD_BYTES];
    uint32_t papers;
    double weight;
};

struct word_counts {
    uint32_t n, cap;
    struct word_count *w;
};

static struct word_count *
count_get(struct word_counts *k, const char *word)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (strcmp(k->w[i].word, word) == 0)
            return &k->w[i];
    if (k->n == k->cap) {
        k->cap = k->cap > 0 ? 2 * k->cap : 256;
        k->w = mem_realloc(k->w, k->cap * sizeof *k->w);
    }
    struct word_count *w = &k->w[k->n++];
    memset(w, 0, sizeof *w);
    memcpy(w->word, word, strlen(word) + 1);
    return w;
}

static void
counts_add(struct word_counts *k, const char *text, double weight)
{
    char word[WORD_BYTES];
    size_t at = 0, n = strlen(text);
    while (word_next(text, n, &at, false, word))
        if (strlen(word) > 2)
            count_get(k, word)->weight += weight;
}

/* log(N / df) of a word by the index itself. */
static int
idf_read(struct search *s, sqlite3_stmt *st, double n, const char *word,
    double *out, struct err *err)
{
    struct buf q = {0};
    buf_printf(&q, "\"%s\"", word);
    sqlite3_bind_text(st, 1, buf_str(&q), -1, SQLITE_TRANSIENT);
    int step = sqlite3_step(st);
    double df = step == SQLITE_ROW ? sqlite3_column_double(st, 0) : 1;
    int rc = step == SQLITE_ROW ? 0 : corpus_err(s->c, err);
    sqlite3_reset(st);
    buf_fini(&q);
    *out = log((n + 1) / (df + 1));
    return rc;
}

static int
count_compare(const void *a, const void *b)
{
    const struct word_count *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return strcmp(x->word, y->word);
}

static int
counts_collect(struct search *s, struct word_counts *k, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(s->c->sql,
            "SELECT title, body FROM passage_text WHERE id = ?", -1, &st,
            NULL) != SQLITE_OK)
        rc = corpus_err(s->c, err);
    for (uint32_t i = 0; i < s->n && i < FEEDBACK_PAPERS && rc == 0; i++) {
        sqlite3_bind_int64(st, 1, s->found[i].passage);
        if (sqlite3_step(st) != SQLITE_ROW) {
            rc = corpus_err(s->c, err);
            break;
        }
        counts_add(k, (const char *)sqlite3_column_text(st, 0), 3);
        counts_add(k, (const char *)sqlite3_column_text(st, 1), 1);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return rc;
}

static int
counts_weigh(struct search *s, struct word_counts *k, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int64_t n = 0;
    int rc = corpus_number(s->c, "SELECT count(*) FROM passage", &n, err);
    if (rc == 0 && sqlite3_prepare_v2(s->c->sql,
                       "SELECT count(*) FROM passage_fts WHERE passage_fts"
                       " MATCH ?",
                       -1, &st, NULL) != SQLITE_OK)
        rc = corpus_err(s->c, err);
    /* Only the most frequent are worth a look at the index. */
    qsort(k->w, k->n, sizeof *k->w, count_compare);
    k->n = k->n < 60 ? k->n : 60;
    for (uint32_t i = 0; i < k->n && rc == 0; i++) {
        double idf = 0;
        rc = idf_read(s, st, (double)n, k->w[i].word, &idf, err);
        k->w[i].weight = log1p(k->w[i].weight) * idf;
    }
    sqlite3_finalize(st);
    qsort(k->w, k->n, sizeof *k->w, count_compare);
    return rc;
}

static int
feedback_run(struct search *s, struct err *err)
{
    struct word_counts k = {0};
    struct buf b = {0};
    qsort(s->found, s->n, sizeof *s->found, found_compare);
    int rc = counts_collect(s, &k, err);
    if (rc == 0 && k.n > 0)
        rc = counts_weigh(s, &k, err);
    for (uint32_t i = 0; i < k.n && i < FEEDBACK_WORDS; i++)
        buf_printf(&b, "%s%s", i > 0 ? " " : "", k.w[i].word);
    if (rc == 0 && k.n > 0) {
        s->style[s->n_styles] = (struct ask_style){
            STYLE_FEEDBACK, arena_strdup(s->a, buf_str(&b)), FEEDBACK_WEIGHT};
        rc = style_run(s, s->n_styles++, err);
    }
    free(k.w);
    buf_fini(&b);
    return rc;
}

/* ---- from found to answers ---- */

static double
year_of(const char *date)
{
    int y = 0, m = 7;
    if (sscanf(date, "%4d-%2d", &y, &m) < 1 || y < 1900)
        return 0;
    return y + (m - 0.5) / 12;
}

/* Age counts from the newest paper that was found: the corpus, not the clock,
 * says what is recent. */
static void
answers_weigh(const struct search *s, struct answer *ans, uint32_t n)
{
    double life = s->o->half_life == 0 ? HALF_LIFE : s->o->half_life;
    double newest = 0;
    for (uint32_t i = 0; i < n; i++)
        newest = fmax(newest, year_of(ans[i].passage.date));
    for (uint32_t i = 0; i < n; i++) {
        double year = year_of(ans[i].passage.date);
        if (life > 0 && year > 0)
            ans[i].passage.score *= exp2((year - newest) / life);
        ans[i].passage.score *= 1 - SUSPECT_COST * ans[i].suspect;
    }
}

static int
answer_compare(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->passage.score != y->passage.score)
        return x->passage.score > y->passage.score ? -1 : 1;
    return (x->passage.id > y->passage.id) - (x->passage.id < y->passage.id);
}

/* Next is what is best by score less its likeness to what is taken. */
static void
answers_spread(
    const struct search *s, struct answer *ans, uint32_t n, uint32_t max)
{
    double share = s->o->diversity == 0 ? DIVERSITY : s->o->diversity;
    if (s->dense == NULL || share <= 0 || n < 3)
        return;
    double top = ans[0].passage.score;
    double *like = mem_calloc(n, sizeof *like);
    for (uint32_t i = 0; i < n; i++)
        ans[i].place = dense_place(s->dense, ans[i].passage.id);
    for (uint32_t i = 1; i < n && i < max; i++) {
        uint32_t best = i;
        double most = -2;
        for (uint32_t j = i; j < n; j++) {
            double near =
                (double)dense_near(s->dense, ans[i - 1].place, ans[j].place);
            like[j] = fmax(like[j], near);
            double v =
                (1 - share) * ans[j].passage.score / top - share * like[j];
            if (v > most) {
                most = v;
                best = j;
            }
        }
        struct answer a = ans[best];
        double l = like[best];
        memmove(&ans[i + 1], &ans[i], (best - i) * sizeof *ans);
        memmove(&like[i + 1], &like[i], (best - i) * sizeof *like);
        ans[i] = a;
        like[i] = l;
    }
    free(like);
}

static const char *
text_in(struct arena *a, sqlite3_stmt *st, int i)
{
    const unsigned char *s = sqlite3_column_text(st, i);
    return s != NULL ? arena_strdup(a, (const char *)s) : "";
}

static int
answers_read(struct search *s, struct answer *ans, uint32_t n, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(s->c->sql,
            "SELECT q.name, q.title, q.date, p.body, q.licence, q.source,"
            " p.suspect FROM passage p JOIN paper q ON q.id = p.paper"
            " WHERE p.id = ?",
            -1, &st, NULL) != SQLITE_OK)
        rc = corpus_err(s->c, err);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const struct found *f = &s->found[i];
        sqlite3_bind_int64(st, 1, f->passage);
        if (sqlite3_step(st) != SQLITE_ROW) {
            rc = corpus_err(s->c, err);
            break;
        }
        ans[i].passage = (struct passage){.id = f->passage,
            .paper = text_in(s->a, st, 0),
            .title = text_in(s->a, st, 1),
            .date = text_in(s->a, st, 2),
            .text = text_in(s->a, st, 3),
            .licence = text_in(s->a, st, 4),
            .source = text_in(s->a, st, 5),
            .score = f->score};
        ans[i].suspect = sqlite3_column_double(st, 6);
        ans[i].n_from = f->n_from;
        memcpy(ans[i].from, f->from, sizeof f->from);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return rc;
}

/* ---- the whole ---- */

/* Without dates only what is ranked first is looked up; with them every match
 * is. A paper without a date is in no span of time. */
static int
search_begin(struct search *s, struct err *err)
{
    static const char all[] =
        "SELECT p.id, p.paper FROM (SELECT rowid AS id,"
        " bm25(passage_fts, 3.0, 1.0) AS rank FROM passage_fts"
        " WHERE passage_fts MATCH ?1 ORDER BY rank, rowid LIMIT ?4) f"
        " JOIN passage p ON p.id = f.id ORDER BY f.rank, f.id";
    static const char within[] =
        "SELECT p.id, p.paper FROM passage_fts f JOIN passage p ON"
        " p.id = f.rowid JOIN paper q ON q.id = p.paper WHERE passage_fts"
        " MATCH ?1 AND q.date <> '' AND (?2 IS NULL OR q.date < ?2) AND"
        " (?3 IS NULL OR q.date >= substr(?3, 1, length(q.date)))"
        " ORDER BY bm25(passage_fts, 3.0, 1.0), p.id LIMIT ?4";
    const char *date[] = {s->o->before, s->o->since};
    bool dated = false;
    for (int i = 0; i < 2; i++)
        dated |= date[i] != NULL && date[i][0] != '\0';
    if (sqlite3_prepare_v2(
            s->c->sql, dated ? within : all, -1, &s->match, NULL) != SQLITE_OK)
        return corpus_err(s->c, err);
    for (int i = 0; i < 2; i++)
        if (date[i] != NULL && date[i][0] != '\0')
            sqlite3_bind_text(s->match, i + 2, date[i], -1, SQLITE_STATIC);
    sqlite3_bind_int(s->match, 4, LIST_MAX);
    int rc = dense_load(s->c, &s->dense, err);
    if (s->dense != NULL)
        s->acronyms = dense_acronyms(s->dense);
    if (s->o->no_dense)
        s->dense = NULL;
    return rc;
}

static int
search_run(struct search *s, struct answer **out, uint32_t *n, struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < s->n_styles && rc == 0; i++)
        rc = style_run(s, i, err);
    if (rc == 0 && !s->o->no_feedback && s->n > 0)
        rc = feedback_run(s, err);
    if (rc != 0)
        return rc;
    uint32_t max = s->o->max > 0 ? s->o->max : ANSWERS_USUAL;
    uint32_t wide = s->n < SPREAD_FACTOR * max ? s->n : SPREAD_FACTOR * max;
    qsort(s->found, s->n, sizeof *s->found, found_compare);
    struct answer *ans = arena_alloc(s->a, ((size_t)wide + 1) * sizeof *ans);
    rc = answers_read(s, ans, wide, err);
    if (rc != 0)
        return rc;
    answers_weigh(s, ans, wide);
    qsort(ans, wide, sizeof *ans, answer_compare);
    answers_spread(s, ans, wide, max);
    *out = ans;
    *n = wide < max ? wide : max;
    return 0;
}

int
retrieve(struct corpus *c, const struct ask_style *style, uint32_t n_styles,
    const struct retrieve_opts *o, struct arena *a, struct answer **out,
    uint32_t *n, const struct ask_style **asked, uint32_t *n_asked,
    struct err *err)
{
    static const struct retrieve_opts usual = {0};
    struct search s = {.c = c, .o = o != NULL ? o : &usual, .a = a};
    struct acronyms none;
    acronyms_clear(&none);
    s.acronyms = &none;
    *out = NULL;
    *n = 0;
    s.n_styles =
        n_styles < RETRIEVE_STYLES_MAX ? n_styles : RETRIEVE_STYLES_MAX - 1;
    memcpy(s.style, style, s.n_styles * sizeof *style);
    s.found = mem_calloc(FOUND_MAX, sizeof *s.found);
    int rc = search_begin(&s, err);
    if (rc == 0)
        rc = search_run(&s, out, n, err);
    sqlite3_finalize(s.match);
    free(s.found);
    if (asked != NULL) {
        struct ask_style *kept = arena_alloc(a, sizeof s.style);
        memcpy(kept, s.style, sizeof s.style);
        *asked = kept;
        *n_asked = s.n_styles;
    }
    return rc;
}

int
corpus_search(struct corpus *c, const char *query, const char *before,
    uint32_t max, struct arena *a, struct passage **out, uint32_t *n,
    struct err *err)
{
    struct ask q;
    struct answer *ans = NULL;
    struct retrieve_opts o = {.before = before, .max = max > 0 ? max : 10};
    question_words(a, query, before, &q);
    *out = NULL;
    int rc = retrieve(c, q.style, q.n_styles, &o, a, &ans, n, NULL, NULL, err);
    if (rc != 0)
        return rc;
    *out = arena_alloc(a, ((size_t)*n + 1) * sizeof **out);
    for (uint32_t i = 0; i < *n; i++)
        (*out)[i] = ans[i].passage;
    return 0;
}
