/* Inside src/model: one question on its way to a server and back.
 *   request --redact--> turn_want --encode--> body --http--> answer
 *   answer --decode--> turn --ask--> reply */
#ifndef MODEL_PART_H
#define MODEL_PART_H

#include "model/model.h"
#include "model/sse.h"

enum {
    BODY_BYTES_MAX = 16 << 20,
    CALLS_MAX = 32,
    ATTEMPTS_MAX = 3, /* one try and two retries, as the providers' SDKs */
    HEADERS_MAX = 24,
};

/* ---- where, and as whom (endpoint.c) ---- */

struct endpoint {
    const struct project_model *c;
    uint8_t dialect;
    bool own;             /* the provider's own address: it takes extras */
    const char *base;     /* no slash at the end */
    const char *url;      /* that is posted to */
    const char *key;      /* NULL: none */
    const char *key_from; /* "env:OPENAI_API_KEY", for people */
    uint32_t n_headers;
    const char *header[HEADERS_MAX]; /* without the key */
    const char *key_header;          /* "Authorization: Bearer ..." */
    const char *bad;                 /* NULL, or why nothing may be sent */
};
/* Reads the environment, the key, the allow-list. Never fails: see bad. */
void endpoint_make(struct arena *a, const struct project_model *c,
    const char *root, struct endpoint *out);
const char *provider_name(uint32_t provider);
const char *dialect_name(uint32_t dialect);

/* ---- writing a request (encode.c, encode_own.c) ---- */

enum rung { RUNG_SCHEMA, RUNG_OBJECT, RUNG_TOOL, RUNG_PROMPT };

/* What an endpoint turned out not to take; kept with it. */
enum lack {
    LACK_STREAM = 1,      /* answers in one piece only */
    LACK_TEMPERATURE = 2, /* reasoning models */
    LACK_SEED = 4,
    LACK_MAX_TOKENS = 8,    /* wants max_completion_tokens */
    LACK_STREAM_USAGE = 16, /* no stream_options */
};

#define ANSWER_TOOL "answer"

struct turn_want {
    const struct model_request *q; /* redacted */
    uint32_t rung;                 /* enum rung, with a schema */
    uint32_t lacks;                /* enum lack */
    uint32_t max_tokens;
    const char *bad, *why; /* the fix turn: what was said, what is wrong */
};
void encode_request(
    const struct endpoint *e, const struct turn_want *w, struct buf *out);
bool wants_stream(const struct endpoint *e, const struct turn_want *w);

/* used by both files of the encoder */
const char *schema_words(struct arena *a, const struct model_request *q);
void encode_responses(
    const struct endpoint *e, const struct turn_want *w, struct jw *j);
void encode_messages(
    const struct endpoint *e, const struct turn_want *w, struct jw *j);

/* ---- reading a reply (decode.c, decode_own.c, sse.c, mend.c) ---- */

enum finish {
    FINISH_NONE, /* the reply broke off */
    FINISH_STOP,
    FINISH_LENGTH,
    FINISH_CALLS,
    FINISH_REFUSED,
    FINISH_CONTEXT, /* the prompt does not fit */
    FINISH_EMPTY,   /* a whole reply with nothing in it */
};
struct turn {
    uint32_t finish;  /* enum finish */
    const char *text; /* never NULL */
    const char *refusal;
    uint32_t n_calls;
    struct model_call call[CALLS_MAX];
    int64_t in, out, cached, reasoning; /* tokens; in and out -1: not said */
    int64_t written;                    /* to the provider's cache, of in */
    const char *id, *fingerprint;
    int64_t later_ms; /* no reply before this time; 0 */
    uint32_t lacks;   /* of a request that was not taken: enum lack, */
    bool lower;       /* or the structured output is what it minds */
};

