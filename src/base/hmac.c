/* HMAC-SHA256 by libsodium. Called for the signature of notifications.
 * Invariant: the key leaves no copy in memory. */
#include "base/hmac.h"

#include <sodium.h>

void
hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
    char hex[HMAC_HEX])
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, data, len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, HMAC_HEX, mac, sizeof mac);
    sodium_memzero(&state, sizeof state);
}
