/* Finding, making and opening a workspace, with the database that it has. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "store/lite.h"
#include "store/pg.h"

int
store_find(const char *start, struct buf *root, struct err *err)
{
    char path[STORE_PATH_LEN];
    char *real = realpath(start, NULL);
    if (real == NULL)
        return err_set(err, -ERR_NOT_FOUND, "no folder %s", start);
    size_t n = strlen(real);
    while (n > 0 && n + 8 < sizeof path) {
        snprintf(path, sizeof path, "%.*s/.rea", (int)n, real);
        if (fs_is_dir(path)) {
            buf_clear(root);
            buf_add(root, real, n);
            free(real);
            return 0;
        }
        while (n > 0 && real[--n] != '/')
            ;
    }
    free(real);
    return err_set(err, -ERR_NOT_FOUND,
        "no workspace at %s or above it (no folder .rea); `rea init` writes a "
        "project file, `rea plan` makes the workspace",
        start);
}

static int
path_make(char out[STORE_PATH_LEN], const char *dir, const char *name,
    struct err *err)
{
    int n = snprintf(out, STORE_PATH_LEN, "%s/%s", dir, name);
    if (n < 0 || n >= STORE_PATH_LEN - 64)
        return err_set(err, -ERR_LIMIT, "path is too long: %s/%s", dir, name);
    return 0;
}

bool
store_reserve_release(struct store *st)
{
    char path[STORE_PATH_LEN + 16];
    snprintf(path, sizeof path, "%s/reserve", st->dir);
    return unlink(path) == 0;
}

static int
folders_make(struct store *st, struct err *err)
{
    char path[STORE_PATH_LEN + 16];
    static const char *const names[] = {"lease", "runs", "jobs"};
    int rc = fs_mkdirs(st->dir, err);
    for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", st->dir, names[i]);
        rc = fs_mkdirs(path, err);
    }
    return rc;
}

static bool
folders_are_there(const struct store *st)
{
    char path[STORE_PATH_LEN + 16];
    snprintf(path, sizeof path, "%s/lease", st->dir);
    return fs_is_dir(path);
}

/* SQLite, unless the workspace names a server. */
static int
driver_choose(struct store *st, struct err *err)
{
    const char *kind = NULL;
    bool remote = false;
    int rc = pg_is_named(st, &remote, err);
    if (rc != 0)
        return rc;
    st->ops = remote ? &db_pg : &db_lite;
    if (remote || !fs_is_network(st->root, &kind))
        return 0;
    return err_set(err, -ERR_REFUSED,
        "%s is on network storage (%s): locks and SQLite's log are not safe "
        "there; keep the state on a PostgreSQL server (REA_STORE, see "
        "docs/hosts.md), or move the workspace to a local disk (the data may "
        "stay)",
        st->root, kind);
}

static int
store_start(struct store *st, const char *root, struct err *err)
{
    char *real = realpath(root, NULL);
    if (real == NULL)
        return err_set(err, -ERR_NOT_FOUND, "no folder %s", root);
    snprintf(st->root, sizeof st->root, "%s", real);
    free(real);
    int rc = path_make(st->dir, st->root, ".rea", err);
    if (rc != 0)
        return rc;
    if (st->mode != STORE_CREATE && !fs_is_dir(st->dir))
        return err_set(err, -ERR_NOT_FOUND,
            "%s is no workspace (no folder .rea); `rea plan` makes it",
            st->root);
    rc = driver_choose(st, err);
    /* a workspace that came back from a backup may hold the database alone */
    if (rc == 0 && (st->mode == STORE_CREATE ||
                       (st->mode == STORE_WRITE && !folders_are_there(st))))
        rc = folders_make(st, err);
    return rc != 0 ? rc : st->ops->open(st, err);
}

int
store_open(
    const char *root, enum store_mode mode, struct store **out, struct err *err)
{
    struct store *st = mem_calloc(1, sizeof *st);
    st->mode = mode;
    int rc = store_start(st, root, err);
    if (rc != 0) {
        store_close(st);
        return rc;
    }
    *out = st;
    return 0;
}

void
store_close(struct store *st)
{
    if (st == NULL)
        return;
    store_rollback(st);
    if (st->ops != NULL)
        st->ops->close(st);
    free(st);
}

bool
store_has_hosts(const struct store *st)
{
    return st->ops == &db_pg;
}

void
store_place(const struct store *st, struct buf *out)
{
    if (store_has_hosts(st))
        buf_puts(out, ((const struct pg *)st->driver)->url);
    else
        fs_join(out, st->dir, "rea.db");
}

const char *
store_root(const struct store *st)
{
    return st->root;
}

const char *
store_dir(const struct store *st)
{
    return st->dir;
}

uint32_t
store_workspace_id(const struct store *st)
{
    return st->workspace;
}

void
store_token(const struct store *st, uint32_t campaign, uint32_t job,
    char out[STORE_TOKEN_LEN])
{
    snprintf(out, STORE_TOKEN_LEN, "rea-%08" PRIx32 "-C%" PRIu32 "-J%" PRIu32,
        st->workspace, campaign, job);
}

bool
store_token_parse(const struct store *st, const char *token, uint32_t *campaign,
    uint32_t *job)
{
    char again[STORE_TOKEN_LEN];
    uint32_t c = 0, j = 0;
    if (strlen(token) < 14 || token[12] != '-' ||
        sscanf(token + 12, "-C%10" SCNu32 "-J%10" SCNu32, &c, &j) != 2)
        return false;
    store_token(st, c, j, again);
    *campaign = c;
    *job = j;
    return strcmp(again, token) == 0;
}
