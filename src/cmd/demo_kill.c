/* Kills one callback of the demo: the proof that a wake may die at any moment.
 * A child watches the process table for `rea ... wake C` in the demo's folder.
 * It touches nothing else, and ends by itself after HUNT_MS. */
#include "cmd/demo.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

enum { HUNT_MS = 60000, HUNT_NAP_US = 300, CMDLINE_MAX = 4096 };

/* Do the words of this command line end in "-C ROOT wake C"? */
static bool
cmdline_is(const char *line, size_t n, const char *root, const char *name)
{
    const char *word[32];
    size_t n_words = 0;
    for (size_t i = 0; i < n && n_words < 32; i += strlen(line + i) + 1)
        word[n_words++] = line + i;
    return n_words >= 5 && strcmp(word[n_words - 1], name) == 0 &&
           strcmp(word[n_words - 2], "wake") == 0 &&
           strcmp(word[n_words - 3], root) == 0;
}

static int
hunt_once(const char *root, const char *name)
{
    DIR *proc = opendir("/proc");
    int victim = 0;
    if (proc == NULL)
        return 0;
    for (struct dirent *e; victim == 0 && (e = readdir(proc)) != NULL;) {
        char path[64], line[CMDLINE_MAX + 1];
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "/proc/%.20s/cmdline", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        ssize_t n = read(fd, line, CMDLINE_MAX);
        close(fd);
        if (n <= 0)
            continue;
        line[n] = '\0';
        int pid = (int)strtol(e->d_name, NULL, 10);
        if (cmdline_is(line, (size_t)n, root, name) && kill(pid, SIGKILL) == 0)
            victim = pid;
    }
    closedir(proc);
    return victim;
}

static void
hunt(int fd, const char *root, const char *name)
{
    int64_t until = fs_boot_ms() + HUNT_MS;
    int victim = 0;
    while (victim == 0 && fs_boot_ms() < until) {
        victim = hunt_once(root, name);
        usleep(HUNT_NAP_US);
    }
    if (write(fd, &victim, sizeof(victim)) != (ssize_t)sizeof(victim))
        _exit(1);
    _exit(0);
}

int
demo_kill_start(
    struct demo_kill *k, const char *root, uint32_t campaign, struct err *err)
{
    int fds[2];
    char name[16];
    snprintf(name, sizeof(name), "C%u", campaign);
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_sys(err, "pipe");
    pid_t pid = fork();
    if (pid < 0) {
        close(fds[0]);
        close(fds[1]);
        return err_sys(err, "fork");
    }
    if (pid == 0)
        hunt(fds[1], root, name);
    close(fds[1]);
    *k = (struct demo_kill){.pid = pid, .fd = fds[0]};
    return 0;
}

void
demo_kill_look(struct demo_kill *k)
{
    int victim = 0;
    if (k->pid == 0 || k->over)
        return;
    if (read(k->fd, &victim, sizeof(victim)) == (ssize_t)sizeof(victim)) {
        k->victim = victim;
        k->over = true;
    }
}

void
demo_kill_end(struct demo_kill *k)
{
    if (k->pid == 0)
        return;
    demo_kill_look(k);
    kill(k->pid, SIGKILL);
    waitpid(k->pid, NULL, 0);
    close(k->fd);
    k->pid = 0;
}
