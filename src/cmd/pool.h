/* Pools as the verbs see them. */
#ifndef CMD_POOL_H
#define CMD_POOL_H

#include "cmd/work.h"

/* A drafted campaign's place in the pool that its project file names; its
 * floor is kept from now on. -ERR_INPUT: no such pool, or another unit. */
int pool_join(struct call *call, struct store *st, uint32_t campaign,
    const struct project *p, int64_t signed_u, struct err *err);
/* Turns the signature of a plan into that of a member: it starts with its
 * floor, budget_u is the most it may get. -ERR_APPROVAL: the pool itself is
 * not signed yet. */
int pool_sign_member(struct call *call, struct store *st, uint32_t campaign,
    const struct project *p, const struct core *c, struct event *approved,
    struct err *err);
/* Signs the pool whose asked terms have a hash that begins so; *found tells. */
int pool_sign(struct call *call, struct store *st, const char *prefix,
    bool *found, struct err *err);
/* All pools below a status; nothing without one. */
int pools_say(struct call *call, struct store *st, struct err *err);
int pools_json(struct store *st, struct jw *w, struct err *err);

#endif
