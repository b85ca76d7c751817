/* The engine's events of a campaign that has no trouble. */
#include "unit/core_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"

static void
ignore(void *ctx, const struct event *e)
{
    (void)ctx;
    (void)e;
}

void
world_tell(struct core *c, const struct event *e)
{
    struct update u = {0};
    assert_int_equal(core_advance(c, e, &u, ignore, NULL), 0);
}

struct core *
world_start(const struct spec *s, uint64_t seed)
{
    struct core *c = mem_calloc(1, sizeof *c);
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .number = seed};
    world_tell(c, &e);
    e = (struct event){
        .kind = EVENT_plan_drafted, .hash = "h", .budget_u = s->total_u};
    world_tell(c, &e);
    e.kind = EVENT_plan_approved;
    world_tell(c, &e);
    e = (struct event){.kind = EVENT_campaign_started};
    world_tell(c, &e);
    free(bytes);
    return c;
}

uint32_t
world_end(struct core *c, double value, int64_t cost_u)
{
    assert_true(c->n_jobs > 0);
    uint32_t job = c->job[0].id, trial = c->job[0].trial;
    uint32_t experiment = c->trial[trial - 1].experiment;
    struct event e = {.kind = EVENT_job_submitted, .job = job};
    world_tell(c, &e);
    e = (struct event){.kind = EVENT_job_ended,
        .job = job,
        .trial = trial,
        .reason = REASON_OK,
        .cost_u = cost_u,
        .n_measures = 1};
    e.measure[0].value = value;
    world_tell(c, &e);
    return experiment;
}
