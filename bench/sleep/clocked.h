/* Times of real processes beside the machine's raw fsync, sample by sample, so
 * that both see the same noise of the machine. */
#ifndef SLEEP_CLOCKED_H
#define SLEEP_CLOCKED_H

#include <stdbool.h>
#include <stddef.h>

enum { SAMPLES_MAX = 20000 };

struct series {
    int n;
    double ms[SAMPLES_MAX];
};

void series_add(struct series *s, double ms);
/* Sorts. 0 when it is empty. */
double series_at(struct series *s, double quantile);

struct raw { /* one page written to a file and synced, as a commit does */
    int fd, i;
};
void raw_open(struct raw *r, const char *root);
double raw_ms(struct raw *r);
void raw_close(struct raw *r);

struct cost {
    double wall_ms, cpu_ms;
};
/* `program -q -C root verb [arg]` from spawn to exit; exits when it fails. */
struct cost run_once(
    const char *program, const char *root, const char *verb, const char *arg);
/* Starts it; the caller waits for the pid. */
int run_start(
    const char *program, const char *root, const char *verb, const char *arg);

#endif
