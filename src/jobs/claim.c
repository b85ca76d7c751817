/* Claims: one small file a token in jobs_dir, made by link(2) so that exactly
 * one process wins and nobody sees half of it. Used by the backends. */
#include "jobs/claim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

enum { CLAIM_BYTES_MAX = 1 << 20 };

void
claim_path(const struct jobs *j, const char *token, struct buf *out)
{
    fs_join(out, j->jobs_dir, token);
}

int
claim_read(
    const struct jobs *j, const char *token, struct claim *out, struct err *err)
{
    *out = (struct claim){0};
    struct buf path = {0};
    struct err e = {0};
    claim_path(j, token, &path);
    out->json = json_read(buf_str(&path), CLAIM_BYTES_MAX, &e);
    buf_fini(&path);
    if (out->json == NULL)
        return err_set(err, e.code == -ERR_INPUT ? -ERR_CORRUPT : e.code,
            "claim: %s", e.text);
    out->pid = json_get_i64(out->json, "pid", 0);
    out->start = (uint64_t)json_get_i64(out->json, "start", 0);
    const char *boot = json_get_str(out->json, "boot_id");
    const char *host = json_get_str(out->json, "host");
    const char *run_dir = json_get_str(out->json, "run_dir");
    const char *of = json_get_str(out->json, "token");
    if (run_dir == NULL || of == NULL || strcmp(of, token) != 0)
        return err_set(err, -ERR_CORRUPT, "claim of %s is not whole", token);
    snprintf(out->boot_id, sizeof out->boot_id, "%s", boot == NULL ? "" : boot);
    snprintf(out->host, sizeof out->host, "%s", host == NULL ? "" : host);
    out->deadline_ms = json_get_i64(out->json, "deadline_ms", 0);
    out->run_dir = mem_strdup(run_dir);
    return 0;
}

void
claim_fini(struct claim *c)
{
    free(c->run_dir);
    json_free(c->json);
    *c = (struct claim){0};
}

void
handle_put(struct job_handle *h, const char *kind, const char *token)
{
    snprintf(h->text, sizeof h->text, "%s:%s", kind, token);
}

int
handle_token(const struct job_handle *h, const char *kind, const char **token,
    struct err *err)
{
    size_t n = strlen(kind);
    if (strncmp(h->text, kind, n) != 0 || h->text[n] != ':')
        return err_set(err, -ERR_INPUT,
            "'%s' is no handle of backend %s: was [backend] kind changed "
            "while jobs ran?",
            h->text, kind);
    *token = h->text + n + 1;
    return token_check(*token, err);
}

int
file_create(const char *path, const struct buf *content, enum created how,
    struct err *err)
{
    struct arena a = {0};
    const char *tmp = fs_tmp_in(&a, path);
    int rc = fs_write_atomic(tmp, buf_str(content), content->len,
        how == CREATED_WHOLE ? FS_DURABLE : FS_LOOSE, err);
    if (rc == 0 && link(tmp, path) != 0)
        rc = errno == EEXIST ? 1 : err_sys(err, "link %s", path);
    unlink(tmp);
    if (rc == 0 && how == CREATED_WHOLE)
        rc = fs_sync_dir(fs_dir_in(&a, path), err);
    if (rc == 0 && how == CREATED_FIRST)
        rc = fs_sync_file(path, err);
    arena_fini(&a);
    return rc;
}

int
claim_find(struct jobs *j, const char *kind, const char *token,
    struct job_handle *out, struct err *err)
{
    struct buf path = {0};
    claim_path(j, token, &path);
    bool there = fs_is_file(buf_str(&path));
    buf_fini(&path);
    if (!there)
        return err_set(err, -ERR_NOT_FOUND, "no job claimed %s", token);
    handle_put(out, kind, token);
    return 0;
}

int
claim_logs(struct jobs *j, const struct job_handle *h, size_t max,
    struct buf *out, struct err *err)
{
    const char *token;
    struct claim c = {0};
    int rc = handle_token(h, j->ops->name, &token, err);
    if (rc != 0)
        return rc;
    rc = claim_read(j, token, &c, err);
    if (rc == 0)
        rc = run_logs(c.run_dir, max, out, err);
    claim_fini(&c);
    return rc;
}
