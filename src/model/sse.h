/* Server-sent events (WHATWG HTML, 9.2), read piece by piece: any cut of the
 * bytes gives the same events. Lines end in LF, CR or CRLF; comments and
 * unknown fields are skipped; several data lines join with LF; an event that
 * no blank line ends is dropped. */
#ifndef MODEL_SSE_H
#define MODEL_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { SSE_EVENT_BYTES_MAX = 4 << 20 };

struct sse { /* {0}; sse_fini */
    struct buf line, event, data;
    bool has_data, after_cr, begun;
    bool too_long; /* an event beyond the limit: nothing more is read */
};
/* Called with each event; data is NUL-terminated beyond len. Anything but 0
 * stops the reading. */
typedef int
sse_event(void *ctx, const char *event, const char *data, size_t len);

/* Feeds bytes. 0, what the callback returned, or -1 with too_long. */
int
sse_feed(struct sse *s, const char *bytes, size_t n, sse_event *on, void *ctx);
void sse_fini(struct sse *s);

#endif
