/* The small campaign of the crash sweeps (campaign.h). */
#include "crash/campaign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "project/project.h"

static const char PROJECT[] =
    "schema = 1\n"
    "[project]\n"
    "name = \"toy\"\n"
    "[train]\n"
    "command = \"train {knobs} --out={metrics_file}\"\n"
    "seed = \"seed\"\n"
    "[resources]\n"
    "time = \"10s\"\n"
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
    "[knob.dim]\n"
    "type = \"int\"\n"
    "range = [2, 64]\n"
    "default = 8\n"
    "[baseline]\n"
    "seeds = 2\n"
    "[budget]\n"
    "unit = \"trials\"\n"
    "total = 14\n"
    "max_parallel = 2\n"
    "[backend]\n"
    "kind = \"recorded\"\n"
    "record = \"world.jsonl\"\n";

static const char WORLD[] =
    "{\"world\": {\"duration_ms\": 2500, \"jitter\": 0.9, \"steps\": 2,"
    " \"metrics\": {\"auc\": {\"base\": 0.7, \"sd\": 0.0004},"
    " \"test\": {\"base\": 0.69, \"sd\": 0.0004}},"
    " \"effects\": [{\"knob\": \"lr\", \"value\": 0.1, \"gain\": 0.01}],"
    " \"failures\": [{\"reason\": \"exit\", \"exit_code\": 1,"
    " \"rate\": 0.1}, {\"reason\": \"preempted\", \"rate\": 0.1},"
    " {\"reason\": \"oom\", \"rate\": 0.05}]}}\n";

char base[64], work[96];
bool is_pooled;
static char clock_file[96];

void
die(const char *what)
{
    fprintf(stderr, "crash: %s: %s\n", what, strerror(errno));
    exit(2);
}

void
must(int rc, const char *what, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "crash: %s: %s\n", what, err->text);
    exit(2);
}

void
folder_make(void)
{
    snprintf(base, sizeof base, "%s/rea-crash-XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(base) == NULL)
        die("folder");
    snprintf(work, sizeof work, "%s/w", base);
    snprintf(clock_file, sizeof clock_file, "%s/clock", base);
    setenv("REA_CLOCK", clock_file, 1);
    clock_set(CLOCK_MS);
}

/* ---- folders ---- */

static void
file_copy(const char *from, const char *to, mode_t mode)
{
    char block[1 << 16];
    ssize_t n;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode & 0777);
    if (in < 0 || out < 0)
        die(from);
    while ((n = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)n) != n)
            die(to);
    close(in);
    close(out);
}

void
tree_copy(const char *from, const char *to)
{
    DIR *d = opendir(from);
    struct dirent *e;
    if (d == NULL || (mkdir(to, 0755) != 0 && errno != EEXIST))
        die(from);
    while ((e = readdir(d)) != NULL) {
        char a[512], b[512];
        struct stat sb;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            strcmp(e->d_name, "reserve") == 0)
            continue;
        snprintf(a, sizeof a, "%s/%s", from, e->d_name);
        snprintf(b, sizeof b, "%s/%s", to, e->d_name);
        if (lstat(a, &sb) != 0)
            die(a);
        if (S_ISDIR(sb.st_mode))
            tree_copy(a, b);
        else
            file_copy(a, b, sb.st_mode);
    }
    closedir(d);
}

void
clock_set(int64_t ms)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRId64 "\n", ms);
    must(fs_write_atomic(clock_file, text, (size_t)n, false, NULL), "clock",
        &(struct err){0});
}

/* ---- what a state comes to ---- */

static int
event_digest(void *ctx, const struct event *e)
{
    struct digest *d = ctx;
    struct event copy = *e;
    copy.at_ms = 0; /* times are not compared */
    size_t n = event_encode(&copy, NULL, 0);
    unsigned char *bytes = mem_calloc(n, 1);
    event_encode(&copy, bytes, n);
    buf_printf(&d->text, "%s:%zu:", event_name(e->kind), n);
    buf_add(&d->text, bytes, n);
    free(bytes);
    d->events++;
    return 0;
}

static int
attempt_digest(void *ctx, const struct store_attempt *a)
{
    struct digest *d = ctx;
    buf_printf(&d->text, "J%u T%u %u %s %u %lld\n", a->job, a->trial, a->state,
        a->token, a->reason, (long long)a->cost_u);
    return 0;
}

