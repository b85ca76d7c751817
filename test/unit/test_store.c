/* The store: what is written is there again, damage is found, one transaction
 * is all or nothing, and the file does not grow with idle wakes. With REA_STORE
 * the same tests ask PostgreSQL (test/flow/postgres-store.sh); those of files
 * and their syncs are SQLite's alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "store/db.h"
#include "store/lease.h"

struct place {
    char root[64];
    struct store *st;
    struct err err;
};

static int
place_make(void **state)
{
    struct place *p = mem_calloc(1, sizeof *p);
    snprintf(p->root, sizeof p->root, "/tmp/rea-store-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    assert_int_equal(store_open(p->root, STORE_CREATE, &p->st, &p->err), 0);
    *state = p;
    return 0;
}

static int
place_drop(void **state)
{
    struct place *p = *state;
    store_close(p->st);
    fs_remove_tree(p->root, NULL);
    free(p);
    return 0;
}

static void
spec_small(struct spec *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->model, sizeof s->model, "toy");
    s->n_knobs = 1;
    snprintf(s->knob[0].name, NAME_LEN, "lr");
    s->knob[0].kind = KNOB_FLOAT;
    s->knob[0].lo = 1e-4;
    s->knob[0].hi = 1;
    s->knob[0].deflt = .01;
    s->n_metrics = 2;
    snprintf(s->metric[0].name, NAME_LEN, "auc");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-3;
    snprintf(s->metric[1].name, NAME_LEN, "test");
    s->metric[1].role = METRIC_SEALED;
    s->sealed = 1;
    s->phases = 30;
    s->max_hypotheses = 8;
    s->baseline_seeds = 3;
    s->unit = UNIT_TRIALS;
    s->total_u = 30LL * MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 2;
    s->fidelity_knob = -1;
}

struct sink {
    struct store *st;
    uint32_t campaign;
    struct err err;
    int rc;
};

static void
sink_add(void *ctx, const struct event *e)
{
    struct sink *k = ctx;
    if (k->rc == 0)
        k->rc = store_append(k->st, k->campaign, e, &k->err);
}

/* Brings one fact in, as a wake does. */
static void
fact_bring(struct place *p, uint32_t id, struct core *c, const struct event *e)
{
    struct update *u = mem_calloc(1, sizeof *u);
    struct sink k = {.st = p->st, .campaign = id};
    struct store_brief b = {.state = c->state};
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(core_advance(c, e, u, sink_add, &k), 0);
    assert_int_equal(k.rc, 0);
    b.state = c->state;
    b.approved_u = c->approved_u;
    assert_int_equal(store_snapshot(p->st, id, c, &b, &p->err), 0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    free(u);
}

/* A campaign that runs, with its first jobs intended. */
static uint32_t
campaign_make(struct place *p, struct core **out)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    uint32_t id = 0;
    spec_small(s);
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(n, 1);
    spec_encode(s, bytes, n);
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_campaign_create(p->st, "toy", "rea.toml", "aa",
                         "canon", 1, &id, &p->err),
        0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    struct core *c = mem_calloc(1, sizeof *c);
    struct event e = {.kind = EVENT_campaign_drafted,
        .at_ms = 1,
        .number = 7,
        .spec = bytes,
        .spec_len = n};
    fact_bring(p, id, c, &e);
    e = (struct event){.kind = EVENT_plan_drafted,
        .at_ms = 2,
        .hash = "0123456789",
        .budget_u = 20LL * MICRO};
    fact_bring(p, id, c, &e);
    e = (struct event){.kind = EVENT_plan_approved,
        .at_ms = 3,
        .hash = "0123456789",
        .by = "tester",
        .budget_u = 20LL * MICRO};
    fact_bring(p, id, c, &e);
    e = (struct event){.kind = EVENT_campaign_started, .at_ms = 4};
    fact_bring(p, id, c, &e);
    free(s);
    free(bytes);
    *out = c;
    return id;
}

