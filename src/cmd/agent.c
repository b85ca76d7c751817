/* Starts rea-agent and takes its words. Called by plan, research agent,
 * report, sweep and at gates.
 * Invariant: whatever the program does, hangs, or writes, the verb goes on;
 * and what it wrote enters the log only through the same checks that an
 * engineer's own idea passes. */
#include "cmd/agent.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/child.h"
#include "report/load.h"
#include "research/candidate.h"
#include "research/draft.h"

enum {
    AGENT_TIME_MS = 30 * 60 * 1000,
    LOOK_TIME_MS = 60 * 1000,
    RESULT_BYTES_MAX = 4 << 20,
    WHY_SHOWN = 300,
};

/* ---- the program ---- */

/* rea-agent beside this program; NULL: it is not there. */
static const char *
program_in(struct arena *a)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return NULL;
    self[n] = '\0';
    const char *path = fs_join_in(a, fs_dir_in(a, self), "rea-agent");
    return fs_is_file(path) ? path : NULL;
}

/* The last line of what the program printed, for people. */
static const char *
complaint_in(struct arena *a, const struct buf *out, int code)
{
    size_t end = out->len;
    while (end > 0 && out->data[end - 1] == '\n')
        end--;
    size_t from = end;
    while (from > 0 && out->data[from - 1] != '\n')
        from--;
    if (code == 124)
        return "it took too long; the conversation goes on next time";
    if (end == from)
        return arena_printf(a, "rea-agent ended with %d", code);
    return arena_printf(a, "%.*s",
        (int)(end - from > WHY_SHOWN ? WHY_SHOWN : end - from),
        out->data + from);
}

static int
program_run(struct call *call, const char *const *argv, const char *root,
    const char **why)
{
    struct buf out = {0};
    struct err err = {0};
    int code = 0;
    if (isatty(STDERR_FILENO) && !call->quiet && !call->json)
        fprintf(stderr, "asking the model ...\n");
    int rc = child_run(argv, NULL, root, AGENT_TIME_MS, &out, &code, &err);
    if (rc != 0)
        *why = arena_strdup(call->arena, err.text);
    else if (code != 0)
        *why = complaint_in(call->arena, &out, code);
    buf_fini(&out);
    return rc != 0 ? rc : code;
}

static const char *
clock_in(struct arena *a, int64_t ms)
{
    time_t sec = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];
    localtime_r(&sec, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
    return arena_strdup(a, text);
}

/* What became of a conversation, in one line. */
static const char *
line_in(struct arena *a, const struct json *t)
{
    const char *status = json_get_str(t, "status");
    const char *why = json_get_str(t, "why");
    const char *model = json_get_str(t, "model");
    if (status == NULL || model == NULL)
        return "no reply of a model could be read: without it";
    if (strcmp(status, "later") == 0)
        return arena_printf(a,
            "%s says later: rea sweep goes on at %s, rea plan then takes its "
            "ideas",
            model, clock_in(a, json_get_i64(t, "wake_ms", 0)));
    if (strcmp(status, "done") != 0 && json_get_i64(t, "asked", 0) == 0)
        return arena_printf(
            a, "%s gave no reply (%s): without it", model, why ? why : "");
    return arena_printf(a,
        "%s: %zu ideas, %lld dropped on reflection; %lld replies, %lld tokens"
        "%s%s",
        model, json_len(json_get(t, "proposals")),
        (long long)json_get_i64(t, "dropped", 0),
        (long long)json_get_i64(t, "asked", 0),
        (long long)(json_get_i64(t, "tokens_in", 0) +
                    json_get_i64(t, "tokens_out", 0)),
        strcmp(status, "done") != 0 ? "; ended early: " : "",
        strcmp(status, "done") != 0 && why != NULL ? why : "");
}

