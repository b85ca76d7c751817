/* From passages to findings. Called by the draft. Invariants: each quote is
 * verbatim in its passage, each reference a paper of the corpus; one paper
 * never lifts a technique above a single claim, whatever it says and however
 * often; the order of passages decides nothing but ties. */
#include "papers/evidence.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { PASSAGE_CLAIMS = 24, PASSAGE_NAMES = 8, PASSAGE_MENTIONS = 24 };

void
findings_init(struct findings *f, struct arena *a)
{
    memset(f, 0, sizeof *f);
    f->arena = a;
}

const struct finding *
finding_of(const struct findings *f, const struct technique *t)
{
    for (uint32_t i = 0; f != NULL && i < f->n; i++)
        if (f->item[i].technique == t)
            return &f->item[i];
    return NULL;
}

/* ---- quotes ---- */

bool
evidence_is_verbatim(const struct evidence_row *r, const char *passage)
{
    size_t len = strlen(passage), n = strlen(r->quote);
    return r->begin < r->end && r->end <= len && n == r->end - r->begin &&
           memcmp(passage + r->begin, r->quote, n) == 0;
}

/* Cuts at the last space that leaves a short quote, never in a character. */
static uint32_t
quote_end(const char *text, uint32_t begin, uint32_t end)
{
    if (end - begin <= QUOTE_MAX)
        return end;
    uint32_t cut = begin + QUOTE_MAX;
    while (cut > begin + QUOTE_MAX / 2 && text[cut] != ' ')
        cut--;
    while (cut > begin && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

static void
row_quote(struct findings *f, struct evidence_row *r, const char *text,
    uint32_t begin, uint32_t end)
{
    r->begin = begin;
    r->end = quote_end(text, begin, end);
    r->quote = arena_strndup(f->arena, text + begin, r->end - begin);
}

/* The sentence around a byte. */
static void
sentence_around(
    const char *text, size_t len, uint32_t at, uint32_t *begin, uint32_t *end)
{
    size_t from = 0;
    while (sentence_next(text, len, &from, begin, end))
        if (at < *end)
            return;
}

/* ---- techniques that only a paper knows ---- */

static uint32_t
part_needs(uint32_t part)
{
    switch (part) {
    case TECHNIQUE_PART_SEQUENCE:
    case TECHNIQUE_PART_GENERATIVE:
        return NEED_SEQUENCE;
    case TECHNIQUE_PART_MULTITASK:
        return NEED_MULTITASK;
    case TECHNIQUE_PART_INTERACTION:
    case TECHNIQUE_PART_EMBEDDING:
    case TECHNIQUE_PART_FEATURES:
    case TECHNIQUE_PART_COLD_START:
    case TECHNIQUE_PART_GRAPH:
        return NEED_EMBEDDING;
    default:
        return NEED_NOTHING;
    }
}

/* "2026-03-12" or "2023" as a month that compares with the library's. */
static const char *
month_in(struct arena *a, const char *date)
{
    if (strlen(date) >= 7)
        return arena_strndup(a, date, 7);
    return date[0] != '\0' ? arena_printf(a, "%.4s-01", date) : "0000-00";
}

/* A name is tried as a value of the knobs that name architectures. Nothing of
 * the paper but its name and what the name's words say gets in here. */
static const struct technique *
technique_make(
    struct findings *f, const struct technique_name *x, const struct passage *p)
{
    static const uint8_t concept[] = {
        CONCEPT_MODEL, CONCEPT_INTERACTION, CONCEPT_LOSS, CONCEPT_OPTIMIZER};
    struct technique *t = arena_alloc(f->arena, sizeof *t);
    char *name = arena_strdup(f->arena, x->name);
    char *low = arena_strdup(f->arena, x->name);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '|')
            *c = ' ';
    for (char *c = low; *c != '\0'; c++)
        *c = *c == '|' ? ' ' : (char)tolower((unsigned char)*c);
    t->id = arena_printf(f->arena, "new-%s", low);
    t->name = name;
    t->aliases = name;
    t->family = technique_part_family(x->acts_on);
    t->claim = arena_printf(f->arena,
        "Brought by a paper and unknown to the library; it acts on %s.",
        technique_part_name(x->acts_on));
    t->needs = part_needs(x->acts_on);
    t->grade = GRADE_MENTION;
    t->date = month_in(f->arena, p->date);
    t->ref = arena_strdup(f->arena, p->paper);
    t->sd = 2e-3;
    t->cost = 1.5;
    for (uint32_t i = 0; i < sizeof concept; i++)
        t->step[i] =
            (struct technique_step){concept[i], TECHNIQUE_CHOOSE, 0, low, true};
    return t;
}

static bool
name_is(const struct technique *t, const char *name)
{
    size_t n = strlen(name);
    if (strcasecmp(t->id, name) == 0 || strcasecmp(t->name, name) == 0)
        return true;
    for (const char *p = t->aliases; *p != '\0';) {
        size_t k = strcspn(p, "|");
        if (k == n && strncasecmp(p, name, n) == 0)
            return true;
        p += k + (p[k] == '|');
    }
    return false;
}

static struct finding *
finding_get(struct findings *f, const struct technique *t)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->item[i].technique == t)
            return &f->item[i];
    if (f->n == FINDINGS_MAX)
        return NULL;
    struct finding *x = &f->item[f->n++];
    memset(x, 0, sizeof *x);
    x->technique = t;
    return x;
}

