/* The commit of a work tree, from git's files alone. Called before every job,
 * so that repro can name the commit that ran and not the present one.
 * Invariant: what is returned is a full hash, never the name of a branch. */
#include "base/git.h"

#include <string.h>

#include "base/buf.h"
#include "base/fs.h"

enum { GIT_FILE_MAX = 4 * 1024 * 1024, HASH_HEX_MIN = 40 };

/* A small text file without its last newline; NULL: not there. */
static char *
text_in(struct arena *a, const char *path)
{
    struct buf b = {0};
    char *text = NULL;
    if (fs_read(path, GIT_FILE_MAX, &b, NULL) == 0) {
        text = arena_strdup(a, buf_str(&b));
        size_t n = strlen(text);
        while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
            text[--n] = '\0';
    }
    buf_fini(&b);
    return text;
}

static const char *
hash_only(const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;
    return n >= HASH_HEX_MIN && strspn(text, "0123456789abcdef") == n ? text
                                                                      : NULL;
}

/* A line "HASH NAME" of packed-refs. */
static const char *
packed_find(struct arena *a, const char *common, const char *name)
{
    char *text = text_in(a, fs_join_in(a, common, "packed-refs"));
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *space = strchr(line, ' ');
        if (space == NULL || strcmp(space + 1, name) != 0)
            continue;
        *space = '\0';
        return hash_only(line);
    }
    return NULL;
}

/* Where .git is: the folder, or what the file of a linked work tree names. */
static const char *
git_dir_in(struct arena *a, const char *dir)
{
    for (const char *at = dir;; at = fs_dir_in(a, at)) {
        const char *git = fs_join_in(a, at, ".git");
        if (fs_is_dir(git))
            return git;
        const char *text = text_in(a, git);
        if (text != NULL && strncmp(text, "gitdir: ", 8) == 0)
            return fs_join_in(a, at, text + 8);
        if (strcmp(at, "/") == 0 || strcmp(at, ".") == 0)
            return NULL;
    }
}

const char *
git_top_in(struct arena *a, const char *dir)
{
    for (const char *at = dir;; at = fs_dir_in(a, at)) {
        if (fs_exists(fs_join_in(a, at, ".git")))
            return at;
        if (strcmp(at, "/") == 0 || strcmp(at, ".") == 0)
            return NULL;
    }
}

const char *
git_head_in(struct arena *a, const char *dir)
{
    const char *git = git_dir_in(a, dir);
    if (git == NULL)
        return NULL;
    const char *head = text_in(a, fs_join_in(a, git, "HEAD"));
    if (head == NULL || strncmp(head, "ref: ", 5) != 0)
        return hash_only(head);
    const char *common = text_in(a, fs_join_in(a, git, "commondir"));
    common = common != NULL ? fs_join_in(a, git, common) : git;
    const char *hash = hash_only(text_in(a, fs_join_in(a, common, head + 5)));
    return hash != NULL ? hash : packed_find(a, common, head + 5);
}
