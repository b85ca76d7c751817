/* Scores of predictions. Called by the benches and by the table that shows the
 * engineer how far predictions can be trusted. */
#include "math/score.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "math/chol.h"
#include "math/dist.h"

double
crps_normal(double mean, double sd, double y)
{
    if (!(sd > 0))
        return fabs(y - mean);
    double z = (y - mean) / sd;
    return sd * (z * (2 * normal_cdf(z) - 1) + 2 * normal_pdf(z) -
                    0.56418958354775628695 /* 1 / sqrt(pi) */);
}

/* Factor of a matrix that may be only semidefinite: a pivot that rounding made
 * 0 or less stands for a belief that follows from the ones before it. */
static void
factor_semi(const double *cov, int m, double *l)
{
    for (int i = 0; i < m; i++) {
        for (int j = 0; j <= i; j++) {
            double s = cov[i * m + j] - dot(l + i * m, l + j * m, j);
            if (i == j)
                l[i * m + i] = s > 1e-12 * cov[i * m + i] ? sqrt(s) : 0;
            else
                l[i * m + j] = l[j * m + j] > 0 ? s / l[j * m + j] : 0;
        }
    }
}

void
best_shares(const double *mean, const double *cov, int m, int draws,
    struct rng *r, double *share, double *work)
{
    double *l = work, *z = work + m * m;
    assert(m > 0 && draws > 0);
    factor_semi(cov, m, l);
    memset(share, 0, (size_t)m * sizeof *share);
    for (int d = 0; d < draws; d++) {
        int best = 0;
        double most = -INFINITY;
        for (int i = 0; i < m; i++)
            z[i] = rng_normal(r);
        for (int i = 0; i < m; i++) {
            double x = mean[i] + dot(l + i * m, z, i + 1);
            if (x > most) {
                most = x;
                best = i;
            }
        }
        share[best]++;
    }
    for (int i = 0; i < m; i++)
        share[i] /= draws;
}

void
reliability_add(
    struct reliability *r, double mean, double sd, double p, double y, double v)
{
    int bin = (int)(p * RELIABILITY_BINS);
    double all = sqrt(sd * sd + v);
    bin = bin < 0 ? 0 : bin >= RELIABILITY_BINS ? RELIABILITY_BINS - 1 : bin;
    r->n[bin]++;
    r->predicted[bin] += p;
    r->happened[bin] += y > 0;
    r->rows++;
    r->brier += (p - (y > 0)) * (p - (y > 0));
    r->crps += crps_normal(mean, all, y);
    r->covered += fabs(y - mean) <= INTERVAL80_Z * all;
    r->sd += all;
    r->error += fabs(y - mean);
}
