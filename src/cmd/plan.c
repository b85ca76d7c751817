/* rea plan: drafts a campaign for one model, hypotheses of both sources with
 * their predictions, phases, cost, and the hash to sign. Nothing is trained.
 * The invariant: what is drafted is a function of the project file, the two
 * databases and one random seed, all of them in the first events. */
#include "cmd/agent.h"
#include "cmd/draft.h"
#include "cmd/insight.h"
#include "cmd/pool.h"
#include "cmd/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/child.h"
#include "base/fs.h"
#include "papers/corpus.h"
#include "research/brought.h"
#include "research/draft.h"
#include "research/predict.h"
#include "research/insight.h"

struct plan {
    struct project *p;
    char project_hash[PROJECT_HASH_HEX];
    struct buf canon;
    int64_t budget_u;
    struct event *facts;
    size_t n;
};

enum { DRAFT_MAX = 24 };

/* What the plan is made of, by who says so. */
struct plan_ideas {
    struct event *draft, *model, *mine;
    uint32_t n_draft, n_model, n_mine;
    struct agent_said said;
};

static int
seed_random(uint64_t *seed, struct err *err)
{
    const char *fixed = getenv("REA_SEED");
    if (fixed != NULL && fixed[0] != '\0') {
        char *end = NULL;
        *seed = strtoull(fixed, &end, 10);
        if (*end != '\0')
            return err_set(
                err, -ERR_INPUT, "REA_SEED=%s: a whole number is meant", fixed);
        return 0;
    }
    ssize_t n = getrandom(seed, sizeof(*seed), 0);
    return n == (ssize_t)sizeof(*seed) ? 0 : err_sys(err, "getrandom");
}

static int
plan_project(
    struct call *call, const char *root, struct plan *plan, struct err *err)
{
    const char *file = call_opt(call, "file");
    int rc;
    if (file != NULL)
        rc = project_load(call->arena, root, file, &plan->p, err);
    else
        rc = project_find(call->arena, root,
            call->n_args > 0 ? call->args[0] : NULL, &plan->p, err);
    if (rc == -ERR_NOT_FOUND)
        return err_wrap(err, rc, "no plan without a project file");
    if (rc != 0)
        return rc;
    struct insight_place place;
    rc = insight_place_of(call->arena, plan->p, &place, err);
    if (rc != 0)
        return rc;
    project_hash(plan->p, plan->project_hash);
    project_canon(plan->p, &plan->canon);
    plan->budget_u = plan->p->spec.total_u;
    double budget = 0;
    rc = call_opt_num(call, "budget", &budget, err);
    if (rc != 0 || budget <= 0)
        return rc;
    if (budget * MICRO > (double)plan->p->spec.total_u)
        return err_set(err, -ERR_INPUT,
            "--budget=%g is more than [budget] total = %s %s\n"
            "  remedy: raise total in %s",
            budget, amount(call, plan->p->spec.total_u),
            unit_name(plan->p->spec.unit), plan->p->file);
    plan->budget_u = (int64_t)(budget * MICRO);
    return 0;
}

/* The workspace's papers; NULL where none were added. */
static int
plan_papers(
    struct call *call, const char *root, struct corpus **out, struct err *err)
{
    const char *path = fs_join_in(
        call->arena, fs_join_in(call->arena, root, ".rea"), "papers.db");
    if (!fs_exists(path))
        return 0;
    int rc = corpus_open(out, path, false, err);
    if (rc != 0)
        rc = err_wrap(err, rc, "papers (--from-research=no goes without)");
    return rc;
}

/* --library DATE: entries of later date count where the corpus names them. */
static int
plan_library(struct call *call, const char *root, struct draft_options *o,
    struct err *err)
{
    const char *cut = call_opt(call, "library");
    struct corpus *papers = NULL;
    if (cut == NULL || !o->from_research)
        return 0;
    bool *hidden = arena_alloc(call->arena, technique_count() * sizeof *hidden);
    const char *file = fs_join_in(call->arena, root, ".rea/papers.db");
    int rc = corpus_open(&papers, file, false, err);
    if (rc == 0)
        rc = techniques_hide(papers, cut, o->before, hidden, err);
    corpus_close(papers);
    o->hidden = hidden;
    return rc;
}

