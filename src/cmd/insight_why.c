/* rea insight why, correct: from an insight down to the raw trials, and up to
 * what was decided and corrected. */
#include "cmd/verbs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "cmd/insight.h"
#include "cmd/work.h"

enum { WHY_TRIALS = 12, WHY_AGAINST = 5 };

static const char *
day_of(struct call *call, int64_t at_ms)
{
    char day[16];
    time_t sec = (time_t)(at_ms / 1000);
    struct tm tm;
    if (at_ms == 0)
        return "undated";
    gmtime_r(&sec, &tm);
    strftime(day, sizeof day, "%Y-%m-%d", &tm);
    return arena_strdup(call->arena, day);
}

/* Names of the experiments behind an observation: listed, or by pairs. */
static size_t
names_of(struct call *call, const struct json *payload, const char ***out)
{
    const struct json *list = json_get(payload, "experiments");
    const struct json *pairs = json_get(payload, "pairs");
    size_t n = 0, cap = json_len(list) + 2 * json_len(pairs);
    *out = arena_alloc(call->arena, (cap + 1) * sizeof **out);
    for (size_t i = 0; i < cap; i++) {
        size_t k = i - json_len(list);
        const char *name =
            i < json_len(list)
                ? json_str(json_at(list, i))
                : json_str(json_at(json_at(pairs, k / 2), k % 2));
        bool known = name == NULL;
        for (size_t m = 0; m < n && !known; m++)
            known = strcmp((*out)[m], name) == 0;
        if (!known)
            (*out)[n++] = arena_strdup(call->arena, name);
    }
    return n;
}

static void
trial_line(struct call *call, const struct json *t, const char *metric)
{
    const char *id = json_get_str(t, "id"), *seed = json_get_str(t, "seed");
    const char *status = json_get_str(t, "status");
    const struct json *value = json_get(t, "value");
    char number[32] = "no value";
    if (json_is_num(value))
        snprintf(number, sizeof number, "%.6g", json_num(value, 0));
    say(call, "      %-14.40s seed %-6.20s %-9s %s %s\n", id != NULL ? id : "?",
        seed != NULL ? seed : "?", status != NULL ? status : "?",
        metric != NULL ? metric : "", number);
}

static void
experiment_say(struct call *call, const struct insight_event *e, size_t *left)
{
    struct json *j = json_parse(e->payload, strlen(e->payload), NULL);
    const struct json *trials = json_get(j, "trials");
    const struct json *config = json_get(j, "config");
    struct buf b = {0};
    for (size_t i = 0; i < json_len(config); i++) {
        const char *key = NULL;
        const struct json *v = json_member(config, i, &key);
        buf_printf(&b, " %s=", key);
        if (json_str(v) != NULL)
            buf_puts(&b, json_str(v));
        else
            json_dump(v, &b);
    }
    say(call, "    %s:%.200s\n", e->of, b.len > 0 ? buf_str(&b) : " baseline");
    buf_fini(&b);
    for (size_t i = 0; i < json_len(trials) && *left > 0; i++, (*left)--)
        trial_line(call, json_at(trials, i), json_get_str(j, "metric"));
    json_free(j);
}

static int
experiments_say(struct call *call, struct insights *db,
    const struct insight_event *observation, struct err *err)
{
    struct json *j =
        json_parse(observation->payload, strlen(observation->payload), NULL);
    const char **name = NULL;
    size_t n = names_of(call, j, &name), left = WHY_TRIALS, shown = 0;
    int rc = 0;
    for (; rc == 0 && shown < n && left > 0; shown++) {
        struct insight_event *e = NULL;
        size_t m = 0;
        rc = insight_events(db, name[shown], call->arena, &e, &m, err);
        for (size_t i = 0; i < m; i++)
            if (e[i].kind == INSIGHT_EXPERIMENT)
                experiment_say(call, &e[i], &left);
    }
    if (n > shown)
        say(call, "    ... and %zu more (--json shows all)\n", n - shown);
    json_free(j);
    return rc;
}

static int
event_say(struct call *call, struct insights *db, const struct insight_event *e,
    struct err *err)
{
    struct json *j = json_parse(e->payload, strlen(e->payload), NULL);
    const char *day = day_of(call, e->at_ms), *text = NULL;
    int rc = 0;
    switch (e->kind) {
    case INSIGHT_HYPOTHESIS:
        text = json_get_str(j, "statement");
        say(call, "  hypothesis   %s  %s\n", day, text != NULL ? text : "");
        break;
    case INSIGHT_OBSERVATION: {
        const struct json *row = json_get(j, "row");
        const char *verdict = json_get_str(row, "verdict");
        say(call, "  observation  %s  %s %+.5f [%+.5f, %+.5f] n=%lld\n", day,
            verdict != NULL ? verdict : "", json_get_num(row, "effect", 0),
            json_get_num(row, "lo", 0), json_get_num(row, "hi", 0),
            (long long)json_get_i64(row, "n", 0));
        rc = experiments_say(call, db, e, err);
        break;
    }
    case INSIGHT_DECISION:
        text = json_get_str(j, "what");
        say(call, "  decision     %s  %s%s%s\n", day, text != NULL ? text : "",
            e->by[0] != '\0' ? " by " : "", e->by);
        break;
    case INSIGHT_CORRECTION: {
        struct buf b = {0};
        text = json_get_str(j, "why");
        json_dump(json_get(j, "fields"), &b);
        say(call, "  correction   %s  %s: %s%s%s\n", day, buf_str(&b),
            text != NULL ? text : "", e->by[0] != '\0' ? ", by " : "", e->by);
        buf_fini(&b);
        break;
    }
    default:
        break;
    }
    json_free(j);
    return rc;
}

