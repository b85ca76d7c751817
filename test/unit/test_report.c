/* The report's faces on a whole campaign that the real engine runs in a small
 * invented world: JSON in the contract's shape, sealed values masked until
 * opened, hostile texts inert in HTML and on terminals. With REA_REPORT_OUT
 * set, the outputs are left in that folder to look at. */
#include "base/fs.h"
#include "base/rng.h"
#include "report/fmt.h"
#include "report/page.h"
#include "report/parts.h"
#include "report/report.h"
#include "report/sources.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVIL "<script>alert(\"x\")</script>&'\x1b[31m"

/* ---- the world ---- */

struct world {
    struct core *core;
    struct report *report;
    struct rng rng;
    int64_t now_ms;
    bool nothing_works;  /* every change is worth nothing */
    uint32_t stop_after; /* events; 0: to the end */
    uint32_t events;
    uint32_t n_flying;
    struct {
        uint32_t job;
        int64_t end_ms;
    } flying[JOBS_MAX];
};

static void
knob_set(struct knob *k, const char *name, uint8_t kind, uint8_t concept,
    double lo, double hi, double deflt, const char *values)
{
    memset(k, 0, sizeof(*k));
    snprintf(k->name, sizeof(k->name), "%s", name);
    snprintf(k->doc, sizeof(k->doc), "what %s is about", name);
    k->kind = kind;
    k->concept = concept;
    k->lo = lo;
    k->hi = hi;
    k->deflt = deflt;
    k->log = kind == KNOB_FLOAT && lo > 0;
    while (values != NULL && *values != '\0') {
        size_t n = strcspn(values, "|");
        snprintf(k->values[k->n_values++], VALUE_LEN, "%.*s", (int)n, values);
        values += n + (values[n] == '|');
    }
}

enum { LR, DIM, DROP, RESIDUAL, ACT, BATCH, UNITS, KNOBS };

static void
spec_fill(struct spec *s)
{
    memset(s, 0, sizeof(*s));
    snprintf(s->model, sizeof(s->model), "ctr-toy");
    s->n_knobs = KNOBS;
    knob_set(&s->knob[LR], "lr", KNOB_FLOAT, CONCEPT_LEARNING_RATE, 1e-4, .3,
        .01, NULL);
    knob_set(
        &s->knob[DIM], "dim", KNOB_INT, CONCEPT_EMBEDDING_DIM, 2, 64, 8, NULL);
    knob_set(
        &s->knob[DROP], "dropout", KNOB_FLOAT, CONCEPT_DROPOUT, 0, .6, 0, NULL);
    knob_set(&s->knob[RESIDUAL], "residual", KNOB_BOOL, CONCEPT_RESIDUAL, 0, 1,
        0, NULL);
    knob_set(&s->knob[ACT], "activation", KNOB_CHOICE, CONCEPT_ACTIVATION, 0, 0,
        0, "relu|swish|gelu");
    knob_set(&s->knob[BATCH], "batch-size", KNOB_INT, CONCEPT_BATCH_SIZE, 64,
        8192, 1024, NULL);
    knob_set(&s->knob[UNITS], "units", KNOB_LIST, CONCEPT_HIDDEN_UNITS, 0, 0, 0,
        "128,64|256,128");
    s->n_metrics = 3;
    snprintf(s->metric[0].name, NAME_LEN, "valid_auc");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].goal = GOAL_MAX;
    s->metric[0].min_gain = 5e-4;
    snprintf(s->metric[1].name, NAME_LEN, "test_auc");
    s->metric[1].role = METRIC_SEALED;
    s->metric[1].goal = GOAL_MAX;
    snprintf(s->metric[2].name, NAME_LEN, "valid_logloss");
    s->metric[2].role = METRIC_GUARD;
    s->metric[2].goal = GOAL_MIN;
    s->metric[2].guard = GUARD_MAX_INCREASE;
    s->metric[2].relative = true;
    s->metric[2].limit = .005;
    s->primary = 0;
    s->sealed = 1;
    s->has_resume = true;
    s->phases = 1u << PHASE_VALIDATION | 1u << PHASE_COMBINATION |
                1u << PHASE_EXPLOITATION | 1u << PHASE_CONFIRMATION;
    s->max_hypotheses = 24;
    s->baseline_seeds = 5;
    s->unit = UNIT_CORE_HOURS;
    s->total_u = 450000;
    s->reserve_train_u = 30000;
    s->max_parallel = 2;
    s->fidelity_knob = -1;
}

static double
truth(const struct world *w, const struct config *x)
{
    double g = 0;
    if (w->nothing_works)
        return 0;
    double lr = log10(x->v[LR] / .01);
    g += .004 * lr - .006 * lr * lr;
    g += .0007 * log2(x->v[DIM] / 8);
    g += x->v[DROP] > 0 ? .0012 - .02 * fabs(x->v[DROP] - .15) : 0;
    g += x->v[RESIDUAL] != 0 ? .0015 : 0;
    g += x->v[ACT] == 1 ? .0004 : 0;
    g += x->v[RESIDUAL] != 0 && x->v[LR] > .02 ? .0012 : 0;
    return g;
}

