/* Reads the table of tasks and writes the project files. Everything that an
 * arm sees of a task is the project file; the sealed metric is no part of it.*/
#include "task.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"

enum { COLUMNS = 11 };

static bool
data_is_there(struct arena *a, const struct places *p, const struct task *t)
{
    char *save = NULL, *list = arena_strdup(a, t->needs);
    for (char *w = strtok_r(list, ",", &save); w != NULL;
         w = strtok_r(NULL, ",", &save))
        if (!fs_exists(fs_join_in(a, p->data, w))) {
            fprintf(stderr, "bench-headline: %s is left out: no %s in %s\n",
                t->name, w, p->data);
            return false;
        }
    return true;
}

static int
task_parse(struct arena *a, char *line, struct task *t, struct err *err)
{
    const char *cell[COLUMNS] = {0};
    int n = 0;
    for (char *at = line; n < COLUMNS; n++) {
        char *tab = strchr(at, '\t');
        cell[n] = at;
        if (tab == NULL) {
            n++;
            break;
        }
        *tab = '\0';
        at = tab + 1;
    }
    if (n != COLUMNS)
        return err_set(err, -ERR_INPUT, "%.40s: %d columns instead of %d", line,
            n, COLUMNS);
    for (int i = 0; i < COLUMNS; i++)
        cell[i] = arena_strdup(a, cell[i]);
    *t = (struct task){.name = cell[0],
        .needs = cell[1],
        .command = cell[2],
        .outcome = cell[3],
        .valid = cell[4],
        .test = cell[5],
        .minimise = strcmp(cell[6], "min") == 0,
        .min_gain = strtod(cell[7], NULL),
        .limit_s = strtod(cell[8], NULL),
        .budget_s = strtod(cell[9], NULL),
        .knobs = cell[10]};
    if (!(t->min_gain > 0) || !(t->limit_s > 0) || !(t->budget_s > t->limit_s))
        return err_set(err, -ERR_INPUT,
            "%s: min_gain, limit and budget must be above 0, and the budget "
            "above one run's limit",
            t->name);
    return 0;
}

int
tasks_read(struct arena *a, const struct places *p, struct task *out,
    uint32_t *n, struct err *err)
{
    struct buf text = {0};
    char *save = NULL;
    *n = 0;
    int rc = fs_read(p->table, 0, &text, err);
    char *all = arena_strdup(a, buf_str(&text));
    buf_fini(&text);
    for (char *line = strtok_r(all, "\n", &save); line != NULL && rc == 0;
         line = strtok_r(NULL, "\n", &save)) {
        if (line[0] == '#')
            continue;
        if (*n == TASKS_MAX)
            return err_set(err, -ERR_LIMIT, "more than %d tasks", TASKS_MAX);
        rc = task_parse(a, line, &out[*n], err);
        if (rc == 0 && data_is_there(a, p, &out[*n]))
            (*n)++;
    }
    return rc != 0 ? err_wrap(err, rc, "%s", p->table) : 0;
}

/* ---- the project file ---- */

static void
replace_all(struct buf *out, const char *text, const char *what, const char *by)
{
    const char *at;
    while ((at = strstr(text, what)) != NULL) {
        buf_add(out, text, (size_t)(at - text));
        buf_puts(out, by);
        text = at + strlen(what);
    }
    buf_puts(out, text);
}

static const char *
command_in(
    struct arena *a, const struct places *p, const struct task *t, bool outcome)
{
    const char *common = arena_printf(a,
        "--cache=%s/cache --metrics={metrics_file} --predict-split=none "
        "--max-cpu=%g",
        p->work, t->limit_s);
    const char *pair[][2] = {{"{common}", common}, {"{ctr}", p->trainer},
        {"{data}", p->data}, {"\"", "\\\""}};
    const char *text = t->command;
    if (outcome)
        text = arena_printf(a, "%s %s", text, t->outcome);
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        struct buf b = {0};
        replace_all(&b, text, pair[i][0], pair[i][1]);
        text = arena_strdup(a, buf_str(&b));
        buf_fini(&b);
    }
    return text;
}

/* "valid.auc" becomes "valid_auc": insights know an AUC by its name. */
static const char *
metric_name_in(struct arena *a, const char *key)
{
    char *name = arena_strdup(a, key);
    for (char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at))
            *at = '_';
    return name;
}

/* A job's own report is its cost; a run may end its last step beyond the
 * limit, so a little more is reserved. */
static void
project_text(struct buf *out, const struct task *t, const char *metric,
    const char *command)
{
    const char *goal = t->minimise ? "min" : "max";
    buf_printf(out,
        "schema = 1\n[project]\nname = \"%s\"\n"
        "[train]\ncommand = \"%s\"\nseed = \"seed\"\ngrace = \"1s\"\n"
        "exit_codes = { 85 = \"preempted\", 86 = \"diverged\" }\n"
        "[resources]\ncpus = 1\ntime = \"10m\"\n"
        "[metric.%s]\nprimary = true\ngoal = \"%s\"\nmin_gain = %g\n"
        "from = \"jsonl\"\nkey = \"%s\"\nreduce = \"best\"\n"
        "watch = { nan = \"fail\" }\n"
        "[metric.core_hours]\ngoal = \"min\"\nkey = \"core_hours\"\n"
        "[budget]\nunit = \"core_hours\"\ntotal = %.9g\nper_trial = %.9g\n"
        "max_parallel = 1\ncost_metric = \"core_hours\"\n",
        t->name, command, metric, goal, t->min_gain, t->valid,
        t->budget_s / 3600, 1.2 * t->limit_s / 3600);
}

int
task_workspace(struct arena *a, const struct places *p, const struct task *t,
    const char *root, bool outcome, struct project **out, struct err *err)
{
    struct buf text = {0};
    const char *knobs = fs_join_in(a, fs_dir_in(a, p->table), t->knobs);
    int rc = fs_remove_tree(root, err);
    if (rc == 0)
        rc = fs_mkdirs(root, err);
    project_text(
        &text, t, metric_name_in(a, t->valid), command_in(a, p, t, outcome));
    if (rc == 0)
        rc = fs_read(knobs, 0, &text, err);
    const char *file = fs_join_in(a, root, "rea.toml");
    if (rc == 0)
        rc = fs_write_atomic(file, text.data, text.len, false, err);
    buf_fini(&text);
    return rc != 0 ? rc : project_load(a, root, "rea.toml", out, err);
}
