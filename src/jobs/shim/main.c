/* The supervisor's loop: claim the token, start the job, watch, end it when a
 * limit is passed, clear up what it left, write exit.json, call the wake.
 * Started by local.c as `rea-shim RUN_DIR LEASE_FD READY_FD`.
 * Invariant: exit.json appears once no process of the job is left, and before
 * the wake is called; whatever fails in between is found by a sweep. */
#include "jobs/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "jobs/proc_stat.h"

enum {
    TICK_MS = 250, /* memory, while a limit is set */
    IDLE_TICK_MS = 1000,
    DISK_TICKS_MS = 5000,
    KILL_TICK_MS = 50, /* between looks at processes that are being killed */
    LEFTOVER_GRACE_MS = 2000,
    DUMP_MS = 1000, /* between SIGUSR1 and SIGTERM */
};

int64_t
boot_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
wall_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
shim_end(
    struct shim *s, enum reason reason, enum ending how, const char *fmt, ...)
{
    if (s->reason != REASON_NONE || s->job_over)
        return;
    s->reason = reason;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->detail, sizeof s->detail, fmt, ap);
    va_end(ap);
    int64_t now = boot_now_ms();
    if (how == ENDING_DUMP) {
        kill(-s->job, SIGUSR1);
        s->term_at_ms = now + DUMP_MS;
        s->kill_at_ms = now + DUMP_MS + s->cmd.grace_ms;
    } else if (how == ENDING_TERM) {
        kill(-s->job, SIGTERM);
        s->kill_at_ms = now + s->cmd.grace_ms;
    } else {
        s->kill_at_ms = now;
    }
}

/* Reaps whatever ended: the job's first process, and orphans that came to us
 * as their sub-reaper. */
static void
reap(struct shim *s)
{
    for (;;) {
        int status;
        struct rusage ru;
        pid_t pid = wait4(-1, &status, WNOHANG, &ru);
        if (pid <= 0)
            return;
        s->cpu_us +=
            (int64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
            ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
        if ((int64_t)ru.ru_maxrss * 1024 > s->max_rss_bytes)
            s->max_rss_bytes = (int64_t)ru.ru_maxrss * 1024;
        if (pid != s->job)
            continue;
        s->job_over = true;
        s->status = status;
    }
}

static bool
has_cancel_mark(const struct shim *s)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/cancel", s->cmd.run_dir);
    return access(path, F_OK) == 0;
}

static void
signals_take(struct shim *s)
{
    struct signalfd_siginfo si;
    while (read(s->signal_fd, &si, sizeof si) == (ssize_t)sizeof si) {
        if (si.ssi_signo == SIGCHLD)
            continue;
        /* A scheduler's warning, meant for the job. */
        if (si.ssi_signo == SIGUSR1 || si.ssi_signo == SIGUSR2) {
            if (s->job > 0 && !s->job_over)
                kill(-s->job, (int)si.ssi_signo);
            continue;
        }
        /* Our own side leaves a mark before it signals; anybody else is the
         * machine being taken away. */
        if (has_cancel_mark(s))
            shim_end(s, REASON_CANCELLED, ENDING_TERM, "cancelled");
        else
            shim_end(s, REASON_PREEMPTED, ENDING_TERM,
                "the supervisor got signal %d", (int)si.ssi_signo);
    }
    reap(s);
}

static void
limits_watch(struct shim *s, int64_t now)
{
    int64_t ran = now - s->start_boot_ms;
    if (s->cmd.time_ms > 0 && ran >= s->cmd.time_ms)
        shim_end(s, REASON_TIMEOUT, ENDING_TERM, "ran %.1f s, the limit",
            (double)ran / 1000.0);
    if (s->cmd.budget_ms > 0 && ran >= s->cmd.budget_ms)
        shim_end(s, REASON_BUDGET, ENDING_TERM,
            "ran %.1f s, all that is paid for", (double)ran / 1000.0);
    if (s->term_at_ms > 0 && now >= s->term_at_ms) {
        kill(-s->job, SIGTERM);
        s->term_at_ms = 0;
    }
    if (s->kill_at_ms > 0 && now >= s->kill_at_ms) {
        kill(-s->job, SIGKILL);
        tree_signal(&s->tree, SIGKILL);
        s->killed = true;
        s->kill_at_ms = now + KILL_TICK_MS;
    }
}

static int64_t
min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void
wait_ms(const struct shim *s, int64_t ms)
{
    struct pollfd p = {.fd = s->signal_fd, .events = POLLIN};
    poll(&p, 1, ms < 0 ? 0 : (int)min_ms(ms, IDLE_TICK_MS));
}

