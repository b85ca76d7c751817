/* New campaigns, and drafts written anew. Called by `rea plan`. The campaign,
 * its first events and the project it was drafted from appear in one
 * transaction, so there is never a campaign without a plan. */
#include "wake/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct draft {
    const char *file, *hash, *canon;
    const struct event *facts;
    size_t n;
};

static void
draft_facts(struct wake *w, const struct draft *d, struct fact_list *l)
{
    for (size_t i = 0; i < d->n; i++) {
        struct fact *f = fact_new(w, EVENT_NONE);
        int64_t now = f->e.at_ms;
        f->e = d->facts[i];
        if (f->e.at_ms == 0)
            f->e.at_ms = now;
        fact_add(w, l, f);
    }
}

static int
draft_write(struct wake *w, const struct draft *d, const struct fact_list *l,
    struct err *err)
{
    struct store_wake row = {.start_ms = w->start_ms,
        .wall_us = fs_mono_us() - w->start_us,
        .events = (uint32_t)w->n_entries,
        .cause = "verb"};
    snprintf(w->row.project, sizeof w->row.project, "%s", d->file);
    w->signed_hash = d->hash;
    w->signed_canon = d->canon;
    int rc = commit_write(w, l, 0, err);
    return rc != 0 ? rc : store_wake_add(w->st, w->row.id, &row, err);
}

static int
create_in_txn(struct wake *w, const struct draft *d, const struct fact_list *l,
    struct err *err)
{
    int rc = store_begin(w->st, err);
    if (rc != 0)
        return rc;
    rc = store_campaign_create(w->st, w->core->spec.model, d->file, d->hash,
        d->canon, wake_now_ms(), &w->row.id, err);
    if (rc == 0)
        rc = draft_write(w, d, l, err);
    if (rc != 0) {
        store_rollback(w->st);
        return rc;
    }
    return store_commit(w->st, err);
}

int
wake_create(struct store *st, const char *project_file,
    const char *project_hash, const char *project_canon,
    const struct event *facts, size_t n, const struct wake_opts *opts,
    uint32_t *campaign, struct err *err)
{
    const struct draft d = {
        project_file, project_hash, project_canon, facts, n};
    struct wake w;
    struct wake_result out = {0};
    struct fact_list l = {0};
    wake_init(&w, st, 0, opts, &out);
    w.core = mem_calloc(1, sizeof *w.core);
    draft_facts(&w, &d, &l);
    int rc = facts_advance(&w, &l, err);
    if (rc == 0)
        rc = create_in_txn(&w, &d, &l, err);
    if (rc == 0)
        *campaign = w.row.id;
    wake_fini(&w);
    return rc;
}

static int
redraft_in_txn(struct wake *w, const struct draft *d, const struct fact_list *l,
    struct err *err)
{
    int rc = wake_begin(w, err);
    if (rc != 0)
        return rc;
    rc = store_log_drop(w->st, w->row.id, err);
    if (rc == 0)
        rc = draft_write(w, d, l, err);
    if (rc != 0) {
        store_rollback(w->st);
        return rc;
    }
    return wake_end(w, err);
}

static int
redraft_body(struct wake *w, const struct draft *d, struct err *err)
{
    struct fact_list l = {0};
    int rc = wake_load(w, err);
    if (rc != 0)
        return rc;
    if (w->core->state != CAMPAIGN_DRAFT && w->core->state != CAMPAIGN_APPROVED)
        return err_set(err, -ERR_REFUSED,
            "C%u is %s: only a campaign that has not started is drafted anew",
            w->row.id, campaign_state_name(w->core->state));
    core_clear(w->core);
    w->attention[0] = '\0';
    draft_facts(w, d, &l);
    rc = facts_advance(w, &l, err);
    return rc != 0 ? rc : redraft_in_txn(w, d, &l, err);
}

int
wake_redraft(struct store *st, uint32_t campaign, const char *project_hash,
    const char *project_canon, const struct event *facts, size_t n,
    const struct wake_opts *opts, struct err *err)
{
    struct wake w;
    struct wake_result out = {0};
    struct draft d = {NULL, project_hash, project_canon, facts, n};
    char file[STORE_PATH_LEN];
    wake_init(&w, st, campaign, opts, &out);
    int rc = store_campaign_get(st, campaign, &w.row, err);
    if (rc == 0)
        rc = lease_wait(st, campaign,
            opts->lease_wait_ms > 0 ? opts->lease_wait_ms : 10000, &w.lease,
            err);
    if (rc == 0) {
        snprintf(file, sizeof file, "%s", w.row.project);
        d.file = file;
        rc = redraft_body(&w, &d, err);
    }
    lease_drop(st, &w.lease);
    wake_fini(&w);
    return rc;
}
