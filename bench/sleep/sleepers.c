/* Filling a workspace with sleepers, and reading what they take on disk. */
#include "sleep/sleepers.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "jobs/jobs.h"
#include "project/project.h"
#include "sleep/clocked.h"
#include "store/store.h"
#include "wake/wake.h"

static const char PROJECT[] = "schema = 1\n"
                              "[project]\n"
                              "name = \"sleeper\"\n"
                              "[train]\n"
                              "command = \"sh train.sh\"\n"
                              "style = \"env\"\n"
                              "seed = \"seed\"\n"
                              "[metric.valid_auc]\n"
                              "primary = true\n"
                              "goal = \"max\"\n"
                              "min_gain = 3e-4\n"
                              "[metric.test_auc]\n"
                              "role = \"sealed\"\n"
                              "goal = \"max\"\n"
                              "[knob.lr]\n"
                              "type = \"float\"\n"
                              "range = [1e-3, 1.0]\n"
                              "scale = \"log\"\n"
                              "default = 0.01\n"
                              "[knob.dim]\n"
                              "type = \"int\"\n"
                              "range = [4, 64]\n"
                              "scale = \"log\"\n"
                              "default = 8\n"
                              "[knob.wide]\n"
                              "type = \"bool\"\n"
                              "default = false\n"
                              "[baseline]\n"
                              "seeds = 5\n"
                              "[budget]\n"
                              "unit = \"trials\"\n"
                              "total = %" PRIu32 "\n"
                              "max_parallel = %" PRIu32 "\n"
                              "[backend]\n"
                              "kind = \"recorded\"\n"
                              "record = \"world.jsonl\"\n"
                              "slots = 100000\n";

static const char WORLD[] =
    "{\"world\": {\"duration_ms\": 60000, \"jitter\": 0.2, \"steps\": 3,"
    " \"metrics\": {\"valid_auc\": {\"base\": 0.74, \"sd\": 0.0003},"
    " \"test_auc\": {\"base\": 0.74, \"sd\": 0.0003}},"
    " \"effects\": [{\"knob\": \"lr\", \"best\": 0.05, \"curve\": -0.002,"
    " \"log\": true}, {\"knob\": \"dim\", \"slope\": 0.0001}]}}\n";

static bool filling;

/* Here alone, and in the libraries that are linked in: what is filled needs no
 * durability, and what is measured are other processes. */
int
fdatasync(int fd)
{
    return filling ? 0 : (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
    return filling ? 0 : (int)syscall(SYS_fsync, fd);
}

static void
must(int rc, const char *what, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, err->text);
    exit(1);
}

static void
file_write(const char *root, const char *name, const char *text)
{
    char path[512];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/%s", root, name);
    must(fs_write_atomic(path, text, strlen(text), false, &err), path, &err);
}

void
clock_step(const char *root)
{
    static int64_t now = 1700000000000;
    char text[32], path[512];
    snprintf(path, sizeof path, "%s/clock", root);
    snprintf(text, sizeof text, "%" PRId64 "\n", now += STEP_MS);
    file_write(root, "clock", text);
    setenv("REA_CLOCK", path, 1);
}

/* The facts that made the first campaign. */
struct facts {
    struct arena arena;
    struct event e[HYPOTHESES_MAX + 2];
    size_t n;
};

static int
fact_keep(void *ctx, const struct event *e)
{
    struct facts *f = ctx;
    size_t n = event_encode(e, NULL, 0);
    unsigned char *record = arena_alloc(&f->arena, n);
    event_encode(e, record, n);
    if (event_decode(&f->e[f->n], record, n) != 0)
        return -ERR_CORRUPT;
    f->e[f->n].seq = 0;
    f->n++;
    return 0;
}

static const struct wake_opts quiet = {.cause = WAKE_CALLBACK, .program = ""};
static const struct wake_opts held = {.program = "", .no_submit = true};

static void
campaign_start(struct store *st, uint32_t id, const struct facts *f,
    const char *hash, const char *canon)
{
    struct err err = {0};
    struct wake_result r;
    const struct event *plan = &f->e[f->n - 1];
    struct event approve = {.kind = EVENT_plan_approved,
        .hash = plan->hash,
        .by = "bench",
        .budget_u = plan->budget_u};
    struct event start = {.kind = EVENT_campaign_started};
    must(wake_approve(st, id, hash, canon, &approve, 1, &held, &r, &err),
        "approve", &err);
    must(wake_facts(st, id, &start, 1, &quiet, &r, &err), "start", &err);
}

