/* Sentences and tokens. Called by the rules of claims and of new names.
 * Invariant: spans lie inside the text, in order, and never overlap; numbers
 * are finite. TeX that abstracts come with (\%, $, \textbf{) is stepped over.
 */
#include "papers/claim_token.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 24 };

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || is_upper(c) || ((unsigned char)c & 0x80);
}

const char *
claim_unit_name(uint32_t unit)
{
    static const char *const name[] = {
        "none", "percent", "points", "absolute", "factor"};
    return unit < sizeof name / sizeof *name ? name[unit] : "?";
}

const char *
claim_bound_name(uint32_t bound)
{
    static const char *const name[] = {"", "up to", "at least"};
    return bound < sizeof name / sizeof *name ? name[bound] : "?";
}

/* ---- sentences ---- */

/* Does an abbreviation end at the period at `at`? */
static bool
ends_short_form(const char *text, size_t from, size_t at)
{
    static const char *const form[] = {"e.g", "i.e", "al", "vs", "fig", "eq",
        "w.r.t", "resp", "approx", "cf", "no", "dr", "etc", "sec", "tab"};
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        size_t n = strlen(form[i]);
        if (at - from < n || strncasecmp(text + at - n, form[i], n) != 0)
            continue;
        if (at - from == n || !is_letter(text[at - n - 1]))
            return strcmp(form[i], "etc") != 0;
    }
    return at > from && is_upper(text[at - 1]) &&
           (at - from == 1 || !isalnum((unsigned char)text[at - 2]));
}

static bool
is_sentence_end(const char *text, size_t len, size_t from, size_t at)
{
    if (strchr(".!?", text[at]) == NULL || text[at] == '\0')
        return false;
    size_t next = at + 1;
    while (
        next < len && strchr(")\"']", text[next]) != NULL && text[next] != '\0')
        next++;
    if (next >= len)
        return true;
    if (text[at] == '.' && ends_short_form(text, from, at))
        return false;
    if (is_space(text[next])) {
        while (next < len && is_space(text[next]))
            next++;
        return next >= len || !islower((unsigned char)text[next]);
    }
    /* "metadata.However": a space was lost */
    return at > from && islower((unsigned char)text[at - 1]) &&
           next + 2 < len && is_upper(text[next]) &&
           islower((unsigned char)text[next + 1]) &&
           islower((unsigned char)text[next + 2]);
}

bool
sentence_next(
    const char *text, size_t len, size_t *at, uint32_t *begin, uint32_t *end)
{
    size_t i = *at;
    while (i < len && is_space(text[i]))
        i++;
    if (i >= len)
        return false;
    size_t from = i;
    while (i < len && !is_sentence_end(text, len, from, i) &&
           !(text[i] == '\n' && i + 1 < len && text[i + 1] == '\n'))
        i++;
    if (i < len)
        i++;
    while (i < len && strchr(")\"']", text[i]) != NULL && text[i] != '\0')
        i++;
    *at = i;
    while (i > from && is_space(text[i - 1]))
        i--;
    *begin = (uint32_t)from;
    *end = (uint32_t)i;
    return true;
}

/* ---- tokens ---- */

struct scan {
    const char *s;
    uint32_t at, end;
};

static char
peek(const struct scan *z, uint32_t ahead)
{
    return z->at + ahead < z->end ? z->s[z->at + ahead] : '\0';
}

static bool
take(struct scan *z, const char *what)
{
    size_t n = strlen(what);
    if (z->end - z->at < n || strncasecmp(z->s + z->at, what, n) != 0)
        return false;
    z->at += (uint32_t)n;
    return true;
}

/* Steps over TeX's signs; a space is kept. */
static void
tex_skip(struct scan *z)
{
    while (z->at < z->end && strchr("\\${}", z->s[z->at]) != NULL &&
           z->s[z->at] != '\0')
        z->at++;
}

static bool
word_ends(const struct scan *z)
{
    return !isalnum((unsigned char)peek(z, 0));
}

