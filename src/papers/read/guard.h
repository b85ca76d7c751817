/* What holds a reader: limits of the system and a filter of its calls. Each
 * is put on where the machine allows it, and what is active is said. */
#ifndef PAPERS_READ_GUARD_H
#define PAPERS_READ_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* Memory 1.5 GB, 16 open files, no file may grow, no core; processor time is
 * that of guard_time. */
void guard_limits(void);
/* seconds more from now, for the next file. */
void guard_time(uint32_t seconds);
/* From here on this process can read files, its memory and a clock, and write
 * to what is open; all else is refused: no socket, no program, no name made or
 * removed. false: this kernel allows no filter. */
bool guard_self(void);
/* For a program about to be run: no socket, no child, no name made or removed,
 * nothing opened for writing. */
void guard_program(void);
/* What is active, in words; constant. */
const char *guard_words(void);

#endif
