/* Replies in the chat dialect, whole or streamed, and what the dialects share
 * (part.h). Called by http.c with what came in. Invariant: any bytes are read
 * or refused; what is missing stays "not said". */
#include "model/part.h"

#include <stdlib.h>
#include <string.h>

void
decoder_init(struct decoder *d, uint8_t dialect)
{
    memset(d, 0, sizeof *d);
    d->dialect = dialect;
    d->in = d->out = -1;
}

void
decoder_fini(struct decoder *d)
{
    buf_fini(&d->text);
    buf_fini(&d->refusal);
    buf_fini(&d->error);
    buf_fini(&d->id);
    buf_fini(&d->fingerprint);
    for (uint32_t i = 0; i < CALLS_MAX; i++) {
        buf_fini(&d->call[i].id);
        buf_fini(&d->call[i].name);
        buf_fini(&d->call[i].args);
    }
}

struct call_part *
call_part_at(struct decoder *d, int64_t index)
{
    for (uint32_t i = 0; i < d->n_calls; i++)
        if (d->call[i].index == index)
            return &d->call[i];
    if (d->n_calls == CALLS_MAX)
        return NULL;
    d->call[d->n_calls].index = index;
    return &d->call[d->n_calls++];
}

/* Arguments are a JSON text, but some servers send the object itself. */
void
decode_args(struct call_part *p, const struct json *args)
{
    if (json_kind(args) == J_STR)
        buf_puts(&p->args, json_str(args));
    else if (json_kind(args) == J_OBJ)
        json_dump(args, &p->args);
}

static void
put_once(struct buf *b, const char *text)
{
    if (text != NULL && b->len == 0)
        buf_puts(b, text);
}

/* ---- chat ---- */

static void
chat_content(struct decoder *d, const struct json *c)
{
    if (json_kind(c) == J_STR)
        buf_puts(&d->text, json_str(c));
    for (size_t i = 0; json_kind(c) == J_ARR && i < json_len(c); i++) {
        const char *text = json_get_str(json_at(c, i), "text");
        buf_puts(&d->text, text != NULL ? text : "");
    }
}

static void
chat_calls(struct decoder *d, const struct json *calls)
{
    for (size_t i = 0; i < json_len(calls); i++) {
        const struct json *c = json_at(calls, i);
        const struct json *f = json_get(c, "function");
        struct call_part *p =
            call_part_at(d, json_get_i64(c, "index", (int64_t)i));
        if (p == NULL)
            return;
        put_once(&p->id, json_get_str(c, "id"));
        put_once(&p->name, json_get_str(f, "name"));
        decode_args(p, json_get(f, "arguments"));
    }
}

static void
chat_finish(struct decoder *d, const char *word)
{
    static const struct {
        const char *word;
        uint32_t finish;
    } map[] = {{"stop", FINISH_STOP}, {"length", FINISH_LENGTH},
        {"tool_calls", FINISH_CALLS}, {"function_call", FINISH_CALLS},
        {"content_filter", FINISH_REFUSED}, {"eos", FINISH_STOP}};
    if (word == NULL || *word == '\0')
        return;
    d->ended = true;
    d->finish = FINISH_STOP;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (strcmp(map[i].word, word) == 0)
            d->finish = map[i].finish;
}

static void
chat_usage(struct decoder *d, const struct json *u)
{
    if (json_kind(u) != J_OBJ)
        return;
    const struct json *in = json_get(u, "prompt_tokens_details");
    const struct json *out = json_get(u, "completion_tokens_details");
    d->in = json_get_i64(u, "prompt_tokens", d->in);
    d->out = json_get_i64(u, "completion_tokens", d->out);
    d->cached = json_get_i64(in, "cached_tokens", d->cached);
    d->reasoning = json_get_i64(out, "reasoning_tokens", d->reasoning);
}

static void
decode_chat(struct decoder *d, const struct json *j, bool event)
{
    const struct json *choice = json_at(json_get(j, "choices"), 0);
    const struct json *m = json_get(choice, event ? "delta" : "message");
    put_once(&d->id, json_get_str(j, "id"));
    put_once(&d->fingerprint, json_get_str(j, "system_fingerprint"));
    chat_usage(d, json_get(j, "usage"));
    if (json_kind(choice) != J_OBJ)
        return;
    d->any = true;
    chat_content(d, json_get(m, "content"));
    if (json_get_str(m, "refusal") != NULL) {
        buf_puts(&d->refusal, json_get_str(m, "refusal"));
        d->refused = d->refusal.len > 0;
    }
    chat_calls(d, json_get(m, "tool_calls"));
    chat_finish(d, json_get_str(choice, "finish_reason"));
    if (!event && !d->ended && json_kind(m) == J_OBJ)
        chat_finish(d, "stop"); /* a whole reply needs no mark */
}

