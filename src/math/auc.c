/* Metrics on rows of predictions and the sampling variance of differences.
 * Called by project when a job left per-row predictions. Sources: DeLong,
 * DeLong & Clarke-Pearson 1988; Sun & Xu 2014 (mid-rank form); Obuchowski 1997
 * (clusters); He et al. 2014 (normalised entropy). Invariant: one sort a seed;
 * memory is the caller's. */
#include "math/auc.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

static int
labels_check(const uint8_t *label, size_t n, size_t *pos, struct err *err)
{
    *pos = 0;
    for (size_t i = 0; i < n; i++) {
        if (label[i] > 1)
            return err_set(err, -ERR_INPUT,
                "row %zu: label %u, only 0 and 1 are labels", i,
                (unsigned)label[i]);
        *pos += label[i];
    }
    return 0;
}

static int
scores_check(const double *score, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(score[i]))
            return err_set(err, -ERR_INPUT, "row %zu: score is NaN", i);
    return 0;
}

/* Walks the tie groups in ascending order. Adds `weight` times the DeLong
 * component of each row to comp (when not NULL): for a positive the share of
 * negatives below it, for a negative the share of positives above it, ties
 * half. Returns the AUC. work is sorted. */
static double
auc_walk(const struct order_key *work, const uint8_t *label, size_t n,
    size_t pos, double weight, double *comp)
{
    double neg = (double)(n - pos);
    double below_pos = 0;
    double below_neg = 0;
    double sum = 0;

    for (size_t i = 0; i < n;) {
        size_t end = i;
        double p = 0;
        for (; end < n && work[end].key == work[i].key; end++)
            p += label[work[end].row];
        double q = (double)(end - i) - p;
        double v_pos = (below_neg + 0.5 * q) / neg;
        double v_neg = 1 - (below_pos + 0.5 * p) / (double)pos;
        sum += p * v_pos;
        for (size_t j = i; comp != NULL && j < end; j++)
            comp[work[j].row] += weight * (label[work[j].row] ? v_pos : v_neg);
        below_pos += p;
        below_neg += q;
        i = end;
    }
    return sum / (double)pos;
}

int
auc_value(const double *score, const uint8_t *label, size_t n,
    struct order_key *work, double *out, struct err *err)
{
    size_t pos;

    int rc = labels_check(label, n, &pos, err);
    if (rc == 0)
        rc = scores_check(score, n, err);
    if (rc != 0)
        return rc;
    if (pos == 0 || pos == n)
        return err_set(err, -ERR_INPUT,
            "AUC of %zu rows with %zu positives is not defined: both classes "
            "are needed",
            n, pos);
    order_rows(score, n, work);
    *out = auc_walk(work, label, n, pos, 0, NULL);
    return 0;
}

static double
row_logloss(double prob, uint8_t label)
{
    double p = fmin(fmax(prob, 1e-15), 1 - 1e-15);

    return label ? -log(p) : -log1p(-p);
}

double
logloss(const double *prob, const uint8_t *label, size_t n)
{
    double sum = 0;

    assert(n >= 1);
    for (size_t i = 0; i < n; i++)
        sum += row_logloss(prob[i], label[i]);
    return sum / (double)n;
}

double
normalised_entropy(const double *prob, const uint8_t *label, size_t n)
{
    double pos = 0;

    for (size_t i = 0; i < n; i++)
        pos += label[i];
    double rate = pos / (double)n;
    if (!(rate > 0 && rate < 1))
        return NAN;
    return logloss(prob, label, n) /
           -(rate * log(rate) + (1 - rate) * log1p(-rate));
}

size_t
row_scratch(const struct row_set *rows)
{
    return rows->n + (rows->group != NULL ? rows->groups : 0);
}

static int
rows_check(const struct row_set *rows, const struct row_scores *a,
    const struct row_scores *b, size_t *pos, struct err *err)
{
    assert(a->seeds >= 1 && b->seeds >= 1);
    int rc = labels_check(rows->label, rows->n, pos, err);

    for (int s = 0; s < a->seeds + b->seeds && rc == 0; s++) {
        bool in_a = s < a->seeds;
        int seed = in_a ? s : s - a->seeds;
        rc = scores_check(in_a ? a->score[seed] : b->score[seed], rows->n, err);
        if (rc != 0)
            return err_wrap(err, rc, "arm %s, seed %d", in_a ? "a" : "b", seed);
    }
    for (size_t i = 0; rc == 0 && rows->group != NULL && i < rows->n; i++)
        if (rows->group[i] >= rows->groups)
            return err_set(err, -ERR_INPUT,
                "row %zu: group %u, but there are %u groups", i,
                (unsigned)rows->group[i], (unsigned)rows->groups);
    return rc;
}

