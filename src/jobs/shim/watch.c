/* What the shim looks at while a job runs: memory of the whole tree, values in
 * the metric stream, signs of life, free disk. Called by the loop in main.c a
 * few times a second at most; each look costs microseconds. */
#include "jobs/shim/shim.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"

enum {
    READ_ROUNDS = 64, /* slices of one look: a flood can't hold the loop, */
    READ_MS = 500,    /* nor lines that are dear to match */
    HANG_GAPS_MIN = 4,
    HANG_TIMES = 30,           /* silence against the median gap */
    HANG_FLOOR_MS = 10 * 60000 /* never hung before this, when not told */
};

static void
on_value(void *arg, uint32_t metric, double step, double value, uint32_t flags)
{
    struct shim *s = arg;
    rungs_take(&s->rungs, metric, step, value);
    s->fresh = true;
    s->step = fmax(s->step, step); /* of NAN and a number the number */
    bool lost = metric == s->cmd.watch.primary && floor_take(&s->floor, value);
    keep_take(s, metric, value, flags);
    if (lost)
        shim_end(s, REASON_DIVERGED, ENDING_TERM,
            "%g at step %g: %d reports in a row worse than the baseline's "
            "first",
            value, step, FLOOR_ROWS);
    if (flags & HARVEST_NAN)
        shim_end(s, REASON_NAN, ENDING_TERM,
            "a watched metric is not finite at step %g", step);
    else if (flags & HARVEST_SPIKE)
        shim_end(s, REASON_SPIKE, ENDING_TERM,
            "a watched metric jumped to %g at step %g and stayed", value, step);
}

static int
tail_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_CREAT, 0644);
    /* What an earlier attempt wrote does not count. */
    if (fd >= 0)
        lseek(fd, 0, SEEK_END);
    return fd;
}

bool
watch_is_on(const struct shim *s, uint32_t metric)
{
    const struct metric_source *m = &s->cmd.watch.source[metric];
    return m->nan_fail || m->spike > 0 ||
           (s->cmd.floor.on && metric == s->cmd.watch.primary);
}

static bool
is_watching(const struct shim *s, uint32_t from)
{
    const struct harvest_spec *h = &s->cmd.watch;
    for (uint32_t i = 0; s->cmd.has_watch && i < h->n; i++) {
        const struct metric_source *m = &h->source[i];
        bool file = m->from == FROM_JSONL || m->from == FROM_CSV;
        bool rung =
            s->cmd.n_rungs > 0 && (i == h->primary || i == s->cmd.progress);
        if ((rung || watch_is_on(s, i)) &&
            (m->from == from || (file && from == FROM_JSONL)))
            return true;
    }
    return false;
}

static void
life_stat(struct shim *s, uint32_t i, int64_t *size, int64_t *mtime_ns)
{
    const char *path[SHIM_WATCHED_FILES] = {s->cmd.metrics_path,
        s->cmd.stdout_path, s->cmd.stderr_path, s->cmd.checkpoint_path};
    struct stat st;
    *size = -1;
    *mtime_ns = -1;
    if (path[i] != NULL && stat(path[i], &st) == 0) {
        *size = (int64_t)st.st_size;
        *mtime_ns = stat_mtime_ns(&st);
    }
}

void
watch_init(struct shim *s, int64_t now_ms)
{
    s->metrics_fd = s->output_fd[0] = s->output_fd[1] = -1;
    if (is_watching(s, FROM_JSONL))
        s->metrics_fd = tail_open(s->cmd.metrics_path);
    if (is_watching(s, FROM_STDOUT))
        s->output_fd[0] = tail_open(s->cmd.stdout_path);
    if (is_watching(s, FROM_STDERR))
        s->output_fd[1] = tail_open(s->cmd.stderr_path);
    harvest_init(&s->harvest, &s->cmd.watch, on_value, s);
    patterns_init(s);
    double rung[RUNGS_MAX + 1] = {0}; /* the top is no crossing: the end is */
    memcpy(rung, s->cmd.rung, s->cmd.n_rungs * sizeof *rung);
    rungs_init(&s->rungs, &s->cmd.watch, rung,
        s->cmd.n_rungs > 0 ? s->cmd.n_rungs + 1 : 0, s->cmd.progress);
    const struct metric_source *first =
        &s->cmd.watch.source[s->cmd.watch.primary % METRICS_MAX];
    s->floor = (struct floor_watch){
        .mark = s->cmd.floor, .goal = first->goal, .target = first->target};
    pace_init(&s->pace, now_ms);
    keep_init(s);
    s->life.beat_ms = now_ms;
    for (uint32_t i = 0; i < SHIM_WATCHED_FILES; i++)
        life_stat(s, i, &s->life.size[i], &s->life.mtime_ns[i]);
}

void
watch_memory(struct shim *s)
{
    tree_scan(&s->tree);
    if (s->tree.rss_bytes > s->max_rss_bytes)
        s->max_rss_bytes = s->tree.rss_bytes;
    if (s->cmd.memory_bytes == 0 || s->tree.rss_bytes <= s->cmd.memory_bytes)
        return;
    /* Workers that were forked share pages: the sum counts them twice, so the
     * dear but true figure decides. */
    int64_t pss = tree_pss(&s->tree);
    if (pss < 0)
        pss = s->tree.rss_bytes;
    if (pss > s->cmd.memory_bytes)
        shim_end(s, REASON_OOM, ENDING_KILL,
            "used %lld MiB of memory, the limit is %lld MiB",
            (long long)(pss >> 20), (long long)(s->cmd.memory_bytes >> 20));
}

