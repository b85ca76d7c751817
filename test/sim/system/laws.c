/* What must hold while a life goes on, and when it is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "jobs/signature.h"
#include "sim/system/cluster.h"
#include "store/store.h"

uint32_t
verb_event(enum verb verb)
{
    static const uint32_t kinds[VERB_COUNT] = {EVENT_campaign_started,
        EVENT_campaign_paused, EVENT_campaign_resumed, EVENT_campaign_stopped,
        EVENT_hypothesis_dropped, EVENT_hypothesis_pinned, EVENT_budget_lowered,
        EVENT_NONE};
    return kinds[verb];
}

struct walk {
    uint32_t campaign;
    uint64_t kinds[EVENT_COUNT];
    int64_t cost_u; /* by the log */
    int64_t books_u;
};

static void
rule_count(const char *id)
{
    size_t n = 0;
    const struct signature_rule *rule = signature_rules(&n);
    for (size_t i = 0; i < n && i < RULES_MAX; i++)
        life.tally->rules[i] += strcmp(rule[i].id, id) == 0;
}

static int
event_take(void *ctx, const struct event *e)
{
    struct walk *w = ctx;
    struct tally *t = life.tally;
    unsigned char bytes[16384];
    struct event copy = *e;
    copy.at_ms = 0;
    size_t n = event_encode(&copy, bytes, sizeof bytes);
    if (n <= sizeof bytes)
        for (size_t i = 0; i < n; i++)
            t->decided = rng_mix(t->decided, bytes[i]);
    t->events++;
    t->kinds[e->kind]++;
    w->kinds[e->kind]++;
    if (e->kind == EVENT_job_ended) {
        t->reasons[e->reason]++;
        w->cost_u += e->cost_u;
        if (e->key != NULL)
            rule_count(e->key);
    }
    if (e->kind == EVENT_failure_classified)
        t->remedies[e->remedy]++;
    return 0;
}

static int
attempt_take(void *ctx, const struct store_attempt *a)
{
    struct walk *w = ctx;
    w->books_u += a->cost_u;
    cluster_settled(a);
    return 0;
}

/* The snapshot is a cache: the log alone leads to the same state. */
static void
state_check(struct store *st, uint32_t campaign, const struct walk *w)
{
    struct core *now = NULL, *again = NULL;
    struct err err = {0};
    if (store_load(st, campaign, &now, &err) != 0 ||
        store_replay(st, campaign, 0, NULL, NULL, &again, &err) != 0)
        law_broken("C%u: %s", campaign, err.text);
    size_t n = core_encode(now, NULL, 0), m = core_encode(again, NULL, 0);
    unsigned char *a = mem_calloc(n, 1), *b = mem_calloc(m, 1);
    core_encode(now, a, n);
    core_encode(again, b, m);
    if (n != m || memcmp(a, b, n) != 0)
        law_broken("C%u: the log leads to another state", campaign);
    if (now->reserved_u != 0 || now->spent_u > now->approved_u)
        law_broken("C%u: %lld spent and %lld reserved of %lld", campaign,
            (long long)now->spent_u, (long long)now->reserved_u,
            (long long)now->approved_u);
    if (now->spent_u != w->cost_u || w->books_u != w->cost_u)
        law_broken("C%u: spent %lld, by the log %lld, by the books %lld",
            campaign, (long long)now->spent_u, (long long)w->cost_u,
            (long long)w->books_u);
    if (now->n_jobs != 0)
        law_broken("C%u is over with %u jobs", campaign, now->n_jobs);
    life.tally->ends[now->state]++;
    free(a);
    free(b);
    free(now);
    free(again);
}

static void
pool_check(struct store *st)
{
    struct store_member m[CAMPAIGNS_MAX];
    struct store_pool p;
    uint32_t n = 0;
    bool found = false;
    int64_t spent = 0;
    if (store_pool_get(st, "team", &found, &p, NULL) != 0 || !found)
        return;
    if (store_pool_members(st, "team", m, CAMPAIGNS_MAX, &n, NULL) != 0)
        law_broken("the pool can't be read");
    for (uint32_t i = 0; i < n; i++)
        spent += m[i].spent_u;
    if (spent > p.total_u)
        law_broken("the pool of %lld gave %lld", (long long)p.total_u,
            (long long)spent);
}

/* Nothing lies about: no claims of jobs, no half-written files. */
static void
folder_check(const char *name)
{
    struct arena a = {0};
    const char **names = NULL;
    size_t n = 0;
    const char *dir = fs_join_in(&a, life.root, name);
    if (fs_list_in(&a, dir, &names, &n, NULL) == 0 && n > 0)
        law_broken("%s is left in %s", names[0], name);
    arena_fini(&a);
}

void
laws_check(uint64_t acked[CAMPAIGNS_MAX + 1][VERB_COUNT])
{
    struct store *st = NULL;
    struct err err = {0};
    if (store_open(life.root, STORE_READ, &st, &err) != 0)
        law_broken("the state can't be read: %s", err.text);
    for (uint32_t c = 1; c <= life.n_campaigns; c++) {
        struct walk w = {.campaign = c};
        uint64_t n = 0;
        if (store_verify(st, c, &n, &err) != 0 ||
            store_events(st, c, 1, event_take, &w, &err) != 0 ||
            store_attempts(st, c, false, attempt_take, &w, &err) != 0)
            law_broken("C%u: %s", c, err.text);
        for (uint32_t v = 0; v < VERB_COUNT; v++)
            if (w.kinds[verb_event(v)] < acked[c][v])
                law_broken("C%u: of %llu times %s, %llu are in the log", c,
                    (unsigned long long)acked[c][v], event_name(verb_event(v)),
                    (unsigned long long)w.kinds[verb_event(v)]);
        state_check(st, c, &w);
    }
    pool_check(st);
    store_close(st);
    cluster_all_settled();
    folder_check(".rea/jobs");
}

/* What status shows without an engine is what the log says. */
static void
brief_check(struct store *st, const struct store_campaign *row)
{
    struct core *c = NULL;
    struct err err = {0};
    const struct store_brief *b = &row->brief;
    if (store_load(st, row->id, &c, &err) != 0)
        law_broken("C%u at a glance: %s", row->id, err.text);
    if (b->state != c->state || b->approved_u != c->approved_u ||
        b->reserved_u != c->reserved_u || b->spent_u != c->spent_u ||
        b->hypotheses != c->n_hypotheses || b->looks != c->looks)
        law_broken("C%u: status shows another state than the log", row->id);
    free(c);
}

/* Budget and books as any reader sees them. */
void
laws_glance(void)
{
    struct store *st = NULL;
    struct store_campaign *v = NULL;
    struct err err = {0};
    size_t n = 0;
    if (store_open(life.root, STORE_READ, &st, &err) != 0 ||
        store_campaigns(st, &v, &n, &err) != 0)
        law_broken("a glance: %s", err.text);
    for (size_t i = 0; i < n; i++) {
        if (v[i].brief.spent_u + v[i].brief.reserved_u > v[i].brief.approved_u)
            law_broken("C%u spends more than was approved", v[i].id);
        brief_check(st, &v[i]);
    }
    free(v);
    store_close(st);
}
