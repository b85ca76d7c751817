/* Reads the text twice: first to count ids, fields and moments on the training
 * rows, then to write encoded rows. data.c calls it. Invariant: nothing of
 * valid or test rows enters the encoding, apart from the check whether every
 * row has one id a field. */
#include "data_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "data_file.h"
#include "dict.h"
#include "format.h"
#include "source.h"

struct moments {
    double n, sum, squares;
};

struct builder {
    const struct config *c;
    const struct data_paths *paths;
    struct format format;
    struct dict dict;
    uint32_t *id_of; /* by order in dict; 0: rare */
    struct moments moments[FIELDS_MAX];
    uint64_t rows_of_file; /* sequential splits: all rows of the train file */
    double cut[2];         /* share of train, of train and valid */
    uint32_t fields, ids;
    bool is_regular; /* so far: features 0..n-1, value 1 */
    bool has_any;
    uint64_t good, bad;
    char first_bad[400];
    struct row row;
    uint32_t words[2 + 3 * ROW_FEATURES_MAX];
};

typedef void row_fn(struct builder *b, enum split_kind s, void *arg);

static uint64_t
feature_key(const struct feature *f, uint64_t key)
{
    return rng_mix(f->field, key);
}

static enum split_kind
row_route(const struct builder *b, enum split_kind file, uint64_t i)
{
    if (file != SPLIT_TRAIN)
        return file;
    double at;
    if (b->c->split_mode == SPLIT_SEQUENTIAL)
        at = (double)i / (double)(b->rows_of_file ? b->rows_of_file : 1);
    else
        at = (double)(rng_mix((uint64_t)b->c->split_seed, i) >> 11) * 0x1p-53;
    return at < b->cut[0]   ? SPLIT_TRAIN
           : at < b->cut[1] ? SPLIT_VALID
                            : SPLIT_TEST;
}

static void
row_is_bad(struct builder *b, const struct source *s, const char *why)
{
    if (b->bad++ == 0)
        snprintf(b->first_bad, sizeof b->first_bad, "%.250s:%llu: %s",
            source_path(s), (unsigned long long)source_line_number(s), why);
}

/* Gives every good row of a file to fn, with the split it belongs to. */
static int
file_walk(struct builder *b, enum split_kind file, bool count_bad, row_fn *fn,
    void *arg, struct err *err)
{
    struct source *s;
    int rc = source_open(b->paths->path[file], &s, err);
    if (rc != 0)
        return rc;
    char *line;
    size_t len;
    uint64_t i = 0;
    bool skip = b->format.has_header;
    while ((rc = source_line(s, &line, &len, err)) == 0 && line != NULL) {
        const char *why = "it holds a NUL byte";
        if (skip || len == 0) {
            skip = false;
            continue;
        }
        if (strlen(line) != len ||
            format_parse(&b->format, line, &b->row, &why) != 0) {
            if (count_bad)
                row_is_bad(b, s, why);
            continue;
        }
        fn(b, row_route(b, file, i++), arg);
    }
    source_close(s);
    return rc;
}

static int
format_find(struct builder *b, struct err *err)
{
    struct source *s;
    const char *path = b->paths->path[SPLIT_TRAIN];
    int rc = source_open(path, &s, err);
    if (rc != 0)
        return rc;
    char *line;
    size_t len;
    rc = source_line(s, &line, &len, err);
    if (rc == 0 && line == NULL)
        rc = err_set(err, -ERR_INPUT, "%s is empty", path);
    if (rc == 0)
        rc = format_init(&b->format, b->c, path, line, err);
    source_close(s);
    return rc;
}

/* Shares "80/10/10" of the splits that have no file of their own. */
static int
split_shares(struct builder *b, struct err *err)
{
    double x[3] = {0, 0, 0};
    const char *p = b->c->split;
    for (int i = 0; i < 3; i++) {
        char *end;
        x[i] = strtod(p, &end);
        bool last = *end == '\0';
        if (end == p || !(x[i] >= 0) || (!last && *end != '/') ||
            (i == 2 && !last))
            return err_set(err, -ERR_INPUT,
                "--split=%s: write train/valid/test shares such as 80/10/10",
                b->c->split);
        if (last)
            break;
        p = end + 1;
    }
    x[1] = b->paths->path[SPLIT_VALID] != NULL ? 0 : x[1];
    x[2] = b->paths->path[SPLIT_TEST] != NULL ? 0 : x[2];
    double sum = x[0] + x[1] + x[2];
    if (!(x[0] > 0) || !isfinite(sum))
        return err_set(
            err, -ERR_INPUT, "--split=%s leaves no training rows", b->c->split);
    b->cut[0] = x[1] + x[2] > 0 ? x[0] / sum : 1;
    b->cut[1] = x[2] > 0 ? (x[0] + x[1]) / sum : 1;
    return 0;
}

