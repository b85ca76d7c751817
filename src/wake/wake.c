/* The doors of wake: one campaign's activation under its lease, the verbs'
 * facts, new campaigns, and the turn of others that wait for a freed slot.
 * Called by the verbs and by the supervisors of jobs. Invariant: nothing is
 * decided without the lease, and no lease is let go without looking whether
 * somebody left a mark. */
#include "wake/part.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct wake_opts default_opts = {.cause = WAKE_VERB};

void
wake_init(struct wake *w, struct store *st, uint32_t campaign,
    const struct wake_opts *opts, struct wake_result *out)
{
    memset(w, 0, sizeof *w);
    w->st = st;
    w->opts = opts;
    w->out = out;
    w->row.id = campaign;
    w->lease.fd = -1;
    w->u = mem_calloc(1, sizeof *w->u);
    w->start_us = fs_mono_us();
    w->start_ms = wake_now_ms();
    fs_boot_id(w->boot_id);
}

void
wake_fini(struct wake *w)
{
    if (w->jobs_are_open)
        jobs_close(&w->jobs);
    buf_fini(&w->log);
    free(w->entry);
    free(w->core);
    free(w->u);
    arena_fini(&w->arena);
}

/* Starting or resuming holds the project file to what was signed; a restored
 * file is as good as one that never changed. */
static int
facts_check(
    struct wake *w, const struct event *e, struct event *copy, struct err *err)
{
    bool same = false;
    char why[WHY_LEN];
    *copy = *e;
    if (copy->at_ms == 0)
        copy->at_ms = wake_now_ms();
    if (e->kind != EVENT_campaign_started && e->kind != EVENT_campaign_resumed)
        return 0;
    int rc = project_check(w, &same, why, err);
    if (rc != 0)
        return rc;
    if (!same)
        return err_set(err, -ERR_APPROVAL,
            "C%u: %s; restore the file, or sign it with `rea plan` and `rea "
            "approve`",
            w->row.id, why);
    if (e->kind == EVENT_campaign_resumed && !w->core->project_ok)
        copy->state = 1;
    return 0;
}

struct request {
    const struct event *facts;
    size_t n;
    const char *hash, *canon; /* NULL: the project stays as approved */
};

static int
facts_bring(struct wake *w, const struct request *r, struct err *err)
{
    struct fact_list l = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->n; i++) {
        struct fact *f = fact_new(w, EVENT_NONE);
        rc = facts_check(w, &r->facts[i], &f->e, err);
        fact_add(w, &l, f);
    }
    w->signed_hash = r->hash;
    w->signed_canon = r->canon;
    return rc == 0 ? wake_commit(w, &l, err) : rc;
}

/* One look at the campaign with the lease held. */
static int
wake_body(struct wake *w, const struct request *r, struct err *err)
{
    struct err closing = {0};
    int rc = wake_load(w, err);
    if (rc != 0)
        return rc;
    if (r->n > 0)
        rc = facts_bring(w, r, err);
    if (rc == 0)
        rc = wake_rounds(w, err);
    if (w->unread) /* there is nothing true to write for status */
        return rc;
    w->out->state = w->core->state;
    w->out->gate = w->core->state == CAMPAIGN_HALTED;
    if (rc == -ERR_REFUSED || rc == -ERR_BUSY || rc == -ERR_APPROVAL)
        return rc;
    bool failed = strncmp(w->attention, FAILED, sizeof FAILED - 1) == 0;
    if (rc != 0 && err != NULL)
        snprintf(w->attention, sizeof w->attention, FAILED "%.400s", err->text);
    else if (rc == 0 && failed)
        w->attention[0] = '\0';
    int closed = wake_close(w, &closing);
    if (closed == 0)
        notify_flush(w);
    if (rc == 0 && closed != 0)
        return err_set(err, closed, "%s", closing.text);
    return rc;
}

static int
lease_get(struct wake *w, bool patient, struct err *err)
{
    int64_t wait = w->opts->lease_wait_ms > 0 ? w->opts->lease_wait_ms : 10000;
    return patient ? lease_wait(w->st, w->row.id, wait, &w->lease, err)
                   : lease_take(w->st, w->row.id, &w->lease, err);
}

enum { FEED_ROUNDS_MAX = 8 };

struct turn { /* what one activation tells the next */
    const uint32_t *fed;
    uint32_t n_fed;
    bool yielded, freed;
    bool pooled; /* something happened that its pool may want to know */
};

static int
wake_turn(struct store *st, uint32_t campaign, const struct request *r,
    const struct wake_opts *opts, struct wake_result *out, struct turn *turn,
    struct err *err)
{
    struct request mine = *r;
    struct err e = {0};
    for (;;) {
        struct wake w;
        wake_init(&w, st, campaign, opts, out);
        w.fed = turn->fed;
        w.n_fed = turn->n_fed;
        int rc = lease_get(&w, mine.n > 0, &e);
        if (rc == -ERR_BUSY && mine.n == 0) {
            out->left = true;
            wake_fini(&w);
            return 0;
        }
        if (rc == 0)
            rc = wake_body(&w, &mine, &e);
        bool marked = lease_drop(st, &w.lease);
        turn->yielded = w.yielded;
        turn->freed = turn->freed || w.freed;
        turn->pooled = turn->pooled || (w.core != NULL && w.events > 0 &&
                                           w.core->signed_u != 0);
        wake_fini(&w);
        if (rc != 0)
            return err_set(err, rc, "%s", e.text);
        mine = (struct request){0};
        if (!marked)
            return 0;
    }
}

