/* Who may decide for a campaign: one process at a time, by a lock on
 * .rea/lease/C1 that dies with its holder. Who finds a lease taken leaves a
 * mark, and a holder looks for marks after letting go, so that no wake-up is
 * lost between the two. */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "store/store.h"

struct lease {
    int fd; /* -1: not held; a starting job's supervisor inherits it */
    uint32_t campaign;
};

/* Tries the lock. 0: held, all earlier marks are taken over. -ERR_BUSY:
 * somebody holds it and will see the mark that was left. */
int lease_take(
    struct store *st, uint32_t campaign, struct lease *out, struct err *err);
/* Like lease_take, but waits up to wait_ms for the holder. For verbs. */
int lease_wait(struct store *st, uint32_t campaign, int64_t wait_ms,
    struct lease *out, struct err *err);
/* Lets go. true: somebody left a mark meanwhile, so take it and look again. */
bool lease_drop(struct store *st, struct lease *l);
/* Is a mark waiting? (for the sweep: its holder died) */
bool lease_marked(struct store *st, uint32_t campaign);

#endif
