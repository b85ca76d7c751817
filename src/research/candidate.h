/* Ideas before they are chosen: concrete overrides inside a project's declared
 * domains, from generic steps on each knob and from techniques. */
#ifndef RESEARCH_CANDIDATE_H
#define RESEARCH_CANDIDATE_H

#include "base/arena.h"
#include "core/core.h"
#include "research/history.h"
#include "papers/evidence.h"
#include "papers/technique.h"

enum { CANDIDATES_DRAFT_MAX = 1024, CANDIDATE_TECHNIQUES_MAX = 4 };

struct candidate {
    uint32_t knob; /* the one that the idea is about */
    uint32_t n_over;
    struct override over[OVERRIDES_MAX]; /* enabling choices first */
    struct config config;
    struct move move; /* of `knob` */
    const char *key;
    const char *statement; /* once chosen */
    bool generic;          /* a plain step, to be judged by history */
    bool hook;             /* technique[0] needs code */
    bool earlier;          /* what a campaign ended with; answer is filled */
    bool joint;   /* one change of several knobs: none is there to enable */
    bool enabled; /* over[0] is the choice that makes `knob` active */
    uint32_t n_techniques;
    const struct technique *technique[CANDIDATE_TECHNIQUES_MAX];
    struct history_answer answer; /* AUC units */
    struct draft_prediction own;  /* of `knob` alone, without the enabling */
    double cost;
    uint32_t source; /* enum source once chosen, else SOURCE_NONE */
};

struct candidates {
    const struct spec *spec;
    struct arena *arena;
    struct config base;
    const struct findings *findings; /* of the corpus; NULL: none was asked */
    const bool *hidden;              /* by technique; NULL: none is */
    uint32_t n;
    struct candidate *item; /* CANDIDATES_DRAFT_MAX */
};

void
candidates_init(struct candidates *c, const struct spec *s, struct arena *a);
/* Generic steps on every knob, and the declared candidates that differ from the
 * baseline in few knobs. */
void candidates_from_knobs(struct candidates *c);
/* What earlier campaigns ended with, from their rows (earlier.c). */
void candidates_from_configurations(
    struct candidates *c, const struct insight *row, size_t n);
/* Adds a filled change, or finds its twin; value is that of x->knob. NULL: it
 * is not valid, or the baseline itself. There must be room. */
struct candidate *
candidate_put(struct candidates *c, struct candidate *x, double value);
/* Techniques known before `before`, or brought by a paper, whose needs the
 * project meets (`has` adds what the data offers); also those that need a
 * hook. */
void candidates_from_techniques(
    struct candidates *c, const char *before, uint32_t has);
/* NEED_* bits that the knobs themselves give evidence of. */
uint32_t project_needs(const struct spec *s);
/* Cost of a training with this change against the baseline's. */
double candidate_cost(const struct candidates *c, const struct override *over);

#endif
