/* Leases by flock. Called by wake before it loads a campaign. Why no wake-up
 * is lost: a waker that finds the lock taken makes its mark, then tries once
 * more; a holder removes the mark after it has the lock and before it reads
 * any state, and looks for a new one after it has let go. So a mark is either
 * seen by the holder, or the waker finds the lock free. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/db.h"
#include "store/lease.h"

static void
lease_path(const struct store *st, uint32_t campaign, const char *suffix,
    char out[STORE_PATH_LEN + 32])
{
    snprintf(out, STORE_PATH_LEN + 32, "%s/lease/C%" PRIu32 "%s", st->dir,
        campaign, suffix);
}

bool
mark_file_is_there(struct store *st, uint32_t campaign)
{
    char path[STORE_PATH_LEN + 32];
    lease_path(st, campaign, ".mark", path);
    return access(path, F_OK) == 0;
}

int
mark_file_leave(struct store *st, uint32_t campaign, struct err *err)
{
    char path[STORE_PATH_LEN + 32];
    lease_path(st, campaign, ".mark", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_sys(err, "leave a mark at %s", path);
    close(fd);
    return 0;
}

void
mark_file_take(struct store *st, uint32_t campaign)
{
    char path[STORE_PATH_LEN + 32];
    lease_path(st, campaign, ".mark", path);
    unlink(path);
}

bool
lease_marked(struct store *st, uint32_t campaign)
{
    return st->ops->is_marked(st, campaign);
}

/* 0: locked; 1: somebody else has it. */
static int
lock_try(struct store *st, uint32_t campaign, int fd, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK || errno == EINTR
                   ? 1
                   : err_sys(err, "lock the lease of C%" PRIu32, campaign);
    int rc = st->ops->lease_lock(st, campaign, err);
    if (rc != 0)
        flock(fd, LOCK_UN);
    return rc;
}

int
lease_take(
    struct store *st, uint32_t campaign, struct lease *out, struct err *err)
{
    char path[STORE_PATH_LEN + 32];
    out->fd = -1;
    out->campaign = campaign;
    lease_path(st, campaign, "", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_sys(err, "open %s", path);
    int rc = lock_try(st, campaign, fd, err);
    if (rc == 1) {
        rc = st->ops->mark_leave(st, campaign, err);
        if (rc == 0)
            rc = lock_try(st, campaign, fd, err);
    }
    if (rc != 0) {
        close(fd);
        return rc < 0
                   ? rc
                   : err_set(err, -ERR_BUSY,
                         "another process is at work on C%" PRIu32, campaign);
    }
    if (lease_marked(st, campaign))
        st->ops->mark_take(st, campaign);
    out->fd = fd;
    return 0;
}

int
lease_wait(struct store *st, uint32_t campaign, int64_t wait_ms,
    struct lease *out, struct err *err)
{
    const struct timespec nap = {.tv_nsec = 2000000};
    int64_t end_us = fs_mono_us() + wait_ms * 1000;
    for (;;) {
        int rc = lease_take(st, campaign, out, err);
        if (rc != -ERR_BUSY)
            return rc;
        if (fs_mono_us() >= end_us)
            return err_set(err, -ERR_BUSY,
                "another process has been at work on C%" PRIu32 " for %" PRId64
                " s; try again",
                campaign, wait_ms / 1000);
        nanosleep(&nap, NULL);
    }
}

bool
lease_drop(struct store *st, struct lease *l)
{
    if (l->fd < 0)
        return false;
    /* Unlocked by name, not only closed: a supervisor that has just claimed
     * its token may still hold the inherited descriptor, and looks for no
     * marks. After a crash it alone holds the lease until it has claimed. */
    st->ops->lease_unlock(st, l->campaign);
    flock(l->fd, LOCK_UN);
    close(l->fd);
    l->fd = -1;
    return lease_marked(st, l->campaign);
}
