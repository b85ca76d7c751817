/* Picks a face of the command table. There is one so far: the command line. */
#include <malloc.h>

#include "cmd/cmd.h"

/* An engine's state is megabytes of zeros, little of them ever touched. Left
 * alone, malloc keeps such blocks after the first is freed and clears them
 * whole each time; from the system they come as untouched pages, which is what
 * a sweep over thousands of campaigns needs. */
enum { FROM_SYSTEM_BYTES = 1 << 20 };

/* What a wake frees it soon takes again: given back, each page would be cleared
 * by the system once more. */
enum { HEAP_STEP_BYTES = 256 << 10, HEAP_KEEP_BYTES = 16 << 20 };

int
main(int argc, char **argv)
{
    mallopt(M_MMAP_THRESHOLD, FROM_SYSTEM_BYTES);
    mallopt(M_TOP_PAD, HEAP_STEP_BYTES);
    mallopt(M_TRIM_THRESHOLD, HEAP_KEEP_BYTES);
    return cmd_cli(argc, argv);
}
