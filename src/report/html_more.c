/* The second half of the HTML page: confirmation, noise, combination, budget
 * and time, failures, the engineer's part, trials, log, reproduction. */
#include "report/page.h"
#include "report/parts.h"
#include "report/report.h"
#include "report/sections.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- finalists ---- */

static void
finalist_row(const struct report *r, uint32_t i, struct buf *out)
{
    const struct core *c = r->core;
    const struct finalist *f = &c->finalist[i];
    uint32_t dec = fmt_decimals(&c->spec);
    struct buf label = {0};
    char s[64];
    struct effect e;
    buf_puts(out, f->experiment == c->proposal ? "<tr class=\"hit\">" : "<tr>");
    snprintf(s, sizeof(s), "E%u", f->experiment);
    put_cell(out, "w", s);
    experiment_label(c, f->experiment, &label);
    put_cell(out, label.len < 24 ? "w" : NULL, buf_str(&label));
    if (analysis_effect(c, f->experiment, &e))
        put_num(out, fmt_interval(e.mean, e.lo, e.hi, dec).s);
    else
        put_num(out, "-");
    if (f->judged) {
        put_num(out, fmt_value(f->base, dec).s);
        put_num(out, fmt_value(f->candidate, dec).s);
        put_num(out, fmt_interval(f->gain, f->lo, f->hi, dec).s);
        snprintf(s, sizeof(s), "%u / %u", f->n, f->n_base);
        put_num(out, s);
        put_cell(out,
            f->experiment == c->proposal ? "good w"
            : f->lo > 0                  ? "w"
                                         : "bad w",
            f->experiment == c->proposal ? "proposed"
            : f->lo > 0                  ? "above 0"
                                         : "did not hold");
    } else {
        buf_puts(out, "<td class=\"mute\" colspan=\"5\">sealed, not opened "
                      "yet</td>");
    }
    buf_puts(out, "</tr>\n");
    buf_fini(&label);
}

