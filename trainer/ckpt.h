/* Checkpoints: everything a run needs to go on exactly, in one checked file. */
#ifndef TRAINER_CKPT_H
#define TRAINER_CKPT_H

#include "model.h"

/* Where a run stands. Order and dropout are functions of (seed, epoch,
 * position, step), so these numbers hold the random state too. */
struct train_state {
    uint64_t epoch;    /* epochs completed */
    uint64_t position; /* rows of the current epoch's order already seen */
    uint64_t step;     /* updates made */
    uint64_t samples;  /* rows trained on */
    double loss_sum;   /* of the current epoch */
    uint64_t loss_rows;
    double best_value; /* of the early-stopping metric */
    uint64_t best_epoch;
    uint64_t bad_epochs; /* since then */
    uint64_t finished;   /* 1: nothing is left to train */
};

/* Weights of the best epoch, packed; NULL while there are none. */
struct best {
    float *weights;
    size_t n;
};
/* Copies the weights of the model. */
void best_keep(struct best *b, struct model *m);
void best_use(const struct best *b, struct model *m);
void best_fini(struct best *b);

/* What a checkpoint was made from. */
struct ckpt_shape {
    uint64_t fingerprint; /* of the data */
    uint32_t ids, fields;
};

/* Writes by rename, with fdatasync. -ERR_SYS, -ERR_FULL. */
int ckpt_write(const char *path, const struct config *c,
    const struct ckpt_shape *shape, const struct train_state *st,
    struct model *m, const struct best *b, struct err *err);

struct ckpt {
    void *map;
    size_t map_len;
    char *text; /* flags of data and model, owned */
    struct ckpt_shape shape;
    struct train_state state;
    const float *weights; /* packed */
    size_t weights_n, state_n;
    const float *best; /* NULL: the weights are the best */
};

/* Maps and checks a file. -ERR_NOT_FOUND; -ERR_INPUT when it is torn or of
 * another version. */
int ckpt_open(struct ckpt *k, const char *path, struct err *err);
void ckpt_close(struct ckpt *k);
/* Copies all state into a model of the same flags, and the best weights into
 * b. -ERR_INPUT when sizes differ. */
int ckpt_restore(
    const struct ckpt *k, struct model *m, struct best *b, struct err *err);
/* Copies the weights that evaluation uses. */
int ckpt_use(const struct ckpt *k, struct model *m, struct err *err);

#endif
