/* Passes over valid and test rows, and their metrics and predictions as text.
 * train.c and evaluate.c call it. Invariant: scores stand in row order and do
 * not depend on the batch they were computed in. */
#include "score.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"

uint32_t
score_rows(const struct config *c)
{
    return c->batch_size > 512 ? (uint32_t)c->batch_size : 512;
}

void
score_split(struct model *m, const struct dataset *d, enum split_kind s,
    struct batch *b, struct scores *out)
{
    const struct split *split = &d->split[s];
    size_t n = (size_t)split->rows, at = 0;
    float *z = mem_calloc(m->rows_cap, sizeof *z);
    out->n = n;
    out->score = mem_calloc(n + 8, sizeof *out->score);
    out->label = mem_calloc(n + 1, sizeof *out->label);
    out->relevance = mem_calloc(n + 1, sizeof *out->relevance);
    out->group = mem_calloc(n + 1, sizeof *out->group);
    /* Kept negatives were a sample: odds are scaled back (He et al., ADKDD
     * 2014, section 6.3). */
    float shift = (float)log(m->c->negative_rate);
    while (at < n) {
        batch_clear(b);
        while (b->rows < 512 && at + b->rows < n)
            batch_add(b, d, split, at + b->rows, m->c);
        model_forward(m, b, false, 0, z);
        for (uint32_t i = 0; i < round_up(b->rows, 8); i++)
            z[i] += shift;
        m->kern->sigmoid(z, z, round_up(b->rows, 8));
        memcpy(out->score + at, z, b->rows * sizeof *z);
        memcpy(out->label + at, b->label, b->rows * sizeof *z);
        memcpy(out->relevance + at, b->relevance, b->rows * sizeof *z);
        memcpy(out->group + at, b->group, b->rows * sizeof *b->group);
        at += b->rows;
    }
    free(z);
}

void
scores_fini(struct scores *s)
{
    free(s->score);
    free(s->label);
    free(s->relevance);
    free(s->group);
    memset(s, 0, sizeof *s);
}

static void
metric_put(struct buf *line, const char *split, const char *name, double x)
{
    if (!isfinite(x))
        return;
    buf_printf(line, ",\"%s.%s\":", split, name);
    buf_put_f64(line, x);
}

void
metrics_put(struct buf *line, const char *name, const struct metrics *m)
{
    metric_put(line, name, "logloss", m->logloss);
    metric_put(line, name, "ne", m->ne);
    metric_put(line, name, "auc", m->auc);
    metric_put(line, name, "gauc", m->gauc);
    metric_put(line, name, "ndcg@10", m->ndcg);
    metric_put(line, name, "calibration", m->calibration);
}

int
metrics_append(const struct config *c, const char *line, struct err *err)
{
    const char *path = c->metrics;
    if (path[0] == '\0')
        path = getenv("REA_METRICS_FILE");
    if (path == NULL || path[0] == '\0') {
        fputs(line, stdout);
        return fflush(stdout) == 0 ? 0 : err_sys(err, "cannot write stdout");
    }
    FILE *f = fopen(path, "ae");
    if (f == NULL)
        return err_sys(err, "cannot open --metrics=%s", path);
    fputs(line, f);
    if (fclose(f) != 0)
        return err_sys(err, "cannot write --metrics=%s", path);
    return 0;
}

int
predictions_write(const char *path, const struct scores *s, struct err *err)
{
    struct buf tmp = {0};
    buf_printf(&tmp, "%s.tmp.%ld", path, (long)getpid());
    FILE *f = fopen(buf_str(&tmp), "we");
    int rc = 0;
    if (f == NULL) {
        rc = err_sys(err, "cannot create %s", buf_str(&tmp));
        buf_fini(&tmp);
        return rc;
    }
    fputs("id,label,score\n", f);
    for (uint64_t i = 0; i < s->n; i++)
        fprintf(f, "%llu,%d,%.9g\n", (unsigned long long)i, s->label[i] > 0,
            (double)s->score[i]);
    bool failed = ferror(f) != 0;
    if (fclose(f) != 0 || failed || rename(buf_str(&tmp), path) != 0) {
        rc = err_sys(err, "cannot write --predictions=%s", path);
        unlink(buf_str(&tmp));
    }
    buf_fini(&tmp);
    return rc;
}

double
memory_peak_mb(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    double kb = 0;
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtod(line + 6, NULL);
    }
    if (f != NULL)
        fclose(f);
    return round(kb / 1024 * 10) / 10;
}

void
cost_put(struct buf *line)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    double s = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    buf_printf(line, ",\"cpu_s\":%.4f,\"core_hours\":%.9f", s, s / 3600);
}
