/* Finds the word that was probably meant. Called wherever the user names a
 * verb, an option or an id that is not there. Pure, bounded by NEAR_MAX. */
#include "base/near.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NEAR_MAX = 64 };

static uint32_t
min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t m = a < b ? a : b;
    return m < c ? m : c;
}

static int
lower(char c)
{
    return tolower((unsigned char)c);
}

uint32_t
near_distance(const char *a, const char *b)
{
    uint32_t row[3][NEAR_MAX + 1];
    size_t na = strlen(a), nb = strlen(b);
    if (na >= NEAR_MAX || nb >= NEAR_MAX)
        return NEAR_MAX;
    for (uint32_t j = 0; j <= nb; j++)
        row[0][j] = j;
    for (uint32_t i = 1; i <= na; i++) {
        uint32_t *now = row[i % 3], *up = row[(i + 2) % 3];
        uint32_t *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (uint32_t j = 1; j <= nb; j++) {
            uint32_t same = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            now[j] = min3(up[j] + 1, now[j - 1] + 1, up[j - 1] + same);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && up2[j - 2] + 1 < now[j])
                now[j] = up2[j - 2] + 1;
        }
    }
    return row[na % 3][nb];
}

const char *
near_word(const char *word, const char *const *list, uint32_t n)
{
    const char *best = NULL;
    uint32_t best_d = NEAR_MAX;
    size_t nw = strlen(word);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t d = near_distance(word, list[i]);
        size_t nl = strlen(list[i]);
        uint32_t allowed = (uint32_t)((nw > nl ? nw : nl) + 2) / 3;
        if (nw >= 3 && strncasecmp(word, list[i], nw) == 0)
            d = 1;
        if (d <= allowed && d < best_d) {
            best = list[i];
            best_d = d;
        }
    }
    return best;
}
