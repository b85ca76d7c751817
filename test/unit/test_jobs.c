/* The backends without a shim in between: tokens, exit.json, the recorded
 * backend's outcomes and clock, probes, and options read from --help. What
 * needs real jobs is in test/flow/shim-*.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "jobs/jobs.h"
#include "jobs/probe.h"

struct place {
    char dir[64];
    struct arena a;
};

static int
place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "/tmp/test_jobs_XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    *state = p;
    return 0;
}

static int
place_drop(void **state)
{
    struct place *p = *state;
    fs_remove_tree(p->dir, NULL);
    arena_fini(&p->a);
    free(p);
    unsetenv("REA_CLOCK");
    return 0;
}

static const char *
in(struct place *p, const char *name)
{
    return fs_join_in(&p->a, p->dir, name);
}

static void
put(struct place *p, const char *name, const char *text)
{
    assert_int_equal(
        fs_write_atomic(in(p, name), text, strlen(text), false, NULL), 0);
}

static const char *
get(struct place *p, const char *name)
{
    struct buf b = {0};
    assert_int_equal(fs_read(in(p, name), 0, &b, NULL), 0);
    char *text = arena_strdup(&p->a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void
tokens(void **state)
{
    (void)state;
    const char *good[] = {"rea-1a2b3c4d-C1-J7", "a", "x.y_z-9"};
    const char *bad[] = {"", ".hidden", "a/b", "a b", "..",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(token_check(good[i], NULL), 0);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(token_check(bad[i], NULL), -ERR_INPUT);
    assert_int_equal(token_check(NULL, NULL), -ERR_INPUT);
}

static void
exit_file_round_trip(void **state)
{
    struct place *p = *state;
    for (uint32_t r = REASON_OK; r < REASON_COUNT; r++) {
        struct exit_facts f = {.reason = r,
            .exit_code = 3,
            .signal = 9,
            .start_ms = 1795439799805,
            .end_ms = 1795439800806,
            .duration_ms = 1001,
            .cpu_ms = 900,
            .max_rss_bytes = 5368709120,
            .boot_id = "266b39d4",
            .token = "t-1",
            .detail = "a \"quoted\" \\ word"};
        struct exit_facts back;
        struct buf b = {0};
        exit_facts_put(&f, &b);
        put(p, "exit.json", buf_str(&b));
        buf_fini(&b);
        assert_int_equal(exit_facts_read(p->dir, &back, NULL), 0);
        assert_int_equal(back.reason, f.reason);
        assert_int_equal(back.duration_ms, f.duration_ms);
        assert_int_equal(back.max_rss_bytes, f.max_rss_bytes);
        assert_string_equal(back.token, f.token);
        assert_string_equal(back.detail, f.detail);
    }
}

static void
exit_file_refused(void **state)
{
    struct place *p = *state;
    struct exit_facts f;
    struct err err = {0};
    assert_int_equal(exit_facts_read(p->dir, &f, &err), -ERR_NOT_FOUND);
    static const struct {
        const char *text;
        int code;
    } bad[] = {{"", -ERR_CORRUPT}, {"{", -ERR_CORRUPT}, {"[]", -ERR_CORRUPT},
        {"{\"version\":1,\"token\":\"t\"}", -ERR_CORRUPT},
        {"{\"version\":1,\"token\":\"t\",\"reason\":\"bored\"}", -ERR_CORRUPT},
        {"{\"version\":1,\"reason\":\"ok\"}", -ERR_CORRUPT},
        {"{\"version\":2,\"token\":\"t\",\"reason\":\"ok\"}", -ERR_VERSION}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(p, "exit.json", bad[i].text);
        assert_int_equal(exit_facts_read(p->dir, &f, &err), bad[i].code);
    }
}

static void
open_refuses(void **state)
{
    struct place *p = *state;
    struct jobs j;
    struct err err = {0};
    struct jobs_config c = {.kind = "slurmy", .jobs_dir = in(p, "jobs")};
    assert_int_equal(jobs_open(&j, &c, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "slurmy"));
    jobs_close(&j);
    c.kind = "local";
    c.shim = "/no/such/shim";
    assert_int_equal(jobs_open(&j, &c, &err), -ERR_NOT_FOUND);
    jobs_close(&j);
    c.kind = "recorded";
    c.record = "/no/such/record";
    assert_int_equal(jobs_open(&j, &c, &err), -ERR_NOT_FOUND);
    jobs_close(&j);
}

/* ---- recorded ---- */

