/* Showing campaigns: at a glance, in full, and while they run. */
#ifndef CMD_FOLLOW_H
#define CMD_FOLLOW_H

#include "cmd/work.h"

/* The glance at one campaign from its stored row. */
void status_of(const struct store_campaign *c, struct status_entry *out);
/* The text of `rea status C`. */
int
campaign_say(struct call *call, struct store *st, uint32_t id, struct err *err);

/* The progress line of `run --wait` and `demo`: phase, trials, gain, budget
 * and time left, rewritten in place on a terminal; one line a phase else. */
struct follow {
    struct call *call;
    bool tty, silent;
    int64_t from_ms; /* when this follower first looked */
    size_t width;    /* of the line that is on the screen */
    struct {
        uint32_t id;
        double progress0; /* when it first looked */
        int64_t at0_ms;
        uint8_t phase, state;
        uint32_t recovered;
        bool seen;
    } one[16];
};
void follow_init(struct follow *f, struct call *call);
/* A progress callback for wake_wait; ctx is a struct follow. */
int follow_progress(void *ctx, const struct store_campaign *list, size_t n);
/* Ends the line on the screen. */
void follow_end(struct follow *f);
/* Seconds left for one campaign by the work done since the follower looked
 * first; negative: too early to say. */
double follow_left_s(const struct follow *f, const struct store_campaign *c);

#endif
