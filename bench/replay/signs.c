/* Sign, size and spread of recorded single changes, predicted without their
 * family. Called by bench-predict. Invariant: the changed trial, and any other
 * of its configuration, is never among what is known of the target. */
#include "signs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "math/score.h"
#include "math/standing.h"
#include "project/read.h"
#include "research/history.h"

enum { LEVELS = 4, DATASETS_MAX = 256 };
static const double CLIP = .02;        /* AUC: what is beyond is a collapse */
static const double WIDE = 1e9;        /* a neighbourhood without an edge */
static const double COVER = 1.2815516; /* 80 % of a normal */

struct change {
    const char *dataset, *model, *hp, *from, *to;
    const struct row *base, *fresh; /* NULL: not in the table of trials */
    double d;
    double score[LEVELS];
    double mean[2], sd[2]; /* nothing measured; near the change */
};

struct changes {
    uint32_t n;
    struct change *v;
};

/* ---- reading ---- */

static int
by_id(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;
    return strcmp(x->id, y->id);
}

static const struct row *
row_find(const struct row **sorted, uint32_t n, const char *id)
{
    struct row key = {.id = id};
    const struct row *k = &key;
    const struct row **at = bsearch(&k, sorted, n, sizeof *sorted, by_id);
    return at != NULL ? *at : NULL;
}

static int
changes_read(struct arena *a, const struct trials *t, const struct table *c,
    struct changes *out, struct err *err)
{
    static const char *const need[] = {"dataset", "model", "hp", "from", "to",
        "d_val_auc", "base_trial", "new_trial"};
    int col[8];
    for (int i = 0; i < 8; i++)
        if ((col[i] = table_column(c, need[i])) < 0)
            return err_set(err, -ERR_INPUT,
                "the table of changes has no column %s", need[i]);
    const struct row **sorted = arena_alloc(a, (t->n + 1) * sizeof *sorted);
    for (uint32_t i = 0; i < t->n; i++)
        sorted[i] = &t->row[i];
    qsort(sorted, t->n, sizeof *sorted, by_id);
    out->v = arena_alloc(a, (c->n_rows + 1) * sizeof *out->v);
    out->n = 0;
    for (uint32_t r = 0; r < c->n_rows; r++) {
        const char **cell = c->cells + r * c->n_cols;
        char *end;
        double d = strtod(cell[col[5]], &end);
        if (end == cell[col[5]] || !isfinite(d))
            continue;
        out->v[out->n++] = (struct change){.dataset = cell[col[0]],
            .model = cell[col[1]],
            .hp = cell[col[2]],
            .from = cell[col[3]],
            .to = cell[col[4]],
            .d = d,
            .base = row_find(sorted, t->n, cell[col[6]]),
            .fresh = row_find(sorted, t->n, cell[col[7]])};
    }
    return 0;
}

/* ---- the naive table: how often did this change help elsewhere? ---- */

static bool
same_knob(const struct change *x, const struct change *y)
{
    return strcmp(x->hp, y->hp) == 0;
}

static double
naive_score(const struct changes *learn, const struct change *x)
{
    double exact = 0, n_exact = 2, any = 0, n_any = 2;
    double way = strtod(x->to, NULL) - strtod(x->from, NULL);
    for (uint32_t i = 0; i < learn->n; i++) {
        const struct change *y = &learn->v[i];
        if (!same_knob(x, y) || family_equal(x->dataset, y->dataset))
            continue;
        double sign = (y->d > 0) - (y->d < 0);
        double theirs = strtod(y->to, NULL) - strtod(y->from, NULL);
        if ((way > 0) == (theirs > 0) && (way < 0) == (theirs < 0)) {
            any += sign;
            n_any++;
        }
        if (strcmp(x->from, y->from) == 0 && strcmp(x->to, y->to) == 0) {
            exact += sign;
            n_exact++;
        }
    }
    return exact / n_exact + .1 * any / n_any;
}

/* ---- the product's history, taught other families' changes ---- */

static int
by_group(const void *a, const void *b)
{
    const struct change *x = *(const struct change *const *)a;
    const struct change *y = *(const struct change *const *)b;
    int c = strcmp(x->dataset, y->dataset);
    c = c != 0 ? c : strcmp(x->model, y->model);
    c = c != 0 ? c : strcmp(x->hp, y->hp);
    c = c != 0 ? c : strcmp(x->from, y->from);
    return c != 0 ? c : strcmp(x->to, y->to);
}

static double
clipped(double d)
{
    return fmin(CLIP, fmax(-CLIP, d));
}

/* One insight for each change of a model on a data set, as a campaign there
 * would have kept it. Returns how many. */
