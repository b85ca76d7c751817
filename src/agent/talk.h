/* One conversation with a model, and where it survives. It is kept after
 * every step, so a process that is killed anywhere goes on at the same step:
 * the next request is a function of what is stored here, and the client's
 * record gives a reply that was paid for already again.
 *
 * Memory has three levels: the brief (pinned, never dropped), sections (each a
 * folded episode: what was decided, what is open, what failed) and the steps
 * of the episodes that are still whole. */
#ifndef AGENT_TALK_H
#define AGENT_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/model.h"

enum {
    TALK_STEPS_MAX = 512,
    TALK_SECTIONS_MAX = 128,
    TALK_SEEN_MAX = 512,
    TALK_PROPOSALS_MAX = 64,
    TALK_CALLS_MAX = 16, /* of one reply; what is beyond is not answered */
    TALK_TEXT_MAX = 24000,
};

enum talk_kind { TALK_NONE, TALK_HYPOTHESES, TALK_DIAGNOSIS, TALK_SUMMARY };
enum talk_state {
    TALK_OPEN,
    TALK_LATER, /* the provider said later: wake_ms */
    TALK_DONE,
    TALK_STOPPED, /* ended early: why says so; what it has is kept */
};
enum talk_round {
    ROUND_GATHER,  /* looks things up and proposes, with tools */
    ROUND_DIRECT,  /* a model that calls no tools: one reply by schema */
    ROUND_REFLECT, /* criticises what it proposed */
    ROUND_CLOSED,
};

struct step {
    uint32_t round;
    uint32_t section; /* index of the section that it belongs to */
    uint32_t role;    /* enum model_role: USER, ASSISTANT, TOOL */
    const char *text; /* never NULL */
    const char *name; /* of the tool that answers; "" else */
    const char *answers;
    uint32_t n_calls;
    const struct model_call *call;
    const char *hash; /* of the request that it replies to; "" else */
};
struct section {
    const char *summary; /* JSON, see memory.h; NULL: its steps are whole */
};
/* A row that a tool has shown: what a proposal may cite. */
struct seen {
    const char *ref;    /* "I12", "P7" */
    const char *kind;   /* "insight", "paper" */
    const char *source; /* DOI, arXiv id, campaign */
    const char *title;
    const char *text;
};
enum proposal_state { PROPOSAL_NONE, PROPOSAL_KEPT, PROPOSAL_DROPPED };
struct proposal { /* P(i+1) of the conversation */
    uint32_t state;
    const char *why;  /* of a drop */
    const char *key;  /* canonical key of its change */
    const char *json; /* as it will be handed over, see propose.h */
};

struct talk {
    int64_t id;
    const char *key;
    uint32_t kind;
    const char *model; /* for people: "openai gpt-x" */
    const char *brief; /* JSON text, as rea wrote it */
    const char *notes; /* of earlier conversations, chosen at its start */
    uint32_t state, round;
    int64_t wake_ms;
    const char *why;
    const char *result; /* JSON of a diagnosis or summary; "" else */
    int64_t tokens_in, tokens_out;
    double usd;       /* of the replies with a price */
    uint32_t asked;   /* replies taken, those from the record too */
    bool price_known; /* every reply had a price */
    uint32_t n_steps, n_sections, n_seen, n_proposals;
    struct step step[TALK_STEPS_MAX];
    struct section section[TALK_SECTIONS_MAX];
    struct seen seen[TALK_SEEN_MAX];
    struct proposal proposal[TALK_PROPOSALS_MAX];
    struct arena *arena; /* everything that it points to */
    struct talk_db *db;  /* NULL: it is not kept (tests of memory) */
};

/* ---- the database of conversations and notes (talk.c) ---- */

struct talk_db;

/* Opens .rea/agent.db. write: creates it and takes its lock, -ERR_BUSY when
 * another conversation is going on. */
int talk_db_open(
    struct talk_db **out, const char *path, bool write, struct err *err);
void talk_db_close(struct talk_db *db); /* NULL is fine */

/* The conversation of this key, or a new one with this brief. *out lies in
 * the arena. */
int talk_load(struct talk_db *db, struct arena *a, const char *key,
    uint32_t kind, const char *model, const char *brief, const char *notes,
    struct talk **out, struct err *err);
/* The conversation of this number, 0: the last one. -ERR_NOT_FOUND. */
int talk_find(struct talk_db *db, struct arena *a, int64_t id,
    struct talk **out, struct err *err);
/* Is there one of this key? */
bool talk_known(struct talk_db *db, const char *key);
/* The one that waits longest for its provider; 0: none. */
int64_t talk_waiting(struct talk_db *db, int64_t *wake_ms);

/* One transaction around what belongs together. Everything below writes to
 * *t and to the database; texts are copied. */
int talk_begin(struct talk *t, struct err *err);
int talk_commit(struct talk *t, struct err *err);
/* -ERR_LIMIT: no room. */
int talk_step_add(struct talk *t, const struct step *s, struct err *err);
int talk_section_set(
    struct talk *t, uint32_t i, const char *summary, struct err *err);
int talk_seen_add(struct talk *t, const struct seen *s, struct err *err);
int talk_proposal_put(
    struct talk *t, uint32_t i, const struct proposal *p, struct err *err);
/* Keeps round, state, wake_ms, why, result, spending. */
int talk_keep(struct talk *t, struct err *err);

const struct seen *talk_seen(const struct talk *t, const char *ref);
uint32_t talk_kept(const struct talk *t); /* proposals that stand */

/* ---- notes that outlive a conversation: rows of the same database ---- */

struct note {
    int64_t id;
    const char *origin; /* unique: "T3/4", "C1/H2": a second one adds nothing */
    const char *kind;   /* "note", "hindsight" */
    const char *place;  /* the project's name */
    const char *title, *words, *body;
    const char *date;
};
int note_put(
    struct talk_db *db, const struct note *n, bool *added, struct err *err);
/* All notes, the newest first, at most max. */
int note_list(struct talk_db *db, struct arena *a, uint32_t max,
    struct note **out, uint32_t *n, struct err *err);

#endif
