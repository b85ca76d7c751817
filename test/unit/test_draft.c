/* Drafted hypotheses: what a plain and a rich project get, and what they must
 * never get. The engine itself checks that each change is inside its domain,
 * differs from the baseline and from the others. */
#include "research/draft.h"

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

#include "base/json.h"
#include "base/fs.h"
#include "core/core.h"
#include "papers/corpus.h"
#include "papers/technique.h"

static char db_path[64];
static struct insights *db;

static struct knob *
knob_put(struct spec *s, const char *name, uint8_t kind, uint8_t concept)
{
    struct knob *k = &s->knob[s->n_knobs++];
    snprintf(k->name, sizeof k->name, "%s", name);
    k->kind = kind;
    k->concept = concept;
    return k;
}

static struct knob *
number_put(struct spec *s, const char *name, uint8_t kind, uint8_t concept,
    double lo, double hi, double deflt)
{
    struct knob *k = knob_put(s, name, kind, concept);
    k->lo = lo;
    k->hi = hi;
    k->deflt = deflt;
    return k;
}

static struct knob *
choice_put(struct spec *s, const char *name, uint8_t kind, uint8_t concept,
    const char *const *value, uint32_t deflt)
{
    struct knob *k = knob_put(s, name, kind, concept);
    for (; *value != NULL; value++)
        snprintf(k->values[k->n_values++], VALUE_LEN, "%s", *value);
    k->deflt = deflt;
    return k;
}

static void
spec_start(struct spec *s, const char *metric, double min_gain)
{
    memset(s, 0, sizeof *s);
    snprintf(s->model, sizeof s->model, "toy");
    snprintf(s->metric[0].name, NAME_LEN, "%s", metric);
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].goal = GOAL_MAX;
    s->metric[0].min_gain = min_gain;
    s->n_metrics = 1;
    s->sealed = 1;
    s->phases = 2;
    s->max_hypotheses = 24;
    s->baseline_seeds = 5;
    s->unit = UNIT_TRIALS;
    s->total_u = 90 * (int64_t)MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 2;
    s->fidelity_knob = -1;
}

/* A stranger's trainer with four flags. */
static void
spec_toy(struct spec *s)
{
    spec_start(s, "val_auc", 3e-4);
    number_put(s, "lr", KNOB_FLOAT, CONCEPT_LEARNING_RATE, 1e-3, 1, 0.01)->log =
        true;
    number_put(s, "dim", KNOB_INT, CONCEPT_EMBEDDING_DIM, 4, 64, 8)->log = true;
    number_put(s, "dropout", KNOB_FLOAT, CONCEPT_DROPOUT, 0, 0.6, 0);
    knob_put(s, "residual", KNOB_BOOL, CONCEPT_RESIDUAL);
}

static void
spec_rich(struct spec *s)
{
    static const char *const model[] = {
        "lr", "fm", "ffm", "deepfm", "dcnv2", NULL};
    static const char *const units[] = {
        "64,32", "128,64", "256,128", "512,256", NULL};
    static const char *const optimizer[] = {"adam", "adagrad", "ftrl", NULL};
    static const char *const loss[] = {"bce", "focal", NULL};
    spec_start(s, "valid_logloss", 1e-3);
    s->metric[0].goal = GOAL_MIN;
    choice_put(s, "model", KNOB_CHOICE, CONCEPT_MODEL, model, 1);
    number_put(s, "lr", KNOB_FLOAT, CONCEPT_LEARNING_RATE, 1e-4, 0.1, 1e-3)
        ->log = true;
    number_put(s, "l2", KNOB_FLOAT, CONCEPT_EMB_REG, 0, 1e-2, 0);
    number_put(s, "dim", KNOB_INT, CONCEPT_EMBEDDING_DIM, 4, 64, 8)->log = true;
    choice_put(s, "hidden", KNOB_LIST, CONCEPT_HIDDEN_UNITS, units, 1);
    struct knob *cross =
        number_put(s, "cross-layers", KNOB_INT, CONCEPT_CROSS_LAYERS, 1, 4, 2);
    cross->n_when = 1;
    cross->when[0] = (struct cond){COND_EQ, 0, 4};
    choice_put(s, "optimizer", KNOB_CHOICE, CONCEPT_OPTIMIZER, optimizer, 0);
    choice_put(s, "loss", KNOB_CHOICE, CONCEPT_LOSS, loss, 0);
    number_put(s, "epochs", KNOB_INT, CONCEPT_EPOCHS, 1, 10, 4);
    number_put(s, "mystery", KNOB_FLOAT, CONCEPT_NONE, 0, 1, 0.5);
    s->fidelity_knob = 8;
}

