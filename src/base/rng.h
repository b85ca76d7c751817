/* Random numbers without hidden state: xoshiro256** seeded by splitmix64
 * (Blackman & Vigna, ACM TOMS 47(4), 2021). The state is in the struct, so a
 * run is a function of its seed; nothing here reads a clock or a device. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

/* Any seed is good, 0 too. */
void rng_seed(struct rng *r, uint64_t seed);
/* A stream of its own for (seed, stream): keys that differ give streams that
 * do not overlap in practice. */
void rng_seed2(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_u64(struct rng *r);
/* Uniform in [0, 1), 53 bits. */
double rng_f64(struct rng *r);
/* Uniform in [0, n), n > 0, without bias. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Standard normal (polar method; consumes a varying number of draws). */
double rng_normal(struct rng *r);
/* One round of splitmix64 as a mixing function of two words. */
uint64_t rng_mix(uint64_t a, uint64_t b);

#endif
