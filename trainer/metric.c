/* AUC, GAUC, NDCG, logloss, NE and calibration. train.c and evaluate.c call it
 * after each pass over a split. Invariant: tied scores count half in AUC, and
 * no metric depends on the order of rows except NDCG, where ties stand in row
 * order. */
#include "metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct scored {
    uint32_t group;
    float score, relevance;
    float label;
    uint64_t row;
};

static int
by_score_desc(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

static int
by_group_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return by_score_desc(a, b);
}

/* Ascending order of scores in [0, 1] by radix sort of their bits, which are
 * ordered as the numbers are; 11 bits a pass. */
static void
pairs_sort(uint64_t *a, uint64_t *work, uint64_t n)
{
    for (int pass = 0; pass < 3; pass++) {
        uint64_t count[2049] = {0};
        int shift = 32 + 11 * pass;
        for (uint64_t i = 0; i < n; i++)
            count[(a[i] >> shift & 2047) + 1]++;
        for (int k = 0; k < 2048; k++)
            count[k + 1] += count[k];
        for (uint64_t i = 0; i < n; i++)
            work[count[a[i] >> shift & 2047]++] = a[i];
        uint64_t *swap = a;
        a = work;
        work = swap;
    }
    memcpy(work, a, n * sizeof *a);
}

static double
auc_compute(const struct scores *s)
{
    uint64_t *a = mem_calloc(s->n + 1, sizeof *a);
    uint64_t *work = mem_calloc(s->n + 1, sizeof *work);
    for (uint64_t i = 0; i < s->n; i++) {
        uint32_t bits;
        float score = s->score[i] + 0.0f; /* no negative zero */
        memcpy(&bits, &score, sizeof bits);
        a[i] = (uint64_t)bits << 32 | (s->label[i] > 0);
    }
    pairs_sort(a, work, s->n);
    double area = 0, negatives = 0, positives = 0;
    for (uint64_t i = 0; i < s->n;) {
        double pos = 0, neg = 0;
        uint64_t first = i;
        for (; i < s->n && a[i] >> 32 == a[first] >> 32; i++) {
            pos += (double)(a[i] & 1);
            neg += (double)(~a[i] & 1);
        }
        area += pos * (negatives + neg / 2);
        negatives += neg;
        positives += pos;
    }
    free(a);
    free(work);
    return area / (positives * negatives);
}

/* AUC of rows in descending order; NaN with one class. */
static double
group_auc(const struct scored *r, uint64_t n)
{
    double area = 0, positives = 0, negatives = 0;
    for (uint64_t i = 0; i < n;) {
        double pos = 0, neg = 0;
        uint64_t first = i;
        for (; i < n && r[i].score == r[first].score; i++) {
            pos += (double)(r[i].label > 0);
            neg += (double)!(r[i].label > 0);
        }
        area += neg * (positives + pos / 2);
        positives += pos;
        negatives += neg;
    }
    return area / (positives * negatives);
}

static double
gain_at(double relevance, uint64_t rank)
{
    return (exp2(relevance) - 1) / log2((double)rank + 2);
}

static int
float_desc(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* Järvelin & Kekäläinen, TOIS 2002, with gains 2^rel - 1; NaN without a
 * positive. ideal: room for n floats. */
static double
group_ndcg(const struct scored *r, uint64_t n, float *ideal)
{
    double dcg = 0, best = 0;
    for (uint64_t i = 0; i < n; i++)
        ideal[i] = fmaxf(r[i].relevance, 0);
    for (uint64_t i = 0; i < n && i < 10; i++)
        dcg += gain_at((double)ideal[i], i);
    qsort(ideal, (size_t)n, sizeof *ideal, float_desc);
    for (uint64_t i = 0; i < n && i < 10; i++)
        best += gain_at((double)ideal[i], i);
    return best > 0 ? dcg / best : NAN;
}

static void
groups_compute(const struct scores *s, struct metrics *m)
{
    struct scored *r = mem_calloc(s->n + 1, sizeof *r);
    float *ideal = mem_calloc(s->n + 1, sizeof *ideal);
    for (uint64_t i = 0; i < s->n; i++)
        r[i] = (struct scored){
            s->group[i], s->score[i], s->relevance[i], s->label[i], i};
    qsort(r, (size_t)s->n, sizeof *r, by_group_score);
    double auc_sum = 0, auc_weight = 0, ndcg_sum = 0, ndcg_n = 0;
    for (uint64_t i = 0; i < s->n;) {
        uint64_t n = 1;
        while (i + n < s->n && r[i + n].group == r[i].group)
            n++;
        double auc = group_auc(r + i, n);
        double ndcg = group_ndcg(r + i, n, ideal);
        if (!isnan(auc)) {
            auc_sum += auc * (double)n;
            auc_weight += (double)n;
        }
        if (!isnan(ndcg)) {
            ndcg_sum += ndcg;
            ndcg_n += 1;
        }
        i += n;
    }
    m->gauc = auc_sum / auc_weight;
    m->ndcg = ndcg_sum / ndcg_n;
    free(r);
    free(ideal);
}

void
metrics_compute(const struct scores *s, struct metrics *m)
{
    double loss = 0, labels = 0, sum = 0, n = (double)s->n;
    for (uint64_t i = 0; i < s->n; i++) {
        double p = fmin(fmax((double)s->score[i], 1e-7), 1 - 1e-7);
        double y = (double)s->label[i];
        loss -= y > 0 ? log(p) : log1p(-p);
        labels += y;
        sum += (double)s->score[i];
    }
    double rate = labels / n;
    m->logloss = loss / n;
    m->ne = m->logloss / -(rate * log(rate) + (1 - rate) * log1p(-rate));
    m->calibration = sum / labels;
    m->auc = auc_compute(s);
    groups_compute(s, m);
}
