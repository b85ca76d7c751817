/* Puts the models together from tables of embeddings and the dense net.
 * train.c and evaluate.c call it. Invariant: a pass is a function of
 * parameters, batch and seed alone. */
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"

/* Tables above this are refused: a wrong --hash-bits, not a wish. */
#define TABLE_BYTES_MAX (UINT64_C(64) << 30)

static uint32_t
state_floats(const struct config *c, uint32_t np)
{
    switch ((enum optimizer_kind)c->optimizer) {
    case OPT_SGD:
        return 0;
    case OPT_ADAGRAD:
        return np;
    case OPT_ADAM:
        return 2 * np;
    case OPT_ROWWISE:
        return np > 1 ? 8 : 1; /* one is used, eight keep rows aligned */
    }
    return 0;
}

static int
table_init(struct table *t, const struct config *c, uint32_t ids, uint32_t np,
    struct err *err)
{
    t->ids = ids;
    t->np = np;
    t->ns = state_floats(c, np);
    t->stride = t->np + t->ns;
    uint64_t bytes = (uint64_t)ids * t->stride * sizeof(float);
    if (bytes > TABLE_BYTES_MAX)
        return err_set(err, -ERR_INPUT,
            "%u ids of %u floats need %.1f GB; use fewer --hash-bits or a "
            "larger --min-count",
            ids, t->stride, (double)bytes * 1e-9);
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes > 0 ? (size_t)bytes : 64) != 0)
        return err_set(err, -ERR_SYS, "no memory for %u ids", ids);
    t->mem = p;
    memset(t->mem, 0, (size_t)bytes);
    return 0;
}

/* The gradient buffer has to hold every distinct id of a batch. */
static void
table_reserve(struct table *t, const struct batch *b)
{
    if (b->features_cap <= t->grad_cap)
        return;
    free(t->grad);
    t->grad_cap = b->features_cap;
    t->grad = mem_calloc((size_t)t->grad_cap * t->np, sizeof *t->grad);
}

/* Near-normal of sd 1 from one hash: the sum of four uniforms of 16 bits. */
static float
hash_normal(uint64_t a, uint64_t b)
{
    uint64_t h = rng_mix(a, b);
    uint32_t sum = (uint32_t)(h & 0xffff) + (uint32_t)(h >> 16 & 0xffff) +
                   (uint32_t)(h >> 32 & 0xffff) + (uint32_t)(h >> 48);
    return ((float)sum / 65535.0f - 2.0f) * 1.7320508f;
}

/* Normal initial vectors; padding stays zero. Initial accumulators. */
static void
vectors_start(struct table *t, const struct config *c, uint32_t unit)
{
    uint64_t seed = rng_mix((uint64_t)c->seed, 0x656d62);
    float sd = (float)c->init_std;
    if (t->np == 1)
        return;
    for (uint32_t i = 0; i < t->ids; i++) {
        float *p = t->mem + (size_t)i * t->stride;
        for (uint32_t k = 0; k < t->np; k++) {
            if (k % unit < (uint32_t)c->dim)
                p[k] = sd * hash_normal(seed, (uint64_t)i * t->np + k);
        }
    }
}

static void
state_start(struct table *t, const struct config *c)
{
    if (c->optimizer != OPT_ADAGRAD && c->optimizer != OPT_ROWWISE)
        return;
    double b = (double)c->batch_size;
    float first = (float)(c->adagrad_init / (b * b));
    for (uint32_t i = 0; i < t->ids; i++) {
        for (uint32_t k = 0; k < t->ns; k++)
            t->mem[(size_t)i * t->stride + t->np + k] = first;
    }
}

static int
vectors_init(struct model *m, uint32_t ids, uint32_t fields, struct err *err)
{
    uint32_t dim = (uint32_t)m->c->dim, np, unit;
    if (m->c->model == MODEL_FFM) {
        unit = m->dim4 = round_up(dim, 4);
        np = round_up(fields * m->dim4, 8);
    } else {
        unit = np = round_up(dim, 8);
    }
    int rc = table_init(&m->v, m->c, ids, np, err);
    if (rc != 0)
        return rc;
    vectors_start(&m->v, m->c, unit);
    if (m->c->model == MODEL_FFM) { /* the tail behind the last field */
        for (uint32_t i = 0; i < ids; i++) {
            for (uint32_t k = fields * unit; k < np; k++)
                m->v.mem[(size_t)i * m->v.stride + k] = 0;
        }
    }
    state_start(&m->v, m->c);
    return 0;
}

static int
parts_init(struct model *m, uint32_t ids, uint32_t fields, struct err *err)
{
    int rc = 0;
    if (m->has_linear) {
        rc = table_init(&m->w, m->c, ids, 1, err);
        if (rc == 0)
            state_start(&m->w, m->c);
    }
    if (rc == 0 && m->has_vectors)
        rc = vectors_init(m, ids, fields, err);
    if (rc != 0)
        return rc;
    if (m->has_fm)
        m->sum = mem_calloc((size_t)m->rows_cap * m->v.np, sizeof *m->sum);
    if (!m->has_net)
        return 0;
    uint32_t width = fields * m->v.np;
    m->x = mem_calloc((size_t)m->rows_cap * width, sizeof *m->x);
    m->dx = mem_calloc((size_t)m->rows_cap * width, sizeof *m->dx);
    return net_init(
        &m->net, m->c, &m->dense, fields, m->v.np, m->rows_cap, err);
}