static bool
core_same(const struct core *a, const struct core *b)
{
    size_t n = core_encode(a, NULL, 0), m = core_encode(b, NULL, 0);
    unsigned char *x = mem_calloc(n, 1), *y = mem_calloc(m, 1);
    core_encode(a, x, n);
    core_encode(b, y, m);
    bool same = n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

static bool
on_server(void)
{
    const char *url = getenv("REA_STORE");
    return url != NULL && url[0] != '\0';
}

/* Behind the store's back; a server is taught what SQLite can. */
static void
sql(struct place *p, const char *text)
{
    char path[128];
    sqlite3 *db = NULL;
    if (on_server()) {
        assert_int_equal(
            p->st->ops->exec(p->st,
                "CREATE OR REPLACE FUNCTION zeroblob(n bigint) RETURNS bytea "
                "LANGUAGE sql AS 'SELECT decode(repeat(''00'', n::int), "
                "''hex'')'",
                &p->err),
            0);
        assert_int_equal(p->st->ops->exec(p->st, text, &p->err), 0);
        return;
    }
    snprintf(path, sizeof path, "%s/.rea/rea.db", p->root);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void
version_set(struct place *p, int version)
{
    char text[96];
    snprintf(text, sizeof text,
        on_server() ? "UPDATE meta SET value = '%d' WHERE key = 'version'"
                    : "PRAGMA user_version = %d",
        version);
    sql(p, text);
}

static void
test_state_returns(void **state)
{
    struct place *p = *state;
    struct core *c = NULL, *d = NULL;
    struct store *reader = NULL;
    struct store_campaign row;
    uint64_t n = 0;
    uint32_t id = campaign_make(p, &c);
    assert_true(c->n_jobs > 0);
    assert_int_equal(store_open(p->root, STORE_READ, &reader, &p->err), 0);
    assert_int_equal(store_load(reader, id, &d, &p->err), 0);
    assert_true(core_same(c, d));
    assert_memory_equal(&c->spec, &d->spec, sizeof c->spec);
    free(d);
    assert_int_equal(store_verify(reader, id, &n, &p->err), 0);
    assert_int_equal(n, c->seq);
    assert_int_equal(store_campaign_get(reader, id, &row, &p->err), 0);
    assert_int_equal(row.brief.state, CAMPAIGN_RUNNING);
    assert_int_equal(row.seq, c->seq);
    assert_int_equal(strlen(row.uuid), 32);
    assert_int_equal(
        store_campaign_get(reader, 9, &row, &p->err), -ERR_NOT_FOUND);
    store_close(reader);
    free(c);
}

static void
test_snapshot_is_a_cache(void **state)
{
    static const char *const harm[] = {"DELETE FROM snapshot",
        "UPDATE snapshot SET state = zeroblob(length(state))",
        "UPDATE snapshot SET seq = 1", "UPDATE snapshot SET hash = zeroblob(1)",
        "UPDATE snapshot SET seq = 999999"};
    struct place *p = *state;
    struct core *c = NULL, *d = NULL;
    uint32_t id = campaign_make(p, &c);
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        sql(p, harm[i]);
        assert_int_equal(store_load(p->st, id, &d, &p->err), 0);
        assert_true(core_same(c, d));
        free(d);
        d = NULL;
        assert_int_equal(
            store_replay(p->st, id, 0, NULL, NULL, &d, &p->err), 0);
        assert_true(core_same(c, d));
        free(d);
    }
    free(c);
}

static void
test_damage_is_found(void **state)
{
    static const char *const harm[] = {
        "UPDATE event SET record = CAST(record || 'x' AS BLOB) WHERE seq = 3",
        "UPDATE event SET kind = kind + 1 WHERE seq = 3",
        "UPDATE event SET hash = zeroblob(16) WHERE seq = 3",
        "UPDATE event SET prev = zeroblob(16) WHERE seq = 3",
        "DELETE FROM event WHERE seq = 3",
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
        "UPDATE event SET record = (SELECT record FROM event WHERE seq = 2)"
        " WHERE seq = 3",
        "UPDATE campaign SET head = zeroblob(16)",
    };
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        struct place *p = NULL;
        struct core *c = NULL, *d = NULL;
        uint64_t n = 0;
        place_make((void **)&p);
        uint32_t id = campaign_make(p, &c);
        sql(p, harm[i]);
        sql(p, "DELETE FROM snapshot");
        assert_int_equal(store_verify(p->st, id, &n, &p->err), -ERR_CORRUPT);
        assert_non_null(strstr(p->err.text, "of C1"));
        assert_int_equal(store_load(p->st, id, &d, &p->err), -ERR_CORRUPT);
        free(c);
        place_drop((void **)&p);
    }
    (void)state;
}