static void
recorded_open(struct place *p, struct jobs *j, const char *record)
{
    struct jobs_config c = {.kind = "recorded", .jobs_dir = in(p, "jobs")};
    struct err err = {0};
    if (record != NULL) {
        put(p, "record", record);
        c.record = in(p, "record");
    }
    put(p, "clock", "1000\n");
    setenv("REA_CLOCK", in(p, "clock"), 1);
    if (jobs_open(j, &c, &err) != 0)
        fail_msg("%s", err.text);
}

static int
recorded_submit(struct place *p, struct jobs *j, const char *token,
    const char *const *env, struct job_handle *h, struct err *err)
{
    static const char *const argv[] = {"train", "--evaluate=test", NULL};
    struct job_spec spec = {.token = token,
        .run_dir = in(p, token),
        .argv = argv,
        .envp = env,
        .time_ms = 100000,
        .lease_fd = -1};
    return job_submit(j, &spec, h, err);
}

static void
recorded_waits(void **state)
{
    struct place *p = *state;
    struct jobs j;
    struct job_handle h;
    struct job_status st;
    struct err err = {0};
    const char *argv[] = {"train", NULL}, *env[] = {"REA_TRIAL=T1", NULL};
    recorded_open(
        p, &j, "{\"match\":{\"trial\":\"T1\"},\"duration_ms\":500}\n");
    for (int i = 0; i < 2; i++) {
        struct job_spec spec = {.token = i == 0 ? "one" : "two",
            .run_dir = in(p, i == 0 ? "one" : "two"),
            .argv = argv,
            .envp = env,
            .delay_ms = 2000,
            .lease_fd = -1};
        put(p, "clock", "1000");
        assert_int_equal(job_submit(&j, &spec, &h, &err), 0);
        if (i == 1) { /* cancelled before it began */
            put(p, "clock", "1700");
            assert_int_equal(job_cancel(&j, &h, &err), 0);
        }
        put(p, "clock", "3499");
        assert_int_equal(job_poll(&j, &h, &st, &err), 0);
        assert_int_equal(st.state, i == 0 ? JOB_STATE_RUNNING : JOB_STATE_DONE);
        put(p, "clock", "3500");
        assert_int_equal(job_poll(&j, &h, &st, &err), 0);
        assert_int_equal(st.state, JOB_STATE_DONE);
        assert_int_equal(st.exit.reason, i == 0 ? REASON_OK : REASON_CANCELLED);
        assert_int_equal(st.exit.duration_ms, i == 0 ? 500 : 0);
    }
    jobs_close(&j);
}

static const char record_text[] =
    "# a comment\n"
    "{\"match\":{\"trial\":\"T1\",\"attempt\":1},\"reason\":\"oom\","
    "\"signal\":9,\"duration_ms\":500,\"stderr\":\"gone\\n\"}\n"
    "{\"match\":{\"trial\":\"T1\"},\"duration_ms\":700,"
    "\"metrics\":[{\"step\":1,\"auc\":0.75},{\"step\":2,\"auc\":\"NaN\"}]}\n"
    "{\"match\":{\"trial\":\"T3\"},\"duration_ms\":900000}\n"
    "{\"match\":{\"argv_has\":\"evaluate\",\"seed\":7},\"exit_code\":5}\n";

