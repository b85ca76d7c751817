/* The report as one self-contained HTML page: what was decided and why, for
 * the screen and for paper. Called by cmd. This file holds the head, the
 * proposal and the ideas; html_more.c holds the rest. */
#include "report/page.h"
#include "report/parts.h"
#include "report/sources.h"
#include "report/report.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void
put_cell(struct buf *out, const char *class, const char *text)
{
    if (class != NULL)
        buf_printf(out, "<td class=\"%s\">", class);
    else
        buf_puts(out, "<td>");
    page_text(out, text);
    buf_puts(out, "</td>");
}

void
put_num(struct buf *out, const char *number)
{
    buf_puts(out, "<td class=\"n\">");
    page_num(out, number);
    buf_puts(out, "</td>");
}

/* ---- head ---- */

/* more: a part of the small print that must not be broken; NULL: none. */
static void
tile(struct buf *out, const char *big, const char *small, const char *more)
{
    buf_puts(out, "<div class=\"tile\"><b>");
    page_num(out, big);
    buf_puts(out, "</b><span>");
    page_text(out, small);
    if (more != NULL) {
        buf_puts(out, " <i>");
        page_num(out, more);
        buf_puts(out, "</i>");
    }
    buf_puts(out, "</span></div>\n");
}

static void
tile_gain(struct buf *out, const char *what, double mean, double lo, double hi,
    uint32_t dec)
{
    char s[150];
    snprintf(
        s, sizeof(s), "[%s, %s]", fmt_gain(lo, dec).s, fmt_gain(hi, dec).s);
    tile(out, fmt_gain(mean, dec).s, what, s);
}

static void
tile_gains(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t dec = fmt_decimals(&c->spec), i = finalist_of(c, c->proposal);
    struct effect f;
    if (c->proposal == 0)
        return;
    if (i < c->n_finalists && c->finalist[i].judged)
        tile_gain(out, "sealed gain", c->finalist[i].gain, c->finalist[i].lo,
            c->finalist[i].hi, dec);
    if (analysis_effect(c, c->proposal, &f))
        tile_gain(out, "search gain", f.mean, f.lo, f.hi, dec);
}

static void
tiles(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    uint32_t dec = fmt_decimals(&c->spec);
    struct status_entry e;
    struct baseline_stat b;
    char s[200];
    status_entry(r->campaign, c, r->halt_why, &e);
    analysis_baseline(c, &b);
    buf_puts(out, "<div class=\"tiles\">\n");
    tile_gains(r, out);
    if (b.n > 0) {
        snprintf(s, sizeof(s), "baseline %s, seed sd %s, %u seeds",
            c->spec.metric[c->spec.primary].name, fmt_value(b.sd, dec + 1).s,
            b.n);
        tile(out, fmt_value(b.mean, dec).s, s, NULL);
    }
    snprintf(s, sizeof(s), "%s spent of %s approved", u.name,
        fmt_cost(u, c->approved_u).s);
    tile(out, fmt_cost(u, c->spent_u).s, s, NULL);
    char big[64];
    snprintf(big, sizeof(big), "%u", e.ok);
    snprintf(s, sizeof(s), "trials ok; %u failed, %u recovered", e.failed,
        e.recovered);
    tile(out, big, s, NULL);
    double minutes = report_minutes(r);
    if (isfinite(minutes)) {
        snprintf(s, sizeof(s), "from start to %s; %u interrupts",
            r->proposed_ms != 0 ? "proposal" : "end", r->interrupts);
        tile(out, fmt_duration((int64_t)(minutes * 60e3)).s, s, NULL);
    }
    buf_puts(out, "</div>\n");
}

static void
summary_note(const struct report *r, struct buf *out)
{
    const struct report_answer *s = report_summary(r);
    if (s == NULL)
        return;
    buf_puts(out, "<p class=\"summary\">");
    page_text(out, s->text);
    buf_puts(out, "</p>\n<p class=\"note\">Written by the language model ");
    page_text(out, s->model);
    buf_puts(out, "; its numbers are those of this report.</p>\n");
}

void
section_head(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    struct buf verdict = {0};
    const char *class = c->proposal != 0              ? "good"
                        : c->state == CAMPAIGN_HALTED ? "warn"
                                                      : "mute";
    report_verdict(r, &verdict);
    buf_printf(out, "<div class=\"kicker\">rea report · campaign C%u</div>\n",
        r->campaign);
    buf_puts(out, "<h1>");
    page_text(out, c->spec.model);
    buf_printf(out, "</h1>\n<div class=\"verdict %s\">", class);
    page_text(out, buf_str(&verdict));
    buf_puts(out, "</div>\n<p class=\"note meta\">");
    buf_printf(out, "%s", campaign_state_name(c->state));
    if (r->started_ms != 0)
        buf_printf(out, " · started %s", fmt_time(r->started_ms).s);
    if (r->finished_ms != 0)
        buf_printf(out, " · finished %s", fmt_time(r->finished_ms).s);
    if (r->approved_by != NULL) {
        buf_puts(out, " · plan <code>");
        page_text_cut(out, c->plan_hash, 13);
        buf_puts(out, "</code> signed by ");
        page_text(out, r->approved_by);
    }
    if (c->fingerprint[0] != '\0') {
        buf_puts(out, " · data <code>");
        page_text_cut(out, c->fingerprint, 13);
        buf_puts(out, "</code>");
    }
    buf_puts(out, "</p>\n");
    tiles(r, out);
    summary_note(r, out);
    buf_fini(&verdict);
}

