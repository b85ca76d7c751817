/* libpq, loaded at its first use. */
#include <dlfcn.h>

#include "store/pg.h"

static int
missing(struct err *err, const char *why)
{
    return err_set(err, -ERR_NOT_FOUND,
        "this workspace keeps its state on a PostgreSQL server, and libpq "
        "can't "
        "be loaded (%s): install Debian's package libpq5",
        why);
}

int
pg_lib_load(const struct pg_lib **out, struct err *err)
{
    static struct pg_lib lib;
    static void *so;
    *out = &lib;
    if (so != NULL)
        return 0;
    so = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (so == NULL)
        return missing(err, dlerror());
        /* POSIX: the address of a function fits a pointer to an object */
#define X(f)                                                                   \
    *(void **)&lib.f = dlsym(so, #f);                                          \
    if (lib.f == NULL)                                                         \
        return missing(err, #f " is not in it");
    PG_CALLS(X)
#undef X
    return 0;
}
