/* What a text says of itself: the comparable form of a paper's id, and how
 * much a passage reads as orders to a machine. Called by corpus_add.c. Pure
 * functions of untrusted bytes: they classify, nothing follows from a text
 * but its rank. */
#include "papers/corpus.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- ids ---- */

static const char *
prefix_skip(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncasecmp(s, prefix, n) == 0 ? s + n : s;
}

static bool
is_arxiv_number(const char *s)
{
    size_t a = strspn(s, "0123456789");
    size_t b = a == 4 && s[4] == '.' ? strspn(s + 5, "0123456789") : 0;
    const char *rest = s + 5 + b;
    if (b != 4 && b != 5)
        return false;
    if (*rest == 'v')
        rest += 1 + strspn(rest + 1, "0123456789");
    return *rest == '\0';
}

/* "2606.04944v2" without its version */
static const char *
arxiv_key(struct arena *a, const char *s)
{
    char *key = arena_printf(a, "arxiv:%s", s);
    size_t n = strlen(key), digits = 0;
    if (n > 4 && strcmp(key + n - 4, ".pdf") == 0)
        key[n -= 4] = '\0';
    while (digits < n && isdigit((unsigned char)key[n - 1 - digits]))
        digits++;
    if (digits > 0 && n > digits + 8 && key[n - 1 - digits] == 'v')
        key[n - 1 - digits] = '\0';
    return key;
}

const char *
paper_key(struct arena *a, const char *id)
{
    static const char *const host[] = {"https://", "http://", "www.", "dx."};
    char *s = arena_strdup(a, id);
    for (char *p = s; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        s += prefix_skip(s, host[i]) - s;
    s += prefix_skip(s, "doi.org/") - s;
    s += prefix_skip(s, "doi:") - s;
    s += prefix_skip(s, "10.48550/arxiv.") - s;
    const char *number = prefix_skip(s, "arxiv.org/abs/");
    number = prefix_skip(number, "arxiv.org/pdf/");
    number = prefix_skip(number, "arxiv:");
    if (number != s || is_arxiv_number(s))
        return arxiv_key(a, number);
    if (strncmp(s, "10.", 3) == 0)
        return arena_printf(a, "doi:%s", s);
    return s;
}

/* ---- orders ---- */

/* Beginnings of phrases that a paper on ranking has no use for, in lower
 * case; * is up to 24 bytes of anything. Their weights add up. */
static const struct {
    double weight;
    const char *phrase;
} orders[] = {
    {0.6, "ignore * previous"},
    {0.6, "ignore * instruction"},
    {0.6, "ignore all prior"},
    {0.6, "ignore the above"},
    {0.6, "disregard * instruction"},
    {0.6, "disregard * previous"},
    {0.6, "forget * instruction"},
    {0.5, "new instructions"},
    {0.5, "override * instruction"},
    {0.25, "system prompt"},
    {0.4, "system override"},
    {0.4, "system:"},
    {0.3, "assistant:"},
    {0.5, "<|"},
    {0.5, "[inst]"},
    {0.5, "<<sys>>"},
    {0.5, "</system"},
    {0.5, "<system"},
    {0.5, "begin system"},
    {0.4, "you are now"},
    {0.4, "you are an ai"},
    {0.4, "you are chatgpt"},
    {0.4, "as an ai"},
    {0.4, "as a language model"},
    {0.3, "dear ai"},
    {0.5, "note to the ai"},
    {0.5, "note to llm"},
    {0.6, "if you are a* language model"},
    {0.6, "if you are an ai"},
    {0.5, "do not tell the user"},
    {0.5, "without asking"},
    {0.4, "you must now"},
    {0.5, "give a positive review"},
    {0.5, "positive review only"},
    {0.5, "do not highlight any negatives"},
    {0.5, "approve the plan"},
    {0.5, "approve this plan"},
    {0.5, "rea approve"},
    {0.4, "raise the budget"},
    {0.4, "execute the following"},
    {0.4, "run the following command"},
    {0.4, "run this command"},
    {0.5, "rm -rf"},
    {0.5, "curl http"},
    {0.5, "curl -"},
    {0.5, "wget http"},
    {0.4, "| sh"},
    {0.4, "| bash"},
    {0.4, "sudo "},
    {0.4, "chmod +x"},
    {0.4, "os.system"},
    {0.4, "subprocess."},
    {0.3, "eval("},
    {0.4, "<script"},
    {0.4, "javascript:"},
    {0.4, "api key"},
    {0.4, "api_key"},
    {0.4, "your credentials"},
    {0.4, "/etc/passwd"},
    {0.4, "drop table"},
};

enum { ORDERS = sizeof orders / sizeof *orders, GAP_MAX = 24 };

/* Does the phrase begin here? */
static bool
phrase_at(const char *s, size_t n, const char *phrase)
{
    size_t i = 0;
    for (; *phrase != '\0'; phrase++) {
        if (*phrase == '*') {
            for (size_t gap = 0; gap <= GAP_MAX && i + gap < n; gap++)
                if (phrase_at(s + i + gap, n - i - gap, phrase + 1))
                    return true;
            return false;
        }
        if (i >= n)
            return false;
        bool space = isspace((unsigned char)s[i]) != 0;
        if (*phrase == ' ' ? !space : tolower((unsigned char)s[i]) != *phrase)
            return false;
        i++;
        while (*phrase == ' ' && i < n && isspace((unsigned char)s[i]))
            i++;
    }
    return true;
}

/* Characters that show nothing and carry text past a human reader: zero
 * width, direction marks and the tag block. */
static bool
is_hidden(const unsigned char *s, size_t n)
{
    return (n >= 3 && s[0] == 0xe2 && s[1] == 0x80 &&
               ((s[2] >= 0x8b && s[2] <= 0x8f) ||
                   (s[2] >= 0xaa && s[2] <= 0xae))) ||
           (n >= 4 && s[0] == 0xf3 && s[1] == 0xa0 && s[2] >= 0x80);
}

/* Which letters a phrase begins with: most words need no further look. */
static void
firsts_mark(bool first[256])
{
    for (size_t k = 0; k < ORDERS; k++)
        first[(unsigned char)orders[k].phrase[0]] = true;
    for (int c = 'a'; c <= 'z'; c++)
        first[toupper(c)] = first[c];
}

static bool
is_inside_word(const char *text, size_t i)
{
    return i > 0 && isalnum((unsigned char)text[i]) &&
           isalnum((unsigned char)text[i - 1]);
}

double
suspect_score(const char *text, size_t n)
{
    double left = 1; /* what is not suspect yet */
    bool seen[ORDERS] = {0}, first[256] = {0};
    uint32_t hidden = 0;
    firsts_mark(first);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80)
            hidden += is_hidden((const unsigned char *)text + i, n - i);
        if (!first[c] || is_inside_word(text, i))
            continue;
        char lower = (char)tolower(c);
        for (size_t k = 0; k < ORDERS; k++)
            if (orders[k].phrase[0] == lower && !seen[k] &&
                phrase_at(text + i, n - i, orders[k].phrase)) {
                seen[k] = true;
                left *= 1 - orders[k].weight;
            }
    }
    if (hidden >= 8)
        left *= 0.5;
    return 1 - left;
}
