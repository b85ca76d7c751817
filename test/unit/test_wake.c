/* One activation of the agent on real processes: a campaign from its draft to
 * its end, gates, failures, sealed values, slots shared by two campaigns. The
 * trainer is a line of shell; nobody calls back, the test wakes by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "project/project.h"
#include "store/lease.h"
#include "store/store.h"
#include "wake/wake.h"

/* %s: name, command, more sections */
static const char PROJECT[] =
    "schema = 1\n"
    "[project]\n"
    "name = \"%s\"\n"
    "[train]\n"
    "command = '''%s'''\n"
    "shell = true\n"
    "style = \"env\"\n"
    "grace = \"1s\"\n"
    "exit_codes = { 85 = \"preempted\", 86 = \"diverged\" }\n"
    "[resources]\n"
    "time = \"20s\"\n"
    "[metric.auc]\n"
    "primary = true\n"
    "goal = \"max\"\n"
    "min_gain = 1e-3\n"
    "from = \"jsonl\"\n"
    "key = \"auc\"\n"
    "[metric.test]\n"
    "role = \"sealed\"\n"
    "goal = \"max\"\n"
    "from = \"jsonl\"\n"
    "key = \"test\"\n"
    "[knob.lr]\n"
    "type = \"float\"\n"
    "range = [1e-4, 1.0]\n"
    "scale = \"log\"\n"
    "default = 1e-2\n"
    "[baseline]\n"
    "seeds = 2\n"
    "[budget]\n"
    "unit = \"trials\"\n"
    "total = %d\n"
    "max_parallel = 2\n"
    "[backend]\n"
    "slots = 2\n"
    "%s";

/* A seed-dependent value around .7, better with a larger rate. */
static const char TRAIN[] = "sh train.sh";
static const char TRAIN_SH[] =
    "awk -v s=$REA_SEED -v l=$LR 'BEGIN { srand(s); u = rand() / 1000\n"
    "v = .7 + u + (l > .05 ? .02 : 0)\n"
    "printf \"{\\\"auc\\\": %.6f, \\\"test\\\": %.6f}\\n\", v, v - .01 }' "
    "> $REA_METRICS_FILE\n";
/* 200 rows, the same for all; the score is clearer with a larger rate. */
static const char ROWS_SH[] =
    "awk -v s=$REA_SEED -v l=$LR -v out=$REA_PREDICTIONS_FILE 'BEGIN {\n"
    "srand(7); for (i = 0; i < 200; i++) z[i] = rand() + rand() + i % 2\n"
    "srand(s); for (i = 0; i < 200; i++) {\n"
    "f[i] = z[i] * (l > .05 ? 1 : .3) + rand() / 2\n"
    "printf \"%d\\t%d\\t%.6f\\n\", i, i % 2, f[i] > out }\n"
    "for (i = 1; i < 200; i += 2) for (j = 0; j < 200; j += 2)\n"
    "a += f[i] > f[j] ? 1 : f[i] == f[j] ? .5 : 0\n"
    "printf \"{\\\"auc\\\": %.6f, \\\"test\\\": %.6f}\\n\", a / 10000, "
    "a / 10000 }' > $REA_METRICS_FILE\n";
static const char SLOW_SH[] = "sleep .2\nsh train.sh\n";
static const char NAN_SH[] = "echo '{\"auc\": NaN}' > $REA_METRICS_FILE\n";

struct place {
    char root[64];
    struct store *st;
    struct err err;
    struct arena arena;
    char hash[PROJECT_HASH_HEX];
};

static void
file_write(struct place *p, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", p->root, name);
    assert_int_equal(
        fs_write_atomic(path, text, strlen(text), false, &p->err), 0);
}

