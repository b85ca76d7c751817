/* Strings, numbers and dates of TOML 1.0. Called by toml.c with the position
 * on the first byte of a value; leaves it behind the last. Invariant: a byte
 * is looked at through lex_peek, which stops at the end of the text. */
#include "base/toml_lex.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 512 };

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int
hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool
is_control(char c)
{
    unsigned char u = (unsigned char)c;
    return (u < 0x20 && u != '\t') || u == 0x7f;
}

/* ---- strings ---- */

static int
unicode_escape(struct lex *x, size_t digits)
{
    size_t at = x->pos;
    uint32_t c = 0;
    x->pos += 2;
    for (size_t i = 0; i < digits; i++) {
        int d = hex_digit(lex_peek(x, 0));
        if (d < 0)
            return lex_fail(x, at, "\\%c needs %zu hexadecimal digits",
                x->text[at + 1], digits);
        c = c << 4 | (uint32_t)d;
        x->pos++;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return lex_fail(
            x, at, "U+%04X is not a Unicode character", (unsigned)c);
    utf8_put(&x->scratch, c);
    return 0;
}

/* A backslash that ends its line swallows all blank space up to the next
 * visible character. Returns 0 when it is not one of these. */
static size_t
line_continuation(const struct lex *x)
{
    struct lex y = *x;
    y.pos++;
    lex_blanks(&y);
    if (lex_newline(&y) == 0)
        return 0;
    for (size_t n; (n = lex_newline(&y)) > 0; lex_blanks(&y))
        y.pos += n;
    return y.pos - x->pos;
}

static int
string_escape(struct lex *x, bool multi)
{
    static const char code[] = "btnfr\"\\";
    static const char meaning[] = "\b\t\n\f\r\"\\";
    char c = lex_peek(x, 1);
    size_t skip = multi ? line_continuation(x) : 0;
    if (skip > 0) {
        x->pos += skip;
        return 0;
    }
    if (c == 'u')
        return unicode_escape(x, 4);
    if (c == 'U')
        return unicode_escape(x, 8);
    const char *at = c ? strchr(code, c) : NULL;
    if (at == NULL)
        return lex_fail(x, x->pos,
            "unknown escape in a string; write \\\\ for a backslash, or "
            "use '...' quotes, where a backslash is itself");
    buf_putc(&x->scratch, meaning[at - code]);
    x->pos += 2;
    return 0;
}

static int
string_line(struct lex *x, char quote, size_t at)
{
    for (;;) {
        char c = lex_peek(x, 0);
        int rc = 0;
        if (x->pos >= x->len || lex_newline(x) > 0)
            return lex_fail(x, at, "this string has no closing %c", quote);
        if (is_control(c))
            return lex_fail(x, x->pos,
                "control character 0x%02x in a string; write \\u%04x",
                (unsigned)c, (unsigned)c);
        if (c == quote) {
            x->pos++;
            return 0;
        }
        if (c == '\\' && quote == '"') {
            rc = string_escape(x, false);
        } else {
            buf_putc(&x->scratch, c);
            x->pos++;
        }
        if (rc != 0)
            return rc;
    }
}

/* Three quotes end the string; one or two before them belong to it. */
static bool
multi_end(struct lex *x, char quote)
{
    size_t n = 0;
    while (n < 5 && lex_peek(x, n) == quote)
        n++;
    if (n < 3)
        return false;
    for (size_t i = 3; i < n; i++)
        buf_putc(&x->scratch, quote);
    x->pos += n;
    return true;
}

static int
string_multi(struct lex *x, char quote, size_t at)
{
    x->pos += lex_newline(x); /* one right after the opening is dropped */
    for (;;) {
        char c = lex_peek(x, 0);
        size_t nl = lex_newline(x);
        int rc = 0;
        if (x->pos >= x->len)
            return lex_fail(x, at, "this string has no closing %c%c%c", quote,
                quote, quote);
        if (nl > 0) {
            buf_putc(&x->scratch, '\n');
            x->pos += nl;
        } else if (is_control(c)) {
            return lex_fail(x, x->pos,
                "control character 0x%02x in a string; write \\u%04x",
                (unsigned)c, (unsigned)c);
        } else if (c == quote && multi_end(x, quote)) {
            return 0;
        } else if (c == '\\' && quote == '"') {
            rc = string_escape(x, true);
        } else {
            buf_putc(&x->scratch, c);
            x->pos++;
        }
        if (rc != 0)
            return rc;
    }
}

int
lex_string(struct lex *x, bool multi, const char **str, size_t *len)
{
    size_t at = x->pos;
    char quote = lex_peek(x, 0);
    bool three = lex_peek(x, 1) == quote && lex_peek(x, 2) == quote;
    if (three && !multi)
        return lex_fail(x, at, "a key can't be a multi-line string");
    buf_clear(&x->scratch);
    x->pos += three ? 3 : 1;
    int rc = three ? string_multi(x, quote, at) : string_line(x, quote, at);
    *len = x->scratch.len;
    *str = arena_strndup(x->arena, buf_str(&x->scratch), *len);
    return rc;
}

/* ---- dates ---- */

/* Reads n digits at p as a number; -1: these are not n digits. */
static int
digits(const struct lex *x, size_t at, size_t n)
{
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        char c = at + i < x->len ? x->text[at + i] : '\0';
        if (!is_digit(c))
            return -1;
        v = v * 10 + (c - '0');
    }
    return v;
}

