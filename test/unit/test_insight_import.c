/* Trials of other programs: what the readers take from them, the effects that
 * follow, and that importing again adds nothing. The journal is one that Optuna
 * wrote; the other stores are made here, byte by byte. */
#include "research/insight.h"

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
#include <sqlite3.h>

#include "base/fs.h"
#include "research/insight_runs.h"

static char dir[64];
static const char journal[] = "test/unit/data/optuna-journal.log";

static const char *
path_of(const char *name)
{
    static char path[4][200];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[0], "%s/%s", dir, name);
    return path[turn];
}

static struct insights *
db_open(const char *name)
{
    struct insights *db;
    struct err err = {0};
    if (insight_open(&db, path_of(name), INSIGHT_WRITE, &err) != 0)
        fail_msg("%s", err.text);
    return db;
}

static void
put(const char *name, const char *text)
{
    struct err err = {0};
    char folder[200];
    snprintf(folder, sizeof folder, "%s", path_of(name));
    *strrchr(folder, '/') = '\0';
    if (fs_mkdirs(folder, &err) != 0 ||
        fs_write_atomic(path_of(name), text, strlen(text), false, &err) != 0)
        fail_msg("%s", err.text);
}

static struct insight_import
import(struct insights *db, const char *path, const struct insight_source *o)
{
    struct insight_import got;
    struct err err = {0};
    if (insight_import_from(db, path, o, &got, &err) != 0)
        fail_msg("%s", err.text);
    return got;
}

/* The row of this change; fails when there is none. */
static struct insight
row_of(struct insights *db, const char *knob, const char *from, const char *to,
    struct arena *a)
{
    struct insight_query q = {.knob = knob};
    struct insight *row;
    struct err err = {0};
    size_t n;
    assert_int_equal(insight_list(db, &q, a, &row, &n, &err), 0);
    for (size_t i = 0; i < n; i++)
        if (strcmp(row[i].from, from) == 0 && strcmp(row[i].to, to) == 0)
            return row[i];
    fail_msg("no row of %s %s -> %s among %zu", knob, from, to, n);
    return (struct insight){0};
}

static void
near(double x, double y)
{
    if (!(fabs(x - y) < 1e-9))
        fail_msg("%.12g is not %.12g", x, y);
}

/* A grid of 2 x 2 x 3 with gains of .01 for lr, -.02 for sgd, .001 a layer and
 * 1e-4 a trial; trials 3 and 7 failed, 5 was pruned. */
