/* The dialects of the two large providers: OpenAI Responses and Anthropic
 * messages. Called by encode_request. Invariant: as in encode.c. */
#include "model/part.h"

#include "model/schema.h"

#include <string.h>

/* All that the system says, in one text; NULL: nothing. */
static const char *
system_text(struct arena *a, const struct turn_want *w, bool words)
{
    struct buf b = {0};
    const struct model_request *q = w->q;
    for (uint32_t i = 0; i < q->n_messages; i++)
        if (q->message[i].role == ROLE_SYSTEM && q->message[i].text != NULL)
            buf_printf(&b, "%s%s", b.len ? "\n\n" : "", q->message[i].text);
    if (q->schema != NULL && words)
        buf_printf(&b, "%s%s", b.len ? "\n\n" : "", schema_words(a, q));
    const char *text = b.len ? arena_strdup(a, buf_str(&b)) : NULL;
    buf_fini(&b);
    return text;
}

/* ---- OpenAI Responses ---- */

static void
responses_message(struct jw *j, const char *role, const char *text)
{
    jw_obj_begin(j);
    jw_kstr(j, "role", role);
    jw_kstr(j, "content", text);
    jw_obj_end(j);
}

static void
responses_item(struct jw *j, const struct model_message *m)
{
    if (m->role == ROLE_TOOL) {
        jw_obj_begin(j);
        jw_kstr(j, "type", "function_call_output");
        jw_kstr(j, "call_id", m->answers);
        jw_kstr(j, "output", m->text ? m->text : "");
        jw_obj_end(j);
        return;
    }
    if (m->text != NULL)
        responses_message(
            j, m->role == ROLE_ASSISTANT ? "assistant" : "user", m->text);
    for (uint32_t i = 0; i < m->n_calls; i++) {
        jw_obj_begin(j);
        jw_kstr(j, "type", "function_call");
        jw_kstr(j, "call_id", m->call[i].id);
        jw_kstr(j, "name", m->call[i].name);
        jw_kstr(j, "arguments", m->call[i].args);
        jw_obj_end(j);
    }
}

static void
responses_tool(struct jw *j, const char *name, const char *doc, const char *s)
{
    jw_obj_begin(j);
    jw_kstr(j, "type", "function");
    jw_kstr(j, "name", name);
    jw_kstr(j, "description", doc);
    jw_key(j, "parameters");
    jw_raw(j, s);
    jw_kbool(j, "strict", false);
    jw_obj_end(j);
}

static void
responses_format(struct jw *j, const struct turn_want *w)
{
    const struct model_request *q = w->q;
    if (q->schema == NULL || w->rung > RUNG_OBJECT)
        return;
    struct json *s = json_parse(q->schema, strlen(q->schema), NULL);
    jw_key(j, "text");
    jw_obj_begin(j);
    jw_key(j, "format");
    jw_obj_begin(j);
    if (w->rung == RUNG_OBJECT) {
        jw_kstr(j, "type", "json_object");
    } else {
        jw_kstr(j, "type", "json_schema");
        jw_kstr(j, "name", q->schema_name);
        jw_kbool(j, "strict", schema_is_strict(s));
        jw_key(j, "schema");
        jw_raw(j, q->schema);
    }
    jw_obj_end(j);
    jw_obj_end(j);
    json_free(s);
}

void
encode_responses(
    const struct endpoint *e, const struct turn_want *w, struct jw *j)
{
    struct arena a = {0};
    const struct model_request *q = w->q;
    bool forced = q->schema != NULL && w->rung == RUNG_TOOL;
    bool words = w->rung == RUNG_OBJECT || w->rung == RUNG_PROMPT;
    const char *system = system_text(&a, w, words);
    jw_kstr(j, "model", e->c->model);
    if (system != NULL)
        jw_kstr(j, "instructions", system);
    jw_key(j, "input");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < q->n_messages; i++)
        if (q->message[i].role != ROLE_SYSTEM)
            responses_item(j, &q->message[i]);
    if (w->bad != NULL) {
        responses_message(j, "assistant", w->bad);
        responses_message(j, "user", w->why);
    }
    jw_arr_end(j);
    if (q->n_tools > 0 || forced) {
        jw_key(j, "tools");
        jw_arr_begin(j);
        for (uint32_t i = 0; i < q->n_tools; i++)
            responses_tool(
                j, q->tool[i].name, q->tool[i].doc, q->tool[i].schema);
        if (forced)
            responses_tool(
                j, ANSWER_TOOL, "Gives the final answer.", q->schema);
        jw_arr_end(j);
        if (forced)
            jw_kstr(j, "tool_choice", "required");
    }
    responses_format(j, w);
    jw_ki64(j, "max_output_tokens", w->max_tokens);
    if ((w->lacks & LACK_TEMPERATURE) == 0)
        jw_kf64(j, "temperature", q->temperature);
    if (e->own && q->purpose != NULL)
        jw_kstr(j, "prompt_cache_key", arena_printf(&a, "rea-%s", q->purpose));
    jw_kbool(j, "store", false);
    jw_kbool(j, "stream", wants_stream(e, w));
    arena_fini(&a);
}

