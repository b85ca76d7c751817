/* Runs the units of a live bench, seed by seed, and appends what they give.
 * Called by the mains with what differs between them. Invariant: the same
 * command goes on where a run was cut off, and does nothing when all is done.
 */
#include "drive.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit.h"

enum { ARMS_MAX = 16, JOBS_CAP = 64, UNITS_MAX = 16384 };

struct bench {
    const struct drive *d;
    struct arena a;
    struct places p;
    struct task task[TASKS_MAX];
    uint32_t n_tasks;
    const char *arm[ARMS_MAX];
    uint32_t n_arms, seeds, jobs, fresh;
    double scale;
    int64_t end_us; /* no unit starts later; 0: no end */
    const char *out, *only;
    struct piece unit[UNITS_MAX];
    bool taken[UNITS_MAX];
    uint32_t n_units, failed;
    struct results known;
};

static const char usage[] =
    "usage: bench-%s [options]\n"
    "  --tasks=FILE    table of tasks (%s)\n"
    "  --only=A,B      these tasks alone\n"
    "  --arms=A,B      of %s\n"
    "  --seeds=N       runs of each arm on each task (5)\n"
    "  --fresh=N       seeds of an outcome (6)\n"
    "  --scale=X       all budgets times X (1)\n"
    "  --jobs=N        arms at once (%u)\n"
    "  --minutes=N     start nothing after N minutes (no end)\n"
    "  --out=FILE      results, appended (build/%s.jsonl)\n"
    "  --work=DIR      workspaces and caches (build/%s)\n"
    "  --data=DIR      data ($REA_DATA)\n"
    "  --papers=FILE   abstracts, for arms with a corpus\n"
    "  --python=FILE   python3 with Optuna (build/venv/bin/python3, python3)\n"
    "  --report=FILE   the page of docs/%s.md from such results\n";

static void
die(const char *what, const struct err *err)
{
    fprintf(stderr, "bench: %s: %s\n", what, err->text);
    exit(err->code != 0 ? err_exit(err->code) : 1);
}

static const char *
absolute(struct bench *b, const char *path)
{
    char cwd[4096];
    if (path[0] == '/' || getcwd(cwd, sizeof cwd) == NULL)
        return path;
    return fs_join_in(&b->a, cwd, path);
}

/* ---- options ---- */

static void
arms_split(struct bench *b, const char *list)
{
    char *save = NULL, *text = arena_strdup(&b->a, list);
    b->n_arms = 0;
    for (char *w = strtok_r(text, ",", &save);
         w != NULL && b->n_arms < ARMS_MAX; w = strtok_r(NULL, ",", &save))
        b->arm[b->n_arms++] = w;
}

/* rea, rea-ctr and the venv stand beside this program. */
static void
places_default(struct bench *b)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    const char *build = fs_dir_in(&b->a, self);
    const char *venv = fs_join_in(&b->a, build, "venv/bin/python3");
    const char *data = getenv("REA_DATA");
    b->p.rea = fs_join_in(&b->a, build, "rea");
    b->p.trainer = fs_join_in(&b->a, build, "rea-ctr");
    b->p.python = fs_is_file(venv) ? venv : "python3";
    b->p.data = data != NULL ? data : "../shared/data";
    b->p.table = b->d->table;
    b->p.work = fs_join_in(&b->a, build, b->d->name);
    b->out = arena_printf(&b->a, "%s/%s.jsonl", build, b->d->name);
    b->seeds = 5;
    b->jobs = b->d->jobs;
    b->fresh = 6;
    b->scale = 1;
    arms_split(b, b->d->arms);
}

static uint32_t
count_of(const char *text, uint32_t most)
{
    unsigned long n = strtoul(text, NULL, 10);
    return n < 1 ? 1 : n > most ? most : (uint32_t)n;
}