static void
test_newer_version(void **state)
{
    struct place *p = *state;
    struct store *st = NULL;
    version_set(p, 99);
    assert_int_equal(
        store_open(p->root, STORE_WRITE, &st, &p->err), -ERR_VERSION);
    assert_int_equal(
        store_open(p->root, STORE_CREATE, &st, &p->err), -ERR_VERSION);
    assert_int_equal(
        store_open(p->root, STORE_READ, &st, &p->err), -ERR_VERSION);
    assert_non_null(strstr(p->err.text, "newer"));
    version_set(p, 1);
    assert_int_equal(store_open(p->root, STORE_READ, &st, &p->err), 0);
    store_close(st);
}

static void
test_no_workspace(void **state)
{
    struct place *p = *state;
    struct store *st = NULL;
    struct buf root = {0};
    char deep[128];
    assert_int_equal(
        store_open("/proc", STORE_WRITE, &st, &p->err), -ERR_NOT_FOUND);
    assert_int_equal(
        store_open("/no/such", STORE_READ, &st, &p->err), -ERR_NOT_FOUND);
    snprintf(deep, sizeof deep, "%s/a/b", p->root);
    assert_int_equal(fs_mkdirs(deep, NULL), 0);
    assert_int_equal(store_find(deep, &root, &p->err), 0);
    assert_string_equal(buf_str(&root), p->root);
    assert_int_equal(store_find("/proc", &root, &p->err), -ERR_NOT_FOUND);
    buf_fini(&root);
}

static void
test_rollback_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct core *c = NULL, *d = NULL;
    bool fresh = false;
    uint32_t id = campaign_make(p, &c);
    struct event e = {
        .kind = EVENT_campaign_paused, .seq = c->seq + 1, .at_ms = 9};
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_append(p->st, id, &e, &p->err), 0);
    e.seq += 2; /* a gap is another writer's work */
    assert_int_equal(store_append(p->st, id, &e, &p->err), -ERR_BUSY);
    store_rollback(p->st);
    assert_int_equal(store_load(p->st, id, &d, &p->err), 0);
    assert_true(core_same(c, d));
    free(d);
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(
        store_inbox_add(p->st, id, "t1", "x", "", &fresh, &p->err), 0);
    assert_true(fresh);
    assert_int_equal(
        store_inbox_add(p->st, id, "t1", "x", "", &fresh, &p->err), 0);
    assert_false(fresh);
    store_rollback(p->st);
    assert_false(store_inbox_has(p->st, id, "t1"));
    free(c);
}

static void
test_fence(void **state)
{
    struct place *p = *state;
    struct core *c = NULL;
    struct store_campaign row;
    uint32_t id = campaign_make(p, &c);
    assert_int_equal(store_campaign_get(p->st, id, &row, &p->err), 0);
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_fence(p->st, id, row.epoch, &p->err), 0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_fence(p->st, id, row.epoch, &p->err), -ERR_BUSY);
    store_rollback(p->st);
    free(c);
}

