/* `rea show ID` and `rea why ID`: what one id is, and the log lines behind it.
 * Called by cmd. Only C, H, E, T and J ids live in a report; insights have
 * their own verb. */
#include "report/parts.h"
#include "report/term.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_ROWS_MAX = 22, SHOW_TRIALS_MAX = 12, ID_DIGITS_MAX = 9 };

static const char *
number_take(const char *p, uint32_t *out)
{
    size_t n = strspn(p, "0123456789");
    if (n == 0 || n > ID_DIGITS_MAX)
        return NULL;
    *out = (uint32_t)strtoul(p, NULL, 10);
    return p + n;
}

bool
report_id_parse(const char *text, struct report_id *out)
{
    memset(out, 0, sizeof(*out));
    if (toupper((unsigned char)text[0]) == 'C') {
        const char *end = number_take(text + 1, &out->number);
        if (end == NULL)
            return false;
        out->campaign = out->number;
        out->kind = 'C';
        if (*end == '\0')
            return out->number > 0;
        if (*end != '/')
            return false;
        text = end + 1;
    }
    char kind = (char)toupper((unsigned char)text[0]);
    if (kind == '\0' || strchr("HETJI", kind) == NULL)
        return false;
    const char *end = number_take(text + 1, &out->number);
    out->kind = kind;
    return end != NULL && *end == '\0' && (out->number > 0 || kind == 'E');
}

/* ---- finding ---- */

static const struct report_span *
span_of_job(const struct report *r, uint32_t job)
{
    for (uint32_t i = 0; i < r->spans.n; i++)
        if (r->spans.v[i].job == job)
            return &r->spans.v[i];
    return NULL;
}

static int
id_refuse(const struct report *r, const char *text, const char *first,
    uint32_t n, char kind, struct err *err)
{
    if (n == 0)
        return err_set(err, -ERR_NOT_FOUND, "%s: C%u has no %c ids yet", text,
            r->campaign, kind);
    return err_set(err, -ERR_NOT_FOUND, "%s: C%u has %s..%c%u", text,
        r->campaign, first, kind, n);
}

static int
id_find(const struct report *r, const char *text, struct report_id *id,
    struct err *err)
{
    const struct core *c = r->core;
    if (!report_id_parse(text, id))
        return err_set(err, -ERR_INPUT,
            "%s is not an id: write C1, H3, E12, T41 or J7 (or C1/T41)", text);
    if (id->campaign != 0 && id->campaign != r->campaign)
        return err_set(
            err, -ERR_NOT_FOUND, "%s: this is campaign C%u", text, r->campaign);
    switch (id->kind) {
    case 'C':
        return 0;
    case 'H':
        return id->number <= c->n_hypotheses
                   ? 0
                   : id_refuse(r, text, "H1", c->n_hypotheses, 'H', err);
    case 'E':
        return id->number < c->n_experiments
                   ? 0
                   : id_refuse(r, text, "E0", c->n_experiments - 1, 'E', err);
    case 'T':
        return id->number <= c->n_trials
                   ? 0
                   : id_refuse(r, text, "T1", c->n_trials, 'T', err);
    case 'J':
        return span_of_job(r, id->number) != NULL
                   ? 0
                   : id_refuse(r, text, "J1", c->jobs_used, 'J', err);
    default:
        return err_set(err, -ERR_NOT_FOUND,
            "%s is no part of a campaign: see rea insight show %s", text, text);
    }
}

static bool
line_is_about(
    const struct report *r, const struct report_line *l, struct report_id id)
{
    uint32_t e;
    switch (id.kind) {
    case 'H':
        e = r->core->hypothesis[id.number - 1].experiment;
        return l->hypothesis == id.number || l->hypothesis_b == id.number ||
               (e != 0 && l->experiment == e);
    case 'E':
        return (l->has_experiment && l->experiment == id.number) ||
               (id.number != 0 && l->experiment_b == id.number);
    case 'T':
        return l->trial == id.number;
    case 'J':
        return l->job == id.number;
    default:
        return true;
    }
}

/* ---- show ---- */

enum { EVIDENCE_SHOWN = 2 }; /* beside the last, which says what is new */

struct evidence_show {
    struct buf *out; /* NULL: only counts */
    uint32_t n, all;
};

static void
evidence_item(void *ctx, const char *text, const char *url)
{
    struct evidence_show *e = ctx;
    uint32_t i = e->n++;
    if (e->out == NULL || (i >= EVIDENCE_SHOWN && i + 1 < e->all))
        return;
    buf_puts(e->out, "  evidence   ");
    term_wrap(e->out, text, 13, 100);
    if (url != NULL && strstr(text, url) == NULL) {
        buf_puts(e->out, "             ");
        term_wrap(e->out, url, 13, 400);
    }
}

