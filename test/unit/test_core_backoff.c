/* Which retries wait, and how much longer each time. */
#include "core/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"

static int
doublings(uint32_t reason, char class, uint32_t failures, uint32_t attempt)
{
    static struct core c;
    const struct job j = {.trial = 1, .attempt = attempt};
    c.trial[0] = (struct trial){.reason = (uint8_t)reason,
        .class = (uint8_t) class,
        .failures = (uint8_t)failures};
    return core_backoff(&c, &j);
}

static void
what_passes_is_waited_for(void **state)
{
    (void)state;
    for (const char *class = "ABE"; *class != '\0'; class ++) {
        assert_int_equal(doublings(REASON_EXIT, *class, 1, 2), 0);
        assert_int_equal(doublings(REASON_EXIT, *class, 2, 3), 1);
    }
    assert_int_equal(doublings(REASON_DISK_FULL, 0, 1, 2), 0);
}

static void
what_does_not_pass_is_not(void **state)
{
    (void)state;
    for (const char *class = "CDFGHU"; *class != '\0'; class ++)
        assert_int_equal(doublings(REASON_EXIT, *class, 1, 2), -1);
    assert_int_equal(doublings(REASON_OOM, 0, 1, 2), -1);
    assert_int_equal(doublings(REASON_NAN, 0, 1, 2), -1);
    /* the reason says more than the class: it was told to stop */
    assert_int_equal(doublings(REASON_PREEMPTED, 'A', 1, 2), -1);
    assert_int_equal(doublings(REASON_EXIT, 'A', 0, 1), -1); /* the first */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_is_waited_for),
        cmocka_unit_test(what_does_not_pass_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
