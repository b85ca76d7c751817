/* Files, hashes and JSON of base. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int stat_fails;

/* Stands before the C library's. */
int
stat(const char *path, struct stat *out)
{
    if (stat_fails == 0)
        return fstatat(AT_FDCWD, path, out, 0);
    errno = stat_fails;
    return -1;
}

static char dir[] = "/tmp/rea-fs-XXXXXX";

static int
setup(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    return fs_remove_tree(dir, NULL);
}

static void
test_together(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    struct buf b = {0};
    (void)state;
    const char *work = fs_join_in(&a, dir, "run/work");
    assert_int_equal(fs_mkdirs(work, &err), 0);
    const struct fs_small file[] = {{fs_join_in(&a, work, "knobs"), "k", 1},
        {fs_join_in(&a, dir, "run/spec"), "spec", 4},
        {fs_join_in(&a, dir, "run/none/spec"), "spec", 4}};
    for (int durable = 0; durable < 2; durable++) {
        enum fs_durable how = durable ? FS_DURABLE : FS_LOOSE;
        assert_int_equal(fs_write_together(file, 2, how, &err), 0);
        /* what failed says where; what was written before it stays */
        assert_int_equal(fs_write_together(file, 3, how, &err), -ERR_NOT_FOUND);
        assert_non_null(strstr(err.text, "run/none/spec"));
        for (int i = 0; i < 2; i++) {
            buf_clear(&b);
            assert_int_equal(fs_read(file[i].path, 0, &b, &err), 0);
            assert_string_equal(buf_str(&b), file[i].data);
        }
    }
    /* a disk that fails is not the same as what is not there */
    int64_t ms = 0;
    assert_int_equal(fs_mtime_look(file[0].path, &ms, &err), 0);
    assert_true(ms > 0 && ms == fs_mtime_ms(file[0].path));
    assert_int_equal(fs_mtime_look(file[2].path, &ms, &err), 0);
    assert_int_equal(ms, -1);
    stat_fails = EIO;
    assert_int_equal(fs_mtime_look(file[0].path, &ms, &err), -ERR_SYS);
    stat_fails = EACCES; /* what a job did to its own folder */
    assert_int_equal(fs_mtime_look(file[0].path, &ms, &err), 0);
    assert_int_equal(ms, -1);
    stat_fails = 0;
    const char **names;
    size_t n;
    assert_int_equal(fs_list_in(&a, fs_dir_in(&a, work), &names, &n, &err), 0);
    assert_int_equal(n, 2); /* work and spec: no other file is left */
    assert_int_equal(fs_sync_file(file[0].path, &err), 0);
    assert_int_equal(fs_sync_file(file[2].path, &err), -ERR_NOT_FOUND);
    buf_fini(&b);
    arena_fini(&a);
}

