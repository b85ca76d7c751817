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
static const double DECADES = 30; /* max / min that asks for a log scale */

struct build {
    struct arena *a;
    const struct trials *t;
    struct problem *p;
    const struct row **row;
    uint32_t n_rows;
    uint32_t *space_of; /* index of each row's space */
    uint32_t n_spaces;
};

static bool
space_equal(const struct row *a, const struct row *b)
{
    return strcmp(a->space, b->space) == 0 && strcmp(a->model, b->model) == 0;
}

static void
rows_choose(struct build *b, const char *dataset)
{
    b->row = arena_alloc(b->a, (b->t->n + 1) * sizeof *b->row);
    b->space_of = arena_alloc(b->a, (b->t->n + 1) * sizeof *b->space_of);
    for (uint32_t i = 0; i < b->t->n; i++) {
        if (strcmp(b->t->row[i].dataset, dataset) != 0)
            continue;
        uint32_t j = 0;
        b->row[b->n_rows] = &b->t->row[i];
        while (!space_equal(b->row[j], b->row[b->n_rows]))
            j++;
        b->space_of[b->n_rows] = j < b->n_rows ? b->space_of[j] : b->n_spaces++;
        b->n_rows++;
    }
}

/* ---- values of a column ---- */

struct column {
    uint32_t hp;
    uint32_t rows_varying; /* in spaces where it varies */
    bool active[1024];     /* by space */
    bool mixed;            /* empty in some rows of a space, set in others */
    uint32_t n_text;
    const char *text[1024];
    uint32_t count[1024];
};

static bool
number_read(const char *s, double *v)
{
    char *end;
    *v = strtod(s, &end);
    return end != s && *end == '\0' && isfinite(*v);
}

static void
column_read(const struct build *b, uint32_t hp, struct column *c)
{
    static const char *first[1024];
    static bool varies[1024];
    memset(c, 0, sizeof *c);
    memset(first, 0, sizeof first);
    memset(varies, 0, sizeof varies);
    c->hp = hp;
    for (uint32_t i = 0; i < b->n_rows; i++) {
        const char *v = b->row[i]->hp[hp];
        uint32_t s = b->space_of[i] % 1024, k = 0;
        if (first[s] == NULL)
            first[s] = v;
        else if (strcmp(first[s], v) != 0) {
            varies[s] = true;
            c->mixed |= first[s][0] == '\0' || v[0] == '\0';
        }
        c->active[s] |= v[0] != '\0';
        while (k < c->n_text && strcmp(c->text[k], v) != 0)
            k++;
        if (k == c->n_text && c->n_text < 1024)
            c->text[c->n_text++] = v;
        if (k < 1024)
            c->count[k]++;
    }
    for (uint32_t i = 0; i < b->n_rows; i++)
        c->rows_varying += varies[b->space_of[i] % 1024];
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
static uint32_t
choice_fill(
    struct build *b, const struct column *c, struct knob *k, uint32_t *code)
{
    k->kind = KNOB_CHOICE;
    bool fits = c->n_text <= VALUES_MAX;
    uint32_t keep = fits ? c->n_text : VALUES_MAX - 1;
    bool used[1024] = {false};
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
    return k->n_values;
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
    uint32_t of[1024] = {0};
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
        uint32_t i = 0;
        while (strcmp(c->text[i], v) != 0)
            i++;
        code[r][at] = of[i];
        if (plain && v[0] != '\0')
            number_read(v, &code[r][at]);
        if (!c->mixed && !c->active[b->space_of[r]])
            code[r][at] = NAN;
    }
    s->n_knobs++;
}

static void
space_add(struct build *b, double (*code)[KNOBS_MAX])
{
    static struct column c;
    struct knob *k = &b->p->spec->knob[0];
    uint32_t of[1024] = {0};
    memset(&c, 0, sizeof c);
    memset(k, 0, sizeof *k);
    knob_name(k, "model");
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
    c.n_text = b->n_spaces;
    choice_fill(b, &c, k, of);
    for (uint32_t r = 0; r < b->n_rows; r++)
        code[r][0] = of[b->space_of[r]];
    b->p->spec->n_knobs = 1;
}

static void
knobs_build(struct build *b, double (*code)[KNOBS_MAX])
{
    struct column *c = mem_calloc(b->t->n_hp, sizeof *c);
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

static bool
codes_equal(const double *a, const double *b, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        if (a[k] != b[k] && !(isnan(a[k]) && isnan(b[k])))
            return false;
    return true;
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
    uint32_t *count = arena_alloc(b->a, (b->n_rows + 1) * sizeof *count);
    for (uint32_t r = 0; r < b->n_rows; r++) {
        uint32_t i = 0;
        while (i < p->n && !codes_equal(p->code[i], code[r], p->spec->n_knobs))
            i++;
        if (i == p->n) {
            if (p->n == CANDIDATES_MAX) {
                p->n_folded++;
                continue;
            }
            memcpy(p->code[i], code[r], sizeof code[r]);
            p->row[p->n++] = b->row[r];
        }
        count[i]++;
        p->val[i] += (b->row[r]->val - p->val[i]) / count[i];
        p->test[i] += (b->row[r]->test - p->test[i]) / count[i];
    }
}

double
repeats_sd(const struct trials *t, const char *dataset, double *df)
{
    double ss = 0;
    bool *done = mem_calloc(t->n + 1, sizeof *done);
    *df = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        double n = 0, mean = 0;
        if (done[i] || strcmp(t->row[i].dataset, dataset) != 0)
            continue;
        for (uint32_t j = i; j < t->n; j++) {
            const struct row *x = &t->row[i], *y = &t->row[j];
            bool same = strcmp(y->dataset, dataset) == 0 && space_equal(x, y);
            for (uint32_t h = 0; h < t->n_hp && same; h++)
                same = strcmp(x->hp[h], y->hp[h]) == 0;
            if (!same)
                continue;
            double gap = y->val - mean;
            done[j] = true;
            mean += gap / ++n;
            ss += gap * (y->val - mean);
        }
        *df += n - 1;
    }
    free(done);
    return *df > 0 ? sqrt(ss / *df) : NAN;
}

int
problem_build(struct arena *a, const struct trials *t, const char *dataset,
    double noise, struct problem *out, struct err *err)
{
    struct build b = {.a = a, .t = t, .p = out};
    double df;
    memset(out, 0, sizeof *out);
    rows_choose(&b, dataset);
    if (b.n_rows < 3 || b.n_spaces > 1024)
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
    out->code = arena_alloc(a, b.n_rows * sizeof *out->code);
    knobs_build(&b, code);
    candidates_build(&b, code);
    double *sorted = arena_alloc(a, out->n * sizeof *sorted);
    memcpy(sorted, out->val, out->n * sizeof *sorted);
    qsort(sorted, out->n, sizeof *sorted, by_value);
    out->best = sorted[out->n - 1];
    out->median = out->n % 2
                      ? sorted[out->n / 2]
                      : .5 * (sorted[out->n / 2 - 1] + sorted[out->n / 2]);
    double sd = repeats_sd(t, dataset, &df);
    double guess = NOISE_SHARE * (out->best - out->median);
    out->noise = noise >= 0 ? noise : df >= 8 && sd > 0 ? sd : guess;
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