static void
option_take(struct bench *b, int what, const char *text)
{
    switch (what) {
    case 't':
        b->p.table = text;
        return;
    case 'y':
        b->only = text;
        return;
    case 'a':
        arms_split(b, text);
        return;
    case 's':
        b->seeds = count_of(text, 1000);
        return;
    case 'f':
        b->fresh = count_of(text, 500);
        return;
    case 'x':
        b->scale = strtod(text, NULL);
        return;
    case 'j':
        b->jobs = count_of(text, JOBS_CAP);
        return;
    case 'o':
        b->out = text;
        return;
    case 'w':
        b->p.work = text;
        return;
    case 'd':
        b->p.data = text;
        return;
    case 'p':
        b->p.python = text;
        return;
    case 'c':
        b->p.papers = text;
        return;
    case 'm':
        b->end_us = fs_mono_us() + (int64_t)(60e6 * strtod(text, NULL));
        return;
    default:
        fprintf(what == 'h' ? stdout : stderr, usage, b->d->name, b->d->table,
            b->d->arms_known, b->d->jobs, b->d->name, b->d->name, b->d->name);
        exit(what == 'h' ? 0 : 2);
    }
}

static void
options_read(struct bench *b, int argc, char **argv)
{
    static const struct option options[] = {{"tasks", 1, NULL, 't'},
        {"only", 1, NULL, 'y'}, {"arms", 1, NULL, 'a'}, {"seeds", 1, NULL, 's'},
        {"fresh", 1, NULL, 'f'}, {"scale", 1, NULL, 'x'},
        {"jobs", 1, NULL, 'j'}, {"out", 1, NULL, 'o'}, {"work", 1, NULL, 'w'},
        {"data", 1, NULL, 'd'}, {"python", 1, NULL, 'p'},
        {"papers", 1, NULL, 'c'}, {"minutes", 1, NULL, 'm'},
        {"report", 1, NULL, 'r'}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int what;
    places_default(b);
    while ((what = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (what == 'r')
            exit(b->d->report(optarg));
        option_take(b, what, optarg);
    }
    b->p.table = absolute(b, b->p.table);
    b->p.data = absolute(b, b->p.data);
    b->p.work = absolute(b, b->p.work);
    if (b->p.papers != NULL)
        b->p.papers = absolute(b, b->p.papers);
    b->p.peer = fs_join_in(&b->a, fs_dir_in(&b->a, b->p.table), "peer.py");
}

/* ---- the units ---- */

static bool
is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; at != NULL;) {
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
        at = strchr(at, ',');
        at = at != NULL ? at + 1 : NULL;
    }
    return list == NULL;
}

static bool
is_tpe(const char *arm)
{
    return strncmp(arm, "tpe", 3) == 0;
}

