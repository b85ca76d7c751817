/* The training job: epochs of steps, metrics, early stopping, checkpoints.
 * main.c calls it. Invariant: the run is a function of flags and data, wherever
 * it was interrupted and resumed. */
#include "train.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/rng.h"
#include "ckpt.h"
#include "inject.h"
#include "loss.h"
#include "order.h"
#include "score.h"

struct trainer {
    const struct config *c;
    struct dataset data;
    struct model model;
    struct batch batch;
    struct order order;
    struct train_state st;
    struct best best;
    struct inject inject;
    struct ckpt_shape shape;
    uint64_t kept; /* rows of an epoch after sampling */
    float *z, *p, *dz;
    double epoch_s, epoch_cpu_s; /* spent in the steps of this epoch */
    uint64_t epoch_rows;         /* rows of it seen by this process */
};

/* Rows that are fetched ahead: they lie anywhere in the mapped file. */
enum { PREFETCH = 12 };

static volatile sig_atomic_t stop_asked;

static void
stop_ask(int sig)
{
    (void)sig;
    stop_asked = 1;
}

static double
clock_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool
row_is_positive(const struct trainer *t, uint64_t row)
{
    size_t n;
    float label;
    const struct split *s = &t->data.split[SPLIT_TRAIN];
    memcpy(&label, split_row(&t->data, s, row, &n), sizeof label);
    return (double)label > t->c->label_threshold;
}

static bool
row_is_kept(const struct trainer *t, uint64_t row)
{
    if (t->c->train_fraction >= 1 && t->c->negative_rate >= 1)
        return true;
    return order_keeps(t->c, row, row_is_positive(t, row));
}

static uint64_t
steps_per_epoch(const struct trainer *t)
{
    uint64_t b = (uint64_t)t->c->batch_size;
    return (t->kept + b - 1) / b;
}

/* Factor of the learning rate at a step (from 0). */
static double
schedule_factor(const struct trainer *t, uint64_t step)
{
    const struct config *c = t->c;
    double total = (double)(steps_per_epoch(t) * (uint64_t)c->epochs);
    double warmup = (double)c->warmup, at = (double)step;
    if (at < warmup)
        return (at + 1) / warmup;
    double done = total > warmup ? (at - warmup) / (total - warmup) : 0;
    done = done < 1 ? done : 1;
    switch ((enum schedule_kind)c->schedule) {
    case SCHEDULE_CONST:
        return 1;
    case SCHEDULE_COSINE: /* Loshchilov & Hutter, ICLR 2017, eq. 5 */
        return 0.5 * (1 + cos(M_PI * done));
    case SCHEDULE_LINEAR:
        return 1 - done;
    case SCHEDULE_STEP:
        return pow(c->step_factor, (double)t->st.epoch);
    }
    return 1;
}

static void
batch_fill(struct trainer *t)
{
    const struct split *s = &t->data.split[SPLIT_TRAIN];
    batch_clear(&t->batch);
    while (t->batch.rows < (uint32_t)t->c->batch_size &&
           t->st.position < s->rows) {
        uint64_t row = order_row(&t->order, t->st.position++);
        uint64_t next = order_peek(&t->order, t->st.position + PREFETCH, row);
        split_prefetch(&t->data, s, next);
        if (row_is_kept(t, row))
            batch_add(&t->batch, &t->data, s, row, t->c);
    }
}

/* One update; -1 when the loss is NaN. */
static int
step_run(struct trainer *t)
{
    struct batch *b = &t->batch;
    uint64_t seed = rng_mix((uint64_t)t->c->seed, t->st.step);
    double factor = schedule_factor(t, t->st.step++);
    batch_index(b);
    model_forward(&t->model, b, true, seed, t->z);
    double loss =
        loss_compute(t->c, t->model.kern, t->z, b->label, b->rows, t->p, t->dz);
    if (inject_step(&t->inject, t->st.step))
        loss = NAN;
    if (!isfinite(loss))
        return -1;
    model_backward(&t->model, b, t->dz);
    model_update(&t->model, b, factor, t->st.step);
    t->st.loss_sum += loss;
    t->st.loss_rows += b->rows;
    t->st.samples += b->rows;
    t->epoch_rows += b->rows;
    return 0;
}