struct drafted {
    struct arena arena;
    struct event *event;
    uint32_t n;
};

static void
draft(struct drafted *d, const struct spec *s, const struct draft_options *o)
{
    struct err err = {0};
    memset(d, 0, sizeof *d);
    int rc = draft_hypotheses(s, db, o, &d->arena, &d->event, &d->n, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
}

static const struct draft_options both = {
    .from_insights = true, .from_research = true};

static bool
has_change(const struct spec *s, const struct drafted *d, const char *knob,
    double lo, double hi)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct event *e = &d->event[i];
        if (e->n_over == 1 &&
            strcmp(s->knob[e->over[0].knob].name, knob) == 0 &&
            e->over[0].value >= lo && e->over[0].value <= hi)
            return true;
    }
    return false;
}

static uint32_t
count_source(const struct drafted *d, uint32_t source)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->n; i++)
        n += d->event[i].source == source && d->event[i].state == 0;
    return n;
}

/* The engine takes every drafted event. */
static void
engine_accepts(const struct spec *s, const struct drafted *d)
{
    struct core *c = calloc(1, sizeof *c);
    struct update *u = calloc(1, sizeof *u);
    size_t len = spec_encode(s, NULL, 0);
    unsigned char *bytes = malloc(len);
    spec_encode(s, bytes, len);
    struct event e = {.kind = EVENT_campaign_drafted,
        .seq = 1,
        .spec = bytes,
        .spec_len = len,
        .number = 1};
    assert_int_equal(core_step(c, &e, u), 0);
    for (uint32_t i = 0; i < d->n; i++) {
        e = d->event[i];
        e.seq = i + 2;
        if (core_step(c, &e, u) != 0)
            fail_msg("%s: %s", e.statement, u->why);
    }
    free(bytes);
    free(u);
    free(c);
}

static void
toy_gets_what_helps(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    spec_toy(s);
    draft(&d, s, &both);
    assert_true(has_change(s, &d, "lr", 0.03, 0.05));
    assert_true(has_change(s, &d, "lr", 0.001, 0.009));
    assert_true(has_change(s, &d, "dim", 16, 16));
    assert_true(has_change(s, &d, "dim", 24, 24));
    assert_true(has_change(s, &d, "dropout", 0.1, 0.2));
    assert_true(has_change(s, &d, "residual", 1, 1));
    assert_true(d.n >= 8);
    engine_accepts(s, &d);
    arena_fini(&d.arena);
    free(s);
}

static void
rich_project_is_mixed(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    spec_rich(s);
    draft(&d, s, &both);
    uint32_t a = count_source(&d, SOURCE_INSIGHT);
    uint32_t b = count_source(&d, SOURCE_RESEARCH);
    assert_true(d.n >= 12 && d.n <= 24);
    assert_true(3 * a >= a + b && 3 * b >= a + b);
    assert_true(has_change(s, &d, "model", 3, 4));
    engine_accepts(s, &d);
    uint32_t per_knob[KNOBS_MAX] = {0}, hooks = 0;
    for (uint32_t i = 0; i < d.n; i++) {
        const struct event *e = &d.event[i];
        hooks += e->state == 1;
        if (e->state == 0)
            per_knob[e->over[e->n_over - 1].knob]++;
    }
    assert_true(hooks <= 3);
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        /* families differ more than steps of one knob do */
        bool family = s->knob[k].concept == CONCEPT_MODEL;
        assert_in_range(per_knob[k], family ? 4 : 0, family ? 6 : 3);
    }
    assert_int_equal(per_knob[8], 0); /* fidelity is not an idea */
    arena_fini(&d.arena);
    free(s);
}

