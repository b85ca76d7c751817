/* Code patches in the engine: identity, conflicts, the gate before the first
 * job, what hibernation keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS = 60 };

static const char A[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char B[] =
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

struct life {
    struct core *c;
    struct update u;
};

static int
give(struct life *l, struct event e)
{
    int rc = core_step(l->c, &e, &l->u);
    while (rc == 0 && l->u.has_next) {
        struct event next = l->u.next;
        char why[WHY_LEN];
        memcpy(why, l->u.next_why, sizeof why);
        next.why = why;
        assert_int_equal(core_step(l->c, &next, &l->u), 0);
    }
    return rc;
}

static struct event
idea(const char *patch, uint32_t excludes, bool gated)
{
    return (struct event){.kind = EVENT_hypothesis_added,
        .source = SOURCE_ENGINEER,
        .mean = 1e-3,
        .sd = 1e-3,
        .patch = patch,
        .excludes = excludes,
        .gated = gated};
}

static struct life
drafted(const char *base_rev)
{
    struct life l = {.c = mem_calloc(1, sizeof(struct core))};
    struct spec *s = mem_calloc(1, sizeof *s);
    s->n_knobs = 1;
    s->knob[0] = (struct knob){
        .name = "lr", .kind = KNOB_FLOAT, .lo = .1, .hi = 1, .deflt = .5};
    s->n_metrics = s->sealed = 1;
    s->metric[0] = (struct metric){
        .name = "auc", .role = METRIC_PRIMARY, .min_gain = 1e-3};
    s->fidelity_knob = -1;
    s->unit = UNIT_TRIALS;
    s->total_u = TRIALS * (int64_t)MICRO;
    s->reserve_train_u = MICRO;
    s->phases = (1u << PHASE_COUNT) - 2;
    s->baseline_seeds = 2;
    s->max_parallel = 1;
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .base_rev = base_rev,
        .number = 3};
    assert_int_equal(give(&l, e), 0);
    free(bytes);
    free(s);
    return l;
}

static void
start(struct life *l)
{
    struct event p = {.kind = EVENT_plan_drafted,
        .hash = "h",
        .budget_u = TRIALS * (int64_t)MICRO};
    assert_int_equal(give(l, p), 0);
    p.kind = EVENT_plan_approved;
    assert_int_equal(give(l, p), 0);
    assert_int_equal(
        give(l, (struct event){.kind = EVENT_campaign_started}), 0);
}

/* Runs what is asked for until nothing is; patches gain. Returns the last
 * experiment that a job was for. */
static void
run(struct life *l)
{
    for (int i = 0; i < 1000; i++) {
        struct action a;
        if (core_actions(l->c, &a, 1) == 0 || a.kind != ACTION_SUBMIT)
            return;
        const struct trial *t = &l->c->trial[a.trial - 1];
        uint32_t patches = l->c->experiment[t->experiment].config.patches;
        assert_int_equal(patches_waiting(l->c, patches), 0);
        assert_true(patches_agree(l->c, patches));
        struct event e = {.kind = EVENT_job_submitted,
            .job = a.job,
            .handle = "h",
            .sandbox = "bwrap"};
        assert_int_equal(give(l, e), 0);
        e = (struct event){.kind = EVENT_job_ended,
            .job = a.job,
            .reason = REASON_OK,
            .n_measures = 1};
        e.measure[0].value =
            .7 + 1e-4 * (t->seed % 7) + 5e-3 * __builtin_popcount(patches);
        assert_int_equal(give(l, e), 0);
    }
    fail_msg("it never ends");
}

static void
needs_base_and_hash(void **state)
{
    (void)state;
    struct life l = drafted(NULL);
    assert_int_equal(give(&l, idea(A, 0, true)), -ERR_REFUSED);
    assert_non_null(strstr(l.u.why, "base commit"));
    free(l.c);
    l = drafted("c0ffee");
    assert_int_equal(give(&l, idea("short", 0, true)), -ERR_REFUSED);
    assert_int_equal(
        give(&l, idea("../../../../etc/passwd", 0, true)), -ERR_REFUSED);
    assert_int_equal(give(&l, idea(A, 1, true)), -ERR_REFUSED);
    assert_int_equal(give(&l, idea(A, 0, true)), 0);
    assert_int_equal(give(&l, idea(A, 0, true)), -ERR_REFUSED);
    assert_non_null(strstr(l.u.why, "same change"));
    assert_int_equal(l.c->n_patches, 1);
    /* the same code with another rate is another idea, of the same patch */
    struct event both = idea(A, 0, false);
    both.n_over = 1;
    both.over[0] = (struct override){0, .9};
    assert_int_equal(give(&l, both), 0);
    assert_int_equal(l.c->n_patches, 1);
    assert_true(l.c->patch[0].gated);
    free(l.c);
}

