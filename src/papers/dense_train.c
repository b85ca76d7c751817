/* Training of the dense vectors (dense.h) and their making. Called by dense.c.
 * Deterministic: the random start is seeded by a constant. */
#include "papers/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "papers/corpus_words.h"

enum {
    SAMPLE_MAX = 20000, /* texts that are trained on: the subspace is stable */
    ROUNDS = 2,         /* of subspace iteration */
    TITLE_WEIGHT = 3,
    TERMS_MAX = 4096, /* of one text */
    DF_MIN = 2,
};

/* ---- words of a text ---- */

struct terms {
    uint32_t n;
    uint16_t bucket[TERMS_MAX];
    float weight[TERMS_MAX];
};

struct counter {
    float count[DENSE_BUCKETS]; /* zero between texts */
};

static void
text_count(struct counter *c, const struct acronyms *k, struct terms *out,
    const char *text, float weight)
{
    char word[WORD_BYTES];
    size_t at = 0, n = strlen(text);
    while (term_next(k, text, n, &at, word)) {
        uint32_t b = word_hash(word) % DENSE_BUCKETS;
        if (c->count[b] == 0 && out->n < TERMS_MAX)
            out->bucket[out->n++] = (uint16_t)b;
        c->count[b] += weight;
    }
}

static void
terms_read(struct counter *c, const struct acronyms *k, struct terms *out,
    const struct dense_text *t)
{
    out->n = 0;
    text_count(c, k, out, t->title, TITLE_WEIGHT);
    text_count(c, k, out, t->body, 1);
    for (uint32_t i = 0; i < out->n; i++) {
        float *count = &c->count[out->bucket[i]];
        out->weight[i] = 1 + logf(*count > 1 ? *count : 1);
        *count = 0;
    }
    /* words beyond the limit left their counts */
    if (out->n == TERMS_MAX)
        memset(c->count, 0, sizeof c->count);
}

/* ---- the matrix: one row a text, one column a word ---- */

struct matrix {
    uint32_t rows, cols, k; /* k: columns of the subspace */
    size_t *from;           /* rows + 1 */
    uint16_t *col;
    float *value;
};

static void
axpy(float *restrict y, const float *restrict x, float a)
{
    for (uint32_t i = 0; i < DENSE_DIMS; i++)
        y[i] += a * x[i];
}

/* The same from column `from` to `to` at least: whole vectors of 8. Inlined it
 * would lose `restrict`, and with it the vectors. */
__attribute__((noinline)) static void
axpy_part(float *restrict y, const float *restrict x, float a, uint32_t from,
    uint32_t to)
{
    for (uint32_t i = from / 8 * 8; i < to; i += 8)
        for (uint32_t k = 0; k < 8; k++)
            y[i + k] += a * x[i + k];
}

static void
matrix_read(struct matrix *x, struct dense_model *m, const struct dense_text *t,
    uint32_t n)
{
    struct counter *c = mem_calloc(1, sizeof *c);
    struct terms *terms = mem_calloc(1, sizeof *terms);
    uint32_t *df = mem_calloc(DENSE_BUCKETS, sizeof *df);
    size_t used = 0, cap = 0;
    x->rows = n;
    x->from = mem_calloc((size_t)n + 1, sizeof *x->from);
    for (uint32_t i = 0; i < n; i++) {
        terms_read(c, &m->acronyms, terms, &t[i]);
        if (used + terms->n > cap) {
            cap = 2 * cap + TERMS_MAX;
            x->col = mem_realloc(x->col, cap * sizeof *x->col);
            x->value = mem_realloc(x->value, cap * sizeof *x->value);
        }
        for (uint32_t j = 0; j < terms->n; j++) {
            df[terms->bucket[j]]++;
            x->col[used] = terms->bucket[j];
            x->value[used++] = terms->weight[j];
        }
        x->from[i + 1] = used;
    }
    for (uint32_t b = 0; b < DENSE_BUCKETS; b++)
        if (df[b] >= DF_MIN && m->n < UINT16_MAX) {
            m->word[m->n].idf = logf((float)(n + 1) / (float)df[b]);
            m->at[b] = (uint16_t)++m->n;
        }
    x->cols = m->n;
    free(c);
    free(terms);
    free(df);
}