static int64_t
next_look_ms(const struct shim *s, int64_t now)
{
    int64_t ms = s->cmd.memory_bytes > 0 ? TICK_MS : IDLE_TICK_MS;
    if (s->cmd.time_ms > 0 && s->reason == REASON_NONE)
        ms = min_ms(ms, s->start_boot_ms + s->cmd.time_ms - now);
    if (s->cmd.budget_ms > 0 && s->reason == REASON_NONE)
        ms = min_ms(ms, s->start_boot_ms + s->cmd.budget_ms - now);
    if (s->term_at_ms > 0)
        ms = min_ms(ms, s->term_at_ms - now);
    if (s->kill_at_ms > 0)
        ms = min_ms(ms, s->kill_at_ms - now);
    return ms;
}

static void
job_watch(struct shim *s)
{
    int64_t slow_at = 0, disk_at = 0;
    while (!s->job_over) {
        int64_t now = boot_now_ms();
        limits_watch(s, now);
        if (now >= disk_at) {
            watch_disk(s);
            disk_at = now + DISK_TICKS_MS;
        }
        if (s->cmd.memory_bytes > 0 || now >= slow_at)
            watch_memory(s);
        if (now >= slow_at) {
            /* another host's rea can't signal us */
            if (has_cancel_mark(s))
                shim_end(s, REASON_CANCELLED, ENDING_TERM, "cancelled");
            watch_metrics(s);
            keep_look(s);
            watch_rungs(s);
            watch_pace(s, now);
            watch_life(s, now);
            slow_at = now + IDLE_TICK_MS;
        }
        wait_ms(s, next_look_ms(s, boot_now_ms()));
        signals_take(s);
    }
}

/* Daemons and workers that outlived the first process: they hold memory and
 * may write, so the job has not ended while one is left. */
static void
leftovers_end(struct shim *s)
{
    int64_t grace = min_ms(s->cmd.grace_ms, LEFTOVER_GRACE_MS);
    int64_t kill_at = boot_now_ms() + grace;
    if (tree_signal(&s->tree, SIGTERM) == 0)
        return;
    for (;;) {
        reap(s);
        tree_scan(&s->tree);
        if (s->tree.n == 0)
            return;
        if (boot_now_ms() >= kill_at)
            tree_signal(&s->tree, SIGKILL);
        wait_ms(s, KILL_TICK_MS);
        signals_take(s);
    }
}

/* As its scheduler calls it: that is the name by which it can be avoided. */
static void
host_name(char *out, size_t cap)
{
    const char *node = getenv("SLURMD_NODENAME");
    if (node != NULL && strlen(node) < cap)
        snprintf(out, cap, "%s", node);
    else if (gethostname(out, cap - 1) != 0)
        out[0] = '\0';
}

static int
shim_prepare(struct shim *s, const char *run_dir, struct err *err)
{
    int rc = command_load(&s->cmd, run_dir, err);
    if (rc != 0)
        return rc;
    if (proc_read("/proc/sys/kernel/random/boot_id", s->boot_id,
            sizeof s->boot_id) > 0)
        s->boot_id[strcspn(s->boot_id, "\n")] = '\0';
    host_name(s->host, sizeof s->host);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGUSR2);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    s->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->signal_fd < 0)
        return err_sys(err, "signalfd");
    /* No folder of the user's is kept busy for days. */
    if (chdir("/") != 0)
        return err_sys(err, "chdir /");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return err_sys(err, "sub-reaper");
    return 0;
}

/* Tells the waiting submitter: "ok", "lost" or the error. */
static void
ready_tell(struct shim *s, const char *text)
{
    if (s->ready_fd >= 0 && write(s->ready_fd, text, strlen(text)) < 0)
        errno = 0; /* It may have died; the claim tells the same. */
    if (s->ready_fd < 0 && strcmp(text, "ok") != 0)
        fprintf(stderr, "rea-shim: %s\n", text); /* to a scheduler's log */
    if (s->ready_fd >= 0)
        close(s->ready_fd);
    s->ready_fd = -1;
}

static int
shim_claim(struct shim *s, struct err *err)
{
    /* The claim goes first: a duplicate must not touch the run folder. */
    int rc = claim_take(s, err);
    if (rc != 0)
        return rc;
    /* A late duplicate in a scheduler's queue: its job was settled, and the
     * claim dropped. */
    if (exit_is_there(s)) {
        unlink(s->cmd.claim);
        return 1;
    }
    s->start_ms = wall_now_ms();
    s->start_boot_ms = boot_now_ms();
    rc = exit_reserve(s, err);
    /* Also before the job, which may fill the disk at once. */
    if (rc == 0)
        rc = shim_json_write(s, err);
    if (rc != 0) {
        unlink(s->cmd.claim);
        return rc;
    }
    if (s->lease_fd >= 0)
        close(s->lease_fd);
    return 0;
}

