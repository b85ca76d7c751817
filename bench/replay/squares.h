/* Recorded 2 x 2 squares: what two changes give together, predicted from what
 * each gave alone, by a law refitted without the square's family. */
#ifndef REPLAY_SQUARES_H
#define REPLAY_SQUARES_H

#include <stdbool.h>

#include "base/err.h"
#include "table.h"

/* Prints RMSE of dAB by left-out family: .6 (dA + dB), the refitted law from
 * dA and dB alone, the refitted law that knows the scatter of its place (the
 * median size of the other squares' interactions in the same model and
 * dataset, without those that hold tAB), and the law as it is shipped. Only
 * squares with every effect within .02 count. */
int squares_bench(const struct table *squares, bool json, struct err *err);

#endif
