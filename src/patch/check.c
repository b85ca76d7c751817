/* The row of checks of check.h. Called by `rea hypothesis add --patch` and when
 * a plan is drafted anew. Invariant: a diff is stored only when its text and
 * its paths are in order; nothing of it runs outside the sandbox. */
#include "patch/check.h"

#include <stdio.h>
#include <string.h>

#include "base/child.h"
#include "base/fs.h"
#include "patch/tree.h"

enum { SMOKE_MS = 600000, SAID_MAX = 1500, SMOKE_SEED = 1 };

static const char *
paths_in(struct arena *a, const struct diff *d)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < d->n_files; i++)
        buf_printf(&b, "%s%s", i > 0 ? "\n" : "", d->file[i].path);
    const char *text = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

/* A file that is shown to jobs as the workspace has it would hide its patch. */
static int
shown_check(struct arena *a, const struct sandbox_spec *s, const struct diff *d,
    struct err *err)
{
    for (uint32_t f = 0; f < d->n_files; f++) {
        const char *path = fs_join_in(a, s->top, d->file[f].path);
        for (uint32_t i = 0; i < s->read.n; i++)
            if (path_is_in(path, fs_join_in(a, s->root, s->read.v[i])))
                return err_set(err, -ERR_INPUT,
                    "%s is shown to jobs as the workspace has it, by \"%s\" "
                    "in [patch] read or [train] fingerprint: no job would see "
                    "the patch\n  remedy: take it out there",
                    d->file[f].path, s->read.v[i]);
    }
    return 0;
}

/* Which patches of the campaign can't be applied before this one? */
static int
excludes_find(struct arena *a, const struct core *c, struct sandbox_spec *s,
    struct patch_checked *out)
{
    struct err why = {0};
    const char *mine = out->diff.sha256;
    for (uint32_t i = 0; i < c->n_patches; i++) {
        if (strcmp(c->patch[i].sha256, mine) == 0)
            continue;
        s->n_patches = 2;
        s->patch[0] = c->patch[i].sha256;
        s->patch[1] = mine;
        int rc = tree_applies(a, s, NULL, &why);
        if (rc == -ERR_INPUT)
            out->excludes |= UINT32_C(1) << i;
        else if (rc != 0)
            return rc;
    }
    s->n_patches = 1;
    s->patch[0] = mine;
    return 0;
}

/* ---- build and smoke run ---- */

static int
smoke_command(struct arena *a, const struct project *p, const char *dir,
    struct job_command *out, struct err *err)
{
    struct project *copy = arena_alloc(a, sizeof *copy);
    struct config *config = arena_alloc(a, sizeof *config);
    memcpy(copy, p, sizeof *copy);
    copy->train.command = p->patch.smoke;
    copy->train.resume = NULL;
    config_default(&p->spec, config);
    struct job_request req = {.config = config,
        .seed = SMOKE_SEED,
        .run_dir = dir,
        .campaign = "C0",
        .trial = "T0",
        .attempt = 1,
        .phase = "smoke",
        .hypotheses = ""};
    int rc = command_render(a, copy, &req, out, err);
    if (rc == 0)
        rc = fs_write_atomic(out->knobs_file, out->knobs_json,
            strlen(out->knobs_json), false, err);
    return rc;
}

static int
said_fail(const char *what, int code, const struct buf *said, struct err *err)
{
    char tail[SAID_MAX];
    size_t skip = said->len > sizeof tail - 1 ? said->len - sizeof tail + 1 : 0;
    snprintf(tail, sizeof tail, "%s", buf_str(said) + skip);
    for (char *c = tail; *c != '\0'; c++)
        if (((unsigned char)*c < 0x20 && *c != '\n') ||
            (unsigned char)*c >= 0x7f)
            *c = '?';
    return err_set(err, -ERR_INPUT,
        "%s: %s\n%s\n  remedy: mend it; [patch] build, smoke, read and env say "
        "what a job needs",
        what,
        code == SANDBOX_FAILED ? "it does not come to a run"
        : code == 124          ? "the smoke run took too long"
                               : "the smoke run failed",
        tail);
}

/* A run that ends well and reports nothing would fail every trial. */
static int
smoke_metric(struct arena *a, const struct project *p, const char *dir,
    const char *root, const struct job_command *cmd, const struct buf *said,
    struct err *err)
{
    struct harvest_value v[METRICS_MAX];
    const char *file = fs_join_in(a, root, cmd->metrics_file);
    /* beside the job's folder, in which it may have left links */
    const char *out = fs_join_in(a, dir, "output");
    if (!fs_is_plain(file))
        file = "/dev/null";
    int rc = fs_write_atomic(out, buf_str(said), said->len, false, err);
    if (rc == 0)
        rc = harvest_files(&p->harvest, file, out, out, NULL, NULL, v, err);
    if (rc == 0 && !v[p->spec.primary].has)
        rc = err_set(err, -ERR_INPUT,
            "the smoke run reports no %s\n"
            "  remedy: [patch] smoke is a short training that writes "
            "{metrics_file} or prints as [train] command does",
            p->spec.metric[p->spec.primary].name);
    return rc;
}

