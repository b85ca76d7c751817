/* Text of programs and people made fit to be kept and shown. */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <stddef.h>

#include "base/buf.h"

/* Appends text with what looks like a secret replaced by "***": known forms of
 * keys and tokens, NAME=VALUE and NAME: VALUE where NAME says so, passwords in
 * addresses, private keys. What it can't know it lets through: it is a net
 * under the rule that secrets are not printed. Linear in n. */
void redact_put(const char *s, size_t n, struct buf *out);
/* Appends text without what would steer a terminal or hide text: control
 * characters (but line breaks and tabs), C1 controls, bytes that are no UTF-8
 * and bidirectional controls become '?'. */
void plain_put(const char *s, size_t n, struct buf *out);

#endif
