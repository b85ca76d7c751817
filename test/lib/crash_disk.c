/* A disk that fails under wakes: the power is cut, or calls fail. The small
 * campaign of crash/campaign.h is lived once undisturbed, from the plan to its
 * end, every call written down. Then
 *   --power=K  the power is cut at K places spread over all those calls. From
 *              what the disk kept (crash/disk.h) the next wake or sweep must
 *              recover, and the campaign is lived to its end. Nothing
 *              acknowledged may be missing, and log and books must be those of
 *              the undisturbed life, at once and at the end.
 *   --pairs=K  the same, and the power is cut again while it recovers.
 *   --io=N     every N-th call fails once, in one way each; --io-all: every
 *              call, in every way. The wake must end by itself, say why when it
 *              did not do its work, and the next one must find all as it was.
 *   --lie=files, --lie=folders (power), --lie (I/O): controls. The disk forgets
 *              what it was told to sync, or drops a change and tells success;
 *              that must be caught.
 *   --seed=S   other places, other wrecks.
 * Exit code 0: no violation, or, for a control, at least one. */
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/rng.h"
#include "crash/calls.h"
#include "crash/campaign.h"
#include "crash/disk.h"

enum { STEP_DRAFT, STEP_APPROVE, STEP_RUN, STEP_WAKE, SHOWN_MAX = 8 };

struct step {
    unsigned char *log; /* its calls */
    size_t len;
    uint64_t calls, can_fail;
    struct digest after;
};

static struct step step[STEPS_MAX];
static int n_steps;
static struct digest whole_log;
static uint64_t n_calls, points, second, violations, fired, said;
static uint64_t seed = 1;
static enum disk_lie lie;
static bool is_control;

static void
violation(int i, const char *where, uint64_t n, const char *what)
{
    violations++;
    if (violations <= SHOWN_MAX && !is_control)
        printf("violation: step %d, %s %" PRIu64 ": %s\n", i, where, n, what);
}

/* ---- steps ---- */

static void
step_clock(int i)
{
    clock_set(CLOCK_MS + (int64_t)(i > STEP_RUN ? i - STEP_RUN : 0) * STEP_MS);
}

static int
step_do(int i, bool sweep, struct err *err)
{
    if (i == STEP_DRAFT)
        return campaign_draft(err);
    if (i == STEP_APPROVE)
        return campaign_approve(err);
    if (i == STEP_RUN)
        return wake_once(MODE_RUN, err);
    return wake_once(sweep ? MODE_SWEEP : MODE_WAKE, err);
}

/* In a process of its own, as every activation. -1: it died; else its exit
 * code, 1 with a message, 2 without. */
static int
step_fork(int i, bool sweep)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        calls_begin();
        int rc = step_do(i, sweep, &err);
        _exit(rc == 0 ? 0 : err.text[0] != '\0' ? 1 : 2);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        die("fork");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
record_begin(void)
{
    calls->len = 0;
    calls->seen = calls->fired = calls->fail_at = 0;
    calls->recording = true;
}

/* The undisturbed life, from the plan to the end. */
static void
life_record(void)
{
    struct err err = {0};
    bool over = false;
    for (n_steps = 0; !over && n_steps < STEPS_MAX; n_steps++) {
        struct step *s = &step[n_steps];
        step_clock(n_steps);
        record_begin();
        if (step_fork(n_steps, false) != 0)
            die("undisturbed");
        s->len = calls->len;
        s->can_fail = calls->seen;
        s->log = mem_calloc(s->len + 1, 1);
        memcpy(s->log, calls->log, s->len);
        for (size_t at = 0; at < s->len; s->calls++)
            at += call_bytes((const struct call *)(s->log + at));
        n_calls += s->calls;
        must(digest_take(&s->after, &err), "undisturbed", &err);
        over = s->after.state == CAMPAIGN_DONE ||
               s->after.state == CAMPAIGN_STOPPED;
    }
    must(log_take(&whole_log, &err), "log", &err);
    if (!over)
        die("the campaign did not end");
}

/* ---- recovery ---- */

/* The engineer says again what he was not told had been done; all else is the
 * wake's or the sweep's to find. */
