/* From the way an attempt ended to the remedy: bounded tries, every one
 * charged to the budget, and a label wherever the remedy changes what is being
 * measured. Called when a job ended badly. Invariant: each road ends, by
 * GIVE_UP or HALT, after finitely many attempts. */
#include "core/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    RETRIES_MAX = 1,   /* same job again, cause unknown */
    TRANSIENT_MAX = 2, /* same job again, cause known to pass */
    SHRINKS_MAX = 3,
    STABILISES_MAX = 2,
    RESUMES_MAX = 3,   /* in a row without a new checkpoint, no fault of it */
    ATTEMPTS_MAX = 24, /* of one trial, those that are no fault of it, too */
    TIMEOUTS_MAX = 2,
};

static int
knob_of(const struct core *c, const struct config *x, enum concept concept)
{
    for (uint32_t k = 0; k < c->spec.n_knobs; k++)
        if (c->spec.knob[k].concept == concept &&
            (c->spec.knob[k].kind == KNOB_FLOAT ||
                c->spec.knob[k].kind == KNOB_INT) &&
            knob_is_active(&c->spec, x, k))
            return (int)k;
    return -1;
}

/* The knob's value times 2^doublings, if its domain allows it. */
static bool
scaled(const struct core *c, const struct trial *t, enum concept concept,
    int doublings, struct override *out)
{
    const struct config *x = &c->experiment[t->experiment].config;
    int k = knob_of(c, x, concept);
    if (k < 0 || doublings == 0)
        return false;
    const struct knob *knob = &c->spec.knob[k];
    double v = x->v[k] * pow(2, doublings);
    if (knob->kind == KNOB_INT)
        v = floor(v);
    if (!knob_accepts(knob, v) || v == x->v[k])
        return false;
    *out = (struct override){(uint32_t)k, v};
    return true;
}

uint32_t
runbook_overrides(const struct core *c, const struct trial *t, enum remedy next,
    struct override *out)
{
    uint32_t n = 0;
    int shrinks = t->shrinks + (next == REMEDY_SHRINK);
    int stabilises = t->stabilises + (next == REMEDY_STABILISE);
    if (scaled(c, t, CONCEPT_BATCH_SIZE, -shrinks, &out[n])) {
        n++; /* as many rows to an update as before, where that can be said */
        if (scaled(c, t, CONCEPT_GRAD_ACCUM, shrinks, &out[n]))
            n++;
    }
    if (scaled(c, t, CONCEPT_LEARNING_RATE, -stabilises, &out[n]))
        n++;
    return n;
}

static enum remedy
say(char *why, size_t cap, enum remedy r, const char *what, int at, int most)
{
    if (most > 0)
        snprintf(
            why, cap, "%s -> %s, try %d of %d", what, remedy_name(r), at, most);
    else
        snprintf(why, cap, "%s -> %s", what, remedy_name(r));
    return r;
}

static enum remedy
retry(const struct trial *t, int most, const char *what, char *why, size_t cap)
{
    if (t->failures < most)
        return say(why, cap, REMEDY_RETRY, what, t->failures + 1, most);
    return say(why, cap, REMEDY_GIVE_UP, what, 0, 0);
}

/* Told to stop, or its machine was lost: no failure of the job. A checkpoint
 * of the last attempt is progress, and begins the count anew. */
static enum remedy
resume(const struct trial *t, const char *what, char *why, size_t cap)
{
    char barren[96];
    if (t->resumes < RESUMES_MAX && t->attempts < ATTEMPTS_MAX)
        return say(why, cap, REMEDY_RESUME, what, t->resumes + 1, RESUMES_MAX);
    snprintf(barren, sizeof barren, "%s, and no new checkpoint any more", what);
    return say(why, cap, REMEDY_GIVE_UP,
        t->resumes < RESUMES_MAX ? what : barren, 0, 0);
}

/* The attempt is at fault, or may be: counted, but what it had reached is kept
 * where there is a checkpoint. */
static enum remedy
go_on(const struct core *c, const struct trial *t, int most, const char *what,
    char *why, size_t cap)
{
    if (!t->has_checkpoint || !c->spec.has_resume)
        return retry(t, most, what, why, cap);
    if (t->failures < most)
        return say(why, cap, REMEDY_RESUME, what, t->failures + 1, most);
    return say(why, cap, REMEDY_GIVE_UP, what, 0, 0);
}

static enum remedy
out_of_memory(
    const struct core *c, const struct trial *t, char *why, size_t cap)
{
    /* The first time another tenant may have taken the memory: an unchanged
     * retry keeps the trial comparable. Then the batch is halved. */
    struct override o;
    const char *what = "out of memory";
    if (t->failures == 0)
        return say(why, cap, REMEDY_RETRY, what, 1, 1);
    if (t->shrinks < SHRINKS_MAX &&
        scaled(c, t, CONCEPT_BATCH_SIZE, -(t->shrinks + 1), &o))
        return say(why, cap, REMEDY_SHRINK,
            scaled(c, t, CONCEPT_GRAD_ACCUM, t->shrinks + 1, &o)
                ? "out of memory again: half the batch, twice the accumulation"
                : "out of memory again: half the batch",
            t->shrinks + 1, SHRINKS_MAX);
    return say(why, cap, REMEDY_GIVE_UP, what, 0, 0);
}

