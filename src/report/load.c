/* A report from the store: replays the events of a campaign through the engine
 * and hands each to the view with the state it led to, then adds what only
 * the books know (wakes, times of attempts). Read only. */
#include "report/load.h"

#include "store/store.h"

#include <stdlib.h>
#include <string.h>

static void
load_event(void *ctx, const struct core *c, const struct event *e)
{
    report_event(ctx, c, e);
}

static int
load_wake(void *ctx, const struct store_wake *w)
{
    struct report_wake wake = {
        .start_ms = w->start_ms,
        .wall_ms = (double)w->wall_us / 1e3,
        .wait_ms = (double)w->wait_us / 1e3,
        .cause = w->cause,
    };
    report_wake(ctx, &wake);
    return 0;
}

static int
load_attempt(void *ctx, const struct store_attempt *a)
{
    int64_t start = a->started_ms != 0 ? a->started_ms : a->submitted_ms;
    report_attempt(ctx, a->job, start, a->ended_ms, a->detail);
    return 0;
}

static int
load_books(
    struct store *st, uint32_t campaign, struct report *r, struct err *err)
{
    struct store_campaign row;
    int rc = store_wakes(st, campaign, load_wake, r, err);
    if (rc == 0)
        rc = store_attempts(st, campaign, false, load_attempt, r, err);
    if (rc == 0)
        rc = store_campaign_get(st, campaign, &row, err);
    if (rc != 0)
        return rc;
    /* Idle wakes have no row; the sums know them. */
    r->n_wakes = row.wakes;
    r->agent_s = (double)row.agent_us / 1e6;
    r->wait_s = (double)row.wait_us / 1e6;
    return 0;
}

struct report *
report_load(struct store *st, uint32_t campaign, struct err *err)
{
    struct report *r = report_new(campaign);
    struct core *c = NULL;
    int rc = store_replay(st, campaign, 0, load_event, r, &c, err);
    if (rc == 0)
        rc = load_books(st, campaign, r, err);
    if (rc != 0) {
        err_wrap(err, rc, "report of C%u", campaign);
        free(c);
        report_free(r);
        return NULL;
    }
    r->owned = c;
    report_close(r, c);
    return r;
}