static void
recorded_story(void **state)
{
    struct place *p = *state;
    struct jobs j;
    struct job_handle h1, h2, h3, h4, again;
    struct job_status st;
    struct err err = {0};
    const char *e1[] = {"REA_TRIAL=T1", "REA_ATTEMPT=1", NULL};
    const char *e2[] = {"REA_TRIAL=T1", "REA_ATTEMPT=2", NULL};
    const char *e3[] = {"REA_TRIAL=T3", NULL};
    const char *e4[] = {"REA_TRIAL=T4", "REA_SEED=7", NULL};
    const char *e5[] = {"REA_TRIAL=T5", NULL};
    recorded_open(p, &j, record_text);
    assert_int_equal(recorded_submit(p, &j, "one", e1, &h1, &err), 0);
    assert_int_equal(recorded_submit(p, &j, "two", e2, &h2, &err), 0);
    assert_int_equal(recorded_submit(p, &j, "three", e3, &h3, &err), 0);
    assert_int_equal(recorded_submit(p, &j, "four", e4, &h4, &err), 0);
    assert_int_equal(
        recorded_submit(p, &j, "five", e5, &again, &err), -ERR_NOT_FOUND);
    assert_int_equal(job_find(&j, "five", &again, NULL), -ERR_NOT_FOUND);
    assert_int_equal(job_poll(&j, &h1, &st, &err), 0);
    assert_int_equal(st.state, JOB_STATE_RUNNING);

    put(p, "clock", "1499");
    job_poll(&j, &h1, &st, &err);
    assert_int_equal(st.state, JOB_STATE_RUNNING);
    put(p, "clock", "1500");
    /* The same token again, later: the first outcome stays. */
    assert_int_equal(recorded_submit(p, &j, "one", e2, &again, &err), 0);
    assert_string_equal(again.text, h1.text);
    job_poll(&j, &h1, &st, &err);
    assert_int_equal(st.state, JOB_STATE_DONE);
    assert_int_equal(st.exit.reason, REASON_OOM);
    assert_int_equal(st.exit.duration_ms, 500);
    assert_string_equal(get(p, "one/stderr.log"), "gone\n");

    assert_int_equal(job_cancel(&j, &h3, &err), 0);
    job_poll(&j, &h3, &st, &err);
    assert_int_equal(st.exit.reason, REASON_CANCELLED);
    assert_int_equal(st.exit.duration_ms, 500);
    put(p, "clock", "999999");
    job_poll(&j, &h3, &st, &err);
    assert_int_equal(st.exit.reason, REASON_CANCELLED);
    job_poll(&j, &h2, &st, &err);
    assert_int_equal(st.exit.reason, REASON_OK);
    assert_string_equal(get(p, "two/metrics.jsonl"),
        "{\"step\": 1, \"auc\": 0.75}\n{\"step\": 2, \"auc\": NaN}\n");
    job_poll(&j, &h4, &st, &err);
    assert_int_equal(st.exit.exit_code, 5);
    assert_int_equal(st.exit.reason, REASON_EXIT);
    assert_int_equal(jobs_now_ms(&j), 999999);
    jobs_close(&j);
}

/* A loss of power within the submission leaves a claim that is cut off. */
static void
recorded_cut(void **state)
{
    struct place *p = *state;
    struct jobs j;
    struct job_handle h, again;
    struct job_status st;
    struct err err = {0};
    const char *env[] = {"REA_TRIAL=T1", NULL};
    recorded_open(p, &j, "{\"duration_ms\":500}\n");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(recorded_submit(p, &j, "one", env, &h, &err), 0);
        assert_int_equal(job_find(&j, "one", &again, &err), 0);
        put(p, "jobs/one", i == 0 ? "" : "{\"version\":1,\"tok");
        assert_int_equal(job_poll(&j, &h, &st, &err), -ERR_CORRUPT);
        assert_int_equal(job_find(&j, "one", &again, &err), -ERR_NOT_FOUND);
    }
    assert_int_equal(recorded_submit(p, &j, "one", env, &h, &err), 0);
    assert_int_equal(job_poll(&j, &h, &st, &err), 0);
    assert_int_equal(st.state, JOB_STATE_RUNNING);
    jobs_close(&j);
}

static void
recorded_limit_and_cancel_late(void **state)
{
    struct place *p = *state;
    struct jobs j;
    struct job_handle h;
    struct job_status st;
    const char *e3[] = {"REA_TRIAL=T3", NULL};
    recorded_open(p, &j, record_text);
    assert_int_equal(recorded_submit(p, &j, "long", e3, &h, NULL), 0);
    put(p, "clock", "101000");
    assert_int_equal(job_cancel(&j, &h, NULL), 0);
    assert_int_equal(job_poll(&j, &h, &st, NULL), 0);
    assert_int_equal(st.exit.reason, REASON_TIMEOUT);
    assert_int_equal(st.exit.duration_ms, 100000);
    assert_int_equal(job_forget(&j, "long", NULL), 0);
    assert_int_equal(job_forget(&j, "long", NULL), 0);
    assert_int_equal(job_poll(&j, &h, &st, NULL), 0);
    assert_int_equal(st.state, JOB_STATE_UNKNOWN);
    struct job_handle other = {"local:long"};
    assert_int_equal(job_poll(&j, &other, &st, NULL), -ERR_INPUT);
    jobs_close(&j);
}

