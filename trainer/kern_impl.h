/* Bodies of the inner loops. kern.c includes this file once for each
 * instruction set, with KERN(x) as the name, TARGET as the attribute and
 * KERN_AVX2 where there are 8-float registers. Plain vector types, so that gcc
 * and clang give the same loops. Nothing here allocates or fails. */

static inline TARGET void
KERN(root)(v8 *x)
{
#ifdef KERN_AVX2
    *x = (v8)_mm256_sqrt_ps((__m256)*x);
#else
    for (int i = 0; i < 8; i++)
        (*x)[i] = sqrtf((*x)[i]);
#endif
}

static inline TARGET float
KERN(total)(const v8 *x)
{
    v8 s = *x;
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* 1 / (1 + exp(-z)): exp by 2^n times a polynomial of degree 6 (relative error
 * below 2e-7, as far as float goes). */
static inline TARGET void
KERN(logistic)(v8 *z)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds */
    v8 x = -*z;
    const v8 cap = {87, 87, 87, 87, 87, 87, 87, 87};
    v8i hi = x > cap, lo = x < -cap;
    x = (v8)(((v8i)x & ~(hi | lo)) | ((v8i)cap & hi) | ((v8i)-cap & lo));
    v8 t = x * 1.44269504f + magic;
    v8i n = (v8i)t << 23;
    v8 r = t - magic;
    r = (x - r * 0.693359375f) - r * -2.12194440e-4f;
    v8 e = r * 1.9875691500e-4f + 1.3981999507e-3f;
    e = e * r + 8.3334519073e-3f;
    e = e * r + 4.1665795894e-2f;
    e = e * r + 1.6666665459e-1f;
    e = e * r + 5.0000001201e-1f;
    e = e * r * r + r + 1.0f;
    e = (v8)((v8i)e + n);
    *z = 1.0f / (1.0f + e);
}

static TARGET void
KERN(linear_forward)(const struct batch *b, const struct table *w, float *z)
{
    for (uint32_t r = 0; r < b->rows; r++) {
        float sum = 0;
        for (uint32_t i = b->offset[r]; i < b->offset[r + 1]; i++)
            sum += w->mem[(size_t)b->id[i] * w->stride] * b->value[i];
        z[r] += sum;
    }
}

static TARGET void
KERN(linear_backward)(const struct batch *b, struct table *w, const float *dz)
{
    for (uint32_t r = 0; r < b->rows; r++) {
        for (uint32_t i = b->offset[r]; i < b->offset[r + 1]; i++)
            w->grad[b->slot[i]] += dz[r] * b->value[i];
    }
}

static inline TARGET const float *
KERN(row)(const struct batch *b, const struct table *v, uint32_t i)
{
    return v->mem + (size_t)b->id[i] * v->stride;
}

static TARGET void
KERN(fm_forward)(
    const struct batch *b, const struct table *v, float *sum, float *z)
{
    uint32_t np = v->np;
    for (uint32_t r = 0; r < b->rows; r++) {
        uint32_t from = b->offset[r], to = b->offset[r + 1];
        v8 all = {0};
        for (uint32_t k = 0; k < np; k += 8) {
            v8 s = {0}, q = {0};
            for (uint32_t i = from; i < to; i++) {
                v8 x = LOAD(KERN(row)(b, v, i) + k) * b->value[i];
                s += x;
                q += x * x;
            }
            STORE(sum + (size_t)r * np + k, s);
            all += s * s - q;
        }
        z[r] += 0.5f * KERN(total)(&all);
    }
}

static TARGET void
KERN(fm_backward)(
    const struct batch *b, struct table *v, const float *sum, const float *dz)
{
    uint32_t np = v->np;
    for (uint32_t r = 0; r < b->rows; r++) {
        const float *s = sum + (size_t)r * np;
        for (uint32_t i = b->offset[r]; i < b->offset[r + 1]; i++) {
            const float *p = KERN(row)(b, v, i);
            float *g = v->grad + (size_t)b->slot[i] * np;
            float x = b->value[i], a = dz[r] * x;
            for (uint32_t k = 0; k < np; k += 8)
                STORE(g + k, LOAD(g + k) + a * (LOAD(s + k) - LOAD(p + k) * x));
        }
    }
}

