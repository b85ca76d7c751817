/* Words (corpus_words.h). Called by dense*.c, question.c and retrieve*.c. */
#include "papers/corpus_words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* Words of grammar, and those by which a question is put: they are in
 * every question and say nothing of its matter. */
static const char *const stop[] = {"a", "about", "after", "all", "also", "am",
    "an", "and", "any", "anymore", "are", "as", "at", "based", "be", "beat",
    "beaten", "beats", "because", "been", "best", "better", "between", "but",
    "by", "can", "change", "changing", "choose", "could", "did", "do", "does",
    "each", "effectively", "every", "fit", "for", "from", "get", "give",
    "gives", "had", "has", "have", "how", "i", "if", "improve", "in", "into",
    "is", "it", "its", "last", "made", "make", "more", "most", "my", "need",
    "new", "newer", "next", "no", "not", "of", "on", "one", "only", "or",
    "other", "our", "over", "paper", "propose", "proposed", "recent",
    "recently", "replace", "see", "sees", "several", "should", "show", "so",
    "some", "something", "stronger", "such", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "to", "try",
    "use", "used", "using", "very", "want", "was", "we", "well", "were", "what",
    "when", "which", "while", "why", "will", "with", "without", "works", "you",
    "your"};

enum { STOP_WORDS = sizeof stop / sizeof *stop };

uint32_t
word_hash(const char *w)
{
    uint32_t h = 2166136261u;
    for (; *w != '\0'; w++)
        h = (h ^ (unsigned char)*w) * 16777619u;
    return h;
}

/* Open addressing; most words end at a free slot, with no comparison. */
bool
word_is_stop(const char *w)
{
    enum { SLOTS = 1024 };
    static uint8_t slot[SLOTS]; /* index + 1, filled once */
    static bool filled;
    for (int i = 0; i < STOP_WORDS && !filled; i++) {
        uint32_t at = word_hash(stop[i]) % SLOTS;
        while (slot[at] != 0)
            at = (at + 1) % SLOTS;
        slot[at] = (uint8_t)(i + 1);
    }
    filled = true;
    for (uint32_t at = word_hash(w) % SLOTS; slot[at] != 0;
         at = (at + 1) % SLOTS)
        if (strcmp(w, stop[slot[at] - 1]) == 0)
            return true;
    return false;
}

/* What a byte is in a word: its lower case, itself beyond ASCII, 0 between
 * words. */
static const unsigned char *
letters(void)
{
    static unsigned char letter[256];
    if (letter['a'] == 0)
        for (int c = 1; c < 256; c++)
            letter[c] = c >= 0x80    ? (unsigned char)c
                        : isalnum(c) ? (unsigned char)tolower(c)
                                     : 0;
    return letter;
}

void
word_singular(char *w)
{
    size_t n = strlen(w);
    if (n > 4 && strcmp(w + n - 3, "ies") == 0) {
        memcpy(w + n - 3, "y", 2);
    } else if (n > 5 && strcmp(w + n - 4, "sses") == 0) {
        w[n - 2] = '\0';
    } else if (n > 3 && w[n - 1] == 's' && w[n - 2] != 's' && w[n - 2] != 'u') {
        w[n - 1] = '\0';
    }
}

bool
word_next(const char *s, size_t n, size_t *at, bool stem, char out[WORD_BYTES])
{
    const unsigned char *letter = letters();
    while (*at < n) {
        size_t len = 0;
        for (; *at < n; (*at)++) {
            unsigned char c = letter[(unsigned char)s[*at]];
            if (c == 0)
                break;
            if (len < WORD_BYTES - 1)
                out[len++] = (char)c;
        }
        out[len] = '\0';
        if (len == 0) {
            (*at)++;
            continue;
        }
        if (word_is_stop(out))
            continue;
        if (stem)
            word_singular(out);
        return true;
    }
    return false;
}

/* ---- acronyms ---- */

void
acronyms_clear(struct acronyms *k)
{
    k->n = 0;
    for (int i = 0; i < 256; i++)
        k->first[i] = -1;
}

static const char *
first_word(const char *full, char out[WORD_BYTES])
{
    snprintf(out, WORD_BYTES, "%.*s", (int)strcspn(full, " "), full);
    return out;
}

bool
acronyms_add(struct acronyms *k, const char *name, const char *full, bool whole)
{
    if (k->n == ACRONYMS_MAX || strlen(name) >= ACRONYM_BYTES ||
        strlen(full) >= ACRONYM_FULL_BYTES || full[0] == '\0')
        return false;
    for (uint32_t i = 0; i < k->n; i++)
        if (strcmp(k->a[i].name, name) == 0 || strcmp(k->a[i].full, full) == 0)
            return false;
    char word[WORD_BYTES];
    struct acronym *a = &k->a[k->n];
    memcpy(a->name, name, strlen(name) + 1);
    memcpy(a->full, full, strlen(full) + 1);
    a->whole = whole;
    int *head = &k->first[word_hash(first_word(full, word)) % 256];
    a->next = *head;
    *head = (int)k->n++;
    return true;
}