static char
byte_at(const struct lex *x, size_t at)
{
    return at < x->len ? x->text[at] : '\0';
}

/* Length of a full-date at a place, 0: there is none; *bad: it has the form
 * but is no day of the calendar. */
static size_t
date_length(const struct lex *x, size_t at, bool *bad)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = digits(x, at, 4), m = digits(x, at + 5, 2);
    int d = digits(x, at + 8, 2);
    if (y < 0 || m < 0 || d < 0 || byte_at(x, at + 4) != '-' ||
        byte_at(x, at + 7) != '-')
        return 0;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    *bad =
        m < 1 || m > 12 || d < 1 || d > days[m - 1] + (m == 2 && leap ? 1 : 0);
    return 10;
}

static size_t
time_length(const struct lex *x, size_t at, bool *bad)
{
    int h = digits(x, at, 2), m = digits(x, at + 3, 2);
    int s = digits(x, at + 6, 2);
    if (h < 0 || m < 0 || s < 0 || byte_at(x, at + 2) != ':' ||
        byte_at(x, at + 5) != ':')
        return 0;
    *bad = h > 23 || m > 59 || s > 59;
    size_t n = 8;
    if (byte_at(x, at + n) == '.' && is_digit(byte_at(x, at + n + 1))) {
        n += 2;
        while (is_digit(byte_at(x, at + n)))
            n++;
    }
    return n;
}

static size_t
offset_length(const struct lex *x, size_t at, bool *bad)
{
    char c = byte_at(x, at);
    if (c == 'Z' || c == 'z')
        return 1;
    if (c != '+' && c != '-')
        return 0;
    int h = digits(x, at + 1, 2), m = digits(x, at + 4, 2);
    if (h < 0 || m < 0 || byte_at(x, at + 3) != ':')
        return 0;
    *bad = *bad || h > 23 || m > 59;
    return 6;
}

/* 1: read, 0: no date or time here, < 0: error. */
static int
lex_date(struct lex *x, struct toml *t)
{
    bool bad_day = false, bad_time = false;
    size_t at = x->pos, n = date_length(x, at, &bad_day), more = 0;
    if (n > 0) {
        t->kind = TOML_LOCAL_DATE;
        char c = byte_at(x, at + n);
        if (c == 'T' || c == 't' || c == ' ')
            more = time_length(x, at + n + 1, &bad_time);
        if (more > 0) {
            n += 1 + more;
            more = offset_length(x, at + n, &bad_time);
            t->kind = more > 0 ? TOML_DATETIME : TOML_LOCAL_DATETIME;
            n += more;
        }
    } else {
        n = time_length(x, at, &bad_time);
        t->kind = TOML_LOCAL_TIME;
    }
    if (n == 0)
        return 0;
    if (bad_day || bad_time)
        return lex_fail(x, at, "%.*s is no valid %s", (int)n, x->text + at,
            bad_day ? "date" : "time");
    t->str = arena_strndup(x->arena, x->text + at, n);
    t->str_len = n;
    x->pos += n;
    return 1;
}

/* ---- numbers ---- */

/* Copies digits without their underscores, which must stand between digits.
 * Returns how many digits came, or -1. */
static int
copy_digits(struct lex *x, char *out, size_t *used, int base)
{
    int n = 0;
    for (;;) {
        char c = lex_peek(x, 0);
        int d = hex_digit(c);
        if (c == '_') {
            int next = hex_digit(lex_peek(x, 1));
            if (n == 0 || next < 0 || next >= base)
                return -1;
            x->pos++;
            continue;
        }
        if (d < 0 || d >= base)
            return n;
        if (*used + 2 >= NUMBER_MAX)
            return -1;
        out[(*used)++] = c;
        x->pos++;
        n++;
    }
}

