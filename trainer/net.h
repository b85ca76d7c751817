/* The dense part of the deep models: a perceptron over the embeddings, or in
 * final factorised interaction layers; and beside it in dcnv2 and gdcn a cross
 * network, plain or gated. */
#ifndef TRAINER_NET_H
#define TRAINER_NET_H

#include <stddef.h>

#include "kern.h"

/* All dense parameters in one array, so that saving, updating and checking
 * gradients are single loops. Blocks are multiples of 8 floats. */
struct dense {
    float *p, *g, *m, *v;
    size_t n;
    int blocks;
    struct {
        size_t at, n;
        bool has_l2; /* weights have, biases and norms have not */
    } block[64];
};

/* Reserves n floats; call dense_alloc when all are reserved. */
size_t dense_add(struct dense *d, size_t n, bool has_l2);
void dense_alloc(struct dense *d, const struct config *c);
void dense_fini(struct dense *d);
void
dense_update(struct dense *d, const struct kern *k, struct step step, float l2);

struct net_layer {
    uint32_t in, out;                 /* padded to 8 */
    size_t weight, bias, gamma, beta; /* places in dense */
    float *fh;                        /* final: factors [rows][2 out] */
    float *a;                         /* output [rows][out] */
    float *normal;                    /* batch norm: (z - mean) / sd */
    float *scale;                     /* 1 / sd of the batch [out] */
};

struct cross_layer {
    size_t weight, bias, low; /* rank > 0: u = (x weight) low */
    float *u, *x, *t;         /* u and output [rows][width], t [rows][rank];
                                 gdcn: u with its gate, [rows][2 width] */
};

/* final's, where it is asked for: scales the input before the layers. */
struct field_gate {
    uint32_t fields, np; /* fields 0: there is none */
    size_t weight, bias; /* places in dense */
    float *g, *x;        /* gates and gated input [rows][fields * np] */
};

struct net {
    const struct config *c;
    const struct kern *kern;
    uint32_t width, rows_cap, rank;
    int layers, cross;
    bool factored, gated; /* final, gdcn */
    struct field_gate gate;
    struct net_layer layer[HIDDEN_MAX];
    struct cross_layer crossing[8];
    size_t out_deep, out_cross; /* final weights in dense */
    float *running;             /* batch norm's running means and variances */
    size_t running_n;
    float *da, *db, *du; /* gradients [rows][widest] */
};

/* Reserves parameters in d. A row of input: fields vectors of np floats. */
int net_init(struct net *n, const struct config *c, struct dense *d,
    uint32_t fields, uint32_t np, uint32_t rows, struct err *err);
/* Initial weights; after dense_alloc. np and dim: padded and real size of an
 * embedding. */
void net_start(struct net *n, struct dense *d, uint32_t np, uint32_t dim);
void net_fini(struct net *n);
/* z += output. seed: of the step's dropout; training false: none, and batch
 * norm uses the running values. */
void net_forward(struct net *n, struct dense *d, const float *x, uint32_t rows,
    bool training, uint64_t seed, float *z);
/* Gradients into d->g, and those of x into dx. After net_forward with
 * training. */
void net_backward(struct net *n, struct dense *d, const float *x, uint32_t rows,
    const float *dz, float *dx);

#endif
