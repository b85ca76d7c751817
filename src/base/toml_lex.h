/* Between toml.c (tables and keys) and toml_value.c (strings, numbers, dates);
 * included by these two only. */
#ifndef BASE_TOML_LEX_H
#define BASE_TOML_LEX_H

#include "base/buf.h"
#include "base/toml.h"

struct lex {
    struct arena *arena;
    const char *text;
    size_t len, pos;
    uint32_t depth, n_nodes;
    struct buf scratch; /* a string while it is decoded */
    struct toml_fault fault;
    size_t fault_at;
};

/* Notes the place and the reason, returns -ERR_INPUT. */
int lex_fail(struct lex *x, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The byte `ahead` of the position, 0 behind the end (a NUL in the text is
 * refused before the parse). */
char lex_peek(const struct lex *x, size_t ahead);
bool lex_has(const struct lex *x, const char *word);
/* Is there a line end at the position? Its length (1 or 2) or 0. */
size_t lex_newline(const struct lex *x);
void lex_blanks(struct lex *x); /* spaces and tabs */
/* Blanks, comments and line ends. */
int lex_space(struct lex *x);
/* A quoted string at the position, of any of the four kinds (`multi`: may it
 * be a multi-line one?). The result is in the arena. */
int lex_string(struct lex *x, bool multi, const char **str, size_t *len);
/* Booleans, numbers and dates; fills kind and value of t. */
int lex_scalar(struct lex *x, struct toml *t);

#endif
