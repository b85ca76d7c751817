/* rea research agent: a conversation with the language model about a campaign,
 * started by hand; what it said before; what would be sent. Its ideas enter
 * as an engineer's would: a draft gets a new hash, a signed campaign a logged
 * amendment inside declared domains. */
#include "cmd/agent.h"
#include "cmd/draft.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "report/load.h"

enum { PROPOSALS_MAX = 8 };

static int
model_needed(const struct project *p, struct err *err)
{
    if (p->model.on)
        return 0;
    return err_set(err, -ERR_INPUT,
        "%s names no language model\n"
        "  remedy: add a [model] section (docs/agent.md); rea research ask "
        "answers without one",
        p->file);
}

static int
agent_brief(struct call *call, struct store *st, const struct project *p,
    const struct report *r, struct brief *b, struct err *err)
{
    brief_begin(b, call, "hypotheses", p, r->campaign, NULL);
    brief_planned(b, &r->core->spec, NULL, 0, r);
    brief_history(b, r);
    int rc = brief_logs(b, st, r, 0, err);
    brief_limits(b, PROPOSALS_MAX, st, r->campaign, r->core);
    if (call_has(call, "again"))
        jw_ki64(&b->w, "again", wake_now_ms());
    brief_end(b);
    return rc;
}

/* Ideas that the engine would refuse now are left out, not fatal. */
static uint32_t
facts_sift(struct store *st, uint32_t campaign, struct event *facts, uint32_t n)
{
    struct err ignored = {0};
    struct core *c = NULL;
    struct update *u = mem_calloc(1, sizeof *u);
    uint32_t kept = 0;
    if (store_load(st, campaign, &c, &ignored) == 0)
        for (uint32_t i = 0; i < n; i++)
            if (core_step(c, &facts[i], u) == 0)
                facts[kept++] = facts[i];
    free(c);
    free(u);
    return kept;
}

static int
ideas_take(struct call *call, struct store *st, const struct report *r,
    const struct project *p, const struct agent_said *said, uint32_t *taken,
    struct err *err)
{
    struct event *ideas = NULL;
    struct insights *db = NULL;
    struct arena *a = call->arena;
    int64_t cost_u = 0, charged_u = 0;
    uint32_t n = 0, first = 0;
    const char *path =
        work_insights_path(call, arena_strdup(a, store_root(st)), p);
    int rc = insight_open(&db, path, INSIGHT_READ, err);
    if (rc == 0)
        rc = agent_ideas(call, &r->core->spec, db, said, &ideas, &n, err);
    insight_close(db);
    if (rc == 0)
        rc = agent_charged(st, r->campaign, &cost_u, &charged_u, err);
    if (rc != 0)
        return rc;
    struct event *facts = arena_alloc(a, sizeof *facts * (n + 3));
    if (!agent_logged(st, r->campaign, said) &&
        agent_fact(call, said, "hypotheses", r->core, charged_u, &facts[0]))
        first = 1;
    if (n > 0)
        memcpy(facts + first, ideas, sizeof *facts * n);
    *taken = facts_sift(st, r->campaign, facts, n + first);
    if (*taken == 0)
        return 0;
    rc = facts_amend(call, st, r->campaign, facts, *taken, err);
    *taken -= first;
    for (uint32_t i = 0; rc == 0 && i < *taken && !call->json; i++)
        say(call, "H%u  %s\n", r->core->n_hypotheses + 1 + i,
            facts[first + i].statement);
    return rc;
}

static int
agent_explain(
    struct call *call, const char *root, struct brief *b, struct err *err)
{
    struct buf text = {0};
    int rc = agent_would_send(call, root, b, &text, err);
    say(call, "%s", buf_str(&text));
    buf_fini(&text);
    return rc;
}

static int
agent_talk(struct call *call, struct store *st, uint32_t id, struct err *err)
{
    struct project *p = NULL;
    struct brief b = {0};
    struct agent_said said = {0};
    uint32_t taken = 0;
    int rc = work_project(call, st, id, &p, err);
    if (rc == 0)
        rc = model_needed(p, err);
    if (rc != 0)
        return rc;
    struct report *r = report_load(st, id, err);
    if (r == NULL)
        return err->code;
    const char *root = arena_strdup(call->arena, store_root(st));
    bool over = r->core->state > CAMPAIGN_HALTED;
    rc = agent_brief(call, st, p, r, &b, err);
    if (rc == 0 && call_has(call, "explain-egress")) {
        rc = agent_explain(call, root, &b, err);
    } else if (rc == 0 && over) {
        rc = err_set(err, -ERR_INPUT,
            "C%u is over\n  remedy: rea plan asks the model for the next one",
            id);
    } else if (rc == 0) {
        agent_ask_model(call, root, &b, &said);
        rc = ideas_take(call, st, r, p, &said, &taken, err);
        agent_say(call, &said);
        if (rc == 0 && call->json)
            say(call, "{\"campaign\": \"C%u\", \"added\": %u}\n", id, taken);
        if (r->core->state == CAMPAIGN_DRAFT && taken > 0)
            call_next(call, "rea plan edit    rea hypothesis list C%u", id);
        else
            call_next(call, "rea research agent --show");
    }
    brief_fini(&b);
    report_free(r);
    return rc;
}

static int
research_agent_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    uint32_t id = 0;
    const char *root = NULL;
    if (call_has(call, "show")) {
        struct buf text = {0};
        int rc = work_root(call, &root, err);
        if (rc == 0)
            rc = agent_show(call, root, call->n_args > 0 ? call->args[0] : NULL,
                &text, err);
        say(call, "%s", buf_str(&text));
        buf_fini(&text);
        return rc;
    }
    int rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = work_campaign(
            call, st, call->n_args > 0 ? call->args[0] : NULL, &id, err);
    if (rc == 0)
        rc = agent_talk(call, st, id, err);
    store_close(st);
    return rc;
}

static const struct cmd_opt agent_opts[] = {
    {"show", 0, NULL, "a conversation step by step: the last, or number N"},
    {"explain-egress", 0, NULL, "what would be sent, and where; sends nothing"},
    {"again", 0, NULL, "a new conversation, though one was held on this"}, {0}};

const struct cmd cmd_research_agent = {.name = "research agent",
    .args = "[C|N]",
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "ask the language model of [model] for ideas",
    .more = "The model looks things up with tools and proposes changes of "
            "declared knobs; only values inside their domains, with evidence "
            "that stands in the databases, become ideas. It can approve and "
            "spend nothing. The same question again costs nothing.",
    .example = "rea research agent C1 --explain-egress",
    .opts = agent_opts,
    .run = research_agent_run};
