/* Dense vectors in the corpus file: kept up, loaded, searched (dense.h). The
 * stored model is a copy of memory of a little-endian machine, checked by its
 * size; a model that does not fit is made anew. */
#include "papers/dense.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "papers/corpus_db.h"

static const double GROWTH = 1.3; /* of the corpus until it is trained anew */

/* One word as it lies in the model's blob. */
enum { WORD_STORED = 2 + 4 + 4 + DENSE_DIMS, DATE_BYTES = 12 };

struct dense {
    struct dense_model model;
    uint32_t n, cap;
    int64_t *passage; /* rising */
    int64_t *paper;
    char (*date)[DATE_BYTES];
    int8_t (*vector)[DENSE_DIMS];
    float *length;
};

void
dense_free(struct dense *d)
{
    if (d == NULL)
        return;
    free(d->model.word);
    free(d->passage);
    free(d->paper);
    free(d->date);
    free(d->vector);
    free(d->length);
    free(d);
}

/* ---- storing ---- */

static const char *
column_text(sqlite3_stmt *st, int i)
{
    const unsigned char *s = sqlite3_column_text(st, i);
    return s != NULL ? (const char *)s : "";
}

static int
acronyms_write(struct corpus *c, const struct acronyms *k, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = corpus_run(c, "DELETE FROM acronym", err);
    if (rc == 0 && sqlite3_prepare_v2(c->sql,
                       "INSERT INTO acronym (name, long_form, whole)"
                       " VALUES (?,?,?)",
                       -1, &st, NULL) != SQLITE_OK)
        rc = corpus_err(c, err);
    for (uint32_t i = 0; i < k->n && rc == 0; i++) {
        sqlite3_bind_text(st, 1, k->a[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, k->a[i].full, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 3, k->a[i].whole);
        rc = sqlite3_step(st) == SQLITE_DONE ? 0 : corpus_err(c, err);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return rc;
}

static void
acronyms_read(struct corpus *c, struct acronyms *k)
{
    sqlite3_stmt *st = NULL;
    acronyms_clear(k);
    if (sqlite3_prepare_v2(c->sql,
            "SELECT name, long_form, whole FROM acronym ORDER BY rowid", -1,
            &st, NULL) == SQLITE_OK)
        while (sqlite3_step(st) == SQLITE_ROW)
            acronyms_add(k, column_text(st, 0), column_text(st, 1),
                sqlite3_column_int(st, 2) != 0);
    sqlite3_finalize(st);
}

static int
model_write(struct corpus *c, const struct dense_model *m, int64_t passages,
    struct err *err)
{
    sqlite3_stmt *st = NULL;
    unsigned char *blob = mem_calloc((size_t)m->n + 1, WORD_STORED), *p = blob;
    for (uint32_t b = 0; b < DENSE_BUCKETS; b++) {
        if (m->at[b] == 0)
            continue;
        const struct dense_word *w = &m->word[m->at[b] - 1];
        uint16_t bucket = (uint16_t)b;
        memcpy(p, &bucket, 2);
        memcpy(p + 2, &w->idf, 4);
        memcpy(p + 6, &w->scale, 4);
        memcpy(p + 10, w->v, DENSE_DIMS);
        p += WORD_STORED;
    }
    int rc = corpus_run(c, "DELETE FROM dense; DELETE FROM dense_model", err);
    if (rc == 0)
        rc = acronyms_write(c, &m->acronyms, err);
    if (rc == 0 && sqlite3_prepare_v2(c->sql,
                       "INSERT INTO dense_model (id, passages, model)"
                       " VALUES (1, ?, ?)",
                       -1, &st, NULL) != SQLITE_OK)
        rc = corpus_err(c, err);
    if (rc == 0) {
        sqlite3_bind_int64(st, 1, passages);
        sqlite3_bind_blob(st, 2, blob, (int)(p - blob), SQLITE_STATIC);
        rc = sqlite3_step(st) == SQLITE_DONE ? 0 : corpus_err(c, err);
    }
    sqlite3_finalize(st);
    free(blob);
    return rc;
}

/* false: there is none, or none that this program can use. */
static bool
model_read(struct corpus *c, struct dense_model *m, int64_t *passages)
{
    sqlite3_stmt *st = NULL;
    memset(m, 0, sizeof *m);
    bool ok =
        sqlite3_prepare_v2(c->sql, "SELECT passages, model FROM dense_model",
            -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW;
    const unsigned char *p = ok ? sqlite3_column_blob(st, 1) : NULL;
    size_t n = ok ? (size_t)sqlite3_column_bytes(st, 1) : 0;
    ok = ok && p != NULL && n > 0 && n % WORD_STORED == 0 &&
         n / WORD_STORED <= DENSE_BUCKETS;
    if (ok) {
        *passages = sqlite3_column_int64(st, 0);
        m->word = mem_calloc(n / WORD_STORED, sizeof *m->word);
    }
    for (size_t at = 0; ok && at < n; at += WORD_STORED) {
        uint16_t bucket;
        struct dense_word *w = &m->word[m->n];
        memcpy(&bucket, p + at, 2);
        memcpy(&w->idf, p + at + 2, 4);
        memcpy(&w->scale, p + at + 6, 4);
        memcpy(w->v, p + at + 10, DENSE_DIMS);
        ok = bucket < DENSE_BUCKETS && isfinite(w->idf) && isfinite(w->scale);
        if (ok)
            m->at[bucket] = (uint16_t)++m->n;
    }
    sqlite3_finalize(st);
    if (!ok) {
        free(m->word);
        memset(m, 0, sizeof *m);
    } else {
        acronyms_read(c, &m->acronyms);
    }
    return ok;
}

static int
model_train(
    struct corpus *c, struct dense_model *m, int64_t passages, struct err *err)
{
    struct arena a = {0};
    sqlite3_stmt *st = NULL;
    struct dense_text *t = mem_calloc((size_t)passages + 1, sizeof *t);
    uint32_t n = 0;
    int step = SQLITE_ERROR;
    if (sqlite3_prepare_v2(c->sql, "SELECT title, body FROM passage_text", -1,
            &st, NULL) == SQLITE_OK)
        while ((step = sqlite3_step(st)) == SQLITE_ROW && n < passages) {
            t[n].title = arena_strdup(&a, column_text(st, 0));
            t[n++].body = arena_strdup(&a, column_text(st, 1));
        }
    int rc = step == SQLITE_DONE || step == SQLITE_ROW ? 0 : corpus_err(c, err);
    sqlite3_finalize(st);
    if (rc == 0) {
        dense_train(m, t, n);
        rc = model_write(c, m, passages, err);
    }
    free(t);
    arena_fini(&a);
    return rc;
}

static int
vectors_add(struct corpus *c, const struct dense_model *m, struct err *err)
{
    sqlite3_stmt *from = NULL, *to = NULL;
    int rc = 0, step = SQLITE_DONE;
    if (sqlite3_prepare_v2(c->sql,
            "SELECT id, title, body FROM passage_text"
            " WHERE id NOT IN (SELECT passage FROM dense)",
            -1, &from, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(c->sql,
            "INSERT INTO dense (passage, vector) VALUES (?,?)", -1, &to,
            NULL) != SQLITE_OK)
        rc = corpus_err(c, err);
    while (rc == 0 && (step = sqlite3_step(from)) == SQLITE_ROW) {
        float v[DENSE_DIMS];
        int8_t packed[DENSE_DIMS];
        struct dense_text t = {column_text(from, 1), column_text(from, 2)};
        dense_embed(m, &t, v);
        dense_pack(v, packed);
        sqlite3_bind_int64(to, 1, sqlite3_column_int64(from, 0));
        sqlite3_bind_blob(to, 2, packed, sizeof packed, SQLITE_STATIC);
        if (sqlite3_step(to) != SQLITE_DONE)
            rc = corpus_err(c, err);
        sqlite3_reset(to);
    }
    if (rc == 0 && step != SQLITE_DONE)
        rc = corpus_err(c, err);
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return rc;
}

static int
update(struct corpus *c, bool force, bool *trained, struct err *err)
{
    struct dense_model m = {0};
    int64_t passages = 0, then = 0;
    int rc = corpus_number(c, "SELECT count(*) FROM passage", &passages, err);
    if (rc != 0 || passages < DENSE_PASSAGES_MIN)
        return rc;
    bool has = model_read(c, &m, &then);
    *trained = force || !has || (double)passages >= GROWTH * (double)then;
    if (*trained) {
        free(m.word);
        rc = model_train(c, &m, passages, err);
    }
    if (rc == 0)
        rc = vectors_add(c, &m, err);
    free(m.word);
    return rc;
}

int
dense_update(struct corpus *c, bool force, uint32_t *vectors, bool *trained,
    struct err *err)
{
    int64_t n = 0;
    *trained = false;
    dense_free(c->dense);
    c->dense = NULL;
    c->dense_looked = false;
    int rc = corpus_run(c, "BEGIN IMMEDIATE", err);
    if (rc != 0)
        return rc;
    rc = update(c, force, trained, err);
    if (rc == 0)
        rc = corpus_number(c, "SELECT count(*) FROM dense", &n, err);
    if (rc == 0)
        rc = corpus_run(c, "COMMIT", err);
    if (rc != 0)
        sqlite3_exec(c->sql, "ROLLBACK", NULL, NULL, NULL);
    *vectors = (uint32_t)n;
    return rc;
}

/* ---- loading ---- */

/* One row of the loading query. */
static void
vector_push(struct dense *d, sqlite3_stmt *st)
{
    const int8_t *v = sqlite3_column_blob(st, 1);
    int32_t sum = 0;
    if (sqlite3_column_bytes(st, 1) != DENSE_DIMS)
        return;
    if (d->n == d->cap) {
        d->cap = d->cap > 0 ? 2 * d->cap : 1024;
        d->passage = mem_realloc(d->passage, d->cap * sizeof *d->passage);
        d->paper = mem_realloc(d->paper, d->cap * sizeof *d->paper);
        d->date = mem_realloc(d->date, d->cap * sizeof *d->date);
        d->vector = mem_realloc(d->vector, d->cap * sizeof *d->vector);
        d->length = mem_realloc(d->length, d->cap * sizeof *d->length);
    }
    for (int i = 0; i < DENSE_DIMS; i++)
        sum += v[i] * v[i];
    memcpy(d->vector[d->n], v, DENSE_DIMS);
    d->passage[d->n] = sqlite3_column_int64(st, 0);
    d->paper[d->n] = sqlite3_column_int64(st, 2);
    snprintf(d->date[d->n], DATE_BYTES, "%.10s", column_text(st, 3));
    d->length[d->n++] = sqrtf((float)sum);
}

int
dense_load(struct corpus *c, const struct dense **out, struct err *err)
{
    *out = c->dense;
    if (c->dense_looked)
        return 0;
    c->dense_looked = true;
    struct dense *d = mem_calloc(1, sizeof *d);
    sqlite3_stmt *st = NULL;
    int64_t then = 0;
    int step = SQLITE_ERROR;
    if (!model_read(c, &d->model, &then)) {
        dense_free(d);
        return 0;
    }
    if (sqlite3_prepare_v2(c->sql,
            "SELECT d.passage, d.vector, p.paper, q.date FROM dense d"
            " JOIN passage p ON p.id = d.passage"
            " JOIN paper q ON q.id = p.paper ORDER BY d.passage",
            -1, &st, NULL) == SQLITE_OK)
        while ((step = sqlite3_step(st)) == SQLITE_ROW)
            vector_push(d, st);
    int rc = step == SQLITE_DONE ? 0 : corpus_err(c, err);
    sqlite3_finalize(st);
    c->dense = d;
    *out = d;
    return rc;
}

/* ---- searching ---- */

static int32_t
dot(const int8_t *restrict a, const int8_t *restrict b)
{
    int32_t sum = 0;
    for (int i = 0; i < DENSE_DIMS; i++)
        sum += a[i] * b[i];
    return sum;
}

static bool
is_better(const struct dense_hit *x, const struct dense_hit *y)
{
    return x->score != y->score ? x->score > y->score : x->passage < y->passage;
}

static int
hit_compare(const void *a, const void *b)
{
    return is_better(a, b) ? -1 : is_better(b, a);
}

/* A heap whose root is the worst of the n best: h moves down from `at`. */
static void
heap_sink(struct dense_hit *heap, uint32_t n, uint32_t at, struct dense_hit h)
{
    uint32_t child;
    while ((child = 2 * at + 1) < n) {
        if (child + 1 < n && is_better(&heap[child], &heap[child + 1]))
            child++;
        if (!is_better(&h, &heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = h;
}

static bool
is_within(const char *date, const char *before, const char *since)
{
    bool early = before != NULL && before[0] != '\0';
    bool late = since != NULL && since[0] != '\0';
    if ((early || late) && date[0] == '\0')
        return false; /* who knows */
    return (!early || strcmp(date, before) < 0) &&
           (!late || strncmp(date, since, strlen(date)) >= 0);
}

uint32_t
dense_search(const struct dense *d, const char *text, const char *before,
    const char *since, uint32_t max, struct dense_hit *out)
{
    float v[DENSE_DIMS];
    int8_t q[DENSE_DIMS];
    struct dense_text t = {text, ""};
    uint32_t n = 0;
    dense_embed(&d->model, &t, v);
    dense_pack(v, q);
    float length = sqrtf((float)dot(q, q));
    for (uint32_t i = 0; i < d->n && length > 0; i++) {
        float l = d->length[i] * length;
        struct dense_hit h = {d->passage[i], d->paper[i], 0};
        h.score = l > 0 ? (float)dot(q, d->vector[i]) / l : 0;
        if ((n == max && !is_better(&h, &out[0])) ||
            !is_within(d->date[i], before, since))
            continue;
        if (n == max) {
            heap_sink(out, n, 0, h);
            continue;
        }
        out[n++] = h;
        if (n == max) /* from here on it is a heap */
            for (uint32_t k = n; k-- > 0;)
                heap_sink(out, n, k, out[k]);
    }
    qsort(out, n, sizeof *out, hit_compare);
    return n;
}

float
dense_idf(const struct dense *d, const char *word)
{
    uint16_t at = d->model.at[word_hash(word) % DENSE_BUCKETS];
    return at > 0 ? d->model.word[at - 1].idf : -1;
}

const struct acronyms *
dense_acronyms(const struct dense *d)
{
    return &d->model.acronyms;
}

int64_t
dense_place(const struct dense *d, int64_t passage)
{
    uint32_t lo = 0, hi = d->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (d->passage[mid] < passage)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < d->n && d->passage[lo] == passage ? (int64_t)lo : -1;
}

float
dense_near(const struct dense *d, int64_t i, int64_t j)
{
    if (i < 0 || j < 0 || d->length[i] == 0 || d->length[j] == 0)
        return 0;
    return (float)dot(d->vector[i], d->vector[j]) /
           (d->length[i] * d->length[j]);
}