static void
test_files(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    struct buf b = {0};
    (void)state;
    const char *path = fs_join_in(&a, dir, "x/y/f");
    assert_int_equal(fs_read(path, 0, &b, &err), -ERR_NOT_FOUND);
    assert_int_equal(fs_write_atomic(path, "a", 1, true, &err), -ERR_NOT_FOUND);
    assert_int_equal(fs_mkdirs(fs_dir_in(&a, path), &err), 0);
    assert_int_equal(fs_mkdirs(fs_dir_in(&a, path), &err), 0);
    assert_int_equal(fs_write_atomic(path, "hello", 5, true, &err), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(fs_write_atomic(path, "hello!", 6, true, &err), 0);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(fs_append(path, "?", 1, &err), 0);
    assert_int_equal(fs_read(path, 7, &b, &err), 0);
    assert_string_equal(buf_str(&b), "hello!?");
    assert_int_equal(fs_read(path, 6, &b, &err), -ERR_LIMIT);
    assert_int_equal(fs_read(dir, 0, &b, &err), -ERR_INPUT);
    assert_int_equal(fs_size(path), 7);
    assert_true(fs_is_file(path) && fs_is_dir(dir) && !fs_exists("/no/no"));
    const char **names;
    size_t n;
    assert_int_equal(fs_list_in(&a, fs_dir_in(&a, path), &names, &n, &err), 0);
    assert_int_equal(n, 1); /* no temporary file is left */
    assert_string_equal(fs_base(path), "f");
    assert_string_equal(fs_join_in(&a, ".", "f"), "f");
    assert_string_equal(fs_join_in(&a, "d/", "f"), "d/f");
    assert_string_equal(fs_join_in(&a, "d", "/f"), "/f");
    assert_string_equal(fs_dir_in(&a, "/f"), "/");
    /* A file where a folder should be. */
    assert_int_equal(fs_mkdirs(fs_join_in(&a, path, "z"), &err), -ERR_SYS);
    assert_int_equal(fs_remove(path, &err), 0);
    assert_int_equal(fs_remove(path, &err), 0);
    assert_true(fs_free_bytes(dir) > 0);
    assert_false(fs_is_network(dir, NULL));
    buf_fini(&b);
    arena_fini(&a);
}

static void
test_clocks(void **state)
{
    char id[FS_BOOT_ID], again[FS_BOOT_ID];
    (void)state;
    int64_t t = fs_boot_ms(), u = fs_mono_us();
    usleep(2000);
    assert_true(fs_boot_ms() >= t + 1 && fs_mono_us() >= u + 1500);
    assert_true(fs_now_ms() > 1600000000000);
    fs_boot_id(id);
    fs_boot_id(again);
    assert_string_equal(id, again);
}

static void
tree(struct arena *a, const char *top, const char *text)
{
    const char *sub = fs_join_in(a, fs_join_in(a, dir, top), "s");
    assert_int_equal(fs_mkdirs(sub, NULL), 0);
    assert_int_equal(fs_write_atomic(fs_join_in(a, sub, "f"), text,
                         strlen(text), false, NULL),
        0);
}

static void
test_hash(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    char x[FS_HASH_HEX], y[FS_HASH_HEX];
    (void)state;
    tree(&a, "h1", "text");
    tree(&a, "h2", "text");
    assert_int_equal(fs_hash(fs_join_in(&a, dir, "h1"), x, &err), 0);
    assert_int_equal(fs_hash(fs_join_in(&a, dir, "h2"), y, &err), 0);
    assert_string_equal(x, y);
    tree(&a, "h2", "texu");
    assert_int_equal(fs_hash(fs_join_in(&a, dir, "h2"), y, &err), 0);
    assert_string_not_equal(x, y);
    tree(&a, "h2", "text");
    assert_int_equal(symlink("s", fs_join_in(&a, dir, "h2/l")), 0);
    assert_int_equal(fs_hash(fs_join_in(&a, dir, "h2"), y, &err), 0);
    assert_string_not_equal(x, y);
    assert_int_equal(
        fs_hash(fs_join_in(&a, dir, "none"), y, &err), -ERR_NOT_FOUND);
    assert_int_equal(mkfifo(fs_join_in(&a, dir, "h2/p"), 0600), 0);
    assert_int_equal(fs_hash(fs_join_in(&a, dir, "h2"), y, &err), -ERR_INPUT);
    fs_hash_bytes("", 0, x); /* BLAKE2b-256 of nothing, RFC 7693's function */
    assert_string_equal(x, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787f"
                           "aab45cdf12fe3a8");
    arena_fini(&a);
}

static void
test_json_read(void **state)
{
    static const char text[] = "{\"b\": [1, 2.5, \"x\\u0000y\", true, null], "
                               "\"a\": 9007199254740993, \"c\": {}}";
    static const char *const bad[] = {"", "{", "[1,]", "{\"a\":1,\"a\":2}",
        "NaN", "\"\xff\"", "1e999", "[1] 2", "{'a':1}"};
    struct err err = {0};
    struct buf b = {0};
    const char *key = NULL;
    (void)state;
    struct json *j = json_parse(text, strlen(text), &err);
    assert_non_null(j);
    assert_int_equal(json_get_i64(j, "a", 0), 9007199254740993);
    const struct json *arr = json_get(j, "b");
    assert_int_equal(json_len(arr), 5);
    assert_true(json_num(json_at(arr, 1), 0) == 2.5);
    assert_int_equal(json_str_len(json_at(arr, 2)), 3);
    assert_true(json_bool(json_at(arr, 3), false));
    assert_int_equal(json_kind(json_at(arr, 4)), J_NULL);
    assert_int_equal(json_kind(json_at(arr, 5)), J_NONE);
    assert_int_equal(json_kind(json_get(NULL, "x")), J_NONE);
    assert_true(json_get_num(j, "c", 7) == 7);
    assert_non_null(json_member(j, 1, &key));
    assert_string_equal(key, "a");
    assert_null(json_member(j, 3, &key));
    json_dump(json_get(j, "c"), &b);
    assert_string_equal(buf_str(&b), "{}");
    json_free(j);
    json_free(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err.text[0] = '\0';
        assert_null(json_parse(bad[i], strlen(bad[i]), &err));
        assert_true(err.text[0] >= '0' && err.text[0] <= '9');
    }
    buf_fini(&b);
}

static void
test_json_write(void **state)
{
    struct buf b = {0};
    struct jw w;
    struct err err = {0};
    (void)state;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "s", "q\"\\\n\x01\x7f\xc3\xa9\xff\xed\xa0\x80");
    jw_kf64(&w, "x", 0.1);
    jw_kf64(&w, "nan", NAN);
    jw_key(&w, "a");
    jw_arr_begin(&w);
    jw_i64(&w, INT64_MIN);
    jw_u64(&w, UINT64_MAX);
    jw_str(&w, NULL);
    jw_strn(&w, "a\0b", 3);
    jw_obj_begin(&w);
    jw_obj_end(&w);
    jw_raw(&w, "[1]");
    jw_printf(&w, "%d%%", 5);
    jw_arr_end(&w);
    jw_kbool(&w, "b", true);
    jw_obj_end(&w);
    assert_string_equal(buf_str(&b),
        "{\"s\":\"q\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
        "\xef\xbf\xbd\xef\xbf\xbd\",\"x\":0.1,\"nan\":null,\"a\":["
        "-9223372036854775808,18446744073709551615,null,\"a\\u0000b\",{},[1],"
        "\"5%\"],\"b\":true}");
    buf_clear(&b);
    jw_init(&w, &b, 2);
    jw_arr_begin(&w);
    jw_f64(&w, 1e300);
    jw_obj_begin(&w);
    jw_ki64(&w, "k", 1);
    jw_obj_end(&w);
    jw_arr_end(&w);
    assert_string_equal(buf_str(&b), "[\n  1e+300,\n  {\n    \"k\": 1\n  }\n]");
    struct json *j = json_parse(buf_str(&b), b.len, &err);
    assert_non_null(j);
    json_free(j);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_json_read),
        cmocka_unit_test(test_json_write),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
