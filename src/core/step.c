/* The engine's one door: apply an event, then say what is decided next. Called
 * by wake for live campaigns, by replay, and by the simulator.
 * Invariant: a refused event leaves *c untouched, and the state is a function
 * of the event log alone. */
#include "core/parts.h"

#include "base/err.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A step can lead to many decisions (a full queue, a judged phase), never to
 * an endless row of them. */
enum { DECISIONS_MAX = 4096 };

void
core_clear(struct core *c)
{
    memset(c->experiment, 0, c->n_experiments * sizeof c->experiment[0]);
    memset(c->trial, 0, c->n_trials * sizeof c->trial[0]);
    memset(c->job, 0, sizeof *c - offsetof(struct core, job));
    memset(c, 0, offsetof(struct core, experiment));
}

typedef int apply_fn(struct core *c, const struct event *e, struct update *u);

static apply_fn *const apply_table[EVENT_COUNT] = {
#define EVENT(name, who, file, text) [EVENT_##name] = name##_apply,
#include "core/flow.def"
#undef EVENT
};

int
refuse(struct update *u, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(u->why, sizeof u->why, fmt, ap);
    va_end(ap);
    return -ERR_REFUSED;
}

bool
decide(struct update *u, enum event_kind kind, const char *fmt, ...)
{
    memset(&u->next, 0, sizeof u->next);
    u->next.kind = kind;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(u->next_why, sizeof u->next_why, fmt, ap);
    va_end(ap);
    u->next.why = u->next_why;
    return true;
}

bool
core_decide(const struct core *c, struct update *u)
{
    u->has_next = false;
    bool settles = c->state == CAMPAIGN_RUNNING ||
                   c->state == CAMPAIGN_PAUSED || c->state == CAMPAIGN_HALTED;
    if (settles && trial_decide(c, u))
        u->has_next = true;
    else if (c->state == CAMPAIGN_RUNNING)
        u->has_next =
            job_decide(c, u) || (!budget_lacks(c, NULL) && phase_decide(c, u));
    return u->has_next;
}

int
core_apply(struct core *c, const struct event *e, struct update *u)
{
    u->has_next = false;
    u->why[0] = '\0';
    if (e->kind == EVENT_NONE || e->kind >= EVENT_COUNT)
        return refuse(u, "unknown event %" PRIu32, e->kind);
    if (c->state == CAMPAIGN_NONE && e->kind != EVENT_campaign_drafted)
        return refuse(
            u, "%s before the campaign was drafted", event_name(e->kind));
    if (e->seq != 0 && e->seq != c->seq + 1)
        return refuse(
            u, "event %" PRIu64 " does not follow %" PRIu64, e->seq, c->seq);
    int rc = apply_table[e->kind](c, e, u);
    if (rc != 0)
        return rc;
    assert(c->spent_u >= 0 && c->reserved_u >= 0);
    assert(c->spent_u + c->reserved_u <= c->approved_u);
    c->seq++;
    if (e->at_ms > c->now_ms) /* a wall clock may jump back: time does not */
        c->now_ms = e->at_ms;
    return 0;
}

int
core_step(struct core *c, const struct event *e, struct update *u)
{
    int rc = core_apply(c, e, u);
    if (rc == 0)
        core_decide(c, u);
    return rc;
}

int
core_advance(struct core *c, const struct event *fact, struct update *u,
    void (*sink)(void *ctx, const struct event *e), void *ctx)
{
    struct event e = *fact;
    e.seq = c->seq + 1;
    int rc = core_step(c, &e, u);
    if (rc != 0)
        return rc;
    sink(ctx, &e);
    for (int i = 0; u->has_next; i++) {
        assert(i < DECISIONS_MAX);
        char why[WHY_LEN];
        e = u->next;
        memcpy(why, u->next_why, sizeof why);
        e.why = why;
        e.seq = c->seq + 1;
        e.at_ms = fact->at_ms;
        rc = core_step(c, &e, u);
        assert(rc == 0);
        sink(ctx, &e);
    }
    return 0;
}

uint32_t
core_actions(const struct core *c, struct action *out, uint32_t cap)
{
    uint32_t n = 0;
    struct action a;
    for (uint32_t i = 0; i < c->n_jobs; i++) {
        const struct job *j = &c->job[i];
        bool unwanted = j->cancelled || c->state == CAMPAIGN_STOPPED;
        if (j->submitted && !unwanted)
            continue;
        a = (struct action){
            unwanted ? ACTION_CANCEL : ACTION_SUBMIT, j->id, j->trial};
        if (n < cap)
            out[n] = a;
        n++;
    }
    bool reading = c->sealed_open && c->spec.sealed < c->spec.n_metrics;
    for (uint32_t i = 0; reading && i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->phase != PHASE_CONFIRMATION || t->state != TRIAL_OK ||
            t->window != c->window || t->sealed_known)
            continue;
        if (n < cap)
            out[n] = (struct action){ACTION_OPEN_SEALED, 0, i + 1};
        n++;
    }
    bool ended = c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED;
    if (ended && c->started && !c->learnt && c->n_jobs == 0) {
        if (n < cap)
            out[n] = (struct action){ACTION_KEEP_INSIGHTS, 0, 0};
        n++;
    }
    return n;
}
