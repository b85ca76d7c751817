/* Rhythm and speed of a running job (pace.h). Invariant: nothing is said before
 * enough was seen, and one good row takes back what bad ones had begun. */
#include "project/pace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void
pace_init(struct pace *p, int64_t now_ms)
{
    memset(p, 0, sizeof *p);
    p->beat_ms = now_ms;
}

static double
median(const double *v, uint32_t n)
{
    double s[PACE_GAPS];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = i;
        for (; j > 0 && s[j - 1] > v[i]; j--)
            s[j] = s[j - 1];
        s[j] = v[i];
    }
    return n == 0 ? 0 : s[n / 2];
}

static uint32_t
kept(uint32_t n)
{
    return n < PACE_GAPS ? n : PACE_GAPS;
}

static double
median_gap(const struct pace *p)
{
    double v[PACE_GAPS];
    for (uint32_t i = 0; i < kept(p->n_gaps); i++)
        v[i] = (double)p->gap_ms[i];
    return median(v, kept(p->n_gaps));
}

/* A rate that is slow is kept out of the measure that it is held against. */
static void
rate_take(struct pace *p, double rate)
{
    uint32_t n = kept(p->n_rates);
    bool slow =
        n >= PACE_RATES_MIN && rate * PACE_SLOW_TIMES < median(p->rate, n);
    if (!slow) {
        p->rate[p->n_rates++ % PACE_GAPS] = rate;
        p->slow = 0;
        return;
    }
    if (p->slow++ == 0)
        p->slow_since_ms = p->step_ms;
    p->slow_rate = rate;
}

void
pace_beat(struct pace *p, double step, int64_t now_ms)
{
    p->gap_ms[p->n_gaps++ % PACE_GAPS] = now_ms - p->beat_ms;
    p->beat_ms = now_ms;
    if (!isfinite(step))
        return;
    /* a count that begins anew (an epoch's own steps) tells no rate */
    if (p->stepped && step > p->step && now_ms > p->step_ms)
        rate_take(p, (step - p->step) * 1000 / (double)(now_ms - p->step_ms));
    if (!p->stepped || step != p->step) {
        p->stepped = true;
        p->step = step;
        p->step_ms = now_ms;
    }
}

enum pace_verdict
pace_judge(const struct pace *p, int64_t now_ms, char *why, size_t cap)
{
    double gap = median_gap(p), silent = (double)(now_ms - p->beat_ms);
    if (p->n_gaps >= PACE_GAPS_MIN && silent >= PACE_SILENCE_MS &&
        silent >= PACE_SILENCE_TIMES * gap) {
        snprintf(why, cap, "no metric for %.0f s, one came every %.1f s before",
            silent / 1000, gap / 1000);
        return PACE_SILENT;
    }
    if (p->slow >= PACE_SLOW_ROWS &&
        now_ms - p->slow_since_ms >= PACE_SLOW_MS) {
        snprintf(why, cap,
            "%.3g steps a second for %.0f s, %.3g before: its machine may be "
            "ill",
            p->slow_rate, (double)(now_ms - p->slow_since_ms) / 1000,
            median(p->rate, kept(p->n_rates)));
        return PACE_SLOW;
    }
    return PACE_WELL;
}
