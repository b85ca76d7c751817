/* Claims with a number: "improves AUC by 0.3 %", "a 4.5 % uplift in ARPU",
 * "+0.6 % GMV", "from 78 % to 90 %". A number counts only when a word of
 * change or a sign is bound to it; levels ("an AUC of 0.81"), shares ("2 % of
 * the data") and sizes are passed over. Called by claim.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "papers/claim_rules.h"

enum {
    MARKS_MAX = 48,
    AFTER_MAX = 7,   /* tokens between a number and the change after it */
    BEFORE_MAX = 24, /* and the change before it */
    LIST_MAX = 4,
};

struct metric_mark {
    const struct metric_word *metric;
    uint32_t from, to; /* tokens [from, to) */
    bool generic;      /* "performance": what is more exact goes first */
};

struct marks {
    uint32_t n;
    struct metric_mark m[MARKS_MAX];
};

/* The word of change that a number belongs to. */
struct link {
    uint32_t cue;
    int sign;
    bool after, by;
};

static bool
is_word(const struct sentence *s, uint32_t i, const char *words)
{
    return i < s->n && s->t[i].kind == TOKEN_WORD &&
           word_is(s->t[i].word, words);
}

static bool
is_mark(const struct sentence *s, uint32_t i, const char *chars)
{
    return i < s->n && s->t[i].kind == TOKEN_MARK && s->t[i].mark != '\0' &&
           strchr(chars, s->t[i].mark) != NULL;
}

static bool
is_number(const struct sentence *s, uint32_t i)
{
    return i < s->n && s->t[i].kind == TOKEN_NUMBER;
}

/* +1, -1 where token i speaks of change; "more than 5" does not. */
static int
change_at(const struct sentence *s, uint32_t i)
{
    if (i >= s->n || s->t[i].kind != TOKEN_WORD)
        return 0;
    if (is_word(s, i, "more|less|fewer|better|greater|larger|higher|lower") &&
        is_word(s, i + 1, "than") && is_number(s, i + 2))
        return 0;
    return change_word(s->t[i].word);
}

/* ---- metrics of the sentence ---- */

/* "CTR prediction" names a task, "same time" no metric. */
static bool
names_task(const struct sentence *s, uint32_t from, uint32_t to)
{
    if (is_word(s, to,
            "prediction|predictions|model|models|modeling|modelling|"
            "estimation|task|tasks|predictor|estimator|benchmark|dataset|"
            "optimization|objective|function|bias|logs|behavior|behaviors|"
            "data|maximization|constraint|constraints|curve"))
        return true;
    return from > 0 && is_word(s, from, "time|cost|step") &&
           is_word(s, from - 1, "same|real|first|each|this|long|short");
}

static void
marks_read(const struct sentence *s, struct marks *out)
{
    out->n = 0;
    for (uint32_t i = 0; i < s->n && out->n < MARKS_MAX;) {
        uint32_t used = 0;
        const struct metric_word *m = metric_at(s->t, s->n, i, &used);
        if (m != NULL && !names_task(s, i, i + used))
            out->m[out->n++] = (struct metric_mark){
                m, i, i + used, word_is(m->name, "performance|engagement")};
        i += used > 0 ? used : 1;
    }
}

static const struct metric_mark *
mark_from(const struct marks *k, uint32_t from, uint32_t to)
{
    const struct metric_mark *generic = NULL;
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->m[i].from < from || k->m[i].from >= to)
            continue;
        if (!k->m[i].generic)
            return &k->m[i];
        if (generic == NULL)
            generic = &k->m[i];
    }
    return generic;
}

static const struct metric_mark *
mark_before(const struct marks *k, uint32_t lo, uint32_t to)
{
    const struct metric_mark *generic = NULL;
    for (uint32_t i = k->n; i-- > 0;) {
        if (k->m[i].from < lo || k->m[i].to > to)
            continue;
        if (!k->m[i].generic)
            return &k->m[i];
        if (generic == NULL)
            generic = &k->m[i];
    }
    return generic;
}

/* ---- the change that a number belongs to ---- */

