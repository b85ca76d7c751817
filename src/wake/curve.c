/* The floor of the baseline's curve, for the watch of running jobs: made of its
 * finished runs' metrics, and kept in the campaign's folder of runs, where it
 * may be deleted. Called when jobs are submitted. Invariant: it decides
 * nothing; without it jobs run as ever. */
#include "wake/part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { METRICS_BYTES_MAX = 8 << 20 };

struct reading {
    uint32_t primary;
    const struct metric_source *how;
    struct floor_run *run;
};

static void
on_report(void *arg, uint32_t metric, double step, double value, uint32_t flags)
{
    const struct reading *r = arg;
    (void)step;
    (void)flags;
    if (metric != r->primary || !isfinite(value))
        return;
    double v = floor_turned(r->how->goal, r->how->target, value);
    if (r->run->reports++ == 0)
        r->run->first = r->run->best = v;
    r->run->best = fmax(r->run->best, v);
}

/* false: its metrics are not there any more, or too many to be read now. */
static bool
run_read(struct wake *w, uint32_t trial, struct floor_run *out)
{
    const struct harvest_spec *h = &w->project->harvest;
    const char *root = store_root(w->st);
    struct harvest_value value[METRICS_MAX];
    struct reading r = {h->primary, &h->source[h->primary], out};
    struct run_files files;
    char dir[STORE_PATH_LEN];
    *out = (struct floor_run){0};
    run_dir_name(w->row.id, trial, w->core->trial[trial - 1].attempts, dir);
    if (run_files_in(
            &w->arena, fs_join_in(&w->arena, root, dir), &files, NULL) != 0)
        return false;
    const char *metrics = fs_join_in(&w->arena, root, files.metrics);
    const char *said = fs_join_in(&w->arena, root, files.out);
    if (fs_size(metrics) > METRICS_BYTES_MAX ||
        fs_size(said) > METRICS_BYTES_MAX)
        return false;
    return harvest_files(h, metrics, said,
               fs_join_in(&w->arena, root, files.errors), on_report, &r, value,
               NULL) == 0 &&
           out->reports > 0;
}

/* Runs of the baseline that ended well, by their first attempt alone: one that
 * was resumed has its curve in pieces. */
static uint32_t
baseline_runs(const struct core *c, uint32_t trial[FLOOR_RUNS_MAX])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_trials && n < FLOOR_RUNS_MAX; i++)
        if (c->trial[i].experiment == 0 && c->trial[i].state == TRIAL_OK &&
            c->trial[i].resumes == 0 && c->trial[i].stabilises == 0)
            trial[n++] = i + 1;
    return n;
}

static const char *
cache_path(struct wake *w)
{
    return arena_printf(&w->arena, "%s/.rea/runs/C%" PRIu32 "/baseline.floor",
        store_root(w->st), w->row.id);
}

static bool
cache_read(struct wake *w, uint32_t n, struct floor_mark *out)
{
    struct buf b = {0};
    uint32_t of = 0;
    int on = 0;
    bool good =
        fs_read(cache_path(w), 256, &b, NULL) == 0 &&
        sscanf(buf_str(&b), "%" SCNu32 " %d %lf", &of, &on, &out->level) == 3 &&
        of == n;
    out->on = good && on != 0;
    buf_fini(&b);
    return good;
}

void
curve_floor(struct wake *w, struct floor_mark *out)
{
    const struct harvest_spec *h = &w->project->harvest;
    struct floor_run run[FLOOR_RUNS_MAX];
    uint32_t trial[FLOOR_RUNS_MAX], n = baseline_runs(w->core, trial), m = 0;
    struct buf b = {0};
    *out = (struct floor_mark){0};
    if (!w->jobs.ops->caps.watches_metrics || h->primary >= h->n ||
        !h->source[h->primary].curve || n < FLOOR_RUNS_MIN ||
        cache_read(w, n, out))
        return;
    for (uint32_t i = 0; i < n; i++)
        m += run_read(w, trial[i], &run[m]);
    floor_make(run, m, out);
    buf_printf(&b, "%" PRIu32 " %d %.17g\n", n, out->on, out->level);
    fs_write_atomic(cache_path(w), buf_str(&b), b.len, false, NULL);
    buf_fini(&b);
}
