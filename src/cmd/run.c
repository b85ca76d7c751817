/* rea run, wake, sweep: starting and continuing campaigns. run exits once jobs
 * are submitted, unless it is asked to wait; wake is what a callback runs. */
#include "cmd/agent.h"
#include "cmd/follow.h"
#include "cmd/verbs.h"
#include "base/fs.h"
#include "wake/callback.h"

#include <stdlib.h>
#include <string.h>

enum { RUN_MAX = 16 };

/* What running this campaign means in its state; *fact has kind 0 when
 * nothing new has to be said. */
static int
run_fact(struct store *st, const struct store_campaign *c, struct event *fact,
    struct err *err)
{
    *fact = (struct event){0};
    switch (c->brief.state) {
    case CAMPAIGN_APPROVED:
        fact->kind = EVENT_campaign_started;
        return 0;
    case CAMPAIGN_PAUSED:
    case CAMPAIGN_HALTED:
        fact->kind = EVENT_campaign_resumed;
        return 0;
    case CAMPAIGN_RUNNING:
        return 0;
    case CAMPAIGN_DONE:
    case CAMPAIGN_STOPPED:
        return err_set(err, -ERR_INPUT,
            "C%u is %s\n  remedy: rea report C%u; rea plan begins a new one",
            c->id, campaign_state_name(c->brief.state), c->id);
    default:
        break;
    }
    struct core *core = NULL;
    int rc = store_load(st, c->id, &core, err);
    if (rc != 0)
        return rc;
    rc = err_set(err, -ERR_APPROVAL,
        "C%u (%s) is a draft: nothing runs before an engineer signs its plan\n"
        "  remedy: rea approve %.12s",
        c->id, c->model, core->pending_hash);
    free(core);
    return rc;
}

static int
run_one(struct call *call, struct store *st, const struct store_campaign *c,
    struct wake_result *out, struct err *err)
{
    struct event fact;
    int rc = run_fact(st, c, &fact, err);
    if (rc != 0)
        return rc;
    fact.by = work_user(call);
    if (fact.kind != EVENT_NONE)
        return work_facts(call, st, c->id, &fact, 1, false, out, err);
    struct wake_opts opts = work_opts(call, WAKE_VERB);
    return wake_run(st, c->id, &opts, out, err);
}

/* Without a name: every campaign that is signed and not over. */
static int
run_choose(struct call *call, struct store *st, struct store_campaign *out,
    size_t *n_out, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    uint32_t id = 0;
    *n_out = 0;
    if (call->n_args == 0) {
        int rc = store_campaigns(st, &v, &n, err);
        for (size_t i = 0; rc == 0 && i < n && *n_out < RUN_MAX; i++) {
            if (v[i].brief.state >= CAMPAIGN_APPROVED &&
                v[i].brief.state <= CAMPAIGN_HALTED)
                out[(*n_out)++] = v[i];
        }
        free(v);
        if (rc != 0 || *n_out > 0)
            return rc;
    }
    int rc = work_campaign(
        call, st, call->n_args > 0 ? call->args[0] : NULL, &id, err);
    if (rc == 0)
        rc = store_campaign_get(st, id, &out[0], err);
    *n_out = rc == 0 ? 1 : 0;
    return rc;
}

static int
run_wait(struct call *call, struct store *st, const struct store_campaign *v,
    size_t n, struct err *err)
{
    uint32_t ids[RUN_MAX];
    struct follow f;
    struct wake_opts opts = work_opts(call, WAKE_WAIT);
    for (size_t i = 0; i < n; i++)
        ids[i] = v[i].id;
    follow_init(&f, call);
    int rc = wake_wait(st, ids, n, &opts, follow_progress, &f, err);
    follow_end(&f);
    return rc;
}

static int
run_say(struct call *call, struct store *st, const struct store_campaign *v,
    size_t n, struct err *err)
{
    struct status_entry e[RUN_MAX];
    struct text_style style = work_style(call);
    bool gate = false;
    for (size_t i = 0; i < n; i++) {
        struct store_campaign now;
        int rc = store_campaign_get(st, v[i].id, &now, err);
        if (rc != 0)
            return rc;
        status_of(&now, &e[i]);
        gate = gate || now.brief.state == CAMPAIGN_HALTED;
    }
    if (call->json)
        status_json(e, (uint32_t)n, &call->out);
    else if (n == 1 && call_has(call, "wait")) {
        int rc = campaign_say(call, st, v[0].id, err);
        if (rc != 0)
            return rc;
    } else
        status_text(e, (uint32_t)n, &style, &call->out);
    if (!gate)
        return 0;
    /* What was printed stands; the exit code tells that a person is needed. */
    for (size_t i = 0; i < n; i++) {
        if (e[i].state == CAMPAIGN_HALTED)
            return err_set(err, -ERR_APPROVAL,
                "C%u stands at a gate: %s\n  remedy: rea why C%u; rea resume "
                "C%u goes on, rea stop C%u ends it",
                e[i].campaign, e[i].attention, e[i].campaign, e[i].campaign,
                e[i].campaign);
    }
    return 0;
}