/* A word or mark between the members of a list. */
static bool
is_join(const struct sentence *s, uint32_t j)
{
    return is_word(s, j, "and") || is_mark(s, j, ",&");
}

/* "3 %, and up to 5 %": a list of numbers goes on at this joint. */
static bool
lists_on(const struct sentence *s, uint32_t j)
{
    if (!is_number(s, j - 1))
        return false;
    while (is_join(s, j) || is_word(s, j, "up|to|over|about|by"))
        j++;
    return is_number(s, j);
}

static bool
mark_ends(const struct marks *k, uint32_t j)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (k->m[i].to == j)
            return true;
    return false;
}

/* After a metric and a joint: another metric, or the next number. */
static bool
names_on(const struct sentence *s, const struct marks *k, uint32_t j)
{
    while (is_join(s, j) || is_word(s, j, "up|to|over|about|by|a|an"))
        j++;
    return is_number(s, j) || mark_from(k, j, j + 1) != NULL;
}

static bool
link_after(const struct sentence *s, const struct marks *k, uint32_t i,
    struct link *out)
{
    for (uint32_t j = i + 1; j < s->n && j <= i + AFTER_MAX; j++) {
        bool joins = is_join(s, j) &&
                     ((mark_ends(k, j) && names_on(s, k, j)) || lists_on(s, j));
        if (is_number(s, j) && !is_join(s, j - 1))
            return false;
        if (s->t[j].kind == TOKEN_MARK && !joins)
            return false;
        if (is_word(s, j,
                "in|on|of|over|for|and|with|to|than|while|compared|at|from|"
                "across|by|or|after|when|as|but|which|that|using|without") &&
            !joins)
            return false;
        int sign = change_at(s, j);
        if (sign != 0) {
            *out = (struct link){j, sign, true, false};
            return true;
        }
    }
    return false;
}

static bool
is_filler(const struct sentence *s, uint32_t i)
{
    return is_word(s, i,
        "up|to|about|around|approximately|nearly|almost|over|more|than|at|"
        "least|roughly|an|a|the|average|of|as|much|high|by|significant|"
        "significantly|substantial|remarkable|relative|absolute|additional|"
        "impressive|ranging|ranges|range|another|only|exceeding|on|another|"
        "close|further|"
        "notable|considerable|statistically|estimated|some|even|far|between|"
        "maximum|overall|respectively|total|relatively|consistent|large|"
        "improved|extra|also|that|reach|reaches|reaching");
}

/* The nearest change in the part of the sentence before token j. */
static bool
cue_back(const struct sentence *s, uint32_t j, struct link *out)
{
    for (uint32_t n = 0; j-- > 0 && n < BEFORE_MAX; n++) {
        int sign = change_at(s, j);
        if (is_mark(s, j, ";"))
            return false;
        if (sign != 0) {
            out->cue = j;
            out->sign = sign;
            return true;
        }
    }
    return false;
}

/* Only metrics, commas and joining words between two numbers? A few other
 * words may name what the first was of: "3 % in staytime and 1 % in CVR". */
static bool
list_goes_on(
    const struct sentence *s, const struct marks *k, uint32_t p, uint32_t i)
{
    uint32_t unknown = 0, joint = i, joints = 0;
    while (joint > p + 1 && is_filler(s, joint - 1))
        joint--;
    bool joined =
        is_join(s, joint - 1) && (is_word(s, i + 1, "in|of|on|for") ||
                                     mark_from(k, i + 1, i + 2) != NULL);
    for (uint32_t j = p + 1; j < i; j++)
        joints += is_join(s, j) || is_mark(s, j, ";(");
    if (joints == 0)
        return false;
    for (uint32_t j = p + 1; j < i; j++) {
        bool in_metric = false;
        for (uint32_t m = 0; m < k->n; m++)
            in_metric |= j >= k->m[m].from && j < k->m[m].to;
        if (in_metric || is_mark(s, j, ",();:/") || is_filler(s, j) ||
            is_word(s, j,
                "and|in|on|for|respectively|both|user|users|volume|rate|"
                "datasets|dataset|key|online|per|item|items|top|metrics|metric|"
                "primary"))
            continue;
        if (change_at(s, j) == 0 && (!joined || ++unknown > 6))
            return false;
    }
    return true;
}

