/* Seeded lives of the whole system (system/life.h): weeks of several campaigns
 * under kills, stalls, full disks, lost and late callbacks, a scheduler that
 * goes away, storms of preemption, clocks that jump.
 *   sim_system [--steps=N] [--seed=S] [--logs=FILE] [--control=1] [--keep=1]
 * lives until N steps are done. Of every eight lives one is lived a second time
 * and must be the same step by step, and one is lonely: what it decides must be
 * what it decides when nothing goes wrong. All kinds of trouble, of steps, of
 * endings and all rules of the runbook must have happened, or the run fails.
 * --control: the cluster starts a token's job again when it is asked again;
 * that must be caught.
 * --keep: folders of lives stay, to be looked at with rea. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jobs/signature.h"
#include "sim/system/life.h"
#include "sim/world.h"

static const char *const trouble_names[TROUBLE_COUNT] = {"killed",
    "killed holding a lease", "killed within a transaction", "reboot",
    "stalled", "slow disk", "disk full", "disk error", "clock back",
    "clock ahead", "callback lost", "callback twice", "callback late",
    "callback early", "two wakers", "scheduler down", "answer lost",
    "node lost", "preempted in a storm"};
static const char *const op_names[OP_COUNT] = {"statement", "begin", "commit",
    "store", "lock", "unlock", "open", "close", "read", "write", "sync", "name",
    "list", "submit", "find", "poll", "cancel"};
static const char *const verb_names[VERB_COUNT] = {
    "start", "pause", "resume", "stop", "drop", "pin", "lower", "edit"};

/* In fewer something rare may not have happened. */
enum { COVERED_STEPS = 1500000 };

static struct tally *lived; /* of the life now lived; shared with it */

