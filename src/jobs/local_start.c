/* Starting and clearing up on this machine: the shim's command file, the
 * double fork that leaves a shim to init, and the search for processes of a
 * job whose shim died. Called by local.c. */
#include "jobs/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jobs/claim.h"

enum {
    READY_MS = 30000, /* a loaded machine starts programs slowly */
    DISK_FLOOR = 64 << 20,
    ENVIRON_MAX = 2 << 20,
    LEFTOVER_ROUNDS = 40,
};

static void
record_text(struct buf *b, const char *key, const char *value)
{
    buf_printf(b, "%s=%s", key, value);
    buf_putc(b, '\0');
}

static void
record_number(struct buf *b, const char *key, int64_t value)
{
    buf_printf(b, "%s=%lld", key, (long long)value);
    buf_putc(b, '\0');
}

static void
record_list(struct buf *b, const char *key, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        record_text(b, key, list[i]);
}

static int
record_path(struct buf *b, struct arena *a, const char *key,
    const char *run_dir, const char *name, const char *given, struct err *err)
{
    if (given == NULL) {
        record_text(b, key, fs_join_in(a, run_dir, name));
        return 0;
    }
    /* The job runs in its own folder: names must mean the same there. */
    const char *dir;
    int rc = fs_real_in(a, fs_dir_in(a, given), &dir, err);
    if (rc == 0)
        record_text(b, key, fs_join_in(a, dir, fs_base(given)));
    return rc;
}

/* Its folder may not be there yet. A confined job must not choose where that
 * leads, so there it is not watched then. */
static void
record_checkpoint(struct buf *b, struct arena *a, const struct job_spec *spec,
    const char *cwd)
{
    const char *path = spec->checkpoint_path, *dir;
    if (fs_real_in(a, fs_dir_in(a, path), &dir, NULL) == 0)
        record_text(b, "checkpoint", fs_join_in(a, dir, fs_base(path)));
    else if (!spec->boxed)
        record_text(b, "checkpoint", fs_join_in(a, cwd, path));
}

/* The metric of the progress, then the rungs below the top. */
static void
record_rungs(struct buf *b, const struct rung_reader *r)
{
    buf_printf(b, "rungs=%u", r->progress);
    for (uint32_t i = 0; i < r->n; i++)
        buf_printf(b, " %.17g", r->rung[i]);
    buf_putc(b, '\0');
}

int
shim_command_write(const struct jobs *j, const struct job_spec *spec,
    const char *run_dir, struct err *err)
{
    struct arena a = {0};
    struct buf b = {0}, path = {0};
    const char *cwd = NULL;
    int rc = fs_real_in(&a, spec->cwd == NULL ? "." : spec->cwd, &cwd, err);
    if (rc == 0) {
        claim_path(j, spec->token, &path);
        record_text(&b, "token", spec->token);
        record_text(&b, "claim", buf_str(&path));
        record_text(&b, "run_dir", run_dir);
        record_text(&b, "cwd", cwd);
        record_text(&b, "stdout", fs_join_in(&a, run_dir, "stdout.log"));
        record_text(&b, "stderr", fs_join_in(&a, run_dir, "stderr.log"));
        if (spec->boxed)
            record_number(&b, "boxed", 1);
        record_number(&b, "time_ms", spec->time_ms);
        record_number(&b, "budget_ms", spec->budget_ms);
        record_number(&b, "grace_ms", spec->grace_ms);
        record_number(&b, "hang_ms", spec->hang_ms);
        record_number(&b, "delay_ms", spec->delay_ms);
        record_number(&b, "memory_bytes", spec->memory_bytes);
        record_number(&b, "disk_floor",
            spec->disk_floor == 0 ? DISK_FLOOR : spec->disk_floor);
        rc = record_path(&b, &a, "metrics", run_dir, "metrics.jsonl",
            spec->metrics_path, err);
    }
    if (rc == 0 && spec->checkpoint_path != NULL)
        record_checkpoint(&b, &a, spec, cwd);
    if (rc == 0) {
        record_list(&b, "arg", spec->argv);
        record_list(&b, "env", spec->envp);
        record_list(&b, "wake", spec->wake_argv);
        if (spec->watch != NULL) {
            buf_puts(&b, "watch=");
            harvest_spec_put(spec->watch, &b);
            buf_putc(&b, '\0');
        }
        if (spec->rungs != NULL)
            record_rungs(&b, spec->rungs);
        record_number(&b, "pace", spec->pace);
        record_number(&b, "keep", spec->keep);
        if (spec->floor.on) {
            buf_printf(&b, "floor=%.17g", spec->floor.level);
            buf_putc(&b, '\0');
        }
        buf_clear(&path);
        fs_join(&path, run_dir, "shim.cmd");
        rc = fs_write_atomic(buf_str(&path), buf_str(&b), b.len, false, err);
    }
    buf_fini(&b);
    buf_fini(&path);
    arena_fini(&a);
    return rc;
}

