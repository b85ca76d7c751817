/* rea pool: one pool of money for several campaigns, asked for here and signed
 * by rea approve; who holds what of it, and who gets the next job and why. */
#include "cmd/pool.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

/* ---- joining and signing ---- */

static int
pool_need(
    struct store *st, const char *name, struct store_pool *out, struct err *err)
{
    bool found = false;
    int rc = store_pool_get(st, name, &found, out, err);
    if (rc == 0 && !found)
        rc = err_set(err, -ERR_INPUT,
            "there is no pool \"%s\"\n  remedy: rea pool %s --total N, or take "
            "pool out of [budget]",
            name, name);
    return rc;
}

int
pool_join(struct call *call, struct store *st, uint32_t campaign,
    const struct project *p, int64_t signed_u, struct err *err)
{
    struct store_pool pool;
    int rc = 0;
    (void)call;
    if (p->budget.pool != NULL)
        rc = pool_need(st, p->budget.pool, &pool, err);
    if (rc == 0 && p->budget.pool != NULL && pool.unit != p->spec.unit)
        rc = err_set(err, -ERR_INPUT,
            "pool %s is of %s, and %s counts in %s\n  remedy: give both one "
            "unit",
            pool.name, unit_name(pool.unit), p->file, unit_name(p->spec.unit));
    if (rc == 0)
        rc = store_begin(st, err);
    if (rc != 0)
        return rc;
    int64_t floor_u = pool.total_u > 0 ? pool.floor_u : pool.asked_floor_u;
    rc = p->budget.pool == NULL
             ? store_pool_leave(st, campaign, err)
             : store_pool_join(st, campaign, pool.name, p->budget.pool_weight,
                   floor_u < signed_u ? floor_u : signed_u, signed_u, err);
    if (rc == 0)
        return store_commit(st, err);
    store_rollback(st);
    return rc;
}

int
pool_sign_member(struct call *call, struct store *st, uint32_t campaign,
    const struct project *p, const struct core *c, struct event *approved,
    struct err *err)
{
    struct store_pool pool;
    struct store_member m[POOL_MEMBERS_MAX];
    uint32_t n = 0;
    if (p->budget.pool == NULL)
        return 0;
    int rc = pool_need(st, p->budget.pool, &pool, err);
    if (rc == 0 && pool.total_u == 0)
        rc = err_set(err, -ERR_APPROVAL,
            "pool %s is not signed\n  remedy: rea approve %.12s", pool.name,
            pool.asked_hash);
    if (rc == 0)
        rc = pool_join(call, st, campaign, p, approved->budget_u, err);
    if (rc == 0)
        rc = store_pool_members(st, pool.name, m, POOL_MEMBERS_MAX, &n, err);
    if (rc != 0)
        return rc;
    int64_t most = approved->budget_u;
    int64_t first = pool.floor_u > c->approved_u ? pool.floor_u : c->approved_u;
    approved->signed_u = most;
    approved->budget_u = first < most ? first : most;
    approved->horizon_u = pool.total_u / (n > 0 ? n : 1);
    return 0;
}

static void
terms_hash(const struct store_pool *p, char out[HASH_LEN])
{
    struct buf b = {0};
    char hex[FS_HASH_HEX];
    buf_printf(&b, "pool 1\nname %s\nunit %s\ntotal %lld\nfloor %lld\n",
        p->name, unit_name(p->unit), (long long)p->asked_total_u,
        (long long)p->asked_floor_u);
    fs_hash_bytes(buf_str(&b), b.len, hex);
    snprintf(out, HASH_LEN, "%.32s", hex);
    buf_fini(&b);
}

static int
pool_store(struct store *st, const struct store_pool *p, struct err *err)
{
    int rc = store_begin(st, err);
    if (rc != 0)
        return rc;
    rc = store_pool_put(st, p, err);
    if (rc == 0)
        return store_commit(st, err);
    store_rollback(st);
    return rc;
}

int
pool_sign(struct call *call, struct store *st, const char *prefix, bool *found,
    struct err *err)
{
    struct store_pool *v = NULL;
    size_t n = 0;
    *found = false;
    int rc = store_pools(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n && !*found; i++) {
        struct store_pool *p = &v[i];
        if (p->asked_hash[0] == '\0' ||
            strncmp(p->asked_hash, prefix, strlen(prefix)) != 0)
            continue;
        *found = true;
        p->total_u = p->asked_total_u;
        p->floor_u = p->asked_floor_u;
        memcpy(p->hash, p->asked_hash, sizeof p->hash);
        p->asked_hash[0] = '\0';
        snprintf(p->by, sizeof p->by, "%s", work_user(call));
        rc = pool_store(st, p, err);
        if (rc == 0 && !call->json)
            say(call,
                "pool %s approved by %s: %s %s, at least %s for each "
                "campaign\n",
                p->name, p->by, amount(call, p->total_u), unit_name(p->unit),
                amount(call, p->floor_u));
        call_next(call, "rea plan");
    }
    free(v);
    return rc;
}

