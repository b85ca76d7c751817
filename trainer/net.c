/* Forward and backward passes of the perceptron and the cross network, by
 * matrix products of whole batches. model.c calls it. Invariant: padding
 * columns stay zero, since their weights start at zero and so do their
 * gradients. */
#include "net.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/rng.h"

/* c[m][n] = a[m][k] b[k][n] (+ c) */
static void
product(const float *a, const float *b, float *c, uint32_t m, uint32_t n,
    uint32_t k, float add)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n,
        (int)k, 1, a, (int)k, b, (int)n, add, c, (int)n);
}

/* c[m][n] = a[k][m]^T b[k][n] */
static void
product_ta(const float *a, const float *b, float *c, uint32_t m, uint32_t n,
    uint32_t k)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)m, (int)n, (int)k,
        1, a, (int)m, b, (int)n, 0, c, (int)n);
}

/* c[m][n] = a[m][k] b[n][k]^T (+ c) */
static void
product_tb(const float *a, const float *b, float *c, uint32_t m, uint32_t n,
    uint32_t k, float add)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k,
        1, a, (int)k, b, (int)k, add, c, (int)n);
}

static float *
rows_alloc(uint32_t rows, uint32_t cols)
{
    return mem_calloc((size_t)rows * cols, sizeof(float));
}

static void
layer_init(struct net *n, struct dense *d, struct net_layer *l, uint32_t in,
    uint32_t out)
{
    l->in = in;
    l->out = round_up(out, 8);
    uint32_t cols = n->factored ? 2 * l->out : l->out;
    l->weight = dense_add(d, (size_t)l->in * cols, true);
    l->bias = dense_add(d, cols, false);
    if (n->factored)
        l->fh = rows_alloc(n->rows_cap, cols);
    l->a = rows_alloc(n->rows_cap, l->out);
    if (!n->c->batch_norm)
        return;
    l->gamma = dense_add(d, l->out, false);
    l->beta = dense_add(d, l->out, false);
    l->normal = rows_alloc(n->rows_cap, l->out);
    l->scale = rows_alloc(1, l->out);
    n->running_n += 2 * (size_t)l->out;
}

static void
cross_init(struct net *n, struct dense *d)
{
    bool plain = n->c->model == MODEL_DCNV2;
    n->cross = plain || n->gated ? (int)n->c->cross_layers : 0;
    n->rank = plain ? round_up((uint32_t)n->c->cross_rank, 8) : 0;
    uint32_t cols = n->gated ? 2 * n->width : n->width;
    for (int i = 0; i < n->cross; i++) {
        struct cross_layer *l = &n->crossing[i];
        uint32_t inner = n->rank > 0 ? n->rank : cols;
        l->weight = dense_add(d, (size_t)n->width * inner, true);
        if (n->rank > 0) {
            l->low = dense_add(d, (size_t)n->rank * n->width, true);
            l->t = rows_alloc(n->rows_cap, n->rank);
        }
        l->bias = dense_add(d, n->width, false);
        l->u = rows_alloc(n->rows_cap, cols);
        l->x = rows_alloc(n->rows_cap, n->width);
    }
    if (n->cross > 0)
        n->out_cross = dense_add(d, n->width, true);
}

static void
gate_init(struct net *n, struct dense *d, uint32_t fields, uint32_t np)
{
    struct field_gate *g = &n->gate;
    g->fields = fields;
    g->np = np;
    g->weight = dense_add(d, (size_t)fields * fields, true);
    g->bias = dense_add(d, fields, false);
    g->g = rows_alloc(n->rows_cap, n->width);
    g->x = rows_alloc(n->rows_cap, n->width);
}

/* OpenBLAS tries for ever to map its buffer where a limit of address space is
 * in the way, so that is found out first. */
static int
blas_probe(struct err *err)
{
    size_t n = (size_t)192 << 20;
    void *p = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return err_set(err, -ERR_SYS,
            "OpenBLAS needs 192 MB more of address space than the limit "
            "leaves; raise ulimit -v, or take a model without a deep part");
    munmap(p, n);
    return 0;
}