static void
world_event(struct world *w, struct event *e)
{
    struct update u;
    if (w->stop_after != 0 && w->events >= w->stop_after)
        return;
    e->seq = w->core->seq + 1;
    e->at_ms = w->now_ms;
    int rc = core_step(w->core, e, &u);
    if (rc != 0)
        fail_msg("%s refused: %s", event_name(e->kind), u.why);
    report_event(w->report, w->core, e);
    w->events++;
    while (u.has_next && (w->stop_after == 0 || w->events < w->stop_after)) {
        struct event d = u.next;
        char why[WHY_LEN];
        memcpy(why, u.next_why, sizeof(why));
        d.why = why;
        d.seq = w->core->seq + 1;
        d.at_ms = w->now_ms;
        rc = core_step(w->core, &d, &u);
        assert_int_equal(rc, 0);
        report_event(w->report, w->core, &d);
        w->events++;
    }
}

static void
idea_add(struct world *w, uint32_t source, uint32_t knob, double value,
    double mean, double sd, const char *statement, const char *evidence)
{
    struct event e = {.kind = EVENT_hypothesis_added,
        .source = source,
        .mean = mean,
        .sd = sd,
        .score = 1,
        .n_over = 1,
        .statement = statement,
        .rationale = "Seen to help models of this kind when the default was "
                     "chosen for another data set.",
        .evidence = evidence};
    e.over[0] = (struct override){knob, value};
    world_event(w, &e);
}

static void
ideas_add(struct world *w, const char *name)
{
    idea_add(w, SOURCE_INSIGHT, LR, .03, .0009, .0012,
        "lr 0.01 -> 0.03 (x3): a higher learning rate converges to a better "
        "point within the same epochs",
        "[{\"source\":\"BARS\",\"title\":\"learning_rate x3 on fm\","
        "\"mean\":0.0011,\"sd\":0.002,\"n\":41,\"url\":\"https://doi.org/"
        "10.1145/3477495.3531723\"}]");
    idea_add(w, SOURCE_INSIGHT, LR, .003, -.0004, .0012, "lr 0.01 -> 0.003",
        "insight I7\ninsight I9");
    idea_add(
        w, SOURCE_INSIGHT, DIM, 16, .0006, .0008, "dim 8 -> 16 (x2)", NULL);
    idea_add(w, SOURCE_RESEARCH, DROP, .15, .0003, .001,
        "dropout 0 -> 0.15 regularises the deep part",
        "[\"Srivastava et al., JMLR 15, 2014\", \"arXiv 1207.0580\"]");
    idea_add(w, SOURCE_RESEARCH, RESIDUAL, 1, .0008, .0009,
        "residual connections keep low order terms", "arXiv 1512.03385");
    idea_add(w, SOURCE_RESEARCH, ACT, 1, .0002, .0006, "swish instead of relu",
        "arXiv 1710.05941");
    idea_add(w, SOURCE_RESEARCH, ACT, 2, .0002, .0006, "gelu instead of relu",
        "arXiv 1606.08415");
    idea_add(w, SOURCE_RESEARCH, UNITS, 1, .0001, .0008,
        "units 128,64 -> 256,128", NULL);
    idea_add(w, SOURCE_ENGINEER, BATCH, 256, .0003, .002, name, NULL);
    struct event hook = {.kind = EVENT_hypothesis_added,
        .source = SOURCE_RESEARCH,
        .mean = .001,
        .sd = .002,
        .state = 1,
        .statement = "attention over the user's history",
        .evidence = "arXiv 1706.06978"};
    world_event(w, &hook);
}

static void
wake_add(struct world *w, const char *cause)
{
    struct report_wake wake = {
        .start_ms = w->now_ms, .wall_ms = 6.5, .cause = cause};
    report_wake(w->report, &wake);
}

static void
job_submit(struct world *w, uint32_t job)
{
    struct event e = {
        .kind = EVENT_job_submitted, .job = job, .handle = "local:1"};
    world_event(w, &e);
    uint32_t i = w->n_flying++;
    w->flying[i].job = job;
    w->flying[i].end_ms = w->now_ms + 9000 + (int64_t)(rng_f64(&w->rng) * 4000);
}

static void
measures_fill(struct world *w, const struct job *j, struct event *e)
{
    struct config x;
    job_config(w->core, j, &x);
    double auc = .7431 + truth(w, &x) + .0006 * rng_normal(&w->rng);
    e->reason = REASON_OK;
    e->n_measures = 2;
    e->measure[0] = (struct measure){0, auc};
    e->measure[1] = (struct measure){
        2, .2604 - .4 * (auc - .7431) + .0001 * rng_normal(&w->rng)};
}

