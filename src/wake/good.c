/* Checkpoints known to be good: the mark that a job's supervisor left, checked
 * against the file, and the file put where a new attempt looks for it. Called
 * when a job has ended badly and when one is begun again after it ran away.
 * Invariant: a file that is not as it was when it was called good is none. */
#include "wake/part.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

enum { MARK_BYTES_MAX = 8192 };

/* A link would lead where a confined job could not look. */
static bool
is_as_marked(const char *path, int64_t size, int64_t mtime_ns)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           (int64_t)st.st_size == size &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 +
                   (int64_t)st.st_mtim.tv_nsec ==
               mtime_ns;
}

bool
good_read(struct wake *w, const char *run_dir, struct good_mark *out)
{
    const char *mark =
        arena_printf(&w->arena, "%s/%s/good.json", store_root(w->st), run_dir);
    static const char *const stream[HARVEST_STREAMS] = {
        "metrics", "stdout", "stderr"};
    struct err err = {0};
    struct json *j = json_read(mark, MARK_BYTES_MAX, &err);
    const char *path = json_get_str(j, "path");
    bool good = json_get_i64(j, "version", 0) == 1 && path != NULL &&
                is_as_marked(path, json_get_i64(j, "size", -1),
                    json_get_i64(j, "mtime_ns", -1));
    *out = (struct good_mark){.unread = j == NULL && err.code == -ERR_SYS};
    if (path != NULL)
        out->path = arena_strdup(&w->arena, path);
    for (uint32_t i = 0; i < HARVEST_STREAMS; i++) {
        int64_t at = json_get_i64(j, stream[i], 0);
        out->at[i] = at > 0 ? at : 0;
    }
    json_free(j);
    return good;
}

int
good_find(struct wake *w, uint32_t trial, uint32_t attempt, bool *found,
    uint32_t *of, struct good_mark *out, struct err *err)
{
    *found = false;
    for (uint32_t k = attempt; k >= 1; k--) {
        char dir[STORE_PATH_LEN];
        struct run_files files;
        run_dir_name(w->row.id, trial, k, dir);
        *of = k;
        *found = good_read(w, dir, out);
        if (*found)
            return 0;
        if (out->unread)
            return err_set(err, -ERR_SYS, "read %s/good.json", dir);
        int rc = run_files_in(&w->arena,
            fs_join_in(&w->arena, store_root(w->st), dir), &files, err);
        if (rc != 0 || !files.resume || files.stabilises)
            return rc;
    }
    return 0;
}

/* Reasons for which a second name can't be had however often it is tried. */
static bool
is_for_good(int code)
{
    return code == ENOENT || code == EXDEV || code == EPERM || code == EACCES ||
           code == EMLINK || code == EOPNOTSUPP || code == EISDIR ||
           code == ENAMETOOLONG;
}

/* A second name for the same bytes costs nothing; a program that writes over
 * them makes the mark void. */
int
good_put(struct wake *w, const struct good_mark *good, const char *path,
    bool *done, struct err *err)
{
    const char *tmp = arena_printf(&w->arena, "%s.tmp", path);
    int rc = fs_mkdirs(fs_dir_in(&w->arena, path), err);
    *done = false;
    if (rc != 0)
        return rc;
    unlink(tmp);
    if (link(good->path, tmp) != 0)
        return is_for_good(errno) ? 0 : err_sys(err, "link %s", good->path);
    *done = rename(tmp, path) == 0;
    if (!*done && !is_for_good(errno))
        rc = err_sys(err, "rename %s", tmp);
    unlink(tmp); /* of two names of one file a rename leaves both */
    return rc;
}
