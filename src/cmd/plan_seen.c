/* Earlier results of the same model for a new plan. Called by rea plan. The
 * invariant: only results that can be compared enter: the same knobs and
 * domains, and one campaign's, taken against its own run of what is the
 * baseline now. */
#include "cmd/draft.h"

#include <stdlib.h>
#include <string.h>

/* The last campaign of this model that came to its end; 0: none. */
static int
ended_last(struct store *st, const char *model, uint32_t *id, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    *id = 0;
    int rc = store_campaigns(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (strcmp(v[i].model, model) == 0 &&
            v[i].brief.state > CAMPAIGN_HALTED)
            *id = v[i].id;
    free(v);
    return rc;
}

/* Do codes of one mean the same in the other? */
static bool
knobs_same(const struct spec *a, const struct spec *b)
{
    if (a->n_knobs != b->n_knobs)
        return false;
    for (uint32_t k = 0; k < a->n_knobs; k++) {
        const struct knob *x = &a->knob[k], *y = &b->knob[k];
        if (strcmp(x->name, y->name) != 0 || x->kind != y->kind ||
            x->n_values != y->n_values)
            return false;
        for (uint32_t v = 0; v < x->n_values; v++)
            if (strcmp(x->values[v], y->values[v]) != 0)
                return false;
    }
    const struct metric *m = &a->metric[a->primary];
    return strcmp(m->name, b->metric[b->primary].name) == 0;
}

static double
gain_of(const struct core *c, uint32_t experiment, bool *known)
{
    struct effect x = {0};
    *known = experiment == 0 || analysis_effect(c, experiment, &x);
    return x.raw;
}

static void
seen_fill(struct call *call, const struct core *c, const struct spec *s,
    struct draft_seen *out)
{
    struct config now, *config;
    double base = 0, *gain;
    bool known = false;
    config_default(s, &now);
    config_canon(s, &now);
    config = arena_alloc(call->arena, (c->n_experiments + 1) * sizeof *config);
    gain = arena_alloc(call->arena, (c->n_experiments + 1) * sizeof *gain);
    for (uint32_t e = 0; e < c->n_experiments && !known; e++)
        if (config_equal(s, &c->experiment[e].config, &now))
            base = gain_of(c, e, &known);
    for (uint32_t e = 0; e < c->n_experiments && known; e++) {
        bool measured;
        double g = gain_of(c, e, &measured);
        if (!measured || c->experiment[e].config.patches != 0 ||
            config_equal(s, &c->experiment[e].config, &now))
            continue;
        config[out->n] = c->experiment[e].config;
        gain[out->n++] = g - base;
    }
    out->config = config;
    out->gain = gain;
}

int
plan_seen(struct call *call, struct store *st, const struct spec *s,
    struct draft_seen *out, struct err *err)
{
    struct core *c = NULL;
    uint32_t id;
    memset(out, 0, sizeof *out);
    int rc = ended_last(st, s->model, &id, err);
    if (rc != 0 || id == 0)
        return rc;
    rc = store_load(st, id, &c, err);
    if (rc == 0 && c->n_experiments > 0 && knobs_same(s, &c->spec))
        seen_fill(call, c, s, out);
    free(c);
    return rc;
}
