/* rea research reliability: what was predicted of ideas against what was
 * measured, over all campaigns that this workspace's insights know. */
#include "cmd/verbs.h"

#include "base/json.h"
#include "cmd/work.h"
#include "research/calibrate.h"

static void
bins_json(struct jw *w, const struct reliability *r)
{
    jw_key(w, "bins");
    jw_arr_begin(w);
    for (int k = 0; k < RELIABILITY_BINS; k++) {
        jw_obj_begin(w);
        jw_kf64(w, "from", (double)k / RELIABILITY_BINS);
        jw_kf64(w, "to", (k + 1.) / RELIABILITY_BINS);
        jw_ki64(w, "n", (int64_t)r->n[k]);
        if (r->n[k] > 0) {
            jw_kf64(w, "predicted", r->predicted[k] / r->n[k]);
            jw_kf64(w, "gained", r->happened[k] / r->n[k]);
        }
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
reliability_json(struct jw *w, uint32_t source, const struct reliability *r)
{
    jw_obj_begin(w);
    jw_kstr(w, "source", source == SOURCE_NONE ? "all" : source_name(source));
    jw_ki64(w, "n", (int64_t)r->rows);
    jw_kf64(w, "covered80", r->covered / r->rows);
    jw_kf64(w, "brier", r->brier / r->rows);
    jw_kf64(w, "crps", r->crps / r->rows);
    jw_kf64(w, "mean_sd", r->sd / r->rows);
    jw_kf64(w, "mean_error", r->error / r->rows);
    bins_json(w, r);
    jw_obj_end(w);
}

static void
bins_say(struct call *call, const struct reliability *r)
{
    say(call, "chance of a gain  ideas  predicted  gained\n");
    for (int k = 0; k < RELIABILITY_BINS; k++) {
        say(call, "  %.1f to %.1f     %7.0f", (double)k / RELIABILITY_BINS,
            (k + 1.) / RELIABILITY_BINS, r->n[k]);
        if (r->n[k] > 0)
            say(call, "      %5.2f   %5.2f", r->predicted[k] / r->n[k],
                r->happened[k] / r->n[k]);
        say(call, "\n");
    }
}

static void
table_say(struct call *call, const struct reliability *r)
{
    say(call,
        "source    ideas  in 80 %% interval  Brier  sd said  error was\n");
    for (uint32_t s = SOURCE_NONE; s < SOURCE_COUNT; s++)
        if (r[s].rows > 0)
            say(call, "%-9s %5.0f %14.0f %%  %6.3f  %7.2g  %9.2g\n",
                s == SOURCE_NONE ? "all" : source_name(s), r[s].rows,
                100 * r[s].covered / r[s].rows, r[s].brier / r[s].rows,
                r[s].sd / r[s].rows, r[s].error / r[s].rows);
    bins_say(call, &r[SOURCE_NONE]);
}

static int
research_reliability_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight *row = NULL;
    struct insight_query q = {.own_only = true, .max = 100000};
    struct reliability r[SOURCE_COUNT];
    size_t n = 0;
    int rc = work_insights(call, INSIGHT_READ, &db, err);
    if (rc == 0)
        rc = insight_list(db, &q, call->arena, &row, &n, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    uint32_t found = reliability_of(row, n, r);
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_key(&w, "reliability");
        jw_arr_begin(&w);
        for (uint32_t s = SOURCE_NONE; s < SOURCE_COUNT; s++)
            if (r[s].rows > 0)
                reliability_json(&w, s, &r[s]);
        jw_arr_end(&w);
        jw_obj_end(&w);
        say(call, "\n");
        return 0;
    }
    if (found > 0)
        table_say(call, r);
    else
        say(call, "no prediction has its outcome yet: campaigns keep both with "
                  "what they learnt\n");
    call_next(call, found > 0 ? "rea plan" : "rea run");
    return 0;
}

const struct cmd cmd_research_reliability = {.name = "research reliability",
    .help = "predicted gains against what was measured since",
    .more = "Every idea that a campaign tried keeps its prediction beside its "
            "outcome. Of ideas with a predicted chance of a gain in each fifth "
            "the share that gained is shown; a prediction's 80 % interval "
            "should hold 80 % of outcomes, whose own error is counted in. New "
            "predictions are corrected by what is shown here.",
    .run = research_reliability_run};
