/* The reader of diffs (diff.h): one pass over the lines, no backtracking, no
 * allocation but paths. Called when a patch comes in and again before it is
 * applied. Invariant: a diff that is accepted names only plain relative paths,
 * and its hunks hold exactly the lines that they announce. */
#include "patch/diff.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

struct reader {
    struct arena *a;
    const char *name;
    const char *at, *end; /* what is left */
    const char *line;     /* the present line, not terminated */
    size_t len;
    uint32_t number; /* from 1 */
    bool more;       /* line is valid */
    struct diff *out;
    struct err *err;
};

void
diff_sha256(const void *data, size_t n, char out[DIFF_SHA_HEX])
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(sum, data, n);
    sodium_bin2hex(out, DIFF_SHA_HEX, sum, sizeof sum);
}

static int __attribute__((format(printf, 3, 4)))
fail(const struct reader *r, const char *remedy, const char *fmt, ...)
{
    char what[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return err_set(r->err, -ERR_INPUT, "%s:%u: %s\n  remedy: %s", r->name,
        r->number, what, remedy);
}

/* ---- lines ---- */

/* Bidirectional controls show another order than the compiler reads. */
static bool
is_hidden(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        bool last_cr = c == '\r' && i + 1 == n;
        if ((c < 0x20 && c != '\t' && !last_cr) || c == 0x7f)
            return true;
        if (c == 0xc2 && i + 1 < n && (unsigned char)s[i + 1] < 0xa0)
            return true; /* C1 controls */
        if (c != 0xe2 || i + 2 >= n)
            continue;
        unsigned char b = (unsigned char)s[i + 1];
        unsigned char d = (unsigned char)s[i + 2];
        if ((b == 0x80 &&
                ((d >= 0xaa && d <= 0xae) || d == 0x8e || d == 0x8f)) ||
            (b == 0x81 && d >= 0xa6 && d <= 0xa9))
            return true;
    }
    return false;
}

static int
line_next(struct reader *r)
{
    r->more = r->at < r->end;
    r->number++;
    if (!r->more)
        return 0;
    const char *nl = memchr(r->at, '\n', (size_t)(r->end - r->at));
    if (nl == NULL)
        return fail(
            r, "end the file with a line break", "the last line is cut off");
    r->line = r->at;
    r->len = (size_t)(nl - r->at);
    r->at = nl + 1;
    if (r->len > DIFF_LINE_MAX)
        return fail(
            r, "break the line", "a line of more than %d bytes", DIFF_LINE_MAX);
    if (is_hidden(r->line, r->len))
        return fail(r, "remove it: it would hide what is changed",
            "a control or bidirectional character");
    return 0;
}

static bool
starts(const struct reader *r, const char *word)
{
    size_t n = strlen(word);
    return r->more && r->len >= n && memcmp(r->line, word, n) == 0;
}

static bool
is_line(const struct reader *r, const char *word)
{
    return starts(r, word) && r->len == strlen(word);
}

/* ---- names ---- */

/* .git and what steers git, and git~1, the short name of .git elsewhere. */
static bool
part_is_git(const char *s, size_t n)
{
    static const char *const own[] = {
        ".git", ".gitmodules", ".gitattributes", ".gitconfig", ".gitignore"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (n == strlen(own[i]) && strncasecmp(s, own[i], n) == 0)
            return true;
    return n >= 4 && strncasecmp(s, "git~", 4) == 0;
}

static bool
part_is_plain(const char *s, size_t n)
{
    bool dots =
        (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
    return n > 0 && !dots && !part_is_git(s, n) && s[0] != '-' &&
           s[n - 1] != '.';
}

static bool
path_is_plain(const char *s, size_t n)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        "._-+@=,~/";
    size_t begin = 0;
    if (n == 0 || n >= DIFF_PATH_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\0' || strchr(letters, s[i]) == NULL)
            return false;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && s[i] != '/')
            continue;
        if (!part_is_plain(s + begin, i - begin))
            return false;
        begin = i + 1;
    }
    return true;
}

static int
name_bad(const struct reader *r, const char *s, size_t n)
{
    char shown[80];
    size_t m = n < sizeof shown - 1 ? n : sizeof shown - 1;
    for (size_t i = 0; i < m; i++)
        shown[i] = s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?';
    shown[m] = '\0';
    return fail(r,
        "plain relative paths of letters, digits, . _ - + @ = , as git diff "
        "prints them; nothing of .git",
        "\"%s\" is no path that a patch may change", shown);
}

/* "a/PATH" or "/dev/null" (*path NULL) in s. */
static int
name_read(const struct reader *r, const char *s, size_t n, char prefix,
    const char **path)
{
    *path = NULL;
    if (n == 9 && memcmp(s, "/dev/null", 9) == 0)
        return 0;
    if (n < 3 || s[0] != prefix || s[1] != '/' || !path_is_plain(s + 2, n - 2))
        return name_bad(r, s, n);
    *path = arena_strndup(r->a, s + 2, n - 2);
    return 0;
}

/* ---- headers ---- */

