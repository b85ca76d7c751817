/* rea check: the preflight. Exit 4 when something would keep a campaign from
 * working; --fix repairs what has one obvious answer. Its probe runs belong to
 * no campaign and cost none of a budget. */
#include "cmd/check.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"

int
check_fix(struct check *k, const char *section, const char *key,
    const char *value, struct err *err)
{
    struct arena *a = k->call->arena;
    struct buf out = {0};
    struct project *again = NULL;
    const char *header = arena_printf(a, "[%s]", section);
    const char *text = k->p->text, *at = NULL;
    const char *have = arena_printf(a, "%s", key);
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, header, strlen(header)) == 0)
            at = strchr(line, '\n');
        line = strchr(line, '\n');
        line += line != NULL;
    }
    if (at == NULL)
        return err_set(err, -ERR_INPUT,
            "%s has no line %s: add %s = \"%s\" by hand", k->p->file, header,
            key, value);
    at++;
    buf_add(&out, text, (size_t)(at - text));
    buf_printf(&out, "%s = \"%s\"\n", key, value);
    /* An old line of this key in the section goes. */
    bool inside = true;
    while (*at != '\0') {
        size_t n = strcspn(at, "\n");
        n += at[n] == '\n';
        inside = inside && at[0] != '[';
        size_t klen = strlen(have);
        bool old = inside && strncmp(at, have, klen) == 0 &&
                   strchr(" =\t", at[klen]) != NULL;
        if (!old)
            buf_add(&out, at, n);
        at += n;
    }
    char *own = arena_strndup(a, buf_str(&out), out.len);
    int rc = project_parse(a, k->root, k->p->file, own, out.len, &again, err);
    if (rc == 0)
        rc = fs_write_atomic(fs_join_in(a, k->root, k->p->file), buf_str(&out),
            out.len, true, err);
    buf_fini(&out);
    if (rc == 0)
        k->p = again;
    return rc;
}

static void
file_look(struct check *k)
{
    const struct spec *s = &k->p->spec;
    uint32_t guards = 0, sealed = 0;
    for (uint32_t m = 0; m < s->n_metrics; m++) {
        guards += s->metric[m].role == METRIC_GUARD;
        sealed += s->metric[m].role == METRIC_SEALED;
    }
    check_say(k, CHECK_OK, "file", NULL,
        "%s: %u knobs, primary %s, %u sealed, %u guardrail%s, at most %s %s",
        k->p->file, s->n_knobs, s->metric[s->primary].name, sealed, guards,
        guards == 1 ? "" : "s", amount(k->call, s->total_u),
        unit_name(s->unit));
    if (sealed == 0)
        check_say(k, CHECK_NOTE, "file", NULL,
            "no sealed metric: confirmation uses the search metric on fresh "
            "seeds");
}

/* What a job costs, for the plan's estimate; the workspace must be writable
 * for it. */
static int
cost_keep(struct check *k, struct err *err)
{
    struct store *st = NULL;
    char key[80] = "probe_ms/", text[32];
    if (!k->dry_ok)
        return 0;
    strncat(key, k->p->spec.model, sizeof(key) - strlen(key) - 1);
    snprintf(text, sizeof(text), "%lld", (long long)k->dry_ms);
    int rc = store_open(k->root, STORE_CREATE, &st, err);
    if (rc == 0)
        rc = store_begin(st, err);
    if (rc == 0) {
        rc = store_kv_put(st, key, text, strlen(text) + 1, err);
        if (rc == 0)
            rc = store_commit(st, err);
        else
            store_rollback(st);
    }
    store_close(st);
    return rc;
}

static int
model_check(struct check *k, struct err *err)
{
    struct err e = {0};
    file_look(k);
    int rc = check_command(k, err);
    if (rc == 0 && !k->stop)
        rc = check_knobs(k, err);
    if (rc == 0 && !k->stop && k->dry_ok)
        rc = check_stop(k, err);
    if (rc == 0 && !k->stop && k->dry_ok)
        rc = check_evaluate(k, err);
    if (rc == 0)
        rc = check_world(k, err);
    if (rc == 0 && cost_keep(k, &e) != 0)
        check_say(
            k, CHECK_BAD, "state", "make the folder writable", "%s", e.text);
    return rc;
}

static uint32_t
check_problems(const struct check *k)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < k->n_lines; i++)
        n += k->line[i].state == CHECK_BAD;
    return n;
}