/* What a campaign did may have changed whose turn it is with the pool's money:
 * those that wait for it ask again, and once more when one of them moved, for
 * it may have given back what another one, or this one, waits for. */
static void
pool_feed(struct store *st, uint32_t campaign, const struct wake_opts *opts)
{
    const struct request none = {0};
    uint32_t ids[POOL_MEMBERS_MAX];
    bool moved = true;
    for (int round = 0; moved && round < FEED_ROUNDS_MAX; round++) {
        uint32_t n =
            store_pool_waiting(st, campaign, round > 0, ids, POOL_MEMBERS_MAX);
        moved = false;
        for (uint32_t i = 0; i < n; i++) {
            struct wake_result other = {0};
            struct turn t = {0};
            struct err ignored = {0};
            wake_turn(st, ids[i], &none, opts, &other, &t, &ignored);
            moved = moved || t.pooled;
        }
    }
}

/* Who waits for a slot, those with the fewest jobs first; of one pool, those
 * whose next trial is worth most. */
static uint32_t
pending_by_value(struct store *st, uint32_t *ids, uint32_t cap)
{
    uint32_t n = store_pending(st, ids, cap);
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t j = i; j > 0; j--) {
            char a[NAME_LEN], b[NAME_LEN];
            double before = store_pool_value(st, ids[j - 1], a);
            double after = store_pool_value(st, ids[j], b);
            if (a[0] == '\0' || strcmp(a, b) != 0 || after <= before)
                break;
            uint32_t id = ids[j];
            ids[j] = ids[j - 1];
            ids[j - 1] = id;
        }
    return n;
}

/* A freed or left slot is offered to those that wait, the poorest first, each
 * once; what they leave comes back to the first one. */
static int
others_feed(struct store *st, uint32_t campaign, const struct wake_opts *opts,
    struct wake_result *out, struct turn *turn, struct err *err)
{
    uint32_t ids[WAKE_PENDING_MAX + 1], n = 0;
    const struct request none = {0};
    if (turn->pooled)
        pool_feed(st, campaign, opts);
    if (!turn->freed && !turn->yielded)
        return 0;
    n = pending_by_value(st, ids, WAKE_PENDING_MAX);
    for (uint32_t i = 0; i < n; i++) {
        struct wake_result other = {0};
        struct turn t = {.fed = ids, .n_fed = n};
        struct err ignored = {0};
        if (ids[i] != campaign) /* its own trouble stays its own */
            wake_turn(st, ids[i], &none, opts, &other, &t, &ignored);
    }
    if (!turn->yielded)
        return 0;
    turn->fed = ids;
    turn->n_fed = n;
    int rc = wake_turn(st, campaign, &none, opts, out, turn, err);
    turn->fed = NULL;
    turn->n_fed = 0;
    return rc;
}

static int
gate_tell(struct store *st, uint32_t campaign, const struct wake_result *out,
    struct err *err)
{
    struct store_campaign row;
    if (!out->gate)
        return 0;
    int rc = store_campaign_get(st, campaign, &row, err);
    return rc != 0 ? rc
                   : err_set(err, -ERR_APPROVAL,
                         "C%" PRIu32 " (%s) waits for "
                         "an engineer: %s",
                         campaign, row.model, row.brief.attention);
}

static int
wake_all(struct store *st, uint32_t campaign, const struct request *r,
    const struct wake_opts *opts, struct wake_result *out, struct err *err)
{
    struct wake_result own;
    struct turn turn = {0};
    if (opts == NULL)
        opts = &default_opts;
    if (out == NULL)
        out = &own;
    *out = (struct wake_result){0};
    int rc = wake_turn(st, campaign, r, opts, out, &turn, err);
    if (rc == 0 && !opts->no_submit)
        rc = others_feed(st, campaign, opts, out, &turn, err);
    return rc != 0 ? rc : gate_tell(st, campaign, out, err);
}

int
wake_run(struct store *st, uint32_t campaign, const struct wake_opts *opts,
    struct wake_result *out, struct err *err)
{
    const struct request none = {0};
    return wake_all(st, campaign, &none, opts, out, err);
}

int
wake_facts(struct store *st, uint32_t campaign, const struct event *facts,
    size_t n, const struct wake_opts *opts, struct wake_result *out,
    struct err *err)
{
    const struct request r = {.facts = facts, .n = n};
    return wake_all(st, campaign, &r, opts, out, err);
}

int
wake_approve(struct store *st, uint32_t campaign, const char *project_hash,
    const char *project_canon, const struct event *facts, size_t n,
    const struct wake_opts *opts, struct wake_result *out, struct err *err)
{
    const struct request r = {facts, n, project_hash, project_canon};
    assert(n > 0 && project_hash != NULL);
    return wake_all(st, campaign, &r, opts, out, err);
}