static int
checkpoint_write(struct trainer *t, struct err *err)
{
    if (t->c->out[0] == '\0')
        return 0;
    struct buf path = {0};
    buf_printf(&path, "%s/last.ckpt", t->c->out);
    int rc = ckpt_write(
        buf_str(&path), t->c, &t->shape, &t->st, &t->model, &t->best, err);
    buf_fini(&path);
    return rc;
}

/* best.ckpt is the last.ckpt of the best epoch: a second name is enough. */
static int
checkpoint_name_best(const struct trainer *t, struct err *err)
{
    struct buf last = {0}, tmp = {0}, best = {0};
    int rc = 0;
    if (t->c->out[0] == '\0')
        return 0;
    buf_printf(&last, "%s/last.ckpt", t->c->out);
    buf_printf(&tmp, "%s/best.ckpt.tmp", t->c->out);
    buf_printf(&best, "%s/best.ckpt", t->c->out);
    unlink(buf_str(&tmp));
    if (link(buf_str(&last), buf_str(&tmp)) != 0 ||
        rename(buf_str(&tmp), buf_str(&best)) != 0)
        rc = err_sys(err, "cannot name %s", buf_str(&best));
    buf_fini(&last);
    buf_fini(&tmp);
    buf_fini(&best);
    return rc;
}

static double
stop_value(const struct config *c, const struct metrics *m)
{
    switch ((enum stop_metric)c->early_stop) {
    case STOP_AUC:
        return m->auc;
    case STOP_LOGLOSS:
        return -m->logloss;
    case STOP_NE:
        return -m->ne;
    case STOP_GAUC:
        return m->gauc;
    case STOP_NDCG:
        return m->ndcg;
    case STOP_NONE:
        return 0;
    }
    return 0;
}

/* Judges an epoch; true when it is the best so far. */
static bool
epoch_judge(struct trainer *t, const struct metrics *m)
{
    const struct config *c = t->c;
    bool is_best = false;
    if (c->early_stop != STOP_NONE && t->data.split[SPLIT_VALID].rows > 0) {
        double value = stop_value(c, m);
        is_best = t->st.best_epoch == 0 || value > t->st.best_value;
        if (is_best) {
            t->st.best_value = value;
            t->st.best_epoch = t->st.epoch;
            t->st.bad_epochs = 0;
            best_keep(&t->best, &t->model);
        } else {
            t->st.bad_epochs++;
        }
        if (c->patience > 0 && t->st.bad_epochs >= (uint64_t)c->patience)
            t->st.finished = 1;
    }
    if (t->st.epoch >= (uint64_t)c->epochs)
        t->st.finished = 1;
    return is_best;
}

static int
split_report(struct trainer *t, enum split_kind s, struct buf *line,
    struct metrics *m, struct err *err)
{
    const struct config *c = t->c;
    struct scores scores = {0};
    int rc = 0;
    score_split(&t->model, &t->data, s, &t->batch, &scores);
    metrics_compute(&scores, m);
    metrics_put(line, s == SPLIT_VALID ? "valid" : "test", m);
    scores_fini(&scores);
    (void)c;
    (void)err;
    return rc;
}

/* Predictions are those of the weights that evaluation would use, so they are
 * written at the end. */
static int
predictions_finish(struct trainer *t, struct err *err)
{
    enum split_kind s =
        t->c->predict_split == EVAL_TEST ? SPLIT_TEST : SPLIT_VALID;
    if (t->c->predictions[0] == '\0' || t->c->predict_split == EVAL_NONE)
        return 0;
    if (t->best.weights != NULL)
        best_use(&t->best, &t->model);
    struct scores scores = {0};
    score_split(&t->model, &t->data, s, &t->batch, &scores);
    int rc = predictions_write(t->c->predictions, &scores, err);
    scores_fini(&scores);
    return rc;
}