static void
job_end(struct world *w, uint32_t i)
{
    const struct job *j = core_job(w->core, w->flying[i].job);
    int64_t ms = w->flying[i].end_ms - j->intended_ms;
    struct event e = {.kind = EVENT_job_ended,
        .job = j->id,
        .trial = j->trial,
        .duration_ms = ms,
        .cost_u = ms * 1000 / 3600,
        .has_checkpoint = true};
    w->now_ms = w->flying[i].end_ms + 3;
    w->flying[i] = w->flying[--w->n_flying];
    if (j->id == 9 || j->id == 11) {
        e.reason = REASON_OOM;
        e.key = "oom-cgroup";
    } else if (j->id == 16) {
        e.reason = REASON_NAN;
        e.key = "loss-nan";
    } else if (j->id == 22) {
        e.reason = REASON_PREEMPTED;
        e.exit_code = 85;
    } else {
        measures_fill(w, j, &e);
    }
    world_event(w, &e);
}

static void
sealed_read(struct world *w, uint32_t trial)
{
    const struct trial *t = &w->core->trial[trial - 1];
    struct event e = {.kind = EVENT_sealed_read,
        .trial = trial,
        .value = .7288 +
                 .8 * truth(w, &w->core->experiment[t->experiment].config) +
                 .0006 * rng_normal(&w->rng)};
    world_event(w, &e);
}

/* Performs what the engine asks for until nothing is left. */
static void
actions_perform(struct world *w)
{
    struct action a[JOBS_MAX];
    uint32_t n;
    while ((n = core_actions(w->core, a, JOBS_MAX)) > 0) {
        if (w->stop_after != 0 && w->events >= w->stop_after)
            return;
        if (a[0].kind == ACTION_SUBMIT) {
            job_submit(w, a[0].job);
        } else if (a[0].kind == ACTION_OPEN_SEALED) {
            sealed_read(w, a[0].trial);
        } else if (a[0].kind == ACTION_KEEP_INSIGHTS) {
            struct event e = {.kind = EVENT_insights_kept};
            world_event(w, &e);
        } else {
            return;
        }
    }
}

static void
plan_sign(struct world *w, const char *by)
{
    struct event draft = {.kind = EVENT_plan_drafted,
        .hash = "7c1e44ab90d2f3e1",
        .budget_u = w->core->spec.total_u};
    world_event(w, &draft);
    struct event sign = {.kind = EVENT_plan_approved,
        .hash = "7c1e44ab90d2f3e1",
        .budget_u = w->core->spec.total_u,
        .by = by};
    w->now_ms += 240000;
    world_event(w, &sign);
    struct event start = {.kind = EVENT_campaign_started};
    w->now_ms += 5000;
    world_event(w, &start);
    struct event data = {
        .kind = EVENT_data_seen, .hash = "4be1c3a2f7d94e55b1a0"};
    world_event(w, &data);
}

static void
world_draft(struct world *w, uint64_t seed, const char *name)
{
    static struct spec spec;
    static unsigned char bytes[1 << 20];
    spec_fill(&spec);
    w->core = calloc(1, sizeof(*w->core));
    w->report = report_new(1);
    w->now_ms = 1763906400000;
    rng_seed(&w->rng, seed);
    struct event e = {.kind = EVENT_campaign_drafted,
        .number = 42 + seed,
        .spec = bytes,
        .spec_len = spec_encode(&spec, bytes, sizeof(bytes)),
        .cost_u = 3100};
    assert_true(e.spec_len <= sizeof(bytes));
    world_event(w, &e);
    ideas_add(w, name);
}

static void
world_run(struct world *w, uint64_t seed, const char *name, const char *by)
{
    world_draft(w, seed, name);
    plan_sign(w, by);
    actions_perform(w);
    wake_add(w, "verb");
    while (w->n_flying > 0) {
        uint32_t first = 0;
        if (w->stop_after != 0 && w->events >= w->stop_after)
            break;
        for (uint32_t i = 1; i < w->n_flying; i++)
            if (w->flying[i].end_ms < w->flying[first].end_ms)
                first = i;
        job_end(w, first);
        actions_perform(w);
        wake_add(w, "wake");
    }
    w->report->repro = (struct report_repro){.id = "E1",
        .workspace = "/home/lin/ctr",
        .commit = "9f1c2ab",
        .command = "./ctr --lr=0.03 --seed=11",
        .environment = "glibc 2.36, 2 cores",
        .fingerprint = "4be1c3a2f7d94e55b1a0",
        .metric = "valid_auc",
        .value = .7461,
        .lo = .7449,
        .hi = .7473};
    report_close(w->report, w->core);
}

static void
world_free(struct world *w)
{
    report_free(w->report);
    free(w->core);
}

