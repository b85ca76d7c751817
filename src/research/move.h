/* A change of one knob in the terms that trainers share: by what factor, by
 * how much, switched on or off, from which value to which. */
#ifndef RESEARCH_MOVE_H
#define RESEARCH_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/spec.h"

enum move_kind {
    MOVE_NONE,   /* can't be told */
    MOVE_SCALE,  /* a -> b, both > 0, compared by ratio */
    MOVE_SHIFT,  /* a -> b, compared by difference */
    MOVE_SWITCH, /* b: 1 on, 0 off */
    MOVE_CHOICE, /* from -> to, by name */
};

struct move {
    uint8_t kind;
    bool level; /* is a known? */
    double a, b;
    char from[VALUE_LEN], to[VALUE_LEN]; /* lower case, letters and digits */
};

/* Lower case letters and digits of a text. */
void word_plain(const char *text, char out[VALUE_LEN]);
/* A number, or the sum of a list's ("128,64", "[400,400]"); false: neither. */
bool size_of(const char *text, double *out);
/* Reads a change from texts; direction ("x2", "+0.1", "on") serves where the
 * values are unknown. kind MOVE_NONE when nothing can be read. */
void move_read(struct move *m, uint32_t concept, const char *from,
    const char *to, const char *direction);
/* Of one override against the knob's default. */
void move_of(struct move *m, const struct knob *k, double value);
/* How much a recorded change says about ours, 0..1; *sign is -1 when the
 * record is about the opposite change. */
double move_similarity(
    const struct move *ours, const struct move *record, double *sign);
/* "x3", "+0.1", "on", "off", "set" */
void move_direction(const struct move *m, char out[VALUE_LEN]);

#endif
