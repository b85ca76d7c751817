/* The progress shown while a foreground verb waits. Time left is what the
 * campaigns have measured so far, carried forward; nothing is said before
 * there is something to measure. Written to standard error, so that the
 * output of the verb stays clean. */
#include "cmd/follow.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum { FOLLOW_MAX = 16 };

void
follow_init(struct follow *f, struct call *call)
{
    memset(f, 0, sizeof(*f));
    f->call = call;
    f->tty = isatty(STDERR_FILENO) == 1;
    f->silent = call->quiet || (call->json && !f->tty);
    f->from_ms = fs_now_ms();
}

static int
follow_slot(struct follow *f, const struct store_campaign *c)
{
    for (int i = 0; i < FOLLOW_MAX; i++) {
        if (f->one[i].id == c->id)
            return i;
        if (f->one[i].id != 0)
            continue;
        f->one[i].id = c->id;
        f->one[i].progress0 = c->brief.progress;
        f->one[i].at0_ms = fs_now_ms();
        return i;
    }
    return -1;
}

double
follow_left_s(const struct follow *f, const struct store_campaign *c)
{
    for (int i = 0; i < FOLLOW_MAX; i++) {
        if (f->one[i].id != c->id)
            continue;
        double done = c->brief.progress - f->one[i].progress0;
        double s = (double)(fs_now_ms() - f->one[i].at0_ms) / 1000;
        if (done < 0.03 || s < 2)
            return -1;
        return s * (1 - c->brief.progress) / done;
    }
    return -1;
}

static void
progress_part(struct follow *f, const struct store_campaign *c, struct buf *b)
{
    const struct store_brief *r = &c->brief;
    double used = r->approved_u > 0
                      ? 100.0 * (double)r->spent_u / (double)r->approved_u
                      : 0;
    buf_printf(b, "C%u %s %s %u ok", c->id, c->model,
        r->phase != PHASE_NONE ? phase_name(r->phase)
                               : campaign_state_name(r->state),
        r->ok);
    if (r->running > 0)
        buf_printf(b, " %u running", r->running);
    if (r->recovered > 0)
        buf_printf(b, " %u recovered", r->recovered);
    if (r->has_best)
        buf_printf(b, " best %+.5f", r->gain);
    buf_printf(b, " budget %.0f%%", used);
    if (r->state != CAMPAIGN_RUNNING)
        return;
    double left = follow_left_s(f, c);
    if (left >= 0)
        buf_printf(b, " <= %s left", duration(f->call, left));
}

static void
follow_line(struct follow *f, const struct store_campaign *list, size_t n)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_puts(&b, " | ");
        progress_part(f, &list[i], &b);
    }
    struct text_style style = work_style(f->call);
    size_t width = style.width > 0 ? style.width - 1 : 159;
    if (b.len > width)
        b.len = width;
    fprintf(stderr, "\r%.*s%*s", (int)b.len, buf_str(&b),
        (int)(f->width > b.len ? f->width - b.len : 0), "");
    f->width = b.len;
    fflush(stderr);
    buf_fini(&b);
}

static void
follow_change(struct follow *f, const struct store_campaign *c, int slot)
{
    const struct store_brief *r = &c->brief;
    bool news = !f->one[slot].seen || f->one[slot].phase != r->phase ||
                f->one[slot].state != r->state ||
                f->one[slot].recovered != r->recovered;
    f->one[slot].seen = true;
    f->one[slot].phase = r->phase;
    f->one[slot].state = r->state;
    f->one[slot].recovered = r->recovered;
    if (!news)
        return;
    struct buf b = {0};
    progress_part(f, c, &b);
    fprintf(stderr, "[%5.1f s] %s\n", (double)(fs_now_ms() - f->from_ms) / 1000,
        buf_str(&b));
    buf_fini(&b);
}

int
follow_progress(void *ctx, const struct store_campaign *list, size_t n)
{
    struct follow *f = ctx;
    for (size_t i = 0; i < n; i++) {
        int slot = follow_slot(f, &list[i]);
        if (slot >= 0 && !f->tty && !f->silent)
            follow_change(f, &list[i], slot);
    }
    if (f->tty && !f->silent)
        follow_line(f, list, n);
    return 0;
}

void
follow_end(struct follow *f)
{
    if (f->tty && !f->silent && f->width > 0)
        fputc('\n', stderr);
    f->width = 0;
}
