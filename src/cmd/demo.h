/* The demo workspace: its files, its data, and the wake that is killed. */
#ifndef CMD_DEMO_H
#define CMD_DEMO_H

#include "cmd/work.h"

enum { DEMO_MODELS = 2 };

struct demo_model {
    const char *name; /* of the project, "kdd12-small" */
    const char *data; /* absolute folder of split.*.ffm[.xz] */
    const char *what; /* one line about the data and its terms */
    bool synthetic;
};

struct demo {
    struct call *call;
    const char *root;    /* absolute */
    const char *trainer; /* absolute path of rea-ctr */
    struct demo_model model[DEMO_MODELS];
    const char *source; /* where the data was found, for people */
};

/* demo_data.c: fills model[] and source: --data, $REA_DATA, the cache, a
 * download, and last the generator (at once with --data none). */
int demo_data(struct demo *d, const char *choice, struct err *err);
/* demo_files.c: the folder, the trainer's wrapper, the project files. */
int demo_files(struct demo *d, struct err *err);
const char *demo_project(const struct demo *d, uint32_t i);

/* demo_kill.c: a child process that waits for the next callback of a campaign
 * and kills it with SIGKILL as soon as it is seen. */
struct demo_kill {
    int pid;    /* of the hunter, 0: not started */
    int fd;     /* where it tells the pid that it has killed */
    int victim; /* 0: none yet */
    bool over;
};
int demo_kill_start(
    struct demo_kill *k, const char *root, uint32_t campaign, struct err *err);
/* Looks without waiting; k->victim is set once it happened. */
void demo_kill_look(struct demo_kill *k);
void demo_kill_end(struct demo_kill *k);

#endif
