/* Ranks, Spearman's correlation and quantiles, for reading curves and priors.
 * Sources: Spearman 1904 with mid-ranks; Hoare's quickselect (CACM 4, 1961);
 * Hyndman & Fan 1996. Invariant: work space comes from the caller. */
#include "math/rank.h"

#include <assert.h>
#include <math.h>

void
rank_average(const double *x, size_t n, struct order_key *work, double *rank)
{
    order_rows(x, n, work);
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && work[end].key == work[i].key)
            end++;
        for (size_t j = i; j < end; j++)
            rank[work[j].row] = 0.5 * ((double)i + (double)end + 1);
        i = end;
    }
}

double
spearman(const double *x, const double *y, size_t n, struct order_key *work,
    double *ranks)
{
    double mid = 0.5 * ((double)n + 1);
    double xx = 0;
    double yy = 0;
    double xy = 0;

    if (n < 2)
        return NAN;
    rank_average(x, n, work, ranks);
    rank_average(y, n, work, ranks + n);
    for (size_t i = 0; i < n; i++) {
        double a = ranks[i] - mid;
        double b = ranks[n + i] - mid;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

/* Puts the k-th smallest (0-based) at x[k], smaller ones before it, larger
 * ones behind. */
static void
select_in_place(double *x, size_t n, size_t k)
{
    size_t lo = 0;
    size_t hi = n - 1;

    while (lo < hi) {
        double pivot = x[lo + (hi - lo) / 2];
        size_t i = lo;
        size_t lt = lo;
        size_t gt = hi;
        while (i <= gt) {
            double v = x[i];
            if (v < pivot) {
                x[i++] = x[lt];
                x[lt++] = v;
            } else if (v > pivot) {
                x[i] = x[gt];
                x[gt] = v;
                if (gt == 0)
                    break;
                gt--;
            } else {
                i++;
            }
        }
        if (k >= lt && k <= gt)
            return;
        if (k < lt)
            hi = lt - 1;
        else
            lo = gt + 1;
    }
}

double
quantile_in_place(double *x, size_t n, double q)
{
    assert(n >= 1 && q >= 0 && q <= 1);
    double at = q * (double)(n - 1);
    size_t k = (size_t)at;

    if (k >= n - 1)
        k = n - 1;
    select_in_place(x, n, k);
    double low = x[k];
    if (k + 1 >= n || at == (double)k)
        return low;
    double high = x[k + 1];
    for (size_t i = k + 2; i < n; i++)
        high = x[i] < high ? x[i] : high;
    return low + (at - (double)k) * (high - low);
}

double
median_in_place(double *x, size_t n)
{
    return quantile_in_place(x, n, 0.5);
}
