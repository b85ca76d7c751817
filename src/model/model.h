/* A language model, asked and not trusted: one request struct for every
 * provider, one reply whose JSON is already checked against its schema.
 * Never linked into `rea` itself (HTTP costs every cold start): rea-agent is.
 *
 * Money: a call's worst price is checked against what is left before it is
 * sent, and its real price is written to the ledger with the reply in one
 * transaction. A reply is kept under the hash of its request: asking again,
 * after a crash or in a replay, costs nothing and gives the same bytes. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "project/project.h"

struct model; /* an endpoint, its recorded replies and its ledger */

enum model_role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL };

struct model_call { /* a tool that the model wants called */
    const char *id; /* never empty: synthesised where a server gives none */
    const char *name;
    const char *args; /* JSON object, checked against the tool's schema */
};
struct model_message {
    uint32_t role;       /* enum model_role */
    const char *text;    /* may be NULL beside calls */
    const char *answers; /* ROLE_TOOL: id of the call that this answers */
    uint32_t n_calls;    /* ROLE_ASSISTANT */
    const struct model_call *call;
};
struct model_tool {
    const char *name, *doc;
    const char *schema; /* JSON Schema of its arguments */
};
struct model_request {
    const char *purpose; /* for the ledger: "hypotheses", "diagnosis" */
    uint32_t n_messages;
    const struct model_message *message;
    uint32_t n_tools;
    const struct model_tool *tool;
    const char *schema_name; /* NULL: free text is wanted */
    const char *schema;      /* JSON Schema that the reply must satisfy */
    uint32_t max_tokens;     /* of the reply; 0: the project's default */
    double temperature;      /* 0 unless there is a reason */
    uint32_t seed;
};

enum model_status {
    MODEL_OK,
    MODEL_REFUSED,     /* the model said no */
    MODEL_INVALID,     /* no reply that satisfies the schema, after repair */
    MODEL_TRUNCATED,   /* cut off, also with twice the tokens */
    MODEL_NO_MONEY,    /* the budget, or the provider's, is spent */
    MODEL_UNREACHABLE, /* after the retries, or the breaker is open */
    MODEL_FORBIDDEN,   /* key, address or allow-list: a person must act */
    MODEL_OFF,         /* no model is configured */
    MODEL_STATUS_COUNT
};
struct model_usage {
    int64_t in, out, cached, reasoning; /* tokens */
    double usd;                         /* NAN: no price is known */
};
struct model_reply {
    uint32_t status;         /* enum model_status; what follows is for OK */
    const char *why;         /* one line for people when not OK */
    const char *text;        /* "" when there are only calls */
    const struct json *json; /* with a schema; NULL without */
    uint32_t n_calls;
    const struct model_call *call;
    struct model_usage usage; /* of every attempt together; 0 from a record */
    bool from_record;
    char hash[65];       /* of the request, hex */
    const char *warning; /* NULL, or one line: the server cut the prompt, ... */
    int64_t later_ms; /* UNREACHABLE: wall clock before which the server wants
                         no further try, where that is far; 0: unknown */
};

/* Opens the endpoint of [model] with its record and ledger, root/.rea/model.db.
 * scope names whose budget is used ("C3"; NULL: the workspace's). Without a
 * [model] (or with REA_MODEL=off) every question is answered MODEL_OFF and
 * nothing is opened; with REA_MODEL=replay nothing is sent. A key that cannot
 * be had, or an address that is not allowed, is no error here: asking says
 * MODEL_FORBIDDEN. `c` must outlive *out. */
int model_open(const struct project_model *c, const char *root,
    const char *scope, struct model **out, struct err *err);
void model_close(struct model *m); /* NULL is fine */

/* Asks once, with every retry, repair and downgrade inside. 0 whatever the
 * model did (see out->status): a campaign never fails on a model. < 0 only
 * where the record cannot be read or written, or where a schema of the request
 * is none (a bug of the caller). All of *out lies in the arena, but for the
 * tree behind json, which lives until model_close. */
int model_ask(struct model *m, const struct model_request *q, struct arena *a,
    struct model_reply *out, struct err *err);
const char *model_status_name(uint32_t status);

/* Appends, for people, exactly what would be sent first and where: address,
 * header names (never the key), body after redaction. Sends nothing. */
int model_explain(struct model *m, const struct model_request *q,
    struct buf *out, struct err *err);

struct model_spent { /* of the scope */
    int64_t tokens, reserved_tokens, budget_tokens;
    double usd, reserved_usd; /* NAN: no price is known */
    double budget_usd;        /* 0: no limit */
    int64_t attempts, replies;
};
int model_spent(struct model *m, struct model_spent *out, struct err *err);

/* Appends the text without what looks like a secret or a person: keys, tokens,
 * passwords, private keys, addresses of mail, telephone and card numbers, and
 * the values of variables named *_KEY, *_TOKEN, *_SECRET, *_PASSWORD. Returns
 * how many places were replaced. Every prompt passes through it. */
uint32_t model_redact(const char *text, size_t len, struct buf *out);

#endif
