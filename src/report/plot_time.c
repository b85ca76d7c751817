/* Where time and money went: the timeline of attempts and wakes, the budget
 * bar. Called by html.c. Time without any bar in the lowest row is time in
 * which no process of the agent existed. */
#include "report/page.h"
#include "report/parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LANE_H = 22, TIME_X0 = 88, TIME_X1 = 980, TIME_Y0 = 30 };

static int64_t
timeline_start(const struct report *r)
{
    int64_t t = r->started_ms != 0 ? r->started_ms : r->first_ms;
    for (uint32_t i = 0; i < r->spans.n; i++)
        if (r->spans.v[i].start_ms < t)
            t = r->spans.v[i].start_ms;
    return t;
}

static int64_t
timeline_end(const struct report *r)
{
    int64_t t = r->finished_ms;
    for (uint32_t i = 0; i < r->spans.n; i++)
        if (r->spans.v[i].end_ms > t)
            t = r->spans.v[i].end_ms;
    return t != 0 ? t : r->last_ms;
}

static void
span_tip(const struct report *r, const struct report_span *s, struct buf *tip)
{
    const struct core *c = r->core;
    const struct trial *t = &c->trial[s->trial - 1];
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    buf_printf(tip, "T%u, E%u (", s->trial, t->experiment);
    experiment_label(c, t->experiment, tip);
    buf_printf(tip, "), %s, seed %u\nattempt %u%s%s: %s", phase_name(s->phase),
        t->seed, s->attempt, s->kind == JOB_EVALUATE ? ", evaluation" : "",
        s->resume ? ", resumed from its checkpoint" : "",
        s->end_ms == 0 ? "running" : reason_name(s->reason));
    if (s->reason == REASON_EXIT)
        buf_printf(tip, " %" PRId32, s->exit_code);
    if (s->end_ms != 0)
        buf_printf(tip, "\n%s, %s %s", fmt_duration(s->end_ms - s->start_ms).s,
            fmt_cost(u, s->cost_u).s, u.name);
    if (s->detail != NULL)
        buf_printf(tip, "\n%s", s->detail);
}

static bool
span_failed(const struct report_span *s)
{
    return s->end_ms != 0 && s->reason != REASON_OK &&
           s->reason != REASON_NONE && s->reason != REASON_CANCELLED;
}

static void
timeline_spans(
    const struct report *r, const struct axis *a, int64_t t0, struct buf *out)
{
    for (uint32_t i = 0; i < r->spans.n; i++) {
        const struct report_span *s = &r->spans.v[i];
        int64_t end = s->end_ms != 0 ? s->end_ms : timeline_end(r);
        double x1 = axis_at(a, (double)(s->start_ms - t0));
        double x2 = axis_at(a, (double)(end - t0));
        double y = TIME_Y0 + (double)s->lane * LANE_H;
        char class[48], id[24];
        struct buf tip = {0};
        if (s->trial < 1 || s->trial > r->core->n_trials)
            continue;
        span_tip(r, s, &tip);
        snprintf(class, sizeof(class), "span p%u%s%s", s->phase,
            span_failed(s) ? " failed" : "",
            s->kind == JOB_EVALUATE ? " eval" : "");
        svg_rect(out, x1, y + 3, fmax(x2 - x1 - .6, 1.4), LANE_H - 6, class,
            buf_str(&tip));
        snprintf(id, sizeof(id), "T%u", s->trial);
        if (x2 - x1 > svg_text_px(id) + 8)
            svg_text(out, (x1 + x2) / 2, y + 15.5, SVG_MIDDLE, 0,
                span_failed(s) ? "spanid failed" : "spanid", id);
        buf_fini(&tip);
    }
}

static void
timeline_wakes(const struct report *r, const struct axis *a, int64_t t0,
    double y, struct buf *out)
{
    for (uint32_t i = 0; i < r->wakes.n; i++) {
        const struct report_wake *w = &r->wakes.v[i];
        double at = (double)(w->start_ms - t0);
        char tip[128];
        if (!axis_has(a, at))
            continue;
        double x1 = axis_at(a, at), x2 = axis_at(a, at + w->wall_ms);
        snprintf(tip, sizeof(tip), "%s at %s\n%.1f ms", w->cause,
            fmt_clock(w->start_ms).s, w->wall_ms);
        svg_rect(out, x1, y + 4, fmax(x2 - x1, 1.2), LANE_H - 8, "wake", tip);
    }
}

static void
timeline_gates(const struct report *r, const struct axis *a, int64_t t0,
    double y1, struct buf *out)
{
    for (uint32_t i = 0; i < r->gates.n; i++) {
        const struct report_gate *g = &r->gates.v[i];
        double at = (double)(g->at_ms - t0);
        struct buf tip = {0};
        if (!axis_has(a, at) || g->kind == EVENT_plan_approved ||
            g->kind == EVENT_campaign_started || g->kind == EVENT_proposal_made)
            continue;
        buf_printf(&tip, "%s\n%s", event_name(g->kind), g->why);
        svg_line(out, axis_at(a, at), TIME_Y0 - 4, axis_at(a, at), y1, "gate");
        svg_diamond(
            out, axis_at(a, at), TIME_Y0 - 6, 5, "gatedot", buf_str(&tip));
        buf_fini(&tip);
    }
}