static int
recover(int i, bool sweep, struct digest *got, struct err *err)
{
    struct digest found = {0};
    int rc = 0;
    if (digest_take(&found, NULL) != 0)
        rc = campaign_draft(err);
    if (rc == 0 && i >= STEP_APPROVE && found.state < CAMPAIGN_APPROVED)
        rc = campaign_approve(err);
    if (rc == 0 && i >= STEP_RUN)
        rc = wake_once(sweep ? MODE_SWEEP : MODE_WAKE, err);
    buf_clear(&found.text);
    if (rc == 0)
        rc = digest_take(&found, err);
    if (rc == 0 && i >= STEP_RUN && found.state == CAMPAIGN_APPROVED)
        rc = wake_once(MODE_RUN, err);
    buf_fini(&found.text);
    return rc == 0 ? digest_take(got, err) : rc;
}

/* Recovers from what lies on the disk after step i was disturbed, and lives on
 * to the end. */
static void
life_check(int i, bool sweep, bool to_end, const char *where, uint64_t n)
{
    struct err err = {0};
    struct digest got = {0};
    char text[320];
    int rc = recover(i, sweep, &got, &err), at = i;
    while (rc == 0 && digest_same(&got, &step[at].after) && to_end &&
           at + 1 < n_steps) {
        step_clock(++at);
        buf_clear(&got.text);
        got.events = 0;
        rc = step_do(at, false, &err);
        if (rc == 0)
            rc = digest_take(&got, &err);
    }
    if (rc != 0 || !digest_same(&got, &step[at].after)) {
        char other[DIFFER_LEN];
        digest_differ(&got, &step[at].after, other);
        snprintf(text, sizeof text, "after step %d: %.200s", at,
            rc != 0 ? err.text : other);
        violation(i, where, n, text);
    } else if (n % 64 == 0 && !integrity_ok()) {
        violation(i, where, n, "the database is damaged");
    }
    buf_fini(&got.text);
    step_clock(i);
}

/* What was acknowledged is in the log, which is the undisturbed one's begin. */
static void
acknowledged_check(int i, int64_t acked, uint64_t n)
{
    struct err err = {0};
    struct digest got = {0};
    int rc = log_take(&got, &err);
    bool begins =
        got.text.len <= whole_log.text.len &&
        (got.text.len == 0 ||
            memcmp(got.text.data, whole_log.text.data, got.text.len) == 0);
    if (acked > 0 && (rc != 0 || (int64_t)got.events < acked))
        violation(i, "call", n,
            rc != 0 ? err.text : "events that were acknowledged are gone");
    else if (rc == 0 && !begins)
        violation(i, "call", n, "the log does not begin like the undisturbed");
    buf_fini(&got.text);
}

/* ---- the power ---- */

/* The power is cut again at a random call of the recovery. */
static void
recovery_cut(int i, bool sweep, struct rng *r)
{
    struct disk *d = disk_scan(work, lie);
    struct digest now = {0};
    uint64_t n = 0;
    int todo = i;
    if (i >= STEP_RUN) /* the engineer's word is said again afterwards */
        todo = STEP_WAKE;
    if (digest_take(&now, NULL) != 0)
        todo = STEP_DRAFT;
    buf_fini(&now.text);
    record_begin();
    step_fork(todo, sweep);
    for (size_t at = 0; at < calls->len; n++)
        at += call_bytes((const struct call *)(calls->log + at));
    uint64_t until = rng_below(r, n + 1);
    for (size_t at = 0; until > 0; until--) {
        const struct call *c = (const struct call *)(calls->log + at);
        disk_apply(d, c);
        at += call_bytes(c);
    }
    disk_cut(d, r);
    disk_free(d);
    second++;
}

static void
power_cut(const struct disk *d, int i, uint64_t n, int64_t acked, bool twice,
    uint64_t stream)
{
    static struct rng r;
    rng_seed2(&r, seed, stream);
    bool sweep = rng_below(&r, 2) == 0;
    disk_cut(d, &r);
    points++;
    acknowledged_check(i, acked, n);
    if (twice)
        recovery_cut(i, sweep, &r);
    life_check(i, sweep, true, "call", n);
}

/* count cuts, spread evenly over all calls of the life. */
static void
power_sweep(uint64_t count, bool twice)
{
    struct err err = {0};
    uint64_t g = 0, done = 0;
    int64_t acked = 0;
    fs_remove_tree(work, NULL);
    project_write();
    struct disk *d = disk_scan(work, lie);
    for (int i = 0; i < n_steps; i++) {
        uint64_t n = 0;
        step_clock(i);
        for (size_t at = 0; at < step[i].len; n++, g++) {
            const struct call *c = (const struct call *)(step[i].log + at);
            for (; done < (g + 1) * count / n_calls; done++)
                power_cut(d, i, n, acked, twice, done);
            disk_apply(d, c);
            if (c->kind == CALL_ACK)
                acked = c->at;
            at += call_bytes(c);
        }
    }
    must(err.code, "power", &err);
    disk_free(d);
}

