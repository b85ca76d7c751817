/* The engineer of a life: writes projects, signs plans, pauses, resumes and
 * stops campaigns, changes their mind. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "project/project.h"
#include "sim/system/life.h"
#include "store/store.h"
#include "wake/wake.h"

static const char PROJECT[] =
    "schema = 1\n"
    "[project]\n"
    "name = \"m%u\"\n"
    "[train]\n"
    "command = \"train {knobs} --out={metrics_file} {resume}\"\n"
    "seed = \"seed\"\n"
    "checkpoint = \"{run_dir}/last\"\n"
    "resume = \"--resume={checkpoint}\"\n"
    "[resources]\n"
    "time = \"%uh\"\n"
    "[metric.auc]\n"
    "primary = true\n"
    "goal = \"max\"\n"
    "min_gain = 1e-3\n"
    "from = \"jsonl\"\n"
    "key = \"auc\"\n"
    "[metric.test]\n"
    "role = \"sealed\"\n"
    "goal = \"max\"\n"
    "from = \"jsonl\"\n"
    "key = \"test\"\n"
    "[knob.lr]\n"
    "type = \"float\"\n"
    "range = [1e-4, 1.0]\n"
    "scale = \"log\"\n"
    "default = 1e-2\n"
    "[knob.dim]\n"
    "type = \"int\"\n"
    "range = [2, 64]\n"
    "default = 8\n"
    "[knob.batch]\n"
    "type = \"int\"\n"
    "range = [64, 8192]\n"
    "scale = \"log\"\n"
    "default = 1024\n"
    "[knob.epochs]\n"
    "type = \"int\"\n"
    "range = [1, 8]\n"
    "default = 8\n"
    "[baseline]\n"
    "seeds = 2\n"
    "[budget]\n"
    "unit = \"%s\"\n"
    "total = %u\n"
    "max_parallel = %u\n"
    "%s%s%s"
    "[backend]\n"
    "kind = \"recorded\"\n"
    "record = \"world.jsonl\"\n"
    "slots = %u\n";

static const char RUNGS[] = "[fidelity]\n"
                            "knob = \"epochs\"\n"
                            "rungs = [2, 4, 8]\n";

static const char WORLD[] =
    "{\"world\": {\"duration_ms\": 36000000, \"jitter\": 0.9, \"steps\": 8,"
    " \"metrics\": {\"auc\": {\"base\": 0.7, \"sd\": 0.0004},"
    " \"test\": {\"base\": 0.69, \"sd\": 0.0004}},"
    " \"effects\": [{\"knob\": \"lr\", \"value\": 0.1, \"gain\": 0.01},"
    " {\"knob\": \"dim\", \"value\": 32, \"gain\": -0.004}],"
    " \"failures\": [{\"reason\": \"exit\", \"exit_code\": 1, \"rate\": 0.2},"
    " {\"reason\": \"signal\", \"signal\": 11, \"rate\": 0.02},"
    " {\"reason\": \"preempted\", \"rate\": 0.05},"
    " {\"reason\": \"node-fail\", \"rate\": 0.03},"
    " {\"reason\": \"oom\", \"rate\": 0.03},"
    " {\"reason\": \"nan\", \"rate\": 0.02},"
    " {\"reason\": \"spike\", \"rate\": 0.01},"
    " {\"reason\": \"diverged\", \"rate\": 0.01},"
    " {\"reason\": \"hung\", \"rate\": 0.01},"
    " {\"reason\": \"disk-full\", \"rate\": 0.01},"
    " {\"reason\": \"launch-fail\", \"rate\": 0.01},"
    " {\"reason\": \"unknown\", \"rate\": 0.01}]}}\n";

static void
must(int rc, const struct err *err)
{
    if (rc != 0)
        law_broken("the beginning: %s", err->text);
}

static void
file_put(const char *name, const char *text)
{
    char path[192];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/%s", life.root, name);
    must(fs_write_atomic(path, text, strlen(text), false, &err), &err);
}

/* edited: it is another project, with one job more or less at once. */
static void
project_put(uint32_t campaign, bool edited)
{
    struct buf text = {0};
    char name[32];
    struct rng r;
    rng_seed2(&r, life.plan.seed, 100 + campaign);
    bool hours = rng_below(&r, 3) == 0;
    uint32_t total = 8 + (uint32_t)rng_below(&r, 24);
    buf_printf(&text, PROJECT, campaign, 12 + (unsigned)rng_below(&r, 24),
        hours ? "core_hours" : "trials", hours ? 10 * total : total,
        (life.plan.lonely ? 1 : 1 + (unsigned)rng_below(&r, 4)) + edited,
        hours && rng_below(&r, 2) == 0 ? "per_trial = 14\n" : "",
        !life.plan.lonely && rng_below(&r, 4) == 0 ? "wall_clock = \"12d\"\n"
                                                   : "",
        rng_below(&r, 3) == 0 && !life.plan.lonely ? RUNGS : "",
        2 + (unsigned)rng_below(&r, 6));
    snprintf(name, sizeof name, "m%u.toml", campaign);
    file_put(name, buf_str(&text));
    buf_fini(&text);
}

