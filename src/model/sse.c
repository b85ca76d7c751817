/* The incremental reader of server-sent events (sse.h). Called by http.c with
 * whatever the network brings. Invariant: memory is bounded by one event. */
#include "model/sse.h"

#include <string.h>

static int
event_end(struct sse *s, sse_event *on, void *ctx)
{
    int rc = 0;
    if (s->has_data)
        rc = on(ctx, buf_str(&s->event), buf_str(&s->data), s->data.len);
    buf_clear(&s->event);
    buf_clear(&s->data);
    s->has_data = false;
    return rc;
}

static void
field(struct sse *s, const char *name, size_t n, const char *value, size_t len)
{
    if (n == 4 && memcmp(name, "data", 4) == 0) {
        if (s->has_data)
            buf_putc(&s->data, '\n');
        buf_add(&s->data, value, len);
        s->has_data = true;
    } else if (n == 5 && memcmp(name, "event", 5) == 0) {
        buf_clear(&s->event);
        buf_add(&s->event, value, len);
    }
}

static int
line_end(struct sse *s, sse_event *on, void *ctx)
{
    const char *p = buf_str(&s->line);
    size_t n = s->line.len;
    int rc = 0;
    if (!s->begun && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        n -= 3;
    }
    s->begun = true;
    if (n == 0) {
        rc = event_end(s, on, ctx);
    } else if (p[0] != ':') {
        const char *colon = memchr(p, ':', n);
        size_t name = colon != NULL ? (size_t)(colon - p) : n;
        size_t skip = colon == NULL ? n : name + 1;
        if (skip < n && p[skip] == ' ')
            skip++;
        field(s, p, name, p + skip, n - skip);
    }
    buf_clear(&s->line);
    return rc;
}

int
sse_feed(struct sse *s, const char *bytes, size_t n, sse_event *on, void *ctx)
{
    for (size_t i = 0; i < n && !s->too_long;) {
        size_t end = i;
        while (end < n && bytes[end] != '\n' && bytes[end] != '\r')
            end++;
        if (s->after_cr && end == i && bytes[i] == '\n') {
            s->after_cr = false; /* the second half of CRLF */
            i++;
            continue;
        }
        s->after_cr = false;
        buf_add(&s->line, bytes + i, end - i);
        s->too_long = s->line.len + s->data.len > SSE_EVENT_BYTES_MAX;
        i = end;
        if (end < n && !s->too_long) {
            s->after_cr = bytes[end] == '\r';
            i++;
            int rc = line_end(s, on, ctx);
            if (rc != 0)
                return rc;
        }
    }
    return s->too_long ? -1 : 0;
}

void
sse_fini(struct sse *s)
{
    buf_fini(&s->line);
    buf_fini(&s->event);
    buf_fini(&s->data);
}
