/* rea plan edit: the ideas of a draft as a text to edit. On a terminal the
 * engineer's editor is opened; else the text is printed, and --from=FILE takes
 * it back. Each line is one idea and what to do with it. */
#include "cmd/draft.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "research/insight.h"

enum { EDITS_MAX = 128 };

static void
edit_text(const struct report *r, struct buf *out)
{
    const struct core *c = r->core;
    buf_printf(out,
        "# Plan of C%u (%s). Write drop or pin instead of keep, or add a line\n"
        "#   add NAME=VALUE ...\n"
        "# Lines that are taken out change nothing.\n",
        r->campaign, c->spec.model);
    for (uint32_t i = 0; i < c->n_hypotheses; i++) {
        const struct hypothesis *h = &c->hypothesis[i];
        const char *s = r->hypothesis[i].statement;
        buf_printf(out, "%s H%u  # %s\n",
            h->dropped  ? "dropped"
            : h->pinned ? "pinned"
                        : "keep",
            i + 1, s != NULL ? s : "");
    }
}

/* Runs the editor on the engineer's own terminal. */
static int
editor_run(struct call *call, const char *file, struct err *err)
{
    const char *editor = getenv("VISUAL");
    const char **words = NULL;
    size_t n = 0;
    int status = 0;
    if (editor == NULL || editor[0] == '\0')
        editor = getenv("EDITOR");
    if (editor == NULL || editor[0] == '\0')
        editor = "vi";
    int rc = command_split(call->arena, editor, &words, &n, err);
    if (rc != 0 || n == 0)
        return rc != 0 ? rc : err_set(err, -ERR_INPUT, "EDITOR is empty");
    char **argv = arena_alloc(call->arena, sizeof(*argv) * (n + 2));
    for (size_t i = 0; i < n; i++)
        argv[i] = arena_strdup(call->arena, words[i]);
    argv[n] = arena_strdup(call->arena, file);
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, "fork for %s", argv[0]);
    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        return err_set(
            err, -ERR_SYS, "%s failed; the plan stays as it is", argv[0]);
    return 0;
}

struct edits {
    struct event *v;
    size_t n;
    struct insights *db;
    const struct core *c;
};

static int
edit_add(struct call *call, struct edits *e, char *text, struct err *err)
{
    const char *words[OVERRIDES_MAX + 1];
    struct change *list = NULL;
    uint32_t n = 0, n_list = 0;
    for (char *w; n <= OVERRIDES_MAX && (w = strsep(&text, " \t")) != NULL;)
        if (w[0] != '\0')
            words[n++] = w;
    int rc = changes_read(call, &e->c->spec, words, n, &list, &n_list, err);
    for (uint32_t i = 0; rc == 0 && i < n_list && e->n < EDITS_MAX; i++)
        rc = change_event(
            call, &e->c->spec, e->db, &list[i], NULL, NULL, &e->v[e->n++], err);
    return rc;
}

static int
edit_line(struct call *call, struct edits *e, char *line, struct err *err)
{
    char verb[16] = "", id[16] = "";
    uint32_t h = 0;
    line[strcspn(line, "#\n")] = '\0';
    if (sscanf(line, " %15s %15s", verb, id) < 1)
        return 0;
    if (strcmp(verb, "next:") == 0) /* the last line of printed output */
        return 0;
    if (strcmp(verb, "add") == 0)
        return edit_add(call, e, strstr(line, "add") + 3, err);
    bool drop = strcmp(verb, "drop") == 0, pin = strcmp(verb, "pin") == 0;
    bool known = drop || pin || strcmp(verb, "keep") == 0 ||
                 strcmp(verb, "dropped") == 0 || strcmp(verb, "pinned") == 0;
    if (!known)
        return err_set(
            err, -ERR_INPUT, "\"%s\": keep, drop, pin or add is meant", verb);
    int rc = work_id(id, 'H', &h, err);
    if (rc != 0 || (!drop && !pin) || e->n >= EDITS_MAX)
        return rc;
    e->v[e->n++] = (struct event){
        .kind = drop ? EVENT_hypothesis_dropped : EVENT_hypothesis_pinned,
        .hypothesis = h,
        .by = work_user(call)};
    return 0;
}

static int
edits_apply(struct call *call, struct store *st, const struct report *r,
    const char *file, struct err *err)
{
    struct buf text = {0};
    struct edits e = {
        .v = arena_alloc(call->arena, sizeof(struct event) * (EDITS_MAX + 1)),
        .c = r->core};
    struct project *p = NULL;
    int rc = fs_read(file, 1 << 20, &text, err);
    if (rc == 0)
        rc = work_project(call, st, r->campaign, &p, err);
    if (rc == 0)
        rc = insight_open(&e.db, work_insights_path(call, store_root(st), p),
            INSIGHT_READ, err);
    uint32_t line = 0;
    char *own = arena_strndup(call->arena, buf_str(&text), text.len);
    for (char *l; rc == 0 && (l = strsep(&own, "\n")) != NULL;) {
        line++;
        rc = edit_line(call, &e, l, err);
        if (rc != 0)
            err_wrap(err, rc, "%s, line %u", file, line);
    }
    insight_close(e.db);
    buf_fini(&text);
    if (rc != 0 || e.n == 0)
        return rc;
    return draft_amend(call, st, r->campaign, e.v, e.n, 0, err);
}

static int
plan_edit_open(struct call *call, struct store *st, const struct report *r,
    struct err *err)
{
    struct buf text = {0};
    const char *from = call_opt(call, "from");
    int rc = 0;
    if (from == NULL && call->json)
        return plan_show(call, st, r->campaign, err);
    edit_text(r, &text);
    if (from == NULL && isatty(STDIN_FILENO) != 1) {
        buf_add(&call->out, buf_str(&text), text.len);
        call_next(call, "rea plan edit --from=FILE");
        buf_fini(&text);
        return 0;
    }
    if (from == NULL) {
        from = arena_printf(
            call->arena, "%s/plan-C%u.txt", store_dir(st), r->campaign);
        rc = fs_write_atomic(from, buf_str(&text), text.len, false, err);
        if (rc == 0)
            rc = editor_run(call, from, err);
    }
    buf_fini(&text);
    if (rc == 0)
        rc = edits_apply(call, st, r, from, err);
    return rc != 0 ? rc : plan_show(call, st, r->campaign, err);
}

static int
plan_edit_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    uint32_t id = 0;
    int rc = work_store(call, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = work_campaign(
            call, st, call->n_args > 0 ? call->args[0] : NULL, &id, err);
    struct report *r = rc == 0 ? report_load(st, id, err) : NULL;
    if (rc == 0 && r == NULL)
        rc = err->code;
    if (rc == 0 && r->core->state != CAMPAIGN_DRAFT)
        rc = err_set(err, -ERR_INPUT,
            "C%u is %s: only a draft is edited\n"
            "  remedy: rea try, rea pin, rea hypothesis drop",
            id, campaign_state_name(r->core->state));
    if (rc == 0)
        rc = plan_edit_open(call, st, r, err);
    report_free(r);
    store_close(st);
    return rc;
}

static const struct cmd_opt edit_opts[] = {
    {"from", 0, "FILE", "take the edited text from a file"}, {0}};

const struct cmd cmd_plan_edit = {.name = "plan edit",
    .args = "[C]",
    .max_args = 1,
    .flags = CMD_WRITES | CMD_HUMAN,
    .help = "the ideas of a draft in your editor",
    .more = "Without a terminal the text is printed; --from takes it back.",
    .opts = edit_opts,
    .run = plan_edit_run};
