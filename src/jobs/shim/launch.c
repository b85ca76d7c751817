/* Starts the two programs that a shim starts: the job, in a process group of
 * its own with its output in files, and at the end the wake command. */
#include "jobs/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

enum { WAKE_TRIES = 4 };

/* The mask survives an exec, ignored signals too. */
static void
signals_reset(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
}

static int
output_open(const char *path, int as)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || dup2(fd, as) < 0)
        return -1;
    return 0;
}

static int
env_apply(const struct shim_command *c)
{
    char token[96];
    snprintf(token, sizeof token, "%s", c->token);
    for (uint32_t i = 0; i < c->n_env; i++) {
        if (putenv((char *)(uintptr_t)c->env[i]) != 0)
            return -1;
    }
    return setenv("REA_TOKEN", token, 1);
}

/* In the child, up to the exec; reports errno through fd on failure. */
static void
job_become(const struct shim *s, pid_t parent, int fd)
{
    const struct shim_command *c = &s->cmd;
    setpgid(0, 0);
    /* A shim that is killed takes the job along: its exit status would be
     * lost anyway, and two attempts must never run side by side. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    signals_reset();
    int adj = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    /* Better the job than its supervisor; not being allowed to is fine. */
    if (adj >= 0 && write(adj, "300", 3) != 3)
        errno = 0;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0 && dup2(null, 0) >= 0 &&
        output_open(c->stdout_path, 1) == 0 &&
        output_open(c->stderr_path, 2) == 0 && chdir(c->cwd) == 0 &&
        env_apply(c) == 0)
        execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
    int e = errno;
    if (write(fd, &e, sizeof e) != (ssize_t)sizeof e)
        _exit(126);
    _exit(127);
}

int
job_launch(struct shim *s, struct err *err)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) != 0)
        return err_sys(err, "pipe");
    cgroup_find(s);
    s->oom_kills = oom_kills_read(s);
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        close(fd[0]);
        close(fd[1]);
        return err_sys(err, "fork");
    }
    if (pid == 0)
        job_become(s, self, fd[1]);
    close(fd[1]);
    setpgid(pid, pid); /* whoever of the two comes first */
    s->job = pid;
    int e = 0;
    /* Ends with the exec, which closes the pipe. */
    if (read(fd[0], &e, sizeof e) == (ssize_t)sizeof e)
        s->launch_errno = e;
    close(fd[0]);
    return 0;
}

/* In the child: the wake command, its words going to wake.log. */
_Noreturn static void
wake_become(const struct shim *s)
{
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%s/wake.log", s->cmd.run_dir);
    signals_reset();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, 0);
    if (output_open(log, 1) != 0 || output_open(log, 2) != 0 ||
        chdir(s->cmd.cwd) != 0)
        _exit(127);
    execvp(s->cmd.wake[0], (char *const *)(uintptr_t)s->cmd.wake);
    _exit(127);
}

void
wake_poke(const struct shim *s)
{
    if (s->cmd.n_wake == 0)
        return;
    /* fork(2) with another parent. A plain child would be counted, limited
     * and at last killed with the job, and so would jobs that it starts. */
    long pid = syscall(
        SYS_clone, (unsigned long)(CLONE_PARENT | SIGCHLD), 0, NULL, NULL, 0);
    if (pid == 0)
        wake_become(s);
}

/* One try: the wake command's wait status, -1 when it could not be run. */
static int
wake_once(const struct shim *s)
{
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0)
        wake_become(s);
    int status;
    while (waitpid(pid, &status, 0) != pid) {
        if (errno != EINTR)
            return -1;
    }
    return status;
}

void
wake_call(const struct shim *s)
{
    if (s->cmd.n_wake == 0)
        return;
    /* What the wake starts belongs to init, not to this dying process. */
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    int64_t pause_ms = 200;
    for (int i = 0; i < WAKE_TRIES; i++) {
        int status = wake_once(s);
        /* Exit codes above 1 are answers (a gate, a bad file) that a second
         * call would not change; 127 is a program that was not there, as
         * while it is installed anew. The sweep looks after the rest. */
        if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) != 1 &&
            WEXITSTATUS(status) != 127)
            break;
        if (i + 1 == WAKE_TRIES)
            break;
        struct timespec ts = {
            .tv_sec = pause_ms / 1000, .tv_nsec = (pause_ms % 1000) * 1000000};
        nanosleep(&ts, NULL);
        pause_ms *= 5;
    }
    struct stat st;
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%s/wake.log", s->cmd.run_dir);
    if (stat(log, &st) == 0 && st.st_size == 0)
        unlink(log);
}
