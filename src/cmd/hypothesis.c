/* rea hypothesis add, drop, list, show; rea pin; rea try: the engineer's hand
 * in the ideas. On a draft every change gives the plan a new hash; on a signed
 * campaign it is a logged amendment inside declared domains. */
#include "cmd/draft.h"
#include "cmd/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "research/insight.h"

enum { PATCH_SD = 5 }; /* of min_gain: prior of a change that nobody knows */

/* Appends facts: with a new plan hash while the plan is not signed. */
int
facts_amend(struct call *call, struct store *st, uint32_t campaign,
    struct event *facts, size_t n, struct err *err)
{
    struct store_campaign c;
    struct wake_result result;
    int rc = store_campaign_get(st, campaign, &c, err);
    if (rc != 0)
        return rc;
    if (c.brief.state == CAMPAIGN_DRAFT)
        return draft_amend(call, st, campaign, facts, n, 0, err);
    return work_facts(call, st, campaign, facts, n, false, &result, err);
}

static void
amend_next(struct call *call, struct store *st, uint32_t campaign)
{
    struct core *c = NULL;
    struct err ignored = {0};
    if (store_load(st, campaign, &c, &ignored) != 0)
        return;
    if (c->state == CAMPAIGN_DRAFT)
        call_next(call, "rea approve %.12s", c->pending_hash);
    else if (c->state == CAMPAIGN_APPROVED)
        call_next(call, "rea run C%u", campaign);
    else
        call_next(call, "rea status C%u", campaign);
    free(c);
}

/* ---- add, try ---- */

static int
ideas_events(struct call *call, const struct spec *s, const char *insights,
    const char *const *words, uint32_t n_words, const char *statement,
    struct event **out, uint32_t *n, struct err *err)
{
    struct change *changes = NULL;
    struct insights *db = NULL;
    int rc = changes_read(call, s, words, n_words, &changes, n, err);
    if (rc == 0)
        rc = insight_open(&db, insights, INSIGHT_READ, err);
    if (rc != 0)
        return rc;
    *out = arena_alloc(call->arena, sizeof(**out) * (*n + 2));
    for (uint32_t i = 0; i < *n && rc == 0; i++) {
        rc = change_event(call, s, db, &changes[i], *n == 1 ? statement : NULL,
            call_opt(call, "why"), &(*out)[i], err);
        (*out)[i].seq = 0;
    }
    insight_close(db);
    return rc;
}

static int
idea_numbers(struct call *call, struct event *e, uint32_t n, struct err *err)
{
    const char *g = call_opt(call, "gain");
    double sd = 0;
    int rc = call_opt_num(call, "sd", &sd, err);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < n; i++) {
        if (g != NULL)
            e[i].mean = strtod(g, NULL);
        if (sd > 0)
            e[i].sd = sd;
    }
    return 0;
}

