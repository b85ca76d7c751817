/* Runs a user's command for a short while and keeps what it says. Called by
 * `rea check` and `rea init`. Invariant: when probe_run returns, nothing in
 * the command's process group is left. */
#include "jobs/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

enum { TIME_MS = 10000, GRACE_MS = 1000, LOOK_MS = 100 };

struct run {
    const struct probe *p;
    struct probe_result *r;
    pid_t pid;
    int fd[2]; /* read ends of output and error; -1: closed */
    int64_t start_ms, kill_at_ms; /* kill_at 0: not told to stop */
    int status;
    bool over;
};

/* In memory only: an input may be a secret. */
static int
input_open(const char *text)
{
    size_t n = strlen(text);
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, text, n) != (ssize_t)n || lseek(fd, 0, 0) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void
child_become(
    const struct probe *p, const int out[2], const int err[2], int fail)
{
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int in = p->input != NULL ? input_open(p->input)
                              : open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool ready = in >= 0 && dup2(in, 0) >= 0 && dup2(out[1], 1) >= 0 &&
                 dup2(err[1], 2) >= 0 && (p->cwd == NULL || chdir(p->cwd) == 0);
    for (size_t i = 0; ready && p->envp != NULL && p->envp[i] != NULL; i++)
        ready = putenv((char *)(uintptr_t)p->envp[i]) == 0;
    if (ready)
        execvp(p->argv[0], (char *const *)(uintptr_t)p->argv);
    int e = errno;
    _exit(write(fail, &e, sizeof e) == (ssize_t)sizeof e ? 127 : 126);
}

static int
child_start(struct run *x, struct err *err)
{
    int out[2], er[2], fail[2], e = 0;
    if (pipe2(out, O_CLOEXEC) != 0)
        return err_sys(err, "pipe");
    if (pipe2(er, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return err_sys(err, "pipe");
    }
    if (pipe2(fail, O_CLOEXEC) != 0)
        fail[0] = fail[1] = -1;
    x->pid = fork();
    if (x->pid == 0)
        child_become(x->p, out, er, fail[1]);
    close(out[1]);
    close(er[1]);
    close(fail[1]);
    x->fd[0] = out[0];
    x->fd[1] = er[0];
    if (x->pid < 0) {
        close(fail[0]);
        return err_sys(err, "fork");
    }
    setpgid(x->pid, x->pid);
    bool failed = read(fail[0], &e, sizeof e) == (ssize_t)sizeof e;
    close(fail[0]);
    if (!failed)
        return 0;
    waitpid(x->pid, NULL, 0);
    errno = e;
    return e == ENOENT || e == EACCES || e == ENOEXEC || e == ENOTDIR
               ? err_set(err, -ERR_NOT_FOUND, "%s can't be run: %s",
                     x->p->argv[0], strerror(e))
               : err_sys(err, "start %s", x->p->argv[0]);
}

/* One read of a stream; what is beyond the limit is read and dropped, so that
 * the program does not stand still. */
static void
stream_read(int *fd, struct buf *out)
{
    char part[16384];
    ssize_t n = read(*fd, part, sizeof part);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        close(*fd);
        *fd = -1;
        return;
    }
    size_t room = PROBE_OUTPUT_MAX - out->len;
    buf_add(out, part, (size_t)n < room ? (size_t)n : room);
}

static void
streams_wait(struct run *x, int ms)
{
    struct pollfd p[2] = {
        {.fd = x->fd[0], .events = POLLIN}, {.fd = x->fd[1], .events = POLLIN}};
    if (poll(p, 2, ms) <= 0)
        return;
    if (p[0].revents != 0)
        stream_read(&x->fd[0], &x->r->out);
    if (p[1].revents != 0)
        stream_read(&x->fd[1], &x->r->err);
}

static void
child_reap(struct run *x)
{
    struct rusage ru;
    pid_t pid = wait4(x->pid, &x->status, WNOHANG, &ru);
    if (pid != x->pid)
        return;
    x->over = true;
    x->r->max_rss_bytes = (int64_t)ru.ru_maxrss * 1024;
}

static void
limits_watch(struct run *x)
{
    int64_t now = fs_boot_ms();
    int64_t limit = x->p->time_ms > 0 ? x->p->time_ms : TIME_MS;
    int64_t grace = x->p->grace_ms > 0 ? x->p->grace_ms : GRACE_MS;
    if (x->kill_at_ms > 0) {
        if (now < x->kill_at_ms || x->r->killed)
            return;
        kill(-x->pid, SIGKILL);
        x->r->killed = true;
        return;
    }
    x->r->timed_out = now - x->start_ms >= limit;
    x->r->stopped =
        !x->r->timed_out && x->p->enough != NULL && x->p->enough(x->p->arg);
    if (x->r->timed_out || x->r->stopped) {
        kill(-x->pid, SIGTERM);
        x->kill_at_ms = now + grace;
    }
}

/* What is in the pipes already; not what a process that fled may write. */
static void
streams_drain(struct run *x)
{
    struct buf *out[2] = {&x->r->out, &x->r->err};
    for (int i = 0; i < 2; i++) {
        if (x->fd[i] >= 0)
            fcntl(x->fd[i], F_SETFL, O_NONBLOCK);
        size_t before;
        do {
            before = out[i]->len;
            if (x->fd[i] >= 0)
                stream_read(&x->fd[i], out[i]);
        } while (x->fd[i] >= 0 && out[i]->len > before);
        if (x->fd[i] >= 0)
            close(x->fd[i]);
    }
}

int
probe_run(const struct probe *p, struct probe_result *out, struct err *err)
{
    *out = (struct probe_result){.exit_code = -1};
    struct run x = {.p = p, .r = out, .fd = {-1, -1}};
    x.start_ms = fs_boot_ms();
    int rc = child_start(&x, err);
    if (rc != 0) {
        for (int i = 0; i < 2; i++) {
            if (x.fd[i] >= 0)
                close(x.fd[i]);
        }
        return rc;
    }
    while (!x.over) {
        /* Closed streams end no program: then only the clock wakes us. */
        streams_wait(&x, x.fd[0] < 0 && x.fd[1] < 0 ? 10 : LOOK_MS);
        limits_watch(&x);
        child_reap(&x);
    }
    if (!p->leaves || x.kill_at_ms > 0)
        kill(-x.pid, SIGKILL);
    streams_drain(&x);
    out->ms = fs_boot_ms() - x.start_ms;
    if (WIFEXITED(x.status))
        out->exit_code = WEXITSTATUS(x.status);
    else if (WIFSIGNALED(x.status))
        out->signal = WTERMSIG(x.status);
    return 0;
}

void
probe_fini(struct probe_result *r)
{
    buf_fini(&r->out);
    buf_fini(&r->err);
}

int
probe_scratch_in(struct arena *a, const char **out, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    if (tmp == NULL || tmp[0] == '\0')
        tmp = "/tmp";
    char *path = fs_join_in(a, tmp, "rea-probe-XXXXXX");
    if (mkdtemp(path) == NULL)
        return err_sys(err, "scratch folder %s", path);
    *out = path;
    return 0;
}
