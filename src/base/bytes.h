/* One description for both directions of a stored format: a visit either
 * writes the fields it is shown or reads into them, so encoder and decoder
 * cannot drift apart. Little endian; whole numbers as LEB128 varints.
 * Writing counts past the end of the buffer (n is then the size needed);
 * reading past the end, or a value out of bounds, sets bad and reads zeros. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct visit {
    bool writing, bad;
    unsigned char *out;      /* writing */
    const unsigned char *in; /* reading */
    size_t cap, n;           /* size of the buffer, position */
};

void visit_write(struct visit *v, unsigned char *out, size_t cap);
void visit_read(struct visit *v, const unsigned char *in, size_t n);
/* Reading: has everything been consumed without an error? */
bool visit_done(const struct visit *v);

void visit_bytes(struct visit *v, void *p, size_t n);
void visit_u64(struct visit *v, uint64_t *x);
void visit_u32(struct visit *v, uint32_t *x);
void visit_u8(struct visit *v, uint8_t *x);
void visit_i64(struct visit *v, int64_t *x);
void visit_i32(struct visit *v, int32_t *x);
void visit_f64(struct visit *v, double *x);
void visit_bool(struct visit *v, bool *x);
/* A count that must be <= max when read. */
void visit_count(struct visit *v, uint32_t *n, uint32_t max);
/* A NUL-terminated text in a fixed array of cap bytes. */
void visit_text(struct visit *v, char *s, size_t cap);
/* Borrowed bytes: when read, *p points into the input. */
void visit_blob(struct visit *v, const unsigned char **p, size_t *n);
/* A borrowed NUL-terminated text (the NUL is stored). */
void visit_str(struct visit *v, const char **s);

#endif