int
net_init(struct net *n, const struct config *c, struct dense *d,
    uint32_t fields, uint32_t np, uint32_t rows, struct err *err)
{
    uint32_t width = fields * np;
    int sizes[HIDDEN_MAX];
    memset(n, 0, sizeof *n);
    n->c = c;
    n->kern = kern_get();
    n->width = width;
    n->rows_cap = rows;
    n->factored = c->model == MODEL_FINAL;
    n->gated = c->model == MODEL_GDCN;
    int rc = blas_probe(err);
    if (rc != 0)
        return rc;
    n->layers = config_hidden(c, sizes, err);
    if (n->layers < 0)
        return n->layers;
    uint32_t in = width, widest = width;
    for (int i = 0; i < n->layers; i++) {
        layer_init(n, d, &n->layer[i], in, (uint32_t)sizes[i]);
        in = n->layer[i].out;
        widest = in > widest ? in : widest;
    }
    if (n->layers > 0)
        n->out_deep = dense_add(d, in, true);
    if (n->factored && c->field_gate)
        gate_init(n, d, fields, np);
    cross_init(n, d);
    widest = n->rank > widest ? n->rank : widest;
    bool pairs = n->factored || n->gated;
    n->running = mem_calloc(n->running_n + 1, sizeof *n->running);
    n->da = rows_alloc(rows, widest);
    n->db = rows_alloc(rows, widest);
    n->du = rows_alloc(rows, pairs ? 2 * widest : widest);
    return 0;
}

/* Uniform in +-limit where row and column are real, zero in the padding.
 * unit: columns of one of the matrices that lie side by side. */
static void
weights_start(float *w, uint32_t in, uint32_t out, uint32_t unit,
    uint32_t real_out, double limit, const bool *is_real, struct rng *r)
{
    for (uint32_t i = 0; i < in; i++) {
        for (uint32_t j = 0; j < out; j++) {
            float x = (float)(limit * (2 * rng_f64(r) - 1));
            bool real = j % unit < real_out && is_real[i];
            w[(size_t)i * out + j] = real ? x : 0;
        }
    }
}

static void
norm_start(struct net *n, struct dense *d)
{
    float *running = n->running;
    for (int i = 0; i < n->layers && n->c->batch_norm; i++) {
        struct net_layer *l = &n->layer[i];
        for (uint32_t j = 0; j < l->out; j++) {
            d->p[l->gamma + j] = 1;
            running[l->out + j] = 1;
        }
        running += 2 * (size_t)l->out;
    }
}

static void
cross_start(struct net *n, struct dense *d, const bool *is_real,
    uint32_t real_width, struct rng *r)
{
    double limit = sqrt(3.0 / (double)real_width);
    bool ranks[1024] = {false};
    for (int64_t i = 0; i < n->c->cross_rank; i++)
        ranks[i] = true;
    for (int i = 0; i < n->cross; i++) {
        struct cross_layer *l = &n->crossing[i];
        uint32_t inner = n->rank > 0 ? n->rank
                         : n->gated  ? 2 * n->width
                                     : n->width;
        uint32_t real = n->rank > 0 ? (uint32_t)n->c->cross_rank : inner;
        weights_start(
            d->p + l->weight, n->width, inner, inner, real, limit, is_real, r);
        if (n->rank > 0)
            weights_start(d->p + l->low, n->rank, n->width, n->width, n->width,
                sqrt(3.0 / (double)n->c->cross_rank), ranks, r);
    }
    if (n->cross > 0)
        weights_start(
            d->p + n->out_cross, n->width, 1, 1, 1, limit, is_real, r);
}

void
net_start(struct net *n, struct dense *d, uint32_t np, uint32_t dim)
{
    struct rng r;
    rng_seed2(&r, (uint64_t)n->c->seed, 0x6e6574);
    bool is_real[8192] = {false};
    bool *inputs = mem_calloc(n->width, sizeof *inputs);
    for (uint32_t i = 0; i < n->width; i++)
        inputs[i] = i % np < dim;
    uint32_t real_in = n->width / np * dim;
    int sizes[HIDDEN_MAX];
    (void)config_hidden(n->c, sizes, NULL);
    cross_start(n, d, inputs, real_in, &r);
    for (int i = 0; i < n->layers; i++) {
        struct net_layer *l = &n->layer[i];
        uint32_t real_out = (uint32_t)sizes[i];
        uint32_t cols = n->factored ? 2 * l->out : l->out;
        weights_start(d->p + l->weight, l->in, cols, l->out, real_out,
            sqrt(6.0 / (double)(real_in + real_out)), i == 0 ? inputs : is_real,
            &r);
        for (uint32_t j = 0; j < l->out; j++)
            is_real[j] = j < real_out;
        real_in = real_out;
    }
    if (n->layers > 0)
        weights_start(d->p + n->out_deep, n->layer[n->layers - 1].out, 1, 1, 1,
            sqrt(6.0 / (double)(real_in + 1)), is_real, &r);
    norm_start(n, d);
    for (uint32_t i = 0; i < n->gate.fields; i++) /* open; weights are 0 */
        d->p[n->gate.bias + i] = 1;
    free(inputs);
}