static int
number_failed(struct lex *x, size_t at)
{
    return lex_fail(x, at,
        "this is no number, date or boolean; text needs quotes: \"...\"");
}

static int
lex_based(struct lex *x, struct toml *t, size_t at, int base)
{
    char s[NUMBER_MAX];
    size_t used = 0;
    x->pos += 2;
    if (copy_digits(x, s, &used, base) <= 0)
        return number_failed(x, at);
    s[used] = '\0';
    errno = 0;
    long long v = strtoll(s, NULL, base);
    if (errno == ERANGE)
        return lex_fail(x, at, "integer beyond 64 bits");
    t->kind = TOML_INT;
    t->i64 = v;
    t->f64 = (double)v;
    return 0;
}

/* What follows the whole part: fraction and exponent. *real: there was one. */
static int
lex_fraction(struct lex *x, char *s, size_t *used, bool *real, size_t at)
{
    if (lex_peek(x, 0) == '.') {
        *real = true;
        s[(*used)++] = '.';
        x->pos++;
        if (copy_digits(x, s, used, 10) <= 0)
            return number_failed(x, at);
    }
    char c = lex_peek(x, 0);
    if (c == 'e' || c == 'E') {
        *real = true;
        s[(*used)++] = 'e';
        x->pos++;
        c = lex_peek(x, 0);
        if (c == '+' || c == '-') {
            s[(*used)++] = c;
            x->pos++;
        }
        if (copy_digits(x, s, used, 10) <= 0)
            return number_failed(x, at);
    }
    return 0;
}

static int
lex_decimal(struct lex *x, struct toml *t, size_t at)
{
    char s[NUMBER_MAX + 8];
    size_t used = 0;
    bool real = false;
    char sign = lex_peek(x, 0);
    if (sign == '+' || sign == '-') {
        s[used++] = sign;
        x->pos++;
    }
    size_t first = used;
    int n = copy_digits(x, s, &used, 10);
    if (n <= 0)
        return number_failed(x, at);
    if (n > 1 && s[first] == '0')
        return lex_fail(x, at, "a number can't begin with 0 here");
    int rc = lex_fraction(x, s, &used, &real, at);
    if (rc != 0)
        return rc;
    s[used] = '\0';
    errno = 0;
    t->kind = real ? TOML_FLOAT : TOML_INT;
    if (real) {
        t->f64 = strtod(s, NULL);
        return 0;
    }
    t->i64 = strtoll(s, NULL, 10);
    if (errno == ERANGE)
        return lex_fail(x, at, "integer beyond 64 bits");
    t->f64 = (double)t->i64;
    return 0;
}

static bool
lex_special(struct lex *x, struct toml *t)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {
        {"inf", HUGE_VAL},
        {"+inf", HUGE_VAL},
        {"-inf", -HUGE_VAL},
        {"nan", NAN},
        {"+nan", NAN},
        {"-nan", NAN},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (lex_has(x, words[i].word)) {
            t->kind = TOML_FLOAT;
            t->f64 = words[i].value;
            x->pos += strlen(words[i].word);
            return true;
        }
    }
    return false;
}

static int
lex_number(struct lex *x, struct toml *t)
{
    size_t at = x->pos;
    if (lex_has(x, "0x"))
        return lex_based(x, t, at, 16);
    if (lex_has(x, "0o"))
        return lex_based(x, t, at, 8);
    if (lex_has(x, "0b"))
        return lex_based(x, t, at, 2);
    if (lex_special(x, t))
        return 0;
    return lex_decimal(x, t, at);
}

int
lex_scalar(struct lex *x, struct toml *t)
{
    size_t at = x->pos;
    bool yes = lex_has(x, "true");
    int rc = 0;
    if (yes || lex_has(x, "false")) {
        t->kind = TOML_BOOL;
        t->boolean = yes;
        x->pos += yes ? 4 : 5;
    } else {
        rc = lex_date(x, t);
        if (rc == 0)
            rc = lex_number(x, t);
    }
    if (rc < 0)
        return rc;
    /* `default = 0.1s` or `cpus = 2x` shall not read as a number and noise */
    char c = lex_peek(x, 0);
    if (c != '\0' && strchr(" \t\r\n,]}#", c) == NULL)
        return number_failed(x, at);
    return 0;
}
