/* How long a cold `rea wake` takes when there is nothing to do, and `rea
 * status`, in a workspace of many campaigns; beside them the machine's raw
 * fsync, which a durable wake cannot beat.
 *   bench-wake [CAMPAIGNS [TRIALS [RUNS]]]
 * Real processes of build/rea, from spawn to exit. The campaigns' logs come
 * from the real engine, fed with made-up ends of jobs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/rng.h"
#include "store/store.h"

extern char **environ;

enum { KNOBS = 12, RUNS_MAX = 5000 };

struct record {
    uint64_t seq;
    uint32_t kind;
    size_t at, len;
};

static struct buf bytes;
static struct record *record;
static size_t n_records, cap_records;

static void
fail(const char *what, const struct err *err)
{
    fprintf(stderr, "bench-wake: %s: %s\n", what,
        err != NULL ? err->text : strerror(errno));
    exit(1);
}

static void
record_add(void *ctx, const struct event *e)
{
    (void)ctx;
    size_t n = event_encode(e, NULL, 0);
    unsigned char *out = mem_calloc(n, 1);
    event_encode(e, out, n);
    if (n_records == cap_records) {
        cap_records = cap_records == 0 ? 256 : 2 * cap_records;
        record = mem_realloc(record, cap_records * sizeof *record);
    }
    record[n_records++] = (struct record){e->seq, e->kind, bytes.len, n};
    buf_add(&bytes, out, n);
    free(out);
}

static void
tell(struct core *c, struct event *e)
{
    static struct update u;
    e->at_ms = 1000 + (int64_t)c->seq * 1000;
    if (core_advance(c, e, &u, record_add, NULL) != 0) {
        fprintf(stderr, "bench-wake: refused: %s\n", u.why);
        exit(1);
    }
}

static void
campaign_draft(struct core *c, uint32_t trials)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    snprintf(s->model, sizeof s->model, "bench");
    s->n_knobs = KNOBS;
    for (uint32_t k = 0; k < KNOBS; k++) {
        snprintf(s->knob[k].name, NAME_LEN, "knob%" PRIu32, k);
        s->knob[k].kind = KNOB_FLOAT;
        s->knob[k].hi = 1;
        s->knob[k].deflt = .3;
    }
    s->n_metrics = 1;
    snprintf(s->metric[0].name, NAME_LEN, "auc");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-6;
    s->sealed = 1;
    s->phases = 1u << PHASE_EXPLOITATION;
    s->baseline_seeds = 4;
    s->unit = UNIT_TRIALS;
    s->total_u = (int64_t)(trials + 8) * MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 1;
    s->fidelity_knob = -1;
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *spec = mem_calloc(n, 1);
    spec_encode(s, spec, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = spec,
        .spec_len = n,
        .number = 3};
    tell(c, &e);
    e = (struct event){.kind = EVENT_plan_drafted,
        .hash = "0123456789abcdef",
        .budget_u = s->total_u};
    tell(c, &e);
    e = (struct event){.kind = EVENT_plan_approved,
        .hash = "0123456789abcdef",
        .by = "bench",
        .budget_u = s->total_u};
    tell(c, &e);
    e = (struct event){.kind = EVENT_campaign_started};
    tell(c, &e);
    free(spec);
    free(s);
}

/* Until so many trials have ended; then a pause, so that no job is wanted. */
static void
campaign_drive(struct core *c, uint32_t trials)
{
    struct rng r;
    rng_seed(&r, 1);
    struct event e;
    while (c->n_jobs > 0 && c->n_trials <= trials) {
        uint32_t job = c->job[0].id, trial = c->job[0].trial;
        e = (struct event){.kind = EVENT_job_submitted,
            .job = job,
            .trial = trial,
            .handle = "recorded:x"};
        tell(c, &e);
        e = (struct event){.kind = EVENT_job_ended,
            .job = job,
            .trial = trial,
            .reason = REASON_OK,
            .duration_ms = 60000,
            .n_measures = 1,
            .measure = {{0, .7 + 1e-3 * rng_normal(&r)}}};
        tell(c, &e);
    }
    e = (struct event){.kind = EVENT_campaign_paused};
    if (c->state == CAMPAIGN_RUNNING)
        tell(c, &e);
}

