/* What the files of `rea insight` share. */
#ifndef CMD_INSIGHT_H
#define CMD_INSIGHT_H

#include "cmd/cmd.h"
#include "project/project.h"
#include "research/insight.h"

/* One line for people. */
void insight_line(struct call *call, const struct insight *i);
/* Reads NAME=VALUE into a field of a row. -ERR_INPUT names what is known. */
int insight_pair_read(
    struct call *call, const char *pair, struct insight *row, struct err *err);
/* rows=39948,fields=24,density=0.01,family=fm,sequence=yes; any of them. */
int insight_place_read(struct arena *a, const char *text,
    struct insight_place *out, struct err *err);
/* The same of a project file's [insights] context; nothing when it has none. */
int insight_place_of(struct arena *a, const struct project *p,
    struct insight_place *out, struct err *err);
/* The replies of an MLflow server, by curl. Texts lie in the call's arena. */
int mlflow_fetch(struct call *call, const char *url, const char ***page,
    size_t *n, struct err *err);

#endif
