/* The hierarchical model of outcomes, and what past errors do to predictions.
 */
#include "research/outcome.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "research/backbone.h"
#include "research/calibrate.h"

enum { METHODS = 12, PLACES = 8, ROWS = METHODS * PLACES };

static const char *const name[METHODS] = {
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};

/* Two kinds: the second gains in places of the second sort alone. */
static struct outcome_key
key_of(uint32_t method, uint32_t place)
{
    struct outcome_key k = {.technique = name[method],
        .year = 2010 + method,
        .place = place,
        .group = place};
    k.kind[method % 2] = 1;
    k.trait[0] = place % 2;
    return k;
}

static double
truth(uint32_t method, uint32_t place)
{
    return method % 2 && place % 2 ? .4 : -.2;
}

static uint32_t
world(struct outcome *row, uint64_t seed)
{
    struct rng r;
    uint32_t n = 0;
    rng_seed(&r, seed);
    for (uint32_t p = 0; p < PLACES; p++)
        for (uint32_t m = 0; m < METHODS - 2; m++) {
            row[n].of = key_of(m, p);
            row[n++].effect = truth(m, p) + .05 * rng_normal(&r);
        }
    return n;
}

static void
kinds_do_not_carry_over(void **state)
{
    static struct outcome row[ROWS];
    struct outcome_key key[4];
    struct outcome_answer out[4];
    (void)state;
    struct outcomes *o = outcomes_fit(row, world(row, 1), 1);
    for (uint32_t i = 0; i < 4; i++) {
        /* a method that was never seen of each kind, and one that was */
        static const uint32_t method[] = {METHODS - 1, METHODS - 2, 1, 0};
        key[i] = key_of(method[i], PLACES + 1);
        key[i].trait[0] = 1;
    }
    outcomes_ask(o, key, 4, -1, INFINITY, out);
    assert_true(out[0].mean > .1 && out[0].p_gain > .8);
    assert_true(out[1].mean < 0 && out[1].p_gain < .4);
    assert_true(out[2].sd < out[0].sd); /* known better than never seen */
    assert_int_equal(out[2].known, PLACES);
    assert_int_equal(out[0].known, 0);
    assert_true(out[0].p_best + out[2].p_best > .9);
    for (uint32_t i = 0; i < 4; i++)
        key[i].trait[0] = 0;
    outcomes_ask(o, key, 4, -1, INFINITY, out);
    assert_true(out[0].mean < 0 && out[0].p_gain < .4);
    outcomes_free(o);
}

static void
limits_and_reference(void **state)
{
    static struct outcome row[ROWS];
    struct outcome_key key[2] = {key_of(1, 9), key_of(0, 9)};
    struct outcome_answer out[2];
    (void)state;
    uint32_t n = world(row, 2);
    struct outcomes *o = outcomes_fit(row, n, 1);
    outcomes_ask(o, key, 2, 1, .1, out);
    assert_true(fabs(out[0].mean) <= .101 && out[0].sd <= .101);
    assert_true(out[1].mean == 0 && out[1].sd == 0);
    outcomes_free(o);
    /* nothing known: no opinion, as wide as it was told */
    o = outcomes_fit(row, 0, .01);
    outcomes_ask(o, key, 2, -1, INFINITY, out);
    assert_true(fabs(out[0].mean) < 1e-12 && fabs(out[0].p_gain - .5) < 1e-9);
    assert_true(out[0].sd > .005 && out[0].sd < .1);
    outcomes_free(o);
}

/* 80 % intervals of places that were never seen hold about 80 %. */
static void
intervals_cover(void **state)
{
    static struct outcome row[ROWS];
    double inside = 0, all = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct rng r;
        rng_seed(&r, 100 + seed);
        uint32_t n = 0;
        double own[METHODS], y[METHODS];
        for (uint32_t m = 0; m < METHODS; m++)
            own[m] = rng_normal(&r);
        for (uint32_t p = 0; p <= PLACES; p++) {
            double place = .5 * rng_normal(&r);
            for (uint32_t m = 0; m < METHODS; m++) {
                y[m] = own[m] + place + .5 * rng_normal(&r);
                if (p == PLACES)
                    continue;
                row[n].of = key_of(m, p);
                row[n++].effect = y[m];
            }
        }
        struct outcome_key key[METHODS];
        struct outcome_answer out[METHODS];
        for (uint32_t m = 0; m < METHODS; m++)
            key[m] = key_of(m, PLACES);
        struct outcomes *o = outcomes_fit(row, n, 1);
        outcomes_ask(o, key, METHODS, -1, INFINITY, out);
        for (uint32_t m = 0; m < METHODS; m++) {
            all++;
            inside += fabs(y[m] - out[m].mean) <= INTERVAL80_Z * out[m].sd;
        }
        outcomes_free(o);
    }
    assert_true(inside / all > .7 && inside / all < .92);
}