/* "(up to 30 % on X)", not "(83 % placed within one level)". */
static bool
closes_well(const struct sentence *s, const struct marks *k, uint32_t i)
{
    return is_mark(s, i + 1, "),;") || change_at(s, i + 1) != 0 ||
           is_word(s, i + 1, "on|in|for|and|relative|absolute|to|vs|over") ||
           mark_from(k, i + 1, i + 3) != NULL;
}

/* `last`: the number accepted before, with its link, or n. */
static bool
link_before(const struct sentence *s, const struct marks *k, uint32_t i,
    uint32_t last, const struct link *of_last, struct link *out)
{
    uint32_t j = i;
    bool by = false;
    while (j > 0 && (is_filler(s, j - 1) ||
                        (is_word(s, j - 1, "from") && j > 1 &&
                            is_word(s, j - 2, "ranging|ranges|range")))) {
        j--;
        by |= is_word(s, j, "by");
    }
    *out = (struct link){.by = by};
    if (j == 0)
        return false;
    out->cue = j - 1;
    out->sign = change_at(s, j - 1);
    if (out->sign != 0)
        return true;
    if (by || is_mark(s, j - 1, ":") ||
        (is_mark(s, j - 1, "(") && closes_well(s, k, i)))
        return cue_back(s, j, out);
    /* "an improvement in AUC of 0.5 %" */
    const struct metric_mark *m = mark_before(k, 0, j);
    if (m != NULL && m->to == j && m->from >= 2 &&
        is_word(s, m->from - 1, "in|of|on") && change_at(s, m->from - 2) != 0) {
        out->cue = m->from - 2;
        out->sign = change_at(s, m->from - 2);
        return true;
    }
    if (last < i && list_goes_on(s, k, last, i)) {
        *out = *of_last;
        out->after = false;
        return true;
    }
    return false;
}

/* ---- what is no change ---- */

static bool
is_share(const struct sentence *s, uint32_t i, const struct link *l)
{
    if (is_word(s, i + 1,
            "confidence|sparsity|sparse|ci|significance|traffic|interval|of") &&
        !(is_word(s, i + 1, "of") && !l->after && l->sign < 0 &&
            (l->by || l->cue + 1 == i)) &&
        !(is_word(s, i + 1, "of") && l->by))
        return true;
    /* "against a model with 16x more parameters" tells of the other */
    if (s->t[i].unit == CLAIM_FACTOR && i > 0 && is_word(s, i - 1, "with") &&
        is_word(s, l->cue, "more|larger|greater"))
        return true;
    return i >= 2 && is_word(s, i - 1, "only|just|mere") &&
           is_word(s, i - 2, "with|using|by|use|uses|requires|requiring");
}

/* "from 78 % to 90 %", "from 0.78 to 0.79": the second number leads. The
 * change is in points, or in the metric's own unit. */
static bool
from_to(const struct sentence *s, uint32_t i, struct link *l, double *delta)
{
    if (i < 3 || !is_word(s, i - 1, "to") || !is_number(s, i - 2) ||
        !is_word(s, i - 3, "from") || s->t[i].unit != s->t[i - 2].unit)
        return false;
    bool share = s->t[i].unit == CLAIM_NO_NUMBER && s->t[i].value < 1 &&
                 s->t[i - 2].value < 1;
    if (s->t[i].unit != CLAIM_PERCENT && !share)
        return false;
    *delta = s->t[i].value - s->t[i - 2].value;
    return !is_word(s, i - 4, "ranging|ranges|range") &&
           cue_back(s, i - 3, l) && *delta != 0;
}

/* "to 90 %" is a level, "up to 90 %" a bound. */
static bool
is_level(const struct sentence *s, uint32_t i)
{
    return i >= 1 && is_word(s, i - 1, "to") &&
           !(i >= 2 && is_word(s, i - 2, "up|close"));
}

