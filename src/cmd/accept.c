/* rea accept: the proposal becomes the model's next baseline. Writes the
 * knobs' defaults into the project file; in a git checkout also a branch with
 * that one commit, the proposal's code patches in it, and a text for review.
 * The engineer's own branch, index and other files are not touched: code is
 * merged by people. */
#include "base/child.h"
#include "cmd/rerun.h"
#include "cmd/verbs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/git.h"
#include "patch/tree.h"
#include "report/load.h"

static uint32_t
accept_knobs(const struct core *c, struct project_default *out)
{
    const struct config *to = &c->experiment[c->proposal].config;
    struct config from;
    uint32_t n = 0;
    config_default(&c->spec, &from);
    for (uint32_t k = 0; k < c->spec.n_knobs; k++) {
        if (knob_is_active(&c->spec, to, k) && from.v[k] != to->v[k])
            out[n++] = (struct project_default){c->spec.knob[k].name, to->v[k]};
    }
    return n;
}

/* The tree of a commit with the proposal's patches in the index that env
 * names; false: one does not apply there. */
static bool
index_patched(struct call *call, const struct core *c, const char *root,
    const char *const *env, const char *commit)
{
    struct arena *a = call->arena;
    uint32_t patches = c->experiment[c->proposal].config.patches;
    /* diffs name paths from the repository's top */
    const char *top = git_top_in(a, root);
    bool ok = top != NULL &&
              git_line(a, root, env, "read-tree", commit, (char *)NULL) != NULL;
    for (uint32_t i = 0; ok && i < c->n_patches; i++) {
        struct buf text = {0};
        if ((patches >> i & 1) == 0)
            continue;
        const char *sha = c->patch[i].sha256;
        ok = patch_text(root, sha, &text, NULL) == 0 &&
             git_line(a, top, env, "apply", "--cached",
                 patch_path_in(a, root, sha), (char *)NULL) != NULL;
        buf_fini(&text);
    }
    return ok;
}

/* Commits the file's new text and the patches on a branch of its own through a
 * private index, so that nothing of the engineer's checkout moves. Where the
 * patches no longer apply to HEAD the branch begins at their base. NULL: no
 * checkout. */
static const char *
accept_branch(struct call *call, const struct core *c, const char *root,
    const char *file, const char *message, const char *branch)
{
    struct arena *a = call->arena;
    const char *top =
        git_line(a, root, NULL, "rev-parse", "--show-prefix", (char *)NULL);
    const char *head =
        git_line(a, root, NULL, "rev-parse", "HEAD", (char *)NULL);
    if (top == NULL || head == NULL)
        return NULL;
    const char *index = fs_join_in(a, root, ".rea/accept.index");
    const char *env[] = {arena_printf(a, "GIT_INDEX_FILE=%s", index), NULL};
    (void)fs_remove(index, NULL);
    const char *path = arena_printf(a, "%s%s", top, file);
    const char *blob =
        git_line(a, root, env, "hash-object", "-w", "--", file, (char *)NULL);
    const char *tree = NULL, *commit = NULL;
    bool ready = blob != NULL && index_patched(call, c, root, env, head);
    if (blob != NULL && !ready && c->base_rev[0] != '\0') {
        head = c->base_rev;
        ready = index_patched(call, c, root, env, head);
    }
    if (ready &&
        git_line(a, root, env, "update-index", "--add", "--cacheinfo",
            arena_printf(a, "100644,%s,%s", blob, path), (char *)NULL) != NULL)
        tree = git_line(a, root, env, "write-tree", (char *)NULL);
    if (tree != NULL)
        commit = git_line(a, root, env, "commit-tree", tree, "-p", head, "-m",
            message, (char *)NULL);
    (void)fs_remove(index, NULL);
    if (commit == NULL || git_line(a, root, NULL, "update-ref",
                              arena_printf(a, "refs/heads/%s", branch), commit,
                              (char *)NULL) == NULL)
        return NULL;
    return commit;
}

static void
review_patches(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    uint32_t patches = c->experiment[c->proposal].config.patches;
    for (uint32_t h = 0; h < c->n_hypotheses; h++) {
        uint32_t p = c->hypothesis[h].patch;
        if (p == 0 || (patches >> (p - 1) & 1) == 0)
            continue;
        buf_printf(out, "- code: H%u %s\n  diff %s, +%u -%u, against %s\n",
            h + 1, r->hypothesis[h].statement, c->patch[p - 1].sha256,
            r->hypothesis[h].added, r->hypothesis[h].removed, c->base_rev);
    }
}

static void
review_text(const struct report *r, const struct project_default *set,
    uint32_t n, const struct report_repro *repro, struct buf *out)
{
    const struct core *c = r->core;
    char was[160], is[160];
    buf_printf(out, "%s: defaults of campaign C%u (E%u)\n\n", c->spec.model,
        r->campaign, c->proposal);
    for (uint32_t i = 0; i < n; i++) {
        int k = spec_knob(&c->spec, set[i].knob);
        knob_format(&c->spec.knob[k], c->spec.knob[k].deflt, was, sizeof(was));
        knob_format(&c->spec.knob[k], set[i].code, is, sizeof(is));
        buf_printf(out, "- %s: %s -> %s\n", set[i].knob, was, is);
    }
    review_patches(r, out);
    for (uint32_t i = 0; i < c->n_finalists; i++) {
        const struct finalist *f = &c->finalist[i];
        if (f->experiment == c->proposal && f->judged)
            buf_printf(out,
                "\nSealed gain %+.6g [%+.6g, %+.6g] on %s, %u fresh seeds "
                "against %u of the baseline.\n",
                f->gain, f->lo, f->hi,
                c->spec.sealed < c->spec.n_metrics
                    ? c->spec.metric[c->spec.sealed].name
                    : "the search metric",
                f->n, f->n_base);
    }
    buf_printf(out, "\nPlan %s, approved by %s.\n", c->plan_hash,
        r->approved_by != NULL ? r->approved_by : "?");
    if (repro != NULL && repro->command != NULL) {
        buf_puts(out, "\nTo run it again:\n\n");
        report_repro_text(repro, out);
    }
}

