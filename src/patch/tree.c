/* Work trees by git's plumbing (tree.h): read-tree and apply --cached in a
 * private index, then checkout-index. Called by checks and by the sandbox.
 * Invariant: git is the only program that is run here, without hooks. */
#include "patch/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fs.h"
#include "patch/diff.h"

enum { GIT_WORDS_MAX = 24, GIT_MS = 600000, SAID_MAX = 600, TRIES = 100 };

const char *
patch_path_in(struct arena *a, const char *root, const char *sha256)
{
    return arena_printf(a, "%s/.rea/patches/%s.diff", root, sha256);
}

int
patch_keep(const char *root, const char *sha256, const char *text, size_t len,
    struct err *err)
{
    struct arena a = {0};
    const char *path = patch_path_in(&a, root, sha256);
    int rc = fs_mkdirs(fs_dir_in(&a, path), err);
    if (rc == 0)
        rc = fs_write_atomic(path, text, len, true, err);
    arena_fini(&a);
    return rc;
}

int
patch_text(
    const char *root, const char *sha256, struct buf *out, struct err *err)
{
    struct arena a = {0};
    char now[DIFF_SHA_HEX];
    const char *path = patch_path_in(&a, root, sha256);
    int rc = fs_read(path, DIFF_BYTES_MAX, out, err);
    if (rc == 0) {
        diff_sha256(buf_str(out), out->len, now);
        if (strcmp(now, sha256) != 0)
            rc = err_set(err, -ERR_CORRUPT,
                "%s was changed after it was approved\n"
                "  remedy: restore it, or add the new patch as its own idea",
                path);
    }
    arena_fini(&a);
    return rc;
}

/* ---- git ---- */

struct git {
    const struct sandbox_spec *s;
    const char *env[2]; /* GIT_INDEX_FILE */
    struct buf said;
};

/* Runs git; its words are in g->said. */
static int
git_run(struct git *g, const char *what, struct err *err, ...)
{
    const char *argv[GIT_WORDS_MAX] = {"git", "-C", g->s->top, "-c",
        "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
        "core.quotePath=true", "-c", "apply.whitespace=nowarn"};
    size_t n = 11;
    int code = 0;
    va_list ap;
    va_start(ap, err);
    for (const char *w;
         n < GIT_WORDS_MAX - 1 && (w = va_arg(ap, const char *)) != NULL;)
        argv[n++] = w;
    va_end(ap);
    buf_clear(&g->said);
    int rc = child_run(argv, g->env, NULL, GIT_MS, &g->said, &code, err);
    while (g->said.len > 0 && g->said.data[g->said.len - 1] == '\n')
        g->said.data[--g->said.len] = '\0';
    if (rc != 0 || code == 0)
        return rc;
    char said[SAID_MAX];
    snprintf(said, sizeof said, "%s", buf_str(&g->said));
    for (char *c = said; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = *c == '\n' ? ';' : '?';
    return err_set(err, -ERR_INPUT, "%s: %s", what,
        code == 127 ? "git is not installed" : said);
}

/* The base with the patches in g's index. */
static int
index_fill(struct arena *a, struct git *g, struct err *err)
{
    const struct sandbox_spec *s = g->s;
    int rc = git_run(
        g, "the base commit", err, "read-tree", s->base_rev, (char *)NULL);
    for (uint32_t i = 0; i < s->n_patches && rc == 0; i++) {
        struct buf text = {0};
        rc = patch_text(s->root, s->patch[i], &text, err);
        buf_fini(&text);
        if (rc != 0)
            break;
        const char *what = arena_printf(a,
            i == 0 ? "patch %.12s does not apply to commit %.12s"
                   : "patch %.12s conflicts with those before it on %.12s",
            s->patch[i], s->base_rev);
        rc = git_run(g, what, err, "apply", "--cached",
            patch_path_in(a, s->root, s->patch[i]), (char *)NULL);
    }
    return rc;
}

static struct git
git_open(struct arena *a, const struct sandbox_spec *s, const char *index)
{
    struct git g = {.s = s};
    g.env[0] = arena_printf(a, "GIT_INDEX_FILE=%s", index);
    (void)fs_remove(index, NULL);
    return g;
}

static void
git_close(struct git *g)
{
    (void)fs_remove(g->env[0] + strlen("GIT_INDEX_FILE="), NULL);
    buf_fini(&g->said);
}

int
tree_applies(struct arena *a, const struct sandbox_spec *s,
    const char **tree_out, struct err *err)
{
    const char *index =
        arena_printf(a, "%s/.rea/patches/check.%d", s->root, (int)getpid());
    int rc = fs_mkdirs(fs_dir_in(a, index), err);
    if (rc != 0)
        return rc;
    struct git g = git_open(a, s, index);
    rc = index_fill(a, &g, err);
    if (rc == 0 && tree_out != NULL) {
        rc = git_run(&g, "write-tree", err, "write-tree", (char *)NULL);
        *tree_out = arena_strdup(a, buf_str(&g.said));
    }
    git_close(&g);
    return rc;
}

int
tree_has_plain(
    const struct sandbox_spec *s, const struct diff *d, struct err *err)
{
    struct git g = {.s = s};
    int rc = 0;
    for (uint32_t i = 0; i < d->n_files && rc == 0; i++) {
        const char *path = d->file[i].path;
        rc = git_run(&g, "ls-tree", err, "ls-tree", s->base_rev, "--", path,
            (char *)NULL);
        if (rc != 0)
            break;
        const char *mode = buf_str(&g.said);
        bool plain = strncmp(mode, "100644 ", 7) == 0 ||
                     strncmp(mode, "100755 ", 7) == 0;
        if (d->file[i].kind == DIFF_NEW ? mode[0] != '\0' : !plain)
            rc = err_set(err, -ERR_INPUT,
                "%s is %s in commit %.12s\n  remedy: a patch against that "
                "commit, of plain files",
                path,
                mode[0] == '\0'                   ? "not"
                : strncmp(mode, "120000", 6) == 0 ? "a link"
                : strncmp(mode, "160000", 6) == 0 ? "a submodule"
                : plain                           ? "already"
                                                  : "no file",
                s->base_rev);
    }
    buf_fini(&g.said);
    return rc;
}

/* ---- trees on disk ---- */

const char *
tree_key_in(struct arena *a, const struct sandbox_spec *s)
{
    struct buf b = {0};
    char hex[DIFF_SHA_HEX];
    buf_printf(
        &b, "tree 1\n%s\n%s\n", s->base_rev, s->build != NULL ? s->build : "");
    for (uint32_t i = 0; i < s->n_patches; i++)
        buf_printf(&b, "%s\n", s->patch[i]);
    diff_sha256(buf_str(&b), b.len, hex);
    buf_fini(&b);
    return arena_strndup(a, hex, 24);
}

static int
tree_make(struct arena *a, const struct sandbox_spec *s, const char *dir,
    int (*build)(void *ctx, const char *dir, struct err *err), void *ctx,
    struct err *err)
{
    const char *tmp = arena_printf(a, "%s.tmp", dir);
    struct git g = git_open(a, s, arena_printf(a, "%s.index", dir));
    int rc = fs_remove_tree(tmp, err);
    if (rc == 0)
        rc = fs_mkdirs(tmp, err);
    if (rc == 0)
        rc = index_fill(a, &g, err);
    if (rc == 0)
        rc = git_run(&g, "checkout-index", err, "checkout-index", "-a", "-f",
            arena_printf(a, "--prefix=%s/", tmp), (char *)NULL);
    git_close(&g);
    if (rc == 0 && build != NULL)
        rc = build(ctx, tmp, err);
    if (rc == 0 && rename(tmp, dir) != 0)
        rc = err_sys(err, "rename %s", tmp);
    if (rc != 0)
        (void)fs_remove_tree(tmp, NULL);
    return rc;
}

/* Opens and locks; false: the file was removed by a sweep meanwhile. */
static bool
lock_take(const char *path, int how, int *fd)
{
    struct stat here, there;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*fd < 0)
        return false;
    while (flock(*fd, how) != 0)
        if (errno != EINTR)
            break;
    if (fstat(*fd, &here) == 0 && stat(path, &there) == 0 &&
        here.st_ino == there.st_ino)
        return true;
    close(*fd);
    *fd = -1;
    return false;
}

