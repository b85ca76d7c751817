/* The two jobs of the program. */
#ifndef TRAINER_TRAIN_H
#define TRAINER_TRAIN_H

#include "config.h"

/* Exit codes beside those of err_exit. */
enum { EXIT_PREEMPTED = 85, EXIT_DIVERGED = 86 };

/* Trains by the flags. *exit_code: 0, EXIT_PREEMPTED or EXIT_DIVERGED. */
int train_run(const struct config *c, int *exit_code, struct err *err);
/* Evaluates --load; flags of data and model that argv does not give come from
 * the checkpoint. */
int evaluate_run(int argc, char **argv, struct err *err);
/* Writes a synthetic data set with a known truth. */
int generate_run(const struct config *c, struct err *err);

#endif
