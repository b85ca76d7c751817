/* Facts from outside the file: data fingerprints and secrets (project.h).
 * Called before a campaign starts and where a message is sent. Invariant: a
 * secret goes to the caller's buffer and never into an error text. */
#include "project/project.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_MS = 30000, OUTPUT_MAX = 1 << 20, SECRET_MAX = 4096 };

/* Starts argv in a folder with its standard output in a pipe. */
static int
capture_start(const char *const *argv, const char *root, int *fd, pid_t *pid,
    struct err *err)
{
    int ends[2];
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(err, "make a pipe");
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(
        &fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addchdir_np(&fa, root);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawnp(
        pid, argv[0], &fa, &attr, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&attr);
    close(ends[1]);
    *fd = ends[0];
    if (rc == 0)
        return 0;
    close(ends[0]);
    errno = rc;
    return err_sys(err, "start %s", argv[0]);
}

/* Reads to the end of the pipe; -1: too slow or too much. */
static int
capture_read(int fd, struct buf *out)
{
    int64_t end = fs_boot_ms() + COMMAND_MS;
    for (;;) {
        char chunk[4096];
        int64_t left = end - fs_boot_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0 || out->len > OUTPUT_MAX)
            return -1;
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n == 0 || (n < 0 && errno != EINTR))
            return 0;
        if (n > 0)
            buf_add(out, chunk, (size_t)n);
    }
}

static int
command_output(
    const char *command, const char *root, struct buf *out, struct err *err)
{
    struct arena a = {0};
    const char **argv = NULL;
    size_t n = 0;
    int fd = -1, status = 0;
    pid_t pid = 0;
    int rc = command_split(&a, command, &argv, &n, err);
    if (rc == 0 && n == 0)
        rc = err_set(err, -ERR_INPUT, "the fingerprint command is empty");
    if (rc == 0)
        rc = capture_start(argv, root, &fd, &pid, err);
    if (rc == 0) {
        bool late = capture_read(fd, out) != 0;
        close(fd);
        if (late)
            kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (late)
            rc = err_set(err, -ERR_LIMIT,
                "\"%s\" took longer than %d s or wrote too much", command,
                COMMAND_MS / 1000);
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            rc = err_set(err, -ERR_INPUT, "\"%s\" failed", command);
    }
    arena_fini(&a);
    return rc;
}

static int
hash_files(const struct project *p, char hex[FINGERPRINT_HEX], struct err *err)
{
    struct arena a = {0};
    struct buf all = {0};
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < p->train.n_fingerprint; i++) {
        char one[FS_HASH_HEX];
        const char *path = p->train.fingerprint[i];
        rc = fs_hash(fs_join_in(&a, p->root, path), one, err);
        if (rc == 0)
            buf_printf(&all, "%s %s\n", one, path);
    }
    if (rc == 0)
        fs_hash_bytes(buf_str(&all), all.len, hex);
    buf_fini(&all);
    arena_fini(&a);
    return rc;
}

int
project_fingerprint(
    const struct project *p, char hex[FINGERPRINT_HEX], struct err *err)
{
    int rc = 0;
    hex[0] = '\0';
    if (p->train.fingerprint_command != NULL) {
        struct buf b = {0};
        rc = command_output(p->train.fingerprint_command, p->root, &b, err);
        if (rc == 0)
            fs_hash_bytes(buf_str(&b), b.len, hex);
        buf_fini(&b);
    } else if (p->train.n_fingerprint > 0) {
        rc = hash_files(p, hex, err);
    }
    return rc == 0 ? 0 : err_wrap(err, rc, "fingerprint of the data");
}

int
secret_resolve(
    const char *ref, const char *root, struct buf *out, struct err *err)
{
    if (strncmp(ref, "env:", 4) == 0) {
        const char *value = getenv(ref + 4);
        if (value == NULL || *value == '\0')
            return err_set(err, -ERR_NOT_FOUND,
                "the environment has no %s\n  fix: export %s=...", ref + 4,
                ref + 4);
        buf_puts(out, value);
        return 0;
    }
    if (strncmp(ref, "file:", 5) != 0)
        return err_set(err, -ERR_INPUT,
            "a secret is env:NAME or file:PATH, never the text itself");
    struct arena a = {0};
    struct buf text = {0};
    int rc = fs_read(fs_join_in(&a, root, ref + 5), SECRET_MAX, &text, err);
    size_t n = strcspn(buf_str(&text), "\r\n");
    if (rc == 0 && n == 0)
        rc = err_set(err, -ERR_INPUT, "%s: its first line is empty", ref + 5);
    else if (rc == 0)
        buf_add(out, buf_str(&text), n);
    buf_fini(&text);
    arena_fini(&a);
    return rc;
}