/* A unit after a number; gives back what it did not take. */
static uint8_t
unit_read(struct scan *z)
{
    static const struct {
        const char *text;
        uint8_t unit;
        bool word; /* must end there */
    } unit[] = {
        {"%-points", CLAIM_POINTS, true},
        {"% points", CLAIM_POINTS, true},
        {"%", CLAIM_PERCENT, false},
        {"percentage points", CLAIM_POINTS, true},
        {"percentage-points", CLAIM_POINTS, true},
        {"percentage-point", CLAIM_POINTS, true},
        {"percentage point", CLAIM_POINTS, true},
        {"percent", CLAIM_PERCENT, true},
        {"pp", CLAIM_POINTS, true},
        {"pps", CLAIM_POINTS, true},
        {"times", CLAIM_FACTOR, true},
        {"fold", CLAIM_FACTOR, true},
        {"-fold", CLAIM_FACTOR, true},
        {"\xc3\x97", CLAIM_FACTOR, false},
        {"x", CLAIM_FACTOR, true},
    };
    struct scan back = *z;
    tex_skip(z);
    for (int spaced = 0; spaced < 2; spaced++) {
        for (size_t i = 0; i < sizeof unit / sizeof *unit; i++) {
            struct scan before = *z;
            if (take(z, unit[i].text) && (!unit[i].word || word_ends(z)))
                return unit[i].unit;
            *z = before;
        }
        while (is_space(peek(z, 0)))
            z->at++;
        tex_skip(z);
    }
    *z = back;
    return CLAIM_NO_NUMBER;
}

/* "2.5 +- 0.2 %": steps over the spread; the unit behind it is the number's. */
static bool
spread_skip(struct scan *z)
{
    struct scan back = *z;
    tex_skip(z);
    while (is_space(peek(z, 0)))
        z->at++;
    if (take(z, "+-") || take(z, "\xc2\xb1") || take(z, "+/-") ||
        take(z, "\\pm")) {
        while (is_space(peek(z, 0)))
            z->at++;
        uint32_t from = z->at;
        while (is_digit(peek(z, 0)) || peek(z, 0) == '.')
            z->at++;
        if (z->at > from && z->s[z->at - 1] != '.')
            return true;
    }
    *z = back;
    return false;
}

static bool
digits_read(struct scan *z, double *out)
{
    char text[NUMBER_BYTES];
    size_t n = 0;
    uint32_t from = z->at;
    while (z->at < z->end) {
        char c = peek(z, 0);
        bool comma = c == ',' && z->at > from && is_digit(peek(z, 1)) &&
                     is_digit(peek(z, 2)) && is_digit(peek(z, 3)) &&
                     !is_digit(peek(z, 4));
        bool point = c == '.' && is_digit(peek(z, 1));
        if (!is_digit(c) && !comma && !point)
            break;
        if (!comma && n + 1 < sizeof text)
            text[n++] = c;
        z->at++;
    }
    if ((peek(z, 0) == 'e' || peek(z, 0) == 'E') &&
        (is_digit(peek(z, 1)) || ((peek(z, 1) == '-' || peek(z, 1) == '+') &&
                                     is_digit(peek(z, 2)))) &&
        n + 6 < sizeof text) {
        text[n++] = 'e';
        z->at++;
        for (int i = 0; i < 4 && (is_digit(peek(z, 0)) || i == 0); i++)
            text[n++] = z->s[z->at++];
    }
    text[n] = '\0';
    *out = strtod(text, NULL);
    return n > 0 && isfinite(*out);
}

/* "-", "--", "~", an en dash, before the end of a range. */
static bool
range_sign(struct scan *z)
{
    struct scan back = *z;
    tex_skip(z);
    if ((take(z, "--") || take(z, "-") || take(z, "~") ||
            take(z, "\xe2\x80\x93"))) {
        tex_skip(z);
        if (is_digit(peek(z, 0)))
            return true;
    }
    *z = back;
    return false;
}

