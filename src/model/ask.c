/* One question until it has an answer or none: downgrades of the structured
 * output, one repair, one longer reply, the breaker (model.h, model_ask).
 * Invariant: a reply with status OK satisfies its schema; the number of turns
 * is bounded; the same question resumes with the same turns. */
#include "model/part.h"

#include "base/fs.h"
#include "model/schema.h"

#include <math.h>
#include <string.h>

enum {
    TURNS_MAX = 12,
    FAILS_BEFORE_OPEN = 3,
    OPEN_MS = 30000,
    OPEN_MS_MAX = 1800000,
    REMEMBER_MS = 24 * 3600 * 1000, /* a server may be upgraded */
    BAD_BYTES_MAX = 8000,           /* of a reply that is shown to its author */
};

struct talk {
    struct model *m;
    const struct model_request *q; /* redacted */
    struct json *schema;
    struct json *tool[CALLS_MAX]; /* schemas of the tools */
    struct ask_row ask;
    struct turn_want w;
    bool fixed, grown, no_json;
    struct arena *a;
    struct model_reply *out;
};

/* ---- what a turn is worth ---- */

static uint32_t
end_with(struct talk *t, uint32_t status, const char *why)
{
    t->out->status = status;
    t->out->why = why;
    if (status != MODEL_OK) {
        t->out->text = "";
        t->out->n_calls = 0;
    }
    return status;
}

/* The JSON of a text, whole or the first object in it; NULL: none. */
static struct json *
json_in(struct talk *t, const char *text, const char **exact)
{
    struct buf b = {0};
    size_t n = 0;
    mend_json(text, strlen(text), &b);
    struct json *j = json_parse(buf_str(&b), b.len, NULL);
    if (j != NULL && json_kind(j) == J_OBJ) {
        *exact = arena_strdup(t->a, buf_str(&b));
    } else {
        json_free(j);
        const char *at = first_object(buf_str(&b), b.len, &n);
        j = at != NULL ? json_parse(at, n, NULL) : NULL;
        if (j != NULL)
            *exact = arena_strndup(t->a, at, n);
    }
    buf_fini(&b);
    return j;
}

/* Does the turn's JSON satisfy the schema? false: why in `why`. */
static bool
json_take(struct talk *t, const char *text, struct buf *why)
{
    const char *exact = NULL;
    struct json *j = json_in(t, text, &exact);
    t->no_json = j == NULL;
    if (j == NULL) {
        buf_puts(why, "there is no JSON object in it");
        return false;
    }
    if (!schema_holds(t->schema, j, why)) {
        json_free(j);
        return false;
    }
    t->out->json = model_keep(t->m, j);
    t->out->text = exact;
    return true;
}

/* Calls of the request's own tools, each checked; false: why in `why`. */
static bool
calls_take(struct talk *t, const struct turn *turn, struct buf *why)
{
    const struct model_request *q = t->q;
    struct model_call *own =
        arena_alloc(t->a, (turn->n_calls + 1) * sizeof *own);
    for (uint32_t i = 0; i < turn->n_calls; i++) {
        const struct model_call *c = &turn->call[i];
        uint32_t k = 0;
        while (k < q->n_tools && strcmp(q->tool[k].name, c->name) != 0)
            k++;
        if (k == q->n_tools) {
            buf_printf(why, "there is no tool \"%.60s\"", c->name);
            return false;
        }
        struct json *args = json_parse(c->args, strlen(c->args), NULL);
        bool ok = args != NULL && schema_holds(t->tool[k], args, why);
        if (args == NULL)
            buf_printf(why, "the arguments of %.60s are no JSON", c->name);
        json_free(args);
        if (!ok)
            return false;
        own[i] = *c;
    }
    t->out->call = own;
    t->out->n_calls = turn->n_calls;
    t->out->text = turn->text;
    return true;
}