/* ---- proposal ---- */

static void
knob_cell(const struct spec *s, const struct config *x, uint32_t k,
    const char *class, struct buf *out)
{
    struct buf v = {0};
    if (knob_is_active(s, x, k))
        fmt_knob(&s->knob[k], x->v[k], &v);
    else
        buf_puts(&v, "not used");
    put_cell(out, class, buf_str(&v));
    buf_fini(&v);
}

static bool
knob_differs(const struct spec *s, const struct config *from,
    const struct config *to, uint32_t k)
{
    bool was = knob_is_active(s, from, k), is = knob_is_active(s, to, k);
    return (was || is) && !(was && is && from->v[k] == to->v[k]);
}

static void
knob_table(const struct core *c, uint32_t experiment, struct buf *out)
{
    const struct spec *s = &c->spec;
    const struct config *from = &c->experiment[0].config;
    const struct config *to = &c->experiment[experiment].config;
    bool docs = false;
    for (uint32_t k = 0; k < s->n_knobs; k++)
        docs |= knob_differs(s, from, to, k) && s->knob[k].doc[0] != '\0';
    buf_printf(out,
        "<table><thead><tr><th>knob</th><th>baseline</th><th>proposal</th>"
        "%s</tr></thead><tbody>\n",
        docs ? "<th>meaning</th>" : "");
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        if (!knob_differs(s, from, to, k))
            continue;
        buf_puts(out, "<tr><td class=\"w\"><code>");
        page_text(out, s->knob[k].name);
        buf_puts(out, "</code></td>");
        knob_cell(s, from, k, "w", out);
        knob_cell(s, to, k, "w good", out);
        if (docs)
            put_cell(out, "mute", s->knob[k].doc);
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table>\n");
}

