/* The metric reader: patterns, JSON lines, csv, reductions, watches, and that
 * slicing the bytes changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "project/harvest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
test_patterns(void **state)
{
    static const struct {
        const char *pattern, *line;
        bool match;
        double value, step; /* step -1: none */
    } t[] = {
        {"auc {value}", "x auc 0.5 y", true, .5, -1},
        {"auc {value}, best auc", "auc 0.71, best auc 0.73", true, .71, -1},
        {"auc {value}, best auc", "auc 0.71; best auc 0.73", false, 0, -1},
        {"epoch {step}/* val_auc {value} -",
            "epoch 3/5 - loss 0.4 - val_auc 0.73 - 3 ms", true, .73, 3},
        {"loss {value} -", "epoch 3/5 - loss 0.47 - val", true, .47, -1},
        {"a {value}", "a   \t -1.5e-3", true, -1.5e-3, -1},
        {"a={value}.", "a=0.5.", true, .5, -1},
        {"a {value}%", "a 12%", true, 12, -1},
        {"a {value}", "a nan", true, NAN, -1},
        {"a {value}", "a -Infinity", true, -HUGE_VAL, -1},
        {"a {value}", "a information", false, 0, -1},
        {"a {value}", "a x a 7", true, 7, -1},
        {"* b {value}", "a b 7", true, 7, -1},
        {"{value} auc", "12.5 auc", true, 12.5, -1},
        {"a*b*c {value}", "a--b--c 1 a b c 2", true, 1, -1},
        {"a {value}", "a", false, 0, -1},
        {"a {value}", "", false, 0, -1},
        {"a {value}", "a 0x10", true, 0, -1},
    };
    (void)state;
    for (size_t i = 0; i < LEN(t); i++) {
        const char *v = NULL, *s = NULL;
        const char *end = t[i].line + strlen(t[i].line);
        bool got =
            harvest_match(t[i].pattern, t[i].line, strlen(t[i].line), &v, &s);
        double x = 0, step = -1;
        if (got) {
            assert_non_null(harvest_number(v, end, &x));
            if (s != NULL)
                assert_non_null(harvest_number(s, end, &step));
        }
        bool equal = x == t[i].value || (isnan(x) && isnan(t[i].value));
        if (got != t[i].match || (got && (!equal || step != t[i].step)))
            fail_msg(
                "%s on %s: %d %g at %g", t[i].pattern, t[i].line, got, x, step);
    }
}

/* valid (primary, best, max), loss (guard), test (sealed, last), one reader */
static struct harvest_spec
spec_of(uint8_t from)
{
    struct harvest_spec s = {.n = 3, .primary = 0};
    s.source[0] = (struct metric_source){.from = from,
        .reduce = REDUCE_BEST,
        .goal = GOAL_MAX,
        .nan_fail = true,
        .spike = 3,
        .key = "valid.auc",
        .pattern = "auc {value}"};
    s.source[1] = (struct metric_source){.from = from,
        .reduce = REDUCE_LAST,
        .goal = GOAL_MAX,
        .key = "test.auc",
        .pattern = "test {value}"};
    s.source[2] = (struct metric_source){.from = from,
        .reduce = REDUCE_PRIMARY,
        .goal = GOAL_MIN,
        .key = "loss",
        .pattern = "loss {value}"};
    return s;
}

static void
read_all(const struct harvest_spec *s, uint32_t stream, const char *text,
    struct harvest_value v[3], struct harvest *h)
{
    harvest_init(h, s, NULL, NULL);
    harvest_feed(h, stream, text, strlen(text));
    harvest_end(h, stream);
    for (uint32_t i = 0; i < 3; i++)
        harvest_result(h, i, &v[i]);
}

static void
test_json(void **state)
{
    static struct harvest h;
    struct harvest_spec s = spec_of(FROM_JSONL);
    struct harvest_value v[3];
    (void)state;
    read_all(&s, HARVEST_FILE,
        "{\"step\": 1, \"valid.auc\": 0.6, \"loss\": 0.5}\n"
        "not json\n"
        "{\"step\":2,\"valid\":{\"auc\":0.8,\"n\":[1,{\"auc\":9}]},\"s\":\"a\\"
        "\"}\"}\n"
        "{\"step\":2,\"loss\":0.3}\n"
        "{\"step\":3,\"valid.auc\":0.7,\"loss\":0.2,\"test.auc\":0.75}\n"
        "{\"step\":4,\"valid.auc\":NaN,\"loss\":-Infinity}\n"
        "{\"step\":5,\"valid.auc\":0.9",
        v, &h);
    assert_true(v[0].has && v[0].value == 0.8 && v[0].step == 2);
    assert_true(v[0].nan && v[0].diverged && v[0].n == 3);
    assert_true(v[1].has && v[1].value == 0.75);
    assert_true(v[2].has && v[2].value == 0.3); /* at the primary's step */
    assert_true(v[2].nan && !v[2].diverged);
    assert_int_equal(h.n_bad, 2);
    read_all(&s, HARVEST_FILE, "", v, &h);
    assert_false(v[0].has || v[1].has || v[2].has);
}