/* ---- all dialects ---- */

/* {"error": {...}}, {"error": "text"}, an event of type error. */
static bool
is_error(struct decoder *d, const struct json *j)
{
    const struct json *e = json_get(j, "error");
    const char *type = json_get_str(j, "type");
    bool typed = type != NULL && strcmp(type, "error") == 0;
    if (json_kind(e) != J_OBJ && json_kind(e) != J_STR && !typed)
        return false;
    const char *text = json_str(e);
    if (text == NULL)
        text = json_get_str(json_kind(e) == J_OBJ ? e : j, "message");
    buf_clear(&d->error);
    buf_puts(&d->error, text != NULL ? text : "an error without a text");
    return true;
}

static void
decode_any(struct decoder *d, const struct json *j, bool event)
{
    if (d->dialect == DIALECT_RESPONSES)
        decode_responses(d, j, event);
    else if (d->dialect == DIALECT_MESSAGES)
        decode_messages(d, j, event);
    else
        decode_chat(d, j, event);
}

static int
decode_text(struct decoder *d, const char *text, size_t len, bool event,
    struct err *err)
{
    struct buf mended = {0};
    mend_json(text, len, &mended);
    struct json *j = json_parse(buf_str(&mended), mended.len, err);
    buf_fini(&mended);
    int rc = j == NULL ? -ERR_INPUT : 0;
    if (j != NULL && json_kind(j) != J_OBJ)
        rc = err_set(err, -ERR_INPUT, "the reply is no JSON object");
    else if (j != NULL && is_error(d, j))
        rc = err_set(
            err, -ERR_INPUT, "the server says: %.300s", buf_str(&d->error));
    else if (j != NULL)
        decode_any(d, j, event);
    json_free(j);
    return rc;
}

int
decode_body(struct decoder *d, const char *text, size_t len, struct err *err)
{
    return decode_text(d, text, len, false, err);
}

int
decode_event(struct decoder *d, const char *event, const char *data, size_t len,
    struct err *err)
{
    (void)event; /* the data says its type as well */
    if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
        d->ended = true;
        return 0;
    }
    return len == 0 ? 0 : decode_text(d, data, len, true, err);
}

/* A call needs an id that answers can name; servers that give none, or the
 * same twice, get one of ours. */
static const char *
call_id(struct arena *a, const struct decoder *d, uint32_t i)
{
    const char *id = buf_str(&d->call[i].id);
    bool twice = *id == '\0';
    for (uint32_t k = 0; k < i; k++)
        twice = twice || strcmp(buf_str(&d->call[k].id), id) == 0;
    return twice ? arena_printf(a, "call_%u", i + 1) : arena_strdup(a, id);
}

void
decode_end(struct decoder *d, struct arena *a, struct turn *out)
{
    *out = (struct turn){
        .finish = d->finish,
        .text = arena_strndup(a, buf_str(&d->text), d->text.len),
        .refusal = d->refused ? arena_strdup(a, buf_str(&d->refusal)) : NULL,
        .n_calls = d->n_calls,
        .in = d->in,
        .out = d->out,
        .cached = d->cached,
        .reasoning = d->reasoning,
        .written = d->written,
        .id = arena_strdup(a, buf_str(&d->id)),
        .fingerprint = arena_strdup(a, buf_str(&d->fingerprint)),
    };
    for (uint32_t i = 0; i < d->n_calls; i++) {
        const struct call_part *p = &d->call[i];
        out->call[i] = (struct model_call){call_id(a, d, i),
            arena_strdup(a, buf_str(&p->name)),
            arena_strdup(a, p->args.len ? buf_str(&p->args) : "{}")};
    }
    if (d->refused)
        out->finish = FINISH_REFUSED;
    else if (!d->ended)
        out->finish = FINISH_NONE;
    else if (d->text.len == 0 && d->n_calls == 0 &&
             (d->finish == FINISH_STOP || d->finish == FINISH_CALLS ||
                 d->finish == FINISH_NONE))
        out->finish = FINISH_EMPTY;
    else if (d->finish == FINISH_NONE)
        out->finish = FINISH_STOP;
}
