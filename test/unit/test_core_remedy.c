/* What a retry changes: half the batch, with twice the accumulation where the
 * project has such a knob and its range allows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "core/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH, ACCUM, RATE };

static struct core *
core_make(double accum_hi)
{
    struct core *c = mem_calloc(1, sizeof *c);
    struct spec *s = &c->spec;
    s->n_knobs = 3;
    s->knob[BATCH] = (struct knob){.name = "batch",
        .kind = KNOB_INT,
        .concept = CONCEPT_BATCH_SIZE,
        .lo = 16,
        .hi = 4096};
    s->knob[ACCUM] = (struct knob){.name = "accum",
        .kind = KNOB_INT,
        .concept = CONCEPT_GRAD_ACCUM,
        .lo = 1,
        .hi = accum_hi};
    s->knob[RATE] = (struct knob){.name = "lr",
        .kind = KNOB_FLOAT,
        .concept = CONCEPT_LEARNING_RATE,
        .hi = 1};
    c->n_experiments = 1;
    c->experiment[0].config = (struct config){.v = {512, 1, .1}};
    c->n_trials = 1;
    return c;
}

static void
the_batch_stays_as_large(void **state)
{
    (void)state;
    struct core *c = core_make(8);
    struct override o[OVERRIDES_MAX];
    struct trial *t = &c->trial[0];
    assert_int_equal(runbook_overrides(c, t, REMEDY_RETRY, o), 0);
    assert_int_equal(runbook_overrides(c, t, REMEDY_SHRINK, o), 2);
    assert_int_equal(o[0].knob, BATCH);
    assert_true(o[0].value == 256);
    assert_int_equal(o[1].knob, ACCUM);
    assert_true(o[1].value == 2);
    t->shrinks = 2; /* the third time, and the rate was halved once */
    t->stabilises = 1;
    assert_int_equal(runbook_overrides(c, t, REMEDY_SHRINK, o), 3);
    assert_true(o[0].value == 64 && o[1].value == 8);
    assert_true(o[2].knob == RATE && o[2].value == .05);
    free(c);
}

static void
the_range_of_accumulation_holds(void **state)
{
    (void)state;
    struct core *c = core_make(1);
    struct override o[OVERRIDES_MAX];
    char why[WHY_LEN];
    struct trial *t = &c->trial[0];
    assert_int_equal(runbook_overrides(c, t, REMEDY_SHRINK, o), 1);
    assert_int_equal(o[0].knob, BATCH);
    t->reason = REASON_OOM;
    t->failures = 1;
    assert_int_equal(runbook_remedy(c, t, why, sizeof why), REMEDY_SHRINK);
    assert_null(strstr(why, "accumulation"));
    c->spec.knob[ACCUM].hi = 4;
    assert_int_equal(runbook_remedy(c, t, why, sizeof why), REMEDY_SHRINK);
    assert_non_null(strstr(why, "twice the accumulation"));
    free(c);
}

/* What the next attempt of the only trial would reserve: in trials, an attempt
 * that goes on from a checkpoint costs nothing more. */
static int64_t
costs(struct core *c, enum remedy next)
{
    c->trial[0].next_remedy = (uint8_t)next;
    return job_next_u(c, &c->trial[0]);
}

static void
one_goes_back_to_a_good_checkpoint(void **state)
{
    (void)state;
    struct core *c = core_make(8);
    struct trial *t = &c->trial[0];
    c->spec.unit = UNIT_TRIALS;
    c->spec.reserve_train_u = MICRO;
    c->approved_u = c->horizon_u = 100 * MICRO;
    c->spec.has_resume = true;
    t->attempts = 1;
    t->has_checkpoint = true;
    assert_int_equal(costs(c, REMEDY_STABILISE), MICRO); /* none known good */
    assert_int_equal(costs(c, REMEDY_RESUME), 0);
    t->has_good = true;
    assert_int_equal(costs(c, REMEDY_STABILISE), 0);
    assert_int_equal(costs(c, REMEDY_RETRY), MICRO);
    t->stabilises = 1; /* that ran away, too */
    assert_int_equal(costs(c, REMEDY_STABILISE), MICRO);
    t->stabilises = 0;
    c->spec.has_resume = false;
    assert_int_equal(costs(c, REMEDY_STABILISE), MICRO);
    free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_batch_stays_as_large),
        cmocka_unit_test(the_range_of_accumulation_holds),
        cmocka_unit_test(one_goes_back_to_a_good_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
