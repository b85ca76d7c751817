/* Cholesky by rows on inner products, with triangular solves. Called by linfit
 * and gp. Source: Golub & Van Loan, Matrix Computations, alg. 4.2.1 (row
 * oriented). Invariant: the order of every sum is fixed, so results are the
 * same whatever vector width the compiler picks. */
#include "math/chol.h"

#include <math.h>
#include <stddef.h>

#include "base/err.h"

double
dot(const double *a, const double *b, int n)
{
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;

    for (; i + 4 <= n; i += 4) {
        s0 += a[i] * b[i];
        s1 += a[i + 1] * b[i + 1];
        s2 += a[i + 2] * b[i + 2];
        s3 += a[i + 3] * b[i + 3];
    }
    for (; i < n; i++)
        s0 += a[i] * b[i];
    return (s0 + s2) + (s1 + s3);
}

int
chol_extend(double *a, int n, int ld)
{
    double *row = a + (size_t)n * (size_t)ld;

    for (int j = 0; j < n; j++) {
        const double *l = a + (size_t)j * (size_t)ld;
        row[j] = (row[j] - dot(row, l, j)) / l[j];
    }
    double pivot = row[n] - dot(row, row, n);
    if (!(pivot > 0) || isinf(pivot))
        return -ERR_CHECK;
    row[n] = sqrt(pivot);
    return 0;
}

int
chol_factor(double *a, int n, int ld)
{
    for (int i = 0; i < n; i++)
        if (chol_extend(a, i, ld) != 0)
            return -ERR_CHECK;
    return 0;
}

void
chol_forward(const double *l, int n, int ld, double *b)
{
    for (int i = 0; i < n; i++) {
        const double *row = l + (size_t)i * (size_t)ld;
        b[i] = (b[i] - dot(row, b, i)) / row[i];
    }
}

void
chol_backward(const double *l, int n, int ld, double *b)
{
    for (int i = n - 1; i >= 0; i--) {
        const double *row = l + (size_t)i * (size_t)ld;
        b[i] /= row[i];
        for (int j = 0; j < i; j++)
            b[j] -= row[j] * b[i];
    }
}

void
chol_solve(const double *l, int n, int ld, double *b)
{
    chol_forward(l, n, ld, b);
    chol_backward(l, n, ld, b);
}

double
chol_log_det(const double *l, int n, int ld)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += log(l[(size_t)i * (size_t)ld + (size_t)i]);
    return 2 * sum;
}

void
chol_inverse(const double *l, int n, int ld, double *out)
{
    /* the lower triangle first holds L^-1, then L^-T L^-1, row by row */
    for (int i = 0; i < n; i++) {
        const double *from = l + (size_t)i * (size_t)ld;
        double *row = out + (size_t)i * (size_t)n;
        for (int j = 0; j < i; j++)
            row[j] = 0;
        for (int k = 0; k < i; k++) {
            const double *above = out + (size_t)k * (size_t)n;
            double factor = from[k];
            for (int j = 0; j <= k; j++)
                row[j] -= factor * above[j];
        }
        row[i] = 1 / from[i];
        for (int j = 0; j < i; j++)
            row[j] *= row[i];
    }
    for (int i = 0; i < n; i++) {
        double *row = out + (size_t)i * (size_t)n;
        double own = row[i], square = own * own;
        for (int j = 0; j < i; j++)
            row[j] *= own;
        for (int k = i + 1; k < n; k++) {
            const double *below = out + (size_t)k * (size_t)n;
            double factor = below[i];
            square += factor * factor;
            for (int j = 0; j < i; j++)
                row[j] += factor * below[j];
        }
        row[i] = square;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            out[(size_t)j * (size_t)n + (size_t)i] =
                out[(size_t)i * (size_t)n + (size_t)j];
}