/* ---- looking ---- */

struct pool_view {
    struct store_member row[POOL_MEMBERS_MAX];
    uint32_t n;
    int64_t held_u, spent_u;
    int first; /* row of the next job, -1: nobody asks or could */
};

static double
worth_of(const struct store_member *x)
{
    return x->m.weight * x->m.worth.slope[0];
}

static int
view_fill(struct store *st, const struct store_pool *p, struct pool_view *out,
    struct err *err)
{
    memset(out, 0, sizeof *out);
    out->first = -1;
    int rc = store_pool_members(
        st, p->name, out->row, POOL_MEMBERS_MAX, &out->n, err);
    for (uint32_t i = 0; i < out->n; i++) {
        const struct store_member *x = &out->row[i];
        out->held_u += x->m.held_u;
        out->spent_u += x->spent_u;
        if (x->m.live && x->m.held_u < x->m.signed_u && worth_of(x) > 0 &&
            (out->first < 0 || worth_of(x) > worth_of(&out->row[out->first])))
            out->first = (int)i;
    }
    return rc;
}

static void
pool_say(
    struct call *call, const struct store_pool *p, const struct pool_view *v)
{
    if (p->total_u > 0)
        say(call, "pool %s: %s of %s %s granted, %s spent, floor %s\n", p->name,
            amount(call, v->held_u), amount(call, p->total_u),
            unit_name(p->unit), amount(call, v->spent_u),
            amount(call, p->floor_u));
    if (p->asked_hash[0] != '\0')
        say(call, "pool %s: %s %s, floor %s, wait for rea approve %.12s\n",
            p->name, amount(call, p->asked_total_u), unit_name(p->unit),
            amount(call, p->asked_floor_u), p->asked_hash);
    if (v->first >= 0)
        say(call,
            "next job: C%u (%s), whose next trial is worth %.3g min_gain\n",
            v->row[v->first].m.campaign, v->row[v->first].model,
            worth_of(&v->row[v->first]));
}

static void
members_say(struct call *call, const struct pool_view *v)
{
    for (uint32_t i = 0; i < v->n; i++) {
        const struct store_member *x = &v->row[i];
        say(call,
            "C%u %s  %s: %s granted of at most %s, %s spent; a trial is "
            "worth %.3g%s%s%s\n",
            x->m.campaign, x->model, campaign_state_name(x->state),
            amount(call, x->m.held_u), amount(call, x->m.signed_u),
            amount(call, x->spent_u), worth_of(x),
            x->m.worth.wants ? ", waits" : "", x->why[0] ? "; " : "", x->why);
    }
}

int
pools_say(struct call *call, struct store *st, struct err *err)
{
    struct store_pool *v = NULL;
    size_t n = 0;
    int rc = store_pools(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct pool_view view;
        rc = view_fill(st, &v[i], &view, err);
        if (rc == 0)
            pool_say(call, &v[i], &view);
    }
    free(v);
    return rc;
}

static void
member_json(struct jw *w, const struct store_member *x)
{
    jw_obj_begin(w);
    jw_key(w, "campaign");
    jw_printf(w, "C%u", x->m.campaign);
    jw_kstr(w, "model", x->model);
    jw_kstr(w, "state", campaign_state_name(x->state));
    jw_kf64(w, "weight", x->m.weight);
    jw_kf64(w, "floor", (double)x->m.floor_u / MICRO);
    jw_kf64(w, "signed", (double)x->m.signed_u / MICRO);
    jw_kf64(w, "granted", (double)x->m.held_u / MICRO);
    jw_kf64(w, "spent", (double)x->spent_u / MICRO);
    jw_kbool(w, "waits", x->m.worth.wants);
    jw_kf64(w, "trial_worth", worth_of(x));
    jw_kstr(w, "why", x->why[0] != '\0' ? x->why : NULL);
    jw_obj_end(w);
}

static void
pool_json(
    struct jw *w, const struct store_pool *p, const struct pool_view *view)
{
    jw_obj_begin(w);
    jw_kstr(w, "name", p->name);
    jw_kstr(w, "unit", unit_name(p->unit));
    jw_kf64(w, "approved", (double)p->total_u / MICRO);
    jw_kf64(w, "floor", (double)p->floor_u / MICRO);
    jw_kf64(w, "granted", (double)view->held_u / MICRO);
    jw_kf64(w, "spent", (double)view->spent_u / MICRO);
    jw_kstr(w, "hash", p->hash[0] != '\0' ? p->hash : NULL);
    jw_kstr(w, "pending_hash", p->asked_hash[0] != '\0' ? p->asked_hash : NULL);
    jw_key(w, "next");
    if (view->first >= 0)
        jw_printf(w, "C%u", view->row[view->first].m.campaign);
    else
        jw_null(w);
    jw_key(w, "campaigns");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < view->n; i++)
        member_json(w, &view->row[i]);
    jw_arr_end(w);
    jw_obj_end(w);
}

