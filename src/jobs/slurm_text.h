/* What Slurm's programs print, as values. Pure; every text is untrusted and
 * may be cut. Formats: scontrol and sacct of Slurm 22.05, and what their
 * manual pages promise. */
#ifndef JOBS_SLURM_TEXT_H
#define JOBS_SLURM_TEXT_H

#include "jobs/scheduled.h"

struct slurm_job {
    char state[40];  /* "FAILED" */
    char reason[60]; /* "NonZeroExitCode" */
    char exit[16];   /* "3:0" */
    char name[TOKEN_LEN + 1];
    char node[64];
    int restarts;
};

/* `scontrol show job ID --oneliner`; false: there is no job in the text. */
bool slurm_job_read(const char *text, struct slurm_job *out);
/* A line "JobID|JobName|State|..." of `sacct -P -n` whose name is the token;
 * the last one counts. false: there is none. */
bool
slurm_acct_read(const char *text, const char *token, struct slurm_job *out);
/* The scheduler's word and sentence for a job. */
void slurm_answer(const struct slurm_job *job, struct scheduler_answer *out);

enum slurm_refusal {
    SLURM_NOT_NOW, /* also an error that nobody knows: it is asked again */
    SLURM_NEVER,   /* this request can't be met: the engineer must change it */
    SLURM_NO_JOB,  /* there is no job of this id */
    SLURM_NO_BOOKS /* there is no accounting here */
};
/* What an error text means. */
enum slurm_refusal slurm_refusal_of(const char *text);

/* What Slurm wrote to the job's own output at its end tells more than the
 * supervisor, which only got a signal: corrects reason and detail. */
void slurm_amend(const char *text, struct exit_facts *f);

#endif
