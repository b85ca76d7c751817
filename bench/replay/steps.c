/* The start of a replayed campaign. Called by drive.c and laps.c. */
#include "steps.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

int
steps_start(const struct steps *x, const struct spec *s, uint64_t seed)
{
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .number = seed};
    int rc = x->tell(x->ctx, &e);
    if (rc == 0 && x->ideas != NULL)
        rc = x->ideas(x->ctx);
    e = (struct event){
        .kind = EVENT_plan_drafted, .hash = "replay", .budget_u = s->total_u};
    if (rc == 0)
        rc = x->tell(x->ctx, &e);
    e.kind = EVENT_plan_approved;
    if (rc == 0)
        rc = x->tell(x->ctx, &e);
    e = (struct event){.kind = EVENT_campaign_started};
    if (rc == 0)
        rc = x->tell(x->ctx, &e);
    free(bytes);
    return rc;
}

uint32_t
steps_candidate(const struct core *c, uint32_t experiment)
{
    const struct spec *s = &c->spec;
    const struct config *config = &c->experiment[experiment].config;
    for (uint32_t i = 0; i < s->n_candidates; i++) {
        struct config row = {0};
        memcpy(row.v, s->candidate[i], sizeof row.v);
        if (config_equal(s, &row, config))
            return i;
    }
    return s->n_candidates;
}
