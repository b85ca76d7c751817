/* Processes as coroutines (process.h). Called by the hooks of disk, database
 * and cluster at every step, and by the loop of a life. */
#include "sim/system/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/arena.h"

enum { PROCESSES_MAX = 48, STACK_BYTES = 4 << 20 };

struct context {
    ucontext_t at;
};

struct process *process_now;
static struct process *all[PROCESSES_MAX];
static uint32_t n_all, next_id;
static ucontext_t world;
static void *spare[PROCESSES_MAX];
static uint32_t n_spare;

uint32_t
process_count(void)
{
    return n_all;
}

static void *
stack_take(void)
{
    if (n_spare > 0)
        return spare[--n_spare];
    void *p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        law_broken("no memory for a stack");
    return p;
}

static void
body(void)
{
    struct process *p = process_now;
    p->run(p);
    p->done = true;
    swapcontext(&p->context->at, &world);
}

void
process_start(const struct process *what)
{
    if (n_all == PROCESSES_MAX)
        return; /* the machine starts no more; the sweep will come again */
    struct process *p = mem_calloc(1, sizeof *p);
    *p = *what;
    p->id = ++next_id;
    p->ready_us = life.now_us;
    p->patient = life_chance(.03);
    p->stack = stack_take();
    p->context = mem_calloc(1, sizeof *p->context);
    getcontext(&p->context->at);
    p->context->at.uc_stack.ss_sp = p->stack;
    p->context->at.uc_stack.ss_size = STACK_BYTES;
    makecontext(&p->context->at, body, 0);
    for (uint32_t i = 0; i < n_all; i++)
        if (p->campaign != 0 && all[i]->campaign == p->campaign)
            trouble_count(TROUBLE_TWO_WAKERS);
    all[n_all++] = p;
    life.tally->processes++;
}

static void
give_way(struct process *p)
{
    swapcontext(&p->context->at, &world);
}

static void
die(struct process *p)
{
    trouble_count(TROUBLE_KILL);
    if (p->holding)
        trouble_count(TROUBLE_KILL_HOLDING);
    if (p->writing)
        trouble_count(TROUBLE_KILL_WRITING);
    p->dead = true;
    give_way(p);
    abort(); /* the dead do not go on */
}

void
process_step(enum op op)
{
    struct process *p = process_now;
    const struct weather *w = &life.weather;
    if (p == NULL)
        return;
    if (op != OP_LOCK)
        p->naps = 0;
    life.tally->steps += p->naps == 0; /* asking again is none */
    life.tally->ops[op]++;
    life.tally->trace = rng_mix(life.tally->trace,
        ((uint64_t)op << 56) ^ ((uint64_t)p->id << 40) ^ (uint64_t)life.now_us);
    double x = rng_f64(&life.draw);
    int64_t takes = 20 + (int64_t)(rng_u64(&life.draw) & 511);
    if (x < w->kill)
        die(p);
    x -= w->kill;
    if (x < w->stall) {
        trouble_count(TROUBLE_STALL);
        takes = life_span_us(SECOND_US, 3 * HOUR_US);
    }
    x -= w->stall;
    bool disk = op <= OP_COMMIT || (op >= OP_OPEN && op <= OP_LIST);
    if (x >= 0 && x < w->slow && disk) {
        trouble_count(TROUBLE_SLOW_DISK);
        takes = life_span_us(SECOND_US / 10, 120 * SECOND_US);
    }
    p->ready_us = life.now_us + takes;
    if (n_all == 1 && takes < SECOND_US) { /* nobody to give way to */
        life.now_us = p->ready_us;
        return;
    }
    give_way(p);
}

/* A nap in a row lasts twice as long as the one before, so that waiting for
 * one that stands still costs no million of steps. */
void
process_nap(int64_t us)
{
    struct process *p = process_now;
    life.tally->naps++;
    p->naps++;
    if (!p->patient && p->naps > 3)
        us <<= p->naps < 16 ? p->naps - 3 : 13;
    p->ready_us = life.now_us + us;
    give_way(p);
}

int64_t
process_ready_us(void)
{
    int64_t first = -1;
    for (uint32_t i = 0; i < n_all; i++)
        if (first < 0 || all[i]->ready_us < first)
            first = all[i]->ready_us;
    return first;
}

static void
bury(uint32_t i)
{
    struct process *p = all[i];
    all[i] = all[--n_all];
    if (p->dead && p->open != NULL)
        database_cut(p->open);
    for (uint32_t f = 0; f < p->n_fds; f++)
        syscall(SYS_close, p->fds[f]);
    if (!p->dead)
        process_ended(p);
    spare[n_spare++] = p->stack;
    free(p->context);
    free(p);
}

bool
process_turn(void)
{
    uint32_t ready[PROCESSES_MAX], n = 0;
    for (uint32_t i = 0; i < n_all; i++)
        if (all[i]->ready_us <= life.now_us)
            ready[n++] = i;
    if (n == 0)
        return false;
    uint32_t i = ready[n == 1 ? 0 : rng_below(&life.draw, n)];
    struct process *p = all[i];
    process_now = p;
    swapcontext(&world, &p->context->at);
    process_now = NULL;
    if (p->dead || p->done)
        bury(i);
    return true;
}

void
process_kill_all(void)
{
    trouble_count(TROUBLE_REBOOT);
    while (n_all > 0) {
        all[n_all - 1]->dead = true;
        bury(n_all - 1);
    }
}

void
process_has_fd(int fd)
{
    struct process *p = process_now;
    if (p->n_fds == sizeof p->fds / sizeof *p->fds)
        law_broken("a process holds %u descriptors", p->n_fds);
    p->fds[p->n_fds++] = fd;
}

void
process_lost_fd(int fd)
{
    struct process *p = process_now;
    for (uint32_t i = 0; i < p->n_fds; i++)
        if (p->fds[i] == fd) {
            p->fds[i] = p->fds[--p->n_fds];
            return;
        }
}