static void
test_csv(void **state)
{
    static struct harvest h;
    struct harvest_spec s = spec_of(FROM_CSV);
    struct harvest_value v[3];
    (void)state;
    read_all(&s, HARVEST_FILE,
        "epoch,\"valid.auc\", loss ,x\r\n1,0.6,0.5,\r\n2,0.8,0.4,a\r\n"
        "3,0.7,,\r\n",
        v, &h);
    assert_true(v[0].value == 0.8 && v[0].step == 2 && v[0].n == 3);
    assert_true(v[2].value == 0.4 && v[2].n == 2);
    assert_false(v[1].has);
}

static void
test_output(void **state)
{
    static struct harvest h;
    struct harvest_spec s = spec_of(FROM_STDOUT);
    struct harvest_value v[3];
    (void)state;
    /* A progress bar with CR; the guardrail comes one line later, no steps. */
    read_all(&s, HARVEST_STDOUT,
        "10%\r50%\rauc 0.6\nloss 0.5\nauc 0.8\nloss 0.3\nauc 0.7\nloss 0.1\n"
        "test 0.77",
        v, &h);
    assert_true(v[0].value == 0.8 && v[0].n == 3);
    assert_true(v[2].value == 0.3);
    assert_true(v[1].value == 0.77);
}

static void
test_reduce(void **state)
{
    static struct harvest h;
    struct harvest_spec s = spec_of(FROM_STDOUT);
    struct harvest_value v[3];
    (void)state;
    s.source[0].reduce = REDUCE_MEAN_LAST;
    s.source[0].mean_n = 2;
    read_all(&s, HARVEST_STDOUT, "auc 1\nauc 2\nauc 4\n", v, &h);
    assert_true(v[0].value == 3);
    s.source[0].mean_n = 5;
    read_all(&s, HARVEST_STDOUT, "auc 1\nauc 2\nauc 6\n", v, &h);
    assert_true(v[0].value == 3);
    s.source[0].reduce = REDUCE_BEST;
    s.source[0].goal = GOAL_TARGET;
    s.source[0].target = 3.5;
    read_all(&s, HARVEST_STDOUT, "auc 1\nauc 4\nauc 6\n", v, &h);
    assert_true(v[0].value == 4);
}

static void
test_spike(void **state)
{
    static struct harvest h;
    struct harvest_spec s = spec_of(FROM_STDOUT);
    struct harvest_value v[3];
    struct buf b = {0};
    struct rng r;
    (void)state;
    rng_seed(&r, 1);
    for (int i = 0; i < 30; i++)
        buf_printf(&b, "auc %.6f\n", 0.7 + 0.001 * rng_f64(&r));
    buf_puts(&b, "auc 0.9\n"); /* towards the goal: no alarm */
    read_all(&s, HARVEST_STDOUT, buf_str(&b), v, &h);
    assert_false(v[0].spike);
    for (int i = 0; i < 3; i++) /* one or two alone may be noise */
        buf_puts(&b, "auc 0.1\nauc 0.1\nauc 0.7005\n");
    read_all(&s, HARVEST_STDOUT, buf_str(&b), v, &h);
    assert_false(v[0].spike);
    buf_puts(&b, "auc 0.7003\nauc 0.1\nauc 0.2\nauc 0.1\n");
    read_all(&s, HARVEST_STDOUT, buf_str(&b), v, &h);
    assert_true(v[0].spike);
    buf_clear(&b);
    for (int i = 0; i < 5; i++) /* too few values to tell */
        buf_puts(&b, "auc 0.7\n");
    buf_puts(&b, "auc 0.1\nauc 0.1\nauc 0.1\n");
    read_all(&s, HARVEST_STDOUT, buf_str(&b), v, &h);
    assert_false(v[0].spike);
    buf_fini(&b);
}

static void
test_slices(void **state)
{
    static const char text[] =
        "{\"step\": 1, \"valid.auc\": 0.625, \"loss\": 0.5}\r\n\n"
        "{\"step\": 2, \"valid\": {\"auc\": 0.75}, \"loss\": 0.25}\n";
    static struct harvest h;
    struct harvest_spec s = spec_of(FROM_JSONL);
    (void)state;
    for (size_t cut = 1; cut < sizeof text; cut++) {
        struct harvest_value v[3];
        harvest_init(&h, &s, NULL, NULL);
        for (size_t i = 0; i < sizeof text - 1; i += cut) {
            size_t n = sizeof text - 1 - i;
            harvest_feed(&h, HARVEST_FILE, text + i, n < cut ? n : cut);
        }
        harvest_end(&h, HARVEST_FILE);
        for (uint32_t i = 0; i < 3; i++)
            harvest_result(&h, i, &v[i]);
        assert_true(v[0].value == 0.75 && v[2].value == 0.25);
        assert_int_equal(h.n_bad, 0);
    }
}

