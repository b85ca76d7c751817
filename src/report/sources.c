/* What each source of ideas brought. Called by the four faces of a report.
 * Invariant: they print the same tally. */
#include "report/sources.h"

#include <math.h>
#include <stdio.h>

#include "report/fmt.h"
#include "report/parts.h"
#include "report/sections.h"

uint32_t
sources_tally(const struct report *r, struct source_facts out[SOURCE_COUNT])
{
    const struct core *c = r->core;
    struct source_facts all[SOURCE_COUNT] = {0};
    uint32_t n = 0;
    for (uint32_t h = 0; h < c->n_hypotheses; h++) {
        const struct hypothesis *x = &c->hypothesis[h];
        struct source_facts *s =
            &all[x->source == SOURCE_NONE ? SOURCE_ENGINEER : x->source];
        double mean, lo, hi;
        s->ideas += !x->dropped;
        bool measured = hypothesis_effect(r, h, &mean, &lo, &hi);
        s->tried += measured;
        if (measured && x->verdict == VERDICT_PROMOTE) {
            s->held++;
            s->gain += mean;
        }
        for (uint32_t t = 0; t < c->n_trials && x->experiment != 0; t++)
            if (c->trial[t].experiment == x->experiment)
                s->cost_u += c->trial[t].cost_u;
    }
    for (uint32_t s = SOURCE_NONE + 1; s < SOURCE_COUNT; s++) {
        if (all[s].ideas == 0 && all[s].tried == 0)
            continue;
        all[s].source = s;
        out[n++] = all[s];
    }
    return n;
}

double
source_win_rate(const struct source_facts *s)
{
    return s->tried > 0 ? (double)s->held / s->tried : NAN;
}

double
source_gain_per_unit(const struct source_facts *s)
{
    return s->cost_u > 0 ? s->gain / ((double)s->cost_u / MICRO) : NAN;
}

const char *
source_unit_name(const struct core *c)
{
    static const char *const name[] = {
        "unit", "core-hour", "GPU-hour", "US dollar", "trial"};
    return name[c->spec.unit <= UNIT_TRIALS ? c->spec.unit : UNIT_NONE];
}

void
sources_json(struct jw *w, const struct report *r)
{
    struct source_facts s[SOURCE_COUNT];
    uint32_t n = sources_tally(r, s);
    jw_key(w, "sources");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < n; i++) {
        jw_obj_begin(w);
        jw_kstr(w, "source", source_name(s[i].source));
        jw_ki64(w, "ideas", s[i].ideas);
        jw_ki64(w, "tried", s[i].tried);
        jw_ki64(w, "held", s[i].held);
        jw_kf64(w, "cost", (double)s[i].cost_u / MICRO);
        jw_kf64(w, "gain", s[i].gain);
        if (s[i].tried > 0)
            jw_kf64(w, "win_rate", source_win_rate(&s[i]));
        if (s[i].cost_u > 0) {
            jw_kf64(w, "gain_per_unit", source_gain_per_unit(&s[i]));
            jw_kstr(w, "unit", source_unit_name(r->core));
        }
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

/* ---- for people ---- */

static bool
any_tried(const struct source_facts *s, uint32_t n)
{
    uint32_t tried = 0;
    for (uint32_t i = 0; i < n; i++)
        tried += s[i].tried;
    return tried > 0;
}

/* "33 %" and "+0.0012", or a dash where nothing was tried. */
struct source_texts {
    char rate[16], gain[32];
};

static struct source_texts
texts_of(const struct source_facts *s)
{
    struct source_texts t = {"-", "-"};
    if (s->tried > 0)
        snprintf(t.rate, sizeof t.rate, "%.0f %%", 100 * source_win_rate(s));
    if (s->cost_u > 0)
        snprintf(t.gain, sizeof t.gain, "%.2g", source_gain_per_unit(s));
    return t;
}

void
sources_md(const struct report *r, struct buf *out)
{
    struct source_facts s[SOURCE_COUNT];
    uint32_t n = sources_tally(r, s);
    struct fmt_unit u = fmt_unit(r->core->spec.unit, r->core->approved_u);
    if (!any_tried(s, n))
        return;
    buf_printf(out,
        "## What each source of ideas brought\n\n| source | ideas | tried | "
        "held | win rate | %s | gain per %s |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n",
        u.name, source_unit_name(r->core));
    for (uint32_t i = 0; i < n; i++) {
        struct source_texts t = texts_of(&s[i]);
        buf_printf(out, "| %s | %u | %u | %u | %s | %s | %s |\n",
            source_name(s[i].source), s[i].ideas, s[i].tried, s[i].held, t.rate,
            fmt_cost(u, s[i].cost_u).s, t.gain);
    }
    buf_putc(out, '\n');
}

void
section_sources(const struct report *r, struct buf *out)
{
    struct source_facts s[SOURCE_COUNT];
    uint32_t n = sources_tally(r, s);
    struct fmt_unit u = fmt_unit(r->core->spec.unit, r->core->approved_u);
    char number[16];
    if (!any_tried(s, n))
        return;
    buf_printf(out,
        "<h2>What each source of ideas brought</h2>\n<table><thead><tr>"
        "<th>source</th><th class=\"n\">ideas</th><th "
        "class=\"n\">tried</th><th class=\"n\">held</th>"
        "<th class=\"n\">win rate</th><th class=\"n\">%s</th><th "
        "class=\"n\">gain per %s</th></tr></thead>"
        "<tbody>\n",
        u.name, source_unit_name(r->core));
    for (uint32_t i = 0; i < n; i++) {
        struct source_texts t = texts_of(&s[i]);
        uint32_t count[] = {s[i].ideas, s[i].tried, s[i].held};
        buf_puts(out, "<tr>");
        put_cell(out, "w", source_name(s[i].source));
        for (int k = 0; k < 3; k++) {
            snprintf(number, sizeof number, "%u", count[k]);
            put_num(out, number);
        }
        put_num(out, t.rate);
        put_num(out, fmt_cost(u, s[i].cost_u).s);
        put_num(out, t.gain);
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out,
        "</tbody></table>\n<p class=\"note\">Held: promoted when tried "
        "alone. Gain: the sum over those, after shrinkage; it is divided by "
        "what all trials of the source's ideas alone cost.</p>\n");
}

void
sources_line(const struct report *r, struct buf *out)
{
    struct source_facts s[SOURCE_COUNT];
    uint32_t n = sources_tally(r, s);
    if (!any_tried(s, n))
        return;
    buf_puts(out, "sources  ");
    for (uint32_t i = 0; i < n; i++) {
        struct source_texts t = texts_of(&s[i]);
        buf_printf(out, "%s %s %u of %u held", i > 0 ? ";" : "",
            source_name(s[i].source), s[i].held, s[i].tried);
        if (s[i].held > 0)
            buf_printf(out, ", %s per %s", t.gain, source_unit_name(r->core));
    }
    buf_putc(out, '\n');
}
