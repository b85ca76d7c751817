/* What the verbs of research know of the present model. */
#ifndef CMD_RESEARCH_H
#define CMD_RESEARCH_H

#include "cmd/cmd.h"
#include "papers/question.h"
#include "project/project.h"

enum { FAILURES_MAX = 3 };

/* The profile of the present model: its project, the last campaign's log when
 * there is one, and what the engineer says by --fit; and the failures that no
 * remedy was found for. */
int research_profile(struct call *call, const struct project *p,
    struct baseline_profile *out, const char *failure[FAILURES_MAX],
    uint32_t *n_failures, struct err *err);

#endif
