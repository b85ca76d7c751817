/* The headline: real tasks, trained live, each arm with the same processor
 * seconds; what counts is the sealed gain of what an arm names over the shipped
 * defaults. docs/headline.md says the rules; bench/headline/README the files.
 *   bench-headline [--out results.jsonl] [--seeds 5] [--jobs 2] ...
 *   bench-headline --report results.jsonl   (Markdown on standard output)
 * Results are appended as they come; the same command goes on after a stop. */
#include "headline/drive.h"
#include "headline/report.h"

int
main(int argc, char **argv)
{
    static const struct drive d = {.name = "headline",
        .table = "bench/headline/tasks.tsv",
        .arms = "library,rea-alone,tpe,tpe-median,random,greedy,rea",
        .arms_known = "library,rea-alone,tpe,tpe-median,tpe-asha,tpe-mv,\n"
                      "                  random,greedy,rea (rea needs library "
                      "on the others)",
        .jobs = 2,
        .report = headline_report};
    return drive_main(&d, argc, argv);
}