static void
leave(const char *name, const struct buf *b)
{
    const char *dir = getenv("REA_REPORT_OUT");
    char path[512];
    if (dir == NULL)
        return;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(fs_write_atomic(path, b->data, b->len, false, NULL), 0);
}

/* ---- the contract's shape ---- */

/* A member's kind by a dotted path: s text, n number, i whole number, b bool,
 * o object, a array, 0 null; several letters: one of them. */
struct shape {
    const char *path, *kinds;
};

static char
kind_letter(const struct json *j)
{
    switch (json_kind(j)) {
    case J_STR:
        return 's';
    case J_INT:
        return 'i';
    case J_REAL:
        return 'n';
    case J_BOOL:
        return 'b';
    case J_OBJ:
        return 'o';
    case J_ARR:
        return 'a';
    case J_NULL:
        return '0';
    default:
        return '-';
    }
}

static const struct json *
json_path(const struct json *j, const char *path)
{
    char key[64];
    while (*path != '\0' && j != NULL) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)n, path);
        j = json_get(j, key);
        path += n + (path[n] == '.');
    }
    return j;
}

static void
shape_check(const struct json *j, const struct shape *s)
{
    for (; s->path != NULL; s++) {
        char k = kind_letter(json_path(j, s->path));
        if (strchr(s->kinds, k) == NULL && !(k == 'i' && strchr(s->kinds, 'n')))
            fail_msg("%s is '%c', wanted one of '%s'", s->path, k, s->kinds);
    }
}

static void
shape_check_all(const struct json *arr, const struct shape *s)
{
    assert_int_equal(json_kind(arr), J_ARR);
    for (size_t i = 0; i < json_len(arr); i++)
        shape_check(json_at(arr, i), s);
}

static const struct shape campaign_shape[] = {{"id", "s"}, {"model", "s"},
    {"state", "s"}, {"phase", "s0"}, {"trials.ok", "i"},
    {"trials.running", "i"}, {"trials.failed", "i"}, {"trials.recovered", "i"},
    {"budget.unit", "s"}, {"budget.approved", "n"}, {"budget.reserved", "n"},
    {"budget.spent", "n"}, {"best", "o0"}, {"attention", "s0"}, {NULL, NULL}};
static const struct shape report_shape[] = {{"baseline.mean", "n"},
    {"baseline.sd", "n"}, {"baseline.seeds", "i"}, {"proposal", "o0"},
    {"wakes", "i"}, {"resident_agent_seconds", "n"},
    {"resident_wait_seconds", "n"}, {NULL, NULL}};
static const struct shape idea_shape[] = {{"id", "s"}, {"source", "s"},
    {"statement", "s"}, {"verdict", "s"}, {"proved", "b"},
    {"predicted.mean", "n"}, {"predicted.sd", "n"}, {"effect", "o0"},
    {"evidence", "a"}, {"change", "o"}, {"trials", "i"}, {NULL, NULL}};
static const struct shape pair_shape[] = {{"experiments", "a"},
    {"verdict", "s"}, {"interaction.mean", "n"}, {"interaction.lo", "n"},
    {"interaction.hi", "n"}, {NULL, NULL}};
static const struct shape sealed_shape[] = {{"sealed.baseline", "n"},
    {"sealed.candidate", "n"}, {"sealed.gain", "n"}, {"sealed.lo", "n"},
    {"sealed.hi", "n"}, {"sealed.seeds", "i"}, {"sealed.looks", "i"},
    {"experiment", "s"}, {NULL, NULL}};
static const struct shape proposal_shape[] = {{"knobs", "o"}, {"patch", "s0"},
    {"search.baseline", "n"}, {"search.candidate", "n"}, {"search.gain", "n"},
    {"search.lo", "n"}, {"search.hi", "n"}, {"guardrails", "a"}, {NULL, NULL}};
static const struct shape trial_shape[] = {{"id", "s"}, {"experiment", "s"},
    {"phase", "s"}, {"seed", "i"}, {"knobs", "o"}, {"state", "s"},
    {"attempts", "i"}, {"cost", "n"}, {"metrics", "o"}, {NULL, NULL}};
static const struct shape failure_shape[] = {{"trial", "s"}, {"signature", "s"},
    {"remedy", "s"}, {"outcome", "s"}, {NULL, NULL}};
static const struct shape phase_shape[] = {{"name", "s"}, {"state", "s"},
    {"trials", "i"}, {"cost", "n"}, {NULL, NULL}};

static struct json *
parsed(const struct buf *b)
{
    struct err err = {0};
    struct json *j = json_parse(buf_str(b), b->len, &err);
    if (j == NULL)
        fail_msg("%s", err.text);
    return j;
}

/* ---- tests ---- */

