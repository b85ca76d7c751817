/* Processes of the made-up machine: coroutines that give way at every step.
 * One that is killed there never goes on; its descriptors are closed and its
 * database connection ends, as the system would do it. */
#ifndef SYSTEM_PROCESS_H
#define SYSTEM_PROCESS_H

#include "sim/system/life.h"

struct store;

struct process {
    void (*run)(struct process *p);
    uint32_t campaign; /* 0: all */
    enum verb verb;
    bool sweeps, reads, says; /* what it is for; neither: a wake */
    int rc;                   /* what it ended with */
    bool done;
    /* its own state */
    uint32_t id;
    bool dead;
    int64_t ready_us;
    int inside; /* depth in calls that it does not die in */
    bool holding, writing;
    int naps;
    bool patient; /* naps as long as it was told */
    void *stack;
    struct context *context;
    struct store *open;
    int fds[32];
    uint32_t n_fds;
};

/* NULL: the world itself is at work. */
extern struct process *process_now;

/* Starts a copy of what; it runs when its turn comes. */
void process_start(const struct process *what);
/* A step of the running process: time passes, others may go on, it may die. */
void process_step(enum op op);
/* It wants to go on later. */
void process_nap(int64_t us);
/* Lets one that is ready take steps; false: none is ready. */
bool process_turn(void);
/* The first time at which one is ready; -1: there is none. */
int64_t process_ready_us(void);
uint32_t process_count(void);
void process_kill_all(void);

/* Called for each that has ended by itself. */
void process_ended(const struct process *p);

/* disk.c and database.c tell what it holds. */
void process_has_fd(int fd);
void process_lost_fd(int fd);
/* database.c: ends a killed process's connection. */
void database_cut(struct store *st);

#endif