/* By name: of the library, made before, or new. */
static struct finding *
finding_named(
    struct findings *f, const struct technique_name *x, const struct passage *p)
{
    for (uint32_t i = 0; i < technique_count(); i++)
        if (name_is(technique_at(i), x->name))
            return finding_get(f, technique_at(i));
    for (uint32_t i = 0; i < f->n; i++)
        if (f->item[i].fresh && name_is(f->item[i].technique, x->name))
            return &f->item[i];
    if (f->n == FINDINGS_MAX)
        return NULL;
    struct finding *y = finding_get(f, technique_make(f, x, p));
    y->fresh = true;
    y->acts_on = x->acts_on;
    return y;
}

/* ---- rows ---- */

/* Ranks claims of one paper: numbers of a model's quality, then of business,
 * then of what has no name here, then words, then savings. */
static int
claim_rank(const struct claim *c)
{
    if (c->unit == CLAIM_NO_NUMBER)
        return 1;
    if (c->metric == NULL)
        return c->delta > 0 ? 2 : 0;
    return c->metric->kind == METRIC_COST       ? 0
           : c->metric->kind == METRIC_BUSINESS ? 3
                                                : 4;
}

/* A claim on one's own data against nobody is worth no more than a mention. */
static uint32_t
claim_grade(const struct claim *c)
{
    bool placed =
        c->online || c->open || c->dataset[0] != '\0' || c->baseline[0] != '\0';
    return placed && claim_supports(c) > 0 ? GRADE_SINGLE_CLAIM : GRADE_MENTION;
}

static bool
row_before(const struct evidence_row *a, const struct evidence_row *b)
{
    if (a->grade != b->grade)
        return a->grade > b->grade;
    int x = a->claimed ? claim_rank(&a->claim) : -1;
    int y = b->claimed ? claim_rank(&b->claim) : -1;
    if (x != y)
        return x > y;
    int later = strcmp(a->date, b->date);
    if (later != 0)
        return later > 0;
    int name = strcmp(a->paper, b->paper);
    return name != 0 ? name < 0 : a->passage < b->passage;
}

