/* Secrets out of texts, plain texts left as they are, control characters out
 * of what is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/redact.h"

#include <string.h>

static void
secrets(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"password=hunter2hunter2 next", "password=*** next"},
        {"DB_PASSWORD: 's3cr3t-word'", "DB_PASSWORD: '***'"},
        {"{\"api_key\": \"abcdef123\", \"n\": 1}",
            "{\"api_key\": \"***\", \"n\": 1}"},
        {"Authorization: Bearer abc.def-123", "Authorization: Bearer ***"},
        {"AUTHORIZATION=Basic dXNlcjpwYXNz", "AUTHORIZATION=Basic ***"},
        {"at https://user:pa55word@host/x", "at https://***@host/x"},
        {"key sk-abcdefghijklmnopqrstuvwx.", "key ***"},
        {"AWS AKIAIOSFODNN7EXAMPLE ok", "AWS *** ok"},
        {"hf_abcdefghijklmnopqrstuvwxyz", "***"},
        {"-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----",
            "***-----END EC PRIVATE KEY-----"},
        {"my.secret = abcdefgh;x", "my.secret = ***;x"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        redact_put(cases[i][0], strlen(cases[i][0]), &b);
        assert_string_equal(buf_str(&b), cases[i][1]);
        buf_fini(&b);
    }
}

static void
plain_texts_stay(void **state)
{
    (void)state;
    static const char *const same[] = {"step 12 loss 0.51 auc 0.7431",
        "tokens: 128000, tokens_per_second=5123.5", "token=12", "auth: none",
        "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0)",
        "sk-learn 1.2.3", "https://host/path?x=1@2", "author=somebody-long",
        "loading data/train.csv: 39291954 rows", "password:", "secretary=annie",
        "-----BEGIN CERTIFICATE-----"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct buf b = {0};
        redact_put(same[i], strlen(same[i]), &b);
        assert_string_equal(buf_str(&b), same[i]);
        buf_fini(&b);
    }
}

static void
terminals_are_left_alone(void **state)
{
    (void)state;
    static const char in[] = "a\x1b[2J\tb\r\n\x7f\xc2\x9b"
                             "c\xff\xe2\x80\xae\xc3\xa9\0d";
    struct buf b = {0};
    plain_put(in, sizeof in - 1, &b);
    assert_string_equal(buf_str(&b), "a?[2J\tb?\n??c??\xc3\xa9?d");
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(secrets),
        cmocka_unit_test(plain_texts_stay),
        cmocka_unit_test(terminals_are_left_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