/* ---- the metric of a number ---- */

struct found {
    uint32_t n;
    const struct metric_mark *m[LIST_MAX];
};

/* A mark and those joined to it by "and", "," or "/", forward or back. */
static void
found_list(const struct sentence *s, const struct marks *k,
    const struct metric_mark *m, int step, uint32_t lo, uint32_t hi,
    struct found *out)
{
    out->m[out->n++] = m;
    while (out->n < LIST_MAX) {
        const struct metric_mark *next = m + step;
        if (next < k->m || next >= k->m + k->n || next->from < lo ||
            next->to > hi)
            return;
        uint32_t a = step > 0 ? m->to : next->to;
        uint32_t b = step > 0 ? next->from : m->from;
        for (uint32_t j = a; j < b; j++)
            if (!is_mark(s, j, ",/&()") && !is_word(s, j, "and|both"))
                return;
        if (b == a || next->generic)
            return;
        /* "click-through rate (CTR)" is one */
        if (next->metric != m->metric)
            out->m[out->n++] = next;
        m = next;
    }
}

/* After "in", "on", "of": "in terms of user CTR". */
static const struct metric_mark *
mark_after_in(
    const struct sentence *s, const struct marks *k, uint32_t p, uint32_t hi)
{
    if (!is_word(s, p, "in|on|of|for|to|regarding|w.r.t"))
        return NULL;
    uint32_t to = p + 7 < hi ? p + 7 : hi;
    for (uint32_t j = p + 1; j < to; j++)
        if (is_mark(s, j, ",;:("))
            to = j;
    return mark_from(k, p + 1, to);
}

/* "1.4 times fewer steps": what there are fewer of is no known metric. */
static bool
counts_unknown(
    const struct sentence *s, const struct marks *k, const struct link *l)
{
    uint32_t p = l->cue + 1;
    return l->after && is_word(s, l->cue, "fewer|less|more|higher|lower") &&
           p < s->n && s->t[p].kind == TOKEN_WORD &&
           !is_word(s, p, "than|on|in|for|of|and") &&
           mark_from(k, p, p + 3 < s->n ? p + 3 : s->n) == NULL;
}

/* "a 48 % reduction in bias": it is told of what, by no name known here. */
static bool
names_unknown(const struct sentence *s, const struct marks *k, uint32_t i,
    const struct link *l)
{
    uint32_t p = l->after ? l->cue + 1 : i + 1;
    if (l->by || l->sign == 0 || !is_word(s, p, "in|of"))
        return false;
    if (!l->after &&
        (mark_ends(k, l->cue) || mark_from(k, l->cue + 1, l->cue + 3) != NULL))
        return false; /* "AUC gains of 1 % in search" */
    for (p++; is_word(s, p, "the|our|both|all|various|several|these"); p++)
        ;
    return p < s->n && s->t[p].kind == TOKEN_WORD &&
           !is_word(s, p,
               "online|offline|a/b|production|live|terms|two|three|four|five|"
               "major|key|different|multiple|experiments|metrics|real-world");
}

/* "higher accuracy in terms of recall" */
static const struct metric_mark *
mark_in_terms(
    const struct sentence *s, const struct marks *k, uint32_t i, uint32_t hi)
{
    for (uint32_t j = i; j + 3 < hi; j++)
        if (is_word(s, j, "terms") && is_word(s, j + 1, "of"))
            return mark_from(k, j + 2, j + 7 < hi ? j + 7 : hi);
    return NULL;
}

