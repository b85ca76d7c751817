/* Techniques of the library in a text. Called by evidence.c and the bench.
 * Invariant: spans lie in the text; each technique is given once; a name that
 * is a part of a longer name found at the same place is not given. */
#include "papers/technique_find.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { ALIAS_MAX = 64, SHORT_NAME = 4 };

static bool
is_letter(char c)
{
    return isalnum((unsigned char)c) || ((unsigned char)c & 0x80);
}

/* Lower case, and hyphens as spaces: "Two-Tower" is "two tower". */
static char
folded(char c)
{
    return c == '-' ? ' ' : (char)tolower((unsigned char)c);
}

static bool
has_upper(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isupper((unsigned char)s[i]))
            return true;
    return false;
}

/* Does a whole word, plurals too, end here? */
static bool
name_ends(const char *text, size_t len, size_t at)
{
    if (at < len && text[at] == 's')
        at++;
    return at >= len || !is_letter(text[at]);
}

/* Short names are taken in capitals only: DIN, not "din"; an alias with a
 * capital is taken as it is written. */
static bool
case_fits(const char *text, size_t at, const char *alias, size_t n)
{
    if (has_upper(alias, n))
        return memcmp(text + at, alias, n) == 0;
    return n > SHORT_NAME || memchr(alias, ' ', n) != NULL ||
           isupper((unsigned char)text[at]);
}

/* A hyphen of an alias is one in the text: "warm-up" is not "warm up". */
static bool
hyphens_fit(const char *text, const char *alias, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (alias[i] == '-' && text[i] != '-')
            return false;
    return true;
}

/* The first place of an alias; len: it is not there. */
static size_t
alias_find(
    const char *text, const char *low, size_t len, const char *alias, size_t n)
{
    char key[ALIAS_MAX];
    bool hyphen = memchr(alias, '-', n) != NULL;
    if (n == 0 || n >= sizeof key)
        return len;
    for (size_t i = 0; i < n; i++)
        key[i] = folded(alias[i]);
    for (size_t at = 0; at + n <= len;) {
        const char *hit = memmem(low + at, len - at, key, n);
        if (hit == NULL)
            return len;
        size_t i = (size_t)(hit - low);
        if ((i == 0 || !is_letter(text[i - 1])) &&
            (!hyphen || hyphens_fit(text + i, alias, n)) &&
            name_ends(text, len, i + n) && case_fits(text, i, alias, n))
            return i;
        at = i + 1;
    }
    return len;
}

static bool
technique_find_in(const struct technique *t, const char *text, const char *low,
    size_t len, struct technique_mention *out)
{
    out->technique = t;
    out->begin = out->end = (uint32_t)len;
    for (const char *p = t->aliases; *p != '\0';) {
        size_t n = strcspn(p, "|");
        size_t at = alias_find(text, low, len, p, n);
        if (at < out->begin) {
            out->begin = (uint32_t)at;
            out->end = (uint32_t)(at + n);
        }
        p += n + (p[n] == '|');
    }
    return out->begin < len;
}

static bool
is_inside(const struct technique_mention *a, const struct technique_mention *b)
{
    return a->begin >= b->begin && a->end <= b->end &&
           a->end - a->begin < b->end - b->begin;
}

static uint32_t
mentions_tidy(struct technique_mention *m, uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool inside = false;
        for (uint32_t j = 0; j < n; j++)
            inside |= m[i].technique != NULL && m[j].technique != NULL &&
                      is_inside(&m[i], &m[j]);
        m[i].technique = inside ? NULL : m[i].technique;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct technique_mention x = m[i];
        uint32_t at = kept;
        if (x.technique == NULL)
            continue;
        for (; at > 0 && m[at - 1].begin > x.begin; at--)
            m[at] = m[at - 1];
        m[at] = x;
        kept++;
    }
    return kept;
}

uint32_t
technique_mentions(
    const char *text, size_t len, struct technique_mention *out, uint32_t max)
{
    char *low = mem_calloc(1, len + 1);
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++)
        low[i] = folded(text[i]);
    for (uint32_t i = 0; i < technique_count() && n < max; i++)
        n += technique_find_in(technique_at(i), text, low, len, &out[n]);
    free(low);
    return mentions_tidy(out, n);
}
