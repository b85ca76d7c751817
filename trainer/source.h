/* Lines of a plain, gzip or xz file, one at a time in bounded memory. */
#ifndef TRAINER_SOURCE_H
#define TRAINER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct source;

/* Opens by the name's ending. -ERR_NOT_FOUND, -ERR_SYS. Owned by the caller,
 * freed by source_close. */
int source_open(const char *path, struct source **out, struct err *err);
void source_close(struct source *s);
/* The next line without its end; *line is borrowed until the next call and
 * ends in a NUL. *line is NULL at the end. -ERR_INPUT when the file is cut off
 * or damaged, or a line is longer than 1 MiB. */
int source_line(struct source *s, char **line, size_t *len, struct err *err);
/* Number of the line returned last, from 1. */
uint64_t source_line_number(const struct source *s);
const char *source_path(const struct source *s);

#endif