static int
sandbox_try(struct arena *a, const struct project *p, struct sandbox_spec *s,
    const char *dir, struct patch_checked *out, struct err *err)
{
    static const char *const nothing[] = {"true", NULL};
    struct job_command cmd = {.argv = (const char **)(uintptr_t)nothing};
    const char *program = NULL, *spec = fs_join_in(a, dir, "sandbox.json");
    const char *work = sandbox_work_in(a, dir);
    struct buf text = {0}, said = {0};
    int code = 0;
    s->run_dir = work;
    int rc = sandbox_program_in(a, &program, err);
    if (rc == 0)
        rc = fs_mkdirs(work, err);
    if (rc == 0 && p->patch.smoke != NULL)
        rc = smoke_command(a, p, work, &cmd, err);
    for (const char **e = cmd.env; rc == 0 && e != NULL && *e != NULL; e++)
        s->env.v[s->env.n++] = arena_strndup(a, *e, strcspn(*e, "="));
    if (rc == 0) {
        sandbox_spec_put(s, &text);
        rc = fs_write_atomic(spec, buf_str(&text), text.len, false, err);
    }
    if (rc == 0) {
        size_t n = 0;
        while (cmd.argv[n] != NULL)
            n++;
        const char **argv = arena_alloc(a, (n + 4) * sizeof *argv);
        argv[0] = program;
        argv[1] = spec;
        argv[2] = "--";
        memcpy(argv + 3, cmd.argv, (n + 1) * sizeof *argv);
        int64_t from = fs_boot_ms();
        rc = child_run(argv, cmd.env, s->root, SMOKE_MS, &said, &code, err);
        out->ms = fs_boot_ms() - from;
    }
    if (rc == 0 && code != 0)
        rc = said_fail(s->n_patches > 0
                           ? arena_printf(a, "patch %.12s", out->diff.sha256)
                           : arena_printf(a, "commit %.12s", s->base_rev),
            code, &said, err);
    if (rc == 0 && p->patch.smoke != NULL)
        rc = smoke_metric(a, p, dir, s->root, &cmd, &said, err);
    out->built = rc == 0 && p->patch.build != NULL;
    out->smoked = rc == 0 && p->patch.smoke != NULL;
    buf_fini(&text);
    buf_fini(&said);
    return rc;
}

int
patch_check_all(struct arena *a, const struct project *p, const struct core *c,
    const char *root, const char *name, const char *text, size_t len,
    struct patch_checked *out, struct err *err)
{
    struct sandbox_spec s;
    struct err why = {0};
    memset(out, 0, sizeof *out);
    if (!p->patch.on || c->base_rev[0] == '\0')
        return err_set(err, -ERR_INPUT,
            "%s takes no patches%s\n  remedy: declare [patch] with paths, then "
            "rea plan",
            p->file, p->patch.on ? " in this plan" : "");
    int rc = diff_parse(a, name, text, len, &out->diff, err);
    if (rc == 0)
        rc = policy_check(p, &out->diff, err);
    if (rc == 0)
        rc = sandbox_spec_fill(a, p, root, c->base_rev, NULL, &s, err);
    if (rc == 0)
        rc = shown_check(a, &s, &out->diff, err);
    if (rc != 0)
        return rc;
    policy_class(p, &out->diff, out->class, &out->gated);
    out->paths = paths_in(a, &out->diff);
    s.n_patches = 1;
    s.patch[0] = out->diff.sha256;
    s.terminal = true;
    const char *dir = arena_printf(
        a, "%s/.rea/patches/smoke-%.16s", s.root, out->diff.sha256);
    rc = patch_keep(s.root, out->diff.sha256, text, len, err);
    if (rc == 0)
        rc = tree_has_plain(&s, &out->diff, err);
    if (rc == 0)
        rc = tree_applies(a, &s, NULL, &why);
    if (rc != 0 && why.text[0] != '\0')
        rc = err_set(err, rc,
            "%s\n  remedy: make it against that commit: git diff %.12s",
            why.text, c->base_rev);
    if (rc == 0)
        rc = excludes_find(a, c, &s, out);
    if (rc == 0)
        rc = sandbox_try(a, p, &s, dir, out, err);
    (void)fs_remove_tree(dir, NULL);
    return rc;
}

int
base_check(struct arena *a, const struct project *p, const char *root,
    const char *base_rev, struct patch_checked *out, struct err *err)
{
    struct sandbox_spec s;
    memset(out, 0, sizeof *out);
    int rc = sandbox_spec_fill(a, p, root, base_rev, NULL, &s, err);
    if (rc != 0)
        return rc;
    s.terminal = true;
    const char *dir = fs_join_in(a, s.root, ".rea/patches/smoke-base");
    rc = sandbox_try(a, p, &s, dir, out, err);
    (void)fs_remove_tree(dir, NULL);
    return rc;
}
