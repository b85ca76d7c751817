/* rea approve: an engineer signs one exact plan. Nothing is trained before
 * this; afterwards the project file is held to what was signed. */
#include "cmd/agent.h"
#include "cmd/draft.h"
#include "cmd/pool.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

enum { PREFIX_MIN = 8 };

struct signing {
    uint32_t campaign;
    struct core *core; /* owned */
    bool again;        /* the hash is the signed one already */
};

/* The plan whose hash begins so; an unsigned one goes before a signed one. */
static int
plan_find(
    struct store *st, const char *prefix, struct signing *out, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0, len = strlen(prefix);
    uint32_t hits = 0;
    char waiting[160] = "";
    int rc = store_campaigns(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct core *c = NULL;
        rc = store_load(st, v[i].id, &c, err);
        if (rc != 0)
            break;
        bool pending = c->pending_hash[0] != '\0';
        bool hit = pending && strncmp(c->pending_hash, prefix, len) == 0;
        bool old = !hit && strncmp(c->plan_hash, prefix, len) == 0;
        if (pending) {
            size_t used = strlen(waiting);
            snprintf(waiting + used, sizeof(waiting) - used, "%s%.12s (C%u)",
                used > 0 ? ", " : "", c->pending_hash, v[i].id);
        }
        if (hit || (old && out->core == NULL)) {
            hits += hit;
            free(out->core);
            *out = (struct signing){v[i].id, c, old};
            c = NULL;
        }
        free(c);
    }
    free(v);
    if (rc != 0)
        return rc;
    if (hits > 1)
        return err_set(err, -ERR_INPUT,
            "%u plans begin with %s: give more of the hash (%s)", hits, prefix,
            waiting);
    if (out->core == NULL)
        return err_set(err, -ERR_NOT_FOUND,
            "no plan has a hash that begins with %s\n  waiting: %s\n"
            "  remedy: rea plan drafts one and prints its hash",
            prefix, waiting[0] != '\0' ? waiting : "none");
    return 0;
}

/* The file must still be what the plan was drafted from. */
static int
plan_fresh(struct call *call, struct store *st, const struct signing *s,
    struct project **p, char now[PROJECT_HASH_HEX], struct err *err)
{
    char hash[HASH_LEN];
    int rc = work_project(call, st, s->campaign, p, err);
    if (rc != 0)
        return rc;
    project_hash(*p, now);
    plan_hash_text(now, s->core, s->core->pending_u, hash);
    if (strcmp(hash, s->core->pending_hash) == 0)
        return 0;
    return err_set(err, -ERR_INPUT,
        "%s was changed after plan %.12s was drafted; that plan cannot be "
        "signed any more\n  remedy: rea plan, or restore the file",
        (*p)->file, s->core->pending_hash);
}

static void
signed_json(struct call *call, const struct signing *s, const char *hash,
    int64_t budget_u, const char *by)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "campaign");
    jw_printf(&w, "C%u", s->campaign);
    jw_kstr(&w, "hash", hash);
    jw_kf64(&w, "budget", (double)budget_u / MICRO);
    jw_kstr(&w, "unit", unit_name(s->core->spec.unit));
    jw_kstr(&w, "by", by);
    jw_obj_end(&w);
    say(call, "\n");
}

static void
signed_say(struct call *call, const struct signing *s, int64_t budget_u,
    const char *by)
{
    const struct core *c = s->core;
    const char *hash = s->again ? c->plan_hash : c->pending_hash;
    if (call->json)
        signed_json(call, s, hash, budget_u, by);
    else
        say(call,
            "C%u (%s) %s %s: plan %.12s, at most %s %s\n"
            "command, knobs, metrics, guardrails and budget are held to this "
            "plan\n",
            s->campaign, c->spec.model,
            s->again ? "was approved already, by" : "approved by", by, hash,
            amount(call, budget_u), unit_name(c->spec.unit));
    if (c->state <= CAMPAIGN_APPROVED)
        call_next(call, "rea run C%u", s->campaign);
    else
        call_next(call, "rea resume C%u", s->campaign);
}

/* What a measurement depends on besides knobs and data: a hash of the lines
 * of the canonical text that make the jobs. */
static const char *
trainer_hash(struct call *call, const char *canon)
{
    static const char *const keys[] = {"train.command", "train.var",
        "train.style", "train.shell", "evaluate", "patch.build", "patch.read",
        "patch.env"};
    char hex[FS_HASH_HEX];
    struct buf b = {0};
    for (const char *line = canon, *end; *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");
        end += *end == '\n';
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
            if (strncmp(line, keys[i], strlen(keys[i])) == 0)
                buf_add(&b, line, (size_t)(end - line));
    }
    fs_hash_bytes(buf_str(&b), b.len, hex);
    buf_fini(&b);
    return arena_strdup(call->arena, hex);
}

/* Another command measures something else: like other data it opens a new
 * window, in which the baseline runs again and which no comparison crosses.
 * Returns the number of facts. */
static size_t
window_facts(struct call *call, struct store *st, const struct signing *s,
    const char *canon, struct event out[2])
{
    struct err ignored = {0};
    struct buf old = {0};
    size_t n = 0;
    if (s->core->n_trials > 0 &&
        store_campaign_canon(st, s->campaign, &old, &ignored) == 0 &&
        old.len > 0) {
        const char *was = trainer_hash(call, buf_str(&old));
        const char *now = trainer_hash(call, canon);
        bool first = s->core->fingerprint[0] == '\0';
        if (strcmp(was, now) != 0 && first)
            out[n++] = (struct event){.kind = EVENT_data_seen,
                .hash = was,
                .why = "the command that this campaign began with"};
        if (strcmp(was, now) != 0)
            out[n++] = (struct event){.kind = EVENT_data_seen,
                .hash = now,
                .why = "the command changed: the baseline is measured again"};
    }
    buf_fini(&old);
    return n;
}

