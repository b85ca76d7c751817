/* rea-shim knows no regular expressions: it shall be small. */
#include "jobs/shim/shim.h"

void
patterns_init(struct shim *s)
{
    s->harvest.re = NULL;
}
