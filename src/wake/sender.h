/* The detached process that brings messages to a webhook. It never opens the
 * database: what came of each message lies in a file that a later wake reads.
 * For notify.c alone. */
#ifndef WAKE_SENDER_H
#define WAKE_SENDER_H

#include <stdbool.h>
#include <stddef.h>

struct parcel {
    const char *path;   /* of its mark; the result is PATH.ok or PATH.err */
    const char *config; /* for curl's standard input: address, body, headers */
};

/* curl's configuration of one message. url, secret (NULL: not signed) and body
 * are texts; the signature is HMAC-SHA256 over "T.BODY". Malloced. */
char *parcel_config(
    const char *url, const char *secret, const char *body, long long now_s);
/* Starts the sender and returns at once; false: it could not be started.
 * It takes at most half a minute for each parcel. */
bool parcels_send(const struct parcel *p, size_t n);

#endif
