/* Preposterior analysis: against closed forms where there are some, and what
 * must hold whatever the constants are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "math/dist.h"
#include "math/outlook.h"

static struct outlook_in
one_idea(const struct outlook_idea *idea, double s2)
{
    return (struct outlook_in){.idea = idea,
        .n_ideas = 1,
        .s2 = s2,
        .min_gain = .1,
        .base_runs = 1e9,
        .validates = true,
        .confirms = true};
}

/* n seeds an arm show gain d when d / (s sqrt(2/n)) exceeds the quantile by as
 * much as the power asks (n = 12.4 (s/d)^2 for one side and known s; a little
 * more here). */
static void
power_follows_the_formula(void **state)
{
    (void)state;
    static const struct {
        double gain, s2, n, power;
    } row[] = {
        {0, 1, 6, .014},   /* a null passes by its lower tail only */
        {1e9, 1, 2, 1},    /* a mountain always */
        {2, 1, 4, .6489},  /* 2 / sqrt(.5) - 2.4469 = .3815 */
        {1, 1, 12, .6466}, /* 1 / sqrt(1/6) - 2.0739 = .3756 */
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        double p = outlook_power(row[i].gain, row[i].s2, row[i].n);
        assert_true(
            fabs(p - row[i].power) < 2e-3 || (row[i].gain == 0 && p < .025));
    }
    assert_int_equal(outlook_seeds(1e9, 1, .9, 12), 2);
    assert_int_equal(outlook_seeds(1e-9, 1, .9, 12), 12);
    uint32_t n = outlook_seeds(2, 1, .9, 12);
    assert_true(
        outlook_power(2, 1, n) >= .9 && outlook_power(2, 1, n - 1) < .9);
}

/* One idea without noise: E[max(0, theta)] = sd f(mean / sd), and what is
 * found is confirmed. */
static void
one_sure_idea_brings_its_positive_part(void **state)
{
    (void)state;
    static const double mean[] = {-1, 0, .5};
    for (int i = 0; i < 3; i++) {
        const struct outlook_idea idea = {mean[i], 1, 1, 0, true, 1};
        struct outlook_in in = one_idea(&idea, 1e-12);
        struct outlook o;
        outlook_run(&in, 40, 10, 4000, 7, &o);
        double want = mean[i] * normal_cdf(mean[i]) + normal_pdf(mean[i]);
        assert_true(fabs(o.gain - want) < .03);
    }
}

/* Noise, a winner's curse and confirmation can only take away. */
static void
noise_makes_the_promise_smaller(void **state)
{
    (void)state;
    const struct outlook_idea idea = {0, 1, 1, 0, true, 1};
    double last = INFINITY;
    for (double s = .01; s < 20; s *= 4) {
        struct outlook_in in = one_idea(&idea, s * s);
        struct outlook o;
        outlook_run(&in, 20, 4, 2000, 3, &o);
        assert_true(o.gain < last + .02);
        assert_true(o.gain <= o.found + 1e-9 || o.passes < 1);
        last = o.gain;
    }
    assert_true(last < .25);
}

/* What was asked for is not overspent, and the draws are the seed's. */
static void
money_is_kept_and_draws_repeat(void **state)
{
    (void)state;
    struct outlook_idea idea[20];
    for (int i = 0; i < 20; i++)
        idea[i] = (struct outlook_idea){
            .1 * (i % 3), 1, 1, 0, true, UINT64_C(1) << i};
    struct outlook_in in = {.idea = idea,
        .n_ideas = 20,
        .s2 = .25,
        .min_gain = .2,
        .base_due = 4,
        .step = -.4,
        .step_sd = .4,
        .validates = true,
        .combines = true,
        .searches = true,
        .confirms = true,
        .confirm_floor = 8,
        .search_floor = 5};
    double last = -1;
    for (double trials = 10; trials <= 160; trials *= 2) {
        struct outlook a, b;
        double n = outlook_validate(&in, trials, 64, 1, &a);
        assert_true(n >= 0 && n <= trials);
        outlook_run(&in, trials, n, 400, 2, &a);
        outlook_run(&in, trials, n, 400, 2, &b);
        assert_true(a.gain == b.gain);
        double spent = a.validation + a.combination + a.search + a.confirmation;
        assert_true(spent <= trials + 1e-9);
        assert_true(a.gain > last);
        last = a.gain;
    }
}

/* Ideas that change the same thing never meet: with all on one knob there is
 * nothing to combine. */
static void
ideas_on_one_knob_are_not_combined(void **state)
{
    (void)state;
    struct outlook_idea idea[4];
    for (int i = 0; i < 4; i++)
        idea[i] = (struct outlook_idea){.5, 2, 1, 0, true, 1};
    struct outlook_in in = one_idea(idea, .01);
    struct outlook o;
    in.n_ideas = 4;
    in.combines = true;
    outlook_run(&in, 60, 20, 200, 1, &o);
    assert_true(o.combination == 0);
    for (int i = 0; i < 4; i++)
        idea[i].uses = UINT64_C(1) << i;
    outlook_run(&in, 60, 20, 200, 1, &o);
    assert_true(o.combination > 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_follows_the_formula),
        cmocka_unit_test(one_sure_idea_brings_its_positive_part),
        cmocka_unit_test(noise_makes_the_promise_smaller),
        cmocka_unit_test(money_is_kept_and_draws_repeat),
        cmocka_unit_test(ideas_on_one_knob_are_not_combined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
