/* What the live watch calls ill, and what it leaves alone: rhythm and speed by
 * the job's own measure, and the floor of the baseline's curve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "project/floor.h"
#include "project/pace.h"

#include <math.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static char why[240];

/* A job that reports every gap, with so many steps each, for n reports. */
static int64_t
run(struct pace *p, int64_t now, int n, int64_t gap, double steps)
{
    for (int i = 0; i < n; i++) {
        now += gap;
        pace_beat(p, p->step + steps, now);
        assert_int_equal(pace_judge(p, now, why, sizeof why), PACE_WELL);
    }
    return now;
}

static void
silence_is_told_by_its_rhythm(void **state)
{
    struct pace p;
    (void)state;
    pace_init(&p, 0);
    int64_t now = run(&p, 0, 20, 10 * SECOND, 100);
    assert_int_equal(
        pace_judge(&p, now + 29 * MINUTE, why, sizeof why), PACE_WELL);
    assert_int_equal(
        pace_judge(&p, now + 30 * MINUTE, why, sizeof why), PACE_SILENT);
    assert_non_null(strstr(why, "one came every 10.0 s before"));
    pace_init(&p, 0); /* a report an hour: an evaluation may take a day */
    now = run(&p, 0, 20, 60 * MINUTE, 100);
    assert_int_equal(
        pace_judge(&p, now + 24 * 60 * MINUTE, why, sizeof why), PACE_WELL);
    pace_init(&p, 0); /* too few to know a rhythm */
    now = run(&p, 0, PACE_GAPS_MIN - 1, SECOND, 100);
    assert_int_equal(
        pace_judge(&p, now + 500 * MINUTE, why, sizeof why), PACE_WELL);
}

static void
speed_must_collapse_and_stay(void **state)
{
    struct pace p;
    enum pace_verdict v = PACE_WELL;
    (void)state;
    pace_init(&p, 0);
    int64_t now = run(&p, 0, 40, 10 * SECOND, 100);
    now = run(&p, now, 4, 5 * MINUTE, 100); /* an evaluation, four times */
    now = run(&p, now, 3, 10 * SECOND, 100);
    now = run(&p, now, 60, 80 * SECOND, 100); /* a busy machine: eight times */
    pace_init(&p, 0);
    now = run(&p, 0, 40, 10 * SECOND, 100);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(v, PACE_WELL);
        now += 200 * SECOND;
        pace_beat(&p, p.step + 100, now);
        v = pace_judge(&p, now, why, sizeof why);
    }
    assert_int_equal(v, PACE_SLOW);
    assert_non_null(strstr(why, "0.5 steps a second for 1000 s, 10 before"));
}

/* Output that comes in blocks, epochs that count their own steps, reports
 * without steps, noise of a factor three. */
static void
odd_jobs_are_well(void **state)
{
    struct pace p;
    struct rng r;
    (void)state;
    rng_seed(&r, 7);
    pace_init(&p, 0);
    int64_t now = 0;
    for (int i = 0; i < 4000; i++) {
        now += (int64_t)(5 * MINUTE * exp(rng_normal(&r) * .4));
        pace_beat(&p, (double)(i % 50) * 37, now);
        assert_int_equal(pace_judge(&p, now, why, sizeof why), PACE_WELL);
    }
    pace_init(&p, 0);
    for (int i = 0; i < 100; i++) {
        pace_beat(&p, (double)NAN, now += SECOND);
        assert_int_equal(pace_judge(&p, now, why, sizeof why), PACE_WELL);
    }
    assert_int_equal(p.n_rates, 0);
}

static const struct floor_run runs[] = {
    {.first = .70, .best = .74, .reports = 10},
    {.first = .69, .best = .75, .reports = 12},
    {.first = .71, .best = .75, .reports = 10}};

static void
the_floor_of_a_baseline(void **state)
{
    struct floor_mark m;
    struct floor_run other[3];
    (void)state;
    floor_make(runs, 3, &m);
    assert_true(m.on);
    assert_true(fabs(m.level - (.69 - .04 / 4)) < 1e-12);
    floor_make(runs, 2, &m);
    assert_false(m.on);
    memcpy(other, runs, sizeof other);
    other[1].reports = 3;
    floor_make(other, 3, &m);
    assert_false(m.on);
    memcpy(other, runs, sizeof other);
    other[2].best = other[2].first; /* it learnt nothing: nothing to tell by */
    floor_make(other, 3, &m);
    assert_false(m.on);
}

static bool
falls(uint8_t goal, const double *v, size_t n)
{
    struct floor_watch w = {.mark = {true, .68}, .goal = goal};
    bool fell = false;
    if (goal == GOAL_MIN)
        w.mark.level = -.68;
    for (size_t i = 0; i < n; i++)
        fell = fell || floor_take(&w, v[i]);
    return fell;
}

static void
who_falls_through_it(void **state)
{
    static const double lost[] = {.7, .72, .6, .6, .6},
                        noisy[] = {.7, .6, .6, .7, .6, .6, .7},
                        slow[] = {.5, .5, .55, .6, .69, .7, .71},
                        overfit[] = {.74, .73, .72, .71, .70, .69, .69},
                        never[] = {.5, .5, .5, .5, .5, .5, .5},
                        odd[] = {.7, .6, (double)NAN, .6, .7};
    static const double loss[] = {.6, .5, .9, .9, .9};
    (void)state;
    assert_true(falls(GOAL_MAX, lost, 5));
    assert_false(falls(GOAL_MAX, lost, 4));
    assert_false(falls(GOAL_MAX, noisy, 7));
    assert_false(falls(GOAL_MAX, slow, 7));
    assert_false(falls(GOAL_MAX, overfit, 7));
    assert_false(falls(GOAL_MAX, never, 7));
    assert_false(falls(GOAL_MAX, odd, 5));
    assert_true(falls(GOAL_MIN, loss, 5));
    assert_false(falls(GOAL_MIN, loss, 4));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_told_by_its_rhythm),
        cmocka_unit_test(speed_must_collapse_and_stay),
        cmocka_unit_test(odd_jobs_are_well),
        cmocka_unit_test(the_floor_of_a_baseline),
        cmocka_unit_test(who_falls_through_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
