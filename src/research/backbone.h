/* What is expected of a backbone that no record is about: from the records of
 * the others against the present one, by kind and year of publication
 * (research/outcome.h). */
#ifndef RESEARCH_BACKBONE_H
#define RESEARCH_BACKBONE_H

#include <stdbool.h>
#include <stdint.h>

#include "papers/technique.h"
#include "research/history.h"

/* The library's entry whose id, name or alias this is, without case and
 * separators; NULL: none. */
const struct technique *technique_named(const char *name);
/* Number of a technique's family, 0.. in order of appearance in the library;
 * below OUTCOME_KINDS. technique_technique_kind_name(k): the family, NULL
 * beyond the last. */
uint32_t technique_kind(const struct technique *t);
const char *technique_kind_name(uint32_t kind);

/* Gain in AUC of technique t over the backbone `from` (in any spelling):
 * *mean and *sd. Entries of the library dated `before` or later tell nothing
 * of the records' kinds (NULL: all may). false: fewer than BACKBONES_MIN
 * records against `from`, or one about t itself, which says more. */
enum { BACKBONES_MIN = 5 };
bool backbone_expect(const struct history *h, const char *from,
    const struct technique *t, const char *before, double *mean, double *sd);

#endif
