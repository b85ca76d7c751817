/* rea-agent: one conversation with the model of a project's [model]. rea
 * starts it with a brief and reads the result; people start it to look at what
 * was said. Nothing here writes outside .rea/.
 *
 *   rea-agent talk --root DIR --file rea.toml --brief FILE --out FILE
 *   rea-agent resume --root DIR            what waits for its provider
 *   rea-agent show --root DIR [N]
 *   rea-agent explain --root DIR --file rea.toml --brief FILE */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/guard.h"
#include "agent/notes.h"
#include "base/fs.h"
#include "project/project.h"

enum {
    BRIEF_BYTES_MAX = 4 << 20,
    NOTES_BYTES = 3000,
    PROPOSALS_DEFAULT = 8,
    MODEL_NAME_LEN = 200,
};

struct args {
    const char *verb, *root, *file, *brief, *out, *number;
};

struct session {
    struct arena arena;
    struct args args;
    struct project *project;
    struct json *brief;
    struct model *model;
    struct talk_db *db;
    struct insights *insights;
    struct corpus *corpus;
    struct agent agent;
};

/* ---- the model behind the loop's ops ---- */

static int
ask(void *ctx, const struct model_request *q, struct arena *a,
    struct agent_answer *out, struct err *err)
{
    struct session *s = ctx;
    int rc = model_ask(s->model, q, a, &out->reply, err);
    if (rc == 0 && out->reply.status == MODEL_UNREACHABLE)
        out->later_ms = out->reply.later_ms;
    if (rc == 0 && out->reply.warning != NULL)
        fprintf(stderr, "rea-agent: %s\n", out->reply.warning);
    return rc;
}

/* ---- opening ---- */

static const char *
state_path(struct session *s, const char *name)
{
    return fs_join_in(
        &s->arena, fs_join_in(&s->arena, s->args.root, ".rea"), name);
}

static int
project_open(struct session *s, struct err *err)
{
    int rc =
        project_load(&s->arena, s->args.root, s->args.file, &s->project, err);
    if (rc != 0)
        return rc;
    const char *given = s->project->insights;
    const char *path = given != NULL && given[0] != '\0'
                           ? fs_join_in(&s->arena, s->args.root, given)
                           : state_path(s, "insights.db");
    struct err why = {0};
    /* without a database there is nothing to look up: that is no failure */
    if (json_get_bool(s->brief, "insights", true))
        rc = insight_open(&s->insights, path, INSIGHT_READ, &why);
    if (rc == 0)
        rc = corpus_open(&s->corpus, state_path(s, "papers.db"), false, &why);
    if (rc != 0)
        fprintf(stderr, "rea-agent: %s\n", why.text);
    return 0;
}

/* Where the campaign's budget is money the model gets no more than is left of
 * it: the client holds each request's worst price to that. */
static int
money_hold(struct session *s, struct err *err)
{
    struct project_model *m = &s->project->model;
    double room = json_get_num(json_get(s->brief, "limits"), "room_usd", NAN);
    struct model_spent spent = {0};
    if (!m->on || !isfinite(room))
        return 0;
    int rc = model_spent(s->model, &spent, err);
    double most = (isfinite(spent.usd) ? spent.usd : 0) + fmax(room, 1e-9);
    if (rc == 0 && (m->budget_usd <= 0 || most < m->budget_usd))
        m->budget_usd = most;
    return rc;
}

/* What the engineer signed, as the brief says it, bounds what the file says. */
static void
budgets_hold(struct session *s)
{
    struct project_model *m = &s->project->model;
    const struct json *limits = json_get(s->brief, "limits");
    int64_t tokens = json_get_i64(limits, "tokens", 0);
    double usd = json_get_num(limits, "usd", 0);
    if (json_get_bool(limits, "off", false))
        m->on = false;
    if (tokens > 0 && (m->budget_tokens <= 0 || tokens < m->budget_tokens))
        m->budget_tokens = tokens;
    if (usd > 0 && (m->budget_usd <= 0 || usd < m->budget_usd))
        m->budget_usd = usd;
}

static int
model_start(struct session *s, struct err *err)
{
    budgets_hold(s);
    int64_t n = json_get_i64(s->brief, "campaign", 0);
    const char *scope =
        n > 0 ? arena_printf(&s->arena, "C%lld", (long long)n) : NULL;
    int rc =
        model_open(&s->project->model, s->args.root, scope, &s->model, err);
    return rc == 0 ? money_hold(s, err) : rc;
}

static uint32_t
kind_of(const struct json *brief)
{
    const char *kind = json_get_str(brief, "kind");
    if (kind != NULL && strcmp(kind, "diagnosis") == 0)
        return TALK_DIAGNOSIS;
    if (kind != NULL && strcmp(kind, "summary") == 0)
        return TALK_SUMMARY;
    return TALK_HYPOTHESES;
}

