/* Signatures by a person's own key: who signed can be told, and what was
 * signed cannot be changed unseen. Ed25519 (RFC 8032). */
#ifndef BASE_SIGN_H
#define BASE_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
    SIGN_PUBLIC_HEX = 65, /* with the NUL */
    SIGN_HEX = 129,
    SIGN_SECRET_BYTES = 64,
};

struct sign_key {
    unsigned char secret[SIGN_SECRET_BYTES];
    char public_hex[SIGN_PUBLIC_HEX];
};

/* The key in a file of mode 0600; one is made there when the file is missing.
 * -ERR_INPUT when it is no key or others may read it. Give it back with
 * sign_key_forget. */
int sign_key_load(const char *path, struct sign_key *out, struct err *err);
void sign_key_forget(struct sign_key *key);
void sign_make(
    const struct sign_key *key, const void *data, size_t n, char hex[SIGN_HEX]);
/* Is `hex` the signature of these bytes by this public key? */
bool
sign_check(const char *public_hex, const char *hex, const void *data, size_t n);

#endif