static void
workspace_fill(const char *root, uint32_t campaigns, uint32_t trials)
{
    struct err err = {0};
    struct store *st = NULL;
    struct core *c = mem_calloc(1, sizeof *c);
    campaign_draft(c, trials);
    campaign_drive(c, trials);
    struct store_brief b = {.state = c->state,
        .phase = c->phase,
        .unit = c->spec.unit,
        .ok = c->n_trials,
        .approved_u = c->approved_u,
        .spent_u = c->spent_u};
    if (store_open(root, STORE_CREATE, &st, &err) != 0)
        fail("open", &err);
    for (uint32_t i = 0; i < campaigns; i++) {
        uint32_t id = 0;
        int rc = store_begin(st, &err);
        if (rc == 0)
            rc = store_campaign_create(
                st, "bench", "rea.toml", "0", NULL, 1, &id, &err);
        for (size_t k = 0; rc == 0 && k < n_records; k++)
            rc = store_append_record(st, id, record[k].seq, record[k].kind,
                bytes.data + record[k].at, record[k].len, &err);
        if (rc == 0)
            rc = store_snapshot(st, id, c, &b, &err);
        if (rc == 0)
            rc = store_commit(st, &err);
        if (rc != 0)
            fail("fill", &err);
    }
    store_close(st);
    printf("workspace: %" PRIu32 " campaigns, %" PRIu32 " trials and %zu "
           "events each\n",
        campaigns, c->n_trials, n_records);
    free(c);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
quantile(double *ms, int n, double q)
{
    qsort(ms, (size_t)n, sizeof *ms, compare);
    return ms[(int)((n - 1) * q)];
}

/* One page appended to a file and synced, as a commit does. */
static double
fsync_p50(const char *root, int runs, double *p99)
{
    static double ms[RUNS_MAX];
    char path[512], page[4096] = {1};
    snprintf(path, sizeof path, "%s/fsync", root);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        fail(path, NULL);
    for (int i = 0; i < runs; i++) {
        int64_t t = fs_mono_us();
        if (pwrite(fd, page, sizeof page, (off_t)(i % 64) * 4096) < 0 ||
            fdatasync(fd) != 0)
            fail("fsync", NULL);
        ms[i] = (double)(fs_mono_us() - t) / 1000;
    }
    close(fd);
    *p99 = quantile(ms, runs, .99);
    return quantile(ms, runs, .5);
}

static double
run_ms(const char *rea, const char *root, const char *verb, const char *arg)
{
    pid_t pid;
    int status = 0;
    posix_spawn_file_actions_t to_null;
    char *argv[] = {(char *)(uintptr_t)rea, (char *)(uintptr_t) "-q",
        (char *)(uintptr_t) "-C", (char *)(uintptr_t)root,
        (char *)(uintptr_t)verb, (char *)(uintptr_t)arg, NULL};
    posix_spawn_file_actions_init(&to_null);
    posix_spawn_file_actions_addopen(&to_null, 1, "/dev/null", O_WRONLY, 0);
    int64_t t = fs_mono_us();
    if (posix_spawn(&pid, rea, &to_null, NULL, argv, environ) != 0)
        fail(rea, NULL);
    waitpid(pid, &status, 0);
    double ms = (double)(fs_mono_us() - t) / 1000;
    posix_spawn_file_actions_destroy(&to_null);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench-wake: %s %s exits with %d\n", verb,
            arg != NULL ? arg : "", WEXITSTATUS(status));
        exit(1);
    }
    return ms;
}

int
main(int argc, char **argv)
{
    static double ms[RUNS_MAX];
    uint32_t campaigns = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100;
    uint32_t trials = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 200;
    int runs = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 500;
    char self[256] = "", root[300], rea[300], id[16];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || campaigns < 1 || runs < 1 || runs > RUNS_MAX)
        fail("usage: bench-wake [CAMPAIGNS [TRIALS [RUNS]]]", NULL);
    *strrchr(self, '/') = '\0';
    snprintf(rea, sizeof rea, "%s/rea", self);
    snprintf(root, sizeof root, "%s/bench-wake-XXXXXX", self);
    if (mkdtemp(root) == NULL)
        fail(root, NULL);
    workspace_fill(root, campaigns, trials);
    double f99, f50 = fsync_p50(root, runs, &f99);
    for (int i = 0; i < runs; i++) {
        snprintf(id, sizeof id, "C%" PRIu32, (uint32_t)i % campaigns + 1);
        ms[i] = run_ms(rea, root, "wake", id);
    }
    double w99 = quantile(ms, runs, .99), w50 = quantile(ms, runs, .5);
    double g99, g50 = fsync_p50(root, runs, &g99); /* noise may have moved */
    int some = runs < 50 ? runs : 50;
    for (int i = 0; i < some; i++)
        ms[i] = run_ms(rea, root, "status", NULL);
    double s50 = quantile(ms, some, .5), s99 = quantile(ms, some, .99);
    fs_remove_tree(root, NULL);
    double raw = (f50 + g50) / 2;
    printf("raw fsync          p50 %6.2f ms  p99 %6.2f ms (before), %.2f and "
           "%.2f (after)\n",
        f50, f99, g50, g99);
    printf("rea wake, no news  p50 %6.2f ms  p99 %6.2f ms  beyond raw fsync "
           "%.2f ms (target 5)\n",
        w50, w99, w50 - raw);
    printf("rea status         p50 %6.2f ms  p99 %6.2f ms  (target 20)\n", s50,
        s99);
    return 0;
}
