/* What the wake layer must not know: how a finished campaign's lessons enter
 * the insights database. Called by every verb that wakes a campaign. */
#include "cmd/insight.h"
#include "cmd/work.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "research/insight.h"

struct lessons {
    struct arena *arena;
    const char *statement[HYPOTHESES_MAX];
    const char *rationale[HYPOTHESES_MAX], *evidence[HYPOTHESES_MAX];
    uint32_t n;
};

static int
lesson_event(void *ctx, const struct event *e)
{
    struct lessons *l = ctx;
    if (e->kind != EVENT_hypothesis_added || l->n >= HYPOTHESES_MAX)
        return 0;
    if (e->statement != NULL)
        l->statement[l->n] = arena_strdup(l->arena, e->statement);
    if (e->rationale != NULL)
        l->rationale[l->n] = arena_strdup(l->arena, e->rationale);
    if (e->evidence != NULL)
        l->evidence[l->n] = arena_strdup(l->arena, e->evidence);
    l->n++;
    return 0;
}

static int
lessons_keep(struct arena *a, struct insights *db, const struct core *c,
    const struct lessons *l, const struct insight_place *place,
    const char *uuid, uint32_t campaign, struct err *err)
{
    struct insight *rows = NULL;
    struct insight_event *events = NULL;
    size_t n = 0, n_events = 0;
    int64_t now = wake_now_ms();
    time_t sec = (time_t)(now / 1000);
    struct tm tm;
    char date[16];
    gmtime_r(&sec, &tm);
    strftime(date, sizeof(date), "%Y-%m-%d", &tm);
    struct insight_texts t = {.place = *place,
        .uuid = uuid,
        .campaign = arena_printf(a, "C%u", campaign),
        .date = date,
        .by = getenv("USER"),
        .statement = l->statement,
        .rationale = l->rationale,
        .evidence = l->evidence,
        .created_ms = now};
    insight_from_campaign(c, &t, a, &rows, &n);
    insight_chain_of_campaign(c, &t, a, rows, n, &events, &n_events);
    return insight_keep_chain(db, events, n_events, rows, n, NULL, err);
}

/* Rows are kept under the campaign's own origin, so a second call after a
 * crash adds nothing. */
static int
hook_keep(void *ctx, struct store *st, uint32_t campaign, const struct core *c,
    struct err *err)
{
    struct arena a = {0};
    struct lessons l = {.arena = &a};
    struct store_campaign row;
    struct project *p = NULL;
    struct insight_place place = {0};
    struct insights *db = NULL;
    struct err ignored = {0};
    (void)ctx;
    int rc = store_campaign_get(st, campaign, &row, err);
    if (rc == 0)
        rc = store_events(st, campaign, 1, lesson_event, &l, err);
    if (rc != 0)
        goto out;
    if (project_load(&a, store_root(st), row.project, &p, &ignored) != 0)
        p = NULL; /* the file is gone: the workspace's own database serves */
    else
        insight_place_of(&a, p, &place, &ignored);
    const char *path = p != NULL && p->insights != NULL && *p->insights != '\0'
                           ? fs_join_in(&a, store_root(st), p->insights)
                           : fs_join_in(&a, store_dir(st), "insights.db");
    rc = insight_open(&db, path, INSIGHT_WRITE, err);
    if (rc != 0)
        goto out;
    const char *uuid = arena_printf(&a, "%08x-C%u-%016llx",
        store_workspace_id(st), campaign, (unsigned long long)c->random_seed);
    rc = lessons_keep(&a, db, c, &l, &place, uuid, campaign, err);
    insight_close(db);
out:
    arena_fini(&a);
    return rc != 0 ? err_wrap(err, rc, "insights of C%u", campaign) : 0;
}

const struct wake_hooks work_hooks = {.ctx = NULL, .keep_insights = hook_keep};

struct wake_opts
work_opts(struct call *call, enum wake_cause cause)
{
    (void)call;
    return (struct wake_opts){.cause = cause, .hooks = &work_hooks};
}

int
work_facts(struct call *call, struct store *st, uint32_t campaign,
    const struct event *facts, size_t n, bool no_submit,
    struct wake_result *out, struct err *err)
{
    struct wake_opts opts = work_opts(call, WAKE_VERB);
    opts.no_submit = no_submit;
    memset(out, 0, sizeof(*out));
    int rc = wake_facts(st, campaign, facts, n, &opts, out, err);
    return rc == -ERR_APPROVAL && out->events > 0 ? 0 : rc;
}