/* ---- backbones that no record is about ---- */

static void
new_backbones(void **state)
{
    static const char *const good[] = {
        "deepfm", "xdeepfm", "dcnv2", "masknet", "autoint"};
    static const char *const bad[] = {"FM", "fwfm", "afm", "hofm"};
    struct insight row[16] = {0};
    struct arena a = {0};
    struct history h;
    uint32_t n = 0;
    double mean, sd, worse;
    (void)state;
    for (size_t i = 0; i < 5; i++)
        row[n++] = (struct insight){
            .from = "DCN", .to = good[i], .effect = 1e-3 + 1e-5 * (double)i};
    for (size_t i = 0; i < 4; i++) /* the other way round */
        row[n++] =
            (struct insight){.from = bad[i], .to = "DCN", .effect = 2e-3};
    for (uint32_t i = 0; i < n; i++) {
        row[i].concept = "model";
        row[i].knob = row[i].family = row[i].direction = "";
        row[i].partner = row[i].campaign = row[i].context = "";
        row[i].sd = 2e-4;
    }
    history_of_rows(&h, row, n, &a);
    const struct technique *final = technique_named("FinalNet");
    assert_non_null(final);
    assert_true(backbone_expect(&h, "dcn", final, NULL, &mean, &sd));
    assert_true(mean > 2e-4 && sd > 1e-5 && sd < 4e-3);
    assert_true(
        backbone_expect(&h, "dcn", technique_named("ffm"), NULL, &worse, &sd));
    assert_true(worse < -5e-4);
    /* a record says more; other present backbones have none */
    assert_false(backbone_expect(
        &h, "dcn", technique_named("masknet"), NULL, &mean, &sd));
    assert_false(backbone_expect(&h, "dlrm", final, NULL, &mean, &sd));
    history_of_rows(&h, row, BACKBONES_MIN - 1, &a);
    assert_false(backbone_expect(&h, "dcn", final, NULL, &mean, &sd));
    assert_null(technique_named("no such thing"));
    assert_null(technique_kind_name(OUTCOME_KINDS + 100));
    arena_fini(&a);
}

/* What is recorded of technique t against `from`; NAN: nothing. Copies the
 * records that are not about t. */
static double
left_out(const struct history *h, const char *from, const struct technique *t,
    struct history *rest)
{
    double d = NAN;
    rest->n = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct record *r = &h->record[i];
        bool model = r->concept == CONCEPT_MODEL;
        bool to = model && technique_named(r->move.to) == t;
        bool of = model && technique_named(r->move.from) == t;
        if (to && strcmp(r->move.from, from) == 0)
            d = r->d;
        if (of && strcmp(r->move.to, from) == 0)
            d = -r->d;
        if (!to && !of)
            rest->record[rest->n++] = *r;
    }
    return d;
}

struct tally {
    double n, pooled, model, inside;
};

/* Scores of one backbone: what the pooled records and the library's claim say,
 * and what others of its kind and time say. */
static void
backbone_score(const struct history *rest, const char *from,
    const struct technique *t, double y, struct tally *out)
{
    struct history_answer an;
    struct meta_delta claim = {
        t->mean, t->sd * t->sd, (double)t->grade / GRADE_REPLICATED};
    struct history_query q = {.concept = CONCEPT_MODEL,
        .knob = "model",
        .family = from,
        .claim = &claim,
        .n_claims = 1};
    double mean, sd;
    move_read(&q.move, CONCEPT_MODEL, from, t->id, "");
    if (isnan(y) || !backbone_expect(rest, from, t, NULL, &mean, &sd))
        return;
    history_ask(rest, &q, &an);
    out->n++;
    out->pooled += crps_normal(an.p.mean, an.p.sd, y);
    out->model += crps_normal(mean, sd, y);
    out->inside += fabs(y - mean) <= INTERVAL80_Z * sd;
}

/* The public set, each backbone left out in turn. */
static void
backbones_left_out(void **state)
{
    static const char *const from[] = {"dcn", "deepfm", "fm", "dcnv2"};
    char path[] = "/tmp/rea-outcome-XXXXXX";
    struct insights *db = NULL;
    struct insight *row;
    struct arena a = {0};
    struct history h, rest;
    struct insight_query q = {.max = 100000};
    struct tally all = {0};
    size_t n;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0 && unlink(path) == 0);
    assert_int_equal(
        insight_open(&db, path, INSIGHT_WRITE | INSIGHT_SEED, NULL), 0);
    assert_int_equal(insight_list(db, &q, &a, &row, &n, NULL), 0);
    insight_close(db);
    unlink(path);
    history_of_rows(&h, row, n, &a);
    rest = h;
    rest.record = arena_alloc(&a, (h.n + 1) * sizeof *rest.record);
    for (size_t k = 0; k < sizeof from / sizeof *from; k++) {
        struct tally one = {0};
        for (uint32_t i = 0; i < technique_count(); i++) {
            const struct technique *t = technique_at(i);
            double y = left_out(&h, from[k], t, &rest);
            backbone_score(&rest, from[k], t, y, &one);
        }
        print_message("%-7s %2.0f others left out: CRPS %.2fe-4, pooled "
                      "records and claims %.2fe-4; 80 %% intervals hold %.2f\n",
            from[k], one.n, 1e4 * one.model / one.n, 1e4 * one.pooled / one.n,
            one.inside / one.n);
        assert_true(one.n >= 15);
        all.model += one.model;
        all.pooled += one.pooled;
    }
    assert_true(all.model < .9 * all.pooled);
    arena_fini(&a);
}

