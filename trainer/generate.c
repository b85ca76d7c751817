/* Synthetic rows with a planted truth: power-law ids, first-order weights,
 * interactions of known field pairs, drift and label noise. main.c calls it;
 * tests of truthfulness compare what was found with truth.json. Invariant: the
 * probability that a label was drawn with is known exactly, so the best
 * possible AUC and logloss are measured, not guessed. */
#include "train.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/rng.h"
#include "metric.h"

enum { GEN_RANK = 4 };

/* What an id adds: alone, and through the pair of its field. */
struct effect {
    float alone, pair[GEN_RANK];
};

struct truth {
    const struct config *c;
    uint64_t seed;
    uint32_t fields, pairs;
    uint32_t vocab[64], first_id[64];
    double bias;
    struct effect *effect; /* of every id */
    struct rng rng;
    /* test rows: probability, additive score, label */
    struct scores best, additive;
    uint64_t cap;
};

static void
truth_init(struct truth *t, const struct config *c)
{
    memset(t, 0, sizeof *t);
    t->c = c;
    t->seed = rng_mix((uint64_t)c->gen_seed, 0x67656e);
    t->fields = (uint32_t)c->gen_fields;
    t->pairs = t->fields / 2;
    t->bias = -1.2;
    uint32_t at = 0;
    for (uint32_t f = 0; f < t->fields; f++) {
        /* From the largest vocabulary down to a few ids. */
        double share = pow(0.45, (double)f);
        t->vocab[f] = (uint32_t)fmax(3, (double)c->gen_vocab * share);
        t->first_id[f] = at;
        at += t->vocab[f];
    }
    t->effect = mem_calloc(at, sizeof *t->effect);
    rng_seed2(&t->rng, t->seed, 1);
}

/* Zipf-like: id k with a density of about 1 / (k + 2). */
static uint32_t
id_draw(struct truth *t, uint32_t field)
{
    double n = (double)t->vocab[field];
    double x = 2 * pow((n + 2) / 2, rng_f64(&t->rng)) - 2;
    uint32_t id = (uint32_t)x;
    return id < t->vocab[field] ? id : t->vocab[field] - 1;
}

/* Share of the rows that id_draw gives this id. */
static double
id_share(const struct truth *t, uint32_t field, uint32_t id)
{
    double n = (double)t->vocab[field], k = (double)id;
    return log((k + 3) / (k + 2)) / log((n + 2) / 2);
}

/* Effects of mean zero over the rows: given one id of a pair, the interaction
 * is zero on average, so first-order terms cannot stand for it. */
static void
effects_draw(struct truth *t, uint32_t field)
{
    struct effect *e = t->effect + t->first_id[field];
    double mean[GEN_RANK] = {0};
    struct rng r;
    rng_seed2(&r, t->seed, 100 + field);
    for (uint32_t id = 0; id < t->vocab[field]; id++) {
        e[id].alone = (float)rng_normal(&r);
        for (int k = 0; k < GEN_RANK; k++) {
            e[id].pair[k] = (float)rng_normal(&r);
            mean[k] += id_share(t, field, id) * (double)e[id].pair[k];
        }
    }
    for (uint32_t id = 0; id < t->vocab[field]; id++) {
        for (int k = 0; k < GEN_RANK; k++)
            e[id].pair[k] -= (float)mean[k];
    }
}

/* Interaction of pair i: fields i and fields - 1 - i. */
static double
pair_effect(const struct truth *t, uint32_t i, const uint32_t *id)
{
    uint32_t a = i, b = t->fields - 1 - i;
    const float *x = t->effect[t->first_id[a] + id[a]].pair;
    const float *y = t->effect[t->first_id[b] + id[b]].pair;
    double sum = 0;
    for (int k = 0; k < GEN_RANK; k++)
        sum += (double)x[k] * (double)y[k];
    return sum / sqrt((double)(GEN_RANK * t->pairs));
}

struct drawn {
    uint32_t id[64];
    double probability, additive;
    bool label;
};

static void
row_draw(struct truth *t, double when, struct drawn *d)
{
    const struct config *c = t->c;
    double z = t->bias + c->gen_drift * (when - 0.5), pairs = 0;
    for (uint32_t f = 0; f < t->fields; f++) {
        d->id[f] = id_draw(t, f);
        z += (double)t->effect[t->first_id[f] + d->id[f]].alone * 0.7 /
             sqrt((double)t->fields);
    }
    for (uint32_t i = 0; i < t->pairs; i++)
        pairs += pair_effect(t, i, d->id);
    d->additive = 1 / (1 + exp(-z));
    double p = 1 / (1 + exp(-(z + c->gen_interaction * pairs)));
    /* A share of the labels is drawn by a fair coin. */
    d->probability = p * (1 - c->gen_noise) + 0.5 * c->gen_noise;
    d->label = rng_f64(&t->rng) < d->probability;
}

