/* Who gets the next money of a pool, as a table of ledgers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

enum { U = MICRO };

static struct pool_member
member(uint32_t id, double worth, int64_t held, int64_t least)
{
    struct pool_member m = {.campaign = id,
        .live = true,
        .weight = 1,
        .held_u = held * U,
        .floor_u = 10 * U,
        .signed_u = 100 * U};
    m.worth.wants = true;
    m.worth.least_u = least * U;
    m.worth.tranche_u = 4 * U;
    m.worth.trial_u = U;
    for (int i = 0; i < POOL_STEPS; i++)
        m.worth.slope[i] = worth / (1 + i);
    return m;
}

static void
money_goes_where_a_trial_is_worth_most(void **state)
{
    (void)state;
    struct pool_member m[2] = {member(1, .1, 10, 1), member(2, 1, 10, 1)};
    struct pool_grant g;
    pool_choose(m, 2, 1, 40 * (int64_t)U, &g);
    assert_int_equal(g.grant_u, 4 * U);
    assert_false(g.last);
    assert_int_equal(g.first, 1);
    /* all that is left is dealt to the other one: this one waits */
    pool_choose(m, 2, 0, 40 * (int64_t)U, &g);
    assert_int_equal(g.grant_u, 0);
    assert_false(g.last);
    assert_non_null(strstr(g.why, "waits for the pool"));
    /* with enough for both it need not */
    pool_choose(m, 2, 0, 400 * (int64_t)U, &g);
    assert_int_equal(g.grant_u, 4 * U);
    /* weight counts */
    m[0].weight = 100;
    pool_choose(m, 2, 0, 40 * (int64_t)U, &g);
    assert_int_equal(g.grant_u, 4 * U);
}

static void
ends_are_told(void **state)
{
    (void)state;
    struct pool_member m[2] = {member(1, .001, 10, 1), member(2, 1, 10, 1)};
    struct pool_grant g;
    pool_choose(m, 2, 0, 110 * (int64_t)U, &g); /* all for the other one */
    assert_true(g.last && g.grant_u == 0);
    assert_non_null(strstr(g.why, "more budget would not pay"));
    pool_choose(m, 2, 0, 400 * (int64_t)U, &g); /* more than that one may get */
    assert_int_equal(g.grant_u, 4 * U);
    for (int i = 0; i < POOL_STEPS; i++)
        m[0].worth.slope[i] = 0;
    pool_choose(m, 2, 0, 400 * (int64_t)U, &g);
    assert_true(g.last && g.grant_u == 0);
    pool_choose(m, 2, 1, 20 * (int64_t)U, &g);
    assert_true(g.last && g.grant_u == 0);
    assert_non_null(strstr(g.why, "used up"));
    m[1].held_u = m[1].signed_u;
    pool_choose(m, 2, 1, 400 * (int64_t)U, &g);
    assert_true(g.last && g.grant_u == 0);
    /* what is left would not start a job */
    m[1] = member(2, 1, 10, 3);
    pool_choose(m, 2, 1, 22 * (int64_t)U, &g);
    assert_true(g.last && g.grant_u == 0);
}

static void
floors_of_others_are_kept(void **state)
{
    (void)state;
    struct pool_member m[2] = {member(1, 1, 10, 1), member(2, 0, 0, 1)};
    struct pool_grant g;
    m[1].live = false; /* a draft */
    pool_choose(m, 2, 0, 20 * (int64_t)U, &g);
    assert_true(g.last && g.grant_u == 0);
    pool_choose(m, 2, 0, 22 * (int64_t)U, &g);
    assert_int_equal(g.grant_u, 2 * U);
    /* one that stands at a gate takes no part in the deal */
    m[1] = member(2, 5, 10, 1);
    m[1].live = false;
    pool_choose(m, 2, 0, 24 * (int64_t)U, &g);
    assert_int_equal(g.grant_u, 4 * U);
}

/* Among those that ask, somebody always gets an answer. */
static void
nobody_waits_for_nobody(void **state)
{
    (void)state;
    static const double worth[] = {.005, .03, .03, .5, 3};
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++)
            for (int64_t total = 20; total < 60; total++) {
                struct pool_member m[2] = {
                    member(1, worth[a], 10, 1), member(2, worth[b], 10, 1)};
                struct pool_grant x, y;
                pool_choose(m, 2, 0, total * U, &x);
                pool_choose(m, 2, 1, total * U, &y);
                assert_true(x.grant_u > 0 || x.last || y.grant_u > 0 || y.last);
                assert_true(x.grant_u <= (total - 20) * U);
                assert_true(y.grant_u <= (total - 20) * U);
            }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_goes_where_a_trial_is_worth_most),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(floors_of_others_are_kept),
        cmocka_unit_test(nobody_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