/* What models have cost while the plan was made is part of what is signed now,
 * where the budget is money. */
static int
model_facts(struct call *call, struct store *st, const struct signing *s,
    int64_t budget_u, struct event *facts, size_t *n, struct err *err)
{
    int64_t cost_u = 0, charged_u = 0;
    if (s->core->spec.unit != UNIT_USD)
        return 0;
    int rc = agent_charged(st, s->campaign, &cost_u, &charged_u, err);
    int64_t owed = cost_u - charged_u;
    if (rc != 0 || owed <= 0)
        return rc;
    if (owed > budget_u - s->core->spent_u - s->core->reserved_u)
        return err_set(err, -ERR_INPUT,
            "the language model has cost %s usd for this plan, which is more "
            "than the budget leaves",
            amount(call, owed));
    facts[(*n)++] = (struct event){.kind = EVENT_answer_arrived,
        .hash = s->core->pending_hash,
        .key = "the plan",
        .cost_u = owed,
        .value = (double)cost_u / MICRO,
        .why = "what models have cost before the plan was signed"};
    return 0;
}

static int
plan_sign(struct call *call, struct store *st, const struct signing *s,
    struct err *err)
{
    struct project *p = NULL;
    struct buf canon = {0};
    char now[PROJECT_HASH_HEX];
    double budget = 0;
    int64_t budget_u = s->core->pending_u;
    int rc = plan_fresh(call, st, s, &p, now, err);
    if (rc == 0)
        rc = call_opt_num(call, "budget", &budget, err);
    if (rc != 0)
        return rc;
    if (budget * MICRO > (double)budget_u)
        return err_set(err, -ERR_INPUT,
            "--budget=%g: signing may only lower the plan's %s %s\n"
            "  remedy: raise [budget] total and draft again with rea plan",
            budget, amount(call, budget_u), unit_name(s->core->spec.unit));
    if (budget > 0)
        budget_u = (int64_t)(budget * MICRO);
    const char *by = work_user(call);
    struct event facts[4] = {{.kind = EVENT_plan_approved,
        .hash = s->core->pending_hash,
        .budget_u = budget_u,
        .by = by}};
    struct wake_opts opts = work_opts(call, WAKE_VERB);
    struct wake_result result = {0};
    opts.no_submit = true;
    rc = pool_sign_member(call, st, s->campaign, p, s->core, &facts[0], err);
    if (rc != 0)
        return rc;
    project_canon(p, &canon);
    size_t n = 1 + window_facts(call, st, s, buf_str(&canon), facts + 1);
    rc = model_facts(call, st, s, budget_u, facts, &n, err);
    if (rc != 0) {
        buf_fini(&canon);
        return rc;
    }
    rc = wake_approve(
        st, s->campaign, now, buf_str(&canon), facts, n, &opts, &result, err);
    buf_fini(&canon);
    /* A campaign at a gate stays there until it is resumed. */
    if (rc == 0 || (rc == -ERR_APPROVAL && result.events > 0)) {
        signed_say(call, s, budget_u, by);
        return 0;
    }
    return rc;
}

static int
approve_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct signing s = {0};
    const char *prefix = call->n_args > 0 ? call->args[0] : "";
    const char *patch = call_opt(call, "patch");
    if (patch != NULL && call->n_args == 0)
        return patch_sign(call, patch, err);
    if (patch != NULL)
        return err_set(err, -ERR_INPUT,
            "a plan and a patch are signed one by one\n"
            "  remedy: rea approve --patch %s",
            patch);
    if (call->n_args == 0)
        return err_set(err, -ERR_INPUT,
            "rea approve needs: HASH, or --patch HASH\n"
            "  remedy: rea help approve");
    if (strlen(prefix) < PREFIX_MIN)
        return err_set(err, -ERR_INPUT,
            "\"%s\": at least %d digits of the plan's hash are needed\n"
            "  remedy: rea plan prints it",
            prefix, PREFIX_MIN);
    int rc = work_store(call, STORE_WRITE, &st, err);
    bool pool = false;
    if (rc == 0)
        rc = pool_sign(call, st, prefix, &pool, err);
    if (rc == 0 && !pool)
        rc = plan_find(st, prefix, &s, err);
    if (rc != 0 || pool)
        ;
    else if (s.again)
        signed_say(call, &s, s.core->approved_u, work_user(call));
    else
        rc = plan_sign(call, st, &s, err);
    free(s.core);
    store_close(st);
    return rc;
}

static const struct cmd_opt approve_opts[] = {
    {"budget", 0, "N", "sign for less than the plan asks"},
    {"patch", 0, "HASH", "sign a code patch, not a plan"}, {0}};

const struct cmd cmd_approve = {.name = "approve",
    .args = "[HASH]",
    .max_args = 1,
    .flags = CMD_WRITES | CMD_HUMAN,
    .help = "sign a plan; nothing is trained before this",
    .more = "HASH may be a prefix of 8 digits or more. The hash covers the "
            "parsed project file (comments and order are free) and the plan. "
            "After this, a change of command, knobs, metrics, guardrails or a "
            "higher budget stops the campaign until it is signed again or "
            "the file is restored. A code patch whose class [patch] gate "
            "names is signed by --patch, with the hash of its diff; a campaign "
            "that waits at it goes on.",
    .example = "rea approve 7c1e44ab --budget 1.5",
    .opts = approve_opts,
    .run = approve_run};
