/* Turns recorded trials into a spec with explicit candidates. Called once per
 * dataset. Knob kinds come from the values alone: numbers become floats or
 * ints (log scale where they span decades), lists and text become choices.
 * Invariant: what is constant within every model is no knob, and two
 * candidates never have the same codes. */
#include "problem.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* Noise where no configuration was run twice: this share of (best - median).
 * Recorded repeats of ranking models lie between .03 and .3, mostly. */
static const double NOISE_SHARE = .1;
static const double DECADES = 30;    /* max / min that asks for a log scale */
static const double REPEATS_MIN = 8; /* degrees of freedom of a usable sd */

struct build {
    struct arena *a;
    const struct trials *t;
    struct problem *p;
    const struct row **row;
    uint32_t n_rows;
    uint32_t *space_of; /* index of each row's space */
    uint32_t n_spaces;
    uint32_t *order; /* scratch: an order of the rows */
};

static int
by_space(const void *a, const void *b, void *ctx)
{
    const struct row *x = ((struct build *)ctx)->row[*(const uint32_t *)a];
    const struct row *y = ((struct build *)ctx)->row[*(const uint32_t *)b];
    int d = strcmp(x->space, y->space);
    return d != 0 ? d : strcmp(x->model, y->model);
}

static int
by_space_and_row(const void *a, const void *b, void *ctx)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int d = by_space(a, b, ctx);
    return d != 0 ? d : (x > y) - (x < y);
}

/* The dataset's rows in the table's order; spaces are numbered as they
 * appear. */
static void
rows_choose(struct build *b, const char *dataset)
{
    uint32_t n = b->t->n + 1;
    b->row = arena_alloc(b->a, n * sizeof *b->row);
    b->space_of = arena_alloc(b->a, n * sizeof *b->space_of);
    b->order = arena_alloc(b->a, n * sizeof *b->order);
    uint32_t *first = arena_alloc(b->a, n * sizeof *first);
    for (uint32_t i = 0; i < b->t->n; i++)
        if (strcmp(b->t->row[i].dataset, dataset) == 0) {
            b->order[b->n_rows] = b->n_rows;
            b->row[b->n_rows++] = &b->t->row[i];
        }
    qsort_r(b->order, b->n_rows, sizeof *b->order, by_space_and_row, b);
    for (uint32_t i = 0; i < b->n_rows; i++) {
        bool same = i > 0 && by_space(&b->order[i], &b->order[i - 1], b) == 0;
        first[b->order[i]] = same ? first[b->order[i - 1]] : b->order[i];
    }
    for (uint32_t i = 0; i < b->n_rows; i++)
        b->space_of[i] = first[i] == i ? b->n_spaces++ : b->space_of[first[i]];
}

/* ---- values of a column ---- */

struct column {
    uint32_t hp;
    uint32_t rows_varying; /* in spaces where it varies */
    bool *active;          /* by space */
    bool mixed;            /* empty in some rows of a space, set in others */
    uint32_t n_text;       /* distinct values, as they appear */
    const char **text;
    uint32_t *count;
    uint32_t *text_of; /* of each row */
};

static bool
number_read(const char *s, double *v)
{
    char *end;
    *v = strtod(s, &end);
    return end != s && *end == '\0' && isfinite(*v);
}

struct texts {
    const struct build *b;
    uint32_t hp;
};

static int
by_text(const void *a, const void *b, void *ctx)
{
    const struct texts *t = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int d = strcmp(t->b->row[x]->hp[t->hp], t->b->row[y]->hp[t->hp]);
    return d != 0 ? d : (x > y) - (x < y);
}