void
agent_ask_model(struct call *call, const char *root, struct brief *b,
    struct agent_said *said)
{
    struct arena *a = call->arena;
    struct err err = {0};
    const char *dir = fs_join_in(a, root, ".rea/agent"), *why = NULL;
    const char *in = arena_printf(a, "%s/%d.brief", dir, (int)getpid());
    const char *out = arena_printf(a, "%s/%d.said", dir, (int)getpid());
    const char *program = program_in(a);
    const char *argv[] = {program, "talk", "--root", root, "--file", b->p->file,
        "--brief", in, "--out", out, NULL};
    *said = (struct agent_said){.scope_usd = NAN};
    bool priced =
        isfinite(b->p->model.price_in) && isfinite(b->p->model.price_out);
    if (b->p->spec.unit == UNIT_USD && !priced) {
        said->line = "a budget in usd needs price_in and price_out of [model] "
                     "(0 where it is free): without it";
        return;
    }
    if (program == NULL) {
        said->line = "rea-agent is not installed beside rea: without a model";
        return;
    }
    int rc = fs_mkdirs(dir, &err);
    if (rc == 0)
        rc = fs_write_atomic(in, buf_str(&b->text), b->text.len, false, &err);
    why = rc != 0 ? arena_strdup(a, err.text) : NULL;
    if (rc == 0)
        rc = program_run(call, argv, root, &why);
    const struct json *all =
        rc == 0 ? json_read(out, RESULT_BYTES_MAX, &err) : NULL;
    (void)fs_remove(in, &err);
    (void)fs_remove(out, &err);
    said->talk = json_kind(json_get(all, "talk")) == J_OBJ
                     ? json_get(all, "talk")
                     : NULL;
    said->scope_usd = json_get_num(all, "scope_usd", NAN);
    said->line = said->talk != NULL ? line_in(a, said->talk)
                                    : arena_printf(a,
                                          "the model was not asked (%s): "
                                          "without it",
                                          why != NULL ? why : "no result");
}

/* Runs it for what it prints. */
static int
program_look(struct call *call, const char *const *argv, const char *root,
    struct buf *out, struct err *err)
{
    int code = 0;
    if (argv[0] == NULL)
        return err_set(err, -ERR_NOT_FOUND,
            "rea-agent is not installed beside rea\n  remedy: make all");
    int rc = child_run(argv, NULL, root, LOOK_TIME_MS, out, &code, err);
    if (rc == 0 && code != 0) {
        rc = err_set(err, code == 2 ? -ERR_INPUT : -ERR_SYS, "%s",
            complaint_in(call->arena, out, code));
        buf_clear(out);
    }
    return rc;
}

int
agent_show(struct call *call, const char *root, const char *number,
    struct buf *out, struct err *err)
{
    const char *argv[] = {
        program_in(call->arena), "show", "--root", root, number, NULL};
    return program_look(call, argv, root, out, err);
}

int
agent_would_send(struct call *call, const char *root, struct brief *b,
    struct buf *out, struct err *err)
{
    struct arena *a = call->arena;
    const char *dir = fs_join_in(a, root, ".rea/agent");
    const char *in = arena_printf(a, "%s/%d.brief", dir, (int)getpid());
    const char *argv[] = {program_in(a), "explain", "--root", root, "--file",
        b->p->file, "--brief", in, NULL};
    struct err ignored = {0};
    int rc = fs_mkdirs(dir, err);
    if (rc == 0)
        rc = fs_write_atomic(in, buf_str(&b->text), b->text.len, false, err);
    if (rc == 0)
        rc = program_look(call, argv, root, out, err);
    (void)fs_remove(in, &ignored);
    return rc;
}

void
agent_say(struct call *call, const struct agent_said *said)
{
    if (said->line == NULL || call->quiet)
        return;
    if (call->json)
        fprintf(stderr, "model: %s\n", said->line);
    else
        say(call, "model: %s\n", said->line);
}

/* The campaign that a plan of this model becomes or replaces, and the last one
 * that measured something; 0: none. */
static int
campaigns_of(struct store *st, const char *model, uint32_t *next,
    uint32_t *measured, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    int rc = store_campaigns(st, &v, &n, err);
    *next = n > 0 ? v[n - 1].id + 1 : 1;
    *measured = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (strcmp(v[i].model, model) != 0)
            continue;
        uint8_t state = v[i].brief.state;
        if (state == CAMPAIGN_DRAFT || state == CAMPAIGN_APPROVED)
            *next = v[i].id;
        if (v[i].brief.ok > 0)
            *measured = v[i].id;
    }
    free(v);
    return rc;
}

int
agent_plan(struct call *call, const char *root, struct store *st,
    const struct project *p, const struct event *draft, uint32_t n,
    uint32_t most, struct agent_said *said, struct err *err)
{
    struct brief b;
    struct report *r = NULL;
    uint32_t next = 0, measured = 0;
    bool history = true;
    int rc = campaigns_of(st, p->spec.model, &next, &measured, err);
    if (rc == 0)
        rc = call_opt_bool(call, "from-insights", true, &history, err);
    if (rc == 0 && history && measured != 0) {
        r = report_load(st, measured, err);
        rc = r == NULL ? err->code : 0;
    }
    if (rc != 0)
        return rc;
    brief_begin(&b, call, "hypotheses", p, next, call_opt(call, "before"));
    if (!history) /* an ablation: what was learnt stays out of it */
        jw_kbool(&b.w, "insights", false);
    brief_planned(&b, &p->spec, draft, n, NULL);
    brief_history(&b, r);
    if (r != NULL)
        rc = brief_logs(&b, st, r, 0, err);
    brief_limits(&b, most, st, 0, NULL);
    brief_end(&b);
    if (rc == 0)
        agent_ask_model(call, root, &b, said);
    brief_fini(&b);
    report_free(r);
    return rc;
}

