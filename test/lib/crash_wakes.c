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
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/rng.h"
#include "crash/campaign.h"
#include "jobs/jobs.h"
#include "store/lease.h"
#include "store/store.h"
#include "wake/wake.h"

static char kept[96];
static bool is_control;
static uint64_t random_kills, random_seed = 1; /* kills a wake; 0: all points */

/* ---- folders ---- */

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

static int
wake_tried(enum mode mode, struct err *err)
{
    struct store *st = NULL;
    if (!is_control || mode == MODE_RUN)
        return wake_once(mode, err);
    int rc = store_open(work, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = control_end(st, err);
    if (rc == 0)
        rc = wake_in(st, mode, err);
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
        int rc = wake_tried(mode, &err);
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

struct count {
    uint64_t wakes, calls, points, violations, events;
    bool granted; /* the pool gave money at least once */
};

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
    int rc = wake_tried(k->points % 2 == 0 ? MODE_SWEEP : MODE_WAKE, &err);
    if (rc == 0)
        rc = digest_take(&got, &err);
    if (rc == 0 && mode == MODE_RUN && got.state == CAMPAIGN_APPROVED) {
        rc = wake_tried(MODE_RUN, &err);
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
        rc = wake_tried(begin ? MODE_RUN : MODE_WAKE, &err);
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
    folder_make();
    snprintf(kept, sizeof kept, "%s/kept", base);
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