/* Does the text from here on, behind a first word, go on as the long form? */
static bool
form_follows(
    const char *full, const char *word, const char *s, size_t n, size_t *at)
{
    char next[WORD_BYTES];
    size_t len = strlen(word), to = *at;
    if (strncmp(full, word, len) != 0 || full[len] != ' ')
        return false;
    for (const char *p = full + len; *p == ' '; p += len) {
        p++;
        len = strcspn(p, " ");
        if (!word_next(s, n, &to, true, next) || strlen(next) != len ||
            strncmp(next, p, len) != 0)
            return false;
    }
    *at = to;
    return true;
}

bool
term_next(const struct acronyms *k, const char *s, size_t n, size_t *at,
    char out[WORD_BYTES])
{
    if (!word_next(s, n, at, true, out))
        return false;
    for (int i = k->first[word_hash(out) % 256]; i >= 0; i = k->a[i].next)
        if (k->a[i].whole && form_follows(k->a[i].full, out, s, n, at)) {
            memcpy(out, k->a[i].name, ACRONYM_BYTES);
            return true;
        }
    return true;
}

const struct acronym *
acronym_find(const struct acronyms *k, const char *name)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (strcmp(k->a[i].name, name) == 0)
            return &k->a[i];
    return NULL;
}

struct definition {
    char name[ACRONYM_BYTES], full[ACRONYM_FULL_BYTES];
    uint32_t times;
};

enum { DEFINITIONS_MAX = 4096, SLOTS = 4 * DEFINITIONS_MAX };

struct definitions {
    uint32_t n;
    struct definition d[DEFINITIONS_MAX];
    uint16_t slot[SLOTS]; /* index + 1, 0: free */
};

/* Where the word that ends before `end` begins; *end moves to its end. */
static size_t
word_before(const char *s, size_t *end)
{
    while (*end > 0 && !isalnum((unsigned char)s[*end - 1]))
        (*end)--;
    size_t at = *end;
    while (at > 0 && isalnum((unsigned char)s[at - 1]))
        at--;
    return at;
}

/* The words before the bracket at `open` whose first letters are the name. */
static bool
form_read(
    const char *s, size_t open, const char *name, char full[ACRONYM_FULL_BYTES])
{
    size_t end = open, letters = strlen(name), from = open, words = 0, at = 0;
    for (size_t i = letters; i-- > 0;) {
        from = word_before(s, &end);
        if (from == end || open - from > ACRONYM_FULL_BYTES ||
            tolower((unsigned char)s[from]) != name[i])
            return false;
        end = from;
    }
    char word[WORD_BYTES];
    size_t len = 0;
    full[0] = '\0';
    while (word_next(s + from, open - from, &at, true, word)) {
        size_t m = strlen(word);
        if (len + m + 2 > ACRONYM_FULL_BYTES)
            return false;
        if (words++ > 0)
            full[len++] = ' ';
        memcpy(full + len, word, m + 1);
        len += m;
    }
    return words == letters; /* none of them a stop word */
}

static void
definition_count(struct definitions *k, const char *name, const char *full)
{
    uint32_t at = (word_hash(name) ^ word_hash(full) * 31) % SLOTS;
    for (; k->slot[at] != 0; at = (at + 1) % SLOTS) {
        struct definition *d = &k->d[k->slot[at] - 1];
        if (strcmp(d->name, name) == 0 && strcmp(d->full, full) == 0) {
            d->times++;
            return;
        }
    }
    if (k->n == DEFINITIONS_MAX)
        return;
    struct definition *d = &k->d[k->n++];
    k->slot[at] = (uint16_t)k->n;
    memcpy(d->name, name, strlen(name) + 1);
    memcpy(d->full, full, strlen(full) + 1);
    d->times = 1;
}

/* "(CTR)" or "(CTRs)" at s: its name in lower case. */
static bool
bracket_read(const char *s, char name[ACRONYM_BYTES])
{
    enum { ACRONYM_MAX = 7 };
    size_t n = 0;
    s++;
    while (n < ACRONYM_MAX && isupper((unsigned char)s[n])) {
        name[n] = (char)tolower((unsigned char)s[n]);
        n++;
    }
    name[n] = '\0';
    return n >= 2 && (s[n] == ')' || (s[n] == 's' && s[n + 1] == ')'));
}

static int
definition_compare(const void *a, const void *b)
{
    const struct definition *x = a, *y = b;
    if (x->times != y->times)
        return x->times > y->times ? -1 : 1;
    int names = strcmp(x->name, y->name);
    return names != 0 ? names : strcmp(x->full, y->full);
}

/* Its first two words, "click through"; false: it has no more than those. */
static bool
head_of(const char *full, char out[ACRONYM_FULL_BYTES])
{
    size_t n = strcspn(full, " ");
    if (full[n] != ' ')
        return false;
    n += 1 + strcspn(full + n + 1, " ");
    memcpy(out, full, n);
    out[n] = '\0';
    return full[n] == ' ';
}

/* "multi task" often stands without "learning", "click through" not without
 * "rate": only the latter is one word in all but spelling. */
