/* The project file: conditions, concepts, costs, identity, edits in place,
 * several models in one workspace, secrets and fingerprints. Malformed files
 * are in flow/project-errors.sh, styles in flow/project-styles.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "project/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char head[] = "schema = 1\n[project]\nname = \"m\"\n"
                           "[metric.auc]\nprimary = true\ngoal = \"max\"\n"
                           "min_gain = 1e-3\n";
static const char train[] = "[train]\ncommand = \"./t {knobs}\"\n";
static const char budget[] = "[budget]\nunit = \"trials\"\ntotal = 50\n";
static const char knobs[] =
    "[knob.model]\ntype = \"choice\"\nvalues = [\"fm\", \"dcn\", \"ffm\"]\n"
    "default = \"fm\"\n"
    "[knob.depth]\ntype = \"int\"\nrange = [1, 4]\ndefault = 2\n"
    "[knob.bn]\ntype = \"bool\"\ndefault = false\n"
    "[knob.cols]\ntype = \"set\"\nvalues = [\"u\", \"i\", \"h\"]\n"
    "default = [\"u\", \"h\"]\n";

static struct project *
parse(struct arena *a, const char *extra, struct err *err)
{
    struct project *p = NULL;
    char *text =
        arena_printf(a, "%s%s%s%s%s", head, train, budget, knobs, extra);
    if (project_parse(a, "/w", "rea.toml", text, strlen(text), &p, err) != 0)
        return NULL;
    return p;
}

static void
test_when(void **state)
{
    static const struct {
        const char *when;
        bool plain, other; /* at the defaults; at dcn, depth 3, bn, {i} */
    } t[] = {
        {"model == \"dcn\"", false, true},
        {"model != 'dcn'", true, false},
        {"model in [\"dcn\", \"ffm\"]", false, true},
        {"model not in (\"dcn\")", true, false},
        {"depth == 3", false, true},
        {"3 == depth", false, true},
        {"depth in (1, 2)", true, false},
        {"bn", false, true},
        {"not bn", true, false},
        {"bn == true", false, true},
        {"\"i\" in cols", false, true},
        {"\"i\" not in cols", true, false},
        {"model == \"dcn\" or depth == 2 and not bn", true, true},
        {"(model == \"dcn\" or depth == 2) and bn", false, true},
        {"not (bn or depth == 3)", true, false},
        {"not not bn", false, true},
        {"", true, true},
    };
    (void)state;
    for (size_t i = 0; i < LEN(t); i++) {
        struct arena a = {0};
        struct err err = {0};
        char extra[200];
        snprintf(extra, sizeof extra,
            "[knob.x]\ntype = \"bool\"\ndefault = true\nwhen = '''%s'''\n",
            t[i].when);
        struct project *p = parse(&a, extra, &err);
        if (p == NULL)
            fail_msg("%s: %s", t[i].when, err.text);
        const struct spec *s = &p->spec;
        uint32_t x = (uint32_t)spec_knob(s, "x");
        struct config c;
        config_default(s, &c);
        bool plain = knob_is_active(s, &c, x);
        c.v[spec_knob(s, "model")] = 1;
        c.v[spec_knob(s, "depth")] = 3;
        c.v[spec_knob(s, "bn")] = 1;
        c.v[spec_knob(s, "cols")] = 2;
        bool other = knob_is_active(s, &c, x);
        if (plain != t[i].plain || other != t[i].other)
            fail_msg("%s: %d %d", t[i].when, plain, other);
        arena_fini(&a);
    }
}

static void
test_when_refused(void **state)
{
    static const char *const bad[] = {"modle == 1", "model == \"x\"", "model",
        "model ==", "== 2", "depth == 9", "depth < 3", "(bn", "bn)", "bn and",
        "\"i\" in model", "cols in [\"u\"]", "bn bn", "model in ()",
        "\"u,i\" in cols", "x", "not", "depth == \"two\""};
    (void)state;
    for (size_t i = 0; i < LEN(bad); i++) {
        struct arena a = {0};
        struct err err = {0};
        char extra[200];
        snprintf(extra, sizeof extra,
            "[knob.x]\ntype = \"bool\"\ndefault = true\nwhen = '''%s'''\n",
            bad[i]);
        if (parse(&a, extra, &err) != NULL)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(err.text, "rea.toml:"));
        arena_fini(&a);
    }
}

