/* What Slurm prints, as values: texts of Slurm 22.05, by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "jobs/slurm_text.h"

static void
test_jobs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
        enum scheduler_word word;
        bool restarted;
    } rows[] = {
        {"JobId=7 JobName=rea-1 UserId=a(1) Comment=JobState=FAILED "
         "JobState=RUNNING Reason=None Requeue=0 Restarts=0 ExitCode=0:0 "
         "BatchHost=n1 Command=/x",
            "slurm: RUNNING, exit 0:0 on n1", WORD_RUNNING, false},
        {"JobId=7 JobName=x JobState=OUT_OF_MEMORY Reason=OutOfMemory "
         "Restarts=0 ExitCode=0:125 BatchHost=n1",
            "slurm: OUT_OF_MEMORY OutOfMemory on n1", WORD_OOM, false},
        {"JobId=7 JobName=x JobState=PENDING Reason=BeginTime Restarts=1 "
         "ExitCode=0:0",
            "slurm: PENDING BeginTime", WORD_PENDING, true},
        {"JobId=7 JobName=x JobState=FAILED Reason=NonZeroExitCode Restarts=0 "
         "ExitCode=3:0 BatchHost=n",
            "slurm: FAILED NonZeroExitCode, exit 3:0 on n", WORD_FAILED, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slurm_job job;
        struct scheduler_answer a;
        assert_true(slurm_job_read(rows[i].text, &job));
        slurm_answer(&job, &a);
        if (a.word != rows[i].word || a.restarted != rows[i].restarted ||
            strcmp(a.why, rows[i].why) != 0)
            fail_msg("%zu: %d %d '%s'", i, a.word, a.restarted, a.why);
    }
    struct slurm_job none;
    assert_false(slurm_job_read("", &none));
    assert_false(slurm_job_read("XJobState=RUNNING", &none));
}

static void
test_books(void **state)
{
    (void)state;
    struct slurm_job job;
    const char *text = "3|rea-1|FAILED|1:0\n9|rea-1|NODE_FAIL|0:0\n"
                       "10|rea-12|COMPLETED|0:0\n11|rea-1|";
    assert_true(slurm_acct_read(text, "rea-1", &job));
    assert_string_equal(job.state, "NODE_FAIL");
    assert_string_equal(job.exit, "0:0");
    assert_false(slurm_acct_read(text, "rea", &job));
    assert_false(slurm_acct_read("", "rea-1", &job));
    /* The file of completed jobs has no exit code. */
    assert_true(slurm_acct_read("3|rea-1|CANCELLED by 0\n", "rea-1", &job));
    struct scheduler_answer a;
    slurm_answer(&job, &a);
    assert_int_equal(a.word, WORD_CANCELLED);
}

static void
test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        enum slurm_refusal means;
    } rows[] = {
        {"slurm_load_jobs error: Invalid job id specified", SLURM_NO_JOB},
        {"sbatch: error: Batch job submission failed: Requested node "
         "configuration is not available",
            SLURM_NEVER},
        {"sbatch: error: Batch job submission failed: Invalid partition name "
         "specified",
            SLURM_NEVER},
        {"sbatch: unrecognized option '--no-such'", SLURM_NEVER},
        {"sbatch: error: Batch job submission failed: Unable to contact slurm "
         "controller (connect failure)",
            SLURM_NOT_NOW},
        {"slurm_load_jobs error: Socket timed out on send/recv operation",
            SLURM_NOT_NOW},
        {"Job violates accounting/QOS policy (job submit limit, user's size "
         "and/or time limits)",
            SLURM_NOT_NOW},
        {"Slurm accounting storage is disabled", SLURM_NO_BOOKS},
        {"", SLURM_NOT_NOW},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (slurm_refusal_of(rows[i].says) != rows[i].means)
            fail_msg("'%s'", rows[i].says);
    }
}

static void
test_amend(void **state)
{
    (void)state;
    static const struct {
        const char *log;
        uint32_t was, is;
    } rows[] = {
        {"slurmstepd: error: *** JOB 1 ON n CANCELLED AT 2026-01-01T00:00:00 "
         "DUE TO TIME LIMIT ***",
            REASON_PREEMPTED, REASON_TIMEOUT},
        {"*** JOB 1 ON n CANCELLED AT 2026 DUE TO PREEMPTION ***",
            REASON_PREEMPTED, REASON_PREEMPTED},
        {"*** JOB 1 ON n CANCELLED AT 2026 DUE TO NODE FAILURE ***",
            REASON_SIGNAL, REASON_NODE_FAIL},
        {"Detected 1 oom-kill event(s) in StepId=2.batch.", REASON_OK,
            REASON_OOM},
        {"Job 2 exceeded memory limit (5000 > 1000), being killed",
            REASON_PREEMPTED, REASON_OOM},
        /* The job's own verdict stands, and so does ours. */
        {"*** JOB 1 ON n CANCELLED AT 2026 DUE TO TIME LIMIT ***", REASON_OK,
            REASON_OK},
        {"Detected 1 oom-kill event(s) in StepId=2.batch.", REASON_EXIT,
            REASON_EXIT},
        {"*** JOB 1 ON n CANCELLED AT 2026 ***", REASON_CANCELLED,
            REASON_CANCELLED},
        {"", REASON_PREEMPTED, REASON_PREEMPTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exit_facts f = {.reason = rows[i].was};
        slurm_amend(rows[i].log, &f);
        if (f.reason != rows[i].is)
            fail_msg("%zu: %u", i, f.reason);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_books),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_amend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
