/* What backends under a shim share: where the shim is, how a run folder tells
 * that a job ended, and ending one in place of a shim that can't any more.
 * Not for others. */
#ifndef JOBS_ENDED_H
#define JOBS_ENDED_H

#include "jobs/claim.h"

/* Fills j->shim: the configured one, REA_SHIM, or the one beside this program.
 * -ERR_NOT_FOUND says what to do. */
int shim_find(struct jobs *j, const struct jobs_config *c, struct err *err);
/* The one for this job: that with regular expressions where its metrics need
 * it and it is there. */
const char *
shim_for_in(struct arena *a, const struct jobs *j, const struct job_spec *spec);

/* Is exit.json of this token there? Then *out is DONE with its facts. */
bool
ended_is_there(const char *run_dir, const char *token, struct job_status *out);
/* Wall clock of the job's start as shim.json has it; 0: it did not start. */
int64_t ended_start_ms(const char *run_dir, const char *token);

struct ended_why {
    uint32_t reason; /* enum reason */
    const char *boot_id, *detail;
};
/* Writes the exit file in place of a shim that can't any more, and reads it
 * into *out. Another poll may do the same at the same time: the first file
 * stays. -ERR_CORRUPT: the folder belongs to another job. */
int ended_settle(const char *run_dir, const char *token,
    const struct ended_why *why, struct job_status *out, struct err *err);

/* Does the shim that made this claim run on this machine? False on another
 * one, whatever it does there. */
bool claim_is_alive(const struct claim *c);
/* Does it run on another host that shares the workspace? Only that one can tell
 * whether the shim lives. A machine that was started again has its old name. */
bool claim_is_elsewhere(const struct claim *c);
/* Takes the claim in place of a supervisor, so that none can start the job any
 * more: 0 taken, 1 somebody has it, <0 failed. Its pid is 0. */
int claim_block(const struct jobs *j, const char *token, const char *run_dir,
    struct err *err);
/* Leaves the mark that tells a shim that its end is wanted by us. */
int cancel_mark(const char *run_dir, struct err *err);
/* The mark, then SIGTERM to the shim if it runs on this machine. */
int claim_cancel(const struct claim *c, struct err *err);

#endif
