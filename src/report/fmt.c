/* Numbers and names as people read them. Called by every renderer; results
 * are short texts by value, cut to fit rather than failing. */
#include "report/fmt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint32_t
fmt_decimals(const struct spec *s)
{
    double gain = s->primary < METRICS_MAX ? s->metric[s->primary].min_gain : 0;
    if (!(gain > 0) || gain >= 1)
        return 2;
    double d = ceil(-log10(gain) - 1e-9) + 1;
    return d > 8 ? 8 : (uint32_t)d;
}

struct fmt
fmt_gain(double x, uint32_t decimals)
{
    struct fmt f;
    if (isnan(x)) {
        snprintf(f.s, sizeof(f.s), "-");
        return f;
    }
    snprintf(f.s, sizeof(f.s), "%+.*f", (int)decimals, x);
    /* "-0.00000" reads as a loss; what is shown is no difference. */
    if (f.s[0] == '-' && strspn(f.s + 1, "0.") == strlen(f.s + 1))
        f.s[0] = '+';
    return f;
}

struct fmt
fmt_value(double x, uint32_t decimals)
{
    struct fmt f;
    if (isnan(x))
        snprintf(f.s, sizeof(f.s), "-");
    else if (isinf(x) || fabs(x) >= 1e7)
        snprintf(f.s, sizeof(f.s), "%.4g", x);
    else
        snprintf(f.s, sizeof(f.s), "%.*f", (int)decimals, x);
    return f;
}

struct fmt
fmt_interval(double mean, double lo, double hi, uint32_t decimals)
{
    struct fmt f;
    snprintf(f.s, sizeof(f.s), "%.18s [%.18s, %.18s]",
        fmt_gain(mean, decimals).s, fmt_gain(lo, decimals).s,
        fmt_gain(hi, decimals).s);
    return f;
}

struct fmt
fmt_percent(double share)
{
    struct fmt f;
    snprintf(f.s, sizeof(f.s), "%.0f %%", 100 * share);
    return f;
}

struct fmt
fmt_duration(int64_t ms)
{
    struct fmt f;
    int64_t s = (ms + 500) / 1000;
    if (ms < 0)
        snprintf(f.s, sizeof(f.s), "-");
    else if (ms < 1000)
        snprintf(f.s, sizeof(f.s), "%" PRId64 " ms", ms);
    else if (ms < 10000)
        snprintf(f.s, sizeof(f.s), "%.1f s", (double)ms / 1e3);
    else if (s < 60)
        snprintf(f.s, sizeof(f.s), "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(f.s, sizeof(f.s), "%" PRId64 " min %02" PRId64 " s", s / 60,
            s % 60);
    else
        snprintf(f.s, sizeof(f.s), "%" PRId64 " h %02" PRId64 " min", s / 3600,
            s / 60 % 60);
    return f;
}

static bool
time_split(int64_t ms, struct tm *tm)
{
    time_t t = (time_t)(ms / 1000);
    return ms > 0 && localtime_r(&t, tm) != NULL;
}

struct fmt
fmt_time(int64_t ms)
{
    struct fmt f = {"-"};
    struct tm tm;
    if (time_split(ms, &tm))
        strftime(f.s, sizeof(f.s), "%Y-%m-%d %H:%M", &tm);
    return f;
}

struct fmt
fmt_clock(int64_t ms)
{
    struct fmt f = {"-"};
    struct tm tm;
    if (time_split(ms, &tm))
        strftime(f.s, sizeof(f.s), "%H:%M:%S", &tm);
    return f;
}

struct fmt_unit
fmt_unit(uint32_t unit, int64_t total_u)
{
    bool minutes = total_u < 2 * (int64_t)MICRO;
    switch (unit) {
    case UNIT_CORE_HOURS:
        return minutes ? (struct fmt_unit){60e-6, "core-min", 2}
                       : (struct fmt_unit){1e-6, "core-h", 2};
    case UNIT_GPU_HOURS:
        return minutes ? (struct fmt_unit){60e-6, "gpu-min", 2}
                       : (struct fmt_unit){1e-6, "gpu-h", 2};
    case UNIT_USD:
        return (struct fmt_unit){1e-6, "USD", 2};
    case UNIT_TRIALS:
        return (struct fmt_unit){1e-6, "trials", 0};
    default:
        return (struct fmt_unit){1e-6, "units", 2};
    }
}

struct fmt
fmt_cost(struct fmt_unit u, int64_t cost_u)
{
    return fmt_value((double)cost_u * u.per_micro, u.decimals);
}

void
fmt_knob(const struct knob *k, double v, struct buf *out)
{
    char text[VALUE_LEN * VALUES_MAX];
    if (k->kind == KNOB_FLOAT) {
        buf_printf(out, "%.5g", v);
        return;
    }
    knob_format(k, v, text, sizeof(text));
    buf_puts(out, text);
}

void
fmt_config_diff(const struct spec *s, const struct config *from,
    const struct config *to, struct buf *out)
{
    bool any = false;
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        if (!knob_is_active(s, to, k))
            continue;
        if (from->v[k] == to->v[k] && knob_is_active(s, from, k))
            continue;
        buf_printf(out, "%s%s=", any ? " " : "", s->knob[k].name);
        fmt_knob(&s->knob[k], to->v[k], out);
        any = true;
    }
    int code = __builtin_popcount(to->patches & ~from->patches);
    if (code > 0)
        buf_printf(out, "%scode (%d patch%s)", any ? " " : "", code,
            code == 1 ? "" : "es");
    else if (!any)
        buf_puts(out, "(no change)");
}

static void
json_set(struct jw *w, const struct knob *k, double v)
{
    uint32_t mask = v >= 0 && v < 4294967296.0 ? (uint32_t)v : 0;
    jw_arr_begin(w);
    for (uint32_t i = 0; i < k->n_values; i++)
        if ((mask >> i & 1) != 0)
            jw_str(w, k->values[i]);
    jw_arr_end(w);
}

/* A list's value is its items joined by commas. */
static void
json_list(struct jw *w, const char *items)
{
    jw_arr_begin(w);
    while (items[0] != '\0') {
        size_t n = strcspn(items, ",");
        jw_strn(w, items, n);
        items += n + (items[n] == ',');
    }
    jw_arr_end(w);
}

void
json_knob(struct jw *w, const struct knob *k, double v)
{
    uint32_t i = v >= 0 && v < VALUES_MAX ? (uint32_t)v : VALUES_MAX;
    switch (k->kind) {
    case KNOB_INT:
        jw_i64(w, (int64_t)v);
        break;
    case KNOB_BOOL:
        jw_bool(w, v != 0);
        break;
    case KNOB_CHOICE:
        jw_str(w, i < k->n_values ? k->values[i] : NULL);
        break;
    case KNOB_LIST:
        json_list(w, i < k->n_values ? k->values[i] : "");
        break;
    case KNOB_SET:
        json_set(w, k, v);
        break;
    default:
        jw_f64(w, v);
    }
}

void
json_config(struct jw *w, const struct spec *s, const struct config *c)
{
    jw_obj_begin(w);
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        if (!knob_is_active(s, c, k))
            continue;
        jw_key(w, s->knob[k].name);
        json_knob(w, &s->knob[k], c->v[k]);
    }
    jw_obj_end(w);
}
