/* What a try costs, in 1e-12 usd so that tokens of a few micro-dollars for a
 * thousand add up exactly; rounded up. Called by send.c. Invariant: the worst
 * price of a try is never below its real one, unless the server writes more
 * than it was allowed. */
#include "model/part.h"

#include <math.h>

/* usd for a million tokens are 1e-6 usd for one */
static int64_t
times(double usd_per_million, int64_t tokens)
{
    double p = usd_per_million * 1e6 * (double)tokens;
    return p >= 9e18 ? INT64_MAX / 4 : (int64_t)ceil(p - 1e-6);
}

bool
price_is_known(const struct project_model *c)
{
    return !isnan(c->price_in) && !isnan(c->price_out);
}

/* Anthropic takes a quarter more for what it writes to its cache. */
static double
highest_in(const struct endpoint *e)
{
    double in =
        e->dialect == DIALECT_MESSAGES ? 1.25 * e->c->price_in : e->c->price_in;
    return fmax(in, e->c->price_cached);
}

int64_t
price_worst_p(const struct endpoint *e, int64_t in, int64_t out)
{
    if (!price_is_known(e->c))
        return 0;
    return times(highest_in(e), in) + times(e->c->price_out, out);
}

int64_t
price_of_p(const struct endpoint *e, const struct turn *t)
{
    int64_t cached = t->cached < t->in ? t->cached : t->in;
    int64_t written = t->written < t->in - cached ? t->written : t->in - cached;
    if (!price_is_known(e->c))
        return 0;
    return times(e->c->price_in, t->in - cached - written) +
           times(1.25 * e->c->price_in, written) +
           times(e->c->price_cached, cached) + times(e->c->price_out, t->out);
}