static void
show_evidence(const char *evidence, struct buf *out)
{
    struct evidence_show e = {0};
    evidence_each(evidence, evidence_item, &e);
    e = (struct evidence_show){.out = out, .all = e.n};
    evidence_each(evidence, evidence_item, &e);
    if (e.all > EVIDENCE_SHOWN + 1)
        buf_printf(out, "             and %u more (--json)\n",
            e.all - EVIDENCE_SHOWN - 1);
}

static void
show_trials(const struct report *r, uint32_t experiment, struct buf *out)
{
    const struct core *c = r->core;
    const struct metric *m = &c->spec.metric[c->spec.primary];
    uint32_t dec = fmt_decimals(&c->spec), shown = 0, all = 0;
    for (uint32_t i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trial[i];
        if (t->experiment != experiment || all++ >= SHOW_TRIALS_MAX)
            continue;
        shown++;
        buf_printf(out, "  T%-5u %-13s seed %-11u %-8s %s %s%s\n", i + 1,
            phase_name(t->phase), t->seed, trial_state_name(t->state), m->name,
            fmt_value(t->metric[c->spec.primary], dec).s,
            t->labels != 0 ? "  changed by a repair" : "");
    }
    if (all > shown)
        buf_printf(out, "  ... and %u more trials\n", all - shown);
}

static void
show_patch(const struct report *r, uint32_t h, struct buf *out)
{
    const struct core *c = r->core;
    const struct report_hypothesis *t = &r->hypothesis[h];
    const struct patch *p = &c->patch[c->hypothesis[h].patch - 1];
    buf_printf(out, "  patch      %.12s on commit %.12s, class %s, +%u -%u%s\n",
        p->sha256, c->base_rev, t->class != NULL ? t->class : "?", t->added,
        t->removed,
        !p->gated     ? ""
        : p->approved ? ", signed"
                      : ", waits for rea approve --patch");
    for (const char *s = t->paths; s != NULL && *s != '\0'; s += *s == '\n') {
        int n = (int)strcspn(s, "\n");
        buf_printf(out, "             %.*s\n", n, s);
        s += n;
    }
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (p->excludes >> i & 1)
            buf_printf(out, "             not together with patch %.12s\n",
                c->patch[i].sha256);
}

static void
show_hypothesis(const struct report *r, uint32_t h,
    const struct text_style *style, struct buf *out)
{
    const struct core *c = r->core;
    const struct hypothesis *x = &c->hypothesis[h];
    const struct report_hypothesis *t = &r->hypothesis[h];
    uint32_t dec = fmt_decimals(&c->spec), width = term_width(style);
    uint32_t verdict = hypothesis_verdict(r, h);
    struct buf s = {0};
    double mean, lo, hi;
    buf_printf(out, "H%u  (%s)  ", h + 1, source_name(x->source));
    term_wrap(out, hypothesis_statement(r, h, &s), 4, width);
    if (t->rationale != NULL) {
        buf_puts(out, "  because    ");
        term_wrap(out, t->rationale, 13, width);
    }
    show_evidence(t->evidence, out);
    buf_clear(&s);
    struct config change;
    hypothesis_config(c, h + 1, &change);
    fmt_config_diff(&c->spec, &c->experiment[0].config, &change, &s);
    buf_puts(out, "  change     ");
    term_wrap(out, buf_str(&s), 13, width);
    if (x->patch != 0)
        show_patch(r, h, out);
    buf_printf(out, "  predicted  %s +- %s\n", fmt_gain(x->prior_mean, dec).s,
        fmt_value(hypothesis_prior_sd(r, h), dec).s);
    if (hypothesis_effect(r, h, &mean, &lo, &hi))
        buf_printf(out, "  measured   %s\n", fmt_interval(mean, lo, hi, dec).s);
    buf_puts(out, "  verdict    ");
    term_paint(style, out, term_verdict_code(verdict), verdict_name(verdict));
    buf_printf(out, "%s%s\n", x->proved ? ", proved (e-BH, q = 0.1)" : "",
        x->dropped ? ", dropped by the engineer" : "");
    if (t->verdict_why != NULL) {
        buf_puts(out, "             ");
        term_wrap(out, t->verdict_why, 13, width);
    }
    if (x->experiment != 0) {
        buf_printf(out, "  tested as  E%u\n", x->experiment);
        show_trials(r, x->experiment, out);
    }
    buf_fini(&s);
}

