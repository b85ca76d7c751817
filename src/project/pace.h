/* The rhythm and the speed of a running job, by its own measure: when metrics
 * stop coming though the program lives, and when its steps come ever slower
 * than they did. Fed by the shim once a look; allocates nothing. Medians, and
 * patience: a job that writes in bursts, evaluates for long or shares its
 * machine for a while is well. */
#ifndef PROJECT_PACE_H
#define PROJECT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_GAPS = 32,           /* kept */
    PACE_GAPS_MIN = 8,        /* before anything is said of the rhythm */
    PACE_SILENCE_TIMES = 100, /* the median gap: then it is silent, */
    PACE_SILENCE_MS = 30 * 60 * 1000, /* but never before this */
    PACE_RATES_MIN = 16,              /* before anything is said of the speed */
    PACE_SLOW_TIMES = 10,             /* below the median rate: slow, */
    PACE_SLOW_ROWS = 5,               /* so many times in a row */
    PACE_SLOW_MS = 10 * 60 * 1000,    /* and for so long */
};

enum pace_verdict {
    PACE_NONE,
    PACE_WELL,
    PACE_SILENT, /* no metric for very long */
    PACE_SLOW,   /* its steps take many times as long as they did */
};

struct pace {
    int64_t beat_ms; /* of the last look that found a metric; boot clock */
    uint32_t n_gaps; /* ever seen */
    int64_t gap_ms[PACE_GAPS];
    bool stepped;
    double step; /* at step_ms, the highest */
    int64_t step_ms;
    uint32_t n_rates;
    double rate[PACE_GAPS]; /* steps a second, while it was not slow */
    uint32_t slow;          /* in a row */
    double slow_rate;       /* the last one */
    int64_t slow_since_ms;
};

void pace_init(struct pace *p, int64_t now_ms);
/* Metrics came; step is the highest of them (NAN: they carry none). */
void pace_beat(struct pace *p, double step, int64_t now_ms);
/* why: what was seen, with its numbers; untouched when it is well. */
enum pace_verdict
pace_judge(const struct pace *p, int64_t now_ms, char *why, size_t cap);

#endif
