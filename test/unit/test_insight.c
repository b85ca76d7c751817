/* The insights database: what is kept stays, nothing is
 * kept twice, bad input costs itself only, and the way out and in again gives
 * the same bytes. */
#include "research/insight.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"

static char dir[64];

static const char *
path_of(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[0], "%s/%s", dir, name);
    return path[turn];
}

static struct insights *
db_open(const char *name, uint32_t flags)
{
    struct insights *db;
    struct err err = {0};
    if (insight_open(&db, path_of(name), flags, &err) != 0)
        fail_msg("%s", err.text);
    return db;
}

static const struct insight example = {.campaign = "0f3c",
    .hypothesis = "H2",
    .concept = "dropout",
    .knob = "net-dropout",
    .family = "dcnv2",
    .metric = "auc",
    .from = "0",
    .to = "0.1",
    .direction = "+0.1",
    .context = "{\"rows\": 39948, \"baseline\": 0.7431}",
    .statement = "Raise net-dropout from 0 to 0.1: it \"helped\" \xc3\xa9",
    .source = "campaign C1 on ctr",
    .reference = "C1 H2",
    .date = "2026-01-02",
    .effect = 1.25e-3,
    .sd = 3e-4,
    .n = 6,
    .places = 1,
    .created_ms = 1767312000000};

static void
keeping_is_idempotent(void **state)
{
    (void)state;
    struct insights *db = db_open("keep.db", INSIGHT_WRITE);
    struct err err = {0};
    struct arena a = {0};
    int64_t first, again, total, own;
    bool added;
    assert_int_equal(insight_keep(db, &example, &first, &added, &err), 0);
    assert_true(added && first == 1);
    assert_int_equal(insight_keep(db, &example, &again, &added, &err), 0);
    assert_true(!added && again == first);
    insight_count(db, &total, &own, &err);
    assert_true(total == 1 && own == 1);
    struct insight row;
    assert_int_equal(insight_get(db, first, &a, &row, &err), 0);
    assert_string_equal(row.origin, "0f3c/H2");
    assert_string_equal(row.statement, example.statement);
    assert_int_equal(row.verdict, INSIGHT_POSITIVE); /* from the interval */
    assert_true(row.lo > 0 && row.hi > row.lo && row.effect == 1.25e-3);
    assert_int_equal(insight_get(db, 99, &a, &row, &err), -ERR_NOT_FOUND);
    arena_fini(&a);
    insight_close(db);
}

static void
bad_rows_are_refused(void **state)
{
    (void)state;
    struct insights *db = db_open("bad.db", INSIGHT_WRITE);
    struct err err = {0};
    struct insight bad[6] = {
        example, example, example, example, example, example};
    bad[0].statement = "";
    bad[0].concept = "";
    bad[1].sd = -1;
    bad[2].effect = 0.0 / 0.0;
    bad[3].context = "[1]";
    bad[4].context = "{broken";
    bad[5].lo = 1;
    for (int i = 0; i < 6; i++)
        assert_int_equal(
            insight_keep(db, &bad[i], NULL, NULL, &err), -ERR_INPUT);
    int64_t total, own;
    insight_count(db, &total, &own, &err);
    assert_int_equal(total, 0);
    insight_close(db);
}

static void
round_trip_is_identical(void **state)
{
    (void)state;
    struct insights *a = db_open("a.db", INSIGHT_WRITE | INSIGHT_SEED);
    struct insights *b = db_open("b.db", INSIGHT_WRITE);
    struct err err = {0};
    struct buf one = {0}, two = {0};
    struct insight_import done;
    assert_int_equal(insight_keep(a, &example, NULL, NULL, &err), 0);
    assert_int_equal(insight_export(a, false, &one, &err), 0);
    assert_int_equal(insight_import_text(b, one.data, one.len, &done, &err), 0);
    assert_true(done.added > 1000 && done.known == 0 && done.bad == 0);
    assert_int_equal(insight_import_text(b, one.data, one.len, &done, &err), 0);
    assert_true(done.added == 0 && done.known > 1000);
    assert_int_equal(insight_export(b, false, &two, &err), 0);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    buf_clear(&two);
    assert_int_equal(insight_export(b, true, &two, &err), 0);
    assert_true(two.len > 0 && two.len < 1000); /* our own row alone */
    buf_fini(&one);
    buf_fini(&two);
    insight_close(a);
    insight_close(b);
}

