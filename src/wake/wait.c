/* Waiting in the foreground, for `run --wait`: holds neither a lease nor an
 * engine, reads the campaigns' rows once a second at most, and sweeps when
 * nothing was heard for a while, so that a lost callback costs seconds. */
#include "wake/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_NAP_MS = 200,
    WAIT_SHOW_MS = 1000,
    WAIT_SWEEP_MS = 15000 /* a supervisor calls within a second or two */
};

static bool
is_waiting(const struct store_campaign *c)
{
    return c->brief.state == CAMPAIGN_RUNNING;
}

static int
rows_read(struct store *st, const uint32_t *ids, size_t n,
    struct store_campaign *rows, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store_campaign_get(st, ids[i], &rows[i], err);
    return rc;
}

static bool
rows_changed(
    const struct store_campaign *a, const struct store_campaign *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].seq != b[i].seq)
            return true;
    return false;
}

static bool
any_waiting(const struct store_campaign *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_waiting(&rows[i]))
            return true;
    return false;
}

static bool
any_running(const struct store_campaign *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].running > 0)
            return true;
    return false;
}

static int
gate_of(const struct store_campaign *rows, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].brief.state == CAMPAIGN_HALTED)
            return err_set(err, -ERR_APPROVAL,
                "C%u (%s) waits for an engineer: %s", rows[i].id, rows[i].model,
                rows[i].brief.attention);
    return 0;
}

struct wait {
    struct store *st;
    const uint32_t *ids;
    size_t n;
    struct store_campaign *now, *last;
    int (*progress)(void *ctx, const struct store_campaign *list, size_t n);
    void *ctx;
};

static int
wait_loop(struct wait *x, const struct wake_opts *opts, struct err *err)
{
    const struct timespec nap = {.tv_nsec = WAIT_NAP_MS * 1000000L};
    int64_t heard = fs_mono_us(), shown = 0;
    for (;;) {
        int rc = rows_read(x->st, x->ids, x->n, x->now, err);
        if (rc != 0)
            return rc;
        int64_t now = fs_mono_us();
        bool changed = rows_changed(x->now, x->last, x->n);
        bool over = !any_waiting(x->now, x->n);
        if (changed)
            heard = now;
        if (x->progress != NULL &&
            (changed || over || now - shown >= WAIT_SHOW_MS * 1000)) {
            rc = x->progress(x->ctx, x->now, x->n);
            shown = now;
        }
        if (rc != 0 || over)
            return rc != 0 ? rc : gate_of(x->now, x->n, err);
        memcpy(x->last, x->now, x->n * sizeof *x->now);
        if (now - heard >= WAIT_SWEEP_MS * 1000LL) {
            struct sweep_result swept;
            rc = sweep_run(x->st, opts, &swept, err);
            /* With jobs in flight there will be another wake. */
            if (rc != 0 && !any_running(x->now, x->n))
                return rc;
            heard = now;
        }
        nanosleep(&nap, NULL);
    }
}

int
wake_wait(struct store *st, const uint32_t *campaigns, size_t n,
    const struct wake_opts *opts,
    int (*progress)(void *ctx, const struct store_campaign *list, size_t n),
    void *ctx, struct err *err)
{
    struct store_wake row = {.start_ms = wake_now_ms(), .cause = "wait"};
    struct err ignored = {0};
    int64_t start = fs_mono_us();
    struct wait x = {.st = st,
        .ids = campaigns,
        .n = n,
        .now = mem_calloc(n + 1, sizeof *x.now),
        .last = mem_calloc(n + 1, sizeof *x.last),
        .progress = progress,
        .ctx = ctx};
    int rc = wait_loop(&x, opts, err);
    row.wait_us = fs_mono_us() - start;
    if (n > 0 && store_begin(st, &ignored) == 0) {
        if (store_wake_add(st, campaigns[0], &row, &ignored) != 0 ||
            store_commit(st, &ignored) != 0)
            store_rollback(st);
    }
    free(x.now);
    free(x.last);
    return rc;
}