static void
campaigns_make(struct store *st, const struct sleepers *s)
{
    struct facts f = {0};
    struct arena a = {0};
    struct project *p = NULL;
    struct err err = {0};
    struct buf canon = {0};
    struct store_campaign row;
    char hash[PROJECT_HASH_HEX];
    must(store_events(st, 1, 1, fact_keep, &f, &err), "facts", &err);
    must(store_campaign_get(st, 1, &row, &err), "C1", &err);
    must(project_load(&a, s->root, "rea.toml", &p, &err), "project", &err);
    project_hash(p, hash);
    project_canon(p, &canon);
    campaign_start(st, 1, &f, hash, buf_str(&canon));
    for (uint32_t i = 2; i <= s->campaigns; i++) {
        uint32_t id = 0;
        must(wake_create(st, row.project, hash, buf_str(&canon), f.e, f.n,
                 &held, &id, &err),
            "create", &err);
        campaign_start(st, id, &f, hash, buf_str(&canon));
    }
    buf_fini(&canon);
    arena_fini(&f.arena);
    arena_fini(&a);
}

void
sleepers_make(const struct sleepers *s)
{
    struct store *st = NULL;
    struct err err = {0};
    char text[sizeof PROJECT + 32];
    snprintf(text, sizeof text, PROJECT, s->trials, s->parallel);
    file_write(s->root, "rea.toml", text);
    file_write(s->root, "world.jsonl", WORLD);
    file_write(s->root, "train.sh", "exit 0\n");
    clock_step(s->root);
    run_once(s->program, s->root, "plan", NULL);
    filling = true;
    mallopt(M_MMAP_THRESHOLD, 1 << 20); /* as build/rea does */
    must(store_open(s->root, STORE_WRITE, &st, &err), "open", &err);
    campaigns_make(st, s);
    for (uint32_t life = 0; life < s->lives; life++) {
        clock_step(s->root);
        for (uint32_t id = 1; id <= s->campaigns; id++) {
            struct wake_result r;
            must(wake_run(st, id, &quiet, &r, &err), "wake", &err);
        }
    }
    store_close(st);
    filling = false;
    sync();
}

void
ended_leave(const char *root, uint32_t campaigns)
{
    char dir[512];
    struct jobs j = {0};
    struct arena a = {0};
    struct err err = {0};
    const char **token;
    size_t n = 0;
    snprintf(dir, sizeof dir, "%s/.rea/jobs", root);
    const struct jobs_config c = {.kind = "recorded", .jobs_dir = dir};
    filling = true;
    must(jobs_open(&j, &c, &err), "jobs", &err);
    must(jobs_list_in(&j, &a, "rea-", &token, &n, &err), "list", &err);
    for (size_t i = 0; i < n; i++) {
        struct job_handle h;
        struct job_status s;
        const char *id = strstr(token[i], "-C");
        if (id == NULL || strtoul(id + 2, NULL, 10) > campaigns)
            continue;
        must(job_find(&j, token[i], &h, &err), "find", &err);
        must(job_poll(&j, &h, &s, &err), "poll", &err);
    }
    jobs_close(&j);
    arena_fini(&a);
    filling = false;
}

static int64_t
sql_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK ||
        sqlite3_step(q) != SQLITE_ROW) {
        fprintf(stderr, "bench: %s: %s\n", sql, sqlite3_errmsg(db));
        exit(1);
    }
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

static int64_t
pages_of(sqlite3 *db, const char *table)
{
    char sql[160];
    snprintf(sql, sizeof sql,
        "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = 1"
        " AND name = '%s'",
        table);
    return sql_int(db, sql);
}

void
disk_read(const char *root, struct disk *out)
{
    char path[512];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/.rea/rea.db", root);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        fprintf(stderr, "bench: %s: %s\n", path, sqlite3_errmsg(db));
        exit(1);
    }
    *out = (struct disk){.event = pages_of(db, "event"),
        .snapshot = pages_of(db, "snapshot"),
        .campaign = pages_of(db, "campaign"),
        .kv = pages_of(db, "kv") + pages_of(db, "sqlite_autoindex_kv_1"),
        .attempt = pages_of(db, "attempt") + pages_of(db, "attempt_open"),
        .n_events = sql_int(db, "SELECT count(*) FROM event"),
        .event_bytes = sql_int(db, "SELECT sum(length(record)) FROM event"),
        .n_snapshots = sql_int(db, "SELECT count(*) FROM snapshot"),
        .snapshot_bytes =
            sql_int(db, "SELECT sum(length(state)) FROM snapshot"),
        .total = sql_int(db, "SELECT sum(pgsize) FROM dbstat WHERE"
                             " aggregate = 1")};
    out->other = out->total - out->event - out->snapshot - out->campaign -
                 out->kv - out->attempt;
    sqlite3_close(db);
}
