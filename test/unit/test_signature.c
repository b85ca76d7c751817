/* The runbook's signatures: each rule knows its own text, none knows another's
 * (but for the listed neighbours), none answers to its own pattern, and clean
 * logs stay clean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "jobs/signature.h"

/* Logs of test/unit/data/signatures: "== NAME" begins one, "also ID: reason"
 * names a rule that may match it too and must not decide. */
enum { LOGS_MAX = 200 };

struct log_case {
    char name[48], also[240]; /* also: ids, a blank after each */
    struct buf text;
};

struct log_list {
    struct log_case item[LOGS_MAX];
    size_t n;
};

static struct log_list own, clean;

static void
log_line(struct log_list *l, const char *line)
{
    struct log_case *c = l->n > 0 ? &l->item[l->n - 1] : NULL;
    if (strncmp(line, "== ", 3) == 0) {
        assert_true(l->n < LOGS_MAX);
        c = &l->item[l->n++];
        snprintf(c->name, sizeof c->name, "%.47s", line + 3);
    } else if (strncmp(line, "also ", 5) == 0) {
        size_t at = strlen(c->also), len = strcspn(line + 5, ":");
        if (line[5 + len] != ':' || strlen(line + 5 + len) < 4)
            fail_msg("%s: a neighbour without a reason: %s", c->name, line);
        snprintf(
            c->also + at, sizeof c->also - at, "%.*s ", (int)len, line + 5);
    } else if (c != NULL) {
        buf_puts(&c->text, line);
        buf_putc(&c->text, '\n');
    } else
        assert_true(line[0] == '#');
}

static void
logs_load(const char *path, struct log_list *l)
{
    char line[4096];
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("%s is not there: run from the tree's root", path);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        log_line(l, line);
    }
    fclose(f);
}

static void
logs_free(struct log_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        buf_fini(&l->item[i].text);
}

static void
each_rule_has_its_log(void **state)
{
    (void)state;
    size_t n;
    const struct signature_rule *r = signature_rules(&n);
    assert_true(n >= 80);
    assert_int_equal(own.n, n);
    for (size_t i = 0; i < n; i++) {
        int count = 0;
        for (size_t k = 0; k < own.n; k++)
            count += strcmp(own.item[k].name, r[i].id) == 0;
        if (count != 1)
            fail_msg("rule %s has %d logs", r[i].id, count);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(r[i].id, r[k].id);
        assert_non_null(strchr("ABCDEFGHU", r[i].class));
        assert_true(r[i].remedy[0] != '\0' && r[i].source[0] != '\0');
    }
}

static bool
is_listed(const char *list, const char *id)
{
    size_t n = strlen(id);
    for (const char *p = list; (p = strstr(p, id)) != NULL; p += n) {
        if ((p == list || p[-1] == ' ') && p[n] == ' ')
            return true;
    }
    return false;
}

/* How many of the listed neighbours the log really has: a list is no excuse. */
static size_t
words(const char *list)
{
    size_t n = 0;
    for (; *list != '\0'; list++)
        n += *list == ' ';
    return n;
}

static void
own_log_decides(void **state)
{
    const struct signature_book *b = *state;
    struct signature_hit hits[16];
    int wrong = 0;
    for (size_t i = 0; i < own.n; i++) {
        const struct log_case *c = &own.item[i];
        const char *text = c->text.data;
        size_t n = 0;
        signature_book_all(b, text, c->text.len, hits, 16, &n);
        const char *first = n == 0 ? "no rule" : hits[0].rule->id;
        if (strcmp(first, c->name) != 0 && wrong++ >= 0)
            print_error("%s: %s answers\n", c->name, first);
        for (size_t k = 1; k < n; k++) {
            if (!is_listed(c->also, hits[k].rule->id) && wrong++ >= 0)
                print_error("%s: %s matches too: %s\n", c->name,
                    hits[k].rule->id, hits[k].line);
        }
        if (n > 0 && words(c->also) > n - 1 && wrong++ >= 0)
            print_error("%s: lists more than matches\n", c->name);
        /* and the same in the middle of what a healthy job prints */
        struct buf all = {0};
        struct signature_hit hit;
        for (size_t k = 0; k < clean.n; k++) {
            buf_add(&all, clean.item[k].text.data, clean.item[k].text.len);
            if (k == clean.n / 2)
                buf_add(&all, text, c->text.len);
        }
        signature_book_match(b, all.data, all.len, &hit);
        bool benign = n > 0 && hits[0].rule->rank == RANK_BENIGN;
        first = hit.rule == NULL ? "no rule" : hit.rule->id;
        if (strcmp(first, benign ? "no rule" : c->name) != 0 && wrong++ >= 0)
            print_error("%s among clean logs: %s answers\n", c->name, first);
        buf_fini(&all);
    }
    assert_int_equal(wrong, 0);
}

