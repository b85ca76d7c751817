/* The processes below the shim, found through the kernel's lists of children.
 * The shim is their sub-reaper, so one that daemonises comes back to it and
 * can't get lost. Used for memory sums and to end what is left of a job. */
#include "jobs/shim/shim.h"

#include <dirent.h>
#include <signal.h>

#include "jobs/proc_stat.h"

static void
tree_add_list(struct shim_tree *t, const char *list)
{
    const char *p = list;
    while (t->n < SHIM_TREE_MAX) {
        char *end;
        long pid = strtol(p, &end, 10);
        if (end == p || pid <= 0)
            return;
        t->pid[t->n++] = (pid_t)pid;
        p = end;
    }
}

/* The children of one process: the kernel keeps one list a thread. */
static void
tree_add_children(struct shim_tree *t, pid_t pid)
{
    char path[96], list[4096];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid,
            e->d_name);
        if (proc_read(path, list, sizeof list) > 0)
            tree_add_list(t, list);
    }
    closedir(d);
}

/* For kernels without those lists: every process whose parent is in the tree,
 * until a round finds none. */
static void
tree_add_by_parent(struct shim_tree *t)
{
    uint32_t before;
    do {
        before = t->n;
        DIR *d = opendir("/proc");
        if (d == NULL)
            return;
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
            long pid = strtol(e->d_name, NULL, 10);
            struct proc_stat st;
            if (pid <= 0 || t->n == SHIM_TREE_MAX || !proc_stat_read(pid, &st))
                continue;
            bool below = st.ppid == getpid(), known = false;
            for (uint32_t i = 0; i < t->n; i++) {
                below = below || st.ppid == t->pid[i];
                known = known || pid == t->pid[i];
            }
            if (below && !known)
                t->pid[t->n++] = (pid_t)pid;
        }
        closedir(d);
    } while (t->n != before);
}

static bool
kernel_lists_children(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    return access(path, R_OK) == 0;
}

static int64_t
proc_rss(pid_t pid)
{
    char path[64], buf[128];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (proc_read(path, buf, sizeof buf) <= 0)
        return 0;
    char *p = strchr(buf, ' ');
    return p == NULL ? 0 : strtoll(p, NULL, 10) * (int64_t)getpagesize();
}

void
tree_scan(struct shim_tree *t)
{
    t->n = 0;
    t->rss_bytes = 0;
    t->cpu_ticks = 0;
    bool lists = kernel_lists_children();
    if (lists)
        tree_add_children(t, getpid());
    else
        tree_add_by_parent(t);
    for (uint32_t i = 0; i < t->n; i++) {
        struct proc_stat st;
        if (proc_stat_read(t->pid[i], &st))
            t->cpu_ticks += st.cpu_ticks;
        t->rss_bytes += proc_rss(t->pid[i]);
        if (lists)
            tree_add_children(t, t->pid[i]);
    }
}

uint32_t
tree_signal(struct shim_tree *t, int sig)
{
    tree_scan(t);
    for (uint32_t i = 0; i < t->n; i++)
        kill(t->pid[i], sig);
    return t->n;
}

int64_t
tree_pss(const struct shim_tree *t)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        char path[64], buf[1024];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)t->pid[i]);
        if (proc_read(path, buf, sizeof buf) <= 0)
            return -1;
        const char *p = strstr(buf, "\nPss:");
        if (p == NULL)
            return -1;
        sum += strtoll(p + 5, NULL, 10) * 1024;
    }
    return sum;
}
