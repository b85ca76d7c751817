/* Templates of scheduler commands, what such commands print, and signatures of
 * messages: pure texts, by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/hmac.h"
#include "jobs/submission.h"
#include "project/backend.h"

static void
test_words(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        enum scheduler_word word;
    } rows[] = {
        {"PENDING\n", WORD_PENDING},
        {"  running extra words", WORD_RUNNING},
        {"qw", WORD_PENDING},
        {"hqw\n", WORD_PENDING},
        {"R", WORD_RUNNING},
        {"Completed", WORD_DONE},
        {"C", WORD_DONE},
        {"CANCELLED+\n", WORD_CANCELLED},
        {"CANCELLED by 0", WORD_CANCELLED},
        {"TIMEOUT", WORD_TIMEOUT},
        {"OUT_OF_MEMORY", WORD_OOM},
        {"NODE_FAIL", WORD_NODE_FAIL},
        {"gone", WORD_GONE},
        {"", WORD_UNKNOWN},
        {" \n", WORD_UNKNOWN},
        {"slurm_load_jobs error: x", WORD_UNKNOWN},
        {"UNKNOWN", WORD_UNKNOWN},
        {"runn", WORD_UNKNOWN},
        {"a_word_that_is_longer_than_any_state_word_is", WORD_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (scheduler_word_of(rows[i].said) != rows[i].word)
            fail_msg("'%s'", rows[i].said);
    }
}

static void
test_ids(void **state)
{
    (void)state;
    static const struct {
        const char *said, *id; /* id NULL: none */
    } rows[] = {
        {"123\n", "123"},
        {"Submitted batch job 4711\n", "4711"},
        {"warning: x\n99.host\n\n", "99.host"},
        {"12;cluster", "12;cluster"},
        {"", NULL},
        {" \n", NULL},
        {"job -rf", NULL},
        {"12\x01", NULL},
    };
    char id[SUBMISSION_ID_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool got = scheduler_id_of(rows[i].said, id);
        if (got != (rows[i].id != NULL) || (got && strcmp(id, rows[i].id) != 0))
            fail_msg("'%s'", rows[i].said);
    }
    char wide[200];
    snprintf(wide, sizeof wide, "%0150d", 7);
    assert_false(scheduler_id_of(wide, id));
}

static void
test_templates(void **state)
{
    (void)state;
    static const struct var vars[] = {{"id", "7"}, {"script", "/a b/x'y.sh"}};
    static const struct {
        const char *text;
        bool shell;
        const char *words; /* joined by '|'; NULL: refused */
    } rows[] = {
        {"qstat {id}", false, "qstat|7"},
        {"run \"{script}\" -n", false, "run|/a b/x'y.sh|-n"},
        {"run {script}", true, "/bin/sh|-c|run '/a b/x'\\''y.sh'"},
        {"squeue -j {id} | awk '{{print $1}}'", true,
            "/bin/sh|-c|squeue -j 7 | awk '{print $1}'"},
        {"x ${HOME} {id}", true, "/bin/sh|-c|x ${HOME} 7"},
        {"qstat {idd}", false, NULL},
        {"qstat {id", false, NULL},
        {"qstat 'open", false, NULL},
        {"", false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena a = {0};
        struct buf b = {0};
        struct err e = {0};
        const char **argv = NULL;
        int rc = backend_command_in(
            &a, rows[i].text, rows[i].shell, vars, 2, &argv, &e);
        for (size_t k = 0; rc == 0 && argv[k] != NULL; k++)
            buf_printf(&b, "%s%s", k > 0 ? "|" : "", argv[k]);
        if ((rc == 0) != (rows[i].words != NULL) ||
            (rc == 0 && strcmp(buf_str(&b), rows[i].words) != 0))
            fail_msg("'%s' -> %d '%s'", rows[i].text, rc, buf_str(&b));
        buf_fini(&b);
        arena_fini(&a);
    }
}

/* RFC 4231, test cases 1, 2 and 6. */
static void
test_hmac(void **state)
{
    (void)state;
    char key[131], hex[HMAC_HEX];
    const char *six = "Test Using Larger Than Block-Size Key - Hash Key First";
    memset(key, 0x0b, 20);
    hmac_sha256(key, 20, "Hi There", 8, hex);
    assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b"
                             "881dc200c9833da726e9376c2e32cff7");
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c7"
                             "5a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    hmac_sha256(key, sizeof key, six, strlen(six), hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f"
                             "8e0bc6213728c5140546040f0ee37f54");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_hmac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
