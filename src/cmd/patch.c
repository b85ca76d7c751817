/* Code patches in the engineer's hand: hypothesis add --patch, what a new draft
 * keeps of them, approve --patch. Invariant: what is signed is the bytes that
 * were shown; their hash is in the event. */
#include "cmd/draft.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "patch/check.h"
#include "patch/tree.h"

enum { PREFIX_MIN = 8 };

static void
event_fill(struct call *call, const struct patch_checked *k, struct event *e)
{
    e->patch = arena_strdup(call->arena, k->diff.sha256);
    e->class = arena_strdup(call->arena, k->class);
    e->paths = k->paths;
    e->gated = k->gated;
    e->excludes = k->excludes;
    e->added = k->diff.added;
    e->removed = k->diff.removed;
}

static void
checked_say(
    struct call *call, const struct core *c, const struct patch_checked *k)
{
    if (call->json)
        return;
    say(call, "patch %.12s on commit %.12s: %u file%s, +%u -%u, class %s\n",
        k->diff.sha256, c->base_rev, k->diff.n_files,
        k->diff.n_files == 1 ? "" : "s", k->diff.added, k->diff.removed,
        k->class);
    for (uint32_t i = 0; i < k->diff.n_files; i++)
        say(call, "  %s  +%u -%u\n", k->diff.file[i].path,
            k->diff.file[i].added, k->diff.file[i].removed);
    say(call, "  stays in its paths, applies%s%s (%.1f s)\n",
        k->built ? ", builds" : "",
        k->smoked ? ", passes its smoke run" : "; no smoke run is declared",
        (double)k->ms / 1000);
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (k->excludes >> i & 1)
            say(call,
                "  does not apply together with patch %.12s: they will "
                "not be combined\n",
                c->patch[i].sha256);
    if (k->gated)
        say(call, "  needs a signature of its own: rea approve --patch %.12s\n",
            k->diff.sha256);
}

int
patch_add(struct call *call, const struct project *p, const struct core *c,
    const char *root, const char *file, struct event *e, struct err *err)
{
    struct buf text = {0};
    struct patch_checked *k = arena_alloc(call->arena, sizeof *k);
    struct err why = {0};
    int rc = fs_read(file, DIFF_BYTES_MAX, &text, &why);
    if (rc != 0)
        rc = err_set(err, -ERR_INPUT,
            "--patch: %s\n  remedy: a text file of at most %d KiB, as git diff "
            "prints it",
            why.text, DIFF_BYTES_MAX / 1024);
    if (rc == 0)
        rc = patch_check_all(call->arena, p, c, root, fs_base(file),
            buf_str(&text), text.len, k, err);
    buf_fini(&text);
    if (rc != 0)
        return rc;
    event_fill(call, k, e);
    checked_say(call, c, k);
    return 0;
}

bool
patch_again(struct call *call, const char *root, const struct project *p,
    const struct core *c, struct event *e)
{
    struct buf text = {0};
    struct err why = {0};
    struct patch_checked *k;
    if (e->patch == NULL)
        return true;
    k = arena_alloc(call->arena, sizeof *k);
    int rc = patch_text(root, e->patch, &text, &why);
    if (rc == 0)
        rc = patch_check_all(call->arena, p, c, root, "the patch",
            buf_str(&text), text.len, k, &why);
    buf_fini(&text);
    if (rc == 0)
        event_fill(call, k, e);
    else if (!call->json)
        say(call, "the patch of \"%s\" was left out: %s\n",
            e->statement != NULL ? e->statement : "", why.text);
    return rc == 0;
}

/* ---- approve --patch ---- */

struct wanted {
    uint32_t campaign, hits;
    const char *sha256;
    bool approved; /* already */
    char waiting[160];
};

static void
patches_look(struct call *call, const struct core *c, uint32_t campaign,
    const char *prefix, struct wanted *out)
{
    for (uint32_t i = 0; i < c->n_patches; i++) {
        const struct patch *p = &c->patch[i];
        bool open = p->gated && !p->approved && c->state < CAMPAIGN_DONE;
        size_t used = strlen(out->waiting);
        if (open && used + 32 < sizeof out->waiting)
            snprintf(out->waiting + used, sizeof out->waiting - used,
                "%s%.12s (C%u)", used > 0 ? ", " : "", p->sha256, campaign);
        if (strncmp(p->sha256, prefix, strlen(prefix)) != 0)
            continue;
        /* of several campaigns with this patch, the one that waits */
        if (out->sha256 != NULL && strcmp(out->sha256, p->sha256) != 0)
            out->hits++;
        if (out->sha256 != NULL && !open)
            continue;
        out->hits += out->sha256 == NULL;
        out->campaign = campaign;
        out->sha256 = arena_strdup(call->arena, p->sha256);
        out->approved = p->approved;
    }
}

static int
patch_find(struct call *call, struct store *st, const char *prefix,
    struct wanted *out, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    int rc = store_campaigns(st, &v, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct core *c = NULL;
        rc = store_load(st, v[i].id, &c, err);
        if (rc == 0)
            patches_look(call, c, v[i].id, prefix, out);
        free(c);
    }
    free(v);
    if (rc == 0 && out->hits > 1)
        rc = err_set(err, -ERR_INPUT,
            "%u patches begin with %s: give more of the hash", out->hits,
            prefix);
    else if (rc == 0 && out->hits == 0)
        rc = err_set(err, -ERR_NOT_FOUND,
            "no patch has a hash that begins with %s\n  waiting: %s\n"
            "  remedy: rea hypothesis add --patch FILE.diff \"...\"",
            prefix, out->waiting[0] != '\0' ? out->waiting : "none");
    return rc;
}

int
patch_sign(struct call *call, const char *prefix, struct err *err)
{
    struct store *st = NULL;
    struct wanted w = {0};
    struct wake_result result;
    if (strlen(prefix) < PREFIX_MIN)
        return err_set(err, -ERR_INPUT,
            "\"%s\": at least %d digits of the patch's hash are needed\n"
            "  remedy: rea hypothesis list shows them",
            prefix, PREFIX_MIN);
    int rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = patch_find(call, st, prefix, &w, err);
    if (rc == 0 && !w.approved) {
        struct buf text = {0}; /* what is signed must still be those bytes */
        rc = patch_text(store_root(st), w.sha256, &text, err);
        buf_fini(&text);
        struct event fact = {.kind = EVENT_patch_approved,
            .patch = w.sha256,
            .by = work_user(call)};
        if (rc == 0)
            rc =
                work_facts(call, st, w.campaign, &fact, 1, false, &result, err);
    }
    if (rc == 0 && call->json)
        say(call,
            "{\"campaign\": \"C%u\", \"patch\": \"%s\", \"by\": \"%s\"}\n",
            w.campaign, w.sha256, work_user(call));
    else if (rc == 0) {
        say(call, "patch %.12s of C%u %s %s\n", w.sha256, w.campaign,
            w.approved ? "was approved already, says" : "approved by",
            work_user(call));
        call_next(call, "rea status C%u", w.campaign);
    }
    store_close(st);
    return rc;
}
