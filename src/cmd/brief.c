/* What a model is told, gathered by rea itself: rea-agent reads no log and no
 * event of its own. Called by plan, research agent, and at gates.
 * Invariant: sealed values are masked here, before anything leaves. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "cmd/agent.h"
#include "cmd/mask.h"
#include "report/load.h"
#include "research/draft.h"

enum { TAIL_LINES = 50, TAIL_BYTES = 12000, LOGS_MAX = 4, LINES_SHOWN = 12 };

static const char *
day_in(struct arena *a)
{
    time_t now = (time_t)(wake_now_ms() / 1000);
    char day[16];
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(day, sizeof day, "%Y-%m-%d", &tm);
    return arena_strdup(a, day);
}

static void
metrics_put(struct brief *b, const struct spec *s)
{
    static const char *const roles[] = {
        "plain", "primary", "sealed", "guardrail"};
    static const char *const goals[] = {"max", "min", "target"};
    struct jw *w = &b->w;
    jw_key(w, "metrics");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < s->n_metrics; i++) {
        const struct metric *m = &s->metric[i];
        jw_obj_begin(w);
        jw_kstr(w, "name", m->name);
        jw_kstr(w, "role", roles[m->role & 3]);
        jw_kstr(w, "goal", goals[m->goal % 3]);
        if (m->role == METRIC_PRIMARY)
            jw_kf64(w, "min_gain", m->min_gain);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

void
brief_begin(struct brief *b, struct call *call, const char *kind,
    const struct project *p, uint32_t campaign, const char *before)
{
    char hash[PROJECT_HASH_HEX];
    memset(b, 0, sizeof *b);
    b->call = call;
    b->p = p;
    project_hash(p, hash);
    jw_init(&b->w, &b->text, 0);
    jw_obj_begin(&b->w);
    jw_kstr(&b->w, "kind", kind);
    jw_kstr(&b->w, "file", p->file);
    jw_kstr(&b->w, "project", hash);
    jw_ki64(&b->w, "campaign", campaign);
    jw_kstr(&b->w, "date", day_in(call->arena));
    if (before != NULL)
        jw_kstr(&b->w, "before", before);
    metrics_put(b, &p->spec);
}

void
brief_end(struct brief *b)
{
    jw_obj_end(&b->w);
}

void
brief_fini(struct brief *b)
{
    buf_fini(&b->text);
}

/* Money that the model may still cost: none is left over where the budget is
 * money and its jobs need it. */
static double
room_usd(const struct spec *s, const struct core *c)
{
    int64_t u = s->total_u;
    if (c != NULL && c->state >= CAMPAIGN_APPROVED)
        u = c->approved_u - c->spent_u - c->reserved_u;
    return (double)u / MICRO;
}

/* Of a signed campaign the model's budgets are those that were signed, whatever
 * the file says now. */
static struct project_model
model_signed(const struct brief *b, struct store *st, uint32_t campaign,
    const struct core *c)
{
    struct project_model m = b->p->model;
    struct buf canon = {0};
    if (c == NULL || c->state < CAMPAIGN_APPROVED)
        return m;
    if (store_campaign_canon(st, campaign, &canon, NULL) == 0)
        project_model_cap(&m, buf_str(&canon));
    else
        m.on = false;
    buf_fini(&canon);
    return m;
}

void
brief_limits(struct brief *b, uint32_t proposals, struct store *st,
    uint32_t campaign, const struct core *c)
{
    struct jw *w = &b->w;
    const struct project_model m = model_signed(b, st, campaign, c);
    jw_key(w, "limits");
    jw_obj_begin(w);
    jw_ki64(w, "proposals", proposals);
    if (!m.on)
        jw_kbool(w, "off", true);
    if (m.budget_tokens > 0)
        jw_ki64(w, "tokens", m.budget_tokens);
    if (m.budget_usd > 0)
        jw_kf64(w, "usd", m.budget_usd);
    if (b->p->spec.unit == UNIT_USD)
        jw_kf64(w, "room_usd", room_usd(&b->p->spec, c));
    jw_obj_end(w);
}

