/* rea demo: two campaigns at once on the bundled trainer, with two jobs that
 * fail and one wake that is killed, driven to their reports. Everything goes
 * through the same verbs that a user calls; the demo signs the plans in the
 * name of who runs it. */
#include "cmd/demo.h"
#include "cmd/draft.h"
#include "cmd/follow.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum {
    KILL_AFTER_OK = 5, /* trials of C1 before one of its wakes is killed */
};

static const char marker[] = "demo.txt";

/* ---- the folder ---- */

static int
demo_trainer(struct demo *d, struct err *err)
{
    char self[4096];
    const char *env = getenv("REA_CTR");
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return err_sys(err, "/proc/self/exe");
    self[n] = '\0';
    d->trainer = env != NULL && env[0] != '\0'
                     ? env
                     : fs_join_in(d->call->arena,
                           fs_dir_in(d->call->arena, self), "rea-ctr");
    if (!fs_is_file(d->trainer))
        return err_set(err, -ERR_NOT_FOUND,
            "the bundled trainer is not at %s\n  remedy: make", d->trainer);
    return 0;
}

/* An earlier demo in the folder is replaced; anything else is left alone. */
static int
demo_folder(struct demo *d, const char *dir, struct err *err)
{
    struct arena *a = d->call->arena;
    const char **names = NULL;
    size_t n = 0;
    static const char *const own[] = {
        ".rea", ".cache", "models", "data", "trainer.sh", NULL};
    int rc = fs_mkdirs(dir, err);
    if (rc == 0)
        rc = fs_real_in(a, dir, &d->root, err);
    if (rc == 0)
        rc = fs_list_in(a, d->root, &names, &n, err);
    if (rc != 0)
        return rc;
    bool ours = fs_is_file(fs_join_in(a, d->root, marker));
    if (n > 0 && !ours)
        return err_set(err, -ERR_INPUT,
            "%s is not empty and holds no demo\n"
            "  remedy: rea demo OTHER-FOLDER",
            d->root);
    for (int i = 0; own[i] != NULL && rc == 0; i++)
        rc = fs_remove_tree(fs_join_in(a, d->root, own[i]), err);
    static const char text[] =
        "Written by rea demo, which replaces this folder's demo each time.\n";
    if (rc == 0)
        rc = fs_write_atomic(
            fs_join_in(a, d->root, marker), text, sizeof(text) - 1, false, err);
    return rc;
}

/* ---- verbs, as the user would call them ---- */

static int
demo_verb(
    struct demo *d, const struct cmd *cmd, const char *arg, struct err *err)
{
    struct call sub = {.cmd = cmd,
        .self = d->call->self,
        .dir = d->root,
        .arena = d->call->arena};
    if (arg != NULL)
        sub.args[sub.n_args++] = arg;
    int rc = cmd->run(&sub, err);
    buf_fini(&sub.out);
    return rc != 0 ? err_wrap(err, rc, "rea %s %s", cmd->name,
                         arg != NULL ? arg : "")
                   : 0;
}

static int
demo_sign(struct demo *d, struct store *st, uint32_t id, struct err *err)
{
    struct core *c = NULL;
    int rc = store_load(st, id, &c, err);
    if (rc != 0)
        return rc;
    uint32_t by[4] = {0};
    for (uint32_t i = 0; i < c->n_hypotheses; i++)
        by[c->hypothesis[i].source & 3]++;
    const char *hash = arena_strdup(d->call->arena, c->pending_hash);
    if (!d->call->json)
        printf("C%u %-12s %u hypotheses: %u from insights, %u from research; "
               "plan %.12s signed by %s\n",
            id, c->spec.model, c->n_hypotheses, by[SOURCE_INSIGHT],
            by[SOURCE_RESEARCH], hash, work_user(d->call));
    fflush(stdout);
    free(c);
    return demo_verb(d, &cmd_approve, hash, err);
}

static int
demo_begin(struct demo *d, struct store **st, struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < DEMO_MODELS; i++)
        rc = demo_verb(d, &cmd_plan, d->model[i].name, err);
    if (rc == 0)
        rc = store_open(d->root, STORE_WRITE, st, err);
    for (uint32_t i = 1; rc == 0 && i <= DEMO_MODELS; i++)
        rc = demo_sign(d, *st, i, err);
    return rc != 0 ? rc : demo_verb(d, &cmd_run, NULL, err);
}

/* ---- while it runs ---- */

struct demo_watch {
    struct demo *d;
    struct follow follow;
    struct demo_kill kill;
    bool told;
};

static int
demo_progress(void *ctx, const struct store_campaign *list, size_t n)
{
    struct demo_watch *w = ctx;
    struct err ignored = {0};
    if (w->kill.pid == 0 && list[0].brief.ok >= KILL_AFTER_OK &&
        list[0].brief.state == CAMPAIGN_RUNNING)
        (void)demo_kill_start(&w->kill, w->d->root, list[0].id, &ignored);
    demo_kill_look(&w->kill);
    if (w->kill.victim != 0 && !w->told) {
        w->told = true;
        follow_end(&w->follow);
        if (!w->follow.silent)
            fprintf(stderr,
                "injected: kill -9 of process %d, a wake of C%u at work\n",
                w->kill.victim, list[0].id);
    }
    return follow_progress(&w->follow, list, n);
}