/* Every text is there, evidence is JSON with a reference each, numbers make
 * sense, and units are those of the metric. */
static void
events_are_complete(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    spec_rich(s);
    draft(&d, s, &both);
    for (uint32_t i = 0; i < d.n; i++) {
        const struct event *e = &d.event[i];
        struct err err = {0};
        assert_int_equal(e->kind, EVENT_hypothesis_added);
        assert_true(e->statement[0] != '\0' && e->rationale[0] != '\0');
        assert_true(e->key[0] != '\0' && e->score > 0);
        /* logloss worth 1e-3 against 5e-4 of AUC: twice the AUC's spread,
         * which is less than the base rate's where a concept moves little */
        assert_true(e->sd >= 2 * 5e-4 && e->sd < 0.1);
        assert_true(fabs(e->mean) < 3 * e->sd);
        assert_true(strlen(e->evidence) < EVENT_TEXT_MAX);
        struct json *j = json_parse(e->evidence, strlen(e->evidence), &err);
        assert_true(json_kind(j) == J_ARR && json_len(j) >= 1);
        for (size_t k = 0; k < json_len(j); k++)
            assert_non_null(json_get_str(json_at(j, k), "ref"));
        json_free(j);
        for (uint32_t k = 0; k < i; k++)
            assert_string_not_equal(e->key, d.event[k].key);
    }
    arena_fini(&d.arena);
    free(s);
}

static void
sources_can_be_switched_off(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    spec_rich(s);
    draft(&d, s, &(struct draft_options){.from_research = true});
    assert_true(d.n > 0 && count_source(&d, SOURCE_INSIGHT) == 0);
    for (uint32_t i = 0; i < d.n; i++)
        assert_null(strstr(d.event[i].evidence, "\"insight\""));
    arena_fini(&d.arena);
    draft(&d, s, &(struct draft_options){.from_insights = true});
    assert_true(d.n > 0 && count_source(&d, SOURCE_RESEARCH) == 0);
    for (uint32_t i = 0; i < d.n; i++)
        assert_null(strstr(d.event[i].evidence, "\"paper\""));
    arena_fini(&d.arena);
    draft(&d, s, &(struct draft_options){.max = 5});
    assert_int_equal(d.n, 0);
    arena_fini(&d.arena);
    free(s);
}

static void
nothing_later_than_the_cut(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    struct draft_options o = both;
    spec_rich(s);
    o.before = "2018-01";
    draft(&d, s, &o);
    assert_true(d.n > 0);
    for (uint32_t i = 0; i < d.n; i++) {
        const char *text = d.event[i].evidence;
        assert_null(strstr(text, "2205.09626"));
        for (uint32_t t = 0; t < technique_count(); t++)
            if (!technique_known(technique_at(t), o.before))
                assert_null(strstr(text, technique_at(t)->ref));
    }
    arena_fini(&d.arena);
    free(s);
}

/* An optimiser comes with the rate that it needs, and an L2 that is off is
 * raised to where it is felt. */
static void
steps_are_sized(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    bool joint = false;
    spec_rich(s);
    s->knob[2].lo = 1e-8;
    s->knob[2].deflt = 1e-8;
    s->knob[2].log = true;
    draft(&d, s, &(struct draft_options){.from_research = true, .max = 60});
    for (uint32_t i = 0; i < d.n; i++) {
        const struct event *e = &d.event[i];
        if (e->n_over == 0) /* needs a hook */
            continue;
        const struct override *last = &e->over[e->n_over - 1];
        if (last->knob == 6 && last->value == 1) {
            assert_int_equal(e->n_over, 2);
            assert_int_equal(e->over[0].knob, 1);
            assert_true(e->over[0].value == 0.05);
            joint = true;
        }
        if (e->n_over == 1 && last->knob == 2)
            assert_true(last->value >= 1e-6);
    }
    assert_true(joint);
    arena_fini(&d.arena);
    free(s);
}

