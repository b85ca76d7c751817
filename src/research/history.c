/* Recorded effects to a prediction. Called by the draft. The chain is base
 * rate <- knob on any model family <- knob on this family <- this very change
 * on this family: each link pools its records (random effects, math/meta.h)
 * together with the coarser answer as one more record, so that few records
 * shrink towards what is known more broadly. Invariant: the spread of an
 * answer is never below the smaller of the base rate's and its concept's, nor
 * above what was ever seen. */
#include "research/history.h"

#include <math.h>
#include <string.h>

#include "base/json.h"

/* What the concept's spread, as a guess of one change's between families and
 * data sets, is worth in sources; and how much a row of the public set counts
 * beside one of the team's own (its rows share a few data sets, so they are
 * not as many as they look). Set by held-out data sets of that set. */
#define BETWEEN_WORTH 30
#define PUBLIC_TRUST 0.3
/* A larger effect on record is a collapse (or its repair): that it is large is
 * known, its size is no measure of what the knob does elsewhere. */
#define EFFECT_MAX (2 * BASE_RATE_SD)
/* Share of a recorded effect that is found again on data of another family:
 * the slope of held-out single changes on the pooled mean is .28 (7,777
 * changes, docs/decisions/0003-predictions.md). */
#define TRANSFER 0.3
/* Records of the average size that the base rate's spread is worth. */
#define SPREAD_WORTH 5
/* Worth of a record of the same knob that took another step elsewhere. */
#define FAR_WORTH 0.1
/* Base rate of a change of backbone: published differences are larger. */
#define MODEL_SD_MIN 5e-3

static uint32_t
concept_find(const char *name)
{
    for (uint32_t c = 1; c < CONCEPT_COUNT; c++)
        if (strcmp(concept_name(c), name) == 0)
            return c;
    return CONCEPT_NONE;
}

/* The project's name from a row's context, {"model": "ctr", ...}. */
static void
place_read(const char *context, char out[NAME_LEN])
{
    const char *at = context != NULL ? strstr(context, "\"model\":") : NULL;
    size_t n = 0;
    out[0] = '\0';
    if (at == NULL)
        return;
    at += strlen("\"model\":");
    at += strspn(at, " ");
    if (*at++ != '"')
        return;
    while (at[n] != '"' && at[n] != '\0' && n + 1 < NAME_LEN) {
        out[n] = at[n];
        n++;
    }
    out[n] = '\0';
}

static bool
record_fill(struct record *r, const struct insight *row)
{
    if (row->verdict == INSIGHT_FAILED || row->partner[0] != '\0')
        return false;
    r->row = row;
    r->concept = concept_find(row->concept);
    move_read(&r->move, r->concept, row->from, row->to, row->direction);
    word_plain(row->family, r->family);
    double unit = row->scale > 0 ? GAIN_UNIT_AUC / row->scale : 1;
    r->d = row->effect * unit;
    r->v = row->sd * row->sd * unit * unit;
    r->trust = row->status == INSIGHT_PROMOTED ? 1 : 0.8;
    if (strcmp(row->campaign, INSIGHT_PUBLIC) == 0)
        r->trust = PUBLIC_TRUST;
    if (row->verdict == INSIGHT_UNSTABLE) {
        /* Diverged: no number, but surely no gain. */
        r->d = -2 * BASE_RATE_SD;
        r->v = BASE_RATE_SD * BASE_RATE_SD;
    }
    r->d = fmin(EFFECT_MAX, fmax(-EFFECT_MAX, r->d));
    place_read(row->context, r->place);
    /* A row without a spread must not count as exact. */
    if (!(r->v > 0))
        r->v = BASE_RATE_SD * BASE_RATE_SD;
    return r->move.kind != MOVE_NONE;
}

void
history_of_rows(
    struct history *h, const struct insight *row, size_t n, struct arena *a)
{
    memset(h, 0, sizeof *h);
    h->record = arena_alloc(a, (n + 1) * sizeof *h->record);
    h->work = arena_alloc(a, (n + 16) * sizeof *h->work);
    for (size_t i = 0; i < n; i++)
        if (record_fill(&h->record[h->n], &row[i]))
            h->n++;
    h->calibration = calibration_learn(row, n, a);
}

int
history_load(struct history *h, struct insights *db, const struct spec *s,
    const char *before, struct arena *a, struct err *err)
{
    memset(h, 0, sizeof *h);
    struct insight *row = NULL;
    size_t n = 0;
    const char *concept[KNOBS_MAX + 1], *knob[KNOBS_MAX];
    struct insight_matter m = {.concept = concept,
        .knob = knob,
        .family = s != NULL ? family_of(s) : NULL,
        .max = s != NULL ? 0 : UINT32_MAX - 1,
        .before = before != NULL && before[0] != '\0' ? before : NULL};
    concept[m.n_concepts++] = concept_name(CONCEPT_MODEL);
    for (uint32_t k = 0; s != NULL && k < s->n_knobs; k++) {
        uint32_t c = s->knob[k].concept;
        const char *name = concept_name(c);
        size_t i = 0;
        while (i < m.n_concepts && strcmp(concept[i], name) != 0)
            i++;
        if (c == CONCEPT_NONE)
            knob[m.n_knobs++] = s->knob[k].name;
        else if (i == m.n_concepts)
        concept[m.n_concepts++] = name;
    }
    int rc = db != NULL ? insight_select(db, &m, a, &row, &n, err) : 0;
    if (rc != 0)
        return rc;
    history_of_rows(h, row, n, a);
    return 0;
}