/* ---- Anthropic messages ---- */

static void
block_text(struct jw *j, const char *text, bool cached)
{
    jw_obj_begin(j);
    jw_kstr(j, "type", "text");
    jw_kstr(j, "text", text);
    if (cached) {
        jw_key(j, "cache_control");
        jw_raw(j, "{\"type\":\"ephemeral\"}");
    }
    jw_obj_end(j);
}

static void
block_call(struct jw *j, const struct model_call *c)
{
    jw_obj_begin(j);
    jw_kstr(j, "type", "tool_use");
    jw_kstr(j, "id", c->id);
    jw_kstr(j, "name", c->name);
    jw_key(j, "input");
    jw_raw(j, c->args);
    jw_obj_end(j);
}

static void
block_result(struct jw *j, const struct model_message *m)
{
    jw_obj_begin(j);
    jw_kstr(j, "type", "tool_result");
    jw_kstr(j, "tool_use_id", m->answers);
    jw_kstr(j, "content", m->text ? m->text : "");
    jw_obj_end(j);
}

static void
message_begin(struct jw *j, const char *role)
{
    jw_obj_begin(j);
    jw_kstr(j, "role", role);
    jw_key(j, "content");
    jw_arr_begin(j);
}

static void
message_end(struct jw *j)
{
    jw_arr_end(j);
    jw_obj_end(j);
}

static void
messages_list(struct jw *j, const struct turn_want *w)
{
    const struct model_request *q = w->q;
    jw_key(j, "messages");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < q->n_messages; i++) {
        const struct model_message *m = &q->message[i];
        if (m->role == ROLE_SYSTEM)
            continue;
        message_begin(j, m->role == ROLE_ASSISTANT ? "assistant" : "user");
        if (m->role == ROLE_TOOL)
            block_result(j, m);
        else if (m->text != NULL && *m->text != '\0')
            block_text(j, m->text, false);
        for (uint32_t k = 0; k < m->n_calls; k++)
            block_call(j, &m->call[k]);
        message_end(j);
    }
    if (w->bad != NULL) {
        message_begin(j, "assistant");
        block_text(j, *w->bad ? w->bad : "(nothing)", false);
        message_end(j);
        message_begin(j, "user");
        block_text(j, w->why, false);
        message_end(j);
    }
    jw_arr_end(j);
}

static void
messages_tool(struct jw *j, const char *name, const char *doc, const char *s)
{
    jw_obj_begin(j);
    jw_kstr(j, "name", name);
    jw_kstr(j, "description", doc);
    jw_key(j, "input_schema");
    jw_raw(j, s);
    jw_obj_end(j);
}

static void
messages_tools(struct jw *j, const struct turn_want *w)
{
    const struct model_request *q = w->q;
    bool forced = q->schema != NULL && w->rung == RUNG_TOOL;
    if (q->n_tools == 0 && !forced)
        return;
    jw_key(j, "tools");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < q->n_tools; i++)
        messages_tool(j, q->tool[i].name, q->tool[i].doc, q->tool[i].schema);
    if (forced)
        messages_tool(j, ANSWER_TOOL, "Gives the final answer.", q->schema);
    jw_arr_end(j);
    if (forced) {
        jw_key(j, "tool_choice");
        jw_raw(j, q->n_tools > 0 ? "{\"type\":\"any\"}"
                                 : "{\"name\":\"" ANSWER_TOOL
                                   "\",\"type\":\"tool\"}");
    }
}

void
encode_messages(
    const struct endpoint *e, const struct turn_want *w, struct jw *j)
{
    struct arena a = {0};
    bool words = w->rung == RUNG_OBJECT || w->rung == RUNG_PROMPT;
    const char *system = system_text(&a, w, words);
    jw_kstr(j, "model", e->c->model);
    jw_ki64(j, "max_tokens", w->max_tokens);
    if (system != NULL) {
        /* the part that every step of a conversation repeats */
        jw_key(j, "system");
        jw_arr_begin(j);
        block_text(j, system, true);
        jw_arr_end(j);
    }
    messages_list(j, w);
    messages_tools(j, w);
    if (w->q->schema != NULL && w->rung == RUNG_SCHEMA) {
        jw_key(j, "output_config");
        jw_obj_begin(j);
        jw_key(j, "format");
        jw_obj_begin(j);
        jw_kstr(j, "type", "json_schema");
        jw_key(j, "schema");
        jw_raw(j, w->q->schema);
        jw_obj_end(j);
        jw_obj_end(j);
    }
    if ((w->lacks & LACK_TEMPERATURE) == 0)
        jw_kf64(j, "temperature", w->q->temperature);
    jw_kbool(j, "stream", wants_stream(e, w));
    arena_fini(&a);
}