static int
plan_hypotheses(struct call *call, const char *root, const struct plan *plan,
    struct store *st, struct spec *s, struct event **out, uint32_t *n,
    struct err *err)
{
    struct draft_options o = {.max = plan->p->spec.max_hypotheses,
        .before = call_opt(call, "before")};
    struct insights *db = NULL;
    int rc = call_opt_bool(call, "from-insights", true, &o.from_insights, err);
    if (rc == 0)
        rc = call_opt_bool(call, "from-research", true, &o.from_research, err);
    if (rc == 0)
        rc = plan_library(call, root, &o, err);
    if (rc == 0 && o.from_insights)
        rc = plan_seen(call, st, s, &o.seen, err);
    if (rc != 0)
        return rc;
    if (o.from_insights)
        rc = insight_open(&db, work_insights_path(call, root, plan->p),
            INSIGHT_WRITE | INSIGHT_SEED, err);
    if (rc != 0)
        return err_wrap(err, rc, "insights (--from-insights=no goes without)");
    rc = o.from_research ? plan_papers(call, root, &o.corpus, err) : 0;
    if (rc == 0)
        rc = draft_hypotheses(s, db, &o, call->arena, out, n, err);
    corpus_close(o.corpus);
    o.corpus = NULL;
    if (rc == 0)
        rc = candidates_predict(s, db, &o, err);
    insight_close(db);
    return rc;
}

/* The ideas of a language model where one is configured, and the fact that it
 * was asked (kind 0: it was not). Of the places that a draft has it gets a
 * quarter; the least promising ideas of the draft make room. */
static int
plan_model(struct call *call, const char *root, struct store *st,
    const struct plan *plan, const struct spec *s, struct plan_ideas *out,
    struct err *err)
{
    bool wanted = true, research = true;
    struct insights *db = NULL;
    int rc = call_opt_bool(call, "model", true, &wanted, err);
    if (rc == 0)
        rc = call_opt_bool(call, "from-research", true, &research, err);
    if (rc != 0 || !plan->p->model.on || !wanted || !research)
        return rc;
    uint32_t max = s->max_hypotheses > 0 ? s->max_hypotheses : DRAFT_MAX;
    rc = agent_plan(call, root, st, plan->p, out->draft, out->n_draft,
        max > 4 ? max / 4 : 1, &out->said, err);
    agent_say(call, &out->said);
    if (rc != 0 || out->said.talk == NULL)
        return rc;
    rc = insight_open(
        &db, work_insights_path(call, root, plan->p), INSIGHT_READ, err);
    if (rc == 0)
        rc = agent_ideas(
            call, s, db, &out->said, &out->model, &out->n_model, err);
    insight_close(db);
    if (rc == 0 && out->n_draft + out->n_model > max && max > out->n_model)
        out->n_draft = max - out->n_model;
    return rc;
}

/* Expected cost of a job where `rea check` has measured one. */
static int64_t
plan_cost_hint(struct store *st, const struct plan *plan)
{
    struct buf b = {0};
    struct err ignored = {0};
    bool found = false;
    char key[80] = "probe_ms/";
    strncat(key, plan->p->spec.model, sizeof(key) - strlen(key) - 1);
    int64_t u = 0;
    if (store_kv_get(st, key, &found, &b, &ignored) == 0 && found)
        u = project_charge_u(plan->p, PHASE_NONE,
            strtoll(buf_str(&b), NULL, 10), plan->p->spec.reserve_train_u,
            false, false);
    buf_fini(&b);
    return u;
}

/* The last campaign of this model; id 0: none. */
static int
plan_last(struct store *st, const struct project *p, struct store_campaign *out,
    struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    out->id = 0;
    int rc = store_campaigns(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (strcmp(v[i].model, p->spec.model) == 0)
            *out = v[i];
    }
    free(v);
    return rc;
}

/* Ideas of the engineer from the draft that this plan replaces. */
static int
plan_carried(struct call *call, struct store *st, const struct plan *plan,
    struct event **out, uint32_t *n, struct err *err)
{
    struct store_campaign last;
    uint32_t lost = 0;
    *n = 0;
    int rc = plan_last(st, plan->p, &last, err);
    bool draft = last.brief.state == CAMPAIGN_DRAFT ||
                 last.brief.state == CAMPAIGN_APPROVED;
    if (rc != 0 || last.id == 0 || !draft)
        return rc;
    rc = draft_carry(call, st, last.id, &plan->p->spec, out, n, &lost, err);
    if (rc == 0 && lost > 0 && !call->json)
        say(call, "%u ideas of yours were left out: their knobs changed\n",
            lost);
    return rc;
}

/* Takes further ideas into the plan: one that it holds anyway is refused by
 * the engine and stays out. */
static void
plan_take(struct plan *plan, struct core *c, struct update *u,
    const struct event *e, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (core_step(c, &e[i], u) == 0)
            plan->facts[plan->n++] = e[i];
}