static void
planned_one(struct brief *b, const struct spec *s, const char *statement,
    const struct override *over, uint32_t n_over)
{
    struct arena *a = b->call->arena;
    if (n_over == 0)
        return;
    jw_obj_begin(&b->w);
    jw_kstr(&b->w, "statement",
        statement != NULL ? statement : change_text_in(a, s, over, n_over));
    jw_kstr(&b->w, "key", change_key_in(a, s, over, n_over));
    jw_obj_end(&b->w);
}

void
brief_planned(struct brief *b, const struct spec *s, const struct event *e,
    uint32_t n, const struct report *r)
{
    jw_key(&b->w, "planned");
    jw_arr_begin(&b->w);
    for (uint32_t i = 0; i < n; i++)
        planned_one(b, s, e[i].statement, e[i].over, e[i].n_over);
    for (uint32_t i = 0; r != NULL && i < r->core->n_hypotheses; i++) {
        const struct hypothesis *h = &r->core->hypothesis[i];
        if (!h->dropped)
            planned_one(b, s, r->hypothesis[i].statement, h->over, h->n_over);
    }
    jw_arr_end(&b->w);
}

static void
results_put(struct brief *b, const struct report *r)
{
    struct jw *w = &b->w;
    jw_key(w, "results");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->core->n_hypotheses; i++) {
        const struct hypothesis *h = &r->core->hypothesis[i];
        if (h->verdict == VERDICT_NONE || h->verdict == VERDICT_UNTESTED)
            continue;
        jw_obj_begin(w);
        jw_key(w, "id");
        jw_printf(w, "H%u", i + 1);
        jw_kstr(w, "statement", r->hypothesis[i].statement);
        jw_kstr(w, "source", source_name(h->source));
        jw_kstr(w, "verdict", verdict_name(h->verdict));
        jw_kstr(w, "why", r->hypothesis[i].verdict_why);
        jw_key(w, "effect");
        jw_obj_begin(w);
        jw_kf64(w, "mean", h->mean);
        jw_kf64(w, "lo", h->lo);
        jw_kf64(w, "hi", h->hi);
        jw_obj_end(w);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
failure_put(struct jw *w, const struct report_failure *f)
{
    jw_obj_begin(w);
    jw_key(w, "trial");
    jw_printf(w, "T%u", f->trial);
    jw_ki64(w, "attempt", f->attempt);
    jw_kstr(w, "reason", reason_name(f->reason));
    jw_kstr(w, "signature", f->signature);
    jw_kstr(w, "remedy", remedy_name(f->remedy));
    jw_kstr(w, "outcome", f->outcome);
    jw_obj_end(w);
}

void
brief_history(struct brief *b, const struct report *r)
{
    struct baseline_stat base;
    struct jw *w = &b->w;
    if (r == NULL)
        return;
    analysis_baseline(r->core, &base);
    if (base.n > 0) {
        jw_key(w, "baseline");
        jw_obj_begin(w);
        jw_kf64(w, "mean", base.mean);
        jw_kf64(w, "seed_sd", base.sd);
        jw_ki64(w, "seeds", base.n);
        jw_obj_end(w);
    }
    results_put(b, r);
    jw_key(w, "failures");
    jw_arr_begin(w);
    uint32_t n = r->failures.n;
    for (uint32_t i = n > LINES_SHOWN ? n - LINES_SHOWN : 0; i < n; i++)
        failure_put(w, &r->failures.v[i]);
    jw_arr_end(w);
    jw_key(w, "uuid");
    jw_printf(w, "C%u-%016llx", r->campaign,
        (unsigned long long)r->core->random_seed);
}

/* ---- logs ---- */

struct attempt_last {
    uint32_t trial;
    bool found;
    struct store_attempt best;
};

static int
attempt_last(void *ctx, const struct store_attempt *a)
{
    struct attempt_last *l = ctx;
    if (a->trial == l->trial) {
        l->best = *a;
        l->found = true;
    }
    return 0;
}

/* Appends the last lines of a file, masked. */
static void
tail_put(const char *path, const struct mask *m, struct buf *out)
{
    struct buf text = {0};
    struct err ignored = {0};
    uint32_t lines = 0;
    if (fs_read(path, 0, &text, &ignored) == 0 && text.len > 0) {
        size_t from = text.len;
        while (from > 0 && text.len - from < TAIL_BYTES) {
            if (text.data[from - 1] == '\n' && from < text.len &&
                ++lines == TAIL_LINES)
                break;
            from--;
        }
        mask_put(m, text.data + from, text.len - from, out);
    }
    buf_fini(&text);
}

static int
log_put(struct brief *b, struct store *st, const struct report *r,
    uint32_t trial, struct err *err)
{
    static const char *const files[] = {"stdout.log", "stderr.log"};
    struct attempt_last last = {.trial = trial};
    struct mask m;
    struct buf text = {0};
    int rc = store_attempts(st, r->campaign, false, attempt_last, &last, err);
    if (rc != 0 || !last.found)
        return rc;
    const char *dir =
        fs_join_in(b->call->arena, store_root(st), last.best.run_dir);
    mask_init(&m, b->p, r->core, trial);
    for (size_t i = 0; i < 2; i++)
        tail_put(fs_join_in(b->call->arena, dir, files[i]), &m, &text);
    mask_fini(&m);
    jw_obj_begin(&b->w);
    jw_key(&b->w, "trial");
    jw_printf(&b->w, "T%u", trial);
    jw_key(&b->w, "text");
    jw_strn(&b->w, buf_str(&text), text.len);
    jw_obj_end(&b->w);
    buf_fini(&text);
    return 0;
}

int
brief_logs(struct brief *b, struct store *st, const struct report *r,
    uint32_t trial, struct err *err)
{
    uint32_t seen[LOGS_MAX], n = 0;
    int rc = 0;
    jw_key(&b->w, "logs");
    jw_arr_begin(&b->w);
    if (trial != 0)
        rc = log_put(b, st, r, trial, err);
    for (uint32_t i = r->failures.n;
         trial == 0 && i-- > 0 && n < LOGS_MAX && rc == 0;) {
        uint32_t t = r->failures.v[i].trial;
        bool known = false;
        for (uint32_t k = 0; k < n; k++)
            known = known || seen[k] == t;
        if (known)
            continue;
        seen[n++] = t;
        rc = log_put(b, st, r, t, err);
    }
    jw_arr_end(&b->w);
    return rc;
}

void
brief_failure(struct brief *b, const struct report *r, uint32_t failure)
{
    static const uint32_t remedies[] = {REMEDY_RETRY, REMEDY_RESUME,
        REMEDY_SHRINK, REMEDY_STABILISE, REMEDY_GIVE_UP};
    struct jw *w = &b->w;
    const struct report_failure *f = &r->failures.v[failure];
    jw_key(w, "failure");
    failure_put(w, f);
    jw_key(w, "attempts");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < r->spans.n; i++) {
        const struct report_span *s = &r->spans.v[i];
        if (s->trial != f->trial)
            continue;
        jw_obj_begin(w);
        jw_ki64(w, "attempt", s->attempt);
        jw_kstr(w, "ended", reason_name(s->reason));
        jw_ki64(w, "exit_code", s->exit_code);
        jw_ki64(w, "signal", s->signal);
        jw_kf64(w, "seconds", (double)(s->end_ms - s->start_ms) / 1e3);
        jw_kstr(w, "detail", s->detail);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_key(w, "events");
    jw_arr_begin(w);
    uint32_t n = r->lines.n;
    for (uint32_t i = n > LINES_SHOWN ? n - LINES_SHOWN : 0; i < n; i++)
        jw_str(w, r->lines.v[i].text);
    jw_arr_end(w);
    jw_key(w, "remedies");
    jw_arr_begin(w);
    jw_str(w, "none");
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        jw_str(w, remedy_name(remedies[i]));
    jw_arr_end(w);
}
