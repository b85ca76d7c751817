/* Many processes on one workspace: wakers, sweepers and readers at once, some
 * killed on the way, until three campaigns have ended.
 * Then the database is whole, the logs are whole, every job ended once, and
 * nothing was spent beyond approval.
 *   wake_hammer [SECONDS_MAX [local|recorded [ROOT [join]]]]
 * local: the same on real processes; a wake may then die between the start of
 * a supervisor and its claim. ROOT: the workspace's folder, kept; join: another
 * host hammers what was begun there. */
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/rng.h"
#include "project/project.h"
#include "store/store.h"
#include "wake/wake.h"

enum { CAMPAIGNS = 3, WAKERS = 4, SWEEPERS = 1, READERS = 2 };

static const char PROJECT[] = "schema = 1\n"
                              "[project]\n"
                              "name = \"m%d\"\n"
                              "[train]\n"
                              "command = \"sh train.sh {knobs}\"\n"
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
                              "[baseline]\n"
                              "seeds = 3\n"
                              "[budget]\n"
                              "unit = \"trials\"\n"
                              "total = 30\n"
                              "max_parallel = 3\n"
                              "[backend]\n"
                              "slots = 5\n"
                              "%s";

static const char RECORDED[] =
    "kind = \"recorded\"\nrecord = \"world.jsonl\"\n";

/* One run in eight fails; every run says that it was there. */
static const char TRAIN[] =
    "echo $REA_CAMPAIGN $REA_TRIAL $REA_ATTEMPT >> runs.txt\n"
    "sleep 0.1\n"
    "[ $((REA_SEED % 8)) != 0 ] || [ $REA_ATTEMPT != 1 ] || exit 1\n"
    "v=$((REA_SEED % 1000))\n"
    "printf '{\"auc\": 0.7%03d, \"test\": 0.6%03d}\\n' $v $v "
    ">> $REA_METRICS_FILE\n";
static bool is_local;

static const char WORLD[] =
    "{\"world\": {\"duration_ms\": 200, \"jitter\": 2, \"steps\": 2,"
    " \"metrics\": {\"auc\": {\"base\": 0.7, \"sd\": 0.0004},"
    " \"test\": {\"base\": 0.69, \"sd\": 0.0004}},"
    " \"failures\": [{\"reason\": \"exit\", \"exit_code\": 1,"
    " \"rate\": 0.1}, {\"reason\": \"preempted\", \"rate\": 0.1}]}}\n";

static char root[128];

static void
must(int rc, const char *what, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "wake_hammer: %s: %s\n", what, err->text);
    exit(1);
}

static void
campaign_begin(struct store *st, int i)
{
    struct arena a = {0};
    struct project *p = NULL;
    struct err err = {0};
    struct buf text = {0}, canon = {0};
    struct wake_result r;
    struct wake_opts opts = {.no_submit = true, .program = ""};
    uint32_t id = 0;
    char file[32], path[256], hash[PROJECT_HASH_HEX];
    snprintf(file, sizeof file, "models/m%d.toml", i);
    snprintf(path, sizeof path, "%s/%s", root, file);
    buf_printf(&text, PROJECT, i, is_local ? "" : RECORDED);
    must(fs_write_atomic(path, buf_str(&text), text.len, false, &err), "write",
        &err);
    must(project_load(&a, root, file, &p, &err), "project", &err);
    project_hash(p, hash);
    project_canon(p, &canon);
    size_t n = spec_encode(&p->spec, NULL, 0);
    unsigned char *spec = arena_alloc(&a, n);
    spec_encode(&p->spec, spec, n);
    const struct event facts[3] = {{.kind = EVENT_campaign_drafted,
                                       .spec = spec,
                                       .spec_len = n,
                                       .number = (uint64_t)i},
        {.kind = EVENT_hypothesis_added,
            .hypothesis = 1,
            .source = SOURCE_ENGINEER,
            .statement = "a larger rate",
            .mean = 1e-3,
            .sd = 2e-3,
            .n_over = 1,
            .over = {{0, .1}}},
        {.kind = EVENT_plan_drafted,
            .hash = "feedbeef00",
            .budget_u = p->spec.total_u}};
    const struct event sign[2] = {{.kind = EVENT_plan_approved,
                                      .hash = "feedbeef00",
                                      .by = "tester",
                                      .budget_u = p->spec.total_u},
        {.kind = EVENT_campaign_started}};
    must(wake_create(
             st, file, hash, buf_str(&canon), facts, 3, &opts, &id, &err),
        "create", &err);
    must(wake_approve(st, id, hash, buf_str(&canon), sign, 1, &opts, &r, &err),
        "approve", &err);
    opts.no_submit = false;
    must(wake_facts(st, id, &sign[1], 1, &opts, &r, &err), "start", &err);
    buf_fini(&text);
    buf_fini(&canon);
    arena_fini(&a);
}