/* Keeps the strongest row of each paper, and the strongest rows of all. */
static void
row_put(struct finding *x, const struct evidence_row *r)
{
    for (uint32_t i = 0; i < x->n; i++)
        if (strcmp(x->row[i].paper, r->paper) == 0) {
            if (!row_before(r, &x->row[i]))
                return;
            memmove(
                &x->row[i], &x->row[i + 1], (x->n - i - 1) * sizeof x->row[0]);
            x->n--;
            break;
        }
    uint32_t at = x->n;
    while (at > 0 && row_before(r, &x->row[at - 1]))
        at--;
    if (at == FINDING_ROWS_MAX)
        return;
    if (x->n == FINDING_ROWS_MAX)
        x->n--;
    memmove(&x->row[at + 1], &x->row[at], (x->n - at) * sizeof x->row[0]);
    x->row[at] = *r;
    x->n++;
}

static struct evidence_row
row_of(struct findings *f, const struct passage *p)
{
    return (struct evidence_row){.paper = arena_strdup(f->arena, p->paper),
        .title = arena_strdup(f->arena, p->title),
        .date = arena_strdup(f->arena, p->date),
        .passage = p->id,
        .grade = GRADE_MENTION,
        .supports = 1};
}

static void
row_keep(
    struct finding *x, const struct evidence_row *r, const struct passage *p)
{
    if (x != NULL && evidence_is_verbatim(r, p->text))
        row_put(x, r);
}

/* What the paper proposes carries the paper's strongest claim. */
static void
proposal_read(struct findings *f, const struct passage *p,
    const struct technique_name *name, const struct claim *c, uint32_t n)
{
    struct evidence_row r = row_of(f, p);
    const struct claim *best = NULL;
    for (uint32_t i = 0; i < n; i++)
        if (best == NULL || claim_rank(&c[i]) > claim_rank(best))
            best = &c[i];
    if (best != NULL) {
        r.claimed = true;
        r.claim = *best;
        r.grade = claim_grade(best);
        r.supports = claim_supports(best);
        row_quote(f, &r, p->text, best->begin, best->end);
    } else if (name->end > name->begin) {
        row_quote(f, &r, p->text, name->begin, name->end);
    } else {
        return;
    }
    row_keep(finding_named(f, name, p), &r, p);
}

/* Is it what others are said to beat? */
static bool
is_beaten(const struct technique_mention *m, const struct claim *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (c[i].baseline[0] != '\0' && m->begin >= c[i].begin &&
            m->begin < c[i].end &&
            technique_mentioned(m->technique, c[i].baseline))
            return true;
    return false;
}

static void
mentions_read(struct findings *f, const struct passage *p,
    const struct finding *own, const struct claim *c, uint32_t n_claims)
{
    struct technique_mention m[PASSAGE_MENTIONS];
    size_t len = strlen(p->text);
    uint32_t n = technique_mentions(p->text, len, m, PASSAGE_MENTIONS);
    for (uint32_t i = 0; i < n; i++) {
        struct evidence_row r = row_of(f, p);
        uint32_t begin = 0, end = 0;
        if (own != NULL && own->technique == m[i].technique)
            continue;
        sentence_around(p->text, len, m[i].begin, &begin, &end);
        row_quote(f, &r, p->text, begin, end);
        if (is_beaten(&m[i], c, n_claims))
            r.supports = -1;
        row_keep(finding_get(f, m[i].technique), &r, p);
    }
}

void
findings_read(struct findings *f, const struct passage *p)
{
    struct technique_name name[PASSAGE_NAMES];
    struct claim claim[PASSAGE_CLAIMS];
    const struct finding *own = NULL;
    uint32_t names = technique_names(p->title, p->text, name, PASSAGE_NAMES);
    uint32_t claims =
        claims_find(p->text, strlen(p->text), claim, PASSAGE_CLAIMS);
    if (names > 0 && !name[0].part) {
        proposal_read(f, p, &name[0], claim, claims);
        for (uint32_t i = 0; i < f->n && own == NULL; i++)
            if (name_is(f->item[i].technique, name[0].name))
                own = &f->item[i];
    }
    mentions_read(f, p, own, claim, claims);
}

/* ---- grades ---- */

