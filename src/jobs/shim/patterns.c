/* Metrics read by regular expressions, while the job runs: the part of
 * rea-shim-re. Called when the watch begins. */
#include "jobs/shim/shim.h"

#include "base/err.h"

/* The expressions were compiled when the project file was read; where one is
 * not now, the reader after the job tells. */
void
patterns_init(struct shim *s)
{
    struct harvest_re *re = NULL;
    struct err ignored = {0};
    if (harvest_re_new(&s->cmd.watch, &re, &ignored) != 0 || re == NULL)
        return;
    s->harvest.re = harvest_re_match;
    s->harvest.re_arg = re;
}