static void
line_start(const struct trainer *t, struct buf *line)
{
    double mean = t->st.loss_sum / fmax(1, (double)t->st.loss_rows);
    buf_printf(line, "{\"step\":%llu,\"samples\":%llu,\"train.loss\":",
        (unsigned long long)t->st.epoch, (unsigned long long)t->st.samples);
    buf_put_f64(line, mean);
}

static double
rate_of(uint64_t rows, double seconds)
{
    return seconds > 0 ? (double)rows / seconds : 0;
}

static void
line_finish(const struct trainer *t, struct buf *line)
{
    buf_printf(line,
        ",\"samples_per_s\":%.0f,\"samples_per_cpu_s\":%.0f,\"peak_mb\":%.1f",
        rate_of(t->epoch_rows, t->epoch_s),
        rate_of(t->epoch_rows, t->epoch_cpu_s), memory_peak_mb());
    cost_put(line);
    if (t->data.bad_rows > 0)
        buf_printf(
            line, ",\"bad_rows\":%llu", (unsigned long long)t->data.bad_rows);
    buf_puts(line, "}\n");
}

/* Metrics are written before the checkpoint: a kill in between repeats the same
 * line after resume and never loses one. */
static int
epoch_finish(struct trainer *t, struct err *err)
{
    struct metrics m = {0};
    struct buf line = {0};
    int rc = 0;
    t->st.epoch++;
    t->st.position = 0;
    line_start(t, &line);
    if (t->data.split[SPLIT_VALID].rows > 0)
        rc = split_report(t, SPLIT_VALID, &line, &m, err);
    struct metrics ignored;
    if (rc == 0 && t->c->report_test && t->data.split[SPLIT_TEST].rows > 0)
        rc = split_report(t, SPLIT_TEST, &line, &ignored, err);
    line_finish(t, &line);
    t->st.loss_sum = 0;
    t->st.loss_rows = 0;
    t->epoch_rows = 0;
    bool is_best = epoch_judge(t, &m);
    if (rc == 0)
        rc = metrics_append(t->c, buf_str(&line), err);
    if (rc == 0)
        rc = checkpoint_write(t, err);
    if (rc == 0 && is_best)
        rc = checkpoint_name_best(t, err);
    buf_fini(&line);
    return rc;
}

static int
diverged_report(const struct trainer *t, struct err *err)
{
    char line[128];
    fprintf(stderr, "rea-ctr: loss is nan at step %llu\n",
        (unsigned long long)t->st.step);
    snprintf(line, sizeof line,
        "{\"step\":%llu,\"samples\":%llu,\"train.loss\":NaN}\n",
        (unsigned long long)t->st.epoch + 1, (unsigned long long)t->st.samples);
    return metrics_append(t->c, line, err);
}

/* The first step is always taken, so that there is something to judge. */
static bool
cpu_is_used(const struct trainer *t)
{
    return t->c->max_cpu_s > 0 && t->st.step > 0 &&
           clock_s(CLOCK_PROCESS_CPUTIME_ID) > t->c->max_cpu_s;
}

/* Steps to the end of the epoch, or to where --max-cpu ends the run: what was
 * learnt up to there is judged like an epoch. *exit_code is not 0 when it did
 * not come there. */
static int
epoch_run(struct trainer *t, int *exit_code, struct err *err)
{
    double start = clock_s(CLOCK_MONOTONIC);
    double cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);
    order_epoch(&t->order, t->st.epoch);
    for (;;) {
        if (stop_asked) {
            *exit_code = EXIT_PREEMPTED;
            return checkpoint_write(t, err);
        }
        if (cpu_is_used(t)) {
            t->st.finished = 1;
            break;
        }
        batch_fill(t);
        if (t->batch.rows == 0)
            break;
        if (step_run(t) != 0) {
            *exit_code = EXIT_DIVERGED;
            return diverged_report(t, err);
        }
    }
    t->epoch_s = clock_s(CLOCK_MONOTONIC) - start;
    t->epoch_cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu;
    return epoch_finish(t, err);
}

