/* Which ideas are crossed: those that can be, even when the best one alone
 * excludes all others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "core/parts.h"

#include <stdlib.h>

enum { KNOBS = 3, IDEAS = 4 };

/* Ideas 1 to 3 change one knob each, idea 4 all of them. */
static struct core *
promoted(const double *gain, struct analysis *a)
{
    struct core *c = mem_calloc(1, sizeof *c);
    struct spec *s = &c->spec;
    s->n_knobs = KNOBS;
    for (uint32_t k = 0; k < KNOBS; k++)
        s->knob[k] = (struct knob){.kind = KNOB_FLOAT, .hi = 1};
    s->n_metrics = s->sealed = 1;
    s->metric[0] = (struct metric){.role = METRIC_PRIMARY, .min_gain = 1e-3};
    s->fidelity_knob = -1;
    s->unit = UNIT_TRIALS;
    s->reserve_train_u = MICRO;
    s->phases = (1u << PHASE_COUNT) - 2;
    c->approved_u = 100 * (int64_t)MICRO;
    c->n_hypotheses = IDEAS;
    c->n_experiments = IDEAS + 1;
    a->s2 = 1e-8;
    a->df = 20;
    a->arm[0].n = 5;
    for (uint32_t i = 0; i < IDEAS; i++) {
        struct hypothesis *h = &c->hypothesis[i];
        h->experiment = i + 1;
        h->verdict = VERDICT_PROMOTE;
        h->n_over = i < KNOBS ? 1 : KNOBS;
        for (uint32_t o = 0; o < h->n_over; o++)
            h->over[o] = (struct override){i < KNOBS ? i : o, .5};
        c->experiment[i + 1] = (struct experiment){
            .kind = EXPERIMENT_SINGLE, .mask = UINT64_C(1) << i, .prior_sd = 1};
        a->arm[i + 1] = (struct arm){.n = 1, .d = gain[i], .q = 1.2};
    }
    return c;
}

static void
test_choose(void **state)
{
    (void)state;
    static const struct {
        double gain[IDEAS];
        uint64_t mask;
    } cases[] = {
        {{.003, .002, .001, .0005}, 7}, /* all three beat what excludes them */
        {{.003, .002, .001, .0031}, 7}, /* also when it is the best alone */
        {{.003, .002, -.1, .0031}, 3},  /* a loss is not crossed */
        {{.003, -.1, -.1, .0031}, 0},   /* nothing to cross */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arm arm[IDEAS + 1] = {0};
        struct analysis a = {.arm = arm};
        struct core *c = promoted(cases[i].gain, &a);
        assert_int_equal(combination_choose(c, &a), cases[i].mask);
        free(c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choose)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
