/* rea pause, resume, stop, budget: steering a campaign that was signed. Each
 * is one fact in its log. */
#include "cmd/draft.h"
#include "cmd/follow.h"
#include "cmd/verbs.h"

#include <math.h>
#include <stdlib.h>

static int
steer_say(struct call *call, struct store *st, uint32_t id, struct err *err)
{
    struct store_campaign c;
    struct status_entry e;
    struct text_style style = work_style(call);
    int rc = store_campaign_get(st, id, &c, err);
    if (rc != 0)
        return rc;
    status_of(&c, &e);
    if (call->json)
        status_json(&e, 1, &call->out);
    else
        status_text(&e, 1, &style, &call->out);
    return 0;
}

static int
steer_fact(struct call *call, struct event *fact, struct err *err)
{
    struct store *st = NULL;
    struct wake_result result;
    uint32_t id = 0;
    int rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = work_campaign(
            call, st, call->n_args > 0 ? call->args[0] : NULL, &id, err);
    fact->by = work_user(call);
    fact->why = call_opt(call, "why");
    if (rc == 0)
        rc = work_facts(call, st, id, fact, 1, false, &result, err);
    if (rc == 0)
        rc = steer_say(call, st, id, err);
    store_close(st);
    return rc;
}

static int
pause_run(struct call *call, struct err *err)
{
    struct event fact = {.kind = EVENT_campaign_paused};
    return steer_fact(call, &fact, err);
}

static int
resume_run(struct call *call, struct err *err)
{
    struct event fact = {.kind = EVENT_campaign_resumed};
    return steer_fact(call, &fact, err);
}

static int
stop_run(struct call *call, struct err *err)
{
    struct event fact = {.kind = EVENT_campaign_stopped};
    return steer_fact(call, &fact, err);
}

/* ---- budget ---- */

static int
budget_set(struct call *call, struct store *st, uint32_t id,
    const struct core *c, double units, struct err *err)
{
    int64_t want = (int64_t)llround(units * MICRO);
    struct event fact[2] = {{.kind = EVENT_budget_lowered,
        .budget_u = want,
        .by = work_user(call)}};
    struct wake_result result;
    int64_t now_u = c->signed_u != 0 ? c->signed_u : c->approved_u;
    if (want == now_u)
        return err_set(err, -ERR_INPUT, "C%u has %s %s already", id,
            amount(call, want), unit_name(c->spec.unit));
    if (want < now_u)
        return work_facts(call, st, id, fact, 1, false, &result, err);
    /* More money is a new plan: the same work, a new hash, a new signature. */
    int rc = draft_amend(call, st, id, fact, 0, want, err);
    struct core *now = NULL;
    if (rc == 0)
        rc = store_load(st, id, &now, err);
    if (rc != 0)
        return rc;
    if (!call->json)
        say(call, "a raise to %s %s needs a signature\n", amount(call, want),
            unit_name(c->spec.unit));
    call_next(call, "rea approve %.12s", now->pending_hash);
    free(now);
    return 0;
}

static int
budget_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct core *c = NULL;
    uint32_t id = 0;
    const char *last = call->n_args > 0 ? call->args[call->n_args - 1] : NULL;
    char *end = NULL;
    double units = last != NULL ? strtod(last, &end) : 0;
    bool set = last != NULL && end != last && *end == '\0';
    if (set && !(units > 0 && units < 1e9))
        return err_set(
            err, -ERR_INPUT, "a budget of %s: more than 0 is meant", last);
    const char *name = call->n_args > (set ? 1U : 0U) ? call->args[0] : NULL;
    int rc = work_store(call, set ? STORE_WRITE : STORE_READ, &st, err);
    if (rc == 0)
        rc = work_campaign(call, st, name, &id, err);
    if (rc == 0)
        rc = store_load(st, id, &c, err);
    if (rc == 0 && set && c->approved_u == 0)
        rc = err_set(err, -ERR_INPUT,
            "C%u is a draft: its budget is part of the plan\n"
            "  remedy: rea plan --budget %g",
            id, units);
    else if (rc == 0 && set)
        rc = budget_set(call, st, id, c, units, err);
    if (rc == 0)
        rc = steer_say(call, st, id, err);
    free(c);
    store_close(st);
    return rc;
}

static const struct cmd_opt why_opts[] = {
    {"why", 0, "TEXT", "the reason, for the log"}, {0}};

const struct cmd cmd_pause = {.name = "pause",
    .args = "[C]",
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "no new jobs; running ones end and are used",
    .opts = why_opts,
    .run = pause_run};

const struct cmd cmd_resume = {.name = "resume",
    .args = "[C]",
    .max_args = 1,
    .flags = CMD_WRITES | CMD_HUMAN,
    .help = "go on after a pause or a gate",
    .opts = why_opts,
    .run = resume_run};

const struct cmd cmd_stop = {.name = "stop",
    .args = "[C]",
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "end a campaign: jobs are cancelled and settled",
    .opts = why_opts,
    .run = stop_run};

const struct cmd cmd_budget = {.name = "budget",
    .args = "[C] [N]",
    .max_args = 2,
    .flags = CMD_WRITES,
    .help = "show, lower, or draft a raise that needs approval",
    .example = "rea budget C1 1.5",
    .run = budget_run};
