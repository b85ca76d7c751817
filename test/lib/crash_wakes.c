/* Kills a wake with SIGKILL at every one of its system calls, lets a sweep or
 * a wake recover, and compares log and books with those of the undisturbed
 * wake; then the next wake, until the campaign has ended. Since a wake that
 * recovers to the same state is followed by the same wakes, this compares whole
 * campaigns. Runs on the recorded backend with an injected clock.
 *   crash_wakes [--part=1/2] [--stride=N] [--control | --random=K [--seed=S]]
 *               [--pool]
 * --pool: the money comes by grants of a pool.
 * --random: instead, K kills in a row of each wake at random calls of wakes and
 * sweeps, so that recoveries are killed too, over one whole campaign.
 * --control ends a job in two transactions instead of one: it must be caught.
 * The wake runs in a traced child of this program, so points are counted from
 * the opening of the database to the exit. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/rng.h"
#include "jobs/jobs.h"
#include "project/project.h"
#include "store/lease.h"
#include "store/store.h"
#include "wake/wake.h"

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

enum { STEPS_MAX = 400, STEP_MS = 2000, CLOCK_MS = 1000000 };

static char base[64], work[96], kept[96], clock_file[96];
static bool is_control, is_pooled;
static uint64_t random_kills, random_seed = 1; /* kills a wake; 0: all points */

static void
die(const char *what)
{
    fprintf(stderr, "crash_wakes: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void
must(int rc, const char *what, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "crash_wakes: %s: %s\n", what, err->text);
    exit(2);
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

static void
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

static void
state_save(void)
{
    char from[128];
    snprintf(from, sizeof from, "%s/.rea", work);
    fs_remove_tree(kept, NULL);
    tree_copy(from, kept);
}

static void
state_restore(void)
{
    char to[128];
    snprintf(to, sizeof to, "%s/.rea", work);
    fs_remove_tree(to, NULL);
    tree_copy(kept, to);
}

static void
clock_set(int64_t ms)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRId64 "\n", ms);
    must(fs_write_atomic(clock_file, text, (size_t)n, false, NULL), "clock",
        &(struct err){0});
}

/* ---- what a state comes to ---- */

struct digest {
    struct buf text;
    uint64_t events;
    uint8_t state;
};

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

static int
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

static bool
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

/* ---- the wake under test ---- */

struct control {
    struct store *st;
    struct jobs jobs;
    struct store_attempt a;
    bool found;
};

static int
control_find(void *ctx, const struct store_attempt *a)
{
    struct control *k = ctx;
    struct job_handle h;
    struct job_status status;
    snprintf(h.text, sizeof h.text, "%s", a->handle);
    k->a = *a;
    k->found = a->state == ATTEMPT_SUBMITTED &&
               job_poll(&k->jobs, &h, &status, NULL) == 0 &&
               status.state == JOB_STATE_DONE;
    return k->found ? 1 : 0;
}

static void
control_sink(void *ctx, const struct event *e)
{
    struct control *k = ctx;
    if (store_append(k->st, 1, e, NULL) != 0)
        exit(3);
}

static int
control_books(struct store *st, struct store_attempt *a, struct err *err)
{
    bool fresh = false;
    a->state = ATTEMPT_ENDED;
    int rc = store_begin(st, err);
    if (rc == 0)
        rc = store_attempt_put(st, a, err);
    if (rc == 0)
        rc = store_inbox_add(st, 1, a->token, "job_ended", "", &fresh, err);
    return rc == 0 ? store_commit(st, err) : rc;
}

static int
control_event(struct control *k, struct core *c, struct err *err)
{
    struct update *u = mem_calloc(1, sizeof *u);
    struct store_brief b = {.state = CAMPAIGN_RUNNING};
    struct event e = {.kind = EVENT_job_ended,
        .at_ms = wake_now_ms(),
        .job = k->a.job,
        .trial = k->a.trial,
        .reason = REASON_OK,
        .n_measures = 1,
        .measure = {{c->spec.primary, .7}}};
    int rc = store_begin(k->st, err);
    if (rc == 0 && core_advance(c, &e, u, control_sink, k) != 0)
        rc = err_set(err, -ERR_REFUSED, "%s", u->why);
    if (rc == 0)
        rc = store_snapshot(k->st, 1, c, &b, err);
    free(u);
    return rc == 0 ? store_commit(k->st, err) : rc;
}