static void
test_concepts(void **state)
{
    static const struct {
        const char *name, *extra;
        enum concept concept;
    } t[] = {
        {"lr", "", CONCEPT_LEARNING_RATE},
        {"learning-rate", "", CONCEPT_LEARNING_RATE},
        {"eta", "", CONCEPT_LEARNING_RATE},
        {"optim.lr", "", CONCEPT_LEARNING_RATE},
        {"emb_lr", "", CONCEPT_EMB_LEARNING_RATE},
        {"dim", "", CONCEPT_EMBEDDING_DIM},
        {"k", "", CONCEPT_EMBEDDING_DIM},
        {"bs", "", CONCEPT_BATCH_SIZE},
        {"wd", "", CONCEPT_NET_REG},
        {"lambda", "", CONCEPT_NET_REG},
        {"emb-l2", "", CONCEPT_EMB_REG},
        {"dropout", "", CONCEPT_DROPOUT},
        {"cross-layers", "", CONCEPT_CROSS_LAYERS},
        {"residual", "", CONCEPT_RESIDUAL},
        {"foo", "", CONCEPT_NONE},
        {"foo", "tags = [\"batch_size\"]\n", CONCEPT_BATCH_SIZE},
        {"foo", "doc = \"The learning rate\"\n", CONCEPT_LEARNING_RATE},
        {"slr", "", CONCEPT_NONE},
    };
    (void)state;
    for (size_t i = 0; i < LEN(t); i++) {
        struct arena a = {0};
        struct err err = {0};
        char extra[200];
        snprintf(extra, sizeof extra,
            "[knob.\"%s\"]\ntype = \"float\"\nrange = [0, 1]\ndefault = 0.5\n"
            "%s",
            t[i].name, t[i].extra);
        struct project *p = parse(&a, extra, &err);
        if (p == NULL)
            fail_msg("%s: %s", t[i].name, err.text);
        uint8_t c = p->spec.knob[spec_knob(&p->spec, t[i].name)].concept;
        if (c != t[i].concept)
            fail_msg("%s: %s", t[i].name, concept_name(c));
        arena_fini(&a);
    }
}

static struct project *
parse_cost(struct arena *a, const char *resources, const char *money)
{
    struct project *p = NULL;
    struct err err = {0};
    char *text = arena_printf(a,
        "%s[train]\ncommand = \"./t {knobs}\"\ngrace = \"25s\"\n%s%s%s"
        "[evaluate]\ncommand = \"./t\"\ntime = \"30s\"\n",
        head, resources, money, knobs);
    if (project_parse(a, "/w", "f", text, strlen(text), &p, &err) != 0)
        fail_msg("%s", err.text);
    return p;
}

static void
test_cost(void **state)
{
    struct arena a = {0};
    (void)state;
    struct project *p = parse_cost(
        &a, "[resources]\ncpus = 2\ntime = \"10m\"\n", "[budget]\ntotal = 5\n");
    assert_int_equal(p->train.backoff_ms, BACKOFF_USUAL_MS);
    struct buf canon = {0}; /* so that older files keep their hash */
    project_canon(p, &canon);
    assert_null(strstr(buf_str(&canon), "backoff"));
    buf_fini(&canon);
    /* 2 cores x (600 + 25 + 5) s */
    assert_int_equal(p->spec.reserve_train_u, 350000);
    assert_int_equal(p->spec.reserve_eval_u, 33334); /* 60 s, rounded up */
    assert_int_equal(p->spec.total_u, 5 * MICRO);
    assert_int_equal(
        project_charge_u(p, PHASE_NONE, 180000, 350000, false, false), 100000);
    assert_int_equal(
        project_charge_u(p, PHASE_NONE, 9999999, 350000, false, false), 350000);
    p = parse_cost(&a, "[resources]\ncpus = 1\ntime = \"10m\"\n",
        "[budget]\ntotal = 2.0\nper_trial = 0.05\n");
    assert_int_equal(p->spec.reserve_train_u, 50000);
    assert_int_equal(p->resources.time_ms, 150000); /* 180 s - 30 s */
    assert_int_equal(
        project_paid_ms(p, PHASE_NONE, 50000, false), 0); /* all it may cost */
    assert_int_equal(project_paid_ms(p, PHASE_NONE, 10000, false), 36000);
    /* jobs that report their cost hold its limit: the time stands */
    p = parse_cost(&a, "[resources]\ncpus = 1\ntime = \"10m\"\n",
        "[budget]\ntotal = 2.0\nper_trial = 1e-3\ncost_metric = \"paid\"\n"
        "[metric.paid]\ngoal = \"min\"\n");
    assert_int_equal(p->spec.reserve_train_u, 1000);
    assert_int_equal(p->resources.time_ms, 600000);
    assert_int_equal(project_paid_ms(p, PHASE_NONE, 10, false), 0);
    p = parse_cost(&a, "[resources]\ngpus = 4\ntime = \"1h\"\n",
        "[budget]\nunit = \"gpu_hours\"\ntotal = 100\n");
    assert_int_equal(p->spec.reserve_train_u, 4033334);
    p = parse_cost(&a, "[resources]\ntime = \"1h\"\n",
        "[budget]\nunit = \"usd\"\ntotal = 100\nprice_per_hour = 3.6\n");
    assert_int_equal(p->spec.reserve_train_u, 3630000);
    p = parse_cost(&a, "", budget);
    assert_int_equal(p->spec.reserve_train_u, MICRO);
    assert_int_equal(p->spec.reserve_eval_u, 0);
    assert_int_equal(
        project_charge_u(p, PHASE_NONE, 5, MICRO, false, false), MICRO);
    assert_int_equal(project_charge_u(p, PHASE_NONE, 5, MICRO, false, true), 0);
    arena_fini(&a);
}

