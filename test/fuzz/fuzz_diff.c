/* Diffs: any bytes are read or refused; what is read names plain relative
 * paths and holds as many lines as it says. Redaction never grows wild. */
#include "fuzz.h"

#include "base/redact.h"
#include "patch/diff.h"

#include <assert.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "diff --git a/src/m.py b/src/m.py\nindex 1111111..2222222 100644\n--- "
    "a/src/m.py\n+++ b/src/m.py\n@@ -1,3 +1,4 @@ f\n one\n-two\n+TWO\n+and\n "
    "three\n@@ -10 +11,2 @@\n ten\n+x\n\\ No newline at end of file\n",
    "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..1111111\n--- "
    "/dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n",
    "--- a/o\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n",
    "password=abcdefgh Authorization: Bearer eyJhbGciOi.aaaaaaaaaaaaaaaaaaaaaa "
    "https://u:p@h/ -----BEGIN RSA PRIVATE KEY-----\nx\n-----END",
    NULL,
};
const char *const fuzz_words[] = {"diff --git ", "--- ", "+++ ", "@@ -1 +1 @@",
    "a/../x", "/dev/null", "old mode 100644\n", "rename from ", "\\ No newline",
    "GIT binary patch\n", "new file mode 120000\n", "\r\n", "\x1b[2J",
    "\xe2\x80\xae", "-0,0", "+1,99", "4294967296", ".git/", "\"a\\n\"",
    "token: ", "sk-aaaaaaaaaaaaaaaaaaaaaaaa", "://", "@", NULL};

static void
check(const struct diff *d)
{
    uint32_t added = 0, removed = 0;
    assert(d->n_files >= 1 && d->n_files <= DIFF_FILES_MAX);
    for (uint32_t i = 0; i < d->n_files; i++) {
        const char *p = d->file[i].path;
        assert(p[0] != '/' && p[0] != '\0' && strlen(p) < DIFF_PATH_MAX);
        assert(strncmp(p, "../", 3) != 0 && strstr(p, "/../") == NULL);
        assert(strncmp(p, ".git/", 5) != 0 && strstr(p, "/.git/") == NULL);
        for (; *p != '\0'; p++)
            assert(*p > ' ' && *p < 0x7f && *p != '"' && *p != '\\');
        assert(d->file[i].added + d->file[i].removed > 0);
        added += d->file[i].added;
        removed += d->file[i].removed;
    }
    assert(added == d->added && removed == d->removed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct err err = {0};
    struct diff d;
    struct buf b = {0}, plain = {0};
    if (diff_parse(&a, "fuzz", (const char *)data, size, &d, &err) == 0)
        check(&d);
    else
        assert(err.text[0] != '\0');
    redact_put((const char *)data, size, &b);
    assert(b.len <= 4 * size);
    plain_put(buf_str(&b), b.len, &plain);
    assert(
        plain.len <= b.len && memchr(buf_str(&plain), 0x1b, plain.len) == NULL);
    buf_fini(&plain);
    buf_fini(&b);
    arena_fini(&a);
    return 0;
}
