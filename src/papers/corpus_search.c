/* Questions to the corpus: several forms of a query by BM25, merged by
 * reciprocal rank (Cormack, Clarke and Buettcher 2009), one passage a paper;
 * and the questions that a project's own knobs suggest. Called by `rea
 * research search` and `ask`. Invariant: no text of a query or a paper reaches
 * SQL but as a bound value. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "papers/corpus_db.h"

enum {
    WORDS_MAX = 24,
    WORD_BYTES = 40,
    FORM_HITS = 120, /* ranks beyond add next to nothing */
    HITS_MAX = 1024,
    RRF_K = 60, /* the constant of the paper */
    ASK_PASSAGES = 5,
    QUESTIONS_MAX = 12,
    STYLES_MAX = 6, /* single phrasings are brittle, more add little */
};

struct words {
    uint32_t n;
    char word[WORDS_MAX][WORD_BYTES];
};

struct hit {
    int64_t passage, paper;
    double score;
};

struct hits {
    uint32_t n;
    struct hit hit[HITS_MAX];
};

static bool
is_stop_word(const char *w)
{
    static const char *const stop[] = {"a", "an", "and", "are", "as", "at",
        "be", "better", "best", "by", "can", "do", "does", "for", "from", "how",
        "in", "is", "it", "its", "of", "on", "or", "than", "that", "the",
        "this", "to", "use", "what", "when", "which", "with", "why"};
    for (size_t i = 0; i < sizeof stop / sizeof *stop; i++)
        if (strcmp(w, stop[i]) == 0)
            return true;
    return false;
}

static void
words_read(struct words *out, const char *text)
{
    out->n = 0;
    for (const char *p = text; *p != '\0' && out->n < WORDS_MAX;) {
        size_t n = 0;
        char *w = out->word[out->n];
        for (; isalnum((unsigned char)p[n]) || (unsigned char)p[n] >= 0x80; n++)
            if (n < WORD_BYTES - 1)
                w[n] = (char)tolower((unsigned char)p[n]);
        w[n < WORD_BYTES ? n : WORD_BYTES - 1] = '\0';
        if (n > 0 && !is_stop_word(w))
            out->n++;
        p += n > 0 ? n : 1;
    }
}

/* ---- forms of a query ---- */

static void
words_join(struct buf *b, const struct words *w, const char *between)
{
    for (uint32_t i = 0; i < w->n; i++)
        buf_printf(b, "%s\"%s\"", i > 0 ? between : "", w->word[i]);
}

static bool
form_any(struct buf *b, const struct words *w)
{
    words_join(b, w, " OR ");
    return w->n > 0;
}

static bool
form_all(struct buf *b, const struct words *w)
{
    words_join(b, w, " AND ");
    return w->n > 1;
}

static bool
form_title(struct buf *b, const struct words *w)
{
    buf_puts(b, "title : (");
    words_join(b, w, " OR ");
    buf_puts(b, ")");
    return w->n > 0;
}

static bool
form_phrases(struct buf *b, const struct words *w)
{
    for (uint32_t i = 0; i + 1 < w->n; i++)
        buf_printf(
            b, "%s\"%s %s\"", i > 0 ? " OR " : "", w->word[i], w->word[i + 1]);
    return w->n > 1;
}

static void
hit_merge(struct hits *h, int64_t passage, int64_t paper, double score)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (h->hit[i].paper == paper) {
            h->hit[i].score += score;
            return;
        }
    if (h->n < HITS_MAX)
        h->hit[h->n++] = (struct hit){passage, paper, score};
}