/* Numbers the distinct values of a column. */
static void
texts_read(const struct build *b, struct column *c)
{
    struct texts t = {b, c->hp};
    uint32_t *first = mem_calloc(b->n_rows, sizeof *first);
    c->text = arena_alloc(b->a, b->n_rows * sizeof *c->text);
    c->count = arena_alloc(b->a, b->n_rows * sizeof *c->count);
    c->text_of = arena_alloc(b->a, b->n_rows * sizeof *c->text_of);
    for (uint32_t i = 0; i < b->n_rows; i++)
        b->order[i] = i;
    qsort_r(b->order, b->n_rows, sizeof *b->order, by_text, &t);
    for (uint32_t i = 0; i < b->n_rows; i++) {
        uint32_t now = b->order[i], last = i > 0 ? b->order[i - 1] : now;
        bool same = i > 0 && strcmp(b->row[now]->hp[c->hp],
                                 b->row[last]->hp[c->hp]) == 0;
        first[now] = same ? first[last] : now;
    }
    for (uint32_t i = 0; i < b->n_rows; i++) {
        if (first[i] == i) {
            c->text[c->n_text] = b->row[i]->hp[c->hp];
            c->text_of[i] = c->n_text++;
        }
        c->text_of[i] = c->text_of[first[i]];
        c->count[c->text_of[i]]++;
    }
    free(first);
}

static void
column_read(const struct build *b, uint32_t hp, struct column *c)
{
    const char **first = mem_calloc(b->n_spaces, sizeof *first);
    bool *varies = mem_calloc(b->n_spaces, sizeof *varies);
    *c = (struct column){.hp = hp};
    c->active = arena_alloc(b->a, b->n_spaces * sizeof *c->active);
    for (uint32_t i = 0; i < b->n_rows; i++) {
        const char *v = b->row[i]->hp[hp];
        uint32_t s = b->space_of[i];
        if (first[s] == NULL)
            first[s] = v;
        else if (strcmp(first[s], v) != 0) {
            varies[s] = true;
            c->mixed |= first[s][0] == '\0' || v[0] == '\0';
        }
        c->active[s] |= v[0] != '\0';
    }
    for (uint32_t i = 0; i < b->n_rows; i++)
        c->rows_varying += varies[b->space_of[i]];
    if (c->rows_varying > 0)
        texts_read(b, c);
    free(first);
    free(varies);
}

static int
by_rows(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    if (x->rows_varying != y->rows_varying)
        return x->rows_varying < y->rows_varying ? 1 : -1;
    return x->hp < y->hp ? -1 : 1;
}

/* ---- knobs ---- */

static void
knob_name(struct knob *k, const char *name)
{
    snprintf(k->name, sizeof k->name, "%.*s", NAME_LEN - 1, name);
}

/* Text of one value, short enough for the spec and still its own. */
static void
value_put(struct knob *k, const char *text)
{
    if (strlen(text) < VALUE_LEN)
        snprintf(k->values[k->n_values], VALUE_LEN, "%.*s", VALUE_LEN - 1,
            text[0] != '\0' ? text : "-");
    else
        snprintf(k->values[k->n_values], VALUE_LEN, "%.*s~%" PRIu32,
            VALUE_LEN - 8, text, k->n_values);
    k->n_values++;
}

/* Most frequent first when there are more than fit; the rest shares the last
 * value. */
static void
choice_fill(
    struct build *b, const struct column *c, struct knob *k, uint32_t *code)
{
    k->kind = KNOB_CHOICE;
    bool fits = c->n_text <= VALUES_MAX;
    uint32_t keep = fits ? c->n_text : VALUES_MAX - 1;
    bool *used = mem_calloc(c->n_text, sizeof *used);
    for (uint32_t n = 0; n < keep; n++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < c->n_text; i++)
            if (!used[i] &&
                (best == UINT32_MAX || (!fits && c->count[i] > c->count[best])))
                best = i;
        used[best] = true;
        code[best] = n;
        value_put(k, c->text[best]);
    }
    if (!fits) {
        value_put(k, "other");
        for (uint32_t i = 0; i < c->n_text; i++)
            if (!used[i])
                code[i] = keep;
        b->p->n_folded += c->n_text - keep;
    }
    free(used);
}