void
section_sealed(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    if (c->n_finalists == 0)
        return;
    buf_puts(out, "<h2>Confirmation: search and sealed gain, kept apart</h2>\n"
                  "<figure>\n");
    plot_gains(r, out);
    buf_printf(out,
        "<figcaption>Search: shrunken estimate on %s, which steered the "
        "campaign. Sealed: fresh seeds%s%s, intervals simultaneous over the "
        "%u finalist%s.</figcaption></figure>\n",
        c->spec.metric[c->spec.primary].name,
        report_has_sealed(c) ? " on " : "",
        report_has_sealed(c) ? c->spec.metric[c->spec.sealed].name : "",
        c->n_finalists, c->n_finalists == 1 ? "" : "s");
    buf_puts(out,
        "<table><thead><tr><th></th><th>made of</th><th class=\"n\">search "
        "gain</th><th class=\"n\">baseline</th><th class=\"n\">"
        "candidate</th><th class=\"n\">sealed gain</th><th class=\"n\">seeds"
        "</th><th></th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < c->n_finalists; i++)
        finalist_row(r, i, out);
    buf_puts(out, "</tbody></table>\n");
}

/* ---- noise and calibration ---- */

void
section_baseline(const struct report *r, struct buf *out)
{
    struct buf left = {0}, right = {0};
    bool a = plot_baseline(r, &left), b = plot_scatter(r, &right);
    if (a || b) {
        buf_puts(out, "<h2>Noise, and how good the predictions were</h2>\n"
                      "<div class=\"pair\">\n");
        if (a)
            buf_printf(out,
                "<figure>%s<figcaption>Each dot is one training of the "
                "unchanged model with its own seed; the band is one standard "
                "deviation, pooled over all repeats.</figcaption></figure>"
                "\n",
                buf_str(&left));
        if (b)
            buf_printf(out,
                "<figure>%s<figcaption>Measured (95 %% interval) against "
                "predicted gain; "
                "dashed: measured as predicted. A dot on the edge lies "
                "further out."
                "</figcaption></figure>\n",
                buf_str(&right));
        buf_puts(out, "</div>\n");
    }
    buf_fini(&left);
    buf_fini(&right);
}

/* ---- combination ---- */

void
section_combination(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct buf plot = {0};
    bool any = plot_matrix(r, &plot);
    const char *why = r->phase_why[PHASE_COMBINATION];
    if (any) {
        buf_printf(out,
            "<h2>Combination: which ideas help each other</h2>\n<figure>%s"
            "<figcaption>Interaction: what a pair gains beyond the sum of "
            "its parts. Above 0 with its whole interval: synergy; below: "
            "conflict; additive: too small to matter; unclear: the data do "
            "not tell.</figcaption></figure>\n",
            buf_str(&plot));
    } else if (c->phase_state[PHASE_COMBINATION] == PHASE_SKIPPED &&
               (c->spec.phases >> PHASE_COMBINATION & 1) != 0) {
        buf_puts(out, "<h2>Combination</h2>\n<p>Skipped: ");
        page_text(out, why != NULL ? why : "nothing to combine");
        buf_puts(out, ".</p>\n");
    }
    buf_fini(&plot);
}

/* ---- budget and time ---- */

static void
phase_table(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    char s[64];
    buf_printf(out,
        "<table><thead><tr><th>phase</th><th>state</th><th "
        "class=\"n\">trials</th><th class=\"n\">cost, %s</th><th>how it closed"
        "</th></tr></thead><tbody>\n",
        u.name);
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++) {
        if ((c->spec.phases >> p & 1) == 0)
            continue;
        buf_puts(out, "<tr>");
        put_cell(out, "w", phase_name(p));
        put_cell(out, "w", phase_state_name(c->phase_state[p]));
        snprintf(s, sizeof(s), "%u", phase_trials(c, p));
        put_num(out, s);
        put_num(out, fmt_cost(u, c->phase_spent_u[p]).s);
        put_cell(out, NULL, r->phase_why[p] != NULL ? r->phase_why[p] : "");
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table>\n");
}

/* What the plan promised by budget, beside what came of it. */
static void
curve_table(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    uint32_t dec = fmt_decimals(&c->spec);
    struct plan_estimate est;
    plan_estimate(c, &est);
    buf_printf(out,
        "<table><thead><tr><th class=\"n\">budget, %s</th><th "
        "class=\"n\">expected gain</th></tr></thead><tbody>\n",
        u.name);
    for (int i = 0; i < PLAN_POINTS; i++) {
        const struct plan_point *p = &est.curve[i];
        if (p->share > 2)
            continue;
        buf_puts(out, "<tr>");
        put_num(out, fmt_cost(u, p->budget_u).s);
        put_num(out, fmt_gain(p->gain, dec).s);
        buf_puts(out, "</tr>\n");
    }
    buf_printf(out,
        "</tbody></table>\n<p>Expected before it began; confirmed for %s %s: "
        "%s.</p>\n",
        fmt_cost(u, c->spent_u).s, u.name, fmt_gain(realised_gain(c), dec).s);
}

void
section_gain(const struct report *r, struct buf *out)
{
    struct buf plot = {0};
    if (plot_curve(r, &plot))
        buf_printf(out,
            "<h2>Gain over the budget spent</h2>\n<figure>%s<figcaption>The "
            "experiment that would have been named after each trial, with "
            "the 95 %% interval of its shrunken gain; dashed: smallest gain "
            "worth shipping.</figcaption></figure>\n",
            buf_str(&plot));
    buf_fini(&plot);
}

void
section_time(const struct report *r, struct buf *out)
{
    struct buf plot = {0};
    if (plot_timeline(r, &plot)) {
        buf_printf(out,
            "<h2>Timeline of jobs and "
            "wakes</h2>\n<figure>%s<figcaption>%" PRIu64
            " wakes, %.2f s of the agent in all; between two wakes no process "
            "of the agent exists.%s</figcaption></figure>\n",
            buf_str(&plot), r->n_wakes, r->agent_s,
            r->wait_s > 0 ? " A foreground wait is not drawn." : "");
    }
    buf_clear(&plot);
    if (plot_budget(r, &plot)) {
        buf_printf(
            out, "<h2>Budget</h2>\n<figure>%s</figure>\n", buf_str(&plot));
        phase_table(r, out);
        curve_table(r, out);
    }
    buf_fini(&plot);
}

/* ---- failures ---- */

void
section_failures(const struct report *r, struct buf *out)
{
    char s[32];
    buf_puts(out, "<h2>Failures and repairs</h2>\n");
    if (r->failures.n == 0) {
        buf_puts(out, "<p>No attempt failed.</p>\n");
        return;
    }
    buf_puts(out, "<table><thead><tr><th>trial</th><th>attempt</th><th>what "
                  "broke</th><th>remedy</th><th>outcome</th><th>reason of the "
                  "choice</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < r->failures.n; i++) {
        const struct report_failure *f = &r->failures.v[i];
        bool good = strncmp(f->outcome, "recovered", 9) == 0;
        bool bad = strcmp(f->outcome, "gave up") == 0;
        snprintf(s, sizeof(s), "T%u", f->trial);
        buf_puts(out, "<tr>");
        put_cell(out, "w", s);
        snprintf(s, sizeof(s), "%u", f->attempt);
        put_cell(out, NULL, s);
        put_cell(out, "w", f->signature);
        put_cell(out, "w", remedy_name(f->remedy));
        put_cell(out, good ? "good" : bad ? "bad" : NULL, f->outcome);
        put_cell(out, NULL, f->why != NULL ? f->why : "");
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table>\n<p class=\"note\">A trial whose batch or "
                  "learning rate a repair changed is labelled and not "
                  "compared with the others.</p>\n");
}

/* ---- the engineer ---- */

static const char *
gate_words(uint32_t kind)
{
    switch (kind) {
    case EVENT_plan_approved:
        return "signed the plan";
    case EVENT_campaign_started:
        return "started the campaign";
    case EVENT_campaign_paused:
        return "paused";
    case EVENT_campaign_resumed:
        return "resumed";
    case EVENT_campaign_stopped:
        return "stopped";
    case EVENT_budget_lowered:
        return "lowered the budget";
    case EVENT_hypothesis_dropped:
        return "dropped an idea";
    case EVENT_hypothesis_pinned:
        return "pinned an idea";
    case EVENT_project_changed:
        return "gate: the project file changed";
    case EVENT_campaign_halted:
        return "gate: halted";
    case EVENT_proposal_made:
        return "gate: a proposal to accept";
    default:
        return event_name(kind);
    }
}

void
section_engineer(const struct report *r, struct buf *out)
{
    char s[96];
    double minutes = report_minutes(r);
    buf_puts(out, "<h2>The engineer’s part</h2>\n<p>");
    buf_printf(out, "%u interrupt%s after the start", r->interrupts,
        r->interrupts == 1 ? "" : "s");
    if (isfinite(minutes))
        buf_printf(out, "; %.1f minutes from start to %s", minutes,
            r->proposed_ms != 0 ? "proposal" : "end");
    buf_puts(out, ".</p>\n");
    if (r->gates.n == 0)
        return;
    buf_puts(out, "<table><thead><tr><th>time</th><th>what</th><th>who</th>"
                  "<th>detail</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < r->gates.n; i++) {
        const struct report_gate *g = &r->gates.v[i];
        buf_puts(out, "<tr>");
        snprintf(s, sizeof(s), "%.10s %s", fmt_time(g->at_ms).s,
            fmt_clock(g->at_ms).s);
        put_cell(out, "w", s);
        put_cell(out, "w", gate_words(g->kind));
        put_cell(out, "w", g->by != NULL ? g->by : "");
        put_cell(out, NULL, g->why);
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table>\n");
}

/* ---- trials, log, reproduction ---- */

static void
trial_row(const struct report *r, uint32_t i, struct buf *out)
{
    const struct core *c = r->core;
    const struct trial *t = &c->trial[i];
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    uint32_t dec = fmt_decimals(&c->spec);
    struct buf label = {0};
    char s[64];
    snprintf(s, sizeof(s), "T%u", i + 1);
    buf_puts(out, "<tr>");
    put_cell(out, NULL, s);
    snprintf(s, sizeof(s), "E%u", t->experiment);
    put_cell(out, NULL, s);
    experiment_label(c, t->experiment, &label);
    put_cell(out, NULL, buf_str(&label));
    put_cell(out, NULL, phase_name(t->phase));
    snprintf(s, sizeof(s), "%u", t->seed);
    put_num(out, s);
    snprintf(s, sizeof(s), "%s%s", trial_state_name(t->state),
        t->labels != 0 ? ", changed" : "");
    put_cell(out, t->state == TRIAL_FAILED ? "bad" : NULL, s);
    snprintf(s, sizeof(s), "%u", t->attempts);
    put_num(out, s);
    put_num(out, fmt_cost(u, t->cost_u).s);
    put_num(out, fmt_value(t->metric[c->spec.primary], dec + 1).s);
    if (report_has_sealed(c)) {
        if (t->sealed_known)
            put_num(out, fmt_value(t->sealed, dec + 1).s);
        else
            buf_puts(out, "<td class=\"n mute\">sealed</td>");
    }
    buf_puts(out, "</tr>\n");
    buf_fini(&label);
}

void
section_trials(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    if (c->n_trials == 0)
        return;
    buf_printf(out,
        "<h2 class=\"screen\">All trials and "
        "decisions</h2>\n<details><summary>%u "
        "trials</summary>\n<table><thead><tr><th>id</th><th></th><th>"
        "experiment</th><th>phase</th><th class=\"n\">seed</th><th>state</th>"
        "<th class=\"n\">attempts</th><th class=\"n\">cost, %s</th><th "
        "class=\"n\">",
        c->n_trials, u.name);
    page_text(out, c->spec.metric[c->spec.primary].name);
    buf_puts(out, "</th>");
    if (report_has_sealed(c)) {
        buf_puts(out, "<th class=\"n\">");
        page_text(out, c->spec.metric[c->spec.sealed].name);
        buf_puts(out, "</th>");
    }
    buf_puts(out, "</tr></thead><tbody>\n");
    for (uint32_t i = 0; i < c->n_trials; i++)
        trial_row(r, i, out);
    buf_puts(out, "</tbody></table></details>\n");
}

void
section_log(const struct report *r, struct buf *out)
{
    char s[32];
    if (r->lines.n == 0)
        return;
    buf_printf(out,
        "<details><summary>Decision log: %u lines</summary>\n<table><thead>"
        "<tr><th class=\"n\">event</th><th>time</th><th>phase</th><th>"
        "fact or decision</th></tr></thead><tbody>\n",
        r->lines.n);
    for (uint32_t i = 0; i < r->lines.n; i++) {
        const struct report_line *l = &r->lines.v[i];
        buf_puts(out, "<tr>");
        snprintf(s, sizeof(s), "%" PRIu64, l->seq);
        put_num(out, s);
        put_cell(out, "w mute", fmt_clock(l->at_ms).s);
        put_cell(out, "mute", l->phase != 0 ? phase_name(l->phase) : "");
        buf_puts(out, l->decision ? "<td>&#9656; " : "<td class=\"mute\">");
        page_text(out, line_body(l->text));
        buf_puts(out, "</td></tr>\n");
    }
    buf_puts(out, "</tbody></table></details>\n");
}

void
section_repro(const struct report *r, struct buf *out)
{
    struct buf text = {0};
    if (r->repro.command == NULL)
        return;
    report_repro_text(&r->repro, &text);
    buf_puts(out, "<h2>How to reproduce it</h2>\n<pre>");
    page_text(out, buf_str(&text));
    buf_printf(out,
        "</pre>\n<p class=\"note\">Or <code>rea repro C%u/%s --run</code>, "
        "which runs it and prints PASS or FAIL.</p>\n",
        r->campaign, r->repro.id != NULL ? r->repro.id : "E0");
    buf_fini(&text);
}