static void
test_slots_and_books(void **state)
{
    struct place *p = *state;
    bool got = false, found = false;
    double v = 0;
    struct store_attempt a = {.campaign = 1,
                             .job = 1,
                             .trial = 1,
                             .state = ATTEMPT_CLAIMED,
                             .token = "rea-x"},
                         b;
    assert_int_equal(store_begin(p->st, &p->err), 0);
    for (uint32_t j = 1; j <= 3; j++) {
        a.job = j;
        assert_int_equal(store_attempt_claim(p->st, &a, 2, &got, &p->err), 0);
        assert_int_equal(got, j <= 2);
    }
    a.job = 1; /* again: it has its slot already */
    assert_int_equal(store_attempt_claim(p->st, &a, 2, &got, &p->err), 0);
    assert_true(got);
    a.state = ATTEMPT_ENDED;
    a.max_rss = 123;
    assert_int_equal(store_attempt_put(p->st, &a, &p->err), 0);
    a.job = 3;
    a.state = ATTEMPT_CLAIMED;
    assert_int_equal(store_attempt_claim(p->st, &a, 2, &got, &p->err), 0);
    assert_true(got);
    assert_int_equal(store_sealed_put(p->st, 1, 5, 1, .75, &p->err), 0);
    assert_int_equal(store_sealed_put(p->st, 1, 6, 1, NAN, &p->err), 0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    assert_int_equal(store_attempt_get(p->st, 1, 1, &found, &b, &p->err), 0);
    assert_true(found && b.max_rss == 123 && b.state == ATTEMPT_ENDED);
    assert_int_equal(store_sealed_get(p->st, 1, 5, 1, &found, &v, &p->err), 0);
    assert_true(found && v == .75);
    assert_int_equal(store_sealed_get(p->st, 1, 6, 1, &found, &v, &p->err), 0);
    assert_true(found && isnan(v));
    assert_int_equal(store_sealed_get(p->st, 1, 7, 1, &found, &v, &p->err), 0);
    assert_false(found);
}

/* Two machines, one slot each: only on a server they are two. */
static void
test_slots_of_hosts(void **state)
{
    struct place *p = *state;
    bool got = false;
    struct store_attempt a = {.campaign = 1,
        .job = 1,
        .state = ATTEMPT_CLAIMED,
        .backend = "local",
        .boot_id = "alpha",
        .token = "rea-x"};
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_attempt_claim(p->st, &a, 1, &got, &p->err), 0);
    assert_true(got);
    a.job = 2;
    assert_int_equal(store_attempt_claim(p->st, &a, 1, &got, &p->err), 0);
    assert_false(got);
    snprintf(a.boot_id, sizeof a.boot_id, "beta");
    assert_int_equal(store_attempt_claim(p->st, &a, 1, &got, &p->err), 0);
    assert_int_equal(got, on_server());
    a.job = 3;
    snprintf(a.backend, sizeof a.backend, "slurm");
    assert_int_equal(store_attempt_claim(p->st, &a, 1, &got, &p->err), 0);
    assert_false(got);
    assert_int_equal(store_commit(p->st, &p->err), 0);
}

static void
test_tokens(void **state)
{
    struct place *p = *state;
    char token[STORE_TOKEN_LEN];
    uint32_t c = 0, j = 0;
    store_token(p->st, 3, 17, token);
    assert_true(store_token_parse(p->st, token, &c, &j));
    assert_int_equal(c, 3);
    assert_int_equal(j, 17);
    assert_false(store_token_parse(p->st, "rea-00000000-C1-J1x", &c, &j));
    assert_false(store_token_parse(p->st, "", &c, &j));
    token[5] = token[5] == '0' ? '1' : '0';
    assert_false(store_token_parse(p->st, token, &c, &j));
}