static enum remedy
loss_exploded(
    const struct core *c, const struct trial *t, char *why, size_t cap)
{
    struct override o;
    const char *what = t->reason == REASON_NAN     ? "a metric is not finite"
                       : t->reason == REASON_SPIKE ? "a metric spiked"
                                                   : "the loss diverged";
    if (t->stabilises < STABILISES_MAX &&
        scaled(c, t, CONCEPT_LEARNING_RATE, -(t->stabilises + 1), &o)) {
        snprintf(why, cap,
            "%s -> stabilise: half the learning rate (%s %g), try %d of %d",
            what, c->spec.knob[o.knob].name, o.value, t->stabilises + 1,
            STABILISES_MAX);
        return REMEDY_STABILISE;
    }
    return say(why, cap, REMEDY_GIVE_UP, what, 0, 0);
}

/* The signature's class letter says more than a bare exit code. */
static enum remedy
by_class(const struct core *c, const struct trial *t, char *why, size_t cap)
{
    char what[64];
    snprintf(what, sizeof what, "%s, signature class %c",
        reason_name(t->reason), t->class);
    switch (t->class) {
    case 'A':
    case 'E':
        return retry(t, TRANSIENT_MAX, what, why, cap);
    case 'B': /* the machine broke, not what the job had written */
        return go_on(c, t, TRANSIENT_MAX, what, why, cap);
    case 'C':
        return out_of_memory(c, t, why, cap);
    case 'D':
        return loss_exploded(c, t, why, cap);
    case 'F':
        return say(why, cap, REMEDY_GIVE_UP, what, 0, 0);
    case 'G':
        return resume(t, what, why, cap);
    default:
        return retry(t, RETRIES_MAX, what, why, cap);
    }
}

static enum remedy
by_reason(const struct core *c, const struct trial *t, char *why, size_t cap)
{
    const char *what = reason_name(t->reason);
    switch (t->reason) {
    case REASON_PREEMPTED:
    case REASON_NODE_FAIL:
        return resume(t, what, why, cap);
    case REASON_TIMEOUT:
        if (!t->has_checkpoint || !c->spec.has_resume)
            return say(why, cap, REMEDY_GIVE_UP,
                "time limit, and no checkpoint to go on from", 0, 0);
        return go_on(c, t, TIMEOUTS_MAX, "time limit", why, cap);
    case REASON_HUNG:
        return go_on(c, t, TRANSIENT_MAX, what, why, cap);
    case REASON_BUDGET:
        return say(why, cap, REMEDY_GIVE_UP, "reached its reservation", 0, 0);
    case REASON_OOM:
        return out_of_memory(c, t, why, cap);
    case REASON_NAN:
    case REASON_SPIKE:
    case REASON_DIVERGED:
        return loss_exploded(c, t, why, cap);
    case REASON_LAUNCH_FAIL:
        return say(
            why, cap, REMEDY_GIVE_UP, "the command cannot be started", 0, 0);
    case REASON_DISK_FULL:
        return t->failures < RETRIES_MAX
                   ? retry(t, RETRIES_MAX, what, why, cap)
                   : say(why, cap, REMEDY_HALT, "the disk stays full", 0, 0);
    default:
        return retry(t, RETRIES_MAX, what, why, cap);
    }
}

/* The reason says only that it failed: what it printed says more. */
static bool
is_by_class(const struct trial *t)
{
    return t->class != 0 &&
           (t->reason == REASON_EXIT || t->reason == REASON_SIGNAL ||
               t->reason == REASON_UNKNOWN);
}

enum remedy
runbook_remedy(
    const struct core *c, const struct trial *t, char *why, size_t cap)
{
    if (is_by_class(t))
        return by_class(c, t, why, cap);
    return by_reason(c, t, why, cap);
}

int
core_backoff(const struct core *c, const struct job *j)
{
    const struct trial *t = &c->trial[j->trial - 1];
    bool passes = is_by_class(t) ? strchr("ABE", t->class) != NULL
                                 : t->reason == REASON_DISK_FULL;
    return j->attempt > 1 && t->failures > 0 && passes ? t->failures - 1 : -1;
}

int
failure_classified_apply(
    struct core *c, const struct event *e, struct update *u)
{
    struct trial *t = core_trial(c, e->trial);
    if (t == NULL || !t->ended || t->job != 0)
        return refuse(u, "T%u has no failure to classify", e->trial);
    if (e->remedy == REMEDY_NONE || e->remedy >= REMEDY_COUNT)
        return refuse(u, "no such remedy");
    t->ended = false;
    t->next_remedy = (uint8_t)e->remedy;
    bool at_fault = t->reason == REASON_TIMEOUT || t->reason == REASON_HUNG ||
                    (is_by_class(t) && t->class == 'B');
    if ((e->remedy != REMEDY_RESUME || at_fault) && t->failures < UINT8_MAX)
        t->failures++;
    if (e->remedy == REMEDY_RESUME && !at_fault && t->resumes < UINT8_MAX)
        t->resumes++;
    return 0;
}
