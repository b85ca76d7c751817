/* The rounds that are one request each: proposals in one reply, for models
 * that call no tools, and the reflection on what was proposed. Called by the
 * loop. */
#include "agent/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/guard.h"

enum { WHY_MAX = 300, DIRECT_ROWS_BYTES = 9000 };

/* ---- one reply by schema ---- */

/* Concepts of the knobs as words to look for. */
static void
query_put(const struct agent *g, struct buf *out)
{
    struct buf words = {0};
    struct jw w;
    for (uint32_t k = 0; k < g->desk.spec->n_knobs; k++) {
        const struct knob *knob = &g->desk.spec->knob[k];
        if (knob->concept != CONCEPT_NONE && words.len < 200)
            buf_printf(&words, "%s ", concept_name(knob->concept));
    }
    for (size_t i = 0; i < words.len; i++)
        words.data[i] = words.data[i] == '_' ? ' ' : words.data[i];
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "query", buf_str(&words));
    jw_obj_end(&w);
    buf_fini(&words);
}

void
direct_text(struct agent *g, struct buf *out)
{
    static const char *const looked[] = {
        "read_knob_catalogue", "search_insights", "search_papers"};
    struct buf query = {0};
    query_put(g, &query);
    buf_puts(out, "Propose changes of these knobs, as JSON by the schema.\n");
    for (size_t i = 0; i < 3; i++) {
        struct model_call call = {"", looked[i], buf_str(&query)};
        struct err ignored = {0};
        struct buf rows = {0};
        bool finished;
        tool_answer(&g->desk, g->talk, &call, &rows, &finished, &ignored);
        text_clean(buf_str(&rows), rows.len, DIRECT_ROWS_BYTES, true, out);
        buf_fini(&rows);
    }
    buf_printf(out, "At most %u proposals.\n", g->desk.proposals_max);
    buf_fini(&query);
}

/* That of the tool, with the knobs' names as a closed list and an end to lists
 * and texts: a small model behind a grammar can then not miss them. */
static const char *
direct_schema(struct agent *g)
{
    struct buf names = {0};
    struct jw w;
    jw_init(&w, &names, 0);
    jw_arr_begin(&w);
    for (uint32_t k = 0; k < g->desk.spec->n_knobs; k++)
        jw_str(&w, g->desk.spec->knob[k].name);
    jw_arr_end(&w);
    const char *schema = arena_printf(g->arena,
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"required\":[\"proposals\"],\"properties\":{\"proposals\":"
        "{\"type\":\"array\",\"maxItems\":%u,\"items\":"
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"required\":[\"statement\",\"rationale\",\"changes\","
        "\"evidence\"],\"properties\":{"
        "\"statement\":{\"type\":\"string\",\"maxLength\":200},"
        "\"rationale\":{\"type\":\"string\",\"maxLength\":400},"
        "\"changes\":{\"type\":\"array\",\"maxItems\":%d,\"items\":"
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"required\":[\"knob\",\"value\"],\"properties\":{"
        "\"knob\":{\"type\":\"string\",\"enum\":%s},"
        "\"value\":{\"type\":\"string\",\"maxLength\":60}}}},"
        "\"evidence\":{\"type\":\"array\",\"maxItems\":2,\"items\":"
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"required\":[\"ref\",\"quote\"],\"properties\":{"
        "\"ref\":{\"type\":\"string\",\"maxLength\":16},"
        "\"quote\":{\"type\":\"string\",\"maxLength\":300}}}}}}}}}",
        g->desk.proposals_max, OVERRIDES_MAX, buf_str(&names));
    buf_fini(&names);
    return schema;
}

/* Each proposal of the reply is judged; what became of it is a step. */
static int
direct_judge(struct agent *g, const struct json *reply, struct err *err)
{
    const struct json *list = json_get(reply, "proposals");
    struct buf said = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_len(list); i++) {
        if (i == TALK_CALLS_MAX)
            break;
        rc = proposal_judge(&g->desk, g->talk, json_at(list, i), &said, err);
    }
    struct step s = {.round = g->talk->round,
        .section = memory_section(g->talk),
        .role = ROLE_USER,
        .text = said.len > 0 ? buf_str(&said) : "nothing was proposed"};
    if (rc == 0)
        rc = talk_step_add(g->talk, &s, err);
    buf_fini(&said);
    return rc;
}

/* What was looked up is kept before it is asked about, so that the request is
 * the same after a crash though the databases have grown. */