static void
counts_add(uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

static void
tally_add(struct tally *to, const struct tally *t)
{
    counts_add(&to->steps, &t->steps, 8); /* steps...events */
    counts_add(to->ops, t->ops, OP_COUNT);
    counts_add(to->troubles, t->troubles, TROUBLE_COUNT);
    counts_add(to->verbs, t->verbs, VERB_COUNT);
    counts_add(to->kinds, t->kinds, EVENT_COUNT);
    counts_add(to->reasons, t->reasons, REASON_COUNT);
    counts_add(to->remedies, t->remedies, REMEDY_COUNT);
    counts_add(to->rules, t->rules, RULES_MAX);
    counts_add(to->ends, t->ends, 8);
    to->failed += t->failed;
    to->weeks += t->weeks;
}

/* In a process of its own: nothing of a life is left when it is over. */
static void
life_alone(const struct life_plan *plan, struct tally *out)
{
    int status = 0;
    memset(out, 0, sizeof *out);
    pid_t pid = fork();
    if (pid == 0) {
        life_live(plan, out);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    if (out->broken[0] == '\0' && (status != 0 || !out->over))
        snprintf(out->broken, sizeof out->broken,
            "the life died with status 0x%x", (unsigned)status);
}

/* One seed: its life, and the second one that it is compared with. */
static void
seed_live(const struct life_plan *plan, struct tally *out)
{
    static struct tally *again;
    struct life_plan other = *plan;
    if (again == NULL)
        again = mmap(NULL, sizeof *again, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    life_alone(plan, out);
    if (out->broken[0] != '\0' || plan->control)
        return;
    other.calm = plan->lonely;
    other.again = true;
    if (!plan->lonely && plan->seed % 8 != 1)
        return;
    life_alone(&other, again);
    if (again->broken[0] != '\0')
        memcpy(out->broken, again->broken, BROKEN_LEN);
    else if (again->decided != out->decided)
        snprintf(out->broken, BROKEN_LEN, "%s",
            plan->lonely ? "trouble has changed what was decided"
                         : "the same seed decided something else");
    else if (!plan->lonely && again->trace != out->trace)
        snprintf(out->broken, BROKEN_LEN, "the same seed went another way");
    out->steps += again->steps;
}

static uint64_t
missing_of(const char *what, const uint64_t *n, uint64_t from, uint64_t to,
    const char *(*name)(uint64_t))
{
    uint64_t missing = 0;
    for (uint64_t i = from; i < to; i++)
        if (n[i] == 0) {
            printf("never happened: %s %s\n", what, name(i));
            missing++;
        }
    return missing;
}

static const char *
trouble_text(uint64_t i)
{
    return trouble_names[i];
}

static const char *
op_text(uint64_t i)
{
    return op_names[i];
}

static const char *
verb_text(uint64_t i)
{
    return verb_names[i];
}

static const char *
event_text(uint64_t i)
{
    return event_name((uint32_t)i);
}

static const char *
reason_text(uint64_t i)
{
    return reason_name((uint32_t)i);
}

static const char *
remedy_text(uint64_t i)
{
    return remedy_name((uint32_t)i);
}

static const char *
rule_text(uint64_t i)
{
    size_t n = 0;
    return signature_rules(&n)[i].id;
}

/* Patches, data and models are no part of these lives, and rungs that prove
 * reliable or the very end of a budget are rare in them (sim_laws has all of
 * these); a benign line explains no failure. */
static uint64_t
missing(struct tally *t, bool logs)
{
    size_t rules = 0;
    const struct signature_rule *rule = signature_rules(&rules);
    for (size_t i = 0; i < rules; i++)
        t->rules[i] += rule[i].rank == RANK_BENIGN;
    t->kinds[EVENT_patch_approved]++;
    t->kinds[EVENT_data_seen]++;
    t->kinds[EVENT_answer_arrived]++;
    t->kinds[EVENT_rung_passed]++;
    t->reasons[REASON_BUDGET]++;
    uint64_t n =
        missing_of("trouble", t->troubles, 0, TROUBLE_COUNT, trouble_text);
    n += missing_of("a step", t->ops, 0, OP_COUNT, op_text);
    n += missing_of("verb", t->verbs, 0, VERB_COUNT, verb_text);
    n += missing_of("event", t->kinds, 1, EVENT_COUNT, event_text);
    n += missing_of("ending", t->reasons, 1, REASON_COUNT, reason_text);
    n += missing_of("remedy", t->remedies, 1, REMEDY_COUNT, remedy_text);
    return n + missing_of("rule", t->rules, 0, logs ? rules : 0, rule_text);
}

static void
print(const struct tally *t, double seconds)
{
    printf("sim system: %" PRIu64 " steps (%.2g a minute) in %" PRIu64
           " lives of %" PRIu64 " campaigns, %.0f weeks; %" PRIu64
           " processes, %" PRIu64 " killed, %" PRIu64 " failed; %" PRIu64
           " jobs, %" PRIu64 " adopted; %" PRIu64 " events; done %" PRIu64
           ", stopped %" PRIu64 "\n",
        t->steps, (double)t->steps / seconds * 60, t->lives, t->campaigns,
        t->weeks, t->processes, t->troubles[TROUBLE_KILL], t->failed, t->jobs,
        t->adopted, t->events, t->ends[CAMPAIGN_DONE],
        t->ends[CAMPAIGN_STOPPED]);
    printf("trouble:");
    for (int i = 0; i < TROUBLE_COUNT; i++)
        printf("%s %s %" PRIu64, i > 0 ? "," : "", trouble_names[i],
            t->troubles[i]);
    printf("\n");
}

int
main(int argc, char **argv)
{
    uint64_t seed = world_arg(argc, argv, "--seed", 1);
    uint64_t want = world_arg(argc, argv, "--steps", 1000000);
    bool control = world_arg(argc, argv, "--control", 0) != 0;
    const char *logs = NULL;
    struct tally all = {0};
    struct timespec begin, end;
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--logs=", 7) == 0)
            logs = argv[i] + 7;
    mallopt(M_MMAP_THRESHOLD, 1 << 20); /* as main.c does, and why */
    lived = mmap(NULL, sizeof *lived, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    timespec_get(&begin, TIME_UTC);
    for (uint64_t s = seed; all.steps < want; s++) {
        const struct life_plan plan = {.seed = s,
            .lonely = s % 8 == 3,
            .control = control,
            .keep = world_arg(argc, argv, "--keep", 0) != 0,
            .logs = logs};
        seed_live(&plan, lived);
        tally_add(&all, lived);
        if (lived->broken[0] != '\0') {
            printf("%sseed %" PRIu64 ": %s\n", control ? "caught: " : "", s,
                lived->broken);
            return control ? 0 : 1;
        }
    }
    timespec_get(&end, TIME_UTC);
    print(&all, (double)(end.tv_sec - begin.tv_sec) +
                    1e-9 * (double)(end.tv_nsec - begin.tv_nsec));
    bool all_seen = want < COVERED_STEPS || missing(&all, logs != NULL) == 0;
    return control || !all_seen ? 1 : 0;
}
