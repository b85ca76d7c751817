/* Finds and loads project files (project.h). Called by every verb. Invariant:
 * a project that is handed out has passed every check; there is no half-valid
 * one. */
#include "project/project.h"

#include "base/fs.h"
#include "base/near.h"
#include "project/read.h"
#include "project/rungs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct draft
draft_defaults(void)
{
    return (struct draft){
        .style = STYLE_GNU,
        .checkpoint = "{run_dir}/checkpoint",
        .grace_ms = 30000,
        .backoff_ms = BACKOFF_USUAL_MS,
        .pace = true,
        .quarantine_ms = QUARANTINE_USUAL_MS,
        .cpus = 1,
        .time_ms = 3600000,
        .max_hypotheses = 24,
        .stop = true,
        .seeds = 5,
        .unit = UNIT_CORE_HOURS,
        .max_parallel = 1,
        .pool_weight = 1,
        .backend = BACKEND_LOCAL,
        .slurm_wake = SLURM_WAKE_TRAP,
        .max_tokens = 4096,
        .model_idle_ms = 60000,
        .stream = true,
        .price_in = NAN,
        .price_out = NAN,
        .price_cached = NAN,
    };
}

static int
check_schema(const struct reader *r)
{
    const struct toml *t = toml_get(r->root, "schema");
    if (t == NULL)
        return read_fail(r, (struct place){1, 1},
            arena_printf(
                r->a, "begin the file with schema = %d", PROJECT_SCHEMA),
            "the file does not say which schema it follows");
    if (t->kind != TOML_INT || t->i64 < 1)
        return read_fail(r, place_value(t),
            arena_printf(r->a, "write schema = %d", PROJECT_SCHEMA),
            "schema is a whole number");
    if (t->i64 > PROJECT_SCHEMA) {
        read_fail(r, place_value(t), "install a newer rea",
            "schema %lld is newer than this program, which knows schema %d",
            (long long)t->i64, PROJECT_SCHEMA);
        if (r->err != NULL)
            r->err->code = -ERR_VERSION;
        return -ERR_VERSION;
    }
    return 0;
}

static int
unknown_section(const struct reader *r, const struct toml *t)
{
    const char *names[32];
    for (uint32_t i = 0; i < project_n_sections; i++)
        names[i] = project_sections[i].name;
    if (t->kind != TOML_TABLE && t->kind != TOML_ARRAY)
        return read_fail(r, place_key(t),
            "move it below its section, such as [train]",
            "unknown key \"%s\" before the first section", t->key);
    return read_fail(r, place_key(t),
        read_hint(r, t->key, names, project_n_sections,
            "see docs/project-file.md for the sections"),
        "unknown section [%s]", t->key);
}

/* Single sections go to the draft; named ones are only checked for form. */
static int
read_one(const struct reader *r, const struct section *s, const struct toml *t,
    struct draft *d)
{
    if (t->kind != TOML_TABLE)
        return read_fail(r, place_key(t),
            arena_printf(
                r->a, "write [%s%s]", s->name, s->named ? ".NAME" : ""),
            "%s is a section, not %s", s->name, toml_kind_name(t->kind));
    if (!s->named)
        return read_section(r, s, t, d);
    for (const struct toml *c = t->child; c != NULL; c = c->next) {
        if (c->kind != TOML_TABLE)
            return read_fail(r, place_key(c),
                arena_printf(
                    r->a, "write [%s.NAME] and its keys below", s->name),
                "[%s] takes named tables, %s is %s", s->name, c->key,
                toml_kind_name(c->kind));
    }
    return 0;
}

static int
read_sections(const struct reader *r, struct draft *d)
{
    for (const struct toml *t = r->root->child; t != NULL; t = t->next) {
        const struct section *s = section_find(t->key);
        int rc = 0;
        if (s != NULL)
            rc = read_one(r, s, t, d);
        else if (strcmp(t->key, "schema") != 0)
            rc = unknown_section(r, t);
        if (rc != 0)
            return rc;
    }
    for (uint32_t i = 0; i < project_n_sections; i++) {
        const struct section *s = &project_sections[i];
        const struct toml *t = toml_get(r->root, s->name);
        if (s->required && (t == NULL || (s->named && t->n == 0)))
            return read_fail(r, (struct place){0},
                arena_printf(r->a, "add [%s%s]: %s", s->name,
                    s->named ? ".NAME" : "", s->doc),
                "there is no [%s%s]", s->name, s->named ? ".NAME" : "");
    }
    return 0;
}