static void
test_report_json(void **state)
{
    (void)state;
    struct world w = {0};
    struct buf out = {0};
    world_run(&w, 1, "batch 1024 -> 256", "lin");
    assert_int_equal(w.core->state, CAMPAIGN_DONE);
    report_json(w.report, &out);
    leave("report.json", &out);
    struct json *j = parsed(&out);
    shape_check(json_get(j, "campaign"), campaign_shape);
    shape_check(j, report_shape);
    shape_check_all(json_get(j, "hypotheses"), idea_shape);
    shape_check_all(json_get(j, "combinations"), pair_shape);
    shape_check_all(json_get(j, "finalists"), sealed_shape);
    shape_check_all(json_get(j, "trials"), trial_shape);
    shape_check_all(json_get(j, "failures"), failure_shape);
    shape_check_all(json_get(j, "phases"), phase_shape);
    assert_int_equal(json_len(json_get(j, "hypotheses")), 10);
    assert_int_equal(json_len(json_get(j, "phases")), 4);
    assert_true(json_len(json_get(j, "failures")) >= 3);
    assert_int_equal(json_len(json_get(j, "trials")), w.core->n_trials);
    if (w.core->proposal != 0) {
        shape_check(json_get(j, "proposal"), proposal_shape);
        shape_check(json_get(j, "proposal"), sealed_shape);
    }
    assert_int_equal(json_get_i64(j, "wakes", 0), (int64_t)w.report->n_wakes);
    assert_null(strstr(buf_str(&out), ": nan"));
    assert_null(strstr(buf_str(&out), ": NaN"));
    json_free(j);
    buf_fini(&out);
    world_free(&w);
}

/* Every number of the contract that the page shows is the JSON's number. */
static void
test_faces_agree(void **state)
{
    (void)state;
    struct world w = {0};
    struct buf html = {0}, md = {0};
    struct text_style plain = {0};
    struct buf text = {0};
    world_run(&w, 1, "batch 1024 -> 256", "lin");
    report_html(w.report, &html);
    report_md(w.report, &md);
    campaign_text(w.report, &plain, &text);
    leave("report.html", &html);
    leave("report.md", &md);
    leave("status-one.txt", &text);
    for (uint32_t i = 0; i < w.core->n_finalists; i++) {
        const struct finalist *f = &w.core->finalist[i];
        struct fmt s = fmt_interval(f->gain, f->lo, f->hi, 5);
        assert_non_null(strstr(buf_str(&md), s.s));
        assert_non_null(strstr(buf_str(&html), page_minus(s).s));
    }
    for (uint32_t h = 0; h < w.core->n_hypotheses; h++) {
        double m, lo, hi;
        if (hypothesis_effect(w.report, h, &m, &lo, &hi))
            assert_non_null(strstr(buf_str(&md), fmt_interval(m, lo, hi, 5).s));
    }
    buf_fini(&html);
    buf_fini(&md);
    buf_fini(&text);
    world_free(&w);
}

/* The tally of the sources, counted anew, in every face. */
static void
test_sources(void **state)
{
    (void)state;
    struct world w = {0};
    struct buf html = {0}, md = {0}, json = {0}, text = {0};
    struct text_style plain = {0};
    struct source_facts s[SOURCE_COUNT];
    world_run(&w, 1, "batch 1024 -> 256", "lin");
    report_html(w.report, &html);
    report_md(w.report, &md);
    report_json(w.report, &json);
    campaign_text(w.report, &plain, &text);
    uint32_t n = sources_tally(w.report, s), ideas = 0, held = 0;
    assert_true(n > 0);
    struct json *j = parsed(&json);
    assert_int_equal(json_len(json_get(j, "sources")), n);
    for (uint32_t i = 0; i < n; i++) {
        const struct json *x = json_at(json_get(j, "sources"), i);
        char row[80];
        ideas += s[i].ideas;
        held += s[i].held;
        assert_true(s[i].held <= s[i].tried && s[i].tried <= s[i].ideas);
        assert_int_equal(json_get_i64(x, "tried", -1), s[i].tried);
        if (s[i].held > 0)
            assert_true(s[i].gain > 0 && s[i].cost_u > 0);
        if (s[i].cost_u > 0)
            assert_true(fabs(json_get_num(x, "gain_per_unit", -1) *
                                 json_get_num(x, "cost", -1) -
                             s[i].gain) < 1e-9);
        snprintf(row, sizeof row, "| %s | %u | %u | %u |",
            source_name(s[i].source), s[i].ideas, s[i].tried, s[i].held);
        assert_non_null(strstr(buf_str(&md), row));
        snprintf(row, sizeof row, "%s %u of %u held", source_name(s[i].source),
            s[i].held, s[i].tried);
        assert_non_null(strstr(buf_str(&text), row));
    }
    assert_non_null(strstr(buf_str(&html), "What each source of ideas"));
    for (uint32_t h = 0; h < w.core->n_hypotheses; h++) {
        ideas -= !w.core->hypothesis[h].dropped;
        held -= w.core->hypothesis[h].verdict == VERDICT_PROMOTE;
    }
    assert_int_equal(ideas, 0);
    assert_int_equal(held, 0);
    json_free(j);
    buf_fini(&html);
    buf_fini(&md);
    buf_fini(&json);
    buf_fini(&text);
    world_free(&w);
}