static TARGET void
KERN(ffm_forward)(
    const struct batch *b, const struct table *v, uint32_t dim4, float *z)
{
    for (uint32_t r = 0; r < b->rows; r++) {
        uint32_t from = b->offset[r], to = b->offset[r + 1];
        v4 all = {0};
        for (uint32_t i = from; i < to; i++) {
            const float *pi = KERN(row)(b, v, i);
            size_t fi = (size_t)b->field[i] * dim4;
            for (uint32_t j = i + 1; j < to; j++) {
                const float *a = pi + (size_t)b->field[j] * dim4;
                const float *c = KERN(row)(b, v, j) + fi;
                float x = b->value[i] * b->value[j];
                for (uint32_t k = 0; k < dim4; k += 4)
                    all += LOAD4(a + k) * LOAD4(c + k) * x;
            }
        }
        z[r] += (all[0] + all[2]) + (all[1] + all[3]);
    }
}

static TARGET void
KERN(ffm_backward)(
    const struct batch *b, struct table *v, uint32_t dim4, const float *dz)
{
    size_t np = v->np;
    for (uint32_t r = 0; r < b->rows; r++) {
        uint32_t from = b->offset[r], to = b->offset[r + 1];
        for (uint32_t i = from; i < to; i++) {
            size_t fi = (size_t)b->field[i] * dim4;
            const float *pi = KERN(row)(b, v, i);
            float *gi = v->grad + b->slot[i] * np;
            for (uint32_t j = i + 1; j < to; j++) {
                size_t fj = (size_t)b->field[j] * dim4;
                const float *pj = KERN(row)(b, v, j) + fi;
                float *gj = v->grad + b->slot[j] * np + fi;
                float x = dz[r] * b->value[i] * b->value[j];
                for (uint32_t k = 0; k < dim4; k += 4) {
                    v4 a = LOAD4(pi + fj + k), c = LOAD4(pj + k);
                    STORE4(gi + fj + k, LOAD4(gi + fj + k) + x * c);
                    STORE4(gj + k, LOAD4(gj + k) + x * a);
                }
            }
        }
    }
}

static TARGET void
KERN(embed_forward)(const struct batch *b, const struct table *v, float *x)
{
    size_t np = v->np, width = np * b->fields;
    for (uint32_t r = 0; r < b->rows; r++) {
        float *to = x + r * width;
        if (!b->is_onehot)
            memset(to, 0, width * sizeof *to);
        for (uint32_t i = b->offset[r]; i < b->offset[r + 1]; i++) {
            const float *p = KERN(row)(b, v, i);
            float *at = to + np * b->field[i];
            float a = b->value[i];
            for (size_t k = 0; k < np; k += 8) {
                v8 e = LOAD(p + k) * a;
                if (!b->is_onehot)
                    e += LOAD(at + k);
                STORE(at + k, e);
            }
        }
    }
}

static TARGET void
KERN(embed_backward)(const struct batch *b, struct table *v, const float *dx)
{
    size_t np = v->np, width = np * b->fields;
    for (uint32_t r = 0; r < b->rows; r++) {
        for (uint32_t i = b->offset[r]; i < b->offset[r + 1]; i++) {
            const float *from = dx + r * width + np * b->field[i];
            float *g = v->grad + b->slot[i] * np;
            float a = b->value[i];
            for (size_t k = 0; k < np; k += 8)
                STORE(g + k, LOAD(g + k) + a * LOAD(from + k));
        }
    }
}

static inline TARGET void
KERN(adagrad)(
    float *p, const float *g, float *m, size_t n, const struct step *s)
{
    for (size_t k = 0; k < n; k += 8) {
        v8 x = LOAD(p + k);
        v8 d = LOAD(g + k) + s->l2 * x;
        v8 a = LOAD(m + k) + d * d;
        STORE(m + k, a);
        KERN(root)(&a);
        STORE(p + k, x - s->lr * d / (a + s->eps));
    }
}