static double
world_auc(struct place *p, struct jobs *j, const char *token, const char *knobs,
    const char *seed)
{
    put(p, "knobs.json", knobs);
    const char *env[] = {
        arena_printf(&p->a, "REA_KNOBS_FILE=%s/knobs.json", p->dir),
        arena_printf(&p->a, "REA_SEED=%s", seed), NULL};
    struct job_handle h;
    struct job_status st;
    struct err err = {0};
    put(p, "clock", "1000");
    if (recorded_submit(p, j, token, env, &h, &err) != 0)
        fail_msg("%s", err.text);
    put(p, "clock", "9000000");
    assert_int_equal(job_poll(j, &h, &st, NULL), 0);
    assert_int_equal(st.exit.reason, REASON_OK);
    const char *text = get(p, arena_printf(&p->a, "%s/metrics.jsonl", token));
    const char *last = strstr(text, "\"step\":3");
    assert_non_null(last);
    return strtod(strstr(last, "\"auc\":") + 6, NULL);
}

static void
recorded_world(void **state)
{
    struct place *p = *state;
    struct jobs j;
    recorded_open(p, &j,
        "{\"world\":{\"metrics\":{\"auc\":{\"base\":0.7,\"sd\":0.0001}},"
        "\"effects\":[{\"knob\":\"model\",\"value\":\"fm\",\"gain\":0.01},"
        "{\"knob\":\"lr\",\"best\":0.01,\"curve\":-0.02,\"log\":true}],"
        "\"pairs\":[{\"a\":{\"knob\":\"model\",\"value\":\"fm\"},"
        "\"b\":{\"knob\":\"lr\",\"value\":0.1},\"gain\":0.05}]}}\n");
    double base = world_auc(p, &j, "b", "{\"model\":\"lr\",\"lr\":0.01}", "1");
    double fm = world_auc(p, &j, "f", "{\"model\":\"fm\",\"lr\":0.01}", "1");
    double far = world_auc(p, &j, "l", "{\"model\":\"lr\",\"lr\":0.1}", "1");
    double both = world_auc(p, &j, "d", "{\"model\":\"fm\",\"lr\":0.1}", "1");
    double seed = world_auc(p, &j, "s", "{\"model\":\"lr\",\"lr\":0.01}", "2");
    assert_true(base > 0.6990 && base < 0.7010);
    assert_true(fabs(fm - base - (0.01)) < 1e-9);
    assert_true(fabs(far - base - (-0.02)) < 1e-9);
    assert_true(fabs(both - base - (0.04)) < 1e-9);
    assert_true(seed != base && seed - base < 0.001 && base - seed < 0.001);
    jobs_close(&j);
}

static void
record_refused(void **state)
{
    struct place *p = *state;
    struct jobs j;
    struct job_handle h;
    struct err err = {0};
    const char *e[] = {"REA_TRIAL=T1", NULL};
    recorded_open(p, &j, "{\"match\":{}}\n{oops\n");
    assert_int_equal(recorded_submit(p, &j, "fine", e, &h, &err), 0);
    jobs_close(&j);
    recorded_open(p, &j, "{\"match\":{\"trial\":\"T9\"}}\n{oops\n");
    assert_int_equal(recorded_submit(p, &j, "bad", e, &h, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "record:2"));
    jobs_close(&j);
    recorded_open(p, &j, "{\"reason\":\"bored\"}\n");
    assert_int_equal(recorded_submit(p, &j, "odd", e, &h, &err), -ERR_INPUT);
    jobs_close(&j);
}

/* ---- probes ---- */

static void
probe_one(const char *script, struct probe *p, struct probe_result *r)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct err err = {0};
    p->argv = argv;
    if (probe_run(p, r, &err) != 0)
        fail_msg("%s", err.text);
    p->argv = NULL;
}

static bool
always(void *arg)
{
    (void)arg;
    return true;
}