static void
ideas_say(struct call *call, const struct event *e, uint32_t n, uint32_t first,
    double min_gain)
{
    struct jw w;
    if (!call->json) {
        for (uint32_t i = 0; i < n; i++)
            say(call, "H%u  %s   predicted %s +- %s\n", first + i,
                e[i].statement, gain(call, e[i].mean, min_gain),
                gain(call, e[i].sd, min_gain) + 1);
        return;
    }
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "hypotheses");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < n; i++) {
        jw_obj_begin(&w);
        jw_key(&w, "id");
        jw_printf(&w, "H%u", first + i);
        jw_kstr(&w, "statement", e[i].statement);
        jw_kf64(&w, "mean", e[i].mean);
        jw_kf64(&w, "sd", e[i].sd);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

/* One idea that changes code, and perhaps knobs. */
static int
patch_event(struct call *call, struct store *st, const struct core *c,
    uint32_t campaign, struct event *e, struct err *err)
{
    struct project *p = NULL;
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    int rc = work_project(call, st, campaign, &p, err);
    if (rc == 0)
        rc = patch_add(
            call, p, c, store_root(st), call_opt(call, "patch"), e, err);
    if (rc != 0 || e->n_over > 0)
        return rc;
    /* no history knows this code: as wide as ideas come */
    e->kind = EVENT_hypothesis_added;
    e->source = SOURCE_ENGINEER;
    e->mean = 0;
    e->sd = PATCH_SD * min_gain;
    e->score = 1;
    e->by = work_user(call);
    e->rationale = call_opt(call, "why");
    e->statement = call->args[0];
    e->key = arena_printf(call->arena, "patch:%.12s", e->patch);
    return 0;
}

/* The database of the campaign's model, as it is now. */
static const char *
insights_of(struct call *call, struct store *st, uint32_t campaign)
{
    struct project *p = NULL;
    struct err ignored = {0};
    if (work_project(call, st, campaign, &p, &ignored) != 0)
        p = NULL;
    return work_insights_path(
        call, arena_strdup(call->arena, store_root(st)), p);
}

/* What is to be added: changes of knobs, of code, or of both together. */
static int
ideas_read(struct call *call, struct store *st, const struct core *c,
    uint32_t id, const char *const *words, uint32_t n_words,
    const char *statement, struct event **out, uint32_t *n, struct err *err)
{
    bool patch = call_opt(call, "patch") != NULL;
    if (n_words == 0 && !patch)
        return err_set(err, -ERR_INPUT,
            "an idea changes something: NAME=VALUE or --patch FILE.diff");
    if (n_words > 0) {
        int rc = ideas_events(call, &c->spec, insights_of(call, st, id), words,
            n_words, statement, out, n, err);
        if (rc != 0 || !patch)
            return rc;
    } else {
        *n = 1;
        *out = arena_alloc(call->arena, sizeof(**out) * 3);
        memset(*out, 0, sizeof **out);
    }
    if (*n > 1)
        return err_set(err, -ERR_INPUT,
            "a patch with %u changes of knobs: one idea at a time, please", *n);
    return patch_event(call, st, c, id, *out, err);
}

static int
ideas_add(struct call *call, const char *const *words, uint32_t n_words,
    const char *statement, struct err *err)
{
    struct store *st = NULL;
    struct core *c = NULL;
    struct event *e = NULL;
    uint32_t id = 0, n = 0;
    int rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = work_campaign(call, st, NULL, &id, err);
    if (rc == 0)
        rc = store_load(st, id, &c, err);
    if (rc == 0)
        rc =
            ideas_read(call, st, c, id, words, n_words, statement, &e, &n, err);
    if (rc == 0)
        rc = idea_numbers(call, e, n, err);
    if (rc == 0)
        rc = facts_amend(call, st, id, e, n, err);
    if (rc == 0) {
        ideas_say(call, e, n, c->n_hypotheses + 1,
            c->spec.metric[c->spec.primary].min_gain);
        amend_next(call, st, id);
    }
    free(c);
    store_close(st);
    return rc;
}

static int
hypothesis_add_run(struct call *call, struct err *err)
{
    return ideas_add(
        call, call->args + 1, call->n_args - 1, call->args[0], err);
}

static int
try_run(struct call *call, struct err *err)
{
    return ideas_add(call, call->args, call->n_args, NULL, err);
}

/* ---- drop, pin ---- */

static int
ideas_mark(struct call *call, uint32_t kind, const char *word, struct err *err)
{
    struct store *st = NULL;
    struct event facts[CMD_ARGS_MAX + 1];
    uint32_t campaign = 0;
    int rc = work_store(call, STORE_WRITE, &st, err);
    for (uint32_t i = 0; rc == 0 && i < call->n_args; i++) {
        struct report_id id;
        rc = work_part(call, st, call->args[i], &id, err);
        if (rc == 0 && id.kind != 'H')
            rc = err_set(err, -ERR_INPUT,
                "\"%s\": a hypothesis like H2 is meant", call->args[i]);
        if (rc == 0 && campaign != 0 && campaign != id.campaign)
            rc = err_set(err, -ERR_INPUT, "one campaign at a time, please");
        campaign = id.campaign;
        facts[i] = (struct event){.kind = kind,
            .hypothesis = id.number,
            .by = work_user(call),
            .why = call_opt(call, "why")};
    }
    if (rc == 0)
        rc = facts_amend(call, st, campaign, facts, call->n_args, err);
    if (rc == 0) {
        if (call->json)
            say(call, "{\"campaign\": \"C%u\", \"%s\": %u}\n", campaign, word,
                call->n_args);
        for (uint32_t i = 0; !call->json && i < call->n_args; i++)
            say(call, "C%u/H%u %s\n", campaign, facts[i].hypothesis, word);
        amend_next(call, st, campaign);
    }
    store_close(st);
    return rc;
}

static int
hypothesis_drop_run(struct call *call, struct err *err)
{
    return ideas_mark(call, EVENT_hypothesis_dropped, "dropped", err);
}

static int
pin_run(struct call *call, struct err *err)
{
    return ideas_mark(call, EVENT_hypothesis_pinned, "pinned", err);
}

/* ---- list, show ---- */

static void
idea_line(
    struct call *call, const struct core *c, const struct report *r, uint32_t i)
{
    const struct hypothesis *h = &c->hypothesis[i];
    double min_gain = c->spec.metric[c->spec.primary].min_gain;
    const char *state = h->dropped                   ? "dropped"
                        : h->verdict == VERDICT_NONE ? "open"
                                                     : verdict_name(h->verdict);
    const char *s = r->hypothesis[i].statement;
    say(call, "H%-3u %-8s %-12s %s [%s, %s]  %s%s\n", i + 1,
        source_name(h->source), state, gain(call, h->mean, min_gain),
        gain(call, h->lo, min_gain), gain(call, h->hi, min_gain),
        s != NULL ? s : "", h->pinned ? "  (pinned)" : "");
    if (h->patch == 0)
        return;
    const struct patch *p = &c->patch[h->patch - 1];
    say(call, "     patch %.12s, class %s, +%u -%u%s\n", p->sha256,
        r->hypothesis[i].class != NULL ? r->hypothesis[i].class : "?",
        r->hypothesis[i].added, r->hypothesis[i].removed,
        p->gated && !p->approved ? ", waits for rea approve --patch" : "");
}

static void
ideas_json(struct call *call, const struct core *c, const struct report *r)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "campaign");
    jw_printf(&w, "C%u", r->campaign);
    jw_key(&w, "hypotheses");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        jw_obj_begin(&w);
        jw_key(&w, "id");
        jw_printf(&w, "H%u", i + 1);
        jw_kstr(&w, "source", source_name(h->source));
        jw_kstr(&w, "statement", r->hypothesis[i].statement);
        jw_kstr(&w, "verdict",
            h->verdict == VERDICT_NONE ? "untested" : verdict_name(h->verdict));
        jw_kbool(&w, "dropped", h->dropped);
        jw_kbool(&w, "pinned", h->pinned);
        if (h->patch != 0)
            jw_kstr(&w, "patch", c->patch[h->patch - 1].sha256);
        jw_kf64(&w, "mean", h->mean);
        jw_kf64(&w, "lo", h->lo);
        jw_kf64(&w, "hi", h->hi);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
