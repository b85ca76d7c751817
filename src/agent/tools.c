/* The table of tools and their answers. Called by the loop, one call after
 * the other, each within a transaction of its own.
 * Invariant: a tool reads the databases it was given and the brief, and writes
 * into its conversation alone. */
#include "agent/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/guard.h"
#include "agent/notes.h"

enum {
    ROWS_MAX = 8,
    PASSAGE_MAX = 1400,
    STATEMENT_SHOWN = 300,
    LOG_SHOWN = 6000,
    QUERY_MAX = 400,
    NOTE_TITLE_MAX = 100,
    NOTE_BODY_MAX = 2000,
};

struct answer {
    struct desk *d;
    struct talk *t;
    const struct json *args;
    struct buf *out;
    bool *finished;
};
typedef int tool_fn(const struct answer *x, struct err *err);

/* ---- looking things up ---- */

/* The words of a query, cleaned; NULL: none. */
static char *
query_in(struct arena *a, const struct answer *x)
{
    struct buf b = {0};
    const char *q = json_get_str(x->args, "query");
    char *words = NULL;
    if (q != NULL && q[0] != '\0') {
        text_clean(q, strlen(q), QUERY_MAX, false, &b);
        words = arena_strdup(a, buf_str(&b));
    } else {
        buf_puts(x->out, "error: query is missing\n");
    }
    buf_fini(&b);
    return words;
}

static int
insight_show(const struct answer *x, const struct insight *row, struct err *err)
{
    char ref[32];
    snprintf(ref, sizeof ref, "I%lld", (long long)row->id);
    buf_printf(x->out,
        "ref %s %s on %s: effect %+.3g +- %.2g %s, n %lld, %s, %s\n", ref,
        row->knob, row->family, row->effect, row->sd, row->metric,
        (long long)row->n, insight_verdict_name(row->verdict), row->date);
    text_quote(ref, row->statement, strlen(row->statement), STATEMENT_SHOWN,
        true, x->out);
    struct seen s = {.ref = ref,
        .kind = "insight",
        .source = row->reference,
        .title = row->source,
        .text = row->statement};
    return talk_seen_add(x->t, &s, err);
}

static int
search_insights(const struct answer *x, struct err *err)
{
    struct arena a = {0};
    struct insight *row = NULL;
    size_t n = 0;
    struct err why = {0};
    int rc = 0;
    struct insight_query q = {.text = query_in(&a, x),
        .before = json_get_str(x->d->brief, "before"),
        .max = ROWS_MAX};
    if (q.text == NULL)
        goto done;
    if (x->d->insights == NULL ||
        insight_list(x->d->insights, &q, &a, &row, &n, &why) != 0)
        n = 0;
    buf_printf(x->out, "found %zu\n", n);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = insight_show(x, &row[i], err);
done:
    arena_fini(&a);
    return rc;
}

static int
passage_show(const struct answer *x, const struct passage *p, struct err *err)
{
    char ref[32];
    struct buf title = {0};
    snprintf(ref, sizeof ref, "P%lld", (long long)p->id);
    text_clean(p->title, strlen(p->title), STATEMENT_SHOWN, false, &title);
    buf_printf(x->out, "ref %s paper %s, %s\n", ref, p->paper, p->date);
    text_quote(ref, buf_str(&title), title.len, STATEMENT_SHOWN, false, x->out);
    text_quote(ref, p->text, strlen(p->text), PASSAGE_MAX, false, x->out);
    struct seen s = {.ref = ref,
        .kind = "paper",
        .source = p->paper,
        .title = buf_str(&title),
        .text = p->text};
    int rc = talk_seen_add(x->t, &s, err);
    buf_fini(&title);
    return rc;
}

static int
search_papers(const struct answer *x, struct err *err)
{
    struct arena a = {0};
    struct passage *p = NULL;
    uint32_t n = 0;
    struct err why = {0};
    int rc = 0;
    const char *words = query_in(&a, x);
    if (words == NULL)
        goto done;
    if (x->d->corpus == NULL ||
        corpus_search(x->d->corpus, words, json_get_str(x->d->brief, "before"),
            ROWS_MAX / 2, &a, &p, &n, &why) != 0)
        n = 0;
    buf_printf(x->out, "found %u\n", n);
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = passage_show(x, &p[i], err);
done:
    arena_fini(&a);
    return rc;
}

