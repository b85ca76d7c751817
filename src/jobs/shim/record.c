/* What the shim leaves on disk: the claim of its token, shim.json, exit.json.
 * Everything appears whole (rename or link); exit.json is synced with its
 * folder before anybody is told, and its space is taken before the job runs,
 * so that a full disk cannot swallow the result. */
#include "jobs/shim/shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "jobs/proc_stat.h"

enum { RECORD_BYTES = 4096 };

static const char *const reason_text[] = {
#define X(name, text) text,
    REASON_LIST(X)
#undef X
};

struct record {
    char text[RECORD_BYTES];
    size_t len;
    bool cut;
};

static void record_add(struct record *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
record_add(struct record *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t room = sizeof r->text - r->len;
    int n = vsnprintf(r->text + r->len, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room)
        r->cut = true;
    else
        r->len += (size_t)n;
}

/* "key": "text", with what is not plain ASCII as an escape. Bytes of a broken
 * name then read as Latin-1: the file stays valid JSON. */
static void
record_text(struct record *r, const char *key, const char *text)
{
    record_add(r, "\"%s\": \"", key);
    for (const char *p = text; *p != '\0' && !r->cut; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            record_add(r, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            record_add(r, "\\u%04x", c);
        else
            record_add(r, "%c", c);
    }
    record_add(r, "\", ");
}

static void
record_number(struct record *r, const char *key, int64_t v)
{
    record_add(r, "\"%s\": %lld, ", key, (long long)v);
}

static void
record_close(struct record *r)
{
    if (r->len >= 2)
        r->len -= 2; /* the last ", " */
    record_add(r, "}\n");
}

static int
file_put(const char *path, const struct record *r, struct err *err)
{
    if (r->cut)
        return err_set(err, -ERR_LIMIT, "%s: names too long", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_sys(err, "open %s", path);
    int rc = 0;
    if (write(fd, r->text, r->len) != (ssize_t)r->len)
        rc = err_sys(err, "write %s", path);
    close(fd);
    if (rc != 0)
        unlink(path);
    return rc;
}

static void
record_self(struct record *r, const struct shim *s)
{
    struct proc_stat st = {0};
    proc_stat_read(getpid(), &st);
    record_add(r, "{");
    record_number(r, "version", 1);
    record_text(r, "token", s->cmd.token);
    record_number(r, "pid", getpid());
    record_number(r, "start", (int64_t)st.start);
    record_text(r, "boot_id", s->boot_id);
    record_text(r, "host", s->host);
    record_text(r, "run_dir", s->cmd.run_dir);
}

/* Long after it a job without an exit file has died with its machine; 0: it has
 * no limit. */
static int64_t
deadline_ms(const struct shim_command *c)
{
    int64_t run = c->time_ms;
    if (c->budget_ms > 0 && (run <= 0 || c->budget_ms < run))
        run = c->budget_ms;
    return run <= 0 ? 0 : wall_now_ms() + c->delay_ms + run + c->grace_ms;
}

int
claim_take(const struct shim *s, struct err *err)
{
    char tmp[PATH_MAX];
    /* two hosts may start it at once with the same number of a process */
    snprintf(tmp, sizeof tmp, "%s.tmp.%d-%.8s", s->cmd.claim, (int)getpid(),
        s->boot_id);
    struct record r = {.len = 0};
    record_self(&r, s);
    record_number(&r, "deadline_ms", deadline_ms(&s->cmd));
    record_close(&r);
    int rc = file_put(tmp, &r, err);
    if (rc != 0)
        return rc;
    /* link(2) is the exclusive step: it fails where the name is taken, and
     * the name never shows a half-written file. */
    if (link(tmp, s->cmd.claim) != 0)
        rc = errno == EEXIST ? 1 : err_sys(err, "claim %s", s->cmd.claim);
    unlink(tmp);
    return rc;
}

int
shim_json_write(const struct shim *s, struct err *err)
{
    char tmp[PATH_MAX], path[PATH_MAX];
    snprintf(tmp, sizeof tmp, "%s/shim.tmp", s->cmd.run_dir);
    snprintf(path, sizeof path, "%s/shim.json", s->cmd.run_dir);
    struct record r = {.len = 0};
    record_self(&r, s);
    record_number(&r, "start_ms", s->start_ms);
    record_close(&r);
    int rc = file_put(tmp, &r, err);
    if (rc == 0 && rename(tmp, path) != 0)
        rc = err_sys(err, "rename %s", path);
    return rc;
}

int
report_write(const struct shim *s, uint32_t crossed, struct err *err)
{
    char tmp[PATH_MAX], path[PATH_MAX];
    snprintf(tmp, sizeof tmp, "%s/report.tmp", s->cmd.run_dir);
    snprintf(path, sizeof path, "%s/report.json", s->cmd.run_dir);
    struct record r = {.len = 0};
    record_add(&r, "{");
    record_number(&r, "version", 1);
    record_text(&r, "token", s->cmd.token);
    record_number(&r, "rungs", crossed);
    record_close(&r);
    int rc = file_put(tmp, &r, err);
    if (rc == 0 && rename(tmp, path) != 0)
        rc = err_sys(err, "rename %s", path);
    return rc;
}

int
good_write(const struct shim *s, struct err *err)
{
    char tmp[PATH_MAX], path[PATH_MAX];
    const struct shim_keep *k = &s->keep;
    snprintf(tmp, sizeof tmp, "%s/good.tmp", s->cmd.run_dir);
    snprintf(path, sizeof path, "%s/good.json", s->cmd.run_dir);
    struct record r = {.len = 0};
    record_add(&r, "{");
    record_number(&r, "version", 1);
    record_text(&r, "path", k->good_path);
    record_number(&r, "size", (int64_t)k->version.st_size);
    record_number(&r, "mtime_ns", stat_mtime_ns(&k->version));
    record_number(&r, "metrics", k->at[HARVEST_FILE]);
    record_number(&r, "stdout", k->at[HARVEST_STDOUT]);
    record_number(&r, "stderr", k->at[HARVEST_STDERR]);
    record_close(&r);
    int rc = file_put(tmp, &r, err);
    if (rc == 0 && rename(tmp, path) != 0)
        rc = err_sys(err, "rename %s", path);
    return rc;
}

bool
exit_is_there(const struct shim *s)
{
    char path[PATH_MAX], text[RECORD_BYTES], mine[160];
    snprintf(path, sizeof path, "%s/exit.json", s->cmd.run_dir);
    snprintf(mine, sizeof mine, "\"%s\"", s->cmd.token);
    return proc_read(path, text, sizeof text) > 0 && strstr(text, mine) != NULL;
}

int
exit_reserve(struct shim *s, struct err *err)
{
    char tmp[PATH_MAX];
    snprintf(tmp, sizeof tmp, "%s/exit.tmp", s->cmd.run_dir);
    s->exit_fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (s->exit_fd < 0)
        return err_sys(err, "open %s", tmp);
    char zero[RECORD_BYTES] = {0};
    /* Written, not fallocated: that works on every file system. */
    if (write(s->exit_fd, zero, sizeof zero) != (ssize_t)sizeof zero)
        return err_sys(err, "write %s", tmp);
    return 0;
}

/* The signal that ended the job, 0: none. A sandbox exits in its program's
 * place and tells a signal as a shell does. */
static int
signal_of(const struct shim *s)
{
    if (WIFSIGNALED(s->status))
        return WTERMSIG(s->status);
    int code = WEXITSTATUS(s->status);
    return s->cmd.boxed && code > 128 && code <= 128 + 64 ? code - 128 : 0;
}

static enum reason
reason_natural(const struct shim *s)
{
    if (s->launch_errno != 0)
        return REASON_LAUNCH_FAIL;
    /* Also where the job went on without the part that was killed. */
    bool killed = oom_kills_read(s) > s->oom_kills;
    if (killed && s->oom_file[0] != '\0')
        return REASON_OOM;
    if (signal_of(s) == 0)
        return WEXITSTATUS(s->status) == 0 ? REASON_OK : REASON_EXIT;
    if (signal_of(s) == SIGKILL && killed)
        return REASON_OOM;
    return REASON_SIGNAL;
}

static void
exit_record(const struct shim *s, struct record *r)
{
    enum reason reason = s->reason;
    const char *detail = s->detail;
    if (reason == REASON_NONE) {
        reason = reason_natural(s);
        if (reason == REASON_LAUNCH_FAIL)
            detail = strerror(s->launch_errno);
        else if (reason == REASON_OOM)
            detail = "the kernel killed it for memory";
    }
    bool ran = s->job > 0 && s->launch_errno == 0;
    record_add(r, "{");
    record_number(r, "version", 1);
    record_text(r, "token", s->cmd.token);
    record_text(r, "reason", reason_text[reason]);
    record_number(
        r, "exit_code", ran && signal_of(s) == 0 ? WEXITSTATUS(s->status) : 0);
    record_number(r, "signal", ran ? signal_of(s) : 0);
    record_number(r, "start_ms", s->start_ms);
    record_number(r, "end_ms", s->end_ms);
    record_number(r, "duration_ms", s->end_boot_ms - s->start_boot_ms);
    record_number(r, "cpu_ms", s->cpu_us / 1000);
    record_number(r, "max_rss_bytes", s->max_rss_bytes);
    record_text(r, "boot_id", s->boot_id);
    record_text(r, "host", s->host);
    record_text(r, "detail", detail);
    record_close(r);
}

/* What the job has left, for whoever believes exit.json: a loss of power must
 * not keep that one and lose these. What can't be synced is left to luck. */
static void
file_sync(const char *path)
{
    if (path == NULL)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static void
files_sync(const struct shim *s)
{
    DIR *d = opendir(s->cmd.run_dir);
    struct dirent *e;
    char path[PATH_MAX];
    while (d != NULL && (e = readdir(d)) != NULL)
        if (e->d_type == DT_REG &&
            snprintf(path, sizeof path, "%s/%s", s->cmd.run_dir, e->d_name) <
                (int)sizeof path)
            file_sync(path);
    if (d != NULL)
        closedir(d);
    file_sync(s->cmd.metrics_path);
    file_sync(s->cmd.checkpoint_path);
    if (s->keep.on)
        file_sync(s->keep.good_path);
}

int
exit_write(struct shim *s, struct err *err)
{
    char tmp[PATH_MAX], path[PATH_MAX];
    snprintf(tmp, sizeof tmp, "%s/exit.tmp", s->cmd.run_dir);
    snprintf(path, sizeof path, "%s/exit.json", s->cmd.run_dir);
    struct record r = {.len = 0};
    exit_record(s, &r);
    files_sync(s);
    if (r.cut)
        return err_set(err, -ERR_LIMIT, "%s: record too long", path);
    if (pwrite(s->exit_fd, r.text, r.len, 0) != (ssize_t)r.len ||
        ftruncate(s->exit_fd, (off_t)r.len) != 0 || fsync(s->exit_fd) != 0)
        return err_sys(err, "write %s", tmp);
    if (rename(tmp, path) != 0)
        return err_sys(err, "rename %s", path);
    int dir = open(s->cmd.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_sys(err, "open %s", s->cmd.run_dir);
    int rc = fsync(dir) == 0 ? 0 : err_sys(err, "sync %s", s->cmd.run_dir);
    close(dir);
    return rc;
}