int
tree_take(struct arena *a, const struct sandbox_spec *s,
    int (*build)(void *ctx, const char *dir, struct err *err), void *ctx,
    const char **dir, int *lock_fd, struct err *err)
{
    const char *home = arena_printf(a, "%s/.rea/worktrees", s->root);
    *dir = arena_printf(a, "%s/%s", home, tree_key_in(a, s));
    const char *lock = arena_printf(a, "%s.lock", *dir);
    *lock_fd = -1;
    int rc = fs_mkdirs(home, err);
    for (int i = 0; rc == 0 && i < TRIES; i++) {
        if (!lock_take(lock, LOCK_SH, lock_fd))
            continue;
        if (fs_is_dir(*dir))
            return 0;
        close(*lock_fd);
        if (!lock_take(lock, LOCK_EX, lock_fd))
            continue;
        if (!fs_is_dir(*dir))
            rc = tree_make(a, s, *dir, build, ctx, err);
        close(*lock_fd);
        *lock_fd = -1;
    }
    return rc != 0 ? rc : err_set(err, -ERR_SYS, "%s can't be locked", lock);
}

int
trees_sweep(const char *root, struct err *err)
{
    struct arena a = {0};
    const char **names = NULL;
    size_t n = 0;
    int rc = 0;
    const char *home = arena_printf(&a, "%s/.rea/worktrees", root);
    if (fs_is_dir(home))
        rc = fs_list_in(&a, home, &names, &n, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *dot = strstr(names[i], ".lock");
        int fd = -1;
        if (strncmp(names[i], "probed.", 7) == 0)
            (void)fs_remove(fs_join_in(&a, home, names[i]), NULL);
        if (dot == NULL || dot[5] != '\0')
            continue;
        const char *lock = fs_join_in(&a, home, names[i]);
        const char *dir = arena_strndup(&a, lock, strlen(lock) - 5);
        fd = open(lock, O_RDWR | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            rc = fs_remove_tree(dir, err);
            (void)fs_remove_tree(arena_printf(&a, "%s.tmp", dir), NULL);
            if (rc == 0)
                rc = fs_remove(lock, err);
        }
        if (fd >= 0)
            close(fd);
    }
    arena_fini(&a);
    return rc;
}