static void
test_phases(void **state)
{
    struct arena a = {0};
    struct buf one = {0}, two = {0};
    (void)state;
    struct project *p = parse_cost(&a,
        "[resources]\ncpus = 2\nmemory = \"1G\"\nmemory_max = \"2G\"\n"
        "time = \"10m\"\n[resources.exploitation]\ncpus = 4\ngpus = 1\n"
        "memory = \"4G\"\ntime = \"20m\"\n",
        "[budget]\ntotal = 5\n");
    const struct resources *x = project_resources(p, PHASE_EXPLOITATION);
    assert_true(x->cpus == 4 && x->gpus == 1 && x->time_ms == 1200000);
    assert_true(x->memory_bytes == (int64_t)4 << 30 && !x->memory_max_bytes);
    x = project_resources(p, PHASE_VALIDATION);
    assert_true(x->cpus == 2 && x->gpus == 0 && x->time_ms == 600000);
    assert_true(project_cpus_most(p) == 4 && project_has_gpus(p));
    /* 4 cores x (1200 + 30) s, and what the others cost stays */
    assert_true(p->spec.by_phase);
    const struct phase_cost *c = p->spec.phase_cost;
    assert_int_equal(c[PHASE_EXPLOITATION].train_u, 1366667);
    assert_int_equal(c[PHASE_EXPLOITATION].eval_u, 66667);
    assert_true(c[PHASE_EXPLOITATION].rate == 2);
    assert_int_equal(c[PHASE_VALIDATION].train_u, 350000);
    assert_int_equal(p->spec.reserve_train_u, 350000);
    assert_int_equal(
        project_charge_u(p, PHASE_EXPLOITATION, 180000, 1366667, false, false),
        200000);
    assert_int_equal(
        project_paid_ms(p, PHASE_EXPLOITATION, 100000, false), 90000);
    project_canon(p, &one);
    assert_non_null(strstr(buf_str(&one), "resources.exploitation.cpus"));
    assert_null(strstr(buf_str(&one), "resources.validation"));
    /* what is as in [resources] changes nothing, the hash neither */
    p = parse_cost(&a, "[resources]\ncpus = 2\n", budget);
    project_canon(p, &two);
    buf_clear(&one);
    p = parse_cost(&a,
        "[resources]\ncpus = 2\n[resources.combination]\ncpus = 2\n", budget);
    project_canon(p, &one);
    assert_string_equal(buf_str(&one), buf_str(&two));
    assert_false(p->spec.by_phase);
    p = parse_cost(&a, "[resources.confirmation]\nprice_per_hour = 7.2\n",
        "[budget]\nunit = \"usd\"\ntotal = 100\nprice_per_hour = 3.6\n"
        "per_trial = 1.0\n");
    c = p->spec.phase_cost;
    assert_true(c[PHASE_CONFIRMATION].rate == 2);
    assert_int_equal(c[PHASE_CONFIRMATION].train_u, MICRO);
    /* per_trial pays for half the time */
    assert_int_equal(project_resources(p, PHASE_CONFIRMATION)->time_ms, 470000);
    assert_int_equal(project_resources(p, PHASE_VALIDATION)->time_ms, 970000);
    buf_fini(&one);
    buf_fini(&two);
    arena_fini(&a);
}

