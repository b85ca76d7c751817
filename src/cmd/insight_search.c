/* rea insight search: by words, filters and likeness of context together. */
#include "cmd/verbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "cmd/insight.h"
#include "cmd/work.h"

enum { SEARCH_LINES = 20, SEARCH_JSON = 1000 };

static int
place_part(struct arena *a, const char *part, struct insight_place *out,
    struct err *err)
{
    static const char *const known[] = {
        "rows", "fields", "density", "family", "sequence"};
    char *eq = strchr(part, '='), *end = NULL;
    const char *name =
        eq != NULL ? arena_strndup(a, part, (size_t)(eq - part)) : part;
    const char *value = eq != NULL ? eq + 1 : "";
    double *number = strcmp(name, "rows") == 0      ? &out->rows
                     : strcmp(name, "fields") == 0  ? &out->fields
                     : strcmp(name, "density") == 0 ? &out->density
                                                    : NULL;
    if (strcmp(name, "family") == 0 && value[0] != '\0') {
        out->family = value;
        return 0;
    }
    if (strcmp(name, "sequence") == 0 &&
        (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)) {
        out->sequence = value[0] == 'y' ? 1 : -1;
        return 0;
    }
    if (number != NULL) {
        *number = strtod(value, &end);
        if (end != value && *end == '\0' && isfinite(*number) && *number > 0)
            return 0;
        return err_set(
            err, -ERR_INPUT, "%s: a number above zero is meant", part);
    }
    const char *near = near_word(name, known, 5);
    return err_set(err, -ERR_INPUT,
        "\"%s\" tells no context%s%s\n  known: rows=N fields=N density=X "
        "family=NAME sequence=yes|no, joined by commas",
        part, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

int
insight_place_read(struct arena *a, const char *text, struct insight_place *out,
    struct err *err)
{
    memset(out, 0, sizeof *out);
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, ",");
        int rc = place_part(a, arena_strndup(a, p, n), out, err);
        if (rc != 0)
            return rc;
        p += n + (p[n] == ',');
    }
    return 0;
}

int
insight_place_of(struct arena *a, const struct project *p,
    struct insight_place *out, struct err *err)
{
    const char *text = p->insights_context;
    int rc = insight_place_read(a, text != NULL ? text : "", out, err);
    if (rc != 0)
        memset(out, 0, sizeof *out);
    return rc != 0 ? err_wrap(err, rc, "[insights] context = \"%s\"", text) : 0;
}

static void
hits_json(struct call *call, const struct insight_hit *hit, size_t n)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "insights");
    jw_arr_begin(&w);
    for (size_t i = 0; i < n; i++)
        insight_json(&w, &hit[i].row);
    jw_arr_end(&w);
    jw_key(&w, "scores");
    jw_arr_begin(&w);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(&w);
        jw_kf64(&w, "text", hit[i].text);
        jw_kf64(&w, "context", hit[i].place);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

/* Infrastructure says nothing of an idea: told apart from what was learnt. */
static void
hits_count(struct call *call, const struct insight_hit *hit, size_t n)
{
    size_t of[INSIGHT_VERDICT_COUNT] = {0};
    for (size_t i = 0; i < n; i++)
        of[hit[i].row.verdict]++;
    say(call, "%zu shown: %zu gain, %zu null, %zu loss, %zu unstable", n,
        of[INSIGHT_POSITIVE], of[INSIGHT_NULL], of[INSIGHT_NEGATIVE],
        of[INSIGHT_UNSTABLE]);
    if (of[INSIGHT_FAILED] > 0)
        say(call, "; %zu not judged (infrastructure failed)",
            of[INSIGHT_FAILED]);
    say(call, "\n");
}

static int
verdict_check(const char *name, struct err *err)
{
    const char *known[INSIGHT_VERDICT_COUNT];
    for (uint32_t i = 0; i < INSIGHT_VERDICT_COUNT; i++)
        known[i] = insight_verdict_name(i);
    for (uint32_t i = 1; name != NULL && i < INSIGHT_VERDICT_COUNT; i++)
        if (strcmp(known[i], name) == 0)
            return 0;
    if (name == NULL)
        return 0;
    const char *near = near_word(name, known + 1, INSIGHT_VERDICT_COUNT - 1);
    return err_set(err, -ERR_INPUT,
        "--verdict=%s is not known%s%s; there are positive, null, negative, "
        "unstable and failed",
        name, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

static int
insight_search_run(struct call *call, struct err *err)
{
    struct buf text = {0};
    struct insights *db = NULL;
    struct insight_hit *hit = NULL;
    struct insight_place like;
    const char *at = call_opt(call, "like-context");
    size_t n = 0;
    double max = call->json ? SEARCH_JSON : SEARCH_LINES;
    for (uint32_t i = 0; i < call->n_args; i++)
        buf_printf(&text, "%s%s", i > 0 ? " " : "", call->args[i]);
    struct insight_query q = {.text = buf_str(&text),
        .knob = call_opt(call, "knob"),
        .technique = call_opt(call, "technique"),
        .concept = call_opt(call, "concept"),
        .family = call_opt(call, "family"),
        .verdict = call_opt(call, "verdict"),
        .before = call_opt(call, "before"),
        .promoted_only = call_has(call, "promoted"),
        .own_only = call_has(call, "own")};
    int rc = verdict_check(q.verdict, err);
    if (rc == 0)
        rc = call_opt_num(call, "max", &max, err);
    if (rc == 0 && at != NULL)
        rc = insight_place_read(call->arena, at, &like, err);
    q.max = max < 10000 ? (uint32_t)max : 10000;
    if (rc == 0)
        rc = work_insights(call, INSIGHT_READ, &db, err);
    if (rc == 0)
        rc = insight_search(
            db, &q, at != NULL ? &like : NULL, call->arena, &hit, &n, err);
    insight_close(db);
    buf_fini(&text);
    if (rc != 0)
        return rc;
    if (call->json) {
        hits_json(call, hit, n);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        insight_line(call, &hit[i].row);
    if (n == 0)
        say(call, "no insight matches; every finished campaign adds its own\n");
    else
        hits_count(call, hit, n);
    call_next(call, n > 0 ? "rea insight show I%lld" : "rea insight list",
        n > 0 ? (long long)hit[0].row.id : 0LL);
    return 0;
}

static const struct cmd_opt search_opts[] = {
    {"knob", 0, "NAME", "only changes of this knob"},
    {"technique", 0, "ID", "only this technique"},
    {"concept", 0, "NAME", "only this concept"},
    {"family", 0, "NAME", "only this model family"},
    {"verdict", 0, "NAME", "positive, null, negative, unstable or failed"},
    {"like-context", 0, "NAME=X,..",
        "the likest places first: rows, fields, density, family, sequence"},
    {"before", 0, "DATE", "only what was seen before this day"},
    {"promoted", 0, NULL, "only those an engineer has checked"},
    {"own", 0, NULL, "without the public set that is shipped"},
    {"max", 0, "N", "at most so many"}, {0}};

const struct cmd cmd_insight_search = {.name = "insight search",
    .args = "[WORDS...]",
    .max_args = CMD_ARGS_MAX,
    .help = "insights by words, knob, technique and context",
    .more = "Words rank by BM25, contexts by likeness of rows, fields, density "
            "and family; asked for both, the two rankings are fused. Filters "
            "hold for all. What infrastructure ended is counted apart.",
    .example = "rea insight search dropout --verdict=negative "
               "--like-context=rows=40000,fields=24,family=dcnv2",
    .opts = search_opts,
    .run = insight_search_run};