/* ---- what past errors do ---- */

static char context[64][200];

static struct insight
told(uint32_t i, const char *source, const char *concept, double error)
{
    snprintf(context[i], sizeof context[i],
        "{\"model\": \"m%u\", \"raw\": %g, \"raw_sd\": 0.0001, \"predicted\": "
        "{\"source\": \"%s\", \"mean\": 0.001, \"sd\": 0.002}}",
        i % 5, .001 + .002 * error, source);
    return (struct insight){
        .context = context[i], .concept = concept, .family = "dcn"};
}

static void
errors_correct_predictions(void **state)
{
    struct insight row[40];
    struct arena a = {0};
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        bool bad = i % 2;
        row[i] = told(i, bad ? "research" : "insight",
            bad ? "dropout" : "learning_rate", bad ? -1.5 : .05 * (i % 3));
    }
    double mean = .001, sd = .002;
    struct calibration_key key = {SOURCE_RESEARCH, "dropout", "dcn", "new"};
    calibration_apply(NULL, &key, &mean, &sd);
    assert_true(mean == .001 && sd == .002);
    struct calibration *c = calibration_learn(row, 40, &a);
    assert_non_null(c);
    calibration_apply(c, &key, &mean, &sd);
    assert_true(mean < -.0008); /* it disappointed by 1.5 sds before */
    assert_true(sd < .002);     /* ... and reliably so */
    key =
        (struct calibration_key){SOURCE_INSIGHT, "learning_rate", "dcn", "new"};
    mean = .001;
    sd = .002;
    calibration_apply(c, &key, &mean, &sd);
    assert_true(fabs(mean - .001) < .0005);
    /* one row moves little */
    c = calibration_learn(row + 1, 1, &a);
    key = (struct calibration_key){SOURCE_RESEARCH, "dropout", "dcn", "new"};
    mean = .001;
    sd = .002;
    calibration_apply(c, &key, &mean, &sd);
    assert_true(mean < .001 && mean > -.0006);
    arena_fini(&a);
}

static void
rows_without_prediction(void **state)
{
    static const char *const text[] = {"", "{}", "{\"predicted\": 3}",
        "{\"predicted\": {\"mean\": 1}, \"raw\": 1}",
        "{\"predicted\": {\"mean\": 1, \"sd\": -1}, \"raw\": 1}",
        "{\"predicted\": {\"mean\": 1, \"sd\": 1}}", "{\"predicted\""};
    struct foretold f;
    struct reliability r[SOURCE_COUNT];
    (void)state;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct insight row = {.context = text[i]};
        assert_false(foretold_read(&row, &f));
    }
    struct insight row = told(0, "research", "dropout", 0);
    row.verdict = INSIGHT_FAILED;
    assert_false(foretold_read(&row, &f));
    row.verdict = INSIGHT_NULL;
    assert_int_equal(reliability_of(&row, 1, r), 1);
    assert_true(r[SOURCE_RESEARCH].rows == 1 && r[SOURCE_INSIGHT].rows == 0);
    assert_true(r[SOURCE_NONE].covered == 1);
    row.context = NULL;
    assert_null(calibration_learn(&row, 1, NULL));
}

static void
what_is_written_is_read(void **state)
{
    struct buf b = {0};
    struct jw w;
    struct foretold f;
    (void)state;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "model", "ads");
    jw_kf64(&w, "raw", -.25);
    jw_kf64(&w, "raw_sd", .5);
    foretold_write(&w, SOURCE_INSIGHT, .125, .0625);
    jw_obj_end(&w);
    struct insight row = {.context = buf_str(&b), .concept = "x"};
    assert_true(foretold_read(&row, &f));
    assert_int_equal(f.source, SOURCE_INSIGHT);
    assert_true(f.mean == .125 && f.sd == .0625 && f.raw == -.25);
    assert_string_equal(f.place, "ads");
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_do_not_carry_over),
        cmocka_unit_test(limits_and_reference),
        cmocka_unit_test(intervals_cover),
        cmocka_unit_test(new_backbones),
        cmocka_unit_test(backbones_left_out),
        cmocka_unit_test(errors_correct_predictions),
        cmocka_unit_test(rows_without_prediction),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