static int
direct_asked(struct agent *g, const char **out, struct err *err)
{
    struct talk *t = g->talk;
    const struct step *last = t->n_steps > 0 ? &t->step[t->n_steps - 1] : NULL;
    struct buf text = {0};
    if (last != NULL && last->round == ROUND_DIRECT) {
        *out = last->text;
        return 0;
    }
    int rc = talk_begin(t, err);
    direct_text(g, &text);
    struct step s = {.round = ROUND_DIRECT,
        .section = memory_section(t),
        .role = ROLE_USER,
        .text = buf_str(&text)};
    if (rc == 0)
        rc = talk_step_add(t, &s, err);
    if (rc == 0)
        rc = talk_commit(t, err);
    *out = t->step[t->n_steps - 1].text;
    buf_fini(&text);
    return rc;
}

int
round_direct(struct agent *g, struct err *err)
{
    struct talk *t = g->talk;
    struct model_request q;
    struct agent_answer x;
    const char *text = NULL;
    int rc = direct_asked(g, &text, err);
    if (rc != 0)
        return rc;
    request_plain(g, "hypotheses", text, "proposals", direct_schema(g), &q);
    rc = agent_ask(g, &q, &x, err);
    if (rc == 0)
        rc = talk_begin(t, err);
    if (rc == 0)
        rc = steps_keep(g, NULL, &x, err);
    if (rc == 0)
        rc = direct_judge(g, x.reply.json, err);
    if (rc == 0) {
        t->round = talk_kept(t) > 0 ? ROUND_REFLECT : ROUND_CLOSED;
        t->state = t->round == ROUND_CLOSED ? TALK_DONE : TALK_OPEN;
        rc = talk_keep(t, err);
    }
    return rc == 0 ? talk_commit(t, err) : rc;
}

/* ---- reflection ---- */

static const char reflect_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"drop\"],\"properties\":{\"drop\":{\"type\":\"array\","
    "\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"proposal\",\"why\"],\"properties\":{"
    "\"proposal\":{\"type\":\"string\"},\"why\":{\"type\":\"string\"}}}}}}";

void
reflect_text(struct agent *g, struct buf *out)
{
    static const char *const parts[] = {"baseline", "results", "planned"};
    const struct talk *t = g->talk;
    buf_puts(out,
        "These are proposals of yours. Criticise each against its evidence, "
        "against what was measured and against the others: is it supported, "
        "is it new, would it pay its trials? Name those that should be "
        "dropped, with the reason; drop none that you would defend.\n");
    for (uint32_t i = 0; i < t->n_proposals; i++) {
        char ref[16];
        snprintf(ref, sizeof ref, "Q%u", i + 1);
        const char *json = t->proposal[i].json;
        if (t->proposal[i].state == PROPOSAL_KEPT)
            text_quote(ref, json, strlen(json), 4000, true, out);
    }
    for (size_t i = 0; i < 3; i++) {
        struct buf text = {0};
        const struct json *j = json_get(g->desk.brief, parts[i]);
        json_dump(j, &text);
        if (json_len(j) > 0)
            text_quote(parts[i], buf_str(&text), text.len, 5000, true, out);
        buf_fini(&text);
    }
}

static int
drops_apply(struct agent *g, const struct json *reply, struct err *err)
{
    struct talk *t = g->talk;
    const struct json *list = json_get(reply, "drop");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_len(list); i++) {
        const char *id = json_get_str(json_at(list, i), "proposal");
        const char *why = json_get_str(json_at(list, i), "why");
        char *end = NULL;
        unsigned long n =
            id != NULL && id[0] == 'Q' ? strtoul(id + 1, &end, 10) : 0;
        if (n == 0 || n > t->n_proposals || *end != '\0')
            continue;
        struct buf safe = {0};
        struct proposal p = t->proposal[n - 1];
        text_clean(why != NULL ? why : "", why != NULL ? strlen(why) : 0,
            WHY_MAX, false, &safe);
        p.state = PROPOSAL_DROPPED;
        p.why = buf_str(&safe);
        rc = talk_proposal_put(t, (uint32_t)n - 1, &p, err);
        buf_fini(&safe);
    }
    return rc;
}

int
round_reflect(struct agent *g, struct err *err)
{
    struct talk *t = g->talk;
    struct buf text = {0};
    struct model_request q;
    struct agent_answer x;
    reflect_text(g, &text);
    request_plain(
        g, "reflection", buf_str(&text), "criticism", reflect_schema, &q);
    int rc = agent_ask(g, &q, &x, err);
    if (rc == 0)
        rc = talk_begin(t, err);
    if (rc == 0)
        rc = steps_keep(g, buf_str(&text), &x, err);
    if (rc == 0)
        rc = drops_apply(g, x.reply.json, err);
    if (rc == 0) {
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
