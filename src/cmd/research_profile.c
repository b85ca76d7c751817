/* The diagnosis that questions to the literature start from (research.h):
 * the shape of the baseline's learning curve, the level of its metric, and
 * failures without a remedy. Called by research.c. Invariant: sealed metrics
 * are not looked at; without a log everything is unknown, nothing is guessed.
 */
#include "cmd/research.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/work.h"
#include "report/load.h"

/* The mean search metric of the baseline's runs on each rung, + is better;
 * how many rungs all of them have. */
static uint32_t
rungs_mean(const struct core *c, double mean[RUNGS_MAX])
{
    const struct metric *m = &c->spec.metric[c->spec.primary];
    uint32_t runs = 0, rungs = c->spec.n_rungs;
    memset(mean, 0, RUNGS_MAX * sizeof *mean);
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->experiment != 0 || !t->trained || t->stopped > 0)
            continue;
        for (uint32_t r = 0; r < rungs; r++) {
            if (isnan(t->rung[r]))
                rungs = r;
            else
                mean[r] += metric_signed(m, t->rung[r]);
        }
        runs++;
    }
    for (uint32_t r = 0; r < rungs && runs > 0; r++)
        mean[r] /= runs;
    return runs > 0 ? rungs : 0;
}

static void
level_read(const struct core *c, struct baseline_profile *out)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        double x = c->trial[i].metric[c->spec.primary];
        if (c->trial[i].experiment != 0 || isnan(x))
            continue;
        sum += x;
        n++;
    }
    out->metric = n > 0 ? sum / n : 0;
}

static void
failures_read(struct call *call, const struct report *r,
    const char *failure[FAILURES_MAX], uint32_t *n)
{
    for (uint32_t i = 0; i < r->failures.n && *n < FAILURES_MAX; i++) {
        const struct report_failure *f = &r->failures.v[i];
        bool again =
            f->why == NULL || f->why[0] == '\0' ||
            (f->outcome != NULL && strncmp(f->outcome, "recovered", 9) == 0);
        for (uint32_t k = 0; k < *n && !again; k++)
            again = strcmp(failure[k], f->why) == 0;
        if (!again)
            failure[(*n)++] = arena_strdup(call->arena, f->why);
    }
}

/* The last campaign of the workspace; none is fine. */
static int
log_read(struct call *call, struct baseline_profile *out,
    const char *failure[FAILURES_MAX], uint32_t *n, struct err *err)
{
    struct store *st = NULL;
    struct store_campaign *list = NULL;
    size_t campaigns = 0;
    struct report *r = NULL;
    double mean[RUNGS_MAX];
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == -ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = store_campaigns(st, &list, &campaigns, err);
    if (rc == 0 && campaigns > 0) {
        r = report_load(st, list[campaigns - 1].id, err);
        rc = r != NULL ? 0 : err->code;
    }
    if (r != NULL) {
        const struct core *c = r->core;
        uint32_t rungs = rungs_mean(c, mean);
        profile_curve(
            out, mean, rungs, c->spec.metric[c->spec.primary].min_gain);
        level_read(r->core, out);
        failures_read(call, r, failure, n);
    }
    report_free(r);
    free(list);
    store_close(st);
    return rc;
}

int
research_profile(struct call *call, const struct project *p,
    struct baseline_profile *out, const char *failure[FAILURES_MAX],
    uint32_t *n_failures, struct err *err)
{
    const char *fit = call_opt(call, "fit");
    memset(out, 0, sizeof *out);
    *n_failures = 0;
    for (uint32_t k = 0; k < p->spec.n_knobs; k++)
        if (p->spec.knob[k].concept == CONCEPT_SEQUENCE_LEN)
            out->sequence = 1;
    int rc = log_read(call, out, failure, n_failures, err);
    if (rc != 0 || fit == NULL)
        return rc;
    out->one_epoch = strcmp(fit, "one-epoch") == 0;
    if (strcmp(fit, "under") == 0)
        out->fit = -1;
    else if (out->one_epoch || strcmp(fit, "over") == 0)
        out->fit = 1;
    else
        return err_set(
            err, -ERR_INPUT, "--fit=%s: say under, over or one-epoch", fit);
    return 0;
}
