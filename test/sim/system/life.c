/* A life: the loop in which time passes, weather changes, jobs end, callbacks
 * come, the engineer looks, and processes take their turns. */
#include "sim/system/life.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/fs.h"
#include "sim/system/cluster.h"
#include "sim/system/process.h"
#include "store/store.h"
#include "wake/wake.h"

enum { CLOCK_START_DAYS = 20000, QUIET_DAYS = 30, REST_DAYS = 120 };

struct life_state life;
static uint64_t acked[CAMPAIGNS_MAX + 1][VERB_COUNT];
static int64_t weather_us, look_us, sweep_us, upset_us;
static bool over[CAMPAIGNS_MAX + 1];

/* Named so that a second life of the seed has the same: some reasons that are
 * logged name files. */
static void
folder_begin(void)
{
    const char *in = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(life.root, sizeof life.root, "%s/rea-life-%ld-%llu%s", in,
        (long)getppid(), (unsigned long long)life.plan.seed,
        life.plan.keep && life.plan.again ? "-again" : "");
    if (mkdir(life.root, 0700) != 0)
        law_broken("no folder %s", life.root);
}

static void
folder_end(void)
{
    if (life.plan.keep)
        fprintf(stderr, "seed %llu%s: %s\n", (unsigned long long)life.plan.seed,
            life.plan.calm ? ", calm" : "", life.root);
    else
        fs_remove_tree(life.root, NULL);
}

void
law_broken(const char *fmt, ...)
{
    va_list ap;
    process_now = NULL;
    va_start(ap, fmt);
    vsnprintf(life.tally->broken, BROKEN_LEN, fmt, ap);
    va_end(ap);
    folder_end();
    _exit(1);
}

void
trouble_count(enum trouble t)
{
    life.tally->troubles[t]++;
}

int64_t
life_wall_ms(void)
{
    return CLOCK_START_DAYS * 24LL * HOUR_MS +
           (life.now_us + life.skew_us) / 1000;
}

bool
life_chance(double p)
{
    return p > 0 && rng_f64(&life.draw) < p;
}

int64_t
life_span_us(int64_t low, int64_t high)
{
    double span = 1;
    for (double ratio = (double)high / (double)low; ratio > 1; ratio /= 2)
        span *= ratio < 2 ? 1 + rng_f64(&life.draw) * (ratio - 1)
                          : 1 + rng_f64(&life.draw);
    int64_t us = (int64_t)((double)low * span);
    return us < high ? us : high;
}

