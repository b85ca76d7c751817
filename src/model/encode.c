/* A question in OpenAI's chat dialect, which every compatible server takes,
 * and the choice between the dialects (part.h). Called by send.c. Invariant:
 * the same want gives the same bytes, so that its hash finds its record. */
#include "model/part.h"

#include "model/schema.h"

#include <string.h>

const char *
schema_words(struct arena *a, const struct model_request *q)
{
    return arena_printf(a,
        "Answer with one JSON object and nothing else: no explanation, no "
        "code fence. It must satisfy this JSON Schema:\n%s",
        q->schema);
}

bool
wants_stream(const struct endpoint *e, const struct turn_want *w)
{
    return e->c->stream && (w->lacks & LACK_STREAM) == 0;
}

/* ---- chat ---- */

static void
chat_calls(struct jw *j, const struct model_message *m)
{
    if (m->n_calls == 0)
        return;
    jw_key(j, "tool_calls");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < m->n_calls; i++) {
        jw_obj_begin(j);
        jw_kstr(j, "id", m->call[i].id);
        jw_kstr(j, "type", "function");
        jw_key(j, "function");
        jw_obj_begin(j);
        jw_kstr(j, "name", m->call[i].name);
        jw_kstr(j, "arguments", m->call[i].args);
        jw_obj_end(j);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void
chat_message(struct jw *j, const char *role, const char *text)
{
    jw_obj_begin(j);
    jw_kstr(j, "role", role);
    jw_kstr(j, "content", text);
    jw_obj_end(j);
}

static void
chat_messages(struct arena *a, struct jw *j, const struct turn_want *w)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    const struct model_request *q = w->q;
    jw_key(j, "messages");
    jw_arr_begin(j);
    /* The object form is told in words too: a server that ignores it then
     * still has a chance. */
    if (q->schema != NULL && w->rung != RUNG_SCHEMA && w->rung != RUNG_TOOL)
        chat_message(j, "system", schema_words(a, q));
    for (uint32_t i = 0; i < q->n_messages; i++) {
        const struct model_message *m = &q->message[i];
        jw_obj_begin(j);
        jw_kstr(j, "role", roles[m->role & 3]);
        jw_kstr(j, "content", m->text); /* NULL: null */
        if (m->role == ROLE_TOOL)
            jw_kstr(j, "tool_call_id", m->answers);
        chat_calls(j, m);
        jw_obj_end(j);
    }
    if (w->bad != NULL) {
        chat_message(j, "assistant", w->bad);
        chat_message(j, "user", w->why);
    }
    jw_arr_end(j);
}

static void
chat_tool(
    struct jw *j, const char *name, const char *doc, const char *parameters)
{
    jw_obj_begin(j);
    jw_kstr(j, "type", "function");
    jw_key(j, "function");
    jw_obj_begin(j);
    jw_kstr(j, "name", name);
    jw_kstr(j, "description", doc);
    jw_key(j, "parameters");
    jw_raw(j, parameters);
    jw_obj_end(j);
    jw_obj_end(j);
}

static void
chat_tools(struct jw *j, const struct turn_want *w)
{
    const struct model_request *q = w->q;
    bool forced = q->schema != NULL && w->rung == RUNG_TOOL;
    if (q->n_tools == 0 && !forced)
        return;
    jw_key(j, "tools");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < q->n_tools; i++)
        chat_tool(j, q->tool[i].name, q->tool[i].doc, q->tool[i].schema);
    if (forced)
        chat_tool(j, ANSWER_TOOL, "Gives the final answer.", q->schema);
    jw_arr_end(j);
    if (forced)
        jw_kstr(j, "tool_choice", "required");
}

static void
chat_format(struct jw *j, const struct turn_want *w)
{
    const struct model_request *q = w->q;
    if (q->schema == NULL || w->rung > RUNG_OBJECT)
        return;
    jw_key(j, "response_format");
    jw_obj_begin(j);
    if (w->rung == RUNG_OBJECT) {
        jw_kstr(j, "type", "json_object");
        jw_key(j, "schema");
        jw_raw(j, q->schema);
    } else {
        struct json *s = json_parse(q->schema, strlen(q->schema), NULL);
        jw_kstr(j, "type", "json_schema");
        jw_key(j, "json_schema");
        jw_obj_begin(j);
        jw_kstr(j, "name", q->schema_name);
        jw_kbool(j, "strict", schema_is_strict(s));
        jw_key(j, "schema");
        jw_raw(j, q->schema);
        jw_obj_end(j);
        json_free(s);
    }
    jw_obj_end(j);
}

static void
encode_chat(const struct endpoint *e, const struct turn_want *w, struct jw *j)
{
    struct arena a = {0};
    bool own = e->c->provider == PROVIDER_OPENAI && e->own;
    jw_kstr(j, "model", e->c->model);
    chat_messages(&a, j, w);
    chat_tools(j, w);
    chat_format(j, w);
    jw_ki64(j,
        w->lacks & LACK_MAX_TOKENS ? "max_completion_tokens" : "max_tokens",
        w->max_tokens);
    if ((w->lacks & LACK_TEMPERATURE) == 0)
        jw_kf64(j, "temperature", w->q->temperature);
    if ((w->lacks & LACK_SEED) == 0)
        jw_ki64(j, "seed", w->q->seed);
    if (own && w->q->purpose != NULL)
        jw_kstr(
            j, "prompt_cache_key", arena_printf(&a, "rea-%s", w->q->purpose));
    jw_kbool(j, "stream", wants_stream(e, w));
    if (wants_stream(e, w) && (w->lacks & LACK_STREAM_USAGE) == 0) {
        jw_key(j, "stream_options");
        jw_obj_begin(j);
        jw_kbool(j, "include_usage", true);
        jw_obj_end(j);
    }
    arena_fini(&a);
}

void
encode_request(
    const struct endpoint *e, const struct turn_want *w, struct buf *out)
{
    struct jw j;
    jw_init(&j, out, 0);
    jw_obj_begin(&j);
    if (e->dialect == DIALECT_RESPONSES)
        encode_responses(e, w, &j);
    else if (e->dialect == DIALECT_MESSAGES)
        encode_messages(e, w, &j);
    else
        encode_chat(e, w, &j);
    jw_obj_end(&j);
}
