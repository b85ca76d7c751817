/* Which technique of the library and which paper a method of a leaderboard is,
 * by rules that hold for any table: the same arXiv number or DOI, the same name
 * without case and separators, a name in a text. What the library says of a
 * technique dated after the cut is hidden until a paper that was found names
 * it. */
#ifndef BENCH_MATCH_H
#define BENCH_MATCH_H

#include "board.h"
#include "paper.h"
#include "papers/technique.h"
#include "research/outcome.h"

enum match_how {
    MATCH_NONE,
    MATCH_LINK,    /* the paper's id is the method's link */
    MATCH_LIBRARY, /* it is the library's reference of the method */
    MATCH_TITLE,   /* the name is in its title */
    MATCH_TEXT,    /* the name is in its abstract */
};

struct match {
    const struct technique *technique; /* NULL: none known at the cut */
    const struct bench_paper *paper;   /* NULL: none found */
    uint32_t how;                      /* enum match_how */
    bool brought;    /* the technique was hidden and the paper brought it */
    bool kind_known; /* else the kinds are those of its like in time */
    double kind[OUTCOME_KINDS];
};

/* Fills match[b->n_methods]. until: last year that is history. Methods up to it
 * need no paper; papers may be NULL (nothing is found then). */
int methods_match(struct arena *a, const struct boards *b,
    const struct papers *p, int until, struct match *match, struct err *err);
const char *match_how_name(uint32_t how);

#endif