static int
demo_drive(struct demo *d, struct store *st, int *victim, struct err *err)
{
    uint32_t ids[DEMO_MODELS];
    struct demo_watch w = {.d = d};
    struct wake_opts opts = work_opts(d->call, WAKE_WAIT);
    for (uint32_t i = 0; i < DEMO_MODELS; i++)
        ids[i] = i + 1;
    follow_init(&w.follow, d->call);
    int rc = wake_wait(st, ids, DEMO_MODELS, &opts, demo_progress, &w, err);
    follow_end(&w.follow);
    demo_kill_end(&w.kill);
    *victim = w.kill.victim;
    return rc;
}

/* ---- what came of it ---- */

static int
demo_report(struct demo *d, struct store *st, uint32_t i, struct err *err)
{
    struct call sub = {.cmd = &cmd_report,
        .self = d->call->self,
        .dir = d->root,
        .arena = d->call->arena};
    sub.args[sub.n_args++] = arena_printf(d->call->arena, "C%u", i + 1);
    const char *file =
        arena_printf(d->call->arena, "%s/%s.html", d->root, d->model[i].name);
    sub.opt[0] = file; /* --output is the first option of report */
    int rc = cmd_report.run(&sub, err);
    buf_fini(&sub.out);
    struct core *c = NULL;
    if (rc == 0)
        rc = store_load(st, i + 1, &c, err);
    if (rc != 0)
        return rc;
    const struct finalist *f = NULL;
    for (uint32_t k = 0; k < c->n_finalists; k++) {
        if (c->proposal != 0 && c->finalist[k].experiment == c->proposal)
            f = &c->finalist[k];
    }
    if (f != NULL)
        say(d->call,
            "C%u %-12s E%u is proposed: sealed gain %+.4f [%+.4f, %+.4f]\n",
            i + 1, d->model[i].name, c->proposal, f->gain, f->lo, f->hi);
    else
        say(d->call,
            "C%u %-12s nothing held on the sealed metric: no "
            "proposal\n",
            i + 1, d->model[i].name);
    say(d->call, "   %u trials, %u recovered; report %s\n", c->n_trials,
        c->recovered, file);
    free(c);
    return 0;
}

struct demo_faults {
    uint32_t oom, nan;
};

static int
demo_fault(void *ctx, const struct store_attempt *a)
{
    struct demo_faults *f = ctx;
    f->oom += a->reason == REASON_OOM;
    f->nan += a->reason == REASON_NAN || a->reason == REASON_DIVERGED;
    return 0;
}

static int
demo_close(struct demo *d, struct store *st, int victim, int64_t from_ms,
    struct err *err)
{
    struct store_campaign row[DEMO_MODELS];
    struct status_entry e[DEMO_MODELS];
    struct demo_faults faults = {0};
    uint64_t wakes = 0;
    int64_t agent_us = 0;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < DEMO_MODELS; i++) {
        rc = store_campaign_get(st, i + 1, &row[i], err);
        status_of(&row[i], &e[i]);
        wakes += row[i].wakes;
        agent_us += row[i].agent_us;
        if (rc == 0)
            rc = demo_report(d, st, i, err);
    }
    if (rc != 0)
        return rc;
    if (d->call->json) {
        buf_clear(&d->call->out);
        status_json(e, DEMO_MODELS, &d->call->out);
        return 0;
    }
    rc = store_attempts(st, 0, false, demo_fault, &faults, err);
    if (rc != 0)
        return rc;
    say(d->call,
        "met and survived: %u OOM kill, %u NaN, %d kill -9 of a wake\n"
        "%llu wakes, %.1f s of agent time; between them only this command "
        "waited\n"
        "%.0f s in all, on %s\n",
        faults.oom, faults.nan, victim != 0, (unsigned long long)wakes,
        (double)agent_us / 1e6, (double)(fs_now_ms() - from_ms) / 1000,
        d->source);
    call_next(d->call, "open %s/%s.html    rea -C %s why C1/T9    rea init",
        d->root, d->model[0].name, d->root);
    return 0;
}

static int
demo_run(struct call *call, struct err *err)
{
    struct demo d = {.call = call};
    struct store *st = NULL;
    int victim = 0;
    int64_t from_ms = fs_now_ms();
    int rc = demo_trainer(&d, err);
    if (rc == 0)
        rc =
            demo_folder(&d, call->n_args > 0 ? call->args[0] : "rea-demo", err);
    if (rc == 0)
        rc = demo_data(&d, call_opt(call, "data"), err);
    if (rc == 0)
        rc = demo_files(&d, err);
    if (rc == 0 && !call->json && !call->quiet) {
        printf("demo in %s: 2 campaigns at once\ndata: %s\n", d.root, d.source);
        for (uint32_t i = 0; i < DEMO_MODELS; i++)
            printf("  %-12s %s\n", d.model[i].name, d.model[i].what);
        fflush(stdout);
    }
    if (rc == 0)
        rc = demo_begin(&d, &st, err);
    if (rc == 0)
        rc = demo_drive(&d, st, &victim, err);
    if (rc == 0)
        rc = demo_close(&d, st, victim, from_ms, err);
    store_close(st);
    return rc;
}

static const struct cmd_opt demo_opts[] = {
    {"data", 0, "DIR|none", "folder of real data; none: the generator"}, {0}};

const struct cmd cmd_demo = {.name = "demo",
    .args = "[DIR]",
    .max_args = 1,
    .flags = CMD_WRITES | CMD_STREAMS,
    .help = "two campaigns on the bundled trainer, to their reports",
    .more = "Writes a workspace (rea-demo by default) and drives two campaigns "
            "at once. Two jobs are made to fail and one wake is killed, so "
            "that recovery can be seen. Data is looked for in --data, "
            "$REA_DATA and the cache; else it is generated, and said so.",
    .example = "rea demo /tmp/demo --data none",
    .opts = demo_opts,
    .run = demo_run};
