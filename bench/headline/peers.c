/* The arms that are not rea. Each runs the shipped defaults first, then spends
 * the rest its own way, may finish the run in which its seconds end, and names
 * the configuration with the best value it observed: the usual practice. */
#include "arms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "server.h"
#include "train.h"

struct search {
    const struct arm_run *r;
    const struct spec *spec;
    struct rng rng;
    struct server server;
    bool optuna;
    struct config best;
    double best_value; /* + is better */
};

/* ---- a step of each kind ---- */

double
knob_draw(const struct knob *k, struct rng *r)
{
    switch (k->kind) {
    case KNOB_FLOAT:
    case KNOB_INT:
        return knob_from_unit(k, rng_f64(r));
    case KNOB_BOOL:
        return (double)rng_below(r, 2);
    case KNOB_SET:
        return (double)rng_below(r, UINT64_C(1) << k->n_values);
    default:
        return (double)rng_below(r, k->n_values);
    }
}

static void
random_next(struct search *s, struct config *out)
{
    do {
        config_default(s->spec, out);
        for (uint32_t k = 0; k < s->spec->n_knobs; k++)
            out->v[k] = knob_draw(&s->spec->knob[k], &s->rng);
        config_canon(s->spec, out);
    } while (!config_is_valid(s->spec, out));
}

/* One random knob of the best so far gets another value. */
static void
greedy_next(struct search *s, struct config *out)
{
    do {
        *out = s->best;
        uint32_t k = (uint32_t)rng_below(&s->rng, s->spec->n_knobs);
        if (!knob_is_active(s->spec, out, k))
            continue;
        out->v[k] = knob_draw(&s->spec->knob[k], &s->rng);
        config_canon(s->spec, out);
    } while (
        config_equal(s->spec, out, &s->best) || !config_is_valid(s->spec, out));
}

static int
next_config(
    struct search *s, uint32_t trial, struct config *out, struct err *err)
{
    if (s->optuna)
        return server_ask(&s->server, s->spec, out, err);
    config_default(s->spec, out);
    config_canon(s->spec, out);
    if (trial == 0)
        return 0;
    if (strcmp(s->r->arm, "greedy") == 0)
        greedy_next(s, out);
    else
        random_next(s, out);
    return 0;
}

/* ---- the loop ---- */

static double
signed_value(const struct task *t, double x)
{
    return t->minimise ? -x : x;
}

static bool
watch_prune(void *ctx, uint32_t step, double valid)
{
    struct search *s = ctx;
    return server_report(&s->server, step, signed_value(s->r->t, valid));
}

static int
trial_run(struct search *s, struct arm_result *out, struct err *err)
{
    const struct arm_run *r = s->r;
    struct config c = {0};
    struct train_result x;
    bool prunes = s->optuna && strcmp(r->arm, "tpe") != 0;
    int rc = next_config(s, out->trials, &c, err);
    int32_t seed = (int32_t)(1 + rng_below(&s->rng, 1000000));
    if (rc == 0)
        rc = train_run(r->a, r->t, r->project, &c, seed,
            prunes ? watch_prune : NULL, s, &x, err);
    if (rc != 0)
        return rc;
    double value = x.ok ? signed_value(r->t, x.valid) : (double)NAN;
    out->trials++;
    out->spent_s += x.cpu_s;
    out->failed += !x.ok && !x.pruned;
    out->pruned += x.pruned;
    if (x.ok && !(value <= s->best_value)) {
        s->best_value = value;
        s->best = c;
    }
    return s->optuna ? server_tell(&s->server, value, x.pruned, err) : 0;
}

int
peer_run(const struct arm_run *r, struct arm_result *out, struct err *err)
{
    struct search s = {.r = r,
        .spec = &r->project->spec,
        .best_value = (double)NAN,
        .optuna = strncmp(r->arm, "tpe", 3) == 0};
    uint64_t name = 0;
    for (const char *at = r->arm; *at != '\0'; at++)
        name = name * 31 + (unsigned char)*at;
    rng_seed2(&s.rng, r->seed, name);
    config_default(s.spec, &s.best);
    config_canon(s.spec, &s.best);
    int rc = 0;
    if (s.optuna)
        rc = server_start(&s.server, r->p, s.spec, r->arm, r->seed, err);
    while (rc == 0 && out->spent_s < r->t->budget_s)
        rc = trial_run(&s, out, err);
    if (s.optuna)
        server_stop(&s.server);
    out->config = s.best;
    out->proposed = true;
    out->valid = signed_value(r->t, s.best_value);
    return rc;
}