static void
show_experiment(const struct report *r, uint32_t e,
    const struct text_style *style, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t dec = fmt_decimals(&c->spec), i = finalist_of(c, e);
    struct buf s = {0};
    struct effect f;
    experiment_label(c, e, &s);
    buf_printf(out, "E%u  %s\n", e, buf_str(&s));
    buf_clear(&s);
    if (e != 0) {
        fmt_config_diff(
            &c->spec, &c->experiment[0].config, &c->experiment[e].config, &s);
        buf_puts(out, "  change     ");
        term_wrap(out, buf_str(&s), 13, term_width(style));
    }
    if (c->experiment[e].config.patches != 0) {
        buf_clear(&s);
        patches_label(c, c->experiment[e].config.patches, &s);
        buf_printf(out, "  code       %s\n", buf_str(&s));
    }
    if (c->base_rev[0] != '\0')
        buf_printf(
            out, "  runs       from commit %.12s, sandboxed\n", c->base_rev);
    if (e != 0 && analysis_effect(c, e, &f))
        buf_printf(out, "  search     %s  (unshrunken %s, %u trials)\n",
            fmt_interval(f.mean, f.lo, f.hi, dec).s, fmt_gain(f.raw, dec).s,
            f.n);
    if (i < c->n_finalists && c->finalist[i].judged)
        buf_printf(out, "  sealed     %s  (%u fresh seeds per arm)%s\n",
            fmt_interval(
                c->finalist[i].gain, c->finalist[i].lo, c->finalist[i].hi, dec)
                .s,
            c->finalist[i].n, e == c->proposal ? "  proposed" : "");
    else if (i < c->n_finalists)
        buf_puts(out, "  sealed     not opened yet\n");
    show_trials(r, e, out);
    buf_fini(&s);
}

static void
show_span(const struct report *r, const struct report_span *s,
    const struct text_style *style, struct buf *out)
{
    const struct core *c = r->core;
    struct fmt_unit u = fmt_unit(c->spec.unit, c->approved_u);
    buf_printf(out, "  J%-5u attempt %u%s%s  %s", s->job, s->attempt,
        s->kind == JOB_EVALUATE ? ", evaluation" : "",
        s->resume ? ", resumed" : "", fmt_clock(s->start_ms).s);
    if (s->end_ms == 0) {
        buf_puts(out, "  running\n");
        return;
    }
    buf_printf(out, "  %s  %s %s  ", fmt_duration(s->end_ms - s->start_ms).s,
        fmt_cost(u, s->cost_u).s, u.name);
    term_paint(style, out, s->reason == REASON_OK ? "32" : "31",
        reason_name(s->reason));
    if (s->reason == REASON_EXIT)
        buf_printf(out, " %d", s->exit_code);
    if (s->signal != 0)
        buf_printf(out, " (signal %d)", s->signal);
    buf_putc(out, '\n');
    if (s->detail != NULL) {
        buf_puts(out, "         ");
        term_wrap(out, s->detail, 9, term_width(style));
    }
}

static void
show_metrics(const struct core *c, const struct trial *t, struct buf *out)
{
    const struct spec *s = &c->spec;
    for (uint32_t m = 0; m < s->n_metrics; m++)
        if (metric_is_shown(s, m))
            buf_printf(out, "  %-24s %s%s\n", s->metric[m].name,
                fmt_value(t->metric[m], 6).s,
                m == s->primary ? "  (search metric)" : "");
    if (report_has_sealed(c))
        buf_printf(out, "  %-24s %s\n", s->metric[s->sealed].name,
            t->sealed_known ? fmt_value(t->sealed, 6).s : "sealed");
}

static void
show_trial(const struct report *r, uint32_t id, const struct text_style *style,
    struct buf *out)
{
    const struct core *c = r->core;
    const struct trial *t = &c->trial[id - 1];
    struct buf s = {0};
    experiment_label(c, t->experiment, &s);
    buf_printf(out, "T%u  E%u (%s), %s, seed %u: %s\n", id, t->experiment,
        buf_str(&s), phase_name(t->phase), t->seed, trial_state_name(t->state));
    if (t->labels != 0)
        buf_printf(out,
            "  changed by a repair:%s%s; not compared with others\n",
            (t->labels & LABEL_SHRUNK) != 0 ? " smaller batch" : "",
            (t->labels & LABEL_STABILISED) != 0 ? " lower rate" : "");
    show_metrics(c, t, out);
    for (uint32_t i = 0; i < r->spans.n; i++)
        if (r->spans.v[i].trial == id)
            show_span(r, &r->spans.v[i], style, out);
    for (uint32_t i = 0; i < r->failures.n; i++) {
        const struct report_failure *f = &r->failures.v[i];
        if (f->trial == id)
            buf_printf(out, "  attempt %u: %s -> %s, %s\n", f->attempt,
                f->signature, remedy_name(f->remedy), f->outcome);
    }
    buf_fini(&s);
}

