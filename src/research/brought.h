/* What a corpus brings to the technique library. An engineer, or a study of
 * the past, may take the library as it stood at a date: entries of later date
 * then count only where a paper of the corpus names them. */
#ifndef RESEARCH_BROUGHT_H
#define RESEARCH_BROUGHT_H

#include "papers/corpus.h"

/* hidden [technique_count()]: true for the entries dated on or after `cut`
 * (YYYY[-MM[-DD]]) that no paper of the corpus dated before `before` (NULL:
 * any) names. Errors are the corpus's. */
int techniques_hide(struct corpus *c, const char *cut, const char *before,
    bool *hidden, struct err *err);

#endif
