/* Finds the workspace and opens its databases for the verbs. Creates nothing
 * that was not asked for. */
#include "cmd/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "research/insight.h"

int
work_root(struct call *call, const char **root, struct err *err)
{
    const char *at = NULL;
    int rc = fs_real_in(call->arena, call->dir, &at, err);
    if (rc != 0)
        return err_wrap(err, rc, "workspace -C %s", call->dir);
    if (!fs_is_dir(at))
        return err_set(err, -ERR_INPUT, "-C %s: not a folder", call->dir);
    *root = at;
    for (;;) {
        /* A project file without state begins its own workspace. */
        if (fs_is_dir(fs_join_in(call->arena, at, ".rea")) ||
            fs_is_file(fs_join_in(call->arena, at, "rea.toml"))) {
            *root = at;
            return 0;
        }
        if (strcmp(at, "/") == 0)
            return 0;
        at = fs_dir_in(call->arena, at);
    }
}

int
work_store(struct call *call, enum store_mode mode, struct store **out,
    struct err *err)
{
    const char *root = NULL;
    int rc = work_root(call, &root, err);
    if (rc != 0)
        return rc;
    rc = store_open(root, mode, out, err);
    if (rc == -ERR_NOT_FOUND)
        return err_set(err, -ERR_NOT_FOUND,
            "%s is no workspace yet: there is no .rea in it\n"
            "  remedy: rea init, then rea plan; or rea demo to look around",
            root);
    return rc;
}

const char *
work_insights_path(struct call *call, const char *root, const struct project *p)
{
    if (p != NULL && p->insights != NULL && p->insights[0] != '\0')
        return fs_join_in(call->arena, root, p->insights);
    return fs_join_in(call->arena, root, ".rea/insights.db");
}

int
work_insights(
    struct call *call, uint32_t flags, struct insights **out, struct err *err)
{
    const char *root = NULL;
    struct project *p = NULL;
    struct err ignored = {0};
    int rc = work_root(call, &root, err);
    if (rc != 0)
        return rc;
    /* Without a readable project file the workspace's own database serves. */
    if (project_find(call->arena, root, NULL, &p, &ignored) != 0)
        p = NULL;
    return insight_open(out, work_insights_path(call, root, p), flags, err);
}