/* One form: ranks its papers and adds 1 / (k + rank) to each. */
static int
form_run(struct corpus *c, const char *match, const char *before,
    struct hits *h, struct err *err)
{
    sqlite3_stmt *st = NULL;
    static const char sql[] =
        "SELECT p.rowid, p.paper FROM passage p JOIN paper q ON q.id = p.paper"
        " WHERE passage MATCH ?1 AND (?2 IS NULL OR q.date < ?2)"
        " ORDER BY bm25(passage, 3.0, 1.0), p.rowid LIMIT ?3";
    if (sqlite3_prepare_v2(c->sql, sql, -1, &st, NULL) != SQLITE_OK)
        return corpus_err(c, err);
    sqlite3_bind_text(st, 1, match, -1, SQLITE_STATIC);
    if (before != NULL && before[0] != '\0')
        sqlite3_bind_text(st, 2, before, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 3, FORM_HITS);
    int64_t seen[FORM_HITS];
    uint32_t rank = 0;
    int step;
    while ((step = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t paper = sqlite3_column_int64(st, 1);
        bool again = false;
        for (uint32_t i = 0; i < rank && !again; i++)
            again = seen[i] == paper;
        if (again)
            continue;
        seen[rank++] = paper;
        hit_merge(h, sqlite3_column_int64(st, 0), paper, 1.0 / (RRF_K + rank));
    }
    int rc = step == SQLITE_DONE ? 0 : corpus_err(c, err);
    sqlite3_finalize(st);
    return rc;
}

static int
hits_find(struct corpus *c, const char *query, const char *before,
    struct hits *h, struct err *err)
{
    static bool (*const form[])(struct buf *, const struct words *) = {
        form_any, form_all, form_title, form_phrases};
    struct words w;
    words_read(&w, query);
    int rc = 0;
    for (size_t i = 0; i < sizeof form / sizeof *form && rc == 0; i++) {
        struct buf b = {0};
        if (form[i](&b, &w))
            rc = form_run(c, buf_str(&b), before, h, err);
        buf_fini(&b);
    }
    return rc;
}

static int
hit_compare(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->passage > y->passage) - (x->passage < y->passage);
}

static int
passage_read(struct corpus *c, const struct hit *hit, struct arena *a,
    struct passage *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(c->sql,
            "SELECT q.name, q.title, q.date, p.body FROM passage p JOIN paper "
            "q ON q.id = p.paper WHERE p.rowid = ?",
            -1, &st, NULL) == SQLITE_OK)
        sqlite3_bind_int64(st, 1, hit->passage);
    if (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
        const char *text[4];
        for (int i = 0; i < 4; i++) {
            const unsigned char *s = sqlite3_column_text(st, i);
            text[i] = s != NULL ? arena_strdup(a, (const char *)s) : "";
        }
        *out = (struct passage){.id = hit->passage,
            .paper = text[0],
            .title = text[1],
            .date = text[2],
            .text = text[3],
            .score = hit->score};
    } else {
        rc = corpus_err(c, err);
    }
    sqlite3_finalize(st);
    return rc;
}

