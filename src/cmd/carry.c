/* The engineer's own ideas survive a new draft of the same plan. Called by
 * plan. Invariant: an idea is carried only when its knobs mean the same. */
#include "cmd/draft.h"

#include <stdlib.h>
#include <string.h>

struct carry {
    struct arena *arena;
    struct event *idea;
    uint32_t n, ids; /* ids: hypotheses of this draft so far */
    uint64_t dropped;
    uint32_t id[HYPOTHESES_MAX];
};

static const char *
text_kept(struct arena *a, const char *s)
{
    return s != NULL ? arena_strdup(a, s) : NULL;
}

static int
carry_event(void *ctx, const struct event *e)
{
    struct carry *k = ctx;
    if (e->kind == EVENT_campaign_drafted) {
        k->n = k->ids = 0;
        k->dropped = 0;
    } else if (e->kind == EVENT_hypothesis_dropped && e->hypothesis <= 64) {
        k->dropped |= UINT64_C(1) << (e->hypothesis - 1);
    } else if (e->kind == EVENT_hypothesis_added) {
        k->ids++;
        if (e->source != SOURCE_ENGINEER || k->n >= HYPOTHESES_MAX)
            return 0;
        struct event *copy = &k->idea[k->n];
        *copy = *e;
        copy->seq = 0;
        copy->at_ms = 0;
        copy->statement = text_kept(k->arena, e->statement);
        copy->rationale = text_kept(k->arena, e->rationale);
        copy->evidence = text_kept(k->arena, e->evidence);
        copy->key = text_kept(k->arena, e->key);
        copy->by = text_kept(k->arena, e->by);
        copy->why = text_kept(k->arena, e->why);
        copy->patch = text_kept(k->arena, e->patch);
        copy->class = text_kept(k->arena, e->class);
        copy->paths = text_kept(k->arena, e->paths);
        k->id[k->n++] = k->ids;
    }
    return 0;
}

static bool
knobs_same(const struct spec *a, const struct spec *b)
{
    if (a->n_knobs != b->n_knobs)
        return false;
    for (uint32_t k = 0; k < a->n_knobs; k++)
        if (strcmp(a->knob[k].name, b->knob[k].name) != 0 ||
            a->knob[k].kind != b->knob[k].kind ||
            a->knob[k].n_values != b->knob[k].n_values ||
            memcmp(a->knob[k].values, b->knob[k].values,
                sizeof a->knob[k].values) != 0)
            return false;
    return true;
}

int
draft_carry(struct call *call, struct store *st, uint32_t campaign,
    const struct spec *spec, struct event **out, uint32_t *n, uint32_t *lost,
    struct err *err)
{
    struct carry k = {.arena = call->arena};
    struct core *c = NULL;
    *n = *lost = 0;
    int rc = store_load(st, campaign, &c, err);
    if (rc != 0)
        return rc;
    k.idea = arena_alloc(call->arena, HYPOTHESES_MAX * sizeof *k.idea);
    rc = store_events(st, campaign, 1, carry_event, &k, err);
    bool same = knobs_same(&c->spec, spec);
    free(c);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < k.n; i++) {
        if (k.dropped >> (k.id[i] - 1) & 1)
            continue;
        if (same)
            k.idea[(*n)++] = k.idea[i];
        else
            (*lost)++;
    }
    *out = k.idea;
    return 0;
}