/* What the conversation is about: everything of the brief but the day and the
 * limits. The same question later goes on with the same conversation. */
static const char *
key_in(struct session *s, const char *model)
{
    struct buf b = {0};
    char hex[FS_HASH_HEX];
    const char *name;
    const struct json *v;
    buf_puts(&b, model);
    for (size_t i = 0; (v = json_member(s->brief, i, &name)) != NULL; i++) {
        if (strcmp(name, "date") == 0 || strcmp(name, "limits") == 0)
            continue;
        buf_printf(&b, "|%s:", name);
        json_dump(v, &b);
    }
    fs_hash_bytes(buf_str(&b), b.len, hex);
    buf_fini(&b);
    return arena_strdup(&s->arena, hex);
}

/* Words that earlier notes are compared with. */
static void
topic_put(const struct session *s, struct buf *out)
{
    static const char *const parts[] = {"failure", "planned", "results"};
    for (size_t i = 0; i < 3; i++)
        json_dump(json_get(s->brief, parts[i]), out);
    for (uint32_t k = 0; k < s->project->spec.n_knobs; k++)
        buf_printf(out, " %s", s->project->spec.knob[k].name);
}

static int
talk_start(struct session *s, struct err *err)
{
    struct buf topic = {0}, notes = {0}, brief = {0};
    const char *project = s->project->spec.model;
    const char *model = s->project->model.model;
    model = model != NULL && model[0] != '\0' ? model : "local model";
    int rc = talk_db_open(&s->db, state_path(s, "agent.db"), true, err);
    if (rc == 0)
        rc = notes_from_brief(s->db, s->brief, project, err);
    topic_put(s, &topic);
    if (rc == 0 && json_get_bool(s->brief, "insights", true))
        rc = notes_choose(
            s->db, project, buf_str(&topic), NOTES_BYTES, &notes, err);
    json_dump(s->brief, &brief);
    if (rc == 0)
        rc = talk_load(s->db, &s->arena, key_in(s, model), kind_of(s->brief),
            model, buf_str(&brief), buf_str(&notes), &s->agent.talk, err);
    buf_fini(&topic);
    buf_fini(&notes);
    buf_fini(&brief);
    return rc;
}

static void
agent_start(struct session *s)
{
    const struct json *limits = json_get(s->brief, "limits");
    struct agent *g = &s->agent;
    g->arena = &s->arena;
    g->limits = agent_limits_default;
    int64_t reply = s->project->model.max_tokens;
    if (reply > 0 && reply < g->limits.reply_tokens)
        g->limits.reply_tokens = (uint32_t)reply;
    g->limits.tokens = json_get_i64(limits, "tokens", g->limits.tokens);
    g->limits.usd = json_get_num(limits, "usd", 0);
    g->limits.context_tokens = (uint32_t)json_get_i64(
        limits, "context_tokens", g->limits.context_tokens);
    g->ops = (struct agent_ops){.ctx = s, .ask = ask};
    int64_t most = json_get_i64(limits, "proposals", PROPOSALS_DEFAULT);
    g->desk = (struct desk){.spec = &s->project->spec,
        .insights = s->insights,
        .corpus = s->corpus,
        .brief = s->brief,
        .proposals_max = most < 0 ? 0 : (uint32_t)most};
}

static void
session_close(struct session *s)
{
    talk_db_close(s->db);
    model_close(s->model);
    insight_close(s->insights);
    corpus_close(s->corpus);
    json_free(s->brief);
    arena_fini(&s->arena);
}

/* ---- talk, resume ---- */

/* The time at which rea sweep shall come again, as a file that it can look at
 * without opening a database; gone when nothing waits. */
static int
wake_note(struct session *s, struct err *err)
{
    int64_t at = 0;
    int64_t id = talk_waiting(s->db, &at);
    const char *path = state_path(s, "agent.wake");
    if (id == 0)
        return fs_remove(path, err);
    const char *text = arena_printf(&s->arena, "%lld\n", (long long)at);
    return fs_write_atomic(path, text, strlen(text), true, err);
}

static void
spent_put(struct session *s, struct jw *w)
{
    struct model_spent spent = {0};
    struct err ignored = {0};
    if (model_spent(s->model, &spent, &ignored) != 0)
        return;
    jw_kf64(w, "scope_usd", spent.usd);
    jw_ki64(w, "scope_tokens", spent.tokens);
}