static int
hits_read(struct corpus *c, struct hits *h, uint32_t max, struct arena *a,
    struct passage **out, uint32_t *n, struct err *err)
{
    qsort(h->hit, h->n, sizeof h->hit[0], hit_compare);
    *n = h->n < max ? h->n : max;
    *out = arena_alloc(a, (*n + 1) * sizeof **out);
    for (uint32_t i = 0; i < *n; i++) {
        int rc = passage_read(c, &h->hit[i], a, &(*out)[i], err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
corpus_search(struct corpus *c, const char *query, const char *before,
    uint32_t max, struct arena *a, struct passage **out, uint32_t *n,
    struct err *err)
{
    *out = NULL;
    *n = 0;
    struct hits *h = arena_alloc(a, sizeof *h);
    int rc = hits_find(c, query, before, h, err);
    return rc != 0 ? rc : hits_read(c, h, max > 0 ? max : 10, a, out, n, err);
}

/* ---- what a project asks ---- */

struct topic {
    uint32_t concept;
    const char *text;
    const char *style[STYLES_MAX]; /* ways to ask, merged */
};

static const struct topic topics[] = {
    {CONCEPT_MODEL, "Which backbone beats the present one?",
        {"feature interaction model click-through rate prediction",
            "cross network CTR prediction outperforms DCN DeepFM",
            "explicit implicit feature interactions AUC Criteo Avazu",
            "better feature interaction layer for CTR prediction",
            "interpretable higher-order feature crossing CTR",
            "simple MLP deep CTR model"}},
    {CONCEPT_EMBEDDING_DIM, "How should embeddings be sized?",
        {"embedding dimension search recommendation",
            "embedding size mixed dimension", "embedding collapse"}},
    {CONCEPT_EMB_REG, "How should embeddings be regularised?",
        {"embedding regularization overfitting CTR",
            "one-epoch overfitting click model", "frequency regularization"}},
    {CONCEPT_LEARNING_RATE, "What helps optimisation here?",
        {"optimizer learning rate recommendation model training",
            "large batch training CTR", "warmup embedding learning rate"}},
    {CONCEPT_DROPOUT, "What regularises the deep part?",
        {"dropout regularization deep CTR model",
            "overfitting deep recommendation model"}},
    {CONCEPT_SEQUENCE_LEN, "How is behaviour history used best?",
        {"user behavior sequence modeling CTR", "long sequence user interest",
            "target attention history"}},
    {CONCEPT_NUMERIC, "How should numeric fields enter?",
        {"numerical features embedding CTR", "discretization numeric"}},
    {CONCEPT_LOSS, "Which loss ranks better and stays calibrated?",
        {"ranking loss calibration CTR", "pairwise loss binary cross entropy",
            "listwise learning to rank loss"}},
    {CONCEPT_FEATURES, "Which features should stay?",
        {"feature selection CTR prediction", "feature importance ranking"}},
    {CONCEPT_GATING, "Do gates help?",
        {"gating mechanism CTR feature", "personalized gate network"}},
    {CONCEPT_EXPERTS, "How should tasks share?",
        {"multi-task learning mixture of experts recommendation",
            "conversion rate entire space"}},
    {CONCEPT_NEG_SAMPLING, "How should negatives be sampled?",
        {"negative sampling recommendation", "hard negatives"}},
};

static bool
spec_has_concept(const struct spec *s, uint32_t concept)
{
    for (uint32_t k = 0; k < s->n_knobs; k++)
        if (s->knob[k].concept == concept)
            return true;
    /* The backbone is always worth asking about. */
    return concept == CONCEPT_MODEL;
}

static void
techniques_find(struct question *q)
{
    for (uint32_t t = 0; t < technique_count(); t++)
        for (uint32_t i = 0; i < q->n_passages; i++) {
            const struct technique *known = technique_at(t);
            if (!technique_mentioned(known, q->passage[i].title) &&
                !technique_mentioned(known, q->passage[i].text))
                continue;
            if (q->n_techniques < QUESTION_TECHNIQUES_MAX)
                q->technique[q->n_techniques++] = known;
            break;
        }
}

static int
topic_ask(struct corpus *c, const struct topic *t, const char *before,
    struct arena *a, struct question *q, struct err *err)
{
    struct hits *h = arena_alloc(a, sizeof *h);
    memset(q, 0, sizeof *q);
    q->text = t->text;
    q->query = t->style[0];
    for (int i = 0; i < STYLES_MAX && t->style[i] != NULL; i++) {
        int rc = hits_find(c, t->style[i], before, h, err);
        if (rc != 0)
            return rc;
    }
    int rc = hits_read(c, h, ASK_PASSAGES, a, &q->passage, &q->n_passages, err);
    if (rc == 0)
        techniques_find(q);
    return rc;
}

int
corpus_ask(struct corpus *c, const struct spec *s, const char *words,
    const char *before, struct arena *a, struct question **out, uint32_t *n,
    struct err *err)
{
    *n = 0;
    *out = arena_alloc(a, QUESTIONS_MAX * sizeof **out);
    if (words != NULL) {
        struct topic own = {CONCEPT_NONE, words, {words}};
        int rc = topic_ask(c, &own, before, a, &(*out)[0], err);
        *n = rc == 0;
        return rc;
    }
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (s == NULL || !spec_has_concept(s, topics[i].concept))
            continue;
        int rc = topic_ask(c, &topics[i], before, a, &(*out)[*n], err);
        if (rc != 0)
            return rc;
        (*n)++;
    }
    return 0;
}
