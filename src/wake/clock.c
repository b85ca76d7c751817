/* The clock of events: the system's, or the one that a recorded run injects.
 * Read by every step of a wake. */
#include "wake/wake.h"

#include <stdlib.h>

#include "base/fs.h"

int64_t
wake_now_ms(void)
{
    const char *path = getenv("REA_CLOCK");
    if (path == NULL || *path == '\0')
        return fs_now_ms();
    struct buf b = {0};
    int64_t now = 0;
    if (fs_read(path, 64, &b, NULL) == 0)
        now = strtoll(buf_str(&b), NULL, 10);
    buf_fini(&b);
    return now;
}