/* The loop's result with what the whole scope has spent. */
static int
result_write(struct session *s, const char *path, struct err *err)
{
    struct buf b = {0}, more = {0};
    struct jw w;
    agent_result(s->agent.talk, &b);
    jw_init(&w, &more, 0);
    jw_obj_begin(&w);
    spent_put(s, &w);
    jw_key(&w, "talk");
    jw_raw(&w, buf_str(&b));
    jw_obj_end(&w);
    int rc = path != NULL
                 ? fs_write_atomic(path, buf_str(&more), more.len, false, err)
                 : 0;
    if (path == NULL)
        printf("%s\n", buf_str(&more));
    buf_fini(&b);
    buf_fini(&more);
    return rc;
}

static int
run_on(struct session *s, struct err *err)
{
    agent_start(s);
    int rc = agent_run(&s->agent, err);
    if (rc == 0)
        rc = notes_write(s->db, state_path(s, "notes"), err);
    if (rc == 0)
        rc = wake_note(s, err);
    return rc;
}

static int
talk_verb(struct session *s, struct err *err)
{
    s->brief = json_read(s->args.brief, BRIEF_BYTES_MAX, err);
    int rc = s->brief == NULL ? err->code : project_open(s, err);
    if (rc == 0)
        rc = model_start(s, err);
    if (rc == 0)
        rc = talk_start(s, err);
    if (rc == 0) {
        /* the stored brief is what the conversation began with */
        json_free(s->brief);
        const char *text = s->agent.talk->brief;
        s->brief = json_parse(text, strlen(text), err);
        rc = s->brief == NULL ? err->code : run_on(s, err);
    }
    return rc == 0 ? result_write(s, s->args.out, err) : rc;
}

static int
resume_verb(struct session *s, struct err *err)
{
    int64_t at = 0;
    int rc = talk_db_open(&s->db, state_path(s, "agent.db"), true, err);
    int64_t id = rc == 0 ? talk_waiting(s->db, &at) : 0;
    if (rc != 0 || id == 0)
        return rc;
    rc = talk_find(s->db, &s->arena, id, &s->agent.talk, err);
    if (rc != 0)
        return rc;
    const char *text = s->agent.talk->brief;
    s->brief = json_parse(text, strlen(text), err);
    if (s->brief == NULL)
        return err->code;
    s->args.file = json_get_str(s->brief, "file");
    rc = project_open(s, err);
    if (rc == 0)
        rc = model_start(s, err);
    if (rc == 0)
        rc = run_on(s, err);
    return rc == 0 ? result_write(s, NULL, err) : rc;
}

/* ---- looking ---- */

static void
step_show(const struct talk *t, uint32_t i, struct buf *out)
{
    static const char *const roles[] = {"system", "rea", "model", "tool"};
    static const char *const rounds[] = {
        "gather", "direct", "reflect", "closed"};
    const struct step *s = &t->step[i];
    bool folded =
        s->section < t->n_sections && t->section[s->section].summary != NULL;
    buf_printf(out, "%3u %-7s %s%s%s%s\n", i + 1, rounds[s->round & 3],
        roles[s->role & 3], s->name[0] != '\0' ? " " : "", s->name,
        folded ? "  (folded)" : "");
    text_clean(s->text, strlen(s->text), 600, true, out);
    buf_puts(out, s->text[0] != '\0' ? "\n" : "");
    for (uint32_t k = 0; k < s->n_calls; k++) {
        buf_puts(out, "    calls ");
        text_clean(s->call[k].name, strlen(s->call[k].name), 40, false, out);
        buf_putc(out, ' ');
        text_clean(s->call[k].args, strlen(s->call[k].args), 300, false, out);
        buf_putc(out, '\n');
    }
}

static int
show_verb(struct session *s, struct err *err)
{
    static const char *const states[] = {"open", "later", "done", "stopped"};
    struct buf b = {0};
    struct talk *t = NULL;
    int64_t id = s->args.number != NULL ? strtoll(s->args.number, NULL, 10) : 0;
    int rc = talk_db_open(&s->db, state_path(s, "agent.db"), false, err);
    if (rc == 0)
        rc = talk_find(s->db, &s->arena, id, &t, err);
    if (rc != 0)
        return rc;
    buf_printf(&b, "conversation %lld with %s: %s%s%s\n", (long long)t->id,
        t->model, states[t->state & 3], t->why[0] != '\0' ? ", " : "", t->why);
    for (uint32_t i = 0; i < t->n_steps; i++)
        step_show(t, i, &b);
    for (uint32_t i = 0; i < t->n_proposals; i++)
        buf_printf(&b, "Q%u %s %s%s%s\n", i + 1,
            t->proposal[i].state == PROPOSAL_KEPT ? "kept" : "dropped",
            t->proposal[i].key, t->proposal[i].why[0] != '\0' ? ": " : "",
            t->proposal[i].why);
    buf_printf(&b, "%u replies, %lld tokens in, %lld out, %.4f usd%s\n",
        t->asked, (long long)t->tokens_in, (long long)t->tokens_out, t->usd,
        t->price_known ? "" : " and replies without a price");
    fputs(buf_str(&b), stdout);
    buf_fini(&b);
    return 0;
}

