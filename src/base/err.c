/* Error texts and their exit codes. Called everywhere a call can fail. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code, exit;
    const char *text;
} err_table[] = {
#define X(name, code, exit, text) {code, exit, text},
    ERR_LIST(X)
#undef X
};

int
err_set(struct err *e, int code, const char *fmt, ...)
{
    if (e == NULL)
        return code;
    va_list ap;
    va_start(ap, fmt);
    e->code = code;
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return code;
}

int
err_wrap(struct err *e, int code, const char *fmt, ...)
{
    if (e == NULL)
        return code;
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->code = code;
    size_t at = n < 0 ? 0 : (size_t)n;
    /* what no longer fits at the end is cut: the front says where */
    if (at + 3 < sizeof e->text) {
        size_t room = sizeof e->text - at - 3;
        size_t n_old = strnlen(old, room);
        memcpy(e->text + at, ": ", 2);
        memcpy(e->text + at + 2, old, n_old);
        e->text[at + 2 + n_old] = '\0';
    }
    return code;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    int code = saved == ENOSPC || saved == EDQUOT ? -ERR_FULL : -ERR_SYS;
    if (e == NULL)
        return code;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->code = code;
    size_t at = n < 0 ? 0 : (size_t)n;
    if (at + 3 < sizeof e->text)
        snprintf(e->text + at, sizeof e->text - at, ": %s", strerror(saved));
    return code;
}

int
err_exit(int code)
{
    if (code >= 0)
        return 0;
    for (size_t i = 0; i < sizeof err_table / sizeof err_table[0]; i++)
        if (err_table[i].code == -code)
            return err_table[i].exit;
    return 1;
}

const char *
err_name(int code)
{
    for (size_t i = 0; i < sizeof err_table / sizeof err_table[0]; i++)
        if (err_table[i].code == -code)
            return err_table[i].text;
    return code == 0 ? "ok" : "error";
}