/* A retry waits for what broke to pass. There is no job to pass a signal on to
 * yet: whoever tells us to end ends the wait, and the attempt with it. */
static void
delay_wait(struct shim *s)
{
    int64_t end = boot_now_ms() + s->cmd.delay_ms;
    struct signalfd_siginfo si;
    for (int64_t now = boot_now_ms(); now < end; now = boot_now_ms()) {
        wait_ms(s, end - now);
        if (has_cancel_mark(s))
            return;
        while (read(s->signal_fd, &si, sizeof si) == (ssize_t)sizeof si) {
            if (si.ssi_signo == SIGCHLD || si.ssi_signo == SIGUSR1 ||
                si.ssi_signo == SIGUSR2)
                continue;
            s->reason =
                REASON_PREEMPTED; /* by us: the mark is looked at next */
            snprintf(s->detail, sizeof s->detail,
                "the supervisor got signal %d before the job began",
                (int)si.ssi_signo);
            return;
        }
    }
    s->start_ms = wall_now_ms();
    s->start_boot_ms = boot_now_ms();
}

static int
shim_run(struct shim *s, struct err *err)
{
    int rc = 0;
    if (s->cmd.delay_ms > 0 && !has_cancel_mark(s))
        delay_wait(s);
    if (has_cancel_mark(s)) {
        s->reason = REASON_CANCELLED;
        snprintf(s->detail, sizeof s->detail, "cancelled before it began");
    } else if (s->reason == REASON_NONE) {
        /* Before the launch: what the job writes first counts too. */
        watch_init(s, boot_now_ms());
        rc = job_launch(s, err);
        if (rc == 0)
            job_watch(s);
        leftovers_end(s);
        if (rc != 0 && s->reason == REASON_NONE) {
            s->reason = REASON_LAUNCH_FAIL;
            snprintf(s->detail, sizeof s->detail, "%.200s", err->text);
        }
    }
    s->end_ms = wall_now_ms();
    s->end_boot_ms = boot_now_ms();
    keep_end(s);
    return exit_write(s, err);
}

/* Descriptors of the submitting process that were left open would outlive it
 * here, locks among them. */
static void
strangers_close(int keep, int keep_too)
{
    int lo = keep < keep_too ? keep : keep_too;
    int hi = keep < keep_too ? keep_too : keep;
    lo = lo < 3 ? 2 : lo;
    hi = hi < 3 ? 2 : hi;
    if (lo > 3)
        close_range(3, (unsigned)lo - 1, 0);
    if (hi > lo + 1)
        close_range((unsigned)lo + 1, (unsigned)hi - 1, 0);
    close_range((unsigned)hi + 1, ~0u, 0);
}

/* The shim has no terminal; what went wrong goes beside the wake's words. */
static void
failure_note(const struct shim *s, const struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/wake.log", s->cmd.run_dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    dprintf(fd, "rea-shim: %s\n", err->text);
    close(fd);
}

int
main(int argc, char **argv)
{
    static struct shim s; /* too big for a stack that shall stay small */
    struct err err = {0};
    if (argc != 4) {
        fprintf(stderr, "usage: rea-shim RUN_DIR LEASE_FD READY_FD\n"
                        "started by rea for each job; not by hand\n");
        return 2;
    }
    s.lease_fd = (int)strtol(argv[2], NULL, 10);
    s.ready_fd = (int)strtol(argv[3], NULL, 10);
    strangers_close(s.lease_fd, s.ready_fd);
    if (s.lease_fd >= 0)
        fcntl(s.lease_fd, F_SETFD, FD_CLOEXEC);
    if (s.ready_fd >= 0)
        fcntl(s.ready_fd, F_SETFD, FD_CLOEXEC);
    int rc = shim_prepare(&s, argv[1], &err);
    if (rc == 0)
        rc = shim_claim(&s, &err);
    if (rc != 0) {
        ready_tell(&s, rc > 0 ? "lost" : err.text);
        return rc > 0 ? 0 : 1;
    }
    ready_tell(&s, "ok");
    rc = shim_run(&s, &err);
    if (rc != 0)
        failure_note(&s, &err);
    wake_call(&s);
    return rc == 0 ? 0 : 1;
}