static void
optuna_journal_gives_paired_effects(void **state)
{
    (void)state;
    struct insights *db = db_open("optuna.db");
    struct insight_source o = {.place = {.rows = 1000}, .family = "fm"};
    struct arena a = {0};
    struct insight_event *e;
    struct err err = {0};
    size_t n;
    struct insight_import got = import(db, journal, &o);
    assert_true(got.bad == 0 && got.trials == 13 && got.added == 5);
    struct insight lr = row_of(db, "lr", "0.001", "0.01", &a);
    assert_string_equal(lr.concept, "learning_rate");
    assert_string_equal(lr.direction, "x10");
    assert_string_equal(lr.family, "fm");
    assert_int_equal(lr.n, 3);
    assert_true(lr.lo < .01 && lr.hi > .0095 && lr.lo > .005);
    assert_int_equal(lr.verdict, INSIGHT_POSITIVE);
    assert_non_null(strstr(lr.context, "\"rows\":1000"));
    struct insight opt = row_of(db, "opt", "adam", "sgd", &a);
    assert_int_equal(opt.verdict, INSIGHT_NEGATIVE);
    /* what failed is counted beside, and is in no mean */
    struct insight deep = row_of(db, "layers", "1", "3", &a);
    assert_non_null(strstr(deep.context, "\"failed\":1"));
    assert_int_equal(deep.n, 3);
    /* down to a raw trial */
    assert_int_equal(insight_events(db, lr.origin, &a, &e, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(e[0].kind, INSIGHT_HYPOTHESIS);
    const char *at = strstr(e[1].payload, "optuna:ctr grid-");
    assert_non_null(at);
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\""), at);
    assert_int_equal(insight_events(db, name, &a, &e, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_non_null(strstr(e[0].payload, "\"seed\":"));
    assert_non_null(strstr(e[0].payload, "\"value\":0."));
    got = import(db, journal, &o);
    assert_true(got.added == 0 && got.known == 5 && got.trials == 0);
    arena_fini(&a);
    insight_close(db);
}

/* A study that has grown tells its effects anew; what it told is replaced. */
static void
a_grown_study_supersedes(void **state)
{
    (void)state;
    struct insights *db = db_open("grown.db");
    struct insight_source o = {.metric = "auc"};
    struct arena a = {0};
    static const char some[] = "lr,seed,auc,date\n1,1,0.70,2026-01-01\n"
                               "2,1,0.71,2026-01-02\n1,2,0.702,2026-01-03\n";
    char more[200];
    snprintf(more, sizeof more, "%s2,2,0.708,2026-01-04\n", some);
    put("t.csv", some);
    assert_int_equal(import(db, path_of("t.csv"), &o).added, 1);
    put("t.csv", more);
    struct insight_import got = import(db, path_of("t.csv"), &o);
    assert_true(got.added == 1 && got.trials == 1);
    struct insight row = row_of(db, "lr", "1", "2", &a);
    near(row.effect, .008);
    assert_int_equal(row.n, 1); /* one pair of configurations, two seeds each */
    assert_true(row.supersedes[0] != '\0');
    assert_string_equal(row.date, "2026-01-02");
    got = import(db, path_of("t.csv"), &o);
    assert_true(got.added == 0 && got.trials == 0);
    arena_fini(&a);
    insight_close(db);
}

static void
tables_are_mapped_and_checked(void **state)
{
    (void)state;
    struct insights *db = db_open("csv.db");
    struct arena a = {0};
    struct err err = {0};
    struct insight_import got;
    put("loss.csv",
        "run;x\n"); /* one column: there is nothing called logloss */
    struct insight_source o = {.metric = "logloss",
        .seed = "s",
        .status = "state",
        .id = "run",
        .knobs = "opt,dim",
        .min_gain = 1e-3};
    assert_int_equal(
        insight_import_from(db, path_of("loss.csv"), &o, &got, &err),
        -ERR_INPUT);
    assert_non_null(strstr(err.text, "no column \"logloss\""));
    put("good.csv", "run,opt,dim,s,host,logloss,state\n"
                    "a,adam,8,1,h1,0.500,COMPLETE\n"
                    "b,\"sgd, slow\",8,1,h2,0.510,done\n"
                    "c,adam,16,1,h3,0.490,ok\n"
                    "d,adam,32,1,h4,nan,diverged\n"
                    "e,adam,64,1,h5,,crashed\n"
                    "f,adam,8,1\n"
                    "g,adam,128,1,h6,0.4,exploded?\n");
    got = import(db, path_of("good.csv"), &o);
    assert_int_equal(got.lines, 7);
    assert_int_equal(got.bad, 2);
    assert_non_null(strstr(got.first_bad, "line 7"));
    /* less is better, and a step of 1e-3 is what is worth shipping */
    struct insight dim = row_of(db, "dim", "8", "16", &a);
    near(dim.effect, .01);
    near(dim.scale, 1e-3);
    near(row_of(db, "opt", "adam", "sgd, slow", &a).effect, -.01);
    assert_int_equal(
        row_of(db, "dim", "16", "32", &a).verdict, INSIGHT_UNSTABLE);
    struct insight died = row_of(db, "dim", "16", "64", &a);
    assert_int_equal(died.verdict, INSIGHT_FAILED);
    assert_int_equal(died.n, 0);
    struct insight_query host = {.knob = "host"};
    struct insight *row;
    size_t n;
    assert_int_equal(insight_list(db, &host, &a, &row, &n, &err), 0);
    assert_int_equal(n, 0);
    o.metric = "loglos";
    assert_int_equal(
        insight_import_from(db, path_of("good.csv"), &o, &got, &err),
        -ERR_INPUT);
    assert_non_null(strstr(err.text, "did you mean \"logloss\""));
    o.format = "cvs";
    assert_int_equal(
        insight_import_from(db, path_of("good.csv"), &o, &got, &err),
        -ERR_INPUT);
    assert_non_null(strstr(err.text, "csv"));
    assert_int_equal(
        insight_import_from(db, path_of("no"), &o, &got, &err), -ERR_NOT_FOUND);
    arena_fini(&a);
    insight_close(db);
}

/* ---- Optuna on SQLite ---- */

static const char optuna_sql[] =
    "CREATE TABLE studies (study_id INTEGER, study_name TEXT);"
    "CREATE TABLE study_directions (direction TEXT, study_id INTEGER,"
    " objective INTEGER);"
    "CREATE TABLE study_system_attributes (study_id INTEGER, \"key\" TEXT,"
    " value_json TEXT);"
    "CREATE TABLE trials (trial_id INTEGER, number INTEGER, study_id INTEGER,"
    " state TEXT, datetime_start TEXT, datetime_complete TEXT);"
    "CREATE TABLE trial_user_attributes (trial_id INTEGER, \"key\" TEXT,"
    " value_json TEXT);"
    "CREATE TABLE trial_params (trial_id INTEGER, param_name TEXT,"
    " param_value FLOAT, distribution_json TEXT);"
    "CREATE TABLE trial_values (trial_id INTEGER, objective INTEGER,"
    " value FLOAT, value_type TEXT);"
    "INSERT INTO studies VALUES (3, 'rdb');"
    "INSERT INTO study_directions VALUES ('MINIMIZE', 3, 0);"
    "INSERT INTO study_system_attributes VALUES (3, 'study:metric_names',"
    " '[\"logloss\"]');"
    "INSERT INTO trials VALUES"
    " (11, 0, 3, 'COMPLETE', '2026-01-02 03:04:05.5', NULL),"
    " (12, 1, 3, 'COMPLETE', '2026-01-02 03:05:05', NULL),"
    " (13, 2, 3, 'PRUNED', '2026-01-02 03:06:05', NULL);"
    "INSERT INTO trial_values VALUES (11, 0, 0.5, 'FINITE'),"
    " (12, 0, 0.45, 'FINITE'), (13, 0, 0.1, 'FINITE');"
    "INSERT INTO trial_params VALUES"
    " (11, 'opt', 0, '{\"name\": \"CategoricalDistribution\", \"attributes\":"
    " {\"choices\": [\"adam\", null]}}'),"
    " (12, 'opt', 1, '{\"name\": \"CategoricalDistribution\", \"attributes\":"
    " {\"choices\": [\"adam\", null]}}'),"
    " (13, 'opt', 7, '{\"name\": \"CategoricalDistribution\", \"attributes\":"
    " {\"choices\": [\"adam\", null]}}');"
    "INSERT INTO trial_user_attributes VALUES (11, 'seed', '5');";

static void
optuna_sqlite_is_read(void **state)
{
    (void)state;
    sqlite3 *s;
    assert_int_equal(sqlite3_open(path_of("rdb.sqlite"), &s), SQLITE_OK);
    assert_int_equal(sqlite3_exec(s, optuna_sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(s);
    struct insights *db = db_open("rdb.db");
    struct insight_source o = {0};
    struct arena a = {0};
    struct insight_import got = import(db, path_of("rdb.sqlite"), &o);
    assert_true(got.added == 1 && got.trials == 3 && got.bad == 1);
    assert_non_null(strstr(got.first_bad, "none of its choices"));
    struct insight row = row_of(db, "opt", "adam", "null", &a);
    near(row.effect, .05); /* minimised */
    assert_string_equal(row.metric, "logloss");
    assert_string_equal(row.date, "2026-01-02");
    assert_int_equal(import(db, path_of("rdb.sqlite"), &o).added, 0);
    /* a database of something else is named as such */
    struct err err = {0};
    o.format = "optuna";
    assert_int_equal(
        insight_import_from(db, path_of("rdb.db"), &o, &got, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "no Optuna storage"));
    arena_fini(&a);
    insight_close(db);
}

static void
broken_journals_cost_their_lines(void **state)
{
    (void)state;
    struct insights *db = db_open("broken.db");
    struct insight_source o = {0};
    struct err err = {0};
    struct insight_import got;
    put("j.log",
        "{\"op_code\":0,\"study_name\":\"s\",\"directions\":[2]}\n"
        "{\"op_code\":4,\"study_id\":0}\n"
        "{\"op_code\":4,\"study_id\":9}\n"
        "{\"op_code\":5,\"trial_id\":77,\"param_name\":\"x\"}\n"
        "{\"op_code\":6,\"trial_id\":0,\"state\":1,\"values\":[Infinity]}\n"
        "{\"op_code\":99}\n"
        "{\"op_co");
    got = import(db, path_of("j.log"), &o);
    assert_int_equal(got.bad, 4);
    assert_non_null(strstr(got.first_bad, "line 3"));
    assert_int_equal(got.trials, 1);
    put("k.log", "{\"op_code\":4}\n");
    assert_int_equal(
        insight_import_from(db, path_of("k.log"), &o, &got, &err), -ERR_INPUT);
    o.study = "other";
    assert_int_equal(insight_import_from(db, path_of("j.log"), &o, &got, &err),
        -ERR_NOT_FOUND);
    insight_close(db);
}

/* ---- MLflow ---- */

static void
mlflow_run(const char *id, const char *status, const char *lr, const char *auc)
{
    char name[160], text[300];
    snprintf(name, sizeof name, "mlruns/12/%s/meta.yaml", id);
    snprintf(text, sizeof text,
        "artifact_uri: file:///x\nlifecycle_stage: active\nrun_id: %s\n"
        "start_time: 1767312000000\nstatus: %s\ntags: []\n",
        id, status);
    put(name, text);
    snprintf(name, sizeof name, "mlruns/12/%s/params/lr", id);
    put(name, lr);
    if (auc == NULL)
        return;
    snprintf(name, sizeof name, "mlruns/12/%s/metrics/auc", id);
    put(name, auc);
}

static void
mlflow_stores_are_read(void **state)
{
    (void)state;
    struct insights *db = db_open("mlflow.db");
    struct insight_source o = {0};
    struct insight_import got;
    struct err err = {0};
    struct arena a = {0};
    put("mlruns/12/meta.yaml", "experiment_id: '12'\nname: 'ctr'\n");
    put("mlruns/0/meta.yaml", "name: Default\n");
    mlflow_run("aa", "3", "0.1", "1 0.9 5\n2 0.7 9\n3 0.6 2\n");
    mlflow_run("bb", "3", "0.2", "1 0.72 1\n");
    mlflow_run("cc", "4", "0.3", NULL);         /* FAILED */
    mlflow_run("dd", "1", "0.4", "1 0.99 1\n"); /* RUNNING */
    put("mlruns/12/ee/meta.yaml", "status: 3\n");
    assert_int_equal(
        insight_import_from(db, path_of("mlruns"), &o, &got, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "--metric=auc"));
    o.metric = "auc";
    got = import(db, path_of("mlruns"), &o);
    assert_true(got.bad == 1 && got.trials == 3);
    near(row_of(db, "lr", "0.1", "0.2", &a).effect, .02); /* of the last step */
    assert_int_equal(
        row_of(db, "lr", "0.2", "0.3", &a).verdict, INSIGHT_FAILED);
    got = import(db, path_of("mlruns"), &o);
    assert_true(got.added == 0 && got.trials == 0);
    /* the same runs from a server are the same trials */
    const char *page[] = {
        "{\"runs\":[{\"info\":{\"run_id\":\"aa\",\"experiment_id\":\"12\","
        "\"status\":\"FINISHED\",\"start_time\":1767312000000},\"data\":{"
        "\"metrics\":[{\"key\":\"auc\",\"value\":0.7}],\"params\":[{\"key\":"
        "\"lr\",\"value\":\"0.1\"}]}},{\"info\":{\"run_id\":\"zz\"}}]}",
        "{\"experiments\":[{\"experiment_id\":\"12\",\"name\":\"ctr\"}]}"};
    assert_int_equal(insight_import_mlflow(db, page, 2, &o, &got, &err), 0);
    assert_true(got.trials == 0 && got.bad == 1);
    page[0] = "no json";
    assert_int_equal(
        insight_import_mlflow(db, page, 2, &o, &got, &err), -ERR_INPUT);
    put("empty/x", "");
    assert_int_equal(
        insight_import_from(db, path_of("empty"), &o, &got, &err), -ERR_INPUT);
    arena_fini(&a);
    insight_close(db);
}

/* ---- W&B ---- */

static uint32_t
crc(const unsigned char *p, size_t n)
{
    uint32_t c = ~0u;
    for (size_t i = 0; i < n; i++)
        for (int k = (c ^= p[i], 0); k < 8; k++)
            c = (c & 1) != 0 ? c >> 1 ^ 0xedb88320u : c >> 1;
    return ~c;
}

static void
piece(struct buf *log, unsigned char type, const char *data, size_t n)
{
    struct buf body = {0};
    buf_putc(&body, (char)type);
    buf_add(&body, data, n);
    uint32_t c = crc((const unsigned char *)body.data, body.len);
    char head[7] = {(char)c, (char)(c >> 8), (char)(c >> 16), (char)(c >> 24),
        (char)n, (char)(n >> 8), (char)type};
    buf_add(log, head, 7);
    buf_add(log, data, n);
    buf_fini(&body);
}

/* A record as LevelDB's log cuts it into blocks of 32 KiB. */
static void
record(struct buf *log, const struct buf *m)
{
    enum { BLOCK = 32768 };
    size_t at = 0;
    bool first = true;
    do {
        size_t left = BLOCK - log->len % BLOCK;
        if (left < 7) {
            buf_add(log, "\0\0\0\0\0\0", left);
            continue;
        }
        size_t n = m->len - at < left - 7 ? m->len - at : left - 7;
        bool last = at + n == m->len;
        piece(log, first ? (last ? 1 : 2) : last ? 4 : 3, m->data + at, n);
        at += n;
        first = false;
    } while (at < m->len);
}

static void
varint(struct buf *b, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        buf_putc(b, (char)(x | 0x80));
    buf_putc(b, (char)x);
}

static void
bytes(struct buf *b, uint32_t field, const char *s, size_t n)
{
    varint(b, field << 3 | 2);
    varint(b, n);
    buf_add(b, s, n);
}

static void
item(struct buf *b, uint32_t in, const char *key, const char *json)
{
    struct buf m = {0};
    bytes(&m, 1, key, strlen(key));
    bytes(&m, 16, json, strlen(json));
    bytes(b, in, m.data, m.len);
    buf_fini(&m);
}

static void
wrapped(struct buf *log, uint32_t field, struct buf *inner)
{
    struct buf m = {0};
    varint(&m, 1 << 3);
    varint(&m, 7);
    bytes(&m, field, inner->data, inner->len);
    record(log, &m);
    buf_fini(&m);
    buf_fini(inner);
}

static void
wandb_file(const char *name, const char *id, const char *lr, const char *auc,
    int exit_code)
{
    struct buf log = {0}, m = {0}, config = {0};
    struct err err = {0};
    char pad[40000];
    buf_add(&log, ":W&B\xe1\xbe\0", 7);
    item(&config, 1, "lr", lr);
    item(&config, 1, "net", "{\"layers\": 2, \"act\": \"relu\"}");
    item(&config, 1, "_wandb", "{}");
    bytes(&m, 1, id, strlen(id));
    bytes(&m, 3, "ctr", 3);
    bytes(&m, 4, config.data, config.len);
    wrapped(&log, 17, &m);
    memset(pad, 'x', sizeof pad); /* spans blocks */
    bytes(&m, 2, pad, sizeof pad);
    wrapped(&log, 4, &m);
    item(&m, 1, "auc", "0.1");
    wrapped(&log, 2, &m);
    item(&m, 1, "auc", auc);
    wrapped(&log, 3, &m);
    varint(&m, 1 << 3);
    varint(&m, (uint64_t)exit_code);
    wrapped(&log, 18, &m);
    put(name, "");
    fs_write_atomic(path_of(name), log.data, log.len, false, &err);
    buf_fini(&log);
    buf_fini(&config);
}

static void
wandb_runs_are_read(void **state)
{
    (void)state;
    struct insights *db = db_open("wandb.db");
    struct insight_source o = {.metric = "auc"};
    struct arena a = {0};
    struct err err = {0};
    struct insight_import got;
    wandb_file("wandb/offline-run-1/run-a.wandb", "a", "0.1", "0.70", 0);
    wandb_file("wandb/offline-run-2/run-b.wandb", "b", "0.2", "0.73", 0);
    wandb_file("wandb/offline-run-3/run-c.wandb", "c", "0.3", "0.73", 1);
    assert_int_equal(symlink("offline-run-2", path_of("wandb/latest-run")), 0);
    got = import(db, path_of("wandb"), &o);
    assert_true(got.bad == 0 && got.trials == 3);
    struct insight gain = row_of(db, "lr", "0.1", "0.2", &a);
    near(gain.effect, .03);
    assert_null(strstr(gain.context, "noise_sd")); /* no run came twice */
    assert_int_equal(
        row_of(db, "lr", "0.2", "0.3", &a).verdict, INSIGHT_FAILED);
    struct insight_event *e;
    size_t n;
    assert_int_equal(insight_events(db, "wandb:ctr/Ta", &a, &e, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_non_null(strstr(e[0].payload, "\"net.act\":\"relu\""));
    assert_null(strstr(e[0].payload, "_wandb"));
    /* a flipped bit is found by its sum; the rest is read */
    struct buf b = {0};
    assert_int_equal(
        fs_read(path_of("wandb/offline-run-1/run-a.wandb"), 0, &b, &err), 0);
    b.data[35000] ^= 1;
    put("flip/run-a.wandb", "");
    fs_write_atomic(path_of("flip/run-a.wandb"), b.data, b.len, false, &err);
    got = import(db, path_of("flip/run-a.wandb"), &o);
    assert_true(got.bad > 0);
    assert_non_null(strstr(got.first_bad, "byte"));
    /* what is cut off has not ended */
    fs_write_atomic(path_of("flip/run-d.wandb"), b.data, 200, false, &err);
    got = import(db, path_of("flip/run-d.wandb"), &o);
    assert_int_equal(got.trials, 0);
    o.format = "wandb";
    assert_int_equal(
        insight_import_from(db, journal, &o, &got, &err), -ERR_INPUT);
    buf_fini(&b);
    arena_fini(&a);
    insight_close(db);
}

/* ---- intervals ---- */

/* Repeats tell the noise where there are few pairs; without any, the interval
 * is that of the whole study, and says nothing too early. */
static void
few_pairs_have_wide_intervals(void **state)
{
    (void)state;
    struct insights *db = db_open("few.db");
    struct insight_source o = {.metric = "auc"};
    struct arena a = {0};
    put("few.csv", "x,seed,auc\n1,1,0.70\n2,1,0.71\n");
    import(db, path_of("few.csv"), &o);
    struct insight row = row_of(db, "x", "1", "2", &a);
    assert_int_equal(row.verdict, INSIGHT_NULL);
    assert_true(row.lo < 0 && row.hi > .02);
    put("rep.csv", "y,seed,auc\n1,1,0.700\n1,2,0.701\n1,3,0.699\n"
                   "2,1,0.710\n2,2,0.711\n2,3,0.709\n");
    import(db, path_of("rep.csv"), &o);
    row = row_of(db, "y", "1", "2", &a);
    near(row.effect, .01);
    assert_int_equal(row.verdict, INSIGHT_POSITIVE);
    /* t of 4 degrees, 2.776, times 1e-3 sqrt(2/3) */
    assert_true(
        fabs(row.hi - row.effect - 2.7764 * 1e-3 * sqrt(2.0 / 3)) < 1e-6);
    arena_fini(&a);
    insight_close(db);
}

static int
set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/rea-insight-import-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    return fs_remove_tree(dir, NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(optuna_journal_gives_paired_effects),
        cmocka_unit_test(a_grown_study_supersedes),
        cmocka_unit_test(tables_are_mapped_and_checked),
        cmocka_unit_test(optuna_sqlite_is_read),
        cmocka_unit_test(broken_journals_cost_their_lines),
        cmocka_unit_test(mlflow_stores_are_read),
        cmocka_unit_test(wandb_runs_are_read),
        cmocka_unit_test(few_pairs_have_wide_intervals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
