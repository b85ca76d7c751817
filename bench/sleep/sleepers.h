/* A workspace of campaigns that sleep while their jobs run, on the recorded
 * backend with an injected clock: drafted by the real `rea plan`, approved,
 * started and woken by the real wake, within this process. */
#ifndef SLEEP_SLEEPERS_H
#define SLEEP_SLEEPERS_H

#include <stdbool.h>
#include <stdint.h>

struct sleepers {
    const char *program; /* build/rea */
    const char *root;    /* a new folder */
    uint32_t campaigns;
    uint32_t lives;  /* wakes that each has behind it */
    uint32_t trials; /* budget of each */
    uint32_t parallel;
};

enum { STEP_MS = 100000 }; /* every job ends within one step of the clock */

/* Syncs are left out while filling, and made up for at the end. */
void sleepers_make(const struct sleepers *s);
/* Moves the clock on, so that what runs has ended. */
void clock_step(const char *root);
/* Jobs of campaigns from C1 on that have ended leave their files, as they do
 * themselves where they really run: no work of a wake. */
void ended_leave(const char *root, uint32_t campaigns);

struct disk {
    int64_t event, snapshot, campaign, kv, attempt, other; /* bytes of pages */
    int64_t total, n_events, event_bytes, n_snapshots, snapshot_bytes;
};
/* What the tables take, by SQLite's dbstat, changes in the log included. */
void disk_read(const char *root, struct disk *out);

#endif
