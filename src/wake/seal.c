/* Opening the seal: the values that were kept from the engine go in, with the
 * sampling variance of the finalists where per-row predictions allow it.
 * Called only when the engine has decided to look, which it counts. */
#include "wake/part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/auc.h"
#include "wake/predictions.h"

enum { ARM_SEEDS_MAX = 64 };

struct arm_files {
    int seeds;
    double reported[ARM_SEEDS_MAX];
    struct predictions rows[ARM_SEEDS_MAX];
    const double *score[ARM_SEEDS_MAX];
};

static void
arm_free(struct arm_files *a)
{
    for (int i = 0; i < a->seeds; i++)
        predictions_fini(&a->rows[i]);
    free(a);
}

struct last_run {
    uint32_t trial;
    uint32_t kind;
    char dir[STORE_PATH_LEN];
};

static int
last_run_look(void *ctx, const struct store_attempt *a)
{
    struct last_run *l = ctx;
    if (a->trial == l->trial && a->reason == REASON_OK &&
        a->job_kind == l->kind)
        memcpy(l->dir, a->run_dir, sizeof l->dir);
    return 0;
}

/* The predictions that a confirmation trial's sealed value was made from. */
static bool
seed_read(struct wake *w, uint32_t trial, struct arm_files *arm)
{
    struct run_files files;
    struct last_run last = {.trial = trial,
        .kind = w->core->spec.has_evaluate ? JOB_EVALUATE : JOB_TRAIN};
    const char *root = store_root(w->st);
    bool found = false;
    int i = arm->seeds;
    if (store_sealed_get(w->st, w->row.id, trial, w->core->spec.sealed, &found,
            &arm->reported[i], NULL) != 0 ||
        !found ||
        store_attempts(w->st, w->row.id, false, last_run_look, &last, NULL) !=
            0 ||
        last.dir[0] == '\0')
        return false;
    if (run_files_in(&w->arena, fs_join_in(&w->arena, root, last.dir), &files,
            NULL) != 0)
        return false;
    arm->seeds++;
    const char *rows = fs_join_in(&w->arena, root, files.predictions);
    if ((jobs_are_boxed(w) && !fs_is_plain(rows)) ||
        predictions_read(rows, &arm->rows[i], NULL) != 0)
        return false;
    arm->score[i] = arm->rows[i].score;
    return true;
}

/* All confirmation trials of an experiment in this window; NULL: one of them
 * has no rows. */
static struct arm_files *
arm_read(struct wake *w, uint32_t experiment)
{
    const struct core *c = w->core;
    struct arm_files *arm = mem_calloc(1, sizeof *arm);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->phase != PHASE_CONFIRMATION || t->state != TRIAL_OK ||
            t->window != c->window || t->experiment != experiment ||
            t->labels != 0)
            continue;
        if (arm->seeds == ARM_SEEDS_MAX || !seed_read(w, i + 1, arm)) {
            arm_free(arm);
            return NULL;
        }
    }
    if (arm->seeds > 0)
        return arm;
    arm_free(arm);
    return NULL;
}

static bool
is_near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

enum row_metric { ROW_NONE, ROW_AUC, ROW_LOGLOSS };

/* Which metric do the rows give back, the same as reported for every seed? */
static enum row_metric
metric_of(const struct arm_files *arm, struct order_key *work)
{
    bool auc = true, loss = true;
    for (int i = 0; i < arm->seeds; i++) {
        const struct predictions *p = &arm->rows[i];
        double v = NAN;
        if (auc && (auc_value(p->score, p->label, p->n, work, &v, NULL) != 0 ||
                       !is_near(v, arm->reported[i])))
            auc = false;
        loss = loss &&
               is_near(logloss(p->score, p->label, p->n), arm->reported[i]);
    }
    return auc ? ROW_AUC : loss ? ROW_LOGLOSS : ROW_NONE;
}

static bool
rows_same(const struct arm_files *a, const struct arm_files *b)
{
    const struct predictions *first = &a->rows[0];
    for (int i = 0; i < a->seeds; i++)
        if (a->rows[i].n != first->n || a->rows[i].rows_id != first->rows_id)
            return false;
    for (int i = 0; i < b->seeds; i++)
        if (b->rows[i].n != first->n || b->rows[i].rows_id != first->rows_id)
            return false;
    return true;
}

static double
arms_var(const struct arm_files *base, const struct arm_files *x)
{
    const struct predictions *first = &base->rows[0];
    struct row_set rows = {.n = first->n,
        .label = first->label,
        .group = first->group,
        .groups = first->groups};
    const struct row_scores a = {base->seeds, base->score};
    const struct row_scores b = {x->seeds, x->score};
    struct row_diff diff = {0};
    struct order_key *work = mem_calloc(2 * rows.n, sizeof *work);
    double *sum = mem_calloc(row_scratch(&rows), sizeof *sum);
    enum row_metric kind = metric_of(base, work);
    int rc = -ERR_INPUT;
    if (kind != ROW_NONE && metric_of(x, work) == kind)
        rc = kind == ROW_AUC ? auc_diff(&rows, &a, &b, work, sum, &diff, NULL)
                             : logloss_diff(&rows, &a, &b, sum, &diff, NULL);
    free(work);
    free(sum);
    return rc == 0 && isfinite(diff.var) && diff.var > 0 ? diff.var : 0;
}

double
sampling_var(struct wake *w, uint32_t experiment)
{
    double var = 0;
    struct arm_files *base = arm_read(w, 0);
    struct arm_files *x = base != NULL ? arm_read(w, experiment) : NULL;
    if (x != NULL && rows_same(base, x))
        var = arms_var(base, x);
    if (x != NULL)
        arm_free(x);
    if (base != NULL)
        arm_free(base);
    return var;
}

static double
experiment_sd(struct wake *w, uint32_t experiment)
{
    const struct core *c = w->core;
    for (uint32_t i = 0; experiment != 0 && i < c->n_finalists; i++)
        if (c->finalist[i].experiment == experiment)
            return sqrt(sampling_var(w, experiment));
    return 0;
}

int
sealed_open(struct wake *w, const struct action *a, uint32_t n, struct err *err)
{
    struct fact_list facts = {0};
    uint32_t known[FINALISTS_MAX + 1], n_known = 0;
    double sd[FINALISTS_MAX + 1];
    for (uint32_t i = 0; i < n; i++) {
        if (a[i].kind != ACTION_OPEN_SEALED)
            continue;
        struct fact *f = fact_new(w, EVENT_sealed_read);
        bool found = false;
        uint32_t x = w->core->trial[a[i].trial - 1].experiment, k = 0;
        f->e.trial = a[i].trial;
        f->e.value = NAN;
        int rc = store_sealed_get(w->st, w->row.id, a[i].trial,
            w->core->spec.sealed, &found, &f->e.value, err);
        if (rc != 0)
            return rc;
        while (k < n_known && known[k] != x)
            k++;
        if (k == n_known && n_known <= FINALISTS_MAX) {
            known[n_known] = x;
            sd[n_known++] = experiment_sd(w, x);
        }
        f->e.sd = k < n_known ? sd[k] : 0;
        fact_add(w, &facts, f);
    }
    return facts.n > 0 ? wake_commit(w, &facts, err) : 0;
}