/* lo: behind the number accepted before. */
static void
metrics_of(const struct sentence *s, const struct marks *k, uint32_t i,
    uint32_t lo, const struct link *l, struct found *out)
{
    uint32_t hi = s->n;
    for (uint32_t j = i + 1; j < hi; j++)
        if (is_number(s, j) && s->t[j].unit != CLAIM_NO_NUMBER)
            hi = j;
    if (counts_unknown(s, k, l))
        return;
    const struct metric_mark *m = mark_in_terms(s, k, i, hi), *generic = NULL;
    uint32_t p = l->after ? l->cue + 1 : i + 1;
    if (m == NULL && l->after) /* "training acceleration" holds both */
        m = mark_from(k, i + 1, l->cue + 1);
    if (m == NULL)
        m = mark_from(
            k, p, p + (l->by ? 1 : 2) < hi ? p + (l->by ? 1 : 2) : hi);
    if ((m == NULL || m->generic) && !(l->by && mark_before(k, lo, i))) {
        generic = m;
        m = mark_after_in(s, k, p, hi);
    }
    if (m != NULL) {
        found_list(s, k, m, 1, i, hi, out);
        return;
    }
    if (generic != NULL || names_unknown(s, k, i, l)) {
        if (generic != NULL)
            out->m[out->n++] = generic;
        return;
    }
    m = mark_before(k, lo, i);
    if (m != NULL && m->generic) {
        const struct metric_mark *in = mark_after_in(s, k, p, hi);
        m = in != NULL ? in : m;
    }
    if (m != NULL)
        found_list(s, k, m, -1, lo, i, out);
}

/* The words of what was measured, after "reduction in". */
static void
what_copy(
    const struct sentence *s, const struct link *l, uint32_t i, struct claim *c)
{
    uint32_t p = l->after || l->by ? l->cue + 1 : i + 1;
    size_t at = 0;
    if (is_word(s, p, "in|of"))
        p++;
    else if (!l->by && !(l->after && is_word(s, l->cue, "fewer|less|more")))
        return;
    while (is_word(s, p, "the|our|both|all|its"))
        p++;
    for (uint32_t j = p, n = 0; j < s->n && n < 4; j++, n++) {
        if (s->t[j].kind != TOKEN_WORD || j == i ||
            is_word(s, j,
                "when|by|on|in|and|for|with|while|over|to|across|at|of|from"))
            break;
        size_t len = strlen(s->t[j].word);
        if (at + len + 2 > sizeof c->what)
            break;
        if (at > 0)
            c->what[at++] = ' ';
        memcpy(c->what + at, s->t[j].word, len);
        at += len;
    }
    c->what[at] = '\0';
}

/* ---- claims ---- */

/* Quality is measured on a test set, too, where a sentence tells of a live
 * test by measures of business. */
static bool
is_online(const struct sentence *s, const struct marks *k,
    const struct metric_word *m)
{
    if (m != NULL && m->kind == METRIC_BUSINESS)
        return s->online || !s->offline;
    bool business = false;
    for (uint32_t i = 0; i < k->n; i++)
        business |= k->m[i].metric->kind == METRIC_BUSINESS;
    if (m != NULL && m->kind == METRIC_MODEL && business)
        return false;
    return s->online && !s->offline;
}

static uint8_t
bound_of(const struct sentence *s, uint32_t i)
{
    if (s->t[i].bound != CLAIM_EXACT)
        return s->t[i].bound;
    for (uint32_t j = i, n = 0; j-- > 0 && n < 3; n++) {
        if (is_word(s, j, "up") && is_word(s, j + 1, "to"))
            return CLAIM_UP_TO;
        if (is_word(s, j, "over|least|exceeding") ||
            (is_word(s, j, "more") && is_word(s, j + 1, "than")))
            return CLAIM_AT_LEAST;
    }
    return CLAIM_EXACT;
}

static bool
is_credible(const struct claim *c)
{
    double most = fmax(fabs(c->delta), fabs(c->high));
    double cap = c->unit == CLAIM_FACTOR     ? CLAIM_FACTOR_MAX
                 : c->unit == CLAIM_ABSOLUTE ? 1
                                             : CLAIM_PERCENT_MAX;
    /* losing more than all of something is no measurement */
    if (c->delta < 0 && c->unit == CLAIM_PERCENT && most > 100)
        return false;
    return isfinite(most) && c->delta != 0 && most <= cap;
}