/* ---- families ---- */

enum { GROUP_UNKNOWN, GROUP_LINEAR, GROUP_FACTOR, GROUP_SEQUENCE, GROUP_DEEP };

static const struct {
    const char *name;
    int group;
} families[] = {
    {"lr", GROUP_LINEAR},
    {"linear", GROUP_LINEAR},
    {"ftrl", GROUP_LINEAR},
    {"fm", GROUP_FACTOR},
    {"ffm", GROUP_FACTOR},
    {"fwfm", GROUP_FACTOR},
    {"fmfm", GROUP_FACTOR},
    {"hofm", GROUP_FACTOR},
    {"afm", GROUP_FACTOR},
    {"lorentzfm", GROUP_FACTOR},
    {"hfm", GROUP_FACTOR},
    {"din", GROUP_SEQUENCE},
    {"dien", GROUP_SEQUENCE},
    {"bst", GROUP_SEQUENCE},
    {"dmin", GROUP_SEQUENCE},
    {"dmr", GROUP_SEQUENCE},
    {"sasrec", GROUP_SEQUENCE},
    {"afn", GROUP_DEEP},
    {"aoanet", GROUP_DEEP},
    {"apg", GROUP_DEEP},
    {"autoint", GROUP_DEEP},
    {"dcn", GROUP_DEEP},
    {"dcnv2", GROUP_DEEP},
    {"deepfm", GROUP_DEEP},
    {"deepim", GROUP_DEEP},
    {"destine", GROUP_DEEP},
    {"dlrm", GROUP_DEEP},
    {"dnn", GROUP_DEEP},
    {"mlp", GROUP_DEEP},
    {"dssm", GROUP_DEEP},
    {"edcn", GROUP_DEEP},
    {"eulernet", GROUP_DEEP},
    {"fibinet", GROUP_DEEP},
    {"fignn", GROUP_DEEP},
    {"finalmlp", GROUP_DEEP},
    {"finalnet", GROUP_DEEP},
    {"gdcn", GROUP_DEEP},
    {"masknet", GROUP_DEEP},
    {"nfm", GROUP_DEEP},
    {"pnn", GROUP_DEEP},
    {"ppnet", GROUP_DEEP},
    {"sam", GROUP_DEEP},
    {"widedeep", GROUP_DEEP},
    {"xdeepfm", GROUP_DEEP},
};

static int
family_group(const char *family)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(family, families[i].name) == 0)
            return families[i].group;
    return GROUP_UNKNOWN;
}

double
family_similarity(const char *a, const char *b)
{
    if (a[0] != '\0' && strcmp(a, b) == 0)
        return 1;
    int x = family_group(a), y = family_group(b);
    if (x == GROUP_UNKNOWN || y == GROUP_UNKNOWN)
        return 0.4;
    return x == y ? 0.6 : 0.3;
}

/* ---- pooling ---- */

static bool
record_is_of(const struct record *r, const struct history_query *q)
{
    return r->concept == q->concept &&
           (q->concept != CONCEPT_NONE || strcmp(r->row->knob, q->knob) == 0);
}

static double
record_match(const struct record *r, const struct history_query *q,
    const char *family, enum draft_level level, double *sign)
{
    if (!record_is_of(r, q))
        return 0;
    double s = move_similarity(&q->move, &r->move, sign);
    /* A backbone's name is its own family: from and to say it all. */
    double kin =
        q->concept == CONCEPT_MODEL ? 1 : family_similarity(family, r->family);
    if (level == DRAFT_CONCEPT)
        return s * kin;
    if (kin < 1 || (level == DRAFT_EXACT && s < 0.8))
        return 0;
    return s;
}

static bool
record_is_public(const struct record *r)
{
    return strcmp(r->row->campaign, INSIGHT_PUBLIC) == 0;
}

/* Rows of the public set are means over data sets already, and count little
 * each: the share is in their trust. */
static double
record_transfer(const struct record *r, const struct history_query *q)
{
    bool home = q->place != NULL && r->place[0] != '\0' &&
                strcmp(r->place, q->place) == 0;
    return home || record_is_public(r) ? 1 : TRANSFER;
}

static void
cite(struct history_answer *out, const struct record *r, double w, double sign,
    double best[HISTORY_CITED_MAX])
{
    uint32_t i = 0;
    while (i < out->n_cited && best[i] >= w)
        i++;
    if (i >= HISTORY_CITED_MAX)
        return;
    if (out->n_cited < HISTORY_CITED_MAX)
        out->n_cited++;
    for (uint32_t j = out->n_cited - 1; j > i; j--) {
        best[j] = best[j - 1];
        out->cited[j] = out->cited[j - 1];
        out->cited_sign[j] = out->cited_sign[j - 1];
    }
    best[i] = w;
    out->cited[i] = r->row;
    out->cited_sign[i] = sign;
}