static size_t
rows_make(struct arena *a, const struct changes *learn, const char *target,
    struct insight **out)
{
    const struct change **v = arena_alloc(a, (learn->n + 1) * sizeof *v);
    uint32_t n = 0;
    size_t rows = 0;
    for (uint32_t i = 0; i < learn->n; i++)
        if (!family_equal(learn->v[i].dataset, target))
            v[n++] = &learn->v[i];
    qsort(v, n, sizeof *v, by_group);
    *out = arena_alloc(a, (n + 1) * sizeof **out);
    for (uint32_t i = 0, j; i < n; i = j) {
        double sum = 0;
        for (j = i; j < n && by_group(&v[i], &v[j]) == 0; j++)
            sum += clipped(v[j]->d);
        const struct change *x = v[i];
        double k = j - i;
        (*out)[rows++] = (struct insight){.campaign = x->dataset,
            .knob = x->hp,
            .concept = concept_name(concept_find(x->hp, "", "")),
            .family = x->model,
            .from = x->from,
            .to = x->to,
            .direction = "",
            .partner = "",
            .effect = sum / k,
            .sd = BASE_RATE_SD / sqrt(k),
            .n = (int64_t)k,
            .status = INSIGHT_PROMOTED};
    }
    return rows;
}

static void
history_score(const struct history *h, struct change *x)
{
    struct history_answer a;
    struct history_query q = {.concept = concept_find(x->hp, "", ""),
        .knob = x->hp,
        .family = x->model};
    move_read(&q.move, q.concept, x->from, x->to, "");
    history_ask(h, &q, &a);
    x->mean[0] = a.p.mean;
    x->sd[0] = a.p.sd;
}

/* ---- what is measured on the target ---- */

/* A seed is no knob: another seed of the changed configuration is the changed
 * configuration. */
static bool
is_seed(const char *hp)
{
    size_t n = strlen(hp);
    return n >= 4 && strcmp(hp + n - 4, "seed") == 0;
}

static uint32_t
rows_differ(const struct trials *t, const struct row *a, const struct row *b)
{
    uint32_t n = 0;
    for (uint32_t h = 0; h < t->n_hp; h++)
        n += strcmp(a->hp[h], b->hp[h]) != 0 && !is_seed(t->hp[h]);
    return n;
}

static bool
row_is_known(const struct sign_options *o, const struct trials *t,
    const struct row *r, uint32_t in_dataset)
{
    struct rng g;
    if (o->known == 0 || o->known >= in_dataset)
        return true;
    rng_seed2(&g, o->seed, (uint64_t)(r - t->row));
    return rng_f64(&g) * in_dataset < o->known;
}

static void
standing_score(const struct sign_options *o, const struct trials *t,
    uint32_t in_dataset, struct change *x)
{
    struct standing all = {0, 0}, near = {0, 0};
    for (uint32_t i = 0; i < t->n && x->base != NULL && x->fresh != NULL; i++) {
        const struct row *r = &t->row[i];
        if (r == x->base || strcmp(r->dataset, x->base->dataset) != 0 ||
            strcmp(r->space, x->base->space) != 0 ||
            strcmp(r->model, x->base->model) != 0)
            continue;
        uint32_t far = rows_differ(t, r, x->fresh);
        if (far == 0 || !row_is_known(o, t, r, in_dataset))
            continue;
        standing_add(&all, far, r->val - x->base->val, WIDE);
        standing_add(&near, far, r->val - x->base->val, STANDING_WIDTH);
    }
    x->mean[1] = x->mean[0];
    x->sd[1] = x->sd[0];
    standing_apply(&near, &x->mean[1], &x->sd[1]);
    double mean = x->mean[0], sd = x->sd[0];
    standing_apply(&all, &mean, &sd);
    x->score[1] = x->mean[0] / x->sd[0];
    x->score[2] = mean / sd;
    x->score[3] = x->mean[1] / x->sd[1];
}

/* ---- figures ---- */

struct figures {
    uint32_t n;
    double auc[LEVELS], cover[2], crps[2], crps_constant;
};

/* Share of (gain, loss) pairs in the right order, ties half. */
static double
sign_auc(const struct changes *c, const char *dataset, int level)
{
    double right = 0, pairs = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct change *x = &c->v[i];
        if (x->d <= 0 || strcmp(x->dataset, dataset) != 0)
            continue;
        for (uint32_t j = 0; j < c->n; j++) {
            const struct change *y = &c->v[j];
            if (y->d >= 0 || strcmp(y->dataset, dataset) != 0)
                continue;
            double gap = x->score[level] - y->score[level];
            right += gap > 0 ? 1 : gap == 0 ? .5 : 0;
            pairs++;
        }
    }
    return pairs > 0 ? right / pairs : NAN;
}

/* The constant prediction: N(0, sd) of the other families' changes. */
static double
constant_sd(const struct changes *learn, const char *target)
{
    double square = 0, n = 0;
    for (uint32_t i = 0; i < learn->n; i++)
        if (!family_equal(learn->v[i].dataset, target)) {
            square += clipped(learn->v[i].d) * clipped(learn->v[i].d);
            n++;
        }
    return n > 0 && square > 0 ? sqrt(square / n) : BASE_RATE_SD;
}

