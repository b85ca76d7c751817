/* The made-up cluster: nodes, jobs that run for hours and end in every way, a
 * scheduler that may be down, callbacks that may be lost, late or doubled. It
 * stands in for the recorded backend, so wake submits to it as to any other. */
#ifndef SYSTEM_CLUSTER_H
#define SYSTEM_CLUSTER_H

#include "sim/system/life.h"

/* The next time at which something happens by itself; -1: nothing will. */
int64_t cluster_next_us(void);
/* Lets everything happen that is due: jobs end, callbacks come. */
void cluster_happen(void);
/* A node and all jobs on it are gone. */
void cluster_node_lost(void);
/* Jobs that run now. */
uint32_t cluster_running(void);
/* Law: each job that ran is in the books once, with its end. */
struct store_attempt;
void cluster_settled(const struct store_attempt *a);
void cluster_all_settled(void);
/* Reads the logs of known failures. */
void cluster_logs_read(const char *path);

#endif