/* Variance of a sum whose parts psi (mean 0 over all) are independent between
 * groups: G / (G - 1) sum over groups of (sum psi)^2. */
static int
group_var(const struct row_set *rows, const double *psi, double *sum,
    double *var, struct err *err)
{
    double groups = 0;
    double square = 0;

    for (uint32_t g = 0; g < rows->groups; g++)
        sum[g] = NAN; /* not seen */
    for (size_t i = 0; i < rows->n; i++) {
        double *s = &sum[rows->group[i]];
        *s = isnan(*s) ? psi[i] : *s + psi[i];
    }
    for (uint32_t g = 0; g < rows->groups; g++) {
        if (isnan(sum[g]))
            continue;
        groups += 1;
        square += sum[g] * sum[g];
    }
    if (groups < 2)
        return err_set(err, -ERR_INPUT,
            "sampling variance over %g groups is not defined: at least 2 "
            "groups of rows are needed",
            groups);
    *var = groups / (groups - 1) * square;
    return 0;
}

/* Mean AUC of an arm; its averaged components go into comp with this sign. */
static double
arm_auc(const struct row_set *rows, const struct row_scores *arm, size_t pos,
    double sign, struct order_key *work, double *comp)
{
    double sum = 0;

    for (int s = 0; s < arm->seeds; s++) {
        order_rows(arm->score[s], rows->n, work);
        sum +=
            auc_walk(work, rows->label, rows->n, pos, sign / arm->seeds, comp);
    }
    return sum / arm->seeds;
}

int
auc_diff(const struct row_set *rows, const struct row_scores *a,
    const struct row_scores *b, struct order_key *work, double *sum,
    struct row_diff *out, struct err *err)
{
    double *comp = sum;
    double square[2] = {0, 0};
    size_t pos;

    int rc = rows_check(rows, a, b, &pos, err);
    if (rc != 0)
        return err_wrap(err, rc, "difference of AUC");
    if (pos < 2 || rows->n - pos < 2)
        return err_set(err, -ERR_INPUT,
            "difference of AUC over %zu rows with %zu positives: at least 2 "
            "of each class are needed",
            rows->n, pos);
    for (size_t i = 0; i < rows->n; i++)
        comp[i] = 0;
    out->a = arm_auc(rows, a, pos, -1, work, comp);
    out->b = arm_auc(rows, b, pos, 1, work, comp);
    out->diff = out->b - out->a;
    double count[2] = {(double)(rows->n - pos), (double)pos};
    for (size_t i = 0; i < rows->n; i++) {
        uint8_t y = rows->label[i];
        comp[i] = (comp[i] - out->diff) / count[y];
        square[y] += comp[i] * comp[i];
    }
    if (rows->group != NULL)
        return group_var(rows, comp, sum + rows->n, &out->var, err);
    out->var = square[0] * count[0] / (count[0] - 1) +
               square[1] * count[1] / (count[1] - 1);
    return 0;
}

static double
arm_logloss(const struct row_set *rows, const struct row_scores *arm,
    double sign, double *row)
{
    double sum = 0;

    for (int s = 0; s < arm->seeds; s++) {
        for (size_t i = 0; i < rows->n; i++) {
            double loss = row_logloss(arm->score[s][i], rows->label[i]);
            row[i] += sign / arm->seeds * loss;
            sum += loss;
        }
    }
    return sum / (double)rows->n / arm->seeds;
}

int
logloss_diff(const struct row_set *rows, const struct row_scores *a,
    const struct row_scores *b, double *sum, struct row_diff *out,
    struct err *err)
{
    double n = (double)rows->n;
    double square = 0;
    size_t pos;

    int rc = rows_check(rows, a, b, &pos, err);
    if (rc != 0)
        return err_wrap(err, rc, "difference of logloss");
    if (rows->n < 2)
        return err_set(err, -ERR_INPUT,
            "difference of logloss over %zu rows: at least 2 are needed",
            rows->n);
    for (size_t i = 0; i < rows->n; i++)
        sum[i] = 0;
    out->a = arm_logloss(rows, a, -1, sum);
    out->b = arm_logloss(rows, b, 1, sum);
    out->diff = out->b - out->a;
    for (size_t i = 0; i < rows->n; i++) {
        sum[i] = (sum[i] - out->diff) / n;
        square += sum[i] * sum[i];
    }
    if (rows->group != NULL)
        return group_var(rows, sum, sum + rows->n, &out->var, err);
    out->var = square * n / (n - 1);
    return 0;
}