static bool
has_optuna(const struct bench *b)
{
    bool asked = false;
    for (uint32_t i = 0; i < b->n_arms; i++)
        asked = asked || is_tpe(b->arm[i]);
    if (!asked)
        return true;
    pid_t pid = fork();
    int status = 1;
    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        execlp(b->p.python, b->p.python, "-c", "import optuna", (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

static void
unit_add(struct bench *b, uint32_t task, const char *arm, uint32_t seed)
{
    if (b->n_units < UNITS_MAX)
        b->unit[b->n_units++] =
            (struct piece){&b->task[task], arm, seed, b->fresh};
}

/* Seed by seed, so that a run that is cut off is a smaller one. */
static void
units_make(struct bench *b)
{
    bool optuna = has_optuna(b);
    if (!optuna)
        fprintf(stderr, "bench: %s has no Optuna: its arms are left out\n",
            b->p.python);
    for (uint32_t s = 1; s <= b->seeds; s++) {
        for (uint32_t t = 0; t < b->n_tasks; t++)
            unit_add(b, t, "default", s);
        for (uint32_t a = 0; a < b->n_arms; a++)
            for (uint32_t t = 0; t < b->n_tasks; t++)
                if (optuna || !is_tpe(b->arm[a]))
                    unit_add(b, t, b->arm[a], s);
    }
}

/* The next that is neither done nor taken; -1: none can start now. */
static int
unit_next(struct bench *b)
{
    for (uint32_t i = 0; i < b->n_units; i++) {
        const struct piece *u = &b->unit[i];
        if (b->taken[i])
            continue;
        if (results_find(&b->known, u->task->name, u->arm, u->seed) != NULL)
            b->taken[i] = true;
        else if (unit_is_ready(u, &b->known, b->task, b->n_tasks))
            return (int)i;
    }
    return -1;
}

static pid_t
unit_start(struct bench *b, uint32_t i)
{
    struct err err = {0};
    b->taken[i] = true;
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    const struct piece *u = &b->unit[i];
    int64_t start = fs_mono_us();
    int rc = unit_run(&b->p, u, &b->known, b->out, &err);
    if (rc != 0)
        fprintf(stderr, "bench: %s %s seed %u: %s\n", u->task->name, u->arm,
            u->seed, err.text);
    else
        fprintf(stderr, "%-10s %-10s seed %u  %.0f s\n", u->task->name, u->arm,
            u->seed, 1e-6 * (double)(fs_mono_us() - start));
    _exit(rc == 0 ? 0 : 1);
}

static void
units_run(struct bench *b)
{
    uint32_t running = 0;
    struct err err = {0};
    for (;;) {
        if (results_read(&b->known, b->out, &err) != 0)
            die(b->out, &err);
        bool late = b->end_us != 0 && fs_mono_us() > b->end_us;
        int next = running < b->jobs && !late ? unit_next(b) : -1;
        if (next >= 0) {
            if (unit_start(b, (uint32_t)next) > 0)
                running++;
            continue;
        }
        if (running == 0)
            return;
        int status = 0;
        if (wait(&status) > 0) {
            running--;
            b->failed += status != 0;
        }
    }
}

/* A line that was cut off is ended, so that the next one is whole. */
static void
results_mend(struct bench *b)
{
    struct err err = {0};
    if (results_read(&b->known, b->out, &err) != 0)
        die(b->out, &err);
    if (fs_size(b->out) > (int64_t)b->known.seen &&
        fs_append(b->out, "\n", 1, &err) != 0)
        die(b->out, &err);
}

/* One run a task, so that nobody pays for encoding the data. */
static void
caches_warm(struct bench *b)
{
    struct err err = {0};
    if (fs_mkdirs(fs_join_in(&b->a, b->p.work, "cache"), &err) != 0)
        die(b->p.work, &err);
    for (uint32_t t = 0; t < b->n_tasks; t++) {
        struct piece u = {&b->task[t], "default", 0, 1};
        int rc = unit_run(&b->p, &u, &b->known, "/dev/null", &err);
        if (rc != 0)
            die(b->task[t].name, &err);
    }
}

int
drive_main(const struct drive *d, int argc, char **argv)
{
    static struct bench b;
    struct err err = {0};
    b.d = d;
    options_read(&b, argc, argv);
    if (tasks_read(&b.a, &b.p, b.task, &b.n_tasks, &err) != 0)
        die("tasks", &err);
    uint32_t n = 0;
    for (uint32_t t = 0; t < b.n_tasks; t++)
        if (is_listed(b.only, b.task[t].name)) {
            b.task[n] = b.task[t];
            b.task[n++].budget_s *= b.scale;
        }
    b.n_tasks = n;
    if (n == 0) {
        fprintf(stderr, "bench-%s: no task: set REA_DATA\n", d->name);
        return 77;
    }
    int64_t start = fs_mono_us();
    results_mend(&b);
    caches_warm(&b);
    units_make(&b);
    units_run(&b);
    fprintf(stderr, "bench-%s: %u units, %u failed, %.1f min; %s\n", d->name,
        b.n_units, b.failed, 1e-6 / 60 * (double)(fs_mono_us() - start), b.out);
    return b.failed != 0;
}
