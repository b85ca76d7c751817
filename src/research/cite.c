/* The evidence of an idea as JSON: techniques of the library, passages of
 * papers with their quotes, insights, and how new it is. Called by the draft.
 * Invariant: what stands under "quote" is verbatim (papers/evidence.c), and the
 * whole fits into an event. */
#include "research/cite.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"

/* No further passage is written beyond so many bytes; one takes 5 kB at the
 * worst, insights come after. */
enum { ROWS_BYTES = 4000, TITLE_BYTES = 200 };

/* At most max bytes, never a part of a character. */
static size_t
text_cut(const char *s, size_t max)
{
    size_t n = 0;
    while (s[n] != '\0' && n < max)
        n++;
    while (n > 0 && s[n] != '\0' && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void
insight_evidence(
    struct jw *w, const struct insight *row, double sign, const char *metric)
{
    jw_obj_begin(w);
    jw_kstr(w, "kind", "insight");
    char id[32];
    snprintf(id, sizeof id, "I%lld", (long long)row->id);
    jw_kstr(w, "ref", id);
    jw_kstr(w, "statement", row->statement);
    jw_kf64(w, "effect", sign * row->effect);
    jw_kf64(w, "sd", row->sd);
    jw_kstr(w, "metric", row->metric[0] != '\0' ? row->metric : metric);
    jw_ki64(w, "n", row->n);
    jw_kstr(w, "supports", sign * row->effect >= 0 ? "+" : "-");
    jw_kbool(w, "opposite_change", sign < 0);
    jw_kstr(w, "source", row->source);
    jw_kstr(w, "reference", row->reference);
    jw_obj_end(w);
}

static void
technique_evidence(struct jw *w, const struct technique *t)
{
    char url[256];
    technique_url(t, url, sizeof url);
    jw_obj_begin(w);
    jw_kstr(w, "kind", "paper");
    jw_kstr(w, "ref", t->ref);
    jw_kstr(w, "technique", t->id);
    jw_kstr(w, "title", t->name);
    jw_kstr(w, "url", url);
    jw_kstr(w, "date", t->date);
    jw_ki64(w, "grade", (int64_t)t->grade);
    jw_kf64(w, "effect", t->mean);
    jw_kf64(w, "sd", t->sd);
    jw_kstr(w, "metric", "auc");
    jw_kstr(w, "supports", t->mean >= 0 ? "+" : "-");
    jw_obj_end(w);
}

static void
claim_json(struct jw *w, const struct claim *c)
{
    jw_key(w, "claim");
    jw_obj_begin(w);
    jw_kstr(w, "metric", c->metric != NULL ? c->metric->name : c->what);
    if (c->unit != CLAIM_NO_NUMBER) {
        jw_kf64(w, "delta", c->delta);
        jw_kstr(w, "unit", claim_unit_name(c->unit));
    }
    if (c->bound != CLAIM_EXACT)
        jw_kstr(w, "bound", claim_bound_name(c->bound));
    jw_kstr(w, "setting", c->online ? "online" : "offline");
    jw_kbool(w, "significant", c->significant);
    if (c->dataset[0] != '\0')
        jw_kstr(w, "dataset", c->dataset);
    if (c->baseline[0] != '\0')
        jw_kstr(w, "baseline", c->baseline);
    jw_obj_end(w);
}

static void
row_evidence(
    struct jw *w, const struct technique *t, const struct evidence_row *r)
{
    jw_obj_begin(w);
    jw_kstr(w, "kind", "paper");
    jw_kstr(w, "ref", r->paper);
    jw_kstr(w, "technique", t->id);
    jw_key(w, "title");
    jw_strn(w, r->title, text_cut(r->title, TITLE_BYTES));
    jw_kstr(w, "date", r->date);
    jw_ki64(w, "passage", r->passage);
    jw_kstr(w, "quote", r->quote);
    jw_key(w, "span");
    jw_arr_begin(w);
    jw_i64(w, r->begin);
    jw_i64(w, r->end);
    jw_arr_end(w);
    jw_ki64(w, "grade", (int64_t)r->grade);
    jw_kstr(w, "supports", r->supports >= 0 ? "+" : "-");
    if (r->claimed)
        claim_json(w, &r->claim);
    jw_obj_end(w);
}

/* Rows of the corpus, as many as an event has room for. */
static void
rows_evidence(
    struct jw *w, const struct candidates *c, const struct candidate *x)
{
    for (uint32_t i = 0; i < x->n_techniques; i++) {
        const struct finding *f = finding_of(c->findings, x->technique[i]);
        for (uint32_t k = 0; f != NULL && k < f->n; k++)
            if (w->out->len < ROWS_BYTES)
                row_evidence(w, f->technique, &f->row[k]);
    }
}

static void
novelty_evidence(struct jw *w, const struct novelty *v, uint32_t grade)
{
    char id[32] = "";
    if (v->nearest != 0)
        snprintf(id, sizeof id, "I%lld", (long long)v->nearest);
    jw_obj_begin(w);
    jw_kstr(w, "kind", "novelty");
    jw_kstr(w, "ref", id);
    jw_kstr(w, "relation", novelty_name(v->relation));
    jw_kf64(w, "similarity", v->similarity);
    jw_ki64(w, "grade", (int64_t)grade);
    jw_obj_end(w);
}

const char *
evidence_in(struct arena *a, const struct candidates *c,
    const struct candidate *x, const struct novelty *novelty, uint32_t grade)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < x->n_techniques; i++) {
        const struct finding *f = finding_of(c->findings, x->technique[i]);
        if (f == NULL || !f->fresh)
            technique_evidence(&w, x->technique[i]);
    }
    rows_evidence(&w, c, x);
    for (uint32_t i = 0; i < x->answer.n_cited; i++)
        insight_evidence(
            &w, x->answer.cited[i], x->answer.cited_sign[i], "auc");
    if (novelty != NULL)
        novelty_evidence(&w, novelty, grade);
    jw_arr_end(&w);
    const char *text = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}