static const char ended_with[] =
    "{\"overrides\":{\"eta\":0.02,\"dim\":128,\"residual\":true,"
    "\"elsewhere\":3},\"concepts\":{\"eta\":\"learning_rate\","
    "\"dim\":\"embedding_dim\",\"residual\":\"residual\"}}";

/* What a campaign elsewhere ended with is tried whole: knobs by name or by
 * meaning, numbers inside the domain, the rest left out. */
static void
configurations_are_carried(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    struct insight row = {.campaign = "other-C1",
        .hypothesis = "E7",
        .key = "dim=128 eta=0.02 residual=true",
        .concept = "none",
        .family = "fm",
        .metric = "auc",
        .change = ended_with,
        .statement = "together",
        .effect = 0.008,
        .sd = 0.001,
        .lo = 0.006,
        .hi = 0.01,
        .n = 5,
        .places = 1,
        .verdict = INSIGHT_POSITIVE};
    struct err err = {0};
    bool found = false;
    spec_toy(s);
    assert_int_equal(insight_keep(db, &row, NULL, NULL, &err), 0);
    draft(&d, s, &(struct draft_options){.from_insights = true});
    for (uint32_t i = 0; i < d.n; i++) {
        const struct event *e = &d.event[i];
        if (e->n_over != 3)
            continue;
        assert_int_equal(e->source, SOURCE_INSIGHT);
        assert_true(e->over[0].value == 0.02); /* lr */
        assert_true(e->over[1].value == 64);   /* dim, at its edge */
        assert_true(e->over[2].value == 1);
        assert_true(e->mean > 0.003 && e->mean < 0.008 && e->sd >= e->mean);
        found = true;
    }
    assert_true(found);
    arena_fini(&d.arena);
    free(s);
}

/* ---- papers ---- */

static const char paper_lines[] =
    "{\"id\": \"p1\", \"date\": \"2025-02-01\", \"title\": \"FooNet: Gated "
    "Feature Interaction for CTR Prediction\", \"abstract\": \"We propose "
    "FooNet, a cross network for feature interaction in CTR prediction. On "
    "Criteo it outperforms DeepFM by 0.4% in AUC.\"}\n"
    "{\"id\": \"p2\", \"date\": \"2025-02-01\", \"title\": \"BarSeq: "
    "Sequential CTR Prediction\", \"abstract\": \"We propose BarSeq, a "
    "sequence model for CTR prediction over long user behavior. On Taobao "
    "dataset it outperforms DIN by 1.5% in AUC.\"}\n"
    "{\"id\": \"p3\", \"date\": \"2025-02-01\", \"title\": \"GDCN for CTR "
    "prediction\", \"abstract\": \"We study GDCN, a gated cross network for "
    "CTR prediction. The proposed GDCN improves AUC by 5000% and by 1e308 on "
    "Criteo over DCN.\"}\n";

static struct corpus *
papers_open(char path[64])
{
    char lines[80];
    struct corpus *c = NULL;
    struct corpus_added got;
    struct err err = {0};
    snprintf(path, 64, "/tmp/test_draft_papers.%d", (int)getpid());
    snprintf(lines, sizeof lines, "%s.jsonl", path);
    assert_int_equal(fs_write_atomic(lines, paper_lines, sizeof paper_lines - 1,
                         false, &err),
        0);
    assert_int_equal(corpus_open(&c, path, true, &err), 0);
    assert_int_equal(corpus_add(c, lines, &got, NULL, NULL, &err), 0);
    assert_int_equal(got.papers, 3);
    unlink(lines);
    return c;
}

static void
papers_close(struct corpus *c, const char *path)
{
    corpus_close(c);
    unlink(path);
}