static void
probes(void **state)
{
    struct place *pl = *state;
    struct probe_result r;
    struct probe p = {.cwd = pl->dir, .time_ms = 5000};
    probe_one("echo out; echo err >&2; pwd; cat; exit 4", &p, &r);
    assert_int_equal(r.exit_code, 4);
    assert_non_null(strstr(buf_str(&r.out), "out\n/tmp/test_jobs_"));
    assert_string_equal(buf_str(&r.err), "err\n");
    probe_fini(&r);
    p.time_ms = 300;
    p.grace_ms = 300;
    probe_one("trap '' TERM; sleep 30 & while :; do sleep 0.1; done", &p, &r);
    assert_true(r.timed_out && r.killed && r.ms < 4000);
    assert_int_equal(r.exit_code, -1);
    assert_int_equal(r.signal, 9);
    probe_fini(&r);
    p.time_ms = 5000;
    p.enough = always;
    probe_one("sleep 30", &p, &r);
    assert_true(r.stopped && !r.timed_out && r.ms < 3000);
    probe_fini(&r);
    p.enough = NULL;
    probe_one("head -c 3000000 /dev/zero", &p, &r);
    assert_int_equal(r.exit_code, 0);
    assert_int_equal(r.out.len, PROBE_OUTPUT_MAX);
    probe_fini(&r);
    const char *none[] = {"/no/such/program", NULL};
    p.argv = none;
    struct err err = {0};
    assert_int_equal(probe_run(&p, &r, &err), -ERR_NOT_FOUND);
    probe_fini(&r);
}

static const char help_argparse[] =
    "usage: t.py [-h] [--lr LR] [-b BATCH_SIZE] [--model {lr,fm}]\n"
    "            [--bn | --no-bn] [--hidden H [H ...]]\n\n"
    "A trainer. default: nothing\n\n"
    "options:\n"
    "  -h, --help            show this help message and exit\n"
    "  --lr LR               learning rate (default: 0.01)\n"
    "  -b BATCH_SIZE, --batch-size BATCH_SIZE\n"
    "                        rows a step (default: 512)\n"
    "  --model {lr,fm}       which\n"
    "  --bn, --no-bn         batch norm (default: True)\n"
    "  --hidden H [H ...]    layers (default: [128, 64])\n"
    "  --momentum MOMENTUM   in [0, 0.99]\n"
    "  --data DATA\n"
    "  --dropout DROPOUT\n";

static const char help_click[] =
    "Usage: train.py [OPTIONS]\n\n  Train with lr 0.1.\n\nOptions:\n"
    "  --lr FLOAT                Learning rate.  [default: 0.01]\n"
    "  --dim INTEGER RANGE       Size.  [default: 16; 1<=x<=64]\n"
    "  --model [fm|deepfm|dcn]   Which model  [default: fm]\n"
    "  --shuffle / --no-shuffle  Shuffle  [default: no-shuffle]\n"
    "  --help                    Show this message and exit.\n";

static const char help_gnu[] =
    "Usage: ctr [OPTION]...\n"
    "  -l, --learning-rate=RATE   step size (default 0.05)\n"
    "  -k, --factors=N            latent, default 8, between 2 and 128\n"
    "  -o, --optimizer=NAME       one of sgd, adam (default: 'adam')\n"
    "      --epochs[=N]           passes\n"
    "  --model=lr|fm [default lr] model\n"
    "  --min=FLOAT [default 0.1] [1e-3..1e+02] share of split.{a,b}\n"
    "      --version              number\n";

static const char help_table[] = "name    type   default  doc\n"
                                 "l2      float  1e-5     penalty\n"
                                 "trees   int    100      trees 10..1000\n"
                                 "bn      bool   false    normalisation\n"
                                 "  act   relu|tanh relu  activation\n";