int
pools_json(struct store *st, struct jw *w, struct err *err)
{
    struct store_pool *v = NULL;
    size_t n = 0;
    int rc = store_pools(st, &v, &n, err);
    jw_arr_begin(w);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct pool_view view;
        rc = view_fill(st, &v[i], &view, err);
        if (rc == 0)
            pool_json(w, &v[i], &view);
    }
    jw_arr_end(w);
    free(v);
    return rc;
}

/* ---- the verb ---- */

static int
unit_read(const char *text, uint8_t *out, struct err *err)
{
    for (uint8_t u = UNIT_CORE_HOURS; text != NULL && u <= UNIT_TRIALS; u++)
        if (strcmp(text, unit_name(u)) == 0) {
            *out = u;
            return 0;
        }
    return text == NULL ? 0
                        : err_set(err, -ERR_INPUT,
                              "--unit=%s: core_hours, gpu_hours, usd or "
                              "trials is meant",
                              text);
}

static int
terms_read(struct call *call, struct store_pool *p, const struct pool_view *v,
    struct err *err)
{
    double total = (double)p->asked_total_u / MICRO;
    double least = (double)p->asked_floor_u / MICRO;
    if (p->total_u == 0 && p->asked_hash[0] == '\0')
        p->unit = UNIT_CORE_HOURS;
    int rc = call_opt_num(call, "total", &total, err);
    if (rc == 0)
        rc = call_opt_num(call, "floor", &least, err);
    if (rc == 0)
        rc = unit_read(call_opt(call, "unit"), &p->unit, err);
    if (rc != 0)
        return rc;
    if (!(total > 0) || total > 1e9 || least > total)
        return err_set(err, -ERR_INPUT,
            "a pool of %g with a floor of %g: a total above 0 and a floor "
            "within it are meant",
            total, least);
    p->asked_total_u = (int64_t)(total * MICRO);
    p->asked_floor_u = (int64_t)(least * MICRO);
    if (p->asked_total_u < v->held_u)
        return err_set(err, -ERR_INPUT,
            "%s %s of pool %s are granted already\n  remedy: rea budget lowers "
            "what a campaign may get",
            amount(call, v->held_u), unit_name(p->unit), p->name);
    terms_hash(p, p->asked_hash);
    return 0;
}

static int
pool_ask_for(
    struct call *call, struct store *st, const char *name, struct err *err)
{
    struct store_pool p = {0};
    struct pool_view v;
    bool found = false;
    if (strlen(name) >= sizeof p.name)
        return err_set(err, -ERR_INPUT, "the name is too long");
    int rc = store_pool_get(st, name, &found, &p, err);
    snprintf(p.name, sizeof p.name, "%s", name);
    if (rc == 0)
        rc = view_fill(st, &p, &v, err);
    if (rc == 0)
        rc = terms_read(call, &p, &v, err);
    if (rc == 0)
        rc = pool_store(st, &p, err);
    if (rc == 0)
        call_next(call, "rea approve %.12s", p.asked_hash);
    return rc;
}

static int
pool_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    const char *name = call->args[0];
    bool asks = call_has(call, "total") || call_has(call, "floor");
    struct store_pool p;
    struct pool_view v;
    const char *root = NULL;
    int rc = work_root(call, &root, err);
    if (rc == 0)
        rc = asks ? store_open(root, STORE_CREATE, &st, err)
                  : work_store(call, STORE_READ, &st, err);
    if (rc == 0 && asks)
        rc = pool_ask_for(call, st, name, err);
    if (rc == 0)
        rc = pool_need(st, name, &p, err);
    if (rc == 0)
        rc = view_fill(st, &p, &v, err);
    if (rc == 0 && call->json) {
        struct jw w;
        jw_init(&w, &call->out, 2);
        pool_json(&w, &p, &v);
        say(call, "\n");
    } else if (rc == 0) {
        pool_say(call, &p, &v);
        members_say(call, &v);
        if (call->next[0] == '\0')
            call_next(call, "rea status");
    }
    store_close(st);
    return rc;
}

static const struct cmd_opt pool_opts[] = {
    {"total", 0, "N", "the most that all its campaigns may cost together"},
    {"floor", 0, "N", "what each campaign gets at least"},
    {"unit", 0, "UNIT", "core_hours (default), gpu_hours, usd or trials"}, {0}};

const struct cmd cmd_pool = {.name = "pool",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "one pool of money for several campaigns",
    .more = "A project file joins with [budget] pool = \"NAME\"; its total is "
            "then the most that the campaign may get. Each campaign starts "
            "with the floor; further money comes in tranches to where the next "
            "trial is worth most, in units of each model's min_gain. What a "
            "campaign does not use goes back. New terms need rea approve.",
    .example = "rea pool team --total 40 --floor 4",
    .opts = pool_opts,
    .run = pool_run};