static void
test_nothing_held(void **state)
{
    (void)state;
    struct world w = {.nothing_works = true};
    struct buf out = {0}, html = {0};
    world_run(&w, 3, "batch 1024 -> 256", "lin");
    assert_int_equal(w.core->state, CAMPAIGN_DONE);
    assert_int_equal(w.core->proposal, 0);
    report_json(w.report, &out);
    report_html(w.report, &html);
    leave("nothing.html", &html);
    leave("nothing.json", &out);
    struct json *j = parsed(&out);
    assert_int_equal(json_kind(json_get(j, "proposal")), J_NULL);
    assert_non_null(strstr(buf_str(&html), "Nothing held"));
    json_free(j);
    buf_fini(&out);
    buf_fini(&html);
    world_free(&w);
}

/* At every length of the log every face can be made, and a sealed value shows
 * nowhere before the event that opened it. */
static void
test_every_prefix(void **state)
{
    (void)state;
    uint32_t step = 97;
    for (uint32_t n = 1;; n += step) {
        struct world w = {.stop_after = n};
        struct buf out = {0}, html = {0}, md = {0}, text = {0};
        struct text_style plain = {0};
        world_run(&w, 1, "batch 1024 -> 256", "lin");
        bool ended = w.events < n;
        report_json(w.report, &out);
        report_html(w.report, &html);
        report_md(w.report, &md);
        campaign_text(w.report, &plain, &text);
        json_free(parsed(&out));
        if (n == 1 + 2 * step) {
            leave("running.html", &html);
            leave("running.json", &out);
        }
        if (w.core->looks == 0) {
            assert_null(strstr(buf_str(&out), "\"test_auc\": "));
            assert_null(strstr(buf_str(&out), "\"sealed\": {"));
        }
        buf_fini(&out);
        buf_fini(&html);
        buf_fini(&md);
        buf_fini(&text);
        world_free(&w);
        if (ended)
            break;
    }
}

static void
test_plan_json(void **state)
{
    (void)state;
    struct world w = {0};
    struct buf out = {0}, text = {0};
    struct text_style plain = {0};
    world_draft(&w, 5, EVIL);
    struct event draft = {.kind = EVENT_plan_drafted,
        .hash = "7c1e44ab90d2f3e1",
        .budget_u = w.core->spec.total_u};
    world_event(&w, &draft);
    report_close(w.report, w.core);
    plan_json(w.report, &out);
    plan_text(w.report, &plain, &text);
    leave("plan.json", &out);
    leave("plan.txt", &text);
    struct json *j = parsed(&out);
    assert_string_equal(json_get_str(j, "campaign"), "C1");
    assert_string_equal(json_get_str(j, "hash"), "7c1e44ab90d2f3e1");
    static const struct shape ideas[] = {{"id", "s"}, {"source", "s"},
        {"statement", "s"}, {"change", "o"}, {"predicted.mean", "n"},
        {"predicted.sd", "n"}, {"evidence", "a"}, {NULL, NULL}};
    static const struct shape phases[] = {
        {"name", "s"}, {"trials", "i"}, {"cost", "n"}, {NULL, NULL}};
    static const struct shape plan[] = {{"estimate.cost", "n"},
        {"estimate.unit", "s"}, {"expected_gain", "n"},
        {"detectable_gain", "n"}, {NULL, NULL}};
    shape_check_all(json_get(j, "hypotheses"), ideas);
    shape_check_all(json_get(j, "phases"), phases);
    shape_check(j, plan);
    const struct json *change =
        json_get(json_at(json_get(j, "hypotheses"), 7), "change");
    assert_string_equal(json_str(json_at(json_get(change, "units"), 0)), "256");
    assert_non_null(strstr(buf_str(&text), "next: rea approve 7c1e44ab90d2"));
    assert_null(strchr(buf_str(&text), '\x1b'));
    json_free(j);
    buf_fini(&out);
    buf_fini(&text);
    world_free(&w);
}

