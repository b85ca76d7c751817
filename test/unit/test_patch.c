/* The reader of diffs, the policy, names of trees, and the job's papers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/rng.h"
#include "patch/policy.h"
#include "patch/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char GOOD[] = "diff --git a/src/m.py b/src/m.py\n"
                           "index 1111111..2222222 100644\n"
                           "--- a/src/m.py\n"
                           "+++ b/src/m.py\n"
                           "@@ -1,3 +1,4 @@ def f():\n"
                           " one\n"
                           "-two\n"
                           "+TWO\n"
                           "+and\n"
                           " three\n"
                           "@@ -10,2 +11,1 @@\n"
                           "-ten\n"
                           " eleven\n"
                           "\\ No newline at end of file\n"
                           "diff --git a/src/new.py b/src/new.py\n"
                           "new file mode 100644\n"
                           "index 0000000..1111111\n"
                           "--- /dev/null\n"
                           "+++ b/src/new.py\n"
                           "@@ -0,0 +1,2 @@\n"
                           "+--- a/not a header\n"
                           "+x\n"
                           "diff --git a/src/old.py b/src/old.py\n"
                           "deleted file mode 100755\n"
                           "index 1111111..0000000\n"
                           "--- a/src/old.py\n"
                           "+++ /dev/null\n"
                           "@@ -1 +0,0 @@\n"
                           "-gone\n";

static int
parse(const char *text, size_t n, struct err *err)
{
    struct arena a = {0};
    struct diff d;
    int rc = diff_parse(&a, "t.diff", text, n, &d, err);
    arena_fini(&a);
    return rc;
}

static void
reads_what_git_prints(void **state)
{
    (void)state;
    struct arena a = {0};
    struct diff d;
    struct err err = {0};
    assert_int_equal(diff_parse(&a, "t.diff", GOOD, strlen(GOOD), &d, &err), 0);
    assert_int_equal(d.n_files, 3);
    assert_string_equal(d.file[0].path, "src/m.py");
    assert_int_equal(d.file[0].kind, DIFF_CHANGED);
    assert_int_equal(d.file[0].added, 2);
    assert_int_equal(d.file[0].removed, 2);
    assert_int_equal(d.file[1].kind, DIFF_NEW);
    assert_int_equal(d.file[2].kind, DIFF_DELETED);
    assert_int_equal(d.added, 4);
    assert_int_equal(d.removed, 3);
    char sha[DIFF_SHA_HEX];
    diff_sha256("abc", 3, sha);
    assert_string_equal(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb"
                             "410ff61f20015ad");
    arena_fini(&a);
}

/* A cut diff is never taken for the whole one, but between its files. */
static void
refuses_what_is_cut(void **state)
{
    (void)state;
    struct err err;
    size_t n = strlen(GOOD);
    int taken = 0;
    for (size_t i = 0; i < n; i++) {
        err = (struct err){0};
        int rc = parse(GOOD, i, &err);
        taken += rc == 0;
        assert_true(rc == 0 || (rc == -ERR_INPUT && err.text[0] != '\0'));
        if (rc == 0) /* after a hunk of the first file, or a file */
            assert_true(GOOD[i - 1] == '\n');
    }
    assert_true(taken <= 4);
}

static void
refuses_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"../x", "a/../x", "/etc/passwd", "a//b",
        ".git/config", "a/.GIT/x", ".gitmodules", "a/.gitattributes", "a/./b",
        "a/", "", "-x", "a/--output", "a b", "a\\b", "a:b", "a*b", "a\"b",
        "git~1/x", "a.", "a/b./c", "a\tb"};
    static const char *const good[] = {"a", "a/b.py", "src/x-y_z.c", "A+B@2=x",
        ".hidden/x", "a..b/c", "weights~old"};
    char text[512];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        int n = snprintf(text, sizeof text,
            "--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n", bad[i]);
        if (parse(text, (size_t)n, &err) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_non_null(strstr(err.text, "remedy: "));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct err err = {0};
        int n = snprintf(text, sizeof text,
            "--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n", good[i]);
        if (parse(text, (size_t)n, &err) != 0)
            fail_msg("%s", err.text);
    }
}

/* Whatever is flipped in it: what is accepted has plain paths only, and its
 * counts are those of its lines. */
static void
any_change_is_safe(void **state)
{
    (void)state;
    char text[sizeof GOOD];
    struct rng r;
    size_t n = strlen(GOOD);
    uint32_t taken = 0;
    rng_seed(&r, 5);
    for (int i = 0; i < 20000; i++) {
        struct arena a = {0};
        struct diff d;
        struct err err = {0};
        memcpy(text, GOOD, n);
        for (uint64_t k = 1 + rng_below(&r, 3); k > 0; k--)
            text[rng_below(&r, n)] = (char)rng_below(&r, 256);
        if (diff_parse(&a, "t", text, n, &d, &err) == 0) {
            taken++;
            for (uint32_t f = 0; f < d.n_files; f++) {
                assert_null(strstr(d.file[f].path, ".."));
                assert_true(d.file[f].path[0] != '/');
                assert_null(strchr(d.file[f].path, '\n'));
            }
        }
        arena_fini(&a);
    }
    assert_in_range(taken, 200, 10000);
}