/* The facts of a plan: ideas that help, harm and do nothing. */
static uint32_t
facts_draft(
    const struct spec *s, const void *spec, size_t len, struct event facts[8])
{
    static const struct {
        const char *knob;
        double value;
    } ideas[] = {{"lr", .1}, {"dim", 32}, {"batch", 2048}, {"lr", .003}};
    uint32_t n = 0;
    facts[n++] = (struct event){.kind = EVENT_campaign_drafted,
        .spec = spec,
        .spec_len = len,
        .number = life.plan.seed & 0xffff};
    for (uint32_t i = 0; i < sizeof ideas / sizeof *ideas; i++)
        facts[n++] = (struct event){.kind = EVENT_hypothesis_added,
            .hypothesis = i + 1,
            .source = i % 2 ? SOURCE_RESEARCH : SOURCE_ENGINEER,
            .statement = "an idea",
            .mean = 1e-3,
            .sd = 2e-3,
            .n_over = 1,
            .over = {{(uint32_t)spec_knob(s, ideas[i].knob), ideas[i].value}}};
    facts[n++] = (struct event){.kind = EVENT_plan_drafted,
        .hash = "feedbeef00",
        .budget_u = s->total_u};
    return n;
}

static bool
is_pooled(void)
{
    return !life.plan.lonely && life.plan.seed % 3 == 0;
}

/* Money of one pool for all, a floor for each. */
static void
pool_enter(struct store *st, uint32_t id, struct event *approve)
{
    struct store_pool pool = {.name = "team",
        .unit = UNIT_TRIALS,
        .total_u = 14LL * life.n_campaigns * MICRO,
        .floor_u = 6LL * MICRO};
    struct err err = {0};
    must(store_begin(st, &err), &err);
    must(store_pool_put(st, &pool, &err), &err);
    must(store_pool_join(
             st, id, pool.name, 1, pool.floor_u, approve->budget_u, &err),
        &err);
    must(store_commit(st, &err), &err);
    approve->signed_u = approve->budget_u;
    approve->horizon_u = pool.total_u;
    approve->budget_u = pool.floor_u;
}

static void
campaign_begin(struct store *st, const char *name)
{
    struct arena a = {0};
    struct project *p = NULL;
    struct buf canon = {0};
    struct err err = {0};
    struct wake_result r;
    struct event facts[8];
    char hash[PROJECT_HASH_HEX];
    uint32_t id = 0;
    const struct wake_opts opts = {.no_submit = true, .program = ""};
    must(project_load(&a, life.root, name, &p, &err), &err);
    project_hash(p, hash);
    project_canon(p, &canon);
    size_t len = spec_encode(&p->spec, NULL, 0);
    unsigned char *spec = arena_alloc(&a, len);
    spec_encode(&p->spec, spec, len);
    uint32_t n = facts_draft(&p->spec, spec, len, facts);
    must(wake_create(
             st, name, hash, buf_str(&canon), facts, n, &opts, &id, &err),
        &err);
    struct event approve = {.kind = EVENT_plan_approved,
        .hash = "feedbeef00",
        .by = "engineer",
        .budget_u = p->spec.total_u};
    if (is_pooled() && p->spec.unit == UNIT_TRIALS)
        pool_enter(st, id, &approve);
    must(wake_approve(
             st, id, hash, buf_str(&canon), &approve, 1, &opts, &r, &err),
        &err);
    buf_fini(&canon);
    arena_fini(&a);
}

void
engineer_begin(void)
{
    struct store *st = NULL;
    struct err err = {0};
    char name[32];
    file_put("world.jsonl", WORLD);
    must(store_open(life.root, STORE_CREATE, &st, &err), &err);
    for (uint32_t c = 1; c <= life.n_campaigns; c++) {
        project_put(c, false);
        snprintf(name, sizeof name, "m%u.toml", c);
        campaign_begin(st, name);
    }
    store_close(st);
    life.tally->campaigns += life.n_campaigns;
}

/* What an engineer with nothing to do thinks of. */
static void
whim(uint32_t campaign)
{
    static const struct {
        double chance;
        enum verb verb;
    } whims[] = {{.02, VERB_PAUSE}, {.002, VERB_STOP}, {.02, VERB_DROP},
        {.02, VERB_PIN}, {.01, VERB_LOWER}, {.01, VERB_EDIT}};
    double x = rng_f64(&life.draw);
    for (size_t i = 0; i < sizeof whims / sizeof *whims; i++) {
        if (x < whims[i].chance && whims[i].verb == VERB_EDIT) {
            project_put(campaign, true);
            life.tally->verbs[VERB_EDIT]++;
            return;
        }
        if (x < whims[i].chance) {
            life_verb(campaign, whims[i].verb);
            return;
        }
        x -= whims[i].chance;
    }
}

/* A gate that comes back again and again is final; in a lonely life at once,
 * for how often the answer gets lost must not count. */
static void
gate_answer(uint32_t campaign)
{
    static uint32_t answered[CAMPAIGNS_MAX + 1];
    project_put(campaign, false);
    bool stop = life.plan.lonely || ++answered[campaign] > 6;
    life_verb(campaign, stop ? VERB_STOP : VERB_RESUME);
}

bool
engineer_look(uint32_t campaign)
{
    struct store *st = NULL;
    struct store_campaign row;
    struct err err = {0};
    int rc = store_open(life.root, STORE_READ, &st, &err);
    if (rc == 0)
        rc = store_campaign_get(st, campaign, &row, &err);
    store_close(st);
    if (rc != 0)
        law_broken("C%u can't be read: %s", campaign, err.text);
    switch (row.brief.state) {
    case CAMPAIGN_APPROVED:
        life_verb(campaign, VERB_START);
        return false;
    case CAMPAIGN_PAUSED:
        project_put(campaign, false); /* else it is not let go on */
        life_verb(campaign, VERB_RESUME);
        return false;
    case CAMPAIGN_HALTED:
        gate_answer(campaign);
        return false;
    case CAMPAIGN_DONE:
    case CAMPAIGN_STOPPED:
        return row.running == 0;
    default:
        if (!life.plan.lonely && !life.quiet)
            whim(campaign);
        return false;
    }
}
