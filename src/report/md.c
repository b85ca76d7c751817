/* The report as Markdown, for a review or a wiki: the tables of the page
 * without its plots. Called by cmd. Texts of users are escaped so that they
 * can neither break a table nor bring in HTML. */
#include "report/parts.h"
#include "report/sources.h"
#include "report/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void
md_text(struct buf *out, const char *s)
{
    for (; s != NULL && *s != '\0'; s++) {
        if (*s == '\n' || (unsigned char)*s < 0x20 || *s == 0x7f)
            buf_putc(out, ' ');
        else if (*s == '<')
            buf_puts(out, "&lt;");
        else if (strchr("|`*_[]\\", *s) != NULL)
            buf_printf(out, "\\%c", *s);
        else
            buf_putc(out, *s);
    }
}

/* Inside `code`: nothing can be escaped there, so what would end it goes. */
static void
md_code(struct buf *out, const char *s)
{
    buf_putc(out, '`');
    for (; *s != '\0'; s++)
        buf_putc(out,
            *s == '`' || *s == '|' || iscntrl((unsigned char)*s) ? ' ' : *s);
    buf_putc(out, '`');
}

static void
md_head(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    uint32_t dec = fmt_decimals(&c->spec);
    struct baseline_stat b;
    struct status_entry e;
    struct buf verdict = {0};
    status_entry(r->campaign, c, r->halt_why, &e);
    analysis_baseline(c, &b);
    report_verdict(r, &verdict);
    buf_printf(out, "# C%u ", r->campaign);
    md_text(out, c->spec.model);
    buf_puts(out, "\n\n**");
    md_text(out, buf_str(&verdict));
    buf_puts(out, "**\n\n");
    if (b.n > 0) {
        buf_puts(out, "- baseline: ");
        md_text(out, c->spec.metric[c->spec.primary].name);
        buf_printf(out, " %s, seed sd %s, %u seeds\n", fmt_value(b.mean, dec).s,
            fmt_value(b.sd, dec + 1).s, b.n);
    }
    buf_printf(out, "- budget: %s of %s %s spent, %s reserved\n",
        fmt_cost(u, c->spent_u).s, fmt_cost(u, c->approved_u).s, u.name,
        fmt_cost(u, c->reserved_u).s);
    struct plan_estimate est;
    plan_estimate(c, &est);
    buf_printf(out, "- expected before it began: %s, found and confirmed: %s\n",
        fmt_gain(est.expected_gain, dec).s, fmt_gain(realised_gain(c), dec).s);
    buf_printf(out, "- trials: %u ok, %u running, %u failed, %u recovered\n",
        e.ok, e.running, e.failed, e.recovered);
    buf_printf(out,
        "- agent: %" PRIu64 " wakes, %.2f s in all; %u interrupts of the "
        "engineer\n\n",
        r->n_wakes, r->agent_s, r->interrupts);
    buf_fini(&verdict);
}

static void
md_guards(const struct core *c, uint32_t experiment, struct buf *out)
{
    struct guard_result g[METRICS_MAX];
    uint32_t n = analysis_guards(c, experiment, 0, g);
    uint32_t dec = fmt_decimals(&c->spec);
    if (n == 0)
        return;
    buf_puts(out, "| guardrail | baseline | candidate | limit | |\n"
                  "|---|---:|---:|---:|---|\n");
    for (uint32_t i = 0; i < n; i++) {
        buf_puts(out, "| ");
        md_text(out, c->spec.metric[g[i].metric].name);
        buf_printf(out, " | %s | %s | %s | %s |\n",
            fmt_value(g[i].baseline, dec).s, fmt_value(g[i].candidate, dec).s,
            fmt_value(g[i].limit, dec).s,
            g[i].ok         ? "within"
            : g[i].violated ? "violated"
                            : "not within, not certain");
    }
    buf_putc(out, '\n');
}

static void
md_proposal(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct buf diff = {0};
    if (c->proposal == 0)
        return;
    fmt_config_diff(&c->spec, &c->experiment[0].config,
        &c->experiment[c->proposal].config, &diff);
    buf_printf(out, "## Proposal: E%u\n\n", c->proposal);
    md_code(out, buf_str(&diff));
    buf_puts(out, "\n\n");
    md_guards(c, c->proposal, out);
    buf_printf(out, "Accept it with `rea accept C%u`.\n\n", r->campaign);
    buf_fini(&diff);
}

static void
md_finalists(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t dec = fmt_decimals(&c->spec);
    if (c->n_finalists == 0)
        return;
    buf_puts(out, "## Confirmation\n\n| finalist | made of | search gain | "
                  "sealed gain | seeds |\n|---|---|---:|---:|---:|\n");
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        struct effect e;
        buf_printf(out, "| E%u%s | ", f->experiment,
            f->experiment == c->proposal ? " **proposed**" : "");
        experiment_label(c, f->experiment, out);
        buf_printf(out, " | %s | ",
            analysis_effect(c, f->experiment, &e)
                ? fmt_interval(e.mean, e.lo, e.hi, dec).s
                : "-");
        if (f->judged)
            buf_printf(out, "%s | %u |\n",
                fmt_interval(f->gain, f->lo, f->hi, dec).s, f->n);
        else
            buf_puts(out, "sealed | - |\n");
    }
    buf_printf(out,
        "\nIntervals are 95 %%, simultaneous over the finalists; the seal was "
        "opened %u time%s.\n\n",
        c->looks, c->looks == 1 ? "" : "s");
}

