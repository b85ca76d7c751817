/* Terminal faces of status and plan: at most 25 lines each, the last one says
 * which command helps next. Called by cmd. */
#include "report/parts.h"
#include "report/sources.h"
#include "report/term.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STATUS_ROWS_MAX = 16, IDEA_ROWS_MAX = 7, PLAN_ROWS_MAX = 11 };

static void
next_line(const struct text_style *style, struct buf *out, const char *command)
{
    buf_puts(out, "next: ");
    term_paint(style, out, "1", command);
    buf_putc(out, '\n');
}

/* ---- many campaigns ---- */

static bool
is_live(const struct status_entry *e)
{
    return e->attention[0] != '\0' || e->state == CAMPAIGN_RUNNING;
}

static void
status_row(const struct status_entry *e, const struct text_style *style,
    struct buf *out)
{
    char s[200];
    struct fmt_unit u = fmt_unit(e->unit, e->approved_u);
    struct spec unit_of = {.n_metrics = 1};
    unit_of.metric[0].min_gain = e->min_gain;
    uint32_t dec = fmt_decimals(&unit_of);
    snprintf(s, sizeof(s), "C%u", e->campaign);
    term_cell(out, s, 5);
    term_cell(out, e->model, 19);
    term_cell(out, campaign_state_name(e->state), 9);
    term_cell(out, e->phase != 0 ? phase_name(e->phase) : "-", 13);
    snprintf(s, sizeof(s), "%u/%u/%u", e->ok, e->running, e->failed);
    if (e->recovered > 0)
        snprintf(s, sizeof(s), "%u/%u/%u (rec. %u)", e->ok, e->running,
            e->failed, e->recovered);
    term_cell(out, s, 17);
    s[0] = '-';
    s[1] = '\0';
    if (e->has_best)
        snprintf(
            s, sizeof(s), "%s %s", fmt_gain(e->gain, dec).s, e->best_verdict);
    term_cell(out, s, 19);
    snprintf(s, sizeof(s), "%s/%s %s", fmt_cost(u, e->spent_u).s,
        fmt_cost(u, e->approved_u).s, u.name);
    buf_printf(out, "%s\n", s);
    if (e->attention[0] != '\0') {
        buf_puts(out, "     ");
        buf_puts(out, style->color ? "\033[33m" : "");
        term_cell(out, e->attention, term_width(style) - 8);
        while (out->len > 0 && out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        buf_puts(out, style->color ? "\033[0m\n" : "\n");
    }
}

/* The campaign whose next command is shown: the first that waits for someone,
 * else the first that runs, else the last. */
static const struct status_entry *
status_next(const struct status_entry *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (v[i].attention[0] != '\0')
            return &v[i];
    for (uint32_t i = 0; i < n; i++)
        if (v[i].state == CAMPAIGN_RUNNING)
            return &v[i];
    return &v[n - 1];
}

void
status_text(const struct status_entry *v, uint32_t n,
    const struct text_style *style, struct buf *out)
{
    uint32_t lines = 0, shown = 0;
    if (n == 0) {
        buf_puts(out, "No campaign yet.\n");
        next_line(style, out, "rea plan");
        return;
    }
    term_paint(style, out, "2",
        "id   model              state    phase        ok/run/fail      "
        "best vs baseline   spent/approved\n");
    for (uint32_t pass = 0; pass < 2; pass++) { /* live ones first */
        for (uint32_t i = 0; i < n; i++) {
            uint32_t need = 1 + (v[i].attention[0] != '\0');
            if (is_live(&v[i]) != (pass == 0) || lines + need > STATUS_ROWS_MAX)
                continue;
            status_row(&v[i], style, out);
            lines += need;
            shown++;
        }
    }
    if (shown < n)
        buf_printf(
            out, "... and %u more (rea status --json lists all)\n", n - shown);
    next_line(style, out, status_next(v, n)->next);
}

/* ---- one campaign ---- */

static void
head_lines(const struct report *r, const struct status_entry *e,
    const struct text_style *style, struct buf *out)
{
    const struct core *c = r->core;
    struct buf verdict = {0};
    char s[200];
    snprintf(s, sizeof(s), "C%u %s", r->campaign, c->spec.model);
    term_paint(style, out, "1", s);
    buf_printf(out, "  %s", campaign_state_name(c->state));
    if (e->phase != 0)
        buf_printf(out, ", %s", phase_name(e->phase));
    if (r->approved_by != NULL) {
        buf_puts(out, "  (plan signed by ");
        term_cell(out, r->approved_by, 24);
        while (out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        buf_printf(out, ", %s)", fmt_time(c->approved_ms).s);
    }
    buf_putc(out, '\n');
    report_verdict(r, &verdict);
    term_wrap(out, buf_str(&verdict), 0, term_width(style));
    buf_fini(&verdict);
}

static void
baseline_line(const struct core *c, struct buf *out)
{
    struct baseline_stat b;
    uint32_t dec = fmt_decimals(&c->spec);
    analysis_baseline(c, &b);
    if (b.n == 0)
        return;
    buf_printf(out, "baseline  %s %s, seed sd %s (%u seeds)\n",
        c->spec.metric[c->spec.primary].name, fmt_value(b.mean, dec).s,
        fmt_value(b.sd, dec + 1).s, b.n);
}

static void
budget_line(const struct core *c, struct buf *out)
{
    int64_t total = c->approved_u != 0 ? c->approved_u : c->spec.total_u;
    struct fmt_unit u = fmt_unit(c->spec.unit, total);
    double scale = total > 0 ? 1.0 / (double)total : 0;
    buf_puts(out, "budget    ");
    term_bar(
        out, (double)c->spent_u * scale, (double)c->reserved_u * scale, 30);
    buf_printf(out, " %s spent, %s reserved of %s %s\n",
        fmt_cost(u, c->spent_u).s, fmt_cost(u, c->reserved_u).s,
        fmt_cost(u, total).s, u.name);
}

static void
phase_lines(
    const struct core *c, const struct text_style *style, struct buf *out)
{
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    char s[64];
    term_paint(style, out, "2", "phase          state    trials    cost\n");
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++) {
        if ((c->spec.phases >> p & 1) == 0)
            continue;
        term_cell(out, phase_name(p), 15);
        term_cell(out, phase_state_name(c->phase_state[p]), 9);
        snprintf(s, sizeof(s), "%u", phase_trials(c, p));
        term_cell_right(out, s, 6);
        term_cell_right(out, fmt_cost(u, c->phase_spent_u[p]).s, 8);
        buf_printf(out, " %s\n", u.name);
    }
}

static void
idea_line(const struct report *r, uint32_t h, const struct text_style *style,
    struct buf *out)
{
    const struct hypothesis *x = &r->core->hypothesis[h];
    uint32_t dec = fmt_decimals(&r->core->spec);
    uint32_t verdict = hypothesis_verdict(r, h);
    uint32_t width = term_width(style);
    struct buf scratch = {0};
    double mean, lo, hi;
    char s[200];
    snprintf(s, sizeof(s), "H%u", h + 1);
    term_cell(out, s, 5);
    term_cell(out, source_name(x->source), 10);
    term_cell(out, hypothesis_statement(r, h, &scratch), width - 61);
    buf_putc(out, ' ');
    s[0] = '-';
    s[1] = '\0';
    if (hypothesis_effect(r, h, &mean, &lo, &hi))
        snprintf(s, sizeof(s), "%s", fmt_interval(mean, lo, hi, dec).s);
    term_cell(out, s, 31);
    term_paint(style, out, term_verdict_code(verdict), verdict_name(verdict));
    buf_puts(out, x->dropped ? " dropped\n" : x->proved ? " *\n" : "\n");
    buf_fini(&scratch);
}

static void
idea_lines(
    const struct report *r, const struct text_style *style, struct buf *out)
{
    uint32_t order[HYPOTHESES_MAX], n = r->core->n_hypotheses;
    if (n == 0)
        return;
    ideas_sort(r, order);
    term_paint(style, out, "2",
        "idea source    (largest gain first, gain alone with 95 % interval, "
        "* = proved)\n");
    for (uint32_t i = 0; i < n && i < IDEA_ROWS_MAX; i++)
        idea_line(r, order[i], style, out);
    if (n > IDEA_ROWS_MAX)
        buf_printf(
            out, "... and %u more (rea hypothesis list)\n", n - IDEA_ROWS_MAX);
}

void
campaign_text(
    const struct report *r, const struct text_style *style, struct buf *out)
{
    const struct core *c = r->core;
    struct status_entry e;
    status_entry(r->campaign, c, r->halt_why, &e);
    head_lines(r, &e, style, out);
    baseline_line(c, out);
    budget_line(c, out);
    phase_lines(c, style, out);
    idea_lines(r, style, out);
    sources_line(r, out);
    buf_printf(out,
        "trials    %u ok, %u running, %u failed, %u recovered; %u failed "
        "attempts\n",
        e.ok, e.running, e.failed, e.recovered, r->failures.n);
    buf_printf(out, "agent     %" PRIu64 " wakes, %.2f s in all", r->n_wakes,
        r->agent_s);
    if (c->state == CAMPAIGN_RUNNING)
        buf_printf(
            out, "; about %.0f %% of the work is done", 100 * core_progress(c));
    buf_putc(out, '\n');
    next_line(style, out, e.next);
}

/* ---- plan ---- */

static void
plan_idea(const struct report *r, uint32_t h, const struct text_style *style,
    struct buf *out)
{
    const struct hypothesis *x = &r->core->hypothesis[h];
    uint32_t dec = fmt_decimals(&r->core->spec);
    struct buf scratch = {0};
    char s[200];
    snprintf(s, sizeof(s), "H%u", h + 1);
    term_cell(out, s, 5);
    term_cell(out, source_name(x->source), 10);
    term_cell(
        out, hypothesis_statement(r, h, &scratch), term_width(style) - 42);
    snprintf(s, sizeof(s), " %s +- %s", fmt_gain(x->prior_mean, dec).s,
        fmt_value(hypothesis_prior_sd(r, h), dec).s);
    buf_printf(out, "%s%s%s\n", s, x->needs_hook ? " (hook)" : "",
        x->patch != 0 ? " (patch)" : "");
    buf_fini(&scratch);
}

/* What code the jobs will run, and which changes of it wait. */
static void
plan_code(const struct core *c, struct buf *out)
{
    uint32_t waiting = patches_waiting(c, (UINT32_C(1) << c->n_patches) - 1);
    if (c->base_rev[0] == '\0')
        return;
    buf_printf(out, "all jobs run from commit %.12s, sandboxed; %u patch%s",
        c->base_rev, c->n_patches, c->n_patches == 1 ? "" : "es");
    const char *before = "; unsigned:";
    for (uint32_t i = 0; i < c->n_patches; i++) {
        if ((waiting >> i & 1) == 0)
            continue;
        buf_printf(out, "%s %.12s", before, c->patch[i].sha256);
        before = ",";
    }
    buf_putc(out, '\n');
}

static void
plan_phases(const struct core *c, const struct plan_estimate *est,
    const struct text_style *style, struct buf *out)
{
    struct fmt_unit u = fmt_unit(c->spec.unit, c->spec.total_u);
    char s[64];
    term_paint(style, out, "2", "phase          trials    cost\n");
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++) {
        if ((c->spec.phases >> p & 1) == 0)
            continue;
        term_cell(out, phase_name(p), 15);
        snprintf(s, sizeof(s), "%u", est->trials[p]);
        term_cell_right(out, s, 6);
        term_cell_right(out, fmt_cost(u, est->cost_u[p]).s, 8);
        buf_printf(out, " %s\n", u.name);
    }
    buf_printf(out, "total <= %s %s, about %s\n",
        fmt_cost(u, c->pending_u != 0 ? c->pending_u : c->spec.total_u).s,
        u.name, fmt_cost(u, est->total_u).s);
}