/* Bare numbers count where a model's metric is said to change by them. */
static bool
bare_is_delta(const struct sentence *s, uint32_t i, const struct link *l,
    const struct metric_word *m)
{
    bool bound = l->by || s->t[i].sign != 0;
    return m != NULL && m->kind == METRIC_MODEL && bound && s->t[i].value > 0 &&
           s->t[i].value < 1;
}

/* Numbers that stand in one list, "3 %, 5 % and 2 %". */
struct group {
    uint32_t n;
    uint32_t at[LIST_MAX];
    uint32_t named; /* the token that their metric is looked for around */
};

static void
group_read(const struct sentence *s, uint32_t i, struct group *g)
{
    *g = (struct group){1, {i}, i};
    for (uint32_t j = i + 1; j < s->n && g->n < LIST_MAX; j++) {
        if (is_number(s, j) && s->t[j].unit == s->t[i].unit) {
            g->at[g->n++] = j;
            g->named = j;
            continue;
        }
        if (!is_join(s, j) && !is_word(s, j, "up|to|over|about|by"))
            return;
    }
}

/* "Improves RMSE by 1 %": there is less of it. */
static bool
improves_less(
    const struct sentence *s, const struct link *l, const struct metric_word *m)
{
    return m != NULL && m->better < 0 && l->sign > 0 &&
           word_starts(s->t[l->cue].word, "improv|better|gain|enhanc|outperf");
}

static void
claim_measure(const struct sentence *s, const struct marks *k, uint32_t i,
    const struct link *l, const double *points, struct claim *c)
{
    const struct claim_token *t = &s->t[i];
    int sign = t->sign != 0 ? t->sign : l->sign;
    if (t->sign == 0 && improves_less(s, l, c->metric))
        sign = -sign;
    c->unit = t->unit;
    c->delta = points != NULL ? *points : sign * t->value;
    c->high = points != NULL ? *points : sign * t->high;
    if (points != NULL && t->unit == CLAIM_PERCENT)
        c->unit = CLAIM_POINTS;
    else if (points != NULL)
        c->unit = c->metric != NULL && c->metric->kind == METRIC_MODEL
                      ? CLAIM_ABSOLUTE
                      : CLAIM_NO_NUMBER;
    else if (c->unit == CLAIM_NO_NUMBER && bare_is_delta(s, i, l, c->metric))
        c->unit = CLAIM_ABSOLUTE;
    else if (c->unit == CLAIM_PERCENT &&
             (is_word(s, i + 1, "absolute") ||
                 (i > 0 && is_word(s, i - 1, "absolute"))))
        c->unit = CLAIM_POINTS;
    c->bound = bound_of(s, i);
    c->online = is_online(s, k, c->metric);
}

/* One claim for each metric of the number at g->at[place]. */
static uint32_t
number_claim(const struct sentence *s, const struct marks *k,
    const struct group *g, uint32_t place, const struct found *all,
    const struct link *l, const double *points, struct claim *out,
    uint32_t room)
{
    uint32_t n = 0, i = g->at[place];
    struct found f = *all;
    if (g->n > 1 && all->n > 1) { /* as many metrics as numbers: in order */
        f.n = 1;
        f.m[0] = all->m[all->n == g->n ? place : 0];
    }
    for (uint32_t m = 0; m < (f.n > 0 ? f.n : 1) && n < room; m++) {
        struct claim *c = &out[n];
        memset(c, 0, sizeof *c);
        if (f.n > 0 && strcmp(f.m[m]->metric->name, "performance") != 0)
            c->metric = f.m[m]->metric;
        claim_measure(s, k, i, l, points, c);
        if (c->unit == CLAIM_NO_NUMBER || !is_credible(c))
            continue;
        if (c->metric == NULL)
            what_copy(s, l, i, c);
        claim_context(s, i, c);
        n++;
    }
    return n;
}

