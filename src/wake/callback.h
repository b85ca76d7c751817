/* A signed word from a job's node that can't reach the state: "wake C3". Made
 * by `rea wake C3 --via URL` on the node, checked by rea-serve where the state
 * is. The key lies in the workspace's folder, which the node sees.
 * What is signed: HMAC-SHA256 (RFC 2104) over "rea-callback-1\nT\nNONCE\nBODY",
 * T in seconds since 1970. */
#ifndef WAKE_CALLBACK_H
#define WAKE_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    CALLBACK_KEY_HEX = 64 + 1,   /* 256 bits, with the NUL */
    CALLBACK_NONCE_HEX = 32 + 1, /* 128 bits */
    CALLBACK_BODY_MAX = 1024,
    CALLBACK_HEADER_MAX = 256,
    CALLBACK_WINDOW_S = 300, /* clocks may differ by so much */
};

#define CALLBACK_HEADER "X-REA-Signature"

/* The key of the workspace whose .rea is dir; `make`: made when missing,
 * readable by its owner alone. -ERR_NOT_FOUND, -ERR_CORRUPT. */
int callback_key(
    const char *dir, bool make, char key[CALLBACK_KEY_HEX], struct err *err);
/* The value of the header. */
void callback_sign(const char *key, const char *body, int64_t now_s,
    const char nonce[CALLBACK_NONCE_HEX], char header[CALLBACK_HEADER_MAX]);
void callback_nonce(char nonce[CALLBACK_NONCE_HEX]);

enum callback_verdict {
    CALLBACK_NONE,
    CALLBACK_GOOD,
    CALLBACK_UNSIGNED, /* no header, or not like one */
    CALLBACK_FORGED,
    CALLBACK_LATE, /* its time is not ours */
};
/* Compares in constant time. The nonce is only good when the verdict is. */
enum callback_verdict callback_check(const char *key, const char *header,
    const char *body, int64_t now_s, char nonce[CALLBACK_NONCE_HEX]);

/* {"wake": "C3"} and back; 0: not like that. */
void callback_body(uint32_t campaign, char body[CALLBACK_BODY_MAX]);
uint32_t callback_campaign(const char *body);

/* Sends the word by the program curl; 0: the other side has woken it. */
int callback_send(
    const char *dir, const char *url, uint32_t campaign, struct err *err);

#endif
