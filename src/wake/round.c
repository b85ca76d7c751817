/* The body of a wake: ask after what is in flight, let the engine decide, do
 * what it asks for, until a round changes nothing. Called under the lease. */
#include "wake/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Time passes only by events: the engine hears of the wall clock limit, and of
 * the share of it after which search ends, once each. */
static int
clock_tick(struct wake *w, struct err *err)
{
    const struct core *c = w->core;
    const struct spec *s = &c->spec;
    int64_t now = wake_now_ms();
    bool due = false;
    if (c->state != CAMPAIGN_RUNNING || s->wall_clock_ms <= 0)
        return 0;
    for (int share = 8; share <= 10; share += 2) {
        int64_t at = c->started_ms + s->wall_clock_ms / 10 * share;
        due = due || (c->now_ms < at && now >= at);
    }
    if (!due)
        return 0;
    struct fact_list l = {0};
    fact_add(w, &l, fact_new(w, EVENT_clock_ticked));
    return wake_commit(w, &l, err);
}

static int
insights_keep(struct wake *w, struct err *err)
{
    const struct wake_hooks *h = w->opts->hooks;
    struct fact_list l = {0};
    struct fact *f = fact_new(w, EVENT_insights_kept);
    f->e.why = "kept in the insights database";
    if (h == NULL || h->keep_insights == NULL) {
        f->e.why = "nothing keeps insights here";
    } else {
        int rc = h->keep_insights(h->ctx, w->st, w->row.id, w->core, err);
        if (rc != 0)
            return rc;
    }
    fact_add(w, &l, f);
    trees_end(w);
    return wake_commit(w, &l, err);
}

bool
asks_for(const struct action *a, uint32_t n, uint32_t kind)
{
    for (uint32_t i = 0; i < n; i++)
        if (a[i].kind == kind)
            return true;
    return false;
}

static int
submit_round(
    struct wake *w, const struct action *a, uint32_t n, struct err *err)
{
    bool changed = false;
    int rc = gates_pass(w, &changed, err);
    if (rc != 0 || changed || !w->project_verified)
        return rc;
    return jobs_submit(w, a, n, err);
}

static int
perform(struct wake *w, const struct action *a, uint32_t n, struct err *err)
{
    int rc = 0;
    if (asks_for(a, n, ACTION_CANCEL))
        rc = jobs_cancel(w, a, n, err);
    /* One that had not begun may be over at once, and nobody calls for it. */
    if (rc == 0 && asks_for(a, n, ACTION_CANCEL)) {
        uint64_t seq = w->core->seq;
        rc = jobs_reconcile(w, err);
        if (rc != 0 || w->core->seq != seq)
            return rc;
    }
    if (rc == 0 && asks_for(a, n, ACTION_OPEN_SEALED))
        rc = sealed_open(w, a, n, err);
    if (rc == 0 && asks_for(a, n, ACTION_KEEP_INSIGHTS))
        rc = insights_keep(w, err);
    /* A pause or a gate holds what is intended but not started. */
    if (rc == 0 && asks_for(a, n, ACTION_SUBMIT) &&
        w->core->state == CAMPAIGN_RUNNING)
        rc = submit_round(w, a, n, err);
    return rc;
}

int
wake_rounds(struct wake *w, struct err *err)
{
    struct action *a = arena_room(&w->arena, WAKE_ACTIONS_MAX * sizeof *a);
    for (int round = 0; round < WAKE_ROUNDS_MAX; round++) {
        uint64_t seq = w->core->seq;
        int rc = jobs_reconcile(w, err);
        if (rc == 0)
            rc = clock_tick(w, err);
        if (rc != 0)
            return rc;
        uint32_t n = core_actions(w->core, a, WAKE_ACTIONS_MAX);
        if (n > WAKE_ACTIONS_MAX)
            n = WAKE_ACTIONS_MAX;
        if (n > 0 && !w->opts->no_submit)
            rc = perform(w, a, n, err);
        if (rc == 0 && !w->opts->no_submit)
            rc = pool_ask(w, err);
        if (rc != 0 || w->core->seq == seq)
            return rc;
    }
    return err_set(err, -ERR_LIMIT, "C%u did not come to rest in %d rounds",
        w->row.id, WAKE_ROUNDS_MAX);
}
