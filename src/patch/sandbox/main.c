/* build/rea-sandbox: turns itself into a job in its sandbox. Started by a job's
 * supervisor, or by a check, as
 *   rea-sandbox SPEC.json -- PROGRAM ARGS...
 * It makes the work tree of the spec unless it is there, builds it, and becomes
 * bubblewrap, so that no process of its own is left; bubblewrap starts it again
 * inside (--inner) for the last steps. Exit code 125: nothing of the job was
 * run, and sandbox.why beside the spec says why.
 * Invariant: the program is run confined or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fs.h"
#include "patch/box.h"
#include "patch/tree.h"

enum { BUILD_MS = 1800000, SAID_MAX = 1500 };

struct launch {
    struct arena arena;
    struct sandbox_spec spec;
    const char *self;
};

/* Runs the build command in the box, the tree writable. */
static int
tree_build(void *ctx, const char *dir, struct err *err)
{
    struct launch *l = ctx;
    const char *sh[] = {"/bin/sh", "-c", l->spec.build, NULL};
    const char *const *argv =
        box_argv_in(&l->arena, &l->spec, dir, true, l->self, sh);
    struct buf said = {0};
    char tail[SAID_MAX];
    int code = 0;
    int rc = child_run_as(argv, box_env_in(&l->arena, &l->spec), NULL, BUILD_MS,
        &said, &code, err);
    size_t skip = said.len > sizeof tail - 1 ? said.len - sizeof tail + 1 : 0;
    snprintf(tail, sizeof tail, "%s", buf_str(&said) + skip);
    for (char *c = tail; *c != '\0'; c++)
        if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f)
            *c = '?';
    buf_fini(&said);
    if (rc == 0 && code != 0)
        rc = err_set(err, -ERR_INPUT, "[patch] build ended with %d: %s", code,
            code == 124 ? "it took more than half an hour" : tail);
    return rc;
}

/* Namespaces cost tens of milliseconds, so what a machine can is asked once
 * after each of its starts. */
static int
probe_once(struct launch *l, struct err *err)
{
    char boot[FS_BOOT_ID];
    fs_boot_id(boot);
    const char *home = fs_join_in(&l->arena, l->spec.root, ".rea/worktrees");
    const char *mark = arena_printf(&l->arena, "%s/probed.%s", home, boot);
    if (boot[0] != '\0' && fs_is_file(mark) && box_is_there())
        return 0;
    int rc = box_probe(err);
    if (rc == 0)
        rc = fs_mkdirs(home, err);
    if (rc == 0 && boot[0] != '\0')
        (void)fs_write_atomic(mark, "", 0, false, NULL);
    return rc;
}

/* Only returns when it fails. */
static int
launch_run(struct launch *l, const char *const *argv, struct err *err)
{
    const char *tree = NULL;
    int lock = -1;
    int rc = fs_real_in(&l->arena, "/proc/self/exe", &l->self, err);
    if (rc == 0)
        rc = probe_once(l, err);
    if (rc == 0)
        rc = tree_take(&l->arena, &l->spec,
            l->spec.build != NULL ? tree_build : NULL, l, &tree, &lock, err);
    if (rc != 0)
        return rc;
    fcntl(lock, F_SETFD, 0); /* held while the job is there */
    const char *const *box =
        box_argv_in(&l->arena, &l->spec, tree, false, l->self, argv);
    const char *const *env = box_env_in(&l->arena, &l->spec);
    /* The group's signals are for the program; bwrap would die of them and
     * take it along. */
    static const int passed_on[] = {
        SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        signal(passed_on[i], SIG_IGN);
    execvpe(
        box[0], (char *const *)(uintptr_t)box, (char *const *)(uintptr_t)env);
    return err_sys(err, "%s", box[0]);
}

static int
outer_main(const char *spec, const char *const *argv)
{
    struct launch l = {0};
    struct err err = {0};
    int rc = sandbox_spec_read(&l.arena, spec, &l.spec, &err);
    if (rc == 0)
        rc = launch_run(&l, argv, &err);
    fprintf(stderr, "rea-sandbox: %s\n", err.text);
    (void)fs_write_atomic(
        fs_join_in(&l.arena, fs_dir_in(&l.arena, spec), "sandbox.why"),
        err.text, strlen(err.text), false, NULL);
    return SANDBOX_FAILED;
}

int
main(int argc, char **argv)
{
    struct err err = {0};
    if (argc < 4 || strcmp(argv[2], "--") != 0) {
        fprintf(stderr, "usage: rea-sandbox SPEC.json -- PROGRAM ARGS...\n"
                        "started by rea for each job; not by hand\n");
        return 2;
    }
    if (strcmp(argv[1], "--inner") != 0)
        return outer_main(argv[1], (const char *const *)argv + 3);
    (void)box_become(argv + 3, &err);
    fprintf(stderr, "rea-sandbox: %s\n", err.text);
    return 127;
}