/* A gate may be explained by a model before it is shown. */
static void
run_gate(struct call *call, struct store *st, uint32_t id)
{
    struct store_campaign now;
    struct err ignored = {0};
    if (store_campaign_get(st, id, &now, &ignored) == 0 &&
        now.brief.state == CAMPAIGN_HALTED)
        agent_diagnose(call, st, id, true);
}

static int
run_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct store_campaign *v = mem_calloc(RUN_MAX, sizeof(*v));
    struct wake_result result;
    size_t n = 0;
    int rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = run_choose(call, st, v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = run_one(call, st, &v[i], &result, err);
    if (rc == 0 && call_has(call, "wait"))
        rc = run_wait(call, st, v, n, err);
    for (size_t i = 0; (rc == 0 || rc == -ERR_APPROVAL) && i < n; i++)
        run_gate(call, st, v[i].id);
    /* A gate met while waiting is shown with the campaign. */
    if (rc == 0 || (rc == -ERR_APPROVAL && call_has(call, "wait"))) {
        struct err shown = {0};
        int rc2 = run_say(call, st, v, n, &shown);
        if (rc == 0 && rc2 != 0)
            *err = shown;
        rc = rc == 0 ? rc2 : rc;
    }
    store_close(st);
    free(v);
    return rc;
}

/* From a node that can't reach the state: rea-serve wakes it. */
static int
wake_via(struct call *call, uint32_t id, struct err *err)
{
    const char *root = NULL;
    int rc = work_root(call, &root, err);
    if (rc == 0)
        rc = callback_send(fs_join_in(call->arena, root, ".rea"),
            call_opt(call, "via"), id, err);
    if (rc == 0 && !call->json)
        say(call, "C%u was woken by %s\n", id, call_opt(call, "via"));
    return rc;
}

static int
wake_verb_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct wake_result result = {0};
    struct wake_opts opts = work_opts(call, WAKE_CALLBACK);
    uint32_t id = 0;
    int rc = work_id(call->args[0], 'C', &id, err);
    if (rc == 0 && call_has(call, "via"))
        return wake_via(call, id, err);
    if (rc == 0)
        rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = wake_run(st, id, &opts, &result, err);
    if (result.gate)
        agent_diagnose(call, st, id, false);
    store_close(st);
    if (rc != 0)
        return rc;
    if (call->json)
        say(call,
            "{\"campaign\": \"C%u\", \"state\": \"%s\", \"events\": %u, "
            "\"submitted\": %u, \"ended\": %u, \"waiting\": %u, \"left\": "
            "%s}\n",
            id, campaign_state_name(result.state), result.events,
            result.submitted, result.ended, result.waiting,
            result.left ? "true" : "false");
    else if (result.left)
        say(call, "C%u: another process is awake and looks again\n", id);
    else
        say(call, "C%u: %u events, %u submitted, %u ended\n", id, result.events,
            result.submitted, result.ended);
    return 0;
}

static int
sweep_verb_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct sweep_result r = {0};
    struct wake_opts opts = work_opts(call, WAKE_SWEEP);
    int rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = sweep_run(st, &opts, &r, err);
    if (st != NULL)
        agent_sweep(call, store_root(st));
    store_close(st);
    if (rc != 0)
        return rc;
    if (call->json)
        say(call,
            "{\"woken\": %u, \"adopted\": %u, \"cancelled\": %u, \"lost\": %u, "
            "\"failed\": %u}\n",
            r.woken, r.adopted, r.cancelled, r.lost, r.failed);
    else
        say(call, "%u woken, %u adopted, %u cancelled, %u lost, %u failed\n",
            r.woken, r.adopted, r.cancelled, r.lost, r.failed);
    return 0;
}

static const struct cmd_opt run_opts[] = {
    {"wait", 'w', NULL, "show progress until the end or a gate"}, {0}};

const struct cmd cmd_run = {.name = "run",
    .args = "[C]",
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "start or continue; exits once jobs are submitted",
    .more = "Without a name every signed campaign is started or continued. "
            "While jobs run no process of rea does: each job's supervisor "
            "wakes the campaign when it ends.",
    .example = "rea run C1 --wait",
    .opts = run_opts,
    .run = run_run};

static const struct cmd_opt wake_opts_of[] = {
    {"via", 0, "URL", "ask the rea serve there, by a signed word"}, {0}};

const struct cmd cmd_wake = {.name = "wake",
    .args = "C",
    .min_args = 1,
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "what a callback runs; safe at any time",
    .opts = wake_opts_of,
    .run = wake_verb_run};

const struct cmd cmd_sweep = {.name = "sweep",
    .args = "",
    .flags = CMD_WRITES,
    .help = "reconcile all campaigns with their backends",
    .more = "The net under lost callbacks: for cron or a timer, every minute "
            "or so.",
    .run = sweep_verb_run};
