/* Amounts, durations and gains as people read them. Called by the verbs. */
#include "cmd/work.h"

#include <math.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct text_style
work_style(const struct call *call)
{
    struct text_style s = {.color = call->color, .width = 0};
    struct winsize ws = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 40)
        s.width = ws.ws_col;
    return s;
}

const char *
amount(struct call *call, int64_t micro)
{
    double x = (double)micro / MICRO;
    if (fabs(x - round(x)) < 1e-9)
        return arena_printf(call->arena, "%.0f", x);
    return arena_printf(call->arena, fabs(x) < 0.1 ? "%.4f" : "%.3f", x);
}

const char *
duration(struct call *call, double s)
{
    if (s < 90)
        return arena_printf(call->arena, "%.0f s", s);
    if (s < 90 * 60)
        return arena_printf(call->arena, "%.0f min", s / 60);
    if (s < 48 * 3600)
        return arena_printf(call->arena, "%.1f h", s / 3600);
    return arena_printf(call->arena, "%.1f days", s / 86400);
}

const char *
gain(struct call *call, double x, double min_gain)
{
    int digits = 1 + (int)ceil(-log10(min_gain > 0 ? min_gain : 1e-4));
    if (digits < 1)
        digits = 1;
    if (digits > 9)
        digits = 9;
    return arena_printf(call->arena, "%+.*f", digits, x);
}
