/* The inner loops, in one version for each instruction set; kern_get picks one
 * when the program starts. All counts of floats are multiples of 8 and rows of
 * embeddings are zero-padded to one, so no loop has a tail. */
#ifndef TRAINER_KERN_H
#define TRAINER_KERN_H

#include "batch.h"
#include "config.h"

/* Rows of parameters and their optimiser state, one after the other, so that an
 * update touches one place: [np values][ns states]. */
struct table {
    uint32_t ids, np, ns, stride;
    float *mem;  /* [ids][stride], 64-byte aligned */
    float *grad; /* [slots of the batch][np] */
    uint64_t grad_cap;
};

/* One update step. */
struct step {
    enum optimizer_kind kind;
    float lr, l2, beta1, beta2, eps;
};

struct dropout {
    float rate;    /* 0: off */
    uint32_t seed; /* of this step and layer */
};

struct kern {
    const char *name;
    /* z[row] += sum of w[id] * value */
    void (*linear_forward)(
        const struct batch *b, const struct table *w, float *z);
    void (*linear_backward)(
        const struct batch *b, struct table *w, const float *dz);
    /* z[row] += sum over pairs <v_i, v_j> x_i x_j = (|sum|^2 - sum |v|^2) / 2
     * (Rendle, ICDM 2010, lemma 3.1); sum [rows][np] is kept for backward. */
    void (*fm_forward)(
        const struct batch *b, const struct table *v, float *sum, float *z);
    void (*fm_backward)(const struct batch *b, struct table *v,
        const float *sum, const float *dz);
    /* Field-aware pairs <v_i[field j], v_j[field i]> (Juan et al., RecSys
     * 2016); a field's vector has dim4 floats, a multiple of 4. */
    void (*ffm_forward)(
        const struct batch *b, const struct table *v, uint32_t dim4, float *z);
    void (*ffm_backward)(
        const struct batch *b, struct table *v, uint32_t dim4, const float *dz);
    /* x [rows][fields * np]: the sum of value * v of each field. */
    void (*embed_forward)(
        const struct batch *b, const struct table *v, float *x);
    void (*embed_backward)(
        const struct batch *b, struct table *v, const float *dx);
    /* Applies table->grad to the rows of the batch. */
    void (*rows_update)(
        const struct batch *b, struct table *t, const struct step *s);
    /* p, g, and the states m and v, each n floats. */
    void (*dense_update)(float *p, const float *g, float *m, float *v, size_t n,
        const struct step *s);
    /* p = 1 / (1 + exp(-z)) */
    void (*sigmoid)(const float *z, float *p, size_t n);
    /* Sum of the logloss of rows 0..n-1, and dz += scale * (p - y), where y is
     * the label moved towards 1/2 by smooth. p: sigmoid of z. */
    double (*logloss)(const float *z, const float *label, const float *p,
        float *dz, size_t n, float smooth, float scale);
    /* x = relu(x + bias) with dropout; bias may be NULL. */
    void (*relu_forward)(float *x, const float *bias, size_t rows, size_t cols,
        const struct dropout *d);
    /* dx where the output a was above 0, rescaled for dropout, else 0. */
    void (*relu_backward)(
        float *dx, const float *a, size_t n, const struct dropout *d);
    /* x *= mask of dropout; the same call does forward and backward. */
    void (*dropout_apply)(float *x, size_t n, const struct dropout *d);
    /* out[cols] = column sums of x */
    void (*column_sum)(const float *x, size_t rows, size_t cols, float *out);
    /* out = x0 * (u + bias) + x, u becomes u + bias: a layer of the cross
     * network v2 (Wang et al., WWW 2021, eq. 1). */
    void (*cross_forward)(const float *x0, const float *x, float *u,
        const float *bias, float *out, size_t rows, size_t cols);
    /* From d out: du = dout * x0 and dx0 += dout * u. */
    void (*cross_backward)(const float *x0, const float *u, const float *dout,
        float *du, float *dx0, size_t n);
    /* Row by row u and g lie side by side in ug. u becomes u + bias, g its
     * sigmoid, out = x0 * u * g + x: a gated cross layer (Wang et al., CIKM
     * 2023, doi:10.1145/3583780.3615089, eq. 2). */
    void (*gated_forward)(const float *x0, const float *x, float *ug,
        const float *bias, float *out, size_t rows, size_t cols);
    /* From d out: dug [rows][2 cols], and dx0 += dout * u * g. */
    void (*gated_backward)(const float *x0, const float *ug, const float *dout,
        float *dug, float *dx0, size_t rows, size_t cols);
    /* Row by row f and h lie side by side in fh, both get their bias, and
     * out = f * h + h: a factorised interaction layer (Zhu et al., SIGIR 2023,
     * doi:10.1145/3539618.3591988), which doubles the order of its input. */
    void (*factor_forward)(
        float *fh, const float *bias, float *out, size_t rows, size_t cols);
    /* From d out: dfh [rows][2 cols]. */
    void (*factor_backward)(const float *fh, const float *dout, float *dfh,
        size_t rows, size_t cols);
    /* Rows of `fields` vectors of np floats: g_i = bias_i + sum of
     * weight_ij x_j, out = g * x (the same paper's field gate). */
    void (*gate_forward)(const float *x, const float *weight, const float *bias,
        float *g, float *out, size_t rows, size_t fields, size_t np);
    /* From dx = d out: dx becomes that of x; dweight and dbias are set.
     * t: room for one row. */
    void (*gate_backward)(const float *x, const float *g, const float *weight,
        float *dx, float *dweight, float *dbias, float *t, size_t rows,
        size_t fields, size_t np);
    /* out[r][c] = a[r] * b[c] */
    void (*outer)(
        const float *a, const float *b, size_t rows, size_t cols, float *out);
    /* y += a * x */
    void (*axpy)(float a, const float *x, float *y, size_t n);
};

/* The best one for this machine. */
const struct kern *kern_get(void);
/* All that run here, NULL-terminated, for tests. */
const struct kern *const *kern_all(void);

static inline uint32_t
round_up(uint32_t n, uint32_t to)
{
    return (n + to - 1) / to * to;
}

#endif