static void
accept_say(struct call *call, const struct report *r, const char *file,
    const struct project_default *set, uint32_t n, const char *branch,
    const char *review)
{
    const struct core *c = r->core;
    struct jw w;
    char was[160], is[160];
    if (call->json) {
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_kstr(&w, "file", file);
        jw_kstr(&w, "branch", branch);
        jw_kstr(&w, "review", review);
        jw_key(&w, "patches");
        jw_arr_begin(&w);
        for (uint32_t i = 0; i < c->n_patches; i++)
            if (c->experiment[c->proposal].config.patches >> i & 1)
                jw_str(&w, c->patch[i].sha256);
        jw_arr_end(&w);
        jw_key(&w, "knobs");
        jw_obj_begin(&w);
    } else
        say(call, "E%u of C%u is the baseline of %s now: %s\n", c->proposal,
            r->campaign, c->spec.model, file);
    for (uint32_t i = 0; i < n; i++) {
        int k = spec_knob(&c->spec, set[i].knob);
        knob_format(&c->spec.knob[k], c->spec.knob[k].deflt, was, sizeof(was));
        knob_format(&c->spec.knob[k], set[i].code, is, sizeof(is));
        if (call->json)
            jw_kstr(&w, set[i].knob, is);
        else
            say(call, "  %-24s %s -> %s\n", set[i].knob, was, is);
    }
    if (call->json) {
        jw_obj_end(&w);
        jw_obj_end(&w);
        say(call, "\n");
        return;
    }
    if (branch != NULL)
        say(call, "branch %s holds this one commit\n", branch);
    if (c->experiment[c->proposal].config.patches != 0)
        say(call,
            branch != NULL
                ? "its code is on that branch alone: merge it before the next "
                  "plan\n"
                : "its code is no part of it: git apply .rea/patches/*.diff as "
                  "rea repro says\n");
    say(call, "text for review: %s\n", review);
    if (branch != NULL)
        call_next(call, "git push origin %s    rea plan", branch);
    else
        call_next(call, "rea plan");
}

static int
accept_proposal(struct call *call, struct store *st, const struct report *r,
    struct err *err)
{
    struct store_campaign row;
    struct project_default set[KNOBS_MAX];
    struct report_repro repro = {0};
    struct buf text = {0};
    const struct core *c = r->core;
    const char *root = arena_strdup(call->arena, store_root(st));
    if (c->proposal == 0)
        return err_set(err, -ERR_REFUSED,
            "C%u proposes nothing%s, so there is nothing to accept\n"
            "  remedy: rea report C%u",
            r->campaign, r->nothing_held ? ": no finalist held" : " (yet)",
            r->campaign);
    /* The command is rendered before the defaults change under it. */
    int rc = rerun_describe(call, st, r, NULL, &repro, err);
    if (rc == 0)
        rc = store_campaign_get(st, r->campaign, &row, err);
    if (rc != 0)
        return rc;
    uint32_t n = accept_knobs(c, set);
    rc = project_set_defaults(root, row.project, set, n, err);
    if (rc != 0)
        return err_wrap(err, rc, "defaults of %s", row.project);
    review_text(r, set, n, &repro, &text);
    const char *review =
        arena_printf(call->arena, ".rea/accept-C%u.md", r->campaign);
    rc = fs_write_atomic(fs_join_in(call->arena, root, review), buf_str(&text),
        text.len, false, err);
    const char *branch =
        arena_printf(call->arena, "rea/%s-C%u", c->spec.model, r->campaign);
    if (rc == 0 && accept_branch(call, c, root, row.project, buf_str(&text),
                       branch) == NULL)
        branch = NULL;
    if (rc == 0)
        accept_say(call, r, row.project, set, n, branch, review);
    buf_fini(&text);
    return rc;
}

/* It rewrites a project file: among several ended campaigns nothing is
 * guessed. */
static int
accept_which(struct call *call, struct store *st, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0, done = 0;
    if (call->n_args > 0)
        return 0;
    int rc = store_campaigns(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        done += v[i].brief.state == CAMPAIGN_DONE;
    free(v);
    if (rc == 0 && done > 1)
        return err_set(err, -ERR_INPUT,
            "%zu campaigns are done: which proposal becomes the baseline?\n"
            "  remedy: rea status shows them; rea accept C1",
            done);
    return rc;
}

static int
accept_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    uint32_t id = 0;
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0)
        rc = accept_which(call, st, err);
    if (rc == 0)
        rc = work_campaign(
            call, st, call->n_args > 0 ? call->args[0] : NULL, &id, err);
    struct report *r = rc == 0 ? report_load(st, id, err) : NULL;
    if (rc == 0 && r == NULL)
        rc = err->code;
    if (rc == 0)
        rc = accept_proposal(call, st, r, err);
    report_free(r);
    store_close(st);
    return rc;
}

const struct cmd cmd_accept = {.name = "accept",
    .args = "[C]",
    .max_args = 1,
    .flags = CMD_WRITES | CMD_HUMAN,
    .help = "the proposal becomes the next baseline",
    .more = "Only the `default = ` values of the changed knobs are rewritten. "
            "In a git checkout a branch rea/MODEL-C1 gets one commit with the "
            "file and a text for review; your own branch and index stay as "
            "they are.",
    .example = "rea accept C1",
    .run = accept_run};
