/* Changes in shared terms and the pooling of recorded effects. */
#include "research/history.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
changes_are_read(void **state)
{
    (void)state;
    static const struct {
        uint32_t concept;
        const char *from, *to, *direction;
        uint8_t kind;
    } row[] = {
        {CONCEPT_LEARNING_RATE, "0.001", "0.01", "", MOVE_SCALE},
        {CONCEPT_DROPOUT, "0", "0.1", "", MOVE_SHIFT},
        {CONCEPT_EMB_REG, "0", "1e-05", "", MOVE_SWITCH},
        {CONCEPT_BATCH_NORM, "false", "true", "", MOVE_SWITCH},
        {CONCEPT_HIDDEN_UNITS, "[400,400]", "128,64", "", MOVE_SCALE},
        {CONCEPT_OPTIMIZER, "adam", "adagrad", "", MOVE_CHOICE},
        {CONCEPT_LEARNING_RATE, "", "", "x10", MOVE_SCALE},
        {CONCEPT_DROPOUT, "", "", "-0.1", MOVE_SHIFT},
        {CONCEPT_RESIDUAL, "", "", "off", MOVE_SWITCH},
        {CONCEPT_RESIDUAL, "", "", "", MOVE_NONE},
        {CONCEPT_LEARNING_RATE, "", "", "xnan", MOVE_NONE},
        {CONCEPT_LEARNING_RATE, "", "", "x-3", MOVE_NONE},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct move m;
        move_read(&m, row[i].concept, row[i].from, row[i].to, row[i].direction);
        if (m.kind != row[i].kind)
            fail_msg("row %zu: kind %u", i, m.kind);
    }
}

static double
alike(uint32_t concept, const char *a, const char *b, const char *c,
    const char *d, double *sign)
{
    struct move x, y;
    move_read(&x, concept, a, b, "");
    move_read(&y, concept, c, d, "");
    return move_similarity(&x, &y, sign);
}

static void
similarity_is_ordered(void **state)
{
    (void)state;
    const uint32_t lr = CONCEPT_LEARNING_RATE;
    double sign;
    double same = alike(lr, "0.01", "0.1", "0.01", "0.1", &sign);
    assert_true(same == 1 && sign == 1);
    double back = alike(lr, "0.01", "0.1", "0.1", "0.01", &sign);
    assert_true(back == 1 && sign == -1);
    double near = alike(lr, "0.01", "0.1", "0.02", "0.1", &sign);
    double far = alike(lr, "0.01", "0.1", "0.00001", "0.0001", &sign);
    assert_true(same > near && near > far && far > 0 && sign == 1);
    assert_true(
        alike(CONCEPT_MODEL, "fm", "deepfm", "DeepFM", "FM", &sign) == 1);
    assert_true(sign == -1);
    assert_true(alike(CONCEPT_MODEL, "fm", "deepfm", "lr", "dcn", &sign) == 0);
    assert_true(family_similarity("fm", "fm") == 1);
    assert_true(
        family_similarity("fm", "ffm") > family_similarity("fm", "dcnv2"));
}

/* n rows of one effect on the learning rate. */
static void
rows_make(struct record *r, struct insight *row, uint32_t n, double d)
{
    for (uint32_t i = 0; i < n; i++) {
        row[i] = (struct insight){.knob = "lr", .n = 3, .campaign = "u"};
        r[i] = (struct record){.row = &row[i],
            .concept = CONCEPT_LEARNING_RATE,
            .d = d,
            .v = 1e-7,
            .trust = 1,
            .place = "home",
            .family = "fm"};
        move_read(&r[i].move, r[i].concept, "0.01", "0.03", "");
    }
}

static struct draft_prediction
asked(uint32_t n, double d, const char *family)
{
    struct record r[40];
    struct insight row[40];
    struct meta_delta work[64];
    rows_make(r, row, n, d);
    struct history h = {.n = n, .record = r, .work = work};
    struct history_query q = {.concept = CONCEPT_LEARNING_RATE,
        .knob = "lr",
        .family = family,
        .place = "home"};
    move_read(&q.move, q.concept, "0.01", "0.03", "");
    struct history_answer a;
    history_ask(&h, &q, &a);
    return a.p;
}

static void
pooling_shrinks_and_backs_off(void **state)
{
    (void)state;
    struct draft_prediction none = asked(0, 0, "fm");
    assert_true(none.mean == 0 && none.sd == BASE_RATE_SD);
    assert_int_equal(none.level, DRAFT_BASE_RATE);
    struct draft_prediction one = asked(1, 3e-3, "fm");
    struct draft_prediction many = asked(30, 3e-3, "fm");
    struct draft_prediction other = asked(1, 3e-3, "dcnv2");
    assert_int_equal(one.level, DRAFT_EXACT);
    assert_int_equal(other.level, DRAFT_CONCEPT);
    assert_true(0 < other.mean && other.mean < one.mean);
    assert_true(one.mean < many.mean && many.mean < 3e-3);
    assert_true(many.mean > 2.7e-3);
    /* large effects: never surer than the base rate */
    assert_true(many.sd >= BASE_RATE_SD && many.sd <= one.sd);
    assert_true(one.sd <= SINGLE_SD_MAX);
    /* a concept that moves little on record is not expected to move much */
    struct draft_prediction small = asked(30, 1e-4, "fm");
    assert_true(small.sd < .75 * BASE_RATE_SD && small.sd > 1e-4);
}

/* Ten rows of a step from 1e-2 to 3e-2, asked about a step from `from` to `to`;
 * v: variance of their noise. */
static struct history_answer
spread_asked(
    const char *from, const char *to, const char *campaign, double d, double v)
{
    enum { ROWS = 10 };
    struct record r[ROWS];
    struct insight row[ROWS];
    struct meta_delta work[ROWS + 16];
    struct history_answer a;
    rows_make(r, row, ROWS, d);
    for (uint32_t i = 0; i < ROWS; i++) {
        r[i].v = v;
        row[i].campaign = campaign;
    }
    struct history h = {.n = ROWS, .record = r, .work = work};
    struct history_query q = {.concept = CONCEPT_LEARNING_RATE,
        .knob = "lr",
        .family = "fm",
        .place = "home"};
    move_read(&q.move, q.concept, from, to, "");
    history_ask(&h, &q, &a);
    return a;
}

static void
spread_is_of_like_steps(void **state)
{
    (void)state;
    struct history_answer same = spread_asked("0.01", "0.03", "u", 0, 1e-7);
    struct history_answer far = spread_asked("0.0001", "0.1", "u", 0, 1e-7);
    assert_true(same.p.sd < .75 * far.p.sd);
    assert_true(same.own > 9 && far.own < 2);
    /* what the public set holds is nobody's own */
    assert_true(spread_asked("0.01", "0.03", INSIGHT_PUBLIC, 0, 1e-7).own == 0);
    /* effects that are all noise are no effects; clear ones are */
    double noise = spread_asked("0.01", "0.03", "u", 1e-3, 1e-6).p.sd;
    double clear = spread_asked("0.01", "0.03", "u", 1e-3, 1e-8).p.sd;
    assert_true(noise < .95 * clear);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_read),
        cmocka_unit_test(similarity_is_ordered),
        cmocka_unit_test(pooling_shrinks_and_backs_off),
        cmocka_unit_test(spread_is_of_like_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
