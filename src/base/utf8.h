/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, no NUL. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Bytes of the character at s, which has n > 0 bytes left; 0: there is none.
 */
size_t utf8_len(const char *s, size_t n);
/* Appends a character (any value below 0x110000). */
void utf8_put(struct buf *out, uint32_t c);

#endif