int64_t
earlier(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* ---- what processes do ---- */

static int
verb_say(struct store *st, struct process *p, struct err *err)
{
    struct event e = {.kind = verb_event(p->verb)};
    const struct wake_opts opts = {.cause = WAKE_VERB, .program = ""};
    struct wake_result r;
    struct store_campaign row;
    if (p->verb == VERB_RESUME)
        e.state = 1;
    if (p->verb == VERB_DROP || p->verb == VERB_PIN)
        e.hypothesis = 1 + p->id % 4;
    int rc = store_campaign_get(st, p->campaign, &row, err);
    if (p->verb == VERB_LOWER)
        e.budget_u = row.brief.approved_u - MICRO;
    return rc != 0 ? rc : wake_facts(st, p->campaign, &e, 1, &opts, &r, err);
}

static int
state_read(struct store *st, struct err *err)
{
    struct core *c = NULL;
    int rc = store_load(
        st, 1 + (uint32_t)rng_below(&life.draw, life.n_campaigns), &c, err);
    if (rc == 0 && c->spent_u + c->reserved_u > c->approved_u)
        law_broken("a reader sees more spent than approved");
    free(c);
    return rc;
}

static void
process_body(struct process *p)
{
    struct store *st = NULL;
    struct err err = {0};
    struct wake_result r;
    struct sweep_result s;
    const struct wake_opts opts = {
        .cause = p->sweeps ? WAKE_SWEEP : WAKE_CALLBACK, .program = ""};
    p->rc =
        store_open(life.root, p->reads ? STORE_READ : STORE_WRITE, &st, &err);
    if (p->rc == 0 && p->reads)
        p->rc = state_read(st, &err);
    else if (p->rc == 0 && p->says)
        p->rc = verb_say(st, p, &err);
    else if (p->rc == 0 && p->sweeps)
        p->rc = sweep_run(st, &opts, &s, &err);
    else if (p->rc == 0)
        p->rc = wake_run(st, p->campaign, &opts, &r, &err);
    store_close(st);
    if (p->rc == -ERR_CORRUPT)
        law_broken("%s", err.text);
    if (life.quiet && p->rc != 0 && p->rc != -ERR_APPROVAL &&
        p->rc != -ERR_REFUSED && p->rc != -ERR_BUSY)
        law_broken("nothing is wrong any more, and still: %s", err.text);
}

void
process_ended(const struct process *p)
{
    life.tally->failed += p->rc != 0;
    if (!p->says)
        return;
    life.tally->verbs[p->verb]++;
    acked[p->campaign][p->verb] += p->rc == 0;
}

static void
start(struct process what)
{
    what.run = process_body;
    process_start(&what);
}

void
life_wake(uint32_t campaign)
{
    if (!life.tidies)
        start((struct process){.campaign = campaign});
}

void
life_verb(uint32_t campaign, enum verb verb)
{
    start((struct process){.campaign = campaign, .verb = verb, .says = true});
}

/* ---- what happens around them ---- */

static void
weather_draw(void)
{
    struct weather w = {0};
    struct rng *r = &life.draw;
    weather_us = life.now_us + life_span_us(HOUR_US, 60 * HOUR_US);
    life.weather = w;
    if (life.plan.calm || life.quiet)
        return;
    if (life_chance(.7)) {
        w.kill = .02 * rng_f64(r) * rng_f64(r) * rng_f64(r);
        w.stall = .002 * rng_f64(r) * rng_f64(r);
        w.lost = life_chance(.5) ? rng_f64(r) * .5 : 0;
        w.twice = life_chance(.5) ? rng_f64(r) * .8 : 0;
        w.late = life_chance(.5) ? rng_f64(r) * .5 : 0;
    }
    if (life_chance(.2))
        w.slow = .05 * rng_f64(r);
    if (life_chance(life.plan.lonely ? .5 : .15))
        w.error = .02 * rng_f64(r);
    if (life_chance(.2))
        w.answer_lost = .3 * rng_f64(r);
    w.disk_full = life_chance(.04);
    w.scheduler_down = life_chance(.06);
    w.storm = !life.plan.lonely && life_chance(.06);
    if (w.disk_full || w.scheduler_down || w.storm)
        weather_us = life.now_us + life_span_us(HOUR_US / 6, 20 * HOUR_US);
    life.weather = w;
}

/* Rare things that happen at once. */
static void
upset(void)
{
    upset_us = life.now_us + life_span_us(HOUR_US, 80 * HOUR_US);
    if (life.plan.calm || life.quiet)
        return;
    switch (rng_below(&life.draw, 4)) {
    case 0:
        process_kill_all();
        break;
    case 1:
        if (!life.plan.lonely)
            cluster_node_lost();
        break;
    case 2:
        trouble_count(TROUBLE_CLOCK_BACK);
        life.skew_us -= life_span_us(SECOND_US, HOUR_US);
        break;
    default:
        trouble_count(TROUBLE_CLOCK_AHEAD);
        life.skew_us += life_span_us(SECOND_US, 5 * HOUR_US);
    }
}

static void
look(void)
{
    look_us = life.now_us + life_span_us(HOUR_US, 12 * HOUR_US);
    laws_glance();
    for (uint32_t c = 1; c <= life.n_campaigns; c++)
        if (!over[c])
            over[c] = engineer_look(c);
    if (life_chance(.5))
        start((struct process){.reads = true});
}

static void
happen(void)
{
    cluster_happen();
    if (life.now_us >= weather_us)
        weather_draw();
    if (life.now_us >= upset_us)
        upset();
    if (life.now_us >= look_us)
        look();
    if (life.now_us >= sweep_us) {
        sweep_us = life.now_us + life_span_us(HOUR_US / 4, 6 * HOUR_US);
        start((struct process){.sweeps = true});
    }
}

static int64_t
next_us(void)
{
    int64_t at = earlier(weather_us, look_us);
    at = earlier(at, earlier(sweep_us, upset_us));
    at = earlier(at, cluster_next_us());
    return earlier(at, process_ready_us());
}

static bool
all_over(void)
{
    for (uint32_t c = 1; c <= life.n_campaigns; c++)
        if (!over[c])
            return false;
    return process_count() == 0 && cluster_running() == 0;
}

static void
loop(void)
{
    int64_t quiet_us = QUIET_DAYS * 24 * HOUR_US;
    int64_t rest_us = REST_DAYS * 24 * HOUR_US;
    while (!all_over()) {
        if (!life.quiet && life.now_us >= quiet_us) {
            life.quiet = true;
            weather_us = life.now_us; /* it clears up at once */
        }
        if (life.now_us > rest_us)
            law_broken("in %d days nothing came to an end", REST_DAYS);
        happen();
        if (!process_turn())
            life.now_us = next_us() > life.now_us ? next_us() : life.now_us;
    }
}

/* Once all is over, a last sweep tidies up what the engineer has not seen. A
 * late callback is lost on it: a wake beside it would hold the lease of its
 * campaign, whose claims are then the next sweep's. */
static void
last_sweep(void)
{
    life.quiet = life.tidies = true;
    weather_draw();
    start((struct process){.sweeps = true});
    while (process_count() > 0 || cluster_running() > 0) {
        cluster_happen();
        if (!process_turn())
            life.now_us = earlier(cluster_next_us(), process_ready_us());
    }
}

void
life_live(const struct life_plan *plan, struct tally *out)
{
    life = (struct life_state){.plan = *plan, .tally = out};
    rng_seed(&life.draw, plan->seed);
    json_object_seed(1); /* else it reads a device at its first object */
    life.n_campaigns =
        plan->lonely ? 1 : 1 + (uint32_t)(plan->seed % CAMPAIGNS_MAX);
    folder_begin();
    if (plan->logs != NULL)
        cluster_logs_read(plan->logs);
    engineer_begin();
    weather_draw();
    upset_us = life_span_us(HOUR_US, 80 * HOUR_US);
    loop();
    last_sweep();
    laws_check(acked);
    out->lives++;
    out->weeks = (double)life.now_us / (7 * 24.0 * HOUR_US);
    out->over = true;
    folder_end();
}
