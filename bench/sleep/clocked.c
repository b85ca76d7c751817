/* Spawning, waiting and sorting for the benches of cold wakes. */
#include "sleep/clocked.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

extern char **environ;

static void
fail(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

void
series_add(struct series *s, double ms)
{
    if (s->n < SAMPLES_MAX)
        s->ms[s->n++] = ms;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double
series_at(struct series *s, double quantile)
{
    if (s->n == 0)
        return 0;
    qsort(s->ms, (size_t)s->n, sizeof *s->ms, compare);
    return s->ms[(int)((s->n - 1) * quantile)];
}

void
raw_open(struct raw *r, const char *root)
{
    char path[512];
    snprintf(path, sizeof path, "%s/fsync", root);
    *r = (struct raw){.fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)};
    if (r->fd < 0)
        fail(path);
}

double
raw_ms(struct raw *r)
{
    const char page[4096] = {1};
    int64_t t = fs_mono_us();
    if (pwrite(r->fd, page, sizeof page, (off_t)(r->i++ % 64) * 4096) < 0 ||
        fdatasync(r->fd) != 0)
        fail("fsync");
    return (double)(fs_mono_us() - t) / 1000;
}

void
raw_close(struct raw *r)
{
    close(r->fd);
}

int
run_start(
    const char *program, const char *root, const char *verb, const char *arg)
{
    pid_t pid;
    posix_spawn_file_actions_t to_null;
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "-q",
        (char *)(uintptr_t) "-C", (char *)(uintptr_t)root,
        (char *)(uintptr_t)verb, (char *)(uintptr_t)arg, NULL};
    posix_spawn_file_actions_init(&to_null);
    posix_spawn_file_actions_addopen(&to_null, 1, "/dev/null", O_WRONLY, 0);
    errno = posix_spawn(&pid, program, &to_null, NULL, argv, environ);
    if (errno != 0)
        fail(program);
    posix_spawn_file_actions_destroy(&to_null);
    return pid;
}

struct cost
run_once(
    const char *program, const char *root, const char *verb, const char *arg)
{
    int status = 0;
    struct rusage u;
    int64_t t = fs_mono_us();
    int pid = run_start(program, root, verb, arg);
    if (wait4(pid, &status, 0, &u) != pid)
        fail("wait");
    struct cost c = {.wall_ms = (double)(fs_mono_us() - t) / 1000,
        .cpu_ms = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
                  (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000};
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench: %s %s exits with %d\n", verb,
            arg != NULL ? arg : "", WEXITSTATUS(status));
        exit(1);
    }
    return c;
}
