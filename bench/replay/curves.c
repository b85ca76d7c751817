/* Reads tables of learning curves and makes problems of them. Called once per
 * run of the bench. Invariant: every candidate has a curve, and its last value
 * is what the candidate is worth. */
#include "curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVALUATIONS_MAX = 4096 };
static const double VERY_BAD = -1e300;
/* A run that diverged is so many times (best - median) below the median: a
 * number that a trainer might print, not one that breaks sums. */
static const double WORST = 100;

static int
column_like(const struct table *t, const char *part)
{
    for (uint32_t c = 0; c < t->n_cols; c++)
        if (strstr(t->head[c], part) != NULL)
            return (int)c;
    return -1;
}

static int
column_first(const struct table *t, const char *const *names)
{
    int c = -1;
    for (; *names != NULL && c < 0; names++)
        c = table_column(t, *names);
    return c;
}

static double
value_of(const char *text, double sign)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || !isfinite(v))
        return VERY_BAD;
    return sign * v;
}

/* ---- configurations ---- */

static void
hp_find(
    struct arena *a, const struct table *t, struct trials *out, uint32_t *at)
{
    out->hp = arena_alloc(a, t->n_cols * sizeof *out->hp);
    for (uint32_t c = 0; c < t->n_cols; c++)
        if (strncmp(t->head[c], "hp:", 3) == 0) {
            at[out->n_hp] = c;
            out->hp[out->n_hp++] = t->head[c] + 3;
        }
}

static const char *
cell_of(const struct table *t, uint32_t r, int c)
{
    return c >= 0 ? t->cells[r * t->n_cols + (uint32_t)c] : "";
}

static bool
row_config(struct arena *a, const struct table *t, uint32_t r,
    const struct trials *head, const uint32_t *at, struct row *to)
{
    static const char *const tasks[] = {"task", "dataset", "benchmark", NULL};
    const char **hp = arena_alloc(a, head->n_hp * sizeof *hp + 1);
    bool known = false;
    for (uint32_t h = 0; h < head->n_hp; h++) {
        hp[h] = t->cells[r * t->n_cols + at[h]];
        known |= hp[h][0] != '\0';
    }
    to->dataset = cell_of(t, r, column_first(t, tasks));
    to->model = cell_of(t, r, table_column(t, "model"));
    to->space = cell_of(t, r, table_column(t, "space"));
    to->hp = hp;
    return known;
}

/* ---- the two forms ---- */

static void
curve_text(struct arena *a, const char *text, double sign, struct curve_row *c)
{
    double v[EVALUATIONS_MAX];
    uint32_t n = 0;
    for (const char *p = text; *p != '\0' && n < EVALUATIONS_MAX;) {
        while (*p == ' ')
            p++;
        if (*p == '\0')
            break;
        v[n++] = value_of(p, sign);
        while (*p != '\0' && *p != ' ')
            p++;
    }
    /* the first value is that before any training: no evaluation of a run */
    c->n = n > 1 ? n - 1 : 0;
    c->value = arena_alloc(a, (c->n + 1) * sizeof *c->value);
    memcpy(c->value, v + 1, c->n * sizeof *v);
}

static int
wide_read(struct arena *a, const struct table *t, int curve,
    struct curve_table *out, struct err *err)
{
    int id = table_column(t, "trial_id"), last = column_like(t, "final_valid");
    double sign = column_like(t, "loss") >= 0 ? -1 : 1;
    uint32_t *at = arena_alloc(a, t->n_cols * sizeof *at);
    if (id < 0 || last < 0)
        return err_set(err, -ERR_INPUT,
            "a table of whole curves needs trial_id and final_valid_*");
    hp_find(a, t, &out->trials, at);
    out->trials.row = arena_alloc(a, t->n_rows * sizeof *out->trials.row);
    out->row = arena_alloc(a, t->n_rows * sizeof *out->row);
    for (uint32_t r = 0; r < t->n_rows; r++) {
        struct row *to = &out->trials.row[out->trials.n];
        struct curve_row *c = &out->row[out->trials.n];
        if (!row_config(a, t, r, &out->trials, at, to))
            continue;
        curve_text(a, cell_of(t, r, curve), sign, c);
        to->id = c->id = cell_of(t, r, id);
        c->final = value_of(cell_of(t, r, last), sign);
        if (c->n < 2)
            continue;
        c->value[c->n - 1] = c->final;
        to->val = to->test = c->final;
        out->trials.n++;
    }
    return 0;
}

/* Evaluations of one run lie on lines that follow each other. */
static uint32_t
curve_lines(struct arena *a, const struct table *t, uint32_t r, int id,
    int value, struct curve_row *c)
{
    uint32_t n = 0;
    double best = VERY_BAD;
    const char *who = cell_of(t, r, id);
    while (r + n < t->n_rows && strcmp(cell_of(t, r + n, id), who) == 0)
        n++;
    c->id = who;
    c->n = 0;
    c->value = arena_alloc(a, n * sizeof *c->value);
    for (uint32_t i = 0; i < n; i++) {
        if (cell_of(t, r + i, value)[0] == '\0')
            continue;
        best = fmax(best, value_of(cell_of(t, r + i, value), 1));
        c->value[c->n++] = best;
    }
    c->final = best;
    return n;
}

