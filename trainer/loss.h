/* Losses and their gradients by the logit. */
#ifndef TRAINER_LOSS_H
#define TRAINER_LOSS_H

#include "kern.h"

/* Sum of the loss over n rows, and dz = gradient of its mean. z, p and dz have
 * room for n rounded up to 8; p becomes the probability. */
double loss_compute(const struct config *c, const struct kern *k,
    const float *z, const float *label, uint32_t n, float *p, float *dz);

#endif
