/* A layer between the program and the system's file calls, SQLite's included:
 * the linker finds these names here first. In the workspace it writes down
 * every call that changes the disk (for disk.h, which cuts the power), or makes
 * one of them fail. Off until calls_begin; then for this process alone. */
#ifndef CRASH_CALLS_H
#define CRASH_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_kind {
    CALL_FOUND, /* an existing file was opened: path is this node */
    CALL_CREATE,
    CALL_MKDIR,
    CALL_WRITE, /* at: offset */
    CALL_SIZE,  /* at: the new size */
    CALL_SYNC,
    CALL_SYNC_DIR,
    CALL_RENAME,
    CALL_LINK,
    CALL_UNLINK,
    CALL_ACK, /* a transaction was acknowledged; at: events by now */
};

/* One record; path, other and data follow it, the paths with their NUL. */
struct call {
    uint32_t kind, n_path, n_other, n_data;
    uint64_t node; /* inode of a file */
    int64_t at;
};

enum fault {
    FAULT_NONE,
    FAULT_EIO,
    FAULT_ENOSPC, /* calls that need no space fail with EIO */
    FAULT_SHORT,  /* half a write, the next one finds the disk full */
    FAULT_FULL,   /* the disk is full from here to the end */
    FAULT_COUNT,
    FAULT_LIE, /* nothing is done, success is told: a control */
};

/* Shared by the process that makes the calls and the one that judges. */
struct calls {
    uint64_t seen;    /* calls that could fail */
    uint64_t fail_at; /* the one that does, from 1; 0: none */
    enum fault fault;
    uint64_t fired; /* calls that failed */
    char name[16];  /* the first of them */
    bool recording;
    int64_t appended, acked; /* events */
    size_t len;
    unsigned char log[];
};

extern struct calls *calls;

/* Makes the shared record; root: the folder whose files count. */
void calls_init(const char *root);
/* From now on this process's calls count. */
void calls_begin(void);

static inline const char *
call_path(const struct call *c)
{
    return (const char *)(c + 1);
}

static inline const char *
call_other(const struct call *c)
{
    return call_path(c) + c->n_path;
}

static inline const unsigned char *
call_data(const struct call *c)
{
    return (const unsigned char *)call_other(c) + c->n_other;
}

/* Records lie on 8-byte borders. */
static inline size_t
call_bytes(const struct call *c)
{
    return (sizeof *c + c->n_path + c->n_other + c->n_data + 7) & ~(size_t)7;
}

#endif
