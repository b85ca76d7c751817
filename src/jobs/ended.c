/* How a job under a shim is found to have ended, and how one is ended whose
 * shim can't tell. Called by the backends local and command. Invariant:
 * exit.json is written once; whoever comes second reads the first. */
#include "jobs/ended.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/json.h"
#include "jobs/proc_stat.h"

static char *
shim_beside_in(struct arena *a)
{
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return NULL;
    exe[n] = '\0';
    const char *dir = fs_dir_in(a, exe);
    /* A test program lies up to two folders below. */
    for (int up = 0; up < 3; up++) {
        char *path = fs_join_in(a, dir, "rea-shim");
        if (access(path, X_OK) == 0)
            return path;
        dir = fs_dir_in(a, dir);
    }
    return NULL;
}

int
shim_find(struct jobs *j, const struct jobs_config *c, struct err *err)
{
    const char *env = getenv("REA_SHIM");
    if (c->shim != NULL)
        j->shim = arena_strdup(&j->arena, c->shim);
    else if (env != NULL && env[0] != '\0')
        j->shim = arena_strdup(&j->arena, env);
    else
        j->shim = shim_beside_in(&j->arena);
    if (j->shim == NULL)
        return err_set(err, -ERR_NOT_FOUND,
            "rea-shim is not beside this program: install it there, or name "
            "it in REA_SHIM");
    if (access(j->shim, X_OK) != 0)
        return err_set(err, -ERR_NOT_FOUND, "%s can't be run: %s", j->shim,
            strerror(errno));
    return 0;
}

static const char *
shim_re_in(struct arena *a, const struct jobs *j)
{
    const char *path = arena_printf(a, "%s-re", j->shim);
    return access(path, X_OK) == 0 ? path : NULL;
}

bool
jobs_watch_patterns(const struct jobs *j)
{
    struct arena a = {0};
    bool there = j->shim != NULL && shim_re_in(&a, j) != NULL;
    arena_fini(&a);
    return there;
}

const char *
shim_for_in(struct arena *a, const struct jobs *j, const struct job_spec *spec)
{
    const char *re = NULL;
    if (spec->watch != NULL && harvest_re_is_needed(spec->watch))
        re = shim_re_in(a, j);
    return re != NULL ? re : j->shim;
}

/* What its supervisor wrote when it began; NULL: nothing of this token. */
static struct json *
shim_json(const char *run_dir, const char *token)
{
    struct buf path = {0};
    fs_join(&path, run_dir, "shim.json");
    struct json *s = json_read(buf_str(&path), 0, NULL);
    buf_fini(&path);
    const char *of = json_get_str(s, "token");
    if (of != NULL && strcmp(of, token) == 0)
        return s;
    json_free(s);
    return NULL;
}

int64_t
ended_start_ms(const char *run_dir, const char *token)
{
    struct json *s = shim_json(run_dir, token);
    int64_t ms = json_get_i64(s, "start_ms", 0);
    json_free(s);
    return ms;
}

static void
ended_host(const char *run_dir, const char *token, char host[HOST_LEN])
{
    struct json *s = shim_json(run_dir, token);
    const char *name = json_get_str(s, "host");
    snprintf(host, HOST_LEN, "%s", name != NULL ? name : "");
    json_free(s);
}

bool
ended_is_there(const char *run_dir, const char *token, struct job_status *out)
{
    struct exit_facts f;
    if (exit_facts_read(run_dir, &f, NULL) != 0 || strcmp(f.token, token) != 0)
        return false;
    out->state = JOB_STATE_DONE;
    out->start_ms = f.start_ms;
    out->exit = f;
    return true;
}

/* The last time that anything of the job moved: nobody knows when it ended. */
static int64_t
last_sign_ms(const char *run_dir)
{
    static const char *const names[] = {
        "shim.json", "stdout.log", "stderr.log", "metrics.jsonl"};
    int64_t last = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf path = {0};
        fs_join(&path, run_dir, names[i]);
        int64_t at = fs_mtime_ms(buf_str(&path));
        last = at > last ? at : last;
        buf_fini(&path);
    }
    return last;
}

int
ended_settle(const char *run_dir, const char *token,
    const struct ended_why *why, struct job_status *out, struct err *err)
{
    struct exit_facts f = {
        .reason = why->reason, .start_ms = ended_start_ms(run_dir, token)};
    f.end_ms = last_sign_ms(run_dir);
    if (f.start_ms == 0 || f.end_ms < f.start_ms)
        f.start_ms = f.end_ms;
    f.duration_ms = f.end_ms - f.start_ms;
    snprintf(f.token, sizeof f.token, "%s", token);
    snprintf(f.boot_id, sizeof f.boot_id, "%s", why->boot_id);
    ended_host(run_dir, token, f.host);
    snprintf(f.detail, sizeof f.detail, "%s", why->detail);
    struct buf text = {0}, path = {0};
    exit_facts_put(&f, &text);
    fs_join(&path, run_dir, "exit.json");
    int rc = fs_mkdirs(run_dir, err);
    if (rc == 0)
        rc = file_create(buf_str(&path), &text, CREATED_WHOLE, err);
    buf_fini(&text);
    buf_fini(&path);
    if (rc >= 0 && !ended_is_there(run_dir, token, out))
        rc = err_set(err, -ERR_CORRUPT,
            "%s/exit.json belongs to another job or is not whole", run_dir);
    return rc < 0 ? rc : 0;
}

bool
claim_is_alive(const struct claim *c)
{
    char boot[FS_BOOT_ID];
    fs_boot_id(boot);
    return strcmp(boot, c->boot_id) == 0 && proc_is_alive(c->pid, c->start);
}

bool
claim_is_elsewhere(const struct claim *c)
{
    char boot[FS_BOOT_ID], host[sizeof c->host] = "";
    fs_boot_id(boot);
    return c->host[0] != '\0' && strcmp(boot, c->boot_id) != 0 &&
           gethostname(host, sizeof host - 1) == 0 &&
           strcmp(host, c->host) != 0;
}

int
cancel_mark(const char *run_dir, struct err *err)
{
    struct buf mark = {0};
    fs_join(&mark, run_dir, "cancel");
    int rc = fs_write_atomic(buf_str(&mark), "", 0, false, err);
    buf_fini(&mark);
    return rc;
}

/* The signal goes through a pidfd taken before the check, so it can't reach a
 * stranger. */
int
claim_cancel(const struct claim *c, struct err *err)
{
    int rc = cancel_mark(c->run_dir, err);
    if (rc != 0)
        return rc;
    int fd = pidfd_open((pid_t)c->pid, 0);
    if (fd < 0)
        return errno == ESRCH ? 0 : err_sys(err, "pidfd of the shim");
    if (claim_is_alive(c) && pidfd_send_signal(fd, SIGTERM, NULL, 0) != 0 &&
        errno != ESRCH)
        rc = err_sys(err, "signal the shim");
    close(fd);
    return rc;
}

int
claim_block(const struct jobs *j, const char *token, const char *run_dir,
    struct err *err)
{
    struct buf path = {0}, text = {0};
    struct jw w;
    jw_init(&w, &text, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "version", 1);
    jw_kstr(&w, "token", token);
    jw_ki64(&w, "pid", 0);
    jw_ki64(&w, "start", 0);
    jw_kstr(&w, "boot_id", "");
    jw_kstr(&w, "run_dir", run_dir);
    jw_obj_end(&w);
    buf_putc(&text, '\n');
    claim_path(j, token, &path);
    int rc = file_create(buf_str(&path), &text, CREATED_WHOLE, err);
    buf_fini(&path);
    buf_fini(&text);
    return rc;
}