static const struct event *
event_of(const struct drafted *d, const char *statement)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (strstr(d->event[i].statement, statement) != NULL)
            return &d->event[i];
    return NULL;
}

/* A value that only a paper knows, a technique that the cut hides, and one
 * that no knob can express; what the project lacks data for is left out. */
static void
papers_bring_ideas(void **state)
{
    (void)state;
    static const char *const model[] = {"dcn", "foonet", "gdcn", NULL};
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    char path[64];
    struct draft_options o = {.from_research = true, .before = "2022-01-01"};
    spec_start(s, "auc", 5e-4);
    choice_put(s, "model", KNOB_CHOICE, CONCEPT_MODEL, model, 0);
    draft(&d, s, &o);
    assert_null(event_of(&d, "foonet"));
    assert_null(event_of(&d, "gdcn")); /* of 2023 */
    arena_fini(&d.arena);

    o.corpus = papers_open(path);
    draft(&d, s, &o); /* the papers are later than the cut, too */
    assert_null(event_of(&d, "foonet"));
    assert_null(event_of(&d, "gdcn"));
    arena_fini(&d.arena);

    o.before = NULL;
    draft(&d, s, &o);
    const struct event *e = event_of(&d, "foonet");
    assert_non_null(e);
    assert_int_equal(e->source, SOURCE_RESEARCH);
    assert_non_null(strstr(e->evidence, "\"quote\":"));
    assert_non_null(strstr(e->evidence, "\"ref\":\"p1\""));
    assert_true(strlen(e->evidence) < EVENT_TEXT_MAX);
    assert_true(e->mean > -1e-3 && e->mean < 1e-3);
    e = event_of(&d, "gdcn");
    assert_non_null(e);
    /* its words may be quoted, but no such number is a claim */
    assert_null(strstr(e->evidence, "\"delta\""));
    assert_true(e->mean < 2e-3);
    assert_null(event_of(&d, "BarSeq")); /* no sequence here */
    arena_fini(&d.arena);

    o.has = NEED_SEQUENCE;
    draft(&d, s, &o);
    e = event_of(&d, "BarSeq");
    assert_true(e != NULL && e->state == 1 && e->n_over == 0);
    arena_fini(&d.arena);
    papers_close(o.corpus, path);
    free(s);
}

/* Knobs of no known concept are found by their words. */
static void
words_map_to_knobs(void **state)
{
    (void)state;
    static const char *const variant[] = {"plain", "senet", NULL};
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    struct draft_options o = {.from_research = true, .has = NEED_EMBEDDING};
    spec_start(s, "auc", 5e-4);
    choice_put(s, "variant", KNOB_CHOICE, CONCEPT_NONE, variant, 0);
    snprintf(knob_put(s, "extra", KNOB_BOOL, CONCEPT_NONE)->doc, TEXT_LEN,
        "train with an auxiliary contrastive loss");
    draft(&d, s, &o);
    assert_true(has_change(s, &d, "variant", 1, 1));
    assert_true(has_change(s, &d, "extra", 1, 1));
    arena_fini(&d.arena);
    free(s);
}

/* An idea that was measured before says so. */
static void
novelty_is_told(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    struct err err = {0};
    struct insight row = {.campaign = "mine-C1",
        .hypothesis = "H1",
        .key = "residual=true",
        .concept = "residual",
        .knob = "residual",
        .from = "false",
        .to = "true",
        .family = "toy",
        .metric = "auc",
        .statement = "Turn residual on",
        .effect = 0.004,
        .sd = 0.001,
        .lo = 0.002,
        .hi = 0.006,
        .n = 5,
        .places = 1,
        .verdict = INSIGHT_POSITIVE};
    spec_toy(s);
    assert_int_equal(insight_keep(db, &row, NULL, NULL, &err), 0);
    draft(&d, s, &both);
    const struct event *e = event_of(&d, "Turn residual on");
    assert_non_null(e);
    assert_non_null(strstr(e->evidence, "\"relation\":\"repeats\""));
    assert_non_null(strstr(e->rationale, "It repeats I"));
    assert_non_null(strstr(e->evidence, "\"similarity\":1,\"grade\":5"));
    arena_fini(&d.arena);
    free(s);
}