static inline TARGET void
KERN(adam)(float *p, const float *g, float *m, float *v, size_t n,
    const struct step *s)
{
    for (size_t k = 0; k < n; k += 8) {
        v8 x = LOAD(p + k);
        v8 d = LOAD(g + k) + s->l2 * x;
        v8 a = s->beta1 * LOAD(m + k) + (1 - s->beta1) * d;
        v8 q = s->beta2 * LOAD(v + k) + (1 - s->beta2) * d * d;
        STORE(m + k, a);
        STORE(v + k, q);
        KERN(root)(&q);
        STORE(p + k, x - s->lr * a / (q + s->eps));
    }
}

static inline TARGET void
KERN(sgd)(float *p, const float *g, size_t n, const struct step *s)
{
    for (size_t k = 0; k < n; k += 8) {
        v8 x = LOAD(p + k);
        STORE(p + k, x - s->lr * (LOAD(g + k) + s->l2 * x));
    }
}

/* One accumulator a row: the mean square of its gradient (as in FBGEMM and
 * DLRM; Naumov et al., arXiv:1906.00091). */
static inline TARGET void
KERN(rowwise)(
    float *p, const float *g, float *m, size_t n, const struct step *s)
{
    v8 squares = {0};
    for (size_t k = 0; k < n; k += 8) {
        v8 d = LOAD(g + k) + s->l2 * LOAD(p + k);
        squares += d * d;
    }
    m[0] += KERN(total)(&squares) / (float)n;
    float rate = s->lr / (sqrtf(m[0]) + s->eps);
    for (size_t k = 0; k < n; k += 8) {
        v8 x = LOAD(p + k);
        STORE(p + k, x - rate * (LOAD(g + k) + s->l2 * x));
    }
}

/* First-order weights: rows of one value. */
static inline TARGET void
KERN(scalar_update)(float *p, float g, const struct step *s)
{
    float d = g + s->l2 * p[0];
    switch (s->kind) {
    case OPT_SGD:
        p[0] -= s->lr * d;
        break;
    case OPT_ADAGRAD:
    case OPT_ROWWISE:
        p[1] += d * d;
        p[0] -= s->lr * d / (sqrtf(p[1]) + s->eps);
        break;
    case OPT_ADAM:
        p[1] = s->beta1 * p[1] + (1 - s->beta1) * d;
        p[2] = s->beta2 * p[2] + (1 - s->beta2) * d * d;
        p[0] -= s->lr * p[1] / (sqrtf(p[2]) + s->eps);
        break;
    }
}

static TARGET void
KERN(rows_update)(const struct batch *b, struct table *t, const struct step *s)
{
    size_t np = t->np;
    for (uint32_t i = 0; i < b->slots; i++) {
        float *p = t->mem + (size_t)b->slot_id[i] * t->stride;
        float *g = t->grad + i * np;
        if (np == 1) {
            KERN(scalar_update)(p, g[0], s);
            g[0] = 0;
            continue;
        }
        if (s->kind == OPT_SGD)
            KERN(sgd)(p, g, np, s);
        else if (s->kind == OPT_ADAGRAD)
            KERN(adagrad)(p, g, p + np, np, s);
        else if (s->kind == OPT_ADAM)
            KERN(adam)(p, g, p + np, p + 2 * np, np, s);
        else
            KERN(rowwise)(p, g, p + np, np, s);
        memset(g, 0, np * sizeof *g);
    }
}

static TARGET void
KERN(dense_update)(float *p, const float *g, float *m, float *v, size_t n,
    const struct step *s)
{
    if (s->kind == OPT_SGD)
        KERN(sgd)(p, g, n, s);
    else if (s->kind == OPT_ADAM)
        KERN(adam)(p, g, m, v, n, s);
    else
        KERN(adagrad)(p, g, m, n, s);
}

static TARGET void
KERN(sigmoid)(const float *z, float *p, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        v8 x = LOAD(z + i);
        KERN(logistic)(&x);
        STORE(p + i, x);
    }
}