static void
seeding_twice_adds_nothing(void **state)
{
    (void)state;
    struct err err = {0};
    int64_t total[2], own;
    for (int i = 0; i < 2; i++) {
        struct insights *db = db_open("seed.db", INSIGHT_WRITE | INSIGHT_SEED);
        insight_count(db, &total[i], &own, &err);
        assert_int_equal(own, 0);
        insight_close(db);
    }
    assert_true(total[0] > 1000 && total[0] == total[1]);
}

static void
bad_lines_cost_themselves(void **state)
{
    (void)state;
    struct insights *db = db_open("lines.db", INSIGHT_WRITE);
    struct err err = {0};
    struct insight_import done;
    static const char text[] = "{\"statement\":\"good\",\"effect\":0.1}\n"
                               "\n"
                               "{\"statement\":\n"
                               "[]\n"
                               "{\"statement\":\"x\",\"effect\":\"big\"}\n"
                               "{\"statement\":\"y\",\"verdict\":\"great\"}\n"
                               "{\"statement\":\"also good\"}";
    assert_int_equal(
        insight_import_text(db, text, sizeof text - 1, &done, &err), 0);
    assert_int_equal(done.added, 2);
    assert_int_equal(done.bad, 4);
    assert_non_null(strstr(done.first_bad, "line 3"));
    insight_close(db);
}

