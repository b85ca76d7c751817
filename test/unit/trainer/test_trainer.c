/* Unit tests of the trainer: gradients of all models against finite
 * differences, metrics against brute force, both instruction sets against each
 * other, row parsers by table. test/flow/trainer-unit.sh builds and runs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "trainer/config.h"
#include "trainer/format.h"
#include "trainer/loss.h"
#include "trainer/metric.h"
#include "trainer/model.h"
#include "trainer/order.h"

enum { ROWS = 24, FIELDS = 5, IDS = 40 };

/* A batch made by hand: two features in field 0, values that are not 1. */
static void
batch_make(struct batch *b)
{
    static const struct dataset d = {.ids = IDS, .fields = FIELDS};
    struct rng r;
    rng_seed(&r, 5);
    batch_init(b, &d, ROWS);
    uint32_t n = ROWS * (FIELDS + 1);
    b->features_cap = n;
    b->id = mem_calloc(n, sizeof *b->id);
    b->slot = mem_calloc(n, sizeof *b->slot);
    b->slot_id = mem_calloc(n, sizeof *b->slot_id);
    b->field = mem_calloc(n, sizeof *b->field);
    b->value = mem_calloc(n, sizeof *b->value);
    uint32_t at = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t j = 0; j < FIELDS + 1; j++) {
            uint32_t field = j > 0 ? j - 1 : 0;
            b->id[at] = field * 8 + (uint32_t)rng_below(&r, 8);
            b->field[at] = (uint16_t)field;
            b->value[at++] = (float)(0.5 + rng_f64(&r));
        }
        b->label[i] = rng_f64(&r) < 0.4;
        b->offset[i + 1] = at;
    }
    b->rows = ROWS;
    batch_index(b);
}

static void
config_make(struct config *c, const char *const *flags)
{
    char *argv[16] = {NULL};
    struct err err;
    int n = 1;
    for (; *flags != NULL; flags++)
        argv[n++] = mem_strdup(*flags);
    config_init(c);
    assert_int_equal(config_parse(c, n, argv, &err), 0);
}

static double
objective(struct model *m, const struct batch *b, const float *dz)
{
    float z[ROWS + 8];
    double sum = 0;
    model_forward(m, b, true, 77, z);
    for (uint32_t i = 0; i < b->rows; i++)
        sum += (double)z[i] * (double)dz[i];
    return sum;
}

static double
difference(struct model *m, const struct batch *b, const float *dz, float *p)
{
    /* small, for a relu may turn inside of it */
    const float h = 5e-4f, old = *p;
    *p = old + h;
    double up = objective(m, b, dz);
    *p = old - h;
    double down = objective(m, b, dz);
    *p = old;
    return (up - down) / (2 * (double)h);
}

struct cosine {
    double ab, aa, bb;
};

static void
cosine_add(struct cosine *c, double a, double b)
{
    c->ab += a * b;
    c->aa += a * a;
    c->bb += b * b;
}

static void
cosine_check(const struct cosine *c, const char *what)
{
    if (c->aa == 0 && c->bb == 0)
        return;
    double cosine = c->ab / sqrt(c->aa * c->bb);
    double length = sqrt(c->aa / c->bb);
    if (!(cosine > 0.999) || !(fabs(length - 1) < 0.02))
        fail_msg("%s: cosine %.6f, length ratio %.6f", what, cosine, length);
}

static void
table_check(struct model *m, const struct batch *b, const float *dz,
    struct table *t, const char *what)
{
    struct cosine c = {0, 0, 0};
    for (uint32_t s = 0; s < b->slots && t->mem != NULL; s++) {
        for (uint32_t k = 0; k < t->np; k++) {
            float *p = t->mem + (size_t)b->slot_id[s] * t->stride + k;
            double g = (double)t->grad[s * t->np + k];
            if (*p == 0 && t->np > 1) { /* padding */
                assert_true(g == 0);
                continue;
            }
            cosine_add(&c, g, difference(m, b, dz, p));
        }
    }
    cosine_check(&c, what);
}

static void
dense_check(
    struct model *m, const struct batch *b, const float *dz, const char *what)
{
    for (int i = 0; i < m->dense.blocks; i++) {
        struct cosine c = {0, 0, 0};
        size_t at = m->dense.block[i].at, n = m->dense.block[i].n;
        size_t stride = n / 64 + 1;
        for (size_t k = at; k < at + n; k += stride)
            cosine_add(&c, (double)m->dense.g[k],
                difference(m, b, dz, &m->dense.p[k]));
        if (c.aa > 1e-10)
            cosine_check(&c, what);
    }
}