static void
timeline_axis(const struct axis *a, double y0, double y1, struct buf *out)
{
    double unit = a->hi >= 3 * 3600e3 ? 3600e3 : a->hi >= 180e3 ? 60e3 : 1e3;
    const char *name = unit > 1e6   ? "hours since the start"
                       : unit > 1e4 ? "minutes since the start"
                                    : "seconds since the start";
    double step = a->n > 1 ? (a->tick[1] - a->tick[0]) / unit : 1;
    for (uint32_t i = 0; i < a->n; i++) {
        double x = axis_at(a, a->tick[i]);
        svg_line(out, x, y0, x, y1, "grid");
        svg_text(out, x, y1 + 16, SVG_MIDDLE, 0, "tick",
            fmt_value(
                a->tick[i] / unit, fabs(step - round(step)) < 1e-6 ? 0 : 1)
                .s);
    }
    svg_line(out, a->p0, y1, a->p1, y1, "axis");
    svg_text(out, (a->p0 + a->p1) / 2, y1 + 35, SVG_MIDDLE, 0, "title", name);
}

static void
timeline_legend(const struct core *c, struct buf *out)
{
    double x = TIME_X0;
    char s[32];
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++) {
        if ((c->spec.phases >> p & 1) == 0)
            continue;
        snprintf(s, sizeof(s), "span p%u", p);
        svg_rect(out, x, 3, 14, 12, s, NULL);
        svg_text(out, x + 19, 13, SVG_START, 0, "head", phase_name(p));
        x += 36 + svg_text_px(phase_name(p));
    }
    svg_rect(out, x, 3, 14, 12, "span p0 failed", NULL);
    svg_text(out, x + 19, 13, SVG_START, 0, "head", "failed attempt");
    x += 36 + svg_text_px("failed attempt");
    svg_rect(out, x + 5, 3, 3, 12, "wake", NULL);
    svg_text(out, x + 19, 13, SVG_START, 0, "head", "wake of the agent");
}

bool
plot_timeline(const struct report *r, struct buf *out)
{
    struct axis a;
    char s[32];
    if (r->spans.n == 0)
        return false;
    int64_t t0 = timeline_start(r);
    double wakes_y = TIME_Y0 + (double)r->lanes * LANE_H + 6;
    double y1 = wakes_y + LANE_H;
    axis_init_time(&a, (double)(timeline_end(r) - t0), TIME_X0, TIME_X1, 10);
    svg_open(out, 1000, y1 + 42, "Timeline of jobs and wakes");
    timeline_legend(r->core, out);
    timeline_axis(&a, TIME_Y0, y1, out);
    for (uint32_t i = 0; i < r->lanes; i++) {
        snprintf(s, sizeof(s), "slot %u", i + 1);
        svg_text(out, TIME_X0 - 10, TIME_Y0 + (double)i * LANE_H + 15, SVG_END,
            0, "mutetext", s);
    }
    svg_text(out, TIME_X0 - 10, wakes_y + 15, SVG_END, 0, "mutetext", "agent");
    svg_line(out, TIME_X0, wakes_y - 3, TIME_X1, wakes_y - 3, "grid");
    timeline_spans(r, &a, t0, out);
    timeline_wakes(r, &a, t0, wakes_y, out);
    timeline_gates(r, &a, t0, y1, out);
    svg_close(out);
    return true;
}

/* ---- budget ---- */

struct budget_part {
    const char *name, *class;
    int64_t cost_u;
};

static void
budget_draw(const struct core *c, const struct budget_part *v, uint32_t n,
    struct buf *out)
{
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    double x = 4, legend = 4, scale = 992.0 / (double)c->approved_u;
    char s[200];
    svg_rect(out, 4, 6, 992, 26, "span free", NULL);
    for (uint32_t i = 0; i < n; i++) {
        double w = (double)v[i].cost_u * scale;
        snprintf(s, sizeof(s), "%s: %s %s, %s of the approved budget",
            v[i].name, fmt_cost(u, v[i].cost_u).s, u.name,
            fmt_percent((double)v[i].cost_u / (double)c->approved_u).s);
        svg_rect(out, x, 6, w, 26, v[i].class, s);
        x += w;
        snprintf(s, sizeof(s), "%s %s", v[i].name, fmt_cost(u, v[i].cost_u).s);
        svg_rect(out, legend, 46, 12, 12, v[i].class, NULL);
        svg_text(out, legend + 18, 56, SVG_START, 0, "lab", s);
        legend += svg_text_px(s) + 40;
    }
}

bool
plot_budget(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct budget_part v[PHASE_COUNT + 2];
    uint32_t n = 0;
    static const char *const classes[PHASE_COUNT] = {
        "span p0", "span p1", "span p2", "span p3", "span p4"};
    if (c->approved_u <= 0)
        return false;
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++)
        if (c->phase_spent_u[p] > 0)
            v[n++] = (struct budget_part){
                phase_name(p), classes[p], c->phase_spent_u[p]};
    if (c->reserved_u > 0)
        v[n++] =
            (struct budget_part){"reserved", "span reserved", c->reserved_u};
    int64_t rest = c->approved_u - c->spent_u - c->reserved_u;
    v[n++] = (struct budget_part){
        c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED ? "returned"
                                                                  : "free",
        "span free", rest > 0 ? rest : 0};
    svg_open(out, 1000, 64, "Budget spent by phase");
    budget_draw(c, v, n, out);
    svg_close(out);
    return true;
}