static void
row_count(struct builder *b, enum split_kind s, void *arg)
{
    (void)s;
    (void)arg;
    b->rows_of_file++;
}

static bool
keeps_numbers(const struct builder *b)
{
    return b->format.numeric != NUMERIC_LOG2BINS;
}

/* A feature of a number has one key a field in csv, its own elsewhere. */
static uint64_t
feature_final_key(const struct builder *b, const struct feature *f)
{
    if (f->is_numeric && !keeps_numbers(b))
        return feature_key(f, number_bin_key((double)f->value));
    return feature_key(f, f->key);
}

static void
row_observe(struct builder *b, enum split_kind s, void *arg)
{
    (void)arg;
    const struct row *r = &b->row;
    b->good++;
    for (uint32_t i = 0; i < r->n; i++) {
        const struct feature *f = &r->features[i];
        if (f->field >= b->fields) {
            b->is_regular = b->is_regular && !b->has_any;
            b->fields = (uint32_t)f->field + 1;
        }
        if (f->field != i || (f->is_numeric && keeps_numbers(b)))
            b->is_regular = false;
        if (s != SPLIT_TRAIN)
            continue;
        if (b->c->hash_bits == 0 || b->c->min_count > 1)
            dict_count(&b->dict, feature_final_key(b, f));
        struct moments *m = &b->moments[f->field];
        m->n += 1;
        m->sum += (double)f->value;
        m->squares += (double)f->value * (double)f->value;
    }
    if (r->n != b->fields)
        b->is_regular = false;
    b->has_any = true;
}

/* Ids 0..fields-1 are "rare or unknown" of each field; the others follow in
 * order of first appearance. */
static void
ids_assign(struct builder *b)
{
    b->ids = b->fields;
    if (b->c->hash_bits > 0)
        b->ids = 1u << b->c->hash_bits;
    b->id_of = mem_calloc((size_t)b->dict.used + 1, sizeof *b->id_of);
    uint8_t *keep = mem_calloc((size_t)b->dict.used + 1, 1);
    for (uint64_t i = 0; i < b->dict.cap; i++) {
        const struct dict_entry *e = &b->dict.entry[i];
        if (e->count >= (uint64_t)b->c->min_count && e->count != 0)
            keep[e->order] = 1;
    }
    for (uint32_t i = 0; i < b->dict.used; i++) {
        if (!keep[i])
            continue;
        b->id_of[i] = b->c->hash_bits > 0 ? 1 : b->ids++;
    }
    free(keep);
}

static uint32_t
feature_id(const struct builder *b, const struct feature *f)
{
    uint64_t key = feature_final_key(b, f);
    bool is_rare = false;
    uint32_t id = 0;
    if (b->c->hash_bits == 0 || b->c->min_count > 1) {
        const struct dict_entry *e = dict_find(&b->dict, key);
        id = e != NULL ? b->id_of[e->order] : 0;
        is_rare = id == 0;
    }
    if (b->c->hash_bits == 0)
        return is_rare ? f->field : id;
    if (is_rare)
        key = feature_key(f, KEY_MISSING + 1);
    return (uint32_t)(key & ((UINT64_C(1) << b->c->hash_bits) - 1));
}

static float
feature_value(const struct builder *b, const struct feature *f)
{
    if (f->is_numeric && !keeps_numbers(b))
        return 1;
    if (b->format.numeric != NUMERIC_STANDARDISE || !f->is_numeric)
        return f->value;
    const struct moments *m = &b->moments[f->field];
    double n = m->n > 0 ? m->n : 1;
    double mean = m->sum / n;
    double variance = m->squares / n - mean * mean;
    return (float)(((double)f->value - mean) / sqrt(fmax(variance, 1e-12)));
}

struct writing {
    struct split_writer *w;
    enum split_kind split;
};

