/* Jobs of a campaign with [patch]: from the base commit, patched or not, in the
 * sandbox. Called when a job is started and when it ended at once. The work
 * itself is done by the sandbox program as the job, so a wake pays for one
 * small file. Invariant: where a campaign has a base commit, no job runs
 * outside. */
#include "wake/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patch/spec.h"
#include "patch/tree.h"

bool
jobs_are_boxed(const struct wake *w)
{
    return w->core->base_rev[0] != '\0';
}

/* The folder of the earlier attempt that a checkpoint lies in; NULL: none. */
static const char *
earlier_find(struct wake *w, const struct job *j, const char *checkpoint)
{
    const char *root = store_root(w->st);
    const char *full = fs_join_in(&w->arena, root, checkpoint);
    for (uint32_t k = 1; k < j->attempt; k++) {
        char dir[STORE_PATH_LEN];
        run_dir_name(w->row.id, j->trial, k, dir);
        const char *work =
            sandbox_work_in(&w->arena, fs_join_in(&w->arena, root, dir));
        if (path_is_in(full, work) && fs_is_dir(work))
            return work;
    }
    return NULL;
}

int
job_box(
    struct wake *w, const struct job *j, struct job_command *c, struct err *err)
{
    char dir[STORE_PATH_LEN];
    const struct core *core = w->core;
    const struct trial *t = &core->trial[j->trial - 1];
    bool resumes = j->kind == JOB_TRAIN && j->resume;
    const char *earlier = earlier_find(w, j, c->checkpoint);
    run_dir_name(w->row.id, j->trial, j->attempt, dir);
    return sandbox_wrap(&w->arena, w->project, core, store_root(w->st),
        core->experiment[t->experiment].config.patches,
        fs_join_in(&w->arena, store_root(w->st), dir), earlier, resumes, c,
        err);
}

void
trees_end(struct wake *w)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    bool wanted = false;
    if (!jobs_are_boxed(w) || store_campaigns(w->st, &v, &n, NULL) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        wanted = wanted || (v[i].id != w->row.id &&
                               v[i].brief.state >= CAMPAIGN_RUNNING &&
                               v[i].brief.state <= CAMPAIGN_HALTED);
    free(v);
    if (!wanted)
        (void)trees_sweep(store_root(w->st), NULL);
}

void
box_why(struct wake *w, const char *run_dir, char *out, size_t cap)
{
    struct buf b = {0};
    const char *path = arena_printf(
        &w->arena, "%s/%s/sandbox.why", store_root(w->st), run_dir);
    out[0] = '\0';
    if (fs_read(path, 1 << 16, &b, NULL) == 0)
        snprintf(out, cap, "%s", buf_str(&b));
    /* it may hold what a build printed */
    for (char *s = out; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
            *s = *s == '\n' ? ' ' : '?';
    buf_fini(&b);
}