struct section {
    const char *git;         /* path of "diff --git"; NULL: no such line */
    bool is_new, is_deleted; /* by git's headers */
};

static int
git_line_read(struct reader *r, struct section *s)
{
    const char *a = NULL, *b = NULL;
    const char *names = r->line + 11;
    size_t n = r->len - 11;
    const char *space = memchr(names, ' ', n);
    if (space == NULL)
        return name_bad(r, names, n);
    size_t first = (size_t)(space - names);
    int rc = name_read(r, names, first, 'a', &a);
    if (rc == 0)
        rc = name_read(r, space + 1, n - first - 1, 'b', &b);
    if (rc != 0)
        return rc;
    if (a == NULL || b == NULL || strcmp(a, b) != 0)
        return fail(
            r, "delete the one and add the other", "a patch does not rename");
    s->git = a;
    return 0;
}

/* "index 1234..5678" and perhaps " 100644". */
static bool
index_is_plain(const struct reader *r)
{
    static const char hex[] = "0123456789abcdef";
    char text[128];
    if (r->len >= sizeof text)
        return false;
    memcpy(text, r->line, r->len);
    text[r->len] = '\0';
    const char *p = text + 6;
    size_t n = strspn(p, hex);
    if (n < 4 || n > 64 || strncmp(p + n, "..", 2) != 0)
        return false;
    p += n + 2;
    n = strspn(p, hex);
    p += n;
    return n >= 4 && n <= 64 &&
           (*p == '\0' || strcmp(p, " 100644") == 0 ||
               strcmp(p, " 100755") == 0);
}

static int
extended_read(struct reader *r, struct section *s)
{
    static const char regular[] = "regular files that cannot be run, changed, "
                                  "added or deleted as text";
    for (;;) {
        int rc = line_next(r);
        if (rc != 0)
            return rc;
        if (starts(r, "--- "))
            return 0;
        if (!r->more)
            return fail(
                r, "leave such a file out", "no change of text follows");
        if (starts(r, "index ") && index_is_plain(r))
            continue;
        if (is_line(r, "new file mode 100644") && !s->is_deleted)
            s->is_new = true;
        else if ((is_line(r, "deleted file mode 100644") ||
                     is_line(r, "deleted file mode 100755")) &&
                 !s->is_new)
            s->is_deleted = true;
        else if (starts(r, "old mode ") || starts(r, "new mode ") ||
                 starts(r, "new file mode ") || starts(r, "deleted file mode "))
            return fail(r, regular,
                "a patch does not change modes, links or "
                "submodules");
        else if (starts(r, "rename ") || starts(r, "copy ") ||
                 starts(r, "similarity ") || starts(r, "dissimilarity "))
            return fail(r, "git diff --no-renames", "a patch does not rename");
        else if (starts(r, "GIT binary patch") || starts(r, "Binary files "))
            return fail(r, regular, "a binary part");
        else
            return fail(r, "git diff --no-color --no-ext-diff",
                "this line does not belong into a diff's header");
    }
}

/* ---- hunks ---- */

struct range {
    uint32_t start, n;
};

/* "12,3" or "12"; *p moves on. */
static bool
range_read(const char **p, const char *end, struct range *out)
{
    uint64_t v[2] = {0, 1};
    for (int i = 0; i < 2; i++) {
        const char *from = *p;
        uint64_t x = 0;
        while (*p < end && **p >= '0' && **p <= '9' && x < 10000000)
            x = x * 10 + (uint64_t)(*(*p)++ - '0');
        if (*p == from || x >= 10000000)
            return false;
        v[i] = x;
        if (i == 0 && (*p == end || **p != ','))
            break;
        *p += i == 0;
    }
    *out = (struct range){(uint32_t)v[0], (uint32_t)v[1]};
    return true;
}

static int
hunk_head(const struct reader *r, struct range *old, struct range *new)
{
    const char *p = r->line + 4, *end = r->line + r->len;
    bool ok =
        range_read(&p, end, old) && end - p > 2 && p[0] == ' ' && p[1] == '+';
    p += 2;
    ok = ok && range_read(&p, end, new) && end - p >= 3 &&
         memcmp(p, " @@", 3) == 0 && (end - p == 3 || p[3] == ' ');
    if (!ok)
        return fail(r, "git diff prints it right", "no hunk begins like this");
    return 0;
}

/* Takes exactly the lines that the hunk announces. */
static int
hunk_body(
    struct reader *r, struct range old, struct range new, struct diff_file *f)
{
    uint32_t o = 0, n = 0, changed = 0;
    while (o < old.n || n < new.n) {
        int rc = line_next(r);
        if (rc != 0)
            return rc;
        char c = r->more && r->len > 0 ? r->line[0] : '\0';
        if (c == '\\' && o + n > 0)
            continue; /* "\ No newline at end of file" */
        bool is_old = c == ' ' || c == '-', is_new = c == ' ' || c == '+';
        if ((!is_old && !is_new) || (is_old && o == old.n) ||
            (is_new && n == new.n))
            return fail(r, "its counts must be those of its lines",
                "the hunk announces %u old and %u new lines and has %u and %u",
                old.n, new.n, o, n);
        o += is_old;
        n += is_new;
        f->removed += c == '-';
        f->added += c == '+';
        changed += c != ' ';
    }
    if (changed == 0)
        return fail(r, "leave it out", "a hunk that changes nothing");
    return 0;
}

