/* Facts in, one transaction out: the engine advances in memory first, then the
 * events, the snapshot and every book that belongs to them are written at
 * once. Called by all steps of a wake. Invariant: what is in memory is what
 * the log says; after a failed write the state is read from the log again. */
#include "wake/part.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fact *
fact_new(struct wake *w, enum event_kind kind)
{
    struct fact *f = arena_alloc(&w->arena, sizeof *f);
    f->e.kind = kind;
    f->e.at_ms = wake_now_ms();
    return f;
}

void
fact_add(struct wake *w, struct fact_list *l, struct fact *f)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 8 : 2 * l->cap;
        struct fact **more = arena_alloc(&w->arena, cap * sizeof *more);
        if (l->n > 0)
            memcpy(more, l->fact, l->n * sizeof *more);
        l->fact = more;
        l->cap = cap;
    }
    l->fact[l->n++] = f;
}

static void
attention_note(struct wake *w, const struct event *e)
{
    if (e->kind == EVENT_campaign_halted || e->kind == EVENT_project_changed)
        snprintf(w->attention, sizeof w->attention, "%s",
            e->why != NULL ? e->why : event_meaning(e->kind));
    else if (e->kind == EVENT_campaign_resumed ||
             e->kind == EVENT_plan_drafted || e->kind == EVENT_plan_approved ||
             e->kind == EVENT_campaign_stopped)
        w->attention[0] = '\0';
    else if (e->kind == EVENT_answer_arrived && e->trial != 0 &&
             w->attention[0] != '\0') {
        const char *gate = arena_strdup(&w->arena, w->attention);
        snprintf(w->attention, sizeof w->attention,
            "%.60s suggests %s (rea why T%u); %s",
            e->by != NULL ? e->by : "a model",
            e->remedy != REMEDY_NONE ? remedy_name(e->remedy) : "a question",
            e->trial, gate);
    }
}

static void
log_add(void *ctx, const struct event *e)
{
    struct wake *w = ctx;
    size_t n = event_encode(e, NULL, 0);
    if (w->n_entries == w->cap_entries) {
        w->cap_entries = w->cap_entries == 0 ? 16 : 2 * w->cap_entries;
        w->entry = mem_realloc(w->entry, w->cap_entries * sizeof *w->entry);
    }
    struct log_entry *entry = &w->entry[w->n_entries++];
    *entry = (struct log_entry){e->seq, e->kind, w->log.len, n,
        e->why != NULL ? arena_strdup(&w->arena, e->why) : NULL};
    unsigned char *record = mem_calloc(n, 1);
    event_encode(e, record, n);
    buf_add(&w->log, record, n);
    free(record);
    attention_note(w, e);
    w->best_stale = w->best_stale || e->kind == EVENT_trial_closed ||
                    e->kind == EVENT_finalist_judged ||
                    e->kind == EVENT_hypothesis_judged ||
                    e->kind == EVENT_proposal_made;
    if (e->why != NULL)
        snprintf(w->out->why, sizeof w->out->why, "%s", e->why);
}

int
wake_load(struct wake *w, struct err *err)
{
    uint64_t epoch = w->row.epoch;
    free(w->core);
    w->core = NULL;
    int rc = store_campaign_get(w->st, w->row.id, &w->row, err);
    if (rc == 0)
        rc = store_load(w->st, w->row.id, &w->core, err);
    if (rc == 0 && w->fenced && w->row.epoch != epoch)
        rc = err_set(err, -ERR_BUSY,
            "C%u was taken over by a later wake; this one ends", w->row.id);
    if (rc == 0)
        snprintf(
            w->attention, sizeof w->attention, "%s", w->row.brief.attention);
    return rc;
}

static int
fence_pass(struct wake *w, struct err *err)
{
    int rc = 0;
    if (!w->fenced) {
        rc = store_fence(w->st, w->row.id, w->row.epoch, err);
    } else {
        struct store_campaign now;
        rc = store_campaign_get(w->st, w->row.id, &now, err);
        if (rc == 0 && now.epoch != w->row.epoch)
            rc = err_set(err, -ERR_BUSY,
                "C%u was taken over by a later wake; this one ends", w->row.id);
    }
    if (rc != 0)
        store_rollback(w->st);
    return rc;
}

int
wake_begin(struct wake *w, struct err *err)
{
    int rc = store_begin(w->st, err);
    return rc == 0 ? fence_pass(w, err) : rc;
}

int
wake_end(struct wake *w, struct err *err)
{
    int rc = store_commit(w->st, err);
    if (rc != 0)
        return rc;
    if (!w->fenced)
        w->row.epoch++;
    w->fenced = true;
    return 0;
}

static int
books_write(struct wake *w, const struct fact *f, struct err *err)
{
    uint32_t id = w->row.id;
    int rc = 0;
    if (f->token != NULL) {
        bool fresh = false;
        rc = store_inbox_add(w->st, id, f->token, event_name(f->e.kind),
            reason_name(f->e.reason), &fresh, err);
        if (rc == 0 && !fresh)
            rc = err_set(err, -ERR_CORRUPT,
                "the end of %s was applied before, but its job is still in "
                "flight",
                f->token);
    }
    if (rc == 0 && f->attempt != NULL)
        rc = store_attempt_put(w->st, f->attempt, err);
    if (rc == 0 && f->fault.host != NULL)
        rc = store_node_fault(w->st, &f->fault, err);
    for (uint32_t i = 0; rc == 0 && i < f->n_sealed; i++)
        rc = store_sealed_put(w->st, id, f->sealed[i].trial,
            f->sealed[i].metric, f->sealed[i].value, err);
    return rc;
}

