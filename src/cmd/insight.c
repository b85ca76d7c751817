/* rea insight list, show, add, promote, export: the database of what campaigns
 * learnt. Reading never creates it. */
#include "cmd/verbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "cmd/insight.h"
#include "cmd/work.h"

enum { INSIGHT_LINES = 20 };

void
insight_line(struct call *call, const struct insight *i)
{
    say(call, "I%-4lld %-8s %+.5f [%+.5f, %+.5f] n=%lld %s%s\n",
        (long long)i->id, insight_verdict_name(i->verdict), i->effect, i->lo,
        i->hi, (long long)i->n, i->statement,
        i->status == INSIGHT_PROMOTED ? " *" : "");
}

static void
insights_json(struct call *call, const struct insight *rows, size_t n)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "insights");
    jw_arr_begin(&w);
    for (size_t i = 0; i < n; i++)
        insight_json(&w, &rows[i]);
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
insight_list_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight *rows = NULL;
    size_t n = 0;
    struct insight_query q = {
        .concept = call_opt(call, "concept"),
        .family = call_opt(call, "family"),
        .promoted_only = call_has(call, "promoted"),
        .own_only = call_has(call, "own"),
        .max = call->json ? 10000000 : INSIGHT_LINES,
    };
    int64_t all = 0;
    int rc = work_insights(call, INSIGHT_READ, &db, err);
    if (rc != 0)
        return rc;
    rc = insight_list(db, &q, call->arena, &rows, &n, err);
    if (rc == 0 && n == INSIGHT_LINES)
        rc = insight_matching(db, &q, &all, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    if (call->json) {
        insights_json(call, rows, n);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        insight_line(call, &rows[i]);
    if (n == 0)
        say(call, "no insight matches; every finished campaign adds its own\n");
    if (all > INSIGHT_LINES)
        say(call, "... and %lld more (--json shows all)\n",
            (long long)all - INSIGHT_LINES);
    call_next(call, n > 0 ? "rea insight show I%lld" : "rea plan",
        n > 0 ? (long long)rows[0].id : 0LL);
    return 0;
}

/* ", signed by ann on 2026-01-02 with key 1f2e3d4c". */
static const char *
promotion_text(struct call *call, const struct insight *row)
{
    char day[16] = "";
    struct json *j =
        row->promotion[0] != '\0'
            ? json_parse(row->promotion, strlen(row->promotion), NULL)
            : NULL;
    if (j == NULL)
        return "";
    const char *by = json_get_str(j, "by"), *key = json_get_str(j, "key");
    time_t sec = (time_t)(json_get_i64(j, "at_ms", 0) / 1000);
    struct tm tm;
    gmtime_r(&sec, &tm);
    strftime(day, sizeof day, "%Y-%m-%d", &tm);
    const char *text =
        key != NULL ? arena_printf(call->arena,
                          ", signed by %s on %s with key %.8s", by, day, key)
                    : arena_printf(call->arena, " by %s", by);
    json_free(j);
    return text;
}

static int
insight_show_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight row;
    uint32_t id = 0;
    int rc = work_id(call->args[0], 'I', &id, err);
    if (rc == 0)
        rc = work_insights(call, INSIGHT_READ, &db, err);
    if (rc != 0)
        return rc;
    rc = insight_get(db, id, call->arena, &row, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 0);
        insight_json(&w, &row);
        say(call, "\n");
        return 0;
    }
    insight_line(call, &row);
    say(call, "  change     %s: %s -> %s (%s)\n", row.knob, row.from, row.to,
        row.direction);
    say(call, "  where      concept %s, family %s, metric %s\n", row.concept,
        row.family[0] != '\0' ? row.family : "any", row.metric);
    say(call,
        "  evidence   %lld comparisons in %lld places; sd %.2g, "
        "between places %.2g\n",
        (long long)row.n, (long long)row.places, row.sd, row.between);
    if (row.conditions[0] != '\0')
        say(call, "  holds if   %s\n", row.conditions);
    say(call, "  source     %s %s %s\n", row.source, row.reference, row.date);
    if (row.supersedes[0] != '\0')
        say(call, "  replaces   %s\n", row.supersedes);
    if (row.contradicts[0] != '\0')
        say(call, "  against    %s\n", row.contradicts);
    say(call, "  status     %s%s\n", insight_status_name(row.status),
        promotion_text(call, &row));
    if (row.status != INSIGHT_PROMOTED)
        call_next(call, "rea insight promote I%u", id);
    return 0;
}

/* ---- add: NAME=VALUE pairs beside a statement ---- */

struct add_field {
    const char *name;
    size_t at; /* offset in struct insight */
    bool is_number;
};

