/* Logloss with smoothing, focal loss, and logloss mixed with pairs of a batch.
 * train.c calls it each step. Invariant: dz is the gradient of the value that
 * is returned, divided by the rows. */
#include "loss.h"

#include <math.h>
#include <string.h>

/* log(1 + exp(-|z|)), the part of the logloss that is never large. */
static double
softplus_tail(float z)
{
    return (double)log1pf(expf(-fabsf(z)));
}

/* Lin et al., ICCV 2017, eq. 4, with alpha = 1: -(1 - pt)^g log(pt). */
static double
focal_compute(const struct config *c, const float *z, const float *label,
    uint32_t n, const float *p, float *dz)
{
    double gamma = c->focal_gamma, total = 0;
    for (uint32_t i = 0; i < n; i++) {
        double sign = label[i] > 0 ? 1 : -1;
        double s = sign * (double)z[i];
        double pt = label[i] > 0 ? (double)p[i] : 1 - (double)p[i];
        double log_pt = fmin(s, 0) - softplus_tail(z[i]);
        double easy = pow(1 - pt, gamma);
        total -= easy * log_pt;
        dz[i] +=
            (float)(sign * easy * (gamma * pt * log_pt + pt - 1) / (double)n);
    }
    return total;
}

/* RankNet (Burges et al., ICML 2005, eq. 3) over all pairs of a positive and a
 * negative of the batch. */
static double
pairs_compute(
    const float *z, const float *label, uint32_t n, float *dz, double weight)
{
    double pairs = 0, positives = 0, total = 0;
    for (uint32_t i = 0; i < n; i++)
        positives += (double)label[i];
    pairs = positives * ((double)n - positives);
    if (pairs == 0)
        return 0;
    float scale = (float)(weight / pairs);
    for (uint32_t i = 0; i < n; i++) {
        if (!(label[i] > 0))
            continue;
        float sum = 0;
        for (uint32_t j = 0; j < n; j++) {
            if (label[j] > 0)
                continue;
            float e = expf(-fabsf(z[i] - z[j]));
            float wrong = z[i] > z[j] ? e / (1 + e) : 1 / (1 + e);
            total += (double)(log1pf(e) + fmaxf(z[j] - z[i], 0));
            dz[j] += scale * wrong;
            sum += wrong;
        }
        dz[i] -= scale * sum;
    }
    return weight * total / pairs * (double)n;
}

double
loss_compute(const struct config *c, const struct kern *k, const float *z,
    const float *label, uint32_t n, float *p, float *dz)
{
    k->sigmoid(z, p, round_up(n, 8));
    memset(dz, 0, round_up(n, 8) * sizeof *dz);
    if (c->loss == LOSS_FOCAL)
        return focal_compute(c, z, label, n, p, dz);
    double pair = c->loss == LOSS_PAIRWISE ? c->pair_weight : 0;
    double sum = k->logloss(z, label, p, dz, n, (float)c->label_smoothing,
        (float)((1 - pair) / (double)n));
    if (pair == 0)
        return sum;
    return (1 - pair) * sum + pairs_compute(z, label, n, dz, pair);
}
