/* Which server holds the state of a workspace: `.rea/store`, two lines, the URL
 * and the workspace's id. It is written once, when the workspace is made; all
 * hosts that share the folder read it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/fs.h"
#include "store/pg.h"

enum { PLACE_PATH = STORE_PATH_LEN + 64 };

static void
place_path(const struct store *st, const char *name, char out[PLACE_PATH])
{
    snprintf(out, PLACE_PATH, "%s/%s", st->dir, name);
}

int
pg_place_read(const struct store *st, char url[PG_URL_LEN], uint32_t *workspace,
    struct err *err)
{
    char path[PLACE_PATH];
    struct buf b = {0};
    int end = 0;
    place_path(st, "store", path);
    if (!fs_exists(path))
        return err_set(err, -ERR_NOT_FOUND, "no %s", path);
    int rc = fs_read(path, PG_URL_LEN + 16, &b, err);
    if (rc == 0 && (sscanf(buf_str(&b), "%1023s %8" SCNx32 " %n", url,
                        workspace, &end) != 2 ||
                       (size_t)end != b.len))
        rc = err_set(err, -ERR_CORRUPT,
            "%s is damaged: two lines are to stand there, the server's URL and "
            "the workspace's id; restore it from a copy",
            path);
    buf_fini(&b);
    return rc;
}

static bool
is_url(const char *url)
{
    return strncmp(url, "postgresql://", 13) == 0 ||
           strncmp(url, "postgres://", 11) == 0;
}

static bool
has_password(const struct pg_lib *lib, const char *url)
{
    PQconninfoOption *all = lib->PQconninfoParse(url, NULL);
    bool has = false;
    for (PQconninfoOption *o = all; o != NULL && o->keyword != NULL; o++)
        has = has || (strcmp(o->keyword, "password") == 0 && o->val != NULL);
    lib->PQconninfoFree(all);
    return has;
}

int
pg_url_check(const char *url, struct err *err)
{
    const struct pg_lib *lib;
    char *why = NULL;
    if (!is_url(url) || strlen(url) >= PG_URL_LEN ||
        strcspn(url, " \t\r\n") != strlen(url))
        return err_set(err, -ERR_INPUT,
            "'%.200s': write the URL of a PostgreSQL database, "
            "postgresql://USER@HOST/DATABASE, without spaces",
            url);
    int rc = pg_lib_load(&lib, err);
    if (rc != 0)
        return rc;
    PQconninfoOption *all = lib->PQconninfoParse(url, &why);
    if (all == NULL)
        rc = err_set(err, -ERR_INPUT, "'%.200s': %.*s", url,
            (int)strcspn(why != NULL ? why : "not read", "\n"),
            why != NULL ? why : "not read");
    lib->PQconninfoFree(all);
    lib->PQfreemem(why);
    if (rc == 0 && has_password(lib, url))
        rc = err_set(err, -ERR_INPUT,
            "the URL holds a password, and every user of the workspace would "
            "read it: write it into ~/.pgpass or a service file");
    return rc;
}

/* Exactly one of those who make the same workspace names it. */
int
pg_place_make(const struct store *st, const char *url, uint32_t workspace,
    struct err *err)
{
    char path[PLACE_PATH], text[PG_URL_LEN + 16];
    struct arena a = {0};
    place_path(st, "store", path);
    const char *tmp = fs_tmp_in(&a, path);
    int n = snprintf(text, sizeof text, "%s\n%08" PRIx32 "\n", url, workspace);
    int rc = fs_mkdirs(st->dir, err);
    if (rc == 0)
        rc = fs_write_atomic(tmp, text, (size_t)n, true, err);
    if (rc == 0 && link(tmp, path) != 0 && errno != EEXIST)
        rc = err_sys(err, "write %s", path);
    unlink(tmp);
    arena_fini(&a);
    return rc != 0 ? rc : fs_sync_dir(st->dir, err);
}

int
pg_is_named(struct store *st, bool *named, struct err *err)
{
    char path[PLACE_PATH], url[PG_URL_LEN];
    const char *wanted = getenv("REA_STORE");
    place_path(st, "store", path);
    *named = fs_exists(path);
    if (!*named && st->mode == STORE_CREATE && wanted != NULL &&
        wanted[0] != '\0') {
        place_path(st, "rea.db", path);
        if (fs_exists(path)) /* the workspace has a database already */
            return 0;
        int rc = pg_url_check(wanted, err);
        if (rc == 0)
            rc = pg_place_make(st, wanted, randombytes_random(), err);
        if (rc != 0)
            return rc;
        *named = true;
    }
    return *named ? pg_place_read(st, url, &st->workspace, err) : 0;
}

bool
store_is_remote(const char *root)
{
    char path[PLACE_PATH];
    const char *wanted = getenv("REA_STORE");
    snprintf(path, sizeof path, "%.1023s/.rea/store", root);
    if (fs_exists(path))
        return true;
    snprintf(path, sizeof path, "%.1023s/.rea/rea.db", root);
    return wanted != NULL && wanted[0] != '\0' && !fs_exists(path);
}
