/* Plans before they are signed: their hash, their amendment, their display. */
#ifndef CMD_DRAFT_H
#define CMD_DRAFT_H

#include "cmd/work.h"
#include "report/load.h"
#include "research/draft.h"

/* Identity of a plan: project, hypotheses that stand, phases, budget. */
void plan_hash_text(const char *project_hash, const struct core *c,
    int64_t budget_u, char out[HASH_LEN]);
/* State of a campaign and its project file as it is now. *core: free(). */
int draft_reload(struct call *call, struct store *st, uint32_t campaign,
    struct core **core, struct project **p, char project_hash_now[],
    struct err *err);
/* Appends facts and a plan_drafted with the hash that they lead to. facts has
 * room for one more than n. budget_u 0: the budget drafted so far. */
int draft_amend(struct call *call, struct store *st, uint32_t campaign,
    struct event *facts, size_t n, int64_t budget_u, struct err *err);
/* Appends facts to a campaign: with a new plan hash while its plan is not
 * signed, as an amendment else. facts has room for one more than n. */
int facts_amend(struct call *call, struct store *st, uint32_t campaign,
    struct event *facts, size_t n, struct err *err);
/* What the last ended campaign of this model measured, seen from the baseline
 * that the spec has now; out->n is 0 where there is none, where the knobs
 * changed, or where that campaign never ran today's baseline. The arrays lie
 * in call->arena. */
int plan_seen(struct call *call, struct store *st, const struct spec *s,
    struct draft_seen *out, struct err *err);
/* Reads a diff, checks it against the campaign and puts it into a hypothesis
 * that is being added; says what was checked. */
int patch_add(struct call *call, const struct project *p, const struct core *c,
    const char *root, const char *file, struct event *e, struct err *err);
/* Holds a carried idea's patch to the new draft's base; false: it no longer
 * fits there, which is said. */
bool patch_again(struct call *call, const char *root, const struct project *p,
    const struct core *c, struct event *e);
/* rea approve --patch PREFIX */
int patch_sign(struct call *call, const char *prefix, struct err *err);

/* Prints the plan of a campaign. */
int plan_show(
    struct call *call, struct store *st, uint32_t campaign, struct err *err);

/* The engineer's ideas in the draft of this campaign, ready to be brought into
 * a new one; lost: those whose knobs are not what they were. Texts and events
 * lie in call->arena. */
int draft_carry(struct call *call, struct store *st, uint32_t campaign,
    const struct spec *spec, struct event **out, uint32_t *n, uint32_t *lost,
    struct err *err);

#endif