static const char *const *
gradient_case(int i)
{
    static const char *const cases[][8] = {
        {"--model=lr"},
        {"--model=fm", "--dim=5"},
        {"--model=fm", "--dim=16"},
        {"--model=ffm", "--dim=3"},
        {"--model=ffm", "--dim=8"},
        {"--model=deepfm", "--dim=8", "--hidden=16,8"},
        {"--model=deepfm", "--dim=4", "--hidden=12,6", "--dropout=0.3",
            "--embedding-dropout=0.2"},
        {"--model=deepfm", "--dim=4", "--hidden=12", "--batch-norm=true"},
        {"--model=dcnv2", "--dim=8", "--hidden=16"},
        {"--model=dcnv2", "--dim=5", "--hidden=10,7", "--cross-layers=3"},
        {"--model=dcnv2", "--dim=4", "--hidden=8", "--cross-rank=3",
            "--linear=false"},
        {"--model=gdcn", "--dim=8", "--hidden=16"},
        {"--model=gdcn", "--dim=5", "--hidden=10,7", "--cross-layers=3",
            "--embedding-dropout=0.2"},
        {"--model=final", "--dim=8", "--hidden=16"},
        {"--model=final", "--dim=5", "--hidden=12,7", "--dropout=0.3"},
        {"--model=final", "--dim=4", "--hidden=12,8", "--batch-norm=true"},
        {"--model=final", "--dim=5", "--hidden=12,8", "--field-gate=true",
            "--embedding-dropout=0.2"},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return NULL;
    return cases[i];
}

static void
test_gradients(void **state)
{
    (void)state;
    const char *const *flags;
    for (int i = 0; (flags = gradient_case(i)) != NULL; i++) {
        struct config c;
        struct model m;
        struct batch b;
        struct err err;
        struct rng r;
        float dz[ROWS + 8] = {0}, z[ROWS + 8];
        config_make(&c, flags);
        c.init_std = 0.4;
        batch_make(&b);
        assert_int_equal(model_init(&m, &c, IDS, FIELDS, ROWS, &err), 0);
        rng_seed(&r, 9);
        for (int k = 0; k < ROWS; k++)
            dz[k] = (float)(rng_f64(&r) - 0.5);
        for (uint32_t k = 0; k < m.net.gate.fields * m.net.gate.fields; k++)
            m.dense.p[m.net.gate.weight + k] = (float)(rng_f64(&r) - 0.5);
        model_forward(&m, &b, true, 77, z);
        model_backward(&m, &b, dz);
        /* Weights are moved below; the gradients must not. */
        char what[64];
        snprintf(what, sizeof what, "case %d %s", i, flags[0]);
        table_check(&m, &b, dz, &m.w, what);
        table_check(&m, &b, dz, &m.v, what);
        dense_check(&m, &b, dz, what);
        model_fini(&m);
        batch_fini(&b);
    }
}

static void
test_losses(void **state)
{
    (void)state;
    static const char *const cases[][4] = {{"--loss=logloss"},
        {"--loss=logloss", "--label-smoothing=0.1"}, {"--loss=focal"},
        {"--loss=focal", "--focal-gamma=0.5"},
        {"--loss=pairwise", "--pair-weight=0.7"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config c;
        struct rng r;
        float z[ROWS], label[ROWS], p[ROWS], dz[ROWS], ignored[ROWS];
        struct cosine cosine = {0, 0, 0};
        config_make(&c, cases[i]);
        rng_seed(&r, 3);
        for (int k = 0; k < ROWS; k++) {
            z[k] = (float)(3 * rng_normal(&r));
            label[k] = rng_f64(&r) < 0.4;
        }
        loss_compute(&c, kern_get(), z, label, ROWS, p, dz);
        for (int k = 0; k < ROWS; k++) {
            const float h = 1e-2f, old = z[k];
            z[k] = old + h;
            double up =
                loss_compute(&c, kern_get(), z, label, ROWS, p, ignored);
            z[k] = old - h;
            double down =
                loss_compute(&c, kern_get(), z, label, ROWS, p, ignored);
            z[k] = old;
            cosine_add(
                &cosine, (double)dz[k] * ROWS, (up - down) / (2 * (double)h));
        }
        cosine_check(&cosine, cases[i][0]);
    }
}

/* Both instruction sets agree to rounding after ten updates. */
static void
test_instruction_sets(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"--optimizer=sgd",
        "--optimizer=adagrad", "--optimizer=adam",
        "--optimizer=rowwise-adagrad"};
    static const char *const models[] = {
        "--model=deepfm", "--model=dcnv2", "--model=gdcn", "--model=final"};
    const struct kern *const *all = kern_all();
    for (int o = 0; o < 16; o++) {
        float z[2][ROWS + 8];
        int n = 0;
        for (; all[n] != NULL && n < 2; n++) {
            const char *flags[] = {models[o / 4], optimizers[o % 4],
                "--field-gate=true", "--dropout=0.2", "--l2=0.001",
                "--embedding-l2=0.001", NULL};
            struct config c;
            struct model m;
            struct batch b;
            struct err err;
            float p[ROWS], dz[ROWS];
            config_make(&c, flags);
            batch_make(&b);
            assert_int_equal(model_init(&m, &c, IDS, FIELDS, ROWS, &err), 0);
            m.kern = m.net.kern = all[n];
            for (uint64_t step = 0; step < 10; step++) {
                model_forward(&m, &b, true, step, z[n]);
                loss_compute(&c, m.kern, z[n], b.label, ROWS, p, dz);
                model_backward(&m, &b, dz);
                model_update(&m, &b, 1, step + 1);
            }
            model_forward(&m, &b, false, 0, z[n]);
            model_fini(&m);
            batch_fini(&b);
        }
        for (int k = 0; k < ROWS && n == 2; k++)
            assert_true(fabsf(z[0][k] - z[1][k]) < 1e-4f);
    }
}

static void
test_sigmoid(void **state)
{
    (void)state;
    const struct kern *const *all = kern_all();
    for (int n = 0; all[n] != NULL; n++) {
        for (double x = -100; x < 100; x += 0.37) {
            float z[8], p[8];
            for (int k = 0; k < 8; k++)
                z[k] = (float)x;
            all[n]->sigmoid(z, p, 8);
            double want = 1 / (1 + exp(-(double)z[0]));
            assert_true(fabs((double)p[0] - want) <= 1e-6 * want + 1e-37);
        }
        float z[8] = {INFINITY, -INFINITY, NAN}, p[8];
        all[n]->sigmoid(z, p, 8);
        assert_true(p[0] > 0.999f && p[1] < 1e-30f && isnan(p[2]));
    }
}

static double
auc_brute(const struct scores *s, int64_t group)
{
    double wins = 0, pairs = 0;
    for (uint64_t i = 0; i < s->n; i++) {
        for (uint64_t j = 0; j < s->n; j++) {
            if (!(s->label[i] > 0) || s->label[j] > 0)
                continue;
            if (group >= 0 && (s->group[i] != group || s->group[j] != group))
                continue;
            wins += s->score[i] > s->score[j]    ? 1
                    : s->score[i] == s->score[j] ? 0.5
                                                 : 0;
            pairs += 1;
        }
    }
    return wins / pairs;
}

static void
test_auc(void **state)
{
    (void)state;
    enum { N = 300, GROUPS = 7 };
    float score[N], label[N], relevance[N];
    uint32_t group[N];
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct rng r;
        struct metrics m;
        struct scores s = {N, score, label, relevance, group};
        double sum = 0, weight = 0;
        rng_seed(&r, seed);
        for (int i = 0; i < N; i++) {
            score[i] = (float)rng_below(&r, seed % 2 ? 20 : 100000) / 100000.0f;
            label[i] = relevance[i] = rng_f64(&r) < 0.3;
            group[i] = (uint32_t)rng_below(&r, GROUPS);
        }
        metrics_compute(&s, &m);
        assert_true(fabs(m.auc - auc_brute(&s, -1)) < 1e-12);
        for (int g = 0; g < GROUPS; g++) {
            double a = auc_brute(&s, g), n = 0;
            for (int i = 0; i < N; i++)
                n += group[i] == (uint32_t)g;
            sum += isnan(a) ? 0 : a * n;
            weight += isnan(a) ? 0 : n;
        }
        assert_true(fabs(m.gauc - sum / weight) < 1e-12);
    }
}

