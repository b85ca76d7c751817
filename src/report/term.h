/* Words on a terminal: colour when it is wanted, columns that line up. */
#ifndef REPORT_TERM_H
#define REPORT_TERM_H

#include "report/report.h"

/* Adds "\033[..m" + text + reset when the style has colour; code is an SGR
 * list like "1" (bold), "2" (dim), "32" (green), "31" (red), "33" (yellow). */
void term_paint(const struct text_style *style, struct buf *out,
    const char *code, const char *text);
/* text cut or filled to `columns` (UTF-8 characters); one that is cut ends in
 * two dots. Control characters, which could drive the terminal, become '?'. */
void term_cell(struct buf *out, const char *text, uint32_t columns);
void term_cell_right(struct buf *out, const char *text, uint32_t columns);
/* text in lines of at most `width` columns, each begun by `indent` spaces;
 * the first line continues where the cursor is, at column `indent`. */
void
term_wrap(struct buf *out, const char *text, uint32_t indent, uint32_t width);
/* "[#####=====.....]": spent, reserved, free. */
void term_bar(struct buf *out, double spent, double reserved, uint32_t width);
uint32_t term_width(const struct text_style *style);
/* Colour of a verdict: "32" promote, "31" reject ... */
const char *term_verdict_code(uint32_t verdict);

#endif