static void
knob_show(const struct knob *k, struct buf *out)
{
    char text[VALUE_LEN * VALUES_MAX];
    static const char *const kinds[] = {
        "", "float", "int", "bool", "choice", "set", "list"};
    knob_format(k, k->deflt, text, sizeof text);
    buf_printf(out, "%s: %s", k->name, kinds[k->kind]);
    if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT)
        buf_printf(out, " in [%g, %g]%s", k->lo, k->hi, k->log ? " log" : "");
    for (uint32_t i = 0; i < k->n_values; i++)
        buf_printf(out, "%s%s", i > 0 ? " | " : " ", k->values[i]);
    buf_printf(out, "; now %s; is %s%s", text, concept_name(k->concept),
        k->n_when > 0 ? "; used by some configurations only" : "");
    if (k->doc[0] != '\0')
        buf_printf(out, "; %s", k->doc);
    buf_putc(out, '\n');
}

static int
read_knob_catalogue(const struct answer *x, struct err *err)
{
    (void)err;
    for (uint32_t k = 0; k < x->d->spec->n_knobs; k++)
        knob_show(&x->d->spec->knob[k], x->out);
    if (x->d->spec->n_candidates > 0)
        buf_printf(x->out, "only %u declared configurations are valid\n",
            x->d->spec->n_candidates);
    return 0;
}

static int
read_baseline_profile(const struct answer *x, struct err *err)
{
    struct buf b = {0};
    (void)err;
    static const char *const parts[] = {"metrics", "baseline", "results"};
    for (size_t i = 0; i < 3; i++) {
        const struct json *j = json_get(x->d->brief, parts[i]);
        if (j == NULL)
            continue;
        buf_printf(&b, "%s: ", parts[i]);
        json_dump(j, &b);
        buf_putc(&b, '\n');
    }
    text_quote("profile", buf_str(&b), b.len, TALK_TEXT_MAX / 2, true, x->out);
    buf_fini(&b);
    return 0;
}

static int
read_log(const struct answer *x, struct err *err)
{
    const struct json *logs = json_get(x->d->brief, "logs");
    const char *trial = json_get_str(x->args, "trial");
    (void)err;
    for (size_t i = 0; i < json_len(logs); i++) {
        const struct json *l = json_at(logs, i);
        const char *id = json_get_str(l, "trial");
        const char *text = json_get_str(l, "text");
        if (trial == NULL || id == NULL || text == NULL ||
            strcmp(id, trial) != 0)
            continue;
        text_quote(id, text, strlen(text), LOG_SHOWN, true, x->out);
        return 0;
    }
    buf_puts(x->out, "error: no log of that trial is at hand; there are:");
    for (size_t i = 0; i < json_len(logs); i++)
        if (json_get_str(json_at(logs, i), "trial") != NULL)
            buf_printf(x->out, " %s", json_get_str(json_at(logs, i), "trial"));
    buf_puts(x->out, json_len(logs) == 0 ? " none\n" : "\n");
    return 0;
}

/* ---- saying ---- */

static int
propose_hypothesis(const struct answer *x, struct err *err)
{
    return proposal_judge(x->d, x->t, x->args, x->out, err);
}

static int
note_keep(const struct answer *x, struct err *err)
{
    struct buf title = {0}, body = {0}, plain = {0};
    const char *t = json_get_str(x->args, "title");
    const char *b = json_get_str(x->args, "text");
    char origin[48];
    int rc = 0;
    if (t == NULL || b == NULL || t[0] == '\0' || b[0] == '\0') {
        buf_puts(x->out, "error: a note has a title and a text\n");
        return 0;
    }
    model_redact(b, strlen(b), &plain);
    text_clean(t, strlen(t), NOTE_TITLE_MAX, false, &title);
    text_clean(buf_str(&plain), plain.len, NOTE_BODY_MAX, true, &body);
    snprintf(origin, sizeof origin, "talk %lld step %u", (long long)x->t->id,
        x->t->n_steps);
    struct note n = {.origin = origin,
        .kind = "note",
        .place = x->d->spec->model,
        .title = buf_str(&title),
        .words = "",
        .body = buf_str(&body),
        .date = json_get_str(x->d->brief, "date")};
    if (x->t->db != NULL)
        rc = note_put(x->t->db, &n, NULL, err);
    buf_puts(x->out, "noted\n");
    buf_fini(&title);
    buf_fini(&body);
    buf_fini(&plain);
    return rc;
}

