/* What an answer means and when to ask again: the rules of both providers'
 * own clients (part.h). Called by send.c. Invariant: pure; a person's mistake
 * is never repeated, and "the money ran out" is not "too fast". */
#include "model/part.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    WAIT_MS_MIN = 500,
    WAIT_MS_MAX = 8000,
    ASKED_MS_MAX = 60000,
    LATER_MS_MAX = 7 * 24 * 3600 * 1000, /* beyond it a header is nonsense */
};

/* Type, code and text of an error body, in one lower-case line. */
static void
error_words(const struct answer *a, struct buf *out, struct buf *text)
{
    struct buf mended = {0};
    mend_json(buf_str(&a->body), a->body.len, &mended);
    struct json *j = json_parse(buf_str(&mended), mended.len, NULL);
    const struct json *e = json_get(j, "error");
    const struct json *at = json_kind(e) == J_OBJ ? e : j;
    const char *names[] = {"type", "code", "param", "message", "detail"};
    for (size_t i = 0; i < 5; i++) {
        const char *v = json_get_str(at, names[i]);
        if (v != NULL)
            buf_printf(out, "%s ", v);
    }
    const char *said = json_str(e) ? json_str(e) : json_get_str(at, "message");
    if (said == NULL)
        said = json_get_str(at, "detail");
    if (json_str(e) != NULL)
        buf_puts(out, json_str(e));
    if (said != NULL)
        buf_printf(text, "%.300s", said);
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] >= 'A' && out->data[i] <= 'Z')
            out->data[i] = (char)(out->data[i] | 0x20);
    json_free(j);
    buf_fini(&mended);
}

static bool
says(const struct buf *words, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strstr(buf_str(words), *list) != NULL)
            return true;
    return false;
}

static enum verdict
judge_http(const struct answer *a, const struct buf *words)
{
    static const char *const money[] = {"insufficient_quota",
        "billing_hard_limit", "billing_not_active", "spend limit",
        "spend_limit", "credit balance", "billing_error",
        "insufficient credits", "quota exhausted", NULL};
    const char *told = buf_str(&a->should_retry);
    int h = a->http;
    if (h == 402 || ((h == 429 || h == 400 || h == 403) && says(words, money)))
        return VERDICT_NO_MONEY;
    if (h >= 401 && h <= 404)
        return VERDICT_FORBIDDEN;
    if (h == 400 || h == 413 || h == 422)
        return VERDICT_BAD;
    if (strcasecmp(told, "true") == 0)
        return VERDICT_RETRY;
    if (strcasecmp(told, "false") == 0)
        return VERDICT_GONE;
    return h == 408 || h == 409 || h == 429 || h >= 500 ? VERDICT_RETRY
                                                        : VERDICT_BAD;
}

/* The line for people, without the key that some servers echo. */
static void
why_tell(
    const struct answer *a, const char *key, const char *text, struct buf *why)
{
    struct buf line = {0}, clean = {0};
    if (a->http > 0)
        buf_printf(&line, "HTTP %d", a->http);
    if (*text != '\0')
        buf_printf(&line, "%s%s", line.len ? ": " : "", text);
    if (buf_str(&a->why)[0] != '\0')
        buf_printf(&line, "%s%s", line.len ? ": " : "", buf_str(&a->why));
    model_redact(buf_str(&line), line.len, &clean);
    const char *at = key && *key ? strstr(buf_str(&clean), key) : NULL;
    if (at != NULL)
        buf_printf(why, "%.*s[key]%s", (int)(at - buf_str(&clean)),
            buf_str(&clean), at + strlen(key));
    else
        buf_puts(why, buf_str(&clean));
    for (size_t i = 0; i < why->len; i++)
        if ((unsigned char)why->data[i] < ' ')
            why->data[i] = ' ';
    buf_fini(&line);
    buf_fini(&clean);
}

enum verdict
answer_judge(const struct answer *a, const char *key, struct buf *why)
{
    struct buf words = {0}, text = {0};
    enum verdict v = VERDICT_OK;
    if (a->forbidden)
        v = VERDICT_FORBIDDEN;
    else if (a->http == 0)
        v = VERDICT_RETRY;
    else if (a->http != 200) {
        error_words(a, &words, &text);
        v = judge_http(a, &words);
    } else if (a->too_big)
        v = VERDICT_BAD; /* it would be as large again */
    else if (a->why.len > 0)
        v = VERDICT_RETRY;
    if (v != VERDICT_OK)
        why_tell(a, key, buf_str(&text), why);
    buf_fini(&words);
    buf_fini(&text);
    return v;
}

/* Seconds, or an HTTP date, in milliseconds from now; 0: neither. */
static double
after_ms(const char *text, int64_t now_ms)
{
    char *end = NULL;
    struct tm tm = {0};
    double s = strtod(text, &end);
    if (end != text && *end == '\0')
        return s * 1000;
    end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (end == NULL || *end != '\0')
        return 0;
    return (double)timegm(&tm) * 1000 - (double)now_ms;
}

/* What the server asks for, in milliseconds from now; 0: nothing of use. */
static double
asked_ms(const struct answer *a, int64_t now_ms)
{
    double asked = 0;
    if (a->after_ms.len > 0)
        asked = strtod(buf_str(&a->after_ms), NULL);
    if (!(asked > 0) && a->after.len > 0)
        asked = after_ms(buf_str(&a->after), now_ms);
    return isfinite(asked) && asked > 0 ? asked : 0;
}

int64_t
retry_later_ms(const struct answer *a, int64_t now_ms)
{
    double asked = asked_ms(a, now_ms);
    return asked > ASKED_MS_MAX && asked <= LATER_MS_MAX
               ? now_ms + (int64_t)ceil(asked)
               : 0;
}

int64_t
retry_wait_ms(const struct answer *a, uint32_t n, double u, int64_t now_ms)
{
    double asked = asked_ms(a, now_ms), wait = WAIT_MS_MIN;
    /* what is not positive, or huge, is ignored, as the SDKs do */
    if (asked > 0 && asked <= ASKED_MS_MAX)
        return (int64_t)ceil(asked);
    for (uint32_t i = 1; i < n && wait < WAIT_MS_MAX; i++)
        wait *= 2;
    wait = wait < WAIT_MS_MAX ? wait : WAIT_MS_MAX;
    return (int64_t)(wait * (1 - 0.25 * u));
}

uint32_t
answer_lacks(const struct answer *a, uint32_t known, bool *lower)
{
    static const char *const format[] = {"response_format", "json_schema",
        "json_object", "output_config", "text.format", "structured output",
        "tool_choice", "tools", "schema", "grammar", NULL};
    static const struct {
        const char *word;
        uint32_t lack;
    } map[] = {{"max_completion_tokens", LACK_MAX_TOKENS},
        {"temperature", LACK_TEMPERATURE}, {"seed", LACK_SEED},
        {"stream_options", LACK_STREAM_USAGE}, {"stream", LACK_STREAM}};
    struct buf words = {0}, text = {0};
    uint32_t lacks = 0;
    error_words(a, &words, &text);
    for (size_t i = 0; lacks == 0 && i < sizeof map / sizeof *map; i++)
        if (strstr(buf_str(&words), map[i].word) != NULL)
            lacks = map[i].lack & ~known;
    *lower = lacks == 0 && says(&words, format);
    buf_fini(&words);
    buf_fini(&text);
    return lacks;
}