#define TEXT_FIELD(f)                                                          \
    {                                                                          \
#f, offsetof(struct insight, f), false                                 \
    }
#define NUMBER_FIELD(f)                                                        \
    {                                                                          \
#f, offsetof(struct insight, f), true                                  \
    }
static const struct add_field add_fields[] = {TEXT_FIELD(key),
    TEXT_FIELD(concept), TEXT_FIELD(knob), TEXT_FIELD(family),
    TEXT_FIELD(metric), TEXT_FIELD(from), TEXT_FIELD(to), TEXT_FIELD(direction),
    TEXT_FIELD(conditions), TEXT_FIELD(source), TEXT_FIELD(reference),
    TEXT_FIELD(date), TEXT_FIELD(technique), TEXT_FIELD(contradicts),
    TEXT_FIELD(supersedes), NUMBER_FIELD(effect), NUMBER_FIELD(sd)};
#undef TEXT_FIELD
#undef NUMBER_FIELD

int
insight_pair_read(
    struct call *call, const char *pair, struct insight *row, struct err *err)
{
    const char *eq = strchr(pair, '=');
    size_t n = eq != NULL ? (size_t)(eq - pair) : 0;
    if (n == 1 && pair[0] == 'n') {
        row->n = strtoll(eq + 1, NULL, 10);
        return 0;
    }
    for (size_t i = 0; i < sizeof(add_fields) / sizeof(add_fields[0]); i++) {
        const struct add_field *f = &add_fields[i];
        if (n == 0 || strlen(f->name) != n || memcmp(f->name, pair, n) != 0)
            continue;
        if (!f->is_number) {
            const char *v = arena_strdup(call->arena, eq + 1);
            memcpy((char *)row + f->at, &v, sizeof(v));
            return 0;
        }
        char *end = NULL;
        double x = strtod(eq + 1, &end);
        if (end == eq + 1 || *end != '\0' || !isfinite(x))
            return err_set(err, -ERR_INPUT, "%s: a number is meant", pair);
        memcpy((char *)row + f->at, &x, sizeof(x));
        return 0;
    }
    return err_set(err, -ERR_INPUT,
        "\"%s\" is no field of an insight\n"
        "  known: key concept knob family metric from to direction effect sd n "
        "conditions source reference date technique contradicts supersedes",
        pair);
}

static void
today(char out[11])
{
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(out, 11, "%Y-%m-%d", &tm);
}

static int
insight_add_run(struct call *call, struct err *err)
{
    char date[11];
    today(date);
    const char *user = getenv("USER");
    struct insight row = {.statement = call->args[0],
        .metric = "auc",
        .date = date,
        .source = user != NULL && user[0] != '\0' ? user : "engineer",
        .sd = NAN,
        .effect = NAN,
        .n = 1,
        .places = 1};
    for (uint32_t i = 1; i < call->n_args; i++) {
        int rc = insight_pair_read(call, call->args[i], &row, err);
        if (rc != 0)
            return rc;
    }
    if (!isfinite(row.effect) || !(row.sd > 0))
        return err_set(err, -ERR_INPUT,
            "an insight needs its effect and its standard error, in the "
            "metric's units\n  remedy: rea insight add \"%s\" effect=0.0006 "
            "sd=0.0002",
            call->args[0]);
    row.lo = row.effect - 1.96 * row.sd;
    row.hi = row.effect + 1.96 * row.sd;
    row.verdict = row.lo > 0   ? INSIGHT_POSITIVE
                  : row.hi < 0 ? INSIGHT_NEGATIVE
                               : INSIGHT_NULL;
    row.created_ms = fs_now_ms();
    struct insights *db = NULL;
    int64_t id = 0;
    bool added = false;
    int rc = work_insights(call, INSIGHT_WRITE | INSIGHT_SEED, &db, err);
    if (rc != 0)
        return rc;
    rc = insight_keep(db, &row, &id, &added, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    if (call->json)
        say(call, "{\"id\": \"I%lld\", \"added\": %s}\n", (long long)id,
            added ? "true" : "false");
    else
        say(call, "I%lld %s\n", (long long)id,
            added ? "added" : "was known already");
    call_next(call, "rea insight show I%lld", (long long)id);
    return 0;
}

/* Where the engineer's own key lies: $REA_SIGN_KEY, else with the settings of
 * theirs. */
static const char *
key_path(struct call *call, struct err *err)
{
    const char *path = getenv("REA_SIGN_KEY"), *home = getenv("HOME");
    const char *config = getenv("XDG_CONFIG_HOME");
    if (path != NULL && path[0] != '\0')
        return path;
    if (config != NULL && config[0] == '/')
        return fs_join_in(call->arena, config, "rea/sign.key");
    if (home != NULL && home[0] == '/')
        return fs_join_in(call->arena, home, ".config/rea/sign.key");
    err_set(err, -ERR_INPUT,
        "no place for your signing key: HOME is not set\n"
        "  remedy: name a file of yours in REA_SIGN_KEY");
    return NULL;
}

static int
insight_promote_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    uint32_t id = 0;
    struct insight_signer who = {.by = work_user(call),
        .key_path = key_path(call, err),
        .at_ms = fs_now_ms()};
    if (who.key_path == NULL)
        return -ERR_INPUT;
    int rc = work_id(call->args[0], 'I', &id, err);
    if (rc == 0)
        rc = work_insights(call, INSIGHT_WRITE, &db, err);
    if (rc != 0)
        return rc;
    rc = insight_promote(db, id, &who, err);
    insight_close(db);
    if (rc != 0)
        return rc;
    if (call->json)
        say(call, "{\"id\": \"I%u\", \"status\": \"promoted\"}\n", id);
    else
        say(call, "I%u promoted: it counts in full from now on\n", id);
    call_next(call, "rea insight list --promoted");
    return 0;
}

