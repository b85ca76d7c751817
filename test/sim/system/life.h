/* One seeded life of a whole system: wakers, sweeps, verbs and readers as
 * processes of one made-up machine, the real wake, store and engine in them,
 * a made-up cluster, disk, network and clock around them. Nothing here is
 * random but the seed, so a life can be lived again.
 * A step is one operation of a process on the store, the disk, a lock or the
 * backend: the points at which two processes can meet and one can die. */
#ifndef SYSTEM_LIFE_H
#define SYSTEM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "core/core.h"

enum op {
    OP_STATEMENT,
    OP_BEGIN,
    OP_COMMIT,
    OP_OPEN_STORE,
    OP_LOCK,
    OP_UNLOCK,
    OP_OPEN,
    OP_CLOSE,
    OP_READ,
    OP_WRITE,
    OP_SYNC,
    OP_NAME, /* rename, link, unlink, mkdir */
    OP_LIST,
    OP_SUBMIT,
    OP_FIND,
    OP_POLL,
    OP_CANCEL,
    OP_COUNT,
};

/* What goes wrong, or happens at a bad time. */
enum trouble {
    TROUBLE_KILL,         /* a process dies at a step */
    TROUBLE_KILL_HOLDING, /* the same, holding a campaign's lease */
    TROUBLE_KILL_WRITING, /* the same, within a transaction */
    TROUBLE_REBOOT,       /* all of them die */
    TROUBLE_STALL,        /* a process stands still, for up to hours */
    TROUBLE_SLOW_DISK,
    TROUBLE_DISK_FULL, /* calls that need space fail for hours */
    TROUBLE_DISK_ERROR,
    TROUBLE_CLOCK_BACK,
    TROUBLE_CLOCK_AHEAD,
    TROUBLE_CALL_LOST,
    TROUBLE_CALL_TWICE,
    TROUBLE_CALL_LATE, /* by hours: others overtake it */
    TROUBLE_CALL_EARLY,
    TROUBLE_TWO_WAKERS,     /* two work on one campaign at once */
    TROUBLE_SCHEDULER_DOWN, /* answers nothing for hours */
    TROUBLE_ANSWER_LOST,    /* a job was taken, and the caller not told */
    TROUBLE_NODE_LOST,
    TROUBLE_STORM, /* every job is preempted, for hours */
    TROUBLE_COUNT,
};

/* What the engineer does. */
enum verb {
    VERB_START,
    VERB_PAUSE,
    VERB_RESUME,
    VERB_STOP,
    VERB_DROP,
    VERB_PIN,
    VERB_LOWER,
    VERB_EDIT, /* the project file; restored when that leads to a gate */
    VERB_COUNT,
};

enum { RULES_MAX = 160, CAMPAIGNS_MAX = 4, BROKEN_LEN = 512 };

/* What lives came to; added up by tally_add. */
struct tally {
    uint64_t steps, naps, processes, lives, campaigns, jobs, adopted, events;
    uint64_t ops[OP_COUNT], troubles[TROUBLE_COUNT], verbs[VERB_COUNT];
    uint64_t kinds[EVENT_COUNT], reasons[REASON_COUNT], remedies[REMEDY_COUNT];
    uint64_t rules[RULES_MAX], ends[8];
    uint64_t failed; /* processes that ended with an error */
    double weeks;
    uint64_t trace;          /* of every step taken, of one life */
    uint64_t decided;        /* of the logs, times left out, of one life */
    char broken[BROKEN_LEN]; /* "": every law held */
    bool over;               /* the life came to its end */
};

struct life_plan {
    uint64_t seed;
    /* One campaign, one job at a time, what happens to a job is written in its
     * token: so what it decides must not depend on any trouble. */
    bool lonely;
    bool calm;        /* no trouble at all */
    bool control;     /* wrong on purpose: tokens start jobs again and again */
    bool again;       /* the seed's second life */
    bool keep;        /* the folder stays, and its name is told */
    const char *logs; /* logs of known failures; NULL: none */
};

/* Lives it in a folder of its own and fills out, which is shared with the
 * caller: a law that is broken ends this process. */
void life_live(const struct life_plan *plan, struct tally *out);

/* ---- for the parts of a life ---- */

/* The kind of time that a life is in, for hours or days. */
struct weather {
    double kill, stall, slow, error; /* a step */
    double lost, twice, late;        /* a callback */
    double answer_lost;              /* a submission */
    bool scheduler_down, disk_full, storm;
};

struct life_state {
    struct life_plan plan;
    struct tally *tally;
    struct rng draw; /* the world's */
    int64_t now_us;  /* true time since the life began */
    int64_t skew_us; /* the wall clock's error */
    struct weather weather;
    bool quiet;  /* trouble has ended: all must come to an end now */
    bool tidies; /* the last sweep is at work */
    uint32_t n_campaigns;
    char root[128];
};

extern struct life_state life;

/* Ends the life: a law is broken. */
_Noreturn void
law_broken(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trouble_count(enum trouble t);
/* Wall clock in milliseconds, as processes see it. */
int64_t life_wall_ms(void);
/* True with this chance. */
bool life_chance(double p);
/* Between low and high, each power of ten as likely. */
int64_t life_span_us(int64_t low, int64_t high);
/* Of two times; negative is never. */
int64_t earlier(int64_t a, int64_t b);

enum { SECOND_US = 1000000, HOUR_MS = 3600000 };
#define HOUR_US (INT64_C(3600) * SECOND_US)

/* A process of the machine begins. */
void life_wake(uint32_t campaign);
void life_verb(uint32_t campaign, enum verb verb);

/* ---- engineer.c ---- */

/* Writes the projects, plans and signs them. */
void engineer_begin(void);
/* Looks at one campaign and does what one does; is it over? */
bool engineer_look(uint32_t campaign);

/* ---- laws.c ---- */

/* The event that says it; EVENT_NONE: it is done to a file. */
uint32_t verb_event(enum verb verb);
/* What must hold when a life is over. acked[c][v]: verbs that were said to be
 * done. */
void laws_check(uint64_t acked[CAMPAIGNS_MAX + 1][VERB_COUNT]);
/* What must hold at any moment; called whenever the engineer looks. */
void laws_glance(void);

#endif