/* false: there is more. */
static bool
tail_feed(struct shim *s, int fd, uint32_t stream)
{
    char buf[8192];
    int64_t until = boot_now_ms() + READ_MS;
    for (int i = 0;
         fd >= 0 && i < READ_ROUNDS && (i == 0 || boot_now_ms() < until); i++) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n <= 0)
            return true;
        harvest_feed(&s->harvest, stream, buf, (size_t)n);
    }
    return fd < 0;
}

bool
watch_drain(struct shim *s)
{
    bool file = tail_feed(s, s->metrics_fd, HARVEST_FILE);
    bool out = tail_feed(s, s->output_fd[0], HARVEST_STDOUT);
    bool err = tail_feed(s, s->output_fd[1], HARVEST_STDERR);
    return file && out && err;
}

void
watch_metrics(struct shim *s)
{
    s->fresh = false;
    s->step = (double)NAN;
    watch_drain(s);
}

void
watch_rungs(struct shim *s)
{
    uint32_t crossed = s->rungs.crossed;
    struct err ignored = {0};
    if (crossed <= s->reported || s->reason != REASON_NONE)
        return;
    s->reported = crossed;
    if (report_write(s, crossed, &ignored) == 0)
        wake_poke(s);
}

/* After watch_metrics: what this look found. */
void
watch_pace(struct shim *s, int64_t now_ms)
{
    char why[sizeof s->detail];
    if (s->fresh)
        pace_beat(&s->pace, s->step, now_ms);
    if (s->cmd.pace == 0)
        return;
    switch (pace_judge(&s->pace, now_ms, why, sizeof why)) {
    case PACE_SILENT:
        shim_end(s, REASON_HUNG, ENDING_DUMP, "%s", why);
        break;
    case PACE_SLOW:
        shim_end(s, REASON_NODE_FAIL, ENDING_TERM, "%s", why);
        break;
    default:
        break;
    }
}

static bool
life_seen(struct shim *s)
{
    bool seen = false;
    for (uint32_t i = 0; i < SHIM_WATCHED_FILES; i++) {
        int64_t size, mtime_ns;
        life_stat(s, i, &size, &mtime_ns);
        if (size != s->life.size[i] || mtime_ns != s->life.mtime_ns[i])
            seen = true;
        s->life.size[i] = size;
        s->life.mtime_ns[i] = mtime_ns;
    }
    return seen;
}

static int64_t
gap_median(const struct shim_life *l)
{
    int64_t g[SHIM_BEATS];
    uint32_t n = l->n_gaps < SHIM_BEATS ? l->n_gaps : SHIM_BEATS;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = i;
        for (; j > 0 && g[j - 1] > l->gap_ms[i]; j--)
            g[j] = g[j - 1];
        g[j] = l->gap_ms[i];
    }
    return n == 0 ? 0 : g[n / 2];
}

/* Not told how long silence may last: then only a job that spoke regularly,
 * fell silent for many times its rhythm and computes nothing is hung. */
static bool
is_hung_by_rhythm(const struct shim *s, int64_t silent_ms)
{
    const struct shim_life *l = &s->life;
    int64_t limit = HANG_TIMES * gap_median(l);
    if (l->n_gaps < HANG_GAPS_MIN || silent_ms < HANG_FLOOR_MS ||
        silent_ms < limit)
        return false;
    int64_t ticks = (int64_t)(s->tree.cpu_ticks - l->beat_cpu_ticks);
    int64_t cpu_ms = ticks * 1000 / sysconf(_SC_CLK_TCK);
    return cpu_ms < silent_ms / 20;
}

void
watch_life(struct shim *s, int64_t now_ms)
{
    struct shim_life *l = &s->life;
    int64_t silent_ms = now_ms - l->beat_ms;
    if (life_seen(s)) {
        l->gap_ms[l->n_gaps++ % SHIM_BEATS] = silent_ms;
        l->beat_ms = now_ms;
        l->beat_cpu_ticks = s->tree.cpu_ticks;
        return;
    }
    bool hung = s->cmd.hang_ms > 0 ? silent_ms >= s->cmd.hang_ms
                                   : is_hung_by_rhythm(s, silent_ms);
    if (hung)
        shim_end(s, REASON_HUNG, ENDING_DUMP, "no sign of life for %.1f s",
            (double)silent_ms / 1000.0);
}

void
watch_disk(struct shim *s)
{
    struct statvfs v;
    if (s->cmd.disk_floor < 0 || statvfs(s->cmd.run_dir, &v) != 0)
        return;
    int64_t room = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
    if (room < s->cmd.disk_floor)
        shim_end(s, REASON_DISK_FULL, ENDING_TERM,
            "%lld MiB left on the disk of the run folder, %lld MiB are kept",
            (long long)(room >> 20), (long long)(s->cmd.disk_floor >> 20));
}
