/* rea insight import, merge, rebuild: what others learnt, and the rows made
 * anew from the events. */
#include "cmd/verbs.h"

#include <string.h>

#include "base/fs.h"
#include "cmd/insight.h"
#include "cmd/work.h"

static int
source_read(struct call *call, struct insight_source *o, struct err *err)
{
    const char *at = call_opt(call, "context");
    memset(o, 0, sizeof *o);
    o->format = call_opt(call, "format");
    o->metric = call_opt(call, "metric");
    o->goal = call_opt(call, "goal");
    o->seed = call_opt(call, "seed");
    o->status = call_opt(call, "status");
    o->id = call_opt(call, "id");
    o->knobs = call_opt(call, "knobs");
    o->study = call_opt(call, "study");
    o->model = call_opt(call, "model");
    if (o->goal != NULL && strcmp(o->goal, "min") != 0 &&
        strcmp(o->goal, "max") != 0)
        return err_set(
            err, -ERR_INPUT, "--goal=%s: min or max is meant", o->goal);
    int rc = call_opt_num(call, "min-gain", &o->min_gain, err);
    if (rc == 0 && at != NULL)
        rc = insight_place_read(call->arena, at, &o->place, err);
    o->family = o->place.family;
    return rc;
}

static bool
is_url(const char *s)
{
    return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0;
}

static void
import_json(struct call *call, const struct insight_import *got)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "lines", got->lines);
    jw_ki64(&w, "added", got->added);
    jw_ki64(&w, "known", got->known);
    jw_ki64(&w, "bad", got->bad);
    jw_ki64(&w, "trials", got->trials);
    jw_ki64(&w, "unsigned", got->unsigned_rows);
    if (got->bad > 0)
        jw_kstr(&w, "first_bad", got->first_bad);
    jw_obj_end(&w);
    say(call, "\n");
}

static void
import_say(struct call *call, const struct insight_import *got)
{
    if (call->json) {
        import_json(call, got);
        return;
    }
    say(call, "%u lines: %u added, %u known already, %u bad\n", got->lines,
        got->added, got->known, got->bad);
    if (got->trials > 0)
        say(call, "  from %u trials that are new here\n", got->trials);
    if (got->unsigned_rows > 0)
        say(call,
            "  %u claim to be promoted, but nobody's signature on them holds: "
            "kept as drafts\n",
            got->unsigned_rows);
    if (got->bad > 0)
        say(call, "  %s\n", got->first_bad);
}

static int
insight_import_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight_import got = {0};
    struct insight_source source;
    const char **page = NULL, *from = call->args[0];
    size_t pages = 0;
    int rc = source_read(call, &source, err);
    if (rc == 0 && is_url(from))
        rc = mlflow_fetch(call, from, &page, &pages, err);
    if (rc == 0)
        rc = work_insights(call, INSIGHT_WRITE | INSIGHT_SEED, &db, err);
    if (rc != 0)
        return rc;
    if (is_url(from))
        rc = insight_import_mlflow(db, page, pages, &source, &got, err);
    else
        rc = insight_import_from(db, from, &source, &got, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    import_say(call, &got);
    call_next(call, "rea insight list --own");
    return 0;
}

static int
insight_merge_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight_merged got;
    int rc = work_insights(call, INSIGHT_WRITE | INSIGHT_SEED, &db, err);
    if (rc != 0)
        return rc;
    rc = insight_merge(db, call->args[0], &got, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    if (call->json)
        say(call,
            "{\"events\": %lld, \"added\": %lld, \"insights\": %lld, \"bad\": "
            "%lld}\n",
            (long long)got.events, (long long)got.added, (long long)got.rows,
            (long long)got.bad);
    else
        say(call, "%lld events: %lld added; %lld insights are new\n",
            (long long)got.events, (long long)got.added, (long long)got.rows);
    if (got.bad > 0 && !call->json)
        say(call, "  %lld are none and were left out: %s\n", (long long)got.bad,
            got.first_bad);
    call_next(call, "rea insight list --own");
    return 0;
}

static int
insight_rebuild_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight_checked got;
    int rc = work_insights(call, INSIGHT_WRITE, &db, err);
    if (rc != 0)
        return rc;
    rc = insight_rebuild(db, &got, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    call->check_failed = got.bad > 0;
    if (call->json)
        say(call, "{\"events\": %lld, \"insights\": %lld, \"bad\": %lld}\n",
            (long long)got.events, (long long)got.rows, (long long)got.bad);
    else
        say(call, "%lld events, %lld insights made anew\n",
            (long long)got.events, (long long)got.rows);
    if (got.bad > 0 && !call->json)
        say(call, "  %lld events were changed from outside and left out: %s\n",
            (long long)got.bad, got.first_bad);
    return 0;
}

static const struct cmd_opt import_opts[] = {
    {"format", 0, "NAME", "jsonl, optuna, mlflow, csv or wandb, if not told"},
    {"metric", 0, "NAME", "name or column of the metric of trials"},
    {"goal", 0, "WAY", "min or max, where the trials do not say"},
    {"seed", 0, "NAME", "the parameter that is the seed (seed)"},
    {"status", 0, "NAME", "CSV: the column with the status (status)"},
    {"id", 0, "NAME", "CSV: the column that names the trial"},
    {"knobs", 0, "A,B,..", "only these parameters are knobs"},
    {"study", 0, "NAME", "only this study, experiment or project"},
    {"model", 0, "NAME", "what the trained model is called"},
    {"context", 0, "NAME=X,..", "rows, fields, density, family, sequence"},
    {"min-gain", 0, "X", "smallest gain worth shipping, if it is no AUC"}, {0}};

const struct cmd cmd_insight_import = {.name = "insight import",
    .args = "FILE|FOLDER|URL",
    .min_args = 1,
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "merge insights, or trials of other programs",
    .more =
        "Takes JSON lines of insights or events; Optuna storages (journal, "
        "SQLite); an mlruns folder or the http address of an MLflow server; "
        "tables of trials (CSV); folders and files of W&B's offline runs. Raw "
        "trials are kept, and where two configurations differ in one knob the "
        "difference becomes an insight with its interval. Importing the same "
        "again adds nothing; what is bad is counted and named.",
    .example = "rea insight import trials.csv --metric=auc --seed=run "
               "--context=rows=40000,family=dcnv2",
    .opts = import_opts,
    .run = insight_import_run};

const struct cmd cmd_insight_merge = {.name = "insight merge",
    .args = "OTHER.db",
    .min_args = 1,
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "add all that another insights database holds",
    .more = "Events are added once, whichever way round databases are merged. "
            "Promotions come along with their signatures.",
    .example = "rea insight merge ../other/.rea/insights.db",
    .run = insight_merge_run};

const struct cmd cmd_insight_rebuild = {.name = "insight rebuild",
    .args = "",
    .flags = CMD_WRITES,
    .help = "make the rows anew from the events, and check these",
    .more = "Ids stay. Exits with 4 when an event was changed from outside.",
    .run = insight_rebuild_run};