static const struct {
    const char *text, *name, *flag;
    uint8_t kind;
    const char *deflt, *values;
    double lo, hi;
} options[] = {
    {help_argparse, "lr", "--lr", KNOB_FLOAT, "0.01", NULL, 1, 0},
    {help_argparse, "batch-size", "--batch-size", KNOB_INT, "512", NULL, 1, 0},
    {help_argparse, "model", "--model", KNOB_CHOICE, NULL, "lr,fm", 1, 0},
    {help_argparse, "bn", "--bn", KNOB_BOOL, "True", NULL, 1, 0},
    {help_argparse, "hidden", "--hidden", KNOB_NONE, "[128, 64]", NULL, 1, 0},
    {help_argparse, "momentum", "--momentum", KNOB_FLOAT, NULL, NULL, 0, 0.99},
    {help_argparse, "data", "--data", KNOB_NONE, NULL, NULL, 1, 0},
    {help_argparse, "dropout", "--dropout", KNOB_FLOAT, NULL, NULL, 1, 0},
    {help_click, "lr", "--lr", KNOB_FLOAT, "0.01", NULL, 1, 0},
    {help_click, "dim", "--dim", KNOB_INT, "16", NULL, 1, 64},
    {help_click, "model", "--model", KNOB_CHOICE, "fm", "fm,deepfm,dcn", 1, 0},
    {help_click, "shuffle", "--shuffle", KNOB_BOOL, "false", NULL, 1, 0},
    {help_gnu, "learning-rate", "--learning-rate", KNOB_FLOAT, "0.05", NULL, 1,
        0},
    {help_gnu, "factors", "--factors", KNOB_INT, "8", NULL, 2, 128},
    {help_gnu, "optimizer", "--optimizer", KNOB_CHOICE, "adam", "sgd,adam", 1,
        0},
    {help_gnu, "epochs", "--epochs", KNOB_INT, NULL, NULL, 1, 0},
    {help_gnu, "model", "--model", KNOB_CHOICE, "lr", "lr,fm", 1, 0},
    {help_gnu, "min", "--min", KNOB_FLOAT, "0.1", NULL, 1e-3, 100},
    {help_table, "l2", "l2", KNOB_FLOAT, "1e-5", NULL, 1, 0},
    {help_table, "trees", "trees", KNOB_INT, "100", NULL, 10, 1000},
    {help_table, "bn", "bn", KNOB_BOOL, "false", NULL, 1, 0},
    {help_table, "act", "act", KNOB_CHOICE, "relu", "relu,tanh", 1, 0},
};

static void
text_same(const char *what, const char *name, const char *got, const char *want)
{
    if ((got == NULL) != (want == NULL) ||
        (got != NULL && strcmp(got, want) != 0))
        fail_msg("%s of %s is '%s', not '%s'", what, name,
            got == NULL ? "(none)" : got, want == NULL ? "(none)" : want);
}

static void
help_texts(void **state)
{
    struct place *p = *state;
    struct help_option o[PROBE_KNOBS_MAX];
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const char *text = options[i].text;
        size_t n = help_parse_in(&p->a, text, strlen(text), o, PROBE_KNOBS_MAX);
        size_t k = 0;
        while (k < n && strcmp(o[k].name, options[i].name) != 0)
            k++;
        if (k == n)
            fail_msg("%s was not found", options[i].name);
        text_same("flag", o[k].name, o[k].flag, options[i].flag);
        text_same("default", o[k].name, o[k].deflt, options[i].deflt);
        text_same("values", o[k].name, o[k].values, options[i].values);
        if (o[k].kind != options[i].kind)
            fail_msg("kind of %s is %d", o[k].name, o[k].kind);
        if (o[k].lo != options[i].lo || o[k].hi != options[i].hi)
            fail_msg("range of %s is %g..%g", o[k].name, o[k].lo, o[k].hi);
    }
    /* Neither help and version, nor prose, nor headings. */
    assert_int_equal(help_parse_in(&p->a, help_argparse, strlen(help_argparse),
                         o, PROBE_KNOBS_MAX),
        8);
    assert_int_equal(
        help_parse_in(&p->a, help_gnu, strlen(help_gnu), o, PROBE_KNOBS_MAX),
        6);
    assert_int_equal(
        help_parse_in(&p->a, help_table, strlen(help_table), o, 2), 2);
}

/* Texts that are no help at all: nothing breaks, little is found. */
static void
help_noise(void **state)
{
    struct place *p = *state;
    struct help_option o[PROBE_KNOBS_MAX];
    uint64_t x = 88172645463325252u;
    char text[4096];
    static const char letters[] = "-- =[]{}<>|,.ablr\n\n  \t0123456789:'\"e";
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            text[i] = letters[x % (sizeof letters - 1)];
        }
        size_t n = help_parse_in(&p->a, text, sizeof text, o, PROBE_KNOBS_MAX);
        assert_true(n <= PROBE_KNOBS_MAX);
        for (size_t i = 0; i < n; i++)
            assert_true(o[i].name[0] != '\0');
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_drop)
    const struct CMUnitTest tests[] = {
        TEST(tokens),
        TEST(exit_file_round_trip),
        TEST(exit_file_refused),
        TEST(open_refuses),
        TEST(recorded_story),
        TEST(recorded_waits),
        TEST(recorded_cut),
        TEST(recorded_limit_and_cancel_late),
        TEST(recorded_world),
        TEST(record_refused),
        TEST(probes),
        TEST(help_texts),
        TEST(help_noise),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