static void
test_lease_and_marks(void **state)
{
    struct place *p = *state;
    struct lease a = {.fd = -1}, b = {.fd = -1};
    assert_int_equal(lease_take(p->st, 1, &a, &p->err), 0);
    assert_false(lease_marked(p->st, 1));
    assert_int_equal(lease_take(p->st, 1, &b, &p->err), -ERR_BUSY);
    assert_true(lease_marked(p->st, 1));
    assert_true(lease_drop(p->st, &a)); /* somebody was there meanwhile */
    assert_int_equal(lease_take(p->st, 1, &a, &p->err), 0);
    assert_false(lease_drop(p->st, &a));
    /* dies with its holder */
    pid_t pid = fork();
    if (pid == 0) {
        if (lease_take(p->st, 1, &a, NULL) == 0)
            raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(lease_wait(p->st, 1, 1000, &a, &p->err), 0);
    lease_drop(p->st, &a);
}

static void
idle_wakes(struct place *p, uint32_t id, int n)
{
    for (int i = 0; i < n; i++) {
        struct store *st = NULL;
        struct core *c = NULL;
        struct store_campaign row;
        struct store_wake w = {.start_ms = i, .wall_us = 5, .cause = "sweep"};
        assert_int_equal(store_open(p->root, STORE_WRITE, &st, &p->err), 0);
        assert_int_equal(store_campaign_get(st, id, &row, &p->err), 0);
        assert_int_equal(store_load(st, id, &c, &p->err), 0);
        assert_int_equal(store_begin(st, &p->err), 0);
        assert_int_equal(store_fence(st, id, row.epoch, &p->err), 0);
        assert_int_equal(store_wake_add(st, id, &w, &p->err), 0);
        assert_int_equal(store_commit(st, &p->err), 0);
        free(c);
        store_close(st);
    }
}

static int64_t
place_bytes(const struct place *p)
{
    char path[128];
    int64_t sum = 0;
    static const char *const names[] = {"rea.db", "rea.db-wal", "rea.db-shm"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/.rea/%s", p->root, names[i]);
        int64_t n = fs_size(path);
        sum += n > 0 ? n : 0;
    }
    return sum;
}

static void
test_size_is_flat(void **state)
{
    struct place *p = *state;
    struct core *c = NULL;
    struct store_campaign row;
    uint32_t id = campaign_make(p, &c);
    idle_wakes(p, id, 300);
    int64_t before = place_bytes(p);
    idle_wakes(p, id, 1000);
    assert_int_equal(place_bytes(p), before);
    assert_int_equal(store_campaign_get(p->st, id, &row, &p->err), 0);
    assert_int_equal(row.epoch, 1300);
    assert_int_equal(row.wakes, 1300);
    assert_int_equal(row.agent_us, 6500);
    free(c);
}

/* A limit on file size stands for a full disk: SQLite sees the same error. */
static void
test_full_disk_loses_nothing(void **state)
{
    if (on_server())
        skip();
    struct place *p = *state;
    struct core *c = NULL, *d = NULL;
    uint32_t id = campaign_make(p, &c);
    char path[128];
    snprintf(path, sizeof path, "%s/.rea/rea.db-wal", p->root);
    struct rlimit old, low;
    getrlimit(RLIMIT_FSIZE, &old);
    low = old;
    low.rlim_cur = (rlim_t)(fs_size(path) + 8192);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    int rc = 0;
    uint64_t kept = c->seq;
    for (int i = 0; i < 50 && rc == 0; i++) {
        struct err err = {0};
        struct event e = {.kind = EVENT_clock_ticked, .seq = kept + 1};
        char *big = mem_calloc(9000, 1);
        memset(big, 'x', 8999);
        e.why = big;
        rc = store_begin(p->st, &err);
        if (rc == 0)
            rc = store_append(p->st, id, &e, &err);
        if (rc == 0)
            rc = store_commit(p->st, &err);
        if (rc != 0)
            store_rollback(p->st);
        kept += rc == 0;
        free(big);
        p->err = err;
    }
    setrlimit(RLIMIT_FSIZE, &old);
    assert_true(rc == -ERR_FULL || rc == -ERR_SYS);
    assert_int_equal(store_load(p->st, id, &d, &p->err), 0);
    assert_int_equal(d->seq, kept);
    free(d);
    free(c);
}

static void
test_tmpfs_full(void **state)
{
    if (on_server())
        skip();
    struct place *p = *state;
    struct place q = {.root = ""};
    struct core *c = NULL;
    char fill[128];
    snprintf(q.root, sizeof q.root, "%.40s/small", p->root);
    assert_int_equal(mkdir(q.root, 0755), 0);
    if (mount("rea", q.root, "tmpfs", 0, "size=1536k") != 0) {
        print_message("skipped: no tmpfs may be mounted here\n");
        skip();
    }
    assert_int_equal(store_open(q.root, STORE_CREATE, &q.st, &q.err), 0);
    uint32_t id = campaign_make(&q, &c);
    snprintf(fill, sizeof fill, "%s/fill", q.root);
    FILE *f = fopen(fill, "w");
    char block[4096] = {1};
    while (fwrite(block, sizeof block, 1, f) == 1 && fflush(f) == 0)
        ;
    fclose(f);
    int rc = 0;
    uint64_t kept = c->seq;
    for (int i = 0; i < 400 && rc == 0; i++) {
        struct event e = {.kind = EVENT_clock_ticked, .seq = kept + 1};
        char big[3000];
        memset(big, 'x', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        e.why = big;
        rc = store_begin(q.st, &q.err);
        if (rc == 0)
            rc = store_append(q.st, id, &e, &q.err);
        if (rc == 0)
            rc = store_commit(q.st, &q.err);
        if (rc != 0)
            store_rollback(q.st);
        kept += rc == 0;
    }
    assert_int_equal(rc, -ERR_FULL);
    assert_non_null(strstr(q.err.text, "no space left"));
    struct core *d = NULL;
    assert_int_equal(store_load(q.st, id, &d, &q.err), 0);
    assert_int_equal(d->seq, kept);
    free(d);
    free(c);
    store_close(q.st);
    assert_int_equal(umount(q.root), 0);
}

/* The ledger of a pool: what campaigns hold never exceeds it, whoever is
 * faster; what did not happen is not in it; leftovers go back. */
static void
a_pool_gives_its_money_once(void **state)
{
    struct place *p = *state;
    struct store_pool pool = {.name = "team",
        .unit = UNIT_TRIALS,
        .total_u = 30LL * MICRO,
        .floor_u = 8LL * MICRO,
        .hash = "aa",
        .by = "me"};
    struct store_member m[4];
    struct core *a = NULL, *b = NULL;
    uint32_t n = 0, ia = campaign_make(p, &a), ib = campaign_make(p, &b);
    bool found = true;
    assert_int_equal(store_pool_of(p->st, ia, &found, &pool, &p->err), 0);
    assert_false(found); /* no pool: no tables, no trouble */
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_pool_put(p->st, &pool, &p->err), 0);
    assert_int_equal(store_pool_join(p->st, ia, "team", 1, pool.floor_u,
                         20LL * MICRO, &p->err),
        0);
    assert_int_equal(store_pool_join(p->st, ib, "team", 2, pool.floor_u,
                         20LL * MICRO, &p->err),
        0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    a->signed_u = b->signed_u = 20LL * MICRO;
    a->approved_u = 16LL * MICRO;
    b->approved_u = 14LL * MICRO;
    const struct pool_worth worth = {.wants = true, .slope = {.5, .25}};
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_pool_sync(p->st, ia, a, &worth, &p->err), 0);
    assert_int_equal(store_pool_sync(p->st, ib, b, &worth, &p->err), 0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    /* one unit more than there is: nothing of it stays */
    b->approved_u = 15LL * MICRO;
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_pool_sync(p->st, ib, b, NULL, &p->err), -ERR_LIMIT);
    store_rollback(p->st);
    assert_int_equal(store_pool_members(p->st, "team", m, 4, &n, &p->err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(m[1].m.held_u, 14LL * MICRO);
    assert_true(m[1].m.worth.slope[1] == .25);
    uint32_t ids[4];
    char name[NAME_LEN];
    assert_int_equal(store_pool_waiting(p->st, ia, false, ids, 4), 1);
    assert_int_equal(ids[0], ib);
    assert_int_equal(store_pool_waiting(p->st, ia, true, ids, 4), 2);
    assert_true(store_pool_value(p->st, ib, name) == 1);
    assert_string_equal(name, "team");
    /* the other one ends: what it did not use is there again */
    a->state = CAMPAIGN_STOPPED;
    a->n_jobs = 0;
    a->spent_u = 5LL * MICRO;
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_pool_sync(p->st, ia, a, NULL, &p->err), 0);
    assert_int_equal(store_pool_sync(p->st, ib, b, NULL, &p->err), 0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    free(a);
    free(b);
}

/* SQLite is linked in, so its syncs pass here and can be counted. */
static int syncs;

int
fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

static int
syncs_of(struct place *p, int (*begin)(struct store *, struct err *), char c)
{
    assert_int_equal(begin(p->st, &p->err), 0);
    assert_int_equal(store_kv_put(p->st, "books", &c, 1, &p->err), 0);
    int before = syncs;
    assert_int_equal(store_commit(p->st, &p->err), 0);
    return syncs - before;
}

/* An unsynced transaction is there for others at once, and the next one waits
 * for the disk again. */
static void
test_unsynced(void **state)
{
    if (on_server())
        skip();
    struct place *p = *state;
    struct store *other = NULL;
    struct buf b = {0};
    bool found = false;
    assert_true(syncs_of(p, store_begin, '1') > 0);
    assert_int_equal(syncs_of(p, store_begin_unsynced, '2'), 0);
    assert_int_equal(store_open(p->root, STORE_READ, &other, &p->err), 0);
    assert_int_equal(store_kv_get(other, "books", &found, &b, &p->err), 0);
    assert_true(found);
    assert_string_equal(buf_str(&b), "2");
    store_close(other);
    assert_int_equal(store_begin_unsynced(p->st, &p->err), 0);
    store_rollback(p->st);
    assert_true(syncs_of(p, store_begin, '3') > 0);
    assert_int_equal(syncs_of(p, store_begin_unsynced, '4'), 0);
    buf_fini(&b);
}

static uint32_t
fault_tell(struct place *p, uint32_t trial, bool sure, int64_t at_ms)
{
    struct store_node n[4];
    uint32_t len = 0;
    const struct store_fault f = {.host = "gpu07",
        .campaign = 1,
        .trial = trial,
        .sure = sure,
        .at_ms = at_ms,
        .out_ms = 1000,
        .why = "it fell off the bus"};
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_node_fault(p->st, &f, &p->err), 0);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    assert_int_equal(store_nodes(p->st, n, 4, &len, &p->err), 0);
    assert_int_equal(len, 1);
    assert_string_equal(n[0].host, "gpu07");
    return n[0].until_ms > at_ms ? (uint32_t)(n[0].until_ms - at_ms) : 0;
}

/* Two trials within a day, or its hardware; twice as long each time; one trial
 * that fails everywhere says nothing. */
static void
test_nodes(void **state)
{
    struct place *p = *state;
    struct store_node n[4];
    const int64_t day = 24 * 60 * 60 * 1000;
    uint32_t len = 9;
    bool found;
    assert_int_equal(store_nodes(p->st, n, 4, &len, &p->err), 0);
    assert_int_equal(len, 0);
    assert_int_equal(fault_tell(p, 1, false, 5 * day), 0);
    assert_int_equal(fault_tell(p, 1, false, 5 * day + 1), 0);
    assert_int_equal(fault_tell(p, 2, false, 7 * day), 0); /* days later */
    assert_int_equal(fault_tell(p, 3, false, 7 * day + 1), 1000);
    assert_int_equal(fault_tell(p, 3, true, 9 * day), 2000);
    assert_int_equal(store_begin(p->st, &p->err), 0);
    assert_int_equal(store_node_release(p->st, "gpu08", &found, &p->err), 0);
    assert_false(found);
    assert_int_equal(store_node_release(p->st, "gpu07", &found, &p->err), 0);
    assert_true(found);
    assert_int_equal(store_commit(p->st, &p->err), 0);
    assert_int_equal(fault_tell(p, 4, false, 9 * day), 0);
    assert_int_equal(fault_tell(p, 4, true, 9 * day), 1000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, place_make, place_drop)
    const struct CMUnitTest tests[] = {T(a_pool_gives_its_money_once),
        T(test_state_returns), T(test_snapshot_is_a_cache),
        cmocka_unit_test(test_damage_is_found), T(test_newer_version),
        T(test_no_workspace), T(test_rollback_leaves_nothing), T(test_fence),
        T(test_slots_and_books), T(test_slots_of_hosts), T(test_tokens),
        T(test_lease_and_marks), T(test_unsynced), T(test_nodes),
        T(test_size_is_flat), T(test_full_disk_loses_nothing),
        T(test_tmpfs_full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