/* A wake that is wrong on purpose: the event of a job's end is committed
 * before the books that go with it. */
static int
control_end(struct store *st, struct err *err)
{
    struct control k = {.st = st};
    char dir[128];
    snprintf(dir, sizeof dir, "%s/.rea/jobs", work);
    const struct jobs_config config = {.kind = "recorded", .jobs_dir = dir};
    int rc = jobs_open(&k.jobs, &config, err);
    while (rc == 0) {
        struct core *c = NULL;
        k.found = false;
        store_attempts(st, 1, true, control_find, &k, err);
        if (!k.found)
            break;
        rc = store_load(st, 1, &c, err);
        if (rc == 0 && core_job(c, k.a.job) == NULL) {
            free(c); /* the books were lost: a wake that does not look back */
            break;
        }
        if (rc == 0)
            rc = control_event(&k, c, err);
        if (rc == 0)
            rc = control_books(st, &k.a, err);
        free(c);
    }
    jobs_close(&k.jobs);
    return rc;
}

enum mode { MODE_RUN, MODE_WAKE, MODE_SWEEP };

/* The first activation is the engineer's `run`, all others are wakes. */
static int
wake_once(enum mode mode, struct err *err)
{
    struct store *st = NULL;
    struct wake_result r;
    struct sweep_result s;
    struct wake_opts opts = {.cause = WAKE_CALLBACK, .program = ""};
    int rc = store_open(work, STORE_WRITE, &st, err);
    if (rc == 0 && is_control && mode != MODE_RUN)
        rc = control_end(st, err);
    if (rc == 0 && mode == MODE_RUN) {
        struct event start = {.kind = EVENT_campaign_started};
        opts.cause = WAKE_VERB;
        rc = wake_facts(st, 1, &start, 1, &opts, &r, err);
    } else if (rc == 0 && mode == MODE_SWEEP) {
        opts.cause = WAKE_SWEEP;
        rc = sweep_run(st, &opts, &s, err);
    } else if (rc == 0) {
        rc = wake_run(st, 1, &opts, &r, err);
    }
    store_close(st);
    return rc;
}

/* Runs the wake traced and kills it when it enters its n-th system call; n 0:
 * never. *calls is how many it made. true: killed. */
static bool
wake_killed_at(enum mode mode, uint64_t n, uint64_t *calls)
{
    int status = 0;
    *calls = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        int rc = wake_once(mode, &err);
        if (rc != 0)
            fprintf(stderr, "crash_wakes: wake: %s\n", err.text);
        _exit(rc != 0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        die("trace");
    ptrace(PTRACE_SETOPTIONS, pid, NULL,
        (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD));
    bool entering = true;
    long sig = 0;
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)sig) != 0)
            die("step");
        if (waitpid(pid, &status, 0) != pid)
            die("wait");
        if (WIFEXITED(status) || WIFSIGNALED(status))
            return false;
        sig = 0;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            sig = WSTOPSIG(status);
            continue;
        }
        if (entering && ++*calls == n) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return true;
        }
        entering = !entering;
    }
}

/* ---- the campaign ---- */

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

