/* The store's table of operations as processes see it: a step before each,
 * then SQLite itself. Columns of a row that is there are no steps. */
#include "sim/system/process.h"
#include "store/db.h"

extern const struct db_ops __real_db_lite;
extern const struct db_ops __wrap_db_lite;

static void
enter(enum op op)
{
    struct process *p = process_now;
    if (p == NULL)
        return;
    if (p->inside == 0)
        process_step(op);
    p->inside++;
}

static void
leave(void)
{
    if (process_now != NULL)
        process_now->inside--;
}

static int
database_open(struct store *st, struct err *err)
{
    enter(OP_OPEN_STORE);
    if (process_now != NULL)
        process_now->open = st;
    int rc = __real_db_lite.open(st, err);
    leave();
    return rc;
}

static void
database_close(struct store *st)
{
    enter(OP_OPEN_STORE);
    __real_db_lite.close(st);
    if (process_now != NULL)
        process_now->open = NULL;
    leave();
}

void
database_cut(struct store *st)
{
    __real_db_lite.close(st);
}

static int
begin(struct store *st, bool unsynced, struct err *err)
{
    enter(OP_BEGIN);
    int rc = __real_db_lite.begin(st, unsynced, err);
    leave();
    if (process_now != NULL)
        process_now->writing = rc == 0;
    return rc;
}

static int
commit(struct store *st, struct err *err)
{
    enter(OP_COMMIT);
    int rc = __real_db_lite.commit(st, err);
    leave();
    if (process_now != NULL && rc == 0)
        process_now->writing = false;
    return rc;
}

static void
rollback(struct store *st)
{
    enter(OP_COMMIT);
    __real_db_lite.rollback(st);
    leave();
    if (process_now != NULL)
        process_now->writing = false;
}

static int
read_begin(struct store *st, struct err *err)
{
    enter(OP_BEGIN);
    int rc = __real_db_lite.read_begin(st, err);
    leave();
    return rc;
}

static void
read_end(struct store *st)
{
    enter(OP_COMMIT);
    __real_db_lite.read_end(st);
    leave();
}

static int
query(struct store *st, struct db_rows **out, struct err *err, const char *sql,
    const char *fmt, va_list ap)
{
    enter(OP_STATEMENT);
    int rc = __real_db_lite.query(st, out, err, sql, fmt, ap);
    leave();
    return rc;
}

static int
row(struct store *st, struct db_rows *q, struct err *err)
{
    if (process_now != NULL)
        process_now->inside++;
    int rc = __real_db_lite.row(st, q, err);
    leave();
    return rc;
}

static void
end(struct db_rows *q)
{
    __real_db_lite.end(q);
}

static int64_t
changes(struct store *st)
{
    return __real_db_lite.changes(st);
}

static int
exec(struct store *st, const char *sql, struct err *err)
{
    enter(OP_STATEMENT);
    int rc = __real_db_lite.exec(st, sql, err);
    leave();
    return rc;
}

static int
has_table(struct store *st, const char *name, struct err *err)
{
    enter(OP_STATEMENT);
    int rc = __real_db_lite.has_table(st, name, err);
    leave();
    return rc;
}

/* Rows carry SQLite's own table, so columns are read from there. */
static int
lease_lock(struct store *st, uint32_t campaign, struct err *err)
{
    int rc = __real_db_lite.lease_lock(st, campaign, err);
    if (process_now != NULL)
        process_now->holding = rc == 0;
    return rc;
}

static void
lease_unlock(struct store *st, uint32_t campaign)
{
    if (process_now != NULL)
        process_now->holding = false;
    __real_db_lite.lease_unlock(st, campaign);
}

static int
mark_leave(struct store *st, uint32_t campaign, struct err *err)
{
    return __real_db_lite.mark_leave(st, campaign, err);
}

static void
mark_take(struct store *st, uint32_t campaign)
{
    __real_db_lite.mark_take(st, campaign);
}

static bool
is_marked(struct store *st, uint32_t campaign)
{
    return __real_db_lite.is_marked(st, campaign);
}

const struct db_ops __wrap_db_lite = {
    .name = "simulated",
    .open = database_open,
    .close = database_close,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .read_begin = read_begin,
    .read_end = read_end,
    .query = query,
    .row = row,
    .end = end,
    .changes = changes,
    .exec = exec,
    .has_table = has_table,
    .lease_lock = lease_lock,
    .lease_unlock = lease_unlock,
    .mark_leave = mark_leave,
    .mark_take = mark_take,
    .is_marked = is_marked,
};
