/* [patch]: what code changes may touch and what their jobs may see. Called by
 * project.c last. Invariant: every pattern is a relative path without "..", so
 * that nothing outside the repository can be declared. */
#include "project/read.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 64, LINES_MOST = 100000, LINES_DEFAULT = 400 };

/* A list of texts; each is checked by ok (NULL: any that is not empty). */
static int
read_list(const struct reader *r, const struct toml *t, const char *what,
    bool (*ok)(const char *), struct name_list *out)
{
    if (t == NULL)
        return 0;
    if (t->kind != TOML_ARRAY || t->n > LIST_MAX)
        return read_fail(r, place_value(t), "write it as [\"...\"]",
            "%s is a list of at most %d texts", what, LIST_MAX);
    out->v = arena_alloc(r->a, (t->n + 1) * sizeof *out->v);
    for (const struct toml *v = t->child; v != NULL; v = v->next) {
        bool good = v->kind == TOML_STR && v->str_len > 0 &&
                    strlen(v->str) == v->str_len;
        if (!good || (ok != NULL && !ok(v->str)))
            return read_fail(
                r, place_value(v), NULL, "this can't stand in %s", what);
        out->v[out->n++] = v->str;
    }
    return 0;
}

/* Relative, without ".." or empty parts. */
static bool
is_pattern(const char *s)
{
    if (s[0] == '/' || strchr(s, '\\') != NULL)
        return false;
    for (const char *p = s;; p++) {
        size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') ||
            (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += n;
        if (*p == '\0')
            return true;
    }
}

static bool
is_variable(const char *s)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    if (strchr(letters, s[0]) == NULL)
        return false;
    s += strspn(s, letters);
    while (*s >= '0' && *s <= '9')
        s += 1 + strspn(s + 1, letters);
    return *s == '\0';
}

static int
class_by_name(const void *a, const void *b)
{
    const struct patch_class *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int
read_classes(struct reader *r, const struct toml *t)
{
    struct project *p = r->p;
    char name[NAME_LEN];
    if (t == NULL)
        return 0;
    if (t->kind != TOML_TABLE || t->n > PATCH_CLASSES_MAX)
        return read_fail(r, place_value(t),
            "write [patch.classes] and model = [\"src/model/*\"]",
            "classes is a table of at most %d names", PATCH_CLASSES_MAX);
    for (const struct toml *v = t->child; v != NULL; v = v->next) {
        struct patch_class *c = &p->patch.classes[p->patch.n_classes++];
        int rc = read_name(r, v, name, sizeof name);
        if (rc == 0 && strcmp(name, "other") == 0)
            rc = read_fail(r, place_key(v), "use another name",
                "\"other\" is what fits no class");
        c->name = arena_strdup(r->a, v->key);
        if (rc == 0)
            rc = read_list(r, v, "a class", is_pattern, &c->patterns);
        if (rc != 0)
            return rc;
    }
    /* the file's order must not count */
    qsort(p->patch.classes, p->patch.n_classes, sizeof p->patch.classes[0],
        class_by_name);
    return 0;
}

static int
read_gate(struct reader *r, const struct toml *t)
{
    struct project *p = r->p;
    const char *known[PATCH_CLASSES_MAX + 1];
    uint32_t n = 0;
    p->patch.gate_all = t == NULL;
    int rc = read_list(r, t, "gate", NULL, &p->patch.gate);
    for (; n < p->patch.n_classes; n++)
        known[n] = p->patch.classes[n].name;
    known[n++] = "other";
    const struct toml *v = rc == 0 && t != NULL ? t->child : NULL;
    for (; v != NULL; v = v->next) {
        uint32_t i = 0;
        while (i < n && strcmp(known[i], v->str) != 0)
            i++;
        if (i == n)
            return read_fail(r, place_value(v),
                read_hint(r, v->str, known, n, "declare it in [patch.classes]"),
                "no class \"%s\"", v->str);
    }
    return rc;
}

int
parse_patch(struct reader *r, const struct draft *d)
{
    struct project *p = r->p;
    const struct toml *t = toml_get(r->root, "patch");
    if (t == NULL)
        return 0;
    p->patch.on = true;
    p->patch.base = d->patch_base != NULL ? d->patch_base : "HEAD";
    p->patch.build = d->patch_build;
    p->patch.smoke = d->patch_smoke;
    p->patch.max_lines =
        toml_get(t, "max_lines") != NULL ? d->patch_max_lines : LINES_DEFAULT;
    if (p->patch.base[0] == '-' || p->patch.base[0] == '\0')
        return read_fail(r, place_of(t, "base"), "HEAD, a branch or a commit",
            "no revision");
    if (p->patch.max_lines < 1 || p->patch.max_lines > LINES_MOST)
        return read_fail(r, place_of(t, "max_lines"), NULL,
            "max_lines lies in 1 to %d", LINES_MOST);
    int rc = read_list(r, d->patch_paths, "paths", is_pattern, &p->patch.paths);
    if (rc == 0 && p->patch.paths.n == 0)
        rc = read_fail(r, place_of(t, "paths"), "write paths = [\"src/*.py\"]",
            "a patch must be allowed to change something");
    if (rc == 0)
        rc = read_list(r, d->patch_read, "read", NULL, &p->patch.read);
    if (rc == 0)
        rc = read_list(r, d->patch_env, "env", is_variable, &p->patch.env);
    if (rc == 0)
        rc = read_classes(r, d->patch_classes);
    if (rc == 0)
        rc = read_gate(r, d->patch_gate);
    if (rc == 0 && strncmp(p->train.checkpoint, "{run_dir}", 9) != 0)
        rc = read_fail(r, place_of(toml_get(r->root, "train"), "checkpoint"),
            "checkpoint = \"{run_dir}/last.ckpt\"",
            "with [patch] a job can write into its run folder only");
    if (rc == 0 && p->backend.kind != BACKEND_LOCAL)
        rc = read_fail(r, place_key(t), "kind = \"local\" in [backend]",
            "patched jobs are confined on this machine only");
    return rc;
}