static bool
number_fill(const struct column *c, struct knob *k)
{
    bool whole = true, any = false;
    double low = INFINITY;
    for (uint32_t i = 0; i < c->n_text; i++) {
        double v;
        if (c->text[i][0] == '\0')
            continue;
        if (!number_read(c->text[i], &v))
            return false;
        whole &= v == floor(v);
        k->lo = any ? fmin(k->lo, v) : v;
        k->hi = any ? fmax(k->hi, v) : v;
        low = v > 0 ? fmin(low, v) : low;
        any = true;
    }
    if (!any || c->mixed)
        return false;
    k->kind = whole ? KNOB_INT : KNOB_FLOAT;
    k->log = k->lo > 0 && k->hi / k->lo >= DECADES;
    /* a zero among decades has no place on a log scale: keep the order */
    if (k->lo == 0 && k->hi / low >= DECADES && c->n_text <= VALUES_MAX)
        k->kind = KNOB_LIST;
    return k->hi > k->lo;
}

static int
by_number(const void *a, const void *b)
{
    double x = strtod(*(const char *const *)a, NULL);
    double y = strtod(*(const char *const *)b, NULL);
    return (x > y) - (x < y);
}

static void
condition_fill(const struct build *b, const struct column *c, struct knob *k)
{
    uint32_t on = 0;
    for (uint32_t s = 0; s < b->n_spaces; s++)
        on += c->active[s];
    k->n_when = 0;
    if (on == b->n_spaces || b->n_spaces > VALUES_MAX)
        return;
    bool positive = on <= b->n_spaces / 2;
    for (uint32_t s = 0, n = 0; s < b->n_spaces; s++) {
        if (c->active[s] != positive)
            continue;
        k->when[k->n_when++] = (struct cond){
            (uint8_t)(positive ? COND_EQ : COND_NE), 0, (double)s};
        if (n++ > 0)
            k->when[k->n_when++] =
                (struct cond){(uint8_t)(positive ? COND_OR : COND_AND), 0, 0};
    }
}

/* Adds the knob of one column and its code for every row. */
static void
column_add(struct build *b, struct column *c, double (*code)[KNOBS_MAX])
{
    struct spec *s = b->p->spec;
    uint32_t at = s->n_knobs;
    struct knob *k = &s->knob[at];
    uint32_t *of = mem_calloc(c->n_text, sizeof *of);
    memset(k, 0, sizeof *k);
    knob_name(k, b->t->hp[c->hp]);
    bool number = number_fill(c, k);
    if (number && k->kind == KNOB_LIST) {
        const char *sorted[VALUES_MAX];
        uint32_t n = 0;
        for (uint32_t i = 0; i < c->n_text; i++)
            if (c->text[i][0] != '\0')
                sorted[n++] = c->text[i];
        qsort(sorted, n, sizeof *sorted, by_number);
        for (uint32_t j = 0; j < n; j++) {
            value_put(k, sorted[j]);
            for (uint32_t i = 0; i < c->n_text; i++)
                if (c->text[i] == sorted[j])
                    of[i] = j;
        }
    } else if (!number) {
        choice_fill(b, c, k, of);
    }
    if (!c->mixed)
        condition_fill(b, c, k);
    bool plain = k->kind == KNOB_INT || k->kind == KNOB_FLOAT;
    for (uint32_t r = 0; r < b->n_rows; r++) {
        const char *v = b->row[r]->hp[c->hp];
        code[r][at] = of[c->text_of[r]];
        if (plain && v[0] != '\0')
            number_read(v, &code[r][at]);
        if (!c->mixed && !c->active[b->space_of[r]])
            code[r][at] = NAN;
    }
    free(of);
    s->n_knobs++;
}

/* The first knob: the model, or where one model has several spaces the
 * space. */
