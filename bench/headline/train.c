/* Starts the same command that rea starts, reads its metrics while it runs,
 * and takes its processor time. */
#include "train.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"

enum { WALL_MS_MAX = 600000, POLL_NS = 2000000 };

struct reading { /* of a metrics file that grows */
    const struct task *t;
    const char *path;
    size_t seen; /* bytes taken */
    double core_hours;
    struct train_result *r;
    train_watch *watch;
    void *ctx;
};

static bool
value_is_better(const struct task *t, double x, double than)
{
    return !isfinite(than) || (t->minimise ? x < than : x > than);
}

/* One line; true: the watcher ends the run. */
static bool
line_take(struct reading *x, const char *line, size_t n)
{
    struct json *j = json_parse(line, n, NULL);
    double valid = json_get_num(j, x->t->valid, (double)NAN);
    double hours = json_get_num(j, "core_hours", (double)NAN);
    bool end = false;
    if (isfinite(hours))
        x->core_hours = hours;
    if (isfinite(valid)) {
        x->r->steps++;
        if (value_is_better(x->t, valid, x->r->valid)) {
            x->r->valid = valid;
            x->r->test = json_get_num(j, x->t->test, (double)NAN);
        }
        end = x->watch != NULL && x->watch(x->ctx, x->r->steps, valid);
    }
    json_free(j);
    return end;
}

static bool
metrics_take(struct reading *x)
{
    struct buf text = {0};
    bool end = false;
    if (fs_size(x->path) > (int64_t)x->seen &&
        fs_read(x->path, 0, &text, NULL) == 0)
        for (;;) {
            const char *from = buf_str(&text) + x->seen;
            const char *stop = strchr(from, '\n');
            if (stop == NULL || end)
                break;
            end = line_take(x, from, (size_t)(stop - from));
            x->seen += (size_t)(stop - from) + 1;
        }
    buf_fini(&text);
    return end;
}

static void
child_exec(const char *root, const struct job_command *cmd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(root) != 0)
        _exit(127);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open("train.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    for (size_t i = 0; i < cmd->n_env; i++)
        putenv((char *)(uintptr_t)cmd->env[i]);
    execvp(cmd->argv[0], (char *const *)(uintptr_t)cmd->argv);
    _exit(127);
}

static void
pid_watch(struct reading *x, pid_t pid)
{
    struct rusage u;
    int status = 0;
    int64_t start = fs_mono_us();
    bool killed = false;
    struct timespec nap = {0, POLL_NS};
    while (wait4(pid, &status, WNOHANG, &u) == 0) {
        bool late = fs_mono_us() - start > (int64_t)WALL_MS_MAX * 1000;
        if (!killed && (metrics_take(x) || late)) {
            kill(pid, SIGKILL);
            killed = true;
        }
        nanosleep(&nap, NULL);
    }
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!killed)
        metrics_take(x);
    x->r->pruned = killed;
    x->r->ok = ended_well && !killed && isfinite(x->r->valid);
    x->r->cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                  1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    if (ended_well && !killed && isfinite(x->core_hours))
        x->r->cpu_s = 3600 * x->core_hours;
}

int
train_run(struct arena *a, const struct task *t, const struct project *p,
    const struct config *c, int32_t seed, train_watch *watch, void *ctx,
    struct train_result *out, struct err *err)
{
    struct job_command cmd;
    struct job_request req = {.config = c,
        .seed = seed,
        .run_dir = "run",
        .campaign = "C0",
        .trial = "T0",
        .attempt = 1,
        .phase = "bench",
        .hypotheses = ""};
    const char *dir = fs_join_in(a, p->root, "run");
    *out = (struct train_result){.valid = (double)NAN, .test = (double)NAN};
    int rc = fs_remove_tree(dir, err);
    if (rc == 0)
        rc = fs_mkdirs(dir, err);
    if (rc == 0)
        rc = command_render(a, p, &req, &cmd, err);
    if (rc == 0)
        rc = fs_write_atomic(fs_join_in(a, p->root, cmd.knobs_file),
            cmd.knobs_json, strlen(cmd.knobs_json), false, err);
    if (rc != 0)
        return rc;
    struct reading x = {.t = t,
        .path = fs_join_in(a, p->root, cmd.metrics_file),
        .core_hours = (double)NAN,
        .r = out,
        .watch = watch,
        .ctx = ctx};
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, "fork");
    if (pid == 0)
        child_exec(p->root, &cmd);
    pid_watch(&x, pid);
    return 0;
}
