/* Replies in the dialects of the two large providers. Called by decode.c.
 * Invariant: as there. */
#include "model/part.h"

#include <string.h>

static bool
is(const char *word, const char *other)
{
    return word != NULL && strcmp(word, other) == 0;
}

static void
put_text(struct buf *b, const char *text)
{
    buf_puts(b, text != NULL ? text : "");
}

/* ---- OpenAI Responses ---- */

static void
responses_content(struct decoder *d, const struct json *c)
{
    const char *type = json_get_str(c, "type");
    if (is(type, "refusal")) {
        put_text(&d->refusal, json_get_str(c, "refusal"));
        d->refused = true;
    } else if (is(type, "output_text")) {
        put_text(&d->text, json_get_str(c, "text"));
    }
}

static void
responses_item(struct decoder *d, const struct json *item, size_t index)
{
    const char *type = json_get_str(item, "type");
    const struct json *content = json_get(item, "content");
    d->any = true;
    if (is(type, "message")) {
        for (size_t i = 0; i < json_len(content); i++)
            responses_content(d, json_at(content, i));
    } else if (is(type, "function_call")) {
        struct call_part *p = call_part_at(d, (int64_t)index);
        if (p == NULL)
            return;
        put_text(&p->id, json_get_str(item, "call_id"));
        put_text(&p->name, json_get_str(item, "name"));
        decode_args(p, json_get(item, "arguments"));
    }
}

static void
responses_usage(struct decoder *d, const struct json *u)
{
    const struct json *in = json_get(u, "input_tokens_details");
    const struct json *out = json_get(u, "output_tokens_details");
    d->in = json_get_i64(u, "input_tokens", -1);
    d->out = json_get_i64(u, "output_tokens", -1);
    d->cached = json_get_i64(in, "cached_tokens", 0);
    d->reasoning = json_get_i64(out, "reasoning_tokens", 0);
}

/* The last event of a stream carries the whole reply: the pieces before it
 * only show that the server is alive. */
void
decode_responses(struct decoder *d, const struct json *j, bool event)
{
    const struct json *whole = event ? json_get(j, "response") : j;
    const char *status = json_get_str(whole, "status");
    const struct json *output = json_get(whole, "output");
    const char *why =
        json_get_str(json_get(whole, "incomplete_details"), "reason");
    bool over = is(status, "completed") || is(status, "incomplete");
    if (is(status, "failed")) {
        put_text(&d->error, json_get_str(json_get(whole, "error"), "message"));
        return;
    }
    if (json_kind(whole) != J_OBJ || !over || d->ended)
        return;
    put_text(&d->id, json_get_str(whole, "id"));
    put_text(&d->fingerprint, json_get_str(whole, "system_fingerprint"));
    for (size_t i = 0; i < json_len(output); i++)
        responses_item(d, json_at(output, i), i);
    responses_usage(d, json_get(whole, "usage"));
    d->ended = true;
    d->finish = d->n_calls > 0 ? FINISH_CALLS : FINISH_STOP;
    if (is(status, "incomplete"))
        d->finish = is(why, "content_filter") ? FINISH_REFUSED : FINISH_LENGTH;
}

/* ---- Anthropic messages ---- */

static void
messages_block(struct decoder *d, const struct json *b, int64_t index)
{
    const char *type = json_get_str(b, "type");
    const struct json *input = json_get(b, "input");
    if (is(type, "text"))
        put_text(&d->text, json_get_str(b, "text"));
    if (!is(type, "tool_use"))
        return;
    struct call_part *p = call_part_at(d, index);
    if (p == NULL)
        return;
    put_text(&p->id, json_get_str(b, "id"));
    put_text(&p->name, json_get_str(b, "name"));
    if (json_len(input) > 0) /* {} begins a stream of pieces */
        decode_args(p, input);
}

static void
messages_delta(struct decoder *d, const struct json *j)
{
    const struct json *delta = json_get(j, "delta");
    const char *piece = json_get_str(delta, "partial_json");
    put_text(&d->text, json_get_str(delta, "text"));
    if (piece == NULL)
        return;
    struct call_part *p = call_part_at(d, json_get_i64(j, "index", 0));
    if (p != NULL)
        buf_puts(&p->args, piece);
}

/* Input that the provider wrote to its cache, or read from it, is counted
 * beside the rest, and costs otherwise. */
static void
messages_usage(struct decoder *d, const struct json *u)
{
    const struct json *in = json_get(u, "input_tokens");
    if (json_kind(in) == J_INT) {
        d->written = json_get_i64(u, "cache_creation_input_tokens", 0);
        d->cached = json_get_i64(u, "cache_read_input_tokens", 0);
        d->in = json_i64(in, 0) + d->written + d->cached;
    }
    d->out = json_get_i64(u, "output_tokens", d->out);
}

static void
messages_stop(struct decoder *d, const char *word)
{
    if (word == NULL)
        return;
    d->ended = true;
    d->finish = is(word, "max_tokens")                      ? FINISH_LENGTH
                : is(word, "tool_use")                      ? FINISH_CALLS
                : is(word, "refusal")                       ? FINISH_REFUSED
                : is(word, "pause_turn")                    ? FINISH_LENGTH
                : is(word, "model_context_window_exceeded") ? FINISH_CONTEXT
                                                            : FINISH_STOP;
}

static void
messages_whole(struct decoder *d, const struct json *m)
{
    const struct json *content = json_get(m, "content");
    if (json_kind(m) != J_OBJ)
        return;
    d->any = true;
    put_text(&d->id, json_get_str(m, "id"));
    for (size_t i = 0; i < json_len(content); i++)
        messages_block(d, json_at(content, i), (int64_t)i);
    messages_usage(d, json_get(m, "usage"));
    messages_stop(d, json_get_str(m, "stop_reason"));
}

void
decode_messages(struct decoder *d, const struct json *j, bool event)
{
    const char *type = json_get_str(j, "type");
    if (!event)
        messages_whole(d, j);
    else if (is(type, "message_start")) {
        messages_whole(d, json_get(j, "message"));
        d->out = -1; /* the first token; the last event has the sum */
    } else if (is(type, "content_block_start"))
        messages_block(
            d, json_get(j, "content_block"), json_get_i64(j, "index", 0));
    else if (is(type, "content_block_delta"))
        messages_delta(d, j);
    else if (is(type, "message_delta")) {
        messages_usage(d, json_get(j, "usage"));
        messages_stop(d, json_get_str(json_get(j, "delta"), "stop_reason"));
    }
}
