/* One line of the table of tasks, and the workspace that an arm gets for it. */
#ifndef HEADLINE_TASK_H
#define HEADLINE_TASK_H

#include "base/arena.h"
#include "base/err.h"
#include "project/project.h"

enum { TASKS_MAX = 64 };

struct task {
    const char *name, *needs, *command, *outcome, *valid, *test, *knobs;
    bool minimise;
    double min_gain, limit_s, budget_s;
};

struct places { /* absolute paths */
    const char *table, *data, *trainer, *rea, *work, *peer, *python;
    const char *papers; /* abstracts for a corpus; NULL: none */
};

/* Reads the table; a task whose data is not there is left out with a line on
 * stderr. */
int tasks_read(struct arena *a, const struct places *p, struct task *out,
    uint32_t *n, struct err *err);
/* Writes rea.toml of a task to a folder (made anew) and loads it. outcome:
 * with the words that make a run report the sealed metric. */
int
task_workspace(struct arena *a, const struct places *p, const struct task *t,
    const char *root, bool outcome, struct project **out, struct err *err);

#endif
