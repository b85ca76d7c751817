/* rea store: where the state of the workspace lies, and its move from one
 * machine to a server that several hosts reach. */
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <stdlib.h>

static int
store_show_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct store_campaign *v = NULL;
    struct buf place = {0};
    size_t n = 0;
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0)
        rc = store_campaigns(st, &v, &n, err);
    if (rc == 0)
        store_place(st, &place);
    if (rc == 0 && call->json) {
        struct jw w;
        jw_init(&w, &call->out, 2);
        jw_obj_begin(&w);
        jw_kstr(&w, "kind", store_has_hosts(st) ? "postgresql" : "sqlite");
        jw_kstr(&w, "place", buf_str(&place));
        jw_key(&w, "workspace");
        jw_printf(&w, "%08x", store_workspace_id(st));
        jw_ki64(&w, "campaigns", (int64_t)n);
        jw_obj_end(&w);
        say(call, "\n");
    } else if (rc == 0) {
        say(call, "%s: %s, workspace %08x, %zu campaign%s\n",
            store_has_hosts(st) ? "PostgreSQL" : "SQLite", buf_str(&place),
            store_workspace_id(st), n, n == 1 ? "" : "s");
        call_next(call, "rea status");
    }
    free(v);
    buf_fini(&place);
    store_close(st);
    return rc;
}

static int
store_move_run(struct call *call, struct err *err)
{
    struct store_moved m;
    const char *root = NULL;
    int rc = work_root(call, &root, err);
    if (rc == 0)
        rc = store_move(root, call->args[0], &m, err);
    if (rc != 0)
        return rc;
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 2);
        jw_obj_begin(&w);
        jw_kbool(&w, "finished", m.finished);
        jw_ki64(&w, "campaigns", m.campaigns);
        jw_ki64(&w, "rows", (int64_t)m.rows);
        jw_ki64(&w, "events", (int64_t)m.events);
        jw_obj_end(&w);
        say(call, "\n");
        return 0;
    }
    if (m.finished)
        say(call, "the move that was cut off is finished\n");
    else
        say(call,
            "moved %u campaign%s, %llu rows; %llu events checked on the "
            "server\n.rea/rea.db stays as a copy that nobody opens\n",
            m.campaigns, m.campaigns == 1 ? "" : "s",
            (unsigned long long)m.rows, (unsigned long long)m.events);
    call_next(call, "rea sweep");
    return 0;
}

const struct cmd cmd_store_show = {.name = "store show",
    .args = "",
    .help = "where the state of the workspace lies",
    .more = "In .rea/rea.db of one machine, or in a PostgreSQL database that "
            "several hosts reach (docs/hosts.md).",
    .example = "rea store show",
    .run = store_show_run};

const struct cmd cmd_store_move = {.name = "store move",
    .args = "URL",
    .min_args = 1,
    .max_args = 1,
    .flags = CMD_WRITES | CMD_HUMAN,
    .help = "move the state to a PostgreSQL database, for several hosts",
    .more =
        "Copies .rea/rea.db to the server in one transaction, under every "
        "campaign's lease, checks each log there, and names the server in "
        ".rea/store; jobs go on meanwhile. A move that was cut off is run once "
        "more. rea.db stays as a copy that nobody opens; there is no way back.",
    .example = "rea store move postgresql://rea@db.example.org/rea",
    .run = store_move_run};