/* The text of a final answer: that of the forced tool, where it was called. */
static const char *
answer_text(const struct talk *t, const struct turn *turn, bool *by_tool)
{
    *by_tool = false;
    for (uint32_t i = 0; t->schema != NULL && i < turn->n_calls; i++) {
        if (strcmp(turn->call[i].name, ANSWER_TOOL) == 0) {
            *by_tool = true;
            return turn->call[i].args;
        }
    }
    return turn->text;
}

static bool
turn_take(struct talk *t, const struct turn *turn, struct buf *why)
{
    bool by_tool = false;
    const char *text = answer_text(t, turn, &by_tool);
    t->no_json = false;
    if (turn->n_calls > 0 && !by_tool)
        return calls_take(t, turn, why);
    if (t->schema != NULL)
        return json_take(t, text, why);
    t->out->text = turn->text;
    return true;
}

/* One turn in which the model sees what is wrong. */
static void
fix_ask(struct talk *t, const struct turn *turn, const char *why)
{
    struct buf bad = {0};
    size_t n = strlen(turn->text);
    buf_add(&bad, turn->text, n < BAD_BYTES_MAX ? n : BAD_BYTES_MAX);
    for (uint32_t i = 0; i < turn->n_calls && bad.len < BAD_BYTES_MAX; i++)
        buf_printf(&bad, "%s%.60s(%.4000s)", bad.len ? "\n" : "",
            turn->call[i].name, turn->call[i].args);
    t->fixed = true;
    t->w.bad = bad.len ? arena_strdup(t->a, buf_str(&bad)) : "(nothing)";
    t->w.why = arena_printf(t->a,
        "That can't be used: %.600s. Answer again, corrected, with %s and "
        "nothing else.",
        why, turn->n_calls > 0 ? "a valid call" : "the JSON object");
    buf_fini(&bad);
}

/* MODEL_STATUS_COUNT: ask once more, as t->w now says. */
static uint32_t
turn_judge(struct talk *t, const struct turn *turn)
{
    struct buf why = {0};
    uint32_t status = MODEL_STATUS_COUNT;
    if (turn->finish == FINISH_REFUSED)
        return end_with(t, MODEL_REFUSED,
            arena_printf(t->a, "the model refused%s%.300s",
                turn->refusal && *turn->refusal ? ": " : "",
                turn->refusal ? turn->refusal : ""));
    if (turn->finish == FINISH_CONTEXT)
        return end_with(
            t, MODEL_INVALID, "the prompt does not fit the model's context");
    bool ok = turn_take(t, turn, &why);
    bool cut = turn->finish == FINISH_LENGTH;
    if (ok && (!cut || t->schema != NULL || t->out->n_calls > 0)) {
        status = end_with(t, MODEL_OK, NULL);
    } else if (cut && !t->grown) {
        t->grown = true;
        t->w.max_tokens *= 2;
    } else if (cut) {
        status = end_with(t, MODEL_TRUNCATED,
            arena_printf(t->a, "the reply was cut off at %u tokens, too",
                t->w.max_tokens));
    } else if (t->no_json && t->w.rung < RUNG_PROMPT && t->w.bad == NULL) {
        t->w.rung++;
    } else if (!t->fixed) {
        fix_ask(t, turn, buf_str(&why));
    } else {
        status = end_with(t, MODEL_INVALID,
            arena_printf(
                t->a, "no valid reply after a repair: %.300s", buf_str(&why)));
    }
    buf_fini(&why);
    return status;
}

/* ---- turn after turn ---- */

/* A request that was not taken is changed where its error says how. */
static bool
request_adapt(struct talk *t, const struct turn *turn)
{
    if (turn->lacks != 0) {
        t->w.lacks |= turn->lacks;
        return true;
    }
    if (turn->lower)
        t->w.rung++;
    return turn->lower;
}