hypothesis_list_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    uint32_t id = 0;
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0)
        rc = work_campaign(
            call, st, call->n_args > 0 ? call->args[0] : NULL, &id, err);
    struct report *r = rc == 0 ? report_load(st, id, err) : NULL;
    if (r != NULL) {
        const struct core *c = r->core;
        if (call->json)
            ideas_json(call, c, r);
        for (uint32_t i = 0; !call->json && i < c->n_hypotheses; i++)
            idea_line(call, c, r, i);
        if (c->n_hypotheses == 0 && !call->json)
            say(call, "C%u has no hypotheses\n", id);
        if (c->state == CAMPAIGN_DRAFT)
            call_next(call, "rea approve %.12s", c->pending_hash);
        else
            call_next(call, "rea why C%u/H1", id);
        report_free(r);
    } else if (rc == 0)
        rc = err->code;
    store_close(st);
    return rc;
}

static const struct cmd_opt add_opts[] = {
    {"campaign", 'c', "C", "the campaign, where several are open"},
    {"why", 0, "TEXT", "the rationale, for the report"},
    {"patch", 0, "FILE", "a code change, as git diff prints it"},
    {"gain", 0, "X", "your own prediction of the gain, + is better"},
    {"sd", 0, "X", "how unsure you are of it"}, {0}};

const struct cmd cmd_hypothesis_add = {.name = "hypothesis add",
    .args = "STATEMENT [NAME=VALUE...]",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .flags = CMD_WRITES,
    .help = "your own idea, with the same statistics as the others",
    .more = "The prediction comes from history unless --gain and --sd give "
            "yours. Several values, NAME=A,B, make several hypotheses. A patch "
            "stays inside [patch] paths, applies to the base commit, builds "
            "and passes the smoke run, or is refused with the reason.",
    .example = "rea hypothesis add \"wider embeddings\" dim=16 --why \"ids are "
               "many\"",
    .opts = add_opts,
    .run = hypothesis_add_run};

static const struct cmd_opt try_opts[] = {
    {"campaign", 'c', "C", "the campaign, where several are open"},
    {"why", 0, "TEXT", "the rationale, for the report"},
    {"gain", 0, "X", "your own prediction of the gain, + is better"},
    {"sd", 0, "X", "how unsure you are of it"}, {0}};

const struct cmd cmd_try = {.name = "try",
    .args = "NAME=VALUE...",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .flags = CMD_WRITES,
    .help = "put a change of yours into the queue: lr=0.02,0.05",
    .more = "Inside the declared domains this is a logged amendment: no new "
            "approval is needed, and the budget stays what it is.",
    .example = "rea try lr=0.02,0.05 optimizer=adagrad",
    .opts = try_opts,
    .run = try_run};

static const struct cmd_opt mark_opts[] = {
    {"campaign", 'c', "C", "the campaign, where several are open"},
    {"why", 0, "TEXT", "the reason, for the log"}, {0}};

const struct cmd cmd_hypothesis_drop = {.name = "hypothesis drop",
    .args = "H...",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .flags = CMD_WRITES,
    .help = "take ideas out of the plan",
    .opts = mark_opts,
    .run = hypothesis_drop_run};

const struct cmd cmd_pin = {.name = "pin",
    .args = "H...",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .flags = CMD_WRITES,
    .help = "test these ideas first",
    .opts = mark_opts,
    .run = pin_run};

const struct cmd cmd_hypothesis_list = {.name = "hypothesis list",
    .args = "[C]",
    .max_args = 1,
    .help = "the ideas of a campaign with their verdicts",
    .run = hypothesis_list_run};
