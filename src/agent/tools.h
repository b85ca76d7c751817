/* What a model may do: look things up, propose, note. No tool approves,
 * spends, writes a file of the user, or reads one: logs and results come in
 * the brief, already masked. Every answer is text for the model that begins
 * with "accepted ", "refused: ", "error: " or the rows that were found. */
#ifndef AGENT_TOOLS_H
#define AGENT_TOOLS_H

#include "agent/talk.h"
#include "base/buf.h"
#include "core/spec.h"
#include "papers/corpus.h"
#include "research/insight.h"

/* What the tools see of the workspace; all borrowed, NULL where absent. */
struct desk {
    const struct spec *spec;
    struct insights *insights;
    struct corpus *corpus;
    const struct json *brief; /* that of the conversation */
    uint32_t proposals_max;
};

/* The table, for a request. */
const struct model_tool *tools_list(uint32_t *n);

/* Answers one call within the open transaction: rows shown, proposals and
 * notes go into the conversation. 0 whatever the call was; < 0 where the state
 * can't be kept. *finished: the model says that it is done. */
int tool_answer(struct desk *d, struct talk *t, const struct model_call *call,
    struct buf *out, bool *finished, struct err *err);

/* ---- proposals (propose.c) ---- */

/* JSON schema of one proposal's arguments. */
extern const char proposal_schema[];

/* Judges a proposal: declared knobs, values inside their domains, something
 * that the baseline and the known ideas are not, evidence that was shown and
 * quotes that stand in it byte for byte. Takes it into the conversation, or
 * writes why not. */
int proposal_judge(struct desk *d, struct talk *t, const struct json *args,
    struct buf *out, struct err *err);

/* How a change relates to what was learnt. */
enum relation {
    RELATION_NEW,
    RELATION_REPEATS,     /* the same change was measured here */
    RELATION_CONTRADICTS, /* of a like one it is known to hurt */
    RELATION_REFINES,     /* of a like one it is known to help */
    RELATION_INFRA,       /* it failed for reasons not its own */
    RELATION_COUNT
};
const char *relation_name(uint32_t relation);
/* *nearest: of the row in the arena, NULL: none. */
enum relation change_relation(const struct desk *d, struct arena *a,
    const struct override *over, uint32_t n_over,
    const struct insight **nearest);

#endif
