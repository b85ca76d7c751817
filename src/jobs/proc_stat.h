/* One line of /proc/PID/stat, for the shim and for those who look after it:
 * a process is known by its id together with its start time, since ids are
 * used again. */
#ifndef JOBS_PROC_STAT_H
#define JOBS_PROC_STAT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct proc_stat {
    char state;         /* 'Z': ended, not yet reaped */
    int64_t ppid;       /* parent */
    uint64_t cpu_ticks; /* user + system, without children */
    uint64_t start;     /* clock ticks since boot */
};

/* Reads a small file of /proc into buf, NUL-terminated; its length, -1 when it
 * is not there. */
static inline long
proc_read(const char *path, char *buf, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, buf, cap - 1);
    close(fd);
    if (n < 0)
        return -1;
    buf[n] = '\0';
    return (long)n;
}

/* False: there is no such process. */
static inline bool
proc_stat_read(int64_t pid, struct proc_stat *out)
{
    char path[64], buf[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    if (proc_read(path, buf, sizeof buf) <= 0)
        return false;
    /* The name is in parentheses and may hold anything, also ") ". */
    char *p = strrchr(buf, ')');
    if (p == NULL || p[1] != ' ')
        return false;
    *out = (struct proc_stat){.state = p[2]};
    p += 3;
    for (int field = 4; field <= 22; field++) {
        char *end;
        unsigned long long v = strtoull(p, &end, 10);
        if (end == p)
            return false;
        if (field == 4)
            out->ppid = (int64_t)v;
        else if (field == 14 || field == 15)
            out->cpu_ticks += v;
        else if (field == 22)
            out->start = v;
        p = end;
    }
    return true;
}

/* Is this very process still running (not a later one with its id, and not
 * one that only waits to be reaped)? */
static inline bool
proc_is_alive(int64_t pid, uint64_t start)
{
    struct proc_stat st;
    return pid > 0 && proc_stat_read(pid, &st) && st.start == start &&
           st.state != 'Z' && st.state != 'X';
}

#endif
