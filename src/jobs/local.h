/* Parts of the local backend (local_start.c); not for others. */
#ifndef JOBS_LOCAL_H
#define JOBS_LOCAL_H

#include "jobs/jobs.h"

/* Writes run_dir/shim.cmd, which the shim reads (shim/command.c). */
int shim_command_write(const struct jobs *j, const struct job_spec *spec,
    const char *run_dir, struct err *err);
/* Starts a shim that belongs to nobody and waits for its word: 0 when it or
 * another has claimed the token. */
int shim_start(
    const char *shim, const char *run_dir, int lease_fd, struct err *err);
/* Kills every process that carries this token in its environment; returns how
 * many are left after two seconds. */
uint32_t leftovers_kill(const char *token);

#endif