static void
test_metrics_known(void **state)
{
    (void)state;
    float score[] = {0.9f, 0.8f, 0.2f, 0.1f}, label[] = {1, 0, 1, 0};
    float relevance[] = {1, 0, 1, 0};
    uint32_t group[] = {0, 0, 0, 0};
    struct scores s = {4, score, label, relevance, group};
    struct metrics m;
    metrics_compute(&s, &m);
    double loss = -(log(0.9) + log(0.2) + log(0.2) + log(0.9)) / 4;
    assert_true(fabs(m.logloss - loss) < 1e-6);
    assert_true(fabs(m.ne - loss / log(2)) < 1e-6);
    assert_true(fabs(m.calibration - 1) < 1e-6);
    assert_true(fabs(m.auc - 0.75) < 1e-12);
    double dcg = 1 + 1 / log2(4), ideal = 1 + 1 / log2(3);
    assert_true(fabs(m.ndcg - dcg / ideal) < 1e-9);
    float one[] = {1, 1, 1, 1};
    s.label = one;
    metrics_compute(&s, &m);
    assert_true(isnan(m.auc) && isnan(m.gauc));
}

static void
test_rows(void **state)
{
    (void)state;
    static const struct {
        const char *first, *line;
        uint32_t n; /* 0: a bad row */
    } cases[] = {
        {"0 0:1:1", "1 0:5:1 1:7:0.5", 2},
        {"0 0:1:1", "1", 0},
        {"0 0:1:1", "x 0:5:1", 0},
        {"0 0:1:1", "1 0:5", 0},
        {"0 0:1:1", "1 0:5:x", 0},
        {"0 0:1:1", "1 0:5:nan", 0},
        {"0 0:1:1", "1 -1:5:1", 0},
        {"0 0:1:1", "1 99999:5:1", 0},
        {"0 0:1:1", "1 0:5:1x", 0},
        {"-1 3 4", "+1 3 9 11", 3},
        {"-1 3 4", "+1 3:0.5 9:2", 2},
        {"-1 3 4", "+1 qid:7 3:0.5", 1},
        {"-1 3 4", "+1 a:0.5", 0},
        {"click,a,b", "1,x,\"y, \"\"z\"\"\"", 2},
        {"click,a,b", "1,x", 0},
        {"click,a,b", "1,x,y,z", 0},
        {"click,a,b", "?,x,y", 0},
        {"click,a:float,b", "1,3.5,y", 2},
        {"click,a:float,b", "1,abc,y", 0},
    };
    struct row *row = mem_calloc(1, sizeof *row);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config c;
        struct format f;
        struct err err;
        char first[64], line[64];
        const char *why = NULL;
        config_init(&c);
        snprintf(first, sizeof first, "%s", cases[i].first);
        snprintf(line, sizeof line, "%s", cases[i].line);
        assert_int_equal(format_init(&f, &c, "t", first, &err), 0);
        int rc = format_parse(&f, line, row, &why);
        if (cases[i].n == 0) {
            assert_int_equal(rc, -1);
            assert_non_null(why);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_int_equal(row->n, cases[i].n);
    }
    free(row);
}