static uint32_t
count(const char *text, const char *what)
{
    uint32_t n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

static void
test_injection(void **state)
{
    (void)state;
    struct world w = {0};
    struct buf html = {0}, md = {0}, text = {0}, clean = {0};
    struct text_style plain = {0};
    world_run(&w, 1, EVIL, EVIL);
    snprintf(w.core->spec.model, NAME_LEN, "<img src=x onerror=alert(1)>");
    snprintf(w.core->spec.knob[0].doc, TEXT_LEN, "<b>\"'&");
    w.report->repro.command = "./ctr </pre><script>1</script>";
    w.report->hypothesis[1].evidence =
        "[{\"url\":\"javascript:alert(1)\"},\"https://x/\\\"onclick=1\"]";
    report_html(w.report, &html);
    report_md(w.report, &md);
    campaign_text(w.report, &plain, &text);
    assert_int_equal(count(buf_str(&html), "<script"), 1);
    assert_null(strstr(buf_str(&html), "<img"));
    assert_null(strstr(buf_str(&html), "href=\"javascript"));
    assert_null(strstr(buf_str(&html), "\"onclick"));
    assert_int_equal(count(buf_str(&html), "</pre>"), 1);
    assert_null(strchr(buf_str(&html), '\x1b'));
    /* The one raw place is the indented code of the last section. */
    const char *code = strstr(buf_str(&md), "## How to reproduce");
    assert_non_null(code);
    const char *raw = strstr(buf_str(&md), "<script");
    assert_true(raw == NULL || raw > code);
    assert_null(strchr(buf_str(&text), '\x1b'));
    for (uint32_t i = 0; i < w.core->n_hypotheses; i++) {
        char id[16];
        snprintf(id, sizeof(id), "H%u", i + 1);
        assert_int_equal(show_text(w.report, id, &plain, &clean, NULL), 0);
    }
    assert_null(strchr(buf_str(&clean), '\x1b'));
    buf_fini(&html);
    buf_fini(&md);
    buf_fini(&text);
    buf_fini(&clean);
    world_free(&w);
}

/* The page loads nothing: links are the only addresses in it. */
static void
test_self_contained(void **state)
{
    (void)state;
    struct world w = {0};
    struct buf html = {0};
    world_run(&w, 1, "batch 1024 -> 256", "lin");
    report_html(w.report, &html);
    const char *s = buf_str(&html);
    assert_null(strstr(s, " src="));
    assert_null(strstr(s, "@import"));
    assert_null(strstr(s, "url("));
    assert_null(strstr(s, "<link"));
    assert_true(count(s, "href=\"http") > 0);
    assert_null(strstr(s, "xmlns"));
    assert_true(count(s, "<svg") >= 8);
    assert_int_equal(count(s, "<svg"), count(s, "</svg>"));
    assert_null(strstr(s, "\"nan"));
    buf_fini(&html);
    world_free(&w);
}

static void
test_status(void **state)
{
    (void)state;
    struct world w = {0};
    struct status_entry v[40];
    struct buf out = {0}, text = {0};
    struct text_style plain = {0};
    world_run(&w, 1, "batch 1024 -> 256", "lin");
    for (uint32_t i = 0; i < 40; i++)
        status_entry(i + 1, w.core, NULL, &v[i]);
    status_json(v, 40, &out);
    status_text(v, 40, &plain, &text);
    leave("status.json", &out);
    leave("status.txt", &text);
    struct json *j = parsed(&out);
    shape_check_all(json_get(j, "campaigns"), campaign_shape);
    assert_int_equal(json_len(json_get(j, "campaigns")), 40);
    assert_true(count(buf_str(&text), "\n") <= 25);
    assert_non_null(strstr(buf_str(&text), "next: "));
    json_free(j);
    buf_clear(&out);
    status_json(v, 0, &out);
    j = parsed(&out);
    assert_int_equal(json_kind(json_get(j, "campaigns")), J_ARR);
    json_free(j);
    buf_fini(&out);
    buf_fini(&text);
    world_free(&w);
}

static void
test_show_why(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        int rc;
        const char *has;
    } cases[] = {{"T1", 0, "T1  E0 (baseline)"}, {"t1", 0, "T1 "},
        {"C1/T1", 0, "T1 "}, {"H1", 0, "predicted"}, {"E0", 0, "baseline"},
        {"E1", 0, "change"}, {"J1", 0, "attempt 1"}, {"C1", 0, "budget"},
        {"T999", -ERR_NOT_FOUND, "T1..T"}, {"H0", -ERR_INPUT, "not an id"},
        {"C2/T1", -ERR_NOT_FOUND, "campaign C1"}, {"Q1", -ERR_INPUT, "id"},
        {"T", -ERR_INPUT, "id"}, {"T1x", -ERR_INPUT, "id"},
        {"I3", -ERR_NOT_FOUND, "insight"},
        {"T99999999999999999999", -ERR_INPUT, "id"}};
    struct world w = {0};
    struct text_style plain = {.width = 60}; /* lines wrap: rows are counted */
    world_run(&w, 1, "batch 1024 -> 256", "lin");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0}, why = {0}, js = {0};
        struct err err = {0};
        int rc = show_text(w.report, cases[i].id, &plain, &out, &err);
        assert_int_equal(rc, cases[i].rc);
        const char *said = rc == 0 ? buf_str(&out) : err.text;
        if (strstr(said, cases[i].has) == NULL)
            fail_msg("%s: '%s' is not in: %s", cases[i].id, cases[i].has, said);
        rc = why_text(w.report, cases[i].id, &plain, &why, &err);
        assert_int_equal(rc, cases[i].rc);
        rc = show_json(w.report, cases[i].id, &js, &err);
        assert_int_equal(rc, cases[i].rc);
        if (rc == 0) {
            json_free(parsed(&js));
            assert_non_null(strstr(buf_str(&out), "next: "));
            assert_true(count(buf_str(&why), "next: ") == 1);
            assert_true(count(buf_str(&why), "\n") <= 25);
        }
        buf_fini(&out);
        buf_fini(&why);
        buf_fini(&js);
    }
    world_free(&w);
}