static int
hunks_read(struct reader *r, struct diff_file *f)
{
    uint64_t after = 0; /* first old line that is still free */
    int64_t shift = 0;
    uint32_t n = 0;
    int rc = line_next(r);
    for (; rc == 0 && starts(r, "@@ -"); n++) {
        struct range old, new;
        rc = hunk_head(r, &old, &new);
        if (rc != 0)
            return rc;
        uint64_t from = (uint64_t)old.start + (old.n == 0);
        uint64_t to = (uint64_t) new.start + (new.n == 0);
        if (from == 0 || to == 0 || (n > 0 && from < after) ||
            (int64_t)to != (int64_t)from + shift)
            return fail(r, "git diff prints it right",
                "the hunk's place does not fit those before it");
        after = from + old.n;
        shift += (int64_t) new.n - (int64_t)old.n;
        rc = hunk_body(r, old, new, f);
        if (rc == 0)
            rc = line_next(r);
        if (rc == 0 && starts(r, "\\ No newline"))
            rc = line_next(r);
    }
    if (rc == 0 && n == 0)
        rc = fail(r, "git diff prints it right", "no hunk follows");
    return rc;
}

/* ---- files ---- */

static int
file_add(struct reader *r, const struct section *s, const char *old,
    const char *new, struct diff_file **out)
{
    struct diff *d = r->out;
    const char *path = new != NULL ? new : old;
    if (path == NULL || (old != NULL && new != NULL &&strcmp(old, new) != 0) ||
        (s->git != NULL && strcmp(s->git, path) != 0))
        return fail(r, "delete the one and add the other",
            "the names of this section are not the same");
    if (s->git != NULL &&
        (s->is_new != (old == NULL) || s->is_deleted != (new == NULL)))
        return fail(r, "git diff prints it right",
            "new or deleted in one line, not in the other");
    if (d->n_files == DIFF_FILES_MAX)
        return fail(r, "a smaller patch", "more than %d files", DIFF_FILES_MAX);
    for (uint32_t i = 0; i < d->n_files; i++)
        if (strcasecmp(d->file[i].path, path) == 0)
            return fail(r, "one section a file", "%s comes twice", path);
    *out = &d->file[d->n_files++];
    **out = (struct diff_file){.path = path,
        .kind = old == NULL   ? DIFF_NEW
                : new == NULL ? DIFF_DELETED
                              : DIFF_CHANGED};
    return 0;
}

static int
file_read(struct reader *r)
{
    struct section s = {0};
    struct diff_file *f = NULL;
    const char *old = NULL, *new = NULL;
    int rc = 0;
    if (starts(r, "diff --git ")) {
        rc = git_line_read(r, &s);
        if (rc == 0)
            rc = extended_read(r, &s);
    } else if (!starts(r, "--- "))
        return fail(r, "nothing but what git diff prints",
            "this line belongs to no file");
    if (rc == 0)
        rc = name_read(r, r->line + 4, r->len - 4, 'a', &old);
    if (rc == 0)
        rc = line_next(r);
    if (rc == 0 && !starts(r, "+++ "))
        rc = fail(r, "git diff prints it right", "\"+++ b/PATH\" is missing");
    if (rc == 0)
        rc = name_read(r, r->line + 4, r->len - 4, 'b', &new);
    if (rc == 0)
        rc = file_add(r, &s, old, new, &f);
    if (rc == 0)
        rc = hunks_read(r, f);
    if (rc != 0)
        return rc;
    r->out->added += f->added;
    r->out->removed += f->removed;
    return 0;
}

int
diff_parse(struct arena *a, const char *name, const char *text, size_t len,
    struct diff *out, struct err *err)
{
    struct reader r = {.a = a,
        .name = name,
        .at = text,
        .end = text + len,
        .out = out,
        .err = err};
    memset(out, 0, sizeof *out);
    if (len > DIFF_BYTES_MAX)
        return err_set(err, -ERR_LIMIT,
            "%s: %zu bytes, a patch has at most %d\n  remedy: a smaller change",
            name, len, DIFF_BYTES_MAX);
    for (size_t at = 0, n; at < len; at += n) {
        n = utf8_len(text + at, len - at);
        if (n == 0)
            return err_set(err, -ERR_INPUT,
                "%s: byte %zu is no UTF-8 text\n"
                "  remedy: a patch changes text only",
                name, at);
    }
    diff_sha256(text, len, out->sha256);
    int rc = line_next(&r);
    if (rc == 0 && !r.more)
        rc = fail(&r, "git diff HEAD > my.diff", "the patch is empty");
    while (rc == 0 && r.more)
        rc = file_read(&r);
    return rc;
}
