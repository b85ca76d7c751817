/* Where a baseline stands among what was measured near a change, and what that
 * says of the change: a baseline above most of its neighbours was lucky or is
 * at its best already, and loses by most changes (regression to the mean,
 * Galton 1886). Constants from 7,777 recorded single changes of ranking
 * models; docs/decisions/0003-predictions.md. */
#ifndef MATH_STANDING_H
#define MATH_STANDING_H

struct standing { /* {0}: nothing is known */
    double below, all;
};

/* Width of the neighbourhood, in knobs that differ. */
#define STANDING_WIDTH 0.7

/* Adds a measured configuration: `distance` counts the knobs in which it
 * differs from the changed configuration, gap = its result - the baseline's
 * (+ is better). The changed configuration itself must stay out. */
void
standing_add(struct standing *s, double distance, double gap, double width);
/* Log odds that the baseline is above a neighbour, shrunken to 0. */
double standing_odds(const struct standing *s);
/* Moves the prediction N(*mean, *sd^2) of the change's gain. */
void standing_apply(const struct standing *s, double *mean, double *sd);

#endif
