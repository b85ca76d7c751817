/* The arm of rea: plan, approve, run --wait, accept, as an engineer types
 * them, in a workspace of its own. Its money is the processor time that the
 * jobs report; baseline repeats and confirmation are paid from it. */
#include "arms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/child.h"

enum { WAIT_MS = 3600000 };

/* Runs one verb; its JSON, where it prints some and out is given. */
static int
verb(const struct arm_run *r, const char *const *words, struct json **out,
    struct err *err)
{
    const char *argv[16] = {r->p->rea, "-C", r->root};
    const char *env[] = {
        arena_printf(r->a, "REA_SEED=%u", r->seed), "GIT_DIR=/dev/null", NULL};
    size_t n = 3;
    struct buf text = {0};
    int code = 0;
    if (out != NULL)
        argv[n++] = "--json";
    for (; *words != NULL; words++)
        argv[n++] = *words;
    int rc = child_run(argv, env, r->root, WAIT_MS, &text, &code, err);
    if (rc == 0 && code != 0)
        rc = err_set(err, -ERR_SYS, "rea %s: exit %d: %.300s",
            argv[out != NULL ? 4 : 3], code, buf_str(&text));
    if (rc == 0 && out != NULL) {
        *out = json_parse(buf_str(&text), text.len, err);
        rc = *out == NULL ? -ERR_INPUT : 0;
    }
    buf_fini(&text);
    return rc;
}

static int
plan_sign(const struct arm_run *r, struct err *err)
{
    struct json *plan = NULL;
    bool alone = strcmp(r->arm, "rea") != 0;
    const char *words[] = {"plan", alone ? "--from-insights=no" : NULL, NULL};
    if (r->insights != NULL) {
        const char *file = fs_join_in(r->a, r->root, "earlier.jsonl");
        const char *import[] = {"insight", "import", file, NULL};
        int rc =
            fs_write_atomic(file, r->insights, strlen(r->insights), false, err);
        if (rc == 0)
            rc = verb(r, import, NULL, err);
        if (rc != 0)
            return rc;
    }
    int rc = verb(r, words, &plan, err);
    const char *hash = json_get_str(plan, "hash");
    const char *approve[] = {"approve", hash, NULL};
    if (rc == 0 && hash == NULL)
        rc = err_set(err, -ERR_INPUT, "a plan without its hash");
    if (rc == 0)
        rc = verb(r, approve, NULL, err);
    json_free(plan);
    return rc;
}

static int
proposal_take(const struct arm_run *r, struct arm_result *out, struct err *err)
{
    struct json *j = NULL;
    const char *words[] = {"report", "C1", NULL};
    const char *accept[] = {"accept", "C1", NULL};
    int rc = verb(r, words, &j, err);
    if (rc != 0)
        return rc;
    const struct json *c = json_get(j, "campaign");
    const struct json *trials = json_get(c, "trials");
    const struct json *proposal = json_get(j, "proposal");
    out->spent_s =
        3600 * json_get_num(json_get(c, "budget"), "spent", (double)NAN);
    out->failed = (uint32_t)json_get_i64(trials, "failed", 0);
    out->trials = (uint32_t)json_get_i64(trials, "ok", 0) + out->failed;
    out->proposed = json_kind(proposal) == J_OBJ;
    out->valid =
        json_get_num(json_get(proposal, "search"), "candidate", (double)NAN);
    json_free(j);
    if (!out->proposed)
        return 0;
    struct project *after = NULL;
    rc = verb(r, accept, NULL, err);
    if (rc == 0)
        rc = project_load(r->a, r->root, "rea.toml", &after, err);
    if (rc == 0)
        config_default(&after->spec, &out->config);
    return rc;
}

/* Shims and wakes belong to nobody when their starter is gone: this process is
 * their reaper, so their time is in its children's. */
static double
children_cpu_s(void)
{
    struct rusage u;
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

void
agent_stop(struct arena *a, const struct places *p, const char *root)
{
    const char *argv[] = {p->rea, "-C", root, "stop", "C1", NULL};
    const char *env[] = {NULL};
    struct buf text = {0};
    int code = 0;
    if (fs_exists(fs_join_in(a, root, ".rea/rea.db")))
        (void)child_run(argv, env, root, WAIT_MS, &text, &code, NULL);
    buf_fini(&text);
}

int
agent_run(const struct arm_run *r, struct arm_result *out, struct err *err)
{
    const char *run[] = {"run", "C1", "--wait", NULL};
    const char *file = fs_join_in(r->a, r->root, "learnt.jsonl");
    const char *keep[] = {"insight", "export", "--own", "-o", file, NULL};
    struct buf text = {0};
    config_default(&r->project->spec, &out->config);
    config_canon(&r->project->spec, &out->config);
    out->valid = (double)NAN;
    int rc = plan_sign(r, err);
    if (rc == 0)
        rc = verb(r, run, NULL, err);
    if (rc == 0)
        rc = proposal_take(r, out, err);
    if (rc == 0)
        rc = verb(r, keep, NULL, err);
    if (rc == 0)
        rc = fs_read(file, 0, &text, err);
    if (rc == 0)
        out->insights = arena_strdup(r->a, buf_str(&text));
    buf_fini(&text);
    out->all_cpu_s = children_cpu_s();
    return rc;
}
