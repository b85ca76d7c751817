/* The shim's sense of time without waiting for it: silence is judged with an
 * invented clock. The shim is a program of its own, so its file is taken in
 * here as it is, and what it calls is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "jobs/shim/watch.c"
#include "jobs/shim/keep.c"
#include "jobs/shim/patterns.c"

void
tree_scan(struct shim_tree *t)
{
    (void)t; /* the tests set the sums themselves */
}

static int64_t clock_ms, clock_step_ms;

int64_t
boot_now_ms(void)
{
    return clock_ms += clock_step_ms;
}

static int64_t pss;

int64_t
tree_pss(const struct shim_tree *t)
{
    (void)t;
    return pss;
}

static uint32_t reported, poked;

int
report_write(const struct shim *s, uint32_t crossed, struct err *err)
{
    (void)s;
    (void)err;
    reported = crossed;
    return 0;
}

static int64_t good_at; /* bytes reported before the good version, -1: none */

int
good_write(const struct shim *s, struct err *err)
{
    (void)err;
    good_at = s->keep.at[HARVEST_FILE];
    return 0;
}

void
wake_poke(const struct shim *s)
{
    (void)s;
    poked++;
}

void
shim_end(
    struct shim *s, enum reason reason, enum ending how, const char *fmt, ...)
{
    (void)how;
    (void)fmt;
    s->reason = reason;
}

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static char log_path[64];

static void
speak(void)
{
    FILE *f = fopen(log_path, "a");
    assert_non_null(f);
    fputs("x", f);
    fclose(f);
}

static struct shim *
shim_make(int64_t hang_ms)
{
    struct shim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    remove(log_path);
    s->cmd.stdout_path = s->cmd.stderr_path = s->cmd.metrics_path = log_path;
    s->cmd.hang_ms = hang_ms;
    watch_init(s, 0);
    return s;
}

/* Speaks every gap, times times; returns the time after it. */
static int64_t
rhythm(struct shim *s, int64_t gap, int times)
{
    int64_t now = 0;
    for (int i = 0; i < times; i++) {
        now += gap;
        speak();
        watch_life(s, now);
    }
    return now;
}

/* The first second of silence at which it is called hung, -1: not in a day. */
static int64_t
silent_until_hung(struct shim *s, int64_t now, uint64_t ticks_a_second)
{
    for (int64_t t = SECOND; t <= 24 * 60 * MINUTE; t += SECOND) {
        s->tree.cpu_ticks += ticks_a_second;
        watch_life(s, now + t);
        if (s->reason == REASON_HUNG)
            return t;
        assert_int_equal(s->reason, REASON_NONE);
    }
    return -1;
}

/* Each crossing is reported once, also when one look sees several. */
static void
rungs_report(void **state)
{
    struct shim *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    remove(log_path);
    s->cmd.stdout_path = s->cmd.stderr_path = s->cmd.metrics_path = log_path;
    s->cmd.has_watch = true;
    s->cmd.watch.n = 1;
    s->cmd.watch.source[0].from = FROM_JSONL;
    snprintf(s->cmd.watch.source[0].key, HARVEST_KEY_LEN, "auc");
    s->cmd.progress = METRICS_MAX;
    s->cmd.n_rungs = 3;
    for (int i = 0; i < 3; i++)
        s->cmd.rung[i] = 1 << i;
    watch_init(s, 0);
    static const uint32_t crossed[] = {0, 1, 2, 2, 3, 3};
    static const uint32_t calls[] = {0, 1, 2, 2, 3, 3};
    reported = poked = 0;
    for (int step = 0; step < 6; step++) {
        FILE *f = fopen(log_path, "a");
        assert_non_null(f);
        fprintf(f, "{\"step\": %d, \"auc\": 0.7}\n", step);
        fclose(f);
        watch_metrics(s);
        watch_rungs(s);
        watch_rungs(s);
        assert_int_equal(reported, crossed[step]);
        assert_int_equal(poked, calls[step]);
    }
    free(s);
}

