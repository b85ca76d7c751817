/* The process behind Exploitation: what the measured experiments say of any
 * configuration. Included by exploitation.c only. A struct search is some 2
 * megabytes of plain data for the stack, touched as far as it is filled. */
#ifndef CORE_SEARCH_H
#define CORE_SEARCH_H

#include "core/parts.h"

#include "base/rng.h"
#include "math/gp.h"

enum {
    POINTS_MAX = 192, /* experiments in the fit: best and latest */
    GP_CAP = POINTS_MAX + JOBS_MAX,
    /* what gp_scratch asks for at GP_CAP points; asserted */
    REFIT_SCRATCH = GP_CAP * KNOBS_MAX + GP_CAP * GP_CAP + 7 * GP_CAP,
    SCRATCH = REFIT_SCRATCH + 58000,
    BRANCHES = 64,
};

/* Which knobs apply, remembered by the values of the knobs that decide it. */
struct branch {
    uint64_t hash, active;
};

struct search {
    struct gp gp, cost; /* gains; logarithms of cost, where costs differ */
    struct gp_space space;
    double x[GP_CAP * KNOBS_MAX], y[GP_CAP], v[GP_CAP];
    double h[GP_CAP];     /* predictions of earlier campaigns, scaled to y */
    uint32_t who[GP_CAP]; /* experiment of each point */
    double mean[GP_CAP], sd[GP_CAP]; /* posterior gains of the points */
    bool full[GP_CAP];               /* measured at the top, not on a rung */
    int n_full;                      /* how many are */
    int n;                           /* points; gp.n counts those in flight */
    int order[GP_CAP];               /* full ones first, by falling mean */
    double s2;                       /* seed variance */
    double best;    /* highest posterior mean, points in flight included */
    bool has_cost;  /* cost is fitted */
    double cost_at; /* mean logarithm of cost */
    bool trend;     /* predictions are the trend of this fit */
    double h_scale, h_floor, h_mean;
    struct branch branch[BRANCHES];
    double scratch[SCRATCH], cost_scratch[REFIT_SCRATCH];
};

/* Fits the process. trend: use what earlier campaigns predict. false: nothing
 * is measured yet, or the data cannot be fitted. */
bool search_fit(const struct core *c, const struct analysis *a, bool trend,
    struct search *s);
/* A configuration (n_knobs codes and a set of patches) as a point of the
 * process: space.d coordinates, the patches' after the knobs'. */
void search_point(const struct spec *spec, struct search *s, const double *v,
    uint32_t patches, double *x);
/* A configuration from anywhere: a candidate, or each knob at random. */
void
search_anywhere(const struct spec *spec, struct rng *r, struct config *out);
/* Scaled prediction of candidate i (index into the spec's), 0 without. */
double
search_prediction(const struct spec *spec, const struct search *s, uint32_t i);
/* A configuration's own variance, which no other tells about. */
double search_own_var(const struct search *s);
/* Expected cost of points over the mean cost, within 1/4 to 4; 1 where costs
 * do not differ or are not known. */
void search_costs(const struct search *s, const double *x, int m, double *out);

#endif
