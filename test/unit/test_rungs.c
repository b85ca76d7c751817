/* Rungs crossed in metric streams of several shapes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "project/rungs.h"

enum { AUC = 0, EPOCH = 1 };

static struct harvest_spec
spec(uint8_t reduce)
{
    struct harvest_spec s = {.n = 2, .primary = AUC};
    s.source[AUC].goal = GOAL_MAX;
    s.source[AUC].reduce = reduce;
    s.source[AUC].mean_n = 2;
    return s;
}

static void
test_reduced(void **state)
{
    static const double rung[] = {1, 2, 4, 8};
    static const double auc[] = {.70, .68, .71, .69, .66};
    static const struct {
        uint8_t how;
        double want[3];
    } row[] = {{REDUCE_LAST, {.70, .68, .69}}, {REDUCE_BEST, {.70, .70, .71}},
        {REDUCE_MEAN_LAST, {.70, .69, .70}}};
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct harvest_spec s = spec(row[i].how);
        struct rung_reader r;
        rungs_init(&r, &s, rung, 4, METRICS_MAX);
        for (int k = 0; k < 5; k++)
            rungs_take(&r, AUC, k + 1, auc[k]);
        assert_int_equal(r.crossed, 3); /* the top is the end, no crossing */
        assert_int_equal(r.n_values, 3);
        for (uint32_t k = 0; k < 3; k++) {
            assert_int_equal(r.value[k].rung, k);
            assert_true(fabs(r.value[k].value - row[i].want[k]) < 1e-12);
        }
    }
}

/* Progress in a metric of its own, before or after the primary of its line. */
static void
test_progress(void **state)
{
    static const double rung[] = {.5, 1, 2};
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct harvest_spec s = spec(REDUCE_LAST);
        struct rung_reader r;
        rungs_init(&r, &s, rung, 3, EPOCH);
        for (int k = 1; k <= 6; k++) {
            if (first == 0)
                rungs_take(&r, EPOCH, 100 * k, .3 * k);
            rungs_take(&r, AUC, 100 * k, .6 + .01 * k);
            if (first == 1)
                rungs_take(&r, EPOCH, 100 * k, .3 * k);
        }
        assert_int_equal(r.n_values, 2);
        assert_true(r.value[0].value == .6 + .01 * 2); /* .6 >= .5 */
        assert_true(r.value[1].value == .6 + .01 * 4); /* 1.2 >= 1 */
    }
}

/* Two rungs at one value: it stands for the higher one. Odd values, progress
 * without a value and values without progress cross nothing. */
static void
test_odd(void **state)
{
    static const double rung[] = {1, 2, 4};
    struct harvest_spec s = spec(REDUCE_LAST);
    struct rung_reader r;
    (void)state;
    rungs_init(&r, &s, rung, 3, METRICS_MAX);
    rungs_take(&r, AUC, 3, NAN);
    rungs_take(&r, AUC, NAN, .5);
    assert_int_equal(r.crossed, 0);
    rungs_take(&r, AUC, 3, .7);
    assert_int_equal(r.crossed, 2);
    assert_int_equal(r.n_values, 1);
    assert_int_equal(r.value[0].rung, 1);
    rungs_init(&r, &s, rung, 3, EPOCH);
    rungs_take(&r, EPOCH, 1, 3);
    rungs_take(&r, AUC, 2, .7); /* another line's */
    assert_int_equal(r.crossed, 0);
    rungs_init(&r, &s, rung, 1, METRICS_MAX);
    rungs_take(&r, AUC, 9, .7); /* one rung is the top alone */
    assert_int_equal(r.n_values, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reduced),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
