/* One arena per wake: memory is taken, never given back singly, and goes with
 * the arena (or with the process). Allocation does not fail: out of memory
 * aborts, since nothing useful can be done and no state is lost by it. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *head;
};

/* {0} is a valid empty arena. */
void arena_fini(struct arena *a);
/* Zeroed, aligned to 16. */
void *arena_alloc(struct arena *a, size_t n);
/* The same, its content undefined. */
void *arena_room(struct arena *a, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* calloc/realloc that abort instead of failing; for owners outside an arena. */
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *p, size_t n);
char *mem_strdup(const char *s);

#endif
