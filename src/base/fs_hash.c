/* Content hashes of files and folders (fs.h), by BLAKE2b-256. Called for data
 * fingerprints and project hashes. Invariant: the hash depends on names, kinds
 * and bytes alone, so a copied tree has the hash of its original. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TREE_DEPTH_MAX = 64, LINK_MAX = 4096 };

static void
hash_hex(crypto_generichash_state *h, char hex[FS_HASH_HEX])
{
    unsigned char sum[FS_HASH_BYTES];
    crypto_generichash_final(h, sum, sizeof sum);
    sodium_bin2hex(hex, FS_HASH_HEX, sum, sizeof sum);
}

void
fs_hash_bytes(const void *data, size_t n, char hex[FS_HASH_HEX])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, FS_HASH_BYTES);
    crypto_generichash_update(&h, data, n);
    hash_hex(&h, hex);
}

static int
hash_file(const char *path, crypto_generichash_state *h, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "open %s", path);
    unsigned char chunk[65536];
    int rc = 0;
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_sys(err, "read %s", path);
        if (n <= 0)
            break;
        crypto_generichash_update(h, chunk, (size_t)n);
    }
    close(fd);
    return rc;
}

/* A file's hash is that of its bytes. In a tree each entry enters as kind,
 * name with its NUL and 32 bytes of its own hash, so nothing can be moved
 * between names and contents. */
static int hash_entry(const char *path, unsigned depth,
    unsigned char sum[FS_HASH_BYTES], char *kind, struct err *err);

static int
hash_dir(const char *path, unsigned depth, crypto_generichash_state *h,
    struct err *err)
{
    if (depth >= TREE_DEPTH_MAX)
        return err_set(err, -ERR_LIMIT, "%s: folders nest too deep", path);
    struct arena a = {0};
    const char **names;
    size_t n = 0;
    int rc = fs_list_in(&a, path, &names, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        unsigned char sum[FS_HASH_BYTES];
        char kind;
        rc = hash_entry(
            fs_join_in(&a, path, names[i]), depth + 1, sum, &kind, err);
        if (rc != 0)
            break;
        crypto_generichash_update(h, (const unsigned char *)&kind, 1);
        crypto_generichash_update(
            h, (const unsigned char *)names[i], strlen(names[i]) + 1);
        crypto_generichash_update(h, sum, sizeof sum);
    }
    arena_fini(&a);
    return rc;
}

static int
hash_entry(const char *path, unsigned depth, unsigned char sum[FS_HASH_BYTES],
    char *kind, struct err *err)
{
    struct stat st;
    /* The named path itself may be a link: people link their data folders. */
    if ((depth == 0 ? stat(path, &st) : lstat(path, &st)) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return err_set(
                err, -ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
        return err_sys(err, "stat %s", path);
    }
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, FS_HASH_BYTES);
    int rc = 0;
    if (S_ISREG(st.st_mode)) {
        *kind = 'f';
        rc = hash_file(path, &h, err);
    } else if (S_ISDIR(st.st_mode)) {
        *kind = 'd';
        rc = hash_dir(path, depth, &h, err);
    } else if (S_ISLNK(st.st_mode)) {
        *kind = 'l';
        unsigned char target[LINK_MAX];
        ssize_t n = readlink(path, (char *)target, sizeof target);
        if (n < 0)
            return err_sys(err, "read link %s", path);
        crypto_generichash_update(&h, target, (size_t)n);
    } else {
        return err_set(err, -ERR_INPUT,
            "%s: neither a file nor a folder, it has no content to hash", path);
    }
    crypto_generichash_final(&h, sum, FS_HASH_BYTES);
    return rc;
}

int
fs_hash(const char *path, char hex[FS_HASH_HEX], struct err *err)
{
    unsigned char sum[FS_HASH_BYTES];
    char kind;
    int rc = hash_entry(path, 0, sum, &kind, err);
    if (rc == 0)
        sodium_bin2hex(hex, FS_HASH_HEX, sum, sizeof sum);
    return rc;
}
