/* A plan's identity and the redrawing of a plan after the engineer's hand:
 * shared by plan, hypothesis, budget and approve. The hash covers what would
 * be run and what it may cost, nothing that is only shown. */
#include "cmd/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

void
plan_hash_text(const char *project_hash, const struct core *c, int64_t budget_u,
    char out[HASH_LEN])
{
    struct buf b = {0};
    char hex[FS_HASH_HEX];
    buf_printf(&b, "plan 1\nproject %s\nbudget %lld\nphases %u\n", project_hash,
        (long long)budget_u, c->spec.phases);
    if (c->base_rev[0] != '\0')
        buf_printf(&b, "base %s\n", c->base_rev);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        if (h->dropped)
            continue;
        buf_printf(&b, "H%u source %u pinned %d hook %d prior %a %a", i + 1,
            h->source, h->pinned, h->needs_hook, h->prior_mean, h->prior_sd);
        if (h->patch != 0)
            buf_printf(&b, " patch %s", c->patch[h->patch - 1].sha256);
        for (uint32_t j = 0; j < h->n_over; j++)
            buf_printf(&b, " %s=%a", c->spec.knob[h->over[j].knob].name,
                h->over[j].value);
        buf_putc(&b, '\n');
    }
    fs_hash_bytes(buf_str(&b), b.len, hex);
    hex[32] = '\0';
    memcpy(out, hex, 33);
    buf_fini(&b);
}

int
draft_reload(struct call *call, struct store *st, uint32_t campaign,
    struct core **core, struct project **p, char project_hash_now[],
    struct err *err)
{
    *core = NULL;
    int rc = work_project(call, st, campaign, p, err);
    if (rc != 0)
        return rc;
    project_hash(*p, project_hash_now);
    return store_load(st, campaign, core, err);
}

/* The facts applied to a copy of the state, to learn the hash they lead to. */
static int
facts_try(struct core *c, const struct event *facts, size_t n, struct err *err)
{
    struct update *u = mem_calloc(1, sizeof(*u));
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = core_step(c, &facts[i], u);
        if (rc != 0)
            rc = err_set(err, -ERR_INPUT, "%s", u->why);
    }
    free(u);
    return rc;
}

int
draft_amend(struct call *call, struct store *st, uint32_t campaign,
    struct event *facts, size_t n, int64_t budget_u, struct err *err)
{
    struct core *c = NULL;
    struct project *p = NULL;
    struct wake_result result;
    char now[PROJECT_HASH_HEX], *plan = arena_alloc(call->arena, HASH_LEN);
    int rc = draft_reload(call, st, campaign, &c, &p, now, err);
    if (rc != 0)
        return rc;
    if (budget_u == 0)
        budget_u = c->pending_u > 0 ? c->pending_u : c->spec.total_u;
    rc = facts_try(c, facts, n, err);
    if (rc == 0) {
        plan_hash_text(now, c, budget_u, plan);
        facts[n] = (struct event){
            .kind = EVENT_plan_drafted, .hash = plan, .budget_u = budget_u};
        rc = work_facts(call, st, campaign, facts, n + 1, true, &result, err);
    }
    free(c);
    return rc;
}

int
plan_show(
    struct call *call, struct store *st, uint32_t campaign, struct err *err)
{
    struct report *r = report_load(st, campaign, err);
    if (r == NULL)
        return err->code;
    struct text_style style = work_style(call);
    if (call->json)
        plan_json(r, &call->out);
    else
        plan_text(r, &style, &call->out);
    report_free(r);
    return 0;
}
