/* Faults on purpose, for tests of whatever supervises a training job. */
#ifndef TRAINER_INJECT_H
#define TRAINER_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum inject_kind {
    INJECT_NONE,
    INJECT_NAN,
    INJECT_OOM,
    INJECT_EXIT,
    INJECT_HANG,
    INJECT_KILL,
    INJECT_SEGV,
    INJECT_TERM
};

struct inject {
    enum inject_kind kind;
    int code;
    uint64_t step;
    const char *once; /* $REA_INJECT_ONCE, borrowed */
};

/* From the flag, else $REA_INJECT. With $REA_INJECT_ONCE=PATH the process that
 * comes to the step first creates PATH and meets the fault; later ones do not.
 * -ERR_INPUT for a text it does not know. */
int inject_init(struct inject *i, const char *flag, struct err *err);
/* Does at its step what was asked for; true when the loss shall be NaN. */
bool inject_step(const struct inject *i, uint64_t step);

#endif