static void
same_inputs_same_draft(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted a, b;
    spec_rich(s);
    draft(&a, s, &both);
    draft(&b, s, &both);
    assert_int_equal(a.n, b.n);
    for (uint32_t i = 0; i < a.n; i++) {
        assert_string_equal(a.event[i].statement, b.event[i].statement);
        assert_string_equal(a.event[i].evidence, b.event[i].evidence);
        assert_true(a.event[i].mean == b.event[i].mean);
    }
    arena_fini(&a.arena);
    arena_fini(&b.arena);
    free(s);
}

/* An inactive knob carries the choice that enables it, or is left alone. */
static void
conditions_are_respected(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    spec_rich(s);
    draft(&d, s, &both);
    for (uint32_t i = 0; i < d.n; i++) {
        const struct event *e = &d.event[i];
        for (uint32_t k = 0; k < e->n_over; k++) {
            if (strcmp(s->knob[e->over[k].knob].name, "cross-layers") != 0)
                continue;
            assert_int_equal(e->n_over, 2);
            assert_int_equal(e->over[0].knob, 0);
            assert_true(e->over[0].value == 4);
        }
    }
    arena_fini(&d.arena);
    free(s);
}

/* What was learnt moves the prediction: three campaigns that saw a large gain
 * from a knob raise it, three that saw harm lower it; those of this project
 * itself in full, others' by the share that transfers. */
static void
own_insights_count(void **state)
{
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    spec_toy(s);
    struct override change = {1, 16};
    double mean[4];
    char context[96];
    snprintf(context, sizeof context, "{\"model\":\"%s\"}", s->model);
    for (int turn = -1; turn <= 2; turn++) {
        int sign = turn < 2 ? turn : 1; /* the last one: learnt elsewhere */
        struct insights *own;
        struct err err = {0};
        char path[96];
        snprintf(path, sizeof path, "%s.own%d", db_path, turn);
        assert_int_equal(insight_open(&own, path, INSIGHT_WRITE, &err), 0);
        for (int i = 0; i < 3 && sign != 0; i++) {
            char uuid[8];
            snprintf(uuid, sizeof uuid, "u%d", i);
            struct insight row = {.campaign = uuid,
                .hypothesis = "H1",
                .concept = "embedding_dim",
                .from = "8",
                .to = "16",
                .direction = "x2",
                .context = turn < 2 ? context : NULL,
                .statement = "dim 8 -> 16",
                .effect = sign * 4e-3,
                .sd = 5e-4,
                .n = 4,
                .places = 1,
                .date = "2026-01-01",
                .status = INSIGHT_PROMOTED};
            assert_int_equal(insight_keep(own, &row, NULL, NULL, &err), 0);
        }
        struct draft_prediction p;
        assert_int_equal(draft_predict(s, own, &both, &change, 1, &p, &err), 0);
        mean[turn + 1] = p.mean;
        assert_true(p.sd >= 2e-3);
        assert_int_equal(p.level, sign == 0 ? DRAFT_BASE_RATE : DRAFT_CONCEPT);
        insight_close(own);
        unlink(path);
    }
    assert_true(mean[0] < -1e-3 && mean[1] == 0 && mean[2] > 1e-3);
    assert_true(mean[3] > 0 && mean[3] < .5 * mean[2]);
    free(s);
}

/* Where only listed configurations are valid, only they are proposed. */
static void
listed_candidates_alone(void **state)
{
    (void)state;
    static const double row[][4] = {{0.01, 8, 0, 0}, {0.05, 8, 0, 0},
        {0.03, 16, 0.2, 0}, {0.03, 8, 0, 1}, {0.001, 32, 0.3, 1}};
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    spec_toy(s);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        memcpy(s->candidate[s->n_candidates++], row[i], sizeof row[i]);
    draft(&d, s, &both);
    engine_accepts(s, &d);
    uint32_t n =
        count_source(&d, SOURCE_INSIGHT) + count_source(&d, SOURCE_RESEARCH);
    assert_int_equal(n, 3); /* the last differs in too many knobs */
    arena_fini(&d.arena);
    free(s);
}

