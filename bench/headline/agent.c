/* The arm of rea: plan, approve, run --wait, accept, as an engineer types
 * them, in a workspace of its own. Its money is the processor time that the
 * jobs report; baseline repeats and confirmation are paid from it. */
#include "arms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/child.h"
#include "base/rng.h"

enum { WAIT_MS = 3600000, WORDS_MAX = 16 };
/* Random ideas of arm chance: as many as a draft holds. */
enum { CHANCE_IDEAS = 24, CHANCE_DRAWS = 1000 };

static const struct agent_arm {
    const char *name;
    bool insights, research, corpus; /* where ideas may come from */
    bool chance;                     /* random changes in their place */
    bool keeps;                      /* what it learnt is of use later */
    bool tells;                      /* its ideas go into the results */
} agent_arms[] = {
    {"rea", true, true, false, false, true, false},
    {"rea-alone", false, true, false, false, true, false},
    {"library", false, true, false, false, true, false},
    {"both", true, true, true, false, false, true},
    {"insights", true, false, false, false, false, true},
    {"research", false, true, true, false, false, true},
    {"chance", false, false, false, true, false, true},
};
/* What was published before the backbone that the live tasks offer. */
static const char library_cut[] = "--library=2021-12-31";

static const struct agent_arm *
agent_find(const char *name)
{
    for (size_t i = 0; i < sizeof agent_arms / sizeof *agent_arms; i++)
        if (strcmp(agent_arms[i].name, name) == 0)
            return &agent_arms[i];
    return NULL;
}

bool
agent_has(const char *arm)
{
    return agent_find(arm) != NULL;
}

/* Runs one verb; its JSON, where it prints some and out is given. */
static int
verb(const struct arm_run *r, const char *const *words, struct json **out,
    struct err *err)
{
    const char *argv[WORDS_MAX] = {r->p->rea, "-C", r->root};
    const char *env[] = {
        arena_printf(r->a, "REA_SEED=%u", r->seed), "GIT_DIR=/dev/null", NULL};
    size_t n = 3;
    struct buf text = {0};
    int code = 0;
    if (out != NULL)
        argv[n++] = "--json";
    for (; *words != NULL; words++)
        argv[n++] = *words;
    int rc = child_run(argv, env, r->root, WAIT_MS, &text, &code, err);
    if (rc == 0 && code != 0)
        rc = err_set(err, -ERR_SYS, "rea %s: exit %d: %.300s",
            argv[out != NULL ? 4 : 3], code, buf_str(&text));
    if (rc == 0 && out != NULL) {
        *out = json_parse(buf_str(&text), text.len, err);
        rc = *out == NULL ? -ERR_INPUT : 0;
    }
    buf_fini(&text);
    return rc;
}

static int
knowledge_give(
    const struct arm_run *r, const struct agent_arm *arm, struct err *err)
{
    int rc = 0;
    if (r->insights != NULL) {
        const char *file = fs_join_in(r->a, r->root, "earlier.jsonl");
        const char *import[] = {"insight", "import", file, NULL};
        rc =
            fs_write_atomic(file, r->insights, strlen(r->insights), false, err);
        if (rc == 0)
            rc = verb(r, import, NULL, err);
    }
    if (rc == 0 && arm->corpus && r->p->papers == NULL)
        rc = err_set(err, -ERR_INPUT, "arm %s needs --papers=FILE", arm->name);
    if (rc == 0 && arm->corpus) {
        const char *add[] = {"research", "add", r->p->papers, NULL};
        rc = verb(r, add, NULL, err);
    }
    return rc;
}

/* One random knob that is active in the defaults gets a random value. */
static const char *
chance_word(const struct arm_run *r, struct rng *rng)
{
    const struct spec *s = &r->project->spec;
    for (int i = 0; i < CHANCE_DRAWS; i++) {
        struct config base, c;
        char text[TEXT_LEN];
        config_default(s, &base);
        config_canon(s, &base);
        c = base;
        uint32_t k = (uint32_t)rng_below(rng, s->n_knobs);
        if (!knob_is_active(s, &base, k))
            continue;
        c.v[k] = knob_draw(&s->knob[k], rng);
        config_canon(s, &c);
        knob_format(&s->knob[k], c.v[k], text, sizeof text);
        if (!config_equal(s, &c, &base) && config_is_valid(s, &c))
            return arena_printf(r->a, "%s=%s", s->knob[k].name, text);
    }
    return NULL;
}

/* An idea that is there already is refused; another is drawn. */
static int
chance_give(const struct arm_run *r, struct err *err)
{
    struct rng rng;
    uint32_t given = 0;
    rng_seed2(&rng, r->seed, 0x6368616e6365);
    for (int i = 0; i < 2 * CHANCE_IDEAS && given < CHANCE_IDEAS; i++) {
        const char *word = chance_word(r, &rng);
        const char *add[] = {"try", word, NULL};
        if (word != NULL && verb(r, add, NULL, err) == 0)
            given++;
    }
    return given > 0 ? 0 : err_wrap(err, err->code, "no random idea");
}

