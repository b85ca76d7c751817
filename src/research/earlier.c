/* Ideas from the configurations that earlier campaigns ended with: several
 * changes that gained together elsewhere are tried together here. Called by the
 * draft. A knob is found by its name, else by the concept that the row tells;
 * what this project cannot express is left out, and a number beyond the domain
 * is moved to its edge. Invariant: as of every candidate: valid, unlike the
 * baseline, once. */
#include "research/candidate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { ROWS_MAX = 10, ROWS_OF_ONE = 2 };
/* What a gain elsewhere is worth here: of changes that held on one data set
 * about half of the gain is seen on the next, and its spread is as large. */
static const double CARRIED = .5;

static int
knob_of_name(
    const struct spec *s, const struct json *concepts, const char *name)
{
    int k = spec_knob(s, name), found = -1;
    const char *concept = json_get_str(concepts, name);
    if (k >= 0 || concept == NULL || strcmp(concept, "none") == 0)
        return k;
    for (uint32_t i = 0; i < s->n_knobs; i++)
        if (strcmp(concept_name(s->knob[i].concept), concept) == 0) {
            if (found >= 0)
                return -1; /* two of them: which is meant cannot be told */
            found = (int)i;
        }
    return found;
}

static bool
value_of(const struct knob *k, const struct json *v, double *out)
{
    if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT) {
        double x = json_num(v, (double)NAN);
        if (!isfinite(x))
            return false;
        *out = fmin(fmax(x, k->lo), k->hi);
        return knob_accepts(k, *out);
    }
    if (k->kind == KNOB_BOOL) {
        *out = json_bool(v, false);
        return json_kind(v) == J_BOOL;
    }
    for (uint32_t i = 0; i < k->n_values && json_str(v) != NULL; i++)
        if (k->kind != KNOB_SET && strcmp(k->values[i], json_str(v)) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static void
change_read(const struct candidates *c, const char *text, struct candidate *x)
{
    const struct spec *s = c->spec;
    struct json *j = json_parse(text, strlen(text), NULL);
    const struct json *over = json_get(j, "overrides");
    const struct json *concepts = json_get(j, "concepts");
    x->config = c->base;
    for (size_t i = 0; i < json_len(over); i++) {
        const char *name = NULL;
        double value;
        const struct json *v = json_member(over, i, &name);
        int k = knob_of_name(s, concepts, name);
        if (k >= 0 && k != s->fidelity_knob && value_of(&s->knob[k], v, &value))
            x->config.v[k] = value;
    }
    json_free(j);
    config_canon(s, &x->config);
    for (uint32_t k = 0; k < s->n_knobs; k++)
        if (x->config.v[k] != c->base.v[k]) {
            if (x->n_over == OVERRIDES_MAX) {
                x->n_over = 0;
                return;
            }
            x->over[x->n_over++] = (struct override){k, x->config.v[k]};
        }
}

static void
row_add(struct candidates *c, const struct insight *row)
{
    struct candidate x = {.cost = 1, .earlier = true, .generic = true};
    if (c->n == CANDIDATES_DRAFT_MAX)
        return;
    change_read(c, row->change, &x);
    if (x.n_over < 2)
        return;
    double unit = row->scale > 0 ? GAIN_UNIT_AUC / row->scale : 1;
    double gain = row->effect * unit;
    x.knob = x.over[x.n_over - 1].knob;
    x.answer.p = (struct draft_prediction){
        CARRIED * gain, fmax(CARRIED * gain, BASE_RATE_SD), 1, DRAFT_EXACT};
    x.own = x.answer.p;
    x.answer.best = 1;
    x.answer.comparisons = row->n > 0 ? (uint32_t)row->n : 1;
    x.answer.n_cited = 1;
    x.answer.cited[0] = row;
    x.answer.cited_sign[0] = 1;
    candidate_put(c, &x, x.over[x.n_over - 1].value);
}

static bool
row_is_configuration(const struct insight *row)
{
    return row->verdict == INSIGHT_POSITIVE && row->partner[0] == '\0' &&
           strcmp(row->concept, concept_name(CONCEPT_NONE)) == 0 &&
           row->effect > 0 && row->change[0] != '\0';
}

/* The largest gains, in units of what is worth shipping; few of one campaign.
 */
void
candidates_from_configurations(
    struct candidates *c, const struct insight *row, size_t n)
{
    bool *used = arena_alloc(c->arena, n + 1);
    for (int taken = 0; taken < ROWS_MAX; taken++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            int same = 0;
            if (used[i] || !row_is_configuration(&row[i]))
                continue;
            for (size_t k = 0; k < n; k++)
                same +=
                    used[k] && strcmp(row[k].campaign, row[i].campaign) == 0;
            if (same < ROWS_OF_ONE &&
                (best == n || row[i].effect > row[best].effect))
                best = i;
        }
        if (best == n)
            return;
        used[best] = true;
        row_add(c, &row[best]);
    }
}