static void
patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool match;
    } cases[] = {{"src/*.py", "src/a.py", true},
        {"src/*.py", "src/a/b.py", false}, {"src/**", "src/a/b.py", true},
        {"src/**", "src", false}, {"**/x.py", "x.py", true},
        {"**/x.py", "a/b/x.py", true}, {"a/**/x.py", "a/x.py", true},
        {"a/**/x.py", "a/b/c/x.py", true}, {"a/**/x.py", "b/x.py", false},
        {"*", "a", true}, {"*", "a/b", false}, {"a?c", "abc", true},
        {"a?c", "a/c", false}, {"a", "ab", false}, {"a/b", "a", false},
        {"a*b*c", "aXbXbYc", true}, {"**/a/**/b", "x/a/a/y/b", true},
        {"src/m.py", "src/m.py", true}, {"src/m.py", "src/m_py", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(cases[i].pattern, cases[i].path) != cases[i].match)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
    /* no pattern takes long */
    char path[240];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*b", path));
    assert_false(glob_match("**/**/**/**/**/**/**/**/b",
        "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"));
}

static struct project *
project_with(const char **paths, uint32_t n)
{
    struct project *p = mem_calloc(1, sizeof *p);
    p->file = "rea.toml";
    p->patch.on = true;
    p->patch.max_lines = 10;
    p->patch.paths = (struct name_list){n, paths};
    return p;
}

static int
policy_of(const struct project *p, const char *path, uint32_t lines)
{
    struct diff d = {.n_files = 1, .added = lines};
    struct err err = {0};
    d.file[0] = (struct diff_file){.path = path, .kind = DIFF_CHANGED};
    return policy_check(p, &d, &err);
}

static void
policy(void **state)
{
    (void)state;
    const char *paths[] = {"src/**", "Makefile"};
    struct project *p = project_with(paths, 2);
    assert_int_equal(policy_of(p, "src/a.py", 1), 0);
    assert_int_equal(policy_of(p, "lib/a.py", 1), -ERR_INPUT);
    assert_int_equal(policy_of(p, "src/a.py", 11), -ERR_LIMIT);
    /* a pattern does not open these, their full name does */
    static const char *const kept[] = {"src/Makefile", "src/setup.py",
        "src/x.cmake", "src/requirements-dev.txt", "src/Dockerfile.gpu",
        "src/.github/w.yml", "src/.env", "src/a/PYPROJECT.TOML",
        "src/conftest.py", "src/lib.so", "src/.hidden/a.py", "src/id.pem"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (policy_of(p, kept[i], 1) == 0)
            fail_msg("%s was let through", kept[i]);
    assert_int_equal(policy_of(p, "Makefile", 1), 0);
    free(p);
}

static void
classes(void **state)
{
    (void)state;
    const char *paths[] = {"**"}, *model[] = {"src/model*"},
               *loss[] = {"src/loss*"}, *gate[] = {"loss"};
    struct project *p = project_with(paths, 1);
    char text[PATCH_CLASS_LEN];
    bool gated = false;
    struct diff d = {.n_files = 2};
    p->patch.classes[0] = (struct patch_class){"loss", {1, loss}};
    p->patch.classes[1] = (struct patch_class){"model", {1, model}};
    p->patch.n_classes = 2;
    p->patch.gate_all = true;
    d.file[0].path = "src/model.py";
    d.file[1].path = "src/loss.py";
    policy_class(p, &d, text, &gated);
    assert_string_equal(text, "loss+model");
    assert_true(gated);
    p->patch.gate_all = false;
    p->patch.gate = (struct name_list){1, gate};
    policy_class(p, &d, text, &gated);
    assert_true(gated);
    d.file[1].path = "README";
    policy_class(p, &d, text, &gated);
    assert_string_equal(text, "model+other");
    assert_false(gated);
    free(p);
}

static void
papers_and_keys(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    struct err err = {0};
    char dir[] = "/tmp/test-patch-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const char *read[] = {"data", "/opt/env with space"}, *env[] = {"PATH"};
    struct sandbox_spec s = {.root = "/w",
        .top = "/w",
        .base_rev = "c0ffee",
        .n_patches = 1,
        .read = {2, read},
        .env = {1, env},
        .run_dir = "/w/.rea/runs/x",
        .terminal = true};
    s.patch[0] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const char *path = fs_join_in(&a, dir, "sandbox.json");
    sandbox_spec_put(&s, &b);
    assert_int_equal(fs_write_atomic(path, buf_str(&b), b.len, false, &err), 0);
    struct sandbox_spec back;
    assert_int_equal(sandbox_spec_read(&a, path, &back, &err), 0);
    assert_string_equal(back.read.v[1], read[1]);
    assert_string_equal(back.patch[0], s.patch[0]);
    assert_true(back.terminal && !back.gpus && back.build == NULL);
    const char *key = tree_key_in(&a, &s);
    assert_string_equal(key, tree_key_in(&a, &back));
    s.build = "make";
    assert_string_not_equal(key, tree_key_in(&a, &s));
    /* what is not whole is refused */
    for (size_t cut = 0; cut + 2 < b.len; cut += 7) {
        (void)fs_write_atomic(path, buf_str(&b), cut, false, &err);
        assert_int_not_equal(sandbox_spec_read(&a, path, &back, &err), 0);
    }
    (void)fs_remove_tree(dir, NULL);
    buf_fini(&b);
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_what_git_prints),
        cmocka_unit_test(refuses_what_is_cut), cmocka_unit_test(refuses_names),
        cmocka_unit_test(any_change_is_safe), cmocka_unit_test(patterns),
        cmocka_unit_test(policy), cmocka_unit_test(classes),
        cmocka_unit_test(papers_and_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