/* log(1 + exp(-|z|)) in place: exp by logistic's identity is not exact enough
 * near 0, so e = p / (1 - p) of -|z|, then the logarithm of 1 + e in [1, 2] by
 * the polynomial of Cephes' logf. */
static inline TARGET void
KERN(softplus)(v8 *z)
{
    const v8 root = {1.41421356f, 1.41421356f, 1.41421356f, 1.41421356f,
        1.41421356f, 1.41421356f, 1.41421356f, 1.41421356f};
    const v8 ln2 = {0.69314718f, 0.69314718f, 0.69314718f, 0.69314718f,
        0.69314718f, 0.69314718f, 0.69314718f, 0.69314718f};
    v8 e = (v8)((v8i)*z | INT32_MIN); /* -|z| */
    KERN(logistic)(&e);
    e = e / (1.0f - e);
    v8i big = 1.0f + e > root;
    v8 half = 0.5f * e - 0.5f; /* (1 + e) / 2 - 1 */
    v8 x = (v8)(((v8i)half & big) | ((v8i)e & ~big));
    v8 y = x * 7.0376836292e-2f - 1.1514610310e-1f;
    y = y * x + 1.1676998740e-1f;
    y = y * x - 1.2420140846e-1f;
    y = y * x + 1.4249322787e-1f;
    y = y * x - 1.6668057665e-1f;
    y = y * x + 2.0000714765e-1f;
    y = y * x - 2.4999993993e-1f;
    y = y * x + 3.3333331174e-1f;
    y = y * x * x * x - 0.5f * x * x + x;
    *z = y + (v8)((v8i)ln2 & big);
}

static TARGET double
KERN(logloss)(const float *z, const float *label, const float *p, float *dz,
    size_t n, float smooth, float scale)
{
    const v8 zero = {0};
    const v8i lane = {0, 1, 2, 3, 4, 5, 6, 7};
    double sum = 0;
    for (size_t i = 0; i < n; i += 8) {
        v8 x = LOAD(z + i), y = LOAD(label + i);
        y = y * (1 - smooth) + 0.5f * smooth;
        v8i real = lane < (int32_t)(n - i < 8 ? n - i : 8);
        v8 g = scale * (LOAD(p + i) - y);
        STORE(dz + i, LOAD(dz + i) + (v8)((v8i)g & real));
        v8 loss = (v8)((v8i)x & (x > zero)) - x * y;
        KERN(softplus)(&x);
        loss = (v8)((v8i)(loss + x) & real);
        sum += (double)KERN(total)(&loss);
    }
    return sum;
}

/* All ones where element i..i+7 is kept. Counter-based: a hash of position and
 * seed ("lowbias32", C. Wellons), so that no state must be kept or saved. */
static inline TARGET void
KERN(keep)(uint32_t i, const struct dropout *d, v8i *mask)
{
    const v8u lane = {0, 1, 2, 3, 4, 5, 6, 7};
    v8u h = (lane + i) * 0x9e3779b9u + d->seed;
    h ^= h >> 16;
    h *= 0x7feb352du;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    h ^= h >> 16;
    *mask = (v8i)(h >> 1) >= (int32_t)(d->rate * 2147483648.0f);
}

static TARGET void
KERN(relu_forward)(float *x, const float *bias, size_t rows, size_t cols,
    const struct dropout *d)
{
    const v8 zero = {0};
    float scale = 1 / (1 - d->rate);
    for (size_t r = 0; r < rows; r++) {
        float *p = x + r * cols;
        for (size_t k = 0; k < cols; k += 8) {
            v8 a = LOAD(p + k);
            if (bias != NULL)
                a += LOAD(bias + k);
            v8i on = a > zero;
            if (d->rate > 0) {
                v8i mask;
                KERN(keep)((uint32_t)(r * cols + k), d, &mask);
                on &= mask;
                a *= scale;
            }
            STORE(p + k, (v8)((v8i)a & on));
        }
    }
}