/* ---- its ideas ---- */

/* The changes of one idea; false: it does not pass. */
static bool
change_of(const struct spec *s, const struct json *idea, struct change *out)
{
    const struct json *list = json_get(idea, "changes");
    struct err ignored = {0};
    memset(out, 0, sizeof *out);
    if (json_len(list) == 0 || json_len(list) > OVERRIDES_MAX)
        return false;
    for (size_t i = 0; i < json_len(list); i++) {
        const char *name = json_get_str(json_at(list, i), "knob");
        const char *text = json_get_str(json_at(list, i), "value");
        int k = name != NULL ? spec_knob(s, name) : -1;
        if (k < 0 || text == NULL)
            return false;
        struct override *o = &out->over[out->n_over++];
        o->knob = (uint32_t)k;
        if (knob_read(s, o->knob, text, &o->value, &ignored) != 0)
            return false;
    }
    return true;
}

/* The rows it cites, and by whom and in which conversation it was said. */
static const char *
evidence_in(struct arena *a, const struct json *idea, const struct json *talk)
{
    struct buf b = {0};
    struct jw w;
    const struct json *list = json_get(idea, "evidence");
    jw_init(&w, &b, 0);
    jw_arr_begin(&w);
    for (size_t i = 0; i < json_len(list); i++) {
        struct buf one = {0};
        json_dump(json_at(list, i), &one);
        jw_raw(&w, buf_str(&one));
        buf_fini(&one);
    }
    jw_obj_begin(&w);
    jw_kstr(&w, "kind", "model");
    jw_key(&w, "title");
    jw_printf(&w, "proposed by %s", json_get_str(talk, "model"));
    jw_kstr(&w, "judged", json_get_str(idea, "relation"));
    jw_kstr(&w, "conversation", json_get_str(talk, "hash"));
    jw_obj_end(&w);
    jw_arr_end(&w);
    const char *text = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static double
cost_of(const struct spec *s, const struct change *c, struct arena *a)
{
    struct candidates *all = arena_alloc(a, sizeof *all);
    double cost = 1;
    candidates_init(all, s, a);
    for (uint32_t i = 0; i < c->n_over; i++)
        cost *= candidate_cost(all, &c->over[i]);
    return cost;
}

static bool
idea_event(struct call *call, const struct spec *s, struct insights *db,
    const struct json *idea, const struct json *talk, struct event *out)
{
    struct change c;
    struct err ignored = {0};
    struct arena *a = call->arena;
    const char *statement = json_get_str(idea, "statement");
    const char *why = json_get_str(idea, "rationale");
    if (statement == NULL || why == NULL || !change_of(s, idea, &c) ||
        change_event(call, s, db, &c, arena_strdup(a, statement),
            arena_strdup(a, why), out, &ignored) != 0)
        return false;
    out->source = SOURCE_RESEARCH;
    out->by = NULL;
    out->score = cost_of(s, &c, a);
    out->evidence = evidence_in(a, idea, talk);
    return strlen(out->evidence) < EVENT_TEXT_MAX;
}

int
agent_ideas(struct call *call, const struct spec *s, struct insights *db,
    const struct agent_said *said, struct event **out, uint32_t *n,
    struct err *err)
{
    const struct json *list = json_get(said->talk, "proposals");
    size_t most = json_len(list);
    (void)err;
    *out = arena_alloc(call->arena, sizeof(**out) * (most + 2));
    *n = 0;
    for (size_t i = 0; i < most && *n < HYPOTHESES_MAX; i++)
        if (idea_event(call, s, db, json_at(list, i), said->talk, &(*out)[*n]))
            (*n)++;
    return 0;
}

/* ---- what it cost ---- */

bool
agent_fact(struct call *call, const struct agent_said *said,
    const char *purpose, const struct core *c, int64_t charged_u,
    struct event *out)
{
    const char *hash = json_get_str(said->talk, "hash");
    const char *model = json_get_str(said->talk, "model");
    if (hash == NULL || model == NULL ||
        json_get_i64(said->talk, "asked", 0) == 0)
        return false;
    *out = (struct event){.kind = EVENT_answer_arrived,
        .hash = arena_strdup(call->arena, hash),
        .by = arena_strdup(call->arena, model),
        .key = purpose,
        .tokens_in = json_get_i64(said->talk, "tokens_in", 0),
        .tokens_out = json_get_i64(said->talk, "tokens_out", 0),
        .value = isfinite(said->scope_usd) ? said->scope_usd : 0};
    bool pays =
        c != NULL && c->spec.unit == UNIT_USD && c->state >= CAMPAIGN_APPROVED;
    int64_t owed = (int64_t)ceil(out->value * MICRO) - charged_u;
    if (pays && owed > 0) {
        /* the ledger's limit keeps it within this; never more than is left */
        int64_t left = c->approved_u - c->spent_u - c->reserved_u;
        out->cost_u = owed < left ? owed : left;
    }
    return true;
}

struct charged {
    int64_t cost_u, charged_u;
    const char *hash; /* a reply that is looked for; NULL: none */
    bool known;
};

static int
charged_add(void *ctx, const struct event *e)
{
    struct charged *c = ctx;
    if (e->kind != EVENT_answer_arrived)
        return 0;
    int64_t u = (int64_t)ceil(e->value * MICRO);
    c->cost_u = u > c->cost_u ? u : c->cost_u;
    c->charged_u += e->cost_u;
    c->known = c->known || (c->hash != NULL && e->hash != NULL &&
                               strcmp(c->hash, e->hash) == 0);
    return 0;
}

int
agent_charged(struct store *st, uint32_t campaign, int64_t *cost_u,
    int64_t *charged_u, struct err *err)
{
    struct charged c = {0};
    int rc = store_events(st, campaign, 1, charged_add, &c, err);
    *cost_u = c.cost_u;
    *charged_u = c.charged_u;
    return rc;
}

bool
agent_logged(struct store *st, uint32_t campaign, const struct agent_said *said)
{
    struct charged c = {.hash = json_get_str(said->talk, "hash")};
    struct err ignored = {0};
    return store_events(st, campaign, 1, charged_add, &c, &ignored) == 0 &&
           c.known;
}

/* ---- at a gate, at the end, between ---- */

/* What a question to the model about a campaign needs; report_free. NULL: no
 * model is configured, or something is missing. */
static struct report *
subject(
    struct call *call, struct store *st, uint32_t campaign, struct project **p)
{
    struct err ignored = {0};
    if (work_project(call, st, campaign, p, &ignored) != 0 || !(*p)->model.on)
        return NULL;
    return report_load(st, campaign, &ignored);
}

/* Logs a reply; *e has its texts. The state is read again: while the model
 * thought, jobs have been paid. What can't be logged is told, not fatal. */
static void
fact_log(struct call *call, struct store *st, uint32_t campaign,
    struct agent_said *said, const char *purpose, struct event *e)
{
    struct err err = {0};
    struct wake_result result;
    struct event fact;
    struct core *core = NULL;
    /* a callback and a waiting verb may have asked the same at once */
    struct charged c = {.hash = json_get_str(said->talk, "hash")};
    int rc = store_load(st, campaign, &core, &err);
    if (rc == 0)
        rc = store_events(st, campaign, 1, charged_add, &c, &err);
    if (rc == 0 && !c.known &&
        agent_fact(call, said, purpose, core, c.charged_u, &fact)) {
        fact.why = e->why;
        fact.statement = e->statement;
        fact.trial = e->trial;
        fact.remedy = e->remedy;
        rc = work_facts(call, st, campaign, &fact, 1, true, &result, &err);
    }
    free(core);
    if (rc == 0)
        return;
    said->line = arena_printf(
        call->arena, "its reply could not be logged: %.400s", err.text);
    agent_say(call, said);
}

static uint32_t
remedy_named(const char *name)
{
    for (uint32_t i = REMEDY_NONE + 1; i < REMEDY_HALT; i++)
        if (name != NULL && strcmp(remedy_name(i), name) == 0)
            return i;
    return REMEDY_NONE;
}

/* Has this gate been looked at already? */
static bool
was_asked(const struct report *r, const char *purpose)
{
    bool asked = false;
    for (uint32_t i = 0; i < r->answers.n; i++)
        asked = asked || strcmp(r->answers.v[i].purpose, purpose) == 0;
    for (uint32_t i = 0; i < r->lines.n; i++)
        if (r->lines.v[i].kind == EVENT_campaign_resumed &&
            strcmp(purpose, "diagnosis") == 0)
            asked = asked && r->answers.n > 0 &&
                    r->answers.v[r->answers.n - 1].seq > r->lines.v[i].seq;
    return asked;
}

/* The right to ask of this campaign's own accord: several wakes may come to one
 * gate together, and one question is enough. -1: another process asks. It ends
 * with close, or with the process. */
static int
asking_take(struct call *call, struct store *st, uint32_t campaign, bool waits)
{
    const char *path = arena_printf(
        call->arena, "%s/lease/C%" PRIu32 ".ask", store_dir(st), campaign);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
diagnose(struct call *call, struct store *st, uint32_t campaign)
{
    struct project *p = NULL;
    struct brief b;
    struct agent_said said;
    struct err ignored = {0};
    struct report *r = subject(call, st, campaign, &p);
    if (r == NULL)
        return;
    uint32_t n = r->failures.n;
    const struct core *c = r->core;
    uint32_t trial = n > 0 ? r->failures.v[n - 1].trial : 0;
    bool unknown = c->state == CAMPAIGN_HALTED && trial >= 1 &&
                   trial <= c->n_trials && c->trial[trial - 1].class == 0;
    if (!unknown || was_asked(r, "diagnosis")) {
        report_free(r);
        return;
    }
    brief_begin(&b, call, "diagnosis", p, campaign, NULL);
    brief_history(&b, r);
    brief_failure(&b, r, n - 1);
    int rc = brief_logs(&b, st, r, trial, &ignored);
    brief_limits(&b, 0, st, campaign, r->core);
    brief_end(&b);
    if (rc == 0) {
        agent_ask_model(call, store_root(st), &b, &said);
        const struct json *d = json_get(said.talk, "result");
        const char *text = json_get_str(d, "explanation");
        const char *ask = json_get_str(d, "question");
        struct event e = {
            .trial = trial, .remedy = remedy_named(json_get_str(d, "remedy"))};
        if (text != NULL && ask != NULL) {
            e.why = arena_printf(call->arena, "%.600s%s%.300s", text,
                ask[0] != '\0' ? " - question to you: " : "", ask);
            fact_log(call, st, campaign, &said, "diagnosis", &e);
        }
    }
    brief_fini(&b);
    report_free(r);
}

void
agent_diagnose(
    struct call *call, struct store *st, uint32_t campaign, bool waits)
{
    int fd = asking_take(call, st, campaign, waits);
    if (fd < 0)
        return;
    diagnose(call, st, campaign);
    close(fd);
}

void
agent_summarise(struct call *call, struct store *st, uint32_t campaign)
{
    struct project *p = NULL;
    struct brief b;
    struct agent_said said = {0};
    struct report *r = subject(call, st, campaign, &p);
    bool over = r != NULL && (r->core->state == CAMPAIGN_DONE ||
                                 r->core->state == CAMPAIGN_STOPPED);
    if (!over || was_asked(r, "summary")) {
        report_free(r);
        return;
    }
    struct buf json = {0};
    report_json(r, &json);
    brief_begin(&b, call, "summary", p, campaign, NULL);
    jw_key(&b.w, "report");
    jw_raw(&b.w, buf_str(&json));
    brief_limits(&b, 0, st, campaign, r->core);
    brief_end(&b);
    agent_ask_model(call, store_root(st), &b, &said);
    const struct json *d = json_get(said.talk, "result");
    const char *text = json_get_str(d, "paragraph");
    int64_t dropped = json_get_i64(d, "dropped", 0);
    struct event e = {0};
    if (dropped > 0)
        e.why = arena_printf(call->arena,
            "%lld sentences with numbers that are not in the report were "
            "dropped",
            (long long)dropped);
    if (text != NULL) {
        e.statement = arena_printf(call->arena, "%.4000s", text);
        fact_log(call, st, campaign, &said, "summary", &e);
    } else {
        agent_say(call, &said);
    }
    buf_fini(&json);
    brief_fini(&b);
    report_free(r);
}

void
agent_sweep(struct call *call, const char *root)
{
    struct arena *a = call->arena;
    struct buf text = {0};
    struct err ignored = {0};
    const char *path = fs_join_in(a, root, ".rea/agent.wake"), *why = NULL;
    const char *program;
    if (!fs_is_file(path))
        return;
    bool due = fs_read(path, 64, &text, &ignored) == 0 &&
               strtoll(buf_str(&text), NULL, 10) <= wake_now_ms();
    buf_fini(&text);
    if (!due || (program = program_in(a)) == NULL)
        return;
    const char *argv[] = {program, "resume", "--root", root, NULL};
    struct agent_said said = {.scope_usd = NAN};
    said.line = program_run(call, argv, root, &why) == 0
                    ? "a conversation went on; rea plan takes its ideas"
                    : arena_printf(a, "a conversation could not go on: %s",
                          why != NULL ? why : "");
    agent_say(call, &said);
}
