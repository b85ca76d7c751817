/* First-principles diagnosis of a failure that no rule knows: the masked end
 * of its output, how it ended and what happened before, for one remedy of the
 * runbook or one question to the engineer. Called by the loop. It is shown,
 * never done: what a remedy may do is the engine's own business.
 * Invariant: the result names a remedy of the brief's list or none. */
#include "agent/agent.h"

#include <string.h>

#include "agent/guard.h"

enum { TEXT_MAX_SHOWN = 600, LOG_MAX = 8000 };

static const char *
schema_in(const struct agent *g)
{
    const struct json *remedies = json_get(g->desk.brief, "remedies");
    struct buf list = {0};
    json_dump(remedies, &list);
    const char *text = arena_printf(g->arena,
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"required\":[\"remedy\",\"explanation\",\"question\"],"
        "\"properties\":{\"remedy\":{\"type\":\"string\",\"enum\":%s},"
        "\"explanation\":{\"type\":\"string\"},"
        "\"question\":{\"type\":\"string\"}}}",
        json_kind(remedies) == J_ARR ? buf_str(&list) : "[\"none\"]");
    buf_fini(&list);
    return text;
}

void
diagnosis_text(const struct agent *g, struct buf *out)
{
    static const char *const parts[] = {
        "failure", "attempts", "failures", "events"};
    buf_puts(out,
        "A training job failed and no rule knows why. Say from the facts what "
        "is the likely cause, and choose one remedy of the list, or \"none\" "
        "and one question to the engineer. What does not follow from the "
        "facts is not known: say so.\n");
    for (size_t i = 0; i < 4; i++) {
        const struct json *j = json_get(g->desk.brief, parts[i]);
        struct buf text = {0};
        json_dump(j, &text);
        if (json_len(j) > 0)
            text_quote(parts[i], buf_str(&text), text.len, 4000, true, out);
        buf_fini(&text);
    }
    const struct json *logs = json_get(g->desk.brief, "logs");
    for (size_t i = 0; i < json_len(logs) && i < 2; i++) {
        const char *id = json_get_str(json_at(logs, i), "trial");
        const char *text = json_get_str(json_at(logs, i), "text");
        if (id != NULL && text != NULL)
            text_quote(id, text, strlen(text), LOG_MAX, true, out);
    }
    if (g->talk->notes[0] != '\0')
        buf_printf(out, "Notes of earlier failures:\n%s", g->talk->notes);
}

static void
member_clean(struct jw *w, const struct json *reply, const char *name)
{
    struct buf plain = {0}, safe = {0};
    const char *text = json_get_str(reply, name);
    if (text != NULL)
        model_redact(text, strlen(text), &plain);
    text_clean(buf_str(&plain), plain.len, TEXT_MAX_SHOWN, false, &safe);
    jw_kstr(w, name, buf_str(&safe));
    buf_fini(&plain);
    buf_fini(&safe);
}

static void
result_put(struct agent *g, const struct json *reply)
{
    const struct json *remedies = json_get(g->desk.brief, "remedies");
    const char *said = json_get_str(reply, "remedy"), *remedy = "none";
    struct buf b = {0};
    struct jw w;
    for (size_t i = 0; said != NULL && i < json_len(remedies); i++) {
        const char *r = json_str(json_at(remedies, i));
        if (r != NULL && strcmp(r, said) == 0)
            remedy = r;
    }
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "remedy", remedy);
    member_clean(&w, reply, "explanation");
    member_clean(&w, reply, "question");
    jw_obj_end(&w);
    g->talk->result = arena_strdup(g->talk->arena, buf_str(&b));
    buf_fini(&b);
}

int
round_diagnosis(struct agent *g, struct err *err)
{
    struct talk *t = g->talk;
    struct buf text = {0};
    struct model_request q;
    struct agent_answer x;
    diagnosis_text(g, &text);
    request_plain(
        g, "diagnosis", buf_str(&text), "diagnosis", schema_in(g), &q);
    int rc = agent_ask(g, &q, &x, err);
    if (rc == 0)
        rc = talk_begin(t, err);
    if (rc == 0)
        rc = steps_keep(g, buf_str(&text), &x, err);
    if (rc == 0) {
        result_put(g, x.reply.json);
        t->round = ROUND_CLOSED;
        t->state = TALK_DONE;
        t->why = "";
        rc = talk_keep(t, err);
    }
    if (rc == 0)
        rc = talk_commit(t, err);
    buf_fini(&text);
    return rc;
}
