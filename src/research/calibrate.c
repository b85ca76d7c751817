/* Predictions against outcomes. Called by the draft, by the verb that shows the
 * table and where rows are kept. Invariant: no outcome, no change; the same
 * rows give the same answers. */
#include "research/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/components.h"
#include "math/dist.h"

enum { ROWS_MAX = 300 }; /* the latest; the fit is cubic */

/* What each part's variance is guessed to be, of an error's 1. */
enum part {
    PART_ALL,
    PART_SOURCE,
    PART_CONCEPT,
    PART_FAMILY,
    PART_PLACE,
    PART_REST,
    PART_COUNT
};
static const double share[PART_COUNT] = {.05, .1, .1, .05, .1, .6};
/* How far off that guess may be: a factor of e either way. */
static const double SHARE_SD = 1;
/* Errors beyond so many sds are collapses: large, but no measure. */
static const double ERROR_MAX = 4;

struct row {
    uint32_t source;
    char concept[NAME_LEN], family[NAME_LEN], place[NAME_LEN];
};

struct calibration {
    uint32_t n;
    struct row row[ROWS_MAX];
    double y[ROWS_MAX], noise[ROWS_MAX];
    double *sim, *scratch;
    struct components c;
};

/* ---- rows ---- */

void
foretold_write(struct jw *w, uint32_t source, double mean, double sd)
{
    jw_key(w, "predicted");
    jw_obj_begin(w);
    jw_kstr(w, "source", source_name(source));
    jw_kf64(w, "mean", mean);
    jw_kf64(w, "sd", sd);
    jw_kf64(w, "p_gain", normal_cdf(mean / sd));
    jw_obj_end(w);
}

static uint32_t
source_read(const char *name)
{
    for (uint32_t s = SOURCE_NONE; s < SOURCE_COUNT && name != NULL; s++)
        if (strcmp(source_name(s), name) == 0)
            return s;
    return SOURCE_NONE;
}

static void
text_keep(char out[NAME_LEN], const char *s)
{
    size_t n = s != NULL ? strnlen(s, NAME_LEN - 1) : 0;
    memcpy(out, s != NULL ? s : "", n);
    out[n] = '\0';
}

bool
foretold_read(const struct insight *row, struct foretold *out)
{
    if (row->context == NULL || row->verdict == INSIGHT_FAILED ||
        row->verdict == INSIGHT_UNSTABLE ||
        strstr(row->context, "\"predicted\"") == NULL)
        return false;
    struct json *j = json_parse(row->context, strlen(row->context), NULL);
    const struct json *p = json_get(j, "predicted");
    *out = (struct foretold){.source = source_read(json_get_str(p, "source")),
        .concept = row->concept != NULL ? row->concept : "",
        .family = row->family != NULL ? row->family : "",
        .mean = json_get_num(p, "mean", NAN),
        .sd = json_get_num(p, "sd", 0),
        .raw = json_get_num(j, "raw", NAN),
        .raw_sd = json_get_num(j, "raw_sd", 0)};
    text_keep(out->place, json_get_str(j, "model"));
    json_free(j);
    return out->sd > 0 && isfinite(out->sd) && isfinite(out->mean) &&
           isfinite(out->raw) && out->raw_sd >= 0 && isfinite(out->raw_sd);
}

uint32_t
reliability_of(
    const struct insight *row, size_t n, struct reliability out[SOURCE_COUNT])
{
    uint32_t found = 0;
    memset(out, 0, SOURCE_COUNT * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        struct foretold f;
        if (!foretold_read(&row[i], &f))
            continue;
        double p = normal_cdf(f.mean / f.sd), v = f.raw_sd * f.raw_sd;
        found++;
        reliability_add(&out[SOURCE_NONE], f.mean, f.sd, p, f.raw, v);
        if (f.source != SOURCE_NONE)
            reliability_add(&out[f.source], f.mean, f.sd, p, f.raw, v);
    }
    return found;
}

/* ---- learning ---- */

static bool
same(const char *a, const char *b)
{
    return a[0] != '\0' && strcmp(a, b) == 0;
}

static void
rows_compare(const struct row *a, const struct row *b, double s[PART_COUNT])
{
    bool concept = same(a->concept, b->concept);
    s[PART_ALL] = 1;
    s[PART_SOURCE] = a->source == b->source;
    s[PART_CONCEPT] = concept;
    s[PART_FAMILY] = concept && same(a->family, b->family);
    s[PART_PLACE] = same(a->place, b->place);
    s[PART_REST] = 0;
    for (int k = 0; k < PART_COUNT; k++)
        s[k] *= share[k];
}

static void
row_take(struct calibration *c, const struct foretold *f)
{
    struct row *r = &c->row[c->n];
    r->source = f->source;
    text_keep(r->concept, f->concept);
    text_keep(r->family, f->family);
    text_keep(r->place, f->place);
    double e = (f->raw - f->mean) / f->sd;
    c->y[c->n] = fmin(ERROR_MAX, fmax(-ERROR_MAX, e));
    c->noise[c->n++] = f->raw_sd * f->raw_sd / (f->sd * f->sd);
}

static void
fit(struct calibration *c, struct arena *a)
{
    size_t n = c->n, nn = n * n;
    double s[PART_COUNT];
    c->sim = arena_alloc(a, PART_COUNT * nn * sizeof *c->sim);
    c->scratch =
        arena_alloc(a, components_scratch((int)n) * sizeof *c->scratch);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            rows_compare(&c->row[i], &c->row[j], s);
            s[PART_REST] = i == j ? share[PART_REST] : 0;
            /* a row without a name is still like itself */
            for (int k = 0; k < PART_COUNT; k++)
                c->sim[(size_t)k * nn + i * n + j] = i == j ? share[k] : s[k];
        }
    c->c = (struct components){.n = (int)n,
        .k = PART_COUNT,
        .sim = c->sim,
        .y = c->y,
        .noise = c->noise,
        .guess = 1,
        .guess_sd = SHARE_SD};
    if (components_fit(&c->c, c->scratch) != 0)
        abort(); /* PART_REST makes the matrix of the guess definite */
}

struct calibration *
calibration_learn(const struct insight *row, size_t n, struct arena *a)
{
    struct calibration *c = NULL;
    struct foretold f;
    for (size_t i = n; i > 0 && (c == NULL || c->n < ROWS_MAX); i--) {
        if (!foretold_read(&row[i - 1], &f))
            continue;
        if (c == NULL)
            c = arena_alloc(a, sizeof *c);
        row_take(c, &f);
    }
    if (c != NULL)
        fit(c, a);
    return c;
}

void
calibration_apply(const struct calibration *c,
    const struct calibration_key *key, double *mean, double *sd)
{
    double cross[PART_COUNT * ROWS_MAX], work[ROWS_MAX], s[PART_COUNT];
    double m, v;
    struct row r = {.source = key->source};
    if (c == NULL)
        return;
    text_keep(r.concept, key->concept);
    text_keep(r.family, key->family);
    text_keep(r.place, key->place);
    for (uint32_t i = 0; i < c->n; i++) {
        rows_compare(&r, &c->row[i], s);
        for (uint32_t k = 0; k < PART_COUNT; k++)
            cross[k * c->n + i] = s[k];
    }
    components_ask(&c->c, c->scratch, 1, cross, share, &m, &v, work);
    *mean += *sd * m;
    *sd *= sqrt(fmax(v, 1e-6));
}
