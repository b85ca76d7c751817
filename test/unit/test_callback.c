/* Signed callbacks: what was signed is good, whatever is changed is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fs.h"
#include "wake/callback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char KEY[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const char NONCE[CALLBACK_NONCE_HEX] =
    "0123456789abcdef0123456789abcdef";

static enum callback_verdict
verdict(const char *header, const char *body, int64_t now_s)
{
    char nonce[CALLBACK_NONCE_HEX] = "";
    return callback_check(KEY, header, body, now_s, nonce);
}

static void
what_was_signed_is_good(void **state)
{
    (void)state;
    char header[CALLBACK_HEADER_MAX], body[CALLBACK_BODY_MAX];
    char nonce[CALLBACK_NONCE_HEX];
    callback_body(7, body);
    callback_sign(KEY, body, 1000, NONCE, header);
    /* by another implementation, Python's hmac */
    assert_non_null(strstr(header,
        "v1="
        "468e08f0023f1cfa28a83606b47347ec4b1d331062c8ee05fdebc8cca43d05f6"));
    assert_int_equal(
        callback_check(KEY, header, body, 1000, nonce), CALLBACK_GOOD);
    assert_string_equal(nonce, NONCE);
    assert_int_equal(verdict(header, body, 1300), CALLBACK_GOOD);
    assert_int_equal(verdict(header, body, 1301), CALLBACK_LATE);
    assert_int_equal(verdict(header, body, 699), CALLBACK_LATE);
    assert_int_equal(callback_campaign(body), 7);
}

/* Every byte counts, of the header and of the body. */
static void
whatever_is_changed_is_not(void **state)
{
    (void)state;
    char header[CALLBACK_HEADER_MAX], body[CALLBACK_BODY_MAX];
    callback_body(7, body);
    callback_sign(KEY, body, 1000, NONCE, header);
    for (size_t i = 0; header[i] != '\0'; i++) {
        char old = header[i];
        header[i] = old == '1' ? '2' : '1';
        assert_true(verdict(header, body, 1000) > CALLBACK_GOOD);
        header[i] = old;
    }
    for (size_t i = 0; body[i] != '\0'; i++) {
        char old = body[i];
        body[i] ^= 1;
        assert_int_equal(verdict(header, body, 1000), CALLBACK_FORGED);
        body[i] = old;
    }
    assert_int_equal(verdict(NULL, body, 1000), CALLBACK_UNSIGNED);
    assert_int_equal(verdict("", body, 1000), CALLBACK_UNSIGNED);
    char longer[CALLBACK_HEADER_MAX + 1];
    snprintf(longer, sizeof longer, "%s ", header);
    assert_int_equal(verdict(longer, body, 1000), CALLBACK_UNSIGNED);
    assert_int_equal(
        verdict("t=1000,n=00,v1=00", body, 1000), CALLBACK_UNSIGNED);
}

static void
only_a_campaign_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{}", "C1", "{\"wake\": 1}",
        "{\"wake\": \"C0\"}", "{\"wake\": \"C1 \"}", "{\"wake\": \"J1\"}",
        "{\"wake\": \"C9999999999\"}", "{\"wake\": \"C1\"} x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(callback_campaign(bad[i]), 0);
}

static void
the_key_is_one_and_private(void **state)
{
    (void)state;
    char dir[] = "/tmp/rea-key-XXXXXX", path[64];
    char a[CALLBACK_KEY_HEX], b[CALLBACK_KEY_HEX];
    struct err err = {0};
    struct stat sb;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(callback_key(dir, false, a, &err), -ERR_NOT_FOUND);
    assert_int_equal(callback_key(dir, true, a, &err), 0);
    assert_int_equal(callback_key(dir, true, b, &err), 0);
    assert_string_equal(a, b);
    snprintf(path, sizeof path, "%s/callback.key", dir);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0600);
    assert_int_equal(fs_write_atomic(path, "abc\n", 4, false, &err), 0);
    assert_int_equal(callback_key(dir, true, a, &err), -ERR_CORRUPT);
    fs_remove_tree(dir, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_is_good),
        cmocka_unit_test(whatever_is_changed_is_not),
        cmocka_unit_test(only_a_campaign_is_named),
        cmocka_unit_test(the_key_is_one_and_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