static const char *
next_of(const struct report *r, struct report_id id, char *s, size_t cap)
{
    if (id.kind == 'T' || id.kind == 'E')
        snprintf(s, cap, "rea repro C%u/%c%u", r->campaign, id.kind, id.number);
    else
        snprintf(s, cap, "rea report C%u", r->campaign);
    return s;
}

int
show_text(const struct report *r, const char *text,
    const struct text_style *style, struct buf *out, struct err *err)
{
    struct report_id id;
    char s[64];
    int rc = id_find(r, text, &id, err);
    if (rc != 0)
        return rc;
    switch (id.kind) {
    case 'H':
        show_hypothesis(r, id.number - 1, style, out);
        break;
    case 'E':
        show_experiment(r, id.number, style, out);
        break;
    case 'T':
        show_trial(r, id.number, style, out);
        break;
    case 'J': {
        const struct report_span *sp = span_of_job(r, id.number);
        buf_printf(out, "T%u  %s\n", sp->trial, phase_name(sp->phase));
        show_span(r, sp, style, out);
        break;
    }
    default:
        campaign_text(r, style, out);
        return 0;
    }
    buf_printf(out, "next: rea why C%u/%c%u   %s\n", r->campaign, id.kind,
        id.number, next_of(r, id, s, sizeof(s)));
    return 0;
}

/* ---- why ---- */

static void
why_line(const struct report_line *l, const struct text_style *style,
    struct buf *out)
{
    term_paint(style, out, "2", fmt_clock(l->at_ms).s);
    buf_puts(out, l->decision ? "  > " : "    ");
    term_wrap(out, line_body(l->text), 12, term_width(style));
}

/* First log line of the last ones that fit, wrapped, into WHY_ROWS_MAX rows;
 * *skipped counts those before it. */
static uint32_t
why_first(const struct report *r, struct report_id id,
    const struct text_style *style, uint32_t *skipped)
{
    struct buf row = {0};
    uint32_t first = r->lines.n, rows = 0;
    *skipped = 0;
    for (uint32_t i = r->lines.n; i-- > 0;) {
        if (!line_is_about(r, &r->lines.v[i], id))
            continue;
        buf_clear(&row);
        why_line(&r->lines.v[i], style, &row);
        for (size_t at = 0; at < row.len; at++)
            rows += row.data[at] == '\n';
        if (rows > WHY_ROWS_MAX)
            ++*skipped;
        else
            first = i;
    }
    buf_fini(&row);
    return first;
}

int
why_text(const struct report *r, const char *text,
    const struct text_style *style, struct buf *out, struct err *err)
{
    struct report_id id;
    uint32_t skipped;
    int rc = id_find(r, text, &id, err);
    if (rc != 0)
        return rc;
    uint32_t first = why_first(r, id, style, &skipped);
    if (skipped > 0)
        buf_printf(out, "(%u earlier lines: rea report C%u, decision log)\n",
            skipped, r->campaign);
    for (uint32_t i = first; i < r->lines.n; i++)
        if (line_is_about(r, &r->lines.v[i], id))
            why_line(&r->lines.v[i], style, out);
    if (first == r->lines.n)
        buf_printf(out, "Nothing has been decided about %s yet.\n", text);
    if (id.kind == 'C')
        buf_printf(out, "next: rea status C%u\n", r->campaign);
    else
        buf_printf(
            out, "next: rea show C%u/%c%u\n", r->campaign, id.kind, id.number);
    return 0;
}

int
show_json(
    const struct report *r, const char *text, struct buf *out, struct err *err)
{
    static const struct text_style plain = {.color = false, .width = 160};
    struct report_id id;
    struct buf words = {0};
    struct jw w;
    int rc = id_find(r, text, &id, err);
    if (rc == 0)
        rc = show_text(r, text, &plain, &words, err);
    if (rc != 0)
        return rc;
    jw_init(&w, out, 2);
    jw_obj_begin(&w);
    jw_key(&w, "campaign");
    jw_printf(&w, "C%u", r->campaign);
    jw_key(&w, "id");
    jw_printf(&w, "%c%u", id.kind, id.number);
    if (id.kind == 'H' || id.kind == 'E' || id.kind == 'T')
        show_object(&w, r, id);
    jw_kstr(&w, "text", buf_str(&words));
    jw_key(&w, "lines");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < r->lines.n; i++) {
        const struct report_line *l = &r->lines.v[i];
        if (!line_is_about(r, l, id))
            continue;
        jw_obj_begin(&w);
        jw_ki64(&w, "seq", (int64_t)l->seq);
        jw_ki64(&w, "at_ms", l->at_ms);
        jw_kstr(&w, "event", event_name(l->kind));
        jw_kbool(&w, "decision", l->decision);
        jw_kstr(&w, "line", l->text);
        jw_kstr(&w, "why", l->why);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    buf_putc(out, '\n');
    buf_fini(&words);
    return 0;
}