/* No job waits for a slot any more when none is wanted. */
static int
pending_write(struct wake *w, struct err *err)
{
    if (!w->row.pending)
        return 0;
    for (uint32_t i = 0; i < w->core->n_jobs; i++) {
        const struct job *j = &w->core->job[i];
        if (w->core->state == CAMPAIGN_RUNNING && !j->submitted &&
            !j->cancelled)
            return 0;
    }
    w->row.pending = false;
    return store_campaign_pending(w->st, w->row.id, false, err);
}

static int
signed_write(struct wake *w, struct err *err)
{
    if (w->signed_hash == NULL)
        return 0;
    int rc = store_campaign_project(
        w->st, w->row.id, w->signed_hash, w->signed_canon, err);
    return rc != 0 ? rc
                   : project_keep(
                         w->st, w->row.id, w->row.project, w->signed_hash, err);
}

int
commit_write(struct wake *w, const struct fact_list *l, double used_before,
    struct err *err)
{
    uint32_t id = w->row.id;
    struct store_brief brief;
    int rc = signed_write(w, err);
    for (size_t i = 0; rc == 0 && i < w->n_entries; i++) {
        const struct log_entry *e = &w->entry[i];
        rc = store_append_record(
            w->st, id, e->seq, e->kind, w->log.data + e->at, e->len, err);
    }
    for (size_t i = 0; rc == 0 && i < l->n; i++)
        rc = books_write(w, l->fact[i], err);
    /* Here, not when the wake closes: that would be a sync more. */
    brief_fill(w, w->best_stale, &brief);
    if (rc == 0)
        rc = store_snapshot(w->st, id, w->core, &brief, err);
    if (rc == 0)
        rc = pool_write(w, err);
    if (rc == 0)
        rc = notify_add(w, used_before, err);
    if (rc == 0)
        w->row.brief = brief;
    return rc != 0 ? rc : pending_write(w, err);
}

/* Stop and settlement must be written even on a full disk: they free room. */
static bool
is_urgent(const struct fact_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        uint32_t kind = l->fact[i]->e.kind;
        if (kind == EVENT_campaign_stopped || kind == EVENT_job_ended ||
            kind == EVENT_campaign_paused)
            return true;
    }
    return false;
}

static int
commit_once(struct wake *w, const struct fact_list *l, double used_before,
    struct err *err)
{
    int rc = wake_begin(w, err);
    if (rc != 0)
        return rc;
    rc = commit_write(w, l, used_before, err);
    if (rc == 0 && w->claims_too)
        rc = claims_ahead(w, err);
    if (rc != 0) {
        store_rollback(w->st);
        return rc;
    }
    return wake_end(w, err);
}

int
facts_advance(struct wake *w, const struct fact_list *l, struct err *err)
{
    buf_clear(&w->log);
    w->n_entries = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct event *e = &l->fact[i]->e;
        int rc = core_advance(w->core, e, w->u, log_add, w);
        if (rc != 0)
            return err_set(err, rc, "C%u: %s", w->row.id, w->u->why);
    }
    return 0;
}

int
wake_commit(struct wake *w, const struct fact_list *l, struct err *err)
{
    struct err ignored = {0};
    double before = budget_used(w->core);
    int rc = facts_advance(w, l, err);
    if (rc == 0) {
        rc = commit_once(w, l, before, err);
        if (rc == -ERR_FULL && is_urgent(l) && store_reserve_release(w->st))
            rc = commit_once(w, l, before, err);
    }
    if (rc != 0) {
        w->claimed_seq = 0;
        w->unread = wake_load(w, &ignored) != 0;
        if (w->unread)
            w->core = mem_calloc(1, sizeof *w->core);
        return rc;
    }
    w->events += (uint32_t)w->n_entries;
    w->out->events += (uint32_t)w->n_entries;
    w->row.seq = w->core->seq;
    w->best_stale = false;
    if (w->signed_hash != NULL)
        snprintf(w->row.project_hash, sizeof w->row.project_hash, "%s",
            w->signed_hash);
    w->signed_hash = NULL;
    return 0;
}

static bool
is_failed(const char *attention)
{
    return strncmp(attention, FAILED, sizeof FAILED - 1) == 0;
}

int
wake_close(struct wake *w, struct err *err)
{
    static const char *const cause[] = {"verb", "callback", "sweep", "wait"};
    struct store_brief brief;
    brief_fill(w, false, &brief);
    struct store_wake row = {.start_ms = w->start_ms,
        .wall_us = fs_mono_us() - w->start_us + 1, /* an activation counts */
        .events = w->events};
    snprintf(row.cause, sizeof row.cause, "%s", cause[w->opts->cause]);
    bool changed = memcmp(&brief, &w->row.brief, sizeof brief) != 0;
    bool stuck =
        is_failed(brief.attention) && !is_failed(w->row.brief.attention);
    /* The time it took is worth no sync; what status shows is. */
    int rc = changed || stuck ? store_begin(w->st, err)
                              : store_begin_unsynced(w->st, err);
    if (rc == 0)
        rc = fence_pass(w, err);
    if (rc != 0)
        return rc;
    rc = store_wake_add(w->st, w->row.id, &row, err);
    if (rc == 0 && stuck)
        rc = store_outbox_add(w->st, w->row.id, w->core->seq, "stuck",
            brief.attention, wake_now_ms(), err);
    if (rc == 0 && changed)
        rc = store_campaign_brief(w->st, w->row.id, &brief, err);
    if (rc != 0) {
        store_rollback(w->st);
        return rc;
    }
    return wake_end(w, err);
}