static void
check_text(const struct check *k)
{
    static const char *const mark[] = {"ok ", "-  ", "BAD"};
    for (uint32_t i = 0; i < k->n_lines; i++) {
        const struct check_line *l = &k->line[i];
        say(k->call, "%s %-14s %s\n", mark[l->state], l->name, l->detail);
        if (l->remedy != NULL)
            say(k->call, "    %-14s remedy: %s\n", "", l->remedy);
    }
    say(k->call,
        "    %-14s %u runs, %.1f s in all (rea check --json lists "
        "them)\n",
        "probes", k->n_probes, (double)k->probes_ms / 1000);
}

static void
check_json(const struct check *k, struct jw *w)
{
    static const char *const word[] = {"ok", "note", "bad"};
    jw_obj_begin(w);
    jw_kstr(w, "model", k->p->spec.model);
    jw_kstr(w, "file", k->p->file);
    jw_key(w, "checks");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < k->n_lines; i++) {
        jw_obj_begin(w);
        jw_kstr(w, "state", word[k->line[i].state]);
        jw_kstr(w, "name", k->line[i].name);
        jw_kstr(w, "detail", k->line[i].detail);
        jw_kstr(w, "remedy", k->line[i].remedy);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_key(w, "probes");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < k->n_probes; i++)
        jw_str(w, k->probe[i]);
    jw_arr_end(w);
    jw_kf64(w, "probe_seconds", (double)k->probes_ms / 1000);
    jw_ki64(w, "problems", check_problems(k));
    jw_obj_end(w);
}

static int
check_one(struct call *call, const char *root, const char *file, struct jw *w,
    struct err *err)
{
    struct check *k = arena_alloc(call->arena, sizeof(*k));
    *k = (struct check){
        .call = call, .root = root, .fix = call_has(call, "fix")};
    int rc = project_load(call->arena, root, file, &k->p, err);
    if (rc == 0)
        rc = probe_scratch_in(call->arena, &k->scratch, err);
    if (rc != 0)
        return rc;
    rc = model_check(k, err);
    struct err ignored = {0};
    (void)fs_remove_tree(k->scratch, &ignored);
    if (rc != 0)
        return rc;
    call->check_failed += (int)check_problems(k);
    if (call->json)
        check_json(k, w);
    else
        check_text(k);
    return 0;
}

static int
check_all(struct call *call, const char *root, struct err *err)
{
    struct project_entry *list = NULL;
    struct jw w;
    size_t n = 0;
    bool found = false;
    int rc = project_list(call->arena, root, &list, &n, err);
    if (rc != 0)
        return rc;
    jw_init(&w, &call->out, 0);
    if (call->json) {
        jw_obj_begin(&w);
        jw_key(&w, "models");
        jw_arr_begin(&w);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (call->n_args > 0 &&
            (list[i].name == NULL || strcmp(list[i].name, call->args[0]) != 0))
            continue;
        found = true;
        rc = check_one(call, root, list[i].file, &w, err);
    }
    if (rc != 0) {
        buf_clear(&call->out);
        return rc;
    }
    if (!found)
        return err_set(err, -ERR_NOT_FOUND,
            "there is no model \"%s\"\n  remedy: rea check looks at all",
            call->args[0]);
    if (call->json) {
        jw_arr_end(&w);
        jw_ki64(&w, "problems", call->check_failed);
        jw_obj_end(&w);
        say(call, "\n");
    } else
        say(call, "%d problem%s\n", call->check_failed,
            call->check_failed == 1 ? "" : "s");
    return 0;
}

static int
check_run_verb(struct call *call, struct err *err)
{
    const char *root = NULL;
    int rc = work_root(call, &root, err);
    if (rc == 0)
        rc = check_all(call, root, err);
    if (rc == 0)
        call_next(call, call->check_failed > 0 ? "rea check" : "rea plan");
    return rc;
}

static const struct cmd_opt check_opts[] = {
    {"fix", 0, NULL, "repair what has one obvious answer"}, {0}};

const struct cmd cmd_check = {.name = "check",
    .args = "[MODEL]",
    .max_args = 1,
    .help = "preflight: file, command, knobs, metrics, resume, backend",
    .more = "Runs the command a few times for a short while, outside any "
            "campaign: once with the defaults, once for each knob, once "
            "stopped and resumed. Exit 4 when something is wrong.",
    .opts = check_opts,
    .run = check_run_verb};