static void
silence(void **state)
{
    (void)state;
    static const struct {
        int64_t hang_ms, gap;
        int times;
        uint64_t ticks; /* processor time while silent, ticks a second */
        int64_t hung_at;
    } table[] = {
        {5 * SECOND, SECOND, 3, 0, 5 * SECOND},   /* told: exactly that */
        {5 * SECOND, SECOND, 3, 100, 5 * SECOND}, /* busy or not */
        {0, SECOND, 20, 0, 10 * MINUTE},          /* the floor */
        {0, MINUTE, 20, 0, 30 * MINUTE},          /* 30 times its rhythm */
        {0, SECOND, 20, 100, -1},                 /* silent, but computes */
        {0, SECOND, 20, 3, 10 * MINUTE},          /* 3 % is not computing */
        {0, SECOND, 3, 0, -1},                    /* no rhythm known yet */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct shim *s = shim_make(table[i].hang_ms);
        int64_t now = rhythm(s, table[i].gap, table[i].times);
        int64_t at = silent_until_hung(s, now, table[i].ticks);
        if (at != table[i].hung_at)
            fail_msg("row %zu: hung after %lld ms", i, (long long)at);
        free(s);
    }
}

static void
a_word_in_time_saves(void **state)
{
    (void)state;
    struct shim *s = shim_make(5 * SECOND);
    int64_t now = rhythm(s, SECOND, 2);
    watch_life(s, now + 4 * SECOND);
    speak();
    watch_life(s, now + 5 * SECOND);
    watch_life(s, now + 9 * SECOND);
    assert_int_equal(s->reason, REASON_NONE);
    watch_life(s, now + 10 * SECOND);
    assert_int_equal(s->reason, REASON_HUNG);
    free(s);
}

static void
shared_pages_count_once(void **state)
{
    (void)state;
    struct shim *s = shim_make(0);
    s->cmd.memory_bytes = 100;
    s->tree.rss_bytes = 180;
    pss = 90;
    watch_memory(s);
    assert_int_equal(s->reason, REASON_NONE);
    assert_int_equal(s->max_rss_bytes, 180);
    pss = 101;
    watch_memory(s);
    assert_int_equal(s->reason, REASON_OOM);
    s->reason = REASON_NONE;
    pss = -1; /* not told: then the sum has to do */
    watch_memory(s);
    assert_int_equal(s->reason, REASON_OOM);
    free(s);
}

/* ---- the last good checkpoint ---- */

static char ck[80], good[96], next[96];

