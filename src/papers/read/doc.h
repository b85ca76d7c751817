/* What a reader makes of outside bytes: one paper at a time, cleaned, handed
 * to whoever asked. The readers are functions of (bytes, outlet) alone, so
 * that they can be fuzzed; only main.c and its helpers touch the system. */
#ifndef PAPERS_READ_DOC_H
#define PAPERS_READ_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { TEXT_BYTES_MAX = 8 << 20 }; /* of one paper's text, the rest is cut */

struct doc {
    struct buf id, title, date, licence, source, text;
};

struct outlet {
    void (*paper)(void *ctx, const struct doc *d, const char *where);
    void (*bad)(void *ctx, const char *where, const char *why);
    void *ctx;
    const char *path;
};

void doc_fini(struct doc *d);
void doc_clear(struct doc *d);
/* Hands the paper over with every field cleaned (below) and clears it. place:
 * a line or entry number, 0: the file. */
void doc_out(const struct outlet *o, struct doc *d, unsigned long place);
void doc_bad(const struct outlet *o, unsigned long place, const char *why);

/* Valid UTF-8 without control characters but line ends: bytes that are no
 * UTF-8 become U+FFFD, other controls a space. Returns how many were bad. */
size_t text_clean(struct buf *out, const char *s, size_t n);
/* Runs of white space become one space; both ends are cut. */
void text_line(struct buf *out, const char *s, size_t n);
/* Spaces are joined and at most one empty line is left between paragraphs. */
void text_paragraphs(struct buf *out, const char *s, size_t n);
/* "2023", "2023-04" or "2023-04-05" from any usual form of a date, else
 * nothing. */
void date_clean(struct buf *out, const char *s);
/* Is more than 2 % of it no text? Then a reader refuses it. */
bool text_is_binary(const char *s, size_t n);
bool name_ends(const char *path, const char *suffix);

/* ---- the readers ---- */

void read_text(const char *s, size_t n, const struct outlet *o);
void read_markdown(const char *s, size_t n, const struct outlet *o);
void read_latex(const char *s, size_t n, const struct outlet *o);
void read_bibtex(const char *s, size_t n, const struct outlet *o);
void read_html(const char *s, size_t n, const struct outlet *o);
/* Atom feeds and OAI-PMH answers as arXiv gives them. */
void read_atom(const char *s, size_t n, const struct outlet *o);
void read_json(const char *s, size_t n, const struct outlet *o);
/* One line of JSON lines. */
void read_json_line(
    const char *s, size_t n, unsigned long line, const struct outlet *o);

/* LaTeX mark-up of a piece of text to plain text; formulas stay. */
void latex_plain(struct buf *out, const char *s, size_t n);

#endif
