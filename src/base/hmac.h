/* Keyed digests, for messages whose receiver wants to know the sender. */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include <stddef.h>

enum { HMAC_HEX = 65 /* with the NUL */ };

/* HMAC-SHA256 (RFC 2104, FIPS 180-4) in lower-case hex; a key of any length. */
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
    char hex[HMAC_HEX]);

#endif
