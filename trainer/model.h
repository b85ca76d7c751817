/* A model: parameters, one forward and backward pass, one update. */
#ifndef TRAINER_MODEL_H
#define TRAINER_MODEL_H

#include "net.h"

struct model {
    const struct config *c;
    const struct kern *kern;
    uint32_t rows_cap, dim4; /* dim4: floats of one field's vector in ffm */
    bool has_linear, has_vectors, has_fm, has_net;
    struct table w, v; /* first-order weights; embeddings */
    struct dense dense;
    struct net net;
    size_t bias;             /* place in dense */
    float *sum;              /* fm's sums of vectors [rows][np] */
    float *x, *dx;           /* embeddings as input of net */
    uint32_t seed_embedding; /* of the dropout of the last forward */
};

/* Allocates and sets the initial weights. rows: of the largest batch.
 * -ERR_INPUT where the flags do not fit the data. */
int model_init(struct model *m, const struct config *c, uint32_t ids,
    uint32_t fields, uint32_t rows, struct err *err);
void model_fini(struct model *m);
/* z [rows of b, rounded up to 8] = logits. seed: of this step's dropout. */
void model_forward(struct model *m, const struct batch *b, bool training,
    uint64_t seed, float *z);
/* Gradients of sum(dz * z); after model_forward with training and
 * batch_index. */
void model_backward(struct model *m, const struct batch *b, const float *dz);
/* Applies the gradients. scale: factor of the learning rates at this step;
 * step_number from 1. */
void model_update(
    struct model *m, const struct batch *b, double scale, uint64_t step_number);

/* The arrays that make up a model, for checkpoints: those that evaluation
 * needs come first, then the optimiser's. */
struct model_part {
    float *p;
    size_t rows, width, stride; /* rows of width floats, stride apart */
};
enum { MODEL_PARTS_MAX = 8 };
/* Number of parts; the first *weights of them are weights. */
int model_parts(struct model *m, struct model_part out[static MODEL_PARTS_MAX],
    int *weights);

#endif