/* As many jobs in flight as a workspace may hold campaigns. */
static void
test_slots(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    (void)state;
    struct project *p =
        parse(&a, "[backend]\nkind = \"local\"\nslots = 100000\n", &err);
    assert_non_null(p);
    assert_int_equal(p->backend.slots, 100000);
    assert_null(
        parse(&a, "[backend]\nkind = \"local\"\nslots = 100001\n", &err));
    assert_non_null(strstr(err.text, "slots out of bounds"));
    arena_fini(&a);
}

static void
test_diff(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    struct buf x = {0}, y = {0}, d = {0};
    (void)state;
    struct project *p = parse(&a, "", &err);
    project_canon(p, &x);
    p = parse(&a, "[knob.z]\ntype = \"bool\"\ndefault = true\n", &err);
    p->spec.knob[spec_knob(&p->spec, "depth")].deflt = 3;
    project_canon(p, &y);
    assert_int_equal(project_diff(buf_str(&x), buf_str(&x), 9, &d), 0);
    assert_true(project_diff(buf_str(&x), buf_str(&y), 99, &d) > 1);
    assert_non_null(
        strstr(buf_str(&d), "knob.depth.default: \"2\" -> \"3\"\n"));
    assert_non_null(
        strstr(buf_str(&d), "knob.z.default: (none) -> \"true\"\n"));
    buf_fini(&x);
    buf_fini(&y);
    buf_fini(&d);
    arena_fini(&a);
}

/* ---- on disk ---- */

static char dir[] = "/tmp/rea-test-XXXXXX";

static int
setup(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    return fs_remove_tree(dir, NULL);
}

static void
put_file(struct arena *a, const char *name, const char *text)
{
    const char *path = fs_join_in(a, dir, name);
    assert_int_equal(fs_mkdirs(fs_dir_in(a, path), NULL), 0);
    assert_int_equal(fs_write_atomic(path, text, strlen(text), false, NULL), 0);
}

static void
test_edit(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    struct buf b = {0};
    (void)state;
    char *text = arena_printf(&a, "%s%s%s%s%s", head, train, budget, knobs,
        "[knob.lr]  # rate\ntype = \"float\"\nrange = [1e-5, 1]\n"
        "default   =  1e-2   # was 0.1\n[knob.h]\ntype = \"list\"\n"
        "values = [[8], \"16,8\"]\ndefault = [8] # h\n");
    put_file(&a, "e.toml", text);
    const struct project_default set[] = {{"lr", 1}, {"model", 1}, {"cols", 2},
        {"bn", 1}, {"depth", 4}, {"h", 1}};
    assert_int_equal(
        project_set_defaults(dir, "e.toml", set, LEN(set), &err), 0);
    assert_int_equal(fs_read(fs_join_in(&a, dir, "e.toml"), 0, &b, &err), 0);
    static const char *const want[] = {"default   =  1.0   # was 0.1\n",
        "default = \"dcn\"\n", "default = [\"i\"]\n", "default = true\n",
        "default = 4\n", "default = \"16,8\" # h\n", "[knob.lr]  # rate\n"};
    for (size_t i = 0; i < LEN(want); i++) {
        if (strstr(buf_str(&b), want[i]) == NULL)
            fail_msg("no %s in:\n%s", want[i], buf_str(&b));
    }
    const struct project_default bad[] = {{"depth", 9}};
    assert_int_equal(
        project_set_defaults(dir, "e.toml", bad, 1, &err), -ERR_INPUT);
    const struct project_default none[] = {{"nope", 1}};
    assert_int_equal(
        project_set_defaults(dir, "e.toml", none, 1, &err), -ERR_NOT_FOUND);
    buf_fini(&b);
    arena_fini(&a);
}