static void
search_finds_words(void **state)
{
    (void)state;
    struct insights *db = db_open("seed.db", INSIGHT_READ);
    struct err err = {0};
    struct arena a = {0};
    struct insight *row;
    size_t n;
    static const char *const text[] = {"dropout of dcnv2", "learning_rate",
        "\" OR ) NEAR(", "'; DROP TABLE insight", "*"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct insight_query q = {.text = text[i], .max = 20};
        assert_int_equal(insight_list(db, &q, &a, &row, &n, &err), 0);
        if (i < 2)
            assert_true(n > 0);
    }
    struct insight_query q = {.concept = "learning_rate", .family = "fm"};
    assert_int_equal(insight_list(db, &q, &a, &row, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_string_equal(row[0].direction, "x2");
    q.before = "2022-05-19";
    assert_int_equal(insight_list(db, &q, &a, &row, &n, &err), 0);
    assert_int_equal(n, 0);
    arena_fini(&a);
    insight_close(db);
}

static void
promotion_and_supersession(void **state)
{
    (void)state;
    struct insights *db = db_open("promote.db", INSIGHT_WRITE);
    struct err err = {0};
    struct arena a = {0};
    struct insight *row, newer = example;
    size_t n;
    int64_t id;
    assert_int_equal(insight_keep(db, &example, &id, NULL, &err), 0);
    struct insight_signer who = {"ann", path_of("sign.key"), 1};
    assert_int_equal(insight_promote(db, id, &who, &err), 0);
    assert_int_equal(insight_promote(db, 77, &who, &err), -ERR_NOT_FOUND);
    newer.hypothesis = "H9";
    newer.supersedes = "0f3c/H2";
    assert_int_equal(insight_keep(db, &newer, NULL, NULL, &err), 0);
    struct insight_query q = {0};
    assert_int_equal(insight_list(db, &q, &a, &row, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_string_equal(row[0].hypothesis, "H9");
    q.superseded_too = true;
    assert_int_equal(insight_list(db, &q, &a, &row, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(row[0].status, INSIGHT_PROMOTED);
    arena_fini(&a);
    insight_close(db);
}

/* A missing file reads as empty; a foreign file and a newer one are named. */
static void
openings_that_fail_say_why(void **state)
{
    (void)state;
    struct insights *db = db_open("absent.db", INSIGHT_READ);
    struct err err = {0};
    int64_t total, own;
    assert_int_equal(insight_count(db, &total, &own, &err), 0);
    assert_int_equal(total, 0);
    insight_close(db);
    assert_false(fs_exists(path_of("absent.db")));
    fs_write_atomic(
        path_of("text.db"), "no database, just some text", 27, false, &err);
    assert_int_equal(insight_open(&db, path_of("text.db"), INSIGHT_READ, &err),
        -ERR_CORRUPT);
    assert_non_null(strstr(err.text, "text.db"));
}

static void
writers_do_not_lose_rows(void **state)
{
    (void)state;
    enum { WRITERS = 4, ROWS = 25 };
    insight_close(db_open("many.db", INSIGHT_WRITE));
    for (int w = 0; w < WRITERS; w++)
        if (fork() == 0) {
            struct insights *db;
            struct err err = {0};
            int rc = insight_open(&db, path_of("many.db"), INSIGHT_WRITE, &err);
            for (int i = 0; i < ROWS && rc == 0; i++) {
                char uuid[16];
                struct insight row = example;
                snprintf(uuid, sizeof uuid, "%d-%d", w, i);
                row.campaign = uuid;
                rc = insight_keep(db, &row, NULL, NULL, &err);
            }
            _exit(rc != 0);
        }
    for (int w = 0; w < WRITERS; w++) {
        int status;
        assert_true(wait(&status) > 0 && status == 0);
    }
    struct insights *db = db_open("many.db", INSIGHT_READ);
    struct err err = {0};
    int64_t total, own;
    insight_count(db, &total, &own, &err);
    assert_int_equal(total, WRITERS * ROWS);
    insight_close(db);
}

/* ---- from a campaign ---- */

static void
judged_ideas_become_rows(void **state)
{
    (void)state;
    struct core *c = calloc(1, sizeof *c);
    struct arena a = {0};
    struct insight *row;
    size_t n;
    static const uint8_t verdict[] = {VERDICT_PROMOTE, VERDICT_REJECT,
        VERDICT_REJECT, VERDICT_UNSTABLE, VERDICT_FAILED, VERDICT_UNTESTED,
        VERDICT_NEEDS_HOOK};
    static const uint32_t want[] = {INSIGHT_POSITIVE, INSIGHT_NULL,
        INSIGHT_NEGATIVE, INSIGHT_UNSTABLE, INSIGHT_FAILED};
    snprintf(c->spec.model, NAME_LEN, "toy");
    c->spec.n_metrics = 1;
    snprintf(c->spec.metric[0].name, NAME_LEN, "valid_logloss");
    c->spec.metric[0].goal = GOAL_MIN;
    c->spec.metric[0].min_gain = 1e-3;
    c->spec.n_knobs = 1;
    struct knob *k = &c->spec.knob[0];
    snprintf(k->name, NAME_LEN, "lr");
    k->kind = KNOB_FLOAT;
    k->concept = CONCEPT_LEARNING_RATE;
    k->lo = 1e-4;
    k->hi = 1;
    k->deflt = 0.01;
    c->n_experiments = 1;
    c->experiment[0].kind = EXPERIMENT_BASELINE;
    for (uint32_t i = 0; i < sizeof verdict; i++) {
        struct hypothesis *h = &c->hypothesis[c->n_hypotheses++];
        h->verdict = verdict[i];
        h->n_over = 1;
        h->over[0] = (struct override){0, 0.02 * (i + 1)};
        h->lo = i == 2 ? -4e-3 : -1e-3;
        h->hi = i == 2 ? -1e-3 : 1e-3;
    }
    c->n_pairs = 1;
    c->pair[0] = (struct pair){0, 1, PAIR_CONFLICT, -2e-3, -3e-3, -1e-3};
    struct insight_texts t = {
        .uuid = "u-1", .campaign = "C1", .date = "2026-01-02"};
    insight_from_campaign(c, &t, &a, &row, &n);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(row[i].verdict, want[i]);
        assert_string_equal(row[i].concept, "learning_rate");
        assert_string_equal(row[i].from, "0.01");
        assert_true(row[i].scale == 1e-3); /* logloss is not in AUC units */
        assert_string_equal(row[i].metric, "logloss");
    }
    assert_string_equal(row[0].direction, "x2");
    assert_string_equal(row[5].hypothesis, "H1+H2");
    assert_string_equal(row[5].partner, "lr=0.04");
    assert_int_equal(row[5].verdict, INSIGHT_NEGATIVE);
    struct insights *db = db_open("campaign.db", INSIGHT_WRITE);
    struct err err = {0};
    size_t added;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(insight_keep_all(db, row, n, &added, &err), 0);
        assert_int_equal(added, round == 0 ? 6 : 0);
    }
    struct insight bad[2] = {row[0], row[1]};
    bad[0].campaign = "u-2";
    bad[1].sd = -1; /* all or nothing */
    assert_int_equal(insight_keep_all(db, bad, 2, &added, &err), -ERR_INPUT);
    int64_t total, own;
    insight_count(db, &total, &own, &err);
    assert_int_equal(total, 6);
    insight_close(db);
    arena_fini(&a);
    free(c);
}

static int
folder_make(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/rea-insight-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int
folder_remove(void **state)
{
    (void)state;
    struct err err = {0};
    return fs_remove_tree(dir, &err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeping_is_idempotent),
        cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(round_trip_is_identical),
        cmocka_unit_test(seeding_twice_adds_nothing),
        cmocka_unit_test(bad_lines_cost_themselves),
        cmocka_unit_test(search_finds_words),
        cmocka_unit_test(promotion_and_supersession),
        cmocka_unit_test(openings_that_fail_say_why),
        cmocka_unit_test(writers_do_not_lose_rows),
        cmocka_unit_test(judged_ideas_become_rows),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
