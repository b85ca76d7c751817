/* Takes secrets and people out of every prompt (model.h, model_redact). Called
 * by record.c for requests and by retry.c for texts of servers. Invariant:
 * equal text gives equal text; what remains is not promised to be free of
 * secrets of an unknown form. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/part.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { VALUE_BYTES_MIN = 8, STEPS_MAX = 200000000 };

/* In this order: a block of a private key before what it contains. Group 1,
 * where there is one, stays. */
static const struct {
    const char *pattern, *by;
} rules[] = {
    {"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----[\\s\\S]{0,20000}?"
     "(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\\z)",
        "[private key]"},
    {"\\beyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}",
        "[token]"},
    {"\\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}", "[key]"},
    {"\\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|hf_|npm_|pypi-|dop_v1_)"
     "[A-Za-z0-9_-]{16,}",
        "[token]"},
    {"\\b(?:AKIA|ASIA)[0-9A-Z]{16}\\b", "[key]"},
    {"\\bAIza[0-9A-Za-z_-]{30,}", "[key]"},
    {"(?i)(\\bbearer\\s+)[A-Za-z0-9._~+/=-]{12,}", "[token]"},
    {"(?i)(\\b[a-z0-9_.-]{0,40}(?:api[_-]?key|access[_-]?key|secret|passwd|"
     "password|auth[_-]?token|access[_-]?token|private[_-]?key)"
     "[a-z0-9_]{0,20}[\"']?\\s*[:=]\\s*[\"']?)"
     "[^\\s\"',;&}\\]]{6,}",
        "[secret]"},
    {"([a-z][a-z0-9+.-]{1,20}://[^\\s/:@]{1,100}:)[^\\s/@]{1,200}(?=@)",
        "[password]"},
    {"\\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\\.[A-Za-z0-9-]{1,63})"
     "{0,6}\\.[A-Za-z]{2,24}\\b",
        "[email]"},
    {"(?<![\\w.])\\+[1-9][0-9]{0,2}[ .()-]{1,2}[0-9](?:[ .()-]?[0-9]){6,12}\\b",
        "[phone]"},
    {"(?<![\\w.-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\\w.-])", "[id number]"},
};
enum { N_RULES = sizeof rules / sizeof *rules };

static const char card_pattern[] =
    "(?<![\\w.-])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{3,4}(?![\\w.-])";

/* Luhn's check digit: most long numbers of a log are no card. */
static bool
is_card(const char *s, size_t n)
{
    unsigned sum = 0, k = 0;
    while (n-- > 0) {
        if (s[n] < '0' || s[n] > '9')
            continue;
        unsigned d = (unsigned)(s[n] - '0');
        if (k++ % 2 == 1)
            d = d * 2 > 9 ? d * 2 - 9 : d * 2;
        sum += d;
    }
    return sum % 10 == 0;
}

static pcre2_code *
compile(const char *pattern)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
        PCRE2_NEVER_UTF, &code, &at, NULL);
    if (re != NULL)
        pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* only faster */
    return re;
}

struct pass {
    const char *pattern, *by;
    bool card;
};

/* One rule over the whole text; the result replaces it. */
static uint32_t
pass_run(const struct pass *p, struct buf *text)
{
    struct buf out = {0};
    uint32_t n = 0;
    size_t from = 0, copied = 0;
    pcre2_code *re = compile(p->pattern);
    pcre2_match_data *md = re ? pcre2_match_data_create(2, NULL) : NULL;
    pcre2_match_context *mc = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(mc, STEPS_MAX);
    while (md != NULL && from <= text->len) {
        int rc = pcre2_match(
            re, (PCRE2_SPTR)buf_str(text), text->len, from, 0, md, mc);
        if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) {
            /* what can't be checked is not sent */
            buf_add(&out, buf_str(text) + copied, from - copied);
            buf_puts(&out, "[text that could not be checked]");
            copied = text->len;
            n++;
        }
        if (rc < 0)
            break;
        const PCRE2_SIZE *v = pcre2_get_ovector_pointer(md);
        size_t begin = v[0], end = v[1];
        size_t keep = rc > 1 && v[2] != PCRE2_UNSET ? v[3] : begin;
        from = end > begin ? end : end + 1;
        if (p->card && !is_card(buf_str(text) + begin, end - begin))
            continue;
        buf_add(&out, buf_str(text) + copied, keep - copied);
        buf_puts(&out, p->by);
        copied = end;
        n++;
    }
    if (n > 0) {
        buf_add(&out, buf_str(text) + copied, text->len - copied);
        buf_clear(text);
        buf_add(text, buf_str(&out), out.len);
    }
    pcre2_match_context_free(mc);
    pcre2_match_data_free(md);
    pcre2_code_free(re);
    buf_fini(&out);
    return n;
}

static bool
is_secret_name(const char *name, size_t n)
{
    static const char *const ends[] = {
        "_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD", "_CREDENTIALS"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t len = strlen(ends[i]);
        if (n >= len && strncasecmp(name + n - len, ends[i], len) == 0)
            return true;
    }
    return false;
}

static uint32_t
value_out(struct buf *text, const char *value)
{
    size_t len = strlen(value), copied = 0;
    uint32_t n = 0;
    struct buf out = {0};
    for (;;) {
        const char *rest = buf_str(text) + copied;
        const char *at = memmem(rest, text->len - copied, value, len);
        if (at == NULL)
            break;
        buf_add(&out, rest, (size_t)(at - rest));
        buf_puts(&out, "[secret]");
        copied += (size_t)(at - rest) + len;
        n++;
    }
    if (n > 0) {
        buf_add(&out, buf_str(text) + copied, text->len - copied);
        buf_clear(text);
        buf_add(text, buf_str(&out), out.len);
    }
    buf_fini(&out);
    return n;
}

uint32_t
model_redact(const char *text, size_t len, struct buf *out)
{
    struct buf b = {0};
    uint32_t n = 0;
    buf_add(&b, text, len);
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        size_t name = strcspn(*e, "=");
        const char *value = (*e)[name] == '=' ? *e + name + 1 : "";
        if (is_secret_name(*e, name) && strlen(value) >= VALUE_BYTES_MIN)
            n += value_out(&b, value);
    }
    for (size_t i = 0; i < N_RULES; i++)
        n += pass_run(&(struct pass){rules[i].pattern, rules[i].by, false}, &b);
    n += pass_run(&(struct pass){card_pattern, "[card]", true}, &b);
    buf_add(out, buf_str(&b), b.len);
    buf_fini(&b);
    return n;
}
