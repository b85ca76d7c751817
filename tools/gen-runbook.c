/* Prints docs/runbook.md: how failures are told apart and what is done about
 * them. The signatures come from the table that the program matches with, so
 * the two cannot differ. */
#include <stdio.h>
#include <string.h>

#include "core/event.h"
#include "jobs/signature.h"

static const char head[] =
    "# Runbook\n\n"
    "Made from `src/jobs/runbook.def` by `make docs`; edit the table, not this "
    "file.\n\n"
    "A job that ended badly is classified by what is known for certain first: "
    "the backend's\nand the supervisor's word (time limit, memory, lost "
    "machine, silence, a watched metric),\nthen the exit code as `[train] "
    "exit_codes` maps it, then, where these say only \"it\nfailed\", by what "
    "it printed. Every attempt is charged to the budget, every remedy is\n"
    "bounded, and a remedy that changes what is measured (half the batch, half "
    "the learning\nrate) labels the trial in the report. A retry of what "
    "should pass by itself (classes\nA, B and E, a full disk) waits first: "
    "`[train] backoff`, 30 s unless told, doubled each time.\n";

static const struct {
    enum reason reason;
    const char *when;
} reasons[] = {
    {REASON_OK, "exit code 0 and the search metric was found"},
    {REASON_EXIT, "another exit code that the project file does not map"},
    {REASON_SIGNAL, "ended by a signal that nobody of us sent"},
    {REASON_OOM, "the process tree passed the memory limit, or the kernel "
                 "killed it for memory"},
    {REASON_TIMEOUT, "`[resources] time` was over"},
    {REASON_BUDGET, "what was reserved for the job was used up"},
    {REASON_PREEMPTED, "the supervisor itself was told to stop, or the exit "
                       "code says so"},
    {REASON_NODE_FAIL,
        "the machine was started again while it ran, the scheduler "
        "says so, or its steps became ten times slower and "
        "stayed so (`[train] pace`)"},
    {REASON_CANCELLED, "the campaign no longer wanted it"},
    {REASON_LAUNCH_FAIL, "the program is not there or can't be run"},
    {REASON_HUNG, "no growth of output, metrics or checkpoint for `[train] "
                  "hang`, or far beyond its own rhythm"},
    {REASON_NAN, "a metric with `watch.nan = \"fail\"` was NaN or infinite"},
    {REASON_SPIKE,
        "a metric with `watch.spike` jumped against its goal and stayed"},
    {REASON_DIVERGED, "the search metric lost what it had learnt, held against "
                      "the baseline's curve; or the exit code says so"},
    {REASON_NO_METRIC, "exit code 0 without the search metric"},
    {REASON_DISK_FULL, "less than the floor is free in the run folder"},
    {REASON_UNKNOWN, "the supervisor died; the exit status is lost"},
};

static const char own[] =
    "\n## Your own rules\n\n"
    "`[runbook] file = \"runbook.toml\"` adds rules, which come before all "
    "others:\n\n"
    "```toml\n"
    "[rule.warehouse-closed]\n"
    "class = \"A\"                      # one of the letters above\n"
    "pattern = 'warehouse .{0,80} closed'   # PCRE2, ^ and $ at line ends\n"
    "remedy = \"Wait for the nightly load.\"\n"
    "```\n\n"
    "`rea runbook test LOG` shows which rules a log matches, best first, and "
    "why\nthe first one decides. `docs/faults.md`: what is done, how often, "
    "and how it was\ntried.\n";

static void
table_text(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '|')
            putchar('\\');
        putchar(*p);
    }
}

/* In a code span a backslash stands for itself, but tables split at '|'. */
static void
rule_print(const struct signature_rule *r)
{
    printf("| %s | %c | %s | `", r->id, r->class, signature_rank_name(r->rank));
    table_text(r->pattern);
    printf("` | ");
    table_text(r->remedy);
    printf(" | ");
    table_text(r->source);
    printf(" |\n");
}

int
main(void)
{
    size_t n;
    const struct signature_rule *r = signature_rules(&n);
    printf("%s\n## Reasons\n\n| reason | when |\n|---|---|\n", head);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        printf(
            "| `%s` | %s |\n", reason_name(reasons[i].reason), reasons[i].when);
    printf("\n## Classes\n\n| class | what is done |\n|---|---|\n");
    for (const char *c = "ABCDEFGHU"; *c != '\0'; c++)
        printf("| %c | %s |\n", *c, signature_class_text(*c));
    printf("\n## Signatures (%zu)\n\n"
           "Matched against the last 64 KiB of this attempt's output. Where "
           "several match: decisive\nbefore specific before plain before "
           "generic before secondary (a peer died, a watchdog\ngave up), then "
           "what was printed first. A benign line never explains a failure. "
           "Output is\nuntrusted: matching is bounded and nothing of it is "
           "run.\n\n"
           "| rule | class | rank | pattern | remedy | printed by |\n"
           "|---|---|---|---|---|---|\n",
        n);
    for (size_t i = 0; i < n; i++)
        rule_print(&r[i]);
    fputs(own, stdout);
    return 0;
}
