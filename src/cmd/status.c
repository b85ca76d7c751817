/* rea, rea status: all campaigns at a glance from the few words kept with each
 * snapshot, or one campaign in full. Reads only. */
#include "cmd/follow.h"
#include "cmd/pool.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/load.h"

static void
next_of(const struct store_campaign *c, char out[128])
{
    static const char *const words[] = {
        [CAMPAIGN_DRAFT] = "rea plan, then rea approve HASH",
        [CAMPAIGN_APPROVED] = "rea run C%u",
        [CAMPAIGN_RUNNING] = "rea run C%u --wait",
        [CAMPAIGN_PAUSED] = "rea resume C%u",
        [CAMPAIGN_HALTED] = "rea why C%u",
        [CAMPAIGN_DONE] = "rea report C%u",
        [CAMPAIGN_STOPPED] = "rea report C%u",
    };
    uint32_t s = c->brief.state <= CAMPAIGN_STOPPED ? c->brief.state : 0;
    const char *form = words[s] != NULL ? words[s] : "";
    const char *id = strstr(form, "%u");
    if (id == NULL)
        snprintf(out, 128, "%s", form);
    else
        snprintf(out, 128, "%.*s%u%s", (int)(id - form), form, c->id, id + 2);
}

void
status_of(const struct store_campaign *c, struct status_entry *out)
{
    const struct store_brief *b = &c->brief;
    memset(out, 0, sizeof(*out));
    out->campaign = c->id;
    memcpy(out->model, c->model, sizeof(out->model));
    out->state = b->state;
    out->phase = b->phase;
    out->ok = b->ok;
    out->running = b->running;
    out->failed = b->failed;
    out->recovered = b->recovered;
    out->unit = b->unit;
    out->approved_u = b->approved_u;
    out->reserved_u = b->reserved_u;
    out->spent_u = b->spent_u;
    out->has_best = b->has_best;
    out->best_experiment = b->best;
    out->gain = b->gain;
    out->lo = b->lo;
    out->hi = b->hi;
    /* How many digits are worth showing: those of the interval. */
    out->min_gain = (b->hi - b->lo) / 2;
    snprintf(out->best_verdict, sizeof(out->best_verdict), "%s",
        b->best_verdict != VERDICT_NONE ? verdict_name(b->best_verdict)
        : b->lo > 0                     ? "better"
                                        : "unclear");
    memcpy(out->attention, b->attention, sizeof(out->attention));
    next_of(c, out->next);
}

static int
status_json_all(struct store *st, const struct status_entry *v, uint32_t n,
    struct buf *out, struct err *err)
{
    struct jw w;
    jw_init(&w, out, 2);
    jw_obj_begin(&w);
    jw_key(&w, "campaigns");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < n; i++)
        status_entry_json(&w, &v[i]);
    jw_arr_end(&w);
    jw_key(&w, "pools");
    int rc = pools_json(st, &w, err);
    jw_obj_end(&w);
    buf_putc(out, '\n');
    return rc;
}

static int
status_all(struct call *call, struct store *st, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    int rc = store_campaigns(st, &v, &n, err);
    if (rc != 0)
        return rc;
    struct status_entry *e = mem_calloc(n + 1, sizeof(*e));
    for (size_t i = 0; i < n; i++)
        status_of(&v[i], &e[i]);
    struct text_style style = work_style(call);
    if (call->json)
        rc = status_json_all(st, e, (uint32_t)n, &call->out, err);
    else if (n == 0)
        say(call, "no campaign yet\n");
    if (rc == 0 && !call->json)
        rc = pools_say(call, st, err);
    if (n > 0 && !call->json)
        status_text(e, (uint32_t)n, &style, &call->out);
    else if (n == 0 && !call->json)
        call_next(call, "rea plan");
    free(e);
    free(v);
    return rc;
}

static int
status_one(
    struct call *call, struct store *st, const char *name, struct err *err)
{
    struct store_campaign c;
    struct status_entry e;
    uint32_t id = 0;
    int rc = work_campaign(call, st, name, &id, err);
    if (rc == 0)
        rc = store_campaign_get(st, id, &c, err);
    if (rc != 0)
        return rc;
    status_of(&c, &e);
    if (call->json) {
        status_json(&e, 1, &call->out);
        return 0;
    }
    return campaign_say(call, st, id, err);
}

int
campaign_say(struct call *call, struct store *st, uint32_t id, struct err *err)
{
    struct text_style style = work_style(call);
    struct report *r = report_load(st, id, err);
    if (r == NULL)
        return err->code;
    campaign_text(r, &style, &call->out);
    report_free(r);
    return 0;
}

static int
status_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct err why = {0};
    const char *root = NULL;
    int rc = work_root(call, &root, err);
    if (rc != 0)
        return rc;
    rc = work_store(call, STORE_READ, &st, &why);
    /* Nothing there yet is an answer, not a failure. */
    if (rc == -ERR_NOT_FOUND && call->n_args == 0) {
        if (call->json)
            status_json(NULL, 0, &call->out);
        else
            say(call, "no workspace here yet\n");
        call_next(call, "rea init   (your own model)    rea demo");
        return 0;
    }
    if (rc != 0) {
        *err = why;
        return rc;
    }
    rc = call->n_args > 0 ? status_one(call, st, call->args[0], err)
                          : status_all(call, st, err);
    store_close(st);
    return rc;
}

const struct cmd cmd_status = {.name = "status",
    .args = "[C]",
    .max_args = 1,
    .help = "all campaigns at a glance, or one in full",
    .more = "rea without a verb is rea status.",
    .example = "rea status C1",
    .run = status_run};