static void
scores_add(struct scores *s, uint64_t cap, double score, bool label)
{
    if (s->score == NULL) {
        s->score = mem_calloc(cap, sizeof *s->score);
        s->label = mem_calloc(cap, sizeof *s->label);
        s->relevance = mem_calloc(cap, sizeof *s->relevance);
        s->group = mem_calloc(cap, sizeof *s->group);
    }
    s->score[s->n] = (float)score;
    s->label[s->n] = label;
    s->n++;
}

static void
scores_free(struct scores *s)
{
    free(s->score);
    free(s->label);
    free(s->relevance);
    free(s->group);
}

static int
file_create(
    const struct config *c, const char *name, FILE **out, struct err *err)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", c->generate, name);
    *out = fopen(buf_str(&path), "we");
    int rc =
        *out == NULL ? err_sys(err, "cannot create %s", buf_str(&path)) : 0;
    buf_fini(&path);
    return rc;
}

static int
file_close(FILE *f, struct err *err)
{
    bool failed = ferror(f) != 0;
    if (fclose(f) != 0 || failed)
        return err_sys(err, "cannot write the generated files");
    return 0;
}

static int
split_generate(struct truth *t, const char *name, uint64_t from, uint64_t to,
    bool is_test, struct err *err)
{
    FILE *f;
    int rc = file_create(t->c, name, &f, err);
    if (rc != 0)
        return rc;
    double rows = (double)t->c->gen_rows;
    for (uint64_t i = from; i < to; i++) {
        struct drawn d;
        row_draw(t, (double)i / rows, &d);
        fprintf(f, "%d", d.label);
        for (uint32_t k = 0; k < t->fields; k++)
            fprintf(f, " %u:%u:1", k, t->first_id[k] + d.id[k]);
        fputc('\n', f);
        if (!is_test)
            continue;
        scores_add(&t->best, to - from, d.probability, d.label);
        scores_add(&t->additive, to - from, d.additive, d.label);
    }
    return file_close(f, err);
}

static int
truth_write(struct truth *t, struct err *err)
{
    FILE *f;
    struct metrics best, additive;
    struct buf text = {0};
    const struct config *c = t->c;
    metrics_compute(&t->best, &best);
    metrics_compute(&t->additive, &additive);
    buf_printf(&text, "{\"synthetic\":true,\"rows\":%lld,\"seed\":%lld,",
        (long long)c->gen_rows, (long long)c->gen_seed);
    buf_printf(&text, "\"fields\":%u,\"interactions\":[", t->fields);
    for (uint32_t i = 0; i < t->pairs; i++)
        buf_printf(&text, "%s[%u,%u]", i > 0 ? "," : "", i, t->fields - 1 - i);
    buf_puts(&text, "],\"bayes_auc\":");
    buf_put_f64(&text, best.auc);
    buf_puts(&text, ",\"bayes_logloss\":");
    buf_put_f64(&text, best.logloss);
    buf_puts(&text, ",\"additive_auc\":");
    buf_put_f64(&text, additive.auc);
    buf_puts(&text, ",\"additive_logloss\":");
    buf_put_f64(&text, additive.logloss);
    buf_puts(&text, ",\"best_auc_gain\":");
    buf_put_f64(&text, best.auc - additive.auc);
    buf_puts(&text, "}\n");
    int rc = file_create(c, "truth.json", &f, err);
    if (rc == 0) {
        fputs(buf_str(&text), f);
        rc = file_close(f, err);
    }
    buf_fini(&text);
    return rc;
}

int
generate_run(const struct config *c, struct err *err)
{
    struct truth t;
    if (mkdir(c->generate, 0777) != 0 && errno != EEXIST)
        return err_sys(err, "cannot create --generate=%s", c->generate);
    truth_init(&t, c);
    for (uint32_t f = 0; f < t.fields; f++)
        effects_draw(&t, f);
    uint64_t n = (uint64_t)c->gen_rows, valid = n * 8 / 10, test = n * 9 / 10;
    int rc = split_generate(&t, "split.train.ffm", 0, valid, false, err);
    if (rc == 0)
        rc = split_generate(&t, "split.valid.ffm", valid, test, false, err);
    if (rc == 0)
        rc = split_generate(&t, "split.test.ffm", test, n, true, err);
    if (rc == 0)
        rc = truth_write(&t, err);
    scores_free(&t.best);
    scores_free(&t.additive);
    free(t.effect);
    return rc;
}