static int
place_make(void **state)
{
    struct place *p = mem_calloc(1, sizeof *p);
    snprintf(p->root, sizeof p->root, "/tmp/rea-wake-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    assert_int_equal(store_open(p->root, STORE_CREATE, &p->st, &p->err), 0);
    file_write(p, "train.sh", TRAIN_SH);
    file_write(p, "rows.sh", ROWS_SH);
    file_write(p, "slow.sh", SLOW_SH);
    file_write(p, "nan.sh", NAN_SH);
    *state = p;
    return 0;
}

static int
place_drop(void **state)
{
    struct place *p = *state;
    store_close(p->st);
    fs_remove_tree(p->root, NULL);
    arena_fini(&p->arena);
    free(p);
    return 0;
}

static void
project_write(struct place *p, const char *name, const char *command, int total,
    const char *more)
{
    struct buf b = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/models", p->root);
    assert_int_equal(fs_mkdirs(path, NULL), 0);
    snprintf(path, sizeof path, "%s/models/%s.toml", p->root, name);
    buf_printf(&b, PROJECT, name, command, total, more);
    assert_int_equal(
        fs_write_atomic(path, buf_str(&b), b.len, false, &p->err), 0);
    buf_fini(&b);
}

static const struct wake_opts quiet = {.cause = WAKE_VERB, .program = ""};
static const struct wake_opts drafting = {
    .cause = WAKE_VERB, .program = "", .no_submit = true};

#define OK(p, rc)                                                              \
    do {                                                                       \
        int rc_ = (rc);                                                        \
        if (rc_ != 0)                                                          \
            print_message("%s\n", (p)->err.text);                              \
        assert_int_equal(rc_, 0);                                              \
    } while (0)

/* Drafts and approves a campaign with one idea: lr = .1. */
static uint32_t
campaign_make(struct place *p, const char *name)
{
    struct project *pr = NULL;
    struct buf canon = {0};
    struct wake_result r;
    uint32_t id = 0;
    char file[64];
    snprintf(file, sizeof file, "models/%s.toml", name);
    OK(p, project_load(&p->arena, p->root, file, &pr, &p->err));
    project_hash(pr, p->hash);
    project_canon(pr, &canon);
    size_t n = spec_encode(&pr->spec, NULL, 0);
    unsigned char *spec = arena_alloc(&p->arena, n);
    spec_encode(&pr->spec, spec, n);
    struct event facts[3] = {{.kind = EVENT_campaign_drafted,
                                 .spec = spec,
                                 .spec_len = n,
                                 .number = 5},
        {.kind = EVENT_hypothesis_added,
            .hypothesis = 1,
            .source = SOURCE_ENGINEER,
            .statement = "a larger rate",
            .mean = 1e-3,
            .sd = 1e-2,
            .n_over = 1,
            .over = {{(uint32_t)spec_knob(&pr->spec, "lr"), .1}}},
        {.kind = EVENT_plan_drafted,
            .hash = "feedbeef00",
            .budget_u = pr->spec.total_u}};
    struct event sign = {.kind = EVENT_plan_approved,
        .hash = "feedbeef00",
        .by = "tester",
        .budget_u = pr->spec.total_u};
    OK(p, wake_create(p->st, file, p->hash, buf_str(&canon), facts, 3,
              &drafting, &id, &p->err));
    OK(p, wake_approve(p->st, id, p->hash, buf_str(&canon), &sign, 1, &drafting,
              &r, &p->err));
    buf_fini(&canon);
    return id;
}

static int
start(struct place *p, uint32_t id, struct wake_result *r)
{
    const struct event e = {.kind = EVENT_campaign_started};
    return wake_facts(p->st, id, &e, 1, &quiet, r, &p->err);
}

static uint8_t
state_of(struct place *p, uint32_t id)
{
    struct store_campaign row;
    OK(p, store_campaign_get(p->st, id, &row, &p->err));
    return row.brief.state;
}

/* Wakes until the campaign no longer runs, at most so many seconds. */
static int
drive(struct place *p, uint32_t id, int seconds)
{
    const struct timespec nap = {.tv_nsec = 30000000};
    int rc = 0;
    for (int i = 0; i < seconds * 33 && rc == 0; i++) {
        struct wake_result r;
        rc = wake_run(p->st, id, &quiet, &r, &p->err);
        uint8_t s = state_of(p, id);
        if (s == CAMPAIGN_DONE || s == CAMPAIGN_STOPPED)
            return 0;
        nanosleep(&nap, NULL);
    }
    return rc;
}

struct tally {
    uint32_t kind[EVENT_COUNT];
    uint32_t reason[REASON_COUNT];
    uint32_t remedy[REMEDY_COUNT];
    bool sealed_in_events;
    uint32_t sealed_metric;
};

static int
tally_add(void *ctx, const struct event *e)
{
    struct tally *t = ctx;
    t->kind[e->kind]++;
    if (e->kind == EVENT_job_ended)
        t->reason[e->reason]++;
    if (e->kind == EVENT_failure_classified)
        t->remedy[e->remedy]++;
    for (uint32_t i = 0; i < e->n_measures; i++)
        if (e->measure[i].metric == t->sealed_metric)
            t->sealed_in_events = true;
    return 0;
}

static void
tally_take(struct place *p, uint32_t id, struct tally *t)
{
    struct core *c = NULL, *d = NULL;
    uint64_t n = 0;
    memset(t, 0, sizeof *t);
    OK(p, store_load(p->st, id, &c, &p->err));
    t->sealed_metric = c->spec.sealed;
    OK(p, store_events(p->st, id, 1, tally_add, t, &p->err));
    OK(p, store_verify(p->st, id, &n, &p->err));
    assert_int_equal(n, c->seq);
    OK(p, store_replay(p->st, id, 0, NULL, NULL, &d, &p->err));
    assert_int_equal(d->spent_u, c->spent_u);
    free(c);
    free(d);
}

static void
test_whole_campaign(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct tally t;
    struct core *c = NULL;
    struct store_campaign row;
    project_write(p, "toy", TRAIN, 24, "");
    uint32_t id = campaign_make(p, "toy");
    assert_int_equal(state_of(p, id), CAMPAIGN_APPROVED);
    OK(p, start(p, id, &r));
    assert_int_equal(r.submitted, 2);
    OK(p, drive(p, id, 60));
    assert_int_equal(state_of(p, id), CAMPAIGN_DONE);
    tally_take(p, id, &t);
    assert_true(t.kind[EVENT_job_ended] >= 8);
    assert_int_equal(t.kind[EVENT_job_ended], t.kind[EVENT_job_submitted]);
    assert_int_equal(t.kind[EVENT_sealed_opened], 1);
    assert_true(t.kind[EVENT_sealed_read] >= 4);
    assert_int_equal(t.kind[EVENT_insights_kept], 1);
    assert_int_equal(t.kind[EVENT_proposal_made], 1);
    assert_false(t.sealed_in_events);
    OK(p, store_load(p->st, id, &c, &p->err));
    assert_true(c->finalist[0].lo > 0);
    free(c);
    OK(p, store_campaign_get(p->st, id, &row, &p->err));
    assert_int_equal(row.running, 0);
    assert_false(row.pending);
    assert_true(row.wakes > 0 && row.agent_us > 0);
}

static void
test_wake_without_news(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct store_campaign a, b;
    project_write(p, "toy", "sleep 30", 24, "");
    uint32_t id = campaign_make(p, "toy");
    OK(p, start(p, id, &r));
    OK(p, store_campaign_get(p->st, id, &a, &p->err));
    for (int i = 0; i < 5; i++) {
        OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
        assert_int_equal(r.events, 0);
    }
    OK(p, store_campaign_get(p->st, id, &b, &p->err));
    assert_int_equal(a.seq, b.seq);
    assert_int_equal(b.epoch, a.epoch + 5);
    const struct event stop = {.kind = EVENT_campaign_stopped};
    OK(p, wake_facts(p->st, id, &stop, 1, &quiet, &r, &p->err));
    assert_int_equal(r.cancelled, 2);
    OK(p, drive(p, id, 10));
    for (int i = 0; i < 300 && r.ended == 0; i++) {
        usleep(20000);
        OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
    }
    usleep(300000);
    OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
    OK(p, store_campaign_get(p->st, id, &b, &p->err));
    assert_int_equal(b.running, 0);
    assert_int_equal(b.brief.reserved_u, 0);
}

static void
sql_run(struct place *p, const char *sql)
{
    sqlite3 *db = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/.rea/rea.db", p->root);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static uint32_t
big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* Transactions in the log since it was last emptied: a frame of SQLite's
 * write-ahead log that ends one tells the size of the database. */
static uint32_t
commits(struct place *p)
{
    enum { HEAD = 32, FRAME = 24 };
    char path[128];
    struct buf b = {0};
    uint32_t n = 0;
    snprintf(path, sizeof path, "%s/.rea/rea.db-wal", p->root);
    OK(p, fs_read(path, 0, &b, &p->err));
    const unsigned char *data = (const unsigned char *)b.data;
    size_t page = b.len > HEAD ? big_endian(data + 8) : 0;
    for (size_t at = HEAD; page > 0 && at + FRAME + page <= b.len;
         at += FRAME + page)
        n += memcmp(data + at + 8, data + 16, 8) == 0 &&
             big_endian(data + at + 4) != 0;
    buf_fini(&b);
    return n;
}

static void
ends_await(struct place *p, uint32_t id, uint32_t trials)
{
    for (uint32_t t = 1; t <= trials; t++) {
        char path[128];
        snprintf(path, sizeof path, "%s/.rea/runs/C%u/T%u/a1/exit.json",
            p->root, id, t);
        for (int i = 0; i < 1000 && !fs_exists(path); i++)
            usleep(20000);
        assert_true(fs_exists(path));
    }
}

/* What ended, what follows and the slots for it are one transaction; the
 * handles of what was started and the wake's own time are one each. */
static void
test_few_transactions(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    project_write(p, "toy", TRAIN, 24, "");
    uint32_t id = campaign_make(p, "toy");
    OK(p, start(p, id, &r));
    ends_await(p, id, 2);
    sql_run(p, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(commits(p), 0);
    OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
    assert_int_equal(r.ended, 2);
    assert_int_equal(r.submitted, 2);
    assert_int_equal(commits(p), 3);
    OK(p, drive(p, id, 60));
}

/* Within a wake the store breaks: no table of events, so that neither the
 * commit nor reading the state anew succeeds. */
static int
events_hide(void *ctx, struct store *st, uint32_t campaign,
    const struct core *core, struct err *err)
{
    struct place *p = ctx;
    (void)st;
    (void)campaign;
    (void)core;
    (void)err;
    sql_run(p, "ALTER TABLE event RENAME TO hidden");
    return 0;
}

static void
test_unread_state_is_not_shown(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct store_campaign before, after;
    const struct wake_hooks hooks = {.keep_insights = events_hide, .ctx = p};
    const struct wake_opts breaking = {
        .cause = WAKE_VERB, .program = "", .hooks = &hooks};
    const struct event stop = {.kind = EVENT_campaign_stopped};
    project_write(p, "toy", "sleep 30", 24, "");
    uint32_t id = campaign_make(p, "toy");
    OK(p, start(p, id, &r));
    OK(p, wake_facts(p->st, id, &stop, 1, &quiet, &r, &p->err));
    int rc = 0;
    for (int i = 0; i < 500 && rc == 0; i++) { /* until the jobs are over */
        OK(p, store_campaign_get(p->st, id, &before, &p->err));
        rc = wake_run(p->st, id, &breaking, &r, &p->err);
        usleep(20000);
    }
    assert_int_not_equal(rc, 0);
    sql_run(p, "ALTER TABLE hidden RENAME TO event");
    OK(p, store_campaign_get(p->st, id, &after, &p->err));
    assert_true(after.brief.approved_u > 0);
    assert_int_equal(after.brief.approved_u, before.brief.approved_u);
    assert_int_equal(after.brief.state, CAMPAIGN_STOPPED);
    OK(p, drive(p, id, 10));
}

static void
test_left_to_the_holder(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct lease l;
    project_write(p, "toy", "sleep 1", 24, "");
    uint32_t id = campaign_make(p, "toy");
    OK(p, lease_take(p->st, id, &l, &p->err));
    OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
    assert_true(r.left);
    assert_true(lease_drop(p->st, &l));
}

static void
test_gate_on_edited_project(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    const struct event resume = {.kind = EVENT_campaign_resumed};
    project_write(p, "toy", TRAIN, 24, "");
    uint32_t id = campaign_make(p, "toy");
    project_write(p, "toy", "echo other", 24, "");
    assert_int_equal(start(p, id, &r), -ERR_APPROVAL);
    assert_non_null(strstr(p->err.text, "not the approved one"));
    assert_int_equal(state_of(p, id), CAMPAIGN_APPROVED);
    project_write(p, "toy", TRAIN, 24, "");
    OK(p, start(p, id, &r));
    project_write(p, "toy", "echo other", 24, "");
    assert_int_equal(drive(p, id, 20), -ERR_APPROVAL);
    assert_int_equal(state_of(p, id), CAMPAIGN_HALTED);
    assert_int_equal(
        wake_facts(p->st, id, &resume, 1, &quiet, &r, &p->err), -ERR_APPROVAL);
    project_write(p, "toy", TRAIN, 24, ""); /* a restored file is valid */
    OK(p, wake_facts(p->st, id, &resume, 1, &quiet, &r, &p->err));
    OK(p, drive(p, id, 60));
    assert_int_equal(state_of(p, id), CAMPAIGN_DONE);
}

static void
test_nothing_before_approval(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct project *pr = NULL;
    const struct event start_it = {.kind = EVENT_campaign_started};
    struct event draft = {.kind = EVENT_campaign_drafted, .number = 1};
    uint32_t id = 0;
    project_write(p, "toy", TRAIN, 24, "");
    OK(p, project_load(&p->arena, p->root, "models/toy.toml", &pr, &p->err));
    project_hash(pr, p->hash);
    draft.spec_len = spec_encode(&pr->spec, NULL, 0);
    unsigned char *spec = arena_alloc(&p->arena, draft.spec_len);
    spec_encode(&pr->spec, spec, draft.spec_len);
    draft.spec = spec;
    OK(p, wake_create(p->st, "models/toy.toml", p->hash, "", &draft, 1,
              &drafting, &id, &p->err));
    assert_int_equal(
        wake_facts(p->st, id, &start_it, 1, &quiet, &r, &p->err), -ERR_REFUSED);
    OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
    assert_int_equal(r.submitted, 0);
    OK(p, wake_redraft(p->st, id, p->hash, "", &draft, 1, &drafting, &p->err));
    assert_int_equal(state_of(p, id), CAMPAIGN_DRAFT);
}

struct failure {
    const char *command, *more;
    uint32_t reason, remedy;
};

static void
test_failures_are_classified(void **state)
{
    static const struct failure table[] = {
        {"exit 3", "", REASON_EXIT, REMEDY_RETRY},
        {"exit 85", "", REASON_PREEMPTED, REMEDY_RESUME},
        {"exit 86", "", REASON_DIVERGED, 0},
        {"kill -SEGV $$", "", REASON_SIGNAL, REMEDY_RETRY},
        {"true", "", REASON_NO_METRIC, 0},
        {"sh nan.sh",
            "[metric.loss]\ngoal = \"min\"\nfrom = \"jsonl\"\nkey = \"auc\"\n"
            "watch = { nan = \"fail\" }\n",
            REASON_NAN, 0},
        {"echo 'CUDA out of memory. Tried to allocate 2.00 GiB' >&2; exit 1",
            "", REASON_EXIT, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct place *p = NULL;
        struct wake_result r;
        struct tally t = {0};
        place_make((void **)&p);
        project_write(p, "toy", table[i].command, 24, table[i].more);
        uint32_t id = campaign_make(p, "toy");
        int begun = start(p, id, &r);
        assert_true(begun == 0 || begun == -ERR_APPROVAL);
        for (int n = 0; n < 400 && t.kind[EVENT_failure_classified] == 0; n++) {
            int rc = wake_run(p->st, id, &quiet, &r, &p->err);
            assert_true(rc == 0 || rc == -ERR_APPROVAL);
            usleep(20000);
            tally_take(p, id, &t);
        }
        if (t.reason[table[i].reason] == 0)
            print_message("case %zu: %s\n", i, table[i].command);
        assert_true(t.reason[table[i].reason] > 0);
        if (table[i].remedy != 0)
            assert_true(t.remedy[table[i].remedy] > 0);
        place_drop((void **)&p);
    }
    (void)state;
}

static int
busy_add(void *ctx, const struct store_attempt *a)
{
    uint32_t *n = ctx;
    (void)a;
    ++*n;
    return 0;
}

/* Two campaigns on two slots: never more than two jobs, and both get on. */
static void
test_slots_are_shared(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    uint32_t busiest = 0;
    project_write(p, "one", "sh slow.sh", 12, "");
    project_write(p, "two", "sh slow.sh", 12, "");
    uint32_t a = campaign_make(p, "one"), b = campaign_make(p, "two");
    OK(p, start(p, a, &r));
    assert_int_equal(r.submitted, 2);
    OK(p, start(p, b, &r));
    assert_int_equal(r.submitted, 0);
    assert_true(r.waiting > 0);
    for (int i = 0; i < 3000; i++) {
        uint32_t n = 0;
        /* only the first is ever woken: the other lives on what it frees */
        uint32_t id = state_of(p, a) == CAMPAIGN_RUNNING ? a : b;
        OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
        OK(p, store_attempts(p->st, 0, true, busy_add, &n, &p->err));
        busiest = n > busiest ? n : busiest;
        if (state_of(p, a) == CAMPAIGN_DONE && state_of(p, b) == CAMPAIGN_DONE)
            break;
        usleep(20000);
    }
    assert_int_equal(busiest, 2);
    assert_int_equal(state_of(p, a), CAMPAIGN_DONE);
    assert_int_equal(state_of(p, b), CAMPAIGN_DONE);
}

static void
test_rows_give_sampling_variance(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct core *c = NULL;
    project_write(p, "toy", "sh rows.sh", 24, "");
    uint32_t id = campaign_make(p, "toy");
    OK(p, start(p, id, &r));
    OK(p, drive(p, id, 60));
    OK(p, store_load(p->st, id, &c, &p->err));
    assert_true(c->n_finalists > 0);
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        assert_true(c->finalist[i].sampling_var > 0);
        assert_true(c->finalist[i].sampling_var < .01);
    }
    free(c);
}

/* Other data open another window, and the baseline is measured again. */
static void
test_changed_data_open_a_window(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct core *c = NULL;
    char command[64];
    snprintf(command, sizeof command, "sh slow.sh");
    file_write(p, "data.txt", "one");
    project_write(p, "toy", command, 24, "");
    char path[128];
    struct buf b = {0};
    snprintf(path, sizeof path, "%s/models/toy.toml", p->root);
    OK(p, fs_read(path, 0, &b, &p->err));
    char *at = strstr(b.data, "grace");
    assert_non_null(at);
    struct buf out = {0};
    buf_add(&out, b.data, (size_t)(at - b.data));
    buf_puts(&out, "fingerprint = [\"data.txt\"]\n");
    buf_puts(&out, at);
    OK(p, fs_write_atomic(path, buf_str(&out), out.len, false, &p->err));
    buf_fini(&b);
    buf_fini(&out);
    uint32_t id = campaign_make(p, "toy");
    OK(p, start(p, id, &r));
    OK(p, store_load(p->st, id, &c, &p->err));
    assert_true(c->fingerprint[0] != '\0');
    assert_int_equal(c->window, 0);
    free(c);
    file_write(p, "data.txt", "two");
    OK(p, drive(p, id, 60));
    OK(p, store_load(p->st, id, &c, &p->err));
    assert_int_equal(c->window, 1);
    free(c);
}

static void
test_pause_holds_and_resume_goes_on(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct store_campaign row;
    const struct event pause_it = {.kind = EVENT_campaign_paused};
    const struct event go_on = {.kind = EVENT_campaign_resumed};
    project_write(p, "toy", "sh slow.sh", 16, "");
    uint32_t id = campaign_make(p, "toy");
    OK(p, start(p, id, &r));
    OK(p, wake_facts(p->st, id, &pause_it, 1, &quiet, &r, &p->err));
    for (int i = 0; i < 200; i++) { /* what runs may end, nothing starts */
        OK(p, wake_run(p->st, id, &quiet, &r, &p->err));
        assert_int_equal(r.submitted, 0);
        OK(p, store_campaign_get(p->st, id, &row, &p->err));
        if (row.running == 0)
            break;
        usleep(20000);
    }
    assert_int_equal(row.running, 0);
    assert_int_equal(state_of(p, id), CAMPAIGN_PAUSED);
    OK(p, wake_facts(p->st, id, &go_on, 1, &quiet, &r, &p->err));
    assert_true(r.submitted > 0);
    OK(p, drive(p, id, 60));
    assert_int_equal(state_of(p, id), CAMPAIGN_DONE);
}

static void
test_sweep_finds_lost_ends(void **state)
{
    struct place *p = *state;
    struct wake_result r;
    struct sweep_result s;
    project_write(p, "toy", TRAIN, 16, "");
    uint32_t id = campaign_make(p, "toy");
    OK(p, start(p, id, &r));
    for (int i = 0; i < 2000 && state_of(p, id) == CAMPAIGN_RUNNING; i++) {
        OK(p, sweep_run(p->st, &quiet, &s, &p->err));
        usleep(20000);
    }
    assert_int_equal(state_of(p, id), CAMPAIGN_DONE);
    OK(p, sweep_run(p->st, &quiet, &s, &p->err));
    assert_int_equal(s.woken, 0);
}

int
main(void)
{
    char shim[512];
    const char *build = getenv("BUILD");
    snprintf(shim, sizeof shim, "%s/rea-shim", build != NULL ? build : "build");
    setenv("REA_SHIM", shim, 0);
#define T(f) cmocka_unit_test_setup_teardown(f, place_make, place_drop)
    const struct CMUnitTest tests[] = {T(test_whole_campaign),
        T(test_wake_without_news), T(test_few_transactions),
        T(test_unread_state_is_not_shown), T(test_left_to_the_holder),
        T(test_gate_on_edited_project), T(test_nothing_before_approval),
        cmocka_unit_test(test_failures_are_classified),
        T(test_slots_are_shared), T(test_rows_give_sampling_variance),
        T(test_changed_data_open_a_window),
        T(test_pause_holds_and_resume_goes_on), T(test_sweep_finds_lost_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