static int
resume_apply(struct trainer *t, struct err *err)
{
    const struct config *c = t->c;
    struct ckpt k;
    int rc = ckpt_open(&k, c->resume, err);
    if (rc != 0)
        return rc;
    struct config old;
    config_init(&old);
    rc = config_parse_text(&old, k.text, err);
    /* More epochs of a constant rate are the same run, only longer. */
    if (c->schedule == SCHEDULE_CONST || c->schedule == SCHEDULE_STEP)
        old.epochs = c->epochs;
    const char *differs = NULL;
    if (rc == 0)
        differs = config_difference(&old, c, FLAG_MODEL);
    if (rc == 0 && differs == NULL)
        differs = config_difference(&old, c, FLAG_DATA);
    if (differs != NULL)
        rc = err_set(err, -ERR_INPUT,
            "--resume=%s was made with another --%s; give the same flags",
            c->resume, differs);
    if (rc == 0 && memcmp(&k.shape, &t->shape, sizeof k.shape) != 0)
        rc = err_set(err, -ERR_INPUT,
            "--resume=%s was made from other data than --data=%s", c->resume,
            c->data);
    if (rc == 0)
        rc = ckpt_restore(&k, &t->model, &t->best, err);
    if (rc == 0) {
        t->st = k.state;
        if (t->st.epoch < (uint64_t)c->epochs &&
            (c->patience == 0 || t->st.bad_epochs < (uint64_t)c->patience))
            t->st.finished = 0;
    }
    ckpt_close(&k);
    return rc;
}

static int
trainer_init(struct trainer *t, const struct config *c, struct err *err)
{
    t->c = c;
    int rc = inject_init(&t->inject, c->inject, err);
    if (rc == 0 && c->out[0] != '\0' && mkdir(c->out, 0777) != 0 &&
        errno != EEXIST)
        rc = err_sys(err, "cannot create --out=%s", c->out);
    if (rc == 0)
        rc = dataset_open(&t->data, c, err);
    if (rc != 0)
        return rc;
    const struct split *train = &t->data.split[SPLIT_TRAIN];
    uint32_t rows = score_rows(c);
    t->shape =
        (struct ckpt_shape){t->data.fingerprint, t->data.ids, t->data.fields};
    batch_init(&t->batch, &t->data, rows);
    order_init(&t->order, train->rows, (uint64_t)c->seed);
    t->z = mem_calloc(round_up(rows, 8), sizeof *t->z);
    t->p = mem_calloc(round_up(rows, 8), sizeof *t->p);
    t->dz = mem_calloc(round_up(rows, 8), sizeof *t->dz);
    uint64_t positives = 0;
    for (uint64_t i = 0; i < train->rows; i++) {
        if (!row_is_kept(t, i))
            continue;
        t->kept++;
        positives += row_is_positive(t, i);
    }
    if (t->kept == 0)
        return err_set(err, -ERR_INPUT,
            "--train-fraction and --negative-rate leave no training rows");
    rc = model_init(&t->model, c, t->data.ids, t->data.fields, rows, err);
    /* The first logit is that of the mean label, so no step is spent on it. */
    if (rc == 0)
        t->model.dense.p[t->model.bias] = (float)log(
            ((double)positives + 1) / ((double)(t->kept - positives) + 1));
    return rc;
}

static void
trainer_fini(struct trainer *t)
{
    model_fini(&t->model);
    best_fini(&t->best);
    batch_fini(&t->batch);
    order_fini(&t->order);
    dataset_close(&t->data);
    free(t->z);
    free(t->p);
    free(t->dz);
}

int
train_run(const struct config *c, int *exit_code, struct err *err)
{
    struct trainer t = {0};
    struct sigaction sa = {.sa_handler = stop_ask};
    sigaction(SIGTERM, &sa, NULL);
    *exit_code = 0;
    int rc = trainer_init(&t, c, err);
    if (rc == 0 && c->resume[0] != '\0')
        rc = resume_apply(&t, err);
    if (rc == 0 && t.st.finished)
        fprintf(stderr, "rea-ctr: %s is complete already\n", c->resume);
    while (rc == 0 && *exit_code == 0 && !t.st.finished)
        rc = epoch_run(&t, exit_code, err);
    if (rc == 0 && *exit_code == 0)
        rc = predictions_finish(&t, err);
    trainer_fini(&t);
    return rc;
}