void
net_fini(struct net *n)
{
    for (int i = 0; i < n->layers; i++) {
        free(n->layer[i].fh);
        free(n->layer[i].a);
        free(n->layer[i].normal);
        free(n->layer[i].scale);
    }
    for (int i = 0; i < n->cross; i++) {
        free(n->crossing[i].u);
        free(n->crossing[i].x);
        free(n->crossing[i].t);
    }
    free(n->gate.g);
    free(n->gate.x);
    free(n->running);
    free(n->da);
    free(n->db);
    free(n->du);
    memset(n, 0, sizeof *n);
}

/* Batch mean and variance of each column of l->a into mean and var. */
static void
column_moments(
    const struct net_layer *l, uint32_t rows, float *mean, float *var)
{
    float inverse = 1 / (float)rows;
    memset(mean, 0, l->out * sizeof *mean);
    memset(var, 0, l->out * sizeof *var);
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t j = 0; j < l->out; j++)
            mean[j] += l->a[(size_t)r * l->out + j] * inverse;
    }
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t j = 0; j < l->out; j++) {
            float x = l->a[(size_t)r * l->out + j] - mean[j];
            var[j] += x * x * inverse;
        }
    }
}

/* Ioffe & Szegedy, ICML 2015, algorithms 1 and 2; momentum 0.1, epsilon 1e-5.
 * The bias of the layer has no effect then and stays zero. */
static void
norm_forward(struct net *n, struct dense *d, struct net_layer *l,
    float *running, uint32_t rows, bool training)
{
    float *mean = n->da, *var = n->db;
    if (training) {
        column_moments(l, rows, mean, var);
        for (uint32_t j = 0; j < l->out; j++) {
            running[j] += 0.1f * (mean[j] - running[j]);
            running[l->out + j] += 0.1f * (var[j] - running[l->out + j]);
        }
    } else {
        mean = running;
        var = running + l->out;
    }
    for (uint32_t j = 0; j < l->out; j++)
        l->scale[j] = 1 / sqrtf(var[j] + 1e-5f);
    const float *gamma = d->p + l->gamma, *beta = d->p + l->beta;
    for (uint32_t r = 0; r < rows; r++) {
        size_t at = (size_t)r * l->out;
        for (uint32_t j = 0; j < l->out; j++) {
            float x = (l->a[at + j] - mean[j]) * l->scale[j];
            l->normal[at + j] = x;
            l->a[at + j] = gamma[j] * x + beta[j];
        }
    }
}

static void
norm_backward(
    struct dense *d, const struct net_layer *l, uint32_t rows, float *dz)
{
    float *dgamma = d->g + l->gamma, *dbeta = d->g + l->beta;
    memset(dgamma, 0, l->out * sizeof *dgamma);
    memset(dbeta, 0, l->out * sizeof *dbeta);
    for (uint32_t r = 0; r < rows; r++) {
        size_t at = (size_t)r * l->out;
        for (uint32_t j = 0; j < l->out; j++) {
            dgamma[j] += dz[at + j] * l->normal[at + j];
            dbeta[j] += dz[at + j];
        }
    }
    float inverse = 1 / (float)rows;
    for (uint32_t r = 0; r < rows; r++) {
        size_t at = (size_t)r * l->out;
        for (uint32_t j = 0; j < l->out; j++)
            dz[at + j] = d->p[l->gamma + j] * l->scale[j] *
                         (dz[at + j] - inverse * (dbeta[j] + l->normal[at + j] *
                                                                 dgamma[j]));
    }
}

