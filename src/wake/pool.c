/* A campaign of a pool asks for money, and tells the pool what more would be
 * worth to it. Called in the body of a wake and inside every commit. The answer
 * is computed from the ledger's rows alone, so no lease of another campaign is
 * held; the commit fails when the pool has less than was thought, and the
 * question is asked again. */
#include "wake/part.h"

#include <stdio.h>
#include <string.h>

enum { ASK_AGAIN_MAX = 4 };

/* Playing the rest out costs milliseconds: only what moves it does. */
static bool
moves_worth(const struct wake *w)
{
    for (size_t i = 0; i < w->n_entries; i++) {
        uint32_t kind = w->entry[i].kind;
        if (kind == EVENT_trial_closed || kind == EVENT_campaign_started ||
            kind == EVENT_budget_granted || kind == EVENT_campaign_resumed ||
            kind == EVENT_trial_planned || kind == EVENT_plan_approved ||
            kind == EVENT_campaign_finished || kind == EVENT_campaign_stopped)
            return true;
    }
    return false;
}

int
pool_write(struct wake *w, struct err *err)
{
    struct pool_worth worth;
    if (w->core->signed_u == 0)
        return 0;
    bool moved = moves_worth(w);
    if (moved)
        core_worth(w->core, &worth);
    return store_pool_sync(
        w->st, w->row.id, w->core, moved ? &worth : NULL, err);
}

static int
why_note(struct wake *w, const char *why, struct err *err)
{
    int rc = wake_begin(w, err);
    if (rc != 0)
        return rc;
    rc = store_pool_why(w->st, w->row.id, why, err);
    if (rc == 0)
        return wake_end(w, err);
    store_rollback(w->st);
    return rc;
}

static int
answer_find(struct wake *w, struct pool_grant *out, struct err *err)
{
    struct store_pool pool;
    struct store_member row[POOL_MEMBERS_MAX];
    struct pool_member m[POOL_MEMBERS_MAX];
    uint32_t n = 0, who = POOL_MEMBERS_MAX;
    bool found = false;
    int rc = store_pool_of(w->st, w->row.id, &found, &pool, err);
    if (rc == 0 && found)
        rc = store_pool_members(
            w->st, pool.name, row, POOL_MEMBERS_MAX, &n, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        m[i] = row[i].m;
        if (m[i].campaign == w->row.id)
            who = i;
    }
    if (rc != 0)
        return rc;
    if (who == POOL_MEMBERS_MAX)
        return err_set(err, -ERR_CORRUPT,
            "C%u has money of a pool, and no pool knows it", w->row.id);
    core_worth(w->core, &m[who].worth);
    pool_choose(m, n, who, pool.total_u, out);
    return 0;
}

int
pool_ask(struct wake *w, struct err *err)
{
    for (int i = 0; i < ASK_AGAIN_MAX && core_waits(w->core); i++) {
        struct pool_grant g;
        struct err e = {0};
        int rc = answer_find(w, &g, err);
        if (rc != 0)
            return rc;
        if (g.grant_u == 0 && !g.last)
            return why_note(w, g.why, err);
        struct fact_list l = {0};
        struct fact *f = fact_new(w, EVENT_budget_granted);
        f->e.budget_u = g.grant_u;
        f->e.horizon_u = g.horizon_u;
        f->e.n = g.last;
        f->e.why = arena_strdup(&w->arena, g.why);
        fact_add(w, &l, f);
        rc = wake_commit(w, &l, &e);
        if (rc == 0)
            return why_note(w, g.why, err);
        if (rc != -ERR_LIMIT) /* another campaign was faster: ask again */
            return err_set(err, rc, "%s", e.text);
    }
    return 0;
}
