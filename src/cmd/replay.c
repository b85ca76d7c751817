/* rea replay: computes every logged decision once more from the events before
 * it and compares. Choices must be the same exactly; scores, which come from
 * floating-point sums, within REPLAY_TOLERANCE. The store's own hash chain is
 * checked on the way. */
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double REPLAY_TOLERANCE = 1e-9; /* relative */

enum { SHOWN_MAX = 8 };

struct replay {
    struct update *next; /* what the engine decides after the last event */
    bool has_next, begun;
    uint64_t events, decisions, choices_bad, scores_bad;
    double worst; /* largest relative difference of a score */
    struct buf text;
};

static double
score_distance(double a, double b)
{
    if (isnan(a) && isnan(b))
        return 0;
    if (a == b)
        return 0;
    if (!isfinite(a) || !isfinite(b))
        return INFINITY;
    return fabs(a - b) / fmax(1e-12, fmax(fabs(a), fabs(b)));
}

static double
scores_distance(const struct event *a, const struct event *b)
{
    const double x[] = {a->mean, a->sd, a->lo, a->hi, a->score, a->prob,
        a->log_e, a->value, a->base};
    const double y[] = {b->mean, b->sd, b->lo, b->hi, b->score, b->prob,
        b->log_e, b->value, b->base};
    double worst = 0;
    for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
        worst = fmax(worst, score_distance(x[i], y[i]));
    return worst;
}

static bool
numbers_same(const struct event *a, const struct event *b)
{
    return a->kind == b->kind && a->hypothesis == b->hypothesis &&
           a->experiment == b->experiment &&
           a->experiment_b == b->experiment_b && a->trial == b->trial &&
           a->job == b->job && a->phase == b->phase &&
           a->attempt == b->attempt && a->seed == b->seed &&
           a->source == b->source && a->verdict == b->verdict &&
           a->state == b->state && a->reason == b->reason &&
           a->remedy == b->remedy && a->job_kind == b->job_kind &&
           a->labels == b->labels && a->n == b->n && a->mask == b->mask &&
           a->cost_u == b->cost_u && a->reserve_u == b->reserve_u &&
           a->budget_u == b->budget_u && a->resume == b->resume &&
           a->proved == b->proved && a->n_over == b->n_over;
}

static bool
choice_same(const struct event *a, const struct event *b)
{
    if (!numbers_same(a, b))
        return false;
    for (uint32_t i = 0; i < a->n_over; i++) {
        /* A knob's value is a choice where it is drawn from a list, a score
         * where the engine computed it. */
        if (a->over[i].knob != b->over[i].knob ||
            score_distance(a->over[i].value, b->over[i].value) >
                REPLAY_TOLERANCE)
            return false;
    }
    return true;
}

static void
replay_differs(struct replay *r, const struct event *e, const char *what)
{
    r->choices_bad++;
    if (r->choices_bad <= SHOWN_MAX)
        buf_printf(&r->text, "event %llu (%s): %s\n",
            (unsigned long long)e->seq, event_name(e->kind), what);
}

static void
replay_compare(struct replay *r, const struct event *e)
{
    if (event_who(e->kind) != DECISION) {
        if (r->has_next)
            replay_differs(r, e, "a decision is missing before it");
        return;
    }
    r->decisions++;
    if (!r->has_next) {
        replay_differs(r, e, "the engine decides nothing here now");
        return;
    }
    if (!choice_same(e, &r->next->next)) {
        replay_differs(r, e,
            e->kind != r->next->next.kind ? event_name(r->next->next.kind)
                                          : "another choice now");
        return;
    }
    double d = scores_distance(e, &r->next->next);
    r->worst = fmax(r->worst, d);
    r->scores_bad += d > REPLAY_TOLERANCE;
}

static void
replay_event(void *ctx, const struct core *c, const struct event *e)
{
    struct replay *r = ctx;
    r->events++;
    if (r->begun)
        replay_compare(r, e);
    r->begun = true;
    r->has_next = core_decide(c, r->next);
}

static void
replay_say(struct call *call, const struct replay *r, uint32_t id)
{
    bool same = r->choices_bad == 0 && r->scores_bad == 0;
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_key(&w, "campaign");
        jw_printf(&w, "C%u", id);
        jw_ki64(&w, "events", (int64_t)r->events);
        jw_ki64(&w, "decisions", (int64_t)r->decisions);
        jw_ki64(&w, "choices_differ", (int64_t)r->choices_bad);
        jw_ki64(&w, "scores_differ", (int64_t)r->scores_bad);
        jw_kf64(&w, "tolerance", REPLAY_TOLERANCE);
        jw_kf64(&w, "largest_difference", r->worst);
        jw_kbool(&w, "same", same);
        jw_obj_end(&w);
        say(call, "\n");
        return;
    }
    say(call, "%s", buf_str(&r->text));
    say(call,
        "C%u: %llu events, %llu decisions computed again: %llu choices "
        "differ, %llu scores differ (tolerance %g, largest %.2g)\n%s\n",
        id, (unsigned long long)r->events, (unsigned long long)r->decisions,
        (unsigned long long)r->choices_bad, (unsigned long long)r->scores_bad,
        REPLAY_TOLERANCE, r->worst, same ? "PASS" : "FAIL");
}

static int
replay_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct core *c = NULL;
    struct replay r = {.next = mem_calloc(1, sizeof(*r.next))};
    uint32_t id = 0;
    uint64_t n = 0;
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0)
        rc = work_campaign(call, st, call->args[0], &id, err);
    if (rc == 0)
        rc = store_verify(st, id, &n, err);
    if (rc == 0)
        rc = store_replay(st, id, 0, replay_event, &r, &c, err);
    if (rc == 0) {
        replay_say(call, &r, id);
        call->check_failed = r.choices_bad > 0 || r.scores_bad > 0;
    }
    free(c);
    free(r.next);
    buf_fini(&r.text);
    store_close(st);
    return rc;
}

const struct cmd cmd_replay = {.name = "replay",
    .args = "C",
    .min_args = 1,
    .max_args = 1,
    .help = "compute every logged decision again and compare",
    .more = "Exit 4 when one differs: another version of the engine would "
            "have decided otherwise, or the log was changed.",
    .run = replay_run};
