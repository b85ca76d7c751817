/* The small campaign that the crash sweeps run: the recorded backend, a clock
 * that they set, and what a state comes to, to be compared. One campaign a
 * program, in a folder of its own in memory. */
#ifndef CRASH_CAMPAIGN_H
#define CRASH_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"
#include "wake/wake.h"

enum { STEPS_MAX = 400, STEP_MS = 2000, CLOCK_MS = 1000000 };
enum mode { MODE_RUN, MODE_WAKE, MODE_SWEEP };

extern char base[64];  /* the folder of this program, made by folder_make */
extern char work[96];  /* the workspace in it */
extern bool is_pooled; /* the money comes by grants of a pool */

/* Log, books, pool and sealed values as text, times left out. */
struct digest {
    struct buf text;
    uint64_t events;
    uint8_t state;
};

_Noreturn void die(const char *what);
/* Ends the program (2) when rc is an error. */
void must(int rc, const char *what, const struct err *err);
void folder_make(void);
/* The reserve file is left out: it is made anew. */
void tree_copy(const char *from, const char *to);
/* The time of every wake from now on, in milliseconds. */
void clock_set(int64_t ms);
/* The events alone. */
int log_take(struct digest *d, struct err *err);
int digest_take(struct digest *d, struct err *err);
bool digest_same(const struct digest *a, const struct digest *b);
enum { DIFFER_LEN = 120 };
/* What got has around the first difference, marked by '|'. */
void digest_differ(
    const struct digest *got, const struct digest *want, char out[DIFFER_LEN]);
/* SQLite's own check of the whole database. */
bool integrity_ok(void);

/* The engineer's steps: project file, plan, approval; then all of them. */
void project_write(void);
int campaign_draft(struct err *err);
int campaign_approve(struct err *err);
void campaign_begin(void);
/* One activation as a process of its own would make it. */
int wake_once(enum mode mode, struct err *err);
/* The same in an open store. */
int wake_in(struct store *st, enum mode mode, struct err *err);

#endif
