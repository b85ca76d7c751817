/* A made-up trainer for the recorded backend: metrics are a base, effects of
 * knobs, effects of pairs of them, and noise of the seed. The file's world
 * names them; the built-in one gives every knob a small smooth effect made
 * from its name, so that any project file has something to find. */
#include "jobs/recorded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"

enum { STEPS_MAX = 1000 };

struct world {
    const struct json *json;  /* NULL: the built-in world */
    const struct json *knobs; /* NULL: none are known */
    uint64_t seed;            /* of the job */
};

static uint64_t
text_hash(uint64_t h, const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    return rng_mix(h, 0x5eed);
}

static double
uniform_of(uint64_t h)
{
    struct rng r;
    rng_seed(&r, h);
    return rng_f64(&r);
}

static bool
knob_is(const struct json *have, const struct json *want)
{
    if (have == NULL || want == NULL)
        return false;
    if (json_is_num(have) && json_is_num(want))
        return fabs(json_num(have, 0) - json_num(want, 0)) <=
               1e-9 * fabs(json_num(want, 0));
    struct buf a = {0}, b = {0};
    json_dump(have, &a);
    json_dump(want, &b);
    bool same = strcmp(buf_str(&a), buf_str(&b)) == 0;
    buf_fini(&a);
    buf_fini(&b);
    return same;
}

static const struct json *
knob_of(const struct world *w, const struct json *at)
{
    const char *name = json_get_str(at, "knob");
    return name == NULL ? NULL : json_get(w->knobs, name);
}

/* {"knob", "value", "gain"}: a step; {"knob", "slope"}: a line;
 * {"knob", "best", "curve"}: a parabola; "log": over decades. */
static double
effect_of(const struct world *w, const struct json *e)
{
    const struct json *have = knob_of(w, e);
    if (have == NULL)
        return 0;
    if (json_get(e, "value") != NULL)
        return knob_is(have, json_get(e, "value")) ? json_get_num(e, "gain", 0)
                                                   : 0;
    double x = json_num(have, 0), best = json_get_num(e, "best", 0);
    if (json_get_bool(e, "log", false)) {
        x = log10(fmax(x, 1e-300));
        best = best > 0 ? log10(best) : best;
    }
    if (json_get(e, "slope") != NULL)
        return json_get_num(e, "slope", 0) * x;
    return json_get_num(e, "curve", 0) * (x - best) * (x - best);
}

static double
pair_of(const struct world *w, const struct json *p)
{
    const struct json *a = json_get(p, "a"), *b = json_get(p, "b");
    if (knob_is(knob_of(w, a), json_get(a, "value")) &&
        knob_is(knob_of(w, b), json_get(b, "value")))
        return json_get_num(p, "gain", 0);
    return 0;
}

/* Up to +-.002 a knob, smooth in numbers, by value in words. */
static double
builtin_effect(const char *name, const struct json *v)
{
    uint64_t h = text_hash(1469598103934665603u, name);
    double height = 0.002 * uniform_of(h);
    if (json_kind(v) == J_INT || json_kind(v) == J_REAL) {
        double x = log10(fabs(json_num(v, 0)) + 1e-6);
        return height * cos(1.1 * x + 6.28 * uniform_of(rng_mix(h, 1)));
    }
    struct buf text = {0};
    json_dump(v, &text);
    double u = uniform_of(text_hash(h, buf_str(&text)));
    buf_fini(&text);
    return height * (2 * u - 1);
}

/* What the configuration is worth; + is better. */
static double
gain_of(const struct world *w)
{
    double sum = 0;
    const char *name;
    const struct json *m;
    if (w->json == NULL) {
        for (size_t i = 0; (m = json_member(w->knobs, i, &name)) != NULL; i++)
            sum += builtin_effect(name, m);
        return sum;
    }
    const struct json *effects = json_get(w->json, "effects");
    for (size_t i = 0; i < json_len(effects); i++)
        sum += effect_of(w, json_at(effects, i));
    const struct json *pairs = json_get(w->json, "pairs");
    for (size_t i = 0; i < json_len(pairs); i++)
        sum += pair_of(w, json_at(pairs, i));
    return sum;
}

struct world_metric {
    const char *key;
    double base, scale, sd;
};

static double
metric_value(const struct world *w, const struct world_metric *m, double gain)
{
    struct rng r;
    rng_seed2(&r, w->seed, text_hash(7, m->key));
    return m->base + m->scale * gain + m->sd * rng_normal(&r);
}

