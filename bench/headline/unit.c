/* Runs one unit. The outcome is measured with seeds that no arm saw, the same
 * for the arm's proposal and for the shipped defaults, outside every budget. */
#include "unit.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/fs.h"
#include "base/rng.h"
#include "arms.h"
#include "train.h"

/* Budgets that an earlier campaign had. */
enum { LIBRARY_BUDGETS = 4 };
enum { FRESH_FIRST = 2000000, FRESH_STEP = 1000 };

static bool
is_default(const struct piece *u)
{
    return strcmp(u->arm, "default") == 0;
}

bool
unit_is_ready(const struct piece *u, const struct results *known,
    const struct task *tasks, uint32_t n_tasks)
{
    if (strcmp(u->arm, "rea") != 0)
        return true;
    for (uint32_t i = 0; i < n_tasks; i++)
        if (&tasks[i] != u->task &&
            results_find(known, tasks[i].name, "library", u->seed) == NULL)
            return false;
    return true;
}

/* What the campaigns on the other tasks kept, with the same seed. */
static const char *
insights_in(struct arena *a, const struct piece *u, const struct results *known)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < known->n; i++) {
        const struct result *x = &known->item[i];
        const char *text = json_get_str(x->json, "insights");
        if (x->seed == u->seed && strcmp(x->arm, "library") == 0 &&
            strcmp(x->task, u->task->name) != 0 && text != NULL)
            buf_puts(&b, text);
    }
    const char *text = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

/* Another stream for each task, so that luck in one is not luck in all. */
static uint32_t
seed_of(const struct piece *u)
{
    uint64_t x = u->seed;
    for (const char *at = u->task->name; *at != '\0'; at++)
        x = rng_mix(x, (unsigned char)*at);
    return (uint32_t)(x & 0x3fffffff);
}

static int
arm_run(const struct arm_run *r, struct arm_result *out, struct err *err)
{
    return agent_has(r->arm) ? agent_run(r, out, err) : peer_run(r, out, err);
}

/* ---- the outcome ---- */

static int
outcome_measure(const struct places *p, const struct piece *u, struct arena *a,
    const char *root, const struct config *c, struct jw *w, struct err *err)
{
    struct project *project = NULL;
    struct buf test = {0}, cost = {0};
    int rc = task_workspace(a, p, u->task, root, true, &project, err);
    jw_key(w, "valid_fresh");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < u->fresh && rc == 0; i++) {
        struct train_result x;
        int32_t seed = (int32_t)(FRESH_FIRST + FRESH_STEP * u->seed + i);
        rc = train_run(a, u->task, project, c, seed, NULL, NULL, &x, err);
        if (rc == 0 && (!x.ok || !isfinite(x.test)))
            rc = err_set(err, -ERR_INPUT,
                "%s: an outcome run of %s gave no %s (see %s/train.log)",
                u->task->name, u->arm, u->task->test, root);
        if (rc != 0)
            break;
        jw_f64(w, x.valid);
        buf_printf(&test, "%s%.9g", i > 0 ? "," : "[", x.test);
        buf_printf(&cost, "%s%.4g", i > 0 ? "," : "[", x.cpu_s);
    }
    jw_arr_end(w);
    buf_putc(&test, ']');
    buf_putc(&cost, ']');
    if (rc == 0) {
        jw_key(w, "test");
        jw_raw(w, buf_str(&test));
        jw_key(w, "run_cpu_s");
        jw_raw(w, buf_str(&cost));
    }
    buf_fini(&test);
    buf_fini(&cost);
    return rc;
}

/* ---- the line ---- */

static void
changes_put(struct jw *w, const struct spec *s, const struct config *c)
{
    struct config base;
    config_default(s, &base);
    config_canon(s, &base);
    jw_key(w, "changes");
    jw_obj_begin(w);
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        char text[TEXT_LEN];
        if (c->v[k] == base.v[k])
            continue;
        knob_format(&s->knob[k], c->v[k], text, sizeof text);
        jw_kstr(w, s->knob[k].name, text);
    }
    jw_obj_end(w);
}

static void
arm_put(struct jw *w, const struct arm_result *x)
{
    jw_kbool(w, "proposed", x->proposed);
    jw_kf64(w, "valid", x->valid);
    jw_kf64(w, "spent_s", x->spent_s);
    if (x->all_cpu_s > 0)
        jw_kf64(w, "all_cpu_s", x->all_cpu_s);
    jw_ki64(w, "trials", x->trials);
    jw_ki64(w, "failed", x->failed);
    jw_ki64(w, "pruned", x->pruned);
    if (x->insights != NULL)
        jw_kstr(w, "insights", x->insights);
    if (x->ideas != NULL) {
        jw_key(w, "ideas");
        jw_raw(w, x->ideas);
    }
}

static int
unit_measure(const struct places *p, const struct piece *u,
    const struct results *known, struct arena *a, struct jw *w, struct err *err)
{
    const char *root =
        arena_printf(a, "%s/%s/%s-%u", p->work, u->task->name, u->arm, u->seed);
    struct project *project = NULL;
    struct arm_result x = {0};
    int64_t start = fs_mono_us();
    agent_stop(a, p, root);
    int rc = task_workspace(a, p, u->task, root, false, &project, err);
    if (rc != 0)
        return rc;
    const struct spec *s = &project->spec;
    config_default(s, &x.config);
    config_canon(s, &x.config);
    if (!is_default(u)) {
        struct arm_run r = {
            a, p, u->task, u->arm, seed_of(u), root, project, NULL};
        if (strcmp(u->arm, "rea") == 0)
            r.insights = insights_in(a, u, known);
        rc = arm_run(&r, &x, err);
        if (rc != 0)
            return rc;
        arm_put(w, &x);
        jw_kf64(w, "wall_s", 1e-6 * (double)(fs_mono_us() - start));
    }
    changes_put(w, s, &x.config);
    if (strcmp(u->arm, "library") == 0)
        return 0;
    const char *sealed = arena_printf(a, "%s.sealed", root);
    rc = outcome_measure(p, u, a, sealed, &x.config, w, err);
    if (rc == 0)
        rc = fs_remove_tree(sealed, err);
    return rc;
}

int
unit_run(const struct places *p, const struct piece *u,
    const struct results *known, const char *out, struct err *err)
{
    struct arena a = {0};
    struct buf line = {0};
    struct jw w;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    jw_init(&w, &line, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "task", u->task->name);
    jw_kstr(&w, "arm", u->arm);
    jw_ki64(&w, "seed", u->seed);
    struct task task = *u->task;
    struct piece piece = *u;
    piece.task = &task;
    if (strcmp(u->arm, "library") == 0)
        task.budget_s *= LIBRARY_BUDGETS;
    jw_kf64(&w, "budget_s", task.budget_s);
    if (task.minimise)
        jw_kbool(&w, "minimise", true);
    int rc = unit_measure(p, &piece, known, &a, &w, err);
    if (rc == 0) {
        jw_obj_end(&w);
        buf_putc(&line, '\n');
        rc = fs_append(out, line.data, line.len, err);
    }
    buf_fini(&line);
    arena_fini(&a);
    return rc;
}