static int
plan_step(struct plan *plan, const struct plan_ideas *ideas, struct core *c,
    struct update *u, struct err *err)
{
    int rc = 0;
    memcpy(
        plan->facts + 1, ideas->draft, sizeof(*plan->facts) * ideas->n_draft);
    plan->n = ideas->n_draft + 1;
    for (size_t i = 0; i < plan->n && rc == 0; i++) {
        rc = core_step(c, &plan->facts[i], u);
        if (rc != 0)
            rc = err_set(err, rc, "draft, %s %zu: %s",
                event_name(plan->facts[i].kind), i, u->why);
    }
    return rc;
}

/* The commit that [patch] base names now: all jobs will run from it. *out
 * stays NULL without [patch]. */
static int
plan_base(struct call *call, const char *root, const struct project *p,
    const char **out, struct err *err)
{
    *out = NULL;
    if (!p->patch.on)
        return 0;
    *out = git_line(call->arena, root, NULL, "rev-parse", "--verify", "-q",
        "--end-of-options",
        arena_printf(call->arena, "%s^{commit}", p->patch.base), (char *)NULL);
    if (*out == NULL || strlen(*out) < 40 || strlen(*out) >= HASH_LEN)
        return err_set(err, -ERR_INPUT,
            "[patch] base = \"%s\" of %s is no commit of a git repository "
            "around %s\n  remedy: commit what the jobs shall run, or leave "
            "[patch] out",
            p->patch.base, p->file, root);
    /* a look that writes nothing, not even git's index */
    static const char *const quiet[] = {"GIT_OPTIONAL_LOCKS=0", NULL};
    const char *dirty = git_line(call->arena, root, quiet, "status",
        "--porcelain", "--untracked-files=no", (char *)NULL);
    if (dirty != NULL && dirty[0] != '\0' && !call->json)
        say(call,
            "changes that are not committed are in no run: jobs run from "
            "commit %.12s\n",
            *out);
    return 0;
}

static int
plan_facts(struct call *call, const char *root, struct store *st,
    struct plan *plan, struct err *err)
{
    struct plan_ideas ideas = {0};
    struct event answer;
    struct spec *s = arena_alloc(call->arena, sizeof *s);
    memcpy(s, &plan->p->spec, sizeof *s);
    const char *base = NULL;
    int rc = plan_base(call, root, plan->p, &base, err);
    if (rc == 0)
        rc = plan_hypotheses(
            call, root, plan, st, s, &ideas.draft, &ideas.n_draft, err);
    if (rc == 0)
        rc = plan_model(call, root, st, plan, s, &ideas, err);
    if (rc == 0)
        rc = plan_carried(call, st, plan, &ideas.mine, &ideas.n_mine, err);
    if (rc != 0)
        return rc;
    size_t len = spec_encode(s, NULL, 0);
    unsigned char *spec = arena_alloc(call->arena, len);
    spec_encode(s, spec, len);
    plan->facts = arena_alloc(
        call->arena, sizeof(*plan->facts) *
                         (ideas.n_draft + ideas.n_model + ideas.n_mine + 3));
    plan->facts[0] = (struct event){.kind = EVENT_campaign_drafted,
        .spec = spec,
        .spec_len = len,
        .base_rev = base,
        .cost_u = plan_cost_hint(st, plan)};
    rc = seed_random(&plan->facts[0].number, err);
    if (rc != 0)
        return rc;
    struct core *c = mem_calloc(1, sizeof(*c));
    struct update *u = mem_calloc(1, sizeof(*u));
    rc = plan_step(plan, &ideas, c, u, err);
    if (rc == 0 &&
        agent_fact(call, &ideas.said, "hypotheses", NULL, 0, &answer))
        plan_take(plan, c, u, &answer, 1);
    if (rc == 0) {
        plan_take(plan, c, u, ideas.model, ideas.n_model);
        for (uint32_t i = 0; i < ideas.n_mine; i++)
            if (patch_again(call, root, plan->p, c, &ideas.mine[i]))
                plan_take(plan, c, u, &ideas.mine[i], 1);
    }
    char *hash = arena_alloc(call->arena, HASH_LEN);
    if (rc == 0)
        plan_hash_text(plan->project_hash, c, plan->budget_u, hash);
    free(u);
    free(c);
    plan->facts[plan->n++] = (struct event){
        .kind = EVENT_plan_drafted, .hash = hash, .budget_u = plan->budget_u};
    return rc;
}

/* Does the engine see the same problem in both, the budget's size and what
 * earlier campaigns predict apart? */
