/* Optuna behind a pipe: one JSON line a question, one an answer. */
#ifndef HEADLINE_SERVER_H
#define HEADLINE_SERVER_H

#include <stdio.h>
#include <sys/types.h>

#include "base/json.h"
#include "task.h"

struct server {
    pid_t pid;
    FILE *to, *from;
};

/* arm: tpe, tpe-median or tpe-asha. -ERR_NOT_FOUND: no Optuna there. */
int server_start(struct server *s, const struct places *p,
    const struct spec *spec, const char *arm, uint32_t seed, struct err *err);
/* Asks for the next configuration. */
int server_ask(struct server *s, const struct spec *spec, struct config *out,
    struct err *err);
/* + is better. true: the pruner ends the trial. */
bool server_report(struct server *s, uint32_t step, double value);
/* value NaN: failed; pruned: ended by the pruner. */
int server_tell(struct server *s, double value, bool pruned, struct err *err);
void server_stop(struct server *s);

#endif