static void
test_numbers(void **state)
{
    (void)state;
    struct spec s = {.n_metrics = 1};
    static const struct {
        double min_gain;
        uint32_t decimals;
    } digits[] = {
        {5e-4, 5}, {2e-4, 5}, {1e-3, 4}, {.01, 3}, {.5, 2}, {0, 2}, {1e-12, 8}};
    for (size_t i = 0; i < sizeof(digits) / sizeof(digits[0]); i++) {
        s.metric[0].min_gain = digits[i].min_gain;
        assert_int_equal(fmt_decimals(&s), digits[i].decimals);
    }
    assert_string_equal(fmt_gain(.00123, 5).s, "+0.00123");
    assert_string_equal(fmt_gain(-.00123, 5).s, "-0.00123");
    assert_string_equal(fmt_gain(-1e-9, 5).s, "+0.00000");
    assert_string_equal(fmt_gain(NAN, 5).s, "-");
    assert_string_equal(fmt_value(NAN, 5).s, "-");
    assert_string_equal(fmt_duration(192000).s, "3 min 12 s");
    assert_string_equal(fmt_duration(450).s, "450 ms");
    assert_string_equal(fmt_duration(7500000).s, "2 h 05 min");
    struct fmt_unit u = fmt_unit(UNIT_CORE_HOURS, 500000);
    assert_string_equal(u.name, "core-min");
    assert_string_equal(fmt_cost(u, 50000).s, "3.00");
}

static void
evidence_note(void *ctx, const char *text, const char *url)
{
    struct buf *out = ctx;
    buf_printf(out, "%s>%s|", text, url != NULL ? url : "-");
}

static void
test_evidence(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"", ""}, {"plain", "plain>-|"}, {"a\n\nb", "a>-|b>-|"},
        {"DeepFM, arXiv 1703.04247.",
            "DeepFM, arXiv 1703.04247.>https://arxiv.org/abs/1703.04247|"},
        {"doi 10.1145/2843948.", "doi 10.1145/2843948.>"
                                 "https://doi.org/10.1145/2843948|"},
        {"0.1703 and 12.5", "0.1703 and 12.5>-|"},
        {"see https://a.b/c?d=1.", "see https://a.b/c?d=1.>"
                                   "https://a.b/c?d=1|"},
        {"[\"x\",{\"title\":\"t\",\"n\":3}]", "x>-|t, n = 3>-|"},
        {"[{\"url\":\"https://a.b\",\"title\":\"t\"}]", "t>https://a.b|"},
        {"[{\"url\":\"javascript:x\",\"title\":\"t\"}]", "t>-|"},
        {"[{\"id\":\"I7\",\"effect\":-0.001,\"sd\":0.002,\"supports\":\"-\","
         "\"odd\":true}]",
            "I7, effect -0.001 ± 0.002, speaks against it, odd true>-|"},
        {"[broken", "[broken>-|"}, {"[]", ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        evidence_each(cases[i].in, evidence_note, &out);
        assert_string_equal(buf_str(&out), cases[i].out);
        buf_fini(&out);
    }
}

static void
test_escape(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"},
        {"\xff\xc3\x28", "\xef\xbf\xbd\xef\xbf\xbd("},
        {"\xc0\xbcscript", "\xef\xbf\xbd\xef\xbf\xbdscript"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"}, {"\x01x", " x"}, {"µ", "µ"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        page_text(&out, cases[i].in);
        assert_string_equal(buf_str(&out), cases[i].out);
        buf_fini(&out);
    }
}

static void
test_axis(void **state)
{
    (void)state;
    for (double lo = -3; lo < 3; lo += .37) {
        for (double span = 1e-6; span < 1e6; span *= 7.3) {
            struct axis a;
            axis_init(&a, lo, lo + span, 0, 100, 5);
            assert_in_range(a.n, 2, TICKS_MAX);
            for (uint32_t i = 1; i < a.n; i++)
                assert_true(a.tick[i] > a.tick[i - 1]);
            assert_true(axis_at(&a, lo) <= 1e-9);
        }
    }
    struct axis t;
    axis_init_time(&t, 3 * 3600e3, 0, 100, 10);
    assert_in_range(t.n, 4, TICKS_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_json),
        cmocka_unit_test(test_faces_agree),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_nothing_held),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_plan_json),
        cmocka_unit_test(test_injection),
        cmocka_unit_test(test_self_contained),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_show_why),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_axis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
