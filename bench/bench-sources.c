/* The two sources of ideas, live: the agent with both, with either alone, and
 * with random changes of knobs in their place, each with the same processor
 * seconds on the same tasks. The trainer offers a backbone that no insight
 * knows; the library stands as it did before it was published, so that only a
 * paper of the corpus can bring it. docs/sources.md says the rules.
 *   bench-sources --papers=FILE.jsonl [--minutes=5] [--seeds=5] ...
 *   bench-sources --report=RESULTS   (Markdown on standard output)
 * Results are appended as they come; the same command goes on after a stop. */
#include "headline/drive.h"
#include "sources/page.h"

int
main(int argc, char **argv)
{
    static const struct drive d = {.name = "sources",
        .table = "bench/sources/tasks.tsv",
        .arms = "both,insights,research,chance",
        .arms_known = "both,insights,research,chance,greedy,random",
        .jobs = 1,
        .report = sources_page};
    return drive_main(&d, argc, argv);
}
