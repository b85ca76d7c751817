/* The language model, from the verbs' side: a brief is written, rea-agent is
 * started with it, and what it hands over is judged like anybody's words.
 * Without a [model], or with one that fails, every verb does what it does
 * without; a line says so. */
#ifndef CMD_AGENT_H
#define CMD_AGENT_H

#include "cmd/work.h"
#include "research/insight.h"

struct report;

/* ---- what the model may know (brief.c) ---- */

struct brief {
    struct call *call;
    const struct project *p;
    struct buf text;
    struct jw w;
};
/* kind: "hypotheses", "diagnosis", "summary". campaign: whose budget is used
 * and which history it is; before: nothing dated later is shown, NULL: all. */
void brief_begin(struct brief *b, struct call *call, const char *kind,
    const struct project *p, uint32_t campaign, const char *before);
void brief_end(struct brief *b);
void brief_fini(struct brief *b);
/* Ideas that are planned: from events of a draft, and those of a campaign. */
void brief_planned(struct brief *b, const struct spec *s, const struct event *e,
    uint32_t n, const struct report *r);
/* Baseline, verdicts and failures of a campaign, NULL: none is known. */
void brief_history(struct brief *b, const struct report *r);
/* The last 50 lines of what these trials' jobs printed, sealed values masked;
 * trial 0: of the last failed ones. */
int brief_logs(struct brief *b, struct store *st, const struct report *r,
    uint32_t trial, struct err *err);
/* One failure with what happened around it, and the remedies to choose of. */
void brief_failure(struct brief *b, const struct report *r, uint32_t failure);

/* What the conversation may use, from [model] as it was signed and from what
 * is left of a budget in usd, and how much it may propose. c NULL: a draft. */
void brief_limits(struct brief *b, uint32_t proposals, struct store *st,
    uint32_t campaign, const struct core *c);

/* ---- asking (agent.c) ---- */

/* What rea-agent handed over; texts and trees live as long as the process. */
struct agent_said {
    const struct json *talk; /* NULL: nothing came */
    double scope_usd;        /* all that the campaign's model has cost; NaN */
    const char *line;        /* for people: what became of it */
};
/* Never fails: without a reply said->talk is NULL and the line says why. */
void agent_ask_model(struct call *call, const char *root, struct brief *b,
    struct agent_said *said);
/* For a plan: the draft as it is, and what the last campaign of this model
 * found. Errors are the store's. */
int agent_plan(struct call *call, const char *root, struct store *st,
    const struct project *p, const struct event *draft, uint32_t n,
    uint32_t most, struct agent_said *said, struct err *err);
/* The ideas of a reply as events hypothesis_added, judged against the spec and
 * predicted from history; what does not pass is left out. In the arena. */
int agent_ideas(struct call *call, const struct spec *s, struct insights *db,
    const struct agent_said *said, struct event **out, uint32_t *n,
    struct err *err);
/* The reply itself as a fact: hash, model, tokens, what it cost; false: there
 * was none. c: state that it is charged to, NULL: a draft. charged_u: what the
 * log was charged for the model before. */
bool agent_fact(struct call *call, const struct agent_said *said,
    const char *purpose, const struct core *c, int64_t charged_u,
    struct event *out);
/* What models have cost by the log, and what of that was charged. */
int agent_charged(struct store *st, uint32_t campaign, int64_t *cost_u,
    int64_t *charged_u, struct err *err);
/* Is this reply in the log already? */
bool agent_logged(
    struct store *st, uint32_t campaign, const struct agent_said *said);
/* Says the line: to the output, or beside it where that is JSON. */
void agent_say(struct call *call, const struct agent_said *said);

/* Appends what a conversation of this number (NULL: the last) said, and what
 * would be sent for a brief; nothing is sent. */
int agent_show(struct call *call, const char *root, const char *number,
    struct buf *out, struct err *err);
int agent_would_send(struct call *call, const char *root, struct brief *b,
    struct buf *out, struct err *err);

/* A campaign at a gate for a failure that no rule knows: asks once what it may
 * be and logs the suggestion; nothing is done about it, errors included. One
 * process asks: others leave it, or wait for its answer. */
void agent_diagnose(
    struct call *call, struct store *st, uint32_t campaign, bool waits);
/* A paragraph for the report of a campaign that is over; once. */
void agent_summarise(struct call *call, struct store *st, uint32_t campaign);
/* Goes on with conversations whose provider said later and whose time has
 * come. Called by sweep; costs one look at a file. */
void agent_sweep(struct call *call, const char *root);

#endif