static void
signed_before_its_first_job(void **state)
{
    (void)state;
    struct life l = drafted("c0ffee");
    assert_int_equal(give(&l, idea(A, 0, true)), 0);
    start(&l);
    run(&l);
    assert_int_equal(l.c->state, CAMPAIGN_HALTED);
    assert_int_equal(l.c->gate_patches, 1);
    for (uint32_t i = 0; i < l.c->n_trials; i++)
        assert_true(
            l.c->trial[i].state == TRIAL_QUEUED ||
            l.c->experiment[l.c->trial[i].experiment].config.patches == 0);
    /* going on without a signature comes back to the gate */
    struct event go = {.kind = EVENT_campaign_resumed};
    assert_int_equal(give(&l, go), 0);
    assert_int_equal(l.c->state, CAMPAIGN_HALTED);
    struct event sign = {.kind = EVENT_patch_approved, .patch = B, .by = "e"};
    assert_int_equal(give(&l, sign), -ERR_REFUSED);
    sign.patch = A;
    assert_int_equal(give(&l, sign), 0);
    assert_int_equal(l.c->state, CAMPAIGN_RUNNING);
    assert_int_equal(give(&l, sign), -ERR_REFUSED);
    run(&l);
    assert_int_equal(l.c->hypothesis[0].verdict, VERDICT_PROMOTE);
    free(l.c);
}

static void
dropped_instead(void **state)
{
    (void)state;
    struct life l = drafted("c0ffee");
    assert_int_equal(give(&l, idea(A, 0, true)), 0);
    start(&l);
    run(&l);
    struct event drop = {.kind = EVENT_hypothesis_dropped, .hypothesis = 1};
    assert_int_equal(give(&l, drop), 0);
    assert_int_equal(
        give(&l, (struct event){.kind = EVENT_campaign_resumed}), 0);
    run(&l);
    for (uint32_t i = 0; i < l.c->n_trials; i++)
        assert_true(
            l.c->trial[i].state != TRIAL_OK ||
            l.c->experiment[l.c->trial[i].experiment].config.patches == 0);
    assert_int_not_equal(l.c->state, CAMPAIGN_HALTED);
    free(l.c);
}

/* Two that gain: together where they apply together, never where they clash. */
static uint32_t
most_patches(uint32_t excludes)
{
    struct life l = drafted("c0ffee");
    uint32_t most = 0;
    assert_int_equal(give(&l, idea(A, 0, false)), 0);
    assert_int_equal(give(&l, idea(B, excludes, false)), 0);
    start(&l);
    run(&l);
    for (uint32_t e = 0; e < l.c->n_experiments; e++) {
        uint32_t n =
            (uint32_t)__builtin_popcount(l.c->experiment[e].config.patches);
        most = n > most ? n : most;
    }
    assert_int_equal(l.c->patch[0].excludes, excludes << 1);
    free(l.c);
    return most;
}

static void
clashes_are_not_combined(void **state)
{
    (void)state;
    assert_int_equal(most_patches(0), 2);
    assert_int_equal(most_patches(1), 1);
}

static void
hibernation_keeps_them(void **state)
{
    (void)state;
    static unsigned char a[1 << 18], b[1 << 18];
    struct life l = drafted("c0ffee");
    struct core *back = mem_calloc(1, sizeof *back);
    assert_int_equal(give(&l, idea(A, 0, true)), 0);
    assert_int_equal(give(&l, idea(B, 1, false)), 0);
    start(&l);
    run(&l);
    size_t n = core_encode(l.c, a, sizeof a);
    memcpy(&back->spec, &l.c->spec, sizeof back->spec);
    assert_int_equal(core_decode(back, a, n), 0);
    assert_string_equal(back->base_rev, "c0ffee");
    assert_string_equal(back->patch[1].sha256, B);
    assert_int_equal(back->patch[0].excludes, 2);
    assert_int_equal(back->hypothesis[1].patch, 2);
    assert_int_equal(core_encode(back, b, sizeof b), n);
    assert_memory_equal(a, b, n);
    free(back);
    free(l.c);
}

static void
events_carry_them(void **state)
{
    (void)state;
    unsigned char bytes[1024];
    struct event e = idea(A, 5, true), back;
    e.base_rev = "c0ffee";
    e.class = "model+loss";
    e.paths = "a.py\nb.py";
    e.added = 3;
    e.removed = 70000;
    e.patches = 9;
    e.sandbox = "bwrap";
    size_t n = event_encode(&e, bytes, sizeof bytes);
    assert_int_equal(event_decode(&back, bytes, n), 0);
    assert_string_equal(back.patch, A);
    assert_string_equal(back.class, "model+loss");
    assert_string_equal(back.paths, "a.py\nb.py");
    assert_int_equal(back.removed, 70000);
    assert_int_equal(back.patches, 9);
    assert_int_equal(back.excludes, 5);
    assert_true(back.gated);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(needs_base_and_hash),
        cmocka_unit_test(signed_before_its_first_job),
        cmocka_unit_test(dropped_instead),
        cmocka_unit_test(clashes_are_not_combined),
        cmocka_unit_test(hibernation_keeps_them),
        cmocka_unit_test(events_carry_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