/* ---- calls that fail ---- */

static void
call_fail(int i, uint64_t n, enum fault fault, const char *kept)
{
    static const char *const names[] = {
        "none", "EIO", "ENOSPC", "short write", "disk full", "", "lie"};
    char where[64];
    fs_remove_tree(work, NULL);
    tree_copy(kept, work);
    record_begin();
    calls->recording = false;
    calls->fail_at = n;
    calls->fault = fault;
    calls->name[0] = '\0';
    int rc = step_fork(i, false);
    if (calls->fired == 0)
        return;
    points++;
    fired += calls->fired;
    snprintf(where, sizeof where, "%s at %s, call", names[fault], calls->name);
    if (rc == 0) { /* it went on: then its work must be done */
        struct digest got = {0};
        if (digest_take(&got, NULL) != 0 || !digest_same(&got, &step[i].after))
            violation(i, where, n, "not done, and nobody was told");
        buf_fini(&got.text);
    } else if (rc == 1) {
        said++;
    } else {
        violation(i, where, n, rc < 0 ? "it died" : "no message");
    }
    life_check(i, points % 2 == 0, false, where, n);
}

static void
io_sweep(uint64_t stride, bool all)
{
    char kept[96];
    uint64_t g = seed;
    snprintf(kept, sizeof kept, "%s/kept", base);
    fs_remove_tree(work, NULL);
    project_write();
    for (int i = 0; i < n_steps; i++) {
        struct err err = {0};
        step_clock(i);
        fs_remove_tree(kept, NULL);
        tree_copy(work, kept);
        for (uint64_t n = 1 + g % stride; n <= step[i].can_fail; n += stride) {
            if (is_control)
                call_fail(i, n, FAULT_LIE, kept);
            for (int f = 1; f < FAULT_COUNT && !is_control; f++)
                if (all || (uint64_t)f == 1 + g % (FAULT_COUNT - 1))
                    call_fail(i, n, (enum fault)f, kept);
            g++;
        }
        fs_remove_tree(work, NULL);
        tree_copy(kept, work);
        must(step_do(i, false, &err), "step", &err);
    }
}

/* ---- */

static const char *
numbers_name(void)
{
    return "constant";
}

static uint32_t
numbers_next(void)
{
    return 0x5a5a5a5a;
}

static void
numbers_fill(void *const to, const size_t n)
{
    memset(to, 0x5a, n);
}

int
main(int argc, char **argv)
{
    /* the workspace's number is the same in every life */
    static randombytes_implementation numbers = {
        .implementation_name = numbers_name,
        .random = numbers_next,
        .buf = numbers_fill};
    uint64_t power = 0, pairs = 0, stride = 0;
    bool all = false;
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "--power=%" SCNu64, &power) == 1 ||
            sscanf(argv[i], "--pairs=%" SCNu64, &pairs) == 1 ||
            sscanf(argv[i], "--io=%" SCNu64, &stride) == 1 ||
            sscanf(argv[i], "--seed=%" SCNu64, &seed) == 1)
            continue;
        all = all || strcmp(argv[i], "--io-all") == 0;
        if (strcmp(argv[i], "--lie=files") == 0)
            lie = DISK_NO_FILE_SYNC;
        if (strcmp(argv[i], "--lie=folders") == 0)
            lie = DISK_NO_FOLDER_SYNC;
        is_control = is_control || strncmp(argv[i], "--lie", 5) == 0;
        is_pooled = is_pooled || strcmp(argv[i], "--pool") == 0;
    }
    randombytes_set_implementation(&numbers);
    folder_make();
    calls_init(work);
    project_write();
    life_record();
    power_sweep(power, false);
    power_sweep(pairs, true);
    if (all || stride > 0)
        io_sweep(all ? 1 : stride, all);
    fs_remove_tree(base, NULL);
    printf("%d steps, %" PRIu64 " calls that change the disk; %" PRIu64
           " points, %" PRIu64 " of them cut again in recovery",
        n_steps, n_calls, points, second);
    if (all || stride > 0)
        printf("; %" PRIu64 " calls failed, %" PRIu64
               " wakes said so, the others had done their work",
            fired, said);
    printf("; %" PRIu64 " violations\n", violations);
    if (is_control)
        return violations > 0 ? 0 : 1;
    return points > 0 && violations == 0 ? 0 : 1;
}