static void
figures_make(const struct changes *c, const struct changes *learn,
    const char *dataset, struct figures *f)
{
    double sd = constant_sd(learn, dataset);
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct change *x = &c->v[i];
        if (strcmp(x->dataset, dataset) != 0)
            continue;
        double y = clipped(x->d);
        f->n++;
        for (int k = 0; k < 2; k++) {
            f->cover[k] += fabs(y - x->mean[k]) <= COVER * x->sd[k];
            f->crps[k] += crps_normal(x->mean[k], x->sd[k], y);
        }
        f->crps_constant += crps_normal(0, sd, y);
    }
    for (int k = 0; k < 2; k++) {
        f->cover[k] /= f->n;
        f->crps[k] /= f->n;
    }
    f->crps_constant /= f->n;
    for (int level = 0; level < LEVELS; level++)
        f->auc[level] = sign_auc(c, dataset, level);
}

static void
figures_print(const struct figures *f, const char *name, bool json, bool first)
{
    if (json)
        printf(
            "%s{\"dataset\":\"%s\",\"changes\":%" PRIu32
            ",\"auc_naive\":%.4f,\"auc_unseen\":%.4f,\"auc_model\":%.4f,"
            "\"auc_near\":%.4f,\"cover80_unseen\":%.4f,\"cover80_near\":%.4f,"
            "\"crps_constant\":%.4g,\"crps_unseen\":%.4g,\"crps_near\":%.4g}",
            first ? "" : ",\n", name, f->n, f->auc[0], f->auc[1], f->auc[2],
            f->auc[3], f->cover[0], f->cover[1], f->crps_constant, f->crps[0],
            f->crps[1]);
    else
        printf("%-20s %6" PRIu32 "  %5.3f  %5.3f  %5.3f  %5.3f   %4.2f %4.2f"
               "   %5.2f %5.2f %5.2f\n",
            name, f->n, f->auc[0], f->auc[1], f->auc[2], f->auc[3], f->cover[0],
            f->cover[1], f->crps_constant * 1e4, f->crps[0] * 1e4,
            f->crps[1] * 1e4);
}

static void
dataset_score(struct arena *a, const struct sign_options *o,
    const struct trials *t, const struct changes *learn, const char *dataset,
    struct changes *c)
{
    struct history h;
    struct insight *row;
    uint32_t in_dataset = 0;
    size_t n = rows_make(a, learn, dataset, &row);
    history_of_rows(&h, row, n, a);
    for (uint32_t i = 0; i < t->n; i++)
        in_dataset += strcmp(t->row[i].dataset, dataset) == 0;
    for (uint32_t i = 0; i < c->n; i++) {
        struct change *x = &c->v[i];
        if (strcmp(x->dataset, dataset) != 0)
            continue;
        x->score[0] = naive_score(learn, x);
        history_score(&h, x);
        standing_score(o, t, in_dataset, x);
    }
}

/* Mean over the datasets that were told apart. */
static void
mean_add(struct figures *mean, const struct figures *f, uint32_t n)
{
    mean->n += f->n;
    for (int i = 0; i < LEVELS; i++)
        mean->auc[i] += (f->auc[i] - mean->auc[i]) / n;
    for (int k = 0; k < 2; k++) {
        mean->cover[k] += (f->cover[k] - mean->cover[k]) / n;
        mean->crps[k] += (f->crps[k] - mean->crps[k]) / n;
    }
    mean->crps_constant += (f->crps_constant - mean->crps_constant) / n;
}

static uint32_t
datasets_of(
    const struct changes *c, const char *target, const char *out[DATASETS_MAX])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const char *name = c->v[i].dataset;
        uint32_t j = 0;
        while (j < n && strcmp(out[j], name) != 0)
            j++;
        bool wanted = strcmp(target, "all") == 0 || strcmp(target, name) == 0;
        if (j == n && n < DATASETS_MAX && wanted)
            out[n++] = name;
    }
    return n;
}

int
signs_bench(const struct sign_options *o, const struct trials *trials,
    const struct table *changes, const struct table *more_changes,
    struct err *err)
{
    struct arena a = {0};
    struct changes c, learn;
    struct figures mean = {0};
    const char *name[DATASETS_MAX];
    uint32_t told = 0;
    int rc = changes_read(&a, trials, changes, &c, err);
    if (rc == 0)
        rc = changes_read(&a, trials, more_changes, &learn, err);
    uint32_t n = rc == 0 ? datasets_of(&c, o->target, name) : 0;
    if (rc == 0 && n == 0)
        rc = err_set(err, -ERR_NOT_FOUND, "no changes of %s", o->target);
    for (uint32_t i = 0; i < n; i++) {
        struct figures f;
        dataset_score(&a, o, trials, &learn, name[i], &c);
        figures_make(&c, &learn, name[i], &f);
        figures_print(&f, name[i], o->json, i == 0);
        if (isfinite(f.auc[0]))
            mean_add(&mean, &f, ++told);
    }
    if (told > 0)
        figures_print(&mean, "mean", o->json, false);
    arena_fini(&a);
    return rc;
}
