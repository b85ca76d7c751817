/* Numbers and names as people read them; shared by text, md and html. */
#ifndef REPORT_FMT_H
#define REPORT_FMT_H

#include "base/buf.h"
#include "base/json.h"
#include "core/core.h"

#include <stdbool.h>
#include <stdint.h>

enum { FMT_LEN = 64, FMT_CONFIG_LEN = 4096 };

/* A short text by value, so that several fit into one printf. */
struct fmt {
    char s[FMT_LEN];
};

/* Decimals that resolve a tenth of the smallest gain worth shipping. */
uint32_t fmt_decimals(const struct spec *s);
struct fmt fmt_gain(double x, uint32_t decimals);  /* "+0.00123" */
struct fmt fmt_value(double x, uint32_t decimals); /* "0.74310"; NaN: "-" */
/* "+0.00123 [+0.00052, +0.00194]" */
struct fmt fmt_interval(double mean, double lo, double hi, uint32_t decimals);
struct fmt fmt_percent(double share); /* 0.124 -> "12 %" */
/* "3 min 12 s", "450 ms", "2 h 05 min"; negative: "-" */
struct fmt fmt_duration(int64_t ms);
/* Local time "2026-11-23 12:58"; 0: "-" */
struct fmt fmt_time(int64_t ms);
struct fmt fmt_clock(int64_t ms); /* "12:58:07" */

/* Amounts of a budget, in minutes where hours would be all zeros. */
struct fmt_unit {
    double per_micro; /* factor from micro-units */
    const char *name; /* "core-min" */
    uint32_t decimals;
};
struct fmt_unit fmt_unit(uint32_t unit, int64_t total_u);
struct fmt fmt_cost(struct fmt_unit u, int64_t cost_u); /* without the unit */

/* A knob's value for reading: floats to 5 digits (JSON has them all). */
void fmt_knob(const struct knob *k, double v, struct buf *out);
/* "lr=0.03 dim=16": what differs between two configurations, active knobs
 * only; "(no change)" when nothing does. */
void fmt_config_diff(const struct spec *s, const struct config *from,
    const struct config *to, struct buf *out);

/* A knob's value as JSON: number, bool, text, or array of texts. */
void json_knob(struct jw *w, const struct knob *k, double v);
/* All active knobs of a configuration as one JSON object. */
void json_config(struct jw *w, const struct spec *s, const struct config *c);

#endif