struct call_part {
    int64_t index;
    struct buf id, name, args;
};
struct decoder { /* zeroed but for dialect; decoder_fini */
    uint8_t dialect;
    uint32_t finish;
    bool any; /* a choice, a message: something was there */
    bool refused;
    bool ended; /* an end mark was seen */
    struct buf text, refusal, error, id, fingerprint;
    uint32_t n_calls;
    struct call_part call[CALLS_MAX];
    int64_t in, out, cached, reasoning, written;
};
void decoder_init(struct decoder *d, uint8_t dialect);
void decoder_fini(struct decoder *d);
/* A whole reply. -ERR_INPUT: it is no JSON object, or an error object. */
int
decode_body(struct decoder *d, const char *text, size_t len, struct err *err);
/* One event of a stream. -ERR_INPUT as above: the stream is of no use. */
int decode_event(struct decoder *d, const char *event, const char *data,
    size_t len, struct err *err);
/* What was gathered, with ids for calls that have none. */
void decode_end(struct decoder *d, struct arena *a, struct turn *out);

/* used by both files of the decoder */
struct call_part *call_part_at(struct decoder *d, int64_t index);
void decode_responses(struct decoder *d, const struct json *j, bool event);
void decode_messages(struct decoder *d, const struct json *j, bool event);
void decode_args(struct call_part *p, const struct json *args);

/* Appends a JSON text whose bytes a parser can take: what is no UTF-8, lone
 * surrogates and \u0000 become U+FFFD. */
void mend_json(const char *text, size_t len, struct buf *out);
/* The first balanced object of a text (behind prose or a code fence); NULL. */
const char *first_object(const char *text, size_t len, size_t *n);

/* ---- the wire (http.c, retry.c) ---- */

struct answer {         /* answer_fini */
    int http;           /* 0: no reply came */
    bool charged;       /* the server may have worked for it */
    bool too_big, idle; /* why it was broken off */
    bool forbidden;     /* by our own rules: another host */
    struct buf why;     /* of http 0, or of a broken body */
    struct buf body;    /* whole replies, errors */
    struct buf request_id, type, location, should_retry, after_ms, after;
    struct decoder d; /* streams */
    bool streamed;
    int64_t latency_ms;
};
void answer_fini(struct answer *a);
struct limits {
    int64_t connect_ms, total_ms, idle_ms;
};
/* Posts the body and reads the reply, one try. Everything is told in *out. */
void http_post(const struct endpoint *e, const struct buf *body,
    const char *idempotency, const struct limits *limits, struct answer *out);

enum verdict {
    VERDICT_OK,
    VERDICT_RETRY,
    VERDICT_FORBIDDEN,
    VERDICT_NO_MONEY,
    VERDICT_BAD,  /* this request is not taken */
    VERDICT_GONE, /* the server is in trouble and says not to try again */
};
/* What an answer means; *why gets one line for people when not OK. */
enum verdict
answer_judge(const struct answer *a, const char *key, struct buf *why);
/* How long to wait before try n + 1 (n from 1); u in [0, 1) is the jitter. */
int64_t
retry_wait_ms(const struct answer *a, uint32_t n, double u, int64_t now_ms);
/* When to come again where the server asks for a wait that is too long to sit
 * out (wall clock); 0: it does not. */
int64_t retry_later_ms(const struct answer *a, int64_t now_ms);
/* The bits of enum lack that an error text speaks of, none of `known`; *lower
 * is set when it speaks of the structured output. */
uint32_t answer_lacks(const struct answer *a, uint32_t known, bool *lower);

/* ---- record and ledger (ledger.c, budget.c) ---- */

struct ledger;
struct ask_row {
    int64_t id;
    uint32_t rung; /* that it began with */
    uint32_t lacks;
};
enum attempt_state {
    ATTEMPT_NONE,
    ATTEMPT_FLIGHT,  /* sent, nothing known: counts at its worst */
    ATTEMPT_PAID,    /* answered: counts as the provider says */
    ATTEMPT_FREE,    /* failed without cost */
    ATTEMPT_UNKNOWN, /* failed, perhaps billed: counts at its worst */
    ATTEMPT_WASTED,  /* answered, but of no use: counts as paid */
};
struct attempt {
    int64_t id, ask;
    const char *turn, *purpose; /* hash of what is posted */
    uint32_t n;                 /* from 1 */
    int64_t worst_tokens, worst_p;
    uint32_t state;
    int http;
    int64_t in, out, cached, reasoning, cost_p, latency_ms;
    const char *request_id, *fingerprint, *what;
};
struct usage_sum {
    int64_t in, out, cached, reasoning, cost_p;
};
struct endpoint_row {
    uint32_t rung, lacks, fails;
    int64_t rung_ms, open_until_ms;
};

