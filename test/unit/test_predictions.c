/* The reader of predictions files: what a job writes is read or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/fs.h"
#include "wake/predictions.h"

struct row {
    const char *text;
    int rc;
    size_t n;
    double score; /* of the last row */
    uint32_t groups;
};

static void
test_table(void **state)
{
    static const struct row table[] = {
        {"1\t0\t0.25\n2\t1\t0.75\n", 0, 2, .75, 0},
        {"id,label,score\n1,0,0.25\n2,1,1e-3\n", 0, 2, 1e-3, 0},
        {"a 1 0.5\nb 0 0.25", 0, 2, .25, 0},
        {"1,1,0.5,u1\n2,0,0.4,u2\n3,0,0.3,u1\n", 0, 3, .3, 2},
        {"1,-1,0.5\n2,1,0.4\n", 0, 2, .4, 0},
        {"\n\n1,1,0.5\n\n", 0, 1, .5, 0},
        {"1,1,-3.5\r\n2,0,2\r\n", 0, 2, 2, 0},
        {"", -ERR_INPUT, 0, 0, 0},
        {"id,label,score\n", -ERR_INPUT, 0, 0, 0},
        {"1,1,0.5\n2,2,0.4\n", -ERR_INPUT, 0, 0, 0},
        {"1,1,0.5\n2,0,nan\n", -ERR_INPUT, 0, 0, 0},
        {"1,1,0.5\n2,0,inf\n", -ERR_INPUT, 0, 0, 0},
        {"1,1,0.5\n2,0\n", -ERR_INPUT, 0, 0, 0},
        {"1,1,0.5\n2,0,0.4,u1\n", -ERR_INPUT, 0, 0, 0},
        {"1,1,0.5\n2,0,0.4x\n", -ERR_INPUT, 0, 0, 0},
        {"\x01\xff\xfe\n\x02\n", -ERR_INPUT, 0, 0, 0},
    };
    char path[] = "/tmp/rea-rows-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct row *r = &table[i];
        struct predictions p;
        struct err err = {0};
        assert_int_equal(
            fs_write_atomic(path, r->text, strlen(r->text), false, &err), 0);
        int rc = predictions_read(path, &p, &err);
        if (rc != r->rc)
            print_message("row %zu: %s\n", i, err.text);
        assert_int_equal(rc, r->rc);
        if (rc == 0) {
            assert_int_equal(p.n, r->n);
            assert_true(p.score[p.n - 1] == r->score);
            assert_int_equal(p.groups, r->groups);
        }
        predictions_fini(&p);
    }
    unlink(path);
    struct predictions p;
    assert_int_equal(predictions_read(path, &p, NULL), -ERR_NOT_FOUND);
    predictions_fini(&p);
    (void)state;
}

/* Files of the same rows have the same id, others do not. */
static void
test_rows_id(void **state)
{
    static const char *const text[] = {"1,1,0.5\n2,0,0.4\n",
        "1\t1\t0.1\n2\t0\t0.9\n", "2,0,0.4\n1,1,0.5\n", "1,0,0.5\n2,0,0.4\n",
        "1,1,0.5\n"};
    uint64_t id[5];
    char path[] = "/tmp/rea-rows-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < 5; i++) {
        struct predictions p;
        assert_int_equal(
            fs_write_atomic(path, text[i], strlen(text[i]), false, NULL), 0);
        assert_int_equal(predictions_read(path, &p, NULL), 0);
        id[i] = p.rows_id;
        predictions_fini(&p);
    }
    unlink(path);
    assert_true(id[0] == id[1]);
    for (int i = 2; i < 5; i++)
        assert_true(id[0] != id[i]);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table), cmocka_unit_test(test_rows_id)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