/* The curve in one line, and what it says. */
static void
plan_curve(const struct core *c, const struct plan_estimate *est, uint32_t dec,
    struct buf *out)
{
    struct fmt_unit u = fmt_unit(c->spec.unit, c->spec.total_u);
    buf_printf(out, "expected by budget");
    for (int i = 0; i < PLAN_POINTS; i++)
        if (est->curve[i].share <= 2)
            buf_printf(out, "%s %.0f%% %s", i == 0 ? ":" : ",",
                100 * est->curve[i].share, fmt_gain(est->curve[i].gain, dec).s);
    buf_printf(out, "\n");
    if (est->enough_u > 0)
        buf_printf(out, "more than about %s %s would not pay\n",
            fmt_cost(u, est->enough_u).s, u.name);
}

void
plan_text(
    const struct report *r, const struct text_style *style, struct buf *out)
{
    const struct core *c = r->core;
    struct plan_estimate est;
    uint32_t dec = fmt_decimals(&c->spec), shown = 0, active = 0;
    uint32_t from[4] = {0};
    char s[200];
    plan_estimate(c, &est);
    for (uint32_t h = 0; h < c->n_hypotheses; h++) {
        active += !c->hypothesis[h].dropped;
        from[c->hypothesis[h].source & 3] += !c->hypothesis[h].dropped;
    }
    snprintf(s, sizeof(s), "C%u %s", r->campaign, c->spec.model);
    term_paint(style, out, "1", s);
    buf_printf(out,
        "  %u ideas: %u from insights, %u from research, %u from "
        "you\n",
        active, from[SOURCE_INSIGHT], from[SOURCE_RESEARCH],
        from[SOURCE_ENGINEER]);
    for (uint32_t h = 0; h < c->n_hypotheses && shown < PLAN_ROWS_MAX; h++) {
        if (c->hypothesis[h].dropped)
            continue;
        plan_idea(r, h, style, out);
        shown++;
    }
    if (shown < active)
        buf_printf(
            out, "... and %u more (rea hypothesis list)\n", active - shown);
    plan_phases(c, &est, style, out);
    plan_code(c, out);
    buf_printf(out, "expected gain %s, smallest detectable %s on %s\n",
        fmt_gain(est.expected_gain, dec).s,
        fmt_gain(est.detectable_gain, dec).s,
        c->spec.metric[c->spec.primary].name);
    plan_curve(c, &est, dec, out);
    buf_printf(out, "plan %s\n", plan_hash_shown(c));
    snprintf(s, sizeof(s), "rea approve %.12s", plan_hash_shown(c));
    next_line(style, out, c->pending_hash[0] != '\0' ? s : "rea run");
}