/* The ledger of the pool: what the campaign holds, and that it waits. */
static void
pool_digest(struct store *st, struct digest *d)
{
    struct store_member m;
    uint32_t n = 0;
    if (store_pool_members(st, "team", &m, 1, &n, NULL) == 0 && n == 1)
        buf_printf(&d->text, "pool %lld of %lld, %d %d\n",
            (long long)m.m.held_u, (long long)m.m.signed_u, m.m.live,
            m.m.worth.wants);
}

int
log_take(struct digest *d, struct err *err)
{
    struct store *st = NULL;
    int rc = store_open(work, STORE_READ, &st, err);
    if (rc == 0)
        rc = store_events(st, 1, 1, event_digest, d, err);
    store_close(st);
    return rc;
}

int
digest_take(struct digest *d, struct err *err)
{
    struct store *st = NULL;
    struct store_campaign row;
    uint64_t n = 0;
    int rc = store_open(work, STORE_READ, &st, err);
    if (rc == 0)
        rc = store_verify(st, 1, &n, err);
    if (rc == 0)
        rc = store_events(st, 1, 1, event_digest, d, err);
    if (rc == 0)
        rc = store_attempts(st, 1, false, attempt_digest, d, err);
    if (rc == 0)
        rc = store_campaign_get(st, 1, &row, err);
    if (rc == 0) {
        d->state = row.brief.state;
        pool_digest(st, d);
        for (uint32_t t = 1; t <= 64; t++) {
            bool found = false;
            double v = 0;
            if (store_sealed_get(st, 1, t, 1, &found, &v, NULL) == 0 && found)
                buf_printf(&d->text, "S%u %a\n", t, v);
        }
    }
    store_close(st);
    return rc;
}

void
digest_differ(
    const struct digest *got, const struct digest *want, char out[DIFFER_LEN])
{
    size_t n = got->text.len < want->text.len ? got->text.len : want->text.len;
    size_t at = 0;
    while (at < n && got->text.data[at] == want->text.data[at])
        at++;
    size_t from = at < 40 ? 0 : at - 40, len = 0;
    for (size_t i = from; i < got->text.len && len < DIFFER_LEN - 2; i++) {
        if (i == at)
            out[len++] = '|';
        char c = got->text.data[i];
        out[len++] = c >= ' ' && c < 127 ? c : '.';
    }
    out[len] = '\0';
}

bool
integrity_ok(void)
{
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    snprintf(path, sizeof path, "%s/.rea/rea.db", work);
    bool ok =
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) ==
            SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW &&
        strcmp((const char *)sqlite3_column_text(q, 0), "ok") == 0;
    sqlite3_finalize(q);
    sqlite3_close(db);
    return ok;
}

bool
digest_same(const struct digest *a, const struct digest *b)
{
    return a->text.len == b->text.len &&
           memcmp(a->text.data, b->text.data, a->text.len) == 0;
}

/* A floor of 6 trials, the rest by grants. */
static void
pool_enter(struct store *st, uint32_t id, struct event *approve)
{
    const struct store_pool pool = {.name = "team",
        .unit = UNIT_TRIALS,
        .total_u = 13LL * MICRO,
        .floor_u = 6LL * MICRO};
    struct err err = {0};
    must(store_begin(st, &err), "begin", &err);
    must(store_pool_put(st, &pool, &err), "pool", &err);
    must(store_pool_join(
             st, id, pool.name, 1, pool.floor_u, approve->budget_u, &err),
        "join", &err);
    must(store_commit(st, &err), "commit", &err);
    approve->signed_u = approve->budget_u;
    approve->horizon_u = pool.total_u;
    approve->budget_u = pool.floor_u;
}

void
project_write(void)
{
    struct err err = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/rea.toml", work);
    must(fs_mkdirs(work, &err), "make", &err);
    must(fs_write_atomic(path, PROJECT, sizeof PROJECT - 1, false, &err),
        "write", &err);
    snprintf(path, sizeof path, "%s/world.jsonl", work);
    must(fs_write_atomic(path, WORLD, sizeof WORLD - 1, false, &err), "write",
        &err);
}