static void
md_evidence(void *ctx, const char *text, const char *url)
{
    struct buf *out = ctx;
    buf_puts(out, "; ");
    if (url == NULL || strpbrk(url, "()<> ") != NULL) {
        md_text(out, text);
        return;
    }
    buf_putc(out, '[');
    md_text(out, text);
    buf_printf(out, "](%s)", url);
}

static void
md_ideas(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t dec = fmt_decimals(&c->spec), order[HYPOTHESES_MAX];
    struct buf scratch = {0};
    if (c->n_hypotheses == 0)
        return;
    ideas_sort(r, order);
    buf_puts(out, "## What was tried\n\n| idea | source | statement | "
                  "predicted | measured | verdict |\n"
                  "|---|---|---|---:|---:|---|\n");
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        uint32_t h = order[i];
        const struct hypothesis *x = &c->hypothesis[h];
        double m, lo, hi;
        buf_printf(out, "| H%u | %s | ", h + 1, source_name(x->source));
        md_text(out, hypothesis_statement(r, h, &scratch));
        evidence_each(r->hypothesis[h].evidence, md_evidence, out);
        buf_printf(out, " | %s ± %s | ", fmt_gain(x->prior_mean, dec).s,
            fmt_value(hypothesis_prior_sd(r, h), dec).s);
        if (hypothesis_effect(r, h, &m, &lo, &hi))
            buf_puts(out, fmt_interval(m, lo, hi, dec).s);
        else
            buf_putc(out, '-');
        buf_puts(out, " | ");
        md_text(out, verdict_name(hypothesis_verdict(r, h)));
        buf_printf(out, "%s |\n", x->proved ? ", proved" : "");
    }
    buf_putc(out, '\n');
    buf_fini(&scratch);
}

static void
md_pairs(const struct core *c, struct buf *out)
{
    uint32_t dec = fmt_decimals(&c->spec);
    bool any = false;
    for (uint32_t i = 0; i < c->n_pairs; i++) {
        const struct pair *p = &c->pair[i];
        if (p->verdict == PAIR_NONE)
            continue;
        if (!any)
            buf_puts(out, "## Combination\n\n| pair | interaction | verdict "
                          "|\n|---|---:|---|\n");
        any = true;
        buf_printf(out, "| H%u × H%u | %s | %s |\n", p->a + 1u, p->b + 1u,
            fmt_interval(p->mean, p->lo, p->hi, dec).s, pair_name(p->verdict));
    }
    if (any)
        buf_putc(out, '\n');
}

static void
md_phases(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    buf_printf(out,
        "## Phases\n\n| phase | state | trials | %s | how it closed |\n"
        "|---|---|---:|---:|---|\n",
        u.name);
    for (uint32_t p = PHASE_NONE + 1; p < PHASE_COUNT; p++) {
        if ((c->spec.phases >> p & 1) == 0)
            continue;
        buf_printf(out, "| %s | %s | %u | %s | ", phase_name(p),
            phase_state_name(c->phase_state[p]), phase_trials(c, p),
            fmt_cost(u, c->phase_spent_u[p]).s);
        md_text(out, r->phase_why[p]);
        buf_puts(out, " |\n");
    }
    buf_putc(out, '\n');
}

static void
md_failures(const struct report *r, struct buf *out)
{
    buf_puts(out, "## Failures and repairs\n\n");
    if (r->failures.n == 0) {
        buf_puts(out, "No attempt failed.\n\n");
        return;
    }
    buf_puts(out, "| trial | attempt | what broke | remedy | outcome |\n"
                  "|---|---:|---|---|---|\n");
    for (uint32_t i = 0; i < r->failures.n; i++) {
        const struct report_failure *f = &r->failures.v[i];
        buf_printf(out, "| T%u | %u | ", f->trial, f->attempt);
        md_text(out, f->signature);
        buf_printf(out, " | %s | %s |\n", remedy_name(f->remedy), f->outcome);
    }
    buf_putc(out, '\n');
}

static void
md_repro(const struct report *r, struct buf *out)
{
    struct buf text = {0};
    if (r->repro.command == NULL)
        return;
    report_repro_text(&r->repro, &text);
    buf_puts(out, "## How to reproduce it\n\n");
    /* Indented code: no text can close it. */
    for (const char *p = buf_str(&text); *p != '\0';) {
        size_t n = strcspn(p, "\n");
        buf_puts(out, "    ");
        buf_add(out, p, n);
        buf_putc(out, '\n');
        p += n + (p[n] == '\n');
    }
    buf_fini(&text);
}

/* Marked as a model's words: its numbers were looked up, its judgement was
 * not. */
static void
md_summary(const struct report *r, struct buf *out)
{
    const struct report_answer *s = report_summary(r);
    if (s == NULL)
        return;
    buf_puts(out, "> ");
    md_text(out, s->text);
    buf_puts(out, "\n>\n> *Written by the language model ");
    md_text(out, s->model);
    buf_puts(out, "; its numbers are those of this report.*\n\n");
}

void
report_md(const struct report *r, struct buf *out)
{
    md_head(r, out);
    md_summary(r, out);
    md_proposal(r, out);
    md_finalists(r, out);
    md_ideas(r, out);
    sources_md(r, out);
    md_pairs(r->core, out);
    md_phases(r, out);
    md_failures(r, out);
    md_repro(r, out);
}