static void
wholes_find(struct acronyms *k, const char *const *text, uint32_t n)
{
    enum { TEXTS = 2000 };
    uint32_t heads[ACRONYMS_MAX] = {0}, forms[ACRONYMS_MAX] = {0};
    for (uint32_t t = 0; t < n && t < TEXTS; t++) {
        const char *s = text[(uint64_t)t * n / (n < TEXTS ? n : TEXTS)];
        char word[WORD_BYTES], head[ACRONYM_FULL_BYTES];
        size_t at = 0, len = strlen(s);
        while (word_next(s, len, &at, true, word))
            for (int i = k->first[word_hash(word) % 256]; i >= 0;
                 i = k->a[i].next) {
                size_t to = at;
                if (!head_of(k->a[i].full, head) ||
                    !form_follows(head, word, s, len, &to))
                    continue;
                to = at;
                heads[i]++;
                forms[i] += form_follows(k->a[i].full, word, s, len, &to);
            }
    }
    for (uint32_t i = 0; i < k->n; i++)
        k->a[i].whole |= heads[i] > 0 && forms[i] * 10 >= heads[i] * 6;
}

/* ---- words in one and with a hyphen ---- */

enum { TIMES_MIN = 3, COUNTERS = 1 << 18 };

static void
words_count(uint32_t *times, const char *text)
{
    char word[WORD_BYTES];
    size_t at = 0, n = strlen(text);
    while (word_next(text, n, &at, true, word))
        times[word_hash(word) % COUNTERS]++;
}

/* The word around a hyphen, "multi-task": in one, and in two. */
static bool
hyphen_read(const char *text, const char *hyphen, char name[ACRONYM_BYTES],
    char full[ACRONYM_FULL_BYTES])
{
    size_t end = (size_t)(hyphen - text), at = 0, n = 0;
    size_t from = word_before(text, &end);
    char a[WORD_BYTES], b[WORD_BYTES];
    while (isalnum((unsigned char)hyphen[1 + n]))
        n++;
    if (hyphen[1 + n] == '-' || (from > 0 && text[from - 1] == '-') ||
        hyphen != text + end || end - from + n >= ACRONYM_BYTES)
        return false;
    if (!word_next(text + from, end - from, &at, true, a))
        return false;
    at = 0;
    if (!word_next(hyphen + 1, n, &at, true, b) || strlen(a) < 2)
        return false;
    snprintf(name, ACRONYM_BYTES, "%.*s%.*s", ACRONYM_BYTES / 2, a,
        ACRONYM_BYTES / 2 - 1, b);
    snprintf(full, ACRONYM_FULL_BYTES, "%s %s", a, b);
    return strlen(name) == strlen(a) + strlen(b);
}

static void
hyphens_mine(struct acronyms *k, const char *const *text, uint32_t n)
{
    uint32_t *times = mem_calloc(COUNTERS, sizeof *times);
    struct definitions *all = mem_calloc(1, sizeof *all);
    for (uint32_t i = 0; i < n; i++)
        words_count(times, text[i]);
    for (uint32_t i = 0; i < n; i++)
        for (const char *p = strchr(text[i], '-'); p != NULL;
             p = strchr(p + 1, '-')) {
            char name[ACRONYM_BYTES], full[ACRONYM_FULL_BYTES];
            if (hyphen_read(text[i], p, name, full) &&
                times[word_hash(name) % COUNTERS] >= TIMES_MIN)
                definition_count(all, name, full);
        }
    qsort(all->d, all->n, sizeof *all->d, definition_compare);
    for (uint32_t i = 0; i < all->n && all->d[i].times >= TIMES_MIN; i++)
        acronyms_add(k, all->d[i].name, all->d[i].full, true);
    free(times);
    free(all);
}

/* ---- acronyms in brackets ---- */

/* Does a name nearly always stand for this? "FM" is two things. */
static bool
is_usual(const struct definitions *all, const struct definition *d)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < all->n; i++)
        times += strcmp(all->d[i].name, d->name) == 0 ? all->d[i].times : 0;
    return d->times >= TIMES_MIN && d->times * 10 >= times * 7;
}

void
acronyms_mine(struct acronyms *k, const char *const *text, uint32_t n)
{
    struct definitions *all = mem_calloc(1, sizeof *all);
    acronyms_clear(k);
    hyphens_mine(k, text, n);
    for (uint32_t i = 0; i < n; i++)
        for (const char *p = strchr(text[i], '('); p != NULL;
             p = strchr(p + 1, '(')) {
            char name[ACRONYM_BYTES], full[ACRONYM_FULL_BYTES];
            if (bracket_read(p, name) &&
                form_read(text[i], (size_t)(p - text[i]), name, full))
                definition_count(all, name, full);
        }
    qsort(all->d, all->n, sizeof *all->d, definition_compare);
    for (uint32_t i = 0; i < all->n && all->d[i].times >= TIMES_MIN; i++)
        if (is_usual(all, &all->d[i]))
            acronyms_add(k, all->d[i].name, all->d[i].full, false);
    free(all);
    wholes_find(k, text, n);
}
