/* Cholesky factors of small symmetric positive definite matrices, stored in
 * rows; only the lower triangle is read or written. ld is the distance of two
 * rows in doubles, ld >= n. */
#ifndef MATH_CHOL_H
#define MATH_CHOL_H

/* Overwrites the lower triangle of a by L with L L' = A (Golub & Van Loan,
 * alg. 4.2.1, by rows). -ERR_CHECK when a pivot is not > 0 (a is spoilt
 * then); the caller knows what the matrix was and words the error. */
int chol_factor(double *a, int n, int ld);
/* Adds row n (0-based) to a factor of size n: row[0..n) holds the covariances
 * with the old points and row[n] the variance; both become L. */
int chol_extend(double *a, int n, int ld);
/* b := L^-1 b and b := L'^-1 b. */
void chol_forward(const double *l, int n, int ld, double *b);
void chol_backward(const double *l, int n, int ld, double *b);
/* b := A^-1 b. */
void chol_solve(const double *l, int n, int ld, double *b);
/* log det A. */
double chol_log_det(const double *l, int n, int ld);
/* out (rows, distance n, full symmetric) := A^-1. out differs from l. */
void chol_inverse(const double *l, int n, int ld, double *out);
/* Inner product with four running sums: the order of summation is fixed, so
 * the value does not depend on the compiler's vector width. */
double dot(const double *a, const double *b, int n);

#endif