static int
chain_json(struct call *call, struct insights *db, const struct insight *row,
    const struct insight_event *e, size_t n, struct err *err)
{
    struct jw w;
    int rc = 0;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "insight");
    insight_json(&w, row);
    jw_key(&w, "events");
    jw_arr_begin(&w);
    for (size_t i = 0; i < n; i++)
        jw_raw(&w, e[i].text);
    jw_arr_end(&w);
    jw_key(&w, "experiments");
    jw_arr_begin(&w);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct json *j = json_parse(e[i].payload, strlen(e[i].payload), NULL);
        const char **name = NULL;
        size_t m =
            e[i].kind == INSIGHT_OBSERVATION ? names_of(call, j, &name) : 0;
        for (size_t k = 0; rc == 0 && k < m; k++) {
            struct insight_event *x = NULL;
            size_t nx = 0;
            rc = insight_events(db, name[k], call->arena, &x, &nx, err);
            for (size_t y = 0; y < nx; y++)
                if (x[y].kind == INSIGHT_EXPERIMENT)
                    jw_raw(&w, x[y].text);
        }
        json_free(j);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
    return rc;
}

static int
insight_why_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight row;
    struct insight *against = NULL;
    struct insight_event *e = NULL;
    uint32_t id = 0;
    size_t n = 0, m = 0;
    int rc = work_id(call->args[0], 'I', &id, err);
    if (rc == 0)
        rc = work_insights(call, INSIGHT_READ, &db, err);
    if (rc == 0)
        rc = insight_get(db, id, call->arena, &row, err);
    if (rc == 0)
        rc = insight_events(db, row.origin, call->arena, &e, &n, err);
    if (rc == 0)
        rc = insight_against(db, row.origin, call->arena, &against, &m, err);
    if (rc == 0 && call->json) {
        rc = chain_json(call, db, &row, e, n, err);
    } else if (rc == 0) {
        insight_line(call, &row);
        say(call, "  origin       %s\n", row.origin);
        for (size_t i = 0; rc == 0 && i < n; i++)
            rc = event_say(call, db, &e[i], err);
        for (size_t i = 0; i < m && i < WHY_AGAINST; i++)
            say(call, "  %-12s I%lld  %s\n",
                strcmp(against[i].supersedes, row.origin) == 0 ? "replaced by"
                                                               : "against it",
                (long long)against[i].id, against[i].statement);
    }
    insight_close(db);
    if (rc == 0)
        call_next(call, "rea insight show I%u", id);
    return rc;
}

/* ---- correct ---- */

static int
fields_read(struct call *call, struct buf *out, struct err *err)
{
    struct jw w;
    int rc = 0;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    for (uint32_t i = 2; rc == 0 && i < call->n_args; i++) {
        const char *pair = call->args[i], *eq = strchr(pair, '=');
        struct insight probe = {0};
        char *end = NULL;
        if (eq != NULL && strncmp(pair, "verdict=", 8) == 0) {
            jw_kstr(&w, "verdict", eq + 1);
            continue;
        }
        rc = insight_pair_read(call, pair, &probe, err);
        if (rc != 0)
            break;
        jw_key(&w, arena_strndup(call->arena, pair, (size_t)(eq - pair)));
        double x = strtod(eq + 1, &end);
        bool number =
            strncmp(pair, "effect=", 7) == 0 || strncmp(pair, "sd=", 3) == 0;
        if (number)
            jw_f64(&w, x);
        else if (strncmp(pair, "n=", 2) == 0)
            jw_i64(&w, probe.n);
        else
            jw_str(&w, eq + 1);
    }
    jw_obj_end(&w);
    return rc;
}

static int
insight_correct_run(struct call *call, struct err *err)
{
    struct insights *db = NULL;
    struct insight row;
    struct buf fields = {0};
    uint32_t id = 0;
    int rc = work_id(call->args[0], 'I', &id, err);
    if (rc == 0)
        rc = fields_read(call, &fields, err);
    if (rc == 0)
        rc = work_insights(call, INSIGHT_WRITE, &db, err);
    if (rc == 0)
        rc = insight_correct(db, id, buf_str(&fields), call->args[1],
            work_user(call), fs_now_ms(), err);
    if (rc == 0)
        rc = insight_get(db, id, call->arena, &row, err);
    insight_close(db);
    buf_fini(&fields);
    if (rc != 0)
        return rc;
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 0);
        insight_json(&w, &row);
        say(call, "\n");
    } else {
        insight_line(call, &row);
    }
    call_next(call, "rea insight why I%u", id);
    return 0;
}

const struct cmd cmd_insight_why = {.name = "insight why",
    .args = "I",
    .min_args = 1,
    .max_args = 1,
    .help = "the events behind an insight, down to the raw trials",
    .run = insight_why_run};

const struct cmd cmd_insight_correct = {.name = "insight correct",
    .args = "I WHY NAME=VALUE...",
    .min_args = 3,
    .max_args = CMD_ARGS_MAX,
    .flags = CMD_WRITES | CMD_HUMAN,
    .help = "say what an insight should have said",
    .more = "Adds a correction; what was told first stays in the chain. An "
            "insight that was promoted is no longer, until it is promoted "
            "again. Fields as in rea insight add, and verdict.",
    .example = "rea insight correct I12 \"the baseline was misconfigured\" "
               "effect=0.0001 sd=0.0003",
    .run = insight_correct_run};
