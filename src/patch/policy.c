/* The rules of policy.h. Called when a patch comes in; what runs later is the
 * same bytes, by their hash. Invariant: a patch of a file that no pattern names
 * is refused. */
#include "patch/policy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Files by which a change would leave the model's code: what builds, installs,
 * tests, publishes, runs by itself, or holds keys. In lower case. */
static const char *const kept_out[] = {"makefile", "gnumakefile", "*.mk",
    "cmakelists.txt", "*.cmake", "configure", "configure.*", "*.am", "*.ac",
    "meson.build", "meson_options.txt", "build", "build.bazel", "workspace",
    "*.bzl", "sconstruct", "sconscript", "justfile", "rakefile", "setup.py",
    "setup.cfg", "pyproject.toml", "requirements*.txt", "constraints*.txt",
    "pipfile*", "*.lock", "environment*.y*ml", "conda*.y*ml", "tox.ini",
    "noxfile.py", "conftest.py", "sitecustomize.py", "usercustomize.py",
    "*.pth", "package.json", "package-lock.json", "cargo.toml", "build.rs",
    "go.mod", "go.sum", "dockerfile*", "containerfile*", "*compose*.y*ml",
    "jenkinsfile*", "azure-pipelines*", "cloudbuild*", "*.service", "*.timer",
    "*.so", "*.a", "*.o", "*.pyc", "*.pem", "*.key", "rea.toml", "codeowners"};

static bool
part_match(const char *p, const char *p_end, const char *s, const char *s_end)
{
    const char *star = NULL, *retry = NULL;
    while (s < s_end) {
        if (p < p_end && *p == '*') {
            star = ++p;
            retry = s;
        } else if (p < p_end && (*p == '?' || *p == *s)) {
            p++;
            s++;
        } else if (star != NULL) {
            p = star;
            s = ++retry;
        } else
            return false;
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}

static const char *
part_end(const char *s)
{
    return s + strcspn(s, "/");
}

/* Like part_match with parts for letters: ** is the star. */
bool
glob_match(const char *pattern, const char *path)
{
    const char *p = pattern, *s = path, *star = NULL, *retry = NULL;
    while (*s != '\0') {
        const char *pe = part_end(p), *se = part_end(s);
        if (pe - p == 2 && memcmp(p, "**", 2) == 0) {
            p = star = *pe == '/' ? pe + 1 : pe;
            retry = s;
            if (*p == '\0')
                return true;
        } else if (*p != '\0' && part_match(p, pe, s, se) &&
                   (*pe == '\0') == (*se == '\0')) {
            if (*pe == '\0')
                return true;
            p = pe + 1;
            s = se + 1;
        } else if (star != NULL) {
            const char *re = part_end(retry);
            if (*re == '\0')
                return false;
            p = star;
            s = retry = re + 1;
        } else
            return false;
    }
    return false;
}

static bool
is_declared(const struct project *p, const char *path, bool *by_name)
{
    bool any = false;
    *by_name = false;
    for (uint32_t i = 0; i < p->patch.paths.n; i++) {
        const char *pattern = p->patch.paths.v[i];
        any = any || glob_match(pattern, path);
        *by_name = *by_name || strcmp(pattern, path) == 0;
    }
    return any;
}

static bool
is_kept_out(const char *path)
{
    char lower[DIFF_PATH_MAX];
    size_t n = strlen(path);
    for (size_t i = 0; i <= n && i < sizeof lower; i++)
        lower[i] =
            (char)(path[i] >= 'A' && path[i] <= 'Z' ? path[i] + 32 : path[i]);
    for (const char *s = lower; *s != '\0';) {
        const char *e = part_end(s);
        if (s[0] == '.') /* .github, .gitlab-ci.yml, .env, ... */
            return true;
        s = *e == '/' ? e + 1 : e;
        if (*e != '/')
            break;
    }
    const char *base = strrchr(lower, '/');
    base = base != NULL ? base + 1 : lower;
    for (size_t i = 0; i < sizeof kept_out / sizeof kept_out[0]; i++)
        if (part_match(kept_out[i], kept_out[i] + strlen(kept_out[i]), base,
                base + strlen(base)))
            return true;
    return false;
}

int
policy_check(const struct project *p, const struct diff *d, struct err *err)
{
    bool by_name;
    if (d->n_files > PATCH_FILES_MOST)
        return err_set(err, -ERR_LIMIT,
            "the patch changes %u files, at most %d are looked through\n"
            "  remedy: one idea a patch",
            d->n_files, PATCH_FILES_MOST);
    if ((int64_t)d->added + d->removed > p->patch.max_lines)
        return err_set(err, -ERR_LIMIT,
            "the patch adds %u and removes %u lines, [patch] max_lines is "
            "%lld\n  remedy: a smaller change, or a higher max_lines",
            d->added, d->removed, (long long)p->patch.max_lines);
    for (uint32_t i = 0; i < d->n_files; i++) {
        const char *path = d->file[i].path;
        if (!is_declared(p, path, &by_name))
            return err_set(err, -ERR_INPUT,
                "%s lies outside [patch] paths of %s\n"
                "  remedy: leave it out, or declare it there",
                path, p->file);
        if (!by_name && is_kept_out(path))
            return err_set(err, -ERR_INPUT,
                "%s builds, installs, publishes or configures: a pattern does "
                "not let patches change it\n"
                "  remedy: leave it out, or declare it in [patch] paths by its "
                "full name",
                path);
    }
    return 0;
}

/* n_classes: "other". */
static uint32_t
class_of(const struct project *p, const char *path)
{
    for (uint32_t c = 0; c < p->patch.n_classes; c++)
        for (uint32_t i = 0; i < p->patch.classes[c].patterns.n; i++)
            if (glob_match(p->patch.classes[c].patterns.v[i], path))
                return c;
    return p->patch.n_classes;
}

void
policy_class(const struct project *p, const struct diff *d,
    char out[PATCH_CLASS_LEN], bool *gated)
{
    uint32_t in = 0;
    size_t at = 0;
    *gated = p->patch.gate_all;
    out[0] = '\0';
    for (uint32_t i = 0; i < d->n_files; i++)
        in |= UINT32_C(1) << class_of(p, d->file[i].path);
    for (uint32_t c = 0; c <= p->patch.n_classes; c++) {
        const char *name =
            c < p->patch.n_classes ? p->patch.classes[c].name : "other";
        if ((in >> c & 1) == 0)
            continue;
        for (uint32_t g = 0; g < p->patch.gate.n; g++)
            *gated = *gated || strcmp(p->patch.gate.v[g], name) == 0;
        int n =
            snprintf(out + at, at < PATCH_CLASS_LEN ? PATCH_CLASS_LEN - at : 0,
                "%s%s", at > 0 ? "+" : "", name);
        at += n > 0 && at + (size_t)n < PATCH_CLASS_LEN ? (size_t)n : 0;
    }
}