static void
test_find(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    struct project *p;
    (void)state;
    const char *root = fs_join_in(&a, dir, "ws");
    assert_int_equal(project_find(&a, root, NULL, &p, &err), -ERR_NOT_FOUND);
    char *text = arena_printf(&a, "%s%s%s%s", head, train, budget, knobs);
    put_file(&a, "ws/rea.toml", text);
    assert_int_equal(project_find(&a, root, NULL, &p, &err), 0);
    assert_string_equal(p->spec.model, "m");
    put_file(&a, "ws/models/two.toml", text);
    assert_int_equal(project_find(&a, root, "m", &p, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "models/two.toml"));
    char *name = strstr(text, "\"m\"");
    name[1] = 'n';
    put_file(&a, "ws/models/two.toml", text);
    put_file(&a, "ws/models/broken.toml", "x = \n");
    assert_int_equal(project_find(&a, root, NULL, &p, &err), -ERR_INPUT);
    assert_int_equal(project_find(&a, root, "n", &p, &err), 0);
    assert_string_equal(p->file, "models/two.toml");
    assert_int_equal(project_find(&a, root, "nn", &p, &err), -ERR_NOT_FOUND);
    assert_int_equal(
        project_load(&a, root, "none.toml", &p, &err), -ERR_NOT_FOUND);
    arena_fini(&a);
}

static void
test_outside(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    struct buf b = {0};
    char one[FINGERPRINT_HEX], two[FINGERPRINT_HEX];
    (void)state;
    put_file(&a, "d/x/data.csv", "1\n");
    struct project p = {.root = dir};
    const char *files[] = {"d"};
    assert_int_equal(project_fingerprint(&p, one, &err), 0);
    assert_string_equal(one, "");
    p.train.fingerprint = files;
    p.train.n_fingerprint = 1;
    assert_int_equal(project_fingerprint(&p, one, &err), 0);
    assert_int_equal(project_fingerprint(&p, two, &err), 0);
    assert_string_equal(one, two);
    put_file(&a, "d/x/data.csv", "2\n");
    assert_int_equal(project_fingerprint(&p, two, &err), 0);
    assert_string_not_equal(one, two);
    files[0] = "missing";
    assert_int_equal(project_fingerprint(&p, two, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "missing"));
    p.train.fingerprint_command = "cat 'd/x/data.csv'";
    assert_int_equal(project_fingerprint(&p, one, &err), 0);
    p.train.fingerprint_command = "printf '2\\n'";
    assert_int_equal(project_fingerprint(&p, two, &err), 0);
    assert_string_equal(one, two);
    p.train.fingerprint_command = "false";
    assert_int_equal(project_fingerprint(&p, two, &err), -ERR_INPUT);
    p.train.fingerprint_command = "no-such-program-here";
    assert_int_equal(project_fingerprint(&p, two, &err), -ERR_SYS);

    setenv("REA_TEST_SECRET", "s3", 1);
    assert_int_equal(secret_resolve("env:REA_TEST_SECRET", dir, &b, &err), 0);
    assert_string_equal(buf_str(&b), "s3");
    buf_clear(&b);
    put_file(&a, "key", "k4\nrest\n");
    assert_int_equal(secret_resolve("file:key", dir, &b, &err), 0);
    assert_string_equal(buf_str(&b), "k4");
    assert_int_equal(
        secret_resolve("env:REA_NO_SECRET", dir, &b, &err), -ERR_NOT_FOUND);
    assert_int_equal(
        secret_resolve("file:none", dir, &b, &err), -ERR_NOT_FOUND);
    assert_int_equal(secret_resolve("hunter2", dir, &b, &err), -ERR_INPUT);
    assert_null(strstr(err.text, "hunter2"));
    buf_fini(&b);
    arena_fini(&a);
}

static struct project *
model_of(struct arena *a, const char *lines, struct buf *canon)
{
    struct err err = {0};
    struct project *p = parse(a,
        *lines ? arena_printf(a,
                     "[model]\nprovider = \"openai\"\n"
                     "model = \"m\"\n%s",
                     lines)
               : "",
        &err);
    if (p == NULL)
        fail_msg("%s", err.text);
    buf_clear(canon);
    project_canon(p, canon);
    return p;
}