static void
campaign_begin(void)
{
    struct arena a = {0};
    struct project *p = NULL;
    struct store *st = NULL;
    struct err err = {0};
    struct buf canon = {0};
    struct wake_result r;
    uint32_t id = 0;
    char path[128], hash[PROJECT_HASH_HEX];
    struct wake_opts opts = {.no_submit = true, .program = ""};
    snprintf(path, sizeof path, "%s/rea.toml", work);
    must(fs_mkdirs(work, &err), "make", &err);
    must(fs_write_atomic(path, PROJECT, sizeof PROJECT - 1, false, &err),
        "write", &err);
    snprintf(path, sizeof path, "%s/world.jsonl", work);
    must(fs_write_atomic(path, WORLD, sizeof WORLD - 1, false, &err), "write",
        &err);
    must(project_load(&a, work, "rea.toml", &p, &err), "project", &err);
    project_hash(p, hash);
    project_canon(p, &canon);
    size_t n = spec_encode(&p->spec, NULL, 0);
    unsigned char *spec = arena_alloc(&a, n);
    spec_encode(&p->spec, spec, n);
    int lr = spec_knob(&p->spec, "lr"), dim = spec_knob(&p->spec, "dim");
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
            .budget_u = p->spec.total_u}};
    struct event approve = {.kind = EVENT_plan_approved,
        .hash = "feedbeef00",
        .by = "tester",
        .budget_u = p->spec.total_u};
    must(store_open(work, STORE_CREATE, &st, &err), "open", &err);
    must(wake_create(
             st, "rea.toml", hash, buf_str(&canon), facts, 4, &opts, &id, &err),
        "create", &err);
    if (is_pooled)
        pool_enter(st, id, &approve);
    must(wake_approve(
             st, id, hash, buf_str(&canon), &approve, 1, &opts, &r, &err),
        "approve", &err);
    store_close(st);
    buf_fini(&canon);
    arena_fini(&a);
}

struct count {
    uint64_t wakes, calls, points, violations, events;
    bool granted; /* the pool gave money at least once */
};

static bool
digest_same(const struct digest *a, const struct digest *b)
{
    return a->text.len == b->text.len &&
           memcmp(a->text.data, b->text.data, a->text.len) == 0;
}

/* One kill point: the same state as without the kill? */
static void
point_try(
    enum mode mode, uint64_t n, const struct digest *want, struct count *k)
{
    uint64_t calls = 0;
    struct err err = {0};
    struct digest got = {0};
    state_restore();
    if (!wake_killed_at(mode, n, &calls))
        return;
    k->points++;
    /* What was not yet acknowledged to the engineer is said again by him. */
    int rc = wake_once(k->points % 2 == 0 ? MODE_SWEEP : MODE_WAKE, &err);
    if (rc == 0)
        rc = digest_take(&got, &err);
    if (rc == 0 && mode == MODE_RUN && got.state == CAMPAIGN_APPROVED) {
        rc = wake_once(MODE_RUN, &err);
        got.events = 0;
        buf_clear(&got.text);
        if (rc == 0)
            rc = digest_take(&got, &err);
    }
    bool same = rc == 0 && digest_same(&got, want);
    if (same && k->points % 64 == 0)
        same = integrity_ok();
    if (!same) {
        k->violations++;
        if (k->violations <= 5 && !is_control)
            printf("violation: wake %" PRIu64 ", system call %" PRIu64
                   ": %s, %" PRIu64 " events, want %" PRIu64 "\n",
                k->wakes, n, rc != 0 ? err.text : "another log", got.events,
                want->events);
    }
    buf_fini(&got.text);
}

/* Kills in a row, recoveries too; then one wake is left in peace. */
static void
kills_random(enum mode mode, uint64_t calls, const struct digest *want,
    struct rng *r, struct count *k)
{
    struct err err = {0};
    struct digest got = {0};
    for (uint64_t i = 0; i < random_kills; i++) {
        enum mode now = mode;
        uint64_t made = 0;
        struct digest mid = {0};
        must(digest_take(&mid, &err), "after a kill", &err);
        if (mode != MODE_RUN || mid.state != CAMPAIGN_APPROVED)
            now = rng_below(r, 2) == 0 ? MODE_WAKE : MODE_SWEEP;
        buf_fini(&mid.text);
        k->points += wake_killed_at(now, 1 + rng_below(r, calls), &made);
    }
    int rc = digest_take(&got, &err);
    bool begin = mode == MODE_RUN && got.state == CAMPAIGN_APPROVED;
    if (rc == 0)
        rc = wake_once(begin ? MODE_RUN : MODE_WAKE, &err);
    got.events = 0;
    buf_clear(&got.text);
    if (rc == 0)
        rc = digest_take(&got, &err);
    if (rc != 0 || !digest_same(&got, want) || !integrity_ok()) {
        k->violations++;
        printf("violation: wake %" PRIu64 ": %s, %" PRIu64
               " events, want %" PRIu64 "\n",
            k->wakes, rc != 0 ? err.text : "another log", got.events,
            want->events);
    }
    buf_fini(&got.text);
}