/* A number at z; false: what is there is a word like "3-layer" or "10M". */
static bool
number_read(struct scan *z, struct claim_token *t)
{
    struct scan back = *z;
    if (!digits_read(z, &t->value)) {
        *z = back;
        return false;
    }
    t->high = t->value;
    t->unit = unit_read(z);
    if (t->unit == CLAIM_NO_NUMBER && spread_skip(z))
        t->unit = unit_read(z);
    struct scan first = *z;
    if (range_sign(z)) {
        uint8_t unit = t->unit;
        if (digits_read(z, &t->high) &&
            (t->unit = unit_read(z)) != CLAIM_NO_NUMBER)
            return true;
        *z = first;
        t->unit = unit;
        t->high = t->value;
    }
    if (t->unit == CLAIM_NO_NUMBER &&
        (isalnum((unsigned char)peek(z, 0)) ||
            (peek(z, 0) == '-' && is_letter(peek(z, 1))))) {
        *z = back;
        return false;
    }
    return true;
}

/* Signs before a number: "+", "-", a minus sign, ">", "~". */
static void
sign_read(struct scan *z, struct claim_token *t)
{
    for (;;) {
        if (take(z, "+"))
            t->sign = 1;
        else if (take(z, "-") || take(z, "\xe2\x88\x92"))
            t->sign = -1;
        else if (take(z, ">=") || take(z, ">") || take(z, "\xe2\x89\xa5"))
            t->bound = CLAIM_AT_LEAST;
        else if (!take(z, "~") && !take(z, "$"))
            return;
    }
}

static bool
is_word_byte(const struct scan *z)
{
    char c = peek(z, 0), next = peek(z, 1);
    if (isalnum((unsigned char)c) || ((unsigned char)c & 0x80) || c == '@' ||
        c == '_')
        return true;
    if (c == '+')
        return !is_digit(next);
    if (c == '.')
        return is_digit(next) ||
               (is_letter(next) && is_letter(peek(z, 2)) == 0);
    return strchr("-/&'", c) != NULL && c != '\0' &&
           (isalnum((unsigned char)next) || ((unsigned char)next & 0x80));
}

static void
word_read(struct scan *z, struct claim_token *t)
{
    size_t n = 0;
    t->kind = TOKEN_WORD;
    while (z->at < z->end && is_word_byte(z)) {
        if (n + 1 < sizeof t->word)
            t->word[n++] = (char)tolower((unsigned char)z->s[z->at]);
        z->at++;
    }
    t->word[n] = '\0';
}

static bool
token_read(struct scan *z, struct claim_token *t)
{
    memset(t, 0, sizeof *t);
    struct scan back = *z;
    t->begin = z->at;
    sign_read(z, t);
    if (is_digit(peek(z, 0)) && number_read(z, t)) {
        t->kind = TOKEN_NUMBER;
        t->end = z->at;
        return true;
    }
    *z = back;
    memset(t, 0, sizeof *t);
    t->begin = z->at;
    if (isalnum((unsigned char)peek(z, 0)) ||
        ((unsigned char)peek(z, 0) & 0x80)) {
        word_read(z, t);
    } else {
        t->kind = TOKEN_MARK;
        t->mark = z->s[z->at++];
    }
    t->end = z->at;
    return true;
}

/* TeX's own words are no words of the sentence. */
static bool
word_is_tex(const char *text, const struct claim_token *t, uint32_t begin)
{
    return t->kind == TOKEN_WORD && t->begin > begin &&
           text[t->begin - 1] == '\\' &&
           (strcmp(t->word, "textbf") == 0 || strcmp(t->word, "emph") == 0 ||
               strcmp(t->word, "textit") == 0);
}

uint32_t
sentence_tokens(
    const char *text, uint32_t begin, uint32_t end, struct claim_token *out)
{
    struct scan z = {text, begin, end};
    uint32_t n = 0;
    while (n < CLAIM_TOKENS_MAX) {
        while (z.at < z.end &&
               (is_space(z.s[z.at]) || z.s[z.at] == '\\' || z.s[z.at] == '{' ||
                   z.s[z.at] == '}' || z.s[z.at] == '$'))
            z.at++;
        if (z.at >= z.end || !token_read(&z, &out[n]))
            break;
        if (word_is_tex(text, &out[n], begin))
            continue;
        n++;
    }
    return n;
}