static int
plan_sign(const struct arm_run *r, struct err *err)
{
    const struct agent_arm *arm = agent_find(r->arm);
    struct json *plan = NULL;
    const char *words[WORDS_MAX] = {"plan"};
    size_t n = 1;
    if (!arm->insights)
        words[n++] = "--from-insights=no";
    if (!arm->research)
        words[n++] = "--from-research=no";
    if (arm->corpus)
        words[n++] = library_cut;
    int rc = knowledge_give(r, arm, err);
    if (rc == 0 && arm->chance) { /* a draft to add them to; it keeps them */
        rc = verb(r, words, NULL, err);
        if (rc == 0)
            rc = chance_give(r, err);
    }
    if (rc == 0)
        rc = verb(r, words, &plan, err);
    const char *hash = json_get_str(plan, "hash");
    const char *approve[] = {"approve", hash, NULL};
    if (rc == 0 && hash == NULL)
        rc = err_set(err, -ERR_INPUT, "a plan without its hash");
    if (rc == 0)
        rc = verb(r, approve, NULL, err);
    json_free(plan);
    return rc;
}

/* The hypotheses of a report, without their long texts. */
static const char *
ideas_in(struct arena *a, const struct json *report)
{
    const struct json *list = json_get(report, "hypotheses");
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_arr_begin(&w);
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *h = json_at(list, i), *x = json_get(h, "effect");
        const struct json *cited = json_at(json_get(h, "evidence"), 0);
        const char *url = json_get_str(cited, "url");
        jw_obj_begin(&w);
        jw_kstr(&w, "id", json_get_str(h, "id"));
        jw_kstr(&w, "source", json_get_str(h, "source"));
        jw_kstr(&w, "statement", json_get_str(h, "statement"));
        jw_kstr(&w, "verdict", json_get_str(h, "verdict"));
        jw_ki64(&w, "trials", json_get_i64(h, "trials", 0));
        if (url != NULL)
            jw_kstr(&w, "cites", url);
        if (json_kind(x) == J_OBJ) {
            jw_kf64(&w, "mean", json_get_num(x, "mean", (double)NAN));
            jw_kf64(&w, "lo", json_get_num(x, "lo", (double)NAN));
            jw_kf64(&w, "hi", json_get_num(x, "hi", (double)NAN));
        }
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    const char *text = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static int
proposal_take(const struct arm_run *r, struct arm_result *out, struct err *err)
{
    struct json *j = NULL;
    const char *words[] = {"report", "C1", NULL};
    const char *accept[] = {"accept", "C1", NULL};
    int rc = verb(r, words, &j, err);
    if (rc != 0)
        return rc;
    const struct json *c = json_get(j, "campaign");
    const struct json *trials = json_get(c, "trials");
    const struct json *proposal = json_get(j, "proposal");
    out->spent_s =
        3600 * json_get_num(json_get(c, "budget"), "spent", (double)NAN);
    out->failed = (uint32_t)json_get_i64(trials, "failed", 0);
    out->trials = (uint32_t)json_get_i64(trials, "ok", 0) + out->failed;
    out->proposed = json_kind(proposal) == J_OBJ;
    out->valid =
        json_get_num(json_get(proposal, "search"), "candidate", (double)NAN);
    if (agent_find(r->arm)->tells)
        out->ideas = ideas_in(r->a, j);
    json_free(j);
    if (!out->proposed)
        return 0;
    struct project *after = NULL;
    rc = verb(r, accept, NULL, err);
    if (rc == 0)
        rc = project_load(r->a, r->root, "rea.toml", &after, err);
    if (rc == 0)
        config_default(&after->spec, &out->config);
    return rc;
}

/* Shims and wakes belong to nobody when their starter is gone: this process is
 * their reaper, so their time is in its children's. */
static double
children_cpu_s(void)
{
    struct rusage u;
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

void
agent_stop(struct arena *a, const struct places *p, const char *root)
{
    const char *argv[] = {p->rea, "-C", root, "stop", "C1", NULL};
    const char *env[] = {NULL};
    struct buf text = {0};
    int code = 0;
    if (fs_exists(fs_join_in(a, root, ".rea/rea.db")))
        (void)child_run(argv, env, root, WAIT_MS, &text, &code, NULL);
    buf_fini(&text);
}

int
agent_run(const struct arm_run *r, struct arm_result *out, struct err *err)
{
    const char *run[] = {"run", "C1", "--wait", NULL};
    const char *file = fs_join_in(r->a, r->root, "learnt.jsonl");
    const char *keep[] = {"insight", "export", "--own", "-o", file, NULL};
    struct buf text = {0};
    config_default(&r->project->spec, &out->config);
    config_canon(&r->project->spec, &out->config);
    out->valid = (double)NAN;
    int rc = plan_sign(r, err);
    if (rc == 0)
        rc = verb(r, run, NULL, err);
    if (rc == 0)
        rc = proposal_take(r, out, err);
    if (rc == 0 && agent_find(r->arm)->keeps) {
        rc = verb(r, keep, NULL, err);
        if (rc == 0)
            rc = fs_read(file, 0, &text, err);
        if (rc == 0)
            out->insights = arena_strdup(r->a, buf_str(&text));
    }
    buf_fini(&text);
    out->all_cpu_s = children_cpu_s();
    return rc;
}