/* One wake: undisturbed, then killed at every point of this part. */
static bool
step_try(enum mode mode, uint64_t part, uint64_t parts, uint64_t stride,
    struct count *k)
{
    struct digest want = {0};
    struct err err = {0};
    static struct rng r;
    uint64_t calls = 0;
    if (k->wakes == 0)
        rng_seed(&r, random_seed);
    state_save();
    wake_killed_at(mode, 0, &calls);
    must(digest_take(&want, &err), "undisturbed", &err);
    k->wakes++;
    k->calls += calls;
    k->events = want.events;
    k->granted = k->granted || memmem(want.text.data, want.text.len,
                                   "budget_granted:", 15) != NULL;
    state_restore();
    if (random_kills > 0) { /* goes on from where the kills have led */
        kills_random(mode, calls, &want, &r, k);
    } else {
        for (uint64_t n = part; n <= calls; n += parts * stride)
            point_try(mode, n, &want, k);
        state_restore();
        wake_killed_at(mode, 0, &calls);
    }
    bool over = want.state == CAMPAIGN_DONE || want.state == CAMPAIGN_STOPPED;
    buf_fini(&want.text);
    return over;
}

int
main(int argc, char **argv)
{
    uint64_t part = 1, parts = 1, stride = 1;
    struct count k = {0};
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "--part=%" SCNu64 "/%" SCNu64, &part, &parts) == 2)
            continue;
        if (sscanf(argv[i], "--stride=%" SCNu64, &stride) == 1)
            continue;
        if (sscanf(argv[i], "--random=%" SCNu64, &random_kills) == 1 ||
            sscanf(argv[i], "--seed=%" SCNu64, &random_seed) == 1)
            continue;
        is_pooled = is_pooled || strcmp(argv[i], "--pool") == 0;
        is_control = is_control || strcmp(argv[i], "--control") == 0;
    }
    snprintf(base, sizeof base, "%s/rea-crash-XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(base) == NULL)
        die("folder");
    snprintf(work, sizeof work, "%s/w", base);
    snprintf(kept, sizeof kept, "%s/kept", base);
    snprintf(clock_file, sizeof clock_file, "%s/clock", base);
    setenv("REA_CLOCK", clock_file, 1);
    clock_set(CLOCK_MS);
    campaign_begin();
    bool over = step_try(MODE_RUN, part, parts, stride, &k);
    for (int i = 1; !over && i < STEPS_MAX; i++) {
        clock_set(CLOCK_MS + (int64_t)i * STEP_MS);
        over = step_try(MODE_WAKE, part, parts, stride, &k);
    }
    fs_remove_tree(base, NULL);
    printf("%" PRIu64 " wakes, %" PRIu64 " system calls, %" PRIu64
           " events; killed at %" PRIu64 " points (part %" PRIu64 "/%" PRIu64
           ", stride %" PRIu64 "), %" PRIu64 " violations%s\n",
        k.wakes, k.calls, k.events, k.points, part, parts, stride, k.violations,
        over ? "" : "; the campaign did not end");
    if (is_control)
        return k.violations > 0 ? 0 : 1;
    if (is_pooled && !k.granted) {
        printf("no money was granted: nothing was tried\n");
        return 1;
    }
    return over && k.points > 0 && k.violations == 0 ? 0 : 1;
}