static int
finish(const struct answer *x, struct err *err)
{
    (void)err;
    *x->finished = true;
    buf_puts(x->out, "done\n");
    return 0;
}

/* ---- the table ---- */

#define QUERY_SCHEMA                                                           \
    "{\"type\":\"object\",\"additionalProperties\":false,"                     \
    "\"required\":[\"query\"],\"properties\":{"                                \
    "\"query\":{\"type\":\"string\"}}}"
#define NOTHING_SCHEMA                                                         \
    "{\"type\":\"object\",\"additionalProperties\":false,"                     \
    "\"required\":[],\"properties\":{}}"
#define TRIAL_SCHEMA                                                           \
    "{\"type\":\"object\",\"additionalProperties\":false,"                     \
    "\"required\":[\"trial\"],\"properties\":{"                                \
    "\"trial\":{\"type\":\"string\"}}}"
#define NOTE_SCHEMA                                                            \
    "{\"type\":\"object\",\"additionalProperties\":false,"                     \
    "\"required\":[\"title\",\"text\"],\"properties\":{"                       \
    "\"title\":{\"type\":\"string\"},\"text\":{\"type\":\"string\"}}}"

#define TOOL_LIST(X)                                                           \
    X(search_insights, search_insights, QUERY_SCHEMA,                          \
        "what earlier campaigns and public benchmarks measured, failures "     \
        "too; rows I1, I2, ...")                                               \
    X(search_papers, search_papers, QUERY_SCHEMA,                              \
        "passages of papers in the corpus; rows P1, P2, ...")                  \
    X(read_knob_catalogue, read_knob_catalogue, NOTHING_SCHEMA,                \
        "every knob that may be changed, its domain and its value now")        \
    X(read_baseline_profile, read_baseline_profile, NOTHING_SCHEMA,            \
        "metrics, noise and cost of the baseline, verdicts so far")            \
    X(read_log, read_log, TRIAL_SCHEMA,                                        \
        "the end of the output of a trial that failed")                        \
    X(propose_hypothesis, propose_hypothesis, proposal_schema,                 \
        "one change of declared knobs with its reason; evidence are rows "     \
        "that you were shown, each with a quote copied word for word")         \
    X(note, note_keep, NOTE_SCHEMA,                                            \
        "keep a short note for later conversations about this project")        \
    X(finish, finish, NOTHING_SCHEMA, "you have proposed what you wanted to")

enum {
#define X(name, fn, schema, doc) TOOL_##name,
    TOOL_LIST(X)
#undef X
        TOOL_COUNT
};

static tool_fn *const functions[TOOL_COUNT] = {
#define X(name, fn, schema, doc) fn,
    TOOL_LIST(X)
#undef X
};

static const struct model_tool *
table(void)
{
    static const struct model_tool tools[TOOL_COUNT] = {
#define X(name, fn, schema, doc) {#name, doc, schema},
        TOOL_LIST(X)
#undef X
    };
    return tools;
}

const struct model_tool *
tools_list(uint32_t *n)
{
    *n = TOOL_COUNT;
    return table();
}

int
tool_answer(struct desk *d, struct talk *t, const struct model_call *call,
    struct buf *out, bool *finished, struct err *err)
{
    struct err why = {0};
    const struct model_tool *tools = table();
    struct json *args = json_parse(call->args, strlen(call->args), &why);
    struct answer x = {d, t, args, out, finished};
    int rc = 0;
    uint32_t i = 0;
    while (i < TOOL_COUNT && strcmp(tools[i].name, call->name) != 0)
        i++;
    if (i == TOOL_COUNT) {
        buf_puts(out, "error: there is no such tool; there are:");
        for (uint32_t k = 0; k < TOOL_COUNT; k++)
            buf_printf(out, " %s", tools[k].name);
        buf_putc(out, '\n');
    } else if (json_kind(args) != J_OBJ) {
        buf_printf(out, "error: the arguments of %s are no JSON object\n",
            tools[i].name);
    } else {
        rc = functions[i](&x, err);
    }
    json_free(args);
    return rc;
}