static void
test_order(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct order o;
    bool seen[N] = {false};
    uint64_t first[N];
    order_init(&o, N, 4);
    order_epoch(&o, 3);
    for (uint64_t i = 0; i < N; i++) {
        first[i] = order_row(&o, i);
        assert_false(seen[first[i]]);
        seen[first[i]] = true;
    }
    order_epoch(&o, 4);
    assert_int_not_equal(
        order_row(&o, 0) + order_row(&o, 1) * N, first[0] + first[1] * N);
    order_epoch(&o, 3);
    assert_int_equal(order_row(&o, 500), first[500]);
    order_fini(&o);
}

static void
test_config(void **state)
{
    (void)state;
    struct config a, b;
    struct buf text = {0};
    struct err err;
    const char *flags[] = {
        "--lr=0.1", "--model=ffm", "--batch-norm=true", NULL};
    config_make(&a, flags);
    config_text(&a, FLAG_MODEL, &text);
    config_init(&b);
    assert_string_equal(config_difference(&a, &b, FLAG_MODEL), "model");
    char *copy = mem_strdup(buf_str(&text));
    assert_int_equal(config_parse_text(&b, copy, &err), 0);
    assert_null(config_difference(&a, &b, FLAG_MODEL));
    static const char *const bad[][2] = {{"--embeding-lr=1", "embedding-lr"},
        {"--lr=abc", "number"}, {"--lr=-1", "range"}, {"--model=x", "deepfm"},
        {"--epochs=1.5", "integer"}, {"lr=1", "--name=value"},
        {"--batch-norm=yes", "true or false"}, {"--lr", "no value"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[] = "rea-ctr", arg[64];
        snprintf(arg, sizeof arg, "%s", bad[i][0]);
        char *argv[] = {name, arg};
        assert_int_equal(config_parse(&a, 2, argv, &err), -ERR_INPUT);
        if (strstr(err.text, bad[i][1]) == NULL)
            fail_msg("%s: %s", bad[i][0], err.text);
    }
    buf_fini(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_auc),
        cmocka_unit_test(test_metrics_known),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests_name("trainer", tests, NULL, NULL);
}