/* Two papers that tell of a technique in nearly the same words are one source:
 * words shared, of those of the shorter. */
static double
words_alike(const char *a, const char *b)
{
    struct claim_token x[CLAIM_TOKENS_MAX], y[CLAIM_TOKENS_MAX];
    uint32_t n = sentence_tokens(a, 0, (uint32_t)strlen(a), x);
    uint32_t m = sentence_tokens(b, 0, (uint32_t)strlen(b), y);
    uint32_t same = 0, words = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool found = false;
        if (x[i].kind != TOKEN_WORD)
            continue;
        words++;
        for (uint32_t j = 0; j < m && !found; j++)
            found =
                y[j].kind == TOKEN_WORD && strcmp(x[i].word, y[j].word) == 0;
        same += found;
    }
    return words > 0 ? (double)same / words : 1;
}

static bool
row_is_new(const struct finding *x, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (words_alike(x->row[i].quote, x->row[j].quote) > 0.9 &&
            words_alike(x->row[j].quote, x->row[i].quote) > 0.9)
            return false;
    return true;
}

/* One paper: a single claim at most. Several: as their claims were made, on
 * live traffic or with a test of significance on named data. */
static void
finding_grade(struct finding *x)
{
    bool online = false, tested = false;
    x->grade = x->n > 0 ? GRADE_MENTION : 0;
    x->n_claims = 0;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct evidence_row *r = &x->row[i];
        if (r->grade < GRADE_SINGLE_CLAIM || r->supports < 0 ||
            claim_rank(&r->claim) == 0 || !row_is_new(x, i))
            continue;
        x->n_claims++;
        online |= r->claim.online;
        tested |= r->claim.significant && r->claim.dataset[0] != '\0';
    }
    if (x->n_claims > 0)
        x->grade = GRADE_SINGLE_CLAIM;
    if (x->n_claims > 1)
        x->grade = tested   ? GRADE_BENCHMARK
                   : online ? GRADE_ONLINE
                            : GRADE_SINGLE_CLAIM;
}

double
finding_gain(const struct finding *f)
{
    double best = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct claim *c = &f->row[i].claim;
        if (!f->row[i].claimed || f->row[i].supports < 0)
            continue;
        double gain = 0;
        if (c->metric != NULL && strcmp(c->metric->name, "auc") == 0)
            gain = c->unit == CLAIM_ABSOLUTE ? c->delta
                   : c->unit == CLAIM_PERCENT || c->unit == CLAIM_POINTS
                       ? c->delta / 100
                       : 0;
        best = fmax(best, gain * EVIDENCE_BELIEF);
    }
    return fmin(best, EVIDENCE_GAIN_MAX);
}

/* A mention says little: one is shown beside claims, two without. */
static void
mentions_trim(struct finding *x)
{
    uint32_t keep = 0;
    x->n_papers = x->n;
    while (keep < x->n && x->row[keep].grade > GRADE_MENTION)
        keep++;
    keep += keep > 0 ? 1 : 2;
    if (x->n > keep)
        x->n = keep;
}

static int
finding_order(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->grade != y->grade)
        return x->grade > y->grade ? -1 : 1;
    if (x->n_claims != y->n_claims)
        return x->n_claims > y->n_claims ? -1 : 1;
    int later = strcmp(y->technique->date, x->technique->date);
    return later != 0 ? later : strcmp(x->technique->id, y->technique->id);
}

void
findings_close(struct findings *f)
{
    for (uint32_t i = 0; i < f->n; i++) {
        struct finding *x = &f->item[i];
        finding_grade(x);
        mentions_trim(x);
        if (!x->fresh)
            continue;
        struct technique *t = arena_alloc(f->arena, sizeof *t);
        *t = *x->technique;
        t->grade = x->grade > GRADE_MENTION ? x->grade : GRADE_MENTION;
        t->mean = finding_gain(x);
        x->technique = t;
    }
    qsort(f->item, f->n, sizeof f->item[0], finding_order);
}
