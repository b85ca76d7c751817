/* What earlier campaigns and the public set say about a change: recorded
 * effects pooled with backoff. */
#ifndef RESEARCH_HISTORY_H
#define RESEARCH_HISTORY_H

#include "base/arena.h"
#include "math/meta.h"
#include "research/calibrate.h"
#include "research/draft.h"
#include "research/insight.h"
#include "research/move.h"

/* Spread of the effect of a single change of which nothing is known, in AUC:
 * the normal with the best mean CRPS on 7,777 recorded single changes of the
 * BARS benchmark (bench: tools/derive-insights.py reads the same table). */
#define BASE_RATE_SD 2e-3
/* Root mean square of those changes, and of the published differences between
 * backbones: records that disagree more than that are not believed more. */
#define SINGLE_SD_MAX 5e-3
#define MODEL_SD_MAX 1e-2

enum { HISTORY_CITED_MAX = 3 };

struct record {
    const struct insight *row;
    struct move move;
    uint32_t concept;
    double d, v;          /* effect in AUC units, and its variance */
    char place[NAME_LEN]; /* project that it was learnt on; "" unknown */
    double trust;         /* 0..1: promoted rows in full */
    char family[VALUE_LEN];
};

struct history {
    uint32_t n;
    struct record *record;
    struct meta_delta *work;         /* n + 8 */
    struct calibration *calibration; /* what became of predictions, or NULL */
};

/* Reads what can matter to this project (insight_select; NULL: all) of the
 * rows dated before `before` (NULL: all); db NULL: no history. */
int history_load(struct history *h, struct insights *db, const struct spec *s,
    const char *before, struct arena *a, struct err *err);

/* The same of rows that are there already; they must outlive h. */
void history_of_rows(
    struct history *h, const struct insight *row, size_t n, struct arena *a);

struct history_query {
    uint32_t concept;
    const char *knob;   /* its name, for knobs of no known concept */
    const char *family; /* "" unknown */
    const char *place;  /* project that asks: its own records count in full,
                           others' by the share that transfers; NULL: none */
    struct move move;
    const struct meta_delta *claim; /* of techniques, as further records */
    uint32_t n_claims;
};
struct history_answer {
    struct draft_prediction p; /* in AUC units */
    double best;               /* similarity of the nearest record */
    double own; /* what a team's own rows weigh in the spread, in rows */
    uint32_t comparisons; /* single changes behind the pool */
    uint32_t n_cited;
    const struct insight *cited[HISTORY_CITED_MAX];
    double cited_sign[HISTORY_CITED_MAX];
};
/* Cost of a training after a change of choice against that before it, as
 * campaigns of the team's own measured it (geometric mean); 0: no record. */
double
history_cost(const struct history *h, uint32_t concept, const struct move *m);
void history_ask(const struct history *h, const struct history_query *q,
    struct history_answer *out);

/* 1 same family, less for kin, least for strangers. Names in plain form. */
double family_similarity(const char *a, const char *b);

#endif