static void
no_history_still_drafts(void **state)
{
    (void)state;
    struct insights *kept = db;
    struct spec *s = calloc(1, sizeof *s);
    struct drafted d;
    spec_toy(s);
    db = NULL;
    draft(&d, s, &both);
    db = kept;
    assert_true(d.n > 0 && count_source(&d, SOURCE_INSIGHT) == 0);
    arena_fini(&d.arena);
    free(s);
}

static int
database_open(void **state)
{
    (void)state;
    struct err err = {0};
    snprintf(db_path, sizeof db_path, "/tmp/rea-draft-%ld.db", (long)getpid());
    int rc = insight_open(&db, db_path, INSIGHT_WRITE | INSIGHT_SEED, &err);
    if (rc != 0)
        fprintf(stderr, "%s\n", err.text);
    return rc;
}

static int
database_remove(void **state)
{
    (void)state;
    char lock[80];
    insight_close(db);
    snprintf(lock, sizeof lock, "%s.lock", db_path);
    unlink(db_path);
    unlink(lock);
    for (int sign = -1; sign <= 1; sign++) {
        snprintf(lock, sizeof lock, "%s.own%d.lock", db_path, sign);
        unlink(lock);
    }
    return 0;
}

/* An earlier campaign's results around the baseline: when all of them lost to
 * it, ideas are worth less than when all of them beat it, and the mean of the
 * drafted predictions says so. */
static void
standing_counts(void **state)
{
    enum { SEEN = 6 };
    (void)state;
    struct spec *s = calloc(1, sizeof *s);
    struct config *seen = calloc(SEEN, sizeof *seen);
    double mean[3];
    spec_toy(s);
    for (uint32_t i = 0; i < SEEN; i++) {
        uint32_t k = i % s->n_knobs;
        config_default(s, &seen[i]);
        seen[i].v[k] = s->knob[k].hi;
    }
    for (int sign = -1; sign <= 1; sign++) {
        struct arena a = {0};
        struct err err = {0};
        struct event *e;
        double gain[SEEN];
        uint32_t n;
        struct draft_options o = both;
        for (int i = 0; i < SEEN; i++)
            gain[i] = sign * 1e-3;
        o.seen = (struct draft_seen){seen, gain, sign == 0 ? 0 : SEEN};
        assert_int_equal(draft_hypotheses(s, db, &o, &a, &e, &n, &err), 0);
        assert_true(n > 3);
        mean[sign + 1] = 0;
        for (uint32_t i = 0; i < n; i++)
            mean[sign + 1] += e[i].mean / n;
        arena_fini(&a);
    }
    assert_true(mean[0] < mean[1] && mean[1] < mean[2]);
    free(seen);
    free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toy_gets_what_helps),
        cmocka_unit_test(rich_project_is_mixed),
        cmocka_unit_test(events_are_complete),
        cmocka_unit_test(sources_can_be_switched_off),
        cmocka_unit_test(nothing_later_than_the_cut),
        cmocka_unit_test(steps_are_sized),
        cmocka_unit_test(papers_bring_ideas),
        cmocka_unit_test(words_map_to_knobs),
        cmocka_unit_test(novelty_is_told),
        cmocka_unit_test(same_inputs_same_draft),
        cmocka_unit_test(conditions_are_respected),
        cmocka_unit_test(own_insights_count),
        cmocka_unit_test(standing_counts),
        cmocka_unit_test(listed_candidates_alone),
        cmocka_unit_test(no_history_still_drafts),
        cmocka_unit_test(configurations_are_carried),
    };
    return cmocka_run_group_tests(tests, database_open, database_remove);
}