static void
put(const char *path, const char *mode, const char *text)
{
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* A version as the contract asks for it: another file under the same name. */
static void
save(const char *text)
{
    char tmp[96];
    snprintf(tmp, sizeof tmp, "%s.tmp", ck);
    put(tmp, "w", text);
    assert_int_equal(rename(tmp, ck), 0);
}

static bool
holds(const char *path, const char *text)
{
    char got[32] = "";
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return text == NULL;
    size_t n = fread(got, 1, sizeof got - 1, f);
    fclose(f);
    return text != NULL && n == strlen(text) && strcmp(got, text) == 0;
}

static void
look(struct shim *s, const char *reports)
{
    put(log_path, "a", reports);
    watch_metrics(s);
    keep_look(s);
}

/* auc is watched for NaN, loss for jumps; time is reported and not watched. */
static struct shim *
keeper_make(void)
{
    static const char *const key[] = {"auc", "loss", "time"};
    struct shim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    remove(log_path);
    snprintf(ck, sizeof ck, "%s.ck", log_path);
    const char *base = strrchr(ck, '/') + 1;
    snprintf(good, sizeof good, "/tmp/.%s.good", base);
    snprintf(next, sizeof next, "/tmp/.%s.next", base);
    remove(ck);
    remove(good);
    s->cmd.stdout_path = s->cmd.stderr_path = s->cmd.metrics_path = log_path;
    s->cmd.checkpoint_path = ck;
    s->cmd.run_dir = "/tmp/none";
    s->cmd.has_watch = true;
    s->cmd.keep = 1;
    s->cmd.watch.n = 3;
    s->cmd.watch.primary = 0;
    for (uint32_t i = 0; i < 3; i++) {
        struct metric_source *m = &s->cmd.watch.source[i];
        *m = (struct metric_source){
            .from = FROM_JSONL, .reduce = REDUCE_LAST, .goal = GOAL_MAX};
        snprintf(m->key, sizeof m->key, "%s", key[i]);
    }
    s->cmd.watch.source[0].nan_fail = true;
    s->cmd.watch.source[1].spike = 3;
    s->cmd.watch.source[1].goal = GOAL_MIN;
    good_at = -1;
    watch_init(s, 0);
    return s;
}

static void
keeper_free(struct shim *s)
{
    keep_end(s);
    assert_true(holds(next, NULL));
    remove(ck);
    remove(good);
    free(s);
}

#define WELL "{\"auc\": 0.7, \"loss\": 0.5}\n"
#define NAN_ROW "{\"auc\": NaN, \"loss\": 0.5}\n"

/* It is good when something good was reported after it, not before. */
static void
good_by_what_came_after(void **state)
{
    (void)state;
    struct shim *s = keeper_make();
    look(s, WELL);
    save("1");
    look(s, WELL); /* reported before the look that saw the checkpoint */
    assert_true(holds(next, "1") && holds(good, NULL));
    look(s, "{\"time\": 3}\n"); /* says nothing of its health */
    assert_true(holds(good, NULL));
    look(s, "{\"auc\": 0.7}\n"); /* the other watched one has yet to come */
    assert_true(holds(good, NULL));
    look(s, "{\"loss\": 0.5}\n");
    assert_true(holds(good, "1"));
    assert_int_equal(good_at, (int64_t)strlen(WELL) * 2);
    save("2");
    look(s, "");
    save("3"); /* a newer one does not take the place of one that waits */
    look(s, "");
    assert_true(holds(next, "2") && holds(good, "1"));
    look(s, WELL);
    assert_true(holds(next, "3") && holds(good, "2"));
    look(s, NAN_ROW);
    assert_int_equal(s->reason, REASON_NAN);
    save("4");
    look(s, WELL);
    assert_true(holds(good, "2"));
    keeper_free(s);
}

/* The first values of a jump are not told from noise: they confirm nothing. */
static void
a_jump_is_no_good_report(void **state)
{
    (void)state;
    struct shim *s = keeper_make();
    for (int i = 0; i < 12; i++)
        look(s, i % 2 ? WELL : "{\"auc\": 0.7, \"loss\": 0.51}\n");
    save("1");
    look(s, "");
    look(s, "{\"auc\": 0.7, \"loss\": 9}\n");
    look(s, "{\"auc\": 0.7, \"loss\": 9}\n");
    assert_true(s->reason == REASON_NONE && holds(good, NULL));
    look(s, WELL); /* it was noise */
    assert_true(holds(good, "1"));
    keeper_free(s);
}

/* Written over in place, its link changes with it. */
static void
in_place_is_never_good(void **state)
{
    (void)state;
    struct shim *s = keeper_make();
    put(ck, "w", "1");
    look(s, "");
    put(ck, "w", "12");
    look(s, WELL);
    assert_true(holds(good, NULL) && good_at == -1);
    keeper_free(s);
}

/* ---- regular expressions ---- */

static void
patterns_are_watched(void **state)
{
    (void)state;
    struct shim *s = keeper_make();
    struct metric_source *m = &s->cmd.watch.source[0];
    m->from = FROM_STDOUT;
    snprintf(m->pattern, sizeof m->pattern,
        "re:^it (?<step>\\d+).*auc=(?<value>\\S+)");
    watch_init(s, 0);
    put(log_path, "a", "it 3 of 9: auc=0.7\n");
    watch_metrics(s);
    assert_true(s->fresh && s->step == 3 && s->reason == REASON_NONE);
    put(log_path, "a", "it 4 of 9: auc=nan\n");
    watch_metrics(s);
    assert_int_equal(s->reason, REASON_NAN);
    harvest_re_free(s->harvest.re_arg);
    keeper_free(s);
}

/* Lines that are dear to match do not hold the loop: the rest is read later. */
static void
a_look_ends_in_time(void **state)
{
    (void)state;
    struct shim *s = keeper_make();
    char line[4096];
    memset(line, 'x', sizeof line);
    memcpy(line + sizeof line - 2, "\n", 2);
    for (int i = 0; i < 16; i++)
        put(log_path, "a", line);
    clock_step_ms = READ_MS;
    assert_false(watch_drain(s));
    clock_step_ms = 0;
    assert_true(watch_drain(s));
    keeper_free(s);
}

int
main(void)
{
    snprintf(log_path, sizeof log_path, "/tmp/test_shim_watch.%d", getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rungs_report),
        cmocka_unit_test(silence),
        cmocka_unit_test(a_word_in_time_saves),
        cmocka_unit_test(shared_pages_count_once),
        cmocka_unit_test(good_by_what_came_after),
        cmocka_unit_test(a_jump_is_no_good_report),
        cmocka_unit_test(in_place_is_never_good),
        cmocka_unit_test(patterns_are_watched),
        cmocka_unit_test(a_look_ends_in_time),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    remove(log_path);
    return rc;
}
