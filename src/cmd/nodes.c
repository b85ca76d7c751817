/* rea runbook nodes: machines that failed jobs, which of them get none for a
 * while and why; an engineer can let one in again. */
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <string.h>

#include "base/fs.h"

enum { NODES_MAX = 256, HOUR_MS = 3600 * 1000 };

static void
node_say(struct call *call, const struct store_node *n, int64_t now)
{
    double hours = (double)(n->until_ms - now) / HOUR_MS;
    if (hours > 0)
        say(call, "%-20s out for %.1f h more (time %u): %s\n", n->host, hours,
            n->times, n->why);
    else
        say(call, "%-20s in use, %u fault%s within a day%s: %s\n", n->host,
            n->faults, n->faults == 1 ? "" : "s",
            n->times > 0 ? ", was out before" : "", n->why);
}

static void
nodes_json(
    struct call *call, const struct store_node *n, uint32_t len, int64_t now)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "nodes");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < len; i++) {
        jw_obj_begin(&w);
        jw_kstr(&w, "host", n[i].host);
        jw_kbool(&w, "out", n[i].until_ms > now);
        jw_ki64(&w, "until_ms", n[i].until_ms);
        jw_ki64(&w, "last_ms", n[i].last_ms);
        jw_ki64(&w, "faults", n[i].faults);
        jw_ki64(&w, "times", n[i].times);
        jw_kstr(&w, "why", n[i].why);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
node_release(
    struct call *call, struct store *st, const char *host, struct err *err)
{
    bool found = false;
    int rc = store_begin(st, err);
    if (rc != 0)
        return rc;
    rc = store_node_release(st, host, &found, err);
    if (rc == 0)
        rc = store_commit(st, err);
    else
        store_rollback(st);
    if (rc == 0 && !found)
        return err_set(err, -ERR_INPUT,
            "no node %s is known to have failed a job\n  remedy: rea runbook "
            "nodes lists them",
            host);
    if (rc == 0 && !call->json)
        say(call, "%s is in use again\n", host);
    return rc;
}

static int
runbook_nodes_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct store_node *node =
        arena_alloc(call->arena, NODES_MAX * sizeof *node);
    const char *release = call_opt(call, "release");
    uint32_t n = 0;
    int rc =
        work_store(call, release != NULL ? STORE_WRITE : STORE_READ, &st, err);
    if (rc == 0 && release != NULL)
        rc = node_release(call, st, release, err);
    if (rc == 0)
        rc = store_nodes(st, node, NODES_MAX, &n, err);
    store_close(st);
    if (rc != 0)
        return rc;
    if (call->json)
        nodes_json(call, node, n, wake_now_ms());
    else if (n == 0 && release == NULL)
        say(call, "no node has failed a job\n");
    for (uint32_t i = 0; !call->json && i < n; i++)
        node_say(call, &node[i], wake_now_ms());
    call_next(call, "rea status");
    return 0;
}

static const struct cmd_opt nodes_opts[] = {
    {"release", 0, "HOST", "it is well again: forget its faults"}, {0}};

const struct cmd cmd_runbook_nodes = {.name = "runbook nodes",
    .args = "",
    .help = "machines that failed jobs, and which get none for a while",
    .more =
        "Two faults of different trials within a day, or one that names the "
        "machine's hardware, keep a node out of new jobs for [backend] "
        "quarantine (24 h), twice as long each further time, for all "
        "campaigns of the workspace. Slurm gets --exclude, other schedulers "
        "{exclude}. Where too few nodes are left, jobs go to them anyway.",
    .example = "rea runbook nodes --release gpu07",
    .opts = nodes_opts,
    .run = runbook_nodes_run};
