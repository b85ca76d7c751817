/* Reading what Slurm prints. Called by slurm.c. */
#include "jobs/slurm_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Value of " KEY=" up to the next blank; false: no such key. */
static bool
value_of(const char *text, const char *key, char *out, size_t cap)
{
    size_t n = strlen(key);
    for (const char *at = strstr(text, key); at != NULL;
         at = strstr(at + n, key)) {
        if ((at != text && at[-1] != ' ' && at[-1] != '\n') || at[n] != '=')
            continue;
        const char *v = at + n + 1;
        snprintf(out, cap, "%.*s", (int)strcspn(v, " \r\n"), v);
        return true;
    }
    return false;
}

bool
slurm_job_read(const char *text, struct slurm_job *out)
{
    char number[16] = "";
    *out = (struct slurm_job){0};
    if (!value_of(text, "JobState", out->state, sizeof out->state))
        return false;
    value_of(text, "Reason", out->reason, sizeof out->reason);
    value_of(text, "ExitCode", out->exit, sizeof out->exit);
    value_of(text, "JobName", out->name, sizeof out->name);
    value_of(text, "BatchHost", out->node, sizeof out->node);
    value_of(text, "Restarts", number, sizeof number);
    out->restarts = (int)strtol(number, NULL, 10);
    return true;
}

/* Field i of a line of fields parted by '|'. */
static void
part_of(const char *line, size_t len, int i, char *out, size_t cap)
{
    const char *end = line + len;
    for (; i > 0 && line < end; i--) {
        const char *bar = memchr(line, '|', (size_t)(end - line));
        line = bar == NULL ? end : bar + 1;
    }
    const char *bar = memchr(line, '|', (size_t)(end - line));
    snprintf(out, cap, "%.*s", (int)((bar == NULL ? end : bar) - line), line);
}

bool
slurm_acct_read(const char *text, const char *token, struct slurm_job *out)
{
    bool found = false;
    for (const char *line = text; *line != '\0';) {
        struct slurm_job job = {0};
        size_t len = strcspn(line, "\n");
        part_of(line, len, 1, job.name, sizeof job.name);
        part_of(line, len, 2, job.state, sizeof job.state);
        part_of(line, len, 3, job.exit, sizeof job.exit);
        if (strcmp(job.name, token) == 0 && job.state[0] != '\0') {
            *out = job;
            found = true;
        }
        line += len + (line[len] == '\n');
    }
    return found;
}

void
slurm_answer(const struct slurm_job *job, struct scheduler_answer *out)
{
    bool is_waiting = job->reason[0] != '\0' && job->exit[0] == '0' &&
                      strcmp(job->reason, "None") != 0;
    out->word = scheduler_word_of(job->state);
    out->restarted = job->restarts > 0;
    snprintf(out->why, sizeof out->why, "slurm: %s%s%s%s%s%s%s", job->state,
        job->reason[0] != '\0' && strcmp(job->reason, "None") != 0 ? " " : "",
        strcmp(job->reason, "None") != 0 ? job->reason : "",
        is_waiting || job->exit[0] == '\0' ? "" : ", exit ",
        is_waiting ? "" : job->exit, job->node[0] != '\0' ? " on " : "",
        job->node);
}

enum slurm_refusal
slurm_refusal_of(const char *text)
{
    static const struct {
        const char *says;
        enum slurm_refusal means;
    } rows[] = {
        {"Invalid job id", SLURM_NO_JOB},
        {"accounting storage is disabled", SLURM_NO_BOOKS},
        {"Requested node configuration is not available", SLURM_NEVER},
        {"nvalid partition", SLURM_NEVER},
        {"nvalid account", SLURM_NEVER},
        {"nvalid qos", SLURM_NEVER},
        {"nvalid generic resource", SLURM_NEVER},
        {"nvalid wckey", SLURM_NEVER},
        {"nvalid feature", SLURM_NEVER},
        {"nvalid node name", SLURM_NEVER},
        {"nvalid --", SLURM_NEVER},
        {"nvalid option", SLURM_NEVER},
        {"unrecognized option", SLURM_NEVER},
        {"Requested time limit is invalid", SLURM_NEVER},
        {"Memory specification can not be satisfied", SLURM_NEVER},
        {"More processors requested than permitted", SLURM_NEVER},
        {"CPU count per node can not be satisfied", SLURM_NEVER},
        {"Node count specification invalid", SLURM_NEVER},
        {"Access/permission denied", SLURM_NEVER},
        {"group not permitted", SLURM_NEVER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strstr(text, rows[i].says) != NULL)
            return rows[i].means;
    }
    return SLURM_NOT_NOW;
}

void
slurm_amend(const char *text, struct exit_facts *f)
{
    static const struct {
        const char *says;
        uint32_t reason;
        const char *detail;
    } rows[] = {
        {"oom_kill event", REASON_OOM, "slurm: the kernel killed for memory"},
        {"oom-kill event", REASON_OOM, "slurm: the kernel killed for memory"},
        {"exceeded memory limit", REASON_OOM, "slurm: memory limit"},
        {"Exceeded job memory limit", REASON_OOM, "slurm: memory limit"},
        {"DUE TO TIME LIMIT", REASON_TIMEOUT, "slurm: time limit"},
        {"DUE TO PREEMPTION", REASON_PREEMPTED, "slurm: preempted"},
        {"DUE TO NODE FAILURE", REASON_NODE_FAIL, "slurm: node failure"},
        {"DUE TO JOB REQUEUE", REASON_PREEMPTED, "slurm: requeued"},
        {"CANCELLED AT", REASON_PREEMPTED,
            "somebody cancelled it in the scheduler"},
    };
    /* What the supervisor ended itself, and a plain exit of the job, it knows
     * best. */
    if (f->reason != REASON_PREEMPTED && f->reason != REASON_SIGNAL &&
        f->reason != REASON_OK && f->reason != REASON_NODE_FAIL)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool memory = rows[i].reason == REASON_OOM;
        if (strstr(text, rows[i].says) == NULL ||
            (f->reason == REASON_OK && !memory))
            continue;
        f->reason = rows[i].reason;
        snprintf(f->detail, sizeof f->detail, "%s", rows[i].detail);
        return;
    }
}
