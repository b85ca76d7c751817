/* A baseline's standing. Called by the draft when earlier campaigns measured
 * this model, and by the bench. Invariant: without neighbours a prediction
 * stays as it is. */
#include "math/standing.h"

#include <math.h>

static const double PSEUDO = .5; /* neighbours that "as likely above as below"
                                    is worth */
static const double SLOPE = -.4; /* of the gain in its sds on the log odds */
static const double REST = .75;  /* of the sd, when the standing is known */

void
standing_add(struct standing *s, double distance, double gap, double width)
{
    double w = exp(-distance / width);

    s->all += w;
    s->below += gap < 0 ? w : gap == 0 ? .5 * w : 0;
}

double
standing_odds(const struct standing *s)
{
    double p = (s->below + .5 * PSEUDO) / (s->all + PSEUDO);

    return log(p / (1 - p));
}

void
standing_apply(const struct standing *s, double *mean, double *sd)
{
    double known = s->all / (s->all + PSEUDO);

    *mean += SLOPE * *sd * standing_odds(s);
    *sd *= 1 - (1 - REST) * known;
}