static int
parse_name(struct reader *r, const struct draft *d)
{
    struct spec *s = &r->p->spec;
    const struct toml *t = toml_get(r->root, "project");
    size_t n = strlen(d->name);
    if (n == 0 || n >= sizeof s->model || strcspn(d->name, "/ \t\n\"'\\") != n)
        return read_fail(r, place_of(t, "name"),
            arena_printf(r->a,
                "use 1 to %zu letters without blanks, quotes "
                "and slashes",
                sizeof s->model - 1),
            "\"%.60s\" is no usable name", d->name);
    memcpy(s->model, d->name, n + 1);
    return 0;
}

static int
parse_all(struct reader *r)
{
    struct draft d = draft_defaults();
    int rc = check_schema(r);
    if (rc == 0)
        rc = read_sections(r, &d);
    if (rc == 0)
        rc = parse_name(r, &d);
    if (rc == 0)
        rc = parse_train(r, &d);
    if (rc == 0)
        rc = parse_knobs(r);
    if (rc == 0)
        rc = parse_metrics(r);
    if (rc == 0)
        rc = parse_plan(r, &d);
    if (rc == 0)
        rc = parse_candidates(r, &d);
    if (rc == 0)
        rc = parse_budget(r, &d);
    if (rc == 0)
        rc = parse_backend(r, &d);
    if (rc == 0)
        rc = parse_model(r, &d);
    if (rc == 0)
        rc = parse_patch(r, &d);
    return rc == 0 ? command_check(r) : rc;
}

int
project_parse(struct arena *a, const char *root, const char *file,
    const char *text, size_t len, struct project **out, struct err *err)
{
    struct project *p = arena_alloc(a, sizeof *p);
    struct toml *tree = NULL;
    struct toml_fault fault;
    p->root = arena_strdup(a, root);
    p->file = arena_strdup(a, file);
    p->text = arena_strndup(a, text, len);
    p->text_len = len;
    struct reader r = {.a = a, .p = p, .err = err};
    int rc = toml_parse(a, p->text, len, &tree, &fault, err);
    if (rc != 0)
        return read_fail(
            &r, (struct place){fault.line, fault.col}, NULL, "%s", fault.why);
    r.root = tree;
    rc = parse_all(&r);
    if (rc == 0)
        *out = p;
    return rc;
}

int
project_load(struct arena *a, const char *root, const char *file,
    struct project **out, struct err *err)
{
    struct buf text = {0};
    int rc = fs_read(fs_join_in(a, root, file), PROJECT_BYTES_MAX, &text, err);
    if (rc == 0)
        rc = project_parse(a, root, file, buf_str(&text), text.len, out, err);
    else
        err_wrap(err, rc, "read the project file");
    buf_fini(&text);
    return rc;
}

/* ---- several in one workspace ---- */

/* The name alone: a file with a mistake elsewhere still has its name. */
static void
entry_read(struct arena *a, const char *root, struct project_entry *e)
{
    struct buf text = {0};
    struct err err = {0};
    struct toml *t = NULL;
    int rc =
        fs_read(fs_join_in(a, root, e->file), PROJECT_BYTES_MAX, &text, &err);
    if (rc == 0)
        rc = toml_parse(a, buf_str(&text), text.len, &t, NULL, &err);
    const struct toml *p = rc == 0 ? toml_get(t, "project") : NULL;
    const struct toml *name = p ? toml_get(p, "name") : NULL;
    if (name != NULL && name->kind == TOML_STR)
        e->name = name->str;
    else
        e->why = rc != 0 ? arena_printf(a, "%s:%s", e->file, err.text)
                         : arena_printf(a, "%s: no [project] name", e->file);
    buf_fini(&text);
}

