/* One piece of work of the bench: the shipped defaults of a task, or one arm
 * on it, with one seed; measured on the sealed metric and written down. */
#ifndef HEADLINE_UNIT_H
#define HEADLINE_UNIT_H

#include "results.h"
#include "task.h"

struct piece {
    const struct task *task;
    const char *arm; /* "default" or an arm */
    uint32_t seed;
    uint32_t fresh; /* seeds of the outcome */
};

/* Runs it in the calling process (a child of its own: processes of rea that
 * lose their starter become its children) and appends the line. `known` holds
 * what earlier units left, the insights of other tasks' campaigns among it. */
int unit_run(const struct places *p, const struct piece *u,
    const struct results *known, const char *out, struct err *err);
/* Can it start: does everything exist that it begins with? Arm rea needs the
 * earlier campaigns on the other tasks with the same seed. */
bool unit_is_ready(const struct piece *u, const struct results *known,
    const struct task *tasks, uint32_t n_tasks);

#endif
