/* Predictions of whole configurations: from trials, from changes, and from an
 * insights database into the candidates of a spec. */
#include "research/predict.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "research/insight.h"

static double
asked(const struct predictor *p, const char *model, const char *dropout)
{
    struct predict_value v = {"net_dropout", CONCEPT_DROPOUT, dropout};
    double sd;
    double y = predictor_ask(p, model, &v, 1, &sd);
    assert_true(sd > 0);
    return y;
}

static void
learns_from_trials(void **state)
{
    (void)state;
    struct predictor *p = predictor_new();
    static const char *const place[] = {"a", "b", "c"};
    for (int i = 0; i < 60; i++) {
        const char *model = i % 2 ? "FM" : "Deep-FM";
        struct predict_value v = {
            "dropout", CONCEPT_DROPOUT, i % 4 < 2 ? "0.1" : "0.50"};
        predictor_trial(p, place[i % 3], model, &v, 1,
            (i % 2 ? 0 : .5) + (i % 4 < 2 ? 0 : .3) + i % 3, 1);
    }
    predictor_fit(p);
    assert_int_equal(predictor_rows(p), 60);
    /* whatever the knob is called and however the value is written */
    assert_true(asked(p, "deepfm", "0.1") > asked(p, "fm", "0.1") + .2);
    assert_true(asked(p, "fm", "5e-1") > asked(p, "fm", "0.1") + .1);
    assert_true(asked(p, "fm", "5e-1") == asked(p, "fm", ".5"));
    predictor_free(p);
}

static void
learns_from_changes(void **state)
{
    (void)state;
    struct predictor *p = predictor_new();
    struct predict_value from = {"drop_rate", CONCEPT_DROPOUT, "0.1"};
    struct predict_value model = {"model", CONCEPT_MODEL, "fm"};
    for (int i = 0; i < 40; i++) {
        predictor_change(p, "fm", &from, "0.5", -.4, 1);
        predictor_change(p, "", &model, "dcn", .6, 1);
    }
    predictor_fit(p);
    assert_true(asked(p, "fm", "0.1") > asked(p, "fm", "0.5") + .2);
    assert_true(asked(p, "dcn", "0.1") > asked(p, "fm", "0.1") + .2);
    predictor_free(p);
}

static void
spec_small(struct spec *s)
{
    snprintf(s->model, NAME_LEN, "small");
    s->n_knobs = 1;
    s->knob[0] = (struct knob){
        .kind = KNOB_FLOAT, .concept = CONCEPT_DROPOUT, .hi = 1, .deflt = .1};
    snprintf(s->knob[0].name, NAME_LEN, "drop");
    s->n_metrics = 1;
    s->n_candidates = 3;
    s->candidate[0][0] = .1;
    s->candidate[1][0] = .3;
    s->candidate[2][0] = .5;
}

static void
fills_candidates(void **state)
{
    (void)state;
    char path[] = "/tmp/test-predict-XXXXXX";
    struct err err = {0};
    struct insights *db;
    struct spec *s = calloc(1, sizeof *s);
    struct draft_options o = {.from_insights = true};
    spec_small(s);
    assert_int_equal(candidates_predict(s, NULL, &o, &err), 0);
    assert_int_equal(s->n_prior, 0);
    int fd = mkstemp(path);
    close(fd);
    unlink(path);
    assert_int_equal(insight_open(&db, path, INSIGHT_WRITE, &err), 0);
    struct insight row = {.campaign = "u",
        .hypothesis = "H1",
        .concept = "embedding_dim",
        .from = "8",
        .to = "16",
        .statement = "wider",
        .effect = 2e-3,
        .sd = 1e-3,
        .n = 4};
    assert_int_equal(insight_keep(db, &row, NULL, NULL, &err), 0);
    /* nothing about these knobs: nothing is predicted */
    assert_int_equal(candidates_predict(s, db, &o, &err), 0);
    assert_int_equal(s->n_prior, 0);
    row.hypothesis = "H2";
    row.concept = "dropout";
    row.from = "0.1";
    row.to = "0.5";
    row.effect = -3e-3;
    assert_int_equal(insight_keep(db, &row, NULL, NULL, &err), 0);
    assert_int_equal(candidates_predict(s, db, &o, &err), 0);
    assert_int_equal(s->n_prior, 3);
    assert_true(s->candidate_prior[0] > s->candidate_prior[1]);
    assert_true(s->candidate_prior[1] > s->candidate_prior[2]);
    insight_close(db);
    unlink(path);
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_from_trials),
        cmocka_unit_test(learns_from_changes),
        cmocka_unit_test(fills_candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
