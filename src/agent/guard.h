/* Bytes from outside on their way into a prompt, and a model's bytes on their
 * way out of it. What comes from papers, logs and rows is data: it is cut,
 * cleaned, stripped of what looks like a secret, and set between marks that
 * it cannot close. */
#ifndef AGENT_GUARD_H
#define AGENT_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends at most max bytes of s (n bytes): bad UTF-8 becomes '?', control
 * characters a space, but newlines and tabs stay where `lines` is set. */
void
text_clean(const char *s, size_t n, size_t max, bool lines, struct buf *out);
/* How many phrases of s read like an order to a model. They are not followed
 * whatever the count; it is shown and stored. */
uint32_t text_orders(const char *s);
/* Appends a block of outside text: cleaned, marked with what it is and a hash
 * of itself that only the end mark repeats. secret: also redacted. */
void text_quote(const char *what, const char *s, size_t n, size_t max,
    bool secret, struct buf *out);
/* Rough count of a model's tokens: on the high side for English and JSON. */
uint32_t text_tokens(size_t bytes);

#endif
