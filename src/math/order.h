/* Sorting by a double key without allocation: LSD radix sort, stable, the same
 * on every machine. Used by auc and rank. */
#ifndef MATH_ORDER_H
#define MATH_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct order_key {
    uint64_t key; /* the double's bits, mapped to unsigned order */
    uint32_t row;
};

/* Fills buf[0..n) with the rows in ascending order of value (no NaN; -0 equals
 * 0; equal values keep the order of their rows). buf has room for 2 n. */
void order_rows(const double *value, size_t n, struct order_key *buf);

#endif
