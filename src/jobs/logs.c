/* The end of what a job printed, for the runbook and for people. Untrusted
 * bytes: handed on as they are, never interpreted here. */
#include "jobs/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* May the same call work later? What the job itself did to its files stays. */
static bool
is_passing(int e)
{
    return e == EIO || e == ENOMEM || e == EMFILE || e == ENFILE || e == ESTALE;
}

static int
tail_add(const char *path, size_t max, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return is_passing(errno) ? err_sys(err, "open %s", path) : 0;
    struct stat st;
    int rc = 0;
    char part[16384];
    if (fstat(fd, &st) != 0)
        rc = err_sys(err, "stat %s", path);
    else if ((uint64_t)st.st_size > max)
        lseek(fd, st.st_size - (off_t)max, SEEK_SET);
    while (rc == 0 && max > 0) {
        ssize_t n = read(fd, part, max < sizeof part ? max : sizeof part);
        if (n < 0 && is_passing(errno))
            rc = err_sys(err, "read %s", path);
        if (n <= 0)
            break;
        buf_add(out, part, (size_t)n);
        max -= (size_t)n;
    }
    close(fd);
    return rc;
}

int
run_logs(const char *run_dir, size_t max, struct buf *out, struct err *err)
{
    struct buf path = {0};
    size_t before = out->len;
    fs_join(&path, run_dir, "stdout.log");
    int rc = tail_add(buf_str(&path), max / 2, out, err);
    if (rc == 0 && out->len > before && out->data[out->len - 1] != '\n' &&
        out->len - before < max)
        buf_putc(out, '\n');
    buf_clear(&path);
    fs_join(&path, run_dir, "stderr.log");
    if (rc == 0)
        rc = tail_add(buf_str(&path), max - (out->len - before), out, err);
    buf_fini(&path);
    return rc;
}