/* Of [model] only the money is approved, and it may be less. */
static void
test_model_money(void **state)
{
    static const char money[] = "price_in = 3\nprice_out = 15\n"
                                "budget_usd = 2\nbudget_tokens = 500\n";
    static const struct {
        const char *lines;
        bool within;
    } t[] = {
        {money, true},
        {"price_in = 1\nprice_out = 1\nbudget_usd = 2\nbudget_tokens = 500\n"
         "base_url = \"http://h/v1\"\nmax_tokens = 99\n",
            true},
        {"price_in = 3\nprice_out = 15\nbudget_usd = 1\nbudget_tokens = 9\n",
            true},
        {"", true},
        {"price_in = 3\nprice_out = 15\nbudget_usd = 3\nbudget_tokens = 9\n",
            false},
        {"price_in = 3\nprice_out = 15\nbudget_usd = 1\nbudget_tokens = 501\n",
            false},
        {"budget_tokens = 9\n", false},
        {"stream = true\n", false}, /* the default is more */
    };
    struct arena a = {0};
    struct buf old = {0}, now = {0}, none = {0};
    (void)state;
    assert_false(model_of(&a, "", &none)->model.on);
    assert_null(strstr(buf_str(&none), "\nmodel.")); /* older hashes stay */
    model_of(&a, money, &old);
    for (size_t i = 0; i < LEN(t); i++) {
        struct project *p = model_of(&a, t[i].lines, &now);
        if (project_within(buf_str(&old), buf_str(&now)) != t[i].within)
            fail_msg("%s", t[i].lines);
        assert_int_equal(
            project_within(buf_str(&none), buf_str(&now)), !p->model.on);
        project_model_cap(&p->model, buf_str(&old));
        assert_true(!p->model.on ||
                    (p->model.budget_tokens <= 500 &&
                        p->model.budget_usd <= 2 && p->model.budget_usd > 0));
        project_model_cap(&p->model, buf_str(&none));
        assert_false(p->model.on);
    }
    buf_puts(&old, "train.command = \"x\"\n");
    assert_false(project_within(buf_str(&old), buf_str(&now)));
    buf_fini(&old);
    buf_fini(&now);
    buf_fini(&none);
    arena_fini(&a);
}

static void
test_template(void **state)
{
    static const struct template_knob k[] = {
        {.name = "lr",
            .kind = KNOB_FLOAT,
            .log = true,
            .lo = 1e-4,
            .hi = 1,
            .deflt = 0.01,
            .doc = "the \"rate\""},
        {.name = "optim.n", .kind = KNOB_INT, .lo = 1, .hi = 9, .deflt = 3},
        {.name = "bn", .kind = KNOB_BOOL, .deflt = 1, .flag = "--use-bn"},
        {.name = "act", .kind = KNOB_CHOICE, .values = "relu,gelu", .deflt = 1},
    };
    static const struct template_metric m[] = {
        {.name = "auc",
            .role = "primary",
            .goal = "max",
            .from = "stdout",
            .key = "auc {value}"},
        {.name = "loss",
            .role = "guardrail",
            .goal = "min",
            .from = "stdout",
            .key = "loss {value}"},
        {.name = "test",
            .role = "sealed",
            .goal = "max",
            .from = "stdout",
            .key = "test {value}"},
    };
    const struct project_template t[] = {
        {.name = "m",
            .command = "python3 'a b.py' {knobs}",
            .style = STYLE_ARGPARSE,
            .seed = "seed",
            .knob = k,
            .n_knobs = LEN(k),
            .metric = m,
            .n_metrics = LEN(m)},
        {.name = "empty", .command = "./t {knobs}"},
    };
    (void)state;
    for (size_t i = 0; i < LEN(t); i++) {
        struct arena a = {0};
        struct err err = {0};
        struct buf b = {0};
        struct project *p;
        project_write_template(&t[i], &b);
        if (project_parse(&a, "/w", "f", buf_str(&b), b.len, &p, &err) != 0)
            fail_msg("%s\n%s", err.text, buf_str(&b));
        if (i == 0) {
            assert_int_equal(p->spec.n_knobs, 4);
            assert_int_equal(p->spec.n_metrics, 3);
            int act = spec_knob(&p->spec, "act");
            assert_true(p->spec.knob[act].deflt == 1);
        }
        buf_fini(&b);
        arena_fini(&a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_when_refused),
        cmocka_unit_test(test_concepts),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_edit),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_model_money),
        cmocka_unit_test(test_template),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