static void
space_add(struct build *b, double (*code)[KNOBS_MAX])
{
    struct knob *k = &b->p->spec->knob[0];
    struct column c = {.n_text = b->n_spaces};
    uint32_t *of = mem_calloc(b->n_spaces, sizeof *of);
    memset(k, 0, sizeof *k);
    knob_name(k, "model");
    c.text = arena_alloc(b->a, b->n_spaces * sizeof *c.text);
    c.count = arena_alloc(b->a, b->n_spaces * sizeof *c.count);
    for (uint32_t r = 0; r < b->n_rows; r++) {
        uint32_t s = b->space_of[r];
        if (c.text[s] == NULL) {
            bool alone = true;
            for (uint32_t i = 0; i < b->n_rows && alone; i++)
                alone = b->space_of[i] == s ||
                        strcmp(b->row[i]->model, b->row[r]->model) != 0;
            c.text[s] = alone ? b->row[r]->model : b->row[r]->space;
        }
        c.count[s]++;
    }
    choice_fill(b, &c, k, of);
    for (uint32_t r = 0; r < b->n_rows; r++)
        code[r][0] = of[b->space_of[r]];
    b->p->spec->n_knobs = 1;
    free(of);
}

static void
knobs_build(struct build *b, double (*code)[KNOBS_MAX])
{
    struct column *c = mem_calloc(b->t->n_hp + 1, sizeof *c);
    uint32_t n = 0;
    for (uint32_t h = 0; h < b->t->n_hp; h++) {
        column_read(b, h, &c[n]);
        n += c[n].rows_varying > 0;
    }
    qsort(c, n, sizeof *c, by_rows);
    space_add(b, code);
    for (uint32_t i = 0; i < n && b->p->spec->n_knobs < KNOBS_MAX; i++)
        column_add(b, &c[i], code);
    b->p->n_folded += n >= KNOBS_MAX ? n - (KNOBS_MAX - 1) : 0;
    free(c);
}

/* ---- candidates ---- */

struct codes {
    double (*code)[KNOBS_MAX];
    uint32_t n_knobs;
};

static int
by_codes(const void *a, const void *b, void *ctx)
{
    const struct codes *t = ctx;
    const double *x = t->code[*(const uint32_t *)a];
    const double *y = t->code[*(const uint32_t *)b];
    for (uint32_t k = 0; k < t->n_knobs; k++) {
        if (isnan(x[k]) != isnan(y[k]))
            return isnan(x[k]) ? -1 : 1;
        if (x[k] < y[k] || x[k] > y[k])
            return x[k] < y[k] ? -1 : 1;
    }
    return 0;
}

static int
by_codes_and_row(const void *a, const void *b, void *ctx)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int d = by_codes(a, b, ctx);
    return d != 0 ? d : (x > y) - (x < y);
}

/* For each row the first row with the same configuration; returns how many
 * configurations there are. */
static uint32_t
configs_find(struct build *b, double (*code)[KNOBS_MAX], uint32_t *first)
{
    struct codes t = {code, b->p->spec->n_knobs};
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n_rows; i++)
        b->order[i] = i;
    qsort_r(b->order, b->n_rows, sizeof *b->order, by_codes_and_row, &t);
    for (uint32_t i = 0; i < b->n_rows; i++) {
        uint32_t now = b->order[i];
        bool same = i > 0 && by_codes(&now, &b->order[i - 1], &t) == 0;
        first[now] = same ? first[b->order[i - 1]] : now;
        n += !same;
    }
    return n;
}

static uint64_t
text_hash(const char *s)
{
    uint64_t h = 1469598103934665603u;
    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return rng_mix(h, 0);
}

static int
by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Where there are more configurations than a spec can hold, those with the
 * smallest hash of their id stay: a sample that is the same in every run and
 * knows nothing of the values. Returns the largest hash that stays. */
