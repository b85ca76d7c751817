/* What more money would bring: the rest of a campaign is played out many times
 * with what is believed now (preposterior analysis, Raiffa & Schlaifer 1961,
 * ch. 5), so that selection, limited runs, noise and the chance to pass
 * confirmation are all in the figure. In "trials" throughout; "+" is better. */
#ifndef MATH_OUTLOOK_H
#define MATH_OUTLOOK_H

#include <stdbool.h>
#include <stdint.h>

/* Gains m_i found alone bring (sum m_i^p)^(1/p) together: 2^(1/3.8) = 1.2. */
#define OUTLOOK_OVERLAP_P 3.8

enum { OUTLOOK_IDEAS_MAX = 64, OUTLOOK_SEEDS_MAX = 12 };

struct outlook_idea {
    double mean, sd; /* belief about its gain now */
    double cost;     /* of a run of it, in trials */
    uint32_t runs;   /* it has had */
    bool open;       /* may still be run alone */
    uint64_t uses;   /* what it changes: ideas that share a bit never meet */
};

struct outlook_in {
    const struct outlook_idea *idea;
    uint32_t n_ideas;
    double s2;            /* seed variance of a run */
    double min_gain;      /* smallest gain worth shipping */
    double base_runs;     /* of the baseline so far */
    double base_due;      /* baseline runs that come before any idea */
    double best, best_sd; /* belief about the best other known arm, 0: none */
    double step, step_sd; /* gain of one searched configuration over the
                             incumbent: mean and sd of its distribution */
    uint32_t wins;        /* improvements that the search has made */
    bool validates, combines, searches, confirms; /* what is still to come */
    double search_floor;  /* trials that search keeps when cells are chosen */
    double confirm_floor; /* trials kept for confirmation */
};

struct outlook {
    double gain;   /* mean true gain of what passes confirmation, else 0 */
    double found;  /* mean true gain of what would be confirmed */
    double passes; /* share of draws that end in a confirmed gain */
    double validation, combination, search, confirmation; /* mean trials */
};

/* Plays the rest out `draws` times with `trials` to spend, at most `validate`
 * of them on single ideas (after the baseline's). The same seed gives the same
 * draws whatever the money, so that differences are not noise. */
void outlook_run(const struct outlook_in *in, double trials, double validate,
    uint32_t draws, uint64_t seed, struct outlook *out);

/* How many of `trials` are best spent on single ideas: the grid point of
 * highest gain, fewest trials on ties; *best its outlook. */
double outlook_validate(const struct outlook_in *in, double trials,
    uint32_t draws, uint64_t seed, struct outlook *best);

/* Chance that n seeds an arm show a true gain: the 95 % interval of the
 * difference lies above 0. n >= 2. */
double outlook_power(double gain, double s2, double n);
/* Seeds an arm, 2..max, that show this gain with so much power. */
uint32_t outlook_seeds(double gain, double s2, double power, uint32_t max);

#endif
