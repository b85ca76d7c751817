/* Knob domains, conditions, scales and texts. */
#include "core/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct spec s;

static void
spec_make(void)
{
    memset(&s, 0, sizeof s);
    s.n_knobs = 4;
    s.knob[0] = (struct knob){.name = "model",
        .kind = KNOB_CHOICE,
        .n_values = 3,
        .values = {"fm", "dcn", "mlp"}};
    s.knob[1] = (struct knob){.name = "layers",
        .kind = KNOB_INT,
        .lo = 1,
        .hi = 4,
        .deflt = 2,
        .n_when = 1,
        .when = {{COND_EQ, 0, 1}}};
    s.knob[2] = (struct knob){.name = "lr",
        .kind = KNOB_FLOAT,
        .lo = 1e-4,
        .hi = 1,
        .log = true,
        .deflt = .01};
    /* not (model == fm) and layers == 4 */
    s.knob[3] = (struct knob){.name = "residual",
        .kind = KNOB_BOOL,
        .n_when = 4,
        .when = {{COND_EQ, 0, 0}, {COND_NOT, 0, 0}, {COND_EQ, 1, 4},
            {COND_AND, 0, 0}}};
}

static void
conditions(void **state)
{
    struct config c;
    (void)state;
    spec_make();
    config_default(&s, &c);
    assert_true(knob_is_active(&s, &c, 0));
    assert_false(knob_is_active(&s, &c, 1));
    assert_false(knob_is_active(&s, &c, 3));
    c.v[0] = 1;
    assert_true(knob_is_active(&s, &c, 1));
    c.v[1] = 4;
    c.v[3] = 1;
    assert_true(knob_is_active(&s, &c, 3));
    config_canon(&s, &c);
    assert_true(c.v[3] == 1);
    /* layers goes inactive, and with it what depends on its value */
    c.v[0] = 2;
    config_canon(&s, &c);
    assert_true(c.v[1] == 2 && c.v[3] == 0);
}

static void
domains(void **state)
{
    static const struct {
        uint32_t knob;
        double v;
        bool ok;
    } rows[] = {{0, 0, true}, {0, 2, true}, {0, 3, false}, {0, .5, false},
        {0, -1, false}, {1, 1, true}, {1, 2.5, false}, {1, 5, false},
        {2, 1e-4, true}, {2, 9e-5, false}, {3, 1, true}, {3, 2, false}};
    (void)state;
    spec_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(
            knob_accepts(&s.knob[rows[i].knob], rows[i].v), rows[i].ok);
    assert_false(knob_accepts(&s.knob[2], __builtin_nan("")));
}

static void
scales(void **state)
{
    (void)state;
    spec_make();
    assert_float_equal(knob_to_unit(&s.knob[2], .01), .5, 1e-12);
    assert_float_equal(knob_from_unit(&s.knob[2], .25), 1e-3, 1e-12);
    assert_true(knob_from_unit(&s.knob[1], .4) == 2);
    assert_true(knob_from_unit(&s.knob[1], 7) == 4);
    assert_float_equal(knob_to_unit(&s.knob[0], 1), .5, 1e-12);
}

static void
texts(void **state)
{
    char out[64];
    struct knob set = {
        .kind = KNOB_SET, .n_values = 3, .values = {"user", "item", "hour"}};
    (void)state;
    spec_make();
    knob_format(&s.knob[2], .1, out, sizeof out);
    assert_string_equal(out, "0.1");
    knob_format(&s.knob[2], 1.0 / 3, out, sizeof out);
    assert_string_equal(out, "0.3333333333333333");
    knob_format(&s.knob[0], 1, out, sizeof out);
    assert_string_equal(out, "dcn");
    knob_format(&s.knob[3], 1, out, sizeof out);
    assert_string_equal(out, "true");
    knob_format(&set, 5, out, sizeof out);
    assert_string_equal(out, "user,hour");
    knob_format(&set, 0, out, sizeof out);
    assert_string_equal(out, "");
    assert_int_equal(knob_format(&set, 7, out, 6), 14);
    assert_string_equal(out, "user,");
}

static void
candidates(void **state)
{
    struct config c;
    (void)state;
    spec_make();
    config_default(&s, &c);
    assert_true(config_is_valid(&s, &c));
    s.n_candidates = 1;
    memcpy(s.candidate[0], c.v, sizeof c.v);
    s.candidate[0][2] = .1;
    assert_false(config_is_valid(&s, &c));
    c.v[2] = .1;
    assert_true(config_is_valid(&s, &c));
}

static void
goals(void **state)
{
    struct metric m = {.goal = GOAL_MIN};
    (void)state;
    assert_true(metric_signed(&m, 2) == -2);
    m.goal = GOAL_TARGET;
    m.target = 1;
    assert_true(metric_signed(&m, 1.5) == -.5);
    assert_true(metric_signed(&m, .5) == -.5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions),
        cmocka_unit_test(domains),
        cmocka_unit_test(scales),
        cmocka_unit_test(texts),
        cmocka_unit_test(candidates),
        cmocka_unit_test(goals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