/* One process: opens the workspace, does one thing, ends. */
static int
one_life(char kind, uint32_t campaign)
{
    struct store *st = NULL;
    struct err err = {0};
    struct wake_result r;
    struct sweep_result s;
    struct core *c = NULL;
    uint64_t n = 0;
    const struct wake_opts opts = {
        .cause = kind == 's' ? WAKE_SWEEP : WAKE_CALLBACK, .program = ""};
    int rc =
        store_open(root, kind == 'r' ? STORE_READ : STORE_WRITE, &st, &err);
    if (rc == 0 && kind == 'w')
        rc = wake_run(st, campaign, &opts, &r, &err);
    else if (rc == 0 && kind == 's')
        rc = sweep_run(st, &opts, &s, &err);
    else if (rc == 0) {
        rc = store_load(st, campaign, &c, &err);
        if (rc == 0)
            rc = store_verify(st, campaign, &n, &err);
        if (rc == 0 &&
            (n < c->seq || c->spent_u + c->reserved_u > c->approved_u))
            rc = err_set(&err, -ERR_CORRUPT, "a reader saw half a change");
        free(c);
    }
    store_close(st);
    if (rc != 0)
        fprintf(stderr, "wake_hammer: %c C%u: %s\n", kind, campaign, err.text);
    return rc != 0;
}

struct tally {
    uint64_t lives, killed, failed;
};

/* Starts a life now and then kills it at a random moment. */
static void
life_start(struct rng *r, char kind, uint32_t *alive)
{
    uint32_t campaign = 1 + (uint32_t)rng_below(r, CAMPAIGNS);
    pid_t pid = fork();
    if (pid == 0)
        _exit(one_life(kind, campaign));
    if (pid < 0)
        must(-1, "fork", &(struct err){.text = "no process"});
    ++*alive;
    if (rng_below(r, 8) == 0) {
        const struct timespec nap = {.tv_nsec = (long)rng_below(r, 4000000)};
        nanosleep(&nap, NULL);
        kill(pid, SIGKILL);
    }
}

static bool
all_done(void)
{
    struct store *st = NULL;
    struct store_campaign *v = NULL;
    struct err err = {0};
    size_t n = 0;
    bool done = true;
    must(store_open(root, STORE_READ, &st, &err), "open", &err);
    must(store_campaigns(st, &v, &n, &err), "campaigns", &err);
    for (size_t i = 0; i < n; i++)
        done = done && v[i].brief.state == CAMPAIGN_DONE;
    free(v);
    store_close(st);
    return done;
}

static void
hammer(int seconds, struct tally *t)
{
    static const char kinds[] = "wwwwsrr";
    int64_t end = fs_mono_us() + seconds * 1000000LL;
    struct rng r;
    uint32_t alive = 0;
    rng_seed(&r, 1);
    for (uint64_t i = 0; fs_mono_us() < end; i++) {
        int status = 0;
        while (alive >= WAKERS + SWEEPERS + READERS && wait(&status) > 0) {
            alive--;
            t->killed += WIFSIGNALED(status);
            t->failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
        }
        if (i % 50 == 0 && all_done())
            break;
        life_start(&r, kinds[i % (sizeof kinds - 1)], &alive);
        t->lives++;
    }
    while (alive-- > 0) {
        int status = 0;
        wait(&status);
        t->killed += WIFSIGNALED(status);
        t->failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
    }
}

static int
attempt_check(void *ctx, const struct store_attempt *a)
{
    uint64_t *open = ctx;
    *open += a->state != ATTEMPT_ENDED;
    return 0;
}

static bool
campaign_whole(struct store *st, uint32_t id)
{
    struct core *a = NULL, *b = NULL;
    struct err err = {0};
    uint64_t n = 0, open = 0;
    must(store_verify(st, id, &n, &err), "verify", &err);
    must(store_load(st, id, &a, &err), "load", &err);
    must(store_replay(st, id, 0, NULL, NULL, &b, &err), "replay", &err);
    must(store_attempts(st, id, false, attempt_check, &open, &err), "attempts",
        &err);
    size_t len = core_encode(a, NULL, 0);
    unsigned char *x = mem_calloc(len, 1), *y = mem_calloc(len, 1);
    core_encode(a, x, len);
    bool ok = core_encode(b, y, len) == len && memcmp(x, y, len) == 0 &&
              open == 0 && a->state == CAMPAIGN_DONE &&
              a->spent_u <= a->approved_u && a->reserved_u == 0;
    printf("C%" PRIu32 ": %" PRIu64 " events, %" PRIu32 " trials, %" PRIu32
           " jobs: %s\n",
        id, n, a->n_trials, a->jobs_used, ok ? "whole" : "BROKEN");
    free(x);
    free(y);
    free(a);
    free(b);
    return ok;
}