static void
test_long_lines(void **state)
{
    static struct harvest h;
    struct harvest_spec s = spec_of(FROM_JSONL);
    struct harvest_value v[3];
    struct buf b = {0};
    (void)state;
    buf_puts(&b, "{\"valid.auc\": 0.5, \"x\": \"");
    for (int i = 0; i < 2 * HARVEST_LINE_MAX; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}\n{\"valid.auc\": 0.25}\n");
    read_all(&s, HARVEST_FILE, buf_str(&b), v, &h);
    assert_true(v[0].n == 1 && v[0].value == 0.25 && h.n_bad == 1);
    buf_fini(&b);
}

static void
test_spec_text(void **state)
{
    struct harvest_spec s = spec_of(FROM_STDOUT), back;
    struct buf b = {0};
    (void)state;
    snprintf(s.source[1].pattern, sizeof s.source[1].pattern, "%s",
        "tab\there {value}");
    s.source[2].target = 0.1;
    harvest_spec_put(&s, &b);
    assert_int_equal(harvest_spec_parse(&back, buf_str(&b), b.len), 0);
    assert_memory_equal(&back, &s, sizeof s);
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(harvest_spec_parse(&back, buf_str(&b), n), -ERR_INPUT);
    buf_fini(&b);
}

static void
test_expressions(void **state)
{
    struct harvest_spec s = {.n = 1, .primary = 0};
    struct harvest_re *re;
    struct err err = {0};
    const char *v = NULL, *st = NULL;
    static const char line[] = "it 12: AUC=0.75!";
    char hostile[4000];
    (void)state;
    s.source[0].from = FROM_STDOUT;
    snprintf(s.source[0].pattern, sizeof s.source[0].pattern, "%s",
        "re:it (?<step>\\d+): AUC=(?<value>[0-9.]+)");
    assert_int_equal(harvest_re_new(&s, &re, &err), 0);
    assert_true(harvest_re_match(re, 0, line, strlen(line), &v, &st));
    assert_ptr_equal(v, line + 11);
    assert_ptr_equal(st, line + 3);
    assert_false(harvest_re_match(re, 0, "no", 2, &v, &st));
    harvest_re_free(re);
    snprintf(
        s.source[0].pattern, sizeof s.source[0].pattern, "%s", "re:(a+)+$");
    assert_int_equal(harvest_re_new(&s, &re, &err), 0);
    memset(hostile, 'a', sizeof hostile);
    hostile[sizeof hostile - 1] = 'b';
    assert_false(harvest_re_match(re, 0, hostile, sizeof hostile, &v, &st));
    harvest_re_free(re);
    snprintf(s.source[0].pattern, sizeof s.source[0].pattern, "%s", "re:(ab");
    assert_int_equal(harvest_re_new(&s, &re, &err), -ERR_INPUT);
    snprintf(s.source[0].pattern, sizeof s.source[0].pattern, "%s", "re:ab");
    assert_int_equal(harvest_re_new(&s, &re, &err), -ERR_INPUT);
}

/* Of a part that is cut only lines that end within it count. */
static void
test_cut(void **state)
{
    static const char text[] = "{\"a\": 1}\n{\"a\": 25}\n{\"a\": 3}\n";
    struct harvest_spec s = {.n = 1};
    s.source[0] = (struct metric_source){.from = FROM_JSONL,
        .reduce = REDUCE_LAST,
        .goal = GOAL_MAX,
        .key = "a"};
    struct harvest_value out[METRICS_MAX];
    struct err err = {0};
    char path[] = "/tmp/test_harvest.XXXXXX";
    const struct {
        int64_t upto;
        uint64_t n;
        double last;
    } table[] = {
        {0, 0, 0}, {8, 0, 0}, {9, 1, 1}, {17, 1, 1}, {19, 2, 25}, {1000, 3, 3}};
    (void)state;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct harvest_paths part = {
            .path = {path}, .cut = true, .upto = {table[i].upto}};
        assert_int_equal(harvest_chain(&s, &part, 1, NULL, NULL, out, &err), 0);
        assert_int_equal(out[0].n, table[i].n);
        assert_true(table[i].n == 0 || out[0].value == table[i].last);
    }
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_reduce),
        cmocka_unit_test(test_spike),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_spec_text),
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