/* Columns become those of the words that are kept, rows get length 1. */
static void
matrix_weigh(struct matrix *x, const struct dense_model *m)
{
    size_t to = 0, from = 0;
    for (uint32_t i = 0; i < x->rows; i++) {
        size_t end = x->from[i + 1], begin = to;
        float sum = 0;
        for (; from < end; from++) {
            uint16_t at = m->at[x->col[from]];
            if (at == 0)
                continue;
            float w = x->value[from] * m->word[at - 1].idf;
            x->col[to] = (uint16_t)(at - 1);
            x->value[to++] = w;
            sum += w * w;
        }
        float scale = sum > 0 ? 1 / sqrtf(sum) : 0;
        for (size_t j = begin; j < to; j++)
            x->value[j] *= scale;
        x->from[i] = begin;
    }
    x->from[x->rows] = to;
}

/* z = x' (x v), row by row: x v is never held. */
static void
matrix_apply(const struct matrix *x, const float *v, float *z)
{
    memset(z, 0, (size_t)x->cols * DENSE_DIMS * sizeof *z);
    for (uint32_t i = 0; i < x->rows; i++) {
        float row[DENSE_DIMS] = {0};
        for (size_t j = x->from[i]; j < x->from[i + 1]; j++)
            axpy(row, v + (size_t)x->col[j] * DENSE_DIMS, x->value[j]);
        for (size_t j = x->from[i]; j < x->from[i + 1]; j++)
            axpy(z + (size_t)x->col[j] * DENSE_DIMS, row, x->value[j]);
    }
}

/* The lower Cholesky factor of g, then its inverse, in place of l. What has no
 * length left becomes zero. */
static void
factor_inverse(const float (*g)[DENSE_DIMS], double (*l)[DENSE_DIMS])
{
    static const double small = 1e-7;
    for (uint32_t i = 0; i < DENSE_DIMS; i++)
        for (uint32_t j = 0; j <= i; j++) {
            double sum = (double)g[i][j];
            for (uint32_t k = 0; k < j; k++)
                sum -= l[i][k] * l[j][k];
            if (i == j)
                l[i][i] = sum > small * (double)g[i][i] ? sqrt(sum) : 0;
            else
                l[i][j] = l[j][j] > 0 ? sum / l[j][j] : 0;
        }
    for (uint32_t j = 0; j < DENSE_DIMS; j++) {
        double d = l[j][j] > 0 ? 1 / l[j][j] : 0;
        for (uint32_t i = j + 1; i < DENSE_DIMS; i++) {
            double sum = l[i][j] * d;
            for (uint32_t k = j + 1; k < i; k++)
                sum += l[i][k] * l[k][j];
            l[i][j] = l[i][i] > 0 ? -sum / l[i][i] : 0;
        }
        l[j][j] = d;
    }
}

/* Orthonormal columns: z times the inverse of the Cholesky factor of z'z. */
static void
columns_orthonormal(float *z, uint32_t rows)
{
    enum { K = DENSE_DIMS };
    float(*g)[K] = mem_calloc(K, sizeof *g);
    float(*inverse)[K] = mem_calloc(K, sizeof *inverse);
    double(*l)[K] = mem_calloc(K, sizeof *l);
    for (uint32_t r = 0; r < rows; r++) {
        const float *row = z + (size_t)r * K;
        for (uint32_t i = 0; i < K; i++) /* the lower half is read */
            axpy_part(g[i], row, row[i], 0, i + 1);
    }
    factor_inverse((const float(*)[K])g, l);
    for (uint32_t i = 0; i < K; i++)
        for (uint32_t k = i; k < K; k++)
            inverse[i][k] = (float)l[k][i];
    for (uint32_t r = 0; r < rows; r++) {
        float *row = z + (size_t)r * K, out[K] = {0};
        for (uint32_t i = 0; i < K; i++) /* zero below the diagonal */
            axpy_part(out, inverse[i], row[i], i, K);
        memcpy(row, out, sizeof out);
    }
    free(g);
    free(inverse);
    free(l);
}

