/* The kernel's count of processes killed for memory: of the control group that
 * the scheduler made for this job alone, else of the machine. Called before
 * the job begins and at its end. A worker that was killed while the script
 * went on and exited 0 is found by the first only: on a machine that is shared
 * somebody else's death proves nothing. */
#include "jobs/shim/shim.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jobs/proc_stat.h"

enum { TEXT_BYTES = 16384 };

static uint64_t
number_after(const char *text, const char *key)
{
    const char *p = strstr(text, key);
    return p == NULL ? 0 : strtoull(p + strlen(key), NULL, 10);
}

/* Our group's folder below a mount: controller "memory" of version 1, or the
 * one tree of version 2. */
static bool
group_dir(
    const char *groups, const char *mark, const char *mount, char dir[PATH_MAX])
{
    const char *at = strstr(groups, mark);
    if (at == NULL)
        return false;
    at += strlen(mark);
    int n = (int)strcspn(at, "\n");
    /* The root holds everybody. */
    return n > 1 && snprintf(dir, PATH_MAX, "%s%.*s", mount, n, at) < PATH_MAX;
}

static bool
is_ours_alone(const char *dir)
{
    char path[PATH_MAX + 32], text[TEXT_BYTES];
    snprintf(path, sizeof path, "%s/cgroup.procs", dir);
    return proc_read(path, text, sizeof text) > 0 &&
           strtol(text, NULL, 10) == getpid() &&
           strchr(text, '\n') == strrchr(text, '\n');
}

void
cgroup_find(struct shim *s)
{
    char groups[TEXT_BYTES], dir[PATH_MAX], file[PATH_MAX + 32];
    s->oom_file[0] = '\0';
    if (proc_read("/proc/self/cgroup", groups, sizeof groups) <= 0)
        return;
    const char *name = "memory.oom_control";
    bool found = group_dir(groups, ":memory:", "/sys/fs/cgroup/memory", dir);
    if (!found) {
        name = "memory.events";
        found = group_dir(groups, "0::", "/sys/fs/cgroup", dir);
    }
    if (!found || !is_ours_alone(dir))
        return;
    snprintf(file, sizeof file, "%s/%s", dir, name);
    if (strlen(file) < sizeof s->oom_file && access(file, R_OK) == 0)
        snprintf(s->oom_file, sizeof s->oom_file, "%s", file);
}

uint64_t
oom_kills_read(const struct shim *s)
{
    char text[TEXT_BYTES];
    bool own = s->oom_file[0] != '\0';
    if (proc_read(own ? s->oom_file : "/proc/vmstat", text, sizeof text) <= 0)
        return 0;
    return number_after(text, "\noom_kill ");
}
