/* The last checkpoint that is known to be good. A version of the checkpoint is
 * linked under a second name when it appears; once every watched metric that
 * the job reports has come well after it, that name becomes the good one. So a
 * run that turns out to have run away can be begun again from before that.
 * Called by the loop in main.c after each reading of the metrics.
 * Invariant: nothing is called good that was written after the last reports
 * that were. A checkpoint that is a folder, or a file written again in place,
 * is never called good: a link holds neither. */
#include "jobs/shim/shim.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* Beside it, as a link must be, and hidden from programs that take the newest
 * file of a folder. */
static bool
name_beside(const char *path, const char *end, char *out, size_t cap)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    int n =
        snprintf(out, cap, "%.*s.%s%s", (int)(base - path), path, base, end);
    return n > 0 && (size_t)n < cap;
}

void
keep_init(struct shim *s)
{
    struct shim_keep *k = &s->keep;
    const char *path = s->cmd.checkpoint_path;
    *k = (struct shim_keep){0};
    k->on = s->cmd.keep != 0 && path != NULL && s->cmd.has_watch &&
            name_beside(path, ".next", k->next_path, sizeof k->next_path) &&
            name_beside(path, ".good", k->good_path, sizeof k->good_path);
}

void
keep_take(struct shim *s, uint32_t metric, double value, uint32_t flags)
{
    struct shim_keep *k = &s->keep;
    uint32_t bit = 1u << metric;
    bool below = metric == s->cmd.watch.primary && s->floor.below > 0;
    if (!watch_is_on(s, metric))
        return;
    k->seen |= bit;
    if (!isfinite(value) || below || (flags & (HARVEST_SPIKE | HARVEST_OFF)))
        k->bad |= bit;
    else
        k->good |= bit;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && stat_mtime_ns(a) == stat_mtime_ns(b);
}

static int64_t
size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* What is read before the version was there says nothing of it. */
static void
version_take(struct shim *s)
{
    struct shim_keep *k = &s->keep;
    struct stat now, linked;
    if (lstat(s->cmd.checkpoint_path, &now) != 0 || !S_ISREG(now.st_mode) ||
        is_same(&now, &k->version))
        return;
    k->at[HARVEST_FILE] = size_of(s->cmd.metrics_path);
    k->at[HARVEST_STDOUT] = size_of(s->cmd.stdout_path);
    k->at[HARVEST_STDERR] = size_of(s->cmd.stderr_path);
    k->version = now;
    unlink(k->next_path);
    k->waits = link(s->cmd.checkpoint_path, k->next_path) == 0 &&
               lstat(k->next_path, &linked) == 0 && is_same(&linked, &now);
    if (!watch_drain(s))
        k->waits = false;
    k->passed = k->good = k->bad = 0;
}

static void
version_confirm(struct shim *s)
{
    struct shim_keep *k = &s->keep;
    struct err ignored = {0};
    struct stat now;
    k->waits = false;
    if (lstat(k->next_path, &now) == 0 && is_same(&now, &k->version) &&
        rename(k->next_path, k->good_path) == 0)
        (void)good_write(s, &ignored);
}

void
keep_look(struct shim *s)
{
    struct shim_keep *k = &s->keep;
    if (!k->on || s->reason != REASON_NONE)
        return;
    k->passed = k->bad != 0 ? 0 : k->passed | k->good;
    k->good = k->bad = 0;
    if (k->waits && k->passed != 0 && k->passed == k->seen)
        version_confirm(s);
    if (!k->waits)
        version_take(s);
}

void
keep_end(struct shim *s)
{
    struct shim_keep *k = &s->keep;
    char path[PATH_MAX];
    bool well = s->reason == REASON_NONE && s->job_over && s->status == 0;
    if (!k->on)
        return;
    unlink(k->next_path);
    if (!well)
        return;
    snprintf(path, sizeof path, "%s/good.json", s->cmd.run_dir);
    unlink(k->good_path);
    unlink(path);
}