static void
model_pack(struct dense_model *m, const float *v)
{
    for (uint32_t i = 0; i < m->n; i++) {
        const float *row = v + (size_t)i * DENSE_DIMS;
        float most = 0;
        for (uint32_t k = 0; k < DENSE_DIMS; k++)
            most = fmaxf(most, fabsf(row[k]));
        m->word[i].scale = most / 127;
        dense_pack(row, m->word[i].v);
    }
}

static void
acronyms_learn(struct acronyms *k, const struct dense_text *t, uint32_t n)
{
    uint32_t some = n < SAMPLE_MAX ? n : SAMPLE_MAX;
    const char **text = mem_calloc((size_t)some + 1, sizeof *text);
    for (uint32_t i = 0; i < some; i++)
        text[i] = t[(uint64_t)i * n / some].body;
    acronyms_mine(k, text, some);
    free((void *)text);
}

void
dense_train(struct dense_model *m, const struct dense_text *t, uint32_t n)
{
    struct matrix x = {0};
    struct dense_text *sample = NULL;
    struct rng r;
    memset(m, 0, sizeof *m);
    acronyms_learn(&m->acronyms, t, n);
    m->word = mem_calloc(DENSE_BUCKETS, sizeof *m->word);
    if (n > SAMPLE_MAX) {
        sample = mem_calloc(SAMPLE_MAX, sizeof *sample);
        for (uint32_t i = 0; i < SAMPLE_MAX; i++)
            sample[i] = t[(uint64_t)i * n / SAMPLE_MAX];
    }
    matrix_read(
        &x, m, sample != NULL ? sample : t, n < SAMPLE_MAX ? n : SAMPLE_MAX);
    matrix_weigh(&x, m);
    size_t cells = (size_t)x.cols * DENSE_DIMS;
    float *v = mem_calloc(cells + 1, sizeof *v);
    float *z = mem_calloc(cells + 1, sizeof *z);
    rng_seed(&r, 128);
    /* A subspace can't have more directions than a part of the texts. */
    uint32_t k = n / 4 < DENSE_DIMS ? n / 4 : DENSE_DIMS;
    for (uint32_t i = 0; i < x.cols; i++)
        for (uint32_t j = 0; j < k; j++)
            v[(size_t)i * DENSE_DIMS + j] = (float)(rng_f64(&r) - 0.5);
    for (int round = 0; round < ROUNDS; round++) {
        matrix_apply(&x, v, z);
        columns_orthonormal(z, x.cols);
        float *swap = v;
        v = z;
        z = swap;
    }
    model_pack(m, v);
    free(v);
    free(z);
    free(x.from);
    free(x.col);
    free(x.value);
    free(sample);
}

/* ---- vectors ---- */

void
dense_pack(const float v[DENSE_DIMS], int8_t out[DENSE_DIMS])
{
    float most = 0;
    for (uint32_t i = 0; i < DENSE_DIMS; i++)
        most = fmaxf(most, fabsf(v[i]));
    for (uint32_t i = 0; i < DENSE_DIMS; i++)
        out[i] = most > 0 ? (int8_t)lrintf(v[i] / most * 127) : 0;
}

void
dense_embed(const struct dense_model *m, const struct dense_text *t,
    float out[DENSE_DIMS])
{
    /* One of each is kept: a text has few words, the counter many places. */
    static struct counter counter;
    static struct terms terms;
    float sum = 0;
    memset(out, 0, DENSE_DIMS * sizeof *out);
    terms_read(&counter, &m->acronyms, &terms, t);
    for (uint32_t i = 0; i < terms.n; i++) {
        uint16_t at = m->at[terms.bucket[i]];
        if (at == 0)
            continue;
        const struct dense_word *w = &m->word[at - 1];
        float a = terms.weight[i] * w->idf * w->scale;
        for (uint32_t k = 0; k < DENSE_DIMS; k++)
            out[k] += a * (float)w->v[k];
    }
    for (uint32_t k = 0; k < DENSE_DIMS; k++)
        sum += out[k] * out[k];
    for (uint32_t k = 0; k < DENSE_DIMS && sum > 0; k++)
        out[k] /= sqrtf(sum);
}