static void
level_pool(const struct history *h, const struct history_query *q,
    const char *family, enum draft_level level, double spread,
    struct history_answer *out)
{
    struct meta_delta *in = h->work;
    double best[HISTORY_CITED_MAX] = {0}, k = 0;
    struct history_answer found = {0};
    uint32_t n = 0;
    in[n++] = (struct meta_delta){out->p.mean, out->p.sd * out->p.sd, 1};
    for (uint32_t i = 0; i < h->n; i++) {
        const struct record *r = &h->record[i];
        double sign, w = record_match(r, q, family, level, &sign);
        if (w < 0.02)
            continue;
        double d = sign * r->d * record_transfer(r, q);
        in[n++] = (struct meta_delta){d, r->v, w * r->trust};
        k += w;
        found.comparisons += (uint32_t)(r->row->n > 0 ? r->row->n : 1);
        if (w > out->best)
            out->best = w;
        if (w >= 0.1)
            cite(&found, r, w * r->trust, sign, best);
    }
    if (level == DRAFT_CONCEPT)
        for (uint32_t i = 0; i < q->n_claims; i++)
            in[n++] = q->claim[i];
    if (n == 1)
        return;
    struct meta_prior between = {spread * spread, BETWEEN_WORTH};
    struct meta_pool pool = meta_pool(in, (int)n, &between);
    out->p.mean = pool.m;
    /* The coarser answer's spread holds the variance between places already:
     * in full it would count twice (80 % intervals then cover 83 % of held-out
     * sets, so 80 %). */
    out->p.sd = sqrt(pool.t2 + 0.5 * (pool.tau2 - pool.t2));
    if (k >= 0.1) {
        out->p.level = level;
        out->p.k = k;
    }
    if (found.n_cited > 0) {
        out->n_cited = found.n_cited;
        memcpy(out->cited, found.cited, sizeof out->cited);
        memcpy(out->cited_sign, found.cited_sign, sizeof out->cited_sign);
        out->comparisons = found.comparisons;
    }
}

/* How much a record tells of how far a change moves the metric: one of another
 * step from another value tells little. Names have no steps. */
static double
record_nearness(const struct record *r, const struct move *m)
{
    double sign;
    if (m->kind != MOVE_SCALE && m->kind != MOVE_SHIFT)
        return 1;
    return FAR_WORTH + (1 - FAR_WORTH) * move_similarity(m, &r->move, &sign);
}

/* How far such a change moves the metric, up or down: the root mean square of
 * what is on record, a team's own rows first, and without their noise: they are
 * single changes of a few seeds. Learning rates and optimisers move it ten
 * times as far as first-order weights do. *own: what own rows weigh. */
static double
concept_spread(const struct history *h, const struct history_query *q,
    double base, double *own)
{
    double k = SPREAD_WORTH, sum = k * base * base, square = 0;
    *own = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct record *r = &h->record[i];
        if (!record_is_of(r, q))
            continue;
        double w = r->trust * record_nearness(r, &q->move);
        if (record_is_public(r)) {
            sum += w * r->d * r->d;
        } else {
            square += w * (r->d * r->d - r->v);
            *own += w;
        }
        k += w;
    }
    return sqrt((sum + fmax(square, 0)) / k);
}

void
history_ask(const struct history *h, const struct history_query *q,
    struct history_answer *out)
{
    char family[VALUE_LEN];
    word_plain(q->family, family);
    memset(out, 0, sizeof *out);
    bool model = q->concept == CONCEPT_MODEL;
    double least = model ? MODEL_SD_MIN : BASE_RATE_SD;
    double most = model ? MODEL_SD_MAX : SINGLE_SD_MAX;
    double spread = concept_spread(h, q, least, &out->own);
    least = fmin(least, spread);
    out->p.sd = spread;
    out->p.level = DRAFT_BASE_RATE;
    level_pool(h, q, family, DRAFT_CONCEPT, spread, out);
    if (!model && family[0] != '\0') {
        level_pool(h, q, family, DRAFT_FAMILY, spread, out);
        level_pool(h, q, family, DRAFT_EXACT, spread, out);
    } else if (model) {
        level_pool(h, q, family, DRAFT_EXACT, spread, out);
    }
    out->p.sd = fmin(fmax(out->p.sd, least), most);
}

double
history_cost(const struct history *h, uint32_t concept, const struct move *m)
{
    double sum = 0, n = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct record *r = &h->record[i];
        double sign;
        if (r->concept != concept || m->kind != MOVE_CHOICE ||
            strstr(r->row->context, "\"cost\"") == NULL ||
            move_similarity(m, &r->move, &sign) < 1)
            continue;
        struct json *j =
            json_parse(r->row->context, strlen(r->row->context), NULL);
        double cost = json_get_num(j, "cost", 0);
        json_free(j);
        if (cost > 0) {
            sum += sign * log(cost);
            n++;
        }
    }
    return n > 0 ? exp(sum / n) : 0;
}
