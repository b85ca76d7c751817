/* Arena and aborting allocation. Called by every shell part; never by core. */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks begin small, for many an arena holds one path; they double. Only what
 * is handed out is cleared: a page never used is never touched. */
enum { ARENA_FIRST = 2 * 1024, ARENA_BLOCK = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(ARENA_ALIGN) unsigned char mem[];
};

void *
mem_calloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (p == NULL) {
        fputs("rea: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *
mem_realloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (q == NULL) {
        fputs("rea: out of memory\n", stderr);
        abort();
    }
    return q;
}

char *
mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_realloc(NULL, n), s, n);
}

void
arena_fini(struct arena *a)
{
    while (a->head != NULL) {
        struct arena_block *b = a->head;
        a->head = b->next;
        free(b);
    }
}

static struct arena_block *
block_push(struct arena *a, struct arena_block *b, size_t size)
{
    *b = (struct arena_block){.size = size, .next = a->head};
    return a->head = b;
}

static size_t
aligned(size_t n)
{
    return (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

void *
arena_room(struct arena *a, size_t n)
{
    struct arena_block *b = a->head;
    n = aligned(n);
    if (b == NULL || b->size - b->used < n) {
        size_t size = b == NULL ? ARENA_FIRST : 2 * b->size;
        size = size < ARENA_BLOCK ? size : ARENA_BLOCK;
        size = size > n ? size : n;
        b = block_push(a, mem_realloc(NULL, sizeof *b + size), size);
    }
    void *p = b->mem + b->used;
    b->used += n;
    return p;
}

/* A large one has a block of its own, which the system clears as it is used. */
void *
arena_alloc(struct arena *a, size_t n)
{
    if (n < ARENA_BLOCK)
        return memset(arena_room(a, n), 0, n);
    n = aligned(n);
    struct arena_block *b =
        block_push(a, mem_calloc(1, sizeof(struct arena_block) + n), n);
    b->used = n;
    return b->mem;
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
