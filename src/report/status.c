/* One campaign at a glance: the entry that `rea status`, the head of the
 * report and the overview of many campaigns share. Works on the core alone, so
 * that hundreds of snapshots can be summed up without reading their events. */
#include "report/report.h"

#include <stdio.h>
#include <string.h>

static void
trials_count(const struct core *c, struct status_entry *out)
{
    for (uint32_t i = 0; i < c->n_trials; i++) {
        switch (c->trial[i].state) {
        case TRIAL_OK:
            out->ok++;
            break;
        case TRIAL_FAILED:
            out->failed++;
            break;
        case TRIAL_RUNNING:
            out->running++;
            break;
        default:
            break;
        }
    }
    out->recovered = c->recovered;
}

static const struct finalist *
finalist_find(const struct core *c, uint32_t experiment)
{
    for (uint32_t i = 0; i < c->n_finalists; i++)
        if (c->finalist[i].experiment == experiment)
            return &c->finalist[i];
    return NULL;
}

static void
best_fill(const struct core *c, struct status_entry *out)
{
    uint32_t best = c->proposal != 0 ? c->proposal : analysis_incumbent(c);
    struct effect f;
    if (best == 0 || !analysis_effect(c, best, &f))
        return;
    const struct finalist *fin = finalist_find(c, best);
    const char *verdict = f.lo > 0 ? "better" : "unclear";
    if (best == c->proposal)
        verdict = "proposed";
    else if (fin != NULL && fin->judged)
        verdict = "not held";
    out->has_best = true;
    out->best_experiment = best;
    out->gain = f.mean;
    out->lo = f.lo;
    out->hi = f.hi;
    snprintf(out->best_verdict, sizeof(out->best_verdict), "%s", verdict);
}

/* What waits for the engineer, and the command that answers it. */
static void
attention_fill(
    const struct core *c, const char *halt_why, struct status_entry *out)
{
    uint32_t id = out->campaign;
    char *a = out->attention, *n = out->next;
    size_t a_cap = sizeof(out->attention), n_cap = sizeof(out->next);
    bool ended = c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED;
    if (c->pending_hash[0] != '\0' && !ended) {
        snprintf(a, a_cap, "a plan waits for approval");
        snprintf(n, n_cap, "rea approve %.12s", c->pending_hash);
        return;
    }
    switch (c->state) {
    case CAMPAIGN_DRAFT:
        snprintf(n, n_cap, "rea plan");
        break;
    case CAMPAIGN_APPROVED:
        snprintf(a, a_cap, "approved, not started");
        snprintf(n, n_cap, "rea run C%u", id);
        break;
    case CAMPAIGN_PAUSED:
        snprintf(a, a_cap, "paused by the engineer");
        snprintf(n, n_cap, "rea resume C%u", id);
        break;
    case CAMPAIGN_HALTED:
        snprintf(
            a, a_cap, "%s", halt_why != NULL ? halt_why : "stands at a gate");
        snprintf(n, n_cap, "rea why C%u", id);
        break;
    case CAMPAIGN_DONE:
        if (c->proposal != 0) {
            snprintf(
                a, a_cap, "proposal E%u waits for a decision", c->proposal);
            snprintf(n, n_cap, "rea accept C%u", id);
            break;
        }
        snprintf(n, n_cap, "rea report C%u", id);
        break;
    case CAMPAIGN_STOPPED:
        snprintf(n, n_cap, "rea report C%u", id);
        break;
    default:
        snprintf(n, n_cap, "rea status C%u", id);
    }
}

void
status_entry(uint32_t campaign, const struct core *c, const char *halt_why,
    struct status_entry *out)
{
    memset(out, 0, sizeof(*out));
    out->campaign = campaign;
    snprintf(out->model, sizeof(out->model), "%s", c->spec.model);
    out->state = c->state;
    out->phase = c->phase < PHASE_COUNT ? c->phase : 0;
    out->unit = c->spec.unit;
    out->approved_u = c->approved_u;
    out->reserved_u = c->reserved_u;
    out->spent_u = c->spent_u;
    if (c->spec.primary < c->spec.n_metrics) {
        const struct metric *m = &c->spec.metric[c->spec.primary];
        out->min_gain = m->min_gain;
        snprintf(out->metric, sizeof(out->metric), "%s", m->name);
    }
    trials_count(c, out);
    best_fill(c, out);
    attention_fill(c, halt_why, out);
}

void
status_entry_json(struct jw *w, const struct status_entry *e)
{
    jw_obj_begin(w);
    jw_key(w, "id");
    jw_printf(w, "C%u", e->campaign);
    jw_kstr(w, "model", e->model);
    jw_kstr(w, "state", campaign_state_name(e->state));
    jw_kstr(w, "phase", e->phase != 0 ? phase_name(e->phase) : NULL);
    jw_key(w, "trials");
    jw_obj_begin(w);
    jw_ki64(w, "ok", e->ok);
    jw_ki64(w, "running", e->running);
    jw_ki64(w, "failed", e->failed);
    jw_ki64(w, "recovered", e->recovered);
    jw_obj_end(w);
    jw_key(w, "budget");
    jw_obj_begin(w);
    jw_kstr(w, "unit", unit_name(e->unit));
    jw_kf64(w, "approved", (double)e->approved_u / MICRO);
    jw_kf64(w, "reserved", (double)e->reserved_u / MICRO);
    jw_kf64(w, "spent", (double)e->spent_u / MICRO);
    jw_obj_end(w);
    jw_key(w, "best");
    if (e->has_best) {
        jw_obj_begin(w);
        jw_key(w, "experiment");
        jw_printf(w, "E%u", e->best_experiment);
        jw_kf64(w, "gain", e->gain);
        jw_kf64(w, "lo", e->lo);
        jw_kf64(w, "hi", e->hi);
        jw_kstr(w, "verdict", e->best_verdict);
        jw_obj_end(w);
    } else {
        jw_null(w);
    }
    jw_kstr(w, "attention", e->attention[0] != '\0' ? e->attention : NULL);
    jw_kstr(w, "next", e->next);
    jw_obj_end(w);
}

void
status_json(const struct status_entry *v, uint32_t n, struct buf *out)
{
    struct jw w;
    jw_init(&w, out, 2);
    jw_obj_begin(&w);
    jw_key(&w, "campaigns");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < n; i++)
        status_entry_json(&w, &v[i]);
    jw_arr_end(&w);
    jw_obj_end(&w);
    buf_putc(out, '\n');
}
