/* A hand on the backends for shell tests: one call of jobs.h a run.
 *   job_drive [-b KIND] [-r RECORD] JOBS_DIR submit TOKEN RUN_DIR
 *             [name=value ...] -- COMMAND...
 *   job_drive [...] JOBS_DIR find|poll|cancel|forget|logs|kill-shim TOKEN
 *   job_drive [...] JOBS_DIR wait TOKEN SECONDS
 *   job_drive [...] JOBS_DIR list
 * With -b slurm also: -p PARTITION, -x WORDS for sbatch, -s SIGNAL, -d (a
 * second job wakes).
 * poll and wait print "STATE REASON EXIT SIGNAL DURATION_MS". Names of submit:
 * time budget grace hang (ms), memory disk (bytes), wake (words split at
 * blanks), nan, spike (key of the metrics file), env, boxed, lease (a file to
 * flock). */
#include "jobs/jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

enum { WORDS_MAX = 32 };

struct drive {
    struct job_spec spec;
    struct harvest_spec watch;
    struct rung_reader rungs;
    const char *wake[WORDS_MAX + 1], *env[WORDS_MAX + 1];
    size_t n_env;
};

static void
watch_add(struct drive *d, const char *key, bool nan, double spike)
{
    struct metric_source *m = &d->watch.source[d->watch.n++];
    *m = (struct metric_source){
        .from = FROM_JSONL, .goal = GOAL_MAX, .nan_fail = nan, .spike = spike};
    snprintf(m->key, sizeof m->key, "%s", key);
    d->watch.primary = d->watch.n;
    d->spec.watch = &d->watch;
}

