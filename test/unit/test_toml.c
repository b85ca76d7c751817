/* The TOML reader: what is accepted, what is refused and where, and the places
 * of keys and values. Agreement with another parser on thousands of documents
 * is checked by peers/toml_vs_tomllib.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/toml.h"

#include <stdlib.h>
#include <string.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
test_valid(void **state)
{
    static const char *const docs[] = {
        "",
        "a = 1",
        "a.b.c = 1\na.b.d = 2",
        "[a]\n[a.b]\n[[a.c]]\n[[a.c]]",
        "a = [1, [2, 'x'], {b = 1}]",
        "a = \"\"\"\nx\\\n   y\"\"\"",
        "a = ''''x''''",
        "a = 1979-05-27 07:32:00.5-07:00",
        "a = 0xff\nb = 0o7\nc = 0b1\nd = 1_000.5e-3",
        "\"k.k\" = inf\n'' = nan",
        "[fruit]\napple.x = 1\n[fruit.apple.y]",
    };
    (void)state;
    for (size_t i = 0; i < LEN(docs); i++) {
        struct arena a = {0};
        struct toml *t;
        struct err err = {0};
        int rc = toml_parse(&a, docs[i], strlen(docs[i]), &t, NULL, &err);
        if (rc != 0)
            fail_msg("%s: %s", docs[i], err.text);
        arena_fini(&a);
    }
}

static void
test_invalid(void **state)
{
    static const struct {
        const char *doc;
        uint32_t line, col;
    } docs[] = {
        {"a", 1, 2},
        {"a = ", 1, 5},
        {"a = 1\na = 2", 2, 1},
        {"[a]\n[a]", 2, 2},
        {"a = {}\n[a.b]", 2, 2},
        {"a = [1 2]", 1, 8},
        {"a = {b = 1,}", 1, 12},
        {"\xc3\xa9 = 1", 1, 1},
        {"x = \"\xc3\xa9\xc3\xa9\\q\"", 1, 8},
        {"a = 01", 1, 5},
        {"a = 1__0", 1, 5},
        {"a = 9223372036854775808", 1, 5},
        {"a = 2021-02-29", 1, 5},
        {"a = \"\\ud800\"", 1, 6},
        {"a = \"x\n\"", 1, 5},
        {"a = 'x\x01'", 1, 7},
        {"# \x7f", 1, 3},
        {"a = 1\rb = 2", 1, 6},
        {"[a]\nb.c = 1\n[a.b]", 3, 4},
        {"a = \"\xff\"", 1, 6},
    };
    (void)state;
    for (size_t i = 0; i < LEN(docs); i++) {
        struct arena a = {0};
        struct toml *t;
        struct toml_fault f = {0};
        struct err err = {0};
        int rc = toml_parse(&a, docs[i].doc, strlen(docs[i].doc), &t, &f, &err);
        if (rc != -ERR_INPUT || f.line != docs[i].line || f.col != docs[i].col)
            fail_msg("%s: rc %d at %u:%u, wanted %u:%u", docs[i].doc, rc,
                f.line, f.col, docs[i].line, docs[i].col);
        arena_fini(&a);
    }
}

static void
test_limits(void **state)
{
    struct arena a = {0};
    struct toml *t;
    char deep[200];
    (void)state;
    memset(deep, '[', sizeof deep);
    deep[0] = 'a';
    deep[1] = '=';
    assert_int_equal(
        toml_parse(&a, deep, sizeof deep, &t, NULL, NULL), -ERR_INPUT);
    char *big = mem_calloc(1, TOML_BYTES_MAX + 1);
    memset(big, '\n', TOML_BYTES_MAX + 1);
    assert_int_equal(toml_parse(&a, big, TOML_BYTES_MAX, &t, NULL, NULL), 0);
    assert_int_equal(
        toml_parse(&a, big, TOML_BYTES_MAX + 1, &t, NULL, NULL), -ERR_INPUT);
    free(big);
    arena_fini(&a);
}

static void
test_places(void **state)
{
    static const char doc[] = "x = 1\n[tab]\n  \xc3\xa9\n";
    static const char good[] =
        "# \xc3\xa9\n[a]\n  key = \"v\\u00e9\"  # c\n[[b]]\n\"\xc3\xa9\" = 7\n";
    struct arena a = {0};
    struct toml *t;
    (void)state;
    assert_int_equal(
        toml_parse(&a, doc, strlen(doc), &t, NULL, NULL), -ERR_INPUT);
    assert_int_equal(toml_parse(&a, good, strlen(good), &t, NULL, NULL), 0);
    const struct toml *key = toml_get(toml_get(t, "a"), "key");
    assert_int_equal(key->key_line, 3);
    assert_int_equal(key->key_col, 3);
    assert_int_equal(key->line, 3);
    assert_int_equal(key->col, 9);
    assert_string_equal(key->str, "v\xc3\xa9");
    assert_memory_equal(
        good + key->begin, "\"v\\u00e9\"", key->end - key->begin);
    const struct toml *b = toml_get(t, "b");
    assert_int_equal(b->kind, TOML_ARRAY);
    const struct toml *e = toml_get(b->child, "\xc3\xa9");
    assert_int_equal(e->i64, 7);
    assert_int_equal(e->line, 5);
    assert_int_equal(e->col, 7);
    assert_null(toml_get(b, "x"));
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