int
model_init(struct model *m, const struct config *c, uint32_t ids,
    uint32_t fields, uint32_t rows, struct err *err)
{
    memset(m, 0, sizeof *m);
    m->c = c;
    m->kern = kern_get();
    m->rows_cap = round_up(rows, 8);
    m->has_linear = c->linear || c->model == MODEL_LR;
    m->has_vectors = c->model != MODEL_LR;
    m->has_fm = c->model == MODEL_FM || c->model == MODEL_DEEPFM;
    m->has_net = c->model >= MODEL_DEEPFM; /* and all that came later */
    m->bias = dense_add(&m->dense, 1, false);
    int rc = parts_init(m, ids, fields, err);
    if (rc != 0) {
        model_fini(m);
        return rc;
    }
    dense_alloc(&m->dense, c);
    if (m->has_net)
        net_start(&m->net, &m->dense, m->v.np, (uint32_t)c->dim);
    return 0;
}

void
model_fini(struct model *m)
{
    free(m->w.mem);
    free(m->w.grad);
    free(m->v.mem);
    free(m->v.grad);
    free(m->sum);
    free(m->x);
    free(m->dx);
    if (m->has_net)
        net_fini(&m->net);
    dense_fini(&m->dense);
    memset(m, 0, sizeof *m);
}

void
model_forward(struct model *m, const struct batch *b, bool training,
    uint64_t seed, float *z)
{
    for (uint32_t i = 0; i < round_up(b->rows, 8); i++)
        z[i] = m->dense.p[m->bias];
    if (m->has_linear)
        m->kern->linear_forward(b, &m->w, z);
    if (m->has_fm)
        m->kern->fm_forward(b, &m->v, m->sum, z);
    if (m->c->model == MODEL_FFM)
        m->kern->ffm_forward(b, &m->v, m->dim4, z);
    if (!m->has_net)
        return;
    size_t n = (size_t)b->rows * m->net.width;
    m->kern->embed_forward(b, &m->v, m->x);
    if (training && m->c->embedding_dropout > 0) {
        m->seed_embedding = (uint32_t)rng_mix(seed, 0x656d62);
        struct dropout drop = {
            (float)m->c->embedding_dropout, m->seed_embedding};
        m->kern->dropout_apply(m->x, n, &drop);
    }
    net_forward(&m->net, &m->dense, m->x, b->rows, training, seed, z);
}

void
model_backward(struct model *m, const struct batch *b, const float *dz)
{
    float bias = 0;
    for (uint32_t i = 0; i < b->rows; i++)
        bias += dz[i];
    m->dense.g[m->bias] = bias;
    if (m->has_linear) {
        table_reserve(&m->w, b);
        m->kern->linear_backward(b, &m->w, dz);
    }
    if (m->has_vectors)
        table_reserve(&m->v, b);
    if (m->has_fm)
        m->kern->fm_backward(b, &m->v, m->sum, dz);
    if (m->c->model == MODEL_FFM)
        m->kern->ffm_backward(b, &m->v, m->dim4, dz);
    if (!m->has_net)
        return;
    net_backward(&m->net, &m->dense, m->x, b->rows, dz, m->dx);
    if (m->c->embedding_dropout > 0) {
        struct dropout drop = {
            (float)m->c->embedding_dropout, m->seed_embedding};
        m->kern->dropout_apply(m->dx, (size_t)b->rows * m->net.width, &drop);
    }
    m->kern->embed_backward(b, &m->v, m->dx);
}

/* Adam's bias corrections (Kingma & Ba, ICLR 2015, section 2) are folded into
 * rate and epsilon. */
static struct step
step_make(const struct config *c, double lr, uint64_t number)
{
    struct step s = {.kind = (enum optimizer_kind)c->optimizer,
        .lr = (float)lr,
        .beta1 = 0.9f,
        .beta2 = 0.999f,
        .eps = 1e-10f};
    if (s.kind != OPT_ADAM)
        return s;
    double t = (double)number;
    double root = sqrt(1 - pow(0.999, t));
    s.lr = (float)(lr * root / (1 - pow(0.9, t)));
    s.eps = (float)(1e-8 * root);
    return s;
}

void
model_update(
    struct model *m, const struct batch *b, double scale, uint64_t step_number)
{
    const struct config *c = m->c;
    double sparse_lr = c->embedding_lr > 0 ? c->embedding_lr : c->lr;
    struct step dense = step_make(c, c->lr * scale, step_number);
    struct step sparse = step_make(c, sparse_lr * scale, step_number);
    if (m->has_linear) {
        sparse.l2 = (float)c->l2;
        m->kern->rows_update(b, &m->w, &sparse);
    }
    if (m->has_vectors) {
        sparse.l2 = (float)c->embedding_l2;
        m->kern->rows_update(b, &m->v, &sparse);
    }
    dense_update(&m->dense, m->kern, dense, (float)c->l2);
}

static int
table_part(struct model_part *out, const struct table *t, bool is_state)
{
    size_t width = is_state ? t->ns : t->np;
    if (t->mem == NULL || width == 0)
        return 0;
    *out = (struct model_part){
        t->mem + (is_state ? t->np : 0), t->ids, width, t->stride};
    return 1;
}

int
model_parts(struct model *m, struct model_part out[static MODEL_PARTS_MAX],
    int *weights)
{
    struct dense *d = &m->dense;
    int n = 0;
    n += table_part(&out[n], &m->w, false);
    n += table_part(&out[n], &m->v, false);
    out[n++] = (struct model_part){d->p, 1, d->n, d->n};
    if (m->has_net && m->net.running_n > 0)
        out[n++] = (struct model_part){
            m->net.running, 1, m->net.running_n, m->net.running_n};
    *weights = n;
    n += table_part(&out[n], &m->w, true);
    n += table_part(&out[n], &m->v, true);
    out[n++] = (struct model_part){d->m, 1, d->n, d->n};
    out[n++] = (struct model_part){d->v, 1, d->n, d->n};
    return n;
}