static int
lease_take(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void
words_split(char *text, const char **out)
{
    size_t n = 0;
    for (char *save, *w = strtok_r(text, " ", &save);
         w != NULL && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
        out[n++] = w;
    out[n] = NULL;
}

/* rungs=1,2,4 of the step, for the metric auc; the last one is the top. */
static void
rungs_add(struct drive *d, const char *value)
{
    double rung[RUNGS_MAX];
    uint32_t n = 0;
    char *end;
    watch_add(d, "auc", false, 0);
    d->watch.primary = d->watch.n - 1;
    for (; n < RUNGS_MAX; value = end + 1) {
        rung[n++] = strtod(value, &end);
        if (*end != ',')
            break;
    }
    rungs_init(&d->rungs, &d->watch, rung, n, METRICS_MAX);
    d->spec.rungs = &d->rungs;
}

static void
option_set(struct drive *d, char *name)
{
    char *value = strchr(name, '=');
    if (value == NULL) {
        fprintf(stderr, "job_drive: '%s' is no name=value\n", name);
        exit(2);
    }
    *value++ = '\0';
    const struct {
        const char *name;
        int64_t *at;
    } numbers[] = {{"time", &d->spec.time_ms}, {"budget", &d->spec.budget_ms},
        {"grace", &d->spec.grace_ms}, {"hang", &d->spec.hang_ms},
        {"delay", &d->spec.delay_ms}, {"memory", &d->spec.memory_bytes},
        {"disk", &d->spec.disk_floor}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *numbers[i].at = strtoll(value, NULL, 10);
            return;
        }
    }
    if (strcmp(name, "wake") == 0) {
        words_split(value, d->wake);
        d->spec.wake_argv = d->wake;
    } else if (strcmp(name, "env") == 0 && d->n_env < WORDS_MAX) {
        d->env[d->n_env++] = value;
    } else if (strcmp(name, "lease") == 0) {
        d->spec.lease_fd = lease_take(value);
    } else if (strcmp(name, "nan") == 0) {
        watch_add(d, value, true, 0);
    } else if (strcmp(name, "spike") == 0) {
        watch_add(d, value, false, 3);
    } else if (strcmp(name, "rungs") == 0) {
        rungs_add(d, value);
    } else if (strcmp(name, "floor") == 0) { /* of the last watched */
        d->watch.primary = d->watch.n - 1;
        d->spec.floor = (struct floor_mark){true, strtod(value, NULL)};
    } else if (strcmp(name, "boxed") == 0) {
        d->spec.boxed = strcmp(value, "1") == 0;
    } else if (strcmp(name, "checkpoint") == 0) {
        d->spec.checkpoint_path = value;
    } else {
        fprintf(stderr, "job_drive: unknown name '%s'\n", name);
        exit(2);
    }
}

static int
drive_submit(struct jobs *j, char **argv, struct err *err)
{
    static struct drive d;
    if (argv[0] == NULL || argv[1] == NULL)
        return err_set(err, -ERR_INPUT, "submit TOKEN RUN_DIR ... -- CMD");
    d.spec = (struct job_spec){.token = argv[0],
        .run_dir = argv[1],
        .cpus = 1,
        .grace_ms = 1000,
        .lease_fd = -1};
    char **p = argv + 2;
    for (; *p != NULL && strcmp(*p, "--") != 0; p++)
        option_set(&d, *p);
    d.spec.envp = d.env;
    d.spec.argv = *p == NULL ? NULL : (const char *const *)(p + 1);
    struct job_handle h;
    int rc = job_submit(j, &d.spec, &h, err);
    if (rc == 0)
        printf("%s\n", h.text);
    return rc;
}

static int
status_print(
    struct jobs *j, const struct job_handle *h, struct err *err, bool *done)
{
    struct job_status st;
    int rc = job_poll(j, h, &st, err);
    if (rc != 0)
        return rc;
    *done = st.state == JOB_STATE_DONE;
    printf("%s %s %d %d %lld\n", job_state_name(st.state),
        reason_name(st.exit.reason), st.exit.exit_code, st.exit.signal,
        (long long)st.exit.duration_ms);
    if (st.exit.detail[0] != '\0' || st.why[0] != '\0')
        fprintf(stderr, "%s%s\n", st.exit.detail, st.why);
    return 0;
}

static int
drive_wait(
    struct jobs *j, const struct job_handle *h, double seconds, struct err *err)
{
    int64_t end = fs_boot_ms() + (int64_t)(seconds * 1000);
    struct job_status st;
    do {
        int rc = job_poll(j, h, &st, err);
        if (rc != 0)
            return rc;
        if (st.state == JOB_STATE_DONE)
            break;
        struct timespec ts = {.tv_nsec = 20000000};
        nanosleep(&ts, NULL);
    } while (fs_boot_ms() < end);
    bool done;
    return status_print(j, h, err, &done);
}

/* What a machine does to an unlucky supervisor. */
static int
shim_kill(const struct jobs *j, const char *token, struct err *err)
{
    struct buf path = {0};
    fs_join(&path, j->jobs_dir, token);
    struct json *c = json_read(buf_str(&path), 0, err);
    buf_fini(&path);
    if (c == NULL)
        return err->code;
    int rc = kill((pid_t)json_get_i64(c, "pid", 0), SIGKILL) == 0
                 ? 0
                 : err_sys(err, "kill");
    json_free(c);
    return rc;
}

static int
drive_list(struct jobs *j, struct err *err)
{
    struct arena a = {0};
    const char **tokens;
    size_t n;
    int rc = jobs_list_in(j, &a, "", &tokens, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        printf("%s\n", tokens[i]);
    arena_fini(&a);
    return rc;
}

static int
drive_token(struct jobs *j, const char *verb, char **argv, struct err *err)
{
    struct job_handle h;
    bool done;
    if (strcmp(verb, "kill-shim") == 0)
        return shim_kill(j, argv[0], err);
    if (strcmp(verb, "forget") == 0)
        return job_forget(j, argv[0], err);
    int rc = job_find(j, argv[0], &h, err);
    if (rc != 0)
        return rc;
    if (strcmp(verb, "find") == 0)
        return printf("%s\n", h.text) < 0 ? -ERR_SYS : 0;
    if (strcmp(verb, "poll") == 0)
        return status_print(j, &h, err, &done);
    if (strcmp(verb, "wait") == 0)
        return drive_wait(
            j, &h, argv[1] == NULL ? 10 : strtod(argv[1], NULL), err);
    if (strcmp(verb, "cancel") == 0)
        return job_cancel(j, &h, err);
    if (strcmp(verb, "logs") == 0) {
        struct buf b = {0};
        rc = job_logs(j, &h, 65536, &b, err);
        fwrite(buf_str(&b), 1, b.len, stdout);
        buf_fini(&b);
        return rc;
    }
    return err_set(err, -ERR_INPUT, "unknown verb %s", verb);
}

int
main(int argc, char **argv)
{
    struct jobs_config c = {.kind = "local"};
    struct jobs_scheduler slurm = {.cwd = ".", .name = "drive"};
    struct err err = {0};
    struct jobs j = {0};
    int opt;
    while ((opt = getopt(argc, argv, "+b:r:p:x:s:d")) != -1) {
        if (opt == 'b')
            c.kind = optarg;
        else if (opt == 'r')
            c.record = optarg;
        else if (opt == 'p')
            slurm.slurm.partition = optarg;
        else if (opt == 'x')
            slurm.slurm.extra = optarg;
        else if (opt == 's')
            slurm.slurm.signal = optarg;
        else if (opt == 'd')
            slurm.slurm.dependency = true;
        else
            return 2;
    }
    if (argc - optind < 2)
        return 2;
    if (strcmp(c.kind, "slurm") == 0)
        c.scheduler = &slurm;
    c.jobs_dir = argv[optind];
    const char *verb = argv[optind + 1];
    char **rest = argv + optind + 2;
    int rc = jobs_open(&j, &c, &err);
    if (rc == 0 && strcmp(verb, "list") == 0)
        rc = drive_list(&j, &err);
    else if (rc == 0 && rest[0] == NULL)
        rc = err_set(&err, -ERR_INPUT, "%s needs a token", verb);
    else if (rc == 0 && strcmp(verb, "submit") == 0)
        rc = drive_submit(&j, rest, &err);
    else if (rc == 0)
        rc = drive_token(&j, verb, rest, &err);
    if (rc != 0)
        fprintf(stderr, "job_drive: %s\n", err.text);
    jobs_close(&j);
    return err_exit(rc);
}
