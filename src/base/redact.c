/* Secrets and control characters out of texts (redact.h). Called on log lines
 * before they are stored as evidence or shown. Invariant: one pass, every byte
 * looked at a bounded number of times, whatever the text is. */
#include "base/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

enum { VALUE_MIN = 6, NAME_MAX_LEN = 64, LOOK_MAX = 512 };
static const char MASK[] = "***";

/* Forms that say by themselves what they are: prefix, least length in all. */
static const struct {
    const char *prefix;
    size_t least;
} forms[] = {{"sk-", 20}, {"sk_live_", 16}, {"pk_live_", 16}, {"ghp_", 20},
    {"gho_", 20}, {"ghs_", 20}, {"ghu_", 20}, {"github_pat_", 24},
    {"glpat-", 16}, {"xoxb-", 16}, {"xoxp-", 16}, {"xoxa-", 16}, {"hf_", 20},
    {"AKIA", 20}, {"ASIA", 20}, {"AIza", 30}, {"ya29.", 20}, {"eyJ", 30},
    {"npm_", 20}, {"pypi-", 20}, {"SG.", 30}};

/* A name that ends so (in any case) has a secret for its value. */
static const char *const names[] = {"password", "passwd", "passphrase",
    "secret", "token", "apikey", "api_key", "api-key", "access_key",
    "secret_key", "private_key", "credential", "credentials", "authorization",
    "auth"};

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static size_t
run_of(const char *s, size_t n, const char *stop)
{
    size_t i = 0;
    while (i < n && (unsigned char)s[i] > ' ' && strchr(stop, s[i]) == NULL)
        i++;
    return i;
}

/* Length of a token that begins at s, 0: none. */
static size_t
form_at(const char *s, size_t n)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t p = strlen(forms[i].prefix);
        if (n < forms[i].least || memcmp(s, forms[i].prefix, p) != 0)
            continue;
        size_t len = p;
        while (len < n && (is_word(s[len]) || s[len] == '/' || s[len] == '+'))
            len++;
        if (len >= forms[i].least)
            return len;
    }
    return 0;
}

static bool
name_is_secret(const char *s, size_t n)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t m = strlen(names[i]);
        if (n >= m && n <= NAME_MAX_LEN &&
            strncasecmp(s + n - m, names[i], m) == 0 &&
            (n == m || strchr("_-.", s[n - m - 1]) != NULL || m > 5))
            return true;
    }
    return false;
}

/* Counts of tokens and the like are no secrets. */
static bool
value_is_plain(const char *s, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++)
        digits +=
            (s[i] >= '0' && s[i] <= '9') || strchr(".,+-e%", s[i]) != NULL;
    return n < VALUE_MIN || digits == n;
}

/* After a secret's name: how far the text is kept (separators, a scheme) and
 * how long the value is; false: no value follows. */
static bool
value_after(const char *s, size_t n, size_t *keep, size_t *len)
{
    size_t i = 0;
    while (i < n && (s[i] == ' ' || s[i] == '"' || s[i] == '\''))
        i++;
    if (i == n || (s[i] != '=' && s[i] != ':'))
        return false;
    i++;
    while (i < n && (s[i] == ' ' || s[i] == '"' || s[i] == '\''))
        i++;
    for (int scheme = 0; scheme < 2; scheme++) {
        const char *word = scheme ? "basic " : "bearer ";
        size_t m = strlen(word);
        if (n - i > m && strncasecmp(s + i, word, m) == 0)
            i += m;
    }
    *keep = i;
    *len = run_of(s + i, n - i, "\"',;)&");
    return !value_is_plain(s + i, *len);
}

/* "user:password@" after "://": its length without the @, 0: none. */
static size_t
user_at(const char *s, size_t n)
{
    size_t most = n < LOOK_MAX ? n : LOOK_MAX;
    size_t len = run_of(s, most, "/\"'");
    const char *at = memrchr(s, '@', len);
    bool both = at != NULL && memchr(s, ':', (size_t)(at - s)) != NULL;
    return both ? (size_t)(at - s) : 0;
}

/* A private key in PEM: everything up to its end, or to the text's. */
static size_t
pem_at(const char *s, size_t n)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    if (n < sizeof begin || memcmp(s, begin, sizeof begin - 1) != 0)
        return 0;
    size_t line = 0;
    while (line < n && s[line] != '\n' && line < 80)
        line++;
    if (memmem(s, line, "PRIVATE KEY", 11) == NULL)
        return 0;
    const char *stop = memmem(s, n, end, sizeof end - 1);
    return stop != NULL ? (size_t)(stop - s) : n;
}

void
redact_put(const char *s, size_t n, struct buf *out)
{
    size_t i = 0, keep = 0, len = 0;
    while (i < n) {
        bool begins = i == 0 || !is_word(s[i - 1]);
        size_t masked = begins && s[i] == '-' ? pem_at(s + i, n - i) : 0;
        if (masked == 0 && begins)
            masked = form_at(s + i, n - i);
        if (masked == 0 && i >= 3 && memcmp(s + i - 3, "://", 3) == 0)
            masked = user_at(s + i, n - i);
        if (masked > 0) {
            buf_puts(out, MASK);
            i += masked;
            continue;
        }
        size_t word = 0;
        while (begins && i + word < n && is_word(s[i + word]))
            word++;
        if (word > 0 && name_is_secret(s + i, word) &&
            value_after(s + i + word, n - i - word, &keep, &len)) {
            buf_add(out, s + i, word + keep);
            buf_puts(out, MASK);
            i += word + keep + len;
            continue;
        }
        size_t step = word > 0 ? word : 1;
        buf_add(out, s + i, step);
        i += step;
    }
}

static bool
is_bidi(const char *s, size_t n)
{
    if (n != 3 || (unsigned char)s[0] != 0xe2)
        return false;
    unsigned char b = (unsigned char)s[1], d = (unsigned char)s[2];
    return (b == 0x80 &&
               ((d >= 0xaa && d <= 0xae) || d == 0x8e || d == 0x8f)) ||
           (b == 0x81 && d >= 0xa6 && d <= 0xa9);
}

void
plain_put(const char *s, size_t n, struct buf *out)
{
    for (size_t i = 0, m; i < n; i += m) {
        m = utf8_len(s + i, n - i);
        unsigned char c = (unsigned char)s[i];
        bool c1 = m == 2 && c == 0xc2 && (unsigned char)s[i + 1] < 0xa0;
        bool control = c < 0x20 ? c != '\n' && c != '\t' : c == 0x7f;
        if (m == 0 || control || c1 || is_bidi(s + i, m))
            buf_putc(out, '?');
        else
            buf_add(out, s + i, m);
        m = m > 0 ? m : 1;
    }
}
