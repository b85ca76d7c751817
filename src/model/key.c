/* Reads a key from the environment, a private file or a command (key.h).
 * Called by endpoint.c. Invariant: no error text holds any of the key. */
#include "model/key.h"

#include "base/buf.h"
#include "base/fs.h"
#include "project/project.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEY_BYTES_MAX = 8192, COMMAND_MS = 20000 };

static int
command_start(
    const char **argv, const char *root, int *fd, pid_t *pid, struct err *err)
{
    int ends[2];
    posix_spawn_file_actions_t fa;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(err, "make a pipe");
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(
        &fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addchdir_np(&fa, root);
    int rc = posix_spawnp(
        pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    close(ends[1]);
    *fd = ends[0];
    if (rc == 0)
        return 0;
    close(ends[0]);
    errno = rc;
    return err_sys(err, "start %s", argv[0]);
}

static bool
command_read(int fd, struct buf *out)
{
    int64_t end = fs_boot_ms() + COMMAND_MS;
    for (;;) {
        char piece[1024];
        struct pollfd p = {fd, POLLIN, 0};
        int64_t left = end - fs_boot_ms();
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return false;
        ssize_t n = read(fd, piece, sizeof piece);
        if (n <= 0)
            return n == 0;
        buf_add(out, piece, (size_t)n);
        if (out->len > KEY_BYTES_MAX)
            return false;
    }
}

static int
command_key(struct arena *a, const char *text, const char *root,
    struct buf *out, struct err *err)
{
    const char **argv = NULL;
    size_t n = 0;
    int fd = -1, status = 0;
    pid_t pid = -1;
    int rc = command_split(a, text, &argv, &n, err);
    if (rc == 0 && n == 0)
        rc = err_set(err, -ERR_INPUT, "the command is empty");
    if (rc == 0)
        rc = command_start(argv, root, &fd, &pid, err);
    if (rc != 0)
        return rc;
    bool whole = command_read(fd, out);
    close(fd);
    if (!whole)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, -ERR_INPUT,
            "the command failed, wrote too much or took over %d s",
            COMMAND_MS / 1000);
    return 0;
}

static int
file_key(struct arena *a, const char *path, const char *root, struct buf *out,
    struct err *err)
{
    struct stat sb;
    const char *full = fs_join_in(a, root, path);
    if (stat(full, &sb) == 0 && (sb.st_mode & 077) != 0)
        return err_set(err, -ERR_REFUSED,
            "others can read %.200s\n  fix: chmod 600 %.200s", path, path);
    return fs_read(full, KEY_BYTES_MAX, out, err);
}

int
key_resolve(struct arena *a, const char *ref, const char *root,
    const char **out, struct err *err)
{
    struct buf text = {0};
    int rc;
    if (strncmp(ref, "file:", 5) == 0)
        rc = file_key(a, ref + 5, root, &text, err);
    else if (strncmp(ref, "command:", 8) == 0)
        rc = command_key(a, ref + 8, root, &text, err);
    else
        rc = secret_resolve(ref, root, &text, err);
    size_t n = strcspn(buf_str(&text), "\r\n");
    while (n > 0 && strchr(" \t", buf_str(&text)[n - 1]) != NULL)
        n--;
    if (rc == 0 && n == 0)
        rc = err_set(err, -ERR_INPUT, "its first line is empty");
    if (rc == 0)
        *out = arena_strndup(a, buf_str(&text), n);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    buf_fini(&text);
    return rc == 0 ? 0 : err_wrap(err, rc, "key %.200s", ref);
}
