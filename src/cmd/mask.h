/* Keeps sealed values out of what people are shown before their time. */
#ifndef CMD_MASK_H
#define CMD_MASK_H

#include "core/core.h"
#include "project/project.h"

struct mask {
    const struct project *p; /* NULL: nothing is masked */
    struct harvest_re *re;
};

/* For the output of a trial's jobs. Masks nothing when its sealed value was
 * opened or there is no sealed metric. */
void mask_init(struct mask *m, const struct project *p, const struct core *c,
    uint32_t trial);
void mask_fini(struct mask *m);
/* Appends the text; digits of sealed values become '#'. */
void
mask_put(const struct mask *m, const char *text, size_t n, struct buf *out);

#endif