static int
talk_run(struct talk *t, struct err *err)
{
    uint32_t status = MODEL_STATUS_COUNT;
    for (int i = 0; i < TURNS_MAX && status == MODEL_STATUS_COUNT; i++) {
        struct turn *turn = arena_alloc(t->a, sizeof *turn);
        const char *why = NULL;
        int rc = turn_send(t->m, &t->ask, &t->w, t->a, turn, &status, &why,
            &t->out->warning, err);
        if (rc < 0)
            return rc;
        if (status == MODEL_OK)
            status = turn_judge(t, turn);
        else if (status == MODEL_INVALID && request_adapt(t, turn))
            status = MODEL_STATUS_COUNT;
        else
            end_with(t, status, why);
        if (status == MODEL_UNREACHABLE)
            t->out->later_ms = turn->later_ms;
    }
    if (status == MODEL_STATUS_COUNT)
        end_with(t, MODEL_INVALID, "no valid reply after many turns");
    return 0;
}

static void
row_learn(struct endpoint_row *row, const struct talk *t)
{
    uint32_t status = t->out->status;
    bool spoke = status == MODEL_OK || status == MODEL_REFUSED ||
                 status == MODEL_INVALID || status == MODEL_TRUNCATED;
    /* a lower rung is kept once it has worked, or when none did */
    bool lower = status == MODEL_OK || t->w.rung == RUNG_PROMPT;
    if (t->w.lacks != row->lacks || (lower && t->w.rung > row->rung)) {
        row->lacks = t->w.lacks;
        row->rung = lower && t->w.rung > row->rung ? t->w.rung : row->rung;
        row->rung_ms = fs_now_ms();
    }
    if (spoke) {
        row->fails = 0;
        row->open_until_ms = 0;
    } else if (status == MODEL_UNREACHABLE) {
        int64_t open = OPEN_MS;
        row->fails++;
        for (uint32_t i = FAILS_BEFORE_OPEN; i < row->fails; i++)
            open = open * 2 < OPEN_MS_MAX ? open * 2 : OPEN_MS_MAX;
        if (row->fails >= FAILS_BEFORE_OPEN)
            row->open_until_ms = fs_now_ms() + open;
    }
}

/* Closes the question; what was paid for is kept, whatever it is. */
static int
talk_end(struct talk *t, struct endpoint_row *row, const char *canon,
    struct err *err)
{
    struct buf json = {0};
    struct usage_sum u = {0};
    struct model_reply *out = t->out;
    uint32_t status = out->status;
    bool keep = status == MODEL_OK || status == MODEL_REFUSED ||
                status == MODEL_TRUNCATED || status == MODEL_INVALID;
    struct endpoint_row was = *row;
    reply_write(out, &json);
    row_learn(row, t);
    int rc = 0;
    if (memcmp(&was, row, sizeof was) != 0)
        rc = endpoint_put(t->m->ledger, t->m->e.url, row, err);
    if (rc == 0)
        rc = usage_of(t->m->ledger, t->ask.id, &u, err);
    if (rc == 0)
        rc = ask_end(t->m->ledger, &t->ask, out->hash, status, canon,
            keep ? buf_str(&json) : NULL, err);
    out->usage = (struct model_usage){u.in, u.out, u.cached, u.reasoning,
        price_is_known(t->m->c) ? (double)u.cost_p * 1e-12 : NAN};
    buf_fini(&json);
    return rc;
}