/* Metrics of the world, or one for each source that the project reads. */
static uint32_t
metrics_of(const struct world *w, const struct harvest_spec *watch,
    struct world_metric out[METRICS_MAX])
{
    uint32_t n = 0;
    const struct json *list = json_get(w->json, "metrics"), *m;
    const char *key;
    for (size_t i = 0;
         n < METRICS_MAX && (m = json_member(list, i, &key)) != NULL; i++)
        out[n++] = (struct world_metric){key, json_get_num(m, "base", 0.75),
            json_get_num(m, "scale", 1), json_get_num(m, "sd", 0.0003)};
    for (uint32_t i = 0; list == NULL && watch != NULL && i < watch->n; i++) {
        const struct metric_source *s = &watch->source[i];
        if (s->from != FROM_JSONL && s->from != FROM_CSV)
            continue;
        bool min = s->goal == GOAL_MIN;
        out[n++] = (struct world_metric){
            s->key, min ? 0.45 : 0.75, min ? -1 : 1, 0.0003};
    }
    return n;
}

static void
line_put(struct buf *out, int64_t step, const struct world_metric *m,
    const double *value, uint32_t n, double behind)
{
    struct jw w;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "step", step);
    for (uint32_t i = 0; i < n; i++)
        jw_kf64(&w, m[i].key, value[i] - behind * m[i].scale);
    jw_obj_end(&w);
    buf_putc(out, '\n');
}

/* Fails as often as the world says, by a hash of configuration, seed and
 * attempt, so that a retry has a fresh chance and a replay none. */
static void
chance_fail(
    const struct world *w, const struct job_spec *spec, struct outcome *o)
{
    const struct json *list = json_get(w->json, "failures");
    const char *attempt = env_find(spec->envp, "REA_ATTEMPT");
    const char *trial = env_find(spec->envp, "REA_TRIAL");
    uint64_t h = text_hash(w->seed, trial == NULL ? "" : trial);
    double u = uniform_of(text_hash(h, attempt == NULL ? "" : attempt));
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *f = json_at(list, i);
        const char *name = json_get_str(f, "reason");
        u -= json_get_num(f, "rate", 0);
        if (u >= 0)
            continue;
        for (uint32_t r = 1; name != NULL && r < REASON_COUNT; r++) {
            if (strcmp(reason_name(r), name) == 0)
                o->reason = r;
        }
        o->exit_code = (int32_t)json_get_i64(f, "exit_code", 0);
        o->signal = (int32_t)json_get_i64(f, "signal", 0);
        if (json_get_str(f, "stderr") != NULL)
            buf_puts(&o->errors, json_get_str(f, "stderr"));
        buf_clear(&o->metrics);
        o->duration_ms /= 2;
        return;
    }
}

/* Who the job is within its campaign: the same in every workspace, which the
 * token is not. */
static uint64_t
identity_hash(const struct world *w, const struct job_spec *spec)
{
    static const char *const names[] = {
        "REA_CAMPAIGN", "REA_TRIAL", "REA_ATTEMPT"};
    uint64_t h = text_hash(w->seed, fs_base(spec->run_dir));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = env_find(spec->envp, names[i]);
        h = text_hash(h, text == NULL ? "" : text);
    }
    return h;
}

void
world_run(const struct json *json, const struct json *knobs,
    const struct job_spec *spec, struct outcome *out)
{
    const char *seed = env_find(spec->envp, "REA_SEED");
    struct world w = {json, knobs, seed == NULL ? 0 : strtoull(seed, NULL, 10)};
    struct world_metric m[METRICS_MAX];
    double value[METRICS_MAX];
    uint32_t n = metrics_of(&w, spec->watch, m);
    double gain = gain_of(&w);
    for (uint32_t i = 0; i < n; i++)
        value[i] = metric_value(&w, &m[i], gain);
    int64_t steps = json_get_i64(json, "steps", 3);
    steps = steps < 1 ? 1 : steps > STEPS_MAX ? STEPS_MAX : steps;
    for (int64_t s = 1; s <= steps; s++)
        line_put(&out->metrics, s, m, value, n,
            0.002 * (double)(steps - s) / (double)steps);
    out->reason = REASON_OK;
    out->checkpoint = json_get_bool(json, "checkpoint", true);
    /* Not all alike, so that jobs end one by one. */
    double jitter = json_get_num(json, "jitter", 0.2);
    double u = uniform_of(identity_hash(&w, spec));
    out->duration_ms =
        (int64_t)((double)json_get_i64(json, "duration_ms", 60000) *
                  (1 + jitter * u));
    chance_fail(&w, spec, out);
}