/* What the engineer signs: the project as it lies in the folder. */
struct signing {
    struct arena a;
    struct project *p;
    struct buf canon;
    char hash[PROJECT_HASH_HEX];
};

static int
signing_load(struct signing *s, struct err *err)
{
    *s = (struct signing){0};
    int rc = project_load(&s->a, work, "rea.toml", &s->p, err);
    if (rc != 0)
        return rc;
    project_hash(s->p, s->hash);
    project_canon(s->p, &s->canon);
    return 0;
}

static void
signing_fini(struct signing *s)
{
    buf_fini(&s->canon);
    arena_fini(&s->a);
}

int
campaign_draft(struct err *err)
{
    struct signing s;
    struct store *st = NULL;
    uint32_t id = 0;
    struct wake_opts opts = {.no_submit = true, .program = ""};
    int rc = signing_load(&s, err);
    if (rc != 0)
        return rc;
    size_t n = spec_encode(&s.p->spec, NULL, 0);
    unsigned char *spec = arena_alloc(&s.a, n);
    spec_encode(&s.p->spec, spec, n);
    int lr = spec_knob(&s.p->spec, "lr"), dim = spec_knob(&s.p->spec, "dim");
    struct event facts[4] = {{.kind = EVENT_campaign_drafted,
                                 .spec = spec,
                                 .spec_len = n,
                                 .number = 11},
        {.kind = EVENT_hypothesis_added,
            .hypothesis = 1,
            .source = SOURCE_ENGINEER,
            .statement = "a larger rate",
            .mean = 1e-3,
            .sd = 2e-3,
            .n_over = 1,
            .over = {{(uint32_t)lr, .1}}},
        {.kind = EVENT_hypothesis_added,
            .hypothesis = 2,
            .source = SOURCE_RESEARCH,
            .statement = "more factors",
            .mean = 1e-3,
            .sd = 2e-3,
            .n_over = 1,
            .over = {{(uint32_t)dim, 32}}},
        {.kind = EVENT_plan_drafted,
            .hash = "feedbeef00",
            .budget_u = s.p->spec.total_u}};
    rc = store_open(work, STORE_CREATE, &st, err);
    if (rc == 0)
        rc = wake_create(st, "rea.toml", s.hash, buf_str(&s.canon), facts, 4,
            &opts, &id, err);
    store_close(st);
    signing_fini(&s);
    return rc;
}

int
campaign_approve(struct err *err)
{
    struct signing s;
    struct store *st = NULL;
    struct wake_result r;
    struct wake_opts opts = {.no_submit = true, .program = ""};
    int rc = signing_load(&s, err);
    if (rc != 0)
        return rc;
    struct event approve = {.kind = EVENT_plan_approved,
        .hash = "feedbeef00",
        .by = "tester",
        .budget_u = s.p->spec.total_u};
    rc = store_open(work, STORE_WRITE, &st, err);
    if (rc == 0 && is_pooled)
        pool_enter(st, 1, &approve);
    if (rc == 0)
        rc = wake_approve(
            st, 1, s.hash, buf_str(&s.canon), &approve, 1, &opts, &r, err);
    store_close(st);
    signing_fini(&s);
    return rc;
}

void
campaign_begin(void)
{
    struct err err = {0};
    project_write();
    must(campaign_draft(&err), "create", &err);
    must(campaign_approve(&err), "approve", &err);
}

/* The first activation is the engineer's `run`, all others are wakes. */
int
wake_once(enum mode mode, struct err *err)
{
    struct store *st = NULL;
    int rc = store_open(work, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = wake_in(st, mode, err);
    store_close(st);
    return rc;
}

int
wake_in(struct store *st, enum mode mode, struct err *err)
{
    struct wake_result r;
    struct sweep_result s;
    struct wake_opts opts = {.cause = WAKE_CALLBACK, .program = ""};
    if (mode == MODE_RUN) {
        struct event start = {.kind = EVENT_campaign_started};
        opts.cause = WAKE_VERB;
        return wake_facts(st, 1, &start, 1, &opts, &r, err);
    }
    if (mode == MODE_SWEEP) {
        opts.cause = WAKE_SWEEP;
        return sweep_run(st, &opts, &s, err);
    }
    return wake_run(st, 1, &opts, &r, err);
}