static TARGET void
KERN(relu_backward)(
    float *dx, const float *a, size_t n, const struct dropout *d)
{
    const v8 zero = {0};
    float scale = 1 / (1 - d->rate);
    for (size_t i = 0; i < n; i += 8) {
        v8i on = LOAD(a + i) > zero;
        STORE(dx + i, (v8)((v8i)(LOAD(dx + i) * scale) & on));
    }
}

static TARGET void
KERN(dropout_apply)(float *x, size_t n, const struct dropout *d)
{
    float scale = 1 / (1 - d->rate);
    for (size_t i = 0; i < n; i += 8) {
        v8i mask;
        KERN(keep)((uint32_t)i, d, &mask);
        STORE(x + i, (v8)((v8i)(LOAD(x + i) * scale) & mask));
    }
}

static TARGET void
KERN(column_sum)(const float *x, size_t rows, size_t cols, float *out)
{
    memset(out, 0, cols * sizeof *out);
    for (size_t r = 0; r < rows; r++) {
        const float *p = x + r * cols;
        for (size_t k = 0; k < cols; k += 8)
            STORE(out + k, LOAD(out + k) + LOAD(p + k));
    }
}

static TARGET void
KERN(cross_forward)(const float *x0, const float *x, float *u,
    const float *bias, float *out, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        size_t at = r * cols;
        for (size_t k = 0; k < cols; k += 8) {
            v8 t = LOAD(u + at + k) + LOAD(bias + k);
            STORE(u + at + k, t);
            STORE(out + at + k, LOAD(x0 + at + k) * t + LOAD(x + at + k));
        }
    }
}

static TARGET void
KERN(cross_backward)(const float *x0, const float *u, const float *dout,
    float *du, float *dx0, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        v8 d = LOAD(dout + i);
        STORE(du + i, d * LOAD(x0 + i));
        STORE(dx0 + i, LOAD(dx0 + i) + d * LOAD(u + i));
    }
}

static TARGET void
KERN(gated_forward)(const float *x0, const float *x, float *ug,
    const float *bias, float *out, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        float *u = ug + 2 * r * cols, *g = u + cols;
        size_t at = r * cols;
        for (size_t k = 0; k < cols; k += 8) {
            v8 t = LOAD(u + k) + LOAD(bias + k), s = LOAD(g + k);
            STORE(u + k, t);
            KERN(logistic)(&s);
            STORE(g + k, s);
            STORE(out + at + k, LOAD(x0 + at + k) * (t * s) + LOAD(x + at + k));
        }
    }
}

static TARGET void
KERN(gated_backward)(const float *x0, const float *ug, const float *dout,
    float *dug, float *dx0, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        const float *u = ug + 2 * r * cols, *g = u + cols;
        float *du = dug + 2 * r * cols, *dg = du + cols;
        size_t at = r * cols;
        for (size_t k = 0; k < cols; k += 8) {
            v8 d = LOAD(dout + at + k), t = LOAD(u + k), s = LOAD(g + k);
            v8 dt = d * LOAD(x0 + at + k) * s;
            STORE(du + k, dt);
            STORE(dg + k, dt * t * (1.0f - s));
            STORE(dx0 + at + k, LOAD(dx0 + at + k) + d * t * s);
        }
    }
}

static TARGET void
KERN(factor_forward)(
    float *fh, const float *bias, float *out, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        float *f = fh + 2 * r * cols, *h = f + cols;
        for (size_t k = 0; k < cols; k += 8) {
            v8 a = LOAD(f + k) + LOAD(bias + k);
            v8 b = LOAD(h + k) + LOAD(bias + cols + k);
            STORE(f + k, a);
            STORE(h + k, b);
            STORE(out + r * cols + k, a * b + b);
        }
    }
}

static TARGET void
KERN(factor_backward)(
    const float *fh, const float *dout, float *dfh, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        const float *f = fh + 2 * r * cols, *h = f + cols;
        float *df = dfh + 2 * r * cols, *dh = df + cols;
        for (size_t k = 0; k < cols; k += 8) {
            v8 d = LOAD(dout + r * cols + k);
            STORE(df + k, d * LOAD(h + k));
            STORE(dh + k, d * (LOAD(f + k) + 1.0f));
        }
    }
}