/* The layer's output before norm and activation; a perceptron's without its
 * bias, which goes with the activation. */
static void
layer_forward(struct net *n, const struct dense *d, struct net_layer *l,
    const float *x, uint32_t rows)
{
    const float *w = d->p + l->weight;
    if (!n->factored) {
        product(x, w, l->a, rows, l->out, l->in, 0);
        return;
    }
    product(x, w, l->fh, rows, 2 * l->out, l->in, 0);
    n->kern->factor_forward(l->fh, d->p + l->bias, l->a, rows, l->out);
}

static void
deep_forward(struct net *n, struct dense *d, const float *x, uint32_t rows,
    bool training, uint64_t seed)
{
    float *running = n->running;
    for (int i = 0; i < n->layers; i++) {
        struct net_layer *l = &n->layer[i];
        bool is_plain = !n->factored && !n->c->batch_norm;
        layer_forward(n, d, l, x, rows);
        if (n->c->batch_norm) {
            norm_forward(n, d, l, running, rows, training);
            running += 2 * (size_t)l->out;
        }
        struct dropout drop = {.rate = training ? (float)n->c->dropout : 0,
            .seed = (uint32_t)rng_mix(seed, (uint64_t)i)};
        n->kern->relu_forward(
            l->a, is_plain ? d->p + l->bias : NULL, rows, l->out, &drop);
        x = l->a;
    }
}

static const float *
cross_forward(struct net *n, struct dense *d, const float *x0, uint32_t rows)
{
    const float *x = x0;
    uint32_t w = n->width, cols = n->gated ? 2 * w : w;
    for (int i = 0; i < n->cross; i++) {
        struct cross_layer *l = &n->crossing[i];
        if (n->rank > 0) {
            product(x, d->p + l->weight, l->t, rows, n->rank, w, 0);
            product(l->t, d->p + l->low, l->u, rows, w, n->rank, 0);
        } else {
            product(x, d->p + l->weight, l->u, rows, cols, w, 0);
        }
        const float *bias = d->p + l->bias;
        if (n->gated)
            n->kern->gated_forward(x0, x, l->u, bias, l->x, rows, w);
        else
            n->kern->cross_forward(x0, x, l->u, bias, l->x, rows, w);
        x = l->x;
    }
    return x;
}

static void
output_add(
    const float *a, const float *w, uint32_t rows, uint32_t cols, float *z)
{
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)cols, 1, a,
        (int)cols, w, 1, 1, z, 1);
}

void
net_forward(struct net *n, struct dense *d, const float *x, uint32_t rows,
    bool training, uint64_t seed, float *z)
{
    struct field_gate *g = &n->gate;
    if (g->fields > 0) {
        n->kern->gate_forward(x, d->p + g->weight, d->p + g->bias, g->g, g->x,
            rows, g->fields, g->np);
        x = g->x;
    }
    if (n->layers > 0) {
        const struct net_layer *last = &n->layer[n->layers - 1];
        deep_forward(n, d, x, rows, training, seed);
        output_add(last->a, d->p + n->out_deep, rows, last->out, z);
    }
    if (n->cross > 0) {
        const float *out = cross_forward(n, d, x, rows);
        output_add(out, d->p + n->out_cross, rows, n->width, z);
    }
}

/* dw = a^T dz and da = dz w^T of a final layer with one output. */
static void
output_backward(const struct net *n, const float *a, const float *w,
    const float *dz, uint32_t rows, uint32_t cols, float *dw, float *da)
{
    cblas_sgemv(CblasRowMajor, CblasTrans, (int)rows, (int)cols, 1, a,
        (int)cols, dz, 1, 0, dw, 1);
    n->kern->outer(dz, w, rows, cols, da);
}

/* From d z of the layer's output before the norm: gradients of its weights and
 * bias, and din. */
static void
layer_backward(struct net *n, struct dense *d, const struct net_layer *l,
    const float *in, const float *dz, uint32_t rows, float *din)
{
    uint32_t cols = n->factored ? 2 * l->out : l->out;
    if (n->factored) {
        n->kern->factor_backward(l->fh, dz, n->du, rows, l->out);
        dz = n->du;
    }
    if (n->factored || !n->c->batch_norm)
        n->kern->column_sum(dz, rows, cols, d->g + l->bias);
    product_ta(in, dz, d->g + l->weight, l->in, cols, rows);
    product_tb(dz, d->p + l->weight, din, rows, l->in, cols, 0);
}

