/* One turn: from the record, or over the network with its retries (part.h).
 * Called by ask.c. Invariant: each try is reserved in the ledger before it is
 * sent and settled after; the count of tries survives a crash, so that a
 * resumed process goes on with the same try. */
#include "model/part.h"

#include "base/fs.h"
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    TOKENS_SANE_MAX = 1000000000,
    TOTAL_MS_BASE = 60000,
    TOKENS_A_SECOND = 10, /* the slowest local server worth waiting for */
    TOTAL_MS_MAX = 3600000,
    CUT_BYTES_MIN = 4000, /* prompts that are long enough to judge */
    CUT_BYTES_A_TOKEN = 14,
};

struct sending {
    struct model *m;
    const struct ask_row *ask;
    const struct turn_want *w;
    struct arena *a;
    struct buf body;
    char hash[FS_HASH_HEX];
    struct attempt t;
    struct rng rng;
};

static void
sleep_ms(const struct model *m, int64_t ms)
{
    ms = (int64_t)((double)ms / m->haste);
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static struct limits
limits_of(const struct sending *s)
{
    const struct project_model *c = s->m->c;
    int64_t total =
        TOTAL_MS_BASE + (int64_t)s->w->max_tokens * 1000 / TOKENS_A_SECOND;
    if (c->timeout_ms > 0)
        total = c->timeout_ms;
    return (struct limits){s->m->connect_ms,
        total < TOTAL_MS_MAX || c->timeout_ms > 0 ? total : TOTAL_MS_MAX,
        wants_stream(&s->m->e, s->w) ? c->idle_ms : 0};
}

/* A token is at least one byte of what is posted, the template's own tokens
 * are fewer than the bytes of JSON around the texts. */
static void
worst_set(struct sending *s)
{
    int64_t in = (int64_t)s->body.len, out = s->w->max_tokens;
    s->t.worst_tokens = in + out;
    s->t.worst_p = price_worst_p(&s->m->e, in, out);
}

static bool
is_sane(const struct turn *t)
{
    return t->in >= 0 && t->out >= 0 && t->in <= TOKENS_SANE_MAX &&
           t->out <= TOKENS_SANE_MAX && t->cached >= 0 && t->written >= 0 &&
           t->reasoning >= 0;
}

/* Did the server drop a part of the prompt without a word? */
static const char *
cut_warning(const struct sending *s, const struct turn *t)
{
    if (t->in <= 0 || s->body.len < CUT_BYTES_MIN ||
        t->in >= (int64_t)s->body.len / CUT_BYTES_A_TOKEN)
        return NULL;
    return arena_printf(s->a,
        "the server counted only %lld tokens in a prompt of %zu bytes: it "
        "seems to have cut it; raise its context or shorten the prompt",
        (long long)t->in, s->body.len);
}

/* What a reply of the server costs: as it says; at its worst where it says
 * nothing, or nonsense. */
static void
cost_set(struct sending *s, const struct turn *t)
{
    struct attempt *at = &s->t;
    bool told = is_sane(t);
    at->in = told ? t->in : (int64_t)s->body.len;
    at->out = told ? t->out : s->w->max_tokens;
    at->cached = told ? t->cached : 0;
    at->reasoning = told ? t->reasoning : 0;
    at->cost_p = told ? price_of_p(&s->m->e, t) : at->worst_p;
    at->fingerprint = t->fingerprint;
}

/* Notes how the try ended; t: what was read, NULL when nothing could be. */
static int
settle(struct sending *s, const struct answer *ans, const struct turn *t,
    bool good, const char *what, struct err *err)
{
    struct attempt *at = &s->t;
    struct buf json = {0};
    at->http = ans->http;
    at->latency_ms = ans->latency_ms;
    at->request_id = buf_str(&ans->request_id);
    at->what = what;
    at->state = ans->charged ? ATTEMPT_UNKNOWN : ATTEMPT_FREE;
    /* what a stream says before its end is not its last word */
    bool over = t != NULL && (t->finish != FINISH_NONE || !ans->streamed);
    if (over && (good || is_sane(t))) {
        at->state = good ? ATTEMPT_PAID : ATTEMPT_WASTED;
        cost_set(s, t);
    }
    if (good)
        turn_write(t, &json);
    int rc = attempt_end(s->m->ledger, at, good ? buf_str(&json) : NULL, err);
    buf_fini(&json);
    return rc;
}

/* A text without our key, should a server echo it. */
static const char *
text_scrub(struct arena *a, const char *text, const char *key)
{
    const char *at = key && *key ? strstr(text, key) : NULL;
    return at == NULL ? text
                      : text_scrub(a,
                            arena_printf(a, "%.*s[key]%s", (int)(at - text),
                                text, at + strlen(key)),
                            key);
}

static void
turn_scrub(const struct sending *s, struct turn *t)
{
    t->text = text_scrub(s->a, t->text, s->m->e.key);
    if (t->refusal != NULL)
        t->refusal = text_scrub(s->a, t->refusal, s->m->e.key);
    for (uint32_t i = 0; i < t->n_calls; i++)
        t->call[i].args = text_scrub(s->a, t->call[i].args, s->m->e.key);
}

/* Reads what came with 200. false: it is of no use, a->why says why. */
static bool
answer_read(struct sending *s, struct answer *ans, struct turn *out)
{
    struct err err = {0};
    if (ans->http != 200 || ans->why.len > 0)
        return false;
    if (!ans->streamed &&
        decode_body(&ans->d, buf_str(&ans->body), ans->body.len, &err) != 0) {
        /* a page of a proxy or a portal: no model has worked for it */
        if (strncasecmp(buf_str(&ans->type), "text/html", 9) == 0)
            ans->charged = false;
        buf_printf(&ans->why, "%s%.60s%sthe reply can't be read: %.200s",
            ans->type.len ? "of type " : "", buf_str(&ans->type),
            ans->type.len ? ", " : "", err.text);
        return false;
    }
    decode_end(&ans->d, s->a, out);
    turn_scrub(s, out);
    if (out->finish == FINISH_NONE && ans->d.error.len > 0)
        buf_printf(
            &ans->why, "the server says: %.300s", buf_str(&ans->d.error));
    else if (out->finish == FINISH_NONE)
        buf_puts(&ans->why, ans->streamed ? "the stream broke off"
                                          : "the reply has no choice in it");
    else if (out->finish == FINISH_EMPTY)
        buf_puts(&ans->why, "the reply is empty");
    return ans->why.len == 0;
}

static void
log_try(const struct sending *s, const struct answer *ans, const char *what)
{
    const char *name =
        s->m->e.dialect == DIALECT_MESSAGES ? "ANTHROPIC_LOG" : "OPENAI_LOG";
    const char *level = getenv(name);
    if (level == NULL ||
        (strcmp(level, "info") != 0 && strcmp(level, "debug") != 0))
        return;
    fprintf(stderr, "model: %s try %u: HTTP %d, %lld ms%s%s\n", s->m->e.url,
        s->t.n, ans->http, (long long)ans->latency_ms, *what ? ", " : "", what);
}

/* One try, sent and settled. */
static int
try_once(struct sending *s, struct turn *out, uint32_t *status,
    const char **why, bool *again, int64_t *wait_ms, struct err *err)
{
    struct answer ans;
    struct buf text = {0};
    char key[FS_HASH_HEX + 8];
    struct limits l = limits_of(s);
    snprintf(key, sizeof key, "rea-%.40s", s->hash);
    *out = (struct turn){.text = "", .in = -1, .out = -1};
    http_post(&s->m->e, &s->body, key, &l, &ans);
    bool good = answer_read(s, &ans, out);
    enum verdict v = answer_judge(&ans, s->m->e.key, &text);
    *why = arena_strdup(s->a, buf_str(&text));
    log_try(s, &ans, *why);
    static const uint32_t map[] = {
        [VERDICT_OK] = MODEL_OK,
        [VERDICT_RETRY] = MODEL_UNREACHABLE,
        [VERDICT_FORBIDDEN] = MODEL_FORBIDDEN,
        [VERDICT_NO_MONEY] = MODEL_NO_MONEY,
        [VERDICT_BAD] = MODEL_INVALID,
        [VERDICT_GONE] = MODEL_UNREACHABLE,
    };
    *status = map[v];
    *again = v == VERDICT_RETRY;
    out->later_ms = *again ? retry_later_ms(&ans, fs_now_ms()) : 0;
    *again = *again && out->later_ms == 0;
    *wait_ms = retry_wait_ms(&ans, s->t.n, rng_f64(&s->rng), fs_now_ms());
    int rc = settle(s, &ans, ans.http == 200 ? out : NULL, good, *why, err);
    if (v == VERDICT_BAD && ans.http != 200) {
        bool lower = false;
        uint32_t lacks = answer_lacks(&ans, s->w->lacks, &lower);
        out->lacks = lacks;
        out->lower =
            lower && s->w->q->schema != NULL && s->w->rung < RUNG_PROMPT;
    }
    answer_fini(&ans);
    buf_fini(&text);
    return rc;
}

static int
tries(struct sending *s, struct turn *out, uint32_t *status, const char **why,
    struct err *err)
{
    uint32_t failed = 0;
    int rc = attempts_failed(s->m->ledger, s->ask->id, s->hash, &failed, err);
    *status = MODEL_UNREACHABLE;
    *why = "the tries were used up before the process was ended";
    for (; rc == 0 && failed < ATTEMPTS_MAX; failed++) {
        bool fits = false, again = false;
        int64_t wait_ms = 0;
        s->t.n = failed + 1;
        rc = attempt_begin(
            s->m->ledger, s->m->c, s->m->scope, &s->t, &fits, err);
        if (rc == 0 && !fits) {
            *status = MODEL_NO_MONEY;
            *why = arena_printf(s->a,
                "the budget of [model] has no room for the worst case of this "
                "question, %lld tokens",
                (long long)s->t.worst_tokens);
            return 0;
        }
        if (rc == 0)
            rc = try_once(s, out, status, why, &again, &wait_ms, err);
        if (rc != 0 || !again)
            return rc;
        if (failed + 1 < ATTEMPTS_MAX)
            sleep_ms(s->m, wait_ms);
    }
    return rc;
}

int
turn_send(struct model *m, const struct ask_row *ask, const struct turn_want *w,
    struct arena *a, struct turn *out, uint32_t *status, const char **why,
    const char **warning, struct err *err)
{
    struct sending s = {.m = m, .ask = ask, .w = w, .a = a};
    struct buf where = {0};
    const char *json = NULL;
    *status = MODEL_OK;
    encode_request(&m->e, w, &s.body);
    buf_printf(&where, "%s\n", m->e.url);
    buf_add(&where, buf_str(&s.body), s.body.len);
    fs_hash_bytes(buf_str(&where), where.len, s.hash);
    buf_fini(&where);
    s.t = (struct attempt){
        .ask = ask->id, .turn = s.hash, .purpose = w->q->purpose};
    rng_seed(&s.rng, strtoull(s.hash + FS_HASH_HEX - 17, NULL, 16));
    worst_set(&s);
    int rc = turn_get(m->ledger, a, s.hash, &json, err);
    if (rc == 1)
        rc = turn_read(a, json, out, err);
    else if (rc == 0)
        rc = tries(&s, out, status, why, err);
    if (rc == 0 && *status == MODEL_OK && *warning == NULL)
        *warning = cut_warning(&s, out);
    buf_fini(&s.body);
    return rc;
}