static uint32_t
float_word(float x)
{
    uint32_t w;
    memcpy(&w, &x, sizeof w);
    return w;
}

static void
row_write(struct builder *b, enum split_kind s, void *arg)
{
    struct writing *to = arg;
    const struct row *r = &b->row;
    if (s != to->split)
        return;
    size_t n = 0;
    b->words[n++] = float_word(r->label);
    b->words[n++] = (uint32_t)(r->group ^ (r->group >> 32));
    for (uint32_t i = 0; i < r->n; i++) {
        b->words[n++] = feature_id(b, &r->features[i]);
        if (b->is_regular)
            continue;
        b->words[n++] = r->features[i].field;
        b->words[n++] = float_word(feature_value(b, &r->features[i]));
    }
    split_writer_row(
        to->w, b->words, n, r->n, (double)r->label > b->c->label_threshold);
}

static int
bad_rows_judge(const struct builder *b, struct err *err)
{
    if (b->bad == 0)
        return 0;
    fprintf(stderr, "rea-ctr: %llu bad rows of %llu are left out, first %s\n",
        (unsigned long long)b->bad, (unsigned long long)(b->bad + b->good),
        b->first_bad);
    if ((double)b->bad > b->c->max_bad_rows * (double)(b->bad + b->good))
        return err_set(err, -ERR_INPUT,
            "%llu of %llu rows are bad, more than --max-bad-rows=%g; first "
            "%s",
            (unsigned long long)b->bad, (unsigned long long)(b->bad + b->good),
            b->c->max_bad_rows, b->first_bad);
    return 0;
}

static int
builder_observe(struct builder *b, struct err *err)
{
    int rc = format_find(b, err);
    if (rc == 0)
        rc = split_shares(b, err);
    if (rc == 0 && b->c->split_mode == SPLIT_SEQUENTIAL && b->cut[0] < 1)
        rc = file_walk(b, SPLIT_TRAIN, false, row_count, NULL, err);
    b->is_regular = true;
    for (int s = 0; s < SPLIT_N && rc == 0; s++) {
        if (b->paths->path[s] != NULL)
            rc = file_walk(b, (enum split_kind)s, true, row_observe, NULL, err);
    }
    if (rc == 0)
        rc = bad_rows_judge(b, err);
    if (rc == 0 && b->good == 0)
        rc = err_set(
            err, -ERR_INPUT, "%s holds no rows", b->paths->path[SPLIT_TRAIN]);
    if (rc == 0)
        ids_assign(b);
    return rc;
}

static int
split_build(struct builder *b, enum split_kind s, uint64_t key,
    const char *path, struct split *out, uint32_t *crc, struct err *err)
{
    struct data_shape shape = {.key = key,
        .bad_rows = b->bad,
        .ids = b->ids,
        .fields = b->fields,
        .is_onehot = b->is_regular};
    struct split_writer w;
    int rc = split_writer_open(&w, path, &shape, err);
    if (rc != 0)
        return rc;
    struct writing to = {&w, s};
    enum split_kind file = b->paths->path[s] != NULL ? s : SPLIT_TRAIN;
    rc = file_walk(b, file, false, row_write, &to, err);
    if (rc != 0) {
        split_writer_abort(&w);
        return rc;
    }
    return split_writer_finish(&w, out, crc, err);
}

int
data_build(struct dataset *d, const struct config *c,
    const struct data_paths *paths, uint64_t key, const char *prefix,
    uint32_t crc[static SPLIT_N], struct err *err)
{
    static const char *const names[] = {"train", "valid", "test"};
    struct builder *b = mem_calloc(1, sizeof *b);
    b->c = c;
    b->paths = paths;
    int rc = builder_observe(b, err);
    for (int s = 0; s < SPLIT_N && rc == 0; s++) {
        struct buf path = {0};
        if (prefix != NULL)
            buf_printf(&path, "%s.%s", prefix, names[s]);
        rc = split_build(b, (enum split_kind)s, key,
            prefix != NULL ? buf_str(&path) : NULL, &d->split[s], &crc[s], err);
        buf_fini(&path);
    }
    d->ids = b->ids;
    d->fields = b->fields;
    d->is_onehot = b->is_regular;
    d->bad_rows = b->bad;
    dict_fini(&b->dict);
    free(b->id_of);
    free(b);
    return rc;
}
