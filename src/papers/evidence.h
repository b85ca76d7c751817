/* What the corpus says about techniques: for each, the passages that speak of
 * it, quoted to the byte, with the claims in them and what they are worth. A
 * technique that the library lacks is made from the paper that brings it. */
#ifndef PAPERS_EVIDENCE_H
#define PAPERS_EVIDENCE_H

#include "papers/claim.h"
#include "papers/corpus.h"
#include "papers/technique_find.h"

/* A quote longer than this is cut at a word. */
enum { QUOTE_MAX = 320, FINDING_ROWS_MAX = 4, FINDINGS_MAX = 256 };

/* The most that claims of papers may move a prediction, in AUC, and the share
 * of a claimed gain that is believed: of published pairs of method and data
 * set only 30 % beat a plain baseline. */
#define EVIDENCE_GAIN_MAX 1e-3
#define EVIDENCE_BELIEF 0.1

/* One passage that speaks of a technique. */
struct evidence_row {
    const char *paper, *title, *date; /* a row of the corpus */
    int64_t passage;
    const char *quote; /* the bytes [begin, end) of the passage's text */
    uint32_t begin, end;
    uint32_t grade;     /* GRADE_MENTION or GRADE_SINGLE_CLAIM */
    int supports;       /* +1; -1: others are said to be better */
    bool claimed;       /* claim is filled */
    struct claim claim; /* the strongest of its paper */
};

struct finding {
    const struct technique *technique;
    bool fresh;        /* the library lacks it */
    uint32_t acts_on;  /* enum technique_part, of a fresh one */
    uint32_t grade;    /* of all rows together, enum technique_grade */
    uint32_t n_claims; /* papers that claim a gain, savings apart */
    uint32_t n_papers; /* that speak of it; FINDING_ROWS_MAX: so many or more */
    uint32_t n;
    struct evidence_row row[FINDING_ROWS_MAX]; /* the strongest first */
};

struct findings {
    struct arena *arena;
    uint32_t n;
    struct finding item[FINDINGS_MAX];
};

/* {0} but for the arena, which all that is found lies in. */
void findings_init(struct findings *f, struct arena *a);
/* Reads one passage. The same passage twice, or a paper that says the same as
 * another, adds nothing. */
void findings_read(struct findings *f, const struct passage *p);
/* Grades and sorts; to be called once after the last passage. */
void findings_close(struct findings *f);
const struct finding *
finding_of(const struct findings *f, const struct technique *t);

/* Asks the corpus what a project's knobs and their values suggest, and reads
 * the answers. before: only papers dated earlier; NULL: all. */
int findings_of_project(struct findings *f, struct corpus *c,
    const struct spec *s, const char *before, struct err *err);

/* Is the quote the bytes of its span? What is not is never given out. */
bool evidence_is_verbatim(const struct evidence_row *r, const char *passage);
/* Gain in AUC that the claims of a finding speak for, within its limits. */
double finding_gain(const struct finding *f);

#endif