static void
shim_become(const char *shim, const char *run_dir, int lease_fd, int ready_fd)
{
    char lease[16], ready[16];
    snprintf(lease, sizeof lease, "%d", lease_fd);
    snprintf(ready, sizeof ready, "%d", ready_fd);
    if (lease_fd >= 0)
        fcntl(lease_fd, F_SETFD, 0);
    fcntl(ready_fd, F_SETFD, 0);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && null >= 0; fd++) {
        if (fd != lease_fd && fd != ready_fd)
            dup2(null, fd);
    }
    const char *argv[] = {shim, run_dir, lease, ready, NULL};
    execv(shim, (char *const *)(uintptr_t)argv);
    dprintf(ready_fd, "%s: %s", shim, strerror(errno));
    _exit(127);
}

/* Reads the shim's word until it closes the pipe. */
static int
ready_wait(int fd, struct err *err)
{
    char word[512];
    size_t n = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int rc = poll(&p, 1, READY_MS);
        if (rc < 0 && errno == EINTR)
            continue;
        if (rc <= 0)
            return err_set(err, -ERR_SYS, "the shim gave no sign within %d s",
                READY_MS / 1000);
        ssize_t got = read(fd, word + n, sizeof word - 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || n + (size_t)got >= sizeof word - 1)
            break;
        n += (size_t)got;
    }
    word[n] = '\0';
    if (strcmp(word, "ok") == 0 || strcmp(word, "lost") == 0)
        return 0;
    return err_set(err, -ERR_SYS, "the shim did not start: %s",
        n == 0 ? "it died at once" : word);
}

int
shim_start(const char *shim, const char *run_dir, int lease_fd, struct err *err)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) != 0)
        return err_sys(err, "pipe");
    pid_t pid = fork();
    if (pid < 0) {
        close(fd[0]);
        close(fd[1]);
        return err_sys(err, "fork");
    }
    if (pid == 0) {
        /* A session of its own and a parent that is gone: no terminal and no
         * waiting process can take the shim along. */
        setsid();
        pid_t second = fork();
        if (second == 0)
            shim_become(shim, run_dir, lease_fd, fd[1]);
        _exit(second < 0 ? 1 : 0);
    }
    close(fd[1]);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    int rc = ready_wait(fd[0], err);
    close(fd[0]);
    return rc;
}

static bool
environ_has(const char *pid, const char *mark, char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t n = 0;
    ssize_t got;
    while (n < ENVIRON_MAX - 1 &&
           (got = read(fd, text + n, ENVIRON_MAX - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
    text[n] = '\0';
    for (size_t at = 0; at < n; at += strlen(text + at) + 1) {
        if (strcmp(text + at, mark) == 0)
            return true;
    }
    return false;
}

static uint32_t
leftovers_signal(const char *mark, char *text)
{
    uint32_t n = 0;
    DIR *d = opendir("/proc");
    if (d == NULL)
        return 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid <= 1 || pid == getpid() || !environ_has(e->d_name, mark, text))
            continue;
        n++;
        kill((pid_t)pid, SIGKILL);
    }
    closedir(d);
    return n;
}

uint32_t
leftovers_kill(const char *token)
{
    char mark[TOKEN_LEN + 16];
    snprintf(mark, sizeof mark, "REA_TOKEN=%s", token);
    char *text = mem_calloc(1, ENVIRON_MAX);
    uint32_t n = 0;
    for (int i = 0; i < LEFTOVER_ROUNDS; i++) {
        n = leftovers_signal(mark, text);
        if (n == 0)
            break;
        struct timespec ts = {.tv_nsec = 50000000};
        nanosleep(&ts, NULL);
    }
    free(text);
    return n;
}