static int
long_read(struct arena *a, const struct table *t, const struct table *configs,
    struct curve_table *out, struct err *err)
{
    static const char *const ids[] = {"run", "trial_id", NULL};
    static const char *const values[] = {"val_auc", "auc", NULL};
    int id = column_first(t, ids), value = column_first(t, values);
    int own = table_column(configs, "trial_id");
    uint32_t *at = arena_alloc(a, configs->n_cols * sizeof *at);
    if (id < 0 || value < 0 || own < 0)
        return err_set(err, -ERR_INPUT,
            "a table of evaluations needs run or trial_id, val_auc or auc, and "
            "a table of configurations with trial_id");
    hp_find(a, configs, &out->trials, at);
    out->trials.row = arena_alloc(a, t->n_rows * sizeof *out->trials.row);
    out->row = arena_alloc(a, t->n_rows * sizeof *out->row);
    out->best = true;
    for (uint32_t r = 0; r < t->n_rows;) {
        struct row *to = &out->trials.row[out->trials.n];
        struct curve_row *c = &out->row[out->trials.n];
        uint32_t k = 0;
        r += curve_lines(a, t, r, id, value, c);
        while (
            k < configs->n_rows && strcmp(cell_of(configs, k, own), c->id) != 0)
            k++;
        if (c->n < 1 || k == configs->n_rows ||
            !row_config(a, configs, k, &out->trials, at, to))
            continue;
        to->id = c->id;
        to->val = to->test = c->final;
        out->trials.n++;
    }
    return 0;
}

int
curves_read(struct arena *a, const char *path, const char *configs,
    struct curve_table *out, struct err *err)
{
    struct table t, other;
    memset(out, 0, sizeof *out);
    int rc = table_read(a, path, &t, err);
    if (rc != 0)
        return rc;
    int curve = column_like(&t, "curve");
    if (curve >= 0)
        return wide_read(a, &t, curve, out, err);
    if (configs == NULL)
        return err_set(err, -ERR_INPUT,
            "%s has one line an evaluation: --configs names the table of "
            "configurations",
            path);
    rc = table_read(a, configs, &other, err);
    return rc == 0 ? long_read(a, &t, &other, out, err) : rc;
}

/* ---- a task ---- */

static int
rungs_fill(struct task *t, const char *text, struct err *err)
{
    t->n_rungs = 0;
    for (double at = 1;
         text == NULL && at < t->top && t->n_rungs < RUNGS_MAX - 1; at *= 2)
        t->rung[t->n_rungs++] = at;
    while (text != NULL && *text != '\0' && t->n_rungs < RUNGS_MAX - 1) {
        char *end;
        double at = strtod(text, &end);
        double before = t->n_rungs > 0 ? t->rung[t->n_rungs - 1] : 0;
        if (end == text || at <= before)
            return err_set(err, -ERR_INPUT, "--rungs rise: 1,2,4");
        if (at < t->top)
            t->rung[t->n_rungs++] = at;
        text = *end == ',' ? end + 1 : end;
    }
    t->rung[t->n_rungs++] = t->top;
    return 0;
}

int
task_build(struct arena *a, const struct curve_table *t, const char *name,
    const char *rungs, struct task *out, struct err *err)
{
    double sum = 0;
    memset(out, 0, sizeof *out);
    int rc = problem_build(a, &t->trials, name, 0, &out->p, err);
    if (rc != 0)
        return rc;
    out->curve = arena_alloc(a, out->p.n * sizeof *out->curve);
    for (uint32_t i = 0; i < out->p.n; i++) {
        /* of several runs of a configuration the first one is played */
        const struct curve_row *c = &t->row[out->p.row[i] - t->trials.row];
        out->curve[i] = c;
        out->p.val[i] = out->p.test[i] = c->final;
        out->top = c->n > out->top ? c->n : out->top;
        sum += c->n;
    }
    out->mean_length = sum / out->p.n;
    problem_scale(&out->p);
    out->worst =
        out->p.median - WORST * fmax(1e-9, out->p.best - out->p.median);
    for (uint32_t i = 0; i < out->p.n; i++)
        out->p.val[i] = out->p.test[i] = fmax(out->worst, out->p.val[i]);
    return rungs_fill(out, rungs, err);
}

uint32_t
task_length(const struct task *t, uint32_t candidate)
{
    return t->curve[candidate]->n;
}

double
task_value(const struct task *t, uint32_t candidate, uint32_t at)
{
    const struct curve_row *own = t->curve[candidate], *shown = own;
    if (t->liar != NULL && at < own->n && at < t->lies_below)
        shown = t->curve[t->liar[candidate]];
    return fmax(t->worst, shown->value[(at < shown->n ? at : shown->n) - 1]);
}
