/* A good checkpoint put where a new attempt looks for it: had, never to be had,
 * and not to be had now. link(2) fails here when it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "wake/part.h"

static int link_fails; /* with this errno; 0: it does not */

int
link(const char *from, const char *to)
{
    if (link_fails != 0) {
        errno = link_fails;
        return -1;
    }
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

struct place {
    char root[64], good[128], own[128];
    struct wake w;
    struct good_mark mark;
};

static int
place_make(void **state)
{
    struct place *p = mem_calloc(1, sizeof *p);
    struct err err = {0};
    snprintf(p->root, sizeof p->root, "/tmp/rea-good-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    snprintf(p->good, sizeof p->good, "%s/a1.good", p->root);
    snprintf(p->own, sizeof p->own, "%s/a2/last", p->root);
    assert_int_equal(fs_write_atomic(p->good, "model", 5, FS_LOOSE, &err), 0);
    p->mark.path = p->good;
    link_fails = 0;
    *state = p;
    return 0;
}

static int
place_drop(void **state)
{
    struct place *p = *state;
    fs_remove_tree(p->root, NULL);
    arena_fini(&p->w.arena);
    free(p);
    return 0;
}

static void
test_put(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    bool done = false;
    for (int i = 0; i < 2; i++) { /* a crash may let it be done again */
        assert_int_equal(good_put(&p->w, &p->mark, p->own, &done, &err), 0);
        assert_true(done);
        assert_int_equal(fs_size(p->own), 5);
    }
}

static void
test_never(void **state)
{
    static const int code[] = {EXDEV, EPERM, EOPNOTSUPP, EMLINK};
    struct place *p = *state;
    struct err err = {0};
    for (size_t i = 0; i < sizeof code / sizeof *code; i++) {
        bool done = true;
        link_fails = code[i];
        assert_int_equal(good_put(&p->w, &p->mark, p->own, &done, &err), 0);
        assert_false(done);
    }
    link_fails = 0;
    unlink(p->good);
    bool done = true;
    assert_int_equal(good_put(&p->w, &p->mark, p->own, &done, &err), 0);
    assert_false(done);
}

/* A disk that fails now must not decide that the attempt begins anew. */
static void
test_not_now(void **state)
{
    static const int code[][2] = {
        {EIO, -ERR_SYS}, {ENOSPC, -ERR_FULL}, {EDQUOT, -ERR_FULL}};
    struct place *p = *state;
    for (size_t i = 0; i < sizeof code / sizeof *code; i++) {
        struct err err = {0};
        bool done = true;
        link_fails = code[i][0];
        assert_int_equal(
            good_put(&p->w, &p->mark, p->own, &done, &err), code[i][1]);
        assert_false(done);
        assert_non_null(strstr(err.text, p->good));
    }
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, place_make, place_drop)
    const struct CMUnitTest tests[] = {
        T(test_put), T(test_never), T(test_not_now)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
