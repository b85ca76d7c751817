/* Changes in the terms that trainers share, and how alike two of them are.
 * Called by the history when it reads insights and by the draft when it asks.
 * Invariant: similarity depends on the two changes alone and is 1 for equal
 * ones. */
#include "research/move.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
word_plain(const char *text, char out[VALUE_LEN])
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < VALUE_LEN; text++)
        if (isalnum((unsigned char)*text) || *text == '+')
            out[n++] = (char)tolower((unsigned char)*text);
    out[n] = '\0';
}

bool
size_of(const char *text, double *out)
{
    double sum = 0;
    uint32_t n = 0;
    for (const char *p = text; *p != '\0';) {
        if (strchr("[](){}, x", *p) != NULL) {
            p++;
            continue;
        }
        char *end;
        double x = strtod(p, &end);
        if (end == p || !isfinite(x))
            return false;
        sum += x;
        n++;
        p = end;
    }
    *out = sum;
    return n > 0;
}

/* Rates and shares: 0 is an ordinary value and steps add. */
static bool
concept_shifts(uint32_t concept)
{
    switch (concept) {
    case CONCEPT_DROPOUT:
    case CONCEPT_EMB_DROPOUT:
    case CONCEPT_LABEL_SMOOTHING:
    case CONCEPT_SUBSAMPLE:
    case CONCEPT_MOMENTUM:
    case CONCEPT_HASH_BITS:
        return true;
    default:
        return false;
    }
}

static int
switch_of(const char *word)
{
    static const char *const on[] = {"true", "on", "yes"};
    static const char *const off[] = {"false", "off", "no"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, on[i]) == 0)
            return 1;
        if (strcmp(word, off[i]) == 0)
            return 0;
    }
    return -1;
}

static void
direction_read(struct move *m, const char *direction)
{
    double x;
    if (strcmp(direction, "on") == 0 || strcmp(direction, "off") == 0) {
        m->kind = MOVE_SWITCH;
        m->b = direction[1] == 'n';
    } else if (direction[0] == 'x' && size_of(direction + 1, &x) && x > 0) {
        m->kind = MOVE_SCALE;
        m->a = 1;
        m->b = x;
    } else if ((direction[0] == '+' || direction[0] == '-') &&
               size_of(direction, &x)) {
        m->kind = MOVE_SHIFT;
        m->b = x;
    }
}

void
move_read(struct move *m, uint32_t concept, const char *from, const char *to,
    const char *direction)
{
    memset(m, 0, sizeof *m);
    word_plain(from, m->from);
    word_plain(to, m->to);
    double a, b;
    if (to[0] == '\0' || from[0] == '\0') {
        direction_read(m, direction);
    } else if (switch_of(m->to) >= 0) {
        m->kind = MOVE_SWITCH;
        m->b = switch_of(m->to);
    } else if (!size_of(from, &a) || !size_of(to, &b)) {
        m->kind = MOVE_CHOICE;
    } else if (concept_shifts(concept)) {
        *m = (struct move){.kind = MOVE_SHIFT, .level = true, .a = a, .b = b};
    } else if (a > 0 && b > 0) {
        *m = (struct move){.kind = MOVE_SCALE, .level = true, .a = a, .b = b};
    } else {
        m->kind = MOVE_SWITCH;
        m->b = b > 0;
    }
}

void
move_of(struct move *m, const struct knob *k, double value)
{
    char from[256], to[256];
    knob_format(k, k->deflt, from, sizeof from);
    knob_format(k, value, to, sizeof to);
    move_read(m, k->concept, from, to, "");
}

static double
bell(double x, double width)
{
    return exp(-0.5 * x * x / (width * width));
}

static double
scale_similarity(
    const struct move *ours, const struct move *record, double *sign)
{
    double a = record->a, b = record->b;
    double step = log(ours->b / ours->a), theirs = log(b / a);
    *sign = (step > 0) == (theirs > 0) ? 1 : -1;
    double level = 0.5;
    if (ours->level && record->level)
        level = bell(0.5 * log(ours->a * ours->b / (a * b)), log(10));
    return level * bell(fabs(step) - fabs(theirs), log(4));
}

static double
shift_similarity(
    const struct move *ours, const struct move *record, double *sign)
{
    double step = ours->b - ours->a, theirs = record->b - record->a;
    *sign = (step > 0) == (theirs > 0) ? 1 : -1;
    double level = 0.5;
    if (ours->level && record->level)
        level = bell(0.5 * (ours->a + ours->b - record->a - record->b), 0.2);
    return level * bell(fabs(step) - fabs(theirs), 0.15);
}

double
move_similarity(
    const struct move *ours, const struct move *record, double *sign)
{
    *sign = 1;
    if (ours->kind != record->kind || ours->kind == MOVE_NONE)
        return 0;
    if (ours->kind == MOVE_SCALE)
        return scale_similarity(ours, record, sign);
    if (ours->kind == MOVE_SHIFT)
        return shift_similarity(ours, record, sign);
    if (ours->kind == MOVE_SWITCH) {
        *sign = ours->b == record->b ? 1 : -1;
        return 1;
    }
    if (strcmp(ours->from, record->from) == 0 &&
        strcmp(ours->to, record->to) == 0)
        return 1;
    if (strcmp(ours->from, record->to) == 0 &&
        strcmp(ours->to, record->from) == 0) {
        *sign = -1;
        return 1;
    }
    return strcmp(ours->to, record->to) == 0 ? 0.2 : 0;
}

void
move_direction(const struct move *m, char out[VALUE_LEN])
{
    if (m->kind == MOVE_SCALE)
        snprintf(out, VALUE_LEN, "x%.3g", m->b / m->a);
    else if (m->kind == MOVE_SHIFT)
        snprintf(out, VALUE_LEN, "%+.3g", m->b - m->a);
    else if (m->kind == MOVE_SWITCH)
        snprintf(out, VALUE_LEN, "%s", m->b > 0 ? "on" : "off");
    else
        snprintf(out, VALUE_LEN, "set");
}