static bool
spec_same(const struct spec *a, const struct spec *b)
{
    struct spec *x = mem_calloc(2, sizeof(*x));
    memcpy(&x[0], a, sizeof(*a));
    memcpy(&x[1], b, sizeof(*b));
    x[1].total_u = x[0].total_u;
    x[0].n_prior = x[1].n_prior = 0;
    size_t na = spec_encode(&x[0], NULL, 0), nb = spec_encode(&x[1], NULL, 0);
    unsigned char *ea = mem_calloc(1, na + 1), *eb = mem_calloc(1, nb + 1);
    spec_encode(&x[0], ea, na);
    spec_encode(&x[1], eb, nb);
    bool same = na == nb && memcmp(ea, eb, na) == 0;
    free(ea);
    free(eb);
    free(x);
    return same;
}

/* A campaign under way whose command or budget was edited: the same plan
 * under a new hash, to be signed again. */
static int
plan_again(struct call *call, struct store *st, const struct plan *plan,
    const struct store_campaign *last, struct err *err)
{
    struct core *c = NULL;
    struct event fact[1];
    int rc = store_load(st, last->id, &c, err);
    if (rc != 0)
        return rc;
    bool same = spec_same(&c->spec, &plan->p->spec);
    free(c);
    if (!same)
        return err_set(err, -ERR_APPROVAL,
            "C%u is %s on other knobs, metrics or phases than %s has now; its "
            "results cannot be mixed\n"
            "  remedy: restore %s and rea resume C%u; or rea stop C%u and "
            "rea plan",
            last->id, campaign_state_name(last->brief.state), plan->p->file,
            plan->p->file, last->id, last->id);
    rc = draft_amend(call, st, last->id, fact, 0, plan->budget_u, err);
    return rc;
}

static int
plan_store(struct call *call, struct store *st, struct plan *plan, uint32_t *id,
    struct err *err)
{
    struct store_campaign last;
    struct wake_opts opts = work_opts(call, WAKE_VERB);
    opts.no_submit = true;
    int rc = plan_last(st, plan->p, &last, err);
    if (rc != 0)
        return rc;
    *id = last.id;
    uint8_t state = last.brief.state;
    bool live =
        last.id != 0 && state >= CAMPAIGN_RUNNING && state <= CAMPAIGN_HALTED;
    if (live && strcmp(last.project_hash, plan->project_hash) == 0)
        return err_set(err, -ERR_INPUT,
            "C%u is %s on this project file already\n"
            "  remedy: rea status C%u; rea try NAME=VALUE adds an idea; rea "
            "stop C%u ends it",
            last.id, campaign_state_name(state), last.id, last.id);
    if (live)
        return plan_again(call, st, plan, &last, err);
    const char *canon = buf_str(&plan->canon);
    if (last.id != 0 && (state == CAMPAIGN_DRAFT || state == CAMPAIGN_APPROVED))
        return wake_redraft(st, last.id, plan->project_hash, canon, plan->facts,
            plan->n, &opts, err);
    return wake_create(st, plan->p->file, plan->project_hash, canon,
        plan->facts, plan->n, &opts, id, err);
}

static int
plan_run(struct call *call, struct err *err)
{
    struct plan plan = {0};
    struct store *st = NULL;
    const char *root = NULL;
    uint32_t id = 0;
    int rc = work_root(call, &root, err);
    if (rc == 0)
        rc = plan_project(call, root, &plan, err);
    if (rc == 0)
        rc = store_open(root, STORE_CREATE, &st, err);
    if (rc == 0)
        rc = plan_facts(call, root, st, &plan, err);
    if (rc == 0)
        rc = plan_store(call, st, &plan, &id, err);
    if (rc == 0)
        rc = pool_join(call, st, id, plan.p, plan.budget_u, err);
    if (rc == 0)
        rc = plan_show(call, st, id, err);
    store_close(st);
    buf_fini(&plan.canon);
    return rc;
}

static const struct cmd_opt plan_opts[] = {
    {"file", 'f', "FILE", "this project file, where there are several"},
    {"budget", 0, "N", "plan with less than the file's total"},
    {"from-insights", 0, "no", "without ideas from the insights database"},
    {"from-research", 0, "no",
        "without ideas from papers and the technique library"},
    {"model", 0, "no", "without asking the language model of [model]"},
    {"before", 0, "DATE", "know nothing dated later (YYYY-MM-DD)"},
    {"library", 0, "DATE",
        "techniques dated later only where a paper of the corpus names them"},
    {0}};

const struct cmd cmd_plan = {.name = "plan",
    .args = "[MODEL]",
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "draft a campaign: hypotheses, phases, cost, hash",
    .more = "Nothing is trained. A draft of the same model is replaced. A "
            "campaign under way whose command or budget was edited gets its "
            "plan under a new hash, to be signed again.",
    .example = "rea plan --budget 1.5",
    .opts = plan_opts,
    .run = plan_run};
