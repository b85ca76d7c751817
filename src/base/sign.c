/* Ed25519 by libsodium. Called where an engineer signs. Invariant: the secret
 * half is in no file but its own, which only its owner can read. */
#include "base/sign.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"

enum { SEED_HEX = 2 * crypto_sign_SEEDBYTES };

static int
key_write(const char *path, struct err *err)
{
    unsigned char seed[crypto_sign_SEEDBYTES];
    char hex[SEED_HEX + 2];
    struct arena a = {0};
    int rc = fs_mkdirs(fs_dir_in(&a, path), err);
    arena_fini(&a);
    if (rc != 0)
        return rc;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, "create the signing key %s", path);
    randombytes_buf(seed, sizeof seed);
    sodium_bin2hex(hex, sizeof hex, seed, sizeof seed);
    hex[SEED_HEX] = '\n';
    bool ok = write(fd, hex, SEED_HEX + 1) == SEED_HEX + 1 && fsync(fd) == 0;
    if (!ok)
        rc = err_sys(err, "write the signing key %s", path);
    close(fd);
    if (!ok)
        unlink(path);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(hex, sizeof hex);
    return rc;
}

int
sign_key_load(const char *path, struct sign_key *out, struct err *err)
{
    struct stat st;
    unsigned char seed[crypto_sign_SEEDBYTES];
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    struct buf b = {0};
    size_t n = 0;
    if (sodium_init() < 0)
        return err_set(err, -ERR_SYS, "libsodium does not start");
    int rc = fs_exists(path) ? 0 : key_write(path, err);
    if (rc == 0 && stat(path, &st) != 0)
        rc = err_sys(err, "read the signing key %s", path);
    if (rc == 0 && (st.st_mode & 077) != 0)
        rc = err_set(err, -ERR_INPUT,
            "signing key %s can be read by others (mode %o)\n"
            "  remedy: chmod 600 %s",
            path, (unsigned)st.st_mode & 0777, path);
    if (rc == 0)
        rc = fs_read(path, 4096, &b, err);
    if (rc == 0 && (b.len < SEED_HEX ||
                       sodium_hex2bin(seed, sizeof seed, buf_str(&b), SEED_HEX,
                           NULL, &n, NULL) != 0 ||
                       n != sizeof seed))
        rc = err_set(err, -ERR_INPUT,
            "signing key %s: not %d hexadecimal digits; move the file away "
            "and a new key is made",
            path, SEED_HEX);
    if (rc == 0) {
        crypto_sign_seed_keypair(public, out->secret, seed);
        sodium_bin2hex(
            out->public_hex, sizeof out->public_hex, public, sizeof public);
    }
    if (b.data != NULL)
        sodium_memzero(b.data, b.len);
    buf_fini(&b);
    sodium_memzero(seed, sizeof seed);
    return rc;
}

void
sign_key_forget(struct sign_key *key)
{
    sodium_memzero(key, sizeof *key);
}

void
sign_make(
    const struct sign_key *key, const void *data, size_t n, char hex[SIGN_HEX])
{
    unsigned char sig[crypto_sign_BYTES];
    crypto_sign_detached(sig, NULL, data, n, key->secret);
    sodium_bin2hex(hex, SIGN_HEX, sig, sizeof sig);
}

bool
sign_check(const char *public_hex, const char *hex, const void *data, size_t n)
{
    unsigned char sig[crypto_sign_BYTES], public[crypto_sign_PUBLICKEYBYTES];
    size_t a = 0, b = 0;
    return strlen(public_hex) == SIGN_PUBLIC_HEX - 1 &&
           strlen(hex) == SIGN_HEX - 1 &&
           sodium_hex2bin(public, sizeof public, public_hex,
               SIGN_PUBLIC_HEX - 1, NULL, &a, NULL) == 0 &&
           sodium_hex2bin(sig, sizeof sig, hex, SIGN_HEX - 1, NULL, &b, NULL) ==
               0 &&
           a == sizeof public && b == sizeof sig &&
           crypto_sign_verify_detached(sig, data, n, public) == 0;
}