/* The row of docs/runbook.md that has the pattern of this rule, or "". */
static void
docs_row(const char *page, const char *id, char *out, size_t cap)
{
    char begin[64];
    snprintf(begin, sizeof begin, "\n| %s |", id);
    const char *p = strstr(page, begin);
    out[0] = '\0';
    if (p != NULL)
        snprintf(out, cap, "%.*s", (int)strcspn(p + 1, "\n"), p + 1);
}

/* What escapes of a C string, or of TOML's basic one, make of a pattern. */
static void
escaped(const char *pattern, struct buf *out)
{
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '\\' || *p == '"')
            buf_putc(out, '\\');
        buf_putc(out, *p);
    }
}

static void
patterns_do_not_match_themselves(void **state)
{
    const struct signature_book *b = *state;
    struct buf page = {0};
    int wrong = 0;
    assert_int_equal(fs_read("docs/runbook.md", 1 << 20, &page, NULL), 0);
    for (size_t i = 0; i < signature_book_len(b); i++) {
        const struct signature_rule *r = signature_book_rule(b, i);
        char line[6][4096];
        struct buf esc = {0};
        escaped(r->pattern, &esc);
        snprintf(line[0], sizeof line[0], "%s", r->pattern);
        snprintf(line[1], sizeof line[1],
            "[rule.%s]\nclass = '%c'\npattern = '%s'\nremedy = '%s'\n", r->id,
            r->class, r->pattern, r->remedy);
        snprintf(line[2], sizeof line[2], "pattern = \"%s\"", buf_str(&esc));
        snprintf(line[3], sizeof line[3], "    \"%s\",", buf_str(&esc));
        docs_row(buf_str(&page), r->id, line[4], sizeof line[4]);
        snprintf(line[5], sizeof line[5],
            "{\"id\":\"%s\",\"pattern\":\"%s\",\"remedy\":\"%s\"}", r->id,
            buf_str(&esc), r->remedy);
        if (line[4][0] == '\0')
            fail_msg("docs/runbook.md has no row of %s", r->id);
        buf_fini(&esc);
        for (size_t k = 0; k < 6; k++) {
            struct signature_hit hit;
            size_t n;
            signature_book_all(b, line[k], strlen(line[k]), &hit, 1, &n);
            if (n > 0 && wrong++ < 99)
                print_error("%s answers to form %zu of %s: %s\n", hit.rule->id,
                    k, r->id, hit.line);
        }
    }
    buf_fini(&page);
    assert_int_equal(wrong, 0);
}

static void
clean_logs_stay_clean(void **state)
{
    const struct signature_book *b = *state;
    int wrong = 0;
    assert_true(clean.n >= 20);
    for (size_t i = 0; i < clean.n; i++) {
        const struct log_case *c = &clean.item[i];
        struct signature_hit hit;
        assert_true(c->text.len > 0);
        signature_book_match(b, c->text.data, c->text.len, &hit);
        if (hit.rule != NULL && wrong++ >= 0)
            print_error(
                "%s: %s answers to: %s\n", c->name, hit.rule->id, hit.line);
    }
    assert_int_equal(wrong, 0);
}

static void
primary_beats_secondary(void **state)
{
    const struct signature_book *b = *state;
    const char *log = "step 1\n"
                      "To avoid data inconsistency, we are taking the entire "
                      "process down.\n"
                      "Traceback (most recent call last):\n"
                      "ValueError: bad\n"
                      "OSError: [Errno 28] No space left on device\n";
    struct signature_hit hit;
    signature_book_match(b, log, strlen(log), &hit);
    assert_non_null(hit.rule);
    assert_string_equal(hit.rule->id, "disk-full");
    assert_int_equal(hit.line_no, 5);
    assert_string_equal(
        hit.line, "OSError: [Errno 28] No space left on device");
}