static int
talk_begin(struct talk *t, const char *canon, struct err *err)
{
    struct model *m = t->m;
    struct endpoint_row row;
    int rc = endpoint_get(m->ledger, m->e.url, &row, err);
    int64_t now = fs_now_ms();
    if (rc < 0)
        return rc;
    if (row.open_until_ms > now && row.open_until_ms <= now + OPEN_MS_MAX) {
        end_with(t, MODEL_UNREACHABLE,
            arena_printf(t->a,
                "it failed %u times in a row; asked again in %lld s", row.fails,
                (long long)(row.open_until_ms - now) / 1000 + 1));
        return 0;
    }
    if (now - row.rung_ms > REMEMBER_MS || row.rung_ms > now)
        row.rung = row.lacks = 0;
    rc = ask_begin(
        m->ledger, t->out->hash, m->scope, t->q->purpose, &row, &t->ask, err);
    if (rc < 0)
        return rc;
    t->w = (struct turn_want){.q = t->q,
        .rung = t->ask.rung,
        .lacks = t->ask.lacks,
        .max_tokens = t->q->max_tokens};
    rc = talk_run(t, err);
    return rc == 0 ? talk_end(t, &row, canon, err) : rc;
}

/* ---- the question as a whole ---- */

static int
schemas_read(struct talk *t, struct err *err)
{
    const struct model_request *q = t->q;
    int rc = 0;
    if (q->n_tools > CALLS_MAX)
        return err_set(err, -ERR_LIMIT, "more than %d tools", CALLS_MAX);
    for (uint32_t i = 0; rc == 0 && i <= q->n_tools; i++) {
        const char *text = i < q->n_tools ? q->tool[i].schema : q->schema;
        struct json **at = i < q->n_tools ? &t->tool[i] : &t->schema;
        if (text == NULL && i == q->n_tools)
            break;
        *at = text != NULL ? json_parse(text, strlen(text), err) : NULL;
        rc = *at == NULL ? -ERR_INPUT : schema_check(*at, err);
        if (rc != 0)
            return err_wrap(err, rc, "schema of %s",
                i < q->n_tools ? q->tool[i].name : q->schema_name);
    }
    return 0;
}

/* Already known? Else asks, while no other process asks the same. */
static int
ask_once(struct talk *t, const char *canon, struct err *err)
{
    struct model *m = t->m;
    const char *json = NULL;
    int rc = reply_get(m->ledger, t->a, t->out->hash, &json, err);
    if (rc == 1)
        return reply_read(m, t->a, json, t->out, err);
    if (rc < 0)
        return rc;
    if (m->replay || m->e.bad != NULL) {
        end_with(t, m->replay ? MODEL_UNREACHABLE : MODEL_FORBIDDEN,
            m->replay ? "REA_MODEL=replay, and the record has no such question"
                      : m->e.bad);
        return 0;
    }
    rc = hash_lock(m->ledger, t->out->hash, err);
    if (rc != 0)
        return rc;
    rc = reply_get(m->ledger, t->a, t->out->hash, &json, err);
    if (rc == 1)
        rc = reply_read(m, t->a, json, t->out, err);
    else if (rc == 0)
        rc = talk_begin(t, canon, err);
    hash_unlock(m->ledger, t->out->hash);
    return rc;
}

int
model_ask(struct model *m, const struct model_request *q, struct arena *a,
    struct model_reply *out, struct err *err)
{
    struct buf canon = {0};
    uint32_t places = 0;
    *out = (struct model_reply){.status = MODEL_OFF,
        .why = "no model is configured; [model] in the project file names one",
        .text = ""};
    if (m->off)
        return 0;
    struct model_request *own = request_redact(a, q, &places);
    if (own->max_tokens == 0)
        own->max_tokens = (uint32_t)m->c->max_tokens;
    if (own->purpose == NULL)
        own->purpose = "question";
    if (own->schema != NULL && own->schema_name == NULL)
        own->schema_name = ANSWER_TOOL;
    struct talk t = {.m = m, .q = own, .a = a, .out = out};
    int rc = schemas_read(&t, err);
    if (rc == 0) {
        request_canon(m, own, &canon);
        fs_hash_bytes(buf_str(&canon), canon.len, out->hash);
        rc = ask_once(&t, buf_str(&canon), err);
    }
    for (uint32_t i = 0; i < own->n_tools && i < CALLS_MAX; i++)
        json_free(t.tool[i]);
    json_free(t.schema);
    buf_fini(&canon);
    return rc;
}