static bool
database_whole(void)
{
    char path[256];
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    snprintf(path, sizeof path, "%s/.rea/store", root);
    if (fs_exists(path)) /* a server looks after its own */
        return true;
    snprintf(path, sizeof path, "%s/.rea/rea.db", root);
    bool ok = sqlite3_open(path, &db) == SQLITE_OK &&
              sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) ==
                  SQLITE_OK &&
              sqlite3_step(q) == SQLITE_ROW &&
              strcmp((const char *)sqlite3_column_text(q, 0), "ok") == 0;
    sqlite3_finalize(q);
    sqlite3_close(db);
    return ok;
}

static int
line_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* No attempt was started twice. */
static bool
runs_once(void)
{
    char path[256];
    struct buf text = {0};
    static char *line[4096];
    size_t n = 0;
    bool once = true;
    snprintf(path, sizeof path, "%s/runs.txt", root);
    if (!is_local)
        return true;
    must(fs_read(path, 0, &text, NULL), "runs.txt", &(struct err){0});
    for (char *s = text.data; s != NULL && *s != '\0' && n < 4096;) {
        char *end = strchr(s, '\n');
        line[n++] = s;
        if (end == NULL)
            break;
        *end = '\0';
        s = end + 1;
    }
    qsort(line, n, sizeof *line, line_compare);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(line[i], line[i - 1]) != 0)
            continue;
        printf("started twice: %s\n", line[i]);
        once = false;
    }
    printf("%zu starts, %s\n", n, once ? "each once" : "some TWICE");
    buf_fini(&text);
    return once && n > 0;
}

static void
world_make(void)
{
    struct err err = {0};
    struct store *st = NULL;
    char path[256];
    snprintf(path, sizeof path, "%s/models", root);
    must(fs_mkdirs(path, &err), "make", &err);
    snprintf(path, sizeof path, "%s/world.jsonl", root);
    must(fs_write_atomic(path, WORLD, sizeof WORLD - 1, false, &err), "write",
        &err);
    snprintf(path, sizeof path, "%s/train.sh", root);
    must(fs_write_atomic(path, TRAIN, sizeof TRAIN - 1, false, &err), "write",
        &err);
    must(store_open(root, STORE_CREATE, &st, &err), "open", &err);
    for (int i = 1; i <= CAMPAIGNS; i++)
        campaign_begin(st, i);
    store_close(st);
    snprintf(path, sizeof path, "%s/begun", root);
    must(fs_write_atomic(path, "", 0, false, &err), "write", &err);
}

static void
world_wait(void)
{
    const struct timespec nap = {.tv_nsec = 10000000};
    char path[256];
    snprintf(path, sizeof path, "%s/begun", root);
    while (!fs_exists(path))
        nanosleep(&nap, NULL);
}

static bool
world_check(void)
{
    struct err err = {0};
    struct store *st = NULL;
    bool ok = database_whole() && runs_once();
    must(store_open(root, STORE_READ, &st, &err), "open", &err);
    for (uint32_t id = 1; id <= CAMPAIGNS; id++)
        ok = campaign_whole(st, id) && ok;
    store_close(st);
    return ok;
}

int
main(int argc, char **argv)
{
    int seconds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 120;
    is_local = argc > 2 && strcmp(argv[2], "local") == 0;
    bool keep = argc > 3, join = argc > 4;
    struct err err = {0};
    struct tally t = {0};
    snprintf(
        root, sizeof root, "%s", keep ? argv[3] : "/tmp/rea-hammer-XXXXXX");
    if (!keep && mkdtemp(root) == NULL)
        must(err_sys(&err, "mkdtemp"), root, &err);
    if (join)
        world_wait();
    else
        world_make();
    hammer(seconds, &t);
    bool ok = world_check() && t.failed == 0;
    if (ok && !keep)
        fs_remove_tree(root, NULL);
    printf("%" PRIu64 " processes, %" PRIu64 " killed, %" PRIu64
           " failed; integrity %s%s%s\n",
        t.lives, t.killed, t.failed, ok ? "ok" : "BROKEN, see ", ok ? "" : root,
        "");
    return !ok || t.lives < 100;
}