static void
only_the_end_counts(void **state)
{
    const struct signature_book *b = *state;
    size_t n = 70000; /* whole lines of 100 bytes */
    char *log = malloc(n);
    assert_non_null(log);
    memset(log, '.', n);
    for (size_t i = 99; i < n; i += 100)
        log[i] = '\n';
    memcpy(log + 100, "MemoryError", 11);
    log[111] = '\n';
    struct signature_hit hit;
    signature_book_match(b, log, n, &hit);
    assert_null(hit.rule);
    memcpy(log + n - 100, "MemoryError", 11);
    log[n - 89] = '\n';
    signature_book_match(b, log, n, &hit);
    assert_non_null(hit.rule);
    free(log);
}

static double
seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Hostile logs: long lines without an end, the beginnings of patterns over and
 * over, bytes that are no text. */
static void
hostile_logs_cost_little(void **state)
{
    const struct signature_book *b = *state;
    static char log[SIGNATURE_TEXT_MAX];
    const char *seed[] = {"NCCL error in: ", "loss loss=", "ResourceExhausted",
        "Process 1 has 99.9 GiB memory in use\n", ": ", "a", "[LightGBM] [",
        "\xff\x00\x80\r", "Assertion `srcIndex ", "(", "(exitcode: 1"};
    for (size_t i = 0; i < sizeof seed / sizeof seed[0]; i++) {
        size_t len = strlen(seed[i]) + (seed[i][0] == '\xff' ? 3 : 0);
        for (size_t at = 0; at + len < sizeof log; at += len)
            memcpy(log + at, seed[i], len);
        struct signature_hit hit;
        double t = seconds_now();
        signature_book_match(b, log, sizeof log, &hit);
        t = seconds_now() - t;
        if (t > 10) /* without match limits: minutes */
            fail_msg("'%s' repeated took %.2f s", seed[i], t);
    }
}

static void
user_rules(void **state)
{
    (void)state;
    char path[] = "/tmp/test_signature_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *text = "[rule.warehouse]\nclass = 'E'\n"
                       "pattern = 'warehouse (is )?closed'\n"
                       "remedy = 'Wait for the night load.'\n";
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    struct signature_book *b = NULL;
    struct err err = {0};
    assert_int_equal(signature_book_new(path, &b, &err), 0);
    const char *log = "OSError: [Errno 28] No space left on device\n"
                      "warehouse is closed\n";
    struct signature_hit hit;
    signature_book_match(b, log, strlen(log), &hit);
    assert_non_null(hit.rule);
    assert_string_equal(hit.rule->id, "warehouse");
    assert_int_equal(hit.rule->class, 'E');
    signature_book_free(b);
    static const char *const bad[][2] = {
        {"[rule.a]\nclass='Q'\npattern='x'\n", "class"},
        {"[rule.a]\nclass='A'\npattern='(x'\n", "pattern"},
        {"[rule.a]\nclass='A'\n", "needs pattern"},
        {"[rule.a]\nclass='A'\npattern='x'\nclas='B'\n", "unknown key"},
        {"[rules.a]\nclass='A'\n", "not known"},
        {"[rule.a\n", "1:"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i][0], strlen(bad[i][0]), 0),
            (ssize_t)strlen(bad[i][0]));
        assert_int_equal(signature_book_new(path, &b, &err), -ERR_INPUT);
        if (strstr(err.text, bad[i][1]) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, bad[i][1]);
    }
    close(fd);
    unlink(path);
    assert_int_equal(
        signature_book_new("/no/such/file", &b, &err), -ERR_NOT_FOUND);
}

static int
book_open(void **state)
{
    struct err err = {0};
    struct signature_book *b = NULL;
    logs_load("test/unit/data/signatures/rules.txt", &own);
    logs_load("test/unit/data/signatures/clean.txt", &clean);
    if (signature_book_new(NULL, &b, &err) != 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    *state = b;
    return 0;
}

static int
book_close(void **state)
{
    signature_book_free(*state);
    logs_free(&own);
    logs_free(&clean);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_has_its_log),
        cmocka_unit_test(own_log_decides),
        cmocka_unit_test(patterns_do_not_match_themselves),
        cmocka_unit_test(clean_logs_stay_clean),
        cmocka_unit_test(primary_beats_secondary),
        cmocka_unit_test(only_the_end_counts),
        cmocka_unit_test(hostile_logs_cost_little),
        cmocka_unit_test(user_rules),
    };
    return cmocka_run_group_tests(tests, book_open, book_close);
}
