/* The agent that asks a model: orchestrator of one conversation. It goes from
 * state to state (talk.h), each step kept before the next is taken, and ends
 * with proposals, a diagnosis or a paragraph; or without, and then says why.
 * What it hands over is data that rea judges again. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/memory.h"
#include "agent/tools.h"

struct agent_answer {
    struct model_reply reply;
    int64_t later_ms; /* not OK: the provider said when to come again; 0 */
};
/* The world as the loop sees it; tests put a script here. */
struct agent_ops {
    void *ctx;
    /* As model_ask. */
    int (*ask)(void *ctx, const struct model_request *q, struct arena *a,
        struct agent_answer *out, struct err *err);
    /* Called before and after each request and each tool; NULL: nobody asks.
     * Tests kill the process here. */
    void (*mark)(void *ctx, const char *where);
};
struct agent_limits {
    uint32_t context_tokens; /* sections are folded beyond it */
    uint32_t turns;          /* replies in the gathering round */
    uint32_t reply_tokens;
    int64_t
        tokens; /* of the conversation, in and out; 0: no limit of its own */
    double usd; /* likewise */
    bool fold_by_rule; /* never ask a model to sum up (bench) */
};
extern const struct agent_limits agent_limits_default;

struct agent {
    struct desk desk;
    struct talk *talk;
    struct agent_ops ops;
    struct agent_limits limits;
    struct arena *arena;
};

/* Goes on until the conversation is over or has to wait. 0 whatever the model
 * did: talk->state and talk->why tell. < 0 where the state can't be kept. */
int agent_run(struct agent *g, struct err *err);
/* The request that would be made next; false: none, it is over. */
bool agent_next(struct agent *g, struct model_request *out, struct err *err);
/* Appends what rea reads: {"status", "why", "model", "hash", "tokens_in",
 * "tokens_out", "usd", "asked", "wake_ms", "proposals": [...], "result"}. */
void agent_result(const struct talk *t, struct buf *out);

/* ---- inside of the loop (loop.c, rounds.c) ---- */

/* Asks and books what it cost. 1: no answer, t->state tells why. */
int agent_ask(struct agent *g, const struct model_request *q,
    struct agent_answer *out, struct err *err);
/* A request of two messages, for a reply by schema and without tools. */
void request_plain(struct agent *g, const char *purpose, const char *text,
    const char *schema_name, const char *schema, struct model_request *out);
/* Keeps what was asked and answered as two steps, in the open transaction. */
int steps_keep(struct agent *g, const char *asked, const struct agent_answer *x,
    struct err *err);
void agent_mark(const struct agent *g, const char *where);

/* One round each; 0: it went a step further or changed the round. */
int round_direct(struct agent *g, struct err *err);
int round_reflect(struct agent *g, struct err *err);
int round_diagnosis(struct agent *g, struct err *err); /* diagnose.c */
int round_summary(struct agent *g, struct err *err);   /* summary.c */
/* Texts of the requests of these rounds. */
void direct_text(struct agent *g, struct buf *out);
void reflect_text(struct agent *g, struct buf *out);
void diagnosis_text(const struct agent *g, struct buf *out);
void summary_text(const struct agent *g, struct buf *out);

/* Drops each sentence of a paragraph that holds a number or an id which the
 * report does not hold; returns how many were dropped. */
uint32_t
summary_check(const char *text, const struct json *report, struct buf *out);

#endif
