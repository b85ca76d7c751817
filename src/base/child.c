/* Runs a short-lived program and takes its output. Called by verbs and patches.
 * The child is reaped before the return, whatever happens. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

static void
child_exec(const char *const *argv, const char *const *env, bool whole,
    const char *cwd, int out_fd)
{
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd >= 0)
        dup2(null_fd, STDIN_FILENO);
    dup2(out_fd, STDOUT_FILENO);
    dup2(out_fd, STDERR_FILENO);
    if (cwd != NULL && chdir(cwd) != 0)
        _exit(127);
    if (whole)
        clearenv();
    for (; env != NULL && *env != NULL; env++)
        putenv((char *)(uintptr_t)*env);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Reads until the end, the limit of time, or an error. false: time is up. */
static bool
child_drain(int fd, int64_t until_ms, struct buf *out)
{
    char chunk[4096];
    for (;;) {
        int64_t left = until_ms - fs_boot_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0)
            return false;
        int rc = poll(&p, 1, (int)left);
        if (rc < 0 && errno == EINTR)
            continue;
        if (rc == 0)
            return false;
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n <= 0)
            return true;
        if (out->len + (size_t)n <= CHILD_OUT_MAX)
            buf_add(out, chunk, (size_t)n);
    }
}

static int
child_start(const char *const *argv, const char *const *env, bool whole,
    const char *cwd, int timeout_ms, struct buf *out, int *code,
    struct err *err)
{
    int fds[2];
    int status = 0;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_sys(err, "pipe for %s", argv[0]);
    pid_t pid = fork();
    if (pid < 0) {
        close(fds[0]);
        close(fds[1]);
        return err_sys(err, "fork for %s", argv[0]);
    }
    if (pid == 0) {
        setpgid(0, 0);
        child_exec(argv, env, whole, cwd, fds[1]);
    }
    close(fds[1]);
    bool ended = child_drain(fds[0], fs_boot_ms() + timeout_ms, out);
    close(fds[0]);
    if (!ended)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *code = !ended              ? 124
            : WIFEXITED(status) ? WEXITSTATUS(status)
                                : 128 + WTERMSIG(status);
    return 0;
}

int
child_run(const char *const *argv, const char *const *env, const char *cwd,
    int timeout_ms, struct buf *out, int *code, struct err *err)
{
    return child_start(argv, env, false, cwd, timeout_ms, out, code, err);
}

int
child_run_as(const char *const *argv, const char *const *env, const char *cwd,
    int timeout_ms, struct buf *out, int *code, struct err *err)
{
    return child_start(argv, env, true, cwd, timeout_ms, out, code, err);
}

const char *
git_line(struct arena *a, const char *root, const char *const *env, ...)
{
    const char *argv[24] = {"git", "-C", root};
    size_t n = 3;
    va_list ap;
    va_start(ap, env);
    for (const char *w; n < 23 && (w = va_arg(ap, const char *)) != NULL;)
        argv[n++] = w;
    va_end(ap);
    struct buf out = {0};
    struct err ignored = {0};
    int code = 0;
    const char *line = NULL;
    int rc = child_run(argv, env, NULL, 20000, &out, &code, &ignored);
    if (rc == 0 && code == 0) {
        size_t len = out.len;
        while (len > 0 && (out.data[len - 1] == '\n'))
            len--;
        line = arena_strndup(a, buf_str(&out), len);
    }
    buf_fini(&out);
    return line;
}