static void
deep_backward(struct net *n, struct dense *d, const float *x, uint32_t rows,
    const float *dz, float *dx)
{
    struct net_layer *last = &n->layer[n->layers - 1];
    float *da = n->da, *db = n->db;
    output_backward(n, last->a, d->p + n->out_deep, dz, rows, last->out,
        d->g + n->out_deep, da);
    struct dropout drop = {.rate = (float)n->c->dropout};
    for (int i = n->layers - 1; i >= 0; i--) {
        struct net_layer *l = &n->layer[i];
        const float *in = i > 0 ? n->layer[i - 1].a : x;
        float *din = i > 0 ? db : dx;
        n->kern->relu_backward(da, l->a, (size_t)rows * l->out, &drop);
        if (n->c->batch_norm)
            norm_backward(d, l, rows, da);
        layer_backward(n, d, l, in, da, rows, din);
        db = da;
        da = din;
    }
}

/* One gated layer: dout becomes that of its input, dx += that of x0. */
static void
gate_backward(struct net *n, struct dense *d, int i, const float *x0,
    uint32_t rows, float *dout, float *dx)
{
    const struct cross_layer *l = &n->crossing[i];
    const float *x = i > 0 ? n->crossing[i - 1].x : x0;
    uint32_t w = n->width, cols = 2 * w;
    float *both = n->db; /* sums of u's columns and of the gate's */
    n->kern->gated_backward(x0, l->u, dout, n->du, dx, rows, w);
    n->kern->column_sum(n->du, rows, cols, both);
    memcpy(d->g + l->bias, both, w * sizeof *both);
    product_ta(x, n->du, d->g + l->weight, w, cols, rows);
    product_tb(n->du, d->p + l->weight, dout, rows, w, cols, 1);
}

/* dx += the gradient of the input. */
static void
cross_backward(struct net *n, struct dense *d, const float *x0, uint32_t rows,
    const float *dz, float *dx)
{
    uint32_t w = n->width;
    size_t all = (size_t)rows * w;
    float *dout = n->da, *dt = n->db;
    const float *top = n->crossing[n->cross - 1].x;
    output_backward(
        n, top, d->p + n->out_cross, dz, rows, w, d->g + n->out_cross, dout);
    for (int i = n->cross - 1; i >= 0; i--) {
        struct cross_layer *l = &n->crossing[i];
        const float *x = i > 0 ? n->crossing[i - 1].x : x0;
        if (n->gated) {
            gate_backward(n, d, i, x0, rows, dout, dx);
            continue;
        }
        n->kern->cross_backward(x0, l->u, dout, n->du, dx, all);
        n->kern->column_sum(n->du, rows, w, d->g + l->bias);
        if (n->rank > 0) {
            product_ta(l->t, n->du, d->g + l->low, n->rank, w, rows);
            product_tb(n->du, d->p + l->low, dt, rows, n->rank, w, 0);
            product_ta(x, dt, d->g + l->weight, w, n->rank, rows);
            product_tb(dt, d->p + l->weight, dout, rows, w, n->rank, 1);
        } else {
            product_ta(x, n->du, d->g + l->weight, w, w, rows);
            product_tb(n->du, d->p + l->weight, dout, rows, w, w, 1);
        }
    }
    n->kern->axpy(1, dout, dx, all);
}

void
net_backward(struct net *n, struct dense *d, const float *x, uint32_t rows,
    const float *dz, float *dx)
{
    struct field_gate *g = &n->gate;
    const float *in = g->fields > 0 ? g->x : x;
    if (n->layers > 0)
        deep_backward(n, d, in, rows, dz, dx);
    else
        memset(dx, 0, (size_t)rows * n->width * sizeof *dx);
    if (n->cross > 0)
        cross_backward(n, d, in, rows, dz, dx);
    if (g->fields > 0)
        n->kern->gate_backward(x, g->g, d->p + g->weight, dx, d->g + g->weight,
            d->g + g->bias, n->du, rows, g->fields, g->np);
}
