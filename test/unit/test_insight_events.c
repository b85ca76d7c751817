/* The insights database as a set of events: rows follow from them, merges do
 * not depend on their order, a signature holds for what was signed alone, an
 * old file opens, and a search finds the right row first. */
#include "research/insight.h"

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
#include "base/rng.h"
#include "research/insight_event.h"

static char dir[64];

static const char *
path_of(const char *name)
{
    static char path[4][160];
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

/* Runs SQL on the file, behind the back of the program. */
static int
sql(const char *name, const char *text)
{
    sqlite3 *s;
    assert_int_equal(sqlite3_open(path_of(name), &s), SQLITE_OK);
    int rc = sqlite3_exec(s, text, NULL, NULL, NULL);
    sqlite3_close(s);
    return rc;
}

static struct insight
made(const char *campaign, const char *hypothesis)
{
    return (struct insight){.campaign = campaign,
        .hypothesis = hypothesis,
        .concept = "dropout",
        .knob = "net-dropout",
        .family = "dcnv2",
        .metric = "auc",
        .from = "0",
        .to = "0.1",
        .direction = "+0.1",
        .context = "{\"rows\": 39948, \"fields\": 24}",
        .statement = "raise dropout",
        .date = "2026-01-02",
        .effect = 1.25e-3,
        .sd = 3e-4,
        .n = 6,
        .places = 1,
        .created_ms = 1767312000000};
}

static int64_t
keep(struct insights *db, struct insight row)
{
    struct err err = {0};
    int64_t id = 0;
    if (insight_keep(db, &row, &id, NULL, &err) != 0)
        fail_msg("%s", err.text);
    return id;
}

static struct insight_signer
signer(void)
{
    return (struct insight_signer){"ann", path_of("sign.key"), 1767312001000};
}

static void
promote(struct insights *db, int64_t id)
{
    struct err err = {0};
    struct insight_signer who = signer();
    if (insight_promote(db, id, &who, &err) != 0)
        fail_msg("%s", err.text);
}

static void
correct(struct insights *db, int64_t id, const char *fields, int64_t at)
{
    struct err err = {0};
    if (insight_correct(db, id, fields, "why", "bob", at, &err) != 0)
        fail_msg("%s", err.text);
}

static struct insight
get(struct insights *db, int64_t id, struct arena *a)
{
    struct insight row;
    struct err err = {0};
    if (insight_get(db, id, a, &row, &err) != 0)
        fail_msg("%s", err.text);
    return row;
}

static void
all_of(struct insights *db, struct buf *rows, struct buf *events)
{
    struct err err = {0};
    buf_clear(rows);
    buf_clear(events);
    assert_int_equal(insight_export(db, false, rows, &err), 0);
    assert_int_equal(insight_export_events(db, events, &err), 0);
}

static void
same(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* ---- events and rows ---- */

static void
corrections_change_rows_and_keep_what_was(void **state)
{
    (void)state;
    struct insights *db = db_open("correct.db", INSIGHT_WRITE);
    struct arena a = {0};
    struct err err = {0};
    struct insight_event *e;
    size_t n;
    int64_t id = keep(db, made("u1", "H1"));
    correct(db, id, "{\"effect\": -0.002, \"sd\": 0.0001}", 1767312002000);
    struct insight row = get(db, id, &a);
    assert_true(row.effect == -0.002 && row.sd == 1e-4);
    assert_int_equal(row.verdict, INSIGHT_NEGATIVE); /* follows the numbers */
    assert_true(row.lo < -0.002 && row.hi < 0);
    assert_string_equal(row.statement, "raise dropout");
    /* the later one counts, in whatever order they are told */
    correct(db, id, "{\"effect\": 0.5}", 1767312001000);
    assert_true(get(db, id, &a).effect == -0.002);
    assert_int_equal(insight_events(db, "u1/H1", &a, &e, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_int_equal(e[0].kind, INSIGHT_OBSERVATION);
    assert_non_null(strstr(e[0].text, "0.00125"));
    static const char *const bad[] = {"{}", "[1]", "{\"effect\":\"big\"}",
        "{\"origin\":\"x\"}", "{\"verdict\":\"great\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            insight_correct(db, id, bad[i], "why", "bob", 1, &err), -ERR_INPUT);
    arena_fini(&a);
    insight_close(db);
}

static void
events_are_only_appended(void **state)
{
    (void)state;
    insight_close(db_open("fixed.db", INSIGHT_WRITE));
    struct insights *db = db_open("fixed.db", INSIGHT_WRITE);
    keep(db, made("u1", "H1"));
    insight_close(db);
    assert_int_equal(
        sql("fixed.db", "UPDATE event SET text = '{}'"), SQLITE_CONSTRAINT);
    assert_int_equal(sql("fixed.db", "DELETE FROM event"), SQLITE_CONSTRAINT);
    /* who drops the guards is found by the hashes */
    assert_int_equal(
        sql("fixed.db", "DROP TRIGGER event_fixed; UPDATE event SET text = "
                        "replace(text, '0.00125', '0.5')"),
        SQLITE_OK);
    struct insight_checked done;
    struct err err = {0};
    int64_t total, own;
    db = db_open("fixed.db", INSIGHT_WRITE);
    assert_int_equal(insight_rebuild(db, &done, &err), 0);
    assert_true(done.events == 1 && done.bad == 1 && done.rows == 0);
    assert_non_null(strstr(done.first_bad, "event 1"));
    assert_int_equal(insight_count(db, &total, &own, &err), 0);
    assert_int_equal(total, 0);
    insight_close(db);
}

static int64_t
number(const char *name, const char *query)
{
    sqlite3 *s;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(path_of(name), &s), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(s, query, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(s);
    return out;
}

/* A statement that opens a savepoint makes FTS5 write its words out, which cost
 * half of the time when each row had one. */
static void
rows_of_a_transaction_are_one_segment(void **state)
{
    (void)state;
    struct insights *db = db_open("segments.db", INSIGHT_WRITE);
    struct insight row[40];
    char h[40][16];
    struct err err = {0};
    size_t added;
    for (int i = 0; i < 40; i++) {
        snprintf(h[i], sizeof h[i], "H%d", i + 1);
        row[i] = made("u1", h[i]);
    }
    assert_int_equal(insight_keep_all(db, row, 40, &added, &err), 0);
    assert_int_equal(added, 40);
    insight_close(db);
    assert_int_equal(number("segments.db",
                         "SELECT count(DISTINCT segid) FROM insight_text_idx"),
        1);
}

/* Some life: rows, corrections, promotions, one row replaced by another. */
static void
live(struct insights *db, uint64_t seed, const char *campaign, int n)
{
    struct rng r;
    rng_seed(&r, seed);
    for (int i = 0; i < n; i++) {
        char h[16], fields[64];
        snprintf(h, sizeof h, "H%d", i + 1);
        struct insight row = made(campaign, h);
        row.effect = 1e-3 * rng_normal(&r);
        row.verdict = rng_below(&r, 5) == 0 ? INSIGHT_FAILED : INSIGHT_NONE;
        row.technique = rng_below(&r, 2) == 0 ? "gdcn" : NULL;
        row.created_ms += i;
        if (i > 2 && rng_below(&r, 3) == 0)
            row.supersedes = "u1/H2";
        int64_t id = keep(db, row);
        if (rng_below(&r, 3) == 0)
            promote(db, id);
        snprintf(
            fields, sizeof fields, "{\"effect\": %.6f}", 1e-3 * rng_normal(&r));
        for (uint64_t k = rng_below(&r, 3); k > 0; k--)
            correct(db, id, fields, 1767312000000 + (int64_t)k);
        if (rng_below(&r, 4) == 0)
            promote(db, id);
    }
}

static size_t
found(struct insights *db, const char *words, const char *verdict)
{
    struct arena a = {0};
    struct err err = {0};
    struct insight_hit *hit;
    size_t n;
    struct insight_query q = {.text = words, .verdict = verdict, .max = 1000};
    if (insight_search(db, &q, NULL, &a, &hit, &n, &err) != 0)
        fail_msg("%s", err.text);
    arena_fini(&a);
    return n;
}

static void
rebuilding_changes_nothing(void **state)
{
    (void)state;
    struct insights *db = db_open("live.db", INSIGHT_WRITE | INSIGHT_SEED);
    struct insight_checked done;
    struct err err = {0};
    struct buf rows[2] = {{0}, {0}}, events[2] = {{0}, {0}};
    struct arena a = {0};
    live(db, 1, "u1", 60);
    all_of(db, &rows[0], &events[0]);
    size_t hits = found(db, "dropout", "failed"),
           any = found(db, "raise", NULL);
    struct insight last = get(db, 1100, &a);
    assert_true(hits > 0 && any > hits);
    assert_int_equal(insight_rebuild(db, &done, &err), 0);
    assert_true(done.bad == 0 && done.rows == 1091 + 60);
    all_of(db, &rows[1], &events[1]);
    same(&rows[0], &rows[1]);
    same(&events[0], &events[1]);
    assert_string_equal(get(db, 1100, &a).origin, last.origin);
    assert_int_equal(found(db, "dropout", "failed"), hits);
    assert_int_equal(found(db, "raise", NULL), any);
    insight_close(db);
    /* the same when every row is lost */
    assert_int_equal(sql("live.db", "DELETE FROM insight"), SQLITE_OK);
    db = db_open("live.db", INSIGHT_WRITE);
    assert_int_equal(insight_rebuild(db, &done, &err), 0);
    all_of(db, &rows[1], &events[1]);
    same(&rows[0], &rows[1]);
    insight_close(db);
    for (int i = 0; i < 2; i++) {
        buf_fini(&rows[i]);
        buf_fini(&events[i]);
    }
    arena_fini(&a);
}

/* ---- merges ---- */

static void
merge(struct insights *db, const char *name, int64_t *added)
{
    struct insight_merged done;
    struct err err = {0};
    if (insight_merge(db, path_of(name), &done, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(done.bad, 0);
    *added = done.added;
}

/* Both know some rows, tell them differently, and correct the same one. */
static void
merges_commute_and_repeat(void **state)
{
    (void)state;
    static const char *const name[] = {"a.db", "b.db", "ab.db", "ba.db"};
    struct buf rows[2] = {{0}, {0}}, events[2] = {{0}, {0}};
    int64_t added = 0;
    for (int i = 0; i < 2; i++) {
        struct insights *db = db_open(name[i], INSIGHT_WRITE);
        live(db, 7, "shared", 12);
        live(db, (uint64_t)i + 20, i == 0 ? "u1" : "u2", 15);
        live(db, (uint64_t)i + 30, "quarrel", 8); /* the same origins */
        insight_close(db);
    }
    for (int i = 0; i < 2; i++) {
        struct insights *db = db_open(name[2 + i], INSIGHT_WRITE);
        merge(db, name[i], &added);
        assert_true(added > 0);
        merge(db, name[1 - i], &added);
        assert_true(added > 0);
        all_of(db, &rows[i], &events[i]);
        merge(db, name[0], &added);
        assert_int_equal(added, 0);
        merge(db, name[1], &added);
        assert_int_equal(added, 0);
        insight_close(db);
    }
    same(&rows[0], &rows[1]);
    same(&events[0], &events[1]);
    /* and so does a database that takes the events as lines */
    struct insights *db = db_open("lines.db", INSIGHT_WRITE);
    struct insight_import done;
    struct err err = {0};
    assert_int_equal(
        insight_import_text(db, events[0].data, events[0].len, &done, &err), 0);
    assert_true(done.bad == 0 && done.added > 50);
    all_of(db, &rows[1], &events[1]);
    same(&rows[0], &rows[1]);
    same(&events[0], &events[1]);
    insight_close(db);
    for (int i = 0; i < 2; i++) {
        buf_fini(&rows[i]);
        buf_fini(&events[i]);
    }
}

static void
merging_what_is_no_database_says_so(void **state)
{
    (void)state;
    struct insights *db = db_open("c.db", INSIGHT_WRITE);
    struct insight_merged done;
    struct err err = {0};
    assert_int_equal(
        insight_merge(db, path_of("none.db"), &done, &err), -ERR_NOT_FOUND);
    fs_write_atomic(path_of("text.db"),
        "just text, no database at all, and a "
        "little more of it",
        54, false, &err);
    assert_int_equal(
        insight_merge(db, path_of("text.db"), &done, &err), -ERR_CORRUPT);
    insight_close(db);
}

/* ---- promotion ---- */

static void
a_signature_holds_for_what_was_signed(void **state)
{
    (void)state;
    struct insights *db = db_open("sign.db", INSIGHT_WRITE);
    struct arena a = {0};
    struct err err = {0};
    struct buf out = {0};
    struct insight_import done;
    int64_t id = keep(db, made("u1", "H1"));
    promote(db, id);
    assert_int_equal(get(db, id, &a).status, INSIGHT_PROMOTED);
    assert_non_null(strstr(get(db, id, &a).promotion, "\"by\":\"ann\""));
    assert_int_equal(insight_export(db, false, &out, &err), 0);
    insight_close(db);
    /* it goes along with the row */
    db = db_open("sign2.db", INSIGHT_WRITE);
    assert_int_equal(
        insight_import_text(db, out.data, out.len, &done, &err), 0);
    assert_true(done.added == 1 && done.unsigned_rows == 0);
    assert_int_equal(get(db, 1, &a).status, INSIGHT_PROMOTED);
    insight_close(db);
    /* but not with another effect, another name, or none */
    static const char *const change[][2] = {{"0.00125", "0.00225"},
        {"\"by\":\"ann\"", "\"by\":\"eve\""}, {"\"promotion\"", "\"promo\""}};
    for (size_t i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "forged%zu.db", i);
        const char *at = strstr(buf_str(&out), change[i][0]);
        struct buf text = {0};
        buf_add(&text, out.data, (size_t)(at - out.data));
        buf_puts(&text, change[i][1]);
        buf_puts(&text, at + strlen(change[i][0]));
        db = db_open(name, INSIGHT_WRITE);
        assert_int_equal(
            insight_import_text(db, text.data, text.len, &done, &err), 0);
        assert_true(done.added == 1 && done.unsigned_rows == 1);
        assert_int_equal(get(db, 1, &a).status, INSIGHT_DRAFT);
        insight_close(db);
        buf_fini(&text);
    }
    /* a row changed in the file loses it when it is read */
    assert_int_equal(sql("sign.db", "UPDATE insight SET effect = 0.5"), 0);
    db = db_open("sign.db", INSIGHT_READ);
    assert_int_equal(get(db, id, &a).status, INSIGHT_DRAFT);
    insight_close(db);
    buf_fini(&out);
    arena_fini(&a);
}

static void
a_corrected_row_is_a_draft_again(void **state)
{
    (void)state;
    struct insights *db = db_open("draft.db", INSIGHT_WRITE);
    struct arena a = {0};
    int64_t id = keep(db, made("u1", "H1"));
    promote(db, id);
    correct(db, id, "{\"effect\": 0.001}", 1767312002000);
    assert_int_equal(get(db, id, &a).status, INSIGHT_DRAFT);
    promote(db, id);
    assert_int_equal(get(db, id, &a).status, INSIGHT_PROMOTED);
    insight_close(db);
    arena_fini(&a);
}

static void
a_key_that_others_read_is_refused(void **state)
{
    (void)state;
    struct insights *db = db_open("key.db", INSIGHT_WRITE);
    struct err err = {0};
    int64_t id = keep(db, made("u1", "H1"));
    struct insight_signer who = {"ann", path_of("open.key"), 1};
    fs_write_atomic(who.key_path, "00", 2, false, &err);
    assert_int_equal(insight_promote(db, id, &who, &err), -ERR_INPUT);
    assert_non_null(strstr(err.text, "chmod"));
    insight_close(db);
}

/* ---- version 1 ---- */

static const char version_1[] =
    "CREATE TABLE insight (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " origin TEXT NOT NULL UNIQUE, campaign TEXT NOT NULL,"
    " hypothesis TEXT NOT NULL, \"key\" TEXT NOT NULL,"
    " concept TEXT NOT NULL, knob TEXT NOT NULL, family TEXT NOT NULL,"
    " metric TEXT NOT NULL, \"from\" TEXT NOT NULL, \"to\" TEXT NOT NULL,"
    " direction TEXT NOT NULL, partner TEXT NOT NULL,"
    " context TEXT NOT NULL, change TEXT NOT NULL,"
    " conditions TEXT NOT NULL, statement TEXT NOT NULL,"
    " source TEXT NOT NULL, reference TEXT NOT NULL, date TEXT NOT NULL,"
    " supersedes TEXT NOT NULL, effect REAL NOT NULL, sd REAL NOT NULL,"
    " lo REAL NOT NULL, hi REAL NOT NULL, \"between\" REAL NOT NULL,"
    " within REAL NOT NULL, scale REAL NOT NULL, n INTEGER NOT NULL,"
    " places INTEGER NOT NULL, verdict TEXT NOT NULL, status TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL) STRICT;"
    "CREATE VIRTUAL TABLE insight_text USING fts5(statement, concept, knob,"
    " family, conditions, source, content='',"
    " tokenize='porter unicode61');"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
    "INSERT INTO meta VALUES ('seed', 'abc');"
    "INSERT INTO insight VALUES (1,'u/H1','u','H1','d=1','dropout','d','fm',"
    "'auc','0','1','set','','{\"rows\":10}','','','one','me','','2026-01-01',"
    "'',0.001,0.0002,0.0006,0.0014,0,0,0,4,1,'positive','promoted',5);"
    "INSERT INTO insight VALUES (4,'u/H2','u','H2','d=1','dropout','d','fm',"
    "'auc','0','1','set','','{\"rows\":10}','','','two','me','','2026-01-01',"
    "'u/H9',-0.001,0.0002,-0.0014,-0.0006,0,0,0,4,1,'negative','draft',6);"
    "INSERT INTO insight VALUES (5,'u/H9','u','H9','d=1','dropout','d','fm',"
    "'auc','0','1','set','','','','','nine','me','','2026-01-01',"
    "'',0,0,0,0,0,0,0,0,1,'failed','draft',7);"
    "PRAGMA user_version = 1;";

static void
version_1_opens(void **state)
{
    (void)state;
    struct arena a = {0};
    struct err err = {0};
    struct insight *row;
    size_t n;
    assert_int_equal(sql("old.db", version_1), SQLITE_OK);
    int64_t size = fs_size(path_of("old.db"));
    /* first as a reader, who changes nothing; then as a writer, twice */
    for (int turn = 0; turn < 3; turn++) {
        struct insights *db =
            db_open("old.db", turn == 0 ? INSIGHT_READ : INSIGHT_WRITE);
        struct insight_query q = {.superseded_too = true};
        assert_int_equal(insight_list(db, &q, &a, &row, &n, &err), 0);
        assert_int_equal(n, 3);
        assert_true(row[0].id == 1 && row[1].id == 4 && row[2].id == 5);
        assert_int_equal(row[0].status, INSIGHT_PROMOTED);
        assert_int_equal(row[2].verdict, INSIGHT_FAILED);
        assert_string_equal(row[1].statement, "two");
        q.superseded_too = false;
        assert_int_equal(insight_list(db, &q, &a, &row, &n, &err), 0);
        assert_int_equal(n, 2); /* nine is superseded */
        assert_int_equal(found(db, "two", NULL), 1);
        struct insight_checked done;
        if (turn > 0) {
            assert_int_equal(insight_rebuild(db, &done, &err), 0);
            assert_true(done.rows == 3 && done.bad == 0);
        }
        insight_close(db);
        if (turn == 0)
            assert_int_equal(fs_size(path_of("old.db")), size);
    }
    arena_fini(&a);
}

/* ---- search ---- */

static void
search_ranks_filters_and_places(void **state)
{
    (void)state;
    struct insights *db = db_open("search.db", INSIGHT_WRITE);
    struct arena a = {0};
    struct err err = {0};
    struct insight_hit *hit;
    size_t n;
    for (int i = 0; i < 200; i++) {
        char h[16], text[120], context[80];
        snprintf(h, sizeof h, "H%d", i);
        snprintf(text, sizeof text, "the learning rate of tower %d%s", i,
            i == 150 ? " with warmup of the schedule" : "");
        snprintf(context, sizeof context, "{\"rows\":%d,\"fields\":%d}",
            1000 * (i + 1), 10 + i % 7);
        struct insight row = made("u", h);
        row.statement = text;
        row.context = context;
        row.knob = i % 2 == 0 ? "lr-max" : "other knob";
        row.technique = i % 50 == 0 ? "warmup" : NULL;
        row.family = i % 2 == 0 ? "dcnv2" : "fm";
        row.verdict = i % 10 == 0 ? INSIGHT_FAILED : INSIGHT_NONE;
        keep(db, row);
    }
    struct insight_query q = {.text = "warmup learning"};
    assert_int_equal(insight_search(db, &q, NULL, &a, &hit, &n, &err), 0);
    assert_int_equal(n, 20);
    assert_string_equal(hit[0].row.hypothesis, "H150");
    assert_true(hit[0].text > hit[1].text);
    struct insight_query filter = {.knob = "lr-max",
        .technique = "warmup",
        .verdict = "failed",
        .family = "dcnv2"};
    assert_int_equal(insight_search(db, &filter, NULL, &a, &hit, &n, &err), 0);
    assert_int_equal(n, 4); /* 0, 50, 100, 150 */
    filter.family = "fm";
    assert_int_equal(insight_search(db, &filter, NULL, &a, &hit, &n, &err), 0);
    assert_int_equal(n, 0);
    struct insight_place like = {.rows = 50000, .fields = 10, .family = "fm"};
    struct insight_query none = {.max = 5};
    assert_int_equal(insight_search(db, &none, &like, &a, &hit, &n, &err), 0);
    assert_int_equal(n, 5);
    assert_string_equal(hit[0].row.family, "fm");
    assert_string_equal(hit[0].row.hypothesis, "H49"); /* 50,000 rows, 10 */
    /* both: of the rows with the word, those of the likest place */
    struct insight_query both = {.text = "tower", .max = 5};
    assert_int_equal(insight_search(db, &both, &like, &a, &hit, &n, &err), 0);
    assert_string_equal(hit[0].row.hypothesis, "H49");
    arena_fini(&a);
    insight_close(db);
}

/* Words that are in thousands of rows: the tiers find the rows with all of
 * them, though each word alone has far more rows than are looked at. */
static void
search_among_many_finds_all_words(void **state)
{
    (void)state;
    enum { ROWS = 6000 };
    struct insights *db = db_open("many.db", INSIGHT_WRITE);
    struct insight *rows = calloc(ROWS, sizeof *rows);
    static char text[ROWS][80], h[ROWS][16];
    struct arena a = {0};
    struct err err = {0};
    struct insight_hit *hit;
    size_t n;
    for (int i = 0; i < ROWS; i++) {
        snprintf(h[i], sizeof h[i], "H%d", i);
        snprintf(text[i], sizeof text[i], "change %s %s",
            i % 2 == 0 || i == 4321 ? "alpha" : "beta",
            i % 3 == 0 || i == 4321 ? "gamma" : "delta");
        if (i == 4321)
            snprintf(text[i], sizeof text[i], "change alpha gamma beta delta");
        rows[i] = made("u", h[i]);
        rows[i].statement = text[i];
    }
    assert_int_equal(insight_keep_all(db, rows, ROWS, NULL, &err), 0);
    struct insight_query q = {.text = "alpha beta gamma delta", .max = 3};
    assert_int_equal(insight_search(db, &q, NULL, &a, &hit, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_string_equal(hit[0].row.hypothesis, "H4321");
    struct insight *some;
    const char *concept[] = {"dropout", "learning_rate"};
    struct insight_matter m = {
        .concept = concept, .n_concepts = 2, .family = "fm", .max = 500};
    assert_int_equal(insight_select(db, &m, &a, &some, &n, &err), 0);
    assert_int_equal(n, 250); /* its share, the latest */
    assert_int_equal(some[0].id, ROWS - 249);
    arena_fini(&a);
    free(rows);
    insight_close(db);
}

static int
set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/rea-insight-events-XXXXXX");
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
        cmocka_unit_test(corrections_change_rows_and_keep_what_was),
        cmocka_unit_test(events_are_only_appended),
        cmocka_unit_test(rows_of_a_transaction_are_one_segment),
        cmocka_unit_test(rebuilding_changes_nothing),
        cmocka_unit_test(merges_commute_and_repeat),
        cmocka_unit_test(merging_what_is_no_database_says_so),
        cmocka_unit_test(a_signature_holds_for_what_was_signed),
        cmocka_unit_test(a_corrected_row_is_a_draft_again),
        cmocka_unit_test(a_key_that_others_read_is_refused),
        cmocka_unit_test(version_1_opens),
        cmocka_unit_test(search_ranks_filters_and_places),
        cmocka_unit_test(search_among_many_finds_all_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
