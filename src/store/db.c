/* The calls of db.h on whatever database the workspace has. */
#include "store/db.h"

#include <assert.h>
#include <stdio.h>

int
db_query(struct store *st, struct db_rows **out, struct err *err,
    const char *sql, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = st->ops->query(st, out, err, sql, fmt, ap);
    va_end(ap);
    return rc;
}

int
db_run(struct store *st, struct err *err, const char *sql, const char *fmt, ...)
{
    struct db_rows *q = NULL;
    va_list ap;
    va_start(ap, fmt);
    int rc = st->ops->query(st, &q, err, sql, fmt, ap);
    va_end(ap);
    if (rc != 0)
        return rc;
    rc = db_row(st, q, err);
    assert(rc != 1);
    return rc;
}

int
db_row(struct store *st, struct db_rows *q, struct err *err)
{
    return st->ops->row(st, q, err);
}

void
db_end(struct db_rows *q)
{
    q->ops->end(q);
}

int64_t
db_changes(struct store *st)
{
    return st->ops->changes(st);
}

int64_t
db_int(struct db_rows *q, int i)
{
    return q->ops->integer(q, i);
}

double
db_real(struct db_rows *q, int i)
{
    return q->ops->real(q, i);
}

const char *
db_str(struct db_rows *q, int i)
{
    return q->ops->text(q, i);
}

const void *
db_blob(struct db_rows *q, int i)
{
    return q->ops->blob(q, i);
}

size_t
db_bytes(struct db_rows *q, int i)
{
    return q->ops->bytes(q, i);
}

bool
db_is_null(struct db_rows *q, int i)
{
    return q->ops->is_null(q, i);
}

void
db_text(struct db_rows *q, int i, char *out, size_t cap)
{
    const char *s = db_str(q, i);
    snprintf(out, cap, "%s", s != NULL ? s : "");
}
