/* The door to the backends: picks one by name, checks what goes in, and does
 * what is the same for all (claims are files in jobs_dir). Called by wake. */
#include "jobs/submission.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct jobs_ops *const backends[] = {
    &jobs_local, &jobs_slurm, &jobs_command, &jobs_recorded};

static const char *const state_text[] = {
    "none", "pending", "running", "done", "unknown"};

const char *
job_state_name(uint32_t state)
{
    return state <= JOB_STATE_UNKNOWN ? state_text[state] : "none";
}

int
token_check(const char *token, struct err *err)
{
    static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = token == NULL ? 0 : strlen(token);
    if (n == 0 || n >= TOKEN_LEN || token[0] == '.' || strspn(token, ok) != n)
        return err_set(err, -ERR_INPUT,
            "bad job token '%s': 1 to %d letters, digits, '.', '_' or '-', "
            "not beginning with '.'",
            token == NULL ? "" : token, TOKEN_LEN - 1);
    return 0;
}

static const struct jobs_ops *
backend_by_name(const char *kind)
{
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (strcmp(backends[i]->name, kind) == 0)
            return backends[i];
    }
    return NULL;
}

int
jobs_open(struct jobs *j, const struct jobs_config *c, struct err *err)
{
    *j = (struct jobs){0};
    j->ops = backend_by_name(c->kind == NULL ? "" : c->kind);
    if (j->ops == NULL)
        return err_set(err, -ERR_INPUT,
            "no backend '%s': this version has local, slurm, command and "
            "recorded",
            c->kind == NULL ? "" : c->kind);
    int rc = fs_mkdirs(c->jobs_dir, err);
    const char *dir = NULL;
    if (rc == 0)
        rc = fs_real_in(&j->arena, c->jobs_dir, &dir, err);
    if (rc == 0) {
        j->jobs_dir = dir;
        rc = j->ops->open(j, c, err);
    }
    if (rc != 0)
        return err_wrap(err, rc, "backend %s", j->ops->name);
    return 0;
}

void
jobs_close(struct jobs *j)
{
    if (j->own_free != NULL)
        j->own_free(j->own);
    arena_fini(&j->arena);
    *j = (struct jobs){0};
}

int
job_submit(struct jobs *j, const struct job_spec *spec, struct job_handle *out,
    struct err *err)
{
    int rc = token_check(spec->token, err);
    if (rc != 0)
        return rc;
    if (spec->run_dir == NULL || spec->argv == NULL || spec->argv[0] == NULL)
        return err_set(err, -ERR_INPUT,
            "job %s has no run folder or no command", spec->token);
    if (spec->grace_ms < 0 || spec->time_ms < 0 || spec->delay_ms < 0 ||
        spec->memory_bytes < 0)
        return err_set(
            err, -ERR_INPUT, "job %s has a negative limit", spec->token);
    rc = j->ops->submit(j, spec, out, err);
    if (rc != 0)
        return err_wrap(err, rc, "submit %s", spec->token);
    return 0;
}

int
job_find(
    struct jobs *j, const char *token, struct job_handle *out, struct err *err)
{
    int rc = token_check(token, err);
    return rc != 0 ? rc : j->ops->find(j, token, out, err);
}

int
job_poll(struct jobs *j, const struct job_handle *h, struct job_status *out,
    struct err *err)
{
    *out = (struct job_status){.state = JOB_STATE_UNKNOWN};
    int rc = j->ops->poll(j, h, out, err);
    if (rc != 0)
        return err_wrap(err, rc, "poll %s", h->text);
    return 0;
}

int
job_cancel(struct jobs *j, const struct job_handle *h, struct err *err)
{
    int rc = j->ops->cancel(j, h, err);
    return rc == 0 ? 0 : err_wrap(err, rc, "cancel %s", h->text);
}

int
job_logs(struct jobs *j, const struct job_handle *h, size_t max,
    struct buf *out, struct err *err)
{
    int rc = j->ops->logs(j, h, max, out, err);
    return rc == 0 ? 0 : err_wrap(err, rc, "logs of %s", h->text);
}

int
jobs_list_in(struct jobs *j, struct arena *a, const char *prefix,
    const char ***tokens, size_t *n, struct err *err)
{
    *n = 0;
    const char **names;
    size_t n_names;
    int rc = fs_list_in(a, j->jobs_dir, &names, &n_names, err);
    if (rc != 0)
        return err_wrap(err, rc, "list jobs");
    size_t len = strlen(prefix);
    for (size_t i = 0; i < n_names; i++) {
        /* TOKEN and TOKEN.sub are neighbours: '.' sorts before digits. */
        const char *token = submission_token_in(a, names[i]);
        /* A starter that died leaves TOKEN.tmp.PID-HOST: no claim. */
        if (strncmp(token, prefix, len) == 0 &&
            strstr(token, ".tmp.") == NULL && token_check(token, NULL) == 0 &&
            (*n == 0 || strcmp(names[*n - 1], token) != 0))
            names[(*n)++] = token;
    }
    *tokens = names;
    return 0;
}

int
job_forget(struct jobs *j, const char *token, struct err *err)
{
    int rc = token_check(token, err);
    if (rc != 0)
        return rc;
    struct buf path = {0};
    fs_join(&path, j->jobs_dir, token);
    rc = fs_remove(buf_str(&path), err);
    buf_clear(&path);
    submission_path(j, token, &path);
    if (rc == 0)
        rc = fs_remove(buf_str(&path), err);
    buf_fini(&path);
    return rc;
}

int64_t
jobs_now_ms(struct jobs *j)
{
    return j->ops->now_ms(j);
}
