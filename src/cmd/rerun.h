/* Running something of a campaign again: what exactly, and where its result is
 * expected. */
#ifndef CMD_RERUN_H
#define CMD_RERUN_H

#include "cmd/work.h"
#include "report/view.h"

enum { RERUN_MAX = 3 };

struct rerun {
    uint32_t trial[RERUN_MAX]; /* indexes */
    uint32_t n;
    uint32_t experiment;
};

/* The trials that stand for an id: itself, an experiment's, or those of the
 * campaign's proposal (NULL: the proposal). -ERR_NOT_FOUND when there is
 * none. */
int rerun_choose(const struct core *c, const struct report_id *id,
    struct rerun *out, struct err *err);
/* The command of a trial's training in a folder. */
int rerun_command(struct call *call, const struct project *p,
    const struct core *c, uint32_t trial, const char *run_dir,
    struct job_command *out, struct err *err);
/* Fills out for the report: command, commit, environment, data, interval.
 * which NULL: the proposal. */
int rerun_describe(struct call *call, struct store *st, const struct report *r,
    const struct report_id *which, struct report_repro *out, struct err *err);

#endif