int ledger_open(struct ledger **out, const char *root, struct err *err);
void ledger_close(struct ledger *l);
/* A recorded reply: 1 and its JSON in the arena, 0 none, < 0 an error. */
int reply_get(struct ledger *l, struct arena *a, const char *hash,
    const char **json, struct err *err);
int turn_get(struct ledger *l, struct arena *a, const char *hash,
    const char **json, struct err *err);
/* The open question of this hash and scope, or a new one. */
int ask_begin(struct ledger *l, const char *hash, const char *scope,
    const char *purpose, const struct endpoint_row *e, struct ask_row *out,
    struct err *err);
/* Closes it; json NULL: the reply is not to be kept. */
int ask_end(struct ledger *l, const struct ask_row *ask, const char *hash,
    uint32_t status, const char *request, const char *json, struct err *err);
/* Failed tries of this turn within this question. */
int attempts_failed(struct ledger *l, int64_t ask, const char *turn,
    uint32_t *out, struct err *err);
/* Reserves the worst and notes the try as sent, in one transaction; *fits is
 * false, and nothing noted, when the budget has no room. */
int attempt_begin(struct ledger *l, const struct project_model *c,
    const char *scope, struct attempt *t, bool *fits, struct err *err);
/* Settles it; json is the turn's record, NULL where there is none. */
int attempt_end(struct ledger *l, const struct attempt *t, const char *json,
    struct err *err);
int
usage_of(struct ledger *l, int64_t ask, struct usage_sum *out, struct err *err);
int ledger_spent(struct ledger *l, const char *scope, struct model_spent *out,
    struct err *err);
int endpoint_get(struct ledger *l, const char *url, struct endpoint_row *out,
    struct err *err);
int endpoint_put(struct ledger *l, const char *url,
    const struct endpoint_row *e, struct err *err);
/* One process at a time asks one question; the lock dies with it. */
int hash_lock(struct ledger *l, const char *hash, struct err *err);
void hash_unlock(struct ledger *l, const char *hash);

/* ---- money (price.c): 1e-12 usd, rounded up ---- */

int64_t price_worst_p(const struct endpoint *e, int64_t in, int64_t out);
int64_t price_of_p(const struct endpoint *e, const struct turn *t);
bool price_is_known(const struct project_model *c);

/* ---- one model (ask.c, send.c, record.c) ---- */

struct model {
    const struct project_model *c;
    struct arena arena;
    const char *scope;
    bool off, replay;
    struct endpoint e;
    struct ledger *ledger;
    struct json **tree; /* of replies, freed with the model */
    size_t n_trees, trees_cap;
    int64_t connect_ms;
    double haste; /* waits are divided by it; 1 but in tests */
};

/* Sends one turn with its retries, or takes it from the record. *status is
 * MODEL_OK, or why there is no turn (with *why in the arena). */
int turn_send(struct model *m, const struct ask_row *ask,
    const struct turn_want *w, struct arena *a, struct turn *out,
    uint32_t *status, const char **why, const char **warning, struct err *err);

/* The request as canonical JSON: what is hashed. */
void request_canon(
    const struct model *m, const struct model_request *q, struct buf *out);
struct model_request *
request_redact(struct arena *a, const struct model_request *q, uint32_t *n);
void turn_write(const struct turn *t, struct buf *out);
int
turn_read(struct arena *a, const char *json, struct turn *t, struct err *err);
void reply_write(const struct model_reply *r, struct buf *out);
int reply_read(struct model *m, struct arena *a, const char *json,
    struct model_reply *out, struct err *err);
const struct json *model_keep(struct model *m, struct json *tree);

#endif