/* The conversation as it stands, or as it would begin, in memory alone. */
static int
talk_peek(struct session *s, struct err *err)
{
    struct buf notes = {0}, topic = {0}, brief = {0};
    const char *model = s->project->model.model;
    const char *key =
        key_in(s, model != NULL && model[0] != '\0' ? model : "local model");
    struct talk *t = arena_alloc(&s->arena, sizeof *t);
    struct err ignored = {0};
    int rc = 0;
    topic_put(s, &topic);
    json_dump(s->brief, &brief);
    bool there =
        talk_db_open(&s->db, state_path(s, "agent.db"), false, &ignored) == 0;
    if (there && talk_known(s->db, key))
        rc = talk_load(s->db, &s->arena, key, 0, "", "", "", &t, err);
    else if (there)
        rc = notes_choose(s->db, s->project->spec.model, buf_str(&topic),
            NOTES_BYTES, &notes, err);
    if (t->key == NULL)
        *t = (struct talk){.arena = &s->arena,
            .key = key,
            .kind = kind_of(s->brief),
            .brief = arena_strdup(&s->arena, buf_str(&brief)),
            .notes = arena_strdup(&s->arena, buf_str(&notes))};
    t->db = NULL;
    s->agent.talk = t;
    buf_fini(&notes);
    buf_fini(&topic);
    buf_fini(&brief);
    return rc;
}

/* What would be sent next, whole; nothing is, and nothing is written. */
static int
explain_verb(struct session *s, struct err *err)
{
    struct model_request q;
    struct buf b = {0};
    s->brief = json_read(s->args.brief, BRIEF_BYTES_MAX, err);
    int rc = s->brief == NULL ? err->code : project_open(s, err);
    if (rc == 0)
        rc = model_start(s, err);
    if (rc == 0)
        rc = talk_peek(s, err);
    if (rc != 0)
        return rc;
    agent_start(s);
    if (agent_next(&s->agent, &q, err))
        rc = model_explain(s->model, &q, &b, err);
    else
        buf_puts(&b, "nothing: this conversation is over (--again begins a "
                     "new one)\n");
    if (rc == 0)
        fputs(buf_str(&b), stdout);
    buf_fini(&b);
    return rc;
}

/* ---- arguments ---- */

static int
args_read(int argc, char **argv, struct args *out, struct err *err)
{
    const struct {
        const char *name;
        const char **value;
    } known[] = {{"--root", &out->root}, {"--file", &out->file},
        {"--brief", &out->brief}, {"--out", &out->out}};
    out->verb = argc > 1 ? argv[1] : "";
    for (int i = 2; i < argc; i++) {
        size_t k = 0;
        while (k < 4 && strcmp(argv[i], known[k].name) != 0)
            k++;
        if (k < 4 && i + 1 < argc)
            *known[k].value = argv[++i];
        else if (argv[i][0] != '-')
            out->number = argv[i];
        else
            return err_set(err, -ERR_INPUT,
                "%s is not understood\n  remedy: rea research agent starts "
                "this program as it wants to be",
                argv[i]);
    }
    if (out->root == NULL)
        return err_set(err, -ERR_INPUT,
            "--root DIR is missing\n  remedy: rea research agent");
    return 0;
}

static int
verb_run(struct session *s, struct err *err)
{
    const char *verb = s->args.verb;
    bool asks = strcmp(verb, "talk") == 0 || strcmp(verb, "explain") == 0;
    if (asks && (s->args.file == NULL || s->args.brief == NULL))
        return err_set(err, -ERR_INPUT, "%s needs --file and --brief", verb);
    if (strcmp(verb, "talk") == 0)
        return talk_verb(s, err);
    if (strcmp(verb, "explain") == 0)
        return explain_verb(s, err);
    if (strcmp(verb, "resume") == 0)
        return resume_verb(s, err);
    if (strcmp(verb, "show") == 0)
        return show_verb(s, err);
    return err_set(err, -ERR_INPUT,
        "\"%s\": talk, resume, show or explain is meant\n"
        "  remedy: rea research agent",
        verb);
}

int
main(int argc, char **argv)
{
    struct session *s = mem_calloc(1, sizeof *s);
    struct err err = {0};
    int rc = args_read(argc, argv, &s->args, &err);
    if (rc == 0)
        rc = verb_run(s, &err);
    if (rc != 0)
        fprintf(stderr, "rea-agent: %s\n", err.text);
    session_close(s);
    free(s);
    return err_exit(rc);
}