static void
guard_table(const struct core *c, uint32_t experiment, struct buf *out)
{
    struct guard_result g[METRICS_MAX];
    uint32_t n = analysis_guards(c, experiment, 0, g);
    uint32_t dec = fmt_decimals(&c->spec);
    if (n == 0) {
        buf_puts(out, "<p class=\"note\">No guardrail is declared in the "
                      "project file.</p>\n");
        return;
    }
    buf_puts(out, "<h3>Guardrails</h3>\n<table><thead><tr><th>metric</th><th "
                  "class=\"n\">baseline</th><th class=\"n\">candidate</th><th "
                  "class=\"n\">95 % interval</th><th class=\"n\">limit</th><th>"
                  "</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < n; i++) {
        char s[150];
        buf_puts(out, "<tr>");
        put_cell(out, "w", c->spec.metric[g[i].metric].name);
        put_num(out, fmt_value(g[i].baseline, dec).s);
        put_num(out, fmt_value(g[i].candidate, dec).s);
        snprintf(s, sizeof(s), "[%s, %s]", fmt_value(g[i].lo, dec).s,
            fmt_value(g[i].hi, dec).s);
        put_num(out, s);
        put_num(out, fmt_value(g[i].limit, dec).s);
        put_cell(out,
            g[i].ok         ? "good"
            : g[i].violated ? "bad"
                            : "warn",
            g[i].ok         ? "within"
            : g[i].violated ? "violated"
                            : "not within, not certain");
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table>\n");
}

void
section_proposal(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t i = finalist_of(c, c->proposal);
    struct buf label = {0};
    if (c->proposal == 0)
        return;
    experiment_label(c, c->proposal, &label);
    buf_printf(out, "<h2>The proposal: E%u, ", c->proposal);
    page_text(out, buf_str(&label));
    buf_puts(out, "</h2>\n");
    knob_table(c, c->proposal, out);
    if (i < c->n_finalists && c->finalist[i].judged) {
        const struct finalist *f = &c->finalist[i];
        buf_printf(out,
            "<p>Confirmed on %s with %u fresh seeds for the candidate and %u "
            "for the baseline; the seal was opened %u time%s in this campaign. "
            "The interval %s.</p>\n",
            report_has_sealed(c) ? "the sealed metric" : "the search metric",
            f->n, f->n_base, c->looks, c->looks == 1 ? "" : "s",
            f->sampling_var > 0
                ? "covers seeds and the sampling of the test rows"
                : "covers seeds only, not the sampling of the test rows");
    }
    guard_table(c, c->proposal, out);
    buf_printf(out,
        "<p>To make it the model's next baseline: <code>rea accept "
        "C%u</code>. To run it again: <code>rea repro C%u/E%u "
        "--run</code>.</p>\n",
        r->campaign, r->campaign, c->proposal);
    buf_fini(&label);
}

/* ---- ideas ---- */

static void
evidence_link(void *ctx, const char *text, const char *url)
{
    struct buf *out = ctx;
    buf_puts(out, "<div>");
    if (url != NULL) {
        buf_puts(out, "<a rel=\"noreferrer\" href=\"");
        page_text(out, url);
        buf_puts(out, "\">");
    }
    page_text(out, text);
    buf_puts(out, url != NULL ? "</a></div>" : "</div>");
}

static void
idea_row(const struct report *r, uint32_t h, struct buf *out)
{
    const struct core *c = r->core;
    const struct hypothesis *x = &c->hypothesis[h];
    const struct report_hypothesis *t = &r->hypothesis[h];
    struct buf scratch = {0};
    struct config change;
    buf_printf(out,
        "<tr id=\"H%u\"><td class=\"w\"><b>H%u</b><br>"
        "<span class=\"mute\">%s</span></td><td>",
        h + 1, h + 1, source_name(x->source));
    page_text(out, hypothesis_statement(r, h, &scratch));
    if (!x->needs_hook) {
        buf_clear(&scratch);
        hypothesis_config(c, h + 1, &change);
        fmt_config_diff(&c->spec, &c->experiment[0].config, &change, &scratch);
        buf_puts(out, "<br><code>");
        page_text(out, buf_str(&scratch));
        buf_puts(out, "</code>");
    }
    buf_puts(out, "</td><td>");
    page_text(out, t->rationale);
    buf_puts(out, "<div class=\"note\">");
    evidence_each(t->evidence, evidence_link, out);
    buf_puts(out, "</div></td><td>");
    page_text(out, t->verdict_why != NULL
                       ? t->verdict_why
                       : verdict_name(hypothesis_verdict(r, h)));
    buf_puts(out, "</td></tr>\n");
    buf_fini(&scratch);
}

static void
ideas_intro(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t from[4] = {0}, verdicts[VERDICT_COUNT] = {0}, proved = 0;
    for (uint32_t h = 0; h < c->n_hypotheses; h++) {
        from[c->hypothesis[h].source & 3]++;
        verdicts[hypothesis_verdict(r, h)]++;
        proved += c->hypothesis[h].proved;
    }
    buf_printf(out,
        "<p>%u ideas: %u from the insights of earlier campaigns, %u from "
        "the literature, %u from the engineer. Verdicts:",
        c->n_hypotheses, from[SOURCE_INSIGHT], from[SOURCE_RESEARCH],
        from[SOURCE_ENGINEER]);
    bool any = false;
    for (uint32_t v = VERDICT_NONE + 1; v < VERDICT_COUNT; v++) {
        if (verdicts[v] == 0)
            continue;
        buf_printf(out, "%s %u %s", any ? "," : "", verdicts[v],
            v == VERDICT_NEEDS_HOOK ? "waiting for a hook in the trainer"
                                    : verdict_name(v));
        any = true;
    }
    buf_printf(out,
        ". <i>Promote</i> is the planning verdict; <i>proved</i> (%u) means "
        "the false discovery rate over all ideas is held at 10 %% (e-BH), "
        "whenever one looks.</p>\n",
        proved);
}

void
section_ideas(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t order[HYPOTHESES_MAX];
    if (c->n_hypotheses == 0)
        return;
    buf_puts(out, "<h2>What was tried, and why</h2>\n");
    ideas_intro(r, out);
    buf_puts(out, "<figure>\n");
    plot_forest(r, out);
    buf_puts(out,
        "<figcaption>Each idea alone against the baseline: "
        "predicted before any run, measured after shrinkage "
        "towards the prediction. Arrows: further out.</figcaption></figure>\n");
    ideas_sort(r, order);
    buf_puts(out,
        "<details class=\"paper\"><summary>Rationale, evidence and verdict of "
        "each idea</summary>\n<table class=\"ideas\"><colgroup><col "
        "style=\"width:8%\"><col style=\"width:22%\"><col "
        "style=\"width:46%\"><col style=\"width:24%\"></colgroup><thead>"
        "<tr><th>id</th><th>idea and change</th><th>why it was worth a try"
        "</th><th>verdict</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        idea_row(r, order[i], out);
    buf_puts(out, "</tbody></table></details>\n");
}

/* ---- page ---- */

void
report_html(const struct report *r, struct buf *out)
{
    buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
                  "charset=\"utf-8\">\n<meta name=\"viewport\" "
                  "content=\"width=device-width,initial-scale=1\">\n<title>");
    buf_printf(out, "C%u ", r->campaign);
    page_text(out, r->core->spec.model);
    buf_puts(out, " – rea report</title>\n<style>\n");
    page_css(out);
    buf_puts(out, "</style></head>\n<body><main>\n");
    section_head(r, out);
    section_proposal(r, out);
    section_sealed(r, out);
    section_ideas(r, out);
    section_sources(r, out);
    section_baseline(r, out);
    section_combination(r, out);
    section_gain(r, out);
    section_time(r, out);
    section_failures(r, out);
    section_engineer(r, out);
    section_repro(r, out);
    section_trials(r, out);
    section_log(r, out);
    buf_puts(out, "</main><div id=\"tip\" role=\"tooltip\"></div>\n<script>");
    page_js(out);
    buf_puts(out, "</script></body></html>\n");
}