static int
mark_order(const void *a, const void *b)
{
    const struct metric_mark *x = *(const struct metric_mark *const *)a;
    const struct metric_mark *y = *(const struct metric_mark *const *)b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* "6 % to 42 %", "ranging from 6 % to 42 %": the end of a range that begins at
 * token i; i itself where it is none. */
static uint32_t
range_end(const struct sentence *s, uint32_t i)
{
    bool from = i > 0 && is_word(s, i - 1, "from");
    bool ranges = i > 1 && is_word(s, i - 2, "ranging|ranges|range|ranged");
    if (s->t[i].unit == CLAIM_NO_NUMBER || !is_word(s, i + 1, "to") ||
        !is_number(s, i + 2) || s->t[i + 2].unit != s->t[i].unit ||
        (from && !ranges))
        return i;
    return i + 2;
}

/* State of the walk over the numbers of a sentence. */
struct walk {
    uint32_t last;  /* number accepted before; s->n: none */
    uint32_t spent; /* first token behind what it used */
    struct link link;
    struct found found; /* its metrics */
};

/* Binds the number at i to a change; false: it is none. */
static bool
number_link(const struct sentence *s, const struct marks *k, uint32_t i,
    const struct walk *w, struct link *l)
{
    bool linked =
        link_after(s, k, i, l) || link_before(s, k, i, w->last, &w->link, l);
    if (!linked && s->t[i].sign != 0 && s->t[i].unit != CLAIM_NO_NUMBER) {
        *l = (struct link){0};
        linked = mark_before(k, 0, i) != NULL || mark_from(k, i, s->n) != NULL;
    }
    return linked && !is_share(s, i, l) && !is_level(s, i);
}

static uint32_t
group_claim(const struct sentence *s, const struct marks *k,
    const struct group *g, const struct link *l, const double *points,
    struct walk *w, struct claim *out, uint32_t room)
{
    struct found f = {0};
    uint32_t n = 0, end = g->at[g->n - 1];
    uint32_t lo = w->last < s->n ? w->spent : 0;
    metrics_of(s, k, g->named, lo, l, &f);
    /* "AUC by 1 % on this set and 2 % on that" */
    if (f.n == 0 && w->last < s->n && is_word(s, end + 1, "on") &&
        l->cue == w->link.cue)
        f = w->found;
    qsort(f.m, f.n, sizeof *f.m, mark_order);
    for (uint32_t p = 0; p < g->n && n < room; p++)
        n += number_claim(s, k, g, p, &f, l, points, out + n, room - n);
    if (n == 0)
        return 0;
    w->last = end;
    w->link = *l;
    w->found = f;
    w->spent = end + 1;
    for (uint32_t m = 0; m < f.n; m++)
        if (f.m[m]->to > w->spent)
            w->spent = f.m[m]->to;
    return n;
}

/* A range's claim ends at `high`, if that is credible as well. */
static uint32_t
range_claim(const struct sentence *s, const struct marks *k,
    const struct group *g, const struct link *l, double high, struct walk *w,
    struct claim *out, uint32_t room)
{
    uint32_t n = group_claim(s, k, g, l, NULL, w, out, room);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        out[i].high = out[i].delta < 0 ? -high : high;
        if (is_credible(&out[i]))
            out[kept++] = out[i];
    }
    return kept;
}

uint32_t
numbers_claim(const struct sentence *s, struct claim *out, uint32_t room)
{
    struct marks k;
    struct walk w = {.last = s->n};
    uint32_t n = 0;
    marks_read(s, &k);
    for (uint32_t i = 0; i < s->n && n < room; i++) {
        struct link l = {0};
        struct group g;
        double points = 0;
        if (!is_number(s, i))
            continue;
        uint32_t end = range_end(s, i);
        if (end != i && number_link(s, &k, i, &w, &l)) {
            g = (struct group){1, {i}, end};
            n += range_claim(
                s, &k, &g, &l, s->t[end].high, &w, out + n, room - n);
            i = end;
        } else if (from_to(s, i, &l, &points)) {
            g = (struct group){1, {i}, i - 3};
            n += group_claim(s, &k, &g, &l, &points, &w, out + n, room - n);
        } else if (number_link(s, &k, i, &w, &l)) {
            group_read(s, i, &g);
            n += group_claim(s, &k, &g, &l, NULL, &w, out + n, room - n);
            i = g.at[g.n - 1];
        }
    }
    return n;
}
