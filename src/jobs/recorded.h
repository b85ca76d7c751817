/* Outcomes of the recorded backend: what a job "does", computed when it is
 * submitted and never again. Parts of recorded.c; not for others. */
#ifndef JOBS_RECORDED_H
#define JOBS_RECORDED_H

#include "jobs/jobs.h"

struct outcome {
    uint32_t reason; /* enum reason */
    int32_t exit_code, signal;
    int64_t duration_ms, max_rss_bytes;
    bool checkpoint;                 /* the job leaves one behind */
    struct buf metrics, out, errors; /* contents of the three files */
    char detail[DETAIL_LEN];
};

/* The outcome of a job: the first row of the record that matches it, else the
 * record's world, else the built-in world. record NULL: the built-in world.
 * outcome_fini always. */
int outcome_find(const char *record, const struct job_spec *spec,
    struct outcome *out, struct err *err);
void outcome_fini(struct outcome *o);
/* Ends it at the job's limits, as a shim would. */
void outcome_limit(const struct job_spec *spec, struct outcome *o);
/* Value of a variable in a NAME=value list, or NULL. */
const char *env_find(const char *const *envp, const char *name);

/* world.c: metrics of a made-up trainer, one line of JSON a step. world: the
 * "world" object, NULL: the built-in one; knobs may be NULL. */
struct json;
void world_run(const struct json *world, const struct json *knobs,
    const struct job_spec *spec, struct outcome *out);

#endif