static void
export_json(struct call *call, const char *file, size_t bytes)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "file", file);
    jw_ki64(&w, "bytes", (int64_t)bytes);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
insight_export_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct buf text = {0};
    const char *to = call_opt(call, "output");
    int rc = work_insights(call, INSIGHT_READ, &db, err);
    if (rc != 0)
        return rc;
    if (call_has(call, "events"))
        rc = insight_export_events(db, &text, err);
    else
        rc = insight_export(db, call_has(call, "own"), &text, err);
    insight_close(db);
    if (rc == 0 && to != NULL)
        rc = fs_write_atomic(to, buf_str(&text), text.len, true, err);
    if (rc == 0 && to == NULL)
        buf_add(&call->out, buf_str(&text), text.len);
    else if (rc == 0 && call->json)
        export_json(call, to, text.len);
    else if (rc == 0)
        say(call, "wrote %s (%zu bytes)\n", to, text.len);
    if (rc == 0 && to != NULL)
        call_next(call, "rea insight import %s   (in another workspace)", to);
    buf_fini(&text);
    return rc;
}

static const struct cmd_opt list_opts[] = {
    {"concept", 0, "NAME", "only this concept: learning_rate, dropout, ..."},
    {"family", 0, "NAME", "only this model family: fm, dcnv2, ..."},
    {"promoted", 0, NULL, "only those an engineer has checked"},
    {"own", 0, NULL, "without the public set that is shipped"}, {0}};

const struct cmd cmd_insight_list = {.name = "insight list",
    .args = "",
    .help = "what campaigns learnt, failures too",
    .more = "One line an insight: id, verdict, effect with its 95 % interval, "
            "comparisons, statement. A star marks what an engineer promoted.",
    .example = "rea insight list --concept=learning_rate",
    .opts = list_opts,
    .run = insight_list_run};

const struct cmd cmd_insight_show = {.name = "insight show",
    .args = "I",
    .min_args = 1,
    .max_args = 1,
    .help = "one insight with its provenance",
    .run = insight_show_run};

const struct cmd cmd_insight_add = {.name = "insight add",
    .args = "STATEMENT NAME=VALUE...",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .flags = CMD_WRITES,
    .help = "write down what you know from elsewhere",
    .more = "effect and sd are the gain and its standard error in the "
            "metric's units, + is better. Further fields: key concept knob "
            "family metric from to direction n conditions source reference "
            "date technique contradicts supersedes.",
    .example = "rea insight add \"row-wise adagrad beats sgd\" "
               "concept=optimizer to=adagrad effect=0.0006 sd=0.0002",
    .run = insight_add_run};

const struct cmd cmd_insight_promote = {.name = "insight promote",
    .args = "I",
    .min_args = 1,
    .max_args = 1,
    .flags = CMD_WRITES | CMD_HUMAN,
    .help = "mark an insight as checked: it then counts in full",
    .run = insight_promote_run};

static const struct cmd_opt export_opts[] = {
    {"output", 'o', "FILE", "write to this file instead of standard output"},
    {"own", 0, NULL, "without the public set that is shipped"},
    {"events", 0, NULL, "the events behind the rows, all that is kept"}, {0}};

const struct cmd cmd_insight_export = {.name = "insight export",
    .args = "",
    .help = "all insights as JSON lines",
    .opts = export_opts,
    .run = insight_export_run};