static uint64_t
sample_limit(const struct build *b, const uint32_t *first, uint32_t n)
{
    uint64_t *hash = mem_calloc(n, sizeof *hash), limit = UINT64_MAX;
    uint32_t at = 0;
    for (uint32_t r = 0; r < b->n_rows; r++)
        if (first[r] == r)
            hash[at++] = text_hash(b->row[r]->id);
    qsort(hash, n, sizeof *hash, by_hash);
    if (n > CANDIDATES_MAX)
        limit = hash[CANDIDATES_MAX - 1];
    free(hash);
    return limit;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
candidates_build(struct build *b, double (*code)[KNOBS_MAX])
{
    struct problem *p = b->p;
    uint32_t *count = mem_calloc(b->n_rows, sizeof *count);
    uint32_t *first = mem_calloc(b->n_rows, sizeof *first);
    uint32_t *at = mem_calloc(b->n_rows, sizeof *at);
    uint32_t n = configs_find(b, code, first);
    uint64_t limit = sample_limit(b, first, n);
    for (uint32_t r = 0; r < b->n_rows; r++) {
        uint32_t f = first[r];
        if (f == r) { /* ids that are equal could be one too many */
            bool fits =
                text_hash(b->row[r]->id) <= limit && p->n < CANDIDATES_MAX;
            at[r] = fits ? p->n : UINT32_MAX;
            if (!fits)
                continue;
            memcpy(p->code[p->n], code[r], sizeof code[r]);
            p->row[p->n++] = b->row[r];
        }
        uint32_t i = at[f];
        if (i == UINT32_MAX)
            continue;
        count[i]++;
        p->val[i] += (b->row[r]->val - p->val[i]) / count[i];
        p->test[i] += (b->row[r]->test - p->test[i]) / count[i];
    }
    p->n_known = n;
    free(count);
    free(first);
    free(at);
}

/* ---- noise ---- */

static int
by_config(const void *a, const void *b, void *ctx)
{
    const struct trials *t = ctx;
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;
    int d = strcmp(x->space, y->space);
    if (d == 0)
        d = strcmp(x->model, y->model);
    for (uint32_t h = 0; h < t->n_hp && d == 0; h++)
        d = strcmp(x->hp[h], y->hp[h]);
    return d;
}

static int
by_config_and_value(const void *a, const void *b, void *ctx)
{
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;
    int d = by_config(a, b, ctx);
    if (d == 0)
        d = (x->val > y->val) - (x->val < y->val);
    return d != 0 ? d : (x->test > y->test) - (x->test < y->test);
}

double
repeats_sd(const struct trials *t, const char *dataset, double *df)
{
    const struct row **row = mem_calloc(t->n + 1, sizeof *row);
    uint32_t n = 0;
    double ss = 0, count = 0, mean = 0;
    *df = 0;
    for (uint32_t i = 0; i < t->n; i++)
        if (strcmp(t->row[i].dataset, dataset) == 0)
            row[n++] = &t->row[i];
    qsort_r(row, n, sizeof *row, by_config_and_value, (void *)(uintptr_t)t);
    for (uint32_t i = 0; i < n; i++) {
        bool same =
            i > 0 && by_config(&row[i], &row[i - 1], (void *)(uintptr_t)t) == 0;
        /* the same to the last digit in both metrics: one run, logged twice */
        if (same && row[i]->val <= row[i - 1]->val &&
            row[i]->test <= row[i - 1]->test)
            continue;
        if (!same)
            count = mean = 0;
        double gap = row[i]->val - mean;
        mean += gap / ++count;
        ss += gap * (row[i]->val - mean);
        *df += same;
    }
    free(row);
    return *df > 0 ? sqrt(ss / *df) : NAN;
}

void
problem_scale(struct problem *p)
{
    double sorted[CANDIDATES_MAX];
    uint32_t n = p->n;
    memcpy(sorted, p->val, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    p->best = sorted[n - 1];
    p->median =
        n % 2 ? sorted[n / 2] : .5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

static void
noise_set(struct problem *p, const struct trials *t, double noise)
{
    double df, sd = repeats_sd(t, p->dataset, &df);
    bool measured = df >= REPEATS_MIN && sd > 0;
    p->noise_from = noise >= 0 ? NOISE_GIVEN
                    : measured ? NOISE_REPEATS
                               : NOISE_SHARED;
    p->noise = noise >= 0 ? noise
               : measured ? sd
                          : NOISE_SHARE * (p->best - p->median);
}

int
problem_build(struct arena *a, const struct trials *t, const char *dataset,
    double noise, struct problem *out, struct err *err)
{
    struct build b = {.a = a, .t = t, .p = out};
    memset(out, 0, sizeof *out);
    rows_choose(&b, dataset);
    if (b.n_rows < 3)
        return err_set(err, -ERR_INPUT,
            "dataset %s: %" PRIu32 " trials with a known configuration; 3 are "
            "needed",
            dataset, b.n_rows);
    double(*code)[KNOBS_MAX] = arena_alloc(a, b.n_rows * sizeof *code);
    out->dataset = dataset;
    out->spec = mem_calloc(1, sizeof *out->spec);
    out->row = arena_alloc(a, b.n_rows * sizeof *out->row);
    out->val = arena_alloc(a, b.n_rows * sizeof *out->val);
    out->test = arena_alloc(a, b.n_rows * sizeof *out->test);
    out->prior = arena_alloc(a, b.n_rows * sizeof *out->prior);
    out->prior_sd = arena_alloc(a, b.n_rows * sizeof *out->prior_sd);
    out->code = arena_alloc(a, b.n_rows * sizeof *out->code);
    knobs_build(&b, code);
    candidates_build(&b, code);
    problem_scale(out);
    if (out->n < 2 || out->best <= out->median)
        return err_set(err, -ERR_INPUT,
            "dataset %s: no configuration is better than the median of %" PRIu32
            ", so nothing can be found",
            dataset, out->n);
    noise_set(out, t, noise);
    return 0;
}

double
problem_regret(const struct problem *p, double val)
{
    double range = p->best - p->median;
    return range > 0 ? (p->best - val) / range : 0;
}

uint32_t
problem_distance(const struct problem *p, uint32_t a, uint32_t b, uint32_t most)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->spec->n_knobs && n <= most; k++) {
        double x = p->code[a][k], y = p->code[b][k];
        n += x != y && !(isnan(x) && isnan(y));
    }
    return n;
}

uint32_t
problem_start(const struct problem *p, uint64_t seed, bool full)
{
    struct rng r;
    uint32_t pool[CANDIDATES_MAX], n = 0;
    double rank[CANDIDATES_MAX];
    for (uint32_t i = 0; i < p->n; i++) {
        rank[i] = 0;
        for (uint32_t j = 0; j < p->n; j++)
            rank[i] += p->val[j] < p->val[i];
        rank[i] /= p->n;
    }
    for (uint32_t want = full ? 4 : 0; n == 0; want /= 2) {
        for (uint32_t i = 0; i < p->n; i++) {
            uint32_t near = 0;
            for (uint32_t j = 0; j < p->n && full; j++)
                near += j != i && problem_distance(p, i, j, 1) == 1;
            if (fabs(rank[i] - .5) <= .1 && near >= want)
                pool[n++] = i;
        }
        if (want == 0 && n == 0)
            pool[n++] = 0;
    }
    rng_seed2(&r, seed, 0x7374617274);
    return pool[rng_below(&r, n)];
}

void
problem_aim(struct problem *p, uint32_t start)
{
    struct spec *s = p->spec;
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        double v = p->code[start][k];
        for (uint32_t i = 0; isnan(v) && i < p->n; i++)
            v = p->code[i][k];
        s->knob[k].deflt = v;
    }
    s->n_candidates = p->n;
    for (uint32_t i = 0; i < p->n; i++)
        for (uint32_t k = 0; k < s->n_knobs; k++)
            s->candidate[i][k] =
                isnan(p->code[i][k]) ? s->knob[k].deflt : p->code[i][k];
}