static TARGET void
KERN(gate_forward)(const float *x, const float *weight, const float *bias,
    float *g, float *out, size_t rows, size_t fields, size_t np)
{
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * fields * np;
        for (size_t i = 0; i < fields; i++) {
            const float *w = weight + i * fields;
            size_t at = (r * fields + i) * np;
            for (size_t k = 0; k < np; k += 8) {
                v8 s = {0};
                for (size_t j = 0; j < fields; j++)
                    s += w[j] * LOAD(row + j * np + k);
                s += bias[i];
                STORE(g + at + k, s);
                STORE(out + at + k, s * LOAD(row + i * np + k));
            }
        }
    }
}

/* One row: with d = dout * x of field i, dx_i = dout * g and every
 * dx_j += weight_ij d. t: what is d for all fields. */
static inline TARGET void
KERN(gate_row)(const float *x, const float *weight, const float *t, float *dx,
    float *dweight, float *dbias, size_t fields, size_t np)
{
    for (size_t i = 0; i < fields; i++) {
        v8 all = {0};
        for (size_t k = 0; k < np; k += 8)
            all += LOAD(t + i * np + k);
        dbias[i] += KERN(total)(&all);
        for (size_t j = 0; j < fields; j++) {
            float w = weight[i * fields + j];
            v8 s = {0};
            for (size_t k = 0; k < np; k += 8) {
                v8 d = LOAD(t + i * np + k);
                s += d * LOAD(x + j * np + k);
                STORE(dx + j * np + k, LOAD(dx + j * np + k) + w * d);
            }
            dweight[i * fields + j] += KERN(total)(&s);
        }
    }
}

static TARGET void
KERN(gate_backward)(const float *x, const float *g, const float *weight,
    float *dx, float *dweight, float *dbias, float *t, size_t rows,
    size_t fields, size_t np)
{
    size_t width = fields * np;
    memset(dweight, 0, fields * fields * sizeof *dweight);
    memset(dbias, 0, fields * sizeof *dbias);
    for (size_t r = 0; r < rows; r++) {
        size_t at = r * width;
        for (size_t k = 0; k < width; k += 8) {
            v8 d = LOAD(dx + at + k);
            STORE(t + k, d * LOAD(x + at + k));
            STORE(dx + at + k, d * LOAD(g + at + k));
        }
        KERN(gate_row)
        (x + at, weight, t, dx + at, dweight, dbias, fields, np);
    }
}

static TARGET void
KERN(outer)(
    const float *a, const float *b, size_t rows, size_t cols, float *out)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t k = 0; k < cols; k += 8)
            STORE(out + r * cols + k, a[r] * LOAD(b + k));
    }
}

static TARGET void
KERN(axpy)(float a, const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        STORE(y + i, LOAD(y + i) + a * LOAD(x + i));
}

static const struct kern KERN(table) = {
    .name = KERN_LABEL,
    .linear_forward = KERN(linear_forward),
    .linear_backward = KERN(linear_backward),
    .fm_forward = KERN(fm_forward),
    .fm_backward = KERN(fm_backward),
    .ffm_forward = KERN(ffm_forward),
    .ffm_backward = KERN(ffm_backward),
    .embed_forward = KERN(embed_forward),
    .embed_backward = KERN(embed_backward),
    .rows_update = KERN(rows_update),
    .dense_update = KERN(dense_update),
    .sigmoid = KERN(sigmoid),
    .logloss = KERN(logloss),
    .relu_forward = KERN(relu_forward),
    .relu_backward = KERN(relu_backward),
    .dropout_apply = KERN(dropout_apply),
    .column_sum = KERN(column_sum),
    .cross_forward = KERN(cross_forward),
    .cross_backward = KERN(cross_backward),
    .gated_forward = KERN(gated_forward),
    .gated_backward = KERN(gated_backward),
    .factor_forward = KERN(factor_forward),
    .factor_backward = KERN(factor_backward),
    .gate_forward = KERN(gate_forward),
    .gate_backward = KERN(gate_backward),
    .outer = KERN(outer),
    .axpy = KERN(axpy),
};