static int
check_twins(const struct project_entry *list, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (list[i].name == NULL || list[j].name == NULL ||
                strcmp(list[i].name, list[j].name) != 0)
                continue;
            return err_set(err, -ERR_INPUT,
                "%s and %s both have the name \"%s\", so a campaign would not "
                "know its model\n  fix: change [project] name in one of them",
                list[j].file, list[i].file, list[i].name);
        }
    }
    return 0;
}

static size_t
add_models(
    struct arena *a, const char *root, struct project_entry **list, size_t n)
{
    const char **names;
    size_t n_names = 0;
    if (fs_list_in(a, fs_join_in(a, root, "models"), &names, &n_names, NULL) !=
        0)
        return n;
    struct project_entry *all = arena_alloc(a, (n + n_names + 1) * sizeof *all);
    if (n > 0)
        memcpy(all, *list, n * sizeof *all);
    for (size_t i = 0; i < n_names; i++) {
        size_t len = strlen(names[i]);
        if (len > 5 && strcmp(names[i] + len - 5, ".toml") == 0)
            all[n++].file = fs_join_in(a, "models", names[i]);
    }
    *list = all;
    return n;
}

int
project_list(struct arena *a, const char *root, struct project_entry **out,
    size_t *n, struct err *err)
{
    struct project_entry *list = arena_alloc(a, sizeof *list);
    size_t count = 0;
    *n = 0;
    count = add_models(a, root, &list, count);
    if (fs_is_file(fs_join_in(a, root, "rea.toml"))) {
        struct project_entry *all = arena_alloc(a, (count + 1) * sizeof *all);
        memcpy(all, list, count * sizeof *all);
        all[count++].file = "rea.toml";
        list = all;
    }
    if (count == 0)
        return err_set(err, -ERR_NOT_FOUND,
            "no project file here: neither rea.toml nor models/*.toml in %s\n"
            "  fix: rea init --from \"YOUR TRAINING COMMAND\"",
            root);
    for (size_t i = 0; i < count; i++)
        entry_read(a, root, &list[i]);
    *out = list;
    *n = count;
    return check_twins(list, count, err);
}

static int
no_such_model(struct arena *a, const struct project_entry *list, size_t n,
    const char *name, struct err *err)
{
    const char **names = arena_alloc(a, (n + 1) * sizeof *names);
    uint32_t known = 0;
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        if (list[i].name != NULL) {
            buf_printf(&b, "%s%s", known ? ", " : "", list[i].name);
            names[known++] = list[i].name;
        } else {
            buf_printf(&b, "%s(%s)", i ? ", " : "", list[i].why);
        }
    }
    int rc;
    const char *near = name ? near_word(name, names, known) : NULL;
    if (name == NULL)
        rc = err_set(err, -ERR_INPUT,
            "%zu models here: %s\n  fix: name the one that is meant", n,
            buf_str(&b));
    else if (near != NULL)
        rc = err_set(err, -ERR_NOT_FOUND,
            "there is no model \"%s\"\n  fix: did you mean \"%s\"?", name,
            near);
    else
        rc = err_set(err, -ERR_NOT_FOUND,
            "there is no model \"%s\"\n  fix: the models here are %s", name,
            buf_str(&b));
    buf_fini(&b);
    return rc;
}

int
project_find(struct arena *a, const char *root, const char *name,
    struct project **out, struct err *err)
{
    struct project_entry *list = NULL;
    size_t n = 0;
    int rc = project_list(a, root, &list, &n, err);
    if (rc != 0)
        return rc;
    if (name == NULL && n == 1)
        return project_load(a, root, list[0].file, out, err);
    for (size_t i = 0; name != NULL && i < n; i++) {
        if (list[i].name != NULL && strcmp(list[i].name, name) == 0)
            return project_load(a, root, list[i].file, out, err);
    }
    return no_such_model(a, list, n, name, err);
}
bool
project_rungs(const struct project *p, struct rung_reader *out)
{
    const struct spec *s = &p->spec;
    if (!s->stops || s->n_rungs < 2)
        return false;
    rungs_init(out, &p->harvest, s->rung, s->n_rungs, p->progress);
    return true;
}
